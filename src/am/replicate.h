/*
 * am/replicate.h
 *	  Changes of columnar rows, written to the log as logical decoding understands them (PROTOCOLS 4.4).
 */
#ifndef HZ_REPLICATE_H
#define HZ_REPLICATE_H

#include "access/htup_details.h"
#include "access/tableam.h"

/* Both are called once the row is ours, by its mark, and the table is logically logged (RelationIsLogicallyLogged). */

/* Logs that the columnar row at `tid` is deleted. */
extern void hz_replicate_delete(Relation rel, ItemPointer tid, bool changing_partition);

/*
 * Puts the slot's row, the new version of the columnar row at `tid`, into the delta and logs the update. As
 * table_tuple_update() does, sets the slot's TID; all indexes need an entry.
 */
extern void hz_replicate_update(Relation rel, ItemPointer tid, TupleTableSlot *new, CommandId cid,
								Snapshot snapshot);

/*
 * Whether a delta tuple that a transaction has inserted and deleted, ours or one that has ended, is a copy made for the
 * log, or like one: no snapshot sees it, and its columns may be NULL that never were.
 */
extern bool hz_replicate_is_copy(HeapTupleHeader header);

#endif /* HZ_REPLICATE_H */
