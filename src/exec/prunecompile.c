/*
 * exec/prunecompile.c
 *	  Quals to HzPrune. See prunecompile.h.
 *
 * Each condition with something to evaluate is a Comparison: its node of the tree, the operator that the qual has, and
 * an expression, which hz_prunecompile_bind() turns into the node's values. Binding may turn the node into NEVER or
 * ALWAYS, for a null or an empty array.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "exec/prunecompile.h"
#include "rollup/stale.h"
#include "storage/options.h"

typedef enum Operand
{
	OPERAND_VALUE,
	OPERAND_ANY,    /* an array: true for one of its elements */
	OPERAND_ALL,    /* an array: true for all of its elements */
	OPERAND_PATTERN /* of LIKE */
} Operand;

typedef struct Comparison
{
	HzPruneNode *node;
	HzPruneOp op;
	Operand operand;
	Oid type; /* of a value */
	bool varies;
	ExprState *expr;
} Comparison;

struct HzPruneCompile
{
	HzPrune prune;
	TupleDesc desc;
	HzColumnType *types;
	Index varno;
	PlanState *owner; /* NULL: the planner asks */
	List *comparisons;
	uint8 *sets; /* by column, how many are asked for */
	bool useful; /* some node is more than UNKNOWN */
	bool bound;
	MemoryContext fixed;   /* values that stay for the whole scan */
	MemoryContext varying; /* values of this bind */
};

static HzPruneNode *compile(HzPruneCompile *compiled, Node *qual);

/* ---- What is constant */

/*
 * Functions of constants that may be evaluated before any row has asked for it. Arithmetic on times fails out of
 * range only, and then every row that is looked at fails likewise.
 */
static bool
is_tame_function(Oid function)
{
	switch (function)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_INT4_INT2:
		case F_INT8_INT2:
		case F_INT8_INT4:
		case F_NUMERIC_INT2:
		case F_NUMERIC_INT4:
		case F_NUMERIC_INT8:
		case F_FLOAT8_INT2:
		case F_FLOAT8_INT4:
		case F_FLOAT8_INT8:
		case F_FLOAT8_FLOAT4:
		case F_DATE_PLI:
		case F_DATE_MII:
		case F_DATE_PL_INTERVAL:
		case F_DATE_MI_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_DATE_TIMESTAMP:
		case F_DATE_TIMESTAMPTZ:
		case F_TIMESTAMP_DATE:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMPTZ_TIMESTAMP:
			return true;
		default:
			return function >= FirstNormalObjectId && hz_stale_is_live_from(function);
	}
}

typedef struct Constancy
{
	bool planning;
	Index varno;
	bool by_scan; /* out: a new scan may have another value */
} Constancy;

/* Whether an expression contains anything that is not constant while the scan runs, or not safe to evaluate early. */
static bool
varies_by_row(Node *node, void *context)
{
	Constancy *constancy = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			/* of an outer relation: the plan will have a parameter here */
			return !constancy->planning || ((Var *) node)->varno == (int) constancy->varno;
		case T_Const:
		case T_SQLValueFunction:
			return false;
		case T_Param:
			if (((Param *) node)->paramkind == PARAM_EXEC)
				constancy->by_scan = true;
			else if (((Param *) node)->paramkind != PARAM_EXTERN)
				return true;
			return false;
		case T_FuncExpr:
			if (!is_tame_function(((FuncExpr *) node)->funcid))
				return true;
			break;
		case T_OpExpr:
			if (!is_tame_function(get_opcode(((OpExpr *) node)->opno)))
				return true;
			break;
		case T_RelabelType:
		case T_List:
			break;
		case T_ArrayExpr:
			if (((ArrayExpr *) node)->multidims)
				return true;
			break;
		case T_ArrayCoerceExpr:
			/* each element is relabelled, no more */
			if (!IsA(((ArrayCoerceExpr *) node)->elemexpr, RelabelType) ||
				!IsA(((RelabelType *) ((ArrayCoerceExpr *) node)->elemexpr)->arg, CaseTestExpr))
				return true;
			return varies_by_row((Node *) ((ArrayCoerceExpr *) node)->arg, context);
		default:
			return true;
	}
	return expression_tree_walker(node, varies_by_row, context);
}

bool
hz_prunecompile_is_constant(Node *expression)
{
	Constancy constancy = {.planning = false};

	return !varies_by_row(expression, &constancy);
}

/* ---- Leaves */

static HzPruneNode *
make_node(HzPruneOp op)
{
	HzPruneNode *node = palloc0(sizeof(HzPruneNode));

	node->op = op;
	node->group = HZ_PRUNE_SOME;
	return node;
}

static HzPruneNode *
unknown(void)
{
	return make_node(HZ_PRUNE_UNKNOWN);
}

/* The column that an expression is, 0-based, whatever type it is taken for; -1: none. */
static int
column_of(HzPruneCompile *compiled, Node *expr)
{
	Var *var;

	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	if (!IsA(expr, Var))
		return -1;
	var = (Var *) expr;
	if (var->varno != (int) compiled->varno || var->varlevelsup != 0 || var->varattno <= 0 ||
		var->varattno > compiled->desc->natts ||
		TupleDescAttr(compiled->desc, var->varattno - 1)->attisdropped)
		return -1;
	return var->varattno - 1;
}

static HzPruneNode *
make_leaf(HzPruneCompile *compiled, HzPruneOp op, int attno)
{
	HzPruneNode *node = make_node(op);

	node->attno = attno;
	node->column = compiled->types[attno];
	return node;
}

/* A leaf that needs no constant. */
static HzPruneNode *
make_test(HzPruneCompile *compiled, HzPruneOp op, int attno)
{
	compiled->useful = true;
	return make_leaf(compiled, op, attno);
}

/* column = true, or false */
static HzPruneNode *
make_boolean(HzPruneCompile *compiled, int attno, bool value)
{
	HzPruneNode *node;

	if (compiled->types[attno].typid != BOOLOID)
		return unknown();
	node = make_test(compiled, HZ_PRUNE_EQUAL, attno);
	node->domain = HZ_PRUNE_INTEGER;
	node->value_count = 1;
	node->values = palloc(sizeof(HzPruneValue));
	hz_prunevalue_set(node->values, node->domain, &node->column, BOOLOID, BoolGetDatum(value),
					  false);
	return node;
}

static HzPruneNode *
make_tree(HzPruneOp op, int count, HzPruneNode **children)
{
	HzPruneNode *node = make_node(op);

	node->child_count = count;
	node->children = palloc(sizeof(HzPruneNode *) * Max(count, 1));
	memcpy(node->children, children, sizeof(HzPruneNode *) * count);
	return node;
}

/* ---- Comparisons */

/* What an operator of the type's default btree family says of a column at its left; UNKNOWN: it is none. */
static HzPruneOp
op_of(Oid opno, Oid *left, Oid *right)
{
	Oid family;
	int strategy;
	Oid equality = opno;

	op_input_types(opno, left, right);
	if (!OidIsValid(*left) || !OidIsValid(*right) || !op_strict(opno))
		return HZ_PRUNE_UNKNOWN;
	family = lookup_type_cache(*left, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
	if (!OidIsValid(family))
		return HZ_PRUNE_UNKNOWN;
	if (!op_in_opfamily(opno, family))
	{
		equality = get_negator(opno);
		if (!OidIsValid(equality) ||
			get_op_opfamily_strategy(equality, family) != BTEqualStrategyNumber)
			return HZ_PRUNE_UNKNOWN;
		return HZ_PRUNE_NOT_EQUAL;
	}
	get_op_opfamily_properties(opno, family, false, &strategy, left, right);
	switch (strategy)
	{
		case BTLessStrategyNumber:
			return HZ_PRUNE_LESS;
		case BTLessEqualStrategyNumber:
			return HZ_PRUNE_LESS_EQUAL;
		case BTEqualStrategyNumber:
			return HZ_PRUNE_EQUAL;
		case BTGreaterEqualStrategyNumber:
			return HZ_PRUNE_GREATER_EQUAL;
		case BTGreaterStrategyNumber:
			return HZ_PRUNE_GREATER;
		default:
			return HZ_PRUNE_UNKNOWN;
	}
}

/* Whether the order of bytes is what the operator means. */
static bool
collation_fits(const HzPruneNode *node, HzPruneOp op, Oid collation)
{
	if (!OidIsValid(collation) || node->domain != HZ_PRUNE_BYTES)
		return true;
	if (op == HZ_PRUNE_EQUAL || op == HZ_PRUNE_NOT_EQUAL || op == HZ_PRUNE_PREFIX)
		return get_collation_isdeterministic(collation);
	return hz_compat_collate_is_c(collation);
}

static HzPruneNode *
add_comparison(HzPruneCompile *compiled, HzPruneNode *node, HzPruneOp op, Operand operand, Oid type,
			   Node *value)
{
	Comparison *comparison;
	Constancy constancy = {compiled->owner == NULL, compiled->varno, false};

	if (varies_by_row(value, &constancy))
		return unknown();
	compiled->useful = true;
	if (compiled->owner == NULL)
		return node;
	comparison = palloc0(sizeof(Comparison));
	comparison->node = node;
	comparison->op = op;
	comparison->operand = operand;
	comparison->type = type;
	comparison->varies = constancy.by_scan;
	comparison->expr = ExecInitExpr((Expr *) value, compiled->owner);
	compiled->comparisons = lappend(compiled->comparisons, comparison);
	return node;
}

/* column op value, column op ANY (array), column op ALL (array) */
static HzPruneNode *
compile_comparison(HzPruneCompile *compiled, Oid opno, Oid collation, Node *column, Node *value,
				   Operand operand)
{
	int attno = column_of(compiled, column);
	HzPruneNode *node;
	HzPruneOp op;
	Oid left;
	Oid right;

	if (attno < 0)
		return unknown();
	op = op_of(opno, &left, &right);
	if (op == HZ_PRUNE_UNKNOWN || (op == HZ_PRUNE_EQUAL && operand == OPERAND_ALL) ||
		(op == HZ_PRUNE_NOT_EQUAL && operand == OPERAND_ANY))
		return unknown();
	node = make_leaf(compiled, op, attno);
	if (!hz_prunevalue_domain(&node->column, left, right, &node->domain) ||
		!collation_fits(node, op, collation))
		return unknown();
	node->bloom = op == HZ_PRUNE_EQUAL &&
				  (node->domain != HZ_PRUNE_TIME || right == node->column.typid) &&
				  hz_options_can_bloom(node->column.typid, collation);
	return add_comparison(compiled, node, op, operand, right, value);
}

/* LIKE and ^@, which say the same of the column under every deterministic collation. */
static HzPruneNode *
compile_pattern(HzPruneCompile *compiled, Oid collation, Node *column, Node *value, Operand operand)
{
	int attno = column_of(compiled, column);
	HzPruneNode *node;

	if (attno < 0)
		return unknown();
	node = make_leaf(compiled, HZ_PRUNE_PREFIX, attno);
	node->domain = HZ_PRUNE_BYTES;
	if (node->column.typid != TEXTOID && node->column.typid != VARCHAROID &&
		node->column.typid != BYTEAOID)
		return unknown();
	if (exprType(value) != (node->column.typid == BYTEAOID ? BYTEAOID : TEXTOID) ||
		!collation_fits(node, HZ_PRUNE_PREFIX, collation))
		return unknown();
	return add_comparison(compiled, node, HZ_PRUNE_PREFIX, operand, exprType(value), value);
}

static HzPruneNode *
compile_op(HzPruneCompile *compiled, OpExpr *op)
{
	Node *left;
	Node *right;
	Oid commuted;

	if (list_length(op->args) != 2)
		return unknown();
	left = linitial(op->args);
	right = lsecond(op->args);
	if (op->opno == OID_TEXT_LIKE_OP || op->opno == OID_BYTEA_LIKE_OP)
		return compile_pattern(compiled, op->inputcollid, left, right, OPERAND_PATTERN);
	if (op->opno == TextPrefixOperator)
		return compile_pattern(compiled, op->inputcollid, left, right, OPERAND_VALUE);
	if (column_of(compiled, left) >= 0)
		return compile_comparison(compiled, op->opno, op->inputcollid, left, right, OPERAND_VALUE);
	commuted = get_commutator(op->opno);
	if (column_of(compiled, right) < 0 || !OidIsValid(commuted))
		return unknown();
	return compile_comparison(compiled, commuted, op->inputcollid, right, left, OPERAND_VALUE);
}

/* ---- Trees */

static HzPruneNode *
compile_bool(HzPruneCompile *compiled, BoolExpr *expr)
{
	HzPruneNode **children;
	ListCell *cell;
	int count = 0;

	if (expr->boolop == NOT_EXPR)
	{
		int attno = column_of(compiled, linitial(expr->args));

		return attno < 0 ? unknown() : make_boolean(compiled, attno, false);
	}
	children = palloc(sizeof(HzPruneNode *) * list_length(expr->args));
	foreach(cell, expr->args)
		children[count++] = compile(compiled, lfirst(cell));
	return make_tree(expr->boolop == AND_EXPR ? HZ_PRUNE_AND : HZ_PRUNE_OR, count, children);
}

static HzPruneNode *
compile_boolean_test(HzPruneCompile *compiled, BooleanTest *test)
{
	int attno = column_of(compiled, (Node *) test->arg);
	HzPruneNode *either[2];

	if (attno < 0)
		return unknown();
	switch (test->booltesttype)
	{
		case IS_TRUE:
			return make_boolean(compiled, attno, true);
		case IS_FALSE:
			return make_boolean(compiled, attno, false);
		case IS_UNKNOWN:
			return make_test(compiled, HZ_PRUNE_IS_NULL, attno);
		case IS_NOT_UNKNOWN:
			return make_test(compiled, HZ_PRUNE_NOT_NULL, attno);
		case IS_NOT_TRUE:
		case IS_NOT_FALSE:
			either[0] = make_boolean(compiled, attno, test->booltesttype == IS_NOT_FALSE);
			either[1] = make_test(compiled, HZ_PRUNE_IS_NULL, attno);
			return make_tree(HZ_PRUNE_OR, 2, either);
	}
	return unknown();
}

static HzPruneNode *
compile_null_test(HzPruneCompile *compiled, NullTest *test)
{
	int attno = column_of(compiled, (Node *) test->arg);

	/* of a composite value it asks for the fields */
	if (attno < 0 || test->argisrow)
		return unknown();
	return make_test(compiled, test->nulltesttype == IS_NULL ? HZ_PRUNE_IS_NULL : HZ_PRUNE_NOT_NULL,
					 attno);
}

static HzPruneNode *
compile(HzPruneCompile *compiled, Node *qual)
{
	check_stack_depth();
	switch (nodeTag(qual))
	{
		case T_BoolExpr:
			return compile_bool(compiled, (BoolExpr *) qual);
		case T_OpExpr:
			return compile_op(compiled, (OpExpr *) qual);
		case T_ScalarArrayOpExpr:
		{
			ScalarArrayOpExpr *op = (ScalarArrayOpExpr *) qual;

			return compile_comparison(compiled, op->opno, op->inputcollid, linitial(op->args),
									  lsecond(op->args), op->useOr ? OPERAND_ANY : OPERAND_ALL);
		}
		case T_FuncExpr:
		{
			FuncExpr *call = (FuncExpr *) qual;

			if (call->funcid != F_STARTS_WITH)
				return unknown();
			return compile_pattern(compiled, call->inputcollid, linitial(call->args),
								   lsecond(call->args), OPERAND_VALUE);
		}
		case T_NullTest:
			return compile_null_test(compiled, (NullTest *) qual);
		case T_BooleanTest:
			return compile_boolean_test(compiled, (BooleanTest *) qual);
		case T_Var:
		{
			int attno = column_of(compiled, qual);

			return attno < 0 ? unknown() : make_boolean(compiled, attno, true);
		}
		case T_Const:
			return make_node(!((Const *) qual)->constisnull &&
									 DatumGetBool(((Const *) qual)->constvalue)
								 ? HZ_PRUNE_ALWAYS
								 : HZ_PRUNE_NEVER);
		default:
			return unknown();
	}
}

static HzPruneCompile *
begin(Relation rel, Index varno, PlanState *owner)
{
	HzPruneCompile *compiled = palloc0(sizeof(HzPruneCompile));

	compiled->desc = RelationGetDescr(rel);
	compiled->types = hz_coltype_for(compiled->desc);
	compiled->varno = varno;
	compiled->owner = owner;
	compiled->sets = palloc0(Max(compiled->desc->natts, 1));
	return compiled;
}

/* The one column on which a tree depends for saying NONE; -1: there is no such column. */
static int
deciding_column(const HzPruneNode *node)
{
	int result = -1;

	if (node->op == HZ_PRUNE_UNKNOWN || node->op == HZ_PRUNE_NEVER || node->op == HZ_PRUNE_ALWAYS)
		return -1;
	if (node->op != HZ_PRUNE_AND && node->op != HZ_PRUNE_OR)
		return node->domain == HZ_PRUNE_OPAQUE ? -1 : node->attno;
	for (int i = 0; i < node->child_count; i++)
	{
		int column = deciding_column(node->children[i]);

		if (node->op == HZ_PRUNE_AND && column >= 0)
			return column;
		if (node->op == HZ_PRUNE_OR && (column < 0 || (i > 0 && column != result)))
			return -1;
		result = column;
	}
	return result;
}

void
hz_prunecompile_columns(List *clauses, Relation rel, Index varno, AttrNumber *columns)
{
	HzPruneCompile *compiled = begin(rel, varno, NULL);
	ListCell *cell;

	foreach(cell, clauses)
		columns[foreach_current_index(cell)] =
			(AttrNumber) (deciding_column(compile(compiled, lfirst(cell))) + 1);
}

HzPruneCompile *
hz_prunecompile(List *quals, Relation rel, Index varno, PlanState *node)
{
	HzPruneCompile *compiled = begin(rel, varno, node);
	HzPrune *prune = &compiled->prune;
	ListCell *cell;

	prune->quals = palloc(sizeof(HzPruneNode *) * Max(list_length(quals), 1));
	prune->pruned = palloc0(sizeof(HzPruneCount) * Max(list_length(quals), 1));
	foreach(cell, quals)
		prune->quals[prune->count++] = compile(compiled, lfirst(cell));
	prune->certain = prune->count;
	if (!compiled->useful)
		return NULL;
	compiled->fixed = AllocSetContextCreate(CurrentMemoryContext, "hanzo pruning constants",
											ALLOCSET_SMALL_SIZES);
	compiled->varying = AllocSetContextCreate(CurrentMemoryContext, "hanzo pruning parameters",
											  ALLOCSET_SMALL_SIZES);
	return compiled;
}

HzPrune *
hz_prunecompile_tree(HzPruneCompile *compiled)
{
	return &compiled->prune;
}

/* ---- Binding */

static void
set_value(HzPruneNode *node, Oid type, Datum datum)
{
	hz_prunevalue_set(&node->values[node->value_count++], node->domain, &node->column, type, datum,
					  node->bloom);
}

/* The bytes that every match of a LIKE pattern begins with; and no more than these, or with anything behind them? */
static void
set_pattern(HzPruneNode *node, Oid type, Datum datum)
{
	HzString *prefix;
	const uint8_t *pattern;
	uint8_t *bytes;
	Size length;
	Size at = 0;

	set_value(node, type, datum);
	prefix = &node->values[0].bytes;
	pattern = prefix->data;
	length = prefix->length;
	bytes = palloc(length + 1);
	prefix->data = bytes;
	prefix->length = 0;
	while (at < length && pattern[at] != '%' && pattern[at] != '_')
	{
		if (pattern[at] == '\\' && at + 1 == length)
		{
			/* an error, as soon as a row is compared with it */
			node->op = HZ_PRUNE_UNKNOWN;
			return;
		}
		at += pattern[at] == '\\';
		bytes[prefix->length++] = pattern[at++];
	}
	if (at == length)
		node->op = HZ_PRUNE_EQUAL;
	node->loose = at < length && !(pattern[at] == '%' && at + 1 == length);
}

/* Of < ANY and the like the easiest element counts, of < ALL the hardest. */
static void
keep_extreme(Comparison *comparison)
{
	HzPruneNode *node = comparison->node;
	bool less = node->op == HZ_PRUNE_LESS || node->op == HZ_PRUNE_LESS_EQUAL;

	if (less == (comparison->operand == OPERAND_ANY))
		node->values[0] = node->values[node->value_count - 1];
	node->value_count = 1;
}

static void
set_array(Comparison *comparison, Datum datum)
{
	HzPruneNode *node = comparison->node;
	bool any = comparison->operand == OPERAND_ANY;
	ArrayType *array = DatumGetArrayTypeP(datum);
	Oid element = ARR_ELEMTYPE(array);
	int16 typlen;
	bool typbyval;
	char typalign;
	Datum *elements;
	bool *nulls;
	int count;
	bool has_null = false;

	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	deconstruct_array(array, element, typlen, typbyval, typalign, &elements, &nulls, &count);
	if (count > 0)
		node->values = palloc_extended(sizeof(HzPruneValue) * count, MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
	{
		has_null |= nulls[i];
		if (!nulls[i])
			set_value(node, comparison->type, elements[i]);
	}
	pfree(elements);
	pfree(nulls);
	if (count == 0 && !any)
		node->op = HZ_PRUNE_ALWAYS;
	else if (node->value_count == 0 || (has_null && !any))
		node->op = HZ_PRUNE_NEVER;
	else
	{
		hz_prune_sort_values(node);
		if (node->op != HZ_PRUNE_EQUAL && node->op != HZ_PRUNE_NOT_EQUAL)
			keep_extreme(comparison);
	}
}

static void
bind_comparison(HzPruneCompile *compiled, Comparison *comparison, ExprContext *econtext)
{
	HzPruneNode *node = comparison->node;
	bool isnull;
	Datum datum = ExecEvalExprSwitchContext(comparison->expr, econtext, &isnull);
	MemoryContext old =
		MemoryContextSwitchTo(comparison->varies ? compiled->varying : compiled->fixed);

	node->op = comparison->op;
	node->loose = false;
	node->value_count = 0;
	node->set.count = 0;
	if (isnull)
		node->op = HZ_PRUNE_NEVER;
	else if (comparison->operand == OPERAND_ANY || comparison->operand == OPERAND_ALL)
		set_array(comparison, datum);
	else
	{
		node->values = palloc(sizeof(HzPruneValue));
		if (comparison->operand == OPERAND_PATTERN)
			set_pattern(node, comparison->type, datum);
		else
			set_value(node, comparison->type, datum);
	}
	MemoryContextSwitchTo(old);
}

/* Whether a node's set is asked for: more of them on one column would push each other out of what its chunks remember. */
static bool
use_set(HzPruneCompile *compiled, HzPruneNode *node)
{
	node->uses_set = node->set.count > 0 && compiled->sets[node->attno] < HZ_VALUE_SETS;
	compiled->sets[node->attno] += node->uses_set;
	return node->uses_set;
}

HzPrune *
hz_prunecompile_bind(HzPruneCompile *compiled, ExprContext *econtext)
{
	ListCell *cell;
	bool has_sets = false;

	MemoryContextReset(compiled->varying);
	memset(compiled->sets, 0, compiled->desc->natts);
	foreach(cell, compiled->comparisons)
	{
		Comparison *comparison = lfirst(cell);

		if (comparison->varies || !compiled->bound)
			bind_comparison(compiled, comparison, econtext);
		has_sets |= use_set(compiled, comparison->node);
	}
	compiled->prune.has_sets = has_sets;
	compiled->bound = true;
	return &compiled->prune;
}
