/*
 * expr/compile_native.c
 *	  Which expressions have kernels.
 *
 * A kernel takes the place of a builtin function or operator, known by its OID, whose strictness and errors it has. An
 * argument may still be a call of the executor.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "expr/compile_internal.h"

/* ---- arithmetic */

typedef struct Arith
{
	Oid function;
	HzArithOp op;
} Arith;

/* Integer functions of all pairs of widths, and floats. */
#define INTS(NAME, op)                                                                      \
	{F_INT2##NAME, op}, {F_INT4##NAME, op}, {F_INT8##NAME, op}, {F_INT24##NAME, op},        \
		{F_INT42##NAME, op}, {F_INT28##NAME, op}, {F_INT82##NAME, op}, {F_INT48##NAME, op}, \
	{                                                                                       \
		F_INT84##NAME, op                                                                   \
	}
#define FLOATS(NAME, op)                                               \
	{F_FLOAT4##NAME, op}, {F_FLOAT8##NAME, op}, {F_FLOAT48##NAME, op}, \
	{                                                                  \
		F_FLOAT84##NAME, op                                            \
	}

static const Arith ariths[] = {
	INTS(PL, HZ_ADD),          INTS(MI, HZ_SUB),          INTS(MUL, HZ_MUL),
	INTS(DIV, HZ_DIV),         FLOATS(PL, HZ_ADD),        FLOATS(MI, HZ_SUB),
	FLOATS(MUL, HZ_MUL),       FLOATS(DIV, HZ_DIV),       {F_INT2MOD, HZ_MOD},
	{F_INT4MOD, HZ_MOD},       {F_INT8MOD, HZ_MOD},       {F_MOD_INT2_INT2, HZ_MOD},
	{F_MOD_INT4_INT4, HZ_MOD}, {F_MOD_INT8_INT8, HZ_MOD},
};

static HzVexpr *
compile_args(HzCompiler *compiler, HzVexpr *node, List *args)
{
	for (int i = 0; i < node->count; i++)
		node->args[i] = hz_compile_node(compiler, list_nth(args, i));
	return hz_vexpr_finish(node);
}

static HzVexpr *
compile_arith(HzCompiler *compiler, Oid function, Oid result, List *args)
{
	for (int i = 0; i < (int) lengthof(ariths); i++)
	{
		HzVexpr *node;

		if (ariths[i].function != function)
			continue;
		node = hz_vexpr_make(result, hz_vexpr_arith_value, 2);
		node->op = (int) ariths[i].op;
		node->can_fail = true;
		node->cost = 1;
		return compile_args(compiler, node, args);
	}
	return NULL;
}

/*
 * Numerics may turn out not to be scaled integers, vector by vector: then the executor computes them, so without it
 * there is no node.
 */
static HzVexpr *
compile_decimal(HzCompiler *compiler, Expr *expr, Oid function, List *args)
{
	HzVexpr *node;

	if (!compiler->executor ||
		(function != F_NUMERIC_ADD && function != F_NUMERIC_SUB && function != F_NUMERIC_MUL))
		return NULL;
	node = hz_vexpr_make(NUMERICOID, hz_vexpr_decimal_arith_value, 3);
	node->args[0] = hz_compile_node(compiler, linitial(args));
	node->args[1] = hz_compile_node(compiler, lsecond(args));
	node->args[2] = hz_compile_fallback(compiler, expr, 5);
	node->op = (int) (function == F_NUMERIC_ADD   ? HZ_ADD
					  : function == F_NUMERIC_SUB ? HZ_SUB
												  : HZ_MUL);
	return hz_vexpr_finish(node);
}

/* x of x / n, n a whole number from 1 on; else the expression itself, and 1. */
static Expr *
dividend(Expr *expr, int64 *divisor)
{
	const OpExpr *quotient = (OpExpr *) expr;
	const Const *constant;
	Numeric value;
	bool error = false;

	*divisor = 1;
	if (!IsA(expr, OpExpr) || quotient->opfuncid != F_NUMERIC_DIV ||
		!hz_compile_replaceable(quotient->opfuncid))
		return expr;
	constant = lsecond(quotient->args);
	if (!IsA(constant, Const) || constant->constisnull)
		return expr;
	value = DatumGetNumeric(constant->constvalue);
	*divisor = numeric_int4_opt_error(value, &error);
	if (error || *divisor < 1 ||
		!DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(value),
										  NumericGetDatum(int64_to_numeric(*divisor)))))
	{
		*divisor = 1;
		return expr;
	}
	return linitial(quotient->args);
}

static HzVexpr *
compile_floor(HzCompiler *compiler, Expr *expr, Oid function, List *args)
{
	HzVexpr *node;

	if (!compiler->executor || function != F_FLOOR_NUMERIC)
		return NULL;
	node = hz_vexpr_make(NUMERICOID, hz_vexpr_floor_value, 2);
	node->args[0] = hz_compile_node(compiler, dividend(linitial(args), &node->number));
	hz_compile_coarse(node->args[0], node->number);
	node->args[1] = hz_compile_fallback(compiler, expr, 2);
	return hz_vexpr_finish(node);
}

/* ---- casts */

static bool
is_number_cast(Oid function, bool *can_fail)
{
	*can_fail = false;
	switch (function)
	{
		case F_INT2_INT4:
		case F_INT2_INT8:
		case F_INT4_INT8:
			*can_fail = true;
			return true;
		case F_INT4_INT2:
		case F_INT8_INT2:
		case F_INT8_INT4:
		case F_INT4_BOOL:
		case F_BOOL_INT4:
		case F_FLOAT4_INT2:
		case F_FLOAT4_INT4:
		case F_FLOAT4_INT8:
		case F_FLOAT8_INT2:
		case F_FLOAT8_INT4:
		case F_FLOAT8_INT8:
		case F_FLOAT8_FLOAT4:
			return true;
		default:
			return false;
	}
}

HzVexpr *
hz_compile_number(HzCompiler *compiler, Expr *expr, Expr *numeric, Oid result)
{
	HzVexpr *node;

	if (!compiler->executor)
		return NULL;
	node = hz_vexpr_make(result, hz_vexpr_number_value, 2);
	node->args[0] = hz_compile_node(compiler, numeric);
	node->args[1] = hz_compile_fallback(compiler, expr, 2);
	return hz_vexpr_finish(node);
}

static HzVexpr *
compile_concat(HzCompiler *compiler, Oid function, List *args)
{
	HzVexpr *node;

	if (function != F_TEXTCAT)
		return NULL;
	node = hz_vexpr_make(TEXTOID, hz_vexpr_concat_value, 2);
	node->can_fail = true;
	node->cost = 15;
	return compile_args(compiler, node, args);
}

static HzVexpr *
compile_cast(HzCompiler *compiler, Expr *expr, Oid function, Oid result, List *args)
{
	HzVexpr *node = NULL;
	bool can_fail = false;

	if (function == F_INT2_NUMERIC || function == F_INT4_NUMERIC || function == F_INT8_NUMERIC ||
		function == F_FLOAT8_NUMERIC)
		return hz_compile_number(compiler, expr, linitial(args), result);
	if (is_number_cast(function, &can_fail))
		node = hz_vexpr_make(result, hz_vexpr_cast_value, 1);
	else if (function == F_NUMERIC_INT2 || function == F_NUMERIC_INT4 || function == F_NUMERIC_INT8)
		node = hz_vexpr_make(result, hz_vexpr_int_to_numeric_value, 1);
	else
		return NULL;
	node->can_fail = can_fail;
	node->cost = 1;
	return compile_args(compiler, node, args);
}

/* ---- lengths */

static HzVexpr *
compile_length(HzCompiler *compiler, Oid function, List *args)
{
	bool bytes = pg_database_encoding_max_length() == 1;
	HzVexpr *node;

	switch (function)
	{
		case F_OCTET_LENGTH_TEXT:
		case F_OCTET_LENGTH_BYTEA:
		case F_OCTET_LENGTH_BPCHAR:
		case F_LENGTH_BYTEA:
			bytes = true;
			break;
		case F_LENGTH_TEXT:
		case F_CHAR_LENGTH_TEXT:
		case F_CHARACTER_LENGTH_TEXT:
			if (!bytes && GetDatabaseEncoding() != PG_UTF8)
				return NULL;
			break;
		default:
			return NULL;
	}
	node = hz_vexpr_make(INT4OID, hz_vexpr_length_value, 1);
	node->op = bytes ? 0 : 1;
	node->cost = bytes ? 1 : 20;
	return compile_args(compiler, node, args);
}

/* ---- logic */

static HzVexpr *
compile_bool(HzCompiler *compiler, BoolExpr *expr)
{
	HzVexpr *node;

	switch (expr->boolop)
	{
		case AND_EXPR:
			node = hz_vexpr_make(BOOLOID, hz_vexpr_and_value, list_length(expr->args));
			node->filter = hz_vexpr_and_filter;
			break;
		case OR_EXPR:
			node = hz_vexpr_make(BOOLOID, hz_vexpr_or_value, list_length(expr->args));
			node->filter = hz_vexpr_or_filter;
			break;
		default:
			node = hz_vexpr_make(BOOLOID, hz_vexpr_not_value, 1);
			node->filter = hz_vexpr_not_filter;
	}
	node->cost = 1;
	return compile_args(compiler, node, expr->args);
}

static HzVexpr *
compile_null_test(HzCompiler *compiler, NullTest *test)
{
	HzVexpr *node = hz_vexpr_make(BOOLOID, hz_vexpr_null_test_value, 1);

	if (test->argisrow || type_is_rowtype(exprType((Node *) test->arg)))
		return NULL;
	node->op = test->nulltesttype == IS_NOT_NULL;
	node->cost = 1;
	return compile_args(compiler, node, list_make1(test->arg));
}

static HzVexpr *
compile_bool_test(HzCompiler *compiler, BooleanTest *test)
{
	/* the results for false, true and null, lowest bit first */
	static const int results[] = {
		[IS_TRUE] = 2,      [IS_NOT_TRUE] = 5, [IS_FALSE] = 1,
		[IS_NOT_FALSE] = 6, [IS_UNKNOWN] = 4,  [IS_NOT_UNKNOWN] = 3,
	};
	HzVexpr *node = hz_vexpr_make(BOOLOID, hz_vexpr_bool_test_value, 1);

	node->op = results[test->booltesttype];
	node->cost = 1;
	return compile_args(compiler, node, list_make1(test->arg));
}

/* ---- choices */

/* CASE x WHEN a is CASE WHEN x = a, with x in a CaseTestExpr that the executor knows how to share: ours does not. */
static HzVexpr *
compile_case(HzCompiler *compiler, CaseExpr *expr)
{
	HzVexpr *node;
	ListCell *lc;
	int i = 0;

	if (expr->arg != NULL || expr->defresult == NULL)
		return NULL;
	node = hz_vexpr_make(expr->casetype, hz_vexpr_case_value, 2 * list_length(expr->args) + 1);
	foreach(lc, expr->args)
	{
		CaseWhen *when = lfirst_node(CaseWhen, lc);

		node->args[i++] = hz_compile_node(compiler, when->expr);
		node->args[i++] = hz_compile_node(compiler, when->result);
	}
	node->args[i] = hz_compile_node(compiler, expr->defresult);
	node->cost = 5;
	return hz_vexpr_finish(node);
}

static HzVexpr *
compile_coalesce(HzCompiler *compiler, CoalesceExpr *expr)
{
	HzVexpr *node =
		hz_vexpr_make(expr->coalescetype, hz_vexpr_coalesce_value, list_length(expr->args));

	node->cost = 3;
	return compile_args(compiler, node, expr->args);
}

static HzVexpr *
compile_json_field(HzCompiler *compiler, Oid function, List *args)
{
	HzVexpr *node;

	if (function != F_JSONB_OBJECT_FIELD_TEXT || !hz_compile_is_constant(compiler, lsecond(args)))
		return NULL;
	node = hz_vexpr_make(TEXTOID, hz_vexpr_json_field_value, 2);
	node->cost = 60;
	return compile_args(compiler, node, args);
}

/* ---- all of them */

static HzVexpr *
compile_column(HzCompiler *compiler, Var *var)
{
	HzVexpr *node = hz_vexpr_make(var->vartype, hz_vexpr_column_value, 0);
	HzColumnType *type = (HzColumnType *) node->type;

	node->column = var->varattno - 1;
	*type = compiler->input->types[node->column];
	node->kind = type->kind;
	node->width = type->width;
	return node;
}

static HzVexpr *
compile_function(HzCompiler *compiler, Expr *expr, Oid function, Oid collation, List *args)
{
	Oid result = exprType((Node *) expr);
	HzVexpr *node;

	if (!hz_compile_replaceable(function))
		return NULL;
	node = compile_arith(compiler, function, result, args);
	if (node == NULL)
		node = compile_decimal(compiler, expr, function, args);
	if (node == NULL)
		node = compile_floor(compiler, expr, function, args);
	if (node == NULL)
		node = hz_compile_span(compiler, expr, function, args);
	if (node == NULL)
		node = hz_compile_date_part(compiler, expr, function, args);
	if (node == NULL)
		node = compile_concat(compiler, function, args);
	if (node == NULL)
		node = compile_cast(compiler, expr, function, result, args);
	if (node == NULL)
		node = hz_compile_time(compiler, function, result, args);
	if (node == NULL)
		node = hz_compile_like(compiler, function, collation, args);
	if (node == NULL)
		node = compile_length(compiler, function, args);
	if (node == NULL)
		node = compile_json_field(compiler, function, args);
	return node;
}

static HzVexpr *
compile_operator(HzCompiler *compiler, OpExpr *op)
{
	HzVexpr *node = hz_compile_compare(compiler, op);

	if (node == NULL)
		node = compile_function(compiler, (Expr *) op, op->opfuncid, op->inputcollid, op->args);
	return node;
}

static HzVexpr *
compile_relabelled(HzCompiler *compiler, Expr *arg, Oid typid)
{
	return hz_vexpr_retype(hz_compile_node(compiler, arg), typid);
}

HzVexpr *
hz_compile_native(HzCompiler *compiler, Expr *expr)
{
	if (IsA(expr, Const))
		return hz_compile_const((Const *) expr);
	if (!contain_var_clause((Node *) expr))
		return hz_compile_runtime(compiler, expr);
	switch (nodeTag(expr))
	{
		case T_Var:
			return compile_column(compiler, (Var *) expr);
		case T_RelabelType:
			return compile_relabelled(compiler, ((RelabelType *) expr)->arg,
									  ((RelabelType *) expr)->resulttype);
		case T_CollateExpr:
			return hz_compile_node(compiler, ((CollateExpr *) expr)->arg);
		case T_BoolExpr:
			return compile_bool(compiler, (BoolExpr *) expr);
		case T_NullTest:
			return compile_null_test(compiler, (NullTest *) expr);
		case T_BooleanTest:
			return compile_bool_test(compiler, (BooleanTest *) expr);
		case T_OpExpr:
			return compile_operator(compiler, (OpExpr *) expr);
		case T_ScalarArrayOpExpr:
			return hz_compile_in(compiler, (ScalarArrayOpExpr *) expr);
		case T_FuncExpr:
			return compile_function(compiler, expr, ((FuncExpr *) expr)->funcid,
									((FuncExpr *) expr)->inputcollid, ((FuncExpr *) expr)->args);
		case T_CaseExpr:
			return compile_case(compiler, (CaseExpr *) expr);
		case T_CoalesceExpr:
			return compile_coalesce(compiler, (CoalesceExpr *) expr);
		default:
			return NULL;
	}
}
