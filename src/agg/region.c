/*
 * agg/region.c
 *	  Blocks from mmap. See region.h.
 */
#include <string.h>
#include <sys/mman.h>

#include "agg/region.h"

#define FIRST_BLOCK ((size_t) 64 * 1024)
#define LARGEST_BLOCK ((size_t) 4 * 1024 * 1024)
#define ALIGNMENT 16

struct HzRegionBlock
{
	HzRegionBlock *next;
	size_t size;
};

static void *
map_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t
round_up(size_t size, size_t to)
{
	return (size + to - 1) / to * to;
}

static int
add_block(HzRegion *region, size_t room)
{
	size_t size = region->next_size == 0 ? FIRST_BLOCK : region->next_size;
	HzRegionBlock *block;

	room += round_up(sizeof(HzRegionBlock), ALIGNMENT);
	if (size < room)
		size = round_up(room, FIRST_BLOCK);
	block = map_memory(size);
	if (block == NULL)
		return 0;
	block->next = region->blocks;
	block->size = size;
	region->blocks = block;
	region->at = (uint8_t *) block + round_up(sizeof(HzRegionBlock), ALIGNMENT);
	region->end = (uint8_t *) block + size;
	region->total += size;
	region->next_size = size * 2 > LARGEST_BLOCK ? LARGEST_BLOCK : size * 2;
	return 1;
}

void *
hz_region_alloc(HzRegion *region, size_t size)
{
	void *result;

	size = round_up(size, ALIGNMENT);
	if (region->blocks == NULL || size > (size_t) (region->end - region->at))
	{
		if (!add_block(region, size))
			return NULL;
	}
	result = region->at;
	region->at += size;
	return result;
}

void *
hz_region_map(HzRegion *region, size_t size)
{
	void *memory = map_memory(size);

	if (memory != NULL)
		region->total += size;
	return memory;
}

void
hz_region_unmap(HzRegion *region, void *memory, size_t size)
{
	if (memory == NULL)
		return;
	munmap(memory, size);
	region->total -= size;
}

void
hz_region_free(HzRegion *region)
{
	while (region->blocks != NULL)
	{
		HzRegionBlock *block = region->blocks;

		region->blocks = block->next;
		munmap(block, block->size);
	}
	memset(region, 0, sizeof(*region));
}
