/*
 * exec/batchcolumns.h
 *	  The columns of a scan's current batch as vectors, each decoded when it is first asked for.
 */
#ifndef HZ_BATCHCOLUMNS_H
#define HZ_BATCHCOLUMNS_H

#include "read/batchscan.h"
#include "storage/coltype.h"

typedef struct HzBatchColumns
{
	HzBatchScan *batches; /* borrowed; set before the first batch */
	TupleDesc desc;
	const HzColumnType *types;
	MemoryContext context;
	uint32 rows;    /* of the batch */
	uint64 number;  /* of the batch */
	uint64 *loaded; /* by attribute: number of the batch that its vector is of */
	HzVector *vectors;
	uint64 *lengths_loaded; /* likewise */
	HzVector *lengths;      /* of strings */
	HzVector *
		missing; /* by attribute: constants of those that row groups do not have; count 0: not made yet */
} HzBatchColumns;

/* In the current context, which must outlive it; desc and types are borrowed. */
extern void hz_batchcolumns_init(HzBatchColumns *columns, TupleDesc desc,
								 const HzColumnType *types);

/* A new batch of `rows` rows. */
extern void hz_batchcolumns_begin(HzBatchColumns *columns, uint32 rows);

/* Column `attno` (0-based): an HzColumnGet of HzBatchColumns. Throws where it is damaged. */
extern const HzVector *hz_batchcolumns_get(void *arg, int attno);

/* The lengths of its strings: the getter of hz_eval_use_lengths() of HzBatchColumns. */
extern const HzVector *hz_batchcolumns_lengths(void *arg, int attno);

/* Its rows that have these bytes: an HzColumnMatch of HzBatchColumns. Throws likewise. */
extern bool hz_batchcolumns_match(void *arg, int attno, const uint8 *data, size_t length,
								  uint8 *mask);

/* Whether that is made use of. */
extern bool hz_enable_encoded_equality;

/* The constant of an attribute that a row group does not have, HZ_VECTOR_ROWS times; it lives as long as `columns`. */
extern void hz_batchcolumns_missing(HzBatchColumns *columns, int attno, HzVector *out);

#endif /* HZ_BATCHCOLUMNS_H */
