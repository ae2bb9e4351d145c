/*
 * plan/bitmappath.h
 *	  Bitmap index scans of columnar tables: core plans them, ColumnarScan executes them.
 */
#ifndef HZ_BITMAPPATH_H
#define HZ_BITMAPPATH_H

#include "nodes/pathnodes.h"

/* Lets core make bitmap paths with the indexes of a columnar table. For get_relation_info_hook. */
extern void hz_bitmappath_allow(RelOptInfo *rel);

/* Replaces core's bitmap paths by ColumnarScans with the same costs. For set_rel_pathlist_hook. */
extern void hz_bitmappath_take_over(RelOptInfo *rel);

/*
 * Where the query wants what a ColumnarScan cannot give: the paths of the table as core makes them without bitmaps, among
 * them what a bitmap path had beaten, and what had other costs while the table's columns were hidden.
 */
extern void hz_bitmappath_make_anew(PlannerInfo *root, RelOptInfo *rel);

#endif /* HZ_BITMAPPATH_H */
