/*
 * exec/scanfilter.h
 *	  The quals of a ColumnarScan that are evaluated on whole vectors, before a row is made.
 *
 * Only quals that cannot fail are: a row that PostgreSQL would not reach, since a LIMIT has been filled, must not raise an
 * error. The others stay with the executor, in their order, for the rows that are left.
 */
#ifndef HZ_SCANFILTER_H
#define HZ_SCANFILTER_H

#include "exec/batchcolumns.h"
#include "expr/vexpr.h"
#include "nodes/execnodes.h"

typedef struct HzScanFilter
{
	int count;
	HzVexpr **filters; /* in the order in which to evaluate them */
	int *places;       /* among the node's quals */
	List *quals;       /* the same, as expressions, for EXPLAIN */
	List *left;        /* the other quals */
	ExprState *rest;   /* the same, initialised; NULL: none */
	int bound;         /* so many of the filters have their constants */
	HzEval *eval;
	HzBatchColumns columns;
	MemoryContext context; /* of what evaluations keep */
	uint32 last_group;     /* number of the group of the last batch */
	uint64 matched;        /* vectors of which a filter has not decoded a column */
} HzScanFilter;

/* NULL: no qual can be evaluated this way. In the current context. */
extern HzScanFilter *hz_scanfilter_make(ScanState *ss);

/* A scan starts again: parameters may have changed. */
extern void hz_scanfilter_rescan(HzScanFilter *filter);

/* Keeps those of *rows that pass; the new positions live until the next batch. */
extern void hz_scanfilter_run(HzScanFilter *filter, HzBatchScan *batches, const HzBatch *batch,
							  ExprContext *econtext, HzRows *rows);

struct ExplainState;
extern void hz_scanfilter_explain(const HzScanFilter *filter, PlanState *ps, List *ancestors,
								  struct ExplainState *es);

extern bool hz_enable_vector_filter;

#endif /* HZ_SCANFILTER_H */
