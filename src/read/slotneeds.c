/*
 * read/slotneeds.c
 *	  See slotneeds.h.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "read/slotneeds.h"

typedef struct Needs
{
	const TupleTableSlot *slot; /* key */
	const bool *columns;
} Needs;

uint64 hz_slotneeds_slots = 0;
static HTAB *all_needs = NULL;

static void
forget(void *arg)
{
	(void) hash_search(all_needs, &arg, HASH_REMOVE, NULL);
}

void
hz_slotneeds_set(TupleTableSlot *slot, MemoryContext context, const Bitmapset *columns)
{
	int natts = slot->tts_tupleDescriptor->natts;
	bool *needed = MemoryContextAllocZero(context, sizeof(bool) * Max(natts, 1));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	Needs *entry;
	bool found;

	for (int i = 0; i < natts; i++)
		needed[i] = bms_is_member(i, columns);
	if (all_needs == NULL)
		all_needs =
			hash_create("hanzo slot needs", 64,
						&(HASHCTL){.keysize = sizeof(TupleTableSlot *), .entrysize = sizeof(Needs)},
						HASH_ELEM | HASH_BLOBS);
	entry = hash_search(all_needs, &slot, HASH_ENTER, &found);
	entry->columns = needed;
	if (found)
		return;
	callback->func = forget;
	callback->arg = slot;
	MemoryContextRegisterResetCallback(context, callback);
}

const bool *
hz_slotneeds_get(const TupleTableSlot *slot)
{
	const Needs *entry;

	if (all_needs == NULL || hash_get_num_entries(all_needs) == 0)
		return NULL;
	entry = hash_search(all_needs, &slot, HASH_FIND, NULL);
	return entry != NULL ? entry->columns : NULL;
}
