/*
 * generate_out.c
 *		Rows as COPY text, CSV or JSON lines.
 *
 * What separates a column from the one before it (a tab, a comma, a JSON key)
 * is prepared once per column; a value then costs a few stores.  A row may
 * take at most ROW_ROOM bytes, checked once per row.
 */
#include "generate_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate_rand.h"

#define MAX_COLUMNS 64
#define MAX_LEAD 48
#define BUFFER_SIZE (1 << 21)
#define ROW_ROOM (1 << 19)
#define MS_PER_DAY INT64_C(86400000)

typedef struct Lead
{
	uint8_t length;
	char text[MAX_LEAD - 1];
} Lead;

struct GenOut
{
	GenFormat format;
	int column; /* next column of the row */
	int columns;
	char *p;
	char *limit; /* flush when a row ends past this */
	int64_t day; /* the day written in day_text */
	char day_text[16];
	bool special[256]; /* bytes that need escaping */
	Lead lead[MAX_COLUMNS];
	char buffer[BUFFER_SIZE];
};

static const char hex_digits[] = "0123456789abcdef";

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

/* ---------- strings ---------- */

char *
gen_put(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

static inline char *
put_pair(char *p, unsigned v)
{
	memcpy(p, digit_pairs + 2 * v, 2);
	return p + 2;
}

static char *
put_unsigned(char *p, uint64_t v)
{
	char digits[20];
	int at = 20;

	while (v >= 100)
	{
		at -= 2;
		memcpy(digits + at, digit_pairs + 2 * (v % 100), 2);
		v /= 100;
	}
	if (v >= 10)
	{
		at -= 2;
		memcpy(digits + at, digit_pairs + 2 * v, 2);
	}
	else
		digits[--at] = (char) ('0' + v);
	memcpy(p, digits + at, 20 - at);
	return p + (20 - at);
}

char *
gen_put_int(char *p, int64_t v)
{
	if (v < 0)
	{
		*p++ = '-';
		return put_unsigned(p, -(uint64_t) v);
	}
	return put_unsigned(p, (uint64_t) v);
}

char *
gen_put_padded(char *p, uint64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
	{
		p[i] = (char) ('0' + v % 10);
		v /= 10;
	}
	return p + digits;
}

char *
gen_put_decimal(char *p, int64_t v, int scale)
{
	uint64_t u = v < 0 ? -(uint64_t) v : (uint64_t) v;
	uint64_t unit = 1;

	for (int i = 0; i < scale; i++)
		unit *= 10;
	if (v < 0)
		*p++ = '-';
	p = put_unsigned(p, u / unit);
	if (scale > 0)
	{
		*p++ = '.';
		p = gen_put_padded(p, u % unit, scale);
	}
	return p;
}

char *
gen_put_number(char *p, int64_t v, int scale)
{
	while (scale > 0 && v % 10 == 0)
	{
		v /= 10;
		scale--;
	}
	return gen_put_decimal(p, v, scale);
}

char *
gen_put_hex(char *p, uint64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--)
	{
		p[i] = hex_digits[v & 15];
		v >>= 4;
	}
	return p + digits;
}

char *
gen_put_uuid(char *p, GenUuid u)
{
	p = gen_put_hex(p, u.hi >> 32, 8);
	*p++ = '-';
	p = gen_put_hex(p, u.hi >> 16, 4);
	*p++ = '-';
	p = gen_put_hex(p, u.hi, 4);
	*p++ = '-';
	p = gen_put_hex(p, u.lo >> 48, 4);
	*p++ = '-';
	return gen_put_hex(p, u.lo, 12);
}

/* Random characters of base64url, as in click ids and keys. */
char *
gen_put_token(char *p, uint64_t hash, int length)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	GenRand r = {hash};
	uint64_t bits = 0;

	for (int i = 0; i < length; i++)
	{
		if (i % 10 == 0)
			bits = gen_rand_next(&r);
		*p++ = alphabet[bits & 63];
		bits >>= 6;
	}
	return p;
}

/* Days since 1970 to a date (Howard Hinnant, "chrono-compatible date algorithms"). */
static char *
put_day(char *p, int64_t day)
{
	int64_t z = day + 719468;
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;
	int64_t year = yoe + era * 400 + (month <= 2);

	p = put_pair(p, (unsigned) (year / 100));
	p = put_pair(p, (unsigned) (year % 100));
	*p++ = '-';
	p = put_pair(p, (unsigned) month);
	*p++ = '-';
	return put_pair(p, (unsigned) (doy - (153 * mp + 2) / 5 + 1));
}

static char *
put_clock(char *p, unsigned ms)
{
	unsigned s = ms / 1000;

	p = put_pair(p, s / 3600);
	*p++ = ':';
	p = put_pair(p, s / 60 % 60);
	*p++ = ':';
	p = put_pair(p, s % 60);
	*p++ = '.';
	*p++ = (char) ('0' + ms % 1000 / 100);
	return put_pair(p, ms % 100);
}

char *
gen_put_date(char *p, int64_t ms)
{
	return put_day(p, ms / MS_PER_DAY);
}

char *
gen_put_time(char *p, int64_t ms)
{
	p = put_day(p, ms / MS_PER_DAY);
	*p++ = 'T';
	p = put_clock(p, (unsigned) (ms % MS_PER_DAY));
	*p++ = 'Z';
	return p;
}

/* ---------- rows ---------- */

static void
prepare_leads(GenOut *o, const char *columns)
{
	while (*columns != '\0')
	{
		int n = (int) strcspn(columns, ",");
		Lead *lead = &o->lead[o->columns];
		char *p = lead->text;

		if (o->columns == MAX_COLUMNS || n > MAX_LEAD - 8)
			abort();
		if (o->format == GEN_JSON)
		{
			*p++ = o->columns > 0 ? ',' : '{';
			*p++ = '"';
			memcpy(p, columns, n);
			p += n;
			*p++ = '"';
			*p++ = ':';
		}
		else if (o->columns > 0)
			*p++ = o->format == GEN_COPY ? '\t' : ',';
		lead->length = (uint8_t) (p - lead->text);
		o->columns++;
		columns += n + (columns[n] == ',');
	}
}

static void
mark_specials(GenOut *o)
{
	switch (o->format)
	{
		case GEN_COPY:
			o->special['\t'] = o->special['\n'] = o->special['\r'] = o->special['\\'] = true;
			break;
		case GEN_CSV:
			o->special['"'] = true;
			break;
		case GEN_JSON:
			memset(o->special, true, 32);
			o->special['"'] = o->special['\\'] = true;
			break;
	}
}

GenOut *
gen_out_open(GenFormat format, const char *columns)
{
	GenOut *o = gen_alloc(sizeof(GenOut));

	memset(o, 0, offsetof(GenOut, buffer));
	o->format = format;
	o->p = o->buffer;
	o->limit = o->buffer + BUFFER_SIZE - ROW_ROOM;
	o->day = INT64_MIN;
	prepare_leads(o, columns);
	mark_specials(o);
	return o;
}

static void
flush(GenOut *o)
{
	size_t n = (size_t) (o->p - o->buffer);

	if (fwrite(o->buffer, 1, n, stdout) != n)
	{
		perror("generate: cannot write");
		exit(1);
	}
	o->p = o->buffer;
}

void
gen_out_close(GenOut *o)
{
	flush(o);
	if (fflush(stdout) != 0)
	{
		perror("generate: cannot write");
		exit(1);
	}
	free(o);
}

void
gen_out_end_row(GenOut *o)
{
	if (o->column != o->columns)
		abort();
	if (o->format == GEN_JSON)
		*o->p++ = '}';
	*o->p++ = '\n';
	o->column = 0;
	if (o->p > o->limit)
		flush(o);
}

static inline char *
begin(GenOut *o)
{
	const Lead *lead = &o->lead[o->column++];

	memcpy(o->p, lead->text, MAX_LEAD - 1);
	return o->p + lead->length;
}

static inline char *
put_quote(GenOut *o, char *p)
{
	*p = '"';
	return p + (o->format != GEN_COPY);
}

static char *
put_escape(GenOut *o, char *p, char c)
{
	if (o->format == GEN_CSV)
	{
		*p++ = '"';
		*p++ = '"';
		return p;
	}
	*p++ = '\\';
	switch (c)
	{
		case '\t':
			*p++ = 't';
			return p;
		case '\n':
			*p++ = 'n';
			return p;
		case '\r':
			*p++ = 'r';
			return p;
		case '"':
		case '\\':
			*p++ = c;
			return p;
		default:
			*p++ = 'u';
			return gen_put_hex(p, (unsigned char) c, 4);
	}
}

static char *
put_escaped(GenOut *o, char *p, const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end)
	{
		const char *run = s;

		while (s < end && !o->special[(unsigned char) *s])
			s++;
		memcpy(p, run, (size_t) (s - run));
		p += s - run;
		if (s < end)
			p = put_escape(o, p, *s++);
	}
	return p;
}

void
gen_out_null(GenOut *o)
{
	char *p = begin(o);

	if (o->format == GEN_COPY)
		p = gen_put(p, "\\N");
	else if (o->format == GEN_JSON)
		p = gen_put(p, "null");
	o->p = p;
}

void
gen_out_text(GenOut *o, const char *s, size_t n)
{
	char *p = put_quote(o, begin(o));

	p = put_escaped(o, p, s, n);
	o->p = put_quote(o, p);
}

void
gen_out_string(GenOut *o, const char *s)
{
	gen_out_text(o, s, strlen(s));
}

void
gen_out_string_or_null(GenOut *o, const char *s)
{
	if (s == NULL)
		gen_out_null(o);
	else
		gen_out_string(o, s);
}

void
gen_out_uuid(GenOut *o, GenUuid u)
{
	char *p = put_quote(o, begin(o));

	p = gen_put_uuid(p, u);
	o->p = put_quote(o, p);
}

void
gen_out_int(GenOut *o, int64_t v)
{
	o->p = gen_put_int(begin(o), v);
}

void
gen_out_bool(GenOut *o, bool v)
{
	char *p = begin(o);

	if (o->format == GEN_COPY)
	{
		*p++ = v ? 't' : 'f';
		o->p = p;
	}
	else
		o->p = gen_put(p, v ? "true" : "false");
}

void
gen_out_decimal(GenOut *o, int64_t v, int scale)
{
	o->p = gen_put_decimal(begin(o), v, scale);
}

void
gen_out_time(GenOut *o, int64_t ms)
{
	char *p = put_quote(o, begin(o));
	int64_t day = ms / MS_PER_DAY;

	if (day != o->day)
	{
		*put_day(o->day_text, day) = ' ';
		o->day = day;
	}
	memcpy(p, o->day_text, 11);
	p = put_clock(p + 11, (unsigned) (ms % MS_PER_DAY));
	if (o->format != GEN_JSON)
		p = gen_put(p, "+00");
	o->p = put_quote(o, p);
}

void
gen_out_json(GenOut *o, const char *s, size_t n)
{
	if (o->format == GEN_JSON)
	{
		char *p = begin(o);

		memcpy(p, s, n);
		o->p = p + n;
	}
	else
		gen_out_text(o, s, n);
}

void
gen_out_words(GenOut *o, const char *const *words, int n)
{
	bool json = o->format == GEN_JSON;
	char *p = begin(o);

	if (!json)
		p = put_quote(o, p);
	*p++ = json ? '[' : '{';
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			*p++ = ',';
		if (json)
			*p++ = '"';
		p = gen_put(p, words[i]);
		if (json)
			*p++ = '"';
	}
	*p++ = json ? ']' : '}';
	if (!json)
		p = put_quote(o, p);
	o->p = p;
}
