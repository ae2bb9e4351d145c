/*
 * exec/aggspill.h
 *	  Groups that do not fit into memory, in temporary files.
 *
 * When an aggregator has grown too large all its groups are written out and it starts anew; so the same group may be written
 * many times, each time with what was added since. Files are partitions by hash: those of groups hold rows with their
 * states, those of pairs hold the values of count(DISTINCT). In the end pairs come first, partition by partition; what
 * they count becomes rows of groups. Then each partition of groups is read into the aggregator, which holds final groups. A
 * partition that does not fit is cut again by other bits of the hash.
 */
#ifndef HZ_AGGSPILL_H
#define HZ_AGGSPILL_H

#include "agg/aggregate.h"

typedef struct HzAggSpill HzAggSpill;

/* In the current context, in which files are made, too. `limit`: bytes that an aggregator may take; `groups`: about how many there are. */
extern HzAggSpill *hz_aggspill_make(Size limit, double groups);

/* Whether aggregations of this kind can be written out: collected values cannot. */
extern bool hz_aggspill_possible(const HzAggregate *aggregates, int count);

/* Writes all groups out and resets the aggregator. Not HZ_AGG_OK: out of memory. */
extern HzAggStatus hz_aggspill_write(HzAggSpill *spill, HzAggregator *aggregator);

/*
 * After the last hz_aggspill_write(): makes the aggregator, which is empty, hold the final groups of the next partition. *more
 * is false when there was none left.
 */
extern HzAggStatus hz_aggspill_next(HzAggSpill *spill, HzAggregator *aggregator, bool *more);

/* Closes what files are left. */
extern void hz_aggspill_close(HzAggSpill *spill);

/* What long loops of pure C call now and then: looks for interrupts. */
extern void hz_aggspill_poll(void);

/* For EXPLAIN: bytes written. */
extern uint64 hz_aggspill_bytes(const HzAggSpill *spill);

#endif /* HZ_AGGSPILL_H */
