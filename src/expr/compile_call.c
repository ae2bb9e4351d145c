/*
 * expr/compile_call.c
 *	  What PostgreSQL's executor evaluates: expressions without a kernel, row by row, and constants of a scan.
 *
 * A call's arguments (compile_args.c) are the columns that its expression uses, or what kernels make of them; their values of a row
 * go into a virtual slot. An expression of one argument is evaluated once per dictionary entry in use, and once for null; one of
 * several with dictionaries once per combination of entries. Every evaluation runs in the memory of a tuple, which is reset before the
 * next; results are copied into the batch's or the group's.
 *
 * ExecInitExpr() gets no parent: from the parent it would conclude what kinds of slots there are, and ours is another.
 *
 * Constants of a scan are evaluated by hz_vexpr_bind() only if that can do no harm; what might fail waits, as a call
 * without columns, for the first row that needs it.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "expr/compile_internal.h"

#define CALL_COST 150 /* nanoseconds of an evaluation by the executor, roughly */

typedef struct HzVexprCall HzVexprCall;
struct HzVexprCall
{
	ExprState *state;
	ExprContext *econtext;
	TupleTableSlot *slot;
	bool strict;           /* null if its argument is */
	MemoryContext context; /* of what a binding makes; NULL until the first */
	HzConvert convert;
	HzColumnType element; /* IN: of the array's elements */
	bool is_evaluated;    /* no columns: the node's constant is this binding's */
};

static const HzColumnType *
type_of(const HzVexpr *node)
{
	return (const HzColumnType *) node->type;
}

/* ---- Datums into slots of vectors */

static Size
slot_size(const HzColumnType *type)
{
	return type->kind == HZ_KIND_BYTES || type->kind == HZ_KIND_NUMERIC ? sizeof(HzString)
																		: type->width;
}

/* The bytes of a by-reference value of variable length; not copied unless it has to be detoasted. */
static HzString
datum_bytes(const HzColumnType *type, Datum value)
{
	HzString s;
	struct varlena *varlena;

	if (type->typlen == -2)
	{
		s.data = (const uint8 *) DatumGetCString(value);
		s.length = strlen(DatumGetCString(value));
		return s;
	}
	varlena = PG_DETOAST_DATUM_PACKED(value);
	s.data = (const uint8 *) VARDATA_ANY(varlena);
	s.length = VARSIZE_ANY_EXHDR(varlena);
	return s;
}

/* Bytes are borrowed from the Datum. */
static void
put_datum(const HzColumnType *type, Datum value, void *values, uint32 i)
{
	switch (type->kind)
	{
		case HZ_KIND_BOOL:
			((uint8 *) values)[i] = DatumGetBool(value);
			break;
		case HZ_KIND_INT8:
			((char *) values)[i] = DatumGetChar(value);
			break;
		case HZ_KIND_INT16:
			((int16 *) values)[i] = DatumGetInt16(value);
			break;
		case HZ_KIND_INT32:
			((int32 *) values)[i] = DatumGetInt32(value);
			break;
		case HZ_KIND_INT64:
			((int64 *) values)[i] = DatumGetInt64(value);
			break;
		case HZ_KIND_FLOAT32:
			((float4 *) values)[i] = DatumGetFloat4(value);
			break;
		case HZ_KIND_FLOAT64:
			((float8 *) values)[i] = DatumGetFloat8(value);
			break;
		case HZ_KIND_FIXED:
			memcpy((char *) values + (Size) i * type->width, DatumGetPointer(value), type->width);
			break;
		default:
			((HzString *) values)[i] = datum_bytes(type, value);
	}
}

static bool
has_bytes(const HzColumnType *type)
{
	return type->kind == HZ_KIND_BYTES || type->kind == HZ_KIND_NUMERIC;
}

/* Copies the bytes of all strings into one piece. */
static void
own_bytes(HzString *strings, uint32 count)
{
	Size total = 0;
	uint8 *room;

	for (uint32 i = 0; i < count; i++)
		total += strings[i].length;
	room = MemoryContextAllocHuge(CurrentMemoryContext, total + 1);
	for (uint32 i = 0; i < count; i++)
	{
		if (strings[i].length > 0)
			memcpy(room, strings[i].data, strings[i].length);
		strings[i].data = room;
		room += strings[i].length;
	}
}

void
hz_vexpr_from_datums(const HzColumnType *type, const Datum *values, const bool *isnull,
					 uint32 count, HzVector *out)
{
	Size size = slot_size(type);
	void *slots = MemoryContextAllocExtended(CurrentMemoryContext, size * count + 64,
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint64 *validity = NULL;

	for (uint32 i = 0; i < count; i++)
	{
		if (!isnull[i])
		{
			put_datum(type, values[i], slots, i);
			continue;
		}
		if (validity == NULL)
		{
			Size bytes = sizeof(uint64) * Max(HZ_BITMAP_WORDS(count), HZ_BATCH_WORDS);

			validity = palloc(bytes);
			memset(validity, 0xFF, bytes);
		}
		hz_bitmap_clear(validity, i);
	}
	if (has_bytes(type))
		own_bytes(slots, count);
	memset(out, 0, sizeof(HzVector));
	out->kind = type->kind;
	out->form = HZ_FORM_FLAT;
	out->width = (uint32) size;
	out->count = count;
	out->validity = validity;
	out->values = slots;
	if (type->kind == HZ_KIND_NUMERIC)
		hz_decimal_scale(out, &(HzRows){.count = count});
}

/* ---- constants */

static int64
date_as_timestamptz(DateADT date)
{
	int overflow;
	TimestampTz result = date2timestamptz_opt_overflow(date, &overflow);

	/* beyond all timestamps, but not infinite */
	return overflow > 0 ? PG_INT64_MAX - 1 : overflow < 0 ? PG_INT64_MIN + 1 : result;
}

static int64
timestamp_as_timestamptz(Timestamp timestamp)
{
	int overflow;
	TimestampTz result = timestamp2timestamptz_opt_overflow(timestamp, &overflow);

	return overflow > 0 ? PG_INT64_MAX - 1 : overflow < 0 ? PG_INT64_MIN + 1 : result;
}

static Datum
converted(HzConvert convert, Datum value)
{
	switch (convert)
	{
		case HZ_CONVERT_DATE_TIMESTAMP:
			return Int64GetDatum(hz_date_as_timestamp(DatumGetDateADT(value)));
		case HZ_CONVERT_DATE_TIMESTAMPTZ:
			return Int64GetDatum(date_as_timestamptz(DatumGetDateADT(value)));
		case HZ_CONVERT_TIMESTAMP_TIMESTAMPTZ:
			return Int64GetDatum(timestamp_as_timestamptz(DatumGetTimestamp(value)));
		default:
			return value;
	}
}

/* Makes a value the node's constant; the current context must outlive the binding. */
static void
set_constant(HzVexpr *node, Datum value, bool isnull)
{
	static const bool never = false;

	if (isnull)
	{
		HzEval none = {.rows = 1};

		hz_null_vector(&none, node, &node->constant);
		return;
	}
	value = converted(node->call->convert, value);
	hz_vexpr_from_datums(type_of(node), &value, &never, 1, &node->constant);
	node->constant.form = HZ_FORM_CONSTANT;
}

static HzVexpr *
new_constant(Expr *expr)
{
	HzVexpr *node = hz_vexpr_make(exprType((Node *) expr), hz_vexpr_constant_value, 0);

	node->is_constant = true;
	node->call = palloc0(sizeof(HzVexprCall));
	/* a Const is one, too: it is converted in the session's time zone */
	node->call->state = ExecInitExpr(expr, NULL);
	return node;
}

HzVexpr *
hz_compile_const(Const *constant)
{
	HzVexpr *node = new_constant((Expr *) constant);

	set_constant(node, constant->constvalue, constant->constisnull);
	return node;
}

/* Functions whose evaluation cannot fail, or only for values that no query has in its right mind. */
static bool
is_harmless_function(Oid function)
{
	switch (function)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_TIMESTAMPTZ_PL_INTERVAL:
		case F_TIMESTAMPTZ_MI_INTERVAL:
		case F_TIMESTAMP_PL_INTERVAL:
		case F_TIMESTAMP_MI_INTERVAL:
		case F_DATE_PLI:
		case F_DATE_MII:
		case F_DATE_PL_INTERVAL:
		case F_DATE_MI_INTERVAL:
		case F_DATE_TRUNC_TEXT_TIMESTAMP:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_TIMESTAMPTZ_DATE:
		case F_TIMESTAMP_DATE:
		case F_DATE_TIMESTAMP:
		case F_DATE_TIMESTAMPTZ:
			return true;
		default:
			return false;
	}
}

static bool
may_harm(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Const:
		case T_Param:
		case T_SQLValueFunction:
		case T_RelabelType:
		case T_ArrayExpr:
		case T_List:
			break;
		case T_FuncExpr:
			if (!is_harmless_function(((FuncExpr *) node)->funcid))
				return true;
			break;
		case T_OpExpr:
			if (!is_harmless_function(((OpExpr *) node)->opfuncid))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, may_harm, context);
}

HzVexpr *
hz_compile_runtime(HzCompiler *compiler, Expr *expr)
{
	if (may_harm((Node *) expr, NULL))
		return NULL;
	return new_constant(expr);
}

bool
hz_compile_is_constant(HzCompiler *compiler, Expr *expr)
{
	return IsA(expr, Const) ||
		   (!contain_var_clause((Node *) expr) && !may_harm((Node *) expr, NULL));
}

void
hz_vexpr_convert(HzVexpr *constant, HzConvert convert, Oid typid)
{
	HzColumnType *type = palloc(sizeof(HzColumnType));

	*type = hz_coltype_of(typid);
	constant->type = (struct HzColumnType *) type;
	constant->kind = type->kind;
	constant->width = type->width;
	constant->call->convert = convert;
}

void
hz_compile_set(HzCompiler *compiler, HzVexpr *in, Expr *array)
{
	in->set = palloc0(sizeof(HzVexprSet));
	in->call = palloc0(sizeof(HzVexprCall));
	in->call->state = ExecInitExpr(array, NULL);
	in->call->element = hz_coltype_of(get_element_type(getBaseType(exprType((Node *) array))));
}

static void
set_elements(HzVexpr *in, Datum value)
{
	HzVexprSet *set = in->set;
	const HzColumnType *type = &in->call->element;
	ArrayType *array = DatumGetArrayTypeP(value);
	Datum *elements;
	bool *nulls;
	int count;
	int kept = 0;
	int16 typlen;
	bool typbyval;
	char typalign;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign, &elements, &nulls,
					  &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			elements[kept++] = elements[i];
	memset(nulls, false, count);
	set->has_null = kept < count;
	set->count = (uint32) kept;
	hz_vexpr_from_datums(type, elements, nulls, set->count, &set->elements);
	hz_vexpr_set_finish(set, (HzCompareClass) in->class);
}

/* ---- binding */

static void
init_econtext(HzVexprCall *call, ExprContext *econtext)
{
	ExprContext *own = call->econtext;

	/*
	 * It goes with the expression: one of the query's would stay until its end, with each run of a ColumnarAgg another. What
	 * subqueries give is the query's.
	 */
	if (own == NULL)
		own = CreateStandaloneExprContext();
	own->ecxt_estate = econtext->ecxt_estate;
	own->ecxt_per_query_memory = econtext->ecxt_per_query_memory;
	own->ecxt_param_exec_vals = econtext->ecxt_param_exec_vals;
	own->ecxt_param_list_info = econtext->ecxt_param_list_info;
	own->ecxt_scantuple = own->ecxt_outertuple = call->slot;
	call->econtext = own;
}

/* Empties the memory of the last binding. */
static void
reset_binding(HzVexprCall *call)
{
	if (call->context == NULL)
		call->context = AllocSetContextCreate(CurrentMemoryContext, "hanzo expression constant",
											  ALLOCSET_SMALL_SIZES);
	MemoryContextReset(call->context);
}

/* Evaluates what is constant, in the memory of the binding. */
static void
bind_value(HzVexpr *node, ExprContext *econtext)
{
	HzVexprCall *call = node->call;
	MemoryContext old;
	Datum value;
	bool isnull;

	reset_binding(call);
	old = MemoryContextSwitchTo(call->context);
	value = ExecEvalExpr(call->state, econtext, &isnull);
	if (node->set == NULL)
		set_constant(node, value, isnull);
	else
	{
		memset(node->set, 0, sizeof(HzVexprSet));
		node->set->is_null = isnull;
		if (!isnull)
			set_elements(node, value);
	}
	MemoryContextSwitchTo(old);
}

void
hz_vexpr_bind_node(HzVexpr *node, ExprContext *econtext)
{
	if (node->call == NULL)
		return;
	if (node->is_constant || node->set != NULL)
	{
		bind_value(node, econtext);
		return;
	}
	init_econtext(node->call, econtext);
	if (node->count == 0)
		reset_binding(node->call);
	node->call->is_evaluated = false;
}

/* ---- calls */

/* Puts an argument into the slot; its bytes live in the tuple's memory, which is current. */
static void
fill_argument(const HzVexpr *expr, int c, const HzVector *vector, uint32 row)
{
	TupleTableSlot *slot = expr->call->slot;

	slot->tts_isnull[c] = !hz_vector_valid(vector, row);
	if (!slot->tts_isnull[c])
		slot->tts_values[c] = hz_coltype_datum(type_of(expr->args[c]), vector, row);
}

/* Row `row` of the arguments. */
static void
fill_row(const HzVexpr *expr, const HzVector *columns, uint32 row)
{
	for (int c = 0; c < expr->count; c++)
		fill_argument(expr, c, &columns[c], row);
}

/* A combination of entries of the arguments' dictionaries. */
static void
fill_combination(const HzVexpr *expr, const HzVector *columns, uint32 number)
{
	for (int c = 0; c < expr->count; c++)
	{
		HzVector entries = columns[c];
		uint32 entry;

		if (hz_combination_next(&columns[c], &number, &entry))
		{
			entries.form = HZ_FORM_FLAT;
			entries.validity = NULL;
			fill_argument(expr, c, &entries, entry);
		}
		else
			expr->call->slot->tts_isnull[c] = true;
	}
}

static void
fill_nulls(const HzVexpr *expr, const HzVector *columns, uint32 row)
{
	memset(expr->call->slot->tts_isnull, true,
		   expr->call->slot->tts_tupleDescriptor->natts * sizeof(bool));
}

typedef void (*Fill)(const HzVexpr *expr, const HzVector *columns, uint32 row);

/* Evaluates for what `fill` puts into the slot, and puts the result into slot `at` of the lane; returns the bytes it points to. */
static uint64
evaluate(const HzVexpr *expr, Fill fill, const HzVector *columns, uint32 row, HzLane *lane,
		 uint32 at)
{
	HzVexprCall *call = expr->call;
	MemoryContext old;
	HzString *string = (HzString *) lane->values + at;
	Datum value;
	bool isnull;

	CHECK_FOR_INTERRUPTS();
	ResetExprContext(call->econtext);
	old = MemoryContextSwitchTo(call->econtext->ecxt_per_tuple_memory);
	fill(expr, columns, row);
	value = ExecEvalExpr(call->state, call->econtext, &isnull);
	if (!isnull)
		put_datum(type_of(expr), value, lane->values, at);
	MemoryContextSwitchTo(old);
	if (isnull)
		hz_lane_null(lane, at);
	if (isnull || !has_bytes(type_of(expr)))
		return 0;
	string->data = hz_bump_bytes(lane->memory, string->data, string->length);
	return string->length;
}

static bool
one_column(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	for (uint32 i = 0; i < rows->count; i++)
		hz_eval_keep(eval, lane,
					 evaluate(expr, fill_row, in, hz_rows_at(rows, i), lane, hz_rows_at(rows, i)));
	return true;
}

static bool
one_combination(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
				HzLane *lane)
{
	for (uint32 i = 0; i < rows->count; i++)
		hz_eval_keep(eval, lane,
					 evaluate(expr, fill_combination, eval->combined, hz_rows_at(rows, i), lane,
							  hz_rows_at(rows, i)));
	return true;
}

static bool
any_null(const HzVector *vector, const HzRows *rows)
{
	for (uint32 i = 0; i < rows->count; i++)
	{
		if (!hz_vector_valid(vector, hz_rows_at(rows, i)))
			return true;
	}
	return false;
}

/* One dictionary or constant, of which null rows get what the expression is for null. */
static bool
by_entries(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzVector *out)
{
	HzLane lane;
	uint64 *validity;

	if (!hz_eval_map(eval, expr, one_column, in, rows, out))
		return false;
	if (expr->call->strict || !any_null(in, rows))
		return true;
	lane = hz_lane_make(expr, 1, &eval->batch);
	(void) evaluate(expr, fill_nulls, NULL, 0, &lane, 0);
	if (lane.nulls != NULL)
		return true;
	if (out->validity == hz_no_rows)
		out->values = lane.values;
	out->width = lane.width;
	out->numeric = HZ_NUMERIC_PAYLOAD;
	hz_vector_flatten(eval, out, rows);
	validity = hz_bump_alloc(&eval->batch, sizeof(uint64) * HZ_BATCH_WORDS);
	memcpy(validity, out->validity, sizeof(uint64) * HZ_BITMAP_WORDS(eval->rows));
	for (uint32 i = 0; i < rows->count; i++)
	{
		uint32 row = hz_rows_at(rows, i);

		if (hz_vector_valid(in, row))
			continue;
		hz_bitmap_set(validity, row);
		memcpy((char *) out->values + (Size) row * lane.width, lane.values, lane.width);
	}
	out->validity = validity;
	return true;
}

static bool
by_rows(HzEval *eval, const HzVexpr *expr, const HzVector *columns, const HzRows *rows,
		HzVector *out)
{
	HzLane lane = hz_lane_make(expr, eval->rows, &eval->batch);

	for (uint32 i = 0; i < rows->count; i++)
		(void) evaluate(expr, fill_row, columns, hz_rows_at(rows, i), &lane, hz_rows_at(rows, i));
	hz_lane_vector(eval, expr, &lane, HZ_FORM_FLAT, out);
	if (lane.nulls != NULL)
	{
		uint64 *validity = lane.nulls;

		for (uint32 w = 0; w < HZ_BITMAP_WORDS(eval->rows); w++)
			validity[w] = ~validity[w];
		out->validity = validity;
	}
	if (expr->kind == HZ_KIND_NUMERIC)
		hz_decimal_scale(out, rows);
	return true;
}

/* A constant that waited for the first row that needs it. */
static void
evaluate_constant(HzVexpr *node)
{
	HzVexprCall *call = node->call;
	MemoryContext old = MemoryContextSwitchTo(call->context);
	bool isnull;
	Datum value = ExecEvalExpr(call->state, call->econtext, &isnull);

	set_constant(node, value, isnull);
	MemoryContextSwitchTo(old);
	call->is_evaluated = true;
}

/* Several dictionaries or constants. */
static bool
by_combinations(HzEval *eval, const HzVexpr *expr, const HzVector *columns, const HzRows *rows,
				HzVector *out, bool *done)
{
	HzVector combined;

	*done = expr->count > 1 && hz_eval_combine(eval, expr, columns, expr->count, rows, &combined);
	if (!*done)
		return true;
	return hz_eval_map(eval, expr, one_combination, &combined, rows, out);
}

static bool
call_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector *columns;
	bool done;

	if (!hz_eval_may_ask(eval))
		return hz_eval_fail(eval, HZ_EVAL_ELSEWHERE);
	if (expr->count == 0)
	{
		if (!expr->call->is_evaluated)
			evaluate_constant((HzVexpr *) expr);
		*out = expr->constant;
		out->count = eval->rows;
		return true;
	}
	columns = hz_bump_alloc(&eval->batch, sizeof(HzVector) * expr->count);
	for (int c = 0; c < expr->count; c++)
	{
		if (!hz_eval_value(eval, expr->args[c], rows, &columns[c]))
			return false;
		hz_vector_number(eval, expr->args[c], rows, &columns[c]);
	}
	if (expr->count == 1 && (columns[0].form == HZ_FORM_CONSTANT ||
							 (columns[0].form == HZ_FORM_DICT && hz_eval_may_keep(eval))))
		return by_entries(eval, expr, &columns[0], rows, out);
	if (!by_combinations(eval, expr, columns, rows, out, &done))
		return false;
	if (done)
		return true;
	return by_rows(eval, expr, columns, rows, out);
}

/* A slot of the arguments' row type, all null. Not refcounted: nobody would unpin it. */
static TupleTableSlot *
make_slot(TupleDesc desc)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);

	memset(slot->tts_values, 0, sizeof(Datum) * desc->natts);
	memset(slot->tts_isnull, true, sizeof(bool) * desc->natts);
	return ExecStoreVirtualTuple(slot);
}

static HzVexpr *
compile_call(HzCompiler *compiler, Expr *expr, bool kernels)
{
	List *arguments;
	TupleDesc desc;
	Expr *own = hz_compile_arguments(compiler, expr, kernels, &arguments, &desc);
	HzVexpr *node = hz_vexpr_make(exprType((Node *) expr), call_value, list_length(arguments));
	ListCell *lc;

	foreach(lc, arguments)
		node->args[foreach_current_index(lc)] = lfirst(lc);
	node->call = palloc0(sizeof(HzVexprCall));
	node->call->strict = !contain_nonstrict_functions((Node *) own);
	node->call->slot = make_slot(desc);
	node->call->state = ExecInitExpr(own, NULL);
	node->can_fail = true;
	return node;
}

HzVexpr *
hz_compile_call(HzCompiler *compiler, Expr *expr)
{
	HzVexpr *node = compile_call(compiler, expr, true);

	node->threadable = false;
	node->cost = CALL_COST;
	return hz_vexpr_finish(node);
}

HzVexpr *
hz_compile_fallback(HzCompiler *compiler, Expr *expr, uint16 cost)
{
	/* its arguments are columns: as kernels they would have fallbacks of their own, each computing again what these do */
	HzVexpr *node = compile_call(compiler, expr, false);

	node->leaves = true;
	node->cost = cost;
	return hz_vexpr_finish(node);
}
