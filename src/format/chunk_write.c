/*
 * format/chunk_write.c
 *	  A column to a chunk: checks the limits, has the smallest draft chosen, and assembles head and body.
 */
#include "format/bloom.h"
#include "format/chunk_internal.h"

/* Bits of the bitmap that counts distinct hashes: eight times the rows of a row group. */
#define COUNTING_BITS (8 * HZ_CHUNK_MAX_ROWS)

/* ---- the input ---- */

/* The nulls among the rows of vector v. */
static uint32_t
count_nulls(const HzColumn *column, uint32_t v)
{
	uint32_t count = hz_vector_rows(column->rows, v);

	if (column->validity == NULL)
		return 0;
	return count -
		   (uint32_t) hz_bitmap_count(column->validity + (size_t) v * (HZ_VECTOR_ROWS / 64), count);
}

static HzStatus
measure_strings(HzChunkInput *input)
{
	for (uint32_t i = 0; i < input->column->rows; i++)
		if (hz_input_valid(input, i))
		{
			if (input->column->strings[i].length > HZ_CHUNK_MAX_VALUE)
				return HZ_LIMIT;
			input->raw_bytes += input->column->strings[i].length;
		}
	return HZ_OK;
}

/* Counts values, nulls and bytes. */
static HzStatus
begin_input(HzChunkInput *input)
{
	const HzColumn *column = input->column;

	input->vectors = hz_vector_count(column->rows);
	input->zones = hz_alloc_zero(input->vectors * sizeof(HzZone));
	for (uint32_t v = 0; v < input->vectors; v++)
	{
		input->zones[v].rows = hz_vector_rows(column->rows, v);
		input->zones[v].nulls = count_nulls(column, v);
		input->values += input->zones[v].rows - input->zones[v].nulls;
	}
	if (hz_kind_is_strings(column->kind))
		return measure_strings(input);
	input->raw_bytes = (uint64_t) input->values * column->width;
	return HZ_OK;
}

static void
choose(HzChunkInput *input, HzChunkChoice *choice)
{
	HzKind kind = input->column->kind;

	hz_draft_init(input, &choice->draft);
	if (input->values == 0)
		return;
	if (hz_kind_is_integer(kind))
		hz_choose_integers(input, choice);
	else if (hz_kind_is_float(kind))
		hz_draft_floats(input, &choice->draft);
	else if (kind == HZ_KIND_FIXED)
		hz_choose_fixed(input, choice);
	else if (kind == HZ_KIND_BYTES)
		hz_choose_strings(input, choice);
	else
		hz_choose_numerics(input, choice);
}

/* ---- the bloom filter ---- */

typedef struct Hashes
{
	uint64_t *hashes;
	uint32_t count;
} Hashes;

/* The hashes of the dictionary's values: integers as slots of the column's width. */
static void
hash_distinct(const HzChunkInput *input, const HzDistinct *distinct, Hashes *hashes)
{
	for (uint32_t i = 0; i < distinct->count; i++)
		hashes->hashes[hashes->count++] =
			distinct->integers == NULL
				? distinct->hashes[i]
				: hz_bloom_hash(input->column->kind, &distinct->integers[i], input->column->width);
}

static void
hash_column(const HzChunkInput *input, Hashes *hashes)
{
	const HzColumn *column = input->column;
	uint64_t last = 0;

	for (uint32_t i = 0; i < column->rows; i++)
	{
		HzString s;
		uint64_t hash;

		if (!hz_input_valid(input, i))
			continue;
		s = hz_input_string(input, i);
		hash = hz_bloom_hash(column->kind, s.data, s.length);
		if (hashes->count == 0 || hash != last)
			hashes->hashes[hashes->count++] = hash;
		last = hash;
	}
}

/*
 * Distinct hashes, nearly, by linear counting (Whang, Vander-Zanden & Taylor, 1990): the share of bits
 * that stay zero when each hash sets one.
 */
static uint32_t
estimate_distinct(const Hashes *hashes)
{
	uint64_t *bits = hz_alloc_zero(COUNTING_BITS / 8);
	double set;
	double share;
	uint32_t estimate;

	for (uint32_t i = 0; i < hashes->count; i++)
		hz_bitmap_set(bits, hashes->hashes[i] % COUNTING_BITS);
	set = (double) hz_bitmap_count(bits, COUNTING_BITS);
	share = set / COUNTING_BITS;
	hz_free(bits);
	/* -bits * ln(1 - share), of which at most an eighth of the bits leaves four terms of the series */
	estimate =
		(uint32_t) (set * (1 + share / 2 + share * share / 3 + share * share * share / 4)) + 1;
	return estimate < hashes->count ? estimate : hashes->count;
}

static void
write_bloom(const HzChunkInput *input, const HzChunkChoice *choice, HzBytes *out)
{
	Hashes hashes = {NULL, 0};
	bool dict = choice->distinct.count > 0;

	if (!input->options->bloom || input->values == 0 || input->column->kind == HZ_KIND_NUMERIC)
		return;
	hashes.hashes = hz_alloc((dict ? choice->distinct.count : input->values) * sizeof(uint64_t));
	if (dict)
		hash_distinct(input, &choice->distinct, &hashes);
	else
		hash_column(input, &hashes);
	hz_bloom_write(hashes.hashes, hashes.count, dict ? hashes.count : estimate_distinct(&hashes),
				   out);
	hz_free(hashes.hashes);
}

/* ---- assembly ---- */

static void
make_head(const HzChunkInput *input, HzChunkDraft *draft, const HzBytes *bloom, HzChunkHead *head)
{
	memset(head, 0, sizeof(*head));
	head->kind = input->column->kind;
	head->width = input->column->width;
	head->rows = input->column->rows;
	head->vectors = input->vectors;
	head->pieces = draft->pieces;
	head->frame_count = draft->frames.count;
	head->frames = (HzChunkFrame *) (void *) draft->frames.table.data;
	head->dict = draft->dict;
	head->bloom_length = bloom->length;
	head->bloom_checksum = bloom->length > 0 ? hz_checksum(bloom->data, bloom->length) : 0;
	head->child = draft->child;
	head->flags = (draft->frames.count > 0 ? HZ_CHUNK_HAS_FRAMES : 0) |
				  (draft->dict.count > 0 ? HZ_CHUNK_HAS_DICT : 0) |
				  (bloom->length > 0 ? HZ_CHUNK_HAS_BLOOM : 0) |
				  (draft->child.rows > 0 ? HZ_CHUNK_HAS_CHILD : 0);
}

/* The encoding of most vectors, for views. */
static uint8_t
usual_encoding(const HzChunkHead *head, const HzChunkDraft *draft)
{
	uint32_t votes[256] = {0};
	size_t at = 0;
	uint8_t best = HZ_ENCODING_CONSTANT;

	if (head->dict.count > 0)
		return head->dict.count == 1 ? HZ_ENCODING_CONSTANT : HZ_CHUNK_DICT;
	for (uint32_t v = 0; v < head->vectors; v++)
	{
		const HzChunkPiece *piece = &head->pieces[v];

		if (piece->mode == HZ_PIECE_NULLS)
			continue;
		at += piece->validity_length;
		votes[piece->mode == HZ_PIECE_STRINGS  ? HZ_CHUNK_STRINGS
			  : piece->mode == HZ_PIECE_ARRAYS ? HZ_CHUNK_ARRAY
			  : piece->mode == HZ_PIECE_HEX    ? HZ_CHUNK_HEX
											   : draft->data.data[at]]++;
		at += piece->data_length;
	}
	for (int e = 0; e < 256; e++)
		best = votes[e] > votes[best] ? (uint8_t) e : best;
	return best;
}

static HzCodec
usual_codec(const HzChunkHead *head)
{
	uint32_t compressed = 0;
	HzCodec codec = HZ_CODEC_NONE;

	for (uint32_t i = 0; i < head->frame_count; i++)
		if (head->frames[i].codec != HZ_CODEC_NONE)
		{
			codec = head->frames[i].codec;
			compressed++;
		}
	return compressed * 2 >= head->frame_count ? codec : HZ_CODEC_NONE;
}

static void
fill_meta(const HzChunkInput *input, const HzChunkHead *head, const HzChunkDraft *draft,
		  HzChunkMeta *meta)
{
	memset(meta, 0, sizeof(*meta));
	meta->kind = head->kind;
	meta->width = head->width;
	meta->codec = usual_codec(head);
	meta->encoding = usual_encoding(head, draft);
	meta->has_bloom = (head->flags & HZ_CHUNK_HAS_BLOOM) != 0;
	meta->rows = head->rows;
	meta->distinct = head->dict.count;
	meta->raw_bytes = input->raw_bytes;
	for (uint32_t v = 0; v < head->vectors; v++)
		hz_zone_merge(head->kind, &meta->zone, &input->zones[v]);
}

static void
assemble(const HzChunkInput *input, HzChunkChoice *choice, HzBytes *out, HzChunkMeta *meta)
{
	HzChunkDraft *draft = &choice->draft;
	HzBytes bloom = {NULL, 0, 0};
	size_t start = out->length;
	HzChunkHead head;

	write_bloom(input, choice, &bloom);
	for (uint32_t v = 0; v < input->vectors; v++)
		draft->pieces[v].zone = input->zones[v];
	make_head(input, draft, &bloom, &head);
	fill_meta(input, &head, draft, meta);
	hz_chunk_head_write(&head, out);
	meta->head_length = out->length - start;
	hz_bytes_reserve(out, hz_draft_size(draft) + bloom.length);
	hz_bytes_append(out, draft->data.data, draft->data.length);
	hz_bytes_append(out, draft->frames.stored.data, draft->frames.stored.length);
	hz_bytes_append(out, draft->dict_bytes.data, draft->dict_bytes.length);
	hz_bytes_append(out, bloom.data, bloom.length);
	hz_bytes_append(out, draft->child_bytes.data, draft->child_bytes.length);
	meta->length = out->length - start;
	hz_bytes_free(&bloom);
}

HzStatus
hz_chunk_write_rows(const HzColumn *column, const HzChunkOptions *options, HzBytes *out,
					HzChunkMeta *meta)
{
	HzChunkInput input;
	HzChunkChoice choice;
	HzStatus status;

	if (column->rows == 0 || column->rows > HZ_CHUNK_MAX_ELEMENTS ||
		!hz_kind_has_width(column->kind, column->width))
		return HZ_LIMIT;
	memset(&input, 0, sizeof(input));
	memset(&choice, 0, sizeof(choice));
	input.column = column;
	input.options = options;
	status = begin_input(&input);
	if (status == HZ_OK)
	{
		choose(&input, &choice);
		assemble(&input, &choice, out, meta);
		hz_draft_free(&choice.draft);
		hz_distinct_free(&choice.distinct);
	}
	hz_free(input.integers);
	hz_free(input.zones);
	return status;
}

HzStatus
hz_chunk_write(const HzColumn *column, const HzChunkOptions *options, HzBytes *out,
			   HzChunkMeta *meta)
{
	if (column->rows > HZ_CHUNK_MAX_ROWS)
		return HZ_LIMIT;
	return hz_chunk_write_rows(column, options, out, meta);
}
