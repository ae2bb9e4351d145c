/*
 * expr/vexpr_compare.c
 *	  Comparisons. See vexpr_node.h.
 *
 * Floats are compared as PostgreSQL does it: NaN equals NaN and is greater than all else, -0 equals 0.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

#define INT_EQ(a, b) ((a) == (b))
#define INT_LT(a, b) ((a) < (b))
#define INT_LE(a, b) ((a) <= (b))
#define FLOAT_EQ(a, b) (((a) == (b)) | (((a) != (a)) & ((b) != (b))))
#define FLOAT_LT(a, b) (((a) < (b)) | (((a) == (a)) & ((b) != (b))))
#define FLOAT_LE(a, b) (((a) <= (b)) | ((b) != (b)))

#define CMP_NAME u8
#define CMP_SLOT uint8_t
#define CMP_VALUE uint8_t
#define CMP_EQ INT_EQ
#define CMP_LT INT_LT
#define CMP_LE INT_LE
#include "expr/vexpr_compare_tmpl.h"

#define CMP_NAME i16
#define CMP_SLOT int16_t
#define CMP_VALUE int16_t
#define CMP_EQ INT_EQ
#define CMP_LT INT_LT
#define CMP_LE INT_LE
#include "expr/vexpr_compare_tmpl.h"

#define CMP_NAME i32
#define CMP_SLOT int32_t
#define CMP_VALUE int32_t
#define CMP_EQ INT_EQ
#define CMP_LT INT_LT
#define CMP_LE INT_LE
#include "expr/vexpr_compare_tmpl.h"

#define CMP_NAME u32
#define CMP_SLOT uint32_t
#define CMP_VALUE uint32_t
#define CMP_EQ INT_EQ
#define CMP_LT INT_LT
#define CMP_LE INT_LE
#include "expr/vexpr_compare_tmpl.h"

#define CMP_NAME i64
#define CMP_SLOT int64_t
#define CMP_VALUE int64_t
#define CMP_EQ INT_EQ
#define CMP_LT INT_LT
#define CMP_LE INT_LE
#include "expr/vexpr_compare_tmpl.h"

#define CMP_NAME f32
#define CMP_SLOT float
#define CMP_VALUE float
#define CMP_EQ FLOAT_EQ
#define CMP_LT FLOAT_LT
#define CMP_LE FLOAT_LE
#include "expr/vexpr_compare_tmpl.h"

/* float4 against a float8 that is no float4 */
#define CMP_NAME f32wide
#define CMP_SLOT float
#define CMP_VALUE double
#define CMP_EQ FLOAT_EQ
#define CMP_LT FLOAT_LT
#define CMP_LE FLOAT_LE
#include "expr/vexpr_compare_tmpl.h"

#define CMP_NAME f64
#define CMP_SLOT double
#define CMP_VALUE double
#define CMP_EQ FLOAT_EQ
#define CMP_LT FLOAT_LT
#define CMP_LE FLOAT_LE
#include "expr/vexpr_compare_tmpl.h"

/* ---- a vector and a constant */

/* Slot 0 as a 64-bit integer. */
static int64_t
int_of(const HzVector *vector)
{
	switch (vector->width)
	{
		case 2:
			return *(const int16_t *) vector->values;
		case 4:
			return *(const int32_t *) vector->values;
		default:
			return *(const int64_t *) vector->values;
	}
}

static double
float_of(const HzVector *vector)
{
	return vector->width == sizeof(float) ? *(const float *) vector->values
										  : *(const double *) vector->values;
}

static void
fill(const HzVector *in, const HzRows *rows, bool value, uint8_t *mask)
{
	memset(mask, value, rows->at == NULL ? rows->count : in->count);
}

/* A constant outside the range of the slots is greater, or less, than all of them. */
static bool
beyond_range(const HzVector *in, HzCompareOp op, int64_t right, const HzRows *rows, uint8_t *mask)
{
	int64_t max = in->width == 2 ? INT16_MAX : INT32_MAX;

	if (in->width == 8 || (right <= max && right >= -max - 1))
		return false;
	if (right > max)
		fill(in, rows, op == HZ_LT || op == HZ_LE || op == HZ_NE, mask);
	else
		fill(in, rows, op == HZ_GT || op == HZ_GE || op == HZ_NE, mask);
	return true;
}

static void
int_constant(const HzVector *in, HzCompareOp op, int64_t right, const HzRows *rows, uint8_t *mask)
{
	if (beyond_range(in, op, right, rows, mask))
		return;
	switch (in->width)
	{
		case 2:
			rows_i16(in, (int16_t) right, op, rows, mask);
			break;
		case 4:
			rows_i32(in, (int32_t) right, op, rows, mask);
			break;
		default:
			rows_i64(in, right, op, rows, mask);
	}
}

static void
float_constant(const HzVector *in, HzCompareOp op, double right, const HzRows *rows, uint8_t *mask)
{
	if (in->width == sizeof(double))
		rows_f64(in, right, op, rows, mask);
	else if ((double) (float) right == right || right != right)
		rows_f32(in, (float) right, op, rows, mask);
	else
		rows_f32wide(in, right, op, rows, mask);
}

void
hz_compare_constant(const HzVector *in, HzCompareClass class, HzCompareOp op,
					const HzVector *constant, const HzRows *rows, uint8_t *mask)
{
	switch (class)
	{
		case HZ_CLASS_INT:
			int_constant(in, op, int_of(constant), rows, mask);
			break;
		case HZ_CLASS_UINT32:
			rows_u32(in, *(const uint32_t *) constant->values, op, rows, mask);
			break;
		case HZ_CLASS_BOOL:
			rows_u8(in, *(const uint8_t *) constant->values, op, rows, mask);
			break;
		case HZ_CLASS_FLOAT:
			float_constant(in, op, float_of(constant), rows, mask);
			break;
		case HZ_CLASS_UUID:
			hz_fixed_constant(in->values, in->width, op, constant->values, rows, mask);
			break;
		case HZ_CLASS_BYTES:
		case HZ_CLASS_BPCHAR:
			hz_bytes_constant(in->values, class == HZ_CLASS_BPCHAR, op,
							  *(const HzString *) constant->values, rows, mask);
			break;
		case HZ_CLASS_NUMERIC:
			hz_decimal_constant(in, op, constant, rows, mask);
			break;
	}
}

static bool
constant_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
				HzLane *lane)
{
	hz_compare_constant(in, (HzCompareClass) expr->class, (HzCompareOp) expr->op,
						&expr->args[1]->constant, rows, lane->values);
	return true;
}

/* ---- two vectors */

/* Slots of fewer bytes as those of the widest of their kind. */
static const void *
widened(HzEval *eval, const HzVector *in)
{
	int64_t *ints;
	double *floats;

	if (in->width == 8)
		return in->values;
	ints = hz_bump_alloc(&eval->batch, sizeof(int64_t) * in->count);
	floats = (double *) (void *) ints;
	if (in->kind == HZ_KIND_FLOAT32)
		for (uint32_t i = 0; i < in->count; i++)
			floats[i] = ((const float *) in->values)[i];
	else if (in->width == 4)
		for (uint32_t i = 0; i < in->count; i++)
			ints[i] = ((const int32_t *) in->values)[i];
	else
		for (uint32_t i = 0; i < in->count; i++)
			ints[i] = ((const int16_t *) in->values)[i];
	return ints;
}

static void
int_vectors(HzEval *eval, const HzVector *a, const HzVector *b, HzCompareOp op, uint8_t *mask)
{
	if (a->width != b->width)
		vectors_i64(widened(eval, a), widened(eval, b), op, a->count, mask);
	else if (a->width == 8)
		vectors_i64(a->values, b->values, op, a->count, mask);
	else if (a->width == 4)
		vectors_i32(a->values, b->values, op, a->count, mask);
	else
		vectors_i16(a->values, b->values, op, a->count, mask);
}

static void
float_vectors(HzEval *eval, const HzVector *a, const HzVector *b, HzCompareOp op, uint8_t *mask)
{
	if (a->width == 4 && b->width == 4)
		vectors_f32(a->values, b->values, op, a->count, mask);
	else
		vectors_f64(widened(eval, a), widened(eval, b), op, a->count, mask);
}

/* The order of two values that have no kernel over whole vectors; both are not null. */
static int
order_of(const HzVexpr *expr, const HzVector *a, const HzVector *b, uint32_t i)
{
	HzString s;
	HzString t;

	if (expr->class == HZ_CLASS_UUID)
		return memcmp((const uint8_t *) a->values + (size_t) i * a->width,
					  (const uint8_t *) b->values + (size_t) i * b->width, a->width);
	if (expr->class == HZ_CLASS_NUMERIC)
		return hz_decimal_compare(a, i, b, i);
	s = ((const HzString *) a->values)[i];
	t = ((const HzString *) b->values)[i];
	if (expr->class == HZ_CLASS_BPCHAR)
		return hz_bytes_compare(hz_bytes_trim(s), hz_bytes_trim(t));
	return hz_bytes_compare(s, t);
}

static void
by_order(const HzVexpr *expr, const HzVector *a, const HzVector *b, const HzRows *rows,
		 uint8_t *mask)
{
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (hz_vector_valid(a, row))
			mask[row] = single_i32(order_of(expr, a, b, row), 0, (HzCompareOp) expr->op);
	}
}

static bool
vectors_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *a, const HzVector *b,
			   const HzRows *rows, HzLane *lane)
{
	HzCompareOp op = (HzCompareOp) expr->op;

	switch ((HzCompareClass) expr->class)
	{
		case HZ_CLASS_INT:
			int_vectors(eval, a, b, op, lane->values);
			break;
		case HZ_CLASS_UINT32:
			vectors_u32(a->values, b->values, op, a->count, lane->values);
			break;
		case HZ_CLASS_BOOL:
			vectors_u8(a->values, b->values, op, a->count, lane->values);
			break;
		case HZ_CLASS_FLOAT:
			float_vectors(eval, a, b, op, lane->values);
			break;
		default:
			by_order(expr, a, b, rows, lane->values);
	}
	return true;
}

bool
hz_vexpr_compare_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	const HzVexpr *right = expr->args[1];

	if (!right->is_constant)
		return hz_eval_map2(eval, expr, vectors_kernel, rows, out);
	if (right->constant.validity != NULL)
		return hz_eval_null_constant(eval, expr, rows, out);
	return hz_compare_empty(eval, expr, rows, out) ||
		   hz_eval_map_arg(eval, expr, constant_kernel, rows, out);
}

/* ---- a column and a constant, as they are encoded */

void
hz_eval_use_matches(HzEval *eval, HzColumnMatch match)
{
	eval->match = match;
}

bool
hz_eval_matched(const HzEval *eval)
{
	return eval->matched > 0;
}

bool
hz_rows_equal(HzEval *eval, const HzVexpr *expr, const HzRows *rows, uint16_t *out, uint32_t *count)
{
	const HzVector *constant;
	HzString bytes;
	uint8_t mask[HZ_VECTOR_ROWS + 64];

	if (eval->match == NULL || expr->value != hz_vexpr_compare_value || expr->op != HZ_EQ ||
		(expr->class != HZ_CLASS_UUID && expr->class != HZ_CLASS_BYTES) ||
		expr->args[0]->value != hz_vexpr_column_value || !expr->args[1]->is_constant)
		return false;
	constant = &expr->args[1]->constant;
	if (constant->validity != NULL)
		return false;
	if (expr->class == HZ_CLASS_BYTES)
		bytes = *(const HzString *) constant->values;
	else
		bytes = (HzString){.data = constant->values, .length = constant->width};
	if (!eval->match(eval->arg, expr->args[0]->column, bytes.data, bytes.length, mask))
		return false;
	*count = hz_rows_masked(mask, NULL, rows, true, out);
	eval->matched++;
	return true;
}
