/*
 * read/rowscan.c
 *	  Rows out of batches. See rowscan.h.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/bitmap.h"
#include "read/rowscan.h"
#include "read/rowslot.h"

struct HzRowScan
{
	Relation rel;
	bool dirty; /* SnapshotDirty: rows are judged one by one */
	HzBatchScan *batches;
	HzBatch *batch;  /* NULL: before the first or behind the last */
	bool at_end;     /* with batch NULL: behind the last */
	int64 row;       /* in the batch */
	int natts;       /* -1: not known yet */
	Datum **columns; /* natts arrays of HZ_VECTOR_ROWS */
	bool **nulls;
	Datum *values;
	bool *isnull;
	HzShorten shorten; /* NULL: values stay as they are */
	void *shorten_arg;
	MemoryContext row_memory; /* of what it makes of a row */
};

HzRowScan *
hz_rowscan_begin(Relation rel, Snapshot snapshot, HzBatchShared *shared)
{
	HzRowScan *scan = palloc0(sizeof(HzRowScan));

	scan->rel = rel;
	scan->dirty = snapshot->snapshot_type == SNAPSHOT_DIRTY;
	scan->batches = hz_batchscan_begin(rel, snapshot, shared);
	scan->natts = -1;
	return scan;
}

/* The slot says which columns there are: under ALTER TABLE not those of the relation's present descriptor. */
static void
look_at_slot(HzRowScan *scan, TupleTableSlot *slot)
{
	if (scan->natts >= 0)
		return;
	if (!equalTupleDescs(slot->tts_tupleDescriptor, RelationGetDescr(scan->rel)))
		hz_batchscan_use_desc(scan->batches, slot->tts_tupleDescriptor);
	scan->natts = slot->tts_tupleDescriptor->natts;
}

/* Some 20 KB a column, when the first batch has come: most scans of small tables never need them. */
static void
make_room(HzRowScan *scan)
{
	MemoryContext old;

	if (scan->columns != NULL)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(scan));
	scan->columns = palloc(sizeof(Datum *) * Max(scan->natts, 1));
	scan->nulls = palloc(sizeof(bool *) * Max(scan->natts, 1));
	scan->values = palloc(sizeof(Datum) * Max(scan->natts, 1));
	scan->isnull = palloc(sizeof(bool) * Max(scan->natts, 1));
	for (int i = 0; i < scan->natts; i++)
	{
		scan->columns[i] = palloc(sizeof(Datum) * HZ_VECTOR_ROWS);
		scan->nulls[i] = palloc(sizeof(bool) * HZ_VECTOR_ROWS);
	}
	MemoryContextSwitchTo(old);
}

void
hz_rowscan_rescan(HzRowScan *scan)
{
	hz_batchscan_rescan(scan->batches);
	scan->batch = NULL;
	scan->at_end = false;
}

void
hz_rowscan_end(HzRowScan *scan)
{
	hz_batchscan_end(scan->batches);
	if (scan->row_memory != NULL)
		MemoryContextDelete(scan->row_memory);
	if (scan->columns != NULL)
	{
		for (int i = 0; i < scan->natts; i++)
		{
			pfree(scan->columns[i]);
			pfree(scan->nulls[i]);
		}
		pfree(scan->columns);
		pfree(scan->nulls);
		pfree(scan->values);
		pfree(scan->isnull);
	}
	pfree(scan);
}

void
hz_rowscan_to_end(HzRowScan *scan)
{
	scan->batch = NULL;
	scan->at_end = true;
}

/* False: the snapshot protects nothing, and the group has gone meanwhile, dead to all. */
static bool
decode_batch(HzRowScan *scan)
{
	for (int i = 0; i < scan->natts; i++)
	{
		if (!hz_batchscan_datums(scan->batches, i, NULL, 0, scan->columns[i], scan->nulls[i]))
			return false;
	}
	return true;
}

void
hz_rowscan_shorten(HzRowScan *scan, HzShorten shorten, void *arg)
{
	scan->shorten = shorten;
	scan->shorten_arg = arg;
	scan->row_memory = AllocSetContextCreate(GetMemoryChunkContext(scan), "hanzo shortened row",
											 ALLOCSET_DEFAULT_SIZES);
}

static void
shorten_row(HzRowScan *scan, TupleDesc desc)
{
	MemoryContext old;

	MemoryContextReset(scan->row_memory);
	old = MemoryContextSwitchTo(scan->row_memory);
	for (int i = 0; i < scan->natts; i++)
	{
		if (!scan->isnull[i] && TupleDescAttr(desc, i)->attlen == -1)
			scan->values[i] = scan->shorten(scan->shorten_arg, i, scan->values[i]);
	}
	MemoryContextSwitchTo(old);
}

static void
store_row(HzRowScan *scan, TupleTableSlot *slot)
{
	for (int i = 0; i < scan->natts; i++)
	{
		scan->values[i] = scan->columns[i][scan->row];
		scan->isnull[i] = scan->nulls[i][scan->row];
	}
	if (scan->shorten != NULL)
		shorten_row(scan, slot->tts_tupleDescriptor);
	hz_rowslot_store(slot, RelationGetRelid(scan->rel), scan->batch->group,
					 hz_group_first_row(scan->batch->group) + scan->batch->first + scan->row,
					 scan->values, scan->isnull);
}

static bool
load_batch(HzRowScan *scan, ScanDirection direction, TupleTableSlot *slot)
{
	look_at_slot(scan, slot);
	if (scan->batch == NULL && ScanDirectionIsBackward(direction) && scan->at_end)
		hz_batchscan_to_end(scan->batches);
	if (scan->batch == NULL && ScanDirectionIsForward(direction))
		hz_batchscan_rescan(scan->batches);
	do
	{
		scan->batch = ScanDirectionIsBackward(direction) ? hz_batchscan_previous(scan->batches)
														 : hz_batchscan_next(scan->batches);
		scan->at_end = scan->batch == NULL && ScanDirectionIsForward(direction);
		if (scan->batch == NULL)
			return false;
		make_room(scan);
	} while (!decode_batch(scan));
	scan->row = ScanDirectionIsBackward(direction) ? (int64) scan->batch->rows : -1;
	return true;
}

bool
hz_rowscan_next(HzRowScan *scan, ScanDirection direction, TupleTableSlot *slot)
{
	int step = ScanDirectionIsBackward(direction) ? -1 : 1;

	for (;;)
	{
		if (scan->batch == NULL && scan->at_end && step > 0)
			return false;
		if (scan->batch == NULL && !load_batch(scan, direction, slot))
			return false;
		scan->row += step;
		if (scan->row < 0 || scan->row >= (int64) scan->batch->rows)
		{
			if (!load_batch(scan, direction, slot))
				return false;
			continue;
		}
		if (scan->batch->deleted != NULL && hz_bitmap_get(scan->batch->deleted, scan->row))
			continue;
		if (!scan->dirty || hz_batchscan_dirty_visible(scan->batches, (uint32) scan->row))
			break;
	}
	store_row(scan, slot);
	return true;
}

HzGroup **
hz_rowscan_groups(HzRowScan *scan, uint32 *count)
{
	return hz_batchscan_groups(scan->batches, count);
}

bool
hz_rowscan_fetch(HzRowScan *scan, uint32 index, uint32 position, TupleTableSlot *slot)
{
	uint32 count;
	HzGroup **groups = hz_batchscan_groups(scan->batches, &count);
	uint32 vector = position / HZ_VECTOR_ROWS;

	if (index >= count || position >= groups[index]->rows)
		return false;
	if (scan->batch == NULL || scan->batch->group != groups[index] || scan->batch->vector != vector)
	{
		look_at_slot(scan, slot);
		make_room(scan);
		scan->batch = hz_batchscan_seek(scan->batches, index, vector);
		if (scan->batch->live > 0 && !decode_batch(scan))
		{
			scan->batch = NULL;
			return false;
		}
	}
	scan->row = position % HZ_VECTOR_ROWS;
	if (scan->batch->deleted != NULL && hz_bitmap_get(scan->batch->deleted, scan->row))
		return false;
	store_row(scan, slot);
	return true;
}
