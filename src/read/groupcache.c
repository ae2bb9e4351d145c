/*
 * read/groupcache.c
 *	  A small LRU cache of open row groups. See groupcache.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
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
	Key key;
	Oid tableoid;
	int pins;
	bool stale;
	Size bytes; /* as of the last release */
	MemoryContext context;
} Entry;

static dlist_head entries = DLIST_STATIC_INIT(entries);
static Size total_bytes = 0;

static void
drop_entry(Entry *entry)
{
	dlist_delete(&entry->lru);
	total_bytes -= entry->bytes;
	MemoryContextDelete(entry->context);
}

static void
drop_stale(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (entry->stale && entry->pins == 0)
			drop_entry(entry);
	}
}

static void
bound_memory(void)
{
	const Size limit = Max(HZ_GROUPCACHE_BYTES, get_hash_memory_limit());
	dlist_iter iter;

	while (total_bytes > limit)
	{
		Entry *victim = NULL;

		dlist_reverse_foreach(iter, &entries)
		{
			Entry *entry = dlist_container(Entry, lru, iter.cur);

			if (entry->pins == 0)
			{
				victim = entry;
				break;
			}
		}
		if (victim == NULL)
			return;
		drop_entry(victim);
	}
}

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
	/* not in the list yet: an error below leaks the context, so guard it */
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
	dlist_push_head(&entries, &entry->lru);
	return entry;
}

HzGroupCacheEntry *
hz_groupcache_get(HzStore *store, HzGroup *group)
{
	Key key;
	dlist_iter iter;
	Entry *found = NULL;

	memset(&key, 0, sizeof(key));
	key.locator = store->toast->rd_locator;
	key.number = group->number;
	key.temporary = store->toast->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	drop_stale();
	dlist_foreach(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (!entry->stale && memcmp(&entry->key, &key, sizeof(key)) == 0)
		{
			found = entry;
			break;
		}
	}
	if (found != NULL)
		dlist_move_head(&entries, &found->lru);
	else
		found = make_entry(store, group, &key);
	found->pins++;
	hz_groupread_attach(found->open.reader, store);
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

void
hz_groupcache_forget(Oid tableoid)
{
	dlist_iter iter;

	dlist_foreach(iter, &entries)
	{
		Entry *entry = dlist_container(Entry, lru, iter.cur);

		if (tableoid == InvalidOid || entry->tableoid == tableoid)
			entry->stale = true;
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
			entry->stale = true;
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
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}
