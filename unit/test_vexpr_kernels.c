/*
 * unit/test_vexpr_kernels.c
 *	  Expressions over vectors against the same computed value by value: every kernel over FLAT, CONSTANT and DICT vectors,
 *	  with and without nulls, for all rows and for some. Nodes are put together by hand; what makes them out of SQL is
 *	  tested with the server.
 */
#define _GNU_SOURCE /* memmem() */
#include <math.h>

#include "format/numeric.h"
#include "unit/vexpr_cases.h"

/* ---- comparisons */

static int
order_of_float(double a, double b)
{
	if (isnan(a))
		return isnan(b) ? 0 : 1;
	if (isnan(b))
		return -1;
	return a < b ? -1 : a > b;
}

static int
order_of(HzKind kind, uint32_t width, const void *a, const void *b)
{
	int64_t x = 0;
	int64_t y = 0;

	switch (kind)
	{
		case HZ_KIND_FLOAT32:
			return order_of_float(*(const float *) a, *(const float *) b);
		case HZ_KIND_FLOAT64:
			return order_of_float(*(const double *) a, *(const double *) b);
		case HZ_KIND_FIXED:
			return memcmp(a, b, width);
		case HZ_KIND_BYTES:
			return hz_bytes_compare(*(const HzString *) a, *(const HzString *) b);
		default:
			memcpy(&x, a, width);
			memcpy(&y, b, width);
			x = (int64_t) ((uint64_t) x << (64 - 8 * width)) >> (64 - 8 * width);
			y = (int64_t) ((uint64_t) y << (64 - 8 * width)) >> (64 - 8 * width);
			return x < y ? -1 : x > y;
	}
}

static bool
holds(int order, HzCompareOp op)
{
	switch (op)
	{
		case HZ_EQ:
			return order == 0;
		case HZ_NE:
			return order != 0;
		case HZ_LT:
			return order < 0;
		case HZ_LE:
			return order <= 0;
		case HZ_GT:
			return order > 0;
		default:
			return order >= 0;
	}
}

/* The filter keeps exactly the rows that `expected` says. */
static void
check_filter(HzEval *eval, const HzRows *rows, const int8_t *expected)
{
	HzRows kept = *rows;
	uint32_t n = 0;
	bool same = true;

	if (!CHECK(hz_eval_filter(eval, &node, &kept)))
		return;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (expected[row] != 1)
			continue;
		same = same && n < kept.count && hz_rows_at(&kept, n) == row;
		n++;
	}
	CHECK(same && n == kept.count);
}

/* The values are 1, 0 or, where expected is -1, null. */
static void
check_truth(HzEval *eval, const HzRows *rows, const int8_t *expected)
{
	HzVector out;
	bool same = true;

	if (!CHECK(hz_eval_value(eval, &node, rows, &out)))
		return;
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		bool valid = hz_vector_valid(&out, row);

		same = same && valid == (expected[row] >= 0) &&
			   (!valid || *(const uint8_t *) slot_at(&out, row) == expected[row]);
	}
	CHECK(same);
	check_filter(eval, rows, expected);
}

typedef struct Type
{
	const char *name;
	HzKind kind;
	uint32_t width;
	HzCompareClass class;
	void (*make)(uint8_t *slot, uint32_t width);
} Type;

static void
make_int(uint8_t *slot, uint32_t width)
{
	static const int64_t edges[] = {INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX,
									INT16_MIN, INT16_MAX, 0,         -1};
	int64_t value = (int64_t) (unit_random() % 20) - 10;

	if (unit_random() % 8 == 0)
		value = edges[unit_random() % 8];
	memcpy(slot, &value, width);
}

static void
make_bool(uint8_t *slot, uint32_t width)
{
	(void) width;
	*slot = unit_random() % 2;
}

static void
make_float(uint8_t *slot, uint32_t width)
{
	static const double values[] = {0.0, -0.0, 1.5, -7.25, 1e30, -1e30};
	uint64_t r = unit_random() % 9;
	double d = r < 6 ? values[r] : r == 6 ? NAN : r == 7 ? INFINITY : -INFINITY;
	float f = (float) d;

	if (width == 4)
		memcpy(slot, &f, 4);
	else
		memcpy(slot, &d, 8);
}

static void
make_uuid(uint8_t *slot, uint32_t width)
{
	memset(slot, 0, width);
	slot[0] = (uint8_t) (unit_random() % 3);
	slot[width - 1] = (uint8_t) (unit_random() % 3);
}

static void
make_string(uint8_t *slot, uint32_t width)
{
	static const char *const words[] = {"",
										"a",
										"ab",
										"abc",
										"abcabc",
										"b",
										"%",
										"a_c",
										"a\\",
										"ba",
										"\xC3\xB6",
										"a\xC3\xB6"
										"b"};
	const char *word = words[unit_random() % 12];
	HzString s = {.data = (const uint8_t *) word, .length = strlen(word)};

	(void) width;
	memcpy(slot, &s, sizeof(s));
}

static const Type types[] = {
	{"bool", HZ_KIND_BOOL, 1, HZ_CLASS_BOOL, make_bool},
	{"int2", HZ_KIND_INT16, 2, HZ_CLASS_INT, make_int},
	{"int4", HZ_KIND_INT32, 4, HZ_CLASS_INT, make_int},
	{"int8", HZ_KIND_INT64, 8, HZ_CLASS_INT, make_int},
	{"float4", HZ_KIND_FLOAT32, 4, HZ_CLASS_FLOAT, make_float},
	{"float8", HZ_KIND_FLOAT64, 8, HZ_CLASS_FLOAT, make_float},
	{"uuid", HZ_KIND_FIXED, 16, HZ_CLASS_UUID, make_uuid},
	{"text", HZ_KIND_BYTES, sizeof(HzString), HZ_CLASS_BYTES, make_string},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static void
expect_comparison(const Type *type, const HzVector *a, const HzVector *b, HzCompareOp op,
				  int8_t *expected)
{
	for (uint32_t i = 0; i < a->count; i++)
		expected[i] =
			!hz_vector_valid(a, i) || !hz_vector_valid(b, i)
				? -1
				: holds(order_of(type->kind, type->width, slot_at(a, i), slot_at(b, i)), op);
}

static void
check_comparison(HzEval *eval, const Type *type, HzForm form, bool nulls, uint32_t rows,
				 bool constant)
{
	static int8_t expected[HZ_VECTOR_ROWS];
	static uint8_t value[16];
	uint32_t width = type->width;

	fill_column(&columns[0], type->kind, width, form, nulls, rows, type->make);
	fill_column(&columns[1], type->kind, width, HZ_FORM_FLAT, nulls, rows, type->make);
	hz_eval_group(eval);
	for (HzCompareOp op = HZ_EQ; op <= HZ_GE; op++)
		for (uint32_t one_in = 1; one_in <= 40; one_in *= 6)
		{
			HzRows selected = some_rows(rows, one_in);

			hz_eval_batch(eval, rows);
			hz_eval_group(eval);
			reset_nodes(type->kind, width, hz_vexpr_compare_value, HZ_KIND_BOOL, 1);
			node.op = (int) op;
			node.class = (int) type->class;
			if (constant)
			{
				type->make(value, width);
				use_constant(type->kind, width, value);
				constant_node.constant.count = rows;
			}
			expect_comparison(type, &columns[0].vector,
							  constant ? &constant_node.constant : &columns[1].vector, op,
							  expected);
			check_truth(eval, &selected, expected);
		}
}

static void
test_comparisons(HzEval *eval)
{
	static const uint32_t counts[] = {1, 63, 64, 65, 1000, HZ_VECTOR_ROWS};

	for (size_t t = 0; t < TYPES; t++)
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
			for (int form = HZ_FORM_FLAT; form <= HZ_FORM_DICT; form++)
				for (int variant = 0; variant < 4; variant++)
				{
					unit_subject = types[t].name;
					check_comparison(eval, &types[t], (HzForm) form, variant & 1, counts[c],
									 variant & 2);
				}
}

/* ---- three-valued logic */

static void
test_logic(HzEval *eval)
{
	static int8_t expected[HZ_VECTOR_ROWS];
	uint32_t rows = 500;

	unit_subject = "logic";
	for (int round = 0; round < 60; round++)
	{
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3 * 3);
		bool is_and = round & 1;

		fill_column(&columns[0], HZ_KIND_BOOL, 1, (HzForm) (round % 3), round & 4, rows, make_bool);
		fill_column(&columns[1], HZ_KIND_BOOL, 1, (HzForm) (round / 3 % 3), true, rows, make_bool);
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		reset_nodes(HZ_KIND_BOOL, 1, is_and ? hz_vexpr_and_value : hz_vexpr_or_value, HZ_KIND_BOOL,
					1);
		node.filter = is_and ? hz_vexpr_and_filter : hz_vexpr_or_filter;
		node.can_fail = round & 8;
		for (uint32_t i = 0; i < rows; i++)
		{
			const HzVector *a = &columns[0].vector;
			const HzVector *b = &columns[1].vector;
			int x = hz_vector_valid(a, i) ? *(const uint8_t *) slot_at(a, i) : -1;
			int y = hz_vector_valid(b, i) ? *(const uint8_t *) slot_at(b, i) : -1;

			if (x == !is_and || y == !is_and)
				expected[i] = !is_and;
			else
				expected[i] = (int8_t) (x < 0 || y < 0 ? -1 : is_and);
		}
		check_truth(eval, &selected, expected);
	}
}

static void
test_null_tests(HzEval *eval)
{
	static int8_t expected[HZ_VECTOR_ROWS];
	uint32_t rows = 777;

	unit_subject = "tests of null and truth";
	for (int op = 0; op < 8; op++)
		for (int form = HZ_FORM_FLAT; form <= HZ_FORM_DICT; form++)
		{
			HzRows selected = some_rows(rows, 1 + (uint32_t) op % 2 * 4);

			fill_column(&columns[0], HZ_KIND_BOOL, 1, (HzForm) form, op != 5, rows, make_bool);
			hz_eval_group(eval);
			hz_eval_batch(eval, rows);
			reset_nodes(HZ_KIND_BOOL, 1,
						op < 2 ? hz_vexpr_null_test_value : hz_vexpr_bool_test_value, HZ_KIND_BOOL,
						1);
			node.op = op;
			for (uint32_t i = 0; i < rows; i++)
			{
				const HzVector *a = &columns[0].vector;
				int x = hz_vector_valid(a, i) ? *(const uint8_t *) slot_at(a, i) : 2;

				expected[i] = (int8_t) (op < 2 ? (x == 2) != (op == 1) : (op >> x) & 1);
			}
			check_truth(eval, &selected, expected);
		}
}

/* ---- IN */

static void
test_in(HzEval *eval)
{
	static int8_t expected[HZ_VECTOR_ROWS];
	uint32_t rows = 900;

	for (size_t t = 1; t < TYPES; t++)
		for (uint32_t count = 0; count < 20; count++)
		{
			const Type *type = &types[t];
			uint8_t *elements = calloc(count + 1, type->width);
			HzVexprSet set = {.count = count, .has_null = count % 3 == 0 && count > 0};
			HzRows selected = some_rows(rows, 1 + count % 2 * 5);

			unit_subject = type->name;
			for (uint32_t i = 0; i < count; i++)
				type->make(elements + (size_t) i * type->width, type->width);
			set.elements = (HzVector){.kind = type->kind, .width = type->width, .count = count};
			set.elements.values = elements;
			hz_vexpr_set_finish(&set, type->class);
			fill_column(&columns[0], type->kind, type->width, (HzForm) (count % 3), count & 1, rows,
						type->make);
			hz_eval_group(eval);
			hz_eval_batch(eval, rows);
			reset_nodes(type->kind, type->width, hz_vexpr_in_value, HZ_KIND_BOOL, 1);
			node.class = (int) type->class;
			node.op = count % 2;
			node.set = &set;
			for (uint32_t i = 0; i < rows; i++)
			{
				const HzVector *a = &columns[0].vector;
				bool found = false;

				for (uint32_t k = 0; k < count; k++)
					found |= order_of(type->kind, type->width, slot_at(a, i),
									  elements + (size_t) k * type->width) == 0;
				if (count > 0 && (!hz_vector_valid(a, i) || (!found && set.has_null)))
					expected[i] = -1;
				else
					expected[i] = found != (node.op == 1);
			}
			check_truth(eval, &selected, expected);
			hz_free(set.bits);
			hz_free(set.table);
			free(elements);
		}
}

/* ---- LIKE */

/* The definition, without any shortcut. */
static bool
like(const char *s, const char *p)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p == '%')
		return like(s, p + 1) || (*s != '\0' && like(s + 1, p));
	if (*s == '\0')
		return false;
	if (*p == '_')
	{
		for (s++; ((uint8_t) *s & 0xC0) == 0x80; s++)
			;
		return like(s, p + 1);
	}
	if (*p == '\\')
		p++;
	return *s == *p && like(s + 1, p + 1);
}

static void
test_like(HzEval *eval)
{
	static const char *const patterns[] = {"",     "%",      "%%",  "a%",    "%c",    "%b%",
										   "abc",  "_",      "__%", "a\\_c", "%\\%",  "a%c%",
										   "%a%b", "%ab%bc", "_%_", "a_b",   "%_c%b", "%abc%abc%",
										   "%ca_", "\\a%",   "%%_b"};
	static int8_t expected[HZ_VECTOR_ROWS];
	uint32_t rows = 300;

	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++)
		for (int form = HZ_FORM_FLAT; form <= HZ_FORM_DICT; form++)
		{
			HzString pattern = {.data = (const uint8_t *) patterns[p],
								.length = strlen(patterns[p])};
			HzRows selected = some_rows(rows, 1 + p % 3);

			unit_subject = patterns[p];
			fill_column(&columns[0], HZ_KIND_BYTES, sizeof(HzString), (HzForm) form, p & 1, rows,
						make_string);
			hz_eval_group(eval);
			hz_eval_batch(eval, rows);
			reset_nodes(HZ_KIND_BYTES, sizeof(HzString), hz_vexpr_like_value, HZ_KIND_BOOL, 1);
			use_constant(HZ_KIND_BYTES, sizeof(HzString), &pattern);
			node.number = 1;
			node.op = p % 2;
			for (uint32_t i = 0; i < rows; i++)
			{
				const HzVector *a = &columns[0].vector;

				expected[i] = -1;
				if (hz_vector_valid(a, i))
					expected[i] = like((const char *) ((const HzString *) slot_at(a, i))->data,
									   patterns[p]) != (node.op == 1);
			}
			check_truth(eval, &selected, expected);
		}
}

/* Long strings, each in a block of its own size, of two letters, so that the first and the last byte are found everywhere: the text once at each place, and never. */
static void
test_like_anywhere(HzEval *eval)
{
	static int8_t expected[HZ_VECTOR_ROWS];
	static HzString strings[HZ_VECTOR_ROWS];
	static char text[64];

	for (uint64_t length = 1; length < 48; length++)
	{
		HzString pattern = {.data = (const uint8_t *) text, .length = length + 2};
		uint32_t rows = 150;
		HzRows selected = {.count = rows};

		snprintf(text, sizeof(text), "%%a%.*s%%", (int) length - 1,
				 "babbbabbbabbbabbbabbbabbbabbbabbbabbbabbbabbbabbb");
		for (uint32_t i = 0; i < rows; i++)
		{
			uint64_t size = length + unit_random() % 100;
			uint8_t *bytes = malloc(size);

			for (uint64_t b = 0; b < size; b++)
				bytes[b] = unit_random() % 16 == 0 ? 'a' : 'b';
			if (i % 2 == 0)
				memcpy(bytes + unit_random() % (size - length + 1), text + 1, length);
			strings[i] = (HzString){.data = bytes, .length = size};
			expected[i] = memmem(bytes, size, text + 1, length) != NULL;
		}
		columns[0].vector = (HzVector){.kind = HZ_KIND_BYTES,
									   .form = HZ_FORM_FLAT,
									   .width = sizeof(HzString),
									   .count = rows,
									   .values = strings};
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		reset_nodes(HZ_KIND_BYTES, sizeof(HzString), hz_vexpr_like_value, HZ_KIND_BOOL, 1);
		use_constant(HZ_KIND_BYTES, sizeof(HzString), &pattern);
		check_truth(eval, &selected, expected);
		for (uint32_t i = 0; i < rows; i++)
			free((void *) (uintptr_t) strings[i].data);
	}
}

/* ---- arithmetic */

static HzEvalFailure
expect_arith(HzArithOp op, uint32_t width, int64_t a, int64_t b, int64_t *out)
{
	static const HzEvalFailure ranges[] = {
		[2] = HZ_EVAL_INT2_RANGE, [4] = HZ_EVAL_INT4_RANGE, [8] = HZ_EVAL_INT8_RANGE};
	HzInt128 r;

	if ((op == HZ_DIV || op == HZ_MOD) && b == 0)
		return HZ_EVAL_DIVISION_BY_ZERO;
	r = op == HZ_ADD   ? (HzInt128) a + b
		: op == HZ_SUB ? (HzInt128) a - b
		: op == HZ_MUL ? (HzInt128) a * b
		: op == HZ_DIV ? (HzInt128) a / b
					   : (HzInt128) a % b;
	*out = (int64_t) r;
	if (r != ((int64_t) ((uint64_t) r << (64 - 8 * width)) >> (64 - 8 * width)))
		return ranges[width];
	return HZ_EVAL_OK;
}

static void
check_arith(HzEval *eval, const HzRows *selected)
{
	const HzVector *a = &columns[0].vector;
	const HzVector *b = &columns[1].vector;
	HzEvalFailure failure = HZ_EVAL_OK;
	HzVector out;
	bool good = hz_eval_value(eval, &node, selected, &out);
	bool same = true;

	for (uint32_t i = 0; i < selected->count && failure == HZ_EVAL_OK; i++)
	{
		uint32_t row = hz_rows_at(selected, i);
		bool valid = hz_vector_valid(a, row) && hz_vector_valid(b, row);
		int64_t value = 0;

		if (valid)
			failure = expect_arith((HzArithOp) node.op, node.width, int_slot(a, row),
								   int_slot(b, row), &value);
		if (good)
			same = same && valid == hz_vector_valid(&out, row) &&
				   (!valid || int_slot(&out, row) == value);
	}
	CHECK(same);
	CHECK(good == (failure == HZ_EVAL_OK));
	if (!good)
		CHECK(hz_eval_failure(eval) == failure);
}

static void
make_small(uint8_t *slot, uint32_t width)
{
	int64_t value = (int64_t) (unit_random() % 9) - 4;

	if (unit_random() % 4000 == 0)
		make_int(slot, width);
	else
		memcpy(slot, &value, width);
}

static void
test_arith(HzEval *eval)
{
	uint32_t rows = 600;

	for (int round = 0; round < 600; round++)
	{
		uint32_t widths[2] = {2u << unit_random() % 3, 2u << unit_random() % 3};
		static const HzKind kinds[] = {
			[2] = HZ_KIND_INT16, [4] = HZ_KIND_INT32, [8] = HZ_KIND_INT64};
		uint32_t wide = widths[0] > widths[1] ? widths[0] : widths[1];
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 4 * 25);

		unit_subject = "arithmetic";
		for (int i = 0; i < 2; i++)
			fill_column(&columns[i], kinds[widths[i]], widths[i], (HzForm) (unit_random() % 3),
						unit_random() % 2, rows, make_small);
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		reset_nodes(kinds[wide], wide, hz_vexpr_arith_value, kinds[wide], wide);
		node.op = round % 5;
		check_arith(eval, &selected);
		if (columns[1].vector.form != HZ_FORM_CONSTANT || columns[1].vector.validity != NULL)
			continue;
		use_constant(kinds[widths[1]], widths[1], columns[1].values);
		check_arith(eval, &selected);
	}
}

/* ---- numerics */

static void
make_scaled(uint8_t *slot, uint32_t width)
{
	HzInt128 value = (HzInt128) (unit_random() % 2001) - 1000;

	if (width == sizeof(HzInt128) && unit_random() % 4 == 0)
		value *= INT64_MAX;
	memcpy(slot, &value, width);
}

static void
test_decimals(HzEval *eval)
{
	static int8_t expected[HZ_VECTOR_ROWS];
	uint32_t rows = 400;

	unit_subject = "numeric";
	for (int round = 0; round < 400; round++)
	{
		HzNumericForm form = round % 2 ? HZ_NUMERIC_INT64 : HZ_NUMERIC_INT128;
		uint32_t width = form == HZ_NUMERIC_INT64 ? 8 : sizeof(HzInt128);
		HzInt128 right = (HzInt128) (unit_random() % 200001) - 100000;
		uint16_t scale = (uint16_t) (unit_random() % 6);
		uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
		HzString constant = {.data = payload,
							 .length = hz_numeric_to_payload(right, scale, payload)};
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3 * 9);

		fill_column(&columns[0], HZ_KIND_NUMERIC, width, (HzForm) (round % 3), round & 4, rows,
					make_scaled);
		columns[0].vector.numeric = form;
		columns[0].vector.scale = (uint16_t) (unit_random() % 4);
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		reset_nodes(HZ_KIND_NUMERIC, 0, hz_vexpr_compare_value, HZ_KIND_BOOL, 1);
		use_constant(HZ_KIND_NUMERIC, sizeof(HzString), &constant);
		constant_node.constant.numeric = HZ_NUMERIC_PAYLOAD;
		node.class = HZ_CLASS_NUMERIC;
		node.op = round / 6 % 6;
		for (uint32_t i = 0; i < rows; i++)
		{
			const HzVector *a = &columns[0].vector;
			HzInt128 x = 0;
			HzInt128 y = right;

			memcpy(&x, slot_at(a, i), width);
			if (form == HZ_NUMERIC_INT64)
				x = (int64_t) x;
			for (uint16_t s = a->scale; s < 6; s++)
				x *= 10;
			for (uint16_t s = scale; s < 6; s++)
				y *= 10;
			expected[i] =
				hz_vector_valid(a, i) ? holds(x < y ? -1 : x > y, (HzCompareOp) node.op) : -1;
		}
		check_truth(eval, &selected, expected);
	}
}

int
main(void)
{
	HzEval *eval = hz_eval_create(get_column, NULL);

	test_comparisons(eval);
	test_logic(eval);
	test_null_tests(eval);
	test_in(eval);
	test_like(eval);
	test_like_anywhere(eval);
	test_arith(eval);
	test_decimals(eval);
	hz_eval_free(eval);
	free(columns[0].values);
	free(columns[1].values);
	return unit_summary();
}
