/*
 * read/topbound.h
 *	  A bound that moves: what can still be among the first n rows of an order.
 *
 * Values of the order's first column are compared by keys. A key is a 128-bit integer; of two different keys the lesser
 * belongs to the value that comes first, equal ones say nothing. So keys may lose what does not fit: strings
 * count by their first 16 bytes, numerics by 18 digits after the point. Direction and the place of nulls are part of a key.
 *
 * The bound keeps the n least keys that it was offered. Whatever has a greater key than all of them cannot be among the first n
 * rows, whichever further columns the order has. That holds if each key offered is that of one row which the consumer
 * gets, unless it is beaten later on; no row may be offered twice.
 *
 * Columns are those that zone maps order (HzColumnType.ordered), text under C only: whoever makes a bound sees to it.
 */
#ifndef HZ_TOPBOUND_H
#define HZ_TOPBOUND_H

#include "read/prune.h"
#include "storage/coltype.h"
#include "utils/palloc.h"

typedef HzInt128 HzTopKey;

/* Less than all others, of a value that has no key (numerics beyond 128 bits, NaN among them): it may come first. Never counts. */
#define HZ_TOPBOUND_UNKNOWN ((HzTopKey) ((unsigned __int128) 1 << 127))

/* Greater than or equal to all others. */
#define HZ_TOPBOUND_LAST (~HZ_TOPBOUND_UNKNOWN)

typedef struct HzTopBound
{
	bool descending;
	bool nulls_first;
	MemoryContext context; /* of `keys` */
	uint32 limit;          /* n; 0: there is no bound */
	uint32 count;
	uint32 room;
	HzTopKey *keys; /* a heap, the greatest first; NULL: no room yet */
} HzTopBound;

/* Forgets all keys; from now on the first `limit` rows are wanted. */
extern void hz_topbound_reset(HzTopBound *bound, uint32 limit);

/* The key of one value. What it has to detoast is palloc'd in the current context. */
extern HzTopKey hz_topbound_key(const HzTopBound *bound, const HzColumnType *column, Datum value,
								bool isnull);

/* The same of an integer (dates and times, too), and of value / 10^scale, which need not be made Datums. */
extern HzTopKey hz_topbound_integer_key(const HzTopBound *bound, int64 value, bool isnull);
extern HzTopKey hz_topbound_decimal_key(const HzTopBound *bound, HzInt128 value, uint16 scale,
										bool isnull);

/* The keys of rows at[0 .. count) of a vector (at NULL: 0 .. count), one after the other. */
extern void hz_topbound_keys(const HzTopBound *bound, const HzVector *vector, const uint16 *at,
							 uint32 count, HzTopKey *keys);

/* The least key that a row of a zone may have. */
extern HzTopKey hz_topbound_zone_key(const HzTopBound *bound, const HzColumnType *column,
									 const HzZone *zone);

/* A row that the consumer will get. */
extern void hz_topbound_offer(HzTopBound *bound, HzTopKey key);

/* A scan's share: its column, and what it has been spared. */
typedef struct HzTopColumn
{
	HzTopBound *bound;
	int attno;            /* 0-based */
	HzPruneCount skipped; /* whole groups; vectors of others */
} HzTopColumn;

/* Whether rows with this key are out: n others come before them. */
static inline bool
hz_topbound_beats(const HzTopBound *bound, HzTopKey key)
{
	return bound->limit > 0 && bound->count == bound->limit && key > bound->keys[0];
}

#endif /* HZ_TOPBOUND_H */
