/*
 * encoding/int_write.c
 *	  The bytes of a planned leaf.
 */
#include "encoding/clones.h"
#include "encoding/int_plan.h"

static HZ_CLONES void
add(uint64_t *offsets, uint32_t count, uint64_t addend)
{
	for (uint32_t i = 0; i < count; i++)
		offsets[i] += addend;
}

/*
 * A decoder to a narrow width may skip checking values when all that the bits can say fits. So where
 * minimum + mask would leave the smallest type that holds the values, start lower: there is always room.
 */
static void
lower_base(uint32_t count, HzIntPlan *plan)
{
	uint64_t mask = hz_bitpack_mask(plan->bits);
	uint64_t top = hz_bitpack_mask(8 * plan->slot - 1);

	if (plan->slot == 8 || plan->divisor > 1 || top - plan->base >= mask)
		return;
	add(plan->offsets, count, plan->base - (top - mask));
	plan->base = top - mask;
}

static void
write_packed(const uint64_t *values, uint32_t count, uint32_t bits, HzBytes *out)
{
	size_t size = hz_bitpack_size(count, bits);

	hz_bitpack(values, count, bits, hz_bytes_reserve(out, size));
	out->length += size;
}

static void
write_exceptions(uint32_t count, const HzIntPlan *plan, HzBytes *out)
{
	uint64_t positions[HZ_VECTOR_ROWS + 1];
	uint64_t highs[HZ_VECTOR_ROWS + 1];
	uint32_t found = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		uint64_t high = plan->offsets[i] >> plan->bits; /* bits < 64: there are high bits */

		positions[found] = i;
		highs[found] = high;
		found += high != 0;
	}
	write_packed(positions, found, hz_int_position_bits(count), out);
	write_packed(highs, found, plan->high_bits, out);
}

/* Values in two's complement of `slot` bytes each. */
static void
write_slots(const int64_t *values, uint32_t count, uint32_t slot, HzBytes *out)
{
	uint8_t *at = hz_bytes_reserve(out, (size_t) slot * count);

	switch (slot)
	{
		case 1:
			for (uint32_t i = 0; i < count; i++)
				at[i] = (uint8_t) values[i];
			break;
		case 2:
			for (uint32_t i = 0; i < count; i++)
				((HzLoose16 *) at)[i] = (uint16_t) values[i];
			break;
		case 4:
			for (uint32_t i = 0; i < count; i++)
				((HzLoose32 *) at)[i] = (uint32_t) values[i];
			break;
		default:
			memcpy(at, values, (size_t) 8 * count);
			break;
	}
	out->length += (size_t) slot * count;
}

void
hz_int_plan_write(const int64_t *values, uint32_t count, HzIntPlan *plan, HzBytes *out)
{
	hz_bytes_put8(out, (uint8_t) plan->encoding);
	if (plan->encoding == HZ_ENCODING_CONSTANT)
		write_slots(values, 1, plan->slot, out);
	else if (plan->encoding == HZ_ENCODING_PLAIN)
	{
		hz_bytes_put8(out, (uint8_t) plan->slot);
		write_slots(values, count, plan->slot, out);
	}
	else
	{
		if (plan->encoding == HZ_ENCODING_FOR)
			lower_base(count, plan);
		hz_bytes_put8(out, (uint8_t) (plan->bits | (plan->divisor > 1 ? HZ_INT_DIVISOR : 0)));
		if (plan->encoding == HZ_ENCODING_PATCHED)
		{
			hz_bytes_put8(out, (uint8_t) plan->high_bits);
			hz_bytes_put16(out, (uint16_t) plan->exceptions);
		}
		hz_bytes_put64(out, plan->base);
		if (plan->divisor > 1)
			hz_bytes_put64(out, plan->divisor);
		write_packed(plan->offsets, count, plan->bits, out);
		if (plan->encoding == HZ_ENCODING_PATCHED)
			write_exceptions(count, plan, out);
	}
}
