/*
 * exec/scannode.h
 *	  ColumnarScan: the custom scan node that reads the columns a query needs of one columnar table.
 *
 * The plan is a CustomScan with scanrelid set and no custom_scan_tlist; tlist and qual are
 * PostgreSQL's own. Which columns are read follows from the finished plan when execution starts,
 * since the planner may replace the target list of a node that projects. Rows come without order:
 * the delta first, the column store after.
 *
 * EXPLAIN ANALYZE counts what was read in all loops. In a parallel scan each process counts the row
 * groups that it has read from, so one may be counted more than once.
 */
#ifndef HZ_SCANNODE_H
#define HZ_SCANNODE_H

#include "nodes/extensible.h"

#define HZ_SCANNODE_NAME "ColumnarScan"

/* For CustomScan.methods. */
extern const CustomScanMethods hz_scannode_methods;

/* hanzo_datastore.enable_pruning: whether scans skip what zone maps and bloom filters rule out. */
extern bool hz_enable_pruning;

/* Makes the nodes known to parallel workers; called once by _PG_init. */
extern void hz_exec_init(void);

#endif /* HZ_SCANNODE_H */
