/*
 * rollup/bucket.c
 *	  Time buckets in UTC. See bucket.h.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "rollup/bucket.h"

/* A Monday, with which weeks begin. */
#define MONDAY (2 * USECS_PER_DAY)

typedef struct Unit
{
	const char *name;
	HzBucket bucket;
} Unit;

static const Unit units[] = {
	{"minute", {0, USECS_PER_MINUTE, 0}},
	{"hour", {0, USECS_PER_HOUR, 0}},
	{"day", {0, USECS_PER_DAY, 0}},
	{"week", {0, 7 * USECS_PER_DAY, MONDAY}},
	{"month", {1, 0, 0}},
	{"quarter", {3, 0, 0}},
	{"year", {12, 0, 0}},
};

bool
hz_bucket_of_unit(const char *unit, HzBucket *bucket)
{
	for (size_t i = 0; i < lengthof(units); i++)
		if (pg_strcasecmp(unit, units[i].name) == 0)
		{
			*bucket = units[i].bucket;
			return true;
		}
	return false;
}

/* Months since the start of the year 0 of the Gregorian calendar, rounded down. */
static int
month_of(Timestamp time)
{
	Timestamp date = time / USECS_PER_DAY;
	int year;
	int month;
	int day;

	if (time % USECS_PER_DAY < 0)
		date--;
	j2date((int) (date + POSTGRES_EPOCH_JDATE), &year, &month, &day);
	return year * 12 + month - 1;
}

static Timestamp
start_of_month(int month)
{
	int year = month / 12;
	Timestamp result;

	if (month % 12 < 0)
		year--;
	month -= year * 12;
	if (!IS_VALID_JULIAN(year, month + 1, 1))
		return year < 0 ? DT_NOBEGIN : DT_NOEND;
	result = (Timestamp) (date2j(year, month + 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY;
	return IS_VALID_TIMESTAMP(result) ? result : year < 0 ? DT_NOBEGIN : DT_NOEND;
}

Timestamp
hz_bucket_floor(const HzBucket *bucket, Timestamp time)
{
	int64 offset;
	int64 start;

	if (bucket->months > 0)
	{
		int month = month_of(time);
		int rest = month % bucket->months;

		return start_of_month(month - (rest < 0 ? rest + bucket->months : rest));
	}
	if (pg_sub_s64_overflow(time, bucket->origin, &offset))
		return DT_NOBEGIN;
	offset %= bucket->width;
	if (offset < 0)
		offset += bucket->width;
	if (pg_sub_s64_overflow(time, offset, &start) || !IS_VALID_TIMESTAMP(start))
		return DT_NOBEGIN;
	return start;
}

Timestamp
hz_bucket_next(const HzBucket *bucket, Timestamp start)
{
	int64 next;

	if (bucket->months > 0)
		return start_of_month(month_of(start) + bucket->months);
	if (pg_add_s64_overflow(start, bucket->width, &next) || !IS_VALID_TIMESTAMP(next))
		return DT_NOEND;
	return next;
}

bool
hz_bucket_nests(const HzBucket *coarse, const HzBucket *fine)
{
	if (fine->months > 0)
		return coarse->months > 0 && coarse->months % fine->months == 0;
	if (coarse->months > 0)
		return USECS_PER_DAY % fine->width == 0 && fine->origin % fine->width == 0;
	return coarse->width % fine->width == 0 && (coarse->origin - fine->origin) % fine->width == 0;
}
