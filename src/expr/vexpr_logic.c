/*
 * expr/vexpr_logic.c
 *	  AND, OR, NOT, IS NULL, IS TRUE and their kin: three-valued logic.
 *
 * PostgreSQL evaluates the next argument of AND where all before are true or null, that of OR where all are false or
 * null. Filters drop the nulls, too, where they can change nothing: unless an argument may fail.
 */
#include "expr/vexpr_node.h"

#define ROOM (HZ_VECTOR_ROWS + 64) /* of a selection vector, see hz_rows_where() */

static uint16_t *
new_rows(HzEval *eval)
{
	return hz_bump_alloc(&eval->batch, sizeof(uint16_t) * ROOM);
}

/* A FLAT vector of booleans. */
static void
bool_vector(const HzEval *eval, const uint8_t *values, const uint64_t *validity, HzVector *out)
{
	memset(out, 0, sizeof(HzVector));
	out->kind = HZ_KIND_BOOL;
	out->form = HZ_FORM_FLAT;
	out->width = 1;
	out->count = eval->rows;
	out->values = values;
	out->validity = validity;
}

/* ---- as filters */

/* Rows where all arguments are `want`, one after the other. */
static bool
all_are(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want, uint16_t *out,
		uint32_t *count)
{
	HzRows left = *rows;

	for (uint32_t i = 0; i < expr->count && left.count > 0; i++)
	{
		uint16_t *next = i + 1 == expr->count ? out : new_rows(eval);
		uint32_t n;

		if (!hz_eval_where(eval, expr->args[i], &left, want, next, &n))
			return false;
		left = (HzRows){.count = n, .at = next};
	}
	if (left.count > 0 && left.at != out)
		memcpy(out, left.at, sizeof(uint16_t) * left.count);
	*count = left.count;
	return true;
}

/* Rows where any argument is `want`: each is asked about those only where none before is. */
static bool
any_is(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want, uint16_t *out,
	   uint32_t *count)
{
	uint8_t *hit = hz_bump_zero(&eval->batch, HZ_VECTOR_ROWS);
	uint16_t *found = new_rows(eval);
	HzRows left = *rows;
	HzVector hits;

	bool_vector(eval, hit, NULL, &hits);
	for (uint32_t i = 0; i < expr->count && left.count > 0; i++)
	{
		uint32_t found_count;
		uint16_t *rest;

		if (!hz_eval_where(eval, expr->args[i], &left, want, found, &found_count))
			return false;
		for (uint32_t k = 0; k < found_count; k++)
			hit[found[k]] = 1;
		if (found_count == 0 || i + 1 == expr->count)
			continue;
		rest = new_rows(eval);
		left.count = hz_rows_where(&hits, &left, false, rest);
		left.at = rest;
	}
	*count = hz_rows_where(&hits, rows, true, out);
	return true;
}

/* By the values, which are exact about where arguments are evaluated. */
static bool
by_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want, uint16_t *out,
		 uint32_t *count)
{
	HzVector truth;

	if (!expr->value(eval, expr, rows, &truth))
		return false;
	*count = hz_rows_where(&truth, rows, want, out);
	return true;
}

bool
hz_vexpr_and_filter(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want, uint16_t *out,
					uint32_t *count)
{
	if (expr->can_fail)
		return by_value(eval, expr, rows, want, out, count);
	return want ? all_are(eval, expr, rows, want, out, count)
				: any_is(eval, expr, rows, want, out, count);
}

bool
hz_vexpr_or_filter(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want, uint16_t *out,
				   uint32_t *count)
{
	if (want)
		return any_is(eval, expr, rows, want, out, count);
	if (expr->can_fail)
		return by_value(eval, expr, rows, want, out, count);
	return all_are(eval, expr, rows, want, out, count);
}

bool
hz_vexpr_not_filter(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want, uint16_t *out,
					uint32_t *count)
{
	return hz_eval_where(eval, expr->args[0], rows, !want, out, count);
}

/* ---- as values */

/* AND: decider false; OR: true. The first argument that is the decider decides; else a null makes it null. */
static bool
connect(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool decider, HzVector *out)
{
	uint8_t *values = hz_bump_alloc(&eval->batch, HZ_VECTOR_ROWS + 64);
	uint64_t *validity = hz_bump_alloc(&eval->batch, sizeof(uint64_t) * HZ_BATCH_WORDS);
	HzRows left = *rows;

	memset(values, !decider, HZ_VECTOR_ROWS);
	memset(validity, 0xFF, sizeof(uint64_t) * HZ_BATCH_WORDS);
	for (uint32_t i = 0; i < expr->count && left.count > 0; i++)
	{
		uint16_t *next = new_rows(eval);
		uint32_t n = 0;
		HzVector truth;

		if (!hz_eval_value(eval, expr->args[i], &left, &truth))
			return false;
		for (uint32_t k = 0; k < left.count; k++)
		{
			uint32_t row = hz_rows_at(&left, k);
			bool valid = hz_vector_valid(&truth, row);
			bool decided =
				valid && ((const uint8_t *) truth.values)[hz_vector_slot(&truth, row)] == decider;

			if (decided)
			{
				values[row] = decider;
				hz_bitmap_set(validity, row);
				continue;
			}
			if (!valid)
				hz_bitmap_clear(validity, row);
			next[n++] = (uint16_t) row;
		}
		left = (HzRows){.count = n, .at = next};
	}
	bool_vector(eval, values, validity, out);
	return true;
}

bool
hz_vexpr_and_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return connect(eval, expr, rows, false, out);
}

bool
hz_vexpr_or_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return connect(eval, expr, rows, true, out);
}

static bool
not_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	const uint8_t *values = in->values;
	uint8_t *out = lane->values;

	(void) eval;
	(void) expr;
	for (uint32_t i = 0; i < rows->count; i++)
		out[hz_rows_at(rows, i)] = !values[hz_rows_at(rows, i)];
	return true;
}

bool
hz_vexpr_not_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, not_kernel, rows, out);
}

/* ---- tests, which are never null */

/* One value for all rows. */
static void
bool_constant(const HzEval *eval, bool value, HzVector *out)
{
	static const uint8_t both[2] = {0, 1};

	bool_vector(eval, &both[value], NULL, out);
	out->form = HZ_FORM_CONSTANT;
}

bool
hz_vexpr_null_test_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	bool is_null = expr->op == 0;
	uint8_t *values;
	HzVector in;

	if (!hz_eval_nulls(eval, expr->args[0], rows, &in))
		return false;
	if (in.validity == NULL)
	{
		bool_constant(eval, !is_null, out);
		return true;
	}
	values = hz_bump_alloc(&eval->batch, HZ_VECTOR_ROWS + 64);
	for (uint32_t i = 0; i < eval->rows; i++)
		values[i] = hz_bitmap_get(in.validity, i) != is_null;
	bool_vector(eval, values, NULL, out);
	return true;
}

bool
hz_vexpr_bool_test_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	uint8_t *values;
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	values = hz_bump_alloc(&eval->batch, HZ_VECTOR_ROWS + 64);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int state = 2;

		if (hz_vector_valid(&in, row))
			state = ((const uint8_t *) in.values)[hz_vector_slot(&in, row)] != 0;
		values[row] = (expr->op >> state) & 1;
	}
	bool_vector(eval, values, NULL, out);
	return true;
}
