/*
 * storage/options.c
 *	  Options of a relation out of its labels and those of its ancestors; the label provider. See options.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/seclabel.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/typcache.h"

#include "storage/options.h"

/* ---- Who decides an option */

List *
hz_options_levels(Oid relid)
{
	List *levels = list_make1(hz_label_read(relid));

	if (get_rel_relispartition(relid))
	{
		ListCell *cell;

		foreach(cell, get_partition_ancestors(relid))
			levels = lappend(levels, hz_label_read(lfirst_oid(cell)));
	}
	return levels;
}

static bool
decides(const HzLabel *label, HzOption option)
{
	switch (option)
	{
		case HZ_OPTION_ORDER_BY:
			return label->order_by != NULL;
		case HZ_OPTION_COMPRESSION:
			return label->codec != HZ_LABEL_UNSET;
		case HZ_OPTION_ROW_GROUP_ROWS:
			return label->row_group_rows != 0;
		case HZ_OPTION_BLOOM:
			return label->bloom != HZ_LABEL_UNSET;
	}
	return false;
}

HzLabel *
hz_options_find(List *levels, AttrNumber attnum, HzOption option, HzLabels **level)
{
	Oid relid = ((HzLabels *) linitial(levels))->relid;
	char *name = attnum == 0 ? NULL : get_attname(relid, attnum, true);
	ListCell *cell;

	foreach(cell, levels)
	{
		HzLabels *labels = lfirst(cell);
		HzLabel *label;

		*level = labels;
		if (name != NULL)
		{
			label = hz_label_find(labels, labels->relid == relid ? attnum
																 : get_attnum(labels->relid, name));
			if (label != NULL && label->attnum != 0 && decides(label, option))
				return label;
		}
		label = hz_label_find(labels, 0);
		if (label != NULL && decides(label, option))
			return label;
	}
	*level = NULL;
	return NULL;
}

bool
hz_options_can_bloom(Oid type, Oid collation)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	Oid proc;

	type = getBaseType(type);
	if (type == FLOAT4OID || type == FLOAT8OID)
		return true;
	if (type == BPCHAROID || !OidIsValid(entry->btree_opf))
		return false;

	/* What an operator class says to allow deduplication in btrees is what a hash of the bytes needs. */
	proc = get_opfamily_proc(entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
							 BTEQUALIMAGE_PROC);
	return OidIsValid(proc) && DatumGetBool(OidFunctionCall1Coll(
								   proc, collation, ObjectIdGetDatum(entry->btree_opintype)));
}

/* ---- The sort key */

/*
 * bound[n], of MaxHeapAttributeNumber + 1 entries: the attribute of relid that `labels`, its own or an
 * ancestor's, call $n; 0: none, or more than one.
 */
static AttrNumber *
bind_inputs(const HzLabels *labels, Oid relid)
{
	AttrNumber *bound = palloc0(sizeof(AttrNumber) * (MaxHeapAttributeNumber + 1));
	Bitmapset *seen = NULL;
	ListCell *cell;

	foreach(cell, labels->labels)
	{
		HzLabel *label = lfirst(cell);
		AttrNumber attnum = label->attnum;
		int input = label->order_by_input;

		if (input == 0)
			continue;
		if (labels->relid != relid)
		{
			char *name = get_attname(labels->relid, attnum, true);

			attnum = name == NULL ? InvalidAttrNumber : get_attnum(relid, name);
		}
		bound[input] = bms_is_member(input, seen) ? InvalidAttrNumber : attnum;
		seen = bms_add_member(seen, input);
	}
	return bound;
}

static void
warn_once(Oid relid, const ErrorData *error)
{
	static List *warned = NIL;
	MemoryContext old;

	if (list_member_oid(warned, relid))
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	warned = lappend_oid(warned, relid);
	MemoryContextSwitchTo(old);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("order_by of table \"%s\" cannot be used any more, rows are stored unsorted",
					get_rel_name(relid)),
			 errdetail_internal("%s", error->message),
			 errhint("Set it again with hanzo_datastore.alter_columnar_table(); the view "
					 "hanzo_datastore.columnar_options shows it.")));
}

static List *
copy_keys(List *keys)
{
	List *copies = NIL;
	ListCell *cell;

	foreach(cell, keys)
	{
		HzSortKey *copy = palloc(sizeof(HzSortKey));

		*copy = *(HzSortKey *) lfirst(cell);
		copy->expr = copyObject(copy->expr);
		copies = lappend(copies, copy);
	}
	return copies;
}

/* Gives back what a resource owner holds, or hands its locks to its parent; and frees it. */
static void
close_owner(ResourceOwner owner, bool success)
{
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, success, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, success, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, success, false);
	ResourceOwnerDelete(owner);
}

/*
 * A text that does not fit the relation must not fail the statement, and a subtransaction to catch its
 * error cannot be had in parallel mode. Parsing holds nothing but what resource owners know and changes
 * nothing but settings: catching such errors, and only such, under a resource owner of our own is enough.
 */
static List *
load_order_by(Relation rel, const HzLabels *labels, const char *text, Oid relid)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner outer_owner = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(outer_owner, "hanzo_datastore order_by");
	int nest_level = NewGUCNestLevel();
	uint32 holdoff = InterruptHoldoffCount;
	Oid user;
	int security;
	List *volatile keys = NIL;
	ErrorData *volatile error = NULL;

	CurrentResourceOwner = owner;
	/* as the owner: whoever loads rows need not have rights on what the sort key calls */
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(rel->rd_rel->relowner, security | SECURITY_RESTRICTED_OPERATION);
	PG_TRY();
	{
		keys = hz_sort_key_load(RelationGetDescr(rel), text, bind_inputs(labels, relid), false);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = outer_owner;
		SetUserIdAndSecContext(user, security);
		if (!hz_sort_key_blames(geterrcode()))
			PG_RE_THROW();
		error = CopyErrorData();
		FlushErrorState();
		InterruptHoldoffCount = holdoff;
	}
	PG_END_TRY();
	SetUserIdAndSecContext(user, security);
	AtEOXact_GUC(error == NULL, nest_level);
	CurrentResourceOwner = outer_owner;
	close_owner(owner, error == NULL);
	if (error != NULL)
		warn_once(labels->relid, error);
	return keys;
}

/* ---- All options */

static HzColumnOptions
column_options(List *levels, Form_pg_attribute attribute)
{
	HzColumnOptions options = {HZ_OPTIONS_CODEC_DEFAULT, 0, false};
	HzLabels *level;
	HzLabel *label = hz_options_find(levels, attribute->attnum, HZ_OPTION_COMPRESSION, &level);

	if (label != NULL)
	{
		options.codec = label->codec;
		options.level = label->level;
	}
	if (options.codec == HZ_CODEC_ZSTD && options.level == 0)
		options.level = HZ_ZSTD_LEVEL_DEFAULT;
	label = hz_options_find(levels, attribute->attnum, HZ_OPTION_BLOOM, &level);
	options.bloom = label != NULL && label->bloom == true &&
					hz_options_can_bloom(attribute->atttypid, attribute->attcollation);
	return options;
}

HzOptions *
hz_options_read(Relation rel)
{
	HzOptions *options = palloc0(sizeof(HzOptions));
	TupleDesc desc = RelationGetDescr(rel);
	Oid relid =
		OidIsValid(rel->rd_rel->relrewrite) ? rel->rd_rel->relrewrite : RelationGetRelid(rel);
	List *keys = NIL;
	List *levels;
	HzLabels *level;
	HzLabel *label;
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext scratch;

	options->columns = palloc0(sizeof(HzColumnOptions) * Max(desc->natts, 1));
	scratch = AllocSetContextCreate(outer, "hanzo_datastore options", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(scratch);
	levels = hz_options_levels(relid);
	label = hz_options_find(levels, 0, HZ_OPTION_ORDER_BY, &level);
	if (label != NULL)
		keys = load_order_by(rel, level, label->order_by, relid);
	label = hz_options_find(levels, 0, HZ_OPTION_ROW_GROUP_ROWS, &level);
	options->row_group_rows =
		label != NULL ? (uint32) label->row_group_rows : HZ_OPTIONS_ROWS_DEFAULT;
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			options->columns[i] = column_options(levels, TupleDescAttr(desc, i));
	}
	MemoryContextSwitchTo(outer);
	options->order_by = copy_keys(keys);
	MemoryContextDelete(scratch);
	return options;
}

/* The number in a stored sort key whose first key is a column alone; 0: it is not. */
static int
leading_input(const char *order_by)
{
	char *end;
	unsigned long input;

	if (order_by[0] != '$')
		return 0;
	input = strtoul(order_by + 1, &end, 10);
	if (input > MaxHeapAttributeNumber)
		return 0;
	if (*end == '\0' || *end == ',' || strncmp(end, " ASC", 4) == 0 ||
		strncmp(end, " DESC", 5) == 0 || strncmp(end, " NULLS ", 7) == 0)
		return (int) input;
	return 0;
}

static HzSortBrief
read_sort_brief(Oid relid)
{
	List *levels = hz_options_levels(relid);
	HzSortBrief brief = {InvalidAttrNumber, HZ_OPTIONS_ROWS_DEFAULT};
	HzLabels *level;
	HzLabel *label = hz_options_find(levels, 0, HZ_OPTION_ROW_GROUP_ROWS, &level);

	if (label != NULL)
		brief.row_group_rows = (uint32) label->row_group_rows;
	label = hz_options_find(levels, 0, HZ_OPTION_ORDER_BY, &level);
	if (label != NULL)
		brief.leading_column = bind_inputs(level, relid)[leading_input(label->order_by)];
	return brief;
}

HzSortBrief
hz_options_sort_brief(Relation rel)
{
	/* core frees it when the relation's cache entry is built anew: hz_label_changes() sees to that */
	if (rel->rd_amcache == NULL)
	{
		HzSortBrief brief = read_sort_brief(RelationGetRelid(rel));

		rel->rd_amcache = MemoryContextAlloc(CacheMemoryContext, sizeof(brief));
		memcpy(rel->rd_amcache, &brief, sizeof(brief));
	}
	return *(HzSortBrief *) rel->rd_amcache;
}

/* ---- The label provider */

/*
 * A sort key whose columns are all bound is checked in full. In a dump the table's label comes before
 * those of its columns, and perhaps before a function that it calls: then only its form is.
 */
static void
check_order_by(Oid relid, const char *text)
{
	Bitmapset *inputs = hz_sort_key_inputs(text);
	AttrNumber *bound = bind_inputs(hz_label_read(relid), relid);
	Relation rel;
	int input = -1;

	while ((input = bms_next_member(inputs, input)) >= 0)
	{
		if (bound[input] <= 0)
			return;
	}
	rel = relation_open(relid, NoLock);
	(void) hz_sort_key_load(RelationGetDescr(rel), text, bound, true);
	relation_close(rel, NoLock);
}

/*
 * SECURITY LABEL has checked the owner and holds ShareUpdateExclusiveLock. Heap tables may have labels of
 * ours: they keep the options of a table whose access method was changed, also in a dump.
 */
static void
check_label(const ObjectAddress *object, const char *text)
{
	char relkind;
	HzLabel *label;

	if (object->classId == RelationRelationId)
		hz_label_changes(object->objectId);
	if (text == NULL)
		return;
	relkind =
		object->classId == RelationRelationId ? get_rel_relkind(object->objectId) : RELKIND_INDEX;
	if ((relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE &&
		 relkind != RELKIND_MATVIEW) ||
		object->objectSubId < 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" labels only tables, materialized views and their columns",
							   HZ_LABEL_PROVIDER)));
	label = hz_label_parse(text, (AttrNumber) object->objectSubId);
	if (label->order_by != NULL)
		check_order_by(object->objectId, label->order_by);
}

void
hz_options_init(void)
{
	register_label_provider(HZ_LABEL_PROVIDER, check_label);
}
