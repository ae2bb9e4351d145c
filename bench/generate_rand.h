/*
 * generate_rand.h
 *		Random numbers of the row generator, in integers only.
 *
 * Everything here is fixed-point integer arithmetic: no floating point, no
 * libm, so a seed gives the same bytes whatever the compiler, the processor
 * and the C library are.  "Q16" means a number times 65536.
 *
 * gen_mix64() is the finaliser of splitmix64 (Steele, Lea, Flood 2014), a
 * bijection: distinct counters give distinct values.
 */
#ifndef GENERATE_RAND_H
#define GENERATE_RAND_H

#include <stdint.h>

#define GEN_ONE_Q16 65536
#define GEN_GOLDEN UINT64_C(0x9E3779B97F4A7C15)

static inline uint64_t
gen_mix64(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xBF58476D1CE4E5B9);
	x ^= x >> 27;
	x *= UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/* A hash of a pair; nest it for longer keys. */
static inline uint64_t
gen_hash(uint64_t a, uint64_t b)
{
	return gen_mix64(gen_mix64(a + GEN_GOLDEN) ^ (b * UINT64_C(0xD1342543DE82EF95) + 1));
}

/* A stream of random numbers: a counter hashed at each step. */
typedef struct GenRand
{
	uint64_t state;
} GenRand;

static inline GenRand
gen_rand(uint64_t a, uint64_t b)
{
	return (GenRand){gen_hash(a, b)};
}

static inline uint64_t
gen_rand_next(GenRand *r)
{
	r->state += GEN_GOLDEN;
	return gen_mix64(r->state);
}

/* Scale 32 random bits to 0..n-1. */
static inline uint32_t
gen_scale(uint32_t bits, uint32_t n)
{
	return (uint32_t) (((uint64_t) bits * n) >> 32);
}

static inline uint32_t
gen_rand_below(GenRand *r, uint32_t n)
{
	return gen_scale((uint32_t) (gen_rand_next(r) >> 32), n);
}

/* lo..hi, both included. */
static inline int64_t
gen_rand_range(GenRand *r, int64_t lo, int64_t hi)
{
	return lo + (int64_t) gen_rand_below(r, (uint32_t) (hi - lo + 1));
}

/* 0..n-1, small ones more often: the product of two uniform numbers. */
static inline uint32_t
gen_rand_skewed(GenRand *r, uint32_t n)
{
	uint64_t a = gen_rand_below(r, n);

	return (uint32_t) (a * gen_rand_below(r, n) / n);
}

/* True with the given number of chances in 10,000. */
static inline int
gen_rand_chance(GenRand *r, uint32_t per_10000)
{
	return gen_rand_below(r, 10000) < per_10000;
}

/*
 * About normal, mean 0 and deviation 1, in Q16: the sum of four uniform
 * numbers (Irwin-Hall), so it never leaves -3.5..3.5.
 */
static inline int64_t
gen_rand_normal(GenRand *r)
{
	uint64_t u = gen_rand_next(r);
	int64_t sum =
		(int64_t) ((u & 0xFFFF) + ((u >> 16) & 0xFFFF) + ((u >> 32) & 0xFFFF) + (u >> 48));

	return (sum - 131070) * 113512 / 65536;
}

/* 2^(1/2), 2^(1/4), ... 2^(1/65536), in Q30. */
static const uint32_t gen_exp2_roots[16] = {
	1518500250, 1276901417, 1170923762, 1121280436, 1097253708, 1085434106, 1079572136, 1076653033,
	1075196443, 1074468888, 1074105294, 1073923544, 1073832680, 1073787251, 1073764537, 1073753181};

/* 2^x for x in Q16; the result is an integer scaled by 2^scale (<= 30). */
static inline uint64_t
gen_exp2(int64_t x, int scale)
{
	int64_t whole = x >> 16;
	uint64_t m = UINT64_C(1) << 30;
	int shift = 30 - scale;

	for (int i = 0; i < 16; i++)
		if (x & (0x8000 >> i))
			m = (m * gen_exp2_roots[i]) >> 30;
	whole -= shift;
	if (whole >= 32)
		return UINT64_MAX >> 2;
	if (whole >= 0)
		return m << whole;
	return whole <= -63 ? 0 : m >> -whole;
}

/* log2(n) in Q16 for n >= 1, by repeated squaring. */
static inline int64_t
gen_log2(uint64_t n)
{
	int whole = 63 - __builtin_clzll(n);
	uint64_t m = whole >= 31 ? n >> (whole - 31) : n << (31 - whole);
	int64_t result = whole;

	for (int i = 0; i < 16; i++)
	{
		m = (m * m) >> 31;
		result <<= 1;
		if (m >> 32)
		{
			m >>= 1;
			result |= 1;
		}
	}
	return result;
}

/* Log-normal: median times 2^(normal * sigma); sigma in Q16, in octaves. */
static inline uint64_t
gen_rand_lognormal(GenRand *r, uint64_t median, int64_t sigma)
{
	int64_t x = gen_rand_normal(r) * sigma / GEN_ONE_Q16;

	return (median * gen_exp2(x, 20)) >> 20;
}

/* The same, kept within lo..hi. */
static inline int64_t
gen_rand_lognormal_in(GenRand *r, uint64_t median, int64_t sigma, int64_t lo, int64_t hi)
{
	int64_t v = (int64_t) gen_rand_lognormal(r, median, sigma);

	return v < lo ? lo : v > hi ? hi : v;
}

/*
 * A discrete distribution sampled in constant time (Walker's alias method,
 * Vose's construction).
 */
typedef struct GenAlias
{
	uint32_t n;
	uint32_t *cut;   /* chance of the entry itself, of 2^32 */
	uint32_t *other; /* entry taken otherwise */
} GenAlias;

/* n entries with these weights; memory is kept until the process ends. */
extern GenAlias gen_alias(const uint64_t *weights, uint32_t n);

/* n entries with weights 1/(rank + 1)^exponent; exponent in Q16. */
extern GenAlias gen_zipf(uint32_t n, int64_t exponent);

static inline uint32_t
gen_alias_at(const GenAlias *a, uint64_t bits)
{
	uint32_t i = gen_scale((uint32_t) (bits >> 32), a->n);

	return (uint32_t) bits < a->cut[i] ? i : a->other[i];
}

static inline uint32_t
gen_alias_draw(const GenAlias *a, GenRand *r)
{
	return gen_alias_at(a, gen_rand_next(r));
}

/* malloc and realloc that end the process when memory is short. */
extern void *gen_alloc(uint64_t bytes);
extern void *gen_realloc(void *p, uint64_t bytes);

#endif /* GENERATE_RAND_H */
