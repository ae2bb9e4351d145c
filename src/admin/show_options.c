/*
 * admin/show_options.c
 *	  SQL function that shows the options of one table: behind the view columnar_options.
 *
 * It reads catalogs that everybody may read (pg_class, pg_attribute, pg_seclabel), locks no table and
 * parses no more than the form of a sort key: it answers also while the table is locked, and shows also a
 * sort key that can no longer be used. For a relation that does not exist it returns no rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "storage/options.h"

PG_FUNCTION_INFO_V1(hz_columnar_options);

#define RESULT_COLUMNS 4

typedef struct Output
{
	ReturnSetInfo *result;
	List *levels;
	Oid relid;
} Output;

/* level: whose label it is; NULL: the default. column and value may be NULL. */
static void
put(Output *output, const char *column, const char *option, const char *value,
	const HzLabels *level)
{
	Datum values[RESULT_COLUMNS];
	bool nulls[RESULT_COLUMNS] = {column == NULL, false, value == NULL, false};
	NameData name;
	char *source = "default";

	if (level != NULL && level->relid == output->relid)
		source = "table";
	else if (level != NULL)
		source = psprintf("inherited from %s", DatumGetCString(DirectFunctionCall1(
												   regclassout, ObjectIdGetDatum(level->relid))));
	if (column != NULL)
		namestrcpy(&name, column);
	values[0] = NameGetDatum(&name);
	values[1] = CStringGetTextDatum(option);
	values[2] = value != NULL ? CStringGetTextDatum(value) : (Datum) 0;
	values[3] = CStringGetTextDatum(source);
	tuplestore_putvalues(output->result->setResult, output->result->setDesc, values, nulls);
}

/* The sort key with the present names of its columns. */
static char *
order_by_text(const HzLabels *level, const char *stored)
{
	char **names = palloc0(sizeof(char *) * (MaxHeapAttributeNumber + 1));
	ListCell *cell;

	foreach(cell, level->labels)
	{
		HzLabel *label = lfirst(cell);

		if (label->order_by_input != 0)
			names[label->order_by_input] = get_attname(level->relid, label->attnum, true);
	}
	return hz_sort_key_show(stored, names);
}

static void
put_codec(Output *output, const char *column, const HzLabel *label, const HzLabels *level)
{
	HzCodec codec = label != NULL ? (HzCodec) label->codec : HZ_OPTIONS_CODEC_DEFAULT;
	bool level_set = label != NULL && label->level != 0;

	put(output, column, "compression", hz_compress_name(codec), level);
	if (codec == HZ_CODEC_ZSTD)
		put(output, column, "compression_level",
			psprintf("%d", level_set ? label->level : HZ_ZSTD_LEVEL_DEFAULT),
			level_set ? level : NULL);
}

static void
put_table(Output *output)
{
	HzLabels *level;
	HzLabel *label;

	label = hz_options_find(output->levels, 0, HZ_OPTION_ORDER_BY, &level);
	put(output, NULL, "order_by", label != NULL ? order_by_text(level, label->order_by) : NULL,
		level);
	label = hz_options_find(output->levels, 0, HZ_OPTION_COMPRESSION, &level);
	put_codec(output, NULL, label, level);
	label = hz_options_find(output->levels, 0, HZ_OPTION_ROW_GROUP_ROWS, &level);
	put(output, NULL, "row_group_rows",
		psprintf("%d", label != NULL ? label->row_group_rows : HZ_OPTIONS_ROWS_DEFAULT), level);
}

/* Only what is said of the column itself, here or in an ancestor. */
static void
put_column(Output *output, AttrNumber attnum)
{
	char *name = get_attname(output->relid, attnum, true);
	HzLabels *level;
	HzLabel *label;

	if (name == NULL || get_attnum(output->relid, name) == InvalidAttrNumber)
		return; /* dropped */
	label = hz_options_find(output->levels, attnum, HZ_OPTION_COMPRESSION, &level);
	if (label != NULL && label->attnum != 0)
		put_codec(output, name, label, level);
	label = hz_options_find(output->levels, attnum, HZ_OPTION_BLOOM, &level);
	if (label != NULL)
		put(output, name, "bloom", label->bloom ? "true" : "false", level);
}

/* columnar_options_of(relation regclass): (column_name name, option text, value text, source text) */
Datum
hz_columnar_options(PG_FUNCTION_ARGS)
{
	Output output = {(ReturnSetInfo *) fcinfo->resultinfo, NIL, PG_GETARG_OID(0)};
	HeapTuple tuple;
	int natts;

	InitMaterializedSRF(fcinfo, 0);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(output.relid));
	if (!HeapTupleIsValid(tuple))
		return (Datum) 0;
	natts = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	output.levels = hz_options_levels(output.relid);
	put_table(&output);
	for (int attnum = 1; attnum <= natts; attnum++)
		put_column(&output, (AttrNumber) attnum);
	return (Datum) 0;
}
