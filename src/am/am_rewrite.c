/*
 * am/am_rewrite.c
 *	  CLUSTER and VACUUM FULL: the column store's tuples copied to the new TOAST relation, then the delta
 *	  by heap's own routine.
 *
 * Row groups keep their bytes, row numbers and chunk_ids; only the block ranges in their directory tuples
 * are renewed, and columns added later with a default are appended as constants. Tuples keep their visibility (core's rewrite module), so that older snapshots see afterwards what they
 * saw before. Columns come first, since heap rows may toast values into the same new relation, and
 * the rewrite module writes its pages past the buffer manager (PROTOCOLS 5).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
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
#include "read/zonecache.h"
#include "storage/dircache.h"
#include "storage/groupread.h"
#include "storage/rowid.h"
#include "write/bulk.h"
#include "write/seal.h"

typedef struct Copy
{
	HzStore *from;
	HzStore *to;
	RewriteState rewrite;
	TransactionId oldest_xmin;
	HzBlockRange ranges[HZ_DIRECTORY_RANGES];
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
	else if (copy->range_count < HZ_DIRECTORY_RANGES)
	{
		copy->ranges[copy->range_count].first = block;
		copy->ranges[copy->range_count++].count = 1;
	}
	else
		copy->scattered = true;
}

/*
 * Appends chunks of constants for the columns that the group lacks because they were added later with a
 * default: core forgets these defaults after a rewrite. `tail` holds the last page and grows.
 */
static void
materialise_missing(Copy *copy, HzGroup *group, HzBytes *tail)
{
	TupleDesc desc = RelationGetDescr(copy->from->table);
	HzColumnType *types = hz_coltype_for(desc);
	HzRowGroupMeta meta = {.rows = group->rows, .column_count = desc->natts};
	uint64 start = group->bytes - tail->length;
	HzBytes description = {0};

	meta.columns = palloc0(sizeof(HzChunkMeta) * desc->natts);
	memcpy(meta.columns, group->meta.columns, sizeof(HzChunkMeta) * group->meta.column_count);
	for (int i = group->meta.column_count; i < desc->natts; i++)
	{
		uint64 offset = start + tail->length;
		bool isnull;
		Datum value = getmissingattr(desc, i + 1, &isnull);

		if (types[i].kind == 0)
			continue;
		hz_seal_constant(&types[i], value, isnull, group->rows, tail, &meta.columns[i]);
		meta.columns[i].offset = offset;
	}
	hz_rowgroup_write(&meta, &description);
	group->description = description.data;
	group->description_length = (uint32) description.length;
	group->description_in_stream = hz_directory_needs_stream(description.length);
	if (group->description_in_stream)
		hz_bytes_append(tail, description.data, description.length);
	group->bytes = start + tail->length;
	group->pages = (uint32) ((group->bytes + HZ_STORE_PAGE - 1) / HZ_STORE_PAGE);
}

/* A tuple of the column store with other contents. */
static HeapTuple
form_store_tuple(Copy *copy, Oid chunk_id, int32 seq, const uint8_t *data, Size length)
{
	Datum values[3];
	bool isnull[3] = {false, false, false};
	bytea *payload = palloc(length + VARHDRSZ);

	SET_VARSIZE(payload, length + VARHDRSZ);
	memcpy(VARDATA(payload), data, length);
	values[0] = ObjectIdGetDatum(chunk_id);
	values[1] = Int32GetDatum(seq);
	values[2] = PointerGetDatum(payload);
	return heap_form_tuple(RelationGetDescr(copy->to->toast), values, isnull);
}

/* The group was sealed before a column with a default was added. */
static bool
lacks_columns(Copy *copy, HzGroup *group)
{
	TupleDesc desc = RelationGetDescr(copy->from->table);

	hz_groupread_describe(copy->from, group);
	for (int i = group->meta.column_count; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->atthasmissing)
			return true;
	}
	return false;
}

/*
 * Writes pages from `seq` on: what `tail` holds of the last one, and what the group lacks, in tuples as visible as
 * the original.
 */
static void
copy_grown_tail(Copy *copy, HzGroup *group, int32 seq, HzBytes *tail, HeapTuple original)
{
	materialise_missing(copy, group, tail);
	for (size_t done = 0; done < tail->length; done += HZ_STORE_PAGE)
	{
		HeapTuple page = form_store_tuple(copy, group->chunk_id, seq++, tail->data + done,
										  Min(tail->length - done, HZ_STORE_PAGE));
		ItemPointerData tid = copy_tuple(copy, original, page);

		note_block(copy, ItemPointerGetBlockNumber(&tid));
	}
}

/* Copies what belongs to a group: pages and marks; pages that it must get as visible as its directory tuple. */
static void
copy_group_tuples(Copy *copy, HzGroup *group, HeapTuple directory_tuple)
{
	HzStoreScan scan;
	bool grows = lacks_columns(copy, group);
	uint32 pages = group->pages;

	copy->range_count = 0;
	copy->scattered = false;
	if (grows && pages == 0)
		copy_grown_tail(copy, group, 0, &(HzBytes){0}, directory_tuple);
	hz_store_scan_begin(copy->from, &scan, group->chunk_id, PG_INT32_MIN, PG_INT32_MAX, SnapshotAny,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		HeapTuple original;
		HeapTuple replacement;
		ItemPointerData tid;

		CHECK_FOR_INTERRUPTS();
		/* forwards name TIDs of the delta, which get new ones; only old REPEATABLE READs could ask */
		if (tuple_state(copy, scan.tuple) == HEAPTUPLE_DEAD || scan.seq >= HZ_STORE_FORWARDS)
			continue;
		original = heap_copytuple(scan.tuple);
		if (grows && scan.seq >= 0 && (uint32) scan.seq + 1 == pages)
		{
			HzBytes tail = {0};

			hz_bytes_append(&tail, scan.data, scan.length);
			copy_grown_tail(copy, group, scan.seq, &tail, original);
			continue;
		}
		replacement = heap_copytuple(scan.tuple);
		tid = copy_tuple(copy, original, replacement);
		if (scan.seq >= 0)
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
	HeapTuple replacement;

	if (copy->scattered)
		copy->range_count = 0;
	group->ranges = copy->ranges;
	group->range_count = copy->range_count;
	hz_directory_write(group, &bytes);
	replacement =
		form_store_tuple(copy, HZ_STORE_DIRECTORY, (int32) group->number, bytes.data, bytes.length);
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

			copy_group_tuples(copy, group, original);
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

/* Copies all tuples of a reserved chunk_id, but those that are dead to all. */
static void
copy_plain(Copy *copy, Oid chunk_id)
{
	HzStoreScan scan;

	hz_store_scan_begin(copy->from, &scan, chunk_id, PG_INT32_MIN, PG_INT32_MAX, SnapshotAny,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		HeapTuple original;

		CHECK_FOR_INTERRUPTS();
		if (tuple_state(copy, scan.tuple) == HEAPTUPLE_DEAD)
			continue;
		original = heap_copytuple(scan.tuple);
		(void) copy_tuple(copy, original, heap_copytuple(scan.tuple));
	}
	hz_store_scan_end(&scan);
}

static void
copy_column_store(Relation old_table, Relation new_table, TransactionId oldest_xmin,
				  TransactionId xid_cutoff, MultiXactId multi_cutoff, double *tuples,
				  double *vacuumed, double *recently_dead)
{
	Copy copy = {.oldest_xmin = oldest_xmin};

	copy.from = hz_store_open(old_table, AccessExclusiveLock);
	copy.to = hz_store_open(new_table, AccessExclusiveLock);
	if (!hz_store_is_empty(copy.from) && copy.to != NULL)
	{
		copy.rewrite = begin_heap_rewrite(copy.from->toast, copy.to->toast, oldest_xmin, xid_cutoff,
										  multi_cutoff);
		copy_plain(&copy, HZ_STORE_META);
		copy_plain(&copy, HZ_STORE_GARBAGE);
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
	hz_dircache_forget(RelationGetRelid(old_table));
	hz_groupcache_forget(RelationGetRelid(old_table));
	hz_zonecache_forget(RelationGetRelid(old_table));
}
