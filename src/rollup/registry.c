/*
 * rollup/registry.c
 *	  Writing rollup_catalog and rollup_progress. See registry.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_inherits.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "rollup/registry.h"

/* As CatalogTupleInsert(), but undecoded. */
static void
insert_tuple(Relation rel, Datum *values, bool *nulls)
{
	HeapTuple tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	List *indexes = RelationGetIndexList(rel);
	ListCell *cell;

	heap_insert(rel, tuple, GetCurrentCommandId(true), HEAP_INSERT_NO_LOGICAL, NULL);
	ExecStoreHeapTuple(tuple, slot, false);
	foreach(cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), RowExclusiveLock);
		IndexInfo *info = BuildIndexInfo(index);
		Datum keys[INDEX_MAX_KEYS];
		bool isnull[INDEX_MAX_KEYS];

		FormIndexDatum(info, slot, NULL, keys, isnull);
		index_insert(index, keys, isnull, &tuple->t_self, rel,
					 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
		index_close(index, NoLock);
	}
	ExecDropSingleTupleTableSlot(slot);
	heap_freetuple(tuple);
}

/* Deletes the tuples of a rollup, whose key is the first column; returns what the last one had in a text column (0: NULL). */
static char *
delete_tuples(Relation rel, Oid states, AttrNumber attnum)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	char *result = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(states));
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;

		if (attnum > 0)
			result =
				TextDatumGetCString(heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull));
		simple_heap_delete(rel, &tuple->t_self);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return result;
}

static void
insert_progress(Relation rel, Oid states, const HzRollupProgress *progress)
{
	Datum values[PROGRESS_COLUMNS];
	bool nulls[PROGRESS_COLUMNS] = {false};

	values[PROGRESS_STATES - 1] = ObjectIdGetDatum(states);
	values[PROGRESS_FROZEN_BEFORE - 1] = TimestampTzGetDatum(progress->frozen_before);
	values[PROGRESS_LIVE_FROM - 1] = TimestampTzGetDatum(progress->live_from);
	values[PROGRESS_MARK_BEFORE - 1] = TimestampTzGetDatum(progress->mark_before);
	values[PROGRESS_ADVANCE_XID - 1] = UInt64GetDatum(progress->advance_xid);
	nulls[PROGRESS_ADVANCE_XID - 1] = progress->advance_xid == 0;
	values[PROGRESS_SYSTEM - 1] = Int64GetDatum(progress->system);
	values[PROGRESS_LATE_CHANGES - 1] = Int64GetDatum(progress->late_changes);
	insert_tuple(rel, values, nulls);
}

void
hz_rollup_store_progress(Oid states, const HzRollupProgress *progress)
{
	Relation rel = table_open(hz_rollup_progress_table(), RowExclusiveLock);

	/* an update could not be kept from decoding */
	(void) delete_tuples(rel, states, 0);
	insert_progress(rel, states, progress);
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

void
hz_rollup_tell_writers(Oid source)
{
	ListCell *cell;

	/* it may be what is being dropped */
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(source)))
		return;
	foreach(cell, find_all_inheritors(source, NoLock, NULL))
		CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
}

static void
insert_rollup(Relation catalog, const HzRollup *rollup, const char *query)
{
	Datum values[CATALOG_COLUMNS];
	bool nulls[CATALOG_COLUMNS] = {false};

	values[CATALOG_STATES - 1] = ObjectIdGetDatum(rollup->states);
	values[CATALOG_MARKS - 1] = ObjectIdGetDatum(rollup->marks);
	values[CATALOG_VIEW - 1] = ObjectIdGetDatum(rollup->view);
	values[CATALOG_SOURCE - 1] = ObjectIdGetDatum(rollup->source);
	values[CATALOG_SOURCE_VIEW - 1] = ObjectIdGetDatum(rollup->source_view);
	nulls[CATALOG_SOURCE_VIEW - 1] = !OidIsValid(rollup->source_view);
	values[CATALOG_SOURCE_TIME - 1] = Int16GetDatum(rollup->source_time);
	values[CATALOG_SOURCE_TIME_NAME - 1] = DirectFunctionCall1(
		namein, CStringGetDatum(get_attname(rollup->source, rollup->source_time, false)));
	values[CATALOG_TIME - 1] = Int16GetDatum(rollup->time);
	values[CATALOG_MONTHS - 1] = Int32GetDatum(rollup->bucket.months);
	values[CATALOG_WIDTH - 1] = Int64GetDatum(rollup->bucket.width);
	values[CATALOG_ORIGIN - 1] = Int64GetDatum(rollup->bucket.origin);
	values[CATALOG_LAG - 1] = Int64GetDatum(rollup->lag);
	values[CATALOG_QUERY - 1] = CStringGetTextDatum(query);
	insert_tuple(catalog, values, nulls);
}

void
hz_rollup_register(const HzRollup *rollup, const char *query)
{
	Relation catalog = table_open(hz_rollup_catalog(), RowExclusiveLock);
	Relation progress_table = table_open(hz_rollup_progress_table(), RowExclusiveLock);
	HzRollupProgress progress = {
		.frozen_before = DT_NOBEGIN, .live_from = DT_NOBEGIN, .mark_before = DT_NOBEGIN};

	insert_rollup(catalog, rollup, query);
	insert_progress(progress_table, rollup->states, &progress);
	table_close(progress_table, NoLock);
	table_close(catalog, NoLock);
	hz_rollup_tell_writers(rollup->source);
	CommandCounterIncrement();
}

void
hz_rollup_rewrite(const HzRollup *rollup, const char *query)
{
	Relation catalog = table_open(hz_rollup_catalog(), RowExclusiveLock);
	char *present = delete_tuples(catalog, rollup->states, CATALOG_QUERY);

	/* NULL: somebody else has dropped it */
	if (present != NULL)
		insert_rollup(catalog, rollup, query != NULL ? query : present);
	table_close(catalog, NoLock);
	hz_rollup_tell_writers(rollup->source);
	CommandCounterIncrement();
}

void
hz_rollup_unregister(Oid states)
{
	Relation catalog = table_open(hz_rollup_catalog(), RowExclusiveLock);
	Relation progress = table_open(hz_rollup_progress_table(), RowExclusiveLock);
	HzRollup rollup;

	if (hz_rollup_find(states, &rollup))
		hz_rollup_tell_writers(rollup.source);
	(void) delete_tuples(catalog, states, 0);
	(void) delete_tuples(progress, states, 0);
	table_close(progress, NoLock);
	table_close(catalog, NoLock);
	CommandCounterIncrement();
}
