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
	UNREAD,    /* not looked at yet: only its number and place are known, from the index */
	GONE,      /* visible to nobody */
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
	int holders;    /* memory contexts that have copies of groups, whose bytes are here */
	bool dropped;   /* no longer in the list: goes with the last holder */
	bool too_large; /* nothing is kept */
	MemoryContext context;
	uint64 changes;
	uint64 bytes;    /* of entries that were read */
	uint32 *numbers; /* of groups, ascending */
	ItemPointerData *tids;
	HzGroup **groups; /* NULL while UNREAD or GONE */
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

/*
 * Numbers and places of all directory tuples, from the index alone, which is a fiftieth of their size: most statements
 * want a few of them. Should VACUUM remove a tuple and another one take its place before we look, we see that then.
 */
static void
load_places(HzDirCache *cache, HzStore *store)
{
	uint32 room = 256;
	IndexScanDesc scan;
	ScanKeyData key;
	ItemPointer tid;

	cache->numbers = palloc(sizeof(uint32) * room);
	cache->tids = palloc(sizeof(ItemPointerData) * room);
	ScanKeyInit(&key, (AttrNumber) 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(HZ_STORE_DIRECTORY));
	scan = index_beginscan(store->toast, store->indexes[store->valid_index], SnapshotAny, 1, 0);
	scan->xs_want_itup = true;
	index_rescan(scan, &key, 1, NULL, 0);
	while ((tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		bool isnull;
		Datum seq = index_getattr(scan->xs_itup, 2, scan->xs_itupdesc, &isnull);

		CHECK_FOR_INTERRUPTS();
		/* a number is given out once, and has one tuple */
		if (isnull ||
			(cache->count > 0 && (uint32) DatumGetInt32(seq) <= cache->numbers[cache->count - 1]))
			ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
							errmsg("index \"%s\" of table \"%s\" is damaged",
								   RelationGetRelationName(store->indexes[store->valid_index]),
								   RelationGetRelationName(store->table)),
							errdetail("Its entries of row groups are not in order."),
							errhint("REINDEX it.")));
		if (cache->count == room)
		{
			room *= 2;
			cache->numbers = repalloc_huge(cache->numbers, sizeof(uint32) * room);
			cache->tids = repalloc_huge(cache->tids, sizeof(ItemPointerData) * room);
		}
		cache->numbers[cache->count] = (uint32) DatumGetInt32(seq);
		cache->tids[cache->count++] = *tid;
	}
	index_endscan(scan);
	cache->groups =
		MemoryContextAllocExtended(CurrentMemoryContext, sizeof(HzGroup *) * Max(cache->count, 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	cache->settled = palloc0(Max(cache->count, 1));
	cache->too_large = (uint64) cache->count * sizeof(HzGroup) > MAX_BYTES;
}

/*
 * The place of a group has another tuple, or is behind the end of the relation. VACUUM takes the index entry away
 * before a place is used again or given back, and no number comes twice: so an entry that is still there tells of damage.
 */
static void
check_place(HzStore *store, ItemPointer tid, uint32 number)
{
	IndexScanDesc scan;
	ScanKeyData keys[2];
	ItemPointer found;

	ScanKeyInit(&keys[0], (AttrNumber) 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(HZ_STORE_DIRECTORY));
	ScanKeyInit(&keys[1], (AttrNumber) 2, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum((int32) number));
	scan = index_beginscan(store->toast, store->indexes[store->valid_index], SnapshotAny, 2, 0);
	index_rescan(scan, keys, 2, NULL, 0);
	while ((found = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		if (ItemPointerEquals(found, tid))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("directory entry of row group %u in table \"%s\" is not there", number,
							RelationGetRelationName(store->table)),
					 errdetail("Block %u, offset %u of TOAST relation \"%s\".",
							   ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid),
							   RelationGetRelationName(store->toast))));
	}
	index_endscan(scan);
}

/* The tuple at a place, if it is the entry of this group still. The buffer is pinned, or the caller's to release. */
static bool
find_tuple(HzStore *store, ItemPointer tid, uint32 number, Buffer *buffer, HeapTuple tuple)
{
	Page page;
	ItemId item;
	Oid chunk_id;
	int32 seq;
	Size length;

	/* VACUUM may have removed it, and cut the relation off before it */
	if (!hz_store_has_block(store, ItemPointerGetBlockNumber(tid)))
	{
		check_place(store, tid, number);
		return false;
	}
	*buffer = ReleaseAndReadBuffer(*buffer, store->toast, ItemPointerGetBlockNumber(tid));
	LockBuffer(*buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(*buffer);
	item = ItemPointerGetOffsetNumber(tid) <= PageGetMaxOffsetNumber(page)
			   ? PageGetItemId(page, ItemPointerGetOffsetNumber(tid))
			   : NULL;
	if (item == NULL || !ItemIdIsNormal(item))
	{
		/* the index entry has outlived its tuple */
		LockBuffer(*buffer, BUFFER_LOCK_UNLOCK);
		return false;
	}
	tuple->t_self = *tid;
	tuple->t_tableOid = RelationGetRelid(store->toast);
	tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple->t_len = ItemIdGetLength(item);
	/* with the tuple found, the pin keeps it */
	LockBuffer(*buffer, BUFFER_LOCK_UNLOCK);
	(void) hz_store_tuple_data(store, tuple, &chunk_id, &seq, &length);
	if (chunk_id == HZ_STORE_DIRECTORY && (uint32) seq == number)
		return true;
	check_place(store, tid, number);
	return false;
}

/* Looks at the tuple of an entry for the first time. */
static void
read_entry(HzDirCache *cache, HzStore *store, uint32 i, Buffer *buffer)
{
	HeapTupleData tuple;
	Settled settled;

	if (!find_tuple(store, &cache->tids[i], cache->numbers[i], buffer, &tuple))
	{
		cache->settled[i] = GONE;
		return;
	}
	settled = settle(tuple.t_data);
	if (settled == OPEN && HeapTupleHeaderXminInvalid(tuple.t_data) &&
		!HeapTupleHeaderXminFrozen(tuple.t_data))
	{
		cache->settled[i] = GONE;
		return;
	}
	cache->groups[i] = hz_directory_parse_brief(store, &tuple, cache->context);
	cache->settled[i] = settled;
	cache->bytes += sizeof(HzGroup) + sizeof(HzBlockRange) * cache->groups[i]->range_count;
	if (cache->bytes > MAX_BYTES)
		cache->too_large = true;
}

/* The entry, or NULL if it is visible to nobody. */
static HzGroup *
entry(HzDirCache *cache, HzStore *store, uint32 i, Buffer *buffer)
{
	if (cache->settled[i] == UNREAD)
		read_entry(cache, store, i, buffer);
	return cache->groups[i];
}

static void
keep_cache(HzDirCache *cache)
{
	MemoryContextSetParent(cache->context, TopMemoryContext);
	while (cache_count >= MAX_TABLES)
		drop_cache(dlist_container(HzDirCache, lru, dlist_tail_node(&caches)));
	dlist_push_head(&caches, &cache->lru);
	cache_count++;
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
	load_places(cache, store);
	MemoryContextSwitchTo(old);
	keep_cache(cache);
	return cache;
}

/* Remembers that the directory is too large, without its bytes, so that not every look reads as much again. */
static HzDirCache *
shrink_cache(HzDirCache *cache)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo directory cache", ALLOCSET_SMALL_SIZES);
	HzDirCache *copy = MemoryContextAllocZero(context, sizeof(HzDirCache));

	copy->locator = cache->locator;
	copy->temporary = cache->temporary;
	copy->tableoid = cache->tableoid;
	copy->context = context;
	copy->changes = cache->changes;
	copy->too_large = true;
	drop_cache(cache);
	keep_cache(copy);
	return copy;
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
	if (cache->too_large && cache->numbers != NULL)
		cache = shrink_cache(cache);
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

/* Of an entry that was read and is not GONE. */
static bool
entry_visible(HzDirCache *cache, HzStore *store, uint32 i, Snapshot snapshot)
{
	switch (cache->settled[i])
	{
		case FROZEN:
			return true;
		case COMMITTED:
			if (XidInMVCCSnapshot(cache->groups[i]->raw_xmin, snapshot))
				return false;
			/*
			 * Visible to all snapshots from now on, those that others have exported among them: nobody has to compare an
			 * xid that grows old.
			 */
			if (GlobalVisCheckRemovableXid(NULL, cache->groups[i]->raw_xmin))
				cache->settled[i] = FROZEN;
			return true;
		default:
			return tuple_visible(store, cache->groups[i], snapshot);
	}
}

HzGroup **
hz_dircache_visible(HzDirCache *cache, HzStore *store, Snapshot snapshot, uint32 *count)
{
	HzGroup *copies = palloc_extended(sizeof(HzGroup) * Max(cache->count, 1), MCXT_ALLOC_HUGE);
	HzGroup **result = palloc_extended(sizeof(HzGroup *) * Max(cache->count, 1), MCXT_ALLOC_HUGE);
	Buffer buffer = InvalidBuffer;

	*count = 0;
	hold_cache(cache);
	for (uint32 i = 0; i < cache->count; i++)
	{
		HzGroup *group = entry(cache, store, i, &buffer);

		CHECK_FOR_INTERRUPTS();
		if (group == NULL || !entry_visible(cache, store, i, snapshot))
			continue;
		copies[*count] = *group;
		result[*count] = &copies[*count];
		(*count)++;
	}
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
	/* what the copies share stays until they go */
	if (cache->too_large)
		(void) shrink_cache(cache);
	return result;
}

/* The entry that covers the row; NULL when there is none. */
static HzGroup *
find_entry(HzDirCache *cache, HzStore *store, uint64 row, uint32 *index)
{
	uint32 low = 0;
	uint32 high = cache->count;
	Buffer buffer = InvalidBuffer;
	HzGroup *group;

	/* the last group that starts at or before the row */
	while (low < high)
	{
		uint32 middle = (low + high) / 2;

		if (hz_group_number_row(cache->numbers[middle]) <= row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*index = low - 1;
	group = entry(cache, store, *index, &buffer);
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
	if (group == NULL || row - hz_group_first_row(group) >= group->rows)
		return NULL;
	return group;
}

static HzGroup *
copy_entry(HzDirCache *cache, const HzGroup *group)
{
	HzGroup *copy = palloc(sizeof(HzGroup));

	hold_cache(cache);
	*copy = *group;
	return copy;
}

HzGroup *
hz_dircache_find(HzDirCache *cache, HzStore *store, uint64 row, Snapshot snapshot)
{
	uint32 index;
	HzGroup *group = find_entry(cache, store, row, &index);

	if (group == NULL || !entry_visible(cache, store, index, snapshot))
		return NULL;
	return copy_entry(cache, group);
}

HzGroup *
hz_dircache_place(HzStore *store, uint64 row)
{
	HzDirCache *cache = find_cache(store);
	HzGroup *group = NULL;
	uint32 index;

	/* a number names one group for ever: what is cached need not be up to date */
	if (cache != NULL)
		group = find_entry(cache, store, row, &index);
	if (group == NULL && (cache = hz_dircache_get(store)) != NULL)
		group = find_entry(cache, store, row, &index);
	return group == NULL ? NULL : copy_entry(cache, group);
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
