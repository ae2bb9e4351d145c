/*
 * expr/vexpr_calendar.h
 *	  The Gregorian calendar as PostgreSQL counts it: date2j() and j2date() of its datetime.c, for days and
 *	  microseconds since 2000-01-01. The year before 1 is 0.
 */
#ifndef HZ_VEXPR_CALENDAR_H
#define HZ_VEXPR_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define HZ_USECS_PER_DAY INT64_C(86400000000)
#define HZ_EPOCH_JULIAN 2451545                       /* 2000-01-01 */
#define HZ_UNIX_EPOCH INT64_C(-946684800000000)       /* 1970-01-01 */
#define HZ_TIMESTAMP_MIN INT64_C(-211813488000000000) /* 4714-11-24 BC */
#define HZ_TIMESTAMP_END INT64_C(9223371331200000000) /* 294277-01-01 */
#define HZ_DATE_MIN (-HZ_EPOCH_JULIAN)
#define HZ_DATE_END (INT32_C(2147483494) - HZ_EPOCH_JULIAN)          /* 5874898-06-03 */
#define HZ_DATE_TIMESTAMP_END (INT32_C(109203528) - HZ_EPOCH_JULIAN) /* no timestamp is on it */

static inline bool
hz_time_is_finite(int64_t timestamp)
{
	return timestamp != INT64_MIN && timestamp != INT64_MAX;
}

static inline bool
hz_time_is_valid(int64_t timestamp)
{
	return timestamp >= HZ_TIMESTAMP_MIN && timestamp < HZ_TIMESTAMP_END;
}

static inline bool
hz_date_is_finite(int32_t date)
{
	return date != INT32_MIN && date != INT32_MAX;
}

/* Rounds towards minus infinity. */
static inline int64_t
hz_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static inline int32_t
hz_days_of(int year, int month, int day)
{
	int julian;
	int century;

	if (month > 2)
	{
		month += 1;
		year += 4800;
	}
	else
	{
		month += 13;
		year += 4799;
	}
	century = year / 100;
	julian = year * 365 - 32167;
	julian += year / 4 - century + century / 4;
	julian += 7834 * month / 256 + day;
	return julian - HZ_EPOCH_JULIAN;
}

static inline void
hz_civil_of(int32_t days, int *year, int *month, int *day)
{
	unsigned julian = (unsigned) days + HZ_EPOCH_JULIAN + 32044;
	unsigned quad = julian / 146097;
	unsigned extra = (julian - quad * 146097) * 4 + 3;
	int y;

	julian += 60 + quad * 3 + extra / 146097;
	quad = julian / 1461;
	julian -= quad * 1461;
	y = (int) (julian * 4 / 1461);
	julian = (y != 0 ? (julian + 305) % 365 : (julian + 306) % 366) + 123;
	y += (int) quad * 4;
	*year = y - 4800;
	quad = julian * 2141 / 65536;
	*day = (int) (julian - 7834 * quad / 256);
	*month = (int) ((quad + 10) % 12 + 1);
}

#endif /* HZ_VEXPR_CALENDAR_H */
