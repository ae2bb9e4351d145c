/*
 * write/groupwalk.c
 *	  Rows of a group for those who rewrite it. See groupwalk.h.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/bitmap.h"
#include "storage/mark.h"
#include "write/groupwalk.h"

typedef struct Walk
{
	HzGroup *group;
	int natts;
	uint64 *deleted;
	Datum **columns; /* natts arrays of HZ_VECTOR_ROWS */
	bool **nulls;
	Datum *values; /* of one row */
	bool *isnull;
} Walk;

static void
make_room(Walk *walk)
{
	walk->deleted = palloc0(HZ_BITMAP_WORDS(walk->group->rows) * sizeof(uint64));
	walk->columns = palloc(sizeof(Datum *) * Max(walk->natts, 1));
	walk->nulls = palloc(sizeof(bool *) * Max(walk->natts, 1));
	walk->values = palloc(sizeof(Datum) * Max(walk->natts, 1));
	walk->isnull = palloc(sizeof(bool) * Max(walk->natts, 1));
	for (int a = 0; a < walk->natts; a++)
	{
		walk->columns[a] = palloc(sizeof(Datum) * HZ_VECTOR_ROWS);
		walk->nulls[a] = palloc(sizeof(bool) * HZ_VECTOR_ROWS);
	}
}

static void
walk_vector(Walk *walk, uint32 first, uint32 rows, HzGroupWalkRow row, void *arg)
{
	for (uint32 i = 0; i < rows; i++)
	{
		if (hz_bitmap_get(walk->deleted, first + i))
			continue;
		for (int a = 0; a < walk->natts; a++)
		{
			walk->values[a] = walk->columns[a][i];
			walk->isnull[a] = walk->nulls[a][i];
		}
		row(arg, walk->values, walk->isnull, hz_group_first_row(walk->group) + first + i);
	}
}

void
hz_groupwalk(HzStore *store, HzGroup *group, TupleDesc desc, const HzColumnType *types,
			 Snapshot snapshot, HzGroupWalkRow row, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context =
		AllocSetContextCreate(caller, "hanzo group walk", ALLOCSET_DEFAULT_SIZES);
	MemoryContext batch =
		AllocSetContextCreate(context, "hanzo group walk batch", ALLOCSET_DEFAULT_SIZES);
	Walk walk = {.group = group, .natts = desc->natts};
	HzGroupReader *reader;

	MemoryContextSwitchTo(context);
	reader = hz_groupread_open(store, group, types, desc->natts, NULL);
	make_room(&walk);
	(void) hz_mark_deleted_rows(store, group, snapshot, walk.deleted);
	for (uint32 first = 0; first < group->rows; first += HZ_VECTOR_ROWS)
	{
		uint32 rows = Min(group->rows - first, HZ_VECTOR_ROWS);

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(batch);
		MemoryContextSwitchTo(batch);
		for (int a = 0; a < desc->natts; a++)
			(void) hz_groupread_datums(reader, desc, a, first / HZ_VECTOR_ROWS, NULL, rows,
									   walk.columns[a], walk.nulls[a]);
		MemoryContextSwitchTo(caller);
		walk_vector(&walk, first, rows, row, arg);
	}
	MemoryContextSwitchTo(context);
	hz_groupread_close(reader);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}
