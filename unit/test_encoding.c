/*
 * unit/test_encoding.c
 *	  Bit packing and the integer encodings: round trips, single values, and the choice by size.
 */
#include "encoding/bitpack.h"
#include "encoding/encoding.h"
#include "unit/encoding_cases.h"

#define N HZ_VECTOR_ROWS

static int64_t values[N];
static HzBytes out;

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool
fits(int64_t value, uint32_t width)
{
	return width == 8 ||
		   (value >= -(INT64_C(1) << (8 * width - 1)) && value < INT64_C(1) << (8 * width - 1));
}

static int64_t
slot_value(const void *slots, uint32_t width, uint32_t i)
{
	switch (width)
	{
		case 1:
			return ((const int8_t *) slots)[i];
		case 2:
			return ((const int16_t *) slots)[i];
		case 4:
			return ((const int32_t *) slots)[i];
		default:
			return ((const int64_t *) slots)[i];
	}
}

/* Packs and unpacks to all widths; nothing is written past the wanted slots. */
static void
check_bitpack(uint32_t bits, uint32_t count)
{
	size_t size = hz_bitpack_size(count, bits);
	uint8_t *packed = malloc(size ? size : 1);
	const uint64_t base = UINT64_C(0xFEDCBA9876543210);

	hz_bitpack((const uint64_t *) values, count, bits, packed);
	for (uint32_t i = 0; i < count; i += 1 + count / 100)
		CHECK(hz_bitpack_get(packed, count, bits, i) == (uint64_t) values[i]);
	for (uint32_t width = 1; width <= 8; width *= 2)
	{
		for (uint32_t wanted = count; wanted > 0 && bits <= 8 * width; wanted /= 3)
		{
			uint8_t *slots = malloc((size_t) wanted * width);
			uint64_t wrong = 0;

			hz_bitpack_unpack(packed, count, bits, wanted, base, width, slots);
			for (uint32_t i = 0; i < wanted; i++)
			{
				uint64_t sum = base + (uint64_t) values[i];

				wrong += memcmp(slots + (size_t) i * width, &sum, width) != 0;
			}
			CHECK(wrong == 0);
			free(slots);
		}
	}
	free(packed);
}

static void
test_bitpack(void)
{
	unit_subject = "bitpack";
	for (uint32_t bits = 0; bits <= 64; bits++)
	{
		fill_random_bits(bits, N, values);
		for (size_t c = 0; c < CASE_COUNTS; c++)
		{
			uint32_t count = case_counts[c];
			size_t ideal = ((size_t) count * bits + 7) / 8;

			check_bitpack(bits, count);
			CHECK(hz_bitpack_size(count, bits) >= ideal);
			CHECK(hz_bitpack_size(count, bits) <= ideal + ideal / 8 + 16 + 8 * count / 64);
		}
		CHECK(hz_bitpack_size(N, bits) == (size_t) N * bits / 8);
	}
}

/* Decodes what is in `out` to every width and looks up single values. */
static void
check_int_decode(uint32_t count)
{
	uint32_t stride = out.data[0] == HZ_ENCODING_DELTA && count > 200 ? 13 : 1;
	uint8_t *piece = unit_copy(out.data, out.length);
	uint64_t wrong = 0;

	for (uint32_t width = 1; width <= 8; width *= 2)
	{
		void *slots = malloc((size_t) (count + 63) / 64 * 64 * width);
		bool all_fit = true;
		HzStatus status;

		for (uint32_t i = 0; i < count; i++)
			all_fit &= fits(values[i], width);
		status = hz_int_decode(piece, out.length, count, width, slots);
		CHECK(status == (all_fit ? HZ_OK : HZ_CORRUPT));
		for (uint32_t i = 0; i < count && status == HZ_OK; i++)
			wrong += slot_value(slots, width, i) != values[i];
		free(slots);
	}
	for (uint32_t i = 0; i < count; i += stride)
	{
		int64_t value = 0;

		wrong += hz_int_value(piece, out.length, count, i, &value) != HZ_OK || value != values[i];
	}
	CHECK(wrong == 0);
	free(piece);
}

/* No candidate whose size is easily told is smaller than what was chosen. */
static void
check_int_size(uint32_t count)
{
	int64_t least = values[0], most = values[0], least_delta = INT64_MAX, most_delta = INT64_MIN;
	uint32_t slot = 1;
	size_t bound;

	for (uint32_t i = 0; i < count; i++)
	{
		int64_t delta = i == 0 ? 0 : (int64_t) ((uint64_t) values[i] - (uint64_t) values[i - 1]);

		least = values[i] < least ? values[i] : least;
		most = values[i] > most ? values[i] : most;
		if (i > 0)
		{
			least_delta = delta < least_delta ? delta : least_delta;
			most_delta = delta > most_delta ? delta : most_delta;
		}
		while (!fits(values[i], slot))
			slot *= 2;
	}
	bound = 2 + (size_t) slot * count;
	if (least == most)
		bound = 1 + slot;
	else
	{
		uint32_t bits = hz_bitpack_width((uint64_t) most - (uint64_t) least);
		uint32_t delta_bits = hz_bitpack_width((uint64_t) most_delta - (uint64_t) least_delta);

		bound = smaller(bound, 10 + hz_bitpack_size(count, bits));
		bound = smaller(bound, 19 + hz_bitpack_size(count - 1, delta_bits));
	}
	CHECK(out.length <= bound);
}

static void
check_ints(uint32_t count)
{
	out.length = 0;
	hz_int_encode(values, count, &out);
	check_int_decode(count);
	check_int_size(count);
}

static void
test_int_cases(void)
{
	for (int which = 0; which < INT_CASES; which++)
		for (size_t c = 0; c < CASE_COUNTS; c++)
		{
			unit_subject = int_case_names[which];
			fill_int_case(which, case_counts[c], values);
			check_ints(case_counts[c]);
		}
}

static void
test_int_widths(void)
{
	unit_subject = "random bits";
	for (uint32_t bits = 0; bits <= 64; bits++)
		for (size_t c = 0; c < CASE_COUNTS; c++)
		{
			fill_random_bits(bits, case_counts[c], values);
			check_ints(case_counts[c]);
			for (uint32_t i = 0; i < case_counts[c]; i++)
				values[i] = (int64_t) ((uint64_t) values[i] -
									   (UINT64_C(1) << 63 >> (64 - (bits ? bits : 1))));
			check_ints(case_counts[c]);
		}
}

/* Random choices of shape, as a fuzzer would make them. */
static void
test_int_mixtures(void)
{
	unit_subject = "mixtures";
	for (uint32_t round = 0; round < 300; round++)
	{
		uint64_t shape;
		uint32_t count;

		unit_seed = 1000003u * (round + 1);
		shape = unit_random();
		count = 1 + (uint32_t) (unit_random() % N);
		for (uint32_t i = 0; i < count; i++)
		{
			uint64_t r = unit_random();
			uint64_t small = (r >> 8) >> (shape % 56);
			uint64_t value = i && (r & 255) < (shape >> 8 & 255) ? (uint64_t) values[i - 1] : small;

			if (shape >> 16 & 1)
				value += i ? (uint64_t) values[i - 1] : 0;
			if (shape >> 17 & 1)
				value *= shape >> 32;
			if ((shape >> 18 & 1) && r % 200 == 0)
				value = r;
			values[i] = (int64_t) value;
		}
		check_ints(count);
	}
}

/* What stands in the first byte, and how long the piece may be. */
static void
check_choice(int which, HzEncoding encoding, size_t most)
{
	unit_subject = int_case_names[which];
	fill_int_case(which, N, values);
	out.length = 0;
	hz_int_encode(values, N, &out);
	if (!CHECK(out.data[0] == encoding))
		fprintf(stderr, "%s\n", hz_encoding_name((HzEncoding) out.data[0]));
	if (!CHECK(out.length <= most))
		fprintf(stderr, "%zu bytes\n", out.length);
}

static void
test_int_choice(void)
{
	check_choice(0, HZ_ENCODING_CONSTANT, 2);
	check_choice(2, HZ_ENCODING_CONSTANT, 9);
	check_choice(3, HZ_ENCODING_RUN_LENGTH, 60);
	check_choice(5, HZ_ENCODING_RUN_LENGTH, 30);
	check_choice(6, HZ_ENCODING_DELTA, 11);
	check_choice(7, HZ_ENCODING_DELTA, 12);
	check_choice(8, HZ_ENCODING_DELTA, 19 + N);
	check_choice(9, HZ_ENCODING_DELTA, 27 + N * 13 / 8);
	check_choice(10, HZ_ENCODING_DELTA, 27 + N * 6 / 8);
	check_choice(11, HZ_ENCODING_FOR, 18 + N * 20 / 8);
	check_choice(12, HZ_ENCODING_PATCHED, 40 + N * 7 / 8);
	check_choice(13, HZ_ENCODING_PATCHED, N * 7 / 8);
	check_choice(14, HZ_ENCODING_FOR, 18 + N / 8);
	check_choice(15, HZ_ENCODING_RUN_LENGTH, 7 * N);
	check_choice(21, HZ_ENCODING_DELTA, 90 + N * 13 / 8);
	check_choice(22, HZ_ENCODING_PATCHED, N / 2);
	fill_random_bits(64, N, values);
	out.length = 0;
	hz_int_encode(values, N, &out);
	CHECK(out.data[0] == HZ_ENCODING_PLAIN);
	check_choice(23, HZ_ENCODING_FOR, 18 + N * 12 / 8);
}

static void
test_limits(void)
{
	int64_t value;

	unit_subject = "limits";
	values[0] = 5;
	out.length = 0;
	hz_int_encode(values, 1, &out);
	CHECK(hz_int_decode(out.data, out.length, 0, 8, values) == HZ_LIMIT);
	CHECK(hz_int_decode(out.data, out.length, N + 1, 8, values) == HZ_LIMIT);
	CHECK(hz_int_decode(out.data, out.length, 1, 3, values) == HZ_LIMIT);
	CHECK(hz_int_value(out.data, out.length, 1, 1, &value) == HZ_LIMIT);
	CHECK(strcmp(hz_encoding_name(HZ_ENCODING_ALP_RD), "alp-rd") == 0);
	CHECK(hz_encoding_name((HzEncoding) 0) == NULL);
}

int
main(void)
{
	test_bitpack();
	test_int_cases();
	test_int_widths();
	test_int_mixtures();
	test_int_choice();
	test_limits();
	hz_bytes_free(&out);
	return unit_summary();
}
