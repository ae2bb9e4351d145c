/*
 * read/batchscan.h
 *	  The batch reader: the column store's rows in vectors of up to 2,048, for every consumer.
 *
 * A scan visits the row groups that its snapshot sees, by number, each vector by vector. Columns of the
 * current batch are decoded when they are asked for and stay valid until the next batch. The directory is read at
 * the first batch, so that a scan with a non-MVCC snapshot may read the delta before (PROTOCOLS 1.6).
 *
 * In a parallel scan, processes share HzBatchShared and take runs of vectors in turn.
 *
 * A scan for a consumer that wants the first rows of an order only (HzTopColumn) leaves out groups and vectors that the bound
 * beats by the time they are reached. Unless it is parallel, it visits the most promising groups first.
 *
 * A scan with conditions (HzPrune) leaves out groups and vectors of which no row satisfies them. Of a group that its zone
 * maps rule out nothing is read but the description.
 */
#ifndef HZ_BATCHSCAN_H
#define HZ_BATCHSCAN_H

#include "port/atomics.h"
#include "read/prune.h"
#include "read/topbound.h"
#include "storage/groupread.h"

typedef struct HzBatchShared
{
	pg_atomic_uint64 next_run;
} HzBatchShared;

typedef struct HzBatch
{
	HzGroup *group;
	uint32 index;  /* of the group, as in hz_batchscan_groups() */
	uint32 vector; /* number of the vector in the group */
	uint32 first;  /* position of its first row in the group */
	uint32 rows;
	uint32 live;           /* rows that are not deleted */
	const uint64 *deleted; /* bit i: row first + i is deleted; NULL: none is */
	bool all_pass;         /* every row certainly satisfies all conditions of the HzPrune */
	uint64 passing;        /* bit i: every row certainly satisfies the condition i of it */
} HzBatch;

typedef struct HzBatchScan HzBatchScan;

/* `shared` is NULL for a scan of this process alone. The snapshot must outlive the scan. */
extern HzBatchScan *hz_batchscan_begin(Relation rel, Snapshot snapshot, HzBatchShared *shared);

/*
 * Reads rows through another descriptor of the same relation: ALTER TABLE scans a table whose catalog
 * entry has changed already. Before the first batch; borrowed.
 */
extern void hz_batchscan_use_desc(HzBatchScan *scan, TupleDesc desc);
extern void hz_batchscan_rescan(HzBatchScan *scan);
extern void hz_batchscan_end(HzBatchScan *scan);

/*
 * From now on the scan leaves out what the conditions rule out; borrowed. Call it whenever their constants have
 * changed, too. Only MVCC snapshots: for others it does nothing.
 */
extern void hz_batchscan_set_prune(HzBatchScan *scan, HzPrune *prune);

/*
 * Likewise it leaves out what the bound beats, from now on; NULL: nothing. Borrowed; a scan's column and direction stay the
 * same. Call it before hz_batchscan_set_prune(), since it may change the order of groups.
 */
extern void hz_batchscan_set_top(HzBatchScan *scan, HzTopColumn *top);

/*
 * What the conditions say of group `index` (as in hz_batchscan_groups) and of one of its vectors, *passing as in HzBatch; SOME without
 * conditions. Both count nothing and end the current batch, if it is of another group.
 */
extern HzPruneResult hz_batchscan_prune_group(HzBatchScan *scan, uint32 index);
extern HzPruneResult hz_batchscan_prune_vector(HzBatchScan *scan, uint32 index, uint32 vector,
											   uint64 *passing);

/* The same of a vector that is not ruled out, with its codes, where conditions ask for one of several values: NONE or SOME. */
extern HzPruneResult hz_batchscan_prune_codes(HzBatchScan *scan, uint32 index, uint32 vector);

/* The same of a group with its dictionaries, which are read for it. Moves the position. */
extern HzPruneResult hz_batchscan_prune_dictionaries(HzBatchScan *scan, uint32 index);

/* The next batch with live rows, or NULL at the end. */
extern HzBatch *hz_batchscan_next(HzBatchScan *scan);

/* The batch before the current one (backward cursors; not in a parallel scan), or NULL at the start. */
extern HzBatch *hz_batchscan_previous(HzBatchScan *scan);

/* Puts the scan behind the last batch, so that hz_batchscan_previous() finds it. */
extern void hz_batchscan_to_end(HzBatchScan *scan);

/*
 * Goes to one vector of group `index` (as in hz_batchscan_groups) and returns it as it is: also when all
 * of its rows are deleted, or ruled out.
 */
extern HzBatch *hz_batchscan_seek(HzBatchScan *scan, uint32 index, uint32 vector);

/*
 * Opens group `index` without a batch: for those who copy its chunks. *deleted: rows that the snapshot sees as deleted
 * (NULL: none). Both are valid until another group is opened.
 */
extern HzGroupReader *hz_batchscan_open_group(HzBatchScan *scan, uint32 index,
											  const uint64 **deleted);

/* Group `index` with its meta filled, and what of it the snapshot sees as deleted: likewise, but opens nothing. */
extern HzGroup *hz_batchscan_describe(HzBatchScan *scan, uint32 index);
extern const uint64 *hz_batchscan_deleted(HzBatchScan *scan, uint32 index);

/* Column `attno` (0-based) of the current batch; false when the group does not have it (added later). */
extern bool hz_batchscan_column(HzBatchScan *scan, int attno, HzVector *vector);

/* The lengths of its strings alone: hz_chunk_lengths(). False: they are not known, or the group does not have the column. */
extern bool hz_batchscan_lengths(HzBatchScan *scan, int attno, HzVector *vector);

/* Its rows that have these bytes: hz_chunk_match(). False likewise. */
extern bool hz_batchscan_match(HzBatchScan *scan, int attno, const HzString *value, uint8 *mask);

/*
 * The same as Datums, of rows at[0 .. count) only (at NULL: all), each at its row's place: `values` and `isnull` have room for HZ_VECTOR_ROWS; by-reference values live until
 * the next batch. Missing and dropped columns get their default or null. False, with SnapshotAny only: the group
 * has become dead to all and is gone.
 */
extern bool hz_batchscan_datums(HzBatchScan *scan, int attno, const uint16 *at, uint32 count,
								Datum *values, bool *isnull);

/*
 * SnapshotDirty, whose batches do not say what is deleted: whether row i of the current batch is visible. Sets the
 * snapshot's xmin and xmax as for a heap tuple.
 */
extern bool hz_batchscan_dirty_visible(HzBatchScan *scan, uint32 i);

/* The groups of the scan (reads the directory if that is still to do). */
extern HzGroup **hz_batchscan_groups(HzBatchScan *scan, uint32 *count);

#endif /* HZ_BATCHSCAN_H */
