/*
 * storage/directory.h
 *	  The row-group directory: which groups a snapshot sees, and where their bytes are.
 *
 * One tuple (HZ_STORE_DIRECTORY, group number) per row group. A group is visible exactly when its
 * directory tuple is. Its number is its first row number / 256; numbers are never reused. A group whose
 * tuple goes (compaction, rewriting, TTL) leaves its pages, marks and forwards to a garbage tuple: (HZ_STORE_GARBAGE,
 * group number), payload chunk_id u32 and its checksum u32 (hz_store_checksum).
 *
 * The tuple's payload, little-endian:
 *
 *	  OFFSET SIZE DESCRIPTION
 *	  0      4    magic "HZRG"
 *	  4      4    XXH3 (low 32 bits) of all that follows
 *	  8      1    version (1)
 *	  9      1    flags: 1 = the description is in the stream, behind the chunks
 *	  10     2    number of block ranges (0: go through the index)
 *	  12     4    chunk_id of the group's bytes
 *	  16     4    rows
 *	  20     4    pages (tuples) of the stream
 *	  24     8    bytes of the stream
 *	  32     4    length of the description
 *	  36     4    rows deleted at birth (those that could not be moved)
 *	  40     8*n  block ranges: first block, number of blocks
 *	  …           description (format/rowgroup.h), unless in the stream
 */
#ifndef HZ_DIRECTORY_H
#define HZ_DIRECTORY_H

#include "format/rowgroup.h"
#include "storage/store.h"

#define HZ_DIRECTORY_RANGES 64 /* block ranges of a group at the most */

typedef struct HzBlockRange
{
	BlockNumber first;
	uint32 count;
} HzBlockRange;

typedef struct HzGroup
{
	uint32 number; /* first row number / 256 */
	Oid chunk_id;
	uint32 rows;
	uint32 born_deleted;
	uint64 bytes;
	uint32 pages;
	uint32 range_count;
	HzBlockRange *ranges;
	const uint8_t
		*description; /* NULL: in the stream, or in the tuple, from where it is read when needed */
	uint32 description_length;
	bool description_in_stream;
	bool described; /* meta is filled */
	HzRowGroupMeta meta;
	ItemPointerData tid;    /* of the directory tuple */
	TransactionId raw_xmin; /* of the directory tuple, with the infomask that explains it */
	uint16 infomask;
	CommandId cmin; /* meaningful for our own transaction only */
} HzGroup;

static inline uint64
hz_group_number_row(uint32 number)
{
	return (uint64) number * 256;
}

static inline uint64
hz_group_first_row(const HzGroup *group)
{
	return hz_group_number_row(group->number);
}

/* All groups visible to the snapshot by ascending number; palloc'd in the current context. */
extern HzGroup **hz_directory_read(HzStore *store, Snapshot snapshot, uint32 *count);

/*
 * The group that holds a row number, if the snapshot sees it; NULL otherwise. With SnapshotDirty, the
 * snapshot's xmin and xmax are set as for the directory tuple.
 */
extern HzGroup *hz_directory_find(HzStore *store, uint64 row, Snapshot snapshot);

/* As hz_directory_find, and gives a copy of the directory tuple itself (SnapshotAny lookups of actors). */
extern HzGroup *hz_directory_find_tuple(HzStore *store, uint64 row, Snapshot snapshot,
										HeapTuple *tuple);

/* Inserts the directory tuple: from now on the group exists for whoever sees this command. */
extern void hz_directory_insert(HzStore *store, const HzGroup *group, CommandId cid);

/* Whether a description of this length must go into the stream. */
extern bool hz_directory_needs_stream(Size description_length);

/* The bytes of the directory tuple of a group. */
extern void hz_directory_write(const HzGroup *group, HzBytes *out);

/* Parses a directory tuple; DATA_CORRUPTED when it is damaged. */
extern HzGroup *hz_directory_parse(HzStore *store, HeapTuple tuple);
/* The same, but NULL when it is damaged. */
extern HzGroup *hz_directory_try_parse(HzStore *store, HeapTuple tuple);

/* Parses it without the description, for those who keep many; in the context. */
extern HzGroup *hz_directory_parse_brief(HzStore *store, HeapTuple tuple, MemoryContext context);

/* The description that hz_directory_parse_brief() has left in the tuple; palloc'd in the current context. */
extern const uint8_t *hz_directory_description(HzStore *store, const HzGroup *group);

/* State of the group's directory tuple as VACUUM sees it (HeapTupleSatisfiesVacuum). */
extern HTSV_Result hz_directory_state(HzStore *store, const HzGroup *group,
									  TransactionId oldest_xmin);

/*
 * Deletes the directory tuple: the group is gone. The caller holds the group's short lock and has seen that
 * nobody acts on its rows (PROTOCOLS 3.2). Its pages, marks and forwards are garbage for a later transaction, so that
 * writers, who wait for this one, do not wait for that too.
 */
extern void hz_directory_delete(HzStore *store, HzGroup *group, CommandId cid);

/*
 * Deletes the tuples of up to `limit` groups that are gone, committed and visible to the MVCC snapshot; returns how
 * many groups that were. Needs the table's ShareUpdateExclusiveLock.
 */
extern uint32 hz_directory_collect(HzStore *store, Snapshot snapshot, CommandId cid, uint32 limit);

#endif /* HZ_DIRECTORY_H */
