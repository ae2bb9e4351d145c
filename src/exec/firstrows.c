/*
 * exec/firstrows.c
 *	  See firstrows.h.
 *
 * The least keys are states of groups (agg/grouptable.h) in a region that a callback of the query's memory context gives back.
 * What is left out is not evaluated: as in exec/topn.c, a scan with volatile functions is left alone.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "agg/groupcodes.h"
#include "base/compat.h"
#include "exec/aggcall.h"
#include "exec/firstrows.h"
#include "exec/scannode.h"
#include "exec/topn.h"

#define TRIAL_ROWS 65536 /* after so many it has to have left out */
#define TRIAL_SHARE 16   /* this part of them */
#define WORK_MEM_SHARE 2

/* Of a group's row. */
typedef struct LeastKey
{
	HzTopKey key;
	int64 seen;
} LeastKey;

struct HzFirstRows
{
	int key_count;
	int keys[HZ_KEY_MAX]; /* attnos of the partition, 0-based */
	int order;            /* attno of the first column of the order within */
	HzTopBound bound;     /* its direction; nothing else is used */
	HzGroupLayout layout;
	/* of one scan */
	bool started;
	bool given_up;
	HzRegion region;
	HzGroupTable table;
	uint32 last_group;
	uint64 rows_in;
	uint64 scan_out;
	MemoryContextCallback release;
	HzGroupRow **groups; /* by row of the batch */
	HzTopKey *sort_keys; /* by place among its rows */
	uint16 *selected;
	/* EXPLAIN */
	uint64 rows_out;
};

/* ---- Which scans */

/* What a node above a Sort keeps the first row of: columns of the Sort. */
typedef struct Partition
{
	int count;
	const AttrNumber *columns;
	const Oid *equalities;
	const Oid *collations;
	const Sort *sort;
	int order; /* the Sort's key */
} Partition;

/* Whether a column is a plain one of the scanned table; its attno, 0-based. */
static bool
find_column(const HzScanNode *node, AttrNumber resno, int *attno)
{
	const Scan *scan = (const Scan *) node->css.ss.ps.plan;
	Var *var = (Var *) list_nth_node(TargetEntry, scan->plan.targetlist, resno - 1)->expr;

	if (!IsA(var, Var) || var->varno != (int) scan->scanrelid || var->varattno <= 0)
		return false;
	*attno = var->varattno - 1;
	return true;
}

/* The columns of the partition: of types whose equality is that of groups. */
static bool
find_keys(const HzScanNode *node, const Partition *partition, const AttrNumber *resnos,
		  HzFirstRows *first)
{
	TupleDesc desc = RelationGetDescr(node->css.ss.ss_currentRelation);

	if (partition->count == 0 || partition->count > HZ_KEY_MAX)
		return false;
	for (int k = 0; k < partition->count; k++)
	{
		HzColumnType type;
		Oid typid;

		if (!find_column(node, resnos[k], &first->keys[k]))
			return false;
		typid = TupleDescAttr(desc, first->keys[k])->atttypid;
		type = hz_coltype_of(typid);
		if (!hz_aggcall_is_key(typid, partition->collations[k]) ||
			lookup_type_cache(typid, TYPECACHE_EQ_OPR)->eq_opr != partition->equalities[k] ||
			!hz_key_kind(type.kind, type.width, &first->layout.kinds[k]))
			return false;
	}
	first->key_count = first->layout.key_count = partition->count;
	hz_grouptable_layout(&first->layout, sizeof(LeastKey));
	return true;
}

/* resnos: the scan's columns for the partition, then for the order. */
static void
attach_scan(HzScanNode *node, const Partition *partition, const AttrNumber *resnos)
{
	const Plan *plan = node->css.ss.ps.plan;
	HzFirstRows *first = palloc0(sizeof(HzFirstRows));
	HzColumnType type;

	if (node->top != NULL || node->bitmap != NULL ||
		contain_volatile_functions((Node *) plan->targetlist) ||
		contain_volatile_functions((Node *) plan->qual) ||
		!find_keys(node, partition, resnos, first) ||
		!find_column(node, resnos[partition->count], &first->order))
		return;
	type = hz_coltype_for(RelationGetDescr(node->css.ss.ss_currentRelation))[first->order];
	if (hz_topn_find_order(partition->sort, partition->order, &type, &first->bound))
		node->first = first;
}

static void
attach_input(PlanState *ps, const Partition *partition, const AttrNumber *resnos)
{
	check_stack_depth();
	if (IsA(ps, AppendState))
	{
		AppendState *append = (AppendState *) ps;

		for (int i = 0; i < append->as_nplans; i++)
			attach_input(append->appendplans[i], partition, resnos);
	}
	else if (IsA(ps, ResultState) && outerPlanState(ps) != NULL && ps->qual == NULL)
	{
		AttrNumber below[HZ_KEY_MAX + 1];

		for (int i = 0; i <= partition->count; i++)
		{
			Var *var =
				(Var *) list_nth_node(TargetEntry, ps->plan->targetlist, resnos[i] - 1)->expr;

			if (!IsA(var, Var) || var->varno != OUTER_VAR)
				return;
			below[i] = var->varattno;
		}
		attach_input(outerPlanState(ps), partition, below);
	}
	else if (IsA(ps, CustomScanState) && ((CustomScan *) ps->plan)->methods == &hz_scannode_methods)
		attach_scan((HzScanNode *) ps, partition, resnos);
}

/* `order`: the Sort's column that orders rows of the same partition first. */
static void
attach_sort(PlanState *ps, Partition *partition, AttrNumber order)
{
	AttrNumber resnos[HZ_KEY_MAX + 1];

	if (!IsA(ps, SortState) || partition->count > HZ_KEY_MAX)
		return;
	partition->sort = (Sort *) ps->plan;
	while (partition->order < partition->sort->numCols &&
		   partition->sort->sortColIdx[partition->order] != order)
		partition->order++;
	if (partition->order == partition->sort->numCols)
		return;
	memcpy(resnos, partition->columns, sizeof(AttrNumber) * partition->count);
	resnos[partition->count] = order;
	attach_input(outerPlanState(ps), partition, resnos);
}

/* Window functions whose result for a row is the same whatever comes behind it. */
static bool
looks_ahead(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, WindowFunc))
	{
		Oid function = ((WindowFunc *) node)->winfnoid;

		return function != F_ROW_NUMBER && function != F_RANK_ && function != F_DENSE_RANK_;
	}
	return expression_tree_walker(node, looks_ahead, context);
}

/* Whether a run condition says that a row must be the first: row_number() <= 1, as the planner writes that. */
static bool
wants_first(const Node *condition)
{
	const OpExpr *op = (const OpExpr *) condition;
	const Const *limit;
	int64 value;

	if (!IsA(op, OpExpr) || list_length(op->args) != 2 || !IsA(linitial(op->args), WindowFunc) ||
		!IsA(lsecond(op->args), Const))
		return false;
	limit = lsecond_node(Const, op->args);
	if (limit->constisnull)
		return false;
	if (limit->consttype == INT8OID)
		value = DatumGetInt64(limit->constvalue);
	else if (limit->consttype == INT4OID)
		value = DatumGetInt32(limit->constvalue);
	else
		return false;
	switch (get_opcode(op->opno))
	{
		case F_INT8LE:
		case F_INT84LE:
			return value <= 1;
		case F_INT8LT:
		case F_INT84LT:
			return value <= 2;
		default:
			return false;
	}
}

/* A window above this one would miss the rows. */
static void
attach_window(PlanState *ps)
{
	const WindowAgg *plan = (const WindowAgg *) ps->plan;
	Partition partition = {.count = plan->partNumCols,
						   .columns = plan->partColIdx,
						   .equalities = plan->partOperators,
						   .collations = plan->partCollations};
	bool first = false;
	ListCell *cell;

	foreach(cell, plan->runConditionOrig)
		first = first || wants_first(lfirst(cell));
	if (first && plan->topWindow && plan->ordNumCols > 0 &&
		!looks_ahead((Node *) plan->plan.targetlist, NULL))
		attach_sort(outerPlanState(ps), &partition, plan->ordColIdx[0]);
}

/* DISTINCT ON, if the Sort has more keys than these. */
static void
attach_unique(PlanState *ps)
{
	const Unique *plan = (const Unique *) ps->plan;
	Partition partition = {.count = plan->numCols,
						   .columns = plan->uniqColIdx,
						   .equalities = plan->uniqOperators,
						   .collations = plan->uniqCollations,
						   .order = plan->numCols};
	const Sort *sort = (const Sort *) outerPlanState(ps)->plan;

	if (IsA(sort, Sort) && sort->numCols > plan->numCols)
		attach_sort(outerPlanState(ps), &partition, sort->sortColIdx[plan->numCols]);
}

static bool
find_above(PlanState *ps, void *context)
{
	check_stack_depth();
	if (IsA(ps, WindowAggState))
		attach_window(ps);
	else if (IsA(ps, UniqueState))
		attach_unique(ps);
	return planstate_tree_walker(ps, find_above, context);
}

void
hz_firstrows_attach(PlanState *ps)
{
	(void) find_above(ps, NULL);
}

/* ---- Execution */

static void
forget(HzFirstRows *first)
{
	hz_grouptable_free(&first->table);
	hz_region_free(&first->region);
}

static void
release(void *arg)
{
	forget(arg);
}

static void
start(HzFirstRows *first, MemoryContext context)
{
	if (first->groups == NULL)
	{
		first->selected = MemoryContextAlloc(context, sizeof(uint16) * HZ_VECTOR_ROWS);
		first->sort_keys = MemoryContextAlloc(context, sizeof(HzTopKey) * HZ_VECTOR_ROWS);
		first->release = (MemoryContextCallback){.func = release, .arg = first};
		MemoryContextRegisterResetCallback(context, &first->release);
		first->groups = MemoryContextAlloc(context, sizeof(HzGroupRow *) * HZ_VECTOR_ROWS);
	}
	first->started = true;
	first->last_group = PG_UINT32_MAX;
	first->given_up = !hz_grouptable_init(&first->table, &first->layout, &first->region);
}

/* Finds the partitions of the batch's rows; false: not here. */
static bool
find_groups(HzFirstRows *first, HzScanNode *node)
{
	HzVector keys[HZ_KEY_MAX];
	uint32 group = node->batch->group->number;

	for (int k = 0; k < first->key_count; k++)
	{
		if (!hz_batchscan_column(node->batches, first->keys[k], &keys[k]))
			return false;
	}
	if (group != first->last_group)
		hz_grouptable_forget_codes(&first->table);
	first->last_group = group;
	if (hz_grouptable_find(&first->table, keys, node->rows.at, node->rows.count, first->groups) !=
		HZ_GROUP_OK)
	{
		first->given_up = true;
		return false;
	}
	return true;
}

/* Where the LeastKey of a row's partition is: at a multiple of 8 only, so it is copied out and in. */
static void *
least_of(const HzFirstRows *first, const HzRows *rows, uint32 i)
{
	HzGroupRow *row = first->groups[rows->at != NULL ? rows->at[i] : i];

	return (uint8 *) row + first->layout.states_offset;
}

static void
note_keys(HzFirstRows *first, const HzRows *rows)
{
	for (uint32 i = 0; i < rows->count; i++)
	{
		void *least = least_of(first, rows, i);
		LeastKey known;

		memcpy(&known, least, sizeof(known));
		if (first->sort_keys[i] == HZ_TOPBOUND_UNKNOWN ||
			(known.seen != 0 && known.key <= first->sort_keys[i]))
			continue;
		known = (LeastKey){.key = first->sort_keys[i], .seen = 1};
		memcpy(least, &known, sizeof(known));
	}
}

static void
drop_rows(HzFirstRows *first, HzRows *rows)
{
	uint32 kept = 0;

	for (uint32 i = 0; i < rows->count; i++)
	{
		LeastKey known;

		memcpy(&known, least_of(first, rows, i), sizeof(known));
		if (known.seen == 0 || first->sort_keys[i] <= known.key)
			first->selected[kept++] = rows->at != NULL ? rows->at[i] : (uint16) i;
	}
	*rows = (HzRows){.count = kept, .at = first->selected};
}

/* Whether it is worth going on. */
static bool
pays(const HzFirstRows *first)
{
	Size bytes = first->region.total - hz_groupcodes_bytes(&first->table);

	return bytes <= (Size) work_mem * 1024 / WORK_MEM_SHARE &&
		   (first->rows_in < TRIAL_ROWS || first->scan_out >= first->rows_in / TRIAL_SHARE);
}

void
hz_firstrows_filter(HzScanNode *node)
{
	HzFirstRows *first = node->first;
	uint32 before = node->rows.count;
	HzVector order;

	if (!first->started)
		start(first, node->css.ss.ps.state->es_query_cxt);
	if (first->given_up || before == 0 || !hz_scannode_passes_batch(node) ||
		!hz_batchscan_column(node->batches, first->order, &order) || !find_groups(first, node))
		return;
	hz_topbound_keys(&first->bound, &order, node->rows.at, before, first->sort_keys);
	note_keys(first, &node->rows);
	drop_rows(first, &node->rows);
	first->rows_in += before;
	first->scan_out += before - node->rows.count;
	first->rows_out += before - node->rows.count;
	hz_compat_count_returned(node->css.ss.ss_currentRelation, before - node->rows.count);
	first->given_up = !pays(first);
	if (first->given_up)
		forget(first);
}

void
hz_firstrows_rescan(HzScanNode *node)
{
	HzFirstRows *first = node->first;

	if (first == NULL)
		return;
	forget(first);
	first->started = false;
	first->rows_in = first->scan_out = 0;
}

/* ---- EXPLAIN */

static const char *
column_name(const HzScanNode *node, int attno)
{
	TupleDesc desc = RelationGetDescr(node->css.ss.ss_currentRelation);

	return quote_identifier(NameStr(TupleDescAttr(desc, attno)->attname));
}

void
hz_firstrows_explain(HzScanNode *node, ExplainState *es)
{
	const HzFirstRows *first = node->first;
	List *names = NIL;

	if (first == NULL)
		return;
	for (int k = 0; k < first->key_count; k++)
		names = lappend(names, (char *) column_name(node, first->keys[k]));
	ExplainPropertyList("First Row Per", names, es);
	hz_topn_explain_order("First Row By", &first->bound, column_name(node, first->order), es);
}

void
hz_firstrows_explain_counts(HzScanNode *node, ExplainState *es)
{
	if (node->first != NULL)
		ExplainPropertyUInteger("Rows Removed as Not First", NULL, node->first->rows_out, es);
}
