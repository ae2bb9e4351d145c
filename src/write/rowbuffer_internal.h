/*
 * write/rowbuffer_internal.h
 *	  What rowbuffer.c and rowcolumns.c share.
 */
#ifndef HZ_ROWBUFFER_INTERNAL_H
#define HZ_ROWBUFFER_INTERNAL_H

#include "access/htup_details.h"
#include "access/tupmacs.h"

#include "write/rowbuffer.h"

/* Bytes behind the last row that may be read, whatever is there: short values are copied in whole words. */
#define HZ_ROWBUFFER_SLACK 16

/* A column that is loaded. */
typedef struct BufferColumn
{
	void *fixed;       /* values of fixed width, or */
	HzString *strings; /* strings */
	uint64 *validity;  /* NULL: no null */
} BufferColumn;

/* How an attribute lies in a tuple. */
typedef struct BufferLayout
{
	int16 length; /* attlen */
	uint8 align;  /* bytes */
	bool byval;
} BufferLayout;

struct HzRowBuffer
{
	MemoryContext context;
	TupleDesc desc;
	HzColumnType *types;
	BufferLayout *layout;
	int last_varlena; /* attribute; -1: none */
	uint32 widest;    /* bytes of a value of the widest column of fixed width */
	bool *isnull;     /* of the row being added, where columns are dropped; else NULL */
	HzBytes tuples;
	uint32 *starts; /* of each row in `tuples`, in units of MAXIMUM_ALIGNOF */
	uint32 *at;     /* while columns are loaded: where the next one is, from the row's start */
	uint32 rows;
	uint32 copied; /* of them, by their tuples */
	uint32 room;   /* rows that `starts` and `at` have room for */
	BufferColumn *columns;
};

static inline MinimalTuple
buffered_tuple(const HzRowBuffer *buffer, uint32 row)
{
	return (MinimalTuple) (buffer->tuples.data + (Size) buffer->starts[row] * MAXIMUM_ALIGNOF);
}

/* Where the values of a row start, from the row's own start. */
static inline uint32
data_offset(MinimalTuple tuple)
{
	return (uint32) tuple->t_hoff - MINIMAL_TUPLE_OFFSET;
}

static inline bool
value_is_null(MinimalTuple tuple, int attno)
{
	return (tuple->t_infomask & HEAP_HASNULL) != 0 && att_isnull(attno, tuple->t_bits);
}

/* Whether no value of a tuple of all attributes is compressed or stored elsewhere. */
extern bool hz_rowbuffer_tuple_is_plain(const HzRowBuffer *buffer, HeapTupleHeader header);

#endif /* HZ_ROWBUFFER_INTERNAL_H */
