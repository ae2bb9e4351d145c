/*
 * expr/vexpr_time.c
 *	  Dates and timestamps: days and microseconds since 2000-01-01, whose least and greatest values are infinities.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

#define USECS_PER_DAY INT64_C(86400000000)
#define DATE_END (INT32_C(109203528) - 2451545) /* the first day that no timestamp can be on */

static bool
date_compared(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			  HzLane *lane)
{
	const int32_t *dates = in->values;
	int64_t *out = lane->values;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int32_t date = dates[row];

		out[row] = date == INT32_MIN   ? INT64_MIN
				   : date == INT32_MAX ? INT64_MAX
				   : date >= DATE_END  ? INT64_MAX - 1
									   : date * USECS_PER_DAY;
	}
	return true;
}

bool
hz_vexpr_date_compared_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return hz_eval_map_arg(eval, expr, date_compared, rows, out);
}
