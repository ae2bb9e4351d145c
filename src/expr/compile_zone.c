/*
 * expr/compile_zone.c
 *	  Local times of time zones that change: kernels that ask PostgreSQL's time zone code. Not for threads.
 *
 * A zone is a sequence of eras, each with one offset from UTC. Those that were met are kept, so that the zone is asked once per
 * era and not per row. What a local midnight is in UTC depends on that local time alone (DetermineTimeZoneOffset()
 * has rules for those that come twice or never), and is kept, too.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "expr/compile_internal.h"
#include "expr/vexpr_calendar.h"

#define ERAS 32
#define STARTS 1024 /* a power of two */

/* From a time that was asked for to the next change. */
typedef struct Era
{
	int64 start;
	int64 end; /* not in it */
	int64 offset;
} Era;

/* A local time and what it is in UTC. */
typedef struct Start
{
	int64 local;
	int64 utc;
} Start;

typedef struct HzVexprZone
{
	pg_tz *zone;
	int count;
	int next;   /* era to forget */
	int newest; /* era that was used last */
	Era eras[ERAS];
	Start starts[STARTS]; /* by local time; utc PG_INT64_MAX: unused */
} HzVexprZone;

/* ---- eras */

static int64
seconds_to_timestamp(pg_time_t seconds)
{
	int64 result;
	int64 since = seconds - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (int64) SECS_PER_DAY;

	if (__builtin_mul_overflow(since, (int64) USECS_PER_SEC, &result))
		return since < 0 ? PG_INT64_MIN : PG_INT64_MAX;
	return result;
}

/* Asks the zone about a time. An era that was known from a later time on becomes longer. */
static const Era *
ask(HzVexprZone *zone, int64 timestamp)
{
	pg_time_t seconds = hz_floor_div(timestamp, USECS_PER_SEC) +
						(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (int64) SECS_PER_DAY;
	struct pg_tm *tm = pg_localtime(&seconds, zone->zone);
	Era era = {.start = hz_floor_div(timestamp, USECS_PER_SEC) * USECS_PER_SEC,
			   .end = PG_INT64_MAX};
	pg_time_t boundary;
	long before;
	long after;
	int before_dst;
	int after_dst;

	/* it fails for no time that a timestamp holds */
	if (tm == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	era.offset = tm->tm_gmtoff * USECS_PER_SEC;
	if (pg_next_dst_boundary(&seconds, &before, &before_dst, &boundary, &after, &after_dst,
							 zone->zone) > 0)
		era.end = seconds_to_timestamp(boundary);
	for (zone->newest = 0; zone->newest < zone->count; zone->newest++)
		if (zone->eras[zone->newest].end == era.end &&
			zone->eras[zone->newest].offset == era.offset)
		{
			zone->eras[zone->newest].start = Min(zone->eras[zone->newest].start, era.start);
			return &zone->eras[zone->newest];
		}
	zone->newest = zone->count < ERAS ? zone->count++ : zone->next++ % ERAS;
	zone->eras[zone->newest] = era;
	return &zone->eras[zone->newest];
}

static inline bool
is_in(const Era *era, int64 timestamp)
{
	return timestamp >= era->start && timestamp < era->end;
}

static const Era *
era_of(HzVexprZone *zone, int64 timestamp)
{
	if (zone->count > 0 && is_in(&zone->eras[zone->newest], timestamp))
		return &zone->eras[zone->newest];
	for (int i = 0; i < zone->count; i++)
		if (is_in(&zone->eras[i], timestamp))
		{
			zone->newest = i;
			return &zone->eras[i];
		}
	return ask(zone, timestamp);
}

/* ---- local time */

static bool
local_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	const int64 *timestamps = in->values;
	int64 *out = lane->values;

	for (uint32 i = 0; i < rows->count; i++)
	{
		uint32 row = hz_rows_at(rows, i);
		int64 t = timestamps[row];

		out[row] = t;
		if (!hz_time_is_finite(t))
			continue;
		out[row] = t + era_of(expr->zone, t)->offset;
		/* op 1: the result is a timestamp of its own */
		if (expr->op == 1 && !hz_time_is_valid(out[row]) && hz_vector_valid(in, row))
			return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
	}
	return true;
}

static bool
local_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, local_kernel, rows, out);
}

/* ---- date_trunc */

static int64
start_in_utc(HzVexprZone *zone, int64 local)
{
	uint64 hash = (uint64) hz_floor_div(local, USECS_PER_DAY);
	Start *start = &zone->starts[hash % STARTS];
	struct pg_tm tm;

	if (start->local == local && start->utc != PG_INT64_MAX)
		return start->utc;
	memset(&tm, 0, sizeof(tm));
	hz_civil_of((int32) hz_floor_div(local, USECS_PER_DAY), &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	start->local = local;
	start->utc = local + DetermineTimeZoneOffset(&tm, zone->zone) * USECS_PER_SEC;
	return start->utc;
}

static bool
trunc_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	const int64 *timestamps = in->values;
	int64 *out = lane->values;
	/* hours and less keep the offset of the time itself: their starts may come twice */
	bool of_days = expr->op == 1 || expr->number >= USECS_PER_DAY;

	for (uint32 i = 0; i < rows->count; i++)
	{
		uint32 row = hz_rows_at(rows, i);
		int64 t = timestamps[row];
		int64 start;
		const Era *era;

		out[row] = t;
		if (!hz_time_is_finite(t) || !hz_vector_valid(in, row))
			continue;
		era = era_of(expr->zone, t);
		if (!hz_bucket_start(expr, t + era->offset, &start))
			return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
		out[row] = of_days ? start_in_utc(expr->zone, start) : start - era->offset;
		if (!hz_time_is_valid(out[row]))
			return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
	}
	return true;
}

static bool
trunc_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, trunc_kernel, rows, out);
}

/* ---- nodes */

static HzVexpr *
zone_node(Oid result, HzVexprValue value, HzVexpr *arg, pg_tz *tz)
{
	HzVexpr *node = hz_vexpr_make(result, value, 1);

	node->args[0] = arg;
	node->cost = 10;
	node->threadable = false;
	node->zone = palloc0(sizeof(HzVexprZone));
	node->zone->zone = tz;
	for (int i = 0; i < STARTS; i++)
		node->zone->starts[i].utc = PG_INT64_MAX;
	return node;
}

HzVexpr *
hz_compile_zone_local(HzVexpr *timestamptz, pg_tz *tz, bool checked)
{
	HzVexpr *node = zone_node(TIMESTAMPOID, local_value, timestamptz, tz);

	node->op = checked;
	node->can_fail = checked;
	return hz_vexpr_finish(node);
}

HzVexpr *
hz_compile_zone_trunc(HzVexpr *timestamptz, pg_tz *tz)
{
	HzVexpr *node = zone_node(TIMESTAMPTZOID, trunc_value, timestamptz, tz);

	node->can_fail = true;
	return hz_vexpr_finish(node);
}
