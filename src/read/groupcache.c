/*
 * read/groupcache.c
 *	  A small LRU cache of open row groups. See groupcache.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "read/groupcache.h"

typedef struct Key
{
	RelFileLocator locator;
	uint32 number;
	bool temporary;
} Key;

typedef struct Entry
{
	HzGroupCacheEntry open; /* first: what callers hold */
	dlist_node lru;         /* most recently used first */
	dlist_node same_bucket;
	Key key;
	Oid tableoid;
	int pins;
	bool stale;
	bool kept;        /* it has been in the cache */
	uint64 scan;      /* who gave it back last; 0: no scan */
	uint64 forgotten; /* as it was when the entry was taken */
	Size bytes;       /* as of the last release */
	MemoryContext context;
} Entry;

#define BUCKETS 256

static int cache_size; /* kB, for what scans keep */
static dlist_head entries = DLIST_STATIC_INIT(entries);
static dlist_head buckets[BUCKETS];
static Size total_bytes = 0;
static Size scan_bytes = 0; /* of those that scans have given back last */
static int stale_count = 0;
static uint64 forgotten = 0; /* counts what was told to forget, for entries that are out */

static dlist_head *
bucket_of(const Key *key)
{
	return &buckets[hash_bytes((const unsigned char *) key, sizeof(*key)) % BUCKETS];
}

static void
unlink_entry(Entry *entry)
{
	dlist_delete(&entry->lru);
	dlist_delete(&entry->same_bucket);
	total_bytes -= entry->bytes;
	if (entry->scan != 0)
		scan_bytes -= entry->bytes;
}

static void
link_entry(Entry *entry)
{
	dlist_push_head(&entries, &entry->lru);
	dlist_push_head(bucket_of(&entry->key), &entry->same_bucket);
	total_bytes += entry->bytes;
	if (entry->scan != 0)
		scan_bytes += entry->bytes;
	entry->kept = true;
}

static void
drop_entry(Entry *entry)
{
	unlink_entry(entry);
	stale_count -= entry->stale;
	MemoryContextDelete(entry->context);
}

static void
make_stale(Entry *entry)
{
	stale_count += !entry->stale;
	entry->stale = true;
}

static void
drop_stale(void)
{
	dlist_mutable_iter iter;

	if (stale_count == 0)
		return;
	dlist_foreach_modify(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (entry->stale && entry->pins == 0)
			drop_entry(entry);
	}
}

/* The entry that was not used for longest and is not held, of those that scans have left or of all; or NULL. */
static Entry *
oldest_entry(bool of_scans)
{
	dlist_iter iter;

	dlist_reverse_foreach(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (entry->pins == 0 && (!of_scans || entry->scan != 0))
			return entry;
	}
	return NULL;
}

static void
bound_memory(void)
{
	const Size limit = Max((Size) cache_size * 1024, get_hash_memory_limit());

	while (total_bytes > limit)
	{
		Entry *victim = oldest_entry(false);

		if (victim == NULL)
			return;
		drop_entry(victim);
	}
}

/* In no list yet. */
static Entry *
make_entry(HzStore *store, HzGroup *group, const Key *key)
{
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "hanzo cached row group", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TupleDesc desc = RelationGetDescr(store->table);
	Entry *entry = palloc0(sizeof(Entry));
	HzGroup *copy = palloc(sizeof(HzGroup));

	*copy = *group;
	copy->ranges = palloc(sizeof(HzBlockRange) * Max(group->range_count, 1));
	memcpy(copy->ranges, group->ranges, sizeof(HzBlockRange) * group->range_count);
	if (group->description != NULL)
	{
		uint8_t *description = palloc(group->description_length);

		memcpy(description, group->description, group->description_length);
		copy->description = description;
	}
	copy->described = false;
	entry->context = context;
	entry->key = *key;
	entry->tableoid = RelationGetRelid(store->table);
	entry->open.group = copy;
	/* an error below would leak the context, so guard it */
	PG_TRY();
	{
		entry->open.types = hz_coltype_for(desc);
		entry->open.reader = hz_groupread_open(store, copy, entry->open.types, desc->natts, NULL);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
	return entry;
}

static Key
key_of(HzStore *store, HzGroup *group)
{
	Key key;

	memset(&key, 0, sizeof(key));
	key.locator = store->toast->rd_locator;
	key.number = group->number;
	key.temporary = store->toast->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	return key;
}

/* An entry that may be handed out; free: that nobody holds. */
static Entry *
find_entry(const Key *key, bool free)
{
	dlist_head *bucket = bucket_of(key);
	dlist_iter iter;

	dlist_foreach(iter, bucket)
	{
		Entry *entry = dlist_container(Entry, same_bucket, iter.cur);

		if (!entry->stale && (!free || entry->pins == 0) &&
			memcmp(&entry->key, key, sizeof(*key)) == 0)
			return entry;
	}
	return NULL;
}

/* The entry of a group, in no list: one that may be handed out, or a new one. */
static Entry *
detach_entry(HzStore *store, HzGroup *group, bool free)
{
	const Key key = key_of(store, group);
	Entry *entry;

	drop_stale();
	entry = find_entry(&key, free);
	if (entry == NULL)
		return make_entry(store, group, &key);
	unlink_entry(entry);
	return entry;
}

HzGroupCacheEntry *
hz_groupcache_get(HzStore *store, HzGroup *group)
{
	Entry *found = detach_entry(store, group, false);

	found->scan = 0;
	link_entry(found);
	found->pins++;
	hz_groupread_attach(found->open.reader, store, NULL);
	return &found->open;
}

void
hz_groupcache_release(HzGroupCacheEntry *open)
{
	Entry *entry = (Entry *) open;
	Size bytes = MemoryContextMemAllocated(entry->context, true);

	total_bytes = total_bytes - entry->bytes + bytes;
	entry->bytes = bytes;
	Assert(entry->pins > 0);
	entry->pins--;
	bound_memory();
}

void
hz_groupcache_keep_row(HzGroupCacheEntry *open, uint32 position, HeapTuple row)
{
	Entry *entry = (Entry *) open;
	MemoryContext old;

	if (row->t_len > HZ_GROUPCACHE_ROW)
		return;
	if (open->row != NULL)
		heap_freetuple(open->row);
	open->row = NULL;
	old = MemoryContextSwitchTo(entry->context);
	open->row = heap_copytuple(row);
	open->row_position = position;
	MemoryContextSwitchTo(old);
}

/* ---- For scans */

/* Drops all that scans have left: it was switched off. */
static void
drop_scans(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (entry->scan != 0 && entry->pins == 0)
			drop_entry(entry);
	}
}

HzGroupCacheEntry *
hz_groupcache_take(HzStore *store, HzGroup *group, BufferAccessStrategy strategy,
				   MemoryContext owner)
{
	Entry *entry;

	if (cache_size == 0)
	{
		if (scan_bytes > 0)
			drop_scans();
		return NULL;
	}
	entry = detach_entry(store, group, true);
	entry->forgotten = forgotten;
	MemoryContextSetParent(entry->context, owner);
	hz_groupread_attach(entry->open.reader, store, strategy);
	return &entry->open;
}

/* Bytes of what other scans have left, which were not used for longer than anything of this scan's own. */
static Size
others_bytes(uint64 scan)
{
	Size bytes = 0;
	dlist_iter iter;

	dlist_reverse_foreach(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (entry->scan == scan)
			break;
		if (entry->scan != 0 && entry->pins == 0)
			bytes += entry->bytes;
	}
	return bytes;
}

/* Makes room for an entry of a scan by dropping what other scans have left; false: there is none, and nothing is dropped. */
static bool
push_out(Size bytes, uint64 scan)
{
	const Size limit = (Size) cache_size * 1024;

	if (scan_bytes + bytes <= limit)
		return true;
	if (bytes > limit || scan_bytes + bytes - others_bytes(scan) > limit)
		return false;
	while (scan_bytes + bytes > limit)
		drop_entry(oldest_entry(true));
	return true;
}

void
hz_groupcache_give(HzGroupCacheEntry *open, uint64 scan, bool keep)
{
	Entry *entry = (Entry *) open;
	bool of_lookups = entry->kept && entry->scan == 0;

	entry->bytes = MemoryContextMemAllocated(entry->context, true);
	if ((!keep && !entry->kept) || entry->forgotten != forgotten ||
		find_entry(&entry->key, false) != NULL || (!of_lookups && !push_out(entry->bytes, scan)))
	{
		MemoryContextDelete(entry->context);
		return;
	}
	MemoryContextSetParent(entry->context, TopMemoryContext);
	if (!of_lookups)
		entry->scan = scan;
	link_entry(entry);
	bound_memory();
}

/* ---- Forgetting */

void
hz_groupcache_forget(Oid tableoid)
{
	dlist_iter iter;

	forgotten++;
	dlist_foreach(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (tableoid == InvalidOid || entry->tableoid == tableoid)
			make_stale(entry);
	}
}

static void
relcache_callback(Datum arg, Oid relid)
{
	hz_groupcache_forget(relid);
}

/* Entries that are held may have been left half-way through a read by an error: nobody gets them any more. */
static void
drop_held(void)
{
	dlist_iter iter;

	dlist_foreach(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (entry->pins > 0)
			make_stale(entry);
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				 void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		drop_held();
}

static void
xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE ||
		event == XACT_EVENT_PARALLEL_PRE_COMMIT)
		return;
	drop_held();
}

void
hz_groupcache_init(void)
{
	for (int i = 0; i < BUCKETS; i++)
		dlist_init(&buckets[i]);
	DefineCustomIntVariable(
		"hanzo_datastore.group_cache_size",
		"Memory of row groups that a backend leaves open, with what it has read of them, after scans of few of their rows.",
		"0: scans leave none open.", &cache_size, 64 * 1024, 0, 1024 * 1024, PGC_USERSET,
		GUC_UNIT_KB, NULL, NULL, NULL);
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}
