/*
 * exec/aggside.h
 *	  A side of a join, in PostgreSQL's own plan for a step that ColumnarAgg does (exec/aggnode.h).
 *
 * A subquery's plan can be finished once only, by its own planner state, so the two plans of such a step cannot both have it. ColumnarAgg has
 * it, as a lookup or as its input; in the other plan this node stands for it and returns the rows of that PlanState, which is
 * started again for that.
 *
 * custom_private: which of the sides it is; the input counts as the one behind all lookups. custom_scan_tlist: what that returns.
 */
#ifndef HZ_AGGSIDE_H
#define HZ_AGGSIDE_H

#include "nodes/extensible.h"

#define HZ_AGGSIDE_NAME "ColumnarSide"

extern const CustomScanMethods hz_aggside_methods;

/* A row of another node in a slot of one's own, as long as it is there; empty at the end. */
extern TupleTableSlot *hz_aggside_lend_row(TupleTableSlot *to, TupleTableSlot *from);

/* Initialises a plan whose ColumnarSides are these PlanStates; they, and who ends them, stay the caller's. */
extern PlanState *hz_aggside_init_plan(Plan *plan, EState *estate, List *sides);

/* Some parameters have changed on which sides of the plan may depend: whatever it has kept is read again. */
extern void hz_aggside_changed(PlanState *ps, const Bitmapset *params);

/* Makes the node known; called once by _PG_init. */
extern void hz_aggside_init(void);

#endif /* HZ_AGGSIDE_H */
