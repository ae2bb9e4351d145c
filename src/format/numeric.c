/*
 * format/numeric.c
 *	  PostgreSQL's numeric payloads to scaled integers and back. See numeric.h.
 *
 * A payload is canonical when it is what make_result() in numeric.c of PostgreSQL builds: the short
 * header wherever it fits, no zero digit at either end, zero without digits, weight and sign. A
 * canonical payload is determined by its value and its display scale, so checking the form is enough
 * to know that the round trip gives the same bytes.
 */
#include <string.h>

#include "format/numeric.h"

#define SIGN_MASK 0xC000
#define LONG_POSITIVE 0x0000
#define LONG_NEGATIVE 0x4000
#define SHORT 0x8000
#define SPECIAL 0xC000
#define LONG_DSCALE_MASK 0x3FFF

#define SHORT_SIGN 0x2000
#define SHORT_DSCALE_SHIFT 7
#define SHORT_DSCALE_MAX 63
#define SHORT_WEIGHT_SIGN 0x0040
#define SHORT_WEIGHT_MASK 0x003F
#define SHORT_WEIGHT_MAX 63
#define SHORT_WEIGHT_MIN (-64)

#define BASE 10000    /* of a digit */
#define BASE_DIGITS 4 /* decimal digits in a digit */
#define MAX_DIGITS 12 /* more never fit 128 bits: 11 hold 41 decimal digits and more */

typedef unsigned __int128 Magnitude;

#define MAGNITUDE_MAX (((Magnitude) 1 << 127) - 1)

static const uint32_t powers[BASE_DIGITS] = {1, 10, 100, 1000};

typedef struct Parts
{
	bool negative;
	int dscale;
	int weight; /* the first digit counts BASE^weight */
	int count;  /* digits */
	const uint8_t *digits;
} Parts;

static uint16_t
load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Takes a payload apart; false unless it is a finite number with a canonical header. */
static bool
parse(const uint8_t *payload, size_t length, Parts *parts)
{
	uint16_t header;
	size_t header_size;

	if (length < 2 || length % 2 != 0 || length > 4 + 2 * MAX_DIGITS)
		return false;
	header = load16(payload);
	if ((header & SIGN_MASK) == SPECIAL)
		return false;
	if ((header & SIGN_MASK) == SHORT)
	{
		header_size = 2;
		parts->negative = (header & SHORT_SIGN) != 0;
		parts->dscale = (header >> SHORT_DSCALE_SHIFT) & SHORT_DSCALE_MAX;
		parts->weight = (header & SHORT_WEIGHT_MASK) - (header & SHORT_WEIGHT_SIGN);
	}
	else
	{
		header_size = 4;
		if (length < header_size)
			return false;
		parts->negative = (header & SIGN_MASK) == LONG_NEGATIVE;
		parts->dscale = header & LONG_DSCALE_MASK;
		parts->weight = (int16_t) load16(payload + 2);
		if (parts->dscale <= SHORT_DSCALE_MAX && parts->weight >= SHORT_WEIGHT_MIN &&
			parts->weight <= SHORT_WEIGHT_MAX)
			return false;
	}
	parts->digits = payload + header_size;
	parts->count = (int) ((length - header_size) / 2);
	return true;
}

/*
 * Appends the digits but the last one to *v, which is zero; false when one is no digit or 128 bits are not
 * enough. Four digits fit 64 bits, which is most numbers.
 */
static bool
join_digits(const uint8_t *digits, int count, Magnitude *v)
{
	uint64_t low = 0;
	int i = 0;

	for (; i < count && i < 4; i++)
	{
		if (load16(digits + 2 * i) >= BASE)
			return false;
		low = low * BASE + load16(digits + 2 * i);
	}
	for (*v = low; i < count; i++)
		if (load16(digits + 2 * i) >= BASE || __builtin_mul_overflow(*v, (Magnitude) BASE, v) ||
			__builtin_add_overflow(*v, (Magnitude) load16(digits + 2 * i), v))
			return false;
	return true;
}

/*
 * Appends the last digit, of which -shift decimal digits lie behind the scale and must be zero, or which
 * is followed by `shift` zeroes.
 */
static bool
join_last(uint16_t digit, int shift, Magnitude *v)
{
	int cut = shift < 0 ? -shift : 0;

	if (digit == 0 || digit >= BASE || cut >= BASE_DIGITS || digit % powers[cut] != 0)
		return false;
	if (__builtin_mul_overflow(*v, (Magnitude) (BASE / powers[cut]), v) ||
		__builtin_add_overflow(*v, (Magnitude) (digit / powers[cut]), v))
		return false;
	for (; shift >= BASE_DIGITS; shift -= BASE_DIGITS)
		if (__builtin_mul_overflow(*v, (Magnitude) BASE, v))
			return false;
	if (shift > 0 && __builtin_mul_overflow(*v, (Magnitude) powers[shift], v))
		return false;
	return *v <= MAGNITUDE_MAX;
}

bool
hz_numeric_from_payload(const uint8_t *payload, size_t length, HzInt128 *value, uint16_t *scale)
{
	Parts parts;
	Magnitude v = 0;
	int last;
	int shift;

	if (!parse(payload, length, &parts))
		return false;
	*scale = (uint16_t) parts.dscale;
	if (parts.count == 0)
	{
		*value = 0;
		return parts.weight == 0 && !parts.negative;
	}
	last = parts.count - 1;
	shift = BASE_DIGITS * (parts.weight - last) + parts.dscale;
	if (load16(parts.digits) == 0 || !join_digits(parts.digits, last, &v) ||
		!join_last(load16(parts.digits + 2 * last), shift, &v))
		return false;
	*value = parts.negative ? -(HzInt128) v : (HzInt128) v;
	return true;
}

/*
 * Cuts v / 10^scale into digits around the decimal point, least significant first. Returns their number;
 * *weight is that of the last one (the most significant).
 */
static int
cut_digits(Magnitude v, unsigned scale, uint16_t *digits, int *weight)
{
	unsigned partial = scale % BASE_DIGITS;
	int count = 0;
	uint64_t low;

	if (partial != 0)
	{
		digits[count++] =
			(uint16_t) ((uint32_t) (v % powers[partial]) * powers[BASE_DIGITS - partial]);
		v /= powers[partial];
	}
	while (v > UINT64_MAX)
	{
		digits[count++] = (uint16_t) (v % BASE);
		v /= BASE;
	}
	for (low = (uint64_t) v; low > 0; low /= BASE)
		digits[count++] = (uint16_t) (low % BASE);
	*weight = count - 1 - (int) ((scale + BASE_DIGITS - 1) / BASE_DIGITS);
	return count;
}

static size_t
put_header(bool negative, unsigned scale, int weight, uint8_t *payload)
{
	uint16_t header;
	int16_t long_weight = (int16_t) weight;

	if (scale <= SHORT_DSCALE_MAX && weight >= SHORT_WEIGHT_MIN && weight <= SHORT_WEIGHT_MAX)
	{
		header = (uint16_t) (SHORT | (negative ? SHORT_SIGN : 0) | scale << SHORT_DSCALE_SHIFT |
							 (weight < 0 ? SHORT_WEIGHT_SIGN : 0) | (weight & SHORT_WEIGHT_MASK));
		memcpy(payload, &header, sizeof(header));
		return 2;
	}
	header = (uint16_t) ((negative ? LONG_NEGATIVE : LONG_POSITIVE) | (scale & LONG_DSCALE_MASK));
	memcpy(payload, &header, sizeof(header));
	memcpy(payload + 2, &long_weight, sizeof(long_weight));
	return 4;
}

size_t
hz_numeric_to_payload(HzInt128 value, uint16_t scale, uint8_t *payload)
{
	Magnitude v = value < 0 ? -(Magnitude) value : (Magnitude) value;
	uint16_t digits[MAX_DIGITS];
	int count;
	int weight;
	int first = 0;
	size_t length;

	if (v == 0)
		return put_header(false, scale, 0, payload);
	count = cut_digits(v, scale, digits, &weight);
	while (digits[count - 1] == 0)
	{
		count--;
		weight--;
	}
	while (digits[first] == 0)
		first++;
	length = put_header(value < 0, scale, weight, payload);
	for (int i = count; i-- > first; length += 2)
		memcpy(payload + length, &digits[i], 2);
	return length;
}
