/*
 * unit/test_compress.c
 *	  The codecs: round trips, exact lengths, damage.
 */
#include "compress/compress.h"
#include "unit/unit.h"

#define LARGEST 70000

static uint8_t source[LARGEST];
static HzBytes out;

static void
check_codec(HzCodec codec, int level, size_t length)
{
	uint8_t *target = malloc(length + 1);
	uint8_t *frame;

	out.length = 0;
	hz_bytes_put8(&out, 0xA5); /* what is in the buffer already stays */
	CHECK(hz_compress(codec, level, source, length, &out) == HZ_OK);
	CHECK(out.data[0] == 0xA5);
	frame = unit_copy(out.data + 1, out.length - 1);
	CHECK(hz_decompress(codec, frame, out.length - 1, target, length) == HZ_OK);
	CHECK(memcmp(target, source, length) == 0);
	CHECK(hz_decompress(codec, frame, out.length - 1, target, length + 1) == HZ_CORRUPT);
	if (length > 0)
		CHECK(hz_decompress(codec, frame, out.length - 1, target, length - 1) == HZ_CORRUPT);
	free(frame);
	free(target);
}

static void
test_round_trips(void)
{
	static const size_t lengths[] = {0, 1, 2, 15, 16, 100, 4096, 65536, LARGEST};

	for (int kind = 0; kind < 3; kind++)
	{
		for (size_t i = 0; i < LARGEST; i++)
			source[i] = kind == 0   ? 'a'
						: kind == 1 ? (uint8_t) ("https://hanzo.ai/"[i % 17] + i / 1000)
									: (uint8_t) unit_random();
		for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++)
		{
			unit_subject = "none";
			check_codec(HZ_CODEC_NONE, 0, lengths[l]);
			unit_subject = "lz4";
			check_codec(HZ_CODEC_LZ4, 0, lengths[l]);
			unit_subject = "zstd";
			for (int level = -5; level <= 25; level += 6)
				check_codec(HZ_CODEC_ZSTD, level, lengths[l]);
		}
	}
}

/* Truncated at many lengths, and with bytes changed: any answer, no crash, and no success when truncated. */
static void
test_damage(void)
{
	const size_t length = 3000;
	uint8_t *target = malloc(length);

	unit_subject = "damage";
	for (size_t i = 0; i < length; i++)
		source[i] = (uint8_t) (i % 100 + unit_random() % 3);
	for (HzCodec codec = HZ_CODEC_NONE; codec <= HZ_CODEC_ZSTD; codec++)
	{
		out.length = 0;
		hz_compress(codec, 3, source, length, &out);
		for (size_t cut = 0; cut < out.length; cut++)
		{
			uint8_t *frame = unit_copy(out.data, cut);

			CHECK(hz_decompress(codec, frame, cut, target, length) != HZ_OK);
			free(frame);
		}
		for (int round = 0; round < 2000; round++)
		{
			uint8_t *frame = unit_copy(out.data, out.length);
			HzStatus status;

			frame[unit_random() % out.length] ^= (uint8_t) (1 + unit_random() % 255);
			status = hz_decompress(codec, frame, out.length, target, length);
			CHECK(status == HZ_OK || status == HZ_CORRUPT);
			free(frame);
		}
	}
	free(target);
}

static void
test_names(void)
{
	HzCodec codec = HZ_CODEC_NONE;

	unit_subject = "names";
	CHECK(hz_compress_by_name("zstd", &codec) && codec == HZ_CODEC_ZSTD);
	CHECK(hz_compress_by_name("lz4", &codec) && codec == HZ_CODEC_LZ4);
	CHECK(hz_compress_by_name("none", &codec) && codec == HZ_CODEC_NONE);
	CHECK(!hz_compress_by_name("ZSTD", &codec));
	CHECK(!hz_compress_by_name("", &codec));
	CHECK(hz_compress_name((HzCodec) 9) == NULL);
	CHECK(hz_compress((HzCodec) 9, 3, source, 5, &out) == HZ_VERSION);
	CHECK(hz_decompress((HzCodec) 9, source, 5, source, 5) == HZ_VERSION);
}

int
main(void)
{
	test_round_trips();
	test_damage();
	test_names();
	hz_bytes_free(&out);
	return unit_summary();
}
