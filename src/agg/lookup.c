/*
 * agg/lookup.c
 *	  Looking up rows of the small side of a join. See lookup.h.
 *
 * What a batch finds is a row number for each of its rows. A column is then a DICT vector over the lookup's column, whose codes
 * are the row numbers, as long as these fit into codes; else it is gathered. Keys that are dictionary codes are looked up once a code; or, where
 * the lookup has few rows and the dictionary many entries, each row in the dictionary, whose entries are in ascending order.
 */
#include <string.h>

#include "agg/lookup.h"
#include "base/bitmap.h"
#include "base/bytes.h"
#include "base/memory.h"

#define WORDS (HZ_VECTOR_ROWS / 64)
#define CODES_MAX 65536
#define UNKNOWN UINT32_MAX
#define SEARCHED_PART 16 /* of a dictionary's entries: so few keys are looked for in it */

typedef struct ProbeColumn
{
	HzVector vector;
	bool made; /* for this batch */
	uint64_t *validity;
	void *values; /* gathered */
} ProbeColumn;

struct HzProbe
{
	const HzLookup *lookup;
	HzGroupScratch scratch;
	HzGroupRow **groups;
	uint32_t count;
	bool all;        /* every row of the batch was found */
	uint32_t *found; /* row number + 1; 0: none */
	uint16_t *codes; /* row number; 0 where there is none */
	uint64_t *validity;
	uint8_t *matched; /* as a boolean column */
	/* found, by code of the only key's dictionary */
	const void *memo_values;
	uint32_t memo_count;
	uint32_t *memo;
	ProbeColumn *columns; /* column_count + 1 */
};

/* ---- Building */

bool
hz_lookup_init(HzLookup *lookup, int key_count, const HzKeyKind *kinds)
{
	memset(lookup, 0, sizeof(*lookup));
	lookup->layout.key_count = key_count;
	memcpy(lookup->layout.kinds, kinds, sizeof(HzKeyKind) * (size_t) key_count);
	hz_grouptable_layout(&lookup->layout, sizeof(uint64_t));
	return hz_grouptable_init(&lookup->table, &lookup->layout, &lookup->region);
}

void
hz_lookup_free(HzLookup *lookup)
{
	hz_grouptable_free(&lookup->table);
	hz_region_free(&lookup->region);
	memset(&lookup->region, 0, sizeof(lookup->region));
}

static inline uint64_t *
row_number(const HzLookup *lookup, HzGroupRow *row)
{
	return (uint64_t *) ((uint8_t *) row + lookup->layout.states_offset);
}

HzLookupStatus
hz_lookup_add(HzLookup *lookup, const HzVector *keys, uint32_t count)
{
	uint16_t at[HZ_VECTOR_ROWS] = {0};
	HzGroupRow *groups[HZ_VECTOR_ROWS];
	uint32_t usable = 0;

	if (lookup->layout.key_count == 0)
	{
		lookup->rows += count;
		return lookup->rows <= 1 ? HZ_LOOKUP_OK : HZ_LOOKUP_DUPLICATE;
	}
	for (uint32_t i = 0; i < count; i++)
	{
		bool null = false;

		for (int k = 0; k < lookup->layout.key_count; k++)
			null = null || (keys[k].validity != NULL && !hz_bitmap_get(keys[k].validity, i));
		if (!null)
			at[usable++] = (uint16_t) i;
	}
	if (hz_grouptable_find(&lookup->table, keys, at, usable, groups) != HZ_GROUP_OK)
		return HZ_LOOKUP_MEMORY;
	for (uint32_t i = 0; i < usable; i++)
	{
		uint64_t *number = row_number(lookup, groups[at[i]]);

		if (*number != 0 && !lookup->any)
			return HZ_LOOKUP_DUPLICATE;
		*number = (uint64_t) lookup->rows + at[i] + 1;
	}
	lookup->rows += count;
	return HZ_LOOKUP_OK;
}

size_t
hz_lookup_bytes(const HzLookup *lookup)
{
	return lookup->region.total;
}

/* ---- Probing */

HzProbe *
hz_probe_create(const HzLookup *lookup)
{
	HzProbe *probe = hz_alloc_zero(sizeof(HzProbe));

	probe->lookup = lookup;
	probe->scratch.columns = hz_alloc(sizeof(HzKeyColumn) * (size_t) lookup->layout.key_count);
	probe->scratch.hashes = hz_alloc(sizeof(uint64_t) * HZ_VECTOR_ROWS);
	probe->groups = hz_alloc(sizeof(HzGroupRow *) * HZ_VECTOR_ROWS);
	probe->found = hz_alloc(sizeof(uint32_t) * HZ_VECTOR_ROWS);
	probe->codes = hz_alloc(sizeof(uint16_t) * HZ_VECTOR_ROWS);
	probe->validity = hz_alloc(sizeof(uint64_t) * WORDS);
	probe->matched = hz_alloc(HZ_VECTOR_ROWS);
	probe->columns = hz_alloc_zero(sizeof(ProbeColumn) * (size_t) (lookup->column_count + 1));
	return probe;
}

void
hz_probe_forget(HzProbe *probe)
{
	probe->memo_values = NULL;
}

/* found[i] of the rows at[0 .. count) (NULL: all) of the keys. */
static void
find_by_hash(HzProbe *probe, const HzVector *keys, const uint16_t *at, uint32_t count)
{
	const HzLookup *lookup = probe->lookup;

	/* no key is a numeric, the only ones that could fail */
	(void) hz_grouptable_probe(&lookup->table, &probe->scratch, keys, at, count, probe->groups);
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;
		HzGroupRow *group = probe->groups[row];

		probe->found[row] = group != NULL ? (uint32_t) *row_number(lookup, group) : 0;
	}
}

static bool
is_null(const HzVector *key, uint32_t row)
{
	return key->validity != NULL && !hz_bitmap_get(key->validity, row);
}

static HzString
entry_at(const HzVector *vector, uint32_t i)
{
	if (vector->kind == HZ_KIND_BYTES)
		return ((const HzString *) vector->values)[i];
	return (HzString){.data = (const uint8_t *) vector->values + (size_t) vector->width * i,
					  .length = vector->width};
}

/* Whether the dictionary of a key is searched for the lookup's. */
static bool
is_searched(const HzLookup *lookup, const HzVector *key)
{
	return lookup->key != NULL && lookup->key->kind == key->kind &&
		   (key->kind == HZ_KIND_BYTES ||
			(key->kind == HZ_KIND_FIXED && lookup->key->width == key->width)) &&
		   lookup->rows <= key->dict_count / SEARCHED_PART;
}

/* Fills the memo with the lookup's keys that the dictionary has. */
static void
search_dictionary(HzProbe *probe, const HzVector *key)
{
	const HzVector *sought = probe->lookup->key;

	for (uint32_t row = 0; row < probe->lookup->rows; row++)
	{
		HzString value;
		uint32_t low = 0;
		uint32_t high = key->dict_count;

		if (is_null(sought, row))
			continue;
		value = entry_at(sought, row);
		while (low < high)
		{
			uint32_t middle = low + (high - low) / 2;
			HzString entry = entry_at(key, middle);
			int order = hz_bytes_order(entry.data, entry.length, value.data, value.length);

			if (order == 0)
			{
				probe->memo[middle] = row + 1;
				break;
			}
			if (order < 0)
				low = middle + 1;
			else
				high = middle;
		}
	}
}

static void
prepare_memo(HzProbe *probe, const HzVector *key)
{
	bool searched = is_searched(probe->lookup, key);

	if (probe->memo_values == key->values && probe->memo_count == key->dict_count)
		return;
	if (probe->memo == NULL || probe->memo_count < key->dict_count)
	{
		hz_free(probe->memo);
		probe->memo = hz_alloc(sizeof(uint32_t) * key->dict_count);
	}
	memset(probe->memo, searched ? 0 : 0xFF, sizeof(uint32_t) * key->dict_count);
	probe->memo_values = key->values;
	probe->memo_count = key->dict_count;
	if (searched)
		search_dictionary(probe, key);
}

static void
find_by_codes(HzProbe *probe, const HzVector *key, const uint16_t *at, uint32_t count)
{
	uint16_t missing[HZ_VECTOR_ROWS];
	uint32_t missing_count = 0;

	prepare_memo(probe, key);
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;

		if (is_null(key, row) || probe->memo[key->codes[row]] != UNKNOWN)
			continue;
		/* asked for, not found yet */
		probe->memo[key->codes[row]] = 0;
		missing[missing_count++] = (uint16_t) row;
	}
	if (missing_count > 0)
		find_by_hash(probe, key, missing, missing_count);
	for (uint32_t i = 0; i < missing_count; i++)
		probe->memo[key->codes[missing[i]]] = probe->found[missing[i]];
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;

		probe->found[row] = is_null(key, row) ? 0 : probe->memo[key->codes[row]];
	}
}

static void
find_same(HzProbe *probe, uint32_t found, const uint16_t *at, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		probe->found[at != NULL ? at[i] : i] = found;
}

static void
find_constant(HzProbe *probe, const HzVector *key, const uint16_t *at, uint32_t count)
{
	uint32_t first = at != NULL ? at[0] : 0;

	if (key->validity != NULL)
	{
		find_by_hash(probe, key, at, count);
		return;
	}
	find_by_hash(probe, key, at, 1);
	find_same(probe, probe->found[first], at, count);
}

/* What was found for the rows, as vectors have it. */
static void
note_found(HzProbe *probe, const uint16_t *at, uint32_t count)
{
	probe->all = true;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;
		uint32_t found = probe->found[row];

		probe->matched[row] = found != 0;
		probe->codes[row] = found != 0 ? (uint16_t) (found - 1) : 0;
		probe->validity[row / 64] |= (uint64_t) (found != 0) << (row % 64);
		probe->all = probe->all && found != 0;
	}
}

void
hz_probe_batch(HzProbe *probe, const HzVector *keys, uint32_t rows, const uint16_t *at,
			   uint32_t count)
{
	const HzLookup *lookup = probe->lookup;

	probe->count = rows;
	if (at != NULL)
	{
		memset(probe->found, 0, sizeof(uint32_t) * rows);
		memset(probe->codes, 0, sizeof(uint16_t) * rows);
		memset(probe->matched, 0, rows);
	}
	if (count == 0)
		;
	else if (lookup->layout.key_count == 0)
		find_same(probe, lookup->rows, at, count);
	else if (lookup->layout.key_count == 1 && keys[0].form == HZ_FORM_DICT)
		find_by_codes(probe, keys, at, count);
	else if (lookup->layout.key_count == 1 && keys[0].form == HZ_FORM_CONSTANT)
		find_constant(probe, keys, at, count);
	else
		find_by_hash(probe, keys, at, count);
	memset(probe->validity, 0, sizeof(uint64_t) * WORDS);
	note_found(probe, at, count);
	for (int i = 0; i <= lookup->column_count; i++)
		probe->columns[i].made = false;
}

/* The validity of the rows that were found and whose value is not null. */
static const uint64_t *
column_validity(const HzProbe *probe, const HzVector *source, ProbeColumn *column)
{
	if (source->validity == NULL)
		return probe->all ? NULL : probe->validity;
	if (column->validity == NULL)
		column->validity = hz_alloc(sizeof(uint64_t) * WORDS);
	memset(column->validity, 0, sizeof(uint64_t) * WORDS);
	for (uint32_t i = 0; i < probe->count; i++)
	{
		uint32_t found = probe->found[i];

		column->validity[i / 64] |=
			(uint64_t) (found != 0 && hz_bitmap_get(source->validity, found - 1)) << (i % 64);
	}
	return column->validity;
}

static void
gather(const HzProbe *probe, const HzVector *source, ProbeColumn *column)
{
	const uint8_t *from = source->values;
	size_t width = source->width;
	uint8_t *to;

	if (column->values == NULL)
		column->values = hz_alloc(width * HZ_VECTOR_ROWS);
	to = column->values;
	for (uint32_t i = 0; i < probe->count; i++, to += width)
	{
		if (probe->found[i] != 0)
			memcpy(to, from + width * (probe->found[i] - 1), width);
		else
			memset(to, 0, width);
	}
}

const HzVector *
hz_probe_column(HzProbe *probe, int column)
{
	const HzLookup *lookup = probe->lookup;
	ProbeColumn *result = &probe->columns[column];
	HzVector *vector = &result->vector;

	if (result->made)
		return vector;
	result->made = true;
	if (column == lookup->column_count)
	{
		*vector = (HzVector){.kind = HZ_KIND_BOOL, .width = 1, .values = probe->matched};
		vector->count = probe->count;
		return vector;
	}
	*vector = lookup->columns[column];
	vector->count = probe->count;
	vector->validity = column_validity(probe, &lookup->columns[column], result);
	if (lookup->rows > 0 && lookup->rows <= CODES_MAX)
	{
		vector->form = HZ_FORM_DICT;
		vector->dict_count = lookup->rows;
		vector->codes = probe->codes;
		return vector;
	}
	gather(probe, &lookup->columns[column], result);
	vector->values = result->values;
	return vector;
}
