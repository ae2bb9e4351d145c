/*
 * storage/store.h
 *	  The column store's tuples: (chunk_id, chunk_seq, bytes) in the table's TOAST relation.
 *
 * Everything the column store keeps is a heap tuple of the TOAST relation, found through its index
 * on (chunk_id, chunk_seq):
 *
 *	  chunk_id           chunk_seq                  what
 *	  HZ_STORE_META      0                          format version, next row block, change counter
 *	  HZ_STORE_DIRECTORY group number               one tuple per row group (directory.h)
 *	  HZ_STORE_GARBAGE   group number               a group that is gone, whose tuples are still to be deleted
 *	  a group's own id   0, 1, …                    its bytes, HZ_STORE_PAGE a tuple
 *	  a group's own id   HZ_STORE_FORWARDS + n      forwards of the rows moved into it (directory.h)
 *	  a group's own id   < 0                        marks and delete vectors (mark.h)
 *
 * Reserved chunk_ids lie below FirstNormalObjectId, which toast values never have.
 *
 * Locks: a writer holds RowExclusiveLock, a reader AccessShareLock on the TOAST relation to the end of
 * its transaction. hz_store_open() opens relation and indexes; REINDEX CONCURRENTLY may change the list of
 * indexes, so it is not kept open from one statement to the next.
 */
#ifndef HZ_STORE_H
#define HZ_STORE_H

#include "access/genam.h"
#include "access/heapam.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#define HZ_STORE_META ((Oid) 101)
#define HZ_STORE_DIRECTORY ((Oid) 102)
#define HZ_STORE_GARBAGE ((Oid) 103)
#define HZ_STORE_VERSION 1
#define HZ_STORE_PAGE 8124 /* payload bytes that make a tuple fill a page of 8 kB */
#define HZ_STORE_FORWARDS 0x40000000

typedef struct HzStore
{
	Relation table; /* borrowed from the caller */
	Relation toast;
	Relation *indexes;
	int index_count;
	int valid_index;
	LOCKMODE lockmode;
	BlockNumber blocks; /* of the TOAST heap, at least; our lock keeps it from being cut off */
	bool unmarked;      /* META said so after the statement's snapshot: there are no marks */
	uint64 paced;       /* WAL position of the last hz_store_pace() that flushed; 0: not paced */
} HzStore;

/*
 * Opens the column store of a columnar table. NULL when the table has no TOAST relation (then it has
 * no row groups). Palloc'd in the current context; close it in the same resource owner.
 */
extern HzStore *hz_store_open(Relation table, LOCKMODE lockmode);

/* Closes; the locks stay to the end of the transaction. NULL is fine. */
extern void hz_store_close(HzStore *store);

/* No row group can exist: the TOAST heap has no block (PROTOCOLS 1.2). NULL counts as empty. */
extern bool hz_store_is_empty(HzStore *store);

/* Whether the TOAST heap has this block. Asks the kernel only when it did not have it before. */
extern bool hz_store_has_block(HzStore *store, BlockNumber block);

/* Inserts a tuple; *tid (may be NULL) gets where it is. */
extern void hz_store_put(HzStore *store, Oid chunk_id, int32 chunk_seq, const void *data,
						 Size length, CommandId cid, int options, BulkInsertState bistate,
						 ItemPointer tid);

/*
 * From now on hz_store_pace() flushes what this transaction has written to WAL whenever it is a megabyte, and makes the next segment's
 * file ahead: commits of others, which flush everything before theirs, never wait for more. For work beside writers that need not be fast.
 */
extern void hz_store_pace_begin(HzStore *store);

/* To be called now and then, without locks that others wait for; does nothing unless the store is paced. */
extern void hz_store_pace(HzStore *store);

/* The same at once, whatever there is: before others begin to wait for this transaction. */
extern void hz_store_pace_flush(HzStore *store);

/* Scans tuples with this chunk_id and first <= chunk_seq <= last in order of chunk_seq. */
typedef struct HzStoreScan
{
	SysScanDesc scan;
	ScanDirection direction;
	TupleDesc desc;
	/* the current tuple; points into a buffer page that stays pinned until the next call */
	HeapTuple tuple;
	int32 seq;
	const uint8_t *data;
	Size length;
} HzStoreScan;

extern void hz_store_scan_begin(HzStore *store, HzStoreScan *scan, Oid chunk_id, int32 first,
								int32 last, Snapshot snapshot, ScanDirection direction);
extern bool hz_store_scan_next(HzStoreScan *scan);
extern void hz_store_scan_end(HzStoreScan *scan);

/* Checksum of a payload and of the place it belongs to. */
extern uint32_t hz_store_checksum(Oid chunk_id, int32 chunk_seq, const void *data, Size length);

/* The payload of a tuple of the TOAST relation; DATA_CORRUPTED when it is none of ours. */
extern const uint8_t *hz_store_tuple_data(HzStore *store, HeapTuple tuple, Oid *chunk_id,
										  int32 *chunk_seq, Size *length);

/*
 * Draws `blocks` row blocks (256 row numbers each): returns the first, never given out before, also
 * after aborts and crashes. Needs RowExclusiveLock on the TOAST relation. Takes a short lock. Drawing 0 only
 * sees to it that META exists.
 */
extern uint32 hz_store_draw(HzStore *store, uint32 blocks);

/*
 * Writes what draws in parallel mode have left to META; at the end of a bulk load and before commit.
 */
extern void hz_store_persist_draws(HzStore *store);

/* Greatest row block ever drawn, plus one. 0 for an empty store. */
extern uint32 hz_store_next_block(HzStore *store);

/*
 * Remembers how many row blocks had no row group any more when VACUUM removed index entries of such.
 */
extern void hz_store_set_vacuumed(HzStore *store, uint32 blocks);

/* What META says, as of now. All zeroes for an empty store. */
typedef struct HzStoreMeta
{
	uint32 next_block; /* greatest row block ever drawn, plus one */
	uint32 vacuumed_blocks;
	uint64 changes; /* directory tuples inserted or deleted so far, by any transaction */
	bool marked;    /* a mark may exist */
} HzStoreMeta;

extern HzStoreMeta hz_store_meta(HzStore *store);

/*
 * Counts a change of the directory that has just been made, so that other backends' caches notice once it
 * commits (dircache.h).
 */
extern void hz_store_count_change(HzStore *store);

/* Says that marks exist from now on; before one is inserted. */
extern void hz_store_set_marked(HzStore *store);

/* To be called when the tuples go and the file stays: TRUNCATE of a relation new in this transaction. */
extern void hz_store_forget(void);

/* Installs the transaction callback; called once by _PG_init. */
extern void hz_store_init(void);

/* An unused chunk_id for a new group, unknown to the TOAST relation so far. */
extern Oid hz_store_new_chunk_id(HzStore *store);

/* A short exclusive lock on one group, against those who act on its rows; released by unlock. */
extern void hz_store_lock_group(HzStore *store, uint32 group);
extern void hz_store_unlock_group(HzStore *store, uint32 group);

#endif /* HZ_STORE_H */
