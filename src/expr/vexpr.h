/*
 * expr/vexpr.h
 *	  Expressions over vectors: evaluation.
 *
 * A compiled expression (expr/compile.h) is evaluated for one batch of up to 2,048 rows at a time, for the rows that
 * a selection vector names, and for no others: an error that PostgreSQL would not raise, since an earlier qual has
 * removed the row, is not raised here either. It is read-only while it is evaluated, so threads share it; what
 * changes is in HzEval, one per thread.
 *
 * Apart from nodes that ask PostgreSQL's executor row by row (hz_vexpr_threadable() is false then, unless that is the rare case), all is pure C: no palloc, no ereport; memory comes from base/memory.h.
 */
#ifndef HZ_VEXPR_H
#define HZ_VEXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vector.h"

/* A selection vector: positions in the batch, ascending. at NULL: rows 0 .. count - 1. */
typedef struct HzRows
{
	uint32_t count;
	const uint16_t *at;
} HzRows;

/* The rows of a batch of `rows` that are not in the bitmap `deleted` (NULL: none is); room for HZ_VECTOR_ROWS positions. */
extern HzRows hz_rows_live(uint32_t rows, const uint64_t *deleted, uint16_t *room);

typedef struct HzVexpr HzVexpr;
typedef struct HzEval HzEval;

/*
 * Gives column `column` (0-based attribute) of the current batch, decoded, `count` = rows of the batch; valid until the
 * next batch. NULL: it failed, and the caller of hz_eval_* knows why.
 */
typedef const HzVector *(*HzColumnGet)(void *arg, int column);

/* Why an evaluation failed. */
typedef enum HzEvalFailure
{
	HZ_EVAL_OK = 0,
	HZ_EVAL_COLUMN, /* HzColumnGet failed */
	HZ_EVAL_INT2_RANGE,
	HZ_EVAL_INT4_RANGE,
	HZ_EVAL_INT8_RANGE,
	HZ_EVAL_FLOAT_OVERFLOW,
	HZ_EVAL_FLOAT_UNDERFLOW,
	HZ_EVAL_DIVISION_BY_ZERO,
	HZ_EVAL_TIMESTAMP_RANGE,
	HZ_EVAL_DATE_RANGE,
	HZ_EVAL_MEMORY,
	HZ_EVAL_LIKE_ESCAPE,          /* a LIKE pattern ends with its escape character */
	HZ_EVAL_INFINITE_DATES,       /* a difference of infinite dates */
	HZ_EVAL_DATE_TIMESTAMP_RANGE, /* a date that is no timestamp */
	HZ_EVAL_INTERVAL_RANGE,
	HZ_EVAL_JSON,   /* bytes that are no jsonb */
	HZ_EVAL_LENGTH, /* a string longer than a gigabyte */
	HZ_EVAL_ELSEWHERE /* in a thread: what only the server can do; the leader evaluates the batch again */
} HzEvalFailure;

/*
 * State of one thread's evaluations, for one row group (what it remembers of dictionaries is good for no other) or any
 * number of batches without dictionaries. Allocated by hz_alloc(), and so is what evaluations need: they must be called in
 * a memory context (or with an arena) that lives as long as the HzEval. A dictionary is known by the address of its
 * entries and their number: until hz_eval_group() these must stay what they are.
 */
extern HzEval *hz_eval_create(HzColumnGet get, void *arg);
extern void hz_eval_free(HzEval *eval);

/* Says that it is a thread's: nodes that need the server, if they come to that, fail with HZ_EVAL_ELSEWHERE. */
extern void hz_eval_in_thread(HzEval *eval);

/*
 * Another getter, with the same argument, for the lengths of a column's strings in bytes, as a vector of INT32 that is null
 * where they are; NULL: they are not known without the strings, or that failed, for then the strings will, too.
 */
extern void hz_eval_use_lengths(HzEval *eval, HzColumnGet get_lengths);

/*
 * Sets mask[i] (room for whole vectors) to 1 where the value of a column in row i of the batch has these bytes, else to 0; false: that is
 * not known without the values.
 */
typedef bool (*HzColumnMatch)(void *arg, int column, const uint8_t *data, size_t length,
							  uint8_t *mask);

/* A getter, with the same argument, of the rows where a column equals a constant: its values are not asked for then. */
extern void hz_eval_use_matches(HzEval *eval, HzColumnMatch match);

/* Whether it has answered a filter of the current batch. */
extern bool hz_eval_matched(const HzEval *eval);

/* A new row group: dictionaries are others. */
extern void hz_eval_group(HzEval *eval);

/* A new batch of `rows` rows: every vector handed out before is invalid now. */
extern void hz_eval_batch(HzEval *eval, uint32_t rows);

/*
 * The values of the selected rows as a vector of `rows` (of the batch) values: those of other rows are readable
 * memory, no more. DICT results may have equal entries in their dictionary. False: see hz_eval_failure().
 */
extern bool hz_eval_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out);

/* The same, but only what is null in the result is right, and its number of rows: strings need not be read for it. */
extern bool hz_eval_nulls(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out);

/* Keeps those of *rows for which the boolean expression is true (not null). The new positions live until the next batch. */
extern bool hz_eval_filter(HzEval *eval, const HzVexpr *expr, HzRows *rows);

/* Whether that can be left out: bit i of `passing` says that all rows satisfy qual i. */
static inline bool
hz_eval_is_certain(uint64_t passing, int place)
{
	return place < 64 && (passing >> place & 1) != 0;
}

extern HzEvalFailure hz_eval_failure(const HzEval *eval);

#endif /* HZ_VEXPR_H */
