/*
 * agg/distinctset.h
 *	  The set of (group, value) pairs behind count(DISTINCT …): one flat table for all groups of one aggregate.
 *
 * A pair's place depends on hashes of the group's keys and of the value, not on addresses, so that sets of several
 * threads can be merged part by part.
 */
#ifndef HZ_DISTINCTSET_H
#define HZ_DISTINCTSET_H

#include "agg/distinctparts.h"
#include "agg/grouptable.h"

/* Which codes of a dictionary the only group has had. */
typedef struct HzSeenCodes
{
	const void *values; /* of the dictionary; NULL: of none */
	uint32_t dict_count;
	uint32_t room;
	uint8_t *seen; /* by code */
} HzSeenCodes;

typedef struct HzDistinctSet
{
	HzKeyKind kind;
	uint32_t entry_bytes;
	HzRegion *region;
	uint8_t *entries;
	uint64_t capacity; /* a power of two; 0: nothing yet */
	uint64_t count;
	HzGroupRow
		*single; /* the only group that there can be, where values have one or two words; or NULL */
	HzSeenCodes codes;
	HzDistinctParts *parts; /* its values, when they are many: then there are no entries */
} HzDistinctSet;

extern void hz_distinctset_init(HzDistinctSet *set, HzKeyKind kind, HzRegion *region);
extern void hz_distinctset_free(HzDistinctSet *set);

/*
 * Of rows at[0 .. count) (NULL: all) of a DICT vector, which all belong to the only group, those whose codes are new since
 * hz_distinctset_forget_codes(); `kept` has room for all. False: out of memory.
 */
extern bool hz_distinctset_new_codes(HzDistinctSet *set, const HzVector *vector, const uint16_t *at,
									 uint32_t count, uint16_t *kept, uint32_t *kept_count);

/* Dictionaries are others now. */
static inline void
hz_distinctset_forget_codes(HzDistinctSet *set)
{
	set->codes.values = NULL;
}

/*
 * Adds `count` values, none null, the i-th to group groups[rows[i]] (rows NULL: groups[i]; groups NULL: to `single`);
 * adds 1 to the int64 at `offset` of the group's row for each that is new. hashes: those of the values, seeded with 0.
 * False: out of memory. With `single` in the set, counts may be wrong until hz_distinctset_finish().
 */
extern bool hz_distinctset_add(HzDistinctSet *set, const HzKeyColumn *values,
							   const uint64_t *hashes, const uint16_t *rows, uint32_t count,
							   HzGroupRow *const *groups, HzGroupRow *single, uint32_t offset);

/*
 * Brings together the pairs of several aggregators' sets, whose groups have been merged (hz_grouptable_merge_share()): what later sets have and earlier ones
 * have not, by the values in the share, is added to the counts at `offset` of groups' rows. Groups that were taken over as they are have lost their counts before, and
 * sets are good for nothing but hz_distinctset_free() afterwards. None of them has parts. False: told to stop.
 */
extern bool hz_distinctset_merge_share(HzDistinctSet *const *sets, int count,
									   const HzMergeShare *share, uint32_t offset);

/*
 * Before that: brings all values of the only group into the first set's parts if any set has parts. *parts: whether they are there now, then there is
 * nothing to merge, but hz_distinctparts_count_share() to do. False: out of memory.
 */
extern bool hz_distinctset_gather_parts(HzDistinctSet *const *sets, int count, uint32_t offset,
										bool *parts);

/* Bytes that the set takes at once when it makes room for so many values more; 0: it has room. */
extern size_t hz_distinctset_growth(const HzDistinctSet *set, uint64_t more);

/* Makes the count of the only group, at `offset`, what it is. False: out of memory. */
extern bool hz_distinctset_finish(HzDistinctSet *set, uint32_t offset, void (*poll)(void));

/*
 * The next pair at or behind *position, which moves on; its hash, which with the group's says where it belongs; false: no
 * more. The slot's string stays the set's. Of an only group a pair may come twice before hz_distinctset_finish().
 */
extern bool hz_distinctset_next(const HzDistinctSet *set, uint64_t *position, HzGroupRow **group,
								HzKeySlot *value, uint64_t *hash);

#endif /* HZ_DISTINCTSET_H */
