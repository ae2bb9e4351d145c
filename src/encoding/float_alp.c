/*
 * encoding/float_alp.c
 *	  Floats that are short decimals, as the integers that their digits are.
 *
 * After ALP (Afroozeh, Kuffo & Boncz, SIGMOD 2024), with one change: a value is digits / 10^p instead of
 * digits * 10^f * 10^-e. Division rounds right, so every decimal of at most 15 digits comes back whole, where the
 * inexact 10^-e loses from 1 % to 30 % of longer ones to exceptions; and there is only p to choose, not e
 * and f. It costs some 0.2 ns a value in decoding.
 *
 * The digits are an integer piece. Values that do not come back bit for bit (NaN, infinities, -0, full
 * mantissas) are exceptions and stored whole; their digits repeat the neighbour's. Decoding uses only an
 * exact conversion, one division and, for 4 bytes, one rounding to float: the same bits on every IEEE machine.
 */
#include "encoding/bitpack.h"
#include "encoding/clones.h"
#include "encoding/encoding.h"
#include "encoding/float_parts.h"
#include "encoding/int_layout.h"

#define SAMPLES 32

/*
 * 2^52 + 2^51: doubles around it have a unit of 1, so that adding it rounds to an integer, and its bits
 * plus an integer are the bits of its sum with the integer, as long as that is within 2^51.
 */
#define MAGIC 6755399441055744.0
#define MAGIC_BITS UINT64_C(0x4338000000000000)
#define DIGITS_LIMIT 2251799813685248.0 /* 2^51 */

static const double powers[HZ_FLOAT_POWERS] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
											   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
											   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

HZ_INLINE uint64_t
bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

HZ_INLINE double
double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The decoder's arithmetic, which the encoder checks against. |digits| <= 2^51. */
HZ_INLINE double
from_digits(int64_t digits, double power)
{
	return (double_of((uint64_t) digits + MAGIC_BITS) - MAGIC) / power;
}

/* The digits of value at that power; *exact tells whether they decode to the same bits. */
HZ_INLINE int64_t
to_digits(double value, double power, uint32_t width, bool *exact)
{
	double scaled = value * power;
	int64_t digits = (int64_t) (bits_of(scaled + MAGIC) - MAGIC_BITS);
	double back = from_digits(digits, power);
	bool same;

	if (width == 4)
	{
		float wanted = (float) value, narrow = (float) back;
		uint32_t wanted_bits, narrow_bits;

		memcpy(&wanted_bits, &wanted, 4);
		memcpy(&narrow_bits, &narrow, 4);
		same = wanted_bits == narrow_bits;
	}
	else
		same = bits_of(value) == bits_of(back);
	*exact = same & (scaled < DIGITS_LIMIT) & (scaled > -DIGITS_LIMIT);
	return digits;
}

HZ_INLINE double
value_at(const void *values, uint32_t width, uint32_t i)
{
	return width == 4 ? (double) ((const float *) values)[i] : ((const double *) values)[i];
}

/* The least power that gives the value's digits, or HZ_FLOAT_POWERS if none does. */
static uint32_t
find_power(double value, uint32_t width)
{
	for (uint32_t p = 0; p < HZ_FLOAT_POWERS; p++)
	{
		bool exact;

		to_digits(value, powers[p], width, &exact);
		if (exact)
			return p;
		if (!(value * powers[p] < DIGITS_LIMIT && value * powers[p] > -DIGITS_LIMIT))
			break;
	}
	return HZ_FLOAT_POWERS;
}

/* Bits that the samples' digits take at power p, exceptions included. */
static uint32_t
sample_cost(const double *samples, const uint32_t *needed, uint32_t count, uint32_t p,
			uint32_t width)
{
	double least = DIGITS_LIMIT, most = -DIGITS_LIMIT;
	uint32_t exceptions = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		double scaled = samples[i] * powers[p];

		if (needed[i] > p || !(scaled < DIGITS_LIMIT && scaled > -DIGITS_LIMIT))
			exceptions++;
		else
		{
			least = scaled < least ? scaled : least;
			most = scaled > most ? scaled : most;
		}
	}
	if (exceptions == count)
		return UINT32_MAX;
	return exceptions * (8 * width + 11) +
		   count * hz_bitpack_width((uint64_t) (most - least + 0.5));
}

/* The power for all values, judged by some of them; HZ_FLOAT_POWERS when they save less than an eighth. */
static uint32_t
choose_power(const void *values, uint32_t width, uint32_t count)
{
	double samples[SAMPLES];
	uint32_t needed[SAMPLES];
	uint32_t taken = count < SAMPLES ? count : SAMPLES;
	uint32_t best = HZ_FLOAT_POWERS, best_cost = taken * 7 * width;

	for (uint32_t s = 0; s < taken; s++)
	{
		samples[s] = value_at(values, width, s * count / taken);
		needed[s] = find_power(samples[s], width);
	}
	for (uint32_t s = 0; s < taken; s++)
	{
		uint32_t cost;

		if (needed[s] == HZ_FLOAT_POWERS || needed[s] == best)
			continue;
		cost = sample_cost(samples, needed, taken, needed[s], width);
		if (cost < best_cost || (cost == best_cost && needed[s] < best))
		{
			best = needed[s];
			best_cost = cost;
		}
	}
	return best;
}

/* All digits; wrong[i] is 1 for an exception. Returns the number of exceptions. */
HZ_INLINE uint32_t
all_digits(const void *values, uint32_t width, uint32_t count, double power,
		   int64_t *restrict digits, uint64_t *restrict wrong)
{
	uint64_t exceptions = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		bool exact;

		digits[i] = to_digits(value_at(values, width, i), power, width, &exact);
		wrong[i] = !exact;
		exceptions += !exact;
	}
	return (uint32_t) exceptions;
}

static HZ_CLONES uint32_t
digits_of_floats(const float *values, uint32_t count, double power, int64_t *digits,
				 uint64_t *wrong)
{
	return all_digits(values, 4, count, power, digits, wrong);
}

static HZ_CLONES uint32_t
digits_of_doubles(const double *values, uint32_t count, double power, int64_t *digits,
				  uint64_t *wrong)
{
	return all_digits(values, 8, count, power, digits, wrong);
}

/* Gives every exception the digits before it, or the first right ones; lists the exceptions' positions. */
static uint32_t
smooth_exceptions(int64_t *digits, const uint64_t *wrong, uint32_t count, uint64_t *positions)
{
	uint32_t first = 0, found = 0;
	int64_t last;

	while (wrong[first])
		first++;
	last = digits[first];
	for (uint32_t i = 0; i < count; i++)
	{
		if (wrong[i])
		{
			positions[found++] = i;
			digits[i] = last;
		}
		last = digits[i];
	}
	return found;
}

bool
hz_float_alp_encode(const void *values, uint32_t width, uint32_t count, HzBytes *out)
{
	int64_t digits[HZ_VECTOR_ROWS];
	uint64_t wrong[HZ_VECTOR_ROWS], positions[HZ_VECTOR_ROWS];
	uint32_t power = choose_power(values, width, count);
	uint32_t exceptions;
	size_t size;

	if (power == HZ_FLOAT_POWERS)
		return false;
	if (width == 4)
		exceptions = digits_of_floats(values, count, powers[power], digits, wrong);
	else
		exceptions = digits_of_doubles(values, count, powers[power], digits, wrong);
	if (exceptions == count)
		return false;
	if (exceptions > 0)
		smooth_exceptions(digits, wrong, count, positions);
	hz_bytes_put8(out, HZ_ENCODING_ALP);
	hz_bytes_put8(out, (uint8_t) power);
	hz_bytes_put16(out, (uint16_t) exceptions);
	hz_int_encode_sized(digits, count, HZ_INT_ANY, out);
	size = hz_bitpack_size(exceptions, hz_int_position_bits(count));
	hz_bitpack(positions, exceptions, hz_int_position_bits(count), hz_bytes_reserve(out, size));
	out->length += size;
	for (uint32_t e = 0; e < exceptions; e++)
		hz_bytes_append(out, (const uint8_t *) values + positions[e] * width, width);
	return true;
}

/* In place: the slots hold digits and get doubles. */
static HZ_CLONES void
to_doubles(uint64_t *slots, uint32_t count, double power)
{
	for (uint32_t i = 0; i < count; i++)
		slots[i] = bits_of(from_digits((int64_t) slots[i], power));
}

static HZ_CLONES void
to_floats(const int64_t *digits, uint32_t count, double power, float *restrict target)
{
	for (uint32_t i = 0; i < count; i++)
		target[i] = (float) from_digits(digits[i], power);
}

static HzStatus
patch(const uint8_t *packed, const uint8_t *values, uint32_t exceptions, uint32_t count,
	  uint32_t width, void *target)
{
	uint16_t positions[HZ_VECTOR_ROWS];
	int32_t last = -1;

	hz_bitpack_unpack(packed, exceptions, hz_int_position_bits(count), exceptions, 0, 2, positions);
	for (uint32_t e = 0; e < exceptions; e++)
	{
		if (positions[e] <= last || positions[e] >= count)
			return HZ_CORRUPT;
		last = positions[e];
		memcpy((uint8_t *) target + (size_t) last * width, values + (size_t) e * width, width);
	}
	return HZ_OK;
}

HzStatus
hz_float_alp_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
					void *target)
{
	HzCursor cursor = hz_cursor(bytes, length);
	int64_t digits[HZ_VECTOR_ROWS];
	uint32_t power, exceptions;
	const uint8_t *positions;
	const uint8_t *values;
	HzStatus status;

	(void) hz_cursor_get8(&cursor);
	power = hz_cursor_get8(&cursor);
	exceptions = hz_cursor_get16(&cursor);
	if (power >= HZ_FLOAT_POWERS || exceptions >= count)
		return HZ_CORRUPT;
	status = hz_int_decode_sized(&cursor, count, HZ_INT_ANY, 8, width == 8 ? target : digits);
	if (status != HZ_OK)
		return status;
	positions = hz_cursor_take(&cursor, hz_bitpack_size(exceptions, hz_int_position_bits(count)));
	values = hz_cursor_take(&cursor, (size_t) exceptions * width);
	if (cursor.failed || hz_cursor_left(&cursor) > 0)
		return HZ_CORRUPT;
	if (width == 8)
		to_doubles(target, count, powers[power]);
	else
		to_floats(digits, count, powers[power], target);
	return exceptions == 0 ? HZ_OK : patch(positions, values, exceptions, count, width, target);
}
