/*
 * expr/vexpr.c
 *	  State of evaluations, its memory, and selection vectors. See vexpr.h, vexpr_node.h.
 */
#include "base/bitmap.h"
#include "base/memory.h"
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

#define BLOCK_SIZE ((size_t) 256 * 1024)
#define ALIGNMENT 32
#define SLACK 64 /* readable bytes behind what is allocated: kernels load whole registers */

/* ---- memory */

typedef struct HzBumpBlock
{
	struct HzBumpBlock *next;
	size_t size; /* of data */
	size_t used;
	uint8_t *data; /* aligned */
} HzBumpBlock;

static HzBumpBlock *
new_block(size_t size)
{
	uint8_t *memory = hz_alloc(sizeof(HzBumpBlock) + size + ALIGNMENT);
	HzBumpBlock *block = (HzBumpBlock *) (void *) memory;
	uintptr_t data = (uintptr_t) memory + sizeof(HzBumpBlock);

	block->next = NULL;
	block->size = size;
	block->used = 0;
	block->data = memory + sizeof(HzBumpBlock) + (ALIGNMENT - data % ALIGNMENT) % ALIGNMENT;
	return block;
}

/* Makes a block current that has `size` bytes free: the next one, or a new one before it. */
static void
next_block(HzBump *bump, size_t size)
{
	HzBumpBlock *next = bump->current ? bump->current->next : bump->first;

	if (next == NULL || next->size < size)
	{
		HzBumpBlock *block = new_block(size > BLOCK_SIZE ? size : BLOCK_SIZE);

		block->next = next;
		if (bump->current != NULL)
			bump->current->next = block;
		else
			bump->first = block;
		next = block;
	}
	next->used = 0;
	bump->current = next;
}

void *
hz_bump_alloc(HzBump *bump, size_t size)
{
	size_t room = (size + SLACK + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	HzBumpBlock *block = bump->current;
	size_t start = block ? (block->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : 0;

	if (block == NULL || start > block->size || block->size - start < room)
	{
		next_block(bump, room);
		block = bump->current;
		start = 0;
	}
	block->used = start + room;
	return block->data + start;
}

uint8_t *
hz_bump_room(HzBump *bump, size_t size)
{
	HzBumpBlock *block = bump->current;
	uint8_t *room;

	if (block == NULL || block->size - block->used < size + SLACK)
	{
		next_block(bump, size + SLACK);
		block = bump->current;
	}
	room = block->data + block->used;
	block->used += size;
	return room;
}

uint8_t *
hz_bump_bytes(HzBump *bump, const uint8_t *data, size_t size)
{
	uint8_t *copy = hz_bump_room(bump, size);

	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

void *
hz_bump_zero(HzBump *bump, size_t size)
{
	return memset(hz_bump_alloc(bump, size), 0, size);
}

static void
bump_free(HzBump *bump)
{
	while (bump->first != NULL)
	{
		HzBumpBlock *block = bump->first;

		bump->first = block->next;
		hz_free(block);
	}
	bump->current = NULL;
}

/* ---- state */

const uint64_t hz_no_rows[HZ_BATCH_WORDS];

HzEval *
hz_eval_create(HzColumnGet get, void *arg)
{
	HzEval *eval = hz_alloc_zero(sizeof(HzEval));

	eval->get = get;
	eval->arg = arg;
	return eval;
}

void
hz_eval_in_thread(HzEval *eval)
{
	eval->in_thread = true;
}

void
hz_eval_free(HzEval *eval)
{
	bump_free(&eval->batch);
	bump_free(&eval->group);
	hz_free(eval->memos);
	hz_free(eval);
}

void
hz_eval_group(HzEval *eval)
{
	eval->group.current = NULL;
	memset(eval->buckets, 0, sizeof(eval->buckets));
	eval->combinations = NULL;
	eval->ranges = NULL;
	eval->entries = 0;
	eval->kept = 0;
	if (eval->memo_count > 0)
		memset(eval->memos, 0, sizeof(HzMemo) * eval->memo_size);
	eval->memo_count = 0;
}

void
hz_eval_batch(HzEval *eval, uint32_t rows)
{
	eval->batch.current = NULL;
	eval->rows = rows;
	eval->matched = 0;
	eval->failure = HZ_EVAL_OK;
}

HzEvalFailure
hz_eval_failure(const HzEval *eval)
{
	return eval->failure;
}

/* ---- selection vectors */

HzRows
hz_rows_live(uint32_t rows, const uint64_t *deleted, uint16_t *room)
{
	HzRows live = {.count = rows};

	if (deleted == NULL)
		return live;
	live.count = 0;
	for (uint32_t i = 0; i < rows; i++)
	{
		room[live.count] = (uint16_t) i;
		live.count += !hz_bitmap_get(deleted, i);
	}
	if (live.count < rows)
		live.at = room;
	return live;
}

/* Positions of the set bits of `bits` (the first of which is row `base`), appended to out. */
static inline uint32_t
append_bits(uint64_t bits, uint32_t base, uint16_t *out, uint32_t n)
{
	for (; bits != 0; bits &= bits - 1)
		out[n++] = (uint16_t) (base + (uint32_t) __builtin_ctzll(bits));
	return n;
}

/* 64 booleans as 64 bits. What stands where there is no value may be any byte. */
HZ_INLINE uint64_t
pack_bytes(const uint8_t *bytes)
{
	uint64_t bits = 0;

	for (int i = 0; i < 8; i++)
	{
		uint64_t eight;

		memcpy(&eight, bytes + 8 * i, 8);
		eight &= UINT64_C(0x0101010101010101);
		/* each byte's lowest bit travels to a place of its own in the highest byte */
		bits |= (eight * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
	}
	return bits;
}

typedef uint8_t Bytes8 __attribute__((vector_size(8)));
typedef uint16_t Shorts8 __attribute__((vector_size(16)));

/* The positions of the bits of a byte, in ascending order, then zeroes. */
#define BIT(b, i) ((b) >> (i) &1)
#define BITS_BEFORE(b, i) __builtin_popcount((b) & ((1 << (i)) - 1))
#define PLACED(b, i, k) (BIT(b, i) && BITS_BEFORE(b, i) == (k) ? (i) : 0)
#define POSITION(b, k)                                                                         \
	(PLACED(b, 0, k) + PLACED(b, 1, k) + PLACED(b, 2, k) + PLACED(b, 3, k) + PLACED(b, 4, k) + \
	 PLACED(b, 5, k) + PLACED(b, 6, k) + PLACED(b, 7, k))
#define POSITIONS(b)                                                                    \
	{                                                                                   \
		POSITION(b, 0), POSITION(b, 1), POSITION(b, 2), POSITION(b, 3), POSITION(b, 4), \
			POSITION(b, 5), POSITION(b, 6), POSITION(b, 7)                              \
	}
#define POSITIONS4(b) POSITIONS(b), POSITIONS((b) + 1), POSITIONS((b) + 2), POSITIONS((b) + 3)
#define POSITIONS16(b) POSITIONS4(b), POSITIONS4((b) + 4), POSITIONS4((b) + 8), POSITIONS4((b) + 12)
#define POSITIONS64(b) \
	POSITIONS16(b), POSITIONS16((b) + 16), POSITIONS16((b) + 32), POSITIONS16((b) + 48)

static const uint8_t positions[256][8] = {POSITIONS64(0), POSITIONS64(64), POSITIONS64(128),
										  POSITIONS64(192)};

/* Appends where a word of 64 rows has bits: a byte at a time unless they are few. Writes up to eight places beyond. */
HZ_INLINE uint32_t
append_word(uint64_t bits, uint32_t base, uint16_t *out, uint32_t n)
{
	if (__builtin_popcountll(bits) < 6)
		return append_bits(bits, base, out, n);
	for (uint32_t k = 0; k < 8; k++, bits >>= 8)
	{
		Bytes8 places;
		Shorts8 rows;

		memcpy(&places, positions[bits & 255], sizeof(places));
		rows = __builtin_convertvector(places, Shorts8) + (uint16_t) (base + 8 * k);
		memcpy(out + n, &rows, sizeof(rows));
		n += (uint32_t) __builtin_popcount((uint32_t) bits & 255);
	}
	return n;
}

/* Positions i < count with mask[i] == want and valid. `out` has room for HZ_VECTOR_ROWS + 64. */
HZ_CLONES static uint32_t
compact_all(const uint8_t *mask, const uint64_t *validity, uint32_t count, bool want, uint16_t *out)
{
	uint64_t flip = want ? 0 : UINT64_MAX;
	uint32_t n = 0;

	for (uint32_t w = 0; w < HZ_BITMAP_WORDS(count); w++)
	{
		uint64_t bits = pack_bytes(mask + (size_t) 64 * w) ^ flip;

		if (validity != NULL)
			bits &= validity[w];
		if (w == count / 64)
			bits &= (UINT64_C(1) << count % 64) - 1;
		n = append_word(bits, 64 * w, out, n);
	}
	return n;
}

static uint32_t
compact_some(const uint8_t *mask, const uint64_t *validity, const HzRows *rows, bool want,
			 uint16_t *out)
{
	uint32_t n = 0;

	if (validity == NULL)
		for (uint32_t i = 0; i < rows->count; i++)
		{
			out[n] = rows->at[i];
			n += mask[rows->at[i]] == want;
		}
	else
		for (uint32_t i = 0; i < rows->count; i++)
		{
			out[n] = rows->at[i];
			n += (mask[rows->at[i]] == want) & hz_bitmap_get(validity, rows->at[i]);
		}
	return n;
}

uint32_t
hz_rows_masked(const uint8_t *mask, const uint64_t *validity, const HzRows *rows, bool want,
			   uint16_t *out)
{
	if (rows->at == NULL)
		return compact_all(mask, validity, rows->count, want, out);
	return compact_some(mask, validity, rows, want, out);
}

static uint32_t
all_valid_rows(const HzVector *vector, const HzRows *rows, uint16_t *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		out[n] = (uint16_t) hz_rows_at(rows, i);
		n += hz_vector_valid(vector, out[n]);
	}
	return n;
}

/* Entries of a dictionary of booleans, looked up. The results of rows that are not selected may be anything. */
static void
look_up(const uint8_t *entries, const HzVector *truth, const HzRows *rows, uint8_t *mask)
{
	if (rows->at == NULL)
		for (uint32_t i = 0; i < rows->count; i++)
			mask[i] = entries[truth->codes[i]];
	else
		for (uint32_t i = 0; i < rows->count; i++)
			mask[rows->at[i]] = entries[truth->codes[rows->at[i]]];
}

uint32_t
hz_rows_where(const HzVector *truth, const HzRows *rows, bool want, uint16_t *out)
{
	const uint8_t *values = truth->values;
	uint8_t mask[HZ_VECTOR_ROWS + 64];

	switch (truth->form)
	{
		case HZ_FORM_CONSTANT:
			return values[0] == want ? all_valid_rows(truth, rows, out) : 0;
		case HZ_FORM_DICT:
			look_up(values, truth, rows, mask);
			return hz_rows_masked(mask, truth->validity, rows, want, out);
		default:
			/* what lies behind the last row does not count, but is read */
			if (rows->at == NULL && rows->count % 64 != 0)
			{
				memcpy(mask, values, rows->count);
				values = mask;
			}
			return hz_rows_masked(values, truth->validity, rows, want, out);
	}
}

uint32_t
hz_rows_without(const HzRows *rows, const uint16_t *without, uint32_t without_count, uint16_t *out)
{
	uint8_t mask[HZ_VECTOR_ROWS + 64];

	memset(mask, 0, sizeof(mask));
	for (uint32_t i = 0; i < without_count; i++)
		mask[without[i]] = 1;
	return hz_rows_masked(mask, NULL, rows, false, out);
}

/* ---- evaluation */

void
hz_null_vector(const HzEval *eval, const HzVexpr *expr, HzVector *out)
{
	static const uint64_t zeroes[HZ_MAX_FIXED / 8];

	memset(out, 0, sizeof(HzVector));
	out->kind = expr->kind;
	out->form = HZ_FORM_CONSTANT;
	out->numeric = HZ_NUMERIC_INT64;
	out->width = expr->kind == HZ_KIND_BYTES     ? (uint32_t) sizeof(HzString)
				 : expr->kind == HZ_KIND_NUMERIC ? (uint32_t) sizeof(int64_t)
												 : expr->width;
	out->count = eval->rows;
	out->validity = hz_no_rows;
	out->values = zeroes;
}

bool
hz_vexpr_column_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	const HzVector *column = eval->get(eval->arg, expr->column);

	(void) rows;
	if (column == NULL)
		return hz_eval_fail(eval, HZ_EVAL_COLUMN);
	*out = *column;
	return true;
}

bool
hz_vexpr_constant_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	(void) rows;
	*out = expr->constant;
	out->count = eval->rows;
	return true;
}

bool
hz_eval_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	return expr->value(eval, expr, rows, out);
}

bool
hz_eval_where(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want, uint16_t *out,
			  uint32_t *count)
{
	HzVector truth;

	*count = 0;
	if (rows->count == 0)
		return true;
	if (expr->filter != NULL)
		return expr->filter(eval, expr, rows, want, out, count);
	if (want && hz_rows_equal(eval, expr, rows, out, count))
		return true;
	if (!expr->value(eval, expr, rows, &truth))
		return false;
	*count = hz_rows_where(&truth, rows, want, out);
	return true;
}

bool
hz_eval_filter(HzEval *eval, const HzVexpr *expr, HzRows *rows)
{
	uint16_t *out = hz_bump_alloc(&eval->batch, sizeof(uint16_t) * (HZ_VECTOR_ROWS + 64));
	uint32_t count;

	if (!hz_eval_where(eval, expr, rows, true, out, &count))
		return false;
	/* all of all rows stay what they are: kernels are faster without a selection */
	if (count != rows->count || rows->at != NULL)
		rows->at = out;
	rows->count = count;
	return true;
}
