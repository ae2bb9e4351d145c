/*
 * unit/test_encoding_damage.c
 *	  Decoders given damaged bytes answer; under sanitizers, that they neither crash nor read or write outside.
 *
 * Pieces are cut at every length and have bytes changed; each lies in a block of its own exact size, and so
 * does the target, rounded up to 64 slots as encoding.h allows.
 */
#include "encoding/encoding.h"
#include "unit/encoding_cases.h"

#define N HZ_VECTOR_ROWS
#define FLIPS 150

typedef enum Family
{
	INTS,
	INT128,
	FLOATS,
	FIXED,
	BITS
} Family;

static uint64_t values[2 * N];
static HzBytes out;

static HzStatus
decode(Family family, const uint8_t *piece, size_t length, uint32_t count, uint32_t width,
	   void *target)
{
	switch (family)
	{
		case INTS:
			return hz_int_decode(piece, length, count, width, target);
		case INT128:
			return hz_int128_decode(piece, length, count, target);
		case FLOATS:
			return hz_float_decode(piece, length, count, width, target);
		case FIXED:
			return hz_fixed_decode(piece, length, count, width, target);
		default:
			return hz_bits_decode(piece, length, count, target);
	}
}

/* Any answer is good but one that is no status. */
static HzStatus
try_piece(Family family, const uint8_t *bytes, size_t length, uint32_t count, uint32_t width)
{
	uint8_t *piece = unit_copy(bytes, length);
	void *target = malloc((size_t) (count + 63) / 64 * (family == BITS ? 8 : 64 * (size_t) width));
	HzStatus status = decode(family, piece, length, count, width, target);

	CHECK(status == HZ_OK || status == HZ_CORRUPT);
	if (family == INTS)
	{
		int64_t value;
		uint32_t i = (uint32_t) (unit_random() % count);

		status = hz_int_value(piece, length, count, i, &value);
		CHECK(status == HZ_OK || status == HZ_CORRUPT);
	}
	free(target);
	free(piece);
	return status;
}

/* The piece in `out`, of `count` values. */
static void
damage(Family family, uint32_t count, uint32_t width)
{
	size_t step = 1 + out.length / 500;

	CHECK(try_piece(family, out.data, out.length, count, width) == HZ_OK);
	for (size_t cut = 0; cut < out.length; cut += cut < 64 ? 1 : step)
		try_piece(family, out.data, cut, count, width);
	for (int round = 0; round < FLIPS; round++)
	{
		uint8_t *copy = unit_copy(out.data, out.length);
		uint64_t r = unit_random();

		/* Headers are damaged more often than packed bits, which all mean something. */
		for (uint64_t flips = 1 + r % 3; flips > 0; flips--)
		{
			size_t range = unit_random() % 4 ? 40 : out.length;

			copy[unit_random() % (range < out.length ? range : out.length)] =
				(uint8_t) unit_random();
		}
		try_piece(family, copy, out.length, count, width);
		free(copy);
	}
	/* The right bytes with another count or width. */
	for (uint32_t other = 1; other <= 2048; other = other * 2 + 1)
		try_piece(family, out.data, out.length, other, width);
	if (family == INTS || family == FLOATS)
		try_piece(family, out.data, out.length, count, 4);
}

static void
test_ints(void)
{
	for (int which = 0; which < INT_CASES; which++)
		for (size_t c = 1; c < CASE_COUNTS; c += 3)
		{
			unit_subject = int_case_names[which];
			fill_int_case(which, case_counts[c], (int64_t *) values);
			out.length = 0;
			hz_int_encode((int64_t *) values, case_counts[c], &out);
			damage(INTS, case_counts[c], 8);
		}
}

static void
test_floats(void)
{
	for (int which = 0; which < FLOAT_CASES; which++)
		for (size_t c = 1; c < CASE_COUNTS; c += 3)
			for (uint32_t width = 4; width <= 8; width += 4)
			{
				unit_subject = float_case_names[which];
				fill_float_case(which, case_counts[c], width, values);
				out.length = 0;
				hz_float_encode(values, width, case_counts[c], &out);
				damage(FLOATS, case_counts[c], width);
			}
}

static void
test_pairs(void)
{
	for (int shape = 0; shape < 4; shape++)
		for (size_t c = 1; c < CASE_COUNTS; c += 3)
		{
			uint32_t count = case_counts[c];

			for (uint32_t i = 0; i < count; i++)
			{
				values[2 * i] = shape == 0   ? 9
								: shape == 1 ? i / 30 * UINT64_C(77777777777)
											 : unit_random();
				values[2 * i + 1] = shape == 3 ? unit_random() : 5;
			}
			unit_subject = "int128";
			out.length = 0;
			hz_int128_encode((HzInt128 *) values, count, &out);
			damage(INT128, count, 16);
			unit_subject = "fixed";
			out.length = 0;
			hz_fixed_encode((uint8_t *) values, 16, count, &out);
			damage(FIXED, count, 16);
			out.length = 0;
			hz_fixed_encode((uint8_t *) values, 5, count, &out);
			damage(FIXED, count, 5);
		}
}

static void
test_bits(void)
{
	unit_subject = "bits";
	for (int shape = 0; shape < 3; shape++)
		for (size_t c = 1; c < CASE_COUNTS; c += 3)
		{
			for (uint32_t w = 0; w < N / 64; w++)
				values[w] = shape == 0 ? 0 : shape == 1 ? UINT64_C(1) << w : unit_random();
			out.length = 0;
			hz_bits_encode(values, case_counts[c], &out);
			damage(BITS, case_counts[c], 8);
		}
}

/* Bytes that no encoder wrote at all. */
static void
test_noise(void)
{
	uint8_t noise[300];

	unit_subject = "noise";
	for (int round = 0; round < 20000; round++)
	{
		size_t length = unit_random() % sizeof(noise);
		uint32_t count = 1 + (uint32_t) (unit_random() % (round % 2 ? N : 40));

		for (size_t i = 0; i < length; i++)
			noise[i] = (uint8_t) (unit_random() >> (unit_random() % 8));
		noise[0] = (uint8_t) (1 + round % 9);
		for (Family family = INTS; family <= BITS; family++)
			try_piece(family, noise, length, count, family == INT128 ? 16 : round % 3 ? 8 : 4);
	}
}

int
main(void)
{
	test_ints();
	test_floats();
	test_pairs();
	test_bits();
	test_noise();
	hz_bytes_free(&out);
	return unit_summary();
}
