/*
 * am/am_sample.c
 *	  ANALYZE and TABLESAMPLE.
 *
 * Both see the table as blocks: first those of the delta, then blocks that stand for slices of row
 * groups. For ANALYZE there are as many as the TOAST heap has pages, so that relation_size() is the true
 * size, and the rows of all groups are dealt out to them evenly; for TABLESAMPLE one for every 256 rows.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/tsmapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"

#include "am/columnar_am.h"
#include "am/scandesc.h"
#include "base/compat.h"
#include "storage/rowid.h"

/* ANALYZE: the rows, counted over all groups, for which block `block` of `blocks` stands. */
static void
find_share(HzScanDesc *scan, uint64 block, uint64 blocks)
{
	uint32 count;
	HzGroup **groups = hz_rowscan_groups(scan->columns, &count);
	uint64 rows = 0;
	uint64 first;

	for (uint32 i = 0; i < count; i++)
		rows += groups[i]->rows;
	scan->slice_left = 0;
	if (block >= blocks)
		return;
	first = (uint64) ((double) rows * block / blocks);
	scan->slice_left = (uint64) ((double) rows * (block + 1) / blocks) - first;
	scan->group_index = 0;
	while (scan->group_index < count && first >= groups[scan->group_index]->rows)
		first -= groups[scan->group_index++]->rows;
	scan->position = (uint32) first;
}

/* TABLESAMPLE: finds slice `block` (0-based) of 256 rows; false when there is none. */
static bool
find_slice(HzScanDesc *scan, uint64 block)
{
	uint32 count;
	HzGroup **groups = hz_rowscan_groups(scan->columns, &count);

	for (uint32 i = 0; i < count; i++)
	{
		uint64 slices = hz_rowid_blocks(groups[i]->rows);

		if (block < slices)
		{
			scan->group_index = i;
			scan->position = (uint32) block * HZ_ROWID_ROWS_PER_BLOCK;
			scan->slice_left = Min(groups[i]->rows - scan->position, HZ_ROWID_ROWS_PER_BLOCK);
			return true;
		}
		block -= slices;
	}
	return false;
}

/* Goes to a block of ANALYZE's sample; one without rows has none to give. */
static bool
analyze_block(TableScanDesc sscan, BlockNumber block, BufferAccessStrategy strategy)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	HeapScanDesc delta = (HeapScanDesc) scan->delta;

	scan->in_columns = block >= delta->rs_nblocks;
	if (scan->in_columns)
	{
		find_share(scan, block - delta->rs_nblocks,
				   RelationGetNumberOfBlocks(sscan->rs_rd) - delta->rs_nblocks);
		return true;
	}
	/* as heap's own callback, whose arguments change; its next_tuple releases the buffer */
	delta->rs_cblock = block;
	delta->rs_cindex = FirstOffsetNumber;
	delta->rs_cbuf = ReadBufferExtended(sscan->rs_rd, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
	LockBuffer(delta->rs_cbuf, BUFFER_LOCK_SHARE);
	return true;
}

HZ_COMPAT_ANALYZE_NEXT_BLOCK(scan_analyze_next_block, analyze_block)

static bool
scan_analyze_next_tuple(TableScanDesc sscan, TransactionId OldestXmin, double *liverows,
						double *deadrows, TupleTableSlot *slot)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	uint32 count;
	HzGroup **groups;

	if (!scan->in_columns)
		return GetHeapamTableAmRoutine()->scan_analyze_next_tuple(scan->delta, OldestXmin, liverows,
																  deadrows, slot);
	groups = hz_rowscan_groups(scan->columns, &count);
	while (scan->slice_left > 0 && scan->group_index < count)
	{
		CHECK_FOR_INTERRUPTS();
		if (scan->position >= groups[scan->group_index]->rows)
		{
			scan->group_index++;
			scan->position = 0;
			continue;
		}
		scan->slice_left--;
		if (hz_rowscan_fetch(scan->columns, scan->group_index, scan->position++, slot))
		{
			*liverows += 1;
			return true;
		}
		*deadrows += 1;
	}
	ExecClearTuple(slot);
	return false;
}

static uint64
sample_slices(HzScanDesc *scan)
{
	uint32 count;
	HzGroup **groups = hz_rowscan_groups(scan->columns, &count);
	uint64 slices = 0;

	for (uint32 i = 0; i < count; i++)
		slices += hz_rowid_blocks(groups[i]->rows);
	return slices;
}

static bool
scan_sample_next_block(TableScanDesc sscan, SampleScanState *state)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	HeapScanDesc delta = (HeapScanDesc) scan->delta;
	uint64 total = delta->rs_nblocks + sample_slices(scan);
	BlockNumber block;

	if (total == 0)
		return false;
	if (state->tsmroutine->NextSampleBlock)
		block = state->tsmroutine->NextSampleBlock(state, (BlockNumber) Min(total, MaxBlockNumber));
	else
		block = scan->sample_block == InvalidBlockNumber ? 0 : scan->sample_block + 1;
	if (!BlockNumberIsValid(block) || block >= total)
	{
		if (BufferIsValid(delta->rs_cbuf))
			ReleaseBuffer(delta->rs_cbuf);
		delta->rs_cbuf = InvalidBuffer;
		scan->sample_block = InvalidBlockNumber;
		return false;
	}
	scan->sample_block = block;
	scan->in_columns = block >= delta->rs_nblocks;
	if (scan->in_columns)
		return find_slice(scan, block - delta->rs_nblocks);
	hz_compat_heap_read_page(scan->delta, block);
	return true;
}

/* Whether the tuple is one that reading the page has found visible. */
static bool
page_tuple_visible(HeapScanDesc delta, OffsetNumber offset)
{
	int low = 0;
	int high = delta->rs_ntuples - 1;

	while (low <= high)
	{
		int middle = (low + high) / 2;

		if (delta->rs_vistuples[middle] == offset)
			return true;
		if (delta->rs_vistuples[middle] < offset)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return false;
}

static bool
sample_next_delta(HzScanDesc *scan, SampleScanState *state, TupleTableSlot *slot)
{
	HeapScanDesc delta = (HeapScanDesc) scan->delta;
	Page page = BufferGetPage(delta->rs_cbuf);
	OffsetNumber most = PageGetMaxOffsetNumber(page);

	for (;;)
	{
		OffsetNumber offset = state->tsmroutine->NextSampleTuple(state, scan->sample_block, most);
		HeapTuple tuple = &delta->rs_ctup;
		ItemId item;

		CHECK_FOR_INTERRUPTS();
		if (!OffsetNumberIsValid(offset))
			return false;
		item = PageGetItemId(page, offset);
		if (!ItemIdIsNormal(item) || !page_tuple_visible(delta, offset))
			continue;
		tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple->t_len = ItemIdGetLength(item);
		tuple->t_tableOid = RelationGetRelid(scan->base.rs_rd);
		ItemPointerSet(&tuple->t_self, scan->sample_block, offset);
		ExecStoreBufferHeapTuple(tuple, slot, delta->rs_cbuf);
		return true;
	}
}

static bool
scan_sample_next_tuple(TableScanDesc sscan, SampleScanState *state, TupleTableSlot *slot)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;

	if (!scan->in_columns)
	{
		if (sample_next_delta(scan, state, slot))
			return true;
		ExecClearTuple(slot);
		return false;
	}
	for (;;)
	{
		OffsetNumber offset = state->tsmroutine->NextSampleTuple(state, scan->sample_block,
																 (OffsetNumber) scan->slice_left);

		CHECK_FOR_INTERRUPTS();
		if (!OffsetNumberIsValid(offset))
			break;
		if (hz_rowscan_fetch(scan->columns, scan->group_index, scan->position + offset - 1, slot))
			return true;
	}
	ExecClearTuple(slot);
	return false;
}

void
hz_am_sample_callbacks(TableAmRoutine *routine)
{
	routine->scan_analyze_next_block = scan_analyze_next_block;
	routine->scan_analyze_next_tuple = scan_analyze_next_tuple;
	routine->scan_sample_next_block = scan_sample_next_block;
	routine->scan_sample_next_tuple = scan_sample_next_tuple;
}
