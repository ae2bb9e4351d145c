/*
 * load/options.c
 *	  The command line.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load/message.h"
#include "load/options.h"

/* A full row group of a columnar table: such a batch is compressed as it comes. */
#define DEFAULT_BATCH_ROWS 122880

enum
{
	OPTION_FORMAT = 256,
	OPTION_COLUMNS,
	OPTION_MAP,
	OPTION_IGNORE_UNKNOWN,
	OPTION_DELIMITER,
	OPTION_NULL,
	OPTION_STRIP_NUL,
	OPTION_REPLACE_INVALID,
	OPTION_TIMEZONE,
	OPTION_ON_CONFLICT,
	OPTION_KEY,
	OPTION_VERSION_COLUMN,
	OPTION_REJECT,
	OPTION_MAX_REJECTS,
	OPTION_BATCH,
	OPTION_STATE_SCHEMA,
	OPTION_NAME,
	OPTION_FORGET,
	OPTION_CONTINUE,
	OPTION_DRY_RUN,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{"host", required_argument, NULL, 'h'},
	{"port", required_argument, NULL, 'p'},
	{"username", required_argument, NULL, 'U'},
	{"dbname", required_argument, NULL, 'd'},
	{"no-password", no_argument, NULL, 'w'},
	{"password", no_argument, NULL, 'W'},
	{"jobs", required_argument, NULL, 'j'},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"columns", required_argument, NULL, OPTION_COLUMNS},
	{"map", required_argument, NULL, OPTION_MAP},
	{"ignore-unknown", no_argument, NULL, OPTION_IGNORE_UNKNOWN},
	{"delimiter", required_argument, NULL, OPTION_DELIMITER},
	{"null", required_argument, NULL, OPTION_NULL},
	{"strip-nul", no_argument, NULL, OPTION_STRIP_NUL},
	{"replace-invalid", no_argument, NULL, OPTION_REPLACE_INVALID},
	{"timezone", required_argument, NULL, OPTION_TIMEZONE},
	{"on-conflict", required_argument, NULL, OPTION_ON_CONFLICT},
	{"key", required_argument, NULL, OPTION_KEY},
	{"version-column", required_argument, NULL, OPTION_VERSION_COLUMN},
	{"reject", required_argument, NULL, OPTION_REJECT},
	{"max-rejects", required_argument, NULL, OPTION_MAX_REJECTS},
	{"batch", required_argument, NULL, OPTION_BATCH},
	{"state-schema", required_argument, NULL, OPTION_STATE_SCHEMA},
	{"name", required_argument, NULL, OPTION_NAME},
	{"forget", no_argument, NULL, OPTION_FORGET},
	{"continue", no_argument, NULL, OPTION_CONTINUE},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"hanzo-datastore-load loads dumps of ClickHouse into a PostgreSQL table.\n"
	"\n"
	"Usage:\n"
	"  hanzo-datastore-load [OPTION]... TABLE FILE...\n"
	"\n"
	"FILE: JSONEachRow, CSV or TSV, perhaps compressed by gzip or zstd; - is standard input.\n"
	"A load that was interrupted goes on where it stopped when the same command is run again: no row is lost, none comes twice.\n"
	"\n"
	"Connection (and libpq's environment, service and password files):\n"
	"  -h, --host=HOST            server or directory of its socket\n"
	"  -p, --port=PORT            its port\n"
	"  -U, --username=NAME        user\n"
	"  -d, --dbname=NAME          database, or a connection string\n"
	"  -w, --no-password          never ask for a password\n"
	"  -W, --password             ask for it at once\n"
	"  -j, --jobs=N               connections that load at the same time (default: number of processors, at most 4)\n"
	"\n"
	"Input:\n"
	"      --format=FORMAT        jsoneachrow, csv, csvwithnames, tsv, tsvwithnames, tsvwithnamesandtypes\n"
	"                             (default: by the file's name and first line)\n"
	"      --columns=A,B,...      columns of a file that does not name them (default: the table's)\n"
	"      --map=FROM=TO,...      a field of another name than its column; FROM= leaves it out\n"
	"      --ignore-unknown       leave out fields for which there is no column\n"
	"      --delimiter=CHAR       between fields of CSV (default: comma)\n"
	"      --null=TEXT            NULL in CSV and TSV (default: \\N)\n"
	"      --timezone=ZONE        of times without one (default: UTC)\n"
	"      --strip-nul            leave zero bytes out of texts (default: reject the line)\n"
	"      --replace-invalid      U+FFFD in place of what is not UTF-8 (default: reject the line)\n"
	"\n"
	"Duplicates:\n"
	"      --on-conflict=WHAT     error, nothing (what is there stays), update (the newest version wins); default: error\n"
	"      --version-column=NAME  which is the newest (default: event_ts if there is one; none: the last line, with -j 1)\n"
	"      --key=A,B,...          unique columns to go by (default: the primary key)\n"
	"\n"
	"Bad lines:\n"
	"      --reject=FILE          write them to FILE and go on (default: stop at the first)\n"
	"      --max-rejects=N        stop when there are more\n"
	"\n"
	"Progress:\n"
	"      --batch=ROWS           rows of a transaction (default: 122880), and at most 64 MB\n"
	"      --state-schema=NAME    schema of the tables that remember what is loaded (default: hanzo_load)\n"
	"      --name=NAME            of what standard input brings, or of a file besides its content\n"
	"      --continue             the file was repaired or became longer: go on with what is loaded of it\n"
	"      --forget               begin again; rows loaded before stay in the table\n"
	"      --dry-run              read and check everything, load nothing\n"
	"  -q, --quiet                say only what is wrong\n"
	"  -v, --verbose              say more\n"
	"      --help                 this\n"
	"  -V, --version              version\n"
	"\n"
	"Exit status: 0 all is loaded; 1 an error, what was committed stays and is remembered; 2 all is loaded but rejected lines.\n";

static void __attribute__((noreturn)) usage_error(const char *what, const char *value)
{
	hz_fatal("see " HZ_PROGRAM " --help", "%s%s", what, value);
}

static long
number(const char *option, const char *text, long low, long high)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < low || value > high)
		hz_fatal("see " HZ_PROGRAM " --help", "%s must be a number from %ld to %ld: %s", option,
				 low, high, text);
	return value;
}

static void
list_add(HzList *list, const char *start, size_t length)
{
	list->items = hz_realloc(list->items, ((size_t) list->count + 1) * sizeof(char *));
	list->items[list->count++] = strndup(start, length);
}

static void
list_parse(HzList *list, const char *text)
{
	for (;;)
	{
		size_t length = strcspn(text, ",");

		if (length == 0)
			usage_error("an empty name in a list: ", text);
		list_add(list, text, length);
		if (text[length] == '\0')
			return;
		text += length + 1;
	}
}

static void
map_parse(HzOptions *options, const char *text)
{
	HzList pairs = {0};

	list_parse(&pairs, text);
	for (int i = 0; i < pairs.count; i++)
	{
		const char *equals = strchr(pairs.items[i], '=');

		if (equals == NULL || equals == pairs.items[i])
			usage_error("--map takes FROM=TO: ", pairs.items[i]);
		list_add(&options->map_from, pairs.items[i], (size_t) (equals - pairs.items[i]));
		list_add(&options->map_to, equals + 1, strlen(equals + 1));
	}
}

static void
format_parse(HzOptions *options, const char *text)
{
	static const struct
	{
		const char *name;
		HzFormat format;
		HzHeader header;
	} formats[] = {
		{"jsoneachrow", HZ_FORMAT_JSON, HZ_HEADER_NONE},
		{"json", HZ_FORMAT_JSON, HZ_HEADER_NONE},
		{"csv", HZ_FORMAT_CSV, HZ_HEADER_NONE},
		{"csvwithnames", HZ_FORMAT_CSV, HZ_HEADER_NAMES},
		{"csvwithnamesandtypes", HZ_FORMAT_CSV, HZ_HEADER_NAMES_AND_TYPES},
		{"tsv", HZ_FORMAT_TSV, HZ_HEADER_NONE},
		{"tabseparated", HZ_FORMAT_TSV, HZ_HEADER_NONE},
		{"tsvwithnames", HZ_FORMAT_TSV, HZ_HEADER_NAMES},
		{"tabseparatedwithnames", HZ_FORMAT_TSV, HZ_HEADER_NAMES},
		{"tsvwithnamesandtypes", HZ_FORMAT_TSV, HZ_HEADER_NAMES_AND_TYPES},
		{"tabseparatedwithnamesandtypes", HZ_FORMAT_TSV, HZ_HEADER_NAMES_AND_TYPES},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
	{
		if (strcasecmp(text, formats[i].name) == 0)
		{
			options->format = formats[i].format;
			options->header = formats[i].header;
			return;
		}
	}
	usage_error(
		"--format takes jsoneachrow, csv, csvwithnames, tsv, tsvwithnames or tsvwithnamesandtypes: ",
		text);
}

static void
conflict_parse(HzOptions *options, const char *text)
{
	if (strcmp(text, "error") == 0)
		options->conflict = HZ_CONFLICT_ERROR;
	else if (strcmp(text, "nothing") == 0)
		options->conflict = HZ_CONFLICT_NOTHING;
	else if (strcmp(text, "update") == 0)
		options->conflict = HZ_CONFLICT_UPDATE;
	else
		usage_error("--on-conflict takes error, nothing or update: ", text);
}

static void
delimiter_parse(HzOptions *options, const char *text)
{
	if (strcmp(text, "\\t") == 0)
		text = "\t";
	if (strlen(text) != 1 || strchr("\"\n\r", *text) != NULL)
		usage_error("--delimiter takes one character that is no quote: ", text);
	options->delimiter = *text;
}

static void
take_option(HzOptions *options, int option, const char *argument)
{
	switch (option)
	{
		case 'h':
			options->host = argument;
			break;
		case 'p':
			options->port = argument;
			break;
		case 'U':
			options->user = argument;
			break;
		case 'd':
			options->database = argument;
			break;
		case 'w':
			options->never_password = true;
			break;
		case 'W':
			options->ask_password = true;
			break;
		case 'j':
			options->jobs = (int) number("-j", argument, 1, 64);
			break;
		case 'q':
			hz_quiet = true;
			break;
		case 'v':
			hz_verbose = true;
			break;
		case OPTION_FORMAT:
			format_parse(options, argument);
			break;
		case OPTION_COLUMNS:
			list_parse(&options->columns, argument);
			break;
		case OPTION_MAP:
			map_parse(options, argument);
			break;
		case OPTION_IGNORE_UNKNOWN:
			options->ignore_unknown = true;
			break;
		case OPTION_DELIMITER:
			delimiter_parse(options, argument);
			break;
		case OPTION_NULL:
			options->null = argument;
			break;
		case OPTION_STRIP_NUL:
			options->rules.strip_nul = true;
			break;
		case OPTION_REPLACE_INVALID:
			options->rules.replace_invalid = true;
			break;
		case OPTION_TIMEZONE:
			options->timezone = argument;
			break;
		case OPTION_ON_CONFLICT:
			conflict_parse(options, argument);
			break;
		case OPTION_KEY:
			list_parse(&options->key, argument);
			break;
		case OPTION_VERSION_COLUMN:
			options->version_column = strcmp(argument, "none") == 0 ? "" : argument;
			break;
		case OPTION_REJECT:
			options->reject_file = argument;
			break;
		case OPTION_MAX_REJECTS:
			options->max_rejects = number("--max-rejects", argument, 0, INT32_MAX);
			break;
		case OPTION_BATCH:
			options->batch_rows = (uint32_t) number("--batch", argument, 1, 10000000);
			break;
		case OPTION_STATE_SCHEMA:
			options->state_schema = argument;
			break;
		case OPTION_NAME:
			options->name = argument;
			break;
		case OPTION_FORGET:
			options->forget = true;
			break;
		case OPTION_CONTINUE:
			options->carry_on = true;
			break;
		case OPTION_DRY_RUN:
			options->dry_run = true;
			break;
		default:
			/* getopt has said what is wrong. */
			fprintf(stderr, HZ_PROGRAM ": hint: see " HZ_PROGRAM " --help\n");
			exit(1);
	}
}

static void
check(HzOptions *options)
{
	bool limited = options->max_rejects >= 0;

	if (options->forget && options->carry_on)
		usage_error("--forget and --continue contradict each other", "");
	if (options->name != NULL && options->file_count > 1)
		usage_error("--name is the name of one file, and there are several", "");
	if (limited && options->max_rejects > 0 && options->reject_file == NULL)
		usage_error("--max-rejects needs --reject: rejected lines must go somewhere", "");
	if (!limited && options->reject_file == NULL)
		options->max_rejects = 0;
	if ((options->key.count > 0 || options->version_column != NULL) &&
		options->conflict != HZ_CONFLICT_UPDATE)
		usage_error("--key and --version-column go with --on-conflict=update", "");
	for (int i = 0; i < options->file_count; i++)
	{
		if (strcmp(options->files[i], "-") == 0 && options->name == NULL && !options->dry_run)
			hz_fatal(
				"give it one, for instance --name 'website_events 2026-10'",
				"standard input needs --name: a second run must know what the first has loaded");
		if (options->reject_file != NULL && strcmp(options->files[i], options->reject_file) == 0)
			hz_fatal("write rejects to another file", "%s would be overwritten while it is read",
					 options->reject_file);
	}
}

void
hz_options_parse(HzOptions *options, int argc, char **argv)
{
	int option;

	memset(options, 0, sizeof(*options));
	options->delimiter = ',';
	options->null = "\\N";
	options->timezone = "UTC";
	options->max_rejects = -1;
	options->batch_rows = DEFAULT_BATCH_ROWS;
	options->state_schema = "hanzo_load";
	while ((option = getopt_long(argc, argv, "h:p:U:d:wWj:qvV", long_options, NULL)) != -1)
	{
		if (option == OPTION_HELP)
		{
			fputs(help, stdout);
			exit(0);
		}
		if (option == 'V')
		{
			puts(HZ_PROGRAM " (hanzo_datastore) " HZ_LOAD_VERSION);
			exit(0);
		}
		take_option(options, option, optarg);
	}
	if (argc - optind < 2)
		usage_error("a TABLE and one FILE at least are needed", "");
	options->table = argv[optind];
	options->files = argv + optind + 1;
	options->file_count = argc - optind - 1;
	check(options);
}
