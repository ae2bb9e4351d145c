/*
 * admin/alter_options.c
 *	  SQL functions that set options: alter_columnar_table(), alter_columnar_column().
 *
 * One rule for every parameter: left out, the option stays as it is; NULL resets it. Left out means the
 * parameter's default, which is a value that the option cannot have: '' for text, 0 for integers, {} for
 * arrays. A boolean has no such value, so alter_columnar_column() is two SQL functions, with and without
 * bloom.
 *
 * The caller must own the table, as for ALTER TABLE. Rights are checked before the lock
 * (ShareUpdateExclusiveLock, kept to the end of the transaction) and again after it.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "admin/inspect.h"
#include "base/compat.h"
#include "storage/options.h"

PG_FUNCTION_INFO_V1(hz_alter_columnar_table);
PG_FUNCTION_INFO_V1(hz_alter_columnar_column);

#define ACCESS_METHOD "hanzo_columnar"

typedef enum Wish
{
	KEEP,
	RESET,
	SET
} Wish;

typedef struct CodecWish
{
	Wish compression;
	char *name;
	Wish compression_level;
	int level;
} CodecWish;

static Wish
text_wish(FunctionCallInfo fcinfo, int arg, char **value)
{
	if (PG_ARGISNULL(arg))
		return RESET;
	*value = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	return **value == '\0' ? KEEP : SET;
}

static Wish
integer_wish(FunctionCallInfo fcinfo, int arg, int *value)
{
	if (PG_ARGISNULL(arg))
		return RESET;
	*value = PG_GETARG_INT32(arg);
	return *value == 0 ? KEEP : SET;
}

/* ---- The table */

static void
check_columnar(Relation rel)
{
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
		rel->rd_rel->relam != get_table_am_oid(ACCESS_METHOD, true))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a columnar table", RelationGetRelationName(rel)),
				 errhint("ALTER TABLE ... SET ACCESS METHOD %s makes it one.", ACCESS_METHOD)));
}

/* Opens a table whose options the caller may set, and locks it. */
static Relation
open_table(FunctionCallInfo fcinfo, const char *function)
{
	Oid relid;
	char relkind;
	Relation rel;

	PreventCommandIfReadOnly(function);
	PreventCommandDuringRecovery(function);
	PreventCommandIfParallelMode(function);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation must not be null")));
	relid = PG_GETARG_OID(0);
	relkind = get_rel_relkind(relid);
	if (relkind == '\0')
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relid)));
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE &&
		relkind != RELKIND_MATVIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot set columnar options of relation \"%s\"", get_rel_name(relid)),
				 errdetail_relkind_not_supported(relkind),
				 errhint("Options are set on columnar tables, and on partitioned tables for "
						 "their partitions.")));
	hz_inspect_check_owner(relid);
	rel = relation_open(relid, ShareUpdateExclusiveLock);
	hz_inspect_check_owner(relid);
	check_columnar(rel);
	return rel;
}

static AttrNumber
find_column(Relation rel, const char *name)
{
	AttrNumber attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name,
							   RelationGetRelationName(rel)),
						errhint("Names of columns are taken as they are given, without folding to "
								"lower case.")));
	if (attnum < 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("system column \"%s\" has no options", name)));
	return attnum;
}

/* ---- One option each */

static void
alter_order_by(HzLabels *labels, Relation rel, Wish wish, const char *text)
{
	int natts = RelationGetNumberOfAttributes(rel);
	int *inputs = palloc0(sizeof(int) * Max(natts, 1));
	char *order_by = NULL;
	ListCell *cell;

	if (wish == KEEP)
		return;
	if (wish == SET)
		order_by = hz_sort_key_store(hz_sort_key_parse(rel, text), inputs);
	foreach(cell, labels->labels)
		((HzLabel *) lfirst(cell))->order_by_input = 0;
	for (int i = 0; i < natts; i++)
	{
		if (inputs[i] != 0)
			hz_label_get(labels, (AttrNumber) (i + 1))->order_by_input = inputs[i];
	}
	hz_label_get(labels, 0)->order_by = order_by;
}

/* levels: hz_options_levels() of the table, the first of which holds `label`. */
static void
alter_codec(List *levels, HzLabel *label, const CodecWish *wish)
{
	if (wish->compression != KEEP)
	{
		HzCodec codec = wish->compression == SET ? hz_label_codec(wish->name) : HZ_CODEC_ZSTD;

		if (wish->compression == RESET || codec != HZ_CODEC_ZSTD)
			label->level = 0;
		label->codec = wish->compression == SET ? (int) codec : HZ_LABEL_UNSET;
	}
	if (wish->compression_level == RESET)
		label->level = 0;
	else if (wish->compression_level == SET)
	{
		int level = hz_label_level(wish->level);
		HzLabels *decider;
		HzLabel *other = hz_options_find(levels, label->attnum, HZ_OPTION_COMPRESSION, &decider);
		HzCodec codec = other != NULL ? (HzCodec) other->codec : HZ_OPTIONS_CODEC_DEFAULT;

		if (codec != HZ_CODEC_ZSTD)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("compression \"%s\" has no levels", hz_compress_name(codec)),
							errhint("Only zstd has them: set compression => 'zstd' too.")));
		label->codec = HZ_CODEC_ZSTD;
		label->level = level;
	}
}

static void
alter_row_group_rows(HzLabels *labels, Wish wish, int rows)
{
	if (wish != KEEP)
		hz_label_get(labels, 0)->row_group_rows = wish == SET ? hz_label_rows(rows) : 0;
}

static void
set_bloom(HzLabels *labels, Relation rel, AttrNumber attnum)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	if (!hz_options_can_bloom(attribute->atttypid, attribute->attcollation))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" cannot have a bloom filter", NameStr(attribute->attname)),
				 errdetail("Equal values of type %s may have different bytes.",
						   format_type_be(attribute->atttypid))));
	hz_label_get(labels, attnum)->bloom = true;
}

static void
alter_bloom_list(HzLabels *labels, Relation rel, FunctionCallInfo fcinfo, int arg)
{
	Datum *names;
	bool *nulls;
	int count;
	ListCell *cell;

	if (PG_ARGISNULL(arg))
	{
		foreach(cell, labels->labels)
			((HzLabel *) lfirst(cell))->bloom = HZ_LABEL_UNSET;
		return;
	}
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("bloom must not contain nulls")));
		set_bloom(labels, rel, find_column(rel, TextDatumGetCString(names[i])));
	}
}

/* ---- SQL functions */

/* Stores what was set, and warns if the sort key has stopped being usable meanwhile. */
static void
finish(HzLabels *labels, Relation rel)
{
	hz_label_write(labels);
	(void) hz_options_read(rel);
	relation_close(rel, NoLock);
}

/*
 * alter_columnar_table(relation regclass, order_by text, compression text, compression_level integer,
 *						row_group_rows integer, bloom text[])
 */
Datum
hz_alter_columnar_table(PG_FUNCTION_ARGS)
{
	Relation rel = open_table(fcinfo, "alter_columnar_table()");
	List *levels = hz_options_levels(RelationGetRelid(rel));
	HzLabels *labels = linitial(levels);
	char *order_by = NULL;
	int rows = 0;
	CodecWish codec = {0};
	Wish wish;

	wish = text_wish(fcinfo, 1, &order_by);
	alter_order_by(labels, rel, wish, order_by);
	codec.compression = text_wish(fcinfo, 2, &codec.name);
	codec.compression_level = integer_wish(fcinfo, 3, &codec.level);
	alter_codec(levels, hz_label_get(labels, 0), &codec);
	wish = integer_wish(fcinfo, 4, &rows);
	alter_row_group_rows(labels, wish, rows);
	alter_bloom_list(labels, rel, fcinfo, 5);
	finish(labels, rel);
	PG_RETURN_VOID();
}

/*
 * alter_columnar_column(relation regclass, column_name name, compression text, compression_level integer)
 * alter_columnar_column(relation regclass, column_name name, bloom boolean, compression text,
 *						 compression_level integer)
 */
Datum
hz_alter_columnar_column(PG_FUNCTION_ARGS)
{
	Relation rel = open_table(fcinfo, "alter_columnar_column()");
	List *levels = hz_options_levels(RelationGetRelid(rel));
	HzLabels *labels = linitial(levels);
	bool with_bloom = PG_NARGS() == 5;
	AttrNumber attnum;
	HzLabel *label;
	CodecWish codec = {0};

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("column_name must not be null")));
	attnum = find_column(rel, NameStr(*PG_GETARG_NAME(1)));
	label = hz_label_get(labels, attnum);
	if (with_bloom && PG_ARGISNULL(2))
		label->bloom = HZ_LABEL_UNSET;
	else if (with_bloom && !PG_GETARG_BOOL(2))
		label->bloom = false;
	else if (with_bloom)
		set_bloom(labels, rel, attnum);
	codec.compression = text_wish(fcinfo, with_bloom ? 3 : 2, &codec.name);
	codec.compression_level = integer_wish(fcinfo, with_bloom ? 4 : 3, &codec.level);
	alter_codec(levels, label, &codec);
	finish(labels, rel);
	PG_RETURN_VOID();
}
