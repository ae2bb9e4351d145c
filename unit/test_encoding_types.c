/*
 * unit/test_encoding_types.c
 *	  Round trips and sizes of the encodings of floats, 128-bit integers, fixed-width values and bitmaps.
 */
#include "base/bitmap.h"
#include "encoding/encoding.h"
#include "unit/encoding_cases.h"

#define N HZ_VECTOR_ROWS

static HzBytes out;

/* ---- floats ---- */

static uint64_t floats[N]; /* slots of 4 or 8 bytes */

/* Returns the bytes taken. */
static size_t
check_floats(uint32_t width, uint32_t count)
{
	uint8_t *slots = malloc((size_t) (count + 63) / 64 * 64 * width);
	uint8_t *piece;

	out.length = 0;
	hz_float_encode(floats, width, count, &out);
	piece = unit_copy(out.data, out.length);
	CHECK(hz_float_decode(piece, out.length, count, width, slots) == HZ_OK);
	CHECK(memcmp(slots, floats, (size_t) count * width) == 0);
	CHECK(out.length <= 1 + (size_t) count * width);
	free(piece);
	free(slots);
	return out.length;
}

static void
test_float_cases(void)
{
	for (int which = 0; which < FLOAT_CASES; which++)
		for (uint32_t width = 4; width <= 8; width += 4)
			for (size_t c = 0; c < CASE_COUNTS; c++)
			{
				unit_subject = float_case_names[which];
				fill_float_case(which, case_counts[c], width, floats);
				check_floats(width, case_counts[c]);
			}
}

static void
check_float_choice(int which, uint32_t width, HzEncoding encoding, size_t most)
{
	size_t size;

	unit_subject = float_case_names[which];
	fill_float_case(which, N, width, floats);
	size = check_floats(width, N);
	CHECK(out.data[0] == encoding);
	if (!CHECK(size <= most))
		fprintf(stderr, "%zu bytes\n", size);
}

static void
test_float_choice(void)
{
	check_float_choice(0, 8, HZ_ENCODING_CONSTANT, 9);
	check_float_choice(1, 4, HZ_ENCODING_CONSTANT, 5);
	check_float_choice(2, 8, HZ_ENCODING_ALP, 40 + N * 20 / 8);
	check_float_choice(2, 4, HZ_ENCODING_ALP, 40 + N * 20 / 8);
	check_float_choice(3, 8, HZ_ENCODING_ALP, 40 + N * 40 / 8);
	check_float_choice(4, 8, HZ_ENCODING_ALP, 40 + N * 17 / 8);
	check_float_choice(5, 8, HZ_ENCODING_ALP, 40 + N * 21 / 8);
	check_float_choice(6, 8, HZ_ENCODING_ALP_RD, N * 56 / 8);
	check_float_choice(6, 4, HZ_ENCODING_ALP_RD, N * 27 / 8);
	check_float_choice(7, 8, HZ_ENCODING_ALP_RD, N * 58 / 8);
	check_float_choice(8, 8, HZ_ENCODING_PLAIN, 1 + N * 8);
	check_float_choice(9, 8, HZ_ENCODING_RUN_LENGTH, N);
	check_float_choice(10, 8, HZ_ENCODING_ALP, 40 + N * 14 / 8 + N / 10 * 12);
	check_float_choice(13, 8, HZ_ENCODING_ALP_RD, N * 60 / 8);
	check_float_choice(16, 8, HZ_ENCODING_ALP, 60 + N * 4 / 8);
}

/* Every decimal of up to 15 digits comes back without an exception: the size proves it. */
static void
test_float_decimals(void)
{
	unit_subject = "decimals";
	for (int power = 0; power <= 15; power++)
		for (int digits = 1; digits <= 15; digits++)
		{
			uint64_t range = (uint64_t) llround(pow(10, digits));
			uint32_t bits = 64 - (uint32_t) __builtin_clzll(range - 1);
			char text[64];

			unit_seed = 88172645463325252u;
			for (uint32_t i = 0; i < 256; i++)
			{
				double value;

				snprintf(text, sizeof(text), "%llue-%d",
						 (unsigned long long) (unit_random() % range), power);
				value = strtod(text, NULL);
				memcpy(&floats[i], &value, 8);
			}
			CHECK(check_floats(8, 256) <= 40 + 256 * bits / 8);
		}
}

static void
test_float_specials(void)
{
	static const uint64_t specials[] = {0,
										UINT64_C(1) << 63,
										1,
										UINT64_C(0x000FFFFFFFFFFFFF),
										UINT64_C(0x0010000000000000),
										UINT64_C(0x7FEFFFFFFFFFFFFF),
										UINT64_C(0xFFEFFFFFFFFFFFFF),
										UINT64_C(0x7FF0000000000000),
										UINT64_C(0xFFF0000000000000),
										UINT64_C(0x7FF0000000000001),
										UINT64_C(0xFFF8000000000000),
										UINT64_C(0x7FFFFFFFFFFFFFFF),
										UINT64_C(0x4320000000000000),
										UINT64_C(0x432FFFFFFFFFFFFF),
										UINT64_C(0x4330000000000000),
										UINT64_C(0xC320000000000000),
										UINT64_C(0x3FB999999999999A)};
	const uint32_t many = sizeof(specials) / sizeof(specials[0]);

	unit_subject = "special values";
	for (uint32_t round = 0; round < 400; round++)
	{
		uint32_t count;

		unit_seed = 7919u * (round + 1);
		count = 1 + (uint32_t) (unit_random() % 300);
		for (uint32_t i = 0; i < count; i++)
		{
			uint64_t r = unit_random();
			double decimal = (double) (r % 1000) / 10;

			if ((r >> 32) % 8 < round % 8)
				memcpy(&floats[i], &decimal, 8);
			else
				floats[i] = specials[(r >> 40) % many];
		}
		check_floats(8, count);
		check_floats(4, count);
	}
}

/* ---- 128-bit integers ---- */

static HzInt128 wide[N];

static size_t
check_wide(uint32_t count)
{
	/* At 8 modulo 16, as a memory context may have it. */
	uint8_t *room = malloc(16 * (size_t) count + 8);
	HzInt128 *target =
		(HzInt128 *) ((uintptr_t) (room + 15) / 16 * 16 == (uintptr_t) room ? room + 8 : room);
	uint8_t *piece;

	out.length = 0;
	hz_int128_encode(wide, count, &out);
	piece = unit_copy(out.data, out.length);
	CHECK(hz_int128_decode(piece, out.length, count, target) == HZ_OK);
	CHECK(memcmp(target, wide, 16 * (size_t) count) == 0);
	CHECK(out.length <= 1 + 16 * (size_t) count);
	free(piece);
	free(room);
	return out.length;
}

static void
test_int128(void)
{
	unit_subject = "int128";
	for (uint32_t bits = 0; bits <= 128; bits++)
		for (size_t c = 0; c < CASE_COUNTS; c++)
		{
			uint32_t count = case_counts[c];

			unit_seed = 88172645463325252u + bits;
			for (uint32_t i = 0; i < count; i++)
			{
				unsigned __int128 r = (unsigned __int128) unit_random() << 64 | unit_random();

				wide[i] = (HzInt128) (bits == 0 ? 0 : r >> (128 - bits)) -
						  (bits % 3 ? (HzInt128) 1 << 99 : 0);
			}
			CHECK(check_wide(count) <= 60 + (size_t) count * (bits + 1) / 8 + count / 4);
		}
	for (int which = 0; which < INT_CASES; which++)
	{
		static int64_t values[N];

		fill_int_case(which, N, values);
		for (uint32_t i = 0; i < N; i++)
			wide[i] = ((HzInt128) 1 << 100) + values[i];
		check_wide(N);
	}
}

/* ---- fixed width ---- */

static uint8_t fixed[N * 33];

/* A value that is there, one that differs in a bit, and one of noise. */
static void
check_fixed_match(const uint8_t *piece, size_t length, uint32_t width, uint32_t count)
{
	for (uint32_t t = 0; t < 40; t++)
	{
		uint32_t i = (uint32_t) (unit_random() % count);
		uint8_t alone[33];

		CHECK(hz_fixed_value(piece, length, count, width, i, alone) == HZ_OK);
		CHECK(memcmp(alone, fixed + (size_t) i * width, width) == 0);
	}
	for (uint32_t t = 0; t < 6; t++)
	{
		uint8_t value[33];
		uint8_t mask[N];
		uint64_t wrong = 0;

		memcpy(value, fixed + (size_t) width * (unit_random() % count), width);
		if (t % 3 == 1)
			value[unit_random() % width] ^= (uint8_t) (1 << unit_random() % 8);
		for (uint32_t i = 0; t % 3 == 2 && i < width; i++)
			value[i] = (uint8_t) unit_random();
		if (!CHECK(hz_fixed_match(piece, length, count, width, value, mask) == HZ_OK))
			return;
		for (uint32_t i = 0; i < count; i++)
			wrong += mask[i] != (memcmp(fixed + (size_t) i * width, value, width) == 0);
		CHECK(wrong == 0);
	}
}

static size_t
check_fixed(uint32_t width, uint32_t count)
{
	uint8_t *target = malloc((size_t) width * count);
	uint8_t *piece;

	out.length = 0;
	hz_fixed_encode(fixed, width, count, &out);
	piece = unit_copy(out.data, out.length);
	CHECK(hz_fixed_decode(piece, out.length, count, width, target) == HZ_OK);
	CHECK(memcmp(target, fixed, (size_t) width * count) == 0);
	CHECK(out.length <= 1 + (size_t) width * count);
	check_fixed_match(piece, out.length, width, count);
	free(piece);
	free(target);
	return out.length;
}

static void
test_fixed(void)
{
	static const uint32_t widths[] = {1, 3, 6, 8, 12, 16, 33};

	for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++)
		for (size_t c = 0; c < CASE_COUNTS; c++)
		{
			uint32_t width = widths[w], count = case_counts[c];

			unit_subject = "fixed, random";
			for (size_t i = 0; i < (size_t) width * count; i++)
				fixed[i] = (uint8_t) (unit_random() >> 13);
			check_fixed(width, count);
			unit_subject = "fixed, runs";
			for (size_t i = 0; i < (size_t) width * count; i++)
				fixed[i] = (uint8_t) (i / width / 20);
			check_fixed(width, count);
			unit_subject = "fixed, constant";
			memset(fixed, 7, sizeof(fixed));
			CHECK(check_fixed(width, count) == 1 + width);
		}
}

static void
test_uuid(void)
{
	unit_subject = "uuid v7";
	for (uint32_t i = 0; i < N; i++)
	{
		uint64_t half[2];

		half[0] = __builtin_bswap64((UINT64_C(1700000000000) + 3 * i) << 16 | 0x7000 |
									(unit_random() & 0xFFF));
		half[1] = (unit_random() & ~UINT64_C(0xC0)) | 0x80;
		memcpy(fixed + 16 * i, half, 16);
	}
	CHECK(check_fixed(16, N) <= 40 + N * (62 + 14) / 8);
	CHECK(out.data[0] == HZ_ENCODING_SPLIT);
}

/* ---- bitmaps ---- */

static uint64_t words[N / 64];

static size_t
check_bits(uint32_t count)
{
	size_t many = HZ_BITMAP_WORDS(count);
	uint64_t *target = malloc(8 * many);
	uint8_t *piece;
	bool same = true;

	out.length = 0;
	hz_bits_encode(words, count, &out);
	piece = unit_copy(out.data, out.length);
	CHECK(hz_bits_decode(piece, out.length, count, target) == HZ_OK);
	for (uint32_t i = 0; i < count; i++)
		same &= hz_bitmap_get(target, i) == hz_bitmap_get(words, i);
	CHECK(same);
	CHECK(hz_bitmap_count(target, 64 * many) == hz_bitmap_count(words, count));
	CHECK(out.length <= 1 + (count + 7) / 8);
	free(piece);
	free(target);
	return out.length;
}

static void
test_bits(void)
{
	unit_subject = "bits";
	for (size_t c = 0; c < CASE_COUNTS; c++)
	{
		uint32_t count = case_counts[c];

		for (uint32_t gap = 1; gap < 3000; gap += 1 + gap / 2)
			for (int inverse = 0; inverse < 2; inverse++)
			{
				memset(words, inverse ? 0xFF : 0, sizeof(words));
				for (uint32_t i = gap - 1; i < N; i += gap)
					words[i / 64] ^= UINT64_C(1) << (i % 64);
				check_bits(count);
			}
		for (int round = 0; round < 20; round++)
		{
			for (uint32_t w = 0; w < N / 64; w++)
				words[w] = round % 2
							   ? unit_random()
							   : unit_random() & unit_random() & unit_random() & unit_random();
			check_bits(count);
		}
		memset(words, 0xFF, sizeof(words));
		CHECK(check_bits(count) == 2);
		memset(words, 0, sizeof(words));
		CHECK(check_bits(count) == 2);
	}
	words[3] = 16;
	CHECK(check_bits(N) <= 20);
}

int
main(void)
{
	test_float_cases();
	test_float_choice();
	test_float_decimals();
	test_float_specials();
	test_int128();
	test_fixed();
	test_uuid();
	test_bits();
	hz_bytes_free(&out);
	return unit_summary();
}
