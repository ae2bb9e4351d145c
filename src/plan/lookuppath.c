/*
 * plan/lookuppath.c
 *	  See lookuppath.h.
 *
 * The tables of the join but the input fall into sides: those that have join clauses with each other, other than through the input, are
 * joined first, by the plan that the planner has found for them. The clauses between the input and a side are asked from the
 * planner as it would join the two. A subquery, or whatever else is no table, is a side by itself.
 *
 * A side may be that of a left, semi or anti join of the input, and of nothing else with it: then its place among the other
 * joins makes no difference. Its condition must be nothing but keys, since whatever else it has would not remove rows, or rows of
 * the side that have them. Joins of any kind inside a side are the planner's.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/joininfo.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "agg/groupkey.h"
#include "base/compat.h"
#include "exec/aggcall.h"
#include "exec/aggnode.h"
#include "exec/aggside.h"
#include "plan/lookuppath.h"
#include "storage/coltype.h"

#define ROW_OVERHEAD 64 /* bytes that a row of a side takes beside its values */
#define GROWTH \
	1.5 /* rows of the join for each of the input's: from there on keys will not be unique */

/* What rules out any join of a query. */
static bool
is_plain_query(PlannerInfo *root)
{
	return root->placeholder_list == NIL && !root->hasLateralRTEs &&
		   !root->hasPseudoConstantQuals && root->qual_security_level == 0 &&
		   root->parse->rowMarks == NIL && !contain_volatile_functions((Node *) root->parse);
}

/* What is no table can be a side if it does not change while it is read. */
static bool
can_be_side(PlannerInfo *root, RelOptInfo *rel)
{
	switch (rel->rtekind)
	{
		case RTE_RELATION:
		case RTE_SUBQUERY:
		case RTE_FUNCTION:
		case RTE_VALUES:
			return true;
		case RTE_CTE:
			return !planner_rt_fetch(rel->relid, root)->self_reference;
		default:
			return false;
	}
}

/* The largest table that can be the input; NULL: none, or some relation cannot even be a side. */
static RelOptInfo *
choose_input(PlannerInfo *root, Relids relids, HzFindInput find_input)
{
	RelOptInfo *best = NULL;
	int relid = -1;

	while ((relid = bms_next_member(relids, relid)) >= 0)
	{
		RelOptInfo *rel = find_base_rel(root, relid);

		if (!can_be_side(root, rel))
			return NULL;
		if (rel->rtekind == RTE_RELATION && (best == NULL || rel->rows > best->rows) &&
			find_input(rel) != NULL)
			best = rel;
	}
	return best;
}

/* The relids of all that is joined to `first` without the input. */
static Relids
connected(PlannerInfo *root, Relids others, int first)
{
	Relids found = bms_make_singleton(first);
	bool grown = true;

	while (grown)
	{
		int relid = -1;

		grown = false;
		while ((relid = bms_next_member(others, relid)) >= 0)
		{
			int member = -1;

			if (bms_is_member(relid, found))
				continue;
			while (!grown && (member = bms_next_member(found, member)) >= 0)
				grown = have_relevant_joinclause(root, find_base_rel(root, relid),
												 find_base_rel(root, member));
			if (grown)
			{
				found = bms_add_member(found, relid);
				break;
			}
		}
	}
	return found;
}

/* Whether only one plan can have it; of several relations none may be so. */
static bool
is_once(PlannerInfo *root, Relids relids)
{
	int relid = -1;

	relids = hz_compat_without_outer_joins(root, relids);
	while ((relid = bms_next_member(relids, relid)) >= 0)
	{
		if (find_base_rel(root, relid)->rtekind != RTE_RELATION)
			return true;
	}
	return false;
}

static RelOptInfo *
find_rel(PlannerInfo *root, Relids relids)
{
	int relid;

	return bms_get_singleton_member(relids, &relid) ? find_base_rel(root, relid)
													: find_join_rel(root, relids);
}

/* The place of an expression in a list, from 1; 0: it is not there. */
static int
place_of(Node *expr, List *exprs)
{
	ListCell *cell;

	foreach(cell, exprs)
	{
		if (equal(expr, lfirst(cell)))
			return foreach_current_index(cell) + 1;
	}
	return 0;
}

/* Whether an operator is the type's own equality, which lookups have for values of such a type. */
static bool
is_key_equality(Oid opno, Oid collation)
{
	HzKeyKind kind;
	HzColumnType type;
	Oid left;
	Oid right;

	op_input_types(opno, &left, &right);
	if (left != right || !hz_aggcall_is_key(left, collation) ||
		lookup_type_cache(left, TYPECACHE_EQ_OPR)->eq_opr != opno)
		return false;
	type = hz_coltype_of(left);
	return hz_key_kind(type.kind, type.width, &kind) && kind != HZ_KEY_NUMERIC;
}

/* Takes a clause as a key of the side, if it is one: a column of the input equals something that the side returns. */
static bool
add_key(RestrictInfo *info, RelOptInfo *input, List *input_exprs, HzLookupSide *side)
{
	OpExpr *op = (OpExpr *) info->clause;
	Node *mine;
	Node *other;
	int input_key;
	int own_key;

	if (!info->can_join || !IsA(op, OpExpr) || list_length(op->args) != 2 ||
		list_length(side->own_keys) >= HZ_KEY_MAX || !is_key_equality(op->opno, op->inputcollid))
		return false;
	mine = linitial(op->args);
	other = lsecond(op->args);
	if (!bms_is_subset(info->left_relids, input->relids))
	{
		mine = lsecond(op->args);
		other = linitial(op->args);
	}
	input_key = place_of(mine, input_exprs);
	own_key = place_of(other, side->path->pathtarget->exprs);
	if (!IsA(mine, Var) || input_key == 0 || own_key == 0 || exprType(mine) != exprType(other))
		return false;
	side->input_keys = lappend_int(side->input_keys, input_key);
	side->own_keys = lappend_int(side->own_keys, own_key);
	side->operators = lappend_oid(side->operators, op->opno);
	return true;
}

/* The query that a relation stands for; NULL: none. */
static Query *
query_of(PlannerInfo *root, const RelOptInfo *rel)
{
	RangeTblEntry *entry = planner_rt_fetch(rel->relid, root);
	ListCell *cell;

	if (rel->rtekind == RTE_SUBQUERY)
		return entry->subquery;
	if (rel->rtekind != RTE_CTE)
		return NULL;
	for (Index level = 0; level < entry->ctelevelsup && root != NULL; level++)
		root = root->parent_root;
	foreach(cell, root != NULL ? root->parse->cteList : NIL)
	{
		CommonTableExpr *cte = lfirst_node(CommonTableExpr, cell);

		if (strcmp(cte->ctename, entry->ctename) == 0)
			return castNode(Query, cte->ctequery);
	}
	return NULL;
}

/* Whether the keys of a side are certain to be unique: a subquery's that groups by them, say. What tables have, estimates know. */
static bool
has_unique_keys(PlannerInfo *root, const HzLookupSide *side)
{
	const RelOptInfo *rel = side->path->parent;
	List *columns = NIL;
	Query *query;
	ListCell *cell;

	if (rel->reloptkind != RELOPT_BASEREL || side->own_keys == NIL)
		return false;
	query = query_of(root, rel);
	if (query == NULL || !query_supports_distinctness(query))
		return false;
	foreach(cell, side->own_keys)
	{
		const Var *var = list_nth(side->path->pathtarget->exprs, lfirst_int(cell) - 1);

		if (!IsA(var, Var) || var->varno != (int) rel->relid || var->varattno <= 0)
			return false;
		columns = lappend_int(columns, var->varattno);
	}
	return query_is_distinct_for(query, columns, side->operators);
}

/* Whether rows of the input are only asked whether they find something there. */
static bool
is_only_asked(const HzLookupSide *side)
{
	return side->jointype == JOIN_SEMI || side->jointype == JOIN_ANTI;
}

/* Whether the join has so many more rows than the input that some keys cannot be unique. */
static bool
multiplies(PlannerInfo *root, const RelOptInfo *joinrel, const HzLookupJoin *join)
{
	ListCell *cell;

	if (joinrel->rows <= join->input->rows * GROWTH)
		return false;
	foreach(cell, join->sides)
	{
		if (!is_only_asked(lfirst(cell)) && !has_unique_keys(root, lfirst(cell)))
			return true;
	}
	return false;
}

/* The clauses with which the planner would join two relations, whose join it has considered. `outer`: NULL for an inner join. */
static List *
clauses_between(PlannerInfo *root, Relids relids, RelOptInfo *left, RelOptInfo *right,
				SpecialJoinInfo *outer)
{
	SpecialJoinInfo inner = {.type = T_SpecialJoinInfo, .jointype = JOIN_INNER};
	List *clauses = NIL;

	inner.min_lefthand = inner.syn_lefthand = left->relids;
	inner.min_righthand = inner.syn_righthand = right->relids;
	(void) hz_compat_build_join_rel(root, relids, left, right, outer != NULL ? outer : &inner,
									&clauses);
	return clauses;
}

/*
 * A column of type record: EXPLAIN could not name its fields, since it looks for the subquery's plan where there is none. With
 * `whole`, whole rows count, too.
 */
static bool
returns_record(const Path *path, bool whole)
{
	ListCell *cell;

	foreach(cell, path->pathtarget->exprs)
	{
		const Var *var = lfirst(cell);

		if (IsA(var, Var) &&
			(var->varattno == InvalidAttrNumber ? whole : var->vartype == RECORDOID))
			return true;
	}
	return false;
}

/* Whether each relation of a side is null-extended with the left join of the side: by it, or by a left join inside the side. */
static bool
all_are_nullable(PlannerInfo *root, Relids relids, const SpecialJoinInfo *outer)
{
	Relids rest = bms_difference(relids, outer->syn_righthand);
	ListCell *cell;

	foreach(cell, root->join_info_list)
	{
		const SpecialJoinInfo *info = lfirst_node(SpecialJoinInfo, cell);

		if (info != outer && info->jointype == JOIN_LEFT)
			rest = bms_del_members(rest, info->syn_righthand);
	}
	return bms_is_empty(rest);
}

/* Whether the join can be that of a side with the relations. */
static bool
can_join_side(PlannerInfo *root, Relids relids, const SpecialJoinInfo *info)
{
	switch (info->jointype)
	{
		case JOIN_LEFT:
			return all_are_nullable(root, relids, info);
		case JOIN_SEMI:
		case JOIN_ANTI:
			return bms_is_subset(relids, info->syn_righthand);
		default:
			return false;
	}
}

/*
 * How the joins that are not inner ones concern a side, of the relations `relids`: *outer is that of the input to it, NULL: an inner
 * one; *inside what those inside the side are called among the relids. False: another join, or not of the input alone.
 */
static bool
classify_joins(PlannerInfo *root, Relids input, Relids relids, SpecialJoinInfo **outer,
			   Relids *inside)
{
	ListCell *cell;

	*outer = NULL;
	*inside = NULL;
	foreach(cell, root->join_info_list)
	{
		SpecialJoinInfo *info = lfirst_node(SpecialJoinInfo, cell);
		Relids both =
			hz_compat_without_outer_joins(root, bms_union(info->min_lefthand, info->min_righthand));

		if (!bms_overlap(both, relids))
			continue;
		if (bms_is_subset(both, relids))
		{
			*inside = hz_compat_add_outer_join(*inside, info);
			continue;
		}
		if (*outer != NULL || !bms_equal(info->min_lefthand, input) ||
			!bms_is_subset(info->syn_righthand, bms_union(relids, hz_compat_outer_joins(root))))
			return false;
		*outer = info;
	}
	return *outer == NULL || can_join_side(root, relids, *outer);
}

/* Sorts the clauses of a side into keys and the rest; false: one that this cannot do. */
static bool
add_clauses(HzLookupJoin *join, HzLookupSide *side, List *clauses, List *input_exprs, Relids relids)
{
	ListCell *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);
		bool joins = !IS_OUTER_JOIN(side->jointype) || !RINFO_IS_PUSHED_DOWN(info, relids);

		if (info->pseudoconstant || contain_subplans((Node *) info->clause))
			return false;
		join->clauses = lappend(join->clauses, info->clause);
		if (joins && add_key(info, join->input, input_exprs, side))
			continue;
		/* more than keys does not remove rows of the join, but matches */
		if (joins && side->jointype != JOIN_INNER)
			return false;
		join->rest = lappend(join->rest, info->clause);
	}
	return true;
}

/* Joins a side to what is joined so far, whose relids grow, by an outer or (NULL) an inner join; false: it cannot be. */
static bool
add_side(PlannerInfo *root, HzLookupJoin *join, Path *input, RelOptInfo *rel,
		 SpecialJoinInfo *outer, Relids *joined)
{
	HzLookupSide *side = palloc0(sizeof(HzLookupSide));
	Relids relids = bms_union(*joined, rel->relids);
	RelOptInfo *before = find_rel(root, *joined);

	if (outer != NULL)
		relids = hz_compat_add_outer_join(relids, outer);
	side->jointype = outer != NULL ? outer->jointype : JOIN_INNER;
	side->path = rel->cheapest_total_path;
	side->once = is_once(root, rel->relids);
	if (side->once && bms_membership(rel->relids) == BMS_MULTIPLE)
		return false;
	if (before == NULL || find_join_rel(root, relids) == NULL || side->path == NULL ||
		side->path->param_info != NULL || (side->once && returns_record(side->path, false)) ||
		!bms_is_empty(rel->lateral_relids) ||
		rel->rows * (side->path->pathtarget->width + ROW_OVERHEAD) > get_hash_memory_limit())
		return false;
	if (!add_clauses(join, side, clauses_between(root, relids, before, rel, outer),
					 input->pathtarget->exprs, relids))
		return false;
	/* without keys, only the one row of a side can be what is looked up */
	if (side->own_keys == NIL && (rel->rows > 1 || is_only_asked(side)))
		return false;
	join->sides = lappend(join->sides, side);
	join->exprs = list_concat(join->exprs, hz_compat_nulled(side->path->pathtarget->exprs, outer));
	*joined = relids;
	return true;
}

bool
hz_lookuppath_find(PlannerInfo *root, RelOptInfo *joinrel, HzFindInput find_input,
				   HzLookupJoin *result)
{
	Relids relids;
	Relids joined;
	Relids left;
	Path *input;
	int relid;

	memset(result, 0, sizeof(*result));
	if (joinrel->reloptkind != RELOPT_JOINREL || !is_plain_query(root))
		return false;
	relids = hz_compat_without_outer_joins(root, joinrel->relids);
	result->input = choose_input(root, relids, find_input);
	if (result->input == NULL)
		return false;
	input = find_input(result->input);
	result->exprs = list_copy(input->pathtarget->exprs);
	joined = result->input->relids;
	left = bms_difference(relids, joined);
	while ((relid = bms_next_member(left, -1)) >= 0)
	{
		Relids side = connected(root, left, relid);
		Relids inside;
		SpecialJoinInfo *outer;
		RelOptInfo *rel;

		if (!classify_joins(root, result->input->relids, side, &outer, &inside))
			return false;
		rel = find_rel(root, bms_union(side, inside));
		if (rel == NULL || !add_side(root, result, input, rel, outer, &joined))
			return false;
		left = bms_difference(left, side);
	}
	return !multiplies(root, joinrel, result);
}

/* ---- PostgreSQL's own join */

static Plan *
plan_side(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *plan = makeNode(CustomScan);
	ListCell *cell;

	/* the clauses are the side's, whose rows these are */
	plan->flags = path->flags;
	plan->methods = &hz_aggside_methods;
	plan->scan.scanrelid = 0;
	plan->scan.plan.targetlist = tlist;
	foreach(cell, lsecond(path->custom_private))
		plan->custom_scan_tlist =
			lappend(plan->custom_scan_tlist,
					makeTargetEntry(lfirst(cell), (AttrNumber) foreach_current_index(cell) + 1,
									NULL, false));
	plan->custom_private = list_make1(linitial(path->custom_private));
	return &plan->scan.plan;
}

static const CustomPathMethods side_methods = {
	.CustomName = HZ_AGGSIDE_NAME,
	.PlanCustomPath = plan_side,
};

/* Stands for a path whose rows are those of `real`, which has the place in the executor's list. */
static Path *
make_stand_in(const Path *path, const Path *real, int place)
{
	CustomPath *result = makeNode(CustomPath);

	result->path = *path;
	result->path.type = T_CustomPath;
	result->path.pathtype = T_CustomScan;
	result->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	result->custom_private = list_make2(makeInteger(place), real->pathtarget->exprs);
	result->methods = &side_methods;
	return &result->path;
}

/* Stands for a path of a side; NULL: the side's rows are not what the path promises, such as without repetitions. */
static Path *
stand_in(const Path *path, const HzLookupSide *side, int place)
{
	ListCell *cell;

	if (IsA(path, AggPath) || IsA(path, GroupPath) || IsA(path, UpperUniquePath) ||
		path->param_info != NULL || !pathkeys_contained_in(path->pathkeys, side->path->pathkeys))
		return NULL;
	foreach(cell, path->pathtarget->exprs)
	{
		if (!list_member(side->path->pathtarget->exprs, lfirst(cell)))
			return NULL;
	}
	return make_stand_in(path, side->path, place);
}

static void *
flat_copy(const void *path, Size size)
{
	return memcpy(palloc(size), path, size);
}

static Path *replace_sides(Path *path, const HzLookupJoin *join);

static Path *
replace_in_join(JoinPath *path, const HzLookupJoin *join)
{
	path->outerjoinpath = replace_sides(path->outerjoinpath, join);
	path->innerjoinpath = replace_sides(path->innerjoinpath, join);
	return path->outerjoinpath != NULL && path->innerjoinpath != NULL ? &path->path : NULL;
}

/* A path of a side may be able to go back to a mark; what stands for it is not. */
static Path *
replace_in_merge(MergePath *path, const HzLookupJoin *join)
{
	if (replace_in_join(&path->jpath, join) == NULL)
		return NULL;
	if (path->innersortkeys == NIL && !path->skip_mark_restore &&
		!ExecSupportsMarkRestore(path->jpath.innerjoinpath))
		path->materialize_inner = true;
	return &path->jpath.path;
}

static Path *
replace_below(Path *path, Path **below, const HzLookupJoin *join)
{
	*below = replace_sides(*below, join);
	return *below != NULL ? path : NULL;
}

/* The same path with stand-ins for sides; NULL: they are in a node that is not known here. */
static Path *
replace_sides(Path *path, const HzLookupJoin *join)
{
	const HzLookupSide *found = NULL;
	int place = 0;
	ListCell *cell;

	check_stack_depth();
	foreach(cell, join->sides)
	{
		const HzLookupSide *side = lfirst(cell);

		if (!side->once || !bms_overlap(path->parent->relids, side->path->parent->relids))
			continue;
		found = side;
		place = foreach_current_index(cell);
	}
	if (found == NULL)
		return path;
	switch (nodeTag(path))
	{
		case T_NestPath:
			return replace_in_join(flat_copy(path, sizeof(NestPath)), join);
		case T_MergePath:
			return replace_in_merge(flat_copy(path, sizeof(MergePath)), join);
		case T_HashPath:
			return replace_in_join(flat_copy(path, sizeof(HashPath)), join);
		case T_MaterialPath:
		{
			MaterialPath *copy = flat_copy(path, sizeof(MaterialPath));

			return replace_below(&copy->path, &copy->subpath, join);
		}
		case T_UniquePath:
		{
			UniquePath *copy = flat_copy(path, sizeof(UniquePath));

			return replace_below(&copy->path, &copy->subpath, join);
		}
		case T_ProjectionPath:
		{
			ProjectionPath *copy = flat_copy(path, sizeof(ProjectionPath));

			return replace_below(&copy->path, &copy->subpath, join);
		}
		default:
			if (!bms_equal(path->parent->relids, found->path->parent->relids))
				return NULL;
			return stand_in(path, found, place);
	}
}

Path *
hz_lookuppath_plain(RelOptInfo *joinrel, const HzLookupJoin *join)
{
	Path *path = replace_sides(joinrel->cheapest_total_path, join);
	ListCell *cell;

	foreach(cell, joinrel->pathlist)
	{
		if (path == NULL && ((Path *) lfirst(cell))->param_info == NULL)
			path = replace_sides(lfirst(cell), join);
	}
	return path;
}

/* ---- A subquery as the input */

static const Path *
below_projections(const Path *path)
{
	while (IsA(path, ProjectionPath))
		path = ((const ProjectionPath *) path)->subpath;
	return path;
}

bool
hz_lookuppath_groups(PlannerInfo *root, RelOptInfo *rel, Path **input, Path **plain)
{
	const Path *path = rel->cheapest_total_path;
	const Path *below;

	if (rel->reloptkind != RELOPT_BASEREL || rel->rtekind != RTE_SUBQUERY || path == NULL)
		return false;
	/* what is computed of its columns can be computed in vectors */
	path = below_projections(path);
	if (!IsA(path, SubqueryScanPath) || path->param_info != NULL ||
		!bms_is_empty(rel->lateral_relids) || root->parse->rowMarks != NIL ||
		returns_record(path, true) || /* whole rows are not to be had in vectors */
		contain_volatile_functions((Node *) rel->subroot->parse))
		return false;
	below = below_projections(((const SubqueryScanPath *) path)->subpath);
	if (!IsA(below, CustomPath) ||
		strcmp(((const CustomPath *) below)->methods->CustomName, HZ_AGGNODE_NAME) != 0)
		return false;
	*input = (Path *) path;
	*plain = make_stand_in(rel->cheapest_total_path, path, 0);
	return true;
}
