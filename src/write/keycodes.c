/*
 * write/keycodes.c
 *	  Sort keys packed into numbers. See keycodes.h.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "utils/uuid.h"

#include "base/gcd.h"
#include "base/memory.h"
#include "write/keycodes.h"

#define RANKED_UUIDS 2048 /* distinct ones at most that are worth ranking */

/* An unsigned number that orders as the value does; false for types that have none. */
static bool
integer_code(Oid type, Datum value, uint64 *code)
{
	switch (type)
	{
		case BOOLOID:
			*code = DatumGetBool(value);
			return true;
		case INT2OID:
			*code = (uint64) (int64) DatumGetInt16(value) ^ ((uint64) 1 << 63);
			return true;
		case INT4OID:
		case DATEOID:
			*code = (uint64) (int64) DatumGetInt32(value) ^ ((uint64) 1 << 63);
			return true;
		case INT8OID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*code = (uint64) DatumGetInt64(value) ^ ((uint64) 1 << 63);
			return true;
		default:
			return false;
	}
}

typedef struct DistinctUuid
{
	uint64 head; /* the first eight bytes, as a number that orders as they do */
	const unsigned char *value;
	uint32 id;
} DistinctUuid;

static inline int
compare_uuids(const DistinctUuid *left, const DistinctUuid *right)
{
	if (left->head != right->head)
		return left->head < right->head ? -1 : 1;
	return memcmp(left->value + 8, right->value + 8, UUID_LEN - 8);
}

#define ST_SORT sort_uuids
#define ST_ELEMENT_TYPE DistinctUuid
#define ST_COMPARE(a, b) compare_uuids(a, b)
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* The first eight bytes as a number that orders as they do. */
static inline uint64
uuid_head(Datum value)
{
	uint64 head;

	memcpy(&head, DatumGetPointer(value), sizeof(head));
	return pg_ntoh64(head);
}

/* The place of a uuid in a table of places in `distinct`, or of the gap where it belongs. */
static uint32
find_uuid(const uint16 *table, uint32 size, const DistinctUuid *distinct, uint64 head,
		  const unsigned char *value)
{
	uint64 tail;
	uint32 slot;

	memcpy(&tail, value + 8, sizeof(tail));
	slot = (uint32) (((head * UINT64CONST(0xD6E8FEB86659FD93) ^ tail) *
					  UINT64CONST(0x9E3779B97F4A7C15)) >>
					 32);
	for (slot &= size - 1; table[slot] != 0; slot = (slot + 1) & (size - 1))
	{
		const DistinctUuid *other = &distinct[table[slot] - 1];

		if (other->head == head && memcmp(other->value + 8, value + 8, UUID_LEN - 8) == 0)
			break;
	}
	return slot;
}

/* Ranks of uuids among the distinct ones; false: these are too many. */
static bool
uuid_ranks(const HzKeyColumn *key, uint32 rows, uint64 *codes)
{
	uint32 size = RANKED_UUIDS * 4;
	uint16 *table = hz_alloc_zero(sizeof(uint16) * size); /* 1 + index into distinct */
	DistinctUuid *distinct = hz_alloc(sizeof(DistinctUuid) * RANKED_UUIDS);
	uint16 *ranks = hz_alloc(sizeof(uint16) * RANKED_UUIDS);
	uint32 count = 0;
	uint32 i;

	for (i = 0; i < rows; i++)
	{
		const unsigned char *value = (const unsigned char *) DatumGetPointer(key->values[i]);
		uint64 head;
		uint32 slot;

		if (key->isnull[i])
			continue;
		head = uuid_head(key->values[i]);
		slot = find_uuid(table, size, distinct, head, value);
		if (table[slot] == 0 && count == RANKED_UUIDS)
			break;
		if (table[slot] == 0)
		{
			distinct[count] = (DistinctUuid){.head = head, .value = value, .id = count};
			table[slot] = (uint16) ++count;
		}
		codes[i] = table[slot] - 1;
	}
	sort_uuids(distinct, count);
	for (uint32 rank = 0; rank < count; rank++)
		ranks[distinct[rank].id] = (uint16) rank;
	for (uint32 r = 0; r < i; r++)
	{
		if (!key->isnull[r])
			codes[r] = ranks[codes[r]];
	}
	hz_free(ranks);
	hz_free(distinct);
	hz_free(table);
	return i == rows;
}

/* Codes of uuids; false: their first bytes only. */
static bool
uuid_codes(const HzKeyColumn *key, uint32 rows, uint64 *codes)
{
	if (uuid_ranks(key, rows, codes))
		return true;
	/* there are more codes than values: of a null, and of what is behind all */
	for (uint32 i = 0; i < rows; i++)
		codes[i] = key->isnull[i] ? 0 : uuid_head(key->values[i]) >> 2;
	return false;
}

/* The greatest number of which all distances from the least code are multiples; 1 where there is but one code. */
static uint64
common_unit(const HzKeyColumn *key, uint32 rows, const uint64 *codes, uint64 least)
{
	uint64 unit = 0;

	for (uint32 i = 0; i < rows && unit != 1; i++)
	{
		if (!key->isnull[i])
			unit = hz_gcd(codes[i] - least, unit);
	}
	return Max(unit, 1);
}

/* Codes of one key, starting from 0, and whether different values have different ones; false when its type has none. */
static bool
key_codes(const HzKeyColumn *key, uint32 rows, uint64 *codes, uint64 *greatest, bool *whole)
{
	uint64 least = PG_UINT64_MAX;
	uint64 unit;
	bool any = false;

	*greatest = 0;
	*whole = true;
	if (key->key->type == UUIDOID)
		*whole = uuid_codes(key, rows, codes);
	else
	{
		for (uint32 i = 0; i < rows; i++)
		{
			if (!key->isnull[i] && !integer_code(key->key->type, key->values[i], &codes[i]))
				return false;
		}
	}
	for (uint32 i = 0; i < rows; i++)
	{
		if (key->isnull[i])
			continue;
		any = true;
		least = Min(least, codes[i]);
		*greatest = Max(*greatest, codes[i]);
	}
	if (!any)
		least = *greatest = 0;
	unit = common_unit(key, rows, codes, least);
	*greatest = (*greatest - least) / unit;
	/* a null takes the code before or behind all values */
	if (*greatest >= PG_UINT64_MAX - 1)
		return false;
	*greatest += 2;
	for (uint32 i = 0; i < rows; i++)
	{
		if (key->isnull[i])
			codes[i] = key->key->nulls_first ? 0 : *greatest;
		else if (key->key->descending)
			codes[i] = *greatest - 1 - (codes[i] - least) / unit;
		else
			codes[i] = (codes[i] - least) / unit + 1;
	}
	return true;
}

int
hz_keycodes_pack(const HzKeyColumn *keys, int key_count, HzSortEntry *entries, uint32 rows)
{
	uint64 *codes = hz_alloc(sizeof(uint64) * rows);
	int bits_left = HZ_KEYCODE_BITS;
	int k;

	for (k = 0; k < key_count && bits_left > 0; k++)
	{
		uint64 greatest;
		bool whole;
		int bits;
		int cut;

		if (!key_codes(&keys[k], rows, codes, &greatest, &whole))
			break;
		bits = pg_leftmost_one_pos64(greatest) + 1;
		cut = Max(bits - bits_left, 0);
		for (uint32 i = 0; i < rows; i++)
		{
			if (bits - cut < HZ_KEYCODE_BITS)
				entries[i].code <<= bits - cut;
			entries[i].code |= codes[i] >> cut;
		}
		bits_left -= bits - cut;
		if (cut > 0 || !whole)
			break;
	}
	hz_free(codes);
	return k;
}

bool
hz_keycodes_known(Oid type)
{
	uint64 code;

	return type == UUIDOID || integer_code(type, (Datum) 0, &code);
}

int
hz_keycodes_compare(const HzKeyColumn *key, uint32 left, uint32 right)
{
	uint64 a;
	uint64 b;
	int order;

	if (key->isnull[left] || key->isnull[right])
	{
		if (key->isnull[left] && key->isnull[right])
			return 0;
		return key->isnull[left] == key->key->nulls_first ? -1 : 1;
	}
	if (key->key->type == UUIDOID)
		order = memcmp(DatumGetPointer(key->values[left]), DatumGetPointer(key->values[right]),
					   UUID_LEN);
	else
	{
		(void) integer_code(key->key->type, key->values[left], &a);
		(void) integer_code(key->key->type, key->values[right], &b);
		order = a < b ? -1 : a > b;
	}
	return key->key->descending ? -order : order;
}
