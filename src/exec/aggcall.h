/*
 * exec/aggcall.h
 *	  Which of PostgreSQL's aggregates ColumnarAgg computes natively, and their results.
 */
#ifndef HZ_AGGCALL_H
#define HZ_AGGCALL_H

#include "nodes/primnodes.h"

#include "agg/aggregate.h"
#include "storage/coltype.h"

/* What becomes of a state in the end. */
typedef enum HzAggFinal
{
	HZ_FINAL_COUNT,
	HZ_FINAL_SUM_INT8,
	HZ_FINAL_SUM_NUMERIC,
	HZ_FINAL_AVG_NUMERIC,
	HZ_FINAL_SUM_FLOAT8,
	HZ_FINAL_SUM_FLOAT4,
	HZ_FINAL_AVG_FLOAT,
	HZ_FINAL_VAR_POP,
	HZ_FINAL_VAR_SAMP,
	HZ_FINAL_STDDEV_POP,
	HZ_FINAL_STDDEV_SAMP,
	HZ_FINAL_EXTREME,
	HZ_FINAL_BOOL_AND,
	HZ_FINAL_BOOL_OR,
	HZ_FINAL_PERCENTILE_CONT,
	HZ_FINAL_PERCENTILE_DISC
} HzAggFinal;

typedef struct HzAggCall
{
	HzAggKind kind;
	HzAggFinal final;
	Expr *argument;    /* NULL: count(*) */
	Expr *filter;      /* NULL: none */
	Expr *fraction;    /* of percentiles: a constant or a parameter */
	HzColumnType type; /* of the argument */
} HzAggCall;

/* False: PostgreSQL has to compute this one. Also looks at the types of arguments and at collations. */
extern bool hz_aggcall_classify(const Aggref *aggref, HzAggCall *call);

/* Whether values of this type, under this collation, can be group keys: equal values are recognised as PostgreSQL does. */
extern bool hz_aggcall_is_key(Oid type, Oid collation);

/* Throws as ExecInitAgg() does, if the user may not execute the aggregate. */
extern void hz_aggcall_check_rights(const Aggref *aggref);

/* The result for one group, palloc'd in the current context. fraction: the value of call->fraction. */
extern Datum hz_aggcall_result(const HzAggCall *call, const HzAggregate *aggregate, HzGroupRow *row,
							   Datum fraction, bool fraction_null, bool *isnull);

/* The Datum of a key or an extreme value, palloc'd in the current context. */
extern Datum hz_aggcall_slot_datum(const HzColumnType *type, const HzKeySlot *slot);

#endif /* HZ_AGGCALL_H */
