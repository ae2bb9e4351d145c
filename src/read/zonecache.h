/*
 * read/zonecache.h
 *	  Zone maps of row groups, for the columns that conditions ask for: a scan that starts again and again, in a nested loop,
 *	  need not read and parse descriptions each time.
 */
#ifndef HZ_ZONECACHE_H
#define HZ_ZONECACHE_H

#include "format/zone.h"
#include "utils/palloc.h"

typedef struct HzKnownZone
{
	bool known;
	bool has_bloom; /* the column has a bloom filter */
	HzZone zone;
} HzKnownZone;

typedef struct HzZoneCache HzZoneCache;

/* For `groups` groups and `columns` columns; NULL: they would take more than half of work_mem. */
extern HzZoneCache *hz_zonecache_create(MemoryContext context, uint32 groups, int columns);

/* What is known of column `column` of group `group`; NULL: nothing, or there is no cache. */
extern const HzKnownZone *hz_zonecache_find(HzZoneCache *cache, int64 group, int column);

/* Keeps a copy, if there is a cache. */
extern void hz_zonecache_keep(HzZoneCache *cache, int64 group, int column, const HzZone *zone,
							  bool has_bloom);

#endif /* HZ_ZONECACHE_H */
