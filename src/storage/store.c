/*
 * storage/store.c
 *	  Tuples of the column store and the counter of row numbers. See store.h.
 *
 * META is one tuple, inserted frozen and changed in place, so that no abort takes numbers back which
 * others have drawn from it. Creating and changing it happens under LockPage(TOAST relation, META_LOCK).
 * A crash between inserting META and its index entry leaves a tuple that no index finds; a REINDEX, or the next
 * draw, brings it back.
 *
 * In parallel mode (CREATE TABLE AS with a parallel query) core refuses in-place updates. Such relations
 * are new in this transaction, so nobody else draws: numbers are counted in memory and written to META
 * at the first chance outside of parallel mode.
 */
#include "postgres.h"

#include <unistd.h>

#include "access/heaptoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_internals.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "catalog/catalog.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/bytes.h"
#include "base/compat.h"
#include "format/checksum.h"
#include "storage/rowid.h"
#include "storage/store.h"

#define PACE_BYTES (1024 * 1024) /* of WAL, between two flushes of a paced store */

#define META_LOCK ((BlockNumber) 0xFFFFFFFE)
#define META_SIZE \
	32 /* magic, version, next block, vacuumed u32; changes u64; marked, checksum u32 */
#define META_CHECKED 28

#define META_MAGIC 0x54445A48 /* "HZDT" */

StaticAssertDecl(MAXALIGN(SizeofHeapTupleHeader) + 8 + VARHDRSZ + HZ_STORE_PAGE <= MaxHeapTupleSize,
				 "a page of the column store is one heap tuple");

/* Row blocks drawn in parallel mode for a relation new in this transaction, not yet in META. */
static Oid pending_relid = InvalidOid;
static TransactionId pending_xact = InvalidTransactionId;
static uint32 pending_next = 0;

/*
 * Blocks of the TOAST heap that was asked about last, in this transaction: the lock on it, which nobody releases before
 * the end, lets it only grow.
 */
static struct
{
	LocalTransactionId lxid;
	RelFileLocator locator;
	BlockNumber blocks;
} known;

/* The last column store whose META is known to say that marks exist. */
static bool marked_known = false;
static RelFileLocator marked_locator;

HzStore *
hz_store_open(Relation table, LOCKMODE lockmode)
{
	Oid toastrelid = table->rd_rel->reltoastrelid;
	HzStore *store;

	if (!OidIsValid(toastrelid))
		return NULL;
	store = palloc0(sizeof(HzStore));
	store->table = table;
	store->lockmode = lockmode;
	store->toast = table_open(toastrelid, lockmode);
	store->valid_index =
		toast_open_indexes(store->toast, lockmode, &store->indexes, &store->index_count);
	return store;
}

void
hz_store_close(HzStore *store)
{
	if (store == NULL)
		return;
	toast_close_indexes(store->indexes, store->index_count, NoLock);
	table_close(store->toast, NoLock);
	pfree(store);
}

bool
hz_store_has_block(HzStore *store, BlockNumber block)
{
	if (block < store->blocks)
		return true;
	/* asking the kernel for each of many rows is what a row would cost most */
	if (known.lxid != hz_compat_lxid() ||
		!RelFileLocatorEquals(known.locator, store->toast->rd_locator) || block >= known.blocks)
	{
		known.blocks = RelationGetNumberOfBlocks(store->toast);
		known.locator = store->toast->rd_locator;
		known.lxid = hz_compat_lxid();
	}
	store->blocks = known.blocks;
	return block < store->blocks;
}

/* A subtransaction's locks, which keep relations from being cut off, go with it. */
static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				 void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		known.lxid = InvalidLocalTransactionId;
}

void
hz_store_init(void)
{
	RegisterSubXactCallback(subxact_callback, NULL);
}

bool
hz_store_is_empty(HzStore *store)
{
	return store == NULL || !hz_store_has_block(store, 0);
}

void
hz_store_put(HzStore *store, Oid chunk_id, int32 chunk_seq, const void *data, Size length,
			 CommandId cid, int options, BulkInsertState bistate, ItemPointer tid)
{
	union
	{
		struct varlena header;
		char room[VARHDRSZ + HZ_STORE_PAGE];
		int32 align;
	} chunk;
	Datum values[3];
	bool isnull[3] = {false, false, false};
	HeapTuple tuple;

	Assert(length <= HZ_STORE_PAGE);
	SET_VARSIZE(&chunk, length + VARHDRSZ);
	memcpy(VARDATA(&chunk), data, length);
	values[0] = ObjectIdGetDatum(chunk_id);
	values[1] = Int32GetDatum(chunk_seq);
	values[2] = PointerGetDatum(&chunk);
	tuple = heap_form_tuple(RelationGetDescr(store->toast), values, isnull);

	/* An error between the tuple and its index entry aborts both; META alone must not be torn. */
	heap_insert(store->toast, tuple, cid, options | HEAP_INSERT_NO_LOGICAL, bistate);
	for (int i = 0; i < store->index_count; i++)
	{
		Relation index = store->indexes[i];

		if (index->rd_index->indisready)
			index_insert(index, values, isnull, &tuple->t_self, store->toast,
						 index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false,
						 NULL);
	}
	if (tid != NULL)
		*tid = tuple->t_self;
	heap_freetuple(tuple);
}

/*
 * Makes the file of the next WAL segment once a quarter of the present one is written. Whoever reaches the end of a segment first
 * fills the next one's 16 MB with zeros and syncs it while all who commit wait, unless the file is there.
 *
 * We hold nothing meanwhile: others may make the segment, fill and archive it, and a checkpoint remove it, before our zeros come to stand under its
 * name. They would be archived. Checkpoints say which segments they remove before they do.
 */
static void
prepare_next_segment(void)
{
	static XLogSegNo prepared = 0;
	XLogRecPtr position = GetXLogInsertRecPtr();
	TimeLineID timeline = GetWALInsertionTimeLine();
	XLogSegNo next;

	XLByteToSeg(position, next, wal_segment_size);
	next++;
	if (next == prepared ||
		XLogSegmentOffset(position, wal_segment_size) < (uint32) wal_segment_size / 4)
		return;
	close(XLogFileInit(next, timeline));
	prepared = next;
	if (XLogGetLastRemovedSegno() >= next)
	{
		char path[MAXPGPATH];

		XLogFilePath(path, timeline, next, wal_segment_size);
		(void) durable_unlink(path, DEBUG1);
	}
}

void
hz_store_pace_begin(HzStore *store)
{
	store->paced = Max(GetXLogInsertRecPtr(), 1);
}

void
hz_store_pace_flush(HzStore *store)
{
	if (store->paced == 0 || XLogRecPtrIsInvalid(XactLastRecEnd))
		return;
	prepare_next_segment();
	XLogFlush(XactLastRecEnd);
	store->paced = XactLastRecEnd;
}

void
hz_store_pace(HzStore *store)
{
	if (XactLastRecEnd >= store->paced + PACE_BYTES)
		hz_store_pace_flush(store);
}

void
hz_store_scan_begin(HzStore *store, HzStoreScan *scan, Oid chunk_id, int32 first, int32 last,
					Snapshot snapshot, ScanDirection direction)
{
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], (AttrNumber) 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(chunk_id));
	ScanKeyInit(&keys[1], (AttrNumber) 2, BTGreaterEqualStrategyNumber, F_INT4GE,
				Int32GetDatum(first));
	ScanKeyInit(&keys[2], (AttrNumber) 2, BTLessEqualStrategyNumber, F_INT4LE, Int32GetDatum(last));
	scan->scan = systable_beginscan_ordered(store->toast, store->indexes[store->valid_index],
											snapshot, 3, keys);
	scan->direction = direction;
	scan->desc = RelationGetDescr(store->toast);
	scan->tuple = NULL;
}

/* Takes a TOAST tuple apart; false when it is not shaped as ours. */
static bool
tuple_parts(HeapTuple tuple, TupleDesc desc, Oid *chunk_id, int32 *seq, const uint8_t **data,
			Size *length)
{
	bool isnull;
	struct varlena *bytes;

	*chunk_id = DatumGetObjectId(fastgetattr(tuple, 1, desc, &isnull));
	if (isnull)
		return false;
	*seq = DatumGetInt32(fastgetattr(tuple, 2, desc, &isnull));
	if (isnull)
		return false;
	bytes = (struct varlena *) DatumGetPointer(fastgetattr(tuple, 3, desc, &isnull));
	if (isnull || VARATT_IS_EXTENDED(bytes))
	{
		if (isnull || !VARATT_IS_SHORT(bytes) || VARATT_IS_EXTERNAL(bytes))
			return false;
		*data = (const uint8_t *) VARDATA_SHORT(bytes);
		*length = VARSIZE_SHORT(bytes) - VARHDRSZ_SHORT;
	}
	else
	{
		*data = (const uint8_t *) VARDATA(bytes);
		*length = VARSIZE(bytes) - VARHDRSZ;
	}
	/* never trust a length beyond the tuple itself */
	return (const char *) *data + *length <= (const char *) tuple->t_data + tuple->t_len;
}

const uint8_t *
hz_store_tuple_data(HzStore *store, HeapTuple tuple, Oid *chunk_id, int32 *chunk_seq, Size *length)
{
	const uint8_t *data;

	if (!tuple_parts(tuple, RelationGetDescr(store->toast), chunk_id, chunk_seq, &data, length))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("malformed tuple (%u,%u) in the column store of table \"%s\"",
							   ItemPointerGetBlockNumber(&tuple->t_self),
							   ItemPointerGetOffsetNumber(&tuple->t_self),
							   RelationGetRelationName(store->table))));
	return data;
}

bool
hz_store_scan_next(HzStoreScan *scan)
{
	Oid chunk_id;

	scan->tuple = systable_getnext_ordered(scan->scan, scan->direction);
	if (scan->tuple == NULL)
		return false;
	if (!tuple_parts(scan->tuple, scan->desc, &chunk_id, &scan->seq, &scan->data, &scan->length))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("malformed tuple (%u,%u) in column store \"%s\"",
							   ItemPointerGetBlockNumber(&scan->tuple->t_self),
							   ItemPointerGetOffsetNumber(&scan->tuple->t_self),
							   RelationGetRelationName(scan->scan->heap_rel))));
	return true;
}

void
hz_store_scan_end(HzStoreScan *scan)
{
	systable_endscan_ordered(scan->scan);
}

uint32_t
hz_store_checksum(Oid chunk_id, int32 chunk_seq, const void *data, Size length)
{
	uint8_t place[8];

	hz_store32(place, chunk_id);
	hz_store32(place + 4, (uint32_t) chunk_seq);
	return hz_checksum(data, length) ^ hz_checksum(place, sizeof(place));
}

static void
report_damaged_meta(HzStore *store, HeapTuple tuple)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("damaged metadata in the column store of table \"%s\"",
						   RelationGetRelationName(store->table)),
					errdetail("Block %u of TOAST relation \"%s\".",
							  ItemPointerGetBlockNumber(&tuple->t_self),
							  RelationGetRelationName(store->toast))));
}

/* The payload of a copy of META, to be changed. */
static uint8_t *
meta_bytes(HzStore *store, HeapTuple copy)
{
	Oid chunk_id;
	int32 seq;
	Size length;

	return (uint8_t *) hz_store_tuple_data(store, copy, &chunk_id, &seq, &length);
}

/* A copy of the current tuple as a whole: others change META in place, which the pin does not keep out. */
static HeapTuple
copy_meta(HzStore *store, HzStoreScan *scan)
{
	Buffer buffer = ((BufferHeapTupleTableSlot *) scan->scan->slot)->buffer;
	HeapTuple copy;
	Oid chunk_id;
	int32 seq;
	Size length;
	const uint8_t *data;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	copy = heap_copytuple(scan->tuple);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	data = hz_store_tuple_data(store, copy, &chunk_id, &seq, &length);
	if (length != META_SIZE || hz_load32(data) != META_MAGIC)
		report_damaged_meta(store, copy);
	return copy;
}

/* Finds META: its tuple (copied; the one with the greatest counter) or NULL. */
static HeapTuple
find_meta(HzStore *store, uint32 *next)
{
	HzStoreScan scan;
	HeapTuple found = NULL;

	*next = 0;
	if (hz_store_is_empty(store))
		return NULL;
	hz_store_scan_begin(store, &scan, HZ_STORE_META, 0, 0, SnapshotAny, ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		HeapTuple copy = copy_meta(store, &scan);
		uint8_t *data = meta_bytes(store, copy);
		uint32 here;

		if (hz_load32(data + 4) != HZ_STORE_VERSION)
			ereport(
				ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg(
					 "column store of table \"%s\" has format version %u, this build reads version %u",
					 RelationGetRelationName(store->table), hz_load32(data + 4), HZ_STORE_VERSION),
				 errhint("Install the version of hanzo_datastore that wrote it, or a newer one.")));
		if (hz_load32(data + META_CHECKED) !=
			hz_store_checksum(HZ_STORE_META, 0, data, META_CHECKED))
			report_damaged_meta(store, copy);
		here = hz_load32(data + 8);
		if (found != NULL && here <= *next)
		{
			heap_freetuple(copy);
			continue;
		}
		if (found != NULL)
			heap_freetuple(found);
		found = copy;
		*next = here;
	}
	hz_store_scan_end(&scan);
	return found;
}

static void
seal_meta(uint8_t *bytes)
{
	hz_store32(bytes + META_CHECKED, hz_store_checksum(HZ_STORE_META, 0, bytes, META_CHECKED));
}

/* Creates META, or writes the counter into the tuple that is there. */
static void
write_meta(HzStore *store, HeapTuple found, uint32 next)
{
	if (found == NULL)
	{
		uint8_t meta[META_SIZE] = {0};

		hz_store32(meta, META_MAGIC);
		hz_store32(meta + 4, HZ_STORE_VERSION);
		hz_store32(meta + 8, next);
		seal_meta(meta);
		HOLD_INTERRUPTS();
		hz_store_put(store, HZ_STORE_META, 0, meta, META_SIZE, GetCurrentCommandId(true),
					 HEAP_INSERT_FROZEN, NULL, NULL);
		RESUME_INTERRUPTS();
	}
	else
	{
		hz_store32(meta_bytes(store, found) + 8, next);
		seal_meta(meta_bytes(store, found));
		hz_compat_inplace_update(store->toast, found);
	}
}

/*
 * META without an index entry, left by an error or a crash between the two, gets one: else a second META would be
 * made, and the unique index could never be built again. Reads the TOAST heap, once in the life of a table: when
 * its first number is drawn. False: there is none.
 */
static bool
index_orphans(HzStore *store)
{
	TupleTableSlot *slot;
	TableScanDesc scan;
	bool any = false;

	if (hz_store_is_empty(store))
		return false;
	slot = table_slot_create(store->toast, NULL);
	scan = table_beginscan(store->toast, SnapshotAny, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		if (slot->tts_isnull[0] || DatumGetObjectId(slot->tts_values[0]) != HZ_STORE_META)
			continue;
		for (int i = 0; i < store->index_count; i++)
		{
			if (store->indexes[i]->rd_index->indisready)
				index_insert(store->indexes[i], slot->tts_values, slot->tts_isnull, &slot->tts_tid,
							 store->toast, UNIQUE_CHECK_NO, false, NULL);
		}
		any = true;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return any;
}

uint32
hz_store_next_block(HzStore *store)
{
	uint32 next;
	HeapTuple found = find_meta(store, &next);

	if (found != NULL)
		heap_freetuple(found);
	if (store != NULL && pending_relid == RelationGetRelid(store->toast) &&
		pending_xact == GetTopTransactionId())
		next = Max(next, pending_next);
	return next;
}

uint32
hz_store_draw(HzStore *store, uint32 blocks)
{
	uint32 first;
	HeapTuple found;

	LockPage(store->toast, META_LOCK, ExclusiveLock);
	found = find_meta(store, &first);
	if (found == NULL && index_orphans(store))
		found = find_meta(store, &first);
	if (pending_relid == RelationGetRelid(store->toast) && pending_xact == GetTopTransactionId())
		first = Max(first, pending_next);
	if (blocks > HZ_ROWID_MAX_BLOCKS - first)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("table \"%s\" has used up its row numbers",
						RelationGetRelationName(store->table)),
				 errhint("VACUUM FULL does not renew them; rewrite the table, for instance with "
						 "CREATE TABLE ... AS, or partition it.")));
	if (found != NULL && IsInParallelMode())
	{
		pending_relid = RelationGetRelid(store->toast);
		pending_xact = GetTopTransactionId();
		pending_next = first + blocks;
	}
	else
		write_meta(store, found, first + blocks);
	if (found != NULL)
		heap_freetuple(found);
	UnlockPage(store->toast, META_LOCK, ExclusiveLock);
	return first;
}

void
hz_store_persist_draws(HzStore *store)
{
	uint32 next;
	HeapTuple found;

	if (pending_relid != RelationGetRelid(store->toast) || pending_xact != GetTopTransactionId())
		return;
	LockPage(store->toast, META_LOCK, ExclusiveLock);
	found = find_meta(store, &next);
	if (pending_next > next)
		write_meta(store, found, pending_next);
	UnlockPage(store->toast, META_LOCK, ExclusiveLock);
	pending_relid = InvalidOid;
}

HzStoreMeta
hz_store_meta(HzStore *store)
{
	HzStoreMeta meta = {0};
	HeapTuple found = find_meta(store, &meta.next_block);

	if (found != NULL)
	{
		const uint8_t *bytes = meta_bytes(store, found);

		meta.vacuumed_blocks = hz_load32(bytes + 12);
		meta.changes = hz_load64(bytes + 16);
		meta.marked = hz_load32(bytes + 24) != 0;
		heap_freetuple(found);
	}
	return meta;
}

/* Changes META's bytes in place under its lock. */
static void
change_meta(HzStore *store, void (*change)(uint8_t *bytes, uint32 argument), uint32 argument)
{
	uint32 next;
	HeapTuple found;

	LockPage(store->toast, META_LOCK, ExclusiveLock);
	found = find_meta(store, &next);
	if (found != NULL)
	{
		change(meta_bytes(store, found), argument);
		seal_meta(meta_bytes(store, found));
		hz_compat_inplace_update(store->toast, found);
		heap_freetuple(found);
	}
	UnlockPage(store->toast, META_LOCK, ExclusiveLock);
}

static void
add_change(uint8_t *bytes, uint32 argument)
{
	hz_store64(bytes + 16, hz_load64(bytes + 16) + 1);
}

static void
set_marked(uint8_t *bytes, uint32 argument)
{
	hz_store32(bytes + 24, 1);
}

static void
set_vacuumed(uint8_t *bytes, uint32 argument)
{
	hz_store32(bytes + 12, argument);
}

void
hz_store_count_change(HzStore *store)
{
	/* in parallel mode only relations new in this transaction are written, which nobody else has cached */
	if (!IsInParallelMode())
		change_meta(store, add_change, 0);
}

void
hz_store_set_marked(HzStore *store)
{
	/* once set the flag stays, as long as the file does */
	if (marked_known && RelFileLocatorEquals(marked_locator, store->toast->rd_locator))
		return;
	if (!hz_store_meta(store).marked)
		change_meta(store, set_marked, 0);
	marked_known = true;
	marked_locator = store->toast->rd_locator;
}

void
hz_store_forget(void)
{
	marked_known = false;
	known.lxid = InvalidLocalTransactionId;
}

void
hz_store_set_vacuumed(HzStore *store, uint32 blocks)
{
	change_meta(store, set_vacuumed, blocks);
}

Oid
hz_store_new_chunk_id(HzStore *store)
{
	return GetNewOidWithIndex(store->toast, RelationGetRelid(store->indexes[store->valid_index]),
							  (AttrNumber) 1);
}

void
hz_store_lock_group(HzStore *store, uint32 group)
{
	LockPage(store->toast, group, ExclusiveLock);
}

void
hz_store_unlock_group(HzStore *store, uint32 group)
{
	UnlockPage(store->toast, group, ExclusiveLock);
}
