/*
 * plan/groupcount.h
 *	  How many groups there will be.
 */
#ifndef HZ_GROUPCOUNT_H
#define HZ_GROUPCOUNT_H

#include "nodes/pathnodes.h"

/*
 * For grouping `rows` rows by expressions: PostgreSQL's estimate, which takes a function of a column for as many values as the column has, or
 * less where expressions say themselves how many they can have: buckets and fields of times, truth, choices among constants, and
 * functions of these.
 */
extern double hz_groupcount(PlannerInfo *root, List *exprs, double rows);

#endif /* HZ_GROUPCOUNT_H */
