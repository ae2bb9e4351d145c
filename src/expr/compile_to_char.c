/*
 * expr/compile_to_char.c
 *	  Formats of to_char() that have a kernel, see vexpr_to_char.c.
 *
 * YYYY, MM, DD, HH24, MI and SS, in capitals or not, and digits and signs between them, alone or in quotation marks: none of it depends on a
 * locale. parse_format() of PostgreSQL's formatting.c takes the longest keyword at each place; all that begin with one of these six are
 * told apart by the next character, which is no letter here but the first of another of them.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "expr/compile_internal.h"

typedef struct Field
{
	const char *name;
	HzTimeField field;
} Field;

static const Field fields[] = {
	{"YYYY", HZ_FIELD_YEAR}, {"MM", HZ_FIELD_MONTH},  {"DD", HZ_FIELD_DAY},
	{"HH24", HZ_FIELD_HOUR}, {"MI", HZ_FIELD_MINUTE}, {"SS", HZ_FIELD_SECOND},
};

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Whether `text` begins with a name, all in capitals or none. */
static bool
begins_with(const char *text, const char *name)
{
	bool upper = true;
	bool lower = true;

	for (; *name != '\0'; name++, text++)
	{
		upper = upper && *text == *name;
		lower = lower && *text == pg_ascii_tolower((unsigned char) *name);
	}
	return upper || lower;
}

static const Field *
field_at(const char *text)
{
	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		if (begins_with(text, fields[i].name))
			return &fields[i];
	}
	return NULL;
}

/* What means itself outside of quotation marks. */
static bool
is_sign(char c)
{
	return c != '\0' && strchr(" -:/.,;_+()0123456789", c) != NULL;
}

/* Copies what is between quotation marks, letters and signs; returns its length in the format, 0: something else is there. */
static int
quoted(const char *text, char *out, int *length)
{
	int i = 1;

	for (; is_letter(text[i]) || is_sign(text[i]); i++)
		out[(*length)++] = text[i];
	return text[i] == '"' ? i + 1 : 0;
}

/* The format as fields and characters; the length, 0: it has no kernel. *finest: its field of the shortest time. */
static int
parse_format(const char *text, char *out, HzTimeField *finest)
{
	char last = '\0'; /* letter of the field before this place */
	int length = 0;
	bool any = false;

	while (*text != '\0')
	{
		const Field *field = field_at(text);
		int taken = 1;

		/* "DDD", "SSSS", "YYYYY" */
		if (field != NULL && pg_ascii_toupper((unsigned char) *text) == last)
			return 0;
		last = '\0';
		if (field != NULL)
		{
			taken = (int) strlen(field->name);
			last = field->name[taken - 1];
			out[length++] = (char) (HZ_FORMAT_FIELD + (int) field->field);
			/* fields are in the order of their lengths, seconds first */
			if (!any || field->field < *finest)
				*finest = field->field;
			any = true;
		}
		else if (*text == '"')
			taken = quoted(text, out, &length);
		else if (is_sign(*text))
			out[length++] = *text;
		else
			return 0;
		if (taken == 0)
			return 0;
		text += taken;
	}
	return any ? length : 0;
}

bool
hz_format_fields(const Const *format, HzFormatFields *fields)
{
	HzVexpr node = {0};
	HzTimeField finest;
	const HzString *parsed;

	memset(fields, 0, sizeof(HzFormatFields));
	if (!hz_compile_format(format, &node, &finest))
		return false;
	parsed = node.constant.values;
	for (uint64 i = 0; i < parsed->length; i++)
	{
		int field = parsed->data[i] - HZ_FORMAT_FIELD;

		fields->year |= field == HZ_FIELD_YEAR;
		fields->month |= field == HZ_FIELD_MONTH;
		fields->day |= field == HZ_FIELD_DAY;
		fields->hour |= field == HZ_FIELD_HOUR;
		fields->minute |= field == HZ_FIELD_MINUTE;
		fields->second |= field == HZ_FIELD_SECOND;
	}
	return true;
}

bool
hz_compile_format(const Const *format, HzVexpr *node, HzTimeField *finest)
{
	text *value = DatumGetTextPP(format->constvalue);
	HzString *string;
	char *out;
	int length;

	if (VARSIZE_ANY_EXHDR(value) > HZ_FORMAT_MAX)
		return false;
	out = palloc(HZ_FORMAT_MAX);
	length = parse_format(text_to_cstring(value), out, finest);
	if (length == 0)
		return false;
	string = palloc(sizeof(HzString));
	string->data = (const uint8 *) out;
	string->length = length;
	node->constant.values = string;
	return true;
}
