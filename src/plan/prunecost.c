/*
 * plan/prunecost.c
 *	  What pruning is expected to leave of a column store. See prunecost.h.
 *
 * Rows of a group are sorted by the sort key, so of a clause on its first column each group has its share of the rows,
 * side by side: as many vectors as these fill, and one more. A column whose order is that of the table (time, as a
 * rule) leaves whole groups out, as far as statistics say that it has that order: like index scans' costs, the
 * square of the correlation stands between "in order" and "anywhere".
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/vector.h"
#include "exec/prunecompile.h"
#include "exec/scannode.h"
#include "plan/prunecost.h"
#include "storage/options.h"

/* Between order of values and order of rows, by statistics; 0: unknown. */
static double
correlation(Oid relid, AttrNumber attno)
{
	HeapTuple tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relid), Int16GetDatum(attno),
									  BoolGetDatum(false));
	AttStatsSlot slot;
	double result = 0;

	if (!HeapTupleIsValid(tuple))
		return 0;
	if (get_attstatsslot(&slot, tuple, STATISTIC_KIND_CORRELATION, InvalidOid,
						 ATTSTATSSLOT_NUMBERS))
	{
		if (slot.nnumbers == 1)
			result = slot.numbers[0];
		free_attstatsslot(&slot);
	}
	ReleaseSysCache(tuple);
	return result;
}

/* Rows to look at for clauses on one column that `selectivity` of all rows satisfy. */
static double
rows_of_column(Oid relid, AttrNumber attno, bool sorted, double selectivity, double rows,
			   double groups)
{
	double squared = correlation(relid, attno);
	double result;

	squared *= squared;
	result = rows * (squared * selectivity + (1 - squared)) + HZ_VECTOR_ROWS;
	if (sorted)
		result = Min(result, rows * selectivity + groups * HZ_VECTOR_ROWS);
	return result;
}

HzPruneCost
hz_prunecost(PlannerInfo *root, RelOptInfo *rel, Relation table, List *clauses, double rows)
{
	HzPruneCost cost = {1, 0};
	AttrNumber *columns = palloc(sizeof(AttrNumber) * Max(list_length(clauses), 1));
	Bitmapset *done = NULL;
	HzSortBrief brief = {0};
	List *bare = NIL;
	ListCell *cell;

	if (!hz_enable_pruning || clauses == NIL || rows < 1)
		return cost;
	foreach(cell, clauses)
		bare = lappend(bare, lfirst_node(RestrictInfo, cell)->clause);
	hz_prunecompile_columns(bare, table, rel->relid, columns);
	for (int i = 0; i < list_length(clauses); i++)
	{
		List *same = NIL;
		double read;

		if (columns[i] == 0 || bms_is_member(columns[i], done))
			continue;
		if (done == NULL)
		{
			brief = hz_options_sort_brief(table);
			cost.groups = ceil(rows / brief.row_group_rows);
		}
		done = bms_add_member(done, columns[i]);
		for (int j = i; j < list_length(clauses); j++)
		{
			if (columns[j] == columns[i])
				same = lappend(same, list_nth(clauses, j));
		}
		read = rows_of_column(
			RelationGetRelid(table), columns[i], columns[i] == brief.leading_column,
			clauselist_selectivity(root, same, rel->relid, JOIN_INNER, NULL), rows, cost.groups);
		cost.share = Min(cost.share, read / rows);
	}
	return cost;
}
