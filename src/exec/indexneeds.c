/*
 * exec/indexneeds.c
 *	  See indexneeds.h.
 *
 * What an index scan's slot is read by are the expressions of its own plan node: its projection, quals, and the conditions that
 * are checked again. Where it returns its slot as it is, its target list is the whole row.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/rel.h"

#include "am/columnar_am.h"
#include "exec/indexneeds.h"
#include "read/slotneeds.h"

static ExecutorStart_hook_type previous_hook = NULL;

static void
limit_index_scan(IndexScanState *state)
{
	const IndexScan *plan = (IndexScan *) state->ss.ps.plan;
	Index varno = plan->scan.scanrelid;
	Bitmapset *attributes = NULL;
	Bitmapset *columns = NULL;
	int member = -1;

	pull_varattnos((Node *) plan->scan.plan.targetlist, varno, &attributes);
	pull_varattnos((Node *) plan->scan.plan.qual, varno, &attributes);
	pull_varattnos((Node *) plan->indexqualorig, varno, &attributes);
	pull_varattnos((Node *) plan->indexorderbyorig, varno, &attributes);
	while ((member = bms_next_member(attributes, member)) >= 0)
	{
		int attno = member + FirstLowInvalidHeapAttributeNumber;

		if (attno == 0)
			return;
		if (attno > 0)
			columns = bms_add_member(columns, attno - 1);
	}
	hz_slotneeds_set(state->ss.ss_ScanTupleSlot, state->ss.ps.state->es_query_cxt, columns);
}

static bool
limit_scans(PlanState *ps, void *context)
{
	if (IsA(ps, IndexScanState) && hz_am_is_columnar(((ScanState *) ps)->ss_currentRelation))
		limit_index_scan((IndexScanState *) ps);
	/* of rows it wants to know only whether they are visible */
	if (IsA(ps, IndexOnlyScanState) && hz_am_is_columnar(((ScanState *) ps)->ss_currentRelation))
		hz_slotneeds_set(((IndexOnlyScanState *) ps)->ioss_TableSlot, ps->state->es_query_cxt,
						 NULL);
	return planstate_tree_walker(ps, limit_scans, context);
}

static void
executor_start(QueryDesc *query, int eflags)
{
	uint64 before = hz_slotneeds_slots;
	MemoryContext old;

	if (previous_hook != NULL)
		previous_hook(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (hz_slotneeds_slots == before)
		return;
	old = MemoryContextSwitchTo(query->estate->es_query_cxt);
	(void) limit_scans(query->planstate, NULL);
	MemoryContextSwitchTo(old);
}

void
hz_indexneeds_init(void)
{
	previous_hook = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
}
