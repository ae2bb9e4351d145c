/*
 * expr/vexpr_entries.c
 *	  Dictionaries that nobody has written: of integers (and scaled ones) within a small range, and of the combinations of several dictionaries'
 *	  entries. What costs much more than a kernel, a call of the executor, is computed once per entry then.
 *
 * Results are remembered by a dictionary's address (vexpr_map.c), so these live as long as a row group, and there are not too many.
 */
#include "expr/vexpr_node.h"

#define MAX_COMBINATIONS 65536 /* codes */
#define MAX_ENTRIES 262144     /* of a row group, made here: 16 bytes of results each and more */
#define MAX_KEPT (UINT64_C(8) << 20) /* bytes of results */
#define MAX_RANGE 4096
#define RANGE_MARGIN 16
#define FEW_FROM 64 /* rows: below, codes are not worth it */

bool
hz_eval_may_keep(const HzEval *eval)
{
	return eval->kept < MAX_KEPT;
}

/* ---- ranges of integers */

static int64_t
integer_at(const HzVector *vector, uint32_t row)
{
	switch (vector->width)
	{
		case 2:
			return ((const int16_t *) vector->values)[row];
		case 4:
			return ((const int32_t *) vector->values)[row];
		default:
			return ((const int64_t *) vector->values)[row];
	}
}

static bool
is_integer(const HzVector *vector)
{
	return vector->kind == HZ_KIND_INT16 || vector->kind == HZ_KIND_INT32 ||
		   vector->kind == HZ_KIND_INT64 ||
		   (vector->kind == HZ_KIND_NUMERIC && vector->numeric == HZ_NUMERIC_INT64);
}

/* The least and the greatest of the selected values; false: they are too far apart, or there is none. */
static bool
find_range(const HzVector *vector, const HzRows *rows, int64_t *min, int64_t *max)
{
	int64_t low = INT64_MAX;
	int64_t high = INT64_MIN;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t value = integer_at(vector, row);

		if (!hz_vector_valid(vector, row))
			continue;
		low = value < low ? value : low;
		high = value > high ? value : high;
		if ((uint64_t) high - (uint64_t) low >= MAX_RANGE - 2 * RANGE_MARGIN)
			return false;
	}
	*min = low;
	*max = high;
	return low <= high;
}

static void
fill_range(HzRange *range, uint32_t width)
{
	for (uint32_t i = 0; i < range->count; i++)
	{
		int64_t value = range->min + i;

		if (width == 2)
			((int16_t *) range->values)[i] = (int16_t) value;
		else if (width == 4)
			((int32_t *) range->values)[i] = (int32_t) value;
		else
			((int64_t *) range->values)[i] = value;
	}
}

/* A new dictionary that has the range, that of `old` (NULL: none) if there is room, and some more on both sides; NULL: no more. */
static HzRange *
make_range(HzEval *eval, const HzVexpr *expr, const HzVector *vector, const HzRange *old,
		   int64_t min, int64_t max)
{
	const uint32_t width = vector->width;
	const int64_t least = width == 2 ? INT16_MIN : width == 4 ? INT32_MIN : INT64_MIN;
	const int64_t greatest = width == 2 ? INT16_MAX : width == 4 ? INT32_MAX : INT64_MAX;
	HzRange *range;

	if (old != NULL)
	{
		int64_t low = min < old->min ? min : old->min;
		int64_t high = old->min + (int64_t) (old->count - 1);

		high = max > high ? max : high;
		if ((uint64_t) high - (uint64_t) low < MAX_RANGE - 2 * RANGE_MARGIN)
		{
			min = low;
			max = high;
		}
	}
	min = (uint64_t) min - (uint64_t) least >= RANGE_MARGIN ? min - RANGE_MARGIN : least;
	max = (uint64_t) greatest - (uint64_t) max >= RANGE_MARGIN ? max + RANGE_MARGIN : greatest;
	range = hz_bump_alloc(&eval->group, sizeof(HzRange));
	range->expr = expr;
	range->min = min;
	range->scale = vector->scale;
	range->count = (uint32_t) ((uint64_t) max - (uint64_t) min) + 1;
	if (eval->entries + range->count > MAX_ENTRIES)
		return NULL;
	eval->entries += range->count;
	range->values = hz_bump_alloc(&eval->group, (size_t) width * range->count);
	fill_range(range, width);
	range->next = eval->ranges;
	eval->ranges = range;
	return range;
}

static HzRange *
find_range_of(HzEval *eval, const HzVexpr *expr, uint16_t scale)
{
	HzRange *range = eval->ranges;

	while (range != NULL && (range->expr != expr || range->scale != scale))
		range = range->next;
	return range;
}

void
hz_vector_number(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *vector)
{
	HzRange *range;
	int64_t min;
	int64_t max;
	uint16_t *codes;

	if (vector->form != HZ_FORM_FLAT || !is_integer(vector) || rows->count < FEW_FROM ||
		!hz_eval_may_keep(eval) || !find_range(vector, rows, &min, &max))
		return;
	range = find_range_of(eval, expr, vector->scale);
	if (range == NULL || min < range->min || max > range->min + (int64_t) (range->count - 1))
		range = make_range(eval, expr, vector, range, min, max);
	if (range == NULL)
		return;
	codes = hz_bump_zero(&eval->batch, sizeof(uint16_t) * eval->rows);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (hz_vector_valid(vector, row))
			codes[row] = (uint16_t) (integer_at(vector, row) - range->min);
	}
	vector->form = HZ_FORM_DICT;
	vector->codes = codes;
	vector->dict_count = range->count;
	vector->values = range->values;
}

/* ---- combinations of dictionaries */

/* Entries of a vector, and one for null, which a later batch may have. */
static uint32_t
entries_of(const HzVector *vector)
{
	return (vector->form == HZ_FORM_DICT ? vector->dict_count : 1) + 1;
}

static bool
same_dictionaries(const HzCombination *combination, const HzVexpr *expr, uint32_t total,
				  const HzVector *vectors, int count)
{
	if (combination->expr != expr || combination->count != total)
		return false;
	for (int v = 0; v < count; v++)
	{
		if (combination->dictionaries[v].values != vectors[v].values ||
			combination->dictionaries[v].count != vectors[v].dict_count)
			return false;
	}
	return true;
}

/* NULL: too many for a row group. What constants are is not known by their address, so they are combined anew for each batch. */
static const HzCombination *
find_combination(HzEval *eval, const HzVexpr *expr, uint32_t total, const HzVector *vectors,
				 int count, bool stable)
{
	HzCombination *combination = stable ? eval->combinations : NULL;

	while (combination != NULL && !same_dictionaries(combination, expr, total, vectors, count))
		combination = combination->next;
	if (combination != NULL)
		return combination;
	if (eval->entries + total > MAX_ENTRIES)
		return NULL;
	eval->entries += total;
	combination =
		hz_bump_alloc(&eval->group, sizeof(HzCombination) + sizeof(HzDictionary) * (size_t) count);
	combination->expr = stable ? expr : NULL;
	combination->count = total;
	for (int v = 0; v < count; v++)
		combination->dictionaries[v] = (HzDictionary){vectors[v].values, vectors[v].dict_count};
	combination->next = eval->combinations;
	eval->combinations = combination;
	return combination;
}

static void
add_codes(const HzVector *vector, const HzRows *rows, uint32_t stride, uint16_t *codes)
{
	uint32_t null = entries_of(vector) - 1;

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		uint32_t entry = hz_vector_valid(vector, row) ? hz_vector_slot(vector, row) : null;

		codes[row] = (uint16_t) (codes[row] + entry * stride);
	}
}

bool
hz_eval_combine(HzEval *eval, const HzVexpr *expr, const HzVector *vectors, int count,
				const HzRows *rows, HzVector *out)
{
	const HzCombination *combination;
	uint64_t total = 1;
	uint32_t stride = 1;
	bool stable = true;
	uint16_t *codes;

	if (!hz_eval_may_keep(eval))
		return false;
	for (int v = 0; v < count; v++)
	{
		total *= entries_of(&vectors[v]);
		stable = stable && vectors[v].form == HZ_FORM_DICT;
		if (vectors[v].form == HZ_FORM_FLAT || total > MAX_COMBINATIONS)
			return false;
	}
	combination = find_combination(eval, expr, (uint32_t) total, vectors, count, stable);
	if (combination == NULL)
		return false;
	eval->combined = vectors;
	codes = hz_bump_zero(&eval->batch, sizeof(uint16_t) * eval->rows);
	for (int v = 0; v < count; v++)
	{
		add_codes(&vectors[v], rows, stride, codes);
		stride *= entries_of(&vectors[v]);
	}
	*out = (HzVector){.kind = HZ_KIND_INT64,
					  .form = HZ_FORM_DICT,
					  .count = eval->rows,
					  .dict_count = (uint32_t) total,
					  .codes = codes,
					  .values = combination};
	return true;
}

bool
hz_combination_next(const HzVector *vector, uint32_t *number, uint32_t *entry)
{
	uint32_t entries = entries_of(vector);

	*entry = *number % entries;
	*number /= entries;
	return *entry != entries - 1;
}
