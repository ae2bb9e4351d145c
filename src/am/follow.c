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
	store = hz_store_open(rel, AccessShareLock);
	found = store != NULL && hz_forward_find(store, xmax, tid, where);
	hz_store_close(store);
	*mover = xmax;
	return found;
}

/* The next version after the one at *tid, wherever both are; false at the end of the chain. */
static bool
next_version(Relation rel, TableScanDesc delta, ItemPointer tid)
{
	ItemPointerData before = *tid;
	TransactionId mover;
	HzHeapView view;
	HzStore *store;
	bool found;

	if (!hz_rowid_is_columnar(tid))
	{
		hz_heapview_begin(&view, rel);
		heap_get_latest_tid(delta, tid);
		hz_heapview_end(&view);
		return !ItemPointerEquals(&before, tid) || hz_follow_moved(rel, &before, tid, &mover);
	}
	store = hz_store_open(rel, AccessShareLock);
	found = store != NULL && hz_mark_successor(store, &before, tid);
	hz_store_close(store);
	return found;
}

void
hz_follow_latest(Relation rel, TableScanDesc delta, Snapshot snapshot, ItemPointer tid)
{
	ItemPointerData at = *tid;
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
			ReleaseBuffer(buffer);
			*tid = at;
		}
	} while (next_version(rel, delta, &at));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
