/*
 * exec/bitmapscan.c
 *	  ColumnarScan by a bitmap of TIDs, which bitmap index scans below it have made.
 *
 * Core's BitmapHeapScan prefetches the blocks that the bitmap names, and those of columnar rows lie
 * beyond the end of the file. The bitmap hands out blocks in ascending order, the delta's before the
 * column store's; a block of the latter is a run of 256 row numbers.
 *
 * An MVCC snapshot makes the bitmap safe beside compaction: whoever sees the new row group sees the
 * index entries that were made before it, whoever does not sees the old row, whose entries VACUUM keeps.
 *
 * A vector of which many rows are wanted is decoded; otherwise they are read one by one, out of the backend's cache of
 * open groups.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "base/bitmap.h"
#include "base/compat.h"
#include "exec/scanstate.h"
#include "read/rowfetch.h"
#include "storage/heapview.h"
#include "storage/rowid.h"
#include "storage/ssi.h"

/* From this many rows of a block on, the vector is decoded as a whole. */
#define DECODE_ROWS 24

struct HzBitmapScan
{
	ExprState *recheck; /* the index conditions, for what the bitmap is not sure of */
	TIDBitmap *bitmap;  /* NULL before the first row */
	HzCompatBitmapIterator *iterator;
	HzCompatBitmapBlock block;
	BlockNumber delta_blocks; /* at the start */
	/* rows of the block: offsets in the delta's page, positions in the batch, or offsets of TIDs */
	Buffer buffer;
	int count;
	int next;
	uint16 rows[HZ_COMPAT_BITMAP_OFFSETS];
	/* the column store */
	bool in_batch;      /* rows of the block are in the batch, which is decoded */
	uint32 group_index; /* where the last batch was found */
	HzRowFetch *fetch;  /* for rows read one by one; NULL before the first */
	int *attnos;        /* of the needed columns */
};

void
hz_bitmapscan_init(HzScanNode *node, EState *estate, int eflags)
{
	CustomScan *plan = (CustomScan *) node->css.ss.ps.plan;
	HzBitmapScan *scan = palloc0(sizeof(HzBitmapScan));

	scan->recheck = ExecInitQual(plan->custom_exprs, &node->css.ss.ps);
	scan->buffer = InvalidBuffer;
	scan->attnos = palloc(sizeof(int) * Max(node->column_count, 1));
	for (int i = 0; i < node->column_count; i++)
		scan->attnos[i] = node->columns[i].attno;
	node->css.custom_ps = list_make1(ExecInitNode(linitial(plan->custom_plans), estate, eflags));
	node->bitmap = scan;
}

static void
start(HzScanNode *node)
{
	HzBitmapScan *scan = node->bitmap;
	EState *estate = node->css.ss.ps.state;
	Relation rel = node->css.ss.ss_currentRelation;
	HzHeapView view;
	MemoryContext old;

	if (scan->fetch == NULL)
	{
		/* before the index is read; once, for whoever writes later meets the lock */
		hz_ssi_read(rel, estate->es_snapshot);
		old = MemoryContextSwitchTo(estate->es_query_cxt);
		scan->fetch = hz_rowfetch_begin(rel);
		node->batches = hz_batchscan_begin(rel, estate->es_snapshot, NULL);
		MemoryContextSwitchTo(old);
	}
	scan->bitmap = (TIDBitmap *) MultiExecProcNode(linitial(node->css.custom_ps));
	if (scan->bitmap == NULL || !IsA(scan->bitmap, TIDBitmap))
		elog(ERROR, "unrecognized result from subplan");
	scan->iterator = hz_compat_bitmap_begin(scan->bitmap);
	hz_heapview_begin(&view, rel);
	scan->delta_blocks = RelationGetNumberOfBlocks(rel);
	hz_heapview_end(&view);
	scan->count = scan->next = 0;
	scan->group_index = 0;
	node->batch = NULL;
	node->last_group = PG_UINT32_MAX;
}

/* ---- The delta */

/* The rows of a page that the bitmap does not name one by one. */
static void
judge_page(HzBitmapScan *scan, Relation rel, Snapshot snapshot)
{
	Page page = BufferGetPage(scan->buffer);
	OffsetNumber last = PageGetMaxOffsetNumber(page);

	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId item = PageGetItemId(page, offset);
		HeapTupleData tuple;
		bool visible;

		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		tuple.t_tableOid = RelationGetRelid(rel);
		ItemPointerSet(&tuple.t_self, scan->block.number, offset);
		visible = HeapTupleSatisfiesVisibility(&tuple, snapshot, scan->buffer);
		if (visible)
			scan->rows[scan->count++] = offset;
		HeapCheckForSerializableConflictOut(visible, rel, &tuple, scan->buffer, snapshot);
	}
}

/* Finds the visible rows of a page of the delta. */
static void
load_page(HzScanNode *node)
{
	HzBitmapScan *scan = node->bitmap;
	Relation rel = node->css.ss.ss_currentRelation;
	Snapshot snapshot = node->css.ss.ps.state->es_snapshot;

	/* entries of rows inserted since; SSI wants to know of them, but looked at by whom reads the index */
	if (scan->block.number >= scan->delta_blocks && !IsolationIsSerializable())
		return;
	scan->buffer = ReleaseAndReadBuffer(scan->buffer, rel, scan->block.number);
	heap_page_prune_opt(rel, scan->buffer);
	LockBuffer(scan->buffer, BUFFER_LOCK_SHARE);
	if (scan->block.lossy)
		judge_page(scan, rel, snapshot);
	for (int i = 0; i < scan->block.count; i++)
	{
		ItemPointerData tid;
		HeapTupleData tuple;

		/* the head of a HOT chain, whose visible member is wanted */
		ItemPointerSet(&tid, scan->block.number, scan->block.offsets[i]);
		if (heap_hot_search_buffer(&tid, rel, scan->buffer, snapshot, &tuple, NULL, true))
			scan->rows[scan->count++] = ItemPointerGetOffsetNumber(&tid);
	}
	LockBuffer(scan->buffer, BUFFER_LOCK_UNLOCK);
}

static void
take_page_row(HzScanNode *node, OffsetNumber offset)
{
	HzBitmapScan *scan = node->bitmap;
	BufferHeapTupleTableSlot *slot = (BufferHeapTupleTableSlot *) node->delta_row;
	HeapTuple tuple = &slot->base.tupdata;
	Page page = BufferGetPage(scan->buffer);
	ItemId item = PageGetItemId(page, offset);

	Assert(ItemIdIsNormal(item));
	tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
	tuple->t_len = ItemIdGetLength(item);
	tuple->t_tableOid = RelationGetRelid(node->css.ss.ss_currentRelation);
	ItemPointerSet(&tuple->t_self, scan->block.number, offset);
	ExecStoreBufferHeapTuple(tuple, node->delta_row, scan->buffer);
	hz_scannode_take_row(node, node->delta_row);
	node->counters.delta_rows++;
}

/* ---- The column store */

/* The group that the snapshot sees and that holds row block `block`; false: none. Blocks come in ascending order. */
static bool
find_group(HzScanNode *node, uint32 block, HzGroup **group)
{
	HzBitmapScan *scan = node->bitmap;
	uint32 count;
	HzGroup **groups = hz_batchscan_groups(node->batches, &count);
	uint32 low = scan->group_index;
	uint32 high = count;

	while (low < high)
	{
		uint32 middle = (low + high) / 2;

		if (groups[middle]->number + hz_rowid_blocks(groups[middle]->rows) <= block)
			low = middle + 1;
		else
			high = middle;
	}
	scan->group_index = low;
	if (low == count || groups[low]->number > block)
		return false;
	*group = groups[low];
	return true;
}

/* Finds the rows of a row block that are not deleted in its vector, which becomes the current, decoded batch. */
static void
load_vector(HzScanNode *node, const HzCompatBitmapBlock *block)
{
	HzBitmapScan *scan = node->bitmap;
	uint32 number = block->number - HZ_ROWID_FIRST_BLOCK;
	int wanted = block->lossy ? HZ_ROWID_ROWS_PER_BLOCK : block->count;
	HzGroup *group;
	uint32 first;
	uint32 vector;

	if (!find_group(node, number, &group))
		return;
	first = (number - group->number) * HZ_ROWID_ROWS_PER_BLOCK;
	vector = first / HZ_VECTOR_ROWS;
	first %= HZ_VECTOR_ROWS;
	if (node->batch == NULL || node->batch->group != group || node->batch->vector != vector)
	{
		node->batch = hz_batchscan_seek(node->batches, scan->group_index, vector);
		node->rows = (HzRows){.count = node->batch->rows};
		hz_scannode_decode(node);
		node->counters.vectors++;
		node->counters.row_groups += group->number != node->last_group;
		node->last_group = group->number;
	}
	for (int i = 0; i < wanted; i++)
	{
		uint32 row = first + (block->lossy ? i : block->offsets[i] - 1);

		if (row < node->batch->rows &&
			(node->batch->deleted == NULL || !hz_bitmap_get(node->batch->deleted, row)))
			scan->rows[scan->count++] = (uint16) row;
	}
}

/* Whether the block's rows are those of the batch anyway, or so many that they are worth making it so. */
static bool
is_dense(HzScanNode *node, const HzCompatBitmapBlock *block)
{
	uint32 number = block->number - HZ_ROWID_FIRST_BLOCK;
	HzBatch *batch = node->batch;

	if (block->lossy || block->count >= DECODE_ROWS)
		return true;
	return batch != NULL && number - batch->group->number - batch->first / HZ_ROWID_ROWS_PER_BLOCK <
								hz_rowid_blocks(batch->rows);
}

static void
load_row_block(HzScanNode *node)
{
	HzBitmapScan *scan = node->bitmap;

	scan->in_batch = is_dense(node, &scan->block);
	if (scan->in_batch)
	{
		load_vector(node, &scan->block);
		return;
	}
	scan->count = scan->block.count;
	memcpy(scan->rows, scan->block.offsets, sizeof(OffsetNumber) * scan->count);
}

/* Reads one row, if the snapshot sees it. */
static void
take_single_row(HzScanNode *node, OffsetNumber offset)
{
	HzBitmapScan *scan = node->bitmap;
	TupleTableSlot *to = node->row;

	ItemPointerSet(&to->tts_tid, scan->block.number, offset);
	if (!hz_rowfetch_columns(scan->fetch, &to->tts_tid, node->css.ss.ps.state->es_snapshot,
							 scan->attnos, node->column_count, to->tts_values, to->tts_isnull))
		return;
	ExecStoreVirtualTuple(to);
	node->counters.single_rows++;
}

/* ---- Both */

static bool
load_block(HzScanNode *node)
{
	HzBitmapScan *scan = node->bitmap;

	CHECK_FOR_INTERRUPTS();
	if (!hz_compat_bitmap_next(scan->iterator, &scan->block))
		return false;
	scan->count = scan->next = 0;
	if (scan->block.lossy)
		node->counters.lossy_blocks++;
	else
		node->counters.exact_blocks++;
	if (scan->block.number < HZ_ROWID_FIRST_BLOCK)
		load_page(node);
	else
		load_row_block(node);
	return true;
}

bool
hz_bitmapscan_next(HzScanNode *node)
{
	HzBitmapScan *scan = node->bitmap;
	uint16 row;

	if (scan->bitmap == NULL)
		start(node);
	/* the last row's values may go with its block */
	ExecClearTuple(node->row);
	do
	{
		while (scan->next >= scan->count)
		{
			if (!load_block(node))
				return false;
		}
		row = scan->rows[scan->next++];
		if (scan->block.number < HZ_ROWID_FIRST_BLOCK)
			take_page_row(node, row);
		else if (scan->in_batch)
			hz_scannode_take_batch_row(node, row);
		else
			take_single_row(node, row);
	} while (TupIsNull(node->row));
	pgstat_count_heap_fetch(node->css.ss.ss_currentRelation);
	return true;
}

bool
hz_bitmapscan_recheck(HzScanNode *node, ExprContext *econtext)
{
	HzBitmapScan *scan = node->bitmap;

	if (node->css.ss.ps.state->es_epq_active == NULL && !scan->block.recheck)
		return true;
	if (ExecQual(scan->recheck, econtext))
		return true;
	InstrCountFiltered2(&node->css.ss, 1);
	return false;
}

/* Lets go of the bitmap and of what it is read with. */
static void
stop(HzScanNode *node)
{
	HzBitmapScan *scan = node->bitmap;

	ExecClearTuple(node->row);
	ExecClearTuple(node->delta_row);
	node->batch = NULL;
	if (scan->iterator != NULL)
		hz_compat_bitmap_end(scan->iterator);
	scan->iterator = NULL;
	if (scan->bitmap != NULL)
		tbm_free(scan->bitmap);
	scan->bitmap = NULL;
	if (BufferIsValid(scan->buffer))
		ReleaseBuffer(scan->buffer);
	scan->buffer = InvalidBuffer;
	scan->count = scan->next = 0;
}

void
hz_bitmapscan_rescan(HzScanNode *node)
{
	PlanState *child = linitial(node->css.custom_ps);

	stop(node);
	if (node->css.ss.ps.chgParam != NULL)
		UpdateChangedParamSet(child, node->css.ss.ps.chgParam);
	/* otherwise MultiExecProcNode() does it */
	if (child->chgParam == NULL)
		ExecReScan(child);
}

void
hz_bitmapscan_end(HzScanNode *node)
{
	stop(node);
	if (node->bitmap->fetch != NULL)
		hz_rowfetch_end(node->bitmap->fetch);
	ExecEndNode(linitial(node->css.custom_ps));
}

void
hz_bitmapscan_explain(HzScanNode *node, List *ancestors, ExplainState *es)
{
	PlanState *ps = &node->css.ss.ps;
	List *conditions = ((CustomScan *) ps->plan)->custom_exprs;

	if (conditions != NIL)
	{
		List *context = set_deparse_context_plan(es->deparse_cxt, ps->plan, ancestors);

		ExplainPropertyText("Recheck Cond",
							deparse_expression((Node *) make_ands_explicit(conditions), context,
											   es->verbose, false),
							es);
	}
	if (!es->analyze)
		return;
	if (ps->instrument != NULL && ps->instrument->nfiltered2 > 0)
		ExplainPropertyFloat("Rows Removed by Index Recheck", NULL,
							 ps->instrument->nfiltered2 / Max(ps->instrument->nloops, 1), 0, es);
	ExplainPropertyUInteger("Exact Blocks", NULL, node->counters.exact_blocks, es);
	ExplainPropertyUInteger("Lossy Blocks", NULL, node->counters.lossy_blocks, es);
	ExplainPropertyUInteger("Single Rows", NULL, node->counters.single_rows, es);
}
