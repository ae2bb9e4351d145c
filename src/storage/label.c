/*
 * storage/label.c
 *	  Reading, checking and writing the labels that hold options. See label.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_seclabel.h"
#include "commands/seclabel.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "storage/label.h"
#include "storage/options.h"

HzCodec
hz_label_codec(const char *name)
{
	HzCodec codec;

	if (!hz_compress_by_name(name, &codec))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown compression \"%s\"", name),
						errhint("Use \"zstd\", \"lz4\" or \"none\".")));
	return codec;
}

int
hz_label_level(int level)
{
	if (level < HZ_ZSTD_LEVEL_MIN || level > HZ_ZSTD_LEVEL_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("compression_level must be between %d and %d", HZ_ZSTD_LEVEL_MIN,
							   HZ_ZSTD_LEVEL_MAX)));
	return level;
}

int
hz_label_rows(int row_group_rows)
{
	if (row_group_rows < HZ_OPTIONS_ROWS_MIN || row_group_rows > HZ_OPTIONS_ROWS_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("row_group_rows must be between %d and %d", HZ_OPTIONS_ROWS_MIN,
							   HZ_OPTIONS_ROWS_MAX)));
	return row_group_rows;
}

int
hz_label_months(int months_ahead)
{
	if (months_ahead < 1 || months_ahead > HZ_LABEL_MONTHS_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("months_ahead must be between 1 and %d", HZ_LABEL_MONTHS_MAX)));
	return months_ahead;
}

char *
hz_label_interval_text(const Interval *interval)
{
	int style = IntervalStyle;
	char *text;

	IntervalStyle = INTSTYLE_POSTGRES;
	PG_TRY();
	{
		text = DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)));
	}
	PG_FINALLY();
	{
		IntervalStyle = style;
	}
	PG_END_TRY();
	return text;
}

Interval *
hz_label_interval(const char *text)
{
	int style = IntervalStyle;
	Interval *interval;

	IntervalStyle = INTSTYLE_POSTGRES;
	PG_TRY();
	{
		interval = DatumGetIntervalP(DirectFunctionCall3(
			interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	PG_FINALLY();
	{
		IntervalStyle = style;
	}
	PG_END_TRY();
	return interval;
}

/* Its sign is the same in all its parts, and it is more than nothing. */
static char *
ttl_field(char *text)
{
	const Interval *ttl = hz_label_interval(text);

	if (ttl->month < 0 || ttl->day < 0 || ttl->time < 0 ||
		(ttl->month == 0 && ttl->day == 0 && ttl->time == 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"ttl\" in a label must be a positive interval")));
	return text;
}

static HzLabel *
empty_label(AttrNumber attnum)
{
	HzLabel *label = palloc0(sizeof(HzLabel));

	label->attnum = attnum;
	label->codec = HZ_LABEL_UNSET;
	label->bloom = HZ_LABEL_UNSET;
	return label;
}

/* ---- From text */

static void
wrong_type(const char *key, const char *expected)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" in a label must be %s", key, expected)));
}

static char *
string_field(const char *key, const JsonbValue *value)
{
	if (value->type != jbvString)
		wrong_type(key, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static int
integer_field(const char *key, const JsonbValue *value)
{
	char *digits;
	char *end;
	long number;

	if (value->type != jbvNumeric)
		wrong_type(key, "an integer");
	digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	errno = 0;
	number = strtol(digits, &end, 10);
	if (*end != '\0' || errno != 0 || number < PG_INT32_MIN || number > PG_INT32_MAX)
		wrong_type(key, "an integer");
	return (int) number;
}

static bool
boolean_field(const char *key, const JsonbValue *value)
{
	if (value->type != jbvBool)
		wrong_type(key, "true or false");
	return value->val.boolean;
}

static int
input_number(int number)
{
	if (number < 1 || number > MaxHeapAttributeNumber)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"order_by_input\" in a label must be between 1 and %d",
							   MaxHeapAttributeNumber)));
	return number;
}

static void
parse_field(HzLabel *label, const char *key, const JsonbValue *value)
{
	bool column = label->attnum != 0;

	if (strcmp(key, "compression") == 0)
		label->codec = hz_label_codec(string_field(key, value));
	else if (strcmp(key, "compression_level") == 0)
		label->level = hz_label_level(integer_field(key, value));
	else if (!column && strcmp(key, "order_by") == 0)
		label->order_by = string_field(key, value);
	else if (!column && strcmp(key, "row_group_rows") == 0)
		label->row_group_rows = hz_label_rows(integer_field(key, value));
	else if (!column && strcmp(key, "managed") == 0)
		label->managed = boolean_field(key, value);
	else if (!column && strcmp(key, "months_ahead") == 0)
		label->months_ahead = hz_label_months(integer_field(key, value));
	else if (!column && strcmp(key, "ttl") == 0)
		label->ttl = ttl_field(string_field(key, value));
	else if (!column && strcmp(key, "arrived") == 0)
		label->arrived = boolean_field(key, value);
	else if (column && strcmp(key, "time") == 0)
		label->time = boolean_field(key, value);
	else if (column && strcmp(key, "order_by_input") == 0)
		label->order_by_input = input_number(integer_field(key, value));
	else if (column && strcmp(key, "bloom") == 0)
		label->bloom = boolean_field(key, value);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a label of a %s has no option \"%s\"", column ? "column" : "table", key),
				 column ? errhint("Options of a column are compression, compression_level, bloom, "
								  "order_by_input and time.")
						: errhint("Options of a table are order_by, compression, "
								  "compression_level, row_group_rows, managed, months_ahead, "
								  "ttl and arrived.")));
}

HzLabel *
hz_label_parse(const char *text, AttrNumber attnum)
{
	HzLabel *label = empty_label(attnum);
	Jsonb *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	JsonbIterator *iterator = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue value;

	if (JsonbIteratorNext(&iterator, &value, false) != WJB_BEGIN_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a label must be a JSON object"),
				 errhint("Set options with hanzo_datastore.alter_columnar_table() and "
						 "alter_columnar_column(), which write the labels.")));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) == WJB_KEY)
	{
		char *key = pnstrdup(value.val.string.val, value.val.string.len);

		(void) JsonbIteratorNext(&iterator, &value, true);
		parse_field(label, key, &value);
	}
	if (label->level != 0 && label->codec == HZ_LABEL_UNSET)
		label->codec = HZ_CODEC_ZSTD;
	if (label->level != 0 && label->codec != HZ_CODEC_ZSTD)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("compression \"%s\" has no levels", hz_compress_name(label->codec)),
						errhint("Only zstd has them.")));
	label->stored = pstrdup(text);
	return label;
}

/* ---- To text */

static StringInfo
add_key(StringInfo text, const char *key)
{
	appendStringInfo(text, "%s\"%s\": ", text->len > 0 ? ", " : "{", key);
	return text;
}

/* NULL when nothing is set. */
static char *
label_text(const HzLabel *label)
{
	StringInfoData text;

	initStringInfo(&text);
	if (label->order_by != NULL)
		escape_json(add_key(&text, "order_by"), label->order_by);
	if (label->order_by_input != 0)
		appendStringInfo(add_key(&text, "order_by_input"), "%d", label->order_by_input);
	if (label->codec != HZ_LABEL_UNSET)
		escape_json(add_key(&text, "compression"), hz_compress_name(label->codec));
	if (label->level != 0)
		appendStringInfo(add_key(&text, "compression_level"), "%d", label->level);
	if (label->row_group_rows != 0)
		appendStringInfo(add_key(&text, "row_group_rows"), "%d", label->row_group_rows);
	if (label->bloom != HZ_LABEL_UNSET)
		appendStringInfoString(add_key(&text, "bloom"), label->bloom ? "true" : "false");
	if (label->managed)
		appendStringInfoString(add_key(&text, "managed"), "true");
	if (label->months_ahead != 0)
		appendStringInfo(add_key(&text, "months_ahead"), "%d", label->months_ahead);
	if (label->ttl != NULL)
		escape_json(add_key(&text, "ttl"), label->ttl);
	if (label->arrived)
		appendStringInfoString(add_key(&text, "arrived"), "true");
	if (label->time)
		appendStringInfoString(add_key(&text, "time"), "true");
	if (text.len == 0)
		return NULL;
	appendStringInfoChar(&text, '}');
	return text.data;
}

/* ---- The catalog */

HzLabels *
hz_label_read(Oid relid)
{
	HzLabels *labels = palloc0(sizeof(HzLabels));
	Relation catalog = table_open(SecLabelRelationId, AccessShareLock);
	TupleDesc desc = RelationGetDescr(catalog);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;

	labels->relid = relid;
	ScanKeyInit(&keys[0], Anum_pg_seclabel_objoid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_seclabel_classoid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RelationRelationId));
	scan = systable_beginscan(catalog, SecLabelObjectIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;
		Datum attnum = heap_getattr(tuple, Anum_pg_seclabel_objsubid, desc, &isnull);
		Datum provider = heap_getattr(tuple, Anum_pg_seclabel_provider, desc, &isnull);
		Datum label;

		if (strcmp(TextDatumGetCString(provider), HZ_LABEL_PROVIDER) != 0)
			continue;
		label = heap_getattr(tuple, Anum_pg_seclabel_label, desc, &isnull);
		labels->labels =
			lappend(labels->labels,
					hz_label_parse(TextDatumGetCString(label), (AttrNumber) DatumGetInt32(attnum)));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return labels;
}

HzLabel *
hz_label_find(const HzLabels *labels, AttrNumber attnum)
{
	ListCell *cell;

	foreach(cell, labels->labels)
	{
		HzLabel *label = lfirst(cell);

		if (label->attnum == attnum)
			return label;
	}
	return NULL;
}

HzLabel *
hz_label_get(HzLabels *labels, AttrNumber attnum)
{
	HzLabel *label = hz_label_find(labels, attnum);

	if (label == NULL)
	{
		label = empty_label(attnum);
		labels->labels = lappend(labels->labels, label);
	}
	return label;
}

void
hz_label_changes(Oid relid)
{
	ListCell *cell;

	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		/* nobody keeps it from being dropped */
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(lfirst_oid(cell))))
			CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
	}
}

void
hz_label_write(HzLabels *labels)
{
	ListCell *cell;

	foreach(cell, labels->labels)
	{
		HzLabel *label = lfirst(cell);
		char *text = label_text(label);
		ObjectAddress object;

		if (text == NULL ? label->stored == NULL
						 : label->stored != NULL && strcmp(text, label->stored) == 0)
			continue;
		ObjectAddressSubSet(object, RelationRelationId, labels->relid, label->attnum);
		SetSecurityLabel(&object, HZ_LABEL_PROVIDER, text);
		hz_label_changes(labels->relid);
		label->stored = text;
	}
	CommandCounterIncrement();
}
