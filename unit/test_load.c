/*
 * unit/test_load.c
 *	  The loader's formats: records of JSONEachRow, CSV and TSV become rows of COPY, or are refused for a reason; records are
 *	  found in pieces of any size; damaged records of every kind are survived.
 */
#include "load/json.h"
#include "load/literal.h"
#include "load/record.h"
#include "load/split.h"
#include "unit/unit.h"

static HzColumn columns[] = {
	{"t", HZ_VALUE_TEXT, false, false},    {"n", HZ_VALUE_NUMBER, false, false},
	{"j", HZ_VALUE_JSON, false, false},    {"a", HZ_VALUE_TEXT, true, false},
	{"at", HZ_VALUE_TIME, false, false},   {"b", HZ_VALUE_BYTEA, false, false},
	{"d", HZ_VALUE_DATE, false, false},    {"f", HZ_VALUE_TEXT, false, true},
	{"times", HZ_VALUE_TIME, true, false}, {"ja", HZ_VALUE_JSON, true, false}};
#define COLUMNS ((int) (sizeof(columns) / sizeof(columns[0])))

static HzName names[COLUMNS + 1];
static HzLayout layout;
static HzEncoder encoder;

/* Every column; or, of CSV and TSV, that one alone. */
static void
begin(HzFormat format, int only)
{
	memset(&layout, 0, sizeof(layout));
	layout.format = format;
	layout.delimiters = (HzDelimiters){format == HZ_FORMAT_TSV ? '\t' : ',', "\\N", 2};
	layout.columns = columns;
	layout.column_count = COLUMNS;
	layout.names = names;
	for (int i = 0; i < COLUMNS; i++)
	{
		if (only < 0 || i == only)
			names[layout.name_count++] = (HzName){columns[i].name, strlen(columns[i].name), i};
	}
	hz_encoder_free(&encoder);
	hz_encoder_init(&encoder, &layout);
}

/* The row of a record, whose shape is its own; or "!" and the reason. Static memory. */
static const char *
row_of(const char *record)
{
	static HzBytes out;
	size_t length = strlen(record);
	uint8_t *copy = unit_copy(record, length);
	HzRecordStatus status = hz_record_shape(&encoder, copy, length);

	out.length = 0;
	if (status == HZ_RECORD_ROW)
		status = hz_record_encode(&encoder, copy, length, &out);
	free(copy);
	if (status == HZ_RECORD_BLANK)
		return "blank";
	if (status == HZ_RECORD_BAD)
	{
		CHECK(out.length == 0);
		hz_bytes_put8(&out, '!');
		hz_bytes_append(&out, encoder.reason, strlen(encoder.reason));
	}
	hz_bytes_put8(&out, '\0');
	return (const char *) out.data;
}

static bool
says(const char *record, const char *expected)
{
	const char *row = row_of(record);
	bool same = *expected == '!' ? strstr(row, expected + 1) != NULL && *row == '!'
								 : strcmp(row, expected) == 0;

	unit_subject = record;
	if (!same)
		fprintf(stderr, "%s: %s in place of %s\n", record, row, expected);
	return same;
}

static void
test_json(void)
{
	begin(HZ_FORMAT_JSON, -1);
	CHECK(says("{\"t\":\"a\"}", "a\n"));
	CHECK(says(" { \"t\" : \"a\" , \"n\" : 1 } ,\r\n", "a\t1\n"));
	CHECK(says("{\"n\":1,\"t\":\"a\"}", "a\t1\n"));
	CHECK(says("{\"t\":null}", "\\N\n"));
	CHECK(says("{\"t\":\"\\\\N\"}", "\\\\N\n"));
	CHECK(says("{\"t\":\"\\t\\n\\r\\b\\f\\/\\\"\\\\\"}", "\\t\\n\\r\b\f/\"\\\\\n"));
	CHECK(
		says("{\"t\":\"\\u00fc\\ud83d\\ude00\\u20AC\"}", "\xC3\xBC\xF0\x9F\x98\x80\xE2\x82\xAC\n"));
	CHECK(says("{\"\\u0074\":\"key\"}", "key\n"));
	CHECK(says("{\"t\":{\"x\":[1,\"]\"]}}", "{\"x\":[1,\"]\"]}\n"));
	CHECK(says("{\"t\":-1.5e3}", "-1.5e3\n"));
	CHECK(says("{\"n\":true}", "1\n"));
	CHECK(says("{\"n\":\"18446744073709551615\"}", "18446744073709551615\n"));
	CHECK(says("{\"n\":\"-nan\"}", "nan\n"));
	CHECK(says("{\"j\":{\"k\":\"v\\n\"}}", "{\"k\":\"v\\\\n\"}\n"));
	CHECK(says("{\"j\":\"{\\\"k\\\":1}\"}", "{\"k\":1}\n"));
	CHECK(says("{\"j\":\"{'k':1}\"}", "{\"k\":1}\n"));
	CHECK(says("{\"a\":[\"x\",null,\"q\\\"\\\\\",\"NULL\"]}",
			   "{\"x\",NULL,\"q\\\\\"\\\\\\\\\",\"NULL\"}\n"));
	CHECK(says("{\"a\":[[1],[2]]}", "{{\"1\"},{\"2\"}}\n"));
	CHECK(says("{\"a\":[]}", "{}\n"));
	CHECK(says("{\"a\":[{\"k\":[1]}]}", "{\"{\\\\\"k\\\\\":[1]}\"}\n"));
	CHECK(says("{\"ja\":[[1,{\"k\":2}],3]}", "{\"[1,{\\\\\"k\\\\\":2}]\",\"3\"}\n"));
	CHECK(says("{\"at\":1704067200.123}", "2024-01-01 00:00:00.123000000+00\n"));
	CHECK(says("{\"at\":\"-631151999.500\"}", "1950-01-01 00:00:00.500000000+00\n"));
	CHECK(says("{\"at\":-62135596800}", "0001-01-01 00:00:00.000000000+00\n"));
	CHECK(says("{\"at\":253402300799}", "9999-12-31 23:59:59.000000000+00\n"));
	CHECK(says("{\"at\":1704067200123}", "!too large for a time"));
	CHECK(says("{\"at\":\"99999999999999999999999999999999\"}", "!too large for a time"));
	CHECK(says("{\"at\":\"2024-01-01 00:00:00\"}", "2024-01-01 00:00:00\n"));
	CHECK(says("{\"times\":[\"1704067200\"]}", "{\"2024-01-01 00:00:00.000000000+00\"}\n"));
	CHECK(says("{\"d\":\"0000-00-00\"}", "1970-01-01\n"));
	CHECK(says("{\"b\":\"\\u0000\\u00ff\"}", "\\\\x00c3bf\n"));
	CHECK(says("{\"f\":\"ab\\u0000\\u0000\"}", "ab\n"));
	CHECK(says("", "blank"));
	CHECK(says("[\n", "blank"));
	CHECK(says("]", "blank"));
	CHECK(says("{\"t\":\"a\\u0000\"}", "!zero byte"));
	CHECK(says("{\"t\":\"\xC0\x80\"}", "!not UTF-8"));
	CHECK(says("{\"t\":\"\xED\xA0\x80\"}", "!not UTF-8"));
	CHECK(says("{\"t\":\"\xF0\x80\x80\x80\"}", "!not UTF-8"));
	CHECK(says("{\"t\":\"\xF4\x90\x80\x80\"}", "!not UTF-8"));
	CHECK(says("{\"t\":\"\xE2\x82\"}", "!not UTF-8"));
	CHECK(says("{\"t\":\"\\ud83d\"}", "!surrogate"));
	CHECK(says("{\"t\":\"\\ude00\\ud83d\"}", "!surrogate"));
	CHECK(says("{\"t\":\"\\x\"}", "!escape"));
	CHECK(says("{\"t\":\"a\",\"t\":\"b\"}", "!comes twice"));
	CHECK(says("{\"q\":1}", "!no column takes the key \"q\""));
	CHECK(says("{}", "!no column of the table"));
	CHECK(says("{\"t\":\"cut", "!has no end"));
	CHECK(says("{\"t\":\"a\"", "!cut off"));
	CHECK(says("{\"t\":\"a\"}x", "!text follows"));
	CHECK(says("{\"t\":\"a\",}", "!comma"));
	CHECK(says("{\"t\":[1}", "!brackets do not match"));
	CHECK(says("{\"t\":1x}", "!no JSON"));
	CHECK(says("{\"t\" \"a\"}", "!has no value"));
	CHECK(says("{t:1}", "!not in quotes"));
	CHECK(says("[1]", "!no JSON object"));
	CHECK(says("{\"a\":\"x\"}", "!no array"));
	layout.rules = (HzTextRules){true, true};
	layout.ignore_unknown = true;
	CHECK(says("{\"t\":\"a\\u0000\xFFz\\ud83d\",\"q\":{}}", "a\xEF\xBF\xBDz\xEF\xBF\xBD\n"));
	CHECK(says("{\"j\":{\"k\":\"\\u0000\\\\u0000\"}}", "{\"k\":\"\\\\\\\\u0000\"}\n"));
}

static void
test_tsv(void)
{
	begin(HZ_FORMAT_TSV, 0);
	CHECK(says("plain\n", "plain\n"));
	CHECK(says("", "\n"));
	CHECK(says("\\N", "\\N\n"));
	CHECK(says("\\\\N", "\\\\N\n"));
	CHECK(says("a\\tb\\nc\\\\d\\'e\\x41\\0", "!zero byte"));
	CHECK(says("a\\tb\\nc\\\\d\\'e\\x41\\d\\", "a\\tb\\nc\\\\d'eA\\\\d\\\\\n"));
	CHECK(says("a\\\nb", "a\\nb\n"));
	CHECK(says("a\tb", "!2 fields in place of 1"));
	begin(HZ_FORMAT_TSV, 2);
	CHECK(says("{'k\\'1':'v\"\\n',2:[1,NULL,nan,'x'],'t':(1,'a')}",
			   "{\"k'1\":\"v\\\\\"\\\\u000a\",\"2\":[1,null,null,\"x\"],\"t\":[1,\"a\"]}\n"));
	CHECK(says("{\"k\":\"it\\'s \\\\n\"}", "{\"k\":\"it's \\\\n\"}\n"));
	CHECK(says("{}", "{}\n"));
	CHECK(says("(1,)", "[1]\n"));
	CHECK(says("[2024-01-01,00012]", "[\"2024-01-01\",\"00012\"]\n"));
	CHECK(says("{'k'}", "!has no value"));
	CHECK(says("{'k':'v'", "!no end"));
	CHECK(says("['a'] x", "!text follows"));
	CHECK(says("['a", "!no end"));
	begin(HZ_FORMAT_TSV, 3);
	CHECK(says("['a\\'b','c\\td',NULL,'NULL','']", "{\"a'b\",\"c\\td\",NULL,\"NULL\",\"\"}\n"));
	CHECK(says("[('a',1),{'k':1}]", "{\"[\\\\\"a\\\\\",1]\",\"{\\\\\"k\\\\\":1}\"}\n"));
	CHECK(says("{1,2}", "{1,2}\n"));
	CHECK(says("['a']]", "!text follows"));
	CHECK(says("", "!no array"));
}

static void
test_csv(void)
{
	begin(HZ_FORMAT_CSV, 0);
	CHECK(says("\"a\"\"b\nc\"\r\n", "a\"b\\nc\n"));
	CHECK(says("a\"b", "a\"b\n"));
	CHECK(says("\\N", "\\N\n"));
	CHECK(says("\"\\N\"", "\\\\N\n"));
	CHECK(says("\"a", "!no end"));
	CHECK(says("\"a\"b", "!text follows"));
	CHECK(says("a,b", "!2 fields"));
	begin(HZ_FORMAT_CSV, 2);
	CHECK(says("\"{'a':'q\"\"\\'\\\\'}\"", "{\"a\":\"q\\\\\"'\\\\\\\\\"}\n"));
	begin(HZ_FORMAT_CSV, -1);
	CHECK(says("\n", "blank"));
	CHECK(says("x,1,{},[],0,b,,f,[],[]",
			   "x\t1\t{}\t{}\t1970-01-01 00:00:00.000000000+00\t\\\\x62\t\tf\t{}\t{}\n"));
}

static void
test_rejects(void)
{
	begin(HZ_FORMAT_TSV, 0);
	layout.rejects = true;
	CHECK(says("file\t7\t22P02\tbad\\tly\ta\\\\tb", "a\\tb\n"));
	CHECK(says("# a comment", "blank"));
	CHECK(says("file\t7\t22P02", "!none of a reject file"));
}

/* A record of another shape is one; a shape fits whatever the order of the keys. */
static void
test_shapes(void)
{
	HzBytes out = {0};
	const char *record = "{\"n\":1,\"t\":\"a\"}";
	const char *other = "{\"t\":\"b\"}";
	const char *more = "{\"t\":\"b\",\"n\":2,\"d\":\"2024-01-01\"}";
	const char *turned = "{\"t\":\"b\",\"n\":2}";

	unit_subject = "shapes";
	begin(HZ_FORMAT_JSON, -1);
	CHECK(hz_record_shape(&encoder, (const uint8_t *) record, strlen(record)) == HZ_RECORD_ROW);
	CHECK(hz_record_encode(&encoder, (const uint8_t *) other, strlen(other), &out) ==
		  HZ_RECORD_OTHER);
	CHECK(hz_record_encode(&encoder, (const uint8_t *) more, strlen(more), &out) ==
		  HZ_RECORD_OTHER);
	CHECK(out.length == 0);
	CHECK(hz_record_encode(&encoder, (const uint8_t *) turned, strlen(turned), &out) ==
		  HZ_RECORD_ROW);
	CHECK(out.length == 4 && memcmp(out.data, "b\t2\n", 4) == 0);
	hz_bytes_free(&out);
}

/* The same ends, however the bytes come. */
static void
test_split(void)
{
	static const struct
	{
		HzFormat format;
		const char *text;
		size_t ends[5];
	} cases[] = {{HZ_FORMAT_JSON, "{\"a\":\"\\n\"}\n\n{}\n{", {11, 12, 15}},
				 {HZ_FORMAT_TSV, "a\\\nb\nc\\\\\nd\n\n", {5, 9, 11, 12}},
				 {HZ_FORMAT_CSV, "\"a\nb\",\"\"\"\n\",c\"d\ne\n\"\"\n", {16, 18, 21}}};

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
	{
		size_t length = strlen(cases[c].text);

		unit_subject = cases[c].text;
		for (size_t piece = 1; piece <= length; piece++)
		{
			HzSplitter splitter;
			size_t found = 0;

			hz_split_start(&splitter, cases[c].format, false, ',');
			for (size_t known = piece; known < length + piece; known += piece)
			{
				size_t now = known < length ? known : length;
				uint8_t *copy = unit_copy(cases[c].text, now);
				size_t end;

				while ((end = hz_split_next(&splitter, copy, now)) != 0)
				{
					if (!CHECK(found < 5 && end == cases[c].ends[found]))
						break;
					found++;
				}
				free(copy);
			}
			CHECK(cases[c].ends[found] == 0);
		}
	}
}

/* Records with a few bytes changed, cut off, or doubled: rows, or reasons; a row always has its fields and one line end. */
static void
test_damage(void)
{
	static const char *const records[] = {
		"{\"t\":\"a\\u00fc\\ud83d\\ude00\",\"n\":1.5,\"j\":{\"k\":[1,\"x\"]},\"a\":[\"p\",null,[\"q\"]],\"at\":1704067200.123,\"b\":\"\\\\\"}",
		"a\\tb\t1\t{'k':'v','l':[1,(2,'z')]}\t['a','b\\'']\t1704067200\tb\\0\t0000-00-00\tf\\0\t['1']\t[[1],{'k':2}]",
		"\"a\"\"b\",1,\"{'k':'v'}\",\"['a','b']\",\"2024-01-01 00:00:00\",x,2024-01-01,f,\"[]\",\"[]\""};
	static const HzFormat formats[] = {HZ_FORMAT_JSON, HZ_FORMAT_TSV, HZ_FORMAT_CSV};
	static const char bytes[] = "\"'\\,\t\n:[]{}()0N\x80\xC3\xFF\x00";
	HzBytes out = {0};

	unit_subject = "damage";
	for (int round = 0; round < 60000; round++)
	{
		int which = round % 3;
		size_t length = strlen(records[which]);
		uint8_t *copy;
		HzRecordStatus status;

		if (round < 3)
			CHECK(true);
		if (layout.format != formats[which] || round % 997 == 0)
			begin(formats[which], -1);
		layout.rules = (HzTextRules){unit_random() % 2 == 0, unit_random() % 2 == 0};
		length -= unit_random() % 4 == 0 ? unit_random() % length : 0;
		copy = unit_copy(records[which], length);
		for (uint64_t i = unit_random() % 4; i > 0 && length > 0; i--)
			copy[unit_random() % length] = (uint8_t) bytes[unit_random() % sizeof(bytes)];
		out.length = 0;
		status = hz_record_shape(&encoder, copy, length);
		if (status == HZ_RECORD_ROW)
			status = hz_record_encode(&encoder, copy, length, &out);
		if (status == HZ_RECORD_ROW)
		{
			size_t tabs = 0;

			for (size_t i = 0; i < out.length; i++)
				tabs += out.data[i] == '\t';
			if (!CHECK(tabs + 1 == (size_t) encoder.shape_count &&
					   memchr(out.data, '\n', out.length) == out.data + out.length - 1))
				break;
		}
		else if (!CHECK(out.length == 0))
			break;
		free(copy);
	}
	hz_bytes_free(&out);
}

/* Text longer than a piece, with characters across its end. */
static void
test_long(void)
{
	HzTextRules rules = {false, false};
	HzBytes in = {0};
	HzBytes out = {0};
	HzBytes back = {0};

	unit_subject = "long text";
	while (in.length < 300000)
		hz_bytes_append(&in, "ab\xE2\x82\xAC\t\\\xF0\x9F\x98\x80 more text", 21);
	CHECK(hz_copytext_put(&out, in.data, in.length, &rules) == NULL);
	hz_copytext_decode(&back, out.data, out.length);
	CHECK(back.length == in.length && memcmp(back.data, in.data, in.length) == 0);
	out.length = back.length = 0;
	hz_copytext_put_raw(&out, in.data, in.length);
	hz_copytext_decode(&back, out.data, out.length);
	CHECK(back.length == in.length && memcmp(back.data, in.data, in.length) == 0);
	hz_bytes_free(&in);
	hz_bytes_free(&out);
	hz_bytes_free(&back);
}

int
main(void)
{
	test_json();
	test_tsv();
	test_csv();
	test_rejects();
	test_shapes();
	test_split();
	test_damage();
	test_long();
	hz_encoder_free(&encoder);
	return unit_summary();
}
