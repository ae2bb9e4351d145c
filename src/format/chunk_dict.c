/*
 * format/chunk_dict.c
 *	  The dictionary of a chunk: to bytes and back.
 *
 * Integers, and the lengths of strings, are stored as encoded vectors of up to HZ_VECTOR_ROWS each with their length in
 * front; the bytes of strings and fixed values lie behind each other and are compressed where that saves.
 */
#ifndef FRONTEND
#include "postgres.h"
#endif

#include "format/chunk_internal.h"

/* ---- writing ---- */

static void
write_packed(const int64_t *values, uint32_t count, HzBytes *out)
{
	for (uint32_t first = 0; first < count; first += HZ_VECTOR_ROWS)
	{
		size_t		at = out->length;

		hz_bytes_put32(out, 0);
		hz_int_encode(values + first, hz_vector_rows(count, first / HZ_VECTOR_ROWS), out);
		hz_store32(out->data + at, (uint32_t) (out->length - at - 4));
	}
}

static void
write_lengths(const HzDistinct *distinct, HzBytes *out)
{
	int64_t    *lengths = hz_alloc(distinct->count * sizeof(int64_t));

	for (uint32_t i = 0; i < distinct->count; i++)
		lengths[i] = (int64_t) distinct->strings[i].length;
	write_packed(lengths, distinct->count, out);
	hz_free(lengths);
}

static void
write_strings(const HzChunkInput *input, const HzDistinct *distinct, HzChunkDict *dict, HzBytes *out)
{
	HzBytes		raw = {NULL, 0, 0};
	size_t		start = out->length;

	hz_bytes_reserve(&raw, distinct->bytes + 1);
	for (uint32_t i = 0; i < distinct->count; i++)
		hz_bytes_append(&raw, distinct->strings[i].data, distinct->strings[i].length);
	dict->codec = hz_frame_compress(input->options->codec, input->options->level, raw.data, raw.length, out);
	dict->raw_length = (uint32_t) raw.length;
	dict->stored_length = (uint32_t) (out->length - start);
	hz_bytes_free(&raw);
}

void
hz_dict_write(const HzChunkInput *input, const HzDistinct *distinct, uint16_t scale, HzChunkDraft *draft)
{
	HzChunkDict *dict = &draft->dict;
	HzBytes    *out = &draft->dict_bytes;

	dict->count = distinct->count;
	dict->scale = scale;
	dict->codec = HZ_CODEC_NONE;
	dict->form = distinct->integers != NULL ? HZ_DICT_INTEGERS :
		input->column->kind == HZ_KIND_FIXED ? HZ_DICT_FIXED : HZ_DICT_STRINGS;
	if (dict->form == HZ_DICT_INTEGERS)
		write_packed(distinct->integers, distinct->count, out);
	if (dict->form == HZ_DICT_STRINGS)
		write_lengths(distinct, out);
	dict->packed_length = (uint32_t) out->length;
	if (dict->form != HZ_DICT_INTEGERS)
		write_strings(input, distinct, dict, out);
	dict->checksum = hz_checksum(out->data, out->length);
}

/* ---- reading ---- */

/* Decodes `count` integers into slots of `width` bytes; target has room for whole vectors. */
static HzStatus
read_packed(const HzChunkDict *dict, const uint8_t *bytes, uint32_t width, uint8_t *target)
{
	HzCursor	cursor = hz_cursor(bytes, dict->packed_length);

	for (uint32_t first = 0; first < dict->count; first += HZ_VECTOR_ROWS)
	{
		uint32_t	length = hz_cursor_get32(&cursor);
		const uint8_t *piece = hz_cursor_take(&cursor, length);
		HzStatus	status;

		if (piece == NULL)
			return HZ_CORRUPT;
		status = hz_int_decode(piece, length, hz_vector_rows(dict->count, first / HZ_VECTOR_ROWS), width,
							   target + (size_t) first * width);
		if (status != HZ_OK)
			return status;
	}
	return hz_cursor_left(&cursor) == 0 ? HZ_OK : HZ_CORRUPT;
}

/* Room for count slots, rounded up to whole vectors as the decoders want it. */
static void *
alloc_slots(uint32_t count, uint32_t width)
{
	return hz_alloc((size_t) hz_vector_count(count) * HZ_VECTOR_ROWS * width);
}

static HzStatus
read_raw(const HzChunkDict *dict, const uint8_t *stored, uint8_t *target)
{
	if (dict->codec != HZ_CODEC_NONE && dict->raw_length > 0)
		return hz_decompress(dict->codec, stored, dict->stored_length, target, dict->raw_length);
	if (dict->stored_length != dict->raw_length)
		return HZ_CORRUPT;
	memcpy(target, stored, dict->raw_length);
	return HZ_OK;
}

static HzStatus
cut_strings(const HzChunkDict *dict, const int32_t *lengths, const uint8_t *bytes, HzString *strings)
{
	uint64_t	left = dict->raw_length;

	for (uint32_t i = 0; i < dict->count; i++)
	{
		if (lengths[i] < 0 || (uint64_t) lengths[i] > left)
			return HZ_CORRUPT;
		strings[i].data = bytes;
		strings[i].length = (uint64_t) lengths[i];
		bytes += lengths[i];
		left -= (uint64_t) lengths[i];
	}
	return left == 0 ? HZ_OK : HZ_CORRUPT;
}

static HzStatus
read_strings(const HzChunkDict *dict, const uint8_t *bytes, HzDictValues *values)
{
	int32_t    *lengths = alloc_slots(dict->count, sizeof(int32_t));
	HzStatus	status = read_packed(dict, bytes, sizeof(int32_t), (uint8_t *) lengths);

	if (status == HZ_OK)
	{
		values->bytes = hz_alloc(dict->raw_length + 1);
		values->values = hz_alloc(dict->count * sizeof(HzString));
		status = read_raw(dict, bytes + dict->packed_length, values->bytes);
	}
	if (status == HZ_OK)
		status = cut_strings(dict, lengths, values->bytes, values->values);
	hz_free(lengths);
	return status;
}

HzStatus
hz_dict_read(const HzChunkHead *head, const uint8_t *bytes, HzDictValues *values)
{
	const HzChunkDict *dict = &head->dict;
	HzStatus	status = HZ_CORRUPT;

	memset(values, 0, sizeof(*values));
	switch (dict->form)
	{
		case HZ_DICT_INTEGERS:
			values->slot_width = head->kind == HZ_KIND_NUMERIC ? 8 : head->width;
			values->values = alloc_slots(dict->count, values->slot_width);
			status = read_packed(dict, bytes, values->slot_width, values->values);
			break;
		case HZ_DICT_FIXED:
			values->slot_width = head->width;
			values->values = hz_alloc(dict->raw_length);
			status = read_raw(dict, bytes, values->values);
			break;
		case HZ_DICT_STRINGS:
			values->slot_width = sizeof(HzString);
			status = read_strings(dict, bytes, values);
			break;
	}
	if (status != HZ_OK)
		hz_dict_free(values);
	return status;
}

void
hz_dict_free(HzDictValues *values)
{
	hz_free(values->values);
	hz_free(values->bytes);
	memset(values, 0, sizeof(*values));
}
