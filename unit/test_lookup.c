/*
 * unit/test_lookup.c
 *	  Looking up keys of one column, of strings and of fixed values, in dictionaries of all sizes beside lookups of all sizes, also with
 *	  repeated keys: each row's answer is what a search among the lookup's rows says.
 */
#include "agg/lookup.h"
#include "base/bitmap.h"
#include "base/memory.h"
#include "unit/unit.h"

#define NUMBERS 20000 /* that values are made of */
#define WIDTH 16
#define ROOM (4u * 1024 * 1024) /* of a probe */

static uint8_t bytes[NUMBERS][WIDTH];

/* In ascending order, as dictionaries are; strings of 12 to 16 bytes. */
static void
make_bytes(void)
{
	for (uint32_t n = 0; n < NUMBERS; n++)
	{
		memset(bytes[n], 'a' + (int) (n % 3), WIDTH);
		for (int i = 0; i < 4; i++)
			bytes[n][i] = (uint8_t) (n >> (24 - 8 * i));
	}
}

static HzString
string_of(uint32_t n)
{
	return (HzString){.data = bytes[n], .length = 12 + n % 5};
}

/* A FLAT vector of these numbers' values; an odd `nulls`: every 13th is null. */
typedef struct Values
{
	HzVector vector;
	HzString strings[HZ_VECTOR_ROWS];
	uint8_t fixed[HZ_VECTOR_ROWS * WIDTH];
	uint64_t validity[HZ_VECTOR_ROWS / 64];
} Values;

static void
set_values(Values *values, HzKind kind, const uint32_t *numbers, uint32_t count, bool nulls)
{
	memset(values, 0, sizeof(*values));
	for (uint32_t i = 0; i < count; i++)
	{
		values->strings[i] = string_of(numbers[i]);
		memcpy(values->fixed + (size_t) i * WIDTH, bytes[numbers[i]], WIDTH);
		if (i % 13 != 5)
			hz_bitmap_set(values->validity, i);
	}
	values->vector.kind = kind;
	values->vector.form = HZ_FORM_FLAT;
	values->vector.width = kind == HZ_KIND_BYTES ? sizeof(HzString) : WIDTH;
	values->vector.count = count;
	values->vector.values = kind == HZ_KIND_BYTES ? (void *) values->strings : values->fixed;
	values->vector.validity = nulls ? values->validity : NULL;
}

/* The first `count` of all numbers in a random order. */
static void
choose(uint32_t *numbers, uint32_t count)
{
	static uint32_t all[NUMBERS];

	for (uint32_t n = 0; n < NUMBERS; n++)
		all[n] = n;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t other = i + (uint32_t) (unit_random() % (NUMBERS - i));
		uint32_t kept = all[i];

		all[i] = all[other];
		all[other] = kept;
		numbers[i] = all[i];
	}
}

static int
compare_numbers(const void *a, const void *b)
{
	return *(const uint32_t *) a < *(const uint32_t *) b
			   ? -1
			   : *(const uint32_t *) a > *(const uint32_t *) b;
}

static uint32_t
drop_doubles(uint32_t *numbers, uint32_t count)
{
	uint32_t kept = 1;

	for (uint32_t i = 1; i < count; i++)
		if (numbers[i] != numbers[kept - 1])
			numbers[kept++] = numbers[i];
	return kept;
}

/* Probes batches of codes of one dictionary. */
static void
check_dictionary(HzProbe *probe, const Values *sought, const uint32_t *rows, uint32_t row_count,
				 uint32_t entries, bool nulls)
{
	static uint32_t numbers[NUMBERS];
	static HzString strings[NUMBERS];
	static uint8_t fixed[NUMBERS][WIDTH];
	uint16_t codes[HZ_VECTOR_ROWS];
	uint16_t at[HZ_VECTOR_ROWS];
	uint64_t validity[HZ_VECTOR_ROWS / 64];
	HzVector key = sought->vector;
	const HzVector *matched;
	uint64_t wrong = 0;

	choose(numbers, entries);
	/* half of the lookup's values, as far as there is room */
	for (uint32_t i = 0; i < row_count && i * 2 < entries; i++)
		numbers[i * 2] = rows[i];
	qsort(numbers, entries, sizeof(uint32_t), compare_numbers);
	entries = drop_doubles(numbers, entries);
	for (uint32_t i = 0; i < entries; i++)
	{
		strings[i] = string_of(numbers[i]);
		memcpy(fixed[i], bytes[numbers[i]], WIDTH);
	}
	key.form = HZ_FORM_DICT;
	key.count = HZ_VECTOR_ROWS;
	key.values = key.kind == HZ_KIND_BYTES ? (const void *) strings : fixed;
	key.dict_count = entries;
	key.codes = codes;
	key.validity = nulls ? validity : NULL;
	hz_probe_forget(probe);
	for (int batch = 0; batch < 3; batch++)
	{
		uint32_t count = 0;
		bool some = batch == 1;

		for (uint32_t i = 0; i < HZ_VECTOR_ROWS; i++)
		{
			codes[i] = (uint16_t) (unit_random() % entries);
			if (unit_random() % 3 == 0)
				at[count++] = (uint16_t) i;
		}
		for (size_t w = 0; w < HZ_VECTOR_ROWS / 64; w++)
			validity[w] = unit_random() | unit_random();
		hz_probe_batch(probe, &key, HZ_VECTOR_ROWS, some ? at : NULL,
					   some ? count : HZ_VECTOR_ROWS);
		matched = hz_probe_column(probe, 1);
		for (uint32_t i = 0; i < (some ? count : HZ_VECTOR_ROWS); i++)
		{
			uint32_t row = some ? at[i] : i;
			bool expected = false;

			if (key.validity == NULL || hz_bitmap_get(validity, row))
				for (uint32_t r = 0; r < row_count; r++)
					expected |=
						rows[r] == numbers[codes[row]] &&
						(sought->vector.validity == NULL || hz_bitmap_get(sought->validity, r));
			wrong += ((const uint8_t *) matched->values)[row] != expected;
		}
	}
	CHECK(wrong == 0);
}

static void
check_lookup(HzKind kind, uint32_t row_count, bool nulls, bool known, bool any)
{
	static const uint32_t sizes[] = {1, 2, 15, 16, 100, 1000, 5000, 19000};
	static uint32_t rows[HZ_VECTOR_ROWS];
	static Values sought;
	static HzArena arena;
	HzKeyKind key_kind;
	HzLookup lookup;
	HzProbe *probe;

	choose(rows, row_count);
	for (uint32_t i = 1; any && i < row_count; i += 3)
		rows[i] = rows[unit_random() % i];
	set_values(&sought, kind, rows, row_count, nulls);
	CHECK(hz_key_kind(kind, WIDTH, &key_kind));
	CHECK(hz_lookup_init(&lookup, 1, &key_kind));
	if (any && row_count > 1 && !nulls)
	{
		CHECK(hz_lookup_add(&lookup, &sought.vector, row_count) == HZ_LOOKUP_DUPLICATE);
		hz_lookup_free(&lookup);
		CHECK(hz_lookup_init(&lookup, 1, &key_kind));
	}
	lookup.any = any;
	CHECK(hz_lookup_add(&lookup, &sought.vector, row_count) == HZ_LOOKUP_OK);
	lookup.column_count = 1;
	lookup.columns = &sought.vector;
	lookup.key = known ? &sought.vector : NULL;
	arena.base = malloc(ROOM);
	arena.size = ROOM;
	arena.used = 0;
	/* probes go with their memory */
	hz_memory_use(&arena);
	probe = hz_probe_create(&lookup);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		check_dictionary(probe, &sought, rows, row_count, sizes[s], s % 2 == 1);
	hz_memory_use(NULL);
	free(arena.base);
	hz_lookup_free(&lookup);
}

int
main(void)
{
	static const uint32_t sizes[] = {1, 3, 40, 300, 1500};

	unit_subject = "lookups";
	make_bytes();
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (int way = 0; way < 16; way++)
			check_lookup(way & 1 ? HZ_KIND_BYTES : HZ_KIND_FIXED, sizes[s], (way & 2) != 0,
						 (way & 4) != 0, (way & 8) != 0);
	return unit_summary();
}
