/*
 * generate.c
 *		Believable rows for the tables of the Hanzo schema, to standard output.
 *
 *	bench/generate TABLE [--rows N] [--parents N] [--seed S] [--start YYYY-MM-DD]
 *				   [--days D] [--projects P] [--format copy|csv|json]
 *	bench/generate --columns TABLE
 *	bench/generate --help
 *
 * Build: cc -O2 -Wall -Wextra -Werror -o bench/generate bench/generate*.c -lm
 *
 * The same options give the same bytes on every machine: rows come from
 * counters and hashes, in integer arithmetic only.  A row is never kept, so
 * memory does not grow with --rows.
 *
 * FORMATS
 *	copy	PostgreSQL's COPY, text format (the default)
 *	csv		without a header; every string is quoted, NULL is empty; for COPY
 *			... (FORMAT csv) and other engines
 *	json	an object a line, as JSONEachRow: times as '2026-09-01 00:00:00.000'
 *			in UTC, numbers without quotes, jsonb nested, arrays as arrays
 *
 * To load a table:
 *	bench/generate website_events --rows 1000000 |
 *		psql -c "COPY hanzo.website_events ($(bench/generate --columns website_events)) FROM stdin"
 *
 * TABLES THAT JOIN
 *	Give all tables the same --seed, --projects, --start and --days.  Ids of
 *	organizations, projects, sessions, events and traces then agree.  Four tables
 *	follow a parent, which they replay: event_properties and session_properties
 *	follow website_events, ai_observations and ai_scores follow ai_traces.
 *	--parents is the number of rows of the parent (by default --rows, so equal
 *	--rows everywhere is right too).  A natural mix:
 *
 *		website_events		--rows 10000000
 *		event_properties	--rows  8000000 --parents 10000000
 *		session_properties	--rows  6000000 --parents 10000000
 *		ai_traces			--rows  1000000
 *		ai_observations		--rows  2500000 --parents  1000000
 *		ai_scores			--rows  1500000 --parents  1000000
 *		business_events, api_metrics, base_metrics, app_metrics: as you like
 *		organizations, projects, model_catalog: no --rows writes all there are
 *
 *	A child that asks for more than about 2 (properties), 2.5 (observations) or 10
 *	(scores) rows per row of its parent goes on past the parent's last row.  With
 *	few observations, scores may name observations of traces that have none.
 *
 * TIME
 *	Rows spread over --days days from --start, by hour of the day, weekday and
 *	slow growth, nearly in order: some seconds of disorder, and a few rows
 *	minutes to hours late.  base_metrics and app_metrics report every 15 to 60
 *	seconds per instance.  About 290,000 rows fill 90 days of one instance; as
 *	many instances are made as the rows fill, but 8 at least, so less than 2.3
 *	million rows end before the last day.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate_model.h"
#include "generate_table.h"
#include "generate_words.h"

#define DEFAULT_ROWS 100000
#define DEFAULT_PROJECTS 40
#define DEFAULT_DAYS 90
#define MAX_ROWS INT64_C(1000000000000)
#define MAX_PROJECTS 1000000
#define MAX_DAYS 3660

static const struct Table
{
	const char *name;
	GenTable *write;
	const char *columns;
} tables[] = {
	{"organizations", gen_organizations, "id,name,slug,created_at,updated_at,settings"},
	{"projects", gen_projects, "id,organization_id,name,slug,type,created_at,updated_at,settings"},
	{"model_catalog", gen_model_catalog,
	 "id,provider,model_name,display_name,input_price,output_price,context_window,max_output,"
	 "supports_vision,supports_function_calling,updated_at"},
	{"website_events", gen_website_events,
	 "project_id,session_id,visit_id,event_id,hostname,browser,os,device,screen,language,country,region,city,"
	 "url_path,url_query,page_title,referrer_path,referrer_query,referrer_domain,"
	 "utm_source,utm_medium,utm_campaign,utm_content,utm_term,gclid,fbclid,msclkid,ttclid,li_fat_id,twclid,"
	 "event_type,event_name,tag,distinct_id,created_at"},
	{"event_properties", gen_event_properties,
	 "project_id,session_id,event_id,url_path,event_name,property_key,string_value,number_value,date_value,"
	 "data_type,created_at"},
	{"session_properties", gen_session_properties,
	 "project_id,session_id,property_key,string_value,number_value,date_value,data_type,distinct_id,created_at"},
	{"ai_traces", gen_ai_traces,
	 "id,project_id,timestamp,name,user_id,session_id,metadata,release,version,public,bookmarked,tags,input,"
	 "output,total_cost,latency_ms,created_at,updated_at,event_ts,is_deleted"},
	{"ai_observations", gen_ai_observations,
	 "id,trace_id,project_id,type,parent_observation_id,start_time,end_time,name,metadata,level,status_message,"
	 "version,input,output,model_name,model_id,model_parameters,prompt_tokens,completion_tokens,total_tokens,"
	 "usage_details,cost_details,total_cost,completion_start_time,latency_ms,time_to_first_token_ms,prompt_id,"
	 "prompt_name,prompt_version,created_at,updated_at,event_ts,is_deleted"},
	{"ai_scores", gen_ai_scores,
	 "id,project_id,trace_id,observation_id,name,value,string_value,source,comment,data_type,config_id,"
	 "created_at,updated_at,event_ts,is_deleted"},
	{"business_events", gen_business_events,
	 "id,project_id,organization_id,event_type,event_name,user_id,session_id,revenue,currency,quantity,source,"
	 "channel,product_id,product_name,properties,created_at"},
	{"api_metrics", gen_api_metrics,
	 "id,project_id,organization_id,timestamp,endpoint,method,status_code,latency_ms,user_id,api_key_id,"
	 "ip_address,user_agent,tokens_used,compute_units,cost,error_type,error_message"},
	{"base_metrics", gen_base_metrics,
	 "instance_id,project_id,timestamp,cpu_percent,memory_used_mb,memory_total_mb,disk_used_mb,disk_total_mb,"
	 "network_rx_bytes,network_tx_bytes,active_connections,requests_per_second,avg_response_time_ms,error_rate"},
	{"app_metrics", gen_app_metrics,
	 "app_id,project_id,timestamp,cpu_percent,memory_used_mb,memory_limit_mb,desired_replicas,running_replicas,"
	 "requests_total,requests_per_second,avg_latency_ms,p99_latency_ms,error_count,error_rate,restarts,"
	 "uptime_seconds"}};

#define TABLES ((int) (sizeof(tables) / sizeof(tables[0])))

static const char usage[] =
	"Usage: generate TABLE [options]     rows of a table, to standard output\n"
	"       generate --columns TABLE     its columns, in the order of the output\n"
	"\n"
	"  --rows N             how many rows (default 100000; the three catalogues: all)\n"
	"  --parents N          rows of the parent table, for the tables that follow one\n"
	"                       (default: as --rows)\n"
	"  --seed S             another world (default 1)\n"
	"  --start YYYY-MM-DD   first day, UTC (default 2026-09-01)\n"
	"  --days D             days (default 90)\n"
	"  --projects P         projects, a few large and many small (default 40)\n"
	"  --format copy|csv|json\n"
	"\n"
	"Tables:";

static void
fail(const char *what, const char *value)
{
	fprintf(stderr, "generate: %s \"%s\"\nTry generate --help.\n", what, value);
	exit(2);
}

static void
print_help(void)
{
	fputs(usage, stdout);
	for (int i = 0; i < TABLES; i++)
		printf("%s%s", i % 4 == 0 ? "\n  " : " ", tables[i].name);
	putchar('\n');
}

static const struct Table *
find_table(const char *name)
{
	for (int i = 0; i < TABLES; i++)
		if (strcmp(tables[i].name, name) == 0)
			return &tables[i];
	fail("no such table:", name);
	return NULL;
}

static uint64_t
parse_number(const char *option, const char *s, uint64_t lo, uint64_t hi)
{
	char *end;
	unsigned long long v = strtoull(s, &end, 10);

	if (*s < '0' || *s > '9' || *end != '\0' || v < lo || v > hi)
	{
		fprintf(stderr, "generate: %s must be a number from %llu to %llu, not \"%s\"\n", option,
				(unsigned long long) lo, (unsigned long long) hi, s);
		exit(2);
	}
	return v;
}

/* Days since 1970 of a date (Howard Hinnant, "chrono-compatible date algorithms"). */
static int64_t
parse_date(const char *s)
{
	int y;
	int m;
	int d;
	char check[16];
	int64_t days;

	if (sscanf(s, "%4d-%2d-%2d", &y, &m, &d) != 3 || y < 1980 || m < 1 || m > 12 || d < 1)
		fail("not a date from 1980 on:", s);
	y -= m <= 2;
	days = y / 400 * INT64_C(146097) + y % 400 * 365 + y % 400 / 4 - y % 400 / 100 +
		   (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1 - 719468;
	*gen_put_date(check, days * GEN_DAY) = '\0';
	if (strcmp(check, s) != 0)
		fail("not a date:", s);
	return days;
}

static GenFormat
parse_format(const char *s)
{
	static const char *const names[] = {"copy", "csv", "json"};

	for (int i = 0; i < 3; i++)
		if (strcmp(names[i], s) == 0)
			return (GenFormat) i;
	fail("no such format:", s);
	return GEN_COPY;
}

static uint64_t
default_rows(const struct Table *table, const GenOptions *options)
{
	if (table->write == gen_organizations)
		return (options->projects + 2) / 3;
	if (table->write == gen_projects)
		return options->projects;
	if (table->write == gen_model_catalog)
		return (uint64_t) gen_model_count;
	return DEFAULT_ROWS;
}

static void
parse_options(int argc, char **argv, const struct Table *table, GenOptions *options,
			  GenFormat *format)
{
	uint64_t days = DEFAULT_DAYS;
	bool rows_given = false;

	*format = GEN_COPY;
	memset(options, 0, sizeof(*options));
	options->seed = 1;
	options->projects = DEFAULT_PROJECTS;
	options->start = parse_date("2026-09-01") * GEN_DAY;
	for (int i = 0; i < argc; i += 2)
	{
		const char *name = argv[i];
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(name, "--rows") == 0)
		{
			options->rows = parse_number(name, value, 0, MAX_ROWS);
			rows_given = true;
		}
		else if (strcmp(name, "--parents") == 0)
			options->parents = parse_number(name, value, 1, MAX_ROWS);
		else if (strcmp(name, "--seed") == 0)
			options->seed = parse_number(name, value, 0, UINT64_MAX);
		else if (strcmp(name, "--start") == 0)
			options->start = parse_date(value) * GEN_DAY;
		else if (strcmp(name, "--days") == 0)
			days = parse_number(name, value, 1, MAX_DAYS);
		else if (strcmp(name, "--projects") == 0)
			options->projects = (uint32_t) parse_number(name, value, 1, MAX_PROJECTS);
		else if (strcmp(name, "--format") == 0)
			*format = parse_format(value);
		else
			fail("no such option:", name);
	}
	options->end = options->start + (int64_t) days * GEN_DAY;
	if (!rows_given)
		options->rows = default_rows(table, options);
	if (options->parents == 0)
		options->parents = options->rows > 0 ? options->rows : 1;
}

int
main(int argc, char **argv)
{
	const struct Table *table;
	GenOptions options;
	GenFormat format;
	GenOut *o;

	if (argc < 2 || strcmp(argv[1], "--help") == 0)
	{
		print_help();
		return argc < 2 ? 2 : 0;
	}
	if (strcmp(argv[1], "--columns") == 0)
	{
		puts(find_table(argc > 2 ? argv[2] : "")->columns);
		return 0;
	}
	table = find_table(argv[1]);
	parse_options(argc - 2, argv + 2, table, &options, &format);
	gen_words_init();
	o = gen_out_open(format, table->columns);
	table->write(gen_world(&options), o);
	gen_out_close(o);
	return 0;
}
