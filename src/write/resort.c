/*
 * write/resort.c
 *	  Sorting a whole table: all row groups through one external sort into new groups.
 *
 * Memory: maintenance_work_mem for the sort, one row buffer, and six bytes a row for old TIDs.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

#include "storage/groupread.h"
#include "storage/rowid.h"
#include "write/compact.h"
#include "write/groupwalk.h"
#include "write/mover.h"

typedef struct Resort
{
	HzMover mover;
	TupleDesc desc;       /* of the table */
	TupleDesc sort_desc;  /* table, values of key expressions, row number */
	TupleTableSlot *slot; /* of sort_desc */
	Tuplesortstate *sort;
	List *expressions; /* of ExprState, for keys that are no columns */
	HzColumnType *types;
	uint64 rows; /* put into the sort */
	HzCompactProgress *progress;
} Resort;

/* The sort's row shape and its keys. */
static void
begin_sort(Resort *resort)
{
	List *keys = resort->mover.options->order_by;
	int natts = resort->desc->natts;
	int extra = 0;
	int count = list_length(keys);
	AttrNumber *attnums = palloc(sizeof(AttrNumber) * count);
	Oid *operators = palloc(sizeof(Oid) * count);
	Oid *collations = palloc(sizeof(Oid) * count);
	bool *nulls_first = palloc(sizeof(bool) * count);
	ListCell *cell;

	foreach(cell, keys)
		extra += ((HzSortKey *) lfirst(cell))->attnum == 0;
	resort->sort_desc = CreateTemplateTupleDesc(natts + extra + 1);
	for (int i = 1; i <= natts; i++)
		TupleDescCopyEntry(resort->sort_desc, i, resort->desc, i);
	extra = 0;
	foreach(cell, keys)
	{
		HzSortKey *key = lfirst(cell);
		int k = foreach_current_index(cell);

		attnums[k] = key->attnum;
		operators[k] = key->sort_operator;
		collations[k] = key->collation;
		nulls_first[k] = key->nulls_first;
		if (key->attnum > 0)
			continue;
		attnums[k] = natts + ++extra;
		TupleDescInitEntry(resort->sort_desc, attnums[k], "key", key->type, -1, 0);
		TupleDescInitEntryCollation(resort->sort_desc, attnums[k], key->collation);
		resort->expressions =
			lappend(resort->expressions,
					ExecPrepareExpr((Expr *) copyObject(key->expr), resort->mover.estate));
	}
	TupleDescInitEntry(resort->sort_desc, natts + extra + 1, "row", INT8OID, -1, 0);
	resort->slot = MakeSingleTupleTableSlot(resort->sort_desc, &TTSOpsVirtual);
	resort->sort = tuplesort_begin_heap(resort->sort_desc, count, attnums, operators, collations,
										nulls_first, maintenance_work_mem, NULL, TUPLESORT_NONE);
}

/* Adds the slot's row, whose table columns are set, to the sort. */
static void
put_row(Resort *resort, uint64 number)
{
	TupleTableSlot *slot = resort->slot;
	ExprContext *econtext = GetPerTupleExprContext(resort->mover.estate);
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(resort->mover.estate));
	int at = resort->desc->natts;
	ListCell *cell;

	ExecStoreVirtualTuple(slot);
	econtext->ecxt_scantuple = slot;
	foreach(cell, resort->expressions)
	{
		slot->tts_values[at] =
			ExecEvalExpr((ExprState *) lfirst(cell), econtext, &slot->tts_isnull[at]);
		at++;
	}
	slot->tts_values[at] = Int64GetDatum((int64) number);
	slot->tts_isnull[at] = false;
	MemoryContextSwitchTo(old);
	tuplesort_puttupleslot(resort->sort, slot);
	resort->rows++;
	ResetPerTupleExprContext(resort->mover.estate);
}

static void
put_group_row(void *arg, const Datum *values, const bool *isnull, uint64 number)
{
	Resort *resort = arg;

	ExecClearTuple(resort->slot);
	memcpy(resort->slot->tts_values, values, sizeof(Datum) * resort->desc->natts);
	memcpy(resort->slot->tts_isnull, isnull, sizeof(bool) * resort->desc->natts);
	put_row(resort, number);
}

/* Reads the sorted rows into new groups; a list of HzMoved. */
static List *
write_sorted(Resort *resort)
{
	HzOptions unsorted = *resort->mover.options;
	HzRowBuffer *buffer = hz_rowbuffer_create(resort->mover.context, resort->desc);
	ItemPointerData *old = palloc(sizeof(ItemPointerData) * resort->mover.options->row_group_rows);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(resort->sort_desc, &TTSOpsMinimalTuple);
	List *groups = NIL;
	bool more;

	unsorted.order_by = NIL;
	do
	{
		uint32 rows = hz_rowbuffer_rows(buffer);

		CHECK_FOR_INTERRUPTS();
		more = tuplesort_gettupleslot(resort->sort, true, false, slot, NULL);
		if (more)
		{
			slot_getallattrs(slot);
			hz_rowid_to_tid((uint64) DatumGetInt64(slot->tts_values[resort->sort_desc->natts - 1]),
							&old[rows]);
			hz_rowbuffer_add(buffer, slot->tts_values, slot->tts_isnull);
			rows++;
		}
		if (rows > 0 && (!more || rows >= resort->mover.options->row_group_rows ||
						 hz_rowbuffer_bytes(buffer) >= hz_rowbuffer_limit()))
		{
			groups = lappend(groups, hz_mover_write(&resort->mover, buffer, old, &unsorted));
			hz_rowbuffer_reset(buffer);
			hz_compact_advance(resort->progress, rows);
		}
	} while (more);
	ExecDropSingleTupleTableSlot(slot);
	return groups;
}

/* Takes the old groups away and publishes the new ones. */
static void
exchange(Resort *resort, HzGroup **groups, uint32 count, List *written)
{
	HzMoved **moved = palloc(sizeof(HzMoved *) * Max(list_length(written), 1));
	ListCell *cell;

	foreach(cell, written)
		moved[foreach_current_index(cell)] = lfirst(cell);
	for (uint32 i = 0; i < count; i++)
		(void) hz_mover_take_group(&resort->mover, groups[i], moved, (uint32) list_length(written));
	foreach(cell, written)
		hz_mover_publish(&resort->mover, lfirst(cell));
}

/* Reads all live rows into the sort. */
static void
sort_groups(Resort *resort, HzGroup **groups, uint32 count)
{
	MemoryContext context =
		AllocSetContextCreate(resort->mover.context, "hanzo resort group", ALLOCSET_DEFAULT_SIZES);
	uint64 rows = 0;

	for (uint32 i = 0; i < count; i++)
		rows += hz_mover_live_rows(&resort->mover, groups[i]);
	hz_compact_begin_phase(resort->progress, HZ_COMPACT_SORT, rows);
	resort->types = hz_coltype_for(resort->desc);
	begin_sort(resort);
	for (uint32 i = 0; i < count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		uint64 before = resort->rows;

		hz_groupread_describe(resort->mover.store, groups[i]);
		hz_groupwalk(resort->mover.store, groups[i], resort->desc, resort->types,
					 resort->mover.snapshot, put_group_row, resort);
		MemoryContextSwitchTo(old);
		/* the description went with the context */
		groups[i]->described = false;
		MemoryContextReset(context);
		hz_compact_advance(resort->progress, resort->rows - before);
	}
	tuplesort_performsort(resort->sort);
}

void
hz_compact_resort(Relation rel, HzCompactProgress *progress)
{
	Resort resort = {.desc = RelationGetDescr(rel), .progress = progress};
	HzGroup **groups;
	uint32 count;
	MemoryContext old;

	if (progress->refused || !hz_mover_begin(&resort.mover, rel))
		return;
	old = MemoryContextSwitchTo(resort.mover.context);
	groups = hz_directory_read(resort.mover.store, resort.mover.snapshot, &count);
	if (resort.mover.options->order_by == NIL)
		ereport(
			NOTICE,
			(errmsg("table \"%s\" has no sort key", RelationGetRelationName(rel)),
			 errhint("Set one with hanzo_datastore.alter_columnar_table(..., order_by => ...).")));
	else if (count > 0)
	{
		sort_groups(&resort, groups, count);
		hz_compact_begin_phase(progress, HZ_COMPACT_WRITE, progress->done);
		exchange(&resort, groups, count, write_sorted(&resort));
		tuplesort_end(resort.sort);
		ExecDropSingleTupleTableSlot(resort.slot);
	}
	MemoryContextSwitchTo(old);
	hz_mover_end(&resort.mover);
	CommandCounterIncrement();
}
