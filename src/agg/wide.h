/*
 * agg/wide.h
 *	  Sums in 128 bits, and comparisons of least and greatest values: what updates and merges share.
 */
#ifndef HZ_WIDE_H
#define HZ_WIDE_H

#include "agg/aggregate.h"

/* Multiplies by 10^digits; false: too large. */
extern bool hz_wide_scale(HzInt128 *value, int64_t digits);

/* Adds count values whose sum is value / 10^scale; false: too large. */
extern bool hz_sum_wide_add(HzSumWide *state, HzInt128 value, int64_t scale, int64_t count);
extern bool hz_sum_wide_merge(HzSumWide *into, const HzSumWide *from);

/* Whether `candidate` is to replace `present` in a MIN or MAX. */
extern bool hz_extreme_better(const HzAggregate *aggregate, const HzKeySlot *candidate,
							  const HzKeySlot *present);

#endif /* HZ_WIDE_H */
