/*
 * format/chunk_value.c
 *	  Reading single values of a chunk, its bloom filter, and all of it for verification. See chunk.h.
 */
#include "format/bloom.h"
#include "format/chunk_reader.h"

/* Single entries read from a dictionary before all of it is decoded. */
#define SINGLES_BEFORE_DICT 32

/* Nulls, integers and codes read from a vector one by one before all of it is decoded. */
#define SINGLES_BEFORE_VECTOR 1

/* Dictionaries that are decoded at once. Fuzzers, whose dictionaries are small, need both ways. */
#ifdef HZ_FUZZING
#define SMALL_DICT_ENTRIES 2
#else
#define SMALL_DICT_ENTRIES HZ_VECTOR_ROWS
#endif

/* ---- single values, by the mode of their vector ---- */

/* The bytes at `position` of all frames' bytes, which must be in one frame, as reader->single. */
static HzStatus
frame_string(HzChunkReader *reader, uint64_t position, uint64_t length)
{
	HzString *string = &reader->single.string;
	const HzChunkHead *head = &reader->head;
	uint32_t frame;
	uint64_t at;
	HzStatus status;

	string->data = (const uint8_t *) "";
	string->length = length;
	if (length == 0)
		return HZ_OK;
	if (head->frame_count == 0)
		return HZ_CORRUPT;
	frame = hz_frame_find(head, position);
	at = position - head->frames[frame].start;
	if (at > head->frames[frame].raw_length || length > head->frames[frame].raw_length - at)
		return HZ_CORRUPT;
	reader->frames.generous = true;
	status = hz_frame_load(&reader->frames, &reader->source, head, frame, &string->data);
	hz_frame_trim(&reader->frames);
	if (status == HZ_OK)
		string->data += at;
	return status;
}

/* The string of hexadecimal digits that stands for these bytes, as reader->single. */
static void
hex_string(HzChunkReader *reader, const HzHexShape *shape, const uint8_t *bytes)
{
	HzString *string = &reader->single.string;

	hz_hex_unpack(shape, bytes, 1, reader->single_digits);
	string->data = reader->single_digits;
	string->length = hz_hex_length(shape);
}

/* One entry of a dictionary that is not decoded, as *slot. */
static HzStatus
dict_entry(HzChunkReader *reader, uint32_t code, const void **slot)
{
	const HzChunkHead *head = &reader->head;
	HzDictPlace place;
	HzStatus status = hz_reader_packed(reader);

	*slot = &reader->single;
	if (status != HZ_OK)
		return status;
	if (head->dict.form == HZ_DICT_INTEGERS)
		return hz_dict_integer(head, reader->packed.data, code, &reader->single);
	hz_reader_need_lengths(reader);
	status = hz_dict_place(head, reader->packed.data, code, reader->lengths, &place);
	if (status == HZ_OK)
		status = frame_string(reader, place.position, place.length);
	if (status == HZ_OK && head->dict.form == HZ_DICT_FIXED)
		*slot = reader->single.string.data;
	if (status == HZ_OK && place.shape.form != 0)
		hex_string(reader, &place.shape, reader->single.string.data);
	return status;
}

static bool
is_small(const HzChunkDict *dict)
{
	return dict->count <= SMALL_DICT_ENTRIES && dict->raw_length <= HZ_CHUNK_FRAME_BYTES;
}

HzStatus
hz_reader_entry(HzChunkReader *reader, uint32_t code, HzString *entry)
{
	const HzChunkHead *head = &reader->head;
	const void *slot;
	HzStatus status = HZ_OK;

	if (reader->dict.values == NULL && is_small(&head->dict))
		status = hz_reader_dict(reader);
	if (status == HZ_OK && reader->dict.values != NULL)
		slot = (const uint8_t *) reader->dict.values + (size_t) code * reader->dict.slot_width;
	else if (status == HZ_OK)
		status = dict_entry(reader, code, &slot);
	if (status != HZ_OK)
		return status;
	if (hz_dict_has_strings(&head->dict))
		*entry = *(const HzString *) slot;
	else
	{
		entry->data = slot;
		entry->length = head->width;
	}
	return HZ_OK;
}

/*
 * Large dictionaries are decoded when the reader has asked for a number of their entries, small ones at
 * once.
 */
static bool
wants_whole_dict(HzChunkReader *reader)
{
	const HzChunkDict *dict = &reader->head.dict;

	return reader->dict.values != NULL || reader->dict_singles++ >= SINGLES_BEFORE_DICT ||
		   is_small(dict);
}

static HzStatus
code_value(HzChunkReader *reader, uint32_t code, HzVector *out)
{
	const HzChunkDict *dict = &reader->head.dict;
	HzStatus status;

	out->width = hz_dict_slot_width(&reader->head);
	out->numeric = dict->form == HZ_DICT_INTEGERS ? HZ_NUMERIC_INT64 : HZ_NUMERIC_PAYLOAD;
	out->scale = dict->scale;
	if (!wants_whole_dict(reader))
		return dict_entry(reader, code, &out->values);
	status = hz_reader_dict(reader);
	if (status == HZ_OK)
		out->values = (const uint8_t *) reader->dict.values + (size_t) code * out->width;
	return status;
}

static HzStatus
array_value(HzChunkReader *reader, uint64_t first, uint64_t count, HzVector *out)
{
	HzString *string = &reader->single.string;
	HzStatus status;

	reader->arrays.length = 0;
	status = hz_reader_build_array(reader, first, (uint32_t) count);
	string->data = reader->arrays.data;
	string->length = reader->arrays.length;
	return status;
}

/* ---- values of vectors that are not decoded ---- */

/* The modes whose pieces give access to one value. */
static bool
has_access(const HzChunkHead *head, const HzChunkPiece *piece)
{
	return piece->mode == HZ_PIECE_CODES || piece->mode == HZ_PIECE_DECIMAL64 ||
		   piece->mode == HZ_PIECE_HEX ||
		   (piece->mode == HZ_PIECE_VALUES &&
			(hz_kind_is_integer(head->kind) ||
			 (head->kind == HZ_KIND_FIXED &&
			  head->width <= sizeof(((HzChunkReader *) 0)->single))));
}

static void
hex_value(HzChunkReader *reader, const HzHexShape *shape, const uint8_t *bytes, HzVector *out)
{
	hex_string(reader, shape, bytes);
	out->width = sizeof(HzString);
	out->numeric = HZ_NUMERIC_PAYLOAD;
	out->values = &reader->single.string;
}

static HzStatus
fixed_alone(HzChunkReader *reader, const HzChunkPiece *piece, uint32_t i, HzVector *out)
{
	const uint8_t *data = hz_reader_data(reader, piece);
	uint32_t length = piece->data_length;
	HzHexShape shape;
	uint8_t bytes[HZ_HEX_MAX_WIDTH];
	HzStatus status = HZ_OK;

	if (piece->mode == HZ_PIECE_VALUES)
	{
		out->width = reader->head.width;
		out->values = &reader->single;
		return hz_fixed_value(data, length, piece->zone.rows, out->width, i, reader->single.bytes);
	}
	status = hz_reader_hex_shape(reader, piece, &shape, &data, &length);
	if (status == HZ_OK)
		status = hz_fixed_value(data, length, piece->zone.rows, shape.width, i, bytes);
	if (status == HZ_OK)
		hex_value(reader, &shape, bytes, out);
	return status;
}

/* Value i, not null, of vector v, whose piece is loaded. */
static HzStatus
value_alone(HzChunkReader *reader, uint32_t v, uint32_t i, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	const HzChunkDict *dict = &reader->head.dict;
	int64_t value;
	HzStatus status;

	if (piece->mode == HZ_PIECE_HEX ||
		(piece->mode == HZ_PIECE_VALUES && reader->head.kind == HZ_KIND_FIXED))
		return fixed_alone(reader, piece, i, out);
	status = hz_int_value(hz_reader_data(reader, piece), piece->data_length, piece->zone.rows, i,
						  &value);
	if (status != HZ_OK)
		return status;
	if (piece->mode == HZ_PIECE_CODES)
	{
		if (value < INT16_MIN || value > INT16_MAX)
			return HZ_CORRUPT;
		if (dict->count > HZ_CHUNK_BIASED_DICT)
			value += HZ_CHUNK_BIASED_DICT;
		if (value < 0 || value >= dict->count)
			return HZ_CORRUPT;
		return code_value(reader, (uint32_t) value, out);
	}
	out->width = hz_reader_slot_width(&reader->head, piece->mode);
	out->values = &reader->single;
	return hz_narrow(out->kind, out->width, value, reader->single.bytes) ? HZ_OK : HZ_CORRUPT;
}

/* ---- and of vectors that are ---- */

/* Value i, not null, of vector v, which is decoded. */
static HzStatus
known_value(HzChunkReader *reader, uint32_t v, uint32_t i, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	const HzKnownVector *known = &reader->known[v];
	const uint64_t *starts = known->values;

	switch (piece->mode)
	{
		case HZ_PIECE_CODES:
			return code_value(reader, ((const uint16_t *) known->values)[i], out);
		case HZ_PIECE_STRINGS:
			out->width = sizeof(HzString);
			out->numeric = HZ_NUMERIC_PAYLOAD;
			out->values = &reader->single;
			return frame_string(reader, piece->payload_start + starts[i],
								starts[i + 1] - starts[i]);
		case HZ_PIECE_ARRAYS:
			out->width = sizeof(HzString);
			out->values = &reader->single;
			return array_value(reader, piece->payload_start + starts[i], starts[i + 1] - starts[i],
							   out);
		case HZ_PIECE_HEX:
			hex_value(reader, &(HzHexShape){known->form, known->width},
					  (const uint8_t *) known->values + (size_t) i * known->width, out);
			return HZ_OK;
		default:
			out->width = known->width;
			out->values = (const uint8_t *) known->values + (size_t) i * known->width;
			return HZ_OK;
	}
}

/* Decodes value i of vector v, unless it is null: it alone, or with its vector, which is then in reader->known. */
static HzStatus
find_value(HzChunkReader *reader, uint32_t v, uint32_t i, bool *is_null, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzKnownVector *known = hz_reader_known_place(reader, v);
	const uint64_t *validity = known->validity;
	HzStatus status = HZ_OK;

	if (known->values == NULL)
	{
		status = hz_reader_piece(reader, v);
		if (status == HZ_OK)
			status = hz_reader_validity(reader, v, &validity);
		if (status != HZ_OK)
			return status;
	}
	*is_null = validity != NULL && !hz_bitmap_get(validity, i);
	if (known->values == NULL)
	{
		bool alone = *is_null || has_access(&reader->head, piece);

		if (alone && known->asked < SINGLES_BEFORE_VECTOR)
		{
			known->asked++;
			return *is_null ? HZ_OK : value_alone(reader, v, i, out);
		}
		status = hz_reader_keep(reader, v, validity);
	}
	if (status != HZ_OK || *is_null)
		return status;
	return known_value(reader, v, i, out);
}

HzStatus
hz_chunk_value(HzChunkReader *reader, uint32_t row, HzVector *out)
{
	uint32_t v = row / HZ_VECTOR_ROWS;
	const HzChunkPiece *piece;
	bool is_null;
	HzStatus status;

	if (row >= reader->head.rows)
		return HZ_CORRUPT;
	piece = &reader->head.pieces[v];
	hz_reader_begin_vector(reader, 1, out);
	out->form = HZ_FORM_FLAT;
	out->scale = piece->scale;
	out->numeric = piece->mode == HZ_PIECE_DECIMAL128 ? HZ_NUMERIC_INT128 : HZ_NUMERIC_INT64;
	if (piece->mode == HZ_PIECE_NULLS)
	{
		hz_reader_null_vector(reader, out);
		return HZ_OK;
	}
	status = find_value(reader, v, row % HZ_VECTOR_ROWS, &is_null, out);
	if (status == HZ_OK && is_null)
		hz_reader_null_vector(reader, out);
	return status;
}

/* ---- the bloom filter ---- */

HzStatus
hz_chunk_bloom(HzChunkReader *reader, uint64_t hash, bool *maybe)
{
	HzStatus status;

	*maybe = true;
	if (reader->head.bloom_length == 0)
		return HZ_OK;
	status = hz_reader_bloom(reader);
	if (status != HZ_OK)
		return status;
	return hz_bloom_check(reader->bloom.data, reader->bloom.length, hash, maybe);
}

/* ---- verification ---- */

/* Whether the entries of a dictionary of strings or fixed values ascend, as those who look for one rely on. */
static bool
in_order(const HzChunkReader *reader)
{
	const HzDictValues *dict = &reader->dict;
	const HzString *strings = dict->values;
	const uint8_t *fixed = dict->values;
	uint32_t width = reader->head.width;

	for (uint32_t i = 1; i < reader->head.dict.count; i++)
	{
		if (hz_dict_has_strings(&reader->head.dict) &&
			hz_bytes_order(strings[i - 1].data, strings[i - 1].length, strings[i].data,
						   strings[i].length) >= 0)
			return false;
		if (reader->head.dict.form == HZ_DICT_FIXED &&
			memcmp(fixed + (size_t) (i - 1) * width, fixed + (size_t) i * width, width) >= 0)
			return false;
	}
	return true;
}

HzStatus
hz_chunk_verify(HzChunkReader *reader)
{
	HzStatus status = HZ_OK;
	HzVector vector;
	bool maybe;

	for (uint32_t v = 0; v < reader->head.vectors && status == HZ_OK; v++)
		status = hz_chunk_vector(reader, v, &vector);
	if (status == HZ_OK && (reader->head.flags & HZ_CHUNK_HAS_DICT))
		status = hz_reader_dict(reader);
	if (status == HZ_OK && (reader->head.flags & HZ_CHUNK_HAS_DICT) && !in_order(reader))
		status = HZ_CORRUPT;
	if (status == HZ_OK)
		status = hz_chunk_bloom(reader, 0, &maybe);
	if (status == HZ_OK && (reader->head.flags & HZ_CHUNK_HAS_CHILD))
	{
		status = hz_reader_child(reader);
		reader->child_index = HZ_NO_VECTOR;
		if (status == HZ_OK)
			status = hz_chunk_verify(reader->child);
	}
	return status;
}
