/*
 * exec/arrival.c
 *	  See arrival.h.
 *
 * A month that came with rows says so in its label; it is newer than the snapshot if the snapshot does not see its row in pg_inherits. What is
 * known of a relation is kept until its relcache entry is invalidated, which ATTACH does.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/executor.h"
#include "storage/procarray.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "exec/arrival.h"
#include "storage/label.h"

typedef struct Arrival
{
	Oid relid;
	uint64 xid; /* full transaction id of its arrival; 0: long ago, or never */
} Arrival;

static HTAB *arrivals = NULL;
static ExecutorStart_hook_type previous_hook = NULL;

static void
forget(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS all;
	Arrival *entry;

	if (OidIsValid(relid))
	{
		(void) hash_search(arrivals, &relid, HASH_REMOVE, NULL);
		return;
	}
	hash_seq_init(&all, arrivals);
	while ((entry = hash_seq_search(&all)) != NULL)
		(void) hash_search(arrivals, &entry->relid, HASH_REMOVE, NULL);
}

static bool
has_arrived(Oid relid)
{
	const HzLabel *label = hz_label_find(hz_label_read(relid), 0);

	return label != NULL && label->arrived;
}

static uint64
next_full_xid(void)
{
	return U64FromFullTransactionId(ReadNextFullTransactionId());
}

static uint64
attached_by(Oid relid)
{
	TransactionId xid = InvalidTransactionId;
	uint64 next = next_full_xid();
	Relation catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	if (!get_rel_relispartition(relid) || !has_arrived(relid))
		return 0;
	catalog = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		xid = HeapTupleHeaderGetXmin(tuple->t_data);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return TransactionIdIsNormal(xid) ? next - (uint32) ((TransactionId) next - xid) : 0;
}

static void
check(Oid relid, Snapshot snapshot)
{
	Arrival *entry = hash_search(arrivals, &relid, HASH_FIND, NULL);
	TransactionId xid;

	if (entry == NULL)
	{
		uint64 attached = attached_by(relid);

		entry = hash_search(arrivals, &relid, HASH_ENTER, NULL);
		entry->xid = attached;
	}
	if (entry->xid == 0)
		return;
	xid = (TransactionId) entry->xid;
	/* before it is so long ago that it seems to lie ahead */
	if (next_full_xid() - entry->xid > PG_INT32_MAX / 2)
		entry->xid = 0;
	else if (!TransactionIdIsCurrentTransactionId(xid) && XidInMVCCSnapshot(xid, snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access to partition \"%s\"", get_rel_name(relid)),
				 errdetail("Rows have been moved there from the default partition since the "
						   "snapshot was taken."),
				 errhint("The transaction might succeed if retried.")));
}

static void
executor_start(QueryDesc *query, int eflags)
{
	ListCell *cell;

	if (query->snapshot != NULL && query->snapshot->snapshot_type == SNAPSHOT_MVCC &&
		!IsParallelWorker() && (eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
	{
		foreach(cell, query->plannedstmt->rtable)
		{
			const RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

			if (rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_RELATION)
				check(rte->relid, query->snapshot);
		}
	}
	if (previous_hook != NULL)
		previous_hook(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

void
hz_arrival_init(void)
{
	arrivals = hash_create("hanzo arrivals", 256,
						   &(HASHCTL){.keysize = sizeof(Oid), .entrysize = sizeof(Arrival)},
						   HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(forget, (Datum) 0);
	previous_hook = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
}
