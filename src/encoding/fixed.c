/*
 * encoding/fixed.c
 *	  Opaque values of a fixed width: uuid, macaddr, interval, ….
 *
 * Constant, run-length, plain, and for 16 bytes split: the two halves, read as big-endian so that they order
 * as the values do, are encoded as integers. Of a uuid v7 the first half is a clock, the second 62 random bits.
 */
#include "encoding/candidate.h"
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/int_layout.h"
#include "encoding/runs.h"

static void
find_runs(const uint8_t *values, uint32_t width, uint32_t count, HzRuns *runs)
{
	uint32_t start = 0;

	runs->count = 0;
	for (uint32_t i = 1; i <= count; i++)
		if (i == count ||
			memcmp(values + (size_t) i * width, values + (size_t) (i - 1) * width, width) != 0)
		{
			runs->lengths[runs->count++] = (uint16_t) (i - start);
			start = i;
		}
}

static void
encode_runs(const uint8_t *values, uint32_t width, const HzRuns *runs, HzBytes *out)
{
	hz_bytes_put8(out, HZ_ENCODING_RUN_LENGTH);
	hz_runs_write(runs, out);
	for (uint32_t r = 0; r < runs->count; values += (size_t) width * runs->lengths[r++])
		hz_bytes_append(out, values, width);
}

static void
encode_split(const uint8_t *values, uint32_t count, HzBytes *out)
{
	int64_t halves[2][HZ_VECTOR_ROWS];

	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t half[2];

		memcpy(half, values + 16 * (size_t) i, 16);
		halves[0][i] = (int64_t) __builtin_bswap64(half[0]);
		halves[1][i] = (int64_t) __builtin_bswap64(half[1]);
	}
	hz_bytes_put8(out, HZ_ENCODING_SPLIT);
	hz_int_encode_sized(halves[0], count, HZ_INT_ANY, out);
	hz_int_encode(halves[1], count, out);
}

void
hz_fixed_encode(const uint8_t *values, uint32_t width, uint32_t count, HzBytes *out)
{
	HzRuns runs;
	size_t start = out->length;
	size_t plain = 1 + (size_t) width * count;

	find_runs(values, width, count, &runs);
	if (runs.count == 1)
	{
		hz_bytes_put8(out, HZ_ENCODING_CONSTANT);
		hz_bytes_append(out, values, width);
		return;
	}
	if (width == 16)
		encode_split(values, count, out);
	if (runs.count < count)
	{
		size_t second = out->length;

		encode_runs(values, width, &runs, out);
		hz_candidate_keep_smaller(out, start, second);
	}
	if (out->length == start || out->length - start >= plain)
	{
		out->length = start;
		hz_bytes_put8(out, HZ_ENCODING_PLAIN);
		hz_bytes_append(out, values, plain - 1);
	}
}

static HzStatus
decode_constant(HzCursor *cursor, uint32_t count, uint32_t width, uint8_t *target)
{
	const uint8_t *value = hz_cursor_take(cursor, width);

	if (value == NULL)
		return HZ_CORRUPT;
	for (uint32_t i = 0; i < count; i++)
		memcpy(target + (size_t) i * width, value, width);
	return HZ_OK;
}

/* The runs, and the value of each. */
static HzStatus
read_runs(HzCursor *cursor, uint32_t count, uint32_t width, HzRuns *runs, const uint8_t **values)
{
	HzStatus status = hz_runs_read(cursor, count, runs);

	if (status != HZ_OK)
		return status;
	*values = hz_cursor_take(cursor, (size_t) runs->count * width);
	return *values != NULL ? HZ_OK : HZ_CORRUPT;
}

static HzStatus
decode_runs(HzCursor *cursor, uint32_t count, uint32_t width, uint8_t *target)
{
	HzRuns runs;
	const uint8_t *values;
	HzStatus status = read_runs(cursor, count, width, &runs, &values);

	if (status == HZ_OK)
		hz_runs_repeat(&runs, values, width, target);
	return status;
}

static HZ_CLONES void
join_halves(const uint64_t *high, const uint64_t *low, uint32_t count, uint8_t *target)
{
	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t half[2] = {__builtin_bswap64(high[i]), __builtin_bswap64(low[i])};

		memcpy(target + 16 * (size_t) i, half, 16);
	}
}

static HzStatus
decode_split(HzCursor *cursor, uint32_t count, uint32_t width, uint8_t *target)
{
	uint64_t high[HZ_VECTOR_ROWS], low[HZ_VECTOR_ROWS];
	size_t left;
	HzStatus status;

	if (width != 16)
		return HZ_CORRUPT;
	status = hz_int_decode_sized(cursor, count, HZ_INT_ANY, 8, high);
	if (status != HZ_OK)
		return status;
	left = hz_cursor_left(cursor);
	status = hz_int_decode(hz_cursor_take(cursor, left), left, count, 8, low);
	if (status == HZ_OK)
		join_halves(high, low, count, target);
	return status;
}

HzStatus
hz_fixed_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
				uint8_t *target)
{
	HzCursor cursor = hz_cursor(bytes, length);
	const uint8_t *values;
	HzStatus status = HZ_OK;

	if (count == 0 || count > HZ_VECTOR_ROWS || width == 0 || width > UINT16_MAX)
		return HZ_LIMIT;
	switch (hz_cursor_get8(&cursor))
	{
		case HZ_ENCODING_CONSTANT:
			status = decode_constant(&cursor, count, width, target);
			break;
		case HZ_ENCODING_RUN_LENGTH:
			status = decode_runs(&cursor, count, width, target);
			break;
		case HZ_ENCODING_SPLIT:
			status = decode_split(&cursor, count, width, target);
			break;
		case HZ_ENCODING_PLAIN:
			values = hz_cursor_take(&cursor, (size_t) width * count);
			if (values != NULL)
				memcpy(target, values, (size_t) width * count);
			break;
		default:
			return HZ_CORRUPT;
	}
	if (status != HZ_OK)
		return status;
	return cursor.failed || hz_cursor_left(&cursor) > 0 ? HZ_CORRUPT : HZ_OK;
}

/* ---- one value */

static HzStatus
split_value(HzCursor *cursor, uint32_t count, uint32_t i, uint8_t *value)
{
	size_t first_length = hz_cursor_get16(cursor);
	const uint8_t *first = hz_cursor_take(cursor, first_length);
	size_t second_length = hz_cursor_left(cursor);
	const uint8_t *second = hz_cursor_take(cursor, second_length);
	int64_t halves[2];
	uint64_t half[2];
	HzStatus status;

	if (first == NULL || second == NULL)
		return HZ_CORRUPT;
	status = hz_int_value(first, first_length, count, i, &halves[0]);
	if (status == HZ_OK)
		status = hz_int_value(second, second_length, count, i, &halves[1]);
	if (status != HZ_OK)
		return status;
	half[0] = __builtin_bswap64((uint64_t) halves[0]);
	half[1] = __builtin_bswap64((uint64_t) halves[1]);
	memcpy(value, half, sizeof(half));
	return HZ_OK;
}

HzStatus
hz_fixed_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width, uint32_t i,
			   uint8_t *value)
{
	HzCursor cursor = hz_cursor(bytes, length);
	const uint8_t *found = NULL;
	HzRuns runs;
	HzStatus status;

	if (count == 0 || count > HZ_VECTOR_ROWS || width == 0 || width > UINT16_MAX || i >= count)
		return HZ_LIMIT;
	switch (hz_cursor_get8(&cursor))
	{
		case HZ_ENCODING_CONSTANT:
			found = hz_cursor_take(&cursor, width);
			break;
		case HZ_ENCODING_RUN_LENGTH:
			status = read_runs(&cursor, count, width, &runs, &found);
			if (status != HZ_OK)
				return status;
			found += (size_t) hz_runs_find(&runs, i) * width;
			break;
		case HZ_ENCODING_SPLIT:
			return width == 16 ? split_value(&cursor, count, i, value) : HZ_CORRUPT;
		case HZ_ENCODING_PLAIN:
			found = hz_cursor_take(&cursor, (size_t) width * count);
			if (found != NULL)
				found += (size_t) i * width;
			break;
	}
	if (found == NULL)
		return HZ_CORRUPT;
	memcpy(value, found, width);
	return HZ_OK;
}

/* ---- comparing encoded values */

static HzStatus
match_runs(HzCursor *cursor, uint32_t count, uint32_t width, const uint8_t *value, uint8_t *mask)
{
	HzRuns runs;
	const uint8_t *values;
	HzStatus status = read_runs(cursor, count, width, &runs, &values);

	for (uint32_t r = 0; status == HZ_OK && r < runs.count; r++, values += width)
	{
		memset(mask, memcmp(values, value, width) == 0, runs.lengths[r]);
		mask += runs.lengths[r];
	}
	return status;
}

static bool
match_half(const uint64_t *halves, uint32_t count, uint64_t value, uint8_t *mask)
{
	uint8_t any = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		mask[i] = halves[i] == value;
		any |= mask[i];
	}
	return any != 0;
}

/* The second half is decoded if a first one is equal. */
static HzStatus
match_split(HzCursor *cursor, uint32_t count, uint32_t width, const uint8_t *value, uint8_t *mask)
{
	uint64_t halves[HZ_VECTOR_ROWS];
	uint8_t second[HZ_VECTOR_ROWS];
	uint64_t half[2];
	size_t left;
	HzStatus status;

	if (width != 16)
		return HZ_CORRUPT;
	memcpy(half, value, sizeof(half));
	status = hz_int_decode_sized(cursor, count, HZ_INT_ANY, 8, halves);
	if (status != HZ_OK)
		return status;
	left = hz_cursor_left(cursor);
	value = hz_cursor_take(cursor, left);
	if (!match_half(halves, count, __builtin_bswap64(half[0]), mask))
		return HZ_OK;
	status = hz_int_decode(value, left, count, 8, halves);
	if (status != HZ_OK || !match_half(halves, count, __builtin_bswap64(half[1]), second))
	{
		memset(mask, 0, count);
		return status;
	}
	for (uint32_t i = 0; i < count; i++)
		mask[i] &= second[i];
	return HZ_OK;
}

static HzStatus
match_plain(HzCursor *cursor, uint32_t count, uint32_t width, const uint8_t *value, uint8_t *mask)
{
	const uint8_t *values = hz_cursor_take(cursor, (size_t) width * count);

	if (values == NULL)
		return HZ_CORRUPT;
	for (uint32_t i = 0; i < count; i++)
		mask[i] = memcmp(values + (size_t) i * width, value, width) == 0;
	return HZ_OK;
}

HzStatus
hz_fixed_match(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
			   const uint8_t *value, uint8_t *mask)
{
	HzCursor cursor = hz_cursor(bytes, length);
	const uint8_t *constant;
	HzStatus status = HZ_OK;

	if (count == 0 || count > HZ_VECTOR_ROWS || width == 0 || width > UINT16_MAX)
		return HZ_LIMIT;
	switch (hz_cursor_get8(&cursor))
	{
		case HZ_ENCODING_CONSTANT:
			constant = hz_cursor_take(&cursor, width);
			if (constant != NULL)
				memset(mask, memcmp(constant, value, width) == 0, count);
			break;
		case HZ_ENCODING_RUN_LENGTH:
			status = match_runs(&cursor, count, width, value, mask);
			break;
		case HZ_ENCODING_SPLIT:
			status = match_split(&cursor, count, width, value, mask);
			break;
		case HZ_ENCODING_PLAIN:
			status = match_plain(&cursor, count, width, value, mask);
			break;
		default:
			return HZ_CORRUPT;
	}
	if (status != HZ_OK)
		return status;
	return cursor.failed || hz_cursor_left(&cursor) > 0 ? HZ_CORRUPT : HZ_OK;
}
