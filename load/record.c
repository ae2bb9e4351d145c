/*
 * load/record.c
 *	  From a record of the input to a row of COPY.
 */
#include <stdarg.h>
#include <stdio.h>

#include "load/json.h"
#include "load/record.h"

/* Fields of a reject file before the record: file, line, SQLSTATE, reason. */
#define REJECT_FIELDS 4

void
hz_encoder_init(HzEncoder *encoder, const HzLayout *layout)
{
	size_t columns = (size_t) layout->column_count;
	size_t names = (size_t) layout->name_count;

	memset(encoder, 0, sizeof(*encoder));
	encoder->layout = layout;
	encoder->fields = hz_alloc_zero((columns + 1) * sizeof(HzField));
	encoder->seen = hz_alloc_zero((columns + 1) * sizeof(uint64_t));
	encoder->shape = hz_alloc_zero((columns + 1) * sizeof(int));
	encoder->expected = hz_alloc_zero((names + 1) * sizeof(int));
}

void
hz_encoder_free(HzEncoder *encoder)
{
	hz_free(encoder->fields);
	hz_free(encoder->seen);
	hz_free(encoder->shape);
	hz_free(encoder->expected);
	hz_free(encoder->unknown);
	hz_scratch_free(&encoder->scratch);
	hz_bytes_free(&encoder->record);
	memset(encoder, 0, sizeof(*encoder));
}

/* A reason goes to the server: whatever of the input it quotes must be text. */
static HzRecordStatus __attribute__((format(printf, 2, 3)))
bad(HzEncoder *encoder, const char *format, ...)
{
	va_list args;
	uint8_t *end;
	size_t n;

	va_start(args, format);
	vsnprintf(encoder->reason, sizeof(encoder->reason), format, args);
	va_end(args);
	end = (uint8_t *) encoder->reason + strlen(encoder->reason);
	for (uint8_t *p = (uint8_t *) encoder->reason; p < end; p += n)
	{
		n = hz_utf8_length(p, end);
		if (n == 0 || *p < 0x20)
		{
			*p = '?';
			n = 1;
		}
	}
	return HZ_RECORD_BAD;
}

bool
hz_record_trim(HzEncoder *encoder, const uint8_t **data, size_t *length)
{
	const uint8_t *p = *data;
	const uint8_t *end = p + *length;

	if (p < end && end[-1] == '\n')
		end--;
	if (p < end && end[-1] == '\r')
		end--;
	if (encoder->layout->rejects)
	{
		if (p == end || *p == '#')
			end = p;
		for (int i = 0; i < REJECT_FIELDS && p < end; i++)
		{
			p = memchr(p, '\t', (size_t) (end - p));
			if (p == NULL)
				return false;
			p++;
		}
		encoder->record.length = 0;
		hz_copytext_decode(&encoder->record, p, (size_t) (end - p));
		p = encoder->record.data;
		end = p + encoder->record.length;
	}
	*data = p;
	*length = (size_t) (end - p);
	return true;
}

/* ---- JSON */

/* The name of a key, or -1. `position` is the key's among those of its record. */
static int
find_key(HzEncoder *encoder, int position, const uint8_t *key, size_t length)
{
	const HzLayout *layout = encoder->layout;

	if (position < encoder->expected_count)
	{
		int guess = encoder->expected[position];

		if (layout->names[guess].length == length &&
			memcmp(layout->names[guess].name, key, length) == 0)
			return guess;
	}
	for (int i = 0; i < layout->name_count; i++)
	{
		if (layout->names[i].length == length && memcmp(layout->names[i].name, key, length) == 0)
		{
			if (position < layout->name_count)
			{
				encoder->expected[position] = i;
				if (encoder->expected_count <= position)
					encoder->expected_count = position + 1;
			}
			return i;
		}
	}
	return -1;
}

static HzRecordStatus
take_member(HzEncoder *encoder, int position, const HzField *key, const HzField *value)
{
	const HzLayout *layout = encoder->layout;
	HzBytes *content = &encoder->scratch.content;
	const uint8_t *data = key->data;
	size_t length = key->length;
	const char *reason;
	int name;
	int column;

	if (key->kind == HZ_FIELD_STRING)
	{
		content->length = 0;
		reason = hz_json_unescape(content, data, length, &layout->rules);
		if (reason != NULL)
			return bad(encoder, "%s", reason);
		data = content->data;
		length = content->length;
	}
	name = find_key(encoder, position, data, length);
	if (name < 0)
	{
		if (layout->ignore_unknown)
			return HZ_RECORD_ROW;
		hz_free(encoder->unknown);
		encoder->unknown = hz_alloc_zero(length + 1);
		memcpy(encoder->unknown, data, length);
		return bad(
			encoder,
			"no column takes the key \"%.*s\" (--map names one, --ignore-unknown leaves it out)",
			length < 64 ? (int) length : 64, (const char *) data);
	}
	column = layout->names[name].column;
	if (column == HZ_NAME_IGNORED)
		return HZ_RECORD_ROW;
	if (encoder->seen[column] == encoder->round)
		return bad(encoder, "column \"%s\" comes twice", layout->columns[column].name);
	encoder->seen[column] = encoder->round;
	encoder->fields[column] = *value;
	return HZ_RECORD_ROW;
}

/* A line that holds nothing but a bracket of an array around all rows. */
static bool
is_bracket(const uint8_t *p, const uint8_t *end)
{
	return (*p == '[' || *p == ']') && hz_json_skip_space(p + 1, end) == end;
}

static HzRecordStatus
parse_json(HzEncoder *encoder, const uint8_t *data, size_t length)
{
	const uint8_t *end = data + length;
	const uint8_t *p = hz_json_skip_space(data, end);
	const char *reason = NULL;
	HzField key;
	HzField value;

	if (p == end || is_bracket(p, end))
		return HZ_RECORD_BLANK;
	if (*p != '{')
		return bad(encoder, "the line is no JSON object");
	p = hz_json_skip_space(p + 1, end);
	for (int position = 0; p < end && *p != '}'; position++)
	{
		HzRecordStatus status;

		if (*p != '"')
			return bad(encoder, "a key is not in quotes");
		p = hz_json_value(p, end, &key, &reason);
		if (p != NULL)
		{
			p = hz_json_skip_space(p, end);
			if (p == end || *p != ':')
				return bad(encoder, "a key has no value");
			p = hz_json_value(p + 1, end, &value, &reason);
		}
		if (p == NULL)
			return bad(encoder, "%s", reason);
		status = take_member(encoder, position, &key, &value);
		if (status != HZ_RECORD_ROW)
			return status;
		p = hz_json_skip_space(p, end);
		if (p < end && *p == ',')
		{
			p = hz_json_skip_space(p + 1, end);
			if (p < end && *p == '}')
				return bad(encoder, "a comma ends the object");
		}
		else if (p < end && *p != '}')
			return bad(encoder, "text follows a value");
	}
	if (p == end)
		return bad(encoder, "the object has no end: is the line cut off?");
	p = hz_json_skip_space(p + 1, end);
	if (p < end && *p == ',')
		p = hz_json_skip_space(p + 1, end);
	if (p < end)
		return bad(encoder, "text follows the object");
	return HZ_RECORD_ROW;
}

/* ---- CSV and TSV */

static const uint8_t *
next_field(HzEncoder *encoder, const uint8_t *p, const uint8_t *end, HzField *field,
		   const char **reason)
{
	const HzLayout *layout = encoder->layout;

	if (layout->format == HZ_FORMAT_TSV)
		return hz_tsv_field(p, end, &layout->delimiters, field);
	return hz_csv_field(p, end, &layout->delimiters, field, reason);
}

static HzRecordStatus
parse_delimited(HzEncoder *encoder, const uint8_t *data, size_t length)
{
	const HzLayout *layout = encoder->layout;
	const uint8_t *p = data;
	const uint8_t *end = data + length;
	const char *reason = NULL;
	HzField field;
	int count = 0;

	if (length == 0 && layout->name_count != 1)
		return HZ_RECORD_BLANK;
	for (;;)
	{
		p = next_field(encoder, p, end, &field, &reason);
		if (p == NULL)
			return bad(encoder, "%s", reason);
		if (count < layout->name_count)
		{
			int column = layout->names[count].column;

			if (column != HZ_NAME_IGNORED)
			{
				encoder->seen[column] = encoder->round;
				encoder->fields[column] = field;
			}
		}
		count++;
		if (p == end)
			break;
		p++;
	}
	if (count != layout->name_count)
		return bad(encoder, "%d fields in place of %d", count, layout->name_count);
	return HZ_RECORD_ROW;
}

bool
hz_record_fields(HzEncoder *encoder, const uint8_t *data, size_t length,
				 void (*each)(void *arg, const uint8_t *name, size_t length), void *arg)
{
	HzBytes *content = &encoder->scratch.content;
	const uint8_t *p = data;
	const uint8_t *end = data + length;
	const char *reason;
	HzField field;

	for (;;)
	{
		p = next_field(encoder, p, end, &field, &reason);
		if (p == NULL)
			return false;
		content->length = 0;
		if (field.kind == HZ_FIELD_TSV)
			hz_tsv_unescape(content, field.data, field.length);
		else if (field.kind == HZ_FIELD_DOUBLED)
			hz_csv_undouble(content, field.data, field.length);
		else
			hz_bytes_append(content, field.data, field.length);
		each(arg, content->data, content->length);
		if (p == end)
			return true;
		p++;
	}
}

/* ---- Rows */

static HzRecordStatus
parse(HzEncoder *encoder, const uint8_t *data, size_t length)
{
	encoder->round++;
	if (!hz_record_trim(encoder, &data, &length))
		return bad(encoder, "the line is none of a reject file");
	if (encoder->layout->rejects && length == 0)
		return HZ_RECORD_BLANK;
	return encoder->layout->format == HZ_FORMAT_JSON ? parse_json(encoder, data, length)
													 : parse_delimited(encoder, data, length);
}

HzRecordStatus
hz_record_shape(HzEncoder *encoder, const uint8_t *data, size_t length)
{
	HzRecordStatus status = parse(encoder, data, length);

	if (status != HZ_RECORD_ROW)
		return status;
	encoder->shape_count = 0;
	for (int i = 0; i < encoder->layout->column_count; i++)
	{
		if (encoder->seen[i] == encoder->round)
			encoder->shape[encoder->shape_count++] = i;
	}
	if (encoder->shape_count == 0)
		return bad(encoder, "the line has no column of the table");
	return HZ_RECORD_ROW;
}

static bool
has_shape(const HzEncoder *encoder)
{
	int count = 0;

	for (int i = 0; i < encoder->layout->column_count; i++)
		count += encoder->seen[i] == encoder->round;
	if (count != encoder->shape_count)
		return false;
	for (int i = 0; i < encoder->shape_count; i++)
	{
		if (encoder->seen[encoder->shape[i]] != encoder->round)
			return false;
	}
	return true;
}

HzRecordStatus
hz_record_encode(HzEncoder *encoder, const uint8_t *data, size_t length, HzBytes *out)
{
	const HzLayout *layout = encoder->layout;
	HzRecordStatus status = parse(encoder, data, length);
	size_t before = out->length;

	if (status != HZ_RECORD_ROW)
		return status;
	if (!has_shape(encoder))
		return HZ_RECORD_OTHER;
	for (int i = 0; i < encoder->shape_count; i++)
	{
		const HzColumn *column = &layout->columns[encoder->shape[i]];
		const char *reason;

		if (i > 0)
			hz_bytes_put8(out, '\t');
		reason = hz_value_put(out, &encoder->fields[encoder->shape[i]], column, &layout->rules,
							  &encoder->scratch);
		if (reason != NULL)
		{
			out->length = before;
			return bad(encoder, "column \"%s\": %s", column->name, reason);
		}
	}
	hz_bytes_put8(out, '\n');
	return HZ_RECORD_ROW;
}
