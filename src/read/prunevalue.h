/*
 * read/prunevalue.h
 *	  Constants of conditions in the form in which zone maps compare: see prune.h.
 *
 * A domain is an order that both a column's zones and a condition's constants have. Text compares as bytes here: for
 * equality that is right under every deterministic collation, for ranges under C alone; whoever makes a condition sees
 * to it.
 */
#ifndef HZ_PRUNEVALUE_H
#define HZ_PRUNEVALUE_H

#include "format/zone.h"
#include "storage/coltype.h"

typedef enum HzPruneDomain
{
	HZ_PRUNE_OPAQUE,  /* no order, but equal values have equal bytes: bloom filters only */
	HZ_PRUNE_INTEGER, /* integers of any width, booleans, times of day */
	HZ_PRUNE_TIME,    /* dates and timestamps, in microseconds */
	HZ_PRUNE_REAL,    /* as PostgreSQL has it: NaN is the greatest, -0 equals 0 */
	HZ_PRUNE_DECIMAL, /* numeric */
	HZ_PRUNE_BYTES    /* memcmp, shorter first */
} HzPruneDomain;

typedef struct HzPruneValue
{
	HzInt128 integer; /* INTEGER, TIME */
	double real;
	Datum decimal;
	HzString bytes;
	bool hashed; /* the value's hash for bloom filters is known */
	uint64 hash;
} HzPruneValue;

/* How a bound of a zone may stand to a value: a set of these, of one member when it is certain. */
#define HZ_PRUNE_BELOW 1
#define HZ_PRUNE_SAME 2
#define HZ_PRUNE_ABOVE 4
#define HZ_PRUNE_ANYWHERE 7

/*
 * The domain in which a column's values compare with values of type `right` by an operator of its type's default btree
 * family that takes `left` and `right`; false: none.
 */
extern bool hz_prunevalue_domain(const HzColumnType *column, Oid left, Oid right,
								 HzPruneDomain *domain);

/*
 * A constant of type `type`, copied into the current context; `bloom`: with its hash, if the column can have an equal
 * value at all.
 */
extern void hz_prunevalue_set(HzPruneValue *value, HzPruneDomain domain, const HzColumnType *column,
							  Oid type, Datum datum, bool bloom);

extern int hz_prunevalue_compare(HzPruneDomain domain, const HzPruneValue *a,
								 const HzPruneValue *b);

/* Where the least or the greatest value of a zone with bounds stands to a value. */
extern int hz_prunevalue_place(HzPruneDomain domain, const HzColumnType *column, const HzZone *zone,
							   bool greatest, const HzPruneValue *value);

/* Where it stands to all byte strings that begin with `prefix`; SAME: it is one of them. */
extern int hz_prunevalue_place_prefix(const HzZone *zone, bool greatest, const HzString *prefix);

/* The zone of `rows` rows that all have one value. */
extern void hz_prunevalue_zone(const HzColumnType *column, uint32 rows, Datum datum, bool isnull,
							   HzZone *zone);

#endif /* HZ_PRUNEVALUE_H */
