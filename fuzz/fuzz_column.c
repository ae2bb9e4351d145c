/*
 * fuzz/fuzz_column.c
 *	  Columns of any values come back from a chunk as they were, vector by vector and value by value.
 *
 * Input: kind, options, null pattern, rows (2 bytes), then values as the bytes come; they are used
 * again from the start when they end before the rows do.
 */
#include "format/chunk.h"
#include "unit/format_cases.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Input
{
	const uint8_t *data;
	size_t size;
	size_t at;
} Input;

static uint8_t
next_byte(Input *input)
{
	if (input->at == input->size)
		input->at = 0;
	return input->data[input->at++];
}

static void
fill_strings(TestColumn *c, Input *input, bool arrays)
{
	uint8_t buffer[256];
	uint8_t array[4096];

	for (uint32_t i = 0; i < c->column.rows; i++)
	{
		size_t length = next_byte(input);

		length = length < 200 ? length % 20 : length;
		for (size_t b = 0; b < length; b++)
			buffer[b] = next_byte(input);
		if (arrays && length != 7)
			set_string(c, i, array,
					   make_array(array, length % 2 == 0, (uint32_t) length % 9,
								  length > 0 ? buffer[0] : 0));
		else
			set_string(c, i, buffer, length);
	}
	finish_strings(c);
}

static void
fill_numerics(TestColumn *c, Input *input)
{
	uint8_t scale = next_byte(input);

	for (uint32_t i = 0; i < c->column.rows; i++)
	{
		uint8_t shape = next_byte(input);
		HzInt128 value = 0;

		for (int b = 0; b < shape % 16; b++)
			value = (HzInt128) ((unsigned __int128) value << 8 | next_byte(input));
		if (shape == 0xff)
			set_special(c, i, 0xC000);
		else
			set_numeric(c, i, shape & 0x40 ? -value : value, shape > 0xf0 ? shape : scale);
	}
	finish_strings(c);
}

static void
check_column(const HzColumn *column, const HzChunkOptions *options)
{
	HzBytes chunk = {NULL, 0, 0};
	HzChunkMeta meta;
	HzChunkReader *reader;
	HzChunkReader *other;
	Memory memory = {NULL, 0, 0, 0};
	HzSource source = {read_memory, &memory};
	HzVector vector;

	if (hz_chunk_write(column, options, &chunk, &meta) != HZ_OK)
		abort();
	memory.data = chunk.data;
	memory.length = chunk.length;
	if (hz_chunk_open(&meta, &source, &reader) != HZ_OK ||
		hz_chunk_open(&meta, &source, &other) != HZ_OK || hz_chunk_verify(reader) != HZ_OK)
		abort();
	for (uint32_t row = 0; row < column->rows; row++)
	{
		if (row % HZ_VECTOR_ROWS == 0 &&
			hz_chunk_vector(reader, row / HZ_VECTOR_ROWS, &vector) != HZ_OK)
			abort();
		if (!same_value(column, row, &vector, row % HZ_VECTOR_ROWS))
			abort();
	}
	for (uint32_t row = 0; row < column->rows; row += 1 + column->rows / 100)
		if (hz_chunk_value(other, row, &vector) != HZ_OK || !same_value(column, row, &vector, 0))
			abort();
	hz_chunk_close(reader);
	hz_chunk_close(other);
	hz_bytes_free(&chunk);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t widths[] = {0, 1, 1, 2, 4, 8, 4, 8, 16, 0, 0};
	static const HzArrayShape shapes[] = {{4, 'i', HZ_KIND_INT32}, {-1, 'i', HZ_KIND_BYTES}};
	Input input = {data + 5, size - 5, 0};
	TestColumn c;
	HzKind kind;
	HzChunkOptions options;

	if (size < 6)
		return 0;
	memset(&options, 0, sizeof(options));
	kind = (HzKind) (data[0] % 10 + 1);
	options.codec = (HzCodec) (data[1] % 3);
	options.level = 1;
	options.ordered = (data[1] & 4) != 0;
	options.bloom = (data[1] & 8) != 0;
	if (kind == HZ_KIND_BYTES && (data[1] & 16) != 0)
		options.array = shapes[data[1] >> 5 & 1];
	c = new_column(kind, kind == HZ_KIND_FIXED && (data[1] & 16) ? data[1] % 40 + 1 : widths[kind],
				   (data[3] | (uint32_t) data[4] << 8) % 5000 + 1);
	if (kind == HZ_KIND_BYTES)
		fill_strings(&c, &input, options.array.element_width != 0);
	else if (kind == HZ_KIND_NUMERIC)
		fill_numerics(&c, &input);
	else
		for (size_t i = 0; i < (size_t) c.column.rows * c.column.width; i++)
			c.fixed[i] = kind == HZ_KIND_BOOL ? next_byte(&input) & 1 : next_byte(&input);
	if (data[2] != 0)
		set_nulls(&c, data[2] % 101);
	check_column(&c.column, &options);
	free_column(&c);
	return 0;
}
