/*
 * exec/aggside.c
 *	  See aggside.h.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"

#include "exec/agglookup.h"
#include "exec/aggside.h"

typedef struct HzAggSide
{
	CustomScanState css; /* must be first */
	PlanState *rows;
} HzAggSide;

static List *present_sides = NIL; /* while a plan is initialised */

static void
begin(CustomScanState *css, EState *estate, int eflags)
{
	CustomScan *plan = (CustomScan *) css->ss.ps.plan;
	int side = intVal(linitial(plan->custom_private));

	if (side >= list_length(present_sides))
		elog(ERROR, "side %d of a join is not there", side);
	((HzAggSide *) css)->rows = list_nth(present_sides, side);
}

TupleTableSlot *
hz_aggside_lend_row(TupleTableSlot *to, TupleTableSlot *from)
{
	ExecClearTuple(to);
	if (TupIsNull(from))
		return to;
	slot_getallattrs(from);
	memcpy(to->tts_values, from->tts_values, sizeof(Datum) * to->tts_tupleDescriptor->natts);
	memcpy(to->tts_isnull, from->tts_isnull, sizeof(bool) * to->tts_tupleDescriptor->natts);
	return ExecStoreVirtualTuple(to);
}

static TupleTableSlot *
exec(CustomScanState *css)
{
	ProjectionInfo *projection = css->ss.ps.ps_ProjInfo;
	TupleTableSlot *slot = hz_aggside_lend_row(css->ss.ss_ScanTupleSlot,
											   hz_agglookup_next_row(((HzAggSide *) css)->rows));

	if (projection == NULL)
		return slot;
	if (TupIsNull(slot))
		return ExecClearTuple(projection->pi_state.resultslot);
	ResetExprContext(css->ss.ps.ps_ExprContext);
	css->ss.ps.ps_ExprContext->ecxt_scantuple = slot;
	return ExecProject(projection);
}

static void
end(CustomScanState *css)
{
}

static void
rescan(CustomScanState *css)
{
	ExecClearTuple(css->ss.ss_ScanTupleSlot);
	ExecReScan(((HzAggSide *) css)->rows);
}

static const CustomExecMethods side_methods = {
	.CustomName = HZ_AGGSIDE_NAME,
	.BeginCustomScan = begin,
	.ExecCustomScan = exec,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
};

static Node *
create_state(CustomScan *plan)
{
	HzAggSide *side = (HzAggSide *) newNode(sizeof(HzAggSide), T_CustomScanState);

	side->css.methods = &side_methods;
	return (Node *) side;
}

const CustomScanMethods hz_aggside_methods = {
	.CustomName = HZ_AGGSIDE_NAME,
	.CreateCustomScanState = create_state,
};

PlanState *
hz_aggside_init_plan(Plan *plan, EState *estate, List *sides)
{
	List *before = present_sides;
	PlanState *ps;

	/* whoever comes after an error sets it anew */
	present_sides = sides;
	/* nobody goes backward in it, whatever a cursor at the top does */
	ps = ExecInitNode(plan, estate, estate->es_top_eflags & ~(EXEC_FLAG_BACKWARD | EXEC_FLAG_MARK));
	present_sides = before;
	return ps;
}

void
hz_aggside_changed(PlanState *ps, const Bitmapset *params)
{
	check_stack_depth();
	ps->chgParam = bms_add_members(ps->chgParam, params);
	/* sides are below joins and what has one child; what expressions refer to knows its parameters itself */
	if (outerPlanState(ps) != NULL)
		hz_aggside_changed(outerPlanState(ps), params);
	if (innerPlanState(ps) != NULL)
		hz_aggside_changed(innerPlanState(ps), params);
}

void
hz_aggside_init(void)
{
	RegisterCustomScanMethods(&hz_aggside_methods);
}
