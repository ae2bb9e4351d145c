/*
 * am/scandesc.h
 *	  A scan of a columnar table: the delta's heap scan, then the column store's rows.
 */
#ifndef HZ_SCANDESC_H
#define HZ_SCANDESC_H

#include "access/heapam.h"
#include "access/relscan.h"
#include "read/rowscan.h"

typedef enum HzScanPhase
{
	HZ_SCAN_FRESH,
	HZ_SCAN_DELTA,
	HZ_SCAN_COLUMNS
} HzScanPhase;

typedef struct HzScanDesc
{
	TableScanDescData base; /* AM independent part; must be first */
	TableScanDesc delta;    /* heap scan of the main fork */
	HzRowScan *columns;
	HzScanPhase phase;
	/* TID range scans: row numbers of the column store, low <= number <= high */
	uint64 low;
	uint64 high;
	/* ANALYZE and TABLESAMPLE: blocks beyond the delta's stand for slices of row groups */
	Snapshot analyze_snapshot;
	struct HzThinning *thinning; /* of ANALYZE's sample; NULL before its first block */
	bool in_columns;             /* the current block is such a slice */
	BlockNumber sample_block;
	uint32 group_index;
	uint32 position;
	uint64 slice_left; /* rows of the slice from position on */
} HzScanDesc;

/* What processes of a parallel scan share; follows PostgreSQL's own struct. */
typedef struct HzParallelScan
{
	ParallelBlockTableScanDescData delta; /* must be first */
	HzBatchShared columns;
} HzParallelScan;

#endif /* HZ_SCANDESC_H */
