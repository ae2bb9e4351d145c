/*
 * load/source.c
 *	  A file or standard input as a stream of bytes; gzip and Zstandard are recognised by their first bytes.
 */
#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"
#include "load/message.h"
#include "load/source.h"

#define INPUT_SIZE (256 * 1024)
#define TAIL_SIZE (64 * 1024)

typedef enum Compression
{
	STORED,
	GZIP,
	ZSTANDARD,
} Compression;

struct HzSource
{
	const char *path;
	int fd;
	bool regular;
	uint64_t size;
	uint64_t position;

	Compression compression;
	z_stream zlib;
	ZSTD_DStream *zstd;
	bool inside; /* a gzip member or a frame that has begun and not ended */

	uint8_t *input; /* read from the file, not yet uncompressed */
	size_t input_at;
	size_t input_length;
	bool input_end;
};

static size_t
read_file(HzSource *source, uint8_t *buffer, size_t size)
{
	ssize_t n;

	do
		n = read(source->fd, buffer, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		hz_fatal("what was committed is recorded: run the same command again to go on",
				 "cannot read %s: %s", source->path, strerror(errno));
	source->position += (uint64_t) n;
	return (size_t) n;
}

/* Makes sure that there is input, unless the file has ended. */
static void
fill(HzSource *source)
{
	if (source->input_at < source->input_length || source->input_end)
		return;
	source->input_at = 0;
	source->input_length = read_file(source, source->input, INPUT_SIZE);
	source->input_end = source->input_length == 0;
}

static void
recognise(HzSource *source)
{
	const uint8_t *p = source->input;

	/* A pipe may bring less than four bytes at a time. */
	while (source->input_length < 4 && !source->input_end)
	{
		size_t n = read_file(source, source->input + source->input_length,
							 INPUT_SIZE - source->input_length);

		source->input_length += n;
		source->input_end = n == 0;
	}
	if (source->input_length >= 2 && p[0] == 0x1F && p[1] == 0x8B)
	{
		source->compression = GZIP;
		if (inflateInit2(&source->zlib, 15 + 16) != Z_OK)
			hz_fatal(NULL, "zlib cannot be initialised");
	}
	else if (source->input_length >= 4 &&
			 (memcmp(p, "\x28\xB5\x2F\xFD", 4) == 0 ||
			  (p[0] >> 4 == 5 && memcmp(p + 1, "\x2A\x4D\x18", 3) == 0)))
	{
		source->compression = ZSTANDARD;
		source->zstd = ZSTD_createDStream();
		if (source->zstd == NULL || ZSTD_isError(ZSTD_initDStream(source->zstd)))
			hz_fatal(NULL, "libzstd cannot be initialised");
		/* Frames of --long: up to 2 GB of window would be asked for by a hostile file; 128 MB is what zstd itself takes. */
		ZSTD_DCtx_setParameter(source->zstd, ZSTD_d_windowLogMax, 27);
	}
}

HzSource *
hz_source_open(const char *path)
{
	HzSource *source = hz_alloc_zero(sizeof(HzSource));
	bool standard = strcmp(path, "-") == 0;
	struct stat status;

	source->path = standard ? "standard input" : path;
	source->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (source->fd < 0 || fstat(source->fd, &status) != 0)
		hz_fatal(NULL, "cannot open %s: %s", source->path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		hz_fatal("name its files: they are loaded one after the other", "%s is a directory",
				 source->path);
	/* A file on standard input may stand anywhere: it is read as a pipe is. */
	source->regular = S_ISREG(status.st_mode) && !standard;
	source->size = source->regular ? (uint64_t) status.st_size : 0;
	source->input = hz_alloc(INPUT_SIZE);
	fill(source);
	recognise(source);
	return source;
}

void
hz_source_close(HzSource *source)
{
	if (source->compression == GZIP)
		inflateEnd(&source->zlib);
	if (source->compression == ZSTANDARD)
		ZSTD_freeDStream(source->zstd);
	if (source->fd != STDIN_FILENO)
		close(source->fd);
	hz_free(source->input);
	hz_free(source);
}

static size_t
read_stored(HzSource *source, uint8_t *buffer, size_t size)
{
	size_t rest = source->input_length - source->input_at;

	if (rest == 0)
		return source->input_end ? 0 : read_file(source, buffer, size);
	if (rest > size)
		rest = size;
	memcpy(buffer, source->input + source->input_at, rest);
	source->input_at += rest;
	return rest;
}

static void
fail_damaged(const HzSource *source, const char *what)
{
	hz_fatal(
		"what was committed is recorded: once the file is whole again, run the same command with --continue",
		"%s: %s (near byte %llu of the compressed file)", source->path, what,
		(unsigned long long) source->position);
}

static size_t
read_gzip(HzSource *source, uint8_t *buffer, size_t size)
{
	z_stream *z = &source->zlib;
	int result;

	z->next_in = source->input + source->input_at;
	z->avail_in = (uInt) (source->input_length - source->input_at);
	z->next_out = buffer;
	z->avail_out = (uInt) size;
	result = inflate(z, Z_NO_FLUSH);
	source->input_at = source->input_length - z->avail_in;
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		fail_damaged(source, z->msg != NULL ? z->msg : "damaged gzip data");
	source->inside = result != Z_STREAM_END;
	/* Members may follow each other, as pigz and cat make them. */
	if (result == Z_STREAM_END && inflateReset(z) != Z_OK)
		fail_damaged(source, "damaged gzip data");
	return size - z->avail_out;
}

static size_t
read_zstd(HzSource *source, uint8_t *buffer, size_t size)
{
	ZSTD_inBuffer in = {source->input, source->input_length, source->input_at};
	ZSTD_outBuffer out = {buffer, size, 0};
	size_t result = ZSTD_decompressStream(source->zstd, &out, &in);

	if (ZSTD_isError(result))
		fail_damaged(source, ZSTD_getErrorName(result));
	source->input_at = in.pos;
	source->inside = result != 0;
	return out.pos;
}

size_t
hz_source_read(HzSource *source, uint8_t *buffer, size_t size)
{
	size_t n;

	if (size > (1 << 30))
		size = 1 << 30;
	if (source->compression == STORED)
		return read_stored(source, buffer, size);
	for (;;)
	{
		fill(source);
		if (source->input_end && !source->inside)
			return 0;
		/* At the end of the file the decompressor may still hold something back. */
		n = source->compression == GZIP ? read_gzip(source, buffer, size)
										: read_zstd(source, buffer, size);
		if (n > 0)
			return n;
		if (source->input_end && source->inside)
			fail_damaged(source, "the compressed file is cut off");
	}
}

bool
hz_source_is_regular(const HzSource *source)
{
	return source->regular;
}

bool
hz_source_would_wait(const HzSource *source, int *fd)
{
	struct pollfd poll_fd = {source->fd, POLLIN, 0};

	*fd = source->fd;
	if (source->regular || source->input_end || source->input_at < source->input_length)
		return false;
	return poll(&poll_fd, 1, 0) == 0;
}

uint64_t
hz_source_size(const HzSource *source)
{
	return source->size;
}

uint64_t
hz_source_position(const HzSource *source)
{
	return source->position;
}

static uint64_t
hash_part(const HzSource *source, uint64_t start, uint64_t length)
{
	XXH3_state_t *state = XXH3_createState();
	uint8_t *buffer = hz_alloc(TAIL_SIZE);
	uint64_t hash;

	XXH3_64bits_reset(state);
	while (length > 0)
	{
		ssize_t n =
			pread(source->fd, buffer, length < TAIL_SIZE ? length : TAIL_SIZE, (off_t) start);

		if (n <= 0)
			hz_fatal(NULL, "cannot read %s: %s", source->path,
					 n < 0 ? strerror(errno) : "it became shorter");
		XXH3_64bits_update(state, buffer, (size_t) n);
		start += (uint64_t) n;
		length -= (uint64_t) n;
	}
	hash = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	hz_free(buffer);
	return hash;
}

uint64_t
hz_source_hash_head(const HzSource *source, uint64_t length)
{
	return hash_part(source, 0, length < source->size ? length : source->size);
}

uint64_t
hz_source_hash_tail(const HzSource *source)
{
	uint64_t length = source->size < TAIL_SIZE ? source->size : TAIL_SIZE;

	return hash_part(source, source->size - length, length);
}
