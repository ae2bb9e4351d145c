/*
 * format/chunk_dict.c
 *	  The dictionary of a chunk: to bytes and back.
 *
 * Integers, and the lengths of strings, are packed: groups of up to HZ_VECTOR_ROWS are encoded as vectors, with two
 * words in front, the length of the encoded group and the sum of its values (lengths only; else 0), so that one
 * entry can be found by decoding one group. The bytes of strings and fixed values are in frames behind those of the
 * vectors' strings. Where many strings are hexadecimal digits, those are the bytes that they stand for; with the lengths of what is
 * stored, the form of each entry is packed then.
 */
#include "format/chunk_internal.h"

#define GROUP_HEADER 8

#define HEX_ENTRIES 64 /* fewer digits are not worth a form of their own, */
#define HEX_SHARE 2    /* nor is less than this part of the entries */
#define FORM_BITS 2    /* of an entry, below the length of what is stored; 0: the string itself */

/* Digits in order share what they begin with. They are compressed where that saves a third: without a codec they are found sooner. */
#define HEX_SAMPLE_BYTES 65536
#define HEX_SAVED 3

/* ---- writing ---- */

static void
write_group(const int64_t *values, uint32_t count, uint32_t sum, HzBytes *out)
{
	size_t at = out->length;

	hz_bytes_put32(out, 0);
	hz_bytes_put32(out, sum);
	hz_int_encode(values, count, out);
	hz_store32(out->data + at, (uint32_t) (out->length - at - GROUP_HEADER));
}

static void
write_lengths(const HzDistinct *distinct, HzBytes *out)
{
	int64_t lengths[HZ_VECTOR_ROWS];

	for (uint32_t first = 0; first < distinct->count; first += HZ_VECTOR_ROWS)
	{
		uint32_t count = hz_vector_rows(distinct->count, first / HZ_VECTOR_ROWS);
		uint32_t sum = 0;

		for (uint32_t i = 0; i < count; i++)
		{
			lengths[i] = (int64_t) distinct->strings[first + i].length;
			sum += (uint32_t) lengths[i];
		}
		write_group(lengths, count, sum, out);
	}
}

/* ---- hexadecimal digits ---- */

/* An entry as it is stored: bytes of its own, or those that the digits stand for. */
static HzString
stored_form(const HzString *string, HzHexForm *form, uint8_t *room)
{
	HzHexShape shape;

	*form = (HzHexForm) 0;
	if (!hz_hex_guess(string->data, string->length, &shape) ||
		!hz_hex_pack(&shape, string->data, string->length, room))
		return *string;
	*form = shape.form;
	return (HzString){.data = room, .length = shape.width};
}

bool
hz_dict_is_hex(const HzChunkInput *input, const HzDistinct *distinct, uint64_t *size)
{
	uint8_t room[HZ_HEX_MAX_WIDTH];
	uint32_t digits = 0;

	*size = 0;
	if (input->column->kind != HZ_KIND_BYTES || distinct->count < HEX_ENTRIES)
		return false;
	for (uint32_t i = 0; i < distinct->count; i++)
	{
		HzHexForm form;

		*size += stored_form(&distinct->strings[i], &form, room).length;
		digits += form != 0;
	}
	return digits >= HEX_ENTRIES && digits >= distinct->count / HEX_SHARE;
}

static bool
is_worth_compressing(const HzFrameWriter *frames, const HzBytes *bytes)
{
	size_t length = bytes->length < HEX_SAMPLE_BYTES ? bytes->length : HEX_SAMPLE_BYTES;
	HzBytes stored = {NULL, 0, 0};
	bool worth = hz_frame_compress(frames->codec, frames->level, bytes->data, length, &stored) !=
					 HZ_CODEC_NONE &&
				 stored.length <= length - length / HEX_SAVED;

	hz_bytes_free(&stored);
	return worth;
}

/* The groups of forms and stored lengths. */
static void
write_forms(const int64_t *packed, uint32_t total, HzBytes *out)
{
	for (uint32_t first = 0; first < total; first += HZ_VECTOR_ROWS)
	{
		uint32_t count = hz_vector_rows(total, first / HZ_VECTOR_ROWS);
		uint32_t sum = 0;

		for (uint32_t i = first; i < first + count; i++)
			sum += (uint32_t) (packed[i] >> FORM_BITS);
		write_group(packed + first, count, sum, out);
	}
}

static void
write_hex(const HzDistinct *distinct, HzChunkDraft *draft)
{
	int64_t *packed = hz_alloc(sizeof(int64_t) * distinct->count);
	HzBytes bytes = {NULL, 0, 0};
	const uint8_t *stored;

	for (uint32_t i = 0; i < distinct->count; i++)
	{
		uint8_t room[HZ_HEX_MAX_WIDTH];
		HzHexForm form;
		HzString entry = stored_form(&distinct->strings[i], &form, room);

		packed[i] = (int64_t) (entry.length << FORM_BITS | (uint64_t) form);
		hz_bytes_append(&bytes, entry.data, entry.length);
	}
	write_forms(packed, distinct->count, &draft->dict_bytes);
	if (!is_worth_compressing(&draft->frames, &bytes))
		draft->frames.codec = HZ_CODEC_NONE;
	stored = bytes.data;
	for (uint32_t i = 0; i < distinct->count; stored += packed[i++] >> FORM_BITS)
		hz_frame_append(&draft->frames, stored, (size_t) (packed[i] >> FORM_BITS));
	draft->dict.raw_length = (uint32_t) bytes.length;
	hz_bytes_free(&bytes);
	hz_free(packed);
}

static void
write_strings(const HzDistinct *distinct, HzChunkDraft *draft)
{
	for (uint32_t i = 0; i < distinct->count; i++)
		hz_frame_append(&draft->frames, distinct->strings[i].data, distinct->strings[i].length);
	draft->dict.raw_length = (uint32_t) distinct->bytes;
}

void
hz_dict_write(const HzChunkInput *input, const HzDistinct *distinct, uint16_t scale,
			  HzChunkDraft *draft)
{
	HzChunkDict *dict = &draft->dict;
	HzBytes *out = &draft->dict_bytes;
	uint64_t size;

	dict->count = distinct->count;
	dict->scale = scale;
	dict->form = distinct->integers != NULL               ? HZ_DICT_INTEGERS
				 : input->column->kind == HZ_KIND_FIXED   ? HZ_DICT_FIXED
				 : hz_dict_is_hex(input, distinct, &size) ? HZ_DICT_HEX
														  : HZ_DICT_STRINGS;
	if (dict->form == HZ_DICT_INTEGERS)
		for (uint32_t first = 0; first < distinct->count; first += HZ_VECTOR_ROWS)
			write_group(distinct->integers + first,
						hz_vector_rows(distinct->count, first / HZ_VECTOR_ROWS), 0, out);
	else
	{
		if (dict->form == HZ_DICT_STRINGS)
			write_lengths(distinct, out);
		if (dict->form == HZ_DICT_HEX)
			write_hex(distinct, draft);
		else
			write_strings(distinct, draft);
		hz_frame_finish(&draft->frames);
	}
	dict->packed_length = (uint32_t) out->length;
	dict->checksum = hz_checksum(out->data, out->length);
}

/* ---- reading ---- */

typedef struct Group
{
	const uint8_t *bytes;
	uint32_t length;
	uint32_t sum;
} Group;

static bool
next_group(HzCursor *cursor, Group *group)
{
	group->length = hz_cursor_get32(cursor);
	group->sum = hz_cursor_get32(cursor);
	group->bytes = hz_cursor_take(cursor, group->length);
	return group->bytes != NULL;
}

/* Decodes all integers into slots of `width` bytes; target has room for whole vectors. */
static HzStatus
read_packed(const HzChunkDict *dict, const uint8_t *packed, uint32_t width, uint8_t *target)
{
	HzCursor cursor = hz_cursor(packed, dict->packed_length);
	Group group;

	for (uint32_t first = 0; first < dict->count; first += HZ_VECTOR_ROWS)
	{
		HzStatus status = HZ_CORRUPT;

		if (next_group(&cursor, &group))
			status = hz_int_decode(group.bytes, group.length,
								   hz_vector_rows(dict->count, first / HZ_VECTOR_ROWS), width,
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

/* Reads the frames with the bytes of the values, which lie behind each other. */
static HzStatus
read_raw(const HzChunkHead *head, const HzSource *source, uint8_t *target)
{
	HzBytes stored = {NULL, 0, 0};
	HzStatus status = HZ_OK;

	for (uint32_t f = head->dict.first_frame; f < head->frame_count && status == HZ_OK; f++)
	{
		status = hz_frame_read(source, &head->frames[f], &stored, target);
		target += head->frames[f].raw_length;
	}
	hz_bytes_free(&stored);
	return status;
}

static HzStatus
cut_strings(const HzChunkDict *dict, const int32_t *lengths, const uint8_t *bytes,
			HzString *strings)
{
	uint64_t left = dict->raw_length;

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
read_strings(const HzChunkHead *head, const uint8_t *packed, const HzSource *source,
			 HzDictValues *values)
{
	const HzChunkDict *dict = &head->dict;
	int32_t *lengths = alloc_slots(dict->count, sizeof(int32_t));
	HzStatus status = read_packed(dict, packed, sizeof(int32_t), (uint8_t *) lengths);

	if (status == HZ_OK)
	{
		values->bytes = hz_alloc(dict->raw_length + (size_t) 1);
		values->values = hz_alloc(dict->count * sizeof(HzString));
		status = cut_strings(dict, lengths, values->bytes, values->values);
	}
	if (status == HZ_OK)
		status = read_raw(head, source, values->bytes);
	hz_free(lengths);
	return status;
}

/* Takes a packed entry apart; false: it is none. */
static bool
split_packed(int32_t packed, uint32_t *length, HzHexShape *shape)
{
	*length = (uint32_t) packed >> FORM_BITS;
	shape->form = (HzHexForm) (packed & ((1 << FORM_BITS) - 1));
	shape->width = *length;
	return packed >= 0 && (shape->form == 0 || hz_hex_is_shape(shape));
}

/* The bytes that all entries of form HEX will have as strings; checks them. */
static HzStatus
measure_hex(const HzChunkDict *dict, const int32_t *packed, size_t *bytes)
{
	uint64_t stored = 0;

	*bytes = 0;
	for (uint32_t i = 0; i < dict->count; i++)
	{
		HzHexShape shape;
		uint32_t length;

		if (!split_packed(packed[i], &length, &shape))
			return HZ_CORRUPT;
		stored += length;
		*bytes += shape.form == 0 ? length : hz_hex_length(&shape);
	}
	return stored == dict->raw_length ? HZ_OK : HZ_CORRUPT;
}

/* The strings that stored bytes stand for, in `text`. */
static void
unpack_hex(const HzChunkDict *dict, const int32_t *packed, const uint8_t *stored, uint8_t *text,
		   HzString *strings)
{
	for (uint32_t i = 0; i < dict->count; i++)
	{
		HzHexShape shape;
		uint32_t length;

		(void) split_packed(packed[i], &length, &shape);
		strings[i] = (HzString){.data = text, .length = length};
		if (shape.form == 0 && length > 0)
			memcpy(text, stored, length);
		else if (shape.form != 0)
		{
			hz_hex_unpack(&shape, stored, 1, text);
			strings[i].length = hz_hex_length(&shape);
		}
		stored += length;
		text += strings[i].length;
	}
}

static HzStatus
read_hex(const HzChunkHead *head, const uint8_t *packed, const HzSource *source,
		 HzDictValues *values)
{
	const HzChunkDict *dict = &head->dict;
	int32_t *forms = alloc_slots(dict->count, sizeof(int32_t));
	uint8_t *stored = NULL;
	size_t bytes;
	HzStatus status = read_packed(dict, packed, sizeof(int32_t), (uint8_t *) forms);

	if (status == HZ_OK)
		status = measure_hex(dict, forms, &bytes);
	if (status == HZ_OK)
	{
		stored = hz_alloc(dict->raw_length + (size_t) 1);
		values->bytes = hz_alloc(bytes + 1);
		values->values = hz_alloc(dict->count * sizeof(HzString));
		status = read_raw(head, source, stored);
	}
	if (status == HZ_OK)
		unpack_hex(dict, forms, stored, values->bytes, values->values);
	hz_free(stored);
	hz_free(forms);
	return status;
}

bool
hz_dict_has_strings(const HzChunkDict *dict)
{
	return dict->form == HZ_DICT_STRINGS || dict->form == HZ_DICT_HEX;
}

uint32_t
hz_dict_slot_width(const HzChunkHead *head)
{
	return hz_dict_has_strings(&head->dict) ? sizeof(HzString)
		   : head->kind == HZ_KIND_NUMERIC  ? sizeof(int64_t)
											: head->width;
}

static bool
are_bools(const uint8_t *values, uint32_t count)
{
	uint8_t all = 0;

	for (uint32_t i = 0; i < count; i++)
		all |= values[i];
	return all <= 1;
}

HzStatus
hz_dict_read(const HzChunkHead *head, const uint8_t *packed, const HzSource *source,
			 HzDictValues *values)
{
	const HzChunkDict *dict = &head->dict;
	/* *values is set only when all is read: the source may throw, and whoever catches may come again */
	HzDictValues read = {.slot_width = hz_dict_slot_width(head)};
	HzStatus status = HZ_CORRUPT;

	switch (dict->form)
	{
		case HZ_DICT_INTEGERS:
			read.values = alloc_slots(dict->count, read.slot_width);
			status = read_packed(dict, packed, read.slot_width, read.values);
			if (status == HZ_OK && head->kind == HZ_KIND_BOOL &&
				!are_bools(read.values, dict->count))
				status = HZ_CORRUPT;
			break;
		case HZ_DICT_FIXED:
			read.values = hz_alloc(dict->raw_length);
			status = read_raw(head, source, read.values);
			break;
		case HZ_DICT_STRINGS:
			status = read_strings(head, packed, source, &read);
			break;
		case HZ_DICT_HEX:
			status = read_hex(head, packed, source, &read);
			break;
	}
	if (status == HZ_OK)
		*values = read;
	else
		hz_dict_free(&read);
	return status;
}

/* ---- reading one entry ---- */

/* The group of an entry; *before: the sum of the groups before it. */
static bool
find_group(const HzChunkDict *dict, const uint8_t *packed, uint32_t code, Group *group,
		   uint64_t *before)
{
	HzCursor cursor = hz_cursor(packed, dict->packed_length);
	bool found = next_group(&cursor, group);

	*before = 0;
	for (uint32_t g = 0; g < code / HZ_VECTOR_ROWS && found; g++)
	{
		*before += group->sum;
		found = next_group(&cursor, group);
	}
	return found;
}

HzStatus
hz_dict_integer(const HzChunkHead *head, const uint8_t *packed, uint32_t code, void *slot)
{
	const HzChunkDict *dict = &head->dict;
	Group group;
	uint64_t before;
	int64_t value;
	HzStatus status;

	if (!find_group(dict, packed, code, &group, &before))
		return HZ_CORRUPT;
	status =
		hz_int_value(group.bytes, group.length, hz_vector_rows(dict->count, code / HZ_VECTOR_ROWS),
					 code % HZ_VECTOR_ROWS, &value);
	if (status != HZ_OK)
		return status;
	return hz_narrow(head->kind, hz_dict_slot_width(head), value, slot) ? HZ_OK : HZ_CORRUPT;
}

HzStatus
hz_dict_place(const HzChunkHead *head, const uint8_t *packed, uint32_t code, int32_t *lengths,
			  HzDictPlace *place)
{
	const HzChunkDict *dict = &head->dict;
	uint32_t bits = dict->form == HZ_DICT_HEX ? FORM_BITS : 0;
	Group group;
	HzStatus status;

	place->shape = (HzHexShape){(HzHexForm) 0, 0};
	place->length = head->width;
	place->position = dict->raw_start + (uint64_t) code * head->width;
	if (dict->form == HZ_DICT_FIXED)
		return HZ_OK;
	if (!find_group(dict, packed, code, &group, &place->position))
		return HZ_CORRUPT;
	status =
		hz_int_decode(group.bytes, group.length, hz_vector_rows(dict->count, code / HZ_VECTOR_ROWS),
					  sizeof(int32_t), lengths);
	if (status != HZ_OK)
		return status;
	place->position += dict->raw_start;
	for (uint32_t i = 0; i < code % HZ_VECTOR_ROWS; i++)
		place->position += (uint32_t) lengths[i] >> bits;
	if (lengths[code % HZ_VECTOR_ROWS] < 0)
		return HZ_CORRUPT;
	place->length = (uint32_t) lengths[code % HZ_VECTOR_ROWS];
	if (dict->form == HZ_DICT_HEX &&
		!split_packed(lengths[code % HZ_VECTOR_ROWS], &place->length, &place->shape))
		return HZ_CORRUPT;
	if (place->position > dict->raw_start + dict->raw_length ||
		place->length > dict->raw_start + dict->raw_length - place->position)
		return HZ_CORRUPT;
	return HZ_OK;
}

void
hz_dict_free(HzDictValues *values)
{
	hz_free(values->values);
	hz_free(values->bytes);
	memset(values, 0, sizeof(*values));
}
