/*
 * exec/indexneeds.c
 *	  See indexneeds.h.
 *
 * What an index scan's slot is read by are the expressions of its own plan node: its projection, quals, and the conditions that
 * are checked again. Where the planner saves itself a projection, the scan's target list is all of the table's columns: then the
 * nodes above say which of them anybody looks at. Joins and aggregates compute what they return from their inputs' columns, of
 * which their expressions tell; Hash, Material and Memoize pass rows on. Of other nodes nothing is known: all is needed.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/rel.h"

#include "am/columnar_am.h"
#include "exec/indexneeds.h"
#include "read/slotneeds.h"

/* The columns of a plan node's rows that the nodes above look at; nodes without an entry: all. */
typedef struct Use
{
	const Plan *plan;
	Bitmapset *columns; /* from 1 on */
} Use;

typedef struct Walk
{
	List *uses; /* of nodes on the way down */
} Walk;

typedef struct Collection
{
	int varno; /* OUTER_VAR or INNER_VAR */
	Bitmapset *columns;
	bool whole;
} Collection;

static ExecutorStart_hook_type previous_hook = NULL;

static bool
collect(Node *node, Collection *collection)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		const Var *var = (Var *) node;

		if (var->varno == collection->varno && var->varattno <= 0)
			collection->whole = true;
		else if (var->varno == collection->varno)
			collection->columns = bms_add_member(collection->columns, var->varattno);
		return false;
	}
	return expression_tree_walker(node, collect, collection);
}

static void
add_use(Walk *walk, const Plan *plan, const Collection *collection)
{
	Use *use;

	if (plan == NULL || collection->whole)
		return;
	use = palloc(sizeof(Use));
	use->plan = plan;
	use->columns = collection->columns;
	walk->uses = lappend(walk->uses, use);
}

static const Use *
use_of(const Walk *walk, const Plan *plan)
{
	/* the last ones are the next above */
	for (int i = list_length(walk->uses) - 1; i >= 0; i--)
	{
		const Use *use = list_nth(walk->uses, i);

		if (use->plan == plan)
			return use;
	}
	return NULL;
}

/* What a join's expressions look at in one of its inputs. */
static Collection
used_by_join(Join *join, int varno)
{
	Collection collection = {.varno = varno};

	(void) collect((Node *) join->plan.targetlist, &collection);
	(void) collect((Node *) join->plan.qual, &collection);
	(void) collect((Node *) join->joinqual, &collection);
	if (IsA(join, NestLoop))
	{
		ListCell *cell;

		foreach(cell, ((NestLoop *) join)->nestParams)
			(void) collect((Node *) ((NestLoopParam *) lfirst(cell))->paramval, &collection);
	}
	else if (IsA(join, HashJoin))
	{
		(void) collect((Node *) ((HashJoin *) join)->hashclauses, &collection);
		(void) collect((Node *) ((HashJoin *) join)->hashkeys, &collection);
	}
	else
		(void) collect((Node *) ((MergeJoin *) join)->mergeclauses, &collection);
	return collection;
}

/* What an aggregate looks at in its input: also the columns that it groups by, which no expression need name. */
static Collection
used_by_agg(Agg *agg)
{
	Collection collection = {.varno = OUTER_VAR};

	(void) collect((Node *) agg->plan.targetlist, &collection);
	(void) collect((Node *) agg->plan.qual, &collection);
	for (int i = 0; i < agg->numCols; i++)
		collection.columns = bms_add_member(collection.columns, agg->grpColIdx[i]);
	/* grouping sets have more such columns, and sorts of their own */
	collection.whole = agg->chain != NIL;
	return collection;
}

/* Rows are passed on as they are; keys: what the node itself looks at. */
static void
pass_on(Walk *walk, const Plan *plan, List *keys)
{
	const Use *use = use_of(walk, plan);
	Collection collection = {.varno = OUTER_VAR};

	if (use == NULL)
		return;
	collection.columns = bms_copy(use->columns);
	(void) collect((Node *) keys, &collection);
	add_use(walk, outerPlan(plan), &collection);
}

/* Notes what a node looks at in its inputs. */
static void
note_uses(Walk *walk, Plan *plan)
{
	Collection collection;

	switch (nodeTag(plan))
	{
		case T_NestLoop:
		case T_HashJoin:
		case T_MergeJoin:
			collection = used_by_join((Join *) plan, OUTER_VAR);
			add_use(walk, outerPlan(plan), &collection);
			collection = used_by_join((Join *) plan, INNER_VAR);
			add_use(walk, innerPlan(plan), &collection);
			break;
		case T_Agg:
			collection = used_by_agg((Agg *) plan);
			add_use(walk, outerPlan(plan), &collection);
			break;
		case T_Hash:
			pass_on(walk, plan, ((Hash *) plan)->hashkeys);
			break;
		case T_Material:
		case T_Memoize:
			pass_on(walk, plan, NIL);
			break;
		default:
			break;
	}
}

static void
limit_index_scan(const Walk *walk, IndexScanState *state)
{
	const IndexScan *plan = (IndexScan *) state->ss.ps.plan;
	const Use *use = use_of(walk, &plan->scan.plan);
	Index varno = plan->scan.scanrelid;
	Bitmapset *attributes = NULL;
	Bitmapset *columns = NULL;
	ListCell *cell;
	int member = -1;

	foreach(cell, plan->scan.plan.targetlist)
	{
		TargetEntry *entry = lfirst(cell);

		/* expressions are computed, whoever looks at them */
		if (use == NULL || !IsA(entry->expr, Var) || bms_is_member(entry->resno, use->columns))
			pull_varattnos((Node *) entry->expr, varno, &attributes);
	}
	pull_varattnos((Node *) plan->scan.plan.qual, varno, &attributes);
	pull_varattnos((Node *) plan->indexqualorig, varno, &attributes);
	pull_varattnos((Node *) plan->indexorderbyorig, varno, &attributes);
	while ((member = bms_next_member(attributes, member)) >= 0)
	{
		int attno = member + FirstLowInvalidHeapAttributeNumber;

		if (attno == 0)
			return;
		if (attno > 0)
			columns = bms_add_member(columns, attno - 1);
	}
	hz_slotneeds_set(state->ss.ss_ScanTupleSlot, state->ss.ps.state->es_query_cxt, columns);
}

static bool
limit_scans(PlanState *ps, Walk *walk)
{
	if (IsA(ps, IndexScanState) && hz_am_is_columnar(((ScanState *) ps)->ss_currentRelation))
		limit_index_scan(walk, (IndexScanState *) ps);
	/* of rows it wants to know only whether they are visible */
	if (IsA(ps, IndexOnlyScanState) && hz_am_is_columnar(((ScanState *) ps)->ss_currentRelation))
		hz_slotneeds_set(((IndexOnlyScanState *) ps)->ioss_TableSlot, ps->state->es_query_cxt,
						 NULL);
	note_uses(walk, ps->plan);
	return planstate_tree_walker(ps, limit_scans, walk);
}

static void
executor_start(QueryDesc *query, int eflags)
{
	uint64 before = hz_slotneeds_slots;
	MemoryContext old;

	if (previous_hook != NULL)
		previous_hook(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (hz_slotneeds_slots == before)
		return;
	old = MemoryContextSwitchTo(query->estate->es_query_cxt);
	(void) limit_scans(query->planstate, &(Walk){.uses = NIL});
	MemoryContextSwitchTo(old);
}

void
hz_indexneeds_init(void)
{
	previous_hook = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
}
