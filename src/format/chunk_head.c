/*
 * format/chunk_head.c
 *	  The head of a chunk: to bytes and back, with every check that the reader relies on later.
 *
 * After hz_chunk_head_read() has said HZ_OK: the tables have the right number of rows, every range lies inside the
 * chunk, no length exceeds what the chunk's rows and raw bytes allow, modes fit the kind, and what a
 * mode needs (dictionary, frames, child) is there.
 */
#include "encoding/hex.h"
#include "format/chunk_internal.h"
#include "format/varint.h"

const char *
hz_chunk_encoding_name(uint8_t encoding)
{
	switch (encoding)
	{
		case HZ_CHUNK_DICT:
			return "dictionary";
		case HZ_CHUNK_STRINGS:
			return "strings";
		case HZ_CHUNK_ARRAY:
			return "array";
		case HZ_CHUNK_HEX:
			return "hex";
		default:
			return hz_encoding_name((HzEncoding) encoding);
	}
}

uint64_t
hz_chunk_head_limit(uint32_t rows)
{
	/* per vector: 3 varints, mode, checksum, zone of at most 60 bytes; per frame (at most one a row): 20 bytes */
	return 256 + (uint64_t) hz_vector_count(rows) * 128 + (uint64_t) rows * 20;
}

/* ---- writing ---- */

static void
write_piece(HzKind kind, const HzChunkPiece *piece, HzBytes *out)
{
	hz_bytes_put8(out, (uint8_t) piece->mode);
	hz_zone_write(kind, &piece->zone, out);
	if (piece->mode == HZ_PIECE_NULLS)
		return;
	hz_varint_put(out, piece->validity_length);
	hz_varint_put(out, piece->data_length);
	hz_bytes_put32(out, piece->checksum);
	if (piece->mode == HZ_PIECE_STRINGS || piece->mode == HZ_PIECE_ARRAYS)
		hz_varint_put(out, piece->payload);
	if (piece->mode == HZ_PIECE_DECIMAL64 || piece->mode == HZ_PIECE_DECIMAL128)
		hz_varint_put(out, piece->scale);
}

static void
write_dict(const HzChunkDict *dict, HzBytes *out)
{
	hz_varint_put(out, dict->count);
	hz_bytes_put8(out, (uint8_t) dict->form);
	hz_varint_put(out, dict->scale);
	hz_varint_put(out, dict->packed_length);
	hz_bytes_put32(out, dict->checksum);
	hz_varint_put(out, dict->raw_length);
}

static void
write_frames(const HzChunkHead *head, HzBytes *out)
{
	hz_varint_put(out, head->frame_count);
	for (uint32_t i = 0; i < head->frame_count; i++)
	{
		const HzChunkFrame *frame = &head->frames[i];

		hz_bytes_put8(out, (uint8_t) frame->codec);
		hz_varint_put(out, frame->raw_length);
		if (frame->codec != HZ_CODEC_NONE)
			hz_varint_put(out, frame->stored_length);
		hz_bytes_put32(out, frame->checksum);
	}
}

static void
write_child(const HzChunkChild *child, HzBytes *out)
{
	hz_bytes_put8(out, (uint8_t) child->shape.element_kind);
	hz_bytes_put16(out, (uint16_t) child->shape.element_width);
	hz_bytes_put8(out, (uint8_t) child->shape.element_align);
	hz_bytes_put32(out, child->element_type);
	hz_varint_put(out, child->rows);
	hz_varint_put(out, child->raw_bytes);
	hz_varint_put(out, child->head_length);
	hz_varint_put(out, child->length);
}

void
hz_chunk_head_write(const HzChunkHead *head, HzBytes *out)
{
	size_t start = out->length;

	hz_bytes_put32(out, HZ_CHUNK_MAGIC);
	hz_bytes_put16(out, HZ_CHUNK_VERSION);
	hz_bytes_put8(out, (uint8_t) head->kind);
	hz_bytes_put8(out, (uint8_t) head->flags);
	hz_bytes_put32(out, head->rows);
	hz_bytes_put32(out, head->width);
	for (uint32_t v = 0; v < head->vectors; v++)
		write_piece(head->kind, &head->pieces[v], out);
	if (head->flags & HZ_CHUNK_HAS_FRAMES)
		write_frames(head, out);
	if (head->flags & HZ_CHUNK_HAS_DICT)
		write_dict(&head->dict, out);
	if (head->flags & HZ_CHUNK_HAS_BLOOM)
	{
		hz_varint_put(out, head->bloom_length);
		hz_bytes_put32(out, head->bloom_checksum);
	}
	if (head->flags & HZ_CHUNK_HAS_CHILD)
		write_child(&head->child, out);
	hz_bytes_put32(out, hz_checksum(out->data + start, out->length - start));
}

/* ---- reading ---- */

static bool
mode_fits(const HzChunkHead *head, HzPieceMode mode)
{
	switch (mode)
	{
		case HZ_PIECE_NULLS:
			return true;
		case HZ_PIECE_CODES:
			return (head->flags & HZ_CHUNK_HAS_DICT) != 0;
		case HZ_PIECE_VALUES:
			return !hz_kind_is_strings(head->kind);
		case HZ_PIECE_STRINGS:
			return hz_kind_is_strings(head->kind);
		case HZ_PIECE_DECIMAL64:
		case HZ_PIECE_DECIMAL128:
			return head->kind == HZ_KIND_NUMERIC;
		case HZ_PIECE_HEX:
			return head->kind == HZ_KIND_BYTES;
		case HZ_PIECE_ARRAYS:
			return head->kind == HZ_KIND_BYTES && (head->flags & HZ_CHUNK_HAS_CHILD) != 0;
	}
	return false;
}

/* The most bytes that the data of a piece can have: values as they are and some for the encoding's own. */
static uint64_t
data_limit(const HzChunkHead *head, HzPieceMode mode, uint32_t count)
{
	uint64_t width = 8;

	if (mode == HZ_PIECE_VALUES && head->width > 8)
		width = head->width;
	if (mode == HZ_PIECE_DECIMAL128)
		width = 16;
	if (mode == HZ_PIECE_HEX)
		width = HZ_HEX_MAX_WIDTH;
	/* encoders may round the count up to a whole block, in parts of narrow values */
	return width * count * 2 + 65536;
}

static HzStatus
read_piece(const HzChunkHead *head, HzCursor *cursor, uint32_t count, HzChunkPiece *piece)
{
	HzZone *zone = &piece->zone;

	piece->mode = (HzPieceMode) hz_cursor_get8(cursor);
	if (hz_zone_read(head->kind, cursor, zone) != HZ_OK || !mode_fits(head, piece->mode) ||
		zone->rows != count || (zone->nulls == count) != (piece->mode == HZ_PIECE_NULLS))
		return HZ_CORRUPT;
	if (piece->mode == HZ_PIECE_NULLS)
		return HZ_OK;
	piece->validity_length = (uint32_t) hz_varint_get_upto(cursor, HZ_VECTOR_ROWS);
	piece->data_length =
		(uint32_t) hz_varint_get_upto(cursor, data_limit(head, piece->mode, count));
	piece->checksum = hz_cursor_get32(cursor);
	if (piece->mode == HZ_PIECE_STRINGS)
		piece->payload = hz_varint_get_upto(cursor, (uint64_t) count * HZ_CHUNK_MAX_VALUE);
	if (piece->mode == HZ_PIECE_ARRAYS)
		piece->payload = hz_varint_get_upto(cursor, HZ_CHUNK_MAX_ELEMENTS);
	if (piece->mode == HZ_PIECE_DECIMAL64 || piece->mode == HZ_PIECE_DECIMAL128)
		piece->scale = (uint16_t) hz_varint_get_upto(cursor, HZ_CHUNK_MAX_SCALE);
	if (cursor->failed || piece->data_length == 0 ||
		(piece->validity_length != 0) != (zone->nulls != 0))
		return HZ_CORRUPT;
	return HZ_OK;
}

static HzStatus
read_pieces(HzCursor *cursor, const HzChunkMeta *meta, HzChunkHead *head)
{
	uint64_t nulls = 0;
	uint64_t bytes = 0;
	uint64_t elements = 0;

	/* a vector takes at least four bytes, so that the table cannot be larger than its bytes make plausible */
	if (head->vectors > hz_cursor_left(cursor) / 4)
		return HZ_CORRUPT;
	head->pieces = hz_alloc_zero(head->vectors * sizeof(HzChunkPiece));
	for (uint32_t v = 0; v < head->vectors; v++)
	{
		HzChunkPiece *piece = &head->pieces[v];
		uint64_t *sum;

		if (read_piece(head, cursor, hz_vector_rows(head->rows, v), piece) != HZ_OK)
			return HZ_CORRUPT;
		sum = piece->mode == HZ_PIECE_ARRAYS ? &elements : &bytes;
		piece->payload_start = *sum;
		*sum += piece->payload;
		nulls += piece->zone.nulls;
	}
	return nulls == meta->zone.nulls && bytes <= meta->raw_bytes ? HZ_OK : HZ_CORRUPT;
}

static HzStatus
read_frames(HzCursor *cursor, const HzChunkMeta *meta, HzChunkHead *head)
{
	uint64_t start = 0;

	head->frame_count = (uint32_t) hz_varint_get_upto(cursor, head->rows);
	if (cursor->failed || head->frame_count == 0 || head->frame_count > hz_cursor_left(cursor) / 6)
		return HZ_CORRUPT;
	head->frames = hz_alloc_zero(head->frame_count * sizeof(HzChunkFrame));
	for (uint32_t i = 0; i < head->frame_count; i++)
	{
		HzChunkFrame *frame = &head->frames[i];

		frame->codec = (HzCodec) hz_cursor_get8(cursor);
		frame->raw_length = (uint32_t) hz_varint_get_upto(cursor, HZ_CHUNK_MAX_FRAME);
		frame->stored_length = frame->raw_length;
		if (frame->codec != HZ_CODEC_NONE)
			frame->stored_length = (uint32_t) hz_varint_get_upto(cursor, frame->raw_length);
		frame->checksum = hz_cursor_get32(cursor);
		if (cursor->failed || frame->raw_length == 0 || frame->stored_length == 0 ||
			hz_compress_name(frame->codec) == NULL)
			return HZ_CORRUPT;
		frame->start = start;
		start += frame->raw_length;
	}
	return start <= meta->raw_bytes ? HZ_OK : HZ_CORRUPT;
}

static bool
dict_form_fits(const HzChunkHead *head, HzDictForm form)
{
	switch (form)
	{
		case HZ_DICT_INTEGERS:
			return hz_kind_is_integer(head->kind) || head->kind == HZ_KIND_NUMERIC;
		case HZ_DICT_FIXED:
			return head->kind == HZ_KIND_FIXED;
		case HZ_DICT_STRINGS:
			return hz_kind_is_strings(head->kind);
		case HZ_DICT_HEX:
			return head->kind == HZ_KIND_BYTES;
	}
	return false;
}

static HzStatus
read_dict(HzCursor *cursor, HzChunkHead *head)
{
	HzChunkDict *dict = &head->dict;

	dict->count = (uint32_t) hz_varint_get_upto(cursor, HZ_CHUNK_MAX_DICT);
	dict->form = (HzDictForm) hz_cursor_get8(cursor);
	dict->scale = (uint16_t) hz_varint_get_upto(cursor, HZ_CHUNK_MAX_SCALE);
	dict->packed_length =
		(uint32_t) hz_varint_get_upto(cursor, UINT32_C(16) * HZ_CHUNK_MAX_DICT + 65536);
	dict->checksum = hz_cursor_get32(cursor);
	dict->raw_length = (uint32_t) hz_varint_get_upto(cursor, UINT32_MAX);
	if (cursor->failed || dict->count == 0 || dict->count > head->rows ||
		!dict_form_fits(head, dict->form) ||
		(dict->form == HZ_DICT_FIXED) != (dict->packed_length == 0))
		return HZ_CORRUPT;
	if ((dict->form == HZ_DICT_INTEGERS && dict->raw_length != 0) ||
		(hz_dict_has_strings(dict) && dict->raw_length > HZ_CHUNK_MAX_DICT_BYTES) ||
		(dict->form == HZ_DICT_FIXED && dict->raw_length != (uint64_t) dict->count * head->width))
		return HZ_CORRUPT;
	return HZ_OK;
}

static HzStatus
read_bloom(HzCursor *cursor, HzChunkHead *head)
{
	head->bloom_length = hz_varint_get_upto(cursor, (uint64_t) head->rows * 8 + 64);
	head->bloom_checksum = hz_cursor_get32(cursor);
	return cursor->failed || head->bloom_length == 0 ? HZ_CORRUPT : HZ_OK;
}

static HzStatus
read_child(HzCursor *cursor, const HzChunkMeta *meta, HzChunkHead *head)
{
	HzChunkChild *child = &head->child;
	HzArrayShape *shape = &child->shape;

	shape->element_kind = (HzKind) hz_cursor_get8(cursor);
	shape->element_width = (int16_t) hz_cursor_get16(cursor);
	shape->element_align = (char) hz_cursor_get8(cursor);
	child->element_type = hz_cursor_get32(cursor);
	child->rows = (uint32_t) hz_varint_get_upto(cursor, HZ_CHUNK_MAX_ELEMENTS);
	child->raw_bytes = hz_varint_get_upto(cursor, meta->raw_bytes);
	child->head_length = hz_varint_get_upto(cursor, meta->length);
	child->length = hz_varint_get_upto(cursor, meta->length);
	if (cursor->failed || child->rows == 0 || shape->element_align == 0 ||
		strchr("csid", shape->element_align) == NULL)
		return HZ_CORRUPT;
	if (shape->element_width == -1)
		return shape->element_kind == HZ_KIND_BYTES ? HZ_OK : HZ_CORRUPT;
	if (shape->element_width <= 0 || hz_kind_is_strings(shape->element_kind) ||
		!hz_kind_has_width(shape->element_kind, (uint32_t) shape->element_width))
		return HZ_CORRUPT;
	return HZ_OK;
}

/* Finds the bytes of the dictionary behind those of `strings` bytes of strings; together they fill the frames. */
static HzStatus
place_dict_bytes(uint64_t strings, HzChunkHead *head)
{
	const HzChunkFrame *last = head->frame_count > 0 ? &head->frames[head->frame_count - 1] : NULL;

	if (strings + head->dict.raw_length != (last == NULL ? 0 : last->start + last->raw_length))
		return HZ_CORRUPT;
	head->dict.raw_start = strings;
	head->dict.first_frame = head->frame_count;
	if (head->dict.raw_length == 0)
		return HZ_OK;
	head->dict.first_frame = hz_frame_find(head, strings);
	/* they begin with a frame, so that they can be read without the strings */
	return head->frames[head->dict.first_frame].start == strings ? HZ_OK : HZ_CORRUPT;
}

/* Sets the offsets; together the ranges must take exactly the body. */
static HzStatus
place_body(const HzChunkMeta *meta, HzChunkHead *head)
{
	uint64_t at = meta->head_length;
	uint64_t strings = 0;
	uint64_t elements = 0;

	for (uint32_t v = 0; v < head->vectors; v++)
	{
		HzChunkPiece *piece = &head->pieces[v];

		piece->offset = at;
		at += piece->validity_length + (uint64_t) piece->data_length;
		strings += piece->mode == HZ_PIECE_STRINGS ? piece->payload : 0;
		elements += piece->mode == HZ_PIECE_ARRAYS ? piece->payload : 0;
	}
	for (uint32_t i = 0; i < head->frame_count; i++)
	{
		head->frames[i].offset = at;
		at += head->frames[i].stored_length;
	}
	head->dict.offset = at;
	at += head->dict.packed_length;
	head->bloom_offset = at;
	at += head->bloom_length;
	head->child.offset = at;
	if (at > meta->length || meta->length - at != head->child.length ||
		elements != head->child.rows)
		return HZ_CORRUPT;
	return place_dict_bytes(strings, head);
}

static HzStatus
read_tables(HzCursor *cursor, const HzChunkMeta *meta, HzChunkHead *head)
{
	HzStatus status = read_pieces(cursor, meta, head);

	if (status == HZ_OK && (head->flags & HZ_CHUNK_HAS_FRAMES))
		status = read_frames(cursor, meta, head);
	if (status == HZ_OK && (head->flags & HZ_CHUNK_HAS_DICT))
		status = read_dict(cursor, head);
	if (status == HZ_OK && (head->flags & HZ_CHUNK_HAS_BLOOM))
		status = read_bloom(cursor, head);
	if (status == HZ_OK && (head->flags & HZ_CHUNK_HAS_CHILD))
		status = read_child(cursor, meta, head);
	if (status == HZ_OK && (cursor->failed || hz_cursor_left(cursor) != 0))
		status = HZ_CORRUPT;
	return status == HZ_OK ? place_body(meta, head) : status;
}

HzStatus
hz_chunk_head_read(const uint8_t *bytes, size_t length, const HzChunkMeta *meta, HzChunkHead *head)
{
	HzCursor cursor;

	memset(head, 0, sizeof(*head));
	if (length < HZ_CHUNK_HEAD_FIXED + 4 || hz_load32(bytes) != HZ_CHUNK_MAGIC)
		return HZ_CORRUPT;
	if (hz_load16(bytes + 4) != HZ_CHUNK_VERSION)
		return HZ_VERSION;
	if (!hz_checksum_matches(bytes, length - 4, hz_load32(bytes + length - 4)))
		return HZ_CHECKSUM;
	head->kind = (HzKind) bytes[6];
	head->flags = bytes[7];
	head->rows = hz_load32(bytes + 8);
	head->width = hz_load32(bytes + 12);
	head->vectors = hz_vector_count(head->rows);
	if (head->kind != meta->kind || head->rows != meta->rows || head->width != meta->width ||
		(head->flags & ~(uint32_t) HZ_CHUNK_ALL_FLAGS) != 0)
		return HZ_CORRUPT;
	cursor = hz_cursor(bytes + HZ_CHUNK_HEAD_FIXED, length - HZ_CHUNK_HEAD_FIXED - 4);
	return read_tables(&cursor, meta, head);
}

void
hz_chunk_head_free(HzChunkHead *head)
{
	hz_free(head->pieces);
	hz_free(head->frames);
	memset(head, 0, sizeof(*head));
}
