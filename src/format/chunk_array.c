/*
 * format/chunk_array.c
 *	  PostgreSQL's arrays as counts and a child column of elements.
 *
 * A value is an ArrayType (utils/array.h) without its varlena word: int32 ndim, int32 dataoffset (0: no nulls), oid
 * elemtype, and for one dimension int32 length, int32 lower bound, and the data at offset 20, which is 24 with the
 * word and so aligned for everything. Elements follow each other, each padded with zeroes to the alignment; varlena elements
 * carry a 4-byte header (length << 2, the length including the header).
 *
 * What is taken apart is put together again at once and compared: an array that does not come back
 * byte for byte (dimensions, bounds, nulls, short or compressed elements, missing padding) keeps its vector's arrays
 * whole, as strings.
 */
#include "format/chunk_internal.h"

#define EMPTY_LENGTH 12 /* ndim 0 */
#define DATA_OFFSET 20  /* ndim 1 */
#define VARLENA_HEADER 4

/* ---- one array ---- */

static uint64_t
align_up(const HzArrayShape *shape, uint64_t length)
{
	uint64_t align = shape->element_align == 'd'   ? 8
					 : shape->element_align == 'i' ? 4
					 : shape->element_align == 's' ? 2
												   : 1;

	return (length + align - 1) & ~(align - 1);
}

uint64_t
hz_array_payload_length(uint32_t count, uint64_t data)
{
	return count == 0 ? EMPTY_LENGTH : DATA_OFFSET + data;
}

uint64_t
hz_array_element_length(const HzArrayShape *shape, uint64_t length)
{
	return align_up(shape, shape->element_width == -1 ? VARLENA_HEADER + length : length);
}

void
hz_array_put_header(uint32_t element_type, uint32_t count, uint8_t *payload)
{
	hz_store32(payload, count == 0 ? 0 : 1);
	hz_store32(payload + 4, 0);
	hz_store32(payload + 8, element_type);
	if (count == 0)
		return;
	hz_store32(payload + 12, count);
	hz_store32(payload + 16, 1);
}

uint64_t
hz_array_put_element(const HzArrayShape *shape, const uint8_t *data, uint64_t length, uint8_t *at)
{
	uint64_t padded = hz_array_element_length(shape, length);
	uint64_t used = 0;

	if (shape->element_width == -1)
	{
		hz_store32(at, (uint32_t) (length + VARLENA_HEADER) << 2);
		used = VARLENA_HEADER;
	}
	if (length > 0)
		memcpy(at + used, data, length);
	used += length;
	memset(at + used, 0, padded - used);
	return padded;
}

/* Whether the elements put together again are the array. */
static bool
rebuilds(const HzArrayShape *shape, uint32_t element_type, const HzString *elements, uint32_t count,
		 const HzString *array, HzBytes *room)
{
	uint8_t *payload = hz_bytes_reserve(room, array->length);
	uint64_t at = hz_array_payload_length(count, 0);

	hz_array_put_header(element_type, count, payload);
	for (uint32_t i = 0; i < count; i++)
		at += hz_array_put_element(shape, elements[i].data, elements[i].length, payload + at);
	return memcmp(payload, array->data, array->length) == 0;
}

/* ---- taking arrays apart ---- */

typedef struct Splitter
{
	HzArrayShape shape;
	bool has_type;
	uint32_t element_type;
	uint32_t count;   /* elements so far */
	HzBytes elements; /* HzString of each */
	HzBytes rebuilt;
	uint32_t *counts; /* one a row */
} Splitter;

/* The next element at data[*at..length); false when there is none that could be whole. */
static bool
take_element(const HzArrayShape *shape, const uint8_t *data, uint64_t length, uint64_t *at,
			 HzString *element)
{
	uint64_t header = 0;

	element->length = (uint64_t) shape->element_width;
	if (shape->element_width == -1)
	{
		uint32_t word;

		header = VARLENA_HEADER;
		if (length - *at < header)
			return false;
		word = hz_load32(data + *at);
		if ((word & 3) != 0 || word >> 2 < header)
			return false;
		element->length = (word >> 2) - header;
	}
	if (length - *at < header + element->length)
		return false;
	element->data = data + *at + header;
	*at += hz_array_element_length(shape, element->length);
	return *at <= length;
}

/* Appends the elements of an array; false when it does not come back as it is. */
static bool
split_array(Splitter *splitter, const HzString *array, uint32_t *count)
{
	size_t start = splitter->elements.length;
	uint64_t at = 0;

	*count = 0;
	if (array->length < EMPTY_LENGTH)
		return false;
	hz_bytes_reserve(&splitter->elements, sizeof(HzString));
	if (!splitter->has_type)
		splitter->element_type = hz_load32(array->data + 8);
	splitter->has_type = true;
	if (array->length >= DATA_OFFSET)
		*count = hz_load32(array->data + 12);
	if (*count > HZ_CHUNK_MAX_ELEMENTS - splitter->count || *count > array->length)
		return false;
	for (uint32_t i = 0; i < *count; i++)
	{
		HzString element;

		if (!take_element(&splitter->shape, array->data + DATA_OFFSET, array->length - DATA_OFFSET,
						  &at, &element))
			return false;
		hz_bytes_append(&splitter->elements, &element, sizeof(element));
	}
	if (hz_array_payload_length(*count, at) != array->length)
		return false;
	splitter->count += *count;
	return rebuilds(&splitter->shape, splitter->element_type,
					(const HzString *) (const void *) (splitter->elements.data + start), *count,
					array, &splitter->rebuilt);
}

/* Appends the elements of a vector's arrays, or nothing when one of them does not come back. */
static bool
split_vector(const HzChunkInput *input, Splitter *splitter, uint32_t v)
{
	uint32_t first = v * HZ_VECTOR_ROWS;
	uint32_t count_before = splitter->count;
	size_t length_before = splitter->elements.length;

	for (uint32_t i = first; i < first + input->zones[v].rows; i++)
		if (hz_input_valid(input, i) &&
			!split_array(splitter, &input->column->strings[i], &splitter->counts[i]))
		{
			splitter->count = count_before;
			splitter->elements.length = length_before;
			return false;
		}
	return true;
}

/* ---- the draft ---- */

/* The kind of the child column; false for elements that are not taken apart. */
static bool
child_shape(const HzArrayShape *declared, HzArrayShape *shape)
{
	*shape = *declared;
	if (shape->element_align == 0 || strchr("csid", shape->element_align) == NULL)
		return false;
	if (shape->element_width == -1)
		shape->element_kind = HZ_KIND_BYTES;
	return shape->element_width == -1 ||
		   (shape->element_width > 0 && !hz_kind_is_strings(shape->element_kind) &&
			hz_kind_has_width(shape->element_kind, (uint32_t) shape->element_width));
}

static void
draft_counts(const HzChunkInput *input, const Splitter *splitter, HzChunkDraft *draft, uint32_t v)
{
	int64_t counts[HZ_VECTOR_ROWS];

	for (uint32_t i = 0; i < input->zones[v].rows; i++)
		counts[i] = splitter->counts[v * HZ_VECTOR_ROWS + i];
	hz_draft_counts_vector(input, draft, v, counts);
}

/* Fixed elements behind each other. */
static uint8_t *
gather(const HzString *elements, uint32_t count, uint32_t width)
{
	uint8_t *fixed = hz_alloc((size_t) count * width);

	for (uint32_t i = 0; i < count; i++)
		memcpy(fixed + (size_t) i * width, elements[i].data, width);
	return fixed;
}

static bool
draft_child(const HzChunkInput *input, const Splitter *splitter, HzChunkDraft *draft)
{
	const HzString *elements = (const HzString *) (const void *) splitter->elements.data;
	HzChunkOptions options = {
		input->options->codec, input->options->level, false, false, {0, 0, (HzKind) 0}};
	HzColumn column;
	HzChunkMeta meta;
	void *fixed = NULL;
	HzStatus status;

	memset(&column, 0, sizeof(column));
	column.kind = splitter->shape.element_kind;
	column.rows = splitter->count;
	column.strings = elements;
	if (splitter->shape.element_width > 0)
	{
		column.width = (uint32_t) splitter->shape.element_width;
		column.fixed = fixed = gather(elements, splitter->count, column.width);
	}
	status = hz_chunk_write_rows(&column, &options, &draft->child_bytes, &meta);
	hz_free(fixed);
	if (status != HZ_OK)
		return false;
	draft->child.shape = splitter->shape;
	draft->child.element_type = splitter->element_type;
	draft->child.rows = splitter->count;
	draft->child.head_length = meta.head_length;
	draft->child.length = meta.length;
	draft->child.raw_bytes = meta.raw_bytes;
	return true;
}

bool
hz_draft_arrays(const HzChunkInput *input, HzChunkDraft *draft)
{
	Splitter splitter;
	bool done;

	memset(&splitter, 0, sizeof(splitter));
	if (!child_shape(&input->options->array, &splitter.shape))
		return false;
	splitter.counts = hz_alloc_zero(input->column->rows * sizeof(uint32_t));
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		if (input->zones[v].nulls == input->zones[v].rows)
			continue;
		if (split_vector(input, &splitter, v))
			draft_counts(input, &splitter, draft, v);
		else
			hz_draft_strings_vector(input, draft, v);
	}
	hz_frame_finish(&draft->frames);
	done = splitter.count > 0 && draft_child(input, &splitter, draft);
	hz_free(splitter.counts);
	hz_bytes_free(&splitter.elements);
	hz_bytes_free(&splitter.rebuilt);
	return done;
}
