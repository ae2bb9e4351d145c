/*
 * write/compact.h
 *	  Compaction, one bounded transaction's worth at a time.
 */
#ifndef HZ_COMPACT_H
#define HZ_COMPACT_H

#include "utils/rel.h"

#include "write/rowbuffer.h"

/* Rows in flight and the TIDs they came from. */
typedef struct HzGathered
{
	HzRowBuffer *buffer;
	ItemPointerData *old;
	uint32 room; /* rows of a full group */
} HzGathered;

typedef struct HzCompactProgress
{
	MemoryContext context; /* outlives the rounds: what follows is kept warm from one to the next */
	HzGathered gathered;
	BlockNumber next_block; /* of the delta: where the next round goes on */
	uint32 next_group;      /* first group number that the next merge round looks at */
	uint64 moved;           /* rows moved out of the delta */
	uint64 merged;          /* rows rewritten from small or much deleted groups */
	uint64 folded;          /* marks folded into delete vectors */
} HzCompactProgress;

/*
 * Moves rows of the delta into one new row group. The caller holds ShareUpdateExclusiveLock and runs as the
 * table's owner. Returns false when there is nothing more to do.
 */
extern bool hz_compact_delta(Relation rel, HzCompactProgress *progress);

/* Rewrites neighbouring small groups, or one with many deleted rows; false when there is nothing to do. */
extern bool hz_compact_groups(Relation rel, HzCompactProgress *progress);

/* Folds old marks and drops old forwards of all groups. */
extern void hz_compact_tidy(Relation rel, HzCompactProgress *progress);

/*
 * Rewrites all row groups of the table sorted by its sort key as a whole, in one transaction. `report` (may be
 * NULL) is called with rows done now and then. Returns the rows rewritten.
 */
extern uint64 hz_compact_resort(Relation rel, void (*report)(uint64 done));

/* Rows that compaction has to do: an estimate for progress reports. */
extern uint64 hz_compact_rows_to_do(Relation rel);

#endif /* HZ_COMPACT_H */
