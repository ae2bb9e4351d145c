/*
 * expr/vexpr_zone.h
 *	  A time zone with changes: its eras, each with one offset from UTC. Private to expr/.
 *
 * expr/compile_zone.c makes it of PostgreSQL's time zone code, for the years that tables have; what is outside is asked of the server when it comes.
 */
#ifndef HZ_VEXPR_ZONE_H
#define HZ_VEXPR_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/* From the end of the one before up to `end`. Microseconds, offsets ahead of UTC. */
typedef struct HzZoneEra
{
	int64_t end;    /* not in it; INT64_MAX: none */
	int64_t offset; /* local times: pg_localtime() */
	int64_t
		before; /* what pg_next_dst_boundary() says; another one before the first change, in some zones */
} HzZoneEra;

typedef struct HzVexprZone
{
	int64_t start; /* of the first era as far as it is known */
	int64_t end;   /* of the last */
	uint32_t count;
	HzZoneEra *eras;
	/* the server's, for other times: the offset of a time; what a local midnight is in UTC */
	int64_t (*ask_offset)(const struct HzVexprZone *zone, int64_t timestamp);
	int64_t (*ask_start)(const struct HzVexprZone *zone, int64_t local);
	void *server;
} HzVexprZone;

#endif /* HZ_VEXPR_ZONE_H */
