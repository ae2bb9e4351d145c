/*
 * read/zonecache.c
 *	  Zone maps of row groups. See zonecache.h.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "read/zonecache.h"

#define MOST_ZONES 28000 /* just what 32,768 slots take */

typedef struct ZoneKey
{
	RelFileLocator locator;
	bool temporary;
	uint32 number;
	int32 attno;
} ZoneKey;

typedef struct ZoneEntry
{
	ZoneKey key;
	char status; /* simplehash's */
	Oid tableoid;
	HzKnownZone known;
} ZoneEntry;

static inline bool
same_key(const ZoneKey *a, const ZoneKey *b)
{
	return a->number == b->number && a->attno == b->attno && a->temporary == b->temporary &&
		   RelFileLocatorEquals(a->locator, b->locator);
}

static inline uint32
hash_key(const ZoneKey *key)
{
	return hash_combine(murmurhash32(key->locator.relNumber),
						murmurhash32(key->number ^ (uint32) key->attno << 22));
}

#define SH_PREFIX zones
#define SH_ELEMENT_TYPE ZoneEntry
#define SH_KEY_TYPE ZoneKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_key(&(key))
#define SH_EQUAL(table, a, b) same_key(&(a), &(b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static MemoryContext context = NULL; /* of all this */
static zones_hash *zones = NULL;
static List *tables = NIL; /* oids of those that zones are known of */

static ZoneKey
key_of(const HzStore *store, const HzGroup *group, int attno)
{
	return (ZoneKey){.locator = store->toast->rd_locator,
					 .temporary = store->toast->rd_rel->relpersistence == RELPERSISTENCE_TEMP,
					 .number = group->number,
					 .attno = attno};
}

const HzKnownZone *
hz_zonecache_find(const HzStore *store, const HzGroup *group, int attno)
{
	ZoneEntry *entry = zones != NULL ? zones_lookup(zones, key_of(store, group, attno)) : NULL;

	return entry != NULL ? &entry->known : NULL;
}

static void
forget_all(void)
{
	zones = NULL;
	tables = NIL;
	if (context != NULL)
		MemoryContextReset(context);
}

static void
begin(void)
{
	MemoryContext old;

	forget_all();
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "hanzo zones", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	zones = zones_create(context, 64, NULL);
	MemoryContextSwitchTo(old);
}

const HzKnownZone *
hz_zonecache_keep(const HzStore *store, const HzGroup *group, int attno, const HzChunkMeta *meta)
{
	MemoryContext old;
	zones_hash *table;
	ZoneEntry *entry;
	bool found;

	if (zones == NULL || zones->members >= MOST_ZONES)
		begin();
	/* a table that could not grow is no table any more: nobody finds it after an error */
	table = zones;
	zones = NULL;
	old = MemoryContextSwitchTo(context);
	tables = list_append_unique_oid(tables, RelationGetRelid(store->table));
	MemoryContextSwitchTo(old);
	entry = zones_insert(table, key_of(store, group, attno), &found);
	zones = table;
	entry->tableoid = RelationGetRelid(store->table);
	entry->known.has = meta != NULL;
	entry->known.has_bloom = meta != NULL && meta->has_bloom;
	if (meta != NULL)
		entry->known.zone = meta->zone;
	return &entry->known;
}

void
hz_zonecache_forget(Oid tableoid)
{
	zones_iterator iterator;
	ZoneEntry *entry;

	if (zones == NULL)
		return;
	if (tableoid == InvalidOid)
	{
		forget_all();
		return;
	}
	if (!list_member_oid(tables, tableoid))
		return;
	tables = list_delete_oid(tables, tableoid);
	zones_start_iterate(zones, &iterator);
	while ((entry = zones_iterate(zones, &iterator)) != NULL)
	{
		if (entry->tableoid == tableoid)
			zones_delete_item(zones, entry);
	}
}

static void
relcache_callback(Datum arg, Oid relid)
{
	hz_zonecache_forget(relid);
}

void
hz_zonecache_init(void)
{
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
}
