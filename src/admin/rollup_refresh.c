/*
 * admin/rollup_refresh.c
 *	  hanzo_datastore.refresh_rollup_step(): brings the stored states of a rollup up to date, for a bounded time.
 *
 * In one snapshot, taken after the rollup's lock: stale buckets are computed by the rollup's own view, which is told to take them,
 * and nothing else, for stale (rollup/stale.h); their stored states are replaced, groups that vanished go; the marks that the snapshot
 * saw are deleted, and put back for what there was no time for. What commits later has marks of its own (rollup/note.h).
 *
 * The open tail becomes shorter in two steps (PROTOCOLS 6.2): mark_before is raised and committed; a later call notes the
 * next transaction id X; and when all transactions before X have ended, every writer marks what lies below mark_before, and live_from may
 * follow. X must be the next id, not a snapshot's xmax, which is the last completed one + 1: a running transaction may
 * have it already.
 *
 * Stored states are not decoded: a subscriber makes its own.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "admin/inspect.h"
#include "base/compat.h"
#include "rollup/note.h"
#include "rollup/registry.h"
#include "rollup/stale.h"

PG_FUNCTION_INFO_V1(hz_rollup_refresh);

#define FETCH_ROWS 1000
#define FIRST_SPAN USECS_PER_DAY /* of the times that are computed at once, to begin with */
#define SHORT_STEP (USECS_PER_SEC / 4)

typedef struct Refresh
{
	HzRollup rollup;
	HzRollupProgress progress;
	Snapshot snapshot;
	Relation states;
	char *states_name;
	char *view_name;
	char *bucket;         /* its column in states */
	char *view_bucket;    /* and in the view */
	bool bucket_is_local; /* it is a timestamp */
	AttrNumber source_view_time;
	EState *estate;
	ResultRelInfo *info;
	TimestampTz deadline;
	int64 span;
	int64 rows;
	bool changed;  /* progress */
	bool advanced; /* a step towards a shorter tail was taken */
} Refresh;

static char *
qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

static Oid
owner_of(Oid relid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relid),
						errhint("See hanzo_datastore.rollups.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* The transaction id with its epoch. */
static uint64
full_xid(TransactionId xid)
{
	uint64 next = U64FromFullTransactionId(ReadNextFullTransactionId());

	return next + (int64) (int32) (xid - (TransactionId) next);
}

static void
run(const char *command, int nargs, Oid *types, Datum *values, int expected)
{
	int result = SPI_execute_with_args(command, nargs, types, values, NULL, true, 0);

	if (result != expected)
		elog(ERROR, "\"%s\" failed: %s", command, SPI_result_code_string(result));
}

/* A condition on the bucket's column that an index can serve. */
static char *
between(const Refresh *r, const char *bucket)
{
	return r->bucket_is_local
			   ? psprintf("%s >= ($1 AT TIME ZONE 'UTC') AND %s < ($2 AT TIME ZONE 'UTC')", bucket,
						  bucket)
			   : psprintf("%s >= $1 AND %s < $2", bucket, bucket);
}

static void
delete_stored(Refresh *r, const HzRange *range)
{
	Oid types[2] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum values[2] = {TimestampTzGetDatum(range->from), TimestampTzGetDatum(range->to)};

	run(psprintf("SELECT ctid FROM %s WHERE %s", r->states_name, between(r, r->bucket)), 2, types,
		values, SPI_OK_SELECT);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;
		Datum tid = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		simple_heap_delete(r->states, (ItemPointer) DatumGetPointer(tid));
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
insert_state(Refresh *r, HeapTuple tuple, TupleDesc desc, TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	heap_deform_tuple(tuple, desc, slot->tts_values, slot->tts_isnull);
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(r->states, slot, GetCurrentCommandId(true), TABLE_INSERT_NO_LOGICAL, NULL);
	if (r->info->ri_NumIndices > 0)
		list_free(hz_compat_insert_index_tuples(r->info, slot, r->estate));
	ResetPerTupleExprContext(r->estate);
	r->rows++;
}

/* The view, told that these ranges are stale, computes them; what it gives is stored. */
static void
insert_computed(Refresh *r, const HzRange *ranges, uint32 count)
{
	Oid types[3] = {TIMESTAMPTZOID, TIMESTAMPTZOID, TSTZMULTIRANGEOID};
	Datum values[3];
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(r->states), &TTSOpsVirtual);
	SPIPlanPtr plan;
	Portal portal;

	hz_stale_pretend(r->rollup.states, ranges, count);
	values[0] = TimestampTzGetDatum(ranges[0].from);
	values[1] = TimestampTzGetDatum(ranges[count - 1].to);
	values[2] = hz_stale_multirange(ranges, count);
	plan = SPI_prepare(
		psprintf("SELECT * FROM %s WHERE %s AND %s <@ $3", r->view_name, between(r, r->view_bucket),
				 r->bucket_is_local ? psprintf("(%s AT TIME ZONE 'UTC')", r->view_bucket)
									: r->view_bucket),
		3, types);
	if (plan == NULL)
		elog(ERROR, "the query of rollup \"%s\" cannot be prepared: %s", r->view_name,
			 SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, values, NULL, true);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
			insert_state(r, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, slot);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
	hz_stale_pretend(InvalidOid, NULL, 0);
	ExecDropSingleTupleTableSlot(slot);
}

static void
replace_states(Refresh *r, const HzRange *ranges, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
		delete_stored(r, &ranges[i]);
	/* so that the new states do not meet the old ones in unique indexes */
	CommandCounterIncrement();
	insert_computed(r, ranges, count);
	CommandCounterIncrement();
}

static bool
has_time(const Refresh *r)
{
	return GetCurrentTimestamp() < r->deadline;
}

/* Computes [from, to) piece by piece; returns where it has got to. */
static Timestamp
work_through(Refresh *r, Timestamp from, Timestamp to)
{
	while (from < to && has_time(r))
	{
		TimestampTz start = GetCurrentTimestamp();
		HzRange piece = {from, to};

		if (to - from > r->span)
		{
			piece.to = hz_bucket_next(&r->rollup.bucket,
									  hz_bucket_floor(&r->rollup.bucket, from + r->span - 1));
			piece.to = Min(piece.to, to);
		}
		replace_states(r, &piece, 1);
		from = piece.to;
		if (GetCurrentTimestamp() - start < SHORT_STEP)
			r->span = Min(r->span * 2, USECS_PER_DAY * 36525);
	}
	return from;
}

/* The least bucket that the source has rows of; DT_NOEND: none that is finite. */
static Timestamp
first_bucket(Refresh *r)
{
	const Oid from = OidIsValid(r->rollup.source_view) ? r->rollup.source_view : r->rollup.source;
	const AttrNumber attnum =
		OidIsValid(r->rollup.source_view) ? r->source_view_time : r->rollup.source_time;
	const char *column = quote_identifier(get_attname(from, attnum, false));
	Timestamp result = DT_NOEND;
	bool isnull;
	Datum value;

	run(psprintf("SELECT min(%s) FROM %s WHERE %s > '-infinity'", column, qualified_name(from),
				 column),
		0, NULL, NULL, SPI_OK_SELECT);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		result = hz_rollup_time(get_atttype(from, attnum), value);
	SPI_freetuptable(SPI_tuptable);
	return TIMESTAMP_NOT_FINITE(result) ? DT_NOEND : hz_bucket_floor(&r->rollup.bucket, result);
}

/* Shortens the open tail as far as all writers leave marks. */
static void
advance(Refresh *r, TimestampTz now)
{
	HzRollupProgress *p = &r->progress;
	Timestamp target = hz_bucket_floor(&r->rollup.bucket, now - r->rollup.lag);

	if (p->live_from < p->mark_before)
	{
		/* who reads the older mark_before may begin until the raise is committed */
		if (TransactionIdIsCurrentTransactionId(p->xmin))
			return;
		if (p->advance_xid == 0 || p->system != (int64) GetSystemIdentifier())
		{
			p->advance_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
			p->system = (int64) GetSystemIdentifier();
			r->changed = r->advanced = true;
		}
		else if (full_xid(r->snapshot->xmin) >= p->advance_xid)
		{
			Timestamp from = p->live_from;

			if (TIMESTAMP_IS_NOBEGIN(from))
				from = Min(first_bucket(r), p->mark_before);
			p->live_from = work_through(r, from, p->mark_before);
			r->changed = r->advanced = true;
		}
	}
	if (p->live_from == p->mark_before && target > p->mark_before)
	{
		p->mark_before = target;
		p->advance_xid = 0;
		r->changed = r->advanced = true;
	}
}

/* All marks that the snapshot sees go; those for which there was no time come back as what is left of them. */
static void
settle_marks(Refresh *r, const HzRange *left, uint32 count)
{
	Relation marks = hz_rollup_open_marks(r->rollup.marks, RowExclusiveLock);
	TableScanDesc scan = table_beginscan(marks, r->snapshot, 0, NULL);
	TupleTableSlot *slot = table_slot_create(marks, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		simple_heap_delete(marks, &slot->tts_tid);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	for (uint32 i = 0; i < count; i++)
		hz_note_insert(marks, left[i].from, left[i].to, GetCurrentCommandId(true));
	table_close(marks, NoLock);
	hz_note_forget(r->rollup.states);
}

/* Replaces the marked buckets. Returns whether some are left. */
static bool
replace_stale(Refresh *r, const HzRange *stale, uint32 count)
{
	HzRange *left = palloc(sizeof(HzRange) * Max(count, 1));
	uint32 done = 0;
	uint32 n = 0;

	/* single buckets many at once, long ranges in pieces */
	while (done < count && has_time(r))
	{
		uint32 last = done;
		int64 span = stale[done].to - stale[done].from;

		if (span > r->span)
		{
			Timestamp reached = work_through(r, stale[done].from, stale[done].to);

			if (reached < stale[done].to)
				left[n++] = (HzRange){reached, stale[done].to};
			done++;
			continue;
		}
		while (last + 1 < count && span + (stale[last + 1].to - stale[last + 1].from) <= r->span)
		{
			last++;
			span += stale[last].to - stale[last].from;
		}
		replace_states(r, &stale[done], last + 1 - done);
		done = last + 1;
	}
	while (done < count)
		left[n++] = stale[done++];
	settle_marks(r, left, n);
	return n > 0;
}

/* What the snapshot sees must be the latest, or the transaction is one of REPEATABLE READ that another refresh has overtaken. */
static void
read_progress(Refresh *r)
{
	HzRollupProgress latest;

	if (!hz_rollup_progress(r->rollup.states, r->snapshot, &r->progress) ||
		!hz_rollup_progress(r->rollup.states, GetLatestSnapshot(), &latest) ||
		!ItemPointerEquals(&r->progress.tid, &latest.tid))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to a concurrent refresh of the rollup"),
				 errhint("Run the transaction again, or refresh outside of it.")));
}

static void
check_shapes(Refresh *r)
{
	Relation view = relation_open(r->rollup.view, AccessShareLock);
	TupleDesc a = RelationGetDescr(view);
	TupleDesc b = RelationGetDescr(r->states);
	bool same = r->states->rd_rel->relam == HEAP_TABLE_AM_OID && a->natts == b->natts;

	for (int i = 0; same && i < a->natts; i++)
		same = TupleDescAttr(a, i)->atttypid == TupleDescAttr(b, i)->atttypid;
	relation_close(view, NoLock);
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tables of rollup %s have been altered", r->view_name),
				 errhint("Drop the rollup with hanzo_datastore.drop_rollup() and make it anew.")));
}

static void
open_refresh(Refresh *r, Oid states)
{
	HzRollup below;

	if (!hz_rollup_find(states, &r->rollup))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("table \"%s\" holds no states of a rollup", get_rel_name(states)),
						errhint("See hanzo_datastore.rollups.")));
	r->states = table_open(states, RowExclusiveLock);
	r->states_name = qualified_name(states);
	r->view_name = qualified_name(r->rollup.view);
	check_shapes(r);
	r->bucket = pstrdup(quote_identifier(get_attname(states, r->rollup.time, false)));
	r->bucket_is_local = get_atttype(states, r->rollup.time) == TIMESTAMPOID;
	r->view_bucket = pstrdup(quote_identifier(get_attname(r->rollup.view, r->rollup.time, false)));
	if (OidIsValid(r->rollup.source_view))
	{
		if (!hz_rollup_find_view(r->rollup.source_view, &below))
			elog(ERROR, "the rollup that %s is made of has vanished", r->view_name);
		r->source_view_time = below.time;
	}
	r->estate = CreateExecutorState();
	r->info = makeNode(ResultRelInfo);
	InitResultRelInfo(r->info, r->states, 1, NULL, 0);
	ExecOpenIndices(r->info, false);
	r->span = Max(FIRST_SPAN, r->rollup.bucket.width);
}

static void
close_refresh(Refresh *r)
{
	ExecCloseIndices(r->info);
	FreeExecutorState(r->estate);
	table_close(r->states, NoLock);
}

/* Returns whether there is more to do that can be done now. */
static bool
refresh(Refresh *r, Oid states, TimestampTz now)
{
	HzRange *stale;
	uint32 count;
	int64 late = 0;
	bool more;

	open_refresh(r, states);
	read_progress(r);
	stale = hz_stale_ranges(r->rollup.marks, r->snapshot, &r->progress, &count, &late);
	r->progress.late_changes += late;
	more = false;
	if (count > 0 || late > 0)
	{
		const TimestampTz end = r->deadline;

		/* half of the time: however many marks come, the tail must not grow */
		r->deadline -= (end - GetCurrentTimestamp()) / 2;
		more = replace_stale(r, stale, count);
		r->deadline = end;
		/* so that its tuple tells when stored states changed last */
		r->changed = true;
	}
	advance(r, now);
	if (r->changed)
		hz_rollup_store_progress(states, &r->progress);
	close_refresh(r);
	/* each step of the advance needs a transaction of its own */
	return more || r->advanced;
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("arguments must not be null"),
					 errhint("Leave an argument out to get its default.")));
	hz_inspect_check_owner(PG_GETARG_OID(0));
	PreventCommandIfReadOnly("refresh of a rollup");
	PreventCommandIfParallelMode("refresh of a rollup");
	PreventCommandDuringRecovery("refresh of a rollup");
}

Datum
hz_rollup_refresh(PG_FUNCTION_ARGS)
{
	Refresh r = {.rows = 0};
	TupleDesc desc;
	Datum values[3];
	bool nulls[3] = {false, false, false};
	Oid states = PG_GETARG_OID(0);
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(1);
	Oid user;
	int context;
	int nest;
	bool more;

	check_arguments(fcinfo);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 3)
		elog(ERROR, "refresh_rollup_step() has another result than expected");
	if (TIMESTAMP_NOT_FINITE(now))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the time of a refresh must be finite"),
						errhint("Leave the argument out.")));
	/* refreshes of one rollup, and whoever removes old rows of its table, one after the other */
	LockDatabaseObject(RelationRelationId, states, 1, ShareUpdateExclusiveLock);
	r.deadline = GetCurrentTimestamp() + PG_GETARG_INT64(2) * 1000;
	r.snapshot = RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot()
															  : GetLatestSnapshot());
	PushActiveSnapshot(r.snapshot);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner_of(states), context | SECURITY_RESTRICTED_OPERATION);
	/* what the owner's functions set ends here */
	nest = NewGUCNestLevel();
	SPI_connect();
	more = refresh(&r, states, now);
	SPI_finish();
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(user, context);
	PopActiveSnapshot();
	UnregisterSnapshot(r.snapshot);
	values[0] = Int64GetDatum(r.rows);
	values[1] = TimestampTzGetDatum(r.progress.live_from);
	values[2] = BoolGetDatum(more);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
