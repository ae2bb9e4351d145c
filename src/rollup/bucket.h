/*
 * rollup/bucket.h
 *	  Time buckets in UTC: of a fixed width counted from an origin, or of whole months.
 *
 * Times are microseconds since 2000-01-01 00:00 UTC, as timestamp and timestamptz are; a date stands for its midnight.
 * What is computed here is what date_trunc(unit, …, 'UTC') and date_bin(width, …, origin) give.
 */
#ifndef HZ_BUCKET_H
#define HZ_BUCKET_H

#include "datatype/timestamp.h"

typedef struct HzBucket
{
	int32 months; /* of the calendar, counted from January; 0: the width counts */
	int64 width;  /* microseconds */
	int64 origin; /* start of one of the buckets */
} HzBucket;

/*
 * The unit of date_trunc, from minute to year. False: none that we know.
 */
extern bool hz_bucket_of_unit(const char *unit, HzBucket *bucket);

/* Start of the bucket that a finite time lies in; DT_NOBEGIN where that lies before all time. */
extern Timestamp hz_bucket_floor(const HzBucket *bucket, Timestamp time);

/* End of the bucket that starts at a finite time, which is the start of the next; DT_NOEND beyond all time. */
extern Timestamp hz_bucket_next(const HzBucket *bucket, Timestamp start);

/* Whether every bucket of `coarse` is made of whole buckets of `fine`. */
extern bool hz_bucket_nests(const HzBucket *coarse, const HzBucket *fine);

#endif /* HZ_BUCKET_H */
