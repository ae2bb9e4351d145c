/*
 * write/sealer.c
 *	  The thread that encodes a row buffer. See sealer.h.
 *
 * Memory: two mappings, kept for the next buffer and given back at the end of the transaction: one for the sort, then for the
 * columns that are loaded and what one needs while it is encoded, one for the encoded chunks. Only what is touched is ever taken from the machine.
 */
#include "postgres.h"

#include <sys/mman.h>

#include "port/atomics.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "base/thread.h"
#include "write/sealer.h"
#include "write/sortrows.h"

#define SLACK_BYTES ((Size) 64 * 1024 * 1024)

/* Reserved for encoding one column, as a multiple of all values: drafts in several encodings, hash tables. */
#define SCRATCH_FACTOR 8

/* What is to be done with one buffer. */
typedef struct Work
{
	HzRowBuffer *buffer; /* NULL: nothing */
	const HzOptions *options;
	MemoryContext context; /* of what follows */
	HzRowSort *sort;       /* to be run in the thread; NULL: the order is known */
	uint32 *order;         /* NULL: as the rows came */
	HzChunkMeta *columns;
	int natts;
} Work;

typedef struct Sealer
{
	bool running;
	pthread_t thread;
	Work work;
	HzArena scratch;
	HzBytes chunks;
	pg_atomic_uint32 stop;
	HzStatus status; /* of the thread, when it has ended */
} Sealer;

static Sealer sealer;
static bool enabled = true;

static void *
map_memory(Size size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
						MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void
unmap_memory(void)
{
	if (sealer.scratch.base != NULL)
		munmap(sealer.scratch.base, sealer.scratch.size);
	if (sealer.chunks.data != NULL)
		munmap(sealer.chunks.data, sealer.chunks.capacity);
	memset(&sealer.scratch, 0, sizeof(sealer.scratch));
	memset(&sealer.chunks, 0, sizeof(sealer.chunks));
}

/* Mappings for so many bytes of values, those of the last buffer if they will do; false: not to be had. */
static bool
reserve_memory(Size bytes)
{
	Size scratch = bytes * SCRATCH_FACTOR + SLACK_BYTES;
	Size chunks = bytes * 2 + SLACK_BYTES;

	if (sealer.scratch.size < scratch || sealer.chunks.capacity < chunks)
	{
		unmap_memory();
		sealer.scratch.base = map_memory(scratch);
		sealer.scratch.size = sealer.scratch.base == NULL ? 0 : scratch;
		sealer.chunks.data = map_memory(chunks);
		sealer.chunks.capacity = sealer.chunks.data == NULL ? 0 : chunks;
	}
	sealer.chunks.length = 0;
	return sealer.scratch.base != NULL && sealer.chunks.data != NULL;
}

/* ---- In the thread: pure C only */

/* Encodes the loaded columns first .. end - 1; what is in the arena when it begins stays there. */
static HzStatus
encode_columns(int first, int end)
{
	size_t loaded = sealer.scratch.used;

	for (int i = first; i < end; i++)
	{
		size_t offset = sealer.chunks.length;
		HzStatus status;

		if (hz_rowbuffer_types(sealer.work.buffer)[i].kind == 0)
			continue;
		if (pg_atomic_read_u32(&sealer.stop) != 0)
			return HZ_LIMIT;
		sealer.scratch.used = loaded;
		status = hz_seal_column(sealer.work.buffer, sealer.work.options, i, sealer.work.order,
								&sealer.chunks, &sealer.work.columns[i]);
		if (status != HZ_OK)
			return status;
		sealer.work.columns[i].offset = offset;
	}
	return HZ_OK;
}

static HzStatus
encode_rows(void)
{
	HzStatus status = HZ_OK;

	sealer.scratch.used = 0;
	if (sealer.work.sort != NULL)
		hz_rowsort_run(sealer.work.sort, sealer.work.order);
	for (int first = 0, end; status == HZ_OK && first < sealer.work.natts; first = end)
	{
		sealer.scratch.used = 0;
		end = hz_rowbuffer_load(sealer.work.buffer, first);
		status = encode_columns(first, end);
	}
	return status;
}

static void *
thread_main(void *arg)
{
	if (setjmp(sealer.scratch.exhausted) == 0)
	{
		hz_memory_use(&sealer.scratch);
		sealer.status = encode_rows();
	}
	else
		sealer.status = HZ_LIMIT;
	hz_memory_use(NULL);
	hz_compress_release();
	return NULL;
}

/* ---- In the backend */

static void
join_thread(void)
{
	if (sealer.running)
		pthread_join(sealer.thread, NULL);
	sealer.running = false;
}

static void
forget_work(void)
{
	if (sealer.work.buffer == NULL)
		return;
	pg_atomic_write_u32(&sealer.stop, 1);
	join_thread();
	MemoryContextDelete(sealer.work.context);
	sealer.work.buffer = NULL;
}

static void
before_exit(int code, Datum arg)
{
	hz_sealer_abandon(NULL);
}

/* Sorts the buffer, or as much of that as a thread cannot do. In a context of its own, for the thread's work. */
static void
prepare_order(Work *work)
{
	MemoryContext keys =
		AllocSetContextCreate(work->context, "hanzo sealer keys", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(keys);

	work->sort = hz_rowsort_prepare(work->buffer, work->options);
	if (work->sort != NULL)
		work->order =
			MemoryContextAllocHuge(work->context, sizeof(uint32) * hz_rowbuffer_rows(work->buffer));
	if (work->sort != NULL && !hz_rowsort_is_pure(work->sort))
	{
		hz_rowsort_run(work->sort, work->order);
		work->sort = NULL;
	}
	MemoryContextSwitchTo(old);
	if (work->sort == NULL)
		MemoryContextDelete(keys);
}

/* What the thread starts from. Expressions in sort keys may do anything, loads of other tables included. */
static void
prepare_work(Work *work)
{
	work->context =
		AllocSetContextCreate(TopTransactionContext, "hanzo sealer", ALLOCSET_DEFAULT_SIZES);
	PG_TRY();
	{
		work->natts = hz_rowbuffer_desc(work->buffer)->natts;
		work->columns =
			MemoryContextAllocZero(work->context, sizeof(HzChunkMeta) * Max(work->natts, 1));
		prepare_order(work);
	}
	PG_CATCH();
	{
		MemoryContextDelete(work->context);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

bool
hz_sealer_start(HzRowBuffer *buffer, const HzOptions *options)
{
	static bool registered = false;
	Size bytes = (Size) hz_rowbuffer_bytes(buffer);
	Work work = {.buffer = buffer, .options = options};

	if (!enabled || sealer.work.buffer != NULL)
		return false;
	if (!registered)
		before_shmem_exit(before_exit, (Datum) 0);
	registered = true;
	prepare_work(&work);
	if (sealer.work.buffer != NULL)
	{
		MemoryContextDelete(work.context);
		return false;
	}
	/* from here on nothing throws */
	sealer.work = work;
	pg_atomic_init_u32(&sealer.stop, 0);
	sealer.running = reserve_memory(bytes) && hz_thread_start(&sealer.thread, thread_main, NULL);
	if (!sealer.running)
		forget_work();
	return sealer.running;
}

HzGroup *
hz_sealer_finish(HzStore *store, const HzRowBuffer *buffer, CommandId cid)
{
	HzGroup *volatile group = NULL;

	if (sealer.work.buffer != buffer)
		return NULL;
	join_thread();
	PG_TRY();
	{
		if (sealer.status == HZ_OK)
			group = hz_seal_encoded(store, buffer, &sealer.chunks, sealer.work.columns, cid);
	}
	PG_FINALLY();
	{
		forget_work();
	}
	PG_END_TRY();
	return group;
}

void
hz_sealer_abandon(const HzRowBuffer *buffer)
{
	if (buffer == NULL || sealer.work.buffer == buffer)
		forget_work();
	if (buffer == NULL)
		unmap_memory();
}

void
hz_sealer_init(void)
{
	DefineCustomBoolVariable("hanzo_datastore.enable_background_sealing",
							 "Encodes row groups of a bulk load in a thread beside the load.", NULL,
							 &enabled, true, PGC_USERSET, 0, NULL, NULL, NULL);
}
