/*
 * write/rowbuffer.h
 *	  Rows on their way into a row group.
 *
 * Rows are kept as PostgreSQL's own minimal tuples, one behind the other, in the order in which they came, and spread
 * into columns when they are sealed, a few columns at a time (hz_rowbuffer_load), which a thread can do. Memory lives in a
 * context of the buffer's own; hz_rowbuffer_bytes() says how much.
 */
#ifndef HZ_ROWBUFFER_H
#define HZ_ROWBUFFER_H

#include "access/htup.h"
#include "executor/tuptable.h"
#include "storage/coltype.h"

typedef struct HzRowBuffer HzRowBuffer;

/* A row group holds no more than this before encoding, however large maintenance_work_mem is. */
#define HZ_ROWBUFFER_MAX_BYTES (UINT64CONST(256) * 1024 * 1024)

/* A buffer for rows of this shape (copied), in a new child of `parent`. */
extern HzRowBuffer *hz_rowbuffer_create(MemoryContext parent, TupleDesc desc);
extern void hz_rowbuffer_destroy(HzRowBuffer *buffer);

/* Forgets all rows, keeps the memory. */
extern void hz_rowbuffer_reset(HzRowBuffer *buffer);

/* Adds a row; values are copied, detoasted. */
extern void hz_rowbuffer_add(HzRowBuffer *buffer, const Datum *values, const bool *isnull);

/*
 * Adds a row by copying its tuple. False, and nothing is added, where that is not possible: values are compressed or stored
 * elsewhere, attributes are missing, or dropped ones are there.
 */
extern bool hz_rowbuffer_add_tuple(HzRowBuffer *buffer, HeapTuple tuple);

extern uint32 hz_rowbuffer_rows(const HzRowBuffer *buffer);
extern uint32 hz_rowbuffer_copied(
	const HzRowBuffer *buffer); /* of them, by hz_rowbuffer_add_tuple() */
extern uint64 hz_rowbuffer_bytes(const HzRowBuffer *buffer);

/* Bytes at which a buffer is full: maintenance_work_mem, within reason. */
extern uint64 hz_rowbuffer_limit(void);
extern TupleDesc hz_rowbuffer_desc(const HzRowBuffer *buffer);
extern const HzColumnType *hz_rowbuffer_types(const HzRowBuffer *buffer);

/* A row, in the buffer; it lives until the next row is added. */
extern MinimalTuple hz_rowbuffer_tuple(const HzRowBuffer *buffer, uint32 row);

/*
 * A row that stays in the delta: so large that it might not fit one tuple, which readers of rows form, once its values
 * are all inline.
 */
extern bool hz_rowbuffer_is_huge(TupleDesc desc, const Datum *values, const bool *isnull);

/* ---- Columns (rowcolumns.c): pure C, by hz_alloc(), and hence also in a thread while nobody adds rows */

/*
 * Spreads columns from `first` on of all rows, as many as some megabytes hold, forgets those that were loaded before, and returns
 * where they end. `first` is 0 or where those of the call before ended. The caller frees the memory (its arena or context), when it is done with them.
 */
extern int hz_rowbuffer_load(HzRowBuffer *buffer, int first);

/*
 * A loaded column with its rows in the order of `permutation` (rows entries; NULL: as they came), as the
 * format wants it; fixed values and strings point into what hz_rowbuffer_load() has made, or into the buffer.
 */
extern void hz_rowbuffer_column(const HzRowBuffer *buffer, int attno, const uint32 *permutation,
								HzColumn *column);

/* A loaded column of a buffer of one row, as if there were `count` equal ones. */
extern void hz_rowbuffer_repeat(const HzRowBuffer *buffer, int attno, uint32 count,
								HzColumn *column);

/*
 * Datums of some columns of all rows. values[a] and isnull[a] are arrays for the rows of attribute a, of `natts`, or both
 * NULL: not wanted. By-reference values point into the buffer.
 */
extern void hz_rowbuffer_datums(const HzRowBuffer *buffer, int natts, Datum *const *values,
								bool *const *isnull);

#endif /* HZ_ROWBUFFER_H */
