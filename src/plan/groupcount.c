/*
 * plan/groupcount.c
 *	  Bounds of the number of values of expressions. See groupcount.h.
 *
 * date_trunc('hour', t) has as many values as there are hours between the least and the greatest t that statistics know. PostgreSQL counts the
 * values of t, some millions: with these, sorting all rows looks cheaper than grouping them and sorting the groups.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/timestamp.h"

#include "expr/compile.h"
#include "plan/groupcount.h"

#define TRUTH 3 /* values of a boolean, null is one */

static double bound_of(PlannerInfo *root, Node *expr);

/* ---- the time between the least and the greatest value */

/* The time that a function's result moves along with; NULL: it is no such function. */
static Node *
moved_time(const FuncExpr *function)
{
	switch (function->funcid)
	{
		case F_TIMEZONE_TEXT_TIMESTAMPTZ:
		case F_TIMEZONE_TEXT_TIMESTAMP:
			return lsecond(function->args);
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_TIMESTAMP_DATE:
		case F_TIMESTAMPTZ_DATE:
		case F_DATE_TIMESTAMP:
		case F_DATE_TIMESTAMPTZ:
			return linitial(function->args);
		default:
			return NULL;
	}
}

/* The column behind a time, or NULL. */
static Var *
time_column(Node *time)
{
	while (time != NULL && !IsA(time, Var))
	{
		if (IsA(time, RelabelType))
			time = (Node *) ((RelabelType *) time)->arg;
		else
			time = IsA(time, FuncExpr) ? moved_time((FuncExpr *) time) : NULL;
	}
	return (Var *) time;
}

/* A statistics value in microseconds; infinity where it is none. */
static double
microseconds(Oid type, Datum value)
{
	if (type == DATEOID)
		return DATE_NOT_FINITE(DatumGetDateADT(value))
				   ? INFINITY
				   : (double) DatumGetDateADT(value) * (double) USECS_PER_DAY;
	return TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) ? INFINITY
														  : (double) DatumGetTimestamp(value);
}

/* Between the first and the last value that statistics have of a time column; infinity: unknown. */
static double
known_span(HeapTuple statistics, Oid type)
{
	static const int kinds[] = {STATISTIC_KIND_HISTOGRAM, STATISTIC_KIND_MCV};
	double low = INFINITY;
	double high = -INFINITY;

	for (int k = 0; k < (int) lengthof(kinds); k++)
	{
		AttStatsSlot slot;

		if (!get_attstatsslot(&slot, statistics, kinds[k], InvalidOid, ATTSTATSSLOT_VALUES))
			continue;
		for (int i = 0; i < slot.nvalues; i++)
		{
			double value = microseconds(type, slot.values[i]);

			if (isinf(value))
				continue;
			low = Min(low, value);
			high = Max(high, value);
		}
		free_attstatsslot(&slot);
	}
	return high >= low ? high - low : INFINITY;
}

/* What the query's conditions on nothing but this column leave of its values, as a share. */
static double
share_of(PlannerInfo *root, const Var *column)
{
	RelOptInfo *rel = root->simple_rel_array[column->varno];
	List *clauses = NIL;
	ListCell *lc;

	if (rel == NULL)
		return 1;
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *condition = lfirst(lc);
		List *vars = pull_var_clause((Node *) condition->clause, 0);
		bool others = false;
		ListCell *cell;

		foreach(cell, vars)
			others = others || ((Var *) lfirst(cell))->varattno != column->varattno;
		if (vars != NIL && !others)
			clauses = lappend(clauses, condition);
	}
	return clauses == NIL
			   ? 1
			   : clauselist_selectivity(root, clauses, (int) column->varno, JOIN_INNER, NULL);
}

/* The time that the rows of the query are in, in microseconds; infinity: unknown. */
static double
span_of(PlannerInfo *root, Node *time)
{
	Var *column = time_column(time);
	VariableStatData data;
	double span = INFINITY;

	if (column == NULL || column->varlevelsup != 0 || column->varno <= 0 ||
		(int) column->varno >= root->simple_rel_array_size ||
		(column->vartype != TIMESTAMPTZOID && column->vartype != TIMESTAMPOID &&
		 column->vartype != DATEOID))
		return INFINITY;
	examine_variable(root, (Node *) column, 0, &data);
	if (HeapTupleIsValid(data.statsTuple))
		span = known_span(data.statsTuple, column->vartype);
	ReleaseVariableStats(data);
	return isinf(span) ? span : span * share_of(root, column);
}

/* Buckets of that many microseconds, one that is cut off at each end, and null. */
static double
buckets_of(PlannerInfo *root, Node *time, double width)
{
	return width > 0 ? span_of(root, time) / width + 3 : INFINITY;
}

/* ---- units, fields */

static const Const *
constant_arg(const FuncExpr *function, int i)
{
	const Const *constant = list_nth(function->args, i);

	return IsA(constant, Const) && !constant->constisnull ? constant : NULL;
}

/* Microseconds of a unit of date_trunc(), at least; 0: some other. */
static double
width_of_unit(int unit)
{
	switch (unit)
	{
		case DTK_MILLISEC:
			return 1000;
		case DTK_SECOND:
			return USECS_PER_SEC;
		case DTK_MINUTE:
			return USECS_PER_MINUTE;
		case DTK_HOUR:
			return USECS_PER_HOUR;
		case DTK_DAY:
			return USECS_PER_DAY;
		case DTK_WEEK:
			return 7.0 * USECS_PER_DAY;
		case DTK_MONTH:
			return 28.0 * USECS_PER_DAY;
		case DTK_QUARTER:
			return 90.0 * USECS_PER_DAY;
		case DTK_YEAR:
			return 365.0 * USECS_PER_DAY;
		case DTK_DECADE:
			return 3652.0 * USECS_PER_DAY;
		case DTK_CENTURY:
			return 36524.0 * USECS_PER_DAY;
		case DTK_MILLENNIUM:
			return 365242.0 * USECS_PER_DAY;
		default:
			return 0;
	}
}

/* Values of a field of extract() that comes again and again; infinity: some other. */
static double
values_of_field(int field)
{
	switch (field)
	{
		case DTK_MINUTE:
			return 60;
		case DTK_HOUR:
			return 24;
		case DTK_DAY:
			return 31;
		case DTK_WEEK:
			return 53;
		case DTK_MONTH:
			return 12;
		case DTK_QUARTER:
			return 4;
		case DTK_DOW:
		case DTK_ISODOW:
			return 7;
		case DTK_DOY:
			return 366;
		default:
			return INFINITY;
	}
}

static double
fields_of(PlannerInfo *root, const FuncExpr *function)
{
	int field;

	if (!hz_time_unit(constant_arg(function, 0), &field))
		return INFINITY;
	if (field == DTK_YEAR)
		return buckets_of(root, lsecond(function->args), width_of_unit(field));
	return values_of_field(field) + 1;
}

static double
bins_of(PlannerInfo *root, const FuncExpr *function)
{
	const Const *stride = constant_arg(function, 0);
	const Interval *interval;

	if (stride == NULL)
		return INFINITY;
	interval = DatumGetIntervalP(stride->constvalue);
	return buckets_of(root, lsecond(function->args),
					  (double) interval->time + (double) interval->day * (double) USECS_PER_DAY);
}

static double
truncations_of(PlannerInfo *root, const FuncExpr *function)
{
	int unit;

	return hz_time_unit(constant_arg(function, 0), &unit)
			   ? buckets_of(root, lsecond(function->args), width_of_unit(unit))
			   : INFINITY;
}

/* to_char() of a time: buckets of its shortest field, or combinations of its fields if there is no year. */
static double
texts_of(PlannerInfo *root, const FuncExpr *function)
{
	static const int fields[] = {DTK_MINUTE, DTK_HOUR, DTK_DAY, DTK_MONTH};
	const Const *format = constant_arg(function, 1);
	HzFormatFields known;
	double texts = 1;

	if (format == NULL || !hz_format_fields(format, &known) || known.second)
		return INFINITY;
	if (known.year)
		return buckets_of(root, linitial(function->args),
						  width_of_unit(known.minute  ? DTK_MINUTE
										: known.hour  ? DTK_HOUR
										: known.day   ? DTK_DAY
										: known.month ? DTK_MONTH
													  : DTK_YEAR));
	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		const bool has[] = {known.minute, known.hour, known.day, known.month};

		texts *= has[i] ? values_of_field(fields[i]) : 1;
	}
	return texts + 1;
}

/* floor(extract(epoch FROM time) / seconds). */
static double
floors_of(PlannerInfo *root, const FuncExpr *function)
{
	const OpExpr *quotient = linitial(function->args);
	const FuncExpr *epoch;
	const Const *divisor;
	int field;

	if (!IsA(quotient, OpExpr) || quotient->opfuncid != F_NUMERIC_DIV)
		return INFINITY;
	epoch = linitial(quotient->args);
	divisor = lsecond(quotient->args);
	if (!IsA(epoch, FuncExpr) || !IsA(divisor, Const) || divisor->constisnull ||
		(epoch->funcid != F_EXTRACT_TEXT_TIMESTAMP && epoch->funcid != F_EXTRACT_TEXT_TIMESTAMPTZ))
		return INFINITY;
	if (!hz_time_unit(constant_arg(epoch, 0), &field) || field != DTK_EPOCH)
		return INFINITY;
	return buckets_of(
		root, lsecond(epoch->args),
		DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, divisor->constvalue)) *
			(double) USECS_PER_SEC);
}

static double
bound_of_function(PlannerInfo *root, const FuncExpr *function)
{
	switch (function->funcid)
	{
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ_TEXT:
			return truncations_of(root, function);
		case F_DATE_BIN_INTERVAL_TIMESTAMP_TIMESTAMP:
		case F_DATE_BIN_INTERVAL_TIMESTAMPTZ_TIMESTAMPTZ:
			return bins_of(root, function);
		case F_EXTRACT_TEXT_DATE:
		case F_EXTRACT_TEXT_TIMESTAMP:
		case F_EXTRACT_TEXT_TIMESTAMPTZ:
		case F_DATE_PART_TEXT_TIMESTAMP:
		case F_DATE_PART_TEXT_TIMESTAMPTZ:
			return fields_of(root, function);
		case F_DATE_TIMESTAMP:
		case F_DATE_TIMESTAMPTZ:
			return buckets_of(root, linitial(function->args), USECS_PER_DAY);
		case F_TO_CHAR_TIMESTAMP_TEXT:
		case F_TO_CHAR_TIMESTAMPTZ_TEXT:
			return texts_of(root, function);
		case F_FLOOR_NUMERIC:
			return floors_of(root, function);
		default:
			return INFINITY;
	}
}

/* ---- expressions */

/* Of what is a function of all of these. */
static double
product_of(PlannerInfo *root, List *args)
{
	double product = 1;
	ListCell *lc;

	foreach(lc, args)
		product *= bound_of(root, lfirst(lc));
	return product;
}

/* Of what is one of these. */
static double
sum_of(PlannerInfo *root, List *args)
{
	double sum = 0;
	ListCell *lc;

	foreach(lc, args)
		sum += bound_of(root, lfirst(lc));
	return sum;
}

static double
bound_of_case(PlannerInfo *root, const CaseExpr *expr)
{
	double sum = expr->defresult != NULL ? bound_of(root, (Node *) expr->defresult) : 1;
	ListCell *lc;

	foreach(lc, expr->args)
		sum += bound_of(root, (Node *) lfirst_node(CaseWhen, lc)->result);
	return sum;
}

/* Values that an expression without volatile functions can have, null included; infinity: any number. */
static double
bound_of(PlannerInfo *root, Node *expr)
{
	check_stack_depth();
	switch (nodeTag(expr))
	{
		case T_Const:
		case T_Param:
			return 1;
		case T_RelabelType:
			return bound_of(root, (Node *) ((RelabelType *) expr)->arg);
		case T_CollateExpr:
			return bound_of(root, (Node *) ((CollateExpr *) expr)->arg);
		case T_CoerceViaIO:
			return bound_of(root, (Node *) ((CoerceViaIO *) expr)->arg);
		case T_FuncExpr:
			return Min(bound_of_function(root, (FuncExpr *) expr),
					   product_of(root, ((FuncExpr *) expr)->args));
		case T_OpExpr:
			return Min(exprType(expr) == BOOLOID ? TRUTH : INFINITY,
					   product_of(root, ((OpExpr *) expr)->args));
		case T_NullIfExpr:
			return product_of(root, ((NullIfExpr *) expr)->args);
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_ScalarArrayOpExpr:
		case T_DistinctExpr:
			return TRUTH;
		case T_CaseExpr:
			return bound_of_case(root, (CaseExpr *) expr);
		case T_CoalesceExpr:
			return sum_of(root, ((CoalesceExpr *) expr)->args);
		case T_MinMaxExpr:
			return sum_of(root, ((MinMaxExpr *) expr)->args) + 1;
		default:
			return INFINITY;
	}
}

double
hz_groupcount(PlannerInfo *root, List *exprs, double rows)
{
	double estimate = estimate_num_groups(root, exprs, rows, NULL, NULL);
	double bounded = 1;
	List *others = NIL;
	ListCell *lc;

	foreach(lc, exprs)
	{
		double bound =
			contain_volatile_functions(lfirst(lc)) ? INFINITY : bound_of(root, lfirst(lc));

		if (isinf(bound))
			others = lappend(others, lfirst(lc));
		else
			bounded *= bound;
	}
	if (list_length(others) == list_length(exprs))
		return estimate;
	if (others != NIL)
		bounded *= estimate_num_groups(root, others, rows, NULL, NULL);
	return clamp_row_est(Min(estimate, bounded));
}
