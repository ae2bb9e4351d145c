/*
 * read/rowscan.h
 *	  The column store's rows one after the other, in either direction, as heap tuples in slots.
 */
#ifndef HZ_ROWSCAN_H
#define HZ_ROWSCAN_H

#include "access/sdir.h"
#include "executor/tuptable.h"
#include "read/batchscan.h"

typedef struct HzRowScan HzRowScan;

extern HzRowScan *hz_rowscan_begin(Relation rel, Snapshot snapshot, HzBatchShared *shared);
extern void hz_rowscan_rescan(HzRowScan *scan);
extern void hz_rowscan_end(HzRowScan *scan);

/*
 * The next row in that direction; false at the end. After an end the scan stands behind (or before) all
 * rows, so that turning round finds the last (or first) one.
 */
extern bool hz_rowscan_next(HzRowScan *scan, ScanDirection direction, TupleTableSlot *slot);

/*
 * The row at a position of group `index` (random access for samples); false when it is deleted. Does not
 * mix with hz_rowscan_next() on the same scan.
 */
extern bool hz_rowscan_fetch(HzRowScan *scan, uint32 index, uint32 position, TupleTableSlot *slot);

/*
 * From now on, values of variable length are replaced by what `shorten` makes of them, in the current memory context.
 */
typedef Datum (*HzShorten)(void *arg, int attno, Datum value);
extern void hz_rowscan_shorten(HzRowScan *scan, HzShorten shorten, void *arg);

/* The groups that the scan visits. */
extern HzGroup **hz_rowscan_groups(HzRowScan *scan, uint32 *count);

/* Puts a scan behind all rows (a backward scan starts there). */
extern void hz_rowscan_to_end(HzRowScan *scan);

#endif /* HZ_ROWSCAN_H */
