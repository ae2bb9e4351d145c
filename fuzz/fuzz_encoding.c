/*
 * fuzz/fuzz_encoding.c
 *	  Decoders given any bytes; encoders given any values, which must come back.
 *
 *	  byte 0       what to do, see LLVMFuzzerTestOneInput
 *	  bytes 1, 2   count - 1 modulo 2,048
 *	  byte 3       width
 *	  then         the piece, or the values
 *
 * Targets are blocks of the size that encoding.h promises not to leave, for the sanitizer to watch.
 */
#include <stdlib.h>
#include <string.h>

#include "encoding/encoding.h"

#define REQUIRE(condition) \
	do                     \
	{                      \
		if (!(condition))  \
			abort();       \
	} while (0)

typedef struct Input
{
	uint32_t count;
	uint32_t width; /* of a slot */
	const uint8_t *data;
	size_t length;
} Input;

static void *
make_target(const Input *input)
{
	return malloc(((size_t) input->count + 63) / 64 * 64 * input->width);
}

/* `count` slots of the input's bytes, repeated as often as it takes. */
static void *
make_values(const Input *input)
{
	size_t size = (size_t) input->count * input->width;
	uint8_t *values = malloc((size + 7) / 8 * 8);

	memset(values, 0, (size + 7) / 8 * 8);
	for (size_t i = 0; i < size && input->length > 0; i++)
		values[i] = input->data[i % input->length];
	return values;
}

static void
decode_ints(Input *input)
{
	void *target;
	int64_t value;
	uint32_t i = input->count * 5 / 8;
	HzStatus status;

	input->width = 1u << (input->width % 4);
	target = make_target(input);
	status = hz_int_decode(input->data, input->length, input->count, input->width, target);
	/* What decodes whole decodes alone, to the same value. */
	if (status == HZ_OK && input->width == 8)
	{
		REQUIRE(hz_int_value(input->data, input->length, input->count, i, &value) == HZ_OK);
		REQUIRE(value == ((int64_t *) target)[i]);
	}
	else
		(void) hz_int_value(input->data, input->length, input->count, i, &value);
	free(target);
}

static void
decode_others(int what, Input *input)
{
	void *target;

	input->width = what == 1   ? 16
				   : what == 2 ? 4 + input->width % 2 * 4
				   : what == 3 ? 1 + input->width
							   : 1;
	target = make_target(input);
	if (what == 1)
		(void) hz_int128_decode(input->data, input->length, input->count, target);
	else if (what == 2)
		(void) hz_float_decode(input->data, input->length, input->count, input->width, target);
	else if (what == 3)
	{
		uint8_t mask[HZ_VECTOR_ROWS];
		uint8_t value[257] = {0};

		memcpy(value, input->data, input->length < sizeof(value) ? input->length : sizeof(value));
		(void) hz_fixed_value(input->data, input->length, input->count, input->width,
							  input->count / 2, value);
		(void) hz_fixed_match(input->data, input->length, input->count, input->width, value, mask);
		(void) hz_fixed_decode(input->data, input->length, input->count, input->width, target);
	}
	else
		(void) hz_bits_decode(input->data, input->length, input->count, target);
	free(target);
}

/* The values as small signed numbers too, or everything would be random 64-bit integers. */
static void
round_trip_ints(Input *input)
{
	HzBytes out = {0};
	uint32_t shift = input->width % 64;
	bool sums = input->width & 64;
	int64_t *values;
	int64_t *target;

	input->width = 8;
	values = make_values(input);
	target = make_target(input);
	for (uint32_t i = 0; i < input->count; i++)
	{
		values[i] >>= shift;
		if (sums && i > 0)
			values[i] = (int64_t) ((uint64_t) values[i] + (uint64_t) values[i - 1]);
	}
	hz_int_encode(values, input->count, &out);
	REQUIRE(hz_int_decode(out.data, out.length, input->count, 8, target) == HZ_OK);
	REQUIRE(memcmp(target, values, 8 * (size_t) input->count) == 0);
	REQUIRE(out.length <= 2 + 8 * (size_t) input->count);
	hz_bytes_free(&out);
	free(values);
	free(target);
}

static void
round_trip_others(int what, Input *input)
{
	HzBytes out = {0};
	void *values;
	void *target;
	HzStatus status;

	input->width = what == 1 ? 16 : what == 2 ? 4 + input->width % 2 * 4 : 1 + input->width % 40;
	values = make_values(input);
	target = make_target(input);
	if (what == 1)
	{
		hz_int128_encode(values, input->count, &out);
		status = hz_int128_decode(out.data, out.length, input->count, target);
	}
	else if (what == 2)
	{
		hz_float_encode(values, input->width, input->count, &out);
		status = hz_float_decode(out.data, out.length, input->count, input->width, target);
	}
	else
	{
		hz_fixed_encode(values, input->width, input->count, &out);
		status = hz_fixed_decode(out.data, out.length, input->count, input->width, target);
	}
	REQUIRE(status == HZ_OK);
	REQUIRE(memcmp(target, values, (size_t) input->count * input->width) == 0);
	REQUIRE(out.length <= 1 + (size_t) input->count * input->width);
	hz_bytes_free(&out);
	free(values);
	free(target);
}

static void
round_trip_bits(Input *input)
{
	HzBytes out = {0};
	uint64_t words[HZ_VECTOR_ROWS / 64] = {0};
	uint64_t target[HZ_VECTOR_ROWS / 64];

	for (size_t i = 0; i < input->length && i < sizeof(words); i++)
		((uint8_t *) words)[i] = input->data[i];
	hz_bits_encode(words, input->count, &out);
	REQUIRE(hz_bits_decode(out.data, out.length, input->count, target) == HZ_OK);
	for (uint32_t i = 0; i < input->count; i++)
		REQUIRE((words[i / 64] >> i % 64 & 1) == (target[i / 64] >> i % 64 & 1));
	hz_bytes_free(&out);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input input;
	int what;

	if (size < 4)
		return 0;
	what = data[0] % 10;
	input.count = 1 + hz_load16(data + 1) % HZ_VECTOR_ROWS;
	input.width = data[3];
	input.data = data + 4;
	input.length = size - 4;
	if (what == 0)
		decode_ints(&input);
	else if (what < 5)
		decode_others(what, &input);
	else if (what == 5)
		round_trip_ints(&input);
	else if (what < 9)
		round_trip_others(what - 5, &input);
	else
		round_trip_bits(&input);
	return 0;
}
