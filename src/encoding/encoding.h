/*
 * encoding/encoding.h
 *	  Light encodings of one vector: up to HZ_VECTOR_ROWS values to self-describing bytes and back.
 *
 * Every encoder tries what its type family has, by exact size computed from statistics (samples only
 * decide what is not worth trying), and appends the smallest to `out` (ties: the one that decodes
 * faster). The first byte names the encoding. Every decoder takes the whole encoded piece with its length, checks everything, never
 * reads outside it, never writes more than `count` slots rounded up to a multiple of 64 (the caller's
 * room must be HZ_ENCODING_ROOM slots), never allocates, and returns HZ_CORRUPT for bytes no encoder
 * writes (but for packed bits, which all mean something) and HZ_LIMIT for a count or width out of
 * range. The bytes are in README.md. Encoders take up to 300 kB of stack, decoders 100 kB.
 *
 * Null values are presented to encoders as zero or, better, as a repeat of the previous value: the
 * caller owns validity.
 *
 * Sources: frame-of-reference and patched exceptions (Zukowski et al., "Super-Scalar RAM-CPU Cache
 * Compression", ICDE 2006), transposed bit packing (Afroozeh & Boncz, "The FastLanes Compression
 * Layout", VLDB 2023), ALP and ALP-RD (Afroozeh, Kuffo & Boncz, SIGMOD 2024).
 */
#ifndef HZ_ENCODING_H
#define HZ_ENCODING_H

#include "base/bytes.h"
#include "base/status.h"
#include "base/vector.h"

/* Slots a decode target must have room for, whatever the count. */
#define HZ_ENCODING_ROOM HZ_VECTOR_ROWS

/* First byte of an encoded piece. On disk: never renumber. */
typedef enum HzEncoding
{
	HZ_ENCODING_CONSTANT = 1,   /* one value */
	HZ_ENCODING_RUN_LENGTH = 2, /* values and run lengths, both encoded */
	HZ_ENCODING_FOR = 3,        /* minimum + bit-packed differences (optional divisor) */
	HZ_ENCODING_DELTA = 4,      /* first value + encoded differences of neighbours */
	HZ_ENCODING_PATCHED = 5,    /* FOR with a narrower width and exceptions */
	HZ_ENCODING_PLAIN = 6,      /* the values as they are */
	HZ_ENCODING_ALP = 7,        /* floats as decimal integers with exceptions */
	HZ_ENCODING_ALP_RD = 8, /* floats cut into a dictionary-coded left and a packed right part */
	HZ_ENCODING_SPLIT = 9   /* 16-byte values as two columns of 8 bytes (uuid v7, int128) */
} HzEncoding;

/* "constant", "run-length", "for", … ; NULL for a number that is none. */
extern const char *hz_encoding_name(HzEncoding encoding);

/* Integers of any width, widened to int64 for encoding. 1 <= count <= HZ_VECTOR_ROWS. */
extern void hz_int_encode(const int64_t *values, uint32_t count, HzBytes *out);

/* width: 1, 2, 4 or 8 bytes a slot of target. A value that does not fit the width is HZ_CORRUPT. */
extern HzStatus hz_int_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
							  void *target);

/* The value at position i only, as cheaply as the encoding allows. */
extern HzStatus hz_int_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t i,
							 int64_t *value);

/* 128-bit integers (scaled numerics). */
extern void hz_int128_encode(const HzInt128 *values, uint32_t count, HzBytes *out);
extern HzStatus hz_int128_decode(const uint8_t *bytes, size_t length, uint32_t count,
								 HzInt128 *target);

/* Floats, bit-exact (NaN payloads, -0). width is 4 or 8; values are float or double. */
extern void hz_float_encode(const void *values, uint32_t width, uint32_t count, HzBytes *out);
extern HzStatus hz_float_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
								void *target);

/* Opaque values of `width` bytes, 1 <= width <= 65535: constant, run-length, split (width 16), plain. */
extern void hz_fixed_encode(const uint8_t *values, uint32_t width, uint32_t count, HzBytes *out);
extern HzStatus hz_fixed_decode(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
								uint8_t *target);

/* Value i alone. */
extern HzStatus hz_fixed_value(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
							   uint32_t i, uint8_t *value);

/* Sets mask[i] to 1 where value i is *value, else to 0, without decoding what need not be. */
extern HzStatus hz_fixed_match(const uint8_t *bytes, size_t length, uint32_t count, uint32_t width,
							   const uint8_t *value, uint8_t *mask);

/* Bitmaps of `count` bits (validity, booleans): all ones, all zeroes, runs, or the words as they are. */
extern void hz_bits_encode(const uint64_t *words, uint32_t count, HzBytes *out);
extern HzStatus hz_bits_decode(const uint8_t *bytes, size_t length, uint32_t count,
							   uint64_t *words);

#endif /* HZ_ENCODING_H */
