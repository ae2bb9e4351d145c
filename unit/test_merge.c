/*
 * unit/test_merge.c
 *	  Aggregators brought together by several threads (agg/merge.h) against one that was given all rows: keys of several kinds, or
 *	  none; every kind of state that merging treats in a way of its own; few groups and many; values of count(DISTINCT) in tables
 *	  and in parts.
 */
#include <pthread.h>

#include "agg/merge.h"
#include "base/bitmap.h"
#include "unit/unit.h"

#define MOST 5 /* aggregators */
#define CALLS 9
#define TEXTS 4096

static char texts[TEXTS][24];

typedef struct Spread
{
	uint64_t groups;
	uint64_t values;
	uint32_t batches;
} Spread;

/* What all aggregators have in common. */
static HzGroupLayout layout;
static HzAggregate calls[CALLS];
static uint64_t asked; /* go_on() */

static void
lay_out(int key_count, const HzKeyKind *kinds)
{
	static const HzAggregate all[CALLS] = {
		{.kind = HZ_AGG_COUNT},
		{.kind = HZ_AGG_SUM_INT, .argument_kind = HZ_KIND_INT32, .argument_width = 4},
		{.kind = HZ_AGG_SUM_WIDE, .argument_kind = HZ_KIND_INT64, .argument_width = 8},
		{.kind = HZ_AGG_MIN, .argument_kind = HZ_KIND_BYTES, .argument_width = sizeof(HzString)},
		{.kind = HZ_AGG_MAX, .argument_kind = HZ_KIND_INT64, .argument_width = 8},
		{.kind = HZ_AGG_DISTINCT, .argument_kind = HZ_KIND_INT64, .argument_width = 8},
		{.kind = HZ_AGG_DISTINCT,
		 .argument_kind = HZ_KIND_BYTES,
		 .argument_width = sizeof(HzString)},
		{.kind = HZ_AGG_DISTINCT, .argument_kind = HZ_KIND_FIXED, .argument_width = 16},
		{.kind = HZ_AGG_COLLECT, .argument_kind = HZ_KIND_INT64, .argument_width = 8},
	};

	memset(&layout, 0, sizeof(layout));
	layout.key_count = key_count;
	for (int k = 0; k < key_count; k++)
		layout.kinds[k] = kinds[k];
	memcpy(calls, all, sizeof(calls));
	hz_aggregates_layout(&layout, calls, CALLS);
}

static HzVector
vector_of(HzKind kind, uint32_t width, const void *values)
{
	return (HzVector){.kind = kind,
					  .form = HZ_FORM_FLAT,
					  .width = width,
					  .count = HZ_VECTOR_ROWS,
					  .values = values};
}

static HzString
text_of(uint64_t number)
{
	const char *text = texts[number % TEXTS];

	return (HzString){.data = (const uint8_t *) text, .length = strlen(text)};
}

/* The same random batch for two aggregators. */
static void
add_batch(HzAggregator *one, HzAggregator *all, const Spread *spread)
{
	static int64_t key_numbers[HZ_VECTOR_ROWS];
	static HzString key_texts[HZ_VECTOR_ROWS];
	static int32_t small[HZ_VECTOR_ROWS];
	static int64_t large[HZ_VECTOR_ROWS];
	static HzString strings[HZ_VECTOR_ROWS];
	static uint8_t fixed[HZ_VECTOR_ROWS][16];
	static uint64_t validity[HZ_BITMAP_WORDS(HZ_VECTOR_ROWS)];
	HzAggregator *both[] = {one, all};
	HzVector keys[2];
	HzVector arguments[CALLS];

	memset(validity, 0, sizeof(validity));
	for (uint32_t i = 0; i < HZ_VECTOR_ROWS; i++)
	{
		uint64_t group = unit_random() % spread->groups;
		uint64_t value = unit_random() % spread->values;

		key_numbers[i] = (int64_t) group * 7;
		key_texts[i] = text_of(group * 11);
		small[i] = (int32_t) (unit_random() % 2000) - 1000;
		large[i] = (int64_t) value * 3;
		strings[i] = text_of(value);
		memset(fixed[i], 0, 16);
		memcpy(fixed[i], &value, sizeof(value));
		memcpy(fixed[i] + 8, &group, sizeof(group));
		if (unit_random() % 50 != 0)
			hz_bitmap_set(validity, i);
	}
	keys[0] = vector_of(HZ_KIND_INT64, 8, key_numbers);
	keys[1] = vector_of(HZ_KIND_BYTES, sizeof(HzString), key_texts);
	if (layout.key_count == 1 && layout.kinds[0] == HZ_KEY_STRING)
		keys[0] = keys[1];
	keys[0].validity = validity;
	arguments[1] = vector_of(HZ_KIND_INT32, 4, small);
	arguments[2] = arguments[4] = arguments[5] = arguments[8] = vector_of(HZ_KIND_INT64, 8, large);
	arguments[3] = arguments[6] = vector_of(HZ_KIND_BYTES, sizeof(HzString), strings);
	arguments[7] = vector_of(HZ_KIND_FIXED, 16, fixed);
	for (int a = 0; a < 2; a++)
	{
		CHECK(hz_aggregator_group(both[a], keys, NULL, HZ_VECTOR_ROWS) == HZ_AGG_OK);
		for (int c = 0; c < CALLS; c++)
			CHECK(hz_aggregator_update(both[a], c, c == 0 ? NULL : &arguments[c], NULL,
									   HZ_VECTOR_ROWS) == HZ_AGG_OK);
	}
}

static bool
go_on(void *arg)
{
	__atomic_fetch_add((uint64_t *) arg, 1, __ATOMIC_RELAXED);
	return true;
}

static bool
never(void *arg)
{
	(void) arg;
	return false;
}

typedef struct Task
{
	HzAggMerge *merge;
	uint32_t share;
	void (*run)(void *merge, uint32_t share, bool (*go_on)(void *arg), void *arg);
} Task;

static void *
run_task(void *arg)
{
	Task *task = arg;

	task->run(task->merge, task->share, go_on, &asked);
	return NULL;
}

static void
run_shares(HzAggMerge *merge,
		   void (*run)(void *merge, uint32_t share, bool (*go_on)(void *arg), void *arg))
{
	pthread_t threads[MOST];
	Task tasks[MOST];

	for (uint32_t i = 0; i < merge->shares; i++)
	{
		tasks[i] = (Task){.merge = merge, .share = i, .run = run};
		CHECK(pthread_create(&threads[i], NULL, run_task, &tasks[i]) == 0);
	}
	for (uint32_t i = 0; i < merge->shares; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a;
	int64_t y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

static void
check_group(HzGroupRow *row, HzGroupRow *like)
{
	uint8_t *got = (uint8_t *) row;
	uint8_t *wanted = (uint8_t *) like;

	for (int c = 0; c < CALLS; c++)
	{
		void *a = got + calls[c].offset;
		void *b = wanted + calls[c].offset;
		HzCollected *values = a;
		HzCollected *others = b;
		HzExtreme *least = a;
		HzExtreme *other = b;

		switch (calls[c].kind)
		{
			case HZ_AGG_COUNT:
			case HZ_AGG_DISTINCT:
				CHECK(memcmp(a, b, sizeof(int64_t)) == 0);
				break;
			case HZ_AGG_SUM_INT:
				CHECK(memcmp(a, b, sizeof(HzSumInt)) == 0);
				break;
			case HZ_AGG_SUM_WIDE:
				CHECK(memcmp(a, b, sizeof(HzSumWide)) == 0);
				break;
			case HZ_AGG_MIN:
				CHECK(least->value.string.length == other->value.string.length &&
					  memcmp(least->value.string.data, other->value.string.data,
							 other->value.string.length) == 0);
				break;
			case HZ_AGG_MAX:
				CHECK(least->seen != 0 && least->value.integer == other->value.integer);
				break;
			case HZ_AGG_COLLECT:
				if (!CHECK(values->count == others->count))
					break;
				qsort(values->values, (size_t) values->count, sizeof(int64_t), compare);
				qsort(others->values, (size_t) others->count, sizeof(int64_t), compare);
				CHECK(memcmp(values->values, others->values,
							 sizeof(int64_t) * (size_t) values->count) == 0);
				break;
			default:
				CHECK(false);
		}
	}
}

static void
test_rows(int count, const Spread *spread, uint32_t shares)
{
	HzAggregator aggregators[MOST];
	HzAggregator *all[MOST];
	HzAggregator reference;
	HzAggMerge merge;
	HzGroupCursor cursor = {0};
	HzGroupRow *row;
	uint64_t seen = 0;

	CHECK(hz_aggregator_init(&reference, &layout, calls, CALLS));
	for (int i = 0; i < count; i++)
	{
		all[i] = &aggregators[i];
		CHECK(hz_aggregator_init(all[i], &layout, calls, CALLS));
	}
	/* some may have got nothing */
	for (uint32_t b = 0; b < spread->batches; b++)
		add_batch(all[unit_random() % 16 == 0 ? 0 : unit_random() % (uint32_t) count], &reference,
				  spread);
	CHECK(hz_aggregator_finish(&reference, NULL) == HZ_AGG_OK);
	CHECK(hz_aggmerge_begin(&merge, all, count));
	if (shares != 0)
		CHECK(merge.shares == shares);
	run_shares(&merge, hz_aggmerge_groups);
	CHECK(hz_aggmerge_between(&merge) == HZ_AGG_OK);
	CHECK(merge.distinct);
	run_shares(&merge, hz_aggmerge_pairs);
	CHECK(hz_aggmerge_end(&merge) == HZ_AGG_OK);
	CHECK(all[0]->table.count == reference.table.count);
	while ((row = hz_grouptable_next(&all[0]->table, &cursor)) != NULL)
	{
		uint64_t before = reference.table.count;
		HzGroupRow *like = layout.key_count == 0 ? hz_grouptable_single(&reference.table)
												 : hz_grouptable_like(&reference.table, row);

		if (!CHECK(like != NULL && reference.table.count == before && like->unused == 0))
			break;
		like->unused = 1;
		check_group(row, like);
		seen++;
	}
	CHECK(seen == reference.table.count);
	for (int i = 0; i < count; i++)
		hz_aggregator_free(all[i]);
	hz_aggregator_free(&reference);
}

/* Told to stop, a merge ends, and all can be given back. */
static void
test_stop(void)
{
	static const Spread many = {.groups = 20000, .values = 50000, .batches = 20};
	HzAggregator aggregators[2];
	HzAggregator *all[2] = {&aggregators[0], &aggregators[1]};
	HzAggregator reference;
	HzAggMerge merge;

	CHECK(hz_aggregator_init(&reference, &layout, calls, CALLS));
	for (int i = 0; i < 2; i++)
		CHECK(hz_aggregator_init(all[i], &layout, calls, CALLS));
	for (uint32_t b = 0; b < many.batches; b++)
		add_batch(all[b % 2], &reference, &many);
	CHECK(hz_aggmerge_begin(&merge, all, 2));
	hz_aggmerge_groups(&merge, 0, never, NULL);
	hz_aggmerge_groups(&merge, 1, go_on, &asked);
	CHECK(hz_aggmerge_between(&merge) == HZ_AGG_MEMORY);
	for (int i = 0; i < 2; i++)
		hz_aggregator_free(all[i]);
	hz_aggregator_free(&reference);
}

int
main(void)
{
	static const HzKeyKind integer[] = {HZ_KEY_INT};
	static const HzKeyKind string[] = {HZ_KEY_STRING};
	static const HzKeyKind both[] = {HZ_KEY_INT, HZ_KEY_STRING};
	static const HzKeyKind *const kinds[] = {integer, integer, string, both};
	static const int key_counts[] = {0, 1, 1, 2};
	static const Spread spreads[] = {
		{.groups = 3, .values = 10, .batches = 8},
		{.groups = 40, .values = 100000, .batches = 60},
		{.groups = 3000, .values = 50, .batches = 60},
		{.groups = 60000, .values = 1000000, .batches = 90},
		{.groups = 60000, .values = 1000000, .batches = 1},
	};

	for (int i = 0; i < TEXTS; i++)
		snprintf(texts[i], sizeof(texts[i]), "%.*s%d", i % 14, "abcdefghijklmn", i);
	for (int k = 0; k < 4; k++)
	{
		lay_out(key_counts[k], kinds[k]);
		for (size_t s = 0; s < sizeof(spreads) / sizeof(spreads[0]); s++)
		{
			for (int count = 1; count <= MOST; count++)
				test_rows(count, &spreads[s],
						  s == 0 || count == 1 ? 1
						  : s == 4             ? 0
											   : (uint32_t) count);
		}
	}
	test_stop();
	CHECK(asked > 100);
	return unit_summary();
}
