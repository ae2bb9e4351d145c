/*
 * format/varint.h
 *	  Variable-length integers: seven bits a byte, least significant first, the high bit says "more".
 *
 * Signed integers are folded first (0, -1, 1, -2, …), so that small magnitudes stay short. Reading a
 * number that does not fit its type, or that goes on beyond the longest form, fails the cursor.
 */
#ifndef HZ_VARINT_H
#define HZ_VARINT_H

#include "base/bytes.h"
#include "base/vector.h"

typedef unsigned __int128 HzUInt128;

static inline void
hz_varint_put(HzBytes *bytes, uint64_t v)
{
	uint8_t *at = hz_bytes_reserve(bytes, 10);
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		at[n++] = (uint8_t) (v | 0x80);
	at[n++] = (uint8_t) v;
	bytes->length += n;
}

static inline uint64_t
hz_varint_get(HzCursor *cursor)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7)
	{
		uint8_t b = hz_cursor_get8(cursor);

		if (cursor->failed || (shift == 63 && b > 1))
			break;
		v |= (uint64_t) (b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	cursor->failed = true;
	return 0;
}

/* A varint that must not exceed `limit`. */
static inline uint64_t
hz_varint_get_upto(HzCursor *cursor, uint64_t limit)
{
	uint64_t v = hz_varint_get(cursor);

	if (v <= limit)
		return v;
	cursor->failed = true;
	return 0;
}

static inline uint64_t
hz_fold64(int64_t v)
{
	return ((uint64_t) v << 1) ^ (v < 0 ? ~UINT64_C(0) : 0);
}

static inline int64_t
hz_unfold64(uint64_t v)
{
	return (int64_t) ((v >> 1) ^ (v & 1 ? ~UINT64_C(0) : 0));
}

static inline void
hz_varint_put128(HzBytes *bytes, HzInt128 value)
{
	HzUInt128 v = ((HzUInt128) value << 1) ^ (value < 0 ? ~(HzUInt128) 0 : 0);

	for (; v >= 0x80; v >>= 7)
		hz_bytes_put8(bytes, (uint8_t) (v | 0x80));
	hz_bytes_put8(bytes, (uint8_t) v);
}

static inline HzInt128
hz_varint_get128(HzCursor *cursor)
{
	HzUInt128 v = 0;

	for (unsigned shift = 0; shift < 128; shift += 7)
	{
		uint8_t b = hz_cursor_get8(cursor);

		if (cursor->failed || (shift == 126 && b > 3))
			break;
		v |= (HzUInt128) (b & 0x7f) << shift;
		if (b < 0x80)
			return (HzInt128) ((v >> 1) ^ (v & 1 ? ~(HzUInt128) 0 : 0));
	}
	cursor->failed = true;
	return 0;
}

#endif /* HZ_VARINT_H */
