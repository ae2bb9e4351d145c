/*
 * expr/vexpr_trunc.c
 *	  date_trunc() and date_bin(): timestamps down to the start of their bucket.
 *
 * Neighbours in a table are neighbours in time more often than not, so a whole vector whose least and greatest
 * value share a bucket becomes a CONSTANT, one whose values are within some thousands of buckets of fixed size codes, by which groups
 * are found, and months, which cost a calendar, are computed when the bucket changes.
 */
#include "encoding/clones.h"
#include "expr/vexpr_calendar.h"
#include "expr/vexpr_node.h"

#define MAX_BUCKETS 64
#define EXACT_BITS 52 /* of a whole number in a double that is made of its bits */
#define EXACT_MASK ((UINT64_C(1) << EXACT_BITS) - 1)
#define EXACT_EXPONENT UINT64_C(0x4330000000000000) /* of 2^52 */
#define ONE UINT64_C(0x3ff0000000000000)            /* as a double */
#define CODE_MASK UINT64_C(0xffff)
#define MAX_RANGE 16384 /* buckets of a shared dictionary */
#define RANGE_MARGIN 32
#define FEW_FROM 64 /* rows: below, codes are not worth it */

typedef struct Bucket
{
	int64_t start;
	int64_t end; /* the first timestamp that is in the next */
} Bucket;

/* ---- one bucket */

static HzEvalFailure
fixed_bucket(const HzVexpr *expr, int64_t local, Bucket *bucket)
{
	int64_t distance;
	int64_t behind;

	if (__builtin_sub_overflow(local, expr->shift, &distance))
		return HZ_EVAL_INTERVAL_RANGE;
	behind = distance % expr->number;
	if (behind < 0)
		behind += expr->number;
	if (__builtin_sub_overflow(local, behind, &bucket->start))
		return HZ_EVAL_TIMESTAMP_RANGE;
	if (__builtin_add_overflow(bucket->start, expr->number, &bucket->end))
		bucket->end = INT64_MAX;
	return HZ_EVAL_OK;
}

static void
month_bucket(const HzVexpr *expr, int64_t local, Bucket *bucket)
{
	int months = (int) expr->number;
	int year;
	int month;
	int day;

	hz_civil_of((int32_t) hz_floor_div(local, HZ_USECS_PER_DAY), &year, &month, &day);
	month = (month - 1) / months * months + 1;
	bucket->start = hz_days_of(year, month, 1) * HZ_USECS_PER_DAY;
	month += months;
	if (month > 12)
	{
		month -= 12;
		year++;
	}
	/* the last one ends after the last timestamp */
	if (__builtin_mul_overflow((int64_t) hz_days_of(year, month, 1), HZ_USECS_PER_DAY,
							   &bucket->end))
		bucket->end = INT64_MAX;
}

bool
hz_bucket_start(const HzVexpr *expr, int64_t local, int64_t *start)
{
	Bucket bucket;

	if (expr->op != 0)
		month_bucket(expr, local, &bucket);
	else if (fixed_bucket(expr, local, &bucket) != HZ_EVAL_OK)
		return false;
	*start = bucket.start;
	return true;
}

/* That of a finite timestamp. */
static HzEvalFailure
find_bucket(const HzVexpr *expr, int64_t timestamp, Bucket *bucket)
{
	int64_t local = timestamp + expr->offset;
	HzEvalFailure failure = HZ_EVAL_OK;

	if (expr->op == 0)
		failure = fixed_bucket(expr, local, bucket);
	else
		month_bucket(expr, local, bucket);
	bucket->start -= expr->offset;
	if (bucket->end != INT64_MAX)
		bucket->end -= expr->offset;
	if (failure == HZ_EVAL_OK && !hz_time_is_valid(bucket->start))
		failure = HZ_EVAL_TIMESTAMP_RANGE;
	return failure;
}

/* ---- rows */

static bool
by_bucket(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	const int64_t *timestamps = in->values;
	int64_t *out = lane->values;
	Bucket bucket = {0, 0};

	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];
		HzEvalFailure failure;

		out[row] = t;
		if (!hz_time_is_finite(t) || !hz_vector_valid(in, row))
			continue;
		if (t < bucket.start || t >= bucket.end)
		{
			failure = find_bucket(expr, t, &bucket);
			if (failure != HZ_EVAL_OK)
				return hz_eval_fail(eval, failure);
		}
		out[row] = bucket.start;
	}
	return true;
}

/*
 * Buckets of fixed size, all rows at once: the quotient is estimated in floating point, which is off by one or two at
 * most, and mended. False: a row is so far out that it needs the other way.
 */
HZ_CLONES static bool
by_division(const HzVexpr *expr, const int64_t *restrict in, uint32_t count, int64_t *restrict out)
{
	int64_t unit = expr->number;
	int64_t base = expr->shift - expr->offset;
	double inverse = 1.0 / (double) unit;
	bool far = false;

	for (uint32_t i = 0; i < count; i++)
	{
		int64_t t = in[i];
		int64_t distance = (int64_t) ((uint64_t) t - (uint64_t) base);
		int64_t quotient = (int64_t) ((double) distance * inverse);
		int64_t behind = distance - quotient * unit;

		behind += behind < 0 ? unit : 0;
		behind -= behind >= unit ? unit : 0;
		/* within some 9,000 years nothing overflows, and estimates are exact to one */
		far |= t > INT64_C(288000000000000000) || t < HZ_TIMESTAMP_MIN + 732 * HZ_USECS_PER_DAY;
		out[i] = t - behind;
	}
	return !far;
}

/* Estimates want quotients that a double holds, and a base in their midst. */
static bool
is_divisible(const HzVexpr *expr)
{
	return expr->op == 0 && expr->number >= 1000 && expr->number <= 366 * HZ_USECS_PER_DAY &&
		   expr->shift > HZ_TIMESTAMP_MIN / 2 && expr->shift < -HZ_TIMESTAMP_MIN;
}

static bool
trunc_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	if (is_divisible(expr) && hz_rows_dense(rows, in->count) &&
		by_division(expr, in->values, in->count, lane->values))
		return true;
	return by_bucket(eval, expr, in, rows, lane);
}

/* The least and the greatest of all. */
HZ_CLONES static void
find_bounds(const int64_t *values, uint32_t count, int64_t *min, int64_t *max)
{
	int64_t low = INT64_MAX;
	int64_t high = INT64_MIN;

	for (uint32_t i = 0; i < count; i++)
	{
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	*min = low;
	*max = high;
}

bool
hz_time_range(const HzVector *in, const HzRows *rows, int64_t *min, int64_t *max)
{
	const int64_t *values = in->values;
	int64_t low = INT64_MAX;
	int64_t high = INT64_MIN;

	if (rows->at == NULL && in->validity == NULL)
		find_bounds(values, rows->count, &low, &high);
	else
		for (uint32_t i = 0; i < rows->count; i++)
		{
			uint32_t row = hz_rows_at(rows, i);
			bool valid = hz_vector_valid(in, row);

			low = valid && values[row] < low ? values[row] : low;
			high = valid && values[row] > high ? values[row] : high;
		}
	*min = low;
	*max = high;
	return low <= high && hz_time_is_finite(low) && hz_time_is_finite(high);
}

static void
one_bucket(HzEval *eval, const HzVexpr *expr, const HzVector *in, int64_t start, HzVector *out)
{
	int64_t *value = hz_bump_alloc(&eval->batch, sizeof(int64_t));

	*value = start;
	*out = *in;
	out->kind = expr->kind;
	out->form = HZ_FORM_CONSTANT;
	out->values = value;
}

/* Makes the shared dictionary one that has the buckets from `first` to `last`, and those it had if they are not too many; false: these are. */
static bool
share_buckets(HzEval *eval, HzBuckets *buckets, const HzVexpr *expr, int64_t first, int64_t last)
{
	const int64_t unit = expr->number;
	uint64_t count;
	int64_t *starts;

	if (buckets->expr == expr && first >= buckets->starts[0] &&
		last <= buckets->starts[buckets->count - 1])
		return true;
	if ((uint64_t) last - (uint64_t) first >= (uint64_t) unit * (MAX_RANGE - 2 * RANGE_MARGIN))
		return false;
	if (first < HZ_TIMESTAMP_MIN + 1000 * HZ_USECS_PER_DAY + unit * RANGE_MARGIN ||
		last > INT64_C(288000000000000000))
		return false;
	first -= unit * RANGE_MARGIN;
	last += unit * RANGE_MARGIN;
	if (buckets->expr == expr)
	{
		int64_t low = first < buckets->starts[0] ? first : buckets->starts[0];
		int64_t high = buckets->starts[buckets->count - 1];

		high = last > high ? last : high;
		if ((uint64_t) high - (uint64_t) low < (uint64_t) unit * MAX_RANGE)
		{
			first = low;
			last = high;
		}
	}
	count = ((uint64_t) last - (uint64_t) first) / (uint64_t) unit + 1;
	if ((count + 1) * (uint64_t) unit >= UINT64_C(1) << EXACT_BITS)
		return false;
	starts = hz_bump_alloc(&eval->group, sizeof(int64_t) * count);
	for (uint64_t b = 0; b < count; b++)
		starts[b] = first + (int64_t) b * unit;
	*buckets = (HzBuckets){expr, (uint32_t) count, starts};
	return true;
}

/* Those of the expression, or free; NULL: others have all. */
static HzBuckets *
find_shared(HzEval *eval, const HzVexpr *expr)
{
	for (int i = 0; i < HZ_SHARED_BUCKETS; i++)
	{
		if (eval->buckets[i].expr == expr || eval->buckets[i].expr == NULL)
			return &eval->buckets[i];
	}
	return NULL;
}

typedef uint64_t Words4 __attribute__((vector_size(32)));
typedef double Doubles4 __attribute__((vector_size(32)));
typedef uint16_t Codes4 __attribute__((vector_size(8)));

/*
 * The bucket of each row, counted from `first`; those of rows that are in none of `buckets` (nulls, say) are any. All buckets together are less
 * than 2^EXACT_BITS long: whole numbers below that are exact in a double, whose bits behind the exponent they are if 2^52 is added. Four rows
 * at a time; `in` and `codes` have room for a multiple of that.
 */
HZ_CLONES static void
number_buckets(const int64_t *restrict in, uint32_t count, int64_t first, int64_t unit,
			   int64_t buckets, uint16_t *restrict codes)
{
	const double size = (double) unit;
	const double inverse = 1.0 / size;

	for (uint32_t i = 0; i < count; i += 4)
	{
		Words4 distance;
		Words4 inside;
		Doubles4 exact;
		Doubles4 quotient;
		Codes4 four;

		memcpy(&distance, in + i, sizeof(distance));
		distance -= (uint64_t) first;
		exact = (Doubles4) ((distance & EXACT_MASK) | EXACT_EXPONENT) - 0x1p52;
		/* to the nearest whole number, so one too many at most */
		quotient = (exact * inverse + 0x1.8p52) - 0x1.8p52;
		quotient -= (Doubles4) ((Words4) (exact - quotient * size < 0.0) & ONE);
		inside = (Words4) (quotient < (double) buckets);
		four = __builtin_convertvector((Words4) (quotient + 0x1p52) & inside & CODE_MASK, Codes4);
		memcpy(codes + i, &four, sizeof(four));
	}
}

/* With room for a multiple of four. */
static const int64_t *
copy_values(HzEval *eval, const HzVector *in)
{
	int64_t *values = hz_bump_alloc(&eval->batch, sizeof(int64_t) * (in->count + 3));

	memcpy(values, in->values, sizeof(int64_t) * in->count);
	memset(values + in->count, 0, sizeof(int64_t) * 3);
	return values;
}

/* Buckets of fixed size that are not too far from each other: codes of a dictionary that all vectors of a row group share. */
static bool
shared_buckets(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   int64_t start, int64_t max, HzVector *out)
{
	HzBuckets *buckets = find_shared(eval, expr);
	const int64_t *values = in->values;
	Bucket last;
	uint16_t *codes;

	if (buckets == NULL || rows->count < FEW_FROM || !is_divisible(expr) ||
		!hz_rows_dense(rows, in->count) || find_bucket(expr, max, &last) != HZ_EVAL_OK ||
		!share_buckets(eval, buckets, expr, start, last.start))
		return false;
	codes = hz_bump_alloc(&eval->batch, sizeof(uint16_t) * (in->count + 3));
	if (in->count % 4 != 0)
		values = copy_values(eval, in);
	number_buckets(values, in->count, buckets->starts[0], expr->number, buckets->count, codes);
	*out = *in;
	out->kind = expr->kind;
	out->form = HZ_FORM_DICT;
	out->codes = codes;
	out->dict_count = buckets->count;
	out->values = buckets->starts;
	return true;
}

/* A vector within one bucket, or within a range of them. */
static bool
by_range(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzVector *out)
{
	Bucket bucket;
	int64_t min;
	int64_t max;

	if (in->form != HZ_FORM_FLAT || rows->count == 0 || !hz_time_range(in, rows, &min, &max) ||
		find_bucket(expr, min, &bucket) != HZ_EVAL_OK)
		return false;
	if (max >= bucket.end)
		return shared_buckets(eval, expr, in, rows, bucket.start, max, out);
	one_bucket(eval, expr, in, bucket.start, out);
	return true;
}

/*
 * A vector of few buckets, most rows in that of the row before, as rows sorted by time have it: codes, so that groups are found by
 * them. The dictionary is this vector's own.
 */
static bool
few_buckets(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			HzVector *out)
{
	const int64_t *timestamps = in->values;
	uint32_t changes_left = rows->count / 8 + MAX_BUCKETS;
	Bucket buckets[MAX_BUCKETS];
	Bucket current = {0, 0};
	uint32_t count = 0;
	uint16_t code = 0;
	uint16_t *codes;
	int64_t *starts;

	if (in->form != HZ_FORM_FLAT || rows->count < FEW_FROM)
		return false;
	codes = hz_bump_zero(&eval->batch, sizeof(uint16_t) * eval->rows);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int64_t t = timestamps[row];

		if (!hz_vector_valid(in, row))
			continue;
		if (t < current.start || t >= current.end)
		{
			if (!hz_time_is_finite(t) || changes_left-- == 0)
				return false;
			for (code = 0; code < count && (t < buckets[code].start || t >= buckets[code].end);)
				code++;
			if (code == MAX_BUCKETS ||
				(code == count && find_bucket(expr, t, &buckets[count++]) != HZ_EVAL_OK))
				return false;
			current = buckets[code];
		}
		codes[row] = code;
	}
	if (count == 0)
		return false;
	starts = hz_bump_alloc(&eval->group, sizeof(int64_t) * count);
	for (uint32_t b = 0; b < count; b++)
		starts[b] = buckets[b].start;
	*out = *in;
	out->kind = expr->kind;
	out->form = HZ_FORM_DICT;
	out->codes = codes;
	out->dict_count = count;
	out->values = starts;
	return true;
}

bool
hz_trunc_codes(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			   HzVector *out)
{
	return by_range(eval, expr, in, rows, out) || few_buckets(eval, expr, in, rows, out);
}

bool
hz_vexpr_coarse_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	if (!hz_trunc_codes(eval, expr, &in, rows, out))
		*out = in;
	return true;
}

bool
hz_vexpr_trunc_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	HzVector in;

	if (!hz_eval_value(eval, expr->args[0], rows, &in))
		return false;
	return hz_trunc_codes(eval, expr, &in, rows, out) ||
		   hz_eval_map(eval, expr, trunc_kernel, &in, rows, out);
}
