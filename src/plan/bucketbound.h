/*
 * plan/bucketbound.h
 *	  Conditions on time buckets as bounds of the time itself.
 *
 * Zone maps and partitions know the values of a column, not those of date_trunc('hour', column, 'UTC'). But
 * date_trunc('hour', t, 'UTC') >= c says that t >= c, and date_trunc('hour', t, 'UTC') < c that t is before the end of the
 * bucket of c. Such conditions come from queries on rollups (their views compute buckets from the table) and from people.
 */
#ifndef HZ_BUCKETBOUND_H
#define HZ_BUCKETBOUND_H

#include "nodes/pathnodes.h"

/*
 * Adds to the query's quals the bounds of a base relation's time columns that follow from other quals beside them; a
 * row that satisfied the quals still does. For get_relation_info_hook, which comes before quals are distributed and
 * partitions are pruned.
 */
extern void hz_bucketbound_add(PlannerInfo *root, RelOptInfo *rel);

#endif /* HZ_BUCKETBOUND_H */
