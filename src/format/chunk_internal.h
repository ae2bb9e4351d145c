/*
 * format/chunk_internal.h
 *	  What the files of the chunk share: the head as a struct, and the writer's intermediate forms.
 *
 *	  chunk_head.c     head <-> bytes, all of its validation
 *	  chunk_write.c    a column to a chunk: limits, assembly, bloom filter
 *	  chunk_choose.c   which way to store a column is the smallest
 *	  chunk_encode.c   one candidate ("draft") per way to store a column's vectors
 *	  chunk_distinct.c distinct values of a column: hash table, sort
 *	  chunk_dict.c     dictionary <-> bytes
 *	  chunk_frame.c    frames: cutting and compressing; the reader's cache of them
 *	  chunk_array.c    PostgreSQL's arrays to counts and elements and back
 *	  chunk_reader.c   opening a chunk and reading its ranges (chunk_reader.h: the reader)
 *	  chunk_read.c     vectors of a chunk
 *	  chunk_value.c    single values; the bloom filter; verification
 *	  zone.c           bounds of values
 *
 * README.md specifies the bytes. In a chunk the body follows the head as: the vectors' pieces, the
 * frames, the dictionary, the bloom filter, the child chunk, without gaps, so that offsets are sums of lengths and
 * ranges cannot overlap.
 */
#ifndef HZ_CHUNK_INTERNAL_H
#define HZ_CHUNK_INTERNAL_H

#include "encoding/encoding.h"
#include "encoding/hex.h"
#include "format/checksum.h"
#include "format/chunk.h"

#define HZ_CHUNK_MAGIC 0x4b435a48 /* "HZCK" */
#define HZ_CHUNK_VERSION 1
#define HZ_CHUNK_HEAD_FIXED 16 /* bytes before the vectors' table */

#define HZ_CHUNK_MAX_VALUE 0x3fffffff /* bytes of one value, as a varlena */
#define HZ_CHUNK_MAX_FRAME (HZ_CHUNK_MAX_VALUE + HZ_CHUNK_LONG_FRAME_BYTES)
#define HZ_CHUNK_MAX_ELEMENTS (1 << 22) /* rows of a child column */
#define HZ_CHUNK_MAX_DICT_BYTES \
	(4 << 20)                      /* of a dictionary's values: reading one value reads them all */
#define HZ_CHUNK_BIASED_DICT 32768 /* dictionaries above this store codes minus 32,768 */
#define HZ_CHUNK_MAX_SCALE 16383   /* of a numeric */

/* Flags of the head. */
#define HZ_CHUNK_HAS_DICT 0x01
#define HZ_CHUNK_HAS_FRAMES 0x02
#define HZ_CHUNK_HAS_BLOOM 0x04
#define HZ_CHUNK_HAS_CHILD 0x08
#define HZ_CHUNK_ALL_FLAGS 0x0f

/* What the piece of a vector holds behind its validity. On disk: never renumber. */
typedef enum HzPieceMode
{
	HZ_PIECE_NULLS = 0,     /* nothing: every value is null */
	HZ_PIECE_CODES = 1,     /* dictionary codes */
	HZ_PIECE_VALUES = 2,    /* integers, floats or fixed values, by the chunk's kind */
	HZ_PIECE_STRINGS = 3,   /* lengths; the bytes are in the frames */
	HZ_PIECE_DECIMAL64 = 4, /* scaled integers */
	HZ_PIECE_DECIMAL128 = 5,
	HZ_PIECE_ARRAYS = 6, /* counts; the elements are in the child chunk */
	HZ_PIECE_HEX = 7     /* strings of hexadecimal digits as fixed values */
} HzPieceMode;

typedef struct HzChunkPiece
{
	HzPieceMode mode;
	uint16_t scale; /* DECIMAL64, DECIMAL128 */
	uint32_t validity_length;
	uint32_t data_length;
	uint32_t checksum;
	uint64_t offset;        /* in the chunk */
	uint64_t payload;       /* STRINGS: bytes in the frames; ARRAYS: elements in the child */
	uint64_t payload_start; /* sum of the payloads of the same mode before this vector */
	HzZone zone;
} HzChunkPiece;

typedef struct HzChunkFrame
{
	HzCodec codec;
	uint32_t raw_length;
	uint32_t stored_length;
	uint32_t checksum;
	uint64_t offset; /* in the chunk */
	uint64_t start;  /* of its raw bytes among those of all frames */
} HzChunkFrame;

/* On disk: never renumber. */
typedef enum HzDictForm
{
	HZ_DICT_INTEGERS = 1, /* integer kinds; NUMERIC scaled */
	HZ_DICT_FIXED = 2,
	HZ_DICT_STRINGS = 3, /* BYTES; NUMERIC payloads */
	HZ_DICT_HEX = 4      /* BYTES, of which hexadecimal digits are the bytes they stand for */
} HzDictForm;

typedef struct HzChunkDict
{
	uint32_t count;
	HzDictForm form;
	uint16_t scale;         /* NUMERIC with INTEGERS */
	uint32_t packed_length; /* integers, or lengths (and forms) of strings, encoded */
	uint32_t checksum;      /* of the packed bytes */
	uint64_t offset;        /* of the packed bytes, in the chunk */
	uint32_t raw_length;    /* bytes of fixed values or strings, in the last frames */
	uint64_t raw_start;     /* of these bytes among those of all frames */
	uint32_t first_frame;   /* that has some of them */
} HzChunkDict;

typedef struct HzChunkChild
{
	HzArrayShape shape;
	uint32_t element_type; /* PostgreSQL's oid, as in the arrays */
	uint32_t rows;
	uint64_t head_length;
	uint64_t length;
	uint64_t raw_bytes;
	uint64_t offset; /* in the chunk */
} HzChunkChild;

typedef struct HzChunkHead
{
	HzKind kind;
	uint32_t width;
	uint32_t rows;
	uint32_t flags;
	uint32_t vectors;
	HzChunkPiece *pieces;
	uint32_t frame_count;
	HzChunkFrame *frames;
	HzChunkDict dict;
	uint64_t bloom_length;
	uint32_t bloom_checksum;
	uint64_t bloom_offset;
	HzChunkChild child;
} HzChunkHead;

static inline bool
hz_kind_is_integer(HzKind kind)
{
	return kind >= HZ_KIND_BOOL && kind <= HZ_KIND_INT64;
}

static inline bool
hz_kind_is_float(HzKind kind)
{
	return kind == HZ_KIND_FLOAT32 || kind == HZ_KIND_FLOAT64;
}

static inline bool
hz_kind_is_strings(HzKind kind)
{
	return kind == HZ_KIND_BYTES || kind == HZ_KIND_NUMERIC;
}

/* Whether a column of this kind may have this width. */
static inline bool
hz_kind_has_width(HzKind kind, uint32_t width)
{
	switch (kind)
	{
		case HZ_KIND_BOOL:
		case HZ_KIND_INT8:
			return width == 1;
		case HZ_KIND_INT16:
			return width == 2;
		case HZ_KIND_INT32:
		case HZ_KIND_FLOAT32:
			return width == 4;
		case HZ_KIND_INT64:
		case HZ_KIND_FLOAT64:
			return width == 8;
		case HZ_KIND_FIXED:
			return width >= 1 && width <= 65535;
		case HZ_KIND_BYTES:
		case HZ_KIND_NUMERIC:
			return width == 0;
	}
	return false;
}

/* Stores an integer in a slot of `width` bytes; false when it is no value of the kind. */
static inline bool
hz_narrow(HzKind kind, uint32_t width, int64_t value, void *slot)
{
	int64_t limit = width == 8 ? INT64_MAX : (INT64_C(1) << (width * 8 - 1)) - 1;

	if (value > limit || value < -limit - 1 || (kind == HZ_KIND_BOOL && (value & ~INT64_C(1)) != 0))
		return false;
	memcpy(slot, &value, width);
	return true;
}

/* Rows of vector v of a column with `rows` rows. */
static inline uint32_t
hz_vector_rows(uint32_t rows, uint32_t v)
{
	uint32_t left = rows - v * HZ_VECTOR_ROWS;

	return left < HZ_VECTOR_ROWS ? left : HZ_VECTOR_ROWS;
}

static inline uint32_t
hz_vector_count(uint32_t rows)
{
	return (rows + HZ_VECTOR_ROWS - 1) / HZ_VECTOR_ROWS;
}

/* chunk_head.c */

/* Appends the head; pieces, frames, … must be complete but for their offsets. */
extern void hz_chunk_head_write(const HzChunkHead *head, HzBytes *out);

/*
 * Reads and validates a head, which takes all of bytes[0..length), against meta. On success every
 * offset is set and every range lies inside the chunk. The tables are allocated; hz_chunk_head_free() frees
 * them, also after a failure.
 */
extern HzStatus hz_chunk_head_read(const uint8_t *bytes, size_t length, const HzChunkMeta *meta,
								   HzChunkHead *head);
extern void hz_chunk_head_free(HzChunkHead *head);

/* The longest head that a chunk of so many rows can have. */
extern uint64_t hz_chunk_head_limit(uint32_t rows);

/* chunk_write.c */

/* What the writer knows of a column before it chooses an encoding. */
typedef struct HzChunkInput
{
	const HzColumn *column;
	const HzChunkOptions *options;
	uint32_t vectors;
	uint32_t values; /* that are not null */
	uint64_t raw_bytes;
	HzZone *zones;     /* one a vector; bounds are added where options->ordered */
	int64_t *integers; /* NUMERIC, if it is uniform: a value a row, nulls filled */
} HzChunkInput;

static inline bool
hz_input_valid(const HzChunkInput *input, uint32_t row)
{
	return input->column->validity == NULL || hz_bitmap_get(input->column->validity, row);
}

/* The validity of vector v; NULL when it has no nulls. */
static inline const uint64_t *
hz_input_validity(const HzChunkInput *input, uint32_t v)
{
	return input->zones[v].nulls == 0
			   ? NULL
			   : input->column->validity + (size_t) v * (HZ_VECTOR_ROWS / 64);
}

/* BYTES, NUMERIC and FIXED: the value of a row as bytes. */
static inline HzString
hz_input_string(const HzChunkInput *input, uint32_t row)
{
	const HzColumn *column = input->column;
	HzString s;

	if (column->width == 0)
		return column->strings[row];
	s.data = (const uint8_t *) column->fixed + (size_t) row * column->width;
	s.length = column->width;
	return s;
}

/* As hz_chunk_write(), for up to HZ_CHUNK_MAX_ELEMENTS rows: child columns. */
extern HzStatus hz_chunk_write_rows(const HzColumn *column, const HzChunkOptions *options,
									HzBytes *out, HzChunkMeta *meta);

/* chunk_encode.c: values of a vector, ready to be encoded */

/* Gives the null slots the value before them (the first ones: the first value). At least one is not null. */
extern void hz_fill_nulls(void *slots, uint32_t width, const uint64_t *validity, uint32_t count);

/* The integers of vector v with nulls filled: those of the input, or put into room. At least one is not null. */
extern const int64_t *hz_input_integers(const HzChunkInput *input, uint32_t v,
										int64_t room[HZ_VECTOR_ROWS]);

/* chunk_frame.c: writing */

typedef struct HzFrameWriter
{
	HzCodec codec;
	int level;
	uint32_t values; /* of the open frame, empty ones apart */
	uint32_t misses; /* frames in a row that did not gain */
	uint32_t count;
	uint64_t raw_total;
	HzBytes raw;    /* the open frame */
	HzBytes stored; /* the closed frames */
	HzBytes table;  /* HzChunkFrame of each */
} HzFrameWriter;

/* Appends source, compressed if that saves enough; returns the codec used. */
extern HzCodec hz_frame_compress(HzCodec codec, int level, const void *source, size_t length,
								 HzBytes *out);

extern void hz_frame_append(HzFrameWriter *writer, const void *data, size_t length);
extern void hz_frame_finish(HzFrameWriter *writer);
extern void hz_frame_free(HzFrameWriter *writer);

/* chunk_encode.c: drafts, candidates for the body of a chunk */

typedef struct HzChunkDraft
{
	HzChunkPiece *pieces; /* all but offset and zone */
	HzBytes data;         /* the vectors' pieces */
	HzFrameWriter frames;
	HzBytes dict_bytes;
	HzChunkDict dict;
	HzBytes child_bytes;
	HzChunkChild child;
} HzChunkDraft;

extern void hz_draft_init(const HzChunkInput *input, HzChunkDraft *draft);
extern void hz_draft_free(HzChunkDraft *draft);
extern uint64_t hz_draft_size(const HzChunkDraft *draft);

/* Whole drafts. Those of integers and floats add the bounds of the zones. */
extern void hz_draft_integers(HzChunkInput *input, HzChunkDraft *draft);
extern void hz_draft_floats(HzChunkInput *input, HzChunkDraft *draft);
extern void hz_draft_fixed(const HzChunkInput *input, HzChunkDraft *draft);
extern void hz_draft_strings(const HzChunkInput *input, HzChunkDraft *draft);

/* One vector each, appended to the draft. */
extern void hz_draft_strings_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v);
/* As hexadecimal digits; false, and nothing is appended: they are others, or of several shapes. */
extern bool hz_draft_hex_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v);
extern void hz_draft_counts_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v,
								   int64_t *counts);
extern void hz_draft_decimals_vector(const HzChunkInput *input, HzChunkDraft *draft, uint32_t v,
									 const HzInt128 *values, uint16_t scale);

/* The codes of a dictionary; the caller adds the dictionary itself. Codes of nulls are filled. */
extern void hz_draft_codes(const HzChunkInput *input, HzChunkDraft *draft, uint16_t *codes,
						   uint32_t dict_count);

/* chunk_distinct.c */

typedef struct HzDistinct
{
	uint32_t count;
	uint32_t runs;     /* of equal neighbours */
	uint64_t bytes;    /* strings: of the distinct values */
	int64_t *integers; /* the values: one of the two */
	HzString *strings;
	uint64_t *hashes;  /* strings: hz_hash of each */
	uint32_t capacity; /* of these arrays */
	uint16_t *codes;   /* one a row; of a null row any valid one */
} HzDistinct;

/* False (and nothing allocated) when there are too many distinct values for a dictionary to pay. */
extern bool hz_distinct_integers(const HzChunkInput *input, HzDistinct *distinct);
extern bool hz_distinct_strings(const HzChunkInput *input, HzDistinct *distinct);

/* Puts the values in order and renumbers the codes. */
extern void hz_distinct_sort(const HzChunkInput *input, HzDistinct *distinct);
extern void hz_distinct_free(HzDistinct *distinct);

/* chunk_dict.c */

/* Appends the dictionary of sorted values to the draft. */
extern void hz_dict_write(const HzChunkInput *input, const HzDistinct *distinct, uint16_t scale,
						  HzChunkDraft *draft);

/* Decoded: `values` has dict.count slots as vectors of the chunk have them. */
typedef struct HzDictValues
{
	void *values;   /* NULL: not decoded yet */
	uint8_t *bytes; /* of strings */
	uint32_t slot_width;
} HzDictValues;

extern uint32_t hz_dict_slot_width(const HzChunkHead *head);

/* Whether so many values are hexadecimal digits that these are stored as bytes; *size: what all take then, without a codec. */
extern bool hz_dict_is_hex(const HzChunkInput *input, const HzDistinct *distinct, uint64_t *size);

/* Whether its entries are strings, when they are decoded. */
extern bool hz_dict_has_strings(const HzChunkDict *dict);

/* packed: the dictionary's packed bytes, checksum already verified; raw bytes are read from their frames. */
extern HzStatus hz_dict_read(const HzChunkHead *head, const uint8_t *packed, const HzSource *source,
							 HzDictValues *values);

/* Where an entry that is no integer lies among the bytes of all frames. */
typedef struct HzDictPlace
{
	uint64_t position;
	uint32_t length;
	HzHexShape shape; /* form not 0: the bytes stand for hexadecimal digits of it */
} HzDictPlace;

/* One entry only. INTEGERS: its slot is stored in *slot. Else its place; lengths: room for HZ_ENCODING_ROOM. */
extern HzStatus hz_dict_integer(const HzChunkHead *head, const uint8_t *packed, uint32_t code,
								void *slot);
extern HzStatus hz_dict_place(const HzChunkHead *head, const uint8_t *packed, uint32_t code,
							  int32_t *lengths, HzDictPlace *place);
extern void hz_dict_free(HzDictValues *values);

/* chunk_choose.c: the smallest draft */

typedef struct HzChunkChoice
{
	HzChunkDraft draft;
	HzDistinct distinct; /* when the draft has a dictionary: what it was made of; else empty */
} HzChunkChoice;

/* For columns with at least one value. Adds the bounds of the zones. hz_draft_free, hz_distinct_free. */
extern void hz_choose_integers(HzChunkInput *input, HzChunkChoice *choice);
extern void hz_choose_fixed(HzChunkInput *input, HzChunkChoice *choice);
extern void hz_choose_strings(HzChunkInput *input, HzChunkChoice *choice);
extern void hz_choose_numerics(HzChunkInput *input, HzChunkChoice *choice);

/* chunk_frame.c: reading */

typedef struct HzFrameSlot
{
	uint32_t frame; /* UINT32_MAX: empty */
	bool pinned;    /* by the current call */
	uint64_t used;  /* clock of the last use */
	size_t capacity;
	uint8_t *bytes;
} HzFrameSlot;

typedef struct HzFrameCache
{
	uint32_t count;
	uint32_t capacity;
	HzFrameSlot *slots;
	uint64_t clock;
	size_t total;   /* sum of the slots' capacities */
	bool generous;  /* few rows are wanted: keep more, they may be wanted again */
	HzBytes stored; /* room for a frame's stored bytes */
} HzFrameCache;

/* Reads one frame into target, which has room for its raw bytes; stored: room that grows. */
extern HzStatus hz_frame_read(const HzSource *source, const HzChunkFrame *frame, HzBytes *stored,
							  uint8_t *target);

/* The number of the frame that holds byte `position` of all frames' bytes. */
extern uint32_t hz_frame_find(const HzChunkHead *head, uint64_t position);

/* Frames handed out before may go from now on. */
extern void hz_frame_unpin(HzFrameCache *cache);

/* The raw bytes of a frame, valid until the next hz_frame_unpin(). */
extern HzStatus hz_frame_load(HzFrameCache *cache, const HzSource *source, const HzChunkHead *head,
							  uint32_t frame, const uint8_t **bytes);

/* Shrinks the cache to its bound; pinned frames stay. */
extern void hz_frame_trim(HzFrameCache *cache);
extern void hz_frame_cache_free(HzFrameCache *cache);

/* chunk_array.c */

/* Stores every vector that it can as counts and elements, the others as strings; false: none. */
extern bool hz_draft_arrays(const HzChunkInput *input, HzChunkDraft *draft);

/* Bytes of the payload of an array of `count` elements whose data take `data` bytes. */
extern uint64_t hz_array_payload_length(uint32_t count, uint64_t data);

/* Bytes that an element of `length` bytes takes among an array's data: with its header and the padding behind it. */
extern uint64_t hz_array_element_length(const HzArrayShape *shape, uint64_t length);

/* Writes all of a payload before the data: hz_array_payload_length(count, 0) bytes. */
extern void hz_array_put_header(uint32_t element_type, uint32_t count, uint8_t *payload);

/* Writes an element with header and padding; returns hz_array_element_length(). */
extern uint64_t hz_array_put_element(const HzArrayShape *shape, const uint8_t *data,
									 uint64_t length, uint8_t *at);

/* zone.c: bounds of values none of which is null; rows and nulls are the caller's */

extern void hz_zone_integers(const int64_t *values, uint32_t count, HzZone *zone);
extern void hz_zone_floats(const void *values, uint32_t width, uint32_t count, HzZone *zone);
extern void hz_zone_decimals(const HzInt128 *values, uint32_t count, uint16_t scale, HzZone *zone);

/* The least and the greatest of strings in the order of memcmp, among which there is at least one. */
extern void hz_zone_strings(const HzString *values, const uint64_t *validity, uint32_t count,
							HzZone *zone);
extern void hz_zone_fixed(const uint8_t *values, uint32_t width, const uint64_t *validity,
						  uint32_t count, HzZone *zone);

#endif /* HZ_CHUNK_INTERNAL_H */
