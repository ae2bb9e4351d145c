/*
 * read/rowslot.h
 *	  Columnar rows as heap tuples in slots, as PostgreSQL's executor wants them.
 */
#ifndef HZ_ROWSLOT_H
#define HZ_ROWSLOT_H

#include "executor/tuptable.h"
#include "storage/directory.h"

/*
 * Stores a row in a buffer-heap-tuple slot: a tuple of its own in the slot's memory, whose header tells
 * xmin (and cmin) of the group, and TID `number`.
 */
extern void hz_rowslot_store(TupleTableSlot *slot, Oid tableoid, const HzGroup *group,
							 uint64 number, const Datum *values, const bool *isnull);

/* The same of a tuple that was formed before, for a slot of the same row type. */
extern void hz_rowslot_store_copy(TupleTableSlot *slot, Oid tableoid, const HzGroup *group,
								  uint64 number, HeapTuple row);

#endif /* HZ_ROWSLOT_H */
