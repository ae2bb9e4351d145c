/*
 * format/numeric.h
 *	  PostgreSQL's numeric (its payload without varlena header) to scaled integers and back.
 *
 * The payload is what src/backend/utils/adt/numeric.c calls NumericChoice: a 2-byte header (short form) or 4-byte
 * header (long form) and base-10000 digits of 2 bytes, in the machine's byte order (little-endian:
 * the only order this extension builds for).
 */
#ifndef HZ_NUMERIC_H
#define HZ_NUMERIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vector.h"

#define HZ_NUMERIC_MAX_PAYLOAD 32 /* bytes that hz_numeric_to_payload() may write */

/*
 * The value times 10^scale, where scale is the payload's own display scale. False for NaN, infinities,
 * what does not fit 128 bits, and any payload that hz_numeric_to_payload() would not give back
 * byte for byte.
 */
extern bool hz_numeric_from_payload(const uint8_t *payload, size_t length, HzInt128 *value,
									uint16_t *scale);

/* Writes the canonical payload of value / 10^scale with display scale `scale`; returns its length. */
extern size_t hz_numeric_to_payload(HzInt128 value, uint16_t scale, uint8_t *payload);

#endif /* HZ_NUMERIC_H */
