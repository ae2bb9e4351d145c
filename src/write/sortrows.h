/*
 * write/sortrows.h
 *	  Sorts buffered rows by the table's sort key.
 */
#ifndef HZ_SORTROWS_H
#define HZ_SORTROWS_H

#include "storage/options.h"
#include "write/rowbuffer.h"

/*
 * Fills `permutation` (rows entries; allocated in the current context when NULL) with row numbers in
 * sorted order, ties by arrival, and returns it; without a sort key returns NULL (and fills `permutation`,
 * if given, with 0, 1, …).
 */
extern uint32 *hz_sortrows(const HzRowBuffer *buffer, const HzOptions *options,
						   uint32 *permutation);

#endif /* HZ_SORTROWS_H */
