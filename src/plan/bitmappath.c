/*
 * plan/bitmappath.c
 *	  Bitmap index scans of columnar tables. See bitmappath.h.
 *
 * A path of ours has core's as its child. When the plan is made, the child's plan is a
 * BitmapHeapScan, of which the part below makes the bitmap, and the quals are the ones that the
 * indexes do not answer: ours takes both over, and core's node is never executed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/amapi.h"
#include "nodes/extensible.h"
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "utils/rel.h"

#include "exec/scannode.h"
#include "plan/bitmappath.h"

void
hz_bitmappath_allow(RelOptInfo *rel)
{
	ListCell *cell;

	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *info = lfirst_node(IndexOptInfo, cell);
		Relation index;

		if (info->hypothetical)
			continue;
		/* locked when the planner looked at it */
		index = index_open(info->indexoid, NoLock);
		info->amhasgetbitmap = index->rd_indam->amgetbitmap != NULL;
		index_close(index, NoLock);
	}
}

static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *plan = makeNode(CustomScan);
	Plan *child = linitial(custom_plans);
	BitmapHeapScan *core;

	/* constant quals stand in a Result node, above ours too */
	if (IsA(child, Result))
		child = outerPlan(child);
	core = castNode(BitmapHeapScan, child);
	plan->flags = path->flags;
	plan->methods = &hz_scannode_methods;
	plan->scan.scanrelid = rel->relid;
	plan->scan.plan.targetlist = tlist;
	plan->scan.plan.qual = core->scan.plan.qual;
	plan->custom_exprs = core->bitmapqualorig;
	plan->custom_plans = list_make1(outerPlan(core));
	return &plan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = HZ_SCANNODE_NAME,
	.PlanCustomPath = plan_path,
};

static Path *
make_path(Path *core)
{
	CustomPath *path = makeNode(CustomPath);

	path->path = *core;
	path->path.type = T_CustomPath;
	path->path.pathtype = T_CustomScan;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make1(core);
	path->methods = &path_methods;
	return &path->path;
}

void
hz_bitmappath_make_anew(PlannerInfo *root, RelOptInfo *rel)
{
	Relids outer = rel->lateral_relids;
	ListCell *cell;
	int workers = 0;

	foreach(cell, rel->indexlist)
		lfirst_node(IndexOptInfo, cell)->amhasgetbitmap = false;
	rel->pathlist = NIL;
	rel->partial_pathlist = NIL;
	add_path(rel, create_seqscan_path(root, rel, outer, 0));
	if (rel->consider_parallel && bms_is_empty(outer))
		workers = compute_parallel_worker(rel, rel->pages, -1, max_parallel_workers_per_gather);
	if (workers > 0)
		add_partial_path(rel, create_seqscan_path(root, rel, NULL, workers));
	create_index_paths(root, rel);
	create_tidscan_paths(root, rel);
}

void
hz_bitmappath_take_over(RelOptInfo *rel)
{
	ListCell *cell;

	foreach(cell, rel->pathlist)
	{
		if (IsA(lfirst(cell), BitmapHeapPath))
			lfirst(cell) = make_path(lfirst(cell));
	}
	/* the bitmap of a parallel scan would have to be shared; a ColumnarScan stands in */
	foreach(cell, rel->partial_pathlist)
	{
		if (IsA(lfirst(cell), BitmapHeapPath))
			rel->partial_pathlist = foreach_delete_current(rel->partial_pathlist, cell);
	}
}
