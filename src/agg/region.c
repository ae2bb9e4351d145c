/*
 * agg/region.c
 *	  Blocks from mmap. See region.h.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "agg/region.h"

#define FIRST_BLOCK ((size_t) 64 * 1024)
#define LARGEST_BLOCK ((size_t) 4 * 1024 * 1024)
#define ALIGNMENT 16
#define HUGE_FROM ((size_t) 4 * 1024 * 1024)
#define PAGE ((size_t) 4096) /* or less than one of the machine's */

struct HzRegionBlock
{
	HzRegionBlock *next;
	size_t size;
};

/*
 * Pieces that were given back and wait for the next query: page faults are what short queries would spend their time on
 * otherwise. Sizes are powers of two. Threads take and give, too.
 */
#define CLASSES 32

typedef struct FreePiece
{
	struct FreePiece *next;
} FreePiece;

static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;
static FreePiece *pool[CLASSES]; /* of FIRST_BLOCK << class */
static size_t pool_bytes;
static size_t pool_limit = (size_t) 8 * 1024 * 1024;

static int
class_of(size_t size)
{
	int class = 0;

	while ((FIRST_BLOCK << class) < size)
		class ++;
	return class;
}

static void *
take_from_pool(int class)
{
	FreePiece *piece;

	pthread_mutex_lock(&pool_mutex);
	piece = pool[class];
	if (piece != NULL)
	{
		pool[class] = piece->next;
		pool_bytes -= FIRST_BLOCK << class;
	}
	pthread_mutex_unlock(&pool_mutex);
	return piece;
}

/*
 * Hash tables look for a free place before they write: a page that is read first is the machine's page of zeroes, and is changed for another when it is
 * written, of which all processors have to be told.
 */
static void
touch(volatile uint8_t *memory, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		memory[at] = 0;
}

/* Memory of at least `size` bytes, `size` zeroes if `clear`; *got: how many bytes it has. */
static void *
map_memory(size_t size, int clear, size_t *got)
{
	int class = class_of(size);
	void *memory = take_from_pool(class);

	*got = FIRST_BLOCK << class;
	if (memory != NULL)
		return clear ? memset(memory, 0, size) : memory;
	memory = mmap(NULL, *got, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
#ifdef MADV_HUGEPAGE
	/* one page fault instead of 512, and fewer misses in hash tables */
	if (*got >= HUGE_FROM)
		(void) madvise(memory, *got, MADV_HUGEPAGE);
#endif
	if (clear)
		touch(memory, size);
	return memory;
}

static void
unmap_memory(void *memory, size_t size)
{
	FreePiece *piece = memory;
	int class = class_of(size);

	pthread_mutex_lock(&pool_mutex);
	if (pool_bytes + (FIRST_BLOCK << class) <= pool_limit)
	{
		pool_bytes += FIRST_BLOCK << class;
		piece->next = pool[class];
		pool[class] = piece;
		memory = NULL;
	}
	pthread_mutex_unlock(&pool_mutex);
	if (memory != NULL)
		munmap(memory, FIRST_BLOCK << class);
}

void
hz_region_retain(size_t bytes)
{
	pthread_mutex_lock(&pool_mutex);
	pool_limit = bytes;
	for (int class = 0; class < CLASSES; class ++)
		while (pool[class] != NULL && pool_bytes > pool_limit)
		{
			FreePiece *piece = pool[class];

			pool[class] = piece->next;
			pool_bytes -= FIRST_BLOCK << class;
			munmap(piece, FIRST_BLOCK << class);
		}
	pthread_mutex_unlock(&pool_mutex);
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
		size = room;
	block = map_memory(size, 0, &size);
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
	size_t got;
	void *memory = map_memory(size, 1, &got);

	if (memory != NULL)
		region->total += got;
	return memory;
}

void
hz_region_unmap(HzRegion *region, void *memory, size_t size)
{
	if (memory == NULL)
		return;
	region->total -= FIRST_BLOCK << class_of(size);
	unmap_memory(memory, size);
}

void
hz_region_free(HzRegion *region)
{
	while (region->blocks != NULL)
	{
		HzRegionBlock *block = region->blocks;

		region->blocks = block->next;
		unmap_memory(block, block->size);
	}
	memset(region, 0, sizeof(*region));
}
