/*
 * write/rowcolumns.c
 *	  Columns out of buffered rows. See rowbuffer.h.
 *
 * Pure C, but for what the headers of tuples need. Rows are read in blocks that stay in the processor's cache while
 * several columns are taken out of them; at[] keeps where each row's next column is. Short strings are copied together, since
 * the encoders look at them in another order and more than once; long ones stay where they are.
 */
#include "postgres.h"

#include "write/rowbuffer_internal.h"

#define BLOCK_ROWS 64
#define PREFETCHED_BYTES (64 * 1024)
#define LOADED_BYTES ((Size) 16 * 1024 * 1024) /* of columns that are loaded together, about */
#define SHORT_STRING 64                        /* bytes that are copied */

/* Where a varlena starts that follows what ends at `at`: a short header is not aligned, and padding is zero. */
static inline uint32
varlena_offset(const uint8 *tuple, uint32 at, uint32 mask)
{
	return tuple[at] != 0 ? at : (at + mask) & ~mask;
}

/* ---- Tuples */

bool
hz_rowbuffer_tuple_is_plain(const HzRowBuffer *buffer, HeapTupleHeader header)
{
	const uint8 *tuple = (const uint8 *) header;
	bool has_null = (header->t_infomask & HEAP_HASNULL) != 0;
	uint32 at = header->t_hoff;

	for (int i = 0; i <= buffer->last_varlena; i++)
	{
		const BufferLayout *layout = &buffer->layout[i];
		uint32 mask = (uint32) layout->align - 1;

		if (has_null && att_isnull(i, header->t_bits))
			continue;
		if (layout->length > 0)
			at = ((at + mask) & ~mask) + (uint32) layout->length;
		else if (layout->length == -2)
			at += (uint32) strlen((const char *) tuple + at) + 1;
		else if (VARATT_IS_1B(tuple + at) && !VARATT_IS_1B_E(tuple + at))
			at += (uint32) VARSIZE_1B(tuple + at);
		else
		{
			at = varlena_offset(tuple, at, mask);
			if (!VARATT_IS_4B_U(tuple + at))
				return false;
			at += (uint32) VARSIZE_4B(tuple + at);
		}
	}
	return true;
}

/* ---- Loading */

static void
set_null(HzRowBuffer *buffer, BufferColumn *column, uint32 row)
{
	if (column->validity == NULL)
	{
		column->validity = hz_alloc(HZ_BITMAP_WORDS(buffer->rows) * 8);
		memset(column->validity, 0xFF, HZ_BITMAP_WORDS(buffer->rows) * 8);
	}
	hz_bitmap_clear(column->validity, row);
}

static void
set_null_string(HzRowBuffer *buffer, BufferColumn *column, uint32 row)
{
	column->strings[row].data = buffer->tuples.data;
	column->strings[row].length = 0;
	set_null(buffer, column, row);
}

/* Rows [first, last) of a column of `width` bytes a value; a null's slot is zero. */
static inline void
load_fixed(HzRowBuffer *buffer, int attno, uint32 first, uint32 last, uint32 width)
{
	BufferColumn *column = &buffer->columns[attno];
	uint32 mask = (uint32) buffer->layout[attno].align - 1;
	uint8 *slot = (uint8 *) column->fixed + (Size) first * width;

	for (uint32 row = first; row < last; row++, slot += width)
	{
		MinimalTuple tuple = buffered_tuple(buffer, row);

		if (value_is_null(tuple, attno))
		{
			set_null(buffer, column, row);
			memset(slot, 0, width);
		}
		else
		{
			uint32 at = (buffer->at[row] + mask) & ~mask;

			memcpy(slot, (uint8 *) tuple + at, width);
			buffer->at[row] = at + width;
		}
	}
}

/* PostgreSQL takes every byte but 0 for true; the format knows 1 only. */
static void
normalise_bools(uint8 *values, uint32 first, uint32 last)
{
	for (uint32 row = first; row < last; row++)
		values[row] = values[row] != 0;
}

/* Passes by a column of fixed width that is not stored. */
static void
skip_fixed(HzRowBuffer *buffer, int attno, uint32 first, uint32 last)
{
	const BufferLayout *layout = &buffer->layout[attno];
	uint32 mask = (uint32) layout->align - 1;

	for (uint32 row = first; row < last; row++)
	{
		if (!value_is_null(buffered_tuple(buffer, row), attno))
			buffer->at[row] = ((buffer->at[row] + mask) & ~mask) + (uint32) layout->length;
	}
}

/* Copies a string; reads and writes up to HZ_ROWBUFFER_SLACK bytes more. */
static inline void
copy_short(uint8 *to, const uint8 *from, uint32 length)
{
	memcpy(to, from, 16);
	if (length > 16)
		memcpy(to + 16, from + 16, length - 16);
}

/* Puts a string into its column, a short one copied to *room. */
static inline void
put_string(BufferColumn *column, uint32 row, const uint8 *data, uint32 length, uint8 **room)
{
	HzString *string = &column->strings[row];

	string->data = data;
	string->length = length;
	if (length <= SHORT_STRING)
	{
		copy_short(*room, data, length);
		string->data = *room;
		*room += length;
	}
}

/* Rows of a column of varlenas, all plain; strings is NULL for one that is not stored. */
static void
load_varlenas(HzRowBuffer *buffer, int attno, uint32 first, uint32 last, uint8 **room)
{
	BufferColumn *column = &buffer->columns[attno];
	uint32 mask = (uint32) buffer->layout[attno].align - 1;
	bool stored = column->strings != NULL;

	for (uint32 row = first; row < last; row++)
	{
		uint8 *tuple = (uint8 *) buffered_tuple(buffer, row);
		uint32 at = buffer->at[row];
		uint32 header;
		uint32 size;

		if (value_is_null((MinimalTuple) tuple, attno))
		{
			if (stored)
				set_null_string(buffer, column, row);
			continue;
		}
		if (VARATT_IS_1B(tuple + at) && !VARATT_IS_1B_E(tuple + at))
		{
			header = VARHDRSZ_SHORT;
			size = (uint32) VARSIZE_1B(tuple + at);
		}
		else
		{
			at = varlena_offset(tuple, at, mask);
			Assert(VARATT_IS_4B_U(tuple + at));
			header = VARHDRSZ;
			size = (uint32) VARSIZE_4B(tuple + at);
		}
		buffer->at[row] = at + size;
		if (stored)
			put_string(column, row, tuple + at + header, size - header, room);
	}
}

/* The same of a column of C strings. */
static void
load_cstrings(HzRowBuffer *buffer, int attno, uint32 first, uint32 last, uint8 **room)
{
	BufferColumn *column = &buffer->columns[attno];
	bool stored = column->strings != NULL;

	for (uint32 row = first; row < last; row++)
	{
		uint8 *tuple = (uint8 *) buffered_tuple(buffer, row);
		uint32 at = buffer->at[row];
		uint32 length;

		if (value_is_null((MinimalTuple) tuple, attno))
		{
			if (stored)
				set_null_string(buffer, column, row);
			continue;
		}
		length = (uint32) strlen((char *) tuple + at);
		buffer->at[row] = at + length + 1;
		if (stored)
			put_string(column, row, tuple + at, length, room);
	}
}

static void
load_others(HzRowBuffer *buffer, int attno, uint32 first, uint32 last, uint8 **room)
{
	if (buffer->layout[attno].length == -1)
		load_varlenas(buffer, attno, first, last, room);
	else if (buffer->layout[attno].length == -2)
		load_cstrings(buffer, attno, first, last, room);
	else
		skip_fixed(buffer, attno, first, last);
}

static void
load_block(HzRowBuffer *buffer, int attno, uint32 first, uint32 last, uint8 **room)
{
	if (buffer->layout[attno].length < 0 || buffer->types[attno].kind == 0)
	{
		load_others(buffer, attno, first, last, room);
		return;
	}
	/* constant widths, so that a value is one move */
	switch (buffer->layout[attno].length)
	{
		case 1:
			load_fixed(buffer, attno, first, last, 1);
			if (buffer->types[attno].kind == HZ_KIND_BOOL)
				normalise_bools(buffer->columns[attno].fixed, first, last);
			break;
		case 2:
			load_fixed(buffer, attno, first, last, 2);
			break;
		case 4:
			load_fixed(buffer, attno, first, last, 4);
			break;
		case 8:
			load_fixed(buffer, attno, first, last, 8);
			break;
		case 16:
			load_fixed(buffer, attno, first, last, 16);
			break;
		default:
			load_fixed(buffer, attno, first, last, (uint32) buffer->layout[attno].length);
	}
}

/* The columns from `first` on that are loaded together; makes room for them, and for their short strings. */
static int
make_room(HzRowBuffer *buffer, int first, uint8 **room)
{
	Size strings = 0;
	Size bytes = 0;
	int end;

	for (end = first; end < buffer->desc->natts && (end == first || bytes < LOADED_BYTES); end++)
	{
		BufferColumn *column = &buffer->columns[end];
		Size width = buffer->types[end].width;

		memset(column, 0, sizeof(*column));
		if (buffer->types[end].kind == 0)
			continue;
		if (width > 0)
		{
			column->fixed = hz_alloc(Max(width * buffer->rows, 1));
			bytes += width * buffer->rows;
		}
		else
		{
			column->strings = hz_alloc(sizeof(HzString) * Max(buffer->rows, 1));
			/* of the rows' bytes twice the share of a column, or what it can have at most */
			bytes += sizeof(HzString) * buffer->rows +
					 Min((Size) SHORT_STRING * buffer->rows,
						 buffer->tuples.length / buffer->desc->natts * 2);
			strings += (Size) SHORT_STRING * buffer->rows;
		}
	}
	/* only what is written to is ever taken from the machine */
	*room = hz_alloc(Min(strings, buffer->tuples.length) + HZ_ROWBUFFER_SLACK);
	return end;
}

/* Asks for the bytes of rows that are short enough for all of them to stay in the cache. */
static void
prefetch_rows(const HzRowBuffer *buffer, uint32 first, uint32 last)
{
	const char *at = (const char *) buffered_tuple(buffer, first);
	const char *end = (const char *) buffered_tuple(buffer, last - 1);

	if (end - at > PREFETCHED_BYTES)
		return;
	for (; at < end; at += 64)
		__builtin_prefetch(at);
}

int
hz_rowbuffer_load(HzRowBuffer *buffer, int first)
{
	uint8 *room;
	int end;

	if (first == 0)
	{
		for (uint32 row = 0; row < buffer->rows; row++)
			buffer->at[row] = data_offset(buffered_tuple(buffer, row));
	}
	end = make_room(buffer, first, &room);
	for (uint32 row = 0; row < buffer->rows; row += BLOCK_ROWS)
	{
		uint32 last = Min(row + BLOCK_ROWS, buffer->rows);

		if (last < buffer->rows)
			prefetch_rows(buffer, last, Min(last + BLOCK_ROWS, buffer->rows));
		for (int attno = first; attno < end; attno++)
			load_block(buffer, attno, row, last, &room);
	}
	return end;
}

/* ---- Columns as the format wants them */

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
	column->fixed = source->fixed;
	column->strings = source->strings;
	column->validity = source->validity;
	if (permutation == NULL)
		return;
	if (type->width > 0)
	{
		void *fixed = hz_alloc((Size) count * type->width);

		gather_fixed(source->fixed, type->width, permutation, count, fixed);
		column->fixed = fixed;
	}
	else
	{
		HzString *strings = hz_alloc(sizeof(HzString) * count);

		for (uint32 i = 0; i < count; i++)
			strings[i] = source->strings[permutation[i]];
		column->strings = strings;
	}
	if (source->validity != NULL)
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
	uint32 *first = hz_alloc_zero(sizeof(uint32) * count);

	Assert(buffer->rows == 1);
	take_column(buffer, attno, first, count, column);
	hz_free(first);
}

/* ---- Datums */

/* Puts the attribute at `at` of the row into *value, if that is wanted; returns where the attribute ends. */
static inline uint32
take_datum(const BufferLayout *layout, const uint8 *tuple, uint32 at, Datum *value)
{
	uint32 mask = (uint32) layout->align - 1;

	if (layout->length == -1)
		at = varlena_offset(tuple, at, mask);
	else
		at = (at + mask) & ~mask;
	if (value != NULL)
		*value = fetch_att(tuple + at, layout->byval, layout->length);
	if (layout->length > 0)
		return at + (uint32) layout->length;
	if (layout->length == -1)
		return at + (uint32) VARSIZE_ANY(tuple + at);
	return at + (uint32) strlen((const char *) tuple + at) + 1;
}

void
hz_rowbuffer_datums(const HzRowBuffer *buffer, int natts, Datum *const *values, bool *const *isnull)
{
	while (natts > 0 && values[natts - 1] == NULL)
		natts--;
	for (uint32 row = 0; row < buffer->rows; row++)
	{
		MinimalTuple tuple = buffered_tuple(buffer, row);
		uint32 at = data_offset(tuple);

		for (int i = 0; i < natts; i++)
		{
			bool null = value_is_null(tuple, i);
			Datum *value = values[i] != NULL ? &values[i][row] : NULL;

			if (value != NULL)
			{
				*value = (Datum) 0;
				isnull[i][row] = null;
			}
			if (!null)
				at = take_datum(&buffer->layout[i], (const uint8 *) tuple, at, value);
		}
	}
}
