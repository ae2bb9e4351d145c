/*
 * agg/distinctparts.c
 *	  See distinctparts.h.
 *
 * Doubles of a list are found by an index of it: an open hash table of words, the number of the entry + 1 below as many bits
 * of the hash as there is room for, which is in the cache with the values. Values that stay move to the front.
 */
#include <string.h>

#include "agg/distinctparts.h"
#include "encoding/clones.h"

#define BLOCK HZ_DISTINCT_BLOCK
#define FIRST_BOUND BLOCK
#define AHEAD 128 /* bytes behind the last value that will be written next */

/* Everything that touches values is written once, for a width that is known when it is inlined. */
#define ONE 8
#define TWO 16

HzDistinctParts *
hz_distinctparts_make(HzRegion *region, uint32_t width)
{
	HzDistinctParts *parts = hz_region_alloc(region, sizeof(HzDistinctParts));

	if (parts == NULL)
		return NULL;
	memset(parts, 0, sizeof(*parts));
	parts->region = region;
	parts->width = width;
	for (int p = 0; p < HZ_DISTINCT_PARTS; p++)
		parts->parts[p].bound = FIRST_BOUND;
	return parts;
}

static void
free_index(HzDistinctParts *parts)
{
	hz_region_unmap(parts->region, parts->index, parts->index_room * sizeof(uint32_t));
	parts->index = NULL;
	parts->index_room = 0;
}

void
hz_distinctparts_free(HzDistinctParts *parts)
{
	free_index(parts);
}

static inline uint64_t
blocks_of(uint64_t count)
{
	return (count + BLOCK - 1) / BLOCK;
}

/* Room for `wanted` pointers in an array of blocks that holds `used`. */
static bool
reserve(HzRegion *region, uint8_t ***blocks, uint32_t *room, uint64_t used, uint64_t wanted)
{
	uint64_t larger = *room == 0 ? 8 : *room;
	uint8_t **copy;

	if (wanted <= *room)
		return true;
	while (larger < wanted)
		larger *= 2;
	if (larger > UINT32_MAX)
		return false;
	copy = hz_region_alloc(region, sizeof(uint8_t *) * larger);
	if (copy == NULL)
		return false;
	if (used > 0)
		memcpy(copy, *blocks, sizeof(uint8_t *) * used);
	*blocks = copy;
	*room = (uint32_t) larger;
	return true;
}

/* Another block for a part whose blocks are full. */
static bool
add_block(HzDistinctParts *parts, HzDistinctPart *part)
{
	uint64_t have = blocks_of(part->count);
	uint8_t *block;

	if (!reserve(parts->region, &part->blocks, &part->block_room, have, have + 1))
		return false;
	block = parts->free_count > 0 ? parts->free[--parts->free_count]
								  : hz_region_alloc(parts->region, (size_t) BLOCK * parts->width);
	if (block == NULL)
		return false;
	part->blocks[have] = block;
	return true;
}

HZ_INLINE uint64_t *
entry_of(const HzDistinctPart *part, uint32_t width, uint64_t i)
{
	return (uint64_t *) (part->blocks[i / BLOCK] + i % BLOCK * width);
}

HZ_INLINE void
copy_value(uint32_t width, uint64_t *to, const uint64_t *from)
{
	to[0] = from[0];
	if (width == TWO)
		to[1] = from[1];
}

HZ_INLINE bool
same_value(uint32_t width, const uint64_t *a, const uint64_t *b)
{
	return a[0] == b[0] && (width == ONE || a[1] == b[1]);
}

/* ---- Doubles */

static bool
make_index(HzDistinctParts *parts, uint64_t room)
{
	if (room <= parts->index_room)
		return true;
	free_index(parts);
	parts->index = hz_region_map(parts->region, room * sizeof(uint32_t));
	parts->index_room = parts->index != NULL ? room : 0;
	return parts->index != NULL;
}

/* Puts value i, of this hash, to those that stay, unless it is among them. */
HZ_INLINE uint64_t
keep_value(const HzDistinctPart *part, uint32_t width, uint32_t *index, uint64_t room, uint64_t i,
		   uint64_t hash, uint64_t kept)
{
	/* room is a power of two, and numbers are below it */
	const uint32_t number_mask = (uint32_t) (room - 1);
	const uint64_t *value = entry_of(part, width, i);
	uint32_t tag = (uint32_t) (hash >> 24) & ~number_mask;
	uint64_t at = hash & (room - 1);
	uint32_t word;

	while ((word = index[at]) != 0 &&
		   ((word & ~number_mask) != tag ||
			!same_value(width, value, entry_of(part, width, (word & number_mask) - 1))))
		at = (at + 1) & (room - 1);
	if (word != 0)
		return kept;
	if (kept != i)
		copy_value(width, entry_of(part, width, kept), value);
	kept++;
	index[at] = tag | (uint32_t) kept;
	return kept;
}

/* How many values stay, at the front. The index has room for twice as many words as there are values. */
HZ_INLINE uint64_t
drop_doubles(const HzDistinctPart *part, uint32_t width, uint32_t *index, uint64_t room)
{
	uint64_t hashes[BLOCK];
	uint64_t kept = 0;

	memset(index, 0, room * sizeof(uint32_t));
	for (uint64_t first = 0; first < part->count; first += BLOCK)
	{
		uint64_t count = part->count - first < BLOCK ? part->count - first : BLOCK;

		for (uint64_t i = 0; i < count; i++)
		{
			hashes[i] = hz_distinct_hash(entry_of(part, width, first + i), width);
			__builtin_prefetch(&index[hashes[i] & (room - 1)], 1);
		}
		for (uint64_t i = 0; i < count; i++)
			kept = keep_value(part, width, index, room, first + i, hashes[i], kept);
	}
	return kept;
}

static bool
reduce_part(HzDistinctParts *parts, HzDistinctPart *part)
{
	uint64_t before = blocks_of(part->count);
	uint64_t room = 64;

	if (part->count >= UINT32_MAX / 2)
		return false;
	while (room < part->count * 2)
		room *= 2;
	if (!make_index(parts, room))
		return false;
	part->count = parts->width == ONE ? drop_doubles(part, ONE, parts->index, room)
									  : drop_doubles(part, TWO, parts->index, room);
	if (!reserve(parts->region, &parts->free, &parts->free_room, parts->free_count,
				 parts->free_count + before - blocks_of(part->count)))
		return false;
	for (uint64_t b = blocks_of(part->count); b < before; b++)
		parts->free[parts->free_count++] = part->blocks[b];
	return true;
}

/* ---- Adding */

/* Room for one more in a part whose blocks are full; where it has reached its bound, perhaps by dropping doubles. */
static bool
make_room(HzDistinctParts *parts, HzDistinctPart *part)
{
	uint64_t before = part->count;

	if (before >= part->bound)
	{
		if (!reduce_part(parts, part))
			return false;
		/* where there are few doubles it is not worth doing often */
		part->bound = part->count * (part->count > before / 4 * 3 ? 8 : 2);
		if (part->bound < FIRST_BOUND)
			part->bound = FIRST_BOUND;
	}
	return part->count % BLOCK != 0 || add_block(parts, part);
}

HZ_INLINE bool
append(HzDistinctParts *parts, uint32_t width, const uint8_t *values, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, values += width)
	{
		uint64_t value[2];
		uint64_t *place;
		HzDistinctPart *part;

		/* rows are sorted: values repeat themselves */
		if (i > 0 && memcmp(values, values - width, width) == 0)
			continue;
		memcpy(value, values, width);
		part = &parts->parts[hz_distinct_hash(value, width) >> 56];
		if (part->count % BLOCK == 0 && !make_room(parts, part))
			return false;
		place = entry_of(part, width, part->count);
		copy_value(width, place, value);
		__builtin_prefetch((uint8_t *) place + AHEAD, 1);
		part->count++;
	}
	return true;
}

bool
hz_distinctparts_add(HzDistinctParts *parts, const void *values, uint32_t count)
{
	return parts->width == ONE ? append(parts, ONE, values, count)
							   : append(parts, TWO, values, count);
}

bool
hz_distinctparts_count(HzDistinctParts *parts, void (*poll)(void), uint64_t *count)
{
	*count = 0;
	for (int p = 0; p < HZ_DISTINCT_PARTS; p++)
	{
		if (poll != NULL)
			poll();
		if (parts->parts[p].count > 0 && !reduce_part(parts, &parts->parts[p]))
			return false;
		*count += parts->parts[p].count;
	}
	free_index(parts);
	return true;
}

/* ---- All of them */

/* The other's full blocks go before the last of ours, which may not be full; what its last one holds is appended. */
static bool
absorb_part(HzDistinctParts *parts, HzDistinctPart *into, const HzDistinctPart *from)
{
	uint64_t full = from->count / BLOCK;
	uint64_t have = blocks_of(into->count);
	uint64_t last = into->count % BLOCK != 0 ? have - 1 : have;

	if (!reserve(parts->region, &into->blocks, &into->block_room, have, have + full))
		return false;
	if (full > 0)
	{
		if (last < have)
			into->blocks[last + full] = into->blocks[last];
		memcpy(into->blocks + last, from->blocks, sizeof(uint8_t *) * full);
		into->count += full * BLOCK;
	}
	if (from->count % BLOCK == 0)
		return true;
	return parts->width == ONE
			   ? append(parts, ONE, from->blocks[full], (uint32_t) (from->count % BLOCK))
			   : append(parts, TWO, from->blocks[full], (uint32_t) (from->count % BLOCK));
}

bool
hz_distinctparts_absorb(HzDistinctParts *into, HzDistinctParts *from)
{
	for (int p = 0; p < HZ_DISTINCT_PARTS; p++)
	{
		if (!absorb_part(into, &into->parts[p], &from->parts[p]))
			return false;
		from->parts[p].count = 0;
	}
	return true;
}

const uint64_t *
hz_distinctparts_next(const HzDistinctParts *parts, uint64_t *position)
{
	uint64_t p = *position >> 48;
	uint64_t i = *position & ((UINT64_C(1) << 48) - 1);

	while (p < HZ_DISTINCT_PARTS && i >= parts->parts[p].count)
	{
		p++;
		i = 0;
	}
	*position = p << 48 | (i + 1);
	return p < HZ_DISTINCT_PARTS ? entry_of(&parts->parts[p], parts->width, i) : NULL;
}
