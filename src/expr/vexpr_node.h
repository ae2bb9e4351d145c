/*
 * expr/vexpr_node.h
 *	  Nodes of compiled expressions, and what their evaluations share. Private to expr/.
 *
 * A node computes a vector of the selected rows (value). Boolean nodes that can do better than a vector of booleans
 * also have a filter. Values do not depend on the selection: whatever a kernel leaves in the slots of rows that are
 * not selected is never looked at, so kernels run over whole vectors where that is faster.
 *
 * A function of one column (all other arguments constant) is a kernel under hz_eval_map(), which runs it once for a
 * CONSTANT vector, once per used entry for a DICT vector (remembered until the next row group) and over the rows of a
 * FLAT one. So dictionary results come for free, and every kernel sees flat vectors only.
 *
 * Memory: what a batch needs comes from eval->batch, what dictionaries are remembered in from eval->group; both keep
 * their blocks when they are reset.
 */
#ifndef HZ_VEXPR_NODE_H
#define HZ_VEXPR_NODE_H

#include <stddef.h>
#include <string.h>

#include "base/bitmap.h"
#include "expr/vexpr.h"

#define HZ_BATCH_WORDS HZ_BITMAP_WORDS(HZ_VECTOR_ROWS)
#define HZ_MAX_FIXED \
	4096 /* bytes of a value of fixed length, at most: a null needs as many zeroes */

struct HzColumnType; /* storage/coltype.h */
struct HzVexprCall;  /* expr/compile_call.c */
struct HzVexprZone;  /* expr/vexpr_zone.h */

/* Blocks of memory that are filled one after the other, and all emptied at once. */
typedef struct HzBump
{
	struct HzBumpBlock *first;
	struct HzBumpBlock *current;
} HzBump;

/* What a node remembers of a dictionary. */
typedef struct HzMemo
{
	const HzVexpr *expr;
	const void *values; /* the dictionary */
	uint32_t dict_count;
	uint32_t done_count;
	uint8_t *done;   /* by entry */
	uint64_t *nulls; /* by entry, set: the result is null; NULL: none is */
	void *results;   /* by entry */
	HzNumericForm numeric;
	uint16_t scale;
	uint32_t width;
} HzMemo;

#define HZ_SHARED_BUCKETS 4

/* The buckets that the rows of a row group have been in, one behind the other: a dictionary that its vectors share. */
typedef struct HzBuckets
{
	const HzVexpr *expr; /* NULL: none */
	uint32_t count;
	const int64_t *starts;
} HzBuckets;

/* Integers that the rows of a row group have been in: a dictionary of them all. */
typedef struct HzRange
{
	struct HzRange *next;
	const HzVexpr *expr;
	int64_t min;
	uint32_t count;
	uint16_t scale; /* of numerics */
	void *values;
} HzRange;

typedef struct HzDictionary
{
	const void *values;
	uint32_t count;
} HzDictionary;

/* Several dictionaries whose entries are combined: what is remembered of the results is found by its address. */
typedef struct HzCombination
{
	struct HzCombination *next;
	const HzVexpr *expr;
	uint32_t count; /* of combinations */
	HzDictionary dictionaries[];
} HzCombination;

struct HzEval
{
	HzColumnGet get;
	HzColumnGet get_lengths; /* NULL: there are none */
	HzColumnMatch match;     /* likewise */
	uint32_t matched;        /* filters of the batch that it has answered */
	void *arg;
	uint32_t rows;  /* of the batch */
	bool in_thread; /* where nobody may ask the server */
	HzEvalFailure failure;
	HzBump batch;
	HzBump group;
	HzMemo *memos; /* hash table by expr and values, linear probing; NULL: empty */
	uint32_t memo_size;
	uint32_t memo_count;
	HzCombination *combinations;          /* in `group`, and so are ranges */
	HzRange *ranges;                      /* the newest first */
	uint32_t entries;                     /* of all these */
	const HzVector *combined;             /* vectors that were combined last */
	uint64_t kept;                        /* bytes of results of entries, in `group` */
	HzBuckets buckets[HZ_SHARED_BUCKETS]; /* of the first expressions that truncate; in `group` */
};

typedef enum HzCompareOp
{
	HZ_EQ,
	HZ_NE,
	HZ_LT,
	HZ_LE,
	HZ_GT,
	HZ_GE
} HzCompareOp;

/* How values are compared. */
typedef enum HzCompareClass
{
	HZ_CLASS_INT,    /* INT16, INT32, INT64 */
	HZ_CLASS_UINT32, /* oid: an INT32 vector of unsigned values */
	HZ_CLASS_BOOL,
	HZ_CLASS_FLOAT, /* NaN equals NaN and is the greatest */
	HZ_CLASS_UUID,
	HZ_CLASS_BYTES,
	HZ_CLASS_BPCHAR, /* BYTES, but trailing blanks do not count */
	HZ_CLASS_NUMERIC
} HzCompareClass;

typedef enum HzArithOp
{
	HZ_ADD,
	HZ_SUB,
	HZ_MUL,
	HZ_DIV,
	HZ_MOD
} HzArithOp;

typedef bool (*HzVexprValue)(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out);

/* Writes those of *rows for which the boolean is `want` (never the nulls) to `out`; false: it failed. */
typedef bool (*HzVexprFilter)(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want,
							  uint16_t *out, uint32_t *count);

/* A set of constants of an IN list. */
typedef struct HzVexprSet
{
	bool is_null;  /* the array itself */
	bool has_null; /* an element */
	uint32_t count;
	HzVector elements; /* FLAT, no nulls */
	int64_t min;       /* integers: the range */
	int64_t max;
	uint64_t *bits;  /* integers within a small range: bit value - min */
	uint32_t *table; /* hash table of element numbers + 1; NULL: so few that a loop is faster */
	uint32_t table_mask;
} HzVexprSet;

struct HzVexpr
{
	HzVexprValue value;
	HzVexprFilter filter; /* NULL: by value */
	HzKind kind;          /* of the result */
	uint32_t width;
	bool can_fail;
	bool threadable;
	bool leaves; /* in a thread it may come to what only the server can do: HZ_EVAL_ELSEWHERE */
	bool is_constant; /* its value is `constant` once it is bound */
	uint16_t cost;    /* nanoseconds a row, roughly */
	uint16_t count;   /* of args */
	HzVexpr **args;
	int op;    /* what of its family the node does */
	int class; /* HzCompareClass */
	int column;
	int64_t number;                  /* a parameter of the operation */
	int64_t shift;                   /* another */
	int64_t offset;                  /* microseconds of local time ahead of UTC */
	HzVector constant;               /* CONSTANT; a null one has a validity without bits */
	HzVexprSet *set;                 /* IN */
	struct HzVexprCall *call;        /* what the executor evaluates */
	const struct HzVexprZone *zone;  /* a time zone that changes */
	const struct HzColumnType *type; /* of the result; server side only */
};

/* ---- vexpr.c */

/* Room from a bump, aligned to 32 bytes, with 64 readable bytes behind it. */
extern void *hz_bump_alloc(HzBump *bump, size_t size);
extern void *hz_bump_zero(HzBump *bump, size_t size);

/* Room for bytes, packed behind the last ones; and with a copy in it. */
extern uint8_t *hz_bump_room(HzBump *bump, size_t size);
extern uint8_t *hz_bump_bytes(HzBump *bump, const uint8_t *data, size_t size);

static inline bool
hz_eval_fail(HzEval *eval, HzEvalFailure failure)
{
	eval->failure = failure;
	return false;
}

/* Whether the server's functions may be called; else fail with HZ_EVAL_ELSEWHERE. */
static inline bool
hz_eval_may_ask(const HzEval *eval)
{
	return !eval->in_thread;
}

/* A bitmap of HZ_VECTOR_ROWS zeroes: the validity of a null constant. */
extern const uint64_t hz_no_rows[HZ_BATCH_WORDS];

static inline bool
hz_vector_valid(const HzVector *vector, uint32_t i)
{
	return vector->validity == NULL || hz_bitmap_get(vector->validity, i);
}

/* Slot of row i. */
static inline uint32_t
hz_vector_slot(const HzVector *vector, uint32_t i)
{
	return vector->form == HZ_FORM_FLAT ? i : vector->form == HZ_FORM_DICT ? vector->codes[i] : 0;
}

static inline uint32_t
hz_rows_at(const HzRows *rows, uint32_t i)
{
	return rows->at == NULL ? i : rows->at[i];
}

/* Whether a kernel does better to compute all rows up to `count`, selected or not. */
static inline bool
hz_rows_dense(const HzRows *rows, uint32_t count)
{
	return rows->at == NULL || rows->count > count / 4;
}

/* A constant with a null value for all rows. */
extern void hz_null_vector(const HzEval *eval, const HzVexpr *expr, HzVector *out);

/* Keeps the rows where a vector of booleans is `want`. */
extern uint32_t hz_rows_where(const HzVector *truth, const HzRows *rows, bool want, uint16_t *out);

/* Positions of those of *rows whose byte of the mask (room for whole vectors) is `want` and that are valid (NULL: all). */
extern uint32_t hz_rows_masked(const uint8_t *mask, const uint64_t *validity, const HzRows *rows,
							   bool want, uint16_t *out);

/* By the node's filter, or by its value. */
extern bool hz_eval_where(HzEval *eval, const HzVexpr *expr, const HzRows *rows, bool want,
						  uint16_t *out, uint32_t *count);

/* rows without those of `without`, a subset in the same order. Returns their number. */
extern uint32_t hz_rows_without(const HzRows *rows, const uint16_t *without, uint32_t without_count,
								uint16_t *out);

/* ---- vexpr_map.c */

/* Where a kernel puts results. */
typedef struct HzLane
{
	void *values;    /* slots of `width` bytes */
	uint64_t *nulls; /* a set bit: null; made by hz_lane_null() */
	uint32_t count;  /* slots */
	HzBump *memory;  /* for what slots point to */
	uint32_t width;
	HzNumericForm numeric;
	uint16_t scale;
} HzLane;

extern HzLane hz_lane_make(const HzVexpr *expr, uint32_t count, HzBump *memory);
extern void hz_lane_null(HzLane *lane, uint32_t i);

/* The results as a vector, which has no nulls yet. */
extern void hz_lane_vector(HzEval *eval, const HzVexpr *expr, const HzLane *lane, HzForm form,
						   HzVector *out);

/* Computes `rows` of a FLAT vector; may compute all others, too, unless that can fail. */
typedef bool (*HzKernel)(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
						 HzLane *lane);
typedef bool (*HzKernel2)(HzEval *eval, const HzVexpr *expr, const HzVector *a, const HzVector *b,
						  const HzRows *rows, HzLane *lane);

/* A strict function of one vector, see above. */
extern bool hz_eval_map(HzEval *eval, const HzVexpr *expr, HzKernel kernel, const HzVector *in,
						const HzRows *rows, HzVector *out);

/* The same of the node's first argument. */
extern bool hz_eval_map_arg(HzEval *eval, const HzVexpr *expr, HzKernel kernel, const HzRows *rows,
							HzVector *out);

/* A strict function of the first argument and a constant that is null. The argument is evaluated all the same if it may fail. */
extern bool hz_eval_null_constant(HzEval *eval, const HzVexpr *expr, const HzRows *rows,
								  HzVector *out);

/* A strict function of two vectors, which become FLAT ones that the kernel sees; of the node's two arguments. */
extern bool hz_eval_map_both(HzEval *eval, const HzVexpr *expr, HzKernel2 kernel, HzVector *a,
							 HzVector *b, const HzRows *rows, HzVector *out);
extern bool hz_eval_map2(HzEval *eval, const HzVexpr *expr, HzKernel2 kernel, const HzRows *rows,
						 HzVector *out);

/* A vector's selected rows as FLAT. */
extern void hz_vector_flatten(HzEval *eval, HzVector *vector, const HzRows *rows);

/* validity of a result that is null where one of two is. NULL: no nulls. */
extern const uint64_t *hz_validity_and(HzEval *eval, const uint64_t *a, const uint64_t *b);

/* Whether any of `rows` is not null. */
extern bool hz_rows_any_valid(const HzVector *vector, const HzRows *rows);

/* ---- vexpr_entries.c */

/* Whether results of entries may be remembered: not if those of the row group are large. */
extern bool hz_eval_may_keep(const HzEval *eval);

/* Counts the bytes of a result that a lane got. */
static inline void
hz_eval_keep(HzEval *eval, const HzLane *lane, uint64_t bytes)
{
	if (lane->memory == &eval->group)
		eval->kept += bytes;
}

/* Makes a FLAT vector of integers, or of numerics that are scaled integers, the value of `expr`, a dictionary if its selected rows are within a small range. */
extern void hz_vector_number(HzEval *eval, const HzVexpr *expr, const HzRows *rows,
							 HzVector *vector);

/*
 * The selected rows of several vectors that are all dictionaries or constants as one, whose codes number the combinations of their entries (nulls are entries,
 * so there are none left); its entries are hz_combination_next()'s to find in eval->combined, it has no values. False: some vector is FLAT, or there would be too
 * many.
 */
extern bool hz_eval_combine(HzEval *eval, const HzVexpr *expr, const HzVector *vectors, int count,
							const HzRows *rows, HzVector *out);

/* Takes the entry of the next vector, in their order, out of the number of a combination; false: it is null. */
extern bool hz_combination_next(const HzVector *vector, uint32_t *number, uint32_t *entry);

/* ---- values of nodes, by file */

extern bool hz_vexpr_column_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_constant_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_compare.c: args[0] op args[1]; the second may be a constant */
extern bool hz_vexpr_compare_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/*
 * Positions of those of *rows for which such a node is true, where that is known without the values: of a column that equals a
 * constant if its bytes do. False: ask for the values.
 */
extern bool hz_rows_equal(HzEval *eval, const HzVexpr *expr, const HzRows *rows, uint16_t *out,
						  uint32_t *count);

/* The mask of `op` between the vector and slot 0 of the constant, both of the node's class; not null. */
extern void hz_compare_constant(const HzVector *in, HzCompareClass class, HzCompareOp op,
								const HzVector *constant, const HzRows *rows, uint8_t *mask);

/* vexpr_bytes.c */
extern int hz_bytes_compare(HzString a, HzString b);
extern HzString hz_bytes_trim(HzString s);
extern void hz_bytes_constant(const HzString *in, bool trim, HzCompareOp op, HzString constant,
							  const HzRows *rows, uint8_t *mask);
extern void hz_fixed_constant(const uint8_t *in, uint32_t width, HzCompareOp op,
							  const uint8_t *constant, const HzRows *rows, uint8_t *mask);

/* vexpr_length.c: of args[0], a string, the length; op: 0 in bytes, 1 in characters of UTF-8 */
extern bool hz_vexpr_length_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
/* A comparison of a column with an empty string by lengths alone; false: it is none, or they are not to be had. */
extern bool hz_compare_empty(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_like.c: args[0] LIKE args[1], a constant; op: 0 LIKE, 1 NOT LIKE, 2 starts_with; number: UTF-8 */
extern bool hz_vexpr_like_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_json.c: args[0], a jsonb, ->> args[1], a constant */
extern bool hz_vexpr_json_field_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_decimal.c */
extern void hz_decimal_constant(const HzVector *in, HzCompareOp op, const HzVector *constant,
								const HzRows *rows, uint8_t *mask);
extern int hz_decimal_compare(const HzVector *a, uint32_t i, const HzVector *b, uint32_t j);
/* Numerics of any form as payloads, whose bytes live as long as the batch. Selected rows only. */
extern void hz_decimal_payloads(HzEval *eval, HzVector *vector, const HzRows *rows);
/* FLAT payloads (nulls apart) become scaled integers, in place, if all selected have one display scale. */
extern void hz_decimal_scale(HzVector *vector, const HzRows *rows);
extern bool hz_vexpr_int_to_numeric_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_decimal_arith.c: args[0] op args[1], both numeric; args[2] computes the same where that cannot be done */
extern bool hz_vexpr_decimal_arith_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_in.c: args[0] IN set; op: 0 IN, 1 NOT IN */
extern bool hz_vexpr_in_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
/* Completes a set whose elements, nulls and class are known. Allocates by hz_alloc(). */
extern void hz_vexpr_set_finish(HzVexprSet *set, HzCompareClass class);

/* vexpr_logic.c */
extern bool hz_vexpr_and_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_and_filter(HzEval *, const HzVexpr *, const HzRows *, bool, uint16_t *,
								uint32_t *);
extern bool hz_vexpr_or_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_or_filter(HzEval *, const HzVexpr *, const HzRows *, bool, uint16_t *,
							   uint32_t *);
extern bool hz_vexpr_not_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_not_filter(HzEval *, const HzVexpr *, const HzRows *, bool, uint16_t *,
								uint32_t *);
/* op: 0 IS NULL, 1 IS NOT NULL */
extern bool hz_vexpr_null_test_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
/* op: bit 0, 1, 2: the result for false, true, null */
extern bool hz_vexpr_bool_test_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_arith.c: args[0] op args[1]; the result's kind says which of the overloaded it is */
extern bool hz_vexpr_arith_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_cast.c: to the kind of the node; integers and floats */
extern bool hz_vexpr_cast_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/*
 * vexpr_time.c. `offset` is that of a time zone without changes.
 *	  compared   a date as a timestamp to compare with, beyond all if there is none
 *	  to_date    of a timestamp
 *	  from_date  to a timestamp; may fail
 *	  move       a timestamp by shift days (in microseconds), then by number microseconds; may fail
 *	  date_add   args[0], a date, plus (op HZ_ADD) or minus args[1], days; op HZ_DIV: the difference of two dates
 */
extern bool hz_vexpr_date_compared_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_to_date_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_from_date_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_move_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_date_add_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/*
 * vexpr_trunc.c: args[0], a timestamp, down to the start of its bucket. op 0: buckets of `number` microseconds, one of
 * which starts at `shift`; op 1: of `number` months, a divisor of 12.
 */
extern bool hz_vexpr_trunc_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* The same where that takes few buckets, else args[0] as it is: for what gives the same of both. */
extern bool hz_vexpr_coarse_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/*
 * The buckets of such a node of a vector of timestamps, if there are few: a CONSTANT or codes. False: there may be many, or one that is out
 * of range. The vector's kind is the node's.
 */
extern bool hz_trunc_codes(HzEval *eval, const HzVexpr *expr, const HzVector *in,
						   const HzRows *rows, HzVector *out);

/* The least and the greatest of the selected values, which are timestamps; false: none is not null, or one is infinite. */
extern bool hz_time_range(const HzVector *in, const HzRows *rows, int64_t *min, int64_t *max);

/* Start of the bucket of a local time; false: out of range. */
extern bool hz_bucket_start(const HzVexpr *expr, int64_t local, int64_t *start);

typedef enum HzTimeField
{
	HZ_FIELD_SECOND,
	HZ_FIELD_MINUTE,
	HZ_FIELD_HOUR,
	HZ_FIELD_DAY,
	HZ_FIELD_MONTH,
	HZ_FIELD_QUARTER,
	HZ_FIELD_YEAR,
	HZ_FIELD_DOW,
	HZ_FIELD_ISODOW,
	HZ_FIELD_DOY,
	HZ_FIELD_WEEK,
	HZ_FIELD_EPOCH
} HzTimeField;

/* vexpr_extract.c: the field `op` of args[0], a timestamp or a date */
extern bool hz_vexpr_extract_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/*
 * vexpr_zone.c: args[0] in the local time of a time zone, op 1: which must be a timestamp; args[0] down to the start of its local bucket, op,
 * number and shift as of trunc
 */
extern bool hz_vexpr_zone_local_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_zone_trunc_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

#define HZ_FORMAT_MAX 64     /* characters of a format */
#define HZ_FORMAT_FIELD 0x80 /* a byte from here on is an HzTimeField, others are characters */

/* vexpr_to_char.c: args[0], a timestamp, in the format in `constant`; op, number, shift: as of trunc, by its finest field */
extern bool hz_vexpr_to_char_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_concat.c: args[0] || args[1], strings */
extern bool hz_vexpr_concat_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_number.c: args[0], a numeric, as the integer or double that the node is; args[1] computes the same where that cannot be done */
extern bool hz_vexpr_number_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_span.c: seconds from args[1] to args[0]; the floor of args[0] / number, number > 0. The last argument computes the same where that cannot be done. */
extern bool hz_vexpr_span_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_floor_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

/* vexpr_choose.c */
extern bool hz_vexpr_case_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);
extern bool hz_vexpr_coalesce_value(HzEval *, const HzVexpr *, const HzRows *, HzVector *);

#endif /* HZ_VEXPR_NODE_H */
