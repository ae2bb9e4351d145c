/*
 * unit/test_format.c
 *	  Chunks of every kind: round trips, single values, zone maps, bloom filters.
 */
#include "unit/format_check.h"

static const uint32_t row_counts[] = {1, 2, 63, 64, 65, 2047, 2048, 2049, 6000};

#define ROW_COUNTS (sizeof(row_counts) / sizeof(row_counts[0]))

/* ---- the kinds ---- */

static void
test_integers(uint32_t rows)
{
	static const struct
	{
		HzKind kind;
		uint32_t width;
	} kinds[] = {{HZ_KIND_BOOL, 1},
				 {HZ_KIND_INT8, 1},
				 {HZ_KIND_INT16, 2},
				 {HZ_KIND_INT32, 4},
				 {HZ_KIND_INT64, 8}};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (int shape = 0; shape < 6; shape++)
		{
			TestColumn c = new_column(kinds[k].kind, kinds[k].width, rows);

			unit_subject = "integers";
			for (uint32_t i = 0; i < rows; i++)
			{
				uint64_t r = unit_random();
				int64_t v = shape == 0   ? 0
							: shape == 1 ? (int64_t) r
							: shape == 2 ? (int64_t) (i / 100)
							: shape == 3 ? (int64_t) (r % 20 * 0x123456789ab)
							: shape == 4 ? (int64_t) (1700000000000000 + i * 1000000)
										 : (r % 2 ? INT64_MIN : INT64_MAX);

				set_integer(&c, i, kinds[k].kind == HZ_KIND_BOOL ? (v >> 3 & 1) : v);
			}
			check_with_nulls(&c, &plain_options);
			free_column(&c);
		}
}

static double
float_at(int shape, uint32_t i)
{
	uint64_t r = unit_random();
	double d;

	switch (shape)
	{
		case 0:
			return 1.25;
		case 1:
			memcpy(&d, &r, 8);
			return d;
		case 2:
			return (double) (r % 100000) / 100;
		case 3:
			return NAN;
		case 4:
			return r % 4 == 0 ? NAN : r % 4 == 1 ? -0.0 : r % 4 == 2 ? 0.0 : -INFINITY;
		default:
			return i * 0.5;
	}
}

static void
test_floats(uint32_t rows)
{
	for (uint32_t width = 4; width <= 8; width += 4)
		for (int shape = 0; shape < 6; shape++)
		{
			TestColumn c = new_column(width == 4 ? HZ_KIND_FLOAT32 : HZ_KIND_FLOAT64, width, rows);

			unit_subject = "floats";
			for (uint32_t i = 0; i < rows; i++)
			{
				double d = float_at(shape, i);
				float f = (float) d;

				memcpy(c.fixed + (size_t) i * width, width == 4 ? (void *) &f : (void *) &d, width);
			}
			check_with_nulls(&c, &plain_options);
			free_column(&c);
		}
}

static void
test_fixed(uint32_t rows)
{
	static const uint32_t widths[] = {1, 3, 6, 12, 16, 17, 64};

	for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++)
		for (int shape = 0; shape < 3; shape++)
		{
			TestColumn c = new_column(HZ_KIND_FIXED, widths[w], rows);

			unit_subject = "fixed";
			for (uint32_t i = 0; i < rows; i++)
			{
				uint64_t r = shape == 0 ? 5 : shape == 1 ? unit_random() % 9 : unit_random();

				for (uint32_t b = 0; b < widths[w]; b++)
					c.fixed[(size_t) i * widths[w] + b] =
						(uint8_t) ((r * (b / 8 + 1)) >> b % 8 * 8);
			}
			check_with_nulls(&c, &lz4_options);
			free_column(&c);
		}
}

static void
test_strings(uint32_t rows)
{
	char buffer[512];

	for (int shape = 0; shape < 8; shape++)
	{
		TestColumn c = new_column(HZ_KIND_BYTES, 0, rows);

		unit_subject = "strings";
		for (uint32_t i = 0; i < rows; i++)
			set_string(&c, i, buffer, string_for(shape, i, buffer));
		finish_strings(&c);
		check_column(&c.column, &plain_options);
		check_column(&c.column, &lz4_options);
		check_with_nulls(&c, &zstd_options);
		free_column(&c);
	}
}

static void
test_hex(uint32_t rows)
{
	char buffer[128];

	for (int shape = 0; shape < 9; shape++)
	{
		TestColumn c = new_column(HZ_KIND_BYTES, 0, rows);
		HzChunkMeta meta;

		unit_subject = "hexadecimal digits";
		for (uint32_t i = 0; i < rows; i++)
			set_string(&c, i, buffer, hex_for(shape, shape == 8 ? i / 4 : i, buffer));
		finish_strings(&c);
		meta = check_column(&c.column, &zstd_options);
		if (rows > 4000 && (shape < 2 || shape == 3 || shape == 7))
			CHECK(meta.encoding == HZ_CHUNK_HEX);
		if (rows > 4000 && (shape == 5 || shape == 6))
			CHECK(meta.encoding != HZ_CHUNK_HEX);
		check_column(&c.column, &plain_options);
		check_with_nulls(&c, &lz4_options);
		free_column(&c);
	}
}

static void
test_numerics(uint32_t rows)
{
	for (int shape = 0; shape < 8; shape++)
	{
		TestColumn c = new_column(HZ_KIND_NUMERIC, 0, rows);

		unit_subject = "numerics";
		for (uint32_t i = 0; i < rows; i++)
			numeric_for(&c, shape, i);
		finish_strings(&c);
		check_with_nulls(&c, &zstd_options);
		free_column(&c);
	}
}

static void
test_arrays(uint32_t rows)
{
	static const HzArrayShape int4_array = {4, 'i', HZ_KIND_INT32};
	static const HzArrayShape text_array = {-1, 'i', HZ_KIND_BYTES};
	uint8_t buffer[1024];

	for (int shape = 0; shape < 6; shape++)
	{
		TestColumn c = new_column(HZ_KIND_BYTES, 0, rows);
		HzChunkOptions options = zstd_options;

		unit_subject = "arrays";
		options.array = shape == 1 ? text_array : int4_array;
		options.ordered = false;
		for (uint32_t i = 0; i < rows; i++)
			set_string(&c, i, buffer, array_for(shape, i, buffer));
		finish_strings(&c);
		if (rows > 4000 && shape <= 1)
			CHECK(check_column(&c.column, &options).encoding == HZ_CHUNK_ARRAY);
		check_with_nulls(&c, &options);
		free_column(&c);
	}
}

/* ---- sizes ---- */

static void
test_large_strings(void)
{
	static const uint32_t lengths[] = {0,  1,    65535, 65536, 65537, 200000, 20 * 1024 * 1024,
									   10, 4000, 70000, 0};
	uint32_t rows = 2300;
	TestColumn c = new_column(HZ_KIND_BYTES, 0, rows);
	uint8_t *large = malloc(20 * 1024 * 1024);

	unit_subject = "large strings";
	for (size_t i = 0; i < 20 * 1024 * 1024; i += 4)
		hz_store32(large + i, (uint32_t) unit_random() & 0x0f0f0f0f);
	for (uint32_t i = 0; i < rows; i++)
		set_string(&c, i, large + i * 4,
				   i % 37 == 5 ? lengths[i / 37 % 11] % (20 * 1024 * 1024 - 4 * i) : i % 50);
	set_string(&c, 2100, large, 20 * 1024 * 1024);
	finish_strings(&c);
	check_column(&c.column, &plain_options);
	check_column(&c.column, &lz4_options);
	set_nulls(&c, 20);
	check_column(&c.column, &zstd_options);
	free(large);
	free_column(&c);
}

/* Strings that share long prefixes, so that sorting goes deep, and zero bytes at their ends. */
static void
test_deep_strings(void)
{
	uint32_t rows = 8000;
	TestColumn c = new_column(HZ_KIND_BYTES, 0, rows);
	uint8_t buffer[2000];

	unit_subject = "deep strings";
	memset(buffer, 0, sizeof(buffer));
	for (uint32_t i = 0; i < rows; i++)
		set_string(&c, i, buffer, (i * 7919) % 1200);
	finish_strings(&c);
	CHECK(check_column(&c.column, &zstd_options).encoding == HZ_CHUNK_DICT);
	free_column(&c);
}

static void
test_dictionaries(void)
{
	static const uint32_t counts[] = {1, 2, 255, 256, 257, 32767, 32768, 32769, 65535, 65536};
	uint32_t rows = 131072;
	char buffer[256];

	for (size_t d = 0; d < sizeof(counts) / sizeof(counts[0]); d++)
	{
		TestColumn strings = new_column(HZ_KIND_BYTES, 0, rows);
		TestColumn integers = new_column(HZ_KIND_INT64, 8, rows);
		TestColumn uuids = new_column(HZ_KIND_FIXED, 16, rows);
		TestColumn prices = new_column(HZ_KIND_NUMERIC, 0, rows);
		HzChunkMeta meta;

		unit_subject = "dictionaries";
		for (uint32_t i = 0; i < rows; i++)
		{
			/* each value at least once, in an order that repeats early */
			uint32_t which = i < rows / 2 ? (uint32_t) (unit_random() % (counts[d] / 2 + 1))
										  : (i - rows / 2) % counts[d];
			uint64_t spread = which * 0x9e3779b97f4a7c15u;

			set_string(&strings, i, buffer, make_url(buffer, which, 0));
			set_integer(&integers, i, (int64_t) spread);
			memcpy(uuids.fixed + i * 16, &spread, 8);
			memcpy(uuids.fixed + i * 16 + 8, &spread, 8);
			set_numeric(&prices, i, (HzInt128) (spread >> 8), 2);
		}
		finish_strings(&strings);
		finish_strings(&prices);
		meta = check_column(&strings.column, &zstd_options);
		CHECK(meta.distinct == (counts[d] <= HZ_CHUNK_MAX_DICT ? counts[d] : 0));
		meta = check_column(&integers.column, &plain_options);
		CHECK(meta.distinct == (counts[d] > 2 && counts[d] <= 257 ? counts[d] : meta.distinct));
		meta = check_column(&uuids.column, &plain_options);
		CHECK(meta.distinct ==
			  (counts[d] > 1 && counts[d] <= HZ_CHUNK_MAX_DICT ? counts[d] : meta.distinct));
		meta = check_column(&prices.column, &plain_options);
		CHECK(meta.distinct == (counts[d] > 2 && counts[d] <= 257 ? counts[d] : meta.distinct));
		set_nulls(&strings, 40);
		check_column(&strings.column, &zstd_options);
		free_column(&strings);
		free_column(&integers);
		free_column(&uuids);
		free_column(&prices);
	}
}

static void
test_row_group(void)
{
	uint32_t rows = 122880;
	char buffer[512];
	TestColumn urls = new_column(HZ_KIND_BYTES, 0, rows);
	TestColumn json = new_column(HZ_KIND_BYTES, 0, rows);
	TestColumn times = new_column(HZ_KIND_INT64, 8, rows);
	int64_t t = 1700000000000000;

	unit_subject = "row group";
	for (uint32_t i = 0; i < rows; i++)
	{
		set_string(&urls, i, buffer, make_url(buffer, unit_random(), unit_random()));
		set_string(&json, i, buffer, make_json(buffer, i));
		set_integer(&times, i, t += (int64_t) (unit_random() % 3000) * 1000);
	}
	finish_strings(&urls);
	finish_strings(&json);
	check_column(&urls.column, &zstd_options);
	check_column(&json.column, &lz4_options);
	check_column(&times.column, &plain_options);
	set_nulls(&json, 60);
	check_column(&json.column, &zstd_options);
	free_column(&urls);
	free_column(&json);
	free_column(&times);
}

static void
test_limits(void)
{
	TestColumn c = new_column(HZ_KIND_INT32, 4, 10);
	HzBytes out = {NULL, 0, 0};
	HzChunkMeta meta;
	HzString huge = {(const uint8_t *) "", UINT64_C(1) << 30};
	HzColumn strings = {HZ_KIND_BYTES, 0, 1, NULL, NULL, &huge};

	unit_subject = "limits";
	c.column.rows = 0;
	CHECK(hz_chunk_write(&c.column, &plain_options, &out, &meta) == HZ_LIMIT);
	c.column.rows = HZ_CHUNK_MAX_ROWS + 1;
	CHECK(hz_chunk_write(&c.column, &plain_options, &out, &meta) == HZ_LIMIT);
	c.column.rows = 10;
	c.column.width = 3;
	CHECK(hz_chunk_write(&c.column, &plain_options, &out, &meta) == HZ_LIMIT);
	CHECK(hz_chunk_write(&strings, &plain_options, &out, &meta) == HZ_LIMIT);
	free_column(&c);
	hz_bytes_free(&out);
}

/* A single value costs a few ranges, not the chunk. */
static void
test_point_read(void)
{
	uint32_t rows = 122880;
	TestColumn c = new_column(HZ_KIND_BYTES, 0, rows);
	HzBytes chunk = {NULL, 0, 0};
	HzChunkMeta meta;
	HzChunkReader *reader;
	Memory memory = {NULL, 0, 0, 0};
	HzSource source = {read_memory, &memory};
	HzVector vector;
	bool known;
	char buffer[512];

	unit_subject = "point read";
	for (uint32_t i = 0; i < rows; i++)
		set_string(&c, i, buffer, make_json(buffer, i));
	finish_strings(&c);
	CHECK(hz_chunk_write(&c.column, &zstd_options, &chunk, &meta) == HZ_OK);
	memory.data = chunk.data;
	memory.length = chunk.length;
	CHECK(hz_chunk_open(&meta, &source, &reader) == HZ_OK);
	CHECK(hz_chunk_value(reader, 77777, &vector) == HZ_OK &&
		  same_value(&c.column, 77777, &vector, 0));
	CHECK(memory.reads == 3);
	CHECK(memory.bytes < meta.head_length + HZ_CHUNK_FRAME_BYTES);
	CHECK(hz_chunk_value(reader, 77776, &vector) == HZ_OK &&
		  same_value(&c.column, 77776, &vector, 0));
	CHECK(memory.reads <= 4);
	memory.bytes = 0;
	CHECK(hz_chunk_vector_at(reader, 9, (const uint16_t[]){700, 701, 705}, 3, &vector) == HZ_OK &&
		  same_value(&c.column, 9 * HZ_VECTOR_ROWS + 705, &vector, 705));
	CHECK(memory.bytes <= 2 * HZ_CHUNK_FRAME_BYTES);
	memory.bytes = 0;
	CHECK(hz_chunk_lengths(reader, 5, &known, &vector) == HZ_OK && known);
	CHECK(((const int32_t *) vector.values)[7] ==
		  (int32_t) c.column.strings[5 * HZ_VECTOR_ROWS + 7].length);
	CHECK(memory.bytes <= HZ_VECTOR_ROWS * sizeof(int32_t));
	hz_chunk_close(reader);
	hz_bytes_free(&chunk);
	free_column(&c);
}

/* That a vector does not have a value is remembered: it is not read again. */
static void
check_absence(const HzColumn *column, const HzChunkMeta *meta, const HzSource *source,
			  Memory *memory)
{
	HzChunkReader *reader;
	uint8_t mask[HZ_VECTOR_ROWS + 64];
	uint64_t bytes[3];
	uint32_t matched = 0;
	bool known;

	CHECK(hz_chunk_open(meta, source, &reader) == HZ_OK);
	for (uint32_t turn = 0; turn < 3; turn++)
	{
		memory->bytes = 0;
		matched = 0;
		for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
		{
			CHECK(hz_chunk_match(reader, v, &column->strings[0], &known, mask) == HZ_OK && known);
			matched += memchr(mask, 1, HZ_VECTOR_ROWS) != NULL;
		}
		bytes[turn] = memory->bytes;
	}
	/* a value that stands in few of many vectors */
	CHECK(matched > 0 && matched * 4 < hz_chunk_vector_count(reader));
	CHECK(bytes[1] * 4 < bytes[0] && bytes[2] == bytes[1]);
	hz_chunk_close(reader);
}

/* Vectors with one of several values are no more looked for where nearly all have one, and what is known of a set is not read again. */
static void
check_common_set(const HzColumn *column, const HzChunkMeta *meta, const HzSource *source,
				 Memory *memory)
{
	HzChunkReader *reader;
	HzString values[400];
	HzValueSet set = {400, values};
	HzVector vector;
	uint64_t dictionary;
	uint64_t looked;
	bool maybe;

	for (uint32_t i = 0; i < 400; i++)
		values[i] = column->strings[i * 300];
	qsort(values, 400, sizeof(HzString), compare_for_set);
	CHECK(hz_chunk_open(meta, source, &reader) == HZ_OK);
	CHECK(hz_chunk_dictionary_any(reader, &set, &maybe) == HZ_OK && maybe);
	dictionary = memory->bytes;
	for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
		CHECK(hz_chunk_vector_any(reader, v, &set, &maybe) == HZ_OK && maybe);
	looked = memory->bytes;
	CHECK(looked > dictionary);
	CHECK(hz_chunk_dictionary_any(reader, &set, &maybe) == HZ_OK && maybe);
	CHECK(memory->bytes == looked);
	for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
		CHECK(hz_chunk_vector(reader, v, &vector) == HZ_OK);
	CHECK(looked - dictionary < (memory->bytes - looked) / 4);
	check_set(column, reader, values, 400);
	hz_chunk_close(reader);
}

/* Who asks for many values, again and again, reads the dictionary once. */
static void
check_many_searches(const HzColumn *column, const HzChunkMeta *meta, const HzSource *source,
					Memory *memory)
{
	HzChunkReader *reader;
	uint64_t missed = 0;
	bool maybe;

	memory->bytes = 0;
	CHECK(hz_chunk_open(meta, source, &reader) == HZ_OK);
	for (uint32_t i = 0; i < 200; i++)
		missed +=
			hz_chunk_dictionary(reader, &column->strings[i * 31 % 40], &maybe) != HZ_OK || !maybe;
	CHECK(missed == 0);
	CHECK(memory->bytes < meta->length);
	for (uint32_t i = 0; i < 40; i++)
		check_match(column, reader, i % 7, &column->strings[i]);
	hz_chunk_close(reader);
	check_absence(column, meta, source, memory);
	check_common_set(column, meta, source, memory);
}

/* Looking for a value reads a frame or two of a large dictionary, wherever the value would be and however the entries are spread. */
static void
test_search(void)
{
	static const char *const formats[] = {"user_%06u", "%08x-visitor", "https://example.com/%c/%u"};
	uint32_t rows = 122880;

	for (uint32_t f = 0; f < 3; f++)
	{
		TestColumn c = new_column(HZ_KIND_BYTES, 0, rows);
		HzBytes chunk = {NULL, 0, 0};
		Memory memory = {NULL, 0, 0, 0};
		HzSource source = {read_memory, &memory};
		HzChunkMeta meta;
		uint64_t most = 0;
		char buffer[64];

		unit_subject = formats[f];
		for (uint32_t i = 0; i < rows; i++)
		{
			uint32_t which = (uint32_t) (unit_random() % 50000);

			if (f == 1)
				which *= 85899;
			snprintf(buffer, sizeof(buffer), formats[f], f == 2 ? 'a' + which % 3 : which, which);
			set_string(&c, i, buffer, (uint32_t) strlen(buffer));
		}
		finish_strings(&c);
		CHECK(hz_chunk_write(&c.column, &zstd_options, &chunk, &meta) == HZ_OK);
		CHECK(meta.distinct > 40000);
		memory.data = chunk.data;
		memory.length = chunk.length;
		for (uint32_t i = 0; i < 40; i++)
		{
			HzChunkReader *reader;
			uint32_t row = (uint32_t) (unit_random() % rows);
			HzString value = c.column.strings[row];
			bool maybe;

			memcpy(buffer, value.data, value.length);
			if (i % 2)
				buffer[value.length++] = (char) (unit_random() | 0x80);
			value.data = (const uint8_t *) buffer;
			if (i >= 36)
				value.length = i - 36;
			memory.bytes = 0;
			CHECK(hz_chunk_open(&meta, &source, &reader) == HZ_OK);
			CHECK(hz_chunk_dictionary(reader, &value, &maybe) == HZ_OK);
			CHECK(maybe == (i < 36 && i % 2 == 0));
			most = memory.bytes > most ? memory.bytes : most;
			check_match(&c.column, reader, row / HZ_VECTOR_ROWS, &value);
			hz_chunk_close(reader);
		}
		CHECK(most < meta.length / 2);
		check_many_searches(&c.column, &meta, &source, &memory);
		hz_bytes_free(&chunk);
		free_column(&c);
	}
}

int
main(void)
{
	for (size_t i = 0; i < ROW_COUNTS; i++)
	{
		test_integers(row_counts[i]);
		test_floats(row_counts[i]);
		test_fixed(row_counts[i]);
		test_strings(row_counts[i]);
		test_hex(row_counts[i]);
		test_numerics(row_counts[i]);
		test_arrays(row_counts[i]);
	}
	test_limits();
	test_point_read();
	test_search();
	test_deep_strings();
	test_large_strings();
	test_dictionaries();
	test_row_group();
	CHECK(lacking > 100 && hex_dictionaries > 10 && without_set > 1000);
	return unit_summary();
}
