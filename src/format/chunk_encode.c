/*
 * format/chunk_encode.c
 *	  Drafts: the body of a chunk in one way of storing its vectors. See chunk_internal.h.
 *
 * Null slots are given the value before them, so that they cost the encodings nothing.
 */
#include "encoding/hex.h"
#include "format/chunk_internal.h"

/* What an entry of the frame table takes in the head, nearly. */
#define FRAME_ENTRY_BYTES 12

void
hz_draft_init(const HzChunkInput *input, HzChunkDraft *draft)
{
	memset(draft, 0, sizeof(*draft));
	draft->pieces = hz_alloc_zero(input->vectors * sizeof(HzChunkPiece));
	draft->frames.codec = input->options->codec;
	draft->frames.level = input->options->level;
}

void
hz_draft_free(HzChunkDraft *draft)
{
	hz_free(draft->pieces);
	hz_bytes_free(&draft->data);
	hz_frame_free(&draft->frames);
	hz_bytes_free(&draft->dict_bytes);
	hz_bytes_free(&draft->child_bytes);
	memset(draft, 0, sizeof(*draft));
}

uint64_t
hz_draft_size(const HzChunkDraft *draft)
{
	return draft->data.length + draft->frames.stored.length +
		   (uint64_t) draft->frames.count * FRAME_ENTRY_BYTES + draft->dict_bytes.length +
		   draft->child_bytes.length;
}

static inline void
fill(uint8_t *slots, uint32_t width, const uint64_t *validity, uint32_t count)
{
	uint32_t first = 0;

	while (!hz_bitmap_get(validity, first))
		first++;
	for (uint32_t i = 0; i < first; i++)
		memcpy(slots + (size_t) i * width, slots + (size_t) first * width, width);
	for (uint32_t i = first + 1; i < count; i++)
		if (!hz_bitmap_get(validity, i))
			memcpy(slots + (size_t) i * width, slots + ((size_t) i - 1) * width, width);
}

void
hz_fill_nulls(void *slots, uint32_t width, const uint64_t *validity, uint32_t count)
{
	if (width == 2)
		fill(slots, 2, validity, count);
	else if (width == 4)
		fill(slots, 4, validity, count);
	else if (width == 8)
		fill(slots, 8, validity, count);
	else if (width == 16)
		fill(slots, 16, validity, count);
	else
		fill(slots, width, validity, count);
}

/* Room for as many bytes as the values have, which no encoding needs much more than. */
static void
reserve(const HzChunkInput *input, HzChunkDraft *draft, uint32_t width)
{
	hz_bytes_reserve(&draft->data, (size_t) input->values * width + input->vectors * (size_t) 64);
}

static inline bool
all_null(const HzChunkInput *input, uint32_t v)
{
	return input->zones[v].nulls == input->zones[v].rows;
}

/* Begins the piece of vector v with its validity; returns where the piece starts. */
static size_t
begin_piece(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v)
{
	uint32_t count = input->zones[v].rows;
	size_t start = draft->data.length;
	uint64_t words[HZ_VECTOR_ROWS / 64];

	if (input->zones[v].nulls == 0)
		return start;
	memcpy(words, hz_input_validity(input, v), HZ_BITMAP_WORDS(count) * sizeof(uint64_t));
	if (count % 64 != 0)
		words[count / 64] &= (UINT64_C(1) << count % 64) - 1;
	hz_bits_encode(words, count, &draft->data);
	draft->pieces[v].validity_length = (uint32_t) (draft->data.length - start);
	return start;
}

/* Closes a piece when its data are appended. */
static void
end_piece(HzChunkDraft *draft, uint32_t v, HzPieceMode mode, size_t start)
{
	HzChunkPiece *piece = &draft->pieces[v];

	piece->mode = mode;
	piece->data_length = (uint32_t) (draft->data.length - start) - piece->validity_length;
	piece->checksum = hz_checksum(draft->data.data + start, draft->data.length - start);
}

/* ---- integers ---- */

/* Values of a column widened. */
static void
widen_values(HzKind kind, const uint8_t *fixed, uint32_t count, int64_t *target)
{
	int8_t v8;
	int16_t v16;
	int32_t v32;

	if (kind == HZ_KIND_BOOL)
		for (uint32_t i = 0; i < count; i++)
			target[i] = fixed[i] != 0;
	else if (kind == HZ_KIND_INT8)
		for (uint32_t i = 0; i < count; i++)
		{
			memcpy(&v8, fixed + i, 1);
			target[i] = v8;
		}
	else if (kind == HZ_KIND_INT16)
		for (uint32_t i = 0; i < count; i++)
		{
			memcpy(&v16, fixed + (size_t) i * 2, 2);
			target[i] = v16;
		}
	else if (kind == HZ_KIND_INT32)
		for (uint32_t i = 0; i < count; i++)
		{
			memcpy(&v32, fixed + (size_t) i * 4, 4);
			target[i] = v32;
		}
	else
		memcpy(target, fixed, (size_t) count * 8);
}

const int64_t *
hz_input_integers(const HzChunkInput *input, uint32_t v, int64_t room[HZ_VECTOR_ROWS])
{
	const HzColumn *column = input->column;
	size_t first = (size_t) v * HZ_VECTOR_ROWS;
	const uint8_t *fixed;

	if (input->integers != NULL)
		return input->integers + first;
	fixed = (const uint8_t *) column->fixed + first * column->width;
	if (column->kind == HZ_KIND_INT64 && input->zones[v].nulls == 0 &&
		(uintptr_t) fixed % sizeof(int64_t) == 0)
		return (const int64_t *) (const void *) fixed;
	widen_values(column->kind, fixed, input->zones[v].rows, room);
	if (input->zones[v].nulls != 0)
		hz_fill_nulls(room, sizeof(int64_t), hz_input_validity(input, v), input->zones[v].rows);
	return room;
}

void
hz_draft_integers(HzChunkInput *input, HzChunkDraft *draft)
{
	int64_t room[HZ_VECTOR_ROWS];

	reserve(input, draft, input->column->width);
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		const int64_t *values;
		size_t start;

		if (all_null(input, v))
			continue;
		start = begin_piece(input, draft, v);
		values = hz_input_integers(input, v, room);
		if (input->options->ordered)
			hz_zone_integers(values, input->zones[v].rows, &input->zones[v]);
		hz_int_encode(values, input->zones[v].rows, &draft->data);
		end_piece(draft, v, HZ_PIECE_VALUES, start);
	}
}

void
hz_draft_decimals_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v,
						 const HzInt128 *values, uint16_t scale)
{
	uint32_t count = input->zones[v].rows;
	size_t start = begin_piece(input, draft, v);
	int64_t narrow[HZ_VECTOR_ROWS];
	bool fits = true;

	for (uint32_t i = 0; i < count; i++)
	{
		narrow[i] = (int64_t) values[i];
		fits &= narrow[i] == values[i];
	}
	if (fits)
		hz_int_encode(narrow, count, &draft->data);
	else
		hz_int128_encode(values, count, &draft->data);
	draft->pieces[v].scale = scale;
	end_piece(draft, v, fits ? HZ_PIECE_DECIMAL64 : HZ_PIECE_DECIMAL128, start);
}

/* ---- floats and fixed values ---- */

/* The values of vector v with nulls filled: those of the column, or a copy in `room`. */
static const uint8_t *
filled_values(const HzChunkInput *input, uint32_t v, uint8_t *room)
{
	uint32_t width = input->column->width;
	uint32_t count = input->zones[v].rows;
	const uint8_t *values =
		(const uint8_t *) input->column->fixed + (size_t) v * HZ_VECTOR_ROWS * width;

	if (input->zones[v].nulls == 0 && (uintptr_t) values % 8 == 0)
		return values;
	memcpy(room, values, (size_t) count * width);
	if (input->zones[v].nulls != 0)
		hz_fill_nulls(room, width, hz_input_validity(input, v), count);
	return room;
}

void
hz_draft_floats(HzChunkInput *input, HzChunkDraft *draft)
{
	uint32_t width = input->column->width;
	uint8_t *room = hz_alloc(HZ_VECTOR_ROWS * (size_t) width);

	reserve(input, draft, width);
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		const uint8_t *values;
		size_t start;

		if (all_null(input, v))
			continue;
		start = begin_piece(input, draft, v);
		values = filled_values(input, v, room);
		if (input->options->ordered)
			hz_zone_floats(values, width, input->zones[v].rows, &input->zones[v]);
		hz_float_encode(values, width, input->zones[v].rows, &draft->data);
		end_piece(draft, v, HZ_PIECE_VALUES, start);
	}
	hz_free(room);
}

void
hz_draft_fixed(const HzChunkInput *input, HzChunkDraft *draft)
{
	uint32_t width = input->column->width;
	uint8_t *room = hz_alloc(HZ_VECTOR_ROWS * (size_t) width);

	reserve(input, draft, width);
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		size_t start;

		if (all_null(input, v))
			continue;
		start = begin_piece(input, draft, v);
		hz_fixed_encode(filled_values(input, v, room), width, input->zones[v].rows, &draft->data);
		end_piece(draft, v, HZ_PIECE_VALUES, start);
	}
	hz_free(room);
}

/* ---- strings and arrays ---- */

void
hz_draft_strings_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v)
{
	const HzString *strings = input->column->strings + (size_t) v * HZ_VECTOR_ROWS;
	const uint64_t *validity = hz_input_validity(input, v);
	uint32_t count = input->zones[v].rows;
	uint64_t before = draft->frames.raw_total;
	size_t start = begin_piece(input, draft, v);
	int64_t lengths[HZ_VECTOR_ROWS];

	for (uint32_t i = 0; i < count; i++)
	{
		if (validity != NULL && !hz_bitmap_get(validity, i))
			continue;
		lengths[i] = (int64_t) strings[i].length;
		hz_frame_append(&draft->frames, strings[i].data, strings[i].length);
	}
	if (validity != NULL)
		hz_fill_nulls(lengths, sizeof(int64_t), validity, count);
	hz_int_encode(lengths, count, &draft->data);
	draft->pieces[v].payload = draft->frames.raw_total - before;
	end_piece(draft, v, HZ_PIECE_STRINGS, start);
}

void
hz_draft_strings(const HzChunkInput *input, HzChunkDraft *draft)
{
	for (uint32_t v = 0; v < input->vectors; v++)
		if (!all_null(input, v))
			hz_draft_strings_vector(input, draft, v);
	hz_frame_finish(&draft->frames);
}

bool
hz_draft_hex_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v)
{
	const HzString *strings = input->column->strings + (size_t) v * HZ_VECTOR_ROWS;
	const uint64_t *validity = hz_input_validity(input, v);
	uint32_t count = input->zones[v].rows;
	HzHexShape shape = {(HzHexForm) 0, 0};
	uint8_t values[HZ_VECTOR_ROWS * HZ_HEX_MAX_WIDTH];
	size_t start;

	for (uint32_t i = 0; i < count; i++)
	{
		if (validity != NULL && !hz_bitmap_get(validity, i))
			continue;
		if ((shape.width == 0 && !hz_hex_guess(strings[i].data, strings[i].length, &shape)) ||
			!hz_hex_pack(&shape, strings[i].data, strings[i].length,
						 values + (size_t) i * shape.width))
			return false;
	}
	if (validity != NULL)
		hz_fill_nulls(values, shape.width, validity, count);
	start = begin_piece(input, draft, v);
	hz_bytes_put8(&draft->data, (uint8_t) shape.form);
	hz_bytes_put8(&draft->data, (uint8_t) shape.width);
	hz_fixed_encode(values, shape.width, count, &draft->data);
	end_piece(draft, v, HZ_PIECE_HEX, start);
	return true;
}

void
hz_draft_counts_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v, int64_t *counts)
{
	uint32_t count = input->zones[v].rows;
	const uint64_t *validity = hz_input_validity(input, v);
	size_t start = begin_piece(input, draft, v);

	for (uint32_t i = 0; i < count; i++)
		if (validity == NULL || hz_bitmap_get(validity, i))
			draft->pieces[v].payload += (uint64_t) counts[i];
	if (validity != NULL)
		hz_fill_nulls(counts, sizeof(int64_t), validity, count);
	hz_int_encode(counts, count, &draft->data);
	end_piece(draft, v, HZ_PIECE_ARRAYS, start);
}

/* ---- dictionary codes ---- */

void
hz_draft_codes(const HzChunkInput *input, HzChunkDraft *draft, uint16_t *codes, uint32_t dict_count)
{
	int64_t bias = dict_count > HZ_CHUNK_BIASED_DICT ? HZ_CHUNK_BIASED_DICT : 0;
	int64_t wide[HZ_VECTOR_ROWS];

	reserve(input, draft, sizeof(uint16_t));
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		uint16_t *vector = codes + (size_t) v * HZ_VECTOR_ROWS;
		uint32_t count = input->zones[v].rows;
		size_t start;

		if (all_null(input, v))
			continue;
		start = begin_piece(input, draft, v);
		if (input->zones[v].nulls != 0)
			hz_fill_nulls(vector, sizeof(uint16_t), hz_input_validity(input, v), count);
		for (uint32_t i = 0; i < count; i++)
			wide[i] = (int64_t) vector[i] - bias;
		hz_int_encode(wide, count, &draft->data);
		end_piece(draft, v, HZ_PIECE_CODES, start);
	}
}
