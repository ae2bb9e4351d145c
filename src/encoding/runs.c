/*
 * encoding/runs.c
 *	  Lengths of runs, and repeating values by them. See runs.h.
 */
#include "encoding/runs.h"

#include "encoding/clones.h"
#include "encoding/int_layout.h"

void
hz_runs_write(const HzRuns *runs, HzBytes *out)
{
	int64_t lengths[HZ_VECTOR_ROWS];

	for (uint32_t r = 0; r < runs->count; r++)
		lengths[r] = runs->lengths[r];
	hz_bytes_put16(out, (uint16_t) runs->count);
	hz_int_encode_sized(lengths, runs->count, HZ_INT_LEAF, out);
}

HzStatus
hz_runs_read(HzCursor *cursor, uint32_t total, HzRuns *runs)
{
	uint32_t sum = 0, shortest = 1;
	HzStatus status;

	runs->count = hz_cursor_get16(cursor);
	if (runs->count == 0 || runs->count > total)
		return HZ_CORRUPT;
	status = hz_int_decode_sized(cursor, runs->count, HZ_INT_LEAF, 2, runs->lengths);
	if (status != HZ_OK)
		return status;
	for (uint32_t r = 0; r < runs->count; r++)
	{
		sum += runs->lengths[r];
		shortest = runs->lengths[r] < shortest ? runs->lengths[r] : shortest;
	}
	return sum == total && shortest > 0 ? HZ_OK : HZ_CORRUPT;
}

uint32_t
hz_runs_find(const HzRuns *runs, uint32_t i)
{
	uint32_t run = 0;

	for (uint32_t end = runs->lengths[0]; end <= i; end += runs->lengths[run])
		run++;
	return run;
}

/*
 * Each run is written AT_ONCE bytes at a time, past its end when its length is no multiple of that: the next run
 * overwrites it. So most runs take no loop whose end would have to be guessed. Runs too near to the end of the room are
 * written slot by slot. Words of eight bytes: GCC makes single slots of a loop over slots that it unrolls.
 */
#define AT_ONCE 32
#define DEFINE_EXPAND(name, SLOT)                                                     \
	static HZ_CLONES void name(const HzRuns *runs, const SLOT *values, uint32_t room, \
							   SLOT *target)                                          \
	{                                                                                 \
		const uint32_t slots = AT_ONCE / sizeof(SLOT);                                \
		uint32_t at = 0;                                                              \
		uint32_t r = 0;                                                               \
		for (; r < runs->count; r++)                                                  \
		{                                                                             \
			const uint64_t word = values[r] * (UINT64_MAX / (SLOT) -1);               \
			const uint32_t length = runs->lengths[r];                                 \
			HzLoose64 *words = (HzLoose64 *) (target + at);                           \
			if (at + (length + slots - 1) / slots * slots > room)                     \
				break;                                                                \
			for (uint32_t k = 0; k < AT_ONCE / 8; k++)                                \
				words[k] = word;                                                      \
			for (uint32_t i = slots; __builtin_expect(i < length, 0); i += slots)     \
			{                                                                         \
				words += AT_ONCE / 8;                                                 \
				for (uint32_t k = 0; k < AT_ONCE / 8; k++)                            \
					words[k] = word;                                                  \
			}                                                                         \
			at += length;                                                             \
		}                                                                             \
		for (; r < runs->count; r++)                                                  \
			for (uint32_t i = 0; i < runs->lengths[r]; i++)                           \
				target[at++] = values[r];                                             \
	}

DEFINE_EXPAND(expand_1, uint8_t)
DEFINE_EXPAND(expand_2, uint16_t)
DEFINE_EXPAND(expand_4, uint32_t)
DEFINE_EXPAND(expand_8, uint64_t)

void
hz_runs_expand(const HzRuns *runs, const void *values, uint32_t width, uint32_t total, void *target)
{
	uint32_t room = (total + 63) / 64 * 64;

	if (width == 1)
		expand_1(runs, values, room, target);
	else if (width == 2)
		expand_2(runs, values, room, target);
	else if (width == 4)
		expand_4(runs, values, room, target);
	else
		expand_8(runs, values, room, target);
}

void
hz_runs_repeat(const HzRuns *runs, const uint8_t *values, uint32_t width, uint8_t *target)
{
	for (uint32_t r = 0; r < runs->count; r++, values += width)
		for (uint32_t i = 0; i < runs->lengths[r]; i++, target += width)
			memcpy(target, values, width);
}
