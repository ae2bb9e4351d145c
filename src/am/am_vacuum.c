/*
 * am/am_vacuum.c
 *	  VACUUM of both stores.
 *
 * Heap's VACUUM cleans the delta and its index entries; core vacuums the TOAST relation by itself. What
 * is left to do: index entries of rows whose row group is gone, and the numbers in pg_class, which heap
 * takes from the delta alone (those of an index too: it counts its entries, then believes the heap's number if
 * that is smaller).
 *
 * An index entry of a columnar row goes when its row block lies below the counter of numbers (read first)
 * and no directory tuple covers it, not even a dead one: its pruning has already conflicted on standbys, while
 * btree's vacuum records carry no conflict (PROTOCOLS 3.5). VACUUM's ShareUpdateExclusiveLock keeps compaction out,
 * the only one that makes index entries before the directory tuple.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "commands/vacuum.h"
#include "access/multixact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "am/columnar_am.h"
#include "base/bitmap.h"
#include "base/compat.h"
#include "storage/deltacount.h"
#include "storage/directory.h"
#include "storage/heapview.h"
#include "storage/mark.h"
#include "storage/rowid.h"
#include "write/bulk.h"

typedef struct Extent
{
	uint32 first; /* row block */
	uint32 blocks;
} Extent;

/* Row blocks that some directory tuple covers, ascending. */
typedef struct Present
{
	Extent *extents;
	uint32 count;
	uint32 next_block;
	uint64 total; /* blocks covered */
} Present;

static void
read_present(HzStore *store, Present *present)
{
	HzStoreScan scan;
	uint32 room = 256;

	memset(present, 0, sizeof(*present));
	present->next_block = hz_store_next_block(store);
	present->extents = palloc(sizeof(Extent) * room);
	if (hz_store_is_empty(store))
		return;
	hz_store_scan_begin(store, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX, SnapshotAny,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		HzGroup *group = hz_directory_parse(store, scan.tuple);

		CHECK_FOR_INTERRUPTS();
		if (present->count == room)
			present->extents = repalloc_huge(present->extents, sizeof(Extent) * (room *= 2));
		present->extents[present->count].first = group->number;
		present->extents[present->count++].blocks = hz_rowid_blocks(group->rows);
		present->total += hz_rowid_blocks(group->rows);
	}
	hz_store_scan_end(&scan);
}

/* Whether an index entry points to a row of a group that is gone for ever. */
static bool
entry_is_dead(ItemPointer tid, void *state)
{
	Present *present = state;
	uint32 block;
	uint32 low = 0;
	uint32 high = present->count;

	if (!hz_rowid_is_columnar(tid))
		return false;
	block = (uint32) (hz_rowid_from_tid(tid) / HZ_ROWID_ROWS_PER_BLOCK);
	if (block >= present->next_block)
		return false;
	while (low < high)
	{
		uint32 middle = (low + high) / 2;

		if (present->extents[middle].first + present->extents[middle].blocks <= block)
			low = middle + 1;
		else
			high = middle;
	}
	return low == present->count || present->extents[low].first > block;
}

/* Removes dead entries from one index; the number of those left, or -1 if the access method did not count. */
static double
vacuum_index(Relation rel, Relation index, Present *present, BufferAccessStrategy strategy)
{
	IndexVacuumInfo info = {0};
	IndexBulkDeleteResult *stats;
	double entries = -1;

	info.index = index;
	hz_compat_vacuum_heaprel(info, rel);
	info.estimated_count = true;
	info.message_level = DEBUG2;
	info.num_heap_tuples = Max(rel->rd_rel->reltuples, 0);
	info.strategy = strategy;
	stats = index_bulk_delete(&info, NULL, entry_is_dead, present);
	stats = index_vacuum_cleanup(&info, stats);
	if (stats != NULL)
	{
		if (!stats->estimated_count)
			entries = stats->num_index_tuples;
		pfree(stats);
	}
	return entries;
}

/* Removes entries of groups that went since the last time, if any did; counts[i] is changed if index i was counted. */
static void
vacuum_columnar_entries(Relation rel, HzStore *store, BufferAccessStrategy strategy,
						Relation *indexes, int count, double *counts)
{
	Present present;
	uint32 gone;

	if (count == 0)
		return;
	read_present(store, &present);
	gone = (uint32) (present.next_block - present.total);
	if (gone == hz_store_meta(store).vacuumed_blocks)
		return;
	for (int i = 0; i < count; i++)
		counts[i] = vacuum_index(rel, indexes[i], &present, strategy);
	hz_store_set_vacuumed(store, gone);
}

/* Rows of the column store that a snapshot taken now sees. */
static double
columnar_rows(HzStore *store)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	uint32 count;
	HzGroup **groups = hz_directory_read(store, snapshot, &count);
	double rows = 0;

	for (uint32 i = 0; i < count; i++)
	{
		uint64 *deleted = palloc0(HZ_BITMAP_WORDS(groups[i]->rows) * sizeof(uint64));

		CHECK_FOR_INTERRUPTS();
		rows += groups[i]->rows - hz_mark_deleted_rows(store, groups[i], snapshot, deleted);
		pfree(deleted);
	}
	UnregisterSnapshot(snapshot);
	return rows;
}

/* What heap_vacuum_rel() has just written in place into pg_class: read past every cache. */
static void
read_relstats(Oid relid, double *tuples, BlockNumber *all_visible)
{
	Relation pg_class = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(pg_class, ClassOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "pg_class entry of relation %u has vanished", relid);
	*tuples = Max(((Form_pg_class) GETSTRUCT(tuple))->reltuples, 0);
	*all_visible = (BlockNumber) Max(((Form_pg_class) GETSTRUCT(tuple))->relallvisible, 0);
	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);
}

/* pg_class shall speak of both stores, as ANALYZE does. */
static void
write_table_stats(Relation rel, HzStore *store, double rows, BlockNumber all_visible)
{
	BlockNumber delta_pages = (BlockNumber) (table_block_relation_size(rel, MAIN_FORKNUM) / BLCKSZ);

	hz_compat_update_relstats(rel, RelationGetNumberOfBlocks(rel), rows,
							  Min(all_visible, delta_pages), rel->rd_rel->relhasindex);
}

/* Adds the column store to what heap has counted. Returns the rows of the table. */
static double
update_table_stats(Relation rel, HzStore *store)
{
	BlockNumber all_visible;
	double rows;

	read_relstats(RelationGetRelid(rel), &rows, &all_visible);
	rows += columnar_rows(store);
	write_table_stats(rel, store, rows, all_visible);
	return rows;
}

void
hz_am_update_stats(Relation rel)
{
	HzStore *store = hz_store_open(rel, AccessShareLock);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	double rows = (double) hz_deltacount(rel, snapshot, NULL);
	BlockNumber all_visible;

	UnregisterSnapshot(snapshot);
	visibilitymap_count(rel, &all_visible, NULL);
	if (store != NULL)
		write_table_stats(rel, store, rows + columnar_rows(store), all_visible);
	hz_store_close(store);
}

/* An index has an entry for every row; a partial one as many as were counted, or as before. */
static void
update_index_stats(Relation index, double counted, double before, double rows)
{
	double entries = rows;
	BlockNumber all_visible;

	if (RelationGetIndexPredicate(index) != NIL)
	{
		if (counted < 0)
		{
			read_relstats(RelationGetRelid(index), &counted, &all_visible);
			counted = Max(counted, before);
		}
		entries = Min(counted, rows);
	}
	hz_compat_update_relstats(index, RelationGetNumberOfBlocks(index), entries, 0, false);
}

/* What heap's VACUUM leaves to do for a table with row groups. before[i]: reltuples of index i before that. */
static void
finish_vacuum(Relation rel, HzStore *store, struct VacuumParams *params,
			  BufferAccessStrategy strategy, const double *before, int before_count)
{
	Relation *indexes;
	int count;
	double *counts;
	double rows;

	vac_open_indexes(rel, RowExclusiveLock, &count, &indexes);
	counts = palloc(sizeof(double) * Max(count, 1));
	for (int i = 0; i < count; i++)
		counts[i] = -1;
	if (params->index_cleanup != VACOPTVALUE_DISABLED)
		vacuum_columnar_entries(rel, store, strategy, indexes, count, counts);
	rows = update_table_stats(rel, store);
	for (int i = 0; i < count; i++)
		update_index_stats(indexes[i], counts[i], i < before_count ? before[i] : 0, rows);
	vac_close_indexes(count, indexes, NoLock);
}

/* reltuples of the indexes that VACUUM will open, in its order. */
static double *
index_tuples(Relation rel, int *count)
{
	Relation *indexes;
	double *tuples;

	vac_open_indexes(rel, RowExclusiveLock, count, &indexes);
	tuples = palloc(sizeof(double) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		tuples[i] = indexes[i]->rd_rel->reltuples;
	vac_close_indexes(*count, indexes, NoLock);
	return tuples;
}

static void
relation_vacuum(Relation rel, struct VacuumParams *params, BufferAccessStrategy strategy)
{
	HzHeapView view;
	HzStore *store;
	double *before;
	int before_count;

	hz_bulk_flush(rel);
	before = index_tuples(rel, &before_count);
	hz_heapview_begin(&view, rel);
	heap_vacuum_rel(rel, params, strategy);
	hz_heapview_end(&view);
	/*
	 * Until 15.8 an update in place invalidated caches at the end of the command only: then vac_update_relstats()
	 * would compare with what pg_class held before heap's VACUUM, and find nothing to do.
	 */
	CommandEndInvalidationMessages();
	store = hz_store_open(rel, RowExclusiveLock);
	if (!hz_store_is_empty(store))
		finish_vacuum(rel, store, params, strategy, before, before_count);
	hz_store_close(store);
}

void
hz_am_vacuum_callbacks(TableAmRoutine *routine)
{
	routine->relation_vacuum = relation_vacuum;
	routine->relation_copy_for_cluster = hz_am_copy_for_cluster;
}
