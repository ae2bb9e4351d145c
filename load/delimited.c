/*
 * load/delimited.c
 *	  CSV and TSV as ClickHouse writes them: where fields end, and what they say.
 */
#include "load/delimited.h"

const uint8_t *
hz_tsv_field(const uint8_t *p, const uint8_t *end, const HzDelimiters *delimiters, HzField *field)
{
	const uint8_t *stop = p < end ? memchr(p, delimiters->delimiter, (size_t) (end - p)) : NULL;

	if (stop == NULL)
		stop = end;
	field->data = p;
	field->length = (size_t) (stop - p);
	if (field->length == delimiters->null_length && memcmp(p, delimiters->null, field->length) == 0)
		field->kind = HZ_FIELD_NULL;
	else
		field->kind = HZ_FIELD_TSV;
	return stop;
}

static const uint8_t *
quoted_field(const uint8_t *p, const uint8_t *end, const HzDelimiters *delimiters, HzField *field,
			 const char **reason)
{
	field->kind = HZ_FIELD_PLAIN;
	field->data = p;
	for (;;)
	{
		const uint8_t *quote = p < end ? memchr(p, '"', (size_t) (end - p)) : NULL;

		if (quote == NULL)
		{
			*reason = "a quoted field has no end";
			return NULL;
		}
		p = quote + 1;
		if (p < end && *p == '"')
		{
			field->kind = HZ_FIELD_DOUBLED;
			p++;
			continue;
		}
		field->length = (size_t) (quote - field->data);
		if (p < end && *p != delimiters->delimiter)
		{
			*reason = "text follows a quoted field";
			return NULL;
		}
		return p;
	}
}

const uint8_t *
hz_csv_field(const uint8_t *p, const uint8_t *end, const HzDelimiters *delimiters, HzField *field,
			 const char **reason)
{
	const uint8_t *stop;

	if (p < end && *p == '"')
		return quoted_field(p + 1, end, delimiters, field, reason);
	stop = p < end ? memchr(p, delimiters->delimiter, (size_t) (end - p)) : NULL;
	if (stop == NULL)
		stop = end;
	field->data = p;
	field->length = (size_t) (stop - p);
	if (field->length == delimiters->null_length && memcmp(p, delimiters->null, field->length) == 0)
		field->kind = HZ_FIELD_NULL;
	else
		field->kind = HZ_FIELD_PLAIN;
	return stop;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const uint8_t *
hz_backslash_put(HzBytes *out, const uint8_t *p, const uint8_t *end)
{
	static const char letters[] = "abefnrtv0";
	static const char bytes[] = "\a\b\x1b\f\n\r\t\v\0";
	const char *letter;

	if (*p == 'x' && end - p >= 3 && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0)
	{
		hz_bytes_put8(out, (uint8_t) (hex_digit(p[1]) << 4 | hex_digit(p[2])));
		return p + 3;
	}
	letter = *p != '\0' ? strchr(letters, *p) : NULL;
	if (letter != NULL)
	{
		hz_bytes_put8(out, (uint8_t) bytes[letter - letters]);
		return p + 1;
	}
	/* As in ClickHouse, a backslash that escapes nothing is one. */
	if (*p >= 0x20 && strchr("\\'\"`/=", *p) == NULL)
		hz_bytes_put8(out, '\\');
	hz_bytes_put8(out, *p);
	return p + 1;
}

void
hz_tsv_unescape(HzBytes *out, const uint8_t *data, size_t length)
{
	const uint8_t *p = data;
	const uint8_t *end = data + length;

	while (p < end)
	{
		const uint8_t *backslash = memchr(p, '\\', (size_t) (end - p));

		if (backslash == NULL || backslash + 1 == end)
			backslash = end;
		hz_bytes_append(out, p, (size_t) (backslash - p));
		p = backslash < end ? hz_backslash_put(out, backslash + 1, end) : end;
	}
}

void
hz_csv_undouble(HzBytes *out, const uint8_t *data, size_t length)
{
	const uint8_t *p = data;
	const uint8_t *end = data + length;

	while (p < end)
	{
		const uint8_t *quote = memchr(p, '"', (size_t) (end - p));
		size_t n = quote == NULL ? (size_t) (end - p) : (size_t) (quote - p) + 1;

		hz_bytes_append(out, p, n);
		p += n;
		if (quote != NULL && p < end)
			p++;
	}
}
