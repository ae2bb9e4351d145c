/*
 * agg/grouptable.c
 *	  Finding groups. See grouptable.h.
 *
 * The keys of a whole vector are hashed, then the words are touched, then compared: beyond the second-level cache that is
 * twice as fast as row by row. groupcodes.c has what is faster than that.
 */
#include <string.h>

#include "agg/groupcodes.h"

#define FIRST_CAPACITY 1024
#define FIRST_BLOCK_ROWS 64
#define LARGEST_BLOCK_ROWS 8192
#define ADDRESS_MASK ((UINT64_C(1) << 48) - 1)
#define PREFETCH_FROM 8192 /* words: what lies in the first-level cache needs no touching */
#define STRIDE_FROM \
	65536        /* groups from which the words grow fourfold, if so many more are expected */
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
	table->codes = hz_region_alloc(region, sizeof(HzGroupCodes));
	if (table->codes != NULL)
		memset(table->codes, 0, sizeof(HzGroupCodes));
	return table->scratch.columns != NULL && table->scratch.hashes != NULL && table->codes != NULL;
}

void
hz_grouptable_free(HzGroupTable *table)
{
	if (table->region == NULL)
		return;
	hz_region_unmap(table->region, table->words, table->capacity * sizeof(uint64_t));
	hz_groupcodes_free(table);
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

/* Words for so many rows more. */
static uint64_t
capacity_for(const HzGroupTable *table, uint64_t more)
{
	uint64_t capacity = table->capacity;

	if ((table->count + more) * 2 <= capacity)
		return capacity;
	while ((table->count + more) * 2 > capacity)
		capacity *= 2;
	/* all rows are put in place anew each time */
	if (table->count >= STRIDE_FROM && table->layout->expected > capacity / 2)
		capacity *= 2;
	return capacity;
}

size_t
hz_grouptable_growth(const HzGroupTable *table, uint64_t more)
{
	uint64_t capacity = capacity_for(table, more);

	return capacity == table->capacity ? 0 : capacity * sizeof(uint64_t);
}

static bool
make_room(HzGroupTable *table, uint64_t more)
{
	uint64_t capacity = capacity_for(table, more);
	HzGroupCursor cursor = {0};
	HzGroupRow *rows[AHEAD];
	uint32_t count;
	uint64_t *words;

	if (capacity == table->capacity)
		return true;
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

HzGroupStatus
hz_grouptable_find_by_hash(HzGroupTable *table, const HzVector *keys, const uint16_t *at,
						   uint32_t count, HzGroupRow **groups)
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

/* ---- The only group */

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

/* ---- Several tables */

/* The rows of table `number` that are in a share. */
typedef struct Merge
{
	HzGroupTable *const *tables;
	int number;
	uint64_t kept;
	HzMergeRow merge_row;
	void *arg;
} Merge;

/* The group of an earlier table with the keys of the row, or the one that it went to; NULL: none. */
static HzGroupRow *
find_earlier(const Merge *merge, const HzGroupRow *row)
{
	for (int t = 0; t < merge->number; t++)
	{
		const HzGroupTable *table = merge->tables[t];
		uint64_t at = place_of(table, row);

		if (table->words[at] != 0)
		{
			HzGroupRow *found = row_of(table->words[at]);

			return found->merged != NULL ? found->merged : found;
		}
	}
	return NULL;
}

static bool
merge_rows(Merge *merge, HzGroupRow *const *rows, uint32_t count)
{
	for (int t = 0; t < merge->number; t++)
	{
		const HzGroupTable *table = merge->tables[t];

		for (uint32_t i = 0; i < count; i++)
			__builtin_prefetch(&table->words[rows[i]->hash & (table->capacity - 1)]);
	}
	for (uint32_t i = 0; i < count; i++)
	{
		HzGroupRow *into = find_earlier(merge, rows[i]);

		rows[i]->merged = into;
		merge->kept += into == NULL;
		if (!merge->merge_row(merge->arg, into, rows[i]))
			return false;
	}
	return true;
}

/* Of the rows of a block those in the share. */
static bool
merge_block(Merge *merge, const HzGroupBlock *block, const HzMergeShare *share)
{
	uint32_t bytes = merge->tables[0]->layout->row_bytes;
	HzGroupRow *rows[AHEAD];
	uint32_t count = 0;

	for (uint32_t i = 0; i < block->count; i++)
	{
		HzGroupRow *row = (HzGroupRow *) ((uint8_t *) block->rows + (size_t) i * bytes);

		if (!hz_share_has(share, row->hash))
			continue;
		rows[count++] = row;
		if (count < AHEAD)
			continue;
		if (!merge_rows(merge, rows, count))
			return false;
		count = 0;
	}
	return merge_rows(merge, rows, count);
}

bool
hz_grouptable_merge_share(HzGroupTable *const *tables, int count, const HzMergeShare *share,
						  HzMergeRow merge_row, void *arg, uint64_t *kept)
{
	Merge merge = {.tables = tables, .merge_row = merge_row, .arg = arg};
	bool done = true;

	for (merge.number = 1; merge.number < count && done; merge.number++)
	{
		for (HzGroupBlock *block = tables[merge.number]->first_block; block != NULL && done;
			 block = block->next)
			done = share->go_on(share->arg) && merge_block(&merge, block, share);
	}
	*kept = merge.kept;
	return done;
}

void
hz_grouptable_adopt(HzGroupTable *first, const HzGroupTable *later)
{
	if (later->first_block == NULL)
		return;
	if (first->last_block != NULL)
		first->last_block->next = later->first_block;
	else
		first->first_block = later->first_block;
	first->last_block = later->last_block;
}
