/*
 * expr/vexpr_decimal.c
 *	  Comparisons of numerics in any of their forms, and integers as numerics.
 *
 * A constant is brought to the scale of the vector once, so that scaled integers are compared as integers. Whatever
 * that cannot do (payloads, NaN, infinities, huge constants) is compared digit by digit, as cmp_numerics() in
 * PostgreSQL's numeric.c does.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"
#include "format/numeric.h"

#define MAX_POWER 38 /* 10^38 is the last that fits 128 bits */

/* ---- digits */

typedef struct Digits
{
	int rank; /* -1: -infinity, 0: finite, 1: infinity, 2: NaN */
	bool negative;
	int weight;
	int count;
	const uint8_t *at; /* 2 bytes each, base 10000 */
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
} Digits;

static uint16_t
load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* NumericChoice in numeric.c. What is too short to be one counts as zero. */
static void
parse(const uint8_t *payload, size_t length, Digits *d)
{
	size_t header_size = 2;
	uint16_t header;

	d->rank = d->weight = d->count = 0;
	d->negative = false;
	if (length < 2)
		return;
	header = load16(payload);
	if ((header & 0xC000) == 0xC000)
	{
		d->rank = (header & 0xF000) == 0xC000 ? 2 : (header & 0xF000) == 0xD000 ? 1 : -1;
		return;
	}
	if (header & 0x8000)
	{
		d->negative = (header & 0x2000) != 0;
		d->weight = (header & 0x3F) - (header & 0x40);
	}
	else if (length >= 4)
	{
		header_size = 4;
		d->negative = (header & 0x4000) != 0;
		d->weight = (int16_t) load16(payload + 2);
	}
	d->at = payload + header_size;
	d->count = (int) ((length - header_size) / 2);
}

static HzInt128
scaled_slot(const HzVector *vector, uint32_t slot)
{
	HzInt128 value;

	if (vector->numeric == HZ_NUMERIC_INT64)
		return ((const int64_t *) vector->values)[slot];
	memcpy(&value, (const uint8_t *) vector->values + (size_t) slot * sizeof(value), sizeof(value));
	return value;
}

static void
digits_of(const HzVector *vector, uint32_t slot, Digits *d)
{
	if (vector->numeric == HZ_NUMERIC_PAYLOAD)
	{
		HzString s = ((const HzString *) vector->values)[slot];

		parse(s.data, s.length, d);
	}
	else
		parse(d->payload,
			  hz_numeric_to_payload(scaled_slot(vector, slot), vector->scale, d->payload), d);
}

/* Any digit but zero from i on. */
static bool
any_digit(const Digits *d, int i)
{
	for (; i < d->count; i++)
		if (load16(d->at + 2 * i) != 0)
			return true;
	return false;
}

static int
compare_absolute(const Digits *a, const Digits *b)
{
	int aw = a->weight;
	int bw = b->weight;
	int i = 0;
	int k = 0;

	for (; aw > bw && i < a->count; aw--)
		if (load16(a->at + 2 * i++) != 0)
			return 1;
	for (; bw > aw && k < b->count; bw--)
		if (load16(b->at + 2 * k++) != 0)
			return -1;
	for (; aw == bw && i < a->count && k < b->count; i++, k++)
	{
		int order = (int) load16(a->at + 2 * i) - (int) load16(b->at + 2 * k);

		if (order != 0)
			return order;
	}
	if (any_digit(a, i))
		return 1;
	return any_digit(b, k) ? -1 : 0;
}

static int
compare_digits(const Digits *a, const Digits *b)
{
	int a_sign = !any_digit(a, 0) ? 0 : a->negative ? -1 : 1;
	int b_sign = !any_digit(b, 0) ? 0 : b->negative ? -1 : 1;

	if (a->rank != 0 || b->rank != 0)
		return a->rank - b->rank;
	if (a_sign != b_sign)
		return a_sign - b_sign;
	return a_sign >= 0 ? compare_absolute(a, b) : compare_absolute(b, a);
}

int
hz_decimal_compare(const HzVector *a, uint32_t i, const HzVector *b, uint32_t j)
{
	Digits x;
	Digits y;

	if (a->numeric != HZ_NUMERIC_PAYLOAD && b->numeric != HZ_NUMERIC_PAYLOAD &&
		a->scale == b->scale)
	{
		HzInt128 v = scaled_slot(a, i);
		HzInt128 w = scaled_slot(b, j);

		return v < w ? -1 : v > w;
	}
	digits_of(a, i, &x);
	digits_of(b, j, &y);
	return compare_digits(&x, &y);
}

/* ---- a vector and a constant */

static bool
holds(int order, HzCompareOp op)
{
	return op == HZ_EQ   ? order == 0
		   : op == HZ_NE ? order != 0
		   : op == HZ_LT ? order < 0
		   : op == HZ_LE ? order <= 0
		   : op == HZ_GT ? order > 0
						 : order >= 0;
}

static void
by_digits(const HzVector *in, HzCompareOp op, const HzVector *constant, const HzRows *rows,
		  uint8_t *mask)
{
	Digits right;

	digits_of(constant, 0, &right);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		Digits left;

		digits_of(in, row, &left);
		mask[row] = holds(compare_digits(&left, &right), op);
	}
}

static bool
exact_value(const HzVector *constant, HzInt128 *value, uint16_t *scale)
{
	const HzString *s = constant->values;

	if (constant->numeric == HZ_NUMERIC_PAYLOAD)
		return hz_numeric_from_payload(s->data, s->length, value, scale);
	*value = scaled_slot(constant, 0);
	*scale = constant->scale;
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

/* What a constant is at another scale. */
typedef struct Bound
{
	int outside;    /* -1, 1: less, greater than everything that 128 bits hold; 0: */
	HzInt128 floor; /* the greatest value that is not greater than the constant */
	bool exact;     /* it is the constant */
} Bound;

static Bound
bound_at(HzInt128 value, int from, int to)
{
	Bound b = {.floor = value, .exact = true};

	if (value == 0 || from == to)
		return b;
	if (to > from)
	{
		if (to - from > MAX_POWER ||
			__builtin_mul_overflow(value, power_of_ten(to - from), &b.floor))
			b.outside = value < 0 ? -1 : 1;
		return b;
	}
	if (from - to > MAX_POWER)
	{
		b.floor = 0;
		b.exact = false;
	}
	else
	{
		HzInt128 power = power_of_ten(from - to);

		b.floor = value / power;
		b.exact = value % power == 0;
	}
	if (!b.exact && value < 0)
		b.floor -= 1;
	return b;
}

/* x op constant as x op floor: where the constant lies between two values, < becomes <= and >= becomes >. */
static HzCompareOp
op_of_floor(HzCompareOp op, bool exact)
{
	if (exact)
		return op;
	return op == HZ_LT ? HZ_LE : op == HZ_GE ? HZ_GT : op;
}

static void
fill(const HzVector *in, const HzRows *rows, bool value, uint8_t *mask)
{
	memset(mask, value, rows->at == NULL ? rows->count : in->count);
}

static void
int128_constant(const HzVector *in, HzCompareOp op, HzInt128 right, const HzRows *rows,
				uint8_t *mask)
{
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		HzInt128 left = scaled_slot(in, row);

		mask[row] = holds(left < right ? -1 : left > right, op);
	}
}

static void
int64_constant(const HzVector *in, HzCompareOp op, int64_t right, const HzRows *rows, uint8_t *mask)
{
	HzVector constant = {.kind = HZ_KIND_INT64, .form = HZ_FORM_CONSTANT, .width = 8};
	HzVector ints = *in;

	constant.values = &right;
	ints.kind = HZ_KIND_INT64;
	ints.width = sizeof(int64_t);
	hz_compare_constant(&ints, HZ_CLASS_INT, op, &constant, rows, mask);
}

void
hz_decimal_constant(const HzVector *in, HzCompareOp op, const HzVector *constant,
					const HzRows *rows, uint8_t *mask)
{
	HzInt128 value;
	uint16_t scale;
	Bound bound;

	if (in->numeric == HZ_NUMERIC_PAYLOAD || !exact_value(constant, &value, &scale))
	{
		by_digits(in, op, constant, rows, mask);
		return;
	}
	bound = bound_at(value, scale, in->scale);
	if (in->numeric == HZ_NUMERIC_INT64 && bound.outside == 0 &&
		(bound.floor > INT64_MAX || bound.floor < INT64_MIN))
		bound.outside = bound.floor < 0 ? -1 : 1;
	if (bound.outside != 0)
		fill(in, rows, holds(-bound.outside, op), mask);
	else if (!bound.exact && (op == HZ_EQ || op == HZ_NE))
		fill(in, rows, op == HZ_NE, mask);
	else if (in->numeric == HZ_NUMERIC_INT64)
		int64_constant(in, op_of_floor(op, bound.exact), (int64_t) bound.floor, rows, mask);
	else
		int128_constant(in, op_of_floor(op, bound.exact), bound.floor, rows, mask);
}

/* ---- other forms */

void
hz_decimal_payloads(HzEval *eval, HzVector *vector, const HzRows *rows)
{
	HzString *strings;

	if (vector->numeric == HZ_NUMERIC_PAYLOAD)
		return;
	strings = hz_bump_alloc(&eval->batch, sizeof(HzString) * eval->rows);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
		size_t length = hz_numeric_to_payload(scaled_slot(vector, hz_vector_slot(vector, row)),
											  vector->scale, payload);

		strings[row].length = length;
		strings[row].data = memcpy(hz_bump_alloc(&eval->batch, length), payload, length);
	}
	vector->form = HZ_FORM_FLAT;
	vector->numeric = HZ_NUMERIC_PAYLOAD;
	vector->width = sizeof(HzString);
	vector->values = strings;
}

/* Whether all fit 64 bits, or 128, at one scale. */
static bool
common_scale(const HzVector *vector, const HzRows *rows, uint16_t *scale, HzNumericForm *form)
{
	bool any = false;

	*form = HZ_NUMERIC_INT64;
	*scale = 0;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		HzString s = ((const HzString *) vector->values)[row];
		HzInt128 value;
		uint16_t own;

		if (!hz_vector_valid(vector, row))
			continue;
		if (!hz_numeric_from_payload(s.data, s.length, &value, &own) || (any && own != *scale))
			return false;
		*scale = own;
		any = true;
		if (value > INT64_MAX || value < INT64_MIN)
			*form = HZ_NUMERIC_INT128;
	}
	return any;
}

void
hz_decimal_scale(HzVector *vector, const HzRows *rows)
{
	/* an integer is no longer than the string that it replaces, and the slots before are done */
	uint8_t *out = (uint8_t *) (uintptr_t) vector->values;
	HzNumericForm form;
	uint16_t scale;
	uint32_t width;

	if (vector->form != HZ_FORM_FLAT || !common_scale(vector, rows, &scale, &form))
		return;
	width = form == HZ_NUMERIC_INT64 ? sizeof(int64_t) : sizeof(HzInt128);
	for (uint32_t i = 0, next = 0; i < vector->count; i++)
	{
		HzString s = ((const HzString *) vector->values)[i];
		bool selected = next < rows->count && hz_rows_at(rows, next) == i;
		HzInt128 value = 0;
		uint16_t own;

		next += selected;
		if (selected && hz_vector_valid(vector, i))
			(void) hz_numeric_from_payload(s.data, s.length, &value, &own);
		/* little-endian: the lower half comes first */
		memcpy(out + (size_t) i * width, &value, width);
	}
	vector->numeric = form;
	vector->scale = scale;
	vector->width = width;
}

static bool
int_to_numeric(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   HzLane *lane)
{
	int64_t *out = lane->values;

	(void) eval;
	(void) expr;
	lane->numeric = HZ_NUMERIC_INT64;
	lane->scale = 0;
	lane->width = sizeof(int64_t);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		out[row] = in->width == 2   ? ((const int16_t *) in->values)[row]
				   : in->width == 4 ? ((const int32_t *) in->values)[row]
									: ((const int64_t *) in->values)[row];
	}
	return true;
}

bool
hz_vexpr_int_to_numeric_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, int_to_numeric, rows, out);
}
