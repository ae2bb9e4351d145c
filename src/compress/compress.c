/*
 * compress/compress.c
 *	  LZ4 blocks and ZSTD frames through the system's libraries. See compress.h.
 *
 * Frames do not trust their own headers: the caller says how long the result is, nothing is written past
 * that, and anything shorter is damage too. ZSTD's contexts are made at first use and live as long as the thread,
 * outside of PostgreSQL's memory contexts; a call that fails leaves them usable.
 */
#include "compress/compress.h"

#include <lz4.h>
#include <zstd.h>

const char *
hz_compress_name(HzCodec codec)
{
	switch (codec)
	{
		case HZ_CODEC_NONE:
			return "none";
		case HZ_CODEC_LZ4:
			return "lz4";
		case HZ_CODEC_ZSTD:
			return "zstd";
	}
	return NULL;
}

bool
hz_compress_by_name(const char *name, HzCodec *codec)
{
	for (int c = HZ_CODEC_NONE; c <= HZ_CODEC_ZSTD; c++)
		if (strcmp(name, hz_compress_name((HzCodec) c)) == 0)
		{
			*codec = (HzCodec) c;
			return true;
		}
	return false;
}

static __thread ZSTD_CCtx *compressor = NULL;
static __thread ZSTD_DCtx *decompressor = NULL;

void
hz_compress_release(void)
{
	ZSTD_freeCCtx(compressor);
	ZSTD_freeDCtx(decompressor);
	compressor = NULL;
	decompressor = NULL;
}

static HzStatus
compress_lz4(const void *source, size_t length, HzBytes *out)
{
	int bound;
	int size;

	if (length > LZ4_MAX_INPUT_SIZE)
		return HZ_LIMIT;
	bound = LZ4_compressBound((int) length);
	size = LZ4_compress_default(source, (char *) hz_bytes_reserve(out, (size_t) bound),
								(int) length, bound);
	if (size <= 0)
		return HZ_CODEC_FAILED;
	out->length += (size_t) size;
	return HZ_OK;
}

static HzStatus
compress_zstd(int level, const void *source, size_t length, HzBytes *out)
{
	size_t bound = ZSTD_compressBound(length);
	size_t size;

	if (compressor == NULL)
		compressor = ZSTD_createCCtx();
	if (compressor == NULL || ZSTD_isError(bound))
		return HZ_CODEC_FAILED;
	if (level < HZ_ZSTD_LEVEL_MIN)
		level = HZ_ZSTD_LEVEL_MIN;
	if (level > HZ_ZSTD_LEVEL_MAX)
		level = HZ_ZSTD_LEVEL_MAX;
	size =
		ZSTD_compressCCtx(compressor, hz_bytes_reserve(out, bound), bound, source, length, level);
	if (ZSTD_isError(size))
		return HZ_CODEC_FAILED;
	out->length += size;
	return HZ_OK;
}

HzStatus
hz_compress(HzCodec codec, int level, const void *source, size_t length, HzBytes *out)
{
	switch (codec)
	{
		case HZ_CODEC_NONE:
			hz_bytes_append(out, source, length);
			return HZ_OK;
		case HZ_CODEC_LZ4:
			return compress_lz4(source, length, out);
		case HZ_CODEC_ZSTD:
			return compress_zstd(level, source, length, out);
	}
	return HZ_VERSION;
}

static HzStatus
decompress_lz4(const void *source, size_t length, void *target, size_t target_length)
{
	int size;

	if (length > INT32_MAX || target_length > LZ4_MAX_INPUT_SIZE)
		return HZ_LIMIT;
	size = LZ4_decompress_safe(source, target, (int) length, (int) target_length);
	return size >= 0 && (size_t) size == target_length ? HZ_OK : HZ_CORRUPT;
}

static HzStatus
decompress_zstd(const void *source, size_t length, void *target, size_t target_length)
{
	size_t size;

	if (decompressor == NULL)
		decompressor = ZSTD_createDCtx();
	if (decompressor == NULL)
		return HZ_CODEC_FAILED;
	size = ZSTD_decompressDCtx(decompressor, target, target_length, source, length);
	return !ZSTD_isError(size) && size == target_length ? HZ_OK : HZ_CORRUPT;
}

HzStatus
hz_decompress(HzCodec codec, const void *source, size_t length, void *target, size_t target_length)
{
	switch (codec)
	{
		case HZ_CODEC_NONE:
			if (length != target_length)
				return HZ_CORRUPT;
			if (length > 0)
				memcpy(target, source, length);
			return HZ_OK;
		case HZ_CODEC_LZ4:
			return decompress_lz4(source, length, target, target_length);
		case HZ_CODEC_ZSTD:
			return decompress_zstd(source, length, target, target_length);
	}
	return HZ_VERSION;
}
