/*
 * am/am_rewrite.c
 *	  CLUSTER and VACUUM FULL: the column store's tuples copied to the new TOAST relation, then the delta
 *	  by heap's own routine.
 *
 * Row groups keep their bytes, row numbers and chunk_ids; only the block ranges in their directory tuples
 * are renewed. Tuples keep their visibility (core's rewrite module), so that older snapshots see afterwards what they
 * saw before. Columns come first, since heap rows may toast values into the same new relation, and
 * the rewrite module writes its pages past the buffer manager (PROTOCOLS 5).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/rewriteheap.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am_d.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "am/columnar_am.h"
#include "read/groupcache.h"
#include "storage/directory.h"
#include "storage/rowid.h"
#include "write/bulk.h"

#define MAX_RANGES 64

typedef struct Copy
{
	HzStore *from;
	HzStore *to;
	RewriteState rewrite;
	TransactionId oldest_xmin;
	HzBlockRange ranges[MAX_RANGES];
	uint32 range_count;
	bool scattered;
} Copy;

static HTSV_Result
tuple_state(Copy *copy, HeapTuple tuple)
{
	HeapTupleData fetched;
	Buffer buffer;
	HTSV_Result state;

	fetched.t_self = tuple->t_self;
	if (!heap_fetch(copy->from->toast, SnapshotAny, &fetched, &buffer, false))
		return HEAPTUPLE_DEAD;
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	state = HeapTupleSatisfiesVacuum(&fetched, copy->oldest_xmin, buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	ReleaseBuffer(buffer);
	return state;
}

/* Writes `replacement` with the visibility of `original` and indexes it; returns where it is. */
static ItemPointerData
copy_tuple(Copy *copy, HeapTuple original, HeapTuple replacement)
{
	TupleDesc desc = RelationGetDescr(copy->to->toast);
	Datum values[3];
	bool isnull[3];

	rewrite_heap_tuple(copy->rewrite, original, replacement);
	heap_deform_tuple(replacement, desc, values, isnull);
	for (int i = 0; i < copy->to->index_count; i++)
	{
		if (copy->to->indexes[i]->rd_index->indisready)
			index_insert(copy->to->indexes[i], values, isnull, &replacement->t_self,
						 copy->to->toast, UNIQUE_CHECK_NO, false, NULL);
	}
	return replacement->t_self;
}

static void
note_block(Copy *copy, BlockNumber block)
{
	HzBlockRange *last = copy->range_count > 0 ? &copy->ranges[copy->range_count - 1] : NULL;

	if (last != NULL && last->first + last->count == block)
		last->count++;
	else if (copy->range_count < MAX_RANGES)
	{
		copy->ranges[copy->range_count].first = block;
		copy->ranges[copy->range_count++].count = 1;
	}
	else
		copy->scattered = true;
}

/* Copies what belongs to a group: pages, forwards, marks. */
static void
copy_group_tuples(Copy *copy, Oid chunk_id)
{
	HzStoreScan scan;

	copy->range_count = 0;
	copy->scattered = false;
	hz_store_scan_begin(copy->from, &scan, chunk_id, PG_INT32_MIN, PG_INT32_MAX, SnapshotAny,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		HeapTuple original;
		HeapTuple replacement;
		ItemPointerData tid;

		CHECK_FOR_INTERRUPTS();
		if (tuple_state(copy, scan.tuple) == HEAPTUPLE_DEAD)
			continue;
		original = heap_copytuple(scan.tuple);
		replacement = heap_copytuple(scan.tuple);
		tid = copy_tuple(copy, original, replacement);
		if (scan.seq >= 0 && scan.seq < HZ_STORE_FORWARDS)
			note_block(copy, ItemPointerGetBlockNumber(&tid));
		heap_freetuple(original);
		heap_freetuple(replacement);
	}
	hz_store_scan_end(&scan);
}

static void
copy_directory_tuple(Copy *copy, HzGroup *group, HeapTuple original)
{
	HzBytes bytes = {0};
	Datum values[3];
	bool isnull[3] = {false, false, false};
	HeapTuple replacement;
	bytea *payload;

	if (copy->scattered)
		copy->range_count = 0;
	group->ranges = copy->ranges;
	group->range_count = copy->range_count;
	hz_directory_write(group, &bytes);
	payload = palloc(bytes.length + VARHDRSZ);
	SET_VARSIZE(payload, bytes.length + VARHDRSZ);
	memcpy(VARDATA(payload), bytes.data, bytes.length);
	values[0] = ObjectIdGetDatum(HZ_STORE_DIRECTORY);
	values[1] = Int32GetDatum((int32) group->number);
	values[2] = PointerGetDatum(payload);
	replacement = heap_form_tuple(RelationGetDescr(copy->to->toast), values, isnull);
	(void) copy_tuple(copy, original, replacement);
}

/* Copies all row groups that somebody may still see; returns the rows of those that live. */
static void
copy_groups(Copy *copy, double *tuples, double *vacuumed, double *recently_dead)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo copy group", ALLOCSET_DEFAULT_SIZES);
	HzStoreScan scan;

	hz_store_scan_begin(copy->from, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX, SnapshotAny,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		HzGroup *group = hz_directory_parse(copy->from, scan.tuple);
		HTSV_Result state = tuple_state(copy, scan.tuple);

		if (state == HEAPTUPLE_DEAD)
			*vacuumed += group->rows;
		else
		{
			HeapTuple original = heap_copytuple(scan.tuple);

			copy_group_tuples(copy, group->chunk_id);
			copy_directory_tuple(copy, group, original);
			*tuples += group->rows;
			if (state == HEAPTUPLE_RECENTLY_DEAD || state == HEAPTUPLE_DELETE_IN_PROGRESS)
				*recently_dead += group->rows;
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	hz_store_scan_end(&scan);
	MemoryContextDelete(context);
}

static void
copy_column_store(Relation old_table, Relation new_table, TransactionId oldest_xmin,
				  TransactionId xid_cutoff, MultiXactId multi_cutoff, double *tuples,
				  double *vacuumed, double *recently_dead)
{
	Copy copy = {.oldest_xmin = oldest_xmin};
	HzStoreScan scan;

	copy.from = hz_store_open(old_table, AccessExclusiveLock);
	copy.to = hz_store_open(new_table, AccessExclusiveLock);
	if (!hz_store_is_empty(copy.from) && copy.to != NULL)
	{
		copy.rewrite = begin_heap_rewrite(copy.from->toast, copy.to->toast, oldest_xmin, xid_cutoff,
										  multi_cutoff);
		hz_store_scan_begin(copy.from, &scan, HZ_STORE_META, 0, 0, SnapshotAny,
							ForwardScanDirection);
		while (hz_store_scan_next(&scan))
		{
			HeapTuple original = heap_copytuple(scan.tuple);

			(void) copy_tuple(&copy, original, heap_copytuple(scan.tuple));
		}
		hz_store_scan_end(&scan);
		copy_groups(&copy, tuples, vacuumed, recently_dead);
		end_heap_rewrite(copy.rewrite);
	}
	hz_store_close(copy.from);
	hz_store_close(copy.to);
}

/*
 * A copy of the relcache entry that is a heap's, for core routines which ask the relation for its access method. It
 * lives in TopMemoryContext, because a resource owner may release it after an error; it owns an smgr
 * reference of its own and counts no statistics. Both tables are locked exclusively.
 */
static Relation
heap_twin(Relation rel)
{
	Relation twin = MemoryContextAlloc(TopMemoryContext, sizeof(RelationData));

	memcpy(twin, rel, sizeof(RelationData));
	twin->rd_tableam = GetHeapamTableAmRoutine();
	twin->rd_smgr = NULL;
	twin->rd_refcnt = 0;
	twin->pgstat_info = NULL;
	twin->pgstat_enabled = false;
	return twin;
}

static void
forget_twin(Relation twin)
{
	RelationCloseSmgr(twin);
	pfree(twin);
}

void
hz_am_copy_for_cluster(Relation old_table, Relation new_table, Relation old_index, bool use_sort,
					   TransactionId oldest_xmin, TransactionId *xid_cutoff,
					   MultiXactId *multi_cutoff, double *tuples, double *vacuumed,
					   double *recently_dead)
{
	Relation old_twin;
	Relation new_twin;
	bool sort = old_index != NULL && old_index->rd_rel->relam == BTREE_AM_OID;

	hz_bulk_flush(old_table);
	copy_column_store(old_table, new_table, oldest_xmin, *xid_cutoff, *multi_cutoff, tuples,
					  vacuumed, recently_dead);
	old_twin = heap_twin(old_table);
	new_twin = heap_twin(new_table);
	/* an index scan would meet columnar TIDs; sorting the delta gives the same order */
	GetHeapamTableAmRoutine()->relation_copy_for_cluster(
		old_twin, new_twin, sort ? old_index : NULL, sort, oldest_xmin, xid_cutoff, multi_cutoff,
		tuples, vacuumed, recently_dead);
	forget_twin(old_twin);
	forget_twin(new_twin);
	hz_groupcache_forget(RelationGetRelid(old_table));
}
