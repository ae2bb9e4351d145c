/*
 * agg/groupcodes.c
 *	  See groupcodes.h.
 */
#include <string.h>

#include "agg/groupcodes.h"
#include "base/bitmap.h"
#include "encoding/clones.h"

#define MEMO_LIMIT 131072 /* combinations */
#define CACHE_BITS 14
#define CACHE_ENTRIES (UINT32_C(1) << CACHE_BITS)
#define CACHE_BYTES (sizeof(HzSeenEntry) * CACHE_ENTRIES)
#define RANGE_MAX UINT64_C(65536)
#define RANGE_STEP \
	256 /* ranges begin and end at multiples: so that those of several vectors are one */
#define RUN_SAMPLE 64 /* rows that tell whether there are runs */

static void *
map(HzGroupTable *table, size_t size)
{
	size_t before = table->region->total;
	void *memory = hz_region_map(table->region, size);

	table->codes->mapped += table->region->total - before;
	return memory;
}

static void
unmap(HzGroupTable *table, void *memory, size_t size)
{
	size_t before = table->region->total;

	hz_region_unmap(table->region, memory, size);
	table->codes->mapped -= before - table->region->total;
}

void
hz_groupcodes_free(HzGroupTable *table)
{
	HzGroupCodes *codes = table->codes;

	if (codes == NULL)
		return;
	unmap(table, codes->memo, sizeof(HzGroupRow *) * (size_t) codes->memo_size);
	unmap(table, codes->cache, CACHE_BYTES);
	table->codes = NULL;
}

void
hz_grouptable_forget_codes(HzGroupTable *table)
{
	HzGroupCodes *codes = table->codes;

	if (codes == NULL)
		return;
	for (int k = 0; k < table->layout->key_count; k++)
		codes->keys[k].how = HZ_NUMBERS_NONE;
	codes->seen = codes->missed = 0;
}

/* ---- Numbers of keys */

/* Integers, or numerics that are integers of one scale. */
static bool
is_integers(const HzVector *key)
{
	if (key->kind == HZ_KIND_NUMERIC)
		return key->numeric == HZ_NUMERIC_INT64;
	return key->kind >= HZ_KIND_BOOL && key->kind <= HZ_KIND_INT64;
}

static inline int64_t
integer_at(const HzVector *key, uint32_t row)
{
	switch (key->width)
	{
		case sizeof(int8_t):
			return ((const int8_t *) key->values)[row];
		case sizeof(int16_t):
			return ((const int16_t *) key->values)[row];
		case sizeof(int32_t):
			return ((const int32_t *) key->values)[row];
		default:
			return ((const int64_t *) key->values)[row];
	}
}

/* The least and the greatest of what is not null; false: too far from each other, or all is null. */
static bool
find_range(const HzVector *key, const uint16_t *at, uint32_t count, int64_t *min, int64_t *max)
{
	*min = INT64_MAX;
	*max = INT64_MIN;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;
		int64_t value;

		if (key->validity != NULL && !hz_bitmap_get(key->validity, row))
			continue;
		value = integer_at(key, row);
		if (value < *min)
			*min = value;
		if (value > *max)
			*max = value;
		if ((uint64_t) *max - (uint64_t) *min >= RANGE_MAX)
			return false;
	}
	return *min <= *max;
}

static bool
number_integers(const HzVector *key, const uint16_t *at, uint32_t count, HzKeyNumbers *numbers)
{
	int64_t min;
	int64_t max;

	if (!find_range(key, at, count, &min, &max))
		return false;
	numbers->how = HZ_NUMBERS_DISTANCE;
	numbers->base = min & ~(int64_t) (RANGE_STEP - 1);
	numbers->scale = key->kind == HZ_KIND_NUMERIC ? key->scale : 0;
	numbers->size =
		(uint32_t) ((((uint64_t) max - (uint64_t) numbers->base) | (RANGE_STEP - 1)) + 1);
	return true;
}

/* Strings and numerics are not compared: what they point to may have changed. */
static void
number_constant(const HzVector *key, HzKeyNumbers *numbers)
{
	numbers->how = HZ_NUMBERS_CONSTANT;
	numbers->size = 1;
	numbers->comparable = key->validity == NULL && key->width <= sizeof(numbers->constant) &&
						  key->kind != HZ_KIND_BYTES && key->kind != HZ_KIND_NUMERIC;
	if (numbers->comparable)
		memcpy(numbers->constant, key->values, key->width);
}

/* How many combinations the keys of this batch can have; 0: more than 32 bits tell apart, or some key has no numbers. */
static uint32_t
number_keys(const HzVector *keys, int key_count, const uint16_t *at, uint32_t count,
			HzKeyNumbers *numbers)
{
	uint64_t product = 1;

	for (int k = 0; k < key_count; k++)
	{
		if (keys[k].form == HZ_FORM_FLAT && !is_integers(&keys[k]))
			return 0;
	}
	for (int k = 0; k < key_count; k++)
	{
		memset(&numbers[k], 0, sizeof(numbers[k]));
		if (keys[k].form == HZ_FORM_DICT)
		{
			numbers[k].how = HZ_NUMBERS_CODE;
			numbers[k].size = keys[k].dict_count;
			numbers[k].values = keys[k].values;
		}
		else if (keys[k].form == HZ_FORM_CONSTANT)
			number_constant(&keys[k], &numbers[k]);
		else if (!number_integers(&keys[k], at, count, &numbers[k]))
			return 0;
		product *= (uint64_t) numbers[k].size + 1;
		if (product > UINT32_MAX)
			return 0;
	}
	return (uint32_t) product;
}

/* Whether the memo or the cache, if it is there, is for these numbers; it is from now on. */
static bool
are_known(HzGroupCodes *codes, const HzKeyNumbers *numbers, int key_count)
{
	bool same = true;

	for (int k = 0; k < key_count; k++)
	{
		const HzKeyNumbers *now = &numbers[k];
		HzKeyNumbers *before = &codes->keys[k];

		same = same && now->how == before->how && now->size == before->size &&
			   now->values == before->values && now->base == before->base &&
			   now->scale == before->scale;
		if (now->how == HZ_NUMBERS_CONSTANT)
			same = same && now->comparable && before->comparable &&
				   memcmp(now->constant, before->constant, sizeof(now->constant)) == 0;
		*before = *now;
	}
	return same;
}

/* index[i] = index[i] * base + values[i] - first + 1, of all rows; blocks of a fixed size are vectorised at -O2. */
#define APPEND_ALL(type)                                                                        \
	do                                                                                          \
	{                                                                                           \
		const type *all = values;                                                               \
		uint32_t i = 0;                                                                         \
                                                                                                \
		for (; i + 64 <= count; i += 64)                                                        \
			for (uint32_t j = i; j < i + 64; j++)                                               \
				index[j] =                                                                      \
					index[j] * base + (uint32_t) ((uint64_t) all[j] - (uint64_t) first) + 1;    \
		for (; i < count; i++)                                                                  \
			index[i] = index[i] * base + (uint32_t) ((uint64_t) all[i] - (uint64_t) first) + 1; \
	} while (0)

HZ_CLONES static void
append_all(const void *values, uint32_t width, bool is_code, uint32_t count, int64_t first,
		   uint32_t base, uint32_t *index)
{
	if (is_code)
		APPEND_ALL(uint16_t);
	else if (width == sizeof(int8_t))
		APPEND_ALL(int8_t);
	else if (width == sizeof(int16_t))
		APPEND_ALL(int16_t);
	else if (width == sizeof(int32_t))
		APPEND_ALL(int32_t);
	else
		APPEND_ALL(int64_t);
}

/* index[i] = index[i] * base + the number of key value i. */
static void
append_numbers(const HzVector *key, const HzKeyNumbers *numbers, const uint16_t *at, uint32_t count,
			   uint32_t *index)
{
	uint32_t base = numbers->size + 1;
	bool is_code = numbers->how == HZ_NUMBERS_CODE;

	if (at == NULL && key->validity == NULL && numbers->how != HZ_NUMBERS_CONSTANT)
	{
		append_all(is_code ? key->codes : key->values, key->width, is_code, count,
				   is_code ? 0 : numbers->base, base, index);
		return;
	}
	if (is_code && key->validity == NULL)
	{
		for (uint32_t i = 0; i < count; i++)
			index[i] = index[i] * base + key->codes[at[i]] + 1;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;
		uint32_t number = 1;

		if (key->validity != NULL && !hz_bitmap_get(key->validity, row))
			number = 0;
		else if (is_code)
			number = (uint32_t) key->codes[row] + 1;
		else if (numbers->how == HZ_NUMBERS_DISTANCE)
			number = (uint32_t) ((uint64_t) integer_at(key, row) - (uint64_t) numbers->base) + 1;
		index[i] = index[i] * base + number;
	}
}

static void
fill_index(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count)
{
	HzGroupCodes *codes = table->codes;

	memset(codes->index, 0, sizeof(uint32_t) * count);
	for (int k = 0; k < table->layout->key_count; k++)
		append_numbers(&keys[k], &codes->keys[k], at, count, codes->index);
}

/* ---- Few combinations */

/* Makes the memo one of these numbers; false: out of memory. */
static bool
prepare_memo(HzGroupTable *table, const HzKeyNumbers *numbers, uint32_t size)
{
	HzGroupCodes *codes = table->codes;
	bool same = are_known(codes, numbers, table->layout->key_count);

	if (size <= codes->memo_size)
	{
		if (!same)
			memset(codes->memo, 0, sizeof(HzGroupRow *) * size);
		return true;
	}
	unmap(table, codes->memo, sizeof(HzGroupRow *) * (size_t) codes->memo_size);
	codes->memo_size = 0;
	codes->memo = map(table, sizeof(HzGroupRow *) * (size_t) size);
	if (codes->memo == NULL)
		return false;
	codes->memo_size = size;
	return true;
}

/* Looks for the groups of combinations that the memo does not have, of which there are `most` at most. */
static HzGroupStatus
complete_memo(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			  uint32_t most, HzGroupRow **groups)
{
	HzGroupRow **memo = table->codes->memo;
	const uint32_t *index = table->codes->index;
	uint16_t missing[HZ_VECTOR_ROWS];
	uint32_t missing_index[HZ_VECTOR_ROWS];
	uint32_t missing_count = 0;
	HzGroupRow *const open = (HzGroupRow *) 1; /* asked for, not found yet */
	HzGroupStatus status;

	for (uint32_t i = 0; i < count && missing_count < most; i++)
	{
		if (memo[index[i]] != NULL)
			continue;
		memo[index[i]] = open;
		missing_index[missing_count] = index[i];
		missing[missing_count++] = at != NULL ? at[i] : (uint16_t) i;
	}
	if (missing_count == 0)
		return HZ_GROUP_OK;
	status = hz_grouptable_find_by_hash(table, keys, missing, missing_count, groups);
	for (uint32_t i = 0; i < missing_count && status == HZ_GROUP_OK; i++)
		memo[missing_index[i]] = groups[missing[i]];
	return status;
}

/* Counts the rows of each number, which is numbers[i] + first. Four counters each: rows next to each other are often alike. */
#define COUNT_ROWS(numbers, first)                \
	do                                            \
	{                                             \
		uint32_t i = 0;                           \
                                                  \
		for (; i + 4 <= count; i += 4)            \
		{                                         \
			parts[0][numbers[i] + (first)]++;     \
			parts[1][numbers[i + 1] + (first)]++; \
			parts[2][numbers[i + 2] + (first)]++; \
			parts[3][numbers[i + 3] + (first)]++; \
		}                                         \
		for (; i < count; i++)                    \
			parts[0][numbers[i] + (first)]++;     \
	} while (0)

typedef uint32_t Counts4 __attribute__((vector_size(16)));
typedef uint64_t Words4 __attribute__((vector_size(32)));

/*
 * Adds up four counters of each class in [first, last), multiples of 4; returns how many classes have rows and no group in the memo,
 * which has room for HZ_CLASSES_MAX (what is mapped is larger).
 */
HZ_CLONES static uint32_t
add_counters(uint32_t parts[4][HZ_CLASSES_MAX], uint32_t first, uint32_t last,
			 HzGroupRow *const *memo, uint32_t *rows)
{
	Words4 missing = {0};

	for (uint32_t c = first; c < last; c += 4)
	{
		Counts4 sum = {0};
		Words4 group;

		for (int p = 0; p < 4; p++)
		{
			Counts4 part;

			memcpy(&part, &parts[p][c], sizeof(part));
			sum += part;
		}
		memcpy(&rows[c], &sum, sizeof(sum));
		memcpy(&group, &memo[c], sizeof(group));
		missing -= (Words4) (group == 0) & (Words4) (__builtin_convertvector(sum, Words4) != 0);
	}
	return (uint32_t) (missing[0] + missing[1] + missing[2] + missing[3]);
}

/* How many rows each of the classes has; returns how many have some and no group yet. */
static uint32_t
count_combinations(HzGroupCodes *codes, uint32_t count)
{
	HzGroupClasses *classes = &codes->classes;
	const uint32_t *index = codes->index;
	const uint16_t *plain = codes->plain;
	uint32_t first = classes->first & ~UINT32_C(3);
	uint32_t last = (classes->count + 3) & ~UINT32_C(3);
	uint32_t parts[4][HZ_CLASSES_MAX];

	for (int p = 0; p < 4; p++)
		memset(parts[p] + first, 0, sizeof(uint32_t) * (last - first));
	if (plain != NULL)
		COUNT_ROWS(plain, 1);
	else
		COUNT_ROWS(index, 0);
	return add_counters(parts, first, last, codes->memo, classes->rows);
}

/* The least and the greatest of all codes: as a rule, rows next to each other have few. */
HZ_CLONES static void
find_code_range(const uint16_t *codes, uint32_t count, uint16_t *min, uint16_t *max)
{
	uint16_t low = UINT16_MAX;
	uint16_t high = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		low = codes[i] < low ? codes[i] : low;
		high = codes[i] > high ? codes[i] : high;
	}
	*min = low;
	*max = high;
}

/* A single key of codes, all rows of it: nothing need be computed before it is asked for. */
static bool
is_plain_codes(const HzGroupTable *table, const HzVector *key, const uint16_t *at)
{
	return table->layout->key_count == 1 && at == NULL && key->form == HZ_FORM_DICT &&
		   key->validity == NULL;
}

static void
need_index(HzGroupCodes *codes, uint32_t count)
{
	for (uint32_t i = 0; codes->plain != NULL && i < count; i++)
		codes->index[i] = (uint32_t) codes->plain[i] + 1;
	codes->plain = NULL;
}

static HzGroupStatus
find_by_memo(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			 uint32_t size, HzGroupRow **groups)
{
	HzGroupCodes *codes = table->codes;
	HzGroupStatus status;

	if (size <= HZ_CLASSES_MAX && size <= count / 2)
	{
		uint32_t missing;

		codes->classes.count = size;
		codes->classes.groups = codes->memo;
		if (is_plain_codes(table, keys, at))
		{
			uint16_t min;
			uint16_t max;

			codes->plain = keys[0].codes;
			find_code_range(codes->plain, count, &min, &max);
			codes->classes.first = (uint32_t) min + 1;
			codes->classes.count = (uint32_t) max + 2;
		}
		else
			fill_index(table, keys, at, count);
		missing = count_combinations(codes, count);
		if (missing == 0)
			return HZ_GROUP_OK;
		need_index(codes, count);
		return complete_memo(table, keys, at, count, missing, groups);
	}
	fill_index(table, keys, at, count);
	status = complete_memo(table, keys, at, count, count, groups);
	for (uint32_t i = 0; i < count && status == HZ_GROUP_OK; i++)
		groups[at != NULL ? at[i] : i] = codes->memo[codes->index[i]];
	return status;
}

/* ---- Those seen last */

static bool
make_cache(HzGroupTable *table, bool integers)
{
	HzGroupCodes *codes = table->codes;

	if (codes->cache == NULL)
		codes->cache = map(table, CACHE_BYTES);
	else if (codes->cache_of_integers != integers)
		memset(codes->cache, 0, CACHE_BYTES);
	codes->cache_of_integers = integers;
	return codes->cache != NULL;
}

/* Most are not there, though the cache has seen as many as it holds: looking for more is in vain, in this row group. */
static bool
cache_is_vain(const HzGroupCodes *codes)
{
	return codes->missed > CACHE_ENTRIES && codes->missed > codes->seen / 2;
}

static inline HzSeenEntry *
cache_entry(const HzGroupCodes *codes, uint64_t number)
{
	return &codes->cache[(number * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - CACHE_BITS)];
}

static HzGroupStatus
find_by_cache(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			  const uint64_t *numbers, HzGroupRow **groups)
{
	HzGroupCodes *codes = table->codes;
	uint16_t missing[HZ_VECTOR_ROWS];
	uint16_t missing_at[HZ_VECTOR_ROWS];
	uint32_t missing_count = 0;
	HzGroupStatus status;

	for (uint32_t i = 0; i < count; i++)
	{
		const HzSeenEntry *entry = cache_entry(codes, numbers[i]);
		uint32_t row = at != NULL ? at[i] : i;
		bool found = entry->row != NULL && entry->number == numbers[i];

		groups[row] = entry->row;
		missing[missing_count] = (uint16_t) row;
		missing_at[missing_count] = (uint16_t) i;
		missing_count += !found;
	}
	codes->seen += count;
	codes->missed += missing_count;
	if (missing_count == 0)
		return HZ_GROUP_OK;
	status = hz_grouptable_find_by_hash(table, keys, missing, missing_count, groups);
	for (uint32_t i = 0; i < missing_count && status == HZ_GROUP_OK; i++)
	{
		uint64_t number = numbers[missing_at[i]];

		*cache_entry(codes, number) = (HzSeenEntry){.row = groups[missing[i]], .number = number};
	}
	return status;
}

/* Combinations that are too many for the memo. */
static HzGroupStatus
find_by_combinations(HzGroupTable *table, const HzVector *keys, const HzKeyNumbers *key_numbers,
					 const uint16_t *at, uint32_t count, HzGroupRow **groups)
{
	HzGroupCodes *codes = table->codes;
	uint64_t numbers[HZ_VECTOR_ROWS];

	if (cache_is_vain(codes))
		return hz_grouptable_find_by_hash(table, keys, at, count, groups);
	if (!make_cache(table, false))
		return HZ_GROUP_MEMORY;
	/* what is there of others stays and is not found */
	if (!are_known(codes, key_numbers, table->layout->key_count))
		codes->generation++;
	fill_index(table, keys, at, count);
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = ((uint64_t) codes->generation << 32) + codes->index[i];
	return find_by_cache(table, keys, at, count, numbers, groups);
}

/* ---- A single key of integers, or of uuids */

/* One key of a kind, whose values stand one behind the other without nulls. */
static bool
is_plain(const HzGroupTable *table, const HzVector *key, HzKeyKind kind)
{
	return table->layout->key_count == 1 && table->layout->kinds[0] == kind &&
		   key->form == HZ_FORM_FLAT && key->validity == NULL;
}

#define COPY_NUMBERS(type)                                          \
	do                                                              \
	{                                                               \
		const type *values = key->values;                           \
                                                                    \
		for (uint32_t i = 0; i < count; i++)                        \
			numbers[i] = (uint64_t) values[at != NULL ? at[i] : i]; \
	} while (0)

static void
copy_numbers(const HzVector *key, const uint16_t *at, uint32_t count, uint64_t *numbers)
{
	switch (key->width)
	{
		case sizeof(int8_t):
			COPY_NUMBERS(int8_t);
			break;
		case sizeof(int16_t):
			COPY_NUMBERS(int16_t);
			break;
		case sizeof(int32_t):
			COPY_NUMBERS(int32_t);
			break;
		default:
			COPY_NUMBERS(int64_t);
			break;
	}
}

/* Numbers runs of rows for which `same` holds with the row before; returns how many: 0 if there are too many. */
#define NUMBER_RUNS(same)                                                         \
	do                                                                            \
	{                                                                             \
		uint32_t limit = count / 2 < HZ_CLASSES_MAX ? count / 2 : HZ_CLASSES_MAX; \
		uint32_t runs = 0;                                                        \
                                                                                  \
		for (uint32_t i = 0; i < count; i++)                                      \
		{                                                                         \
			if (i == 0 || !(same))                                                \
			{                                                                     \
				if (runs == limit || (i < RUN_SAMPLE && runs > RUN_SAMPLE / 2))   \
					return 0;                                                     \
				places[runs++] = i;                                               \
			}                                                                     \
			run_of[i] = runs - 1;                                                 \
		}                                                                         \
		return runs;                                                              \
	} while (0)

/* places: where each run begins. */
static uint32_t
number_runs(const uint64_t *numbers, uint32_t count, uint32_t *places, uint32_t *run_of)
{
	NUMBER_RUNS(numbers[i] == numbers[i - 1]);
}

/* Of values of 16 bytes. */
static uint32_t
fixed_runs(const uint8_t *values, const uint16_t *at, uint32_t count, uint32_t *places,
		   uint32_t *run_of)
{
	NUMBER_RUNS(memcmp(values + (size_t) (at != NULL ? at[i] : i) * 16,
					   values + (size_t) (at != NULL ? at[i - 1] : i - 1) * 16, 16) == 0);
}

/* Each run is looked up once. */
static HzGroupStatus
find_by_runs(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			 uint32_t runs, const uint32_t *places, HzGroupRow **groups)
{
	HzGroupCodes *codes = table->codes;
	uint16_t first[HZ_CLASSES_MAX];
	HzGroupStatus status;

	first[0] = 0;
	for (uint32_t r = 0; r < runs; r++)
		first[r] = at != NULL ? at[places[r]] : (uint16_t) places[r];
	status = hz_grouptable_find_by_hash(table, keys, first, runs, groups);
	if (status != HZ_GROUP_OK)
		return status;
	for (uint32_t r = 0; r < runs; r++)
	{
		codes->run_groups[r] = groups[first[r]];
		codes->classes.rows[r] = (r + 1 < runs ? places[r + 1] : count) - places[r];
	}
	codes->classes.count = runs;
	codes->classes.groups = codes->run_groups;
	return HZ_GROUP_OK;
}

static HzGroupStatus
find_by_integers(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
				 HzGroupRow **groups)
{
	uint64_t numbers[HZ_VECTOR_ROWS];
	uint32_t places[HZ_CLASSES_MAX];
	uint32_t runs;

	copy_numbers(&keys[0], at, count, numbers);
	runs = number_runs(numbers, count, places, table->codes->index);
	if (runs > 0)
		return find_by_runs(table, keys, at, count, runs, places, groups);
	if (cache_is_vain(table->codes))
		return hz_grouptable_find_by_hash(table, keys, at, count, groups);
	if (!make_cache(table, true))
		return HZ_GROUP_MEMORY;
	return find_by_cache(table, keys, at, count, numbers, groups);
}

static HzGroupStatus
find_by_uuids(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			  HzGroupRow **groups)
{
	uint32_t places[HZ_CLASSES_MAX];
	uint32_t runs = fixed_runs(keys[0].values, at, count, places, table->codes->index);

	return runs > 0 ? find_by_runs(table, keys, at, count, runs, places, groups)
					: hz_grouptable_find_by_hash(table, keys, at, count, groups);
}

/* ---- Keys that are the same in all rows */

static bool
are_constant(const HzVector *keys, int key_count)
{
	for (int k = 0; k < key_count; k++)
	{
		if (keys[k].form != HZ_FORM_CONSTANT || keys[k].validity != NULL)
			return false;
	}
	return true;
}

/* One run. */
static HzGroupStatus
find_by_constants(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
				  HzGroupRow **groups)
{
	const uint32_t place = 0;

	memset(table->codes->index, 0, sizeof(uint32_t) * count);
	return find_by_runs(table, keys, at, count, 1, &place, groups);
}

/* ---- Any keys */

HzGroupStatus
hz_grouptable_classify(HzGroupTable *table, const HzVector *keys, const uint16_t *at,
					   uint32_t count, HzGroupRow **groups)
{
	HzGroupClasses *classes = &table->codes->classes;
	HzKeyNumbers numbers[HZ_KEY_MAX];
	uint32_t size;

	classes->count = 0;
	classes->first = 0;
	table->codes->plain = NULL;
	classes->at = at;
	classes->row_count = count;
	classes->spread = false;
	if (count == 0)
		return HZ_GROUP_OK;
	if (are_constant(keys, table->layout->key_count))
		return find_by_constants(table, keys, at, count, groups);
	if (is_plain(table, &keys[0], HZ_KEY_INT))
		return find_by_integers(table, keys, at, count, groups);
	if (is_plain(table, &keys[0], HZ_KEY_FIXED) && keys[0].width == 16)
		return find_by_uuids(table, keys, at, count, groups);
	size = number_keys(keys, table->layout->key_count, at, count, numbers);
	if (size == 0)
		return hz_grouptable_find_by_hash(table, keys, at, count, groups);
	if (size > MEMO_LIMIT)
		return find_by_combinations(table, keys, numbers, at, count, groups);
	return prepare_memo(table, numbers, size) ? find_by_memo(table, keys, at, count, size, groups)
											  : HZ_GROUP_MEMORY;
}

void
hz_grouptable_spread(HzGroupTable *table, HzGroupRow **groups)
{
	HzGroupClasses *classes = &table->codes->classes;
	const uint32_t *index = table->codes->index;
	const uint16_t *at = classes->at;

	if (classes->count == 0 || classes->spread)
		return;
	need_index(table->codes, classes->row_count);
	classes->spread = true;
	if (at == NULL)
		for (uint32_t i = 0; i < classes->row_count; i++)
			groups[i] = classes->groups[index[i]];
	else
		for (uint32_t i = 0; i < classes->row_count; i++)
			groups[at[i]] = classes->groups[index[i]];
}

HzGroupStatus
hz_grouptable_find(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
				   HzGroupRow **groups)
{
	HzGroupStatus status = hz_grouptable_classify(table, keys, at, count, groups);

	if (status == HZ_GROUP_OK)
		hz_grouptable_spread(table, groups);
	return status;
}
