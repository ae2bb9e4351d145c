/*
 * format/chunk_dict.c
 *	  The dictionary of a chunk: to bytes and back.
 *
 * Integers, and the lengths of strings, are packed: groups of up to HZ_VECTOR_ROWS are encoded as vectors, with two
 * words in front, the length of the encoded group and the sum of its values (lengths only; else 0), so that one
 * entry can be found by decoding one group. The bytes of strings and fixed values are in frames behind those of the
 * vectors' strings. Strings of hexadecimal digits are fixed values there, whose shape is what is packed.
 */
#include "format/chunk_internal.h"

#define GROUP_HEADER 8

#define HEX_ENTRIES 64 /* fewer entries are not worth a form of their own */

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

bool
hz_dict_is_hex(const HzChunkInput *input, const HzDistinct *distinct, HzHexShape *shape)
{
	uint8_t bytes[HZ_HEX_MAX_WIDTH];

	if (input->column->kind != HZ_KIND_BYTES || distinct->count < HEX_ENTRIES ||
		!hz_hex_guess(distinct->strings[0].data, distinct->strings[0].length, shape))
		return false;
	for (uint32_t i = 0; i < distinct->count; i++)
		if (!hz_hex_pack(shape, distinct->strings[i].data, distinct->strings[i].length, bytes))
			return false;
	return true;
}

/* Digits in ascending order, of one length and with dashes in the same places, are bytes in ascending order. */
static void
write_hex(const HzDistinct *distinct, const HzHexShape *shape, HzChunkDraft *draft)
{
	uint8_t bytes[HZ_HEX_MAX_WIDTH];

	hz_bytes_put8(&draft->dict_bytes, (uint8_t) shape->form);
	hz_bytes_put8(&draft->dict_bytes, (uint8_t) shape->width);
	for (uint32_t i = 0; i < distinct->count; i++)
	{
		(void) hz_hex_pack(shape, distinct->strings[i].data, distinct->strings[i].length, bytes);
		hz_frame_append(&draft->frames, bytes, shape->width);
	}
	draft->dict.raw_length = distinct->count * shape->width;
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
	HzHexShape shape;

	dict->count = distinct->count;
	dict->scale = scale;
	dict->form = distinct->integers != NULL                ? HZ_DICT_INTEGERS
				 : input->column->kind == HZ_KIND_FIXED    ? HZ_DICT_FIXED
				 : hz_dict_is_hex(input, distinct, &shape) ? HZ_DICT_HEX
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
			write_hex(distinct, &shape, draft);
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

HzStatus
hz_dict_hex_shape(const HzChunkDict *dict, const uint8_t *packed, HzHexShape *shape)
{
	shape->form = (HzHexForm) packed[0];
	shape->width = packed[1];
	return hz_hex_is_shape(shape) && (uint64_t) dict->count * shape->width == dict->raw_length
			   ? HZ_OK
			   : HZ_CORRUPT;
}

static HzStatus
read_hex(const HzChunkHead *head, const uint8_t *packed, const HzSource *source,
		 HzDictValues *values)
{
	const HzChunkDict *dict = &head->dict;
	HzHexShape shape;
	HzString *strings;
	uint8_t *bytes;
	uint32_t length;
	HzStatus status = hz_dict_hex_shape(dict, packed, &shape);

	if (status != HZ_OK)
		return status;
	length = hz_hex_length(&shape);
	bytes = hz_alloc(dict->raw_length);
	values->bytes = hz_alloc((size_t) dict->count * length);
	values->values = strings = hz_alloc(dict->count * sizeof(HzString));
	status = read_raw(head, source, bytes);
	if (status == HZ_OK)
		hz_hex_unpack(&shape, bytes, dict->count, values->bytes);
	for (uint32_t i = 0; i < dict->count; i++)
		strings[i] = (HzString){.data = values->bytes + (size_t) i * length, .length = length};
	hz_free(bytes);
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
			  uint64_t *position, uint64_t *length)
{
	const HzChunkDict *dict = &head->dict;
	Group group;
	HzHexShape shape = {.width = head->width};
	HzStatus status = HZ_OK;

	if (dict->form == HZ_DICT_HEX)
		status = hz_dict_hex_shape(dict, packed, &shape);
	*length = shape.width;
	*position = dict->raw_start + (uint64_t) code * shape.width;
	if (status != HZ_OK || dict->form != HZ_DICT_STRINGS)
		return status;
	if (!find_group(dict, packed, code, &group, position))
		return HZ_CORRUPT;
	status =
		hz_int_decode(group.bytes, group.length, hz_vector_rows(dict->count, code / HZ_VECTOR_ROWS),
					  sizeof(int32_t), lengths);
	if (status != HZ_OK)
		return status;
	*position += dict->raw_start;
	for (uint32_t i = 0; i < code % HZ_VECTOR_ROWS; i++)
		*position += (uint32_t) lengths[i];
	if (lengths[code % HZ_VECTOR_ROWS] < 0)
		return HZ_CORRUPT;
	*length = (uint32_t) lengths[code % HZ_VECTOR_ROWS];
	if (*position > dict->raw_start + dict->raw_length ||
		*length > dict->raw_start + dict->raw_length - *position)
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
