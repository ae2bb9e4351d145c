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

typedef enum HzCompactPhase
{
	HZ_COMPACT_DELTA = 1, /* rows out of the delta */
	HZ_COMPACT_GROUPS,    /* rewriting small and much deleted groups */
	HZ_COMPACT_SORT,      /* resort: reading rows into the sort */
	HZ_COMPACT_TIDY,      /* folding marks, dropping forwards */
	HZ_COMPACT_WRITE      /* resort: writing sorted groups */
} HzCompactPhase;

/* Where the compaction of one table stands, over all of its transactions. Start with zeroes, context and report. */
typedef struct HzCompactProgress
{
	MemoryContext context; /* outlives the rounds: what follows is kept warm from one to the next */
	HzGathered gathered;
	BlockNumber next_block; /* of the delta: where the next round goes on */
	uint32 next_group;      /* first group number that the next merge round looks at */
	bool refused;           /* the table cannot be compacted; it was said why */
	/* rows done of those to do in this phase; the total is an estimate, never less than what is done */
	HzCompactPhase phase;
	uint64 done;
	uint64 total;
	void (*report)(const struct HzCompactProgress *progress);
} HzCompactProgress;

/*
 * The steps below run in a transaction of the caller's, who holds ShareUpdateExclusiveLock and runs as the
 * table's owner.
 */

/* Moves rows of the delta into one new row group; false when there is nothing more to do. */
extern bool hz_compact_delta(Relation rel, HzCompactProgress *progress);

/* Rewrites neighbouring small groups, or one with many deleted rows; false when there is nothing to do. */
extern bool hz_compact_groups(Relation rel, HzCompactProgress *progress);

/* Deletes what groups that are gone have left; folds old marks and drops old forwards. False: all is done. */
extern bool hz_compact_tidy(Relation rel, HzCompactProgress *progress);

/* Rewrites all row groups of the table sorted by its sort key as a whole. */
extern void hz_compact_resort(Relation rel, HzCompactProgress *progress);

/* Begins a phase, or adds rows to what is done in it; and reports. */
extern void hz_compact_begin_phase(HzCompactProgress *progress, HzCompactPhase phase, uint64 total);
extern void hz_compact_advance(HzCompactProgress *progress, uint64 rows);

#endif /* HZ_COMPACT_H */
