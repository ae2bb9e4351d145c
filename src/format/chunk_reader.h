/*
 * format/chunk_reader.h
 *	  The reader of a chunk, as chunk_read.c and chunk_value.c share it.
 *
 * Buffers are allocated when first needed and kept until hz_chunk_close(). Several of them remember which
 * vector they hold, so that single values of one vector decode it once.
 */
#ifndef HZ_CHUNK_READER_H
#define HZ_CHUNK_READER_H

#include "format/chunk_internal.h"

#define HZ_NO_VECTOR UINT32_MAX

struct HzChunkReader
{
	HzChunkMeta meta;
	HzSource source;
	HzChunkHead head;
	HzBytes piece; /* the piece of piece_vector */
	uint32_t piece_vector;
	uint64_t validity[HZ_ENCODING_ROOM / 64]; /* of validity_vector */
	uint32_t validity_vector;
	int64_t *integers; /* of integers_vector: its codes or values, for single ones */
	uint32_t integers_vector;
	uint32_t singles_vector; /* of which `singles` integers were read one by one */
	uint32_t singles;
	uint8_t *slots; /* of slots_vector, in its FLAT form */
	uint32_t slots_vector;
	uint16_t *codes;
	int32_t *lengths; /* of strings, or counts of arrays */
	uint64_t *starts; /* sums of the lengths of starts_vector */
	uint32_t starts_vector;
	HzFrameCache frames;
	HzBytes packed;        /* the dictionary's packed bytes */
	HzDictValues dict;     /* all of it, decoded */
	uint32_t dict_singles; /* entries read without decoding all */
	HzBytes bloom;
	HzChunkReader *child;
	HzVector child_vector; /* decoded */
	uint32_t child_index;  /* its number */
	HzBytes arrays;        /* payloads put together */
	union
	{
		HzInt128 decimal;
		HzString string;
		uint8_t bytes[16];
	} single; /* the slot of a single value */
};

/* The ranges of a chunk: read once, checksum verified. */
extern HzStatus hz_reader_piece(HzChunkReader *reader, uint32_t v);
extern HzStatus hz_reader_validity(HzChunkReader *reader, uint32_t v, const uint64_t **validity);
extern HzStatus hz_reader_packed(HzChunkReader *reader);
extern HzStatus hz_reader_dict(HzChunkReader *reader);
extern HzStatus hz_reader_bloom(HzChunkReader *reader);
extern HzStatus hz_reader_child(HzChunkReader *reader);

/* The data of the piece that is loaded. */
static inline const uint8_t *
hz_reader_data(const HzChunkReader *reader, const HzChunkPiece *piece)
{
	return reader->piece.data + piece->validity_length;
}

/* Fills reader->slots with the values of vector v, zeroes for nulls; modes VALUES and DECIMAL128. */
extern HzStatus hz_reader_slots(HzChunkReader *reader, uint32_t v, const uint64_t *validity);

extern void hz_reader_need_lengths(HzChunkReader *reader);

/* Fills reader->lengths: strings' lengths or arrays' counts, none negative, with their sum checked; nulls have none. */
extern HzStatus hz_reader_lengths(HzChunkReader *reader, uint32_t v, const uint64_t *validity);

/* Appends the payload of an array of the child's elements [first, first + count) to reader->arrays. */
extern HzStatus hz_reader_build_array(HzChunkReader *reader, uint64_t first, uint32_t count);

/* Sets what all vectors of the chunk have in common. */
extern void hz_reader_begin_vector(HzChunkReader *reader, uint32_t count, HzVector *out);

/* Makes *out a vector of nulls. */
extern void hz_reader_null_vector(HzChunkReader *reader, HzVector *out);

#endif /* HZ_CHUNK_READER_H */
