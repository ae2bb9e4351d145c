/*
 * agg/merge.h
 *	  Several aggregators' groups, brought together by all who made them: each takes the groups, then the values of count(DISTINCT), of some hashes.
 *
 *	  hz_aggmerge_begin(), then for each number below `shares`, at the same time or one after the other, hz_aggmerge_groups(); when all
 *	  are done hz_aggmerge_between(), if `distinct` likewise hz_aggmerge_pairs(), and hz_aggmerge_end(). Pure C.
 */
#ifndef HZ_AGG_MERGE_H
#define HZ_AGG_MERGE_H

#include "agg/aggregate.h"

/* What has become of a share. */
typedef struct HzMergeDone
{
	HzAggStatus status;
	uint64_t groups;
} HzMergeDone;

typedef struct HzAggMerge
{
	HzAggregator **all; /* the first takes over what the others have */
	int count;
	uint32_t shares; /* at most `count`: each uses the region of the aggregator of its number */
	bool distinct;   /* there are pairs to merge */
	HzGroupTable **tables;
	HzDistinctSet **sets; /* of each aggregate all */
	bool *parts;          /* by aggregate: values are in parts */
	HzMergeDone *done;    /* by share */
} HzAggMerge;

/*
 * Aggregators of one layout, which must live until the results are out; the others are good for nothing but hz_aggregator_free() then, and no rows can be
 * added to the first. False: out of memory.
 */
extern bool hz_aggmerge_begin(HzAggMerge *merge, HzAggregator **all, int count);

/* A share of a HzAggMerge. go_on(arg) is asked now and then: false where all is over. */
extern void hz_aggmerge_groups(void *merge, uint32_t share, bool (*go_on)(void *arg), void *arg);
extern HzAggStatus hz_aggmerge_between(HzAggMerge *merge);
extern void hz_aggmerge_pairs(void *merge, uint32_t share, bool (*go_on)(void *arg), void *arg);
extern HzAggStatus hz_aggmerge_end(const HzAggMerge *merge);

/*
 * Adds the states of a group's row to those of another row of the group. copy: what `from` points to goes, so copies are kept, in `region`; and counts of
 * distinct values are added, whose pairs have been counted.
 */
extern HzAggStatus hz_aggregate_combine(const HzAggregator *aggregator, HzRegion *region, bool copy,
										HzGroupRow *into, HzGroupRow *from);

#endif /* HZ_AGG_MERGE_H */
