/*
 * format/chunk_known.c
 *	  Vectors that a reader keeps decoded, for single values and for scans that come again. See chunk.h.
 */
#include "format/chunk_reader.h"

/* Rows that there is room for: vectors are worked on in blocks of 64. */
static uint32_t
rounded(uint32_t count)
{
	return (count + 63) & ~UINT32_C(63);
}

HzKnownVector *
hz_reader_known_place(HzChunkReader *reader, uint32_t v)
{
	if (reader->known == NULL)
		reader->known = hz_alloc_zero(sizeof(HzKnownVector) * reader->head.vectors);
	return &reader->known[v];
}

/* What a vector is decoded to. */
typedef struct Decoded
{
	const void *values; /* with room for rounded() */
	uint32_t width;
	HzHexForm form;
} Decoded;

/* Decodes vector v, whose piece is loaded, into the reader's buffers. */
static HzStatus
decode_vector(HzChunkReader *reader, uint32_t v, const uint64_t *validity, Decoded *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzStatus status;

	if (piece->mode == HZ_PIECE_CODES)
	{
		status = hz_reader_codes(reader, v, validity);
		*out = (Decoded){.values = reader->codes, .width = sizeof(uint16_t)};
	}
	else if (piece->mode == HZ_PIECE_STRINGS || piece->mode == HZ_PIECE_ARRAYS)
	{
		status = hz_reader_lengths(reader, v, validity);
		*out = (Decoded){.values = reader->lengths, .width = sizeof(int32_t)};
	}
	else if (piece->mode == HZ_PIECE_HEX)
	{
		HzHexShape shape;

		status = hz_reader_hex_bytes(reader, v, validity, &shape);
		*out = (Decoded){.values = reader->digits.data, .width = shape.width, .form = shape.form};
	}
	else
	{
		status = hz_reader_slots(reader, v, validity);
		*out = (Decoded){.values = reader->slots,
						 .width = hz_reader_slot_width(&reader->head, piece->mode)};
	}
	return status;
}

static void
forget(HzChunkReader *reader, HzKnownVector *known)
{
	if (known->values == NULL)
		return;
	reader->room->bytes += known->bytes;
	hz_free(known->values);
	memset(known, 0, sizeof(*known));
	reader->known_count--;
}

void
hz_reader_forget(HzChunkReader *reader)
{
	for (uint32_t v = 0; reader->known_count > 0; v++)
		forget(reader, &reader->known[v]);
}

/* Makes room for `bytes`: the others of this chunk go in turn, as far as need be. */
static void
make_room(HzChunkReader *reader, uint32_t bytes)
{
	while (reader->known_count > 0 && reader->room->bytes < bytes)
	{
		forget(reader, &reader->known[reader->known_hand]);
		reader->known_hand = (reader->known_hand + 1) % reader->head.vectors;
	}
}

/* Lengths become sums of lengths, from the vector's start on. */
static void
sum_lengths(const int32_t *lengths, uint32_t count, uint64_t *starts)
{
	starts[0] = 0;
	for (uint32_t i = 0; i < count; i++)
		starts[i + 1] = starts[i] + (uint32_t) lengths[i];
}

/* Bytes of the values of a vector that is kept; a multiple of 8. */
static uint32_t
bytes_of(const HzChunkPiece *piece, uint32_t width)
{
	if (piece->mode == HZ_PIECE_STRINGS || piece->mode == HZ_PIECE_ARRAYS)
		return (piece->zone.rows + 1) * (uint32_t) sizeof(uint64_t);
	return rounded(piece->zone.rows) * width;
}

/* Keeps what vector v was decoded to. */
static void
store(HzChunkReader *reader, uint32_t v, const uint64_t *validity, const Decoded *decoded)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzKnownVector *known = hz_reader_known_place(reader, v);
	uint32_t count = piece->zone.rows;
	uint32_t bytes = bytes_of(piece, decoded->width);
	uint32_t validity_bytes = validity == NULL ? 0 : rounded(count) / 8;
	uint8_t *room;

	make_room(reader, bytes + validity_bytes);
	room = hz_alloc(bytes + validity_bytes);
	if (piece->mode == HZ_PIECE_STRINGS || piece->mode == HZ_PIECE_ARRAYS)
		sum_lengths(decoded->values, count, (uint64_t *) (void *) room);
	else
		memcpy(room, decoded->values, bytes);
	known->validity = NULL;
	if (validity != NULL)
		known->validity = memcpy(room + bytes, validity, validity_bytes);
	known->values = room;
	known->width = decoded->width;
	known->form = decoded->form;
	known->constant = validity == NULL && hz_reader_data(reader, piece)[0] == HZ_ENCODING_CONSTANT;
	known->bytes = bytes + validity_bytes;
	reader->room->bytes -= known->bytes;
	reader->known_count++;
}

HzStatus
hz_reader_keep(HzChunkReader *reader, uint32_t v, const uint64_t *validity)
{
	Decoded decoded;
	HzStatus status = decode_vector(reader, v, validity, &decoded);

	if (status == HZ_OK)
		store(reader, v, validity, &decoded);
	return status;
}

/* Whether vector v was read in a turn before; it is now. Elements of arrays, whose chunks have more vectors, are not kept. */
static bool
was_read(HzChunkReader *reader, uint32_t v)
{
	uint64_t bit;

	if (v >= 64)
		return false;
	if (reader->turn != reader->room->turn)
	{
		reader->read_before |= reader->read_now;
		reader->read_now = 0;
		reader->turn = reader->room->turn;
	}
	bit = UINT64_C(1) << v;
	reader->read_now |= bit;
	return (reader->read_before & bit) != 0;
}

void
hz_reader_keep_read(HzChunkReader *reader, uint32_t v, const HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	Decoded decoded = {.values = reader->slots, .width = out->width};

	if (!was_read(reader, v) || hz_reader_known(reader, v) != NULL)
		return;
	if (piece->mode == HZ_PIECE_CODES)
		decoded = (Decoded){.values = reader->codes, .width = sizeof(uint16_t)};
	if (bytes_of(piece, decoded.width) + HZ_VECTOR_ROWS / 8 <=
		reader->room->bytes - reader->room->reserved)
		store(reader, v, out->validity, &decoded);
}
