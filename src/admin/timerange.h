/*
 * admin/timerange.h
 *	  A range of time in a column of a table: what the functions of months and TTL have in common.
 *
 * Bounds are timestamps: wall-clock times for date and timestamp, UTC for timestamptz.
 */
#ifndef HZ_TIMERANGE_H
#define HZ_TIMERANGE_H

#include "datatype/timestamp.h"
#include "utils/rel.h"

typedef struct HzTimeRange
{
	AttrNumber attnum;
	Oid type;
	Timestamp from; /* DT_NOBEGIN: from the first finite time on */
	Timestamp to;   /* exclusive, finite */
} HzTimeRange;

/* date, timestamp or timestamptz itself, no domain over it. */
extern bool hz_timerange_is_time(Oid type);

/*
 * Opens a table of the caller's with the lock, which stays to the end of the transaction; its owner is checked before
 * it and after it.
 */
extern Relation hz_timerange_open(Oid relid, LOCKMODE lockmode);

/* The attribute of this name, which must be of a type of time. */
extern AttrNumber hz_timerange_column(Relation rel, const char *name);

/* Takes a range out of arguments (name, timestamp or NULL, timestamp). */
extern HzTimeRange hz_timerange_of(Relation rel, const char *column, bool open_below,
								   Timestamp from, Timestamp to);

/* The bounds in units of the column as it is stored: microseconds, or days for date. */
extern int64 hz_timerange_stored(const HzTimeRange *range, Timestamp bound);

/* As an SQL condition on the column, independent of any setting; palloc'd. */
extern char *hz_timerange_condition(Relation rel, const HzTimeRange *range);

#endif /* HZ_TIMERANGE_H */
