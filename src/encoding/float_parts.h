/*
 * encoding/float_parts.h
 *	  The two encodings of real floats, as float.c chooses among them.
 *
 * Internal to encoding/. Floats of 4 bytes travel widened to 8 where that is exact: as doubles and as bits in uint64.
 */
#ifndef HZ_FLOAT_PARTS_H
#define HZ_FLOAT_PARTS_H

#include "encoding/encoding.h"

#define HZ_FLOAT_POWERS 23 /* 10^0 to 10^22 are exact doubles */

/* Appends an ALP piece and returns true, or returns false when too few values look like decimals. */
extern bool hz_float_alp_encode(const void *values, uint32_t width, uint32_t count, HzBytes *out);

/* The whole piece; target has slots of `width` bytes. */
extern HzStatus hz_float_alp_decode(const uint8_t *bytes, size_t length, uint32_t count,
									uint32_t width, void *target);

/* Appends an ALP-RD piece and returns true if it is smaller than `limit` bytes. */
extern bool hz_float_rd_encode(const void *values, uint32_t width, uint32_t count, size_t limit,
							   HzBytes *out);
extern HzStatus hz_float_rd_decode(const uint8_t *bytes, size_t length, uint32_t count,
								   uint32_t width, void *target);

/* Bytes that an ALP-RD piece of so many values cannot go below. */
extern size_t hz_float_rd_least(uint32_t width, uint32_t count);

/* The bits of value i. */
static inline uint64_t
hz_float_bits(const void *values, uint32_t width, uint32_t i)
{
	uint64_t bits = 0;

	memcpy(&bits, (const uint8_t *) values + (size_t) i * width, width);
	return bits;
}

#endif /* HZ_FLOAT_PARTS_H */
