/*
 * plan/aggpath.c
 *	  See aggpath.h.
 *
 * Whether a step can be done in vectors is decided here, for all of it: every key of a type whose equality the hash table
 * knows, every aggregate one with native states (exec/aggcall.h), no volatile function, no subplan, no set.
 * Expressions are rewritten over the input's target list, position by position, since only that survives to the executor
 * for a table and for an Append alike; they travel in custom_private, which the planner leaves alone. Parameters in them
 * are repeated in custom_exprs, where the planner looks for what a rescan depends on.
 *
 * Costs: the input's, of which a half, its rows' way through the executor, is saved, if it is a scan; and a tenth of an operator for
 * every key and aggregate of a row.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "utils/guc.h"
#include "utils/selfuncs.h"

#include "base/compat.h"
#include "exec/aggcall.h"
#include "exec/aggnode.h"
#include "exec/scannode.h"
#include "plan/aggpath.h"
#include "plan/groupcount.h"
#include "plan/lookuppath.h"

#define INPUT_SHARE 0.5
#define STEP_SHARE 0.1

/* What the hook finds out about a grouping step. */
typedef struct GroupingStep
{
	PlannerInfo *root;
	RelOptInfo *input_rel;
	RelOptInfo *output_rel;
	List *having;     /* implicit AND list */
	List *clause;     /* SortGroupClauses of the keys */
	List *own_clause; /* less those that the planner has seen to be superfluous */
	List *pathkeys;
	bool can_hash;
	PathTarget *target; /* of the step */
	Path *whole;        /* PostgreSQL's own input */
	Path *input;        /* what is read in batches: the same, or one side of a join */
	List *input_exprs;
	double input_share; /* of the cost of its rows that is left */
	HzLookupJoin join;  /* no sides: no join */
	List *group_exprs;  /* of the clause, then those that are the same in all rows of a group */
	List *aggrefs;
	/* over the input's target list */
	List *keys;
	List *arguments;
	List *filters;
	List *join_quals;
} GroupingStep;

static bool enable_columnar_agg = true;
static bool enable_lookup_join = true;
static bool enable_nested_agg = true;
static create_upper_paths_hook_type previous_hook = NULL;

/* ---- Plan */

/* custom_private of the path: as the plan's, then what else it is made of. */
#define PATH_GROUP_EXPRS 5
#define PATH_AGGREFS 6
#define PATH_JOIN_CLAUSES 7
#define PATH_HAVING 8

static bool
collect_params(Node *node, List **params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		*params = list_append_unique(*params, node);
	return expression_tree_walker(node, collect_params, params);
}

static List *
scan_tlist(List *private)
{
	List *exprs =
		list_concat_copy(list_nth(private, PATH_GROUP_EXPRS), list_nth(private, PATH_AGGREFS));
	List *tlist = NIL;
	ListCell *cell;

	foreach(cell, list_concat(exprs, list_nth(private, PATH_JOIN_CLAUSES)))
		tlist = lappend(
			tlist, makeTargetEntry(lfirst(cell), (AttrNumber) list_length(tlist) + 1, NULL, false));
	return tlist;
}

static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *plan = makeNode(CustomScan);
	List *private = path->custom_private;
	List *params = NIL;

	plan->flags = path->flags;
	plan->methods = &hz_aggnode_methods;
	plan->scan.scanrelid = 0;
	plan->scan.plan.targetlist = tlist;
	plan->scan.plan.qual = list_nth(private, PATH_HAVING);
	plan->custom_scan_tlist = scan_tlist(private);
	plan->custom_private = list_copy_head(private, PATH_GROUP_EXPRS);
	(void) collect_params((Node *) list_copy_head(private, HZ_AGGNODE_LOOKUPS), &params);
	(void) collect_params(list_nth(private, PATH_AGGREFS), &params);
	plan->custom_exprs = params;
	plan->custom_plans = custom_plans;
	return &plan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = HZ_AGGNODE_NAME,
	.PlanCustomPath = plan_path,
};

/* ---- Expressions */

typedef struct RewriteContext
{
	List *input_exprs;
	bool failed;
} RewriteContext;

static Node *
rewrite(Node *node, void *arg)
{
	RewriteContext *context = arg;
	ListCell *cell;

	if (node == NULL)
		return NULL;
	foreach(cell, context->input_exprs)
	{
		if (equal(node, lfirst(cell)))
			return (Node *) makeVar(OUTER_VAR, (AttrNumber) foreach_current_index(cell) + 1,
									exprType(node), exprTypmod(node), exprCollation(node), 0);
	}
	if (IsA(node, Var) || IsA(node, PlaceHolderVar) || IsA(node, Aggref) ||
		IsA(node, GroupingFunc) || IsA(node, WindowFunc) || IsA(node, SubPlan) ||
		IsA(node, AlternativeSubPlan))
	{
		context->failed = true;
		return node;
	}
	return expression_tree_mutator(node, rewrite, arg);
}

/* The expression over the input's target list; NULL: it needs something else. */
static Node *
over_input(const GroupingStep *step, Node *node)
{
	RewriteContext context = {.input_exprs = step->input_exprs};
	Node *result = rewrite(node, &context);

	return context.failed ? NULL : result;
}

/* What the executor could not do in vectors, or not twice. */
static bool
is_plain_expression(Node *node)
{
	return !contain_volatile_functions(node) && !contain_subplans(node) &&
		   !expression_returns_set(node);
}

static bool
add_keys(GroupingStep *step)
{
	ListCell *cell;

	if (list_length(step->group_exprs) > HZ_KEY_MAX)
		return false;
	foreach(cell, step->group_exprs)
	{
		Node *expr = lfirst(cell);
		Node *over = over_input(step, expr);

		if (over == NULL || !is_plain_expression(expr) ||
			!hz_aggcall_is_key(exprType(expr), exprCollation(expr)))
			return false;
		step->keys = lappend(step->keys, over);
	}
	return true;
}

/* An aggregate's argument or filter; NULL where it has none. */
static bool
add_expression(const GroupingStep *step, Expr *expr, List **list)
{
	Node *over = expr != NULL ? over_input(step, (Node *) expr) : NULL;

	if (expr != NULL && (over == NULL || !is_plain_expression((Node *) expr)))
		return false;
	*list = lappend(*list, over);
	return true;
}

static bool
add_aggregates(GroupingStep *step)
{
	ListCell *cell;

	if (list_length(step->aggrefs) > HZ_AGGREGATES_MAX)
		return false;
	foreach(cell, step->aggrefs)
	{
		HzAggCall call;

		if (!hz_aggcall_classify(lfirst_node(Aggref, cell), &call) ||
			!add_expression(step, call.argument, &step->arguments) ||
			!add_expression(step, call.filter, &step->filters))
			return false;
	}
	return true;
}

static bool
add_join(GroupingStep *step)
{
	ListCell *cell;

	foreach(cell, step->join.rest)
	{
		if (!add_expression(step, lfirst(cell), &step->join_quals))
			return false;
	}
	return true;
}

/*
 * Whether a column is the same in all rows of a group, since the primary key of its table is grouped by: then the query may have it
 * without grouping by it, or the planner has left it out of the clause. Inheritance children may repeat their parent's keys.
 */
static bool
depends_on_keys(PlannerInfo *root, List *group_exprs, const Var *var)
{
	const RangeTblEntry *entry = planner_rt_fetch(var->varno, root);
	Bitmapset *key;
	Oid constraint;
	ListCell *cell;

	if (var->varlevelsup > 0 || entry->rtekind != RTE_RELATION ||
		(entry->inh && entry->relkind != RELKIND_PARTITIONED_TABLE))
		return false;
	key = get_primary_key_attnos(entry->relid, false, &constraint);
	if (key == NULL)
		return false;
	foreach(cell, group_exprs)
	{
		const Var *grouped = lfirst(cell);

		if (IsA(grouped, Var) && grouped->varno == var->varno && grouped->varlevelsup == 0)
			key = bms_del_member(key, grouped->varattno - FirstLowInvalidHeapAttributeNumber);
	}
	return bms_is_empty(key);
}

/* Finds aggregates, and columns that depend on what is grouped by; true: something that is neither in the first nor the second. */
typedef struct FindContext
{
	PlannerInfo *root;
	List *group_exprs;
	List *aggrefs;
	List *dependents;
} FindContext;

static bool
find_aggregates(Node *node, FindContext *context)
{
	if (node == NULL)
		return false;
	if (list_member(context->group_exprs, node) || list_member(context->dependents, node))
		return false;
	if (IsA(node, Aggref))
	{
		context->aggrefs = list_append_unique(context->aggrefs, node);
		return false;
	}
	if (IsA(node, Var) && depends_on_keys(context->root, context->group_exprs, (Var *) node))
	{
		context->dependents = lappend(context->dependents, node);
		return false;
	}
	if (IsA(node, Var) || IsA(node, PlaceHolderVar) || IsA(node, GroupingFunc))
		return true;
	return expression_tree_walker(node, find_aggregates, context);
}

/* ---- Paths */

/* Of a scan that computes expressions itself: the planner puts no node above it. */
static bool
is_columnar_scan(Path *path)
{
	if (IsA(path, ProjectionPath))
		path = ((ProjectionPath *) path)->subpath;
	return IsA(path, CustomPath) &&
		   strcmp(((CustomPath *) path)->methods->CustomName, HZ_SCANNODE_NAME) == 0 &&
		   ((CustomPath *) path)->custom_paths == NIL;
}

static bool
is_input(Path *path)
{
	ListCell *cell;

	if (path->parallel_aware || path->param_info != NULL)
		return false;
	if (is_columnar_scan(path))
		return true;
	if (!IsA(path, AppendPath))
		return false;
	foreach(cell, ((AppendPath *) path)->subpaths)
	{
		if (is_columnar_scan(lfirst(cell)))
			return true;
	}
	return false;
}

static Path *
find_input(RelOptInfo *rel)
{
	Path *best = NULL;
	ListCell *cell;

	foreach(cell, rel->pathlist)
	{
		Path *path = lfirst(cell);

		if (is_input(path) && (best == NULL || path->total_cost < best->total_cost))
			best = path;
	}
	return best;
}

/* PostgreSQL's own way over the same input. */
static Path *
make_plain_path(const GroupingStep *step, double groups)
{
	PlannerInfo *root = step->root;
	AggClauseCosts costs = {0};
	Path *input = step->whole;
	AggStrategy strategy = AGG_PLAIN;

	if (step->aggrefs != NIL)
		get_agg_clause_costs(root, AGGSPLIT_SIMPLE, &costs);
	if (step->own_clause != NIL && step->can_hash)
		strategy = AGG_HASHED;
	else
	{
		/*
		 * None: conditions make all keys constants, or there are no keys. From PostgreSQL 16 on what an aggregate is to get in order, or
		 * without doubles, is among them (Aggref.aggpresorted): it counts on that.
		 */
		if (step->pathkeys != NIL)
			input = (Path *) create_sort_path(root, step->output_rel, input, step->pathkeys, -1.0);
		strategy = step->clause != NIL ? AGG_SORTED : AGG_PLAIN;
	}
	return (Path *) create_agg_path(root, step->output_rel, input, step->target, strategy,
									AGGSPLIT_SIMPLE, step->own_clause, step->having, &costs,
									groups);
}

static void
add_sides(const GroupingStep *step, CustomPath *path, List **keys)
{
	ListCell *cell;

	*keys = NIL;
	foreach(cell, step->join.sides)
	{
		const HzLookupSide *side = lfirst(cell);

		path->custom_paths = lappend(path->custom_paths, side->path);
		*keys = lappend(*keys,
						list_make3(side->input_keys, side->own_keys, makeInteger(side->jointype)));
		path->path.startup_cost += side->path->total_cost + side->path->rows * cpu_tuple_cost;
		path->path.total_cost += side->path->total_cost + side->path->rows * cpu_tuple_cost;
	}
}

static void
add_columnar_path(const GroupingStep *step)
{
	PlannerInfo *root = step->root;
	CustomPath *path = makeNode(CustomPath);
	Path *input = step->input;
	int steps = 1 + list_length(step->keys) + list_length(step->arguments) +
				list_length(step->join.clauses);
	double groups = 1;
	List *keys;

	if (step->clause != NIL)
		groups = hz_groupcount(root, get_sortgrouplist_exprs(step->clause, root->processed_tlist),
							   step->whole->rows);
	path->path.pathtype = T_CustomScan;
	path->path.parent = step->output_rel;
	path->path.pathtarget = step->target;
	path->path.rows = groups;
	if (step->having != NIL)
		path->path.rows =
			clamp_row_est(groups * clauselist_selectivity(root, step->having, 0, JOIN_INNER, NULL));
	path->path.startup_cost = input->startup_cost +
							  (input->total_cost - input->startup_cost) * step->input_share +
							  input->rows * cpu_operator_cost * STEP_SHARE * steps;
	path->path.total_cost = path->path.startup_cost + groups * cpu_tuple_cost +
							path->path.pathtarget->cost.startup +
							path->path.rows * path->path.pathtarget->cost.per_tuple;
	path->methods = &path_methods;
	path->custom_paths = list_make2(input, make_plain_path(step, groups));
	add_sides(step, path, &keys);
	path->custom_private =
		list_make5(step->keys, step->arguments, step->filters, step->join_quals, keys);
	path->custom_private =
		list_concat(path->custom_private,
					list_make4(step->group_exprs, step->aggrefs, step->join.clauses, step->having));
	add_path(step->output_rel, &path->path);
}

/* What the step reads in vectors; false: nothing. */
static bool
choose_input(GroupingStep *step)
{
	step->input_share = INPUT_SHARE;
	step->input = step->whole = find_input(step->input_rel);
	if (step->input != NULL)
	{
		step->input_exprs = step->input->pathtarget->exprs;
		return true;
	}
	if (enable_nested_agg &&
		hz_lookuppath_groups(step->root, step->input_rel, &step->input, &step->whole))
	{
		step->input_exprs = step->input->pathtarget->exprs;
		step->input_share = 1;
		return true;
	}
	if (!enable_lookup_join ||
		!hz_lookuppath_find(step->root, step->input_rel, find_input, &step->join))
		return false;
	step->input = find_input(step->join.input);
	step->whole = hz_lookuppath_plain(step->input_rel, &step->join);
	step->input_exprs = step->join.exprs;
	return step->whole != NULL && step->whole->param_info == NULL;
}

/* Adds a path for the step, whose clause is set, if all of it can be done in vectors. */
static void
consider_step(GroupingStep *step)
{
	FindContext find = {.root = step->root};

	if (step->output_rel->reloptkind != RELOPT_UPPER_REL || !choose_input(step))
		return;
	/* DISTINCT returns what it is given */
	step->target = step->output_rel->reltarget;
	if (step->target->exprs == NIL)
		step->target = step->whole->pathtarget;
	step->group_exprs = get_sortgrouplist_exprs(step->clause, step->root->processed_tlist);
	find.group_exprs = step->group_exprs;
	if (find_aggregates((Node *) step->target->exprs, &find) ||
		find_aggregates((Node *) step->having, &find) ||
		!is_plain_expression((Node *) step->input_exprs))
		return;
	step->group_exprs = list_concat(step->group_exprs, find.dependents);
	step->aggrefs = find.aggrefs;
	if (add_keys(step) && add_aggregates(step) && add_join(step))
		add_columnar_path(step);
}

static void
consider_grouping(PlannerInfo *root, RelOptInfo *input_rel, RelOptInfo *output_rel,
				  const GroupPathExtraData *extra)
{
	GroupingStep step = {.root = root,
						 .input_rel = input_rel,
						 .output_rel = output_rel,
						 .having = (List *) extra->havingQual,
						 .clause = root->parse->groupClause,
						 .own_clause = hz_compat_group_clause(root),
						 .pathkeys = root->group_pathkeys,
						 .can_hash = (extra->flags & GROUPING_CAN_USE_HASH) != 0};

	if (root->parse->groupingSets == NIL && (root->parse->hasAggs || step.clause != NIL))
		consider_step(&step);
}

/* SELECT DISTINCT straight from a table. */
static void
consider_distinct(PlannerInfo *root, RelOptInfo *input_rel, RelOptInfo *output_rel)
{
	Query *parse = root->parse;
	GroupingStep step = {.root = root,
						 .input_rel = input_rel,
						 .output_rel = output_rel,
						 .clause = root->parse->distinctClause,
						 .own_clause = hz_compat_distinct_clause(root),
						 .pathkeys = root->distinct_pathkeys};

	if (step.clause == NIL || parse->hasDistinctOn || parse->hasAggs || parse->hasWindowFuncs ||
		parse->groupClause != NIL || parse->groupingSets != NIL || parse->havingQual != NULL)
		return;
	step.can_hash = grouping_is_hashable(step.clause);
	if (step.can_hash || grouping_is_sortable(step.clause))
		consider_step(&step);
}

static void
upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
			RelOptInfo *output_rel, void *extra)
{
	if (previous_hook != NULL)
		previous_hook(root, stage, input_rel, output_rel, extra);
	if (!enable_columnar_agg)
		return;
	if (stage == UPPERREL_GROUP_AGG && extra != NULL)
		consider_grouping(root, input_rel, output_rel, extra);
	else if (stage == UPPERREL_DISTINCT)
		consider_distinct(root, input_rel, output_rel);
}

void
hz_aggpath_init(void)
{
	DefineCustomBoolVariable(
		"hanzo_datastore.enable_columnar_agg", "Enables the planner's use of columnar aggregation.",
		"It groups and aggregates columnar tables in vectors.", &enable_columnar_agg, true,
		PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomBoolVariable("hanzo_datastore.enable_lookup_join",
							 "Enables joins below columnar aggregation.",
							 "Its rows look up what small sides of a join have for them.",
							 &enable_lookup_join, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomBoolVariable("hanzo_datastore.enable_nested_agg",
							 "Enables columnar aggregation above another.",
							 "It reads the groups of a grouped subquery as they are.",
							 &enable_nested_agg, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	previous_hook = create_upper_paths_hook;
	create_upper_paths_hook = upper_paths;
}
