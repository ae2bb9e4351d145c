/*
 * admin/moverows.c
 *	  Rows on their way from a default partition to a month of their own; and rows that expire.
 *
 * make_month() in src/sql has the order of steps. What it needs of C:
 *
 *	copy_rows()		runs the INSERT ... SELECT of the copy under a snapshot, which it keeps
 *	changes_since()	what others have done to the table since that snapshot: rows inserted, rows deleted
 *	remove_rows()	takes the rows away without triggers, since they go nowhere: whole row groups by their
 *					directory entries
 *	exclude_range()	lets ATTACH PARTITION know that the default partition holds no row of the month, or it would
 *					read all of it under the lock
 *	delete_range()	deletes expired rows, where nobody must notice in the same way, else by DELETE
 *
 * copy_rows() holds the table's ShareUpdateExclusiveLock, so no compaction or VACUUM moves a row meanwhile: a row
 * version that both snapshots see is at the same place in both.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am_d.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "admin/moverows.h"
#include "admin/timerange.h"
#include "am/columnar_am.h"
#include "base/bitmap.h"
#include "storage/heapview.h"
#include "storage/mark.h"
#include "rollup/note.h"
#include "write/bulk.h"
#include "write/groupwalk.h"
#include "write/remove.h"

PG_FUNCTION_INFO_V1(hz_copy_rows);
PG_FUNCTION_INFO_V1(hz_changes_since);
PG_FUNCTION_INFO_V1(hz_remove_rows);
PG_FUNCTION_INFO_V1(hz_delete_range);
PG_FUNCTION_INFO_V1(hz_exclude_range);
PG_FUNCTION_INFO_V1(hz_wait_for_snapshots);
PG_FUNCTION_INFO_V1(hz_lock_referenced);

/* The copy under way: one at a time, within one (sub)transaction. */
static struct
{
	Snapshot snapshot; /* NULL: none */
	ResourceOwner owner;
	SubTransactionId subid;
	Oid relid;
} copying;

/* ---- The snapshot of the copy */

static void
copy_end(void)
{
	if (copying.snapshot != NULL)
		UnregisterSnapshotFromOwner(copying.snapshot, copying.owner);
	copying.snapshot = NULL;
}

static void
at_xact_end(XactEvent event, void *arg)
{
	/* registrations go with their resource owner */
	copying.snapshot = NULL;
}

static void
at_subxact_end(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && subid <= copying.subid)
		copying.snapshot = NULL;
}

void
hz_moverows_init(void)
{
	RegisterXactCallback(at_xact_end, NULL);
	RegisterSubXactCallback(at_subxact_end, NULL);
}

/* copy_rows(relation regclass, statement text): bigint */
Datum
hz_copy_rows(PG_FUNCTION_ARGS)
{
	Relation rel = hz_timerange_open(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
	char *statement = text_to_cstring(PG_GETARG_TEXT_PP(1));
	SPIPlanPtr plan;
	int64 rows;

	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID && !hz_am_is_columnar(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move rows out of table \"%s\"", RelationGetRelationName(rel)),
				 errhint("Its access method must be hanzo_columnar or heap.")));
	hz_bulk_flush(rel);
	copy_end();
	copying.relid = RelationGetRelid(rel);
	copying.owner = CurrentResourceOwner;
	copying.subid = GetCurrentSubTransactionId();
	copying.snapshot = RegisterSnapshotOnOwner(GetLatestSnapshot(), copying.owner);
	SPI_connect();
	plan = SPI_prepare(statement, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_execute_snapshot(plan, NULL, NULL, copying.snapshot, InvalidSnapshot, false, true, 0) !=
		SPI_OK_INSERT)
		elog(ERROR, "a copy of rows must be an INSERT");
	rows = (int64) SPI_processed;
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_INT64(rows);
}

/* ---- What has changed since */

typedef struct Changes
{
	ReturnSetInfo *result;
	Relation rel;
	bool inserted;
	const uint64 *gone; /* positions to report; NULL: all that are walked */
	uint64 first;
} Changes;

static void
put_change(Changes *changes, bool inserted, HeapTuple tuple)
{
	Datum values[2];
	bool nulls[2] = {false};

	values[0] = BoolGetDatum(inserted);
	values[1] = heap_copy_tuple_as_datum(tuple, RelationGetDescr(changes->rel));
	tuplestore_putvalues(changes->result->setResult, changes->result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[1]));
}

static void
put_walked(void *arg, const Datum *values, const bool *isnull, uint64 number)
{
	Changes *changes = arg;
	HeapTuple tuple;

	CHECK_FOR_INTERRUPTS();
	if (changes->gone != NULL && !hz_bitmap_get(changes->gone, (uint32) (number - changes->first)))
		return;
	tuple = heap_form_tuple(RelationGetDescr(changes->rel), (Datum *) values, (bool *) isnull);
	put_change(changes, changes->inserted, tuple);
	heap_freetuple(tuple);
}

/* The heap pages: a table's own, or a columnar table's delta. */
static void
compare_page(Changes *changes, BlockNumber block, Snapshot now, BufferAccessStrategy strategy)
{
	Buffer buffer = ReadBufferExtended(changes->rel, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
	Page page = BufferGetPage(buffer);
	HeapTuple changed[MaxHeapTuplesPerPage];
	bool inserted[MaxHeapTuplesPerPage];
	int count = 0;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
	{
		ItemId item = PageGetItemId(page, offset);
		HeapTupleData tuple;
		bool before;
		bool after;

		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_tableOid = RelationGetRelid(changes->rel);
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		ItemPointerSet(&tuple.t_self, block, offset);
		before = HeapTupleSatisfiesVisibility(&tuple, copying.snapshot, buffer);
		after = HeapTupleSatisfiesVisibility(&tuple, now, buffer);
		if (before == after)
			continue;
		inserted[count] = after;
		changed[count++] = heap_copytuple(&tuple);
	}
	UnlockReleaseBuffer(buffer);
	for (int i = 0; i < count; i++)
	{
		put_change(changes, inserted[i], changed[i]);
		heap_freetuple(changed[i]);
	}
}

static void
compare_pages(Changes *changes, Snapshot now)
{
	BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);
	BlockNumber blocks;
	HzHeapView view;

	if (hz_am_is_columnar(changes->rel))
	{
		hz_heapview_begin(&view, changes->rel);
		blocks = RelationGetNumberOfBlocks(changes->rel);
		hz_heapview_end(&view);
	}
	else
		blocks = RelationGetNumberOfBlocks(changes->rel);
	for (BlockNumber block = 0; block < blocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		compare_page(changes, block, now, strategy);
	}
	FreeAccessStrategy(strategy);
}

static void
compare_groups(Changes *changes, Snapshot now)
{
	HzStore *store = hz_store_open(changes->rel, AccessShareLock);
	HzColumnType *types = hz_coltype_for(RelationGetDescr(changes->rel));
	HzGroup **before = NULL;
	HzGroup **after = NULL;
	uint32 before_count = 0;
	uint32 after_count = 0;
	uint32 b = 0;

	if (!hz_store_is_empty(store))
	{
		before = hz_directory_read(store, copying.snapshot, &before_count);
		after = hz_directory_read(store, now, &after_count);
	}
	for (uint32 a = 0; a < after_count; a++)
	{
		HzGroup *group = after[a];
		uint32 words = HZ_BITMAP_WORDS(group->rows);
		uint64 *gone;
		uint64 *then;

		CHECK_FOR_INTERRUPTS();
		changes->first = hz_group_first_row(group);
		if (b >= before_count || before[b]->number != group->number)
		{
			changes->inserted = true;
			changes->gone = NULL;
			hz_groupwalk(store, group, RelationGetDescr(changes->rel), types, now, put_walked,
						 changes);
			continue;
		}
		b++;
		gone = palloc0(words * sizeof(uint64));
		then = palloc0(words * sizeof(uint64));
		if (hz_mark_deleted_rows(store, group, now, gone) !=
			hz_mark_deleted_rows(store, group, copying.snapshot, then))
		{
			changes->inserted = false;
			changes->gone = gone;
			hz_groupwalk(store, group, RelationGetDescr(changes->rel), types, copying.snapshot,
						 put_walked, changes);
		}
		pfree(gone);
		pfree(then);
	}
	if (b != before_count)
		elog(ERROR, "a row group of table \"%s\" vanished under a lock",
			 RelationGetRelationName(changes->rel));
	hz_store_close(store);
}

/*
 * changes_since(template anyelement, relation regclass): (inserted boolean, content anyelement)
 *
 * The template is a null of the table's row type. Ends the copy: the snapshot of copy_rows() is given back.
 */
Datum
hz_changes_since(PG_FUNCTION_ARGS)
{
	Changes changes = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Snapshot now;

	InitMaterializedSRF(fcinfo, 0);
	if (copying.snapshot == NULL || copying.relid != PG_GETARG_OID(1))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("no rows have been copied out of the table")));
	changes.rel = hz_timerange_open(copying.relid, ShareUpdateExclusiveLock);
	if (get_fn_expr_argtype(fcinfo->flinfo, 0) != changes.rel->rd_rel->reltype)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the template must be of the row type of table \"%s\"",
							   RelationGetRelationName(changes.rel))));
	hz_bulk_flush(changes.rel);
	now = RegisterSnapshot(GetLatestSnapshot());
	compare_pages(&changes, now);
	if (hz_am_is_columnar(changes.rel))
		compare_groups(&changes, now);
	UnregisterSnapshot(now);
	copy_end();
	relation_close(changes.rel, NoLock);
	return (Datum) 0;
}

/* ---- Taking rows away */

static int64
remove_row(Relation rel, ItemPointer tid, Snapshot snapshot)
{
	TM_FailureData failure;
	TM_Result result = table_tuple_delete(rel, tid, GetCurrentCommandId(true), snapshot,
										  InvalidSnapshot, true, &failure, false);

	if (result != TM_Ok)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("could not move a row of table \"%s\" due to concurrent update",
							   RelationGetRelationName(rel))));
	return 1;
}

/* Rows that SQL finds by their times, in batches. */
static int64
remove_found(Relation rel, const HzTimeRange *range)
{
	StringInfoData sql;
	Portal portal;
	int64 rows = 0;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT ctid FROM ONLY %s WHERE %s",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)),
					 hz_timerange_condition(rel, range));
	SPI_connect();
	PushActiveSnapshot(GetLatestSnapshot());
	portal =
		SPI_cursor_open_with_args(NULL, sql.data, 0, NULL, NULL, NULL, false, CURSOR_OPT_NO_SCROLL);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, 4096);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool isnull;
			Datum tid = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

			CHECK_FOR_INTERRUPTS();
			rows += remove_row(rel, (ItemPointer) DatumGetPointer(tid), GetActiveSnapshot());
		}
		SPI_freetuptable(SPI_tuptable);
		CommandCounterIncrement();
	}
	SPI_cursor_close(portal);
	PopActiveSnapshot();
	SPI_finish();
	return rows;
}

static HzTimeRange
range_argument(FunctionCallInfo fcinfo, Relation rel)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("column and upper bound must not be null")));
	return hz_timerange_of(rel, NameStr(*PG_GETARG_NAME(1)), PG_ARGISNULL(2),
						   PG_ARGISNULL(2) ? 0 : PG_GETARG_TIMESTAMP(2), PG_GETARG_TIMESTAMP(3));
}

/* Rollups of the table: as if the rows of the range were deleted one by one. */
static void
note_removal(Relation rel, const HzTimeRange *range)
{
	ListCell *cell;

	foreach(cell, hz_rollup_watches(rel))
	{
		const HzRollupWatch *watch = lfirst(cell);
		const bool same = watch->attnum == range->attnum;

		hz_note_range(watch, same ? range->from : DT_NOBEGIN, same ? range->to : DT_NOEND,
					  GetCurrentCommandId(true));
	}
}

static int64
remove_whole_groups(Relation rel, const HzTimeRange *range, Snapshot snapshot, uint64 *bytes)
{
	/* from the first finite time on */
	int64 lowest = range->type == DATEOID ? (int64) PG_INT32_MIN + 1 : DT_NOBEGIN + 1;
	int64 from = range->from == DT_NOBEGIN ? lowest : hz_timerange_stored(range, range->from);
	int64 rows;

	*bytes = 0;
	if (!hz_am_is_columnar(rel))
		return 0;
	note_removal(rel, range);
	snapshot = RegisterSnapshot(snapshot);
	rows = (int64) hz_remove_groups(rel, range->attnum, from, hz_timerange_stored(range, range->to),
									snapshot, bytes);
	UnregisterSnapshot(snapshot);
	return rows;
}

/* remove_rows(relation regclass, column_name name, lower timestamp, upper timestamp): bigint */
Datum
hz_remove_rows(PG_FUNCTION_ARGS)
{
	Relation rel;
	HzTimeRange range;
	uint64 bytes;
	int64 rows;

	PreventCommandIfReadOnly("remove_rows()");
	rel = hz_timerange_open(PG_GETARG_OID(0), AccessExclusiveLock);
	range = range_argument(fcinfo, rel);
	rows = remove_whole_groups(rel, &range, GetLatestSnapshot(), &bytes);
	rows += remove_found(rel, &range);
	relation_close(rel, NoLock);
	PG_RETURN_INT64(rows);
}

static void
mark_validated(Oid constraint)
{
	Relation catalog = table_open(ConstraintRelationId, RowExclusiveLock);
	HeapTuple tuple = SearchSysCacheCopy1(CONSTROID, ObjectIdGetDatum(constraint));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	((Form_pg_constraint) GETSTRUCT(tuple))->convalidated = true;
	CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
	heap_freetuple(tuple);
	table_close(catalog, RowExclusiveLock);
}

/*
 * exclude_range(relation regclass, column_name name, lower timestamp, upper timestamp, constraint_name name): void
 *
 * Adds a CHECK that no row lies in the range, and looks whether that is so by an ordinary query, for which zone maps and indexes
 * do their part; ALTER TABLE would read the whole table. The caller drops the constraint.
 */
Datum
hz_exclude_range(PG_FUNCTION_ARGS)
{
	Relation rel;
	HzTimeRange range;
	const char *name;
	const char *condition;
	const char *constraint = NameStr(*PG_GETARG_NAME(4));
	const char *column;
	Oid relid = PG_GETARG_OID(0);

	PreventCommandIfReadOnly("exclude_range()");
	rel = hz_timerange_open(PG_GETARG_OID(0), AccessExclusiveLock);
	range = range_argument(fcinfo, rel);
	if (range.from == DT_NOBEGIN)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("lower bound must not be null")));
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row security hides rows of table \"%s\"", RelationGetRelationName(rel))));
	name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
	condition = hz_timerange_condition(rel, &range);
	column = quote_identifier(get_attname(relid, range.attnum, false));
	/* ALTER TABLE wants the table not to be in use */
	relation_close(rel, NoLock);
	SPI_connect();
	/* in the form in which ATTACH PARTITION asks for it */
	if (SPI_execute(
			psprintf("ALTER TABLE ONLY %s ADD CONSTRAINT %s CHECK (NOT (%s IS NOT NULL AND %s)) "
					 "NOT VALID",
					 name, quote_identifier(constraint), column, condition),
			false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "ALTER TABLE failed");
	if (SPI_execute(psprintf("SELECT FROM ONLY %s WHERE %s LIMIT 1", name, condition), false, 1) !=
			SPI_OK_SELECT ||
		SPI_processed != 0)
		ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
						errmsg("table %s holds rows of the range", name)));
	SPI_finish();
	mark_validated(get_relation_constraint_oid(relid, constraint, false));
	CacheInvalidateRelcacheByRelid(relid);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* The rest by DELETE, at most so many rows; negative: all. */
static int64
delete_found(Relation rel, const HzTimeRange *range, int64 limit)
{
	const char *name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												  RelationGetRelationName(rel));
	const char *condition = hz_timerange_condition(rel, range);
	StringInfoData sql;
	int64 rows;

	initStringInfo(&sql);
	appendStringInfo(&sql, "DELETE FROM ONLY %s WHERE %s", name, condition);
	if (limit >= 0)
		appendStringInfo(
			&sql,
			" AND ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT ctid FROM ONLY %s WHERE %s LIMIT " INT64_FORMAT
			"))",
			name, condition, limit);
	SPI_connect();
	if (SPI_execute(sql.data, false, 0) != SPI_OK_DELETE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a rule of table \"%s\" replaces DELETE", RelationGetRelationName(rel)),
				 errhint("Drop the rule, or the TTL with hanzo_datastore.set_ttl().")));
	rows = (int64) SPI_processed;
	SPI_finish();
	return rows;
}

/*
 * delete_range(relation regclass, column_name name, lower timestamp, upper timestamp, max_rows bigint, OUT rows bigint,
 *	OUT bytes bigint)
 */
Datum
hz_delete_range(PG_FUNCTION_ARGS)
{
	Relation rel;
	HzTimeRange range;
	TupleDesc desc;
	Datum values[2];
	bool nulls[2] = {false};
	uint64 bytes = 0;
	int64 rows = 0;

	PreventCommandIfReadOnly("delete_range()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation must not be null")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rel = hz_timerange_open(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
	range = range_argument(fcinfo, rel);
	if (hz_remove_unnoticed(rel))
		rows = remove_whole_groups(
			rel, &range,
			IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : GetLatestSnapshot(), &bytes);
	rows += delete_found(rel, &range, PG_ARGISNULL(4) ? -1 : PG_GETARG_INT64(4));
	relation_close(rel, NoLock);
	values[0] = Int64GetDatum(rows);
	values[1] = Int64GetDatum((int64) bytes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---- Others */

/* The virtual transactions of this database, but ours, that hold a snapshot now. */
static VirtualTransactionId *
snapshot_holders(int *count)
{
	return GetCurrentVirtualXIDs(InvalidTransactionId, true, false,
								 PROC_IS_AUTOVACUUM | PROC_IN_VACUUM, count);
}

static bool
is_among(VirtualTransactionId vxid, const VirtualTransactionId *list, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (VirtualTransactionIdEquals(vxid, list[i]))
			return true;
	}
	return false;
}

/*
 * wait_for_snapshots(milliseconds integer): boolean
 *
 * Waits until every transaction that holds a snapshot now has given it back. False: it took too long. A transaction that
 * takes a new one meanwhile counts as if it had kept the old one.
 */
Datum
hz_wait_for_snapshots(PG_FUNCTION_ARGS)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PG_GETARG_INT32(0));
	int waiting;
	VirtualTransactionId *holders = snapshot_holders(&waiting);

	while (waiting > 0)
	{
		int present;
		VirtualTransactionId *still = snapshot_holders(&present);
		int left = 0;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < waiting; i++)
		{
			if (is_among(holders[i], still, present))
				holders[left++] = holders[i];
		}
		pfree(still);
		waiting = left;
		if (waiting > 0 && GetCurrentTimestamp() >= end)
			PG_RETURN_BOOL(false);
		if (waiting > 0)
			pg_usleep(1000);
	}
	PG_RETURN_BOOL(true);
}

/*
 * lock_referenced(relation regclass): void
 *
 * Takes the locks that ATTACH PARTITION will want on the tables that a table of the caller's refers to, or fails at once.
 */
Datum
hz_lock_referenced(PG_FUNCTION_ARGS)
{
	Relation rel = hz_timerange_open(PG_GETARG_OID(0), AccessShareLock);
	ListCell *cell;

	foreach(cell, copyObject(RelationGetFKeyList(rel)))
	{
		ForeignKeyCacheInfo *key = lfirst(cell);

		if (!ConditionalLockRelationOid(key->confrelid, ShareRowExclusiveLock))
			ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
							errmsg("could not obtain lock on relation \"%s\"",
								   get_rel_name(key->confrelid))));
	}
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
