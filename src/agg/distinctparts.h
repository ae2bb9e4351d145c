/*
 * agg/distinctparts.h
 *	  Values of one group that are to be counted without doubles, more of them than a hash table in the cache holds.
 *
 * They are appended to lists by their hash. A list has room in the cache when its doubles are dropped: when it has grown to a
 * bound, and in the end. So memory is written in order, and holds not much more than the distinct values. Pure C.
 */
#ifndef HZ_DISTINCTPARTS_H
#define HZ_DISTINCTPARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agg/region.h"

#define HZ_DISTINCT_PARTS 256

/* Entries lie in blocks of HZ_DISTINCT_BLOCK, all full but the last. */
#define HZ_DISTINCT_BLOCK 512

/* Where the next entry of a part goes; small, since every value asks for one of them. */
typedef struct HzDistinctEnd
{
	uint8_t *at;  /* NULL: in no block that there is */
	uint8_t *end; /* of that block */
} HzDistinctEnd;

typedef struct HzDistinctPart
{
	uint8_t **blocks;
	uint32_t block_room;
	bool many_doubles; /* the last time that they were dropped */
	uint64_t count;    /* as of when it was settled last */
	uint64_t bound;    /* of the count: drop doubles then */
} HzDistinctPart;

/* Scratch of dropping doubles. */
typedef struct HzDistinctIndex
{
	HzRegion *region;
	uint32_t *words;
	uint64_t room;
} HzDistinctIndex;

typedef struct HzDistinctParts
{
	HzRegion *region; /* where all this is */
	uint32_t width;   /* of a value: 8 or 16 */
	uint8_t **free;   /* blocks without entries */
	uint32_t free_count;
	uint32_t free_room;
	HzDistinctIndex index;
	HzDistinctEnd ends[HZ_DISTINCT_PARTS];
	HzDistinctPart parts[HZ_DISTINCT_PARTS];
} HzDistinctParts;

/* NULL: out of memory. */
extern HzDistinctParts *hz_distinctparts_make(HzRegion *region, uint32_t width);

/* What is not the region's own. */
extern void hz_distinctparts_free(HzDistinctParts *parts);

static inline uint64_t
hz_distinct_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return h;
}

/* The hash of a value of one or two words, good in all bits. */
static inline uint64_t
hz_distinct_hash(const uint64_t *value, uint32_t width)
{
	return hz_distinct_mix(width == 8 ? value[0] : value[0] ^ hz_distinct_mix(value[1]));
}

/* Appends `count` values that lie behind each other. False: out of memory. */
extern bool hz_distinctparts_add(HzDistinctParts *parts, const void *values, uint32_t count);

/* Takes over all of another's values, whose region must live as long; it is good for hz_distinctparts_free() then. False: as above. */
extern bool hz_distinctparts_absorb(HzDistinctParts *into, HzDistinctParts *from);

/* Drops all doubles and counts what is left. poll (or NULL) is called now and then. False: as above. */
extern bool hz_distinctparts_count(HzDistinctParts *parts, void (*poll)(void), uint64_t *count);

/*
 * As hz_distinctparts_count(), of every `shares`-th part from part `share` on only: threads may do so at the same time, each with a region of its own for
 * what it needs meanwhile. Nothing can be added afterwards. go_on(arg) is asked now and then. False: as above, or told to stop.
 */
extern bool hz_distinctparts_count_share(HzDistinctParts *parts, uint32_t share, uint32_t shares,
										 HzRegion *region, bool (*go_on)(void *arg), void *arg,
										 uint64_t *count);

/* The next value at or behind *position (0 at first), which moves on; NULL: no more. */
extern const uint64_t *hz_distinctparts_next(const HzDistinctParts *parts, uint64_t *position);

#endif /* HZ_DISTINCTPARTS_H */
