/*
 * unit/format_cases.h
 *	  Columns for the tests and the benchmark of src/format, a reader over memory, and comparison.
 */
#ifndef HZ_FORMAT_CASES_H
#define HZ_FORMAT_CASES_H

#include "format/chunk.h"
#include "format/numeric.h"
#include "unit/unit.h"

/* A column that owns its memory. */
typedef struct TestColumn
{
	HzColumn column;
	uint64_t *validity;
	uint8_t *fixed;
	HzString *strings;
	HzBytes heap; /* strings' bytes; pointers are set by finish_strings() */
} TestColumn;

static inline TestColumn
new_column(HzKind kind, uint32_t width, uint32_t rows)
{
	TestColumn c;

	memset(&c, 0, sizeof(c));
	c.column.kind = kind;
	c.column.width = width;
	c.column.rows = rows;
	c.validity = hz_alloc_zero(HZ_BITMAP_WORDS(rows) * 8);
	for (uint32_t i = 0; i < rows; i++)
		hz_bitmap_set(c.validity, i);
	if (width > 0)
		c.column.fixed = c.fixed = hz_alloc_zero((size_t) rows * width);
	else
		c.column.strings = c.strings = hz_alloc_zero(rows * sizeof(HzString));
	return c;
}

static inline void
free_column(TestColumn *c)
{
	hz_free(c->validity);
	hz_free(c->fixed);
	hz_free(c->strings);
	hz_bytes_free(&c->heap);
}

static inline void
set_integer(TestColumn *c, uint32_t i, int64_t value)
{
	memcpy(c->fixed + (size_t) i * c->column.width, &value, c->column.width);
}

/* data stays an offset until finish_strings(). */
static inline void
set_string(TestColumn *c, uint32_t i, const void *data, size_t length)
{
	c->strings[i].length = length;
	c->strings[i].data = (const uint8_t *) (uintptr_t) c->heap.length;
	hz_bytes_append(&c->heap, data, length);
}

static inline void
finish_strings(TestColumn *c)
{
	hz_bytes_reserve(&c->heap, 1);
	for (uint32_t i = 0; i < c->column.rows; i++)
		c->strings[i].data = c->heap.data + (uintptr_t) c->strings[i].data;
}

/* Makes every row for which unit_random() % 100 < percent null; 100: all. What null slots hold is arbitrary. */
static inline void
set_nulls(TestColumn *c, unsigned percent)
{
	for (uint32_t i = 0; i < c->column.rows; i++)
		if (unit_random() % 100 < percent)
		{
			hz_bitmap_clear(c->validity, i);
			if (c->strings != NULL)
				c->strings[i].data = (const uint8_t *) 1, c->strings[i].length = 999;
			else
				memset(c->fixed + (size_t) i * c->column.width, 0xee, c->column.width);
		}
	c->column.validity = c->validity;
}

/* ---- a source over memory ---- */

typedef struct Memory
{
	const uint8_t *data;
	size_t length;
	uint64_t reads;
	uint64_t bytes;
} Memory;

static inline HzStatus
read_memory(void *arg, uint64_t offset, uint64_t length, void *target)
{
	Memory *memory = arg;

	if (offset > memory->length || length > memory->length - offset)
		return HZ_CORRUPT;
	memory->reads++;
	memory->bytes += length;
	if (length > 0)
		memcpy(target, memory->data + offset, length);
	return HZ_OK;
}

/* ---- comparison ---- */

static inline bool
row_is_null(const HzColumn *column, uint32_t row)
{
	return column->validity != NULL && !hz_bitmap_get(column->validity, row);
}

static inline const uint8_t *
slot_of(const HzVector *vector, uint32_t i)
{
	size_t slot = vector->form == HZ_FORM_FLAT   ? i
				  : vector->form == HZ_FORM_DICT ? vector->codes[i]
												 : 0;

	return (const uint8_t *) vector->values + slot * vector->width;
}

static inline bool
all_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static inline bool
same_bytes(const uint8_t *data, uint64_t length, const HzString *expected)
{
	return length == expected->length && (length == 0 || memcmp(data, expected->data, length) == 0);
}

/* A null's slot holds zeroes: strings of length 0, codes 0. */
static inline bool
null_slot_is_zero(const HzVector *vector, uint32_t i)
{
	HzString s;

	if (vector->form == HZ_FORM_DICT)
		return vector->codes[i] == 0;
	if (vector->kind == HZ_KIND_BYTES ||
		(vector->kind == HZ_KIND_NUMERIC && vector->numeric == HZ_NUMERIC_PAYLOAD))
	{
		memcpy(&s, slot_of(vector, i), sizeof(s));
		return s.length == 0;
	}
	return all_zero(slot_of(vector, i), vector->width);
}

/* Whether row i of the vector is row `row` of the column. */
static inline bool
same_value(const HzColumn *column, uint32_t row, const HzVector *vector, uint32_t i)
{
	bool null = vector->validity != NULL && !hz_bitmap_get(vector->validity, i);
	const uint8_t *slot = slot_of(vector, i);
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
	HzString s;
	HzInt128 decimal;
	int64_t integer;

	if (vector->kind != column->kind || null != row_is_null(column, row))
		return false;
	if (null)
		return null_slot_is_zero(vector, i);
	if (column->width > 0)
		return vector->width == column->width &&
			   memcmp(slot, (const uint8_t *) column->fixed + (size_t) row * column->width,
					  column->width) == 0;
	if (column->kind == HZ_KIND_BYTES || vector->numeric == HZ_NUMERIC_PAYLOAD)
	{
		memcpy(&s, slot, sizeof(s));
		return vector->width == sizeof(HzString) &&
			   same_bytes(s.data, s.length, &column->strings[row]);
	}
	if (vector->numeric == HZ_NUMERIC_INT64)
	{
		memcpy(&integer, slot, sizeof(integer));
		decimal = integer;
	}
	else
		memcpy(&decimal, slot, sizeof(decimal));
	return same_bytes(payload, hz_numeric_to_payload(decimal, vector->scale, payload),
					  &column->strings[row]);
}

/* ---- values ---- */

static inline size_t
make_url(char *buffer, uint64_t which, uint64_t query)
{
	static const char *const paths[] = {"products", "blog/posts", "account/settings", "checkout",
										"docs/guide/installation"};
	int n = sprintf(buffer, "https://www.example-%d.com/%s/%llu", (int) (which % 7),
					paths[which % 5], (unsigned long long) (which / 5));

	if (query != 0)
		n += sprintf(buffer + n, "?utm_source=newsletter&utm_medium=email&ref=%llx",
					 (unsigned long long) query);
	return (size_t) n;
}

static inline size_t
make_json(char *buffer, uint64_t i)
{
	uint64_t r = unit_random();

	return (size_t) sprintf(
		buffer,
		"{\"event\": \"purchase\", \"id\": %llu, \"amount\": %llu.%02u, \"currency\": \"%s\", "
		"\"items\": [{\"sku\": \"SKU-%04u\", \"qty\": %u}], \"session\": \"%016llx\", \"ok\": %s}",
		(unsigned long long) i, (unsigned long long) (r % 500), (unsigned) (r >> 20) % 100,
		r & 1 ? "EUR" : "USD", (unsigned) (r >> 30) % 5000, (unsigned) (r >> 45) % 9 + 1,
		(unsigned long long) (r * 0x9e3779b97f4a7c15u), r & 2 ? "true" : "false");
}

static inline void
set_numeric(TestColumn *c, uint32_t i, HzInt128 value, uint16_t scale)
{
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
	size_t length = hz_numeric_to_payload(value, scale, payload);

	set_string(c, i, payload, length);
}

static inline void
set_special(TestColumn *c, uint32_t i, uint16_t header)
{
	set_string(c, i, &header, 2);
}

/* An int4[] or text[] payload of `count` elements: numbers near `seed`, or words. */
static inline size_t
make_array(uint8_t *payload, bool text, uint32_t count, uint64_t seed)
{
	uint8_t *at = payload + 20;

	hz_store32(payload, count == 0 ? 0 : 1);
	hz_store32(payload + 4, 0);
	hz_store32(payload + 8, text ? 25 : 23);
	if (count == 0)
		return 12;
	hz_store32(payload + 12, count);
	hz_store32(payload + 16, 1);
	for (uint32_t i = 0; i < count; i++)
	{
		char word[32];
		size_t length = (size_t) sprintf(word, "tag-%llu", (unsigned long long) (seed + i) % 1000);

		if (text)
		{
			memset(at, 0, (4 + length + 3) / 4 * 4);
			hz_store32(at, (uint32_t) (4 + length) << 2);
			memcpy(at + 4, word, length);
			at += (4 + length + 3) / 4 * 4;
		}
		else
		{
			hz_store32(at, (uint32_t) (seed + i * 3));
			at += 4;
		}
	}
	return (size_t) (at - payload);
}

/* ---- shapes of columns ---- */

/* Strings of hexadecimal digits: uuids, hashes, repeated ones, and what almost is some. 8: one for each i, mostly digits. */
static inline size_t
hex_for(int shape, uint32_t i, char *buffer)
{
	uint64_t r = shape == 2   ? i / 5 * UINT64_C(0x9e3779b97f4a7c15)
				 : shape == 8 ? i * UINT64_C(0x9e3779b97f4a7c15)
							  : unit_random();
	uint64_t s = r * UINT64_C(0xd6e8feb86659fd93) + 1;

	switch (shape)
	{
		case 0:
		case 2:
			return (size_t) sprintf(buffer, "%08x-%04x-%04x-%04x-%012llx", (uint32_t) r,
									(uint16_t) (r >> 32), (uint16_t) (r >> 48), (uint16_t) s,
									(unsigned long long) (s >> 16));
		case 1:
			return (size_t) sprintf(buffer, "%016llx%016llx", (unsigned long long) r,
									(unsigned long long) s);
		case 3:
			return (size_t) sprintf(buffer, "%016llx", (unsigned long long) r);
		case 4: /* one in a vector or two is none */
			return (size_t) sprintf(buffer, i % 9000 == 77 ? "%016llX-" : "%016llx",
									(unsigned long long) r);
		case 5: /* of several lengths */
			return (size_t) sprintf(buffer, "%0*llx", r % 2 ? 16 : 18, (unsigned long long) s);
		case 6:
			return (size_t) sprintf(buffer, "%08x-%04x-%04x-%04x-%012llX", (uint32_t) r,
									(uint16_t) (r >> 32), (uint16_t) (r >> 48), (uint16_t) s,
									(unsigned long long) (s >> 16));
		case 8:
			if (i % 8 == 0)
				return (size_t) sprintf(buffer, "%.*s%.*u", i == 0 ? 0 : 3, "id ", i == 0 ? 0 : 1,
										i);
			return hex_for(i % 8 < 4 ? 10 : 9, (uint32_t) (r >> 32), buffer);
		case 9:
			return (size_t) sprintf(buffer, "%08x%08x", i, i * 77);
		case 10:
			return (size_t) sprintf(buffer, "%08x-%04x-%04x-%04x-%012x", i, i % 9999, i % 77,
									i % 99, i * 5);
		default: /* sha512 */
			return (size_t) sprintf(buffer, "%016llx%016llx%016llx%016llx", (unsigned long long) r,
									(unsigned long long) s, (unsigned long long) (r ^ s),
									(unsigned long long) (r + s));
	}
}

static inline size_t
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

static inline void
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

/* shape 0: int4[]; 1: text[]; 2: few distinct; 3: some arrays with nulls or bounds; 4: not arrays at all; 5: all empty */
static inline size_t
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

#endif /* HZ_FORMAT_CASES_H */
