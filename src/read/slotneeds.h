/*
 * read/slotneeds.h
 *	  Which columns of the rows in a slot somebody will look at.
 *
 * The table AM is asked for rows, not for columns. Where the plan says that a scan's slot is read by few columns, the others
 * need not be decoded: they are null in it, or, where they are NOT NULL, some value of their type.
 */
#ifndef HZ_SLOTNEEDS_H
#define HZ_SLOTNEEDS_H

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"

/* Grows whenever a slot for rows of a columnar table is about to be made. */
extern uint64 hz_slotneeds_slots;

/*
 * From now on, until `context` is reset, rows are stored in this slot with these columns (0-based attributes) only. The slot
 * must live no shorter.
 */
extern void hz_slotneeds_set(TupleTableSlot *slot, MemoryContext context, const Bitmapset *columns);

/* By attribute; NULL: all are needed. */
extern const bool *hz_slotneeds_get(const TupleTableSlot *slot);

#endif /* HZ_SLOTNEEDS_H */
