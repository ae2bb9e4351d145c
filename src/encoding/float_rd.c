/*
 * encoding/float_rd.c
 *	  Floats with full mantissas: ALP-RD ("real doubles", Afroozeh, Kuffo & Boncz, SIGMOD 2024).
 *
 * The bits are cut in two. Left parts (sign, exponent, first bits of the mantissa; at most 16 bits) are few
 * in a vector: up to eight go to a dictionary, others are exceptions. Right parts are packed as they are.
 */
#include "encoding/bitpack.h"
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/float_parts.h"
#include "encoding/int_layout.h"

#define SAMPLES 128
#define ENTRIES 8
#define LEFT_BITS 16 /* most bits of a left part */
#define HEADER 5     /* encoding, right bits, entries, exceptions */
#define MISSING 0xFF /* code of a left part that has no entry */

typedef struct Cut
{
	uint32_t right_bits;
	uint32_t entries; /* 1, 2, 4 or 8, or as many as there are below that */
	uint16_t lefts[ENTRIES];
} Cut;

size_t
hz_float_rd_least(uint32_t width, uint32_t count)
{
	return HEADER + 2 + hz_bitpack_size(count, 8 * width - LEFT_BITS);
}

static void
sort(uint16_t *values, uint32_t count)
{
	static const uint32_t gaps[] = {57, 23, 10, 4, 1};

	for (uint32_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
		for (uint32_t i = gaps[g]; i < count; i++)
		{
			uint16_t value = values[i];
			uint32_t at = i;

			for (; at >= gaps[g] && values[at - gaps[g]] > value; at -= gaps[g])
				values[at] = values[at - gaps[g]];
			values[at] = value;
		}
}

/* The most frequent of the sorted lefts after dropping their last `drop` bits, most frequent first. */
static uint32_t
find_frequent(const uint16_t *sorted, uint32_t count, uint32_t drop, uint16_t lefts[ENTRIES],
			  uint32_t counts[ENTRIES])
{
	uint32_t found = 0;

	for (uint32_t start = 0, end; start < count; start = end)
	{
		uint16_t left = sorted[start] >> drop;
		uint32_t at;

		for (end = start + 1; end < count && sorted[end] >> drop == left; end++)
			;
		at = found < ENTRIES ? found++ : ENTRIES;
		for (; at > 0 && counts[at - 1] < end - start; at--)
			if (at < ENTRIES)
			{
				counts[at] = counts[at - 1];
				lefts[at] = lefts[at - 1];
			}
		if (at < ENTRIES)
		{
			counts[at] = end - start;
			lefts[at] = left;
		}
	}
	return found;
}

/* The cut, and how many entries, that make the samples smallest. */
static void
choose_cut(const void *values, uint32_t width, uint32_t count, Cut *cut)
{
	uint16_t samples[SAMPLES];
	uint32_t taken = count < SAMPLES ? count : SAMPLES;
	uint32_t best_cost = UINT32_MAX;

	for (uint32_t s = 0; s < taken; s++)
		samples[s] =
			(uint16_t) (hz_float_bits(values, width, s * count / taken) >> (8 * width - LEFT_BITS));
	sort(samples, taken);
	for (uint32_t left_bits = LEFT_BITS; left_bits > 0; left_bits--)
	{
		uint16_t lefts[ENTRIES];
		uint32_t counts[ENTRIES];
		uint32_t found = find_frequent(samples, taken, LEFT_BITS - left_bits, lefts, counts);
		uint32_t covered = 0;

		for (uint32_t e = 0; e < found; e++)
		{
			uint32_t code_bits = hz_bitpack_width(e);
			uint32_t cost;

			covered += counts[e];
			cost =
				taken * (code_bits + 8 * width - left_bits) + (taken - covered) * (11 + LEFT_BITS);
			if (cost >= best_cost)
				continue;
			best_cost = cost;
			cut->right_bits = 8 * width - left_bits;
			cut->entries = e + 1;
			memcpy(cut->lefts, lefts, sizeof(lefts));
		}
	}
}

HZ_INLINE void
cut_values(const void *values, uint32_t width, uint32_t count, uint32_t right_bits,
		   uint64_t *restrict rights, uint16_t *restrict lefts)
{
	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t bits = hz_float_bits(values, width, i);

		rights[i] = bits; /* packing keeps the low bits only */
		lefts[i] = (uint16_t) (bits >> right_bits);
	}
}

static HZ_CLONES void
cut_doubles(const void *values, uint32_t count, uint32_t right_bits, uint64_t *rights,
			uint16_t *lefts)
{
	cut_values(values, 8, count, right_bits, rights, lefts);
}

static HZ_CLONES void
cut_floats(const void *values, uint32_t count, uint32_t right_bits, uint64_t *rights,
		   uint16_t *lefts)
{
	cut_values(values, 4, count, right_bits, rights, lefts);
}

static HZ_CLONES void
find_codes(const uint16_t *lefts, uint32_t count, const Cut *cut, uint16_t *restrict codes)
{
	for (uint32_t i = 0; i < count; i++)
		codes[i] = MISSING;
	for (uint32_t e = 0; e < cut->entries; e++)
	{
		const uint16_t left = cut->lefts[e];

		for (uint32_t i = 0; i < count; i++)
			codes[i] = lefts[i] == left ? (uint16_t) e : codes[i];
	}
}

static void
write_packed(const uint64_t *values, uint32_t count, uint32_t bits, HzBytes *out)
{
	size_t size = hz_bitpack_size(count, bits);

	hz_bitpack(values, count, bits, hz_bytes_reserve(out, size));
	out->length += size;
}

bool
hz_float_rd_encode(const void *values, uint32_t width, uint32_t count, size_t limit, HzBytes *out)
{
	uint64_t rights[HZ_VECTOR_ROWS], positions[HZ_VECTOR_ROWS + 1];
	uint16_t lefts[HZ_VECTOR_ROWS], codes[HZ_VECTOR_ROWS];
	uint64_t *wide_codes = rights; /* the rights are written first */
	uint32_t exceptions = 0;
	uint32_t code_bits;
	size_t size;
	Cut cut = {0};

	choose_cut(values, width, count, &cut);
	if (width == 8)
		cut_doubles(values, count, cut.right_bits, rights, lefts);
	else
		cut_floats(values, count, cut.right_bits, rights, lefts);
	find_codes(lefts, count, &cut, codes);
	for (uint32_t i = 0; i < count; i++)
	{
		positions[exceptions] = i;
		exceptions += codes[i] == MISSING;
	}
	code_bits = hz_bitpack_width(cut.entries - 1);
	size = HEADER + 2 * cut.entries + hz_bitpack_size(count, code_bits) +
		   hz_bitpack_size(count, cut.right_bits) +
		   hz_bitpack_size(exceptions, hz_int_position_bits(count)) + 2 * exceptions;
	if (size >= limit)
		return false;
	hz_bytes_put8(out, HZ_ENCODING_ALP_RD);
	hz_bytes_put8(out, (uint8_t) cut.right_bits);
	hz_bytes_put8(out, (uint8_t) cut.entries);
	hz_bytes_put16(out, (uint16_t) exceptions);
	for (uint32_t e = 0; e < cut.entries; e++)
		hz_bytes_put16(out, cut.lefts[e]);
	write_packed(rights, count, cut.right_bits, out);
	for (uint32_t i = 0; i < count; i++)
		wide_codes[i] = codes[i] == MISSING ? 0 : codes[i];
	write_packed(wide_codes, count, code_bits, out);
	write_packed(positions, exceptions, hz_int_position_bits(count), out);
	for (uint32_t e = 0; e < exceptions; e++)
		hz_bytes_put16(out, lefts[positions[e]]);
	return true;
}

/* Codes of 3 bits at most, so that a table of eight needs no check; false when one has no entry. */
HZ_INLINE bool
codes_good(const uint16_t *codes, uint32_t count, uint32_t entries)
{
	uint16_t most = 0;

	for (uint32_t i = 0; i < count; i++)
		most = codes[i] > most ? codes[i] : most;
	return most < entries;
}

static HZ_CLONES bool
join_doubles(uint64_t *slots, const uint16_t *codes, uint32_t count, const uint64_t lefts[ENTRIES],
			 uint32_t entries)
{
	for (uint32_t i = 0; i < count; i++)
		slots[i] |= lefts[codes[i]];
	return codes_good(codes, count, entries);
}

static HZ_CLONES bool
join_floats(uint32_t *slots, const uint16_t *codes, uint32_t count, const uint64_t lefts[ENTRIES],
			uint32_t entries)
{
	for (uint32_t i = 0; i < count; i++)
		slots[i] |= (uint32_t) lefts[codes[i]];
	return codes_good(codes, count, entries);
}

/* Replaces the left parts of the exceptions. */
static HzStatus
patch(const uint8_t *packed, const uint8_t *lefts, uint32_t exceptions, uint32_t count,
	  uint32_t right_bits, uint32_t width, void *target)
{
	uint16_t positions[HZ_VECTOR_ROWS];
	uint64_t mask = hz_bitpack_mask(right_bits);
	int32_t last = -1;

	hz_bitpack_unpack(packed, exceptions, hz_int_position_bits(count), exceptions, 0, 2, positions);
	for (uint32_t e = 0; e < exceptions; e++)
	{
		uint64_t left = (uint64_t) hz_load16(lefts + 2 * (size_t) e) << right_bits;

		if (positions[e] <= last || positions[e] >= count)
			return HZ_CORRUPT;
		last = positions[e];
		if (width == 8)
			((uint64_t *) target)[last] = (((uint64_t *) target)[last] & mask) | left;
		else
			((uint32_t *) target)[last] = (uint32_t) ((((uint32_t *) target)[last] & mask) | left);
	}
	return HZ_OK;
}

HzStatus
hz_float_rd_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
				   void *target)
{
	HzCursor cursor = hz_cursor(bytes, length);
	uint16_t codes[HZ_VECTOR_ROWS];
	uint64_t lefts[ENTRIES] = {0};
	uint32_t right_bits, entries, exceptions, code_bits;
	const uint8_t *rights, *packed_codes, *positions, *patches;
	bool good;

	(void) hz_cursor_get8(&cursor);
	right_bits = hz_cursor_get8(&cursor);
	entries = hz_cursor_get8(&cursor);
	exceptions = hz_cursor_get16(&cursor);
	if (right_bits < 8 * width - LEFT_BITS || right_bits >= 8 * width || entries == 0 ||
		entries > ENTRIES || exceptions > count)
		return HZ_CORRUPT;
	for (uint32_t e = 0; e < entries; e++)
		lefts[e] = (uint64_t) hz_cursor_get16(&cursor) << right_bits;
	code_bits = hz_bitpack_width(entries - 1);
	rights = hz_cursor_take(&cursor, hz_bitpack_size(count, right_bits));
	packed_codes = hz_cursor_take(&cursor, hz_bitpack_size(count, code_bits));
	positions = hz_cursor_take(&cursor, hz_bitpack_size(exceptions, hz_int_position_bits(count)));
	patches = hz_cursor_take(&cursor, 2 * (size_t) exceptions);
	if (cursor.failed || hz_cursor_left(&cursor) > 0)
		return HZ_CORRUPT;
	hz_bitpack_unpack(rights, count, right_bits, count, 0, width, target);
	hz_bitpack_unpack(packed_codes, count, code_bits, count, 0, 2, codes);
	if (width == 8)
		good = join_doubles(target, codes, count, lefts, entries);
	else
		good = join_floats(target, codes, count, lefts, entries);
	if (!good)
		return HZ_CORRUPT;
	return exceptions == 0
			   ? HZ_OK
			   : patch(positions, patches, exceptions, count, right_bits, width, target);
}
