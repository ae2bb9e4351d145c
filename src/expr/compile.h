/*
 * expr/compile.h
 *	  From PostgreSQL's expression trees to expressions over vectors. Server side.
 */
#ifndef HZ_COMPILE_H
#define HZ_COMPILE_H

#include "nodes/execnodes.h"
#include "nodes/primnodes.h"

#include "expr/vexpr.h"
#include "storage/coltype.h"

/* What the Vars of an expression are. Borrowed by what is compiled. */
typedef struct HzCompileInput
{
	Index varno;               /* Vars of this relation are columns of the batch: attribute - 1 */
	TupleDesc desc;            /* of these columns */
	const HzColumnType *types; /* likewise */
	List *
		outer_tlist; /* OUTER_VAR Vars stand for the expressions of these TargetEntries, which are over
								* varno (NIL where varno is OUTER_VAR itself) */
	Oid tableoid;    /* value of the system column tableoid; InvalidOid: not available */
	PlanState *parent; /* for ExecInitExpr() */
} HzCompileInput;

/*
 * Compiles an expression; palloc'd in the current context, in which later calls of hz_vexpr_bind() also allocate.
 * NULL where it cannot be (volatile functions, subplans, aggregates, set-returning functions, row types, system
 * columns but tableoid): its caller evaluates it otherwise. What has no kernel becomes a call of PostgreSQL's
 * executor for the selected rows (or once per dictionary entry that a selected row uses), if `executor` is true; else
 * NULL.
 */
extern HzVexpr *hz_compile(const HzCompileInput *input, Expr *expr, bool executor);

/* The unit (DTK_…) that date_trunc() and extract() know by this name, which is text; false: none, or NULL. */
extern bool hz_time_unit(const Const *name, int *unit);

/* What a format of to_char() prints of a time. */
typedef struct HzFormatFields
{
	bool year;
	bool month;
	bool day;
	bool hour;
	bool minute;
	bool second;
} HzFormatFields;

/* False: the format, which is not null, has something else, or nothing of a time. */
extern bool hz_format_fields(const Const *format, HzFormatFields *fields);

/* A qual of a list, in the best order that is safe: see hz_compile_quals(). */
typedef struct HzVqual
{
	Expr *expr;
	HzVexpr *vexpr;
	int place; /* in the list */
} HzVqual;

/*
 * The quals of an implicit AND list in the order in which to evaluate them: first those that cannot fail and need no
 * executor, cheapest first, then the others in the order given. *rest: those that cannot be compiled, in their order.
 * Only what stands before the first of *rest, or cannot fail and leaks nothing, is compiled: a qual that may fail must
 * not be moved before one that stays with the executor. Returns a List of HzVqual.
 */
extern List *hz_compile_quals(const HzCompileInput *input, List *quals, bool executor, List **rest);

/* Columns (0-based attributes) that it reads. */
extern Bitmapset *hz_vexpr_columns(const HzVexpr *expr);

/* Whether it is a column, and which (0-based attribute). */
extern bool hz_vexpr_is_column(const HzVexpr *expr, int *column);

extern bool hz_vexpr_threadable(const HzVexpr *expr);

/* Whether a thread may come to what only the server can do, and leave the batch to the leader (HZ_EVAL_ELSEWHERE). */
extern bool hz_vexpr_leaves(const HzVexpr *expr);

/* Whether an evaluation may fail (overflow, division, a call of the executor). */
extern bool hz_vexpr_can_fail(const HzVexpr *expr);

/*
 * Evaluates what is constant during a scan (parameters, stable functions of constants, now()); before the first
 * evaluation after every start or rescan. Errors are PostgreSQL's.
 */
extern void hz_vexpr_bind(HzVexpr *expr, ExprContext *econtext);

/* Raises the error of a failed evaluation, with PostgreSQL's text and SQLSTATE (not HZ_EVAL_COLUMN, HZ_EVAL_MEMORY). */
extern void hz_vexpr_report(HzEvalFailure failure) pg_attribute_noreturn();

/*
 * Puts Datums into a vector of `type`; the vector's memory is palloc'd in the current context. By-reference values are
 * detoasted and copied.
 */
extern void hz_vexpr_from_datums(const HzColumnType *type, const Datum *values, const bool *isnull,
								 uint32 count, HzVector *out);

#endif /* HZ_COMPILE_H */
