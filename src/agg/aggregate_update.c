/*
 * agg/aggregate_update.c
 *	  How a batch changes the states. See aggregate.h.
 *
 * Nulls are left out first, then the values stand one behind the other, then one loop adds them to their groups. Without
 * keys all rows belong to one group, and sums stay in registers.
 */
#include <math.h>
#include <string.h>

#include "agg/aggregate.h"
#include "agg/gather.h"
#include "agg/wide.h"
#include "base/bitmap.h"
#include "encoding/clones.h"
#include "format/numeric.h"

/* What an update works on: the rows whose argument is not null. */
typedef struct Update
{
	HzAggregator *aggregator;
	const HzAggregate *aggregate;
	int index;
	const HzVector *argument;
	const uint16_t *at; /* NULL: rows 0 .. count */
	uint32_t count;
	HzGroupRow *single; /* NULL: aggregator->groups says */
} Update;

static inline void *
state_at(const Update *update, uint32_t i)
{
	HzGroupRow *row = update->single;

	if (row == NULL)
		row = update->aggregator->groups[update->at != NULL ? update->at[i] : i];
	return (uint8_t *) row + update->aggregate->offset;
}

/* Rows of which it is known how many each group has; false: they are others. */
static bool
count_classes(const Update *update)
{
	const HzGroupClasses *classes = &update->aggregator->table.codes->classes;

	if (classes->count == 0 || update->at != classes->at || update->count != classes->row_count)
		return false;
	for (uint32_t c = classes->first; c < classes->count; c++)
	{
		if (classes->rows[c] > 0)
			*(int64_t *) ((uint8_t *) classes->groups[c] + update->aggregate->offset) +=
				classes->rows[c];
	}
	return true;
}

static void
update_count(const Update *update)
{
	if (update->single != NULL)
	{
		*(int64_t *) state_at(update, 0) += update->count;
		return;
	}
	for (uint32_t i = 0; i < update->count; i++)
		*(int64_t *) state_at(update, i) += 1;
}

static HZ_CLONES int64_t
sum_of(const int64_t *values, uint32_t count)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += values[i];
	return sum;
}

static void
update_sum_int(const Update *update)
{
	int64_t room[HZ_VECTOR_ROWS];
	const int64_t *values = hz_gather_integers(update->argument, update->at, update->count, room);

	if (update->single != NULL)
	{
		HzSumInt *state = state_at(update, 0);

		state->sum += sum_of(values, update->count);
		state->count += update->count;
		return;
	}
	for (uint32_t i = 0; i < update->count; i++)
	{
		HzSumInt *state = state_at(update, i);

		state->sum += values[i];
		state->count++;
	}
}

/* The same of any: low halves and high ones each have room. */
static HZ_CLONES HzInt128
wide_sum_of(const int64_t *values, uint32_t count)
{
	int64_t low = 0;
	int64_t high = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		low += values[i] & INT64_C(0xffffffff);
		high += (values[i] - (values[i] & INT64_C(0xffffffff))) / (INT64_C(1) << 32);
	}
	return ((HzInt128) high * (INT64_C(1) << 32)) + low;
}

/* int8: sums of a vector fit 128 bits, and so do those of more rows than there can be. */
static void
update_sum_int8(const Update *update)
{
	int64_t room[HZ_VECTOR_ROWS];
	const int64_t *values = hz_gather_integers(update->argument, update->at, update->count, room);

	if (update->single != NULL)
	{
		HzSumWide *state = state_at(update, 0);

		state->sum += wide_sum_of(values, update->count);
		state->count += update->count;
		return;
	}
	for (uint32_t i = 0; i < update->count; i++)
	{
		HzSumWide *state = state_at(update, i);

		state->sum += values[i];
		state->count++;
	}
}

/* The numeric of row i; false: not one that fits. */
static bool
numeric_at(const HzVector *vector, uint32_t row, HzInt128 *value, uint16_t *scale)
{
	uint32_t slot = hz_gather_slot(vector, row);

	*scale = vector->scale;
	if (vector->numeric == HZ_NUMERIC_INT64)
		*value = ((const int64_t *) vector->values)[slot];
	else if (vector->numeric == HZ_NUMERIC_INT128)
		memcpy(value, (const HzInt128 *) vector->values + slot, sizeof(HzInt128));
	else
	{
		const HzString *payload = (const HzString *) vector->values + slot;

		return hz_numeric_from_payload(payload->data, payload->length, value, scale);
	}
	return true;
}

static HzAggStatus
update_sum_numeric(const Update *update)
{
	const HzVector *vector = update->argument;
	bool small = vector->numeric == HZ_NUMERIC_INT64;

	if (small && update->single != NULL && vector->form == HZ_FORM_FLAT)
	{
		int64_t room[HZ_VECTOR_ROWS];
		const int64_t *values = hz_gather_integers(vector, update->at, update->count, room);

		return hz_sum_wide_add(state_at(update, 0), wide_sum_of(values, update->count),
							   vector->scale, update->count)
				   ? HZ_AGG_OK
				   : HZ_AGG_WIDE;
	}
	for (uint32_t i = 0; i < update->count; i++)
	{
		HzSumWide *state = state_at(update, i);
		HzInt128 value;
		uint16_t scale;

		if (!numeric_at(vector, update->at != NULL ? update->at[i] : i, &value, &scale))
			return HZ_AGG_WIDE;
		/* sums of 64-bit numbers of one scale cannot overflow before 2^62 of them */
		if (small && scale == state->scale &&
			(HzInt128) (int64_t) (state->sum >> 32) == state->sum >> 32)
		{
			state->sum += value;
			state->count++;
		}
		else if (!hz_sum_wide_add(state, value, scale, 1))
			return HZ_AGG_WIDE;
	}
	return HZ_AGG_OK;
}

static HzAggStatus
update_sum_float(const Update *update)
{
	double room[HZ_VECTOR_ROWS];
	const double *values = hz_gather_reals(update->argument, update->at, update->count, room);

	for (uint32_t i = 0; i < update->count; i++)
	{
		HzSumFloat *state = state_at(update, i);

		/* a sum of -0 alone is -0 */
		state->sum = state->count == 0 ? values[i] : state->sum + values[i];
		state->count++;
		if (isinf(values[i]))
			state->infinite = 1;
	}
	return HZ_AGG_OK;
}

/* As float8_accum() does it. */
static HzAggStatus
add_to_stats(HzStats *state, double value)
{
	double before = state->n;
	double sx_before = state->sx;

	state->n += 1.0;
	state->sx += value;
	if (before > 0.0)
	{
		double distance = value * state->n - state->sx;

		state->sxx += distance * distance / (state->n * before);
		if (isinf(state->sx) || isinf(state->sxx))
		{
			if (!isinf(sx_before) && !isinf(value))
				return HZ_AGG_FLOAT_OVERFLOW;
			state->sxx = NAN;
		}
	}
	else if (isnan(value) || isinf(value))
		state->sxx = NAN;
	return HZ_AGG_OK;
}

static HzAggStatus
update_stats(const Update *update)
{
	double room[HZ_VECTOR_ROWS];
	const double *values = hz_gather_reals(update->argument, update->at, update->count, room);
	HzAggStatus status = HZ_AGG_OK;

	for (uint32_t i = 0; i < update->count && status == HZ_AGG_OK; i++)
		status = add_to_stats(state_at(update, i), values[i]);
	return status;
}

static void
update_bools(const Update *update)
{
	int64_t room[HZ_VECTOR_ROWS];
	const int64_t *values = hz_gather_integers(update->argument, update->at, update->count, room);

	for (uint32_t i = 0; i < update->count; i++)
	{
		HzBools *state = state_at(update, i);

		state->trues += values[i] != 0;
		state->falses += values[i] == 0;
	}
}

/* ---- Least and greatest */

static HZ_CLONES int64_t
least_of(const int64_t *values, uint32_t count)
{
	int64_t least = values[0];

	for (uint32_t i = 1; i < count; i++)
		least = values[i] < least ? values[i] : least;
	return least;
}

static HZ_CLONES int64_t
greatest_of(const int64_t *values, uint32_t count)
{
	int64_t greatest = values[0];

	for (uint32_t i = 1; i < count; i++)
		greatest = values[i] > greatest ? values[i] : greatest;
	return greatest;
}

static void
update_extreme_int(const Update *update, bool least)
{
	int64_t room[HZ_VECTOR_ROWS];
	const int64_t *values = hz_gather_integers(update->argument, update->at, update->count, room);
	uint32_t count = update->count;

	if (update->single != NULL)
	{
		room[0] = least ? least_of(values, count) : greatest_of(values, count);
		values = room;
		count = 1;
	}
	for (uint32_t i = 0; i < count; i++)
	{
		HzExtreme *state = state_at(update, i);

		if (state->seen == 0 ||
			(least ? values[i] < state->value.integer : values[i] > state->value.integer))
			state->value.integer = values[i];
		state->seen = 1;
	}
}

static bool
keep_string(const Update *update, HzExtreme *state, const HzString *string)
{
	if (string->length > state->room || state->room == 0)
	{
		uint64_t room = string->length + string->length / 2 + 16;
		uint8_t *bytes = hz_region_alloc(&update->aggregator->region, room);

		if (bytes == NULL)
			return false;
		state->value.string.data = bytes;
		state->room = room;
	}
	memcpy((uint8_t *) state->value.string.data, string->data, string->length);
	state->value.string.length = string->length;
	return true;
}

static HzAggStatus
update_extreme_slots(const Update *update)
{
	HzKeyColumn *column = update->aggregator->values;

	if (!hz_key_fill(update->argument, update->at, update->count, column))
		return HZ_AGG_WIDE;
	for (uint32_t i = 0; i < update->count; i++)
	{
		HzExtreme *state = state_at(update, i);
		HzKeySlot *slot = &column->slots[i];

		if (state->seen != 0 && !hz_extreme_better(update->aggregate, slot, &state->value))
			continue;
		if (column->kind == HZ_KEY_STRING)
		{
			if (!keep_string(update, state, &slot->string))
				return HZ_AGG_MEMORY;
		}
		else if (column->kind == HZ_KEY_NUMERIC)
		{
			/* 20 bytes, of which two stand behind the string */
			HzString kept = {.data = slot->string.data, .length = slot->string.length + 2};

			if (!keep_string(update, state, &kept))
				return HZ_AGG_MEMORY;
			state->value.string.length = slot->string.length;
		}
		else
			state->value = *slot;
		state->seen = 1;
	}
	return HZ_AGG_OK;
}

static HzAggStatus
update_extreme(const Update *update)
{
	HzKind kind = update->argument->kind;

	if (kind >= HZ_KIND_BOOL && kind <= HZ_KIND_INT64)
	{
		update_extreme_int(update, update->aggregate->kind == HZ_AGG_MIN);
		return HZ_AGG_OK;
	}
	return update_extreme_slots(update);
}

/* ---- Distinct values, all values */

/* Leaves out rows that repeat the code and the group of the row before: rows are sorted, runs are long. */
static void
skip_runs(Update *update, uint16_t *room)
{
	const uint16_t *codes = update->argument->codes;
	HzGroupRow *const *groups = update->aggregator->groups;
	uint32_t kept = 0;
	uint32_t last = UINT32_MAX;

	for (uint32_t i = 0; i < update->count; i++)
	{
		uint32_t row = update->at != NULL ? update->at[i] : i;
		bool same = last != UINT32_MAX && codes[row] == codes[last] && groups[row] == groups[last];

		room[kept] = (uint16_t) row;
		kept += !same;
		last = row;
	}
	update->at = room;
	update->count = kept;
}

static HzAggStatus
update_distinct(Update *update)
{
	HzAggregator *aggregator = update->aggregator;
	HzKeyColumn *column = aggregator->values;
	uint16_t room[HZ_VECTOR_ROWS];

	if (update->argument->form == HZ_FORM_DICT && update->single != NULL)
	{
		if (!hz_distinctset_new_codes(&aggregator->sets[update->index], update->argument,
									  update->at, update->count, room, &update->count))
			return HZ_AGG_MEMORY;
		if (update->count == 0)
			return HZ_AGG_OK;
		update->at = room;
	}
	else if (update->argument->form == HZ_FORM_DICT)
		skip_runs(update, room);
	else if (update->argument->form == HZ_FORM_CONSTANT && update->single != NULL)
	{
		room[0] = update->at != NULL ? update->at[0] : 0;
		update->at = room;
		update->count = 1;
	}
	if (!hz_key_fill(update->argument, update->at, update->count, column))
		return HZ_AGG_WIDE;
	column->has_nulls = false;
	if (column->kind == HZ_KEY_STRING || column->kind == HZ_KEY_NUMERIC)
	{
		memset(aggregator->hashes, 0, sizeof(uint64_t) * update->count);
		hz_key_hash(column, update->count, aggregator->hashes);
	}
	if (!hz_distinctset_add(&aggregator->sets[update->index], column, aggregator->hashes,
							update->at, update->count,
							update->single != NULL ? NULL : aggregator->groups, update->single,
							update->aggregate->offset))
		return HZ_AGG_MEMORY;
	return HZ_AGG_OK;
}

static bool
collect(const Update *update, HzCollected *state, int64_t value)
{
	if (state->count == state->room)
	{
		int64_t room = state->room == 0 ? 8 : state->room * 2;
		int64_t *values =
			hz_region_alloc(&update->aggregator->region, sizeof(int64_t) * (size_t) room);

		if (values == NULL)
			return false;
		if (state->count > 0)
			memcpy(values, state->values, sizeof(int64_t) * (size_t) state->count);
		state->values = values;
		state->room = room;
	}
	state->values[state->count++] = value;
	return true;
}

static HzAggStatus
update_collected(const Update *update)
{
	int64_t room[HZ_VECTOR_ROWS];
	double reals[HZ_VECTOR_ROWS];
	HzKind kind = update->argument->kind;
	const int64_t *values;

	if (kind == HZ_KIND_FLOAT32 || kind == HZ_KIND_FLOAT64)
	{
		memcpy(room, hz_gather_reals(update->argument, update->at, update->count, reals),
			   sizeof(double) * update->count);
		values = room;
	}
	else
		values = hz_gather_integers(update->argument, update->at, update->count, room);
	for (uint32_t i = 0; i < update->count; i++)
	{
		if (!collect(update, state_at(update, i), values[i]))
			return HZ_AGG_MEMORY;
	}
	return HZ_AGG_OK;
}

HzAggStatus
hz_aggregator_update(HzAggregator *aggregator, int index, const HzVector *argument,
					 const uint16_t *at, uint32_t count)
{
	uint16_t room[HZ_VECTOR_ROWS];
	const HzAggregate *aggregate = &aggregator->aggregates[index];
	Update update = {.aggregator = aggregator,
					 .aggregate = aggregate,
					 .index = index,
					 .argument = argument,
					 .at = at,
					 .count = count};

	if (argument != NULL)
		update.count = hz_gather_rows(argument, at, count, room, &update.at);
	if (update.count == 0)
		return HZ_AGG_OK;
	if (aggregator->layout->key_count == 0)
		update.single = hz_grouptable_single(&aggregator->table);
	else if (aggregate->kind == HZ_AGG_COUNT && count_classes(&update))
		return HZ_AGG_OK;
	else
		hz_grouptable_spread(&aggregator->table, aggregator->groups);
	switch (aggregate->kind)
	{
		case HZ_AGG_COUNT:
			update_count(&update);
			break;
		case HZ_AGG_SUM_INT:
			update_sum_int(&update);
			break;
		case HZ_AGG_SUM_WIDE:
			if (argument->kind == HZ_KIND_NUMERIC)
				return update_sum_numeric(&update);
			update_sum_int8(&update);
			break;
		case HZ_AGG_SUM_FLOAT:
			return update_sum_float(&update);
		case HZ_AGG_STATS:
			return update_stats(&update);
		case HZ_AGG_MIN:
		case HZ_AGG_MAX:
			return update_extreme(&update);
		case HZ_AGG_BOOL:
			update_bools(&update);
			break;
		case HZ_AGG_DISTINCT:
			return update_distinct(&update);
		case HZ_AGG_COLLECT:
			return update_collected(&update);
	}
	return HZ_AGG_OK;
}
