/*
 * expr/vexpr_length.c
 *	  What can be said of strings without their bytes: lengths, whether they are empty, whether they are null.
 *
 * Chunks keep the lengths of strings apart from their bytes, so those of a column are asked for first. Where they are not
 * to be had (dictionaries, rows of the delta) the strings themselves tell.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

void
hz_eval_use_lengths(HzEval *eval, HzColumnGet get_lengths)
{
	eval->get_lengths = get_lengths;
}

/* The lengths of the strings of a column; false: ask for the strings. */
static bool
column_lengths(HzEval *eval, const HzVexpr *expr, HzVector *out)
{
	const HzVector *lengths;

	if (eval->get_lengths == NULL || expr->value != hz_vexpr_column_value ||
		expr->kind != HZ_KIND_BYTES)
		return false;
	lengths = eval->get_lengths(eval->arg, expr->column);
	if (lengths == NULL)
		return false;
	*out = *lengths;
	return true;
}

bool
hz_eval_nulls(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return column_lengths(eval, expr, out) || hz_eval_value(eval, expr, rows, out);
}

/* ---- lengths */

static HZ_CLONES int32_t
count_characters(const uint8_t *data, uint64_t length)
{
	int32_t count = 0;

	for (uint64_t i = 0; i < length; i++)
		count += (data[i] & 0xC0) != 0x80;
	return count;
}

/* The slots of nulls are empty strings. */
static bool
length_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			  HzLane *lane)
{
	const HzString *strings = in->values;
	int32_t *lengths = lane->values;

	(void) eval;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		lengths[row] = expr->op == 0 ? (int32_t) strings[row].length
									 : count_characters(strings[row].data, strings[row].length);
	}
	return true;
}

bool
hz_vexpr_length_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	if (expr->op == 0 && column_lengths(eval, expr->args[0], out))
		return true;
	return hz_eval_map_arg(eval, expr, length_kernel, rows, out);
}

/* ---- comparisons with the empty string, which is less than all others */

static bool
empty_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	static const int64_t zero = 0;
	static const HzVector constant = {
		.kind = HZ_KIND_INT64, .form = HZ_FORM_CONSTANT, .width = 8, .count = 1, .values = &zero};

	(void) eval;
	hz_compare_constant(in, HZ_CLASS_INT, (HzCompareOp) expr->op, &constant, rows, lane->values);
	return true;
}

bool
hz_compare_empty(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector lengths;

	if (expr->class != HZ_CLASS_BYTES ||
		((const HzString *) expr->args[1]->constant.values)->length > 0 ||
		!column_lengths(eval, expr->args[0], &lengths))
		return false;
	return hz_eval_map(eval, expr, empty_kernel, &lengths, rows, out);
}
