/*
 * agg/region.h
 *	  Memory of an aggregation: taken from the machine by mmap, so that threads may take it, and given back at once.
 *
 * A region belongs to one thread at a time. Nothing in it is freed singly but mappings. It counts what it has taken, for
 * the limit that its owner keeps.
 */
#ifndef HZ_REGION_H
#define HZ_REGION_H

#include <stddef.h>
#include <stdint.h>

typedef struct HzRegionBlock HzRegionBlock;

typedef struct HzRegion
{
	HzRegionBlock *blocks;
	uint8_t *at;
	uint8_t *end;
	size_t next_size; /* of the next block */
	size_t total;     /* bytes taken from the machine */
} HzRegion;

/* `size` bytes aligned to 16; NULL: the machine has no more. */
extern void *hz_region_alloc(HzRegion *region, size_t size);

/* A mapping of its own, all zeroes, which can go before the region does; NULL likewise. */
extern void *hz_region_map(HzRegion *region, size_t size);
extern void hz_region_unmap(HzRegion *region, void *memory, size_t size);

/* Gives all back but the mappings of hz_region_map(). */
extern void hz_region_free(HzRegion *region);

/* From now on so many bytes of what regions give back are kept for the next ones of this process; 8 MB unless somebody says so. */
extern void hz_region_retain(size_t bytes);

#endif /* HZ_REGION_H */
