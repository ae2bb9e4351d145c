/*
 * compress/compress.h
 *	  General-purpose codecs behind one pair of functions.
 *
 * The codec of a frame is recorded beside it; a codec's number is on disk: never renumber.
 */
#ifndef HZ_COMPRESS_H
#define HZ_COMPRESS_H

#include "base/bytes.h"
#include "base/status.h"

typedef enum HzCodec
{
	HZ_CODEC_NONE = 0,
	HZ_CODEC_LZ4 = 1,
	HZ_CODEC_ZSTD = 2
} HzCodec;

#define HZ_ZSTD_LEVEL_MIN 1
#define HZ_ZSTD_LEVEL_MAX 19
#define HZ_ZSTD_LEVEL_DEFAULT 3

/* "none", "lz4", "zstd"; NULL for a number that is no codec. */
extern const char *hz_compress_name(HzCodec codec);

/* The codec of that name (case-sensitive); false when there is none. */
extern bool hz_compress_by_name(const char *name, HzCodec *codec);

/*
 * Appends the compressed form of source[0..length) to `out`. `level` matters to ZSTD only. Contexts of
 * the libraries are kept per thread, so that a call costs no allocation of theirs.
 */
extern HzStatus hz_compress(HzCodec codec, int level, const void *source, size_t length,
							HzBytes *out);

/* Gives back what the libraries keep for this thread. Before a thread ends; the process's own is kept. */
extern void hz_compress_release(void);

/* Fills exactly target[0..target_length), or says that the bytes are damaged. */
extern HzStatus hz_decompress(HzCodec codec, const void *source, size_t length, void *target,
							  size_t target_length);

#endif /* HZ_COMPRESS_H */
