/*
 * encoding/int_leaf.c
 *	  Reading leaves: constant, FOR, patched and plain integers. See int_layout.h and README.md.
 *
 * Arithmetic is modulo 2^64, so no bytes can make it overflow. Whether values fit a narrow target is known
 * from the header of most leaves; those unpack straight to the target. All others go through 64 bits and
 * are checked while they are narrowed.
 */
#include "encoding/clones.h"
#include "encoding/int_layout.h"

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

HzStatus
hz_int_leaf_wide(const HzIntLeaf *leaf, uint32_t count, uint32_t wanted, int64_t *target)
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

HzStatus
hz_int_narrow(const int64_t *values, uint32_t count, uint32_t width, void *target)
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

HzStatus
hz_int_leaf_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
				   void *target)
{
	HzIntLeaf leaf;
	int64_t wide[HZ_VECTOR_ROWS];
	HzStatus status = hz_int_leaf_open(bytes, length, count, &leaf);

	if (status != HZ_OK)
		return status;
	if (width == 8)
		return hz_int_leaf_wide(&leaf, count, count, target);
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
	status = hz_int_leaf_wide(&leaf, count, count, wide);
	return status == HZ_OK ? hz_int_narrow(wide, count, width, target) : status;
}

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

HzStatus
hz_int_leaf_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t i, int64_t *value)
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
