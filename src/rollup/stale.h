/*
 * rollup/stale.h
 *	  Which buckets of a rollup its stored states do not hold: what its view computes from the table.
 */
#ifndef HZ_STALE_H
#define HZ_STALE_H

#include "rollup/watch.h"

/* Times from `from` to before `to`, both starts of buckets. */
typedef struct HzRange
{
	Timestamp from;
	Timestamp to;
} HzRange;

/*
 * Marked buckets that the snapshot sees between frozen_before and live_from: disjoint ranges in ascending order, palloc'd. *late
 * (may be NULL) gets the number of marks that say something of frozen history.
 */
extern HzRange *hz_stale_ranges(Oid marks, Snapshot snapshot, const HzRollupProgress *progress,
								uint32 *count, int64 *late);

/* The same as a tstzmultirange. */
extern Datum hz_stale_multirange(const HzRange *ranges, uint32 count);

/*
 * While a refresh computes, the view of this rollup takes these ranges for the stale ones and has no open tail. InvalidOid: no longer. Reset at the
 * end of a transaction or subtransaction.
 */
extern void hz_stale_pretend(Oid states, const HzRange *ranges, uint32 count);

/* Whether a function is hanzo_datastore.rollup_live_from(regclass), which is constant while a query runs. */
extern bool hz_stale_is_live_from(Oid function);

extern void hz_stale_init(void);

#endif /* HZ_STALE_H */
