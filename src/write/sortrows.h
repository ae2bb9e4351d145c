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

/* The same in two steps, of which the second may run in a thread. */
typedef struct HzRowSort HzRowSort;

/* Evaluates keys that are expressions; NULL: there is no sort key. All in the current context; the buffer stays as it is. */
extern HzRowSort *hz_rowsort_prepare(const HzRowBuffer *buffer, const HzOptions *options);

/* Whether hz_rowsort_run() is pure C, by hz_alloc(): all keys are numbers or uuids. */
extern bool hz_rowsort_is_pure(const HzRowSort *sort);

/* Fills `permutation`, as above. */
extern void hz_rowsort_run(HzRowSort *sort, uint32 *permutation);

#endif /* HZ_SORTROWS_H */
