/*
 * format/zone.c
 *	  Zone maps: computing, merging, and their bytes. See zone.h; the bytes are in README.md.
 */
#include "format/chunk_internal.h"
#include "format/varint.h"

/* Flags of the stored form. */
#define HAS_BOUNDS 0x01
#define MIN_CUT 0x02
#define MAX_CUT 0x04
#define ONE_VALUE 0x08 /* the greatest value is the least one and is not repeated */
#define ALL_FLAGS 0x0f

/* ---- floats: NaN is the greatest, the zeroes are equal ---- */

static int
compare_reals(double a, double b)
{
	if (a != a || b != b)
		return (a != a) - (b != b);
	return (a > b) - (a < b);
}

/* One form for what compares equal, so that a zone does not depend on the order of rows. */
static double
normal_real(double d)
{
	return d != d ? __builtin_nan("") : d == 0 ? 0 : d;
}

static void
float32_bounds(const float *values, uint32_t count, HzZone *zone)
{
	float min = __builtin_inff();
	float max = -__builtin_inff();
	uint32_t nans = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		min = values[i] < min ? values[i] : min;
		max = values[i] > max ? values[i] : max;
		nans += values[i] != values[i];
	}
	zone->min.real = normal_real(nans == count ? __builtin_nan("") : (double) min);
	zone->max.real = normal_real(nans > 0 ? __builtin_nan("") : (double) max);
}

static void
float64_bounds(const double *values, uint32_t count, HzZone *zone)
{
	double min = __builtin_inf();
	double max = -__builtin_inf();
	uint32_t nans = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		min = values[i] < min ? values[i] : min;
		max = values[i] > max ? values[i] : max;
		nans += values[i] != values[i];
	}
	zone->min.real = normal_real(nans == count ? __builtin_nan("") : min);
	zone->max.real = normal_real(nans > 0 ? __builtin_nan("") : max);
}

void
hz_zone_floats(const void *values, uint32_t width, uint32_t count, HzZone *zone)
{
	if (width == 4)
		float32_bounds(values, count, zone);
	else
		float64_bounds(values, count, zone);
	zone->has_bounds = true;
}

/* ---- integers ---- */

void
hz_zone_integers(const int64_t *values, uint32_t count, HzZone *zone)
{
	int64_t min = values[0];
	int64_t max = values[0];

	for (uint32_t i = 1; i < count; i++)
	{
		min = values[i] < min ? values[i] : min;
		max = values[i] > max ? values[i] : max;
	}
	zone->min.integer = min;
	zone->max.integer = max;
	zone->has_bounds = true;
}

void
hz_zone_decimals(const HzInt128 *values, uint32_t count, uint16_t scale, HzZone *zone)
{
	HzInt128 min = values[0];
	HzInt128 max = values[0];

	for (uint32_t i = 1; i < count; i++)
	{
		min = values[i] < min ? values[i] : min;
		max = values[i] > max ? values[i] : max;
	}
	zone->min.decimal = min;
	zone->max.decimal = max;
	zone->scale = scale;
	zone->has_bounds = true;
}

/* ---- byte strings ---- */

/*
 * What a zone keeps of a string, in a form that compares as integers: the prefix padded with zeroes, then
 * the length, where HZ_ZONE_PREFIX + 1 stands for all that are longer than the prefix.
 */
typedef struct PrefixKey
{
	uint64_t high;
	uint64_t low;
	uint32_t length;
} PrefixKey;

static inline uint64_t
load_big_endian(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

/* The up to 8 bytes at p as the high bytes of a word. */
static inline uint64_t
load_short(const uint8_t *p, uint64_t length)
{
	uint64_t v = 0;

	if (length >= 8)
		return load_big_endian(p);
	for (uint64_t i = 0; i < length; i++)
		v |= (uint64_t) p[i] << (56 - 8 * i);
	return v;
}

static inline PrefixKey
prefix_key(const uint8_t *data, uint64_t length)
{
	PrefixKey key;

	key.high = load_short(data, length);
	key.low = length > 8 ? load_short(data + 8, length - 8) : 0;
	key.length = (uint32_t) (length > HZ_ZONE_PREFIX ? HZ_ZONE_PREFIX + 1 : length);
	return key;
}

static inline bool
key_less(const PrefixKey *a, const PrefixKey *b)
{
	if (a->high != b->high)
		return a->high < b->high;
	if (a->low != b->low)
		return a->low < b->low;
	return a->length < b->length;
}

static void
store_key(const PrefixKey *key, HzZoneBound *bound, uint8_t *length, bool *cut)
{
	uint64_t words[2] = {__builtin_bswap64(key->high), __builtin_bswap64(key->low)};

	*cut = key->length > HZ_ZONE_PREFIX;
	*length = (uint8_t) (*cut ? HZ_ZONE_PREFIX : key->length);
	memcpy(bound->prefix, words, HZ_ZONE_PREFIX);
}

static void
store_keys(const PrefixKey *min, const PrefixKey *max, HzZone *zone)
{
	store_key(min, &zone->min, &zone->min_length, &zone->min_cut);
	store_key(max, &zone->max, &zone->max_length, &zone->max_cut);
	zone->has_bounds = true;
}

static inline void
widen_keys(PrefixKey *min, PrefixKey *max, bool *first, const uint8_t *data, uint64_t length)
{
	PrefixKey key = prefix_key(data, length);

	if (*first || key_less(&key, min))
		*min = key;
	if (*first || key_less(max, &key))
		*max = key;
	*first = false;
}

void
hz_zone_strings(const HzString *values, const uint64_t *validity, uint32_t count, HzZone *zone)
{
	PrefixKey min = {0, 0, 0};
	PrefixKey max = {0, 0, 0};
	bool first = true;

	for (uint32_t i = 0; i < count; i++)
		if (validity == NULL || hz_bitmap_get(validity, i))
			widen_keys(&min, &max, &first, values[i].data, values[i].length);
	store_keys(&min, &max, zone);
}

void
hz_zone_fixed(const uint8_t *values, uint32_t width, const uint64_t *validity, uint32_t count,
			  HzZone *zone)
{
	PrefixKey min = {0, 0, 0};
	PrefixKey max = {0, 0, 0};
	bool first = true;

	for (uint32_t i = 0; i < count; i++)
		if (validity == NULL || hz_bitmap_get(validity, i))
			widen_keys(&min, &max, &first, values + (size_t) i * width, width);
	store_keys(&min, &max, zone);
}

static int
compare_prefixes(const HzZoneBound *a, uint8_t a_length, bool a_cut, const HzZoneBound *b,
				 uint8_t b_length, bool b_cut)
{
	int order = memcmp(a->prefix, b->prefix, a_length < b_length ? a_length : b_length);

	if (order != 0)
		return order;
	return a_length != b_length ? (int) a_length - (int) b_length : (int) a_cut - (int) b_cut;
}

/* ---- merging ---- */

static bool
rescale(HzInt128 *value, uint16_t from, uint16_t to)
{
	for (; from < to && *value != 0; from++)
		if (__builtin_mul_overflow(*value, (HzInt128) 10, value))
			return false;
	return true;
}

/* Brings both zones to one scale; false when a bound does not fit it. */
static bool
align_scales(HzZone *a, HzZone *b)
{
	uint16_t scale = a->scale > b->scale ? a->scale : b->scale;

	if (!rescale(&a->min.decimal, a->scale, scale) || !rescale(&a->max.decimal, a->scale, scale) ||
		!rescale(&b->min.decimal, b->scale, scale) || !rescale(&b->max.decimal, b->scale, scale))
		return false;
	a->scale = b->scale = scale;
	return true;
}

static void
take_min(HzZone *into, const HzZone *zone)
{
	into->min = zone->min;
	into->min_length = zone->min_length;
	into->min_cut = zone->min_cut;
}

static void
take_max(HzZone *into, const HzZone *zone)
{
	into->max = zone->max;
	into->max_length = zone->max_length;
	into->max_cut = zone->max_cut;
}

static int
compare_bounds(HzKind kind, const HzZone *a, bool a_max, const HzZone *b, bool b_max)
{
	const HzZoneBound *x = a_max ? &a->max : &a->min;
	const HzZoneBound *y = b_max ? &b->max : &b->min;

	if (hz_kind_is_integer(kind))
		return (x->integer > y->integer) - (x->integer < y->integer);
	if (hz_kind_is_float(kind))
		return compare_reals(x->real, y->real);
	if (kind == HZ_KIND_NUMERIC)
		return (x->decimal > y->decimal) - (x->decimal < y->decimal);
	return compare_prefixes(x, a_max ? a->max_length : a->min_length,
							a_max ? a->max_cut : a->min_cut, y,
							b_max ? b->max_length : b->min_length, b_max ? b->max_cut : b->min_cut);
}

static void
drop_bounds(HzZone *zone)
{
	uint32_t rows = zone->rows;
	uint32_t nulls = zone->nulls;

	memset(zone, 0, sizeof(*zone));
	zone->rows = rows;
	zone->nulls = nulls;
}

static void
widen(HzKind kind, HzZone *into, const HzZone *zone)
{
	HzZone other = *zone;

	if (kind == HZ_KIND_NUMERIC && !align_scales(into, &other))
	{
		drop_bounds(into);
		return;
	}
	if (compare_bounds(kind, &other, false, into, false) < 0)
		take_min(into, &other);
	if (compare_bounds(kind, &other, true, into, true) > 0)
		take_max(into, &other);
}

void
hz_zone_merge(HzKind kind, HzZone *into, const HzZone *zone)
{
	uint32_t rows = into->rows + zone->rows;
	uint32_t nulls = into->nulls + zone->nulls;

	if (into->rows == into->nulls)
		*into = *zone;
	else if (zone->rows != zone->nulls)
	{
		if (into->has_bounds && zone->has_bounds)
			widen(kind, into, zone);
		else
			drop_bounds(into);
	}
	into->rows = rows;
	into->nulls = nulls;
}

/* ---- comparing ---- */

int
hz_zone_compare(HzKind kind, const HzZone *a, const HzZone *b)
{
	HzZone x = *a;
	HzZone y = *b;
	int order;

	if (kind == HZ_KIND_NUMERIC && !align_scales(&x, &y))
		return 0;
	order = compare_bounds(kind, &x, false, &y, false);
	return order != 0 ? order : compare_bounds(kind, &x, true, &y, true);
}

bool
hz_zone_reaches(HzKind kind, const HzZone *zone, const HzZone *other)
{
	HzZone x = *zone;
	HzZone y = *other;

	if (kind == HZ_KIND_NUMERIC && !align_scales(&x, &y))
		return true;
	return compare_bounds(kind, &x, true, &y, false) > 0;
}

bool
hz_zone_covers_max(HzKind kind, const HzZone *zone, const HzZone *other)
{
	HzZone x = *zone;
	HzZone y = *other;

	if (kind == HZ_KIND_NUMERIC && !align_scales(&x, &y))
		return false;
	return compare_bounds(kind, &x, true, &y, true) >= 0;
}

/* ---- bytes ---- */

static void
write_real(double d, HzBytes *out)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	hz_bytes_put64(out, bits);
}

static double
read_real(HzCursor *cursor)
{
	uint64_t bits = hz_cursor_get64(cursor);
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static void
write_bound(HzKind kind, const HzZoneBound *bound, uint8_t length, HzBytes *out)
{
	if (hz_kind_is_integer(kind))
		hz_varint_put(out, hz_fold64(bound->integer));
	else if (hz_kind_is_float(kind))
		write_real(bound->real, out);
	else if (kind == HZ_KIND_NUMERIC)
		hz_varint_put128(out, bound->decimal);
	else
	{
		hz_bytes_put8(out, length);
		hz_bytes_append(out, bound->prefix, length);
	}
}

static bool
is_one_value(HzKind kind, const HzZone *zone)
{
	return zone->has_bounds && compare_bounds(kind, zone, false, zone, true) == 0;
}

void
hz_zone_write(HzKind kind, const HzZone *zone, HzBytes *out)
{
	bool one = is_one_value(kind, zone);

	hz_bytes_put8(out,
				  (uint8_t) ((zone->has_bounds ? HAS_BOUNDS : 0) | (zone->min_cut ? MIN_CUT : 0) |
							 (zone->max_cut ? MAX_CUT : 0) | (one ? ONE_VALUE : 0)));
	hz_varint_put(out, zone->rows);
	hz_varint_put(out, zone->nulls);
	if (!zone->has_bounds)
		return;
	if (kind == HZ_KIND_NUMERIC)
		hz_varint_put(out, zone->scale);
	write_bound(kind, &zone->min, zone->min_length, out);
	if (one)
		return;
	if (hz_kind_is_integer(kind))
		hz_varint_put(out, (uint64_t) zone->max.integer - (uint64_t) zone->min.integer);
	else
		write_bound(kind, &zone->max, zone->max_length, out);
}

static void
read_prefix(HzCursor *cursor, HzZoneBound *bound, uint8_t *length)
{
	const uint8_t *bytes;

	*length = hz_cursor_get8(cursor);
	if (*length > HZ_ZONE_PREFIX)
		cursor->failed = true;
	bytes = hz_cursor_take(cursor, *length);
	if (bytes != NULL)
		memcpy(bound->prefix, bytes, *length);
}

static void
read_bound(HzKind kind, HzCursor *cursor, HzZoneBound *bound, uint8_t *length)
{
	if (hz_kind_is_integer(kind))
		bound->integer = hz_unfold64(hz_varint_get(cursor));
	else if (hz_kind_is_float(kind))
		bound->real = read_real(cursor);
	else if (kind == HZ_KIND_NUMERIC)
		bound->decimal = hz_varint_get128(cursor);
	else
		read_prefix(cursor, bound, length);
}

HzStatus
hz_zone_read(HzKind kind, HzCursor *cursor, HzZone *zone)
{
	uint8_t flags = hz_cursor_get8(cursor);

	memset(zone, 0, sizeof(*zone));
	zone->rows = (uint32_t) hz_varint_get_upto(cursor, UINT32_MAX);
	zone->nulls = (uint32_t) hz_varint_get_upto(cursor, zone->rows);
	if (cursor->failed || (flags & ~ALL_FLAGS) != 0)
		return HZ_CORRUPT;
	if ((flags & HAS_BOUNDS) == 0)
		return flags == 0 ? HZ_OK : HZ_CORRUPT;
	zone->has_bounds = true;
	zone->min_cut = (flags & MIN_CUT) != 0;
	zone->max_cut = (flags & MAX_CUT) != 0;
	if (kind == HZ_KIND_NUMERIC)
		zone->scale = (uint16_t) hz_varint_get_upto(cursor, HZ_CHUNK_MAX_SCALE);
	read_bound(kind, cursor, &zone->min, &zone->min_length);
	if (flags & ONE_VALUE)
	{
		zone->max = zone->min;
		zone->max_length = zone->min_length;
	}
	else if (hz_kind_is_integer(kind))
		zone->max.integer = (int64_t) ((uint64_t) zone->min.integer + hz_varint_get(cursor));
	else
		read_bound(kind, cursor, &zone->max, &zone->max_length);
	if (cursor->failed || zone->nulls == zone->rows ||
		compare_bounds(kind, zone, false, zone, true) > 0)
		return HZ_CORRUPT;
	return HZ_OK;
}
