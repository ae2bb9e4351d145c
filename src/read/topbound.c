/*
 * read/topbound.c
 *	  See topbound.h.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/memutils.h"

#include "base/bitmap.h"
#include "base/compat.h"
#include "format/numeric.h"
#include "read/topbound.h"

#define KEY_MIN (HZ_TOPBOUND_UNKNOWN + 1)
#define KEY_MAX HZ_TOPBOUND_LAST
#define KEY_BYTES 16  /* of a string */
#define KEY_SCALE 18  /* digits of a numeric after the point */
#define MAX_POWER 38  /* of ten in 128 bits */
#define FIRST_ROOM 64 /* keys */

void
hz_topbound_reset(HzTopBound *bound, uint32 limit)
{
	bound->limit = limit;
	bound->count = 0;
}

/* ---- Keys of values, ascending */

static HzTopKey
null_key(const HzTopBound *bound)
{
	return bound->nulls_first ? KEY_MIN : KEY_MAX;
}

/* NaN is the greatest, -0 equals 0; the bits of others are ordered, but for those of negative ones. */
static inline HzTopKey
real_key(double value)
{
	int64 bits;

	if (isnan(value))
		return PG_INT64_MAX;
	value += 0.0;
	memcpy(&bits, &value, sizeof(bits));
	return bits < 0 ? bits ^ PG_INT64_MAX : bits;
}

/* The first bytes as an unsigned number; a string that is shorter than another of the same bytes has no greater one. */
static HzTopKey
bytes_key(const uint8 *bytes, Size length)
{
	unsigned __int128 key = 0;
	Size known = Min(length, KEY_BYTES);

	for (Size i = 0; i < known; i++)
		key = key << 8 | bytes[i];
	/* all zeroes or nothing at all: the least there is */
	if (key == 0)
		return KEY_MIN;
	key <<= 8 * (KEY_BYTES - known);
	return (HzTopKey) (key ^ (unsigned __int128) 1 << 127);
}

/* Of up to MAX_POWER. */
static HzTopKey
power_of_ten(int exponent)
{
	static HzTopKey powers[MAX_POWER + 1];

	if (powers[0] == 0)
	{
		powers[0] = 1;
		for (int i = 1; i <= MAX_POWER; i++)
			powers[i] = powers[i - 1] * 10;
	}
	return powers[exponent];
}

/* Scaled to KEY_SCALE, rounded down. */
static HzTopKey
decimal_key(HzInt128 value, uint16 scale)
{
	HzTopKey power;
	HzTopKey key;

	if (scale <= KEY_SCALE)
	{
		if (__builtin_mul_overflow(value, power_of_ten(KEY_SCALE - scale), &key))
			return value < 0 ? KEY_MIN : KEY_MAX;
		return key;
	}
	if (scale - KEY_SCALE > MAX_POWER)
		return value < 0 ? -1 : 0;
	power = power_of_ten(scale - KEY_SCALE);
	return value / power - (value % power < 0);
}

static HzTopKey
payload_key(const uint8 *payload, Size length)
{
	HzInt128 value;
	uint16 scale;

	if (!hz_numeric_from_payload(payload, length, &value, &scale))
		return HZ_TOPBOUND_UNKNOWN;
	return decimal_key(value, scale);
}

/* A value without a key has none in either direction. */
static inline HzTopKey
directed(const HzTopBound *bound, HzTopKey key)
{
	return bound->descending && key != HZ_TOPBOUND_UNKNOWN ? ~key : key;
}

static HzTopKey
varlena_key(const HzColumnType *column, Datum datum)
{
	struct varlena *value;

	if (column->kind == HZ_KIND_NUMERIC)
	{
		value = PG_DETOAST_DATUM_PACKED(datum);
		return payload_key((const uint8 *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	}
	value = PG_DETOAST_DATUM_SLICE(datum, 0, KEY_BYTES);
	return bytes_key((const uint8 *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static HzTopKey
datum_key(const HzColumnType *column, Datum datum)
{
	switch (column->kind)
	{
		case HZ_KIND_BOOL:
			return DatumGetBool(datum);
		case HZ_KIND_INT16:
			return DatumGetInt16(datum);
		case HZ_KIND_INT32:
			return DatumGetInt32(datum);
		case HZ_KIND_INT64:
			return DatumGetInt64(datum);
		case HZ_KIND_FLOAT32:
			return real_key(DatumGetFloat4(datum));
		case HZ_KIND_FLOAT64:
			return real_key(DatumGetFloat8(datum));
		case HZ_KIND_FIXED:
			return bytes_key((const uint8 *) DatumGetPointer(datum), column->width);
		default:
			return varlena_key(column, datum);
	}
}

HzTopKey
hz_topbound_key(const HzTopBound *bound, const HzColumnType *column, Datum value, bool isnull)
{
	return isnull ? null_key(bound) : directed(bound, datum_key(column, value));
}

HzTopKey
hz_topbound_integer_key(const HzTopBound *bound, int64 value, bool isnull)
{
	return isnull ? null_key(bound) : directed(bound, value);
}

HzTopKey
hz_topbound_decimal_key(const HzTopBound *bound, HzInt128 value, uint16 scale, bool isnull)
{
	return isnull ? null_key(bound) : directed(bound, decimal_key(value, scale));
}

/* ---- Keys of vectors */

/* The keys of all slots that rows use; `key` is an expression of `slot`. */
#define FILL(key)                                                      \
	do                                                                 \
	{                                                                  \
		for (uint32 i = 0; i < count; i++)                             \
		{                                                              \
			uint32 row = at != NULL ? at[i] : i;                       \
			uint32 slot = flat ? row : codes != NULL ? codes[row] : 0; \
                                                                       \
			keys[i] = (key);                                           \
		}                                                              \
	} while (0)

static void
numeric_keys(const HzVector *vector, const uint16 *at, uint32 count, HzTopKey *keys)
{
	const uint16 *codes = vector->form == HZ_FORM_DICT ? vector->codes : NULL;
	bool flat = vector->form == HZ_FORM_FLAT;
	const HzString *strings = vector->values;

	if (vector->numeric == HZ_NUMERIC_PAYLOAD)
		FILL(payload_key(strings[slot].data, strings[slot].length));
	else if (vector->numeric == HZ_NUMERIC_INT128)
		FILL(decimal_key(((const HzInt128 *) vector->values)[slot], vector->scale));
	else if (vector->scale <= KEY_SCALE)
	{
		/* 18 digits more than 64 bits hold fit 128 */
		HzTopKey power = power_of_ten(KEY_SCALE - vector->scale);

		FILL(((const int64 *) vector->values)[slot] * power);
	}
	else
		FILL(decimal_key(((const int64 *) vector->values)[slot], vector->scale));
}

static void
ascending_keys(const HzVector *vector, const uint16 *at, uint32 count, HzTopKey *keys)
{
	const uint16 *codes = vector->form == HZ_FORM_DICT ? vector->codes : NULL;
	bool flat = vector->form == HZ_FORM_FLAT;
	const HzString *strings = vector->values;

	switch (vector->kind)
	{
		case HZ_KIND_BOOL:
		case HZ_KIND_INT8:
			FILL(((const int8 *) vector->values)[slot]);
			break;
		case HZ_KIND_INT16:
			FILL(((const int16 *) vector->values)[slot]);
			break;
		case HZ_KIND_INT32:
			FILL(((const int32 *) vector->values)[slot]);
			break;
		case HZ_KIND_INT64:
			FILL(((const int64 *) vector->values)[slot]);
			break;
		case HZ_KIND_FLOAT32:
			FILL(real_key(((const float *) vector->values)[slot]));
			break;
		case HZ_KIND_FLOAT64:
			FILL(real_key(((const double *) vector->values)[slot]));
			break;
		case HZ_KIND_FIXED:
			FILL(bytes_key((const uint8 *) vector->values + (Size) slot * vector->width,
						   vector->width));
			break;
		case HZ_KIND_BYTES:
			FILL(bytes_key(strings[slot].data, strings[slot].length));
			break;
		case HZ_KIND_NUMERIC:
			numeric_keys(vector, at, count, keys);
			break;
	}
}

void
hz_topbound_keys(const HzTopBound *bound, const HzVector *vector, const uint16 *at, uint32 count,
				 HzTopKey *keys)
{
	ascending_keys(vector, at, count, keys);
	for (uint32 i = 0; bound->descending && i < count; i++)
		keys[i] = directed(bound, keys[i]);
	for (uint32 i = 0; vector->validity != NULL && i < count; i++)
	{
		if (!hz_bitmap_get(vector->validity, at != NULL ? at[i] : i))
			keys[i] = null_key(bound);
	}
}

/* ---- Zones */

static HzTopKey
bound_key(const HzColumnType *column, const HzZone *zone, bool greatest)
{
	const HzZoneBound *value = greatest ? &zone->max : &zone->min;

	switch (column->kind)
	{
		case HZ_KIND_FLOAT32:
		case HZ_KIND_FLOAT64:
			return real_key(value->real);
		case HZ_KIND_NUMERIC:
			return decimal_key(value->decimal, zone->scale);
		case HZ_KIND_FIXED:
		case HZ_KIND_BYTES:
			/* a bound that is cut has all bytes that a key has */
			return bytes_key(value->prefix, greatest ? zone->max_length : zone->min_length);
		default:
			return value->integer;
	}
}

HzTopKey
hz_topbound_zone_key(const HzTopBound *bound, const HzColumnType *column, const HzZone *zone)
{
	StaticAssertStmt(HZ_ZONE_PREFIX >= KEY_BYTES, "a key takes no more of a string than a zone");
	if (zone->nulls == zone->rows || (zone->nulls > 0 && bound->nulls_first))
		return null_key(bound);
	if (!zone->has_bounds)
		return HZ_TOPBOUND_UNKNOWN;
	return directed(bound, bound_key(column, zone, bound->descending));
}

/* ---- The heap */

static void
sift_up(HzTopKey *keys, uint32 at, HzTopKey key)
{
	while (at > 0 && keys[(at - 1) / 2] < key)
	{
		keys[at] = keys[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	keys[at] = key;
}

/* Puts a key in the place of the greatest. */
static void
replace_first(HzTopKey *keys, uint32 count, HzTopKey key)
{
	uint32 at = 0;

	for (;;)
	{
		uint32 child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && keys[child + 1] > keys[child])
			child++;
		if (keys[child] <= key)
			break;
		keys[at] = keys[child];
		at = child;
	}
	keys[at] = key;
}

static void
make_room(HzTopBound *bound)
{
	uint32 room = bound->room == 0 ? FIRST_ROOM : bound->room * 2;

	if (bound->keys == NULL)
		bound->keys = MemoryContextAlloc(bound->context, sizeof(HzTopKey) * room);
	else
		bound->keys = repalloc(bound->keys, sizeof(HzTopKey) * room);
	bound->room = room;
}

void
hz_topbound_offer(HzTopBound *bound, HzTopKey key)
{
	if (bound->limit == 0 || key == HZ_TOPBOUND_UNKNOWN)
		return;
	if (bound->count == bound->limit)
	{
		if (key < bound->keys[0])
			replace_first(bound->keys, bound->count, key);
		return;
	}
	if (bound->count == bound->room)
		make_room(bound);
	sift_up(bound->keys, bound->count++, key);
}
