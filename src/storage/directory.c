/*
 * storage/directory.c
 *	  Reading and writing directory tuples. See directory.h.
 */
#include "postgres.h"

#include "access/hio.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "format/checksum.h"
#include "storage/dircache.h"
#include "storage/directory.h"
#include "storage/rowid.h"

#define DIRECTORY_MAGIC 0x47525A48 /* "HZRG" */
#define DIRECTORY_VERSION 1
#define DIRECTORY_HEADER 40
#define GARBAGE_SIZE 8
#define FLAG_IN_STREAM 1
#define NEARLY_EMPTY (BLCKSZ / 4 * 3) /* room for several entries */

bool
hz_directory_needs_stream(Size description_length)
{
	return DIRECTORY_HEADER + HZ_DIRECTORY_RANGES * sizeof(HzBlockRange) + description_length >
		   HZ_STORE_PAGE;
}

void
hz_directory_write(const HzGroup *group, HzBytes *out)
{
	size_t start = out->length;

	hz_bytes_put32(out, DIRECTORY_MAGIC);
	hz_bytes_put32(out, 0);
	hz_bytes_put8(out, DIRECTORY_VERSION);
	hz_bytes_put8(out, group->description_in_stream ? FLAG_IN_STREAM : 0);
	hz_bytes_put16(out, (uint16_t) group->range_count);
	hz_bytes_put32(out, group->chunk_id);
	hz_bytes_put32(out, group->rows);
	hz_bytes_put32(out, group->pages);
	hz_bytes_put64(out, group->bytes);
	hz_bytes_put32(out, group->description_length);
	hz_bytes_put32(out, group->born_deleted);
	for (uint32 i = 0; i < group->range_count; i++)
	{
		hz_bytes_put32(out, group->ranges[i].first);
		hz_bytes_put32(out, group->ranges[i].count);
	}
	if (!group->description_in_stream)
		hz_bytes_append(out, group->description, group->description_length);
	hz_store32(out->data + start + 4, hz_checksum(out->data + start + 8, out->length - start - 8));
}

static void
report_damage(HzStore *store, HeapTuple tuple, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("damaged directory entry in table \"%s\": %s",
						   RelationGetRelationName(store->table), what),
					errdetail("Block %u, offset %u of TOAST relation \"%s\".",
							  ItemPointerGetBlockNumber(&tuple->t_self),
							  ItemPointerGetOffsetNumber(&tuple->t_self),
							  RelationGetRelationName(store->toast))));
}

/* Fills *group from the payload, which must live as long (and is palloc'd: aligned); NULL or what is wrong. */
static const char *
parse_payload(HzGroup *group, const uint8_t *data, Size length)
{
	uint8_t flags;
	Size ranges_size;

	if (length < DIRECTORY_HEADER || hz_load32(data) != DIRECTORY_MAGIC)
		return "bad magic";
	if (hz_load32(data + 4) != hz_checksum(data + 8, length - 8))
		return "checksum mismatch";
	if (data[8] != DIRECTORY_VERSION)
		return "unknown version";
	flags = data[9];
	group->range_count = hz_load16(data + 10);
	group->chunk_id = hz_load32(data + 12);
	group->rows = hz_load32(data + 16);
	group->pages = hz_load32(data + 20);
	group->bytes = hz_load64(data + 24);
	group->description_length = hz_load32(data + 32);
	group->born_deleted = hz_load32(data + 36);
	group->description_in_stream = (flags & FLAG_IN_STREAM) != 0;
	ranges_size = (Size) group->range_count * 8;
	if (group->rows == 0 || group->rows > HZ_CHUNK_MAX_ROWS || group->born_deleted > group->rows ||
		group->chunk_id < FirstNormalObjectId ||
		group->pages != (group->bytes + HZ_STORE_PAGE - 1) / HZ_STORE_PAGE)
		return "impossible sizes";
	if (length != DIRECTORY_HEADER + ranges_size +
					  (group->description_in_stream ? 0 : group->description_length))
		return "wrong length";
	if (group->description_in_stream && group->description_length > group->bytes)
		return "impossible sizes";
	/* ranges are two little-endian u32 each, as HzBlockRange on the machines this builds for */
	group->ranges = (HzBlockRange *) (data + DIRECTORY_HEADER);
	if (!group->description_in_stream)
		group->description = data + DIRECTORY_HEADER + ranges_size;
	return NULL;
}

/* Whose the entry is. */
static void
note_tuple(HzGroup *group, HeapTuple tuple, int32 seq)
{
	group->number = (uint32) seq;
	group->tid = tuple->t_self;
	group->raw_xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	group->infomask = tuple->t_data->t_infomask;
	group->cmin = HeapTupleHeaderGetRawCommandId(tuple->t_data);
}

/* Fills *group; NULL, or what is wrong. */
static const char *
try_parse(HzStore *store, HeapTuple tuple, HzGroup *group)
{
	Oid chunk_id;
	int32 seq;
	Size length;
	const uint8_t *data = hz_store_tuple_data(store, tuple, &chunk_id, &seq, &length);
	uint8_t *copy = palloc(length);
	const char *wrong;

	memset(group, 0, sizeof(*group));
	memcpy(copy, data, length);
	wrong = parse_payload(group, copy, length);
	if (wrong != NULL)
		return wrong;
	note_tuple(group, tuple, seq);
	return NULL;
}

HzGroup *
hz_directory_parse(HzStore *store, HeapTuple tuple)
{
	HzGroup *group = palloc(sizeof(HzGroup));
	const char *wrong = try_parse(store, tuple, group);

	if (wrong != NULL)
		report_damage(store, tuple, wrong);
	return group;
}

HzGroup *
hz_directory_parse_brief(HzStore *store, HeapTuple tuple, MemoryContext context)
{
	Oid chunk_id;
	int32 seq;
	Size length;
	const uint8_t *data = hz_store_tuple_data(store, tuple, &chunk_id, &seq, &length);
	HzGroup parsed = {0};
	const char *wrong = parse_payload(&parsed, data, length);
	HzGroup *group;

	if (wrong != NULL)
		report_damage(store, tuple, wrong);
	group =
		MemoryContextAlloc(context, sizeof(HzGroup) + sizeof(HzBlockRange) * parsed.range_count);
	*group = parsed;
	group->ranges = (HzBlockRange *) (group + 1);
	memcpy(group->ranges, parsed.ranges, sizeof(HzBlockRange) * parsed.range_count);
	group->description = NULL;
	note_tuple(group, tuple, seq);
	return group;
}

const uint8_t *
hz_directory_description(HzStore *store, const HzGroup *group)
{
	HeapTupleData tuple;
	Buffer buffer;
	HzGroup *whole;

	tuple.t_self = group->tid;
	if (!hz_store_has_block(store, ItemPointerGetBlockNumber(&group->tid)) ||
		!heap_fetch(store->toast, SnapshotAny, &tuple, &buffer, false))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("directory entry of row group %u in table \"%s\" has vanished",
							   group->number, RelationGetRelationName(store->table)),
						errdetail("Block %u, offset %u of TOAST relation \"%s\".",
								  ItemPointerGetBlockNumber(&group->tid),
								  ItemPointerGetOffsetNumber(&group->tid),
								  RelationGetRelationName(store->toast))));
	whole = hz_directory_parse(store, &tuple);
	if (whole->number != group->number || whole->description_length != group->description_length)
		report_damage(store, &tuple, "another row group");
	ReleaseBuffer(buffer);
	return whole->description;
}

HzGroup *
hz_directory_try_parse(HzStore *store, HeapTuple tuple)
{
	HzGroup *group = palloc(sizeof(HzGroup));

	return try_parse(store, tuple, group) == NULL ? group : NULL;
}

/*
 * The cache serves MVCC snapshots; SERIALIZABLE must read the tuples, for its predicate locks, and snapshots that can be
 * too old must, to be told so.
 */
static HzDirCache *
cache_for(HzStore *store, Snapshot snapshot)
{
	if (snapshot->snapshot_type != SNAPSHOT_MVCC || IsolationIsSerializable() ||
		hz_compat_snapshots_grow_too_old())
		return NULL;
	return hz_dircache_get(store);
}

static HzGroup **
read_tuples(HzStore *store, Snapshot snapshot, uint32 *count)
{
	uint32 room = 64;
	HzGroup **groups = palloc(sizeof(HzGroup *) * room);
	HzStoreScan scan;

	*count = 0;
	hz_store_scan_begin(store, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX, snapshot,
						ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		CHECK_FOR_INTERRUPTS();
		if (*count == room)
			groups = repalloc_huge(groups, sizeof(HzGroup *) * (room *= 2));
		groups[(*count)++] = hz_directory_parse(store, scan.tuple);
	}
	hz_store_scan_end(&scan);
	return groups;
}

/*
 * SnapshotDirty sees a move happen: the new group's entry may have come after the scan read the index page, and the old
 * group be gone when the scan gets to its tuple. Both have counted as changes by then.
 */
static HzGroup **
read_tuples_dirty(HzStore *store, Snapshot snapshot, uint32 *count)
{
	for (;;)
	{
		uint64 changes = hz_store_meta(store).changes;
		HzGroup **groups = read_tuples(store, snapshot, count);

		if (hz_store_meta(store).changes == changes)
			return groups;
		for (uint32 i = 0; i < *count; i++)
			pfree(groups[i]);
		pfree(groups);
	}
}

HzGroup **
hz_directory_read(HzStore *store, Snapshot snapshot, uint32 *count)
{
	HzDirCache *cache;

	*count = 0;
	if (hz_store_is_empty(store))
		return NULL;
	cache = cache_for(store, snapshot);
	if (cache != NULL)
		return hz_dircache_visible(cache, store, snapshot, count);
	if (snapshot->snapshot_type == SNAPSHOT_DIRTY)
		return read_tuples_dirty(store, snapshot, count);
	return read_tuples(store, snapshot, count);
}

/*
 * The group of a row by a look at the one tuple that the cache knows, with a snapshot that is not MVCC; NULL: the index
 * has to be asked.
 */
static HzGroup *
find_by_place(HzStore *store, uint64 row, Snapshot snapshot, HeapTuple *copy)
{
	HzGroup *group = hz_dircache_place(store, row);
	HeapTupleData tuple;
	Buffer buffer;
	Oid chunk_id;
	int32 seq;
	Size length;
	bool found;

	if (group == NULL || !hz_store_has_block(store, ItemPointerGetBlockNumber(&group->tid)))
		return NULL;
	tuple.t_self = group->tid;
	if (!heap_fetch(store->toast, snapshot, &tuple, &buffer, false))
		return NULL;
	(void) hz_store_tuple_data(store, &tuple, &chunk_id, &seq, &length);
	found = chunk_id == HZ_STORE_DIRECTORY && seq == (int32) group->number;
	if (found)
	{
		group->raw_xmin = HeapTupleHeaderGetRawXmin(tuple.t_data);
		group->infomask = tuple.t_data->t_infomask;
		group->cmin = HeapTupleHeaderGetRawCommandId(tuple.t_data);
		if (copy != NULL)
			*copy = heap_copytuple(&tuple);
	}
	ReleaseBuffer(buffer);
	return found ? group : NULL;
}

HzGroup *
hz_directory_find_tuple(HzStore *store, uint64 row, Snapshot snapshot, HeapTuple *tuple)
{
	int64 block = (int64) (row / HZ_ROWID_ROWS_PER_BLOCK);
	int64 least = block - (int64) hz_rowid_blocks(HZ_CHUNK_MAX_ROWS) + 1;
	HzStoreScan scan;
	HzGroup *found = NULL;
	HzDirCache *cache;

	if (hz_store_is_empty(store))
		return NULL;
	cache = tuple == NULL ? cache_for(store, snapshot) : NULL;
	if (cache != NULL)
		return hz_dircache_find(cache, store, row, snapshot);
	if (snapshot->snapshot_type != SNAPSHOT_MVCC)
		found = find_by_place(store, row, snapshot, tuple);
	if (found != NULL)
		return found;
	hz_store_scan_begin(store, &scan, HZ_STORE_DIRECTORY, (int32) Max(least, 0), (int32) block,
						snapshot, BackwardScanDirection);
	while (found == NULL && hz_store_scan_next(&scan))
	{
		HzGroup *group = hz_directory_parse(store, scan.tuple);

		if (row - hz_group_first_row(group) < group->rows)
		{
			found = group;
			if (tuple != NULL)
				*tuple = heap_copytuple(scan.tuple);
		}
	}
	hz_store_scan_end(&scan);
	if (found == NULL && snapshot->snapshot_type == SNAPSHOT_DIRTY)
	{
		snapshot->xmin = snapshot->xmax = InvalidTransactionId;
		snapshot->speculativeToken = 0;
	}
	return found;
}

HzGroup *
hz_directory_find(HzStore *store, uint64 row, Snapshot snapshot)
{
	return hz_directory_find_tuple(store, row, snapshot, NULL);
}

/*
 * Entries stand together, as many as fit a page, so that a new backend reads few pages: an insertion target for the page
 * of the last one. Unless a page further to the front is free: an entry at the end would keep VACUUM from giving the free
 * pages before it back.
 */
static BulkInsertState
beside_last_entry(HzStore *store)
{
	BulkInsertState bistate = GetBulkInsertState();
	BlockNumber empty = GetPageWithFreeSpace(store->toast, NEARLY_EMPTY);
	HzStoreScan scan;

	hz_store_scan_begin(store, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX, SnapshotAny,
						BackwardScanDirection);
	if (hz_store_scan_next(&scan))
	{
		BlockNumber last = ItemPointerGetBlockNumber(&scan.tuple->t_self);

		bistate->current_buf = ReadBuffer(store->toast, Min(last, empty));
	}
	hz_store_scan_end(&scan);
	return bistate;
}

void
hz_directory_insert(HzStore *store, const HzGroup *group, CommandId cid)
{
	BulkInsertState bistate = beside_last_entry(store);
	HzBytes bytes = {0};

	hz_directory_write(group, &bytes);
	hz_store_put(store, HZ_STORE_DIRECTORY, (int32) group->number, bytes.data, bytes.length, cid, 0,
				 bistate, NULL);
	hz_bytes_free(&bytes);
	FreeBulkInsertState(bistate);
	hz_store_count_change(store);
	/* in parallel mode the change is not counted, and only this backend can have cached the directory */
	if (IsInParallelMode())
		hz_dircache_forget(RelationGetRelid(store->table));
}

HTSV_Result
hz_directory_state(HzStore *store, const HzGroup *group, TransactionId oldest_xmin)
{
	HeapTupleData tuple;
	Buffer buffer;
	HTSV_Result state;

	/* removed, and the relation cut off before it */
	if (!hz_store_has_block(store, ItemPointerGetBlockNumber(&group->tid)))
		return HEAPTUPLE_DEAD;
	tuple.t_self = group->tid;
	if (!heap_fetch(store->toast, SnapshotAny, &tuple, &buffer, false))
		return HEAPTUPLE_DEAD;
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	state = HeapTupleSatisfiesVacuum(&tuple, oldest_xmin, buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	ReleaseBuffer(buffer);
	return state;
}

/* Deletes every tuple of this chunk_id in the range that is not already gone. */
static void
delete_tuples(HzStore *store, Oid chunk_id, int32 first, int32 last, CommandId cid)
{
	HzStoreScan scan;

	hz_store_scan_begin(store, &scan, chunk_id, first, last, SnapshotSelf, ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		TM_FailureData failure;
		ItemPointerData tid = scan.tuple->t_self;
		TM_Result result =
			heap_delete(store->toast, &tid, cid, InvalidSnapshot, true, &failure, false);

		CHECK_FOR_INTERRUPTS();
		if (result != TM_Ok && result != TM_Deleted && result != TM_SelfModified)
			elog(ERROR, "could not delete tuple (%u,%u) of the column store: %d",
				 ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid), (int) result);
	}
	hz_store_scan_end(&scan);
}

void
hz_directory_delete(HzStore *store, HzGroup *group, CommandId cid)
{
	TM_FailureData failure;
	TM_Result result;
	uint8_t garbage[GARBAGE_SIZE];

	result = heap_delete(store->toast, &group->tid, cid, InvalidSnapshot, true, &failure, false);
	if (result != TM_Ok)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("row group %u of table \"%s\" was rewritten concurrently",
							   group->number, RelationGetRelationName(store->table)),
						errhint("Run the command again.")));
	hz_store_count_change(store);
	hz_store32(garbage, group->chunk_id);
	hz_store32(garbage + 4, hz_store_checksum(HZ_STORE_GARBAGE, (int32) group->number, garbage, 4));
	hz_store_put(store, HZ_STORE_GARBAGE, (int32) group->number, garbage, GARBAGE_SIZE, cid, 0,
				 NULL, NULL);
}

uint32
hz_directory_collect(HzStore *store, Snapshot snapshot, CommandId cid, uint32 limit)
{
	HzStoreScan scan;
	uint32 count = 0;

	hz_store_scan_begin(store, &scan, HZ_STORE_GARBAGE, 0, PG_INT32_MAX, snapshot,
						ForwardScanDirection);
	while (count < limit && hz_store_scan_next(&scan))
	{
		ItemPointerData tid = scan.tuple->t_self;
		TM_FailureData failure;
		Oid chunk_id;

		if (scan.length != GARBAGE_SIZE ||
			hz_load32(scan.data + 4) !=
				hz_store_checksum(HZ_STORE_GARBAGE, scan.seq, scan.data, 4) ||
			(chunk_id = hz_load32(scan.data)) < FirstNormalObjectId)
			report_damage(store, scan.tuple, "damaged garbage entry");
		delete_tuples(store, chunk_id, PG_INT32_MIN, PG_INT32_MAX, cid);
		if (heap_delete(store->toast, &tid, cid, InvalidSnapshot, true, &failure, false) == TM_Ok)
			count++;
	}
	hz_store_scan_end(&scan);
	return count;
}
