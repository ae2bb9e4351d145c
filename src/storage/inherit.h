/*
 * storage/inherit.h
 *	  Locks that pass from a columnar row to its new version in the delta.
 */
#ifndef HZ_INHERIT_H
#define HZ_INHERIT_H

#include "utils/rel.h"

/*
 * Gives the delta row at `tid`, which our transaction has inserted and nobody has locked, the KEY SHARE locks of other
 * transactions that hold them on the version before it: as heap_update() does for versions within a heap.
 */
extern void hz_inherit_key_share(Relation rel, ItemPointer tid, const TransactionId *lockers,
								 uint32 count);

#endif /* HZ_INHERIT_H */
