/*
 * exec/prunecompile.h
 *	  From the quals of a scan to a HzPrune (read/prune.h), with constants that are known at run time.
 *
 * Understood are AND and OR over conditions on one column: comparisons by operators of the column type's default btree
 * family with something that is constant while the scan runs, IN and = ANY, <> ALL, IS [NOT] NULL, boolean columns
 * and their tests, LIKE 'abc%' and starts_with(). Whatever else there is stands for "do not know".
 *
 * Constant is what has no column and cannot fail: literals, parameters of the query, of nested loops and of
 * subqueries that are executed once, and a few stable functions. Parameters of subqueries are evaluated, as index
 * scans do it, when the scan binds.
 */
#ifndef HZ_PRUNECOMPILE_H
#define HZ_PRUNECOMPILE_H

#include "nodes/execnodes.h"
#include "utils/relcache.h"

#include "read/prune.h"

typedef struct HzPruneCompile HzPruneCompile;

/*
 * Of the quals (implicitly ANDed, as in the finished plan) of a scan node of `rel` with range table index `varno`; in the
 * current context. NULL: nothing can be pruned by them. Runs no code of others.
 */
extern HzPruneCompile *hz_prunecompile(List *quals, Relation rel, Index varno, PlanState *node);

/*
 * For the planner: the column by which a scan can skip rows that a clause does not want, for each of a list of clauses;
 * 0: none. Columns of other relations count as constants.
 */
extern void hz_prunecompile_columns(List *clauses, Relation rel, Index varno, AttrNumber *columns);

/* Whether an expression is constant in that sense: free of columns, and safe to evaluate before a row asks for it. */
extern bool hz_prunecompile_is_constant(Node *expression);

/*
 * Evaluates what the conditions compare with. The tree is valid until the next call. Needs the node's expression
 * context; what it makes lives in a context of its own.
 */
extern HzPrune *hz_prunecompile_bind(HzPruneCompile *compiled, ExprContext *econtext);

/* The tree, for its counters; as bound last. */
extern HzPrune *hz_prunecompile_tree(HzPruneCompile *compiled);

#endif /* HZ_PRUNECOMPILE_H */
