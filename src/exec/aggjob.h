/*
 * exec/aggjob.h
 *	  A row group for a thread: the chunks that an aggregation reads of it, copied, and which of its vectors are to be read.
 */
#ifndef HZ_AGGJOB_H
#define HZ_AGGJOB_H

#include "exec/aggleaf.h"

/* See aggthreads.c. */
typedef enum HzAggJobState
{
	HZ_JOB_FREE,
	HZ_JOB_READY,
	HZ_JOB_TAKEN,
	HZ_JOB_LEFT
} HzAggJobState;

typedef struct HzAggJobColumn
{
	int attno;
	bool missing;
	HzVector constant; /* missing */
	HzChunkMeta meta;
	Size start; /* of its bytes in the job's */
} HzAggJobColumn;

typedef struct HzAggJob
{
	HzAggJobState state;
	HzAggLeaf *leaf;
	HzAggVectors vectors;
	uint32 first; /* vector that is not done yet */
	bool has_deleted;
	uint64 deleted[HZ_CHUNK_MAX_ROWS / 64];
	int column_count;
	int column_room;
	HzAggJobColumn *columns;
	uint8 *bytes;
	Size room;
} HzAggJob;

/* Fills a job that is free, with memory from `context`; false: the row group is too large. */
extern bool hz_aggjob_fill(HzAggJob *job, MemoryContext context, HzAggLeaf *leaf,
						   const HzAggVectors *vectors);

/* Which of the job's columns an attribute (0-based) is; it is one. Pure C. */
static inline int
hz_aggjob_column(const HzAggJob *job, int attno)
{
	int i = 0;

	while (job->columns[i].attno != attno)
		i++;
	return i;
}

#endif /* HZ_AGGJOB_H */
