/*
 * admin/stats.c
 *	  Figures of one columnar table for the views: the table, its row groups, its columns, its chunks.
 *
 * They come from the directory, the marks and, for the delta, from its pages; no column is decoded. What
 * counts is what the caller's snapshot sees. Bounds are those of zone maps: they include deleted rows, and texts
 * are in byte order.
 */
#include "postgres.h"

#include "access/relation.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "admin/bounds.h"
#include "admin/inspect.h"
#include "base/bitmap.h"
#include "base/compat.h"
#include "storage/deltacount.h"
#include "storage/groupread.h"
#include "storage/mark.h"
#include "storage/options.h"
#include "storage/rowid.h"

PG_FUNCTION_INFO_V1(hz_table_stats);
PG_FUNCTION_INFO_V1(hz_row_group_stats);
PG_FUNCTION_INFO_V1(hz_column_stats);
PG_FUNCTION_INFO_V1(hz_column_chunk_stats);

#define ENCODINGS 64 /* above every number of an encoding */
#define CODECS 8

/* A table opened for its figures. */
typedef struct Inspection
{
	ReturnSetInfo *result;
	Relation rel;
	HzStore *store;
	Snapshot snapshot;
	HzGroup **groups;
	uint32 count;
} Inspection;

/* False when there is no such table: then the result is empty. */
static bool
inspection_begin(FunctionCallInfo fcinfo, Inspection *inspection)
{
	InitMaterializedSRF(fcinfo, 0);
	memset(inspection, 0, sizeof(*inspection));
	inspection->result = (ReturnSetInfo *) fcinfo->resultinfo;
	inspection->rel = hz_inspect_open(PG_GETARG_OID(0));
	if (inspection->rel == NULL)
		return false;
	inspection->snapshot = GetActiveSnapshot();
	inspection->store = hz_store_open(inspection->rel, AccessShareLock);
	inspection->groups =
		hz_directory_read(inspection->store, inspection->snapshot, &inspection->count);
	return true;
}

static void
inspection_end(Inspection *inspection)
{
	hz_store_close(inspection->store);
	relation_close(inspection->rel, NoLock);
}

static void
put_row(Inspection *inspection, Datum *values, bool *nulls)
{
	tuplestore_putvalues(inspection->result->setResult, inspection->result->setDesc, values, nulls);
}

static void
put_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

typedef void (*Visit)(Inspection *inspection, HzGroup *group, uint32 index, void *arg);

/* Visits the groups, described, each in a memory context of its own that is reset after it. */
static void
visit_groups(Inspection *inspection, Visit visit, void *arg)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo stats group", ALLOCSET_DEFAULT_SIZES);

	for (uint32 i = 0; i < inspection->count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		HzGroup group = *inspection->groups[i];

		CHECK_FOR_INTERRUPTS();
		hz_groupread_describe(inspection->store, &group);
		visit(inspection, &group, i, arg);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
}

static uint64
raw_bytes(const HzGroup *group)
{
	uint64 bytes = 0;

	for (uint32 i = 0; i < group->meta.column_count; i++)
		bytes += group->meta.columns[i].raw_bytes;
	return bytes;
}

static uint32
deleted_rows(Inspection *inspection, HzGroup *group)
{
	uint64 *deleted = palloc0(HZ_BITMAP_WORDS(group->rows) * sizeof(uint64));
	uint32 count = hz_mark_deleted_rows(inspection->store, group, inspection->snapshot, deleted);

	pfree(deleted);
	return count;
}

/* ---- Row groups */

/* A group's bounds of the column that the sort key begins with. */
typedef struct Range
{
	HzZone zone;
	uint32 index; /* of the group */
} Range;

typedef enum Overlap
{
	OVERLAP_UNKNOWN, /* no such column, or no bounds of it */
	OVERLAP_NONE,    /* shares no more than a border with another group */
	OVERLAP_SOME
} Overlap;

typedef struct Ranges
{
	int attribute; /* 0-based */
	HzKind kind;
	Range *ranges;
	uint32 count;
} Ranges;

static int
compare_ranges(const void *a, const void *b, void *kind)
{
	return hz_zone_compare(*(HzKind *) kind, &((const Range *) a)->zone,
						   &((const Range *) b)->zone);
}

/* The attribute (0-based) that the sort key begins with, if zone maps follow its order; else -1. */
static int
leading_attribute(Inspection *inspection, const HzColumnType *types)
{
	HzOptions *options = hz_options_read(inspection->rel);
	HzSortKey *key = options->order_by == NIL ? NULL : linitial(options->order_by);

	if (key == NULL || key->attnum <= 0 || !types[key->attnum - 1].ordered)
		return -1;
	if (types[key->attnum - 1].kind == HZ_KIND_BYTES && OidIsValid(key->collation) &&
		!hz_compat_collate_is_c(key->collation))
		return -1;
	return key->attnum - 1;
}

static void
take_range(Inspection *inspection, HzGroup *group, uint32 index, void *arg)
{
	Ranges *ranges = arg;
	const HzRowGroupMeta *meta = &group->meta;

	if (ranges->attribute >= (int) meta->column_count ||
		meta->columns[ranges->attribute].kind != ranges->kind ||
		!meta->columns[ranges->attribute].zone.has_bounds)
		return;
	ranges->ranges[ranges->count].zone = meta->columns[ranges->attribute].zone;
	ranges->ranges[ranges->count++].index = index;
}

/* For each group: whether it shares values of the leading column with another one. */
static Overlap *
find_overlaps(Inspection *inspection)
{
	HzColumnType *types = hz_coltype_for(RelationGetDescr(inspection->rel));
	Overlap *overlaps = palloc0(sizeof(Overlap) * Max(inspection->count, 1));
	Ranges found = {.attribute = leading_attribute(inspection, types)};
	const HzZone *furthest = NULL;

	if (found.attribute < 0)
		return overlaps;
	found.kind = types[found.attribute].kind;
	found.ranges = palloc_extended(sizeof(Range) * Max(inspection->count, 1), MCXT_ALLOC_HUGE);
	visit_groups(inspection, take_range, &found);
	qsort_arg(found.ranges, found.count, sizeof(Range), compare_ranges, &found.kind);
	for (uint32 i = 0; i < found.count; i++)
	{
		const HzZone *zone = &found.ranges[i].zone;
		bool before = furthest != NULL && hz_zone_reaches(found.kind, furthest, zone);
		bool after =
			i + 1 < found.count && hz_zone_reaches(found.kind, zone, &found.ranges[i + 1].zone);

		overlaps[found.ranges[i].index] = before || after ? OVERLAP_SOME : OVERLAP_NONE;
		if (furthest == NULL || !hz_zone_covers_max(found.kind, furthest, zone))
			furthest = zone;
	}
	return overlaps;
}

static void
put_group(Inspection *inspection, HzGroup *group, uint32 index, void *arg)
{
	const Overlap *overlaps = arg;
	Datum values[8];
	bool nulls[8] = {false};
	ItemPointerData first;

	hz_rowid_to_tid(hz_group_first_row(group), &first);
	values[0] = Int64GetDatum(group->number);
	values[1] = PointerGetDatum(&first);
	values[2] = Int64GetDatum(group->rows);
	values[3] = Int64GetDatum(deleted_rows(inspection, group));
	values[4] = Int64GetDatum(raw_bytes(group));
	values[5] = Int64GetDatum(group->bytes);
	values[6] = Int32GetDatum(group->pages);
	values[7] = BoolGetDatum(overlaps[index] == OVERLAP_SOME);
	nulls[7] = overlaps[index] == OVERLAP_UNKNOWN;
	put_row(inspection, values, nulls);
}

/*
 * row_group_stats(relation regclass): (row_group bigint, first_row tid, rows bigint, deleted_rows bigint,
 *	raw_bytes bigint, compressed_bytes bigint, pages integer, overlapping boolean)
 */
Datum
hz_row_group_stats(PG_FUNCTION_ARGS)
{
	Inspection inspection;

	if (!inspection_begin(fcinfo, &inspection))
		return (Datum) 0;
	visit_groups(&inspection, put_group, find_overlaps(&inspection));
	inspection_end(&inspection);
	return (Datum) 0;
}

/* ---- The table */

typedef struct TableTotal
{
	uint64 rows;
	uint64 deleted;
	uint64 raw;
	uint64 compressed;
} TableTotal;

static void
add_group(Inspection *inspection, HzGroup *group, uint32 index, void *arg)
{
	TableTotal *total = arg;

	total->rows += group->rows;
	total->deleted += deleted_rows(inspection, group);
	total->raw += raw_bytes(group);
	total->compressed += group->bytes;
}

/* The share of the groups that overlap with no other; false where none is known. */
static bool
sort_quality(Inspection *inspection, double *quality)
{
	Overlap *overlaps = find_overlaps(inspection);
	uint32 known = 0;
	uint32 apart = 0;

	for (uint32 i = 0; i < inspection->count; i++)
	{
		known += overlaps[i] != OVERLAP_UNKNOWN;
		apart += overlaps[i] == OVERLAP_NONE;
	}
	*quality = known > 0 ? (double) apart / known : 0;
	return known > 0;
}

/*
 * table_stats(relation regclass): (row_groups bigint, rows bigint, deleted_rows bigint, delta_rows bigint,
 *	delta_bytes bigint, raw_bytes bigint, compressed_bytes bigint, column_store_bytes bigint, sort_quality float8)
 */
Datum
hz_table_stats(PG_FUNCTION_ARGS)
{
	Inspection inspection;
	TableTotal total = {0};
	Datum values[9];
	bool nulls[9] = {false};
	BlockNumber blocks = 0;
	double quality;

	if (!inspection_begin(fcinfo, &inspection))
		return (Datum) 0;
	visit_groups(&inspection, add_group, &total);
	values[0] = Int64GetDatum(inspection.count);
	values[1] = Int64GetDatum(total.rows - total.deleted);
	values[2] = Int64GetDatum(total.deleted);
	values[3] = Int64GetDatum(hz_deltacount(inspection.rel, inspection.snapshot, &blocks));
	values[4] = Int64GetDatum((int64) blocks * BLCKSZ);
	values[5] = Int64GetDatum(total.raw);
	values[6] = Int64GetDatum(total.compressed);
	blocks = inspection.store == NULL ? 0 : RelationGetNumberOfBlocks(inspection.store->toast);
	values[7] = Int64GetDatum((int64) blocks * BLCKSZ);
	nulls[8] = !sort_quality(&inspection, &quality);
	values[8] = Float8GetDatum(quality);
	put_row(&inspection, values, nulls);
	inspection_end(&inspection);
	return (Datum) 0;
}

/* ---- Columns */

/* All chunks of a column. */
typedef struct ColumnTotal
{
	uint64 chunks;
	uint64 raw;
	uint64 compressed;
	uint64 nulls; /* deleted rows too; rows of groups older than the column are not counted */
	uint64 encodings[ENCODINGS];
	uint64 codecs[CODECS];
	uint64 blooms;
	bool mixed; /* chunks of another kind than the column has now: no common bounds */
	HzZone zone;
} ColumnTotal;

typedef struct ColumnTotals
{
	TupleDesc desc;
	HzColumnType *types;
	ColumnTotal *columns;
} ColumnTotals;

static void
add_chunk(ColumnTotal *total, const HzColumnType *type, const HzChunkMeta *meta)
{
	total->chunks++;
	total->raw += meta->raw_bytes;
	total->compressed += meta->length;
	total->nulls += meta->zone.nulls;
	total->encodings[Min(meta->encoding, ENCODINGS - 1)]++;
	total->codecs[Min((int) meta->codec, CODECS - 1)]++;
	total->blooms += meta->has_bloom;
	if (meta->kind != type->kind)
		total->mixed = true;
	else
		hz_zone_merge(meta->kind, &total->zone, &meta->zone);
}

/* "dictionary 12, constant 3": the most frequent first. NULL: none. */
static char *
frequencies(uint64 *counts, int size, const char *(*name)(int number))
{
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		int most = 0;

		for (int i = 1; i < size; i++)
		{
			if (counts[i] > counts[most])
				most = i;
		}
		if (counts[most] == 0)
			break;
		appendStringInfo(&text, "%s%s " UINT64_FORMAT, text.len > 0 ? ", " : "", name(most),
						 counts[most]);
		counts[most] = 0;
	}
	return text.len > 0 ? text.data : NULL;
}

static const char *
encoding_name(int encoding)
{
	return hz_chunk_encoding_name((uint8_t) encoding);
}

static const char *
codec_name(int codec)
{
	return hz_compress_name((HzCodec) codec);
}

static void
add_columns(Inspection *inspection, HzGroup *group, uint32 index, void *arg)
{
	ColumnTotals *totals = arg;

	for (int a = 0; a < Min(totals->desc->natts, (int) group->meta.column_count); a++)
	{
		if (group->meta.columns[a].kind != 0)
			add_chunk(&totals->columns[a], &totals->types[a], &group->meta.columns[a]);
	}
}

static void
put_column(Inspection *inspection, Form_pg_attribute attribute, const HzColumnType *type,
		   ColumnTotal *total)
{
	bool readable = hz_inspect_may_read(inspection->rel, attribute->attnum);
	bool shown = readable && !total->mixed;
	Datum values[11];
	bool nulls[11] = {false};

	values[0] = NameGetDatum(&attribute->attname);
	values[1] = ObjectIdGetDatum(attribute->atttypid);
	values[2] = Int64GetDatum(total->chunks);
	put_text(values, nulls, 3, frequencies(total->encodings, ENCODINGS, encoding_name));
	put_text(values, nulls, 4, frequencies(total->codecs, CODECS, codec_name));
	/* what pg_stats would show to those only who may read the column */
	values[5] = Int64GetDatum(total->nulls);
	nulls[5] = !readable;
	values[6] = Int64GetDatum(total->raw);
	values[7] = Int64GetDatum(total->compressed);
	values[8] = Int64GetDatum(total->blooms);
	put_text(values, nulls, 9, shown ? hz_bounds_text(type, &total->zone, false) : NULL);
	put_text(values, nulls, 10, shown ? hz_bounds_text(type, &total->zone, true) : NULL);
	put_row(inspection, values, nulls);
}

/*
 * column_stats(relation regclass): (column_name name, data_type regtype, row_groups bigint, encodings text, codecs text,
 *	null_values bigint, raw_bytes bigint, compressed_bytes bigint, bloom_filters bigint, min_value text, max_value text)
 */
Datum
hz_column_stats(PG_FUNCTION_ARGS)
{
	Inspection inspection;
	ColumnTotals totals;

	if (!inspection_begin(fcinfo, &inspection))
		return (Datum) 0;
	totals.desc = RelationGetDescr(inspection.rel);
	totals.types = hz_coltype_for(totals.desc);
	totals.columns = palloc0(sizeof(ColumnTotal) * Max(totals.desc->natts, 1));
	visit_groups(&inspection, add_columns, &totals);
	for (int a = 0; a < totals.desc->natts; a++)
	{
		if (!TupleDescAttr(totals.desc, a)->attisdropped)
			put_column(&inspection, TupleDescAttr(totals.desc, a), &totals.types[a],
					   &totals.columns[a]);
	}
	inspection_end(&inspection);
	return (Datum) 0;
}

/* ---- Chunks */

static void
put_chunk(Inspection *inspection, const HzGroup *group, Form_pg_attribute attribute,
		  const HzColumnType *type, const HzChunkMeta *meta, bool readable)
{
	bool shown = readable && meta->kind == type->kind;
	Datum values[11];
	bool nulls[11] = {false};

	values[0] = Int64GetDatum(group->number);
	values[1] = NameGetDatum(&attribute->attname);
	put_text(values, nulls, 2, hz_chunk_encoding_name(meta->encoding));
	put_text(values, nulls, 3, hz_compress_name(meta->codec));
	values[4] = Int64GetDatum(meta->zone.nulls);
	nulls[4] = !readable;
	values[5] = Int64GetDatum(meta->distinct);
	nulls[5] = !readable || meta->distinct == 0;
	values[6] = BoolGetDatum(meta->has_bloom);
	values[7] = Int64GetDatum(meta->raw_bytes);
	values[8] = Int64GetDatum(meta->length);
	put_text(values, nulls, 9, shown ? hz_bounds_text(type, &meta->zone, false) : NULL);
	put_text(values, nulls, 10, shown ? hz_bounds_text(type, &meta->zone, true) : NULL);
	put_row(inspection, values, nulls);
}

typedef struct ChunkRows
{
	TupleDesc desc;
	HzColumnType *types;
	bool *readable;
} ChunkRows;

static void
put_chunks(Inspection *inspection, HzGroup *group, uint32 index, void *arg)
{
	ChunkRows *rows = arg;

	for (int a = 0; a < Min(rows->desc->natts, (int) group->meta.column_count); a++)
	{
		if (group->meta.columns[a].kind != 0 && !TupleDescAttr(rows->desc, a)->attisdropped)
			put_chunk(inspection, group, TupleDescAttr(rows->desc, a), &rows->types[a],
					  &group->meta.columns[a], rows->readable[a]);
	}
}

/*
 * column_chunk_stats(relation regclass): (row_group bigint, column_name name, encoding text, codec text,
 *	null_values bigint, dictionary_entries bigint, bloom_filter boolean, raw_bytes bigint, compressed_bytes bigint,
 *	min_value text, max_value text)
 */
Datum
hz_column_chunk_stats(PG_FUNCTION_ARGS)
{
	Inspection inspection;
	ChunkRows rows;

	if (!inspection_begin(fcinfo, &inspection))
		return (Datum) 0;
	rows.desc = RelationGetDescr(inspection.rel);
	rows.types = hz_coltype_for(rows.desc);
	rows.readable = palloc(sizeof(bool) * Max(rows.desc->natts, 1));
	for (int a = 0; a < rows.desc->natts; a++)
		rows.readable[a] = hz_inspect_may_read(inspection.rel, (AttrNumber) (a + 1));
	visit_groups(&inspection, put_chunks, &rows);
	inspection_end(&inspection);
	return (Datum) 0;
}
