/*
 * write/silent.h
 *	  Taking rows out of the delta page by page, unnoticed by logical decoding (PROTOCOLS 3.6).
 */
#ifndef HZ_SILENT_H
#define HZ_SILENT_H

#include "storage/itemptr.h"
#include "utils/rel.h"

#include "storage/store.h"

/*
 * Deletes delta rows as heap_delete() would that does not wait, but decoding learns nothing of it. Sets bit i of `left`
 * (zeroed by the caller) for each row that stays, because somebody holds or has changed it. The rows are others', and
 * the caller holds ShareUpdateExclusiveLock, which keeps VACUUM out. Under a heap view; changes of the relation are logged, at
 * the store's pace. What takes long comes before the first row is taken.
 */
extern void hz_silent_delete(Relation rel, HzStore *store, const ItemPointerData *tids,
							 uint32 count, CommandId cid, uint64 *left);

#endif /* HZ_SILENT_H */
