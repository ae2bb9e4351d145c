/*
 * expr/compile_compare.c
 *	  Comparisons, IN and LIKE.
 *
 * A comparison is known by the btree families of PostgreSQL: the operator's strategy there is what it means. Text is
 * compared byte by byte where its collation says the same: equality under every deterministic one, order
 * under those like C.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "expr/compile_internal.h"

/* What a comparison operator does. */
typedef struct Comparison
{
	HzCompareOp op;
	HzCompareClass class;
	Oid left; /* types it is declared for */
	Oid right;
} Comparison;

/* ---- operators */

/* Btree families (pg_opfamily.dat) and how their types are compared. */
typedef struct Family
{
	Oid family;
	HzCompareClass class;
} Family;

static const Family families[] = {
	{1976, HZ_CLASS_INT},     /* integer_ops */
	{434, HZ_CLASS_INT},      /* datetime_ops */
	{1996, HZ_CLASS_INT},     /* time_ops */
	{1989, HZ_CLASS_UINT32},  /* oid_ops */
	{424, HZ_CLASS_BOOL},     /* bool_ops */
	{1970, HZ_CLASS_FLOAT},   /* float_ops */
	{1994, HZ_CLASS_BYTES},   /* text_ops */
	{428, HZ_CLASS_BYTES},    /* bytea_ops */
	{426, HZ_CLASS_BPCHAR},   /* bpchar_ops */
	{2968, HZ_CLASS_UUID},    /* uuid_ops */
	{1988, HZ_CLASS_NUMERIC}, /* numeric_ops */
};

static bool
find_strategy(Oid opno, HzCompareClass *class, int *strategy)
{
	for (int i = 0; i < (int) lengthof(families); i++)
	{
		*strategy = get_op_opfamily_strategy(opno, families[i].family);
		*class = families[i].class;
		if (*strategy != 0)
			return true;
	}
	return false;
}

/* Whether the class knows the type. */
static bool
is_of_class(Oid typid, HzCompareClass class)
{
	switch (class)
	{
		case HZ_CLASS_INT:
			return typid == INT2OID || typid == INT4OID || typid == INT8OID || typid == DATEOID ||
				   typid == TIMESTAMPOID || typid == TIMESTAMPTZOID || typid == TIMEOID;
		case HZ_CLASS_UINT32:
			return typid == OIDOID;
		case HZ_CLASS_BOOL:
			return typid == BOOLOID;
		case HZ_CLASS_FLOAT:
			return typid == FLOAT4OID || typid == FLOAT8OID;
		case HZ_CLASS_UUID:
			return typid == UUIDOID;
		case HZ_CLASS_BYTES:
			return typid == TEXTOID || typid == BYTEAOID;
		case HZ_CLASS_BPCHAR:
			return typid == BPCHAROID;
		case HZ_CLASS_NUMERIC:
			return typid == NUMERICOID;
	}
	return false;
}

static bool
is_equality(HzCompareOp op)
{
	return op == HZ_EQ || op == HZ_NE;
}

static bool
is_deterministic(Oid collation)
{
	return OidIsValid(collation) && get_collation_isdeterministic(collation);
}

/* Whether bytes decide under the collation. */
static bool
bytes_decide(const Comparison *comparison, Oid collation)
{
	if (comparison->class == HZ_CLASS_BPCHAR || comparison->left == TEXTOID)
		return is_deterministic(collation) &&
			   (is_equality(comparison->op) || hz_compat_collate_is_c(collation));
	return true;
}

/* Whether an operator is a comparison that has a kernel, given its collation. */
static bool
describe(Oid opno, Oid function, Oid collation, Comparison *out)
{
	static const HzCompareOp ops[] = {
		[BTLessStrategyNumber] = HZ_LT,    [BTLessEqualStrategyNumber] = HZ_LE,
		[BTEqualStrategyNumber] = HZ_EQ,   [BTGreaterEqualStrategyNumber] = HZ_GE,
		[BTGreaterStrategyNumber] = HZ_GT,
	};
	int strategy;

	if (opno >= FirstGenbkiObjectId || !hz_compile_replaceable(function))
		return false;
	if (find_strategy(opno, &out->class, &strategy))
		out->op = ops[strategy];
	else
	{
		Oid negator = get_negator(opno);

		if (!OidIsValid(negator) || !find_strategy(negator, &out->class, &strategy) ||
			strategy != BTEqualStrategyNumber)
			return false;
		out->op = HZ_NE;
	}
	op_input_types(opno, &out->left, &out->right);
	return is_of_class(out->left, out->class) && is_of_class(out->right, out->class) &&
		   bytes_decide(out, collation);
}

/* ---- both sides */

static HzCompareOp
commuted(HzCompareOp op)
{
	switch (op)
	{
		case HZ_LT:
			return HZ_GT;
		case HZ_LE:
			return HZ_GE;
		case HZ_GT:
			return HZ_LT;
		case HZ_GE:
			return HZ_LE;
		default:
			return op;
	}
}

static bool
is_datetime(Oid typid)
{
	return typid == DATEOID || typid == TIMESTAMPOID || typid == TIMESTAMPTZOID;
}

/* A date as the timestamp that it is compared as. */
static HzVexpr *
date_to_timestamp(HzVexpr *date)
{
	HzVexpr *node;

	if (date->is_constant)
	{
		hz_vexpr_convert(date, HZ_CONVERT_DATE_TIMESTAMP, TIMESTAMPOID);
		return date;
	}
	node = hz_vexpr_make(TIMESTAMPOID, hz_vexpr_date_compared_value, 1);
	node->args[0] = date;
	node->cost = 1;
	return hz_vexpr_finish(node);
}

/* Makes both sides one type; false where that takes a time zone for every row. */
static bool
unify_times(Oid left_type, HzVexpr **left, Oid right_type, HzVexpr **right)
{
	if (left_type == right_type || !is_datetime(left_type))
		return left_type == right_type || !is_datetime(right_type);
	if (left_type == DATEOID && right_type == TIMESTAMPOID)
		*left = date_to_timestamp(*left);
	else if (left_type == TIMESTAMPOID && right_type == DATEOID)
		*right = date_to_timestamp(*right);
	else if (left_type == TIMESTAMPTZOID && (*right)->is_constant)
		hz_vexpr_convert(*right,
						 right_type == DATEOID ? HZ_CONVERT_DATE_TIMESTAMPTZ
											   : HZ_CONVERT_TIMESTAMP_TIMESTAMPTZ,
						 TIMESTAMPTZOID);
	else
		return false;
	return true;
}

static bool
fits_class(const HzVexpr *node, HzCompareClass class)
{
	switch (class)
	{
		case HZ_CLASS_INT:
			return node->kind == HZ_KIND_INT16 || node->kind == HZ_KIND_INT32 ||
				   node->kind == HZ_KIND_INT64;
		case HZ_CLASS_UINT32:
			return node->kind == HZ_KIND_INT32;
		case HZ_CLASS_BOOL:
			return node->kind == HZ_KIND_BOOL;
		case HZ_CLASS_FLOAT:
			return node->kind == HZ_KIND_FLOAT32 || node->kind == HZ_KIND_FLOAT64;
		case HZ_CLASS_UUID:
			return node->kind == HZ_KIND_FIXED;
		case HZ_CLASS_NUMERIC:
			return node->kind == HZ_KIND_NUMERIC;
		default:
			return node->kind == HZ_KIND_BYTES;
	}
}

static uint16
cost_of(HzCompareClass class)
{
	switch (class)
	{
		case HZ_CLASS_BYTES:
		case HZ_CLASS_BPCHAR:
		case HZ_CLASS_NUMERIC:
			return 5;
		case HZ_CLASS_UUID:
			return 2;
		default:
			return 1;
	}
}

HzVexpr *
hz_compile_compare(HzCompiler *compiler, OpExpr *op)
{
	Comparison comparison;
	HzVexpr *node;
	HzVexpr *left;
	HzVexpr *right;

	if (list_length(op->args) != 2 ||
		!describe(op->opno, op->opfuncid, op->inputcollid, &comparison))
		return NULL;
	left = hz_compile_node(compiler, linitial(op->args));
	right = hz_compile_node(compiler, lsecond(op->args));
	if (left == NULL || right == NULL)
		return NULL;
	if (left->is_constant)
	{
		HzVexpr *swap = left;
		Oid type = comparison.left;

		left = right;
		right = swap;
		comparison.left = comparison.right;
		comparison.right = type;
		comparison.op = commuted(comparison.op);
	}
	if (!unify_times(comparison.left, &left, comparison.right, &right) ||
		!fits_class(left, comparison.class) || !fits_class(right, comparison.class))
		return NULL;
	node = hz_vexpr_make(BOOLOID, hz_vexpr_compare_value, 2);
	node->args[0] = left;
	node->args[1] = right;
	node->op = (int) comparison.op;
	node->class = (int) comparison.class;
	node->cost = cost_of(comparison.class);
	return hz_vexpr_finish(node);
}

/* ---- IN */

HzVexpr *
hz_compile_in(HzCompiler *compiler, ScalarArrayOpExpr *op)
{
	Expr *array = lsecond(op->args);
	Comparison comparison;
	HzVexpr *node;

	if (contain_var_clause((Node *) array) ||
		!describe(op->opno, op->opfuncid, op->inputcollid, &comparison) ||
		comparison.op != (op->useOr ? HZ_EQ : HZ_NE) ||
		(comparison.left != comparison.right && is_datetime(comparison.left)))
		return NULL;
	/* evaluated at binding: a Const, or a harmless run-time constant */
	if (!IsA(array, Const) && hz_compile_runtime(compiler, array) == NULL)
		return NULL;
	node = hz_vexpr_make(BOOLOID, hz_vexpr_in_value, 1);
	node->args[0] = hz_compile_node(compiler, linitial(op->args));
	node->op = !op->useOr;
	node->class = (int) comparison.class;
	node->cost = 2 * cost_of(comparison.class);
	if (hz_vexpr_finish(node) == NULL || !fits_class(node->args[0], comparison.class))
		return NULL;
	hz_compile_set(compiler, node, array);
	return node;
}

/* ---- LIKE */

/* An escape character at the end is an error; nothing else may be wrong with a pattern. */
static bool
may_end_in_escape(Node *pattern)
{
	Const *constant = (Const *) pattern;
	text *value;
	int escapes = 0;

	if (!IsA(pattern, Const))
		return true;
	if (constant->constisnull)
		return false;
	value = DatumGetTextPP(constant->constvalue);
	while (escapes < (int) VARSIZE_ANY_EXHDR(value) &&
		   VARDATA_ANY(value)[VARSIZE_ANY_EXHDR(value) - 1 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 1;
}

HzVexpr *
hz_compile_like(HzCompiler *compiler, Oid function, Oid collation, List *args)
{
	HzVexpr *node;
	int op;

	if (function == F_TEXTLIKE || function == F_LIKE_TEXT_TEXT || function == F_BPCHARLIKE)
		op = 0;
	else if (function == F_TEXTNLIKE || function == F_NOTLIKE_TEXT_TEXT ||
			 function == F_BPCHARNLIKE)
		op = 1;
	else if (function == F_STARTS_WITH)
		op = 2;
	else
		return NULL;
	if (!is_deterministic(collation) || !hz_compile_is_constant(compiler, lsecond(args)) ||
		(GetDatabaseEncoding() != PG_UTF8 && pg_database_encoding_max_length() != 1))
		return NULL;
	node = hz_vexpr_make(BOOLOID, hz_vexpr_like_value, 2);
	node->args[0] = hz_compile_node(compiler, linitial(args));
	node->args[1] = hz_compile_node(compiler, lsecond(args));
	node->op = op;
	node->number = GetDatabaseEncoding() == PG_UTF8;
	node->cost = 20;
	node->can_fail = op != 2 && may_end_in_escape(lsecond(args));
	return hz_vexpr_finish(node);
}
