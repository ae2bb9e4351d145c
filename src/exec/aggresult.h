/*
 * exec/aggresult.h
 *	  What a ColumnarAgg returns: rows, or its groups as they are, for another ColumnarAgg above it.
 *
 * Between the two stands at most a SubqueryScan that picks columns. Then no row need be made of a group: the upper one takes values of
 * many groups at a time.
 */
#ifndef HZ_AGGRESULT_H
#define HZ_AGGRESULT_H

#include "agg/grouptable.h"
#include "nodes/execnodes.h"

/* As ExecProcNode() of the node has it. */
extern TupleTableSlot *hz_aggresult_exec(CustomScanState *css);

/* A ColumnarAgg below a node that reads its groups. */
typedef struct HzAggGroups
{
	PlanState *top;        /* the node itself, or the SubqueryScan above it */
	CustomScanState *node; /* it */
	int *places;           /* by attribute of top's rows: the column of custom_scan_tlist */
} HzAggGroups;

/* NULL: the rows of ps are not groups as they are. In the current context. */
extern HzAggGroups *hz_agggroups_find(PlanState *ps);

/* Runs the node, if it has not run. False: its rows come from PostgreSQL's own plan, by ExecProcNode(). */
extern bool hz_agggroups_start(const HzAggGroups *groups);

/*
 * The next groups, HZ_VECTOR_ROWS at most, and not many more than have strings of `limit` bytes. They stay where they are until the next
 * call; 0: no more.
 */
extern uint32 hz_agggroups_next(const HzAggGroups *groups, HzGroupRow **rows, Size limit);

/* The values of an attribute of top's rows, by group; what they point to is palloc'd in the current context. */
extern void hz_agggroups_values(const HzAggGroups *groups, int attribute, HzGroupRow **rows,
								uint32 count, Datum *values, bool *isnull);

#endif /* HZ_AGGRESULT_H */
