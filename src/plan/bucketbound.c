/*
 * plan/bucketbound.c
 *	  Conditions on time buckets as bounds of the time itself. See bucketbound.h.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "exec/prunecompile.h"
#include "plan/bucketbound.h"
#include "rollup/bucketexpr.h"

/*
 * Truncation in a time zone goes by local time. What that says of the time itself is off by what the zone's clock has
 * jumped in between: never more than a day in a zone with a name (Samoa left out one), while one that is written out, with digits,
 * may have offsets of 167 hours to either side of UTC.
 */
#define NAMED_ZONE_MARGIN (2 * USECS_PER_DAY)
#define ANY_ZONE_MARGIN (15 * USECS_PER_DAY)

typedef struct Comparison
{
	HzBucketExpr bucket;
	HzBucketKind kind; /* _UTC, _ZONE or _SESSION */
	int strategy;      /* of bucket OP value */
	Expr *value;       /* constant while the query runs */
	Oid opfamily;
	Oid type; /* of the column */
} Comparison;

/* A comparison of a bucket of a column of the relation with a constant, both of one type. */
static bool
understand(Node *qual, Index relid, Comparison *result)
{
	OpExpr *op = (OpExpr *) qual;
	Node *left;
	Oid opno;
	Oid left_type;
	Oid right_type;
	TypeCacheEntry *type;

	if (!IsA(qual, OpExpr) || list_length(op->args) != 2)
		return false;
	opno = op->opno;
	left = linitial(op->args);
	result->value = lsecond(op->args);
	if (!IsA(left, FuncExpr))
	{
		opno = get_commutator(opno);
		left = lsecond(op->args);
		result->value = linitial(op->args);
	}
	if (!OidIsValid(opno) || !IsA(left, FuncExpr))
		return false;
	result->kind = hz_bucketexpr(left, &result->bucket);
	if (result->kind != HZ_BUCKET_UTC && result->kind != HZ_BUCKET_ZONE &&
		result->kind != HZ_BUCKET_SESSION)
		return false;
	if (result->bucket.column->varno != (int) relid || result->bucket.column->varlevelsup != 0)
		return false;
	result->type = result->bucket.column->vartype;
	if (result->type != TIMESTAMPTZOID && result->type != TIMESTAMPOID)
		return false;
	op_input_types(opno, &left_type, &right_type);
	if (left_type != right_type)
		return false;
	type = lookup_type_cache(left_type, TYPECACHE_BTREE_OPFAMILY);
	result->strategy = get_op_opfamily_strategy(opno, type->btree_opf);
	result->opfamily = lookup_type_cache(result->type, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
	return result->strategy != 0;
}

static List *
add_bound(List *bounds, Comparison *comparison, int strategy, Expr *value)
{
	Oid opno =
		get_opfamily_member(comparison->opfamily, comparison->type, comparison->type, strategy);
	OpExpr *bound;

	bound = (OpExpr *) make_opclause(opno, BOOLOID, false,
									 (Expr *) copyObject(comparison->bucket.column), value,
									 InvalidOid, InvalidOid);
	set_opfuncid(bound);
	return lappend(bounds, bound);
}

static List *
add_constant(List *bounds, Comparison *comparison, int strategy, Timestamp value)
{
	if (TIMESTAMP_NOT_FINITE(value))
		return bounds;
	return add_bound(bounds, comparison, strategy,
					 (Expr *) makeConst(comparison->type, -1, InvalidOid, sizeof(Timestamp),
										TimestampGetDatum(value), false, FLOAT8PASSBYVAL));
}

/* The first start of a bucket that is not before a time, and the first after it. */
static Timestamp
start_at(const HzBucket *bucket, Timestamp time)
{
	Timestamp floor = hz_bucket_floor(bucket, time);

	return floor == time || TIMESTAMP_NOT_FINITE(floor) ? floor : hz_bucket_next(bucket, floor);
}

static Timestamp
start_after(const HzBucket *bucket, Timestamp time)
{
	Timestamp floor = hz_bucket_floor(bucket, time);

	return TIMESTAMP_NOT_FINITE(floor) ? floor : hz_bucket_next(bucket, floor);
}

/* DT_NOBEGIN, which bounds nothing, where the result is out of range. */
static Timestamp
shifted(Timestamp time, int64 by)
{
	Timestamp result = time + by;

	return TIMESTAMP_NOT_FINITE(time) || !IS_VALID_TIMESTAMP(result) ? DT_NOBEGIN : result;
}

static List *
bounds_in_utc(List *bounds, Comparison *comparison, Timestamp value)
{
	const HzBucket *bucket = &comparison->bucket.bucket;
	int strategy = comparison->strategy;

	if (strategy >= BTEqualStrategyNumber)
		bounds = add_constant(bounds, comparison, BTGreaterEqualStrategyNumber,
							  strategy == BTGreaterStrategyNumber ? start_after(bucket, value)
																  : start_at(bucket, value));
	/*
	 * Servers before 15.6 give for a time before the origin that is itself the start of a bin the start of the bin
	 * before.
	 */
	if (strategy <= BTEqualStrategyNumber && !(comparison->bucket.is_bin && value < bucket->origin))
		bounds = add_constant(bounds, comparison, BTLessStrategyNumber,
							  strategy == BTLessStrategyNumber ? start_at(bucket, value)
															   : start_after(bucket, value));
	return bounds;
}

static int64
zone_margin(const HzBucketExpr *bucket)
{
	return bucket->zone != NULL && strpbrk(bucket->zone, "0123456789") == NULL ? NAMED_ZONE_MARGIN
																			   : ANY_ZONE_MARGIN;
}

/* A bucket of another zone starts at most the margin after its times, and ends so much after the longest of its unit. */
static List *
bounds_in_zone(List *bounds, Comparison *comparison, Timestamp value)
{
	const HzBucket *bucket = &comparison->bucket.bucket;
	int64 margin = zone_margin(&comparison->bucket);
	int64 longest = bucket->months > 0 ? bucket->months * 31 * USECS_PER_DAY : bucket->width;

	if (comparison->strategy >= BTEqualStrategyNumber)
		bounds =
			add_constant(bounds, comparison, BTGreaterEqualStrategyNumber, shifted(value, -margin));
	if (comparison->strategy <= BTEqualStrategyNumber)
		bounds = add_constant(bounds, comparison, BTLessStrategyNumber,
							  shifted(value, longest + margin));
	return bounds;
}

static List *
bounds_of_constant(List *bounds, Comparison *comparison, Timestamp value)
{
	if (TIMESTAMP_NOT_FINITE(value))
		return bounds;
	if (comparison->kind == HZ_BUCKET_UTC)
		return bounds_in_utc(bounds, comparison, value);
	return bounds_in_zone(bounds, comparison, value);
}

/* Only what needs no arithmetic, which might fail where the query does not. */
static List *
bounds_of_expression(List *bounds, Comparison *comparison)
{
	if (comparison->kind != HZ_BUCKET_UTC ||
		exprType((Node *) comparison->value) != comparison->type ||
		comparison->strategy < BTEqualStrategyNumber ||
		!hz_prunecompile_is_constant((Node *) comparison->value))
		return bounds;
	return add_bound(bounds, comparison, BTGreaterEqualStrategyNumber,
					 copyObject(comparison->value));
}

static List *
bounds_of(List *quals, Index relid)
{
	List *bounds = NIL;
	ListCell *cell;

	foreach(cell, quals)
	{
		Comparison comparison;

		if (!understand(lfirst(cell), relid, &comparison))
			continue;
		if (!IsA(comparison.value, Const))
			bounds = bounds_of_expression(bounds, &comparison);
		else if (!castNode(Const, comparison.value)->constisnull)
			bounds = bounds_of_constant(
				bounds, &comparison,
				DatumGetTimestamp(castNode(Const, comparison.value)->constvalue));
	}
	return bounds;
}

/* Quals are in implicit-AND form by now. Beside each other they are true of a row or not together, outer joins or not. */
static void
add_to(Node *jointree, Index relid)
{
	ListCell *cell;

	if (IsA(jointree, FromExpr))
	{
		FromExpr *from = (FromExpr *) jointree;
		List *quals = castNode(List, from->quals);

		from->quals = (Node *) list_concat(quals, bounds_of(quals, relid));
		foreach(cell, from->fromlist)
			add_to(lfirst(cell), relid);
	}
	else if (IsA(jointree, JoinExpr))
	{
		JoinExpr *join = (JoinExpr *) jointree;
		List *quals = castNode(List, join->quals);

		join->quals = (Node *) list_concat(quals, bounds_of(quals, relid));
		add_to(join->larg, relid);
		add_to(join->rarg, relid);
	}
}

void
hz_bucketbound_add(PlannerInfo *root, RelOptInfo *rel)
{
	if (rel->reloptkind == RELOPT_BASEREL && root->parse->jointree != NULL)
		add_to((Node *) root->parse->jointree, rel->relid);
}
