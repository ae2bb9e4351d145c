/*
 * unit/test_distinct.c
 *	  Sets of distinct values of one group (agg/distinctset.h) against a sorted list, through all their forms: a hash table, lists
 *	  by hash, both merged.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agg/distinctset.h"
#include "unit/unit.h"

typedef struct Word
{
	uint64_t word[2];
} Word;

/* What one set was given. */
typedef struct Given
{
	Word *values;
	uint64_t count;
	uint64_t room;
} Given;

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(Word));
}

static uint64_t
distinct(Given *given)
{
	uint64_t result = 0;

	qsort(given->values, given->count, sizeof(Word), compare);
	for (uint64_t i = 0; i < given->count; i++)
		result += i == 0 || compare(&given->values[i - 1], &given->values[i]) != 0;
	return result;
}

static void
note(Given *given, Word value)
{
	if (given->count == given->room)
	{
		given->room = given->room == 0 ? 1024 : given->room * 2;
		given->values = realloc(given->values, sizeof(Word) * given->room);
	}
	given->values[given->count++] = value;
}

/* A value out of `range`; floats meet both zeroes and several NaNs, which are one each. */
static Word
make_value(HzKeyKind kind, uint64_t range, HzKeySlot *slot)
{
	uint64_t number = unit_random() % range;
	Word value = {{number, 0}};

	memset(slot, 0, sizeof(*slot));
	if (kind == HZ_KEY_FLOAT)
	{
		slot->real = number < 4
						 ? (number < 2 ? (number == 0 ? 0.0 : -0.0) : (number == 2 ? NAN : -NAN))
						 : (double) number;
		value.word[0] = number < 4 ? number / 2 * 2 : number;
	}
	else if (kind == HZ_KEY_INT)
		slot->integer = (int64_t) (number * 3) - 1000;
	else
	{
		/* zeroes are a value like others, and so are two that differ in one word only */
		value.word[number % 2] = number / 2;
		value.word[1 - number % 2] = number % 2 == 0 ? 0 : number / 4;
		memcpy(slot->fixed, value.word, sizeof(value.word));
	}
	return value;
}

typedef struct Set
{
	HzGroupLayout layout;
	HzRegion region;
	HzGroupTable table;
	HzGroupRow *row;
	HzDistinctSet set;
} Set;

static void
begin(Set *set, HzKeyKind kind)
{
	memset(set, 0, sizeof(*set));
	hz_grouptable_layout(&set->layout, sizeof(int64_t));
	CHECK(hz_grouptable_init(&set->table, &set->layout, &set->region));
	set->row = hz_grouptable_single(&set->table);
	hz_distinctset_init(&set->set, kind, &set->region);
	set->set.single = set->row;
}

static int64_t
count_of(const Set *set)
{
	return *(const int64_t *) ((const uint8_t *) set->row + set->layout.states_offset);
}

static void
end(Set *set)
{
	hz_distinctset_free(&set->set);
	hz_grouptable_free(&set->table);
	hz_region_free(&set->region);
}

static void
add(Set *set, HzKeyKind kind, uint64_t rows, uint64_t range, Given *given)
{
	static HzKeyColumn column;
	static uint64_t hashes[HZ_VECTOR_ROWS];

	column.kind = kind;
	while (rows > 0)
	{
		uint32_t count =
			(uint32_t) (rows < HZ_VECTOR_ROWS ? rows : unit_random() % HZ_VECTOR_ROWS + 1);

		for (uint32_t i = 0; i < count; i++)
		{
			/* runs, too */
			if (i > 0 && unit_random() % 4 == 0)
				column.slots[i] = column.slots[i - 1];
			else
				note(given, make_value(kind, range, &column.slots[i]));
		}
		CHECK(hz_distinctset_add(&set->set, &column, hashes, NULL, count, NULL, set->row,
								 set->layout.states_offset));
		rows -= count;
	}
}

static uint64_t
visit(const Set *set)
{
	uint64_t position = 0;
	uint64_t count = 0;
	uint64_t hash;
	HzGroupRow *group;
	HzKeySlot value;

	while (hz_distinctset_next(&set->set, &position, &group, &value, &hash))
	{
		CHECK(group == set->row);
		count++;
	}
	CHECK(!hz_distinctset_next(&set->set, &position, &group, &value, &hash));
	return count;
}

static void
poll(void)
{
}

static bool
go_on(void *arg)
{
	(void) arg;
	return true;
}

/* How many values the two have, which are good for nothing afterwards. */
static int64_t
merged(Set *one, Set *other)
{
	HzDistinctSet *sets[] = {&one->set, &other->set};
	HzMergeShare share = {.shares = (uint32_t) (unit_random() % 4 + 1), .go_on = go_on};
	uint64_t count = 0;
	bool parts;

	CHECK(hz_distinctset_gather_parts(sets, 2, one->layout.states_offset, &parts));
	for (share.number = 0; share.number < share.shares; share.number++)
	{
		HzRegion region = {0};
		uint64_t counted = 0;

		share.region = &region;
		CHECK(parts ? hz_distinctparts_count_share(one->set.parts, share.number, share.shares,
												   &region, go_on, NULL, &counted)
					: hz_distinctset_merge_share(sets, 2, &share, one->layout.states_offset));
		count += counted;
		hz_region_free(&region);
		CHECK(region.total == 0);
	}
	return parts ? (int64_t) count : count_of(one);
}

static void
test_rows(HzKeyKind kind, uint64_t rows, uint64_t range, uint64_t more, uint64_t more_range)
{
	Set one;
	Set other;
	Given given = {0};
	int64_t expected;

	begin(&one, kind);
	begin(&other, kind);
	add(&one, kind, rows, range, &given);
	CHECK(visit(&one) >= distinct(&given));
	CHECK(hz_distinctset_finish(&one.set, one.layout.states_offset, poll));
	expected = (int64_t) distinct(&given);
	CHECK(count_of(&one) == expected && visit(&one) == (uint64_t) expected);
	/* after which it goes on */
	add(&one, kind, rows / 3, range * 2, &given);
	add(&other, kind, more, more_range, &given);
	/* as hz_aggmerge_between() does it */
	*(int64_t *) ((uint8_t *) other.row + other.layout.states_offset) = 0;
	other.row->merged = one.row;
	expected = (int64_t) distinct(&given);
	CHECK(merged(&one, &other) == expected);
	/* many values leave the table: else this tests half of it */
	if (expected > 200000)
		CHECK(one.set.parts != NULL);
	free(given.values);
	end(&one);
	end(&other);
}

/* Rows whose codes are new, against a list of what has been seen. */
static void
test_codes(void)
{
	static uint16_t codes[HZ_VECTOR_ROWS];
	static uint16_t kept[HZ_VECTOR_ROWS];
	static bool seen[5000];
	static int64_t entries[5000];
	HzVector vector = {.kind = HZ_KIND_INT64,
					   .form = HZ_FORM_DICT,
					   .width = 8,
					   .count = HZ_VECTOR_ROWS,
					   .codes = codes,
					   .values = entries};
	Set set;

	begin(&set, HZ_KEY_INT);
	for (int turn = 0; turn < 200; turn++)
	{
		uint32_t n;
		uint32_t k = 0;

		if (turn % 20 == 0)
		{
			hz_distinctset_forget_codes(&set.set);
			vector.dict_count = (uint32_t) (unit_random() % 5000 + 1);
			memset(seen, 0, sizeof(seen));
		}
		for (int i = 0; i < HZ_VECTOR_ROWS; i++)
			codes[i] = (uint16_t) (unit_random() % vector.dict_count);
		CHECK(hz_distinctset_new_codes(&set.set, &vector, NULL, HZ_VECTOR_ROWS, kept, &n));
		for (uint32_t i = 0; i < HZ_VECTOR_ROWS; i++)
		{
			if (seen[codes[i]])
				continue;
			CHECK(k < n && kept[k] == i);
			seen[codes[i]] = true;
			k++;
		}
		CHECK(k == n);
	}
	end(&set);
}

int
main(void)
{
	static const HzKeyKind kinds[] = {HZ_KEY_INT, HZ_KEY_FLOAT, HZ_KEY_FIXED};

	for (int k = 0; k < 3; k++)
	{
		test_rows(kinds[k], 10, 5, 10, 8);
		test_rows(kinds[k], 100, 1000000, 0, 1);
		test_rows(kinds[k], 40000, 500, 100, 100000);
		test_rows(kinds[k], 30000, 1000000, 30000, 1000000);
		test_rows(kinds[k], 400000, 1000000, 100, 1000000);
		test_rows(kinds[k], 100, 1000000, 400000, 1000000);
		test_rows(kinds[k], 1000000, 60000, 700000, 60000);
		test_rows(kinds[k], 600000, UINT64_C(1) << 40, 500000, UINT64_C(1) << 40);
		test_rows(kinds[k], 300000, 2000000, 300000, 1000);
	}
	test_codes();
	return unit_summary();
}
