/*
 * storage/dircache.c
 *	  The cached directory. See dircache.h for why it is never stale for a snapshot.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "storage/dircache.h"
#include "storage/rowid.h"

#define MAX_BYTES (64 * 1024 * 1024) /* of the entries of one table */
#define MAX_TABLES 256

/* What is known of an entry's visibility. */
typedef enum Settled
{
	OPEN,      /* ask the tuple */
	COMMITTED, /* inserted by a committed transaction, not deleted */
	FROZEN     /* visible to all */
} Settled;

struct HzDirCache
{
	dlist_node lru; /* most recently used first */
	RelFileLocator locator;
	bool temporary;
	Oid tableoid;
	bool stale;
	int holders;  /* memory contexts that have copies of groups, whose bytes are here */
	bool dropped; /* no longer in the list: goes with the last holder */
	bool too_large;
	MemoryContext context;
	uint64 changes;
	HzGroup *groups; /* by number */
	uint8 *settled;
	uint32 count;
};

static dlist_head caches = DLIST_STATIC_INIT(caches);
static int cache_count = 0;

static void
drop_cache(HzDirCache *cache)
{
	dlist_delete(&cache->lru);
	cache_count--;
	cache->dropped = true;
	if (cache->holders == 0)
		MemoryContextDelete(cache->context);
}

static void
release_cache(void *arg)
{
	HzDirCache *cache = arg;

	if (--cache->holders == 0 && cache->dropped)
		MemoryContextDelete(cache->context);
}

/* Keeps the cache's memory for as long as the current context is not reset. */
static void
hold_cache(HzDirCache *cache)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = release_cache;
	callback->arg = cache;
	cache->holders++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

static Settled
settle(HeapTupleHeader header)
{
	TransactionId xmin = HeapTupleHeaderGetRawXmin(header);

	if ((header->t_infomask & HEAP_XMAX_INVALID) == 0)
		return OPEN;
	if (HeapTupleHeaderXminFrozen(header))
		return FROZEN;
	if (HeapTupleHeaderXminCommitted(header))
		return COMMITTED;
	if (TransactionIdIsCurrentTransactionId(xmin) || TransactionIdIsInProgress(xmin) ||
		!TransactionIdDidCommit(xmin))
		return OPEN;
	return COMMITTED;
}

/* TIDs of all directory tuples, from the index alone. */
static ItemPointerData *
directory_tids(HzStore *store, uint32 *count)
{
	ItemPointerData *tids = palloc(sizeof(ItemPointerData) * 256);
	uint32 room = 256;
	IndexScanDesc scan;
	ScanKeyData key;
	ItemPointer tid;

	*count = 0;
	ScanKeyInit(&key, (AttrNumber) 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(HZ_STORE_DIRECTORY));
	scan = index_beginscan(store->toast, store->indexes[store->valid_index], SnapshotAny, 1, 0);
	index_rescan(scan, &key, 1, NULL, 0);
	while ((tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (*count == room)
			tids = repalloc_huge(tids, sizeof(ItemPointerData) * (room *= 2));
		tids[(*count)++] = *tid;
	}
	index_endscan(scan);
	return tids;
}

/* Adds the tuple at `tid` of a pinned page, if it is a directory tuple that anybody may see. */
static uint64
load_tuple(HzDirCache *cache, HzStore *store, Buffer buffer, ItemPointer tid)
{
	Page page = BufferGetPage(buffer);
	HeapTupleData tuple;
	ItemId item;
	Oid chunk_id;
	int32 seq;
	Size length;
	HzGroup *group = &cache->groups[cache->count];

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	item = ItemPointerGetOffsetNumber(tid) <= PageGetMaxOffsetNumber(page)
			   ? PageGetItemId(page, ItemPointerGetOffsetNumber(tid))
			   : NULL;
	if (item == NULL || !ItemIdIsNormal(item))
	{
		/* the index entry outlived its tuple */
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		return 0;
	}
	tuple.t_self = *tid;
	tuple.t_tableOid = RelationGetRelid(store->toast);
	tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple.t_len = ItemIdGetLength(item);
	/* with the tuple found, the pin keeps it */
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	(void) hz_store_tuple_data(store, &tuple, &chunk_id, &seq, &length);
	if (chunk_id != HZ_STORE_DIRECTORY)
		return 0;
	cache->settled[cache->count] = settle(tuple.t_data);
	if (cache->settled[cache->count] == OPEN && HeapTupleHeaderXminInvalid(tuple.t_data) &&
		!HeapTupleHeaderXminFrozen(tuple.t_data))
		return 0;
	hz_directory_parse_brief(store, &tuple, group);
	cache->count++;
	return sizeof(HzGroup) + sizeof(HzBlockRange) * group->range_count;
}

static int
compare_groups(const void *a, const void *b)
{
	uint32 left = ((const HzGroup *) a)->number;
	uint32 right = ((const HzGroup *) b)->number;

	return left < right ? -1 : left > right;
}

/*
 * TIDs come by number, but a tuple may have been removed, and its place taken by a new entry, between the look into the
 * index and that at the page: such a one is out of order, and may be there twice. The counter has changed
 * too then, so the next look reads all of it again; here it only has to be sound.
 */
static void
order_groups(HzDirCache *cache)
{
	uint32 kept = 0;
	bool ordered = true;

	for (uint32 i = 1; i < cache->count && ordered; i++)
		ordered = cache->groups[i - 1].number < cache->groups[i].number;
	if (ordered)
		return;
	qsort(cache->groups, cache->count, sizeof(HzGroup), compare_groups);
	for (uint32 i = 0; i < cache->count; i++)
	{
		if (kept == 0 || cache->groups[kept - 1].number != cache->groups[i].number)
			cache->groups[kept++] = cache->groups[i];
	}
	cache->count = kept;
	/* what was known of each went out of step: ask the tuples */
	memset(cache->settled, OPEN, cache->count);
}

/* Reads all directory tuples, each page once; the counter was read before. */
static void
load_groups(HzDirCache *cache, HzStore *store)
{
	uint32 count;
	ItemPointerData *tids = directory_tids(store, &count);
	Buffer buffer = InvalidBuffer;
	uint64 bytes = 0;

	cache->groups = palloc_extended(sizeof(HzGroup) * Max(count, 1), MCXT_ALLOC_HUGE);
	cache->settled = palloc(Max(count, 1));
	for (uint32 i = 0; i < count && bytes <= MAX_BYTES; i++)
	{
		CHECK_FOR_INTERRUPTS();
		buffer = ReleaseAndReadBuffer(buffer, store->toast, ItemPointerGetBlockNumber(&tids[i]));
		bytes += load_tuple(cache, store, buffer, &tids[i]);
	}
	cache->too_large = bytes > MAX_BYTES;
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
	pfree(tids);
	order_groups(cache);
}

static HzDirCache *
load_cache(HzStore *store, const HzStoreMeta *meta)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hanzo directory cache",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzDirCache *cache = palloc0(sizeof(HzDirCache));

	cache->locator = store->toast->rd_locator;
	cache->temporary = store->toast->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	cache->tableoid = RelationGetRelid(store->table);
	cache->context = context;
	cache->changes = meta->changes;
	load_groups(cache, store);
	MemoryContextSwitchTo(old);
	if (cache->too_large)
	{
		/* remembered without its bytes, so that not every look reads as much again */
		MemoryContext small =
			AllocSetContextCreate(old, "hanzo directory cache", ALLOCSET_SMALL_SIZES);
		HzDirCache *copy = MemoryContextAlloc(small, sizeof(HzDirCache));

		*copy = *cache;
		copy->context = small;
		copy->groups = NULL;
		copy->settled = NULL;
		copy->count = 0;
		MemoryContextDelete(context);
		cache = copy;
		context = small;
	}
	/* nothing failed: keep it */
	MemoryContextSetParent(context, TopMemoryContext);
	while (cache_count >= MAX_TABLES)
		drop_cache(dlist_container(HzDirCache, lru, dlist_tail_node(&caches)));
	dlist_push_head(&caches, &cache->lru);
	cache_count++;
	return cache;
}

static HzDirCache *
find_cache(HzStore *store)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &caches)
	{
		HzDirCache *cache = dlist_container(HzDirCache, lru, iter.cur);

		if (cache->stale)
			drop_cache(cache);
		else if (RelFileLocatorEquals(cache->locator, store->toast->rd_locator) &&
				 cache->temporary == (store->toast->rd_rel->relpersistence == RELPERSISTENCE_TEMP))
			return cache;
	}
	return NULL;
}

HzDirCache *
hz_dircache_get(HzStore *store)
{
	HzStoreMeta meta = hz_store_meta(store);
	HzDirCache *cache = find_cache(store);

	if (cache != NULL && cache->changes != meta.changes)
	{
		drop_cache(cache);
		cache = NULL;
	}
	if (cache == NULL)
		cache = load_cache(store, &meta);
	else
		dlist_move_head(&caches, &cache->lru);
	store->unmarked = !meta.marked;
	return cache->too_large ? NULL : cache;
}

/* Asks the tuple itself. */
static bool
tuple_visible(HzStore *store, const HzGroup *group, Snapshot snapshot)
{
	HeapTupleData tuple;
	Buffer buffer;
	bool visible = false;

	/* VACUUM may have removed it, and cut the relation off before it */
	if (!hz_store_has_block(store, ItemPointerGetBlockNumber(&group->tid)))
		return false;
	tuple.t_self = group->tid;
	if (heap_fetch(store->toast, snapshot, &tuple, &buffer, false))
	{
		Oid chunk_id;
		int32 seq;
		Size length;

		(void) hz_store_tuple_data(store, &tuple, &chunk_id, &seq, &length);
		visible = chunk_id == HZ_STORE_DIRECTORY && seq == (int32) group->number;
		ReleaseBuffer(buffer);
	}
	return visible;
}

static bool
entry_visible(HzDirCache *cache, HzStore *store, uint32 i, Snapshot snapshot)
{
	switch (cache->settled[i])
	{
		case FROZEN:
			return true;
		case COMMITTED:
			if (TransactionIdPrecedes(cache->groups[i].raw_xmin, TransactionXmin))
			{
				/* visible to all snapshots from now on; nobody has to compare an xid that grows old */
				cache->settled[i] = FROZEN;
				return true;
			}
			return !XidInMVCCSnapshot(cache->groups[i].raw_xmin, snapshot);
		default:
			return tuple_visible(store, &cache->groups[i], snapshot);
	}
}

HzGroup **
hz_dircache_visible(HzDirCache *cache, HzStore *store, Snapshot snapshot, uint32 *count)
{
	HzGroup *copies = palloc_extended(sizeof(HzGroup) * Max(cache->count, 1), MCXT_ALLOC_HUGE);
	HzGroup **result = palloc_extended(sizeof(HzGroup *) * Max(cache->count, 1), MCXT_ALLOC_HUGE);

	*count = 0;
	hold_cache(cache);
	for (uint32 i = 0; i < cache->count; i++)
	{
		if (!entry_visible(cache, store, i, snapshot))
			continue;
		copies[*count] = cache->groups[i];
		result[*count] = &copies[*count];
		(*count)++;
	}
	return result;
}

/* The entry that covers the row; false when there is none. */
static bool
find_entry(const HzDirCache *cache, uint64 row, uint32 *index)
{
	uint32 low = 0;
	uint32 high = cache->count;

	/* the last group that starts at or before the row */
	while (low < high)
	{
		uint32 middle = (low + high) / 2;

		if (hz_group_first_row(&cache->groups[middle]) <= row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*index = low - 1;
	return row - hz_group_first_row(&cache->groups[*index]) < cache->groups[*index].rows;
}

static HzGroup *
copy_entry(HzDirCache *cache, uint32 index)
{
	HzGroup *copy = palloc(sizeof(HzGroup));

	hold_cache(cache);
	*copy = cache->groups[index];
	return copy;
}

HzGroup *
hz_dircache_find(HzDirCache *cache, HzStore *store, uint64 row, Snapshot snapshot)
{
	uint32 index;

	if (!find_entry(cache, row, &index) || !entry_visible(cache, store, index, snapshot))
		return NULL;
	return copy_entry(cache, index);
}

HzGroup *
hz_dircache_place(HzStore *store, uint64 row)
{
	HzDirCache *cache = find_cache(store);
	uint32 index;

	/* a number names one group for ever: what is cached need not be up to date */
	if (cache != NULL && find_entry(cache, row, &index))
		return copy_entry(cache, index);
	cache = hz_dircache_get(store);
	if (cache != NULL && find_entry(cache, row, &index))
		return copy_entry(cache, index);
	return NULL;
}

void
hz_dircache_forget(Oid tableoid)
{
	dlist_iter iter;

	dlist_foreach(iter, &caches)
	{
		HzDirCache *cache = dlist_container(HzDirCache, lru, iter.cur);

		if (tableoid == InvalidOid || cache->tableoid == tableoid)
			cache->stale = true;
	}
}

static void
relcache_callback(Datum arg, Oid relid)
{
	hz_dircache_forget(relid);
}

void
hz_dircache_init(void)
{
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
}
