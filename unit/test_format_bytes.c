/*
 * unit/test_format_bytes.c
 *	  Damaged chunks give errors; golden files stay readable.
 *
 *	  test_format_bytes [directory of golden files [regenerate [rows]]]
 */
#include "unit/format_check.h"

#define GOLDEN_ROWS 2100

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

	for (int shape = 0; shape < 8; shape++)
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
			else if (shape == 6)
				set_string(&c, i, buffer, hex_for(0, i, buffer));
			else if (shape == 7)
				set_string(&c, i, buffer, hex_for(8, (uint32_t) (r % 1000), buffer));
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

/* ---- what the golden files hold ---- */

static void
fill_bool(TestColumn *c, uint32_t i)
{
	set_integer(c, i, (int64_t) (unit_random() >> 9 & 1));
}

static void
fill_small(TestColumn *c, uint32_t i)
{
	set_integer(c, i, (int64_t) (unit_random() % 5000) - 100);
}

static void
fill_few_integers(TestColumn *c, uint32_t i)
{
	set_integer(c, i, (int64_t) (unit_random() % 30 * 0x123456789abc));
}

static void
fill_prices(TestColumn *c, uint32_t i)
{
	double d = (double) (unit_random() % 10000) / 100;

	memcpy(c->fixed + (size_t) i * 8, &d, 8);
}

static void
fill_few_uuids(TestColumn *c, uint32_t i)
{
	uint64_t which = unit_random() % 300;
	uint64_t words[2] = {which * 0x9e3779b97f4a7c15u, which};

	memcpy(c->fixed + (size_t) i * 16, words, 16);
}

static void
fill_wide(TestColumn *c, uint32_t i)
{
	for (uint32_t b = 0; b < c->column.width; b++)
		c->fixed[(size_t) i * c->column.width + b] = (uint8_t) (unit_random() % 3 + b);
}

static void
fill_few_strings(TestColumn *c, uint32_t i)
{
	char buffer[512];

	set_string(c, i, buffer, make_url(buffer, unit_random() % 50, 0));
}

static void
fill_strings(TestColumn *c, uint32_t i)
{
	char buffer[512];

	set_string(c, i, buffer, make_url(buffer, unit_random() % 1000000, 0));
}

static void
fill_uuid_strings(TestColumn *c, uint32_t i)
{
	char buffer[128];

	set_string(c, i, buffer, hex_for(0, i, buffer));
}

static void
fill_few_ids(TestColumn *c, uint32_t i)
{
	char buffer[128];

	set_string(c, i, buffer, hex_for(8, (uint32_t) (unit_random() % 300), buffer));
}

static void
fill_digests(TestColumn *c, uint32_t i)
{
	char buffer[128];

	set_string(c, i, buffer, hex_for(1, i, buffer));
}

static void
fill_empty_strings(TestColumn *c, uint32_t i)
{
	set_string(c, i, "", 0);
}

static void
fill_one_scale(TestColumn *c, uint32_t i)
{
	numeric_for(c, 1, i);
}

static void
fill_wide_numerics(TestColumn *c, uint32_t i)
{
	numeric_for(c, 2, i);
}

static void
fill_special_numerics(TestColumn *c, uint32_t i)
{
	numeric_for(c, 4, i);
}

static void
fill_text_arrays(TestColumn *c, uint32_t i)
{
	uint8_t buffer[1024];

	set_string(c, i, buffer, array_for(1, i, buffer));
}

static void
fill_int_arrays(TestColumn *c, uint32_t i)
{
	uint8_t buffer[1024];

	set_string(c, i, buffer, array_for(0, i, buffer));
}

typedef struct GoldenCase
{
	const char *name;
	HzKind kind;
	uint32_t width;
	void (*fill)(TestColumn *c, uint32_t i);
	unsigned nulls; /* per cent */
	HzCodec codec;
	HzArrayShape array;
} GoldenCase;

#define NO_ARRAY         \
	{                    \
		0, 0, (HzKind) 0 \
	}
#define INT_ARRAY             \
	{                         \
		4, 'i', HZ_KIND_INT32 \
	}
#define TEXT_ARRAY             \
	{                          \
		-1, 'i', HZ_KIND_BYTES \
	}

static const GoldenCase golden_cases[] = {
	{"bool", HZ_KIND_BOOL, 1, fill_bool, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"int16", HZ_KIND_INT16, 2, fill_small, 0, HZ_CODEC_NONE, NO_ARRAY},
	{"int32", HZ_KIND_INT32, 4, fill_small, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"int64_dict", HZ_KIND_INT64, 8, fill_few_integers, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"float64", HZ_KIND_FLOAT64, 8, fill_prices, 0, HZ_CODEC_NONE, NO_ARRAY},
	{"uuid", HZ_KIND_FIXED, 16, fill_few_uuids, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"wide", HZ_KIND_FIXED, 40, fill_wide, 0, HZ_CODEC_NONE, NO_ARRAY},
	{"text_dict", HZ_KIND_BYTES, 0, fill_few_strings, 0, HZ_CODEC_NONE, NO_ARRAY},
	{"text", HZ_KIND_BYTES, 0, fill_strings, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"text_zstd", HZ_KIND_BYTES, 0, fill_strings, 0, HZ_CODEC_ZSTD, NO_ARRAY},
	{"text_lz4", HZ_KIND_BYTES, 0, fill_strings, 10, HZ_CODEC_LZ4, NO_ARRAY},
	{"text_uuids", HZ_KIND_BYTES, 0, fill_uuid_strings, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"text_id_dict", HZ_KIND_BYTES, 0, fill_few_ids, 10, HZ_CODEC_ZSTD, NO_ARRAY},
	{"text_digests", HZ_KIND_BYTES, 0, fill_digests, 0, HZ_CODEC_NONE, NO_ARRAY},
	{"text_empty", HZ_KIND_BYTES, 0, fill_empty_strings, 50, HZ_CODEC_ZSTD, NO_ARRAY},
	{"numeric", HZ_KIND_NUMERIC, 0, fill_one_scale, 0, HZ_CODEC_NONE, NO_ARRAY},
	{"numeric_wide", HZ_KIND_NUMERIC, 0, fill_wide_numerics, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"numeric_mixed", HZ_KIND_NUMERIC, 0, fill_special_numerics, 10, HZ_CODEC_NONE, NO_ARRAY},
	{"int_array", HZ_KIND_BYTES, 0, fill_int_arrays, 10, HZ_CODEC_NONE, INT_ARRAY},
	{"text_array", HZ_KIND_BYTES, 0, fill_text_arrays, 0, HZ_CODEC_NONE, TEXT_ARRAY},
	{"nulls", HZ_KIND_INT32, 4, fill_small, 100, HZ_CODEC_NONE, NO_ARRAY}};

#define GOLDEN_CASES (sizeof(golden_cases) / sizeof(golden_cases[0]))

static void
test_golden(const char *directory, bool regenerate, uint32_t rows)
{
	for (size_t k = 0; k < GOLDEN_CASES; k++)
	{
		const GoldenCase *one = &golden_cases[k];
		TestColumn c = new_column(one->kind, one->width, rows);
		HzChunkOptions options = {one->codec, 3, one->array.element_width == 0, true, one->array};

		unit_seed = 4711;
		for (uint32_t i = 0; i < rows; i++)
			one->fill(&c, i);
		if (c.strings != NULL)
			finish_strings(&c);
		if (one->nulls > 0)
			set_nulls(&c, one->nulls);
		golden_file(directory, one->name, regenerate, &c.column, &options);
		free_column(&c);
	}
}

int
main(int argc, char **argv)
{
	/* with rows: small files, as seeds of fuzz_chunk */
	test_golden(argc > 1 ? argv[1] : "unit/golden", argc > 2 && strcmp(argv[2], "regenerate") == 0,
				argc > 3 ? (uint32_t) atoi(argv[3]) : GOLDEN_ROWS);
	test_damage();
	return unit_summary();
}
