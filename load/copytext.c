/*
 * load/copytext.c
 *	  Values in the text format of COPY.
 *
 * Most bytes of most dumps are printable ASCII, which goes eight bytes at a time; what is left goes by a table of classes.
 */
#include "load/copytext.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* At most so many bytes at a time, so that room for the worst case (three for one) is never asked for as a whole. */
#define PIECE (64 * 1024)

typedef enum ByteClass
{
	PLAIN = 0,
	ESCAPED, /* ends a field or a row, or is the escape itself */
	ZERO,
	HIGH, /* starts a UTF-8 sequence, or should not be there */
} ByteClass;

static inline ByteClass
class_of(uint8_t c)
{
	if (c >= 0x80)
		return HIGH;
	switch (c)
	{
		case '\0':
			return ZERO;
		case '\t':
		case '\n':
		case '\r':
		case '\\':
			return ESCAPED;
		default:
			return PLAIN;
	}
}

static inline uint8_t
escape_of(uint8_t c)
{
	return c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
}

/* Is each of eight bytes printable ASCII or DEL, and no backslash? */
static inline bool
eight_are_plain(uint64_t w)
{
	uint64_t backslash = w ^ (ONES * '\\');

	return ((w | (w - ONES * 0x20) | ((backslash - ONES) & ~backslash)) & HIGHS) == 0;
}

size_t
hz_utf8_length(const uint8_t *p, const uint8_t *end)
{
	size_t length;
	uint8_t low = 0x80;
	uint8_t high = 0xBF;

	if (*p < 0x80)
		return 1;
	if (*p >= 0xC2 && *p <= 0xDF)
		length = 2;
	else if (*p >= 0xE0 && *p <= 0xEF)
		length = 3;
	else if (*p >= 0xF0 && *p <= 0xF4)
		length = 4;
	else
		return 0;
	if ((size_t) (end - p) < length)
		return 0;

	/* The second byte is where overlong forms, surrogates and too high planes show. */
	switch (*p)
	{
		case 0xE0:
			low = 0xA0;
			break;
		case 0xED:
			high = 0x9F;
			break;
		case 0xF0:
			low = 0x90;
			break;
		case 0xF4:
			high = 0x8F;
			break;
		default:
			break;
	}
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	return length;
}

void
hz_utf8_put(HzBytes *out, uint32_t code)
{
	uint8_t *o = hz_bytes_reserve(out, 4);

	if (code < 0x80)
	{
		o[0] = (uint8_t) code;
		out->length += 1;
	}
	else if (code < 0x800)
	{
		o[0] = (uint8_t) (0xC0 | code >> 6);
		o[1] = (uint8_t) (0x80 | (code & 0x3F));
		out->length += 2;
	}
	else if (code < 0x10000)
	{
		o[0] = (uint8_t) (0xE0 | code >> 12);
		o[1] = (uint8_t) (0x80 | (code >> 6 & 0x3F));
		o[2] = (uint8_t) (0x80 | (code & 0x3F));
		out->length += 3;
	}
	else
	{
		o[0] = (uint8_t) (0xF0 | code >> 18);
		o[1] = (uint8_t) (0x80 | (code >> 12 & 0x3F));
		o[2] = (uint8_t) (0x80 | (code >> 6 & 0x3F));
		o[3] = (uint8_t) (0x80 | (code & 0x3F));
		out->length += 4;
	}
}

const char *
hz_copytext_put(HzBytes *out, const uint8_t *data, size_t length, const HzTextRules *rules)
{
	const uint8_t *p = data;
	const uint8_t *end = data + length;

	while (p < end)
	{
		size_t piece = (size_t) (end - p) < PIECE ? (size_t) (end - p) : PIECE;
		const uint8_t *stop = p + piece;
		uint8_t *o = hz_bytes_reserve(out, 3 * piece + 16);

		while (p < stop)
		{
			size_t n;

			if (stop - p >= 8)
			{
				uint64_t w;

				memcpy(&w, p, 8);
				if (eight_are_plain(w))
				{
					memcpy(o, &w, 8);
					p += 8;
					o += 8;
					continue;
				}
			}
			switch (class_of(*p))
			{
				case PLAIN:
					*o++ = *p++;
					break;
				case ESCAPED:
					*o++ = '\\';
					*o++ = escape_of(*p++);
					break;
				case ZERO:
					if (!rules->strip_nul)
						return "a text holds a zero byte, which PostgreSQL does not store (--strip-nul leaves it out)";
					p++;
					break;
				case HIGH:
					n = hz_utf8_length(p, end);
					if (n == 0)
					{
						if (!rules->replace_invalid)
							return "a text is not UTF-8 (--replace-invalid puts U+FFFD in its place)";
						memcpy(o, "\xEF\xBF\xBD", 3);
						o += 3;
						p++;
						break;
					}
					memcpy(o, p, n);
					o += n;
					p += n;
					break;
			}
		}
		out->length = (size_t) (o - out->data);
	}
	return NULL;
}

void
hz_copytext_put_raw(HzBytes *out, const uint8_t *data, size_t length)
{
	for (size_t done = 0; done < length;)
	{
		size_t piece = length - done < PIECE ? length - done : PIECE;
		uint8_t *o = hz_bytes_reserve(out, 2 * piece);

		for (size_t i = 0; i < piece; i++)
		{
			uint8_t c = data[done + i];

			if (class_of(c) == ESCAPED)
			{
				*o++ = '\\';
				c = escape_of(c);
			}
			*o++ = c;
		}
		out->length = (size_t) (o - out->data);
		done += piece;
	}
}

void
hz_copytext_put_bytea(HzBytes *out, const uint8_t *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *o = hz_bytes_reserve(out, 3 + 2 * length);

	*o++ = '\\';
	*o++ = '\\';
	*o++ = 'x';
	for (size_t i = 0; i < length; i++)
	{
		*o++ = (uint8_t) digits[data[i] >> 4];
		*o++ = (uint8_t) digits[data[i] & 15];
	}
	out->length = (size_t) (o - out->data);
}

void
hz_copytext_decode(HzBytes *out, const uint8_t *data, size_t length)
{
	uint8_t *o = hz_bytes_reserve(out, length);

	for (size_t i = 0; i < length; i++)
	{
		uint8_t c = data[i];

		if (c == '\\' && i + 1 < length)
		{
			c = data[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		}
		*o++ = c;
	}
	out->length = (size_t) (o - out->data);
}
