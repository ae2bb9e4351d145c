/*
 * admin/rollup_freeze.c
 *	  What rollups ask for before old rows of their table are removed for good (PROTOCOLS 6.4).
 *
 * Removal is not seen by snapshots, so what a rollup says of these times must come from stored states for all who can ask: all is
 * stored, nothing is marked, and no snapshot is older than the refresh that made it so. Then frozen_before is raised in the
 * remover's transaction. Its removals leave no marks.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "admin/inspect.h"
#include "base/compat.h"
#include "rollup/note.h"
#include "rollup/registry.h"
#include "rollup/stale.h"

PG_FUNCTION_INFO_V1(hz_rollups_before_removal);

/* The greatest time up to the cutoff at which a bucket of every rollup starts. */
static Timestamp
common_start(List *rollups, Timestamp cutoff)
{
	bool lower = true;

	while (lower)
	{
		ListCell *cell;

		lower = false;
		foreach(cell, rollups)
		{
			const HzRollup *rollup = lfirst(cell);
			Timestamp start =
				TIMESTAMP_NOT_FINITE(cutoff) ? cutoff : hz_bucket_floor(&rollup->bucket, cutoff);

			lower = lower || start < cutoff;
			cutoff = start;
		}
	}
	return cutoff;
}

/* Whether everybody finds all of a rollup's buckets before `until` in its stored states. */
static bool
is_settled(const HzRollup *rollup, const HzRollupProgress *progress, TransactionId oldest,
		   Timestamp until)
{
	HzRollupProgress wanted = *progress;
	uint32 count;

	if (until <= progress->frozen_before)
		return true;
	if (progress->live_from < until || !TransactionIdPrecedes(progress->xmin, oldest))
		return false;
	wanted.live_from = until;
	(void) hz_stale_ranges(rollup->marks, GetActiveSnapshot(), &wanted, &count, NULL);
	return count == 0;
}

/*
 * Rollups whose rows go with those of the relation: of it, of what it is part of, and of its parts. Not those of another
 * time column: they cannot keep history by it, and say what their query says of the rows that are left.
 */
static List *
affected_rollups(Oid relid, const char *column)
{
	List *tables = list_concat_unique_oid(hz_rollup_ancestors(relid),
										  find_all_inheritors(relid, NoLock, NULL));
	List *result = NIL;
	ListCell *cell;

	foreach(cell, hz_rollup_of_sources(tables))
	{
		HzRollup *rollup = lfirst(cell);
		char *time = get_attname(rollup->source, rollup->source_time, true);

		if (time != NULL && strcmp(time, column) == 0)
			result = lappend(result, rollup);
	}
	return result;
}

/*
 * rollups_before_removal(relation, cutoff, column_name): up to when rows may be removed now by the present transaction, which has locked
 * the rows' table against writers; NULL: not yet.
 */
Datum
hz_rollups_before_removal(PG_FUNCTION_ARGS)
{
	Oid relid = PG_GETARG_OID(0);
	TimestampTz cutoff = PG_GETARG_TIMESTAMPTZ(1);
	bool settled = true;
	TransactionId oldest;
	List *rollups;
	ListCell *cell;
	Relation rel;

	hz_inspect_check_owner(relid);
	rollups = affected_rollups(relid, NameStr(*PG_GETARG_NAME(2)));
	if (rollups == NIL)
		PG_RETURN_TIMESTAMPTZ(cutoff);
	cutoff = common_start(rollups, cutoff);
	if (TIMESTAMP_NOT_FINITE(cutoff))
		PG_RETURN_NULL();
	/* it is history of theirs that is frozen */
	foreach(cell, rollups)
		hz_inspect_check_owner(((HzRollup *) lfirst(cell))->source);
	/* nobody refreshes from here to the end of the transaction */
	foreach(cell, rollups)
		if (!ConditionalLockDatabaseObject(RelationRelationId, ((HzRollup *) lfirst(cell))->states,
										   1, ShareUpdateExclusiveLock))
			PG_RETURN_NULL();
	rel = relation_open(relid, AccessShareLock);
	oldest = GetOldestNonRemovableTransactionId(rel);
	relation_close(rel, NoLock);
	PushActiveSnapshot(GetLatestSnapshot());
	foreach(cell, rollups)
	{
		HzRollup *rollup = lfirst(cell);
		HzRollupProgress progress;

		settled = settled && hz_rollup_progress(rollup->states, GetActiveSnapshot(), &progress) &&
				  is_settled(rollup, &progress, oldest, cutoff);
	}
	PopActiveSnapshot();
	if (!settled)
		PG_RETURN_NULL();
	foreach(cell, rollups)
	{
		HzRollup *rollup = lfirst(cell);
		HzRollupProgress progress;

		if (!hz_rollup_progress(rollup->states, GetLatestSnapshot(), &progress) ||
			cutoff <= progress.frozen_before)
			continue;
		progress.frozen_before = cutoff;
		hz_rollup_store_progress(rollup->states, &progress);
		hz_note_forget(rollup->states);
	}
	PG_RETURN_TIMESTAMPTZ(cutoff);
}
