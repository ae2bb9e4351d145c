/*
 * admin/timerange.c
 *	  A range of time in a column of a table. See timerange.h.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "admin/timerange.h"
#include "admin/inspect.h"
#include "base/compat.h"

PG_FUNCTION_INFO_V1(hz_time_condition);

bool
hz_timerange_is_time(Oid type)
{
	return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

Relation
hz_timerange_open(Oid relid, LOCKMODE lockmode)
{
	char relkind = get_rel_relkind(relid);
	Relation rel;

	if (relkind == '\0')
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relid)));
	hz_inspect_check_owner(relid);
	rel = relation_open(relid, lockmode);
	hz_inspect_check_owner(relid);
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a table", RelationGetRelationName(rel))));
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot act on temporary tables of other sessions")));
	return rel;
}

AttrNumber
hz_timerange_column(Relation rel, const char *name)
{
	AttrNumber attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name,
							   RelationGetRelationName(rel)),
						errhint("Names of columns are taken as they are given, without folding to "
								"lower case.")));
	if (attnum < 0 ||
		!hz_timerange_is_time(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" of relation \"%s\" is not a time", name,
							   RelationGetRelationName(rel)),
						errhint("Its type must be date, timestamp or timestamp with time zone.")));
	return attnum;
}

HzTimeRange
hz_timerange_of(Relation rel, const char *column, bool open_below, Timestamp from, Timestamp to)
{
	HzTimeRange range = {.from = open_below ? DT_NOBEGIN : from, .to = to};

	range.attnum = hz_timerange_column(rel, column);
	range.type = TupleDescAttr(RelationGetDescr(rel), range.attnum - 1)->atttypid;
	if (TIMESTAMP_NOT_FINITE(to) || (!open_below && TIMESTAMP_NOT_FINITE(from)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("bounds of a range of time must be finite")));
	return range;
}

int64
hz_timerange_stored(const HzTimeRange *range, Timestamp bound)
{
	/* a day belongs to a range when its midnight does */
	if (range->type == DATEOID)
		return bound / USECS_PER_DAY + (bound % USECS_PER_DAY > 0 ? 1 : 0);
	return bound;
}

static char *
literal(const HzTimeRange *range, Timestamp bound)
{
	char text[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t fsec;

	if (range->type == DATEOID)
		bound = hz_timerange_stored(range, bound) * USECS_PER_DAY;
	if (timestamp2tm(bound, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	if (range->type == DATEOID)
	{
		EncodeDateOnly(&tm, USE_ISO_DATES, text);
		return psprintf("'%s'::pg_catalog.date", text);
	}
	tm.tm_isdst = 0; /* or the offset is left out */
	EncodeDateTime(&tm, fsec, range->type == TIMESTAMPTZOID, 0, NULL, USE_ISO_DATES, text);
	return psprintf("'%s'::pg_catalog.%s", text,
					range->type == TIMESTAMPTZOID ? "timestamptz" : "timestamp");
}

char *
hz_timerange_condition(Relation rel, const HzTimeRange *range)
{
	const char *column =
		quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(rel), range->attnum - 1)->attname));
	const char *below = range->from == DT_NOBEGIN ? ">" : ">=";
	const char *from =
		range->from == DT_NOBEGIN
			? psprintf("'-infinity'::pg_catalog.%s", range->type == DATEOID        ? "date"
													 : range->type == TIMESTAMPOID ? "timestamp"
																				   : "timestamptz")
			: literal(range, range->from);

	return psprintf("%s OPERATOR(pg_catalog.%s) %s AND %s OPERATOR(pg_catalog.<) %s", column, below,
					from, column, literal(range, range->to));
}

/* time_condition(relation regclass, column_name name, lower timestamp, upper timestamp): text */
Datum
hz_time_condition(PG_FUNCTION_ARGS)
{
	Relation rel;
	HzTimeRange range;
	char *text;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	rel = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (rel == NULL)
		PG_RETURN_NULL();
	range = hz_timerange_of(rel, NameStr(*PG_GETARG_NAME(1)), PG_ARGISNULL(2),
							PG_ARGISNULL(2) ? 0 : PG_GETARG_TIMESTAMP(2), PG_GETARG_TIMESTAMP(3));
	text = hz_timerange_condition(rel, &range);
	relation_close(rel, AccessShareLock);
	PG_RETURN_TEXT_P(cstring_to_text(text));
}
