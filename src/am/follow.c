/*
 * am/follow.c
 *	  Following rows from the delta into the column store and back. See follow.h.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "am/follow.h"
#include "read/rowfetch.h"
#include "storage/forward.h"
#include "storage/heapview.h"
#include "storage/mark.h"
#include "storage/rowid.h"

bool
hz_follow_fetch(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	HzRowFetch *fetch = hz_rowfetch_begin(rel);
	bool found = hz_rowfetch(fetch, tid, snapshot, slot);

	hz_rowfetch_end(fetch);
	return found;
}

bool
hz_follow_moved(Relation rel, ItemPointer tid, ItemPointer where, TransactionId *mover)
{
	HeapTupleData tuple;
	Buffer buffer;
	TransactionId xmax = InvalidTransactionId;
	MemoryContext context;
	MemoryContext old;
	HzStore *store;
	bool found;

	tuple.t_self = *tid;
	if (!heap_fetch(rel, SnapshotAny, &tuple, &buffer, false))
		return false;
	/* the pin alone suffices: xmax of a deleted tuple does not change */
	if ((tuple.t_data->t_infomask & (HEAP_XMAX_INVALID | HEAP_XMAX_IS_MULTI)) == 0 &&
		ItemPointerEquals(&tuple.t_data->t_ctid, tid))
		xmax = HeapTupleHeaderGetRawXmax(tuple.t_data);
	ReleaseBuffer(buffer);
	if (!TransactionIdIsNormal(xmax))
		return false;
	/* the executor calls in a context that lives as long as the statement */
	context = AllocSetContextCreate(CurrentMemoryContext, "hanzo moved", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	store = hz_store_open(rel, AccessShareLock);
	found = store != NULL && hz_forward_find(store, xmax, tid, where);
	hz_store_close(store);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	*mover = xmax;
	return found;
}

/* The last version of the HOT chain that starts at *tid, if somebody has deleted it: its TID, and by whom. */
static bool
end_of_chain(Relation rel, ItemPointer tid, TransactionId *deleter)
{
	Buffer buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(tid));
	Page page = BufferGetPage(buffer);
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
	bool found = false;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	while (OffsetNumberIsValid(offset) && offset <= PageGetMaxOffsetNumber(page) && !found)
	{
		ItemId item = PageGetItemId(page, offset);
		HeapTupleHeader header;

		if (ItemIdIsRedirected(item))
		{
			offset = ItemIdGetRedirect(item);
			continue;
		}
		if (!ItemIdIsNormal(item))
			break;
		header = (HeapTupleHeader) PageGetItem(page, item);
		if ((header->t_infomask & (HEAP_XMAX_INVALID | HEAP_XMAX_IS_MULTI)) != 0)
			break;
		ItemPointerSetOffsetNumber(tid, offset);
		*deleter = HeapTupleHeaderGetRawXmax(header);
		found = !HeapTupleHeaderIsHotUpdated(header);
		offset = ItemPointerGetOffsetNumber(&header->t_ctid);
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

bool
hz_follow_move_since(Relation rel, ItemPointer tid, Snapshot snapshot, ItemPointer where)
{
	ItemPointerData at = *tid;
	TransactionId mover;
	HzStore *store;
	bool found;

	if (!hz_rowid_is_columnar(tid))
		return end_of_chain(rel, &at, &mover) && XidInMVCCSnapshot(mover, snapshot) &&
			   hz_follow_moved(rel, &at, where, &mover);
	store = hz_store_open(rel, AccessShareLock);
	found = store != NULL && hz_mark_moved(store, tid, snapshot, where);
	hz_store_close(store);
	return found;
}

/*
 * The next version after the delta row at *tid within the delta, as heap_get_latest_tid() steps; false at the end of
 * the chain. *writer: the transaction that must have written the row at *tid (invalid: any), then that of
 * the next one.
 */
static bool
next_in_delta(Relation rel, ItemPointer tid, TransactionId *writer)
{
	HeapTupleData tuple;
	Buffer buffer;
	bool found = false;

	tuple.t_self = *tid;
	if (!heap_fetch(rel, SnapshotAny, &tuple, &buffer, false))
		return false;
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if ((!TransactionIdIsValid(*writer) ||
		 TransactionIdEquals(HeapTupleHeaderGetXmin(tuple.t_data), *writer)) &&
		(tuple.t_data->t_infomask & HEAP_XMAX_INVALID) == 0 &&
		!HeapTupleHeaderIsOnlyLocked(tuple.t_data) &&
		!HeapTupleHeaderIndicatesMovedPartitions(tuple.t_data) &&
		!ItemPointerEquals(&tuple.t_self, &tuple.t_data->t_ctid))
	{
		*tid = tuple.t_data->t_ctid;
		*writer = HeapTupleHeaderGetUpdateXid(tuple.t_data);
		found = true;
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

bool
hz_follow_successor_moved(Relation rel, ItemPointer tid, ItemPointer where, TransactionId *mover)
{
	ItemPointerData at = *tid;
	TransactionId writer = InvalidTransactionId;

	while (next_in_delta(rel, &at, &writer))
		CHECK_FOR_INTERRUPTS();
	return !ItemPointerEquals(&at, tid) && hz_follow_moved(rel, &at, where, mover);
}

/* The next version after the one at *tid, wherever both are; false at the end of the chain. */
static bool
next_version(Relation rel, ItemPointer tid, TransactionId *writer)
{
	ItemPointerData before = *tid;
	TransactionId mover;
	HzStore *store;
	bool found;

	if (!hz_rowid_is_columnar(tid))
	{
		if (next_in_delta(rel, tid, writer))
			return true;
		*writer = InvalidTransactionId;
		return hz_follow_moved(rel, &before, tid, &mover);
	}
	*writer = InvalidTransactionId;
	store = hz_store_open(rel, AccessShareLock);
	found = store != NULL && hz_mark_successor(store, &before, tid);
	hz_store_close(store);
	return found;
}

void
hz_follow_latest(Relation rel, Snapshot snapshot, ItemPointer tid)
{
	ItemPointerData at = *tid;
	TransactionId writer = InvalidTransactionId;
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo follow", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	/* as heap_get_latest_tid(): the last version that the snapshot sees, else the one asked for */
	do
	{
		HeapTupleData tuple;
		Buffer buffer;

		CHECK_FOR_INTERRUPTS();
		tuple.t_self = at;
		if (hz_rowid_is_columnar(&at))
		{
			if (hz_follow_fetch(rel, &at, snapshot, NULL))
				*tid = at;
		}
		else if (heap_fetch(rel, snapshot, &tuple, &buffer, false))
		{
			/* else the place was given to a stranger */
			bool next = !TransactionIdIsValid(writer) ||
						TransactionIdEquals(HeapTupleHeaderGetXmin(tuple.t_data), writer);

			ReleaseBuffer(buffer);
			if (!next)
				break;
			*tid = at;
		}
	} while (next_version(rel, &at, &writer));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
