/*
 * agg/groupkey.h
 *	  Group keys: how they are kept in a group's row, hashed and compared.
 *
 * A key is brought into one of a few forms, a slot, in which equal values (as PostgreSQL's equality operators say) are
 * recognised by simple comparisons:
 *
 *	  KIND     SLOT
 *	  INT      8 bytes: booleans, integers, dates, times
 *	  FLOAT    8 bytes, the value itself; NaN equals NaN, -0 equals 0
 *	  FIXED    16 bytes (uuid)
 *	  STRING   HzString; bytes are compared
 *	  NUMERIC  HzString of the number without trailing zeros (hz_key_numeric()), behind which its display scale stands
 */
#ifndef HZ_GROUPKEY_H
#define HZ_GROUPKEY_H

#include <stdbool.h>

#include "agg/region.h"
#include "base/vector.h"

#define HZ_KEY_MAX 32 /* keys of a grouping: null bits take a word */

typedef enum HzKeyKind
{
	HZ_KEY_INT,
	HZ_KEY_FLOAT,
	HZ_KEY_FIXED,
	HZ_KEY_STRING,
	HZ_KEY_NUMERIC
} HzKeyKind;

typedef union HzKeySlot
{
	int64_t integer;
	double real;
	uint8_t fixed[16];
	HzString string;
} HzKeySlot;

/* The keys of some rows of a vector, brought into slots: entry i belongs to the i-th of these rows. */
typedef struct HzKeyColumn
{
	HzKeyKind kind;
	bool has_nulls;
	HzKeySlot slots[HZ_VECTOR_ROWS];      /* zeroes for nulls */
	uint8_t nulls[HZ_VECTOR_ROWS];        /* only with has_nulls */
	uint8_t numerics[HZ_VECTOR_ROWS][24]; /* bytes of NUMERIC slots of short numbers */
} HzKeyColumn;

/* The kind of slot for values of a vector of this kind and width; false: they cannot be keys. */
extern bool hz_key_kind(HzKind kind, uint32_t width, HzKeyKind *key);

/*
 * Brings the values of rows at[0 .. count) (at NULL: 0 .. count) into slots; those of strings point into the vector.
 * False: a numeric too long to be a key.
 */
extern bool hz_key_fill(const HzVector *vector, const uint16_t *at, uint32_t count,
						HzKeyColumn *column);

/* hashes[i] = hash of hashes[i] and key i; start with zeroes (or any seed). */
extern void hz_key_hash(const HzKeyColumn *column, uint32_t count, uint64_t *hashes);

extern bool hz_key_equal(HzKeyKind kind, const HzKeySlot *a, const HzKeySlot *b);

/* Copies what a slot points to into the region; false: out of memory. */
extern bool hz_key_keep(HzKeyKind kind, HzKeySlot *slot, HzRegion *region);

/* The number in a NUMERIC slot: value / 10^scale with display scale `display`. */
extern void hz_key_numeric(const HzKeySlot *slot, HzInt128 *value, uint16_t *scale,
						   uint16_t *display);

#endif /* HZ_GROUPKEY_H */
