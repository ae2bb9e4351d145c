/*
 * fuzz/fuzz_chunk.c
 *	  Hostile chunks: any description and any bytes must give an error or right-sized data.
 *
 * Input: as the golden files, the length of a row group's description (4 bytes), the description, the
 * chunk. Builds for fuzzing accept any checksum.
 */
#include "format/chunk.h"
#include "format/rowgroup.h"
#include "unit/format_cases.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a directory could claim without the fuzzer running out of memory. */
#define RAW_LIMIT (16 << 20)

static volatile uint8_t sink;

static void
touch_string(const uint8_t *slot)
{
	HzString s;

	memcpy(&s, slot, sizeof(s));
	if (s.length > 0)
		sink ^= s.data[0] ^ s.data[s.length / 2] ^ s.data[s.length - 1];
}

/* Reads every slot, every string at its ends, every bit. */
static void
touch(const HzVector *vector)
{
	bool strings = vector->kind == HZ_KIND_BYTES ||
				   (vector->kind == HZ_KIND_NUMERIC && vector->numeric == HZ_NUMERIC_PAYLOAD);

	for (uint32_t i = 0; i < vector->count; i++)
	{
		const uint8_t *slot = slot_of(vector, i);

		if (vector->form == HZ_FORM_DICT && vector->codes[i] >= vector->dict_count)
			abort();
		if (vector->validity != NULL && !hz_bitmap_get(vector->validity, i) &&
			!null_slot_is_zero(vector, i))
			abort();
		if (vector->kind == HZ_KIND_BOOL && *slot > 1)
			abort();
		sink ^= slot[0] ^ slot[vector->width - 1];
		if (strings)
			touch_string(slot);
	}
}

static void
read_chunk(const HzChunkMeta *meta, const HzSource *source)
{
	HzChunkReader *reader;
	HzVector vector;
	HzString value = {(const uint8_t *) "0123456789abcdef",
					  meta->kind == HZ_KIND_FIXED ? meta->width % 17 : 5};
	HzString several[] = {value, value, {(const uint8_t *) "zz", 2}};
	HzValueSet set = {3, several};
	uint8_t mask[HZ_VECTOR_ROWS + 64];
	bool maybe;

	several[0].length = 0;
	if (hz_chunk_open(meta, source, &reader) != HZ_OK)
		return;
	for (uint32_t row = 0; row < meta->rows; row += 1 + meta->rows / 50)
		if (hz_chunk_value(reader, row, &vector) == HZ_OK)
			touch(&vector);
	hz_chunk_dictionary(reader, &value, &maybe);
	for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
	{
		hz_chunk_match(reader, v, &value, &maybe, mask);
		hz_chunk_vector_any(reader, v, &set, &maybe);
	}
	hz_chunk_dictionary_any(reader, &set, &maybe);
	for (uint32_t v = 0; v < hz_chunk_vector_count(reader); v++)
		if (hz_chunk_vector(reader, v, &vector) == HZ_OK)
			touch(&vector);
	hz_chunk_bloom(reader, 77, &maybe);
	hz_chunk_dictionary(reader, &value, &maybe);
	hz_chunk_verify(reader);
	for (uint32_t row = 0; row < meta->rows; row += 1 + meta->rows / 20)
		if (hz_chunk_value(reader, row, &vector) == HZ_OK)
			touch(&vector);
	hz_chunk_close(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	HzRowGroupMeta group;
	Memory memory = {NULL, 0, 0, 0};
	HzSource source = {read_memory, &memory};
	uint32_t length = size >= 4 ? hz_load32(data) : 0;

	if (size < 4 || length > size - 4 || hz_rowgroup_read(data + 4, length, &group) != HZ_OK)
		return 0;
	memory.data = data + 4 + length;
	memory.length = size - 4 - length;
	for (uint32_t i = 0; i < group.column_count; i++)
	{
		HzChunkMeta *meta = &group.columns[i];

		/* so that what is behind these checks is reached more often */
		if (meta->length > memory.length)
			meta->length = memory.length;
		if (meta->kind != 0 && meta->raw_bytes <= RAW_LIMIT && meta->width <= 256)
			read_chunk(meta, &source);
	}
	hz_free(group.columns);
	return 0;
}
