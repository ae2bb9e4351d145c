/*
 * read/rowfetch.c
 *	  Point reads of the column store. See rowfetch.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "storage/predicate.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/bitmap.h"
#include "read/groupcache.h"
#include "read/rowfetch.h"
#include "read/rowslot.h"
#include "read/slotneeds.h"
#include "storage/mark.h"
#include "storage/rowid.h"

/* Groups whose visibility and deleted rows are remembered: up to 16 KB each. */
#define REMEMBERED 512
/* Those that are kept open: what they have decoded stays whatever the cache's bound. */
#define HELD_OPEN 8
/* Rows of a group whose marks are looked up one by one, before those of all its rows are read at once. */
#define SINGLE_LOOKUPS 16

/* A group that the fetch's MVCC snapshot sees. */
typedef struct Seen
{
	HzGroup *group;
	uint32 lookups;    /* rows asked for so far */
	bool deleted_read; /* what is deleted is known */
	uint64 *deleted;   /* NULL: nothing is */
	HzGroupCacheEntry *open;
	MemoryContext context;
} Seen;

struct HzRowFetch
{
	Relation rel;
	HzStore *store;
	MemoryContext context;     /* of the fetch */
	MemoryContext row_context; /* reset for every row */
	Datum *values;
	bool *isnull;
	Snapshot snapshot; /* what `seen` was read with */
	CommandId curcid;
	TransactionId snapshot_xmax;
	Seen **seen; /* by number */
	int seen_count;
	int seen_room;
	Seen *last; /* the one that was found last */
	Seen *held[HELD_OPEN];
	int next_held;
	HzGroupCacheEntry *current; /* open for one row under a snapshot that is not MVCC */
	MemoryContextCallback callback;
};

static void
close_held(HzRowFetch *fetch, int i)
{
	Seen *seen = fetch->held[i];

	if (seen == NULL)
		return;
	hz_groupcache_release(seen->open);
	seen->open = NULL;
	fetch->held[i] = NULL;
}

/* Called when the fetch's memory goes, be it by an error: what it has pinned is released. */
static void
release_pins(void *arg)
{
	HzRowFetch *fetch = arg;

	for (int i = 0; i < HELD_OPEN; i++)
		close_held(fetch, i);
	if (fetch->current != NULL)
		hz_groupcache_release(fetch->current);
	fetch->current = NULL;
}

HzRowFetch *
hz_rowfetch_begin(Relation rel)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo row fetch", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzRowFetch *fetch = palloc0(sizeof(HzRowFetch));

	fetch->rel = rel;
	fetch->context = context;
	fetch->callback.func = release_pins;
	fetch->callback.arg = fetch;
	MemoryContextRegisterResetCallback(context, &fetch->callback);
	fetch->row_context = AllocSetContextCreate(context, "hanzo row", ALLOCSET_DEFAULT_SIZES);
	fetch->store = hz_store_open(rel, AccessShareLock);
	fetch->values = palloc(sizeof(Datum) * Max(RelationGetDescr(rel)->natts, 1));
	fetch->isnull = palloc(sizeof(bool) * Max(RelationGetDescr(rel)->natts, 1));
	MemoryContextSwitchTo(old);
	return fetch;
}

static void
forget_groups(HzRowFetch *fetch)
{
	for (int i = 0; i < HELD_OPEN; i++)
		close_held(fetch, i);
	for (int i = 0; i < fetch->seen_count; i++)
	{
		MemoryContextDelete(fetch->seen[i]->context);
		pfree(fetch->seen[i]);
	}
	fetch->seen_count = 0;
	fetch->last = NULL;
}

void
hz_rowfetch_reset(HzRowFetch *fetch)
{
	for (int i = 0; i < HELD_OPEN; i++)
		close_held(fetch, i);
}

void
hz_rowfetch_end(HzRowFetch *fetch)
{
	forget_groups(fetch);
	hz_store_close(fetch->store);
	MemoryContextDelete(fetch->context);
}

/*
 * What stands in a slot for a column that nobody looks at. Null, unless the column is NOT NULL: compiled code (jit) that takes a
 * tuple apart relies on it, and would take the next columns from the wrong place.
 */
static Datum
filler(Form_pg_attribute attribute, bool *isnull)
{
	struct varlena *empty;

	*isnull = !attribute->attnotnull || attribute->attisdropped;
	if (*isnull || attribute->attbyval)
		return (Datum) 0;
	if (attribute->attlen != -1)
		return PointerGetDatum(palloc0(attribute->attlen > 0 ? attribute->attlen : 1));
	empty = palloc(VARHDRSZ);
	SET_VARSIZE(empty, VARHDRSZ);
	return PointerGetDatum(empty);
}

/* Fills the slot from an open group. */
static void
fetch_values(HzRowFetch *fetch, const HzGroup *header, HzGroupCacheEntry *open, uint64 number,
			 TupleTableSlot *slot)
{
	TupleDesc desc = RelationGetDescr(fetch->rel);
	uint32 position = (uint32) (number - hz_group_first_row(header));
	const bool *needed = hz_slotneeds_get(slot);

	for (int i = 0; i < desc->natts; i++)
		fetch->values[i] =
			needed == NULL || needed[i]
				? hz_groupread_datum(open->reader, desc, i, position, &fetch->isnull[i])
				: filler(TupleDescAttr(desc, i), &fetch->isnull[i]);
	hz_rowslot_store(slot, RelationGetRelid(fetch->rel), header, number, fetch->values,
					 fetch->isnull);
}

/* The place of the first remembered group that begins after the row. */
static int
place_of(const HzRowFetch *fetch, uint64 number)
{
	int low = 0;
	int high = fetch->seen_count;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (hz_group_first_row(fetch->seen[middle]->group) <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
holds_row(const Seen *seen, uint64 number)
{
	return number - hz_group_first_row(seen->group) < seen->group->rows;
}

/* Reads the group of a row, to be remembered at `place`; NULL: not visible. */
static Seen *
read_group(HzRowFetch *fetch, uint64 number, Snapshot snapshot, int place)
{
	MemoryContext context;
	MemoryContext old;
	HzGroup *group;
	Seen *seen;

	if (fetch->seen_count >= REMEMBERED)
	{
		forget_groups(fetch);
		place = 0;
	}
	context = AllocSetContextCreate(fetch->context, "hanzo seen group", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	group = hz_directory_find(fetch->store, number, snapshot);
	MemoryContextSwitchTo(old);
	if (group == NULL)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	/* not in `context`, which goes before release_pins() is called */
	seen = MemoryContextAllocZero(fetch->context, sizeof(Seen));
	seen->context = context;
	seen->group = group;
	if (fetch->seen_count == fetch->seen_room)
	{
		int room = Max(fetch->seen_room * 2, 8);

		fetch->seen = fetch->seen == NULL
						  ? MemoryContextAlloc(fetch->context, sizeof(Seen *) * room)
						  : repalloc(fetch->seen, sizeof(Seen *) * room);
		fetch->seen_room = room;
	}
	memmove(&fetch->seen[place + 1], &fetch->seen[place],
			sizeof(Seen *) * (fetch->seen_count - place));
	fetch->seen[place] = seen;
	fetch->seen_count++;
	return seen;
}

/* The remembered or newly read group of a row under the fetch's MVCC snapshot; NULL: not visible. */
static Seen *
seen_group(HzRowFetch *fetch, uint64 number, Snapshot snapshot)
{
	int place;

	if (fetch->snapshot != snapshot || fetch->curcid != snapshot->curcid ||
		fetch->snapshot_xmax != snapshot->xmax)
	{
		forget_groups(fetch);
		fetch->snapshot = snapshot;
		fetch->curcid = snapshot->curcid;
		fetch->snapshot_xmax = snapshot->xmax;
	}
	if (fetch->last != NULL && holds_row(fetch->last, number))
		return fetch->last;
	place = place_of(fetch, number);
	if (place > 0 && holds_row(fetch->seen[place - 1], number))
		fetch->last = fetch->seen[place - 1];
	else
		fetch->last = read_group(fetch, number, snapshot, place);
	return fetch->last;
}

static void
read_deleted(HzRowFetch *fetch, Seen *seen, Snapshot snapshot)
{
	MemoryContext old = MemoryContextSwitchTo(seen->context);

	seen->deleted = palloc0(HZ_BITMAP_WORDS(seen->group->rows) * sizeof(uint64));
	if (hz_mark_deleted_rows(fetch->store, seen->group, snapshot, seen->deleted) == 0)
		seen->deleted = NULL;
	seen->deleted_read = true;
	MemoryContextSwitchTo(old);
}

/* A statement that asks for one row must not read the marks of 100,000 others; one that asks for many, but once. */
static bool
is_deleted(HzRowFetch *fetch, Seen *seen, uint32 position, Snapshot snapshot)
{
	if (!seen->deleted_read && seen->lookups++ < SINGLE_LOOKUPS)
		return !hz_mark_row_visible(fetch->store, seen->group, position, snapshot);
	if (!seen->deleted_read)
		read_deleted(fetch, seen, snapshot);
	return seen->deleted != NULL && hz_bitmap_get(seen->deleted, position);
}

/* Opens the group of a row that the snapshot sees; NULL: it does not. */
static Seen *
open_mvcc(HzRowFetch *fetch, uint64 number, Snapshot snapshot, bool only_ask)
{
	Seen *seen = seen_group(fetch, number, snapshot);

	PredicateLockRelation(fetch->rel, snapshot);
	if (seen == NULL ||
		is_deleted(fetch, seen, (uint32) (number - hz_group_first_row(seen->group)), snapshot))
		return NULL;
	if (only_ask)
		return seen;
	if (seen->open != NULL)
	{
		hz_groupread_attach(seen->open->reader, fetch->store, NULL);
		return seen;
	}
	close_held(fetch, fetch->next_held);
	seen->open = hz_groupcache_get(fetch->store, seen->group);
	fetch->held[fetch->next_held] = seen;
	fetch->next_held = (fetch->next_held + 1) % HELD_OPEN;
	return seen;
}

static bool
fetch_mvcc(HzRowFetch *fetch, uint64 number, Snapshot snapshot, TupleTableSlot *slot)
{
	Seen *seen = open_mvcc(fetch, number, snapshot, slot == NULL);

	if (seen != NULL && slot != NULL)
		fetch_values(fetch, seen->group, seen->open, number, slot);
	return seen != NULL;
}

/*
 * As fetch_values(), for those who look at one row before and while they change it: the check of conflicts and the lock of an
 * upsert want the same whole row.
 */
static void
fetch_current(HzRowFetch *fetch, const HzGroup *header, HzGroupCacheEntry *open, uint64 number,
			  TupleTableSlot *slot)
{
	uint32 position = (uint32) (number - hz_group_first_row(header));

	if (open->row != NULL && open->row_position == position)
	{
		hz_rowslot_store_copy(slot, RelationGetRelid(fetch->rel), header, number, open->row);
		return;
	}
	fetch_values(fetch, header, open, number, slot);
	if (hz_slotneeds_get(slot) == NULL)
		hz_groupcache_keep_row(open, position, ((BufferHeapTupleTableSlot *) slot)->base.tuple);
}

static bool
fetch_other(HzRowFetch *fetch, uint64 number, Snapshot snapshot, TupleTableSlot *slot)
{
	HzGroup *group = hz_directory_find(fetch->store, number, snapshot);

	if (group == NULL ||
		!hz_mark_row_visible(fetch->store, group, (uint32) (number - hz_group_first_row(group)),
							 snapshot))
		return false;
	/*
	 * The planner, which looks for the ends of an index, wants to know no more than that there is a row; of a group that is
	 * dead to all there may be a directory tuple, but no pages.
	 */
	if (slot != NULL && snapshot->snapshot_type != SNAPSHOT_NON_VACUUMABLE)
	{
		fetch->current = hz_groupcache_get(fetch->store, group);
		fetch_current(fetch, group, fetch->current, number, slot);
		hz_groupcache_release(fetch->current);
		fetch->current = NULL;
	}
	return true;
}

bool
hz_rowfetch(HzRowFetch *fetch, ItemPointer tid, Snapshot snapshot, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(fetch->row_context);
	uint64 number = hz_rowid_from_tid(tid);
	bool found = false;

	if (snapshot->snapshot_type == SNAPSHOT_DIRTY)
	{
		snapshot->xmin = snapshot->xmax = InvalidTransactionId;
		snapshot->speculativeToken = 0;
	}
	if (!hz_store_is_empty(fetch->store))
	{
		if (snapshot->snapshot_type == SNAPSHOT_MVCC)
			found = fetch_mvcc(fetch, number, snapshot, slot);
		else
			found = fetch_other(fetch, number, snapshot, slot);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(fetch->row_context);
	return found;
}

bool
hz_rowfetch_columns(HzRowFetch *fetch, ItemPointer tid, Snapshot snapshot, const int *attnos,
					int count, Datum *values, bool *isnull)
{
	TupleDesc desc = RelationGetDescr(fetch->rel);
	uint64 number = hz_rowid_from_tid(tid);
	MemoryContext old;
	Seen *seen = NULL;

	Assert(snapshot->snapshot_type == SNAPSHOT_MVCC);
	MemoryContextReset(fetch->row_context);
	old = MemoryContextSwitchTo(fetch->row_context);
	if (!hz_store_is_empty(fetch->store))
		seen = open_mvcc(fetch, number, snapshot, false);
	for (int i = 0; seen != NULL && i < count; i++)
		values[attnos[i]] = hz_groupread_datum(seen->open->reader, desc, attnos[i],
											   (uint32) (number - hz_group_first_row(seen->group)),
											   &isnull[attnos[i]]);
	MemoryContextSwitchTo(old);
	return seen != NULL;
}
