/*
 * storage/deltacount.h
 *	  How many rows the delta of a columnar table holds.
 */
#ifndef HZ_DELTACOUNT_H
#define HZ_DELTACOUNT_H

#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * Rows of the delta that the MVCC snapshot sees: exact up to HZ_DELTACOUNT_PAGES pages, beyond that so many
 * pages, evenly spread, are read and the rest estimated. *blocks (may be NULL) gets the delta's pages.
 */
#define HZ_DELTACOUNT_PAGES 1024

extern uint64 hz_deltacount(Relation rel, Snapshot snapshot, BlockNumber *blocks);

#endif /* HZ_DELTACOUNT_H */
