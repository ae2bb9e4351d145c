/*
 * expr/vexpr_choose.c
 *	  CASE and COALESCE: every row takes the value of one argument, and each argument is evaluated for the rows that reach
 *	  it, and for no others.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

#define ROOM (HZ_VECTOR_ROWS + 64)

/* A result that is put together from parts. */
typedef struct Mosaic
{
	uint8_t *values;
	uint64_t *nulls; /* a set bit: null; NULL: none so far */
	uint32_t width;
} Mosaic;

static void
begin(HzEval *eval, const HzVexpr *expr, Mosaic *m)
{
	m->width = expr->kind == HZ_KIND_BYTES || expr->kind == HZ_KIND_NUMERIC
				   ? (uint32_t) sizeof(HzString)
				   : expr->width;
	m->values = hz_bump_zero(&eval->batch, (size_t) m->width * eval->rows);
	m->nulls = NULL;
}

HZ_INLINE void
copy_slots(const HzVector *part, const HzRows *rows, size_t width, uint8_t *out)
{
	const uint8_t *values = part->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		memcpy(out + row * width, values + hz_vector_slot(part, row) * width, width);
	}
}

/* Rows of `part` take their place in the result. */
static void
put(HzEval *eval, const HzVexpr *expr, const HzVector *part, const HzRows *rows, Mosaic *m)
{
	HzVector own = *part;

	if (expr->kind == HZ_KIND_NUMERIC)
		hz_decimal_payloads(eval, &own, rows);
	switch (m->width)
	{
		case 1:
			copy_slots(&own, rows, 1, m->values);
			break;
		case 4:
			copy_slots(&own, rows, 4, m->values);
			break;
		case 8:
			copy_slots(&own, rows, 8, m->values);
			break;
		case 16:
			copy_slots(&own, rows, 16, m->values);
			break;
		default:
			copy_slots(&own, rows, m->width, m->values);
	}
	if (own.validity == NULL)
		return;
	if (m->nulls == NULL)
		m->nulls = hz_bump_zero(&eval->batch, sizeof(uint64_t) * HZ_BATCH_WORDS);
	for (uint32_t i = 0; i < rows->count; i++)
		if (!hz_bitmap_get(own.validity, hz_rows_at(rows, i)))
			hz_bitmap_set(m->nulls, hz_rows_at(rows, i));
}

static void
finish(const HzEval *eval, const HzVexpr *expr, const Mosaic *m, HzVector *out)
{
	memset(out, 0, sizeof(HzVector));
	out->kind = expr->kind;
	out->form = HZ_FORM_FLAT;
	out->numeric = HZ_NUMERIC_PAYLOAD;
	out->width = m->width;
	out->count = eval->rows;
	out->values = m->values;
	if (m->nulls == NULL)
		return;
	for (uint32_t w = 0; w < HZ_BATCH_WORDS; w++)
		m->nulls[w] = ~m->nulls[w];
	out->validity = m->nulls;
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

/* The rows that are still null go on to the next argument; what the last leaves null is null. */
bool
hz_vexpr_coalesce_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzRows left = *rows;
	Mosaic m;

	begin(eval, expr, &m);
	for (uint32_t i = 0; i < expr->count && left.count > 0; i++)
	{
		uint16_t *rest = hz_bump_alloc(&eval->batch, sizeof(uint16_t) * ROOM);
		HzVector part;
		uint32_t nulls;

		if (!hz_eval_value(eval, expr->args[i], &left, &part))
			return false;
		nulls = part.validity == NULL ? 0 : null_rows(&part, &left, rest);
		if (i == 0 && nulls == 0)
		{
			*out = part;
			return true;
		}
		if (m.nulls != NULL)
			memset(m.nulls, 0, sizeof(uint64_t) * HZ_BATCH_WORDS);
		put(eval, expr, &part, &left, &m);
		left = (HzRows){.count = nulls, .at = rest};
	}
	if (left.count == 0)
		m.nulls = NULL;
	finish(eval, expr, &m, out);
	return true;
}
