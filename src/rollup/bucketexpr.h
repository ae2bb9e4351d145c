/*
 * rollup/bucketexpr.h
 *	  Expressions whose value is the start of a time bucket: date_trunc() and date_bin() of a column.
 */
#ifndef HZ_BUCKETEXPR_H
#define HZ_BUCKETEXPR_H

#include "nodes/primnodes.h"

#include "rollup/bucket.h"

typedef enum HzBucketKind
{
	HZ_BUCKET_NONE, /* something else */
	HZ_BUCKET_UTC,  /* a bucket in UTC, or of times without a zone */
	HZ_BUCKET_ZONE, /* date_trunc(unit, timestamptz, zone) in another zone than UTC, or one not known yet */
	HZ_BUCKET_SESSION, /* date_trunc(unit, timestamptz): in the session's zone */
	HZ_BUCKET_UNIT,    /* a unit that HzBucket does not know */
	HZ_BUCKET_STRIDE /* a stride that HzBucket does not know: of months, or not between a minute and a century */
} HzBucketKind;

typedef struct HzBucketExpr
{
	HzBucket bucket;  /* for _ZONE and _SESSION: of the unit, in UTC */
	Var *column;      /* of the expression itself, no copy */
	const char *unit; /* of date_trunc */
	const char *zone; /* of date_trunc in a zone, where it is known */
	bool is_bin;
} HzBucketExpr;

/*
 * What an expression whose constants are folded is. The column is a timestamp, a timestamptz or a date; its values stand
 * for times as in bucket.h: a date is its midnight, timestamptz AT TIME ZONE 'UTC' the same number.
 */
extern HzBucketKind hz_bucketexpr(Node *node, HzBucketExpr *result);

#endif /* HZ_BUCKETEXPR_H */
