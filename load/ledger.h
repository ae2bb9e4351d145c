/*
 * load/ledger.h
 *	  What is remembered of loads in the target's database: which files, which ranges of them are committed, which
 *	  records were rejected.
 *
 * A range is written in the transaction of its rows, so that both are there or neither is. Tables, in the schema of --state-schema:
 *
 *	  files     one row for a file and a table; finished_at once all of it is loaded
 *	  ranges    bytes of the uncompressed stream that are loaded; gone when the file is finished
 *	  rejects   records that were not loaded, and why
 *
 * Locks, as pairs of the oid of a ledger's table and the file's id, so that no application's advisory locks can meet them:
 *
 *	  (files, id)    exclusive, by the loader's first session: one loader at a time
 *	  (ranges, id)   shared, by each session that loads. A new loader waits until nobody has it before it reads the ranges: the
 *	                 session of a loader that was killed may still be in its COMMIT.
 */
#ifndef HZ_LOAD_LEDGER_H
#define HZ_LOAD_LEDGER_H

#include "load/batch.h"
#include "load/target.h"

typedef struct HzLedger
{
	PGconn *conn;
	const char *name;
	char *schema; /* quoted */
} HzLedger;

/* What a file is known by. */
typedef struct HzIdentity
{
	char *name;        /* its absolute path, or --name */
	char *fingerprint; /* of its content; of standard input its name */
	uint64_t size;
	const HzSource *source; /* a regular file, or NULL */
} HzIdentity;

typedef struct HzLoad
{
	char id[24];
	bool finished;
	uint64_t rows;
	uint64_t rejected;
	HzRange *done; /* in their order */
	int done_count;
} HzLoad;

/* Makes schema and tables where they are missing. */
extern void hz_ledger_open(HzLedger *ledger, PGconn *conn, const char *schema);

/*
 * Finds the file's load or begins one, and locks it. Fatal where another loader has it, or where loading it could load rows
 * twice: the same content under another name, a file that has changed since a part of it was loaded.
 */
extern void hz_ledger_begin(HzLedger *ledger, HzLoad *load, const HzTarget *target,
							const HzIdentity *identity, const HzOptions *options);

/* The statement that a session of this load runs before it loads anything. */
extern char *hz_ledger_session_lock(const HzLedger *ledger, const HzLoad *load);

/*
 * Appends statements that record the batch, whose rejects are in order, and commit: `sent` rows went to the table, `stored` of
 * them it took.
 */
extern void hz_ledger_commit(const HzLedger *ledger, const HzLoad *load, const HzBatch *batch,
							 uint64_t sent, uint64_t stored, PGconn *conn, HzBytes *sql);

/* All of the stream, from `start` to `stop`, is loaded: checks that the ranges say so, too. Sets load->rows and rejected. */
extern void hz_ledger_finish(HzLedger *ledger, HzLoad *load, uint64_t start, uint64_t stop);

/* The number of records rejected so far. */
extern uint64_t hz_ledger_rejected(HzLedger *ledger, const HzLoad *load);

/* Unlocks; the load may go on in another run. */
extern void hz_ledger_leave(HzLedger *ledger, HzLoad *load);

/* Calls each rejected record of the load in the order of the file. */
extern void hz_ledger_rejects(HzLedger *ledger, const HzLoad *load,
							  void (*each)(void *arg, const char *name, const char *line,
										   const char *sqlstate, const char *reason,
										   const uint8_t *record, size_t length),
							  void *arg);

#endif /* HZ_LOAD_LEDGER_H */
