/*
 * write/sortrows.c
 *	  Permutations of buffered rows by sort keys. See sortrows.h.
 *
 * Rows are compared by a 64-bit prefix of the first key that keeps its order, then by all keys with
 * PostgreSQL's own comparators, then by arrival.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "port/pg_bswap.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"

#include "write/sortrows.h"

typedef struct KeyColumn
{
	SortSupportData support;
	Datum	   *values;
	bool	   *isnull;
} KeyColumn;

typedef struct Entry
{
	uint64		prefix;
	uint32		row;
} Entry;

typedef struct RowSort
{
	KeyColumn  *keys;
	int			key_count;
} RowSort;

static int
compare_entries(const void *a, const void *b, void *arg)
{
	const Entry *left = a;
	const Entry *right = b;
	RowSort  *state = arg;

	if (left->prefix != right->prefix)
		return left->prefix < right->prefix ? -1 : 1;
	for (int k = 0; k < state->key_count; k++)
	{
		KeyColumn  *key = &state->keys[k];
		int			order = ApplySortComparator(key->values[left->row], key->isnull[left->row],
												key->values[right->row], key->isnull[right->row],
												&key->support);

		if (order != 0)
			return order;
	}
	return left->row < right->row ? -1 : left->row > right->row;
}

/* Values of a key that is a column. */
static void
column_values(const HzRowBuffer *buffer, int attno, KeyColumn *key)
{
	uint32		rows = hz_rowbuffer_rows(buffer);

	for (uint32 i = 0; i < rows; i++)
		key->values[i] = hz_rowbuffer_datum(buffer, i, attno, &key->isnull[i]);
}

/* Values of a key that is an expression. */
static void
expression_values(const HzRowBuffer *buffer, const HzSortKey *sort_key, KeyColumn *key)
{
	EState	   *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);
	TupleDesc	desc = hz_rowbuffer_desc(buffer);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	ExprState  *state = ExecPrepareExpr((Expr *) copyObject(sort_key->expr), estate);
	Bitmapset  *used = NULL;
	uint32		rows = hz_rowbuffer_rows(buffer);
	MemoryContext result_context = CurrentMemoryContext;
	bool		byval = get_typbyval(sort_key->type);
	int16		typlen = get_typlen(sort_key->type);

	pull_varattnos(sort_key->expr, 1, &used);
	econtext->ecxt_scantuple = slot;
	for (uint32 i = 0; i < rows; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
		int			member = -1;
		Datum		value;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		ExecClearTuple(slot);
		memset(slot->tts_isnull, true, desc->natts);
		while ((member = bms_next_member(used, member)) >= 0)
		{
			int			attno = member + FirstLowInvalidHeapAttributeNumber - 1;

			if (attno >= 0)
				slot->tts_values[attno] = hz_rowbuffer_datum(buffer, i, attno, &slot->tts_isnull[attno]);
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

/* A number that orders as the value does, as far as its first 8 bytes go. False: no such number. */
static bool
value_prefix(const HzSortKey *key, Datum value, uint64 *prefix)
{
	switch (key->type)
	{
		case INT2OID:
			*prefix = (uint64) (int64) DatumGetInt16(value) ^ PG_INT64_MIN;
			return true;
		case INT4OID:
		case DATEOID:
			*prefix = (uint64) (int64) DatumGetInt32(value) ^ PG_INT64_MIN;
			return true;
		case INT8OID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*prefix = (uint64) DatumGetInt64(value) ^ PG_INT64_MIN;
			return true;
		case UUIDOID:
			memcpy(prefix, DatumGetPointer(value), 8);
			*prefix = pg_ntoh64(*prefix);
			return true;
		default:
			return false;
	}
}

static void
fill_prefixes(const HzSortKey *sort_key, const KeyColumn *key, Entry *entries, uint32 rows)
{
	for (uint32 i = 0; i < rows; i++)
	{
		uint64		prefix;

		if (key->isnull[i])
			prefix = sort_key->nulls_first ? 0 : PG_UINT64_MAX;
		else if (!value_prefix(sort_key, key->values[i], &prefix))
		{
			for (uint32 j = 0; j < rows; j++)
				entries[j].prefix = 0;
			return;
		}
		else if (sort_key->descending)
			prefix = ~prefix;
		entries[i].prefix = prefix;
	}
}

uint32 *
hz_sortrows(const HzRowBuffer *buffer, const HzOptions *options, uint32 *permutation)
{
	uint32		rows = hz_rowbuffer_rows(buffer);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	RowSort	state = {0};
	Entry	   *entries;
	ListCell   *cell;

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
		HzSortKey  *sort_key = lfirst(cell);
		KeyColumn  *key = &state.keys[state.key_count++];

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
	entries = palloc(sizeof(Entry) * rows);
	for (uint32 i = 0; i < rows; i++)
		entries[i].row = i;
	fill_prefixes(linitial(options->order_by), &state.keys[0], entries, rows);
	qsort_arg(entries, rows, sizeof(Entry), compare_entries, &state);
	for (uint32 i = 0; i < rows; i++)
		permutation[i] = entries[i].row;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return permutation;
}
