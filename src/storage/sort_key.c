/*
 * storage/sort_key.c
 *	  Sort keys: parse, check, store, load, show. See sort_key.h.
 *
 * Texts are parsed as "SELECT 1 ORDER BY <text>", of which only the sort clause is taken. Error positions
 * are moved to the user's part of that.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "storage/sort_key.h"

#define QUERY_PREFIX "SELECT 1 ORDER BY "

/* ---- Settings and error positions */

/* Settings under which stored forms are written and read; undone by AtEOXact_GUC(true, result). */
static int
enter_fixed_settings(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"lc_monetary", "C"},
		{"quote_all_identifiers", "off"},
		{"standard_conforming_strings", "on"},
		{"transform_null_equals", "off"},
		{"array_nulls", "on"},
	};
	int nest_level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

/* Error context callback: positions are those of the text, not of the client's statement. */
static void
move_error_position(void *arg)
{
	int position = geterrposition() - (int) strlen(QUERY_PREFIX);

	if (geterrposition() <= 0)
		return;
	errposition(0);
	internalerrposition(Max(position, 1));
	internalerrquery((const char *) arg);
}

static void
push_position(ErrorContextCallback *callback, const char *text)
{
	callback->callback = move_error_position;
	callback->arg = unconstify(char *, text);
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

static void
pop_position(ErrorContextCallback *callback)
{
	error_context_stack = callback->previous;
}

/* ---- Grammar */

typedef struct RawNames
{
	ParseState *pstate;
	ColumnRef *column; /* the first */
	List *params;      /* of ParamRef */
} RawNames;

static bool
collect_names(Node *node, void *context)
{
	RawNames *names = context;

	if (node == NULL)
		return false;
	if (IsA(node, SubLink))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("order_by must not contain subqueries"),
						parser_errposition(names->pstate, ((SubLink *) node)->location)));
	if (IsA(node, ColumnRef) && names->column == NULL)
		names->column = (ColumnRef *) node;
	if (IsA(node, ParamRef))
		names->params = lappend(names->params, node);
	return raw_expression_tree_walker(node, collect_names, context);
}

/* The SortBy nodes of a text, and what they name. Fills in pstate's source text. */
static List *
parse_raw(ParseState *pstate, const char *text, RawNames *names)
{
	char *query = psprintf(QUERY_PREFIX "%s", text);
	List *statements = raw_parser(query, RAW_PARSE_DEFAULT);
	SelectStmt *select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;

	pstate->p_sourcetext = query;
	if (list_length(statements) != 1 || !IsA(select, SelectStmt) || select->op != SETOP_NONE ||
		select->limitOffset != NULL || select->limitCount != NULL || select->lockingClause != NIL)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("order_by must be a list of expressions and nothing more"),
						errhint("For example: project_id, created_at DESC NULLS LAST")));
	memset(names, 0, sizeof(*names));
	names->pstate = pstate;
	(void) collect_names((Node *) select->sortClause, names);
	return select->sortClause;
}

/* ---- Meaning */

static void
check_kind(ParseState *pstate, int position)
{
	const char *what = NULL;

	if (pstate->p_hasAggs)
		what = "aggregates";
	else if (pstate->p_hasWindowFuncs)
		what = "window functions";
	else if (pstate->p_hasTargetSRFs)
		what = "set-returning functions";
	if (what != NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("order_by must not contain %s", what),
						parser_errposition(pstate, position)));
}

static void
check_columns(ParseState *pstate, TupleDesc desc, Node *expr, int position)
{
	Bitmapset *columns = NULL;
	int member = -1;

	pull_varattnos(expr, 1, &columns);
	if (columns == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("every expression of order_by must refer to a column"),
						parser_errposition(pstate, position)));
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		int attnum = member + FirstLowInvalidHeapAttributeNumber;

		if (attnum == 0)
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("order_by must not refer to the whole row"),
							parser_errposition(pstate, position)));
		if (attnum < 0)
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("order_by must not refer to system columns"),
							parser_errposition(pstate, position)));
		if (TupleDescAttr(desc, attnum - 1)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("order_by must not refer to the virtual generated column \"%s\"",
							NameStr(TupleDescAttr(desc, attnum - 1)->attname)),
					 errhint("Use its expression instead."), parser_errposition(pstate, position)));
	}
}

/* Both as written, which is what is checked on every load, and as planned. */
static void
check_immutable(ParseState *pstate, Node *expr, bool thorough, int position)
{
	if (contain_mutable_functions(expr) ||
		(thorough &&
		 contain_mutable_functions((Node *) expression_planner((Expr *) copyObject(expr)))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("functions in order_by must be immutable"),
				 errhint("For steps of time use date_bin(), or date_trunc() of a column AT TIME "
						 "ZONE 'UTC'."),
				 parser_errposition(pstate, position)));
}

static void
fill_order(ParseState *pstate, HzSortKey *key, int position)
{
	TypeCacheEntry *type;

	key->type = exprType(key->expr);
	key->collation = exprCollation(key->expr);
	if (key->type == RECORDOID)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("order_by must not contain row constructors"),
						errhint("Write a list without parentheses around it."),
						parser_errposition(pstate, position)));
	type = lookup_type_cache(key->type, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	key->sort_operator = key->descending ? type->gt_opr : type->lt_opr;
	if (!OidIsValid(key->sort_operator))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("type %s in order_by has no order", format_type_be(key->type)),
						errhint("A sort key needs a type with a default btree operator class."),
						parser_errposition(pstate, position)));
	if (type_is_collatable(key->type) && !OidIsValid(key->collation))
		ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_COLLATION),
						errmsg("could not determine which collation to use for order_by"),
						errhint("Use the COLLATE clause."), parser_errposition(pstate, position)));
}

static void
check_duplicate(ParseState *pstate, List *keys, HzSortKey *key, int position)
{
	ListCell *cell;

	foreach(cell, keys)
	{
		if (equal(((HzSortKey *) lfirst(cell))->expr, key->expr))
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
							errmsg("order_by must not contain a column or expression twice"),
							parser_errposition(pstate, position)));
	}
}

static List *
transform_keys(ParseState *pstate, List *sort_clause, TupleDesc desc, bool thorough)
{
	List *keys = NIL;
	ListCell *cell;

	foreach(cell, sort_clause)
	{
		SortBy *raw = lfirst_node(SortBy, cell);
		HzSortKey *key = palloc0(sizeof(HzSortKey));
		int position = exprLocation(raw->node);

		if (raw->sortby_dir == SORTBY_USING)
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("order_by must not contain USING"), errhint("Use ASC or DESC."),
							parser_errposition(pstate, raw->location)));
		key->descending = raw->sortby_dir == SORTBY_DESC;
		key->nulls_first = raw->sortby_nulls == SORTBY_NULLS_FIRST ||
						   (raw->sortby_nulls == SORTBY_NULLS_DEFAULT && key->descending);
		key->expr = transformExpr(pstate, raw->node, EXPR_KIND_ORDER_BY);
		assign_expr_collations(pstate, key->expr);
		if (IsA(key->expr, Var))
			key->attnum = ((Var *) key->expr)->varattno;
		check_kind(pstate, position);
		check_columns(pstate, desc, key->expr, position);
		check_immutable(pstate, key->expr, thorough, position);
		fill_order(pstate, key, position);
		check_duplicate(pstate, keys, key, position);
		keys = lappend(keys, key);
	}
	return keys;
}

List *
hz_sort_key_parse(Relation rel, const char *text)
{
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	ErrorContextCallback callback;
	RawNames names;
	List *sort_clause;
	List *keys;

	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock, NULL, false, true);
	addNSItemToQuery(pstate, item, false, true, true);
	push_position(&callback, text);
	sort_clause = parse_raw(pstate, text, &names);
	keys = transform_keys(pstate, sort_clause, RelationGetDescr(rel), true);
	pop_position(&callback);
	return keys;
}

/* ---- The stored form */

typedef struct Numbering
{
	int *inputs;
	int used;
} Numbering;

static Node *
number_columns(Node *node, void *context)
{
	Numbering *numbering = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var *var = (Var *) node;
		Param *param = makeNode(Param);
		int *input = &numbering->inputs[var->varattno - 1];

		if (*input == 0)
			*input = ++numbering->used;
		param->paramkind = PARAM_EXTERN;
		param->paramid = *input;
		param->paramtype = var->vartype;
		param->paramtypmod = var->vartypmod;
		param->paramcollid = var->varcollid;
		param->location = -1;
		return (Node *) param;
	}
	return expression_tree_mutator(node, number_columns, context);
}

char *
hz_sort_key_store(List *keys, int *inputs)
{
	Numbering numbering = {inputs, 0};
	StringInfoData text;
	ListCell *cell;
	int nest_level = enter_fixed_settings();

	initStringInfo(&text);
	foreach(cell, keys)
	{
		HzSortKey *key = lfirst(cell);
		Node *expr = number_columns(key->expr, &numbering);

		if (text.len > 0)
			appendStringInfoString(&text, ", ");
		appendStringInfoString(&text, deparse_expression(expr, NIL, false, false));
		if (key->descending)
			appendStringInfoString(&text, " DESC");
		if (key->nulls_first != key->descending)
			appendStringInfoString(&text, key->nulls_first ? " NULLS FIRST" : " NULLS LAST");
	}
	AtEOXact_GUC(true, nest_level);
	return text.data;
}

/* The raw form of a stored one, whose columns are all numbers within their limits. */
static List *
parse_stored(ParseState *pstate, const char *text, RawNames *names)
{
	List *sort_clause = parse_raw(pstate, text, names);
	ListCell *cell;

	if (names->column != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("order_by in a label must refer to columns as $1, $2, ..."),
				 errdetail("The column that is $1 has a label with \"order_by_input\": 1."),
				 errhint("Call hanzo_datastore.alter_columnar_table(), which takes names and "
						 "writes the labels."),
				 parser_errposition(pstate, names->column->location)));
	foreach(cell, names->params)
	{
		ParamRef *param = lfirst(cell);

		if (param->number < 1 || param->number > MaxHeapAttributeNumber)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_PARAMETER),
							errmsg("there is no column $%d", param->number),
							parser_errposition(pstate, param->location)));
	}
	return sort_clause;
}

Bitmapset *
hz_sort_key_inputs(const char *text)
{
	ParseState *pstate = make_parsestate(NULL);
	ErrorContextCallback callback;
	RawNames names;
	Bitmapset *inputs = NULL;
	ListCell *cell;
	int nest_level = enter_fixed_settings();

	push_position(&callback, text);
	(void) parse_stored(pstate, text, &names);
	pop_position(&callback);
	foreach(cell, names.params)
		inputs = bms_add_member(inputs, ((ParamRef *) lfirst(cell))->number);
	AtEOXact_GUC(true, nest_level);
	return inputs;
}

typedef struct Binding
{
	TupleDesc desc;
	const AttrNumber *bound;
} Binding;

/* p_paramref_hook: $n as a Var. */
static Node *
bind_column(ParseState *pstate, ParamRef *param)
{
	Binding *binding = pstate->p_ref_hook_state;
	AttrNumber attnum = binding->bound[param->number];
	Form_pg_attribute attribute;
	Var *var;

	if (attnum <= 0 || attnum > binding->desc->natts ||
		TupleDescAttr(binding->desc, attnum - 1)->attisdropped)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("a column of order_by has been dropped"),
				 parser_errposition(pstate, param->location)));
	attribute = TupleDescAttr(binding->desc, attnum - 1);
	var = makeVar(1, attnum, attribute->atttypid, attribute->atttypmod, attribute->attcollation, 0);
	var->location = param->location;
	return (Node *) var;
}

List *
hz_sort_key_load(TupleDesc desc, const char *text, const AttrNumber *bound, bool thorough)
{
	ParseState *pstate = make_parsestate(NULL);
	Binding binding = {desc, bound};
	ErrorContextCallback callback;
	RawNames names;
	List *sort_clause;
	List *keys;
	int nest_level = enter_fixed_settings();

	pstate->p_paramref_hook = bind_column;
	pstate->p_ref_hook_state = &binding;
	push_position(&callback, text);
	sort_clause = parse_stored(pstate, text, &names);
	keys = transform_keys(pstate, sort_clause, desc, thorough);
	pop_position(&callback);
	AtEOXact_GUC(true, nest_level);
	return keys;
}

bool
hz_sort_key_blames(int sqlerrcode)
{
	int category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION ||
		   category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_FEATURE_NOT_SUPPORTED;
}

static int
compare_positions(const ListCell *a, const ListCell *b)
{
	return ((ParamRef *) lfirst(a))->location - ((ParamRef *) lfirst(b))->location;
}

char *
hz_sort_key_show(const char *text, char **names)
{
	ParseState *pstate = make_parsestate(NULL);
	StringInfoData shown;
	RawNames found;
	const char *at;
	ListCell *cell;
	int nest_level = enter_fixed_settings();

	(void) parse_stored(pstate, text, &found);
	AtEOXact_GUC(true, nest_level);
	list_sort(found.params, compare_positions);
	initStringInfo(&shown);
	at = text;
	foreach(cell, found.params)
	{
		ParamRef *param = lfirst(cell);
		const char *name = names[param->number];
		const char *begin = text + param->location - strlen(QUERY_PREFIX);

		appendBinaryStringInfo(&shown, at, (int) (begin - at));
		appendStringInfoString(&shown, name != NULL ? quote_identifier(name) : "<dropped>");
		at = begin + 1 + strspn(begin + 1, "0123456789");
	}
	appendStringInfoString(&shown, at);
	return shown.data;
}
