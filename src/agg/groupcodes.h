/*
 * agg/groupcodes.h
 *	  Groups of a batch, found by numbers where its keys have some: dictionary codes, constants, integers of a small range.
 *
 * Keys' numbers make one number of each row, in the number system of their sizes. Of few combinations the groups seen before stand in an
 * array (the memo), of many in a cache of those seen last. Combinations that are very few, and runs of equal integers (rows are sorted, and
 * times are truncated), are classes: rows of each are counted before anybody looks at the rows one by one.
 */
#ifndef HZ_GROUPCODES_H
#define HZ_GROUPCODES_H

#include "agg/grouptable.h"

#define HZ_CLASSES_MAX 1024

typedef struct HzGroupClasses
{
	uint32_t count; /* 0: none, the group of each row has been found */
	uint32_t first; /* those before it have no rows */
	HzGroupRow *const
		*groups; /* by class, several may have the same; of those without rows: anything */
	uint32_t rows[HZ_CLASSES_MAX]; /* by class: how many */
	/* the batch */
	const uint16_t *at; /* as it was given */
	uint32_t row_count;
	bool spread; /* the group of each row has been stored */
} HzGroupClasses;

/* What was looked up: a combination, or an integer. */
typedef struct HzSeenEntry
{
	HzGroupRow *row; /* NULL: none */
	uint64_t number;
} HzSeenEntry;

typedef enum HzNumbering
{
	HZ_NUMBERS_NONE,
	HZ_NUMBERS_CODE,
	HZ_NUMBERS_CONSTANT,
	HZ_NUMBERS_DISTANCE /* from `base` */
} HzNumbering;

/* How a key's values are numbered, from 1 on; nulls are 0. */
typedef struct HzKeyNumbers
{
	HzNumbering how;
	uint32_t size;      /* the greatest number */
	const void *values; /* CODE: the dictionary */
	int64_t base;       /* DISTANCE */
	uint16_t scale;     /* DISTANCE of numerics */
	bool comparable;    /* CONSTANT: `constant` says which */
	uint8_t constant[16];
} HzKeyNumbers;

typedef struct HzGroupCodes
{
	HzKeyNumbers keys[HZ_KEY_MAX]; /* what the memo, or the cache, is for */
	HzGroupRow **memo;
	uint32_t memo_size;
	size_t mapped; /* bytes of memo and cache */
	HzSeenEntry *cache;
	bool cache_of_integers;
	uint32_t generation; /* of combinations in the cache */
	uint32_t seen;       /* rows that asked the cache, of this row group */
	uint32_t missed;
	uint32_t index[HZ_VECTOR_ROWS]; /* by row of a batch: its combination, or class */
	const uint16_t
		*plain; /* what index would be, minus 1: codes of the only key; NULL: it is filled */
	HzGroupRow *run_groups[HZ_CLASSES_MAX];
	HzGroupClasses classes;
} HzGroupCodes;

/*
 * As hz_grouptable_find(), but where the batch falls into classes (table->codes->classes.count is not 0) nothing useful is stored in groups
 * before hz_grouptable_spread(). The table has keys.
 */
extern HzGroupStatus hz_grouptable_classify(HzGroupTable *table, const HzVector *keys,
											const uint16_t *at, uint32_t count,
											HzGroupRow **groups);

/* Stores the groups of all rows of the last batch, unless that is done. */
extern void hz_grouptable_spread(HzGroupTable *table, HzGroupRow **groups);

/* ---- Between this file and grouptable.c */

extern HzGroupStatus hz_grouptable_find_by_hash(HzGroupTable *table, const HzVector *keys,
												const uint16_t *at, uint32_t count,
												HzGroupRow **groups);

extern void hz_groupcodes_free(HzGroupTable *table);

/* Bytes taken from the machine for numbers, not for groups. */
static inline size_t
hz_groupcodes_bytes(const HzGroupTable *table)
{
	return table->codes != NULL ? table->codes->mapped : 0;
}

#endif /* HZ_GROUPCODES_H */
