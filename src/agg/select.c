/*
 * agg/select.c
 *	  The k-th smallest of collected values. See aggregate.h.
 *
 * Values are counted by ranges of their order, 4,096 at a time, and those of one range moved to the front, until they are few: these are
 * sorted. So memory is read in order, a few times.
 */
#include <stdlib.h>
#include <string.h>

#include "agg/aggregate.h"
#include "encoding/clones.h"

#define RANGE_BITS 12
#define FEW 512 /* values that are sorted */
#define POLL_EVERY 1000000

/* A value's place in the order: doubles are ordered as their values, NaN last. */
static inline uint64_t
order_of(int64_t bits, bool reals)
{
	const uint64_t sign = UINT64_C(0x8000000000000000);
	double real;

	if (!reals)
		return (uint64_t) bits ^ sign;
	memcpy(&real, &bits, sizeof(real));
	/* the order of IEEE numbers is that of their bits, once negative ones are turned round; -0 is 0 */
	real += 0.0;
	memcpy(&bits, &real, sizeof(bits));
	return real != real ? UINT64_MAX : (uint64_t) bits ^ ((uint64_t) (bits >> 63) | sign);
}

/* Values whose order is from `low` on, less than 2^bits behind it; `before` others are less. With no bits all are the same. */
typedef struct Span
{
	uint64_t low;
	int bits;
	int64_t before;
	int64_t count;
} Span;

/* The end of the block of values that begins at `first`, before which interrupts are looked for. */
static inline int64_t
begin_block(int64_t first, int64_t count, void (*poll)(void))
{
	if (poll != NULL)
		poll();
	return count - first < POLL_EVERY ? count : first + POLL_EVERY;
}

HZ_INLINE void
find_span(const int64_t *values, int64_t count, bool reals, Span *span, void (*poll)(void))
{
	uint64_t low = UINT64_MAX;
	uint64_t high = 0;

	for (int64_t i = 0; i < count;)
	{
		int64_t end = begin_block(i, count, poll);

		for (; i < end; i++)
		{
			uint64_t order = order_of(values[i], reals);

			low = order < low ? order : low;
			high = order > high ? order : high;
		}
	}
	*span = (Span){.low = low, .count = count};
	while (span->bits < 64 && (high - low) >> span->bits != 0)
		span->bits++;
}

/* Makes the span, whose values come first, that part of it, of 2^RANGE_BITS, where the k-th value is; whose values come first then. */
HZ_INLINE void
narrow(int64_t *values, bool reals, int64_t k, Span *span, void (*poll)(void))
{
	int64_t counts[1 << RANGE_BITS] = {0};
	int shift = span->bits > RANGE_BITS ? span->bits - RANGE_BITS : 0;
	uint64_t range = 0;
	int64_t first = 0;

	for (int64_t i = 0; i < span->count;)
	{
		int64_t end = begin_block(i, span->count, poll);

		for (; i < end; i++)
			counts[(order_of(values[i], reals) - span->low) >> shift]++;
	}
	while (span->before + counts[range] <= k)
		span->before += counts[range++];
	for (int64_t i = 0; i < span->count && first < counts[range];)
	{
		int64_t end = begin_block(i, span->count, poll);

		for (; i < end; i++)
		{
			int64_t value = values[i];

			values[i] = values[first];
			values[first] = value;
			first += (order_of(value, reals) - span->low) >> shift == range;
		}
	}
	span->low += range << shift;
	span->bits = shift;
	span->count = counts[range];
}

static int
compare_integers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a;
	int64_t y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

static int
compare_reals(const void *a, const void *b)
{
	uint64_t x = order_of(*(const int64_t *) a, true);
	uint64_t y = order_of(*(const int64_t *) b, true);

	return (x > y) - (x < y);
}

/* The value after the greatest one of a span, whose values come first. */
HZ_INLINE int64_t
value_behind(const int64_t *values, int64_t count, bool reals, const Span *span, uint64_t greatest,
			 void (*poll)(void))
{
	int64_t result = 0;
	uint64_t least = UINT64_MAX;

	for (int64_t i = span->count; i < count;)
	{
		int64_t end = begin_block(i, count, poll);

		for (; i < end; i++)
		{
			uint64_t order = order_of(values[i], reals);

			if (order <= greatest || order > least)
				continue;
			least = order;
			result = values[i];
		}
	}
	return result;
}

HZ_INLINE int64_t
select_value(HzCollected *collected, bool reals, int64_t k, int64_t *next, void (*poll)(void))
{
	int64_t *values = collected->values;
	Span span;
	int64_t result;

	find_span(values, collected->count, reals, &span, poll);
	while (span.count > FEW && span.bits > 0)
		narrow(values, reals, k, &span, poll);
	if (span.bits > 0)
		qsort(values, (size_t) span.count, sizeof(int64_t),
			  reals ? compare_reals : compare_integers);
	/* without bits, they are all the same */
	result = values[k - span.before];
	if (next != NULL)
		*next = k + 1 - span.before < span.count
					? values[k + 1 - span.before]
					: value_behind(values, collected->count, reals, &span, order_of(result, reals),
								   poll);
	return result;
}

int64_t
hz_collected_select(HzCollected *collected, bool reals, int64_t k, int64_t *next,
					void (*poll)(void))
{
	return reals ? select_value(collected, true, k, next, poll)
				 : select_value(collected, false, k, next, poll);
}
