/*
 * format/chunk_reader.c
 *	  The reader of a chunk: opening, closing, and its ranges. See chunk.h and chunk_reader.h.
 */
#include "format/chunk_reader.h"

/* ---- opening and closing ---- */

static HzStatus
open_rows(const HzChunkMeta *meta, const HzSource *source, uint32_t max_rows,
		  HzChunkReader **reader)
{
	HzChunkReader *r;
	uint8_t *head;
	HzStatus status;

	*reader = NULL;
	if (!hz_kind_has_width(meta->kind, meta->width) || meta->rows == 0 || meta->rows > max_rows ||
		meta->head_length > meta->length || meta->head_length > hz_chunk_head_limit(meta->rows))
		return HZ_CORRUPT;
	head = hz_alloc(meta->head_length);
	status = source->read(source->arg, 0, meta->head_length, head);
	r = hz_alloc_zero(sizeof(*r));
	r->meta = *meta;
	r->source = *source;
	r->piece_vector = r->validity_vector = r->slots_vector = r->child_index = HZ_NO_VECTOR;
	r->own_room.bytes = HZ_CHUNK_ROOM;
	r->room = &r->own_room;
	if (status == HZ_OK)
		status = hz_chunk_head_read(head, meta->head_length, meta, &r->head);
	hz_free(head);
	if (status != HZ_OK)
	{
		hz_chunk_close(r);
		return status;
	}
	*reader = r;
	return HZ_OK;
}

HzStatus
hz_chunk_open(const HzChunkMeta *meta, const HzSource *source, HzChunkReader **reader)
{
	return open_rows(meta, source, HZ_CHUNK_MAX_ROWS, reader);
}

void
hz_chunk_close(HzChunkReader *reader)
{
	if (reader == NULL)
		return;
	hz_chunk_close(reader->child);
	hz_reader_forget(reader);
	hz_free(reader->known);
	hz_chunk_head_free(&reader->head);
	hz_bytes_free(&reader->piece);
	hz_free(reader->slots);
	hz_free(reader->codes);
	hz_free(reader->lengths);
	hz_frame_cache_free(&reader->frames);
	hz_bytes_free(&reader->packed);
	hz_dict_free(&reader->dict);
	for (int i = 0; i < HZ_SOUGHT; i++)
	{
		hz_bytes_free(&reader->sought[i].value);
		hz_bytes_free(&reader->sought[i].places);
	}
	for (int i = 0; i < HZ_VALUE_SETS; i++)
	{
		hz_bytes_free(&reader->sought_sets[i].values);
		hz_free(reader->sought_sets[i].codes);
	}
	hz_bytes_free(&reader->bloom);
	hz_bytes_free(&reader->arrays);
	hz_bytes_free(&reader->digits);
	hz_free(reader);
}

void
hz_chunk_share_room(HzChunkReader *reader, HzChunkRoom *room)
{
	hz_reader_forget(reader);
	reader->room = room;
}

uint32_t
hz_chunk_vector_count(const HzChunkReader *reader)
{
	return reader->head.vectors;
}

const HzZone *
hz_chunk_zone(const HzChunkReader *reader, uint32_t vector)
{
	return &reader->head.pieces[vector].zone;
}

/* ---- ranges ---- */

/* Reads a range into `room` and compares its checksum. */
static HzStatus
read_range(HzChunkReader *reader, uint64_t offset, size_t length, uint32_t checksum, HzBytes *room)
{
	HzStatus status;

	room->length = 0;
	status =
		reader->source.read(reader->source.arg, offset, length, hz_bytes_reserve(room, length));
	if (status != HZ_OK)
		return status;
	room->length = length;
	return hz_checksum_matches(room->data, length, checksum) ? HZ_OK : HZ_CHECKSUM;
}

HzStatus
hz_reader_piece(HzChunkReader *reader, uint32_t v)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzStatus status;

	if (reader->piece_vector == v)
		return HZ_OK;
	reader->piece_vector = HZ_NO_VECTOR;
	status = read_range(reader, piece->offset, (size_t) piece->validity_length + piece->data_length,
						piece->checksum, &reader->piece);
	if (status == HZ_OK)
		reader->piece_vector = v;
	return status;
}

HzStatus
hz_reader_validity(HzChunkReader *reader, uint32_t v, const uint64_t **validity)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	uint32_t count = piece->zone.rows;
	HzStatus status;

	*validity = NULL;
	if (piece->zone.nulls == 0)
		return HZ_OK;
	if (reader->validity_vector != v)
	{
		reader->validity_vector = HZ_NO_VECTOR;
		status =
			hz_bits_decode(reader->piece.data, piece->validity_length, count, reader->validity);
		if (status != HZ_OK)
			return status;
		if (hz_bitmap_count(reader->validity, count) != count - piece->zone.nulls)
			return HZ_CORRUPT;
		if (count % 64 != 0)
			reader->validity[count / 64] &= (UINT64_C(1) << count % 64) - 1;
		reader->validity_vector = v;
	}
	*validity = reader->validity;
	return HZ_OK;
}

HzStatus
hz_reader_packed(HzChunkReader *reader)
{
	const HzChunkDict *dict = &reader->head.dict;
	HzStatus status = HZ_OK;

	if (reader->packed.length < dict->packed_length)
		status =
			read_range(reader, dict->offset, dict->packed_length, dict->checksum, &reader->packed);
	if (status != HZ_OK)
		reader->packed.length = 0;
	return status;
}

HzStatus
hz_reader_dict(HzChunkReader *reader)
{
	HzStatus status;

	if (reader->dict.values != NULL)
		return HZ_OK;
	status = hz_reader_packed(reader);
	if (status == HZ_OK)
		status = hz_dict_read(&reader->head, reader->packed.data, &reader->source, &reader->dict);
	if (status == HZ_OK)
	{
		/* which single entries were read from */
		hz_bytes_free(&reader->packed);
		hz_frame_cache_free(&reader->frames);
	}
	return status;
}

HzStatus
hz_reader_bloom(HzChunkReader *reader)
{
	HzStatus status;

	if (reader->bloom.length > 0)
		return HZ_OK;
	status = read_range(reader, reader->head.bloom_offset, reader->head.bloom_length,
						reader->head.bloom_checksum, &reader->bloom);
	if (status != HZ_OK)
		reader->bloom.length = 0;
	return status;
}

static HzStatus
read_of_child(void *arg, uint64_t offset, uint64_t length, void *target)
{
	HzChunkReader *parent = arg;

	return parent->source.read(parent->source.arg, parent->head.child.offset + offset, length,
							   target);
}

HzStatus
hz_reader_child(HzChunkReader *reader)
{
	const HzChunkChild *child = &reader->head.child;
	HzSource source = {read_of_child, reader};
	HzChunkMeta meta;
	HzStatus status;

	if (reader->child != NULL)
		return HZ_OK;
	memset(&meta, 0, sizeof(meta));
	meta.kind = child->shape.element_kind;
	meta.width = child->shape.element_width > 0 ? (uint32_t) child->shape.element_width : 0;
	meta.rows = child->rows;
	meta.head_length = child->head_length;
	meta.length = child->length;
	meta.raw_bytes = child->raw_bytes;
	status = open_rows(&meta, &source, HZ_CHUNK_MAX_ELEMENTS, &reader->child);
	if (status == HZ_OK &&
		(reader->child->head.flags & (HZ_CHUNK_HAS_CHILD | HZ_CHUNK_HAS_BLOOM)) != 0)
	{
		/* elements are no arrays: no writer nests children deeper */
		hz_chunk_close(reader->child);
		reader->child = NULL;
		status = HZ_CORRUPT;
	}
	return status;
}
