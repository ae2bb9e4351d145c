/*
 * unit/test_vexpr_json.c
 *	  jsonb ->> 'key' of objects put together here, in entries with lengths and with ends; and of damaged ones, which may give any
 *	  answer or none, but are not read beyond their bytes.
 */
#include "base/bytes.h"
#include "unit/vexpr_cases.h"

#define ROOM 512
#define DAMAGED 300000

typedef struct Item
{
	uint32_t type; /* as an entry has it */
	const void *data;
	uint32_t length;
} Item;

#define STRING(s)           \
	{                       \
		0, s, sizeof(s) - 1 \
	}
#define IS_TRUE    \
	{              \
		3, NULL, 0 \
	}
#define IS_NULL    \
	{              \
		4, NULL, 0 \
	}

/* Appends an element's entry and bytes; `ends`: every third entry says where it ends. */
static void
put_item(HzBytes *entries, HzBytes *bytes, uint32_t place, const Item *item, bool ends)
{
	size_t before = bytes->length;

	while ((item->type == 1 || item->type == 5) && bytes->length % 4 != 0)
		hz_bytes_put8(bytes, 0);
	if (item->length > 0)
		hz_bytes_append(bytes, item->data, item->length);
	if (ends && place % 3 == 1)
		hz_bytes_put32(entries, UINT32_C(0x80000000) | item->type << 28 | (uint32_t) bytes->length);
	else
		hz_bytes_put32(entries, item->type << 28 | (uint32_t) (bytes->length - before));
}

/* keys NULL: an array. Returns its length. */
static uint32_t
build(uint8_t *out, uint32_t count, const Item *keys, const Item *values, bool ends)
{
	HzBytes entries = {NULL, 0, 0};
	HzBytes bytes = {NULL, 0, 0};
	uint32_t place = 0;
	uint32_t length;

	hz_bytes_put32(&entries, count | (keys != NULL ? 0x20000000 : 0x40000000));
	for (uint32_t i = 0; keys != NULL && i < count; i++)
		put_item(&entries, &bytes, place++, &keys[i], ends);
	for (uint32_t i = 0; i < count; i++)
		put_item(&entries, &bytes, place++, &values[i], ends);
	length = (uint32_t) (entries.length + bytes.length);
	memcpy(out, entries.data, entries.length);
	memcpy(out + entries.length, bytes.data, bytes.length);
	hz_bytes_free(&entries);
	hz_bytes_free(&bytes);
	return length;
}

/* {"a": "text", "n": 1234.50, "t": true, "z": null, "oo": {"k": [true, null, "x\n", -0.007]}} */
static uint32_t
build_all(uint8_t *out, bool ends)
{
	/* headers, then digits of 10,000: 1234 5000; 70 at weight -1 */
	static const uint8_t number[] = {32, 0, 0, 0, 0x00, 0x81, 0xD2, 0x04, 0x88, 0x13};
	static const uint8_t small[] = {32, 0, 0, 0, 0xFF, 0xA1, 70, 0};
	uint8_t number_bytes[sizeof(number)];
	uint8_t array[ROOM];
	uint8_t object[ROOM];
	const Item elements[] = {IS_TRUE, IS_NULL, STRING("x\n"), {1, small, sizeof(small)}};
	const Item inner_keys[] = {STRING("k")};
	Item inner_values[] = {{5, array, 0}};
	const Item keys[] = {STRING("a"), STRING("n"), STRING("t"), STRING("z"), STRING("oo")};
	Item values[] = {
		STRING("text"), {1, number_bytes, sizeof(number)}, IS_TRUE, IS_NULL, {5, object, 0}};

	memcpy(number_bytes, number, sizeof(number));
	hz_store32(number_bytes, sizeof(number) << 2);
	inner_values[0].length = build(array, 4, NULL, elements, ends);
	values[4].length = build(object, 1, inner_keys, inner_values, ends);
	return build(out, 5, keys, values, ends);
}

/* The field of one value; *ok: it was no damage. */
static bool
field(HzEval *eval, HzString json, const HzString *key, HzString *result, bool *ok)
{
	HzRows rows = {.count = 1};
	HzVector out;

	reset_nodes(HZ_KIND_BYTES, sizeof(HzString), hz_vexpr_json_field_value, HZ_KIND_BYTES,
				sizeof(HzString));
	use_constant(HZ_KIND_BYTES, sizeof(HzString), key);
	columns[0].vector = (HzVector){.kind = HZ_KIND_BYTES,
								   .form = HZ_FORM_FLAT,
								   .width = sizeof(HzString),
								   .count = 1,
								   .values = &json};
	hz_eval_group(eval);
	hz_eval_batch(eval, 1);
	*ok = hz_eval_value(eval, &node, &rows, &out);
	if (!*ok || !hz_vector_valid(&out, 0))
		return false;
	*result = *(const HzString *) slot_at(&out, 0);
	return true;
}

static void
expect(HzEval *eval, HzString json, const char *key, const char *expected)
{
	HzString name = {.data = (const uint8_t *) key, .length = strlen(key)};
	HzString result;
	bool ok;
	bool found = field(eval, json, &name, &result, &ok);

	CHECK(ok && found == (expected != NULL));
	if (found && expected != NULL)
		CHECK(result.length == strlen(expected) &&
			  memcmp(result.data, expected, result.length) == 0);
}

static void
test_fields(HzEval *eval)
{
	unit_subject = "fields";
	for (int ends = 0; ends < 2; ends++)
	{
		uint8_t bytes[ROOM];
		HzString json = {.data = bytes, .length = build_all(bytes, ends == 1)};

		expect(eval, json, "a", "text");
		expect(eval, json, "n", "1234.50");
		expect(eval, json, "t", "true");
		expect(eval, json, "z", NULL);
		expect(eval, json, "oo", "{\"k\": [true, null, \"x\\n\", -0.007]}");
		expect(eval, json, "b", NULL);
		expect(eval, json, "", NULL);
		expect(eval, json, "longer", NULL);
	}
}

/* An entry that stands for nulls is an empty string. */
static void
test_dictionary(HzEval *eval)
{
	uint8_t bytes[ROOM];
	const HzString entries[] = {{.data = bytes, .length = build_all(bytes, true)},
								{.data = bytes, .length = 0}};
	const HzString key = {.data = (const uint8_t *) "n", .length = 1};
	uint16_t codes[10] = {0};
	HzRows rows = {.count = 10};
	HzVector out;

	unit_subject = "dictionary";
	reset_nodes(HZ_KIND_BYTES, sizeof(HzString), hz_vexpr_json_field_value, HZ_KIND_BYTES,
				sizeof(HzString));
	use_constant(HZ_KIND_BYTES, sizeof(HzString), &key);
	memset(columns[0].validity, 0xFF, sizeof(columns[0].validity));
	hz_bitmap_clear(columns[0].validity, 3);
	codes[3] = 1;
	columns[0].vector = (HzVector){.kind = HZ_KIND_BYTES,
								   .form = HZ_FORM_DICT,
								   .width = sizeof(HzString),
								   .count = 10,
								   .dict_count = 2,
								   .codes = codes,
								   .validity = columns[0].validity,
								   .values = entries};
	hz_eval_group(eval);
	hz_eval_batch(eval, 10);
	if (!CHECK(hz_eval_value(eval, &node, &rows, &out)))
		return;
	for (uint32_t i = 0; i < 10; i++)
	{
		CHECK(hz_vector_valid(&out, i) == (i != 3));
		CHECK(i == 3 || ((const HzString *) slot_at(&out, i))->length == strlen("1234.50"));
	}
}

static void
test_damage(HzEval *eval)
{
	static const char *const names[] = {"a", "n", "t", "oo"};
	uint64_t refused = 0;
	uint64_t wrong = 0;

	unit_subject = "damage";
	for (int i = 0; i < DAMAGED; i++)
	{
		const char *name = names[i % 4];
		HzString key = {.data = (const uint8_t *) name, .length = strlen(name)};
		uint8_t bytes[ROOM];
		uint32_t length = build_all(bytes, i % 2 == 1);
		HzString json;
		HzString result;
		bool ok;

		for (int k = 0; k <= i % 3; k++)
			bytes[unit_random() % length] ^= (uint8_t) (1 << unit_random() % 8);
		if (i % 5 == 0)
			length = (uint32_t) (unit_random() % length);
		json = (HzString){.data = unit_copy(bytes, length), .length = length};
		(void) field(eval, json, &key, &result, &ok);
		refused += !ok;
		wrong += !ok && hz_eval_failure(eval) != HZ_EVAL_JSON;
		free((void *) (uintptr_t) json.data);
	}
	CHECK(wrong == 0);
	CHECK(refused > DAMAGED / 50);
}

int
main(void)
{
	HzEval *eval = hz_eval_create(get_column, NULL);

	test_fields(eval);
	test_dictionary(eval);
	test_damage(eval);
	hz_eval_free(eval);
	return unit_summary();
}
