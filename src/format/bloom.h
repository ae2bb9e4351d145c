/*
 * format/bloom.h
 *	  Split-block bloom filters (as in Apache Parquet's specification) over XXH3 64-bit hashes.
 *
 * The hash of a value is XXH3_64bits of its bytes: fixed kinds as their little-endian slot (-0.0 as
 * 0.0), BYTES as they are, NUMERIC not at all. It does not depend on build, CPU or PostgreSQL version.
 */
#ifndef HZ_BLOOM_H
#define HZ_BLOOM_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/status.h"
#include "base/vector.h"

extern uint64_t hz_bloom_hash(HzKind kind, const void *value, size_t length);

/* Appends a filter over `distinct` hashes with a false-positive rate near 1 %. */
extern void hz_bloom_write(const uint64_t *hashes, uint32_t count, uint32_t distinct, HzBytes *out);

/* Whether the hash may be in the filter; damaged filters answer HZ_CORRUPT. */
extern HzStatus hz_bloom_check(const uint8_t *bytes, size_t length, uint64_t hash, bool *maybe);

#endif /* HZ_BLOOM_H */
