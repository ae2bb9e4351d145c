/*
 * plan/indexcost.h
 *	  What index scans cost where rows are in columns.
 *
 * PostgreSQL thinks of a row as lying on a page. One in columns is put together of the columns' vectors, dictionaries and
 * compressed frames: a microsecond or two where these are decoded already, and more with the bytes of long values.
 */
#ifndef HZ_INDEXCOST_H
#define HZ_INDEXCOST_H

#include "nodes/pathnodes.h"
#include "utils/relcache.h"

#define HZ_INDEXCOST_WIDE 64

/*
 * Adds that to the index and bitmap paths of a table, and takes away core's sequential scans, for which a ColumnarScan stands in.
 * narrow, wide: average bytes of the columns that the query reads of a row, in columns of up to HZ_INDEXCOST_WIDE bytes and of more;
 * columnar: share of the rows that is in columns. Before other paths are added.
 */
extern void hz_indexcost_adjust(RelOptInfo *rel, Oid relid, double narrow, double wide,
								double columnar);

/*
 * Before core makes these paths: it is told of the delta's pages, and one for the columns. For get_relation_info_hook.
 */
extern void hz_indexcost_hide_columns(RelOptInfo *rel, Relation table);

/* When it has made them: rel->pages is all of the table again. Returns the pages of the delta. */
extern double hz_indexcost_show_columns(PlannerInfo *root, RelOptInfo *rel, Relation table);

#endif /* HZ_INDEXCOST_H */
