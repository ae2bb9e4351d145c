/*
 * agg/grouptable.h
 *	  The hash table of groups.
 *
 * A group is a row of fixed size in a region: header, keys, states of aggregates (all zeroes at first). Rows never move,
 * so pointers to them stay. The table is an array of 64-bit words: 16 bits of the hash over 48 bits of the row's address;
 * linear probing.
 *
 *	  OFFSET SIZE DESCRIPTION
 *	  0      8    hash of all keys
 *	  8      4    bit k: key k is null
 *	  12     4    unused
 *	  16     8    where the group went when its table was merged into another; NULL: nowhere
 *	  24     …    keys: 16 bytes (HzKeySlot) each
 *	  …      …    states
 *
 * Without keys there is one group, which always exists.
 */
#ifndef HZ_GROUPTABLE_H
#define HZ_GROUPTABLE_H

#include "agg/groupkey.h"

typedef struct HzGroupRow
{
	uint64_t hash;
	uint32_t nulls;
	uint32_t unused;
	struct HzGroupRow *merged;
	HzKeySlot keys[];
} HzGroupRow;

/* Rows lie in blocks, in the order in which they were made: so all of them are visited without jumping about. */
typedef struct HzGroupBlock
{
	struct HzGroupBlock *next;
	uint32_t count;
	uint32_t room;
	HzGroupRow *rows; /* count of them, row_bytes each */
} HzGroupBlock;

/* Where a visit of all rows is; all zeroes at first. */
typedef struct HzGroupCursor
{
	const HzGroupBlock *block;
	uint32_t index;
	bool ended;
} HzGroupCursor;

typedef struct HzGroupLayout
{
	int key_count;
	HzKeyKind kinds[HZ_KEY_MAX];
	uint32_t states_offset; /* bytes from the start of a row */
	uint32_t row_bytes;
	uint64_t expected; /* groups, as far as anybody knows; 0: nobody does */
} HzGroupLayout;

/* What finding rows of a batch needs; of one thread. */
typedef struct HzGroupScratch
{
	HzKeyColumn *columns; /* by key */
	uint64_t *hashes;     /* HZ_VECTOR_ROWS */
} HzGroupScratch;

typedef struct HzGroupTable
{
	const HzGroupLayout *layout;
	HzRegion *region;
	uint64_t *words; /* capacity of them, a power of two; 0: empty */
	uint64_t capacity;
	uint64_t count;
	HzGroupBlock *first_block;
	HzGroupBlock *last_block;
	HzGroupScratch scratch;
	struct HzGroupCodes *codes; /* groupcodes.h; NULL: without keys */
} HzGroupTable;

typedef enum HzGroupStatus
{
	HZ_GROUP_OK,
	HZ_GROUP_MEMORY, /* the machine has no more */
	HZ_GROUP_KEY     /* a value that cannot be a key */
} HzGroupStatus;

/* Lays out `state_bytes` of states behind the keys, whose kinds are set. */
extern void hz_grouptable_layout(HzGroupLayout *layout, uint32_t state_bytes);

/* Layout and region are borrowed. False: out of memory. */
extern bool hz_grouptable_init(HzGroupTable *table, const HzGroupLayout *layout, HzRegion *region);

/* Gives the array back; the rows are the region's. */
extern void hz_grouptable_free(HzGroupTable *table);

/* Bytes that the table takes at once when it makes room for so many rows more, besides what rows take; 0: it has room. */
extern size_t hz_grouptable_growth(const HzGroupTable *table, uint64_t more);

/* From now on dictionaries are others (a new row group). */
extern void hz_grouptable_forget_codes(HzGroupTable *table);

/*
 * The groups of rows at[0 .. count) (at NULL: 0 .. count) of a batch whose keys are `keys` (one vector a key): stored in
 * groups[row] for each. New groups are made.
 */
extern HzGroupStatus hz_grouptable_find(HzGroupTable *table, const HzVector *keys,
										const uint16_t *at, uint32_t count, HzGroupRow **groups);

/*
 * The same, but no group is made: NULL where there is none, or some key is null. Any number of threads may do so at a time, each with
 * a scratch of its own, while nobody changes the table. False: a value that cannot be a key.
 */
extern bool hz_grouptable_probe(const HzGroupTable *table, HzGroupScratch *scratch,
								const HzVector *keys, const uint16_t *at, uint32_t count,
								HzGroupRow **groups);

/* The group with the hash and keys of `like`, which is not touched; made, with copies of the keys, if need be. NULL: out of memory. */
extern HzGroupRow *hz_grouptable_like(HzGroupTable *table, const HzGroupRow *like);

/* The only group of a table without keys. */
extern HzGroupRow *hz_grouptable_single(HzGroupTable *table);

/* ---- Several tables of one layout, brought together */

/*
 * A share of the work, by hashes: shares can be taken at the same time, each in a thread of its own.
 */
typedef struct HzMergeShare
{
	uint32_t number;
	uint32_t shares;
	HzRegion *region;         /* of the share alone */
	bool (*go_on)(void *arg); /* asked now and then; false: stop */
	void *arg;
} HzMergeShare;

static inline bool
hz_share_has(const HzMergeShare *share, uint64_t hash)
{
	return (uint32_t) ((hash >> 48) * share->shares >> 16) == share->number;
}

/* A row of a later table goes into another; into NULL: it stays. False: it cannot be done. */
typedef bool (*HzMergeRow)(void *arg, HzGroupRow *into, HzGroupRow *row);

/*
 * Groups of later tables that are in the share go into that of the first earlier table that has them, which HzGroupRow.merged says from then on; others stay
 * where they are: *kept of them. Nobody changes or visits the tables meanwhile. False: merge_row() or go_on() has said so.
 */
extern bool hz_grouptable_merge_share(HzGroupTable *const *tables, int count,
									  const HzMergeShare *share, HzMergeRow merge_row, void *arg,
									  uint64_t *kept);

/*
 * After all shares: makes the rows of a later table, too, those of the first, so the later one's region must live as long. They are visited there, but not
 * found by their keys.
 */
extern void hz_grouptable_adopt(HzGroupTable *first, const HzGroupTable *later);

/* The next row, in the order in which they were made; NULL: no more. */
extern HzGroupRow *hz_grouptable_next(const HzGroupTable *table, HzGroupCursor *cursor);

#endif /* HZ_GROUPTABLE_H */
