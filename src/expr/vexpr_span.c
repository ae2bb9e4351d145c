/*
 * expr/vexpr_span.c
 *	  extract(epoch FROM a - b) of two timestamps: seconds with six digits behind the point, whatever days the interval between has;
 *	  and floor() of numerics and of their quotients by a constant, which such seconds are often put into: Grafana's
 *	  floor(extract(epoch from t) / 300) * 300.
 *
 * Infinities, differences beyond 64 bits and numerics that are no scaled integers are left to the node's last argument, which computes
 * the same in another way.
 */
#include "encoding/clones.h"
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_node.h"

#define MAX_POWER 18 /* 10^18 fits 64 bits */

/* A FLAT vector of integers with a scale for the rows of the batch. */
static int64_t *
begin_result(HzEval *eval, uint16_t scale, HzVector *out)
{
	int64_t *values = hz_bump_zero(&eval->batch, sizeof(int64_t) * eval->rows);

	memset(out, 0, sizeof(HzVector));
	out->kind = HZ_KIND_NUMERIC;
	out->form = HZ_FORM_FLAT;
	out->numeric = HZ_NUMERIC_INT64;
	out->scale = scale;
	out->width = sizeof(int64_t);
	out->count = eval->rows;
	out->values = values;
	return values;
}

/* False: some row has no such difference. */
static bool
subtract(const int64_t *a, const int64_t *b, const HzRows *rows, int64_t *out)
{
	bool good = true;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		good &= hz_time_is_finite(a[row]) && hz_time_is_finite(b[row]) &&
				!__builtin_sub_overflow(a[row], b[row], &out[row]);
	}
	return good;
}

bool
hz_vexpr_span_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector a;
	HzVector b;

	if (!hz_eval_value(eval, expr->args[0], rows, &a) ||
		!hz_eval_value(eval, expr->args[1], rows, &b))
		return false;
	hz_vector_flatten(eval, &a, rows);
	hz_vector_flatten(eval, &b, rows);
	if (!subtract(a.values, b.values, rows, begin_result(eval, 6, out)))
		return hz_eval_value(eval, expr->args[2], rows, out);
	out->validity = hz_validity_and(eval, a.validity, b.validity);
	return true;
}

/* ---- floor of a quotient */

#define DIGIT 10000           /* numerics count in it */
#define SIGNIFICANT_DIGITS 16 /* decimal, of a quotient */

/* The weight of a whole number's first digit to that base, and the digit. */
static int
weight_of(int64_t value, int64_t *first)
{
	int weight = 0;

	for (; value >= DIGIT; value /= DIGIT)
		weight++;
	*first = value;
	return weight;
}

/*
 * PostgreSQL rounds a quotient to as many digits as select_div_scale() of its numeric.c says, the fewer the greater it is. Whether the
 * floor is that of the exact one all the same, for all dividends up to `greatest` (whole units): whatever is no whole number is at least
 * 1 / unit away from the next, which must be more than what rounding moves it.
 */
static bool
rounding_keeps_floor(int64_t greatest, int64_t divisor, uint16_t scale, int64_t unit)
{
	int64_t first;
	int64_t divisor_first;
	int weight = weight_of(greatest, &first) - weight_of(divisor, &divisor_first);
	int digits;
	int64_t power = 1;

	if (first <= divisor_first)
		weight--;
	digits = SIGNIFICANT_DIGITS - weight * 4;
	if (digits < scale)
		digits = scale;
	if (digits > MAX_POWER)
		digits = MAX_POWER;
	for (int i = 0; i < digits; i++)
		power *= 10;
	return unit <= power;
}

/* The greatest of the selected values, their signs left out. */
static int64_t
greatest_of(const HzVector *in, const HzRows *rows)
{
	const int64_t *values = in->values;
	int64_t low = 0;
	int64_t high = 0;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		int64_t value = values[hz_rows_at(rows, i)];

		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	/* one less than the least has, which is too large for a sign in one case */
	return -(low + 1) > high ? -(low + 1) : high;
}

/* 10^scale times the node's divisor; false: that, or a quotient, is not for this. */
static bool
find_unit(const HzVexpr *expr, const HzVector *in, const HzRows *rows, int64_t *unit)
{
	int64_t power = 1;
	int64_t greatest;

	if (in->numeric != HZ_NUMERIC_INT64 || in->scale > MAX_POWER)
		return false;
	for (int i = 0; i < in->scale; i++)
		power *= 10;
	if (__builtin_mul_overflow(power, expr->number, unit))
		return false;
	if (expr->number == 1)
		return true;
	/* rounded up; and times may be down at the start of the quotient's bucket: one divisor more */
	greatest = greatest_of(in, rows) / power;
	return !__builtin_add_overflow(greatest, expr->number + 1, &greatest) &&
		   rounding_keeps_floor(greatest, expr->number, in->scale, *unit);
}

static int64_t
floor_of(int64_t value, int64_t unit)
{
	int64_t quotient = value / unit;

	return quotient - (value % unit < 0);
}

static bool
floor_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	const int64_t *values = in->values;
	int64_t unit;

	(void) eval;
	if (!find_unit(expr, in, rows, &unit))
		return false;
	lane->numeric = HZ_NUMERIC_INT64;
	lane->scale = 0;
	lane->width = sizeof(int64_t);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		((int64_t *) lane->values)[row] = floor_of(values[row], unit);
	}
	return true;
}

bool
hz_vexpr_floor_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	/* the kernel fails where it cannot be done, and for nothing else */
	return hz_eval_map(eval, expr, floor_kernel, &in, rows, out) ||
		   hz_eval_value(eval, expr->args[1], rows, out);
}
