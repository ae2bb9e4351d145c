/*
 * exec/aggmeta.h
 *	  What an aggregation without groups can answer out of descriptions of row groups and zone maps of vectors.
 *
 * count(*), count(column), min(column) and max(column) of rows that all pass the filters. What is added is exactly what
 * reading the rows would add: no bound is used where rows are deleted, or where it may differ from the value it stands for.
 */
#ifndef HZ_AGGMETA_H
#define HZ_AGGMETA_H

#include "exec/aggleaf.h"

/* What has been answered, for EXPLAIN: whole groups, and vectors of others. */
typedef struct HzAggMetaCount
{
	uint64 groups;
	uint64 vectors;
} HzAggMetaCount;

/* Whether the aggregates of a leaf are of that kind: sets leaf->zone_columns if they are. In the current context. */
extern void hz_aggmeta_init(HzAggLeaf *leaf, const HzAggregate *aggregates);

/*
 * Adds what can be answered of a row group to `work`, and rules out the vectors that are done. False: see work->status.
 */
extern bool hz_aggmeta_answer(HzAggLeaf *leaf, HzAggWork *work, HzAggVectors *vectors,
							  HzAggMetaCount *count);

/* Defines the setting. */
extern void hz_aggmeta_define(void);

#endif /* HZ_AGGMETA_H */
