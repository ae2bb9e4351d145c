/*
 * load/batch.h
 *	  Batches: consecutive records of a stream, which are committed together.
 *
 * A batch is a range of bytes of the uncompressed stream that begins and ends between records. The reader leaves out ranges
 * that an earlier run committed; it reads them all the same, and whoever feeds it another stream under the same name
 * is found out by their hashes.
 */
#ifndef HZ_LOAD_BATCH_H
#define HZ_LOAD_BATCH_H

#include "base/bytes.h"
#include "load/source.h"
#include "load/split.h"

typedef enum HzRecordState
{
	HZ_STATE_NEW,
	HZ_STATE_BLANK,
	HZ_STATE_REJECTED,
} HzRecordState;

typedef struct HzReject
{
	uint32_t record;
	char sqlstate[6]; /* empty: this program could not read it */
	char *reason;
} HzReject;

typedef struct HzBatch
{
	uint64_t start;      /* in the stream */
	uint64_t first_line; /* 1 is the file's first */
	uint64_t lines;
	uint64_t hash; /* XXH3 of the bytes */
	HzBytes raw;
	uint32_t *ends; /* of records, in raw */
	uint8_t *states;
	uint32_t count;
	uint32_t capacity;
	HzReject *rejects;
	uint32_t reject_count;
	uint32_t reject_capacity;
} HzBatch;

typedef struct HzRange
{
	uint64_t start;
	uint64_t stop;
	uint64_t lines;
	uint64_t hash;
} HzRange;

typedef enum HzReadStatus
{
	HZ_READ_MORE,  /* call again */
	HZ_READ_BATCH, /* the batch is complete */
	HZ_READ_END,   /* nothing is left; the batch is empty */
} HzReadStatus;

typedef struct HzReader
{
	HzSource *source;
	const char *name; /* for messages */
	HzBytes carry;    /* read, but in no batch yet */
	bool source_end;
	uint64_t position; /* in the stream, of carry, or of the batch that is being filled */
	uint64_t line;     /* there */
	bool filling;
	HzSplitter splitter;
	uint32_t max_records;
	size_t max_bytes;
	const HzRange *done; /* in their order */
	int done_count;
	int done_at;
} HzReader;

/* Reads the beginning of the stream into reader->carry, up to `size` bytes. */
extern void hz_reader_open(HzReader *reader, HzSource *source, const char *name, size_t size);

/* Takes `length` bytes off carry: a header, which belongs to no batch. */
extern void hz_reader_drop(HzReader *reader, size_t length);

/* What was read of the stream is enough: from here on come batches. `done` is borrowed. */
extern void hz_reader_start(HzReader *reader, HzFormat format, bool rejects, uint8_t delimiter,
							uint32_t max_records, size_t max_bytes, const HzRange *done,
							int done_count);

/* Reads a piece into the batch, which must be empty at first. A stream that is not the one of `done` is fatal. */
extern HzReadStatus hz_reader_step(HzReader *reader, HzBatch *batch);

extern void hz_reader_close(HzReader *reader);

/* Bytes of the record, its line end included. */
extern const uint8_t *hz_batch_record(const HzBatch *batch, uint32_t record, size_t *length);

/* The line on which a record begins. */
extern uint64_t hz_batch_line(const HzBatch *batch, uint32_t record);

/* Marks a record as rejected, once. */
extern void hz_batch_reject(HzBatch *batch, uint32_t record, const char *sqlstate,
							const char *reason);

/* Puts rejects into the order of the file. */
extern void hz_batch_sort_rejects(HzBatch *batch);

/* Empties it; its memory is used again. */
extern void hz_batch_clear(HzBatch *batch);
extern void hz_batch_free(HzBatch *batch);

#endif /* HZ_LOAD_BATCH_H */
