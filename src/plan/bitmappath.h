/*
 * plan/bitmappath.h
 *	  Bitmap index scans of columnar tables: core plans them, ColumnarScan executes them.
 */
#ifndef HZ_BITMAPPATH_H
#define HZ_BITMAPPATH_H

#include "nodes/pathnodes.h"

/* Lets core make bitmap paths with the indexes of a columnar table. For get_relation_info_hook. */
extern void hz_bitmappath_allow(RelOptInfo *rel);

/*
 * Replaces core's bitmap paths by ColumnarScans with the same costs; where the query wants what a ColumnarScan cannot
 * give, by a sequential scan. For set_rel_pathlist_hook.
 */
extern void hz_bitmappath_take_over(PlannerInfo *root, RelOptInfo *rel, bool usable);

#endif /* HZ_BITMAPPATH_H */
