/*
 * agg/gather.h
 *	  The values of some rows of a vector, nulls left out, one behind the other.
 */
#ifndef HZ_GATHER_H
#define HZ_GATHER_H

#include <stdbool.h>

#include "base/vector.h"

/*
 * Those of rows at[0 .. count) (NULL: 0 .. count) that are not null, stored in `room` if any is missing; *kept points
 * to them, or is `at` (NULL: all rows). Returns how many.
 */
extern uint32_t hz_gather_rows(const HzVector *vector, const uint16_t *at, uint32_t count,
							   uint16_t *room, const uint16_t **kept);

/* Their values, none null; the result is `room` or memory of the vector. Integer kinds, BOOL, and numerics as HZ_NUMERIC_INT64; floats. */
extern const int64_t *hz_gather_integers(const HzVector *vector, const uint16_t *at, uint32_t count,
										 int64_t *room);
extern const double *hz_gather_reals(const HzVector *vector, const uint16_t *at, uint32_t count,
									 double *room);

/* The slot in `values` of row `row`. */
static inline uint32_t
hz_gather_slot(const HzVector *vector, uint32_t row)
{
	if (vector->form == HZ_FORM_FLAT)
		return row;
	return vector->form == HZ_FORM_DICT ? vector->codes[row] : 0;
}

#endif /* HZ_GATHER_H */
