/*
 * expr/vexpr_to_char.c
 *	  to_char() of timestamps whose format has but numbers and what stands between them: once per bucket of its finest field.
 *
 * Numbers are padded with zeroes; a year before 1 has the number that people give it, as PostgreSQL's formatting.c prints it. An infinite
 * timestamp is null.
 */
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_node.h"

#define MAX_DIGITS 6 /* of a year */
#define USECS_PER_SECOND INT64_C(1000000)

/* Puts a number that is not negative, with at least `digits` digits. */
static uint8_t *
put_number(uint8_t *out, int number, int digits)
{
	uint8_t reversed[MAX_DIGITS + 4];
	int n = 0;

	for (; number > 0 || n < digits; number /= 10)
		reversed[n++] = (uint8_t) ('0' + number % 10);
	while (n > 0)
		*out++ = reversed[--n];
	return out;
}

static uint8_t *
put_field(uint8_t *out, HzTimeField field, int32_t days, int64_t seconds)
{
	int year;
	int month;
	int day;

	hz_civil_of(days, &year, &month, &day);
	switch (field)
	{
		case HZ_FIELD_YEAR:
			return put_number(out, year <= 0 ? 1 - year : year, 4);
		case HZ_FIELD_MONTH:
			return put_number(out, month, 2);
		case HZ_FIELD_DAY:
			return put_number(out, day, 2);
		case HZ_FIELD_HOUR:
			return put_number(out, (int) (seconds / 3600), 2);
		case HZ_FIELD_MINUTE:
			return put_number(out, (int) (seconds / 60 % 60), 2);
		default:
			return put_number(out, (int) (seconds % 60), 2);
	}
}

/* The format's text for a local time; `out` has room. */
static size_t
put_time(const HzString *format, int64_t local, uint8_t *out)
{
	const uint8_t *start = out;
	int32_t days = (int32_t) hz_floor_div(local, HZ_USECS_PER_DAY);
	int64_t seconds = (local - days * HZ_USECS_PER_DAY) / USECS_PER_SECOND;

	for (uint64_t i = 0; i < format->length; i++)
	{
		if (format->data[i] >= HZ_FORMAT_FIELD)
			out = put_field(out, (HzTimeField) (format->data[i] - HZ_FORMAT_FIELD), days, seconds);
		else
			*out++ = format->data[i];
	}
	return (size_t) (out - start);
}

static bool
to_char_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   HzLane *lane)
{
	const HzString *format = expr->constant.values;
	const int64_t *timestamps = in->values;
	HzString *out = lane->values;
	uint8_t text[HZ_FORMAT_MAX * MAX_DIGITS];

	(void) eval;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];
		size_t length;

		/* a local time may be a few hours beyond all timestamps */
		if (!hz_time_is_finite(t))
		{
			hz_lane_null(lane, row);
			continue;
		}
		length = put_time(format, t + expr->offset, text);
		out[row].data = hz_bump_bytes(lane->memory, text, length);
		out[row].length = length;
	}
	return true;
}

bool
hz_vexpr_to_char_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;
	HzVector starts;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	if (!hz_trunc_codes(eval, expr, &in, rows, &starts))
		return hz_eval_map(eval, expr, to_char_kernel, &in, rows, out);
	starts.kind = in.kind;
	return hz_eval_map(eval, expr, to_char_kernel, &starts, rows, out);
}
