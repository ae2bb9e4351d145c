/*
 * plan/indexcost.c
 *	  See indexcost.h.
 *
 * In units of cpu_tuple_cost, of which one is about a tenth of a microsecond. Of a vector that has been decoded a row costs
 * ROW_UNITS, and a little for each byte of the columns that are read; long values lie in frames of 64 kilobytes and more that have to
 * be decompressed, so that of theirs each byte costs one. Of rows that are neighbours in the index and in the columns, a quarter of it: one vector
 * serves many. The first row of a vector costs more; rows that are looked up inside of a nested loop find it decoded. An
 * index-only scan asks for visibility only. A bitmap's rows are read one by one where a vector has few, else the vector is decoded.
 *
 * Core charges a random page for nearly every row, as a heap needs. Here the rows' vectors stand on few pages, which are read
 * once: so that core charges those of the delta only, its costing is shown no others (hz_indexcost_hide_columns()).
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_statistic.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "am/columnar_am.h"
#include "base/vector.h"
#include "plan/indexcost.h"
#include "storage/heapview.h"

#define ROW_UNITS 6
#define BYTE_UNITS 0.1
#define LONG_BYTE_UNITS 1
#define VECTOR_UNITS 25
#define VECTOR_BYTE_UNITS 0.6
#define NEIGHBOUR_SHARE 0.25
#define VISIBLE_UNITS 10
/* A vector that is decoded as a whole for some of its rows, and one of those. */
#define DECODE_UNITS 200
#define DECODE_BYTE_UNITS 5
#define DECODE_LONG_BYTE_UNITS 0.012
#define DECODED_ROW_UNITS 5

typedef struct Costing
{
	Oid relid;
	double narrow;
	double wide;
	double columnar;
} Costing;

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

/* A row that is read alone. */
static double
row_units(const Costing *costing)
{
	return ROW_UNITS + BYTE_UNITS * costing->narrow + LONG_BYTE_UNITS * costing->wide;
}

static double
index_units(const IndexPath *path, double rows, double table_rows, const Costing *costing)
{
	double correlation = correlation_of(path->indexinfo, costing->relid);
	double neighbours = correlation * correlation;
	double units = rows * row_units(costing) * (1 - (1 - NEIGHBOUR_SHARE) * neighbours);

	if (path->path.param_info == NULL)
		units += touched_vectors(rows, table_rows, neighbours) *
				 (VECTOR_UNITS + VECTOR_BYTE_UNITS * costing->narrow);
	return units;
}

static double
bitmap_units(double rows, double table_rows, const Costing *costing)
{
	double vectors = Max(touched_vectors(rows, table_rows, 0), 1);
	double decode = DECODE_UNITS + DECODE_BYTE_UNITS * costing->narrow +
					DECODE_LONG_BYTE_UNITS * HZ_VECTOR_ROWS * costing->wide;

	return vectors * Min(rows / vectors * row_units(costing), decode) + rows * DECODED_ROW_UNITS;
}

static void
adjust(Path *path, RelOptInfo *rel, const Costing *costing)
{
	double table_rows = rel->tuples * costing->columnar;
	double units;

	if (IsA(path, IndexPath))
	{
		double rows = ((IndexPath *) path)->indexselectivity * table_rows;

		units = path->pathtype == T_IndexScan
					? index_units((IndexPath *) path, rows, table_rows, costing)
					: rows * VISIBLE_UNITS;
	}
	else if (IsA(path, BitmapHeapPath))
	{
		Selectivity selectivity;
		Cost cost;

		cost_bitmap_tree_node(((BitmapHeapPath *) path)->bitmapqual, &cost, &selectivity);
		units = bitmap_units(selectivity * table_rows, table_rows, costing);
	}
	else
		return;
	if (path->parallel_workers > 0)
		units /= path->parallel_workers;
	path->total_cost += units * cpu_tuple_cost;
}

void
hz_indexcost_hide_columns(RelOptInfo *rel, Relation table)
{
	HzHeapView view;

	hz_heapview_begin(&view, table);
	rel->pages = RelationGetNumberOfBlocks(table) + 1;
	hz_heapview_end(&view);
}

double
hz_indexcost_show_columns(PlannerInfo *root, RelOptInfo *rel, Relation table)
{
	double delta = (double) rel->pages - 1;
	double columns = hz_am_column_blocks(table);

	rel->pages = (BlockNumber) Min(delta + columns, (double) MaxBlockNumber);
	/* which no table's pages may exceed */
	root->total_table_pages += columns;
	return delta;
}

void
hz_indexcost_adjust(RelOptInfo *rel, Oid relid, double narrow, double wide, double columnar)
{
	const Costing costing = {.relid = relid, .narrow = narrow, .wide = wide, .columnar = columnar};
	List *paths = rel->pathlist;
	List *partial = rel->partial_pathlist;
	ListCell *cell;

	/* lists of paths are kept in order of cost, and without those that another beats */
	rel->pathlist = NIL;
	foreach(cell, paths)
	{
		adjust(lfirst(cell), rel, &costing);
		if (((Path *) lfirst(cell))->pathtype != T_SeqScan)
			add_path(rel, lfirst(cell));
	}
	rel->partial_pathlist = NIL;
	foreach(cell, partial)
	{
		adjust(lfirst(cell), rel, &costing);
		if (((Path *) lfirst(cell))->pathtype != T_SeqScan)
			add_partial_path(rel, lfirst(cell));
	}
}
