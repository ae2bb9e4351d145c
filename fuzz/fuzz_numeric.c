/*
 * fuzz/fuzz_numeric.c
 *	  A payload that converts comes back byte for byte; a scaled integer comes back as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "format/numeric.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_payload(const uint8_t *data, size_t size)
{
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
	HzInt128 value;
	uint16_t scale;

	if (!hz_numeric_from_payload(data, size, &value, &scale))
		return;
	if (hz_numeric_to_payload(value, scale, payload) != size || memcmp(payload, data, size) != 0)
		abort();
}

static void
check_integer(const uint8_t *data)
{
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
	HzInt128 value;
	HzInt128 back;
	uint16_t scale;
	uint16_t back_scale;
	size_t length;

	memcpy(&value, data, sizeof(value));
	memcpy(&scale, data + sizeof(value), sizeof(scale));
	scale &= 16383;
	length = hz_numeric_to_payload(value, scale, payload);
	if (length > sizeof(payload))
		abort();
	/* the one value whose negation does not fit may be refused */
	if (value == (HzInt128) ((unsigned __int128) 1 << 127))
		return;
	if (!hz_numeric_from_payload(payload, length, &back, &back_scale) || back != value ||
		back_scale != scale)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_payload(data, size);
	if (size >= sizeof(HzInt128) + 2)
		check_integer(data);
	return 0;
}
