/*
 * fuzz/fuzz_compress.c
 *	  Decompressors given any bytes, and round trips.
 *
 *	  byte 0       bit 0: round trip; bits 1, 2: codec; the rest: level
 *	  bytes 1, 2   length of the result expected
 *	  then         the frame, or what to compress
 */
#include <stdlib.h>
#include <string.h>

#include "compress/compress.h"

#define REQUIRE(condition) \
	do                     \
	{                      \
		if (!(condition))  \
			abort();       \
	} while (0)

static void
round_trip(HzCodec codec, int level, const uint8_t *data, size_t length)
{
	HzBytes out = {0};
	uint8_t *target = malloc(length ? length : 1);

	REQUIRE(hz_compress(codec, level, data, length, &out) == HZ_OK);
	REQUIRE(hz_decompress(codec, out.data, out.length, target, length) == HZ_OK);
	REQUIRE(memcmp(target, data, length) == 0);
	hz_bytes_free(&out);
	free(target);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	HzCodec codec;
	size_t target_length;
	uint8_t *target;

	if (size < 3)
		return 0;
	codec = (HzCodec) (data[0] >> 1 & 3);
	target_length = hz_load16(data + 1);
	if ((data[0] & 1) && codec <= HZ_CODEC_ZSTD)
	{
		round_trip(codec, data[0] >> 3, data + 3, size - 3);
		return 0;
	}
	target = malloc(target_length ? target_length : 1);
	(void) hz_decompress(codec, data + 3, size - 3, target, target_length);
	free(target);
	return 0;
}
