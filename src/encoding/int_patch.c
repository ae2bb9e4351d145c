/*
 * encoding/int_patch.c
 *	  Whether a leaf is smaller with few bits for most of its values and patches for the rest.
 *
 * Outliers above are found by a histogram of widths. Outliers below (in the deltas of a vector in which a
 * few sorted stretches follow each other, say) take a base above the minimum first: offsets from it wrap,
 * which makes low outliers huge, and patches of 64 bits.
 */
#include "encoding/clones.h"
#include "encoding/int_plan.h"

#define FEW_SAMPLES 16
#define SAMPLES 64

/* histogram[b]: how many offsets from `low` need b bits, of 1 to 64; those that are 0 count as 1 bit and in *zeroes. */
static HZ_CLONES void
count_widths(const uint64_t *offsets, uint32_t count, uint64_t low, uint32_t histogram[65],
			 uint32_t *zeroes)
{
	uint16_t part[4][65];
	uint32_t none = 0, i = 0;

	memset(part, 0, sizeof(part));
	for (; i + 4 <= count; i += 4)
		for (uint32_t k = 0; k < 4; k++)
		{
			part[k][64 - __builtin_clzll((offsets[i + k] - low) | 1)]++;
			none += offsets[i + k] == low;
		}
	for (; i < count; i++)
	{
		part[0][64 - __builtin_clzll((offsets[i] - low) | 1)]++;
		none += offsets[i] == low;
	}
	for (uint32_t b = 0; b <= 64; b++)
		histogram[b] = (uint32_t) part[0][b] + part[1][b] + part[2][b] + part[3][b];
	*zeroes = none;
}

static HZ_CLONES uint32_t
count_wider(const uint64_t *offsets, uint32_t count, uint32_t bits)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < count; i++)
		found += offsets[i] >> bits != 0;
	return (uint32_t) found;
}

/* The least offset that is not below the limit. */
static HZ_CLONES uint64_t
find_least(const uint64_t *offsets, uint32_t count, uint64_t limit)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t above = offsets[i] - limit; /* wraps for those below */

		above = offsets[i] < limit ? UINT64_MAX : above;
		least = above < least ? above : least;
	}
	return limit + least;
}

static HZ_CLONES void
subtract(uint64_t *offsets, uint32_t count, uint64_t low)
{
	for (uint32_t i = 0; i < count; i++)
		offsets[i] -= low;
}

/*
 * Whether patches are worth a histogram. With k low bits fewer, the E(k) offsets that are wider cost
 * E * (position + k) bits and all save k; the savings must exceed what `total` bits take above the limit, the deficit. So
 * it takes k > (E * position + deficit) / (count - E), and E only grows with k: look at that k next, until it is
 * no further (worth a look) or beyond the total (hopeless; random data takes two steps). Where lanes are not
 * filled, packing may round in favour of fewer bits, by one bit a value at most.
 */
static bool
patches_may_pay(const uint64_t *offsets, uint32_t count, uint32_t total, size_t limit)
{
	uint32_t position_bits = hz_int_position_bits(count);
	uint32_t slack = (count + 1) % 64 <= 1 ? 0 : count + 64;
	int64_t room = ((int64_t) limit - HZ_INT_PATCHED_HEADER) * 8 + slack;
	int64_t deficit = (int64_t) total * count - room;

	for (uint32_t k = 1; k <= total;)
	{
		uint32_t wider = count_wider(offsets, count, total - k);
		int64_t cost = (int64_t) wider * position_bits + deficit;

		if (wider == count)
			return false;
		if (cost < (int64_t) k * (count - wider))
			return true;
		k = (uint32_t) (cost / (count - wider)) + 1;
	}
	return false;
}

/* Takes the best number of low bits for offsets from `low`, if it beats the plan. True if it did. */
static bool
choose_bits(uint32_t count, uint64_t low, uint32_t total, HzIntPlan *plan)
{
	uint32_t histogram[65];
	uint32_t zeroes;
	uint32_t position_bits = hz_int_position_bits(count);
	size_t header = HZ_INT_PATCHED_HEADER + (plan->divisor > 1 ? 8 : 0);
	bool better = false;

	count_widths(plan->offsets, count, low, histogram, &zeroes);
	histogram[1] -= zeroes;
	for (uint32_t bits = total, exceptions = 0; bits-- > 0;)
	{
		uint32_t high_bits = total - bits;
		size_t size;

		exceptions += histogram[bits + 1];
		if ((size_t) exceptions * position_bits / 8 >= plan->size)
			break;
		size = header +
			   ((size_t) count * bits + (size_t) exceptions * (position_bits + high_bits)) / 8;
		if (size >= plan->size || exceptions == 0)
			continue; /* even without the rounding of packed arrays */
		size = header + hz_bitpack_size(count, bits) + hz_bitpack_size(exceptions, position_bits) +
			   hz_bitpack_size(exceptions, high_bits);
		if (size >= plan->size)
			continue;
		better = true;
		plan->encoding = HZ_ENCODING_PATCHED;
		plan->size = size;
		plan->bits = bits;
		plan->high_bits = high_bits;
		plan->exceptions = exceptions;
	}
	return better;
}

/* Evenly spaced offsets in ascending order. */
static void
take_samples(const uint64_t *offsets, uint32_t count, uint64_t *samples, uint32_t wanted)
{
	for (uint32_t s = 0; s < wanted; s++)
	{
		uint64_t sample = offsets[s * count / wanted];
		uint32_t at = s;

		for (; at > 0 && samples[at - 1] > sample; at--)
			samples[at] = samples[at - 1];
		samples[at] = sample;
	}
}

/* Whether the middle of the samples spans so little that `bits` a value look like a waste. */
static bool
core_is_narrow(const uint64_t *samples, uint32_t taken, uint32_t bits)
{
	return hz_bitpack_width(samples[taken - 1 - taken / 8] - samples[taken / 8]) + 2 <= bits;
}

/*
 * Where most offsets begin: a little below the samples that are no outliers. 0 when another base cannot
 * bring the size below the limit, for all that few samples tell.
 */
static uint64_t
find_core(uint32_t count, size_t limit, const HzIntPlan *plan)
{
	uint64_t samples[SAMPLES];
	uint32_t bits = (uint32_t) (limit * 8 / count);
	uint64_t low, spread;

	if (count < SAMPLES)
		return 0;
	take_samples(plan->offsets, count, samples, FEW_SAMPLES);
	if (!core_is_narrow(samples, FEW_SAMPLES, bits))
		return 0;
	take_samples(plan->offsets, count, samples, SAMPLES);
	if (!core_is_narrow(samples, SAMPLES, bits))
		return 0;
	low = samples[SAMPLES / 16];
	spread = (samples[SAMPLES - 1 - SAMPLES / 16] - low) / 2;
	return find_least(plan->offsets, count, low > spread ? low - spread : 0);
}

void
hz_int_patch(uint32_t count, uint32_t total, size_t limit, HzIntPlan *plan)
{
	uint64_t low;

	if (limit > plan->size)
		limit = plan->size;
	if (patches_may_pay(plan->offsets, count, total, limit) && choose_bits(count, 0, total, plan) &&
		plan->size < limit)
		limit = plan->size;
	low = find_core(count, limit, plan);
	if (low == 0 || !choose_bits(count, low, 64, plan))
		return;
	subtract(plan->offsets, count, low);
	plan->base += low * plan->divisor;
}
