/*
 * generate_out.h
 *		Rows as COPY text, CSV or JSON lines, formatted by hand into one buffer.
 *
 * Call one gen_out_*() per column, in the order of the column list, and
 * gen_out_end_row() after the last.  Text is UTF-8 without NUL bytes; it is
 * escaped as the format needs.  Errors of the output end the process.
 */
#ifndef GENERATE_OUT_H
#define GENERATE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum GenFormat
{
	GEN_COPY, /* PostgreSQL COPY, text format */
	GEN_CSV,  /* no header; strings quoted, NULL is empty */
	GEN_JSON  /* one object a line, as JSONEachRow */
} GenFormat;

typedef struct GenUuid
{
	uint64_t hi;
	uint64_t lo;
} GenUuid;

typedef struct GenOut GenOut;

/* columns: comma separated names, used as keys in JSON. */
extern GenOut *gen_out_open(GenFormat format, const char *columns);
extern void gen_out_close(GenOut *o);

extern void gen_out_end_row(GenOut *o);
extern void gen_out_null(GenOut *o);
extern void gen_out_text(GenOut *o, const char *s, size_t n);
extern void gen_out_string(GenOut *o, const char *s);
extern void gen_out_string_or_null(GenOut *o, const char *s);
extern void gen_out_uuid(GenOut *o, GenUuid u);
extern void gen_out_int(GenOut *o, int64_t v);
extern void gen_out_bool(GenOut *o, bool v);

/* v / 10^scale with exactly scale decimals. */
extern void gen_out_decimal(GenOut *o, int64_t v, int scale);

/* Milliseconds since 1970, UTC. */
extern void gen_out_time(GenOut *o, int64_t ms);

/* A JSON value: text in COPY and CSV, nested as it is in JSON. */
extern void gen_out_json(GenOut *o, const char *s, size_t n);

/* text[] of words that need no quotes: {a,b}, in JSON ["a","b"]. */
extern void gen_out_words(GenOut *o, const char *const *words, int n);

/* Pieces for building strings: each returns the end of what it wrote. */
extern char *gen_put(char *p, const char *s);
extern char *gen_put_int(char *p, int64_t v);
extern char *gen_put_padded(char *p, uint64_t v, int digits);
extern char *gen_put_decimal(char *p, int64_t v, int scale);
extern char *gen_put_hex(char *p, uint64_t v, int digits);
extern char *gen_put_uuid(char *p, GenUuid u);
extern char *gen_put_token(char *p, uint64_t hash, int length);
extern char *gen_put_date(char *p, int64_t ms);
extern char *gen_put_time(char *p, int64_t ms);

/* As gen_put_decimal, without trailing zeros. */
extern char *gen_put_number(char *p, int64_t v, int scale);

#endif /* GENERATE_OUT_H */
