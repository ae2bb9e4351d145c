/*
 * load/value.h
 *	  From a field of any format to a value of a column, in COPY's text format.
 */
#ifndef HZ_LOAD_VALUE_H
#define HZ_LOAD_VALUE_H

#include "base/bytes.h"
#include "load/copytext.h"
#include "load/field.h"

/* What a column's type wants done with a value; the rest is the server's input function. */
typedef enum HzValueKind
{
	HZ_VALUE_TEXT,   /* nothing */
	HZ_VALUE_NUMBER, /* integers, floats, numeric: true is 1, false is 0 */
	HZ_VALUE_BOOLEAN,
	HZ_VALUE_TIME, /* timestamps: a number is seconds since 1970 in UTC */
	HZ_VALUE_DATE,
	HZ_VALUE_BYTEA,
	HZ_VALUE_JSON, /* arrays, maps and tuples become JSON */
} HzValueKind;

typedef struct HzColumn
{
	const char *name;
	HzValueKind kind; /* of the elements, where the column is an array */
	bool array;
	bool fixed; /* ClickHouse's FixedString, whose zero bytes at the end are padding */
} HzColumn;

/* Memory that conversions use again and again. */
typedef struct HzScratch
{
	HzBytes content;
	HzBytes text;
	HzBytes element;
} HzScratch;

/* Appends the field as a value of the column. NULL, or a reason (a static string); then what was appended is of no use. */
extern const char *hz_value_put(HzBytes *out, const HzField *field, const HzColumn *column,
								const HzTextRules *rules, HzScratch *scratch);

/*
 * What a scalar's text is to be for a type: either the bytes given, or others, in scratch or static. Text that is no number
 * and no zero date is left alone.
 */
extern const char *hz_scalar_convert(HzValueKind kind, const uint8_t **data, size_t *length,
									 HzBytes *scratch);

extern void hz_scratch_free(HzScratch *scratch);

#endif /* HZ_LOAD_VALUE_H */
