/*
 * exec/topn.h
 *	  ORDER BY … LIMIT: a ColumnarScan leaves out rows that cannot be among those a bounded Sort above it will return.
 *
 * PostgreSQL tells a Sort under a Limit how many rows are wanted (ExecSetTupleBound), again whenever that changes, and not
 * where ties are wanted, too. When an executor starts, scans learn which Sort they feed; all that one Sort
 * reads through an Append share a bound. A scan offers the sort keys of the rows that it returns
 * and drops those that the bound beats (read/topbound.h) before it decodes their other columns. Columnar rows of which that is all
 * wait until the bound is final (exec/toplist.h). Order, further keys and the
 * number of rows remain the Sort's business.
 *
 * A ColumnarAgg does likewise with its groups, by a key or an aggregate.
 *
 * This holds for each Sort by itself: those of parallel workers have their scans and their bounds.
 */
#ifndef HZ_TOPN_H
#define HZ_TOPN_H

#include "exec/scanstate.h"

/* The setting and the executor's hook; called once by _PG_init. */
extern void hz_topn_init(void);

/*
 * Whether key `place` of a Sort has the order of a column's keys; sets the direction. And that direction with the column's name in EXPLAIN.
 */
struct Sort;
extern bool hz_topn_find_order(const struct Sort *plan, int place, const HzColumnType *type,
							   HzTopBound *bound);
extern void hz_topn_explain_order(const char *label, const HzTopBound *bound, const char *name,
								  struct ExplainState *es);

/* Whether the setting allows it. */
extern bool hz_topn_is_enabled(void);

/* The column store is about to be scanned: tells the batch reader. Before hz_scanprune_start(). */
extern void hz_topn_start(HzScanNode *node);

/* Takes rows that are out from those of the current batch, and those that can wait. */
extern void hz_topn_filter(HzScanNode *node);

/* After the last batch: makes the next one with rows that have waited the current batch, those rows selected; false: none. */
extern bool hz_topn_next_batch(HzScanNode *node);

/* Whether the current row may be among the first; and that it has passed the quals and will be returned. */
extern bool hz_topn_wants(HzScanNode *node);
extern void hz_topn_returns(HzScanNode *node);

extern void hz_topn_rescan(HzScanNode *node);

/* Adds what this process has counted to what all have; gets the sums. */
extern void hz_topn_publish(HzScanNode *node);
extern void hz_topn_collect(HzScanNode *node);

/*
 * The same for groups: what a ColumnarAgg need not return. A group's first sort key is known when its states are final, so
 * only what comes behind is saved: results, the select list, the Sort.
 */
typedef struct HzTopGroups HzTopGroups;

/* Column of the node's scan tuple, 0-based, by which the groups are ordered first. */
extern int hz_topgroups_column(const HzTopGroups *top);

/* Whether there is a bound now. */
extern bool hz_topgroups_active(HzTopGroups *top);

/* For keys of groups: hz_topbound_key() of a value of the type, or what is shorter than to make one. */
extern const HzTopBound *hz_topgroups_bound(const HzTopGroups *top);
extern const HzColumnType *hz_topgroups_type(const HzTopGroups *top);

/* Whether the group with this key may be among the first; and that it has passed HAVING and is returned. */
extern bool hz_topgroups_wants(HzTopGroups *top, HzTopKey key);
extern void hz_topgroups_returns(HzTopGroups *top);

extern void hz_topgroups_rescan(HzTopGroups *top);

/* With `key`, the column's name or expression; what was counted if `analyze`. */
extern void hz_topgroups_explain(const HzTopGroups *top, const char *key, struct ExplainState *es);

/* What is known before execution, and what is after. */
extern void hz_topn_explain(HzScanNode *node, struct ExplainState *es);
extern void hz_topn_explain_counts(HzScanNode *node, struct ExplainState *es);

#endif /* HZ_TOPN_H */
