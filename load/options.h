/*
 * load/options.h
 *	  The command line.
 */
#ifndef HZ_LOAD_OPTIONS_H
#define HZ_LOAD_OPTIONS_H

#include "load/copytext.h"
#include "load/field.h"

typedef enum HzHeader
{
	HZ_HEADER_UNKNOWN, /* to be found out */
	HZ_HEADER_NONE,
	HZ_HEADER_NAMES,
	HZ_HEADER_NAMES_AND_TYPES,
} HzHeader;

typedef enum HzConflict
{
	HZ_CONFLICT_ERROR,
	HZ_CONFLICT_NOTHING,
	HZ_CONFLICT_UPDATE,
} HzConflict;

/* Words of a comma-separated list. */
typedef struct HzList
{
	char **items;
	int count;
} HzList;

typedef struct HzOptions
{
	const char *host;
	const char *port;
	const char *user;
	const char *database; /* a name, or a connection string */
	bool never_password;
	bool ask_password;
	int jobs; /* 0: not said */

	HzFormat format;
	HzHeader header;
	HzList columns;
	HzList map_from;
	HzList map_to; /* "": ignored */
	bool ignore_unknown;
	char delimiter;
	const char *null;
	HzTextRules rules;
	const char *timezone;

	HzConflict conflict;
	HzList key;
	const char *version_column; /* "": none */

	const char *reject_file;
	int64_t max_rejects; /* -1: any number */
	uint32_t batch_rows;
	const char *state_schema;
	const char *name;
	bool forget;
	bool carry_on;
	bool dry_run;

	const char *table;
	char **files;
	int file_count;
} HzOptions;

/* Ends the program for --help, --version and errors. */
extern void hz_options_parse(HzOptions *options, int argc, char **argv);

#endif /* HZ_LOAD_OPTIONS_H */
