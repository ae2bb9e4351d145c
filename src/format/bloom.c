/*
 * format/bloom.c
 *	  Split-block bloom filters. See bloom.h; the bytes are in README.md.
 *
 * A filter is a row of blocks of 256 bits. A hash chooses one block by its high half and sets one bit
 * in each of the block's eight words by its low half, so that a look-up touches one cache line.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/bloom.h"
#include "format/checksum.h"

#define BLOCK_BYTES 32
#define BLOCK_WORDS 8

/* Bits a value for 1 %: -8 / ln(1 - 0.01^(1/8)), in hundredths, as Parquet's specification derives it. */
#define CENTIBITS_PER_VALUE 968

static const uint32_t salts[BLOCK_WORDS] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
											0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

uint64_t
hz_hash(const void *data, size_t length)
{
	return XXH3_64bits(data, length);
}

uint64_t
hz_bloom_hash(HzKind kind, const void *value, size_t length)
{
	if (kind == HZ_KIND_FLOAT32)
	{
		float f;

		memcpy(&f, value, sizeof(f));
		f = f == 0 ? 0 : f != f ? __builtin_nanf("") : f;
		return hz_hash(&f, sizeof(f));
	}
	if (kind == HZ_KIND_FLOAT64)
	{
		double d;

		memcpy(&d, value, sizeof(d));
		d = d == 0 ? 0 : d != d ? __builtin_nan("") : d;
		return hz_hash(&d, sizeof(d));
	}
	return hz_hash(value, length);
}

static size_t
block_of(uint64_t hash, uint64_t blocks)
{
	return (size_t) (((hash >> 32) * blocks) >> 32);
}

void
hz_bloom_write(const uint64_t *hashes, uint32_t count, uint32_t distinct, HzBytes *out)
{
	uint64_t bits = (uint64_t) distinct * CENTIBITS_PER_VALUE / 100;
	uint64_t blocks = bits / (BLOCK_BYTES * 8) + 1;
	uint8_t *filter = hz_bytes_reserve(out, blocks * BLOCK_BYTES);

	memset(filter, 0, blocks * BLOCK_BYTES);
	for (uint32_t i = 0; i < count; i++)
	{
		uint8_t *block = filter + block_of(hashes[i], blocks) * BLOCK_BYTES;

		for (int w = 0; w < BLOCK_WORDS; w++)
		{
			uint32_t bit = ((uint32_t) hashes[i] * salts[w]) >> 27;

			hz_store32(block + w * 4, hz_load32(block + w * 4) | UINT32_C(1) << bit);
		}
	}
	out->length += blocks * BLOCK_BYTES;
}

HzStatus
hz_bloom_check(const uint8_t *bytes, size_t length, uint64_t hash, bool *maybe)
{
	const uint8_t *block;

	if (length == 0 || length % BLOCK_BYTES != 0 || length / BLOCK_BYTES > UINT32_MAX)
		return HZ_CORRUPT;
	block = bytes + block_of(hash, length / BLOCK_BYTES) * BLOCK_BYTES;
	*maybe = true;
	for (int w = 0; w < BLOCK_WORDS; w++)
	{
		uint32_t bit = ((uint32_t) hash * salts[w]) >> 27;

		*maybe &= (block[w * 4 + bit / 8] >> bit % 8) & 1;
	}
	return HZ_OK;
}
