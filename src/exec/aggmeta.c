/*
 * exec/aggmeta.c
 *	  Answers out of metadata. See aggmeta.h.
 *
 * A group of which nothing is deleted and all rows pass is answered by its description alone, without opening a chunk; of
 * other groups, vectors by their zones. Only count(*) can do with deleted rows: it needs to know how many there are.
 */
#include "postgres.h"

#include <math.h>

#include "pgstat.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "base/bitmap.h"
#include "base/compat.h"
#include "exec/aggmeta.h"
#include "expr/compile.h"

static bool enable_metadata_answers = true;

/* The rows that are to be answered together. */
typedef struct Portion
{
	HzAggLeaf *leaf;
	HzAggWork *work;
	int64 vector; /* WHOLE_GROUP */
	uint32 rows;
	uint32 live;
	HzGroup *group;        /* described; NULL: only rows are counted */
	HzGroupReader *reader; /* of a vector */
} Portion;

#define WHOLE_GROUP (-1)
#define ONLY_ROWS (-1) /* for the column of an aggregate */

/* ---- Start */

static bool
has_exact_bounds(const HzAggregate *aggregate)
{
	switch (aggregate->argument_kind)
	{
		case HZ_KIND_INT16:
		case HZ_KIND_INT32:
		case HZ_KIND_INT64:
		case HZ_KIND_FLOAT32:
		case HZ_KIND_FLOAT64:
		case HZ_KIND_NUMERIC:
			return true;
		default:
			return false;
	}
}

/* The column whose zones answer an aggregate; false: none do. */
static bool
find_column(const HzAggProgram *program, const HzAggregate *aggregates, int call, int *column)
{
	const HzAggregate *aggregate = &aggregates[call];

	*column = ONLY_ROWS;
	if (program->call_filters[call] != NULL)
		return false;
	if (program->arguments[call] == NULL)
		return aggregate->kind == HZ_AGG_COUNT;
	if (!hz_vexpr_is_column(program->arguments[call], column))
		return false;
	return aggregate->kind == HZ_AGG_COUNT ||
		   ((aggregate->kind == HZ_AGG_MIN || aggregate->kind == HZ_AGG_MAX) &&
			has_exact_bounds(aggregate));
}

void
hz_aggmeta_init(HzAggLeaf *leaf, const HzAggregate *aggregates)
{
	const HzAggProgram *program = &leaf->program;
	int *columns;

	if (!enable_metadata_answers || leaf->scan == NULL || program->key_count > 0 ||
		leaf->lookups != NULL)
		return;
	columns = palloc(sizeof(int) * Max(program->call_count, 1));
	for (int call = 0; call < program->call_count; call++)
	{
		if (!find_column(program, aggregates, call, &columns[call]))
			return;
		leaf->zones_needed |= columns[call] != ONLY_ROWS;
	}
	leaf->zone_columns = columns;
}

/* ---- One zone */

static const HzZone *
portion_zone(const Portion *portion, int column)
{
	return portion->vector == WHOLE_GROUP
			   ? &portion->group->meta.columns[column].zone
			   : hz_groupread_zone(portion->reader, column, (uint32) portion->vector);
}

/* Digits behind the point of all values of a column of this type; -1: they may differ. */
static int
declared_scale(Form_pg_attribute attribute)
{
	if (attribute->atttypmod < (int32) VARHDRSZ)
		return -1;
	return (((attribute->atttypmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
}

/*
 * Whether a bound is a value of the column, to the bit. A zone has one form for all zeroes, and one for all NaNs; that of
 * a chunk may have put numerics of several display scales into one, that of a vector has not.
 */
static bool
is_exact(const Portion *portion, int column, HzKind kind, const HzZone *zone, bool greatest)
{
	const HzZoneBound *bound = greatest ? &zone->max : &zone->min;

	if (!zone->has_bounds || zone->min_cut || zone->max_cut)
		return false;
	if (kind == HZ_KIND_FLOAT32 || kind == HZ_KIND_FLOAT64)
		return bound->real != 0 && !isnan(bound->real);
	if (kind == HZ_KIND_NUMERIC && portion->vector == WHOLE_GROUP)
		return declared_scale(TupleDescAttr(portion->leaf->desc, column)) == zone->scale;
	return true;
}

/* Whether the zone of its column answers an aggregate. */
static bool
can_answer(const Portion *portion, int call)
{
	const HzAggregate *aggregate = &portion->work->aggregator.aggregates[call];
	const HzRowGroupMeta *meta;
	const HzZone *zone;
	int column = portion->leaf->zone_columns[call];

	if (column == ONLY_ROWS)
		return true;
	meta = &portion->group->meta;
	if (column >= (int) meta->column_count || meta->columns[column].kind == 0)
		return false;
	zone = portion_zone(portion, column);
	if (zone->rows != portion->rows)
		return false;
	if (aggregate->kind == HZ_AGG_COUNT || zone->nulls == zone->rows)
		return true;
	return meta->columns[column].kind == aggregate->argument_kind &&
		   is_exact(portion, column, aggregate->argument_kind, zone, aggregate->kind == HZ_AGG_MAX);
}

/* ---- Adding */

/* Adds a bound as if it were the only value. */
static HzAggStatus
add_bound(const Portion *portion, int call, const HzZone *zone)
{
	HzAggregator *aggregator = &portion->work->aggregator;
	const HzAggregate *aggregate = &aggregator->aggregates[call];
	const HzZoneBound *bound = aggregate->kind == HZ_AGG_MAX ? &zone->max : &zone->min;
	HzVector vector = {.kind = aggregate->argument_kind,
					   .form = HZ_FORM_FLAT,
					   .numeric = HZ_NUMERIC_INT128,
					   .scale = zone->scale,
					   .width = aggregate->argument_width,
					   .count = 1,
					   .values = bound};
	float4 single = 0;

	/* of integers of any width the low bytes come first */
	if (vector.kind == HZ_KIND_FLOAT32)
	{
		single = (float4) bound->real;
		vector.values = &single;
	}
	else if (vector.kind == HZ_KIND_NUMERIC)
		vector.width = sizeof(HzInt128);
	return hz_aggregator_update(aggregator, call, &vector, NULL, 1);
}

static HzAggStatus
add_answer(const Portion *portion, int call)
{
	HzAggregator *aggregator = &portion->work->aggregator;
	int column = portion->leaf->zone_columns[call];
	const HzZone *zone;

	if (column == ONLY_ROWS)
		return hz_aggregator_update(aggregator, call, NULL, NULL, portion->live);
	zone = portion_zone(portion, column);
	if (aggregator->aggregates[call].kind == HZ_AGG_COUNT)
		return hz_aggregator_update(aggregator, call, NULL, NULL, zone->rows - zone->nulls);
	return zone->nulls == zone->rows ? HZ_AGG_OK : add_bound(portion, call, zone);
}

/* Answers all aggregates for these rows, or none: *done. False: it failed. */
static bool
answer_portion(const Portion *portion, bool *done)
{
	HzAggWork *work = portion->work;
	int calls = portion->leaf->program.call_count;

	*done = portion->live == portion->rows || !portion->leaf->zones_needed;
	for (int call = 0; call < calls && *done; call++)
		*done = can_answer(portion, call);
	for (int call = 0; call < calls && *done && work->status == HZ_AGG_OK; call++)
		work->status = add_answer(portion, call);
	if (!*done)
		return true;
	hz_compat_count_returned(portion->leaf->scan->css.ss.ss_currentRelation, portion->live);
	return work->status == HZ_AGG_OK;
}

/* ---- Groups and their vectors */

/* Whether all rows that are not deleted pass the filters. */
static bool
passes_whole(const HzAggLeaf *leaf, const HzAggVectors *vectors, uint32 vector)
{
	HzPruneResult judged = (HzPruneResult) vectors->judged[vector];

	return judged == HZ_PRUNE_ALL || (judged == HZ_PRUNE_SOME && leaf->program.filter_count == 0);
}

static bool
group_passes_whole(const HzAggLeaf *leaf, const HzAggVectors *vectors)
{
	for (uint32 v = 0; v * HZ_VECTOR_ROWS < vectors->rows; v++)
	{
		if (!passes_whole(leaf, vectors, v))
			return false;
	}
	return true;
}

static bool
answer_group(HzAggLeaf *leaf, HzAggWork *work, HzAggVectors *vectors, bool *done)
{
	HzBatchScan *batches = leaf->scan->batches;
	const uint64 *deleted = hz_batchscan_deleted(batches, vectors->index);
	Portion portion = {.leaf = leaf,
					   .work = work,
					   .vector = WHOLE_GROUP,
					   .rows = vectors->rows,
					   .live = vectors->rows};

	if (deleted != NULL)
		portion.live -= (uint32) hz_bitmap_count(deleted, vectors->rows);
	if (leaf->zones_needed && deleted == NULL)
		portion.group = hz_batchscan_describe(batches, vectors->index);
	return answer_portion(&portion, done);
}

static bool
answer_vector(HzAggLeaf *leaf, HzAggWork *work, HzAggVectors *vectors, uint32 v,
			  HzAggMetaCount *count)
{
	uint32 first = v * HZ_VECTOR_ROWS;
	HzBatchScan *batches = leaf->scan->batches;
	const uint64 *deleted = hz_batchscan_deleted(batches, vectors->index);
	bool done;
	Portion portion = {.leaf = leaf, .work = work, .vector = v};

	portion.rows = portion.live = Min(vectors->rows - first, HZ_VECTOR_ROWS);
	if (deleted != NULL)
		portion.live -= (uint32) hz_bitmap_count(deleted + first / 64, portion.rows);
	if (leaf->zones_needed && portion.live == portion.rows)
	{
		portion.reader = hz_batchscan_open_group(batches, vectors->index, &deleted);
		portion.group = hz_batchscan_describe(batches, vectors->index);
	}
	if (!answer_portion(&portion, &done))
		return false;
	if (done)
	{
		vectors->judged[v] = HZ_PRUNE_NONE;
		vectors->left--;
		count->vectors++;
	}
	return true;
}

bool
hz_aggmeta_answer(HzAggLeaf *leaf, HzAggWork *work, HzAggVectors *vectors, HzAggMetaCount *count)
{
	bool done = false;

	if (leaf->zone_columns == NULL)
		return true;
	if (group_passes_whole(leaf, vectors) && !answer_group(leaf, work, vectors, &done))
		return false;
	if (done)
	{
		vectors->left = 0;
		count->groups++;
		return true;
	}
	for (uint32 v = 0; v * HZ_VECTOR_ROWS < vectors->rows; v++)
	{
		if (passes_whole(leaf, vectors, v) && !answer_vector(leaf, work, vectors, v, count))
			return false;
	}
	return true;
}

void
hz_aggmeta_define(void)
{
	DefineCustomBoolVariable(
		"hanzo_datastore.enable_metadata_answers",
		"Enables columnar aggregation to answer count, min and max without reading rows.",
		"It uses descriptions of row groups and zone maps.", &enable_metadata_answers, true,
		PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
}
