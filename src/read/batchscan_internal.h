/*
 * read/batchscan_internal.h
 *	  What batchscan.c and batchprune.c share.
 */
#ifndef HZ_BATCHSCAN_INTERNAL_H
#define HZ_BATCHSCAN_INTERNAL_H

#include "read/batchscan.h"
#include "read/groupcache.h"
#include "read/zonecache.h"

/* The least key that a row of a group may have. */
typedef struct GroupKey
{
	HzTopKey key;
	HzGroup *group; /* NULL: not known yet */
} GroupKey;

/* The same of a vector. */
typedef struct VectorKey
{
	HzTopKey key;
	uint32 vector;
} VectorKey;

struct HzBatchScan
{
	Relation rel;
	Snapshot snapshot;
	HzBatchShared *shared;
	HzStore *store;
	TupleDesc desc;
	HzColumnType *types;
	BufferAccessStrategy strategy;
	MemoryContext context;       /* of the scan */
	MemoryContext group_context; /* of the open group */
	MemoryContext batch_context; /* of the current batch's Datums */
	bool directory_read;
	HzGroup **groups;
	uint32 group_count;
	uint64 vector_total;
	/* position: vector `vector` of group `group_index`; open is the reader of that group */
	int64 group_index;
	int64 vector;
	int64 run_left; /* parallel: vectors left of the run */
	/* the group that is looked at, -1: none; its reader, NULL until something of it is read */
	int64 open_index;
	HzGroupReader *open;
	HzGroupCacheEntry *entry; /* whose reader it is; NULL: the scan's own */
	uint32 vectors_read;      /* of it, more than encoded */
	bool vector_read;         /* the current one is among them */
	uint64 number;            /* of the scan in this backend */
	bool deleted_read;
	uint64 *deleted; /* NULL: none */
	HzBatch batch;
	/* pruning; NULL: none */
	HzPrune *prune;
	int32
		*judged; /* what it says of each group: an HzPruneResult, RULED_OUT + a qual, or UNJUDGED */
	int64 looked_up_index; /* the group whose dictionaries have been asked last; -1: none */
	int64 judged_index;    /* the group whose answers the nodes of the tree hold; -1: none */
	uint32 judged_vector;
	HzZone missing; /* of the last column asked for that its group does not have */
	/* the first rows of an order; NULL: all are wanted */
	HzTopColumn *top;
	GroupKey *top_keys; /* of each group; NULL: none is known */
	bool top_ordered;   /* groups are in the order of their keys */
	int64
		top_index; /* the group whose vectors are, too: `vector` is a place among top_vectors; -1: none */
	VectorKey top_vectors[HZ_CHUNK_MAX_ROWS / HZ_VECTOR_ROWS];
};

/* Makes a group the current one, and reads its description; and opens it. */
extern void hz_batchscan_describe_group(HzBatchScan *scan, int64 index);
extern void hz_batchscan_open(HzBatchScan *scan, int64 index);

/* batchprune.c */

/* Whether the group that is looked at has a column; if not, the zone of what its rows have instead. */
extern bool hz_batchscan_group_has(HzBatchScan *scan, int attno);
extern const HzZone *hz_batchscan_missing_zone(HzBatchScan *scan, int attno);

/* The zone of a column in a group, of which no more is read than is not known yet. */
extern const HzZone *hz_batchscan_group_zone(HzBatchScan *scan, int64 index, int attno);

/*
 * What dictionaries say of the group at the position, of which a vector is about to be decoded: not before, since they are
 * large. Asked once a group.
 */
extern HzPruneResult hz_batchscan_judge_dictionaries(HzBatchScan *scan);

#endif /* HZ_BATCHSCAN_INTERNAL_H */
