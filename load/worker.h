/*
 * load/worker.h
 *	  A connection that loads batches, one after the other, without ever waiting: poll() tells when to call it.
 *
 * States, and what is awaited in each (segment: consecutive records of the batch that one COPY takes):
 *
 *	  IDLE ── hz_worker_give() ──> OPEN      BEGIN (or SAVEPOINT), then COPY: until the server wants rows
 *	  OPEN ──> COPY                          records become rows and go out, until the segment ends or the server speaks
 *	  COPY ──> CLOSE                         the server's count of rows, or its error
 *	  CLOSE ──> MERGE                        only with --on-conflict: INSERT … SELECT from the temporary table
 *	  CLOSE, MERGE ──> RELEASE               only in search of bad records: RELEASE SAVEPOINT
 *	  …──> OPEN                              the next segment of the batch
 *	  …──> COMMIT ──> IDLE                   what was loaded goes into the ledger, and all of it is committed
 *	  an error ──> UNDO ──> OPEN             ROLLBACK (to the savepoint)
 *
 * The first attempt takes the whole batch. When the server refuses a record, the batch is rolled back and loaded again in
 * segments, each under a savepoint: one that is refused is cut at the line that the server named, or into halves where it named
 * none, until a segment of one record is refused. Only such a record is rejected: nothing depends on how the server words its errors.
 */
#ifndef HZ_LOAD_WORKER_H
#define HZ_LOAD_WORKER_H

#include "load/ledger.h"
#include "load/record.h"

typedef enum HzWorkerState
{
	HZ_WORKER_IDLE,
	HZ_WORKER_OPEN,
	HZ_WORKER_COPY,
	HZ_WORKER_CLOSE,
	HZ_WORKER_MERGE,
	HZ_WORKER_RELEASE,
	HZ_WORKER_UNDO,
	HZ_WORKER_COMMIT,
	HZ_WORKER_PAUSE, /* before another attempt after a deadlock */
} HzWorkerState;

typedef struct HzSegment
{
	uint32_t from;
	uint32_t to;
} HzSegment;

/* Shared by the workers of a load. */
typedef struct HzJob
{
	const HzTarget *target;
	const HzLayout *layout;
	const HzOptions *options;
	const HzLedger *ledger;
	const HzLoad *load;
	uint64_t max_rejects; /* UINT64_MAX: any number */
	uint64_t rejected;    /* committed, by all runs */
	uint64_t rows;        /* sent and committed, by this run */
	uint64_t stored;  /* of them, what the table took: with --on-conflict some are older or there */
	uint64_t bytes;   /* of the stream, committed by this run */
	uint64_t encoded; /* of the stream, sent, for the display */
	char *failure;    /* why the load must end, or NULL */
	const char *failure_hint;
} HzJob;

typedef struct HzWorker
{
	HzJob *job;
	PGconn *conn;
	HzWorkerState state;
	bool write_blocked; /* poll for writing, too */
	HzEncoder encoder;
	HzBatch batch;
	HzSegment *segments; /* a stack: the last is the next */
	int segment_count;
	int segment_capacity;
	bool searching; /* for bad records: segments have savepoints */
	uint32_t at;    /* the record that goes out next */
	uint64_t segment_rows;
	uint64_t sent;
	uint64_t stored;
	uint64_t encoded; /* bytes of this batch in job->encoded */
	int attempts;
	int64_t pause_until;
	PGresult *error; /* of the present step */
	uint64_t tuples; /* of its last command */
	HzBytes out;
} HzWorker;

/* Connects; takes the load's lock, and makes the temporary table that --on-conflict needs. Errors are fatal. */
extern void hz_worker_start(HzWorker *worker, HzJob *job);
extern void hz_worker_stop(HzWorker *worker);

/* Swaps a full batch for the idle worker's empty one, and begins to load it. */
extern void hz_worker_give(HzWorker *worker, HzBatch *batch);

/*
 * Does what can be done without waiting; `readable`: poll() said that the server has spoken. `now` in milliseconds. Sets
 * job->failure where the load cannot go on.
 */
extern void hz_worker_run(HzWorker *worker, bool readable, int64_t now);

#endif /* HZ_LOAD_WORKER_H */
