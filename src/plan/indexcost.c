/*
 * plan/indexcost.c
 *	  See indexcost.h.
 *
 * In units of cpu_tuple_cost, of which one is about a tenth of a microsecond: 100 for a row, and one for each of its bytes,
 * since long values lie in frames of hundreds of kilobytes that have to be decompressed.
 */
#include "postgres.h"

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"

#include "plan/indexcost.h"

#define ROW_UNITS 100

static bool
has_index_path(List *paths)
{
	ListCell *cell;

	foreach(cell, paths)
	{
		if (IsA(lfirst(cell), IndexPath))
			return true;
	}
	return false;
}

static void
adjust(Path *path, RelOptInfo *rel, double cost_of_row)
{
	double rows;

	if (!IsA(path, IndexPath))
		return;
	rows = ((IndexPath *) path)->indexselectivity * rel->tuples;
	if (path->parallel_workers > 0)
		rows /= path->parallel_workers;
	path->total_cost += rows * cost_of_row;
}

void
hz_indexcost_adjust(RelOptInfo *rel, int32 row_width, double columnar)
{
	double cost_of_row = cpu_tuple_cost * (ROW_UNITS + row_width) * columnar;
	List *paths = rel->pathlist;
	List *partial = rel->partial_pathlist;
	ListCell *cell;

	/* lists of paths are kept in order of cost, and without those that another beats */
	if (has_index_path(paths))
	{
		rel->pathlist = NIL;
		foreach(cell, paths)
		{
			adjust(lfirst(cell), rel, cost_of_row);
			add_path(rel, lfirst(cell));
		}
	}
	if (has_index_path(partial))
	{
		rel->partial_pathlist = NIL;
		foreach(cell, partial)
		{
			adjust(lfirst(cell), rel, cost_of_row);
			add_partial_path(rel, lfirst(cell));
		}
	}
}
