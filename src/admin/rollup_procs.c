/*
 * admin/rollup_procs.c
 *	  Registering rollups: the functions below create_rollup(), drop_rollup() and the event triggers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "admin/inspect.h"
#include "base/compat.h"
#include "rollup/note.h"
#include "rollup/registry.h"

PG_FUNCTION_INFO_V1(hz_rollup_register_sql);
PG_FUNCTION_INFO_V1(hz_rollup_unregister_sql);
PG_FUNCTION_INFO_V1(hz_rollup_sync_name);
PG_FUNCTION_INFO_V1(hz_rollup_tell);
PG_FUNCTION_INFO_V1(hz_load_library);
PG_FUNCTION_INFO_V1(hz_rollup_requery);

static void
check_time(Oid relid, AttrNumber attnum)
{
	Oid type = attnum > 0 ? get_atttype(relid, attnum) : InvalidOid;

	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column %d of \"%s\" is no date or timestamp", attnum, get_rel_name(relid)),
				 errhint("Use hanzo_datastore.create_rollup().")));
}

/* rollup_register(states, marks, view, source, source_view, source_time, time, months, width, origin, lag, query) */
Datum
hz_rollup_register_sql(PG_FUNCTION_ARGS)
{
	HzRollup rollup;
	HzRollup other;
	Relation marks;

	for (int i = 0; i < 12; i++)
		if (i != 4 && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("arguments must not be null"),
					 errhint("Use hanzo_datastore.create_rollup().")));
	rollup.states = PG_GETARG_OID(0);
	rollup.marks = PG_GETARG_OID(1);
	rollup.view = PG_GETARG_OID(2);
	rollup.source = PG_GETARG_OID(3);
	rollup.source_view = PG_ARGISNULL(4) ? InvalidOid : PG_GETARG_OID(4);
	rollup.source_time = PG_GETARG_INT16(5);
	rollup.time = PG_GETARG_INT16(6);
	rollup.bucket.months = PG_GETARG_INT32(7);
	rollup.bucket.width = PG_GETARG_INT64(8);
	rollup.bucket.origin = PG_GETARG_INT64(9);
	rollup.lag = PG_GETARG_INT64(10);
	hz_inspect_check_owner(rollup.states);
	hz_inspect_check_owner(rollup.marks);
	hz_inspect_check_owner(rollup.view);
	hz_inspect_check_owner(rollup.source);
	check_time(rollup.states, rollup.time);
	check_time(rollup.source, rollup.source_time);
	if (rollup.bucket.months < 0 || rollup.bucket.months > 1200 ||
		(rollup.bucket.months == 0 && rollup.bucket.width < USECS_PER_MINUTE) ||
		rollup.bucket.width > 36525 * USECS_PER_DAY || !IS_VALID_TIMESTAMP(rollup.bucket.origin) ||
		rollup.lag < 0 || rollup.lag > 366 * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("bucket or lag out of range"),
				 errhint("Use hanzo_datastore.create_rollup().")));
	if (hz_rollup_find(rollup.states, &other) || hz_rollup_find_view(rollup.view, &other))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("the rollup is registered already"),
				 errhint("Use hanzo_datastore.create_rollup().")));
	marks = hz_rollup_open_marks(rollup.marks, AccessShareLock);
	if (marks == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("the table of marks is gone"),
						errhint("Use hanzo_datastore.create_rollup().")));
	relation_close(marks, AccessShareLock);
	hz_rollup_register(&rollup, text_to_cstring(PG_GETARG_TEXT_PP(11)));
	PG_RETURN_VOID();
}

/* Of a rollup whose states the caller owns, or of which something is gone. */
Datum
hz_rollup_unregister_sql(PG_FUNCTION_ARGS)
{
	Oid states = PG_GETARG_OID(0);
	HzRollup rollup;

	if (!hz_rollup_find(states, &rollup))
		PG_RETURN_VOID();
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(rollup.states)) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(rollup.marks)) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(rollup.view)) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(rollup.source)))
		hz_inspect_check_owner(states);
	hz_rollup_unregister(states);
	PG_RETURN_VOID();
}

static HzRollup
find_own_rollup(Oid states)
{
	HzRollup rollup;

	hz_inspect_check_owner(states);
	if (!hz_rollup_find(states, &rollup))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("table \"%s\" holds no states of a rollup", get_rel_name(states)),
						errhint("See hanzo_datastore.rollups.")));
	return rollup;
}

/* The time column of the source may have been renamed. Whoever did that owns it. */
Datum
hz_rollup_sync_name(PG_FUNCTION_ARGS)
{
	HzRollup rollup;

	if (!hz_rollup_find(PG_GETARG_OID(0), &rollup))
		PG_RETURN_VOID();
	hz_inspect_check_owner(rollup.source);
	hz_rollup_rewrite(&rollup, NULL);
	PG_RETURN_VOID();
}

/* rollup_tell(source): a restore has loaded a rollup of it. Harmless whoever calls it. */
Datum
hz_rollup_tell(PG_FUNCTION_ARGS)
{
	hz_rollup_tell_writers(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}

static bool
is_concurrent_detach(AlterTableStmt *statement)
{
	ListCell *cell;

	foreach(cell, statement->cmds)
	{
		AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);

		if (command->subtype == AT_DetachPartition &&
			castNode(PartitionCmd, command->def)->concurrent)
			return true;
	}
	return false;
}

/*
 * Event trigger at ddl_command_start. That it is called loads the library, which SECURITY LABEL and rollups need; and what
 * rollups could not see is refused.
 */
Datum
hz_load_library(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigger = (EventTriggerData *) fcinfo->context;
	AlterTableStmt *statement;
	Oid relid;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) || !IsA(trigger->parsetree, AlterTableStmt))
		PG_RETURN_VOID();
	statement = castNode(AlterTableStmt, trigger->parsetree);
	if (!is_concurrent_detach(statement))
		PG_RETURN_VOID();
	relid = RangeVarGetRelid(statement->relation, NoLock, true);
	if (OidIsValid(relid) && hz_rollup_of_sources(hz_rollup_ancestors(relid)) != NIL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot detach partitions of \"%s\" concurrently: it has rollups",
							   statement->relation->relname),
						errdetail("Its queries would leave out rows that its rollups still count."),
						errhint("Detach the partition without CONCURRENTLY.")));
	PG_RETURN_VOID();
}

/* rollup_requery(states, query): everything is stale, from the start of what is not frozen. */
Datum
hz_rollup_requery(PG_FUNCTION_ARGS)
{
	HzRollup rollup = find_own_rollup(PG_GETARG_OID(0));
	HzRollupWatch watch = {.states = rollup.states, .marks = rollup.marks, .bucket = rollup.bucket};

	hz_rollup_rewrite(&rollup, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	(void) GetTopTransactionId();
	hz_note_range(&watch, DT_NOBEGIN, DT_NOEND, GetCurrentCommandId(true));
	PG_RETURN_VOID();
}
