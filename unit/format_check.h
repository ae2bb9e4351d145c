/*
 * unit/format_check.h
 *	  Everything that must hold of a column written as a chunk: vectors, values, zone maps, filter,
 *	  description.
 */
#ifndef HZ_FORMAT_CHECK_H
#define HZ_FORMAT_CHECK_H

#include <math.h>

#include "format/bloom.h"
#include "format/chunk_reader.h"
#include "format/rowgroup.h"
#include "unit/format_cases.h"

static const HzChunkOptions plain_options = {HZ_CODEC_NONE, 0, true, true, {0, 0, (HzKind) 0}};
static const HzChunkOptions lz4_options = {HZ_CODEC_LZ4, 0, true, true, {0, 0, (HzKind) 0}};
static const HzChunkOptions zstd_options = {HZ_CODEC_ZSTD, 3, true, true, {0, 0, (HzKind) 0}};

/* ---- zone maps against a naive computation ---- */

static inline int
compare_strings(const HzString *a, const HzString *b)
{
	uint64_t shorter = a->length < b->length ? a->length : b->length;
	int order = shorter == 0 ? 0 : memcmp(a->data, b->data, shorter);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static inline int
compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

static inline int64_t
integer_at(const HzColumn *column, uint32_t row)
{
	const uint8_t *at = (const uint8_t *) column->fixed + (size_t) row * column->width;
	int64_t value = (int8_t) at[column->width - 1] < 0 ? -1 : 0;

	memcpy(&value, at, column->width);
	return value;
}

static inline double
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

static inline HzString
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
static inline int
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

static inline void
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

/* Lengths of strings as the chunk keeps them, if it does. */
static inline void
check_lengths(const HzColumn *column, HzChunkReader *reader, uint32_t v, uint32_t count)
{
	const HzString *strings = column->strings + (size_t) v * HZ_VECTOR_ROWS;
	HzVector lengths;
	uint64_t wrong = 0;
	bool known;

	if (!CHECK(hz_chunk_lengths(reader, v, &known, &lengths) == HZ_OK) || !known)
		return;
	CHECK(column->kind == HZ_KIND_BYTES);
	CHECK(lengths.kind == HZ_KIND_INT32 && lengths.width == 4 && lengths.count == count);
	CHECK(lengths.form != HZ_FORM_DICT);
	for (uint32_t i = 0; i < count; i++)
	{
		bool is_null = row_is_null(column, v * HZ_VECTOR_ROWS + i);
		int32_t length = ((const int32_t *) lengths.values)[lengths.form == HZ_FORM_FLAT ? i : 0];

		wrong += is_null != (lengths.validity != NULL && !hz_bitmap_get(lengths.validity, i)) ||
				 (uint64_t) length != (is_null ? 0 : strings[i].length);
	}
	CHECK(wrong == 0);
}

static inline void
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

		check_lengths(column, reader, v, count);
		if (!CHECK(hz_chunk_vector(reader, v, &vector) == HZ_OK))
			return;
		CHECK(vector.count == count);
		/* the strings stay where they are */
		check_lengths(column, reader, v, count);
		for (uint32_t i = 0; i < count; i++)
			wrong += !same_value(column, first + i, &vector, i);
		check_zone(column, first, count, hz_chunk_zone(reader, v), options->ordered);
	}
	CHECK(wrong == 0);
}

/* Some rows of a vector, close to each other or far apart: those are right. */
static inline void
check_wanted(const HzColumn *column, HzChunkReader *reader)
{
	uint64_t wrong = 0;

	for (uint32_t t = 0; t < 20; t++)
	{
		uint32_t v = (uint32_t) (unit_random() % hz_chunk_vector_count(reader));
		uint32_t first = v * HZ_VECTOR_ROWS;
		uint32_t count =
			column->rows - first < HZ_VECTOR_ROWS ? column->rows - first : HZ_VECTOR_ROWS;
		uint32_t step = t % 2 ? 1 + (uint32_t) (unit_random() % 300) : 1;
		uint16_t at[HZ_VECTOR_ROWS];
		uint32_t wanted = 0;
		HzVector vector;

		for (uint32_t i = (uint32_t) (unit_random() % count); i < count && wanted < 30; i += step)
			at[wanted++] = (uint16_t) i;
		if (!CHECK(hz_chunk_vector_at(reader, v, at, wanted, &vector) == HZ_OK))
			return;
		for (uint32_t i = 0; i < wanted; i++)
			wrong += !same_value(column, first + at[i], &vector, at[i]);
	}
	CHECK(wrong == 0);
}

static HzChunkRoom lasting_room = {.bytes = 1 << 20};

/* Single values anywhere, and some neighbours of each, vectors read between them. */
static inline void
check_some_values(const HzColumn *column, HzChunkReader *reader, uint32_t tries)
{
	uint64_t wrong = 0;
	HzVector vector;

	for (uint32_t i = 0; i < tries; i++)
	{
		uint32_t row = column->rows <= 300 ? i : (uint32_t) (unit_random() % column->rows);

		for (uint32_t j = row; j < column->rows && j < row + 3; j++)
			wrong += hz_chunk_value(reader, j, &vector) != HZ_OK || vector.count != 1 ||
					 !same_value(column, j, &vector, 0);
		if (i % 16 == 0)
			wrong += hz_chunk_vector(reader, row / HZ_VECTOR_ROWS, &vector) != HZ_OK;
	}
	CHECK(wrong == 0);
}

static inline void
check_values(const HzColumn *column, HzChunkReader *reader)
{
	uint32_t tries = column->rows < 300 ? column->rows : 300;
	int64_t rooms[] = {40000, 0, 1 << 24};
	int64_t one_vector =
		(int64_t) (HZ_VECTOR_ROWS + 1) * (column->width > 32 ? column->width : 32) +
		HZ_VECTOR_ROWS / 8;
	HzChunkRoom other = {0};
	HzVector vector;
	bool known;

	check_some_values(column, reader, tries);
	/* room for a few vectors, for one, for all of them: each is given back */
	for (uint32_t i = 0; i < 3; i++)
	{
		HzChunkRoom room = {.bytes = rooms[i]};

		hz_chunk_share_room(reader, &room);
		check_some_values(column, reader, tries);
		CHECK(room.bytes <= rooms[i] && room.bytes >= -one_vector);
		hz_chunk_share_room(reader, &other);
		CHECK(room.bytes == rooms[i]);
	}
	check_some_values(column, reader, tries / 2);
	CHECK(hz_chunk_value(reader, column->rows, &vector) != HZ_OK);
	CHECK(hz_chunk_vector(reader, hz_chunk_vector_count(reader), &vector) != HZ_OK);
	CHECK(hz_chunk_lengths(reader, hz_chunk_vector_count(reader), &known, &vector) != HZ_OK);
	/* `other` goes before the reader does */
	hz_chunk_share_room(reader, &lasting_room);
}

/* Whole vectors in one turn after another: those that are kept are what they were, and what they take is counted. */
static inline void
check_turns(const HzColumn *column, const HzChunkOptions *options, HzChunkReader *reader)
{
	int64_t rooms[] = {1 << 24, 50000, 0};
	uint32_t values = 0;

	for (uint32_t i = 0; i < column->rows; i++)
		values += !row_is_null(column, i);
	for (uint32_t i = 0; i < 3; i++)
	{
		HzChunkRoom room = {.bytes = rooms[i]};
		int64_t left = 0;

		hz_chunk_share_room(reader, &room);
		for (; room.turn < 4; room.turn++)
		{
			check_vectors(column, options, reader);
			check_vectors(column, options, reader);
			check_wanted(column, reader);
			CHECK(room.bytes >= 0 && room.bytes <= rooms[i]);
			if (i == 0 && room.turn == 0)
				CHECK(room.bytes == rooms[0] || reader->read_before != 0);
			if (i == 0 && room.turn > 1 && hz_kind_is_integer(column->kind))
				CHECK((room.bytes < rooms[0]) == (values > 0));
			if (room.turn > 1)
				CHECK(room.bytes == left);
			left = room.bytes;
		}
		check_some_values(column, reader, column->rows < 300 ? column->rows : 300);
		hz_chunk_share_room(reader, &lasting_room);
		CHECK(room.bytes == rooms[i]);
	}
}

static inline void
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

/* Answers of hz_chunk_lacks() that said something; chunks with a dictionary of hexadecimal digits. */
static uint64_t lacking;
static uint64_t hex_dictionaries;

/* The rows of one vector that are *value, as hz_chunk_match() says it, and what the dictionary says of the chunk. */
static inline void
check_match(const HzColumn *column, HzChunkReader *reader, uint32_t v, const HzString *value)
{
	uint8_t mask[HZ_VECTOR_ROWS + 64];
	uint32_t first = v * HZ_VECTOR_ROWS;
	uint32_t count = column->rows - first < HZ_VECTOR_ROWS ? column->rows - first : HZ_VECTOR_ROWS;
	uint64_t wrong = 0;
	bool known;
	bool maybe;
	bool found = false;

	/* once more: what is remembered of a value answers then */
	for (int turn = 0; turn < 2; turn++)
	{
		memset(mask, 3, sizeof(mask));
		if (!CHECK(hz_chunk_match(reader, v, value, &known, mask) == HZ_OK))
			return;
	}
	CHECK(hz_chunk_dictionary(reader, value, &maybe) == HZ_OK);
	for (uint32_t i = 0; i < count; i++)
	{
		bool equal = !row_is_null(column, first + i);
		HzString s;

		if (equal)
		{
			s = string_at(column, first + i);
			equal = compare_strings(&s, value) == 0;
		}
		found |= equal;
		wrong += known && mask[i] != equal;
	}
	CHECK(wrong == 0);
	CHECK(maybe || !found);
	CHECK(!hz_chunk_lacks(reader, v, value) || !found);
	lacking += hz_chunk_lacks(reader, v, value);
}

/* Vectors that hz_chunk_vector_any() has ruled out. */
static uint64_t without_set;

static int
compare_for_set(const void *a, const void *b)
{
	return compare_strings(a, b);
}

static inline bool
vector_has_any(const HzColumn *column, uint32_t v, const HzValueSet *set)
{
	for (uint32_t row = v * HZ_VECTOR_ROWS; row < column->rows && row < (v + 1) * HZ_VECTOR_ROWS;
		 row++)
	{
		HzString s;

		if (row_is_null(column, row))
			continue;
		s = string_at(column, row);
		if (bsearch(&s, set->values, set->count, sizeof(HzString), compare_for_set) != NULL)
			return true;
	}
	return false;
}

/* What the chunk and its vectors say of several values, which are sorted here; twice: the second time it is remembered. */
static inline void
check_set(const HzColumn *column, HzChunkReader *reader, HzString *values, uint32_t count)
{
	HzValueSet set = {0, values};
	bool found = false;
	bool maybe;

	qsort(values, count, sizeof(HzString), compare_for_set);
	for (uint32_t i = 0; i < count; i++)
	{
		if (i == 0 || compare_strings(&values[set.count - 1], &values[i]) != 0)
			values[set.count++] = values[i];
	}
	for (uint32_t turn = 0; turn < 2; turn++)
	{
		for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
		{
			bool has = turn == 0 && vector_has_any(column, v, &set);

			if (!CHECK(hz_chunk_vector_any(reader, v, &set, &maybe) == HZ_OK))
				return;
			CHECK(maybe || !has);
			without_set += !maybe;
			found |= has;
		}
	}
	CHECK(hz_chunk_dictionary_any(reader, &set, &maybe) == HZ_OK);
	CHECK(maybe || !found);
}

/* One value, a few, many; most of the last ones are beginnings of values that are there. */
static inline void
check_sets(const HzColumn *column, HzChunkReader *reader)
{
	static const uint32_t sizes[] = {1, 3, 40};
	HzString values[40];

	for (uint32_t s = 0; s < 3; s++)
	{
		uint32_t count = 0;

		for (uint32_t i = 0; i < sizes[s]; i++)
		{
			uint32_t row = (uint32_t) (unit_random() % column->rows);

			if (row_is_null(column, row))
				continue;
			values[count] = string_at(column, row);
			if (i > 2)
				values[count].length -= values[count].length > 0;
			count++;
		}
		if (count > 0)
			check_set(column, reader, values, count);
	}
}

/* Values that are there, neighbours of them that mostly are not, and the shortest and the longest. */
static inline void
check_matches(const HzColumn *column, HzChunkReader *reader)
{
	uint32_t vectors = hz_chunk_vector_count(reader);
	uint8_t changed[600];

	if (column->kind != HZ_KIND_BYTES && column->kind != HZ_KIND_FIXED)
		return;
	for (uint32_t i = 0; i < 24; i++)
	{
		uint32_t row = (uint32_t) (unit_random() % column->rows);
		uint32_t v = (uint32_t) (unit_random() % vectors);
		HzString value;

		if (row_is_null(column, row))
			continue;
		value = string_at(column, row);
		if (value.length < sizeof(changed) && i % 3 != 0)
		{
			if (value.length > 0)
				memcpy(changed, value.data, value.length);
			changed[value.length] = (uint8_t) unit_random();
			if (i % 3 == 1 && column->kind == HZ_KIND_BYTES)
				value.length = i % 2 ? value.length + 1 : value.length / 2;
			else if (value.length > 0)
				changed[value.length - 1] ^= 1;
			value.data = changed;
		}
		check_match(column, reader, row / HZ_VECTOR_ROWS, &value);
		check_match(column, reader, v, &value);
		check_match(column, reader, v, &(HzString){(const uint8_t *) "", 0});
	}
	check_sets(column, reader);
}

static inline bool
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

static inline void
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
static inline HzChunkMeta
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
	/* a reader that has decoded nothing yet */
	if (CHECK(hz_chunk_open(&meta, &source, &reader) == HZ_OK))
	{
		check_matches(column, reader);
		hex_dictionaries +=
			(reader->head.flags & HZ_CHUNK_HAS_DICT) != 0 && reader->head.dict.form == HZ_DICT_HEX;
		hz_chunk_close(reader);
	}
	if (CHECK(hz_chunk_open(&meta, &source, &reader) == HZ_OK))
	{
		check_vectors(column, options, reader);
		check_values(column, reader);
		check_turns(column, options, reader);
		check_wanted(column, reader);
		check_matches(column, reader);
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
static inline void
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

#endif /* HZ_FORMAT_CHECK_H */
