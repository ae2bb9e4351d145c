/*
 * expr/vexpr_arith.c
 *	  + - * / % of integers and floats with PostgreSQL's errors (int.c, int8.c, float.h).
 *
 * Both sides are widened to the type of the result, as PostgreSQL's cross-type operators do. The kernels run over
 * whole vectors and only say whether any row had an error; if one had, the selected rows are looked at one by one, since it
 * may have been a row that nobody asked for.
 */
#include <math.h>

#include "encoding/clones.h"
#include "expr/vexpr_node.h"

/* ---- one row: HZ_EVAL_OK or what is wrong */

#define SMALL_INT(T, suffix, LARGE, RANGE)          \
	HZ_INLINE unsigned add_##suffix(T a, T b, T *r) \
	{                                               \
		LARGE exact = (LARGE) a + (LARGE) b;        \
                                                    \
		*r = (T) exact;                             \
		return exact == *r ? HZ_EVAL_OK : RANGE;    \
	}                                               \
	HZ_INLINE unsigned sub_##suffix(T a, T b, T *r) \
	{                                               \
		LARGE exact = (LARGE) a - (LARGE) b;        \
                                                    \
		*r = (T) exact;                             \
		return exact == *r ? HZ_EVAL_OK : RANGE;    \
	}                                               \
	HZ_INLINE unsigned mul_##suffix(T a, T b, T *r) \
	{                                               \
		LARGE exact = (LARGE) a * (LARGE) b;        \
                                                    \
		*r = (T) exact;                             \
		return exact == *r ? HZ_EVAL_OK : RANGE;    \
	}

SMALL_INT(int16_t, i16, int32_t, HZ_EVAL_INT2_RANGE)
SMALL_INT(int32_t, i32, int64_t, HZ_EVAL_INT4_RANGE)

HZ_INLINE unsigned
add_i64(int64_t a, int64_t b, int64_t *r)
{
	*r = (int64_t) ((uint64_t) a + (uint64_t) b);
	return ((a ^ *r) & (b ^ *r)) < 0 ? HZ_EVAL_INT8_RANGE : HZ_EVAL_OK;
}

HZ_INLINE unsigned
sub_i64(int64_t a, int64_t b, int64_t *r)
{
	*r = (int64_t) ((uint64_t) a - (uint64_t) b);
	return ((a ^ b) & (a ^ *r)) < 0 ? HZ_EVAL_INT8_RANGE : HZ_EVAL_OK;
}

HZ_INLINE unsigned
mul_i64(int64_t a, int64_t b, int64_t *r)
{
	return __builtin_mul_overflow(a, b, r) ? HZ_EVAL_INT8_RANGE : HZ_EVAL_OK;
}

/* The least value divided by -1 is the only quotient that does not fit; its remainder is 0. */
#define INT_DIVISION(T, suffix, MIN, RANGE)         \
	HZ_INLINE unsigned div_##suffix(T a, T b, T *r) \
	{                                               \
		*r = 0;                                     \
		if (b == 0)                                 \
			return HZ_EVAL_DIVISION_BY_ZERO;        \
		if (b == -1 && a == MIN)                    \
			return RANGE;                           \
		*r = (T) (a / b);                           \
		return HZ_EVAL_OK;                          \
	}                                               \
	HZ_INLINE unsigned mod_##suffix(T a, T b, T *r) \
	{                                               \
		*r = 0;                                     \
		if (b == 0)                                 \
			return HZ_EVAL_DIVISION_BY_ZERO;        \
		if (b != -1)                                \
			*r = (T) (a % b);                       \
		return HZ_EVAL_OK;                          \
	}

INT_DIVISION(int16_t, i16, INT16_MIN, HZ_EVAL_INT2_RANGE)
INT_DIVISION(int32_t, i32, INT32_MIN, HZ_EVAL_INT4_RANGE)
INT_DIVISION(int64_t, i64, INT64_MIN, HZ_EVAL_INT8_RANGE)

#define FLOATS(T, suffix)                                                                 \
	HZ_INLINE unsigned add_##suffix(T a, T b, T *r)                                       \
	{                                                                                     \
		*r = a + b;                                                                       \
		return isinf(*r) && !isinf(a) && !isinf(b) ? HZ_EVAL_FLOAT_OVERFLOW : HZ_EVAL_OK; \
	}                                                                                     \
	HZ_INLINE unsigned sub_##suffix(T a, T b, T *r)                                       \
	{                                                                                     \
		*r = a - b;                                                                       \
		return isinf(*r) && !isinf(a) && !isinf(b) ? HZ_EVAL_FLOAT_OVERFLOW : HZ_EVAL_OK; \
	}                                                                                     \
	HZ_INLINE unsigned mul_##suffix(T a, T b, T *r)                                       \
	{                                                                                     \
		*r = a * b;                                                                       \
		if (isinf(*r) && !isinf(a) && !isinf(b))                                          \
			return HZ_EVAL_FLOAT_OVERFLOW;                                                \
		return *r == 0 && a != 0 && b != 0 ? HZ_EVAL_FLOAT_UNDERFLOW : HZ_EVAL_OK;        \
	}                                                                                     \
	HZ_INLINE unsigned div_##suffix(T a, T b, T *r)                                       \
	{                                                                                     \
		*r = b == 0 ? 0 : a / b;                                                          \
		if (b == 0 && !isnan(a))                                                          \
			return HZ_EVAL_DIVISION_BY_ZERO;                                              \
		if (b == 0)                                                                       \
			*r = a;                                                                       \
		if (isinf(*r) && !isinf(a))                                                       \
			return HZ_EVAL_FLOAT_OVERFLOW;                                                \
		return *r == 0 && a != 0 && !isinf(b) ? HZ_EVAL_FLOAT_UNDERFLOW : HZ_EVAL_OK;     \
	}

FLOATS(float, f32)
FLOATS(double, f64)

/* ---- all rows: 0 if none had an error */

#define LOOP(T, suffix, operation)                                                                 \
	HZ_CLONES static unsigned all_##operation##_##suffix(const T *restrict a, const T *restrict b, \
														 uint32_t n, T *restrict out)              \
	{                                                                                              \
		unsigned bad = 0;                                                                          \
                                                                                                   \
		for (uint32_t i = 0; i < n; i++)                                                           \
			bad |= operation##_##suffix(a[i], b[i], &out[i]);                                      \
		return bad;                                                                                \
	}
#define ONE(T, suffix, operation)                                                        \
	static unsigned one_##operation##_##suffix(const void *a, const void *b, uint32_t i) \
	{                                                                                    \
		T r;                                                                             \
                                                                                         \
		return operation##_##suffix(((const T *) a)[i], ((const T *) b)[i], &r);         \
	}
#define BOTH(T, suffix, operation) \
	LOOP(T, suffix, operation)     \
	ONE(T, suffix, operation)
#define FOUR(T, suffix)  \
	BOTH(T, suffix, add) \
	BOTH(T, suffix, sub) \
	BOTH(T, suffix, mul) \
	BOTH(T, suffix, div)

FOUR(int16_t, i16)
BOTH(int16_t, i16, mod)
FOUR(int32_t, i32)
BOTH(int32_t, i32, mod)
FOUR(int64_t, i64)
BOTH(int64_t, i64, mod)
FOUR(float, f32)
FOUR(double, f64)

typedef unsigned (*OneRow)(const void *a, const void *b, uint32_t i);

/* What computes an operation on values of one kind. */
typedef struct Operation
{
	unsigned (*all)(HzArithOp op, const void *a, const void *b, uint32_t n, void *out);
	OneRow one[5];
} Operation;

#define DISPATCH(T, suffix, LAST)                                                             \
	static unsigned dispatch_##suffix(HzArithOp op, const void *a, const void *b, uint32_t n, \
									  void *out)                                              \
	{                                                                                         \
		switch (op)                                                                           \
		{                                                                                     \
			case HZ_ADD:                                                                      \
				return all_add_##suffix(a, b, n, out);                                        \
			case HZ_SUB:                                                                      \
				return all_sub_##suffix(a, b, n, out);                                        \
			case HZ_MUL:                                                                      \
				return all_mul_##suffix(a, b, n, out);                                        \
			case HZ_DIV:                                                                      \
				return all_div_##suffix(a, b, n, out);                                        \
			default:                                                                          \
				return LAST(a, b, n, out);                                                    \
		}                                                                                     \
	}
#define ONES(suffix) one_add_##suffix, one_sub_##suffix, one_mul_##suffix, one_div_##suffix

DISPATCH(int16_t, i16, all_mod_i16)
DISPATCH(int32_t, i32, all_mod_i32)
DISPATCH(int64_t, i64, all_mod_i64)
/* floats have no % */
DISPATCH(float, f32, all_div_f32)
DISPATCH(double, f64, all_div_f64)

static const Operation operations[] = {
	[HZ_KIND_INT16] = {dispatch_i16, {ONES(i16), one_mod_i16}},
	[HZ_KIND_INT32] = {dispatch_i32, {ONES(i32), one_mod_i32}},
	[HZ_KIND_INT64] = {dispatch_i64, {ONES(i64), one_mod_i64}},
	[HZ_KIND_FLOAT32] = {dispatch_f32, {ONES(f32), NULL}},
	[HZ_KIND_FLOAT64] = {dispatch_f64, {ONES(f64), NULL}},
};

/* ---- both sides in the type of the result */

#define WIDEN(TO, FROM)              \
	for (uint32_t i = 0; i < n; i++) \
	((TO *) out)[i] = ((const FROM *) in->values)[i]

static const void *
widened(HzEval *eval, const HzVexpr *expr, const HzVector *in)
{
	uint32_t n = in->count;
	void *out;

	if (in->kind == expr->kind)
		return in->values;
	out = hz_bump_alloc(&eval->batch, (size_t) expr->width * n);
	if (in->kind == HZ_KIND_FLOAT32)
		WIDEN(double, float);
	else if (expr->kind == HZ_KIND_INT32)
		WIDEN(int32_t, int16_t);
	else if (in->kind == HZ_KIND_INT16)
		WIDEN(int64_t, int16_t);
	else
		WIDEN(int64_t, int32_t);
	return out;
}

/* A constant as often as there are rows. */
static const void *
repeated(HzEval *eval, const HzVexpr *expr, const HzVector *constant, uint32_t n)
{
	HzVector one = *constant;
	const void *value;
	uint8_t *out = hz_bump_alloc(&eval->batch, (size_t) expr->width * n);

	one.count = 1;
	value = widened(eval, expr, &one);
	if (expr->width == 8)
		for (uint32_t i = 0; i < n; i++)
			((uint64_t *) (void *) out)[i] = *(const uint64_t *) value;
	else if (expr->width == 4)
		for (uint32_t i = 0; i < n; i++)
			((uint32_t *) (void *) out)[i] = *(const uint32_t *) value;
	else
		for (uint32_t i = 0; i < n; i++)
			((uint16_t *) (void *) out)[i] = *(const uint16_t *) value;
	return out;
}

/* Whether a selected row has an error; the first decides which. */
static bool
check_rows(HzEval *eval, const HzVexpr *expr, const HzVector *in, const void *a, const void *b,
		   const HzRows *rows)
{
	OneRow one = operations[expr->kind].one[expr->op];

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		unsigned failure;

		if (!hz_vector_valid(in, row))
			continue;
		failure = one(a, b, row);
		if (failure != HZ_EVAL_OK)
			return hz_eval_fail(eval, (HzEvalFailure) failure);
	}
	return true;
}

static bool
compute(HzEval *eval, const HzVexpr *expr, const HzVector *in, const void *a, const void *b,
		const HzRows *rows, HzLane *lane)
{
	HzArithOp op = (HzArithOp) expr->op;

	return operations[expr->kind].all(op, a, b, in->count, lane->values) == 0 ||
		   check_rows(eval, expr, in, a, b, rows);
}

static bool
right_constant(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   HzLane *lane)
{
	return compute(eval, expr, in, widened(eval, expr, in),
				   repeated(eval, expr, &expr->args[1]->constant, in->count), rows, lane);
}

static bool
left_constant(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			  HzLane *lane)
{
	return compute(eval, expr, in, repeated(eval, expr, &expr->args[0]->constant, in->count),
				   widened(eval, expr, in), rows, lane);
}

static bool
two_vectors(HzEval *eval, const HzVexpr *expr, const HzVector *a, const HzVector *b,
			const HzRows *rows, HzLane *lane)
{
	return compute(eval, expr, a, widened(eval, expr, a), widened(eval, expr, b), rows, lane);
}

bool
hz_vexpr_arith_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	const HzVexpr *left = expr->args[0];
	const HzVexpr *right = expr->args[1];
	HzVector in;

	if (!left->is_constant && !right->is_constant)
		return hz_eval_map2(eval, expr, two_vectors, rows, out);
	if (!hz_eval_value(eval, left->is_constant ? right : left, rows, &in))
		return false;
	if ((left->is_constant ? left : right)->constant.validity != NULL)
	{
		hz_null_vector(eval, expr, out);
		return true;
	}
	return hz_eval_map(eval, expr, left->is_constant ? left_constant : right_constant, &in, rows,
					   out);
}
