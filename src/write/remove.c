/*
 * write/remove.c
 *	  Taking away whole row groups. See remove.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/catalog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "rewrite/prs2lock.h"
#include "storage/predicate.h"

#include "base/bitmap.h"
#include "storage/groupread.h"
#include "storage/mark.h"
#include "write/bulk.h"
#include "write/remove.h"

bool
hz_remove_unnoticed(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	if (RelationIsLogicallyLogged(rel) || rel->rd_rules != NULL ||
		(rel->rd_rel->relrowsecurity && rel->rd_rel->relforcerowsecurity))
		return false;
	return triggers == NULL ||
		   !(triggers->trig_delete_before_row || triggers->trig_delete_after_row ||
			 triggers->trig_delete_instead_row || triggers->trig_delete_before_statement ||
			 triggers->trig_delete_after_statement || triggers->trig_delete_old_table);
}

static bool
lies_within(HzStore *store, HzGroup *group, const HzColumnType *type, AttrNumber attnum, int64 from,
			int64 to)
{
	const HzChunkMeta *meta;

	hz_groupread_describe(store, group);
	if (attnum > (int) group->meta.column_count)
		return false;
	meta = &group->meta.columns[attnum - 1];
	return meta->kind == type->kind && meta->zone.has_bounds && meta->zone.nulls == 0 &&
		   meta->zone.min.integer >= from && meta->zone.max.integer < to;
}

static uint32
live_rows(HzStore *store, HzGroup *group, Snapshot snapshot)
{
	uint64 *deleted = palloc0(HZ_BITMAP_WORDS(group->rows) * sizeof(uint64));
	uint32 live = group->rows - hz_mark_deleted_rows(store, group, snapshot, deleted);

	pfree(deleted);
	return live;
}

/* False: somebody is at work on its rows. */
static bool
take_group(HzStore *store, HzGroup *group, Snapshot snapshot)
{
	bool free;

	hz_store_lock_group(store, group->number);
	free = !hz_mark_group_busy(store, group, snapshot);
	if (free)
		hz_directory_delete(store, group, GetCurrentCommandId(true));
	hz_store_unlock_group(store, group->number);
	return free;
}

uint64
hz_remove_groups(Relation rel, AttrNumber attnum, int64 from, int64 to, Snapshot snapshot,
				 uint64 *bytes)
{
	HzStore *store;
	HzColumnType *types = hz_coltype_for(RelationGetDescr(rel));
	HzGroup **all;
	uint32 count;
	uint64 rows = 0;

	hz_bulk_flush(rel);
	CheckForSerializableConflictIn(rel, NULL, InvalidBlockNumber);
	store = hz_store_open(rel, RowExclusiveLock);
	*bytes = 0;
	if (!hz_store_is_empty(store))
	{
		all = hz_directory_read(store, snapshot, &count);
		for (uint32 i = 0; i < count; i++)
		{
			uint32 live;

			CHECK_FOR_INTERRUPTS();
			if (!lies_within(store, all[i], &types[attnum - 1], attnum, from, to))
				continue;
			live = live_rows(store, all[i], snapshot);
			if (!take_group(store, all[i], snapshot))
				continue;
			rows += live;
			for (uint32 row = 0; row < live; row++)
				pgstat_count_heap_delete(rel);
			*bytes += all[i]->bytes;
		}
	}
	hz_store_close(store);
	CommandCounterIncrement();
	return rows;
}
