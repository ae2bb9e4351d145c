/*
 * load/delimited.h
 *	  CSV and TSV as ClickHouse writes them: where fields end, and what they say.
 *
 * TSV: fields end in tabs, rows in line feeds, whatever else they hold is escaped by a backslash; \N alone is NULL. An array,
 * a map or a tuple is text in ClickHouse's notation (load/literal.h), whose own escapes are not escaped again.
 *
 * CSV: a field that starts with a quote ends at the next quote that is not written twice, and may hold line feeds; any other
 * ends at the delimiter or the line feed. What stands for NULL does so only without quotes.
 */
#ifndef HZ_LOAD_DELIMITED_H
#define HZ_LOAD_DELIMITED_H

#include "base/bytes.h"
#include "load/field.h"

typedef struct HzDelimiters
{
	uint8_t delimiter;
	const char *null; /* what stands for NULL */
	size_t null_length;
} HzDelimiters;

/*
 * The field at p of a record that ends at end (its line end taken off). Returns where it ends: end, or a delimiter. NULL and
 * a reason when it is damaged.
 */
extern const uint8_t *hz_tsv_field(const uint8_t *p, const uint8_t *end,
								   const HzDelimiters *delimiters, HzField *field);
extern const uint8_t *hz_csv_field(const uint8_t *p, const uint8_t *end,
								   const HzDelimiters *delimiters, HzField *field,
								   const char **reason);

/* Appends what a TSV field says, or what stands between quotes of CSV. */
extern void hz_tsv_unescape(HzBytes *out, const uint8_t *data, size_t length);
extern void hz_csv_undouble(HzBytes *out, const uint8_t *data, size_t length);

/* Appends the byte that a backslash escape of ClickHouse stands for; p is behind the backslash and below end. Returns what follows. */
extern const uint8_t *hz_backslash_put(HzBytes *out, const uint8_t *p, const uint8_t *end);

#endif /* HZ_LOAD_DELIMITED_H */
