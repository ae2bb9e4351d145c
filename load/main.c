/*
 * load/main.c
 *	  hanzo-datastore-load: loads dumps of ClickHouse into a PostgreSQL table. See load/README.md and docs/clickhouse.md.
 */
#include <unistd.h>

#include "load/message.h"
#include "load/rejectfile.h"
#include "load/run.h"

static void
handle_signal(int number)
{
	(void) number;
	/* The second time at once: a killed loader loses nothing either. */
	if (hz_interrupted)
		_exit(1);
	hz_interrupted = 1;
}

static void
set_signals(void)
{
	struct sigaction action = {.sa_handler = handle_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
main(int argc, char **argv)
{
	HzOptions options;
	HzTarget target;
	HzRun run = {.options = &options, .target = &target};
	bool good = true;

	hz_options_parse(&options, argc, argv);
	set_signals();
	run.conn = hz_connect(&options);
	hz_target_load(&target, run.conn, &options);
	if (!options.dry_run)
	{
		hz_ledger_open(&run.ledger, run.conn, options.state_schema);
		if (options.reject_file != NULL)
			hz_rejectfile_begin(options.reject_file);
	}
	for (int i = 0; i < options.file_count && good; i++)
		good = hz_run_file(&run, options.files[i]);
	if (PQstatus(run.conn) == CONNECTION_OK)
		hz_rejectfile_end();
	PQfinish(run.conn);
	if (!good)
		return 1;
	return run.rejected > 0 ? 2 : 0;
}
