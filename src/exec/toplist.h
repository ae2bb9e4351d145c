/*
 * exec/toplist.h
 *	  Columnar rows that may be among the first of an order, remembered until all keys are known.
 *
 * A scan that returned each of them when it met it would decode the other columns of many more rows than are wanted. The list holds
 * a small multiple of n; where more rows than that are as good as each other, it is full.
 */
#ifndef HZ_TOPLIST_H
#define HZ_TOPLIST_H

#include "read/batchscan.h"

typedef struct HzTopRow
{
	HzTopKey key;
	uint32 group; /* as in hz_batchscan_groups() */
	uint32 vector;
	uint16 row; /* of the vector */
} HzTopRow;

typedef struct HzTopList
{
	MemoryContext context; /* of `rows` */
	uint32 count;
	uint32 room;
	uint32 next; /* the first that has not been taken */
	HzTopRow *rows;
} HzTopList;

/* Memory that a list takes for each of the n rows that are wanted. */
#define HZ_TOPLIST_ROW_SIZE (2 * sizeof(HzTopRow))

/* Forgets all rows. */
extern void hz_toplist_reset(HzTopList *list);

/* Whether another batch's rows have room; forgets those that the bound beats by now, if they would not have. */
extern bool hz_toplist_has_room(HzTopList *list, const HzTopBound *bound);

/* Row `row` of the batch, if there is room. */
extern void hz_toplist_add(HzTopList *list, const HzBatch *batch, uint16 row, HzTopKey key);

/* No row will be added: drops those that the bound beats and puts the others in the order of the table. Returns how many it has dropped. */
extern uint32 hz_toplist_finish(HzTopList *list, const HzTopBound *bound);

/*
 * The rows of the next vector that has any: their positions, room for HZ_VECTOR_ROWS. Returns their number, 0 at the end.
 */
extern uint32 hz_toplist_take(HzTopList *list, uint32 *group, uint32 *vector, uint16 *rows);

#endif /* HZ_TOPLIST_H */
