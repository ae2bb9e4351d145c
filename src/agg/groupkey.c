/*
 * agg/groupkey.c
 *	  Slots of group keys. See groupkey.h.
 *
 * A NUMERIC slot's string is 18 bytes: the value without trailing zeros (16) and its scale (2). The two bytes behind it,
 * which do not take part in comparisons, are the display scale of the value that came first.
 */
#include <math.h>
#include <string.h>

#include "agg/groupkey.h"
#include "base/bitmap.h"
#include "base/bytes.h"
#include "format/checksum.h"
#include "format/numeric.h"

#define NUMERIC_BYTES 18
#define NUMERIC_KEPT 20

bool
hz_key_kind(HzKind kind, uint32_t width, HzKeyKind *key)
{
	switch (kind)
	{
		case HZ_KIND_BOOL:
		case HZ_KIND_INT8:
		case HZ_KIND_INT16:
		case HZ_KIND_INT32:
		case HZ_KIND_INT64:
			*key = HZ_KEY_INT;
			return true;
		case HZ_KIND_FLOAT32:
		case HZ_KIND_FLOAT64:
			*key = HZ_KEY_FLOAT;
			return true;
		case HZ_KIND_FIXED:
			*key = HZ_KEY_FIXED;
			return width == 16;
		case HZ_KIND_BYTES:
			*key = HZ_KEY_STRING;
			return true;
		case HZ_KIND_NUMERIC:
			*key = HZ_KEY_NUMERIC;
			return true;
	}
	return false;
}

static bool
numeric_slot(HzInt128 value, uint16_t display, uint8_t *bytes, HzKeySlot *slot)
{
	uint16_t scale = display;

	while (scale > 0 && value % 10 == 0)
	{
		value /= 10;
		scale--;
	}
	memcpy(bytes, &value, 16);
	memcpy(bytes + 16, &scale, 2);
	memcpy(bytes + 18, &display, 2);
	slot->string.data = bytes;
	slot->string.length = NUMERIC_BYTES;
	return true;
}

static bool
numeric_value(const HzVector *vector, uint32_t index, uint8_t *bytes, HzKeySlot *slot)
{
	HzInt128 value;
	uint16_t display = vector->scale;

	if (vector->numeric == HZ_NUMERIC_INT64)
		value = ((const int64_t *) vector->values)[index];
	else if (vector->numeric == HZ_NUMERIC_INT128)
		memcpy(&value, (const HzInt128 *) vector->values + index, sizeof(value));
	else
	{
		const HzString *payload = (const HzString *) vector->values + index;

		if (!hz_numeric_from_payload(payload->data, payload->length, &value, &display))
			return false;
	}
	return numeric_slot(value, display, bytes, slot);
}

/* One loop for each width, so that the compiler sees it. */
#define FILL(expression)                                                 \
	for (uint32_t i = 0; i < count; i++)                                 \
	{                                                                    \
		uint32_t row = at != NULL ? at[i] : i;                           \
		uint32_t v = vector->form == HZ_FORM_FLAT   ? row                \
					 : vector->form == HZ_FORM_DICT ? vector->codes[row] \
													: 0;                 \
		expression;                                                      \
	}

static bool
fill_slots(const HzVector *vector, const uint16_t *at, uint32_t count, HzKeyColumn *column)
{
	const void *values = vector->values;
	bool good = true;

	switch (vector->kind)
	{
		case HZ_KIND_BOOL:
			FILL(column->slots[i].integer = ((const uint8_t *) values)[v]);
			break;
		case HZ_KIND_INT8:
			FILL(column->slots[i].integer = ((const int8_t *) values)[v]);
			break;
		case HZ_KIND_INT16:
			FILL(column->slots[i].integer = ((const int16_t *) values)[v]);
			break;
		case HZ_KIND_INT32:
			FILL(column->slots[i].integer = ((const int32_t *) values)[v]);
			break;
		case HZ_KIND_INT64:
			FILL(column->slots[i].integer = ((const int64_t *) values)[v]);
			break;
		case HZ_KIND_FLOAT32:
			FILL(column->slots[i].real = ((const float *) values)[v]);
			break;
		case HZ_KIND_FLOAT64:
			FILL(column->slots[i].real = ((const double *) values)[v]);
			break;
		case HZ_KIND_FIXED:
			FILL(memcpy(column->slots[i].fixed, (const uint8_t *) values + (size_t) v * 16, 16));
			break;
		case HZ_KIND_BYTES:
			FILL(column->slots[i].string = ((const HzString *) values)[v]);
			break;
		case HZ_KIND_NUMERIC:
			for (uint32_t i = 0; good && i < count; i++)
			{
				uint32_t row = at != NULL ? at[i] : i;
				uint32_t v = vector->form == HZ_FORM_FLAT   ? row
							 : vector->form == HZ_FORM_DICT ? vector->codes[row]
															: 0;

				if (vector->validity == NULL || hz_bitmap_get(vector->validity, row))
					good = numeric_value(vector, v, column->numerics[i], &column->slots[i]);
			}
			break;
	}
	return good;
}

bool
hz_key_fill(const HzVector *vector, const uint16_t *at, uint32_t count, HzKeyColumn *column)
{
	(void) hz_key_kind(vector->kind, vector->width, &column->kind);
	column->has_nulls = vector->validity != NULL;
	if (!fill_slots(vector, at, count, column))
		return false;
	if (!column->has_nulls)
		return true;
	for (uint32_t i = 0; i < count; i++)
	{
		column->nulls[i] = !hz_bitmap_get(vector->validity, at != NULL ? at[i] : i);
		if (column->nulls[i])
			memset(&column->slots[i], 0, sizeof(HzKeySlot));
	}
	return true;
}

/* ---- Hashes: the finalizer of MurmurHash3, 64 bits */

static inline uint64_t
mix(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h;
}

static inline uint64_t
combine(uint64_t seed, uint64_t value)
{
	return mix(value + seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t
float_bits(double real)
{
	uint64_t bits;

	if (isnan(real))
		return UINT64_C(0x7ff8000000000000);
	real += 0.0; /* -0 becomes 0 */
	memcpy(&bits, &real, sizeof(bits));
	return bits;
}

void
hz_key_hash(const HzKeyColumn *column, uint32_t count, uint64_t *hashes)
{
	switch (column->kind)
	{
		case HZ_KEY_INT:
			for (uint32_t i = 0; i < count; i++)
				hashes[i] = combine(hashes[i], (uint64_t) column->slots[i].integer);
			break;
		case HZ_KEY_FLOAT:
			for (uint32_t i = 0; i < count; i++)
				hashes[i] = combine(hashes[i], float_bits(column->slots[i].real));
			break;
		case HZ_KEY_FIXED:
			for (uint32_t i = 0; i < count; i++)
			{
				uint64_t half[2];

				memcpy(half, column->slots[i].fixed, 16);
				hashes[i] = combine(hashes[i], half[0] ^ mix(half[1]));
			}
			break;
		case HZ_KEY_STRING:
		case HZ_KEY_NUMERIC:
			for (uint32_t i = 0; i < count; i++)
			{
				const HzString *string = &column->slots[i].string;

				hashes[i] = combine(hashes[i], hz_hash(string->data, string->length));
			}
			break;
	}
	if (!column->has_nulls)
		return;
	for (uint32_t i = 0; i < count; i++)
		hashes[i] += column->nulls[i] * UINT64_C(0x8cb92ba72f3d8dd7);
}

bool
hz_key_equal(HzKeyKind kind, const HzKeySlot *a, const HzKeySlot *b)
{
	switch (kind)
	{
		case HZ_KEY_INT:
			return a->integer == b->integer;
		case HZ_KEY_FLOAT:
			return a->real == b->real || (isnan(a->real) && isnan(b->real));
		case HZ_KEY_FIXED:
			return memcmp(a->fixed, b->fixed, 16) == 0;
		case HZ_KEY_STRING:
		case HZ_KEY_NUMERIC:
			return a->string.length == b->string.length &&
				   hz_bytes_equal(a->string.data, b->string.data, a->string.length);
	}
	return false;
}

bool
hz_key_keep(HzKeyKind kind, HzKeySlot *slot, HzRegion *region)
{
	size_t length = kind == HZ_KEY_NUMERIC ? NUMERIC_KEPT : slot->string.length;
	uint8_t *copy;

	if ((kind != HZ_KEY_STRING && kind != HZ_KEY_NUMERIC) || slot->string.data == NULL)
		return true;
	copy = hz_region_alloc(region, length > 0 ? length : 1);
	if (copy == NULL)
		return false;
	memcpy(copy, slot->string.data, length);
	slot->string.data = copy;
	return true;
}

void
hz_key_numeric(const HzKeySlot *slot, HzInt128 *value, uint16_t *scale, uint16_t *display)
{
	memcpy(value, slot->string.data, 16);
	memcpy(scale, slot->string.data + 16, 2);
	memcpy(display, slot->string.data + 18, 2);
}
