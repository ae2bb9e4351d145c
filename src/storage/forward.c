/*
 * storage/forward.c
 *	  Writing, finding and expiring forwards. See forward.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "miscadmin.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"

#include "base/bytes.h"
#include "storage/forward.h"
#include "storage/rowid.h"

#define ENTRY_SIZE 12
#define ENTRIES_PER_TUPLE ((HZ_STORE_PAGE - CHECKSUM_SIZE) / ENTRY_SIZE)
#define CHECKSUM_SIZE sizeof(uint32)
#define FORWARDS_LAST 0x7FFFFFFF

static int
compare_forwards(const void *a, const void *b)
{
	return ItemPointerCompare(&((HzForward *) a)->old, &((HzForward *) b)->old);
}

void
hz_forward_write(HzStore *store, const HzGroup *group, HzForward *forwards, uint32 count,
				 CommandId cid)
{
	uint8_t *room = palloc(HZ_STORE_PAGE);
	int32 seq = HZ_STORE_FORWARDS;

	qsort(forwards, count, sizeof(HzForward), compare_forwards);
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
hz_forward_is_sound(const HzGroup *group, int32 seq, const uint8_t *data, Size length)
{
	if (length <= CHECKSUM_SIZE || (length - CHECKSUM_SIZE) % ENTRY_SIZE != 0)
		return false;
	length -= CHECKSUM_SIZE;
	return hz_load32(data + length) == hz_store_checksum(group->chunk_id, seq, data, length);
}

static bool
find_in_group(HzStore *store, const HzGroup *group, ItemPointer old, ItemPointer where)
{
	HzStoreScan scan;
	uint32 position = 0;
	bool found = false;

	hz_store_scan_begin(store, &scan, group->chunk_id, HZ_STORE_FORWARDS, FORWARDS_LAST,
						SnapshotAny, ForwardScanDirection);
	while (!found && hz_store_scan_next(&scan))
	{
		if (!hz_forward_is_sound(group, scan.seq, scan.data, scan.length))
			ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
							errmsg("damaged forwards of row group %u in table \"%s\"",
								   group->number, RelationGetRelationName(store->table)),
							errdetail("Block %u of TOAST relation \"%s\".",
									  ItemPointerGetBlockNumber(&scan.tuple->t_self),
									  RelationGetRelationName(store->toast))));
		found = search_entries(scan.data, scan.length - CHECKSUM_SIZE, old, &position);
	}
	hz_store_scan_end(&scan);
	if (found)
		hz_rowid_to_tid(hz_group_first_row(group) + position, where);
	return found;
}

bool
hz_forward_find(HzStore *store, TransactionId mover, ItemPointer old, ItemPointer where)
{
	HzStoreScan scan;
	List *groups = NIL;
	ListCell *cell;

	if (hz_store_is_empty(store) || !TransactionIdIsNormal(mover))
		return false;
	/* new groups have the greatest numbers: look at them first */
	hz_store_scan_begin(store, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX, SnapshotAny,
						BackwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		CHECK_FOR_INTERRUPTS();
		if (!HeapTupleHeaderXminFrozen(scan.tuple->t_data) &&
			TransactionIdEquals(HeapTupleHeaderGetRawXmin(scan.tuple->t_data), mover))
			groups = lappend(groups, hz_directory_parse(store, scan.tuple));
	}
	hz_store_scan_end(&scan);
	foreach(cell, groups)
	{
		if (find_in_group(store, lfirst(cell), old, where))
			return true;
	}
	return false;
}

bool
hz_forward_expire(HzStore *store, const HzGroup *group, CommandId cid)
{
	HzStoreScan scan;
	bool any = false;

	if (!TransactionIdPrecedes(group->raw_xmin, GetOldestNonRemovableTransactionId(store->table)))
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
