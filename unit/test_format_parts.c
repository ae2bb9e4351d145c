/*
 * unit/test_format_parts.c
 *	  The parts of the format by themselves: numeric payloads, descriptions of row groups, zone maps.
 */
#include "format/numeric.h"
#include "format/rowgroup.h"
#include "unit/format_check.h"

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

int
main(void)
{
	test_numeric_payloads();
	test_known_numerics();
	test_merging();
	test_descriptions();
	return unit_summary();
}
