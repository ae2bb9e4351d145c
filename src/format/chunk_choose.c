/*
 * format/chunk_choose.c
 *	  Which way to store a column is the smallest: dictionary, values, arrays.
 *
 * Light encodings are cheap, so candidates of fixed kinds are made and weighed. Strings cost a codec's time: where it
 * is not plain that a dictionary wins, windows of both candidates are compressed and the better one is made.
 */
#include "encoding/hex.h"
#include "format/chunk_internal.h"
#include "format/numeric.h"

/* Dictionaries of integers must be a tenth smaller: values as they are decode faster. */
#define INTEGER_GAIN 90
/* Dictionaries of numeric payloads, which no kernel can add up, must be much smaller than integers. */
#define PAYLOAD_GAIN 70

/* Strings of hexadecimal digits as bytes may be a tenth larger than compressed ones: no codec stands before them. */
#define HEX_GAIN 90
/* One vector in so many must be such. */
#define HEX_SHARE 4

/* A dictionary whose strings have a quarter of the column's bytes needs no comparison. */
#define PLAIN_DICT_SHARE 4

/* Columns of strings with fewer bytes are weighed exactly, others by windows. */
#define EXACT_BYTES (512 * 1024)
#define WINDOWS 3
#define WINDOW_BYTES HZ_CHUNK_FRAME_BYTES

static void
choose_dict(HzChunkChoice *choice, HzChunkDraft *dict, HzDistinct *distinct)
{
	hz_draft_free(&choice->draft);
	choice->draft = *dict;
	choice->distinct = *distinct;
}

/* Takes the dictionary when it has at most `percent` of the size of the draft chosen so far. */
static void
weigh_dict(HzChunkChoice *choice, HzChunkDraft *dict, HzDistinct *distinct, uint64_t percent)
{
	if (hz_draft_size(dict) * 100 <= hz_draft_size(&choice->draft) * percent)
		choose_dict(choice, dict, distinct);
	else
	{
		hz_draft_free(dict);
		hz_distinct_free(distinct);
	}
}

static void
make_dict(const HzChunkInput *input, HzDistinct *distinct, uint16_t scale, HzChunkDraft *dict)
{
	hz_draft_init(input, dict);
	hz_distinct_sort(input, distinct);
	hz_draft_codes(input, dict, distinct->codes, distinct->count);
	hz_dict_write(input, distinct, scale, dict);
}

/* ---- integers ---- */

static uint32_t
bits_of(uint64_t v)
{
	return v == 0 ? 0 : 64 - (uint32_t) __builtin_clzll(v);
}

/* What the codes would take, nearly, in bytes: packed, or as runs. */
static uint64_t
codes_estimate(const HzChunkInput *input, const HzDistinct *distinct)
{
	uint64_t code_bits = bits_of(distinct->count - 1);
	uint64_t packed = (uint64_t) input->column->rows * code_bits;
	uint64_t runs = (uint64_t) distinct->runs * (code_bits + 4);

	return (packed < runs ? packed : runs) / 8;
}

/* What the values would take, nearly, in bytes: the differences of sorted integers. */
static uint64_t
integers_estimate(const HzDistinct *distinct)
{
	int64_t min = distinct->integers[0];
	int64_t max = distinct->integers[0];
	uint64_t code_bits = bits_of(distinct->count - 1);
	uint64_t range_bits;

	for (uint32_t i = 1; i < distinct->count; i++)
	{
		min = distinct->integers[i] < min ? distinct->integers[i] : min;
		max = distinct->integers[i] > max ? distinct->integers[i] : max;
	}
	range_bits = bits_of((uint64_t) max - (uint64_t) min);
	range_bits = range_bits > code_bits ? range_bits - code_bits + 1 : 1;
	return distinct->count * range_bits / 8;
}

/* Considers a dictionary of integers beside the draft chosen. */
static void
try_integer_dict(HzChunkInput *input, uint16_t scale, HzChunkChoice *choice)
{
	uint64_t size = hz_draft_size(&choice->draft);
	HzDistinct distinct;
	HzChunkDraft dict;

	/* up to two bits a value: nothing to win */
	if (size * 8 <= (uint64_t) input->values * 2 || !hz_distinct_integers(input, &distinct))
		return;
	if ((codes_estimate(input, &distinct) + integers_estimate(&distinct)) * 100 >
		size * INTEGER_GAIN)
	{
		hz_distinct_free(&distinct);
		return;
	}
	make_dict(input, &distinct, scale, &dict);
	weigh_dict(choice, &dict, &distinct, INTEGER_GAIN);
}

void
hz_choose_integers(HzChunkInput *input, HzChunkChoice *choice)
{
	hz_draft_integers(input, &choice->draft);
	try_integer_dict(input, 0, choice);
}

/* ---- fixed ---- */

void
hz_choose_fixed(HzChunkInput *input, HzChunkChoice *choice)
{
	const HzColumn *column = input->column;
	HzDistinct distinct;
	HzChunkDraft dict;

	for (uint32_t v = 0; v < input->vectors; v++)
		if (input->options->ordered && input->zones[v].nulls != input->zones[v].rows)
			hz_zone_fixed(
				(const uint8_t *) column->fixed + (size_t) v * HZ_VECTOR_ROWS * column->width,
				column->width, hz_input_validity(input, v), input->zones[v].rows, &input->zones[v]);
	hz_draft_fixed(input, &choice->draft);
	if (!hz_distinct_strings(input, &distinct))
		return;
	if (distinct.bytes + codes_estimate(input, &distinct) >= hz_draft_size(&choice->draft))
	{
		hz_distinct_free(&distinct);
		return;
	}
	make_dict(input, &distinct, 0, &dict);
	weigh_dict(choice, &dict, &distinct, 100);
}

/* ---- strings ---- */

static void
string_zones(HzChunkInput *input)
{
	for (uint32_t v = 0; v < input->vectors; v++)
		if (input->options->ordered && input->zones[v].nulls != input->zones[v].rows)
			hz_zone_strings(input->column->strings + (size_t) v * HZ_VECTOR_ROWS,
							hz_input_validity(input, v), input->zones[v].rows, &input->zones[v]);
}

/* The same from the codes of a sorted dictionary, whose order is that of the strings. */
static void
string_zones_by_code(HzChunkInput *input, const HzDistinct *distinct)
{
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		const uint16_t *codes = distinct->codes + (size_t) v * HZ_VECTOR_ROWS;
		uint16_t min = codes[0];
		uint16_t max = codes[0];
		HzString bounds[2];

		if (!input->options->ordered || input->zones[v].nulls == input->zones[v].rows)
			continue;
		for (uint32_t i = 1; i < input->zones[v].rows; i++)
		{
			min = codes[i] < min ? codes[i] : min;
			max = codes[i] > max ? codes[i] : max;
		}
		bounds[0] = distinct->strings[min];
		bounds[1] = distinct->strings[max];
		hz_zone_strings(bounds, NULL, 2, &input->zones[v]);
	}
}

/* What `count` strings with `total` bytes, one after the other, would shrink to, by compressing windows of them. */
static uint64_t
sample_strings(const HzChunkInput *input, const HzString *strings, uint32_t count, uint64_t total,
			   bool nulls)
{
	HzBytes raw = {NULL, 0, 0};
	HzBytes stored = {NULL, 0, 0};
	uint64_t raw_sum = 0;

	for (uint32_t w = 0; w < WINDOWS; w++)
	{
		uint32_t i = (uint32_t) ((uint64_t) count * w / WINDOWS);

		raw.length = 0;
		for (; i < count && raw.length < WINDOW_BYTES; i++)
			if (!nulls || hz_input_valid(input, i))
				hz_bytes_append(&raw, strings[i].data, strings[i].length);
		raw_sum += raw.length;
		hz_frame_compress(input->options->codec, input->options->level, raw.data, raw.length,
						  &stored);
	}
	total = raw_sum == 0 ? total
						 : (uint64_t) ((double) total * (double) stored.length / (double) raw_sum);
	hz_bytes_free(&raw);
	hz_bytes_free(&stored);
	return total;
}

/* The same of the entries of a dictionary. */
static uint64_t
sample_entries(const HzChunkInput *input, const HzDistinct *distinct)
{
	uint64_t hex;
	uint64_t size =
		sample_strings(input, distinct->strings, distinct->count, distinct->bytes, false);

	return hz_dict_is_hex(input, distinct, &hex) && hex < size ? hex : size;
}

/* What the lengths would take, from a few vectors. */
static uint64_t
sample_lengths(const HzChunkInput *input)
{
	HzBytes encoded = {NULL, 0, 0};
	uint64_t rows = 0;
	uint64_t estimate;
	int64_t lengths[HZ_VECTOR_ROWS];

	for (uint32_t w = 0; w < WINDOWS; w++)
	{
		uint32_t v = input->vectors * w / WINDOWS;
		uint32_t first = v * HZ_VECTOR_ROWS;

		for (uint32_t i = 0; i < input->zones[v].rows; i++)
			lengths[i] = hz_input_valid(input, first + i)
							 ? (int64_t) input->column->strings[first + i].length
						 : i == 0 ? 0
								  : lengths[i - 1];
		hz_int_encode(lengths, input->zones[v].rows, &encoded);
		rows += input->zones[v].rows;
	}
	estimate = encoded.length * input->column->rows / rows;
	hz_bytes_free(&encoded);
	return estimate;
}

/* Whether a dictionary (sorted, its codes drafted) will be smaller than strings, by windows of both. */
static bool
sampled_dict_wins(const HzChunkInput *input, const HzDistinct *distinct, const HzChunkDraft *dict)
{
	uint64_t dict_size = hz_draft_size(dict) + distinct->count + sample_entries(input, distinct);
	uint64_t direct_size =
		sample_lengths(input) +
		sample_strings(input, input->column->strings, input->column->rows, input->raw_bytes, true);

	return dict_size <= direct_size;
}

/* A dictionary or, if the draft chosen is still empty, strings. */
static void
dict_or_strings(HzChunkInput *input, HzDistinct *distinct, bool arrays, HzChunkChoice *choice)
{
	bool exact = arrays || input->raw_bytes <= EXACT_BYTES;
	HzChunkDraft dict;

	hz_draft_init(input, &dict);
	hz_distinct_sort(input, distinct);
	hz_draft_codes(input, &dict, distinct->codes, distinct->count);
	if (!exact && sampled_dict_wins(input, distinct, &dict))
	{
		hz_dict_write(input, distinct, 0, &dict);
		choose_dict(choice, &dict, distinct);
		return;
	}
	if (!arrays)
		hz_draft_strings(input, &choice->draft);
	if (exact)
	{
		hz_dict_write(input, distinct, 0, &dict);
		weigh_dict(choice, &dict, distinct, 100);
		return;
	}
	hz_draft_free(&dict);
	hz_distinct_free(distinct);
}

/* Makes the draft one of arrays; false (and the draft is empty) when there is nothing to take apart. */
static bool
try_arrays(HzChunkInput *input, HzChunkChoice *choice)
{
	if (input->options->array.element_width == 0)
		return false;
	if (hz_draft_arrays(input, &choice->draft))
		return true;
	hz_draft_free(&choice->draft);
	hz_draft_init(input, &choice->draft);
	return false;
}

/* Whether at least one vector in HEX_SHARE begins with hexadecimal digits. */
static bool
may_be_hex(const HzChunkInput *input)
{
	uint32_t vectors = 0;
	uint32_t hex = 0;

	for (uint32_t v = 0; v < input->vectors; v++)
	{
		uint32_t i = v * HZ_VECTOR_ROWS;
		const HzString *string;
		uint8_t bytes[HZ_HEX_MAX_WIDTH];
		HzHexShape shape;

		if (input->zones[v].nulls == input->zones[v].rows)
			continue;
		while (!hz_input_valid(input, i))
			i++;
		string = &input->column->strings[i];
		vectors++;
		hex += hz_hex_guess(string->data, string->length, &shape) &&
			   hz_hex_pack(&shape, string->data, string->length, bytes);
	}
	return hex > 0 && hex * HEX_SHARE >= vectors;
}

/* Vectors of hexadecimal digits as such, others as strings. */
static void
draft_hex(const HzChunkInput *input, HzChunkDraft *draft)
{
	for (uint32_t v = 0; v < input->vectors; v++)
		if (input->zones[v].nulls != input->zones[v].rows && !hz_draft_hex_vector(input, draft, v))
			hz_draft_strings_vector(input, draft, v);
	hz_frame_finish(&draft->frames);
}

/*
 * Strings of hexadecimal digits as bytes, unless compressed strings or a dictionary (distinct; NULL: there is none) would be much smaller,
 * by windows of both; those bytes need no codec, and single ones no frame.
 */
static bool
try_hex(HzChunkInput *input, const HzDistinct *distinct, HzChunkChoice *choice)
{
	HzChunkDraft draft;
	uint64_t size;

	if (!may_be_hex(input))
		return false;
	hz_draft_init(input, &draft);
	draft_hex(input, &draft);
	size = hz_draft_size(&draft) * HEX_GAIN / 100;
	if ((distinct != NULL &&
		 size > codes_estimate(input, distinct) + sample_entries(input, distinct)) ||
		size > sample_strings(input, input->column->strings, input->column->rows, input->raw_bytes,
							  true))
	{
		hz_draft_free(&draft);
		return false;
	}
	hz_draft_free(&choice->draft);
	choice->draft = draft;
	return true;
}

static void
choose_strings(HzChunkInput *input, HzChunkChoice *choice)
{
	HzDistinct distinct;
	HzChunkDraft dict;
	bool few = hz_distinct_strings(input, &distinct);
	bool arrays;

	if (few && distinct.bytes * PLAIN_DICT_SHARE <= input->raw_bytes)
	{
		make_dict(input, &distinct, 0, &dict);
		choose_dict(choice, &dict, &distinct);
		return;
	}
	if (try_hex(input, few ? &distinct : NULL, choice))
	{
		if (few)
			hz_distinct_free(&distinct);
		return;
	}
	arrays = try_arrays(input, choice);
	if (few)
		dict_or_strings(input, &distinct, arrays, choice);
	else if (!arrays)
		hz_draft_strings(input, &choice->draft);
}

void
hz_choose_strings(HzChunkInput *input, HzChunkChoice *choice)
{
	choose_strings(input, choice);
	if (choice->distinct.count > 0)
		string_zones_by_code(input, &choice->distinct);
	else
		string_zones(input);
}

/* ---- numerics ---- */

/* Converts the values of vector v, nulls filled; false unless all of them convert with one scale. */
static bool
convert_vector(const HzChunkInput *input, uint32_t v, HzInt128 *values, uint16_t *scale)
{
	const HzString *strings = input->column->strings + (size_t) v * HZ_VECTOR_ROWS;
	const uint64_t *validity = hz_input_validity(input, v);
	bool first = true;

	for (uint32_t i = 0; i < input->zones[v].rows; i++)
	{
		uint16_t own_scale;

		values[i] = 0;
		if (validity != NULL && !hz_bitmap_get(validity, i))
			continue;
		if (!hz_numeric_from_payload(strings[i].data, strings[i].length, &values[i], &own_scale) ||
			(!first && own_scale != *scale))
			return false;
		*scale = own_scale;
		first = false;
	}
	if (validity != NULL)
		hz_fill_nulls(values, sizeof(HzInt128), validity, input->zones[v].rows);
	return true;
}

/* Drafts every vector as integers or payloads. Sets input->integers if all have one scale and fit. */
static void
draft_numerics(HzChunkInput *input, HzChunkDraft *draft, uint16_t *scale)
{
	HzInt128 *values = hz_alloc(HZ_VECTOR_ROWS * sizeof(HzInt128));
	int64_t *integers = hz_alloc(input->column->rows * sizeof(int64_t));
	bool uniform = true;
	bool first = true;

	for (uint32_t v = 0; v < input->vectors; v++)
	{
		uint32_t count = input->zones[v].rows;
		uint16_t own_scale = 0;

		if (input->zones[v].nulls == count)
			continue;
		if (!convert_vector(input, v, values, &own_scale))
		{
			hz_draft_strings_vector(input, draft, v);
			uniform = false;
			continue;
		}
		hz_draft_decimals_vector(input, draft, v, values, own_scale);
		if (input->options->ordered)
			hz_zone_decimals(values, count, own_scale, &input->zones[v]);
		uniform &= draft->pieces[v].mode == HZ_PIECE_DECIMAL64 && (first || *scale == own_scale);
		for (uint32_t i = 0; uniform && i < count; i++)
			integers[(size_t) v * HZ_VECTOR_ROWS + i] = (int64_t) values[i];
		*scale = own_scale;
		first = false;
	}
	hz_frame_finish(&draft->frames);
	hz_free(values);
	if (uniform)
		input->integers = integers;
	else
		hz_free(integers);
}

void
hz_choose_numerics(HzChunkInput *input, HzChunkChoice *choice)
{
	uint16_t scale = 0;
	HzDistinct distinct;
	HzChunkDraft dict;

	draft_numerics(input, &choice->draft, &scale);
	if (input->integers != NULL)
	{
		try_integer_dict(input, scale, choice);
		return;
	}
	if (!hz_distinct_strings(input, &distinct))
		return;
	make_dict(input, &distinct, 0, &dict);
	weigh_dict(choice, &dict, &distinct, PAYLOAD_GAIN);
}
