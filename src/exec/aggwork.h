/*
 * exec/aggwork.h
 *	  One thread's share of an aggregation: batch by batch, filter, group, update. Pure C.
 */
#ifndef HZ_AGGWORK_H
#define HZ_AGGWORK_H

#include "agg/aggregate.h"
#include "expr/vexpr.h"

/* What to evaluate for the batches of one source; shared by all threads. */
typedef struct HzAggProgram
{
	int filter_count;
	HzVexpr **filters;
	int *filter_places; /* among the quals of the source */
	int join_filter_count; /* after the filters: whether lookups found something, then what else joins */
	HzVexpr **join_filters;
	int key_count;
	HzVexpr **keys;
	int call_count;
	HzVexpr **arguments;    /* an entry NULL: count(*) */
	HzVexpr **call_filters; /* an entry NULL: none */
	bool leaves;            /* an expression of a call may fail with HZ_EVAL_ELSEWHERE */
} HzAggProgram;

/* What a call reads of a batch. */
typedef struct HzAggInput
{
	HzRows rows;
	HzVector argument;
} HzAggInput;

typedef struct HzAggWork
{
	HzAggregator aggregator;
	HzAggStatus status;
	HzEvalFailure failure; /* of an expression */
	uint64_t matched;      /* vectors of which a filter has not decoded a column */
	HzRows joining;        /* rows of the batch that the filters have left for lookups */
	HzAggInput *
		inputs; /* of all calls; NULL, where HZ_EVAL_ELSEWHERE cannot come: one call is evaluated and updated after the other */
} HzAggWork;

/*
 * Adds a batch of `rows` rows, of which those in the bitmap `deleted` (NULL: none) do not count. Bit i of `passing`: all rows are known
 * to satisfy qual i of the source. False: status or failure says why; where it is HZ_EVAL_ELSEWHERE, nothing of the batch has been added.
 */
extern bool hz_aggwork_batch(HzAggWork *work, const HzAggProgram *program, HzEval *eval,
							 uint32_t rows, const uint64_t *deleted, uint64_t passing);

#endif /* HZ_AGGWORK_H */
