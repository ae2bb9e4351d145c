/*
 * storage/dircache.h
 *	  The directory as this backend remembers it, so that a statement on a table with thousands of row
 *	  groups need not read it again.
 *
 * What is cached are the places of directory tuples, from the index, and of those that somebody has asked for the entries; not what
 * a snapshot sees of them. META counts changes of the
 * directory: the counter goes up in place after a tuple was inserted or deleted and before that
 * transaction commits. A snapshot that sees the change was taken after the commit, hence reads the counter
 * raised: so a cache with the counter's present value has the place of every tuple that the snapshot can see. Tuples whose
 * insertion or deletion was not settled when they were read are looked at again for each snapshot.
 *
 * Entries are keyed by the TOAST relation's file and dropped when the table's relcache entry is invalidated.
 * Only for MVCC snapshots; all others read the directory itself.
 */
#ifndef HZ_DIRCACHE_H
#define HZ_DIRCACHE_H

#include "storage/directory.h"

typedef struct HzDirCache HzDirCache;

/*
 * The cached directory of this store, whose places are read (again) if need be; NULL when it is too large to keep. Valid
 * until the next call.
 */
extern HzDirCache *hz_dircache_get(HzStore *store);

/*
 * Copies, palloc'd in the current context, of the groups that the MVCC snapshot sees, by number; without their
 * descriptions, which hz_groupread_describe() reads. Block ranges are shared with the cache, whose memory stays until that
 * context is reset.
 */
extern HzGroup **hz_dircache_visible(HzDirCache *cache, HzStore *store, Snapshot snapshot,
									 uint32 *count);

/* A copy of the group that holds the row, if the MVCC snapshot sees it; likewise. */
extern HzGroup *hz_dircache_find(HzDirCache *cache, HzStore *store, uint64 row, Snapshot snapshot);

/* A copy of the group that holds the row, whoever may see it; NULL: not known here. Its tuple may have gone since. */
extern HzGroup *hz_dircache_place(HzStore *store, uint64 row);

/* Forgets a table's directory (InvalidOid: all). */
extern void hz_dircache_forget(Oid tableoid);

extern void hz_dircache_init(void);

#endif /* HZ_DIRCACHE_H */
