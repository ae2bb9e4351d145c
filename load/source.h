/*
 * load/source.h
 *	  A file or standard input as a stream of bytes; gzip and Zstandard are recognised by their first bytes.
 */
#ifndef HZ_LOAD_SOURCE_H
#define HZ_LOAD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct HzSource HzSource;

/* "-" is standard input. An error is fatal. */
extern HzSource *hz_source_open(const char *path);
extern void hz_source_close(HzSource *source);

/*
 * Up to `size` bytes of the uncompressed stream; 0: its end. Damage, a stream that is cut off, and an error of the system are
 * fatal. May return fewer bytes than asked for.
 */
extern size_t hz_source_read(HzSource *source, uint8_t *buffer, size_t size);

/* A regular file: it can be read again, and its size is known. */
extern bool hz_source_is_regular(const HzSource *source);

/* Would a read wait for someone else? `fd` is what to poll then. */
extern bool hz_source_would_wait(const HzSource *source, int *fd);

/* Bytes in the file, and how many of them have been read; as stored, that is compressed. */
extern uint64_t hz_source_size(const HzSource *source);
extern uint64_t hz_source_position(const HzSource *source);

/* XXH3 of the first `length` bytes of a regular file, and of its last 64 KiB. */
extern uint64_t hz_source_hash_head(const HzSource *source, uint64_t length);
extern uint64_t hz_source_hash_tail(const HzSource *source);

#endif /* HZ_LOAD_SOURCE_H */
