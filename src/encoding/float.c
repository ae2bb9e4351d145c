/*
 * encoding/float.c
 *	  Floats of 4 and 8 bytes, bit for bit: constant, run-length, ALP, ALP-RD or plain.
 */
#include "encoding/candidate.h"
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/float_parts.h"
#include "encoding/runs.h"

static void encode_at(const void *values, uint32_t width, uint32_t count, bool runs_allowed,
					  HzBytes *out);
static HzStatus decode_at(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
						  bool runs_allowed, void *target);

HZ_INLINE uint32_t
count_runs(const void *values, uint32_t width, uint32_t count)
{
	uint32_t runs = 1;

	for (uint32_t i = 1; i < count; i++)
		runs += hz_float_bits(values, width, i) != hz_float_bits(values, width, i - 1);
	return runs;
}

/* Writes the runs with their first values, which are encoded as floats again. */
static void
encode_runs(const void *values, uint32_t width, uint32_t count, HzBytes *out)
{
	uint64_t heads[HZ_VECTOR_ROWS]; /* slots of `width` bytes */
	HzRuns runs;
	uint32_t start = 0;

	runs.count = 0;
	for (uint32_t i = 1; i <= count; i++)
		if (i == count || hz_float_bits(values, width, i) != hz_float_bits(values, width, start))
		{
			memcpy((uint8_t *) heads + (size_t) runs.count * width,
				   (const uint8_t *) values + (size_t) start * width, width);
			runs.lengths[runs.count++] = (uint16_t) (i - start);
			start = i;
		}
	hz_bytes_put8(out, HZ_ENCODING_RUN_LENGTH);
	hz_runs_write(&runs, out);
	encode_at(heads, width, runs.count, false, out);
}

static void
encode_at(const void *values, uint32_t width, uint32_t count, bool runs_allowed, HzBytes *out)
{
	uint32_t runs = width == 8 ? count_runs(values, 8, count) : count_runs(values, 4, count);
	size_t start = out->length, second, limit = 1 + (size_t) width * count;

	if (runs == 1)
	{
		hz_bytes_put8(out, HZ_ENCODING_CONSTANT);
		hz_bytes_append(out, values, width);
		return;
	}
	hz_float_alp_encode(values, width, count, out);
	if (runs_allowed && 2 * runs <= count)
	{
		second = out->length;
		encode_runs(values, width, count, out);
		hz_candidate_keep_smaller(out, start, second);
	}
	if (out->length > start && out->length - start < limit)
		limit = out->length - start;
	if (hz_float_rd_least(width, count) < limit)
	{
		second = out->length;
		if (hz_float_rd_encode(values, width, count, limit, out))
			hz_candidate_keep_smaller(out, start, second);
	}
	if (out->length == start || out->length - start >= 1 + (size_t) width * count)
	{
		out->length = start;
		hz_bytes_put8(out, HZ_ENCODING_PLAIN);
		hz_bytes_append(out, values, (size_t) width * count);
	}
}

void
hz_float_encode(const void *values, uint32_t width, uint32_t count, HzBytes *out)
{
	encode_at(values, width, count, true, out);
}

static HzStatus
decode_constant(HzCursor *cursor, uint32_t count, uint32_t width, void *target)
{
	const uint8_t *value = hz_cursor_take(cursor, width);

	if (value == NULL || hz_cursor_left(cursor) > 0)
		return HZ_CORRUPT;
	if (width == 4)
		for (uint32_t i = 0; i < count; i++)
			((uint32_t *) target)[i] = hz_load32(value);
	else
		for (uint32_t i = 0; i < count; i++)
			((uint64_t *) target)[i] = hz_load64(value);
	return HZ_OK;
}

static HzStatus
decode_runs(HzCursor *cursor, uint32_t count, uint32_t width, void *target)
{
	uint64_t heads[HZ_VECTOR_ROWS]; /* slots of `width` bytes */
	HzRuns runs;
	HzStatus status = hz_runs_read(cursor, count, &runs);

	if (status == HZ_OK)
		status = decode_at(cursor->at, hz_cursor_left(cursor), runs.count, width, false, heads);
	if (status == HZ_OK)
		hz_runs_expand(&runs, heads, width, count, target);
	return status;
}

static HzStatus
decode_at(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width, bool runs_allowed,
		  void *target)
{
	HzCursor cursor = hz_cursor(bytes, length);

	switch (hz_cursor_get8(&cursor))
	{
		case HZ_ENCODING_CONSTANT:
			return decode_constant(&cursor, count, width, target);
		case HZ_ENCODING_RUN_LENGTH:
			return runs_allowed ? decode_runs(&cursor, count, width, target) : HZ_CORRUPT;
		case HZ_ENCODING_ALP:
			return hz_float_alp_decode(bytes, length, count, width, target);
		case HZ_ENCODING_ALP_RD:
			return hz_float_rd_decode(bytes, length, count, width, target);
		case HZ_ENCODING_PLAIN:
			if (hz_cursor_left(&cursor) != (size_t) width * count)
				return HZ_CORRUPT;
			memcpy(target, cursor.at, (size_t) width * count);
			return HZ_OK;
		default:
			return HZ_CORRUPT;
	}
}

HzStatus
hz_float_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width, void *target)
{
	if (count == 0 || count > HZ_VECTOR_ROWS || (width != 4 && width != 8))
		return HZ_LIMIT;
	return decode_at(bytes, length, count, width, true, target);
}
