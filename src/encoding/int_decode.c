/*
 * encoding/int_decode.c
 *	  From pieces back to integers, all of them or one: deltas, runs, and leaves by way of int_leaf.c.
 */
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/int_layout.h"
#include "encoding/runs.h"

/* ---- delta ---- */

static HzStatus
open_deltas(const uint8_t *bytes, size_t length, uint32_t count, uint64_t *first, HzIntLeaf *leaf)
{
	if (length < HZ_INT_DELTA_HEADER || count < 2)
		return HZ_CORRUPT;
	*first = hz_load64(bytes + 1);
	return hz_int_leaf_open(bytes + HZ_INT_DELTA_HEADER, length - HZ_INT_DELTA_HEADER, count - 1,
							leaf);
}

/* What constant deltas add up to. */
static HZ_CLONES void
count_up(uint64_t first, uint64_t step, uint32_t count, uint64_t *target)
{
	for (uint64_t i = 0; i < count; i++)
		target[i] = first + i * step;
}

/* Sums up in place. Four at a time, so that only one addition in four waits for the one before. */
static void
sum_up(uint64_t *values, uint32_t count)
{
	uint64_t sum = 0;
	uint32_t i = 0;

	for (; i + 4 <= count; i += 4)
	{
		uint64_t two = values[i] + values[i + 1];
		uint64_t three = two + values[i + 2];
		uint64_t four = two + (values[i + 2] + values[i + 3]);

		values[i] += sum;
		values[i + 1] = sum + two;
		values[i + 2] = sum + three;
		values[i + 3] = sum += four;
	}
	for (; i < count; i++)
		values[i] = sum += values[i];
}

static HzStatus
decode_deltas(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width, void *target)
{
	int64_t wide[HZ_VECTOR_ROWS];
	int64_t *sums = width == 8 ? target : wide;
	HzIntLeaf leaf;
	uint64_t first;
	HzStatus status = open_deltas(bytes, length, count, &first, &leaf);

	if (status != HZ_OK)
		return status;
	if (leaf.encoding == HZ_ENCODING_CONSTANT)
		count_up(first, leaf.base, count, (uint64_t *) sums);
	else
	{
		sums[0] = (int64_t) first;
		status = hz_int_leaf_wide(&leaf, count - 1, count - 1, sums + 1);
		if (status != HZ_OK)
			return status;
		sum_up((uint64_t *) sums, count);
	}
	return width == 8 ? HZ_OK : hz_int_narrow(sums, count, width, target);
}

/* ---- runs ---- */

static HzStatus
decode_runs(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width, void *target)
{
	HzCursor cursor = hz_cursor(bytes + 1, length - 1);
	int64_t heads[HZ_VECTOR_ROWS]; /* slots of `width` bytes */
	HzRuns runs;
	HzStatus status = hz_runs_read(&cursor, count, &runs);

	if (status != HZ_OK)
		return status;
	status = hz_int_decode_at(cursor.at, hz_cursor_left(&cursor), runs.count, HZ_INT_DELTA, width,
							  heads);
	if (status == HZ_OK)
		hz_runs_expand(&runs, heads, width, count, target);
	return status;
}

/* ---- pieces ---- */

HzStatus
hz_int_decode_at(const uint8_t *bytes, size_t length, uint32_t count, HzIntDepth depth,
				 uint32_t width, void *target)
{
	if (length == 0)
		return HZ_CORRUPT;
	if (bytes[0] == HZ_ENCODING_DELTA && depth >= HZ_INT_DELTA)
		return decode_deltas(bytes, length, count, width, target);
	if (bytes[0] == HZ_ENCODING_RUN_LENGTH && depth >= HZ_INT_ANY)
		return decode_runs(bytes, length, count, width, target);
	return hz_int_leaf_decode(bytes, length, count, width, target);
}

HzStatus
hz_int_decode_sized(HzCursor *cursor, uint32_t count, HzIntDepth depth, uint32_t width,
					void *target)
{
	size_t length = hz_cursor_get16(cursor);
	const uint8_t *bytes = hz_cursor_take(cursor, length);

	return cursor->failed ? HZ_CORRUPT
						  : hz_int_decode_at(bytes, length, count, depth, width, target);
}

HzStatus
hz_int_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width, void *target)
{
	if (count == 0 || count > HZ_VECTOR_ROWS ||
		(width != 1 && width != 2 && width != 4 && width != 8))
		return HZ_LIMIT;
	return hz_int_decode_at(bytes, length, count, HZ_INT_ANY, width, target);
}

/* ---- one value ---- */

static HzStatus
delta_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t i, int64_t *value)
{
	int64_t deltas[HZ_VECTOR_ROWS];
	HzIntLeaf leaf;
	uint64_t sum;
	HzStatus status = open_deltas(bytes, length, count, &sum, &leaf);

	if (status != HZ_OK)
		return status;
	if (leaf.encoding == HZ_ENCODING_CONSTANT)
	{
		*value = (int64_t) (sum + i * leaf.base);
		return HZ_OK;
	}
	status = hz_int_leaf_wide(&leaf, count - 1, i, deltas);
	if (status != HZ_OK)
		return status;
	for (uint32_t k = 0; k < i; k++)
		sum += (uint64_t) deltas[k];
	*value = (int64_t) sum;
	return HZ_OK;
}

static HzStatus
value_at(const uint8_t *bytes, size_t length, uint32_t count, HzIntDepth depth, uint32_t i,
		 int64_t *value)
{
	HzRuns runs;
	HzCursor cursor;
	HzStatus status;

	if (length == 0)
		return HZ_CORRUPT;
	if (bytes[0] == HZ_ENCODING_DELTA && depth >= HZ_INT_DELTA)
		return delta_value(bytes, length, count, i, value);
	if (bytes[0] != HZ_ENCODING_RUN_LENGTH || depth < HZ_INT_ANY)
		return hz_int_leaf_value(bytes, length, count, i, value);
	cursor = hz_cursor(bytes + 1, length - 1);
	status = hz_runs_read(&cursor, count, &runs);
	if (status != HZ_OK)
		return status;
	return value_at(cursor.at, hz_cursor_left(&cursor), runs.count, HZ_INT_DELTA,
					hz_runs_find(&runs, i), value);
}

HzStatus
hz_int_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t i, int64_t *value)
{
	if (count == 0 || count > HZ_VECTOR_ROWS || i >= count)
		return HZ_LIMIT;
	return value_at(bytes, length, count, HZ_INT_ANY, i, value);
}
