/*
 * write/sortrows.c
 *	  Permutations of buffered rows by sort keys. See sortrows.h.
 *
 * Rows are sorted by the number that their keys are packed into (keycodes.h); where it is equal, by the keys it does not
 * hold whole, then by arrival.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"

#include "base/memory.h"
#include "write/keycodes.h"
#include "write/sortrows.h"

struct HzRowSort
{
	const HzRowBuffer *buffer;
	HzKeyColumn *keys;
	SortSupportData *supports; /* PostgreSQL's own comparators, by key */
	int key_count;
	int first_open; /* first key that the codes do not hold whole */
	bool pure;      /* all keys are compared without them */
	Datum **
		values; /* of each row, by column, where they are wanted; NULL: not taken out of the rows yet */
	bool **isnull;
};

/* Of entries with the same code. */
static inline int
compare_entries(const HzSortEntry *left, const HzSortEntry *right, const HzRowSort *sort)
{
	for (int k = sort->first_open; k < sort->key_count; k++)
	{
		const HzKeyColumn *key = &sort->keys[k];
		int order = ApplySortComparator(key->values[left->row], key->isnull[left->row],
										key->values[right->row], key->isnull[right->row],
										&sort->supports[k]);

		if (order != 0)
			return order;
	}
	return left->row < right->row ? -1 : left->row > right->row;
}

static inline int
compare_pure(const HzSortEntry *left, const HzSortEntry *right, const HzRowSort *sort)
{
	for (int k = sort->first_open; k < sort->key_count; k++)
	{
		int order = hz_keycodes_compare(&sort->keys[k], left->row, right->row);

		if (order != 0)
			return order;
	}
	return left->row < right->row ? -1 : left->row > right->row;
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE HzSortEntry
#define ST_COMPARE(a, b, sort) compare_entries(a, b, sort)
#define ST_COMPARE_ARG_TYPE const HzRowSort
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_entries_pure
#define ST_ELEMENT_TYPE HzSortEntry
#define ST_COMPARE(a, b, sort) compare_pure(a, b, sort)
#define ST_COMPARE_ARG_TYPE const HzRowSort
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Sorts by codes alone, stably, hence by arrival where they are equal: a pass for each byte that is not the same
 * everywhere, from the least.
 */
static void
radix_sort(HzSortEntry *entries, uint32 rows)
{
	HzSortEntry *from = entries;
	HzSortEntry *to = hz_alloc(sizeof(HzSortEntry) * rows);
	HzSortEntry *spare = to;

	for (int shift = 0; shift < HZ_KEYCODE_BITS; shift += 8)
	{
		uint32 starts[256] = {0};
		uint32 at = 0;
		HzSortEntry *swap = from;

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
		memcpy(entries, from, sizeof(HzSortEntry) * rows);
	hz_free(spare);
}

/* Orders what has the same code by the keys that the codes do not hold whole. */
static void
sort_ties(HzSortEntry *entries, uint32 rows, const HzRowSort *sort)
{
	for (uint32 first = 0, end; first < rows; first = end)
	{
		for (end = first + 1; end < rows && entries[end].code == entries[first].code;)
			end++;
		if (end - first > 1 && sort->pure)
			sort_entries_pure(entries + first, end - first, sort);
		else if (end - first > 1)
			sort_entries(entries + first, end - first, sort);
	}
}

/* Values of the columns that are keys or, in `used`, inputs of keys; values[a] is NULL for others. */
static void
column_values(HzRowSort *sort, const Bitmapset *used)
{
	uint32 rows = hz_rowbuffer_rows(sort->buffer);
	int natts = hz_rowbuffer_desc(sort->buffer)->natts;

	sort->values = hz_alloc_zero(sizeof(Datum *) * natts);
	sort->isnull = hz_alloc_zero(sizeof(bool *) * natts);
	for (int a = 0; a < natts; a++)
	{
		bool wanted = bms_is_member(a + 1 - FirstLowInvalidHeapAttributeNumber, used);

		for (int k = 0; k < sort->key_count && !wanted; k++)
			wanted = sort->keys[k].key->attnum == a + 1;
		if (!wanted)
			continue;
		sort->values[a] = hz_alloc(sizeof(Datum) * rows);
		sort->isnull[a] = hz_alloc(sizeof(bool) * rows);
	}
	hz_rowbuffer_datums(sort->buffer, natts, sort->values, sort->isnull);
	for (int k = 0; k < sort->key_count; k++)
	{
		int a = sort->keys[k].key->attnum - 1;

		if (a < 0)
			continue;
		sort->keys[k].values = sort->values[a];
		sort->keys[k].isnull = sort->isnull[a];
	}
}

/* Values of a key that is an expression over columns whose values are known. */
static void
expression_values(const HzRowSort *sort, HzKeyColumn *key)
{
	EState *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);
	TupleDesc desc = hz_rowbuffer_desc(sort->buffer);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	ExprState *state = ExecPrepareExpr((Expr *) copyObject(key->key->expr), estate);
	uint32 rows = hz_rowbuffer_rows(sort->buffer);
	MemoryContext result_context = CurrentMemoryContext;
	bool byval = get_typbyval(key->key->type);
	int16 typlen = get_typlen(key->key->type);
	int *inputs = palloc(sizeof(int) * desc->natts);
	int input_count = 0;

	for (int a = 0; a < desc->natts; a++)
	{
		if (sort->values[a] != NULL)
			inputs[input_count++] = a;
	}
	key->values = palloc_extended(sizeof(Datum) * rows, MCXT_ALLOC_HUGE);
	key->isnull = palloc(sizeof(bool) * rows);
	econtext->ecxt_scantuple = slot;
	ExecStoreAllNullTuple(slot);
	for (uint32 i = 0; i < rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
		Datum value;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int n = 0; n < input_count; n++)
		{
			slot->tts_values[inputs[n]] = sort->values[inputs[n]][i];
			slot->tts_isnull[inputs[n]] = sort->isnull[inputs[n]][i];
		}
		value = ExecEvalExpr(state, econtext, &key->isnull[i]);
		MemoryContextSwitchTo(result_context);
		key->values[i] = key->isnull[i] || byval ? value : datumCopy(value, byval, typlen);
		MemoryContextSwitchTo(old);
		ResetExprContext(econtext);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

/* Values of all keys, of which some are expressions. */
static void
evaluate_keys(HzRowSort *sort)
{
	Bitmapset *used = NULL;

	for (int k = 0; k < sort->key_count; k++)
	{
		if (sort->keys[k].key->attnum <= 0)
			pull_varattnos(sort->keys[k].key->expr, 1, &used);
	}
	column_values(sort, used);
	for (int k = 0; k < sort->key_count; k++)
	{
		if (sort->keys[k].key->attnum <= 0)
			expression_values(sort, &sort->keys[k]);
	}
}

HzRowSort *
hz_rowsort_prepare(const HzRowBuffer *buffer, const HzOptions *options)
{
	HzRowSort *sort;
	ListCell *cell;
	bool expressions = false;

	if (options->order_by == NIL || hz_rowbuffer_rows(buffer) < 2)
		return NULL;
	sort = palloc0(sizeof(HzRowSort));
	sort->buffer = buffer;
	sort->keys = palloc0(sizeof(HzKeyColumn) * list_length(options->order_by));
	sort->supports = palloc0(sizeof(SortSupportData) * list_length(options->order_by));
	sort->pure = true;
	foreach(cell, options->order_by)
	{
		HzSortKey *sort_key = lfirst(cell);
		SortSupport support = &sort->supports[sort->key_count];

		sort->keys[sort->key_count++].key = sort_key;
		sort->pure &= hz_keycodes_known(sort_key->type);
		expressions |= sort_key->attnum <= 0;
		support->ssup_cxt = CurrentMemoryContext;
		support->ssup_collation = sort_key->collation;
		support->ssup_nulls_first = sort_key->nulls_first;
		PrepareSortSupportFromOrderingOp(sort_key->sort_operator, support);
	}
	if (expressions)
		evaluate_keys(sort);
	return sort;
}

bool
hz_rowsort_is_pure(const HzRowSort *sort)
{
	return sort->pure;
}

void
hz_rowsort_run(HzRowSort *sort, uint32 *permutation)
{
	uint32 rows = hz_rowbuffer_rows(sort->buffer);
	HzSortEntry *entries;

	if (sort->values == NULL)
		column_values(sort, NULL);
	entries = hz_alloc_zero(sizeof(HzSortEntry) * rows);
	for (uint32 i = 0; i < rows; i++)
		entries[i].row = i;
	sort->first_open = hz_keycodes_pack(sort->keys, sort->key_count, entries, rows);
	radix_sort(entries, rows);
	if (sort->first_open < sort->key_count)
		sort_ties(entries, rows, sort);
	for (uint32 i = 0; i < rows; i++)
		permutation[i] = entries[i].row;
}

uint32 *
hz_sortrows(const HzRowBuffer *buffer, const HzOptions *options, uint32 *permutation)
{
	uint32 rows = hz_rowbuffer_rows(buffer);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "hanzo sort", ALLOCSET_DEFAULT_SIZES);
	HzRowSort *sort;

	MemoryContextSwitchTo(context);
	sort = hz_rowsort_prepare(buffer, options);
	if (sort == NULL)
	{
		for (uint32 i = 0; permutation != NULL && i < rows; i++)
			permutation[i] = i;
		permutation = NULL;
	}
	else
	{
		if (permutation == NULL)
			permutation = MemoryContextAllocHuge(caller, sizeof(uint32) * rows);
		hz_rowsort_run(sort, permutation);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return permutation;
}
