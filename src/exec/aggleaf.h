/*
 * exec/aggleaf.h
 *	  Where ColumnarAgg gets its batches from: one table, or whatever else stands below.
 *
 * Of a ColumnarScan both stores are read directly; the delta's rows are put into vectors. Of another ColumnarAgg the groups are
 * read (aggresult.h). From any other node rows come by ExecProcNode() and are put into vectors, too.
 */
#ifndef HZ_AGGLEAF_H
#define HZ_AGGLEAF_H

#include "exec/agglookup.h"
#include "exec/aggresult.h"
#include "exec/aggwork.h"
#include "exec/batchcolumns.h"
#include "exec/scanstate.h"
#include "nodes/execnodes.h"
#include "storage/coltype.h"

/* Expressions over the child's target list, then the lookups' columns (OUTER_VAR), as the planner has left them. */
typedef struct HzAggExprs
{
	List *keys;
	List *arguments;    /* NULL entries: count(*) */
	List *call_filters; /* NULL entries: none */
	List *join_quals;
	const HzAggLookups *lookups; /* NULL: no join */
} HzAggExprs;

typedef struct HzAggLeaf
{
	PlanState *ps;
	HzScanNode *scan;    /* NULL: groups, or rows by ExecProcNode() */
	HzAggGroups *groups; /* NULL: none */
	uint64 groups_read;  /* of those */
	TupleDesc desc;      /* of what the program's columns are */
	HzColumnType *types;
	HzAggProgram program;
	int column_count;
	int *columns;                /* that the program reads, ascending; of the child's own */
	const HzAggLookups *lookups; /* NULL: none; their columns stand behind those of desc */
	int *lookup_keys;            /* columns: keys of all lookups */
	bool prunes_keys;            /* exec/aggkeys.h; then: */
	HzPruneCompile *own_prune;   /* what the scan itself has */
	HzAggProbe *probes;          /* of the leader */
	int *
		zone_columns; /* aggmeta.h: by aggregate, the column whose zones answer it; NULL: none do */
	bool zones_needed; /* zone_columns: some aggregate is not count(*) */
	bool threadable;
	bool bound;                     /* constants have their values */
	MemoryContext context;          /* of all this, and of what evaluations keep */
	MemoryContext row_context;      /* of a batch of rows */
	HzEval *eval;                   /* of the leader */
	HzBatchColumns columns_of_scan; /* not from rows */
	/* the current batch */
	bool from_rows;
	uint32 rows;
	HzAggWork *work;   /* of the current batch */
	HzVector *vectors; /* by attribute */
	bool *loaded;
	Datum **values; /* from rows: by attribute; NULL where the program does not read it */
	bool **isnull;
} HzAggLeaf;

/* NULL: some expression cannot be compiled. In the current context, which must outlive it. */
extern HzAggLeaf *hz_aggleaf_make(PlanState *ps, const HzAggExprs *exprs);

/*
 * Evaluates what is constant during the run, the first time; before the first batch. Not sooner: a subquery that
 * rows are compared with is not executed where there are none.
 */
extern void hz_aggleaf_bind(HzAggLeaf *leaf);

/* Called after every batch: keeps the aggregator within its limit. False: see work. */
typedef bool (*HzAggKeepSmall)(void *arg);

/* Adds all rows of the delta, or all rows of a child that is no ColumnarScan. False: see work. */
extern bool hz_aggleaf_run_rows(HzAggLeaf *leaf, HzAggWork *work, HzAggKeepSmall keep_small,
								void *arg);

/* What is to be read of a row group. */
typedef struct HzAggVectors
{
	uint32 index;                                       /* of the group */
	uint32 rows;                                        /* of the group */
	uint32 left;                                        /* vectors that are not ruled out */
	uint8 judged[HZ_CHUNK_MAX_ROWS / HZ_VECTOR_ROWS];   /* HzPruneResult of each */
	uint64 passing[HZ_CHUNK_MAX_ROWS / HZ_VECTOR_ROWS]; /* quals that all its rows satisfy */
} HzAggVectors;

/* Asks zone maps and bloom filters; false: nothing of the group is to be read. Counts for EXPLAIN. */
extern bool hz_aggleaf_judge(HzAggLeaf *leaf, uint32 index, HzAggVectors *vectors);

/* Asks the machine for what is to be read of a row group, of which most is to be read. */
extern void hz_aggleaf_prefetch(HzAggLeaf *leaf, uint32 index);

/* Adds the vectors of one row group, by the leader. */
extern bool hz_aggleaf_run_group(HzAggLeaf *leaf, HzAggWork *work, const HzAggVectors *vectors,
								 HzAggKeepSmall keep_small, void *arg);

#endif /* HZ_AGGLEAF_H */
