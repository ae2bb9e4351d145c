/*
 * rollup/note.h
 *	  Marks: which buckets of stored rollup states a transaction makes stale.
 *
 * A mark is a tuple (from, to) in the rollup's table of marks, inserted by the writer's transaction before the row that makes it
 * true, with a command id that is not later. So whoever sees the row sees the mark; a refresh that sees both replaces the bucket and deletes the mark.
 * Every transaction leaves its own, once for each bucket; beyond HZ_NOTE_BUCKETS of them, one over all that lies between.
 */
#ifndef HZ_NOTE_H
#define HZ_NOTE_H

#include "executor/tuptable.h"
#include "utils/rel.h"

#include "rollup/watch.h"

#define HZ_NOTE_BUCKETS 1000

/* A row with this time comes. In frozen history such a mark is only counted. */
extern void hz_note_time(const HzRollupWatch *watch, Timestamp time, CommandId cid);

/* A row with this time goes; nobody needs to know of frozen history. */
extern void hz_note_old_time(const HzRollupWatch *watch, Timestamp time, CommandId cid);

/* Rows come. */
extern void hz_note_rows(List *watches, TupleTableSlot **slots, int count, CommandId cid);

/* Rows with times from `from` to before `to` come or go, with one mark; not those of frozen history. */
extern void hz_note_range(const HzRollupWatch *watch, Timestamp from, Timestamp to, CommandId cid);

/* The tuple of a mark, in an open table of marks. It is not decoded. */
extern void hz_note_insert(Relation marks, Timestamp from, Timestamp to, CommandId cid);

/* Whether changes of rows with any such time would have to be noted: the rollup has stored buckets. */
extern bool hz_note_wanted(const HzRollupWatch *watch);

/* This transaction has refreshed a rollup or frozen history: its marks are gone, its progress is another. */
extern void hz_note_forget(Oid states);

extern void hz_note_init(void);

#endif /* HZ_NOTE_H */
