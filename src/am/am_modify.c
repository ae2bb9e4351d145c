/*
 * am/am_modify.c
 *	  Inserting, updating, deleting and locking rows.
 *
 * New versions always go to the delta, which is a heap. Deleting, updating and locking a row of the column store
 * leaves marks (storage/mark.h), and where changes are decoded a record that decoding understands (am/replicate.h). A row
 * that compaction has moved under us is found through its forward.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "am/columnar_am.h"
#include "am/follow.h"
#include "am/replicate.h"
#include "base/compat.h"
#include "read/groupcache.h"
#include "rollup/note.h"
#include "storage/heapview.h"
#include "storage/inherit.h"
#include "storage/mark.h"
#include "storage/rowid.h"
#include "write/bulk.h"
#include "write/rowbuffer.h"

/*
 * Index entries follow this insert, and a unique check may look into the column store under an index
 * page's lock: open and lock the TOAST relation and its indexes before (PROTOCOLS 2.7).
 */
static void
prepare_index_inserts(Relation rel)
{
	if (rel->rd_rel->relhasindex)
		hz_store_close(hz_store_open(rel, RowExclusiveLock));
}

/* Whether rows given one by one may be buffered: a rewrite, CREATE TABLE AS or REFRESH is filling the table. */
static bool
is_bulk_insert(Relation rel, int options, BulkInsertState bistate)
{
	return bistate != NULL && (options & TABLE_INSERT_SKIP_FSM) != 0 &&
		   hz_compat_is_new_storage(rel) && hz_bulk_possible(rel);
}

/* The value of a column that is passed by value, of the columnar row at *tid; false: there is no such row any more. */
static bool
fetch_columnar_value(Relation rel, HzStore *store, ItemPointer tid, AttrNumber attnum, Datum *value,
					 bool *isnull)
{
	const uint64 number = hz_rowid_from_tid(tid);
	HzGroup *group = hz_directory_find(store, number, SnapshotAny);
	HzGroupCacheEntry *open;

	if (group == NULL)
		return false;
	open = hz_groupcache_get(store, group);
	PG_TRY();
	{
		*value = hz_groupread_datum(open->reader, RelationGetDescr(rel), attnum - 1,
									(uint32) (number - hz_group_first_row(group)), isnull);
	}
	PG_FINALLY();
	{
		hz_groupcache_release(open);
	}
	PG_END_TRY();
	return true;
}

/* The same of any row, whoever sees it. */
static bool
fetch_value(Relation rel, ItemPointer tid, AttrNumber attnum, Datum *value, bool *isnull)
{
	HeapTupleData tuple;
	Buffer buffer;
	HzStore *store;
	bool found;

	if (hz_rowid_is_columnar(tid))
	{
		store = hz_store_open(rel, RowExclusiveLock);
		found = store != NULL && fetch_columnar_value(rel, store, tid, attnum, value, isnull);
		hz_store_close(store);
		return found;
	}
	tuple.t_self = *tid;
	if (!heap_fetch(rel, SnapshotAny, &tuple, &buffer, false))
		return false;
	*value = heap_getattr(&tuple, attnum, RelationGetDescr(rel), isnull);
	ReleaseBuffer(buffer);
	return true;
}

/* Rollups are told of a row that goes or gets another version, and of the new version (rollup/note.h). */
static void
note_change(Relation rel, ItemPointer tid, TupleTableSlot *slot, CommandId cid)
{
	List *watches = hz_rollup_watches(rel);
	MemoryContext context;
	MemoryContext old;
	ListCell *cell;

	if (watches == NIL)
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "hanzo note", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	foreach(cell, watches)
	{
		const HzRollupWatch *watch = lfirst(cell);
		Datum value;
		bool isnull;

		if (hz_note_wanted(watch) && fetch_value(rel, tid, watch->attnum, &value, &isnull) &&
			!isnull)
			hz_note_old_time(watch, hz_rollup_time(watch->type, value), cid);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	if (slot != NULL)
		hz_note_rows(watches, &slot, 1, cid);
}

static void
note_insert(Relation rel, TupleTableSlot **slots, int count, CommandId cid)
{
	List *watches = hz_rollup_watches(rel);

	if (watches != NIL)
		hz_note_rows(watches, slots, count, cid);
}

static void
insert_into_delta(Relation rel, TupleTableSlot *slot, CommandId cid, int options,
				  BulkInsertState bistate)
{
	HzHeapView view;

	prepare_index_inserts(rel);
	hz_heapview_begin(&view, rel);
	GetHeapamTableAmRoutine()->tuple_insert(rel, slot, cid, options, bistate);
	hz_heapview_end(&view);
}

static void
tuple_insert(Relation rel, TupleTableSlot *slot, CommandId cid, int options,
			 BulkInsertState bistate)
{
	note_insert(rel, &slot, 1, cid);
	if (is_bulk_insert(rel, options, bistate) && !hz_bulk_is_huge(rel, slot))
	{
		hz_bulk_add(rel, slot, cid);
		slot->tts_tableOid = RelationGetRelid(rel);
		return;
	}
	insert_into_delta(rel, slot, cid, options, bistate);
}

static void
tuple_insert_speculative(Relation rel, TupleTableSlot *slot, CommandId cid, int options,
						 BulkInsertState bistate, uint32 token)
{
	HzHeapView view;

	note_insert(rel, &slot, 1, cid);
	prepare_index_inserts(rel);
	hz_heapview_begin(&view, rel);
	GetHeapamTableAmRoutine()->tuple_insert_speculative(rel, slot, cid, options, bistate, token);
	hz_heapview_end(&view);
}

static void
tuple_complete_speculative(Relation rel, TupleTableSlot *slot, uint32 token, bool succeeded)
{
	HzHeapView view;

	hz_heapview_begin(&view, rel);
	GetHeapamTableAmRoutine()->tuple_complete_speculative(rel, slot, token, succeeded);
	hz_heapview_end(&view);
}

/*
 * COPY into an empty table with indexes: its long values fill the TOAST relation before the first row group comes. META
 * never moves, and must not end up behind them: VACUUM could not give their space back.
 */
static void
put_meta_first(Relation rel)
{
	HzStore *store;

	if (!OidIsValid(rel->rd_rel->reltoastrelid) || IsInParallelMode() ||
		RelationGetTargetBlock(rel) != InvalidBlockNumber || RelationGetNumberOfBlocks(rel) > 0)
		return;
	store = hz_store_open(rel, RowExclusiveLock);
	hz_store_draw(store, 0);
	hz_store_close(store);
}

static void
multi_insert(Relation rel, TupleTableSlot **slots, int count, CommandId cid, int options,
			 BulkInsertState bistate)
{
	HzHeapView view;
	int head = count;

	note_insert(rel, slots, count, cid);
	if (hz_bulk_possible(rel))
		head = hz_compat_is_new_storage(rel) ? 0 : hz_bulk_head(rel, cid, count);
	else
	{
		put_meta_first(rel);
		prepare_index_inserts(rel);
	}
	if (head > 0)
	{
		hz_heapview_begin(&view, rel);
		heap_multi_insert(rel, slots, head, cid, options, bistate);
		hz_heapview_end(&view);
	}
	for (int i = head; i < count; i++)
	{
		if (hz_bulk_is_huge(rel, slots[i]))
			insert_into_delta(rel, slots[i], cid, options, bistate);
		else
			hz_bulk_add(rel, slots[i], cid);
		slots[i]->tts_tableOid = RelationGetRelid(rel);
	}
}

static void
finish_bulk_insert(Relation rel, int options)
{
	hz_bulk_flush(rel);
}

static TM_Result
act_on_columns(Relation rel, ItemPointer tid, HzMarkKind kind, LockTupleMode mode, CommandId cid,
			   Snapshot crosscheck, HzMarkWait wait, TM_FailureData *failure)
{
	/* the executor calls us in a context that lives as long as the statement */
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo act", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzStore *store = hz_store_open(rel, RowExclusiveLock);
	TM_Result result = TM_Deleted;

	if (store != NULL)
		result = hz_mark_act(store, tid, kind, mode, cid, crosscheck, wait, failure);
	/* after the mark, so that a reader who comes while we wait is not missed; locking a row is no write */
	if (kind != HZ_MARK_LOCKED && result == TM_Ok)
		CheckForSerializableConflictIn(rel, NULL, InvalidBlockNumber);
	hz_store_close(store);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

/* A delta row that seems deleted may have been moved: then it counts as updated, to its new place. */
static TM_Result
deleted_or_moved(Relation rel, ItemPointer tid, TM_Result result, TM_FailureData *failure)
{
	ItemPointerData where;
	TransactionId mover;

	if (result == TM_Deleted && hz_follow_moved(rel, tid, &where, &mover))
	{
		failure->ctid = where;
		failure->xmax = mover;
		return TM_Updated;
	}
	return result;
}

/* In memory of its own: the executor calls us in a context that lives as long as the statement. */
static void
replicate_delete(Relation rel, ItemPointer tid, bool changing_partition)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo replicate", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	hz_replicate_delete(rel, tid, changing_partition);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static TM_Result
tuple_delete(Relation rel, ItemPointer tid, CommandId cid, Snapshot snapshot, Snapshot crosscheck,
			 bool wait, TM_FailureData *failure, bool changing_partition)
{
	TM_Result result;
	HzHeapView view;

	hz_bulk_flush(rel);
	note_change(rel, tid, NULL, cid);
	if (!hz_rowid_is_columnar(tid))
	{
		hz_heapview_begin(&view, rel);
		result = heap_delete(rel, tid, cid, crosscheck, wait, failure, changing_partition);
		hz_heapview_end(&view);
		return deleted_or_moved(rel, tid, result, failure);
	}
	result = act_on_columns(rel, tid, changing_partition ? HZ_MARK_MOVED : HZ_MARK_DELETED,
							LockTupleExclusive, cid, crosscheck,
							wait ? HZ_MARK_WAIT_BLOCK : HZ_MARK_WAIT_NEVER, failure);
	if (result == TM_Ok)
	{
		if (RelationIsLogicallyLogged(rel))
			replicate_delete(rel, tid, changing_partition);
		pgstat_count_heap_delete(rel);
	}
	return result;
}

/* Whether the new version has the keys of the columnar row at *tid: then who refers to the row need not be waited for. */
static bool
keys_stay(Relation rel, HzStore *store, ItemPointer tid, TupleTableSlot *slot)
{
	Bitmapset *keys = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_KEY);
	uint64 number = hz_rowid_from_tid(tid);
	TupleDesc desc = RelationGetDescr(rel);
	HzGroup *group;
	HzGroupCacheEntry *open;
	bool same = true;
	int member = -1;

	if (bms_is_empty(keys))
		return true;
	group = hz_directory_find(store, number, SnapshotAny);
	if (group == NULL)
		return false;
	open = hz_groupcache_get(store, group);
	PG_TRY();
	{
		while (same && (member = bms_next_member(keys, member)) >= 0)
		{
			int attno = member + FirstLowInvalidHeapAttributeNumber - 1;
			bool isnull;
			Datum old = hz_groupread_datum(open->reader, desc, attno,
										   (uint32) (number - hz_group_first_row(group)), &isnull);

			slot_getsomeattrs(slot, attno + 1);
			same = isnull == slot->tts_isnull[attno] &&
				   (isnull || datum_image_eq(old, slot->tts_values[attno],
											 TupleDescAttr(desc, attno)->attbyval,
											 TupleDescAttr(desc, attno)->attlen));
		}
	}
	PG_FINALLY();
	{
		hz_groupcache_release(open);
	}
	PG_END_TRY();
	return same;
}

/* The new version of a columnar row goes to the delta between two marks (PROTOCOLS 2.3). */
static TM_Result
update_columnar(Relation rel, ItemPointer tid, TupleTableSlot *slot, CommandId cid,
				Snapshot snapshot, Snapshot crosscheck, bool wait, TM_FailureData *failure,
				LockTupleMode *mode)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo act", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	/* with it, the indexes that unique checks of the new version need (PROTOCOLS 2.7) */
	HzStore *store = hz_store_open(rel, RowExclusiveLock);
	TM_Result result = TM_Deleted;
	HzHeapView view;

	*mode = store != NULL && keys_stay(rel, store, tid, slot) ? LockTupleNoKeyExclusive
															  : LockTupleExclusive;
	if (store != NULL)
		result = hz_mark_act(store, tid, HZ_MARK_LOCKED, *mode, cid, crosscheck,
							 wait ? HZ_MARK_WAIT_BLOCK : HZ_MARK_WAIT_NEVER, failure);
	if (result == TM_Ok)
	{
		TransactionId *lockers;
		uint32 count;

		if (RelationIsLogicallyLogged(rel))
			hz_replicate_update(rel, tid, slot, cid, snapshot);
		else
		{
			MemoryContextSwitchTo(old);
			hz_heapview_begin(&view, rel);
			GetHeapamTableAmRoutine()->tuple_insert(rel, slot, cid, 0, NULL);
			hz_heapview_end(&view);
			MemoryContextSwitchTo(context);
		}
		count = hz_mark_updated(store, tid, &slot->tts_tid, *mode, cid, &lockers);
		if (count > 0)
			hz_inherit_key_share(rel, &slot->tts_tid, lockers, count);
		CheckForSerializableConflictIn(rel, NULL, InvalidBlockNumber);
		pgstat_count_heap_delete(rel);
	}
	hz_store_close(store);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

static TM_Result
tuple_update(Relation rel, ItemPointer otid, TupleTableSlot *slot, CommandId cid, Snapshot snapshot,
			 Snapshot crosscheck, bool wait, TM_FailureData *failure, LockTupleMode *lockmode,
			 HzCompatUpdateIndexes *update_indexes)
{
	TM_Result result;
	HzHeapView view;

	hz_bulk_flush(rel);
	note_change(rel, otid, slot, cid);
	if (hz_rowid_is_columnar(otid))
	{
		result =
			update_columnar(rel, otid, slot, cid, snapshot, crosscheck, wait, failure, lockmode);
		*update_indexes = result == TM_Ok ? HZ_COMPAT_UPDATE_ALL : HZ_COMPAT_UPDATE_NONE;
		return result;
	}
	prepare_index_inserts(rel);
	hz_heapview_begin(&view, rel);
	result = GetHeapamTableAmRoutine()->tuple_update(rel, otid, slot, cid, snapshot, crosscheck,
													 wait, failure, lockmode, update_indexes);
	hz_heapview_end(&view);
	return deleted_or_moved(rel, otid, result, failure);
}

static HzMarkWait
mark_wait(LockWaitPolicy policy)
{
	switch (policy)
	{
		case LockWaitSkip:
			return HZ_MARK_WAIT_SKIP;
		case LockWaitError:
			return HZ_MARK_WAIT_ERROR;
		case LockWaitBlock:
			break;
	}
	return HZ_MARK_WAIT_BLOCK;
}

/*
 * heap_lock_tuple() locks the versions that follow a row, too, and says of the row what is true of the last: that it was
 * deleted, where compaction has moved it. Then the row was updated; whoever wants the last version gets its new place.
 */
static TM_Result
deleted_or_updated(Relation rel, ItemPointer tid, uint8 flags, TM_FailureData *failure)
{
	ItemPointerData where;
	TransactionId mover;

	if (!hz_follow_successor_moved(rel, tid, &where, &mover))
		return TM_Deleted;
	if ((flags & TUPLE_LOCK_FLAG_FIND_LAST_VERSION) != 0)
	{
		failure->ctid = where;
		failure->xmax = mover;
	}
	return TM_Updated;
}

/* One step along the chain: locks the version at *tid, wherever it is. */
static TM_Result
lock_version(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot, CommandId cid,
			 LockTupleMode mode, LockWaitPolicy policy, uint8 flags, TM_FailureData *failure)
{
	TM_Result result;
	HzHeapView view;

	if (!hz_rowid_is_columnar(tid))
	{
		bool traversed = failure->traversed;

		hz_heapview_begin(&view, rel);
		result = GetHeapamTableAmRoutine()->tuple_lock(rel, tid, snapshot, slot, cid, mode, policy,
													   flags, failure);
		hz_heapview_end(&view);
		failure->traversed = failure->traversed || traversed;
		result = deleted_or_moved(rel, tid, result, failure);
		return result == TM_Deleted ? deleted_or_updated(rel, tid, flags, failure) : result;
	}
	result = act_on_columns(rel, tid, HZ_MARK_LOCKED, mode, cid, InvalidSnapshot, mark_wait(policy),
							failure);
	if (result == TM_Ok && !hz_follow_fetch(rel, tid, SnapshotAny, slot))
		elog(ERROR, "locked row (%u,%u) of table \"%s\" has vanished",
			 ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid),
			 RelationGetRelationName(rel));
	return result;
}

static TM_Result
tuple_lock(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot, CommandId cid,
		   LockTupleMode mode, LockWaitPolicy policy, uint8 flags, TM_FailureData *failure)
{
	bool follow = (flags & TUPLE_LOCK_FLAG_FIND_LAST_VERSION) != 0;
	bool moves_only = !follow && (flags & TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS) != 0;
	ItemPointerData at;

	hz_bulk_flush(rel);
	/* a copied slot of a columnar row has lost its TID, though not the tuple that knows it: logical apply locks such */
	if (!ItemPointerIsValid(tid) && TTS_IS_BUFFERTUPLE(slot) && !TTS_EMPTY(slot))
		*tid = ((BufferHeapTupleTableSlot *) slot)->base.tuple->t_self;
	at = *tid;
	failure->traversed = false;
	for (;;)
	{
		ItemPointerData before = at;
		bool was_columnar = hz_rowid_is_columnar(&at);
		TM_Result result =
			lock_version(rel, &at, snapshot, slot, cid, mode, policy, flags, failure);
		bool moved = result == TM_Updated && hz_rowid_is_columnar(&failure->ctid) &&
					 !ItemPointerEquals(&failure->ctid, &at);

		if (result != TM_Updated || !(follow || (moves_only && moved)))
		{
			if (follow)
				*tid = at;
			return result;
		}
		if (ItemPointerIndicatesMovedPartitions(&failure->ctid))
			ereport(
				ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg(
					 "tuple to be locked was already moved to another partition due to concurrent update")));
		if (ItemPointerEquals(&failure->ctid, was_columnar ? &before : &at))
			return result;
		at = failure->ctid;
		failure->traversed = follow;
	}
}

void
hz_am_modify_callbacks(TableAmRoutine *routine)
{
	routine->tuple_insert = tuple_insert;
	routine->tuple_insert_speculative = tuple_insert_speculative;
	routine->tuple_complete_speculative = tuple_complete_speculative;
	routine->multi_insert = multi_insert;
	routine->finish_bulk_insert = finish_bulk_insert;
	routine->tuple_delete = tuple_delete;
	routine->tuple_update = tuple_update;
	routine->tuple_lock = tuple_lock;
}
