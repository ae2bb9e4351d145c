/*
 * exec/scannode.c
 *	  Execution of ColumnarScan. See scannode.h.
 *
 * A row is put into a virtual slot of the table's row type: values of the needed columns, nulls for
 * all others, its TID and the table's OID. Values of a delta row point into its page, those of a
 * columnar row into the batch: both live until the next row, as executor nodes expect.
 *
 * ExecScan() will not do: in a recheck of EvalPlanQual it hands heap tuples, as the table AM has
 * stored them, to expressions that were compiled for the virtual slot. Here the row is put into
 * that slot.
 *
 * A plan with a child gets its rows by the bitmap of TIDs that the child makes (exec/bitmapscan.c).
 *
 * Parallel: one block of shared memory holds the counters for EXPLAIN, then what the table AM
 * shares in a parallel scan (am/scandesc.h), then the snapshot. It goes with the Gather node at
 * shutdown, so the scan ends there.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "am/scandesc.h"
#include "base/bitmap.h"
#include "base/compat.h"
#include "exec/aggkeys.h"
#include "exec/scannode.h"
#include "exec/firstrows.h"
#include "exec/scanstate.h"
#include "exec/topn.h"
#include "storage/heapview.h"
#include "storage/rowid.h"
#include "storage/ssi.h"
#include "write/bulk.h"

uint64 hz_scannode_begun = 0;

static inline HzScanNode *
scan_node(CustomScanState *css)
{
	return (HzScanNode *) css;
}

static Size
shared_size(int qual_count)
{
	return MAXALIGN(offsetof(HzSharedScan, pruned) + sizeof(HzSharedPruned) * qual_count);
}

static HzParallelScan *
shared_scan(HzSharedScan *shared)
{
	return (HzParallelScan *) ((char *) shared + shared_size(shared->qual_count));
}

/* Which columns target list and quals use; a whole-row reference uses all. */
static void
find_columns(HzScanNode *node)
{
	CustomScan *plan = (CustomScan *) node->css.ss.ps.plan;
	TupleDesc desc = RelationGetDescr(node->css.ss.ss_currentRelation);
	Index relid = plan->scan.scanrelid;
	Bitmapset *used = NULL;
	bool whole_row;

	pull_varattnos((Node *) plan->scan.plan.targetlist, relid, &used);
	pull_varattnos((Node *) plan->scan.plan.qual, relid, &used);
	pull_varattnos((Node *) plan->custom_exprs, relid, &used);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);

	node->columns = palloc(sizeof(HzNeededColumn) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		if (whole_row || bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, used))
			node->columns[node->column_count++] = (HzNeededColumn){.attno = i, .in_row = true};
	}
	bms_free(used);
}

/* Columns that only filters on vectors read are not made Datums. */
static void
find_row_columns(HzScanNode *node)
{
	CustomScan *plan = (CustomScan *) node->css.ss.ps.plan;
	Index relid = plan->scan.scanrelid;
	Bitmapset *used = NULL;

	pull_varattnos((Node *) plan->scan.plan.targetlist, relid, &used);
	pull_varattnos((Node *) node->filter->left, relid, &used);
	for (int i = 0; i < node->column_count; i++)
		node->columns[i].in_row =
			bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used) ||
			bms_is_member(node->columns[i].attno + 1 - FirstLowInvalidHeapAttributeNumber, used);
	bms_free(used);
}

static void
begin(CustomScanState *css, EState *estate, int eflags)
{
	HzScanNode *node = scan_node(css);
	Relation rel = css->ss.ss_currentRelation;
	TupleDesc desc = RelationGetDescr(rel);

	hz_scannode_begun++;
	/* here, since workers cannot do it: what is buffered is in the leader's memory */
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		hz_bulk_flush(rel);
	find_columns(node);
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
	{
		hz_scanprune_init(node);
		if (((CustomScan *) css->ss.ps.plan)->custom_plans == NIL)
			node->filter = hz_scanfilter_make(&css->ss);
		if (node->filter != NULL)
			find_row_columns(node);
	}
	node->row = css->ss.ss_ScanTupleSlot;
	node->row->tts_tableOid = RelationGetRelid(rel);
	memset(node->row->tts_values, 0, sizeof(Datum) * desc->natts);
	memset(node->row->tts_isnull, true, sizeof(bool) * desc->natts);
	node->delta_row = ExecInitExtraTupleSlot(estate, desc, &TTSOpsBufferHeapTuple);
	if (((CustomScan *) css->ss.ps.plan)->custom_plans != NIL)
		hz_bitmapscan_init(node, estate, eflags);
	if (estate->es_epq_active != NULL)
		node->recheck_row = ExecInitExtraTupleSlot(estate, desc, table_slot_callbacks(rel));
}

void
hz_scannode_start(HzScanNode *node)
{
	EState *estate = node->css.ss.ps.state;
	Relation rel = node->css.ss.ss_currentRelation;
	Snapshot snapshot = node->worker_snapshot ? node->worker_snapshot : estate->es_snapshot;
	HzParallelScan *parallel = node->shared ? shared_scan(node->shared) : NULL;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	HzHeapView view;

	hz_heapview_begin(&view, rel);
	node->delta =
		heap_beginscan(rel, snapshot, 0, NULL, (ParallelTableScanDesc) parallel,
					   SO_TYPE_SEQSCAN | SO_ALLOW_STRAT | SO_ALLOW_SYNC | SO_ALLOW_PAGEMODE);
	hz_heapview_end(&view);
	hz_ssi_read(rel, snapshot);
	node->batches = hz_batchscan_begin(rel, snapshot, parallel ? &parallel->columns : NULL);
	MemoryContextSwitchTo(old);
}

static void
clear_rows(HzScanNode *node)
{
	ExecClearTuple(node->row);
	ExecClearTuple(node->delta_row);
	node->batch = NULL;
}

static void
end_scan(HzScanNode *node)
{
	clear_rows(node);
	if (node->delta != NULL)
		heap_endscan(node->delta);
	if (node->batches != NULL)
		hz_batchscan_end(node->batches);
	node->delta = NULL;
	node->batches = NULL;
	node->stage = HZ_SCAN_START;
}

/* Adds what this process has counted to what all have. */
static void
publish_counters(HzScanNode *node)
{
	pg_atomic_fetch_add_u64(&node->shared->row_groups, node->counters.row_groups);
	pg_atomic_fetch_add_u64(&node->shared->vectors, node->counters.vectors);
	pg_atomic_fetch_add_u64(&node->shared->delta_rows, node->counters.delta_rows);
	memset(&node->counters, 0, sizeof(HzScanCounters));
	hz_scanprune_publish(node);
	hz_topn_publish(node);
}

void
hz_scannode_take_row(HzScanNode *node, TupleTableSlot *from)
{
	TupleTableSlot *to = node->row;

	if (node->column_count > 0)
		slot_getsomeattrs(from, node->columns[node->column_count - 1].attno + 1);
	ExecClearTuple(to);
	for (int i = 0; i < node->column_count; i++)
	{
		int attno = node->columns[i].attno;

		to->tts_values[attno] = from->tts_values[attno];
		to->tts_isnull[attno] = from->tts_isnull[attno];
	}
	to->tts_tid = from->tts_tid;
	ExecStoreVirtualTuple(to);
}

static bool
next_delta_row(HzScanNode *node)
{
	if (!heap_getnextslot(node->delta, ForwardScanDirection, node->delta_row))
		return false;
	hz_scannode_take_row(node, node->delta_row);
	node->counters.delta_rows++;
	return true;
}

static void
make_room(HzScanNode *node)
{
	MemoryContext context = node->css.ss.ps.state->es_query_cxt;

	if (node->column_count == 0 || node->columns[0].values != NULL)
		return;
	for (int i = 0; i < node->column_count; i++)
	{
		node->columns[i].values = MemoryContextAlloc(context, sizeof(Datum) * HZ_VECTOR_ROWS);
		node->columns[i].isnull = MemoryContextAlloc(context, sizeof(bool) * HZ_VECTOR_ROWS);
	}
}

void
hz_scannode_decode(HzScanNode *node)
{
	make_room(node);
	for (int i = 0; i < node->column_count; i++)
	{
		HzNeededColumn *column = &node->columns[i];

		if (!column->in_row)
			continue;
		(void) hz_batchscan_datums(node->batches, column->attno, node->rows.at, node->rows.count,
								   column->values, column->isnull);
	}
}

/* Leaves those that pass the quals that are evaluated on vectors. */
static void
filter_rows(HzScanNode *node)
{
	uint32 before = node->rows.count;

	if (node->filter == NULL || node->batch->all_pass)
		return;
	hz_scanfilter_run(node->filter, node->batches, node->batch, node->css.ss.ps.ps_ExprContext,
					  &node->rows);
	InstrCountFiltered1(node, before - node->rows.count);
	hz_compat_count_returned(node->css.ss.ss_currentRelation, before - node->rows.count);
}

bool
hz_scannode_passes_batch(const HzScanNode *node)
{
	return node->batch->all_pass || node->css.ss.ps.qual == NULL ||
		   (node->filter != NULL && node->filter->rest == NULL);
}

/* Reads the next batch and selects the rows to return; false at the end. */
static bool
read_batch(HzScanNode *node)
{
	node->batch = hz_batchscan_next(node->batches);
	if (node->batch == NULL)
		return false;
	node->counters.vectors++;
	if (node->batch->group->number != node->last_group)
		node->counters.row_groups++;
	node->last_group = node->batch->group->number;
	node->next_row = 0;
	node->rows = hz_rows_live(node->batch->rows, node->batch->deleted, node->live);
	filter_rows(node);
	if (node->top != NULL)
		hz_topn_filter(node);
	if (node->first != NULL)
		hz_firstrows_filter(node);
	return true;
}

static bool
next_batch(HzScanNode *node)
{
	/* the row's values go with the old batch */
	ExecClearTuple(node->row);
	if (node->stage == HZ_SCAN_BATCH && !read_batch(node))
		node->stage = HZ_SCAN_WAITING;
	if (node->stage == HZ_SCAN_WAITING && (node->top == NULL || !hz_topn_next_batch(node)))
		node->batch = NULL;
	if (node->shared != NULL)
		publish_counters(node);
	if (node->batch == NULL)
		return false;
	if (node->rows.count > 0)
		hz_scannode_decode(node);
	return true;
}

void
hz_scannode_take_batch_row(HzScanNode *node, uint32 position)
{
	TupleTableSlot *to = node->row;

	ExecClearTuple(to);
	for (int i = 0; i < node->column_count; i++)
	{
		HzNeededColumn *column = &node->columns[i];

		to->tts_values[column->attno] = column->in_row ? column->values[position] : (Datum) 0;
		to->tts_isnull[column->attno] = !column->in_row || column->isnull[position];
	}
	hz_rowid_to_tid(hz_group_first_row(node->batch->group) + node->batch->first + position,
					&to->tts_tid);
	ExecStoreVirtualTuple(to);
}

static bool
next_columnar_row(HzScanNode *node)
{
	uint32 i;

	while (node->batch == NULL || node->next_row >= node->rows.count)
	{
		CHECK_FOR_INTERRUPTS();
		if (!next_batch(node))
			return false;
	}
	i = node->next_row++;
	hz_scannode_take_batch_row(node, node->rows.at != NULL ? node->rows.at[i] : i);
	node->passed = node->batch->all_pass  ? HZ_PASSED_ALL
				   : node->filter != NULL ? HZ_PASSED_FILTER
										  : HZ_PASSED_NOTHING;
	pgstat_count_heap_getnext(node->css.ss.ss_currentRelation);
	return true;
}

/* Moves to the next row; false at the end. */
static bool
next_row(HzScanNode *node)
{
	Assert(ScanDirectionIsForward(node->css.ss.ps.state->es_direction));
	node->passed = HZ_PASSED_NOTHING;
	if (node->bitmap != NULL)
		return hz_bitmapscan_next(node);
	if (node->stage == HZ_SCAN_START)
	{
		if (node->delta == NULL)
			hz_scannode_start(node);
		node->stage = HZ_SCAN_ROWS;
	}
	if (node->stage == HZ_SCAN_ROWS)
	{
		if (next_delta_row(node))
			return true;
		ExecClearTuple(node->delta_row);
		node->last_group = PG_UINT32_MAX;
		hz_topn_start(node);
		hz_scanprune_start(node);
		node->stage = HZ_SCAN_BATCH;
	}
	if (node->stage == HZ_SCAN_BATCH || node->stage == HZ_SCAN_WAITING)
	{
		if (next_columnar_row(node))
			return true;
		node->stage = HZ_SCAN_END;
	}
	return false;
}

/*
 * The same in a recheck of EvalPlanQual: where that has a row for this table, it is the only one.
 * As ExecScanFetch() does it.
 */
static bool
next_recheck_row(HzScanNode *node)
{
	EPQState *epq = node->css.ss.ps.state->es_epq_active;
	Index relid = ((Scan *) node->css.ss.ps.plan)->scanrelid;
	TupleTableSlot *from = epq->relsubs_slot[relid - 1];

	if (epq->relsubs_done[relid - 1])
		return false;
	if (from == NULL && epq->relsubs_rowmark[relid - 1] == NULL)
		return next_row(node);
	epq->relsubs_done[relid - 1] = true;
	node->passed = HZ_PASSED_NOTHING;
	if (from == NULL)
	{
		from = node->recheck_row;
		if (!EvalPlanQualFetchRowMark(epq, relid, from))
			return false;
	}
	if (TupIsNull(from))
		return false;
	hz_scannode_take_row(node, from);
	return true;
}

/* Whether the current row satisfies the quals, as far as that is not known. */
static bool
passes(HzScanNode *node, ExprContext *econtext)
{
	switch (node->passed)
	{
		case HZ_PASSED_ALL:
			return true;
		case HZ_PASSED_FILTER:
			return node->filter->rest == NULL || ExecQual(node->filter->rest, econtext);
		case HZ_PASSED_NOTHING:
			break;
	}
	return ExecQual(node->css.ss.ps.qual, econtext);
}

/* As ExecScan() does it: the next row that passes the quals, projected. */
static TupleTableSlot *
exec(CustomScanState *css)
{
	HzScanNode *node = scan_node(css);
	PlanState *ps = &css->ss.ps;
	ExprContext *econtext = ps->ps_ExprContext;
	bool recheck = ps->state->es_epq_active != NULL;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		ResetExprContext(econtext);
		if (!(recheck ? next_recheck_row(node) : next_row(node)))
			break;
		econtext->ecxt_scantuple = node->row;
		if (node->bitmap != NULL && !hz_bitmapscan_recheck(node, econtext))
			continue;
		if (node->top != NULL && !hz_topn_wants(node))
			continue;
		if (passes(node, econtext))
		{
			if (node->top != NULL)
				hz_topn_returns(node);
			return ps->ps_ProjInfo ? ExecProject(ps->ps_ProjInfo) : node->row;
		}
		InstrCountFiltered1(node, 1);
	}
	return ExecClearTuple(ps->ps_ProjInfo ? ps->ps_ProjInfo->pi_state.resultslot : node->row);
}

static void
end(CustomScanState *css)
{
	HzScanNode *node = scan_node(css);

	end_scan(node);
	if (node->bitmap != NULL)
		hz_bitmapscan_end(node);
	if (node->worker_snapshot != NULL)
		UnregisterSnapshot(node->worker_snapshot);
	node->worker_snapshot = NULL;
}

static void
rescan(CustomScanState *css)
{
	HzScanNode *node = scan_node(css);

	clear_rows(node);
	if (node->filter != NULL)
		hz_scanfilter_rescan(node->filter);
	if (node->bitmap != NULL)
		hz_bitmapscan_rescan(node);
	if (node->delta != NULL)
	{
		HzHeapView view;

		hz_heapview_begin(&view, css->ss.ss_currentRelation);
		heap_rescan(node->delta, NULL, false, false, false, false);
		hz_heapview_end(&view);
		hz_batchscan_rescan(node->batches);
	}
	hz_topn_rescan(node);
	hz_firstrows_rescan(node);
	node->stage = HZ_SCAN_START;
	ExecScanReScan(&css->ss);
}

/* ---- Parallel */

static Size
estimate_dsm(CustomScanState *css, ParallelContext *pcxt)
{
	return add_size(
		shared_size(list_length(css->ss.ps.plan->qual)),
		table_parallelscan_estimate(css->ss.ss_currentRelation, css->ss.ps.state->es_snapshot));
}

static void
initialize_dsm(CustomScanState *css, ParallelContext *pcxt, void *coordinate)
{
	HzScanNode *node = scan_node(css);
	HzSharedScan *shared = coordinate;

	end_scan(node);
	pg_atomic_init_u64(&shared->row_groups, 0);
	pg_atomic_init_u64(&shared->vectors, 0);
	pg_atomic_init_u64(&shared->delta_rows, 0);
	pg_atomic_init_u64(&shared->top_rows, 0);
	pg_atomic_init_u64(&shared->top_skipped.groups, 0);
	pg_atomic_init_u64(&shared->top_skipped.vectors, 0);
	shared->qual_count = list_length(css->ss.ps.plan->qual);
	for (int i = 0; i < shared->qual_count; i++)
	{
		pg_atomic_init_u64(&shared->pruned[i].groups, 0);
		pg_atomic_init_u64(&shared->pruned[i].vectors, 0);
	}
	table_parallelscan_initialize(css->ss.ss_currentRelation,
								  (ParallelTableScanDesc) shared_scan(shared),
								  css->ss.ps.state->es_snapshot);
	node->shared = shared;
}

static void
reinitialize_dsm(CustomScanState *css, ParallelContext *pcxt, void *coordinate)
{
	table_parallelscan_reinitialize(css->ss.ss_currentRelation,
									(ParallelTableScanDesc) shared_scan(coordinate));
}

static void
initialize_worker(CustomScanState *css, shm_toc *toc, void *coordinate)
{
	HzScanNode *node = scan_node(css);
	ParallelTableScanDesc parallel = (ParallelTableScanDesc) shared_scan(coordinate);

	node->shared = coordinate;
	if (!parallel->phs_snapshot_any)
		node->worker_snapshot =
			RegisterSnapshot(RestoreSnapshot((char *) parallel + parallel->phs_snapshot_off));
}

/* The shared memory is about to go; a scan that is started again does without, or gets another. */
static void
shutdown_scan(CustomScanState *css)
{
	HzScanNode *node = scan_node(css);

	if (node->shared == NULL)
		return;
	end_scan(node);
	node->stage = HZ_SCAN_END;
	publish_counters(node);
	node->counters.row_groups = pg_atomic_read_u64(&node->shared->row_groups);
	node->counters.vectors = pg_atomic_read_u64(&node->shared->vectors);
	node->counters.delta_rows = pg_atomic_read_u64(&node->shared->delta_rows);
	hz_scanprune_collect(node);
	hz_topn_collect(node);
	node->shared = NULL;
}

/* ---- EXPLAIN */

static void
explain(CustomScanState *css, List *ancestors, ExplainState *es)
{
	HzScanNode *node = scan_node(css);
	TupleDesc desc = RelationGetDescr(css->ss.ss_currentRelation);
	List *names = NIL;

	for (int i = 0; i < node->column_count; i++)
		names = lappend(names, (char *) quote_identifier(
								   NameStr(TupleDescAttr(desc, node->columns[i].attno)->attname)));
	if (names == NIL && es->format == EXPLAIN_FORMAT_TEXT)
		ExplainPropertyText("Columns", "(none)", es);
	else
		ExplainPropertyList("Columns", names, es);
	if (node->bitmap != NULL)
		hz_bitmapscan_explain(node, ancestors, es);
	hz_topn_explain(node, es);
	hz_firstrows_explain(node, es);
	/* parallel workers that scanned all of the table, each by itself, could not tell what they have read */
	if (!es->analyze || (css->ss.ps.worker_instrument != NULL && !css->ss.ps.plan->parallel_aware))
		return;
	ExplainPropertyUInteger("Row Groups", NULL, node->counters.row_groups, es);
	ExplainPropertyUInteger("Vectors", NULL, node->counters.vectors, es);
	ExplainPropertyUInteger("Delta Rows", NULL, node->counters.delta_rows, es);
	if (node->filter != NULL)
		hz_scanfilter_explain(node->filter, &css->ss.ps, ancestors, es);
	hz_scanprune_explain(node, ancestors, es);
	hz_topn_explain_counts(node, es);
	hz_firstrows_explain_counts(node, es);
}

static const CustomExecMethods scan_methods = {
	.CustomName = HZ_SCANNODE_NAME,
	.BeginCustomScan = begin,
	.ExecCustomScan = exec,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.EstimateDSMCustomScan = estimate_dsm,
	.InitializeDSMCustomScan = initialize_dsm,
	.ReInitializeDSMCustomScan = reinitialize_dsm,
	.InitializeWorkerCustomScan = initialize_worker,
	.ShutdownCustomScan = shutdown_scan,
	.ExplainCustomScan = explain,
};

static Node *
create_state(CustomScan *plan)
{
	HzScanNode *node = (HzScanNode *) newNode(sizeof(HzScanNode), T_CustomScanState);

	node->css.methods = &scan_methods;
	return (Node *) node;
}

const CustomScanMethods hz_scannode_methods = {
	.CustomName = HZ_SCANNODE_NAME,
	.CreateCustomScanState = create_state,
};

void
hz_exec_init(void)
{
	DefineCustomBoolVariable(
		"hanzo_datastore.enable_pruning",
		"Enables columnar scans to skip what zone maps and bloom filters rule out.", NULL,
		&hz_enable_pruning, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomBoolVariable("hanzo_datastore.enable_vector_filter",
							 "Enables columnar scans to evaluate quals on whole vectors.", NULL,
							 &hz_enable_vector_filter, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL,
							 NULL);
	DefineCustomBoolVariable(
		"hanzo_datastore.enable_encoded_equality",
		"Enables filters to compare columns with constants without decoding them.", NULL,
		&hz_enable_encoded_equality, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"hanzo_datastore.enable_join_pruning",
		"Enables joins below aggregations to skip input that cannot have a key of their other side.",
		NULL, &hz_enable_join_pruning, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	RegisterCustomScanMethods(&hz_scannode_methods);
}
