/*
 * expr/vexpr_decimal_arith.c
 *	  + - * of numerics that are scaled integers. The display scale of a sum is the greater of both, that of a product
 *	  their sum, as in PostgreSQL's numeric.c; neither ever rounds.
 *
 * Payloads, and what leaves 128 bits, are left to the node's third argument, which computes the same in another way.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

#define MAX_POWER 18 /* 10^18 times 64 bits fits 128 */
#define MAX_SCALE 1000

/* One side: its slots, how far the next row's is, and what brings it to the scale of a sum. */
typedef struct Side
{
	const void *values;
	uint32_t step;
	bool wide; /* 128 bits */
	HzInt128 power;
} Side;

static Side
side_of(const HzVector *v)
{
	return (Side){.values = v->values,
				  .step = v->form == HZ_FORM_CONSTANT ? 0 : 1,
				  .wide = v->numeric == HZ_NUMERIC_INT128,
				  .power = 1};
}

HZ_INLINE HzInt128
value_at(const Side *side, uint32_t row, bool wide)
{
	HzInt128 value;

	if (!wide)
		return ((const int64_t *) side->values)[(size_t) row * side->step];
	memcpy(&value, (const uint8_t *) side->values + (size_t) row * side->step * sizeof(value),
		   sizeof(value));
	return value;
}

/* The exact result of two 64-bit sides always fits 128 bits. */
HZ_INLINE HzInt128
narrow_result(HzArithOp op, const Side *a, const Side *b, uint32_t row)
{
	HzInt128 x = value_at(a, row, false);
	HzInt128 y = value_at(b, row, false);

	if (op == HZ_MUL)
		return x * y;
	x *= a->power;
	y *= b->power;
	return op == HZ_ADD ? x + y : x - y;
}

static bool
wide_result(HzArithOp op, const Side *a, const Side *b, uint32_t row, HzInt128 *out)
{
	HzInt128 x = value_at(a, row, a->wide);
	HzInt128 y = value_at(b, row, b->wide);
	/* the least value has no payload of its own sign */
	const HzInt128 least = (HzInt128) ((unsigned __int128) 1 << 127);
	bool overflow;

	if (op == HZ_MUL)
		overflow = __builtin_mul_overflow(x, y, out);
	else
		overflow =
			__builtin_mul_overflow(x, a->power, &x) || __builtin_mul_overflow(y, b->power, &y) ||
			(op == HZ_ADD ? __builtin_add_overflow(x, y, out) : __builtin_sub_overflow(x, y, out));
	return !overflow && *out != least;
}

/* All rows into 64 bits; false if one does not fit. */
HZ_INLINE bool
narrow_loop(HzArithOp op, const Side *a, const Side *b, uint32_t count, int64_t *out)
{
	bool fits = true;

	for (uint32_t i = 0; i < count; i++)
	{
		HzInt128 r = narrow_result(op, a, b, i);

		out[i] = (int64_t) r;
		fits &= r == out[i];
	}
	return fits;
}

static bool
narrow_rows(HzArithOp op, const Side *a, const Side *b, uint32_t count, int64_t *out)
{
	if (a->wide || b->wide)
		return false;
	if (op == HZ_MUL)
		return narrow_loop(HZ_MUL, a, b, count, out);
	return op == HZ_ADD ? narrow_loop(HZ_ADD, a, b, count, out)
						: narrow_loop(HZ_SUB, a, b, count, out);
}

/* The selected rows into 128 bits; false if one does not fit. */
static bool
wide_rows(HzArithOp op, const Side *a, const Side *b, const HzVector *result, const HzRows *rows,
		  HzInt128 *out)
{
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (hz_vector_valid(result, row) && !wide_result(op, a, b, row, &out[row]))
			return false;
	}
	return true;
}

static HzInt128
power_of_ten(int exponent)
{
	HzInt128 p = 1;

	while (exponent-- > 0)
		p *= 10;
	return p;
}

/* The scale of the result; sides of a sum are brought to it. False: too far apart, or too large. */
static bool
find_scale(HzArithOp op, const HzVector *a, const HzVector *b, Side *left, Side *right,
		   uint16_t *scale)
{
	if (op == HZ_MUL)
	{
		*scale = (uint16_t) (a->scale + b->scale);
		return a->scale <= MAX_SCALE && b->scale <= MAX_SCALE;
	}
	*scale = a->scale > b->scale ? a->scale : b->scale;
	if (*scale - a->scale > MAX_POWER || *scale - b->scale > MAX_POWER)
		return false;
	left->power = power_of_ten(*scale - a->scale);
	right->power = power_of_ten(*scale - b->scale);
	return true;
}

static bool
compute(HzEval *eval, HzArithOp op, const HzVector *a, const HzVector *b, const HzRows *rows,
		HzVector *out)
{
	Side left = side_of(a);
	Side right = side_of(b);
	bool one = left.step == 0 && right.step == 0;
	void *values;

	if (a->numeric == HZ_NUMERIC_PAYLOAD || b->numeric == HZ_NUMERIC_PAYLOAD ||
		!find_scale(op, a, b, &left, &right, &out->scale))
		return false;
	values = hz_bump_zero(&eval->batch, sizeof(HzInt128) * eval->rows);
	out->values = values;
	out->form = HZ_FORM_FLAT;
	out->numeric = HZ_NUMERIC_INT64;
	out->width = sizeof(int64_t);
	if (narrow_rows(op, &left, &right, one ? 1 : eval->rows, values))
	{
		if (one)
			out->form = HZ_FORM_CONSTANT;
		return true;
	}
	out->numeric = HZ_NUMERIC_INT128;
	out->width = sizeof(HzInt128);
	return wide_rows(op, &left, &right, out, rows, values);
}

/* The other side of entries of a dictionary; the constant, if it is one. */
static const HzVector *
constant_side(const HzVexpr *expr)
{
	for (int i = 0; i < 2; i++)
	{
		if (expr->args[i]->is_constant)
			return &expr->args[i]->constant;
	}
	return NULL;
}

/* Entries of a dictionary and a constant, in 64 bits; fails where these do not do. */
static bool
entries_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   HzLane *lane)
{
	const HzVector *constant = constant_side(expr);
	bool swapped = constant == &expr->args[0]->constant;
	Side side = side_of(in);
	Side other = side_of(constant);
	Side *left = swapped ? &other : &side;
	Side *right = swapped ? &side : &other;
	HzArithOp op = (HzArithOp) expr->op;

	(void) eval;
	if (side.wide || other.wide ||
		!find_scale(op, swapped ? constant : in, swapped ? in : constant, left, right,
					&lane->scale))
		return false;
	lane->numeric = HZ_NUMERIC_INT64;
	lane->width = sizeof(int64_t);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		HzInt128 result = narrow_result(op, left, right, row);

		((int64_t *) lane->values)[row] = (int64_t) result;
		if (result != (int64_t) result)
			return false;
	}
	return true;
}

/* A dictionary and a constant: codes stay codes. False: something else, or it cannot be done. */
static bool
by_entries(HzEval *eval, const HzVexpr *expr, const HzVector *a, const HzVector *b,
		   const HzRows *rows, HzVector *out)
{
	const HzVector *constant = constant_side(expr);
	const HzVector *dictionary = expr->args[0]->is_constant ? b : a;

	return constant != NULL && dictionary->form == HZ_FORM_DICT && constant->validity == NULL &&
		   dictionary->numeric != HZ_NUMERIC_PAYLOAD && constant->numeric != HZ_NUMERIC_PAYLOAD &&
		   hz_eval_map(eval, expr, entries_kernel, dictionary, rows, out);
}

bool
hz_vexpr_decimal_arith_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector a;
	HzVector b;

	if (!hz_eval_value(eval, expr->args[0], rows, &a) ||
		!hz_eval_value(eval, expr->args[1], rows, &b))
		return false;
	if (by_entries(eval, expr, &a, &b, rows, out))
		return true;
	if (a.form == HZ_FORM_DICT)
		hz_vector_flatten(eval, &a, rows);
	if (b.form == HZ_FORM_DICT)
		hz_vector_flatten(eval, &b, rows);
	memset(out, 0, sizeof(HzVector));
	out->kind = HZ_KIND_NUMERIC;
	out->count = eval->rows;
	out->validity = hz_validity_and(eval, a.validity, b.validity);
	if (compute(eval, (HzArithOp) expr->op, &a, &b, rows, out))
		return true;
	return hz_eval_value(eval, expr->args[2], rows, out);
}
