/*
 * am/follow.h
 *	  Row versions across both stores: fetching one, and finding where a mover put it.
 */
#ifndef HZ_FOLLOW_H
#define HZ_FOLLOW_H

#include "access/tableam.h"

/* Stores the columnar row in the slot (or NULL) if the snapshot sees it. */
extern bool hz_follow_fetch(Relation rel, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot);

/*
 * Where a mover put the delta row at `tid`, which is deleted: true with *where and the mover's xid; false if it
 * was truly deleted.
 */
extern bool hz_follow_moved(Relation rel, ItemPointer tid, ItemPointer where, TransactionId *mover);

/*
 * The same for the last version of a row that was updated within the delta since; false also if *tid is the last.
 */
extern bool hz_follow_successor_moved(Relation rel, ItemPointer tid, ItemPointer where,
									  TransactionId *mover);

/*
 * Where a mover that the MVCC snapshot does not see yet has put the row that an index entry points to; false: it is
 * where it was, or is no more.
 */
extern bool hz_follow_move_since(Relation rel, ItemPointer tid, Snapshot snapshot,
								 ItemPointer where);

/* The newest version of a row that the snapshot sees, as table_tuple_get_latest_tid(). */
extern void hz_follow_latest(Relation rel, Snapshot snapshot, ItemPointer tid);

#endif /* HZ_FOLLOW_H */
