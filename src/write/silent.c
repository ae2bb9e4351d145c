/*
 * write/silent.c
 *	  Taking rows out of the delta page by page. See silent.h.
 *
 * A move changes whole pages, one generic WAL record each, to what heap_delete() makes of them. That is several times as fast as a record
 * a row, and writers wait for rows that are taken until the move commits. And every heap_delete() is decoded, be it as a
 * deletion of nobody knows what (REPLICA IDENTITY NOTHING): each slot would collect, spill and read back a change for each row that
 * moves, and show it to plugins less discreet than pgoutput; decoding passes over generic records. A deletion is all that
 * such a record can stand for: it needs no conflict with standbys, as removing rows does.
 *
 * A generic record cannot hold a page of the visibility map, whose bits lie where others have their hole. Bits of pages that rows
 * will go from are cleared in advance, which is always allowed, together with a full image of the map's page in the log, under its
 * lock: else a cancel or a crash between the two would leave a bit that nobody ever clears on standbys, and somebody who
 * locks a row meanwhile would find it cleared and not log it.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/visibilitymap.h"
#include "access/rmgr.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"

#include "base/bitmap.h"
#include "write/silent.h"

/* Heap blocks of a page and of a byte of the visibility map, as visibilitymap.c has them. */
#define MAP_BYTE_BLOCKS (BITS_PER_BYTE / BITS_PER_HEAPBLOCK)
#define MAP_PAGE_BLOCKS ((BLCKSZ - MAXALIGN(SizeOfPageHeaderData)) * MAP_BYTE_BLOCKS)

/* A row to be deleted, and its number among the caller's. */
typedef struct Victim
{
	ItemPointerData tid;
	uint32 index;
} Victim;

static inline int
compare_victims(const Victim *a, const Victim *b)
{
	BlockNumber left = ItemPointerGetBlockNumberNoCheck(&a->tid);
	BlockNumber right = ItemPointerGetBlockNumberNoCheck(&b->tid);

	if (left != right)
		return left < right ? -1 : 1;
	return (int) ItemPointerGetOffsetNumberNoCheck(&a->tid) -
		   (int) ItemPointerGetOffsetNumberNoCheck(&b->tid);
}

#define ST_SORT sort_victims
#define ST_ELEMENT_TYPE Victim
#define ST_COMPARE(a, b) compare_victims(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* How many victims from the first on are on its page. */
static uint32
on_one_page(const Victim *victims, uint32 count)
{
	BlockNumber block = ItemPointerGetBlockNumber(&victims[0].tid);
	uint32 same = 1;

	while (same < count && ItemPointerGetBlockNumber(&victims[same].tid) == block)
		same++;
	return same;
}

static BlockNumber
block_of(const Victim *victim)
{
	return ItemPointerGetBlockNumber(&victim->tid);
}

/* Clears the bits of the victims' pages, all on one page of the map, here and in the log. */
static void
clear_map_page(Buffer map, const Victim *victims, uint32 count)
{
	uint8 *bits;

	LockBuffer(map, BUFFER_LOCK_EXCLUSIVE);
	START_CRIT_SECTION();
	bits = (uint8 *) PageGetContents(BufferGetPage(map));
	for (uint32 i = 0; i < count; i += on_one_page(victims + i, count - i))
	{
		BlockNumber block = block_of(&victims[i]);

		bits[block % MAP_PAGE_BLOCKS / MAP_BYTE_BLOCKS] &=
			~(VISIBILITYMAP_VALID_BITS << (block % MAP_BYTE_BLOCKS * BITS_PER_HEAPBLOCK));
	}
	MarkBufferDirty(map);
	(void) log_newpage_buffer(map, false);
	END_CRIT_SECTION();
	LockBuffer(map, BUFFER_LOCK_UNLOCK);
}

/* Clears the visibility map's bits of all pages that victims are on. VACUUM, which alone sets them, is kept out. */
static void
clear_map(Relation rel, const Victim *victims, uint32 count)
{
	Buffer map = InvalidBuffer;
	uint32 end;

	for (uint32 first = 0; first < count; first = end)
	{
		BlockNumber page = block_of(&victims[first]) / MAP_PAGE_BLOCKS;
		bool any = false;

		CHECK_FOR_INTERRUPTS();
		for (end = first; end < count && block_of(&victims[end]) / MAP_PAGE_BLOCKS == page;
			 end += on_one_page(victims + end, count - end))
			any |= visibilitymap_get_status(rel, block_of(&victims[end]), &map) != 0;
		if (any)
			clear_map_page(map, victims + first, end - first);
#ifdef USE_ASSERT_CHECKING
		for (uint32 i = first; i < end; i++)
			Assert(visibilitymap_get_status(rel, block_of(&victims[i]), &map) == 0);
#endif
	}
	if (BufferIsValid(map))
		ReleaseBuffer(map);
}

static HeapTupleData
tuple_on_page(Relation rel, Page page, ItemPointer tid)
{
	ItemId item = PageGetItemId(page, ItemPointerGetOffsetNumber(tid));
	HeapTupleData tuple;

	Assert(ItemIdIsNormal(item));
	tuple.t_self = *tid;
	tuple.t_tableOid = RelationGetRelid(rel);
	tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple.t_len = ItemIdGetLength(item);
	return tuple;
}

/* As heap_delete() leaves a tuple that nobody had locked. */
static void
stamp_deleted(HeapTupleHeader header, ItemPointer tid, TransactionId xid, CommandId cid)
{
	header->t_infomask &= ~(HEAP_XMAX_BITS | HEAP_MOVED);
	header->t_infomask2 |= HEAP_KEYS_UPDATED;
	HeapTupleHeaderClearHotUpdated(header);
	HeapTupleHeaderSetXmax(header, xid);
	HeapTupleHeaderSetCmax(header, cid, false);
	header->t_ctid = *tid;
}

/*
 * Deletes the victims, all on one page. Rows that can go are moved to the front; returns how many. Those of them with
 * values in the TOAST relation are added to *toasted, as copies.
 */
static uint32
delete_on_page(Relation rel, Victim *victims, uint32 count, CommandId cid, uint64 *left,
			   List **toasted)
{
	Buffer buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(&victims[0].tid));
	TransactionId xid = GetCurrentTransactionId();
	uint32 taken = 0;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	for (uint32 i = 0; i < count; i++)
	{
		HeapTupleData tuple = tuple_on_page(rel, BufferGetPage(buffer), &victims[i].tid);

		/* without a locker, even one that is over and not known to be */
		if (HeapTupleSatisfiesUpdate(&tuple, cid, buffer) != TM_Ok ||
			(tuple.t_data->t_infomask & HEAP_XMAX_INVALID) == 0)
		{
			hz_bitmap_set(left, victims[i].index);
			continue;
		}
		CheckForSerializableConflictIn(rel, &tuple.t_self, BufferGetBlockNumber(buffer));
		if (HeapTupleHasExternal(&tuple))
			*toasted = lappend(*toasted, heap_copytuple(&tuple));
		victims[taken++] = victims[i];
	}
	if (taken > 0)
	{
		GenericXLogState *state = GenericXLogStart(rel);
		/* hint bits and command ids, which differ on standbys, are not masked in generic records */
		int flags = wal_consistency_checking[RM_GENERIC_ID] ? GENERIC_XLOG_FULL_IMAGE : 0;
		Page page = GenericXLogRegisterBuffer(state, buffer, flags);

		for (uint32 i = 0; i < taken; i++)
			stamp_deleted(tuple_on_page(rel, page, &victims[i].tid).t_data, &victims[i].tid, xid,
						  cid);
		PageSetPrunable(page, xid);
		PageClearAllVisible(page);
		GenericXLogFinish(state);
	}
	UnlockReleaseBuffer(buffer);
	return taken;
}

void
hz_silent_delete(Relation rel, const ItemPointerData *tids, uint32 count, CommandId cid,
				 uint64 *left)
{
	Victim *victims = palloc_extended(sizeof(Victim) * count, MCXT_ALLOC_HUGE);
	uint32 here;

	for (uint32 i = 0; i < count; i++)
	{
		victims[i].tid = tids[i];
		victims[i].index = i;
	}
	sort_victims(victims, count);
	/* others may put our xid beside theirs into a multixact */
	MultiXactIdSetOldestMember();
	clear_map(rel, victims, count);
	for (uint32 i = 0; i < count; i += here)
	{
		List *toasted = NIL;
		ListCell *cell;
		uint32 taken;

		CHECK_FOR_INTERRUPTS();
		here = on_one_page(victims + i, count - i);
		taken = delete_on_page(rel, victims + i, here, cid, left, &toasted);
		foreach(cell, toasted)
			heap_toast_delete(rel, lfirst(cell), false);
		list_free_deep(toasted);
		for (uint32 k = 0; k < taken; k++)
			pgstat_count_heap_delete(rel);
	}
	pfree(victims);
}
