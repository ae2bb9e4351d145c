/*
 * agg/aggregate.h
 *	  Aggregates over groups: the states in the groups' rows, and how batches change them.
 *
 * An aggregator is one thread's: a table of groups, a region for all that it keeps, sets for count(DISTINCT). merge.h
 * brings those of several threads together. Pure C.
 *
 *	  KIND       STATE
 *	  COUNT      int64
 *	  SUM_INT    HzSumInt; sums of int2 and int4
 *	  SUM_WIDE   HzSumWide; sums of int8 and of numerics that fit 128 bits
 *	  SUM_FLOAT  HzSumFloat
 *	  STATS      HzStats: Youngs and Cramer's sums, as float8_accum()
 *	  MIN, MAX   HzExtreme
 *	  BOOL       HzBools
 *	  DISTINCT   int64, and a set
 *	  COLLECT    HzCollected: all values, for percentiles
 */
#ifndef HZ_AGGREGATE_H
#define HZ_AGGREGATE_H

#include "agg/distinctset.h"
#include "agg/groupcodes.h"

#define HZ_AGGREGATES_MAX 256

typedef enum HzAggKind
{
	HZ_AGG_COUNT,
	HZ_AGG_SUM_INT,
	HZ_AGG_SUM_WIDE,
	HZ_AGG_SUM_FLOAT,
	HZ_AGG_STATS,
	HZ_AGG_MIN,
	HZ_AGG_MAX,
	HZ_AGG_BOOL,
	HZ_AGG_DISTINCT,
	HZ_AGG_COLLECT
} HzAggKind;

typedef struct HzAggregate
{
	HzAggKind kind;
	HzKind argument_kind; /* of the argument's vectors; COUNT without an argument: 0 */
	uint32_t argument_width;
	uint32_t offset; /* of the state in a row: set by hz_aggregates_layout() */
} HzAggregate;

typedef struct HzSumInt
{
	int64_t sum;
	int64_t count;
} HzSumInt;

typedef struct HzSumWide
{
	HzInt128 sum; /* times 10^scale */
	int64_t count;
	int64_t scale; /* the greatest of all values */
} HzSumWide;

typedef struct HzSumFloat
{
	double sum;
	int64_t count;
	int64_t infinite; /* some value was: so the sum may be */
} HzSumFloat;

typedef struct HzStats
{
	double n;
	double sx;
	double sxx;
} HzStats;

typedef struct HzExtreme
{
	HzKeySlot value; /* NUMERIC: as groupkey.h */
	int64_t seen;
	uint64_t room; /* STRING: bytes that value has room for */
} HzExtreme;

typedef struct HzBools
{
	int64_t trues;
	int64_t falses;
} HzBools;

typedef struct HzCollected
{
	int64_t *values; /* integers, or doubles' bits */
	int64_t count;
	int64_t room;
} HzCollected;

typedef enum HzAggStatus
{
	HZ_AGG_OK,
	HZ_AGG_MEMORY,        /* the machine has no more */
	HZ_AGG_LIMIT,         /* more memory than the query may use */
	HZ_AGG_WIDE,          /* a number that the native states cannot hold: let PostgreSQL do it */
	HZ_AGG_FLOAT_OVERFLOW /* PostgreSQL's error */
} HzAggStatus;

typedef struct HzAggregator
{
	const HzGroupLayout *layout;
	const HzAggregate *aggregates;
	int aggregate_count;
	HzRegion region;
	HzGroupTable table;
	HzDistinctSet *sets; /* one an aggregate; DISTINCT only */
	HzGroupRow **groups; /* of the current batch, by row */
	HzKeyColumn *values; /* scratch */
	uint64_t *hashes;
	size_t empty_bytes; /* taken before the first group */
} HzAggregator;

/* Sets the states' offsets and the layout's sizes; the layout's keys are set. */
extern void hz_aggregates_layout(HzGroupLayout *layout, HzAggregate *aggregates, int count);

/* Layout and aggregates are borrowed. False: out of memory. */
extern bool hz_aggregator_init(HzAggregator *aggregator, const HzGroupLayout *layout,
							   const HzAggregate *aggregates, int count);

/* Gives all memory back; may be called on zeroes, and twice. */
extern void hz_aggregator_free(HzAggregator *aggregator);

/* A new row group: dictionaries are others. */
extern void hz_aggregator_forget_codes(HzAggregator *aggregator);

/* Finds the groups of the rows, for the calls of hz_aggregator_update() for this batch. */
extern HzAggStatus hz_aggregator_group(HzAggregator *aggregator, const HzVector *keys,
									   const uint16_t *at, uint32_t count);

/*
 * Adds the values of rows at[0 .. count) to aggregate `index`; argument NULL: COUNT of rows. The rows are among those of the
 * last hz_aggregator_group().
 */
extern HzAggStatus hz_aggregator_update(HzAggregator *aggregator, int index,
										const HzVector *argument, const uint16_t *at,
										uint32_t count);

/* Counts what is still to be counted of distinct values; before any state is read. poll (or NULL) is called now and then, and need not
 * return. */
extern HzAggStatus hz_aggregator_finish(HzAggregator *aggregator, void (*poll)(void));

/*
 * Adds a group as a row of this layout holds it, which may go afterwards: also its counts of distinct values, for which
 * there must be no pairs.
 */
extern HzAggStatus hz_aggregator_add_row(HzAggregator *aggregator, HzGroupRow *row);

/* Adds one value to the set of aggregate `index` for the group with the keys of `like`. */
extern HzAggStatus hz_aggregator_add_distinct(HzAggregator *aggregator, int index,
											  const HzGroupRow *like, const HzKeySlot *value);

/* Forgets all groups and gives the memory back; as after hz_aggregator_init(). False: out of memory. */
extern bool hz_aggregator_reset(HzAggregator *aggregator);

/* Bytes taken from the machine. */
static inline size_t
hz_aggregator_bytes(const HzAggregator *aggregator)
{
	return aggregator->region.total;
}

/*
 * Of these, what groups have taken, and take when tables make room for `more` rows: for limits, since the rest is needed for any, and does not
 * grow.
 */
extern size_t hz_aggregator_grown(const HzAggregator *aggregator, uint32_t more);

/*
 * The k-th smallest (0-based) of the collected values, integers or the bits of doubles, of which NaN is the greatest; *next, unless NULL: the one after
 * it, which must exist. Changes the order of the values. poll (or NULL) is called now and then.
 */
extern int64_t hz_collected_select(HzCollected *collected, bool reals, int64_t k, int64_t *next,
								   void (*poll)(void));

#endif /* HZ_AGGREGATE_H */
