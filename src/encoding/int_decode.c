/*
 * encoding/int_decode.c
 *	  From pieces back to integers, all of them or one. See int_layout.h and README.md.
 *
 * Arithmetic is modulo 2^64, so no bytes can make it overflow. Whether values fit a narrow target is known
 * from the header of most leaves; those unpack straight to the target. All others go through 64 bits and
 * are checked while they are narrowed.
 */
#ifndef FRONTEND
#include "postgres.h"
#endif

#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/int_layout.h"
#include "encoding/runs.h"

/* The smallest and the largest value of a signed slot. */
HZ_INLINE int64_t
slot_bottom(uint32_t width)
{
	return width == 8 ? INT64_MIN : -(INT64_C(1) << (8 * width - 1));
}

HZ_INLINE int64_t
slot_top(uint32_t width)
{
	return (int64_t) (UINT64_MAX >> (65 - 8 * width));
}

/* ---- leaves ---- */

static HzStatus
open_slots(HzCursor *cursor, HzIntLeaf *leaf)
{
	size_t length = hz_cursor_left(cursor);
	uint8_t padded[8] = {0};
	uint64_t value;

	if (length != 1 && length != 2 && length != 4 && length != 8)
		return HZ_CORRUPT;
	memcpy(padded, hz_cursor_take(cursor, length), length);
	value = hz_load64(padded);
	if (length < 8 && value >> (8 * length - 1))
		value |= UINT64_MAX << (8 * length);
	leaf->base = value;
	return HZ_OK;
}

static HzStatus
open_packed(HzCursor *cursor, uint32_t count, HzIntLeaf *leaf)
{
	uint8_t bits = hz_cursor_get8(cursor);

	leaf->bits = bits & ~HZ_INT_DIVISOR;
	if (leaf->encoding == HZ_ENCODING_PATCHED)
	{
		leaf->high_bits = hz_cursor_get8(cursor);
		leaf->exceptions = hz_cursor_get16(cursor);
		if (leaf->high_bits == 0 || leaf->exceptions == 0 || leaf->exceptions > count)
			return HZ_CORRUPT;
	}
	leaf->base = hz_cursor_get64(cursor);
	if (bits & HZ_INT_DIVISOR)
		leaf->divisor = hz_cursor_get64(cursor);
	if (leaf->bits > 64 || leaf->high_bits > 64 - leaf->bits || leaf->divisor == 0)
		return HZ_CORRUPT;
	leaf->low = hz_cursor_take(cursor, hz_bitpack_size(count, leaf->bits));
	leaf->positions =
		hz_cursor_take(cursor, hz_bitpack_size(leaf->exceptions, hz_int_position_bits(count)));
	leaf->highs = hz_cursor_take(cursor, hz_bitpack_size(leaf->exceptions, leaf->high_bits));
	return HZ_OK;
}

HzStatus
hz_int_leaf_open(const uint8_t *bytes, size_t length, uint32_t count, HzIntLeaf *leaf)
{
	HzCursor cursor = hz_cursor(bytes, length);
	HzStatus status = HZ_OK;

	memset(leaf, 0, sizeof(*leaf));
	leaf->encoding = (HzEncoding) hz_cursor_get8(&cursor);
	leaf->divisor = 1;
	switch (leaf->encoding)
	{
		case HZ_ENCODING_CONSTANT:
			status = open_slots(&cursor, leaf);
			break;
		case HZ_ENCODING_FOR:
		case HZ_ENCODING_PATCHED:
			status = open_packed(&cursor, count, leaf);
			break;
		case HZ_ENCODING_PLAIN:
			leaf->slot = hz_cursor_get8(&cursor);
			if (leaf->slot != 1 && leaf->slot != 2 && leaf->slot != 4 && leaf->slot != 8)
				return HZ_CORRUPT;
			leaf->low = hz_cursor_take(&cursor, (size_t) leaf->slot * count);
			break;
		default:
			return HZ_CORRUPT;
	}
	if (status != HZ_OK)
		return status;
	return cursor.failed || hz_cursor_left(&cursor) > 0 ? HZ_CORRUPT : HZ_OK;
}

static HZ_CLONES void
scale(uint64_t *values, uint32_t count, uint64_t divisor, uint64_t base)
{
	for (uint32_t i = 0; i < count; i++)
		values[i] = base + values[i] * divisor;
}

/* As scale(), for factors of 32 bits, whose product is one instruction. */
static HZ_CLONES void
scale_narrow(uint64_t *values, uint32_t count, uint32_t divisor, uint64_t base)
{
	for (uint32_t i = 0; i < count; i++)
		values[i] = base + (uint64_t) (uint32_t) values[i] * divisor;
}

static HZ_CLONES void
widen_1(const uint8_t *source, uint32_t count, int64_t *target)
{
	for (uint32_t i = 0; i < count; i++)
		target[i] = (int8_t) source[i];
}

static HZ_CLONES void
widen_2(const HzLoose16 *source, uint32_t count, int64_t *target)
{
	for (uint32_t i = 0; i < count; i++)
		target[i] = (int16_t) source[i];
}

static HZ_CLONES void
widen_4(const HzLoose32 *source, uint32_t count, int64_t *target)
{
	for (uint32_t i = 0; i < count; i++)
		target[i] = (int32_t) source[i];
}

/* The first `wanted` values of a plain leaf. */
static void
widen(const HzIntLeaf *leaf, uint32_t wanted, int64_t *target)
{
	switch (leaf->slot)
	{
		case 1:
			widen_1(leaf->low, wanted, target);
			break;
		case 2:
			widen_2((const HzLoose16 *) leaf->low, wanted, target);
			break;
		case 4:
			widen_4((const HzLoose32 *) leaf->low, wanted, target);
			break;
		default:
			memcpy(target, leaf->low, (size_t) 8 * wanted);
			break;
	}
}

/* Adds the high parts to the exceptions among the first `wanted` slots of `width` bytes. */
static HzStatus
patch(const HzIntLeaf *leaf, uint32_t count, uint32_t wanted, uint32_t width, void *target)
{
	uint16_t positions[HZ_VECTOR_ROWS];
	uint64_t highs[HZ_VECTOR_ROWS];
	int32_t last = -1;

	hz_bitpack_unpack(leaf->positions, leaf->exceptions, hz_int_position_bits(count),
					  leaf->exceptions, 0, 2, positions);
	hz_bitpack_unpack(leaf->highs, leaf->exceptions, leaf->high_bits, leaf->exceptions, 0, 8,
					  highs);
	for (uint32_t e = 0; e < leaf->exceptions; e++)
	{
		uint16_t at = positions[e];
		uint64_t high = highs[e] << leaf->bits;

		if (at <= last || at >= count)
			return HZ_CORRUPT;
		last = at;
		if (at >= wanted)
			break;
		switch (width)
		{
			case 1:
				((uint8_t *) target)[at] += (uint8_t) high;
				break;
			case 2:
				((uint16_t *) target)[at] += (uint16_t) high;
				break;
			case 4:
				((uint32_t *) target)[at] += (uint32_t) high;
				break;
			default:
				((uint64_t *) target)[at] += high;
				break;
		}
	}
	return HZ_OK;
}

/* The first `wanted` of a leaf's count values, 64 bits wide. */
static HzStatus
decode_leaf_wide(const HzIntLeaf *leaf, uint32_t count, uint32_t wanted, int64_t *target)
{
	uint64_t *slots = (uint64_t *) target;
	uint64_t base = leaf->divisor == 1 ? leaf->base : 0;

	if (leaf->encoding == HZ_ENCODING_PLAIN)
	{
		widen(leaf, wanted, target);
		return HZ_OK;
	}
	hz_bitpack_unpack(leaf->low, count, leaf->bits, wanted, base, 8, slots);
	if (leaf->exceptions > 0)
	{
		HzStatus status = patch(leaf, count, wanted, 8, slots);

		if (status != HZ_OK)
			return status;
	}
	if (leaf->divisor > UINT32_MAX || (leaf->divisor > 1 && leaf->bits + leaf->high_bits > 32))
		scale(slots, wanted, leaf->divisor, leaf->base);
	else if (leaf->divisor > 1)
		scale_narrow(slots, wanted, (uint32_t) leaf->divisor, leaf->base);
	return HZ_OK;
}

/* ---- narrowing ---- */

#define DEFINE_NARROW(name, SLOT)                                                            \
	static HZ_CLONES bool name(const int64_t *values, uint32_t count, SLOT *restrict target) \
	{                                                                                        \
		uint64_t lost = 0;                                                                   \
		for (uint32_t i = 0; i < count; i++)                                                 \
		{                                                                                    \
			const int64_t value = values[i];                                                 \
			target[i] = (SLOT) value;                                                        \
			lost |= (uint64_t) (value ^ (int64_t) (SLOT) value);                             \
		}                                                                                    \
		return lost == 0;                                                                    \
	}

DEFINE_NARROW(narrow_1, int8_t)
DEFINE_NARROW(narrow_2, int16_t)
DEFINE_NARROW(narrow_4, int32_t)

/* Copies values to slots of 1, 2 or 4 bytes; HZ_CORRUPT when one does not fit. */
static HzStatus
narrow(const int64_t *values, uint32_t count, uint32_t width, void *target)
{
	bool fits;

	if (width == 1)
		fits = narrow_1(values, count, target);
	else if (width == 2)
		fits = narrow_2(values, count, target);
	else
		fits = narrow_4(values, count, target);
	return fits ? HZ_OK : HZ_CORRUPT;
}

/* Whether whatever the bits of the leaf say fits slots of `width` bytes. */
static bool
leaf_fits(const HzIntLeaf *leaf, uint32_t width)
{
	int64_t base = (int64_t) leaf->base;

	return leaf->encoding != HZ_ENCODING_PLAIN && leaf->divisor == 1 &&
		   base >= slot_bottom(width) && base <= slot_top(width) &&
		   (uint64_t) slot_top(width) - leaf->base >= hz_bitpack_mask(leaf->bits + leaf->high_bits);
}

static HzStatus
decode_leaf(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width, void *target)
{
	HzIntLeaf leaf;
	int64_t wide[HZ_VECTOR_ROWS];
	HzStatus status = hz_int_leaf_open(bytes, length, count, &leaf);

	if (status != HZ_OK)
		return status;
	if (width == 8)
		return decode_leaf_wide(&leaf, count, count, target);
	if (leaf_fits(&leaf, width))
	{
		hz_bitpack_unpack(leaf.low, count, leaf.bits, count, leaf.base, width, target);
		return leaf.exceptions == 0 ? HZ_OK : patch(&leaf, count, count, width, target);
	}
	if (leaf.slot == width)
	{
		memcpy(target, leaf.low, (size_t) width * count);
		return HZ_OK;
	}
	status = decode_leaf_wide(&leaf, count, count, wide);
	return status == HZ_OK ? narrow(wide, count, width, target) : status;
}

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
		status = decode_leaf_wide(&leaf, count - 1, count - 1, sums + 1);
		if (status != HZ_OK)
			return status;
		sum_up((uint64_t *) sums, count);
	}
	return width == 8 ? HZ_OK : narrow(sums, count, width, target);
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
	return decode_leaf(bytes, length, count, width, target);
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

/* The high part of value i, 0 when it is no exception. */
static uint64_t
high_part(const HzIntLeaf *leaf, uint32_t count, uint32_t i)
{
	uint32_t low = 0, high = leaf->exceptions;
	uint32_t bits = hz_int_position_bits(count);

	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (hz_bitpack_get(leaf->positions, leaf->exceptions, bits, middle) < i)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == leaf->exceptions ||
		hz_bitpack_get(leaf->positions, leaf->exceptions, bits, low) != i)
		return 0;
	return hz_bitpack_get(leaf->highs, leaf->exceptions, leaf->high_bits, low) << leaf->bits;
}

static HzStatus
leaf_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t i, int64_t *value)
{
	HzIntLeaf leaf;
	HzStatus status = hz_int_leaf_open(bytes, length, count, &leaf);
	uint64_t offset;

	if (status != HZ_OK)
		return status;
	if (leaf.encoding == HZ_ENCODING_PLAIN)
	{
		leaf.low += (size_t) leaf.slot * i;
		widen(&leaf, 1, value);
		return HZ_OK;
	}
	offset = hz_bitpack_get(leaf.low, count, leaf.bits, i);
	if (leaf.exceptions > 0)
		offset += high_part(&leaf, count, i);
	*value = (int64_t) (leaf.base + leaf.divisor * offset);
	return HZ_OK;
}

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
	status = decode_leaf_wide(&leaf, count - 1, i, deltas);
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
		return leaf_value(bytes, length, count, i, value);
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
