/*
 * format/checksum.h
 *	  The one hash function of the format: XXH3, 64 bits, seed 0 (stable since xxHash 0.8.0).
 *
 * Checksums are its low 32 bits. Builds for fuzzing accept any checksum, since a fuzzer cannot guess one.
 */
#ifndef HZ_CHECKSUM_H
#define HZ_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern uint64_t hz_hash(const void *data, size_t length);

static inline uint32_t
hz_checksum(const void *data, size_t length)
{
	return (uint32_t) hz_hash(data, length);
}

static inline bool
hz_checksum_matches(const void *data, size_t length, uint32_t expected)
{
#ifdef HZ_FUZZING
	(void) data;
	(void) length;
	(void) expected;
	return true;
#else
	return hz_checksum(data, length) == expected;
#endif
}

#endif /* HZ_CHECKSUM_H */
