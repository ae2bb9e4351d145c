/*
 * read/rowfetch.h
 *	  Columnar rows one at a time, by TID.
 *
 * Used by index scans, TID fetches, unique checks. Under an MVCC snapshot the groups met so far
 * and their deleted rows are remembered for the life of the fetch; under any other snapshot every call looks again.
 * Takes no heavyweight lock after hz_rowfetch_begin() (PROTOCOLS 2.7).
 */
#ifndef HZ_ROWFETCH_H
#define HZ_ROWFETCH_H

#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

typedef struct HzRowFetch HzRowFetch;

extern HzRowFetch *hz_rowfetch_begin(Relation rel);
/* Between the rescans of an index: keeps no group open; what is known of them under the snapshot stays. */
extern void hz_rowfetch_reset(HzRowFetch *fetch);
extern void hz_rowfetch_end(HzRowFetch *fetch);

/*
 * Stores the row in the slot (which may be NULL: only its visibility is asked) if the snapshot sees it.
 * SnapshotDirty's xmin and xmax are set as a heap would. SnapshotNonVacuumable leaves the slot alone: what it tests with is an
 * approximation, by which a directory tuple may seem to be needed when other backends have removed the group's pages; whoever
 * has such a snapshot (the planner, for the ends of an index) does not look at the row.
 */
extern bool hz_rowfetch(HzRowFetch *fetch, ItemPointer tid, Snapshot snapshot,
						TupleTableSlot *slot);

/*
 * The same under an MVCC snapshot for `count` columns only, whose 0-based numbers are attnos[]: they fill their places
 * in values[] and isnull[], which are as long as the row. By-reference values live until the next call.
 */
extern bool hz_rowfetch_columns(HzRowFetch *fetch, ItemPointer tid, Snapshot snapshot,
								const int *attnos, int count, Datum *values, bool *isnull);

#endif /* HZ_ROWFETCH_H */
