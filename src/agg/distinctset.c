/*
 * agg/distinctset.c
 *	  Pairs of group and value. See distinctset.h.
 *
 * Entries are of three forms, by the kind of value; a NULL group marks a free one.
 */
#include <math.h>
#include <string.h>

#include "agg/distinctset.h"

#define FIRST_CAPACITY 4096
#define PREFETCH_FROM 2048

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
}

static inline uint64_t
mix_group(uint64_t hash, const HzGroupRow *group)
{
	return hash ^ (group->hash * UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t
mix_word(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return h;
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

/* Where an entry that exists belongs: as hash_of_value() gives it for the value. */
static uint64_t
hash_of_entry(const HzDistinctSet *set, const uint8_t *entry)
{
	if (set->entry_bytes == sizeof(WordEntry))
		return mix_word(((const WordEntry *) entry)->value);
	if (set->entry_bytes == sizeof(FixedEntry))
	{
		const FixedEntry *fixed = (const FixedEntry *) entry;

		return mix_word(fixed->value[0] ^ mix_word(fixed->value[1]));
	}
	return ((const StringEntry *) entry)->hash;
}

static inline uint64_t
hash_of_value(const HzDistinctSet *set, const HzKeySlot *slot, uint64_t hash)
{
	uint64_t half[2];

	switch (set->kind)
	{
		case HZ_KEY_INT:
		case HZ_KEY_FLOAT:
			return mix_word(word_of(set->kind, slot));
		case HZ_KEY_FIXED:
			memcpy(half, slot->fixed, 16);
			return mix_word(half[0] ^ mix_word(half[1]));
		case HZ_KEY_STRING:
		case HZ_KEY_NUMERIC:
			break;
	}
	return hash;
}

static bool
grow(HzDistinctSet *set, uint64_t more)
{
	uint64_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity;
	uint8_t *entries;

	while ((set->count + more) * 5 > capacity * 3)
		capacity *= 2;
	if (capacity == set->capacity)
		return true;
	entries = hz_region_map(set->region, capacity * set->entry_bytes);
	if (entries == NULL)
		return false;
	for (uint64_t i = 0; i < set->capacity; i++)
	{
		const uint8_t *entry = set->entries + i * set->entry_bytes;
		HzGroupRow *group;
		uint64_t at;

		memcpy(&group, entry, sizeof(group));
		if (group == NULL)
			continue;
		at = mix_group(hash_of_entry(set, entry), group) & (capacity - 1);
		while (memcmp(entries + at * set->entry_bytes, &(HzGroupRow *){NULL}, sizeof(group)) != 0)
			at = (at + 1) & (capacity - 1);
		memcpy(entries + at * set->entry_bytes, entry, set->entry_bytes);
	}
	hz_region_unmap(set->region, set->entries, set->capacity * set->entry_bytes);
	set->entries = entries;
	set->capacity = capacity;
	return true;
}

/* Adds one pair; *added says whether it is new. There is room. False: out of memory. */
static inline bool
add_word(HzDistinctSet *set, HzGroupRow *group, uint64_t value, uint64_t place, bool *added)
{
	WordEntry *entries = (WordEntry *) set->entries;
	uint64_t at = place & (set->capacity - 1);

	for (; entries[at].group != NULL; at = (at + 1) & (set->capacity - 1))
	{
		if (entries[at].value == value && entries[at].group == group)
		{
			*added = false;
			return true;
		}
	}
	entries[at] = (WordEntry){.group = group, .value = value};
	*added = true;
	return true;
}

static inline bool
add_fixed(HzDistinctSet *set, HzGroupRow *group, const uint64_t value[2], uint64_t place,
		  bool *added)
{
	FixedEntry *entries = (FixedEntry *) set->entries;
	uint64_t at = place & (set->capacity - 1);

	for (; entries[at].group != NULL; at = (at + 1) & (set->capacity - 1))
	{
		if (entries[at].value[0] == value[0] && entries[at].value[1] == value[1] &&
			entries[at].group == group)
		{
			*added = false;
			return true;
		}
	}
	entries[at] = (FixedEntry){.group = group, .value = {value[0], value[1]}};
	*added = true;
	return true;
}

/* keep: the bytes are copied into the region. */
static inline bool
add_string(HzDistinctSet *set, HzGroupRow *group, const HzString *value, uint64_t hash,
		   uint64_t place, bool keep, bool *added)
{
	StringEntry *entries = (StringEntry *) set->entries;
	uint64_t at = place & (set->capacity - 1);
	HzKeySlot kept = {.string = *value};

	for (; entries[at].group != NULL; at = (at + 1) & (set->capacity - 1))
	{
		if (entries[at].hash == hash && entries[at].group == group &&
			entries[at].value.length == value->length &&
			memcmp(entries[at].value.data, value->data, value->length) == 0)
		{
			*added = false;
			return true;
		}
	}
	if (keep && !hz_key_keep(set->kind, &kept, set->region))
		return false;
	entries[at] = (StringEntry){.group = group, .hash = hash, .value = kept.string};
	*added = true;
	return true;
}

static inline void
count_up(HzGroupRow *group, uint32_t offset, bool added)
{
	int64_t *counter = (int64_t *) ((uint8_t *) group + offset);

	*counter += added;
}

static inline bool
add_slot(HzDistinctSet *set, HzGroupRow *group, const HzKeySlot *slot, uint64_t hash,
		 uint64_t place, bool *added)
{
	uint64_t half[2];

	switch (set->kind)
	{
		case HZ_KEY_INT:
		case HZ_KEY_FLOAT:
			return add_word(set, group, word_of(set->kind, slot), place, added);
		case HZ_KEY_FIXED:
			memcpy(half, slot->fixed, 16);
			return add_fixed(set, group, half, place, added);
		case HZ_KEY_STRING:
		case HZ_KEY_NUMERIC:
			break;
	}
	return add_string(set, group, &slot->string, hash, place, true, added);
}

bool
hz_distinctset_add(HzDistinctSet *set, const HzKeyColumn *values, const uint64_t *hashes,
				   const uint16_t *rows, uint32_t count, HzGroupRow *const *groups,
				   HzGroupRow *single, uint32_t offset)
{
	uint64_t places[HZ_VECTOR_ROWS];

	if (!grow(set, count))
		return false;
	for (uint32_t i = 0; i < count; i++)
	{
		const HzGroupRow *group = groups == NULL ? single : groups[rows != NULL ? rows[i] : i];

		places[i] = mix_group(hash_of_value(set, &values->slots[i], hashes[i]), group);
	}
	if (set->capacity > PREFETCH_FROM)
	{
		for (uint32_t i = 0; i < count; i++)
			__builtin_prefetch(set->entries + (places[i] & (set->capacity - 1)) * set->entry_bytes,
							   1);
	}
	for (uint32_t i = 0; i < count; i++)
	{
		HzGroupRow *group = groups == NULL ? single : groups[rows != NULL ? rows[i] : i];
		bool added;

		if (!add_slot(set, group, &values->slots[i], hashes[i], places[i], &added))
			return false;
		set->count += added;
		count_up(group, offset, added);
	}
	return true;
}

bool
hz_distinctset_merge(HzDistinctSet *into, const HzDistinctSet *from, uint32_t offset)
{
	if (from->count == 0)
		return true;
	if (!grow(into, from->count))
		return false;
	for (uint64_t i = 0; i < from->capacity; i++)
	{
		const uint8_t *entry = from->entries + i * from->entry_bytes;
		HzGroupRow *group;
		uint64_t hash;
		uint64_t place;
		bool added = false;

		memcpy(&group, entry, sizeof(group));
		if (group == NULL)
			continue;
		if (group->merged != NULL)
			group = group->merged;
		hash = hash_of_entry(from, entry);
		place = mix_group(hash, group);
		if (from->entry_bytes == sizeof(WordEntry))
			(void) add_word(into, group, ((const WordEntry *) entry)->value, place, &added);
		else if (from->entry_bytes == sizeof(FixedEntry))
			(void) add_fixed(into, group, ((const FixedEntry *) entry)->value, place, &added);
		else
			(void) add_string(into, group, &((const StringEntry *) entry)->value, hash, place,
							  false, &added);
		into->count += added;
		count_up(group, offset, added);
	}
	return true;
}
