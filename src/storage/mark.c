/*
 * storage/mark.c
 *	  Acting on columnar rows through marks, and reading them. See mark.h.
 *
 * Order of locks in hz_mark_act(): the row's heavyweight tuple lock (only by those who wait, as
 * README.tuplock's queue), then the group's short lock, then buffer locks. The group's lock is
 * released before any wait for a transaction.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"

#include "base/bitmap.h"
#include "base/bytes.h"
#include "storage/forward.h"
#include "storage/mark.h"
#include "storage/markmemo.h"
#include "storage/rowid.h"

#define MARK_SIZE 12
#define VECTOR_SEQ(piece) (-1 - (int32) ((uint32) HZ_MARK_VECTOR_POSITION << 14 | (piece)))

/* What the state of a tuple's xmin says. */
typedef enum XidState
{
	XID_ABORTED,
	XID_COMMITTED,
	XID_RUNNING, /* another transaction's */
	XID_OURS
} XidState;

typedef struct Mark
{
	HzMarkKind kind;
	LockTupleMode mode;
	ItemPointerData successor;
	TransactionId xmin;
	XidState state;
	CommandId cmin; /* XID_OURS only */
} Mark;

/* What an actor finds on its row. */
typedef struct RowState
{
	TM_Result result;       /* TM_Ok: nothing is in the way */
	TransactionId wait_for; /* valid: wait for this transaction, then look again */
	bool have_lock;         /* our own lock marks suffice */
	bool own_lock;          /* we hold some lock on the row */
	bool held;              /* we hold one that no change of the row goes along with */
	uint32 free_slot;
	/* others that hold a lock which goes along with our update: palloc'd */
	TransactionId *lockers;
	uint32 locker_count;
} RowState;

static const bool lock_conflicts[4][4] = {
	/* LockTupleKeyShare */ {false, false, false, true},
	/* LockTupleShare */ {false, false, true, true},
	/* LockTupleNoKeyExclusive */ {false, true, true, true},
	/* LockTupleExclusive */ {true, true, true, true}};

static int32
mark_seq(uint32 position, uint32 slot)
{
	return -1 - (int32) (position << 14 | slot);
}

static XidState
xid_state(TransactionId xid, bool known_committed)
{
	if (known_committed)
		return XID_COMMITTED;
	if (!TransactionIdIsNormal(xid))
		return xid == InvalidTransactionId ? XID_ABORTED : XID_COMMITTED;
	if (TransactionIdIsCurrentTransactionId(xid))
		return XID_OURS;
	if (TransactionIdIsInProgress(xid))
		return XID_RUNNING;
	return TransactionIdDidCommit(xid) ? XID_COMMITTED : XID_ABORTED;
}

static XidState
xmin_state(HeapTupleHeader header)
{
	if (!HeapTupleHeaderXminFrozen(header) && HeapTupleHeaderXminInvalid(header))
		return XID_ABORTED;
	/* XMIN_COMMITTED may be set by others while we look: it only ever tells the truth */
	return xid_state(HeapTupleHeaderGetRawXmin(header), HeapTupleHeaderXminCommitted(header));
}

static void
report_bad_mark(HzStore *store, HzGroup *group, HzStoreScan *scan)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("damaged delete mark or vector of row group %u in table \"%s\"",
						   group->number, RelationGetRelationName(store->table)),
					errdetail("Block %u of TOAST relation \"%s\".",
							  ItemPointerGetBlockNumber(&scan->tuple->t_self),
							  RelationGetRelationName(store->toast))));
}

/* The checksum of a mark's payload, whatever stands in its own place. */
static uint32
mark_checksum(const HzGroup *group, int32 seq, const uint8_t *payload)
{
	uint8_t bare[MARK_SIZE];

	memcpy(bare, payload, MARK_SIZE);
	hz_store16(bare + 2, 0);
	hz_store16(bare + 10, 0);
	return hz_store_checksum(group->chunk_id, seq, bare, MARK_SIZE);
}

static void
check_mark(HzStore *store, HzGroup *group, HzStoreScan *scan)
{
	if (scan->length != MARK_SIZE || scan->data[0] < HZ_MARK_DELETED ||
		scan->data[0] > HZ_MARK_LOCKED || scan->data[1] > LockTupleExclusive ||
		mark_checksum(group, scan->seq, scan->data) !=
			((uint32) hz_load16(scan->data + 10) << 16 | hz_load16(scan->data + 2)))
		report_bad_mark(store, group, scan);
}

static void
read_mark(HzStore *store, HzGroup *group, HzStoreScan *scan, Mark *mark)
{
	check_mark(store, group, scan);
	mark->kind = scan->data[0];
	mark->mode = scan->data[1];
	ItemPointerSet(&mark->successor, hz_load32(scan->data + 4), hz_load16(scan->data + 8));
	mark->xmin = HeapTupleHeaderGetRawXmin(scan->tuple->t_data);
	mark->state = xmin_state(scan->tuple->t_data);
	mark->cmin = mark->state == XID_OURS ? HeapTupleHeaderGetCmin(scan->tuple->t_data) : 0;
}

static bool
is_vector_seq(int32 seq)
{
	return seq <= mark_seq(HZ_MARK_VECTOR_POSITION, 0);
}

/* First row and number of rows of a piece of the delete vector, which is checked. */
static void
check_piece(HzStore *store, HzGroup *group, HzStoreScan *scan, uint32 *first, uint32 *rows)
{
	uint32 piece = ((uint32) (-1 - scan->seq)) & (HZ_MARK_SLOTS - 1);
	Size bytes;

	*first = piece * HZ_MARK_PIECE_ROWS;
	if (piece >= HZ_CHUNK_MAX_ROWS / HZ_MARK_PIECE_ROWS + 1 || *first >= group->rows)
		report_bad_mark(store, group, scan);
	*rows = Min(group->rows - *first, HZ_MARK_PIECE_ROWS);
	bytes = HZ_BITMAP_WORDS(*rows) * sizeof(uint64);
	if (scan->length != bytes + sizeof(uint32) ||
		hz_load32(scan->data + bytes) !=
			hz_store_checksum(group->chunk_id, scan->seq, scan->data, bytes))
		report_bad_mark(store, group, scan);
}

/* Adds a piece of the delete vector to the bitmap; bits beyond the last row are ignored. */
static void
add_piece(HzStore *store, HzGroup *group, HzStoreScan *scan, uint64 *deleted)
{
	uint32 first;
	uint32 rows;

	check_piece(store, group, scan, &first, &rows);
	for (uint32 w = 0; w < HZ_BITMAP_WORDS(rows); w++)
	{
		uint64 word = hz_load64(scan->data + w * 8);

		if (w == rows / 64)
			word &= (UINT64CONST(1) << (rows % 64)) - 1;
		deleted[first / 64 + w] |= word;
	}
}

/* META has said that there are no marks, after the statement's MVCC snapshot was taken. */
static bool
has_no_marks(HzStore *store, HzGroup *group, Snapshot snapshot)
{
	return store->unmarked && group->born_deleted == 0 && snapshot->snapshot_type == SNAPSHOT_MVCC;
}

uint32
hz_mark_deleted_rows(HzStore *store, HzGroup *group, Snapshot snapshot, uint64 *deleted)
{
	HzStoreScan scan;

	if (has_no_marks(store, group, snapshot))
		return 0;
	hz_store_scan_begin(store, &scan, group->chunk_id, PG_INT32_MIN, -1, snapshot,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		uint32 position = ((uint32) (-1 - scan.seq)) >> 14;

		if (is_vector_seq(scan.seq))
		{
			add_piece(store, group, &scan, deleted);
			continue;
		}
		check_mark(store, group, &scan);
		if (position >= group->rows)
			report_bad_mark(store, group, &scan);
		if (scan.data[0] != HZ_MARK_LOCKED)
			hz_bitmap_set(deleted, position);
	}
	hz_store_scan_end(&scan);
	return (uint32) hz_bitmap_count(deleted, group->rows);
}

/* Committed before every snapshot that may still be used. */
static bool
is_older(const Mark *mark, HeapTuple tuple, TransactionId horizon)
{
	return mark->state == XID_COMMITTED &&
		   (HeapTupleHeaderXminFrozen(tuple->t_data) || TransactionIdPrecedes(mark->xmin, horizon));
}

void
hz_mark_dead_rows(HzStore *store, HzGroup *group, TransactionId horizon, uint64 *dead)
{
	HzStoreScan scan;

	/* those that were folded, or went with their group, may still be read, and are as true */
	hz_store_scan_begin(store, &scan, group->chunk_id, PG_INT32_MIN, -1, SnapshotAny,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		Mark mark;

		/* what is folded into a vector was old then; what it was born with nobody has ever seen */
		if (is_vector_seq(scan.seq))
		{
			add_piece(store, group, &scan, dead);
			continue;
		}
		read_mark(store, group, &scan, &mark);
		if (mark.kind != HZ_MARK_LOCKED && is_older(&mark, scan.tuple, horizon))
			hz_bitmap_set(dead, ((uint32) (-1 - scan.seq)) >> 14);
	}
	hz_store_scan_end(&scan);
}

/* Whether a delete vector (any version of it: bits are never taken back) has the row. */
static bool
in_vector(HzStore *store, HzGroup *group, uint32 position, Snapshot snapshot)
{
	uint32 piece = position / HZ_MARK_PIECE_ROWS;
	uint32 bit = position % HZ_MARK_PIECE_ROWS;
	bool any = snapshot->snapshot_type == SNAPSHOT_ANY;
	HzStoreScan scan;
	bool found = false;
	bool exists = false;

	if (any && hz_markmemo_no_piece(store, group->chunk_id, piece))
		return false;
	hz_store_scan_begin(store, &scan, group->chunk_id, VECTOR_SEQ(piece), VECTOR_SEQ(piece),
						snapshot, ForwardScanDirection);
	while (!found && hz_store_scan_next(&scan))
	{
		uint32 first;
		uint32 rows;

		check_piece(store, group, &scan, &first, &rows);
		exists = true;
		found = (hz_load64(scan.data + bit / 64 * 8) >> (bit % 64)) & 1;
	}
	hz_store_scan_end(&scan);
	if (any && !exists)
		hz_markmemo_note_no_piece(store, group->chunk_id, piece);
	return found;
}

static void
scan_row_marks(HzStore *store, HzStoreScan *scan, HzGroup *group, uint32 position,
			   Snapshot snapshot)
{
	hz_store_scan_begin(store, scan, group->chunk_id, mark_seq(position, HZ_MARK_SLOTS - 1),
						mark_seq(position, 0), snapshot, BackwardScanDirection);
}

bool
hz_mark_row_visible(HzStore *store, HzGroup *group, uint32 position, Snapshot snapshot)
{
	bool dirty = snapshot->snapshot_type == SNAPSHOT_DIRTY;
	/* what SnapshotDirty sees follows from the marks' xmin, folded ones included */
	Snapshot use = dirty ? SnapshotAny : snapshot;
	bool visible = true;
	HzStoreScan scan;

	if (snapshot->snapshot_type == SNAPSHOT_ANY ||
		snapshot->snapshot_type == SNAPSHOT_NON_VACUUMABLE || has_no_marks(store, group, snapshot))
		return true;
	if (dirty && hz_markmemo_ended(store, hz_group_first_row(group) + position))
		return false;
	scan_row_marks(store, &scan, group, position, use);
	while (visible && hz_store_scan_next(&scan))
	{
		Mark mark;

		read_mark(store, group, &scan, &mark);
		if (mark.kind == HZ_MARK_LOCKED)
			continue;
		if (dirty && mark.state == XID_RUNNING)
			snapshot->xmax = mark.xmin;
		else if (!dirty || mark.state != XID_ABORTED)
			visible = false;
	}
	hz_store_scan_end(&scan);
	return visible && !in_vector(store, group, position, use);
}

/* The mark is in the way of an actor that wants `kind` and `mode`. */
static bool
conflicts(const Mark *mark, HzMarkKind kind, LockTupleMode mode)
{
	if (mark->kind != HZ_MARK_LOCKED || (kind != HZ_MARK_LOCKED && kind != HZ_MARK_UPDATED))
		return true;
	return lock_conflicts[mark->mode][mode];
}

/* What heap_delete() and its kin would answer for a row that this mark has ended. */
static TM_Result
ended_by(const Mark *mark, ItemPointer tid, CommandId cid, TM_FailureData *failure)
{
	failure->xmax = mark->xmin;
	failure->cmax = InvalidCommandId;
	failure->ctid = *tid;
	if (mark->kind == HZ_MARK_UPDATED)
		failure->ctid = mark->successor;
	else if (mark->kind == HZ_MARK_MOVED)
		ItemPointerSetMovedPartitions(&failure->ctid);
	if (mark->state == XID_OURS)
	{
		failure->cmax = mark->cmin;
		return mark->cmin >= cid ? TM_SelfModified : TM_Invisible;
	}
	return mark->kind == HZ_MARK_DELETED ? TM_Deleted : TM_Updated;
}

/* Whether the mark still means something: its slot must not be used again. */
static bool
mark_is_live(const Mark *mark)
{
	if (mark->state == XID_ABORTED)
		return false;
	return mark->kind != HZ_MARK_LOCKED || mark->state != XID_COMMITTED;
}

static void
add_locker(RowState *state, TransactionId xid)
{
	Size size = sizeof(TransactionId) * (state->locker_count + 1);

	state->lockers = state->lockers == NULL ? palloc(size) : repalloc(state->lockers, size);
	state->lockers[state->locker_count++] = xid;
}

/* What one mark says to an actor that wants `kind` and `mode`. */
static void
weigh_mark(const Mark *mark, ItemPointer tid, HzMarkKind kind, LockTupleMode mode, CommandId cid,
		   RowState *state, TM_FailureData *failure)
{
	if (mark->kind != HZ_MARK_LOCKED && mark->state != XID_RUNNING)
		state->result = ended_by(mark, tid, cid, failure);
	else if (mark->state == XID_OURS)
	{
		state->own_lock = true;
		state->held = state->held || mark->mode >= LockTupleShare;
		if (mark->mode >= mode)
			state->have_lock = true;
	}
	else if (mark->state == XID_RUNNING && conflicts(mark, kind, mode))
	{
		state->wait_for = mark->xmin;
		failure->xmax = mark->xmin;
		failure->ctid = *tid;
	}
	else if (mark->state == XID_RUNNING && kind == HZ_MARK_UPDATED)
		add_locker(state, mark->xmin);
}

/*
 * Reads the row's marks (under the group's lock) and decides. Fills *state and, unless TM_Ok, *failure.
 * Slots whose marks are all over (finished lockers, aborted ones) are free again: their tuples are dead
 * to the unique index.
 */
static void
examine_marks(HzStore *store, HzGroup *group, ItemPointer tid, HzMarkKind kind, LockTupleMode mode,
			  CommandId cid, RowState *state, TM_FailureData *failure)
{
	uint32 position = (uint32) (hz_rowid_from_tid(tid) - hz_group_first_row(group));
	HzStoreScan scan;

	memset(state, 0, sizeof(*state));
	state->result = TM_Ok;
	scan_row_marks(store, &scan, group, position, SnapshotAny);
	while (state->result == TM_Ok && hz_store_scan_next(&scan))
	{
		uint32 slot = ((uint32) (-1 - scan.seq)) & (HZ_MARK_SLOTS - 1);
		Mark mark;

		read_mark(store, group, &scan, &mark);
		if (!mark_is_live(&mark))
			continue;
		/* slots come in ascending order: the first without a live mark is free */
		if (slot == state->free_slot)
			state->free_slot++;
		weigh_mark(&mark, tid, kind, mode, cid, state, failure);
	}
	hz_store_scan_end(&scan);
	/* who has the lock must not wait for an update that goes along with it: its new version has inherited the lock */
	if (kind == HZ_MARK_LOCKED && state->have_lock)
		state->wait_for = InvalidTransactionId;
	if (state->result == TM_Ok && !state->held && in_vector(store, group, position, SnapshotAny))
	{
		failure->xmax = FrozenTransactionId;
		failure->ctid = *tid;
		state->result = TM_Deleted;
	}
}

static void
put_mark(HzStore *store, HzGroup *group, uint32 position, uint32 slot, HzMarkKind kind,
		 LockTupleMode mode, ItemPointer successor, CommandId cid)
{
	uint8_t payload[MARK_SIZE] = {0};
	int32 seq = mark_seq(position, slot);
	ItemPointerData tid;
	uint32 checksum;

	if (slot >= HZ_MARK_SLOTS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many locks on one row of table \"%s\"",
							   RelationGetRelationName(store->table)),
						errhint("VACUUM the table, then run the command again.")));
	hz_store_set_marked(store);
	payload[0] = kind;
	payload[1] = kind == HZ_MARK_LOCKED ? mode : 0;
	if (successor != NULL)
	{
		hz_store32(payload + 4, ItemPointerGetBlockNumberNoCheck(successor));
		hz_store16(payload + 8, ItemPointerGetOffsetNumberNoCheck(successor));
	}
	checksum = mark_checksum(group, seq, payload);
	hz_store16(payload + 2, (uint16) checksum);
	hz_store16(payload + 10, (uint16) (checksum >> 16));
	hz_store_put(store, group->chunk_id, seq, payload, MARK_SIZE, cid, 0, NULL, &tid);
	hz_markmemo_put(store, hz_group_first_row(group) + position, kind, mode);
	if (kind == HZ_MARK_LOCKED)
	{
		TM_FailureData failure;
		TM_Result result =
			heap_delete(store->toast, &tid, cid + 1, InvalidSnapshot, false, &failure, false);

		if (result != TM_Ok)
			elog(ERROR, "could not delete a lock mark: %d", (int) result);
	}
}

/*
 * The group was taken away by a mover: where is the row now? A row that had ended before was not moved:
 * its mark, as dead as the directory tuple and hence still there for whoever may ask, says what became of it.
 */
static TM_Result
moved_by(HzStore *store, HzGroup *group, TransactionId mover, ItemPointer tid, CommandId cid,
		 TM_FailureData *failure)
{
	RowState state;

	examine_marks(store, group, tid, HZ_MARK_DELETED, LockTupleExclusive, cid, &state, failure);
	if (state.result != TM_Ok)
		return state.result;
	failure->xmax = mover;
	failure->cmax = InvalidCommandId;
	if (hz_forward_find(store, mover, tid, &failure->ctid))
		return TM_Updated;
	failure->ctid = *tid;
	return TM_Deleted;
}

/* State of the group itself under its lock. *group is NULL unless it lives. */
static TM_Result
examine_group(HzStore *store, ItemPointer tid, CommandId cid, HzGroup **group,
			  TransactionId *wait_for, TM_FailureData *failure)
{
	HeapTuple tuple = NULL;
	HzGroup *found = hz_directory_find_tuple(store, hz_rowid_from_tid(tid), SnapshotAny, &tuple);
	HeapTupleHeader header;
	XidState xmin;
	XidState xmax;

	*group = NULL;
	failure->ctid = *tid;
	failure->xmax = InvalidTransactionId;
	failure->cmax = InvalidCommandId;
	if (found == NULL)
		return TM_Deleted;
	header = tuple->t_data;
	xmin = xmin_state(header);
	if (xmin == XID_ABORTED || xmin == XID_RUNNING ||
		(xmin == XID_OURS && HeapTupleHeaderGetCmin(header) >= cid))
		return TM_Invisible;
	if ((header->t_infomask & HEAP_XMAX_INVALID) == 0)
	{
		TransactionId mover = HeapTupleHeaderGetRawXmax(header);

		xmax = xid_state(mover, (header->t_infomask & HEAP_XMAX_COMMITTED) != 0);
		if (xmax == XID_RUNNING)
		{
			*wait_for = mover;
			failure->xmax = mover;
			return TM_Ok;
		}
		if (xmax != XID_ABORTED)
			return moved_by(store, found, mover, tid, cid, failure);
	}
	*group = found;
	return TM_Ok;
}

/* Waits for a transaction as the policy says; TM_Ok: look again. */
static TM_Result
wait_for_xact(HzStore *store, TransactionId xid, ItemPointer tid, HzMarkKind kind,
			  LockTupleMode mode, bool queue, bool *have_tuple_lock, HzMarkWait wait)
{
	static const LOCKMODE tuple_lock_mode[4] = {AccessShareLock, RowShareLock, ExclusiveLock,
												AccessExclusiveLock};
	LOCKMODE lockmode = tuple_lock_mode[kind == HZ_MARK_LOCKED ? mode : LockTupleExclusive];

	if (wait == HZ_MARK_WAIT_NEVER)
		return TM_BeingModified;
	if (wait == HZ_MARK_WAIT_BLOCK)
	{
		if (queue && !*have_tuple_lock)
		{
			LockTuple(store->table, tid, lockmode);
			*have_tuple_lock = true;
		}
		XactLockTableWait(xid, store->table, tid, kind == HZ_MARK_LOCKED ? XLTW_Lock : XLTW_Delete);
		return TM_Ok;
	}
	if ((!queue || *have_tuple_lock || ConditionalLockTuple(store->table, tid, lockmode)))
	{
		*have_tuple_lock = *have_tuple_lock || queue;
		if (ConditionalXactLockTableWait(xid))
			return TM_Ok;
	}
	if (wait == HZ_MARK_WAIT_SKIP)
		return TM_WouldBlock;
	ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					errmsg("could not obtain lock on row in relation \"%s\"",
						   RelationGetRelationName(store->table))));
	return TM_WouldBlock;
}

static void
unlock_row_tuple(HzStore *store, ItemPointer tid, HzMarkKind kind, LockTupleMode mode)
{
	static const LOCKMODE tuple_lock_mode[4] = {AccessShareLock, RowShareLock, ExclusiveLock,
												AccessExclusiveLock};

	UnlockTuple(store->table, tid,
				tuple_lock_mode[kind == HZ_MARK_LOCKED ? mode : LockTupleExclusive]);
}

TM_Result
hz_mark_act(HzStore *store, ItemPointer tid, HzMarkKind kind, LockTupleMode mode, CommandId cid,
			Snapshot crosscheck, HzMarkWait wait, TM_FailureData *failure)
{
	uint32 block = (uint32) (hz_rowid_from_tid(tid) / HZ_ROWID_ROWS_PER_BLOCK);
	bool have_tuple_lock = false;
	TM_Result result;

	if (kind == HZ_MARK_LOCKED && crosscheck == InvalidSnapshot &&
		hz_markmemo_locked(store, hz_rowid_from_tid(tid), mode))
	{
		failure->ctid = *tid;
		return TM_Ok;
	}
	for (;;)
	{
		RowState state = {0};
		HzGroup *group = hz_directory_find(store, hz_rowid_from_tid(tid), SnapshotAny);
		uint32 lock = group ? group->number : block;

		CHECK_FOR_INTERRUPTS();
		hz_store_lock_group(store, lock);
		result = examine_group(store, tid, cid, &group, &state.wait_for, failure);
		if (result == TM_Ok && group != NULL)
		{
			examine_marks(store, group, tid, kind, mode, cid, &state, failure);
			result = state.result;
		}
		if (result == TM_Ok && !TransactionIdIsValid(state.wait_for))
		{
			uint32 position = (uint32) (hz_rowid_from_tid(tid) - hz_group_first_row(group));

			if (crosscheck != InvalidSnapshot &&
				(hz_directory_find(store, hz_rowid_from_tid(tid), crosscheck) == NULL ||
				 !hz_mark_row_visible(store, group, position, crosscheck)))
				result = TM_Updated;
			else if (!(kind == HZ_MARK_LOCKED && state.have_lock))
				put_mark(store, group, position, state.free_slot, kind, mode, NULL, cid);
			hz_store_unlock_group(store, lock);
			failure->ctid = *tid;
			break;
		}
		hz_store_unlock_group(store, lock);
		if (result != TM_Ok)
			break;
		/* no queueing for a row that we hold a lock on: whoever queues there waits for us */
		result = wait_for_xact(store, state.wait_for, tid, kind, mode, !state.own_lock,
							   &have_tuple_lock, wait);
		if (result != TM_Ok)
			break;
	}
	if (have_tuple_lock)
		unlock_row_tuple(store, tid, kind, mode);
	return result;
}

bool
hz_mark_successor(HzStore *store, ItemPointer tid, ItemPointer next)
{
	HzGroup *group = NULL;
	TransactionId wait_for = InvalidTransactionId;
	TM_FailureData failure;
	TM_Result result = examine_group(store, tid, FirstCommandId, &group, &wait_for, &failure);

	if (result == TM_Invisible)
	{
		/* cids do not matter here: a row of our own transaction has successors too */
		group = hz_directory_find(store, hz_rowid_from_tid(tid), SnapshotAny);
		result = TM_Ok;
	}
	if (result == TM_Ok && group != NULL)
	{
		RowState state;

		examine_marks(store, group, tid, HZ_MARK_DELETED, LockTupleExclusive, FirstCommandId,
					  &state, &failure);
		result = state.result;
	}
	if (result == TM_Ok || ItemPointerEquals(&failure.ctid, tid) ||
		ItemPointerIndicatesMovedPartitions(&failure.ctid))
		return false;
	*next = failure.ctid;
	return true;
}

bool
hz_mark_moved(HzStore *store, ItemPointer tid, Snapshot snapshot, ItemPointer where)
{
	HeapTuple tuple = NULL;
	HzGroup *group = hz_directory_find_tuple(store, hz_rowid_from_tid(tid), SnapshotAny, &tuple);
	TransactionId mover;
	TM_FailureData failure;

	if (group == NULL || (tuple->t_data->t_infomask & HEAP_XMAX_INVALID) != 0)
		return false;
	mover = HeapTupleHeaderGetRawXmax(tuple->t_data);
	if (!XidInMVCCSnapshot(mover, snapshot) ||
		moved_by(store, group, mover, tid, InvalidCommandId, &failure) != TM_Updated ||
		!TransactionIdEquals(failure.xmax, mover))
		return false;
	*where = failure.ctid;
	return true;
}

uint32
hz_mark_updated(HzStore *store, ItemPointer tid, ItemPointer successor, LockTupleMode mode,
				CommandId cid, TransactionId **lockers)
{
	HzGroup *group = hz_directory_find(store, hz_rowid_from_tid(tid), SnapshotAny);
	RowState state;
	TM_FailureData failure;

	if (group == NULL)
		elog(ERROR, "row group of an updated row has vanished");
	hz_store_lock_group(store, group->number);
	examine_marks(store, group, tid, HZ_MARK_UPDATED, mode, cid, &state, &failure);
	if (state.result != TM_Ok || TransactionIdIsValid(state.wait_for) || !state.have_lock)
		elog(ERROR, "lost the lock on a row that is being updated");
	put_mark(store, group, (uint32) (hz_rowid_from_tid(tid) - hz_group_first_row(group)),
			 state.free_slot, HZ_MARK_UPDATED, mode, successor, cid);
	hz_store_unlock_group(store, group->number);
	*lockers = state.lockers;
	return state.locker_count;
}

static void
put_piece(HzStore *store, HzGroup *group, uint32 piece, const uint64 *deleted, CommandId cid)
{
	uint32 first = piece * HZ_MARK_PIECE_ROWS;
	uint32 words = HZ_BITMAP_WORDS(Min(group->rows - first, HZ_MARK_PIECE_ROWS));
	Size length = words * 8;
	uint8_t *bytes = palloc(length + sizeof(uint32));

	hz_markmemo_forget();
	for (uint32 w = 0; w < words; w++)
		hz_store64(bytes + w * 8, deleted[first / 64 + w]);
	hz_store32(bytes + length,
			   hz_store_checksum(group->chunk_id, VECTOR_SEQ(piece), bytes, length));
	hz_store_put(store, group->chunk_id, VECTOR_SEQ(piece), bytes, length + sizeof(uint32), cid, 0,
				 NULL, NULL);
	pfree(bytes);
}

void
hz_mark_write_vector(HzStore *store, HzGroup *group, const uint64 *deleted, CommandId cid)
{
	for (uint32 piece = 0; piece * HZ_MARK_PIECE_ROWS < group->rows; piece++)
		put_piece(store, group, piece, deleted, cid);
}

bool
hz_mark_group_busy(HzStore *store, HzGroup *group, Snapshot snapshot)
{
	HzStoreScan scan;
	bool busy = false;

	hz_store_scan_begin(store, &scan, group->chunk_id,
						mark_seq(HZ_MARK_VECTOR_POSITION - 1, HZ_MARK_SLOTS - 1), -1, SnapshotAny,
						ForwardScanDirection);
	while (!busy && hz_store_scan_next(&scan))
	{
		Mark mark;

		CHECK_FOR_INTERRUPTS();
		read_mark(store, group, &scan, &mark);
		if (mark.state == XID_RUNNING)
			busy = true;
		else if (mark.state == XID_OURS)
			busy = mark.kind == HZ_MARK_LOCKED || mark.cmin >= snapshot->curcid;
		else if (mark.state == XID_COMMITTED && mark.kind != HZ_MARK_LOCKED)
			busy = TransactionIdIsNormal(mark.xmin) &&
				   !HeapTupleHeaderXminFrozen(scan.tuple->t_data) &&
				   XidInMVCCSnapshot(mark.xmin, snapshot);
	}
	hz_store_scan_end(&scan);
	return busy;
}

/* Deletes the marks that can be folded; sets their rows' bits and counts them. */
static uint32
take_old_marks(HzStore *store, HzGroup *group, uint64 *deleted, CommandId cid)
{
	TransactionId horizon = GetOldestNonRemovableTransactionId(store->table);
	HzStoreScan scan;
	uint32 taken = 0;

	hz_store_scan_begin(store, &scan, group->chunk_id,
						mark_seq(HZ_MARK_VECTOR_POSITION - 1, HZ_MARK_SLOTS - 1), -1, SnapshotSelf,
						ForwardScanDirection);
	while (taken < HZ_MARK_FOLD && hz_store_scan_next(&scan))
	{
		TM_FailureData failure;
		ItemPointerData tid = scan.tuple->t_self;
		Mark mark;

		CHECK_FOR_INTERRUPTS();
		read_mark(store, group, &scan, &mark);
		if (mark.kind == HZ_MARK_LOCKED || !is_older(&mark, scan.tuple, horizon))
			continue;
		hz_bitmap_set(deleted, ((uint32) (-1 - scan.seq)) >> 14);
		if (heap_delete(store->toast, &tid, cid, InvalidSnapshot, true, &failure, false) == TM_Ok)
			taken++;
	}
	hz_store_scan_end(&scan);
	return taken;
}

bool
hz_mark_fold(HzStore *store, HzGroup *group, CommandId cid)
{
	uint64 *deleted = palloc0(HZ_BITMAP_WORDS(group->rows) * sizeof(uint64));
	HzStoreScan scan;
	uint32 taken;

	hz_store_lock_group(store, group->number);
	taken = take_old_marks(store, group, deleted, cid);
	if (taken > 0)
	{
		hz_store_scan_begin(store, &scan, group->chunk_id, PG_INT32_MIN,
							mark_seq(HZ_MARK_VECTOR_POSITION, 0), SnapshotSelf,
							ForwardScanDirection);
		while (hz_store_scan_next(&scan))
		{
			TM_FailureData failure;
			ItemPointerData tid = scan.tuple->t_self;

			add_piece(store, group, &scan, deleted);
			(void) heap_delete(store->toast, &tid, cid, InvalidSnapshot, true, &failure, false);
		}
		hz_store_scan_end(&scan);
		hz_mark_write_vector(store, group, deleted, cid);
	}
	hz_store_unlock_group(store, group->number);
	pfree(deleted);
	return taken == HZ_MARK_FOLD;
}
