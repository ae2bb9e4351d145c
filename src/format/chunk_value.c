/*
 * format/chunk_value.c
 *	  Reading single values of a chunk, its bloom filter, and all of it for verification. See chunk.h.
 */
#include "format/bloom.h"
#include "format/chunk_reader.h"

/* Single entries read from a dictionary before all of it is decoded. */
#define SINGLES_BEFORE_DICT 32

/* Single integers read from a vector before all of it is decoded. */
#define SINGLES_BEFORE_VECTOR 3

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
	status = hz_frame_load(&reader->frames, &reader->source, head, frame, &string->data);
	hz_frame_trim(&reader->frames);
	if (status == HZ_OK)
		string->data += at;
	return status;
}

/* Integer i of vector v, whose piece is loaded. Whoever asks again and again has the vector decoded. */
static HzStatus
single_integer(HzChunkReader *reader, uint32_t v, uint32_t i, int64_t *value)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	const uint8_t *data = hz_reader_data(reader, piece);
	HzStatus status;

	if (reader->integers_vector != v)
	{
		if (reader->singles_vector != v)
			reader->singles = 0;
		reader->singles_vector = v;
		if (reader->singles++ < SINGLES_BEFORE_VECTOR)
			return hz_int_value(data, piece->data_length, piece->zone.rows, i, value);
		if (reader->integers == NULL)
			reader->integers = hz_alloc(HZ_ENCODING_ROOM * sizeof(int64_t));
		reader->integers_vector = HZ_NO_VECTOR;
		status = hz_int_decode(data, piece->data_length, piece->zone.rows, sizeof(int64_t),
							   reader->integers);
		if (status != HZ_OK)
			return status;
		reader->integers_vector = v;
	}
	*value = reader->integers[i];
	return HZ_OK;
}

static HzStatus
decode_code(HzChunkReader *reader, uint32_t v, uint32_t i, uint32_t *code)
{
	const HzChunkDict *dict = &reader->head.dict;
	int64_t value;
	HzStatus status = single_integer(reader, v, i, &value);

	if (status != HZ_OK)
		return status;
	if (value < INT16_MIN || value > INT16_MAX)
		return HZ_CORRUPT;
	if (dict->count > HZ_CHUNK_BIASED_DICT)
		value += HZ_CHUNK_BIASED_DICT;
	*code = (uint32_t) value;
	return value >= 0 && value < dict->count ? HZ_OK : HZ_CORRUPT;
}

/* One entry of a dictionary that is not decoded, as *slot. */
static HzStatus
dict_entry(HzChunkReader *reader, uint32_t code, const void **slot)
{
	const HzChunkHead *head = &reader->head;
	uint64_t position;
	uint64_t length;
	HzStatus status = hz_reader_packed(reader);

	*slot = &reader->single;
	if (status != HZ_OK)
		return status;
	if (head->dict.form == HZ_DICT_INTEGERS)
		return hz_dict_integer(head, reader->packed.data, code, &reader->single);
	hz_reader_need_lengths(reader);
	status = hz_dict_place(head, reader->packed.data, code, reader->lengths, &position, &length);
	if (status == HZ_OK)
		status = frame_string(reader, position, length);
	if (status == HZ_OK && head->dict.form == HZ_DICT_FIXED)
		*slot = reader->single.string.data;
	return status;
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
		   (dict->count <= SMALL_DICT_ENTRIES && dict->raw_length <= HZ_CHUNK_FRAME_BYTES);
}

static HzStatus
code_value(HzChunkReader *reader, uint32_t v, uint32_t i, HzVector *out)
{
	const HzChunkDict *dict = &reader->head.dict;
	uint32_t code;
	HzStatus status = decode_code(reader, v, i, &code);

	if (status != HZ_OK)
		return status;
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
integer_value(HzChunkReader *reader, uint32_t v, uint32_t i, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	int64_t value;
	HzStatus status = single_integer(reader, v, i, &value);

	if (status != HZ_OK)
		return status;
	out->width = piece->mode == HZ_PIECE_DECIMAL64 ? sizeof(int64_t) : reader->head.width;
	out->numeric = HZ_NUMERIC_INT64;
	out->scale = piece->scale;
	out->values = &reader->single;
	return hz_narrow(out->kind, out->width, value, reader->single.bytes) ? HZ_OK : HZ_CORRUPT;
}

/* Encodings without access to one value: the vector is decoded once and kept. */
static HzStatus
slot_value(HzChunkReader *reader, uint32_t v, uint32_t i, const uint64_t *validity, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzStatus status = hz_reader_slots(reader, v, validity);

	out->width = piece->mode == HZ_PIECE_DECIMAL128 ? sizeof(HzInt128) : reader->head.width;
	out->numeric = HZ_NUMERIC_INT128;
	out->scale = piece->scale;
	out->values = reader->slots + (size_t) i * out->width;
	return status;
}

/* The sums of the lengths of vector v, kept for its other rows. */
static HzStatus
load_starts(HzChunkReader *reader, uint32_t v, const uint64_t *validity)
{
	uint32_t count = reader->head.pieces[v].zone.rows;
	HzStatus status;

	if (reader->starts_vector == v)
		return HZ_OK;
	if (reader->starts == NULL)
		reader->starts = hz_alloc((HZ_ENCODING_ROOM + 1) * sizeof(uint64_t));
	reader->starts_vector = HZ_NO_VECTOR;
	status = hz_reader_lengths(reader, v, validity);
	if (status != HZ_OK)
		return status;
	reader->starts[0] = reader->head.pieces[v].payload_start;
	for (uint32_t i = 0; i < count; i++)
		reader->starts[i + 1] = reader->starts[i] + (uint32_t) reader->lengths[i];
	reader->starts_vector = v;
	return HZ_OK;
}

static HzStatus
string_value(HzChunkReader *reader, uint32_t v, uint32_t i, const uint64_t *validity, HzVector *out)
{
	HzStatus status = load_starts(reader, v, validity);

	out->width = sizeof(HzString);
	out->numeric = HZ_NUMERIC_PAYLOAD;
	out->values = &reader->single;
	if (status != HZ_OK)
		return status;
	return frame_string(reader, reader->starts[i], reader->starts[i + 1] - reader->starts[i]);
}

static HzStatus
array_value(HzChunkReader *reader, uint32_t v, uint32_t i, const uint64_t *validity, HzVector *out)
{
	HzString *string = &reader->single.string;
	HzStatus status = load_starts(reader, v, validity);

	if (status != HZ_OK)
		return status;
	reader->arrays.length = 0;
	status = hz_reader_build_array(reader, reader->starts[i],
								   (uint32_t) (reader->starts[i + 1] - reader->starts[i]));
	string->data = reader->arrays.data;
	string->length = reader->arrays.length;
	out->width = sizeof(HzString);
	out->values = string;
	return status;
}

static HzStatus
value_by_mode(HzChunkReader *reader, uint32_t v, uint32_t i, const uint64_t *validity,
			  HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];

	switch (piece->mode)
	{
		case HZ_PIECE_CODES:
			return code_value(reader, v, i, out);
		case HZ_PIECE_STRINGS:
			return string_value(reader, v, i, validity, out);
		case HZ_PIECE_ARRAYS:
			return array_value(reader, v, i, validity, out);
		case HZ_PIECE_DECIMAL64:
			return integer_value(reader, v, i, out);
		case HZ_PIECE_VALUES:
			if (hz_kind_is_integer(reader->head.kind))
				return integer_value(reader, v, i, out);
			return slot_value(reader, v, i, validity, out);
		default:
			return slot_value(reader, v, i, validity, out);
	}
}

HzStatus
hz_chunk_value(HzChunkReader *reader, uint32_t row, HzVector *out)
{
	uint32_t v = row / HZ_VECTOR_ROWS;
	uint32_t i = row % HZ_VECTOR_ROWS;
	const uint64_t *validity;
	HzStatus status;

	if (row >= reader->head.rows)
		return HZ_CORRUPT;
	hz_reader_begin_vector(reader, 1, out);
	if (reader->head.pieces[v].mode == HZ_PIECE_NULLS)
	{
		hz_reader_null_vector(reader, out);
		return HZ_OK;
	}
	status = hz_reader_piece(reader, v);
	if (status == HZ_OK)
		status = hz_reader_validity(reader, v, &validity);
	if (status != HZ_OK)
		return status;
	if (validity != NULL && !hz_bitmap_get(validity, i))
	{
		hz_reader_null_vector(reader, out);
		return HZ_OK;
	}
	out->form = HZ_FORM_FLAT;
	return value_by_mode(reader, v, i, validity, out);
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
