/*
 * agg/wide.c
 *	  See wide.h.
 */
#include <math.h>
#include <string.h>

#include "agg/wide.h"

bool
hz_wide_scale(HzInt128 *value, int64_t digits)
{
	__int128 result = *value;

	for (; digits > 0 && result != 0; digits--)
	{
		if (__builtin_mul_overflow(result, (__int128) 10, &result))
			return false;
	}
	*value = result;
	return true;
}

bool
hz_sum_wide_add(HzSumWide *state, HzInt128 value, int64_t scale, int64_t count)
{
	__int128 sum;

	if (scale > state->scale)
	{
		if (!hz_wide_scale(&state->sum, scale - state->scale))
			return false;
		state->scale = scale;
	}
	else if (scale < state->scale && !hz_wide_scale(&value, state->scale - scale))
		return false;
	if (__builtin_add_overflow((__int128) state->sum, (__int128) value, &sum))
		return false;
	state->sum = sum;
	state->count += count;
	return true;
}

bool
hz_sum_wide_merge(HzSumWide *into, const HzSumWide *from)
{
	return from->count == 0 || hz_sum_wide_add(into, from->sum, from->scale, from->count);
}

static int
compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return (int) isnan(a) - (int) isnan(b);
	return (a > b) - (a < b);
}

static int
compare_strings(const HzString *a, const HzString *b)
{
	uint64_t common = a->length < b->length ? a->length : b->length;
	int order = common > 0 ? memcmp(a->data, b->data, common) : 0;

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* Numbers of which one has no trailing zeros: brings both to one scale; what is too large for that decides. */
static int
compare_numerics(const HzKeySlot *a, const HzKeySlot *b)
{
	HzInt128 x;
	HzInt128 y;
	uint16_t x_scale;
	uint16_t y_scale;
	uint16_t display;

	hz_key_numeric(a, &x, &x_scale, &display);
	hz_key_numeric(b, &y, &y_scale, &display);
	if (x_scale < y_scale && !hz_wide_scale(&x, y_scale - x_scale))
		return x > 0 ? 1 : -1;
	if (y_scale < x_scale && !hz_wide_scale(&y, x_scale - y_scale))
		return y > 0 ? -1 : 1;
	return (x > y) - (x < y);
}

/* Orders as PostgreSQL: NaN is greatest, bytes as memcmp, shorter first. */
static int
compare_slots(HzKeyKind kind, const HzKeySlot *a, const HzKeySlot *b)
{
	switch (kind)
	{
		case HZ_KEY_INT:
			return (a->integer > b->integer) - (a->integer < b->integer);
		case HZ_KEY_FLOAT:
			return compare_reals(a->real, b->real);
		case HZ_KEY_FIXED:
			return memcmp(a->fixed, b->fixed, sizeof(a->fixed));
		case HZ_KEY_STRING:
			return compare_strings(&a->string, &b->string);
		case HZ_KEY_NUMERIC:
			return compare_numerics(a, b);
	}
	return 0;
}

bool
hz_extreme_better(const HzAggregate *aggregate, const HzKeySlot *candidate,
				  const HzKeySlot *present)
{
	HzKeyKind kind = HZ_KEY_INT;
	int order;

	(void) hz_key_kind(aggregate->argument_kind, aggregate->argument_width, &kind);
	order = compare_slots(kind, candidate, present);
	return aggregate->kind == HZ_AGG_MIN ? order < 0 : order > 0;
}
