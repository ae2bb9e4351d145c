/*
 * read/rowslot.c
 *	  Forms heap tuples of columnar rows. See rowslot.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/tuptable.h"

#include "read/rowslot.h"
#include "storage/rowid.h"

/* As ExecForceStoreHeapTuple() does, without its second copy. The tuple is the slot's. */
static void
store_tuple(TupleTableSlot *slot, Oid tableoid, const HzGroup *group, uint64 number,
			HeapTuple tuple)
{
	BufferHeapTupleTableSlot *bslot = (BufferHeapTupleTableSlot *) slot;
	HeapTupleHeader header = tuple->t_data;

	hz_rowid_to_tid(number, &tuple->t_self);
	tuple->t_tableOid = tableoid;
	header->t_ctid = tuple->t_self;
	HeapTupleHeaderSetXmin(header, group->raw_xmin);
	HeapTupleHeaderSetCmin(header, group->cmin);
	HeapTupleHeaderSetXmax(header, InvalidTransactionId);
	header->t_infomask &= ~HEAP_XMIN_FROZEN;
	header->t_infomask |= HEAP_XMAX_INVALID | (group->infomask & HEAP_XMIN_FROZEN);

	bslot->base.tuple = tuple;
	bslot->base.off = 0;
	bslot->buffer = InvalidBuffer;
	slot->tts_nvalid = 0;
	slot->tts_flags &= ~TTS_FLAG_EMPTY;
	slot->tts_flags |= TTS_FLAG_SHOULDFREE;
	slot->tts_tid = tuple->t_self;
	slot->tts_tableOid = tableoid;
}

void
hz_rowslot_store(TupleTableSlot *slot, Oid tableoid, const HzGroup *group, uint64 number,
				 const Datum *values, const bool *isnull)
{
	MemoryContext old;
	HeapTuple tuple;

	Assert(TTS_IS_BUFFERTUPLE(slot));
	ExecClearTuple(slot);
	old = MemoryContextSwitchTo(slot->tts_mcxt);
	tuple = heap_form_tuple(slot->tts_tupleDescriptor, (Datum *) values, (bool *) isnull);
	MemoryContextSwitchTo(old);
	store_tuple(slot, tableoid, group, number, tuple);
}

void
hz_rowslot_store_copy(TupleTableSlot *slot, Oid tableoid, const HzGroup *group, uint64 number,
					  HeapTuple row)
{
	MemoryContext old;
	HeapTuple tuple;

	Assert(TTS_IS_BUFFERTUPLE(slot));
	ExecClearTuple(slot);
	old = MemoryContextSwitchTo(slot->tts_mcxt);
	tuple = heap_copytuple(row);
	MemoryContextSwitchTo(old);
	store_tuple(slot, tableoid, group, number, tuple);
}
