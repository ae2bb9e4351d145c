/*
 * load/record.h
 *	  From a record of the input to a row of COPY.
 *
 * A layout says what the records of one file are and where their fields go; it does not change while they are read. An encoder
 * turns records into rows. Rows of one COPY have the same columns, in the same order: the encoder's shape. JSON may leave keys
 * out, and a column that is left out gets its default, so that a record of another shape needs a COPY of its own.
 */
#ifndef HZ_LOAD_RECORD_H
#define HZ_LOAD_RECORD_H

#include "load/delimited.h"
#include "load/value.h"

#define HZ_NAME_IGNORED (-1)

typedef struct HzName
{
	const char *name; /* in the file */
	size_t length;
	int column; /* of the layout, or HZ_NAME_IGNORED */
} HzName;

typedef struct HzLayout
{
	HzFormat format;
	bool rejects; /* each line is one of a reject file: the record is its last field */
	bool ignore_unknown;
	HzDelimiters delimiters;
	HzTextRules rules;
	HzColumn *columns;
	int column_count;
	HzName *names; /* CSV, TSV: of the fields, in their order. JSON: the keys that are known */
	int name_count;
} HzLayout;

typedef enum HzRecordStatus
{
	HZ_RECORD_ROW,
	HZ_RECORD_BLANK, /* an empty line, or a bracket around all of JSON's rows */
	HZ_RECORD_BAD,   /* encoder->reason says why */
	HZ_RECORD_OTHER, /* has not the columns of the shape */
} HzRecordStatus;

typedef struct HzEncoder
{
	const HzLayout *layout;
	HzField *fields; /* by column */
	uint64_t *seen;  /* by column: the record that had it last */
	uint64_t round;  /* of records */
	int *shape;      /* columns, in the order of the row */
	int shape_count;
	int *expected; /* names, in the order of the last JSON record */
	int expected_count;
	HzScratch scratch;
	HzBytes record;
	char *unknown; /* the key for which there is no column, or NULL */
	char reason[300];
} HzEncoder;

extern void hz_encoder_init(HzEncoder *encoder, const HzLayout *layout);
extern void hz_encoder_free(HzEncoder *encoder);

/* The record without its line end and, of a reject file, taken out of its line. False: that line is damaged. */
extern bool hz_record_trim(HzEncoder *encoder, const uint8_t **data, size_t *length);

/* Makes the record's columns the shape. ROW: it has some; BAD and BLANK as below. */
extern HzRecordStatus hz_record_shape(HzEncoder *encoder, const uint8_t *data, size_t length);

/* Appends the record as a row, its line feed included; anything but ROW appends nothing. */
extern HzRecordStatus hz_record_encode(HzEncoder *encoder, const uint8_t *data, size_t length,
									   HzBytes *out);

/* The fields of the first line of a CSV or TSV file with names, one after the other: false when it is damaged. */
extern bool hz_record_fields(HzEncoder *encoder, const uint8_t *data, size_t length,
							 void (*each)(void *arg, const uint8_t *name, size_t length),
							 void *arg);

#endif /* HZ_LOAD_RECORD_H */
