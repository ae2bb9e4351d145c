/*
 * load/field.h
 *	  What the parsers of the input formats hand to the writer of values: one field of one record.
 *
 * A field borrows the bytes of the record, still in the notation of its format; hz_value_put() knows each.
 */
#ifndef HZ_LOAD_FIELD_H
#define HZ_LOAD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum HzFormat
{
	HZ_FORMAT_UNKNOWN,
	HZ_FORMAT_JSON, /* JSONEachRow */
	HZ_FORMAT_CSV,
	HZ_FORMAT_TSV,
} HzFormat;

typedef enum HzFieldKind
{
	HZ_FIELD_NULL,
	HZ_FIELD_PLAIN, /* the bytes are the value: CSV without quotes, a JSON string without escapes */
	HZ_FIELD_DOUBLED, /* between CSV's quotes, a quote written twice */
	HZ_FIELD_TSV,    /* backslash escapes; or an array, a map or a tuple in ClickHouse's notation */
	HZ_FIELD_STRING, /* between JSON's quotes, with escapes */
	HZ_FIELD_TOKEN,  /* JSON's number, true or false */
	HZ_FIELD_JSON,   /* JSON's array or object, as text */
} HzFieldKind;

typedef struct HzField
{
	const uint8_t *data;
	size_t length;
	HzFieldKind kind;
} HzField;

#endif /* HZ_LOAD_FIELD_H */
