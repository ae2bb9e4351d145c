/*
 * encoding/int_encode.c
 *	  Choosing between a leaf, the deltas of the values, and their runs. See int_layout.h.
 */
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/int_layout.h"
#include "encoding/int_plan.h"
#include "encoding/runs.h"

static HZ_CLONES void
subtract_neighbours(const int64_t *values, uint32_t count, int64_t *restrict deltas)
{
	for (uint32_t i = 1; i < count; i++)
		deltas[i - 1] = (int64_t) ((uint64_t) values[i] - (uint64_t) values[i - 1]);
}

static HZ_CLONES uint32_t
count_runs(const int64_t *values, uint32_t count)
{
	uint32_t runs = 1;

	for (uint32_t i = 1; i < count; i++)
		runs += values[i] != values[i - 1];
	return runs;
}

static void
encode_runs(const int64_t *values, uint32_t count, HzBytes *out)
{
	int64_t heads[HZ_VECTOR_ROWS];
	HzRuns runs;

	runs.count = 0;
	for (uint32_t i = 0, start = 0; i < count; i++)
		if (i + 1 == count || values[i + 1] != values[i])
		{
			heads[runs.count] = values[i];
			runs.lengths[runs.count++] = (uint16_t) (i + 1 - start);
			start = i + 1;
		}
	hz_bytes_put8(out, HZ_ENCODING_RUN_LENGTH);
	hz_runs_write(&runs, out);
	hz_int_encode_at(heads, runs.count, HZ_INT_DELTA, out);
}

#define LONG_RUN \
	8 /* values; with runs that long deltas are not tried: mostly zero, they cannot win */

/* Runs pay when they are long, or when a run costs fewer bits than its values do in a piece of `size` bytes. */
static bool
runs_may_pay(uint32_t runs, uint32_t count, uint32_t bits, size_t size)
{
	return 2 * runs <= count || (size_t) runs * (bits + 1) / 8 + HZ_INT_RUNS_HEADER < size;
}

void
hz_int_encode_at(const int64_t *values, uint32_t count, HzIntDepth depth, HzBytes *out)
{
	HzIntPlan plan, delta_plan;
	int64_t deltas[HZ_VECTOR_ROWS];
	size_t start = out->length;
	size_t size;
	uint32_t runs;
	bool delta = false;

	hz_int_plan(values, count, 1, SIZE_MAX, &plan);
	if (depth == HZ_INT_LEAF || plan.encoding == HZ_ENCODING_CONSTANT)
	{
		hz_int_plan_write(values, count, &plan, out);
		return;
	}
	size = plan.size;
	runs = depth == HZ_INT_ANY ? count_runs(values, count) : count;
	if (LONG_RUN * runs > count)
	{
		subtract_neighbours(values, count, deltas);
		/* Deltas that wrap are not multiples of what divides the values. */
		hz_int_plan(deltas, count - 1, plan.range <= INT64_MAX ? plan.common : 1, size,
					&delta_plan);
		delta = HZ_INT_DELTA_HEADER + delta_plan.size < size;
		size = delta ? HZ_INT_DELTA_HEADER + delta_plan.size : size;
	}
	if (depth == HZ_INT_ANY && runs_may_pay(runs, count, plan.bits, size))
	{
		encode_runs(values, count, out);
		if (out->length - start < size)
			return;
		out->length = start;
	}
	if (delta)
	{
		hz_bytes_put8(out, HZ_ENCODING_DELTA);
		hz_bytes_put64(out, (uint64_t) values[0]);
		hz_int_plan_write(deltas, count - 1, &delta_plan, out);
	}
	else
		hz_int_plan_write(values, count, &plan, out);
}

void
hz_int_encode_sized(const int64_t *values, uint32_t count, HzIntDepth depth, HzBytes *out)
{
	size_t start = out->length;

	hz_bytes_put16(out, 0);
	hz_int_encode_at(values, count, depth, out);
	hz_store16(out->data + start, (uint16_t) (out->length - start - 2));
}

void
hz_int_encode(const int64_t *values, uint32_t count, HzBytes *out)
{
	hz_int_encode_at(values, count, HZ_INT_ANY, out);
}
