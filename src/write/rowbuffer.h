/*
 * write/rowbuffer.h
 *	  Rows on their way into a row group, kept by column.
 *
 * Values are copied, detoasted and stripped of varlena headers as they come. Memory lives in a context
 * of the buffer's own; hz_rowbuffer_bytes() says how much. Rows keep the order in which they came.
 */
#ifndef HZ_ROWBUFFER_H
#define HZ_ROWBUFFER_H

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

extern void hz_rowbuffer_add(HzRowBuffer *buffer, const Datum *values, const bool *isnull);

extern uint32 hz_rowbuffer_rows(const HzRowBuffer *buffer);
extern uint64 hz_rowbuffer_bytes(const HzRowBuffer *buffer);

/* Bytes at which a buffer is full: maintenance_work_mem, within reason. */
extern uint64 hz_rowbuffer_limit(void);
extern TupleDesc hz_rowbuffer_desc(const HzRowBuffer *buffer);
extern const HzColumnType *hz_rowbuffer_types(const HzRowBuffer *buffer);

/*
 * One value as a Datum. By-reference values of whole words point into the buffer and live until the next
 * row is added; others are palloc'd.
 */
extern Datum hz_rowbuffer_datum(const HzRowBuffer *buffer, uint32 row, int attno, bool *isnull);

/*
 * Column `attno` with its rows in the order of `permutation` (rows entries; NULL: as they came), as the
 * format wants it; allocated by hz_alloc() and hence also in a thread, strings point into the buffer.
 */
extern void hz_rowbuffer_column(const HzRowBuffer *buffer, int attno, const uint32 *permutation,
								HzColumn *column);

/* Column `attno` of a buffer of one row, as if there were `count` equal ones; likewise palloc'd. */
extern void hz_rowbuffer_repeat(const HzRowBuffer *buffer, int attno, uint32 count,
								HzColumn *column);

/*
 * A row that stays in the delta: so large that it might not fit one tuple, which readers of rows form, once its values
 * are all inline.
 */
extern bool hz_rowbuffer_is_huge(TupleDesc desc, const Datum *values, const bool *isnull);

#endif /* HZ_ROWBUFFER_H */
