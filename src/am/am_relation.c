/*
 * am/am_relation.c
 *	  Storage of the whole relation: creation, truncation, sizes, TOAST.
 *
 * relation_size() is the delta plus the TOAST heap, except within a heap view, where heap code must see its
 * own blocks only. pg_relation_size() and its kin read files and do not come here.
 *
 * It ends with the delta's last segment file, however. ANALYZE draws its blocks from that many and has core's own code prefetch
 * them in the delta's files (analyze.c: acquire_sample_rows); beyond the end of a file that does nothing, but
 * where there is no file it is an error. So from 1 GB on a block of ANALYZE stands for more rows, and pg_class.relpages
 * says less than there is; the planner asks relation_estimate_size(), which knows.
 */
#include "postgres.h"

#include <math.h>

#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/heap.h"
#include "catalog/pg_am_d.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/smgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "am/columnar_am.h"
#include "base/compat.h"
#include "read/groupcache.h"
#include "read/zonecache.h"
#include "rollup/note.h"
#include "storage/dircache.h"
#include "storage/directory.h"
#include "storage/heapview.h"
#include "storage/markmemo.h"
#include "write/bulk.h"

/* Rollups of a table that is about to be empty. */
static void
note_truncate(Relation rel)
{
	List *watches = hz_rollup_watches(rel);
	ListCell *cell;

	foreach(cell, watches)
	{
		const HzRollupWatch *watch = lfirst(cell);
		Timestamp from;
		Timestamp to;

		hz_rollup_extent(RelationGetRelid(rel), InvalidOid, watch->attnum, &from, &to);
		hz_note_range(watch, from, to, GetCurrentCommandId(true));
	}
}

static void
relation_set_new_filelocator(Relation rel, const RelFileLocator *locator, char persistence,
							 TransactionId *freeze_xid, MultiXactId *min_multi)
{
	/* rows still buffered belong to the storage that is being replaced: a rollback brings it back */
	hz_bulk_flush(rel);
	note_truncate(rel);
	GetHeapamTableAmRoutine()->hz_compat_set_new_filelocator(rel, locator, persistence, freeze_xid,
															 min_multi);
}

/*
 * Core rebuilds the table's indexes before it truncates the TOAST relation: empty that one here, so
 * that no row group is found in between (PROTOCOLS 1.2). That core does it again is no harm.
 */
static void
relation_nontransactional_truncate(Relation rel)
{
	hz_bulk_flush(rel);
	note_truncate(rel);
	GetHeapamTableAmRoutine()->relation_nontransactional_truncate(rel);
	if (OidIsValid(rel->rd_rel->reltoastrelid))
	{
		Relation toast = table_open(rel->rd_rel->reltoastrelid, AccessExclusiveLock);

		heap_truncate_one_rel(toast);
		table_close(toast, NoLock);
	}
	hz_store_forget();
	hz_markmemo_forget();
	hz_dircache_forget(RelationGetRelid(rel));
	hz_groupcache_forget(RelationGetRelid(rel));
	hz_zonecache_forget(RelationGetRelid(rel));
}

static void
relation_copy_data(Relation rel, const RelFileLocator *locator)
{
	hz_bulk_flush(rel);
	GetHeapamTableAmRoutine()->relation_copy_data(rel, locator);
}

BlockNumber
hz_am_column_blocks(Relation rel)
{
	BlockNumber blocks;
	Relation toast;

	if (!OidIsValid(rel->rd_rel->reltoastrelid) || !IsTransactionState())
		return 0;
	toast = try_relation_open(rel->rd_rel->reltoastrelid, AccessShareLock);
	if (toast == NULL)
		return 0;
	blocks = RelationGetNumberOfBlocks(toast);
	relation_close(toast, AccessShareLock);
	return blocks;
}

static uint64
relation_size(Relation rel, ForkNumber fork)
{
	uint64 size = table_block_relation_size(rel, fork);

	if (fork == MAIN_FORKNUM && !hz_heapview_active(rel))
	{
		const uint64 segment = (uint64) RELSEG_SIZE * BLCKSZ;
		uint64 end = (Max(size, 1) + segment - 1) / segment * segment;

		size = Min(size + (uint64) hz_am_column_blocks(rel) * BLCKSZ, end);
	}
	return size;
}

static bool
relation_needs_toast_table(Relation rel)
{
	return true;
}

static Oid
relation_toast_am(Relation rel)
{
	return HEAP_TABLE_AM_OID;
}

/* Rows of the column store as its directory counts them, deletes since then not looked at. */
static double
columnar_rows(Relation rel)
{
	HzStore *store = hz_store_open(rel, AccessShareLock);
	/* in parallel mode no new snapshot may be taken */
	Snapshot snapshot = RegisterSnapshot(
		IsInParallelMode() && ActiveSnapshotSet() ? GetActiveSnapshot() : GetLatestSnapshot());
	uint32 count;
	HzGroup **groups = hz_directory_read(store, snapshot, &count);
	double rows = 0;

	for (uint32 i = 0; i < count; i++)
		rows += groups[i]->rows - groups[i]->born_deleted;
	UnregisterSnapshot(snapshot);
	hz_store_close(store);
	return rows;
}

/* The share of the delta's pages that rows take, as its free space map has it: VACUUM leaves empty pages behind. */
static double
delta_filling(Relation rel, BlockNumber blocks)
{
	const BlockNumber looks = Min(blocks, 100);
	double room = 0;

	if (looks == 0)
		return 0;
	for (BlockNumber i = 0; i < looks; i++)
		room += (double) GetRecordedFreeSpace(rel, (BlockNumber) ((uint64) blocks * i / looks));
	return Max(1.0 - room / looks / (BLCKSZ - SizeOfPageHeaderData), 0);
}

/* Rows of the delta of an analyzed table. */
static double
delta_rows(Relation rel, BlockNumber blocks, int32 *attr_widths)
{
	const int32 width =
		get_rel_data_width(rel, attr_widths) + MAXALIGN(SizeofHeapTupleHeader) + sizeof(ItemIdData);

	return rint(delta_filling(rel, blocks) * blocks * (BLCKSZ - SizeOfPageHeaderData) / width);
}

/*
 * Sizes for the planner. Once the table was vacuumed, analyzed or compacted, the density of rows in
 * pages that was found then is scaled; before that, and where relation_size() does not tell all, the directory says how many
 * rows there are.
 */
static void
relation_estimate_size(Relation rel, int32 *attr_widths, BlockNumber *pages, double *tuples,
					   double *all_visible)
{
	const bool analyzed = rel->rd_rel->reltuples > 0 && rel->rd_rel->relpages > 0;
	BlockNumber blocks;
	BlockNumber column_blocks;
	MemoryContext context;
	MemoryContext old;
	HzHeapView view;

	if (analyzed)
	{
		table_block_relation_estimate_size(rel, attr_widths, pages, tuples, all_visible,
										   MAXALIGN(SizeofHeapTupleHeader) + sizeof(ItemIdData),
										   BLCKSZ - SizeOfPageHeaderData);
		/* relation_size() has told all */
		if (*pages < RELSEG_SIZE)
			return;
	}
	blocks = (BlockNumber) (table_block_relation_size(rel, MAIN_FORKNUM) / BLCKSZ);
	column_blocks = hz_am_column_blocks(rel);
	if (analyzed)
	{
		*pages = blocks;
		*tuples = delta_rows(rel, blocks, attr_widths);
		*all_visible = 0;
	}
	else
	{
		hz_heapview_begin(&view, rel);
		table_block_relation_estimate_size(rel, attr_widths, pages, tuples, all_visible,
										   MAXALIGN(SizeofHeapTupleHeader) + sizeof(ItemIdData),
										   BLCKSZ - SizeOfPageHeaderData);
		hz_heapview_end(&view);
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "hanzo estimate", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	*pages += column_blocks;
	*tuples += columnar_rows(rel);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
hz_am_relation_callbacks(TableAmRoutine *routine)
{
	routine->hz_compat_set_new_filelocator = relation_set_new_filelocator;
	routine->relation_nontransactional_truncate = relation_nontransactional_truncate;
	routine->relation_copy_data = relation_copy_data;
	routine->relation_size = relation_size;
	routine->relation_needs_toast_table = relation_needs_toast_table;
	routine->relation_toast_am = relation_toast_am;
	routine->relation_fetch_toast_slice = heap_fetch_toast_slice;
	routine->relation_estimate_size = relation_estimate_size;
}
