/*
 * read/zonecache.c
 *	  Zone maps of row groups. See zonecache.h.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "read/zonecache.h"

struct HzZoneCache
{
	int columns;
	HzKnownZone zones[FLEXIBLE_ARRAY_MEMBER];
};

HzZoneCache *
hz_zonecache_create(MemoryContext context, uint32 groups, int columns)
{
	Size size = offsetof(HzZoneCache, zones) + sizeof(HzKnownZone) * groups * columns;
	HzZoneCache *cache;

	if (size > (Size) work_mem * 1024 / 2)
		return NULL;
	cache = MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	cache->columns = columns;
	return cache;
}

const HzKnownZone *
hz_zonecache_find(HzZoneCache *cache, int64 group, int column)
{
	const HzKnownZone *zone;

	if (cache == NULL)
		return NULL;
	zone = &cache->zones[group * cache->columns + column];
	return zone->known ? zone : NULL;
}

void
hz_zonecache_keep(HzZoneCache *cache, int64 group, int column, const HzZone *zone, bool has_bloom)
{
	HzKnownZone *known;

	if (cache == NULL)
		return;
	known = &cache->zones[group * cache->columns + column];
	known->zone = *zone;
	known->has_bloom = has_bloom;
	known->known = true;
}
