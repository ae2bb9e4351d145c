/*
 * admin/verify.c
 *	  hanzo_datastore.verify(table): reads and checks every byte, reports what is damaged as rows.
 *
 * What is checked, under the caller's snapshot:
 *	  metadata     META; the directory: every entry's checksum, its description, that row numbers do not overlap
 *	  index        that the TOAST index finds every tuple of the column store that a scan of the heap finds
 *	  column store every page of every group, every chunk: checksums, then each vector decoded; marks, forwards
 *	  delta        every row taken apart, values out of line fetched
 *
 * Each step runs in a subtransaction: an error about the data becomes a row and the next step follows. Cancelling,
 * running out of memory and the like end the whole.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "admin/inspect.h"
#include "am/columnar_am.h"
#include "base/bitmap.h"
#include "base/compat.h"
#include "storage/dircache.h"
#include "storage/forward.h"
#include "storage/groupread.h"
#include "storage/heapview.h"
#include "storage/mark.h"
#include "storage/rowid.h"

PG_FUNCTION_INFO_V1(hz_verify);

/* What a scan of the TOAST heap finds of one chunk_id. */
typedef struct ChunkCount
{
	Oid chunk_id; /* hash key */
	uint64 tuples;
} ChunkCount;

typedef struct Verification
{
	ReturnSetInfo *result;
	Relation rel;
	HzStore *store;
	Snapshot snapshot;
	HzColumnType *types;
	MemoryContext context; /* of the current step */
	HTAB *found;           /* ChunkCount of groups' chunk_ids and reserved ones */
	HzGroup **groups;
	uint32 group_count;
	/* where the current step is, for what it throws */
	const char *part;
	HzGroup *group;
	int attribute;     /* 0-based; -1: none */
	BlockNumber block; /* that a step reads, or InvalidBlockNumber */
} Verification;

typedef void (*Step)(Verification *verification);

/* ---- Findings */

/* block: InvalidBlockNumber when there is none to name. */
static void
put_problem(Verification *verification, BlockNumber block, const char *problem)
{
	Datum values[6];
	bool nulls[6] = {false};

	values[0] = ObjectIdGetDatum(RelationGetRelid(verification->rel));
	values[1] = CStringGetTextDatum(verification->part);
	nulls[2] = verification->group == NULL;
	values[2] = Int64GetDatum(verification->group == NULL ? 0 : verification->group->number);
	nulls[3] = verification->attribute < 0;
	values[3] = nulls[3] ? (Datum) 0
						 : NameGetDatum(&TupleDescAttr(RelationGetDescr(verification->rel),
													   verification->attribute)
											 ->attname);
	nulls[4] = !BlockNumberIsValid(block);
	values[4] = Int64GetDatum(block);
	values[5] = CStringGetTextDatum(problem);
	tuplestore_putvalues(verification->result->setResult, verification->result->setDesc, values,
						 nulls);
}

/* Errors that say something of the data, not of the session or the machine. */
static bool
is_about_data(int sqlerrcode)
{
	int category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category != ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) &&
		   category != ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) &&
		   category != ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) &&
		   category != ERRCODE_TO_CATEGORY(ERRCODE_LOCK_NOT_AVAILABLE);
}

/* Runs a step in a subtransaction; what it throws about the data is a finding. False: it threw. */
static bool
run_step(Verification *verification, Step step)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(verification->context);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(verification->context);
	PG_TRY();
	{
		step(verification);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return true;
	if (!is_about_data(error->sqlerrcode))
		ReThrowError(error);
	put_problem(verification, verification->block,
				error->detail == NULL ? error->message
									  : psprintf("%s (%s)", error->message, error->detail));
	FreeErrorData(error);
	return false;
}

/* ---- Metadata */

static void
check_meta(Verification *verification)
{
	HzStoreMeta meta = hz_store_meta(verification->store);
	HzGroup *last = NULL;

	if (meta.next_block == 0 && verification->group_count > 0)
		put_problem(verification, InvalidBlockNumber, "the counter of row numbers is missing");
	for (uint32 i = 0; i < verification->group_count; i++)
	{
		HzGroup *group = verification->groups[i];

		verification->group = group;
		if (last != NULL && last->number + hz_rowid_blocks(last->rows) > group->number)
			put_problem(verification, ItemPointerGetBlockNumber(&group->tid),
						"row numbers overlap with those of the row group before");
		if (group->number + hz_rowid_blocks(group->rows) > meta.next_block && meta.next_block > 0)
			put_problem(verification, ItemPointerGetBlockNumber(&group->tid),
						"row numbers beyond the counter");
		last = group;
	}
	verification->group = NULL;
}

/* ---- The TOAST heap against its index */

/* Counts a tuple of the TOAST heap; looks at directory entries, so that each damaged one is reported. */
static void
count_tuple(Verification *verification, HeapTuple tuple)
{
	Oid chunk_id;
	int32 seq;
	Size length;
	ChunkCount *count;

	(void) hz_store_tuple_data(verification->store, tuple, &chunk_id, &seq, &length);
	count = hash_search(verification->found, &chunk_id, HASH_FIND, NULL);
	if (count != NULL)
		count->tuples++;
	if (chunk_id == HZ_STORE_DIRECTORY)
		(void) hz_directory_parse(verification->store, tuple);
}

/* Reads block verification->block of the TOAST heap. */
static void
check_toast_block(Verification *verification)
{
	Relation toast = verification->store->toast;
	BlockNumber block = verification->block;
	Buffer buffer;
	Page page;

	buffer = ReadBufferExtended(toast, MAIN_FORKNUM, block, RBM_NORMAL, NULL);
	page = BufferGetPage(buffer);
	for (OffsetNumber offset = FirstOffsetNumber;; offset++)
	{
		HeapTupleData tuple;
		ItemId item;
		bool visible = false;

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (PageIsNew(page) || offset > PageGetMaxOffsetNumber(page))
			break;
		item = PageGetItemId(page, offset);
		if (ItemIdIsNormal(item))
		{
			tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
			tuple.t_len = ItemIdGetLength(item);
			tuple.t_tableOid = RelationGetRelid(toast);
			ItemPointerSet(&tuple.t_self, block, offset);
			visible = HeapTupleSatisfiesVisibility(&tuple, verification->snapshot, buffer);
		}
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		if (visible)
			count_tuple(verification, &tuple);
	}
	UnlockReleaseBuffer(buffer);
}

/* The tuples of verification->group that the index finds; those of the reserved chunk_ids when it is NULL. */
static void
check_index(Verification *verification)
{
	Oid ids[2] = {HZ_STORE_META, HZ_STORE_DIRECTORY};
	int count = 2;

	if (verification->group != NULL)
	{
		ids[0] = verification->group->chunk_id;
		count = 1;
	}
	for (int i = 0; i < count; i++)
	{
		ChunkCount *found = hash_search(verification->found, &ids[i], HASH_FIND, NULL);
		HzStoreScan scan;
		uint64 tuples = 0;

		hz_store_scan_begin(verification->store, &scan, ids[i], PG_INT32_MIN, PG_INT32_MAX,
							verification->snapshot, ForwardScanDirection);
		while (hz_store_scan_next(&scan))
		{
			CHECK_FOR_INTERRUPTS();
			tuples++;
		}
		hz_store_scan_end(&scan);
		if (found != NULL && found->tuples != tuples)
			put_problem(verification, InvalidBlockNumber,
						psprintf("the index of the TOAST relation finds " UINT64_FORMAT
								 " tuples of " UINT64_FORMAT
								 " with chunk_id %u: REINDEX TABLE %s.%s",
								 tuples, found->tuples, ids[i], "pg_toast",
								 RelationGetRelationName(verification->store->toast)));
	}
}

static void
expect_chunk(Verification *verification, Oid chunk_id)
{
	ChunkCount *count = hash_search(verification->found, &chunk_id, HASH_ENTER, NULL);

	count->tuples = 0;
}

/* Scans the whole TOAST heap, then compares with what the index finds. */
static void
verify_toast(Verification *verification)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(verification->store->toast);

	expect_chunk(verification, HZ_STORE_META);
	expect_chunk(verification, HZ_STORE_DIRECTORY);
	for (uint32 i = 0; i < verification->group_count; i++)
		expect_chunk(verification, verification->groups[i]->chunk_id);
	verification->part = "column store";
	for (verification->block = 0; verification->block < blocks; verification->block++)
		(void) run_step(verification, check_toast_block);
	verification->block = InvalidBlockNumber;
	verification->part = "index";
	(void) run_step(verification, check_index);
	for (uint32 i = 0; i < verification->group_count; i++)
	{
		verification->group = verification->groups[i];
		(void) run_step(verification, check_index);
	}
	verification->group = NULL;
}

/* ---- Row groups */

/* Pages are all there and as long as the directory says; forwards and marks have the right form. */
static void
check_group_tuples(Verification *verification)
{
	HzGroup *group = verification->group;
	uint64 *deleted = palloc0(HZ_BITMAP_WORDS(group->rows) * sizeof(uint64));
	HzStoreScan scan;
	uint32 next = 0;

	hz_store_scan_begin(verification->store, &scan, group->chunk_id, 0, PG_INT32_MAX,
						verification->snapshot, ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		BlockNumber block = ItemPointerGetBlockNumber(&scan.tuple->t_self);
		Size wanted = next + 1 < group->pages
						  ? HZ_STORE_PAGE
						  : group->bytes - (uint64) HZ_STORE_PAGE * (group->pages - 1);

		CHECK_FOR_INTERRUPTS();
		if (scan.seq >= HZ_STORE_FORWARDS)
		{
			if (!hz_forward_is_sound(group->chunk_id, scan.seq, scan.data, scan.length))
				put_problem(verification, block, "damaged forwards");
			continue;
		}
		if (scan.seq != (int32) next || next >= group->pages)
			put_problem(verification, block,
						psprintf("page %u is missing, or there is one too many", next));
		else if (scan.length != wanted)
			put_problem(verification, block, psprintf("page %u has the wrong length", next));
		next = (uint32) scan.seq + 1;
	}
	hz_store_scan_end(&scan);
	if (next < group->pages)
		put_problem(verification, InvalidBlockNumber,
					psprintf("the last %u pages are missing", group->pages - next));
	(void) hz_mark_deleted_rows(verification->store, group, verification->snapshot, deleted);
}

static void
check_column(Verification *verification)
{
	HzGroup group = *verification->group;
	HzGroupReader *reader;
	BlockNumber block = InvalidBlockNumber;
	HzStatus status;

	reader = hz_groupread_open(verification->store, &group, verification->types,
							   RelationGetDescr(verification->rel)->natts, NULL);
	if (hz_groupread_has(reader, verification->attribute))
	{
		status = hz_groupread_verify(reader, verification->attribute, &block);
		if (status != HZ_OK)
			put_problem(verification, block, hz_status_text(status));
	}
	hz_groupread_close(reader);
}

static void
check_description(Verification *verification)
{
	HzGroup group = *verification->group;

	hz_groupread_describe(verification->store, &group);
}

static void
verify_groups(Verification *verification)
{
	TupleDesc desc = RelationGetDescr(verification->rel);

	verification->part = "column store";
	for (uint32 i = 0; i < verification->group_count; i++)
	{
		verification->group = verification->groups[i];
		(void) run_step(verification, check_group_tuples);
		/* without a description no column can be found */
		if (!run_step(verification, check_description))
			continue;
		for (int a = 0; a < desc->natts; a++)
		{
			if (TupleDescAttr(desc, a)->attisdropped)
				continue;
			verification->attribute = a;
			(void) run_step(verification, check_column);
			verification->attribute = -1;
		}
	}
	verification->group = NULL;
}

/* ---- The delta */

/* Takes the row apart and fetches what is stored out of line. */
static void
check_delta_tuple(Verification *verification, HeapTuple tuple, Datum *values, bool *nulls)
{
	TupleDesc desc = RelationGetDescr(verification->rel);

	heap_deform_tuple(tuple, desc, values, nulls);
	for (int a = 0; a < desc->natts; a++)
	{
		struct varlena *value = (struct varlena *) DatumGetPointer(values[a]);
		struct varlena *plain;

		if (nulls[a] || TupleDescAttr(desc, a)->attisdropped ||
			TupleDescAttr(desc, a)->attlen != -1)
			continue;
		plain = pg_detoast_datum_packed(value);
		if (plain != value)
			pfree(plain);
	}
}

/* Reads block verification->block of the delta. */
static void
check_delta_block(Verification *verification)
{
	TupleDesc desc = RelationGetDescr(verification->rel);
	Datum *values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	bool *nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	BlockNumber block = verification->block;
	TableScanDesc scan;
	HeapScanDesc heap;
	HzHeapView view;

	hz_heapview_begin(&view, verification->rel);
	scan = heap_beginscan(verification->rel, verification->snapshot, 0, NULL, NULL,
						  SO_TYPE_SAMPLESCAN | SO_ALLOW_PAGEMODE);
	hz_heapview_end(&view);
	heap = (HeapScanDesc) scan;
	if (block < heap->rs_nblocks)
	{
		hz_compat_heap_read_page(scan, block);
		for (int i = 0; i < (int) heap->rs_ntuples; i++)
		{
			ItemId item = PageGetItemId(BufferGetPage(heap->rs_cbuf), heap->rs_vistuples[i]);
			HeapTupleData tuple;

			tuple.t_data = (HeapTupleHeader) PageGetItem(BufferGetPage(heap->rs_cbuf), item);
			tuple.t_len = ItemIdGetLength(item);
			tuple.t_tableOid = RelationGetRelid(verification->rel);
			ItemPointerSet(&tuple.t_self, block, heap->rs_vistuples[i]);
			check_delta_tuple(verification, &tuple, values, nulls);
		}
	}
	heap_endscan(scan);
}

static void
verify_delta(Verification *verification)
{
	BlockNumber blocks;
	HzHeapView view;

	verification->part = "delta";
	hz_heapview_begin(&view, verification->rel);
	blocks = RelationGetNumberOfBlocks(verification->rel);
	hz_heapview_end(&view);
	for (verification->block = 0; verification->block < blocks; verification->block++)
		(void) run_step(verification, check_delta_block);
	verification->block = InvalidBlockNumber;
}

/* ---- The table */

/* Groups that can be read at all, one by one: a damaged entry must not hide the others. */
static void
read_directory(Verification *verification)
{
	MemoryContext step = CurrentMemoryContext;
	uint32 room = 0;
	HzStoreScan scan;

	if (hz_store_is_empty(verification->store))
		return;
	hz_store_scan_begin(verification->store, &scan, HZ_STORE_DIRECTORY, 0, PG_INT32_MAX,
						verification->snapshot, ForwardScanDirection);
	while (hz_store_scan_next(&scan))
	{
		HzGroup *group;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(GetMemoryChunkContext(verification));
		group = hz_directory_try_parse(verification->store, scan.tuple);
		if (group != NULL)
		{
			if (verification->group_count == room)
			{
				room = room == 0 ? 64 : room * 2;
				verification->groups =
					verification->groups == NULL
						? palloc(sizeof(HzGroup *) * room)
						: repalloc_huge(verification->groups, sizeof(HzGroup *) * room);
			}
			verification->groups[verification->group_count++] = group;
		}
		MemoryContextSwitchTo(step);
	}
	hz_store_scan_end(&scan);
}

/* As queries do: an entry that the index leads to, and that another stands for there, is none to them. */
static void
read_cached_directory(Verification *verification)
{
	uint32 count;

	hz_dircache_forget(RelationGetRelid(verification->rel));
	(void) hz_directory_read(verification->store, verification->snapshot, &count);
}

static void
verify_table(ReturnSetInfo *result, Relation rel)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo verify", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Verification *verification = palloc0(sizeof(Verification));
	HASHCTL control = {.keysize = sizeof(Oid), .entrysize = sizeof(ChunkCount), .hcxt = context};

	verification->result = result;
	verification->rel = rel;
	verification->snapshot = GetActiveSnapshot();
	verification->types = hz_coltype_for(RelationGetDescr(rel));
	verification->attribute = -1;
	verification->block = InvalidBlockNumber;
	verification->context =
		AllocSetContextCreate(context, "hanzo verify step", ALLOCSET_DEFAULT_SIZES);
	verification->found =
		hash_create("hanzo verify chunks", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	verification->store = hz_store_open(rel, AccessShareLock);
	if (!hz_store_is_empty(verification->store))
	{
		verification->part = "metadata";
		(void) run_step(verification, read_directory);
		(void) run_step(verification, read_cached_directory);
		(void) run_step(verification, check_meta);
		verification->group = NULL;
		verify_toast(verification);
		verify_groups(verification);
	}
	verify_delta(verification);
	hz_store_close(verification->store);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/*
 * verify(relation regclass): (table_name regclass, store text, row_group bigint, column_name name, block bigint,
 *	problem text)
 */
Datum
hz_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid relid = PG_GETARG_OID(0);
	ListCell *cell;

	InitMaterializedSRF(fcinfo, 0);
	/* the right to read a partitioned table's partitions is asked for each of them */
	foreach(cell, hz_inspect_tables(relid))
	{
		Relation rel = hz_inspect_open(lfirst_oid(cell));

		if (rel == NULL)
			continue;
		verify_table(result, rel);
		relation_close(rel, NoLock);
	}
	return (Datum) 0;
}
