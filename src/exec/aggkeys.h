/*
 * exec/aggkeys.h
 *	  What the keys of lookups rule out of the input: where a join's other side has few rows, the input's row groups and
 *	  vectors that can have none of their keys are not read.
 *
 * It is as if the scan had a condition `key IN (…)` more, of which only NO counts: the join itself looks every row up.
 */
#ifndef HZ_AGGKEYS_H
#define HZ_AGGKEYS_H

#include "exec/aggleaf.h"

/* For a leaf whose program is compiled and whose lookups are read: until hz_aggkeys_end() its scan prunes by their keys, too. */
extern void hz_aggkeys_begin(HzAggLeaf *leaf);

/* Gives the scan its own conditions back, with what was counted; may be called twice, and without hz_aggkeys_begin(). */
extern void hz_aggkeys_end(HzAggLeaf *leaf);

extern bool hz_enable_join_pruning;

#endif /* HZ_AGGKEYS_H */
