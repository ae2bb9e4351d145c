/*
 * write/rowbuffer.c
 *	  Columns of rows that wait to be sealed. See rowbuffer.h.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "write/rowbuffer.h"

/* Far enough below the largest tuple (1 GB) for headers, padding and what an update may add. */
#define HZ_ROWBUFFER_HUGE_ROW ((Size) 512 * 1024 * 1024)

typedef struct BufferColumn
{
	HzBytes values; /* fixed: slots; strings: their bytes, one after the other */
	uint32
		*ends; /* strings: end of each in `values`, which the limit and one value keep below 4 GB */
	uint64 *validity; /* NULL while there is no null */
} BufferColumn;

struct HzRowBuffer
{
	MemoryContext context;
	TupleDesc desc;
	HzColumnType *types;
	BufferColumn *columns;
	uint32 rows;
	uint32 room; /* rows that ends and validity have room for */
	uint64 bytes;
};

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
	for (int i = 0; i < buffer->desc->natts; i++)
	{
		buffer->columns[i].values.length = 0;
		if (buffer->columns[i].validity != NULL)
		{
			pfree(buffer->columns[i].validity);
			buffer->columns[i].validity = NULL;
		}
	}
	buffer->rows = 0;
	buffer->bytes = 0;
}

static void
grow(HzRowBuffer *buffer)
{
	uint32 room = buffer->room == 0 ? 1024 : buffer->room * 2;

	for (int i = 0; i < buffer->desc->natts; i++)
	{
		BufferColumn *column = &buffer->columns[i];

		if (buffer->types[i].width == 0)
			column->ends = hz_realloc(column->ends, sizeof(uint32) * room);
		else
			(void) hz_bytes_reserve(&column->values,
									(size_t) (room - buffer->rows) * buffer->types[i].width);
		if (column->validity != NULL)
		{
			column->validity = repalloc(column->validity, HZ_BITMAP_WORDS(room) * 8);
			memset(column->validity + HZ_BITMAP_WORDS(buffer->room), 0xFF,
				   (HZ_BITMAP_WORDS(room) - HZ_BITMAP_WORDS(buffer->room)) * 8);
		}
	}
	buffer->room = room;
}

/* As memcpy(), without a call for the short values that most are. */
static inline void
copy_bytes(uint8_t *to, const void *from, size_t length)
{
	const uint8_t *last = (const uint8_t *) from + length;

	if (length > 16)
		memcpy(to, from, length);
	else if (length >= 8)
	{
		uint64 head;
		uint64 tail;

		memcpy(&head, from, 8);
		memcpy(&tail, last - 8, 8);
		memcpy(to, &head, 8);
		memcpy(to + length - 8, &tail, 8);
	}
	else if (length >= 4)
	{
		uint32 head;
		uint32 tail;

		memcpy(&head, from, 4);
		memcpy(&tail, last - 4, 4);
		memcpy(to, &head, 4);
		memcpy(to + length - 4, &tail, 4);
	}
	else
	{
		for (size_t i = 0; i < length; i++)
			to[i] = ((const uint8_t *) from)[i];
	}
}

static void
add_null(HzRowBuffer *buffer, BufferColumn *column)
{
	if (column->validity == NULL)
	{
		column->validity = palloc(HZ_BITMAP_WORDS(buffer->room) * 8);
		memset(column->validity, 0xFF, HZ_BITMAP_WORDS(buffer->room) * 8);
	}
	hz_bitmap_clear(column->validity, buffer->rows);
}

static void
add_fixed(BufferColumn *column, const HzColumnType *type, Datum value, bool isnull)
{
	uint8_t *slot = column->values.data + column->values.length; /* grow() has reserved it */

	column->values.length += type->width;
	if (isnull)
		memset(slot, 0, type->width);
	else if (!type->typbyval)
		copy_bytes(slot, DatumGetPointer(value), type->width);
	else if (type->width == 1)
	{
		uint8 v = DatumGetUInt8(value);

		*slot = type->kind == HZ_KIND_BOOL ? v != 0 : v;
	}
	else if (type->width == 2)
	{
		int16 v = DatumGetInt16(value);

		memcpy(slot, &v, 2);
	}
	else if (type->width == 4)
	{
		int32 v = DatumGetInt32(value);

		memcpy(slot, &v, 4);
	}
	else
	{
		int64 v = DatumGetInt64(value);

		memcpy(slot, &v, 8);
	}
}

static inline void
add_bytes(HzBytes *bytes, const void *source, size_t length)
{
	copy_bytes(hz_bytes_reserve(bytes, length), source, length);
	bytes->length += length;
}

static void
add_string(HzRowBuffer *buffer, BufferColumn *column, const HzColumnType *type, Datum value,
		   bool isnull)
{
	if (!isnull && type->typlen == -2)
		add_bytes(&column->values, DatumGetCString(value), strlen(DatumGetCString(value)));
	else if (!isnull)
	{
		struct varlena *original = (struct varlena *) DatumGetPointer(value);
		struct varlena *plain = original;

		if (VARATT_IS_COMPRESSED(original) || VARATT_IS_EXTERNAL(original))
			plain = pg_detoast_datum_packed(original);
		add_bytes(&column->values, VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain));
		if (plain != original)
			pfree(plain);
	}
	column->ends[buffer->rows] = (uint32) column->values.length;
}

void
hz_rowbuffer_add(HzRowBuffer *buffer, const Datum *values, const bool *isnull)
{
	MemoryContext old = MemoryContextSwitchTo(buffer->context);

	if (buffer->rows == buffer->room)
		grow(buffer);
	for (int i = 0; i < buffer->desc->natts; i++)
	{
		BufferColumn *column = &buffer->columns[i];
		const HzColumnType *type = &buffer->types[i];
		size_t before = column->values.length;

		if (type->kind == 0)
			continue;
		if (isnull[i])
			add_null(buffer, column);
		if (type->width > 0)
			add_fixed(column, type, values[i], isnull[i]);
		else
			add_string(buffer, column, type, values[i], isnull[i]);
		buffer->bytes += column->values.length - before + (type->width > 0 ? 0 : sizeof(uint32));
	}
	buffer->rows++;
	MemoryContextSwitchTo(old);
}

uint32
hz_rowbuffer_rows(const HzRowBuffer *buffer)
{
	return buffer->rows;
}

uint64
hz_rowbuffer_bytes(const HzRowBuffer *buffer)
{
	return buffer->bytes;
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

static HzString
string_at(const BufferColumn *column, uint32 row)
{
	uint32 start = row == 0 ? 0 : column->ends[row - 1];
	HzString string = {column->values.data + start, column->ends[row] - start};

	return string;
}

Datum
hz_rowbuffer_datum(const HzRowBuffer *buffer, uint32 row, int attno, bool *isnull)
{
	const HzColumnType *type = &buffer->types[attno];
	const BufferColumn *column = &buffer->columns[attno];
	HzVector vector = {.kind = type->kind,
					   .form = HZ_FORM_FLAT,
					   .numeric = HZ_NUMERIC_PAYLOAD,
					   .width = type->width,
					   .count = 1};
	HzString string;

	*isnull =
		type->kind == 0 || (column->validity != NULL && !hz_bitmap_get(column->validity, row));
	if (*isnull)
		return (Datum) 0;
	/* slots of other widths are not aligned as the type may want it */
	if (type->width > 0 && !type->typbyval && type->width % MAXIMUM_ALIGNOF == 0)
		return PointerGetDatum(column->values.data + (Size) row * type->width);
	if (type->width > 0)
		vector.values = column->values.data + (Size) row * type->width;
	else
	{
		string = string_at(column, row);
		vector.values = &string;
	}
	return hz_coltype_datum(type, &vector, 0);
}

#define GATHER(ctype)                 \
	for (uint32 i = 0; i < rows; i++) \
	((ctype *) target)[i] = ((const ctype *) source)[permutation[i]]

/* Fixed-width values in the order of the permutation. */
static void
gather_fixed(const void *source, uint32 width, const uint32 *permutation, uint32 rows, void *target)
{
	if (width == 1)
		GATHER(uint8);
	else if (width == 2)
		GATHER(uint16);
	else if (width == 4)
		GATHER(uint32);
	else if (width == 8)
		GATHER(uint64);
	else
	{
		for (uint32 i = 0; i < rows; i++)
			memcpy((char *) target + (Size) i * width,
				   (const char *) source + (Size) permutation[i] * width, width);
	}
}

/* Rows `permutation[0 .. count)`, or the first `count`, of a column. */
static void
take_column(const HzRowBuffer *buffer, int attno, const uint32 *permutation, uint32 count,
			HzColumn *column)
{
	const HzColumnType *type = &buffer->types[attno];
	const BufferColumn *source = &buffer->columns[attno];

	memset(column, 0, sizeof(*column));
	column->kind = type->kind;
	column->width = type->width;
	column->rows = count;
	if (type->width > 0 && permutation == NULL)
		column->fixed = source->values.data;
	else if (type->width > 0)
	{
		void *fixed = hz_alloc((Size) count * type->width);

		gather_fixed(source->values.data, type->width, permutation, count, fixed);
		column->fixed = fixed;
	}
	else
	{
		HzString *strings = hz_alloc(sizeof(HzString) * count);

		for (uint32 i = 0; i < count; i++)
			strings[i] = string_at(source, permutation ? permutation[i] : i);
		column->strings = strings;
	}
	if (source->validity != NULL && permutation == NULL)
		column->validity = source->validity;
	else if (source->validity != NULL)
	{
		uint64 *validity = hz_alloc_zero(HZ_BITMAP_WORDS(count) * 8);

		for (uint32 i = 0; i < count; i++)
		{
			if (hz_bitmap_get(source->validity, permutation[i]))
				hz_bitmap_set(validity, i);
		}
		column->validity = validity;
	}
}

void
hz_rowbuffer_column(const HzRowBuffer *buffer, int attno, const uint32 *permutation,
					HzColumn *column)
{
	take_column(buffer, attno, permutation, buffer->rows, column);
}

void
hz_rowbuffer_repeat(const HzRowBuffer *buffer, int attno, uint32 count, HzColumn *column)
{
	uint32 *first = palloc0(sizeof(uint32) * count);

	Assert(buffer->rows == 1);
	take_column(buffer, attno, first, count, column);
	pfree(first);
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
