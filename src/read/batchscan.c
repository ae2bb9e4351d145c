/*
 * read/batchscan.c
 *	  Walks row groups vector by vector. See batchscan.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/memutils.h"

#include "base/bitmap.h"
#include "read/batchscan.h"
#include "storage/mark.h"

#define RUN_VECTORS 8 /* vectors that a process of a parallel scan takes at once */

struct HzBatchScan
{
	Relation rel;
	Snapshot snapshot;
	HzBatchShared *shared;
	HzStore *store;
	TupleDesc desc;
	HzColumnType *types;
	BufferAccessStrategy strategy;
	MemoryContext context;       /* of the scan */
	MemoryContext group_context; /* of the open group */
	MemoryContext batch_context; /* of the current batch's Datums */
	bool directory_read;
	HzGroup **groups;
	uint32 group_count;
	uint64 vector_total;
	/* position: vector `vector` of group `group_index`; open is the reader of that group */
	int64 group_index;
	int64 vector;
	int64 run_left; /* parallel: vectors left of the run */
	HzGroupReader *open;
	int64 open_index;
	uint64 *deleted; /* of the open group; NULL: none */
	HzBatch batch;
};

static uint32
vectors_of(const HzGroup *group)
{
	return (group->rows + HZ_VECTOR_ROWS - 1) / HZ_VECTOR_ROWS;
}

HzBatchScan *
hz_batchscan_begin(Relation rel, Snapshot snapshot, HzBatchShared *shared)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo batch scan", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzBatchScan *scan = palloc0(sizeof(HzBatchScan));

	scan->rel = rel;
	scan->snapshot = snapshot;
	scan->shared = shared;
	scan->context = context;
	scan->group_context =
		AllocSetContextCreate(context, "hanzo open group", ALLOCSET_DEFAULT_SIZES);
	scan->batch_context = AllocSetContextCreate(context, "hanzo batch", ALLOCSET_DEFAULT_SIZES);
	scan->store = hz_store_open(rel, AccessShareLock);
	scan->desc = RelationGetDescr(rel);
	scan->types = hz_coltype_for(scan->desc);
	MemoryContextSwitchTo(old);
	hz_batchscan_rescan(scan);
	return scan;
}

void
hz_batchscan_use_desc(HzBatchScan *scan, TupleDesc desc)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	Assert(scan->open == NULL);
	scan->desc = desc;
	scan->types = hz_coltype_for(desc);
	MemoryContextSwitchTo(old);
}

static void
close_group(HzBatchScan *scan)
{
	if (scan->open != NULL)
	{
		hz_groupread_close(scan->open);
		/* the description goes with the context: those of all groups would be too much */
		scan->groups[scan->open_index]->described = false;
	}
	scan->open = NULL;
	scan->open_index = -1;
	scan->deleted = NULL;
	MemoryContextReset(scan->group_context);
}

void
hz_batchscan_rescan(HzBatchScan *scan)
{
	close_group(scan);
	MemoryContextReset(scan->batch_context);
	/* what such a snapshot sees changes with time: logical apply scans again to find where a row went */
	if (scan->snapshot->snapshot_type != SNAPSHOT_MVCC)
		scan->directory_read = false;
	scan->group_index = 0;
	scan->vector = -1;
	scan->run_left = 0;
}

void
hz_batchscan_end(HzBatchScan *scan)
{
	close_group(scan);
	hz_store_close(scan->store);
	if (scan->strategy != NULL)
		FreeAccessStrategy(scan->strategy);
	MemoryContextDelete(scan->context);
}

/* SnapshotAny: directory tuples that are dead to all may have outlived their groups' bytes. */
static void
drop_dead_groups(HzBatchScan *scan)
{
	TransactionId horizon = GetOldestNonRemovableTransactionId(scan->rel);
	uint32 kept = 0;

	for (uint32 i = 0; i < scan->group_count; i++)
	{
		if (hz_directory_state(scan->store, scan->groups[i], horizon) != HEAPTUPLE_DEAD)
			scan->groups[kept++] = scan->groups[i];
	}
	scan->group_count = kept;
}

HzGroup **
hz_batchscan_groups(HzBatchScan *scan, uint32 *count)
{
	if (!scan->directory_read)
	{
		MemoryContext old = MemoryContextSwitchTo(scan->context);

		scan->groups = hz_directory_read(scan->store, scan->snapshot, &scan->group_count);
		if (scan->snapshot->snapshot_type == SNAPSHOT_ANY)
			drop_dead_groups(scan);
		scan->vector_total = 0;
		for (uint32 i = 0; i < scan->group_count; i++)
			scan->vector_total += vectors_of(scan->groups[i]);
		/* as heap scans do: a ring only for what would crowd others out of shared buffers */
		if (scan->group_count > 0 && scan->strategy == NULL &&
			RelationGetNumberOfBlocks(scan->store->toast) > (BlockNumber) NBuffers / 4)
			scan->strategy = GetAccessStrategy(BAS_BULKREAD);
		scan->directory_read = true;
		MemoryContextSwitchTo(old);
	}
	*count = scan->group_count;
	return scan->groups;
}

/* Reads which rows of a group the snapshot sees as deleted. */
static uint64 *
read_deleted(HzBatchScan *scan, HzGroup *group)
{
	uint64 *deleted;

	/* Dirty: a delete in progress is none yet, see hz_batchscan_dirty_visible() */
	if (scan->snapshot->snapshot_type == SNAPSHOT_ANY ||
		scan->snapshot->snapshot_type == SNAPSHOT_NON_VACUUMABLE ||
		scan->snapshot->snapshot_type == SNAPSHOT_DIRTY)
		return NULL;
	deleted = palloc0(HZ_BITMAP_WORDS(group->rows) * sizeof(uint64));
	if (hz_mark_deleted_rows(scan->store, group, scan->snapshot, deleted) > 0)
		return deleted;
	pfree(deleted);
	return NULL;
}

static void
open_group(HzBatchScan *scan, int64 index)
{
	MemoryContext old;

	if (scan->open != NULL && scan->open_index == index)
		return;
	close_group(scan);
	old = MemoryContextSwitchTo(scan->group_context);
	hz_groupread_describe(scan->store, scan->groups[index]);
	scan->deleted = read_deleted(scan, scan->groups[index]);
	scan->open = hz_groupread_open(scan->store, scan->groups[index], scan->types, scan->desc->natts,
								   scan->strategy);
	if (scan->snapshot->snapshot_type == SNAPSHOT_ANY)
		hz_groupread_set_fleeting(scan->open);
	scan->open_index = index;
	MemoryContextSwitchTo(old);
}

/* Makes the position the current batch. */
static HzBatch *
current_batch(HzBatchScan *scan)
{
	HzBatch *batch = &scan->batch;

	CHECK_FOR_INTERRUPTS();
	open_group(scan, scan->group_index);
	MemoryContextReset(scan->batch_context);
	batch->group = scan->groups[scan->group_index];
	batch->vector = (uint32) scan->vector;
	batch->first = batch->vector * HZ_VECTOR_ROWS;
	batch->rows = Min(batch->group->rows - batch->first, HZ_VECTOR_ROWS);
	batch->live = batch->rows;
	batch->deleted = NULL;
	if (scan->deleted != NULL)
	{
		batch->deleted = scan->deleted + batch->first / 64;
		batch->live -= (uint32) hz_bitmap_count(batch->deleted, batch->rows);
	}
	return batch;
}

/* Parallel: moves the position to the first vector of the next run; false at the end. */
static bool
take_run(HzBatchScan *scan)
{
	uint64 first = pg_atomic_fetch_add_u64(&scan->shared->next_run, 1) * RUN_VECTORS;

	if (first >= scan->vector_total)
		return false;
	scan->run_left = RUN_VECTORS;
	scan->group_index = 0;
	while (first >= vectors_of(scan->groups[scan->group_index]))
		first -= vectors_of(scan->groups[scan->group_index++]);
	scan->vector = (int64) first - 1;
	return true;
}

static bool
step_forward(HzBatchScan *scan)
{
	if (scan->shared != NULL && scan->run_left == 0 && !take_run(scan))
		return false;
	scan->run_left--;
	scan->vector++;
	while (scan->group_index < (int64) scan->group_count &&
		   scan->vector >= (int64) vectors_of(scan->groups[scan->group_index]))
	{
		scan->group_index++;
		scan->vector = 0;
	}
	return scan->group_index < (int64) scan->group_count;
}

/* SnapshotAny: a group that has become dead to all since the directory was read must not even be opened. */
static bool
skip_dead_group(HzBatchScan *scan)
{
	if (scan->snapshot->snapshot_type != SNAPSHOT_ANY ||
		(scan->open != NULL && scan->open_index == scan->group_index) ||
		hz_directory_state(scan->store, scan->groups[scan->group_index],
						   GetOldestNonRemovableTransactionId(scan->rel)) != HEAPTUPLE_DEAD)
		return false;
	scan->vector = (int64) vectors_of(scan->groups[scan->group_index]) - 1;
	return true;
}

static bool
step_backward(HzBatchScan *scan)
{
	scan->vector--;
	while (scan->vector < 0)
	{
		if (scan->group_index == 0)
			return false;
		scan->group_index--;
		scan->vector = (int64) vectors_of(scan->groups[scan->group_index]) - 1;
	}
	return true;
}

HzBatch *
hz_batchscan_next(HzBatchScan *scan)
{
	uint32 count;

	(void) hz_batchscan_groups(scan, &count);
	while (count > 0 && step_forward(scan))
	{
		HzBatch *batch;

		if (skip_dead_group(scan))
			continue;
		batch = current_batch(scan);
		if (batch->live > 0)
			return batch;
	}
	return NULL;
}

HzBatch *
hz_batchscan_previous(HzBatchScan *scan)
{
	uint32 count;

	(void) hz_batchscan_groups(scan, &count);
	while (count > 0 && step_backward(scan))
	{
		HzBatch *batch = current_batch(scan);

		if (batch->live > 0)
			return batch;
	}
	return NULL;
}

HzBatch *
hz_batchscan_seek(HzBatchScan *scan, uint32 index, uint32 vector)
{
	scan->group_index = index;
	scan->vector = vector;
	return current_batch(scan);
}

HzGroupReader *
hz_batchscan_open_group(HzBatchScan *scan, uint32 index, const uint64 **deleted)
{
	CHECK_FOR_INTERRUPTS();
	open_group(scan, index);
	*deleted = scan->deleted;
	return scan->open;
}

void
hz_batchscan_to_end(HzBatchScan *scan)
{
	uint32 count;

	(void) hz_batchscan_groups(scan, &count);
	scan->group_index = count;
	scan->vector = 0;
}

bool
hz_batchscan_column(HzBatchScan *scan, int attno, HzVector *vector)
{
	if (!hz_groupread_has(scan->open, attno))
		return false;
	hz_groupread_vector(scan->open, attno, scan->batch.vector, vector);
	return true;
}

bool
hz_batchscan_datums(HzBatchScan *scan, int attno, Datum *values, bool *isnull)
{
	MemoryContext old = MemoryContextSwitchTo(scan->batch_context);
	bool there = hz_groupread_datums(scan->open, scan->desc, attno, scan->batch.vector,
									 scan->batch.rows, values, isnull);

	MemoryContextSwitchTo(old);
	return there;
}

bool
hz_batchscan_dirty_visible(HzBatchScan *scan, uint32 i)
{
	Snapshot snapshot = scan->snapshot;
	HzGroup *group = scan->batch.group;

	snapshot->xmin = snapshot->xmax = InvalidTransactionId;
	snapshot->speculativeToken = 0;
	if ((group->infomask & HEAP_XMIN_COMMITTED) == 0 &&
		!TransactionIdIsCurrentTransactionId(group->raw_xmin) &&
		TransactionIdIsInProgress(group->raw_xmin))
		snapshot->xmin = group->raw_xmin;
	return hz_mark_row_visible(scan->store, group, scan->batch.first + i, snapshot);
}
