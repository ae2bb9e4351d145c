/*
 * expr/vexpr_extract.c
 *	  extract(field FROM timestamp or date): numerics, which are scaled integers unless an infinity is among them.
 */
#include "encoding/clones.h"
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_node.h"
#include "format/numeric.h"

#define USECS_PER_SECOND INT64_C(1000000)
#define USECS_PER_MINUTE (60 * USECS_PER_SECOND)
#define USECS_PER_HOUR (60 * USECS_PER_MINUTE)

/* ---- fields */

/* Monday 1 to Sunday 7; 2000-01-01 is a Saturday. */
static int
isodow_of(int32_t days)
{
	int from_monday = (int) ((days + INT64_C(5)) % 7);

	return (from_monday < 0 ? from_monday + 7 : from_monday) + 1;
}

static int
week_of(int32_t days)
{
	int32_t thursday = days - isodow_of(days) + 4;
	int year;
	int month;
	int day;

	hz_civil_of(thursday, &year, &month, &day);
	return (thursday - hz_days_of(year, 1, 1)) / 7 + 1;
}

static int64_t
of_day(HzTimeField field, int32_t days)
{
	int year;
	int month;
	int day;

	if (field == HZ_FIELD_ISODOW)
		return isodow_of(days);
	if (field == HZ_FIELD_DOW)
		return isodow_of(days) % 7;
	if (field == HZ_FIELD_WEEK)
		return week_of(days);
	hz_civil_of(days, &year, &month, &day);
	switch (field)
	{
		case HZ_FIELD_DAY:
			return day;
		case HZ_FIELD_MONTH:
			return month;
		case HZ_FIELD_QUARTER:
			return (month - 1) / 3 + 1;
		case HZ_FIELD_DOY:
			return days - hz_days_of(year, 1, 1) + 1;
		default:
			/* there is no year 0 */
			return year > 0 ? year : year - 1;
	}
}

static bool
is_of_day(HzTimeField field)
{
	return field >= HZ_FIELD_DAY && field <= HZ_FIELD_WEEK;
}

/* Years and the epoch of an infinity are infinite, all else has no value. */
static bool
is_monotone(HzTimeField field)
{
	return field == HZ_FIELD_YEAR || field == HZ_FIELD_EPOCH;
}

static HzInt128
of_timestamp(HzTimeField field, int64_t timestamp, int64_t offset)
{
	int64_t local = timestamp + offset;
	int32_t days = (int32_t) hz_floor_div(local, HZ_USECS_PER_DAY);
	int64_t time = local - days * HZ_USECS_PER_DAY;

	switch (field)
	{
		case HZ_FIELD_EPOCH:
			return (HzInt128) timestamp - HZ_UNIX_EPOCH;
		case HZ_FIELD_SECOND:
			return time % USECS_PER_MINUTE;
		case HZ_FIELD_MINUTE:
			return time / USECS_PER_MINUTE % 60;
		case HZ_FIELD_HOUR:
			return time / USECS_PER_HOUR;
		default:
			return of_day(field, days);
	}
}

static HzInt128
of_date(HzTimeField field, int32_t date)
{
	if (field == HZ_FIELD_EPOCH)
		return date * INT64_C(86400) - HZ_UNIX_EPOCH / USECS_PER_SECOND;
	return of_day(field, date);
}

/* ---- vectors */

typedef enum Range
{
	RANGE_SCALED,
	RANGE_MINUS,
	RANGE_PLUS,
	RANGE_LARGE /* an epoch that 64 bits do not hold */
} Range;

static Range
range_of(const HzVexpr *expr, const HzVector *in, uint32_t row)
{
	if (in->kind == HZ_KIND_INT32)
	{
		int32_t date = ((const int32_t *) in->values)[row];

		return date == INT32_MIN ? RANGE_MINUS : date == INT32_MAX ? RANGE_PLUS : RANGE_SCALED;
	}
	else
	{
		int64_t t = ((const int64_t *) in->values)[row];

		if (!hz_time_is_finite(t))
			return t < 0 ? RANGE_MINUS : RANGE_PLUS;
		return expr->op == HZ_FIELD_EPOCH && t >= INT64_MAX + HZ_UNIX_EPOCH ? RANGE_LARGE
																			: RANGE_SCALED;
	}
}

/*
 * Whether scaled integers will do. All slots are looked at, selected or not, so that the answer is the same for every
 * entry of a dictionary.
 */
static bool
all_scaled(const HzVexpr *expr, const HzVector *in)
{
	if (!is_monotone((HzTimeField) expr->op))
		return true;
	for (uint32_t i = 0; i < in->count; i++)
		if (range_of(expr, in, i) != RANGE_SCALED)
			return false;
	return true;
}

static HzInt128
field_at(const HzVexpr *expr, const HzVector *in, uint32_t row)
{
	if (in->kind == HZ_KIND_INT32)
		return of_date((HzTimeField) expr->op, ((const int32_t *) in->values)[row]);
	return of_timestamp((HzTimeField) expr->op, ((const int64_t *) in->values)[row], expr->offset);
}

static uint16_t
scale_of(const HzVexpr *expr, const HzVector *in)
{
	return in->kind == HZ_KIND_INT64 && (expr->op == HZ_FIELD_SECOND || expr->op == HZ_FIELD_EPOCH)
			   ? 6
			   : 0;
}

static void
put_payload(const HzVexpr *expr, const HzVector *in, uint32_t row, HzLane *lane)
{
	static const uint8_t infinity[2] = {0x00, 0xD0};
	static const uint8_t minus_infinity[2] = {0x00, 0xF0};
	HzString *out = (HzString *) lane->values + row;
	Range range = range_of(expr, in, row);
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
	HzInt128 value;

	if (range == RANGE_MINUS || range == RANGE_PLUS)
	{
		out->data = range == RANGE_PLUS ? infinity : minus_infinity;
		out->length = 2;
		return;
	}
	value = field_at(expr, in, row);
	/* there PostgreSQL divides numerics, whose quotient of this size has four digits behind the point */
	if (range == RANGE_LARGE)
		value = (value + 50) / 100 * 100;
	out->length = hz_numeric_to_payload(value, scale_of(expr, in), payload);
	out->data = hz_bump_bytes(lane->memory, payload, out->length);
}

/* Where a field of timestamps stays what it is. */
typedef struct Stretch
{
	int64_t start;
	int64_t end; /* not in it */
	int64_t value;
} Stretch;

/* That of a finite timestamp: its day, hour or minute. */
static void
find_stretch(const HzVexpr *expr, int64_t timestamp, Stretch *stretch)
{
	HzTimeField field = (HzTimeField) expr->op;
	int64_t length = is_of_day(field)         ? HZ_USECS_PER_DAY
					 : field == HZ_FIELD_HOUR ? USECS_PER_HOUR
											  : USECS_PER_MINUTE;

	stretch->start = hz_floor_div(timestamp + expr->offset, length) * length - expr->offset;
	if (__builtin_add_overflow(stretch->start, length, &stretch->end))
		stretch->end = INT64_MAX;
	stretch->value = (int64_t) of_timestamp(field, timestamp, expr->offset);
}

static inline bool
is_in(const Stretch *stretch, int64_t timestamp)
{
	return timestamp >= stretch->start && timestamp < stretch->end;
}

/* A field that is the same all day: computed when the day changes. */
static void
days_loop(const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	const int64_t *timestamps = in->values;
	int64_t *out = lane->values;
	Stretch stretch = {0, 0, 0};

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];

		if (!hz_time_is_finite(t))
		{
			hz_lane_null(lane, row);
			continue;
		}
		if (!is_in(&stretch, t))
			find_stretch(expr, t, &stretch);
		out[row] = stretch.value;
	}
}

static bool
extract_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   HzLane *lane)
{
	if (!all_scaled(expr, in))
	{
		for (uint32_t i = 0; i < rows->count; i++)
			put_payload(expr, in, hz_rows_at(rows, i), lane);
		return true;
	}
	lane->numeric = HZ_NUMERIC_INT64;
	lane->scale = scale_of(expr, in);
	lane->width = sizeof(int64_t);
	if (in->kind == HZ_KIND_INT64 && is_of_day((HzTimeField) expr->op))
	{
		days_loop(expr, in, rows, lane);
		return true;
	}
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (range_of(expr, in, row) != RANGE_SCALED)
			hz_lane_null(lane, row);
		else
			((int64_t *) lane->values)[row] = (int64_t) field_at(expr, in, row);
	}
	return true;
}

/* ---- fields of few values */

#define TEN(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9
#define HUNDRED(n)                                                                        \
	TEN(n), TEN(n + 10), TEN(n + 20), TEN(n + 30), TEN(n + 40), TEN(n + 50), TEN(n + 60), \
		TEN(n + 70), TEN(n + 80), TEN(n + 90)

/* A dictionary of all such fields: the code is the value. */
static const int64_t numbers[] = {HUNDRED(0), HUNDRED(100), HUNDRED(200), TEN(300), TEN(310),
								  TEN(320),   TEN(330),     TEN(340),     TEN(350), TEN(360)};

/* One more than the greatest value; 0: there are many, or they have digits behind the point. */
static uint32_t
field_values(HzTimeField field)
{
	switch (field)
	{
		case HZ_FIELD_MINUTE:
			return 60;
		case HZ_FIELD_HOUR:
			return 24;
		case HZ_FIELD_DAY:
			return 32;
		case HZ_FIELD_MONTH:
			return 13;
		case HZ_FIELD_QUARTER:
			return 5;
		case HZ_FIELD_DOW:
			return 7;
		case HZ_FIELD_ISODOW:
			return 8;
		case HZ_FIELD_DOY:
			return 367;
		case HZ_FIELD_WEEK:
			return 54;
		default:
			return 0;
	}
}

/* Of timestamps, one behind the other. False: one is infinite, whose field is null. */
static bool
fill_codes(const HzVexpr *expr, const HzVector *in, const HzRows *rows, uint16_t *codes)
{
	const int64_t *timestamps = in->values;
	Stretch stretch = {0, 0, 0};

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];

		if (!hz_vector_valid(in, row))
			continue;
		if (!is_in(&stretch, t))
		{
			if (!hz_time_is_finite(t))
				return false;
			find_stretch(expr, t, &stretch);
		}
		codes[row] = (uint16_t) stretch.value;
	}
	return true;
}

/* Codes, so that groups are found by them; false: not to be done so. */
static bool
as_codes(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzVector *out)
{
	uint32_t values = field_values((HzTimeField) expr->op);
	uint16_t *codes;

	if (values == 0 || in->kind != HZ_KIND_INT64 || in->form != HZ_FORM_FLAT)
		return false;
	codes = hz_bump_zero(&eval->batch, sizeof(uint16_t) * eval->rows);
	if (!fill_codes(expr, in, rows, codes))
		return false;
	*out = (HzVector){.kind = HZ_KIND_NUMERIC,
					  .form = HZ_FORM_DICT,
					  .numeric = HZ_NUMERIC_INT64,
					  .width = sizeof(int64_t),
					  .count = in->count,
					  .dict_count = values,
					  .validity = in->validity,
					  .codes = codes,
					  .values = numbers};
	return true;
}

bool
hz_vexpr_extract_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	return as_codes(eval, expr, &in, rows, out) ||
		   hz_eval_map(eval, expr, extract_kernel, &in, rows, out);
}
