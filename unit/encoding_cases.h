/*
 * unit/encoding_cases.h
 *	  Vectors of integers and floats that the encoding tests share.
 */
#ifndef HZ_ENCODING_CASES_H
#define HZ_ENCODING_CASES_H

#include <math.h>

#include "base/vector.h"
#include "unit/unit.h"

static const uint32_t case_counts[] = {1,   2,    3,    5,    63,   64,   65,
									   100, 1000, 1023, 1024, 1025, 2047, 2048};

#define CASE_COUNTS (sizeof(case_counts) / sizeof(case_counts[0]))
#define INT_CASES 26
#define FLOAT_CASES 17

static const char *const int_case_names[INT_CASES] = {"zero",
													  "minus one",
													  "large constant",
													  "runs of 50",
													  "runs of 3",
													  "two runs",
													  "0, 1, 2",
													  "steps of 1000 down",
													  "sorted",
													  "milliseconds",
													  "seconds",
													  "random seconds",
													  "one outlier",
													  "1 % outliers",
													  "extremes in turn",
													  "extremes at random",
													  "minimum once",
													  "near the top of int2",
													  "near the top of int4",
													  "near the top of int8",
													  "int1 whole range",
													  "restarts",
													  "mostly zero",
													  "divisor above 32 bits",
													  "steps with two divisors",
													  "multiples whose deltas wrap"};

/* Value i of the case; `before` is value i - 1 (0 for the first). */
static inline int64_t
int_case(int which, uint32_t i, int64_t before)
{
	uint64_t r = unit_random();

	switch (which)
	{
		case 0:
			return 0;
		case 1:
			return -1;
		case 2:
			return INT64_C(-1700000000000000);
		case 3:
			return i / 50 * 37 % 11;
		case 4:
			return r % 3 ? before : (int64_t) (r >> 40);
		case 5:
			return i < 40 ? INT64_MIN : 5;
		case 6:
			return i;
		case 7:
			return INT64_C(1) - (int64_t) i * 1000;
		case 8:
			return before + (int64_t) (r % 200);
		case 9:
			return (i ? before : INT64_C(1700000000123456)) + (int64_t) (r % 5000) * 1000;
		case 10:
			return (i ? before : INT64_C(1700000000000000)) + (int64_t) (r % 50) * 1000000;
		case 11:
			return INT64_C(1700000000000000) + (int64_t) (r % 604800) * 1000000;
		case 12:
			return i == 1 ? INT64_C(1) << 60 : (int64_t) (r % 100);
		case 13:
			return r % 100 ? (int64_t) (r >> 8) % 64 : (int64_t) (r >> 34);
		case 14:
			return i % 2 ? INT64_MAX : INT64_MIN;
		case 15:
			return r % 3 == 0 ? INT64_MAX : r % 3 == 1 ? INT64_MIN : 0;
		case 16:
			return i == 0 ? INT64_MIN : (int64_t) (r % 1000);
		case 17:
			return 32767 - (int64_t) (r % 300);
		case 18:
			return 2147483647 - (int64_t) (r % 70000);
		case 19:
			return INT64_MAX - (int64_t) (r % 70000);
		case 20:
			return (int8_t) r;
		case 21:
			return i % 300 == 299 ? -90000000 : before + (int64_t) (r % 5000);
		case 22:
			return r % 50 ? 0 : (int64_t) (r >> 20);
		case 23:
			return (int64_t) (r % 3000) * (INT64_C(1) << 33) * 3 - INT64_C(77777777777);
		case 25:
			return (i / 60 % 2 ? INT64_MIN / 3072 + (int64_t) (r % 1000)
							   : INT64_MAX / 3072 - (int64_t) (r % 1000)) *
				   3072;
		default:
			return i ? before + 3 + (int64_t) (r % 9) * 10 : 7;
	}
}

static inline void
fill_int_case(int which, uint32_t count, int64_t *values)
{
	unit_seed = 88172645463325252u;
	for (uint32_t i = 0; i < count; i++)
		values[i] = int_case(which, i, i ? values[i - 1] : 0);
}

/* Random integers of `bits` bits, 0 to 64. */
static inline void
fill_random_bits(uint32_t bits, uint32_t count, int64_t *values)
{
	unit_seed = 88172645463325252u;
	for (uint32_t i = 0; i < count; i++)
		values[i] = bits == 0 ? 0 : (int64_t) (unit_random() >> (64 - bits));
}

static const char *const float_case_names[FLOAT_CASES] = {"constant",
														  "NaN only",
														  "prices",
														  "prices to 12 digits",
														  "whole numbers",
														  "thousandths",
														  "random in 0..1",
														  "normal",
														  "random bits",
														  "runs",
														  "prices with NaN and -0",
														  "infinities",
														  "denormals",
														  "large decimals",
														  "signs of zero",
														  "NaN payloads",
														  "sorted prices"};

/* Value i of the case as the bits of a double. */
static inline double
float_case(int which, uint32_t i, double before)
{
	uint64_t r = unit_random();
	double unit = (double) (r >> 11) / 9007199254740992.0;
	double value;

	switch (which)
	{
		case 0:
			return -0.1;
		case 1:
			return NAN;
		case 2:
			return (double) (r % 1000000) / 100;
		case 3:
			return (double) (r % UINT64_C(1000000000000)) / 100;
		case 4:
			return (double) (r % 100000);
		case 5:
			return ((double) (r % 2000000) - 1000000) / 1000;
		case 6:
			return unit;
		case 7:
			return sqrt(-2 * log(unit + 1e-9)) * cos((double) (r % 6283) / 1000);
		case 8:
			memcpy(&value, &r, 8);
			return value;
		case 9:
			return r % 20 && i ? before : unit * 1e6;
		case 10:
			return r % 20 == 0 ? NAN : r % 20 == 1 ? -0.0 : (double) (r % 10000) / 100;
		case 11:
			return r % 7 == 0 ? INFINITY : r % 7 == 1 ? -INFINITY : 2.5 * (double) (r % 8);
		case 12:
			return 4.9e-324 * (double) (r % 1000);
		case 13:
			return (double) (r % 1000) * 1e19;
		case 14:
			return r % 2 ? 0.0 : -0.0;
		case 15:
			r = UINT64_C(0x7FF0000000000001) | (r & UINT64_C(0x800FFFFFE0000000));
			memcpy(&value, &r, 8);
			return value;
		default:
			return (double) llround((i ? before : 99.5) * 100 + (double) (r % 10)) / 100;
	}
}

/* Fills count slots of 4 or 8 bytes. */
static inline void
fill_float_case(int which, uint32_t count, uint32_t width, void *values)
{
	double before = 0;

	unit_seed = 88172645463325252u;
	for (uint32_t i = 0; i < count; i++)
	{
		double value = float_case(which, i, before);

		if (width == 8)
			memcpy((uint8_t *) values + 8 * i, &value, 8);
		else
		{
			uint32_t bits = (uint32_t) unit_random();
			float narrow = (float) value;

			/* Neither random bits nor NaN payloads survive a conversion. */
			if (which == 15)
				bits = 0x7F800001 | (bits & 0x803FFFFF);
			else if (which != 8)
				memcpy(&bits, &narrow, 4);
			memcpy((uint8_t *) values + 4 * i, &bits, 4);
		}
		before = value;
	}
}

#endif /* HZ_ENCODING_CASES_H */
