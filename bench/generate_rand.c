/*
 * generate_rand.c
 *		Alias tables and memory of the row generator.
 */
#include "generate_rand.h"

#include <stdio.h>
#include <stdlib.h>

void *
gen_alloc(uint64_t bytes)
{
	return gen_realloc(NULL, bytes);
}

void *
gen_realloc(void *p, uint64_t bytes)
{
	p = realloc(p, bytes > 0 ? bytes : 1);
	if (p == NULL)
	{
		fprintf(stderr, "generate: out of memory\n");
		exit(1);
	}
	return p;
}

GenAlias
gen_alias(const uint64_t *weights, uint32_t n)
{
	GenAlias a = {n, gen_alloc(n * sizeof(uint32_t)), gen_alloc(n * sizeof(uint32_t))};
	unsigned __int128 *scaled = gen_alloc(n * sizeof(*scaled));
	uint32_t *stack = gen_alloc(n * sizeof(uint32_t));
	uint32_t small = 0;
	uint32_t large = n;
	uint64_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += weights[i];
	/* Entries below the average grow from the left, the others from the right. */
	for (uint32_t i = 0; i < n; i++)
	{
		scaled[i] = (unsigned __int128) weights[i] * n;
		if (scaled[i] < total)
			stack[small++] = i;
		else
			stack[--large] = i;
	}
	while (small > 0 && large < n)
	{
		uint32_t s = stack[--small];
		uint32_t l = stack[large];

		a.cut[s] = (uint32_t) ((scaled[s] << 32) / total);
		a.other[s] = l;
		scaled[l] -= total - scaled[s];
		if (scaled[l] < total)
		{
			large++;
			stack[small++] = l;
		}
	}
	while (small > 0)
	{
		uint32_t s = stack[--small];

		a.cut[s] = UINT32_MAX;
		a.other[s] = s;
	}
	while (large < n)
	{
		uint32_t l = stack[large++];

		a.cut[l] = UINT32_MAX;
		a.other[l] = l;
	}
	free(scaled);
	free(stack);
	return a;
}

GenAlias
gen_zipf(uint32_t n, int64_t exponent)
{
	uint64_t *weights = gen_alloc(n * sizeof(uint64_t));
	GenAlias a;

	for (uint32_t i = 0; i < n; i++)
		weights[i] =
			gen_exp2((30 << 16) - gen_log2((uint64_t) i + 1) * exponent / GEN_ONE_Q16, 0) + 1;
	a = gen_alias(weights, n);
	free(weights);
	return a;
}
