/*
 * load/run.c
 *	  Loads one file: reads batches, gives them to connections, and looks after all of them in one poll() loop.
 *
 * One batch is read ahead, so that memory holds one more than there are connections.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "load/layout.h"
#include "load/message.h"
#include "load/progress.h"
#include "load/rejectfile.h"
#include "load/run.h"
#include "load/worker.h"

#define PEEK_SIZE ((size_t) 1024 * 1024)
#define MAX_BATCH_BYTES ((size_t) 64 * 1024 * 1024)
#define MAX_JOBS 64
#define WAIT_MS 200

/* Bad lines of --dry-run that are shown. */
#define MAX_SHOWN 20

volatile sig_atomic_t hz_interrupted = 0;

static HzIdentity
identify(const HzSource *source, const char *path, const HzOptions *options)
{
	HzIdentity identity = {0};
	char absolute[PATH_MAX];

	if (!hz_source_is_regular(source))
	{
		if (options->name == NULL && !options->dry_run)
			hz_fatal(
				"give it one, for instance --name 'website_events 2026-10'",
				"%s is no regular file and needs --name: a second run must know what the first has loaded",
				path);
		identity.name = hz_format("%s", options->name != NULL ? options->name : path);
		identity.fingerprint = hz_format("name=%s", identity.name);
		return identity;
	}
	identity.source = source;
	identity.size = hz_source_size(source);
	identity.name = hz_format("%s", options->name != NULL              ? options->name
									: realpath(path, absolute) != NULL ? absolute
																	   : path);
	identity.fingerprint = hz_format(
		"size=%llu head=%016llx tail=%016llx%s%s", (unsigned long long) identity.size,
		(unsigned long long) hz_source_hash_head(source, PEEK_SIZE),
		(unsigned long long) hz_source_hash_tail(source), options->name != NULL ? " name=" : "",
		options->name != NULL ? options->name : "");
	return identity;
}

/* Of the file, read so far: 0 to 1, or -1. */
static double
share_read(const HzSource *source)
{
	uint64_t size = hz_source_size(source);

	return size > 0 ? (double) hz_source_position(source) / (double) size : -1;
}

/* ---- The loop */

typedef struct Loop
{
	HzRun *run;
	HzJob job;
	HzReader *reader;
	HzWorker *workers;
	int worker_count;
	HzBatch next; /* being read, or full and waiting for a connection */
	bool next_full;
	bool end;
	uint64_t given; /* bytes of the batches that connections got */
	HzProgress progress;
} Loop;

/* Of the file, sent so far: what is read and waits does not count. */
static double
share_sent(const Loop *loop)
{
	double share = share_read(loop->reader->source);
	uint64_t waiting = loop->given - loop->job.encoded + loop->next.raw.length;
	uint64_t read = loop->reader->position + (loop->next_full ? 0 : loop->next.raw.length);

	return share < 0 || read == 0 || waiting > read
			   ? share
			   : share * (1 - (double) waiting / (double) read);
}

static int
job_count(const HzRun *run)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	bool in_order = run->options->conflict == HZ_CONFLICT_UPDATE && run->target->version == NULL;

	if (in_order && run->options->jobs > 1)
		hz_fatal("leave -j away", "without a version the last line wins, which needs -j 1");
	if (in_order)
		return 1;
	if (run->options->jobs > 0)
		return run->options->jobs;
	return processors < 1 ? 1 : processors > 4 ? 4 : (int) processors;
}

static void
read_ahead(Loop *loop)
{
	int fd;

	if (loop->end || loop->next_full || hz_source_would_wait(loop->reader->source, &fd))
		return;
	switch (hz_reader_step(loop->reader, &loop->next))
	{
		case HZ_READ_BATCH:
			loop->next_full = true;
			break;
		case HZ_READ_END:
			loop->end = true;
			break;
		default:
			break;
	}
}

static bool
hand_out(Loop *loop)
{
	bool busy = false;

	for (int i = 0; i < loop->worker_count; i++)
	{
		HzWorker *worker = &loop->workers[i];

		if (worker->state == HZ_WORKER_IDLE && loop->next_full)
		{
			loop->given += loop->next.raw.length;
			hz_worker_give(worker, &loop->next);
			loop->next_full = false;
		}
		busy |= worker->state != HZ_WORKER_IDLE;
	}
	return busy || loop->next_full || !loop->end;
}

/* Waits until something can be done, at most WAIT_MS, then does it. */
static void
turn(Loop *loop)
{
	struct pollfd fds[MAX_JOBS + 2];
	int count = loop->worker_count;
	int timeout = WAIT_MS;
	int64_t now;

	for (int i = 0; i < loop->worker_count; i++)
	{
		const HzWorker *worker = &loop->workers[i];

		fds[i] = (struct pollfd){PQsocket(worker->conn),
								 (short) (POLLIN | (worker->write_blocked ? POLLOUT : 0)), 0};
		if (worker->state == HZ_WORKER_COPY && !worker->write_blocked)
			timeout = 0;
	}
	/* The lock is this session's: without it, another loader could begin. */
	fds[count++] = (struct pollfd){PQsocket(loop->run->conn), POLLIN, 0};
	if (!loop->end && !loop->next_full)
	{
		fds[count] = (struct pollfd){-1, POLLIN, 0};
		if (hz_source_would_wait(loop->reader->source, &fds[count].fd))
			count++;
		else
			timeout = 0;
	}
	if (poll(fds, (nfds_t) count, timeout) < 0)
	{
		if (errno != EINTR)
			hz_fatal(NULL, "poll: %s", strerror(errno));
		return;
	}

	now = hz_now();
	for (int i = 0; i < loop->worker_count && loop->job.failure == NULL; i++)
	{
		HzWorker *worker = &loop->workers[i];

		if (fds[i].revents != 0 || worker->state == HZ_WORKER_PAUSE ||
			(worker->state == HZ_WORKER_COPY && !worker->write_blocked))
			hz_worker_run(worker, (fds[i].revents & ~POLLOUT) != 0, now);
	}
	if (fds[loop->worker_count].revents != 0 &&
		(PQconsumeInput(loop->run->conn) != 1 || PQstatus(loop->run->conn) == CONNECTION_BAD) &&
		loop->job.failure == NULL)
	{
		loop->job.failure = hz_format("the connection that holds the lock is gone: %s",
									  hz_result_message(NULL, loop->run->conn));
		loop->job.failure_hint =
			"what was committed is recorded: run the same command again to go on";
	}
}

static void
load_batches(Loop *loop)
{
	const HzJob *job = &loop->job;

	while (loop->job.failure == NULL)
	{
		read_ahead(loop);
		if (!hand_out(loop) || loop->job.failure != NULL)
			break;
		turn(loop);
		hz_progress_show(&loop->progress, share_sent(loop), job->encoded, job->rows, job->rejected);
		if (hz_interrupted && loop->job.failure == NULL)
		{
			loop->job.failure = hz_format("interrupted");
			loop->job.failure_hint = "run the same command again to go on";
		}
	}
	hz_progress_end(&loop->progress);
}

static void
start_workers(Loop *loop)
{
	loop->worker_count = job_count(loop->run);
	loop->workers = hz_alloc_zero((size_t) loop->worker_count * sizeof(HzWorker));
	for (int i = 0; i < loop->worker_count; i++)
		hz_worker_start(&loop->workers[i], &loop->job);
}

static void
stop_workers(Loop *loop)
{
	for (int i = 0; i < loop->worker_count; i++)
		hz_worker_stop(&loop->workers[i]);
	hz_free(loop->workers);
	hz_batch_free(&loop->next);
}

static void
summary(const Loop *loop, const HzLoad *load, const char *name)
{
	const HzJob *job = &loop->job;
	double seconds = (double) (hz_now() - loop->progress.started) / 1000 + 0.001;

	hz_say("%s: %llu rows loaded, %llu rejected in %.1f s (%.0f rows/s, %.1f MB/s)", name,
		   (unsigned long long) job->rows, (unsigned long long) load->rejected, seconds,
		   (double) job->rows / seconds, (double) job->bytes / seconds / 1e6);
	if (load->rows != job->rows)
		hz_say("%s: %llu rows with those of earlier runs", name, (unsigned long long) load->rows);
	if (job->stored != job->rows && loop->run->options->conflict != HZ_CONFLICT_ERROR)
		hz_say("%s: %llu rows were older than others with their key, or there already", name,
			   (unsigned long long) (job->rows - job->stored));
	else if (job->stored != job->rows)
		hz_warn("%s: %llu rows were taken out by the table's triggers", name,
				(unsigned long long) (job->rows - job->stored));
}

static bool
load_file(HzRun *run, HzReader *reader, const HzLayout *layout, HzLoad *load, uint64_t start)
{
	const HzOptions *options = run->options;
	Loop loop = {.run = run, .reader = reader};
	uint64_t before;

	loop.job = (HzJob){.target = run->target,
					   .layout = layout,
					   .options = options,
					   .ledger = &run->ledger,
					   .load = load,
					   .max_rejects =
						   options->max_rejects < 0 ? UINT64_MAX : (uint64_t) options->max_rejects,
					   .rejected = hz_ledger_rejected(&run->ledger, load)};
	before = loop.job.rejected;
	if (load->done_count > 0)
		hz_say("%s: going on after an interruption", reader->name);
	hz_reader_start(reader, layout->format, layout->rejects, layout->delimiters.delimiter,
					options->batch_rows, MAX_BATCH_BYTES, load->done, load->done_count);
	start_workers(&loop);
	hz_progress_start(&loop.progress, reader->name);
	load_batches(&loop);
	if (loop.job.failure != NULL)
		hz_error(loop.job.failure_hint, "%s: %s", reader->name, loop.job.failure);
	stop_workers(&loop);
	if (loop.job.failure != NULL)
	{
		hz_say("%s: %llu rows are committed by this run, %llu lines rejected", reader->name,
			   (unsigned long long) loop.job.rows,
			   (unsigned long long) (loop.job.rejected - before));
		return false;
	}
	hz_ledger_finish(&run->ledger, load, start, reader->position);
	summary(&loop, load, reader->name);
	return true;
}

/* ---- Without loading */

static bool
try_file(HzRun *run, HzReader *reader, const HzLayout *layout)
{
	HzEncoder encoder;
	HzBatch batch = {0};
	HzBytes out = {0};
	HzProgress progress;
	uint64_t rows = 0;
	uint64_t bytes = 0;
	uint64_t bad = 0;
	double seconds;

	hz_encoder_init(&encoder, layout);
	hz_reader_start(reader, layout->format, layout->rejects, layout->delimiters.delimiter, 10000,
					PEEK_SIZE, NULL, 0);
	hz_progress_start(&progress, reader->name);
	for (HzReadStatus status = HZ_READ_MORE; status != HZ_READ_END && !hz_interrupted;)
	{
		status = hz_reader_step(reader, &batch);
		if (status != HZ_READ_BATCH)
			continue;
		for (uint32_t i = 0; i < batch.count; i++)
		{
			size_t length;
			const uint8_t *data = hz_batch_record(&batch, i, &length);
			HzRecordStatus record;

			out.length = 0;
			record = hz_record_encode(&encoder, data, length, &out);
			if (record == HZ_RECORD_OTHER &&
				hz_record_shape(&encoder, data, length) == HZ_RECORD_ROW)
				record = hz_record_encode(&encoder, data, length, &out);
			rows += record == HZ_RECORD_ROW;
			if (record == HZ_RECORD_BAD && bad++ < MAX_SHOWN)
				hz_warn("%s: line %llu: %s", reader->name,
						(unsigned long long) hz_batch_line(&batch, i), encoder.reason);
		}
		bytes += batch.raw.length;
		hz_batch_clear(&batch);
		hz_progress_show(&progress, share_read(reader->source), bytes, rows, bad);
	}
	hz_progress_end(&progress);
	seconds = (double) (hz_now() - progress.started) / 1000 + 0.001;
	hz_say(
		"%s: %llu rows could be read, %llu lines could not; %.1f s, %.1f MB/s (nothing was loaded; the server was not asked)",
		reader->name, (unsigned long long) rows, (unsigned long long) bad, seconds,
		(double) bytes / seconds / 1e6);
	run->rejected += bad;
	hz_batch_free(&batch);
	hz_bytes_free(&out);
	hz_encoder_free(&encoder);
	return !hz_interrupted;
}

bool
hz_run_file(HzRun *run, const char *path)
{
	const HzOptions *options = run->options;
	HzSource *source = hz_source_open(path);
	HzIdentity identity = identify(source, path, options);
	HzReader reader;
	HzLayout layout;
	HzLoad load;
	uint64_t start;
	bool good = true;

	hz_reader_open(&reader, source, strcmp(path, "-") == 0 ? identity.name : path, PEEK_SIZE);
	hz_layout_make(&layout, &reader, path, run->target, options);
	start = reader.position;
	if (options->dry_run)
		good = try_file(run, &reader, &layout);
	else
	{
		hz_rejectfile_check(&layout);
		hz_ledger_begin(&run->ledger, &load, run->target, &identity, options);
		if (load.finished)
			hz_say("%s is loaded already: %llu rows, %llu rejected (--forget loads it again)",
				   reader.name, (unsigned long long) load.rows, (unsigned long long) load.rejected);
		else
			good = load_file(run, &reader, &layout, &load, start);
		if (PQstatus(run->conn) == CONNECTION_OK)
		{
			run->rejected += hz_ledger_rejected(&run->ledger, &load);
			hz_rejectfile_add(&run->ledger, &load, &layout);
			hz_ledger_leave(&run->ledger, &load);
		}
	}
	hz_reader_close(&reader);
	return good;
}
