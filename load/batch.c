/*
 * load/batch.c
 *	  Batches: consecutive records of a stream, which are committed together.
 */
#define XXH_INLINE_ALL
#include <stdlib.h>
#include <xxhash.h>

#include "load/batch.h"
#include "load/message.h"

/* Read at a time, so that the connections are looked after in between. */
#define PIECE ((size_t) 512 * 1024)

/* A record longer than this is none: most likely a quote that was never closed. PostgreSQL's values end at 1 GB. */
#define MAX_RECORD ((size_t) 256 * 1024 * 1024)

void
hz_reader_open(HzReader *reader, HzSource *source, const char *name, size_t size)
{
	memset(reader, 0, sizeof(*reader));
	reader->source = source;
	reader->name = name;
	reader->line = 1;
	while (reader->carry.length < size && !reader->source_end)
	{
		size_t n = hz_source_read(source, hz_bytes_reserve(&reader->carry, size),
								  size - reader->carry.length);

		reader->carry.length += n;
		reader->source_end = n == 0;
	}
}

void
hz_reader_drop(HzReader *reader, size_t length)
{
	HzBytes *carry = &reader->carry;

	reader->position += length;
	reader->line += hz_count_lines(carry->data, length);
	carry->length -= length;
	memmove(carry->data, carry->data + length, carry->length);
}

void
hz_reader_start(HzReader *reader, HzFormat format, bool rejects, uint8_t delimiter,
				uint32_t max_records, size_t max_bytes, const HzRange *done, int done_count)
{
	hz_split_start(&reader->splitter, format, rejects, delimiter);
	reader->max_records = max_records;
	reader->max_bytes = max_bytes;
	reader->done = done;
	reader->done_count = done_count;
	reader->done_at = 0;
}

void
hz_reader_close(HzReader *reader)
{
	hz_bytes_free(&reader->carry);
	hz_source_close(reader->source);
}

static void __attribute__((noreturn)) fail_changed(const HzReader *reader)
{
	hz_fatal(
		"load the very same bytes again; an export without ORDER BY comes in another order each time. "
		"--forget starts from the beginning and takes no row back",
		"%s is not what an earlier run loaded a part of (see byte %llu of the uncompressed stream)",
		reader->name, (unsigned long long) reader->done[reader->done_at].start);
}

/* Reads over a range that is done. */
static void
skip_range(HzReader *reader)
{
	const HzRange *range = &reader->done[reader->done_at];
	uint64_t rest = range->stop - range->start;
	XXH3_state_t *state = XXH3_createState();
	HzBytes *carry = &reader->carry;

	XXH3_64bits_reset(state);
	while (rest > 0)
	{
		size_t n = carry->length < rest ? carry->length : (size_t) rest;

		XXH3_64bits_update(state, carry->data, n);
		rest -= n;
		carry->length -= n;
		if (rest == 0)
		{
			memmove(carry->data, carry->data + n, carry->length);
			break;
		}
		n = hz_source_read(reader->source, hz_bytes_reserve(carry, PIECE), PIECE);
		if (n == 0)
			fail_changed(reader);
		carry->length = n;
	}
	if (XXH3_64bits_digest(state) != range->hash)
		fail_changed(reader);
	XXH3_freeState(state);
	reader->position = range->stop;
	reader->line += range->lines;
	reader->done_at++;
}

static void
add_record(HzBatch *batch, size_t end)
{
	if (batch->count == batch->capacity)
	{
		batch->capacity = batch->capacity == 0 ? 1024 : batch->capacity * 2;
		batch->ends = hz_realloc(batch->ends, batch->capacity * sizeof(uint32_t));
		batch->states = hz_realloc(batch->states, batch->capacity);
	}
	batch->ends[batch->count] = (uint32_t) end;
	batch->states[batch->count] = HZ_STATE_NEW;
	batch->count++;
}

/* The batch ends at `end`; what it holds beyond that is the next one's. */
static HzReadStatus
complete(HzReader *reader, HzBatch *batch, size_t end)
{
	size_t rest = batch->raw.length - end;

	reader->carry.length = 0;
	if (rest > 0)
		hz_bytes_append(&reader->carry, batch->raw.data + end, rest);
	batch->raw.length = end;
	batch->lines = hz_count_lines(batch->raw.data, end);
	batch->hash = XXH3_64bits(batch->raw.data, end);
	reader->position += end;
	reader->line += batch->lines;
	reader->filling = false;
	return HZ_READ_BATCH;
}

/* Finds the records of what was read. */
static HzReadStatus
scan(HzReader *reader, HzBatch *batch)
{
	HzSplitter *splitter = &reader->splitter;
	uint64_t limit = reader->done_at < reader->done_count
						 ? reader->done[reader->done_at].start - batch->start
						 : UINT64_MAX;
	size_t end;

	while ((end = hz_split_next(splitter, batch->raw.data, batch->raw.length)) != 0)
	{
		add_record(batch, end);
		if (end > limit)
			fail_changed(reader);
		if (end == limit || batch->count == reader->max_records || end >= reader->max_bytes)
			return complete(reader, batch, end);
	}
	if (batch->raw.length - splitter->start > MAX_RECORD)
		hz_fatal("is a quote missing, or is it another format?",
				 "%s: the record that begins on line %llu is longer than 256 MB", reader->name,
				 (unsigned long long) (batch->first_line +
									   hz_count_lines(batch->raw.data, splitter->start)));
	return HZ_READ_MORE;
}

static HzReadStatus
begin(HzReader *reader, HzBatch *batch)
{
	batch->start = reader->position;
	batch->first_line = reader->line;
	hz_bytes_append(&batch->raw, reader->carry.data, reader->carry.length);
	reader->carry.length = 0;
	reader->splitter.start = 0;
	reader->splitter.at = 0;
	reader->splitter.state = 0;
	reader->filling = true;
	return scan(reader, batch);
}

HzReadStatus
hz_reader_step(HzReader *reader, HzBatch *batch)
{
	size_t n;

	if (!reader->filling)
	{
		if (reader->done_at < reader->done_count &&
			reader->position == reader->done[reader->done_at].start)
		{
			skip_range(reader);
			return HZ_READ_MORE;
		}
		return begin(reader, batch);
	}
	if (!reader->source_end)
	{
		n = hz_source_read(reader->source, hz_bytes_reserve(&batch->raw, PIECE), PIECE);
		batch->raw.length += n;
		reader->source_end = n == 0;
		if (n > 0)
			return scan(reader, batch);
	}

	/* The last line may lack its line feed. */
	if (reader->splitter.start < batch->raw.length)
	{
		add_record(batch, batch->raw.length);
		reader->splitter.start = batch->raw.length;
	}
	if (reader->done_at < reader->done_count)
		fail_changed(reader);
	return batch->count > 0 ? complete(reader, batch, batch->raw.length) : HZ_READ_END;
}

const uint8_t *
hz_batch_record(const HzBatch *batch, uint32_t record, size_t *length)
{
	uint32_t start = record == 0 ? 0 : batch->ends[record - 1];

	*length = batch->ends[record] - start;
	return batch->raw.data + start;
}

uint64_t
hz_batch_line(const HzBatch *batch, uint32_t record)
{
	return batch->first_line +
		   (record == 0 ? 0 : hz_count_lines(batch->raw.data, batch->ends[record - 1]));
}

void
hz_batch_reject(HzBatch *batch, uint32_t record, const char *sqlstate, const char *reason)
{
	HzReject *reject;

	if (batch->states[record] == HZ_STATE_REJECTED)
		return;
	batch->states[record] = HZ_STATE_REJECTED;
	if (batch->reject_count == batch->reject_capacity)
	{
		batch->reject_capacity = batch->reject_capacity == 0 ? 64 : batch->reject_capacity * 2;
		batch->rejects = hz_realloc(batch->rejects, batch->reject_capacity * sizeof(HzReject));
	}
	reject = &batch->rejects[batch->reject_count++];
	reject->record = record;
	strncpy(reject->sqlstate, sqlstate, sizeof(reject->sqlstate) - 1);
	reject->sqlstate[sizeof(reject->sqlstate) - 1] = '\0';
	reject->reason = hz_format("%s", reason);
}

static int
compare_rejects(const void *a, const void *b)
{
	uint32_t x = ((const HzReject *) a)->record;
	uint32_t y = ((const HzReject *) b)->record;

	return x < y ? -1 : x > y;
}

void
hz_batch_sort_rejects(HzBatch *batch)
{
	if (batch->reject_count > 1)
		qsort(batch->rejects, batch->reject_count, sizeof(HzReject), compare_rejects);
}

void
hz_batch_clear(HzBatch *batch)
{
	for (uint32_t i = 0; i < batch->reject_count; i++)
		free(batch->rejects[i].reason);
	batch->reject_count = 0;
	batch->count = 0;
	batch->raw.length = 0;
}

void
hz_batch_free(HzBatch *batch)
{
	hz_batch_clear(batch);
	hz_bytes_free(&batch->raw);
	hz_free(batch->ends);
	hz_free(batch->states);
	hz_free(batch->rejects);
	memset(batch, 0, sizeof(*batch));
}
