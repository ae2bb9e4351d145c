/*
 * encoding/bitpack.c
 *	  Packing and unpacking of bits; the layout is in bitpack.h.
 */
#include "encoding/bitpack.h"

#include <string.h>

#include "encoding/clones.h"

HZ_INLINE uint32_t
lane_bits(uint32_t bits)
{
	return bits <= 16 ? 16 : bits <= 32 ? 32 : 64;
}

HZ_INLINE uint32_t
ceiling(uint32_t a, uint32_t b)
{
	return (a + b - 1) / b;
}

size_t
hz_bitpack_size(uint32_t count, uint32_t bits)
{
	uint32_t word = lane_bits(bits);
	uint32_t lanes = ceiling(count, word);

	if (bits == 0 || count == 0)
		return 0;
	return (size_t) ceiling(ceiling(count, lanes) * bits, word) * lanes * (word / 8);
}

#define LANE_BITS 16
#define SLOT_BITS 8
#include "encoding/bitpack_tmpl.h"
#define LANE_BITS 16
#define SLOT_BITS 16
#include "encoding/bitpack_tmpl.h"
#define LANE_BITS 16
#define SLOT_BITS 32
#include "encoding/bitpack_tmpl.h"
#define LANE_BITS 16
#define SLOT_BITS 64
#include "encoding/bitpack_tmpl.h"
#define LANE_BITS 32
#define SLOT_BITS 32
#include "encoding/bitpack_tmpl.h"
#define LANE_BITS 32
#define SLOT_BITS 64
#include "encoding/bitpack_tmpl.h"
#define LANE_BITS 64
#define SLOT_BITS 64
#include "encoding/bitpack_tmpl.h"

static void
fill(uint64_t base, uint32_t wanted, uint32_t width, void *target)
{
	switch (width)
	{
		case 1:
			memset(target, (int) (uint8_t) base, wanted);
			break;
		case 2:
			for (uint32_t i = 0; i < wanted; i++)
				((uint16_t *) target)[i] = (uint16_t) base;
			break;
		case 4:
			for (uint32_t i = 0; i < wanted; i++)
				((uint32_t *) target)[i] = (uint32_t) base;
			break;
		default:
			for (uint32_t i = 0; i < wanted; i++)
				((uint64_t *) target)[i] = base;
			break;
	}
}

void
hz_bitpack_unpack(const uint8_t *source, uint32_t count, uint32_t bits, uint32_t wanted,
				  uint64_t base, uint32_t width, void *target)
{
	uint32_t word = lane_bits(bits);
	uint32_t lanes = ceiling(count, word);

	if (bits == 0)
		fill(base, wanted, width, target);
	else if (word == 64)
		unpack_64_64((const HzLoose64 *) source, lanes, bits, wanted, base, target);
	else if (word == 32 && width == 8)
		unpack_32_64((const HzLoose32 *) source, lanes, bits, wanted, base, target);
	else if (word == 32)
		unpack_32_32((const HzLoose32 *) source, lanes, bits, wanted, (uint32_t) base, target);
	else if (width == 8)
		unpack_16_64((const HzLoose16 *) source, lanes, bits, wanted, base, target);
	else if (width == 4)
		unpack_16_32((const HzLoose16 *) source, lanes, bits, wanted, (uint32_t) base, target);
	else if (width == 2)
		unpack_16_16((const HzLoose16 *) source, lanes, bits, wanted, (uint16_t) base, target);
	else
		unpack_16_8((const HzLoose16 *) source, lanes, bits, wanted, (uint8_t) base, target);
}

/*
 * Packing: the rows of a lane are or-ed into zeroed words. One body for the three sizes of words.
 */
#define PACK_BODY(LANE, LOOSE, LANE_BITS)                                            \
	for (uint32_t at = 0, bit = 0; at < count; at += lanes, bit += bits)             \
	{                                                                                \
		LOOSE *low = (LOOSE *) target + (size_t) (bit / (LANE_BITS)) * lanes;        \
		LOOSE *high = low + lanes;                                                   \
		const uint32_t shift = bit % (LANE_BITS);                                    \
		const uint32_t row = count - at < lanes ? count - at : lanes;                \
		const uint64_t *restrict from = values + at;                                 \
		for (uint32_t l = 0; l < row; l++)                                           \
			low[l] |= (LANE) ((LANE) (from[l] & mask) << shift);                     \
		if (shift + bits > (LANE_BITS))                                              \
			for (uint32_t l = 0; l < row; l++)                                       \
				high[l] |= (LANE) ((LANE) (from[l] & mask) >> ((LANE_BITS) -shift)); \
	}

static HZ_CLONES void
pack_16(const uint64_t *values, uint32_t count, uint32_t lanes, uint32_t bits, uint64_t mask,
		uint8_t *target)
{
	PACK_BODY(uint16_t, HzLoose16, 16)
}

static HZ_CLONES void
pack_32(const uint64_t *values, uint32_t count, uint32_t lanes, uint32_t bits, uint64_t mask,
		uint8_t *target)
{
	PACK_BODY(uint32_t, HzLoose32, 32)
}

static HZ_CLONES void
pack_64(const uint64_t *values, uint32_t count, uint32_t lanes, uint32_t bits, uint64_t mask,
		uint8_t *target)
{
	PACK_BODY(uint64_t, HzLoose64, 64)
}

void
hz_bitpack(const uint64_t *values, uint32_t count, uint32_t bits, uint8_t *target)
{
	uint32_t word = lane_bits(bits);
	uint32_t lanes = ceiling(count, word);
	uint64_t mask = hz_bitpack_mask(bits);

	if (bits == 0 || count == 0)
		return;
	memset(target, 0, hz_bitpack_size(count, bits));
	if (word == 16)
		pack_16(values, count, lanes, bits, mask, target);
	else if (word == 32)
		pack_32(values, count, lanes, bits, mask, target);
	else
		pack_64(values, count, lanes, bits, mask, target);
}

uint64_t
hz_bitpack_get(const uint8_t *source, uint32_t count, uint32_t bits, uint32_t i)
{
	uint32_t word = lane_bits(bits);
	uint32_t lanes = ceiling(count, word);
	uint32_t bit = (i / (lanes ? lanes : 1)) * bits;
	uint32_t shift = bit % word;
	size_t step = (size_t) lanes * (word / 8);
	const uint8_t *at;
	uint64_t low = 0, high = 0;

	if (bits == 0)
		return 0;
	at = source + (bit / word) * step + (size_t) (i % lanes) * (word / 8);
	memcpy(&low, at, word / 8);
	if (shift + bits > word)
	{
		memcpy(&high, at + step, word / 8);
		high <<= word - shift;
	}
	return (low >> shift | high) & hz_bitpack_mask(bits);
}
