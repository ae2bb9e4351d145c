/*
 * agg/distinctset.h
 *	  The set of (group, value) pairs behind count(DISTINCT …): one flat table for all groups of one aggregate.
 *
 * A pair's place depends on hashes of the group's keys and of the value, not on addresses, so that sets of several
 * threads can be merged part by part.
 */
#ifndef HZ_DISTINCTSET_H
#define HZ_DISTINCTSET_H

#include "agg/grouptable.h"

typedef struct HzDistinctSet
{
	HzKeyKind kind;
	uint32_t entry_bytes;
	HzRegion *region;
	uint8_t *entries;
	uint64_t capacity; /* a power of two; 0: nothing yet */
	uint64_t count;
} HzDistinctSet;

extern void hz_distinctset_init(HzDistinctSet *set, HzKeyKind kind, HzRegion *region);
extern void hz_distinctset_free(HzDistinctSet *set);

/*
 * Adds `count` values, none null, the i-th to group groups[rows[i]] (rows NULL: groups[i]; groups NULL: to `single`);
 * adds 1 to the int64 at `offset` of the group's row for each that is new. hashes: those of the values, seeded with 0.
 * False: out of memory.
 */
extern bool hz_distinctset_add(HzDistinctSet *set, const HzKeyColumn *values,
							   const uint64_t *hashes, const uint16_t *rows, uint32_t count,
							   HzGroupRow *const *groups, HzGroupRow *single, uint32_t offset);

/*
 * Adds all pairs of another set, whose groups have been merged (HzGroupRow.merged), and counts the new ones likewise. A
 * group that was adopted as it is has lost its count before: see hz_aggregator_merge(). Strings stay where they are.
 */
extern bool hz_distinctset_merge(HzDistinctSet *into, const HzDistinctSet *from, uint32_t offset,
								 void (*poll)(void));

/*
 * The next pair at or behind *position, which moves on; its hash, which with the group's says where it belongs; false: no
 * more. The slot's string stays the set's.
 */
extern bool hz_distinctset_next(const HzDistinctSet *set, uint64_t *position, HzGroupRow **group,
								HzKeySlot *value, uint64_t *hash);

#endif /* HZ_DISTINCTSET_H */
