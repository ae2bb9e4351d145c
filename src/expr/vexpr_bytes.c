/*
 * expr/vexpr_bytes.c
 *	  Comparisons of strings of bytes: text under a C-like order, or of equality only; bytea; uuid.
 */
#include "base/bytes.h"
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

int
hz_bytes_compare(HzString a, HzString b)
{
	return hz_bytes_order(a.data, a.length, b.data, b.length);
}

/* What bpchar compares: trailing blanks do not count. */
HzString
hz_bytes_trim(HzString s)
{
	while (s.length > 0 && s.data[s.length - 1] == ' ')
		s.length--;
	return s;
}

static inline bool
equal(HzString a, HzString b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool
holds(int order, HzCompareOp op)
{
	switch (op)
	{
		case HZ_EQ:
			return order == 0;
		case HZ_NE:
			return order != 0;
		case HZ_LT:
			return order < 0;
		case HZ_LE:
			return order <= 0;
		case HZ_GT:
			return order > 0;
		default:
			return order >= 0;
	}
}

/* The slots of nulls are empty strings, so all rows can be looked at. */
void
hz_bytes_constant(const HzString *in, bool trim, HzCompareOp op, HzString constant,
				  const HzRows *rows, uint8_t *mask)
{
	if (trim)
		constant = hz_bytes_trim(constant);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		HzString s = trim ? hz_bytes_trim(in[row]) : in[row];

		if (op == HZ_EQ || op == HZ_NE)
			mask[row] = equal(s, constant) == (op == HZ_EQ);
		else
			mask[row] = holds(hz_bytes_compare(s, constant), op);
	}
}

static void
fixed16_equal(const uint8_t *in, bool want, const uint8_t *constant, const HzRows *rows,
			  uint8_t *mask)
{
	uint64_t right[2];

	memcpy(right, constant, sizeof(right));
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		uint64_t left[2];

		memcpy(left, in + (size_t) row * 16, sizeof(left));
		mask[row] = (((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0) == want;
	}
}

void
hz_fixed_constant(const uint8_t *in, uint32_t width, HzCompareOp op, const uint8_t *constant,
				  const HzRows *rows, uint8_t *mask)
{
	if (width == 16 && (op == HZ_EQ || op == HZ_NE))
	{
		fixed16_equal(in, op == HZ_EQ, constant, rows, mask);
		return;
	}
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		mask[row] = holds(memcmp(in + (size_t) row * width, constant, width), op);
	}
}
