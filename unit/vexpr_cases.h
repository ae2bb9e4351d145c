/*
 * unit/vexpr_cases.h
 *	  Columns, nodes and selections for tests of expressions over vectors. Nodes are put together by hand.
 */
#ifndef HZ_VEXPR_CASES_H
#define HZ_VEXPR_CASES_H

#include "base/memory.h"
#include "expr/vexpr_node.h"
#include "unit/unit.h"

#define ENTRIES 37 /* of dictionaries */

/* ---- columns */

typedef struct Column
{
	HzVector vector;
	uint64_t validity[HZ_BATCH_WORDS];
	uint16_t codes[HZ_VECTOR_ROWS];
	uint8_t *values; /* a block of its own, as long as the form needs */
} Column;

static Column columns[2];

static inline const HzVector *
get_column(void *arg, int column)
{
	(void) arg;
	return &columns[column].vector;
}

/* Gives a column `slots` random slots by `make`. */
static inline void
fill_column(Column *c, HzKind kind, uint32_t width, HzForm form, bool nulls, uint32_t rows,
			void (*make)(uint8_t *slot, uint32_t width))
{
	uint32_t slots = form == HZ_FORM_FLAT ? rows : form == HZ_FORM_DICT ? ENTRIES : 1;

	free(c->values);
	c->values = calloc(slots + 1, width);
	for (uint32_t i = 0; i < slots; i++)
		make(c->values + (size_t) i * width, width);
	memset(&c->vector, 0, sizeof(c->vector));
	c->vector.kind = kind;
	c->vector.form = form;
	c->vector.width = width;
	c->vector.count = rows;
	c->vector.values = c->values;
	c->vector.dict_count = form == HZ_FORM_DICT ? ENTRIES : 0;
	c->vector.codes = c->codes;
	c->vector.validity = nulls ? c->validity : NULL;
	memset(c->validity, 0xFF, sizeof(c->validity));
	for (uint32_t i = 0; i < rows; i++)
	{
		c->codes[i] = (uint16_t) (unit_random() % ENTRIES);
		if (!nulls || unit_random() % 4 != 0)
			continue;
		hz_bitmap_clear(c->validity, i);
		c->codes[i] = 0;
		if (form == HZ_FORM_FLAT)
			memset(c->values + (size_t) i * width, 0, width);
	}
}

static inline const void *
slot_at(const HzVector *v, uint32_t row)
{
	return (const uint8_t *) v->values + (size_t) hz_vector_slot(v, row) * v->width;
}

/* ---- nodes */

static HzVexpr column_nodes[2];
static HzVexpr constant_node;
static HzVexpr node;
static HzVexpr *node_args[4];

static inline void
reset_nodes(HzKind kind, uint32_t width, HzVexprValue value, HzKind result, uint32_t result_width)
{
	for (int i = 0; i < 2; i++)
		column_nodes[i] =
			(HzVexpr){.value = hz_vexpr_column_value, .kind = kind, .width = width, .column = i};
	node = (HzVexpr){.value = value, .kind = result, .width = result_width, .args = node_args};
	node_args[0] = &column_nodes[0];
	node_args[1] = &column_nodes[1];
	node.count = 2;
}

static inline void
use_constant(HzKind kind, uint32_t width, const void *value)
{
	constant_node = (HzVexpr){
		.value = hz_vexpr_constant_value, .kind = kind, .width = width, .is_constant = true};
	constant_node.constant = (HzVector){.kind = kind, .form = HZ_FORM_CONSTANT, .width = width};
	constant_node.constant.values = value;
	node_args[1] = &constant_node;
}

/* ---- selections */

static uint16_t positions[HZ_VECTOR_ROWS];

static inline HzRows
some_rows(uint32_t rows, uint32_t one_in)
{
	HzRows selected = {.count = rows};

	if (one_in == 1)
		return selected;
	selected.count = 0;
	for (uint32_t i = 0; i < rows; i++)
		if (unit_random() % one_in == 0)
			positions[selected.count++] = (uint16_t) i;
	selected.at = positions;
	return selected;
}

static inline int64_t
int_slot(const HzVector *v, uint32_t row)
{
	const void *slot = slot_at(v, row);

	return v->width == 2   ? *(const int16_t *) slot
		   : v->width == 4 ? *(const int32_t *) slot
						   : *(const int64_t *) slot;
}

#endif /* HZ_VEXPR_CASES_H */
