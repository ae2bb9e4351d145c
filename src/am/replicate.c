/*
 * am/replicate.c
 *	  Logging changes of columnar rows for logical decoding. See replicate.h.
 *
 * Marks mean nothing to whoever decodes the log. So the old row is copied into the delta, unnoticed by decoding
 * (HEAP_INSERT_NO_LOGICAL), and heap_update() or heap_delete() acts on the copy at once: their records carry the
 * replica identity, the new row, what became of toasted values. The mark says what the change is, the copy is a dead
 * tuple from the beginning, which VACUUM removes.
 *
 * Nobody ever sees the copy:
 *	- Another transaction finds xmin = xmax: both in progress, both committed or both aborted, subtransactions
 *	  included, since nothing happens between the two.
 *	- Our own transaction goes by command ids. heap_update() wants cmin < cmax, and a snapshot sees the tuple if
 *	  cmin < curcid <= cmax. With cmax = InvalidCommandId and cmin one less there is no such curcid: a transaction's
 *	  last command is InvalidCommandId - 1. Any pair near the command's own would show the copy to the statement itself
 *	  (c - 1, c) or to functions it calls and to what comes next (c, c + 1), and command 0 has no predecessor.
 *	- heap_update() stamps the new version with the same InvalidCommandId: it gets its own command id right after, as a
 *	  hint, since recovery does not keep command ids. Until then nobody looks: of others it is in progress, and we
 *	  run nothing else.
 *	- SnapshotSelf sees what we have deleted as deleted. SnapshotDirty shows another transaction's insert in
 *	  progress: whoever scans so (apply of FULL identities) waits for a transaction, which on the row itself it would
 *	  have done, too; unique checks come by an index, and the copy has no entries.
 *	- Index builds leave it out (am_build.c), ANALYZE counts a dead row, compaction reads with an MVCC snapshot.
 *
 * Long values of the copy may go to the TOAST relation, unlogged for decoding, too. Those that the update leaves alone are
 * taken over by the new version; the others are deleted with the copy, which takes a command id of its own (only
 * REPLICA IDENTITY FULL and long index columns come to that). What the statement itself sees is not touched.
 *
 * An update must not be HOT: the chain's root would be the copy, without index entries. heap_update() decides by the
 * columns of indexes that have changed. It gets a private copy of the relcache entry, a decoy, whose set of such columns
 * holds the whole row, which always counts as changed. The decoy also counts no statistics. Its ctid
 * chain, copy to new version, leads nobody astray: nobody comes by the copy.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"

#include "am/follow.h"
#include "am/replicate.h"
#include "base/compat.h"
#include "storage/heapview.h"

#define NEVER InvalidCommandId
#define WHOLE_ROW (0 - FirstLowInvalidHeapAttributeNumber)

/* Static, because the storage manager may go on pointing to its rd_smgr after an error. */
static RelationData decoy;
static StdRdOptions decoy_options;

/*
 * The decoy is for one call into heap code, which runs no user code. Whatever a rebuild of the relcache entry in
 * the middle may free is copied.
 */
static Relation
decoy_begin(Relation rel)
{
	Bitmapset *identity = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_IDENTITY_KEY);

	RelationCloseSmgr(&decoy);
	memcpy(&decoy, rel, sizeof(decoy));
	decoy.rd_smgr = NULL;
	decoy.pgstat_info = NULL;
	decoy.pgstat_enabled = false;
	decoy.rd_keyattr = NULL;
	decoy.rd_pkattr = NULL;
	decoy.rd_idattr = identity;
	hz_compat_block_hot(&decoy, bms_make_singleton(WHOLE_ROW));
	if (rel->rd_options != NULL)
	{
		memcpy(&decoy_options, rel->rd_options, sizeof(decoy_options));
		/* decoding cannot make anything of the copy's command ids (xl_heap_new_cid) */
		decoy_options.user_catalog_table = false;
		decoy.rd_options = (bytea *) &decoy_options;
	}
	return &decoy;
}

static void
decoy_end(Relation rel)
{
	hz_compat_give_back_smgr(&decoy, rel);
}

/* The columnar row at `tid`, which is ours: in a slot that the caller drops. */
static TupleTableSlot *
fetch_old_row(Relation rel, ItemPointer tid)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsBufferHeapTuple);

	if (!hz_follow_fetch(rel, tid, SnapshotAny, slot))
		elog(ERROR, "changed row (%u,%u) of table \"%s\" has vanished",
			 ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid),
			 RelationGetRelationName(rel));
	slot_getallattrs(slot);
	return slot;
}

/* The column, or the whole row, is used by some index. */
static bool
is_indexed(Bitmapset *indexed, int attno)
{
	return bms_is_member(attno + 1 - FirstLowInvalidHeapAttributeNumber, indexed) ||
		   bms_is_member(WHOLE_ROW, indexed);
}

/* Two values of variable length, neither compressed nor out of line, hold the same bytes. */
static bool
same_bytes(Datum a, Datum b)
{
	struct varlena *left = (struct varlena *) DatumGetPointer(a);
	struct varlena *right = (struct varlena *) DatumGetPointer(b);

	if (VARATT_IS_EXTERNAL(left) || VARATT_IS_EXTERNAL(right) || VARATT_IS_COMPRESSED(left) ||
		VARATT_IS_COMPRESSED(right))
		return false;
	return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		   memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) == 0;
}

/* The update leaves this value of variable length as it is. */
static bool
is_unchanged(TupleTableSlot *old, TupleTableSlot *new, int attno)
{
	return TupleDescAttr(old->tts_tupleDescriptor, attno)->attlen == -1 &&
		   !old->tts_isnull[attno] && !new->tts_isnull[attno] &&
		   same_bytes(old->tts_values[attno], new->tts_values[attno]);
}

/*
 * What heap code needs of the old row: all of it for REPLICA IDENTITY FULL. Otherwise the columns of indexes, one
 * of which may be the identity (and the expressions of which CLUSTER computes for dead rows, too), and for an UPDATE
 * of a row so long that values are toasted those that the new version can take over; `new` is NULL for a DELETE.
 */
static HeapTuple
form_copy(Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	TupleDesc desc = RelationGetDescr(rel);
	HeapTuple whole = ExecCopySlotHeapTuple(old);
	Bitmapset *indexed;
	bool *isnull;

	if (rel->rd_rel->relreplident == REPLICA_IDENTITY_FULL ||
		(new != NULL && whole->t_len <= TOAST_TUPLE_THRESHOLD))
		return whole;
	indexed = RelationGetIndexAttrBitmap(rel, HZ_COMPAT_INDEXED_COLUMNS);
	isnull = palloc(sizeof(bool) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
		isnull[i] = old->tts_isnull[i] ||
					!(is_indexed(indexed, i) || (new != NULL &&is_unchanged(old, new, i)));
	return heap_form_tuple(desc, old->tts_values, isnull);
}

static void
insert_copy(Relation rel, HeapTuple copy)
{
	HzHeapView view;

	hz_heapview_begin(&view, rel);
	heap_insert(decoy_begin(rel), copy, NEVER - 1, HEAP_INSERT_NO_LOGICAL, NULL);
	hz_heapview_end(&view);
	decoy_end(rel);
}

void
hz_replicate_delete(Relation rel, ItemPointer tid, bool changing_partition)
{
	TupleTableSlot *old = fetch_old_row(rel, tid);
	HeapTuple copy = form_copy(rel, old, NULL);
	TM_FailureData failure;
	TM_Result result;
	HzHeapView view;

	insert_copy(rel, copy);
	if (copy->t_len > TOAST_TUPLE_THRESHOLD)
		CommandCounterIncrement(); /* it may have toasted values, which can then be deleted */
	hz_heapview_begin(&view, rel);
	result = heap_delete(decoy_begin(rel), &copy->t_self, NEVER, InvalidSnapshot, true, &failure,
						 changing_partition);
	hz_heapview_end(&view);
	decoy_end(rel);
	if (result != TM_Ok)
		elog(ERROR, "could not delete the copy of a columnar row: %d", (int) result);
	ExecDropSingleTupleTableSlot(old);
}

/*
 * Long values that the update leaves as they are become those of the copy, compressed or in the TOAST relation: as in a
 * heap the new version takes them over, they are not stored twice, and are logged as unchanged. True: the
 * copy has values in the TOAST relation that are not taken over.
 */
static bool
take_over_values(Relation rel, ItemPointer copy_tid, TupleTableSlot *old, TupleTableSlot *new)
{
	TupleDesc desc = RelationGetDescr(rel);
	Datum *stored = palloc(sizeof(Datum) * desc->natts);
	Datum *values = palloc(sizeof(Datum) * desc->natts);
	bool *isnull = palloc(sizeof(bool) * desc->natts);
	HeapTupleData tuple = {.t_self = *copy_tid};
	bool any = false;
	bool left = false;
	Buffer buffer;

	if (!heap_fetch(rel, SnapshotAny, &tuple, &buffer, false))
		elog(ERROR, "the copy of a columnar row has vanished");
	heap_deform_tuple(&tuple, desc, stored, isnull);
	memcpy(values, new->tts_values, sizeof(Datum) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		bool external;

		if (isnull[i] || TupleDescAttr(desc, i)->attlen != -1)
			continue;
		external = VARATT_IS_EXTERNAL(DatumGetPointer(stored[i]));
		if (!external && !VARATT_IS_COMPRESSED(DatumGetPointer(stored[i])))
			continue;
		if (is_unchanged(old, new, i))
		{
			values[i] = stored[i];
			any = true;
		}
		else
			left |= external;
	}
	if (any)
	{
		ExecForceStoreHeapTuple(heap_form_tuple(desc, values, new->tts_isnull), new, false);
		ExecMaterializeSlot(new);
	}
	ReleaseBuffer(buffer);
	return left;
}

/* The new version gets the command id of the command, not only in the slot. */
static void
set_command_id(Relation rel, TupleTableSlot *new, CommandId cid)
{
	Buffer buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(&new->tts_tid));
	Page page = BufferGetPage(buffer);
	HeapTupleHeader header;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	header = (HeapTupleHeader) PageGetItem(
		page, PageGetItemId(page, ItemPointerGetOffsetNumber(&new->tts_tid)));
	Assert(HeapTupleHeaderGetRawCommandId(header) == NEVER);
	Assert((header->t_infomask & HEAP_COMBOCID) == 0);
	HeapTupleHeaderSetCmin(header, cid);
	MarkBufferDirtyHint(buffer, true);
	UnlockReleaseBuffer(buffer);
	if (TTS_IS_HEAPTUPLE(new) || TTS_IS_BUFFERTUPLE(new))
		HeapTupleHeaderSetCmin(((HeapTupleTableSlot *) new)->tuple->t_data, cid);
}

void
hz_replicate_update(Relation rel, ItemPointer tid, TupleTableSlot *new, CommandId cid,
					Snapshot snapshot)
{
	TupleTableSlot *old = fetch_old_row(rel, tid);
	HeapTuple copy;
	TM_FailureData failure;
	LockTupleMode mode;
	HzCompatUpdateIndexes update_indexes;
	TM_Result result;
	HzHeapView view;

	slot_getallattrs(new);
	copy = form_copy(rel, old, new);
	insert_copy(rel, copy);
	if (copy->t_len > TOAST_TUPLE_THRESHOLD && take_over_values(rel, &copy->t_self, old, new))
		CommandCounterIncrement(); /* what has been written to the TOAST relation can then be deleted */
	hz_heapview_begin(&view, rel);
	result = GetHeapamTableAmRoutine()->tuple_update(decoy_begin(rel), &copy->t_self, new, NEVER,
													 snapshot, InvalidSnapshot, true, &failure,
													 &mode, &update_indexes);
	hz_heapview_end(&view);
	decoy_end(rel);
	if (result != TM_Ok || update_indexes != HZ_COMPAT_UPDATE_ALL)
		elog(ERROR, "could not update the copy of a columnar row: %d", (int) result);
	set_command_id(rel, new, cid);
	pgstat_count_heap_insert(rel, 1);
	ExecDropSingleTupleTableSlot(old);
}

bool
hz_replicate_is_copy(HeapTupleHeader header)
{
	TransactionId xmin = HeapTupleHeaderGetRawXmin(header);

	if ((header->t_infomask & (HEAP_XMAX_INVALID | HEAP_XMAX_IS_MULTI)) != 0 ||
		HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) ||
		!TransactionIdEquals(xmin, HeapTupleHeaderGetRawXmax(header)))
		return false;
	/* a cursor of our own may see what one of our commands inserted and a later one deleted */
	return !TransactionIdIsCurrentTransactionId(xmin) ||
		   HeapTupleHeaderGetCmin(header) == NEVER - 1;
}
