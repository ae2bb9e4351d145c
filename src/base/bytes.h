/*
 * base/bytes.h
 *	  Little-endian loads and stores, a growable byte buffer, and a bounds-checked cursor.
 *
 * HzBytes owns its memory (base/memory.h); hz_bytes_free() or a reset of the memory context gives it
 * back. HzCursor borrows: it never reads outside [at, end), and once a read has failed every later
 * read fails and returns zero, so that a decoder may check cursor.failed once at the end.
 */
#ifndef HZ_BYTES_H
#define HZ_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

typedef struct HzBytes
{
	uint8_t *data;
	size_t length;   /* bytes used */
	size_t capacity; /* bytes allocated */
} HzBytes;

typedef struct HzCursor
{
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
} HzCursor;

static inline uint16_t
hz_load16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t) (b[0] | b[1] << 8);
}

static inline uint32_t
hz_load32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t) b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

static inline uint64_t
hz_load64(const void *p)
{
	return (uint64_t) hz_load32(p) | (uint64_t) hz_load32((const uint8_t *) p + 4) << 32;
}

static inline void
hz_store16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t) v;
	b[1] = (uint8_t) (v >> 8);
}

static inline void
hz_store32(void *p, uint32_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t) v;
	b[1] = (uint8_t) (v >> 8);
	b[2] = (uint8_t) (v >> 16);
	b[3] = (uint8_t) (v >> 24);
}

static inline void
hz_store64(void *p, uint64_t v)
{
	hz_store32(p, (uint32_t) v);
	hz_store32((uint8_t *) p + 4, (uint32_t) (v >> 32));
}

/* As strcmp() of strings that may hold zeroes: a prefix comes before what it is a prefix of. */
static inline int
hz_bytes_order(const uint8_t *a, uint64_t a_length, const uint8_t *b, uint64_t b_length)
{
	uint64_t common = a_length < b_length ? a_length : b_length;
	int order = common > 0 ? memcmp(a, b, common) : 0;

	if (order != 0)
		return order;
	return a_length < b_length ? -1 : a_length > b_length;
}

/* Whether two strings of the same length are the same: as memcmp(), without a call for the short ones that most are. */
static inline bool
hz_bytes_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	if (length > 16)
		return memcmp(a, b, length) == 0;
	if (length >= 8)
	{
		uint64_t words[4];

		memcpy(&words[0], a, 8);
		memcpy(&words[1], b, 8);
		memcpy(&words[2], a + length - 8, 8);
		memcpy(&words[3], b + length - 8, 8);
		return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
	}
	if (length >= 4)
	{
		uint32_t words[4];

		memcpy(&words[0], a, 4);
		memcpy(&words[1], b, 4);
		memcpy(&words[2], a + length - 4, 4);
		memcpy(&words[3], b + length - 4, 4);
		return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
	}
	for (size_t i = 0; i < length; i++)
	{
		if (a[i] != b[i])
			return false;
	}
	return true;
}

/* Room for `more` bytes behind the used ones; returns where they start. Does not change length. */
static inline uint8_t *
hz_bytes_reserve(HzBytes *bytes, size_t more)
{
	if (bytes->capacity - bytes->length < more)
	{
		size_t capacity = bytes->capacity < 256 ? 256 : bytes->capacity;

		while (capacity - bytes->length < more)
			capacity += capacity / 2;
		bytes->data = hz_realloc(bytes->data, capacity);
		bytes->capacity = capacity;
	}
	return bytes->data + bytes->length;
}

static inline void
hz_bytes_append(HzBytes *bytes, const void *source, size_t length)
{
	if (length == 0)
		return;
	memcpy(hz_bytes_reserve(bytes, length), source, length);
	bytes->length += length;
}

static inline void
hz_bytes_put8(HzBytes *bytes, uint8_t v)
{
	*hz_bytes_reserve(bytes, 1) = v;
	bytes->length += 1;
}

static inline void
hz_bytes_put16(HzBytes *bytes, uint16_t v)
{
	hz_store16(hz_bytes_reserve(bytes, 2), v);
	bytes->length += 2;
}

static inline void
hz_bytes_put32(HzBytes *bytes, uint32_t v)
{
	hz_store32(hz_bytes_reserve(bytes, 4), v);
	bytes->length += 4;
}

static inline void
hz_bytes_put64(HzBytes *bytes, uint64_t v)
{
	hz_store64(hz_bytes_reserve(bytes, 8), v);
	bytes->length += 8;
}

static inline void
hz_bytes_free(HzBytes *bytes)
{
	hz_free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

static inline HzCursor
hz_cursor(const void *data, size_t length)
{
	HzCursor cursor = {(const uint8_t *) data, (const uint8_t *) data + length, false};

	return cursor;
}

static inline size_t
hz_cursor_left(const HzCursor *cursor)
{
	return cursor->failed ? 0 : (size_t) (cursor->end - cursor->at);
}

/* The next `length` bytes, or NULL when fewer are left. */
static inline const uint8_t *
hz_cursor_take(HzCursor *cursor, size_t length)
{
	const uint8_t *at = cursor->at;

	if (cursor->failed || (size_t) (cursor->end - cursor->at) < length)
	{
		cursor->failed = true;
		return NULL;
	}
	cursor->at += length;
	return at;
}

static inline uint8_t
hz_cursor_get8(HzCursor *cursor)
{
	const uint8_t *p = hz_cursor_take(cursor, 1);

	return p ? *p : 0;
}

static inline uint16_t
hz_cursor_get16(HzCursor *cursor)
{
	const uint8_t *p = hz_cursor_take(cursor, 2);

	return p ? hz_load16(p) : 0;
}

static inline uint32_t
hz_cursor_get32(HzCursor *cursor)
{
	const uint8_t *p = hz_cursor_take(cursor, 4);

	return p ? hz_load32(p) : 0;
}

static inline uint64_t
hz_cursor_get64(HzCursor *cursor)
{
	const uint8_t *p = hz_cursor_take(cursor, 8);

	return p ? hz_load64(p) : 0;
}

#endif /* HZ_BYTES_H */
