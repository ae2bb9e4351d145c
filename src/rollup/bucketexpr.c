/*
 * rollup/bucketexpr.c
 *	  Expressions whose value is the start of a time bucket. See bucketexpr.h.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "rollup/bucketexpr.h"

static bool
is_known(Node *node)
{
	return IsA(node, Const) && !castNode(Const, node)->constisnull;
}

static bool
is_utc(Node *node)
{
	char *zone;

	if (!is_known(node))
		return false;
	zone = TextDatumGetCString(castNode(Const, node)->constvalue);
	return pg_strcasecmp(zone, "UTC") == 0 || pg_strcasecmp(zone, "Etc/UTC") == 0 ||
		   pg_strcasecmp(zone, "GMT") == 0;
}

/* The time column of which an expression is a value in UTC: itself, a date's midnight, or AT TIME ZONE 'UTC'. */
static Var *
time_column(Node *node)
{
	FuncExpr *call = (FuncExpr *) node;

	if (IsA(node, FuncExpr) && call->funcid == F_TIMEZONE_TEXT_TIMESTAMPTZ &&
		is_utc(linitial(call->args)))
		node = lsecond(call->args);
	else if (IsA(node, FuncExpr) && call->funcid == F_TIMESTAMP_DATE)
		node = linitial(call->args);
	return IsA(node, Var) && castNode(Var, node)->varattno > 0 ? castNode(Var, node) : NULL;
}

static HzBucketKind
bucket_of_trunc(FuncExpr *call, HzBucketKind kind, HzBucketExpr *result)
{
	Node *unit = linitial(call->args);

	if (!is_known(unit))
		return HZ_BUCKET_NONE;
	result->unit = TextDatumGetCString(castNode(Const, unit)->constvalue);
	return hz_bucket_of_unit(result->unit, &result->bucket) ? kind : HZ_BUCKET_UNIT;
}

static HzBucketKind
bucket_of_bin(FuncExpr *call, HzBucketExpr *result)
{
	HzBucket *bucket = &result->bucket;
	Const *stride = linitial(call->args);
	Const *origin = lthird(call->args);
	Interval *interval;
	int64 days;

	if (!is_known((Node *) stride) || !is_known((Node *) origin))
		return HZ_BUCKET_NONE;
	result->is_bin = true;
	interval = DatumGetIntervalP(stride->constvalue);
	bucket->months = 0;
	bucket->origin = DatumGetTimestamp(origin->constvalue);
	if (interval->month != 0 || pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(days, interval->time, &bucket->width) ||
		bucket->width < USECS_PER_MINUTE || bucket->width > 36525 * USECS_PER_DAY ||
		TIMESTAMP_NOT_FINITE(bucket->origin))
		return HZ_BUCKET_STRIDE;
	bucket->origin = hz_bucket_floor(bucket, bucket->origin);
	return HZ_BUCKET_UTC;
}

HzBucketKind
hz_bucketexpr(Node *node, HzBucketExpr *result)
{
	FuncExpr *call = (FuncExpr *) node;

	memset(result, 0, sizeof(HzBucketExpr));
	if (!IsA(node, FuncExpr) || list_length(call->args) < 2)
		return HZ_BUCKET_NONE;
	result->column = time_column(lsecond(call->args));
	if (result->column == NULL)
		return HZ_BUCKET_NONE;
	switch (call->funcid)
	{
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
			return bucket_of_trunc(call, HZ_BUCKET_SESSION, result);
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
			if (is_known(lthird(call->args)))
				result->zone = TextDatumGetCString(lthird_node(Const, call->args)->constvalue);
			return bucket_of_trunc(
				call, is_utc(lthird(call->args)) ? HZ_BUCKET_UTC : HZ_BUCKET_ZONE, result);
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
			return bucket_of_trunc(call, HZ_BUCKET_UTC, result);
		case F_DATE_BIN_INTERVAL_TIMESTAMP_TIMESTAMP:
		case F_DATE_BIN_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ:
			return bucket_of_bin(call, result);
		default:
			return HZ_BUCKET_NONE;
	}
}
