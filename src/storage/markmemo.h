/*
 * storage/markmemo.h
 *	  What a backend remembers of marks: the last one it has put, and pieces of delete vectors that do not exist.
 *
 * INSERT ... ON CONFLICT DO UPDATE of one columnar row asks five times for the row's marks, and as often for its piece of the
 * delete vector: the check of conflicts, the lock, the update's own lock, the naming of the new version, and the unique index
 * when the new version gets its entry. Three of these answers follow from the mark put last (src/README.md).
 */
#ifndef HZ_MARKMEMO_H
#define HZ_MARKMEMO_H

#include "nodes/lockoptions.h"

#include "storage/mark.h"

/* The current subtransaction has put a mark on this row. */
extern void hz_markmemo_put(HzStore *store, uint64 row, HzMarkKind kind, LockTupleMode mode);

/*
 * The last mark put is a lock on this row that is held, at least as strong as `mode`, and that no change of the row goes along with:
 * nobody has ended the row.
 */
extern bool hz_markmemo_locked(HzStore *store, uint64 row, LockTupleMode mode);

/* The last mark put has ended this row, in this transaction. */
extern bool hz_markmemo_ended(HzStore *store, uint64 row);

/*
 * Whether a piece of the delete vector is known not to exist, to those who read marks with SnapshotAny: should it be written
 * since, the marks that went into it are still there.
 */
extern bool hz_markmemo_no_piece(HzStore *store, Oid chunk_id, uint32 piece);

/* A scan with SnapshotAny has not found the piece, of a group that is complete, under the active snapshot. */
extern void hz_markmemo_note_no_piece(HzStore *store, Oid chunk_id, uint32 piece);

/* This backend writes a delete vector, or tuples go and the file stays. */
extern void hz_markmemo_forget(void);

#endif /* HZ_MARKMEMO_H */
