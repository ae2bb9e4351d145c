/*
 * agg/grouptable.c
 *	  Finding groups. See grouptable.h.
 *
 * The keys of a whole vector are hashed, then the words are touched, then compared: beyond the second-level cache that is
 * twice as fast as row by row. Where all keys are dictionary codes (or constants) of few combinations, the rows of
 * combinations seen before come from an array, and only the first of each is looked up. Of many combinations a cache keeps
 * those seen last, unless most are new.
 */
#include <string.h>

#include "agg/grouptable.h"
#include "base/bitmap.h"

#define FIRST_CAPACITY 1024
#define FIRST_BLOCK_ROWS 64
#define LARGEST_BLOCK_ROWS 8192
#define ADDRESS_MASK ((UINT64_C(1) << 48) - 1)
#define PREFETCH_FROM 8192 /* words: what lies in the first-level cache needs no touching */
#define MEMO_LIMIT 131072  /* combinations of codes */
#define CACHE_BITS 14
#define CACHE_ENTRIES (UINT32_C(1) << CACHE_BITS)
#define CACHE_JUDGED_FROM 4096 /* rows, of a row group */
#define POLL_EVERY 16384
#define STRIDE_FROM \
	65536        /* groups from which the words grow fourfold, if so many more are expected */
#define CACHE_BYTES (sizeof(HzCodeEntry) * CACHE_ENTRIES)
#define AHEAD 64 /* rows whose words are touched before they are used */

void
hz_grouptable_layout(HzGroupLayout *layout, uint32_t state_bytes)
{
	layout->states_offset =
		(uint32_t) (sizeof(HzGroupRow) + sizeof(HzKeySlot) * (size_t) layout->key_count);
	layout->row_bytes = layout->states_offset + (state_bytes + 7) / 8 * 8;
}

static uint64_t *
new_words(HzGroupTable *table, uint64_t capacity)
{
	return hz_region_map(table->region, capacity * sizeof(uint64_t));
}

bool
hz_grouptable_init(HzGroupTable *table, const HzGroupLayout *layout, HzRegion *region)
{
	memset(table, 0, sizeof(*table));
	table->layout = layout;
	table->region = region;
	table->capacity = FIRST_CAPACITY;
	table->words = new_words(table, table->capacity);
	if (table->words == NULL)
		return false;
	if (layout->key_count == 0)
		return true;
	table->scratch.columns =
		hz_region_alloc(region, sizeof(HzKeyColumn) * (size_t) layout->key_count);
	table->scratch.hashes = hz_region_alloc(region, sizeof(uint64_t) * HZ_VECTOR_ROWS);
	table->memo_index = hz_region_alloc(region, sizeof(uint32_t) * HZ_VECTOR_ROWS);
	return table->scratch.columns != NULL && table->scratch.hashes != NULL &&
		   table->memo_index != NULL;
}

void
hz_grouptable_free(HzGroupTable *table)
{
	if (table->region == NULL)
		return;
	hz_region_unmap(table->region, table->words, table->capacity * sizeof(uint64_t));
	hz_region_unmap(table->region, table->memo, sizeof(HzGroupRow *) * (size_t) table->memo_size);
	hz_region_unmap(table->region, table->cache, CACHE_BYTES);
	memset(table, 0, sizeof(*table));
}

static inline uint64_t
word_of(HzGroupRow *row)
{
	return (row->hash & ~ADDRESS_MASK) | (uint64_t) (uintptr_t) row;
}

static inline HzGroupRow *
row_of(uint64_t word)
{
	return (HzGroupRow *) (uintptr_t) (word & ADDRESS_MASK);
}

/* Puts a row that is not there into the words, which have room. */
static void
put_row(uint64_t *words, uint64_t capacity, HzGroupRow *row)
{
	uint64_t at = row->hash & (capacity - 1);

	while (words[at] != 0)
		at = (at + 1) & (capacity - 1);
	words[at] = word_of(row);
}

/* A new row, all zeroes, in no place yet; NULL: out of memory. */
static HzGroupRow *
alloc_row(HzGroupTable *table)
{
	HzGroupBlock *block = table->last_block;
	uint32_t bytes = table->layout->row_bytes;
	HzGroupRow *row;

	if (block == NULL || block->count == block->room)
	{
		uint32_t rows = block == NULL ? FIRST_BLOCK_ROWS : block->room * 2;

		if (rows > LARGEST_BLOCK_ROWS)
			rows = LARGEST_BLOCK_ROWS;
		block = hz_region_alloc(table->region, sizeof(HzGroupBlock));
		if (block == NULL)
			return NULL;
		*block = (HzGroupBlock){.room = rows};
		block->rows = hz_region_alloc(table->region, (size_t) rows * bytes);
		if (block->rows == NULL)
			return NULL;
		if (table->last_block != NULL)
			table->last_block->next = block;
		else
			table->first_block = block;
		table->last_block = block;
	}
	row = (HzGroupRow *) ((uint8_t *) block->rows + (size_t) block->count++ * bytes);
	memset(row, 0, bytes);
	return row;
}

/* The next rows of a table, at most AHEAD, whose places in the words are touched; how many. */
static uint32_t
next_rows(const HzGroupTable *table, HzGroupCursor *cursor, const uint64_t *words,
		  uint64_t capacity, HzGroupRow **rows)
{
	uint32_t count = 0;

	while (count < AHEAD && (rows[count] = hz_grouptable_next(table, cursor)) != NULL)
	{
		__builtin_prefetch(&words[rows[count]->hash & (capacity - 1)], 1);
		count++;
	}
	return count;
}

static bool
make_room(HzGroupTable *table, uint64_t more)
{
	uint64_t capacity = table->capacity;
	HzGroupCursor cursor = {0};
	HzGroupRow *rows[AHEAD];
	uint32_t count;
	uint64_t *words;

	if ((table->count + more) * 2 <= capacity)
		return true;
	while ((table->count + more) * 2 > capacity)
		capacity *= 2;
	/* all rows are put in place anew each time */
	if (table->count >= STRIDE_FROM && table->layout->expected > capacity / 2)
		capacity *= 2;
	words = new_words(table, capacity);
	if (words == NULL)
		return false;
	while ((count = next_rows(table, &cursor, words, capacity, rows)) > 0)
	{
		for (uint32_t i = 0; i < count; i++)
			put_row(words, capacity, rows[i]);
	}
	hz_region_unmap(table->region, table->words, table->capacity * sizeof(uint64_t));
	table->words = words;
	table->capacity = capacity;
	return true;
}

static bool
same_keys(const HzGroupLayout *layout, const HzGroupRow *a, const HzGroupRow *b)
{
	if (a->nulls != b->nulls)
		return false;
	for (int k = 0; k < layout->key_count; k++)
	{
		if (!hz_key_equal(layout->kinds[k], &a->keys[k], &b->keys[k]))
			return false;
	}
	return true;
}

/* Whether the keys of entry i of the scratch are those of the row. */
static bool
has_keys(const HzGroupLayout *layout, const HzGroupScratch *scratch, const HzGroupRow *row,
		 uint32_t i)
{
	for (int k = 0; k < layout->key_count; k++)
	{
		const HzKeyColumn *column = &scratch->columns[k];
		bool null = column->has_nulls && column->nulls[i];

		if (null != ((row->nulls >> k) & 1))
			return false;
		if (!null && !hz_key_equal(column->kind, &row->keys[k], &column->slots[i]))
			return false;
	}
	return true;
}

static HzGroupRow *
new_row(HzGroupTable *table, uint32_t i)
{
	const HzGroupLayout *layout = table->layout;
	HzGroupRow *row = alloc_row(table);

	if (row == NULL)
		return NULL;
	for (int k = 0; k < layout->key_count; k++)
	{
		const HzKeyColumn *column = &table->scratch.columns[k];

		row->keys[k] = column->slots[i];
		if (column->has_nulls && column->nulls[i])
			row->nulls |= UINT32_C(1) << k;
		else if (!hz_key_keep(column->kind, &row->keys[k], table->region))
			return NULL;
	}
	row->hash = table->scratch.hashes[i];
	table->count++;
	return row;
}

/* The row of entry i, made if need be. There is room. */
static inline HzGroupRow *
find_entry(HzGroupTable *table, uint32_t i)
{
	uint64_t hash = table->scratch.hashes[i];
	uint64_t at = hash & (table->capacity - 1);
	HzGroupRow *row;

	for (; table->words[at] != 0; at = (at + 1) & (table->capacity - 1))
	{
		if (((table->words[at] ^ hash) & ~ADDRESS_MASK) != 0)
			continue;
		row = row_of(table->words[at]);
		if (row->hash == hash && has_keys(table->layout, &table->scratch, row, i))
			return row;
	}
	row = new_row(table, i);
	if (row != NULL)
		table->words[at] = word_of(row);
	return row;
}

static inline HzGroupRow *
find_integer(HzGroupTable *table, uint32_t i)
{
	uint64_t hash = table->scratch.hashes[i];
	int64_t key = table->scratch.columns[0].slots[i].integer;
	uint64_t at = hash & (table->capacity - 1);
	HzGroupRow *row;

	for (; table->words[at] != 0; at = (at + 1) & (table->capacity - 1))
	{
		if (((table->words[at] ^ hash) & ~ADDRESS_MASK) != 0)
			continue;
		row = row_of(table->words[at]);
		if (row->keys[0].integer == key && row->nulls == 0)
			return row;
	}
	row = new_row(table, i);
	if (row != NULL)
		table->words[at] = word_of(row);
	return row;
}

static bool
fill_columns(const HzGroupLayout *layout, HzGroupScratch *scratch, const HzVector *keys,
			 const uint16_t *at, uint32_t count)
{
	memset(scratch->hashes, 0, sizeof(uint64_t) * count);
	for (int k = 0; k < layout->key_count; k++)
	{
		if (!hz_key_fill(&keys[k], at, count, &scratch->columns[k]))
			return false;
		hz_key_hash(&scratch->columns[k], count, scratch->hashes);
	}
	return true;
}

static void
touch_words(const HzGroupTable *table, const uint64_t *hashes, uint32_t count)
{
	if (table->capacity <= PREFETCH_FROM)
		return;
	for (uint32_t i = 0; i < count; i++)
		__builtin_prefetch(&table->words[hashes[i] & (table->capacity - 1)]);
}

/* Entries next to each other are often of one group: rows are sorted. */
static bool
as_before(const HzGroupLayout *layout, const HzGroupScratch *scratch, uint32_t i)
{
	if (i == 0 || scratch->hashes[i] != scratch->hashes[i - 1])
		return false;
	for (int k = 0; k < layout->key_count; k++)
	{
		const HzKeyColumn *column = &scratch->columns[k];

		if (column->has_nulls && column->nulls[i] != column->nulls[i - 1])
			return false;
		if (!hz_key_equal(column->kind, &column->slots[i], &column->slots[i - 1]))
			return false;
	}
	return true;
}

static HzGroupStatus
find_by_hash(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			 HzGroupRow **groups)
{
	bool integer = table->layout->key_count == 1 && table->layout->kinds[0] == HZ_KEY_INT &&
				   keys[0].validity == NULL;
	HzGroupRow *row = NULL;

	if (!fill_columns(table->layout, &table->scratch, keys, at, count))
		return HZ_GROUP_KEY;
	if (!make_room(table, count))
		return HZ_GROUP_MEMORY;
	touch_words(table, table->scratch.hashes, count);
	for (uint32_t i = 0; i < count; i++)
	{
		if (!as_before(table->layout, &table->scratch, i))
			row = integer ? find_integer(table, i) : find_entry(table, i);
		if (row == NULL)
			return HZ_GROUP_MEMORY;
		groups[at != NULL ? at[i] : i] = row;
	}
	return HZ_GROUP_OK;
}

/* ---- Without making groups */

static HzGroupRow *
probe_entry(const HzGroupTable *table, const HzGroupScratch *scratch, uint32_t i)
{
	const HzGroupLayout *layout = table->layout;
	uint64_t hash = scratch->hashes[i];
	uint64_t at = hash & (table->capacity - 1);

	for (int k = 0; k < layout->key_count; k++)
	{
		if (scratch->columns[k].has_nulls && scratch->columns[k].nulls[i])
			return NULL;
	}
	for (; table->words[at] != 0; at = (at + 1) & (table->capacity - 1))
	{
		HzGroupRow *row = row_of(table->words[at]);

		if (((table->words[at] ^ hash) & ~ADDRESS_MASK) == 0 && row->hash == hash &&
			has_keys(layout, scratch, row, i))
			return row;
	}
	return NULL;
}

bool
hz_grouptable_probe(const HzGroupTable *table, HzGroupScratch *scratch, const HzVector *keys,
					const uint16_t *at, uint32_t count, HzGroupRow **groups)
{
	HzGroupRow *row = NULL;

	if (!fill_columns(table->layout, scratch, keys, at, count))
		return false;
	touch_words(table, scratch->hashes, count);
	for (uint32_t i = 0; i < count; i++)
	{
		if (!as_before(table->layout, scratch, i))
			row = probe_entry(table, scratch, i);
		groups[at != NULL ? at[i] : i] = row;
	}
	return true;
}

/* ---- Dictionary codes */

/* How many combinations the keys of this batch can have; 0: more than 32 bits tell apart, or some key has no codes. */
static uint32_t
combinations(const HzVector *keys, int key_count)
{
	uint64_t product = 1;

	for (int k = 0; k < key_count; k++)
	{
		if (keys[k].form == HZ_FORM_FLAT)
			return 0;
		product *= (keys[k].form == HZ_FORM_DICT ? keys[k].dict_count : 1) + 1;
		if (product > UINT32_MAX)
			return 0;
	}
	return (uint32_t) product;
}

void
hz_grouptable_forget_codes(HzGroupTable *table)
{
	memset(table->memo_values, 0, sizeof(table->memo_values));
}

/* Whether the memo's key k was this very constant; it is the next time. Strings count as others. */
static bool
same_constant(HzGroupTable *table, const HzVector *key, int k)
{
	uint8_t bytes[16] = {0};
	bool same;

	if (key->validity != NULL || key->width > sizeof(bytes) || key->kind == HZ_KIND_BYTES ||
		key->kind == HZ_KIND_NUMERIC)
		return false;
	memcpy(bytes, key->values, key->width);
	same = memcmp(bytes, table->memo_constants[k], sizeof(bytes)) == 0;
	memcpy(table->memo_constants[k], bytes, sizeof(bytes));
	return same;
}

/* Whether the memo, if it is there, is for these keys; it is from now on. */
static bool
is_memo_of(HzGroupTable *table, const HzVector *keys)
{
	bool same = true;

	for (int k = 0; k < table->layout->key_count; k++)
	{
		bool codes = keys[k].form == HZ_FORM_DICT;
		/* a constant's memory may be used again for another */
		const void *values = codes ? keys[k].values : table;
		uint32_t count = codes ? keys[k].dict_count : 0;

		if (table->memo_values[k] != values || table->memo_counts[k] != count)
			same = false;
		if (!codes && !same_constant(table, &keys[k], k))
			same = false;
		table->memo_values[k] = values;
		table->memo_counts[k] = count;
	}
	return same;
}

/* Makes the memo one of these keys; false: out of memory. */
static bool
prepare_memo(HzGroupTable *table, const HzVector *keys, uint32_t size)
{
	bool same = is_memo_of(table, keys);

	if (size <= table->memo_size)
	{
		if (!same)
			memset(table->memo, 0, sizeof(HzGroupRow *) * size);
		return true;
	}
	hz_region_unmap(table->region, table->memo, sizeof(HzGroupRow *) * (size_t) table->memo_size);
	table->memo_size = 0;
	table->memo = hz_region_map(table->region, sizeof(HzGroupRow *) * (size_t) size);
	if (table->memo == NULL)
		return false;
	table->memo_size = size;
	return true;
}

/* Each row's combination of codes: code + 1, or 0 for null, in the number system of the dictionaries' sizes. */
static void
fill_memo_index(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count)
{
	uint32_t *index = table->memo_index;

	memset(index, 0, sizeof(uint32_t) * count);
	for (int k = 0; k < table->layout->key_count; k++)
	{
		const HzVector *key = &keys[k];
		bool codes = key->form == HZ_FORM_DICT;
		uint32_t base = (codes ? key->dict_count : 1) + 1;

		if (key->validity == NULL && codes)
		{
			for (uint32_t i = 0; i < count; i++)
				index[i] = index[i] * base + key->codes[at != NULL ? at[i] : i] + 1;
			continue;
		}
		for (uint32_t i = 0; i < count; i++)
		{
			uint32_t row = at != NULL ? at[i] : i;
			uint32_t code = codes ? key->codes[row] : 0;

			if (key->validity != NULL && !hz_bitmap_get(key->validity, row))
				index[i] = index[i] * base;
			else
				index[i] = index[i] * base + code + 1;
		}
	}
}

static HzGroupStatus
find_by_codes(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			  HzGroupRow **groups)
{
	uint16_t missing[HZ_VECTOR_ROWS];
	uint32_t missing_index[HZ_VECTOR_ROWS];
	uint32_t missing_count = 0;
	HzGroupRow *const open = (HzGroupRow *) 1; /* asked for, not found yet */
	HzGroupStatus status;

	fill_memo_index(table, keys, at, count);
	for (uint32_t i = 0; i < count; i++)
	{
		if (table->memo[table->memo_index[i]] != NULL)
			continue;
		table->memo[table->memo_index[i]] = open;
		missing_index[missing_count] = table->memo_index[i];
		missing[missing_count++] = at != NULL ? at[i] : (uint16_t) i;
	}
	if (missing_count > 0)
	{
		status = find_by_hash(table, keys, missing, missing_count, groups);
		if (status != HZ_GROUP_OK)
			return status;
		for (uint32_t i = 0; i < missing_count; i++)
			table->memo[missing_index[i]] = groups[missing[i]];
	}
	if (at == NULL)
	{
		for (uint32_t i = 0; i < count; i++)
			groups[i] = table->memo[table->memo_index[i]];
		return HZ_GROUP_OK;
	}
	for (uint32_t i = 0; i < count; i++)
		groups[at[i]] = table->memo[table->memo_index[i]];
	return HZ_GROUP_OK;
}

/* ---- Combinations seen last */

/* Makes the cache one of these keys; false: out of memory. */
static bool
prepare_cache(HzGroupTable *table, const HzVector *keys)
{
	bool same = is_memo_of(table, keys);

	if (table->cache == NULL)
	{
		table->cache = hz_region_map(table->region, CACHE_BYTES);
		if (table->cache == NULL)
			return false;
	}
	else if (!same)
		memset(table->cache, 0, CACHE_BYTES);
	if (!same)
		table->cache_seen = table->cache_missed = 0;
	return true;
}

/* Most combinations are new ones: looking for them here is in vain. */
static bool
cache_is_vain(const HzGroupTable *table)
{
	return table->cache_seen >= CACHE_JUDGED_FROM && table->cache_missed > table->cache_seen / 2;
}

static inline HzCodeEntry *
cache_entry(const HzGroupTable *table, uint32_t codes)
{
	return &table->cache[(codes * UINT32_C(0x9E3779B1)) >> (32 - CACHE_BITS)];
}

static HzGroupStatus
find_by_cache(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
			  HzGroupRow **groups)
{
	uint16_t missing[HZ_VECTOR_ROWS];
	uint32_t missing_codes[HZ_VECTOR_ROWS];
	uint32_t missing_count = 0;
	HzGroupStatus status;

	fill_memo_index(table, keys, at, count);
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t codes = table->memo_index[i];
		const HzCodeEntry *entry = cache_entry(table, codes);
		uint32_t row = at != NULL ? at[i] : i;
		bool found = entry->row != NULL && entry->codes == codes;

		groups[row] = entry->row;
		missing[missing_count] = (uint16_t) row;
		missing_codes[missing_count] = codes;
		missing_count += !found;
	}
	table->cache_seen += count;
	table->cache_missed += missing_count;
	if (missing_count == 0)
		return HZ_GROUP_OK;
	status = find_by_hash(table, keys, missing, missing_count, groups);
	for (uint32_t i = 0; i < missing_count && status == HZ_GROUP_OK; i++)
		*cache_entry(table, missing_codes[i]) =
			(HzCodeEntry){.row = groups[missing[i]], .codes = missing_codes[i]};
	return status;
}

HzGroupStatus
hz_grouptable_find(HzGroupTable *table, const HzVector *keys, const uint16_t *at, uint32_t count,
				   HzGroupRow **groups)
{
	uint32_t size = combinations(keys, table->layout->key_count);

	if (size == 0 || count == 0)
		return find_by_hash(table, keys, at, count, groups);
	if (size <= MEMO_LIMIT)
		return prepare_memo(table, keys, size) ? find_by_codes(table, keys, at, count, groups)
											   : HZ_GROUP_MEMORY;
	if (!prepare_cache(table, keys))
		return HZ_GROUP_MEMORY;
	return cache_is_vain(table) ? find_by_hash(table, keys, at, count, groups)
								: find_by_cache(table, keys, at, count, groups);
}

HzGroupRow *
hz_grouptable_single(HzGroupTable *table)
{
	HzGroupRow *row;

	if (table->first_block != NULL)
		return table->first_block->rows;
	row = alloc_row(table);
	if (row == NULL)
		return NULL;
	table->count++;
	put_row(table->words, table->capacity, row);
	return row;
}

/* Where the row with these keys is, or would be. There is room. */
static uint64_t
place_of(const HzGroupTable *table, const HzGroupRow *like)
{
	uint64_t at = like->hash & (table->capacity - 1);

	for (; table->words[at] != 0; at = (at + 1) & (table->capacity - 1))
	{
		const HzGroupRow *row = row_of(table->words[at]);

		if (((table->words[at] ^ like->hash) & ~ADDRESS_MASK) == 0 && row->hash == like->hash &&
			same_keys(table->layout, row, like))
			break;
	}
	return at;
}

HzGroupRow *
hz_grouptable_like(HzGroupTable *table, const HzGroupRow *like)
{
	const HzGroupLayout *layout = table->layout;
	HzGroupRow *row;
	uint64_t at;

	if (!make_room(table, 1))
		return NULL;
	at = place_of(table, like);
	if (table->words[at] != 0)
		return row_of(table->words[at]);
	row = alloc_row(table);
	if (row == NULL)
		return NULL;
	row->hash = like->hash;
	row->nulls = like->nulls;
	for (int k = 0; k < layout->key_count; k++)
	{
		row->keys[k] = like->keys[k];
		if (((row->nulls >> k) & 1) == 0 &&
			!hz_key_keep(layout->kinds[k], &row->keys[k], table->region))
			return NULL;
	}
	table->words[at] = word_of(row);
	table->count++;
	return row;
}

/* ---- All rows */

HzGroupRow *
hz_grouptable_next(const HzGroupTable *table, HzGroupCursor *cursor)
{
	if (cursor->block == NULL && !cursor->ended)
		cursor->block = table->first_block;
	while (cursor->block != NULL)
	{
		const HzGroupBlock *block = cursor->block;

		while (cursor->index < block->count)
		{
			HzGroupRow *row = (HzGroupRow *) ((uint8_t *) block->rows +
											  (size_t) cursor->index++ * table->layout->row_bytes);

			/* one that went into another came with the blocks of a merged table */
			if (row->merged == NULL)
				return row;
		}
		cursor->block = block->next;
		cursor->index = 0;
	}
	cursor->ended = true;
	return NULL;
}

bool
hz_grouptable_merge(HzGroupTable *into, const HzGroupTable *from,
					bool (*combine)(void *arg, HzGroupRow *into, HzGroupRow *from), void *arg,
					void (*poll)(void))
{
	HzGroupCursor cursor = {0};
	HzGroupRow *rows[AHEAD];
	uint64_t seen = 0;
	uint32_t count;

	if (!make_room(into, from->count))
		return false;
	while ((count = next_rows(from, &cursor, into->words, into->capacity, rows)) > 0)
	{
		if ((seen += count) >= POLL_EVERY)
		{
			seen = 0;
			poll();
		}
		for (uint32_t i = 0; i < count; i++)
		{
			HzGroupRow *row = rows[i];
			uint64_t at = place_of(into, row);
			HzGroupRow *mine = into->words[at] != 0 ? row_of(into->words[at]) : NULL;

			if (mine == NULL)
			{
				into->words[at] = word_of(row);
				into->count++;
				continue;
			}
			if (!combine(arg, mine, row))
				return false;
			row->merged = mine;
		}
	}
	if (into->last_block != NULL)
		into->last_block->next = from->first_block;
	else
		into->first_block = from->first_block;
	if (from->last_block != NULL)
		into->last_block = from->last_block;
	return true;
}
