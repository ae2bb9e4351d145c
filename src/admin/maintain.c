/*
 * admin/maintain.c
 *	  One step of maintain(): guard, the owner's rights, errors caught, the log.
 *
 * A step is a kind (months, strays, ttl, compact, rollup) and a table. Its work is done by the SQL function
 * hanzo_datastore.step_<kind>(regclass, timestamptz), which returns NULL when there is nothing to do, '' when there is more to do
 * that is not worth a line, else what it has done. run_step() is called in a transaction of its own by the procedure maintain().
 *
 * Two sessions never work at the same step: each takes a heavyweight lock, held to the end of its transaction, without waiting.
 * The tag is that of an object of class pg_extension with the table's OID, which nothing else locks.
 *
 * The tables of the log belong to the extension's owner and nobody else may write them: this file does, as that owner, about
 * tables of the caller's.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid_d.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "admin/compactstep.h"
#include "admin/inspect.h"
#include "admin/timerange.h"
#include "am/columnar_am.h"
#include "base/compat.h"
#include "storage/deltacount.h"

PG_FUNCTION_INFO_V1(hz_file_size);
PG_FUNCTION_INFO_V1(hz_may_see_jobs);
PG_FUNCTION_INFO_V1(hz_run_step);
PG_FUNCTION_INFO_V1(hz_step_compact);
PG_FUNCTION_INFO_V1(hz_delta_rows);
PG_FUNCTION_INFO_V1(hz_split_step);
PG_FUNCTION_INFO_V1(hz_log_removal);
PG_FUNCTION_INFO_V1(hz_end_maintenance);

#define SCHEMA "hanzo_datastore"

/* The lock's sub-id of each kind: its place here. */
static const char *const kinds[] = {"months", "ttl", "strays", "compact", "rollup"};

/* ---- Writing the log */

/* To the end of the present level of settings: names without a schema are core's. */
static void
set_search_path(void)
{
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Runs a statement as the owner of the log's tables. */
static void
write_log(const char *sql, int count, Oid *types, Datum *values, const bool *isnull)
{
	Relation state = table_openrv(makeRangeVar(SCHEMA, "maintenance_state", -1), RowExclusiveLock);
	char nulls[8];
	Oid user;
	int context;
	int nest = NewGUCNestLevel();

	for (int i = 0; i < count; i++)
		nulls[i] = isnull[i] ? 'n' : ' ';
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(state->rd_rel->relowner,
						   context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	set_search_path();
	SPI_connect();
	if (SPI_execute_with_args(sql, count, types, values, nulls, false, 0) < 0)
		elog(ERROR, "the log of maintenance cannot be written");
	SPI_finish();
	AtEOXact_GUC(true, nest);
	SetUserIdAndSecContext(user, context);
	table_close(state, NoLock);
}

/* What became of a step. */
typedef struct Outcome
{
	char *done;  /* NULL: there was nothing to do */
	char *error; /* NULL: none */
	char sqlstate[6];
	bool patient; /* it will go better in a minute: a lock, a deadlock */
} Outcome;

static void
log_outcome(const char *kind, Oid relid, const char *seen, TimestampTz began,
			const Outcome *outcome)
{
	Oid types[] = {TEXTOID, OIDOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID};
	Datum values[8];
	bool nulls[8] = {false};

	if (outcome->error == NULL && outcome->done != NULL && outcome->done[0] == '\0')
		return;
	values[0] = CStringGetTextDatum(kind);
	values[1] = ObjectIdGetDatum(relid);
	nulls[2] = seen == NULL || outcome->done != NULL || outcome->error != NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(seen);
	values[3] = TimestampTzGetDatum(began);
	nulls[4] = outcome->done == NULL;
	values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(outcome->done);
	nulls[5] = outcome->error == NULL;
	values[5] = nulls[5] ? (Datum) 0 : CStringGetTextDatum(outcome->error);
	nulls[6] = nulls[5];
	values[6] = nulls[6] ? (Datum) 0 : CStringGetTextDatum(outcome->sqlstate);
	values[7] = BoolGetDatum(outcome->patient);
	write_log(
		"INSERT INTO hanzo_datastore.maintenance_state AS s"
		" (kind, relation, seen, last_run, duration, result, error, sqlstate, failures, next_run)"
		" VALUES ($1, $2, $3, $4, clock_timestamp() - $4, $5, $6, $7, ($6 IS NOT NULL)::int,"
		"  CASE WHEN $6 IS NOT NULL THEN clock_timestamp() + interval '45 seconds' END)"
		" ON CONFLICT (kind, relation) DO UPDATE SET seen = excluded.seen,"
		"  last_run = excluded.last_run, duration = excluded.duration,"
		"  result = CASE WHEN $5 IS NULL AND $6 IS NULL THEN s.result ELSE $5 END,"
		"  error = $6, sqlstate = $7,"
		"  failures = CASE WHEN $6 IS NULL THEN 0 ELSE s.failures + 1 END,"
		"  next_run = CASE WHEN $6 IS NULL THEN NULL WHEN $8 THEN excluded.next_run"
		"   ELSE clock_timestamp() + make_interval(secs => 60 * least(60, 2 ^ least(s.failures, 10)) - 15) END"
		/* what was seen before is not written again */
		" WHERE $5 IS NOT NULL OR $6 IS NOT NULL OR s.error IS NOT NULL OR s.seen IS DISTINCT FROM excluded.seen",
		8, types, values, nulls);
	if (outcome->done == NULL && outcome->error == NULL)
		return;
	write_log("INSERT INTO hanzo_datastore.maintenance_log"
			  " (kind, relation, relation_name, ran_at, duration, result, error, sqlstate)"
			  " VALUES ($1, $2, $2::regclass::text, $4, clock_timestamp() - $4, $5, $6, $7)",
			  7, types, values, nulls);
}

/* ---- Running a step */

static int
kind_number(const char *kind)
{
	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kind, kinds[i]) == 0)
			return i;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("there is no maintenance step \"%s\"", kind)));
}

/* False: another session is at this step. */
static bool
lock_step(int kind, Oid relid)
{
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, relid, kind + 1);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

static char *
call_step(const char *kind, Oid relid, TimestampTz now)
{
	Oid types[] = {REGCLASSOID, TIMESTAMPTZOID};
	List *name = list_make2(makeString(SCHEMA), makeString(psprintf("step_%s", kind)));
	FmgrInfo function;
	LOCAL_FCINFO(call, 2);
	Datum result;

	fmgr_info(LookupFuncName(name, 2, types, false), &function);
	InitFunctionCallInfoData(*call, &function, 2, InvalidOid, NULL, NULL);
	call->args[0].value = ObjectIdGetDatum(relid);
	call->args[0].isnull = false;
	call->args[1].value = TimestampTzGetDatum(now);
	call->args[1].isnull = false;
	result = FunctionCallInvoke(call);
	return call->isnull ? NULL : TextDatumGetCString(result);
}

static bool
is_patient(int sqlstate)
{
	return sqlstate == ERRCODE_LOCK_NOT_AVAILABLE || sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED ||
		   sqlstate == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

/* Cancelling maintain() ends it; so does what ends the session. */
static bool
ends_maintenance(const ErrorData *error)
{
	return error->elevel > ERROR || error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
		   ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION;
}

/* In a subtransaction, so that an error takes back all that the step has done and nothing else. */
static void
try_step(const char *kind, Oid relid, TimestampTz now, Outcome *outcome)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Oid user;
	int security;

	GetUserIdAndSecContext(&user, &security);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		Oid table_owner = InvalidOid;
		Relation rel = try_relation_open(relid, AccessShareLock);
		int nest = NewGUCNestLevel();

		if (rel != NULL)
		{
			table_owner = rel->rd_rel->relowner;
			relation_close(rel, NoLock);
		}
		/* the owner's code must not run with rights that are more than his */
		if (OidIsValid(table_owner) && table_owner != user)
			SetUserIdAndSecContext(table_owner, security | SECURITY_RESTRICTED_OPERATION);
		set_search_path();
		if (OidIsValid(table_owner))
			outcome->done = call_step(kind, relid, now);
		AtEOXact_GUC(false, nest);
		SetUserIdAndSecContext(user, security);
		if (outcome->done != NULL)
			outcome->done = MemoryContextStrdup(context, outcome->done);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (ends_maintenance(error))
			ReThrowError(error);
		outcome->done = NULL;
		outcome->error = error->message;
		strlcpy(outcome->sqlstate, unpack_sql_state(error->sqlerrcode), sizeof(outcome->sqlstate));
		outcome->patient = is_patient(error->sqlerrcode);
	}
	PG_END_TRY();
}

/* run_step(kind text, relation regclass, now timestamptz, seen text, until timestamptz): boolean */
Datum
hz_run_step(PG_FUNCTION_ARGS)
{
	char *kind;
	Oid relid;
	char *seen;
	Outcome outcome = {0};
	TimestampTz began = GetCurrentTimestamp();

	PreventCommandIfReadOnly("maintenance");
	PreventCommandIfParallelMode("maintenance");
	PreventCommandDuringRecovery("maintenance");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4))
		PG_RETURN_BOOL(false);
	kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = PG_GETARG_OID(1);
	seen = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	if (get_rel_relkind(relid) == '\0')
		PG_RETURN_BOOL(false);
	hz_inspect_check_owner(relid);
	if (!lock_step(kind_number(kind), relid))
		PG_RETURN_BOOL(false);
	try_step(kind, relid, PG_GETARG_TIMESTAMPTZ(2), &outcome);
	log_outcome(kind, relid, seen, began, &outcome);
	PG_RETURN_BOOL(outcome.done != NULL && GetCurrentTimestamp() < PG_GETARG_TIMESTAMPTZ(4));
}

/* ---- Compaction as a step */

static uint64
rows_in_delta(Oid relid)
{
	Relation rel = try_relation_open(relid, AccessShareLock);
	uint64 rows = 0;

	if (rel != NULL && hz_am_is_columnar(rel))
		rows = hz_deltacount(rel, GetActiveSnapshot(), NULL);
	if (rel != NULL)
		relation_close(rel, NoLock);
	return rows;
}

/* step_compact(relation regclass, now timestamptz): text */
Datum
hz_step_compact(PG_FUNCTION_ARGS)
{
	Oid relid = PG_GETARG_OID(0);
	uint64 moved;

	if (!hz_compact_is_under_way(relid) && rows_in_delta(relid) < HZ_COMPACT_WORTH_ROWS)
		PG_RETURN_NULL();
	if (hz_compact_round(relid, false, &moved))
		PG_RETURN_TEXT_P(cstring_to_text(""));
	if (moved == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(
		cstring_to_text(psprintf("moved " UINT64_FORMAT " rows into row groups", moved)));
}

/*
 * split_step(relation regclass): boolean
 *
 * One round of compaction of a default partition, in which each group gets rows of one month; false: that was the last one.
 */
Datum
hz_split_step(PG_FUNCTION_ARGS)
{
	Oid relid = PG_GETARG_OID(0);
	Relation rel = hz_timerange_open(relid, AccessShareLock);
	bool columnar = hz_am_is_columnar(rel);
	uint64 moved;

	PreventCommandIfReadOnly("compaction");
	relation_close(rel, NoLock);
	PG_RETURN_BOOL(columnar && hz_compact_round(relid, true, &moved));
}

/* delta_rows(relation regclass): bigint; NULL: there is no such table */
Datum
hz_delta_rows(PG_FUNCTION_ARGS)
{
	Relation rel = hz_inspect_open(PG_GETARG_OID(0));
	uint64 rows;

	if (rel == NULL)
		PG_RETURN_NULL();
	rows = hz_deltacount(rel, GetActiveSnapshot(), NULL);
	relation_close(rel, NoLock);
	PG_RETURN_INT64((int64) rows);
}

/*
 * file_size(tablespace oid, filenode oid): bigint
 *
 * Bytes of a permanent relation's main fork in this database, by what pg_class says of it. pg_relation_size() opens the
 * relation, which takes a new session tenths of a millisecond for each of hundreds of partitions. 0: there is no such file.
 */
Datum
hz_file_size(PG_FUNCTION_ARGS)
{
	const Oid tablespace = PG_GETARG_OID(0);
	char path[MAXPGPATH];
	int64 size = 0;
	struct stat file;

	hz_compat_relation_path(path, sizeof(path),
							OidIsValid(tablespace) ? tablespace : MyDatabaseTableSpace,
							PG_GETARG_OID(1));
	for (int segment = 0;; segment++)
	{
		char *name = segment == 0 ? path : psprintf("%s.%d", path, segment);

		if (stat(name, &file) != 0)
			break;
		size += file.st_size;
		if (file.st_size < (off_t) RELSEG_SIZE * BLCKSZ)
			break;
	}
	PG_RETURN_INT64(size);
}

/* ---- The rest of the log */

Datum
hz_may_see_jobs(PG_FUNCTION_ARGS)
{
	const Oid relid = PG_GETARG_OID(0);
	const Oid user = GetUserId();

	PG_RETURN_BOOL(has_privs_of_role(user, ROLE_PG_READ_ALL_STATS) ||
				   (get_rel_relkind(relid) != '\0' &&
					(object_ownercheck(RelationRelationId, relid, user) ||
					 pg_class_aclcheck(relid, user, ACL_SELECT) == ACLCHECK_OK)));
}

/*
 * log_removal(relation regclass, partition_name text, whole boolean, rows bigint, bytes bigint, cutoff timestamptz): void
 */
Datum
hz_log_removal(PG_FUNCTION_ARGS)
{
	Oid types[] = {OIDOID, TEXTOID, BOOLOID, INT8OID, INT8OID, TIMESTAMPTZOID};
	Datum values[6];
	bool nulls[6] = {false};

	relation_close(hz_timerange_open(PG_GETARG_OID(0), AccessShareLock), NoLock);
	for (int i = 0; i < 6; i++)
		values[i] = PG_GETARG_DATUM(i);
	write_log("INSERT INTO hanzo_datastore.removal_log"
			  " (relation, relation_name, partition, whole, rows, bytes, cutoff)"
			  " VALUES ($1, $1::regclass::text, $2, $3, $4, $5, $6)",
			  6, types, values, nulls);
	PG_RETURN_VOID();
}

/* end_maintenance(began timestamptz): void */
Datum
hz_end_maintenance(PG_FUNCTION_ARGS)
{
	Oid types[] = {TIMESTAMPTZOID, OIDOID};
	Datum values[2] = {PG_GETARG_DATUM(0), ObjectIdGetDatum(GetUserId())};
	bool nulls[2] = {false};

	hz_compact_forget();
	PreventCommandIfReadOnly("maintenance");
	write_log(
		"INSERT INTO hanzo_datastore.maintenance_runs (role, last_run, duration)"
		" VALUES ($2, $1, clock_timestamp() - $1)"
		" ON CONFLICT (role) DO UPDATE SET last_run = excluded.last_run, duration = excluded.duration",
		2, types, values, nulls);
	write_log(
		"DELETE FROM hanzo_datastore.maintenance_log WHERE ran_at < now() - interval '30 days'", 0,
		NULL, NULL, nulls);
	write_log("DELETE FROM hanzo_datastore.maintenance_state AS s"
			  " WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = s.relation)",
			  0, NULL, NULL, nulls);
	PG_RETURN_VOID();
}
