/*
 * format/chunk.h
 *	  A column chunk: one column of one row group, as bytes, and its writer and reader.
 *
 * A chunk is a head followed by a body. The head (its length is in the HzChunkMeta that the row
 * group's directory entry carries) holds per vector: offset, length, checksum, zone map; the dictionary's
 * place; the frame table of compressed bytes; the bloom filter's place. The body holds the vectors' pieces, the frames,
 * the dictionary and the filter. Every range that can be read alone has a checksum of its own.
 * README.md beside this file specifies the bytes.
 *
 * The reader fetches ranges through an HzSource, so that a vector of a pruned scan or a single value costs the
 * pages it lies on and no more. What it returns lives until the next call on the same reader.
 */
#ifndef HZ_CHUNK_H
#define HZ_CHUNK_H

#include "base/bitmap.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/vector.h"
#include "compress/compress.h"
#include "format/zone.h"

#define HZ_CHUNK_MAX_ROWS 131072         /* rows of a row group: positions take 17 bits */
#define HZ_CHUNK_MAX_DICT 65535          /* entries of a dictionary: codes take 16 bits */
#define HZ_CHUNK_FRAME_BYTES 65536       /* a frame is closed when it has at least so many bytes */
#define HZ_CHUNK_LONG_FRAME_BYTES 393216 /* the same where values are long */

/* The values of one column of a row group, in the row group's order. Borrowed memory. */
typedef struct HzColumn
{
	HzKind kind;
	uint32_t width;           /* bytes per value; 0 for BYTES and NUMERIC */
	uint32_t rows;            /* 1 .. HZ_CHUNK_MAX_ROWS */
	const uint64_t *validity; /* a set bit is a value; NULL: no nulls */
	const void *fixed;        /* rows * width bytes; null slots are ignored */
	const HzString *strings;  /* BYTES and NUMERIC: one a row; null slots are ignored */
} HzColumn;

/* How PostgreSQL lays out the elements of an array column's values; element_width 0: not an array. */
typedef struct HzArrayShape
{
	int16_t element_width; /* typlen: > 0, or -1 for varlena */
	char element_align;    /* 'c', 's', 'i' or 'd' */
	HzKind element_kind;   /* kind of the child column (BYTES for varlena) */
} HzArrayShape;

typedef struct HzChunkOptions
{
	HzCodec codec; /* for strings and dictionaries; kept only where it saves */
	int level;     /* ZSTD */
	bool ordered;  /* zone maps make sense for this column's type */
	bool bloom;    /* write a bloom filter */
	HzArrayShape array;
} HzChunkOptions;

/* What the directory keeps of a chunk. */
typedef struct HzChunkMeta
{
	HzKind kind;
	uint32_t width;
	HzCodec codec; /* the codec that the body's frames use most */
	uint8_t
		encoding; /* the HzEncoding most vectors use, or HZ_CHUNK_DICT / HZ_CHUNK_ARRAY / HZ_CHUNK_STRINGS */
	bool has_bloom;
	uint32_t rows;
	uint32_t distinct; /* dictionary entries; 0: unknown */
	uint64_t offset;   /* of the head in the row group's byte stream; set by the caller */
	uint64_t head_length;
	uint64_t length;    /* head + body */
	uint64_t raw_bytes; /* of the values before encoding */
	HzZone zone;        /* of the whole chunk, with the number of nulls */
} HzChunkMeta;

/* Values of HzChunkMeta.encoding beyond HzEncoding. On disk: never renumber. */
#define HZ_CHUNK_DICT 32
#define HZ_CHUNK_STRINGS 33 /* lengths apart, bytes in frames */
#define HZ_CHUNK_ARRAY 34   /* offsets and a child column */
#define HZ_CHUNK_HEX 35     /* strings of hexadecimal digits as bytes */

/* "dictionary", "plain", …, for views. */
extern const char *hz_chunk_encoding_name(uint8_t encoding);

/* Encodes a column; appends the chunk to `out` and fills *meta (offset = 0). Fails only on limits. */
extern HzStatus hz_chunk_write(const HzColumn *column, const HzChunkOptions *options, HzBytes *out,
							   HzChunkMeta *meta);

/* Copies `length` bytes at `offset` of the CHUNK into target. Errors of I/O may be thrown, not returned. */
typedef struct HzSource
{
	HzStatus (*read)(void *arg, uint64_t offset, uint64_t length, void *target);
	void *arg;
} HzSource;

typedef struct HzChunkReader HzChunkReader;

/* Reads and checks the head. The reader and all it allocates live in the current memory context. */
extern HzStatus hz_chunk_open(const HzChunkMeta *meta, const HzSource *source,
							  HzChunkReader **reader);
extern void hz_chunk_close(HzChunkReader *reader);

extern uint32_t hz_chunk_vector_count(const HzChunkReader *reader);

/* The zone map of a vector. */
extern const HzZone *hz_chunk_zone(const HzChunkReader *reader, uint32_t vector);

/* Decodes vector `vector` (0-based; rows vector * HZ_VECTOR_ROWS and on). */
extern HzStatus hz_chunk_vector(HzChunkReader *reader, uint32_t vector, HzVector *out);

/*
 * The same, of which only the values at[0 .. count) (ascending; at NULL: all) are to be used: frames without any of them are not read.
 */
extern HzStatus hz_chunk_vector_at(HzChunkReader *reader, uint32_t vector, const uint16_t *at,
								   uint32_t count, HzVector *out);

/*
 * The lengths in bytes of the strings of a vector as INT32, null where they are, without reading the strings: only where
 * the chunk keeps them apart, else *known is false. What hz_chunk_vector() has returned of the same vector stays
 * valid, and so does this when it is called for the same vector next.
 */
extern HzStatus hz_chunk_lengths(HzChunkReader *reader, uint32_t vector, bool *known,
								 HzVector *out);

/*
 * Decodes only the value of one row of the chunk as a vector of count 1: for strings one frame is
 * decompressed (and kept, so that neighbours are free), not the whole vector.
 */
extern HzStatus hz_chunk_value(HzChunkReader *reader, uint32_t row, HzVector *out);

/*
 * Room for vectors that chunks keep decoded. Readers that come one after the other take turns: a vector that is read as a whole in a
 * second turn is kept.
 */
typedef struct HzChunkRoom
{
	int64_t bytes;    /* left */
	int64_t reserved; /* of these, for vectors that single values are asked of */
	uint64_t turn;
} HzChunkRoom;

/*
 * Vectors of which hz_chunk_value() has read several values are kept decoded, for about a megabyte; from now on, for about
 * room->bytes, which several chunks share and which must live as long as they; and those that are read as a whole in one turn after
 * another, as long as there is room. A chunk keeps one vector at least, for its values.
 */
extern void hz_chunk_share_room(HzChunkReader *reader, HzChunkRoom *room);

/* Whether a value with this hash (hz_bloom_hash) may be in the chunk; true where there is no filter. */
extern HzStatus hz_chunk_bloom(HzChunkReader *reader, uint64_t hash, bool *maybe);

/*
 * Whether a value of these bytes may be in a chunk of BYTES or FIXED; true unless all vectors have codes of a dictionary, of which
 * as few frames are read as tell.
 */
extern HzStatus hz_chunk_dictionary(HzChunkReader *reader, const HzString *value, bool *maybe);

/* Values to look for, of BYTES or FIXED: in ascending order of their bytes, each once. */
typedef struct HzValueSet
{
	uint32_t count;
	const HzString *values;
} HzValueSet;

/* So many sets are remembered by a chunk. */
#define HZ_VALUE_SETS 4

/* The same of several values: whether the chunk may have any of them. */
extern HzStatus hz_chunk_dictionary_any(HzChunkReader *reader, const HzValueSet *set, bool *maybe);

/*
 * Whether a vector may have a row with any of them: true unless its codes of the dictionary say that it has none. What was found is
 * remembered, for the last sets; where nearly all vectors have such rows, or the set is a good part of the dictionary, no more are looked at.
 */
extern HzStatus hz_chunk_vector_any(HzChunkReader *reader, uint32_t vector, const HzValueSet *set,
									bool *maybe);

/*
 * Sets mask[i] (room for whole vectors) to 1 where row i of a vector of BYTES or FIXED is not null and has these bytes, else to 0, without
 * decoding all values: only where they are codes of a dictionary, strings, FIXED or hexadecimal digits, else *known is false.
 */
extern HzStatus hz_chunk_match(HzChunkReader *reader, uint32_t vector, const HzString *value,
							   bool *known, uint8_t *mask);

/* Whether hz_chunk_match() reads the values of the vector themselves: strings that are not encoded. */
extern bool hz_chunk_is_plain(const HzChunkReader *reader, uint32_t vector);

/* Whether hz_chunk_match() has found no row of the vector with these bytes, and it is remembered. Reads nothing. */
extern bool hz_chunk_lacks(HzChunkReader *reader, uint32_t vector, const HzString *value);

/* Reads every byte and checks every checksum and every vector. */
extern HzStatus hz_chunk_verify(HzChunkReader *reader);

#endif /* HZ_CHUNK_H */
