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
 * GenericXLogFinish() finds out what has changed by comparing images of the page byte by byte, which costs more than all the rest. We
 * know it, and write such a record ourselves (generic_xlog.c: fragments of offset, length, bytes; the same from 9.6 on).
 *
 * A generic record cannot hold a page of the visibility map, whose bits lie where others have their hole. Bits of pages that rows
 * will go from are cleared in advance, which is always allowed, together with a full image of the map's page in the log, under its
 * lock: else a cancel or a crash between the two would leave a bit that nobody ever clears on standbys, and somebody who
 * locks a row meanwhile would find it cleared and not log it.
 *
 * Images of pages that have not been logged since the last checkpoint are written and flushed in advance, too: some 8 kB for every
 * thirty rows, which nobody should wait for.
 */
#include "postgres.h"

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
#include "storage/store.h"
#include "write/silent.h"

/* Heap blocks of a page and of a byte of the visibility map, as visibilitymap.c has them. */
#define MAP_BYTE_BLOCKS (BITS_PER_BYTE / BITS_PER_HEAPBLOCK)
#define MAP_PAGE_BLOCKS ((BLCKSZ - MAXALIGN(SizeOfPageHeaderData)) * MAP_BYTE_BLOCKS)

/* What a deletion changes of a tuple: xmax, cmax, ctid, infomasks. */
#define STAMP_START offsetof(HeapTupleHeaderData, t_choice.t_heap.t_xmax)
#define STAMP_END offsetof(HeapTupleHeaderData, t_hoff)

#define FRAGMENT_HEAD 4 /* offset and length, 16 bits each */

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

static void
log_pages(Relation rel, HzStore *store, const Victim *victims, uint32 count)
{
	for (uint32 i = 0; i < count; i += on_one_page(victims + i, count - i))
	{
		Buffer buffer = ReadBuffer(rel, block_of(&victims[i]));

		CHECK_FOR_INTERRUPTS();
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		if (XLogCheckBufferNeedsBackup(buffer))
		{
			START_CRIT_SECTION();
			MarkBufferDirty(buffer);
			(void) log_newpage_buffer(buffer, true);
			END_CRIT_SECTION();
		}
		UnlockReleaseBuffer(buffer);
		hz_store_pace(store);
	}
}

/*
 * Logs pages of victims that their deletion would log as a whole, a megabyte between two flushes. If a checkpoint begins
 * meanwhile, which the images themselves may bring about, once more.
 */
static void
log_pages_in_advance(Relation rel, HzStore *store, const Victim *victims, uint32 count)
{
	for (int turn = 0; turn < 2; turn++)
	{
		/* also tells this backend of checkpoints that it has not heard of */
		XLogRecPtr redo = GetRedoRecPtr();

		log_pages(rel, store, victims, count);
		if (GetRedoRecPtr() == redo)
			break;
	}
	hz_store_pace_flush(store);
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

/* A fragment of a generic record: the page's bytes from `offset` on, as they are now. */
static uint8 *
add_fragment(uint8 *delta, Page page, uint16 offset, uint16 length)
{
	memcpy(delta, &offset, sizeof(offset));
	memcpy(delta + sizeof(offset), &length, sizeof(length));
	memcpy(delta + FRAGMENT_HEAD, (uint8 *) page + offset, length);
	return delta + FRAGMENT_HEAD + length;
}

#ifdef USE_ASSERT_CHECKING
/* Whether the fragments make of `before` what the page is now, as generic_redo() applies them. */
static bool
replays_to(const PGAlignedBlock *before, const uint8 *delta, const uint8 *end, Page page)
{
	PGAlignedBlock after = *before;
	PageHeader header = (PageHeader) page;

	while (delta < end)
	{
		uint16 place[2];

		memcpy(place, delta, FRAGMENT_HEAD);
		memcpy(after.data + place[0], delta + FRAGMENT_HEAD, place[1]);
		delta += FRAGMENT_HEAD + place[1];
	}
	return memcmp(after.data, page, header->pd_lower) == 0 &&
		   memcmp(after.data + header->pd_upper, (char *) page + header->pd_upper,
				  BLCKSZ - header->pd_upper) == 0;
}
#endif

/* Deletes the victims, all on the page in `buffer`, which is locked, with one generic record. */
static void
stamp_and_log(Relation rel, Buffer buffer, Victim *victims, uint32 count, CommandId cid)
{
	Page page = BufferGetPage(buffer);
	TransactionId xid = GetCurrentTransactionId();
	uint8 delta[2 * (FRAGMENT_HEAD + sizeof(TransactionId)) +
				MaxHeapTuplesPerPage * (FRAGMENT_HEAD + STAMP_END - STAMP_START)];
	uint8 *end = delta;
	XLogRecPtr lsn;

#ifdef USE_ASSERT_CHECKING
	PGAlignedBlock before;

	memcpy(before.data, page, BLCKSZ);
#endif
	if (count > MaxHeapTuplesPerPage)
		elog(ERROR, "%u rows to be deleted from one page", count);
	START_CRIT_SECTION();
	for (uint32 i = 0; i < count; i++)
	{
		HeapTupleHeader header = tuple_on_page(rel, page, &victims[i].tid).t_data;

		stamp_deleted(header, &victims[i].tid, xid, cid);
		end = add_fragment(end, page, (uint16) ((char *) header - page + STAMP_START),
						   STAMP_END - STAMP_START);
	}
	PageSetPrunable(page, xid);
	end = add_fragment(end, page, offsetof(PageHeaderData, pd_prune_xid), sizeof(TransactionId));
	PageClearAllVisible(page);
	end = add_fragment(end, page, offsetof(PageHeaderData, pd_flags), sizeof(uint16));
	Assert(replays_to(&before, delta, end, page));
	MarkBufferDirty(buffer);
	XLogBeginInsert();
	/* hint bits and command ids, which differ on standbys, are not masked in generic records */
	if (wal_consistency_checking[RM_GENERIC_ID])
		XLogRegisterBuffer(0, buffer, REGBUF_FORCE_IMAGE | REGBUF_STANDARD);
	else
	{
		XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
		XLogRegisterBufData(0, (char *) delta, (int) (end - delta));
	}
	lsn = XLogInsert(RM_GENERIC_ID, 0);
	PageSetLSN(page, lsn);
	END_CRIT_SECTION();
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
		stamp_and_log(rel, buffer, victims, taken, cid);
	UnlockReleaseBuffer(buffer);
	return taken;
}

void
hz_silent_delete(Relation rel, HzStore *store, const ItemPointerData *tids, uint32 count,
				 CommandId cid, uint64 *left)
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
	log_pages_in_advance(rel, store, victims, count);
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
