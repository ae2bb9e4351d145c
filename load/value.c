/*
 * load/value.c
 *	  From a field of any format to a value of a column, in COPY's text format.
 */
#include <stdio.h>

#include "load/delimited.h"
#include "load/json.h"
#include "load/literal.h"
#include "load/value.h"

#define SECONDS_PER_DAY 86400

/* Seconds since 1970 beyond these are no time but a number in another unit: the years 1 and 9999. */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND INT64_C(253402300799)

static bool
bytes_are(const uint8_t *data, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(data, word, length) == 0;
}

/* A number without exponent: sign, digits, and perhaps a point and digits. */
static bool
is_decimal(const uint8_t *data, size_t length)
{
	size_t i = length > 0 && data[0] == '-';
	bool digit = false;
	bool point = false;

	for (; i < length; i++)
	{
		if (data[i] >= '0' && data[i] <= '9')
			digit = true;
		else if (data[i] == '.' && digit && !point)
			point = true;
		else
			return false;
	}
	return digit;
}

/* The date of a day counted from 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days). */
static void
civil_of_day(int64_t day, int *year, int *month, int *dom)
{
	int64_t z = day + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*dom = (int) (doy - (153 * mp + 2) / 5 + 1);
	*month = (int) (mp < 10 ? mp + 3 : mp - 9);
	*year = (int) (yoe + era * 400 + (*month <= 2));
}

/* Seconds since 1970, perhaps with a fraction, as a time in UTC. */
static const char *
time_of_number(const uint8_t *data, size_t length, HzBytes *out)
{
	bool negative = data[0] == '-';
	size_t i = negative;
	int64_t seconds = 0;
	int64_t nanos = 0;
	int64_t day;
	int64_t rest;
	int year;
	int month;
	int dom;
	char buffer[80];

	for (; i < length && data[i] != '.' && seconds <= LAST_SECOND; i++)
		seconds = seconds * 10 + (data[i] - '0');
	if (i < length && data[i] == '.')
	{
		int64_t unit = 100000000;

		for (i++; i < length; i++, unit /= 10)
			nanos += (data[i] - '0') * unit;
	}
	if (negative)
	{
		seconds = -seconds;
		if (nanos > 0)
		{
			seconds--;
			nanos = 1000000000 - nanos;
		}
	}
	if (seconds > LAST_SECOND || seconds < FIRST_SECOND)
		return "a number is too large for a time in seconds since 1970: export times as text";

	day = seconds / SECONDS_PER_DAY;
	rest = seconds % SECONDS_PER_DAY;
	if (rest < 0)
	{
		rest += SECONDS_PER_DAY;
		day--;
	}
	civil_of_day(day, &year, &month, &dom);
	out->length = 0;
	snprintf(buffer, sizeof(buffer), "%04d-%02d-%02d %02d:%02d:%02d.%09d+00", year, month, dom,
			 (int) (rest / 3600), (int) (rest / 60 % 60), (int) (rest % 60), (int) nanos);
	hz_bytes_append(out, buffer, strlen(buffer));
	return NULL;
}

const char *
hz_scalar_convert(HzValueKind kind, const uint8_t **data, size_t *length, HzBytes *scratch)
{
	const uint8_t *p = *data;
	const char *replacement = NULL;
	const char *reason;

	if (*length == 0)
		return NULL;
	switch (kind)
	{
		case HZ_VALUE_NUMBER:
			if (bytes_are(p, *length, "true"))
				replacement = "1";
			else if (bytes_are(p, *length, "false"))
				replacement = "0";
			else if (bytes_are(p, *length, "-nan"))
				replacement = "nan";
			break;
		case HZ_VALUE_TIME:
			if ((p[0] == '-' || (p[0] >= '0' && p[0] <= '9')) && is_decimal(p, *length))
			{
				reason = time_of_number(p, *length, scratch);
				if (reason != NULL)
					return reason;
				*data = scratch->data;
				*length = scratch->length;
				return NULL;
			}
			/* FALLTHROUGH */
		case HZ_VALUE_DATE:
			/* How old servers wrote the day 0. */
			if (*length >= 10 && memcmp(p, "0000-00-00", 10) == 0)
				replacement = kind == HZ_VALUE_DATE ? "1970-01-01" : "1970-01-01 00:00:00+00";
			break;
		default:
			break;
	}
	if (replacement != NULL)
	{
		*data = (const uint8_t *) replacement;
		*length = strlen(replacement);
	}
	return NULL;
}

/* What the field says, either in the record itself or in scratch->content. */
static const char *
content_of(const HzField *field, const HzTextRules *rules, HzScratch *scratch, const uint8_t **data,
		   size_t *length)
{
	HzBytes *content = &scratch->content;
	const char *reason = NULL;

	*data = field->data;
	*length = field->length;
	content->length = 0;
	switch (field->kind)
	{
		case HZ_FIELD_TSV:
			if (field->length == 0 || memchr(field->data, '\\', field->length) == NULL)
				return NULL;
			hz_tsv_unescape(content, field->data, field->length);
			break;
		case HZ_FIELD_DOUBLED:
			hz_csv_undouble(content, field->data, field->length);
			break;
		case HZ_FIELD_STRING:
			reason = hz_json_unescape(content, field->data, field->length, rules);
			break;
		default:
			return NULL;
	}
	*data = content->data;
	*length = content->length;
	return reason;
}

static const char *
put_json(HzBytes *out, const HzField *field, const HzTextRules *rules, HzScratch *scratch)
{
	const uint8_t *data = field->data;
	size_t length = field->length;
	HzBytes *text = &scratch->text;
	const char *reason = NULL;

	/* TSV does not escape the escapes of a map once more, but those of a string that holds JSON. */
	if (field->kind != HZ_FIELD_TSV || !hz_literal_is_native(data, length))
		reason = content_of(field, rules, scratch, &data, &length);
	if (reason != NULL)
		return reason;
	text->length = 0;
	if (field->kind != HZ_FIELD_JSON && hz_literal_is_native(data, length))
	{
		reason = hz_literal_to_json(text, data, length);
		data = text->data;
		length = text->length;
	}
	if (rules->strip_nul)
	{
		scratch->element.length = 0;
		hz_json_put_without_nul(&scratch->element, data, length);
		data = scratch->element.data;
		length = scratch->element.length;
	}
	return reason != NULL ? reason : hz_copytext_put(out, data, length, rules);
}

static const char *
put_array(HzBytes *out, const HzField *field, const HzColumn *column, const HzTextRules *rules,
		  HzScratch *scratch)
{
	const uint8_t *data = field->data;
	size_t length = field->length;
	HzBytes literal = {0};
	const char *reason = NULL;

	/* As in put_json. PostgreSQL's own notation, in a string, passes. */
	if (field->kind != HZ_FIELD_TSV || !hz_literal_is_native(data, length))
		reason = content_of(field, rules, scratch, &data, &length);
	if (reason == NULL && length > 0 && data[0] == '{' && field->kind != HZ_FIELD_JSON)
		return hz_copytext_put(out, data, length, rules);
	if (reason == NULL)
		reason = hz_literal_to_array(&literal, data, length, column->kind, rules, scratch);
	if (reason == NULL)
		reason = hz_copytext_put(out, literal.data, literal.length, rules);
	hz_bytes_free(&literal);
	return reason;
}

const char *
hz_value_put(HzBytes *out, const HzField *field, const HzColumn *column, const HzTextRules *rules,
			 HzScratch *scratch)
{
	const uint8_t *data;
	size_t length;
	const char *reason;

	if (field->kind == HZ_FIELD_NULL)
	{
		hz_bytes_append(out, "\\N", 2);
		return NULL;
	}
	if (column->array)
		return put_array(out, field, column, rules, scratch);
	if (column->kind == HZ_VALUE_JSON)
		return put_json(out, field, rules, scratch);

	reason = content_of(field, rules, scratch, &data, &length);
	if (reason != NULL)
		return reason;
	if (column->kind == HZ_VALUE_BYTEA)
	{
		hz_copytext_put_bytea(out, data, length);
		return NULL;
	}
	if (column->fixed)
	{
		while (length > 0 && data[length - 1] == 0)
			length--;
	}
	if (column->kind != HZ_VALUE_TEXT)
		reason = hz_scalar_convert(column->kind, &data, &length, &scratch->text);
	return reason != NULL ? reason : hz_copytext_put(out, data, length, rules);
}

void
hz_scratch_free(HzScratch *scratch)
{
	hz_bytes_free(&scratch->content);
	hz_bytes_free(&scratch->text);
	hz_bytes_free(&scratch->element);
}
