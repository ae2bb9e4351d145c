/*
 * write/bulk.c
 *	  The backend's open bulk loads. See bulk.h.
 *
 * One Load per relation and transaction. All memory hangs below TopTransactionContext. A buffer is full at three quarters
 * of maintenance_work_mem, so that two, of which a thread encodes one, are half as much again; beyond that, however many
 * relations are loaded, the largest is sealed.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "storage/heapview.h"
#include "storage/options.h"
#include "storage/store.h"
#include "write/bulk.h"
#include "write/seal.h"
#include "write/sealer.h"

#define TAIL_SLOTS 256
#define BOUND_BYTES (64 * 1024) /* buffered between two looks at the memory of all loads */
#define MIN_FULL_BYTES ((uint64) 8 * 1024 * 1024) /* below, groups would get too small */
#define ENOUGH_BYTES \
	(4 * 1024 * 1024) /* rows so wide make a group of decent size however few they are */

typedef struct Load
{
	Oid relid;
	CommandId cid;
	SubTransactionId subid;
	uint64 head;         /* rows of this command that went to the delta */
	HzRowBuffer *buffer; /* NULL until a row is buffered */
	HzRowBuffer *behind; /* full, being encoded in a thread or yet to be written; NULL: none */
	HzRowBuffer *spare;  /* empty, to be the next buffer; NULL: none */
	bool flushing;       /* the buffers are being written: they take no rows */
	SubTransactionId
		written_in; /* the subtransaction, deeper than ours, that has written the buffer */
	HzOptions *options;
	MemoryContext context;
	struct Load *next;
} Load;

static Load *loads = NULL;
static uint64 unbounded = 0; /* bytes buffered since memory was last looked at */
static MemoryContext loads_context = NULL;

static void flush_and_free(Relation rel, Load *load);

/* The relation's load that takes rows, or NULL. */
static Load *
find_load(Oid relid)
{
	for (Load *load = loads; load != NULL; load = load->next)
	{
		if (load->relid == relid && load->written_in == InvalidSubTransactionId && !load->flushing)
			return load;
	}
	return NULL;
}

static Load *
new_load(Relation rel)
{
	Load *load;

	if (loads_context == NULL)
		loads_context = AllocSetContextCreate(TopTransactionContext, "hanzo bulk loads",
											  ALLOCSET_DEFAULT_SIZES);
	load = MemoryContextAllocZero(loads_context, sizeof(Load));
	load->relid = RelationGetRelid(rel);
	load->next = loads;
	loads = load;
	return load;
}

static void
drop_buffer(HzRowBuffer **buffer)
{
	if (*buffer == NULL)
		return;
	hz_sealer_abandon(*buffer);
	hz_rowbuffer_destroy(*buffer);
	*buffer = NULL;
}

static void
drop_buffers(Load *load)
{
	drop_buffer(&load->buffer);
	drop_buffer(&load->behind);
	drop_buffer(&load->spare);
}

static bool
has_rows(const Load *load)
{
	return (load->buffer != NULL && hz_rowbuffer_rows(load->buffer) > 0) || load->behind != NULL;
}

static uint64
buffered_bytes(const Load *load)
{
	return (load->buffer != NULL ? hz_rowbuffer_bytes(load->buffer) : 0) +
		   (load->behind != NULL ? hz_rowbuffer_bytes(load->behind) : 0);
}

static Load *
get_load(Relation rel, CommandId cid)
{
	Load *load = find_load(RelationGetRelid(rel));

	if (load != NULL && load->cid == cid && load->subid == GetCurrentSubTransactionId())
		return load;
	/* the next command's rows may have other columns */
	if (load != NULL)
		flush_and_free(rel, load);
	/* rows written by a subtransaction of theirs stay with the load that has them */
	if (load == NULL || load->written_in != InvalidSubTransactionId)
		load = new_load(rel);
	load->cid = cid;
	load->subid = GetCurrentSubTransactionId();
	load->head = 0;
	return load;
}

/* The tuple that a slot has already; NULL: none. */
static HeapTuple
tuple_of(TupleTableSlot *slot)
{
	if (TTS_IS_HEAPTUPLE(slot) || TTS_IS_BUFFERTUPLE(slot))
		return ((HeapTupleTableSlot *) slot)->tuple;
	return NULL;
}

bool
hz_bulk_is_huge(Relation rel, TupleTableSlot *slot)
{
	HeapTuple tuple = tuple_of(slot);

	/* a formed tuple fits memory, unless it has values elsewhere */
	if (tuple != NULL && !HeapTupleHasExternal(tuple))
		return false;
	slot_getallattrs(slot);
	return hz_rowbuffer_is_huge(RelationGetDescr(rel), slot->tts_values, slot->tts_isnull);
}

bool
hz_bulk_possible(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	if (!OidIsValid(rel->rd_rel->reltoastrelid) || rel->rd_rel->relhasindex)
		return false;
	if (triggers != NULL && (triggers->trig_insert_after_row || triggers->trig_insert_new_table))
		return false;
	return !RelationIsLogicallyLogged(rel);
}

int
hz_bulk_head(Relation rel, CommandId cid, int count)
{
	Load *load = get_load(rel, cid);
	int take;

	if (load->head >= HZ_BULK_HEAD)
		return 0;
	take = (int) Min((uint64) count, HZ_BULK_HEAD - load->head);
	load->head += take;
	return take;
}

/* Seals the buffer, which a thread may have encoded, into a visible group. */
static void
seal_rows(Relation rel, const Load *load, HzRowBuffer *buffer)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo seal", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzStore *store = hz_store_open(rel, RowExclusiveLock);
	HzGroup *group = hz_sealer_finish(store, buffer, load->cid);

	if (group == NULL)
		group = hz_seal(store, buffer, load->options, load->cid, NULL);
	else
		ereport(DEBUG1,
				(errmsg_internal(
					"row group of %u rows, %u copied as tuples, was encoded beside the load",
					hz_rowbuffer_rows(buffer), hz_rowbuffer_copied(buffer))));
	hz_directory_insert(store, group, load->cid);
	pgstat_count_heap_insert(rel, group->rows);
	hz_store_close(store);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* Inserts the buffered rows into the delta. */
static void
tail_to_delta(Relation rel, const Load *load, HzRowBuffer *buffer)
{
	uint32 rows = hz_rowbuffer_rows(buffer);
	TupleDesc desc = RelationGetDescr(rel);
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo tail", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	BulkInsertState bistate = GetBulkInsertState();
	TupleTableSlot *slots[TAIL_SLOTS];
	HzHeapView view;

	for (int i = 0; i < TAIL_SLOTS; i++)
		slots[i] = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	hz_heapview_begin(&view, rel);
	for (uint32 done = 0; done < rows;)
	{
		int take = (int) Min(rows - done, TAIL_SLOTS);
		MemoryContext batch =
			AllocSetContextCreate(context, "hanzo tail batch", ALLOCSET_DEFAULT_SIZES);

		MemoryContextSwitchTo(batch);
		for (int i = 0; i < take; i++)
		{
			ExecStoreHeapTuple(heap_tuple_from_minimal_tuple(hz_rowbuffer_tuple(buffer, done + i)),
							   slots[i], false);
			slots[i]->tts_tableOid = RelationGetRelid(rel);
		}
		heap_multi_insert(rel, slots, take, load->cid, 0, bistate);
		for (int i = 0; i < take; i++)
			ExecClearTuple(slots[i]);
		MemoryContextSwitchTo(context);
		MemoryContextDelete(batch);
		done += take;
	}
	hz_heapview_end(&view);
	for (int i = 0; i < TAIL_SLOTS; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	FreeBulkInsertState(bistate);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* All rows are written: buffers are empty. */
static void
forget_rows(Load *load)
{
	if (load->buffer != NULL)
		hz_rowbuffer_reset(load->buffer);
	if (load->behind != NULL)
	{
		drop_buffer(&load->spare);
		hz_rowbuffer_reset(load->behind);
		load->spare = load->behind;
		load->behind = NULL;
	}
}

static void
write_out(Relation rel, const Load *load, HzRowBuffer *buffer)
{
	if (hz_rowbuffer_rows(buffer) >= Min(HZ_BULK_HEAD, load->options->row_group_rows) ||
		hz_rowbuffer_bytes(buffer) >= ENOUGH_BYTES)
		seal_rows(rel, load, buffer);
	else if (hz_rowbuffer_rows(buffer) > 0)
		tail_to_delta(rel, load, buffer);
}

/*
 * Writes out and empties the buffer. Within a subtransaction deeper than the load's the rows are kept
 * until that one's end: should it abort, they are to be written again.
 */
static void
flush_load(Relation rel, Load *load)
{
	if (!has_rows(load) || load->flushing || load->written_in != InvalidSubTransactionId)
		return;
	/* what runs meanwhile must not flush it again; an error that somebody catches leaves the rows to be written */
	load->flushing = true;
	PG_TRY();
	{
		if (load->behind != NULL)
			seal_rows(rel, load, load->behind);
		if (load->buffer != NULL)
			write_out(rel, load, load->buffer);
	}
	PG_FINALLY();
	{
		load->flushing = false;
	}
	PG_END_TRY();
	if (GetCurrentSubTransactionId() != load->subid)
		load->written_in = GetCurrentSubTransactionId();
	else
		forget_rows(load);
}

/* The same, and the memory goes: there may be many loads, and more rows may never come. */
static void
flush_and_free(Relation rel, Load *load)
{
	flush_load(rel, load);
	if (!has_rows(load))
		drop_buffers(load);
}

/* Whether no other load has rows: then it may keep memory for its next buffer. */
static bool
is_alone(const Load *load)
{
	for (Load *other = loads; other != NULL; other = other->next)
	{
		if (other != load && has_rows(other))
			return false;
	}
	return true;
}

/* The one behind is written, in the load's own subtransaction. */
static void
finish_behind(Relation rel, Load *load)
{
	load->flushing = true;
	PG_TRY();
	{
		seal_rows(rel, load, load->behind);
	}
	PG_FINALLY();
	{
		load->flushing = false;
	}
	PG_END_TRY();
	if (is_alone(load))
	{
		hz_rowbuffer_reset(load->behind);
		load->spare = load->behind;
		load->behind = NULL;
	}
	else
		drop_buffer(&load->behind);
}

/* Sort keys that are expressions may call functions that read the table: they do not see these rows. */
static bool
start_sealer(Load *load)
{
	volatile bool started = false;

	load->flushing = true;
	PG_TRY();
	{
		started = hz_sealer_start(load->buffer, load->options);
	}
	PG_FINALLY();
	{
		load->flushing = false;
	}
	PG_END_TRY();
	return started;
}

/* The buffer is full: a thread encodes it while the next one fills, or else it is written here and now. */
static void
buffer_is_full(Relation rel, Load *load)
{
	if (load->behind != NULL)
		finish_behind(rel, load);
	if (start_sealer(load))
	{
		load->behind = load->buffer;
		load->buffer = load->spare;
		load->spare = NULL;
		return;
	}
	flush_load(rel, load);
}

void
hz_bulk_flush(Relation rel)
{
	bool any = false;

	for (Load *load = loads; load != NULL; load = load->next)
	{
		if (load->relid != RelationGetRelid(rel))
			continue;
		flush_and_free(rel, load);
		any = true;
	}
	if (any && !IsInParallelMode() && OidIsValid(rel->rd_rel->reltoastrelid))
	{
		HzStore *store = hz_store_open(rel, RowExclusiveLock);

		hz_store_persist_draws(store);
		hz_store_close(store);
	}
}

/* Keeps the buffers of all loads together within bounds. */
static void
bound_memory(void)
{
	uint64 total = 0;
	Load *largest = NULL;

	for (Load *load = loads; load != NULL; load = load->next)
	{
		uint64 bytes = buffered_bytes(load);

		total += bytes;
		if (bytes > 0 && load->written_in == InvalidSubTransactionId && !load->flushing &&
			(largest == NULL || bytes > buffered_bytes(largest)))
			largest = load;
	}
	if (largest != NULL && total > hz_rowbuffer_limit() / 2 * 3)
	{
		Relation rel = table_open(largest->relid, NoLock);

		flush_and_free(rel, largest);
		table_close(rel, NoLock);
	}
}

void
hz_bulk_add(Relation rel, TupleTableSlot *slot, CommandId cid)
{
	Load *load = get_load(rel, cid);
	uint64 before;

	if (load->buffer == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(loads_context);

		/* the thread may be using the options that are there */
		if (load->behind == NULL)
			load->options = hz_options_read(rel);
		load->buffer = hz_rowbuffer_create(loads_context, RelationGetDescr(rel));
		MemoryContextSwitchTo(old);
	}
	before = hz_rowbuffer_bytes(load->buffer);
	/* COPY has formed tuples */
	if (tuple_of(slot) == NULL || !hz_rowbuffer_add_tuple(load->buffer, tuple_of(slot)))
	{
		slot_getallattrs(slot);
		hz_rowbuffer_add(load->buffer, slot->tts_values, slot->tts_isnull);
	}
	if (hz_rowbuffer_rows(load->buffer) >= load->options->row_group_rows ||
		hz_rowbuffer_bytes(load->buffer) >= Max(hz_rowbuffer_limit() / 4 * 3, MIN_FULL_BYTES))
		buffer_is_full(rel, load);
	else if ((unbounded += hz_rowbuffer_bytes(load->buffer) - before) > BOUND_BYTES)
	{
		unbounded = 0;
		bound_memory();
	}
}

static void
flush_all(void)
{
	for (Load *load = loads; load != NULL; load = load->next)
	{
		Relation rel;

		/* the table of an empty buffer may be gone, as that of a rewrite is */
		if (!has_rows(load))
			continue;
		rel = table_open(load->relid, RowExclusiveLock);
		hz_bulk_flush(rel);
		table_close(rel, NoLock);
	}
}

static void
forget_all(void)
{
	/* the memory goes with TopTransactionContext */
	hz_sealer_abandon(NULL);
	loads = NULL;
	loads_context = NULL;
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			flush_all();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			forget_all();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
	}
}

/* The subtransaction that has written a load's buffer for it ends. */
static void
end_of_writer(Load *load, SubXactEvent event, SubTransactionId parent)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		load->written_in = InvalidSubTransactionId;
	else if (event == SUBXACT_EVENT_COMMIT_SUB && parent != load->subid)
		load->written_in = parent;
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		load->written_in = InvalidSubTransactionId;
		drop_buffers(load);
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				 void *arg)
{
	for (Load *load = loads; load != NULL; load = load->next)
	{
		if (load->written_in == mySubid)
			end_of_writer(load, event, parentSubid);
		if (load->subid != mySubid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			load->subid = parentSubid;
		else if (event == SUBXACT_EVENT_ABORT_SUB)
		{
			drop_buffers(load);
			load->flushing = false;
			load->written_in = InvalidSubTransactionId;
			load->subid = parentSubid;
			load->head = 0;
		}
	}
}

void
hz_bulk_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}
