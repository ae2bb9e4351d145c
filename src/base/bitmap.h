/*
 * base/bitmap.h
 *	  Bitmaps in 64-bit words, bit i of the bitmap is bit i % 64 of word i / 64.
 *
 * As validity bitmaps: a set bit means "not null". Words are in the machine's order in memory; on
 * disk they are little-endian.
 */
#ifndef HZ_BITMAP_H
#define HZ_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HZ_BITMAP_WORDS(nbits) (((size_t) (nbits) + 63) / 64)

static inline bool
hz_bitmap_get(const uint64_t *words, size_t i)
{
	return (words[i >> 6] >> (i & 63)) & 1;
}

static inline void
hz_bitmap_set(uint64_t *words, size_t i)
{
	words[i >> 6] |= UINT64_C(1) << (i & 63);
}

static inline void
hz_bitmap_clear(uint64_t *words, size_t i)
{
	words[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}

/* Number of set bits among the first nbits. */
static inline size_t
hz_bitmap_count(const uint64_t *words, size_t nbits)
{
	size_t count = 0;

	for (size_t w = 0; w < nbits / 64; w++)
		count += (size_t) __builtin_popcountll(words[w]);
	if (nbits % 64)
		count +=
			(size_t) __builtin_popcountll(words[nbits / 64] & ((UINT64_C(1) << (nbits % 64)) - 1));
	return count;
}

#endif /* HZ_BITMAP_H */
