/*
 * base/vector.h
 *	  A vector: up to 2,048 values of one column, decoded, as every consumer sees them.
 *
 * Form says how values are laid out, kind what they are. A vector borrows its memory from whoever
 * filled it (a chunk reader, a delta batch) and is valid until that one's next call.
 *
 *	  form      where value i is
 *	  FLAT      slot i of `values`
 *	  CONSTANT  slot 0 of `values`, for every i
 *	  DICT      slot codes[i] of `values`, which has `dict_count` slots
 *
 * A slot is `width` bytes for fixed kinds, an HzString for HZ_KIND_BYTES, and for HZ_KIND_NUMERIC what
 * `numeric` says. Slots of null values hold zeroes (codes: 0), so that kernels may compute on them.
 */
#ifndef HZ_VECTOR_H
#define HZ_VECTOR_H

#include <stdint.h>

#define HZ_VECTOR_ROWS 2048 /* rows of every vector of a chunk but the last */

/* As PostgreSQL's int128: palloc aligns to 8 bytes, not to 16. */
typedef __int128 HzInt128 __attribute__((aligned(8)));

/* What a column's values are, independent of any PostgreSQL type. Stored on disk: never renumber. */
typedef enum HzKind
{
	HZ_KIND_BOOL = 1,    /* width 1: 0 or 1 */
	HZ_KIND_INT8 = 2,    /* width 1, signed */
	HZ_KIND_INT16 = 3,   /* width 2, signed */
	HZ_KIND_INT32 = 4,   /* width 4, signed */
	HZ_KIND_INT64 = 5,   /* width 8, signed */
	HZ_KIND_FLOAT32 = 6, /* width 4, IEEE, bit-exact */
	HZ_KIND_FLOAT64 = 7, /* width 8 */
	HZ_KIND_FIXED = 8,   /* width n bytes, ordered as memcmp */
	HZ_KIND_BYTES = 9,   /* any length; ordered as memcmp, shorter first */
	HZ_KIND_NUMERIC = 10 /* the payload of PostgreSQL's numeric (no varlena header) */
} HzKind;

typedef enum HzForm
{
	HZ_FORM_FLAT,
	HZ_FORM_CONSTANT,
	HZ_FORM_DICT
} HzForm;

/* How the values of an HZ_KIND_NUMERIC vector are laid out. */
typedef enum HzNumericForm
{
	HZ_NUMERIC_PAYLOAD, /* HzString slots: numeric's own bytes */
	HZ_NUMERIC_INT64,   /* int64_t slots: value * 10^scale; display scale = scale */
	HZ_NUMERIC_INT128   /* HzInt128 slots, likewise */
} HzNumericForm;

typedef struct HzString
{
	const uint8_t *data;
	uint64_t length;
} HzString;

typedef struct HzVector
{
	HzKind kind;
	HzForm form;
	HzNumericForm numeric;    /* HZ_KIND_NUMERIC only */
	uint16_t scale;           /* HZ_NUMERIC_INT64/INT128 only: decimal digits after the point */
	uint32_t width;           /* bytes per slot of `values` */
	uint32_t count;           /* rows */
	uint32_t dict_count;      /* slots of `values` when DICT */
	const uint64_t *validity; /* a set bit is a value; NULL: no nulls */
	const uint16_t *codes;    /* DICT only: count codes, each < dict_count */
	const void *values;
} HzVector;

#endif /* HZ_VECTOR_H */
