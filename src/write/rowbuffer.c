/*
 * write/rowbuffer.c
 *	  Rows that wait to be sealed. See rowbuffer.h.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "write/rowbuffer_internal.h"

/* Far enough below the largest tuple (1 GB) for headers, padding and what an update may add. */
#define HZ_ROWBUFFER_HUGE_ROW ((Size) 512 * 1024 * 1024)

static uint8
align_bytes(char align)
{
	switch (align)
	{
		case TYPALIGN_CHAR:
			return 1;
		case TYPALIGN_SHORT:
			return ALIGNOF_SHORT;
		case TYPALIGN_INT:
			return ALIGNOF_INT;
		default:
			return ALIGNOF_DOUBLE;
	}
}

HzRowBuffer *
hz_rowbuffer_create(MemoryContext parent, TupleDesc desc)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "hanzo row buffer", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzRowBuffer *buffer = palloc0(sizeof(HzRowBuffer));

	buffer->context = context;
	buffer->desc = CreateTupleDescCopyConstr(desc);
	buffer->types = hz_coltype_for(desc);
	buffer->last_varlena = -1;
	buffer->layout = palloc0(sizeof(BufferLayout) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		buffer->layout[i].length = attribute->attlen;
		if (attribute->attlen == -1)
			buffer->last_varlena = i;
		buffer->layout[i].align = align_bytes(attribute->attalign);
		buffer->layout[i].byval = attribute->attbyval;
		buffer->widest = Max(buffer->widest, buffer->types[i].width);
		if (attribute->attisdropped && buffer->isnull == NULL)
			buffer->isnull = palloc(sizeof(bool) * desc->natts);
	}
	buffer->columns = palloc0(sizeof(BufferColumn) * Max(desc->natts, 1));
	MemoryContextSwitchTo(old);
	return buffer;
}

void
hz_rowbuffer_destroy(HzRowBuffer *buffer)
{
	MemoryContextDelete(buffer->context);
}

void
hz_rowbuffer_reset(HzRowBuffer *buffer)
{
	buffer->tuples.length = 0;
	buffer->rows = buffer->copied = 0;
}

/* Room for one more row of so many bytes, which the caller fills. */
static MinimalTuple
append_row(HzRowBuffer *buffer, Size length)
{
	MinimalTuple tuple;

	if (buffer->rows == buffer->room ||
		buffer->tuples.capacity - buffer->tuples.length < MAXALIGN(length) + HZ_ROWBUFFER_SLACK)
	{
		MemoryContext old = MemoryContextSwitchTo(buffer->context);

		if (buffer->rows == buffer->room)
		{
			uint32 room = buffer->room == 0 ? 1024 : buffer->room * 2;

			buffer->starts = hz_realloc(buffer->starts, sizeof(uint32) * room);
			buffer->at = hz_realloc(buffer->at, sizeof(uint32) * room);
			buffer->room = room;
		}
		(void) hz_bytes_reserve(&buffer->tuples, MAXALIGN(length) + HZ_ROWBUFFER_SLACK);
		MemoryContextSwitchTo(old);
	}
	buffer->starts[buffer->rows] = (uint32) (buffer->tuples.length / MAXIMUM_ALIGNOF);
	tuple = buffered_tuple(buffer, buffer->rows);
	buffer->tuples.length += MAXALIGN(length);
	buffer->rows++;
	return tuple;
}

/* As heap_form_minimal_tuple(), into the buffer. */
static void
form_row(HzRowBuffer *buffer, const Datum *values, const bool *isnull)
{
	int natts = buffer->desc->natts;
	Size head = SizeofMinimalTupleHeader;
	bool has_null = false;
	Size data;
	MinimalTuple tuple;

	for (int i = 0; i < natts && !has_null; i++)
		has_null = isnull[i];
	if (has_null)
		head += BITMAPLEN(natts);
	head = MAXALIGN(head);
	data = heap_compute_data_size(buffer->desc, unconstify(Datum *, values),
								  unconstify(bool *, isnull));
	tuple = append_row(buffer, head + data);
	/* padding must be zero, or it would be taken for the length of a string */
	memset(tuple, 0, head + data);
	tuple->t_len = (uint32) (head + data);
	HeapTupleHeaderSetNatts(tuple, natts);
	tuple->t_hoff = (uint8) (head + MINIMAL_TUPLE_OFFSET);
	heap_fill_tuple(buffer->desc, unconstify(Datum *, values), unconstify(bool *, isnull),
					(char *) tuple + head, data, &tuple->t_infomask,
					has_null ? tuple->t_bits : NULL);
}

static bool
is_toasted(const BufferLayout *layout, Datum value)
{
	return layout->length == -1 && (VARATT_IS_COMPRESSED(DatumGetPointer(value)) ||
									VARATT_IS_EXTERNAL(DatumGetPointer(value)));
}

/* Whether a row has a value that is not plain. */
static bool
has_toasted(const HzRowBuffer *buffer, const Datum *values, const bool *isnull)
{
	for (int i = 0; i < buffer->desc->natts; i++)
	{
		if (!isnull[i] && is_toasted(&buffer->layout[i], values[i]))
			return true;
	}
	return false;
}

/* The row with all values plain. */
static void
add_toasted(HzRowBuffer *buffer, const Datum *values, const bool *isnull)
{
	int natts = buffer->desc->natts;
	MemoryContext context =
		AllocSetContextCreate(buffer->context, "hanzo row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Datum *plain = palloc(sizeof(Datum) * natts);

	for (int i = 0; i < natts; i++)
	{
		plain[i] = values[i];
		if (!isnull[i] && is_toasted(&buffer->layout[i], values[i]))
			plain[i] = PointerGetDatum(
				pg_detoast_datum_packed((struct varlena *) DatumGetPointer(values[i])));
	}
	form_row(buffer, plain, isnull);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
hz_rowbuffer_add(HzRowBuffer *buffer, const Datum *values, const bool *isnull)
{
	if (buffer->isnull != NULL)
	{
		for (int i = 0; i < buffer->desc->natts; i++)
			buffer->isnull[i] = isnull[i] || buffer->types[i].kind == 0;
		isnull = buffer->isnull;
	}
	if (has_toasted(buffer, values, isnull))
		add_toasted(buffer, values, isnull);
	else
		form_row(buffer, values, isnull);
}

/* A tuple from before a column was dropped still has its value, which must not be stored. */
static bool
has_dropped_value(const HzRowBuffer *buffer, HeapTupleHeader header)
{
	if (buffer->isnull == NULL)
		return false;
	for (int i = 0; i < buffer->desc->natts; i++)
	{
		if (buffer->types[i].kind == 0 &&
			((header->t_infomask & HEAP_HASNULL) == 0 || !att_isnull(i, header->t_bits)))
			return true;
	}
	return false;
}

bool
hz_rowbuffer_add_tuple(HzRowBuffer *buffer, HeapTuple tuple)
{
	Size length = tuple->t_len - MINIMAL_TUPLE_OFFSET;
	MinimalTuple copy;

	if (HeapTupleHeaderGetNatts(tuple->t_data) != buffer->desc->natts ||
		HeapTupleHasExternal(tuple) || has_dropped_value(buffer, tuple->t_data) ||
		!hz_rowbuffer_tuple_is_plain(buffer, tuple->t_data))
		return false;
	copy = append_row(buffer, length);
	memcpy(copy, (char *) tuple->t_data + MINIMAL_TUPLE_OFFSET, length);
	copy->t_len = (uint32) length;
	buffer->copied++;
	return true;
}

uint32
hz_rowbuffer_rows(const HzRowBuffer *buffer)
{
	return buffer->rows;
}

uint32
hz_rowbuffer_copied(const HzRowBuffer *buffer)
{
	return buffer->copied;
}

uint64
hz_rowbuffer_bytes(const HzRowBuffer *buffer)
{
	uint64 rows = buffer->rows;

	/* a column takes its room also where it is null */
	return Max(buffer->tuples.length + rows * (sizeof(*buffer->starts) + sizeof(*buffer->at)),
			   rows * buffer->widest);
}

uint64
hz_rowbuffer_limit(void)
{
	return Min((uint64) maintenance_work_mem * 1024, HZ_ROWBUFFER_MAX_BYTES);
}

TupleDesc
hz_rowbuffer_desc(const HzRowBuffer *buffer)
{
	return buffer->desc;
}

const HzColumnType *
hz_rowbuffer_types(const HzRowBuffer *buffer)
{
	return buffer->types;
}

MinimalTuple
hz_rowbuffer_tuple(const HzRowBuffer *buffer, uint32 row)
{
	return buffered_tuple(buffer, row);
}

bool
hz_rowbuffer_is_huge(TupleDesc desc, const Datum *values, const bool *isnull)
{
	Size bytes = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (!isnull[i] && TupleDescAttr(desc, i)->attlen == -1 &&
			!TupleDescAttr(desc, i)->attisdropped)
			bytes += toast_raw_datum_size(values[i]);
	}
	return bytes > HZ_ROWBUFFER_HUGE_ROW;
}
