/*
 * unit/test_encoding_golden.c
 *	  The bytes on disk do not change: pieces written once decode to the same values for ever.
 *
 * unit/golden/encoding_*.bin hold a piece each of the vectors below. With HZ_GOLDEN_WRITE set in the environment the
 * program writes those that are missing; it never overwrites one. A new encoder may choose other bytes
 * for the same values, so only decoding is checked, and for some pieces made by hand encoding too.
 * Run from the top of the tree.
 */
#include "encoding/encoding.h"
#include "unit/encoding_cases.h"

#define N HZ_VECTOR_ROWS

typedef enum Family
{
	INTS,
	INT128,
	FLOAT4,
	FLOAT8,
	FIXED16,
	BITS
} Family;

/* `which` numbers int_case() or float_case(), or the branches of make(). */
typedef struct Golden
{
	const char *name;
	Family family;
	int which;
	uint32_t count;
	HzEncoding encoding;
} Golden;

static const Golden goldens[] = {
	{"int_constant", INTS, 2, 100, HZ_ENCODING_CONSTANT},
	{"int_runs", INTS, 3, 2048, HZ_ENCODING_RUN_LENGTH},
	{"int_for", INTS, 100 + 13, 200, HZ_ENCODING_FOR},
	{"int_for_wide", INTS, 100 + 40, 65, HZ_ENCODING_FOR},
	{"int_for_divisor", INTS, 11, 200, HZ_ENCODING_FOR},
	{"int_for_large_divisor", INTS, 23, 100, HZ_ENCODING_FOR},
	{"int_delta", INTS, 8, 200, HZ_ENCODING_DELTA},
	{"int_delta_constant", INTS, 7, 2048, HZ_ENCODING_DELTA},
	{"int_delta_divisor", INTS, 9, 200, HZ_ENCODING_DELTA},
	{"int_delta_patched", INTS, 21, 1000, HZ_ENCODING_DELTA},
	{"int_patched", INTS, 13, 500, HZ_ENCODING_PATCHED},
	{"int_patched_low", INTS, 16, 200, HZ_ENCODING_PATCHED},
	{"int_plain", INTS, 100 + 64, 20, HZ_ENCODING_PLAIN},
	{"int_plain_narrow", INTS, 20, 20, HZ_ENCODING_PLAIN},
	{"int128_constant", INT128, 0, 9, HZ_ENCODING_CONSTANT},
	{"int128_for", INT128, 1, 100, HZ_ENCODING_FOR},
	{"int128_split", INT128, 2, 100, HZ_ENCODING_SPLIT},
	{"int128_plain", INT128, 3, 10, HZ_ENCODING_PLAIN},
	{"float8_constant", FLOAT8, 0, 9, HZ_ENCODING_CONSTANT},
	{"float8_runs", FLOAT8, 9, 500, HZ_ENCODING_RUN_LENGTH},
	{"float8_alp", FLOAT8, 2, 100, HZ_ENCODING_ALP},
	{"float8_alp_exceptions", FLOAT8, 10, 200, HZ_ENCODING_ALP},
	{"float8_alp_rd", FLOAT8, 6, 200, HZ_ENCODING_ALP_RD},
	{"float8_plain", FLOAT8, 8, 20, HZ_ENCODING_PLAIN},
	{"float4_constant", FLOAT4, 0, 9, HZ_ENCODING_CONSTANT},
	{"float4_runs", FLOAT4, 9, 500, HZ_ENCODING_RUN_LENGTH},
	{"float4_alp", FLOAT4, 2, 100, HZ_ENCODING_ALP},
	{"float4_alp_exceptions", FLOAT4, 10, 200, HZ_ENCODING_ALP},
	{"float4_alp_rd", FLOAT4, 6, 200, HZ_ENCODING_ALP_RD},
	{"float4_plain", FLOAT4, 8, 20, HZ_ENCODING_PLAIN},
	{"fixed_constant", FIXED16, 0, 100, HZ_ENCODING_CONSTANT},
	{"fixed_runs", FIXED16, 1, 100, HZ_ENCODING_RUN_LENGTH},
	{"fixed_split", FIXED16, 2, 100, HZ_ENCODING_SPLIT},
	{"fixed_plain", FIXED16, 3, 10, HZ_ENCODING_PLAIN},
	{"bits_constant", BITS, 0, 100, HZ_ENCODING_CONSTANT},
	{"bits_runs", BITS, 1, 2048, HZ_ENCODING_RUN_LENGTH},
	{"bits_plain", BITS, 2, 1001, HZ_ENCODING_PLAIN},
};

static uint64_t values[2 * N]; /* of any family */
static HzBytes out;

static size_t
family_bytes(Family family, uint32_t count)
{
	switch (family)
	{
		case INTS:
		case FLOAT8:
			return 8 * (size_t) count;
		case FLOAT4:
			return 4 * (size_t) count;
		case BITS:
			return ((size_t) count + 63) / 64 * 8;
		default:
			return 16 * (size_t) count;
	}
}

static void
make_pairs(const Golden *golden)
{
	for (uint32_t i = 0; i < golden->count; i++)
	{
		uint64_t r = unit_random();
		int which = golden->which;

		values[2 * i] = which == 0 ? 5 : r;
		values[2 * i + 1] = which == 3                                ? unit_random()
							: which == 2                              ? r >> 60
							: which == 1 && golden->family == FIXED16 ? ~r
																	  : 77;
		if (golden->family == INT128 && which == 1)
			values[2 * i] >>= 30;
		if (golden->family == FIXED16 && which == 1 && i % 10 > 0)
			memcpy(&values[2 * i], &values[2 * i - 2], 16);
	}
}

/* The values of a golden piece; only integer arithmetic and exact operations on floats. */
static void
make(const Golden *golden)
{
	memset(values, 0, sizeof(values));
	unit_seed = 88172645463325252u;
	if (golden->family == INTS && golden->which >= 100)
		fill_random_bits((uint32_t) golden->which - 100, golden->count, (int64_t *) values);
	else if (golden->family == INTS)
		fill_int_case(golden->which, golden->count, (int64_t *) values);
	else if (golden->family == FLOAT4 || golden->family == FLOAT8)
		fill_float_case(golden->which, golden->count, golden->family == FLOAT4 ? 4 : 8, values);
	else if (golden->family != BITS)
		make_pairs(golden);
	else
		for (uint32_t i = 0; i < golden->count; i++)
			if (golden->which == 0 || unit_random() % 100 < (golden->which == 1 ? 1 : 50))
				values[i / 64] |= UINT64_C(1) << (i % 64);
}

static void
encode(const Golden *golden)
{
	out.length = 0;
	switch (golden->family)
	{
		case INTS:
			hz_int_encode((const int64_t *) values, golden->count, &out);
			break;
		case INT128:
			hz_int128_encode((const HzInt128 *) values, golden->count, &out);
			break;
		case FLOAT4:
		case FLOAT8:
			hz_float_encode(values, golden->family == FLOAT4 ? 4 : 8, golden->count, &out);
			break;
		case FIXED16:
			hz_fixed_encode((const uint8_t *) values, 16, golden->count, &out);
			break;
		case BITS:
			hz_bits_encode(values, golden->count, &out);
			break;
	}
}

static HzStatus
decode(const Golden *golden, const uint8_t *piece, size_t length, void *target)
{
	switch (golden->family)
	{
		case INTS:
			return hz_int_decode(piece, length, golden->count, 8, target);
		case INT128:
			return hz_int128_decode(piece, length, golden->count, target);
		case FLOAT4:
		case FLOAT8:
			return hz_float_decode(piece, length, golden->count, golden->family == FLOAT4 ? 4 : 8,
								   target);
		case FIXED16:
			return hz_fixed_decode(piece, length, golden->count, 16, target);
		default:
			return hz_bits_decode(piece, length, golden->count, target);
	}
}

static void
write_missing(const Golden *golden, const char *path)
{
	FILE *file = fopen(path, "wbx");

	if (file == NULL)
		return;
	encode(golden);
	CHECK(fwrite(out.data, 1, out.length, file) == out.length);
	CHECK(fclose(file) == 0);
}

static void
check_golden(const Golden *golden)
{
	static uint8_t piece[17 * N];
	static uint64_t target[2 * N];
	char path[200];
	size_t length;
	FILE *file;

	unit_subject = golden->name;
	snprintf(path, sizeof(path), "unit/golden/encoding_%s.bin", golden->name);
	make(golden);
	if (getenv("HZ_GOLDEN_WRITE") != NULL)
		write_missing(golden, path);
	file = fopen(path, "rb");
	if (!CHECK(file != NULL))
		return;
	length = fread(piece, 1, sizeof(piece), file);
	fclose(file);
	CHECK(piece[0] == golden->encoding);
	memset(target, 0, sizeof(target));
	CHECK(decode(golden, piece, length, target) == HZ_OK);
	CHECK(memcmp(target, values, family_bytes(golden->family, golden->count)) == 0);
}

/* Pieces small enough to be written by hand from README.md. */
static void
check_int_bytes(const char *what, const int64_t *numbers, uint32_t count, const void *piece,
				size_t length)
{
	int64_t target[64];

	unit_subject = what;
	out.length = 0;
	hz_int_encode(numbers, count, &out);
	CHECK(out.length == length && memcmp(out.data, piece, length) == 0);
	CHECK(hz_int_decode(piece, length, count, 8, target) == HZ_OK);
	CHECK(memcmp(target, numbers, 8 * (size_t) count) == 0);
}

static void
test_by_hand(void)
{
	static const int64_t constant[] = {-3, -3, -3};
	static const int64_t narrow[] = {1, -2, 300};
	static const int64_t packed[] = {1000000000000, 1000000000001, 1000000000003, 1000000000000,
									 1000000000002};
	int64_t steps[64];

	for (int i = 0; i < 64; i++)
		steps[i] = 5 + 300 * (int64_t) i;
	check_int_bytes("constant by hand", constant, 3, "\x01\xFD", 2);
	check_int_bytes("plain by hand", narrow, 3, "\x06\x02\x01\x00\xFE\xFF\x2C\x01", 8);
	check_int_bytes("delta by hand", steps, 64, "\x04\x05\0\0\0\0\0\0\0\x01\x2C\x01", 12);
	/* Offsets 0, 1, 3, 0, 2 of 2 bits each in one 16-bit word: 10 00 11 01 00. */
	check_int_bytes("for by hand", packed, 5, "\x03\x02\x00\x10\xA5\xD4\xE8\0\0\0\x34\x02", 12);
}

int
main(void)
{
	for (size_t g = 0; g < sizeof(goldens) / sizeof(goldens[0]); g++)
		check_golden(&goldens[g]);
	test_by_hand();
	hz_bytes_free(&out);
	return unit_summary();
}
