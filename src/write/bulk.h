/*
 * write/bulk.h
 *	  Bulk loads: rows that go into row groups without passing through the delta (PROTOCOLS 4).
 *
 * Only rows whose TIDs nobody will ask for are buffered: no index, no AFTER ROW trigger, no transition table,
 * not logically decoded. COPY into an existing table sends its first HZ_BULK_HEAD rows to the
 * delta, so that small loads never make small groups; a tail of fewer than HZ_BULK_HEAD rows goes there too.
 * Buffers are written out before anything in this backend reads the relation, when the command id
 * changes, at the end of the load and before commit or prepare; they are forgotten on (sub)abort.
 */
#ifndef HZ_BULK_H
#define HZ_BULK_H

#include "access/heapam.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

#define HZ_BULK_HEAD 8192

/* Whether rows of this relation may be buffered now. */
extern bool hz_bulk_possible(Relation rel);

/* How many of the next `count` rows of this command the delta shall take. */
extern int hz_bulk_head(Relation rel, CommandId cid, int count);

/* Whether a row must go to the delta: hz_rowbuffer_is_huge(). */
extern bool hz_bulk_is_huge(Relation rel, TupleTableSlot *slot);

/* Buffers a row that is not huge; seals groups as they fill. */
extern void hz_bulk_add(Relation rel, TupleTableSlot *slot, CommandId cid);

/* Writes out what is buffered for the relation, if anything. */
extern void hz_bulk_flush(Relation rel);

/* Installs the transaction callbacks; called once by _PG_init. */
extern void hz_bulk_init(void);

#endif /* HZ_BULK_H */
