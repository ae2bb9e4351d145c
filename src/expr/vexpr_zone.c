/*
 * expr/vexpr_zone.c
 *	  Local times of time zones that change, and date_trunc() in them.
 *
 * Neighbours in a table are mostly of one era: then a local time is a sum, and a vector's local times fall into buckets as any others do
 * (vexpr_trunc.c). What a local midnight is in UTC depends on that local time alone, so it is found once per bucket. Hours and less keep
 * the offset of the time itself, since their starts may come twice; where offsets are whole buckets, they are buckets of UTC.
 */
#include "encoding/clones.h"
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_node.h"
#include "expr/vexpr_zone.h"

/* ---- eras */

/* That of a time that some era has. */
static const HzZoneEra *
era_at(const HzVexprZone *zone, int64_t timestamp)
{
	uint32_t low = 0;
	uint32_t high = zone->count - 1;

	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (timestamp < zone->eras[middle].end)
			high = middle;
		else
			low = middle + 1;
	}
	return &zone->eras[low];
}

static bool
is_known(const HzVexprZone *zone, int64_t timestamp)
{
	return timestamp >= zone->start && timestamp < zone->end;
}

/* Where rows are looked up one after the other: most are in the era of the last. */
typedef struct Place
{
	const HzVexprZone *zone;
	int64_t start; /* of the era, or later */
	int64_t end;
	int64_t offset;
} Place;

/* The offset of a finite time; false: only the server knows it. */
static bool
find_offset(HzEval *eval, Place *place, int64_t timestamp)
{
	const HzZoneEra *era;

	if (timestamp >= place->start && timestamp < place->end)
		return true;
	if (!is_known(place->zone, timestamp))
	{
		if (!hz_eval_may_ask(eval))
			return false;
		place->start = place->end = 0;
		place->offset = place->zone->ask_offset(place->zone, timestamp);
		return true;
	}
	era = era_at(place->zone, timestamp);
	place->start = timestamp;
	place->end = era->end;
	place->offset = era->offset;
	return true;
}

/*
 * Whether the selected times are finite and known, and the first and the last era that they are in. None is so late that its local time
 * would be no timestamp.
 */
static bool
find_eras(const HzVexprZone *zone, const HzVector *in, const HzRows *rows, const HzZoneEra **first,
		  const HzZoneEra **last)
{
	int64_t min;
	int64_t max;

	if (in->form != HZ_FORM_FLAT || !hz_time_range(in, rows, &min, &max) || !is_known(zone, min) ||
		!is_known(zone, max) || max >= HZ_TIMESTAMP_END - 2 * HZ_USECS_PER_DAY)
		return false;
	*first = era_at(zone, min);
	*last = max < (*first)->end ? *first : era_at(zone, max);
	return true;
}

/* ---- local time */

HZ_CLONES static void
add_offset(const int64_t *restrict in, uint32_t count, int64_t offset, int64_t *restrict out)
{
	/* rows that are not selected may overflow */
	for (uint32_t i = 0; i < count; i++)
		out[i] = (int64_t) ((uint64_t) in[i] + (uint64_t) offset);
}

static bool
local_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	const int64_t *timestamps = in->values;
	int64_t *out = lane->values;
	Place place = {.zone = expr->zone};

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];

		out[row] = t;
		if (!hz_time_is_finite(t) || !hz_vector_valid(in, row))
			continue;
		if (!find_offset(eval, &place, t))
			return hz_eval_fail(eval, HZ_EVAL_ELSEWHERE);
		out[row] = t + place.offset;
		/* op 1: the result is a timestamp of its own */
		if (expr->op == 1 && !hz_time_is_valid(out[row]))
			return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
	}
	return true;
}

/* The local times of a FLAT vector of one era; false: it is another. */
static bool
local_of_era(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzVector *out)
{
	const HzZoneEra *first;
	const HzZoneEra *last;
	int64_t *values;

	if (!find_eras(expr->zone, in, rows, &first, &last) || first != last)
		return false;
	values = hz_bump_alloc(&eval->batch, sizeof(int64_t) * in->count);
	add_offset(in->values, in->count, first->offset, values);
	*out = *in;
	out->kind = HZ_KIND_INT64;
	out->values = values;
	return true;
}

bool
hz_vexpr_zone_local_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;

	return hz_eval_value(eval, expr->args[0], rows, &in) &&
		   (local_of_era(eval, expr, &in, rows, out) ||
			hz_eval_map(eval, expr, local_kernel, &in, rows, out));
}

/* ---- date_trunc */

/* What a local midnight is in UTC, as DetermineTimeZoneOffset() of PostgreSQL's datetime.c decides; false: only the server knows it. */
static bool
start_in_utc(HzEval *eval, const HzVexprZone *zone, int64_t local, int64_t *utc)
{
	int64_t previous = local - HZ_USECS_PER_DAY;
	const HzZoneEra *era = is_known(zone, previous) ? era_at(zone, previous) : NULL;
	int64_t before;
	int64_t after;

	if (era != NULL && era->end == INT64_MAX)
	{
		*utc = local - era->before;
		return true;
	}
	if (era == NULL || era->end == zone->end)
	{
		if (!hz_eval_may_ask(eval))
			return false;
		*utc = zone->ask_start(zone, local);
		return true;
	}
	before = local - era[0].before;
	after = local - era[1].before;
	if (before < era->end && after < era->end)
		*utc = before;
	else if (before > era->end && after >= era->end)
		*utc = after;
	else
		*utc = before > after ? before : after;
	return true;
}

static bool
is_of_days(const HzVexpr *expr)
{
	return expr->op == 1 || expr->number >= HZ_USECS_PER_DAY;
}

static bool
trunc_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	const int64_t *timestamps = in->values;
	int64_t *out = lane->values;
	Place place = {.zone = expr->zone};

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];
		int64_t start;

		out[row] = t;
		if (!hz_time_is_finite(t) || !hz_vector_valid(in, row))
			continue;
		if (!find_offset(eval, &place, t))
			return hz_eval_fail(eval, HZ_EVAL_ELSEWHERE);
		if (!hz_bucket_start(expr, t + place.offset, &start))
			return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
		if (!is_of_days(expr))
			out[row] = start - place.offset;
		else if (!start_in_utc(eval, expr->zone, start, &out[row]))
			return hz_eval_fail(eval, HZ_EVAL_ELSEWHERE);
		if (!hz_time_is_valid(out[row]))
			return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
	}
	return true;
}

/* Local midnights in UTC. */
static bool
midnights_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
				 HzLane *lane)
{
	const int64_t *starts = in->values;
	int64_t *out = lane->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		out[row] = 0;
		if (!hz_vector_valid(in, row))
			continue;
		if (!start_in_utc(eval, expr->zone, starts[row], &out[row]))
			return hz_eval_fail(eval, HZ_EVAL_ELSEWHERE);
		if (!hz_time_is_valid(out[row]))
			return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
	}
	return true;
}

/* Codes of buckets of days and more. False: not to be had. */
static bool
day_codes(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
		  HzVector *starts)
{
	HzVector local;

	return local_of_era(eval, expr, in, rows, &local) &&
		   hz_trunc_codes(eval, expr, &local, rows, starts);
}

/* The same of shorter ones, in UTC. */
static bool
hour_codes(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzVector *out)
{
	const HzZoneEra *era;
	const HzZoneEra *last;

	if (!find_eras(expr->zone, in, rows, &era, &last))
		return false;
	for (; era <= last; era++)
	{
		if (era->offset % expr->number != 0)
			return false;
	}
	return hz_trunc_codes(eval, expr, in, rows, out);
}

bool
hz_vexpr_zone_trunc_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;
	HzVector starts;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	if (is_of_days(expr) && day_codes(eval, expr, &in, rows, &starts))
		return hz_eval_map(eval, expr, midnights_kernel, &starts, rows, out);
	if (!is_of_days(expr) && hour_codes(eval, expr, &in, rows, out))
		return true;
	return hz_eval_map(eval, expr, trunc_kernel, &in, rows, out);
}
