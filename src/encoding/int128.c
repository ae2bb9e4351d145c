/*
 * encoding/int128.c
 *	  128-bit integers by way of 64-bit ones.
 *
 * Constant; FOR when the values span less than 2^63: the minimum, and the differences from it as an
 * integer piece, which may be of any encoding; split into high and low halves, each an integer piece, where
 * they span more; plain.
 */
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/int_layout.h"

typedef unsigned __int128 Uint128;

/* Memory contexts align to 8 bytes only, where the compiler would rely on 16. */
typedef HzInt128 __attribute__((aligned(8), may_alias)) Loose128;

static void
put128(HzBytes *out, HzInt128 value)
{
	hz_bytes_put64(out, (uint64_t) (Uint128) value);
	hz_bytes_put64(out, (uint64_t) ((Uint128) value >> 64));
}

static Uint128
get128(HzCursor *cursor)
{
	Uint128 low = hz_cursor_get64(cursor);

	return low | (Uint128) hz_cursor_get64(cursor) << 64;
}

static void
encode_for(const Loose128 *values, uint32_t count, HzInt128 minimum, HzBytes *out)
{
	int64_t differences[HZ_VECTOR_ROWS];

	for (uint32_t i = 0; i < count; i++)
		differences[i] = (int64_t) ((Uint128) values[i] - (Uint128) minimum);
	hz_bytes_put8(out, HZ_ENCODING_FOR);
	put128(out, minimum);
	hz_int_encode(differences, count, out);
}

static void
encode_split(const Loose128 *values, uint32_t count, HzBytes *out)
{
	int64_t high[HZ_VECTOR_ROWS], low[HZ_VECTOR_ROWS];

	for (uint32_t i = 0; i < count; i++)
	{
		high[i] = (int64_t) (values[i] >> 64);
		low[i] = (int64_t) values[i];
	}
	hz_bytes_put8(out, HZ_ENCODING_SPLIT);
	hz_int_encode_sized(high, count, HZ_INT_ANY, out);
	hz_int_encode(low, count, out);
}

void
hz_int128_encode(const HzInt128 *numbers, uint32_t count, HzBytes *out)
{
	const Loose128 *values = (const Loose128 *) numbers;
	HzInt128 minimum = values[0], maximum = values[0];
	size_t start = out->length;

	for (uint32_t i = 1; i < count; i++)
	{
		minimum = values[i] < minimum ? values[i] : minimum;
		maximum = values[i] > maximum ? values[i] : maximum;
	}
	if (minimum == maximum)
	{
		hz_bytes_put8(out, HZ_ENCODING_CONSTANT);
		put128(out, minimum);
		return;
	}
	if ((Uint128) maximum - (Uint128) minimum <= INT64_MAX)
		encode_for(values, count, minimum, out);
	else
		encode_split(values, count, out);
	if (out->length - start < 1 + 16 * (size_t) count)
		return;
	out->length = start;
	hz_bytes_put8(out, HZ_ENCODING_PLAIN);
	for (uint32_t i = 0; i < count; i++)
		put128(out, values[i]);
}

static HzStatus
decode_for(HzCursor *cursor, uint32_t count, Loose128 *target)
{
	int64_t differences[HZ_VECTOR_ROWS];
	Uint128 base = get128(cursor);
	size_t left = hz_cursor_left(cursor);
	HzStatus status = hz_int_decode(hz_cursor_take(cursor, left), left, count, 8, differences);

	if (status == HZ_OK)
		for (uint32_t i = 0; i < count; i++)
			target[i] = (HzInt128) (base + (uint64_t) differences[i]);
	return status;
}

static HzStatus
decode_split(HzCursor *cursor, uint32_t count, Loose128 *target)
{
	uint64_t high[HZ_VECTOR_ROWS], low[HZ_VECTOR_ROWS];
	HzStatus status = hz_int_decode_sized(cursor, count, HZ_INT_ANY, 8, high);
	size_t left = hz_cursor_left(cursor);

	if (status == HZ_OK)
		status = hz_int_decode(hz_cursor_take(cursor, left), left, count, 8, low);
	if (status == HZ_OK)
		for (uint32_t i = 0; i < count; i++)
			target[i] = (HzInt128) ((Uint128) high[i] << 64 | low[i]);
	return status;
}

HzStatus
hz_int128_decode(const uint8_t *bytes, size_t length, uint32_t count, HzInt128 *numbers)
{
	Loose128 *target = (Loose128 *) numbers;
	HzCursor cursor = hz_cursor(bytes, length);
	HzStatus status = HZ_OK;

	if (count == 0 || count > HZ_VECTOR_ROWS)
		return HZ_LIMIT;
	switch (hz_cursor_get8(&cursor))
	{
		case HZ_ENCODING_CONSTANT:
			target[0] = (HzInt128) get128(&cursor);
			for (uint32_t i = 1; i < count; i++)
				target[i] = target[0];
			break;
		case HZ_ENCODING_FOR:
			status = decode_for(&cursor, count, target);
			break;
		case HZ_ENCODING_SPLIT:
			status = decode_split(&cursor, count, target);
			break;
		case HZ_ENCODING_PLAIN:
			for (uint32_t i = 0; i < count; i++)
				target[i] = (HzInt128) get128(&cursor);
			break;
		default:
			return HZ_CORRUPT;
	}
	if (status != HZ_OK)
		return status;
	return cursor.failed || hz_cursor_left(&cursor) > 0 ? HZ_CORRUPT : HZ_OK;
}
