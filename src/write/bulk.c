/*
 * write/bulk.c
 *	  The backend's open bulk loads. See bulk.h.
 *
 * One Load per relation and transaction. All memory hangs below TopTransactionContext; together the
 * buffers take at most maintenance_work_mem, beyond which the largest is sealed.
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
#include "utils/memutils.h"
#include "utils/rel.h"

#include "storage/heapview.h"
#include "storage/options.h"
#include "storage/store.h"
#include "write/bulk.h"
#include "write/seal.h"

#define TAIL_SLOTS 256
#define ENOUGH_BYTES \
	(4 * 1024 * 1024) /* rows so wide make a group of decent size however few they are */

typedef struct Load
{
	Oid relid;
	CommandId cid;
	SubTransactionId subid;
	uint64 head;         /* rows of this command that went to the delta */
	HzRowBuffer *buffer; /* NULL until a row is buffered */
	HzOptions *options;
	MemoryContext context;
	struct Load *next;
} Load;

static Load *loads = NULL;
static MemoryContext loads_context = NULL;

static Load *
find_load(Oid relid)
{
	for (Load *load = loads; load != NULL; load = load->next)
	{
		if (load->relid == relid)
			return load;
	}
	return NULL;
}

static Load *
get_load(Relation rel, CommandId cid)
{
	Load *load = find_load(RelationGetRelid(rel));

	if (load == NULL)
	{
		if (loads_context == NULL)
			loads_context = AllocSetContextCreate(TopTransactionContext, "hanzo bulk loads",
												  ALLOCSET_DEFAULT_SIZES);
		load = MemoryContextAllocZero(loads_context, sizeof(Load));
		load->relid = RelationGetRelid(rel);
		load->cid = cid;
		load->subid = GetCurrentSubTransactionId();
		load->next = loads;
		loads = load;
	}
	if (load->cid != cid || load->subid != GetCurrentSubTransactionId())
	{
		hz_bulk_flush(rel);
		load->cid = cid;
		load->subid = GetCurrentSubTransactionId();
		load->head = 0;
	}
	return load;
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

/* Seals the buffer into a visible group. */
static void
seal_load(Relation rel, Load *load)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo seal", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzStore *store = hz_store_open(rel, RowExclusiveLock);
	HzGroup *group = hz_seal(store, load->buffer, load->options, load->cid, NULL);

	hz_directory_insert(store, group, load->cid);
	hz_store_close(store);
	hz_rowbuffer_reset(load->buffer);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* Inserts the buffered rows into the delta. */
static void
tail_to_delta(Relation rel, Load *load)
{
	uint32 rows = hz_rowbuffer_rows(load->buffer);
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
			Datum *values = palloc(sizeof(Datum) * desc->natts);
			bool *isnull = palloc(sizeof(bool) * desc->natts);

			for (int a = 0; a < desc->natts; a++)
				values[a] = hz_rowbuffer_datum(load->buffer, done + i, a, &isnull[a]);
			ExecStoreHeapTuple(heap_form_tuple(desc, values, isnull), slots[i], false);
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
	hz_rowbuffer_reset(load->buffer);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
flush_load(Relation rel, Load *load)
{
	HzRowBuffer *buffer = load->buffer;

	if (buffer == NULL)
		return;
	/* nothing that runs below may find the buffer and flush it again */
	load->buffer = NULL;
	if (hz_rowbuffer_rows(buffer) > 0)
	{
		Load copy = *load;

		copy.buffer = buffer;
		if (hz_rowbuffer_rows(buffer) >= HZ_BULK_HEAD || hz_rowbuffer_bytes(buffer) >= ENOUGH_BYTES)
			seal_load(rel, &copy);
		else
			tail_to_delta(rel, &copy);
	}
	hz_rowbuffer_destroy(buffer);
}

void
hz_bulk_flush(Relation rel)
{
	Load *load;

	if (loads == NULL)
		return;
	load = find_load(RelationGetRelid(rel));
	if (load == NULL)
		return;
	flush_load(rel, load);
	if (!IsInParallelMode() && OidIsValid(rel->rd_rel->reltoastrelid))
	{
		HzStore *store = hz_store_open(rel, RowExclusiveLock);

		hz_store_persist_draws(store);
		hz_store_close(store);
	}
}

/* Keeps the buffers together within maintenance_work_mem. */
static void
bound_memory(void)
{
	uint64 total = 0;
	Load *largest = NULL;

	for (Load *load = loads; load != NULL; load = load->next)
	{
		uint64 bytes = load->buffer ? hz_rowbuffer_bytes(load->buffer) : 0;

		total += bytes;
		if (bytes > 0 && (largest == NULL || bytes > hz_rowbuffer_bytes(largest->buffer)))
			largest = load;
	}
	if (largest != NULL && total > hz_rowbuffer_limit())
	{
		Relation rel = table_open(largest->relid, NoLock);

		flush_load(rel, largest);
		table_close(rel, NoLock);
	}
}

void
hz_bulk_add(Relation rel, TupleTableSlot *slot, CommandId cid)
{
	Load *load = get_load(rel, cid);

	if (load->buffer == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(loads_context);

		load->options = hz_options_read(rel);
		load->buffer = hz_rowbuffer_create(loads_context, RelationGetDescr(rel));
		MemoryContextSwitchTo(old);
	}
	slot_getallattrs(slot);
	hz_rowbuffer_add(load->buffer, slot->tts_values, slot->tts_isnull);
	if (hz_rowbuffer_rows(load->buffer) >= load->options->row_group_rows)
		seal_load(rel, load);
	else if (hz_rowbuffer_rows(load->buffer) % 256 == 0)
		bound_memory();
}

static void
flush_all(void)
{
	for (Load *load = loads; load != NULL; load = load->next)
	{
		Relation rel;

		if (load->buffer == NULL)
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

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				 void *arg)
{
	for (Load *load = loads; load != NULL; load = load->next)
	{
		if (load->subid != mySubid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			load->subid = parentSubid;
		else if (event == SUBXACT_EVENT_ABORT_SUB)
		{
			if (load->buffer != NULL)
				hz_rowbuffer_destroy(load->buffer);
			load->buffer = NULL;
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
