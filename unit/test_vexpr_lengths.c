/*
 * unit/test_vexpr_lengths.c
 *	  What is said of strings by their lengths alone, against the strings: with a getter of lengths, and without.
 */
#include "base/memory.h"
#include "expr/vexpr_node.h"
#include "unit/unit.h"

#define ROWS 500

static HzString strings[ROWS];
static int32_t octets[ROWS];
static uint64_t validity[HZ_BATCH_WORDS];
static HzVector string_vector;
static HzVector length_vector;
static uint32_t strings_asked;

static const HzVector *
get_strings(void *arg, int column)
{
	(void) arg;
	(void) column;
	strings_asked++;
	return &string_vector;
}

static const HzVector *
get_lengths(void *arg, int column)
{
	(void) arg;
	(void) column;
	return &length_vector;
}

/* Strings of one to three bytes a character, some empty, some null. */
static void
fill(bool nulls)
{
	static const char *const words[] = {"",
										"a",
										"abc",
										"\xC3\xB6",
										"a\xE2\x82\xAC"
										"b",
										"    "};

	memset(validity, 0xFF, sizeof(validity));
	for (uint32_t i = 0; i < ROWS; i++)
	{
		const char *word = words[unit_random() % 6];

		if (nulls && unit_random() % 3 == 0)
		{
			hz_bitmap_clear(validity, i);
			word = "";
		}
		strings[i] = (HzString){.data = (const uint8_t *) word, .length = strlen(word)};
		octets[i] = (int32_t) strings[i].length;
	}
	string_vector = (HzVector){.kind = HZ_KIND_BYTES,
							   .width = sizeof(HzString),
							   .count = ROWS,
							   .validity = nulls ? validity : NULL,
							   .values = strings};
	length_vector = string_vector;
	length_vector.kind = HZ_KIND_INT32;
	length_vector.width = 4;
	length_vector.values = octets;
}

static int32_t
characters(const HzString *s)
{
	int32_t count = 0;

	for (uint64_t i = 0; i < s->length; i++)
		count += s->data[i] < 0x80 || s->data[i] >= 0xC0;
	return count;
}

static HzVexpr column = {
	.value = hz_vexpr_column_value, .kind = HZ_KIND_BYTES, .width = sizeof(HzString)};
static const HzString empty;
static HzVexpr constant = {.value = hz_vexpr_constant_value,
						   .kind = HZ_KIND_BYTES,
						   .is_constant = true,
						   .constant = {.kind = HZ_KIND_BYTES,
										.form = HZ_FORM_CONSTANT,
										.width = sizeof(HzString),
										.values = &empty}};
static HzVexpr *args[] = {&column, &constant};

static void
check_lengths(HzEval *eval, int op)
{
	HzVexpr node = {.value = hz_vexpr_length_value,
					.kind = HZ_KIND_INT32,
					.width = 4,
					.count = 1,
					.args = args,
					.op = op};
	HzRows all = {.count = ROWS};
	HzVector out;
	uint32_t wrong = 0;

	CHECK(hz_eval_value(eval, &node, &all, &out));
	for (uint32_t i = 0; i < ROWS; i++)
		wrong += hz_vector_valid(&out, i) != hz_vector_valid(&string_vector, i) ||
				 (hz_vector_valid(&out, i) && ((const int32_t *) out.values)[i] !=
												  (op == 0 ? octets[i] : characters(&strings[i])));
	CHECK(wrong == 0);
}

/* Comparisons with the empty string. */
static void
check_empty(HzEval *eval, HzCompareOp op)
{
	static const bool if_empty[] = {true, false, false, true, false, true};
	static const bool if_not[] = {false, true, false, false, true, true};
	HzVexpr node = {.value = hz_vexpr_compare_value,
					.kind = HZ_KIND_BOOL,
					.width = 1,
					.count = 2,
					.args = args,
					.op = (int) op,
					.class = HZ_CLASS_BYTES};
	HzRows rows = {.count = ROWS};
	uint32_t expected = 0;
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < ROWS; i++)
		expected +=
			hz_vector_valid(&string_vector, i) && (octets[i] == 0 ? if_empty[op] : if_not[op]);
	CHECK(hz_eval_filter(eval, &node, &rows));
	CHECK(rows.count == expected);
	for (uint32_t i = 0; i < rows.count; i++)
		wrong += !(octets[hz_rows_at(&rows, i)] == 0 ? if_empty[op] : if_not[op]);
	CHECK(wrong == 0);
}

static void
check_nulls(HzEval *eval)
{
	HzVexpr node = {.value = hz_vexpr_null_test_value,
					.kind = HZ_KIND_BOOL,
					.width = 1,
					.count = 1,
					.args = args};
	HzRows rows = {.count = ROWS};
	HzVector out;
	uint32_t wrong = 0;

	CHECK(hz_eval_nulls(eval, &column, &rows, &out) && out.count == ROWS);
	for (uint32_t i = 0; i < ROWS; i++)
		wrong += hz_vector_valid(&out, i) != hz_vector_valid(&string_vector, i);
	CHECK(hz_eval_filter(eval, &node, &rows));
	for (uint32_t i = 0; i < rows.count; i++)
		wrong += hz_vector_valid(&string_vector, hz_rows_at(&rows, i));
	CHECK(wrong == 0);
}

int
main(void)
{
	HzEval *eval = hz_eval_create(get_strings, NULL);

	for (int round = 0; round < 8; round++)
	{
		bool by_length = (round & 2) != 0;

		unit_subject = by_length ? "by lengths" : "by strings";
		fill(round & 1);
		hz_eval_use_lengths(eval, by_length ? get_lengths : NULL);
		hz_eval_group(eval);
		hz_eval_batch(eval, ROWS);
		strings_asked = 0;
		check_lengths(eval, 0);
		check_nulls(eval);
		for (int op = HZ_EQ; op <= HZ_GE; op++)
			check_empty(eval, (HzCompareOp) op);
		CHECK((strings_asked == 0) == by_length);
		check_lengths(eval, 1);
	}
	hz_eval_free(eval);
	return unit_summary();
}
