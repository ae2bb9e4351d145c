/*
 * expr/compile_time.c
 *	  Functions of dates and timestamps that have kernels.
 *
 * What depends on the session's time zone is compiled for the zone at the time of compilation: an executor that is
 * started under one zone and goes on under another (a cursor) keeps the first. Zones with one offset for all times, as
 * UTC has, have pure kernels; the others those of compile_zone.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/scansup.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "expr/compile_internal.h"
#include "expr/vexpr_calendar.h"

StaticAssertDecl(HZ_TIMESTAMP_MIN == MIN_TIMESTAMP, "least timestamp");
StaticAssertDecl(HZ_TIMESTAMP_END == END_TIMESTAMP, "end of timestamps");
StaticAssertDecl(HZ_DATE_MIN == DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE, "least date");
StaticAssertDecl(HZ_DATE_END == DATE_END_JULIAN - POSTGRES_EPOCH_JDATE, "end of dates");
StaticAssertDecl(HZ_DATE_TIMESTAMP_END == TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE,
				 "end of dates that are timestamps");

int64
hz_date_as_timestamp(int32 date)
{
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (DATE_IS_NOEND(date))
		return DT_NOEND;
	/* later than every timestamp, but not infinite */
	if (date >= HZ_DATE_TIMESTAMP_END)
		return PG_INT64_MAX - 1;
	return date * USECS_PER_DAY;
}

/* ---- constant arguments */

/* Not null, or NULL. */
static const Const *
constant_arg(List *args, int i)
{
	const Const *constant = list_nth(args, i);

	return IsA(constant, Const) && !constant->constisnull ? constant : NULL;
}

/* A time zone; one whose offset from UTC never changes has it in microseconds. */
typedef struct Zone
{
	pg_tz *tz;
	bool fixed;
	int64 offset;
} Zone;

/* False: none, or one that counts leap seconds, whose local times are no sum of UTC and an offset. */
static bool
describe_zone(pg_tz *tz, Zone *zone)
{
	long seconds = 0;

	if (tz == NULL || strncmp(pg_get_timezone_name(tz), "right/", 6) == 0)
		return false;
	zone->tz = tz;
	zone->fixed = pg_get_timezone_offset(tz, &seconds);
	zone->offset = seconds * USECS_PER_SEC;
	return true;
}

/*
 * That of a constant name. Abbreviations, which a setting defines, are PostgreSQL's business, but for those that mean
 * UTC wherever they mean anything.
 */
static bool
named_zone(const Const *name, Zone *zone)
{
	char *zone_name;

	if (name == NULL)
		return false;
	zone_name = TextDatumGetCString(name->constvalue);
	if (strchr(zone_name, '/') == NULL && pg_strcasecmp(zone_name, "UTC") != 0)
		return false;
	return strlen(zone_name) <= TZ_STRLEN_MAX && describe_zone(pg_tzset(zone_name), zone);
}

static bool
session_zone(Zone *zone)
{
	return describe_zone(session_timezone, zone);
}

bool
hz_time_unit(const Const *name, int *unit)
{
	text *value;
	char *lower;
	int type;

	if (name == NULL)
		return false;
	value = DatumGetTextPP(name->constvalue);
	lower = downcase_truncate_identifier(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false);
	type = DecodeUnits(0, lower, unit);
	if (type == UNKNOWN_FIELD)
		type = DecodeSpecial(0, lower, unit);
	return type == UNITS || (type == RESERV && *unit == DTK_EPOCH);
}

/* ---- nodes */

static HzVexpr *
unary(HzCompiler *compiler, Oid result, HzVexprValue value, Expr *arg)
{
	HzVexpr *node = hz_vexpr_make(result, value, 1);

	node->args[0] = hz_compile_node(compiler, arg);
	node->cost = 3;
	return node;
}

/* A timestamptz in local time, for what looks at its fields; or itself, and the offset that makes it so. */
static HzVexpr *
to_local(HzVexpr *arg, const Zone *zone, int64 *offset)
{
	*offset = zone->fixed ? zone->offset : 0;
	return zone->fixed || arg == NULL ? arg : hz_compile_zone_local(arg, zone->tz, false);
}

static HzVexpr *
failing(HzVexpr *node)
{
	if (node != NULL)
		node->can_fail = true;
	return node;
}

/* ---- date_trunc, date_bin */

/* How a unit cuts time: false where there is no kernel. */
static bool
set_bucket(HzVexpr *node, int unit)
{
	node->op = 0;
	node->shift = 0;
	switch (unit)
	{
		case DTK_MILLISEC:
			node->number = 1000;
			return true;
		case DTK_SECOND:
			node->number = USECS_PER_SEC;
			return true;
		case DTK_MINUTE:
			node->number = USECS_PER_MINUTE;
			return true;
		case DTK_HOUR:
			node->number = USECS_PER_HOUR;
			return true;
		case DTK_DAY:
			node->number = USECS_PER_DAY;
			return true;
		case DTK_WEEK:
			/* 2000-01-03 is a Monday */
			node->number = 7 * USECS_PER_DAY;
			node->shift = 2 * USECS_PER_DAY;
			return true;
		case DTK_MONTH:
		case DTK_QUARTER:
		case DTK_YEAR:
			node->op = 1;
			node->number = unit == DTK_MONTH ? 1 : unit == DTK_QUARTER ? 3 : 12;
			return true;
		default:
			return false;
	}
}

static HzVexpr *
compile_trunc(HzCompiler *compiler, Oid function, Oid result, List *args)
{
	const Const *unit = constant_arg(args, 0);
	Zone zone = {.fixed = true};
	HzVexpr *node;
	HzVexpr bucket;
	int value;

	if (!hz_time_unit(unit, &value) || !set_bucket(&bucket, value))
		return NULL;
	if (function == F_DATE_TRUNC_TEXT_TIMESTAMPTZ && !session_zone(&zone))
		return NULL;
	if (function == F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT && !named_zone(constant_arg(args, 2), &zone))
		return NULL;
	if (zone.fixed)
	{
		node = hz_vexpr_finish(unary(compiler, result, hz_vexpr_trunc_value, lsecond(args)));
		if (node != NULL)
			node->offset = zone.offset;
	}
	else
	{
		node = hz_compile_node(compiler, lsecond(args));
		if (node != NULL)
			node = hz_compile_zone_trunc(node, zone.tz);
	}
	if (node != NULL)
		(void) set_bucket(node, value);
	return failing(node);
}

static HzVexpr *
compile_bin(HzCompiler *compiler, Oid result, List *args)
{
	const Const *stride = constant_arg(args, 0);
	const Const *origin = constant_arg(args, 2);
	const Interval *interval;
	HzVexpr *node;
	int64 number;
	int64 shift;

	if (stride == NULL || origin == NULL)
		return NULL;
	interval = DatumGetIntervalP(stride->constvalue);
	shift = DatumGetTimestamp(origin->constvalue);
	if (TIMESTAMP_NOT_FINITE(shift) || interval->month != 0 || abs(interval->day) > 1000000 ||
		interval->time >= PG_INT64_MAX / 2 || interval->time <= PG_INT64_MIN / 2)
		return NULL;
	number = interval->day * USECS_PER_DAY + interval->time;
	if (number <= 0)
		return NULL;
	node = unary(compiler, result, hz_vexpr_trunc_value, lsecond(args));
	node->number = number;
	node->shift = shift;
	return failing(hz_vexpr_finish(node));
}

/* ---- extract */

static bool
find_field(int unit, Oid function, HzTimeField *field)
{
	static const struct
	{
		int unit;
		HzTimeField field;
	} fields[] = {
		{DTK_SECOND, HZ_FIELD_SECOND}, {DTK_MINUTE, HZ_FIELD_MINUTE},
		{DTK_HOUR, HZ_FIELD_HOUR},     {DTK_DAY, HZ_FIELD_DAY},
		{DTK_MONTH, HZ_FIELD_MONTH},   {DTK_QUARTER, HZ_FIELD_QUARTER},
		{DTK_YEAR, HZ_FIELD_YEAR},     {DTK_DOW, HZ_FIELD_DOW},
		{DTK_ISODOW, HZ_FIELD_ISODOW}, {DTK_DOY, HZ_FIELD_DOY},
		{DTK_WEEK, HZ_FIELD_WEEK},     {DTK_EPOCH, HZ_FIELD_EPOCH},
	};

	for (int i = 0; i < (int) lengthof(fields); i++)
		if (fields[i].unit == unit)
		{
			*field = fields[i].field;
			/* a date has no time: an error that PostgreSQL words */
			return function != F_EXTRACT_TEXT_DATE || *field >= HZ_FIELD_DAY;
		}
	return false;
}

static HzVexpr *
compile_extract(HzCompiler *compiler, Oid function, Oid result, List *args)
{
	const Const *unit = constant_arg(args, 0);
	Zone zone = {.fixed = true};
	HzTimeField field;
	HzVexpr *node;
	int value;

	if (!hz_time_unit(unit, &value) || !find_field(value, function, &field))
		return NULL;
	if (function == F_EXTRACT_TEXT_TIMESTAMPTZ && field != HZ_FIELD_EPOCH && !session_zone(&zone))
		return NULL;
	node = unary(compiler, result, hz_vexpr_extract_value, lsecond(args));
	node->args[0] = to_local(node->args[0], &zone, &node->offset);
	node->op = (int) field;
	return hz_vexpr_finish(node);
}

HzVexpr *
hz_compile_date_part(HzCompiler *compiler, Expr *expr, Oid function, List *args)
{
	Oid extract = function == F_DATE_PART_TEXT_TIMESTAMP     ? F_EXTRACT_TEXT_TIMESTAMP
				  : function == F_DATE_PART_TEXT_TIMESTAMPTZ ? F_EXTRACT_TEXT_TIMESTAMPTZ
															 : InvalidOid;
	const Const *unit;
	HzTimeField field;
	int value;

	if (!OidIsValid(extract) || !hz_compile_replaceable(extract))
		return NULL;
	unit = constant_arg(args, 0);
	/* seconds are calculated in doubles there */
	if (!hz_time_unit(unit, &value) || !find_field(value, extract, &field) ||
		field == HZ_FIELD_SECOND || field == HZ_FIELD_EPOCH)
		return NULL;
	return hz_compile_number(compiler, expr,
							 (Expr *) makeFuncExpr(extract, NUMERICOID, args, InvalidOid,
												   InvalidOid, COERCE_EXPLICIT_CALL),
							 FLOAT8OID);
}

void
hz_compile_coarse(HzVexpr *epoch, int64 seconds)
{
	HzVexpr *time;

	if (epoch == NULL || epoch->value != hz_vexpr_extract_value || epoch->op != HZ_FIELD_EPOCH ||
		epoch->args[0]->kind != HZ_KIND_INT64)
		return;
	time = hz_vexpr_make(TIMESTAMPOID, hz_vexpr_coarse_value, 1);
	time->args[0] = epoch->args[0];
	time->number = seconds * USECS_PER_SEC;
	time->shift = HZ_UNIX_EPOCH;
	epoch->args[0] = hz_vexpr_finish(time);
}

HzVexpr *
hz_compile_span(HzCompiler *compiler, Expr *expr, Oid function, List *args)
{
	const Const *unit;
	OpExpr *difference;
	HzVexpr *node;
	int value;

	if (!compiler->executor || function != F_EXTRACT_TEXT_INTERVAL)
		return NULL;
	unit = constant_arg(args, 0);
	difference = lsecond(args);
	if (!hz_time_unit(unit, &value) || value != DTK_EPOCH || !IsA(difference, OpExpr) ||
		(difference->opfuncid != F_TIMESTAMP_MI && difference->opfuncid != F_TIMESTAMPTZ_MI) ||
		!hz_compile_replaceable(difference->opfuncid))
		return NULL;
	node = hz_vexpr_make(NUMERICOID, hz_vexpr_span_value, 3);
	node->args[0] = hz_compile_node(compiler, linitial(difference->args));
	node->args[1] = hz_compile_node(compiler, lsecond(difference->args));
	node->args[2] = hz_compile_fallback(compiler, expr, 2);
	return hz_vexpr_finish(node);
}

/* ---- to_char */

static HzVexpr *
compile_to_char(HzCompiler *compiler, Oid function, List *args)
{
	static const int units[] = {
		[HZ_FIELD_SECOND] = DTK_SECOND, [HZ_FIELD_MINUTE] = DTK_MINUTE, [HZ_FIELD_HOUR] = DTK_HOUR,
		[HZ_FIELD_DAY] = DTK_DAY,       [HZ_FIELD_MONTH] = DTK_MONTH,   [HZ_FIELD_YEAR] = DTK_YEAR,
	};
	const Const *format = constant_arg(args, 1);
	HzVexpr *node = hz_vexpr_make(TEXTOID, hz_vexpr_to_char_value, 1);
	Zone zone = {.fixed = true};
	HzTimeField finest;

	if (format == NULL || !hz_compile_format(format, node, &finest) ||
		(function == F_TO_CHAR_TIMESTAMPTZ_TEXT && !session_zone(&zone)))
		return NULL;
	(void) set_bucket(node, units[finest]);
	node->args[0] = to_local(hz_compile_node(compiler, linitial(args)), &zone, &node->offset);
	node->cost = 10;
	return hz_vexpr_finish(node);
}

/* ---- timestamptz to local time */

static HzVexpr *
compile_zoned_date(HzCompiler *compiler, Expr *arg)
{
	HzVexpr *node;
	Zone zone;

	if (!session_zone(&zone))
		return NULL;
	node = unary(compiler, DATEOID, hz_vexpr_to_date_value, arg);
	node->args[0] = to_local(node->args[0], &zone, &node->offset);
	return hz_vexpr_finish(node);
}

static HzVexpr *
compile_local(HzCompiler *compiler, Expr *arg, const Zone *zone)
{
	HzVexpr *node;

	if (!zone->fixed)
	{
		node = hz_compile_node(compiler, arg);
		return node != NULL ? hz_compile_zone_local(node, zone->tz, true) : NULL;
	}
	node = unary(compiler, TIMESTAMPOID, hz_vexpr_move_value, arg);
	node->number = zone->offset;
	return failing(hz_vexpr_finish(node));
}

static HzVexpr *
compile_date_to_zoned(HzCompiler *compiler, Expr *arg)
{
	HzVexpr *node;
	Zone zone;

	if (!session_zone(&zone) || !zone.fixed)
		return NULL;
	node = unary(compiler, TIMESTAMPTZOID, hz_vexpr_from_date_value, arg);
	node->offset = zone.offset;
	return failing(hz_vexpr_finish(node));
}

/* ---- sums */

/* A timestamp plus (sign 1) or minus an interval of days and less; days of a timestamptz depend on its zone. */
static HzVexpr *
compile_move(HzCompiler *compiler, Oid result, Expr *timestamp, const Const *span, int sign)
{
	const Interval *interval;
	HzVexpr *node;
	Zone zone;

	if (span == NULL)
		return NULL;
	interval = DatumGetIntervalP(span->constvalue);
	if (interval->month != 0 || abs(interval->day) > 1000000 ||
		interval->time >= PG_INT64_MAX / 2 || interval->time <= PG_INT64_MIN / 2 ||
		(result == TIMESTAMPTZOID && interval->day != 0 && !(session_zone(&zone) && zone.fixed)))
		return NULL;
	node = unary(compiler, result, hz_vexpr_move_value, timestamp);
	node->shift = sign * interval->day * USECS_PER_DAY;
	node->number = sign * interval->time;
	return failing(hz_vexpr_finish(node));
}

static HzVexpr *
compile_date_add(HzCompiler *compiler, Oid result, Expr *date, Expr *days, HzArithOp op)
{
	HzVexpr *node = hz_vexpr_make(result, hz_vexpr_date_add_value, 2);

	node->args[0] = hz_compile_node(compiler, date);
	node->args[1] = hz_compile_node(compiler, days);
	node->op = (int) op;
	node->cost = 2;
	return failing(hz_vexpr_finish(node));
}

static HzVexpr *
compile_sum(HzCompiler *compiler, Oid function, Oid result, List *args)
{
	Expr *left = linitial(args);
	Expr *right = lsecond(args);

	switch (function)
	{
		case F_DATE_PLI:
			return compile_date_add(compiler, result, left, right, HZ_ADD);
		case F_DATE_MII:
			return compile_date_add(compiler, result, left, right, HZ_SUB);
		case F_DATE_MI:
			return compile_date_add(compiler, result, left, right, HZ_DIV);
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMPTZ_PL_INTERVAL:
			return compile_move(compiler, result, left, constant_arg(args, 1), 1);
		case F_TIMESTAMP_MI_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
			return compile_move(compiler, result, left, constant_arg(args, 1), -1);
		default:
			return NULL;
	}
}

/* ---- all of them */

HzVexpr *
hz_compile_time(HzCompiler *compiler, Oid function, Oid result, List *args)
{
	Zone zone;

	switch (function)
	{
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
			return compile_trunc(compiler, function, result, args);
		case F_DATE_BIN_INTERVAL_TIMESTAMP_TIMESTAMP:
		case F_DATE_BIN_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ:
			return compile_bin(compiler, result, args);
		case F_EXTRACT_TEXT_DATE:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
			return compile_extract(compiler, function, result, args);
		case F_TO_CHAR_TIMESTAMP_TEXT:
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
			return compile_to_char(compiler, function, args);
		case F_DATE_TIMESTAMP:
			return hz_vexpr_finish(unary(compiler, result, hz_vexpr_to_date_value, linitial(args)));
		case F_DATE_TIMESTAMPTZ:
			return compile_zoned_date(compiler, linitial(args));
		case F_TIMESTAMP_DATE:
			return failing(
				hz_vexpr_finish(unary(compiler, result, hz_vexpr_from_date_value, linitial(args))));
		case F_TIMESTAMPTZ_DATE:
			return compile_date_to_zoned(compiler, linitial(args));
		case F_TIMESTAMP_TIMESTAMPTZ:
			return session_zone(&zone) ? compile_local(compiler, linitial(args), &zone) : NULL;
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
			return named_zone(constant_arg(args, 0), &zone)
					   ? compile_local(compiler, lsecond(args), &zone)
					   : NULL;
		default:
			return list_length(args) == 2 ? compile_sum(compiler, function, result, args) : NULL;
	}
}
