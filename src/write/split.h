/*
 * write/split.h
 *	  Row groups cut at the borders of months.
 */
#ifndef HZ_SPLIT_H
#define HZ_SPLIT_H

#include "write/compact.h"

/*
 * One round of compaction (compact.h) for the default partition of a table whose months go by the attribute, a date, timestamp or
 * timestamptz: rewrites one row group that holds rows of several months into groups of one month each, so that moving a
 * month out takes whole groups (remove.h). Rows without a month, infinite or null, get groups of their own. False: nothing
 * is left to do.
 */
extern bool hz_split_by_month(Relation rel, AttrNumber attnum, HzCompactProgress *progress);

#endif /* HZ_SPLIT_H */
