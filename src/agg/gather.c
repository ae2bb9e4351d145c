/*
 * agg/gather.c
 *	  Values one behind the other. See gather.h.
 */
#include <stddef.h>

#include "agg/gather.h"
#include "base/bitmap.h"
#include "encoding/clones.h"

uint32_t
hz_gather_rows(const HzVector *vector, const uint16_t *at, uint32_t count, uint16_t *room,
			   const uint16_t **kept)
{
	uint32_t n = 0;

	*kept = at;
	if (vector->validity == NULL)
		return count;
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t row = at != NULL ? at[i] : i;

		room[n] = (uint16_t) row;
		n += hz_bitmap_get(vector->validity, row);
	}
	if (n < count)
		*kept = room;
	return n;
}

/* One loop for each type, form and selection, so that the compiler sees what it works on. */
#define GATHER(type)                                                   \
	do                                                                 \
	{                                                                  \
		const type *from = vector->values;                             \
                                                                       \
		if (vector->form == HZ_FORM_CONSTANT)                          \
			for (uint32_t i = 0; i < count; i++)                       \
				room[i] = from[0];                                     \
		else if (vector->form == HZ_FORM_DICT)                         \
			for (uint32_t i = 0; i < count; i++)                       \
				room[i] = from[vector->codes[at != NULL ? at[i] : i]]; \
		else if (at == NULL)                                           \
			for (uint32_t i = 0; i < count; i++)                       \
				room[i] = from[i];                                     \
		else                                                           \
			for (uint32_t i = 0; i < count; i++)                       \
				room[i] = from[at[i]];                                 \
	} while (0)

HZ_CLONES const int64_t *
hz_gather_integers(const HzVector *vector, const uint16_t *at, uint32_t count, int64_t *room)
{
	if ((vector->kind == HZ_KIND_INT64 || vector->kind == HZ_KIND_NUMERIC) &&
		vector->form == HZ_FORM_FLAT && at == NULL)
		return vector->values;
	switch (vector->kind)
	{
		case HZ_KIND_BOOL:
			GATHER(uint8_t);
			break;
		case HZ_KIND_INT8:
			GATHER(int8_t);
			break;
		case HZ_KIND_INT16:
			GATHER(int16_t);
			break;
		case HZ_KIND_INT32:
			GATHER(int32_t);
			break;
		default:
			GATHER(int64_t);
			break;
	}
	return room;
}

HZ_CLONES const double *
hz_gather_reals(const HzVector *vector, const uint16_t *at, uint32_t count, double *room)
{
	if (vector->kind == HZ_KIND_FLOAT64 && vector->form == HZ_FORM_FLAT && at == NULL)
		return vector->values;
	if (vector->kind == HZ_KIND_FLOAT32)
		GATHER(float);
	else
		GATHER(double);
	return room;
}
