/*
 * unit/test_grouping.c
 *	  Groups of random batches, with counts and sums, against a list that is searched: keys of all kinds and forms, dictionaries of a
 *	  row group and of a vector, nulls, selections, filters, runs, few values and many.
 */
#include "agg/aggregate.h"
#include "base/bitmap.h"
#include "unit/unit.h"

#define RUNS 150
#define BATCHES 40
#define KEYS 3
#define CALLS 4
#define DICTIONARY 300
#define GROUP_BATCHES 5 /* of a row group */
#define SLOTS 262144    /* of the list's hash table */

/* What a key is in this run. */
typedef enum Shape
{
	SHAPE_INT16,
	SHAPE_INT32,
	SHAPE_INT64,
	SHAPE_BOOL,
	SHAPE_UUID,
	SHAPE_STRING,
	SHAPE_DECIMAL,
	SHAPES
} Shape;

/* Where its values come from, batch by batch. */
typedef enum Spread
{
	SPREAD_RUNS,
	SPREAD_FEW,
	SPREAD_MANY,
	SPREAD_ELSEWHERE, /* every batch has a range of its own */
	SPREAD_EXTREMES,
	SPREADS
} Spread;

typedef struct Key
{
	Shape shape;
	Spread spread;
	uint8_t values[HZ_VECTOR_ROWS * 16];         /* of a batch */
	uint8_t dictionary[DICTIONARY * 16];         /* of a row group */
	uint8_t own[GROUP_BATCHES][DICTIONARY * 16]; /* of each batch of it */
	uint16_t codes[HZ_VECTOR_ROWS];
	uint64_t validity[HZ_BITMAP_WORDS(HZ_VECTOR_ROWS)];
} Key;

typedef struct Expected
{
	struct Expected *next;
	int64_t numbers[KEYS]; /* what the values are made of */
	bool nulls[KEYS];
	int64_t count;
	int64_t filtered;
	int64_t not_null;
	int64_t sum;
	bool found;
} Expected;

static Key keys[KEYS];
static Expected *expected[SLOTS];
static uint64_t expected_count;
static int64_t elsewhere; /* of the batch */
/* batches that were found in each way */
static uint64_t by_classes;
static uint64_t by_memo;
static uint64_t by_cache;
static uint64_t by_plain_codes; /* of a range that does not begin with the first */
static char texts[70000][16];   /* strings, which vectors point to */

static uint32_t
width_of(Shape shape)
{
	static const uint32_t widths[] = {2, 4, 8, 1, 16, sizeof(HzString), 8};

	return widths[shape];
}

static HzKind
kind_of(Shape shape)
{
	static const HzKind kinds[] = {HZ_KIND_INT16, HZ_KIND_INT32, HZ_KIND_INT64,  HZ_KIND_BOOL,
								   HZ_KIND_FIXED, HZ_KIND_BYTES, HZ_KIND_NUMERIC};

	return kinds[shape];
}

/* The number that a value is made of, from 0 on; extremes are told apart by the value alone. */
static int64_t
draw(const Key *key, uint32_t row)
{
	if (key->shape == SHAPE_BOOL)
		return (int64_t) (unit_random() % 2);
	switch (key->spread)
	{
		case SPREAD_RUNS:
			return (int64_t) (row / 7 % 300);
		case SPREAD_FEW:
			return (int64_t) (unit_random() % 24);
		case SPREAD_MANY:
			return (int64_t) (unit_random() % 30000);
		case SPREAD_ELSEWHERE:
			return elsewhere + (int64_t) (unit_random() % 100);
		default:
			return unit_random() % 5 == 0 && key->shape == SHAPE_INT64
					   ? INT64_MAX - 3 + (int64_t) (unit_random() % 4)
				   : key->shape == SHAPE_INT64 && unit_random() % 5 == 0
					   ? INT64_MIN + (int64_t) (unit_random() % 4)
					   : (int64_t) (unit_random() % 9);
	}
}

static void
put(const Key *key, void *slots, uint32_t at, int64_t number)
{
	uint8_t *slot = (uint8_t *) slots + (size_t) at * width_of(key->shape);
	HzString string;

	memset(slot, 0, width_of(key->shape));
	switch (key->shape)
	{
		case SHAPE_UUID:
			memcpy(slot + 8, &number, sizeof(number));
			return;
		case SHAPE_STRING:
			number %= 70000;
			snprintf(texts[number], sizeof(texts[0]), "%lld", (long long) number);
			string = (HzString){.data = (const uint8_t *) texts[number],
								.length = number == 0 ? 0 : strlen(texts[number])};
			memcpy(slot, &string, sizeof(string));
			return;
		default:
			memcpy(slot, &number, width_of(key->shape));
	}
}

/* A vector of the batch; numbers and nulls say what is in it. */
static HzVector
make_vector(Key *key, int batch, uint32_t rows, int64_t *numbers, bool *nulls)
{
	uint8_t *own_values = key->own[batch % GROUP_BATCHES];
	HzVector vector = {.kind = kind_of(key->shape),
					   .form = (HzForm) (unit_random() % 3),
					   .numeric = key->shape == SHAPE_DECIMAL ? HZ_NUMERIC_INT64 : 0,
					   .scale = 2,
					   .width = width_of(key->shape),
					   .count = rows,
					   .values = key->values};
	bool with_nulls = unit_random() % 3 == 0;
	bool own = unit_random() % 2 == 0;
	/* equal numerics of another scale */
	int64_t unit = key->shape == SHAPE_DECIMAL && own && unit_random() % 2 == 0 ? 10 : 1;
	uint32_t size = own ? 1 + (uint32_t) (unit_random() % 60) : DICTIONARY;
	int64_t constant = draw(key, 0) % 8;
	int64_t own_numbers[DICTIONARY];
	uint32_t first;
	uint32_t last;

	for (uint32_t d = 0; own && d < size; d++)
	{
		own_numbers[d] = key->shape == SHAPE_BOOL ? d % 2 : (int64_t) (unit_random() % 500);
		put(key, own_values, d, own_numbers[d] * unit);
	}
	memset(key->validity, 0xFF, sizeof(key->validity));
	/* some batches have a part of the codes only */
	first = unit_random() % 3 == 0 ? (uint32_t) (unit_random() % size) : 0;
	last = first > 0 ? first + (uint32_t) (unit_random() % (size - first)) : size - 1;
	for (uint32_t i = 0; i < rows; i++)
	{
		uint32_t code = first + (uint32_t) (unit_random() % (last - first + 1));

		nulls[i] = with_nulls && unit_random() % 6 == 0;
		if (vector.form == HZ_FORM_DICT)
			numbers[i] = own ? own_numbers[code] : key->shape == SHAPE_BOOL ? code % 2 : code * 3;
		else
			numbers[i] = vector.form == HZ_FORM_CONSTANT ? constant : draw(key, i);
		key->codes[i] = nulls[i] ? 0 : (uint16_t) code;
		if (nulls[i])
			hz_bitmap_clear(key->validity, i);
		if (vector.form == HZ_FORM_FLAT)
			put(key, key->values, i, nulls[i] ? 0 : numbers[i] * unit);
	}
	if (vector.form == HZ_FORM_CONSTANT)
		put(key, key->values, 0, constant * unit);
	vector.scale = unit == 10 ? 3 : 2;
	if (with_nulls)
		vector.validity = key->validity;
	if (vector.form == HZ_FORM_DICT)
	{
		vector.codes = key->codes;
		vector.dict_count = size;
		vector.values = own ? own_values : key->dictionary;
	}
	return vector;
}

static Expected *
find_expected(int key_count, int64_t (*numbers)[HZ_VECTOR_ROWS], bool (*nulls)[HZ_VECTOR_ROWS],
			  uint32_t row)
{
	uint64_t hash = 7;
	Expected *entry;

	for (int k = 0; k < key_count; k++)
		hash = (hash ^ (nulls[k][row] ? UINT64_C(0xABCDEF) : (uint64_t) numbers[k][row])) *
			   UINT64_C(0x9E3779B97F4A7C15);
	hash = (hash >> 32) % SLOTS;
	for (entry = expected[hash]; entry != NULL; entry = entry->next)
	{
		bool same = true;

		for (int k = 0; k < key_count; k++)
			same = same && entry->nulls[k] == nulls[k][row] &&
				   (nulls[k][row] || entry->numbers[k] == numbers[k][row]);
		if (same)
			return entry;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		abort();
	for (int k = 0; k < key_count; k++)
	{
		entry->numbers[k] = numbers[k][row];
		entry->nulls[k] = nulls[k][row];
	}
	entry->next = expected[hash];
	expected[hash] = entry;
	expected_count++;
	return entry;
}

static void
forget_expected(void)
{
	for (uint32_t s = 0; s < SLOTS; s++)
	{
		while (expected[s] != NULL)
		{
			Expected *entry = expected[s];

			expected[s] = entry->next;
			free(entry);
		}
	}
	expected_count = 0;
}

/* Some of the rows, ascending; NULL: all. */
static const uint16_t *
select_rows(uint32_t rows, uint16_t *room, uint32_t *count)
{
	uint32_t keep = 1 + (uint32_t) (unit_random() % 4);

	*count = 0;
	if (keep == 4)
	{
		*count = rows;
		return NULL;
	}
	for (uint32_t i = 0; i < rows; i++)
	{
		if (unit_random() % 4 < keep)
			room[(*count)++] = (uint16_t) i;
	}
	return room;
}

/* count(*), count(*) of every third row, count(x), sum(x), in an order that changes. */
static void
run_batch(HzAggregator *aggregator, int key_count, int batch)
{
	static int64_t numbers[KEYS][HZ_VECTOR_ROWS];
	static bool nulls[KEYS][HZ_VECTOR_ROWS];
	static int32_t values[HZ_VECTOR_ROWS];
	static uint64_t value_validity[HZ_BITMAP_WORDS(HZ_VECTOR_ROWS)];
	uint32_t rows =
		unit_random() % 4 == 0 ? 1 + (uint32_t) (unit_random() % HZ_VECTOR_ROWS) : HZ_VECTOR_ROWS;
	HzVector vectors[KEYS];
	HzVector argument = {.kind = HZ_KIND_INT32, .width = 4, .count = rows, .values = values};
	uint16_t room[HZ_VECTOR_ROWS];
	uint16_t third[HZ_VECTOR_ROWS];
	uint32_t third_count = 0;
	uint32_t count;
	const uint16_t *at;
	int first = (int) (unit_random() % CALLS);
	const HzGroupCodes *codes;
	uint32_t seen;

	elsewhere = (int64_t) (unit_random() % 8) * 300;
	for (int k = 0; k < key_count; k++)
		vectors[k] = make_vector(&keys[k], batch, rows, numbers[k], nulls[k]);
	memset(value_validity, 0xFF, sizeof(value_validity));
	if (unit_random() % 2 == 0)
		argument.validity = value_validity;
	for (uint32_t i = 0; i < rows; i++)
	{
		values[i] = (int32_t) (unit_random() % 1000);
		if (argument.validity != NULL && i % 11 == 3)
		{
			hz_bitmap_clear(value_validity, i);
			values[i] = 0;
		}
	}
	at = select_rows(rows, room, &count);
	if (count == 0)
		return;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;
		Expected *entry = find_expected(key_count, numbers, nulls, row);
		bool valid = argument.validity == NULL || hz_bitmap_get(value_validity, row);

		entry->count++;
		entry->not_null += valid;
		entry->sum += valid ? values[row] : 0;
		if (i % 3 == 0)
		{
			entry->filtered++;
			third[third_count++] = (uint16_t) row;
		}
	}
	codes = aggregator->table.codes;
	seen = codes->seen;
	CHECK(hz_aggregator_group(aggregator, vectors, at, count) == HZ_AGG_OK);
	by_classes += codes->classes.count > 0;
	by_memo += codes->classes.count > 0 && codes->classes.groups == codes->memo;
	by_cache += codes->seen > seen;
	by_plain_codes += codes->classes.first > 1;
	for (int c = 0; c < CALLS; c++)
	{
		int call = (first + c) % CALLS;

		CHECK(hz_aggregator_update(aggregator, call, call < 2 ? NULL : &argument,
								   call == 1 ? third : at,
								   call == 1 ? third_count : count) == HZ_AGG_OK);
	}
}

/* The number that a group's key was made of. */
static int64_t
number_of(Shape shape, const HzKeySlot *slot)
{
	int64_t number;
	HzInt128 wide;
	uint16_t scale;
	uint16_t display;

	switch (shape)
	{
		case SHAPE_UUID:
			memcpy(&number, slot->fixed + 8, sizeof(number));
			return number;
		case SHAPE_STRING:
			number = 0;
			for (uint64_t i = 0; i < slot->string.length; i++)
				number = number * 10 + slot->string.data[i] - '0';
			return number;
		case SHAPE_DECIMAL:
			hz_key_numeric(slot, &wide, &scale, &display);
			for (; scale < 2; scale++)
				wide *= 10;
			for (; scale > 2; scale--)
				wide /= 10;
			return (int64_t) wide;
		default:
			return slot->integer;
	}
}

static void
compare(HzAggregator *aggregator, const HzAggregate *aggregates, int key_count)
{
	static int64_t numbers[KEYS][HZ_VECTOR_ROWS];
	static bool nulls[KEYS][HZ_VECTOR_ROWS];
	HzGroupCursor cursor = {0};
	uint64_t known = expected_count;
	uint64_t seen = 0;
	HzGroupRow *row;

	while ((row = hz_grouptable_next(&aggregator->table, &cursor)) != NULL)
	{
		const uint8_t *states = (const uint8_t *) row;
		Expected *entry;

		seen++;
		for (int k = 0; k < key_count; k++)
		{
			nulls[k][0] = (row->nulls >> k) & 1;
			numbers[k][0] = nulls[k][0] ? 0 : number_of(keys[k].shape, &row->keys[k]);
		}
		entry = find_expected(key_count, numbers, nulls, 0);
		CHECK(!entry->found);
		entry->found = true;
		CHECK(entry->count == *(const int64_t *) (states + aggregates[0].offset));
		CHECK(entry->filtered == *(const int64_t *) (states + aggregates[1].offset));
		CHECK(entry->not_null == *(const int64_t *) (states + aggregates[2].offset));
		CHECK(entry->sum == ((const HzSumInt *) (states + aggregates[3].offset))->sum);
	}
	CHECK(seen == known);
	CHECK(expected_count == known);
}

static void
run_aggregation(void)
{
	HzAggregate aggregates[CALLS] = {
		{.kind = HZ_AGG_COUNT},
		{.kind = HZ_AGG_COUNT},
		{.kind = HZ_AGG_COUNT, .argument_kind = HZ_KIND_INT32, .argument_width = 4},
		{.kind = HZ_AGG_SUM_INT, .argument_kind = HZ_KIND_INT32, .argument_width = 4}};
	HzGroupLayout layout = {.key_count = 1 + (int) (unit_random() % KEYS)};
	HzAggregator aggregator;

	for (int k = 0; k < layout.key_count; k++)
	{
		keys[k].shape = (Shape) (unit_random() % SHAPES);
		keys[k].spread = (Spread) (unit_random() % SPREADS);
		CHECK(hz_key_kind(kind_of(keys[k].shape), width_of(keys[k].shape), &layout.kinds[k]));
	}
	hz_aggregates_layout(&layout, aggregates, CALLS);
	CHECK(hz_aggregator_init(&aggregator, &layout, aggregates, CALLS));
	for (int b = 0; b < BATCHES; b++)
	{
		if (b % GROUP_BATCHES == 0)
		{
			hz_aggregator_forget_codes(&aggregator);
			for (int k = 0; k < layout.key_count; k++)
			{
				for (uint32_t d = 0; d < DICTIONARY; d++)
					put(&keys[k], keys[k].dictionary, d,
						keys[k].shape == SHAPE_BOOL ? d % 2 : d * 3);
			}
		}
		run_batch(&aggregator, layout.key_count, b);
	}
	compare(&aggregator, aggregates, layout.key_count);
	hz_aggregator_free(&aggregator);
	forget_expected();
}

int
main(void)
{
	unit_subject = "grouping";
	for (int r = 0; r < RUNS; r++)
		run_aggregation();
	/* of 6,000: all ways are taken, runs among the classes */
	CHECK(by_memo > 100);
	CHECK(by_classes > by_memo + 20);
	CHECK(by_cache > 100);
	CHECK(by_plain_codes > 0);
	return unit_summary();
}
