/*
 * exec/scanprune.c
 *	  Pruning of a ColumnarScan: its quals compiled when it begins, bound to their parameters whenever it starts, counted
 *	  for EXPLAIN.
 *
 * Quals are evaluated as ever on the rows of what is not skipped, but for batches of which all rows are known to pass.
 * They are bound when the delta has been read, and only if there are row groups: a subquery whose value they
 * compare with is not executed for an empty table.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "utils/ruleutils.h"

#include "base/compat.h"
#include "exec/scannode.h"
#include "exec/scanstate.h"

bool hz_enable_pruning = true;

void
hz_scanprune_init(HzScanNode *node)
{
	CustomScan *plan = (CustomScan *) node->css.ss.ps.plan;

	if (!hz_enable_pruning || plan->custom_plans != NIL || plan->scan.plan.qual == NIL)
		return;
	node->prune = hz_prunecompile(plan->scan.plan.qual, node->css.ss.ss_currentRelation,
								  plan->scan.scanrelid, &node->css.ss.ps);
}

void
hz_scanprune_start(HzScanNode *node)
{
	uint32 count;

	if (node->prune == NULL)
		return;
	(void) hz_batchscan_groups(node->batches, &count);
	if (count > 0)
		hz_batchscan_set_prune(node->batches,
							   hz_prunecompile_bind(node->prune, node->css.ss.ps.ps_ExprContext));
}

void
hz_scanprune_publish(HzScanNode *node)
{
	HzPrune *prune = node->prune ? hz_prunecompile_tree(node->prune) : NULL;

	for (int i = 0; prune != NULL && i < prune->count; i++)
	{
		pg_atomic_fetch_add_u64(&node->shared->pruned[i].groups, prune->pruned[i].groups);
		pg_atomic_fetch_add_u64(&node->shared->pruned[i].vectors, prune->pruned[i].vectors);
		memset(&prune->pruned[i], 0, sizeof(HzPruneCount));
	}
}

void
hz_scanprune_collect(HzScanNode *node)
{
	HzPrune *prune = node->prune ? hz_prunecompile_tree(node->prune) : NULL;

	for (int i = 0; prune != NULL && i < prune->count; i++)
	{
		prune->pruned[i].groups = pg_atomic_read_u64(&node->shared->pruned[i].groups);
		prune->pruned[i].vectors = pg_atomic_read_u64(&node->shared->pruned[i].vectors);
	}
}

/* ---- EXPLAIN */

static void
explain_qual(const char *qual, const HzPruneCount *count, ExplainState *es)
{
	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		ExplainPropertyText("Pruned By",
							psprintf("%s: " UINT64_FORMAT " groups, " UINT64_FORMAT " vectors",
									 qual, count->groups, count->vectors),
							es);
		return;
	}
	ExplainOpenGroup("Qual", NULL, true, es);
	ExplainPropertyText("Condition", qual, es);
	ExplainPropertyUInteger("Row Groups", NULL, count->groups, es);
	ExplainPropertyUInteger("Vectors", NULL, count->vectors, es);
	ExplainCloseGroup("Qual", NULL, true, es);
}

void
hz_scanprune_explain(HzScanNode *node, List *ancestors, ExplainState *es)
{
	PlanState *ps = &node->css.ss.ps;
	HzPrune *prune = node->prune ? hz_prunecompile_tree(node->prune) : NULL;
	bool joined = node->join_pruned.groups + node->join_pruned.vectors > 0;
	HzPruneCount total = node->join_pruned;
	List *context;

	if (prune == NULL && !joined)
		return;
	for (int i = 0; prune != NULL && i < prune->count; i++)
	{
		total.groups += prune->pruned[i].groups;
		total.vectors += prune->pruned[i].vectors;
	}
	ExplainPropertyUInteger("Row Groups Pruned", NULL, total.groups, es);
	ExplainPropertyUInteger("Vectors Pruned", NULL, total.vectors, es);
	context = set_deparse_context_plan(es->deparse_cxt, ps->plan, ancestors);
	ExplainOpenGroup("Pruned By", "Pruned By", false, es);
	for (int i = 0; prune != NULL && i < prune->count; i++)
	{
		if (prune->pruned[i].groups + prune->pruned[i].vectors > 0)
			explain_qual(
				deparse_expression(list_nth(ps->plan->qual, i), context, es->verbose, false),
				&prune->pruned[i], es);
	}
	if (joined)
		explain_qual("Lookup Cond", &node->join_pruned, es);
	ExplainCloseGroup("Pruned By", "Pruned By", false, es);
}
