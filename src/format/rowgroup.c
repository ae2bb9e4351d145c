/*
 * format/rowgroup.c
 *	  The directory's description of a row group: to bytes and back. See rowgroup.h; the bytes are in README.md.
 */
#include "format/chunk_internal.h"
#include "format/rowgroup.h"
#include "format/varint.h"

#define HEADER_BYTES 2 /* version */
#define CHECKSUM_BYTES 4

/* Flags of a column. */
#define HAS_BLOOM 0x01

/* The width that a kind has of itself; 0 for FIXED, which is stored, and for strings. */
static uint32_t
implied_width(HzKind kind)
{
	for (uint32_t width = 1; width <= 8 && kind != HZ_KIND_FIXED; width *= 2)
		if (hz_kind_has_width(kind, width))
			return width;
	return 0;
}

/* expected: where the chunk lies if it follows the one before it. */
static void
write_column(const HzChunkMeta *column, uint64_t expected, HzBytes *out)
{
	hz_bytes_put8(out, (uint8_t) column->kind);
	if (column->kind == 0)
		return;
	hz_bytes_put8(out, column->encoding);
	hz_bytes_put8(out, (uint8_t) column->codec);
	hz_bytes_put8(out, column->has_bloom ? HAS_BLOOM : 0);
	if (column->kind == HZ_KIND_FIXED)
		hz_varint_put(out, column->width);
	hz_varint_put(out, column->distinct);
	hz_varint_put(out, hz_fold64((int64_t) (column->offset - expected)));
	hz_varint_put(out, column->head_length);
	hz_varint_put(out, column->length);
	hz_varint_put(out, column->raw_bytes);
	hz_zone_write(column->kind, &column->zone, out);
}

void
hz_rowgroup_write(const HzRowGroupMeta *meta, HzBytes *out)
{
	size_t start = out->length;
	uint64_t expected = 0;

	hz_bytes_put16(out, HZ_ROWGROUP_VERSION);
	hz_varint_put(out, meta->rows);
	hz_varint_put(out, meta->column_count);
	for (uint32_t i = 0; i < meta->column_count; i++)
	{
		write_column(&meta->columns[i], expected, out);
		if (meta->columns[i].kind != 0)
			expected = meta->columns[i].offset + meta->columns[i].length;
	}
	hz_bytes_put32(out, hz_checksum(out->data + start, out->length - start));
}

static HzStatus
read_column(HzCursor *cursor, uint32_t rows, uint64_t expected, HzChunkMeta *column)
{
	uint8_t flags;

	memset(column, 0, sizeof(*column));
	column->kind = (HzKind) hz_cursor_get8(cursor);
	if (cursor->failed)
		return HZ_CORRUPT;
	if (column->kind == 0)
		return HZ_OK;
	column->rows = rows;
	column->encoding = hz_cursor_get8(cursor);
	column->codec = (HzCodec) hz_cursor_get8(cursor);
	flags = hz_cursor_get8(cursor);
	column->has_bloom = (flags & HAS_BLOOM) != 0;
	column->width = column->kind == HZ_KIND_FIXED
						? (uint32_t) hz_varint_get_upto(cursor, UINT32_MAX)
						: implied_width(column->kind);
	column->distinct = (uint32_t) hz_varint_get_upto(cursor, rows);
	column->offset = expected + (uint64_t) hz_unfold64(hz_varint_get(cursor));
	column->head_length = hz_varint_get(cursor);
	column->length = hz_varint_get(cursor);
	column->raw_bytes = hz_varint_get(cursor);
	if (cursor->failed || !hz_kind_has_width(column->kind, column->width) ||
		hz_zone_read(column->kind, cursor, &column->zone) != HZ_OK || column->zone.rows != rows ||
		(flags & ~HAS_BLOOM) != 0 || hz_compress_name(column->codec) == NULL ||
		column->head_length > column->length || column->length > UINT64_MAX - column->offset)
		return HZ_CORRUPT;
	return HZ_OK;
}

static HzStatus
read_columns(HzCursor *cursor, HzRowGroupMeta *meta)
{
	uint64_t expected = 0;

	meta->columns = hz_alloc_zero(meta->column_count * sizeof(HzChunkMeta));
	for (uint32_t i = 0; i < meta->column_count; i++)
	{
		HzChunkMeta *column = &meta->columns[i];

		if (read_column(cursor, meta->rows, expected, column) != HZ_OK)
			return HZ_CORRUPT;
		if (column->kind != 0)
			expected = column->offset + column->length;
	}
	return hz_cursor_left(cursor) == 0 ? HZ_OK : HZ_CORRUPT;
}

HzStatus
hz_rowgroup_read(const uint8_t *bytes, size_t length, HzRowGroupMeta *meta)
{
	HzCursor cursor;
	HzStatus status;

	memset(meta, 0, sizeof(*meta));
	if (length < HEADER_BYTES + CHECKSUM_BYTES)
		return HZ_CORRUPT;
	if (hz_load16(bytes) != HZ_ROWGROUP_VERSION)
		return HZ_VERSION;
	if (!hz_checksum_matches(bytes, length - CHECKSUM_BYTES,
							 hz_load32(bytes + length - CHECKSUM_BYTES)))
		return HZ_CHECKSUM;
	cursor = hz_cursor(bytes + HEADER_BYTES, length - HEADER_BYTES - CHECKSUM_BYTES);
	meta->rows = (uint32_t) hz_varint_get_upto(&cursor, HZ_CHUNK_MAX_ROWS);
	meta->column_count = (uint32_t) hz_varint_get_upto(&cursor, HZ_ROWGROUP_MAX_COLUMNS);
	if (cursor.failed || meta->rows == 0)
		return HZ_CORRUPT;
	status = read_columns(&cursor, meta);
	if (status != HZ_OK)
	{
		hz_free(meta->columns);
		meta->columns = NULL;
	}
	return status;
}
