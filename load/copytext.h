/*
 * load/copytext.h
 *	  Values in the text format of COPY.
 */
#ifndef HZ_LOAD_COPYTEXT_H
#define HZ_LOAD_COPYTEXT_H

#include "base/bytes.h"

/* What becomes of bytes that PostgreSQL does not store in a text. */
typedef struct HzTextRules
{
	bool strip_nul;       /* leave zero bytes out; otherwise they are an error */
	bool replace_invalid; /* U+FFFD in place of what is not UTF-8; otherwise that is an error */
} HzTextRules;

/*
 * Length in bytes of the UTF-8 character at p, below end; 0 where there is none: overlong forms, surrogates and what lies
 * above U+10FFFF included (RFC 3629).
 */
extern size_t hz_utf8_length(const uint8_t *p, const uint8_t *end);

/* Appends a code point (below 0x110000) as UTF-8. */
extern void hz_utf8_put(HzBytes *out, uint32_t code);

/*
 * Appends text with COPY's escapes: no byte of it can end the field or the row. NULL, or the reason why it cannot be a
 * text in PostgreSQL (a static string); then what was appended is of no use.
 */
extern const char *hz_copytext_put(HzBytes *out, const uint8_t *data, size_t length,
								   const HzTextRules *rules);

/* The same for any bytes, which are neither looked at nor changed. */
extern void hz_copytext_put_raw(HzBytes *out, const uint8_t *data, size_t length);

/* Appends bytes as COPY's text of a bytea: \\x and hexadecimal digits. */
extern void hz_copytext_put_bytea(HzBytes *out, const uint8_t *data, size_t length);

/* Takes COPY's escapes out of a field. */
extern void hz_copytext_decode(HzBytes *out, const uint8_t *data, size_t length);

#endif /* HZ_LOAD_COPYTEXT_H */
