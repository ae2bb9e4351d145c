/*
 * load/literal.c
 *	  Arrays, maps and tuples: in ClickHouse's notation, as TSV and CSV have them, and in JSON's.
 */
#include "load/delimited.h"
#include "load/json.h"
#include "load/literal.h"

/* A bound on recursion, for damaged input; PostgreSQL's arrays have 6 dimensions. */
#define MAX_DEPTH 200

typedef struct Reader
{
	const uint8_t *p;
	const uint8_t *end;
	const char *reason;
	int depth;
} Reader;

static bool
fail(Reader *r, const char *reason)
{
	if (r->reason == NULL)
		r->reason = reason;
	return false;
}

/* The next byte that is not white space, or 0. */
static uint8_t
peek(Reader *r)
{
	r->p = hz_json_skip_space(r->p, r->end);
	return r->p < r->end ? *r->p : 0;
}

static bool
take(Reader *r, uint8_t c)
{
	if (peek(r) != c)
		return false;
	r->p++;
	return true;
}

bool
hz_literal_is_native(const uint8_t *data, size_t length)
{
	if (length == 0 || strchr("[{(", data[0]) == NULL || data[0] == 0)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (data[i] == '\'' || data[i] == '(')
			return true;
		if (data[i] == '"')
			return false;
	}
	return true;
}

/* At a single quote: appends what the string says. */
static bool
read_single(Reader *r, HzBytes *out)
{
	r->p++;
	while (r->p < r->end)
	{
		uint8_t c = *r->p++;

		if (c == '\\' && r->p < r->end)
			r->p = hz_backslash_put(out, r->p, r->end);
		else if (c != '\'')
			hz_bytes_put8(out, c);
		else if (r->p < r->end && *r->p == '\'') /* SQL's way of writing a quote */
			hz_bytes_put8(out, *r->p++);
		else
			return true;
	}
	return fail(r, "a string in an array, map or tuple has no end");
}

/* At a double quote: the bytes between the quotes. */
static bool
read_double(Reader *r, HzField *field)
{
	const uint8_t *stop = hz_json_value(r->p, r->end, field, &r->reason);

	if (stop == NULL)
		return false;
	r->p = stop;
	return true;
}

/* A word or a number. */
static bool
read_token(Reader *r, HzField *field)
{
	field->data = r->p;
	while (r->p < r->end && strchr(",:[]{}()'\" \t\r\n", *r->p) == NULL)
		r->p++;
	field->length = (size_t) (r->p - field->data);
	field->kind = HZ_FIELD_TOKEN;
	return field->length > 0 ? true : fail(r, "a value is missing in an array, map or tuple");
}

static bool
token_is(const HzField *token, const char *word)
{
	return token->length == strlen(word) && memcmp(token->data, word, token->length) == 0;
}

static bool
token_is_null(const HzField *token)
{
	return token_is(token, "NULL") || token_is(token, "null");
}

/* JSON's grammar: -? (0 | [1-9] digits) (. digits)? (e sign? digits)? */
static bool
token_is_json_number(const HzField *token)
{
	const uint8_t *p = token->data;
	const uint8_t *end = p + token->length;
	const uint8_t *digits;

	p += p < end && *p == '-';
	digits = p;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	if (p == digits || (*digits == '0' && p - digits > 1))
		return false;
	if (p < end && *p == '.')
	{
		digits = ++p;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
		if (p == digits)
			return false;
	}
	if (p < end && (*p | 0x20) == 'e')
	{
		p++;
		p += p < end && (*p == '+' || *p == '-');
		digits = p;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
		if (p == digits)
			return false;
	}
	return p == end;
}

static bool write_json(Reader *r, HzBytes *out);

static bool
write_json_string(Reader *r, HzBytes *out)
{
	HzField field;
	HzBytes content = {0};
	bool good;

	if (*r->p == '"')
	{
		if (!read_double(r, &field))
			return false;
		hz_bytes_append(out, field.data - 1, field.length + 2);
		return true;
	}
	good = read_single(r, &content);
	if (good)
		hz_json_put_string(out, content.data, content.length);
	hz_bytes_free(&content);
	return good;
}

static bool
write_json_token(Reader *r, HzBytes *out, bool key)
{
	HzField token;

	if (!read_token(r, &token))
		return false;
	if (!key && token_is_null(&token))
		hz_bytes_append(out, "null", 4);
	else if (!key && (token_is(&token, "true") || token_is(&token, "false") ||
					  token_is_json_number(&token)))
		hz_bytes_append(out, token.data, token.length);
	else if (!key && (token_is(&token, "nan") || token_is(&token, "-nan") ||
					  token_is(&token, "inf") || token_is(&token, "-inf")))
		hz_bytes_append(out, "null",
						4); /* JSON has no such numbers; ClickHouse's own JSON says null, too */
	else
		hz_json_put_string(out, token.data, token.length);
	return true;
}

static bool
write_json_pair(Reader *r, HzBytes *out)
{
	uint8_t c = peek(r);
	bool good = c == '\'' || c == '"' ? write_json_string(r, out) : write_json_token(r, out, true);

	if (!good)
		return false;
	if (!take(r, ':'))
		return fail(r, "a key of a map has no value");
	hz_bytes_put8(out, ':');
	return write_json(r, out);
}

/* Behind an opening bracket; to the closing one. */
static bool
write_json_items(Reader *r, HzBytes *out, uint8_t closing)
{
	bool first = true;

	if (++r->depth > MAX_DEPTH)
		return fail(r, "a value nests too deep");
	while (!take(r, closing))
	{
		if (!first && !take(r, ','))
			return fail(r, "an array, map or tuple has no end");
		if (!first && closing == ')' && take(r, closing))
			break; /* (1,) is a tuple of one */
		if (!first)
			hz_bytes_put8(out, ',');
		first = false;
		if (closing == '}' ? !write_json_pair(r, out) : !write_json(r, out))
			return false;
	}
	r->depth--;
	return true;
}

static bool
write_json(Reader *r, HzBytes *out)
{
	uint8_t c = peek(r);
	bool object = c == '{';

	switch (c)
	{
		case '[':
		case '(':
		case '{':
			r->p++;
			hz_bytes_put8(out, object ? '{' : '[');
			if (!write_json_items(r, out, object ? '}' : c == '[' ? ']' : ')'))
				return false;
			hz_bytes_put8(out, object ? '}' : ']');
			return true;
		case '\'':
		case '"':
			return write_json_string(r, out);
		default:
			return write_json_token(r, out, false);
	}
}

const char *
hz_literal_to_json(HzBytes *out, const uint8_t *data, size_t length)
{
	Reader r = {data, data + length, NULL, 0};

	if (write_json(&r, out) && hz_json_skip_space(r.p, r.end) < r.end)
		fail(&r, "text follows an array, map or tuple");
	return r.reason;
}

/* ---- PostgreSQL's arrays */

typedef struct ArrayWriter
{
	HzBytes *out;
	HzValueKind kind;
	const HzTextRules *rules;
	HzScratch *scratch;
} ArrayWriter;

static void
write_element(ArrayWriter *w, const uint8_t *data, size_t length)
{
	hz_bytes_put8(w->out, '"');
	for (size_t i = 0; i < length; i++)
	{
		if (data[i] == '"' || data[i] == '\\')
			hz_bytes_put8(w->out, '\\');
		hz_bytes_put8(w->out, data[i]);
	}
	hz_bytes_put8(w->out, '"');
}

static bool
write_scalar(Reader *r, ArrayWriter *w, const uint8_t *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	HzBytes *text = &w->scratch->text;
	const char *reason;

	text->length = 0;
	if (w->kind == HZ_VALUE_BYTEA)
	{
		hz_bytes_append(text, "\\x", 2);
		for (size_t i = 0; i < length; i++)
		{
			hz_bytes_put8(text, (uint8_t) digits[data[i] >> 4]);
			hz_bytes_put8(text, (uint8_t) digits[data[i] & 15]);
		}
		data = text->data;
		length = text->length;
	}
	else
	{
		reason = hz_scalar_convert(w->kind, &data, &length, text);
		if (reason != NULL)
			return fail(r, reason);
	}
	write_element(w, data, length);
	return true;
}

static bool write_array(Reader *r, ArrayWriter *w);

static bool
write_array_item(Reader *r, ArrayWriter *w)
{
	HzBytes *element = &w->scratch->element;
	HzField field;
	uint8_t c = peek(r);

	element->length = 0;
	switch (c)
	{
		case '[':
			if (w->kind != HZ_VALUE_JSON)
				return write_array(r, w);
			/* FALLTHROUGH */
		case '{':
		case '(':
			if (!write_json(r, element))
				return false;
			write_element(w, element->data, element->length);
			return true;
		case '\'':
			return read_single(r, element) && write_scalar(r, w, element->data, element->length);
		case '"':
			if (!read_double(r, &field))
				return false;
			if (field.kind == HZ_FIELD_PLAIN)
				return write_scalar(r, w, field.data, field.length);
			r->reason = hz_json_unescape(element, field.data, field.length, w->rules);
			return r->reason == NULL && write_scalar(r, w, element->data, element->length);
		default:
			if (!read_token(r, &field))
				return false;
			if (!token_is_null(&field))
				return write_scalar(r, w, field.data, field.length);
			hz_bytes_append(w->out, "NULL", 4);
			return true;
	}
}

/* At the opening bracket. */
static bool
write_array(Reader *r, ArrayWriter *w)
{
	bool first = true;

	if (++r->depth > MAX_DEPTH)
		return fail(r, "a value nests too deep");
	r->p++;
	hz_bytes_put8(w->out, '{');
	while (!take(r, ']'))
	{
		if (!first && !take(r, ','))
			return fail(r, "an array has no end");
		if (!first)
			hz_bytes_put8(w->out, ',');
		first = false;
		if (!write_array_item(r, w))
			return false;
	}
	hz_bytes_put8(w->out, '}');
	r->depth--;
	return true;
}

const char *
hz_literal_to_array(HzBytes *out, const uint8_t *data, size_t length, HzValueKind kind,
					const HzTextRules *rules, HzScratch *scratch)
{
	Reader r = {data, data + length, NULL, 0};
	ArrayWriter w = {out, kind, rules, scratch};

	if (peek(&r) != '[')
		return "the value is no array";
	if (write_array(&r, &w) && hz_json_skip_space(r.p, r.end) < r.end)
		fail(&r, "text follows an array");
	return r.reason;
}
