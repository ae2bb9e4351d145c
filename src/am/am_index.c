/*
 * am/am_index.c
 *	  Fetching rows by TID: index scans, row versions, liveness, deletable index entries.
 *
 * Delta TIDs go to heap's own routines, columnar TIDs to read/rowfetch.c.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "replication/logicalworker.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "am/columnar_am.h"
#include "am/follow.h"
#include "am/scandesc.h"
#include "read/rowfetch.h"
#include "storage/rowid.h"
#include "storage/ssi.h"
#include "write/bulk.h"

typedef struct HzIndexFetch
{
	IndexFetchHeapData delta; /* must be first: heap's routines use it */
	HzRowFetch *columns;      /* NULL until a columnar TID comes */
	MemoryContext context;
	bool ssi_done;
} HzIndexFetch;

static IndexFetchTableData *
index_fetch_begin(Relation rel)
{
	HzIndexFetch *fetch = palloc0(sizeof(HzIndexFetch));

	hz_bulk_flush(rel);
	fetch->delta.xs_base.rel = rel;
	fetch->delta.xs_cbuf = InvalidBuffer;
	fetch->context = CurrentMemoryContext;
	return &fetch->delta.xs_base;
}

static void
index_fetch_reset(IndexFetchTableData *base)
{
	HzIndexFetch *fetch = (HzIndexFetch *) base;

	GetHeapamTableAmRoutine()->index_fetch_reset(base);
	if (fetch->columns != NULL)
		hz_rowfetch_reset(fetch->columns);
}

static void
index_fetch_end(IndexFetchTableData *base)
{
	HzIndexFetch *fetch = (HzIndexFetch *) base;

	GetHeapamTableAmRoutine()->index_fetch_reset(base);
	if (fetch->columns != NULL)
		hz_rowfetch_end(fetch->columns);
	pfree(fetch);
}

static bool
fetch_columnar(HzIndexFetch *fetch, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	if (fetch->columns == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fetch->context);

		fetch->columns = hz_rowfetch_begin(fetch->delta.xs_base.rel);
		MemoryContextSwitchTo(old);
	}
	return hz_rowfetch(fetch->columns, tid, snapshot, slot);
}

/*
 * Logical apply looks for rows with SnapshotDirty, which sees a move happen: the index entry of a row's new place
 * may have come after the scan read the leaf page, and its old place be empty when the scan gets there. Then
 * nobody would find the row, and the change be lost.
 */
static bool
fetch_moved(HzIndexFetch *fetch, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	ItemPointerData at = *tid;
	ItemPointerData where;
	MemoryContext context;
	bool found = false;

	if (snapshot->snapshot_type != SNAPSHOT_DIRTY || !IsLogicalWorker() || !ActiveSnapshotSet())
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "hanzo moved", ALLOCSET_SMALL_SIZES);
	while (!found)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		bool moved =
			hz_follow_move_since(fetch->delta.xs_base.rel, &at, GetActiveSnapshot(), &where);

		MemoryContextSwitchTo(old);
		if (!moved)
			break;
		at = where;
		found = fetch_columnar(fetch, &at, snapshot, slot);
	}
	MemoryContextDelete(context);
	return found;
}

static bool
index_fetch_tuple(IndexFetchTableData *base, ItemPointer tid, Snapshot snapshot,
				  TupleTableSlot *slot, bool *call_again, bool *all_dead)
{
	HzIndexFetch *fetch = (HzIndexFetch *) base;
	bool found;

	if (!fetch->ssi_done)
		hz_ssi_read(base->rel, snapshot);
	fetch->ssi_done = true;
	if (!hz_rowid_is_columnar(tid))
	{
		ItemPointerData root = *tid;

		found = GetHeapamTableAmRoutine()->index_fetch_tuple(base, tid, snapshot, slot, call_again,
															 all_dead);
		return found || fetch_moved(fetch, &root, snapshot, slot);
	}
	*call_again = false;
	/* only VACUUM may decide that an entry of the column store is dead (PROTOCOLS 3.5) */
	if (all_dead != NULL)
		*all_dead = false;
	found = fetch_columnar(fetch, tid, snapshot, slot);
	return found || fetch_moved(fetch, tid, snapshot, slot);
}

static bool
tuple_fetch_row_version(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	hz_bulk_flush(rel);
	hz_ssi_read(rel, snapshot);
	if (!hz_rowid_is_columnar(tid))
		return GetHeapamTableAmRoutine()->tuple_fetch_row_version(rel, tid, snapshot, slot);
	return hz_follow_fetch(rel, tid, snapshot, slot);
}

static bool
tuple_tid_valid(TableScanDesc sscan, ItemPointer tid)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;

	if (!hz_rowid_is_columnar(tid))
		return GetHeapamTableAmRoutine()->tuple_tid_valid(scan->delta, tid);
	return ItemPointerIsValid(tid) && ItemPointerGetOffsetNumber(tid) <= HZ_ROWID_ROWS_PER_BLOCK;
}

static void
tuple_get_latest_tid(TableScanDesc sscan, ItemPointer tid)
{
	hz_follow_latest(sscan->rs_rd, sscan->rs_snapshot, tid);
}

static bool
tuple_satisfies_snapshot(Relation rel, TupleTableSlot *slot, Snapshot snapshot)
{
	if (!hz_rowid_is_columnar(&slot->tts_tid))
		return GetHeapamTableAmRoutine()->tuple_satisfies_snapshot(rel, slot, snapshot);
	return hz_follow_fetch(rel, &slot->tts_tid, snapshot, NULL);
}

/*
 * Heap's routine, but for columnar TIDs: those are left alone, always (PROTOCOLS 3.5). They are sorted
 * behind the delta's so that heap sees a shorter array.
 */
static TransactionId
index_delete_tuples(Relation rel, TM_IndexDeleteOp *delstate)
{
	TM_IndexDelete *all = delstate->deltids;
	int total = delstate->ndeltids;
	int kept = 0;
	TransactionId horizon = InvalidTransactionId;

	for (int i = 0; i < total; i++)
	{
		if (!hz_rowid_is_columnar(&all[i].tid))
		{
			TM_IndexDelete swap = all[kept];

			all[kept++] = all[i];
			all[i] = swap;
		}
	}
	for (int i = kept; i < total; i++)
		delstate->status[all[i].id].knowndeletable = false;
	delstate->ndeltids = kept;
	if (kept > 0)
		horizon = GetHeapamTableAmRoutine()->index_delete_tuples(rel, delstate);
	if (!delstate->bottomup)
		delstate->ndeltids = kept;
	return horizon;
}

void
hz_am_index_callbacks(TableAmRoutine *routine)
{
	routine->index_fetch_begin = index_fetch_begin;
	routine->index_fetch_reset = index_fetch_reset;
	routine->index_fetch_end = index_fetch_end;
	routine->index_fetch_tuple = index_fetch_tuple;
	routine->tuple_fetch_row_version = tuple_fetch_row_version;
	routine->tuple_tid_valid = tuple_tid_valid;
	routine->tuple_get_latest_tid = tuple_get_latest_tid;
	routine->tuple_satisfies_snapshot = tuple_satisfies_snapshot;
	routine->index_delete_tuples = index_delete_tuples;
}
