/*
 * agg/merge.c
 *	  See merge.h.
 */
#include <math.h>
#include <string.h>

#include "agg/merge.h"
#include "agg/wide.h"

/* ---- Two rows of one group */

typedef struct Combining
{
	HzRegion *region;
	bool copy;
} Combining;

static HzAggStatus
merge_extreme(const Combining *merge, const HzAggregate *aggregate, HzExtreme *into,
			  const HzExtreme *from)
{
	HzKeyKind kind = HZ_KEY_INT;

	if (from->seen == 0 ||
		(into->seen != 0 && !hz_extreme_better(aggregate, &from->value, &into->value)))
		return HZ_AGG_OK;
	*into = *from;
	(void) hz_key_kind(aggregate->argument_kind, aggregate->argument_width, &kind);
	if (!merge->copy)
		return HZ_AGG_OK;
	into->room = 0;
	return hz_key_keep(kind, &into->value, merge->region) ? HZ_AGG_OK : HZ_AGG_MEMORY;
}

static void
merge_sum_float(HzSumFloat *into, const HzSumFloat *from)
{
	if (from->count == 0)
		return;
	into->sum = into->count == 0 ? from->sum : into->sum + from->sum;
	into->count += from->count;
	into->infinite |= from->infinite;
}

/* As float8_combine() does it. */
static HzAggStatus
merge_stats(HzStats *into, const HzStats *from)
{
	double n = into->n + from->n;
	double delta;

	if (from->n == 0)
		return HZ_AGG_OK;
	if (into->n == 0)
	{
		*into = *from;
		return HZ_AGG_OK;
	}
	delta = into->sx / into->n - from->sx / from->n;
	if (isinf(into->sx + from->sx) && !isinf(into->sx) && !isinf(from->sx))
		return HZ_AGG_FLOAT_OVERFLOW;
	into->sxx = into->sxx + from->sxx + into->n * from->n * delta * delta / n;
	into->sx += from->sx;
	into->n = n;
	return HZ_AGG_OK;
}

static HzAggStatus
merge_collected(const Combining *merge, HzCollected *to, const HzCollected *from)
{
	int64_t room = to->count + from->count;
	int64_t *values;

	if (from->count == 0)
		return HZ_AGG_OK;
	if (to->count == 0 && !merge->copy)
	{
		*to = *from;
		return HZ_AGG_OK;
	}
	values = hz_region_alloc(merge->region, sizeof(int64_t) * (size_t) room);
	if (values == NULL)
		return HZ_AGG_MEMORY;
	if (to->count > 0)
		memcpy(values, to->values, sizeof(int64_t) * (size_t) to->count);
	memcpy(values + to->count, from->values, sizeof(int64_t) * (size_t) from->count);
	*to = (HzCollected){.values = values, .count = room, .room = room};
	return HZ_AGG_OK;
}

static HzAggStatus
merge_state(const Combining *merge, const HzAggregate *aggregate, uint8_t *to, uint8_t *from)
{
	switch (aggregate->kind)
	{
		case HZ_AGG_COUNT:
			*(int64_t *) to += *(int64_t *) from;
			return HZ_AGG_OK;
		case HZ_AGG_DISTINCT:
			/* else its pairs come later, and are counted then */
			if (merge->copy)
				*(int64_t *) to += *(int64_t *) from;
			return HZ_AGG_OK;
		case HZ_AGG_SUM_INT:
			((HzSumInt *) to)->sum += ((HzSumInt *) from)->sum;
			((HzSumInt *) to)->count += ((HzSumInt *) from)->count;
			return HZ_AGG_OK;
		case HZ_AGG_SUM_WIDE:
			return hz_sum_wide_merge((HzSumWide *) to, (HzSumWide *) from) ? HZ_AGG_OK
																		   : HZ_AGG_WIDE;
		case HZ_AGG_SUM_FLOAT:
			merge_sum_float((HzSumFloat *) to, (HzSumFloat *) from);
			return HZ_AGG_OK;
		case HZ_AGG_STATS:
			return merge_stats((HzStats *) to, (HzStats *) from);
		case HZ_AGG_MIN:
		case HZ_AGG_MAX:
			return merge_extreme(merge, aggregate, (HzExtreme *) to, (HzExtreme *) from);
		case HZ_AGG_BOOL:
			((HzBools *) to)->trues += ((HzBools *) from)->trues;
			((HzBools *) to)->falses += ((HzBools *) from)->falses;
			return HZ_AGG_OK;
		case HZ_AGG_COLLECT:
			return merge_collected(merge, (HzCollected *) to, (HzCollected *) from);
	}
	return HZ_AGG_OK;
}

HzAggStatus
hz_aggregate_combine(const HzAggregator *aggregator, HzRegion *region, bool copy, HzGroupRow *into,
					 HzGroupRow *from)
{
	Combining merge = {.region = region, .copy = copy};
	HzAggStatus status = HZ_AGG_OK;

	for (int i = 0; i < aggregator->aggregate_count && status == HZ_AGG_OK; i++)
	{
		const HzAggregate *aggregate = &aggregator->aggregates[i];

		status = merge_state(&merge, aggregate, (uint8_t *) into + aggregate->offset,
							 (uint8_t *) from + aggregate->offset);
	}
	return status;
}

/* ---- All rows, in shares */

#define ALONE_BELOW 16384 /* groups and pairs: waking others takes longer */

static HzDistinctSet **
sets_of(const HzAggMerge *merge, int aggregate)
{
	return merge->sets + (size_t) aggregate * (size_t) merge->count;
}

bool
hz_aggmerge_begin(HzAggMerge *merge, HzAggregator **all, int count)
{
	HzRegion *region = &all[0]->region;
	int aggregates = all[0]->aggregate_count;
	uint64_t pairs = 0;
	uint64_t groups = 0;

	memset(merge, 0, sizeof(*merge));
	merge->all = all;
	merge->count = count;
	merge->tables = hz_region_alloc(region, sizeof(HzGroupTable *) * (size_t) count);
	merge->done = hz_region_alloc(region, sizeof(HzMergeDone) * (size_t) count);
	merge->sets = hz_region_alloc(region, sizeof(HzDistinctSet *) * (size_t) count *
											  (size_t) (aggregates + 1));
	merge->parts = hz_region_alloc(region, sizeof(bool) * (size_t) (aggregates + 1));
	if (merge->tables == NULL || merge->done == NULL || merge->sets == NULL || merge->parts == NULL)
		return false;
	memset(merge->done, 0, sizeof(HzMergeDone) * (size_t) count);
	for (int t = 0; t < count; t++)
	{
		merge->tables[t] = &all[t]->table;
		groups += t > 0 ? merge->tables[t]->count : 0;
		for (int a = 0; a < aggregates; a++)
		{
			HzDistinctSet *set = &all[t]->sets[a];

			sets_of(merge, a)[t] = set;
			pairs += t > 0 ? set->count : 0;
			if (set->parts != NULL)
				pairs = UINT64_MAX / 2;
		}
	}
	merge->shares = groups + pairs < ALONE_BELOW ? 1 : (uint32_t) count;
	return true;
}

static HzMergeShare
share_of(const HzAggMerge *merge, uint32_t number, bool (*go_on)(void *arg), void *arg)
{
	return (HzMergeShare){.number = number,
						  .shares = merge->shares,
						  .region = &merge->all[number]->region,
						  .go_on = go_on,
						  .arg = arg};
}

typedef struct CombineArg
{
	const HzAggregator *aggregator;
	HzRegion *region;
	HzAggStatus status;
} CombineArg;

/* One that stays must not bring counts of pairs that are still to be merged. */
static bool
merge_row(void *arg, HzGroupRow *into, HzGroupRow *row)
{
	CombineArg *combine = arg;
	const HzAggregator *aggregator = combine->aggregator;

	if (into != NULL)
		combine->status = hz_aggregate_combine(aggregator, combine->region, false, into, row);
	for (int i = 0; into == NULL && i < aggregator->aggregate_count; i++)
	{
		if (aggregator->aggregates[i].kind == HZ_AGG_DISTINCT)
			*(int64_t *) ((uint8_t *) row + aggregator->aggregates[i].offset) = 0;
	}
	return combine->status == HZ_AGG_OK;
}

void
hz_aggmerge_groups(void *merge_arg, uint32_t number, bool (*go_on)(void *arg), void *arg)
{
	HzAggMerge *merge = merge_arg;
	HzMergeShare share = share_of(merge, number, go_on, arg);
	HzMergeDone *done = &merge->done[number];
	CombineArg combine = {.aggregator = merge->all[0], .region = share.region, .status = HZ_AGG_OK};

	if (!hz_grouptable_merge_share(merge->tables, merge->count, &share, merge_row, &combine,
								   &done->groups))
		done->status = combine.status != HZ_AGG_OK ? combine.status : HZ_AGG_MEMORY;
}

static HzAggStatus
status_of(const HzAggMerge *merge)
{
	for (uint32_t i = 0; i < merge->shares; i++)
	{
		if (merge->done[i].status != HZ_AGG_OK)
			return merge->done[i].status;
	}
	return HZ_AGG_OK;
}

HzAggStatus
hz_aggmerge_between(HzAggMerge *merge)
{
	HzAggregator *first = merge->all[0];
	HzAggStatus status = status_of(merge);

	if (status != HZ_AGG_OK)
		return status;
	for (int t = 1; t < merge->count; t++)
		hz_grouptable_adopt(merge->tables[0], merge->tables[t]);
	for (uint32_t i = 0; i < merge->shares; i++)
		merge->tables[0]->count += merge->done[i].groups;
	for (int a = 0; a < first->aggregate_count; a++)
	{
		if (first->aggregates[a].kind != HZ_AGG_DISTINCT)
			continue;
		merge->distinct = true;
		if (!hz_distinctset_gather_parts(sets_of(merge, a), merge->count,
										 first->aggregates[a].offset, &merge->parts[a]))
			return HZ_AGG_MEMORY;
	}
	return HZ_AGG_OK;
}

/* Counts a share of the only group's values. */
static bool
count_parts(const HzAggMerge *merge, const HzAggregate *aggregate, HzDistinctSet *set,
			const HzMergeShare *share)
{
	uint64_t count;

	if (!hz_distinctparts_count_share(set->parts, share->number, share->shares, share->region,
									  share->go_on, share->arg, &count))
		return false;
	(void) __atomic_fetch_add((int64_t *) ((uint8_t *) set->single + aggregate->offset),
							  (int64_t) count, __ATOMIC_RELAXED);
	return true;
}

void
hz_aggmerge_pairs(void *merge_arg, uint32_t number, bool (*go_on)(void *arg), void *arg)
{
	HzAggMerge *merge = merge_arg;
	HzMergeShare share = share_of(merge, number, go_on, arg);
	const HzAggregator *first = merge->all[0];

	for (int a = 0; a < first->aggregate_count; a++)
	{
		const HzAggregate *aggregate = &first->aggregates[a];
		HzDistinctSet **sets = sets_of(merge, a);
		bool good;

		if (aggregate->kind != HZ_AGG_DISTINCT)
			continue;
		good = merge->parts[a]
				   ? count_parts(merge, aggregate, sets[0], &share)
				   : hz_distinctset_merge_share(sets, merge->count, &share, aggregate->offset);
		if (!good)
		{
			merge->done[number].status = HZ_AGG_MEMORY;
			return;
		}
	}
}

HzAggStatus
hz_aggmerge_end(const HzAggMerge *merge)
{
	return status_of(merge);
}
