/*
 * encoding/bitpack.h
 *	  Arrays of unsigned integers of 0 to 64 bits each, packed so that loops over them vectorise.
 *
 * After the FastLanes layout (see encoding.h), with as many lanes as the count asks for instead of blocks
 * of 1,024 values. Values of b bits go into lane words of T = 16, 32 or 64 bits, the smallest T >= b.
 * `count` values make L = ceil(count / T) lanes; value i is in row i / L of lane i % L; a lane is a
 * stream of bits, row r at bits [r * b, r * b + b), lowest bit first. Word j of lane l is the little-endian
 * T-bit word number j * L + l. Neighbouring values are thus neighbouring words with the same shift.
 * Up to T values there is one lane, and the layout is the ordinary sequential one; the last words of
 * rows that no value reaches are left out, so that small arrays stay small.
 */
#ifndef HZ_BITPACK_H
#define HZ_BITPACK_H

#include <stddef.h>
#include <stdint.h>

/* Bits needed to tell value from 0: 0 for 0, 64 at most. */
static inline uint32_t
hz_bitpack_width(uint64_t value)
{
	return value == 0 ? 0 : 64 - (uint32_t) __builtin_clzll(value);
}

/* The largest value of `bits` bits. */
static inline uint64_t
hz_bitpack_mask(uint32_t bits)
{
	return bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
}

/* Bytes that `count` values of `bits` bits take. */
extern size_t hz_bitpack_size(uint32_t count, uint32_t bits);

/* Packs the low `bits` bits of each value; fills exactly hz_bitpack_size() bytes of target. */
extern void hz_bitpack(const uint64_t *values, uint32_t count, uint32_t bits, uint8_t *target);

/*
 * Unpacks the first `wanted` of `count` values and adds base to each, modulo the slot: target has slots of
 * `width` bytes (1, 2, 4 or 8, and 8 * width >= bits), aligned to their width. Reads hz_bitpack_size()
 * bytes at most and writes exactly `wanted` slots.
 */
extern void hz_bitpack_unpack(const uint8_t *source, uint32_t count, uint32_t bits, uint32_t wanted,
							  uint64_t base, uint32_t width, void *target);

/* Value i alone. */
extern uint64_t hz_bitpack_get(const uint8_t *source, uint32_t count, uint32_t bits, uint32_t i);

#endif /* HZ_BITPACK_H */
