/*
 * expr/vexpr_choose.c
 *	  CASE and COALESCE: every row takes the value of one argument, and each argument is evaluated for the rows that reach
 *	  it, and for no others.
 */
#include "expr/vexpr_node.h"

#define ROOM (HZ_VECTOR_ROWS + 64)

/* A result that is put together from parts. */
typedef struct Mosaic
{
	uint8_t *values;
	uint64_t *validity;
	uint32_t width;
	HzNumericForm numeric;
	uint16_t scale;
} Mosaic;

static void
begin(HzEval *eval, const HzVexpr *expr, Mosaic *m)
{
	m->width = expr->kind == HZ_KIND_BYTES || expr->kind == HZ_KIND_NUMERIC
				   ? (uint32_t) sizeof(HzString)
				   : expr->width;
	m->values = hz_bump_zero(&eval->batch, (size_t) m->width * eval->rows);
	m->validity = hz_bump_zero(&eval->batch, sizeof(uint64_t) * HZ_BATCH_WORDS);
	m->numeric = HZ_NUMERIC_PAYLOAD;
	m->scale = 0;
}

/* Rows of `part` take their place in the result; nulls stay null. */
static void
put(HzEval *eval, const HzVexpr *expr, const HzVector *part, const HzRows *rows, Mosaic *m)
{
	HzVector numerals = *part;

	if (expr->kind == HZ_KIND_NUMERIC)
		hz_decimal_payloads(eval, &numerals, rows);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (!hz_vector_valid(&numerals, row))
			continue;
		hz_bitmap_set(m->validity, row);
		memcpy(m->values + (size_t) row * m->width,
			   (const uint8_t *) numerals.values +
				   (size_t) hz_vector_slot(&numerals, row) * m->width,
			   m->width);
	}
}

static void
finish(const HzEval *eval, const HzVexpr *expr, const Mosaic *m, HzVector *out)
{
	memset(out, 0, sizeof(HzVector));
	out->kind = expr->kind;
	out->form = HZ_FORM_FLAT;
	out->numeric = m->numeric;
	out->scale = m->scale;
	out->width = m->width;
	out->count = eval->rows;
	out->values = m->values;
	out->validity = m->validity;
}

/* args: condition, result, condition, result, …, default. */
bool
hz_vexpr_case_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzRows left = *rows;
	HzVector part;
	Mosaic m;

	begin(eval, expr, &m);
	for (uint32_t i = 0; i + 1 < expr->count && left.count > 0; i += 2)
	{
		uint16_t *taken = hz_bump_alloc(&eval->batch, sizeof(uint16_t) * ROOM);
		uint16_t *rest = hz_bump_alloc(&eval->batch, sizeof(uint16_t) * ROOM);
		HzRows these = {.at = taken};

		if (!hz_eval_where(eval, expr->args[i], &left, true, taken, &these.count))
			return false;
		if (these.count == 0)
			continue;
		if (!hz_eval_value(eval, expr->args[i + 1], &these, &part))
			return false;
		put(eval, expr, &part, &these, &m);
		left.count = hz_rows_without(&left, taken, these.count, rest);
		left.at = rest;
	}
	if (left.count > 0)
	{
		if (!hz_eval_value(eval, expr->args[expr->count - 1], &left, &part))
			return false;
		put(eval, expr, &part, &left, &m);
	}
	finish(eval, expr, &m, out);
	return true;
}

/* The selected rows that are null. */
static uint32_t
null_rows(const HzVector *vector, const HzRows *rows, uint16_t *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		out[n] = (uint16_t) hz_rows_at(rows, i);
		n += !hz_vector_valid(vector, out[n]);
	}
	return n;
}

bool
hz_vexpr_coalesce_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzRows left = *rows;
	Mosaic m;

	for (uint32_t i = 0; i < expr->count && left.count > 0; i++)
	{
		uint16_t *rest = hz_bump_alloc(&eval->batch, sizeof(uint16_t) * ROOM);
		HzVector part;

		if (!hz_eval_value(eval, expr->args[i], &left, &part))
			return false;
		if (i == 0 && (part.validity == NULL || null_rows(&part, rows, rest) == 0))
		{
			*out = part;
			return true;
		}
		if (i == 0)
			begin(eval, expr, &m);
		put(eval, expr, &part, &left, &m);
		left.count = null_rows(&part, &left, rest);
		left.at = rest;
	}
	finish(eval, expr, &m, out);
	return true;
}
