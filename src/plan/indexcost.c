/*
 * plan/indexcost.c
 *	  See indexcost.h.
 *
 * In units of cpu_tuple_cost, of which one is about a tenth of a microsecond: 100 for a row, and one for each byte of the columns
 * that are read, since long values lie in frames of hundreds of kilobytes that have to be decompressed. Of rows that are neighbours in
 * the index and in the columns, a frame serves many: a quarter. An index-only scan asks for visibility only.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_statistic.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "plan/indexcost.h"

#define ROW_UNITS 100
#define NEIGHBOUR_SHARE 0.25
#define VISIBLE_UNITS 10

typedef struct Costing
{
	Oid relid;
	double width;
	double columnar;
} Costing;

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

/* How far the order of an index's first column is that of the rows, from 0 to 1: as statistics say. */
static double
correlation_of(const IndexOptInfo *index, Oid relid)
{
	AttStatsSlot slot;
	HeapTuple tuple;
	double result = 0;

	if (index->nkeycolumns == 0 || index->indexkeys[0] <= 0)
		return 0;
	tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relid),
							Int16GetDatum(index->indexkeys[0]), BoolGetDatum(false));
	if (!HeapTupleIsValid(tuple))
		return 0;
	if (get_attstatsslot(&slot, tuple, STATISTIC_KIND_CORRELATION, InvalidOid,
						 ATTSTATSSLOT_NUMBERS))
	{
		if (slot.nnumbers == 1)
			result = fabs(slot.numbers[0]);
		free_attstatsslot(&slot);
	}
	ReleaseSysCache(tuple);
	return result;
}

static void
adjust(Path *path, RelOptInfo *rel, const Costing *costing)
{
	double rows;
	double units = VISIBLE_UNITS;

	if (!IsA(path, IndexPath))
		return;
	if (path->pathtype == T_IndexScan)
	{
		double correlation = correlation_of(((IndexPath *) path)->indexinfo, costing->relid);

		units =
			(ROW_UNITS + costing->width) * (1 - (1 - NEIGHBOUR_SHARE) * correlation * correlation);
	}
	rows = ((IndexPath *) path)->indexselectivity * rel->tuples * costing->columnar;
	if (path->parallel_workers > 0)
		rows /= path->parallel_workers;
	path->total_cost += rows * units * cpu_tuple_cost;
}

void
hz_indexcost_adjust(RelOptInfo *rel, Oid relid, double width, double columnar)
{
	const Costing costing = {.relid = relid, .width = width, .columnar = columnar};
	List *paths = rel->pathlist;
	List *partial = rel->partial_pathlist;
	ListCell *cell;

	/* lists of paths are kept in order of cost, and without those that another beats */
	if (has_index_path(paths))
	{
		rel->pathlist = NIL;
		foreach(cell, paths)
		{
			adjust(lfirst(cell), rel, &costing);
			add_path(rel, lfirst(cell));
		}
	}
	if (has_index_path(partial))
	{
		rel->partial_pathlist = NIL;
		foreach(cell, partial)
		{
			adjust(lfirst(cell), rel, &costing);
			add_partial_path(rel, lfirst(cell));
		}
	}
}
