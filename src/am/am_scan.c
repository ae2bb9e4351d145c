/*
 * am/am_scan.c
 *	  Sequential, TID and TID-range scans.
 *
 * Forward scans read the delta first and the column store after, backward scans the other way round.
 * The child scan of the delta is PostgreSQL's own heap scan, made under a heap view.
 */
#include "postgres.h"

#include "pgstat.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "utils/snapmgr.h"

#include "am/columnar_am.h"
#include "am/scandesc.h"
#include "read/slotneeds.h"
#include "storage/heapview.h"
#include "storage/rowid.h"
#include "storage/ssi.h"
#include "write/bulk.h"

static const TupleTableSlotOps *
slot_callbacks(Relation rel)
{
	hz_slotneeds_slots++;
	return &TTSOpsBufferHeapTuple;
}

static TableScanDesc
scan_begin(Relation rel, Snapshot snapshot, int nkeys, struct ScanKeyData *key,
		   ParallelTableScanDesc parallel, uint32 flags)
{
	HzScanDesc *scan = palloc0(sizeof(HzScanDesc));
	HzBatchShared *shared = parallel ? &((HzParallelScan *) parallel)->columns : NULL;
	HzHeapView view;

	/* ours to plan (plan/bitmappath.c), if another extension leaves it to us */
	if ((flags & SO_TYPE_BITMAPSCAN) != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("columnar table \"%s\" cannot be read by a bitmap heap scan",
							   RelationGetRelationName(rel)),
						errhint("Set enable_bitmapscan to off.")));
	hz_bulk_flush(rel);
	scan->base.rs_rd = rel;
	scan->base.rs_snapshot = snapshot;
	scan->base.rs_nkeys = nkeys;
	scan->base.rs_flags = flags;
	scan->base.rs_parallel = parallel;
	hz_heapview_begin(&view, rel);
	/* the snapshot is ours to unregister, not the child's; am_sample.c wants whole pages checked */
	scan->delta = heap_beginscan(rel, snapshot, nkeys, key, parallel,
								 (flags & ~SO_TEMP_SNAPSHOT) |
									 ((flags & SO_TYPE_SAMPLESCAN) ? SO_ALLOW_PAGEMODE : 0));
	hz_heapview_end(&view);
	hz_ssi_read(rel, snapshot);
	if ((flags & SO_TYPE_ANALYZE) != 0)
		snapshot = scan->analyze_snapshot = RegisterSnapshot(GetLatestSnapshot());
	if ((flags & SO_TYPE_TIDSCAN) == 0)
		scan->columns = hz_rowscan_begin(rel, snapshot, shared);
	scan->high = PG_UINT64_MAX;
	scan->sample_block = InvalidBlockNumber;
	return &scan->base;
}

static void
scan_end(TableScanDesc sscan)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;

	if (scan->columns != NULL)
		hz_rowscan_end(scan->columns);
	heap_endscan(scan->delta);
	if (scan->analyze_snapshot != NULL)
		UnregisterSnapshot(scan->analyze_snapshot);
	if ((scan->base.rs_flags & SO_TEMP_SNAPSHOT) != 0)
		UnregisterSnapshot(scan->base.rs_snapshot);
	pfree(scan);
}

static void
scan_rescan(TableScanDesc sscan, struct ScanKeyData *key, bool set_params, bool allow_strat,
			bool allow_sync, bool allow_pagemode)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	HzHeapView view;

	hz_heapview_begin(&view, sscan->rs_rd);
	heap_rescan(scan->delta, key, set_params, allow_strat, allow_sync,
				allow_pagemode || (sscan->rs_flags & SO_TYPE_SAMPLESCAN) != 0);
	hz_heapview_end(&view);
	hz_ssi_read(sscan->rs_rd, sscan->rs_snapshot);
	if (set_params)
		sscan->rs_flags =
			(sscan->rs_flags & ~(SO_ALLOW_STRAT | SO_ALLOW_SYNC | SO_ALLOW_PAGEMODE)) |
			(scan->delta->rs_flags & (SO_ALLOW_STRAT | SO_ALLOW_SYNC | SO_ALLOW_PAGEMODE));
	if (scan->columns != NULL)
		hz_rowscan_rescan(scan->columns);
	scan->phase = HZ_SCAN_FRESH;
	scan->sample_block = InvalidBlockNumber;
}

static bool
delta_next(HzScanDesc *scan, ScanDirection direction, TupleTableSlot *slot)
{
	if ((scan->base.rs_flags & SO_TYPE_TIDRANGESCAN) != 0)
		return heap_getnextslot_tidrange(scan->delta, direction, slot);
	return heap_getnextslot(scan->delta, direction, slot);
}

static bool
columns_next(HzScanDesc *scan, ScanDirection direction, TupleTableSlot *slot)
{
	while (hz_rowscan_next(scan->columns, direction, slot))
	{
		uint64 number = hz_rowid_from_tid(&slot->tts_tid);

		if ((scan->base.rs_flags & SO_TYPE_TIDRANGESCAN) != 0 &&
			(number < scan->low || number > scan->high))
			continue;
		pgstat_count_heap_getnext(scan->base.rs_rd);
		return true;
	}
	return false;
}

static bool
scan_getnextslot(TableScanDesc sscan, ScanDirection direction, TupleTableSlot *slot)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	bool forward = ScanDirectionIsForward(direction);

	if (scan->phase == HZ_SCAN_FRESH)
	{
		scan->phase = forward ? HZ_SCAN_DELTA : HZ_SCAN_COLUMNS;
		if (!forward)
			hz_rowscan_to_end(scan->columns);
	}
	if (forward)
	{
		if (scan->phase == HZ_SCAN_DELTA)
		{
			if (delta_next(scan, direction, slot))
				return true;
			scan->phase = HZ_SCAN_COLUMNS;
			hz_rowscan_rescan(scan->columns);
		}
		if (columns_next(scan, direction, slot))
			return true;
	}
	else
	{
		if (scan->phase == HZ_SCAN_COLUMNS)
		{
			if (columns_next(scan, direction, slot))
				return true;
			scan->phase = HZ_SCAN_DELTA;
		}
		if (delta_next(scan, direction, slot))
			return true;
	}
	ExecClearTuple(slot);
	return false;
}

/* The least row number whose TID is not below `tid`, the offset of which may be any. */
static uint64
least_number(ItemPointer tid)
{
	uint64 block = ItemPointerGetBlockNumberNoCheck(tid) - HZ_ROWID_FIRST_BLOCK;
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(tid);

	if (offset > HZ_ROWID_ROWS_PER_BLOCK)
		return (block + 1) * HZ_ROWID_ROWS_PER_BLOCK;
	return block * HZ_ROWID_ROWS_PER_BLOCK + (offset > 0 ? offset - 1 : 0);
}

static void
scan_set_tidrange(TableScanDesc sscan, ItemPointer mintid, ItemPointer maxtid)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;

	heap_set_tidrange(scan->delta, mintid, maxtid);
	scan->low = hz_rowid_is_columnar(mintid) ? least_number(mintid) : 0;
	if (!hz_rowid_is_columnar(maxtid))
	{
		/* nothing of the column store: an empty range */
		scan->low = 1;
		scan->high = 0;
	}
	else
		scan->high = (uint64) (ItemPointerGetBlockNumberNoCheck(maxtid) - HZ_ROWID_FIRST_BLOCK) *
						 HZ_ROWID_ROWS_PER_BLOCK +
					 Min(ItemPointerGetOffsetNumberNoCheck(maxtid), HZ_ROWID_ROWS_PER_BLOCK) - 1;
	if (hz_rowid_is_columnar(maxtid) && scan->high == PG_UINT64_MAX)
	{
		scan->low = 1;
		scan->high = 0;
	}
}

static Size
parallelscan_estimate(Relation rel)
{
	return sizeof(HzParallelScan);
}

static Size
parallelscan_initialize(Relation rel, ParallelTableScanDesc pscan)
{
	HzParallelScan *shared = (HzParallelScan *) pscan;
	HzHeapView view;

	hz_bulk_flush(rel);
	hz_heapview_begin(&view, rel);
	(void) table_block_parallelscan_initialize(rel, pscan);
	hz_heapview_end(&view);
	pg_atomic_init_u64(&shared->columns.next_run, 0);
	return sizeof(HzParallelScan);
}

static void
parallelscan_reinitialize(Relation rel, ParallelTableScanDesc pscan)
{
	table_block_parallelscan_reinitialize(rel, pscan);
	pg_atomic_write_u64(&((HzParallelScan *) pscan)->columns.next_run, 0);
}

void
hz_am_scan_callbacks(TableAmRoutine *routine)
{
	routine->slot_callbacks = slot_callbacks;
	routine->scan_begin = scan_begin;
	routine->scan_end = scan_end;
	routine->scan_rescan = scan_rescan;
	routine->scan_getnextslot = scan_getnextslot;
	routine->scan_set_tidrange = scan_set_tidrange;
	routine->scan_getnextslot_tidrange = scan_getnextslot;
	routine->parallelscan_estimate = parallelscan_estimate;
	routine->parallelscan_initialize = parallelscan_initialize;
	routine->parallelscan_reinitialize = parallelscan_reinitialize;
}
