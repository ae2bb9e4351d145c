/*
 * write/mover.c
 *	  The steps of a move. See mover.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/bitmap.h"
#include "storage/forward.h"
#include "storage/heapview.h"
#include "storage/mark.h"
#include "storage/rowid.h"
#include "write/mover.h"
#include "write/seal.h"
#include "write/silent.h"

/* Opens the indexes that new rows must go into; false when one of them forbids moving. */
static bool
open_indexes(HzMover *mover)
{
	List *oids = RelationGetIndexList(mover->rel);
	ListCell *cell;
	bool movable = true;

	foreach(cell, oids)
	{
		Relation index = index_open(lfirst_oid(cell), RowExclusiveLock);

		if (!index->rd_index->indisready)
		{
			index_close(index, NoLock);
			continue;
		}
		if (index->rd_index->indisexclusion)
			movable = false;
		mover->indexes = lappend(mover->indexes, index);
		mover->index_infos = lappend(mover->index_infos, BuildIndexInfo(index));
	}
	list_free(oids);
	return movable;
}

bool
hz_mover_begin(HzMover *mover, Relation rel)
{
	memset(mover, 0, sizeof(*mover));
	mover->rel = rel;
	mover->context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo mover", ALLOCSET_DEFAULT_SIZES);
	mover->store = hz_store_open(rel, RowExclusiveLock);
	if (!open_indexes(mover) || mover->store == NULL)
	{
		ereport(NOTICE,
				(errmsg("table \"%s\" is not compacted: it has %s", RelationGetRelationName(rel),
						mover->store == NULL ? "no TOAST relation" : "an exclusion constraint"),
				 mover->store == NULL
					 ? errhint("ALTER TABLE ... SET ACCESS METHOD hanzo_columnar makes it.")
					 : 0));
		hz_mover_end(mover);
		return false;
	}
	/* after the lock; an older snapshot of the transaction must not see rows appear */
	mover->snapshot = RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot()
																   : GetLatestSnapshot());
	PushActiveSnapshot(mover->snapshot);
	mover->options = hz_options_read(rel);
	mover->cid = GetCurrentCommandId(true);
	hz_store_pace_begin(mover->store);
	mover->estate = CreateExecutorState();
	mover->slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
	return true;
}

void
hz_mover_end(HzMover *mover)
{
	ListCell *cell;

	if (mover->slot != NULL)
		ExecDropSingleTupleTableSlot(mover->slot);
	if (mover->estate != NULL)
		FreeExecutorState(mover->estate);
	foreach(cell, mover->indexes)
		index_close(lfirst(cell), NoLock);
	hz_store_close(mover->store);
	if (mover->snapshot != NULL)
	{
		PopActiveSnapshot();
		UnregisterSnapshot(mover->snapshot);
	}
	MemoryContextDelete(mover->context);
}

uint32
hz_mover_live_rows(HzMover *mover, HzGroup *group)
{
	uint64 *deleted = palloc0(HZ_BITMAP_WORDS(group->rows) * sizeof(uint64));
	uint32 live = group->rows - hz_mark_deleted_rows(mover->store, group, mover->snapshot, deleted);

	pfree(deleted);
	return live;
}

static void
insert_index_entries(HzMover *mover, HzRowBuffer *buffer, const HzGroup *group,
					 const uint32 *permutation)
{
	ExprContext *econtext = GetPerTupleExprContext(mover->estate);

	if (mover->indexes == NIL)
		return;
	for (uint32 i = 0; i < group->rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(mover->estate));
		ItemPointerData tid;
		ListCell *index_cell;
		ListCell *info_cell;

		CHECK_FOR_INTERRUPTS();
		ExecStoreMinimalTuple(hz_rowbuffer_tuple(buffer, permutation[i]), mover->slot, false);
		econtext->ecxt_scantuple = mover->slot;
		hz_rowid_to_tid(hz_group_first_row(group) + i, &tid);
		forboth(index_cell, mover->indexes, info_cell, mover->index_infos)
		{
			IndexInfo *info = lfirst(info_cell);
			Datum values[INDEX_MAX_KEYS];
			bool isnull[INDEX_MAX_KEYS];

			if (info->ii_Predicate != NIL)
			{
				if (info->ii_PredicateState == NULL)
					info->ii_PredicateState = ExecPrepareQual(info->ii_Predicate, mover->estate);
				if (!ExecQual(info->ii_PredicateState, econtext))
					continue;
			}
			FormIndexDatum(info, mover->slot, mover->estate, values, isnull);
			/* a unique check could wait for a transaction that waits for us; the row is unique already */
			index_insert(lfirst(index_cell), values, isnull, &tid, mover->rel, UNIQUE_CHECK_NO,
						 false, info);
		}
		MemoryContextSwitchTo(old);
		ResetPerTupleExprContext(mover->estate);
		hz_store_pace(mover->store);
	}
}

/* In the order in which the rows came, which mostly is that of their old places. */
static void
write_forwards(HzMover *mover, const HzMoved *moved, const uint32 *permutation)
{
	uint32 rows = moved->group->rows;
	HzForward *forwards = palloc_extended(sizeof(HzForward) * rows, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < rows; i++)
	{
		forwards[permutation[i]].old = moved->old[i];
		forwards[permutation[i]].position = i;
	}
	hz_forward_write(mover->store, moved->group, forwards, rows, mover->cid);
	pfree(forwards);
}

HzMoved *
hz_mover_write(HzMover *mover, HzRowBuffer *buffer, const ItemPointerData *old,
			   const HzOptions *options)
{
	MemoryContext caller = MemoryContextSwitchTo(mover->context);
	uint32 rows = hz_rowbuffer_rows(buffer);
	uint32 *permutation = palloc(sizeof(uint32) * rows);
	HzMoved *moved = palloc0(sizeof(HzMoved));

	moved->group = hz_seal(mover->store, buffer, options, mover->cid, permutation);
	moved->old = palloc(sizeof(ItemPointerData) * rows);
	for (uint32 i = 0; i < rows; i++)
		moved->old[i] = old[permutation[i]];
	moved->deleted = palloc0(HZ_BITMAP_WORDS(rows) * sizeof(uint64));
	write_forwards(mover, moved, permutation);
	insert_index_entries(mover, buffer, moved->group, permutation);
	/* now, while nobody waits, rather than at commit, for which writers wait */
	hz_store_pace_flush(mover->store);
	pfree(permutation);
	MemoryContextSwitchTo(caller);
	return moved;
}

static void
delete_at_birth(HzMoved *moved, uint32 position)
{
	if (hz_bitmap_get(moved->deleted, position))
		return;
	hz_bitmap_set(moved->deleted, position);
	moved->deleted_count++;
}

/* By pages: writers wait for the rows taken so far, hence quickly; and logical decoding must not learn of a move. */
static void
take_by_pages(HzMover *mover, HzMoved *moved)
{
	uint32 rows = moved->group->rows;
	uint64 *left = palloc0(HZ_BITMAP_WORDS(rows) * sizeof(uint64));

	hz_silent_delete(mover->rel, mover->store, moved->old, rows, mover->cid, left);
	for (uint32 i = 0; i < rows; i++)
	{
		if (hz_bitmap_get(left, i))
			delete_at_birth(moved, i);
	}
	pfree(left);
}

/* Row by row, where nothing is logged. */
static void
take_by_rows(HzMover *mover, HzMoved *moved)
{
	for (uint32 i = 0; i < moved->group->rows; i++)
	{
		TM_FailureData failure;

		CHECK_FOR_INTERRUPTS();
		if (heap_delete(mover->rel, &moved->old[i], mover->cid, InvalidSnapshot, false, &failure,
						false) != TM_Ok)
			delete_at_birth(moved, i);
	}
}

uint32
hz_mover_take_delta(HzMover *mover, HzMoved *moved)
{
	HzHeapView view;

	hz_heapview_begin(&view, mover->rel);
	if (RelationNeedsWAL(mover->rel))
		take_by_pages(mover, moved);
	else
		take_by_rows(mover, moved);
	hz_heapview_end(&view);
	/*
	 * A serializable reader may have locked pages of the delta only, as an index-only scan does; whoever
	 * deletes a moved row looks for locks on the whole table.
	 */
	TransferPredicateLocksToHeapRelation(mover->rel);
	/* what was counted as deleted is still there */
	pgstat_count_heap_insert(mover->rel, moved->group->rows - moved->deleted_count);
	return moved->group->rows - moved->deleted_count;
}

bool
hz_mover_take_group(HzMover *mover, HzGroup *group, HzMoved **moved, uint32 count)
{
	bool taken;
	uint64 first = hz_group_first_row(group);

	hz_store_lock_group(mover->store, group->number);
	taken = !hz_mark_group_busy(mover->store, group, mover->snapshot);
	if (taken)
		hz_directory_delete(mover->store, group, mover->cid);
	hz_store_unlock_group(mover->store, group->number);
	for (uint32 m = 0; !taken && m < count; m++)
	{
		for (uint32 i = 0; i < moved[m]->group->rows; i++)
		{
			if (hz_rowid_is_columnar(&moved[m]->old[i]) &&
				hz_rowid_from_tid(&moved[m]->old[i]) - first < group->rows)
				delete_at_birth(moved[m], i);
		}
	}
	return taken;
}

void
hz_mover_publish(HzMover *mover, HzMoved *moved)
{
	if (moved->deleted_count > 0)
		hz_mark_write_vector(mover->store, moved->group, moved->deleted, mover->cid);
	moved->group->born_deleted = moved->deleted_count;
	hz_directory_insert(mover->store, moved->group, mover->cid);
}
