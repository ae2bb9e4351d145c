/*
 * expr/vexpr_number.c
 *	  Numerics that are scaled integers as integers, rounded away from zero at the half, and as doubles.
 *
 * Doubles are exact to the last bit, as those that PostgreSQL reads from a numeric's text are: an integer of 53 bits and a power of ten up to
 * 10^22 are doubles themselves, and their quotient is rounded once. What is no such number is left to the node's last argument.
 */
#include "expr/vexpr_node.h"

#define MAX_POWER 18 /* 10^18 fits 64 bits */
#define EXACT (INT64_C(1) << 53)

static int64_t
rounded(int64_t value, int64_t unit)
{
	int64_t quotient = value / unit;
	int64_t rest = value % unit;

	/* of unit 1 there is none */
	if (rest >= unit - rest && rest > 0)
		quotient++;
	else if (rest < 0 && -rest >= unit + rest)
		quotient--;
	return quotient;
}

/* False: it has no place in the result's type. */
static bool
put_number(HzKind kind, int64_t value, int64_t unit, void *out, uint32_t row)
{
	int64_t whole;

	if (kind == HZ_KIND_FLOAT64)
	{
		((double *) out)[row] = (double) value / (double) unit;
		return value >= -EXACT && value <= EXACT;
	}
	whole = rounded(value, unit);
	switch (kind)
	{
		case HZ_KIND_INT16:
			((int16_t *) out)[row] = (int16_t) whole;
			return whole == (int16_t) whole;
		case HZ_KIND_INT32:
			((int32_t *) out)[row] = (int32_t) whole;
			return whole == (int32_t) whole;
		default:
			((int64_t *) out)[row] = whole;
			return true;
	}
}

static bool
number_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			  HzLane *lane)
{
	int64_t unit = 1;

	(void) eval;
	if (in->numeric != HZ_NUMERIC_INT64 || in->scale > MAX_POWER)
		return false;
	for (int i = 0; i < in->scale; i++)
		unit *= 10;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (!put_number(expr->kind, ((const int64_t *) in->values)[row], unit, lane->values, row))
			return false;
	}
	return true;
}

bool
hz_vexpr_number_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	/* the kernel fails where it cannot be done, and for nothing else */
	return hz_eval_map(eval, expr, number_kernel, &in, rows, out) ||
		   hz_eval_value(eval, expr->args[1], rows, out);
}
