/*
 * rollup/watch.h
 *	  Which rollups are made from a table, and how far they are.
 *
 * A rollup's stored states hold the buckets before `live_from`. Whoever changes rows of older buckets leaves a mark
 * (rollup/note.h). `mark_before` is where writers begin to do so: it is raised first, and live_from follows when no transaction is left that
 * may have read the older value (PROTOCOLS 6.2). What TTL has removed from the table lies before `frozen_before`.
 *
 *	  frozen_before <= live_from <= mark_before, all starts of buckets or infinite, never decreasing
 *
 * Both tables of the extension, rollups and rollup_progress, are ordinary ones, written by functions in admin/ only.
 */
#ifndef HZ_WATCH_H
#define HZ_WATCH_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "rollup/bucket.h"

/* A rollup, as it is registered. */
typedef struct HzRollup
{
	Oid states; /* table of stored states; what a rollup is known by */
	Oid marks;
	Oid view;
	Oid source;             /* the table whose writers leave marks */
	Oid source_view;        /* the rollup's view that it is computed from, if it is */
	AttrNumber source_time; /* time column of source */
	AttrNumber time;        /* of states and view: the bucket's column */
	HzBucket bucket;
	int64 lag; /* microseconds after its end for which a bucket stays live at least */
} HzRollup;

typedef struct HzRollupProgress
{
	Timestamp frozen_before;
	Timestamp live_from;
	Timestamp mark_before;
	uint64 advance_xid;  /* mark_before holds for all transactions from here on; 0: not noted yet */
	int64 system;        /* identifier of the cluster whose transactions advance_xid counts */
	int64 late_changes;  /* marks in frozen history */
	ItemPointerData tid; /* of its tuple */
	TransactionId xmin;  /* who stored it; frozen: long ago */
} HzRollupProgress;

/* A rollup that the writers of a table have to know. */
typedef struct HzRollupWatch
{
	Oid states;
	Oid marks;
	AttrNumber attnum; /* time column in this table */
	Oid type;          /* its type */
	HzBucket bucket;
} HzRollupWatch;

/* The tables of the extension; InvalidOid: there is none (yet). */
extern Oid hz_rollup_catalog(void);
extern Oid hz_rollup_progress_table(void);

/* A rollup by its states; false: it is none. Under the latest snapshot. */
extern bool hz_rollup_find(Oid states, HzRollup *rollup);

/* The same by its view. */
extern bool hz_rollup_find_view(Oid view, HzRollup *rollup);

/* All rollups whose source is one of these tables, as HzRollup, palloc'd. */
extern List *hz_rollup_of_sources(List *sources);

/* The table and all those that it is a partition or a child of. */
extern List *hz_rollup_ancestors(Oid relid);

extern bool hz_rollup_progress(Oid states, Snapshot snapshot, HzRollupProgress *progress);

/*
 * The rollups that writers of this table leave marks for, of HzRollupWatch, or NIL; remembered from call to call. As of a moment at which the
 * present transaction had its id, once in every transaction: whoever commits a rollup or raises a mark_before later will
 * wait for us.
 */
extern List *hz_rollup_watches(Relation rel);

/* The same for rollups whose source is one of `sources`, anew, for whoever changes what belongs to a source. */
extern List *hz_rollup_watches_of(List *sources, Oid relid);

/*
 * The times that rows of a partition can have in its column, as its bounds say: all where they say nothing of it. The parent may be
 * given by who knows it: catalogs may not know it yet, or any more.
 */
extern void hz_rollup_extent(Oid relid, Oid parent, AttrNumber attnum, Timestamp *from,
							 Timestamp *to);

/* Whether a table holds states or marks of a rollup, or is the extension's own. */
extern bool hz_rollup_is_internal(Oid relid);

/* Opens a table of marks; NULL: it is gone. One that its owner has altered is an error. */
extern Relation hz_rollup_open_marks(Oid marks, LOCKMODE lockmode);

/* Whether it can be opened. */
extern bool hz_rollup_marks_intact(Oid marks);

/* A time column's value in microseconds, infinities as DT_NOBEGIN and DT_NOEND. */
extern Timestamp hz_rollup_time(Oid type, Datum value);

/* Registers the callback that forgets. */
extern void hz_rollup_watch_init(void);

#endif /* HZ_WATCH_H */
