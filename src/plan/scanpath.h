/*
 * plan/scanpath.h
 *	  Paths and plans of ColumnarScan, offered beside PostgreSQL's own for every columnar table.
 */
#ifndef HZ_SCANPATH_H
#define HZ_SCANPATH_H

/* Defines the GUC enable_columnar_scan, installs the planner's hook; called once by _PG_init. */
extern void hz_plan_init(void);

#endif /* HZ_SCANPATH_H */
