/*
 * rollup/ddl.c
 *	  Marks for what commands do to the partitions of a rollup's table. See ddl.h.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "rollup/ddl.h"
#include "rollup/note.h"

static object_access_hook_type previous_hook = NULL;

/* No row of it or of what belongs to it is stored. */
static bool
is_empty(Oid relid)
{
	ListCell *cell;

	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		Relation rel = try_relation_open(lfirst_oid(cell), NoLock);
		bool stored;

		if (rel == NULL)
			continue;
		stored = RELKIND_HAS_TABLE_AM(rel->rd_rel->relkind) && RelationGetNumberOfBlocks(rel) > 0;
		relation_close(rel, NoLock);
		if (stored)
			return false;
	}
	return true;
}

/* Nobody would see rows of a foreign table change; those of others vanish without a word. */
static void
check_child(Oid relid)
{
	Relation rel = relation_open(relid, NoLock);

	if (rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE ||
		(rel->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT))
		ereport(
			ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" cannot belong to a table with rollups", RelationGetRelationName(rel)),
			 errdetail("Foreign, unlogged and temporary tables change or vanish unnoticed."),
			 errhint(
				 "Use a permanent table, or drop the rollups first: see hanzo_datastore.rollups.")));
	relation_close(rel, NoLock);
}

/*
 * Tables below the child that are no children of the command: it has not locked them. Their writers must have ended, and
 * others look for rollups again.
 */
static void
settle_descendants(Oid child)
{
	ListCell *cell;

	foreach(cell, find_all_inheritors(child, NoLock, NULL))
	{
		Oid relid = lfirst_oid(cell);

		if (relid != child)
			LockRelationOid(relid, ShareRowExclusiveLock);
		check_child(relid);
		CacheInvalidateRelcacheByRelid(relid);
	}
}

/* The finite times of rows of a table and its partitions, whoever inserted them; false: it has none. */
static bool
find_times(Oid relid, AttrNumber attnum, Oid type, Timestamp *from, Timestamp *to)
{
	const char *column = quote_identifier(get_attname(relid, attnum, false));
	char *query = psprintf(
		"SELECT pg_catalog.min(%s), pg_catalog.max(%s) FROM %s WHERE pg_catalog.isfinite(%s)",
		column, column,
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
								   get_rel_name(relid)),
		column);
	bool isnull = true;
	Datum least;
	Datum most;

	SPI_connect();
	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "\"%s\" failed", query);
	least = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
	{
		most = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
		*from = hz_rollup_time(type, least);
		*to = hz_rollup_time(type, most) + 1;
	}
	PopActiveSnapshot();
	SPI_finish();
	return !isnull;
}

/* Its policies may hide rows from its owner. */
static bool
has_row_security(Oid relid)
{
	Relation rel = relation_open(relid, NoLock);
	bool result = rel->rd_rel->relrowsecurity;

	relation_close(rel, NoLock);
	return result;
}

/* A table becomes a child of `parent`, or ceases to be one. */
static void
child_changes(Oid child, Oid parent)
{
	List *watches;
	ListCell *cell;

	if (!OidIsValid(hz_rollup_catalog()))
		return;
	watches = hz_rollup_watches_of(hz_rollup_ancestors(parent), child);
	if (watches == NIL)
		return;
	(void) GetTopTransactionId();
	settle_descendants(child);
	if (is_empty(child))
		return;
	foreach(cell, watches)
	{
		const HzRollupWatch *watch = lfirst(cell);
		Timestamp from;
		Timestamp to;

		if (!hz_note_wanted(watch))
			continue;
		hz_rollup_extent(child, parent, watch->attnum, &from, &to);
		/* bounds of a partition that is attached are not stored yet */
		if (TIMESTAMP_IS_NOBEGIN(from) && TIMESTAMP_IS_NOEND(to) && !has_row_security(child) &&
			!find_times(child, watch->attnum, watch->type, &from, &to))
			continue;
		hz_note_range(watch, from, to, GetCurrentCommandId(true));
	}
}

static void
table_dropped(Oid relid)
{
	List *sources;
	List *watches;
	ListCell *cell;

	if (!OidIsValid(hz_rollup_catalog()))
		return;
	sources = list_delete_oid(hz_rollup_ancestors(relid), relid);
	watches = sources != NIL ? hz_rollup_watches_of(sources, relid) : NIL;
	if (watches == NIL || is_empty(relid))
		return;
	(void) GetTopTransactionId();
	foreach(cell, watches)
	{
		const HzRollupWatch *watch = lfirst(cell);
		Timestamp from;
		Timestamp to;

		hz_rollup_extent(relid, InvalidOid, watch->attnum, &from, &to);
		hz_note_range(watch, from, to, GetCurrentCommandId(true));
	}
}

static void
access_hook(ObjectAccessType access, Oid classId, Oid objectId, int subId, void *arg)
{
	if (previous_hook != NULL)
		previous_hook(access, classId, objectId, subId, arg);
	if (!IsNormalProcessingMode() || !IsTransactionState())
		return;
	if (access == OAT_POST_ALTER && classId == InheritsRelationId)
		child_changes(objectId, ((ObjectAccessPostAlter *) arg)->auxiliary_id);
	else if (access == OAT_DROP && classId == RelationRelationId && subId == 0 &&
			 (get_rel_relkind(objectId) == RELKIND_RELATION ||
			  get_rel_relkind(objectId) == RELKIND_PARTITIONED_TABLE))
		table_dropped(objectId);
}

void
hz_rollup_ddl_init(void)
{
	previous_hook = object_access_hook;
	object_access_hook = access_hook;
}
