/*
 * expr/compile_args.c
 *	  What a call of the executor is given: columns, or what kernels make of them.
 *
 * to_char(date_trunc('hour', t), …) is a function of the few hours that a kernel finds, as codes of a dictionary: so the largest
 * subexpressions that have kernels become arguments, and Vars of their own in what is left to the executor. Only those are taken that
 * PostgreSQL evaluates whatever else happens: in the branch of a CASE one might fail for a row that never gets there.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

#include "expr/compile_internal.h"

/* Beyond, arguments are columns: what has no kernel after all is compiled again as an argument, on each level. */
#define MAX_DEPTH 3    /* of calls in the arguments of calls */
#define MAX_NODES 1000 /* of an expression, compiled so far */

typedef struct Arguments
{
	HzCompiler *compiler;
	bool kernels; /* what is below may have them */
	Node *whole;  /* the call itself */
	List *exprs;
	List *nodes; /* HzVexpr of each */
} Arguments;

/* Whether a node's arguments are evaluated each time that it is. */
static bool
evaluates_all(const Node *node)
{
	switch (nodeTag(node))
	{
		case T_List:
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_CollateExpr:
		case T_ArrayExpr:
		case T_RowExpr:
		case T_MinMaxExpr:
		case T_NullTest:
		case T_BooleanTest:
			return true;
		default:
			return false;
	}
}

/* Whether a kernel might be worth its vector. */
static bool
may_have_kernel(const Node *node)
{
	switch (nodeTag(node))
	{
		case T_FuncExpr:
		case T_OpExpr:
		case T_ScalarArrayOpExpr:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CoalesceExpr:
			return contain_var_clause((Node *) node) && hz_compile_has_vectors(exprType(node));
		default:
			return false;
	}
}

/* The Var of an argument. */
static Node *
argument(Arguments *arguments, Node *expr, HzVexpr *node)
{
	arguments->exprs = lappend(arguments->exprs, expr);
	arguments->nodes = lappend(arguments->nodes, node);
	return (Node *) makeVar((int) arguments->compiler->input->varno,
							(AttrNumber) list_length(arguments->exprs), exprType(expr),
							exprTypmod(expr), exprCollation(expr), 0);
}

/* That of an equal one; NULL: there is none yet. */
static Node *
known_argument(Arguments *arguments, Node *expr)
{
	ListCell *lc;

	foreach(lc, arguments->exprs)
	{
		if (equal(lfirst(lc), expr))
			return (Node *) makeVar((int) arguments->compiler->input->varno,
									(AttrNumber) (foreach_current_index(lc) + 1), exprType(expr),
									exprTypmod(expr), exprCollation(expr), 0);
	}
	return NULL;
}

static Node *
take_arguments(Node *node, void *context)
{
	Arguments *arguments = context;
	const bool kernels = arguments->kernels;
	Node *result;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) || (kernels && node != arguments->whole && may_have_kernel(node)))
	{
		HzVexpr *vexpr;

		result = known_argument(arguments, node);
		if (result != NULL)
			return result;
		vexpr = hz_compile_native(arguments->compiler, (Expr *) node);
		if (vexpr != NULL)
			return argument(arguments, node, vexpr);
	}
	arguments->kernels = kernels && evaluates_all(node);
	result = expression_tree_mutator(node, take_arguments, context);
	arguments->kernels = kernels;
	return result;
}

/* A row type of all arguments. */
static TupleDesc
row_type(List *exprs)
{
	TupleDesc desc = CreateTemplateTupleDesc(Max(list_length(exprs), 1));
	ListCell *lc;

	if (exprs == NIL)
		TupleDescInitEntry(desc, 1, NULL, BOOLOID, -1, 0);
	foreach(lc, exprs)
	{
		TupleDescInitEntry(desc, (AttrNumber) (foreach_current_index(lc) + 1), NULL,
						   exprType(lfirst(lc)), exprTypmod(lfirst(lc)), 0);
	}
	return desc;
}

Expr *
hz_compile_arguments(HzCompiler *compiler, Expr *expr, bool kernels, List **nodes, TupleDesc *desc)
{
	Arguments arguments = {.compiler = compiler,
						   .kernels = kernels && compiler->depth < MAX_DEPTH &&
									  compiler->nodes < MAX_NODES,
						   .whole = (Node *) expr};
	Node *left;

	compiler->depth++;
	left = take_arguments((Node *) expr, &arguments);
	compiler->depth--;
	*nodes = arguments.nodes;
	*desc = row_type(arguments.exprs);
	return (Expr *) left;
}
