/*
 * exec/toplist.c
 *	  See toplist.h.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "exec/toplist.h"

#define SPARE (4 * HZ_VECTOR_ROWS) /* rows beyond twice those wanted */

void
hz_toplist_reset(HzTopList *list)
{
	list->count = 0;
	list->next = 0;
}

static void
drop_beaten(HzTopList *list, const HzTopBound *bound)
{
	uint32 kept = 0;

	for (uint32 i = 0; i < list->count; i++)
	{
		list->rows[kept] = list->rows[i];
		kept += !hz_topbound_beats(bound, list->rows[i].key);
	}
	list->count = kept;
}

static void
make_room(HzTopList *list, uint32 room)
{
	if (list->room >= room)
		return;
	room = Max(room, list->room * 2);
	if (list->rows == NULL)
		list->rows = MemoryContextAlloc(list->context, sizeof(HzTopRow) * room);
	else
		list->rows = repalloc_huge(list->rows, sizeof(HzTopRow) * room);
	list->room = room;
}

bool
hz_toplist_has_room(HzTopList *list, const HzTopBound *bound)
{
	uint32 most = bound->limit * 2 + SPARE;

	if (list->count + HZ_VECTOR_ROWS > most)
	{
		drop_beaten(list, bound);
		/* were it filled to the brim, every batch would look at all of it */
		if (list->count + 2 * HZ_VECTOR_ROWS > most)
			return false;
	}
	make_room(list, list->count + HZ_VECTOR_ROWS);
	return true;
}

void
hz_toplist_add(HzTopList *list, const HzBatch *batch, uint16 row, HzTopKey key)
{
	Assert(list->count < list->room);
	list->rows[list->count++] =
		(HzTopRow){.key = key, .group = batch->index, .vector = batch->vector, .row = row};
}

static int
compare_places(const void *a, const void *b)
{
	const HzTopRow *x = a;
	const HzTopRow *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->vector != y->vector)
		return x->vector < y->vector ? -1 : 1;
	return (int) x->row - (int) y->row;
}

uint32
hz_toplist_finish(HzTopList *list, const HzTopBound *bound)
{
	uint32 before = list->count;

	drop_beaten(list, bound);
	qsort(list->rows, list->count, sizeof(HzTopRow), compare_places);
	return before - list->count;
}

uint32
hz_toplist_take(HzTopList *list, uint32 *group, uint32 *vector, uint16 *rows)
{
	uint32 count = 0;

	if (list->next == list->count)
		return 0;
	*group = list->rows[list->next].group;
	*vector = list->rows[list->next].vector;
	while (list->next < list->count && list->rows[list->next].group == *group &&
		   list->rows[list->next].vector == *vector)
		rows[count++] = list->rows[list->next++].row;
	return count;
}
