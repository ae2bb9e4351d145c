/*
 * admin/bounds.c
 *	  Zone maps' bounds through types' output functions. See bounds.h.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"

#include "admin/bounds.h"

/* A vector of the one value; its slot is *slot, its string *string. */
static void
bound_vector(const HzColumnType *type, const HzZone *zone, bool greatest, HzZoneBound *slot,
			 HzString *string, HzVector *vector)
{
	const HzZoneBound *bound = greatest ? &zone->max : &zone->min;
	float4 narrow;

	*slot = *bound;
	memset(vector, 0, sizeof(*vector));
	vector->kind = type->kind;
	vector->width = type->width;
	vector->count = 1;
	vector->values = slot;
	switch (type->kind)
	{
		case HZ_KIND_FLOAT32:
			narrow = (float4) bound->real;
			memcpy(slot, &narrow, sizeof(narrow));
			break;
		case HZ_KIND_NUMERIC:
			vector->numeric = HZ_NUMERIC_INT128;
			vector->scale = zone->scale;
			break;
		case HZ_KIND_BYTES:
			string->data = slot->prefix;
			string->length = greatest ? zone->max_length : zone->min_length;
			vector->values = string;
			break;
		default:
			/* the low bytes of a little-endian integer, or the bytes of a fixed value */
			break;
	}
}

char *
hz_bounds_text(const HzColumnType *type, const HzZone *zone, bool greatest)
{
	bool cut = greatest ? zone->max_cut : zone->min_cut;
	HzZoneBound slot;
	HzString string;
	HzVector vector;
	Oid output;
	bool is_varlena;
	char *text;

	if (!zone->has_bounds || !type->ordered)
		return NULL;
	bound_vector(type, zone, greatest, &slot, &string, &vector);
	/* a prefix may end within a character */
	if (type->kind == HZ_KIND_BYTES && type->typid != BYTEAOID)
		string.length =
			pg_mbcliplen((const char *) string.data, (int) string.length, (int) string.length);
	getTypeOutputInfo(type->typid, &output, &is_varlena);
	text = OidOutputFunctionCall(output, hz_coltype_datum(type, &vector, 0));
	return cut ? psprintf("%s...", text) : text;
}
