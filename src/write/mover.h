/*
 * write/mover.h
 *	  Moving committed rows into new row groups (PROTOCOLS 3).
 *
 * One mover is one transaction's work on one table, under ShareUpdateExclusiveLock taken before its snapshot. The order
 * keeps the moment short in which a writer must wait for us:
 *
 *	1. read rows that the snapshot sees, sort, encode, write the group's pages        (nobody notices)
 *	2. store the forwards, add index entries for the new TIDs, unchecked              (they find no group yet)
 *	3. take the old versions away: delta rows page by page without waiting (silent.h), directory tuples under their
 *	   group's lock; what somebody holds or has changed stays where it is, and its
 *	   copy is deleted at birth                                                       (writers wait from here)
 *	4. insert the directory tuples; commit
 *
 * WAL of steps 1 and 2, and the images of pages that step 3 begins with, is flushed a megabyte at a time (hz_store_pace), since a commit of somebody else
 * flushes all before it.
 *
 * An aborted mover leaves dead tuples and index entries that point to numbers without a group, which
 * VACUUM removes. Expressions of indexes and sort keys run as the table's owner (the caller sees to that).
 */
#ifndef HZ_MOVER_H
#define HZ_MOVER_H

#include "executor/executor.h"
#include "storage/directory.h"
#include "storage/options.h"
#include "write/rowbuffer.h"

typedef struct HzMover
{
	Relation rel;
	HzStore *store;
	HzOptions *options;
	Snapshot snapshot; /* registered by hz_mover_begin() */
	CommandId cid;
	List *indexes; /* of Relation, ready ones */
	List *index_infos;
	EState *estate;
	TupleTableSlot *slot;
	MemoryContext context;
} HzMover;

/* A group written but not yet visible, and where its rows came from. */
typedef struct HzMoved
{
	HzGroup *group;
	ItemPointerData *old; /* old TID of each position; NULL when only the forwards know */
	uint64 *deleted;      /* positions deleted at birth */
	uint32 deleted_count;
} HzMoved;

/* False (with a NOTICE) when the table cannot be compacted: exclusion constraint, no TOAST relation. */
extern bool hz_mover_begin(HzMover *mover, Relation rel);
extern void hz_mover_end(HzMover *mover);

/* Rows of a group that the mover's snapshot does not see as deleted. */
extern uint32 hz_mover_live_rows(HzMover *mover, HzGroup *group);

/* Steps 1 and 2 for the buffered rows, whose old TIDs are `old` (rows entries, in the buffer's order). */
extern HzMoved *hz_mover_write(HzMover *mover, HzRowBuffer *buffer, const ItemPointerData *old,
							   const HzOptions *options);

/* Step 3 for a group made of delta rows. Returns the rows moved. */
extern uint32 hz_mover_take_delta(HzMover *mover, HzMoved *moved);

/*
 * Step 3 for one old group, whose rows went into `moved` (count of them). False: somebody is at work on
 * it; its rows' copies are deleted at birth.
 */
extern bool hz_mover_take_group(HzMover *mover, HzGroup *group, HzMoved **moved, uint32 count);

/* Step 4. */
extern void hz_mover_publish(HzMover *mover, HzMoved *moved);

#endif /* HZ_MOVER_H */
