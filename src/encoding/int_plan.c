/*
 * encoding/int_plan.c
 *	  Statistics over integers and the choice of a leaf by its exact size.
 *
 * Differences are taken in uint64 and wrap, so every range of int64 is good. Divisibility is tested, and
 * exact division done, by multiplying with the inverse modulo 2^64 (Warren, Hacker's Delight, 10-16).
 */
#include "encoding/int_plan.h"

#include "base/gcd.h"
#include "encoding/clones.h"

#define CHAINS 16 /* independent minima and maxima, to hide the latency of a comparison */

static HZ_CLONES void
find_extent(const int64_t *values, uint32_t count, int64_t *minimum, int64_t *maximum)
{
	int64_t least[CHAINS], most[CHAINS];
	uint32_t i = 0;

	for (uint32_t k = 0; k < CHAINS; k++)
		least[k] = most[k] = values[0];
	for (; i + CHAINS <= count; i += CHAINS)
		for (uint32_t k = 0; k < CHAINS; k++)
		{
			least[k] = values[i + k] < least[k] ? values[i + k] : least[k];
			most[k] = values[i + k] > most[k] ? values[i + k] : most[k];
		}
	for (; i < count; i++)
	{
		least[0] = values[i] < least[0] ? values[i] : least[0];
		most[0] = values[i] > most[0] ? values[i] : most[0];
	}
	*minimum = least[0];
	*maximum = most[0];
	for (uint32_t k = 1; k < CHAINS; k++)
	{
		*minimum = least[k] < *minimum ? least[k] : *minimum;
		*maximum = most[k] > *maximum ? most[k] : *maximum;
	}
}

static HZ_CLONES void
subtract(const int64_t *values, uint32_t count, int64_t minimum, uint64_t *restrict offsets)
{
	for (uint32_t i = 0; i < count; i++)
		offsets[i] = (uint64_t) values[i] - (uint64_t) minimum;
}

/* Modulo 2^64; each step doubles the number of right bits. */
static uint64_t
inverse_of_odd(uint64_t odd)
{
	uint64_t inverse = odd * 3 ^ 2;

	for (int step = 0; step < 4; step++)
		inverse *= 2 - odd * inverse;
	return inverse;
}

static HZ_CLONES void
divide(uint64_t *offsets, uint32_t count, uint32_t shift, uint64_t inverse)
{
	for (uint32_t i = 0; i < count; i++)
		offsets[i] = (offsets[i] >> shift) * inverse;
}

/* The greatest common divisor of the offsets, which are known to be multiples of `common`; 0 if all are 0. */
static uint64_t
find_divisor(const uint64_t *offsets, uint32_t count, uint64_t common)
{
	uint64_t divisor = 0, inverse = 1, limit = 0;
	uint32_t shift = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t product = offsets[i] * inverse;

		if ((product >> shift | product << ((64 - shift) & 63)) <= limit)
			continue; /* a multiple of the divisor */
		divisor = hz_gcd(offsets[i], divisor);
		if (divisor == common)
			return divisor;
		shift = (uint32_t) __builtin_ctzll(divisor);
		inverse = inverse_of_odd(divisor >> shift);
		limit = UINT64_MAX / divisor;
	}
	return divisor;
}

/* Divides the offsets by their common divisor when that makes a smaller piece. Returns their width. */
static uint32_t
reduce_offsets(uint32_t count, uint64_t range, HzIntPlan *plan)
{
	uint32_t bits = hz_bitpack_width(range);
	uint32_t reduced = hz_bitpack_width(range / plan->common);

	if (plan->common > 1 && hz_bitpack_size(count, reduced) + 8 < hz_bitpack_size(count, bits))
	{
		uint32_t shift = (uint32_t) __builtin_ctzll(plan->common);

		plan->divisor = plan->common;
		divide(plan->offsets, count, shift, inverse_of_odd(plan->divisor >> shift));
		return reduced;
	}
	return bits;
}

void
hz_int_plan(const int64_t *values, uint32_t count, uint64_t common, size_t limit, HzIntPlan *plan)
{
	int64_t minimum, maximum;
	uint64_t range;
	uint32_t bits, slot;
	size_t size;

	find_extent(values, count, &minimum, &maximum);
	range = (uint64_t) maximum - (uint64_t) minimum;
	slot = hz_int_slot(minimum);
	if (slot < hz_int_slot(maximum))
		slot = hz_int_slot(maximum);
	plan->base = (uint64_t) minimum;
	plan->slot = slot;
	plan->range = range;
	plan->divisor = 1;
	plan->high_bits = 0;
	plan->exceptions = 0;
	if (range == 0)
	{
		plan->encoding = HZ_ENCODING_CONSTANT;
		plan->size = 1 + slot;
		plan->common = 0;
		return;
	}
	subtract(values, count, minimum, plan->offsets);
	plan->common = find_divisor(plan->offsets, count, common);
	bits = reduce_offsets(count, range, plan);
	plan->encoding = HZ_ENCODING_PLAIN;
	plan->size = 2 + (size_t) slot * count;
	plan->bits = bits;
	size = HZ_INT_FOR_HEADER + (plan->divisor > 1 ? 8 : 0) + hz_bitpack_size(count, bits);
	if (size < plan->size)
	{
		plan->encoding = HZ_ENCODING_FOR;
		plan->size = size;
	}
	if (bits > 1)
		hz_int_patch(count, bits, limit, plan);
}
