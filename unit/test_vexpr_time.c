/*
 * unit/test_vexpr_time.c
 *	  The calendar, and buckets of timestamps against the same computed value by value.
 */
#include "expr/vexpr_calendar.h"
#include "unit/vexpr_cases.h"

/* ---- time */

static void
make_time(uint8_t *slot, uint32_t width)
{
	static const int64_t edges[] = {INT64_MIN, INT64_MAX, HZ_TIMESTAMP_MIN, HZ_TIMESTAMP_END - 1,
									-1,        0};
	int64_t value =
		(int64_t) (unit_random() % (UINT64_C(80000) * 86400000000)) - INT64_C(40000) * 86400000000;

	if (unit_random() % 30 == 0)
		value = edges[unit_random() % 6];
	memcpy(slot, &value, width);
}

static void
test_calendar(void)
{
	int32_t day = hz_days_of(1600, 1, 1);

	unit_subject = "calendar";
	CHECK(hz_days_of(2000, 1, 1) == 0);
	CHECK(hz_days_of(-4713, 11, 24) == HZ_DATE_MIN);
	for (int y = 1600; y < 2500; y++)
		for (int m = 1; m <= 12; m++)
		{
			static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
			bool leap = m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

			for (int d = 1; d <= lengths[m - 1] + leap; d++, day++)
			{
				int year;
				int month;
				int of_month;

				hz_civil_of(day, &year, &month, &of_month);
				if (hz_days_of(y, m, d) != day || year != y || month != m || of_month != d)
					CHECK(false);
			}
		}
}

static HzEvalFailure
expect_bucket(int64_t t, int64_t *out)
{
	int64_t local = t + node.offset;
	int64_t start;

	*out = t;
	if (!hz_time_is_finite(t))
		return HZ_EVAL_OK;
	if (node.op == 0)
		start = hz_floor_div(local - node.shift, node.number) * node.number + node.shift;
	else
	{
		int year;
		int month;
		int day;

		hz_civil_of((int32_t) hz_floor_div(local, HZ_USECS_PER_DAY), &year, &month, &day);
		month -= (month - 1) % (int) node.number;
		start = hz_days_of(year, month, 1) * HZ_USECS_PER_DAY;
	}
	*out = start - node.offset;
	return hz_time_is_valid(*out) ? HZ_EVAL_OK : HZ_EVAL_TIMESTAMP_RANGE;
}

static void
test_buckets(HzEval *eval)
{
	static const int64_t units[] = {1000,       1000000,     900000000,
									3600000000, 86400000000, 604800000000};
	uint32_t rows = 700;

	unit_subject = "buckets";
	for (int round = 0; round < 400; round++)
	{
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3 * 30);
		const HzVector *a = &columns[0].vector;
		HzEvalFailure failure = HZ_EVAL_OK;
		HzVector out;
		bool same = true;
		bool good;

		fill_column(&columns[0], HZ_KIND_INT64, 8, (HzForm) (round % 3), round & 4, rows,
					make_time);
		if (round % 5 == 0 && columns[0].vector.form == HZ_FORM_FLAT)
			for (uint32_t i = 0; i < rows; i++)
				((int64_t *) (void *) columns[0].values)[i] =
					(int64_t) (unit_random() % 100000) * (hz_vector_valid(a, i) ? 1 : 0);
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		reset_nodes(HZ_KIND_INT64, 8, hz_vexpr_trunc_value, HZ_KIND_INT64, 8);
		node.op = round & 8 ? 1 : 0;
		node.number = node.op == 0 ? units[round % 6] : (int64_t[]){1, 3, 12}[round % 3];
		node.shift = node.op == 0 ? (int64_t) (unit_random() % 86400000000) : 0;
		node.offset = round & 16 ? INT64_C(-12600000000) : 0;
		good = hz_eval_value(eval, &node, &selected, &out);
		for (uint32_t i = 0; i < selected.count && failure == HZ_EVAL_OK; i++)
		{
			uint32_t row = hz_rows_at(&selected, i);
			bool valid = hz_vector_valid(a, row);
			int64_t value = 0;

			if (valid)
				failure = expect_bucket(int_slot(a, row), &value);
			if (good)
				same = same && valid == hz_vector_valid(&out, row) &&
					   (!valid || int_slot(&out, row) == value);
		}
		CHECK(same);
		CHECK(good == (failure == HZ_EVAL_OK));
	}
}

/* Vectors of a row group whose values are within some thousands of buckets are codes of one dictionary; others are not. */
static void
test_shared_buckets(HzEval *eval)
{
	static const int64_t units[] = {60000000, 3600000000, 86400000000};
	uint32_t rows = 900;
	uint32_t shared = 0;

	unit_subject = "shared buckets";
	for (int round = 0; round < 60; round++)
	{
		int64_t unit = units[round % 3];
		int64_t start =
			(int64_t) (unit_random() % 300000000000000000) - INT64_C(100000000000000000);
		const void *values = NULL;

		hz_eval_group(eval);
		reset_nodes(HZ_KIND_INT64, 8, hz_vexpr_trunc_value, HZ_KIND_INT64, 8);
		node.number = unit;
		node.shift = (int64_t) (unit_random() % 86400000000);
		node.offset = round & 1 ? INT64_C(-12600000000) : 0;
		for (int batch = 0; batch < 8; batch++)
		{
			HzRows all = {.count = rows};
			const HzVector *a = &columns[0].vector;
			bool far = batch == 5;
			uint64_t range = (uint64_t) unit * (far ? 90000 : 300);
			int64_t first = start + (batch - 3) * unit * 20;
			uint64_t wrong = 0;
			HzVector out;

			fill_column(&columns[0], HZ_KIND_INT64, 8, HZ_FORM_FLAT, round & 2, rows, make_time);
			for (uint32_t i = 0; i < rows; i++)
				((int64_t *) (void *) columns[0].values)[i] =
					hz_vector_valid(a, i) ? first + (int64_t) (unit_random() % range) : 0;
			hz_eval_batch(eval, rows);
			if (!CHECK(hz_eval_value(eval, &node, &all, &out)))
				return;
			for (uint32_t i = 0; i < rows; i++)
			{
				int64_t value = 0;

				wrong +=
					hz_vector_valid(a, i) && (expect_bucket(int_slot(a, i), &value) != HZ_EVAL_OK ||
											  int_slot(&out, i) != value);
			}
			CHECK(wrong == 0);
			CHECK((out.form == HZ_FORM_DICT) == !far);
			shared += !far && values == out.values;
			values = far ? values : out.values;
		}
	}
	/* the dictionary grows with the range: mostly it is the same as before */
	CHECK(shared > 60 * 7 / 3);
}

int
main(void)
{
	HzEval *eval = hz_eval_create(get_column, NULL);

	test_calendar();
	test_buckets(eval);
	test_shared_buckets(eval);
	hz_eval_free(eval);
	free(columns[0].values);
	free(columns[1].values);
	return unit_summary();
}
