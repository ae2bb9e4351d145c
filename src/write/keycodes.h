/*
 * write/keycodes.h
 *	  Sort keys as numbers.
 *
 * Keys are packed into one 64-bit number a row, as many as fit: integers and timestamps as their distance from the least
 * value, in the largest unit that measures all of them (hours, where they are), uuids as their rank if few are distinct, else their
 * first bytes. Pure C, by hz_alloc(): may run in a thread.
 */
#ifndef HZ_KEYCODES_H
#define HZ_KEYCODES_H

#include "storage/sort_key.h"

#define HZ_KEYCODE_BITS 64

typedef struct HzKeyColumn
{
	const HzSortKey *key;
	Datum *values; /* of each row */
	bool *isnull;
} HzKeyColumn;

typedef struct HzSortEntry
{
	uint64 code;
	uint32 row;
} HzSortEntry;

/* Packs keys into the entries' codes, which are 0 before; returns the first key that is not in them whole. */
extern int hz_keycodes_pack(const HzKeyColumn *keys, int key_count, HzSortEntry *entries,
							uint32 rows);

/* Whether values of a type can be compared by hz_keycodes_compare(). */
extern bool hz_keycodes_known(Oid type);

/* Compares a key of two rows, as its sort operator says. */
extern int hz_keycodes_compare(const HzKeyColumn *key, uint32 left, uint32 right);

#endif /* HZ_KEYCODES_H */
