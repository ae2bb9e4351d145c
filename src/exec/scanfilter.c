/*
 * exec/scanfilter.c
 *	  See scanfilter.h.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "exec/scanfilter.h"
#include "expr/compile.h"

bool hz_enable_vector_filter = true;

/* Splits the quals; those that are not taken stay in their order. */
static void
take_quals(HzScanFilter *filter, const HzCompileInput *input, List *quals)
{
	PlanState *ps = input->parent;
	List *ignored = NIL;
	ListCell *cell;

	filter->left = list_copy(quals);
	filter->filters = palloc(sizeof(HzVexpr *) * list_length(quals));
	filter->places = palloc(sizeof(int) * list_length(quals));
	foreach(cell, hz_compile_quals(input, quals, false, &ignored))
	{
		HzVqual *qual = lfirst(cell);

		if (hz_vexpr_can_fail(qual->vexpr))
			continue;
		filter->places[filter->count] = qual->place;
		filter->filters[filter->count++] = qual->vexpr;
		filter->quals = lappend(filter->quals, qual->expr);
		filter->left = list_delete_ptr(filter->left, qual->expr);
	}
	if (filter->left != NIL)
		filter->rest = ExecInitQual(filter->left, ps);
}

HzScanFilter *
hz_scanfilter_make(ScanState *ss)
{
	Relation rel = ss->ss_currentRelation;
	List *quals = ss->ps.plan->qual;
	HzScanFilter *filter;
	HzCompileInput input = {.varno = ((Scan *) ss->ps.plan)->scanrelid,
							.desc = RelationGetDescr(rel),
							.tableoid = RelationGetRelid(rel),
							.parent = &ss->ps};

	if (!hz_enable_vector_filter || quals == NIL)
		return NULL;
	filter = palloc0(sizeof(HzScanFilter));
	input.types = hz_coltype_for(input.desc);
	take_quals(filter, &input, quals);
	if (filter->count == 0)
		return NULL;
	hz_batchcolumns_init(&filter->columns, input.desc, input.types);
	filter->context = CurrentMemoryContext;
	filter->eval = hz_eval_create(hz_batchcolumns_get, &filter->columns);
	hz_eval_use_lengths(filter->eval, hz_batchcolumns_lengths);
	hz_eval_use_matches(filter->eval, hz_batchcolumns_match);
	filter->last_group = PG_UINT32_MAX;
	return filter;
}

void
hz_scanfilter_rescan(HzScanFilter *filter)
{
	filter->bound = 0;
	filter->last_group = PG_UINT32_MAX;
}

void
hz_scanfilter_run(HzScanFilter *filter, HzBatchScan *batches, const HzBatch *batch,
				  ExprContext *econtext, HzRows *rows)
{
	MemoryContext old = MemoryContextSwitchTo(filter->context);

	if (batch->group->number != filter->last_group)
		hz_eval_group(filter->eval);
	filter->last_group = batch->group->number;
	filter->columns.batches = batches;
	hz_batchcolumns_begin(&filter->columns, batch->rows);
	hz_eval_batch(filter->eval, batch->rows);
	for (int i = 0; i < filter->count && rows->count > 0; i++)
	{
		/* a subquery whose value no row is compared with is not executed */
		if (i == filter->bound)
			hz_vexpr_bind(filter->filters[filter->bound++], econtext);
		if (hz_eval_is_certain(batch->passing, filter->places[i]))
			continue;
		if (!hz_eval_filter(filter->eval, filter->filters[i], rows))
			hz_vexpr_report(hz_eval_failure(filter->eval));
	}
	filter->matched += hz_eval_matched(filter->eval);
	MemoryContextSwitchTo(old);
}

void
hz_scanfilter_explain(const HzScanFilter *filter, PlanState *ps, List *ancestors, ExplainState *es)
{
	List *context = set_deparse_context_plan(es->deparse_cxt, ps->plan, ancestors);
	bool prefix = list_length(es->rtable) > 1 || es->verbose;
	List *quals = NIL;
	ListCell *cell;

	foreach(cell, filter->quals)
		quals = lappend(quals, deparse_expression(lfirst(cell), context, prefix, false));
	ExplainPropertyList("Vector Filter", quals, es);
	if (filter->matched > 0)
		ExplainPropertyUInteger("Vectors Compared as Encoded", NULL, filter->matched, es);
}
