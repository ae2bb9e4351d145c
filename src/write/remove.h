/*
 * write/remove.h
 *	  Taking away row groups whose rows all lie in a range of one column, without reading them.
 */
#ifndef HZ_REMOVE_H
#define HZ_REMOVE_H

#include "utils/rel.h"
#include "utils/snapshot.h"

/* Whether rows of the table may go unnoticed: no DELETE triggers, rules, row security, logical decoding. */
extern bool hz_remove_unnoticed(Relation rel);

/*
 * Deletes the row groups of a columnar table whose zone map of the attribute, which must be one of integers (dates
 * and timestamps are), lies within [from, to) and that have no null there, as far as the registered snapshot sees them. A group on whose rows somebody is at work stays.
 * What is deleted, and whether others see it, is transactional as every move (mover.h): old snapshots keep the rows.
 * Needs ShareUpdateExclusiveLock. Returns the rows deleted; *bytes is what their groups took.
 */
extern uint64 hz_remove_groups(Relation rel, AttrNumber attnum, int64 from, int64 to,
							   Snapshot snapshot, uint64 *bytes);

#endif /* HZ_REMOVE_H */
