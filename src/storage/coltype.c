/*
 * storage/coltype.c
 *	  Kinds of PostgreSQL types, and Datums out of vectors. See coltype.h.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type_d.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "format/numeric.h"
#include "storage/coltype.h"

/* Kind of a pass-by-value or fixed-length type. */
static void
fixed_kind(HzColumnType *type)
{
	switch (type->typid)
	{
		case BOOLOID:
			type->kind = HZ_KIND_BOOL;
			type->ordered = true;
			break;
		case FLOAT4OID:
			type->kind = HZ_KIND_FLOAT32;
			type->ordered = true;
			break;
		case FLOAT8OID:
			type->kind = HZ_KIND_FLOAT64;
			type->ordered = true;
			break;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			type->ordered = true;
			/* FALLTHROUGH */
		default:
			if (!type->typbyval)
			{
				type->kind = HZ_KIND_FIXED;
				type->ordered = type->typid == UUIDOID;
			}
			else if (type->typlen == 1)
				type->kind = HZ_KIND_INT8;
			else if (type->typlen == 2)
				type->kind = HZ_KIND_INT16;
			else if (type->typlen == 4)
				type->kind = HZ_KIND_INT32;
			else
				type->kind = HZ_KIND_INT64;
	}
	type->width = (uint32) type->typlen;
}

/* Types that need no look at the catalog: a table of many columns asks at every plan. */
static bool
is_plain_string(Oid typid)
{
	return typid == TEXTOID || typid == VARCHAROID || typid == BPCHAROID || typid == BYTEAOID ||
		   typid == JSONBOID || typid == JSONOID;
}

/* initdb's own types with fixed ids are no domains. */
static Oid
base_type(Oid typid)
{
	return typid < FirstGenbkiObjectId ? typid : getBaseType(typid);
}

/* How the elements of a true array type are stored. */
static void
array_shape(HzColumnType *type)
{
	Oid element;
	HzColumnType child;
	char align;

	if (is_plain_string(type->typid))
		return;
	element = get_element_type(type->typid);
	if (!OidIsValid(element))
		return;
	memset(&child, 0, sizeof(child));
	child.typid = base_type(element);
	get_typlenbyvalalign(element, &child.typlen, &child.typbyval, &align);
	if (child.typlen == -2)
		return;
	if (child.typlen == -1)
		child.kind = HZ_KIND_BYTES;
	else
		fixed_kind(&child);
	type->array.element_width = child.typlen;
	type->array.element_align = align;
	type->array.element_kind = child.kind;
}

/* Completes a description of which typid, typlen and typbyval are known. */
static void
describe(HzColumnType *type)
{
	if (type->typlen > 0)
		fixed_kind(type);
	else if (type->typid == NUMERICOID)
	{
		type->kind = HZ_KIND_NUMERIC;
		type->ordered = true;
	}
	else
	{
		type->kind = HZ_KIND_BYTES;
		type->ordered =
			type->typid == TEXTOID || type->typid == VARCHAROID || type->typid == BYTEAOID;
		if (type->typlen == -1)
			array_shape(type);
	}
}

HzColumnType *
hz_coltype_for(TupleDesc desc)
{
	HzColumnType *types = palloc0(sizeof(HzColumnType) * Max(desc->natts, 1));

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		HzColumnType *type = &types[i];

		if (attribute->attisdropped)
			continue;
		type->typid = base_type(attribute->atttypid);
		type->typlen = attribute->attlen;
		type->typbyval = attribute->attbyval;
		describe(type);
	}
	return types;
}

HzColumnType
hz_coltype_of(Oid typid)
{
	HzColumnType type;

	memset(&type, 0, sizeof(type));
	type.typid = base_type(typid);
	get_typlenbyval(type.typid, &type.typlen, &type.typbyval);
	describe(&type);
	return type;
}

bool
hz_coltype_readable(const HzColumnType *type, const HzChunkMeta *meta)
{
	return type->kind == meta->kind && type->width == meta->width;
}

static Datum
bytes_datum(const HzColumnType *type, const uint8_t *data, Size length)
{
	char *result;

	if (type->typlen == -2)
	{
		result = palloc(length + 1);
		memcpy(result, data, length);
		result[length] = '\0';
		return CStringGetDatum(result);
	}
	result = palloc(length + VARHDRSZ);
	SET_VARSIZE(result, length + VARHDRSZ);
	if (length > 0)
		memcpy(VARDATA(result), data, length);
	return PointerGetDatum(result);
}

static Datum
slot_datum(const HzColumnType *type, const HzVector *vector, uint32 slot)
{
	const char *values = vector->values;

	switch (vector->kind)
	{
		case HZ_KIND_BOOL:
			return BoolGetDatum(((const uint8 *) values)[slot] != 0);
		case HZ_KIND_INT8:
			return CharGetDatum(((const int8 *) values)[slot]);
		case HZ_KIND_INT16:
			return Int16GetDatum(((const int16 *) values)[slot]);
		case HZ_KIND_INT32:
			return Int32GetDatum(((const int32 *) values)[slot]);
		case HZ_KIND_INT64:
			return Int64GetDatum(((const int64 *) values)[slot]);
		case HZ_KIND_FLOAT32:
			return Float4GetDatum(((const float4 *) values)[slot]);
		case HZ_KIND_FLOAT64:
			return Float8GetDatum(((const float8 *) values)[slot]);
		case HZ_KIND_FIXED:
		{
			char *copy = palloc(vector->width);

			memcpy(copy, values + (Size) slot * vector->width, vector->width);
			return PointerGetDatum(copy);
		}
		case HZ_KIND_NUMERIC:
			if (vector->numeric != HZ_NUMERIC_PAYLOAD)
			{
				uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
				HzInt128 value;

				if (vector->numeric == HZ_NUMERIC_INT64)
					value = ((const int64 *) values)[slot];
				else
					memcpy(&value, values + (Size) slot * sizeof(HzInt128), sizeof(HzInt128));
				return bytes_datum(type, payload,
								   hz_numeric_to_payload(value, vector->scale, payload));
			}
			/* FALLTHROUGH */
		case HZ_KIND_BYTES:
		{
			const HzString *string = (const HzString *) values + slot;

			return bytes_datum(type, string->data, string->length);
		}
	}
	elog(ERROR, "unknown kind of column values: %d", (int) vector->kind);
	return (Datum) 0;
}

Datum
hz_coltype_datum(const HzColumnType *type, const HzVector *vector, uint32 i)
{
	if (vector->form == HZ_FORM_CONSTANT)
		i = 0;
	else if (vector->form == HZ_FORM_DICT)
		i = vector->codes[i];
	return slot_datum(type, vector, i);
}

void
hz_coltype_datums(const HzColumnType *type, const HzVector *vector, const uint16 *at, uint32 count,
				  Datum *values, bool *isnull)
{
	/* few rows of a large dictionary are sooner made one by one than its table of entries is cleared */
	bool share = vector->form == HZ_FORM_CONSTANT ||
				 (vector->form == HZ_FORM_DICT && vector->dict_count <= count * 8);
	uint32 entry_count = vector->form == HZ_FORM_DICT ? vector->dict_count : 1;
	Datum *entries = share ? palloc(sizeof(Datum) * entry_count) : NULL;
	bool *made = share ? palloc0(sizeof(bool) * entry_count) : NULL;

	for (uint32 i = 0; i < count; i++)
	{
		uint32 row = at != NULL ? at[i] : i;
		uint32 slot = row;

		isnull[row] = vector->validity != NULL && !hz_bitmap_get(vector->validity, row);
		values[row] = (Datum) 0;
		if (isnull[row])
			continue;
		if (vector->form != HZ_FORM_FLAT)
			slot = vector->form == HZ_FORM_DICT ? vector->codes[row] : 0;
		if (!share)
		{
			values[row] = slot_datum(type, vector, slot);
			continue;
		}
		if (!made[slot])
		{
			entries[slot] = slot_datum(type, vector, slot);
			made[slot] = true;
		}
		values[row] = entries[slot];
	}
}
