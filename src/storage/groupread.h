/*
 * storage/groupread.h
 *	  The columns of one row group, opened as they are needed.
 *
 * A reader belongs to the memory context that was current when it was made, and to a group that the
 * caller's snapshot sees (or that it keeps from being removed in another way). It pins no buffer
 * between calls. Errors are thrown and name relation, row group, column and block.
 */
#ifndef HZ_GROUPREAD_H
#define HZ_GROUPREAD_H

#include "storage/coltype.h"
#include "storage/directory.h"

typedef struct HzGroupReader HzGroupReader;

/* Fills group->meta if that is still to do. */
extern void hz_groupread_describe(HzStore *store, HzGroup *group);

/*
 * A reader of `group`, whose columns are seen through `types` (natts of them, borrowed). `strategy` may
 * be NULL. Store and group are borrowed and must outlive the reader.
 */
extern HzGroupReader *hz_groupread_open(HzStore *store, HzGroup *group, const HzColumnType *types,
										int natts, BufferAccessStrategy strategy);
/* The group may be one that no snapshot keeps: it may become dead to all, and its pages go, while it is read. */
extern void hz_groupread_set_fleeting(HzGroupReader *reader);

extern void hz_groupread_close(HzGroupReader *reader);

/* A cached reader may outlive the statement: it gets the store and the strategy of the current one. */
extern void hz_groupread_attach(HzGroupReader *reader, HzStore *store,
								BufferAccessStrategy strategy);

/* Whether the group stores attribute `attno` (0-based); otherwise it was added later. */
extern bool hz_groupread_has(HzGroupReader *reader, int attno);

/* What the directory keeps of the chunk of an attribute that the group has. */
extern const HzChunkMeta *hz_groupread_meta(HzGroupReader *reader, int attno);

/* Asks the machine for its chunk ahead of reading it, unless that seems to be in shared buffers already (or effective_io_concurrency is 0). */
extern void hz_groupread_prefetch(HzGroupReader *reader, int attno);

/* Copies its chunk, as it is stored: hz_groupread_meta()->length bytes. For threads, which cannot read pages. */
extern void hz_groupread_copy(HzGroupReader *reader, int attno, uint8_t *target);

/* The decoded vector `vector` of attribute `attno`; valid until the next call for this attribute. */
extern void hz_groupread_vector(HzGroupReader *reader, int attno, uint32 vector, HzVector *out);

/* The lengths of its strings: hz_chunk_lengths(). False: they are not known without the strings. */
extern bool hz_groupread_lengths(HzGroupReader *reader, int attno, uint32 vector, HzVector *out);

/* Its rows that have these bytes: hz_chunk_match(), *plain: hz_chunk_is_plain(). False: they are not known without the values. */
extern bool hz_groupread_match(HzGroupReader *reader, int attno, uint32 vector,
							   const HzString *value, uint8 *mask, bool *plain);

/* Whether it is known to have none: hz_chunk_lacks(). Reads nothing. */
extern bool hz_groupread_lacks(HzGroupReader *reader, int attno, uint32 vector,
							   const HzString *value);

/*
 * Rows at[0 .. count) (at NULL: 0 .. count) of vector `vector` as Datums, each at its row's place; `values` and `isnull` have
 * room for all rows of it. By-reference values are
 * palloc'd in the current context. Dropped columns are null, later added ones have their default. False: the reader is
 * fleeting and the group has gone meanwhile.
 */
extern bool hz_groupread_datums(HzGroupReader *reader, TupleDesc desc, int attno, uint32 vector,
								const uint16 *at, uint32 count, Datum *values, bool *isnull);

/* Bytes that the group's values took before encoding. Describes the group. */
extern uint64 hz_groupread_raw_bytes(HzStore *store, HzGroup *group);

/*
 * The value at row `row` of the group, palloc'd in the current context if by reference; of a dropped column null, of a
 * later added one its default.
 */
extern Datum hz_groupread_datum(HzGroupReader *reader, TupleDesc desc, int attno, uint32 row,
								bool *isnull);

/* The zone map of a vector. */
extern const HzZone *hz_groupread_zone(HzGroupReader *reader, int attno, uint32 vector);

/* Whether a value with this hash (hz_bloom_hash) may be in the column; true where it has no bloom filter. */
extern bool hz_groupread_bloom(HzGroupReader *reader, int attno, uint64 hash);

/* Whether the column may hold a value of these bytes, by its dictionary: hz_chunk_dictionary(). */
extern bool hz_groupread_dictionary(HzGroupReader *reader, int attno, const HzString *value);

/* Whether it, or a vector of it, may hold any of several: hz_chunk_dictionary_any(), hz_chunk_vector_any(). */
extern bool hz_groupread_dictionary_any(HzGroupReader *reader, int attno, const HzValueSet *set);
extern bool hz_groupread_vector_any(HzGroupReader *reader, int attno, uint32 vector,
									const HzValueSet *set);

/*
 * Reads and checks every byte of one column that the group has. Unless HZ_OK, *block is where it read last. What the
 * buffer manager finds wrong with a page is thrown.
 */
extern HzStatus hz_groupread_verify(HzGroupReader *reader, int attno, BlockNumber *block);

#endif /* HZ_GROUPREAD_H */
