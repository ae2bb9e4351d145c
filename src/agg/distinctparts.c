/*
 * agg/distinctparts.c
 *	  See distinctparts.h.
 *
 * Doubles of a list are found by an index of it: an open hash table of words, the number of the entry + 1 below as many bits
 * of the hash as there is room for, which is in the cache with the values. Values that stay move to the front. Where few are
 * doubles, most values are known not to be by a bit each, and only the others go through the index.
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
	parts->index.region = region;
	parts->width = width;
	for (int p = 0; p < HZ_DISTINCT_PARTS; p++)
		parts->parts[p].bound = FIRST_BOUND;
	return parts;
}

static void
free_index(HzDistinctIndex *index)
{
	hz_region_unmap(index->region, index->words, index->room * sizeof(uint32_t));
	index->words = NULL;
	index->room = 0;
}

void
hz_distinctparts_free(HzDistinctParts *parts)
{
	free_index(&parts->index);
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
make_index(HzDistinctIndex *index, uint64_t room)
{
	if (room <= index->room)
		return true;
	free_index(index);
	index->words = hz_region_map(index->region, room * sizeof(uint32_t));
	index->room = index->words != NULL ? room : 0;
	return index->words != NULL;
}

/*
 * The word of the index for value i, of this hash: zero, or of one that equals it. Numbers in words are at most `most`, one less than a power of two; room
 * is a power of two, too.
 */
HZ_INLINE uint32_t *
find_word(const HzDistinctPart *part, uint32_t width, uint32_t *index, uint64_t room, uint32_t most,
		  uint64_t i, uint64_t hash)
{
	const uint64_t *value = entry_of(part, width, i);
	uint32_t tag = (uint32_t) (hash >> 24) & ~most;
	uint64_t at = hash & (room - 1);
	uint32_t word;

	while ((word = index[at]) != 0 &&
		   ((word & ~most) != tag ||
			!same_value(width, value, entry_of(part, width, (word & most) - 1))))
		at = (at + 1) & (room - 1);
	return &index[at];
}

static inline uint32_t
word_of(uint64_t hash, uint32_t most, uint64_t i)
{
	return ((uint32_t) (hash >> 24) & ~most) | (uint32_t) (i + 1);
}

/* How many values stay, at the front. The index has room for twice as many words as there are values. */
HZ_INLINE uint64_t
drop_doubles(const HzDistinctPart *part, uint32_t width, uint32_t *index, uint64_t room)
{
	uint64_t hashes[BLOCK];
	uint64_t kept = 0;
	uint32_t most = (uint32_t) (room - 1);

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
		{
			uint32_t *word = find_word(part, width, index, room, most, first + i, hashes[i]);

			if (*word != 0)
				continue;
			if (kept != first + i)
				copy_value(width, entry_of(part, width, kept), entry_of(part, width, first + i));
			*word = word_of(hashes[i], most, kept++);
		}
	}
	return kept;
}

/* ---- Doubles, where there are few */

/* Values that are found in the index are dropped: what is behind them moves up. */
HZ_INLINE uint64_t
close_holes(const HzDistinctPart *part, uint32_t width, const uint32_t *holes, uint64_t count)
{
	uint64_t kept = holes[0];
	uint64_t next = 1;

	for (uint64_t i = kept + 1; i < part->count; i++)
	{
		if (next < count && holes[next] == i)
			next++;
		else
			copy_value(width, entry_of(part, width, kept++), entry_of(part, width, i));
	}
	return kept;
}

/*
 * A value whose place, by its hash, no other has, is no double. Finds the others, by number; `bits` are two for each of `places`, a power of
 * two; `others` has room for all values.
 */
HZ_INLINE uint64_t
find_others(const HzDistinctPart *part, uint32_t width, uint64_t *bits, uint64_t places,
			uint32_t *others)
{
	uint64_t *again = bits + places / 64;
	uint32_t mask = (uint32_t) (places - 1);
	uint64_t count = 0;

	memset(bits, 0, places / 64 * 2 * sizeof(uint64_t));
	for (uint64_t first = 0; first < part->count; first += BLOCK)
	{
		const uint8_t *values = part->blocks[first / BLOCK];
		uint32_t end = part->count - first < BLOCK ? (uint32_t) (part->count - first) : BLOCK;

		for (uint32_t i = 0; i < end; i++)
		{
			const uint64_t *value = (const uint64_t *) (values + (size_t) i * width);
			uint32_t place = (uint32_t) hz_distinct_hash(value, width) & mask;
			uint64_t bit = UINT64_C(1) << place % 64;

			others[first + i] = place;
			again[place / 64] |= bits[place / 64] & bit;
			bits[place / 64] |= bit;
		}
	}
	/* places become the numbers of some values, which are no more than those that were looked at */
	for (uint64_t i = 0; i < part->count; i++)
	{
		uint32_t place = others[i];

		others[count] = (uint32_t) i;
		count += again[place / 64] >> place % 64 & 1;
	}
	return count;
}

/* As drop_doubles(), of values most of which are no doubles. `room`, a power of two, is twice their number; the index has room for 2 * room words. */
HZ_INLINE uint64_t
drop_few_doubles(const HzDistinctPart *part, uint32_t width, uint32_t *index, uint64_t room)
{
	uint32_t *others = index + room;
	uint32_t most = (uint32_t) (room - 1);
	/* the bits take a quarter of what the index will take */
	uint64_t count = find_others(part, width, (uint64_t *) index, room * 4, others);
	uint64_t holes = 0;

	if (count > part->count / 2)
		return drop_doubles(part, width, index, room);
	memset(index, 0, room * sizeof(uint32_t));
	for (uint64_t o = 0; o < count; o++)
	{
		uint64_t hash = hz_distinct_hash(entry_of(part, width, others[o]), width);
		uint32_t *word = find_word(part, width, index, room, most, others[o], hash);

		if (*word == 0)
			*word = word_of(hash, most, others[o]);
		else
			others[holes++] = others[o];
	}
	return holes == 0 ? part->count : close_holes(part, width, others, holes);
}

static uint64_t
drop(const HzDistinctPart *part, uint32_t width, uint32_t *index, uint64_t room)
{
	if (width == ONE)
		return part->many_doubles ? drop_doubles(part, ONE, index, room)
								  : drop_few_doubles(part, ONE, index, room);
	return part->many_doubles ? drop_doubles(part, TWO, index, room)
							  : drop_few_doubles(part, TWO, index, room);
}

static bool
reduce_part(HzDistinctPart *part, uint32_t width, HzDistinctIndex *index)
{
	uint64_t count = part->count;
	uint64_t room = 64;

	if (count >= UINT32_MAX / 2)
		return false;
	while (room < count * 2)
		room *= 2;
	if (!make_index(index, room * 2))
		return false;
	part->count = drop(part, width, index->words, room);
	part->many_doubles = part->count <= count / 4 * 3;
	return true;
}

/* Blocks from `first` on, of `end` that a part had, are there for others. */
static bool
keep_blocks(HzDistinctParts *parts, const HzDistinctPart *part, uint64_t first, uint64_t end)
{
	if (!reserve(parts->region, &parts->free, &parts->free_room, parts->free_count,
				 parts->free_count + end - first))
		return false;
	for (uint64_t b = first; b < end; b++)
		parts->free[parts->free_count++] = part->blocks[b];
	return true;
}

/* ---- Adding */

/* Values of a part, with those that were appended since it was settled. */
static inline uint64_t
count_of(const HzDistinctParts *parts, uint32_t p)
{
	const HzDistinctPart *part = &parts->parts[p];
	const HzDistinctEnd *end = &parts->ends[p];

	if (end->at == NULL)
		return part->count;
	return part->count / BLOCK * BLOCK + BLOCK - (uint64_t) (end->end - end->at) / parts->width;
}

static inline void
settle(HzDistinctParts *parts, uint32_t p)
{
	parts->parts[p].count = count_of(parts, p);
	parts->ends[p] = (HzDistinctEnd){NULL, NULL};
}

/* Room for one more in a part whose blocks are full; where it has reached its bound, perhaps by dropping doubles. */
static bool
make_room(HzDistinctParts *parts, uint32_t p)
{
	HzDistinctPart *part = &parts->parts[p];
	uint64_t before;

	settle(parts, p);
	before = part->count;
	if (before >= part->bound)
	{
		if (!reduce_part(part, parts->width, &parts->index) ||
			!keep_blocks(parts, part, blocks_of(part->count), blocks_of(before)))
			return false;
		/* where there are few doubles it is not worth doing often */
		part->bound = part->count * (part->many_doubles ? 2 : 8);
		if (part->bound < FIRST_BOUND)
			part->bound = FIRST_BOUND;
	}
	if (part->count % BLOCK == 0 && !add_block(parts, part))
		return false;
	parts->ends[p].at = (uint8_t *) entry_of(part, parts->width, part->count);
	parts->ends[p].end = part->blocks[part->count / BLOCK] + (size_t) BLOCK * parts->width;
	return true;
}

HZ_INLINE bool
append(HzDistinctParts *parts, uint32_t width, const uint8_t *values, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, values += width)
	{
		uint64_t value[2];
		uint32_t p;
		HzDistinctEnd *end;

		/* rows are sorted: values repeat themselves */
		if (i > 0 && memcmp(values, values - width, width) == 0)
			continue;
		memcpy(value, values, width);
		p = (uint32_t) (hz_distinct_hash(value, width) >> 56);
		end = &parts->ends[p];
		if (end->at == end->end && !make_room(parts, p))
			return false;
		memcpy(end->at, value, width);
		__builtin_prefetch(end->at + AHEAD, 1);
		end->at += width;
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
	for (uint32_t p = 0; p < HZ_DISTINCT_PARTS; p++)
	{
		HzDistinctPart *part = &parts->parts[p];
		uint64_t before;

		if (poll != NULL)
			poll();
		settle(parts, p);
		before = part->count;
		if (before > 0 && (!reduce_part(part, parts->width, &parts->index) ||
						   !keep_blocks(parts, part, blocks_of(part->count), blocks_of(before))))
			return false;
		*count += part->count;
	}
	free_index(&parts->index);
	return true;
}

bool
hz_distinctparts_count_share(HzDistinctParts *parts, uint32_t share, uint32_t shares,
							 HzRegion *region, bool (*go_on)(void *arg), void *arg, uint64_t *count)
{
	HzDistinctIndex index = {.region = region};
	bool done = true;

	*count = 0;
	for (uint32_t p = share; p < HZ_DISTINCT_PARTS && done; p += shares)
	{
		HzDistinctPart *part = &parts->parts[p];

		settle(parts, p);
		done = go_on(arg) && (part->count == 0 || reduce_part(part, parts->width, &index));
		*count += part->count;
	}
	free_index(&index);
	return done;
}

/* ---- All of them */

/* The other's full blocks go before the last of ours, which may not be full; what its last one holds is appended. */
static bool
absorb_part(HzDistinctParts *parts, HzDistinctPart *into, const HzDistinctPart *from)
{
	uint64_t full = from->count / BLOCK;
	uint64_t have = blocks_of(into->count);
	uint64_t last = into->count % BLOCK != 0 ? have - 1 : have;
	uint64_t bound = into->bound;
	bool done;

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
	/* doubles are dropped in the end, where somebody polls */
	into->bound = UINT64_MAX;
	done = parts->width == ONE
			   ? append(parts, ONE, from->blocks[full], (uint32_t) (from->count % BLOCK))
			   : append(parts, TWO, from->blocks[full], (uint32_t) (from->count % BLOCK));
	into->bound = bound;
	return done;
}

bool
hz_distinctparts_absorb(HzDistinctParts *into, HzDistinctParts *from)
{
	for (uint32_t p = 0; p < HZ_DISTINCT_PARTS; p++)
	{
		settle(into, p);
		settle(from, p);
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

	while (p < HZ_DISTINCT_PARTS && i >= count_of(parts, (uint32_t) p))
	{
		p++;
		i = 0;
	}
	*position = p << 48 | (i + 1);
	return p < HZ_DISTINCT_PARTS ? entry_of(&parts->parts[p], parts->width, i) : NULL;
}
