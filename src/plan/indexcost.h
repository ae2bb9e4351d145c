/*
 * plan/indexcost.h
 *	  What index scans cost where rows are in columns.
 *
 * PostgreSQL thinks of a row as lying on a page. One in columns is put together of every column's vector, dictionary and
 * compressed frame: tens of microseconds, and more with the bytes of long values.
 */
#ifndef HZ_INDEXCOST_H
#define HZ_INDEXCOST_H

#include "nodes/pathnodes.h"

/*
 * Adds that to the index paths of a table. width: average bytes of the columns that the query reads of a row; columnar:
 * share of the rows that is in columns. Before other paths are added.
 */
extern void hz_indexcost_adjust(RelOptInfo *rel, Oid relid, double width, double columnar);

#endif /* HZ_INDEXCOST_H */
