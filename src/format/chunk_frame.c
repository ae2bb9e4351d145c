/*
 * format/chunk_frame.c
 *	  Frames: the bytes of strings, cut at value boundaries into pieces of about 64 KB or more, each compressed
 *	  by itself; and the reader's cache of decompressed frames.
 *
 * A frame is closed when it has HZ_CHUNK_FRAME_BYTES or more, and before a value that would fill a frame alone,
 * so that the neighbours of a large value can be read without it. Where values are long, ZSTD gets frames of
 * HZ_CHUNK_LONG_FRAME_BYTES: prompts and answers repeat themselves over longer distances, and a frame of 64 KB would
 * hold but a few of them.
 */
#include "format/chunk_internal.h"

/* A frame is kept compressed when it shrinks to at most 85 %. */
#define ENOUGH_NUMERATOR 17
#define ENOUGH_DENOMINATOR 20

/* After so many frames in a row that did not shrink, only every PROBE_EVERY-th is tried. */
#define MISSES_UNTIL_PROBING 4
#define PROBE_EVERY 16

/* A frame with fewer bytes is not closed before a large value. */
#define SMALL_FRAME_BYTES 4096

/* Values are long when they have as many bytes on average. */
#define LONG_VALUE_BYTES 512

/* What the cache keeps between calls; GENEROUS_BYTES: frames of a few long values next to each other. */
#define CACHE_BYTES (1024 * 1024)
#define GENEROUS_BYTES (4 * 1024 * 1024)

#define EMPTY UINT32_MAX

/* ---- writing ---- */

HzCodec
hz_frame_compress(HzCodec codec, int level, const void *source, size_t length, HzBytes *out)
{
	size_t start = out->length;

	if (codec != HZ_CODEC_NONE && length > 0 &&
		hz_compress(codec, level, source, length, out) == HZ_OK &&
		(out->length - start) * ENOUGH_DENOMINATOR <= length * ENOUGH_NUMERATOR)
		return codec;
	out->length = start;
	hz_bytes_append(out, source, length);
	return HZ_CODEC_NONE;
}

static bool
worth_trying(const HzFrameWriter *writer)
{
	return writer->misses < MISSES_UNTIL_PROBING || writer->count % PROBE_EVERY == 0;
}

void
hz_frame_finish(HzFrameWriter *writer)
{
	HzChunkFrame frame;
	size_t start = writer->stored.length;
	HzCodec codec = worth_trying(writer) ? writer->codec : HZ_CODEC_NONE;

	if (writer->raw.length == 0)
		return;
	memset(&frame, 0, sizeof(frame));
	frame.codec = hz_frame_compress(codec, writer->level, writer->raw.data, writer->raw.length,
									&writer->stored);
	frame.raw_length = (uint32_t) writer->raw.length;
	frame.stored_length = (uint32_t) (writer->stored.length - start);
	frame.checksum = hz_checksum(writer->stored.data + start, frame.stored_length);
	hz_bytes_append(&writer->table, &frame, sizeof(frame));
	writer->misses = frame.codec != HZ_CODEC_NONE ? 0 : writer->misses + 1;
	writer->count++;
	writer->raw.length = 0;
	writer->values = 0;
}

/* The frame has as many bytes as its values ask for. */
static bool
is_full(const HzFrameWriter *writer)
{
	if (writer->raw.length < HZ_CHUNK_FRAME_BYTES)
		return false;
	return writer->codec != HZ_CODEC_ZSTD ||
		   writer->raw.length < (size_t) LONG_VALUE_BYTES * writer->values ||
		   writer->raw.length >= HZ_CHUNK_LONG_FRAME_BYTES;
}

void
hz_frame_append(HzFrameWriter *writer, const void *data, size_t length)
{
	if (length >= HZ_CHUNK_FRAME_BYTES && writer->raw.length >= SMALL_FRAME_BYTES)
		hz_frame_finish(writer);
	hz_bytes_append(&writer->raw, data, length);
	writer->raw_total += length;
	writer->values += length > 0;
	if (is_full(writer))
		hz_frame_finish(writer);
}

void
hz_frame_free(HzFrameWriter *writer)
{
	hz_bytes_free(&writer->raw);
	hz_bytes_free(&writer->stored);
	hz_bytes_free(&writer->table);
}

/* ---- reading ---- */

void
hz_frame_unpin(HzFrameCache *cache)
{
	for (uint32_t i = 0; i < cache->count; i++)
		cache->slots[i].pinned = false;
}

static HzFrameSlot *
find_frame(HzFrameCache *cache, uint32_t frame)
{
	for (uint32_t i = 0; i < cache->count; i++)
		if (cache->slots[i].frame == frame)
			return &cache->slots[i];
	return NULL;
}

/* The slot that was not used for longest, among those that are not pinned; NULL when there is none. */
static HzFrameSlot *
oldest_slot(HzFrameCache *cache)
{
	HzFrameSlot *oldest = NULL;

	for (uint32_t i = 0; i < cache->count; i++)
	{
		HzFrameSlot *slot = &cache->slots[i];

		if (!slot->pinned && (oldest == NULL || slot->used < oldest->used))
			oldest = slot;
	}
	return oldest;
}

static HzFrameSlot *
add_slot(HzFrameCache *cache)
{
	HzFrameSlot *slot;

	if (cache->count == cache->capacity)
	{
		uint32_t capacity = cache->capacity == 0 ? 8 : cache->capacity * 2;

		cache->slots = hz_realloc(cache->slots, capacity * sizeof(HzFrameSlot));
		cache->capacity = capacity;
	}
	slot = &cache->slots[cache->count++];
	memset(slot, 0, sizeof(*slot));
	slot->frame = EMPTY;
	return slot;
}

static size_t
limit_of(const HzFrameCache *cache)
{
	return cache->generous ? GENEROUS_BYTES : CACHE_BYTES;
}

/* An empty slot with room for so many bytes. */
static HzFrameSlot *
take_slot(HzFrameCache *cache, size_t length)
{
	HzFrameSlot *slot = NULL;
	size_t capacity = length < HZ_CHUNK_FRAME_BYTES * 5 / 4 ? HZ_CHUNK_FRAME_BYTES * 5 / 4 : length;

	if (cache->total + capacity > limit_of(cache))
		slot = oldest_slot(cache);
	if (slot == NULL)
		slot = add_slot(cache);
	slot->frame = EMPTY;
	if (slot->capacity < length)
	{
		hz_free(slot->bytes);
		cache->total -= slot->capacity;
		slot->bytes = NULL;
		slot->capacity = 0;
		slot->bytes = hz_alloc(capacity);
		slot->capacity = capacity;
		cache->total += capacity;
	}
	return slot;
}

HzStatus
hz_frame_read(const HzSource *source, const HzChunkFrame *frame, HzBytes *stored, uint8_t *target)
{
	bool compressed = frame->codec != HZ_CODEC_NONE;
	uint8_t *bytes = compressed ? hz_bytes_reserve(stored, frame->stored_length) : target;
	HzStatus status = source->read(source->arg, frame->offset, frame->stored_length, bytes);

	if (status != HZ_OK)
		return status;
	if (!hz_checksum_matches(bytes, frame->stored_length, frame->checksum))
		return HZ_CHECKSUM;
	if (!compressed)
		return HZ_OK;
	return hz_decompress(frame->codec, bytes, frame->stored_length, target, frame->raw_length);
}

uint32_t
hz_frame_find(const HzChunkHead *head, uint64_t position)
{
	uint32_t low = 0;
	uint32_t high = head->frame_count;

	while (high - low > 1)
	{
		uint32_t middle = low + (high - low) / 2;

		if (head->frames[middle].start <= position)
			low = middle;
		else
			high = middle;
	}
	return low;
}

HzStatus
hz_frame_load(HzFrameCache *cache, const HzSource *source, const HzChunkHead *head, uint32_t frame,
			  const uint8_t **bytes)
{
	HzFrameSlot *slot = find_frame(cache, frame);
	HzStatus status;

	if (slot == NULL)
	{
		slot = take_slot(cache, head->frames[frame].raw_length);
		status = hz_frame_read(source, &head->frames[frame], &cache->stored, slot->bytes);
		if (status != HZ_OK)
			return status;
		slot->frame = frame;
	}
	slot->pinned = true;
	slot->used = ++cache->clock;
	*bytes = slot->bytes;
	return HZ_OK;
}

void
hz_frame_trim(HzFrameCache *cache)
{
	if (cache->stored.capacity > CACHE_BYTES)
		hz_bytes_free(&cache->stored);
	while (cache->total > limit_of(cache))
	{
		HzFrameSlot *slot = oldest_slot(cache);

		if (slot == NULL)
			return;
		cache->total -= slot->capacity;
		hz_free(slot->bytes);
		*slot = cache->slots[--cache->count];
	}
}

void
hz_frame_cache_free(HzFrameCache *cache)
{
	for (uint32_t i = 0; i < cache->count; i++)
		hz_free(cache->slots[i].bytes);
	hz_free(cache->slots);
	hz_bytes_free(&cache->stored);
	memset(cache, 0, sizeof(*cache));
}
