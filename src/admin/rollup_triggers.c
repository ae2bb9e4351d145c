/*
 * admin/rollup_triggers.c
 *	  The trigger of rollups on tables that are not columnar, whose writers no table AM of ours sees.
 *
 * AFTER ROW, so that it knows what was stored, and BEFORE TRUNCATE. It is made on heap partitions themselves: a row
 * trigger of the partitioned table would keep COPY into its columnar partitions from inserting many rows at once.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "rollup/note.h"

PG_FUNCTION_INFO_V1(hz_rollup_trigger);

static void
note_tuple(const HzRollupWatch *watch, Relation rel, HeapTuple tuple, bool comes)
{
	bool isnull;
	Datum value = heap_getattr(tuple, watch->attnum, RelationGetDescr(rel), &isnull);

	if (isnull)
		return;
	if (comes)
		hz_note_time(watch, hz_rollup_time(watch->type, value), GetCurrentCommandId(true));
	else
		hz_note_old_time(watch, hz_rollup_time(watch->type, value), GetCurrentCommandId(true));
}

Datum
hz_rollup_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	ListCell *cell;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("rollup_trigger() is to be called by triggers only"),
						errhint("create_rollup() makes them.")));
	foreach(cell, hz_rollup_watches(trigger->tg_relation))
	{
		const HzRollupWatch *watch = lfirst(cell);

		if (!hz_note_wanted(watch))
			continue;
		if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		{
			Timestamp from;
			Timestamp to;

			hz_rollup_extent(RelationGetRelid(trigger->tg_relation), InvalidOid, watch->attnum,
							 &from, &to);
			hz_note_range(watch, from, to, GetCurrentCommandId(true));
			continue;
		}
		note_tuple(watch, trigger->tg_relation, trigger->tg_trigtuple,
				   TRIGGER_FIRED_BY_INSERT(trigger->tg_event));
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			note_tuple(watch, trigger->tg_relation, trigger->tg_newtuple, true);
	}
	return PointerGetDatum(NULL);
}
