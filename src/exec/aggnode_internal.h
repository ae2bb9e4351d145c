/*
 * exec/aggnode_internal.h
 *	  The state of a ColumnarAgg, for aggnode.c, which runs it, and aggresult.c, which returns what it found.
 */
#ifndef HZ_AGGNODE_INTERNAL_H
#define HZ_AGGNODE_INTERNAL_H

#include "exec/aggcall.h"
#include "exec/aggleaf.h"
#include "exec/aggmeta.h"
#include "exec/aggnode.h"
#include "exec/aggspill.h"
#include "exec/aggthreads.h"
#include "exec/topn.h"

typedef struct HzAggNode
{
	CustomScanState css; /* must be first */
	PlanState *input;
	List *others; /* PlanStates of the join's other sides */
	List *lookup_keys;
	Bitmapset *lookup_columns; /* that the expressions read */
	HzAggLookups *lookups;     /* of this run; NULL: none */
	HzAggExprs exprs;          /* arguments and filters: by state */
	Oid user;                  /* who started the query: its rights count */
	int key_count;
	HzColumnType *key_types;
	int call_count;
	HzAggCall *calls;
	int *states;           /* by call: calls of the same values share one */
	ExprState **fractions; /* of percentiles */
	int state_count;
	HzAggregate *aggregates; /* by state */
	HzGroupLayout layout;
	MemoryContext context; /* of one run: leaves, threads, groups */
	MemoryContextCallback release;
	List *leaves;
	HzAggWork work;
	HzAggThreads *threads;
	HzAggSpill *spill; /* NULL: all groups are in memory */
	uint64 vectors;    /* seen so far */
	bool done;
	HzGroupCursor cursor; /* of the groups that are returned */
	HzTopGroups *top;     /* NULL: all are wanted */
	bool plain;           /* PostgreSQL's own plan is at work */
	PlanState *plain_plan;
	const char *plain_reason;
	/* EXPLAIN */
	uint64 groups;
	uint64 memory;
	uint64 spilled;
	int threads_used;
	HzAggMetaCount from_metadata;
	uint64 lookup_rows;
	uint64 groups_read; /* of another ColumnarAgg, as they are */
} HzAggNode;

static inline HzAggNode *
hz_aggnode(CustomScanState *css)
{
	return (HzAggNode *) css;
}

/* The state of a call. */
static inline const HzAggregate *
hz_aggnode_state(const HzAggNode *node, int call)
{
	return &node->aggregates[node->states[call]];
}

/* Finds all groups, or starts PostgreSQL's own plan; once, before the first result. */
extern void hz_aggnode_run(HzAggNode *node);

#endif /* HZ_AGGNODE_INTERNAL_H */
