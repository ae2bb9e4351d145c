/*
 * expr/compile_internal.h
 *	  What the compiler's files share. Private to expr/.
 *
 *	  compile.c           entry points, quals, columns, constants
 *	  compile_native.c    which node an expression becomes
 *	  compile_compare.c   comparisons, IN, LIKE
 *	  compile_time.c      dates and timestamps
 *	  compile_zone.c      time zones with changes
 *	  compile_to_char.c   formats of to_char()
 *	  compile_call.c      what the executor evaluates; run-time constants
 *	  compile_args.c      what it is given
 */
#ifndef HZ_COMPILE_INTERNAL_H
#define HZ_COMPILE_INTERNAL_H

#include "nodes/primnodes.h"
#include "pgtime.h"

#include "expr/compile.h"
#include "expr/vexpr_node.h"

typedef struct HzCompiler
{
	const HzCompileInput *input;
	bool executor;
	int depth; /* of calls in the arguments of calls */
	int nodes; /* that were compiled, also in vain */
} HzCompiler;

/* What becomes of a run-time constant's value. */
typedef enum HzConvert
{
	HZ_CONVERT_NONE,
	HZ_CONVERT_DATE_TIMESTAMP,   /* a date as the timestamp that it is compared as */
	HZ_CONVERT_DATE_TIMESTAMPTZ, /* likewise, in the session's time zone */
	HZ_CONVERT_TIMESTAMP_TIMESTAMPTZ
} HzConvert;

/* ---- compile.c */

/* A node with room for `count` arguments; its result is of type `typid`. Fails and is no thread's until finished. */
extern HzVexpr *hz_vexpr_make(Oid typid, HzVexprValue value, int count);

/*
 * Sets what follows from the arguments: can_fail (or'ed), threadable (and'ed), cost (added). NULL if an argument is
 * NULL.
 */
extern HzVexpr *hz_vexpr_finish(HzVexpr *node);

/* The node of an expression, by a kernel or by the executor; NULL if there is none. */
extern HzVexpr *hz_compile_node(HzCompiler *compiler, Expr *expr);

/* The same seen as another type, if its values are stored alike; else NULL. */
extern HzVexpr *hz_vexpr_retype(HzVexpr *node, Oid typid);

/* Whether a type's values can be a vector. */
extern bool hz_compile_has_vectors(Oid typid);

/* A builtin function that the user may execute: only then a kernel may take its place. */
extern bool hz_compile_replaceable(Oid function);

/* ---- compile_native.c */
extern HzVexpr *hz_compile_native(HzCompiler *compiler, Expr *expr);

/* A numeric as another number; `expr` computes the same. NULL: the executor may not be asked. */
extern HzVexpr *hz_compile_number(HzCompiler *compiler, Expr *expr, Expr *numeric, Oid result);

/* ---- compile_compare.c */
extern HzVexpr *hz_compile_compare(HzCompiler *compiler, OpExpr *op);
extern HzVexpr *hz_compile_in(HzCompiler *compiler, ScalarArrayOpExpr *op);
extern HzVexpr *hz_compile_like(HzCompiler *compiler, Oid function, Oid collation, List *args);

/* ---- compile_time.c */
extern HzVexpr *hz_compile_time(HzCompiler *compiler, Oid function, Oid result, List *args);
/* The seconds between two timestamps; NULL: `expr` is something else. */
extern HzVexpr *hz_compile_span(HzCompiler *compiler, Expr *expr, Oid function, List *args);
/* date_part(), which is extract() as a double; NULL: `expr` is something else. */
extern HzVexpr *hz_compile_date_part(HzCompiler *compiler, Expr *expr, Oid function, List *args);
/* Where a node is the epoch of a timestamp of which only the floor by so many seconds matters, has it taken from buckets of that length. */
extern void hz_compile_coarse(HzVexpr *epoch, int64 seconds);
extern int64 hz_date_as_timestamp(int32 date);

/* ---- compile_zone.c */

/* A timestamptz as local time; `checked`: an error where that is no timestamp. */
extern HzVexpr *hz_compile_zone_local(HzVexpr *timestamptz, pg_tz *tz, bool checked);
/* date_trunc() in a time zone; the caller sets op, number and shift, see vexpr_trunc.c. */
extern HzVexpr *hz_compile_zone_trunc(HzVexpr *timestamptz, pg_tz *tz);

/* ---- compile_to_char.c */

/* Makes a format the node's constant; `finest`: its shortest field. False: it has no kernel. */
extern bool hz_compile_format(const Const *format, HzVexpr *node, HzTimeField *finest);

/* ---- compile_call.c */

/* A constant of the plan, or one that hz_vexpr_bind() evaluates. */
extern HzVexpr *hz_compile_const(Const *constant);
extern HzVexpr *hz_compile_runtime(HzCompiler *compiler, Expr *expr);
/* Whether one of these is what an expression becomes. */
extern bool hz_compile_is_constant(HzCompiler *compiler, Expr *expr);
/* Converts the constant's value now and whenever it is bound. */
extern void hz_vexpr_convert(HzVexpr *constant, HzConvert convert, Oid typid);

/* The array of an IN. */
extern void hz_compile_set(HzCompiler *compiler, HzVexpr *in, Expr *array);

/* An expression without a kernel. */
extern HzVexpr *hz_compile_call(HzCompiler *compiler, Expr *expr);
/* The last argument of a node whose kernel cannot do all vectors: computes the same. It is called for few, so it costs that little. */
extern HzVexpr *hz_compile_fallback(HzCompiler *compiler, Expr *expr, uint16 cost);

extern void hz_vexpr_bind_node(HzVexpr *node, ExprContext *econtext);

/* ---- compile_args.c */

/*
 * The expression over a row of its arguments, whose nodes it returns: columns and, if `kernels`, subexpressions. Its Vars are of the
 * compiler's varno.
 */
extern Expr *hz_compile_arguments(HzCompiler *compiler, Expr *expr, bool kernels, List **nodes,
								  TupleDesc *desc);

#endif /* HZ_COMPILE_INTERNAL_H */
