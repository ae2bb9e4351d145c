/*
 * format/chunk_read.c
 *	  Reading a chunk vector by vector. See chunk.h.
 *
 * The head has been validated (chunk_head.c), so ranges and counts need no further checks; what a piece,
 * a frame or the dictionary decodes to is checked here before it is used as a length or an index.
 *
 * A vector with some nulls is never CONSTANT, since the slots of its nulls hold zeroes.
 */
#include "encoding/clones.h"
#include "format/chunk_reader.h"

/* So few rows of a vector are single values. */
#define FEW_ROWS 64

static const uint8_t no_bytes[16];
static const uint64_t no_values[HZ_ENCODING_ROOM / 64];

/* ---- vectors of values ---- */

uint32_t
hz_reader_slot_width(const HzChunkHead *head, HzPieceMode mode)
{
	switch (mode)
	{
		case HZ_PIECE_DECIMAL64:
			return sizeof(int64_t);
		case HZ_PIECE_DECIMAL128:
			return sizeof(HzInt128);
		case HZ_PIECE_VALUES:
			return head->width;
		case HZ_PIECE_NULLS:
			return head->kind == HZ_KIND_NUMERIC ? sizeof(int64_t)
				   : head->kind == HZ_KIND_BYTES ? sizeof(HzString)
												 : head->width;
		default:
			return sizeof(HzString);
	}
}

static void
need_slots(HzChunkReader *reader)
{
	size_t width = reader->head.width < sizeof(HzInt128) ? sizeof(HzInt128) : reader->head.width;

	if (reader->slots == NULL)
		reader->slots = hz_alloc(HZ_ENCODING_ROOM * width);
	reader->slots_vector = HZ_NO_VECTOR;
}

static inline void
zero_nulls_of(uint8_t *slots, uint32_t width, const uint64_t *validity, uint32_t count)
{
	for (uint32_t w = 0; w < HZ_BITMAP_WORDS(count); w++)
	{
		uint64_t nulls = ~validity[w];

		if (w == count / 64)
			nulls &= (UINT64_C(1) << count % 64) - 1;
		for (; nulls != 0; nulls &= nulls - 1)
			memset(slots + ((size_t) w * 64 + (uint32_t) __builtin_ctzll(nulls)) * width, 0, width);
	}
}

static void
zero_nulls(void *slots, uint32_t width, const uint64_t *validity, uint32_t count)
{
	if (validity == NULL)
		return;
	if (width == 1)
		zero_nulls_of(slots, 1, validity, count);
	else if (width == 2)
		zero_nulls_of(slots, 2, validity, count);
	else if (width == 4)
		zero_nulls_of(slots, 4, validity, count);
	else if (width == 8)
		zero_nulls_of(slots, 8, validity, count);
	else if (width == 16)
		zero_nulls_of(slots, 16, validity, count);
	else
		zero_nulls_of(slots, width, validity, count);
}

static bool
are_bools(const uint8_t *slots, uint32_t count)
{
	uint8_t seen = 0;

	for (uint32_t i = 0; i < count; i++)
		seen |= slots[i];
	return seen <= 1;
}

HzStatus
hz_reader_slots(HzChunkReader *reader, uint32_t v, const uint64_t *validity)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	const uint8_t *data = hz_reader_data(reader, piece);
	HzKind kind = reader->head.kind;
	uint32_t count = piece->zone.rows;
	uint32_t width = hz_reader_slot_width(&reader->head, piece->mode);
	HzStatus status;

	if (reader->slots_vector == v)
		return HZ_OK;
	need_slots(reader);
	if (piece->mode == HZ_PIECE_DECIMAL128)
		status =
			hz_int128_decode(data, piece->data_length, count, (HzInt128 *) (void *) reader->slots);
	else if (piece->mode == HZ_PIECE_DECIMAL64 || hz_kind_is_integer(kind))
		status = hz_int_decode(data, piece->data_length, count, width, reader->slots);
	else if (hz_kind_is_float(kind))
		status = hz_float_decode(data, piece->data_length, count, width, reader->slots);
	else
		status = hz_fixed_decode(data, piece->data_length, count, width, reader->slots);
	if (status != HZ_OK)
		return status;
	if (kind == HZ_KIND_BOOL && !are_bools(reader->slots, count))
		return HZ_CORRUPT;
	zero_nulls(reader->slots, width, validity, count);
	reader->slots_vector = v;
	return HZ_OK;
}

static void
describe_slots(const HzChunkReader *reader, const HzChunkPiece *piece, const void *slots,
			   bool constant, HzVector *out)
{
	out->form = constant ? HZ_FORM_CONSTANT : HZ_FORM_FLAT;
	out->width = hz_reader_slot_width(&reader->head, piece->mode);
	out->scale = piece->scale;
	out->numeric = piece->mode == HZ_PIECE_DECIMAL64    ? HZ_NUMERIC_INT64
				   : piece->mode == HZ_PIECE_DECIMAL128 ? HZ_NUMERIC_INT128
														: HZ_NUMERIC_PAYLOAD;
	out->values = slots;
}

/* Whether the piece that is loaded, of a vector with this validity, is one value. */
static bool
is_constant(const HzChunkReader *reader, const HzChunkPiece *piece, const uint64_t *validity)
{
	return validity == NULL && hz_reader_data(reader, piece)[0] == HZ_ENCODING_CONSTANT;
}

static HzStatus
values_vector(HzChunkReader *reader, uint32_t v, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzStatus status = hz_reader_slots(reader, v, out->validity);

	if (status != HZ_OK)
		return status;
	describe_slots(reader, piece, reader->slots, is_constant(reader, piece, out->validity), out);
	hz_reader_keep_read(reader, v, out);
	return HZ_OK;
}

/* ---- vectors of dictionary codes ---- */

/* Undoes the bias of `count` codes rounded up to 64, and returns the greatest. */
HZ_CLONES static uint16_t
finish_codes(uint16_t *codes, uint32_t count, uint16_t bias)
{
	typedef uint16_t Codes16 __attribute__((vector_size(32)));
	Codes16 high = {0};
	uint16_t max = 0;

	for (uint32_t i = 0; i < count; i += 16)
	{
		Codes16 some;
		Codes16 greater;

		memcpy(&some, codes + i, sizeof(some));
		some ^= bias;
		memcpy(codes + i, &some, sizeof(some));
		greater = (Codes16) (some > high);
		high = (some & greater) | (high & ~greater);
	}
	for (int k = 0; k < 16; k++)
		max = high[k] > max ? high[k] : max;
	return max;
}

HzStatus
hz_reader_codes(HzChunkReader *reader, uint32_t v, const uint64_t *validity)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	uint32_t count = piece->zone.rows;
	uint32_t dict_count = reader->head.dict.count;
	uint16_t bias = dict_count > HZ_CHUNK_BIASED_DICT ? HZ_CHUNK_BIASED_DICT : 0;
	HzStatus status;

	if (reader->codes == NULL)
		reader->codes = hz_alloc(HZ_ENCODING_ROOM * sizeof(uint16_t));
	status = hz_int_decode(hz_reader_data(reader, piece), piece->data_length, count,
						   sizeof(uint16_t), reader->codes);
	if (status != HZ_OK)
		return status;
	/* what the decoder may have left behind the last code is no code: 0 after the bias */
	for (uint32_t i = count; i % 64 != 0; i++)
		reader->codes[i] = bias;
	if (finish_codes(reader->codes, count, bias) >= dict_count)
		return HZ_CORRUPT;
	zero_nulls(reader->codes, sizeof(uint16_t), validity, count);
	return HZ_OK;
}

/* The dictionary is decoded. */
static void
describe_codes(const HzChunkReader *reader, const uint16_t *codes, bool constant, HzVector *out)
{
	const HzChunkDict *dict = &reader->head.dict;

	out->width = reader->dict.slot_width;
	out->numeric = dict->form == HZ_DICT_INTEGERS ? HZ_NUMERIC_INT64 : HZ_NUMERIC_PAYLOAD;
	out->scale = dict->scale;
	out->values = reader->dict.values;
	out->form = HZ_FORM_DICT;
	out->codes = codes;
	out->dict_count = dict->count;
	if (constant)
	{
		out->form = HZ_FORM_CONSTANT;
		out->values = (const uint8_t *) reader->dict.values + (size_t) codes[0] * out->width;
		out->codes = NULL;
		out->dict_count = 0;
	}
}

static HzStatus
codes_vector(HzChunkReader *reader, uint32_t v, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzStatus status = hz_reader_dict(reader);

	if (status == HZ_OK)
		status = hz_reader_codes(reader, v, out->validity);
	if (status != HZ_OK)
		return status;
	describe_codes(reader, reader->codes, is_constant(reader, piece, out->validity), out);
	hz_reader_keep_read(reader, v, out);
	return HZ_OK;
}

/* ---- vectors of strings ---- */

void
hz_reader_need_lengths(HzChunkReader *reader)
{
	if (reader->lengths == NULL)
		reader->lengths = hz_alloc(HZ_ENCODING_ROOM * sizeof(int32_t));
}

HzStatus
hz_reader_lengths(HzChunkReader *reader, uint32_t v, const uint64_t *validity)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	uint32_t count = piece->zone.rows;
	uint64_t sum = 0;
	int32_t all = 0;
	HzStatus status;

	hz_reader_need_lengths(reader);
	status = hz_int_decode(hz_reader_data(reader, piece), piece->data_length, count,
						   sizeof(int32_t), reader->lengths);
	if (status != HZ_OK)
		return status;
	zero_nulls(reader->lengths, sizeof(int32_t), validity, count);
	memset(reader->lengths + count, 0, (HZ_ENCODING_ROOM - count) % 64 * sizeof(int32_t));
	for (uint32_t block = 0; block < count; block += 64)
		for (uint32_t i = 0; i < 64; i++)
		{
			all |= reader->lengths[block + i];
			sum += (uint32_t) reader->lengths[block + i];
		}
	return all >= 0 && sum == piece->payload ? HZ_OK : HZ_CORRUPT;
}

/* The rows of a vector that somebody wants, ascending; at NULL: all. */
typedef struct Wanted
{
	const uint16_t *at;
	uint32_t count;
	uint32_t next; /* the first that is not passed yet */
} Wanted;

/* Whether any of them is below `end`; passes those. */
static bool
wants_below(Wanted *wanted, uint32_t end)
{
	uint32_t first = wanted->next;

	if (wanted->at == NULL)
		return true;
	while (wanted->next < wanted->count && wanted->at[wanted->next] < end)
		wanted->next++;
	return wanted->next > first;
}

/* How many of the strings from `position` on lie in one frame; 0: none does. */
static uint32_t
count_in_frame(const HzChunkFrame *frame, uint64_t position, const int32_t *lengths, uint32_t count)
{
	uint64_t left = frame->start + frame->raw_length - position;
	uint32_t i = 0;

	for (; i < count && left >= (uint64_t) lengths[i]; i++)
		left -= (uint64_t) lengths[i];
	return i;
}

static void
point_at(const uint8_t *bytes, const int32_t *lengths, uint32_t count, HzString *strings)
{
	for (uint32_t i = 0; i < count; i++)
	{
		strings[i].data = bytes;
		strings[i].length = (uint64_t) lengths[i];
		bytes += lengths[i];
	}
}

static void
empty_strings(uint32_t count, HzString *strings)
{
	for (uint32_t i = 0; i < count; i++)
	{
		strings[i].data = no_bytes;
		strings[i].length = 0;
	}
}

/* Points the slots at the strings of vector v, whose lengths are loaded; frames without wanted ones are not read, and theirs are empty. */
static HzStatus
point_strings(HzChunkReader *reader, uint32_t v, Wanted *wanted, HzString *strings)
{
	const HzChunkHead *head = &reader->head;
	uint32_t count = head->pieces[v].zone.rows;
	uint64_t position = head->pieces[v].payload_start;
	uint32_t number = hz_frame_find(head, position);

	for (uint32_t done = 0; done < count; number++)
	{
		const HzChunkFrame *frame = &head->frames[number];
		const int32_t *lengths = reader->lengths + done;
		const uint8_t *bytes;
		uint32_t cut;

		if (number >= head->frame_count)
			return HZ_CORRUPT;
		cut = count_in_frame(frame, position, lengths, count - done);
		if (wants_below(wanted, done + cut))
		{
			HzStatus status = hz_frame_load(&reader->frames, &reader->source, head, number, &bytes);

			if (status != HZ_OK)
				return status;
			point_at(bytes + (position - frame->start), lengths, cut, strings + done);
		}
		else
			empty_strings(cut, strings + done);
		for (uint32_t i = 0; i < cut; i++)
			position += (uint32_t) lengths[i];
		done += cut;
		/* what is left begins in the next frame, or a value crosses the border */
		if (done < count && position != frame->start + frame->raw_length)
			return HZ_CORRUPT;
	}
	return HZ_OK;
}

static HzStatus
strings_vector(HzChunkReader *reader, uint32_t v, Wanted *wanted, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzString *strings;
	HzStatus status;

	need_slots(reader);
	strings = (HzString *) (void *) reader->slots;
	status = hz_reader_lengths(reader, v, out->validity);
	if (status != HZ_OK)
		return status;
	if (piece->payload > 0)
		status = point_strings(reader, v, wanted, strings);
	else
		empty_strings(piece->zone.rows, strings);
	out->form = HZ_FORM_FLAT;
	out->width = sizeof(HzString);
	out->numeric = HZ_NUMERIC_PAYLOAD;
	out->values = strings;
	return status;
}

/* ---- vectors of hexadecimal digits ---- */

HzStatus
hz_reader_hex_shape(const HzChunkReader *reader, const HzChunkPiece *piece, HzHexShape *shape,
					const uint8_t **data, uint32_t *length)
{
	const uint8_t *bytes = hz_reader_data(reader, piece);

	if (piece->data_length < 3)
		return HZ_CORRUPT;
	shape->form = (HzHexForm) bytes[0];
	shape->width = bytes[1];
	*data = bytes + 2;
	*length = piece->data_length - 2;
	return hz_hex_is_shape(shape) ? HZ_OK : HZ_CORRUPT;
}

HzStatus
hz_reader_hex_bytes(HzChunkReader *reader, uint32_t v, const uint64_t *validity, HzHexShape *shape)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	uint32_t count = piece->zone.rows;
	const uint8_t *data;
	uint32_t length;
	HzStatus status = hz_reader_hex_shape(reader, piece, shape, &data, &length);

	if (status != HZ_OK)
		return status;
	reader->digits.length = 0;
	hz_bytes_reserve(&reader->digits,
					 (size_t) HZ_VECTOR_ROWS * (HZ_HEX_MAX_WIDTH + HZ_HEX_MAX_TEXT));
	status = hz_fixed_decode(data, length, count, shape->width, reader->digits.data);
	if (status == HZ_OK)
		zero_nulls(reader->digits.data, shape->width, validity, count);
	return status;
}

static HzStatus
hex_vector(HzChunkReader *reader, uint32_t v, HzVector *out)
{
	uint32_t count = reader->head.pieces[v].zone.rows;
	HzHexShape shape;
	HzString *strings;
	uint8_t *text;
	uint32_t length;
	HzStatus status = hz_reader_hex_bytes(reader, v, out->validity, &shape);

	if (status != HZ_OK)
		return status;
	need_slots(reader);
	strings = (HzString *) (void *) reader->slots;
	text = reader->digits.data + (size_t) HZ_VECTOR_ROWS * HZ_HEX_MAX_WIDTH;
	length = hz_hex_length(&shape);
	hz_hex_unpack(&shape, reader->digits.data, count, text);
	for (uint32_t i = 0; i < count; i++)
	{
		bool is_null = out->validity != NULL && !hz_bitmap_get(out->validity, i);

		strings[i].data = is_null ? no_bytes : text + (size_t) i * length;
		strings[i].length = is_null ? 0 : length;
	}
	out->form = HZ_FORM_FLAT;
	out->width = sizeof(HzString);
	out->numeric = HZ_NUMERIC_PAYLOAD;
	out->values = strings;
	return HZ_OK;
}

/* All are as long as the first; nulls have none. */
static HzStatus
hex_lengths(HzChunkReader *reader, uint32_t v, const uint64_t *validity)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	HzHexShape shape;
	const uint8_t *data;
	uint32_t length;
	HzStatus status = hz_reader_hex_shape(reader, piece, &shape, &data, &length);

	if (status != HZ_OK)
		return status;
	hz_reader_need_lengths(reader);
	for (uint32_t i = 0; i < piece->zone.rows; i++)
		reader->lengths[i] = (int32_t) hz_hex_length(&shape);
	zero_nulls(reader->lengths, sizeof(int32_t), validity, piece->zone.rows);
	return HZ_OK;
}

HzStatus
hz_chunk_lengths(HzChunkReader *reader, uint32_t vector, bool *known, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[vector];
	HzStatus status;

	if (vector >= reader->head.vectors)
		return HZ_CORRUPT;
	*known = reader->head.kind == HZ_KIND_BYTES &&
			 (piece->mode == HZ_PIECE_STRINGS || piece->mode == HZ_PIECE_HEX ||
			  piece->mode == HZ_PIECE_NULLS);
	if (!*known)
		return HZ_OK;
	*out = (HzVector){.kind = HZ_KIND_INT32,
					  .form = HZ_FORM_CONSTANT,
					  .width = sizeof(int32_t),
					  .count = piece->zone.rows,
					  .validity = no_values,
					  .values = no_bytes};
	if (piece->mode == HZ_PIECE_NULLS)
		return HZ_OK;
	out->form = HZ_FORM_FLAT;
	status = hz_reader_piece(reader, vector);
	if (status == HZ_OK)
		status = hz_reader_validity(reader, vector, &out->validity);
	if (status == HZ_OK)
		status = (piece->mode == HZ_PIECE_HEX ? hex_lengths : hz_reader_lengths)(reader, vector,
																				 out->validity);
	out->values = reader->lengths;
	return status;
}

/* ---- vectors of arrays ---- */

static inline const uint8_t *
child_slot(const HzVector *vector, uint32_t i)
{
	size_t slot = vector->form == HZ_FORM_FLAT   ? i
				  : vector->form == HZ_FORM_DICT ? vector->codes[i]
												 : 0;

	return (const uint8_t *) vector->values + slot * vector->width;
}

/* Appends elements [i, i + count) of the child's decoded vector. */
static HzStatus
append_elements(HzChunkReader *reader, uint32_t i, uint32_t count)
{
	const HzArrayShape *shape = &reader->head.child.shape;
	const HzVector *vector = &reader->child_vector;
	HzBytes *out = &reader->arrays;
	uint64_t length = hz_array_element_length(shape, vector->width);

	if (shape->element_width > 0 && vector->form == HZ_FORM_FLAT && length == vector->width)
	{
		/* without padding: all at once */
		length *= count;
		if (length > reader->meta.raw_bytes - out->length)
			return HZ_CORRUPT;
		hz_bytes_append(out, child_slot(vector, i), length);
		return HZ_OK;
	}
	for (uint32_t end = i + count; i < end; i++)
	{
		HzString element;

		element.data = child_slot(vector, i);
		element.length = vector->width;
		if (shape->element_width == -1)
			memcpy(&element, element.data, sizeof(element));
		length = hz_array_element_length(shape, element.length);
		if (length > reader->meta.raw_bytes - out->length)
			return HZ_CORRUPT;
		out->length += hz_array_put_element(shape, element.data, element.length,
											hz_bytes_reserve(out, length));
	}
	return HZ_OK;
}

HzStatus
hz_reader_build_array(HzChunkReader *reader, uint64_t first, uint32_t count)
{
	HzBytes *out = &reader->arrays;
	uint64_t header = hz_array_payload_length(count, 0);
	HzStatus status = hz_reader_child(reader);

	if (status != HZ_OK)
		return status;
	if (out->length > reader->meta.raw_bytes || header > reader->meta.raw_bytes - out->length)
		return HZ_CORRUPT;
	hz_array_put_header(reader->head.child.element_type, count, hz_bytes_reserve(out, header));
	out->length += header;
	for (uint32_t done = 0; done < count && status == HZ_OK;)
	{
		uint32_t index = (uint32_t) ((first + done) / HZ_VECTOR_ROWS);
		uint32_t i = (uint32_t) ((first + done) % HZ_VECTOR_ROWS);
		uint32_t n = HZ_VECTOR_ROWS - i < count - done ? HZ_VECTOR_ROWS - i : count - done;

		if (reader->child_index != index)
		{
			reader->child_index = HZ_NO_VECTOR;
			status = hz_chunk_vector(reader->child, index, &reader->child_vector);
			if (status != HZ_OK)
				return status;
			reader->child_index = index;
		}
		status = append_elements(reader, i, n);
		done += n;
	}
	return status;
}

static HzStatus
arrays_vector(HzChunkReader *reader, uint32_t v, HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	uint64_t first = piece->payload_start;
	HzString *strings;
	HzStatus status;

	need_slots(reader);
	strings = (HzString *) (void *) reader->slots;
	status = hz_reader_lengths(reader, v, out->validity);
	reader->arrays.length = 0;
	for (uint32_t i = 0; i < piece->zone.rows && status == HZ_OK; i++)
	{
		size_t start = reader->arrays.length;

		if (out->validity == NULL || hz_bitmap_get(out->validity, i))
			status = hz_reader_build_array(reader, first, (uint32_t) reader->lengths[i]);
		first += (uint32_t) reader->lengths[i];
		strings[i].length = reader->arrays.length - start;
	}
	/* only now does the buffer stay where it is */
	for (uint64_t i = 0, at = 0; status == HZ_OK && i < piece->zone.rows; i++)
	{
		strings[i].data = strings[i].length == 0 ? no_bytes : reader->arrays.data + at;
		at += strings[i].length;
	}
	out->form = HZ_FORM_FLAT;
	out->width = sizeof(HzString);
	out->values = strings;
	return status;
}

/* ---- any vector ---- */

void
hz_reader_begin_vector(HzChunkReader *reader, uint32_t count, HzVector *out)
{
	hz_frame_unpin(&reader->frames);
	memset(out, 0, sizeof(*out));
	out->kind = reader->head.kind;
	out->count = count;
}

void
hz_reader_null_vector(HzChunkReader *reader, HzVector *out)
{
	out->form = HZ_FORM_CONSTANT;
	out->width = hz_reader_slot_width(&reader->head, HZ_PIECE_NULLS);
	out->numeric = HZ_NUMERIC_INT64;
	out->validity = no_values;
	if (hz_kind_is_strings(out->kind) || out->width <= sizeof(no_bytes))
	{
		memset(&reader->single, 0, sizeof(reader->single));
		if (out->kind == HZ_KIND_BYTES)
			reader->single.string.data = no_bytes;
		out->values = &reader->single;
		return;
	}
	need_slots(reader);
	memset(reader->slots, 0, out->width);
	out->values = reader->slots;
}

/* Whether vectors in this mode are given out as they are kept. */
static bool
is_kept_whole(HzPieceMode mode)
{
	return mode == HZ_PIECE_CODES || mode == HZ_PIECE_VALUES || mode == HZ_PIECE_DECIMAL64 ||
		   mode == HZ_PIECE_DECIMAL128;
}

static HzStatus
known_vector(HzChunkReader *reader, const HzChunkPiece *piece, const HzKnownVector *known,
			 HzVector *out)
{
	HzStatus status;

	out->validity = known->validity;
	if (piece->mode != HZ_PIECE_CODES)
	{
		describe_slots(reader, piece, known->values, known->constant, out);
		return HZ_OK;
	}
	status = hz_reader_dict(reader);
	if (status == HZ_OK)
		describe_codes(reader, known->values, known->constant, out);
	return status;
}

HzStatus
hz_chunk_vector(HzChunkReader *reader, uint32_t vector, HzVector *out)
{
	return hz_chunk_vector_at(reader, vector, NULL, 0, out);
}

HzStatus
hz_chunk_vector_at(HzChunkReader *reader, uint32_t vector, const uint16_t *at, uint32_t count,
				   HzVector *out)
{
	const HzChunkPiece *piece = &reader->head.pieces[vector];
	Wanted wanted = {at, count, 0};
	const HzKnownVector *known;
	HzStatus status;

	if (vector >= reader->head.vectors)
		return HZ_CORRUPT;
	hz_reader_begin_vector(reader, piece->zone.rows, out);
	reader->frames.generous = at != NULL && count <= FEW_ROWS;
	if (piece->mode == HZ_PIECE_NULLS)
	{
		hz_reader_null_vector(reader, out);
		return HZ_OK;
	}
	known = is_kept_whole(piece->mode) ? hz_reader_known(reader, vector) : NULL;
	if (known != NULL)
		return known_vector(reader, piece, known, out);
	status = hz_reader_piece(reader, vector);
	if (status == HZ_OK)
		status = hz_reader_validity(reader, vector, &out->validity);
	if (status != HZ_OK)
		return status;
	if (piece->mode == HZ_PIECE_CODES)
		status = codes_vector(reader, vector, out);
	else if (piece->mode == HZ_PIECE_STRINGS)
		status = strings_vector(reader, vector, &wanted, out);
	else if (piece->mode == HZ_PIECE_HEX)
		status = hex_vector(reader, vector, out);
	else if (piece->mode == HZ_PIECE_ARRAYS)
		status = arrays_vector(reader, vector, out);
	else
		status = values_vector(reader, vector, out);
	hz_frame_trim(&reader->frames);
	return status;
}
