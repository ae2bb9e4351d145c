/*
 * exec/agglookup.h
 *	  Joins below ColumnarAgg: the input's rows look up what the other sides of the join have for them.
 *
 * Each lookup is a child plan whose rows are read once, before the input, into a HzLookup (agg/lookup.h). To the expressions of
 * the aggregation its columns are columns of the input: they stand behind the input's own, the columns of all lookups one after the other,
 * then a boolean for each lookup, whether the row has found something there.
 */
#ifndef HZ_AGGLOOKUP_H
#define HZ_AGGLOOKUP_H

#include "agg/lookup.h"
#include "expr/vexpr.h"
#include "nodes/execnodes.h"
#include "storage/coltype.h"

typedef struct HzAggLookup
{
	PlanState *ps;
	List *input_keys;    /* IntList: positions in the input's target list, from 1 */
	List *own_keys;      /* IntList: positions in the child's target list, from 1 */
	JoinType jointype;   /* JOIN_INNER, JOIN_LEFT, JOIN_SEMI, JOIN_ANTI; the input is on the left */
	int first;           /* of its columns among those of all lookups */
	int column_count;    /* of its target list */
	HzColumnType *types; /* by column */
	bool *wanted;        /* by column: whether the aggregation reads it */
	HzVector *columns;   /* by column, of all rows; those not wanted are empty */
	Datum *key_arrays;   /* by key: the values of all rows but nulls; NULL: there are many rows */
	HzLookup table;
} HzAggLookup;

typedef struct HzAggLookups
{
	int count;
	HzAggLookup *lookups;
	int column_count; /* of all */
} HzAggLookups;

/* What one thread has of them: see hz_agglookup_get(). */
typedef struct HzAggProbe
{
	HzProbe *probe;
	bool ready; /* for this batch */
} HzAggProbe;

/* Which columns of lookups expressions over an input of so many columns of its own read, by place among those of all lookups. */
extern Bitmapset *hz_agglookup_used(List *expressions, int input_columns);

/*
 * Lookups over child plans that are initialised: `keys` has for each a list of input_keys, own_keys, jointype. `used`: what the expressions read, as
 * the column's place among those of all lookups. In the current context, which must outlive them.
 */
extern HzAggLookups *hz_agglookup_make(List *plan_states, List *keys, const Bitmapset *used);

/*
 * Reads the children, up to one that hz_agglookup_empty() is true for. NULL, or why it cannot be done so: more than `limit` bytes, keys that are not unique, out of memory.
 * All is allocated in the current context, tables from the machine: hz_agglookup_free().
 */
extern const char *hz_agglookup_read(HzAggLookups *lookups, Size limit);

/* Whether a row of the input must find something there. */
static inline bool
hz_agglookup_must_find(const HzAggLookup *lookup)
{
	return lookup->jointype == JOIN_INNER || lookup->jointype == JOIN_SEMI;
}

/* Some lookup that rows of the input must find something in has no rows. */
extern bool hz_agglookup_empty(const HzAggLookups *lookups);

/* The next row of a child. Nodes below expect the query's memory to be current: they allocate what lives as long as they do. */
extern TupleTableSlot *hz_agglookup_next_row(PlanState *ps);

extern uint64 hz_agglookup_rows(const HzAggLookups *lookups);

extern void hz_agglookup_free(HzAggLookups *lookups);

/* ---- Pure C from here on: for threads, too. */

/* One for each lookup, from hz_alloc(). */
extern HzAggProbe *hz_agglookup_probes(const HzAggLookups *lookups);

/* A new batch; `group`: of another row group than the last. */
extern void hz_agglookup_begin(const HzAggLookups *lookups, HzAggProbe *probes, bool group);

/*
 * A column of the lookups, by its place behind the input's columns, for the `rows` rows of the batch. keys: columns of the input, for
 * all keys of all lookups, which `get` gives. Rows that are not `wanted` (the same for the whole batch) are not looked up. NULL: it failed to.
 */
extern const HzVector *hz_agglookup_get(const HzAggLookups *lookups, HzAggProbe *probes,
										const int *keys, HzColumnGet get, void *arg, uint32 rows,
										const HzRows *wanted, int place);

#endif /* HZ_AGGLOOKUP_H */
