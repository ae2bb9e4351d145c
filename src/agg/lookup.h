/*
 * agg/lookup.h
 *	  The small side of a join as a table to look up rows in, and what a batch of the large side finds there.
 *
 * A lookup holds rows, numbered from 0: columns, each a FLAT vector of all of them, and a hash table from keys to row numbers.
 * Keys are unique, or `any` of the rows that have them may be found; a row with a null key is found by nobody. Without keys there is one row at
 * most, which everybody finds. Once it is built, any number of threads read it, each with a probe of its own. Pure C; keys as in agg/groupkey.h, but no numerics.
 */
#ifndef HZ_LOOKUP_H
#define HZ_LOOKUP_H

#include "agg/grouptable.h"

typedef enum HzLookupStatus
{
	HZ_LOOKUP_OK,
	HZ_LOOKUP_MEMORY,   /* the machine has no more */
	HZ_LOOKUP_DUPLICATE /* two rows have the same keys, and not `any` may be found */
} HzLookupStatus;

typedef struct HzLookup
{
	HzGroupLayout layout; /* the keys, and one state: row number + 1 (uint64) */
	HzRegion region;
	HzGroupTable table;
	bool any; /* see above; set by the caller before the first row */
	uint32_t rows;
	int column_count;
	const HzVector
		*columns; /* borrowed: `rows` values each, FLAT; set by the caller before the first probe */
	const HzVector *key; /* the only key's column, likewise; NULL: not known */
} HzLookup;

/* Empty, for keys of these kinds. False: out of memory. */
extern bool hz_lookup_init(HzLookup *lookup, int key_count, const HzKeyKind *kinds);

/* Gives the table back; may be called twice, and after a failed hz_lookup_init(). */
extern void hz_lookup_free(HzLookup *lookup);

/* Adds the next `count` (up to HZ_VECTOR_ROWS) rows' keys. Strings are copied. */
extern HzLookupStatus hz_lookup_add(HzLookup *lookup, const HzVector *keys, uint32_t count);

/* Bytes taken from the machine. */
extern size_t hz_lookup_bytes(const HzLookup *lookup);

typedef struct HzProbe HzProbe;

/* From hz_alloc(), as is all that it needs later. */
extern HzProbe *hz_probe_create(const HzLookup *lookup);

/* From now on the dictionaries of keys are others (a new row group). */
extern void hz_probe_forget(HzProbe *probe);

/*
 * Looks up rows at[0 .. count) (NULL: all) of a batch of `rows`; one vector a key. For others nothing is found. What
 * hz_probe_column() gave before is invalid now.
 */
extern void hz_probe_batch(HzProbe *probe, const HzVector *keys, uint32_t rows, const uint16_t *at,
						   uint32_t count);

/*
 * Column `column` of the lookup for the rows of the batch: null where the key was not found (anything where it was not looked up); column_count: a boolean, whether it
 * was. The vector lives until the next batch.
 */
extern const HzVector *hz_probe_column(HzProbe *probe, int column);

#endif /* HZ_LOOKUP_H */
