/*
 * expr/vexpr_span.c
 *	  extract(epoch FROM a - b) of two timestamps: seconds with six digits behind the point, whatever days the interval between has;
 *	  and floor() of numerics, which such seconds are often put into.
 *
 * Infinities, differences beyond 64 bits and numerics that are no scaled integers are left to the node's last argument, which computes
 * the same in another way.
 */
#include "encoding/clones.h"
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_node.h"

#define MAX_POWER 18 /* 10^18 fits 64 bits */

/* A FLAT or CONSTANT vector of integers with a scale for the rows of the batch. */
static int64_t *
begin_result(HzEval *eval, HzForm form, uint16_t scale, HzVector *out)
{
	int64_t *values =
		hz_bump_zero(&eval->batch, sizeof(int64_t) * (form == HZ_FORM_FLAT ? eval->rows : 1));

	memset(out, 0, sizeof(HzVector));
	out->kind = HZ_KIND_NUMERIC;
	out->form = form;
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
	if (!subtract(a.values, b.values, rows, begin_result(eval, HZ_FORM_FLAT, 6, out)))
		return hz_eval_value(eval, expr->args[2], rows, out);
	out->validity = hz_validity_and(eval, a.validity, b.validity);
	return true;
}

static int64_t
floor_of(int64_t value, int64_t unit)
{
	int64_t quotient = value / unit;

	return quotient - (value % unit < 0);
}

bool
hz_vexpr_floor_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;
	int64_t unit = 1;
	int64_t *values;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	if (in.numeric != HZ_NUMERIC_INT64 || in.scale > MAX_POWER)
		return hz_eval_value(eval, expr->args[1], rows, out);
	for (int i = 0; i < in.scale; i++)
		unit *= 10;
	if (in.form == HZ_FORM_DICT)
		hz_vector_flatten(eval, &in, rows);
	values = begin_result(eval, in.form, 0, out);
	out->validity = in.validity;
	if (in.form == HZ_FORM_CONSTANT)
	{
		values[0] = floor_of(*(const int64_t *) in.values, unit);
		return true;
	}
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		values[row] = floor_of(((const int64_t *) in.values)[row], unit);
	}
	return true;
}
