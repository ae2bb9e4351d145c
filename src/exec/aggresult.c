/*
 * exec/aggresult.c
 *	  See aggresult.h.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "exec/aggnode_internal.h"
#include "exec/aggresult.h"
#include "exec/aggside.h"

/* Column `at` of the scan tuple: a key or an aggregate of a group; palloc'd in the current context. */
static Datum
group_value(HzAggNode *node, HzGroupRow *row, int at, ExprContext *econtext, bool *isnull)
{
	Datum fraction = (Datum) 0;
	bool fraction_null = true;
	int call = at - node->key_count;

	if (call < 0)
	{
		*isnull = (row->nulls >> at) & 1;
		return *isnull ? (Datum) 0 : hz_aggcall_slot_datum(&node->key_types[at], &row->keys[at]);
	}
	/* Conditions of a join: what is computed of a group may contain one, over keys. Of all rows of a group they are true. */
	if (call >= node->call_count)
	{
		*isnull = false;
		return BoolGetDatum(true);
	}
	if (node->fractions[call] != NULL)
		fraction = ExecEvalExpr(node->fractions[call], econtext, &fraction_null);
	return hz_aggcall_result(&node->calls[call], hz_aggnode_state(node, call), row, fraction,
							 fraction_null, isnull);
}

static void
store_group(HzAggNode *node, HzGroupRow *row, TupleTableSlot *slot, ExprContext *econtext)
{
	MemoryContext old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);

	ExecClearTuple(slot);
	for (int at = 0; at < slot->tts_tupleDescriptor->natts; at++)
		slot->tts_values[at] = group_value(node, row, at, econtext, &slot->tts_isnull[at]);
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(old);
}

/* The place of a group's column `at` in the order, where it is a number that need not be made a Datum; false: it is not. */
static bool
native_key(const HzAggNode *node, const HzGroupRow *row, int at, const HzTopBound *bound,
		   HzTopKey *key)
{
	int call = at - node->key_count;
	const void *state;
	const HzSumInt *sum;
	const HzSumWide *wide;

	if (call < 0 || call >= node->call_count)
		return false;
	state = (const uint8 *) row + hz_aggnode_state(node, call)->offset;
	sum = state;
	wide = state;
	switch (node->calls[call].final)
	{
		case HZ_FINAL_COUNT:
			*key = hz_topbound_integer_key(bound, *(const int64 *) state, false);
			return true;
		case HZ_FINAL_SUM_INT8:
			*key = hz_topbound_integer_key(bound, sum->sum, sum->count == 0);
			return true;
		case HZ_FINAL_SUM_NUMERIC:
			*key =
				hz_topbound_decimal_key(bound, wide->sum, (uint16) wide->scale, wide->count == 0);
			return true;
		default:
			return false;
	}
}

/* Whether the Sort above may want the group. */
static bool
wants_group(HzAggNode *node, HzGroupRow *row, ExprContext *econtext)
{
	const HzTopBound *bound = hz_topgroups_bound(node->top);
	int at = hz_topgroups_column(node->top);
	HzTopKey key;

	if (!native_key(node, row, at, bound, &key))
	{
		MemoryContext old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
		bool isnull;
		Datum value = group_value(node, row, at, econtext, &isnull);

		key = hz_topbound_key(bound, hz_topgroups_type(node->top), value, isnull);
		MemoryContextSwitchTo(old);
	}
	return hz_topgroups_wants(node->top, key);
}

/* A row of PostgreSQL's own plan, in a slot of ours. */
static TupleTableSlot *
next_plain(HzAggNode *node)
{
	PlanState *ps = &node->css.ss.ps;
	TupleTableSlot *to =
		ps->ps_ProjInfo ? ps->ps_ProjInfo->pi_state.resultslot : node->css.ss.ss_ScanTupleSlot;

	return hz_aggside_lend_row(to, ExecProcNode(node->plain_plan));
}

/* The next group, of the next partition if need be; NULL: no more. */
static HzGroupRow *
next_group(HzAggNode *node)
{
	HzAggregator *aggregator = &node->work.aggregator;
	HzGroupRow *row = hz_grouptable_next(&aggregator->table, &node->cursor);
	bool more = true;

	while (row == NULL && node->spill != NULL && more)
	{
		HzAggStatus status = hz_aggspill_next(node->spill, aggregator, &more);

		if (status == HZ_AGG_FLOAT_OVERFLOW)
			float_overflow_error();
		if (status != HZ_AGG_OK)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
					 errdetail(
						 "Failed while reading groups of an aggregation from a temporary file.")));
		node->cursor = (HzGroupCursor){.ended = !more};
		if (!more)
			break;
		node->groups += aggregator->table.count;
		row = hz_grouptable_next(&aggregator->table, &node->cursor);
	}
	return row;
}

TupleTableSlot *
hz_aggresult_exec(CustomScanState *css)
{
	HzAggNode *node = hz_aggnode(css);
	PlanState *ps = &css->ss.ps;
	ExprContext *econtext = ps->ps_ExprContext;
	TupleTableSlot *slot = css->ss.ss_ScanTupleSlot;
	HzGroupRow *row;
	bool top;

	if (!node->done)
		hz_aggnode_run(node);
	if (node->plain)
		return next_plain(node);
	top = node->top != NULL && hz_topgroups_active(node->top);
	while ((row = next_group(node)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		ResetExprContext(econtext);
		if (top && !wants_group(node, row, econtext))
			continue;
		store_group(node, row, slot, econtext);
		econtext->ecxt_scantuple = slot;
		if (ExecQual(ps->qual, econtext))
		{
			if (top)
				hz_topgroups_returns(node->top);
			return ps->ps_ProjInfo ? ExecProject(ps->ps_ProjInfo) : slot;
		}
		InstrCountFiltered1(node, 1);
	}
	return ExecClearTuple(ps->ps_ProjInfo ? ps->ps_ProjInfo->pi_state.resultslot : slot);
}

/* ---- Groups as they are */

/* Where in the rows below each column of a target list is found; NULL: some are computed. varno: of the columns below. */
static int *
plain_places(const List *targets, int varno)
{
	int *places = palloc(sizeof(int) * Max(list_length(targets), 1));
	ListCell *cell;

	foreach(cell, targets)
	{
		const TargetEntry *target = lfirst_node(TargetEntry, cell);
		const Var *var = (const Var *) target->expr;

		if (!IsA(var, Var) || var->varno != varno || var->varattno <= 0)
			return NULL;
		places[target->resno - 1] = var->varattno - 1;
	}
	return places;
}

HzAggGroups *
hz_agggroups_find(PlanState *ps)
{
	HzAggGroups *groups = palloc(sizeof(HzAggGroups));
	int *chosen = NULL;
	PlanState *below = ps;

	if (IsA(ps, SubqueryScanState))
	{
		const SubqueryScan *plan = (const SubqueryScan *) ps->plan;

		chosen = plain_places(plan->scan.plan.targetlist, (int) plan->scan.scanrelid);
		below = ((SubqueryScanState *) ps)->subplan;
		if (chosen == NULL || plan->scan.plan.qual != NIL)
			return NULL;
	}
	if (!IsA(below, CustomScanState) || below->plan->qual != NIL ||
		((CustomScan *) below->plan)->methods != &hz_aggnode_methods)
		return NULL;
	*groups = (HzAggGroups){.top = ps,
							.node = (CustomScanState *) below,
							.places = plain_places(below->plan->targetlist, INDEX_VAR)};
	if (groups->places == NULL)
		return NULL;
	for (int i = 0; chosen != NULL && i < list_length(ps->plan->targetlist); i++)
		chosen[i] = groups->places[chosen[i]];
	groups->places = chosen != NULL ? chosen : groups->places;
	return groups;
}

/* What EXPLAIN ANALYZE counts of a node that is not called by ExecProcNode(). */
static void
count_call(const HzAggGroups *groups, bool begin, uint32 rows)
{
	PlanState *below = &groups->node->ss.ps;

	if (begin && groups->top->instrument != NULL)
		InstrStartNode(groups->top->instrument);
	if (begin && below != groups->top && below->instrument != NULL)
		InstrStartNode(below->instrument);
	if (!begin && below != groups->top && below->instrument != NULL)
		InstrStopNode(below->instrument, rows);
	if (!begin && groups->top->instrument != NULL)
		InstrStopNode(groups->top->instrument, rows);
}

bool
hz_agggroups_start(const HzAggGroups *groups)
{
	PlanState *ps = &groups->node->ss.ps;
	HzAggNode *node = hz_aggnode(groups->node);
	MemoryContext old = MemoryContextSwitchTo(ps->state->es_query_cxt);

	/* which ends the node's loop: it must not be running */
	if (ps->chgParam != NULL)
		ExecReScan(ps);
	count_call(groups, true, 0);
	if (!node->done)
		hz_aggnode_run(node);
	count_call(groups, false, 0);
	MemoryContextSwitchTo(old);
	return !node->plain;
}

/* Bytes of strings that the group's keys and states point to. */
static Size
string_bytes(const HzAggNode *node, const HzGroupRow *row)
{
	Size bytes = 0;

	for (int k = 0; k < node->key_count; k++)
	{
		if (node->layout.kinds[k] == HZ_KEY_STRING)
			bytes += row->keys[k].string.length;
	}
	for (int i = 0; i < node->call_count; i++)
	{
		if (node->calls[i].final == HZ_FINAL_EXTREME && node->calls[i].type.kind == HZ_KIND_BYTES)
			bytes += ((const HzExtreme *) ((const uint8 *) row + hz_aggnode_state(node, i)->offset))
						 ->value.string.length;
	}
	return bytes;
}

uint32
hz_agggroups_next(const HzAggGroups *groups, HzGroupRow **rows, Size limit)
{
	HzAggNode *node = hz_aggnode(groups->node);
	HzGroupRow *row;
	Size bytes = 0;
	uint32 count = 0;

	CHECK_FOR_INTERRUPTS();
	count_call(groups, true, 0);
	/* not of two partitions of a spill: the second takes the place of the first */
	for (row = next_group(node); row != NULL;
		 row = hz_grouptable_next(&node->work.aggregator.table, &node->cursor))
	{
		bytes += string_bytes(node, row);
		rows[count++] = row;
		if (count == HZ_VECTOR_ROWS || bytes >= limit)
			break;
	}
	count_call(groups, false, count);
	return count;
}

void
hz_agggroups_values(const HzAggGroups *groups, int attribute, HzGroupRow **rows, uint32 count,
					Datum *values, bool *isnull)
{
	HzAggNode *node = hz_aggnode(groups->node);
	ExprContext *econtext = groups->node->ss.ps.ps_ExprContext;
	int place = groups->places[attribute];

	for (uint32 i = 0; i < count; i++)
		values[i] = group_value(node, rows[i], place, econtext, &isnull[i]);
}
