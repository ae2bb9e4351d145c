/*
 * expr/vexpr_concat.c
 *	  text || text: once per combination of the entries of two dictionaries, or row by row.
 */
#include "expr/vexpr_node.h"

#define MAX_LENGTH ((uint64_t) 0x3fffffff - 4) /* of a text */

/* False: too long. */
static bool
put_both(HzLane *lane, uint32_t at, const HzString *a, const HzString *b)
{
	HzString *out = (HzString *) lane->values + at;
	uint8_t *room;

	out->length = a->length + b->length;
	if (out->length > MAX_LENGTH)
		return false;
	room = hz_bump_room(lane->memory, out->length);
	if (a->length > 0)
		memcpy(room, a->data, a->length);
	if (b->length > 0)
		memcpy(room + a->length, b->data, b->length);
	out->data = room;
	return true;
}

static bool
rows_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *a, const HzVector *b,
			const HzRows *rows, HzLane *lane)
{
	(void) expr;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (!hz_vector_valid(a, row))
		{
			((HzString *) lane->values)[row] = (HzString){0};
			continue;
		}
		if (!put_both(lane, row, (const HzString *) a->values + row,
					  (const HzString *) b->values + row))
			return hz_eval_fail(eval, HZ_EVAL_LENGTH);
	}
	return true;
}

static bool
entries_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   HzLane *lane)
{
	const HzVector *both = eval->combined;

	(void) expr;
	(void) in;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t at = hz_rows_at(rows, i);
		uint32_t number = at;
		uint32_t a;
		uint32_t b;
		bool valid = hz_combination_next(&both[0], &number, &a);

		if (!hz_combination_next(&both[1], &number, &b) || !valid)
			hz_lane_null(lane, at);
		else if (!put_both(lane, at, (const HzString *) both[0].values + a,
						   (const HzString *) both[1].values + b))
			return hz_eval_fail(eval, HZ_EVAL_LENGTH);
		hz_eval_keep(eval, lane, ((const HzString *) lane->values)[at].length);
	}
	return true;
}

bool
hz_vexpr_concat_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector both[2];
	HzVector combined;

	if (!hz_eval_value(eval, expr->args[0], rows, &both[0]) ||
		!hz_eval_value(eval, expr->args[1], rows, &both[1]))
		return false;
	if (hz_eval_combine(eval, expr, both, 2, rows, &combined))
		return hz_eval_map(eval, expr, entries_kernel, &combined, rows, out);
	return hz_eval_map_both(eval, expr, rows_kernel, &both[0], &both[1], rows, out);
}
