/*
 * load/json.c
 *	  JSON, as far as a loader must understand it: where a value ends, and what a string says.
 */
#include "load/json.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* As deep as values may nest: a bound for damaged input. */
#define MAX_DEPTH 512

const uint8_t *
hz_json_skip_space(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* p stands behind the opening quote. Returns the closing quote, or NULL. */
static const uint8_t *
string_end(const uint8_t *p, const uint8_t *end, bool *escaped)
{
	*escaped = false;
	for (;;)
	{
		while (end - p >= 8)
		{
			uint64_t w;
			uint64_t quote;
			uint64_t backslash;
			uint64_t found;

			memcpy(&w, p, 8);
			quote = w ^ (ONES * '"');
			backslash = w ^ (ONES * '\\');
			found = (((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash)) & HIGHS;
			if (found != 0)
			{
				p += __builtin_ctzll(found) / 8;
				break;
			}
			p += 8;
		}
		while (p < end && *p != '"' && *p != '\\')
			p++;
		if (p == end)
			return NULL;
		if (*p == '"')
			return p;
		*escaped = true;
		if (end - p < 2)
			return NULL;
		p += 2;
	}
}

/* p stands at the opening bracket. Returns the byte after the one that closes it. */
static const uint8_t *
nested_end(const uint8_t *p, const uint8_t *end, const char **reason)
{
	uint8_t closing[MAX_DEPTH];
	int depth = 0;
	bool escaped;

	do
	{
		switch (*p)
		{
			case '[':
			case '{':
				if (depth == MAX_DEPTH)
				{
					*reason = "a value nests too deep";
					return NULL;
				}
				closing[depth++] = *p == '[' ? ']' : '}';
				break;
			case ']':
			case '}':
				if (closing[--depth] != *p)
				{
					*reason = "brackets do not match";
					return NULL;
				}
				break;
			case '"':
				p = string_end(p + 1, end, &escaped);
				if (p == NULL)
				{
					*reason = "a string has no end";
					return NULL;
				}
				break;
			default:
				break;
		}
		p++;
	} while (depth > 0 && p < end);
	if (depth > 0)
	{
		*reason = "an object or array has no end";
		return NULL;
	}
	return p;
}

/* A number or a word: the server judges what it says, but nothing else passes for one. */
static const uint8_t *
token_end(const uint8_t *p, const uint8_t *end)
{
	while (p < end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
					   (*p >= 'A' && *p <= 'Z') || *p == '+' || *p == '-' || *p == '.'))
		p++;
	return p;
}

static bool
token_is_known(const uint8_t *data, size_t length)
{
	static const char *const words[] = {"true", "false", "nan", "-nan", "inf", "-inf", "NaN"};
	size_t sign = length > 0 && data[0] == '-';

	if (length > sign && data[sign] >= '0' && data[sign] <= '9')
	{
		for (size_t i = sign; i < length; i++)
		{
			if (strchr("0123456789.eE+-", data[i]) == NULL)
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (strlen(words[i]) == length && memcmp(words[i], data, length) == 0)
			return true;
	}
	return false;
}

const uint8_t *
hz_json_value(const uint8_t *p, const uint8_t *end, HzField *field, const char **reason)
{
	const uint8_t *stop;
	bool escaped;

	p = hz_json_skip_space(p, end);
	if (p == end)
	{
		*reason = "a value is missing";
		return NULL;
	}
	field->data = p;
	switch (*p)
	{
		case '"':
			stop = string_end(p + 1, end, &escaped);
			if (stop == NULL)
			{
				*reason = "a string has no end";
				return NULL;
			}
			field->data = p + 1;
			field->length = (size_t) (stop - field->data);
			field->kind = escaped ? HZ_FIELD_STRING : HZ_FIELD_PLAIN;
			return stop + 1;
		case '[':
		case '{':
			stop = nested_end(p, end, reason);
			if (stop == NULL)
				return NULL;
			field->length = (size_t) (stop - p);
			field->kind = HZ_FIELD_JSON;
			return stop;
		default:
			stop = token_end(p, end);
			field->length = (size_t) (stop - p);
			field->kind = HZ_FIELD_TOKEN;
			if (field->length == 4 && memcmp(p, "null", 4) == 0)
				field->kind = HZ_FIELD_NULL;
			else if (!token_is_known(p, field->length))
			{
				*reason = "a value is no JSON";
				return NULL;
			}
			return stop;
	}
}

/* Four hexadecimal digits, or -1. */
static int32_t
hex4(const uint8_t *p, const uint8_t *end)
{
	int32_t value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		uint8_t c = p[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

/* p stands behind \u. Returns what follows the escape, or the pair of escapes. */
static const uint8_t *
unescape_unicode(HzBytes *out, const uint8_t *p, const uint8_t *end, const HzTextRules *rules,
				 const char **reason)
{
	int32_t code = hex4(p, end);
	int32_t low;

	if (code < 0)
	{
		*reason = "\\u without four hexadecimal digits";
		return NULL;
	}
	p += 4;
	if (code >= 0xD800 && code <= 0xDBFF && end - p >= 6 && p[0] == '\\' && p[1] == 'u')
	{
		low = hex4(p + 2, end);
		if (low >= 0xDC00 && low <= 0xDFFF)
		{
			hz_utf8_put(out,
						0x10000 + (((uint32_t) code - 0xD800) << 10) + ((uint32_t) low - 0xDC00));
			return p + 6;
		}
	}
	if (code >= 0xD800 && code <= 0xDFFF)
	{
		if (!rules->replace_invalid)
		{
			*reason =
				"half of a surrogate pair is no character (--replace-invalid puts U+FFFD in its place)";
			return NULL;
		}
		code = 0xFFFD;
	}
	hz_utf8_put(out, (uint32_t) code);
	return p;
}

const char *
hz_json_unescape(HzBytes *out, const uint8_t *data, size_t length, const HzTextRules *rules)
{
	const uint8_t *p = data;
	const uint8_t *end = data + length;
	const char *reason = NULL;

	while (p < end)
	{
		const uint8_t *backslash = memchr(p, '\\', (size_t) (end - p));

		if (backslash == NULL)
			backslash = end;
		hz_bytes_append(out, p, (size_t) (backslash - p));
		p = backslash;
		if (p == end)
			break;
		if (end - p < 2)
			return "a string ends in a backslash";
		p += 2;
		switch (p[-1])
		{
			case '"':
			case '\\':
			case '/':
				hz_bytes_put8(out, p[-1]);
				break;
			case 'b':
				hz_bytes_put8(out, '\b');
				break;
			case 'f':
				hz_bytes_put8(out, '\f');
				break;
			case 'n':
				hz_bytes_put8(out, '\n');
				break;
			case 'r':
				hz_bytes_put8(out, '\r');
				break;
			case 't':
				hz_bytes_put8(out, '\t');
				break;
			case 'u':
				p = unescape_unicode(out, p, end, rules, &reason);
				if (p == NULL)
					return reason;
				break;
			default:
				return "a string has an escape that JSON does not know";
		}
	}
	return NULL;
}

void
hz_json_put_string(HzBytes *out, const uint8_t *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *o;

	hz_bytes_put8(out, '"');
	for (size_t i = 0; i < length; i++)
	{
		uint8_t c = data[i];

		o = hz_bytes_reserve(out, 6);
		if (c >= 0x20 && c != '"' && c != '\\')
		{
			o[0] = c;
			out->length += 1;
		}
		else if (c >= 0x20)
		{
			o[0] = '\\';
			o[1] = c;
			out->length += 2;
		}
		else
		{
			memcpy(o, "\\u00", 4);
			o[4] = (uint8_t) digits[c >> 4];
			o[5] = (uint8_t) digits[c & 15];
			out->length += 6;
		}
	}
	hz_bytes_put8(out, '"');
}

void
hz_json_put_without_nul(HzBytes *out, const uint8_t *data, size_t length)
{
	const uint8_t *p = data;
	const uint8_t *end = data + length;

	while (p < end)
	{
		size_t n = 1;

		if (*p == '\\')
		{
			if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
			{
				p += 6;
				continue;
			}
			n = end - p >= 2 ? 2 : 1;
		}
		hz_bytes_append(out, p, n);
		p += n;
	}
}
