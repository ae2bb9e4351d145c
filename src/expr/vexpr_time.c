/*
 * expr/vexpr_time.c
 *	  Dates and timestamps: days and microseconds since 2000-01-01, whose least and greatest values are infinities.
 */
#include "encoding/clones.h"
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_node.h"

/* ---- dates to timestamps and back */

static bool
date_compared(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			  HzLane *lane)
{
	const int32_t *dates = in->values;
	int64_t *out = lane->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int32_t date = dates[row];

		out[row] = date == INT32_MIN               ? INT64_MIN
				   : date == INT32_MAX             ? INT64_MAX
				   : date >= HZ_DATE_TIMESTAMP_END ? INT64_MAX - 1
												   : date * HZ_USECS_PER_DAY;
	}
	return true;
}

bool
hz_vexpr_date_compared_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, date_compared, rows, out);
}

static bool
to_date(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	const int64_t *timestamps = in->values;
	int32_t *out = lane->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];

		out[row] = t == INT64_MIN   ? INT32_MIN
				   : t == INT64_MAX ? INT32_MAX
									: (int32_t) hz_floor_div(t + expr->offset, HZ_USECS_PER_DAY);
	}
	return true;
}

bool
hz_vexpr_to_date_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, to_date, rows, out);
}

static bool
from_date(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	const int32_t *dates = in->values;
	int64_t *out = lane->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int32_t date = dates[row];

		if (!hz_date_is_finite(date))
		{
			out[row] = date == INT32_MIN ? INT64_MIN : INT64_MAX;
			continue;
		}
		if (date >= HZ_DATE_TIMESTAMP_END)
			return hz_eval_fail(eval, HZ_EVAL_DATE_TIMESTAMP_RANGE);
		out[row] = date * HZ_USECS_PER_DAY - expr->offset;
		if (!hz_time_is_valid(out[row]))
			return hz_eval_fail(eval, HZ_EVAL_DATE_TIMESTAMP_RANGE);
	}
	return true;
}

bool
hz_vexpr_from_date_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, from_date, rows, out);
}

/* ---- timestamps and intervals */

/* Days and time are added one after the other, and either may leave the range of timestamps. */
static bool
move(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	const int64_t *timestamps = in->values;
	int64_t *out = lane->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];

		if (hz_time_is_finite(t))
		{
			bool good = !__builtin_add_overflow(t, expr->shift, &t) &&
						(expr->shift == 0 || hz_time_is_valid(t)) &&
						!__builtin_add_overflow(t, expr->number, &t) && hz_time_is_valid(t);

			if (!good && hz_vector_valid(in, row))
				return hz_eval_fail(eval, HZ_EVAL_TIMESTAMP_RANGE);
		}
		out[row] = t;
	}
	return true;
}

bool
hz_vexpr_move_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, move, rows, out);
}

/* ---- dates and days */

static HzEvalFailure
date_add(HzArithOp op, int32_t date, int32_t days, int32_t *out)
{
	int64_t sum = op == HZ_ADD ? (int64_t) date + days : (int64_t) date - days;

	*out = (int32_t) sum;
	if (op == HZ_DIV)
		return hz_date_is_finite(date) && hz_date_is_finite(days) ? HZ_EVAL_OK
																  : HZ_EVAL_INFINITE_DATES;
	if (!hz_date_is_finite(date))
		*out = date;
	else if (sum < HZ_DATE_MIN || sum >= HZ_DATE_END)
		return HZ_EVAL_DATE_RANGE;
	return HZ_EVAL_OK;
}

/* Slot i of a vector, or slot 0 of a constant. */
static bool
add_days(HzEval *eval, const HzVexpr *expr, const HzVector *in, const int32_t *dates,
		 uint32_t date_step, const int32_t *days, uint32_t day_step, const HzRows *rows,
		 HzLane *lane)
{
	int32_t *out = lane->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		HzEvalFailure failure =
			date_add((HzArithOp) expr->op, dates[row * date_step], days[row * day_step], &out[row]);

		if (failure != HZ_EVAL_OK && hz_vector_valid(in, row))
			return hz_eval_fail(eval, failure);
	}
	return true;
}

static bool
add_constant(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	return add_days(eval, expr, in, in->values, 1, expr->args[1]->constant.values, 0, rows, lane);
}

static bool
add_to_constant(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
				HzLane *lane)
{
	return add_days(eval, expr, in, expr->args[0]->constant.values, 0, in->values, 1, rows, lane);
}

static bool
add_vectors(HzEval *eval, const HzVexpr *expr, const HzVector *a, const HzVector *b,
			const HzRows *rows, HzLane *lane)
{
	return add_days(eval, expr, a, a->values, 1, b->values, 1, rows, lane);
}

bool
hz_vexpr_date_add_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	const HzVexpr *left = expr->args[0];
	const HzVexpr *right = expr->args[1];
	HzVector in;

	if (!left->is_constant && !right->is_constant)
		return hz_eval_map2(eval, expr, add_vectors, rows, out);
	if (!hz_eval_value(eval, left->is_constant ? right : left, rows, &in))
		return false;
	if ((left->is_constant ? left : right)->constant.validity != NULL)
	{
		hz_null_vector(eval, expr, out);
		return true;
	}
	return hz_eval_map(eval, expr, left->is_constant ? add_to_constant : add_constant, &in, rows,
					   out);
}
