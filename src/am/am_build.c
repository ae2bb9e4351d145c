/*
 * am/am_build.c
 *	  Building and validating indexes over both stores.
 *
 * The delta is read with heap's own scan, one tuple at a time by heap_getnextslot(). As in a heap, all
 * versions that anybody may still see are indexed, and a HOT chain is indexed under its root. Then come the row groups:
 * every group that is not dead to all, its deleted rows too, but without a uniqueness check.
 * Validation of a concurrent build is one merge in TID order, columnar rows last (PROTOCOLS 1.1).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_am_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"

#include "am/columnar_am.h"
#include "am/replicate.h"
#include "am/scandesc.h"
#include "base/bitmap.h"
#include "base/compat.h"
#include "storage/heapview.h"
#include "storage/mark.h"
#include "storage/rowid.h"
#include "write/bulk.h"

/* What both passes of a build need. */
typedef struct Build
{
	Relation rel;
	Relation index;
	IndexInfo *info;
	Snapshot snapshot;         /* SnapshotAny or MVCC */
	TransactionId oldest_xmin; /* with SnapshotAny */
	bool any_visible;
	bool check_unique;
	EState *estate;
	ExprContext *econtext;
	ExprState *predicate;
	IndexBuildCallback callback;
	void *callback_state;
	double live;
} Build;

/* The current page of the delta. */
typedef struct DeltaPage
{
	BlockNumber block;
	OffsetNumber roots[MaxHeapTuplesPerPage];
} DeltaPage;

typedef enum Verdict
{
	VERDICT_SKIP,
	VERDICT_INDEX_DEAD, /* no uniqueness check */
	VERDICT_INDEX_LIVE,
	VERDICT_WAIT
} Verdict;

static void
build_begin(Build *build, Relation rel, Relation index, IndexInfo *info)
{
	memset(build, 0, sizeof(*build));
	build->rel = rel;
	build->index = index;
	build->info = info;
	build->check_unique = info->ii_Unique || info->ii_ExclusionOps != NULL;
	build->estate = CreateExecutorState();
	build->econtext = GetPerTupleExprContext(build->estate);
	build->predicate = ExecPrepareQual(info->ii_Predicate, build->estate);
}

static void
build_end(Build *build)
{
	FreeExecutorState(build->estate);
	/* these pointed into the executor state */
	build->info->ii_ExpressionsState = NIL;
	build->info->ii_PredicateState = NULL;
}

/* Computes the index tuple of the slot's row; false when the predicate leaves it out. */
static bool
form_index_values(Build *build, TupleTableSlot *slot, Datum *values, bool *isnull)
{
	MemoryContextReset(build->econtext->ecxt_per_tuple_memory);
	build->econtext->ecxt_scantuple = slot;
	if (build->predicate != NULL && !ExecQual(build->predicate, build->econtext))
		return false;
	FormIndexDatum(build->info, slot, build->estate, values, isnull);
	return true;
}

static void
index_row(Build *build, TupleTableSlot *slot, ItemPointer tid, bool alive)
{
	Datum values[INDEX_MAX_KEYS];
	bool isnull[INDEX_MAX_KEYS];

	if (form_index_values(build, slot, values, isnull))
		build->callback(build->index, tid, values, isnull, alive, build->callback_state);
}

/* Remembers the roots of the HOT chains of the page that the buffer holds. */
static void
read_page_roots(DeltaPage *page, Buffer buffer)
{
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	heap_get_root_tuples(BufferGetPage(buffer), page->roots);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	page->block = BufferGetBlockNumber(buffer);
}

/* The TID under which a delta tuple is indexed. */
static ItemPointerData
root_tid(Build *build, DeltaPage *page, HeapTuple tuple, Buffer buffer)
{
	ItemPointerData tid = tuple->t_self;
	OffsetNumber offset = ItemPointerGetOffsetNumber(&tid);

	if (!HeapTupleIsHeapOnly(tuple))
		return tid;
	if (!OffsetNumberIsValid(page->roots[offset - 1]))
		read_page_roots(page, buffer);
	if (!OffsetNumberIsValid(page->roots[offset - 1]))
		ereport(
			ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("failed to find parent tuple for heap-only tuple at (%u,%u) in table \"%s\"",
					ItemPointerGetBlockNumber(&tid), offset, RelationGetRelationName(build->rel))));
	ItemPointerSetOffsetNumber(&tid, page->roots[offset - 1]);
	return tid;
}

/* A tuple whose inserter is at work: normally ourselves, since the table is locked against writers. */
static Verdict
judge_insert_in_progress(Build *build, HeapTuple tuple, TransactionId *wait_for)
{
	TransactionId xmin = HeapTupleHeaderGetXmin(tuple->t_data);

	if (build->any_visible || TransactionIdIsCurrentTransactionId(xmin))
		build->live += 1;
	else if (build->check_unique)
	{
		*wait_for = xmin;
		return VERDICT_WAIT;
	}
	return VERDICT_INDEX_LIVE;
}

static Verdict
judge_delete_in_progress(Build *build, HeapTuple tuple, TransactionId *wait_for)
{
	TransactionId xmax = HeapTupleHeaderGetUpdateXid(tuple->t_data);
	bool hot = HeapTupleIsHotUpdated(tuple);

	if (build->any_visible)
	{
		build->live += 1;
		return VERDICT_INDEX_DEAD;
	}
	if (!TransactionIdIsCurrentTransactionId(xmax))
	{
		if (build->check_unique || hot)
		{
			*wait_for = xmax;
			return VERDICT_WAIT;
		}
		build->live += 1;
		return VERDICT_INDEX_DEAD;
	}
	if (!hot)
		return hz_replicate_is_copy(tuple->t_data) ? VERDICT_SKIP : VERDICT_INDEX_DEAD;
	/* only the end of the chain is indexed: older snapshots must not use this index */
	build->info->ii_BrokenHotChain = true;
	return VERDICT_SKIP;
}

/* Whether and how to index a delta tuple found with SnapshotAny. The buffer is share-locked. */
static Verdict
judge_delta_tuple(Build *build, HeapTuple tuple, Buffer buffer, TransactionId *wait_for)
{
	switch (HeapTupleSatisfiesVacuum(tuple, build->oldest_xmin, buffer))
	{
		case HEAPTUPLE_DEAD:
			return VERDICT_SKIP;
		case HEAPTUPLE_LIVE:
			build->live += 1;
			return VERDICT_INDEX_LIVE;
		case HEAPTUPLE_RECENTLY_DEAD:
			if (!HeapTupleIsHotUpdated(tuple))
				return hz_replicate_is_copy(tuple->t_data) ? VERDICT_SKIP : VERDICT_INDEX_DEAD;
			build->info->ii_BrokenHotChain = true;
			return VERDICT_SKIP;
		case HEAPTUPLE_INSERT_IN_PROGRESS:
			return judge_insert_in_progress(build, tuple, wait_for);
		case HEAPTUPLE_DELETE_IN_PROGRESS:
			return judge_delete_in_progress(build, tuple, wait_for);
	}
	return VERDICT_SKIP;
}

static void
build_delta_tuple(Build *build, TupleTableSlot *slot, DeltaPage *page)
{
	BufferHeapTupleTableSlot *bslot = (BufferHeapTupleTableSlot *) slot;
	HeapTuple tuple = bslot->base.tuple;
	Verdict verdict = VERDICT_INDEX_LIVE;
	ItemPointerData tid;

	if (BufferGetBlockNumber(bslot->buffer) != page->block)
		read_page_roots(page, bslot->buffer);
	while (build->snapshot == SnapshotAny)
	{
		TransactionId wait_for = InvalidTransactionId;

		LockBuffer(bslot->buffer, BUFFER_LOCK_SHARE);
		verdict = judge_delta_tuple(build, tuple, bslot->buffer, &wait_for);
		LockBuffer(bslot->buffer, BUFFER_LOCK_UNLOCK);
		if (verdict != VERDICT_WAIT)
			break;
		XactLockTableWait(wait_for, build->rel, &tuple->t_self, XLTW_InsertIndexUnique);
		CHECK_FOR_INTERRUPTS();
	}
	if (build->snapshot != SnapshotAny)
		build->live += 1;
	if (verdict == VERDICT_SKIP)
		return;
	tid = root_tid(build, page, tuple, bslot->buffer);
	index_row(build, slot, &tid, verdict == VERDICT_INDEX_LIVE);
}

static void
build_delta(Build *build, TableScanDesc delta)
{
	TupleTableSlot *slot =
		MakeSingleTupleTableSlot(RelationGetDescr(build->rel), &TTSOpsBufferHeapTuple);
	DeltaPage page;

	page.block = InvalidBlockNumber;
	while (heap_getnextslot(delta, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		build_delta_tuple(build, slot, &page);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* Attribute numbers (0-based members) that the index needs from a row. */
static Bitmapset *
index_attributes(IndexInfo *info, TupleDesc desc)
{
	Bitmapset *used = NULL;
	Bitmapset *result = NULL;
	int member = -1;

	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
	{
		if (info->ii_IndexAttrNumbers[i] > 0)
			result = bms_add_member(result, info->ii_IndexAttrNumbers[i] - 1);
	}
	pull_varattnos((Node *) info->ii_Expressions, 1, &used);
	pull_varattnos((Node *) info->ii_Predicate, 1, &used);
	while ((member = bms_next_member(used, member)) >= 0)
	{
		int attno = member + FirstLowInvalidHeapAttributeNumber;

		if (attno > 0)
			result = bms_add_member(result, attno - 1);
		else if (attno == 0)
			result = bms_add_range(result, 0, desc->natts - 1);
	}
	return result;
}

/* Columns of batches for an index: only those it needs are decoded. */
typedef struct BatchColumns
{
	Bitmapset *needed;
	Datum **values;
	bool **isnull;
	TupleTableSlot *slot;
} BatchColumns;

static void
columns_begin(BatchColumns *columns, Relation rel, IndexInfo *info)
{
	TupleDesc desc = RelationGetDescr(rel);
	int member = -1;

	columns->needed = index_attributes(info, desc);
	columns->values = palloc0(sizeof(Datum *) * Max(desc->natts, 1));
	columns->isnull = palloc0(sizeof(bool *) * Max(desc->natts, 1));
	while ((member = bms_next_member(columns->needed, member)) >= 0)
	{
		columns->values[member] = palloc(sizeof(Datum) * HZ_VECTOR_ROWS);
		columns->isnull[member] = palloc(sizeof(bool) * HZ_VECTOR_ROWS);
	}
	columns->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
}

/* False: the group has become dead to all, so that nobody needs its rows in the index. */
static bool
columns_load(BatchColumns *columns, HzBatchScan *scan)
{
	int member = -1;

	while ((member = bms_next_member(columns->needed, member)) >= 0)
	{
		if (!hz_batchscan_datums(scan, member, NULL, 0, columns->values[member],
								 columns->isnull[member]))
			return false;
	}
	return true;
}

static TupleTableSlot *
columns_row(BatchColumns *columns, uint32 row)
{
	TupleTableSlot *slot = columns->slot;
	int member = -1;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	while ((member = bms_next_member(columns->needed, member)) >= 0)
	{
		slot->tts_values[member] = columns->values[member][row];
		slot->tts_isnull[member] = columns->isnull[member][row];
	}
	return ExecStoreVirtualTuple(slot);
}

/* What a non-concurrent build makes of a whole group. */
static Verdict
judge_group(Build *build, HzStore *store, HzGroup *group)
{
	switch (hz_directory_state(store, group, build->oldest_xmin))
	{
		case HEAPTUPLE_DEAD:
			return VERDICT_SKIP;
		case HEAPTUPLE_RECENTLY_DEAD:
		case HEAPTUPLE_DELETE_IN_PROGRESS:
			return VERDICT_INDEX_DEAD;
		case HEAPTUPLE_LIVE:
		case HEAPTUPLE_INSERT_IN_PROGRESS:
			break;
	}
	return VERDICT_INDEX_LIVE;
}

static void
build_columns(Build *build, HzBatchShared *shared)
{
	HzBatchScan *scan;
	HzStore *store;
	BatchColumns columns;
	HzBatch *batch;
	HzGroup *group = NULL;
	Verdict verdict = VERDICT_INDEX_LIVE;
	uint64 *deleted = NULL; /* rows of the group; some may be seen by old snapshots */
	uint64 *dead = NULL;    /* by none */

	/*
	 * Participants that look at different moments find different groups dead to all, and would not mean the
	 * same vector by the same number: without an MVCC snapshot the first who comes does it alone.
	 */
	if (shared != NULL && build->snapshot == SnapshotAny)
	{
		if (pg_atomic_fetch_add_u64(&shared->next_run, 1) > 0)
			return;
		shared = NULL;
	}
	scan = hz_batchscan_begin(build->rel, build->snapshot, shared);
	store = hz_store_open(build->rel, AccessShareLock);
	columns_begin(&columns, build->rel, build->info);
	while ((batch = hz_batchscan_next(scan)) != NULL)
	{
		if (batch->group != group && build->snapshot == SnapshotAny)
		{
			verdict = judge_group(build, store, batch->group);
			if (deleted != NULL)
			{
				pfree(deleted);
				pfree(dead);
			}
			deleted = palloc0(HZ_BITMAP_WORDS(batch->group->rows) * sizeof(uint64));
			dead = palloc0(HZ_BITMAP_WORDS(batch->group->rows) * sizeof(uint64));
			if (verdict == VERDICT_INDEX_LIVE)
				(void) hz_mark_deleted_rows(store, batch->group, SnapshotSelf, deleted);
			if (verdict != VERDICT_SKIP)
				hz_mark_dead_rows(store, batch->group, build->oldest_xmin, dead);
		}
		group = batch->group;
		if (verdict == VERDICT_SKIP || !columns_load(&columns, scan))
			continue;
		for (uint32 i = 0; i < batch->rows; i++)
		{
			bool alive = verdict == VERDICT_INDEX_LIVE;
			ItemPointerData tid;

			if (batch->deleted != NULL && hz_bitmap_get(batch->deleted, i))
				continue;
			if (dead != NULL && hz_bitmap_get(dead, batch->first + i))
				continue;
			if (deleted != NULL && hz_bitmap_get(deleted, batch->first + i))
				alive = false;
			if (alive)
				build->live += 1;
			hz_rowid_to_tid(hz_group_first_row(group) + batch->first + i, &tid);
			index_row(build, columns_row(&columns, i), &tid, alive);
		}
	}
	ExecDropSingleTupleTableSlot(columns.slot);
	hz_store_close(store);
	hz_batchscan_end(scan);
}

static void
refuse_brin(Relation rel, Relation index)
{
	if (index->rd_rel->relam == BRIN_AM_OID)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("access method \"brin\" does not work on columnar table \"%s\"",
						RelationGetRelationName(rel)),
				 errhint("Columnar tables have zone maps of their own; order the table with "
						 "hanzo_datastore.alter_columnar_table(..., order_by => ...) instead.")));
}

static double
index_build_range_scan(Relation rel, Relation index, IndexInfo *info, bool allow_sync,
					   bool anyvisible, bool progress, BlockNumber start_block, BlockNumber blocks,
					   IndexBuildCallback callback, void *callback_state, TableScanDesc scan)
{
	Build build;
	Snapshot registered = NULL;
	HzBatchShared *shared = NULL;

	refuse_brin(rel, index);
	hz_bulk_flush(rel);
	build_begin(&build, rel, index, info);
	build.any_visible = anyvisible;
	build.callback = callback;
	build.callback_state = callback_state;
	if (!IsBootstrapProcessingMode() && !info->ii_Concurrent)
		build.oldest_xmin = GetOldestNonRemovableTransactionId(rel);
	if (scan == NULL)
	{
		build.snapshot = SnapshotAny;
		if (!TransactionIdIsValid(build.oldest_xmin))
			build.snapshot = registered = RegisterSnapshot(GetTransactionSnapshot());
		scan = table_beginscan_strat(rel, build.snapshot, 0, NULL, true, allow_sync);
	}
	else
	{
		build.snapshot = scan->rs_snapshot;
		if (scan->rs_parallel != NULL)
			shared = &((HzParallelScan *) scan->rs_parallel)->columns;
	}
	if (!allow_sync)
		heap_setscanlimits(((HzScanDesc *) scan)->delta, start_block, blocks);
	build_delta(&build, ((HzScanDesc *) scan)->delta);
	/* the directory is read after the delta, so that a group sealed meanwhile is not missed */
	build_columns(&build, shared);
	table_endscan(scan);
	if (registered != NULL)
		UnregisterSnapshot(registered);
	build_end(&build);
	return build.live;
}

/* The sorted TIDs that the index has. */
typedef struct IndexTids
{
	Tuplesortstate *sort;
	bool empty;
	ItemPointerData current;
} IndexTids;

static void
next_index_tid(IndexTids *tids)
{
	Datum value;
	bool isnull;

	tids->empty = !hz_compat_tuplesort_getdatum(tids->sort, &value, &isnull);
	if (!tids->empty)
		itemptr_decode(&tids->current, DatumGetInt64(value));
}

/* Whether the index has this TID; called with ascending TIDs. */
static bool
index_has(IndexTids *tids, ItemPointer tid)
{
	while (!tids->empty && ItemPointerCompare(&tids->current, tid) < 0)
		next_index_tid(tids);
	return !tids->empty && ItemPointerEquals(&tids->current, tid);
}

static void
insert_missing(Build *build, TupleTableSlot *slot, ItemPointer tid, ValidateIndexState *state)
{
	Datum values[INDEX_MAX_KEYS];
	bool isnull[INDEX_MAX_KEYS];

	if (!form_index_values(build, slot, values, isnull))
		return;
	index_insert(build->index, values, isnull, tid, build->rel,
				 build->info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, build->info);
	state->tups_inserted += 1;
}

/* Delta: all index TIDs of a page are collected when the scan reaches it, since roots come in any order. */
static void
validate_delta(Build *build, IndexTids *tids, ValidateIndexState *state)
{
	TableScanDesc scan = table_beginscan_strat(build->rel, build->snapshot, 0, NULL, true, false);
	TupleTableSlot *slot =
		MakeSingleTupleTableSlot(RelationGetDescr(build->rel), &TTSOpsBufferHeapTuple);
	bool in_index[MaxHeapTuplesPerPage];
	DeltaPage page;

	page.block = InvalidBlockNumber;
	while (heap_getnextslot(((HzScanDesc *) scan)->delta, ForwardScanDirection, slot))
	{
		BufferHeapTupleTableSlot *bslot = (BufferHeapTupleTableSlot *) slot;
		ItemPointerData tid;

		CHECK_FOR_INTERRUPTS();
		state->htups += 1;
		if (BufferGetBlockNumber(bslot->buffer) != page.block)
		{
			read_page_roots(&page, bslot->buffer);
			memset(in_index, 0, sizeof(in_index));
			while (!tids->empty && ItemPointerGetBlockNumber(&tids->current) <= page.block)
			{
				if (ItemPointerGetBlockNumber(&tids->current) == page.block)
					in_index[ItemPointerGetOffsetNumber(&tids->current) - 1] = true;
				next_index_tid(tids);
			}
		}
		tid = root_tid(build, &page, bslot->base.tuple, bslot->buffer);
		if (!in_index[ItemPointerGetOffsetNumber(&tid) - 1])
			insert_missing(build, slot, &tid, state);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
}

static void
validate_columns(Build *build, IndexTids *tids, ValidateIndexState *state)
{
	HzBatchScan *scan = hz_batchscan_begin(build->rel, build->snapshot, NULL);
	BatchColumns columns;
	HzBatch *batch;

	columns_begin(&columns, build->rel, build->info);
	while ((batch = hz_batchscan_next(scan)) != NULL)
	{
		bool loaded = false;

		for (uint32 i = 0; i < batch->rows; i++)
		{
			ItemPointerData tid;

			if (batch->deleted != NULL && hz_bitmap_get(batch->deleted, i))
				continue;
			state->htups += 1;
			hz_rowid_to_tid(hz_group_first_row(batch->group) + batch->first + i, &tid);
			if (index_has(tids, &tid))
				continue;
			if (!loaded)
				(void) columns_load(&columns, scan);
			loaded = true;
			insert_missing(build, columns_row(&columns, i), &tid, state);
		}
	}
	ExecDropSingleTupleTableSlot(columns.slot);
	hz_batchscan_end(scan);
}

static void
index_validate_scan(Relation rel, Relation index, IndexInfo *info, Snapshot snapshot,
					ValidateIndexState *state)
{
	Build build;
	IndexTids tids = {.sort = state->tuplesort};

	build_begin(&build, rel, index, info);
	build.snapshot = snapshot;
	/* unique checks under an index page's lock may look into the column store */
	hz_store_close(hz_store_open(rel, RowExclusiveLock));
	next_index_tid(&tids);
	validate_delta(&build, &tids, state);
	validate_columns(&build, &tids, state);
	build_end(&build);
}

void
hz_am_build_callbacks(TableAmRoutine *routine)
{
	routine->index_build_range_scan = index_build_range_scan;
	routine->index_validate_scan = index_validate_scan;
}
