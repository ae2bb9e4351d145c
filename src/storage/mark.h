/*
 * storage/mark.h
 *	  Marks: deletes, updates and locks of single columnar rows (PROTOCOLS 2).
 *
 * A mark is a heap tuple (group's chunk_id, negative chunk_seq) whose own xmin says what it means:
 * aborted: nothing; in progress: its transaction holds the row; committed: a delete or update happened,
 * a lock is over. Lock marks are deleted by their own transaction right after they are inserted, so that VACUUM
 * removes them; their meaning follows from xmin alone.
 *
 * chunk_seq = -1 - (position << 14 | slot). Position is the row's place in its group (17 bits), slot one
 * more than the greatest slot in use. Reading a row's marks and inserting one happen under the group's
 * short lock (hz_store_lock_group), never held while waiting.
 *
 * Deletes at birth and folded old marks are delete vectors: bitmaps (a set bit is a deleted row) of
 * HZ_MARK_PIECE_ROWS rows a tuple, at position HZ_MARK_VECTOR_POSITION, slot = number of the piece.
 *
 *	  mark payload: kind u8, lock mode u8, low half of the checksum u16, successor block u32, successor offset u16,
 *	  high half u16; the checksum (hz_store_checksum) is that of the payload with zeroes in its place
 *	  piece of a delete vector: the bitmap, then its checksum u32
 */
#ifndef HZ_MARK_H
#define HZ_MARK_H

#include "access/tableam.h"
#include "nodes/lockoptions.h"

#include "storage/directory.h"

#define HZ_MARK_SLOTS (1 << 14)
#define HZ_MARK_VECTOR_POSITION ((1 << 17) - 1)
#define HZ_MARK_PIECE_ROWS 61440 /* bits of one delete-vector tuple: 7,680 bytes */
#define HZ_MARK_MAX_ROWS 122880  /* rows of a group whose positions do not meet the vectors' */

typedef enum HzMarkKind
{
	HZ_MARK_DELETED = 1,
	HZ_MARK_UPDATED = 2, /* with the TID of the new version */
	HZ_MARK_MOVED = 3,   /* to another partition */
	HZ_MARK_LOCKED = 4   /* with a LockTupleMode */
} HzMarkKind;

/*
 * Sets a bit for each row of the group that the MVCC (or Self) snapshot sees as deleted. `deleted` has
 * HZ_BITMAP_WORDS(rows) words, zeroed by the caller. Returns how many are set.
 */
extern uint32 hz_mark_deleted_rows(HzStore *store, HzGroup *group, Snapshot snapshot,
								   uint64 *deleted);

/* Sets a bit for each row whose end precedes `horizon`: dead to everybody, as heap's HEAPTUPLE_DEAD. Bits as above. */
extern void hz_mark_dead_rows(HzStore *store, HzGroup *group, TransactionId horizon, uint64 *dead);

/*
 * Whether the snapshot (any kind) sees the row as not deleted, given that it sees the group. With
 * SnapshotDirty, xmax is set to a transaction that is deleting it.
 */
extern bool hz_mark_row_visible(HzStore *store, HzGroup *group, uint32 position, Snapshot snapshot);

/* How to wait for other transactions. */
typedef enum HzMarkWait
{
	HZ_MARK_WAIT_BLOCK,
	HZ_MARK_WAIT_SKIP,  /* TM_WouldBlock */
	HZ_MARK_WAIT_ERROR, /* lock_not_available */
	HZ_MARK_WAIT_NEVER  /* TM_BeingModified */
} HzMarkWait;

/*
 * Acts on the columnar row `tid` at command `cid`: inserts the mark `kind` (with `mode` for
 * HZ_MARK_LOCKED) once nobody is in the way. TM_Ok: done. Otherwise *failure says what is there: xmax, ctid (the
 * successor after TM_Updated), cmax, as heap_delete() does. A row whose group a mover has taken away gives TM_Updated
 * with its new TID (PROTOCOLS 3.4). An UPDATED mark is inserted by hz_mark_updated() instead.
 */
extern TM_Result hz_mark_act(HzStore *store, ItemPointer tid, HzMarkKind kind, LockTupleMode mode,
							 CommandId cid, Snapshot crosscheck, HzMarkWait wait,
							 TM_FailureData *failure);

/*
 * Second half of an update, after hz_mark_act(…, HZ_MARK_LOCKED, mode): names the new version. The mode is
 * LockTupleNoKeyExclusive if the update changes no key, which goes along with KEY SHARE locks of others; who holds such is
 * returned (*lockers, palloc'd; their number), for they have locked the new version, too. Nobody gets one from now on.
 */
extern uint32 hz_mark_updated(HzStore *store, ItemPointer tid, ItemPointer successor,
							  LockTupleMode mode, CommandId cid, TransactionId **lockers);

/*
 * The next version of a columnar row that was updated or moved, by a committed transaction or by ours;
 * false when there is none.
 */
extern bool hz_mark_successor(HzStore *store, ItemPointer tid, ItemPointer next);

/*
 * Where a mover that the MVCC snapshot does not see yet has put the row; false: its group is there, or the row is no
 * more.
 */
extern bool hz_mark_moved(HzStore *store, ItemPointer tid, Snapshot snapshot, ItemPointer where);

/* Writes delete vectors for a group that has none yet (rows deleted at birth). */
extern void hz_mark_write_vector(HzStore *store, HzGroup *group, const uint64 *deleted,
								 CommandId cid);

/* For movers, under the group's lock: a mark is in progress elsewhere, or committed but unseen by the snapshot. */
extern bool hz_mark_group_busy(HzStore *store, HzGroup *group, Snapshot snapshot);

/*
 * Packs up to HZ_MARK_FOLD committed marks older than every snapshot into the group's delete vectors and deletes the
 * marks. Holds the group's lock meanwhile: some milliseconds. True: there may be more, for the next command.
 */
#define HZ_MARK_FOLD 4096

extern bool hz_mark_fold(HzStore *store, HzGroup *group, CommandId cid);

#endif /* HZ_MARK_H */
