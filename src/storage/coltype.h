/*
 * storage/coltype.h
 *	  From a PostgreSQL column type to the kind of values that the format stores, and back to Datums.
 */
#ifndef HZ_COLTYPE_H
#define HZ_COLTYPE_H

#include "access/tupdesc.h"
#include "format/chunk.h"

typedef struct HzColumnType
{
	HzKind kind;  /* 0: dropped column, nothing is stored */
	uint32 width; /* bytes per value; 0 for BYTES and NUMERIC */
	Oid typid;    /* base type (domains looked through) */
	int16 typlen;
	bool typbyval;
	bool ordered;       /* zone maps make sense: the type's order is the kind's order */
	HzArrayShape array; /* element_width 0: no array */
} HzColumnType;

/* One per attribute; palloc'd in the current context. Reads the type cache. */
extern HzColumnType *hz_coltype_for(TupleDesc desc);

/* What a column of a type would be. Reads the catalog. */
extern HzColumnType hz_coltype_of(Oid typid);

/*
 * The Datum of slot i of a vector (not null). By-reference values are palloc'd in the current context,
 * varlenas with a 4-byte header.
 */
extern Datum hz_coltype_datum(const HzColumnType *type, const HzVector *vector, uint32 i);

/*
 * Datums of rows at[0 .. count) of a vector (at NULL: 0 .. count), each stored at its row's place; nulls get 0 and isnull. Dictionary entries and constants are made
 * once and shared by the rows.
 */
extern void hz_coltype_datums(const HzColumnType *type, const HzVector *vector, const uint16 *at,
							  uint32 count, Datum *values, bool *isnull);

/* The kinds of two descriptions fit each other (a binary-coercible ALTER TYPE keeps the stored kind). */
extern bool hz_coltype_readable(const HzColumnType *type, const HzChunkMeta *meta);

#endif /* HZ_COLTYPE_H */
