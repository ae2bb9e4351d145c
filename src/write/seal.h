/*
 * write/seal.h
 *	  Turns a buffer of rows into a row group.
 */
#ifndef HZ_SEAL_H
#define HZ_SEAL_H

#include "storage/directory.h"
#include "storage/options.h"
#include "write/rowbuffer.h"

/*
 * Sorts the rows by the table's sort key, encodes the columns, writes the pages of a new group. The group is
 * palloc'd in the current context and exists for nobody until hz_directory_insert(). With
 * `permutation` (rows entries, filled here) the caller learns which buffered row became row i of the group.
 * The store is open with RowExclusiveLock.
 */
extern HzGroup *hz_seal(HzStore *store, HzRowBuffer *buffer, const HzOptions *options,
						CommandId cid, uint32 *permutation);

/*
 * Encodes one column, which is loaded, in the order of `permutation` (NULL: as the rows came); appends the chunk to `out` and fills
 * *meta but for its offset. Pure C: may run in a thread beside the backend, with an arena (base/memory.h).
 */
extern HzStatus hz_seal_column(const HzRowBuffer *buffer, const HzOptions *options, int attno,
							   const uint32 *permutation, HzBytes *out, HzChunkMeta *meta);

/* As hz_seal(), for columns that are encoded already: `chunks` one after the other, with their offsets in `columns`. */
extern HzGroup *hz_seal_encoded(HzStore *store, const HzRowBuffer *buffer, const HzBytes *chunks,
								const HzChunkMeta *columns, CommandId cid);

/* Appends a chunk of `rows` equal values (or nulls) to `out` and describes it in *meta. */
extern void hz_seal_constant(const HzColumnType *type, Datum value, bool isnull, uint32 rows,
							 HzBytes *out, HzChunkMeta *meta);

#endif /* HZ_SEAL_H */
