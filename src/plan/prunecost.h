/*
 * plan/prunecost.h
 *	  How much of a column store a ColumnarScan reads, for its costs.
 */
#ifndef HZ_PRUNECOST_H
#define HZ_PRUNECOST_H

#include "nodes/pathnodes.h"
#include "utils/relcache.h"

typedef struct HzPruneCost
{
	double share;  /* of the column store's rows that have to be looked at */
	double groups; /* of which the zone maps are looked at; 0: no clause can skip any */
} HzPruneCost;

/* For a scan of `rows` columnar rows that must satisfy the RestrictInfos of `clauses`. */
extern HzPruneCost hz_prunecost(PlannerInfo *root, RelOptInfo *rel, Relation table, List *clauses,
								double rows);

#endif /* HZ_PRUNECOST_H */
