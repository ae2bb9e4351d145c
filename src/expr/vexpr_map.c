/*
 * expr/vexpr_map.c
 *	  Kernels over the forms of vectors: constants once, dictionaries once per used entry. See vexpr_node.h.
 */
#include "base/memory.h"
#include "expr/vexpr_node.h"

#define FIRST_MEMOS 64
#define SMALL_DICT 512 /* entries: computed all at once where nothing speaks against it */

/* ---- what is remembered of dictionaries */

static uint32_t
memo_hash(const HzVexpr *expr, const void *values)
{
	uint64_t h = ((uint64_t) (uintptr_t) expr * UINT64_C(0x9E3779B97F4A7C15)) ^
				 ((uint64_t) (uintptr_t) values * UINT64_C(0xC2B2AE3D27D4EB4F));

	return (uint32_t) (h >> 32);
}

/* The place of a dictionary in the table, used or not. */
static HzMemo *
memo_place(HzEval *eval, const HzVexpr *expr, const void *values, uint32_t dict_count)
{
	uint32_t i = memo_hash(expr, values) & (eval->memo_size - 1);

	while (eval->memos[i].expr != NULL &&
		   (eval->memos[i].expr != expr || eval->memos[i].values != values ||
			eval->memos[i].dict_count != dict_count))
		i = (i + 1) & (eval->memo_size - 1);
	return &eval->memos[i];
}

static void
grow_memos(HzEval *eval)
{
	HzMemo *old = eval->memos;
	uint32_t old_size = eval->memo_size;

	eval->memo_size = old_size == 0 ? FIRST_MEMOS : 2 * old_size;
	eval->memos = hz_alloc_zero(sizeof(HzMemo) * eval->memo_size);
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i].expr != NULL)
			*memo_place(eval, old[i].expr, old[i].values, old[i].dict_count) = old[i];
	hz_free(old);
}

/* Bytes of a result's slot, before its kernel says otherwise. */
static uint32_t
result_width(const HzVexpr *expr)
{
	return expr->kind == HZ_KIND_BYTES || expr->kind == HZ_KIND_NUMERIC
			   ? (uint32_t) sizeof(HzString)
			   : expr->width;
}

static HzMemo *
find_memo(HzEval *eval, const HzVexpr *expr, const HzVector *in)
{
	HzMemo *memo;

	if (eval->memo_count * 2 >= eval->memo_size)
		grow_memos(eval);
	memo = memo_place(eval, expr, in->values, in->dict_count);
	if (memo->expr != NULL)
		return memo;
	memo->values = in->values;
	memo->dict_count = in->dict_count;
	memo->done = hz_bump_zero(&eval->group, in->dict_count);
	memo->width = result_width(expr);
	memo->results = hz_bump_zero(&eval->group, (size_t) memo->width * in->dict_count);
	memo->expr = expr;
	eval->memo_count++;
	return memo;
}

/* ---- nulls */

void
hz_lane_null(HzLane *lane, uint32_t i)
{
	if (lane->nulls == NULL)
		lane->nulls =
			hz_bump_zero(lane->memory, sizeof(uint64_t) * (HZ_BITMAP_WORDS(lane->count) + 1));
	hz_bitmap_set(lane->nulls, i);
	/* a string that is none must be readable, too */
	memset((uint8_t *) lane->values + (size_t) i * lane->width, 0, lane->width);
}

bool
hz_rows_any_valid(const HzVector *vector, const HzRows *rows)
{
	if (vector->validity == NULL)
		return rows->count > 0;
	for (uint32_t i = 0; i < rows->count; i++)
		if (hz_bitmap_get(vector->validity, hz_rows_at(rows, i)))
			return true;
	return false;
}

const uint64_t *
hz_validity_and(HzEval *eval, const uint64_t *a, const uint64_t *b)
{
	uint64_t *both;

	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	both = hz_bump_alloc(&eval->batch, sizeof(uint64_t) * HZ_BATCH_WORDS);
	for (uint32_t w = 0; w < HZ_BITMAP_WORDS(eval->rows); w++)
		both[w] = a[w] & b[w];
	return both;
}

/* validity without the rows whose result (of the row, or of its entry) is null. */
static const uint64_t *
without_nulls(HzEval *eval, const HzVector *in, const uint64_t *nulls)
{
	uint64_t *validity;

	if (nulls == NULL)
		return in->validity;
	validity = hz_bump_alloc(&eval->batch, sizeof(uint64_t) * HZ_BATCH_WORDS);
	if (in->validity != NULL)
		memcpy(validity, in->validity, sizeof(uint64_t) * HZ_BITMAP_WORDS(eval->rows));
	else
		memset(validity, 0xFF, sizeof(uint64_t) * HZ_BATCH_WORDS);
	if (in->form == HZ_FORM_FLAT)
		for (uint32_t w = 0; w < HZ_BITMAP_WORDS(eval->rows); w++)
			validity[w] &= ~nulls[w];
	else
		for (uint32_t i = 0; i < eval->rows; i++)
			if (hz_bitmap_get(nulls, hz_vector_slot(in, i)))
				hz_bitmap_clear(validity, i);
	return validity;
}

/* ---- functions of one vector */

HzLane
hz_lane_make(const HzVexpr *expr, uint32_t count, HzBump *memory)
{
	HzLane lane = {.count = count, .memory = memory, .width = result_width(expr)};

	lane.values = hz_bump_alloc(memory, (size_t) lane.width * count);
	lane.numeric = HZ_NUMERIC_PAYLOAD;
	return lane;
}

void
hz_lane_vector(HzEval *eval, const HzVexpr *expr, const HzLane *lane, HzForm form, HzVector *out)
{
	memset(out, 0, sizeof(HzVector));
	out->kind = expr->kind;
	out->form = form;
	out->numeric = lane->numeric;
	out->scale = lane->scale;
	out->width = lane->width;
	out->count = eval->rows;
	out->values = lane->values;
}

static bool
map_constant(HzEval *eval, const HzVexpr *expr, HzKernel kernel, const HzVector *in,
			 const HzRows *rows, HzVector *out)
{
	HzLane lane;
	HzRows one = {.count = 1};
	HzVector flat = *in;

	if (!hz_rows_any_valid(in, rows))
	{
		hz_null_vector(eval, expr, out);
		return true;
	}
	flat.form = HZ_FORM_FLAT;
	flat.validity = NULL;
	flat.count = 1;
	lane = hz_lane_make(expr, 1, &eval->batch);
	if (!kernel(eval, expr, &flat, &one, &lane))
		return false;
	hz_lane_vector(eval, expr, &lane, HZ_FORM_CONSTANT, out);
	out->validity = lane.nulls != NULL ? hz_no_rows : in->validity;
	return true;
}

static uint32_t
all_entries(HzMemo *memo, uint16_t *fresh)
{
	memset(memo->done, 1, memo->dict_count);
	for (uint32_t i = 0; i < memo->dict_count; i++)
		fresh[i] = (uint16_t) i;
	return memo->dict_count;
}

/* Entries that selected rows use and that have no result yet; all of a small dictionary, if that can do no harm. */
static uint32_t
new_entries(const HzVexpr *expr, HzMemo *memo, const HzVector *in, const HzRows *rows,
			uint16_t *fresh)
{
	uint32_t n = 0;

	if (memo->done_count == 0 && memo->dict_count <= SMALL_DICT && !expr->can_fail &&
		expr->threadable)
		return all_entries(memo, fresh);

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		uint16_t code = in->codes[row];

		if (memo->done[code] || !hz_vector_valid(in, row))
			continue;
		memo->done[code] = 1;
		fresh[n++] = code;
	}
	return n;
}

static bool
compute_entries(HzEval *eval, const HzVexpr *expr, HzKernel kernel, const HzVector *in,
				HzMemo *memo, const uint16_t *fresh, uint32_t count)
{
	HzRows entries = {.count = count, .at = fresh};
	HzVector flat = *in;
	HzLane lane = {.values = memo->results,
				   .nulls = memo->nulls,
				   .count = memo->dict_count,
				   .memory = &eval->group,
				   .width = memo->width,
				   .numeric = HZ_NUMERIC_PAYLOAD};

	flat.form = HZ_FORM_FLAT;
	flat.validity = NULL;
	flat.count = in->dict_count;
	if (!kernel(eval, expr, &flat, &entries, &lane))
	{
		for (uint32_t i = 0; i < count; i++)
			memo->done[fresh[i]] = 0;
		return false;
	}
	memo->done_count += count;
	memo->nulls = lane.nulls;
	memo->width = lane.width;
	memo->numeric = lane.numeric;
	memo->scale = lane.scale;
	return true;
}

static bool
map_dict(HzEval *eval, const HzVexpr *expr, HzKernel kernel, const HzVector *in, const HzRows *rows,
		 HzVector *out)
{
	HzMemo *memo = find_memo(eval, expr, in);

	if (memo->done_count < memo->dict_count)
	{
		uint16_t *fresh = hz_bump_alloc(&eval->batch, sizeof(uint16_t) * HZ_VECTOR_ROWS);
		uint32_t count = new_entries(expr, memo, in, rows, fresh);

		if (count > 0 && !compute_entries(eval, expr, kernel, in, memo, fresh, count))
			return false;
	}
	memset(out, 0, sizeof(HzVector));
	out->kind = expr->kind;
	out->form = HZ_FORM_DICT;
	out->numeric = memo->numeric;
	out->scale = memo->scale;
	out->width = memo->width;
	out->count = eval->rows;
	out->dict_count = in->dict_count;
	out->codes = in->codes;
	out->values = memo->results;
	out->validity = without_nulls(eval, in, memo->nulls);
	return true;
}

bool
hz_eval_map(HzEval *eval, const HzVexpr *expr, HzKernel kernel, const HzVector *in,
			const HzRows *rows, HzVector *out)
{
	HzLane lane;

	if (in->form == HZ_FORM_CONSTANT)
		return map_constant(eval, expr, kernel, in, rows, out);
	if (in->form == HZ_FORM_DICT)
		return map_dict(eval, expr, kernel, in, rows, out);
	lane = hz_lane_make(expr, eval->rows, &eval->batch);
	if (!kernel(eval, expr, in, rows, &lane))
		return false;
	hz_lane_vector(eval, expr, &lane, HZ_FORM_FLAT, out);
	out->validity = without_nulls(eval, in, lane.nulls);
	return true;
}

bool
hz_eval_null_constant(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector left;

	hz_null_vector(eval, expr, out);
	return !expr->args[0]->can_fail || hz_eval_value(eval, expr->args[0], rows, &left);
}

bool
hz_eval_map_arg(HzEval *eval, const HzVexpr *expr, HzKernel kernel, const HzRows *rows,
				HzVector *out)
{
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	return hz_eval_map(eval, expr, kernel, &in, rows, out);
}

/* ---- functions of two vectors */

/* Copies slots of `width` bytes by row. */
static void
gather(HzVector *vector, const HzRows *rows, uint8_t *out)
{
	const uint8_t *values = vector->values;
	uint32_t width = vector->width;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		const uint8_t *from = values + (size_t) hz_vector_slot(vector, row) * width;

		switch (width)
		{
			case 1:
				out[row] = *from;
				break;
			case 4:
				memcpy(out + (size_t) row * 4, from, 4);
				break;
			case 8:
				memcpy(out + (size_t) row * 8, from, 8);
				break;
			case 16:
				memcpy(out + (size_t) row * 16, from, 16);
				break;
			default:
				memcpy(out + (size_t) row * width, from, width);
		}
	}
}

void
hz_vector_flatten(HzEval *eval, HzVector *vector, const HzRows *rows)
{
	uint8_t *values;

	if (vector->form == HZ_FORM_FLAT)
		return;
	values = hz_bump_zero(&eval->batch, (size_t) vector->width * eval->rows);
	gather(vector, rows, values);
	vector->form = HZ_FORM_FLAT;
	vector->count = eval->rows;
	vector->values = values;
	vector->codes = NULL;
	vector->dict_count = 0;
}

bool
hz_eval_map_both(HzEval *eval, const HzVexpr *expr, HzKernel2 kernel, HzVector *a, HzVector *b,
				 const HzRows *rows, HzVector *out)
{
	HzVector both = {.form = HZ_FORM_FLAT};
	HzLane lane;

	hz_vector_flatten(eval, a, rows);
	hz_vector_flatten(eval, b, rows);
	both.validity = hz_validity_and(eval, a->validity, b->validity);
	lane = hz_lane_make(expr, eval->rows, &eval->batch);
	/* the kernel looks for nulls in the first */
	a->validity = both.validity;
	if (!kernel(eval, expr, a, b, rows, &lane))
		return false;
	hz_lane_vector(eval, expr, &lane, HZ_FORM_FLAT, out);
	out->validity = without_nulls(eval, &both, lane.nulls);
	return true;
}

bool
hz_eval_map2(HzEval *eval, const HzVexpr *expr, HzKernel2 kernel, const HzRows *rows, HzVector *out)
{
	HzVector a;
	HzVector b;

	return hz_eval_value(eval, expr->args[0], rows, &a) &&
		   hz_eval_value(eval, expr->args[1], rows, &b) &&
		   hz_eval_map_both(eval, expr, kernel, &a, &b, rows, out);
}
