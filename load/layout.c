/*
 * load/layout.c
 *	  What a file is: its format, by what the command line says, its name and its first bytes, and where its fields go.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "load/json.h"
#include "load/layout.h"
#include "load/message.h"

#define REJECT_MAGIC "#" HZ_PROGRAM " rejects 1\t"

typedef struct Builder
{
	HzLayout *layout;
	HzReader *reader;
	const HzTarget *target;
	const HzOptions *options;
	HzHeader header;
	HzList names; /* of the fields, as the file has them */
	HzList types;
} Builder;

static void
list_put(HzList *list, const uint8_t *data, size_t length)
{
	list->items = hz_realloc(list->items, ((size_t) list->count + 1) * sizeof(char *));
	list->items[list->count++] = strndup((const char *) data, length);
}

static void
collect(void *arg, const uint8_t *data, size_t length)
{
	list_put(arg, data, length);
}

static bool
starts_with(const HzBytes *bytes, const char *text)
{
	size_t length = strlen(text);

	return bytes->length >= length && memcmp(bytes->data, text, length) == 0;
}

/* ---- Names */

/* The column for a field of this name: a number, HZ_NAME_IGNORED, or -2 where there is none. */
static int
column_of(const Builder *b, const char *name)
{
	const HzOptions *options = b->options;

	for (int i = 0; i < options->map_from.count; i++)
	{
		const char *to = options->map_to.items[i];
		int column;

		if (strcmp(options->map_from.items[i], name) != 0)
			continue;
		if (*to == '\0')
			return HZ_NAME_IGNORED;
		column = hz_target_column(b->target, to, strlen(to));
		if (column < 0)
			hz_fatal(NULL, "%s has no column %s, which --map names", b->target->name, to);
		return column;
	}
	/* A column that another field is mapped to is not the one of its own name. */
	for (int i = 0; i < options->map_to.count; i++)
	{
		if (strcmp(options->map_to.items[i], name) == 0)
			return -2;
	}
	return hz_target_column(b->target, name, strlen(name)) >= 0
			   ? hz_target_column(b->target, name, strlen(name))
			   : -2;
}

static bool
names_are_known(const Builder *b, const HzList *names)
{
	for (int i = 0; i < names->count; i++)
	{
		if (column_of(b, names->items[i]) == -2)
			return false;
	}
	return names->count > 0;
}

/* Do all fields look like names of ClickHouse's types? */
static bool
are_types(const HzList *list)
{
	static const char *const types[] = {
		"String",         "FixedString", "UInt",   "Int",    "Float",
		"Decimal",        "Bool",        "Date",   "UUID",   "IPv",
		"Enum",           "Array",       "Map",    "Tuple",  "Nullable",
		"LowCardinality", "JSON",        "Object", "Nested", "SimpleAggregateFunction",
		"Variant",        "Dynamic",     "Time",   "BFloat", "Point",
		"Nothing"};

	for (int i = 0; i < list->count; i++)
	{
		bool known = false;

		for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
			known |= strncmp(list->items[i], types[k], strlen(types[k])) == 0;
		if (!known)
			return false;
	}
	return list->count > 0;
}

/* ---- Format */

static bool
has_suffix(const char *name, size_t length, const char *suffix)
{
	size_t n = strlen(suffix);

	return length > n && strncasecmp(name + length - n, suffix, n) == 0;
}

static void
format_of_name(Builder *b, const char *path)
{
	static const struct
	{
		const char *suffix;
		HzFormat format;
	} suffixes[] = {{".json", HZ_FORMAT_JSON},   {".jsonl", HZ_FORMAT_JSON},
					{".ndjson", HZ_FORMAT_JSON}, {".jsoneachrow", HZ_FORMAT_JSON},
					{".csv", HZ_FORMAT_CSV},     {".tsv", HZ_FORMAT_TSV}};
	static const char *const compressions[] = {".gz", ".zst", ".zstd"};
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++)
	{
		if (has_suffix(path, length, compressions[i]))
		{
			length -= strlen(compressions[i]);
			break;
		}
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
	{
		if (has_suffix(path, length, suffixes[i].suffix))
			b->layout->format = suffixes[i].format;
	}
}

/* An object, or an array of objects, one a line. */
static bool
looks_like_json(const HzBytes *carry)
{
	const uint8_t *end = carry->data + carry->length;
	const uint8_t *p = hz_json_skip_space(carry->data, end);

	if (p < end && *p == '[')
		p = hz_json_skip_space(p + 1, end);
	if (p == end || *p != '{')
		return false;
	p = hz_json_skip_space(p + 1, end);
	return p < end && (*p == '"' || *p == '}');
}

static void
find_format(Builder *b, const char *path)
{
	b->layout->format = b->options->format;
	b->header = b->options->header;
	if (b->layout->format != HZ_FORMAT_UNKNOWN)
		return;
	format_of_name(b, path);
	if (b->layout->format == HZ_FORMAT_UNKNOWN && looks_like_json(&b->reader->carry))
		b->layout->format = HZ_FORMAT_JSON;
	if (b->layout->format == HZ_FORMAT_UNKNOWN)
		hz_fatal(
			"--format says it: jsoneachrow, csv, csvwithnames, tsv, tsvwithnames or tsvwithnamesandtypes",
			"neither its name nor its first bytes say what format %s has", b->reader->name);
	if (b->layout->format == HZ_FORMAT_JSON)
		b->header = HZ_HEADER_NONE;
}

/* The first line of a reject file names the format of its records, then their fields. */
static void
read_reject_header(Builder *b)
{
	static const char *const formats[] = {
		[HZ_FORMAT_JSON] = "jsoneachrow", [HZ_FORMAT_CSV] = "csv", [HZ_FORMAT_TSV] = "tsv"};
	HzBytes *carry = &b->reader->carry;
	uint8_t *end = memchr(carry->data, '\n', carry->length);
	uint8_t *p = carry->data + strlen(REJECT_MAGIC);
	HzBytes name = {0};

	if (end == NULL)
		hz_fatal(NULL, "%s: the first line of this reject file is damaged", b->reader->name);
	for (int i = 0; p <= end; i++)
	{
		uint8_t *stop = memchr(p, '\t', (size_t) (end - p));

		if (stop == NULL)
			stop = end;
		name.length = 0;
		hz_copytext_decode(&name, p, (size_t) (stop - p));
		if (i > 0)
			list_put(&b->names, name.data, name.length);
		else
		{
			for (HzFormat f = HZ_FORMAT_JSON; f <= HZ_FORMAT_TSV; f++)
			{
				if (strlen(formats[f]) == name.length &&
					memcmp(formats[f], name.data, name.length) == 0)
					b->layout->format = f;
			}
		}
		p = stop + 1;
	}
	hz_bytes_free(&name);
	if (b->layout->format == HZ_FORMAT_UNKNOWN)
		hz_fatal(NULL, "%s: the first line of this reject file is damaged", b->reader->name);
	b->layout->rejects = true;
	b->header = HZ_HEADER_NONE;
	hz_reader_drop(b->reader, (size_t) (end - carry->data) + 1);
}

void
hz_layout_put_reject_header(const HzLayout *layout, HzBytes *out)
{
	const char *format = layout->format == HZ_FORMAT_JSON  ? "jsoneachrow"
						 : layout->format == HZ_FORMAT_CSV ? "csv"
														   : "tsv";

	hz_bytes_append(out, REJECT_MAGIC, strlen(REJECT_MAGIC));
	hz_bytes_append(out, format, strlen(format));
	for (int i = 0; i < layout->name_count && layout->format != HZ_FORMAT_JSON; i++)
	{
		hz_bytes_put8(out, '\t');
		hz_copytext_put_raw(out, (const uint8_t *) layout->names[i].name, layout->names[i].length);
	}
}

bool
hz_layout_may_overwrite(const char *path)
{
	FILE *file = fopen(path, "r");
	char start[sizeof(REJECT_MAGIC)] = "";
	size_t n;

	if (file == NULL)
		return true;
	n = fread(start, 1, sizeof(start) - 1, file);
	fclose(file);
	return n == 0 || strcmp(start, REJECT_MAGIC) == 0;
}

/* ---- The header of CSV and TSV */

/* The fields of the line that begins at `at` in carry; returns where the next begins, 0 where there is none. */
static size_t
line_fields(Builder *b, size_t at, HzList *fields)
{
	HzBytes *carry = &b->reader->carry;
	HzSplitter splitter;
	HzEncoder encoder;
	const uint8_t *data = carry->data + at;
	size_t end;
	size_t length;
	bool good;

	if (at == carry->length)
		return 0;
	hz_split_start(&splitter, b->layout->format, false, b->layout->delimiters.delimiter);
	end = hz_split_next(&splitter, data, carry->length - at);
	if (end == 0 && !b->reader->source_end)
		return 0;
	if (end == 0)
		end = carry->length - at;
	length = end;
	hz_encoder_init(&encoder, b->layout);
	hz_record_trim(&encoder, &data, &length);
	good = hz_record_fields(&encoder, data, length, collect, fields);
	hz_encoder_free(&encoder);
	return good ? at + end : 0;
}

static void
read_header(Builder *b)
{
	HzList names = {0};
	HzList types = {0};
	size_t first = line_fields(b, 0, &names);
	size_t second = first > 0 ? line_fields(b, first, &types) : 0;
	bool known = first > 0 && names_are_known(b, &names);

	if (b->header == HZ_HEADER_UNKNOWN)
		b->header = !known ? HZ_HEADER_NONE
					: second > 0 && types.count == names.count && are_types(&types)
						? HZ_HEADER_NAMES_AND_TYPES
						: HZ_HEADER_NAMES;
	else if (b->header == HZ_HEADER_NONE && known && b->options->columns.count == 0)
		hz_warn("%s: the first line looks like names of columns: --format=%swithnames?",
				b->reader->name, b->layout->format == HZ_FORMAT_CSV ? "csv" : "tsv");
	if (b->header == HZ_HEADER_NONE)
		return;

	if (first == 0)
		hz_fatal(NULL, "%s: the first line does not name the columns", b->reader->name);
	b->names = names;
	if (b->header == HZ_HEADER_NAMES_AND_TYPES)
	{
		if (second == 0 || types.count != names.count || !are_types(&types))
			hz_fatal(NULL, "%s: the second line does not give the types of the columns",
					 b->reader->name);
		b->types = types;
		first = second;
	}
	hz_reader_drop(b->reader, first);
}

/* ---- The layout */

static void
copy_columns(Builder *b)
{
	HzLayout *layout = b->layout;

	layout->column_count = b->target->column_count;
	layout->columns = hz_alloc_zero(((size_t) layout->column_count + 1) * sizeof(HzColumn));
	for (int i = 0; i < layout->column_count; i++)
	{
		layout->columns[i].name = b->target->columns[i].name;
		layout->columns[i].kind = b->target->columns[i].kind;
		layout->columns[i].array = b->target->columns[i].array;
	}
}

static void
add_name(HzLayout *layout, const char *name, int column)
{
	layout->names = hz_realloc(layout->names, ((size_t) layout->name_count + 1) * sizeof(HzName));
	layout->names[layout->name_count++] = (HzName){name, strlen(name), column};
}

static void __attribute__((noreturn)) fail_unknown(const Builder *b, const char *name)
{
	hz_fatal("--map FROM=TO gives it another column, --map FROM= or --ignore-unknown leaves it out",
			 "%s has a field \"%s\", for which %s has no column", b->reader->name, name,
			 b->target->name);
}

/* CSV and TSV: a column for each field. */
static void
place_fields(Builder *b)
{
	HzLayout *layout = b->layout;

	for (int i = 0; i < b->names.count; i++)
	{
		const char *name = b->names.items[i];
		int column = column_of(b, name);

		if (column == -2)
		{
			if (!b->options->ignore_unknown)
				fail_unknown(b, name);
			column = HZ_NAME_IGNORED;
		}
		for (int k = 0; k < i && column != HZ_NAME_IGNORED; k++)
		{
			if (layout->names[k].column == column)
				hz_fatal(NULL, "%s: two fields go to column %s", b->reader->name,
						 layout->columns[column].name);
		}
		add_name(layout, name, column);
		if (column != HZ_NAME_IGNORED && i < b->types.count)
			layout->columns[column].fixed = strstr(b->types.items[i], "FixedString(") != NULL;
	}
}

/* JSON: every key for which there is a column. */
static void
place_keys(Builder *b)
{
	const HzOptions *options = b->options;

	for (int i = 0; i < options->map_from.count; i++)
		add_name(b->layout, options->map_from.items[i], column_of(b, options->map_from.items[i]));
	for (int i = 0; i < b->target->column_count; i++)
	{
		const char *name = b->target->columns[i].name;
		bool mapped = false;

		for (int k = 0; k < options->map_from.count; k++)
			mapped |= strcmp(options->map_from.items[k], name) == 0;
		if (!mapped && column_of(b, name) == i)
			add_name(b->layout, name, i);
	}
}

static void
check_column(const Builder *b, int column, bool present)
{
	const HzTargetColumn *target = &b->target->columns[column];

	if (present && !target->may_write)
		hz_fatal(hz_format("the owner can GRANT INSERT ON %s; --map %s= leaves the field out",
						   b->target->name, target->name),
				 "no right to write column %s of %s", target->name, b->target->name);
	if (!present && target->required)
		hz_fatal(
			"--map FROM=TO names the field it is to be filled from; or give the column a default",
			"column %s of %s must have a value, and %s has none for it", target->name,
			b->target->name, b->reader->name);
}

/* The first record of JSON stands for all in what is checked beforehand. */
static void
check_first_json(Builder *b)
{
	HzBytes *carry = &b->reader->carry;
	HzSplitter splitter;
	HzEncoder encoder;
	HzRecordStatus status = HZ_RECORD_BLANK;
	size_t start = 0;

	hz_encoder_init(&encoder, b->layout);
	hz_split_start(&splitter, b->layout->format, b->layout->rejects, 0);
	while (status == HZ_RECORD_BLANK && start < carry->length)
	{
		size_t end = hz_split_next(&splitter, carry->data, carry->length);

		if (end == 0 && !b->reader->source_end)
			break;
		if (end == 0)
			end = carry->length;
		status = hz_record_shape(&encoder, carry->data + start, end - start);
		start = end;
	}
	if (status == HZ_RECORD_BAD && encoder.unknown != NULL)
		fail_unknown(b, encoder.unknown);
	for (int i = 0; status == HZ_RECORD_ROW && i < b->layout->column_count; i++)
		check_column(b, i, encoder.seen[i] == encoder.round);
	hz_encoder_free(&encoder);
}

static void
check_delimited(const Builder *b)
{
	for (int i = 0; i < b->layout->column_count; i++)
	{
		bool present = false;

		for (int k = 0; k < b->layout->name_count; k++)
			present |= b->layout->names[k].column == i;
		check_column(b, i, present);
	}
}

void
hz_layout_make(HzLayout *layout, HzReader *reader, const char *path, const HzTarget *target,
			   const HzOptions *options)
{
	Builder b = {.layout = layout, .reader = reader, .target = target, .options = options};

	memset(layout, 0, sizeof(*layout));
	layout->ignore_unknown = options->ignore_unknown;
	layout->rules = options->rules;
	copy_columns(&b);
	if (starts_with(&reader->carry, "\xEF\xBB\xBF"))
		hz_reader_drop(reader, 3);
	if (starts_with(&reader->carry, REJECT_MAGIC))
		read_reject_header(&b);
	else
		find_format(&b, path);
	layout->delimiters.delimiter =
		layout->format == HZ_FORMAT_TSV ? '\t' : (uint8_t) options->delimiter;
	layout->delimiters.null = options->null;
	layout->delimiters.null_length = strlen(options->null);
	if (layout->format == HZ_FORMAT_JSON)
	{
		place_keys(&b);
		check_first_json(&b);
		return;
	}

	if (!layout->rejects)
		read_header(&b);
	if (options->columns.count > 0 && b.names.count > 0)
		hz_fatal("--map renames fields", "%s names its columns itself: --columns has no place here",
				 reader->name);
	if (options->columns.count > 0)
		b.names = options->columns;
	if (b.names.count == 0)
	{
		for (int i = 0; i < target->column_count; i++)
			list_put(&b.names, (const uint8_t *) target->columns[i].name,
					 strlen(target->columns[i].name));
	}
	place_fields(&b);
	check_delimited(&b);
}
