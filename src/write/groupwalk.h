/*
 * write/groupwalk.h
 *	  All live rows of one row group, one after the other.
 */
#ifndef HZ_GROUPWALK_H
#define HZ_GROUPWALK_H

#include "storage/groupread.h"

/* Called with a row's values (valid during the call) and its row number. */
typedef void (*HzGroupWalkRow)(void *arg, const Datum *values, const bool *isnull, uint64 number);

/* Walks the rows that the snapshot does not see as deleted. Memory: one vector of Datums. */
extern void hz_groupwalk(HzStore *store, HzGroup *group, TupleDesc desc, const HzColumnType *types,
						 Snapshot snapshot, HzGroupWalkRow row, void *arg);

#endif /* HZ_GROUPWALK_H */
