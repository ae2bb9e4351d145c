/*
 * storage/inherit.c
 *	  Locks that pass from a columnar row to its new version in the delta. See inherit.h.
 *
 * What is written is what heap_lock_tuple() would for each of the lockers, and is logged in the same record.
 */
#include "postgres.h"

#include "access/heapam_xlog.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"

#include "base/compat.h"
#include "storage/inherit.h"

/* One transaction id, or a multixact of several. */
static TransactionId
make_xmax(const TransactionId *lockers, uint32 count, uint16 *infomask)
{
	MultiXactMember *members;

	*infomask = HEAP_XMAX_LOCK_ONLY | HEAP_XMAX_KEYSHR_LOCK;
	if (count == 1)
		return lockers[0];
	members = palloc(sizeof(MultiXactMember) * count);
	for (uint32 i = 0; i < count; i++)
	{
		members[i].xid = lockers[i];
		members[i].status = MultiXactStatusForKeyShare;
	}
	*infomask |= HEAP_XMAX_IS_MULTI;
	MultiXactIdSetOldestMember();
	return MultiXactIdCreateFromMembers((int) count, members);
}

static void
log_lock(Buffer buffer, OffsetNumber offset, TransactionId xmax, uint16 infomask)
{
	xl_heap_lock record;
	XLogRecPtr end;

	XLogBeginInsert();
	XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
	record.offnum = offset;
	record.hz_compat_lock_xmax = xmax;
	record.infobits_set = XLHL_XMAX_LOCK_ONLY | XLHL_XMAX_KEYSHR_LOCK;
	if ((infomask & HEAP_XMAX_IS_MULTI) != 0)
		record.infobits_set |= XLHL_XMAX_IS_MULTI;
	record.flags = 0;
	XLogRegisterData((char *) &record, SizeOfHeapLock);
	end = XLogInsert(RM_HEAP_ID, XLOG_HEAP_LOCK);
	PageSetLSN(BufferGetPage(buffer), end);
}

void
hz_inherit_key_share(Relation rel, ItemPointer tid, const TransactionId *lockers, uint32 count)
{
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
	uint16 infomask;
	TransactionId xmax = make_xmax(lockers, count, &infomask);
	Buffer buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(tid));
	Page page = BufferGetPage(buffer);
	HeapTupleHeader header;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	header = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, offset));
	/* the page of a row just inserted is not all visible */
	Assert((header->t_infomask & HEAP_XMAX_INVALID) != 0 && !PageIsAllVisible(page));

	START_CRIT_SECTION();
	header->t_infomask &= ~HEAP_XMAX_BITS;
	header->t_infomask2 &= ~HEAP_KEYS_UPDATED;
	header->t_infomask |= infomask;
	HeapTupleHeaderSetXmax(header, xmax);
	MarkBufferDirty(buffer);
	if (RelationNeedsWAL(rel))
		log_lock(buffer, offset, xmax, infomask);
	END_CRIT_SECTION();

	UnlockReleaseBuffer(buffer);
}
