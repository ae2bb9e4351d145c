/*
 * unit/test_select.c
 *	  The k-th smallest of collected values (agg/select.c) against a sorted copy.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agg/aggregate.h"
#include "unit/unit.h"

#define MOST 200000

static int64_t values[MOST];
static int64_t sorted[MOST];

static int
compare_integers(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a;
	int64_t y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

static uint64_t polls;

static void
poll(void)
{
	polls++;
}

/* NaN is the greatest. */
static int
compare_reals(const void *a, const void *b)
{
	double x;
	double y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return (x > y) - (x < y);
}

static int64_t
bits_of(double real)
{
	int64_t bits;

	memcpy(&bits, &real, sizeof(bits));
	return bits;
}

/* Value i of a shape: few and many of them, near and far from each other, at the ends of the type. */
static int64_t
make_integer(int shape)
{
	switch (shape)
	{
		case 0:
			return (int64_t) unit_random();
		case 1:
			return (int64_t) (unit_random() % 3) - 1;
		case 2:
			return (int64_t) (unit_random() % 50000);
		case 3:
			return 7;
		case 4:
			return unit_random() % 100 == 0 ? (int64_t) unit_random()
											: 1000000 + (int64_t) (unit_random() % 5);
		case 5:
			return unit_random() % 2 ? INT64_MIN + (int64_t) (unit_random() % 4)
									 : INT64_MAX - (int64_t) (unit_random() % 4);
		default:
			return INT64_C(1) << unit_random() % 63;
	}
}

static int64_t
make_real(int shape)
{
	static const double special[] = {0.0,      -0.0,      1e-320, -1e-320, 1.0,   -1.0,
									 INFINITY, -INFINITY, NAN,    -NAN,    1e308, -1e308};

	switch (shape)
	{
		case 0:
			return (int64_t) unit_random();
		case 1:
			return bits_of(special[unit_random() % 12]);
		case 2:
			return bits_of((double) (unit_random() % 50000));
		case 3:
			return bits_of(NAN);
		case 4:
			return bits_of(unit_random() % 100 == 0 ? special[unit_random() % 12]
													: (double) (unit_random() % 1000) * 0.001);
		case 5:
			return bits_of(1.0 + (double) (unit_random() % 100) * 0x1p-52);
		default:
			return bits_of(ldexp(1.0, (int) (unit_random() % 2000) - 1000) *
						   (unit_random() % 2 ? 1 : -1));
	}
}

static void
check(int shape, bool reals, int64_t count)
{
	HzCollected collected = {.values = values, .count = count, .room = MOST};
	int (*order)(const void *a, const void *b) = reals ? compare_reals : compare_integers;
	int64_t wrong = 0;

	for (int64_t i = 0; i < count; i++)
		values[i] = reals ? make_real(shape) : make_integer(shape);
	memcpy(sorted, values, sizeof(int64_t) * (size_t) count);
	qsort(sorted, (size_t) count, sizeof(int64_t), order);
	for (int turn = 0; turn < 12; turn++)
	{
		int64_t k = turn == 0   ? 0
					: turn == 1 ? count - 1
								: (int64_t) (unit_random() % (uint64_t) count);
		int64_t next;
		bool last = k == count - 1;
		int64_t found = hz_collected_select(&collected, reals, k, last ? NULL : &next,
											count > 5000 ? poll : NULL);

		/* equal ones may look different: zeroes, and NaNs */
		wrong += order(&found, &sorted[k]) != 0;
		wrong += !last && order(&next, &sorted[k + 1]) != 0;
	}
	CHECK(wrong == 0);
	/* they are the same values, in another order */
	qsort(values, (size_t) count, sizeof(int64_t), order);
	for (int64_t i = 0; i < count; i++)
		wrong += order(&values[i], &sorted[i]) != 0;
	CHECK(wrong == 0);
}

int
main(void)
{
	static const int64_t counts[] = {1, 2, 3, 100, 512, 513, 5000, 65536, MOST};

	for (int shape = 0; shape < 7; shape++)
	{
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
		{
			check(shape, false, counts[c]);
			check(shape, true, counts[c]);
		}
	}
	CHECK(polls > 0);
	return unit_summary();
}
