/*
 * exec/scanstate.h
 *	  The state of a ColumnarScan; private to exec/.
 */
#ifndef HZ_SCANSTATE_H
#define HZ_SCANSTATE_H

#include "access/tableam.h"
#include "nodes/execnodes.h"
#include "port/atomics.h"

#include "exec/prunecompile.h"
#include "exec/scanfilter.h"
#include "read/batchscan.h"

struct ExplainState;

/* What EXPLAIN ANALYZE shows. */
typedef struct HzScanCounters
{
	uint64 row_groups;
	uint64 vectors;
	uint64 delta_rows;
	/* bitmap scans */
	uint64 single_rows; /* columnar rows that were read one by one */
	uint64 exact_blocks;
	uint64 lossy_blocks;
} HzScanCounters;

typedef struct HzSharedPruned
{
	pg_atomic_uint64 groups;
	pg_atomic_uint64 vectors;
} HzSharedPruned;

/* In shared memory, followed by an HzParallelScan. */
typedef struct HzSharedScan
{
	pg_atomic_uint64 row_groups;
	pg_atomic_uint64 vectors;
	pg_atomic_uint64 delta_rows;
	pg_atomic_uint64 top_rows;
	HzSharedPruned top_skipped;
	int qual_count;
	HzSharedPruned pruned[FLEXIBLE_ARRAY_MEMBER]; /* by each qual of the plan */
} HzSharedScan;

typedef enum HzScanStage
{
	HZ_SCAN_START,
	HZ_SCAN_ROWS,    /* the delta */
	HZ_SCAN_BATCH,   /* the column store */
	HZ_SCAN_WAITING, /* rows of it that have waited to the end: exec/topn.h */
	HZ_SCAN_END
} HzScanStage;

/* A column that the query needs, and its values in the current batch. */
typedef struct HzNeededColumn
{
	int attno;   /* 0-based */
	bool in_row; /* read of rows, not only by filters on vectors */
	Datum *values;
	bool *isnull;
} HzNeededColumn;

/* Which quals a row is known to satisfy. */
typedef enum HzPassed
{
	HZ_PASSED_NOTHING,
	HZ_PASSED_FILTER, /* those of the HzScanFilter */
	HZ_PASSED_ALL
} HzPassed;

typedef struct HzBitmapScan HzBitmapScan;
typedef struct HzTopN HzTopN;
typedef struct HzFirstRows HzFirstRows;

typedef struct HzScanNode
{
	CustomScanState css; /* must be first */
	int column_count;
	HzNeededColumn *columns; /* by ascending attno */
	TupleTableSlot *row;     /* what the scan returns */
	TupleTableSlot *delta_row;
	TupleTableSlot *recheck_row; /* EvalPlanQual only */
	/* the scan; NULL before the first row */
	HzScanStage stage;
	TableScanDesc delta;
	HzBatchScan *batches;
	HzBatch *batch;  /* NULL: ask for the next */
	HzRows rows;     /* of the batch that are to be returned */
	uint32 next_row; /* among them */
	uint16 live[HZ_VECTOR_ROWS];
	uint32 last_group;    /* number of the group of the last batch */
	HzPassed passed;      /* what is known of the current row */
	HzScanFilter *filter; /* NULL: all quals are the executor's */
	/* what its quals rule out: NULL, if nothing or when that is switched off */
	HzPruneCompile *prune;
	HzPruneCount join_pruned; /* what joins above have ruled out: exec/aggkeys.h */
	/* only the first rows of an order are wanted; NULL: all are */
	HzTopN *top;
	/* or the first row of each partition: exec/firstrows.h */
	HzFirstRows *first;
	/* rows come by a bitmap of TIDs: NULL unless the plan has such a child */
	HzBitmapScan *bitmap;
	/* parallel */
	HzSharedScan *shared;
	Snapshot worker_snapshot; /* registered; NULL in the leader */
	HzScanCounters counters;
} HzScanNode;

/* Scans that this process has begun: tells who begins plans whether there are any in one. */
extern uint64 hz_scannode_begun;

/* Starts the scan of both stores: `delta` and `batches`, which is for a node above that reads these itself. */
extern void hz_scannode_start(HzScanNode *node);

/* Makes a row of the table's own the current one; it must stay where it is until the next. */
extern void hz_scannode_take_row(HzScanNode *node, TupleTableSlot *from);

/* Decodes the needed columns of the current batch. */
extern void hz_scannode_decode(HzScanNode *node);

/* Whether no qual is left to evaluate on the selected rows of the current batch. */
extern bool hz_scannode_passes_batch(const HzScanNode *node);

/* Makes row `position` of the current, decoded batch the current row. */
extern void hz_scannode_take_batch_row(HzScanNode *node, uint32 position);

/* exec/scanprune.c */
/* Before the scan: finds out what the quals can rule out. */
extern void hz_scanprune_init(HzScanNode *node);
/* At the first batch of a scan, for which parameters have their values: tells the batch reader. */
extern void hz_scanprune_start(HzScanNode *node);
/* Adds what this process has counted to what all have; gets the sums. */
extern void hz_scanprune_publish(HzScanNode *node);
extern void hz_scanprune_collect(HzScanNode *node);
extern void hz_scanprune_explain(HzScanNode *node, List *ancestors, struct ExplainState *es);

/* exec/bitmapscan.c */
extern void hz_bitmapscan_init(HzScanNode *node, EState *estate, int eflags);
/* Moves to the next row that the bitmap names; false at the end. */
extern bool hz_bitmapscan_next(HzScanNode *node);
/* Whether the current row satisfies the index conditions, if that has to be looked at. */
extern bool hz_bitmapscan_recheck(HzScanNode *node, ExprContext *econtext);
extern void hz_bitmapscan_rescan(HzScanNode *node);
extern void hz_bitmapscan_end(HzScanNode *node);
extern void hz_bitmapscan_explain(HzScanNode *node, List *ancestors, struct ExplainState *es);

#endif /* HZ_SCANSTATE_H */
