/*
 * load/run.h
 *	  Loads one file: reads batches, gives them to connections, and looks after all of them in one poll() loop.
 */
#ifndef HZ_LOAD_RUN_H
#define HZ_LOAD_RUN_H

#include <signal.h>

#include "load/ledger.h"

/* Set by the handler of SIGINT and SIGTERM. */
extern volatile sig_atomic_t hz_interrupted;

typedef struct HzRun
{
	const HzOptions *options;
	const HzTarget *target;
	PGconn *conn;
	HzLedger ledger;
	uint64_t rejected; /* in all files so far */
} HzRun;

/* False: the load stopped, which was said. Other errors are fatal. */
extern bool hz_run_file(HzRun *run, const char *path);

#endif /* HZ_LOAD_RUN_H */
