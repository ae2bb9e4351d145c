/*
 * rollup/note.c
 *	  Marks of a transaction. See note.h.
 *
 * For each rollup that it has to do with, a transaction remembers mark_before, read once when it had its id (watch.h), and
 * which buckets it has marked, so that it marks them once. An aborted subtransaction takes its marks along: then all is
 * forgotten, and buckets may be marked twice.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/relation.h"
#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "rollup/note.h"

typedef struct Notes
{
	Oid states; /* key */
	Timestamp mark_before;
	Timestamp frozen_before;
	Timestamp from; /* the last bucket that was marked, which the next row most often belongs to */
	Timestamp to;
	HTAB *buckets; /* starts of those marked one by one */
	bool ranged;   /* there were too many: all of [least, most) is marked */
	Timestamp least;
	Timestamp most;
} Notes;

static HTAB *notes = NULL; /* in TopTransactionContext */

static void
forget_buckets(Notes *entry)
{
	entry->from = entry->to = 0;
	entry->ranged = false;
	entry->least = DT_NOEND;
	entry->most = DT_NOBEGIN;
	if (entry->buckets != NULL)
		hash_destroy(entry->buckets);
	entry->buckets = NULL;
}

static Notes *
notes_of(const HzRollupWatch *watch)
{
	HzRollupProgress progress;
	Notes *entry;
	bool found;

	if (notes == NULL)
	{
		HASHCTL control = {
			.keysize = sizeof(Oid), .entrysize = sizeof(Notes), .hcxt = TopTransactionContext};

		notes = hash_create("hanzo marks", 8, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(notes, &watch->states, HASH_ENTER, &found);
	if (!found)
	{
		entry->mark_before = DT_NOEND; /* should reading fail and the subtransaction abort */
		entry->frozen_before = DT_NOBEGIN;
		entry->buckets = NULL;
		forget_buckets(entry);
		/* the latest: with an older snapshot we would not see a raise that is no longer waiting for us */
		if (hz_rollup_progress(watch->states, GetLatestSnapshot(), &progress))
		{
			entry->mark_before = progress.mark_before;
			entry->frozen_before = progress.frozen_before;
		}
		else
			entry->mark_before = DT_NOBEGIN;
	}
	return entry;
}

void
hz_note_insert(Relation marks, Timestamp from, Timestamp to, CommandId cid)
{
	Datum values[2] = {TimestampTzGetDatum(from), TimestampTzGetDatum(to)};
	bool nulls[2] = {false, false};
	HeapTuple tuple = heap_form_tuple(RelationGetDescr(marks), values, nulls);

	heap_insert(marks, tuple, cid, HEAP_INSERT_NO_LOGICAL, NULL);
	heap_freetuple(tuple);
}

static void
insert_mark(const HzRollupWatch *watch, Timestamp from, Timestamp to, CommandId cid)
{
	Relation marks = hz_rollup_open_marks(watch->marks, RowExclusiveLock);

	/* gone where somebody drops the rollup right now */
	if (marks == NULL)
		return;
	hz_note_insert(marks, from, to, cid);
	relation_close(marks, NoLock);
}

/* More than it takes, on the side that grows, so that a long series of buckets needs few marks. */
static void
mark_more(Notes *entry, const HzRollupWatch *watch, Timestamp from, Timestamp to, CommandId cid)
{
	if (!entry->ranged)
	{
		HASH_SEQ_STATUS status;
		Timestamp *start;

		hash_seq_init(&status, entry->buckets);
		while ((start = hash_seq_search(&status)) != NULL)
		{
			entry->least = Min(entry->least, *start);
			entry->most = Max(entry->most, hz_bucket_next(&watch->bucket, *start));
		}
		entry->ranged = true;
	}
	else if (from >= entry->least && to <= entry->most)
		return;
	if (from < entry->least)
	{
		Timestamp reach = entry->least - (entry->most - entry->least);

		entry->least = from;
		if (IS_VALID_TIMESTAMP(reach) && reach < from)
			entry->least = hz_bucket_floor(&watch->bucket, reach);
	}
	if (to > entry->most)
	{
		Timestamp reach = entry->most + (entry->most - entry->least);

		/* buckets of months differ in length */
		reach =
			IS_VALID_TIMESTAMP(reach) ? hz_bucket_floor(&watch->bucket, reach) : entry->mark_before;
		entry->most = Max(to, Min(reach, entry->mark_before));
	}
	insert_mark(watch, entry->least, entry->most, cid);
}

void
hz_note_old_time(const HzRollupWatch *watch, Timestamp time, CommandId cid)
{
	if (time >= notes_of(watch)->frozen_before)
		hz_note_time(watch, time, cid);
}

void
hz_note_time(const HzRollupWatch *watch, Timestamp time, CommandId cid)
{
	Notes *entry = notes_of(watch);
	Timestamp from;
	Timestamp to;
	bool found;

	if (time >= entry->mark_before || TIMESTAMP_NOT_FINITE(time) ||
		(time >= entry->from && time < entry->to))
		return;
	from = hz_bucket_floor(&watch->bucket, time);
	to = hz_bucket_next(&watch->bucket, from);
	if (entry->ranged ||
		(entry->buckets != NULL && hash_get_num_entries(entry->buckets) >= HZ_NOTE_BUCKETS))
	{
		mark_more(entry, watch, from, to, cid);
		return;
	}
	if (entry->buckets == NULL)
	{
		HASHCTL control = {.keysize = sizeof(Timestamp),
						   .entrysize = sizeof(Timestamp),
						   .hcxt = TopTransactionContext};

		entry->buckets = hash_create("hanzo marked buckets", 64, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	(void) hash_search(entry->buckets, &from, HASH_FIND, &found);
	if (!found)
	{
		insert_mark(watch, from, to, cid);
		(void) hash_search(entry->buckets, &from, HASH_ENTER, NULL);
	}
	entry->from = from;
	entry->to = to;
}

void
hz_note_rows(List *watches, TupleTableSlot **slots, int count, CommandId cid)
{
	ListCell *cell;

	foreach(cell, watches)
	{
		const HzRollupWatch *watch = lfirst(cell);

		if (!hz_note_wanted(watch))
			continue;
		for (int i = 0; i < count; i++)
		{
			bool isnull;
			Datum value = slot_getattr(slots[i], watch->attnum, &isnull);

			if (!isnull)
				hz_note_time(watch, hz_rollup_time(watch->type, value), cid);
		}
	}
}

void
hz_note_range(const HzRollupWatch *watch, Timestamp from, Timestamp to, CommandId cid)
{
	Notes *entry = notes_of(watch);

	from = TIMESTAMP_NOT_FINITE(from) ? from : hz_bucket_floor(&watch->bucket, from);
	from = Max(from, entry->frozen_before);
	to = Min(to, entry->mark_before);
	if (!TIMESTAMP_NOT_FINITE(to) && to != hz_bucket_floor(&watch->bucket, to))
		to = hz_bucket_next(&watch->bucket, hz_bucket_floor(&watch->bucket, to));
	if (from < to)
		insert_mark(watch, from, to, cid);
}

bool
hz_note_wanted(const HzRollupWatch *watch)
{
	return !TIMESTAMP_IS_NOBEGIN(notes_of(watch)->mark_before);
}

void
hz_note_forget(Oid states)
{
	Notes *entry = notes != NULL ? hash_search(notes, &states, HASH_FIND, NULL) : NULL;

	if (entry == NULL)
		return;
	forget_buckets(entry);
	(void) hash_search(notes, &states, HASH_REMOVE, NULL);
}

static void
xact_callback(XactEvent event, void *arg)
{
	notes = NULL;
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				 void *arg)
{
	HASH_SEQ_STATUS status;
	Notes *entry;

	if (event != SUBXACT_EVENT_ABORT_SUB || notes == NULL)
		return;
	hash_seq_init(&status, notes);
	while ((entry = hash_seq_search(&status)) != NULL)
		forget_buckets(entry);
}

void
hz_note_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}
