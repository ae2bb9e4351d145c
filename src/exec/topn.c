/*
 * exec/topn.c
 *	  See topn.h.
 *
 * A batch of which no qual is left to the executor is offered as a whole: all its keys first, then what the bound beats by
 * then is dropped, and the others wait in a list as long as there is room. Other rows are offered one by one when they have passed.
 *
 * What is dropped is not evaluated: an error in the select list or in a qual of such a row is not raised, as it is not where
 * an index gives the order. Volatile functions are called for every row, so a scan that has any is left alone.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "catalog/pg_type_d.h"
#include "commands/explain.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "exec/aggnode.h"
#include "exec/firstrows.h"
#include "exec/scannode.h"
#include "exec/toplist.h"
#include "exec/topn.h"

#define WORK_MEM_SHARE 2 /* keys and the rows that wait take at most this part of it */

/* What the scans of one Sort share. */
typedef struct SortBound
{
	HzTopBound bound;
	SortState *sort;
} SortBound;

struct HzTopN
{
	HzTopColumn column; /* its bound is that of `shared` */
	SortBound *shared;
	HzColumnType type;
	bool offered;  /* the rows of the current batch have been */
	bool waiting;  /* rows that have been wait until the last batch */
	bool finished; /* that has been, and the list is in order */
	HzTopList list;
	HzTopKey key;     /* of the current row */
	uint64 rows_out;  /* rows that were read and dropped */
	HzTopKey *keys;   /* of a batch */
	uint16 *selected; /* likewise */
};

struct HzTopGroups
{
	SortBound *shared;
	HzColumnType type;
	int column;
	HzTopKey key; /* of the current group */
	uint64 out;   /* groups that were dropped */
};

static bool enable_top_n = true;
static ExecutorStart_hook_type previous_hook = NULL;

/* ---- Which Sort a scan feeds */

bool
hz_topn_find_order(const Sort *plan, int place, const HzColumnType *type, HzTopBound *bound)
{
	Oid expected = type->typid == VARCHAROID ? TEXTOID : type->typid;
	Oid sort_operator = plan->sortOperators[place];
	TypeCacheEntry *order;

	if (!type->ordered)
		return false;
	order = lookup_type_cache(expected, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	if (sort_operator != order->lt_opr && sort_operator != order->gt_opr)
		return false;
	if (expected == TEXTOID && !hz_compat_collate_is_c(plan->collations[place]))
		return false;
	bound->descending = sort_operator == order->gt_opr;
	bound->nulls_first = plan->nullsFirst[place];
	return true;
}

static void
attach_scan(SortBound *shared, HzScanNode *node, AttrNumber resno)
{
	CustomScan *plan = (CustomScan *) node->css.ss.ps.plan;
	TupleDesc desc = RelationGetDescr(node->css.ss.ss_currentRelation);
	Var *var = (Var *) list_nth_node(TargetEntry, plan->scan.plan.targetlist, resno - 1)->expr;
	HzTopBound order = shared->bound;
	HzTopN *top;
	HzColumnType type;

	if (!IsA(var, Var) || var->varno != (int) plan->scan.scanrelid || var->varattno <= 0 ||
		plan->custom_plans != NIL ||
		contain_volatile_functions((Node *) plan->scan.plan.targetlist) ||
		contain_volatile_functions((Node *) plan->scan.plan.qual))
		return;
	type = hz_coltype_for(desc)[var->varattno - 1];
	if (!hz_topn_find_order((Sort *) shared->sort->ss.ps.plan, 0, &type, &order))
		return;
	shared->bound = order;
	top = palloc0(sizeof(HzTopN));
	top->shared = shared;
	top->column.bound = &shared->bound;
	top->column.attno = var->varattno - 1;
	top->type = type;
	top->list.context = CurrentMemoryContext;
	node->top = top;
}

/* Groups have their keys and aggregates before anything is computed of them. */
static void
attach_groups(SortBound *shared, CustomScanState *css, AttrNumber resno)
{
	CustomScan *plan = (CustomScan *) css->ss.ps.plan;
	Var *var = (Var *) list_nth_node(TargetEntry, plan->scan.plan.targetlist, resno - 1)->expr;
	HzTopBound order = shared->bound;
	HzTopGroups *top;
	HzColumnType type;

	if (!IsA(var, Var) || var->varno != INDEX_VAR ||
		contain_volatile_functions((Node *) plan->scan.plan.targetlist) ||
		contain_volatile_functions((Node *) plan->scan.plan.qual))
		return;
	type = hz_coltype_of(var->vartype);
	if (!hz_topn_find_order((Sort *) shared->sort->ss.ps.plan, 0, &type, &order))
		return;
	shared->bound = order;
	top = palloc0(sizeof(HzTopGroups));
	top->shared = shared;
	top->type = type;
	top->column = var->varattno - 1;
	hz_aggnode_set_top(css, top);
}

/* The name of the column by which scans below know the bound; NULL: none does. */
static const char *
bound_column(const AppendState *append)
{
	for (int i = 0; i < append->as_nplans; i++)
	{
		PlanState *ps = append->appendplans[i];
		HzScanNode *node = (HzScanNode *) ps;

		if (IsA(ps, CustomScanState) &&
			((CustomScan *) ps->plan)->methods == &hz_scannode_methods && node->top != NULL)
			return NameStr(TupleDescAttr(RelationGetDescr(node->css.ss.ss_currentRelation),
										 node->top->column.attno)
							   ->attname);
	}
	return NULL;
}

/* Whether an Append is of the partitions of one table, in the order of their ranges of a column. */
static bool
is_in_order_of(const AppendState *append, const char *column)
{
	const RangeTblEntry *entry;
	int relid;
	Relation rel;
	PartitionKey key;
	bool result;

	if (column == NULL ||
		!bms_get_singleton_member(((const Append *) append->ps.plan)->apprelids, &relid))
		return false;
	entry = exec_rt_fetch((Index) relid, append->ps.state);
	if (entry->rtekind != RTE_RELATION || entry->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	/* workers have not locked it */
	rel = table_open(entry->relid, IsParallelWorker() ? AccessShareLock : NoLock);
	key = RelationGetPartitionKey(rel);
	result = key->strategy == PARTITION_STRATEGY_RANGE && key->partattrs[0] > 0 &&
			 strcmp(NameStr(TupleDescAttr(RelationGetDescr(rel), key->partattrs[0] - 1)->attname),
					column) == 0;
	table_close(rel, NoLock);
	return result;
}

/*
 * Under ORDER BY the partition key DESC the last partition has the best rows: it is read first, and the others then skip what it
 * beats, that is all. Where subplans are pruned at run time, or run beside each other, their places have a meaning.
 */
static void
read_best_first(SortBound *shared, AppendState *append)
{
	if (append->as_nplans < 2 || append->as_nasyncplans > 0 || append->ps.plan->parallel_aware ||
		(append->as_prune_state != NULL && append->as_prune_state->do_exec_prune) ||
		!shared->bound.descending || !is_in_order_of(append, bound_column(append)))
		return;
	for (int i = 0, j = append->as_nplans - 1; i < j; i++, j--)
	{
		PlanState *first = append->appendplans[i];

		append->appendplans[i] = append->appendplans[j];
		append->appendplans[j] = first;
	}
}

/* The nodes that give column `resno` of a Sort's input, and nothing between drops a row. */
static void
attach_input(SortBound *shared, PlanState *ps, AttrNumber resno)
{
	check_stack_depth();
	if (IsA(ps, AppendState))
	{
		AppendState *append = (AppendState *) ps;

		for (int i = 0; i < append->as_nplans; i++)
			attach_input(shared, append->appendplans[i], resno);
		read_best_first(shared, append);
	}
	else if (IsA(ps, ResultState) && outerPlanState(ps) != NULL && ps->qual == NULL)
	{
		Var *var = (Var *) list_nth_node(TargetEntry, ps->plan->targetlist, resno - 1)->expr;

		if (IsA(var, Var) && var->varno == OUTER_VAR)
			attach_input(shared, outerPlanState(ps), var->varattno);
	}
	else if (IsA(ps, CustomScanState) && ((CustomScan *) ps->plan)->methods == &hz_scannode_methods)
		attach_scan(shared, (HzScanNode *) ps, resno);
	else if (IsA(ps, CustomScanState) && ((CustomScan *) ps->plan)->methods == &hz_aggnode_methods)
		attach_groups(shared, (CustomScanState *) ps, resno);
}

static void
attach_sort(SortState *sort)
{
	SortBound *shared = palloc0(sizeof(SortBound));

	shared->sort = sort;
	shared->bound.context = CurrentMemoryContext;
	attach_input(shared, outerPlanState(sort), ((Sort *) sort->ss.ps.plan)->sortColIdx[0]);
}

/* The Sorts that a limit on the rows of `ps` reaches, as ExecSetTupleBound() has it. */
static void
attach_under_limit(PlanState *ps)
{
	check_stack_depth();
	if (IsA(ps, SortState))
		attach_sort((SortState *) ps);
	else if (IsA(ps, AppendState))
	{
		for (int i = 0; i < ((AppendState *) ps)->as_nplans; i++)
			attach_under_limit(((AppendState *) ps)->appendplans[i]);
	}
	else if (IsA(ps, MergeAppendState))
	{
		for (int i = 0; i < ((MergeAppendState *) ps)->ms_nplans; i++)
			attach_under_limit(((MergeAppendState *) ps)->mergeplans[i]);
	}
	else if (IsA(ps, SubqueryScanState))
	{
		if (ps->qual == NULL)
			attach_under_limit(((SubqueryScanState *) ps)->subplan);
	}
	else if ((IsA(ps, ResultState) || IsA(ps, GatherState) || IsA(ps, GatherMergeState)) &&
			 outerPlanState(ps) != NULL)
		attach_under_limit(outerPlanState(ps));
}

static bool
find_limits(PlanState *ps, void *context)
{
	check_stack_depth();
	if (IsA(ps, LimitState) && ((LimitState *) ps)->limitCount != NULL &&
		((LimitState *) ps)->limitOption != LIMIT_OPTION_WITH_TIES)
		attach_under_limit(outerPlanState(ps));
	return planstate_tree_walker(ps, find_limits, context);
}

static void
executor_start(QueryDesc *query, int eflags)
{
	uint64 before = hz_scannode_begun;
	MemoryContext old;

	if (previous_hook != NULL)
		previous_hook(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (!enable_top_n || hz_scannode_begun == before)
		return;
	old = MemoryContextSwitchTo(query->estate->es_query_cxt);
	(void) find_limits(query->planstate, NULL);
	hz_firstrows_attach(query->planstate);
	/* the leader tells a worker of the Limit above the worker's part of the plan when it starts to run */
	if (IsParallelWorker())
		attach_under_limit(query->planstate);
	MemoryContextSwitchTo(old);
}

/* ---- Execution */

/* The number of rows that the Sort has been told of now; 0: it wants all, or too many. */
static uint32
wanted_rows(const SortState *sort)
{
	int64 most =
		(int64) work_mem * 1024 / WORK_MEM_SHARE / (int64) (sizeof(HzTopKey) + HZ_TOPLIST_ROW_SIZE);

	if (!sort->bounded || sort->bound < 0)
		return 0;
	return sort->bound <= most ? (uint32) sort->bound : 0;
}

/* Whether there is a bound for this run of the Sort; the first of its scans finds out. */
static bool
is_active(SortBound *shared)
{
	uint32 limit = wanted_rows(shared->sort);

	if (limit != shared->bound.limit)
		hz_topbound_reset(&shared->bound, limit);
	return limit > 0;
}

void
hz_topn_start(HzScanNode *node)
{
	HzTopN *top = node->top;

	if (top == NULL)
		return;
	hz_toplist_reset(&top->list);
	top->finished = false;
	top->waiting = is_active(top->shared);
	hz_batchscan_set_top(node->batches, top->waiting ? &top->column : NULL);
}

void
hz_topn_rescan(HzScanNode *node)
{
	/* a Sort that reads its input again starts each scan again before it reads from it */
	if (node->top != NULL)
		hz_topbound_reset(node->top->column.bound, 0);
}

static void
batch_keys(HzScanNode *node)
{
	HzTopN *top = node->top;
	HzVector vector;

	if (hz_batchscan_column(node->batches, top->column.attno, &vector))
		hz_topbound_keys(top->column.bound, &vector, node->rows.at, node->rows.count, top->keys);
	else
	{
		bool isnull;
		Datum value = getmissingattr(RelationGetDescr(node->css.ss.ss_currentRelation),
									 top->column.attno + 1, &isnull);
		HzTopKey key = hz_topbound_key(top->column.bound, &top->type, value, isnull);

		for (uint32 i = 0; i < node->rows.count; i++)
			top->keys[i] = key;
	}
}

static void
make_room(HzTopN *top, MemoryContext context)
{
	if (top->keys != NULL)
		return;
	top->keys = MemoryContextAlloc(context, sizeof(HzTopKey) * HZ_VECTOR_ROWS);
	top->selected = MemoryContextAlloc(context, sizeof(uint16) * HZ_VECTOR_ROWS);
}

/* Offers the rows of a batch that has passed all quals. */
static void
offer_batch(HzScanNode *node)
{
	HzTopN *top = node->top;

	for (uint32 i = 0; i < node->rows.count; i++)
		hz_topbound_offer(top->column.bound, top->keys[i]);
	top->waiting = top->waiting && hz_toplist_has_room(&top->list, top->column.bound);
}

static void
count_out(HzScanNode *node, uint32 rows)
{
	node->top->rows_out += rows;
	hz_compat_count_returned(node->css.ss.ss_currentRelation, rows);
}

void
hz_topn_filter(HzScanNode *node)
{
	HzTopN *top = node->top;
	HzRows *rows = &node->rows;
	uint32 kept = 0;

	if (rows->count == 0 || top->column.bound->limit == 0)
		return;
	make_room(top, node->css.ss.ps.state->es_query_cxt);
	batch_keys(node);
	top->offered = hz_scannode_passes_batch(node);
	if (top->offered)
		offer_batch(node);
	for (uint32 i = 0; i < rows->count; i++)
	{
		uint16 row = rows->at != NULL ? rows->at[i] : (uint16) i;

		if (hz_topbound_beats(top->column.bound, top->keys[i]))
			continue;
		if (top->offered && top->waiting)
			hz_toplist_add(&top->list, node->batch, row, top->keys[i]);
		top->selected[kept++] = row;
	}
	count_out(node, rows->count - kept);
	if (top->offered && top->waiting)
		rows->count = 0;
	else if (kept < rows->count)
		*rows = (HzRows){.count = kept, .at = top->selected};
}

bool
hz_topn_next_batch(HzScanNode *node)
{
	HzTopN *top = node->top;
	uint32 group;
	uint32 vector;
	uint32 count;

	if (!top->finished)
		count_out(node, hz_toplist_finish(&top->list, top->column.bound));
	top->finished = true;
	if (top->list.count == 0)
		return false;
	count = hz_toplist_take(&top->list, &group, &vector, top->selected);
	if (count == 0)
		return false;
	node->batch = hz_batchscan_seek(node->batches, group, vector);
	node->rows = (HzRows){.count = count, .at = top->selected};
	node->next_row = 0;
	top->offered = true;
	return true;
}

bool
hz_topn_wants(HzScanNode *node)
{
	HzTopN *top = node->top;
	HzTopBound *bound = top->column.bound;
	int attno = top->column.attno;
	MemoryContext old;

	if (node->stage == HZ_SCAN_ROWS)
	{
		/* the delta comes first, and more than one scan may feed the Sort */
		if (!is_active(top->shared))
			return true;
		top->offered = false;
	}
	if (top->offered || bound->limit == 0)
		return true;
	old = MemoryContextSwitchTo(node->css.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	top->key = hz_topbound_key(bound, &top->type, node->row->tts_values[attno],
							   node->row->tts_isnull[attno]);
	MemoryContextSwitchTo(old);
	if (!hz_topbound_beats(bound, top->key))
		return true;
	top->rows_out++;
	return false;
}

void
hz_topn_returns(HzScanNode *node)
{
	if (!node->top->offered)
		hz_topbound_offer(node->top->column.bound, node->top->key);
}

/* ---- Groups */

int
hz_topgroups_column(const HzTopGroups *top)
{
	return top->column;
}

bool
hz_topgroups_active(HzTopGroups *top)
{
	return is_active(top->shared);
}

const HzTopBound *
hz_topgroups_bound(const HzTopGroups *top)
{
	return &top->shared->bound;
}

const HzColumnType *
hz_topgroups_type(const HzTopGroups *top)
{
	return &top->type;
}

bool
hz_topgroups_wants(HzTopGroups *top, HzTopKey key)
{
	top->key = key;
	if (!hz_topbound_beats(&top->shared->bound, top->key))
		return true;
	top->out++;
	return false;
}

void
hz_topgroups_returns(HzTopGroups *top)
{
	hz_topbound_offer(&top->shared->bound, top->key);
}

void
hz_topgroups_rescan(HzTopGroups *top)
{
	hz_topbound_reset(&top->shared->bound, 0);
}

/* ---- Counters */

void
hz_topn_publish(HzScanNode *node)
{
	HzTopN *top = node->top;

	if (top == NULL)
		return;
	pg_atomic_fetch_add_u64(&node->shared->top_rows, top->rows_out);
	pg_atomic_fetch_add_u64(&node->shared->top_skipped.groups, top->column.skipped.groups);
	pg_atomic_fetch_add_u64(&node->shared->top_skipped.vectors, top->column.skipped.vectors);
	top->rows_out = 0;
	top->column.skipped = (HzPruneCount){0, 0};
}

void
hz_topn_collect(HzScanNode *node)
{
	HzTopN *top = node->top;

	if (top == NULL)
		return;
	top->rows_out = pg_atomic_read_u64(&node->shared->top_rows);
	top->column.skipped.groups = pg_atomic_read_u64(&node->shared->top_skipped.groups);
	top->column.skipped.vectors = pg_atomic_read_u64(&node->shared->top_skipped.vectors);
}

/* ---- EXPLAIN */

void
hz_topn_explain_order(const char *label, const HzTopBound *bound, const char *name,
					  ExplainState *es)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, name);
	/* as Sort Key has it: what goes without saying is not said */
	if (bound->descending)
		appendStringInfoString(&text, " DESC");
	if (bound->nulls_first != bound->descending)
		appendStringInfoString(&text, bound->nulls_first ? " NULLS FIRST" : " NULLS LAST");
	ExplainPropertyText(label, text.data, es);
}

void
hz_topn_explain(HzScanNode *node, ExplainState *es)
{
	const HzTopN *top = node->top;

	if (top == NULL)
		return;
	hz_topn_explain_order(
		"Top-N Key", top->column.bound,
		quote_identifier(NameStr(
			TupleDescAttr(RelationGetDescr(node->css.ss.ss_currentRelation), top->column.attno)
				->attname)),
		es);
}

void
hz_topgroups_explain(const HzTopGroups *top, const char *key, ExplainState *es)
{
	hz_topn_explain_order("Top-N Key", &top->shared->bound, key, es);
	if (!es->analyze)
		return;
	ExplainPropertyUInteger("Top-N Rows", NULL, wanted_rows(top->shared->sort), es);
	ExplainPropertyUInteger("Groups Removed by Top-N", NULL, top->out, es);
}

void
hz_topn_explain_counts(HzScanNode *node, ExplainState *es)
{
	const HzTopN *top = node->top;

	if (top == NULL)
		return;
	ExplainPropertyUInteger("Top-N Rows", NULL, wanted_rows(top->shared->sort), es);
	ExplainPropertyUInteger("Rows Removed by Top-N", NULL, top->rows_out, es);
	ExplainPropertyUInteger("Row Groups Skipped by Top-N", NULL, top->column.skipped.groups, es);
	ExplainPropertyUInteger("Vectors Skipped by Top-N", NULL, top->column.skipped.vectors, es);
}

bool
hz_topn_is_enabled(void)
{
	return enable_top_n;
}

void
hz_topn_init(void)
{
	DefineCustomBoolVariable(
		"hanzo_datastore.enable_top_n",
		"Enables columnar scans and aggregations to leave out rows that ORDER BY ... LIMIT will not return.",
		NULL, &enable_top_n, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	previous_hook = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
}
