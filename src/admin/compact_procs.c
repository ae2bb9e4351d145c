/*
 * admin/compact_procs.c
 *	  CALL hanzo_datastore.compact(table), optimize(table), and their progress.
 *
 * Procedures, so that each round is a transaction of its own; like VACUUM they are refused inside a
 * transaction block, where they would hold up writers to its end and move rows under open cursors. Progress is kept in the backend's progress slots
 * under COPY's command with a command number that core does not use (pg_stat_progress_copy shows such a row
 * without a command name); hanzo_datastore.compaction_progress shows it.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/toasting.h"
#include "commands/progress.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/backend_progress.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "admin/compactstep.h"
#include "admin/inspect.h"
#include "am/columnar_am.h"
#include "admin/timerange.h"
#include "base/compat.h"
#include "storage/deltacount.h"
#include "write/compact.h"
#include "write/split.h"

PG_FUNCTION_INFO_V1(hanzo_compact);
PG_FUNCTION_INFO_V1(hanzo_optimize);
PG_FUNCTION_INFO_V1(hz_compact_step);
PG_FUNCTION_INFO_V1(hz_add_store);

#define PROGRESS_COMMAND 100 /* in PROGRESS_COPY_COMMAND: ours */
#define PROGRESS_ROWS_DONE PROGRESS_COPY_TUPLES_PROCESSED
#define PROGRESS_ROWS_TOTAL 10
#define PROGRESS_PHASE 11 /* HzCompactPhase */

/* One table's compaction across its transactions. */
typedef struct Job
{
	Oid relid;
	HzCompactProgress progress;
} Job;

typedef bool (*Step)(Relation rel, HzCompactProgress *progress);

/* Checks that the caller may compact the relation; opens it with the lock. NULL when it is gone. */
static Relation
open_for_compaction(Oid relid)
{
	char relkind = get_rel_relkind(relid);
	Relation rel;

	if (relkind == '\0')
		return NULL;
	/* before the lock, which others would wait for and autovacuum give way to; and again after it */
	hz_inspect_check_owner(relid);
	rel = try_relation_open(relid, ShareUpdateExclusiveLock);
	if (rel == NULL)
		return NULL;
	hz_inspect_check_owner(relid);
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE && !hz_am_is_columnar(rel))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a columnar table", RelationGetRelationName(rel)),
				 errhint("Columnar tables are made with CREATE TABLE ... USING hanzo_columnar or "
						 "ALTER TABLE ... SET ACCESS METHOD hanzo_columnar.")));
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot compact temporary tables of other sessions")));
	return rel;
}

static void
report(const HzCompactProgress *progress)
{
	const int index[] = {PROGRESS_COPY_COMMAND, PROGRESS_ROWS_DONE, PROGRESS_ROWS_TOTAL,
						 PROGRESS_PHASE};
	int64 values[4];

	values[0] = PROGRESS_COMMAND;
	values[1] = (int64) progress->done;
	values[2] = (int64) progress->total;
	values[3] = progress->phase;
	pgstat_progress_update_multi_param(4, index, values);
}

/* Runs one step as the table's owner; false when the step or the table is done. */
static bool
do_step(Job *job, Step step)
{
	Relation rel = open_for_compaction(job->relid);
	Oid user;
	int context;
	int nest;
	bool more;

	if (rel == NULL)
		return false;
	pgstat_progress_start_command(PROGRESS_COMMAND_COPY, job->relid);
	if (job->progress.phase != 0)
		report(&job->progress);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(rel->rd_rel->relowner, context | SECURITY_RESTRICTED_OPERATION);
	nest = NewGUCNestLevel();
	more = step(rel, &job->progress);
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(user, context);
	relation_close(rel, NoLock);
	pgstat_progress_end_command();
	return more;
}

/* The same in a transaction of its own. */
static bool
run_step(Job *job, Step step)
{
	bool more = do_step(job, step);

	SPI_commit();
	return more;
}

static bool
resort_step(Relation rel, HzCompactProgress *progress)
{
	hz_compact_resort(rel, progress);
	return false;
}

/* The planner scales what pg_class says by the table's size, which has changed. */
static bool
stats_step(Relation rel, HzCompactProgress *progress)
{
	if (!progress->refused)
		hz_am_update_stats(rel);
	return false;
}

static void
compact_table(Oid relid, MemoryContext context)
{
	Job job = {.relid = relid, .progress = {.context = context, .report = report}};

	while (run_step(&job, hz_compact_delta))
		CHECK_FOR_INTERRUPTS();
	while (run_step(&job, hz_compact_groups))
		CHECK_FOR_INTERRUPTS();
	while (run_step(&job, hz_compact_tidy))
		CHECK_FOR_INTERRUPTS();
	(void) run_step(&job, stats_step);
}

static void
optimize_table(Oid relid, MemoryContext context)
{
	Job job = {.relid = relid, .progress = {.context = context, .report = report}};

	while (run_step(&job, hz_compact_delta))
		CHECK_FOR_INTERRUPTS();
	(void) run_step(&job, resort_step);
	while (run_step(&job, hz_compact_tidy))
		CHECK_FOR_INTERRUPTS();
	(void) run_step(&job, stats_step);
}

/* ---- Compaction in transactions of somebody else's (maintain()) */

/* The attribute of a partition that its table's months go by; InvalidAttrNumber: there are none. */
static AttrNumber
month_attribute(Relation rel)
{
	Relation parent;
	PartitionKey key;
	AttrNumber attnum = InvalidAttrNumber;

	if (!rel->rd_rel->relispartition)
		return InvalidAttrNumber;
	parent = relation_open(get_partition_parent(RelationGetRelid(rel), false), AccessShareLock);
	key = RelationGetPartitionKey(parent);
	if (key->strategy == PARTITION_STRATEGY_RANGE && key->partnatts == 1 &&
		key->partattrs[0] != 0 && hz_timerange_is_time(key->parttypid[0]))
		attnum = get_attnum(RelationGetRelid(rel),
							get_attname(RelationGetRelid(parent), key->partattrs[0], false));
	relation_close(parent, NoLock);
	return attnum;
}

static bool
split_step(Relation rel, HzCompactProgress *progress)
{
	AttrNumber attnum = month_attribute(rel);

	return attnum != InvalidAttrNumber && hz_split_by_month(rel, attnum, progress);
}

/* Rows that are too few to be worth it go one by one later. */
static bool
delta_step(Relation rel, HzCompactProgress *progress)
{
	if (progress->phase != HZ_COMPACT_DELTA &&
		hz_deltacount(rel, GetActiveSnapshot(), NULL) < HZ_COMPACT_WORTH_ROWS)
		return false;
	return hz_compact_delta(rel, progress);
}

/* The steps of one table's compaction, in this order; and of a default partition's. */
static const Step compact_steps[] = {hz_compact_delta, hz_compact_groups, hz_compact_tidy,
									 stats_step, NULL};
static const Step split_steps[] = {delta_step, split_step, hz_compact_tidy, NULL};

/* The compaction under way in this session: kept from one transaction to the next. */
static struct
{
	Job job;
	MemoryContext context; /* NULL: none */
	const Step *steps;     /* to the next one */
	uint64 moved;          /* rows out of the delta */
} under_way;

void
hz_compact_forget(void)
{
	if (under_way.context != NULL)
		MemoryContextDelete(under_way.context);
	memset(&under_way, 0, sizeof(under_way));
}

bool
hz_compact_is_under_way(Oid relid)
{
	return under_way.context != NULL && under_way.job.relid == relid;
}

static void
begin_compaction(Oid relid, const Step *steps)
{
	hz_compact_forget();
	under_way.context =
		AllocSetContextCreate(TopMemoryContext, "hanzo compaction", ALLOCSET_DEFAULT_SIZES);
	under_way.steps = steps;
	under_way.job.relid = relid;
	under_way.job.progress.context = under_way.context;
	under_way.job.progress.report = report;
}

bool
hz_compact_round(Oid relid, bool by_month, uint64 *moved)
{
	volatile bool more = false;

	if (!hz_compact_is_under_way(relid))
		begin_compaction(relid, by_month ? split_steps : compact_steps);
	PG_TRY();
	{
		bool repeat = do_step(&under_way.job, *under_way.steps);

		if (under_way.job.progress.phase == HZ_COMPACT_DELTA)
			under_way.moved = under_way.job.progress.done;
		if (!repeat)
			under_way.steps++;
		more = *under_way.steps != NULL;
	}
	PG_CATCH();
	{
		hz_compact_forget();
		PG_RE_THROW();
	}
	PG_END_TRY();
	*moved = under_way.moved;
	if (!more)
		hz_compact_forget();
	return more;
}

/* compact_step(relation regclass): boolean */
Datum
hz_compact_step(PG_FUNCTION_ARGS)
{
	uint64 moved;

	PreventCommandIfReadOnly("compaction");
	PreventCommandIfParallelMode("compaction");
	if (get_rel_relkind(PG_GETARG_OID(0)) == RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is partitioned", get_rel_name(PG_GETARG_OID(0))),
						errhint("Name one of its partitions.")));
	PG_RETURN_BOOL(hz_compact_round(PG_GETARG_OID(0), false, &moved));
}

/* The tables to work on: the relation, or the columnar leaves of a partitioned one. In `context`. */
static List *
tables_of(Oid relid, MemoryContext context)
{
	Relation rel = open_for_compaction(relid);
	MemoryContext old;
	List *result;

	if (rel == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relid)));
	old = MemoryContextSwitchTo(context);
	result = hz_inspect_tables(relid);
	MemoryContextSwitchTo(old);
	relation_close(rel, NoLock);
	return result;
}

static void
for_each_table(FunctionCallInfo fcinfo, void (*work)(Oid relid, MemoryContext context))
{
	bool atomic = !(fcinfo->context != NULL && IsA(fcinfo->context, CallContext) &&
					!castNode(CallContext, fcinfo->context)->atomic);
	MemoryContext context =
		AllocSetContextCreate(PortalContext ? PortalContext : TopTransactionContext,
							  "hanzo compaction", ALLOCSET_SMALL_SIZES);
	Oid relid = PG_GETARG_OID(0);
	ListCell *cell;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation must not be null")));
	PreventCommandIfReadOnly("compaction");
	PreventCommandIfParallelMode("compaction");
	PreventCommandDuringRecovery("compaction");
	if (atomic)
		ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						errmsg("compaction cannot run inside a transaction block or a function"),
						errhint("CALL it on its own: it commits after every row group.")));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	/* in a DO block: what it has done so far must not be part of the first round */
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		SPI_commit();
	foreach(cell, tables_of(relid, context))
	{
		MemoryContext table_context =
			AllocSetContextCreate(context, "hanzo compaction of a table", ALLOCSET_DEFAULT_SIZES);

		work(lfirst_oid(cell), table_context);
		MemoryContextDelete(table_context);
	}
	SPI_finish();
	MemoryContextDelete(context);
}

Datum
hanzo_compact(PG_FUNCTION_ARGS)
{
	for_each_table(fcinfo, compact_table);
	PG_RETURN_VOID();
}

Datum
hanzo_optimize(PG_FUNCTION_ARGS)
{
	for_each_table(fcinfo, optimize_table);
	PG_RETURN_VOID();
}

Datum
hz_add_store(PG_FUNCTION_ARGS)
{
	const Oid relid = PG_GETARG_OID(0);
	Relation rel;
	bool lacks_store;

	hz_inspect_check_owner(relid);
	rel = relation_open(relid, AccessExclusiveLock);
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot act on temporary tables of other sessions")));
	lacks_store = hz_am_is_columnar(rel) && !OidIsValid(rel->rd_rel->reltoastrelid);
	relation_close(rel, NoLock);
	if (lacks_store)
		NewRelationCreateToastTable(relid, (Datum) 0);
	PG_RETURN_VOID();
}
