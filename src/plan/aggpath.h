/*
 * plan/aggpath.h
 *	  Offers ColumnarAgg to the planner, for the grouping step over a columnar table or an Append with some.
 *
 * It competes by cost with PostgreSQL's own paths; one of these, without sorting or hashing in parallel, goes along as its
 * second child (exec/aggnode.h).
 */
#ifndef HZ_AGGPATH_H
#define HZ_AGGPATH_H

/* Defines the setting and hooks into the planner; called once by _PG_init. */
extern void hz_aggpath_init(void);

#endif /* HZ_AGGPATH_H */
