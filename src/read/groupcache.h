/*
 * read/groupcache.h
 *	  Open row groups that outlive a statement, so that lookups and scans that read little of them find their heads,
 *	  dictionaries and decompressed frames warm.
 *
 * A group's bytes never change and its number is never reused, so what is cached (not: who sees it) is
 * right as long as the table keeps its storage and its columns' types: entries are keyed by the
 * TOAST relation's file and the group's number, and dropped when the relcache entry of the table is invalidated.
 * At most hanzo_datastore.group_cache_size a backend, or work_mem * hash_mem_multiplier where that is more, for lookups only: those
 * that go to more groups than fit open them again and again.
 */
#ifndef HZ_GROUPCACHE_H
#define HZ_GROUPCACHE_H

#include "storage/groupread.h"

/* Longer rows are not kept. */
#define HZ_GROUPCACHE_ROW 8192

typedef struct HzGroupCacheEntry
{
	HzGroup *group; /* description only: visibility is the caller's business */
	HzGroupReader *reader;
	HzColumnType *types;
	/* the row that was put together last, if it was kept (hz_groupcache_keep_row()); NULL */
	HeapTuple row;
	uint32 row_position;
} HzGroupCacheEntry;

/*
 * The entry for `group`, attached to `store`; pinned until released. The caller sees to it that it is also after an
 * error, by a callback of its memory context; an entry that was pinned when a (sub)transaction aborted is not handed
 * out again.
 */
extern HzGroupCacheEntry *hz_groupcache_get(HzStore *store, HzGroup *group);
extern void hz_groupcache_release(HzGroupCacheEntry *entry);

/*
 * Keeps a copy of a whole row, if it is not long: who locks a row asks for it right after a check of conflicts did. `row` has
 * all columns of the table, as its relcache entry now describes them.
 */
extern void hz_groupcache_keep_row(HzGroupCacheEntry *entry, uint32 position, HeapTuple row);

/*
 * The entry for `group` for one scan alone, whose vectors nobody else's reads may disturb: taken out of the cache, or made. It belongs to
 * the context `owner` until it is given back, and goes with it. NULL: scans do not keep groups open.
 */
extern HzGroupCacheEntry *hz_groupcache_take(HzStore *store, HzGroup *group,
											 BufferAccessStrategy strategy, MemoryContext owner);

/*
 * Gives it back, to be kept if `keep`, or if it came from the cache. It is not kept in the place of one that the same scan (any number
 * that is its own) has given: a scan of more groups than fit would push each of them out before it comes again.
 */
extern void hz_groupcache_give(HzGroupCacheEntry *entry, uint64 scan, bool keep);

/* Forgets everything about a table (truncation in place). */
extern void hz_groupcache_forget(Oid tableoid);

extern void hz_groupcache_init(void);

#endif /* HZ_GROUPCACHE_H */
