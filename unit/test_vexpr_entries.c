/*
 * unit/test_vexpr_entries.c
 *	  Ranges of integers as dictionaries, combinations of dictionaries; to_char(), zones, floors of quotients, casts, concatenation against the same computed
 *	  value by value.
 */
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_zone.h"
#include "unit/vexpr_cases.h"

#define DAY HZ_USECS_PER_DAY
#define HOUR INT64_C(3600000000)

/* ---- ranges */

static int64_t range_base;
static uint32_t range_size;

static void
make_in_range(uint8_t *slot, uint32_t width)
{
	int64_t value = range_base + (int64_t) (unit_random() % range_size);

	memcpy(slot, &value, width);
}

static void
test_ranges(HzEval *eval)
{
	static const HzKind kinds[] = {HZ_KIND_INT16, HZ_KIND_INT32, HZ_KIND_INT64};
	static const uint32_t widths[] = {2, 4, 8};
	static const int64_t least[] = {INT16_MIN, INT32_MIN, INT64_MIN};
	static const int64_t greatest[] = {INT16_MAX, INT32_MAX, INT64_MAX};
	static HzVexpr of_kind[3];
	const HzVector *a = &columns[0].vector;

	unit_subject = "ranges";
	for (int round = 0; round < 300; round++)
	{
		int k = round % 3;
		uint32_t rows = 1 + (uint32_t) (unit_random() % HZ_VECTOR_ROWS);
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3);

		if (round % 20 == 0)
			hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		range_size = (uint32_t[]){1, 7, 1000, 4000, 4064, 4065, 9000}[round % 7];
		range_base = round % 4 == 0   ? least[k]
					 : round % 4 == 1 ? greatest[k] - range_size + 1
									  : (int64_t) (unit_random() % 3000) - 1500;
		fill_column(&columns[0], kinds[k], widths[k], HZ_FORM_FLAT, round & 8, rows, make_in_range);
		for (int again = 0; again < 2; again++)
		{
			HzVector out = *a;
			bool same = true;

			hz_vector_number(eval, &of_kind[k], &selected, &out);
			for (uint32_t i = 0; i < selected.count; i++)
			{
				uint32_t row = hz_rows_at(&selected, i);

				if (out.form == HZ_FORM_DICT)
					same = same && out.codes[row] < out.dict_count;
				if (hz_vector_valid(a, row))
					same = same && memcmp(slot_at(&out, row), slot_at(a, row), widths[k]) == 0;
			}
			CHECK(same);
			CHECK(out.form != HZ_FORM_DICT || out.dict_count <= 4096);
		}
		if (round % 20 == 0 && selected.count >= 64 && range_size <= 4064 &&
			hz_rows_any_valid(a, &selected))
		{
			HzVector out = *a;

			hz_vector_number(eval, &of_kind[k], &selected, &out);
			CHECK(out.form == HZ_FORM_DICT);
		}
	}
}

/* ---- combinations */

static void
make_byte(uint8_t *slot, uint32_t width)
{
	memset(slot, (int) (unit_random() % 5), width);
}

static void
test_combinations(HzEval *eval)
{
	unit_subject = "combinations";
	for (int round = 0; round < 400; round++)
	{
		uint32_t rows = 1 + (uint32_t) (unit_random() % HZ_VECTOR_ROWS);
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 5);
		HzVector both[2];
		HzVector out;
		bool same = true;

		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		fill_column(&columns[0], HZ_KIND_INT64, 8, (HzForm) (round % 3), round & 4, rows,
					make_byte);
		fill_column(&columns[1], HZ_KIND_INT32, 4, (HzForm) (round / 3 % 3), round & 8, rows,
					make_byte);
		both[0] = columns[0].vector;
		both[1] = columns[1].vector;
		if (!hz_eval_combine(eval, &node, both, 2, &selected, &out))
		{
			CHECK(both[0].form == HZ_FORM_FLAT || both[1].form == HZ_FORM_FLAT);
			continue;
		}
		for (uint32_t i = 0; i < selected.count; i++)
		{
			uint32_t row = hz_rows_at(&selected, i);
			uint32_t number = out.codes[row];

			same = same && number < out.dict_count;
			for (int v = 0; v < 2; v++)
			{
				uint32_t entry;
				bool valid = hz_combination_next(&both[v], &number, &entry);

				same = same && valid == hz_vector_valid(&both[v], row) &&
					   (!valid || entry == hz_vector_slot(&both[v], row));
			}
		}
		CHECK(same);
		/* the same dictionaries are known again, whether a batch has nulls or not; constants are not */
		{
			HzVector again;

			both[0].validity = both[1].validity = NULL;
			CHECK(hz_eval_combine(eval, &node, both, 2, &selected, &again));
			CHECK((again.values == out.values) ==
				  (both[0].form == HZ_FORM_DICT && both[1].form == HZ_FORM_DICT));
		}
	}
}

/* There is an end to them. */
static void
test_budget(HzEval *eval)
{
	HzRows rows = {.count = HZ_VECTOR_ROWS};
	HzVector both[2];
	HzVector out;
	int count = 0;

	unit_subject = "budget";
	hz_eval_group(eval);
	hz_eval_batch(eval, HZ_VECTOR_ROWS);
	fill_column(&columns[0], HZ_KIND_INT64, 8, HZ_FORM_DICT, false, HZ_VECTOR_ROWS, make_byte);
	fill_column(&columns[1], HZ_KIND_INT64, 8, HZ_FORM_CONSTANT, false, HZ_VECTOR_ROWS, make_byte);
	both[0] = columns[0].vector;
	both[1] = columns[1].vector;
	while (count < 10000 && hz_eval_combine(eval, &node, both, 2, &rows, &out))
		count++;
	CHECK(count > 1000 && count < 10000);
	both[0].dict_count = 40000;
	hz_eval_group(eval);
	CHECK(!hz_eval_combine(eval, &node, both, 2, &rows, &out));
}

/* ---- to_char */

static void
make_time(uint8_t *slot, uint32_t width)
{
	static const int64_t edges[] = {INT64_MIN, INT64_MAX, HZ_TIMESTAMP_MIN, HZ_TIMESTAMP_END - 1,
									-1,        0};
	int64_t value = (int64_t) (unit_random() % (range_size * UINT64_C(1000) * DAY)) - range_base;

	if (unit_random() % 30 == 0 && range_size > 50)
		value = edges[unit_random() % 6];
	memcpy(slot, &value, width);
}

static void
test_to_char(HzEval *eval)
{
	static const struct
	{
		const char *format; /* a capital letter: a field */
		int64_t unit;       /* months: negative */
	} formats[] = {{"Y-M-D H:I:S", 1000000}, {"Y/M/D H:00", HOUR},  {"D.M.Y", DAY},
				   {"Y-M-01", -1},           {"in Y", -12},         {"I", 60000000},
				   {"YMDHIS", 1000000},      {"time H and M", HOUR}};
	const HzVector *a = &columns[0].vector;

	unit_subject = "to_char";
	for (int round = 0; round < 500; round++)
	{
		uint32_t rows = 1 + (uint32_t) (unit_random() % 900);
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3);
		const char *text = formats[round % 8].format;
		uint8_t format[HZ_FORMAT_MAX];
		HzString string = {format, strlen(text)};
		HzVector out;
		bool same = true;

		for (size_t i = 0; i < string.length; i++)
		{
			const char *field = strchr("SIHDM-Y", text[i]);

			format[i] = field != NULL && text[i] != '-'
							? (uint8_t) (HZ_FORMAT_FIELD + (field - "SIHDM-Y"))
							: (uint8_t) text[i];
		}
		range_size = round & 1 ? 1 : 200;
		range_base = range_size / 2 * 1000 * DAY;
		fill_column(&columns[0], HZ_KIND_INT64, 8, (HzForm) (round / 8 % 3), round & 4, rows,
					make_time);
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		reset_nodes(HZ_KIND_INT64, 8, hz_vexpr_to_char_value, HZ_KIND_BYTES, 0);
		node.op = formats[round % 8].unit < 0;
		node.number = node.op ? -formats[round % 8].unit : formats[round % 8].unit;
		node.offset = round & 16 ? INT64_C(-12600000000) : 0;
		node.constant.values = &string;
		CHECK(hz_eval_value(eval, &node, &selected, &out));
		for (uint32_t i = 0; i < selected.count; i++)
		{
			uint32_t row = hz_rows_at(&selected, i);
			bool valid = hz_vector_valid(a, row) && hz_time_is_finite(int_slot(a, row));
			char expected[HZ_FORMAT_MAX * 8];
			int length = 0;
			int64_t local;
			int64_t day;
			int fields[7];

			same = same && valid == hz_vector_valid(&out, row);
			if (!valid)
				continue;
			local = int_slot(a, row) + node.offset;
			day = hz_floor_div(local, DAY);
			hz_civil_of((int32_t) day, &fields[6], &fields[4], &fields[3]);
			if (fields[6] <= 0)
				fields[6] = 1 - fields[6];
			fields[0] = (int) ((local - day * DAY) / 1000000 % 60);
			fields[1] = (int) ((local - day * DAY) / 60000000 % 60);
			fields[2] = (int) ((local - day * DAY) / HOUR);
			for (size_t f = 0; f < string.length; f++)
			{
				if (format[f] >= HZ_FORMAT_FIELD)
					length += snprintf(expected + length, sizeof(expected) - (size_t) length,
									   format[f] == HZ_FORMAT_FIELD + 6 ? "%04d" : "%02d",
									   fields[format[f] - HZ_FORMAT_FIELD]);
				else
					expected[length++] = (char) format[f];
			}
			{
				const HzString *s = slot_at(&out, row);

				same = same && s->length == (uint64_t) length &&
					   memcmp(s->data, expected, s->length) == 0;
			}
		}
		CHECK(same);
	}
}

/* ---- zones */

/* A zone of this test: summer time in half of each of 200 years of 365 days, from year 1950; local mean time before. */
static int64_t
zone_offset(int64_t t)
{
	int64_t half = hz_floor_div(t, 365 * DAY / 2);

	return half < -100 ? INT64_C(1172000000) : half % 2 != 0 ? 2 * HOUR : HOUR;
}

static int64_t
asked_offset(const HzVexprZone *zone, int64_t t)
{
	(void) zone;
	return zone_offset(t);
}

/* Any answer will do that is not that of the eras. */
static int64_t
asked_start(const HzVexprZone *zone, int64_t local)
{
	(void) zone;
	return local - 12345;
}

static void
test_zones(HzEval *eval)
{
	static HzZoneEra eras[301];
	const HzVexprZone zone = {.start = -150 * (365 * DAY / 2),
							  .end = 151 * (365 * DAY / 2),
							  .count = 301,
							  .eras = eras,
							  .ask_offset = asked_offset,
							  .ask_start = asked_start};
	const HzVector *a = &columns[0].vector;

	unit_subject = "zones";
	for (int e = 0; e < 301; e++)
	{
		eras[e].end = (e - 149) * (365 * DAY / 2);
		eras[e].offset = eras[e].before = zone_offset(eras[e].end - 1);
	}
	for (int round = 0; round < 600; round++)
	{
		uint32_t rows = 1 + (uint32_t) (unit_random() % 900);
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3);
		HzVector out;
		bool outside = false;
		bool same = true;
		bool thread = round % 2;
		bool good;

		range_size = (uint32_t[]){1, 1, 20, 80}[round % 4];
		range_base = (int64_t) (unit_random() % 50) * 1000 * DAY;
		fill_column(&columns[0], HZ_KIND_INT64, 8, (HzForm) (round / 4 % 3), round & 64, rows,
					make_time);
		for (uint32_t i = 0; round % 4 < 3 && a->form == HZ_FORM_FLAT && i < rows; i++)
			if (hz_vector_valid(a, i) && unit_random() % 3 == 0)
				((int64_t *) (void *) columns[0].values)[i] =
					hz_floor_div(((int64_t *) (void *) columns[0].values)[i], HOUR) * HOUR;
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		eval->in_thread = thread;
		reset_nodes(HZ_KIND_INT64, 8,
					round & 8 ? hz_vexpr_zone_local_value : hz_vexpr_zone_trunc_value,
					HZ_KIND_INT64, 8);
		node.zone = &zone;
		node.op = 0;
		node.number = (int64_t[]){HOUR, DAY, 7 * DAY, 60000000, 4 * HOUR}[round % 5];
		node.shift = node.number == 7 * DAY ? 2 * DAY : 0;
		good = hz_eval_value(eval, &node, &selected, &out);
		for (uint32_t i = 0; i < selected.count; i++)
		{
			uint32_t row = hz_rows_at(&selected, i);
			int64_t t;
			int64_t expected;

			if (!hz_vector_valid(a, row))
				continue;
			t = expected = int_slot(a, row);
			if (hz_time_is_finite(t))
			{
				int64_t local = t + zone_offset(t);
				int64_t start =
					hz_floor_div(local - node.shift, node.number) * node.number + node.shift;

				outside = outside || t < zone.start || t >= zone.end;
				if (node.value == hz_vexpr_zone_local_value)
					expected = local;
				else if (node.number < DAY)
					expected = start - zone_offset(t);
				else if (start - DAY < zone.start || start - DAY >= zone.end - 365 * DAY / 2)
				{
					outside = true;
					expected = start - 12345;
				}
				else
				{
					int64_t before = start - zone_offset(start - DAY);
					int64_t boundary =
						(hz_floor_div(start - DAY, 365 * DAY / 2) + 1) * (365 * DAY / 2);
					int64_t after = start - zone_offset(boundary);

					expected = before < boundary && after < boundary    ? before
							   : before > boundary && after >= boundary ? after
							   : before > after                         ? before
																		: after;
				}
			}
			if (good)
				same = same && hz_vector_valid(&out, row) && int_slot(&out, row) == expected;
		}
		CHECK(same);
		CHECK(good ||
			  (eval->failure == HZ_EVAL_ELSEWHERE ? thread
												  : eval->failure == HZ_EVAL_TIMESTAMP_RANGE));
		CHECK(!good || !thread || !outside);
	}
	eval->in_thread = false;
}

/* ---- floors */

static uint16_t number_scale;

static void
make_number(uint8_t *slot, uint32_t width)
{
	int64_t value = (int64_t) unit_random() >> (unit_random() % 60);

	if (unit_random() % 3 == 0)
		value = value / node.number * node.number + (int64_t) (unit_random() % 3) - 1;
	memcpy(slot, &value, width);
}

static bool fallback_asked;

static bool
fallback_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	(void) expr;
	(void) rows;
	fallback_asked = true;
	hz_null_vector(eval, &node, out);
	return true;
}

static void
test_floors(HzEval *eval)
{
	const HzVector *a = &columns[0].vector;
	HzVexpr fallback = {.value = fallback_value, .kind = HZ_KIND_NUMERIC};
	int computed = 0;

	unit_subject = "floors";
	for (int round = 0; round < 600; round++)
	{
		uint32_t rows = 1 + (uint32_t) (unit_random() % 300);
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3);
		HzVector out;
		bool same = true;

		reset_nodes(HZ_KIND_NUMERIC, 8, hz_vexpr_floor_value, HZ_KIND_NUMERIC, 8);
		node.number = (int64_t[]){1, 7, 300, 3600, 86400, 604800, 2147483647}[round % 7];
		node.args[1] = &fallback;
		node.count = 2;
		fill_column(&columns[0], HZ_KIND_NUMERIC, 8, (HzForm) (round / 7 % 3), round & 4, rows,
					make_number);
		number_scale = (uint16_t) (round % 8);
		columns[0].vector.numeric = HZ_NUMERIC_INT64;
		columns[0].vector.scale = number_scale;
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		fallback_asked = false;
		CHECK(hz_eval_value(eval, &node, &selected, &out));
		if (fallback_asked)
			continue;
		computed++;
		CHECK(out.scale == 0 && out.numeric == HZ_NUMERIC_INT64);
		for (uint32_t i = 0; i < selected.count; i++)
		{
			uint32_t row = hz_rows_at(&selected, i);
			__int128 unit = node.number;
			__int128 value;
			__int128 floored;

			if (!hz_vector_valid(a, row))
				continue;
			for (int s = 0; s < number_scale; s++)
				unit *= 10;
			value = int_slot(a, row);
			floored = value / unit - (value % unit < 0);
			same = same && hz_vector_valid(&out, row) && int_slot(&out, row) == (int64_t) floored;
		}
		CHECK(same);
	}
	CHECK(computed > 200);
}

/* ---- numbers */

static void
test_numbers(HzEval *eval)
{
	static const HzKind kinds[] = {HZ_KIND_INT16, HZ_KIND_INT32, HZ_KIND_INT64, HZ_KIND_FLOAT64};
	static const uint32_t widths[] = {2, 4, 8, 8};
	const HzVector *a = &columns[0].vector;
	HzVexpr fallback = {.value = fallback_value, .kind = HZ_KIND_NUMERIC};
	int computed = 0;

	unit_subject = "numbers";
	for (int round = 0; round < 600; round++)
	{
		uint32_t rows = 1 + (uint32_t) (unit_random() % 300);
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 3);
		int k = round % 4;
		HzVector out;
		bool same = true;
		int64_t unit = 1;

		reset_nodes(HZ_KIND_NUMERIC, 8, hz_vexpr_number_value, kinds[k], widths[k]);
		node.number = 5;
		node.args[1] = &fallback;
		if (round & 8)
		{
			range_base = -20000;
			range_size = 40001;
		}
		fill_column(&columns[0], HZ_KIND_NUMERIC, 8, (HzForm) (round / 4 % 3), round & 4, rows,
					round & 8 ? make_in_range : make_number);
		columns[0].vector.numeric = HZ_NUMERIC_INT64;
		columns[0].vector.scale = (uint16_t) (round % 6);
		for (int s = 0; s < round % 6; s++)
			unit *= 10;
		hz_eval_group(eval);
		hz_eval_batch(eval, rows);
		fallback_asked = false;
		CHECK(hz_eval_value(eval, &node, &selected, &out));
		CHECK(!fallback_asked || !(round & 8));
		computed += !fallback_asked;
		for (uint32_t i = 0; !fallback_asked && i < selected.count; i++)
		{
			uint32_t row = hz_rows_at(&selected, i);
			int64_t value;
			char text[64];

			if (!hz_vector_valid(a, row))
				continue;
			value = int_slot(a, row);
			if (kinds[k] == HZ_KIND_FLOAT64)
			{
				snprintf(text, sizeof(text), "%llde-%d", (long long) value, round % 6);
				same = same && *(const double *) slot_at(&out, row) == strtod(text, NULL);
			}
			else
			{
				__int128 twice = (__int128) value * 2 + (value < 0 ? -unit : unit);

				same = same && int_slot(&out, row) == (int64_t) (twice / (2 * (__int128) unit));
			}
		}
		CHECK(same);
	}
	CHECK(computed > 300);
}

/* ---- concatenation */

static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

static void
make_string(uint8_t *slot, uint32_t width)
{
	HzString s = {(const uint8_t *) letters + unit_random() % 10, unit_random() % 12};

	memcpy(slot, &s, width);
}

static void
test_concat(HzEval *eval)
{
	unit_subject = "concat";
	for (int round = 0; round < 400; round++)
	{
		uint32_t rows = 1 + (uint32_t) (unit_random() % HZ_VECTOR_ROWS);
		HzRows selected = some_rows(rows, 1 + (uint32_t) round % 5);
		HzVector out;
		bool same = true;

		fill_column(&columns[0], HZ_KIND_BYTES, sizeof(HzString), (HzForm) (round % 3), round & 4,
					rows, make_string);
		fill_column(&columns[1], HZ_KIND_BYTES, sizeof(HzString), (HzForm) (round / 3 % 3),
					round & 8, rows, make_string);
		reset_nodes(HZ_KIND_BYTES, 0, hz_vexpr_concat_value, HZ_KIND_BYTES, 0);
		hz_eval_group(eval);
		for (int batch = 0; batch < 2; batch++)
		{
			hz_eval_batch(eval, rows);
			CHECK(hz_eval_value(eval, &node, &selected, &out));
			for (uint32_t i = 0; i < selected.count; i++)
			{
				uint32_t row = hz_rows_at(&selected, i);
				const HzString *a = slot_at(&columns[0].vector, row);
				const HzString *b = slot_at(&columns[1].vector, row);
				bool valid = hz_vector_valid(&columns[0].vector, row) &&
							 hz_vector_valid(&columns[1].vector, row);
				const HzString *both = slot_at(&out, row);

				same = same && valid == hz_vector_valid(&out, row);
				if (valid)
					same = same && both->length == a->length + b->length &&
						   memcmp(both->data, a->data, a->length) == 0 &&
						   memcmp(both->data + a->length, b->data, b->length) == 0;
			}
		}
		CHECK(same);
	}
}

int
main(void)
{
	HzEval *eval = hz_eval_create(get_column, NULL);

	test_ranges(eval);
	test_combinations(eval);
	test_budget(eval);
	test_to_char(eval);
	test_zones(eval);
	test_floors(eval);
	test_numbers(eval);
	test_concat(eval);
	hz_eval_free(eval);
	free(columns[0].values);
	free(columns[1].values);
	return unit_summary();
}
