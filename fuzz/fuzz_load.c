/*
 * fuzz/fuzz_load.c
 *	  The loader given any bytes: whatever is not refused is one row of COPY with as many fields as it has columns.
 *
 *	  byte 0   format, rules, whether lines are those of a reject file
 *	  then     the stream
 */
#include <stdlib.h>

#include "load/record.h"
#include "load/split.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static HzColumn columns[] = {
	{"t", HZ_VALUE_TEXT, false, true},   {"n", HZ_VALUE_NUMBER, false, false},
	{"j", HZ_VALUE_JSON, false, false},  {"a", HZ_VALUE_TEXT, true, false},
	{"at", HZ_VALUE_TIME, false, false}, {"b", HZ_VALUE_BYTEA, true, false},
	{"d", HZ_VALUE_DATE, false, false}};
#define COLUMNS ((int) (sizeof(columns) / sizeof(columns[0])))

static void
one_record(HzEncoder *encoder, const uint8_t *data, size_t length, HzBytes *out)
{
	uint8_t *copy = malloc(length ? length : 1);
	size_t tabs = 0;

	memcpy(copy, data, length);
	out->length = 0;
	if (hz_record_shape(encoder, copy, length) == HZ_RECORD_ROW &&
		hz_record_encode(encoder, copy, length, out) == HZ_RECORD_ROW)
	{
		for (size_t i = 0; i < out->length; i++)
			tabs += out->data[i] == '\t';
		if (tabs + 1 != (size_t) encoder->shape_count ||
			memchr(out->data, '\n', out->length) != out->data + out->length - 1)
			abort();
	}
	else if (out->length != 0)
		abort();
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	HzName names[COLUMNS];
	HzLayout layout = {0};
	HzEncoder encoder;
	HzSplitter splitter;
	HzBytes out = {0};
	size_t start = 0;
	size_t end;

	if (size < 1)
		return 0;
	layout.format = HZ_FORMAT_JSON + data[0] % 3;
	layout.rejects = data[0] & 4;
	layout.rules = (HzTextRules){data[0] & 8, data[0] & 16};
	layout.ignore_unknown = data[0] & 32;
	layout.delimiters = (HzDelimiters){layout.format == HZ_FORMAT_TSV ? '\t' : ',', "\\N", 2};
	layout.columns = columns;
	layout.column_count = COLUMNS;
	layout.names = names;
	layout.name_count = data[0] & 64 ? 1 + data[0] / 3 % COLUMNS : COLUMNS;
	for (int i = 0; i < layout.name_count; i++)
		names[i] = (HzName){columns[i].name, strlen(columns[i].name), i};
	data++;
	size--;
	hz_encoder_init(&encoder, &layout);
	hz_split_start(&splitter, layout.format, layout.rejects, layout.delimiters.delimiter);
	while ((end = hz_split_next(&splitter, data, size)) != 0)
	{
		if (end <= start || end > size)
			abort();
		one_record(&encoder, data + start, end - start, &out);
		start = end;
	}
	one_record(&encoder, data + start, size - start, &out);
	hz_encoder_free(&encoder);
	hz_bytes_free(&out);
	return 0;
}
