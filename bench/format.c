/*
 * bench/format.c
 *	  Chunks: nanoseconds per value to write and to read, microseconds per single value, and sizes.
 *
 * Columns of 122,880 rows like those of web analytics. The best of several runs counts.
 *
 *	  format [part of a column's name [write]]
 */
#include <time.h>

#include "unit/format_cases.h"

#define ROWS 122880
#define RUNS 9
#define POINTS 2000

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

static double
time_write(const HzColumn *column, const HzChunkOptions *options, HzBytes *chunk, HzChunkMeta *meta)
{
	double best = 1e18;

	for (int run = 0; run < RUNS; run++)
	{
		double start = now();

		chunk->length = 0;
		if (hz_chunk_write(column, options, chunk, meta) != HZ_OK)
			abort();
		start = now() - start;
		best = start < best ? start : best;
	}
	return best / ROWS;
}

static double
time_read(const HzSource *source, const HzChunkMeta *meta)
{
	double best = 1e18;

	for (int run = 0; run < RUNS; run++)
	{
		double start = now();
		HzChunkReader *reader;
		HzVector vector;

		if (hz_chunk_open(meta, source, &reader) != HZ_OK)
			abort();
		for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
			if (hz_chunk_vector(reader, v, &vector) != HZ_OK)
				abort();
		hz_chunk_close(reader);
		start = now() - start;
		best = start < best ? start : best;
	}
	return best / ROWS;
}

/* cold: a reader opened for each value. */
static double
time_points(const HzSource *source, const HzChunkMeta *meta, bool cold)
{
	HzChunkReader *reader = NULL;
	HzVector vector;
	double start = now();

	for (int i = 0; i < POINTS; i++)
	{
		if (reader == NULL && hz_chunk_open(meta, source, &reader) != HZ_OK)
			abort();
		if (hz_chunk_value(reader, (uint32_t) (unit_random() % ROWS), &vector) != HZ_OK)
			abort();
		if (cold)
		{
			hz_chunk_close(reader);
			reader = NULL;
		}
	}
	start = now() - start;
	hz_chunk_close(reader);
	return start / POINTS / 1000;
}

static void
bench(const char *name, TestColumn *c, HzCodec codec, bool write_only)
{
	HzChunkOptions options = {codec, 3, true, false, {0, 0, (HzKind) 0}};
	HzBytes chunk = {NULL, 0, 0};
	HzChunkMeta meta;
	Memory memory = {NULL, 0, 0, 0};
	HzSource source = {read_memory, &memory};
	double write_ns;
	double read_ns;

	write_ns = time_write(&c->column, &options, &chunk, &meta);
	memory.data = chunk.data;
	memory.length = chunk.length;
	if (write_only)
	{
		printf("%-28s %9.1f\n", name, write_ns);
		hz_bytes_free(&chunk);
		return;
	}
	read_ns = time_read(&source, &meta);
	printf("%-28s %-4s %-12s %9.1f %8.2f %9.2f %9.2f %8.1f %8.2f %9llu\n", name,
		   hz_compress_name(codec), hz_chunk_encoding_name(meta.encoding), write_ns, read_ns,
		   time_points(&source, &meta, false), time_points(&source, &meta, true),
		   (double) meta.raw_bytes / (double) meta.length, (double) meta.length / ROWS,
		   (unsigned long long) meta.head_length);
	hz_bytes_free(&chunk);
}

typedef void (*Filler)(TestColumn *c, uint32_t i);

static void
fill_browser(TestColumn *c, uint32_t i)
{
	static const char *const names[] = {"Chrome", "Safari",           "Firefox",       "Edge",
										"Opera",  "Samsung Internet", "Mobile Safari", ""};
	uint64_t r = unit_random() % 64;
	const char *name = names[r < 40 ? 0 : r < 52 ? 1 : r % 8];

	set_string(c, i, name, strlen(name));
}

static void
fill_empty(TestColumn *c, uint32_t i)
{
	set_string(c, i, "campaign", i % 30000 == 7 ? 8 : 0);
}

static void
fill_url_few(TestColumn *c, uint32_t i)
{
	char buffer[512];

	set_string(c, i, buffer, make_url(buffer, unit_random() % 3000, 0));
}

static void
fill_url_some(TestColumn *c, uint32_t i)
{
	char buffer[512];
	uint64_t which = unit_random() % 60000;

	set_string(c, i, buffer, make_url(buffer, which, which));
}

static void
fill_url_unique(TestColumn *c, uint32_t i)
{
	char buffer[512];

	set_string(c, i, buffer, make_url(buffer, unit_random() % 100000, unit_random()));
}

static void
fill_json(TestColumn *c, uint32_t i)
{
	char buffer[512];

	set_string(c, i, buffer, make_json(buffer, i));
}

static void
fill_uuid_random(TestColumn *c, uint32_t i)
{
	uint64_t words[2] = {unit_random(), unit_random()};

	memcpy(c->fixed + (size_t) i * 16, words, 16);
}

/* Sessions of about eight events each, sorted. */
static void
fill_uuid_sessions(TestColumn *c, uint32_t i)
{
	if (i == 0 || unit_random() % 8 == 0)
		fill_uuid_random(c, i);
	else
		memcpy(c->fixed + (size_t) i * 16, c->fixed + (size_t) (i - 1) * 16, 16);
}

/* The same, not sorted. */
static void
fill_uuid_repeating(TestColumn *c, uint32_t i)
{
	uint64_t which = unit_random() % 15000 + 1;
	uint64_t words[2] = {which * 0x9e3779b97f4a7c15u, which * 0xd6e8feb86659fd93u};

	memcpy(c->fixed + (size_t) i * 16, words, 16);
}

static void
fill_times(TestColumn *c, uint32_t i)
{
	int64_t before = 1700000000000000;

	if (i > 0)
		memcpy(&before, c->fixed + (size_t) (i - 1) * 8, 8);
	set_integer(c, i, before + (int64_t) (unit_random() % 3000) * 1000);
}

static void
fill_times_unsorted(TestColumn *c, uint32_t i)
{
	set_integer(c, i, 1700000000000000 + (int64_t) (unit_random() % 604800000) * 1000);
}

static void
fill_event_type(TestColumn *c, uint32_t i)
{
	set_integer(c, i, unit_random() % 10 == 0 ? 2 : 1);
}

static void
fill_ids(TestColumn *c, uint32_t i)
{
	set_integer(c, i, (int64_t) (unit_random() % 5000 * 0x9e3779b97f4a7c15u));
}

static void
fill_latency(TestColumn *c, uint32_t i)
{
	uint64_t r = unit_random();

	set_integer(c, i, (int64_t) (r % 1000 < 995 ? r >> 20 & 255 : r >> 20 & 65535));
}

static void
fill_price(TestColumn *c, uint32_t i)
{
	static const int64_t prices[] = {999, 1999, 4999, 9900, 12900, 29900, 499, 0};

	set_numeric(c, i, prices[unit_random() % 8] * 100, 4);
}

static void
fill_cost(TestColumn *c, uint32_t i)
{
	set_numeric(c, i, (HzInt128) (unit_random() % 1000000000) * 1000, 12);
}

static void
fill_cost_wide(TestColumn *c, uint32_t i)
{
	set_numeric(c, i, (HzInt128) unit_random() * 1000, 12);
}

static void
fill_cost_mixed(TestColumn *c, uint32_t i)
{
	set_numeric(c, i, (HzInt128) (unit_random() % 1000000), (uint16_t) (unit_random() % 4));
}

static void
fill_percent(TestColumn *c, uint32_t i)
{
	float f = (float) (unit_random() % 10000) / 100;

	memcpy(c->fixed + (size_t) i * 4, &f, 4);
}

static void
fill_real(TestColumn *c, uint32_t i)
{
	double d = (double) unit_random() / 1e18;

	memcpy(c->fixed + (size_t) i * 8, &d, 8);
}

int
main(int argc, char **argv)
{
	static const struct
	{
		const char *name;
		HzKind kind;
		uint32_t width;
		Filler fill;
		unsigned nulls;
		bool lz4;
	} columns[] = {{"browser names", HZ_KIND_BYTES, 0, fill_browser, 0, false},
				   {"almost always empty", HZ_KIND_BYTES, 0, fill_empty, 0, false},
				   {"urls, 3,000 distinct", HZ_KIND_BYTES, 0, fill_url_few, 0, true},
				   {"urls, 60,000 distinct", HZ_KIND_BYTES, 0, fill_url_some, 0, true},
				   {"urls, all distinct", HZ_KIND_BYTES, 0, fill_url_unique, 0, true},
				   {"json", HZ_KIND_BYTES, 0, fill_json, 0, true},
				   {"json, 60 % null", HZ_KIND_BYTES, 0, fill_json, 60, false},
				   {"uuids, random", HZ_KIND_FIXED, 16, fill_uuid_random, 0, false},
				   {"uuids, sorted sessions", HZ_KIND_FIXED, 16, fill_uuid_sessions, 0, false},
				   {"uuids, 15,000 distinct", HZ_KIND_FIXED, 16, fill_uuid_repeating, 0, false},
				   {"timestamps, sorted", HZ_KIND_INT64, 8, fill_times, 0, false},
				   {"timestamps, unsorted", HZ_KIND_INT64, 8, fill_times_unsorted, 0, false},
				   {"event type", HZ_KIND_INT32, 4, fill_event_type, 0, false},
				   {"latency, 10 % null", HZ_KIND_INT32, 4, fill_latency, 10, false},
				   {"ids, 5,000 distinct", HZ_KIND_INT64, 8, fill_ids, 0, false},
				   {"numeric prices, 8 distinct", HZ_KIND_NUMERIC, 0, fill_price, 0, false},
				   {"numeric(18,12)", HZ_KIND_NUMERIC, 0, fill_cost, 0, false},
				   {"numeric(38,12), 128 bits", HZ_KIND_NUMERIC, 0, fill_cost_wide, 0, false},
				   {"numeric of several scales", HZ_KIND_NUMERIC, 0, fill_cost_mixed, 0, false},
				   {"real percentages", HZ_KIND_FLOAT32, 4, fill_percent, 0, false},
				   {"double, random", HZ_KIND_FLOAT64, 8, fill_real, 0, false}};

	printf("%-28s %-4s %-12s %9s %8s %9s %9s %8s %8s %9s\n", "column", "", "encoding", "write ns",
		   "read ns", "value us", "cold us", "ratio", "bytes/v", "head");
	for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++)
	{
		TestColumn c;

		if (argc > 1 && strstr(columns[k].name, argv[1]) == NULL)
			continue;
		c = new_column(columns[k].kind, columns[k].width, ROWS);
		for (uint32_t i = 0; i < ROWS; i++)
			columns[k].fill(&c, i);
		if (c.strings != NULL)
			finish_strings(&c);
		if (columns[k].nulls > 0)
			set_nulls(&c, columns[k].nulls);
		bench(columns[k].name, &c, columns[k].kind == HZ_KIND_BYTES ? HZ_CODEC_ZSTD : HZ_CODEC_NONE,
			  argc > 2);
		if (columns[k].lz4)
			bench(columns[k].name, &c, HZ_CODEC_LZ4, argc > 2);
		free_column(&c);
	}
	return 0;
}
