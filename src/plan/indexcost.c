/*
 * plan/indexcost.c
 *	  See indexcost.h.
 *
 * In units of cpu_tuple_cost, of which one is about a tenth of a microsecond. Of a vector that has been decoded a row costs 25, and
 * a little for each byte of the columns that are read; long values lie in frames of hundreds of kilobytes that have to be
 * decompressed, so that of theirs each byte costs one. Of rows that are neighbours in the index and in the columns, a quarter of it:
 * one vector serves many. The first row of a vector costs hundreds; those that are looked up again and again, inside of a
 * nested loop, find it decoded. An index-only scan asks for visibility only.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_statistic.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/vector.h"
#include "plan/indexcost.h"

#define ROW_UNITS 25
#define BYTE_UNITS 0.15
#define LONG_WIDTH 256
#define VECTOR_UNITS 200
#define VECTOR_BYTE_UNITS 5
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

/* Vectors that hold so many rows of a table, which lie side by side as far as `neighbours` (0 to 1) says. */
static double
touched_vectors(double rows, double table_rows, double neighbours)
{
	double vectors = Max(table_rows / HZ_VECTOR_ROWS, 1);
	double scattered = vectors * (1 - exp(-rows / vectors));
	double together = Min(rows / HZ_VECTOR_ROWS + 1, scattered);

	return together * neighbours + scattered * (1 - neighbours);
}

static double
units_of(const IndexPath *path, double rows, double table_rows, const Costing *costing)
{
	double correlation = correlation_of(path->indexinfo, costing->relid);
	double neighbours = correlation * correlation;
	double width = Min(costing->width, LONG_WIDTH);
	double units = rows * (ROW_UNITS + BYTE_UNITS * width + Max(costing->width - LONG_WIDTH, 0)) *
				   (1 - (1 - NEIGHBOUR_SHARE) * neighbours);

	if (path->path.param_info == NULL)
		units += touched_vectors(rows, table_rows, neighbours) *
				 (VECTOR_UNITS + VECTOR_BYTE_UNITS * width);
	return units;
}

static void
adjust(Path *path, RelOptInfo *rel, const Costing *costing)
{
	double rows;
	double units;

	if (!IsA(path, IndexPath))
		return;
	rows = ((IndexPath *) path)->indexselectivity * rel->tuples * costing->columnar;
	if (path->pathtype == T_IndexScan)
		units = units_of((IndexPath *) path, rows, rel->tuples * costing->columnar, costing);
	else
		units = rows * VISIBLE_UNITS;
	if (path->parallel_workers > 0)
		units /= path->parallel_workers;
	path->total_cost += units * cpu_tuple_cost;
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
