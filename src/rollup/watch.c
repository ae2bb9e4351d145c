/*
 * rollup/watch.c
 *	  The registered rollups, and which of them a table's writers have to know. See watch.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "rollup/registry.h"
#include "rollup/watch.h"

/* What is remembered of a table. */
typedef struct Table
{
	Oid relid; /* key */
	bool valid;
	bool changed;            /* an invalidation has come while it was filled */
	LocalTransactionId lxid; /* the transaction in which it was made sure of last */
	MemoryContext context;
	List *watches; /* of HzRollupWatch, in context */
} Table;

static HTAB *tables = NULL;
static Table *last = NULL; /* the one asked for last */

/* A superuser's, as all that the extension installs: where it is not installed, anybody may have a schema of its name. */
static Oid
extension_table(const char *name)
{
	Oid namespace = get_namespace_oid("hanzo_datastore", true);
	Oid relid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	bool genuine;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_class) GETSTRUCT(tuple);
	genuine = form->relkind == RELKIND_RELATION && form->relam == HEAP_TABLE_AM_OID &&
			  superuser_arg(form->relowner);
	ReleaseSysCache(tuple);
	return genuine ? relid : InvalidOid;
}

Oid
hz_rollup_catalog(void)
{
	return extension_table("rollup_catalog");
}

Oid
hz_rollup_progress_table(void)
{
	return extension_table("rollup_progress");
}

static Datum
value_of(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	bool isnull;
	Datum value = heap_getattr(tuple, attnum, desc, &isnull);

	return isnull ? (Datum) 0 : value;
}

static HzRollup *
read_rollup(HeapTuple tuple, TupleDesc desc)
{
	HzRollup *rollup = palloc0(sizeof(HzRollup));

	rollup->states = DatumGetObjectId(value_of(tuple, desc, CATALOG_STATES));
	rollup->marks = DatumGetObjectId(value_of(tuple, desc, CATALOG_MARKS));
	rollup->view = DatumGetObjectId(value_of(tuple, desc, CATALOG_VIEW));
	rollup->source = DatumGetObjectId(value_of(tuple, desc, CATALOG_SOURCE));
	rollup->source_view = DatumGetObjectId(value_of(tuple, desc, CATALOG_SOURCE_VIEW));
	rollup->source_time = DatumGetInt16(value_of(tuple, desc, CATALOG_SOURCE_TIME));
	rollup->time = DatumGetInt16(value_of(tuple, desc, CATALOG_TIME));
	rollup->bucket.months = DatumGetInt32(value_of(tuple, desc, CATALOG_MONTHS));
	rollup->bucket.width = DatumGetInt64(value_of(tuple, desc, CATALOG_WIDTH));
	rollup->bucket.origin = DatumGetInt64(value_of(tuple, desc, CATALOG_ORIGIN));
	rollup->lag = DatumGetInt64(value_of(tuple, desc, CATALOG_LAG));
	return rollup;
}

/*
 * All registered rollups, of HzRollup. There are few of them. In parallel mode only views are read, for which the statement's
 * snapshot does.
 */
static List *
read_rollups(void)
{
	Oid catalog = hz_rollup_catalog();
	List *result = NIL;
	Relation rel;
	Snapshot snapshot;
	SysScanDesc scan;
	HeapTuple tuple;

	if (!OidIsValid(catalog))
		return NIL;
	rel = table_open(catalog, AccessShareLock);
	snapshot = RegisterSnapshot(IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = lappend(result, read_rollup(tuple, RelationGetDescr(rel)));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return result;
}

/* The rollup with these states, or with this view; InvalidOid: not asked for. */
static bool
find_rollup(Oid states, Oid view, HzRollup *rollup)
{
	ListCell *cell;

	foreach(cell, read_rollups())
	{
		HzRollup *candidate = lfirst(cell);

		if ((OidIsValid(states) && candidate->states == states) ||
			(OidIsValid(view) && candidate->view == view))
		{
			*rollup = *candidate;
			return true;
		}
	}
	return false;
}

bool
hz_rollup_find(Oid states, HzRollup *rollup)
{
	return OidIsValid(states) && find_rollup(states, InvalidOid, rollup);
}

bool
hz_rollup_find_view(Oid view, HzRollup *rollup)
{
	return OidIsValid(view) && find_rollup(InvalidOid, view, rollup);
}

bool
hz_rollup_is_internal(Oid relid)
{
	ListCell *cell;

	if (relid == hz_rollup_catalog() || relid == hz_rollup_progress_table())
		return true;
	foreach(cell, read_rollups())
	{
		const HzRollup *rollup = lfirst(cell);

		if (rollup->states == relid || rollup->marks == relid)
			return true;
	}
	return false;
}

List *
hz_rollup_of_sources(List *sources)
{
	List *result = NIL;
	ListCell *cell;

	foreach(cell, read_rollups())
	{
		HzRollup *rollup = lfirst(cell);

		if (list_member_oid(sources, rollup->source))
			result = lappend(result, rollup);
	}
	return result;
}

List *
hz_rollup_ancestors(Oid relid)
{
	List *result = list_make1_oid(relid);
	Relation inherits = table_open(InheritsRelationId, AccessShareLock);

	/* the list grows while it is walked */
	for (int i = 0; i < list_length(result); i++)
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple tuple;

		ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(list_nth_oid(result, i)));
		scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
			result =
				list_append_unique_oid(result, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
		systable_endscan(scan);
	}
	table_close(inherits, AccessShareLock);
	return result;
}

static Timestamp
time_of(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	return DatumGetTimestamp(value_of(tuple, desc, attnum));
}

bool
hz_rollup_progress(Oid states, Snapshot snapshot, HzRollupProgress *progress)
{
	Oid relid = hz_rollup_progress_table();
	Relation rel;
	TupleDesc desc;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	bool found;

	if (!OidIsValid(relid))
		return false;
	rel = table_open(relid, AccessShareLock);
	desc = RelationGetDescr(rel);
	ScanKeyInit(&key, PROGRESS_STATES, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(states));
	(void) RelationGetIndexList(rel); /* finds rd_pkindex */
	snapshot = RegisterSnapshot(snapshot);
	scan = systable_beginscan(rel, rel->rd_pkindex, OidIsValid(rel->rd_pkindex), snapshot, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		progress->frozen_before = time_of(tuple, desc, PROGRESS_FROZEN_BEFORE);
		progress->live_from = time_of(tuple, desc, PROGRESS_LIVE_FROM);
		progress->mark_before = time_of(tuple, desc, PROGRESS_MARK_BEFORE);
		progress->advance_xid = DatumGetUInt64(value_of(tuple, desc, PROGRESS_ADVANCE_XID));
		progress->system = DatumGetInt64(value_of(tuple, desc, PROGRESS_SYSTEM));
		progress->late_changes = DatumGetInt64(value_of(tuple, desc, PROGRESS_LATE_CHANGES));
		progress->tid = tuple->t_self;
		progress->xmin = HeapTupleHeaderGetXmin(tuple->t_data);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return found;
}

static HzRollupWatch *
make_watch(const HzRollup *rollup, Oid relid)
{
	HzRollupWatch *watch;
	char *column = get_attname(rollup->source, rollup->source_time, true);
	AttrNumber attnum = column != NULL ? get_attnum(relid, column) : InvalidAttrNumber;

	if (attnum == InvalidAttrNumber)
		return NULL;
	watch = palloc(sizeof(HzRollupWatch));
	watch->states = rollup->states;
	watch->marks = rollup->marks;
	watch->attnum = attnum;
	watch->type = get_atttype(relid, attnum);
	watch->bucket = rollup->bucket;
	return watch;
}

List *
hz_rollup_watches_of(List *sources, Oid relid)
{
	List *result = NIL;
	ListCell *cell;

	foreach(cell, hz_rollup_of_sources(sources))
	{
		HzRollupWatch *watch = make_watch(lfirst(cell), relid);

		if (watch != NULL)
			result = lappend(result, watch);
	}
	return result;
}

static void
fill_table(Table *table)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo rollups", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	List *rollups;
	ListCell *cell;

	table->watches = NIL;
	if (table->context != NULL)
		MemoryContextReset(table->context);
	table->changed = false;
	rollups = hz_rollup_of_sources(hz_rollup_ancestors(table->relid));
	if (rollups != NIL && table->context == NULL)
		table->context =
			AllocSetContextCreate(CacheMemoryContext, "hanzo rollups", ALLOCSET_SMALL_SIZES);
	foreach(cell, rollups)
	{
		HzRollupWatch *watch;

		MemoryContextSwitchTo(table->context);
		watch = make_watch(lfirst(cell), table->relid);
		if (watch != NULL)
			table->watches = lappend(table->watches, watch);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	/* what an error has left half-filled stays invalid */
	table->valid = !table->changed;
}

static void
relcache_callback(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	Table *table;

	if (tables == NULL)
		return;
	if (OidIsValid(relid))
	{
		table = hash_search(tables, &relid, HASH_FIND, NULL);
		if (table != NULL)
		{
			table->valid = false;
			table->changed = true;
		}
		return;
	}
	hash_seq_init(&status, tables);
	while ((table = hash_seq_search(&status)) != NULL)
	{
		table->valid = false;
		table->changed = true;
	}
}

List *
hz_rollup_watches(Relation rel)
{
	Oid relid = RelationGetRelid(rel);
	const LocalTransactionId lxid = hz_compat_lxid();
	Table *table = last;
	bool found;

	/* such inserts are those of CREATE TABLE AS and REFRESH, and nobody makes a rollup of what they fill */
	if (IsInParallelMode())
		return NIL;
	if (table != NULL && table->relid == relid && table->valid && table->lxid == lxid)
		return table->watches;
	if (tables == NULL)
	{
		HASHCTL control = {.keysize = sizeof(Oid), .entrysize = sizeof(Table)};

		tables = hash_create("hanzo rollups", 64, &control, HASH_ELEM | HASH_BLOBS);
	}
	table = hash_search(tables, &relid, HASH_ENTER, &found);
	if (!found)
	{
		table->valid = table->changed = false;
		table->lxid = InvalidLocalTransactionId;
		table->context = NULL;
		table->watches = NIL;
	}
	if (table->lxid != lxid)
	{
		/* first the id, by which others know that they have to wait for us, then what they have committed */
		(void) GetTopTransactionId();
		AcceptInvalidationMessages();
	}
	while (!table->valid)
		fill_table(table);
	table->lxid = lxid;
	last = table;
	return table->watches;
}

/* The partition key of a table's parent is just this column of the table. */
static bool
is_partition_key(Oid relid, Oid parent, AttrNumber attnum)
{
	HeapTuple tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(parent));
	Form_pg_partitioned_table key;
	char *column;
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	key = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	column = get_attname(relid, attnum, false);
	result = key->partstrat == PARTITION_STRATEGY_RANGE && key->partnatts == 1 &&
			 key->partattrs.values[0] != 0 &&
			 strcmp(column, get_attname(parent, key->partattrs.values[0], false)) == 0;
	ReleaseSysCache(tuple);
	return result;
}

static void
bound_time(List *datums, Oid type, Timestamp *time)
{
	PartitionRangeDatum *datum = linitial(datums);

	if (datum->kind == PARTITION_RANGE_DATUM_VALUE)
		*time = hz_rollup_time(type, castNode(Const, datum->value)->constvalue);
}

void
hz_rollup_extent(Oid relid, Oid parent, AttrNumber attnum, Timestamp *from, Timestamp *to)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	PartitionBoundSpec *bound;
	Datum stored;
	bool isnull;

	*from = DT_NOBEGIN;
	*to = DT_NOEND;
	if (!HeapTupleIsValid(tuple))
		return;
	stored = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relpartbound, &isnull);
	if (!isnull && ((Form_pg_class) GETSTRUCT(tuple))->relispartition &&
		is_partition_key(relid, OidIsValid(parent) ? parent : get_partition_parent(relid, true),
						 attnum))
	{
		bound = stringToNode(TextDatumGetCString(stored));
		if (!bound->is_default && bound->strategy == PARTITION_STRATEGY_RANGE)
		{
			bound_time(bound->lowerdatums, get_atttype(relid, attnum), from);
			bound_time(bound->upperdatums, get_atttype(relid, attnum), to);
		}
	}
	ReleaseSysCache(tuple);
}

static bool
has_shape_of_marks(Relation rel)
{
	TupleDesc desc = RelationGetDescr(rel);

	return rel->rd_rel->relkind == RELKIND_RELATION && rel->rd_rel->relam == HEAP_TABLE_AM_OID &&
		   rel->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT && desc->natts == 2 &&
		   TupleDescAttr(desc, 0)->atttypid == TIMESTAMPTZOID &&
		   TupleDescAttr(desc, 1)->atttypid == TIMESTAMPTZOID;
}

Relation
hz_rollup_open_marks(Oid marks, LOCKMODE lockmode)
{
	Relation rel = try_relation_open(marks, lockmode);

	if (rel != NULL && !has_shape_of_marks(rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" holds the marks of a rollup and has been altered",
						RelationGetRelationName(rel)),
				 errhint("Drop the rollup with hanzo_datastore.drop_rollup() and make it anew.")));
	return rel;
}

bool
hz_rollup_marks_intact(Oid marks)
{
	Relation rel = try_relation_open(marks, AccessShareLock);
	bool result = rel != NULL && has_shape_of_marks(rel);

	if (rel != NULL)
		relation_close(rel, AccessShareLock);
	return result;
}

Timestamp
hz_rollup_time(Oid type, Datum value)
{
	DateADT date;

	if (type != DATEOID)
		return DatumGetTimestamp(value);
	date = DatumGetDateADT(value);
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (DATE_IS_NOEND(date) || date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return DT_NOEND;
	return (Timestamp) date * USECS_PER_DAY;
}

void
hz_rollup_watch_init(void)
{
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
}
