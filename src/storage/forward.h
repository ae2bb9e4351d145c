/*
 * storage/forward.h
 *	  Forwards: where rows went that a mover (compaction, rewriting) took away (PROTOCOLS 3.4).
 *
 * A mover deletes old versions (delta tuples, or directory entries of whole groups) and inserts new groups
 * with the same xid. Beside each new group it stores the list (old TID, position), sorted by old TID, in tuples
 * (group's chunk_id, HZ_STORE_FORWARDS + n), kept until the mover's xid precedes every snapshot.
 *
 *	  tuple: entries, then their checksum u32 (hz_store_checksum)
 *	  entry, 12 bytes: old block u32, old offset u16, zero u16, position u32
 */
#ifndef HZ_FORWARD_H
#define HZ_FORWARD_H

#include "storage/directory.h"

typedef struct HzForward
{
	ItemPointerData old;
	uint32 position; /* in the new group */
} HzForward;

/* Sorts the list in place and stores it with the group. */
extern void hz_forward_write(HzStore *store, const HzGroup *group, HzForward *forwards,
							 uint32 count, CommandId cid);

/* Where `mover` (the xid that deleted the old version) put the row; false when it did not move it. */
extern bool hz_forward_find(HzStore *store, TransactionId mover, ItemPointer old,
							ItemPointer where);

/* Whether the bytes of a tuple of forwards are what was written for this group. */
extern bool hz_forward_is_sound(Oid chunk_id, int32 seq, const uint8_t *data, Size length);

/* Deletes the forwards of a group if no snapshot can need them; returns whether there were any. */
extern bool hz_forward_expire(HzStore *store, const HzGroup *group, CommandId cid);

/* Installs the transaction callback; called once by _PG_init. */
extern void hz_forward_init(void);

#endif /* HZ_FORWARD_H */
