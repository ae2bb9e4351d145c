/*
 * exec/aggcall.c
 *	  Aggregates of PostgreSQL that have native states. See aggcall.h.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_aggregate.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/pg_locale.h"
#include "utils/typcache.h"

#include "agg/wide.h"
#include "base/compat.h"
#include "exec/aggcall.h"
#include "exec/aggspill.h"
#include "format/numeric.h"

typedef struct KnownAggregate
{
	Oid function;
	HzAggKind kind;
	HzAggFinal final;
} KnownAggregate;

static const KnownAggregate known[] = {
	{F_COUNT_, HZ_AGG_COUNT, HZ_FINAL_COUNT},
	{F_COUNT_ANY, HZ_AGG_COUNT, HZ_FINAL_COUNT},
	{F_SUM_INT2, HZ_AGG_SUM_INT, HZ_FINAL_SUM_INT8},
	{F_SUM_INT4, HZ_AGG_SUM_INT, HZ_FINAL_SUM_INT8},
	{F_SUM_INT8, HZ_AGG_SUM_WIDE, HZ_FINAL_SUM_NUMERIC},
	{F_SUM_NUMERIC, HZ_AGG_SUM_WIDE, HZ_FINAL_SUM_NUMERIC},
	{F_SUM_FLOAT4, HZ_AGG_SUM_FLOAT, HZ_FINAL_SUM_FLOAT4},
	{F_SUM_FLOAT8, HZ_AGG_SUM_FLOAT, HZ_FINAL_SUM_FLOAT8},
	{F_AVG_INT2, HZ_AGG_SUM_INT, HZ_FINAL_AVG_NUMERIC},
	{F_AVG_INT4, HZ_AGG_SUM_INT, HZ_FINAL_AVG_NUMERIC},
	{F_AVG_INT8, HZ_AGG_SUM_WIDE, HZ_FINAL_AVG_NUMERIC},
	{F_AVG_NUMERIC, HZ_AGG_SUM_WIDE, HZ_FINAL_AVG_NUMERIC},
	/* PostgreSQL's averages of floats keep the squares as well, and fail where these overflow */
	{F_AVG_FLOAT4, HZ_AGG_STATS, HZ_FINAL_AVG_FLOAT},
	{F_AVG_FLOAT8, HZ_AGG_STATS, HZ_FINAL_AVG_FLOAT},
	{F_VARIANCE_FLOAT4, HZ_AGG_STATS, HZ_FINAL_VAR_SAMP},
	{F_VARIANCE_FLOAT8, HZ_AGG_STATS, HZ_FINAL_VAR_SAMP},
	{F_VAR_SAMP_FLOAT4, HZ_AGG_STATS, HZ_FINAL_VAR_SAMP},
	{F_VAR_SAMP_FLOAT8, HZ_AGG_STATS, HZ_FINAL_VAR_SAMP},
	{F_VAR_POP_FLOAT4, HZ_AGG_STATS, HZ_FINAL_VAR_POP},
	{F_VAR_POP_FLOAT8, HZ_AGG_STATS, HZ_FINAL_VAR_POP},
	{F_STDDEV_FLOAT4, HZ_AGG_STATS, HZ_FINAL_STDDEV_SAMP},
	{F_STDDEV_FLOAT8, HZ_AGG_STATS, HZ_FINAL_STDDEV_SAMP},
	{F_STDDEV_SAMP_FLOAT4, HZ_AGG_STATS, HZ_FINAL_STDDEV_SAMP},
	{F_STDDEV_SAMP_FLOAT8, HZ_AGG_STATS, HZ_FINAL_STDDEV_SAMP},
	{F_STDDEV_POP_FLOAT4, HZ_AGG_STATS, HZ_FINAL_STDDEV_POP},
	{F_STDDEV_POP_FLOAT8, HZ_AGG_STATS, HZ_FINAL_STDDEV_POP},
	{F_MIN_INT2, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_INT4, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_INT8, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_FLOAT4, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_FLOAT8, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_NUMERIC, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_DATE, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_TIME, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_TIMESTAMP, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_TIMESTAMPTZ, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MIN_TEXT, HZ_AGG_MIN, HZ_FINAL_EXTREME},
	{F_MAX_INT2, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_INT4, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_INT8, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_FLOAT4, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_FLOAT8, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_NUMERIC, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_DATE, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_TIME, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_TIMESTAMP, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_TIMESTAMPTZ, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_MAX_TEXT, HZ_AGG_MAX, HZ_FINAL_EXTREME},
	{F_BOOL_AND, HZ_AGG_BOOL, HZ_FINAL_BOOL_AND},
	{F_EVERY, HZ_AGG_BOOL, HZ_FINAL_BOOL_AND},
	{F_BOOL_OR, HZ_AGG_BOOL, HZ_FINAL_BOOL_OR},
	{F_PERCENTILE_CONT_FLOAT8_FLOAT8, HZ_AGG_COLLECT, HZ_FINAL_PERCENTILE_CONT},
	{F_PERCENTILE_DISC_FLOAT8_ANYELEMENT, HZ_AGG_COLLECT, HZ_FINAL_PERCENTILE_DISC},
};

static const KnownAggregate *
find_known(Oid function)
{
	for (size_t i = 0; i < lengthof(known); i++)
	{
		if (known[i].function == function)
			return &known[i];
	}
	return NULL;
}

static bool
is_deterministic(Oid collation)
{
	return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

bool
hz_aggcall_is_key(Oid type, Oid collation)
{
	switch (getBaseType(type))
	{
		case BOOLOID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case UUIDOID:
		case BYTEAOID:
			return true;
		case TEXTOID:
		case VARCHAROID:
			return is_deterministic(collation);
		default:
			return false;
	}
}

/* Orders in which the values come do not matter to it. */
static bool
takes_any_order(HzAggKind kind)
{
	return kind != HZ_AGG_SUM_FLOAT && kind != HZ_AGG_STATS;
}

/* Repeated values do not matter to it. */
static bool
takes_repeats(HzAggKind kind)
{
	return kind == HZ_AGG_MIN || kind == HZ_AGG_MAX || kind == HZ_AGG_BOOL;
}

/* WITHIN GROUP (ORDER BY x), ascending, of a type whose order is that of its 8-byte form. */
static bool
classify_percentile(const Aggref *aggref, HzAggCall *call)
{
	SortGroupClause *order;
	TypeCacheEntry *type;

	if (list_length(aggref->aggorder) != 1 || list_length(aggref->aggdirectargs) != 1 ||
		aggref->aggdistinct != NIL)
		return false;
	call->fraction = linitial(aggref->aggdirectargs);
	if (!IsA(call->fraction, Const) && !IsA(call->fraction, Param))
		return false;
	order = linitial_node(SortGroupClause, aggref->aggorder);
	type = lookup_type_cache(exprType((Node *) call->argument), TYPECACHE_LT_OPR);
	if (order->sortop != type->lt_opr)
		return false;
	switch (call->type.typid)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return true;
		default:
			return false;
	}
}

bool
hz_aggcall_classify(const Aggref *aggref, HzAggCall *call)
{
	const KnownAggregate *aggregate = find_known(aggref->aggfnoid);

	memset(call, 0, sizeof(*call));
	if (aggregate == NULL || aggref->aggsplit != AGGSPLIT_SIMPLE || aggref->agglevelsup != 0 ||
		aggref->aggvariadic || list_length(aggref->args) > 1)
		return false;
	call->kind = aggregate->kind;
	call->final = aggregate->final;
	call->filter = aggref->aggfilter;
	if (aggref->args != NIL)
	{
		call->argument = linitial_node(TargetEntry, aggref->args)->expr;
		call->type = hz_coltype_of(exprType((Node *) call->argument));
	}
	if (call->kind == HZ_AGG_COLLECT)
		return classify_percentile(aggref, call);
	if (aggref->aggorder != NIL && !takes_any_order(call->kind))
		return false;
	if (call->kind == HZ_AGG_COUNT && aggref->aggdistinct != NIL)
	{
		if (!hz_aggcall_is_key(call->type.typid, aggref->inputcollid))
			return false;
		call->kind = HZ_AGG_DISTINCT;
	}
	else if (aggref->aggdistinct != NIL && !takes_repeats(call->kind))
		return false;
	if (call->final == HZ_FINAL_EXTREME && call->type.kind == HZ_KIND_BYTES)
		return lc_collate_is_c(aggref->inputcollid);
	return true;
}

void
hz_aggcall_check_rights(const Aggref *aggref)
{
	AclResult result = hz_compat_function_aclcheck(aggref->aggfnoid, GetUserId(), ACL_EXECUTE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_AGGREGATE, get_func_name(aggref->aggfnoid));
}

/* ---- Results */

/* value / 10^scale as a numeric with that display scale. */
static Numeric
make_numeric(HzInt128 value, uint16 scale)
{
	uint8_t payload[HZ_NUMERIC_MAX_PAYLOAD];
	Size length = hz_numeric_to_payload(value, scale, payload);
	Numeric result = palloc(length + VARHDRSZ);

	SET_VARSIZE(result, length + VARHDRSZ);
	memcpy(VARDATA(result), payload, length);
	return result;
}

static Datum
average(HzInt128 sum, uint16 scale, int64 count)
{
	return DirectFunctionCall2(numeric_div, NumericGetDatum(make_numeric(sum, scale)),
							   NumericGetDatum(int64_to_numeric(count)));
}

Datum
hz_aggcall_slot_datum(const HzColumnType *type, const HzKeySlot *slot)
{
	HzVector vector = {
		.kind = type->kind, .form = HZ_FORM_FLAT, .width = type->width, .count = 1, .values = slot};
	float4 small;
	HzInt128 number;
	uint16_t scale;
	uint16_t display;

	if (type->kind == HZ_KIND_FLOAT32)
	{
		small = (float4) slot->real;
		vector.values = &small;
	}
	else if (type->kind == HZ_KIND_NUMERIC)
	{
		hz_key_numeric(slot, &number, &scale, &display);
		(void) hz_wide_scale(&number, display - scale);
		return NumericGetDatum(make_numeric(number, display));
	}
	/* integers of any width: the low bytes come first */
	return hz_coltype_datum(type, &vector, 0);
}

static Datum
sum_float(const HzSumFloat *state, bool single)
{
	float8 sum = state->sum;

	if (isinf(sum) && state->infinite == 0)
		float_overflow_error();
	if (!single)
		return Float8GetDatum(sum);
	if (isinf((float4) sum) && !isinf(sum))
		float_overflow_error();
	return Float4GetDatum((float4) sum);
}

static Datum
from_stats(HzAggFinal final, const HzStats *state, bool *isnull)
{
	double n = state->n;

	if (n == 0.0 || (n <= 1.0 && (final == HZ_FINAL_VAR_SAMP || final == HZ_FINAL_STDDEV_SAMP)))
	{
		*isnull = true;
		return (Datum) 0;
	}
	switch (final)
	{
		case HZ_FINAL_AVG_FLOAT:
			return Float8GetDatum(state->sx / n);
		case HZ_FINAL_VAR_POP:
			return Float8GetDatum(state->sxx / n);
		case HZ_FINAL_VAR_SAMP:
			return Float8GetDatum(state->sxx / (n - 1.0));
		case HZ_FINAL_STDDEV_POP:
			return Float8GetDatum(sqrt(state->sxx / n));
		default:
			return Float8GetDatum(sqrt(state->sxx / (n - 1.0)));
	}
}

static Datum
collected_datum(const HzAggCall *call, int64 value)
{
	HzKeySlot slot = {.integer = value};

	return hz_aggcall_slot_datum(&call->type, &slot);
}

static Datum
percentile(const HzAggCall *call, HzCollected *state, double fraction)
{
	bool reals = call->type.kind == HZ_KIND_FLOAT32 || call->type.kind == HZ_KIND_FLOAT64;
	int64 first = (int64) floor(fraction * (state->count - 1));
	int64 second = (int64) ceil(fraction * (state->count - 1));
	int64 next;
	float8 low;
	float8 high;

	if (call->final == HZ_FINAL_PERCENTILE_DISC)
	{
		int64 k = (int64) ceil(fraction * state->count);

		return collected_datum(
			call, hz_collected_select(state, reals, k > 1 ? k - 1 : 0, NULL, hz_aggspill_poll));
	}
	low = DatumGetFloat8(collected_datum(call, hz_collected_select(state, reals, first,
																   first == second ? NULL : &next,
																   hz_aggspill_poll)));
	if (first == second)
		return Float8GetDatum(low);
	high = DatumGetFloat8(collected_datum(call, next));
	return Float8GetDatum(low + ((fraction * (state->count - 1)) - first) * (high - low));
}

static Datum
from_collected(const HzAggCall *call, HzCollected *state, Datum fraction, bool fraction_null,
			   bool *isnull)
{
	double value = fraction_null ? 0 : DatumGetFloat8(fraction);

	*isnull = fraction_null;
	if (fraction_null)
		return (Datum) 0;
	if (value < 0 || value > 1 || isnan(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("percentile value %g is not between 0 and 1", value)));
	*isnull = state->count == 0;
	return *isnull ? (Datum) 0 : percentile(call, state, value);
}

Datum
hz_aggcall_result(const HzAggCall *call, const HzAggregate *aggregate, HzGroupRow *row,
				  Datum fraction, bool fraction_null, bool *isnull)
{
	void *state = (uint8 *) row + aggregate->offset;
	HzSumInt *sum = state;
	HzSumWide *wide = state;
	HzBools *bools = state;

	*isnull = false;
	switch (call->final)
	{
		case HZ_FINAL_COUNT:
			return Int64GetDatum(*(int64 *) state);
		case HZ_FINAL_SUM_INT8:
			*isnull = sum->count == 0;
			return Int64GetDatum(sum->sum);
		case HZ_FINAL_SUM_NUMERIC:
			*isnull = wide->count == 0;
			return *isnull ? (Datum) 0
						   : NumericGetDatum(make_numeric(wide->sum, (uint16) wide->scale));
		case HZ_FINAL_AVG_NUMERIC:
			if (call->kind == HZ_AGG_SUM_INT)
			{
				*isnull = sum->count == 0;
				return *isnull ? (Datum) 0 : average(sum->sum, 0, sum->count);
			}
			*isnull = wide->count == 0;
			return *isnull ? (Datum) 0 : average(wide->sum, (uint16) wide->scale, wide->count);
		case HZ_FINAL_SUM_FLOAT8:
		case HZ_FINAL_SUM_FLOAT4:
			*isnull = ((HzSumFloat *) state)->count == 0;
			return *isnull ? (Datum) 0 : sum_float(state, call->final == HZ_FINAL_SUM_FLOAT4);
		case HZ_FINAL_AVG_FLOAT:
		case HZ_FINAL_VAR_POP:
		case HZ_FINAL_VAR_SAMP:
		case HZ_FINAL_STDDEV_POP:
		case HZ_FINAL_STDDEV_SAMP:
			return from_stats(call->final, state, isnull);
		case HZ_FINAL_EXTREME:
			*isnull = ((HzExtreme *) state)->seen == 0;
			return *isnull ? (Datum) 0
						   : hz_aggcall_slot_datum(&call->type, &((HzExtreme *) state)->value);
		case HZ_FINAL_BOOL_AND:
			*isnull = bools->trues + bools->falses == 0;
			return BoolGetDatum(bools->falses == 0);
		case HZ_FINAL_BOOL_OR:
			*isnull = bools->trues + bools->falses == 0;
			return BoolGetDatum(bools->trues > 0);
		case HZ_FINAL_PERCENTILE_CONT:
		case HZ_FINAL_PERCENTILE_DISC:
			return from_collected(call, state, fraction, fraction_null, isnull);
	}
	return (Datum) 0;
}
