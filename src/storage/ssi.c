/*
 * storage/ssi.c
 *	  Read-write conflicts with transactions behind what a snapshot sees. See ssi.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/subtrans.h"
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "storage/directory.h"
#include "storage/ssi.h"

static void
check_writer(HzStore *store, HeapTuple tuple, Snapshot snapshot)
{
	TransactionId xid = HeapTupleHeaderGetRawXmin(tuple->t_data);

	if (HeapTupleHeaderXminFrozen(tuple->t_data) || !TransactionIdIsNormal(xid) ||
		TransactionIdPrecedes(xid, TransactionXmin) || TransactionIdIsCurrentTransactionId(xid) ||
		!XidInMVCCSnapshot(xid, snapshot))
		return;
	xid = SubTransGetTopmostTransaction(xid);
	if (!TransactionIdPrecedes(xid, TransactionXmin))
		CheckForSerializableConflictOut(store->table, xid, snapshot);
}

static void
check_marks(HzStore *store, Oid chunk_id, Snapshot snapshot)
{
	HzStoreScan scan;

	hz_store_scan_begin(store, &scan, chunk_id, PG_INT32_MIN, -1, SnapshotAny,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		CHECK_FOR_INTERRUPTS();
		check_writer(store, scan.tuple, snapshot);
	}
	hz_store_scan_end(&scan);
}

void
hz_ssi_read(Relation table, Snapshot snapshot)
{
	MemoryContext context;
	MemoryContext old;
	HzStoreScan scan;
	HzStore *store;

	if (!IsolationIsSerializable() || snapshot == NULL || !IsMVCCSnapshot(snapshot))
		return;
	PredicateLockRelation(table, snapshot);
	if (!CheckForSerializableConflictOutNeeded(table, snapshot))
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "hanzo ssi", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	store = hz_store_open(table, AccessShareLock);
	if (!hz_store_is_empty(store))
	{
		hz_store_scan_begin(store, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX, SnapshotAny,
							ForwardScanDirection);
		while (hz_store_scan_next(&scan))
		{
			TransactionId xmin = HeapTupleHeaderGetRawXmin(scan.tuple->t_data);

			if (HeapTupleHeaderXminFrozen(scan.tuple->t_data) || !TransactionIdIsNormal(xmin) ||
				TransactionIdIsCurrentTransactionId(xmin) || !XidInMVCCSnapshot(xmin, snapshot))
				continue;
			check_writer(store, scan.tuple, snapshot);
			check_marks(store, hz_directory_parse(store, scan.tuple)->chunk_id, snapshot);
		}
		hz_store_scan_end(&scan);
	}
	hz_store_close(store);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
