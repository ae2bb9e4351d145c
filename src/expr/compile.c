/*
 * expr/compile.c
 *	  Entry points of the compiler. See compile.h, compile_internal.h.
 *
 * An expression is first made one over columns of the batch alone (prepare): references to a child plan's target list are
 * replaced by what stands there, tableoid by its value. What then remains is either computed by kernels or, in
 * whole subtrees, by the executor.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "expr/compile_internal.h"

/* ---- what can be compiled at all */

bool
hz_compile_has_vectors(Oid typid)
{
	char category = get_typtype(typid);

	return category != TYPTYPE_PSEUDO && category != TYPTYPE_COMPOSITE && !type_is_rowtype(typid);
}

static bool
is_foreign_var(const Var *var, const HzCompileInput *input)
{
	return var->varno != (int) input->varno || var->varlevelsup != 0 || var->varattno <= 0 ||
		   var->varattno > input->desc->natts ||
		   TupleDescAttr(input->desc, var->varattno - 1)->attisdropped ||
		   !hz_compile_has_vectors(var->vartype);
}

static bool
is_unsupported(Node *node, void *input)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			return is_foreign_var((Var *) node, input);
		case T_Param:
			return ((Param *) node)->paramkind != PARAM_EXTERN &&
				   ((Param *) node)->paramkind != PARAM_EXEC;
		case T_Aggref:
		case T_GroupingFunc:
		case T_WindowFunc:
		case T_SubLink:
		case T_SubPlan:
		case T_AlternativeSubPlan:
		case T_CurrentOfExpr:
		case T_NextValueExpr:
		case T_PlaceHolderVar:
			return true;
		default:
			return expression_tree_walker(node, is_unsupported, input);
	}
}

/* Replaces what stands for something else; a copy. */
static Node *
prepare(Node *node, void *context)
{
	const HzCompileInput *input = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var *var = (Var *) node;

		if (var->varno == OUTER_VAR && input->varno != OUTER_VAR && var->varattno > 0 &&
			var->varattno <= list_length(input->outer_tlist))
		{
			TargetEntry *entry = list_nth(input->outer_tlist, var->varattno - 1);

			return prepare((Node *) entry->expr, context);
		}
		if (var->varattno == TableOidAttributeNumber && var->varno == (int) input->varno &&
			OidIsValid(input->tableoid))
			return (Node *) makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
									  ObjectIdGetDatum(input->tableoid), false, true);
	}
	return expression_tree_mutator(node, prepare, context);
}

bool
hz_compile_replaceable(Oid function)
{
	return function < FirstGenbkiObjectId &&
		   hz_compat_function_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
}

/* ---- nodes */

HzVexpr *
hz_vexpr_make(Oid typid, HzVexprValue value, int count)
{
	HzVexpr *node = palloc0(sizeof(HzVexpr));
	HzColumnType *type = palloc(sizeof(HzColumnType));

	*type = hz_coltype_of(typid);
	node->type = (struct HzColumnType *) type;
	node->kind = type->kind;
	node->width = type->width;
	node->value = value;
	node->threadable = true;
	node->count = (uint16) count;
	node->args = palloc0(sizeof(HzVexpr *) * Max(count, 1));
	return node;
}

HzVexpr *
hz_vexpr_finish(HzVexpr *node)
{
	uint32 cost = node->cost;

	for (int i = 0; i < node->count; i++)
	{
		const HzVexpr *arg = node->args[i];

		if (arg == NULL)
			return NULL;
		node->can_fail |= arg->can_fail;
		node->leaves |= arg->leaves;
		node->threadable &= arg->threadable;
		cost += arg->cost;
	}
	node->cost = (uint16) Min(cost, PG_UINT16_MAX);
	return node;
}

HzVexpr *
hz_vexpr_retype(HzVexpr *node, Oid typid)
{
	HzColumnType *type;

	if (node == NULL)
		return NULL;
	type = palloc(sizeof(HzColumnType));
	*type = hz_coltype_of(typid);
	if (type->kind != node->kind || type->width != node->width)
		return NULL;
	node->type = (struct HzColumnType *) type;
	return node;
}

HzVexpr *
hz_compile_node(HzCompiler *compiler, Expr *expr)
{
	HzVexpr *node;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	compiler->nodes++;
	if (!hz_compile_has_vectors(exprType((Node *) expr)))
		return NULL;
	node = hz_compile_native(compiler, expr);
	if (node == NULL && compiler->executor)
		node = hz_compile_call(compiler, expr);
	return node;
}

/* ---- entry points */

HzVexpr *
hz_compile(const HzCompileInput *input, Expr *expr, bool executor)
{
	HzCompiler compiler = {.input = input, .executor = executor};
	Node *own = prepare((Node *) expr, (void *) input);

	fix_opfuncids(own);
	if (is_unsupported(own, (void *) input) || expression_returns_set(own) ||
		contain_volatile_functions(own))
		return NULL;
	return hz_compile_node(&compiler, (Expr *) own);
}

static Bitmapset *
add_columns(Bitmapset *columns, const HzVexpr *node)
{
	if (node->value == hz_vexpr_column_value)
		columns = bms_add_member(columns, node->column);
	for (int i = 0; i < node->count; i++)
		columns = add_columns(columns, node->args[i]);
	return columns;
}

Bitmapset *
hz_vexpr_columns(const HzVexpr *expr)
{
	return add_columns(NULL, expr);
}

bool
hz_vexpr_is_column(const HzVexpr *expr, int *column)
{
	if (expr->value != hz_vexpr_column_value)
		return false;
	*column = expr->column;
	return true;
}

bool
hz_vexpr_threadable(const HzVexpr *expr)
{
	return expr->threadable;
}

bool
hz_vexpr_leaves(const HzVexpr *expr)
{
	return expr->leaves;
}

bool
hz_vexpr_can_fail(const HzVexpr *expr)
{
	return expr->can_fail;
}

void
hz_vexpr_bind(HzVexpr *expr, ExprContext *econtext)
{
	hz_vexpr_bind_node(expr, econtext);
	for (int i = 0; i < expr->count; i++)
		hz_vexpr_bind(expr->args[i], econtext);
}

void
hz_vexpr_report(HzEvalFailure failure)
{
	static const struct
	{
		int code;
		const char *text; /* PostgreSQL's, so that its translations fit */
	} errors[] = {
		[HZ_EVAL_INT2_RANGE] = {ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "smallint out of range"},
		[HZ_EVAL_INT4_RANGE] = {ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"},
		[HZ_EVAL_INT8_RANGE] = {ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"},
		[HZ_EVAL_FLOAT_OVERFLOW] = {ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
									"value out of range: overflow"},
		[HZ_EVAL_FLOAT_UNDERFLOW] = {ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
									 "value out of range: underflow"},
		[HZ_EVAL_DIVISION_BY_ZERO] = {ERRCODE_DIVISION_BY_ZERO, "division by zero"},
		[HZ_EVAL_TIMESTAMP_RANGE] = {ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range"},
		[HZ_EVAL_DATE_RANGE] = {ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "date out of range"},
		[HZ_EVAL_LIKE_ESCAPE] = {ERRCODE_INVALID_ESCAPE_SEQUENCE,
								 "LIKE pattern must not end with escape character"},
		[HZ_EVAL_INFINITE_DATES] = {ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
									"cannot subtract infinite dates"},
		[HZ_EVAL_DATE_TIMESTAMP_RANGE] = {ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
										  "date out of range for timestamp"},
		[HZ_EVAL_INTERVAL_RANGE] = {ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "interval out of range"},
		[HZ_EVAL_JSON] = {ERRCODE_DATA_CORRUPTED, "damaged jsonb"},
		[HZ_EVAL_LENGTH] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, "out of memory"},
	};

	if ((int) failure < 0 || (int) failure >= (int) lengthof(errors) ||
		errors[failure].text == NULL)
		elog(ERROR, "evaluation of a vector expression failed: %d", (int) failure);
	ereport(ERROR, (errcode(errors[failure].code), errmsg("%s", _(errors[failure].text))));
}

/* ---- quals */

static bool
is_movable(const HzVexpr *node)
{
	return !node->can_fail && node->threadable;
}

static int
by_cost(const ListCell *a, const ListCell *b)
{
	const HzVqual *left = lfirst(a);
	const HzVqual *right = lfirst(b);

	return (int) left->vexpr->cost - (int) right->vexpr->cost;
}

List *
hz_compile_quals(const HzCompileInput *input, List *quals, bool executor, List **rest)
{
	List *first = NIL;
	List *in_order = NIL;
	ListCell *lc;

	*rest = NIL;
	foreach(lc, quals)
	{
		Expr *expr = lfirst(lc);
		HzVexpr *vexpr = hz_compile(input, expr, executor);
		HzVqual *qual;

		if (vexpr == NULL || (*rest != NIL && !is_movable(vexpr)))
		{
			*rest = lappend(*rest, expr);
			continue;
		}
		qual = palloc(sizeof(HzVqual));
		qual->expr = expr;
		qual->vexpr = vexpr;
		qual->place = foreach_current_index(lc);
		if (is_movable(vexpr))
			first = lappend(first, qual);
		else
			in_order = lappend(in_order, qual);
	}
	list_sort(first, by_cost);
	return list_concat(first, in_order);
}
