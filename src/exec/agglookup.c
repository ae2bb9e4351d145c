/*
 * exec/agglookup.c
 *	  Joins below ColumnarAgg. See agglookup.h.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "exec/agglookup.h"
#include "expr/compile.h"

#define KEPT_BYTES (1024 * 1024) /* of such rows */
#define KEPT_KEYS 1000           /* rows of which the keys are kept */
#define LOOK_EVERY 1024          /* rows between looks at the memory used */

/* The rows of a child as they come. */
typedef struct Rows
{
	uint32 count;
	uint32 room;
	Datum **values; /* by column; NULL where it is not wanted */
	bool **isnull;
} Rows;

/* ---- Making */

typedef struct UsedColumns
{
	int input_columns;
	Bitmapset *columns;
} UsedColumns;

static bool
find_used(Node *node, void *arg)
{
	UsedColumns *used = arg;

	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varattno > used->input_columns)
		used->columns =
			bms_add_member(used->columns, ((Var *) node)->varattno - used->input_columns - 1);
	return expression_tree_walker(node, find_used, arg);
}

Bitmapset *
hz_agglookup_used(List *expressions, int input_columns)
{
	UsedColumns used = {.input_columns = input_columns};

	(void) find_used((Node *) expressions, &used);
	return used.columns;
}

static void
make_lookup(HzAggLookup *lookup, PlanState *ps, List *keys, const Bitmapset *used)
{
	TupleDesc desc = ExecGetResultType(ps);
	ListCell *cell;

	lookup->ps = ps;
	lookup->input_keys = linitial(keys);
	lookup->own_keys = lsecond(keys);
	lookup->jointype = (JoinType) intVal(lthird(keys));
	lookup->column_count = desc->natts;
	lookup->types = hz_coltype_for(desc);
	lookup->wanted = palloc0(sizeof(bool) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
		lookup->wanted[i] = bms_is_member(lookup->first + i, used);
	foreach(cell, lookup->own_keys)
		lookup->wanted[lfirst_int(cell) - 1] = true;
}

HzAggLookups *
hz_agglookup_make(List *plan_states, List *keys, const Bitmapset *used)
{
	HzAggLookups *lookups = palloc0(sizeof(HzAggLookups));
	ListCell *state;
	ListCell *key;

	lookups->lookups = palloc0(sizeof(HzAggLookup) * list_length(plan_states));
	forboth(state, plan_states, key, keys)
	{
		HzAggLookup *lookup = &lookups->lookups[lookups->count++];

		lookup->first = lookups->column_count;
		make_lookup(lookup, lfirst(state), lfirst(key), used);
		lookups->column_count += lookup->column_count;
	}
	return lookups;
}

/* ---- Reading */

static void
make_room(const HzAggLookup *lookup, Rows *rows)
{
	uint32 room = rows->room == 0 ? LOOK_EVERY : rows->room * 2;

	for (int c = 0; c < lookup->column_count; c++)
	{
		if (!lookup->wanted[c])
			continue;
		if (rows->room == 0)
		{
			rows->values[c] = palloc(sizeof(Datum) * room);
			rows->isnull[c] = palloc(sizeof(bool) * room);
			continue;
		}
		rows->values[c] = repalloc_huge(rows->values[c], sizeof(Datum) * room);
		rows->isnull[c] = repalloc_huge(rows->isnull[c], sizeof(bool) * room);
	}
	rows->room = room;
}

/* A copy, as long as it will be as a vector's value: the limit is on that. */
static Datum
own_value(const HzColumnType *type, Datum value)
{
	if (type->typlen == -1)
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	return datumCopy(value, type->typbyval, type->typlen);
}

static void
keep_row(const HzAggLookup *lookup, Rows *rows, TupleTableSlot *slot)
{
	if (rows->count == rows->room)
		make_room(lookup, rows);
	slot_getallattrs(slot);
	for (int c = 0; c < lookup->column_count; c++)
	{
		if (!lookup->wanted[c])
			continue;
		rows->isnull[c][rows->count] = slot->tts_isnull[c];
		rows->values[c][rows->count] =
			slot->tts_isnull[c] ? (Datum) 0 : own_value(&lookup->types[c], slot->tts_values[c]);
	}
	rows->count++;
}

TupleTableSlot *
hz_agglookup_next_row(PlanState *ps)
{
	MemoryContext old = MemoryContextSwitchTo(ps->state->es_query_cxt);
	TupleTableSlot *slot = ExecProcNode(ps);

	MemoryContextSwitchTo(old);
	return slot;
}

/* False: they take more than `limit` bytes. */
static bool
read_rows(const HzAggLookup *lookup, Rows *rows, Size limit)
{
	rows->values = palloc0(sizeof(Datum *) * Max(lookup->column_count, 1));
	rows->isnull = palloc0(sizeof(bool *) * Max(lookup->column_count, 1));
	for (;;)
	{
		TupleTableSlot *slot = hz_agglookup_next_row(lookup->ps);

		if (TupIsNull(slot))
			break;
		CHECK_FOR_INTERRUPTS();
		keep_row(lookup, rows, slot);
		if (rows->count % LOOK_EVERY == 0 &&
			MemoryContextMemAllocated(CurrentMemoryContext, true) > limit)
			return false;
	}
	return MemoryContextMemAllocated(CurrentMemoryContext, true) <= limit;
}

static void
make_columns(HzAggLookup *lookup, const Rows *rows)
{
	lookup->columns = palloc0(sizeof(HzVector) * Max(lookup->column_count, 1));
	for (int c = 0; c < lookup->column_count; c++)
	{
		if (lookup->wanted[c])
			hz_vexpr_from_datums(&lookup->types[c], rows->values[c], rows->isnull[c], rows->count,
								 &lookup->columns[c]);
	}
}

/* Rows first .. first + count of a column that is FLAT; first is a multiple of HZ_VECTOR_ROWS. */
static HzVector
slice(const HzVector *column, uint32 first, uint32 count)
{
	HzVector result = *column;

	result.count = count;
	result.values = (const uint8 *) column->values + (Size) column->width * first;
	if (column->validity != NULL)
		result.validity = column->validity + first / 64;
	return result;
}

/* Few keys are kept as arrays, for what they rule out (exec/aggkeys.h). */
static void
keep_keys(HzAggLookup *lookup, const Rows *rows)
{
	TupleDesc desc = ExecGetResultType(lookup->ps);
	Datum *values;

	if (lookup->own_keys == NIL || rows->count > KEPT_KEYS)
		return;
	lookup->key_arrays = palloc(sizeof(Datum) * list_length(lookup->own_keys));
	values = palloc(sizeof(Datum) * Max(rows->count, 1));
	for (int k = 0; k < list_length(lookup->own_keys); k++)
	{
		int column = list_nth_int(lookup->own_keys, k) - 1;
		Form_pg_attribute attribute = TupleDescAttr(desc, column);
		int count = 0;

		for (uint32 i = 0; i < rows->count; i++)
		{
			if (!rows->isnull[column][i])
				values[count++] = rows->values[column][i];
		}
		lookup->key_arrays[k] =
			PointerGetDatum(construct_array(values, count, attribute->atttypid, attribute->attlen,
											attribute->attbyval, attribute->attalign));
	}
	pfree(values);
}

static HzLookupStatus
fill_table(HzAggLookup *lookup, uint32 count)
{
	HzKeyKind kinds[HZ_KEY_MAX];
	HzVector keys[HZ_KEY_MAX];
	HzLookupStatus status = HZ_LOOKUP_OK;
	ListCell *cell;

	foreach(cell, lookup->own_keys)
	{
		const HzColumnType *type = &lookup->types[lfirst_int(cell) - 1];

		(void) hz_key_kind(type->kind, type->width, &kinds[foreach_current_index(cell)]);
	}
	if (!hz_lookup_init(&lookup->table, list_length(lookup->own_keys), kinds))
		return HZ_LOOKUP_MEMORY;
	lookup->table.any = lookup->jointype == JOIN_SEMI || lookup->jointype == JOIN_ANTI;
	for (uint32 first = 0; first < count && status == HZ_LOOKUP_OK; first += HZ_VECTOR_ROWS)
	{
		uint32 rows = Min(count - first, HZ_VECTOR_ROWS);

		CHECK_FOR_INTERRUPTS();
		foreach(cell, lookup->own_keys)
			keys[foreach_current_index(cell)] =
				slice(&lookup->columns[lfirst_int(cell) - 1], first, rows);
		status = hz_lookup_add(&lookup->table, keys, rows);
	}
	lookup->table.column_count = lookup->column_count;
	lookup->table.columns = lookup->columns;
	if (list_length(lookup->own_keys) == 1 && count > 0)
		lookup->table.key = &lookup->columns[linitial_int(lookup->own_keys) - 1];
	return status;
}

static const char *
read_lookup(HzAggLookup *lookup, Size limit)
{
	MemoryContext temporary = AllocSetContextCreate(CurrentMemoryContext, "hanzo rows of a lookup",
													ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(temporary);
	Rows rows = {0};
	bool fits = read_rows(lookup, &rows, limit);

	MemoryContextSwitchTo(old);
	if (!fits)
		return "a side of the join that is larger than memory";
	make_columns(lookup, &rows);
	if (MemoryContextMemAllocated(temporary, true) <= KEPT_BYTES)
		keep_keys(lookup, &rows);
	MemoryContextDelete(temporary);
	switch (fill_table(lookup, rows.count))
	{
		case HZ_LOOKUP_DUPLICATE:
			return "a side of the join whose keys are not unique";
		case HZ_LOOKUP_MEMORY:
			return "out of memory";
		default:
			return NULL;
	}
}

static Size
bytes_of(const HzAggLookups *lookups)
{
	Size bytes = MemoryContextMemAllocated(CurrentMemoryContext, true);

	for (int i = 0; i < lookups->count; i++)
		bytes += hz_lookup_bytes(&lookups->lookups[i].table);
	return bytes;
}

/* Whether rows of the input must find something there, and there is nothing. */
static bool
rules_out_all(const HzAggLookup *lookup)
{
	const HzLookup *table = &lookup->table;

	return hz_agglookup_must_find(lookup) &&
		   (table->layout.key_count == 0 ? table->rows == 0 : table->table.count == 0);
}

const char *
hz_agglookup_read(HzAggLookups *lookups, Size limit)
{
	for (int i = 0; i < lookups->count; i++)
	{
		Size before = bytes_of(lookups);
		const char *reason = "a side of the join that is larger than memory";

		/* for a moment rows are there twice, as they come and as columns */
		if (before < limit)
			reason = read_lookup(&lookups->lookups[i], (limit - before) / 2);
		if (reason != NULL)
			return reason;
		/* an error that others would raise is none then */
		if (rules_out_all(&lookups->lookups[i]))
			return NULL;
	}
	return bytes_of(lookups) <= limit ? NULL : "a side of the join that is larger than memory";
}

bool
hz_agglookup_empty(const HzAggLookups *lookups)
{
	for (int i = 0; i < lookups->count; i++)
	{
		if (rules_out_all(&lookups->lookups[i]))
			return true;
	}
	return false;
}

uint64
hz_agglookup_rows(const HzAggLookups *lookups)
{
	uint64 rows = 0;

	for (int i = 0; i < lookups->count; i++)
		rows += lookups->lookups[i].table.rows;
	return rows;
}

void
hz_agglookup_free(HzAggLookups *lookups)
{
	for (int i = 0; i < lookups->count; i++)
		hz_lookup_free(&lookups->lookups[i].table);
}

/* ---- Pure C */

HzAggProbe *
hz_agglookup_probes(const HzAggLookups *lookups)
{
	HzAggProbe *probes = hz_alloc_zero(sizeof(HzAggProbe) * (size_t) lookups->count);

	for (int i = 0; i < lookups->count; i++)
		probes[i].probe = hz_probe_create(&lookups->lookups[i].table);
	return probes;
}

void
hz_agglookup_begin(const HzAggLookups *lookups, HzAggProbe *probes, bool group)
{
	for (int i = 0; i < lookups->count; i++)
	{
		probes[i].ready = false;
		if (group)
			hz_probe_forget(probes[i].probe);
	}
}

static bool
probe_batch(const HzAggLookup *lookup, HzAggProbe *probe, const int *keys, HzColumnGet get,
			void *arg, uint32 rows, const HzRows *wanted)
{
	HzVector vectors[HZ_KEY_MAX];

	for (int k = 0; k < lookup->table.layout.key_count; k++)
	{
		const HzVector *vector = get(arg, keys[k]);

		if (vector == NULL)
			return false;
		vectors[k] = *vector;
	}
	hz_probe_batch(probe->probe, vectors, rows, wanted->at, wanted->count);
	probe->ready = true;
	return true;
}

const HzVector *
hz_agglookup_get(const HzAggLookups *lookups, HzAggProbe *probes, const int *keys, HzColumnGet get,
				 void *arg, uint32 rows, const HzRows *wanted, int place)
{
	int i = 0;
	int column;

	if (place >= lookups->column_count)
	{
		i = place - lookups->column_count;
		column = lookups->lookups[i].column_count;
	}
	else
	{
		while (place >= lookups->lookups[i].first + lookups->lookups[i].column_count)
			i++;
		column = place - lookups->lookups[i].first;
	}
	for (int before = 0; before < i; before++)
		keys += lookups->lookups[before].table.layout.key_count;
	if (!probes[i].ready &&
		!probe_batch(&lookups->lookups[i], &probes[i], keys, get, arg, rows, wanted))
		return NULL;
	return hz_probe_column(probes[i].probe, column);
}
