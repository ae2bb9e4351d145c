/*
 * read/prunevalue.c
 *	  Constants against bounds of zones. See prunevalue.h.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "format/bloom.h"
#include "format/numeric.h"
#include "read/prunevalue.h"

/* Infinite dates and timestamps: beyond whatever a finite one is in microseconds. */
#define ENDLESS ((HzInt128) 1 << 100)

static bool
is_integer_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static bool
is_real_type(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

/* A column of these does not compare with timestamptz: that would depend on the session's time zone, for each value. */
static bool
is_local_time_type(Oid type)
{
	return type == DATEOID || type == TIMESTAMPOID;
}

static bool
ordered_domain(const HzColumnType *column, Oid left, Oid right, HzPruneDomain *domain)
{
	Oid type = column->typid == VARCHAROID ? TEXTOID : column->typid;
	bool same = left == right;

	/* a relabelled column, as of int4 to oid, has the order of its other type */
	if (left != type)
		return false;
	switch (type)
	{
		case BOOLOID:
		case TIMEOID:
			*domain = HZ_PRUNE_INTEGER;
			return same;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*domain = HZ_PRUNE_INTEGER;
			return is_integer_type(right);
		case DATEOID:
		case TIMESTAMPOID:
			*domain = HZ_PRUNE_TIME;
			return is_local_time_type(right);
		case TIMESTAMPTZOID:
			/* the constant is converted once, as the operator, which is stable, would do it for each row */
			*domain = HZ_PRUNE_TIME;
			return same || is_local_time_type(right);
		case FLOAT4OID:
		case FLOAT8OID:
			*domain = HZ_PRUNE_REAL;
			return is_real_type(right);
		case NUMERICOID:
			*domain = HZ_PRUNE_DECIMAL;
			return same;
		case TEXTOID:
		case BYTEAOID:
		case UUIDOID:
			*domain = HZ_PRUNE_BYTES;
			return same;
		default:
			return false;
	}
}

bool
hz_prunevalue_domain(const HzColumnType *column, Oid left, Oid right, HzPruneDomain *domain)
{
	if (column->ordered)
		return ordered_domain(column, left, right, domain);
	*domain = HZ_PRUNE_OPAQUE;
	return left == right &&
		   (left == column->typid || (left == ANYENUMOID && type_is_enum(column->typid)));
}

/* ---- Constants */

static HzInt128
wide_time(Oid type, int64 value)
{
	if (type == DATEOID)
	{
		if (DATE_IS_NOBEGIN(value) || DATE_IS_NOEND(value))
			return DATE_IS_NOEND(value) ? ENDLESS : -ENDLESS;
		return (HzInt128) value * USECS_PER_DAY;
	}
	if (TIMESTAMP_NOT_FINITE(value))
		return TIMESTAMP_IS_NOEND(value) ? ENDLESS : -ENDLESS;
	return value;
}

/* A date or timestamp in the session's time zone. What overflows lies between the finite ones and infinity. */
static HzInt128
zoned_time(Oid type, int64 value)
{
	int overflow;
	TimestampTz time = type == DATEOID ? date2timestamptz_opt_overflow((DateADT) value, &overflow)
									   : timestamp2timestamptz_opt_overflow(value, &overflow);

	if (overflow != 0)
		return overflow > 0 ? ENDLESS - 1 : 1 - ENDLESS;
	return wide_time(TIMESTAMPTZOID, time);
}

static int64
integer_of(Oid type, Datum datum)
{
	switch (type)
	{
		case BOOLOID:
			return DatumGetBool(datum);
		case INT2OID:
			return DatumGetInt16(datum);
		case INT4OID:
		case DATEOID:
			return DatumGetInt32(datum);
		default:
			return DatumGetInt64(datum);
	}
}

static HzString
bytes_of(const HzColumnType *column, Datum datum)
{
	HzString result;

	if (column->typlen == -1)
	{
		struct varlena *value = PG_DETOAST_DATUM_COPY(datum);

		result.data = (const uint8_t *) VARDATA(value);
		result.length = VARSIZE(value) - VARHDRSZ;
		return result;
	}
	result.length = column->typlen == -2 ? strlen(DatumGetCString(datum)) : (Size) column->typlen;
	result.data = memcpy(palloc(result.length + 1), DatumGetPointer(datum), result.length);
	return result;
}

/* The hash of an integer as a slot of the column, if it fits. */
static void
hash_integer(HzPruneValue *value, const HzColumnType *column, int64 integer)
{
	int64 limit = column->width < 8 ? INT64_C(1) << (column->width * 8 - 1) : 0;

	/* slots are little-endian, as the machine is: the low bytes are the narrower value */
	value->hashed = limit == 0 || (integer >= -limit && integer < limit);
	if (value->hashed)
		value->hash = hz_bloom_hash(column->kind, &integer, column->width);
}

static void
hash_real(HzPruneValue *value, const HzColumnType *column)
{
	float narrow = (float) value->real;

	if (column->kind == HZ_KIND_FLOAT64)
		value->hash = hz_bloom_hash(column->kind, &value->real, sizeof(double));
	else if (isnan(value->real) || (double) narrow == value->real)
		value->hash = hz_bloom_hash(column->kind, &narrow, sizeof(float));
	else
		return;
	value->hashed = true;
}

/* A type without order, whose bytes count. */
static void
set_opaque(HzPruneValue *value, const HzColumnType *column, Datum datum)
{
	if (!column->typbyval)
	{
		value->bytes = bytes_of(column, datum);
		value->hash = hz_bloom_hash(column->kind, value->bytes.data, value->bytes.length);
	}
	else
	{
		int64 integer = (int64) datum;

		value->hash = hz_bloom_hash(column->kind, &integer, column->width);
	}
	value->hashed = true;
}

void
hz_prunevalue_set(HzPruneValue *value, HzPruneDomain domain, const HzColumnType *column, Oid type,
				  Datum datum, bool bloom)
{
	memset(value, 0, sizeof(*value));
	switch (domain)
	{
		case HZ_PRUNE_OPAQUE:
			if (bloom)
				set_opaque(value, column, datum);
			break;
		case HZ_PRUNE_INTEGER:
			value->integer = integer_of(type, datum);
			if (bloom)
				hash_integer(value, column, (int64) value->integer);
			break;
		case HZ_PRUNE_TIME:
			value->integer = column->typid == TIMESTAMPTZOID && type != TIMESTAMPTZOID
								 ? zoned_time(type, integer_of(type, datum))
								 : wide_time(type, integer_of(type, datum));
			if (bloom && type == column->typid)
				hash_integer(value, column, integer_of(type, datum));
			break;
		case HZ_PRUNE_REAL:
			value->real =
				type == FLOAT4OID ? (double) DatumGetFloat4(datum) : DatumGetFloat8(datum);
			if (bloom)
				hash_real(value, column);
			break;
		case HZ_PRUNE_DECIMAL:
			value->decimal = PointerGetDatum(PG_DETOAST_DATUM_COPY(datum));
			break;
		case HZ_PRUNE_BYTES:
			value->bytes = bytes_of(column, datum);
			value->hashed = bloom;
			if (bloom)
				value->hash = hz_bloom_hash(column->kind, value->bytes.data, value->bytes.length);
			break;
	}
}

/* ---- Orders */

static int
compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return (isnan(a) != 0) - (isnan(b) != 0);
	return (a > b) - (a < b);
}

static int
compare_bytes(const HzString *a, const HzString *b)
{
	int order = memcmp(a->data, b->data, Min(a->length, b->length));

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int
compare_decimals(Datum a, Datum b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, a, b));
}

int
hz_prunevalue_compare(HzPruneDomain domain, const HzPruneValue *a, const HzPruneValue *b)
{
	switch (domain)
	{
		case HZ_PRUNE_INTEGER:
		case HZ_PRUNE_TIME:
			return (a->integer > b->integer) - (a->integer < b->integer);
		case HZ_PRUNE_REAL:
			return compare_reals(a->real, b->real);
		case HZ_PRUNE_DECIMAL:
			return compare_decimals(a->decimal, b->decimal);
		case HZ_PRUNE_BYTES:
			return compare_bytes(&a->bytes, &b->bytes);
		case HZ_PRUNE_OPAQUE:
			break;
	}
	return 0;
}

static int
place_of(int order)
{
	return order < 0 ? HZ_PRUNE_BELOW : order > 0 ? HZ_PRUNE_ABOVE : HZ_PRUNE_SAME;
}

static int
place_decimal(const HzZone *zone, bool greatest, const HzPruneValue *value)
{
	union
	{
		struct varlena header; /* for alignment */
		char bytes[VARHDRSZ + HZ_NUMERIC_MAX_PAYLOAD];
	} bound;
	size_t length = hz_numeric_to_payload(greatest ? zone->max.decimal : zone->min.decimal,
										  zone->scale, (uint8_t *) bound.bytes + VARHDRSZ);

	SET_VARSIZE(&bound, VARHDRSZ + length);
	return place_of(compare_decimals(PointerGetDatum(&bound), value->decimal));
}

/* A bound that is cut goes on beyond what the zone has of it. */
static int
place_bytes(const HzZone *zone, bool greatest, const HzString *value)
{
	const HzZoneBound *bound = greatest ? &zone->max : &zone->min;
	HzString known = {bound->prefix, greatest ? zone->max_length : zone->min_length};
	bool cut = greatest ? zone->max_cut : zone->min_cut;

	if (!cut)
		return place_of(compare_bytes(&known, value));
	if (value->length <= known.length)
		return memcmp(known.data, value->data, value->length) < 0 ? HZ_PRUNE_BELOW : HZ_PRUNE_ABOVE;
	switch (place_of(memcmp(known.data, value->data, known.length)))
	{
		case HZ_PRUNE_BELOW:
			return HZ_PRUNE_BELOW;
		case HZ_PRUNE_ABOVE:
			return HZ_PRUNE_ABOVE;
		default:
			return HZ_PRUNE_ANYWHERE;
	}
}

int
hz_prunevalue_place(HzPruneDomain domain, const HzColumnType *column, const HzZone *zone,
					bool greatest, const HzPruneValue *value)
{
	const HzZoneBound *bound = greatest ? &zone->max : &zone->min;

	switch (domain)
	{
		case HZ_PRUNE_INTEGER:
			return place_of((bound->integer > value->integer) - (bound->integer < value->integer));
		case HZ_PRUNE_TIME:
		{
			HzInt128 time = wide_time(column->typid, bound->integer);

			return place_of((time > value->integer) - (time < value->integer));
		}
		case HZ_PRUNE_REAL:
			return place_of(compare_reals(bound->real, value->real));
		case HZ_PRUNE_DECIMAL:
			return place_decimal(zone, greatest, value);
		case HZ_PRUNE_BYTES:
			return place_bytes(zone, greatest, &value->bytes);
		case HZ_PRUNE_OPAQUE:
			break;
	}
	return HZ_PRUNE_ANYWHERE;
}

int
hz_prunevalue_place_prefix(const HzZone *zone, bool greatest, const HzString *prefix)
{
	const HzZoneBound *bound = greatest ? &zone->max : &zone->min;
	Size length = greatest ? zone->max_length : zone->min_length;
	bool cut = greatest ? zone->max_cut : zone->min_cut;
	int order = memcmp(bound->prefix, prefix->data, Min(length, prefix->length));

	if (order != 0)
		return place_of(order);
	if (length >= prefix->length)
		return HZ_PRUNE_SAME;
	return cut ? HZ_PRUNE_ANYWHERE : HZ_PRUNE_BELOW;
}

/* ---- Zones of one value */

static void
set_bytes_bounds(HzZone *zone, HzString value)
{
	bool cut = value.length > HZ_ZONE_PREFIX;
	uint8 length = (uint8) (cut ? HZ_ZONE_PREFIX : value.length);

	memcpy(zone->min.prefix, value.data, length);
	zone->min_cut = zone->max_cut = cut;
	zone->min_length = zone->max_length = length;
	zone->has_bounds = true;
}

void
hz_prunevalue_zone(const HzColumnType *column, uint32 rows, Datum datum, bool isnull, HzZone *zone)
{
	memset(zone, 0, sizeof(*zone));
	zone->rows = rows;
	zone->nulls = isnull ? rows : 0;
	if (isnull || !column->ordered)
		return;
	zone->has_bounds = true;
	if (column->kind == HZ_KIND_NUMERIC)
	{
		struct varlena *value = PG_DETOAST_DATUM(datum);

		zone->has_bounds =
			hz_numeric_from_payload((const uint8_t *) VARDATA(value), VARSIZE(value) - VARHDRSZ,
									&zone->min.decimal, &zone->scale);
	}
	else if (is_real_type(column->typid))
		zone->min.real =
			column->typid == FLOAT4OID ? (double) DatumGetFloat4(datum) : DatumGetFloat8(datum);
	else if (column->typbyval)
		zone->min.integer = integer_of(column->typid, datum);
	else
		set_bytes_bounds(zone, bytes_of(column, datum));
	zone->max = zone->min;
}
