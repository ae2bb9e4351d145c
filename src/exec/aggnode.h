/*
 * exec/aggnode.h
 *	  ColumnarAgg: grouping and aggregates over a ColumnarScan, an Append of them, or the groups of another ColumnarAgg, in vectors.
 *
 * The plan is a CustomScan without scanrelid whose custom_plans are the input, from which batches are pulled (aggleaf.h), and
 * PostgreSQL's own plan for the same step with the same target list, which runs instead where the native states will not do:
 * a number too wide for them, more memory than allowed. Nothing has been returned by then, and no expression is volatile,
 * so it starts anew.
 *
 * Where the input is one side of a join, the plans behind these two are the other sides, in which its rows look up what they join with
 * (agglookup.h); PostgreSQL's own plan is then over the whole join.
 *
 * custom_scan_tlist: the group keys, then the aggregates, then the conditions of the join, for EXPLAIN. custom_private: HzAggExprs'
 * lists over the input's target list; the keys of lookups.
 */
#ifndef HZ_AGGNODE_H
#define HZ_AGGNODE_H

#include "nodes/extensible.h"

#define HZ_AGGNODE_NAME "ColumnarAgg"

/* Members of custom_private. */
#define HZ_AGGNODE_KEYS 0
#define HZ_AGGNODE_ARGUMENTS 1
#define HZ_AGGNODE_FILTERS 2
#define HZ_AGGNODE_JOIN_QUALS 3
#define HZ_AGGNODE_LOOKUPS 4      /* for each: IntLists input_keys, own_keys */
#define HZ_AGGNODE_FIRST_LOOKUP 2 /* of custom_plans */

extern const CustomScanMethods hz_aggnode_methods;

/* Before the node runs: which groups a Sort above it wants (exec/topn.h). */
struct HzTopGroups;
extern void hz_aggnode_set_top(CustomScanState *css, struct HzTopGroups *top);

/* Makes the node known to parallel workers; called once by _PG_init. */
extern void hz_aggnode_init(void);

#endif /* HZ_AGGNODE_H */
