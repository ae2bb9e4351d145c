/*
 * storage/forward.c
 *	  Writing, finding and expiring forwards. See forward.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/bytes.h"
#include "base/compat.h"
#include "storage/forward.h"
#include "storage/rowid.h"

#define ENTRY_SIZE 12
#define ENTRIES_PER_TUPLE ((HZ_STORE_PAGE - CHECKSUM_SIZE) / ENTRY_SIZE)
#define CHECKSUM_SIZE sizeof(uint32)
#define FORWARDS_LAST 0x7FFFFFFF

/* A group that has forwards of a mover. */
typedef struct Target
{
	Oid chunk_id;
	uint32 number;
	uint32 rows;
} Target;

/*
 * What the last mover asked for has written: a statement may meet many rows that it moved. All of it was there when
 * the mover had committed, before which nobody asks; a target that is gone since has no forwards.
 */
static struct
{
	TransactionId mover; /* invalid: nothing is known */
	RelFileLocator locator;
	Target *targets;
	uint32 count;
} moves;

static int
compare_forwards(const void *a, const void *b)
{
	return ItemPointerCompare(&((HzForward *) a)->old, &((HzForward *) b)->old);
}

static void
sort_forwards(HzForward *forwards, uint32 count)
{
	for (uint32 i = 1; i < count; i++)
	{
		if (compare_forwards(&forwards[i - 1], &forwards[i]) > 0)
		{
			qsort(forwards, count, sizeof(HzForward), compare_forwards);
			return;
		}
	}
}

void
hz_forward_write(HzStore *store, const HzGroup *group, HzForward *forwards, uint32 count,
				 CommandId cid)
{
	uint8_t *room = palloc(HZ_STORE_PAGE);
	int32 seq = HZ_STORE_FORWARDS;

	sort_forwards(forwards, count);
	for (uint32 done = 0; done < count;)
	{
		uint32 take = Min(count - done, ENTRIES_PER_TUPLE);
		Size length;

		for (uint32 i = 0; i < take; i++)
		{
			uint8_t *entry = room + i * ENTRY_SIZE;

			hz_store32(entry, ItemPointerGetBlockNumberNoCheck(&forwards[done + i].old));
			hz_store16(entry + 4, ItemPointerGetOffsetNumberNoCheck(&forwards[done + i].old));
			hz_store16(entry + 6, 0);
			hz_store32(entry + 8, forwards[done + i].position);
		}
		length = take * ENTRY_SIZE;
		hz_store32(room + length, hz_store_checksum(group->chunk_id, seq, room, length));
		hz_store_put(store, group->chunk_id, seq++, room, length + CHECKSUM_SIZE, cid, 0, NULL,
					 NULL);
		done += take;
	}
	pfree(room);
}

static int
compare_entry(const uint8_t *entry, ItemPointer tid)
{
	BlockNumber block = hz_load32(entry);
	OffsetNumber offset = hz_load16(entry + 4);

	if (block != ItemPointerGetBlockNumberNoCheck(tid))
		return block < ItemPointerGetBlockNumberNoCheck(tid) ? -1 : 1;
	return (int) offset - (int) ItemPointerGetOffsetNumberNoCheck(tid);
}

/* Looks for the TID in one tuple of sorted entries. */
static bool
search_entries(const uint8_t *data, Size length, ItemPointer old, uint32 *position)
{
	Size low = 0;
	Size high = length / ENTRY_SIZE;

	while (low < high)
	{
		Size middle = (low + high) / 2;
		int order = compare_entry(data + middle * ENTRY_SIZE, old);

		if (order == 0)
		{
			*position = hz_load32(data + middle * ENTRY_SIZE + 8);
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool
hz_forward_is_sound(Oid chunk_id, int32 seq, const uint8_t *data, Size length)
{
	if (length <= CHECKSUM_SIZE || (length - CHECKSUM_SIZE) % ENTRY_SIZE != 0)
		return false;
	length -= CHECKSUM_SIZE;
	return hz_load32(data + length) == hz_store_checksum(chunk_id, seq, data, length);
}

/* The n-th tuple of the group's forwards, checked; false: there is none. The scan is open afterwards. */
static bool
open_tuple(HzStore *store, const Target *target, uint32 n, HzStoreScan *scan)
{
	int32 seq = HZ_STORE_FORWARDS + (int32) n;

	hz_store_scan_begin(store, scan, target->chunk_id, seq, seq, SnapshotAny, ForwardScanDirection);
	if (!hz_store_scan_next(scan))
		return false;
	if (!hz_forward_is_sound(target->chunk_id, scan->seq, scan->data, scan->length))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("damaged forwards of row group %u in table \"%s\"", target->number,
							   RelationGetRelationName(store->table)),
						errdetail("Block %u of TOAST relation \"%s\".",
								  ItemPointerGetBlockNumber(&scan->tuple->t_self),
								  RelationGetRelationName(store->toast))));
	return true;
}

/* Tuples are in the order of old TIDs: a binary search for the one, then within it. */
static bool
find_in_group(HzStore *store, const Target *target, ItemPointer old, ItemPointer where)
{
	uint32 low = 0;
	uint32 high = (target->rows + ENTRIES_PER_TUPLE - 1) / ENTRIES_PER_TUPLE;
	uint32 position = 0;
	bool found = false;

	while (low < high && !found)
	{
		uint32 middle = (low + high) / 2;
		HzStoreScan scan;
		bool there = open_tuple(store, target, middle, &scan);
		bool before = there && compare_entry(scan.data, old) > 0;

		found = there && !before &&
				search_entries(scan.data, scan.length - CHECKSUM_SIZE, old, &position);
		hz_store_scan_end(&scan);
		if (!there || before)
			high = middle;
		else
			low = middle + 1;
	}
	if (found)
		hz_rowid_to_tid((uint64) target->number * HZ_ROWID_ROWS_PER_BLOCK + position, where);
	return found;
}

/* Reads the directory for the groups that the mover wrote; new groups have the greatest numbers: those first. */
static void
find_targets(HzStore *store, TransactionId mover)
{
	HzStoreScan scan;
	uint32 room = 0;

	moves.count = 0;
	moves.mover = InvalidTransactionId;
	hz_store_scan_begin(store, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX, SnapshotAny,
						BackwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		HzGroup *group;

		CHECK_FOR_INTERRUPTS();
		if (HeapTupleHeaderXminFrozen(scan.tuple->t_data) ||
			!TransactionIdEquals(HeapTupleHeaderGetRawXmin(scan.tuple->t_data), mover))
			continue;
		group = hz_directory_parse(store, scan.tuple);
		if (moves.count == room)
		{
			room = Max(room * 2, 16);
			moves.targets = moves.count == 0
								? MemoryContextAlloc(TopTransactionContext, sizeof(Target) * room)
								: repalloc(moves.targets, sizeof(Target) * room);
		}
		moves.targets[moves.count].chunk_id = group->chunk_id;
		moves.targets[moves.count].number = group->number;
		moves.targets[moves.count++].rows = group->rows;
		pfree(group);
	}
	hz_store_scan_end(&scan);
	moves.locator = store->toast->rd_locator;
	moves.mover = mover;
}

bool
hz_forward_find(HzStore *store, TransactionId mover, ItemPointer old, ItemPointer where)
{
	if (hz_store_is_empty(store) || !TransactionIdIsNormal(mover))
		return false;
	if (!TransactionIdEquals(moves.mover, mover) ||
		!RelFileLocatorEquals(moves.locator, store->toast->rd_locator))
		find_targets(store, mover);
	for (uint32 i = 0; i < moves.count; i++)
	{
		if (find_in_group(store, &moves.targets[i], old, where))
			return true;
	}
	return false;
}

static void
xact_callback(XactEvent event, void *arg)
{
	/* the targets go with the transaction's memory */
	moves.mover = InvalidTransactionId;
	moves.count = 0;
}

void
hz_forward_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
}

bool
hz_forward_expire(HzStore *store, const HzGroup *group, CommandId cid)
{
	HzStoreScan scan;
	bool any = false;

	if ((group->infomask & HEAP_XMIN_FROZEN) != HEAP_XMIN_FROZEN &&
		!TransactionIdPrecedes(group->raw_xmin, GetOldestNonRemovableTransactionId(store->table)))
		return false;
	hz_store_scan_begin(store, &scan, group->chunk_id, HZ_STORE_FORWARDS, FORWARDS_LAST,
						SnapshotSelf, ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		TM_FailureData failure;
		ItemPointerData tid = scan.tuple->t_self;

		CHECK_FOR_INTERRUPTS();
		if (heap_delete(store->toast, &tid, cid, InvalidSnapshot, true, &failure, false) == TM_Ok)
			any = true;
	}
	hz_store_scan_end(&scan);
	return any;
}
