/*
 * encoding/bits.c
 *	  Bitmaps: validity and booleans.
 *
 * Constant when all bits are equal; runs, whose bits alternate, so that only the first is stored; or the
 * bitmap's bytes. Bits past the count are zero in the bytes and in what is decoded.
 */
#include "base/bitmap.h"
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/runs.h"

/* Word w of the bitmap without the bits past the count. */
HZ_INLINE uint64_t
word_at(const uint64_t *words, uint32_t count, uint32_t w)
{
	uint32_t left = count - 64 * w;

	return left >= 64 ? words[w] : words[w] & ((UINT64_C(1) << left) - 1);
}

/* Finds the runs; the bits where a run ends are those that differ from the bit above them. */
static void
find_runs(const uint64_t *words, uint32_t count, HzRuns *runs)
{
	uint32_t start = 0;

	runs->count = 0;
	for (uint32_t w = 0; w < HZ_BITMAP_WORDS(count); w++)
	{
		uint64_t next = 64 * (w + 1) < count ? words[w + 1] : 0;
		uint64_t ends = words[w] ^ (words[w] >> 1 | next << 63);

		if (64 * w + 63 >= count - 1)
			ends &= (UINT64_C(1) << ((count - 1) % 64)) - 1;
		for (; ends != 0; ends &= ends - 1)
		{
			uint32_t end = 64 * w + (uint32_t) __builtin_ctzll(ends) + 1;

			runs->lengths[runs->count++] = (uint16_t) (end - start);
			start = end;
		}
	}
	runs->lengths[runs->count++] = (uint16_t) (count - start);
}

static void
encode_plain(const uint64_t *words, uint32_t count, HzBytes *out)
{
	uint8_t *at;

	hz_bytes_put8(out, HZ_ENCODING_PLAIN);
	at = hz_bytes_reserve(out, 8 * HZ_BITMAP_WORDS(count));
	for (uint32_t w = 0; w < HZ_BITMAP_WORDS(count); w++)
		hz_store64(at + 8 * w, word_at(words, count, w));
	out->length += (count + 7) / 8;
}

void
hz_bits_encode(const uint64_t *words, uint32_t count, HzBytes *out)
{
	HzRuns runs;
	size_t start = out->length;

	find_runs(words, count, &runs);
	if (runs.count == 1)
	{
		hz_bytes_put8(out, HZ_ENCODING_CONSTANT);
		hz_bytes_put8(out, words[0] & 1);
		return;
	}
	if (runs.count <= count / 8) /* a run takes a bit at least */
	{
		hz_bytes_put8(out, HZ_ENCODING_RUN_LENGTH);
		hz_bytes_put8(out, words[0] & 1);
		hz_runs_write(&runs, out);
		if (out->length - start < 1 + (count + 7) / 8)
			return;
		out->length = start;
	}
	encode_plain(words, count, out);
}

static HzStatus
decode_constant(HzCursor *cursor, uint32_t count, uint64_t *words)
{
	uint8_t bit = hz_cursor_get8(cursor);

	if (bit > 1)
		return HZ_CORRUPT;
	memset(words, bit ? 0xFF : 0, 8 * HZ_BITMAP_WORDS(count));
	if (count % 64 != 0)
		words[count / 64] &= (UINT64_C(1) << (count % 64)) - 1;
	return HZ_OK;
}

/* Sets bits from (inclusive) to end (exclusive). */
static void
set_bits(uint64_t *words, uint32_t from, uint32_t end)
{
	uint64_t head = UINT64_MAX << (from % 64);
	uint64_t tail = UINT64_MAX >> (63 - (end - 1) % 64);
	uint32_t first = from / 64, last = (end - 1) / 64;

	if (first == last)
	{
		words[first] |= head & tail;
		return;
	}
	words[first] |= head;
	for (uint32_t w = first + 1; w < last; w++)
		words[w] = UINT64_MAX;
	words[last] |= tail;
}

static HzStatus
decode_runs(HzCursor *cursor, uint32_t count, uint64_t *words)
{
	HzRuns runs;
	uint8_t bit = hz_cursor_get8(cursor);
	HzStatus status;

	if (bit > 1)
		return HZ_CORRUPT;
	status = hz_runs_read(cursor, count, &runs);
	if (status != HZ_OK)
		return status;
	memset(words, 0, 8 * HZ_BITMAP_WORDS(count));
	for (uint32_t r = 0, at = 0; r < runs.count; at += runs.lengths[r++])
		if ((r & 1) != bit)
			set_bits(words, at, at + runs.lengths[r]);
	return HZ_OK;
}

static HzStatus
decode_plain(HzCursor *cursor, uint32_t count, uint64_t *words)
{
	const uint8_t *bytes = hz_cursor_take(cursor, (count + 7) / 8);
	size_t last = HZ_BITMAP_WORDS(count) - 1;

	if (bytes == NULL)
		return HZ_CORRUPT;
	words[last] = 0;
	memcpy(words, bytes, (count + 7) / 8);
	if (count % 64 != 0 && words[last] >> (count % 64) != 0)
		return HZ_CORRUPT;
	return HZ_OK;
}

HzStatus
hz_bits_decode(const uint8_t *bytes, size_t length, uint32_t count, uint64_t *words)
{
	HzCursor cursor = hz_cursor(bytes, length);
	HzStatus status;

	if (count == 0 || count > HZ_VECTOR_ROWS)
		return HZ_LIMIT;
	switch (hz_cursor_get8(&cursor))
	{
		case HZ_ENCODING_CONSTANT:
			status = decode_constant(&cursor, count, words);
			break;
		case HZ_ENCODING_RUN_LENGTH:
			status = decode_runs(&cursor, count, words);
			break;
		case HZ_ENCODING_PLAIN:
			status = decode_plain(&cursor, count, words);
			break;
		default:
			return HZ_CORRUPT;
	}
	if (status != HZ_OK)
		return status;
	return cursor.failed || hz_cursor_left(&cursor) > 0 ? HZ_CORRUPT : HZ_OK;
}
