/*
 * format/chunk_reader.h
 *	  The reader of a chunk, as chunk_read.c and chunk_value.c share it.
 *
 * Buffers are allocated when first needed and kept until hz_chunk_close(). Several of them remember which
 * vector they hold, so that single values of one vector decode it once.
 */
#ifndef HZ_CHUNK_READER_H
#define HZ_CHUNK_READER_H

#include "encoding/hex.h"
#include "format/chunk_internal.h"

#define HZ_NO_VECTOR UINT32_MAX
#define HZ_NO_CODE UINT32_MAX

/* Bytes of vectors that a chunk keeps decoded, unless hz_chunk_share_room() gave it others. */
#define HZ_CHUNK_ROOM (1024 * 1024)

/*
 * A vector that is kept decoded. Lookups by an index come to a chunk's vectors in any order, so that the last one alone would be
 * decoded again and again; scans that read the same few vectors come again, too.
 */
typedef struct HzKnownVector
{
	/* codes or slots, for rows rounded up to 64, or `starts` of strings and arrays; NULL: not decoded */
	void *values;
	const uint64_t *validity; /* NULL: no nulls */
	uint32_t bytes;           /* of both, which are one allocation */
	bool constant;            /* all values are the first one, none is null; codes and slots only */
	uint32_t width;           /* of a slot */
	HzHexForm form;           /* of hexadecimal digits */
	uint8_t asked;            /* values read one by one before */
} HzKnownVector;

/* A value that rows were looked for by. */
typedef struct HzSought
{
	HzBytes value;
	bool searched;   /* in the dictionary: */
	uint32_t code;   /* HZ_NO_CODE: it is not there */
	uint64_t absent; /* bit v: vector v is known to have no such row, */
	uint64_t few;    /* or few, which are among `places` */
	HzBytes places;  /* vector << 16 | row, four bytes each */
} HzSought;

#define HZ_SOUGHT 16 /* remembered */

/* Values that vectors were looked for by. */
typedef struct HzSoughtSet
{
	HzBytes values;  /* their bytes, each behind its length; empty: no set is known */
	uint64_t *codes; /* bit c: entry c of the dictionary is one of them */
	bool any;        /* one of them is */
	uint64_t asked;  /* bit v: vector v was looked at, */
	uint64_t absent; /* and has no such row */
} HzSoughtSet;

struct HzChunkReader
{
	HzChunkMeta meta;
	HzSource source;
	HzChunkHead head;
	HzBytes piece; /* the piece of piece_vector */
	uint32_t piece_vector;
	uint64_t validity[HZ_ENCODING_ROOM / 64]; /* of validity_vector */
	uint32_t validity_vector;
	HzKnownVector *known; /* by vector; NULL: none was kept yet */
	uint32_t known_count; /* vectors that are decoded there */
	uint32_t known_hand;  /* the one that is forgotten next */
	uint64_t read_before; /* bit v: vector v was read as a whole in a turn before, */
	uint64_t read_now;    /* or in this: */
	uint64_t turn;
	HzChunkRoom own_room; /* for what is kept, */
	HzChunkRoom *room;    /* or the one for several chunks */
	uint8_t *slots;       /* of slots_vector, in its FLAT form */
	uint32_t slots_vector;
	uint16_t *codes;
	int32_t *lengths; /* of strings, or counts of arrays */
	HzFrameCache frames;
	HzBytes packed;        /* the dictionary's packed bytes */
	HzDictValues dict;     /* all of it, decoded */
	uint32_t dict_singles; /* entries read without decoding all */
	HzSought sought[HZ_SOUGHT];
	uint32_t sought_count; /* so far: the last ones are in `sought` */
	uint32_t searches;     /* of the dictionary */
	HzSoughtSet sought_sets[HZ_VALUE_SETS];
	uint32_t set_count; /* so far: the last ones are in `sought_sets` */
	HzBytes bloom;
	HzChunkReader *child;
	HzVector child_vector; /* decoded */
	uint32_t child_index;  /* its number */
	HzBytes arrays;        /* payloads put together */
	HzBytes digits;        /* the bytes of a vector's hexadecimal digits, then the digits */
	union
	{
		HzInt128 decimal;
		HzString string;
		uint8_t bytes[16];
	} single; /* the slot of a single value */
	uint8_t single_digits[HZ_HEX_MAX_TEXT];
};

/* chunk_known.c */

/* Forgets the vectors that are kept decoded. */
extern void hz_reader_forget(HzChunkReader *reader);

/* Vector v as it is kept; or NULL. */
static inline const HzKnownVector *
hz_reader_known(const HzChunkReader *reader, uint32_t v)
{
	return reader->known != NULL && reader->known[v].values != NULL ? &reader->known[v] : NULL;
}

/* The place for it, if it is to be kept. */
extern HzKnownVector *hz_reader_known_place(HzChunkReader *reader, uint32_t v);

/* Decodes vector v, whose piece is loaded, and keeps it, in the place of others of the chunk where there is no room. */
extern HzStatus hz_reader_keep(HzChunkReader *reader, uint32_t v, const uint64_t *validity);

/* Vector v was decoded as a whole, as `out`: keeps codes or slots if it was read in a turn before and there is room. */
extern void hz_reader_keep_read(HzChunkReader *reader, uint32_t v, const HzVector *out);

/* The ranges of a chunk: read once, checksum verified. */
extern HzStatus hz_reader_piece(HzChunkReader *reader, uint32_t v);
extern HzStatus hz_reader_validity(HzChunkReader *reader, uint32_t v, const uint64_t **validity);
extern HzStatus hz_reader_packed(HzChunkReader *reader);
extern HzStatus hz_reader_dict(HzChunkReader *reader);
extern HzStatus hz_reader_bloom(HzChunkReader *reader);

/* The bytes of entry `code` of a dictionary of strings or fixed values; valid until the next one is read. */
extern HzStatus hz_reader_entry(HzChunkReader *reader, uint32_t code, HzString *entry);

extern HzStatus hz_reader_child(HzChunkReader *reader);

/* The data of the piece that is loaded. */
static inline const uint8_t *
hz_reader_data(const HzChunkReader *reader, const HzChunkPiece *piece)
{
	return reader->piece.data + piece->validity_length;
}

/* Bytes of a slot of a vector in this mode. */
extern uint32_t hz_reader_slot_width(const HzChunkHead *head, HzPieceMode mode);

/* Fills reader->slots with the values of vector v, zeroes for nulls; modes VALUES, DECIMAL64 and DECIMAL128. */
extern HzStatus hz_reader_slots(HzChunkReader *reader, uint32_t v, const uint64_t *validity);

/* Fills reader->codes with those of vector v, all below the dictionary's count; 0 for nulls. */
extern HzStatus hz_reader_codes(HzChunkReader *reader, uint32_t v, const uint64_t *validity);

extern void hz_reader_need_lengths(HzChunkReader *reader);

/* Fills reader->lengths: strings' lengths or arrays' counts, none negative, with their sum checked; nulls have none. */
extern HzStatus hz_reader_lengths(HzChunkReader *reader, uint32_t v, const uint64_t *validity);

/* The shape of a vector of hexadecimal digits, whose piece is loaded; its bytes are encoded as fixed values behind it. */
extern HzStatus hz_reader_hex_shape(const HzChunkReader *reader, const HzChunkPiece *piece,
									HzHexShape *shape, const uint8_t **data, uint32_t *length);

/* Decodes its bytes, of `shape`, into reader->digits, with room behind them for the digits. */
extern HzStatus hz_reader_hex_bytes(HzChunkReader *reader, uint32_t v, const uint64_t *validity,
									HzHexShape *shape);

/* Appends the payload of an array of the child's elements [first, first + count) to reader->arrays. */
extern HzStatus hz_reader_build_array(HzChunkReader *reader, uint64_t first, uint32_t count);

/* Sets what all vectors of the chunk have in common. */
extern void hz_reader_begin_vector(HzChunkReader *reader, uint32_t count, HzVector *out);

/* Makes *out a vector of nulls. */
extern void hz_reader_null_vector(HzChunkReader *reader, HzVector *out);

#endif /* HZ_CHUNK_READER_H */
