/*
 * agg/aggregate.c
 *	  Aggregators: making, grouping, merging. See aggregate.h; aggregate_update.c has the updates.
 */
#include <math.h>
#include <string.h>

#include "agg/aggregate.h"
#include "agg/wide.h"

static uint32_t
state_bytes(HzAggKind kind)
{
	switch (kind)
	{
		case HZ_AGG_COUNT:
		case HZ_AGG_DISTINCT:
			return sizeof(int64_t);
		case HZ_AGG_SUM_INT:
			return sizeof(HzSumInt);
		case HZ_AGG_SUM_WIDE:
			return sizeof(HzSumWide);
		case HZ_AGG_SUM_FLOAT:
			return sizeof(HzSumFloat);
		case HZ_AGG_STATS:
			return sizeof(HzStats);
		case HZ_AGG_MIN:
		case HZ_AGG_MAX:
			return sizeof(HzExtreme);
		case HZ_AGG_BOOL:
			return sizeof(HzBools);
		case HZ_AGG_COLLECT:
			return sizeof(HzCollected);
	}
	return 0;
}

void
hz_aggregates_layout(HzGroupLayout *layout, HzAggregate *aggregates, int count)
{
	uint32_t total = 0;

	hz_grouptable_layout(layout, 0);
	for (int i = 0; i < count; i++)
	{
		aggregates[i].offset = layout->states_offset + total;
		total += state_bytes(aggregates[i].kind);
	}
	hz_grouptable_layout(layout, total);
}

/* The group that there is without keys. */
static bool
make_single(HzAggregator *aggregator)
{
	HzGroupRow *row = hz_grouptable_single(&aggregator->table);

	for (int i = 0; i < aggregator->aggregate_count; i++)
	{
		HzDistinctSet *set = &aggregator->sets[i];

		if (set->kind != HZ_KEY_STRING && set->kind != HZ_KEY_NUMERIC)
			set->single = row;
	}
	return row != NULL;
}

bool
hz_aggregator_init(HzAggregator *aggregator, const HzGroupLayout *layout,
				   const HzAggregate *aggregates, int count)
{
	HzRegion *region = &aggregator->region;

	memset(aggregator, 0, sizeof(*aggregator));
	aggregator->layout = layout;
	aggregator->aggregates = aggregates;
	aggregator->aggregate_count = count;
	if (!hz_grouptable_init(&aggregator->table, layout, region))
		return false;
	aggregator->groups = hz_region_alloc(region, sizeof(HzGroupRow *) * HZ_VECTOR_ROWS);
	aggregator->values = hz_region_alloc(region, sizeof(HzKeyColumn));
	aggregator->hashes = hz_region_alloc(region, sizeof(uint64_t) * HZ_VECTOR_ROWS);
	aggregator->sets = hz_region_alloc(region, sizeof(HzDistinctSet) * (size_t) (count + 1));
	if (aggregator->groups == NULL || aggregator->values == NULL || aggregator->hashes == NULL ||
		aggregator->sets == NULL)
		return false;
	for (int i = 0; i < count; i++)
	{
		HzKeyKind kind = HZ_KEY_INT;

		if (aggregates[i].kind == HZ_AGG_DISTINCT)
			(void) hz_key_kind(aggregates[i].argument_kind, aggregates[i].argument_width, &kind);
		hz_distinctset_init(&aggregator->sets[i], kind, region);
	}
	aggregator->empty_bytes = region->total;
	return layout->key_count > 0 || make_single(aggregator);
}

void
hz_aggregator_free(HzAggregator *aggregator)
{
	if (aggregator->sets != NULL)
	{
		for (int i = 0; i < aggregator->aggregate_count; i++)
			hz_distinctset_free(&aggregator->sets[i]);
	}
	hz_grouptable_free(&aggregator->table);
	hz_region_free(&aggregator->region);
	memset(aggregator, 0, sizeof(*aggregator));
}

void
hz_aggregator_forget_codes(HzAggregator *aggregator)
{
	hz_grouptable_forget_codes(&aggregator->table);
	for (int i = 0; i < aggregator->aggregate_count; i++)
		hz_distinctset_forget_codes(&aggregator->sets[i]);
}

HzAggStatus
hz_aggregator_group(HzAggregator *aggregator, const HzVector *keys, const uint16_t *at,
					uint32_t count)
{
	if (aggregator->layout->key_count == 0)
		return HZ_AGG_OK;
	switch (hz_grouptable_classify(&aggregator->table, keys, at, count, aggregator->groups))
	{
		case HZ_GROUP_OK:
			return HZ_AGG_OK;
		case HZ_GROUP_KEY:
			return HZ_AGG_WIDE;
		case HZ_GROUP_MEMORY:
			break;
	}
	return HZ_AGG_MEMORY;
}

/* ---- Merging */

typedef struct MergeArg
{
	HzAggregator *into;
	bool
		copy; /* what rows point to goes: keep copies; and counts of distinct values are to be added */
	HzAggStatus status;
} MergeArg;

static HzAggStatus
merge_extreme(const MergeArg *merge, const HzAggregate *aggregate, HzExtreme *into,
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
	return hz_key_keep(kind, &into->value, &merge->into->region) ? HZ_AGG_OK : HZ_AGG_MEMORY;
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
merge_collected(const MergeArg *merge, HzCollected *to, const HzCollected *from)
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
	values = hz_region_alloc(&merge->into->region, sizeof(int64_t) * (size_t) room);
	if (values == NULL)
		return HZ_AGG_MEMORY;
	if (to->count > 0)
		memcpy(values, to->values, sizeof(int64_t) * (size_t) to->count);
	memcpy(values + to->count, from->values, sizeof(int64_t) * (size_t) from->count);
	*to = (HzCollected){.values = values, .count = room, .room = room};
	return HZ_AGG_OK;
}

static HzAggStatus
merge_state(const MergeArg *merge, const HzAggregate *aggregate, uint8_t *to, uint8_t *from)
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

static bool
combine_rows(void *arg, HzGroupRow *into, HzGroupRow *from)
{
	MergeArg *merge = arg;

	for (int i = 0; i < merge->into->aggregate_count && merge->status == HZ_AGG_OK; i++)
	{
		const HzAggregate *aggregate = &merge->into->aggregates[i];

		merge->status = merge_state(merge, aggregate, (uint8_t *) into + aggregate->offset,
									(uint8_t *) from + aggregate->offset);
	}
	return merge->status == HZ_AGG_OK;
}

/* Rows that are taken over as they are must not bring counts of pairs that are still to be added. */
static void
forget_distinct_counts(HzAggregator *from)
{
	HzGroupCursor cursor = {0};
	HzGroupRow *row;

	while ((row = hz_grouptable_next(&from->table, &cursor)) != NULL)
	{
		for (int i = 0; i < from->aggregate_count; i++)
		{
			if (from->aggregates[i].kind == HZ_AGG_DISTINCT)
				*(int64_t *) ((uint8_t *) row + from->aggregates[i].offset) = 0;
		}
	}
}

HzAggStatus
hz_aggregator_merge(HzAggregator *into, HzAggregator *from, void (*poll)(void))
{
	MergeArg merge = {.into = into, .status = HZ_AGG_OK};

	forget_distinct_counts(from);
	if (!hz_grouptable_merge(&into->table, &from->table, combine_rows, &merge, poll))
		return merge.status != HZ_AGG_OK ? merge.status : HZ_AGG_MEMORY;
	for (int i = 0; i < into->aggregate_count; i++)
	{
		if (into->aggregates[i].kind == HZ_AGG_DISTINCT &&
			!hz_distinctset_merge(&into->sets[i], &from->sets[i], into->aggregates[i].offset, poll))
			return HZ_AGG_MEMORY;
	}
	return HZ_AGG_OK;
}

HzAggStatus
hz_aggregator_finish(HzAggregator *aggregator, void (*poll)(void))
{
	for (int i = 0; i < aggregator->aggregate_count; i++)
	{
		if (!hz_distinctset_finish(&aggregator->sets[i], aggregator->aggregates[i].offset, poll))
			return HZ_AGG_MEMORY;
	}
	return HZ_AGG_OK;
}

HzAggStatus
hz_aggregator_add_row(HzAggregator *aggregator, HzGroupRow *row)
{
	MergeArg merge = {.into = aggregator, .copy = true, .status = HZ_AGG_OK};
	HzGroupRow *into = hz_grouptable_like(&aggregator->table, row);

	if (into == NULL)
		return HZ_AGG_MEMORY;
	(void) combine_rows(&merge, into, row);
	return merge.status;
}

HzAggStatus
hz_aggregator_add_distinct(HzAggregator *aggregator, int index, const HzGroupRow *like,
						   const HzKeySlot *value)
{
	HzDistinctSet *set = &aggregator->sets[index];
	HzGroupRow *group = hz_grouptable_like(&aggregator->table, like);
	HzKeyColumn *column = aggregator->values;
	uint64_t hash = 0;

	if (group == NULL)
		return HZ_AGG_MEMORY;
	column->kind = set->kind;
	column->has_nulls = false;
	column->slots[0] = *value;
	if (set->kind == HZ_KEY_STRING || set->kind == HZ_KEY_NUMERIC)
		hz_key_hash(column, 1, &hash);
	return hz_distinctset_add(set, column, &hash, NULL, 1, NULL, group,
							  aggregator->aggregates[index].offset)
			   ? HZ_AGG_OK
			   : HZ_AGG_MEMORY;
}

size_t
hz_aggregator_grown(const HzAggregator *aggregator, uint32_t more)
{
	size_t bytes = aggregator->region.total - aggregator->empty_bytes -
				   hz_groupcodes_bytes(&aggregator->table);

	if (aggregator->layout->key_count > 0)
		bytes += hz_grouptable_growth(&aggregator->table, more);
	for (int i = 0; i < aggregator->aggregate_count; i++)
	{
		if (aggregator->aggregates[i].kind == HZ_AGG_DISTINCT)
			bytes += hz_distinctset_growth(&aggregator->sets[i], more);
	}
	return bytes;
}

bool
hz_aggregator_reset(HzAggregator *aggregator)
{
	const HzGroupLayout *layout = aggregator->layout;
	const HzAggregate *aggregates = aggregator->aggregates;
	int count = aggregator->aggregate_count;

	hz_aggregator_free(aggregator);
	return hz_aggregator_init(aggregator, layout, aggregates, count);
}
