/*
 * bench/encoding.c
 *	  Nanoseconds per value of encoding and decoding vectors of 2,048 values, and their bits per value.
 *
 *	  gcc -O3 -std=gnu99 -DFRONTEND -Isrc bench/encoding.c src/base/memory.c src/encoding/[a-z]*.c -lm
 * Each figure is the best of several rounds.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "encoding/encoding.h"

#define N HZ_VECTOR_ROWS
#define ROUNDS 15
#define REPEATS 200

static uint64_t seed = 88172645463325252u;
static HzBytes out;
static int64_t ints[N];
static HzInt128 wide[N];
static double doubles[N];
static float floats[N];
static uint8_t fixed[16 * N];
static uint64_t words[N / 64];
static _Alignas(64) uint8_t target[16 * N];

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 2685821657736338717u;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

#define BEST(result, statement)                              \
	do                                                       \
	{                                                        \
		result = 1e9;                                        \
		for (int round = 0; round < ROUNDS; round++)         \
		{                                                    \
			double start = now();                            \
			for (int repeat = 0; repeat < REPEATS; repeat++) \
			{                                                \
				statement;                                   \
				__asm__ volatile("" ::: "memory");           \
			}                                                \
			start = (now() - start) / REPEATS / N;           \
			result = start < result ? start : result;        \
		}                                                    \
	} while (0)

static void
report(const char *what, double encode, const char *decodes)
{
	printf("%-26s %-10s %7.2f %8.2f   %s\n", what, hz_encoding_name((HzEncoding) out.data[0]),
		   (double) out.length * 8 / N, encode, decodes);
}

static void
bench_ints(const char *what)
{
	double encode, ns;
	char text[200] = "";
	size_t used = 0;
	HzStatus status = HZ_OK;
	int64_t value;

	BEST(encode, (out.length = 0, hz_int_encode(ints, N, &out)));
	for (uint32_t width = 8; width > 0 && status == HZ_OK; width /= 2)
	{
		status = hz_int_decode(out.data, out.length, N, width, target);
		if (status != HZ_OK)
			break;
		BEST(ns, hz_int_decode(out.data, out.length, N, width, target));
		used += (size_t) snprintf(text + used, sizeof(text) - used, "%u: %.2f  ", width * 8, ns);
	}
	BEST(ns, hz_int_value(out.data, out.length, N, (uint32_t) repeat * 10, &value));
	snprintf(text + used, sizeof(text) - used, "one: %.0f ns", ns * N);
	report(what, encode, text);
}

static void
bench_floats(const char *what)
{
	double encode, decode;
	char text[40];

	BEST(encode, (out.length = 0, hz_float_encode(doubles, 8, N, &out)));
	BEST(decode, hz_float_decode(out.data, out.length, N, 8, target));
	snprintf(text, sizeof(text), "%.2f", decode);
	report(what, encode, text);
	for (int i = 0; i < N; i++)
		floats[i] = (float) doubles[i];
	BEST(encode, (out.length = 0, hz_float_encode(floats, 4, N, &out)));
	BEST(decode, hz_float_decode(out.data, out.length, N, 4, target));
	snprintf(text, sizeof(text), "%.2f", decode);
	report("  as float4", encode, text);
}

static void
bench_others(void)
{
	double encode, decode;
	char text[40];

	for (int v7 = 0; v7 < 2; v7++)
	{
		for (int i = 0; i < N; i++)
		{
			uint64_t half[2] = {v7 ? __builtin_bswap64((UINT64_C(1700000000000) + i * 3) << 16 |
													   0x7000 | (rnd() & 0xFFF))
								   : rnd(),
								(rnd() & ~UINT64_C(0xC0)) | 0x80};

			memcpy(fixed + 16 * i, half, 16);
		}
		BEST(encode, (out.length = 0, hz_fixed_encode(fixed, 16, N, &out)));
		BEST(decode, hz_fixed_decode(out.data, out.length, N, 16, target));
		snprintf(text, sizeof(text), "%.2f", decode);
		report(v7 ? "uuid v7" : "uuid v4", encode, text);
	}
	for (int big = 0; big < 2; big++)
	{
		for (int i = 0; i < N; i++)
			wide[i] = (HzInt128) (rnd() % 1000000) * (big ? INT64_MAX : 1);
		BEST(encode, (out.length = 0, hz_int128_encode(wide, N, &out)));
		BEST(decode, hz_int128_decode(out.data, out.length, N, (HzInt128 *) target));
		snprintf(text, sizeof(text), "%.2f", decode);
		report(big ? "int128 of 83 bits" : "int128 of 20 bits", encode, text);
	}
	for (int sparse = 0; sparse < 2; sparse++)
	{
		for (int i = 0; i < N / 64; i++)
			words[i] = sparse ? (rnd() % 4 ? 0 : UINT64_C(1) << (rnd() % 64)) : rnd();
		BEST(encode, (out.length = 0, hz_bits_encode(words, N, &out)));
		BEST(decode, hz_bits_decode(out.data, out.length, N, (uint64_t *) target));
		snprintf(text, sizeof(text), "%.3f", decode);
		report(sparse ? "bits, sparse" : "bits, random", encode, text);
	}
}

#define INTS(what, value)                \
	do                                   \
	{                                    \
		for (int64_t i = 0; i < N; i++)  \
			ints[i] = (int64_t) (value); \
		bench_ints(what);                \
	} while (0)
#define FLOATS(what, value)             \
	do                                  \
	{                                   \
		for (int64_t i = 0; i < N; i++) \
			doubles[i] = (value);       \
		bench_floats(what);             \
	} while (0)

int
main(void)
{
	int64_t sum = 0;

	printf("%-26s %-10s %7s %8s   %s\n", "values", "encoding", "bits", "encode",
		   "decode, ns/value");
	INTS("constant", 7);
	INTS("runs of 50", i / 50 * 3 % 7);
	INTS("runs of 3", rnd() % 3 ? sum : (sum = rnd() % 1000));
	INTS("random, 3 bits", rnd() % 8);
	INTS("random, 7 bits", rnd() % 128);
	INTS("random, 10 bits", rnd() % 1000);
	INTS("random, 16 bits", rnd() % 65536);
	INTS("random, 20 bits", rnd() % (1 << 20));
	INTS("random, 31 bits", rnd() % (UINT64_C(1) << 31));
	INTS("random, 50 bits", rnd() >> 14);
	INTS("random, 64 bits", rnd());
	INTS("random seconds", INT64_C(1700000000000000) + (int64_t) (rnd() % 604800) * 1000000);
	INTS("outliers, 1 %", rnd() % 100 ? rnd() % 64 : rnd() % (1 << 30));
	INTS("sorted, steps to 200", sum += (int64_t) (rnd() % 200));
	INTS("sorted milliseconds", (sum += (int64_t) (rnd() % 5000) * 1000));
	INTS("sorted, few restarts", (sum += i % 700 == 699 ? -90000000 : (int64_t) (rnd() % 5000)));
	INTS("equal steps", i * 10);
	FLOATS("prices", (double) (rnd() % 100000) / 100);
	FLOATS("prices, 5 % NaN", rnd() % 20 ? (double) (rnd() % 100000) / 100 : NAN);
	FLOATS("whole numbers", (double) (rnd() % 1000));
	FLOATS("random in 0..1", (double) (rnd() >> 11) / 9007199254740992.0);
	FLOATS("normal", sqrt(-2 * log((double) (rnd() >> 11) / 9007199254740992.0)) *
						 cos((double) (rnd() % 6283) / 1000));
	FLOATS("runs of 20", i % 20 ? doubles[i - 1] : (double) rnd());
	bench_others();
	return 0;
}
