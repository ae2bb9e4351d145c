/*
 * unit/test_format.c
 *	  Chunks of every kind: round trips, single values, zone maps, bloom filters, damage, golden files.
 *
 *	  test_format [directory of golden files [regenerate [rows]]]
 */
#include <math.h>

#include "encoding/encoding.h"
#include "format/bloom.h"
#include "format/chunk.h"
#include "format/numeric.h"
#include "format/rowgroup.h"
#include "unit/format_cases.h"

static const uint32_t row_counts[] = {1, 2, 63, 64, 65, 2047, 2048, 2049, 6000};

#define GOLDEN_ROWS 2100
#define ROW_COUNTS (sizeof(row_counts) / sizeof(row_counts[0]))

static const HzChunkOptions plain_options = {HZ_CODEC_NONE, 0, true, true, {0, 0, (HzKind) 0}};
static const HzChunkOptions lz4_options = {HZ_CODEC_LZ4, 0, true, true, {0, 0, (HzKind) 0}};
static const HzChunkOptions zstd_options = {HZ_CODEC_ZSTD, 3, true, true, {0, 0, (HzKind) 0}};

/* ---- zone maps against a naive computation ---- */

static int
compare_strings(const HzString *a, const HzString *b)
{
	uint64_t shorter = a->length < b->length ? a->length : b->length;
	int order = shorter == 0 ? 0 : memcmp(a->data, b->data, shorter);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int
compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

static int64_t
integer_at(const HzColumn *column, uint32_t row)
{
	const uint8_t *at = (const uint8_t *) column->fixed + (size_t) row * column->width;
	int64_t value = (int8_t) at[column->width - 1] < 0 ? -1 : 0;

	memcpy(&value, at, column->width);
	return value;
}

static double
real_at(const HzColumn *column, uint32_t row)
{
	float f;
	double d;

	if (column->width == 4)
	{
		memcpy(&f, (const uint8_t *) column->fixed + (size_t) row * 4, 4);
		return f;
	}
	memcpy(&d, (const uint8_t *) column->fixed + (size_t) row * 8, 8);
	return d;
}

static HzString
string_at(const HzColumn *column, uint32_t row)
{
	HzString s;

	if (column->strings != NULL)
		return column->strings[row];
	s.data = (const uint8_t *) column->fixed + (size_t) row * column->width;
	s.length = column->width;
	return s;
}

/* How a row compares with a bound; *equal: it is the bound. */
static int
compare_with_bound(const HzColumn *column, uint32_t row, const HzZone *zone, bool max, bool *equal)
{
	const HzZoneBound *bound = max ? &zone->max : &zone->min;
	HzString prefix = {bound->prefix, max ? zone->max_length : zone->min_length};
	HzString s;
	HzInt128 value = 0;
	uint16_t scale;
	int order;

	if (column->kind <= HZ_KIND_INT64)
		order =
			(integer_at(column, row) > bound->integer) - (integer_at(column, row) < bound->integer);
	else if (column->kind <= HZ_KIND_FLOAT64)
		order = compare_reals(real_at(column, row), bound->real);
	else if (column->kind == HZ_KIND_NUMERIC)
	{
		CHECK(hz_numeric_from_payload(column->strings[row].data, column->strings[row].length,
									  &value, &scale));
		for (; scale < zone->scale; scale++)
			value *= 10;
		order = (value > bound->decimal) - (value < bound->decimal);
	}
	else
	{
		s = string_at(column, row);
		/* a cut bound is compared with as many bytes */
		if ((max ? zone->max_cut : zone->min_cut) && s.length > HZ_ZONE_PREFIX)
			s.length = HZ_ZONE_PREFIX;
		order = compare_strings(&s, &prefix);
	}
	*equal |= order == 0;
	return order;
}

static void
check_zone(const HzColumn *column, uint32_t first, uint32_t count, const HzZone *zone, bool bounded)
{
	bool min_found = false;
	bool max_found = false;
	uint64_t wrong = 0;
	uint32_t nulls = 0;

	for (uint32_t i = first; i < first + count; i++)
		nulls += row_is_null(column, i);
	CHECK(zone->rows == count);
	CHECK(zone->nulls == nulls);
	if (!bounded || nulls == count)
	{
		CHECK(!zone->has_bounds || bounded);
		return;
	}
	if (column->kind == HZ_KIND_NUMERIC && !zone->has_bounds)
		return;
	CHECK(zone->has_bounds);
	for (uint32_t i = first; i < first + count; i++)
		if (!row_is_null(column, i))
			wrong += compare_with_bound(column, i, zone, false, &min_found) < 0 ||
					 compare_with_bound(column, i, zone, true, &max_found) > 0;
	CHECK(wrong == 0);
	CHECK(min_found);
	CHECK(max_found);
}

/* ---- round trips ---- */

static void
check_vectors(const HzColumn *column, const HzChunkOptions *options, HzChunkReader *reader)
{
	uint64_t wrong = 0;

	CHECK(hz_chunk_vector_count(reader) == (column->rows + HZ_VECTOR_ROWS - 1) / HZ_VECTOR_ROWS);
	for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
	{
		HzVector vector;
		uint32_t first = v * HZ_VECTOR_ROWS;
		uint32_t count =
			column->rows - first < HZ_VECTOR_ROWS ? column->rows - first : HZ_VECTOR_ROWS;

		if (!CHECK(hz_chunk_vector(reader, v, &vector) == HZ_OK))
			return;
		CHECK(vector.count == count);
		for (uint32_t i = 0; i < count; i++)
			wrong += !same_value(column, first + i, &vector, i);
		check_zone(column, first, count, hz_chunk_zone(reader, v), options->ordered);
	}
	CHECK(wrong == 0);
}

static void
check_values(const HzColumn *column, HzChunkReader *reader)
{
	uint64_t wrong = 0;
	uint32_t tries = column->rows < 300 ? column->rows : 300;
	HzVector vector;

	for (uint32_t i = 0; i < tries; i++)
	{
		uint32_t row = column->rows <= 300 ? i : (uint32_t) (unit_random() % column->rows);

		/* some neighbours, too */
		for (uint32_t j = row; j < column->rows && j < row + 3; j++)
			wrong += hz_chunk_value(reader, j, &vector) != HZ_OK || vector.count != 1 ||
					 !same_value(column, j, &vector, 0);
	}
	CHECK(wrong == 0);
	CHECK(hz_chunk_value(reader, column->rows, &vector) != HZ_OK);
	CHECK(hz_chunk_vector(reader, hz_chunk_vector_count(reader), &vector) != HZ_OK);
}

static void
check_bloom(const HzColumn *column, const HzChunkMeta *meta, HzChunkReader *reader)
{
	uint64_t missing = 0;
	uint64_t hits = 0;
	bool maybe;

	if (!meta->has_bloom)
		return;
	for (uint32_t i = 0; i < column->rows; i++)
	{
		HzString s;

		if (row_is_null(column, i))
			continue;
		s = string_at(column, i);
		missing += hz_chunk_bloom(reader, hz_bloom_hash(column->kind, s.data, s.length), &maybe) !=
					   HZ_OK ||
				   !maybe;
	}
	CHECK(missing == 0);
	for (uint32_t i = 0; i < 2000; i++)
	{
		uint64_t stranger[3] = {unit_random(), unit_random(), unit_random()};

		CHECK(hz_chunk_bloom(reader, hz_bloom_hash(HZ_KIND_BYTES, stranger, sizeof(stranger)),
							 &maybe) == HZ_OK);
		hits += maybe;
	}
	CHECK(hits < 60);
}

static bool
same_meta(const HzChunkMeta *a, const HzChunkMeta *b)
{
	return a->kind == b->kind && a->width == b->width && a->codec == b->codec &&
		   a->encoding == b->encoding && a->has_bloom == b->has_bloom && a->rows == b->rows &&
		   a->distinct == b->distinct && a->offset == b->offset &&
		   a->head_length == b->head_length && a->length == b->length &&
		   a->raw_bytes == b->raw_bytes && a->zone.rows == b->zone.rows &&
		   a->zone.nulls == b->zone.nulls && a->zone.has_bounds == b->zone.has_bounds &&
		   a->zone.scale == b->zone.scale && a->zone.min_cut == b->zone.min_cut &&
		   a->zone.max_cut == b->zone.max_cut && a->zone.min_length == b->zone.min_length &&
		   a->zone.max_length == b->zone.max_length &&
		   memcmp(&a->zone.min, &b->zone.min, sizeof(a->zone.min)) == 0 &&
		   memcmp(&a->zone.max, &b->zone.max, sizeof(a->zone.max)) == 0;
}

static void
check_description(const HzChunkMeta *meta)
{
	HzChunkMeta columns[3];
	HzRowGroupMeta group = {meta->rows, 3, columns};
	HzRowGroupMeta back;
	HzBytes bytes = {NULL, 0, 0};

	memset(columns, 0, sizeof(columns));
	columns[0] = columns[2] = *meta;
	columns[2].offset = meta->length + 8100;
	hz_rowgroup_write(&group, &bytes);
	if (CHECK(hz_rowgroup_read(bytes.data, bytes.length, &back) == HZ_OK))
	{
		CHECK(back.rows == meta->rows && back.column_count == 3);
		CHECK(same_meta(&back.columns[0], &columns[0]));
		CHECK(back.columns[1].kind == 0);
		CHECK(same_meta(&back.columns[2], &columns[2]));
		hz_free(back.columns);
	}
	hz_bytes_free(&bytes);
}

/* Everything about one column with one set of options. */
static HzChunkMeta
check_column(const HzColumn *column, const HzChunkOptions *options)
{
	HzBytes chunk = {NULL, 0, 0};
	HzChunkMeta meta;
	HzChunkReader *reader;
	Memory memory = {NULL, 0, 0, 0};
	HzSource source = {read_memory, &memory};

	if (!CHECK(hz_chunk_write(column, options, &chunk, &meta) == HZ_OK))
		return meta;
	CHECK(meta.length == chunk.length);
	CHECK(meta.rows == column->rows && meta.kind == column->kind && meta.width == column->width);
	CHECK(hz_chunk_encoding_name(meta.encoding) != NULL);
	memory.data = unit_copy(chunk.data, chunk.length);
	memory.length = chunk.length;
	if (CHECK(hz_chunk_open(&meta, &source, &reader) == HZ_OK))
	{
		check_vectors(column, options, reader);
		check_values(column, reader);
		check_bloom(column, &meta, reader);
		check_zone(column, 0, column->rows, &meta.zone, options->ordered);
		CHECK(hz_chunk_verify(reader) == HZ_OK);
		hz_chunk_close(reader);
	}
	check_description(&meta);
	free((void *) (uintptr_t) memory.data);
	hz_bytes_free(&chunk);
	return meta;
}

/* The column as it is and with nulls of several densities. */
static void
check_with_nulls(TestColumn *c, const HzChunkOptions *options)
{
	static const unsigned densities[] = {1, 30, 97, 100};

	check_column(&c->column, options);
	c->column.validity = c->validity;
	check_column(&c->column, options);
	for (size_t i = 0; i < sizeof(densities) / sizeof(densities[0]); i++)
	{
		set_nulls(c, densities[i]);
		check_column(&c->column, options);
	}
}

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

static size_t
string_for(int shape, uint32_t i, char *buffer)
{
	uint64_t r = unit_random();

	switch (shape)
	{
		case 0:
			return 0;
		case 1:
			return (size_t) sprintf(buffer, "constant");
		case 2:
			return make_url(buffer, r % 40, 0);
		case 3:
			return make_url(buffer, r, r);
		case 4:
			return make_json(buffer, i);
		case 5:
			memset(buffer, 'a', 40);
			return r % 40;
		case 6:
			memcpy(buffer, "same sixteen by", 15);
			buffer[15] = (char) (r >> 8 & 1);
			buffer[16] = (char) (r >> 9 & 1);
			return 14 + r % 4;
		default:
			for (int b = 0; b < 120; b += 8, r = unit_random())
				memcpy(buffer + b, &r, 8);
			return 30 + r % 90;
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
numeric_for(TestColumn *c, int shape, uint32_t i)
{
	uint64_t r = unit_random();
	HzInt128 wide = (HzInt128) r << 50;

	switch (shape)
	{
		case 0:
			set_numeric(c, i, 0, 2);
			return;
		case 1:
			set_numeric(c, i, (int64_t) (r % 1000000) - 500000, 2);
			return;
		case 2:
			set_numeric(c, i, r & 1 ? wide : -wide, 20);
			return;
		case 3:
			set_numeric(c, i, (int64_t) (r % 1000), (uint16_t) (r >> 32) % 5);
			return;
		case 4:
			if (r % 50 == 0)
				set_special(c, i, r % 3 == 0 ? 0xC000 : r % 3 == 1 ? 0xD000 : 0xF000);
			else
				set_numeric(c, i, (int64_t) r, 4);
			return;
		case 5:
			/* one scale a vector */
			set_numeric(c, i, (int64_t) (r % 100000), (uint16_t) (i / HZ_VECTOR_ROWS * 300));
			return;
		case 6:
			set_numeric(c, i, (int64_t) (r % 12) * 1000000 + 99, 2);
			return;
		default:
			set_special(c, i, 0xC000);
			return;
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

/* shape 0: int4[]; 1: text[]; 2: few distinct; 3: some arrays with nulls or bounds; 4: not arrays at all; 5: all empty */
static size_t
array_for(int shape, uint32_t i, uint8_t *buffer)
{
	uint64_t r = unit_random();
	size_t length;

	if (shape == 4)
		return (size_t) sprintf((char *) buffer, "not an array %llu", (unsigned long long) r) %
			   (i % 30 + 1);
	length = make_array(buffer, shape == 1,
						shape == 5   ? 0
						: shape == 2 ? 2
									 : (uint32_t) r % 7,
						shape == 2 ? r % 3 : r >> 40);
	if (shape == 3 && i / HZ_VECTOR_ROWS == 1 && r % 100 == 0 && length > 20)
		hz_store32(buffer + 16, 0);
	return length;
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
	hz_chunk_close(reader);
	hz_bytes_free(&chunk);
	free_column(&c);
}

/* ---- numerics ---- */

static bool
numeric_comes_back(HzInt128 value, uint16_t scale)
{
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
	size_t length = hz_numeric_to_payload(value, scale, payload);
	uint8_t *copy = unit_copy(payload, length);
	HzInt128 back;
	uint16_t back_scale;
	bool good = hz_numeric_from_payload(copy, length, &back, &back_scale) && back == value &&
				back_scale == scale;

	free(copy);
	return good;
}

static void
test_numeric_payloads(void)
{
	static const uint16_t scales[] = {0, 1, 2, 3, 4, 5, 8, 20, 38, 63, 64, 255, 16383};
	HzInt128 max = (HzInt128) (((unsigned __int128) 1 << 127) - 1);
	uint64_t wrong = 0;

	unit_subject = "numeric payloads";
	for (size_t s = 0; s < sizeof(scales) / sizeof(scales[0]); s++)
	{
		HzInt128 power = 1;

		for (int digits = 0; digits < 38; digits++, power *= 10)
			for (int d = -1; d <= 1; d++)
				wrong += !numeric_comes_back(power + d, scales[s]) ||
						 !numeric_comes_back(-power - d, scales[s]);
		wrong += !numeric_comes_back(0, scales[s]) || !numeric_comes_back(max, scales[s]) ||
				 !numeric_comes_back(-max, scales[s]);
		for (int i = 0; i < 2000; i++)
		{
			HzInt128 v = (HzInt128) ((unsigned __int128) unit_random() << 64 | unit_random()) >>
						 unit_random() % 127;

			wrong += v != -max - 1 && !numeric_comes_back(v, scales[s]);
		}
	}
	CHECK(wrong == 0);
}

/* Known payloads, from PostgreSQL's numeric_send of these values turned into words by hand. */
static void
test_known_numerics(void)
{
	static const struct
	{
		size_t words;
		uint16_t payload[6];
		bool good;
		int64_t value;
		uint16_t scale;
	} cases[] = {{1, {0x8000}, true, 0, 0},
				 {1, {0x8100}, true, 0, 2},
				 {2, {0x8000, 1}, true, 1, 0},
				 {2, {0xA000, 1}, true, -1, 0},
				 {3, {0x8100, 12, 3400}, true, 1234, 2},
				 {2, {0x8001, 1}, true, 10000, 0},
				 {2, {0x817F, 100}, true, 1, 2},
				 {1, {0xC000}, false, 0, 0}, /* NaN */
				 {1, {0xD000}, false, 0, 0}, /* infinity */
				 {1, {0xF000}, false, 0, 0},
				 {1, {0xA000}, false, 0, 0},    /* minus zero */
				 {2, {0x8000, 0}, false, 0, 0}, /* a zero digit */
				 {3, {0x8101, 5, 0}, false, 0, 0},
				 {2, {0x8000, 10000}, false, 0, 0}, /* no digit */
				 {3, {0x8080, 1, 1}, false, 0, 0},  /* more digits than the scale shows */
				 {3, {0x0000, 0, 1}, false, 0, 0},  /* a long header where a short one does */
				 {2, {0x7fff, 1}, false, 0, 0}};

	unit_subject = "known numerics";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		HzInt128 value;
		uint16_t scale;
		bool good = hz_numeric_from_payload((const uint8_t *) cases[i].payload, cases[i].words * 2,
											&value, &scale);

		CHECK(good == cases[i].good);
		if (good && cases[i].good)
			CHECK(value == cases[i].value && scale == cases[i].scale);
	}
	CHECK(!hz_numeric_from_payload((const uint8_t *) "", 0, &(HzInt128){0}, &(uint16_t){0}));
	CHECK(
		!hz_numeric_from_payload((const uint8_t *) "\0\200\1", 3, &(HzInt128){0}, &(uint16_t){0}));
}

/* ---- damage ---- */

/* Opens and verifies whatever is there; must answer, never crash. */
static HzStatus
verify_bytes(const uint8_t *bytes, size_t length, const HzChunkMeta *meta)
{
	Memory memory = {bytes, length, 0, 0};
	HzSource source = {read_memory, &memory};
	HzChunkReader *reader;
	HzStatus status = hz_chunk_open(meta, &source, &reader);

	if (status == HZ_OK)
	{
		status = hz_chunk_verify(reader);
		hz_chunk_close(reader);
	}
	return status;
}

static void
damage_column(const HzColumn *column, const HzChunkOptions *options)
{
	HzBytes chunk = {NULL, 0, 0};
	HzChunkMeta meta;
	HzChunkMeta shorter;
	uint64_t missed = 0;

	CHECK(hz_chunk_write(column, options, &chunk, &meta) == HZ_OK);
	CHECK(verify_bytes(chunk.data, chunk.length, &meta) == HZ_OK);
	for (size_t i = 0; i < chunk.length; i += chunk.length < 4000 ? 1 : chunk.length / 2000)
	{
		uint8_t bit = (uint8_t) (1 << unit_random() % 8);

		chunk.data[i] ^= bit;
		missed += verify_bytes(chunk.data, chunk.length, &meta) == HZ_OK;
		chunk.data[i] ^= bit;
	}
	CHECK(missed == 0);
	for (size_t length = 0; length < chunk.length; length += 1 + chunk.length / 500)
	{
		uint8_t *copy = unit_copy(chunk.data, length);

		shorter = meta;
		missed += verify_bytes(copy, length, &meta) == HZ_OK;
		shorter.length = length;
		missed += verify_bytes(copy, length, &shorter) == HZ_OK;
		free(copy);
	}
	CHECK(missed == 0);
	chunk.data[4]++;
	CHECK(verify_bytes(chunk.data, chunk.length, &meta) == HZ_VERSION);
	hz_bytes_free(&chunk);
}

static void
test_damage(void)
{
	uint32_t rows = 5000;
	static const HzArrayShape int4_array = {4, 'i', HZ_KIND_INT32};
	HzChunkOptions array_options = zstd_options;
	char buffer[1024];

	for (int shape = 0; shape < 6; shape++)
	{
		TestColumn c = shape == 0   ? new_column(HZ_KIND_INT64, 8, rows)
					   : shape == 1 ? new_column(HZ_KIND_FIXED, 16, rows)
					   : shape == 2 ? new_column(HZ_KIND_NUMERIC, 0, rows)
									: new_column(HZ_KIND_BYTES, 0, rows);

		unit_subject = "damage";
		for (uint32_t i = 0; i < rows; i++)
		{
			uint64_t r = unit_random();

			if (shape == 0)
				set_integer(&c, i, (int64_t) r);
			else if (shape == 1)
				memcpy(c.fixed + i * 16, &(uint64_t){r % 100}, 8);
			else if (shape == 2)
				numeric_for(&c, 4, i);
			else if (shape == 5)
				set_string(&c, i, buffer, array_for(0, i, (uint8_t *) buffer));
			else
				set_string(&c, i, buffer, string_for(shape == 3 ? 2 : 4, i, buffer));
		}
		if (c.strings != NULL)
			finish_strings(&c);
		set_nulls(&c, 10);
		array_options.array = int4_array;
		damage_column(&c.column, shape == 5 ? &array_options : &zstd_options);
		free_column(&c);
	}
}

/* ---- descriptions of row groups ---- */

static void
fill_description(HzRowGroupMeta *group, HzChunkMeta *columns, uint32_t count)
{
	static const HzKind kinds[] = {HZ_KIND_FIXED, HZ_KIND_FIXED,  HZ_KIND_INT64, HZ_KIND_BYTES,
								   HZ_KIND_INT32, HZ_KIND_BOOL,   HZ_KIND_BYTES, HZ_KIND_NUMERIC,
								   HZ_KIND_BYTES, HZ_KIND_FLOAT64};
	uint64_t offset = 0;

	memset(columns, 0, count * sizeof(*columns));
	for (uint32_t i = 0; i < count; i++)
	{
		HzChunkMeta *column = &columns[i];

		column->kind = i % 11 == 10 ? (HzKind) 0 : kinds[i % 10];
		if (column->kind == 0)
			continue;
		column->width = column->kind == HZ_KIND_FIXED                                      ? 16
						: column->kind == HZ_KIND_INT64 || column->kind == HZ_KIND_FLOAT64 ? 8
						: column->kind == HZ_KIND_INT32                                    ? 4
						: column->kind == HZ_KIND_BOOL                                     ? 1
																						   : 0;
		column->rows = column->zone.rows = 122880;
		column->zone.nulls = (uint32_t) (unit_random() % 100000);
		column->encoding = HZ_CHUNK_DICT;
		column->codec = HZ_CODEC_ZSTD;
		column->distinct = (uint32_t) (unit_random() % 65535);
		column->offset = offset;
		column->head_length = 2000 + unit_random() % 2000;
		column->length = column->head_length + unit_random() % 1000000;
		column->raw_bytes = unit_random() % 10000000;
		offset += column->length;
		column->zone.has_bounds = true;
		if (column->kind == HZ_KIND_BYTES || column->kind == HZ_KIND_FIXED)
		{
			column->zone.min_length = column->zone.max_length = 16;
			memset(column->zone.max.prefix, 0x7f, 16);
		}
		else if (column->kind == HZ_KIND_FLOAT64)
			column->zone.max.real = 5;
		else if (column->kind == HZ_KIND_NUMERIC)
			column->zone.max.decimal = 123456789;
		else if (column->kind == HZ_KIND_BOOL)
			column->zone.max.integer = 1;
		else
			column->zone.max.integer = 1700000000;
	}
	group->rows = 122880;
	group->column_count = count;
	group->columns = columns;
}

static void
test_descriptions(void)
{
	HzChunkMeta *columns = malloc(HZ_ROWGROUP_MAX_COLUMNS * sizeof(HzChunkMeta));
	HzRowGroupMeta group;
	HzRowGroupMeta back;
	HzBytes bytes = {NULL, 0, 0};
	uint64_t missed = 0;

	unit_subject = "descriptions";
	fill_description(&group, columns, 35);
	hz_rowgroup_write(&group, &bytes);
	CHECK(bytes.length <= 2048);
	for (size_t i = 0; i < bytes.length; i++)
	{
		uint8_t *copy = unit_copy(bytes.data, i);

		missed += hz_rowgroup_read(copy, i, &back) == HZ_OK;
		free(copy);
		bytes.data[i] ^= 4;
		missed += hz_rowgroup_read(bytes.data, bytes.length, &back) == HZ_OK;
		bytes.data[i] ^= 4;
	}
	CHECK(missed == 0);
	bytes.data[0]++;
	CHECK(hz_rowgroup_read(bytes.data, bytes.length, &back) == HZ_VERSION);
	bytes.length = 0;
	fill_description(&group, columns, HZ_ROWGROUP_MAX_COLUMNS);
	hz_rowgroup_write(&group, &bytes);
	if (CHECK(hz_rowgroup_read(bytes.data, bytes.length, &back) == HZ_OK))
	{
		for (uint32_t i = 0; i < group.column_count; i++)
			missed += !same_meta(&back.columns[i], &columns[i]);
		CHECK(missed == 0);
		hz_free(back.columns);
	}
	free(columns);
	hz_bytes_free(&bytes);
}

/* ---- zones that merge ---- */

static void
test_merging(void)
{
	HzZone into;
	HzZone one;

	unit_subject = "merging";
	memset(&into, 0, sizeof(into));
	memset(&one, 0, sizeof(one));
	one.rows = one.nulls = 10;
	hz_zone_merge(HZ_KIND_NUMERIC, &into, &one);
	CHECK(!into.has_bounds && into.rows == 10 && into.nulls == 10);
	one.nulls = 0;
	one.has_bounds = true;
	one.scale = 2;
	one.min.decimal = 150;
	one.max.decimal = 250;
	hz_zone_merge(HZ_KIND_NUMERIC, &into, &one);
	CHECK(into.has_bounds && into.scale == 2 && into.max.decimal == 250 && into.rows == 20 &&
		  into.nulls == 10);
	one.scale = 4;
	one.min.decimal = 20000;
	one.max.decimal = 30000;
	hz_zone_merge(HZ_KIND_NUMERIC, &into, &one);
	CHECK(into.has_bounds && into.scale == 4 && into.min.decimal == 15000 &&
		  into.max.decimal == 30000);
	one.scale = 16000;
	hz_zone_merge(HZ_KIND_NUMERIC, &into, &one);
	CHECK(!into.has_bounds && into.rows == 40);
	one.scale = 4;
	hz_zone_merge(HZ_KIND_NUMERIC, &into, &one);
	CHECK(!into.has_bounds && into.rows == 50);
}

/* ---- golden files ---- */

/* A file: length of the row group's description (4 bytes), description, chunk. */
static HzBytes
golden_bytes(const HzColumn *column, const HzChunkOptions *options)
{
	HzBytes chunk = {NULL, 0, 0};
	HzBytes file = {NULL, 0, 0};
	HzChunkMeta meta;
	HzRowGroupMeta group = {column->rows, 1, &meta};

	CHECK(hz_chunk_write(column, options, &chunk, &meta) == HZ_OK);
	hz_bytes_put32(&file, 0);
	hz_rowgroup_write(&group, &file);
	hz_store32(file.data, (uint32_t) file.length - 4);
	hz_bytes_append(&file, chunk.data, chunk.length);
	hz_bytes_free(&chunk);
	return file;
}

static HzBytes
read_file(const char *path)
{
	HzBytes bytes = {NULL, 0, 0};
	FILE *file = fopen(path, "rb");
	uint8_t buffer[4096];
	size_t n;

	if (file == NULL)
		return bytes;
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		hz_bytes_append(&bytes, buffer, n);
	fclose(file);
	return bytes;
}

static void
write_file(const char *path, const HzBytes *bytes)
{
	FILE *file = fopen(path, "wb");

	if (CHECK(file != NULL))
	{
		CHECK(fwrite(bytes->data, 1, bytes->length, file) == bytes->length);
		fclose(file);
	}
}

/* What the file holds is the column. */
static void
check_golden(const HzBytes *file, const HzColumn *column, const HzChunkOptions *options)
{
	HzRowGroupMeta group;
	uint32_t length = file->length >= 4 ? hz_load32(file->data) : 0;
	Memory memory = {NULL, 0, 0, 0};
	HzSource source = {read_memory, &memory};
	HzChunkReader *reader;

	if (!CHECK(file->length > (size_t) length + 4) ||
		!CHECK(hz_rowgroup_read(file->data + 4, length, &group) == HZ_OK))
		return;
	memory.data = file->data + 4 + length;
	memory.length = file->length - 4 - length;
	CHECK(group.columns[0].length == memory.length);
	if (CHECK(hz_chunk_open(&group.columns[0], &source, &reader) == HZ_OK))
	{
		check_vectors(column, options, reader);
		check_bloom(column, &group.columns[0], reader);
		CHECK(hz_chunk_verify(reader) == HZ_OK);
		hz_chunk_close(reader);
	}
	hz_free(group.columns);
}

static void
golden_file(const char *directory, const char *name, bool regenerate, const HzColumn *column,
			const HzChunkOptions *options)
{
	HzBytes fresh = golden_bytes(column, options);
	HzBytes file;
	char path[1024];

	unit_subject = name;
	snprintf(path, sizeof(path), "%s/chunk_%s.bin", directory, name);
	if (regenerate)
		write_file(path, &fresh);
	file = read_file(path);
	check_golden(&file, column, options);
	/* a codec's library may change its bytes, nothing else may */
	if (options->codec == HZ_CODEC_NONE)
		CHECK(file.length == fresh.length && memcmp(file.data, fresh.data, fresh.length) == 0);
	hz_bytes_free(&file);
	hz_bytes_free(&fresh);
}

static void
test_golden(const char *directory, bool regenerate, uint32_t rows)
{
	static const HzArrayShape text_array = {-1, 'i', HZ_KIND_BYTES};
	static const char *const names[] = {
		"bool",      "int32",    "int64_dict", "float64",       "uuid",       "text_dict", "text",
		"text_zstd", "text_lz4", "numeric",    "numeric_mixed", "text_array", "nulls"};

	for (int which = 0; which < 13; which++)
	{
		HzKind kind = which == 0                  ? HZ_KIND_BOOL
					  : which == 1 || which == 12 ? HZ_KIND_INT32
					  : which == 2                ? HZ_KIND_INT64
					  : which == 3                ? HZ_KIND_FLOAT64
					  : which == 4                ? HZ_KIND_FIXED
					  : which == 9 || which == 10 ? HZ_KIND_NUMERIC
												  : HZ_KIND_BYTES;
		uint32_t width = kind == HZ_KIND_BOOL                               ? 1
						 : kind == HZ_KIND_INT32                            ? 4
						 : kind == HZ_KIND_INT64 || kind == HZ_KIND_FLOAT64 ? 8
						 : kind == HZ_KIND_FIXED                            ? 16
																			: 0;
		TestColumn c = new_column(kind, width, rows);
		HzChunkOptions options = which == 7   ? zstd_options
								 : which == 8 ? lz4_options
											  : plain_options;
		char buffer[1024];

		unit_seed = 4711;
		for (uint32_t i = 0; i < rows; i++)
		{
			uint64_t r = unit_random();
			double d = (double) (r % 10000) / 100;

			if (which == 3)
				memcpy(c.fixed + i * 8, &d, 8);
			else if (which == 4)
				memcpy(c.fixed + i * 16, &(uint64_t[2]){r % 300 * 0x9e3779b97f4a7c15u, r % 300},
					   16);
			else if (which == 9 || which == 10)
				numeric_for(&c, which == 9 ? 1 : 4, i);
			else if (which == 11)
				set_string(&c, i, buffer, array_for(1, i, (uint8_t *) buffer));
			else if (which >= 5 && which <= 8)
				set_string(&c, i, buffer, make_url(buffer, which == 5 ? r % 50 : r % 1000000, 0));
			else
				set_integer(&c, i,
							which == 0   ? (int64_t) (r >> 9 & 1)
							: which == 2 ? (int64_t) (r % 30 * 0x123456789abc)
										 : (int64_t) (r % 5000) - 100);
		}
		if (c.strings != NULL)
			finish_strings(&c);
		options.ordered = which != 11;
		if (which == 11)
			options.array = text_array;
		if (which % 2 == 0)
			set_nulls(&c, which == 12 ? 100 : 10);
		golden_file(directory, names[which], regenerate, &c.column, &options);
		free_column(&c);
	}
}

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < ROW_COUNTS; i++)
	{
		test_integers(row_counts[i]);
		test_floats(row_counts[i]);
		test_fixed(row_counts[i]);
		test_strings(row_counts[i]);
		test_numerics(row_counts[i]);
		test_arrays(row_counts[i]);
	}
	test_numeric_payloads();
	test_known_numerics();
	test_merging();
	test_descriptions();
	test_limits();
	test_point_read();
	test_deep_strings();
	test_large_strings();
	test_dictionaries();
	test_row_group();
	test_damage();
	/* with rows: small files, as seeds of fuzz_chunk */
	test_golden(argc > 1 ? argv[1] : "unit/golden", argc > 2 && strcmp(argv[2], "regenerate") == 0,
				argc > 3 ? (uint32_t) atoi(argv[3]) : GOLDEN_ROWS);
	return unit_summary();
}
