/*
 * rollup/stale.c
 *	  What a rollup's view computes from the table, and the two functions by which it asks. See stale.h.
 *
 * Both functions answer as of the snapshot of the statement that calls them; they are stable, so that partitions and row
 * groups are pruned when a plan starts. What they tell, times at which something was written, is no secret from whoever may read the view, and
 * they are all that a view's reader needs the tables of marks and progress for.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "rollup/stale.h"

PG_FUNCTION_INFO_V1(hz_rollup_live_from);
PG_FUNCTION_INFO_V1(hz_rollup_stale);
PG_FUNCTION_INFO_V1(hz_rollup_stale_ranges);
PG_FUNCTION_INFO_V1(hz_rollup_stale_count);

static Oid pretended = InvalidOid;
static const HzRange *pretended_ranges = NULL; /* in memory that an error takes away */
static uint32 pretended_count = 0;

static int
compare_ranges(const void *a, const void *b)
{
	Timestamp x = ((const HzRange *) a)->from;
	Timestamp y = ((const HzRange *) b)->from;

	return x < y ? -1 : x > y;
}

/* Sorts ranges and joins those that touch; returns how many are left. */
static uint32
join_ranges(HzRange *ranges, uint32 count)
{
	uint32 n = 0;

	if (count == 0)
		return 0;
	qsort(ranges, count, sizeof(HzRange), compare_ranges);
	for (uint32 i = 1; i < count; i++)
	{
		if (ranges[i].from <= ranges[n].to)
			ranges[n].to = Max(ranges[n].to, ranges[i].to);
		else
			ranges[++n] = ranges[i];
	}
	return n + 1;
}

HzRange *
hz_stale_ranges(Oid marks, Snapshot snapshot, const HzRollupProgress *progress, uint32 *count,
				int64 *late)
{
	const Timestamp least = Max(progress->frozen_before, MIN_TIMESTAMP);
	Relation rel = hz_rollup_open_marks(marks, AccessShareLock);
	TableScanDesc scan;
	TupleTableSlot *slot;
	uint32 room = 64;
	HzRange *ranges;
	uint32 n = 0;

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE), errmsg("the marks of the rollup are gone"),
				 errhint("Drop the rollup with hanzo_datastore.drop_rollup() and make it anew.")));
	scan = table_beginscan(rel, snapshot, 0, NULL);
	slot = table_slot_create(rel, NULL);
	ranges = palloc(sizeof(HzRange) * room);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		HzRange range;
		bool isnull;

		range.from = DatumGetTimestamp(slot_getattr(slot, 1, &isnull));
		range.to = DatumGetTimestamp(slot_getattr(slot, 2, &isnull));
		if (late != NULL && range.from < progress->frozen_before)
			(*late)++;
		range.from = Max(range.from, least);
		range.to = Min(range.to, progress->live_from);
		if (range.from >= range.to)
			continue;
		/* marks of one bucket come one after the other */
		if (n > 0 && ranges[n - 1].from == range.from && ranges[n - 1].to == range.to)
			continue;
		if (n == room)
			ranges = repalloc_huge(ranges, sizeof(HzRange) * (room *= 2));
		ranges[n++] = range;
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	*count = join_ranges(ranges, n);
	return ranges;
}

void
hz_stale_pretend(Oid states, const HzRange *ranges, uint32 count)
{
	pretended = states;
	pretended_ranges = ranges;
	pretended_count = count;
}

static void
read_progress(Oid states, HzRollupProgress *progress)
{
	char *name;

	if (hz_rollup_progress(states, GetActiveSnapshot(), progress))
	{
		if (get_rel_persistence(states) != RELPERSISTENCE_PERMANENT)
			ereport(
				ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" holds the states of a rollup and is unlogged",
						get_rel_name(states)),
				 errdetail("A crash of the server empties it."),
				 errhint(
					 "ALTER TABLE ... SET LOGGED, unless the server has crashed since; or drop the rollup with "
					 "hanzo_datastore.drop_rollup() and make it anew.")));
		return;
	}
	name = get_rel_name(states);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("relation \"%s\" holds no states of a rollup",
					name != NULL ? name : psprintf("%u", states)),
			 errdetail("The view was restored without the extension's own tables, or the rollup is "
					   "newer than the snapshot."),
			 errhint("Drop the view and its tables, and make it anew with "
					 "hanzo_datastore.create_rollup().")));
}

Datum
hz_rollup_live_from(PG_FUNCTION_ARGS)
{
	Oid states = PG_GETARG_OID(0);
	HzRollupProgress progress;

	if (OidIsValid(states) && states == pretended)
		PG_RETURN_TIMESTAMPTZ(DT_NOEND);
	read_progress(states, &progress);
	PG_RETURN_TIMESTAMPTZ(progress.live_from);
}

bool
hz_stale_is_live_from(Oid function)
{
	char *name = get_func_name(function);
	char *schema = name == NULL || strcmp(name, "rollup_live_from") != 0
					   ? NULL
					   : get_namespace_name(get_func_namespace(function));

	return schema != NULL && strcmp(schema, "hanzo_datastore") == 0;
}

Datum
hz_stale_multirange(const HzRange *ranges, uint32 count)
{
	TypeCacheEntry *cache = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeType **members = palloc(sizeof(RangeType *) * Max(count, 1));

	for (uint32 i = 0; i < count; i++)
	{
		RangeBound lower = {
			.val = TimestampTzGetDatum(ranges[i].from), .inclusive = true, .lower = true};
		RangeBound upper = {
			.val = TimestampTzGetDatum(ranges[i].to), .inclusive = false, .lower = false};

		members[i] = hz_compat_make_range(cache, &lower, &upper);
	}
	return MultirangeTypePGetDatum(
		make_multirange(TSTZMULTIRANGEOID, cache, (int32) count, members));
}

/* The ranges that the view of a rollup computes anew. */
static const HzRange *
ranges_of(Oid states, uint32 *count)
{
	HzRollupProgress progress;
	HzRollup rollup;

	if (OidIsValid(states) && states == pretended)
	{
		*count = pretended_count;
		return pretended_ranges;
	}
	read_progress(states, &progress);
	/* not from the caller's second argument, which is there for the view to depend on that table */
	if (!hz_rollup_find(states, &rollup))
		elog(ERROR, "rollup of table %u has vanished", states);
	return hz_stale_ranges(rollup.marks, GetActiveSnapshot(), &progress, count, NULL);
}

Datum
hz_rollup_stale(PG_FUNCTION_ARGS)
{
	uint32 count;
	const HzRange *ranges = ranges_of(PG_GETARG_OID(0), &count);

	PG_RETURN_DATUM(hz_stale_multirange(ranges, count));
}

Datum
hz_rollup_stale_ranges(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	uint32 count;
	const HzRange *ranges;

	InitMaterializedSRF(fcinfo, 0);
	ranges = ranges_of(PG_GETARG_OID(0), &count);
	for (uint32 i = 0; i < count; i++)
	{
		Datum values[2] = {TimestampTzGetDatum(ranges[i].from), TimestampTzGetDatum(ranges[i].to)};
		bool nulls[2] = {false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
hz_rollup_stale_count(PG_FUNCTION_ARGS)
{
	Oid states = PG_GETARG_OID(0);
	HzRollupProgress progress;
	HzRollup rollup;
	uint32 count;

	if (!hz_rollup_progress(states, GetActiveSnapshot(), &progress) ||
		!hz_rollup_find(states, &rollup) || !hz_rollup_marks_intact(rollup.marks))
		PG_RETURN_NULL();
	(void) hz_stale_ranges(rollup.marks, GetActiveSnapshot(), &progress, &count, NULL);
	PG_RETURN_INT64(count);
}

static void
xact_callback(XactEvent event, void *arg)
{
	hz_stale_pretend(InvalidOid, NULL, 0);
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				 void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		hz_stale_pretend(InvalidOid, NULL, 0);
}

void
hz_stale_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}
