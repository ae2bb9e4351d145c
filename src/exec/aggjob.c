/*
 * exec/aggjob.c
 *	  See aggjob.h.
 */
#include "postgres.h"

#include "pgstat.h"
#include "utils/memutils.h"

#include "base/bitmap.h"
#include "base/compat.h"
#include "exec/aggjob.h"

#define LARGEST_JOB ((Size) 16 * 1024 * 1024) /* bytes of chunks */

static void
make_room(HzAggJob *job, MemoryContext context, int columns, Size bytes)
{
	if (columns > job->column_room)
	{
		job->columns = MemoryContextAllocZero(context, sizeof(HzAggJobColumn) * columns);
		job->column_room = columns;
	}
	if (bytes > job->room)
	{
		if (job->bytes != NULL)
			pfree(job->bytes);
		job->bytes = NULL;
		job->room = 0;
		job->bytes = MemoryContextAllocHuge(context, bytes + bytes / 4);
		job->room = bytes + bytes / 4;
	}
}

/* Bytes of the chunks that the program reads. */
static Size
chunk_bytes(HzAggLeaf *leaf, HzGroupReader *reader)
{
	Size total = 0;

	for (int i = 0; i < leaf->column_count; i++)
	{
		if (hz_groupread_has(reader, leaf->columns[i]))
			total += hz_groupread_meta(reader, leaf->columns[i])->length;
	}
	return total;
}

static void
fill_columns(HzAggLeaf *leaf, HzGroupReader *reader, HzAggJob *job)
{
	Size start = 0;

	job->column_count = leaf->column_count;
	for (int i = 0; i < leaf->column_count; i++)
	{
		HzAggJobColumn *column = &job->columns[i];

		column->attno = leaf->columns[i];
		column->missing = !hz_groupread_has(reader, column->attno);
		if (column->missing)
		{
			hz_batchcolumns_missing(&leaf->columns_of_scan, column->attno, &column->constant);
			continue;
		}
		column->meta = *hz_groupread_meta(reader, column->attno);
		column->start = start;
		hz_groupread_copy(reader, column->attno, job->bytes + start);
		start += column->meta.length;
	}
}

/* For statistics: rows of the vectors that are to be read. */
static uint64
count_live(const HzAggVectors *vectors, const uint64 *deleted)
{
	uint64 live = 0;

	for (uint32 v = 0; v * HZ_VECTOR_ROWS < vectors->rows; v++)
	{
		uint32 rows = Min(vectors->rows - v * HZ_VECTOR_ROWS, HZ_VECTOR_ROWS);

		if (vectors->judged[v] == HZ_PRUNE_NONE)
			continue;
		live += rows;
		if (deleted != NULL)
			live -= hz_bitmap_count(deleted + v * (HZ_VECTOR_ROWS / 64), rows);
	}
	return live;
}

bool
hz_aggjob_fill(HzAggJob *job, MemoryContext context, HzAggLeaf *leaf, const HzAggVectors *vectors)
{
	const uint64 *deleted;
	HzGroupReader *reader = hz_batchscan_open_group(leaf->scan->batches, vectors->index, &deleted);
	Size bytes = chunk_bytes(leaf, reader);

	if (bytes > LARGEST_JOB)
		return false;
	make_room(job, context, leaf->column_count, bytes);
	fill_columns(leaf, reader, job);
	job->leaf = leaf;
	job->vectors = *vectors;
	job->first = 0;
	job->has_deleted = deleted != NULL;
	if (deleted != NULL)
		memcpy(job->deleted, deleted, HZ_BITMAP_WORDS(vectors->rows) * sizeof(uint64));
	hz_compat_count_returned(leaf->scan->css.ss.ss_currentRelation, count_live(vectors, deleted));
	return true;
}
