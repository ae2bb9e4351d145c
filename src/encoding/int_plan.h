/*
 * encoding/int_plan.h
 *	  The cheapest leaf for an array of integers, known to the byte before anything is written.
 *
 * Internal to encoding/.
 */
#ifndef HZ_INT_PLAN_H
#define HZ_INT_PLAN_H

#include "encoding/int_layout.h"

typedef struct HzIntPlan
{
	HzEncoding encoding; /* CONSTANT, FOR, PATCHED or PLAIN */
	size_t size;         /* bytes of the piece */
	uint32_t bits;       /* FOR: of an offset; PATCHED: of its low part */
	uint32_t high_bits;  /* PATCHED: of the rest, else 0 */
	uint32_t exceptions; /* PATCHED only, else 0 */
	uint32_t slot;       /* bytes of the smallest signed type that holds all values */
	uint64_t base;       /* the minimum, or PATCHED: of those values that are no low outliers */
	uint64_t range;      /* maximum - minimum */
	uint64_t divisor;    /* of the offsets; 1: none */
	uint64_t common; /* greatest known divisor of all differences, used or not; 0: all are equal */
	uint64_t offsets[HZ_VECTOR_ROWS]; /* (value - base) / divisor, modulo 2^64 */
} HzIntPlan;

/*
 * Chooses the leaf. All differences of the values are known to be multiples of `common` (1: nothing known).
 * Leaves of `limit` bytes and more are of no interest, so the search for a smaller one may stop early.
 */
extern void hz_int_plan(const int64_t *values, uint32_t count, uint64_t common, size_t limit,
						HzIntPlan *plan);

/* Makes the plan a patched one where that is smaller. Its offsets are of `total` bits, based on the minimum. */
extern void hz_int_patch(uint32_t count, uint32_t total, size_t limit, HzIntPlan *plan);

/* Appends the leaf, plan->size bytes. `values` are the ones it was planned for; spends plan->offsets. */
extern void hz_int_plan_write(const int64_t *values, uint32_t count, HzIntPlan *plan, HzBytes *out);

#endif /* HZ_INT_PLAN_H */
