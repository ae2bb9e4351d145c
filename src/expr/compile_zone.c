/*
 * expr/compile_zone.c
 *	  Time zones that change, as PostgreSQL's time zone code knows them: the eras of vexpr_zone.c.
 *
 * A backend makes those of a zone once, from 1900 to 2100 or for ever, if there are no changes any more. For times outside, the server is
 * asked each time.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "expr/compile_internal.h"
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_zone.h"

#define FIRST_DAY (-36524) /* 1900-01-01 */
#define LAST_DAY 36525     /* 2100-01-01 */
#define MAX_ERAS 1024      /* two changes a year are usual */
#define SECONDS_TO_UNIX ((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (int64) SECS_PER_DAY)

typedef struct KnownZone
{
	struct KnownZone *next;
	HzVexprZone zone;
} KnownZone;

static KnownZone *known_zones = NULL; /* pg_tz lives as long as the backend, and so do these */

/* ---- the server's answers */

static int64
ask_offset(const HzVexprZone *zone, int64 timestamp)
{
	pg_time_t seconds = hz_floor_div(timestamp, USECS_PER_SEC) + SECONDS_TO_UNIX;
	const struct pg_tm *tm = pg_localtime(&seconds, zone->server);

	/* it fails for no time that a timestamp holds */
	if (tm == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	return tm->tm_gmtoff * USECS_PER_SEC;
}

static int64
ask_start(const HzVexprZone *zone, int64 local)
{
	struct pg_tm tm;

	memset(&tm, 0, sizeof(tm));
	hz_civil_of((int32) hz_floor_div(local, USECS_PER_DAY), &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	return local + DetermineTimeZoneOffset(&tm, zone->server) * USECS_PER_SEC;
}

/* ---- eras */

/* The era of a time; its end is PG_INT64_MAX where nothing changes any more. */
static HzZoneEra
era_of(const HzVexprZone *zone, int64 timestamp)
{
	pg_time_t seconds = timestamp / USECS_PER_SEC + SECONDS_TO_UNIX;
	HzZoneEra era = {.offset = ask_offset(zone, timestamp), .end = PG_INT64_MAX};
	pg_time_t boundary;
	long before;
	long after;
	int before_dst;
	int after_dst;
	int found = pg_next_dst_boundary(&seconds, &before, &before_dst, &boundary, &after, &after_dst,
									 zone->server);

	era.before = before * USECS_PER_SEC;
	if (found > 0)
		era.end = (boundary - SECONDS_TO_UNIX) * USECS_PER_SEC;
	return era;
}

static void
make_eras(HzVexprZone *zone)
{
	const int64 last = LAST_DAY * USECS_PER_DAY;
	int64 t = FIRST_DAY * USECS_PER_DAY;
	HzZoneEra eras[MAX_ERAS];

	zone->start = t;
	while (t < last && zone->count < MAX_ERAS)
	{
		eras[zone->count] = era_of(zone, t);
		t = eras[zone->count++].end;
	}
	zone->end = t;
	zone->eras = MemoryContextAlloc(TopMemoryContext, sizeof(HzZoneEra) * zone->count);
	memcpy(zone->eras, eras, sizeof(HzZoneEra) * zone->count);
}

static HzVexprZone *
find_zone(pg_tz *tz)
{
	KnownZone *known = known_zones;

	while (known != NULL && known->zone.server != tz)
		known = known->next;
	if (known != NULL)
		return &known->zone;
	known = MemoryContextAllocZero(TopMemoryContext, sizeof(KnownZone));
	known->zone.server = tz;
	known->zone.ask_offset = ask_offset;
	known->zone.ask_start = ask_start;
	make_eras(&known->zone);
	known->next = known_zones;
	known_zones = known;
	return &known->zone;
}

/* ---- nodes */

static HzVexpr *
zone_node(HzVexpr *timestamptz, pg_tz *tz, Oid result, HzVexprValue value)
{
	HzVexpr *node = hz_vexpr_make(result, value, 1);

	node->args[0] = timestamptz;
	node->zone = find_zone(tz);
	node->leaves = true;
	node->cost = 5;
	return hz_vexpr_finish(node);
}

HzVexpr *
hz_compile_zone_local(HzVexpr *timestamptz, pg_tz *tz, bool checked)
{
	HzVexpr *node = zone_node(timestamptz, tz, TIMESTAMPOID, hz_vexpr_zone_local_value);

	if (checked)
	{
		node->op = 1;
		node->can_fail = true;
	}
	return node;
}

HzVexpr *
hz_compile_zone_trunc(HzVexpr *timestamptz, pg_tz *tz)
{
	return zone_node(timestamptz, tz, TIMESTAMPTZOID, hz_vexpr_zone_trunc_value);
}
