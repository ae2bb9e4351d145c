/*
 * storage/markmemo.c
 *	  What a backend remembers of marks. See markmemo.h.
 *
 * Why a piece of a delete vector that did not exist can be left alone as long as the active snapshot is of the same transactions: a
 * vector takes marks in a fold, a transaction F of compact() (never of VACUUM, which snapshots overlook), which deletes them. A fold
 * that had committed when the piece was looked for had left the piece, or a newer version of it, there to be found. Any other
 * F had not committed when the active snapshot was taken, so F >= its xmin, which this backend advertises without a gap: what F has
 * deleted stays in the file. MyProc->xmin alone would not do: between two statements it may be that of a transaction in another
 * database, which protects nothing here. Vectors that a group is born with come before its directory entry. old_snapshot_threshold
 * breaks all this; nothing is remembered then.
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/proc.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "storage/markmemo.h"

#define PIECES 256 /* remembered; a power of two */

typedef struct Place
{
	Oid toastrelid;
	RelFileLocator locator;
} Place;

static struct
{
	Place place;
	uint64 row;
	HzMarkKind kind;
	LockTupleMode mode;
	TransactionId xid;
	LocalTransactionId lxid; /* invalid: nothing is remembered */
} last;

/* What tells a set of running transactions from others within one transaction of ours. */
typedef struct Moment
{
	LocalTransactionId lxid; /* invalid: none */
	TransactionId xmin;
	TransactionId xmax;
	uint32 running;
} Moment;

typedef struct Piece
{
	Place place;
	Oid chunk_id; /* invalid: none */
	uint32 piece;
	Moment moment;
} Piece;

static Piece pieces[PIECES];

static bool
is_place(const Place *place, HzStore *store)
{
	return place->toastrelid == RelationGetRelid(store->toast) &&
		   RelFileLocatorEquals(place->locator, store->toast->rd_locator);
}

static void
set_place(Place *place, HzStore *store)
{
	place->toastrelid = RelationGetRelid(store->toast);
	place->locator = store->toast->rd_locator;
}

void
hz_markmemo_put(HzStore *store, uint64 row, HzMarkKind kind, LockTupleMode mode)
{
	set_place(&last.place, store);
	last.row = row;
	last.kind = kind;
	last.mode = mode;
	last.xid = GetCurrentTransactionId();
	last.lxid = hz_compat_lxid();
}

/* The last mark is on this row, and neither it nor a subtransaction above it has been rolled back. */
static bool
is_last(HzStore *store, uint64 row)
{
	return last.lxid != InvalidLocalTransactionId && last.lxid == hz_compat_lxid() &&
		   last.row == row && is_place(&last.place, store) &&
		   TransactionIdIsCurrentTransactionId(last.xid);
}

bool
hz_markmemo_locked(HzStore *store, uint64 row, LockTupleMode mode)
{
	/* KEY SHARE goes along with updates of others */
	return is_last(store, row) && last.kind == HZ_MARK_LOCKED &&
		   last.mode >= Max(mode, LockTupleShare);
}

bool
hz_markmemo_ended(HzStore *store, uint64 row)
{
	return is_last(store, row) && last.kind != HZ_MARK_LOCKED;
}

static Piece *
piece_slot(Oid chunk_id, uint32 piece)
{
	return &pieces[(chunk_id * 2 + piece) % PIECES];
}

/* That of the active snapshot; false: there is none to rely on. */
static bool
current_moment(Moment *moment)
{
	Snapshot snapshot;

	if (!ActiveSnapshotSet() || hz_compat_snapshots_grow_too_old())
		return false;
	snapshot = GetActiveSnapshot();
	if (snapshot->snapshot_type != SNAPSHOT_MVCC || snapshot->takenDuringRecovery)
		return false;
	moment->lxid = hz_compat_lxid();
	moment->xmin = snapshot->xmin;
	moment->xmax = snapshot->xmax;
	moment->running = snapshot->xcnt;
	return true;
}

bool
hz_markmemo_no_piece(HzStore *store, Oid chunk_id, uint32 piece)
{
	const Piece *slot = piece_slot(chunk_id, piece);
	Moment now;

	return slot->chunk_id == chunk_id && slot->piece == piece && current_moment(&now) &&
		   slot->moment.lxid == now.lxid && TransactionIdEquals(slot->moment.xmin, now.xmin) &&
		   TransactionIdEquals(slot->moment.xmax, now.xmax) &&
		   slot->moment.running == now.running && is_place(&slot->place, store);
}

void
hz_markmemo_note_no_piece(HzStore *store, Oid chunk_id, uint32 piece)
{
	Piece *slot = piece_slot(chunk_id, piece);

	slot->chunk_id = InvalidOid;
	if (!current_moment(&slot->moment))
		return;
	set_place(&slot->place, store);
	slot->chunk_id = chunk_id;
	slot->piece = piece;
}

void
hz_markmemo_forget(void)
{
	last.lxid = InvalidLocalTransactionId;
	memset(pieces, 0, sizeof(pieces));
}
