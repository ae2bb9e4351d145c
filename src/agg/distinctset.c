/*
 * agg/distinctset.c
 *	  Pairs of group and value. See distinctset.h.
 *
 * Entries are of three forms, by the kind of value; a NULL group marks a free one.
 */
#include <math.h>
#include <string.h>

#include "agg/distinctset.h"
#include "encoding/clones.h"

#define FIRST_CAPACITY 4096
#define PREFETCH_FROM 2048
#define POLL_EVERY 16384
#define GROW_FAST_BELOW 262144
#define PAIRS 64 /* whose places are touched before they are used */
#define COUNTS 64
#define PARTS_FROM 32768 /* values of the only group: as many as the second-level cache holds */

typedef struct WordEntry
{
	HzGroupRow *group;
	uint64_t value; /* floats: bits, with one NaN and one zero */
} WordEntry;

typedef struct FixedEntry
{
	HzGroupRow *group;
	uint64_t value[2];
} FixedEntry;

typedef struct StringEntry
{
	HzGroupRow *group;
	uint64_t hash;
	HzString value;
} StringEntry;

void
hz_distinctset_init(HzDistinctSet *set, HzKeyKind kind, HzRegion *region)
{
	memset(set, 0, sizeof(*set));
	set->kind = kind;
	set->region = region;
	switch (kind)
	{
		case HZ_KEY_INT:
		case HZ_KEY_FLOAT:
			set->entry_bytes = sizeof(WordEntry);
			break;
		case HZ_KEY_FIXED:
			set->entry_bytes = sizeof(FixedEntry);
			break;
		case HZ_KEY_STRING:
		case HZ_KEY_NUMERIC:
			set->entry_bytes = sizeof(StringEntry);
			break;
	}
}

void
hz_distinctset_free(HzDistinctSet *set)
{
	if (set->region != NULL)
		hz_region_unmap(set->region, set->entries, set->capacity * set->entry_bytes);
	set->entries = NULL;
	set->capacity = 0;
	if (set->parts != NULL)
		hz_distinctparts_free(set->parts);
	set->parts = NULL;
}

static inline uint64_t
mix_group(uint64_t hash, const HzGroupRow *group)
{
	return hash ^ (group->hash * UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t
word_of(HzKeyKind kind, const HzKeySlot *slot)
{
	double real;
	uint64_t word;

	if (kind == HZ_KEY_INT)
		return (uint64_t) slot->integer;
	if (isnan(slot->real))
		return UINT64_C(0x7ff8000000000000);
	real = slot->real + 0.0;
	memcpy(&word, &real, sizeof(word));
	return word;
}

/*
 * Everything below is written once, for a form that is known when it is inlined: the compiler makes three of it. form: the
 * size of an entry.
 */
#define WORD sizeof(WordEntry)
#define FIXED sizeof(FixedEntry)
#define STRING sizeof(StringEntry)

/* What is looked for: the value, and for strings its hash. */
typedef struct Value
{
	uint64_t word[2];
	HzString string;
	uint64_t hash;
} Value;

HZ_INLINE Value
value_of_slot(size_t form, HzKeyKind kind, const HzKeySlot *slot, uint64_t hash)
{
	Value value = {.hash = hash};

	if (form == WORD)
		value.word[0] = word_of(kind, slot);
	else if (form == FIXED)
		memcpy(value.word, slot->fixed, sizeof(value.word));
	else
		value.string = slot->string;
	return value;
}

HZ_INLINE Value
value_of_entry(size_t form, const uint8_t *entry)
{
	Value value = {.hash = 0};

	if (form == WORD)
		value.word[0] = ((const WordEntry *) entry)->value;
	else if (form == FIXED)
		memcpy(value.word, ((const FixedEntry *) entry)->value, sizeof(value.word));
	else
	{
		value.string = ((const StringEntry *) entry)->value;
		value.hash = ((const StringEntry *) entry)->hash;
	}
	return value;
}

HZ_INLINE uint64_t
hash_of_value(size_t form, const Value *value)
{
	if (form == STRING)
		return value->hash;
	return hz_distinct_hash(value->word, form == WORD ? 8 : 16);
}

HZ_INLINE HzGroupRow *
group_of_entry(const uint8_t *entry)
{
	HzGroupRow *group;

	memcpy(&group, entry, sizeof(group));
	return group;
}

HZ_INLINE bool
has_value(size_t form, const uint8_t *entry, const Value *value)
{
	const HzString *string = &((const StringEntry *) entry)->value;

	if (form == WORD)
		return ((const WordEntry *) entry)->value == value->word[0];
	if (form == FIXED)
		return ((const FixedEntry *) entry)->value[0] == value->word[0] &&
			   ((const FixedEntry *) entry)->value[1] == value->word[1];
	return ((const StringEntry *) entry)->hash == value->hash &&
		   string->length == value->string.length &&
		   memcmp(string->data, value->string.data, string->length) == 0;
}

HZ_INLINE void
store_entry(size_t form, uint8_t *entry, HzGroupRow *group, const Value *value)
{
	memcpy(entry, &group, sizeof(group));
	if (form == WORD)
		((WordEntry *) entry)->value = value->word[0];
	else if (form == FIXED)
		memcpy(((FixedEntry *) entry)->value, value->word, sizeof(value->word));
	else
	{
		((StringEntry *) entry)->hash = value->hash;
		((StringEntry *) entry)->value = value->string;
	}
}

/* The entry of a pair, or the free one where it belongs. */
HZ_INLINE uint8_t *
find_entry(size_t form, const HzDistinctSet *set, const HzGroupRow *group, const Value *value,
		   uint64_t place)
{
	uint64_t at = place & (set->capacity - 1);

	for (;; at = (at + 1) & (set->capacity - 1))
	{
		uint8_t *entry = set->entries + at * form;
		const HzGroupRow *there = group_of_entry(entry);

		if (there == NULL || (there == group && has_value(form, entry, value)))
			return entry;
	}
}

HZ_INLINE void
move_entries(size_t form, const HzDistinctSet *set, uint8_t *entries, uint64_t capacity)
{
	for (uint64_t i = 0; i < set->capacity; i++)
	{
		const uint8_t *entry = set->entries + i * form;
		HzGroupRow *group = group_of_entry(entry);
		Value value;
		uint64_t at;

		if (group == NULL)
			continue;
		value = value_of_entry(form, entry);
		at = mix_group(hash_of_value(form, &value), group) & (capacity - 1);
		while (group_of_entry(entries + at * form) != NULL)
			at = (at + 1) & (capacity - 1);
		store_entry(form, entries + at * form, group, &value);
	}
}

/* Entries for so many more; small sets grow by four, since each growth touches all. */
static uint64_t
capacity_for(const HzDistinctSet *set, uint64_t more)
{
	uint64_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity;

	if ((set->count + more) * 5 <= set->capacity * 3)
		return set->capacity;
	while ((set->count + more) * 5 > capacity * 3)
		capacity *= capacity < GROW_FAST_BELOW ? 4 : 2;
	return capacity;
}

size_t
hz_distinctset_growth(const HzDistinctSet *set, uint64_t more)
{
	uint64_t capacity = set->parts != NULL ? set->capacity : capacity_for(set, more);

	return capacity == set->capacity ? 0 : capacity * set->entry_bytes;
}

static bool
grow(HzDistinctSet *set, uint64_t more)
{
	uint64_t capacity = capacity_for(set, more);
	uint8_t *entries;

	if (capacity == set->capacity)
		return true;
	entries = hz_region_map(set->region, capacity * set->entry_bytes);
	if (entries == NULL)
		return false;
	if (set->entry_bytes == WORD)
		move_entries(WORD, set, entries, capacity);
	else if (set->entry_bytes == FIXED)
		move_entries(FIXED, set, entries, capacity);
	else
		move_entries(STRING, set, entries, capacity);
	hz_region_unmap(set->region, set->entries, set->capacity * set->entry_bytes);
	set->entries = entries;
	set->capacity = capacity;
	return true;
}

static inline int64_t *
counter_of(HzGroupRow *group, uint32_t offset)
{
	return (int64_t *) ((uint8_t *) group + offset);
}

/* What hz_distinctset_add() is given. */
typedef struct Batch
{
	const HzKeyColumn *values;
	const uint64_t *hashes;
	const uint16_t *rows;
	uint32_t count;
	HzGroupRow *const *groups;
	HzGroupRow *single;
	uint32_t offset;
} Batch;

HZ_INLINE HzGroupRow *
group_of(const Batch *batch, uint32_t i)
{
	if (batch->groups == NULL)
		return batch->single;
	return batch->groups[batch->rows != NULL ? batch->rows[i] : i];
}

HZ_INLINE bool
add_batch(size_t form, HzDistinctSet *set, const Batch *batch)
{
	uint64_t places[HZ_VECTOR_ROWS];

	for (uint32_t i = 0; i < batch->count; i++)
	{
		Value value = value_of_slot(form, set->kind, &batch->values->slots[i], batch->hashes[i]);

		places[i] = mix_group(hash_of_value(form, &value), group_of(batch, i));
	}
	if (set->capacity > PREFETCH_FROM)
	{
		for (uint32_t i = 0; i < batch->count; i++)
			__builtin_prefetch(set->entries + (places[i] & (set->capacity - 1)) * form, 1);
	}
	for (uint32_t i = 0; i < batch->count; i++)
	{
		HzGroupRow *group = group_of(batch, i);
		Value value = value_of_slot(form, set->kind, &batch->values->slots[i], batch->hashes[i]);
		uint8_t *entry = find_entry(form, set, group, &value, places[i]);

		if (group_of_entry(entry) != NULL)
			continue;
		if (form == STRING)
		{
			HzKeySlot kept = {.string = value.string};

			if (!hz_key_keep(set->kind, &kept, set->region))
				return false;
			value.string = kept.string;
		}
		store_entry(form, entry, group, &value);
		set->count++;
		*counter_of(group, batch->offset) += 1;
	}
	return true;
}

/* ---- The only group */

static bool
begin_codes(HzDistinctSet *set, const HzVector *vector)
{
	HzSeenCodes *codes = &set->codes;

	if (codes->room < vector->dict_count)
	{
		uint32_t room = codes->room == 0 ? 1024 : codes->room;

		while (room < vector->dict_count)
			room *= 2;
		codes->seen = hz_region_alloc(set->region, room);
		codes->room = codes->seen != NULL ? room : 0;
	}
	if (codes->seen == NULL)
		return false;
	memset(codes->seen, 0, vector->dict_count);
	codes->values = vector->values;
	codes->dict_count = vector->dict_count;
	return true;
}

bool
hz_distinctset_new_codes(HzDistinctSet *set, const HzVector *vector, const uint16_t *at,
						 uint32_t count, uint16_t *kept, uint32_t *kept_count)
{
	HzSeenCodes *codes = &set->codes;
	uint32_t n = 0;

	if ((codes->values != vector->values || codes->dict_count != vector->dict_count) &&
		!begin_codes(set, vector))
		return false;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;
		uint8_t *seen = &codes->seen[vector->codes[row]];

		kept[n] = (uint16_t) row;
		n += !*seen;
		*seen = 1;
	}
	*kept_count = n;
	return true;
}

HZ_INLINE bool
move_to_parts(size_t form, const HzDistinctSet *set, HzDistinctParts *parts)
{
	for (uint64_t i = 0; i < set->capacity; i++)
	{
		const uint8_t *entry = set->entries + i * form;
		Value value;

		if (group_of_entry(entry) == NULL)
			continue;
		value = value_of_entry(form, entry);
		if (!hz_distinctparts_add(parts, value.word, 1))
			return false;
	}
	return true;
}

/* From now on its values are in parts. */
static bool
use_parts(HzDistinctSet *set, uint32_t offset)
{
	HzDistinctParts *parts;

	if (set->parts != NULL)
		return true;
	parts = hz_distinctparts_make(set->region, set->entry_bytes == WORD ? 8 : 16);
	if (parts == NULL)
		return false;
	set->parts = parts;
	if (set->entry_bytes == WORD ? !move_to_parts(WORD, set, parts)
								 : !move_to_parts(FIXED, set, parts))
		return false;
	hz_region_unmap(set->region, set->entries, set->capacity * set->entry_bytes);
	set->entries = NULL;
	set->capacity = set->count = 0;
	*counter_of(set->single, offset) = 0;
	return true;
}

static bool
add_to_parts(HzDistinctSet *set, const HzKeyColumn *values, uint32_t count)
{
	uint64_t words[HZ_VECTOR_ROWS];

	if (set->entry_bytes == FIXED)
		return hz_distinctparts_add(set->parts, values->slots, count);
	for (uint32_t i = 0; i < count; i++)
		words[i] = word_of(set->kind, &values->slots[i]);
	return hz_distinctparts_add(set->parts, words, count);
}

bool
hz_distinctset_finish(HzDistinctSet *set, uint32_t offset, void (*poll)(void))
{
	uint64_t count;

	if (set->parts == NULL)
		return true;
	if (!hz_distinctparts_count(set->parts, poll, &count))
		return false;
	*counter_of(set->single, offset) = (int64_t) count;
	return true;
}

/* ---- Any group */

bool
hz_distinctset_add(HzDistinctSet *set, const HzKeyColumn *values, const uint64_t *hashes,
				   const uint16_t *rows, uint32_t count, HzGroupRow *const *groups,
				   HzGroupRow *single, uint32_t offset)
{
	Batch batch = {.values = values,
				   .hashes = hashes,
				   .rows = rows,
				   .count = count,
				   .groups = groups,
				   .single = single,
				   .offset = offset};

	if (set->single != NULL && set->count >= PARTS_FROM && !use_parts(set, offset))
		return false;
	if (set->parts != NULL)
		return add_to_parts(set, values, count);
	if (!grow(set, count))
		return false;
	if (set->entry_bytes == WORD)
		return add_batch(WORD, set, &batch);
	if (set->entry_bytes == FIXED)
		return add_batch(FIXED, set, &batch);
	return add_batch(STRING, set, &batch);
}

/* ---- Several sets */

/* Pairs of a share that wait to be looked for in earlier sets. */
typedef struct Pairs
{
	uint32_t count;
	HzGroupRow *groups[PAIRS];
	Value values[PAIRS];
	uint64_t hashes[PAIRS];
} Pairs;

/* What is to be added to groups' counts, which several shares change: by the group, the last that had the place. */
typedef struct Counts
{
	uint32_t offset;
	HzGroupRow *groups[COUNTS];
	int64_t counts[COUNTS];
} Counts;

static inline void
add_counts(Counts *counts, uint32_t place)
{
	if (counts->counts[place] != 0)
		(void) __atomic_fetch_add(counter_of(counts->groups[place], counts->offset),
								  counts->counts[place], __ATOMIC_RELAXED);
	counts->counts[place] = 0;
}

static inline void
count_pair(Counts *counts, HzGroupRow *group)
{
	uint32_t place = (uint32_t) (group->hash % COUNTS);

	if (counts->groups[place] != group)
		add_counts(counts, place);
	counts->groups[place] = group;
	counts->counts[place]++;
}

/* The pairs of set `number` that are in a share. */
typedef struct Merge
{
	HzDistinctSet *const *sets;
	int number;
	Pairs pairs;
	Counts counts;
} Merge;

/* Whether a set, whose groups may have gone into others, has the pair. */
HZ_INLINE bool
has_pair(size_t form, const HzDistinctSet *set, const HzGroupRow *group, const Value *value,
		 uint64_t place)
{
	uint64_t at = place & (set->capacity - 1);

	if (set->capacity == 0)
		return false;
	for (;; at = (at + 1) & (set->capacity - 1))
	{
		const uint8_t *entry = set->entries + at * form;
		const HzGroupRow *there = group_of_entry(entry);

		if (there == NULL)
			return false;
		if (has_value(form, entry, value) && (there == group || there->merged == group))
			return true;
	}
}

HZ_INLINE void
merge_pairs(size_t form, Merge *merge)
{
	Pairs *pairs = &merge->pairs;

	for (uint32_t i = 0; i < pairs->count; i++)
	{
		HzGroupRow *group = pairs->groups[i];

		if (group->merged != NULL)
			pairs->groups[i] = group->merged;
		/* which has the same hash */
		pairs->hashes[i] = mix_group(pairs->hashes[i], group);
		for (int s = 0; s < merge->number; s++)
		{
			const HzDistinctSet *set = merge->sets[s];

			if (set->capacity > 0)
				__builtin_prefetch(set->entries + (pairs->hashes[i] & (set->capacity - 1)) * form);
		}
	}
	for (uint32_t i = 0; i < pairs->count; i++)
	{
		bool found = false;

		for (int s = 0; s < merge->number && !found; s++)
			found = has_pair(form, merge->sets[s], pairs->groups[i], &pairs->values[i],
							 pairs->hashes[i]);
		if (!found)
			count_pair(&merge->counts, pairs->groups[i]);
	}
	pairs->count = 0;
}

/* False: told to stop. */
HZ_INLINE bool
merge_set(size_t form, Merge *merge, const HzMergeShare *share)
{
	const HzDistinctSet *from = merge->sets[merge->number];
	Pairs *pairs = &merge->pairs;

	for (uint64_t i = 0; i < from->capacity; i++)
	{
		const uint8_t *entry = from->entries + i * form;
		uint32_t n = pairs->count;

		if (i % POLL_EVERY == 0 && !share->go_on(share->arg))
			return false;
		pairs->groups[n] = group_of_entry(entry);
		if (pairs->groups[n] == NULL)
			continue;
		pairs->values[n] = value_of_entry(form, entry);
		pairs->hashes[n] = hash_of_value(form, &pairs->values[n]);
		if (!hz_share_has(share, pairs->hashes[n]))
			continue;
		__builtin_prefetch(pairs->groups[n]);
		if (++pairs->count == PAIRS)
			merge_pairs(form, merge);
	}
	merge_pairs(form, merge);
	return true;
}

HZ_INLINE bool
merge_sets(size_t form, Merge *merge, int count, const HzMergeShare *share)
{
	bool done = true;

	for (merge->number = 1; merge->number < count && done; merge->number++)
		done = merge_set(form, merge, share);
	for (uint32_t place = 0; place < COUNTS; place++)
		add_counts(&merge->counts, place);
	return done;
}

bool
hz_distinctset_merge_share(HzDistinctSet *const *sets, int count, const HzMergeShare *share,
						   uint32_t offset)
{
	Merge merge = {.sets = sets, .counts = {.offset = offset}};

	if (sets[0]->entry_bytes == WORD)
		return merge_sets(WORD, &merge, count, share);
	if (sets[0]->entry_bytes == FIXED)
		return merge_sets(FIXED, &merge, count, share);
	return merge_sets(STRING, &merge, count, share);
}

bool
hz_distinctset_gather_parts(HzDistinctSet *const *sets, int count, uint32_t offset, bool *parts)
{
	*parts = false;
	for (int s = 0; s < count; s++)
		*parts = *parts || sets[s]->parts != NULL;
	for (int s = 0; s < count && *parts; s++)
	{
		if (!use_parts(sets[s], offset))
			return false;
		if (s > 0 && !hz_distinctparts_absorb(sets[0]->parts, sets[s]->parts))
			return false;
	}
	return true;
}

/* ---- All pairs */

static uint64_t
hash_of_entry(const HzDistinctSet *set, const uint8_t *entry)
{
	Value value;

	if (set->entry_bytes == WORD)
		value = value_of_entry(WORD, entry);
	else if (set->entry_bytes == FIXED)
		value = value_of_entry(FIXED, entry);
	else
		value = value_of_entry(STRING, entry);
	return hash_of_value(set->entry_bytes, &value);
}

static bool
next_of_parts(const HzDistinctSet *set, uint64_t *position, HzGroupRow **group, HzKeySlot *value,
			  uint64_t *hash)
{
	const uint64_t *words = hz_distinctparts_next(set->parts, position);

	if (words == NULL)
		return false;
	*group = set->single;
	*hash = hz_distinct_hash(words, set->parts->width);
	memset(value, 0, sizeof(*value));
	memcpy(value, words, set->parts->width);
	return true;
}

bool
hz_distinctset_next(const HzDistinctSet *set, uint64_t *position, HzGroupRow **group,
					HzKeySlot *value, uint64_t *hash)
{
	if (set->parts != NULL)
		return next_of_parts(set, position, group, value, hash);
	while (*position < set->capacity)
	{
		const uint8_t *entry = set->entries + (*position)++ * set->entry_bytes;

		memcpy(group, entry, sizeof(*group));
		if (*group == NULL)
			continue;
		*hash = hash_of_entry(set, entry);
		memset(value, 0, sizeof(*value));
		if (set->entry_bytes == sizeof(WordEntry))
			memcpy(value, &((const WordEntry *) entry)->value, sizeof(uint64_t));
		else if (set->entry_bytes == sizeof(FixedEntry))
			memcpy(value, ((const FixedEntry *) entry)->value, sizeof(HzKeySlot));
		else
			value->string = ((const StringEntry *) entry)->value;
		return true;
	}
	return false;
}
