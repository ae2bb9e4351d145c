/*
 * encoding/int_layout.h
 *	  What the integer encoders and decoders share: the parts of a piece, and who may nest in whom.
 *
 * Internal to encoding/. The bytes are in README.md. A piece is a leaf (constant, FOR, patched, plain) or is
 * made of other pieces: delta of one leaf, run-length of a leaf with the lengths and a piece with the values
 * that is not run-length itself. So pieces nest two deep at most, whatever the bytes claim.
 */
#ifndef HZ_INT_LAYOUT_H
#define HZ_INT_LAYOUT_H

#include "encoding/bitpack.h"
#include "encoding/encoding.h"

/* Which encodings may stand at a place. */
typedef enum HzIntDepth
{
	HZ_INT_LEAF,  /* constant, FOR, patched, plain */
	HZ_INT_DELTA, /* and delta */
	HZ_INT_ANY    /* and run-length */
} HzIntDepth;

#define HZ_INT_DIVISOR \
	0x80 /* in the byte of the bit width of FOR and PATCHED: a divisor follows the base */

#define HZ_INT_FOR_HEADER 10     /* encoding, bits, base */
#define HZ_INT_PATCHED_HEADER 13 /* encoding, bits, high bits, exceptions, base */
#define HZ_INT_DELTA_HEADER 9    /* encoding, first value */
#define HZ_INT_RUNS_HEADER 5     /* encoding, runs, length of the piece with the lengths */

/* A leaf, taken apart: value i is base + divisor * (low[i] | high of exception << bits), modulo 2^64. */
typedef struct HzIntLeaf
{
	HzEncoding encoding; /* CONSTANT, FOR, PATCHED or PLAIN */
	uint32_t bits;       /* of low; CONSTANT: 0 */
	uint32_t high_bits;  /* PATCHED only, else 0 */
	uint32_t exceptions; /* PATCHED only, else 0 */
	uint32_t slot;       /* PLAIN: bytes per value */
	uint64_t base;
	uint64_t divisor;         /* 1: none */
	const uint8_t *low;       /* packed, or PLAIN's values */
	const uint8_t *positions; /* packed, hz_int_position_bits(count) each, ascending */
	const uint8_t *highs;     /* packed, high_bits each */
} HzIntLeaf;

/* Bits of a position in a vector of count values. */
static inline uint32_t
hz_int_position_bits(uint32_t count)
{
	return hz_bitpack_width(count - 1);
}

/* The smallest of 1, 2, 4, 8 bytes that holds the signed value. */
static inline uint32_t
hz_int_slot(int64_t value)
{
	return value == (int8_t) value    ? 1
		   : value == (int16_t) value ? 2
		   : value == (int32_t) value ? 4
									  : 8;
}

/* Takes a leaf apart and checks its header and its exact length. */
extern HzStatus hz_int_leaf_open(const uint8_t *bytes, size_t length, uint32_t count,
								 HzIntLeaf *leaf);

/* The first `wanted` of an open leaf's count values, 64 bits wide. */
extern HzStatus hz_int_leaf_wide(const HzIntLeaf *leaf, uint32_t count, uint32_t wanted,
								 int64_t *target);

/* A whole leaf to slots of `width` bytes, and value i of one. */
extern HzStatus hz_int_leaf_decode(const uint8_t *bytes, size_t length, uint32_t count,
								   uint32_t width, void *target);
extern HzStatus hz_int_leaf_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t i,
								  int64_t *value);

/* Copies values to slots of 1, 2 or 4 bytes; HZ_CORRUPT when one does not fit. */
extern HzStatus hz_int_narrow(const int64_t *values, uint32_t count, uint32_t width, void *target);

/* hz_int_encode() and hz_int_decode() for a piece inside another one. */
extern void hz_int_encode_at(const int64_t *values, uint32_t count, HzIntDepth depth, HzBytes *out);
extern HzStatus hz_int_decode_at(const uint8_t *bytes, size_t length, uint32_t count,
								 HzIntDepth depth, uint32_t width, void *target);

/* A piece behind its length in 16 bits, as pieces stand inside others unless they come last. */
extern void hz_int_encode_sized(const int64_t *values, uint32_t count, HzIntDepth depth,
								HzBytes *out);
extern HzStatus hz_int_decode_sized(HzCursor *cursor, uint32_t count, HzIntDepth depth,
									uint32_t width, void *target);

#endif /* HZ_INT_LAYOUT_H */
