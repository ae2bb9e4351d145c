/*
 * expr/vexpr_cast.c
 *	  Casts among integers, from integers and booleans to floats and back, float4 to float8.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

/* An integer or a boolean. */
static inline int64_t
int_at(const HzVector *in, uint32_t row)
{
	switch (in->kind)
	{
		case HZ_KIND_BOOL:
			return ((const uint8_t *) in->values)[row];
		case HZ_KIND_INT16:
			return ((const int16_t *) in->values)[row];
		case HZ_KIND_INT32:
			return ((const int32_t *) in->values)[row];
		default:
			return ((const int64_t *) in->values)[row];
	}
}

/* False: the value has no place in the result's type. */
static inline bool
put_int(HzKind kind, int64_t value, void *out, uint32_t row)
{
	switch (kind)
	{
		case HZ_KIND_BOOL:
			((uint8_t *) out)[row] = value != 0;
			return true;
		case HZ_KIND_INT16:
			((int16_t *) out)[row] = (int16_t) value;
			return value == (int16_t) value;
		case HZ_KIND_INT32:
			((int32_t *) out)[row] = (int32_t) value;
			return value == (int32_t) value;
		case HZ_KIND_FLOAT32:
			((float *) out)[row] = (float) value;
			return true;
		case HZ_KIND_FLOAT64:
			((double *) out)[row] = (double) value;
			return true;
		default:
			((int64_t *) out)[row] = value;
			return true;
	}
}

static bool
cast_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (in->kind == HZ_KIND_FLOAT32)
			((double *) lane->values)[row] = ((const float *) in->values)[row];
		else if (!put_int(expr->kind, int_at(in, row), lane->values, row))
			return hz_eval_fail(eval, expr->kind == HZ_KIND_INT16 ? HZ_EVAL_INT2_RANGE
																  : HZ_EVAL_INT4_RANGE);
	}
	return true;
}

bool
hz_vexpr_cast_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, cast_kernel, rows, out);
}
