/*
 * encoding/bitpack_tmpl.h
 *	  The loops of bitpack.c for one size of lane word and one size of slot.
 *
 * Define LANE_BITS (16, 32, 64) and SLOT_BITS (8, 16, 32, 64), then include. Makes unpack_<lane>_<slot>().
 */
#define HZ_PASTE4(a, b, c, d) a##b##c##d
#define HZ_NAME2(stem, a, b) HZ_PASTE4(stem, a, _, b)
#define HZ_PASTE3(a, b, c) a##b##c
#define HZ_UINT(n) HZ_PASTE3(uint, n, _t)
#define HZ_LOOSE(n) HZ_PASTE3(HzLoose, n, )

static HZ_CLONES void
HZ_NAME2(unpack_, LANE_BITS, SLOT_BITS)(const HZ_LOOSE(LANE_BITS) * source, uint32_t lanes,
										uint32_t bits, uint32_t wanted, HZ_UINT(SLOT_BITS) base,
										HZ_UINT(SLOT_BITS) *restrict target)
{
	const HZ_UINT(LANE_BITS) mask = (HZ_UINT(LANE_BITS)) hz_bitpack_mask(bits);

	for (uint32_t at = 0, bit = 0; at < wanted; at += lanes, bit += bits)
	{
		const HZ_LOOSE(LANE_BITS) *low = source + (size_t) (bit / LANE_BITS) * lanes;
		const HZ_LOOSE(LANE_BITS) *high = low + lanes;
		const uint32_t shift = bit % LANE_BITS;
		const uint32_t row = wanted - at < lanes ? wanted - at : lanes;
		HZ_UINT(SLOT_BITS) *restrict slots = target + at;

		if (shift + bits <= LANE_BITS)
			for (uint32_t l = 0; l < row; l++)
				slots[l] = (HZ_UINT(SLOT_BITS))(base + ((low[l] >> shift) & mask));
		else
			for (uint32_t l = 0; l < row; l++)
			{
				HZ_UINT(LANE_BITS)
				both = (HZ_UINT(LANE_BITS))((low[l] >> shift) | (high[l] << (LANE_BITS - shift)));

				slots[l] = (HZ_UINT(SLOT_BITS))(base + (both & mask));
			}
	}
}

#undef HZ_PASTE4
#undef HZ_NAME2
#undef HZ_PASTE3
#undef HZ_UINT
#undef HZ_LOOSE
#undef LANE_BITS
#undef SLOT_BITS
