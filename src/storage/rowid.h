/*
 * storage/rowid.h
 *	  Row numbers of columnar rows and how they look as TIDs.
 *
 * A delta row has its heap TID: block < 2^31. A columnar row has a row number, 39 bits, never reused; its TID is
 * block = 2^31 + number / 256, offset = number % 256 + 1 (tidbitmap.c refuses greater offsets). Row
 * groups start at multiples of 256, so that a group's first block ("group number", 31 bits) names it for ever.
 */
#ifndef HZ_ROWID_H
#define HZ_ROWID_H

#include "storage/itemptr.h"

#define HZ_ROWID_FIRST_BLOCK ((BlockNumber) 0x80000000)
#define HZ_ROWID_ROWS_PER_BLOCK 256
#define HZ_ROWID_MAX_BLOCKS ((uint32) 0x7FFFFF00) /* group numbers stay below this */

static inline bool
hz_rowid_is_columnar(const ItemPointerData *tid)
{
	return ItemPointerGetBlockNumberNoCheck(tid) >= HZ_ROWID_FIRST_BLOCK;
}

static inline uint64
hz_rowid_from_tid(const ItemPointerData *tid)
{
	return (uint64) (ItemPointerGetBlockNumberNoCheck(tid) - HZ_ROWID_FIRST_BLOCK) *
			   HZ_ROWID_ROWS_PER_BLOCK +
		   ItemPointerGetOffsetNumberNoCheck(tid) - 1;
}

static inline void
hz_rowid_to_tid(uint64 number, ItemPointer tid)
{
	ItemPointerSet(tid, HZ_ROWID_FIRST_BLOCK + (BlockNumber) (number / HZ_ROWID_ROWS_PER_BLOCK),
				   (OffsetNumber) (number % HZ_ROWID_ROWS_PER_BLOCK + 1));
}

/* Blocks of row numbers that `rows` rows take. */
static inline uint32
hz_rowid_blocks(uint32 rows)
{
	return (rows + HZ_ROWID_ROWS_PER_BLOCK - 1) / HZ_ROWID_ROWS_PER_BLOCK;
}

#endif /* HZ_ROWID_H */
