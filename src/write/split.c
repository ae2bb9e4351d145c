/*
 * write/split.c
 *	  Row groups cut at the borders of months. See split.h.
 *
 * The group is walked once; each row goes to the buffer of its month. There are SPLIT_BUFFERS of them and one for the rest,
 * which later rounds take on: every round ends with at least as many groups that need no further one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "storage/rowid.h"
#include "write/bulk.h"
#include "write/groupwalk.h"
#include "write/mover.h"
#include "write/split.h"

#define SPLIT_BUFFERS 32
#define NO_MONTH PG_INT32_MIN /* null */
#define BEFORE_ALL (PG_INT32_MIN + 1)
#define AFTER_ALL PG_INT32_MAX

typedef struct Part
{
	int32 month;
	HzRowBuffer *buffer;
	ItemPointerData *old;
} Part;

typedef struct Split
{
	AttrNumber attnum;
	bool is_date;
	MemoryContext context;
	TupleDesc desc;
	uint32 room; /* rows of the group */
	Part parts[SPLIT_BUFFERS + 1];
	int count;
} Split;

/* Months since the beginning of the year 0; what has no month of its own is before or after all. */
static int32
month_of(int64 stored, bool is_date)
{
	Timestamp time = stored;
	struct pg_tm tm;
	fsec_t fsec;
	int overflow = 0;

	if (is_date)
		time = date2timestamp_opt_overflow((DateADT) stored, &overflow);
	if (TIMESTAMP_NOT_FINITE(time) || timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		return time < 0 ? BEFORE_ALL : AFTER_ALL;
	if (tm.tm_year < 1 || tm.tm_year > 9999)
		return tm.tm_year < 1 ? BEFORE_ALL : AFTER_ALL;
	return tm.tm_year * 12 + tm.tm_mon;
}

/* The null or infinite rows of a group of BEFORE_ALL and AFTER_ALL are told apart from months, not from each other. */
static bool
is_mixed(HzStore *store, HzGroup *group, const HzColumnType *type, const Split *split)
{
	const HzChunkMeta *meta;

	hz_groupread_describe(store, group);
	if (split->attnum > (int) group->meta.column_count)
		return false;
	meta = &group->meta.columns[split->attnum - 1];
	if (meta->kind != type->kind || !meta->zone.has_bounds)
		return false;
	return meta->zone.nulls > 0 || month_of(meta->zone.min.integer, split->is_date) !=
									   month_of(meta->zone.max.integer, split->is_date);
}

static Part *
part_of(Split *split, int32 month)
{
	MemoryContext old;
	Part *part;

	for (int i = 0; i < split->count; i++)
	{
		/* the last one takes the rest */
		if (split->parts[i].month == month || i == SPLIT_BUFFERS)
			return &split->parts[i];
	}
	old = MemoryContextSwitchTo(split->context);
	part = &split->parts[split->count++];
	part->month = month;
	part->buffer = hz_rowbuffer_create(split->context, split->desc);
	part->old = palloc(sizeof(ItemPointerData) * split->room);
	MemoryContextSwitchTo(old);
	return part;
}

static void
split_row(void *arg, const Datum *values, const bool *isnull, uint64 number)
{
	Split *split = arg;
	int a = split->attnum - 1;
	int64 stored = 0;
	Part *part;

	if (!isnull[a])
		stored = split->is_date ? DatumGetDateADT(values[a]) : DatumGetTimestamp(values[a]);
	part = part_of(split, isnull[a] ? NO_MONTH : month_of(stored, split->is_date));
	hz_rowid_to_tid(number, &part->old[hz_rowbuffer_rows(part->buffer)]);
	hz_rowbuffer_add(part->buffer, values, isnull);
}

static void
split_group(HzMover *mover, HzGroup *group, const HzColumnType *types, Split *split,
			HzCompactProgress *progress)
{
	HzMoved *moved[SPLIT_BUFFERS + 1];
	uint32 rows = 0;

	split->room = group->rows;
	hz_groupwalk(mover->store, group, split->desc, types, mover->snapshot, split_row, split);
	for (int i = 0; i < split->count; i++)
	{
		moved[i] =
			hz_mover_write(mover, split->parts[i].buffer, split->parts[i].old, mover->options);
		hz_rowbuffer_destroy(split->parts[i].buffer);
	}
	(void) hz_mover_take_group(mover, group, moved, (uint32) split->count);
	for (int i = 0; i < split->count; i++)
	{
		hz_mover_publish(mover, moved[i]);
		rows += moved[i]->group->rows - moved[i]->deleted_count;
	}
	hz_compact_advance(progress, rows);
}

bool
hz_split_by_month(Relation rel, AttrNumber attnum, HzCompactProgress *progress)
{
	Split split = {.attnum = attnum, .desc = RelationGetDescr(rel)};
	HzMover mover;
	HzColumnType *types = hz_coltype_for(split.desc);
	HzGroup **groups;
	uint32 count;
	bool found = false;

	hz_bulk_flush(rel);
	if (progress->refused || !hz_mover_begin(&mover, rel))
		return false;
	split.is_date = TupleDescAttr(split.desc, attnum - 1)->atttypid == DATEOID;
	split.context = AllocSetContextCreate(mover.context, "hanzo split", ALLOCSET_DEFAULT_SIZES);
	groups = hz_directory_read(mover.store, mover.snapshot, &count);
	if (progress->phase != HZ_COMPACT_GROUPS)
		hz_compact_begin_phase(progress, HZ_COMPACT_GROUPS, 0);
	for (uint32 i = 0; i < count && !found; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (groups[i]->number < progress->next_group ||
			!is_mixed(mover.store, groups[i], &types[attnum - 1], &split))
			continue;
		split_group(&mover, groups[i], types, &split, progress);
		/* also past one that somebody was at work on */
		progress->next_group = groups[i]->number + 1;
		found = true;
	}
	hz_mover_end(&mover);
	CommandCounterIncrement();
	return found;
}
