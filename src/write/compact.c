/*
 * write/compact.c
 *	  What to move: delta rows, small groups, groups with many deleted rows. See compact.h.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/bitmap.h"
#include "storage/deltacount.h"
#include "storage/forward.h"
#include "storage/groupread.h"
#include "storage/heapview.h"
#include "storage/mark.h"
#include "storage/rowid.h"
#include "write/bulk.h"
#include "write/compact.h"
#include "write/groupwalk.h"
#include "write/mover.h"

void
hz_compact_begin_phase(HzCompactProgress *progress, HzCompactPhase phase, uint64 total)
{
	progress->phase = phase;
	progress->done = 0;
	progress->total = total;
	progress->report(progress);
}

void
hz_compact_advance(HzCompactProgress *progress, uint64 rows)
{
	progress->done += rows;
	progress->total = Max(progress->total, progress->done);
	progress->report(progress);
}

#define GARBAGE_GROUPS 64 /* of which the tuples are deleted in one transaction */

/* Makes room for a group's worth of rows, in the memory of the last round where that fits. */
static void
gather_begin(HzCompactProgress *progress, HzMover *mover)
{
	HzGathered *gathered = &progress->gathered;
	TupleDesc desc = RelationGetDescr(mover->rel);

	if (gathered->buffer != NULL && !equalTupleDescs(hz_rowbuffer_desc(gathered->buffer), desc))
	{
		hz_rowbuffer_destroy(gathered->buffer);
		gathered->buffer = NULL;
	}
	if (gathered->buffer == NULL)
		gathered->buffer = hz_rowbuffer_create(progress->context, desc);
	hz_rowbuffer_reset(gathered->buffer);
	if (gathered->room != mover->options->row_group_rows)
	{
		gathered->room = mover->options->row_group_rows;
		gathered->old =
			gathered->old == NULL
				? MemoryContextAlloc(progress->context, sizeof(ItemPointerData) * gathered->room)
				: repalloc(gathered->old, sizeof(ItemPointerData) * gathered->room);
	}
}

static bool
gather_full(const HzGathered *gathered)
{
	return hz_rowbuffer_rows(gathered->buffer) >= gathered->room ||
		   hz_rowbuffer_bytes(gathered->buffer) >= hz_rowbuffer_limit();
}

static void
gather_add(HzGathered *gathered, const Datum *values, const bool *isnull, ItemPointer old)
{
	gathered->old[hz_rowbuffer_rows(gathered->buffer)] = *old;
	hz_rowbuffer_add(gathered->buffer, values, isnull);
}

/* The same of a whole tuple, where that can be copied as it is. */
static bool
gather_tuple(HzGathered *gathered, HeapTuple tuple, ItemPointer old)
{
	gathered->old[hz_rowbuffer_rows(gathered->buffer)] = *old;
	return hz_rowbuffer_add_tuple(gathered->buffer, tuple);
}

/* Somebody is at work on the tuple: leave it for the next round. */
static bool
tuple_is_held(HeapTuple tuple)
{
	HeapTupleHeader header = tuple->t_data;
	TransactionId xmax;

	/* rows of our own transaction: deferred checks may still ask for their TIDs */
	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(header)))
		return true;
	if ((header->t_infomask & HEAP_XMAX_INVALID) != 0)
		return false;
	xmax = HeapTupleHeaderGetRawXmax(header);
	if ((header->t_infomask & HEAP_XMAX_IS_MULTI) != 0)
		return MultiXactIdIsRunning(xmax, HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask));
	return TransactionIdIsCurrentTransactionId(xmax) || TransactionIdIsInProgress(xmax);
}

/* Collects visible rows of the delta from block `from` on; returns the block to go on with. */
static BlockNumber
gather_delta(HzMover *mover, HzGathered *gathered, BlockNumber from)
{
	Relation rel = mover->rel;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsBufferHeapTuple);
	TableScanDesc scan;
	HzHeapView view;
	BlockNumber blocks;
	BlockNumber at = from;

	hz_heapview_begin(&view, rel);
	blocks = RelationGetNumberOfBlocks(rel);
	scan = heap_beginscan(rel, mover->snapshot, 0, NULL, NULL,
						  SO_TYPE_SEQSCAN | SO_ALLOW_STRAT | SO_ALLOW_PAGEMODE);
	hz_heapview_end(&view);
	if (from < blocks)
		heap_setscanlimits(scan, from, blocks - from);
	while (from < blocks && !gather_full(gathered) &&
		   heap_getnextslot(scan, ForwardScanDirection, slot))
	{
		HeapTuple tuple = ((BufferHeapTupleTableSlot *) slot)->base.tuple;

		CHECK_FOR_INTERRUPTS();
		at = ItemPointerGetBlockNumber(&slot->tts_tid);
		if (tuple_is_held(tuple) || gather_tuple(gathered, tuple, &slot->tts_tid))
			continue;
		slot_getallattrs(slot);
		if (!HeapTupleHasExternal(tuple) ||
			!hz_rowbuffer_is_huge(slot->tts_tupleDescriptor, slot->tts_values, slot->tts_isnull))
			gather_add(gathered, slot->tts_values, slot->tts_isnull, &slot->tts_tid);
	}
	heap_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return at;
}

bool
hz_compact_delta(Relation rel, HzCompactProgress *progress)
{
	HzMover mover;
	HzGathered *gathered = &progress->gathered;
	bool more = false;

	hz_bulk_flush(rel);
	if (!hz_mover_begin(&mover, rel))
	{
		progress->refused = true;
		return false;
	}
	if (progress->phase != HZ_COMPACT_DELTA)
		hz_compact_begin_phase(progress, HZ_COMPACT_DELTA,
							   hz_deltacount(rel, mover.snapshot, NULL));
	gather_begin(progress, &mover);
	progress->next_block = gather_delta(&mover, gathered, progress->next_block);
	if (hz_rowbuffer_rows(gathered->buffer) > 0)
	{
		HzMoved *moved = hz_mover_write(&mover, gathered->buffer, gathered->old, mover.options);
		uint32 rows = hz_mover_take_delta(&mover, moved);

		hz_mover_publish(&mover, moved);
		ereport(DEBUG1,
				(errmsg_internal("row group of %u rows, %u copied as tuples, was encoded",
								 moved->group->rows, hz_rowbuffer_copied(gathered->buffer))));
		hz_compact_advance(progress, rows);
		/* nothing could be moved: do not look at the same rows again */
		if (rows == 0)
			progress->next_block++;
		more = gather_full(gathered) || rows == 0;
	}
	hz_mover_end(&mover);
	CommandCounterIncrement();
	return more;
}

static void
gather_row(void *arg, const Datum *values, const bool *isnull, uint64 number)
{
	ItemPointerData tid;

	hz_rowid_to_tid(number, &tid);
	gather_add(arg, values, isnull, &tid);
}

/* What pick_groups() has to know of a group. */
typedef struct Candidate
{
	uint32 live;
	uint64 bytes; /* of the live rows before encoding, about */
	bool thin;    /* a fifth of the rows is deleted */
	bool small;   /* below half of a full group by rows and by bytes */
} Candidate;

/* Bytes of the values that a row of the group takes from defaults of columns added later. */
static uint64
missing_bytes(TupleDesc desc, const HzGroup *group)
{
	uint64 bytes = 0;

	for (int i = group->meta.column_count; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		bool isnull;
		Datum value;

		if (attribute->attisdropped || !attribute->atthasmissing)
			continue;
		value = getmissingattr(desc, i + 1, &isnull);
		if (!isnull)
			bytes += attribute->attlen == -1 ? toast_raw_datum_size(value) : 16;
	}
	return bytes;
}

static Candidate
examine_candidate(HzMover *mover, HzGroup *group)
{
	Candidate candidate;

	candidate.live = hz_mover_live_rows(mover, group);
	candidate.bytes = (uint64) ((double) hz_groupread_raw_bytes(mover->store, group) *
								candidate.live / group->rows) +
					  candidate.live * missing_bytes(RelationGetDescr(mover->rel), group);
	candidate.thin = (uint64) (group->rows - candidate.live) * 5 >= group->rows;
	candidate.small = candidate.live < mover->options->row_group_rows / 2 &&
					  candidate.bytes < hz_rowbuffer_limit() / 2;
	/* written under a greater limit: it cannot be gathered as a whole */
	if (candidate.live > mover->options->row_group_rows)
		candidate.thin = candidate.small = false;
	return candidate;
}

/*
 * Picks neighbouring groups worth rewriting together: their live rows fit one group, and there are at
 * least two small ones or one that is thin. *next says where the next search goes on.
 */
static List *
pick_groups(HzMover *mover, HzGroup **groups, uint32 count, uint32 *next)
{
	List *picked = NIL;
	uint64 rows = 0;
	uint64 bytes = 0;
	bool worth = false;
	uint32 i;

	for (i = 0; i < count; i++)
	{
		Candidate candidate;
		bool fits;

		CHECK_FOR_INTERRUPTS();
		if (groups[i]->number < *next)
			continue;
		candidate = examine_candidate(mover, groups[i]);
		fits = rows + candidate.live <= mover->options->row_group_rows &&
			   bytes + candidate.bytes <= hz_rowbuffer_limit();
		if (worth && (!fits || !(candidate.small || candidate.thin)))
			break;
		if (!fits || !(candidate.small || candidate.thin))
		{
			picked = NIL;
			rows = bytes = 0;
		}
		if (!(candidate.small || candidate.thin))
			continue;
		picked = lappend(picked, groups[i]);
		rows += candidate.live;
		bytes += candidate.bytes;
		worth = worth || candidate.thin || list_length(picked) > 1;
	}
	*next = i < count ? groups[i]->number : PG_UINT32_MAX;
	return worth ? picked : NIL;
}

/* Rows of the groups that may be merged or rewritten, for progress reports. */
static uint64
candidate_rows(HzMover *mover, HzGroup **groups, uint32 count)
{
	uint64 rows = 0;

	for (uint32 i = 0; i < count; i++)
	{
		Candidate candidate = examine_candidate(mover, groups[i]);

		CHECK_FOR_INTERRUPTS();
		if (candidate.small || candidate.thin)
			rows += candidate.live;
	}
	return rows;
}

bool
hz_compact_groups(Relation rel, HzCompactProgress *progress)
{
	HzMover mover;
	HzGroup **groups;
	uint32 count;
	List *picked;

	if (progress->refused || progress->next_group == PG_UINT32_MAX || !hz_mover_begin(&mover, rel))
		return false;
	groups = hz_directory_read(mover.store, mover.snapshot, &count);
	if (progress->phase != HZ_COMPACT_GROUPS)
		hz_compact_begin_phase(progress, HZ_COMPACT_GROUPS, candidate_rows(&mover, groups, count));
	picked = pick_groups(&mover, groups, count, &progress->next_group);
	if (picked != NIL)
	{
		HzColumnType *types = hz_coltype_for(RelationGetDescr(rel));
		HzGathered *gathered = &progress->gathered;
		HzMoved *moved = NULL;
		ListCell *cell;

		gather_begin(progress, &mover);
		foreach(cell, picked)
			hz_groupwalk(mover.store, lfirst(cell), RelationGetDescr(rel), types, mover.snapshot,
						 gather_row, gathered);
		if (hz_rowbuffer_rows(gathered->buffer) > 0)
			moved = hz_mover_write(&mover, gathered->buffer, gathered->old, mover.options);
		foreach(cell, picked)
			(void) hz_mover_take_group(&mover, lfirst(cell), &moved, moved ? 1 : 0);
		if (moved != NULL)
		{
			hz_mover_publish(&mover, moved);
			hz_compact_advance(progress, moved->group->rows - moved->deleted_count);
		}
	}
	hz_mover_end(&mover);
	CommandCounterIncrement();
	return progress->next_group != PG_UINT32_MAX;
}

/* The tuples of groups that are gone, some groups at a time; true: there may be more. */
static bool
collect_garbage(HzStore *store, Snapshot snapshot)
{
	uint32 count = hz_directory_collect(store, snapshot, GetCurrentCommandId(true), GARBAGE_GROUPS);

	CommandCounterIncrement();
	return count == GARBAGE_GROUPS;
}

bool
hz_compact_tidy(Relation rel, HzCompactProgress *progress)
{
	HzStore *store = hz_store_open(rel, RowExclusiveLock);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	uint32 count = 0;
	HzGroup **groups = NULL;
	bool more = false;

	if (progress->phase != HZ_COMPACT_TIDY)
		hz_compact_begin_phase(progress, HZ_COMPACT_TIDY, 0);
	if (!hz_store_is_empty(store))
	{
		more = collect_garbage(store, snapshot);
		/* the rest is done once, in the last round */
		if (!more)
			groups = hz_directory_read(store, snapshot, &count);
	}
	for (uint32 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		while (hz_mark_fold(store, groups[i], GetCurrentCommandId(true)))
			CommandCounterIncrement();
		(void) hz_forward_expire(store, groups[i], GetCurrentCommandId(true));
	}
	UnregisterSnapshot(snapshot);
	hz_store_close(store);
	CommandCounterIncrement();
	return more;
}
