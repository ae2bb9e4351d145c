/*
 * exec/aggthreads.c
 *	  Jobs and threads of an aggregation. See aggthreads.h.
 *
 * A job is FREE, READY (filled, waiting), TAKEN, perhaps LEFT (its thread has come to a vector that only the server can evaluate: the leader does
 * what is left of it) and FREE again; its state changes under the mutex. Jobs, their chunks and the deleted rows are the leader's memory, which
 * it does not touch while a job is READY or TAKEN. Readers and evaluations
 * of a thread live in its arena, which starts empty with every job; groups and states live in its aggregator's region.
 */
#include "postgres.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "access/parallel.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "base/bitmap.h"
#include "base/compat.h"
#include "base/memory.h"
#include "base/thread.h"
#include "exec/aggjob.h"
#include "exec/aggthreads.h"

#define ARENA_BYTES ((Size) 512 * 1024 * 1024)
#define ARENA_KEPT ((Size) 8 * 1024 * 1024) /* of its pages from one query to the next */
#define JOBS_PER_THREAD 2
#define MAX_THREADS 64
#define SMALL_SHARE 4 /* a group of which less than this part is left is no job */

/* One who does jobs: a thread, or the leader with what no thread has begun. */
typedef struct Worker
{
	HzAggThreads *threads;
	pthread_t thread;
	HzAggWork *work;
	HzAggWork own_work;
	HzArena *arena; /* NULL: the leader */
	Size peak;      /* most that was used of it */
	/* the current job */
	HzAggJob *job;
	HzChunkReader **readers; /* by column of the job */
	HzVector *vectors;
	uint32 *loaded;    /* vector number + 1 that `vectors` holds */
	HzVector *lengths; /* of strings, likewise */
	uint32 *lengths_loaded;
	HzAggProbe *probes; /* of lookups */
	uint32 vector;
	uint32 rows; /* of it */
	bool damaged;
	bool full;        /* its aggregator waits to be emptied; under the mutex */
	uint32 task_done; /* the last task that it has done; under the mutex */
} Worker;

struct HzAggThreads
{
	MemoryContext context;
	pthread_mutex_t mutex;
	pthread_cond_t wanted; /* a job is ready, or all is over */
	pthread_cond_t done;   /* a job is free again, or a worker is full */
	pthread_cond_t emptied;
	pg_atomic_uint32 stop;
	pg_atomic_uint32 failed;
	pg_atomic_uint32 full; /* workers that wait to be emptied */
	pg_atomic_uint32 left; /* jobs that are */
	HzAggEmpty empty;
	void *empty_arg;
	int count;   /* of threads */
	int running; /* that are not joined yet */
	Worker *workers;
	int job_count;
	HzAggJob *jobs;
	Size limit;
	HzAggLeaf *damaged_leaf;
	HzAggVectors damaged_vectors;
	/* what all do together; under the mutex */
	uint32 task_number; /* 0: nothing yet */
	HzAggTask task;
	void *task_arg;
};

static int max_threads = 8;
bool hz_force_threads = false;
static HzAggThreads *active = NULL; /* whose threads run */
static HzArena arenas[MAX_THREADS]; /* kept for the next query */

/* ---- In a thread: pure C only. The leader uses the same for jobs that are left. */

static HzStatus
read_job(void *arg, uint64_t offset, uint64_t length, void *target)
{
	memcpy(target, (const uint8_t *) arg + offset, length);
	return HZ_OK;
}

static HzStatus
open_column(Worker *worker, int i)
{
	HzAggJobColumn *column = &worker->job->columns[i];
	HzSource source = {read_job, worker->job->bytes + column->start};

	return worker->readers[i] != NULL ? HZ_OK
									  : hz_chunk_open(&column->meta, &source, &worker->readers[i]);
}

static const HzVector *
get_column(void *arg, int attno)
{
	Worker *worker = arg;
	HzAggJob *job = worker->job;
	HzAggLeaf *leaf = job->leaf;
	int i;
	HzStatus status;

	if (attno >= leaf->desc->natts)
		return hz_agglookup_get(leaf->lookups, worker->probes, leaf->lookup_keys, get_column,
								worker, worker->rows, &worker->work->joining,
								attno - leaf->desc->natts);
	i = hz_aggjob_column(job, attno);
	if (job->columns[i].missing)
	{
		worker->vectors[i] = job->columns[i].constant;
		worker->vectors[i].count = worker->rows;
		return &worker->vectors[i];
	}
	if (worker->loaded[i] == worker->vector + 1)
		return &worker->vectors[i];
	status = open_column(worker, i);
	if (status == HZ_OK)
		status = hz_chunk_vector(worker->readers[i], worker->vector, &worker->vectors[i]);
	if (status != HZ_OK)
	{
		worker->damaged = true;
		return NULL;
	}
	worker->loaded[i] = worker->vector + 1;
	return &worker->vectors[i];
}

/* What is damaged here get_column() will find, too. */
static const HzVector *
get_lengths(void *arg, int attno)
{
	Worker *worker = arg;
	bool known = false;
	int i;

	if (attno >= worker->job->leaf->desc->natts)
		return NULL;
	i = hz_aggjob_column(worker->job, attno);
	if (worker->lengths_loaded[i] == worker->vector + 1)
		return &worker->lengths[i];
	if (worker->job->columns[i].missing || worker->loaded[i] == worker->vector + 1 ||
		open_column(worker, i) != HZ_OK ||
		hz_chunk_lengths(worker->readers[i], worker->vector, &known, &worker->lengths[i]) !=
			HZ_OK ||
		!known)
		return NULL;
	worker->lengths_loaded[i] = worker->vector + 1;
	return &worker->lengths[i];
}

/* Likewise. */
static bool
match(void *arg, int attno, const uint8_t *data, size_t length, uint8_t *mask)
{
	Worker *worker = arg;
	const HzString value = {.data = data, .length = length};
	bool known = false;
	int i;

	if (!hz_enable_encoded_equality || attno >= worker->job->leaf->desc->natts)
		return false;
	i = hz_aggjob_column(worker->job, attno);
	return !worker->job->columns[i].missing && worker->loaded[i] != worker->vector + 1 &&
		   open_column(worker, i) == HZ_OK &&
		   hz_chunk_match(worker->readers[i], worker->vector, &value, &known, mask) == HZ_OK &&
		   known;
}

/* Waits until the leader has emptied the aggregator; false: it could not, or all is over. */
static bool
wait_until_empty(Worker *worker)
{
	HzAggThreads *threads = worker->threads;
	bool emptied;

	pthread_mutex_lock(&threads->mutex);
	worker->full = true;
	pg_atomic_fetch_add_u32(&threads->full, 1);
	pthread_cond_signal(&threads->done);
	while (worker->full && pg_atomic_read_u32(&threads->stop) == 0)
		pthread_cond_wait(&threads->emptied, &threads->mutex);
	emptied = !worker->full && worker->work->status == HZ_AGG_OK;
	pthread_mutex_unlock(&threads->mutex);
	return emptied;
}

/* Keeps the aggregator within its limit. */
static bool
make_room(Worker *worker)
{
	HzAggThreads *threads = worker->threads;
	HzAggregator *aggregator = &worker->work->aggregator;

	if (hz_aggregator_grown(aggregator, HZ_VECTOR_ROWS) <= threads->limit)
		return true;
	if (worker->arena != NULL)
		return wait_until_empty(worker);
	worker->work->status = threads->empty(threads->empty_arg, aggregator);
	return worker->work->status == HZ_AGG_OK;
}

static bool
run_vectors(Worker *worker, HzEval *eval)
{
	HzAggJob *job = worker->job;

	for (uint32 v = job->first; v * HZ_VECTOR_ROWS < job->vectors.rows; v++)
	{
		uint32 left = job->vectors.rows - v * HZ_VECTOR_ROWS;

		job->first = v;
		if (job->vectors.judged[v] == HZ_PRUNE_NONE)
			continue;
		if (pg_atomic_read_u32(&worker->threads->stop) != 0)
			return false;
		worker->vector = v;
		worker->rows = left < HZ_VECTOR_ROWS ? left : HZ_VECTOR_ROWS;
		if (job->leaf->lookups != NULL)
			hz_agglookup_begin(job->leaf->lookups, worker->probes, false);
		if (!hz_aggwork_batch(worker->work, &job->leaf->program, eval, worker->rows,
							  job->has_deleted ? job->deleted + v * (HZ_VECTOR_ROWS / 64) : NULL,
							  job->vectors.passing[v]) ||
			!make_room(worker))
			return false;
	}
	return true;
}

/* False: it failed, or was told to stop. */
static bool
run_job(Worker *worker, HzAggJob *job)
{
	HzEval *eval;
	size_t columns = job->column_count > 0 ? (size_t) job->column_count : 1;

	worker->job = job;
	worker->readers = hz_alloc_zero(sizeof(HzChunkReader *) * columns);
	worker->vectors = hz_alloc_zero(sizeof(HzVector) * columns);
	worker->loaded = hz_alloc_zero(sizeof(uint32_t) * columns);
	worker->lengths = hz_alloc_zero(sizeof(HzVector) * columns);
	worker->lengths_loaded = hz_alloc_zero(sizeof(uint32_t) * columns);
	if (job->leaf->lookups != NULL)
		worker->probes = hz_agglookup_probes(job->leaf->lookups);
	eval = hz_eval_create(get_column, worker);
	worker->work->inputs = NULL;
	if (worker->arena != NULL)
	{
		hz_eval_in_thread(eval);
		if (job->leaf->program.leaves)
			worker->work->inputs =
				hz_alloc_zero(sizeof(HzAggInput) * (size_t) job->leaf->program.call_count);
	}
	hz_eval_use_lengths(eval, get_lengths);
	hz_eval_use_matches(eval, match);
	hz_aggregator_forget_codes(&worker->work->aggregator);
	return run_vectors(worker, eval);
}

static bool
run_job_in_arena(Worker *worker, HzAggJob *job)
{
	volatile bool done = false;

	worker->arena->used = 0;
	if (setjmp(worker->arena->exhausted) == 0)
	{
		hz_memory_use(worker->arena);
		done = run_job(worker, job);
	}
	else
		worker->work->status = HZ_AGG_MEMORY;
	hz_memory_use(NULL);
	if (worker->arena->used > worker->peak)
		worker->peak = worker->arena->used;
	return done;
}

/* Under the mutex. NULL: there is none in that state. */
static HzAggJob *
take_job(HzAggThreads *threads, HzAggJobState state)
{
	for (int i = 0; i < threads->job_count; i++)
	{
		if (threads->jobs[i].state == state)
		{
			threads->jobs[i].state = HZ_JOB_TAKEN;
			return &threads->jobs[i];
		}
	}
	return NULL;
}

static void
note_failure(HzAggThreads *threads, const Worker *worker)
{
	if (worker->damaged)
	{
		threads->damaged_leaf = worker->job->leaf;
		threads->damaged_vectors = worker->job->vectors;
	}
	pg_atomic_write_u32(&threads->failed, 1);
	pg_atomic_write_u32(&threads->stop, 1);
}

/* What becomes of a job that a thread has not finished; under the mutex. */
static HzAggJobState
leave_job(HzAggThreads *threads, Worker *worker)
{
	if (worker->work->failure != HZ_EVAL_ELSEWHERE)
	{
		note_failure(threads, worker);
		return HZ_JOB_FREE;
	}
	worker->work->failure = HZ_EVAL_OK;
	pg_atomic_fetch_add_u32(&threads->left, 1);
	return HZ_JOB_LEFT;
}

static bool
is_wanted(void *arg)
{
	HzAggThreads *threads = arg;

	return pg_atomic_read_u32(&threads->stop) == 0;
}

/* Does what all do together, if there is something; false: there is not. Under the mutex, which it leaves meanwhile. */
static bool
run_task(HzAggThreads *threads, Worker *worker)
{
	uint32 number = threads->task_number;

	if (number == worker->task_done)
		return false;
	pthread_mutex_unlock(&threads->mutex);
	threads->task(threads->task_arg, (uint32) (worker - threads->workers) + 1, is_wanted, threads);
	pthread_mutex_lock(&threads->mutex);
	worker->task_done = number;
	pthread_cond_signal(&threads->done);
	return true;
}

static void *
thread_main(void *arg)
{
	Worker *worker = arg;
	HzAggThreads *threads = worker->threads;

	pthread_mutex_lock(&threads->mutex);
	while (pg_atomic_read_u32(&threads->stop) == 0)
	{
		HzAggJob *job = take_job(threads, HZ_JOB_READY);
		bool done;

		if (job == NULL && run_task(threads, worker))
			continue;
		if (job == NULL)
		{
			pthread_cond_wait(&threads->wanted, &threads->mutex);
			continue;
		}
		pthread_mutex_unlock(&threads->mutex);
		done = run_job_in_arena(worker, job);
		pthread_mutex_lock(&threads->mutex);
		job->state = done ? HZ_JOB_FREE : leave_job(threads, worker);
		pthread_cond_signal(&threads->done);
	}
	pthread_mutex_unlock(&threads->mutex);
	hz_compress_release();
	return NULL;
}

/* ---- In the leader */

int
hz_aggthreads_limit(void)
{
	static long processors = 0;
	int limit = IsParallelWorker() ? 0 : Min(max_threads, max_parallel_workers_per_gather);

	if (processors == 0)
		processors = sysconf(_SC_NPROCESSORS_ONLN);
	return hz_force_threads ? limit : Max(Min(limit, (int) processors - 1), 0);
}

static bool
reserve_arena(int i)
{
	void *memory;

	if (arenas[i].base != NULL)
		return true;
	memory = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	arenas[i].base = memory;
	arenas[i].size = ARENA_BYTES;
	return true;
}

static void
before_exit(int code, Datum arg)
{
	if (active != NULL)
		hz_aggthreads_stop(active);
}

static bool
start_worker(HzAggThreads *threads, int i, const HzGroupLayout *layout,
			 const HzAggregate *aggregates, int aggregate_count)
{
	Worker *worker = &threads->workers[i];

	worker->threads = threads;
	worker->work = &worker->own_work;
	worker->arena = &arenas[i];
	if (!reserve_arena(i) ||
		!hz_aggregator_init(&worker->own_work.aggregator, layout, aggregates, aggregate_count))
		return false;
	return hz_thread_start(&worker->thread, thread_main, worker);
}

HzAggThreads *
hz_aggthreads_start(int count, const HzGroupLayout *layout, const HzAggregate *aggregates,
					int aggregate_count, Size limit, HzAggEmpty empty, void *arg)
{
	static bool registered = false;
	HzAggThreads *threads;

	count = Min(count, MAX_THREADS);
	/* an aggregation in a function that another aggregation calls does without */
	if (count <= 0 || active != NULL)
		return NULL;
	if (!registered)
		before_shmem_exit(before_exit, (Datum) 0);
	registered = true;
	threads = palloc0(sizeof(HzAggThreads));
	threads->context = CurrentMemoryContext;
	threads->limit = limit;
	threads->empty = empty;
	threads->empty_arg = arg;
	threads->workers = palloc0(sizeof(Worker) * count);
	threads->job_count = count * JOBS_PER_THREAD;
	threads->jobs = palloc0(sizeof(HzAggJob) * threads->job_count);
	pthread_mutex_init(&threads->mutex, NULL);
	pthread_cond_init(&threads->wanted, NULL);
	pthread_cond_init(&threads->done, NULL);
	pthread_cond_init(&threads->emptied, NULL);
	pg_atomic_init_u32(&threads->stop, 0);
	pg_atomic_init_u32(&threads->failed, 0);
	pg_atomic_init_u32(&threads->full, 0);
	pg_atomic_init_u32(&threads->left, 0);
	active = threads;
	while (threads->count < count &&
		   start_worker(threads, threads->count, layout, aggregates, aggregate_count))
		threads->running = ++threads->count;
	if (threads->count < count)
		hz_aggregator_free(&threads->workers[threads->count].own_work.aggregator);
	if (threads->count > 0)
		return threads;
	active = NULL;
	return NULL;
}

void
hz_aggthreads_stop(HzAggThreads *threads)
{
	pg_atomic_write_u32(&threads->stop, 1);
	pthread_mutex_lock(&threads->mutex);
	pthread_cond_broadcast(&threads->wanted);
	pthread_cond_broadcast(&threads->emptied);
	pthread_mutex_unlock(&threads->mutex);
	for (int i = 0; i < threads->running; i++)
	{
		pthread_join(threads->workers[i].thread, NULL);
		if (threads->workers[i].peak > ARENA_KEPT)
			madvise(arenas[i].base + ARENA_KEPT, ARENA_BYTES - ARENA_KEPT, MADV_DONTNEED);
	}
	threads->running = 0;
	if (active == threads)
		active = NULL;
}

void
hz_aggthreads_free(HzAggThreads *threads)
{
	for (int i = 0; i < threads->count; i++)
		hz_aggregator_free(&threads->workers[i].own_work.aggregator);
}

/* A job that is free, or NULL. */
static HzAggJob *
free_job(HzAggThreads *threads)
{
	HzAggJob *job = NULL;

	pthread_mutex_lock(&threads->mutex);
	for (int i = 0; i < threads->job_count && job == NULL; i++)
	{
		if (threads->jobs[i].state == HZ_JOB_FREE)
			job = &threads->jobs[i];
	}
	pthread_mutex_unlock(&threads->mutex);
	return job;
}

bool
hz_aggthreads_takes(const HzAggVectors *vectors)
{
	/* a few vectors are sooner read than whole chunks copied */
	return vectors->left * HZ_VECTOR_ROWS * SMALL_SHARE >= vectors->rows;
}

bool
hz_aggthreads_offer(HzAggThreads *threads, HzAggLeaf *leaf, const HzAggVectors *vectors)
{
	HzAggJob *job;

	if (!hz_aggthreads_takes(vectors))
		return false;
	job = free_job(threads);
	if (job == NULL || !hz_aggjob_fill(job, threads->context, leaf, vectors))
		return false;
	pthread_mutex_lock(&threads->mutex);
	job->state = HZ_JOB_READY;
	pthread_cond_signal(&threads->wanted);
	pthread_mutex_unlock(&threads->mutex);
	return true;
}

static void
empty_workers(HzAggThreads *threads)
{
	if (pg_atomic_read_u32(&threads->full) == 0)
		return;
	for (int i = 0; i < threads->count; i++)
	{
		Worker *worker = &threads->workers[i];
		bool full;

		pthread_mutex_lock(&threads->mutex);
		full = worker->full;
		pthread_mutex_unlock(&threads->mutex);
		if (!full)
			continue;
		/* it waits: what is its own is the leader's now */
		worker->own_work.status = threads->empty(threads->empty_arg, &worker->own_work.aggregator);
		pthread_mutex_lock(&threads->mutex);
		worker->full = false;
		pg_atomic_fetch_sub_u32(&threads->full, 1);
		pthread_cond_broadcast(&threads->emptied);
		pthread_mutex_unlock(&threads->mutex);
	}
}

bool
hz_aggthreads_failed(HzAggThreads *threads)
{
	return pg_atomic_read_u32(&threads->failed) != 0;
}

/* A job that a thread has left, or nobody has begun, is the leader's; false: there is none, or it failed. */
static bool
run_job_here(HzAggThreads *threads, HzAggWork *work, HzAggJobState state)
{
	Worker leader = {.threads = threads, .work = work};
	MemoryContext context;
	MemoryContext old;
	bool done;

	pthread_mutex_lock(&threads->mutex);
	leader.job = take_job(threads, state);
	if (leader.job != NULL && state == HZ_JOB_LEFT)
		pg_atomic_fetch_sub_u32(&threads->left, 1);
	pthread_mutex_unlock(&threads->mutex);
	if (leader.job == NULL)
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "hanzo job", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	done = run_job(&leader, leader.job);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	pthread_mutex_lock(&threads->mutex);
	leader.job->state = HZ_JOB_FREE;
	if (!done)
		note_failure(threads, &leader);
	pthread_mutex_unlock(&threads->mutex);
	return done;
}

static bool
run_left_job(HzAggThreads *threads, HzAggWork *work)
{
	return pg_atomic_read_u32(&threads->left) > 0 && run_job_here(threads, work, HZ_JOB_LEFT);
}

void
hz_aggthreads_serve(HzAggThreads *threads, HzAggWork *work)
{
	empty_workers(threads);
	while (!hz_aggthreads_failed(threads) && run_left_job(threads, work))
	{
		CHECK_FOR_INTERRUPTS();
		empty_workers(threads);
	}
}

/* Until a thread says something, or a moment; under the mutex. */
static void
wait_a_moment(HzAggThreads *threads)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 10 * 1000 * 1000;
	if (until.tv_nsec >= 1000000000)
	{
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&threads->done, &threads->mutex, &until);
}

/* Waits a moment for a thread; false: all jobs are done, or it is over. */
static bool
wait_for_jobs(HzAggThreads *threads)
{
	bool busy = false;

	pthread_mutex_lock(&threads->mutex);
	for (int i = 0; i < threads->job_count; i++)
		busy = busy || threads->jobs[i].state != HZ_JOB_FREE;
	if (busy && pg_atomic_read_u32(&threads->failed) == 0 &&
		pg_atomic_read_u32(&threads->full) == 0 && pg_atomic_read_u32(&threads->left) == 0)
		wait_a_moment(threads);
	busy = busy && pg_atomic_read_u32(&threads->failed) == 0;
	pthread_mutex_unlock(&threads->mutex);
	return busy;
}

bool
hz_aggthreads_finish(HzAggThreads *threads, HzAggWork *work)
{
	do
	{
		CHECK_FOR_INTERRUPTS();
		hz_aggthreads_serve(threads, work);
	} while ((!hz_aggthreads_failed(threads) && run_job_here(threads, work, HZ_JOB_READY)) ||
			 wait_for_jobs(threads));
	if (hz_aggthreads_failed(threads))
		hz_aggthreads_stop(threads);
	return !hz_aggthreads_failed(threads);
}

/* An error waits until the leader's share has given back what is its own. */
static bool
interrupts(void *arg)
{
	ErrorData **error = arg;
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return *error == NULL;
}

static void
run_first_share(HzAggTask task, void *arg)
{
	ErrorData *error = NULL;

	task(arg, 0, interrupts, &error);
	if (error != NULL)
		ReThrowError(error);
}

/* Whether some thread has not done the task yet; waits a moment for it. */
static bool
wait_for_task(HzAggThreads *threads)
{
	bool busy = false;

	pthread_mutex_lock(&threads->mutex);
	for (int i = 0; i < threads->count; i++)
		busy = busy || threads->workers[i].task_done != threads->task_number;
	if (busy)
		wait_a_moment(threads);
	pthread_mutex_unlock(&threads->mutex);
	return busy;
}

void
hz_aggthreads_together(HzAggThreads *threads, uint32 shares, HzAggTask task, void *arg)
{
	if (shares == 1)
	{
		run_first_share(task, arg);
		return;
	}
	Assert(shares == (uint32) threads->count + 1);
	pthread_mutex_lock(&threads->mutex);
	threads->task = task;
	threads->task_arg = arg;
	threads->task_number++;
	pthread_cond_broadcast(&threads->wanted);
	pthread_mutex_unlock(&threads->mutex);
	run_first_share(task, arg);
	while (wait_for_task(threads))
		CHECK_FOR_INTERRUPTS();
}

HzAggWork *
hz_aggthreads_work(HzAggThreads *threads, int i)
{
	return &threads->workers[i].own_work;
}

int
hz_aggthreads_count(HzAggThreads *threads)
{
	return threads->count;
}

HzAggLeaf *
hz_aggthreads_damage(HzAggThreads *threads, HzAggVectors *vectors)
{
	*vectors = threads->damaged_vectors;
	return threads->damaged_leaf;
}

void
hz_aggthreads_init(void)
{
	DefineCustomIntVariable(
		"hanzo_datastore.max_threads", "Threads that may work beside a backend on one query.",
		"Bounded by max_parallel_workers_per_gather and the number of processors; 0 turns them off.",
		&max_threads, 8, 0, MAX_THREADS, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"hanzo_datastore.force_threads",
		"Starts threads for any two row groups, and more than the machine has processors for: for tests.",
		NULL, &hz_force_threads, false, PGC_USERSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
}
