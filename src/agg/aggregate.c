/*
 * agg/aggregate.c
 *	  Aggregators: making, grouping. See aggregate.h; aggregate_update.c has the updates, merge.c brings several together.
 */
#include <string.h>

#include "agg/merge.h"

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
	HzGroupRow *into = hz_grouptable_like(&aggregator->table, row);

	if (into == NULL)
		return HZ_AGG_MEMORY;
	return hz_aggregate_combine(aggregator, &aggregator->region, true, into, row);
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
