/*
 * format/chunk_distinct.c
 *	  The distinct values of a column: one pass with a hash table that gives up early, and their order.
 *
 * The tables hold positions into the array of values (open addressing, linear probing, load at most a
 * half) and start small, so that columns with few values stay in the first-level cache. A value equal
 * to the one before it costs one comparison: sorted data never get to the table.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/chunk_internal.h"

#define FIRST_SLOTS 1024

/* From FIRST_LOOK values on almost all distinct, or from SECOND_LOOK on largely so: no dictionary. */
#define FIRST_LOOK 8192
#define FIRST_PERCENT 97
#define SECOND_LOOK 32768
#define SECOND_PERCENT 85

/* Groups of strings up to this size are sorted by insertion. */
#define SMALL_GROUP 24

typedef struct Slot
{
	uint32_t tag;   /* bits of the hash */
	uint32_t index; /* of the value plus 1; 0: empty */
} Slot;

typedef struct Table
{
	uint32_t mask; /* slots - 1 */
	Slot *slots;
} Table;

/* ---- what both kinds of values share ---- */

/* Room for as many values as the table may hold. */
static void
size_values(HzDistinct *distinct, const Table *table, bool integers)
{
	distinct->capacity = (table->mask + 1) / 2;
	if (integers)
		distinct->integers = hz_realloc(distinct->integers, distinct->capacity * sizeof(int64_t));
	else
	{
		distinct->strings = hz_realloc(distinct->strings, distinct->capacity * sizeof(HzString));
		distinct->hashes = hz_realloc(distinct->hashes, distinct->capacity * sizeof(uint64_t));
	}
}

static void
begin(const HzChunkInput *input, HzDistinct *distinct, Table *table, bool integers)
{
	memset(distinct, 0, sizeof(*distinct));
	distinct->codes = hz_alloc(input->column->rows * sizeof(uint16_t));
	table->mask = FIRST_SLOTS - 1;
	table->slots = hz_alloc_zero(FIRST_SLOTS * sizeof(Slot));
	size_values(distinct, table, integers);
}

static bool
give_up(HzDistinct *distinct, Table *table)
{
	hz_free(table->slots);
	hz_distinct_free(distinct);
	return false;
}

/* Puts the slots of a table that is half full into a larger one; tags alone say where they go. */
static void
grow(HzDistinct *distinct, Table *table)
{
	uint32_t mask = table->mask * 4 + 3;
	Slot *slots = hz_alloc_zero((mask + (size_t) 1) * sizeof(Slot));

	for (uint32_t i = 0; i <= table->mask; i++)
	{
		uint32_t at = table->slots[i].tag & mask;

		if (table->slots[i].index == 0)
			continue;
		while (slots[at].index != 0)
			at = (at + 1) & mask;
		slots[at] = table->slots[i];
	}
	hz_free(table->slots);
	table->slots = slots;
	table->mask = mask;
	size_values(distinct, table, distinct->integers != NULL);
}

static bool
hopeless(uint32_t seen, uint32_t count)
{
	return (seen >= FIRST_LOOK && count > (uint64_t) seen * FIRST_PERCENT / 100) ||
		   (seen >= SECOND_LOOK && count > (uint64_t) seen * SECOND_PERCENT / 100);
}

void
hz_distinct_free(HzDistinct *distinct)
{
	hz_free(distinct->integers);
	hz_free(distinct->strings);
	hz_free(distinct->hashes);
	hz_free(distinct->codes);
	memset(distinct, 0, sizeof(*distinct));
}

/* ---- integers ---- */

static inline uint32_t
hash_integer(int64_t value)
{
	uint64_t h = (uint64_t) value * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t) (h >> 32);
}

/* The code of a value, which is a new one when there is none; UINT32_MAX: one too many. */
static inline uint32_t
code_of_integer(HzDistinct *distinct, Table *table, int64_t value)
{
	uint32_t tag = hash_integer(value);
	uint32_t at = tag & table->mask;

	for (; table->slots[at].index != 0; at = (at + 1) & table->mask)
		if (table->slots[at].tag == tag && distinct->integers[table->slots[at].index - 1] == value)
			return table->slots[at].index - 1;
	if (distinct->count == HZ_CHUNK_MAX_DICT)
		return UINT32_MAX;
	distinct->integers[distinct->count++] = value;
	table->slots[at].tag = tag;
	table->slots[at].index = distinct->count;
	if (distinct->count == distinct->capacity)
		grow(distinct, table);
	return distinct->count - 1;
}

/* The codes of one vector of filled values; false: too many distinct ones. */
static bool
add_integers(HzDistinct *distinct, Table *table, const int64_t *values, uint32_t count,
			 uint16_t *codes)
{
	uint32_t code = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		if (i == 0 || values[i] != values[i - 1])
		{
			code = code_of_integer(distinct, table, values[i]);
			if (code == UINT32_MAX)
				return false;
			distinct->runs++;
		}
		codes[i] = (uint16_t) code;
	}
	return true;
}

bool
hz_distinct_integers(const HzChunkInput *input, HzDistinct *distinct)
{
	uint32_t seen = 0;
	Table table;
	int64_t room[HZ_VECTOR_ROWS];

	begin(input, distinct, &table, true);
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		size_t first = (size_t) v * HZ_VECTOR_ROWS;
		uint32_t count = input->zones[v].rows;

		if (input->zones[v].nulls == count)
		{
			memset(distinct->codes + first, 0, count * sizeof(uint16_t));
			continue;
		}
		if (!add_integers(distinct, &table, hz_input_integers(input, v, room), count,
						  distinct->codes + first))
			return give_up(distinct, &table);
		seen += count;
		if (hopeless(seen, distinct->count))
			return give_up(distinct, &table);
	}
	hz_free(table.slots);
	return true;
}

/* ---- strings ---- */

static inline uint32_t
code_of_string(HzDistinct *distinct, Table *table, const HzString *s)
{
	uint64_t hash = XXH3_64bits(s->data, s->length);
	uint32_t tag = (uint32_t) hash;
	uint32_t at = tag & table->mask;

	for (; table->slots[at].index != 0; at = (at + 1) & table->mask)
	{
		uint32_t found = table->slots[at].index - 1;

		if (table->slots[at].tag == tag && distinct->strings[found].length == s->length &&
			hz_bytes_equal(distinct->strings[found].data, s->data, s->length))
			return found;
	}
	if (distinct->count == HZ_CHUNK_MAX_DICT ||
		distinct->bytes + s->length > HZ_CHUNK_MAX_DICT_BYTES)
		return UINT32_MAX;
	distinct->bytes += s->length;
	distinct->strings[distinct->count] = *s;
	distinct->hashes[distinct->count++] = hash;
	table->slots[at].tag = tag;
	table->slots[at].index = distinct->count;
	if (distinct->count == distinct->capacity)
		grow(distinct, table);
	return distinct->count - 1;
}

static inline bool
same_string(const HzString *a, const HzString *b)
{
	return a->length == b->length && hz_bytes_equal(a->data, b->data, a->length);
}

/* The codes of the rows of one vector; nulls take the code before them. False: too many distinct ones. */
static bool
add_strings(const HzChunkInput *input, HzDistinct *distinct, Table *table, uint32_t v,
			uint32_t *code)
{
	uint32_t first = v * HZ_VECTOR_ROWS;
	uint32_t end = first + input->zones[v].rows;
	HzString last = {NULL, UINT64_MAX};

	for (uint32_t i = first; i < end; i++)
	{
		if (hz_input_valid(input, i))
		{
			HzString s = hz_input_string(input, i);

			if (!same_string(&s, &last))
			{
				*code = code_of_string(distinct, table, &s);
				if (*code == UINT32_MAX)
					return false;
				distinct->runs++;
				last = s;
			}
		}
		distinct->codes[i] = (uint16_t) *code;
	}
	return true;
}

bool
hz_distinct_strings(const HzChunkInput *input, HzDistinct *distinct)
{
	uint32_t code = 0;
	uint32_t seen = 0;
	Table table;

	begin(input, distinct, &table, false);
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		if (!add_strings(input, distinct, &table, v, &code))
			return give_up(distinct, &table);
		seen += input->zones[v].rows - input->zones[v].nulls;
		if (hopeless(seen, distinct->count))
			return give_up(distinct, &table);
	}
	hz_free(table.slots);
	return true;
}

/* ---- order ---- */

/* What a sort moves: eight bytes of the value in an order-preserving form, and which value it is. */
typedef struct Item
{
	uint64_t key;
	uint32_t index;
} Item;

/* Sorts items by key: least significant digit first, skipping bytes in which all keys agree. */
static void
radix_sort(Item *items, Item *scratch, uint32_t count)
{
	Item *from = items;
	Item *to = scratch;

	for (int shift = 0; shift < 64; shift += 8)
	{
		uint32_t starts[256] = {0};
		uint32_t sum = 0;
		Item *swap = from;

		for (uint32_t i = 0; i < count; i++)
			starts[(from[i].key >> shift) & 0xff]++;
		if (starts[(from[0].key >> shift) & 0xff] == count)
			continue;
		for (int b = 0; b < 256; b++)
		{
			uint32_t n = starts[b];

			starts[b] = sum;
			sum += n;
		}
		for (uint32_t i = 0; i < count; i++)
			to[starts[(from[i].key >> shift) & 0xff]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, count * sizeof(Item));
}

static inline uint64_t
key_at(const HzString *s, uint64_t depth)
{
	uint8_t bytes[8] = {0};
	uint64_t key;

	if (s->length > depth)
		memcpy(bytes, s->data + depth, s->length - depth < 8 ? s->length - depth : 8);
	memcpy(&key, bytes, sizeof(key));
	return __builtin_bswap64(key);
}

static inline bool
string_less(const HzString *a, const HzString *b, uint64_t depth)
{
	uint64_t shorter = a->length < b->length ? a->length : b->length;
	int order = shorter > depth ? memcmp(a->data + depth, b->data + depth, shorter - depth) : 0;

	return order != 0 ? order < 0 : a->length < b->length;
}

static void
insertion_sort(const HzString *strings, Item *items, uint32_t count, uint64_t depth)
{
	for (uint32_t i = 1; i < count; i++)
	{
		Item item = items[i];
		uint32_t j = i;

		for (; j > 0 && string_less(&strings[item.index], &strings[items[j - 1].index], depth); j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

/* Moves the strings that end within eight bytes of depth to the front; returns their number. */
static uint32_t
ended_first(const HzString *strings, Item *items, uint32_t count, uint64_t depth)
{
	uint32_t ended = 0;

	for (uint32_t i = 0; i < count; i++)
		if (strings[items[i].index].length <= depth + 8)
		{
			Item item = items[i];

			items[i] = items[ended];
			items[ended++] = item;
		}
	return ended;
}

/* Loads the keys at depth; false: all strings have the same one and go on behind it. */
static bool
load_keys(const HzString *strings, Item *items, uint32_t count, uint64_t depth)
{
	bool useful = false;

	for (uint32_t i = 0; i < count; i++)
	{
		items[i].key = key_at(&strings[items[i].index], depth);
		useful |= items[i].key != items[0].key || strings[items[i].index].length <= depth + 8;
	}
	return useful;
}

/*
 * Sorts distinct strings that agree in their first `depth` bytes, eight bytes at a time. The
 * dictionary's bound on bytes bounds the recursion: each level leaves a string behind, the n-th of which has at
 * least 8 n bytes, so that 4 MB allow some 1,000 levels.
 */
static void
sort_strings(const HzString *strings, Item *items, Item *scratch, uint32_t count, uint64_t depth)
{
	if (count <= SMALL_GROUP)
	{
		insertion_sort(strings, items, count, depth);
		return;
	}
	while (!load_keys(strings, items, count, depth))
		depth += 8;
	radix_sort(items, scratch, count);
	for (uint32_t start = 0, end; start < count; start = end)
	{
		uint32_t ended;

		for (end = start + 1; end < count && items[end].key == items[start].key; end++)
			;
		if (end - start == 1)
			continue;
		/* distinct strings with one key that have ended differ in their trailing zero bytes only: at most nine */
		ended = ended_first(strings, items + start, end - start, depth);
		insertion_sort(strings, items + start, ended, depth);
		sort_strings(strings, items + start + ended, scratch, end - start - ended, depth + 8);
	}
}

static Item *
make_items(const HzDistinct *distinct)
{
	Item *items = hz_alloc((size_t) distinct->count * 2 * sizeof(Item));

	for (uint32_t i = 0; i < distinct->count; i++)
	{
		items[i].index = i;
		items[i].key =
			distinct->integers == NULL ? 0 : (uint64_t) distinct->integers[i] ^ (UINT64_C(1) << 63);
	}
	return items;
}

/* Replaces an array of count elements by its elements in the order of items. */
static void *
permute(void *array, uint32_t width, const Item *items, uint32_t count)
{
	uint8_t *result;

	if (array == NULL)
		return NULL;
	result = hz_alloc((size_t) count * width);
	for (uint32_t i = 0; i < count; i++)
		memcpy(result + (size_t) i * width, (uint8_t *) array + (size_t) items[i].index * width,
			   width);
	hz_free(array);
	return result;
}

void
hz_distinct_sort(const HzChunkInput *input, HzDistinct *distinct)
{
	uint32_t count = distinct->count;
	Item *items = make_items(distinct);
	uint16_t *ranks = hz_alloc(count * sizeof(uint16_t));

	if (distinct->integers != NULL)
		radix_sort(items, items + count, count);
	else
		sort_strings(distinct->strings, items, items + count, count, 0);
	for (uint32_t i = 0; i < count; i++)
		ranks[items[i].index] = (uint16_t) i;
	distinct->integers = permute(distinct->integers, sizeof(int64_t), items, count);
	distinct->strings = permute(distinct->strings, sizeof(HzString), items, count);
	distinct->hashes = permute(distinct->hashes, sizeof(uint64_t), items, count);
	for (uint32_t i = 0; i < input->column->rows; i++)
		distinct->codes[i] = ranks[distinct->codes[i]];
	hz_free(ranks);
	hz_free(items);
}
