/*
 * expr/vexpr_in.c
 *	  value IN (constants): = ANY (array) and <> ALL (array).
 *
 * A few constants are compared one after the other; many are looked up: integers of a small range in a bitmap, other
 * integers, strings and uuids in a hash table.
 */
#include "base/memory.h"
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

#define FEW 4               /* elements: compare with each */
#define MAX_RANGE (1 << 18) /* of integers in a bitmap */

/* ---- the set */

static int64_t
int_at(const HzVector *vector, uint32_t i)
{
	switch (vector->width)
	{
		case 2:
			return ((const int16_t *) vector->values)[i];
		case 4:
			return ((const int32_t *) vector->values)[i];
		default:
			return ((const int64_t *) vector->values)[i];
	}
}

static inline uint32_t
hash_int(int64_t value)
{
	return (uint32_t) ((uint64_t) value * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static uint32_t
hash_bytes(const uint8_t *data, uint64_t length)
{
	uint64_t h = length * UINT64_C(0x9E3779B97F4A7C15);

	for (; length >= 8; data += 8, length -= 8)
	{
		uint64_t word;

		memcpy(&word, data, 8);
		h = (h ^ word) * UINT64_C(0xC2B2AE3D27D4EB4F);
		h ^= h >> 29;
	}
	for (; length > 0; data++, length--)
		h = (h ^ *data) * UINT64_C(0x9E3779B97F4A7C15);
	return (uint32_t) (h >> 32);
}

static uint32_t
hash_element(const HzVector *elements, HzCompareClass class, uint32_t i)
{
	if (class == HZ_CLASS_UUID)
		return hash_bytes((const uint8_t *) elements->values + (size_t) i * elements->width,
						  elements->width);
	if (class == HZ_CLASS_BYTES)
		return hash_bytes(((const HzString *) elements->values)[i].data,
						  ((const HzString *) elements->values)[i].length);
	return hash_int(int_at(elements, i));
}

static void
make_table(HzVexprSet *set, HzCompareClass class)
{
	uint32_t size = 16;

	while (size < set->count * 2)
		size *= 2;
	set->table = hz_alloc_zero(sizeof(uint32_t) * size);
	set->table_mask = size - 1;
	for (uint32_t i = 0; i < set->count; i++)
	{
		uint32_t at = hash_element(&set->elements, class, i) & set->table_mask;

		while (set->table[at] != 0)
			at = (at + 1) & set->table_mask;
		set->table[at] = i + 1;
	}
}

static void
find_range(HzVexprSet *set)
{
	set->min = INT64_MAX;
	set->max = INT64_MIN;
	for (uint32_t i = 0; i < set->count; i++)
	{
		int64_t value = int_at(&set->elements, i);

		set->min = value < set->min ? value : set->min;
		set->max = value > set->max ? value : set->max;
	}
}

void
hz_vexpr_set_finish(HzVexprSet *set, HzCompareClass class)
{
	set->bits = NULL;
	set->table = NULL;
	if (set->count <= FEW)
		return;
	if (class == HZ_CLASS_INT)
	{
		find_range(set);
		if ((uint64_t) set->max - (uint64_t) set->min < MAX_RANGE)
		{
			set->bits = hz_alloc_zero(sizeof(uint64_t) * (MAX_RANGE / 64));
			for (uint32_t i = 0; i < set->count; i++)
				hz_bitmap_set(set->bits, (size_t) (int_at(&set->elements, i) - set->min));
			return;
		}
	}
	if (class == HZ_CLASS_INT || class == HZ_CLASS_BYTES || class == HZ_CLASS_UUID)
		make_table(set, class);
}

/* ---- looking up */

static bool
has_int(const HzVexprSet *set, int64_t value)
{
	uint32_t at = hash_int(value) & set->table_mask;

	if (value < set->min || value > set->max)
		return false;
	for (; set->table[at] != 0; at = (at + 1) & set->table_mask)
		if (int_at(&set->elements, set->table[at] - 1) == value)
			return true;
	return false;
}

static bool
has_bytes(const HzVexprSet *set, HzString s)
{
	const HzString *elements = set->elements.values;
	uint32_t at = hash_bytes(s.data, s.length) & set->table_mask;

	for (; set->table[at] != 0; at = (at + 1) & set->table_mask)
	{
		HzString e = elements[set->table[at] - 1];

		if (e.length == s.length && (s.length == 0 || memcmp(e.data, s.data, s.length) == 0))
			return true;
	}
	return false;
}

static bool
has_fixed(const HzVexprSet *set, const uint8_t *value)
{
	uint32_t width = set->elements.width;
	uint32_t at = hash_bytes(value, width) & set->table_mask;

	for (; set->table[at] != 0; at = (at + 1) & set->table_mask)
		if (memcmp((const uint8_t *) set->elements.values + (size_t) (set->table[at] - 1) * width,
				   value, width) == 0)
			return true;
	return false;
}

/* Integers in the bitmap: of one width, over all rows or some. */
HZ_INLINE void
bits_loop(const HzVexprSet *set, const HzVector *in, const HzRows *rows, uint32_t width,
		  uint8_t *mask)
{
	uint64_t range = (uint64_t) set->max - (uint64_t) set->min;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t value = width == 2   ? ((const int16_t *) in->values)[row]
						: width == 4 ? ((const int32_t *) in->values)[row]
									 : ((const int64_t *) in->values)[row];
		uint64_t offset = (uint64_t) value - (uint64_t) set->min;
		bool inside = offset <= range;

		mask[row] = inside & hz_bitmap_get(set->bits, inside ? offset : 0);
	}
}

static void
in_bits(const HzVexprSet *set, const HzVector *in, const HzRows *rows, uint8_t *mask)
{
	if (in->width == 2)
		bits_loop(set, in, rows, 2, mask);
	else if (in->width == 4)
		bits_loop(set, in, rows, 4, mask);
	else
		bits_loop(set, in, rows, 8, mask);
}

static void
in_table(const HzVexprSet *set, HzCompareClass class, const HzVector *in, const HzRows *rows,
		 uint8_t *mask)
{
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (class == HZ_CLASS_INT)
			mask[row] = has_int(set, int_at(in, row));
		else if (class == HZ_CLASS_BYTES)
			mask[row] = has_bytes(set, ((const HzString *) in->values)[row]);
		else
			mask[row] = has_fixed(set, (const uint8_t *) in->values + (size_t) row * in->width);
	}
}

/* Element i as a constant of its own. */
static HzVector
element(const HzVexprSet *set, uint32_t i)
{
	HzVector one = set->elements;

	one.form = HZ_FORM_CONSTANT;
	one.values = (const uint8_t *) one.values + (size_t) i * one.width;
	return one;
}

static void
one_by_one(HzEval *eval, const HzVexprSet *set, HzCompareClass class, const HzVector *in,
		   const HzRows *rows, uint8_t *mask)
{
	uint8_t *found = hz_bump_alloc(&eval->batch, in->count);

	memset(mask, 0, in->count);
	for (uint32_t i = 0; i < set->count; i++)
	{
		HzVector constant = element(set, i);

		hz_compare_constant(in, class, HZ_EQ, &constant, rows, found);
		if (rows->at == NULL)
			for (uint32_t k = 0; k < rows->count; k++)
				mask[k] |= found[k];
		else
			for (uint32_t k = 0; k < rows->count; k++)
				mask[rows->at[k]] |= found[rows->at[k]];
	}
}

static bool
in_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	const HzVexprSet *set = expr->set;
	HzCompareClass class = (HzCompareClass) expr->class;
	uint8_t *mask = lane->values;
	/* a dictionary remembers its entries: only the new ones may be written */
	bool whole = rows->at == NULL;
	uint8_t *found = whole ? mask : hz_bump_alloc(&eval->batch, in->count);

	if (set->bits != NULL)
		in_bits(set, in, rows, found);
	else if (set->table != NULL)
		in_table(set, class, in, rows, found);
	else
		one_by_one(eval, set, class, in, rows, found);
	if (whole && !set->has_null)
	{
		for (uint32_t i = 0; i < rows->count; i++)
			mask[i] ^= (uint8_t) expr->op;
		return true;
	}
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		bool is_in = found[row];

		if (!is_in && set->has_null)
			hz_lane_null(lane, row);
		mask[row] = is_in != (expr->op == 1);
	}
	return true;
}

static void
constant_bool(const HzEval *eval, bool value, HzVector *out)
{
	static const uint8_t both[2] = {0, 1};

	memset(out, 0, sizeof(HzVector));
	out->kind = HZ_KIND_BOOL;
	out->form = HZ_FORM_CONSTANT;
	out->width = 1;
	out->count = eval->rows;
	out->values = &both[value];
}

bool
hz_vexpr_in_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	const HzVexprSet *set = expr->set;
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	if (set->is_null)
		hz_null_vector(eval, expr, out);
	else if (set->count == 0 && !set->has_null)
		/* of nothing, even null is not a member */
		constant_bool(eval, expr->op == 1, out);
	else
		return hz_eval_map(eval, expr, in_kernel, &in, rows, out);
	return true;
}
