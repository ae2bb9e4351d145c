/*
 * format/zone.h
 *	  Zone maps: least and greatest value and the number of nulls of a vector or a chunk.
 *
 * min and max hold the value for fixed kinds up to 16 bytes (native byte order in memory, little-endian on disk), floats
 * as themselves (NaN counts as greatest, -0 equals 0, as in PostgreSQL), HZ_KIND_NUMERIC as HzInt128
 * scaled to `scale` (a zone whose numerics do not all fit one scale has no bounds), and for
 * HZ_KIND_BYTES and wider HZ_KIND_FIXED the first HZ_ZONE_PREFIX bytes with their length, ordered by
 * memcmp: `min_cut`/`max_cut` say that the real bound goes on beyond the prefix, so a reader must treat max as
 * "anything that starts with this prefix".
 */
#ifndef HZ_ZONE_H
#define HZ_ZONE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"
#include "base/vector.h"

#define HZ_ZONE_PREFIX 16

typedef union HzZoneBound
{
	int64_t integer;                /* BOOL, INT8..INT64 */
	double real;                    /* FLOAT32 (widened exactly), FLOAT64 */
	HzInt128 decimal;               /* NUMERIC */
	uint8_t prefix[HZ_ZONE_PREFIX]; /* FIXED, BYTES */
} HzZoneBound;

typedef struct HzZone
{
	bool has_bounds; /* false: all null, empty, or not ordered */
	bool min_cut;
	bool max_cut;
	uint8_t min_length; /* bytes used of a prefix */
	uint8_t max_length;
	uint16_t scale; /* NUMERIC */
	uint32_t rows;
	uint32_t nulls;
	HzZoneBound min;
	HzZoneBound max;
} HzZone;

/* Widens `into` (start it as all zeroes) so that it covers `zone` of the same kind. */
extern void hz_zone_merge(HzKind kind, HzZone *into, const HzZone *zone);

/*
 * Orders zones with bounds by their least values, then by their greatest; numerics that do not fit one scale
 * count as equal. hz_zone_reaches(): whether a value of `zone` may be greater than the least one of `other`.
 */
extern int hz_zone_compare(HzKind kind, const HzZone *a, const HzZone *b);
extern bool hz_zone_reaches(HzKind kind, const HzZone *zone, const HzZone *other);

/* Whether the greatest value of `zone` is at least that of `other`. */
extern bool hz_zone_covers_max(HzKind kind, const HzZone *zone, const HzZone *other);

/* Variable-length form used in chunk heads and the directory. */
extern void hz_zone_write(HzKind kind, const HzZone *zone, HzBytes *out);
extern HzStatus hz_zone_read(HzKind kind, HzCursor *cursor, HzZone *zone);

#endif /* HZ_ZONE_H */
