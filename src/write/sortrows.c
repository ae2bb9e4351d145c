/*
 * write/sortrows.c
 *	  Permutations of buffered rows by sort keys. See sortrows.h.
 *
 * Keys are packed into one 64-bit number a row, as many as fit: integers and timestamps as their distance from the least
 * value, in the largest unit that measures all of them (hours, where they are), uuids as their rank if few are distinct, else their
 * first bytes. Rows are sorted by that number; where it is equal, by the keys it does not hold whole, with PostgreSQL's own
 * comparators, then by arrival.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"
#include "utils/uuid.h"

#include "base/gcd.h"
#include "write/sortrows.h"

#define CODE_BITS 64
#define RANKED_UUIDS 2048 /* distinct ones at most that are worth ranking */

typedef struct KeyColumn
{
	const HzSortKey *key;
	SortSupportData support;
	Datum *values;
	bool *isnull;
} KeyColumn;

typedef struct Entry
{
	uint64 code;
	uint32 row;
} Entry;

typedef struct RowSort
{
	KeyColumn *keys;
	int key_count;
	int first_open; /* first key that the codes do not hold whole */
} RowSort;

/* Of entries with the same code. */
static inline int
compare_entries(const Entry *left, const Entry *right, const RowSort *state)
{
	for (int k = state->first_open; k < state->key_count; k++)
	{
		KeyColumn *key = &state->keys[k];
		int order =
			ApplySortComparator(key->values[left->row], key->isnull[left->row],
								key->values[right->row], key->isnull[right->row], &key->support);

		if (order != 0)
			return order;
	}
	return left->row < right->row ? -1 : left->row > right->row;
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE Entry
#define ST_COMPARE(a, b, state) compare_entries(a, b, state)
#define ST_COMPARE_ARG_TYPE const RowSort
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Sorts by codes alone, stably, hence by arrival where they are equal: a pass for each byte that is not the same
 * everywhere, from the least.
 */
static void
radix_sort(Entry *entries, uint32 rows)
{
	Entry *from = entries;
	Entry *to = palloc_extended(sizeof(Entry) * rows, MCXT_ALLOC_HUGE);
	Entry *spare = to;

	for (int shift = 0; shift < CODE_BITS; shift += 8)
	{
		uint32 starts[256] = {0};
		uint32 at = 0;
		Entry *swap = from;

		for (uint32 i = 0; i < rows; i++)
			starts[(from[i].code >> shift) & 0xFF]++;
		if (starts[(from[0].code >> shift) & 0xFF] == rows)
			continue;
		for (int b = 0; b < 256; b++)
		{
			uint32 count = starts[b];

			starts[b] = at;
			at += count;
		}
		for (uint32 i = 0; i < rows; i++)
			to[starts[(from[i].code >> shift) & 0xFF]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != entries)
		memcpy(entries, from, sizeof(Entry) * rows);
	pfree(spare);
}

/* Orders what has the same code by the keys that the codes do not hold whole. */
static void
sort_ties(Entry *entries, uint32 rows, const RowSort *state)
{
	for (uint32 first = 0, end; first < rows; first = end)
	{
		for (end = first + 1; end < rows && entries[end].code == entries[first].code;)
			end++;
		if (end - first > 1)
			sort_entries(entries + first, end - first, state);
	}
}

/* Values of a key that is a column. */
static void
column_values(const HzRowBuffer *buffer, int attno, KeyColumn *key)
{
	uint32 rows = hz_rowbuffer_rows(buffer);

	for (uint32 i = 0; i < rows; i++)
		key->values[i] = hz_rowbuffer_datum(buffer, i, attno, &key->isnull[i]);
}

/* Values of a key that is an expression. */
static void
expression_values(const HzRowBuffer *buffer, const HzSortKey *sort_key, KeyColumn *key)
{
	EState *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);
	TupleDesc desc = hz_rowbuffer_desc(buffer);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	ExprState *state = ExecPrepareExpr((Expr *) copyObject(sort_key->expr), estate);
	Bitmapset *used = NULL;
	uint32 rows = hz_rowbuffer_rows(buffer);
	MemoryContext result_context = CurrentMemoryContext;
	bool byval = get_typbyval(sort_key->type);
	int16 typlen = get_typlen(sort_key->type);

	pull_varattnos(sort_key->expr, 1, &used);
	econtext->ecxt_scantuple = slot;
	for (uint32 i = 0; i < rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
		int member = -1;
		Datum value;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		ExecClearTuple(slot);
		memset(slot->tts_isnull, true, desc->natts);
		while ((member = bms_next_member(used, member)) >= 0)
		{
			int attno = member + FirstLowInvalidHeapAttributeNumber - 1;

			if (attno >= 0)
				slot->tts_values[attno] =
					hz_rowbuffer_datum(buffer, i, attno, &slot->tts_isnull[attno]);
		}
		ExecStoreVirtualTuple(slot);
		value = ExecEvalExpr(state, econtext, &key->isnull[i]);
		MemoryContextSwitchTo(result_context);
		key->values[i] = key->isnull[i] || byval ? value : datumCopy(value, byval, typlen);
		MemoryContextSwitchTo(old);
		ResetExprContext(econtext);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

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
#define ST_CHECK_FOR_INTERRUPTS
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
uuid_ranks(const KeyColumn *key, uint32 rows, uint64 *codes)
{
	uint32 size = RANKED_UUIDS * 4;
	uint16 *table = palloc0(sizeof(uint16) * size); /* 1 + index into distinct */
	DistinctUuid *distinct = palloc(sizeof(DistinctUuid) * RANKED_UUIDS);
	uint16 *ranks = palloc(sizeof(uint16) * RANKED_UUIDS);
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
	pfree(ranks);
	pfree(distinct);
	pfree(table);
	return i == rows;
}

/* Codes of uuids; false: their first bytes only. */
static bool
uuid_codes(const KeyColumn *key, uint32 rows, uint64 *codes)
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
common_unit(const KeyColumn *key, uint32 rows, const uint64 *codes, uint64 least)
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
key_codes(const KeyColumn *key, uint32 rows, uint64 *codes, uint64 *greatest, bool *whole)
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

/* Packs keys into the entries' codes; returns the first key that is not in them whole. */
static int
pack_codes(const RowSort *state, Entry *entries, uint32 rows)
{
	uint64 *codes = palloc_extended(sizeof(uint64) * rows, MCXT_ALLOC_HUGE);
	int bits_left = CODE_BITS;
	int k;

	for (k = 0; k < state->key_count && bits_left > 0; k++)
	{
		uint64 greatest;
		bool whole;
		int bits;
		int cut;

		if (!key_codes(&state->keys[k], rows, codes, &greatest, &whole))
			break;
		bits = pg_leftmost_one_pos64(greatest) + 1;
		cut = Max(bits - bits_left, 0);
		for (uint32 i = 0; i < rows; i++)
		{
			if (bits - cut < CODE_BITS)
				entries[i].code <<= bits - cut;
			entries[i].code |= codes[i] >> cut;
		}
		bits_left -= bits - cut;
		if (cut > 0 || !whole)
			break;
	}
	pfree(codes);
	return k;
}

uint32 *
hz_sortrows(const HzRowBuffer *buffer, const HzOptions *options, uint32 *permutation)
{
	uint32 rows = hz_rowbuffer_rows(buffer);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	RowSort state = {0};
	Entry *entries;
	ListCell *cell;

	if (options->order_by == NIL || rows < 2)
	{
		for (uint32 i = 0; permutation != NULL && i < rows; i++)
			permutation[i] = i;
		return NULL;
	}
	if (permutation == NULL)
		permutation = MemoryContextAlloc(caller, sizeof(uint32) * rows);
	context = AllocSetContextCreate(caller, "hanzo sort", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	state.keys = palloc0(sizeof(KeyColumn) * list_length(options->order_by));
	foreach(cell, options->order_by)
	{
		HzSortKey *sort_key = lfirst(cell);
		KeyColumn *key = &state.keys[state.key_count++];

		key->key = sort_key;
		key->values = palloc(sizeof(Datum) * rows);
		key->isnull = palloc(sizeof(bool) * rows);
		key->support.ssup_cxt = context;
		key->support.ssup_collation = sort_key->collation;
		key->support.ssup_nulls_first = sort_key->nulls_first;
		PrepareSortSupportFromOrderingOp(sort_key->sort_operator, &key->support);
		if (sort_key->attnum > 0)
			column_values(buffer, sort_key->attnum - 1, key);
		else
			expression_values(buffer, sort_key, key);
	}
	entries = palloc0(sizeof(Entry) * rows);
	for (uint32 i = 0; i < rows; i++)
		entries[i].row = i;
	state.first_open = pack_codes(&state, entries, rows);
	radix_sort(entries, rows);
	if (state.first_open < state.key_count)
		sort_ties(entries, rows, &state);
	for (uint32 i = 0; i < rows; i++)
		permutation[i] = entries[i].row;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return permutation;
}
