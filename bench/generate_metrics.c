/*
 * generate_metrics.c
 *		The tables api_metrics, base_metrics and app_metrics.
 *
 * base_metrics and app_metrics report one row per instance every 15, 30 or 60
 * seconds, all instances side by side in the order of time.  As many instances
 * are made as are needed for the rows to last for all days; few rows end early.
 */
#include <string.h>

#include "generate_table.h"
#include "generate_words.h"

#define LENGTH(a) ((int) (sizeof(a) / sizeof((a)[0])))

/* ---------- api_metrics ---------- */

typedef struct Endpoint
{
	const char *path;
	const char *method;
	int latency; /* median, ms */
	int tokens;  /* median, 0 for none */
} Endpoint;

static const Endpoint endpoints[] = {{"/v1/chat/completions", "POST", 1400, 900},
									 {"/v1/events", "POST", 9, 0},
									 {"/v1/embeddings", "POST", 85, 320},
									 {"/v1/auth/token", "POST", 35, 0},
									 {"/v1/users/me", "GET", 14, 0},
									 {"/v1/batch", "POST", 28, 0},
									 {"/v1/projects", "GET", 22, 0},
									 {"/health", "GET", 2, 0},
									 {"/v1/messages", "POST", 1700, 1100},
									 {"/v1/projects/{id}", "GET", 16, 0},
									 {"/v1/search", "POST", 120, 0},
									 {"/v1/files", "GET", 30, 0},
									 {"/v1/traces", "POST", 18, 0},
									 {"/v1/usage", "GET", 210, 0},
									 {"/v1/models", "GET", 6, 0},
									 {"/v1/files", "POST", 420, 0},
									 {"/v1/sessions", "GET", 48, 0},
									 {"/v1/users", "GET", 40, 0},
									 {"/v1/webhooks", "POST", 25, 0},
									 {"/v1/prompts/{name}", "GET", 11, 0},
									 {"/v1/scores", "POST", 15, 0},
									 {"/v1/invoices", "GET", 65, 0},
									 {"/v1/images/generations", "POST", 5200, 0},
									 {"/v1/projects/{id}", "PATCH", 33, 0},
									 {"/v1/moderations", "POST", 110, 140},
									 {"/v1/datasets", "GET", 55, 0},
									 {"/v1/audio/transcriptions", "POST", 2600, 450},
									 {"/v1/keys", "GET", 19, 0},
									 {"/v1/teams", "GET", 21, 0},
									 {"/v1/notifications", "GET", 24, 0},
									 {"/v1/reports", "POST", 900, 0},
									 {"/v1/users/{id}", "GET", 15, 0},
									 {"/v1/users/{id}", "PATCH", 31, 0},
									 {"/v1/files/{id}", "GET", 38, 0},
									 {"/v1/files/{id}", "DELETE", 29, 0},
									 {"/v1/assistants", "POST", 75, 0},
									 {"/v1/threads", "POST", 42, 0},
									 {"/v1/threads/{id}/runs", "POST", 2100, 1500},
									 {"/v1/threads/{id}/messages", "GET", 37, 0},
									 {"/v1/vector_stores", "POST", 240, 0},
									 {"/v1/vector_stores/{id}/search", "POST", 95, 60},
									 {"/v1/exports", "POST", 640, 0},
									 {"/v1/exports/{id}", "GET", 20, 0},
									 {"/v1/alerts", "GET", 27, 0},
									 {"/v1/dashboards", "GET", 70, 0},
									 {"/v1/dashboards/{id}", "GET", 130, 0},
									 {"/v1/query", "POST", 380, 0},
									 {"/v1/deployments", "POST", 850, 0},
									 {"/v1/deployments/{id}", "GET", 26, 0},
									 {"/v1/deployments/{id}/logs", "GET", 160, 0},
									 {"/v1/domains", "GET", 23, 0},
									 {"/v1/secrets", "PUT", 34, 0},
									 {"/v1/orders", "POST", 88, 0},
									 {"/v1/orders/{id}", "GET", 18, 0},
									 {"/v1/payments", "POST", 520, 0},
									 {"/v1/refunds", "POST", 610, 0},
									 {"/v1/subscriptions", "GET", 44, 0},
									 {"/v1/coupons/validate", "POST", 12, 0},
									 {"/v1/geo/lookup", "GET", 5, 0},
									 {"/v1/feature_flags", "GET", 4, 0},
									 {"/v1/fine_tuning/jobs", "POST", 300, 0},
									 {"/v1/rerank", "POST", 140, 700}};

typedef struct Failure
{
	int status;
	int per_10000; /* of all requests */
	const char *type;
	const char *message;
} Failure;

static const Failure failures[] = {
	{400, 130, "invalid_request", "Field 'model' is required"},
	{401, 90, "authentication_error", "Invalid API key"},
	{403, 40, "permission_denied", "This key may not use this resource"},
	{404, 160, "not_found", "No such object"},
	{422, 40, "validation_error", "Value out of range"},
	{429, 170, "rate_limit_exceeded", "Rate limit reached, retry after 20 s"},
	{500, 45, "internal_error", "Unexpected error"},
	{502, 15, "bad_gateway", "Upstream closed the connection"},
	{503, 25, "overloaded", "The service is overloaded"},
	{504, 15, "timeout", "Upstream did not answer in 60 s"}};

static const char *const agents[] = {
	"hanzo-python/1.24.0 Python/3.12.4",
	"hanzo-node/2.8.1 Node/20.15.0",
	"OpenAI/Python 1.51.0",
	"python-requests/2.32.3",
	"axios/1.7.7",
	"curl/8.5.0",
	"hanzo-go/0.9.3",
	"okhttp/4.12.0",
	"Go-http-client/2.0",
	"hanzo-python/1.23.2 Python/3.11.9",
	"PostmanRuntime/7.42.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
	"hanzo-node/2.7.9 Node/22.4.1",
	"aiohttp/3.10.5"};

static const Failure *
draw_failure(GenRand *r)
{
	int pick = (int) gen_rand_below(r, 10000);

	for (int i = 0; i < LENGTH(failures); i++)
	{
		if (pick < failures[i].per_10000)
			return &failures[i];
		pick -= failures[i].per_10000;
	}
	return NULL;
}

static int
success_status(const Endpoint *e, GenRand *r)
{
	if (e->method[0] == 'D')
		return 204;
	if (e->method[0] == 'P' && e->tokens == 0 && gen_rand_chance(r, 4000))
		return gen_rand_chance(r, 8000) ? 201 : 202;
	return e->method[0] == 'G' && gen_rand_chance(r, 300) ? 304 : 200;
}

static char *
put_address(char *p, uint64_t hash)
{
	if (hash % 12 == 0)
	{
		p = gen_put_hex(gen_put(p, "2a02:"), 0x1000 | (hash >> 20 & 0xFFF), 4);
		for (int i = 0; i < 6; i++)
		{
			*p++ = ':';
			p = gen_put_hex(p, 0x1000 | (gen_mix64(hash + (uint64_t) i) & 0xEFFF), 4);
		}
		return p;
	}
	p = gen_put(gen_put_int(p, 23 + (int64_t) (hash >> 8) % 180), ".");
	p = gen_put(gen_put_int(p, (int64_t) (hash >> 16 & 255)), ".");
	p = gen_put(gen_put_int(p, (int64_t) (hash >> 24 & 255)), ".");
	return gen_put_int(p, 1 + (int64_t) (hash >> 32) % 254);
}

/* A key is used by one program from few addresses, for some users. */
static void
out_caller(GenOut *o, const GenProject *p, GenRand *r)
{
	uint32_t key = gen_rand_skewed(r, 24);
	uint64_t hash = gen_hash(p->hash, 5000 + key);
	uint32_t user = gen_rand_skewed(r, 800);
	char text[64];

	if (hash % 10 < 3)
		gen_out_null(o);
	else
		gen_out_text(
			o, text,
			(size_t) (gen_put_hex(gen_put(text, "usr_"), gen_hash(hash, user), 10) - text));
	if (gen_rand_chance(r, 700))
		gen_out_null(o);
	else
		gen_out_text(o, text,
					 (size_t) (gen_put_hex(gen_put(text, "key_"), gen_mix64(hash), 16) - text));
	gen_out_text(
		o, text,
		(size_t) (put_address(text, gen_hash(hash, gen_rand_chance(r, 2000) ? user : user % 5)) -
				  text));
	gen_out_string(o, agents[gen_scale((uint32_t) hash, LENGTH(agents))]);
}

static void
out_request(GenOut *o, const Endpoint *e, const GenProject *p, GenRand *r)
{
	const Failure *failure = draw_failure(r);
	int64_t latency = gen_rand_lognormal_in(r, (uint64_t) e->latency * 4, 58982, 1, 480000) / 4;
	int64_t tokens = gen_rand_lognormal_in(r, (uint64_t) e->tokens, 78643, 1, 200000);

	if (failure != NULL && failure->status < 500)
		latency = latency % 40 + 2;
	if (failure != NULL && failure->status == 504)
		latency = 60000 + latency % 100;
	gen_out_string(o, e->path);
	gen_out_string(o, e->method);
	gen_out_int(o, failure != NULL ? failure->status : success_status(e, r));
	gen_out_int(o, latency);
	out_caller(o, p, r);
	if (e->tokens == 0 || failure != NULL)
	{
		gen_out_null(o);
		tokens = 0;
	}
	else
		gen_out_int(o, tokens);
	gen_out_decimal(o, 10 + latency * 3 + tokens * 2, 4);
	gen_out_decimal(o, latency * 40000 + tokens * 600000, 12);
	gen_out_string_or_null(o, failure != NULL ? failure->type : NULL);
	gen_out_string_or_null(o, failure != NULL ? failure->message : NULL);
}

void
gen_api_metrics(const GenWorld *w, GenOut *o)
{
	GenPopularity popularity = gen_popularity(w, GEN_STREAM_API, GEN_API | GEN_APP | GEN_WEBSITE);
	GenAlias zipf = gen_zipf(LENGTH(endpoints), 65536);

	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		GenRand r = {gen_world_hash(w, GEN_STREAM_API, i)};
		GenUuid id = gen_uuid(gen_rand_next(&r));
		const GenProject *p = &w->projects[gen_popularity_at(&popularity, gen_rand_next(&r))];
		uint32_t e =
			(gen_alias_draw(&zipf, &r) + (uint32_t) (p->hash >> 40) % 4 * 5) % LENGTH(endpoints);
		int64_t time = gen_world_time(w, i, w->options.rows) - gen_rand_below(&r, 900);

		if (gen_rand_chance(&r, 10))
			time -= gen_rand_lognormal_in(&r, 5 * GEN_MINUTE, 2 * 65536, GEN_SECOND, GEN_DAY);
		gen_out_uuid(o, id);
		gen_out_uuid(o, p->id);
		gen_out_uuid(o, p->organization_id);
		gen_out_time(o, gen_world_clamp(w, time));
		out_request(o, &endpoints[e], p, &r);
		gen_out_end_row(o);
	}
}

/* ---------- instances and apps ---------- */

#define TICK (15 * GEN_SECOND)
#define MIN_INSTANCES 8

/* One instance or app; numbers that walk have their unit beside them. */
typedef struct Instance
{
	GenUuid id;
	const GenProject *project;
	int every;      /* ticks between rows */
	int64_t phase;  /* ms after the tick */
	int64_t cpu;    /* 1e-4 per cent */
	int64_t memory; /* KB */
	int64_t memory_total;
	int64_t disk; /* MB */
	int64_t disk_total;
	int64_t received; /* bytes, counted since the start */
	int64_t sent;
	int64_t rate;     /* 1e-3 requests a second at noon */
	int64_t latency;  /* microseconds */
	int64_t requests; /* counted since the start */
	int64_t up_since;
	int replicas;
	int restarts;
} Instance;

typedef struct Fleet
{
	const GenWorld *world;
	GenStream stream;
	Instance *instances;
	int count;
	int next; /* instance to look at */
	int64_t tick;
	GenRand rand;
} Fleet;

/* Rows of so many instances in all days: a quarter every 15 s, half 30, a quarter 60. */
static uint64_t
fleet_rows(const GenWorld *w, uint64_t count)
{
	uint64_t ticks = (uint64_t) ((w->options.end - w->options.start) / TICK);

	return ((count + 3) / 4 * 4 + (count + 2) / 4 * 2 + (count + 1) / 4 * 2 + count / 4) * ticks /
		   4 * 98 / 100;
}

static void
start_instance(Fleet *f, Instance *n, uint64_t number)
{
	static const uint8_t every[4] = {1, 2, 2, 4};
	const GenWorld *w = f->world;
	uint64_t hash = gen_world_hash(w, f->stream, number);
	GenRand r = gen_rand(hash, 1);

	memset(n, 0, sizeof(*n));
	n->id = gen_uuid(hash);
	n->project = &w->projects[gen_hash(hash, 2) % w->options.projects];
	n->every = every[number % 4];
	n->phase = gen_rand_below(&r, (uint32_t) TICK);
	n->cpu = gen_rand_range(&r, 30000, 450000);
	n->memory_total = INT64_C(1048576) << gen_rand_below(&r, 6);
	n->memory = n->memory_total * gen_rand_range(&r, 20, 70) / 100;
	n->disk_total = INT64_C(20480) << gen_rand_below(&r, 5);
	n->disk = n->disk_total * gen_rand_range(&r, 10, 60) / 100;
	n->received = gen_rand_range(&r, 0, 4000000000);
	n->sent = gen_rand_range(&r, 0, 4000000000);
	n->rate = gen_rand_lognormal_in(&r, 20000, 2 * 65536, 200, 3000000);
	n->latency = gen_rand_lognormal_in(&r, 24000, 65536, 900, 2000000);
	n->requests = gen_rand_range(&r, 0, 4000000000);
	n->up_since = w->options.start - (int64_t) (gen_rand_next(&r) >> 16) % (40 * GEN_DAY);
	n->replicas = 1 + (int) gen_rand_skewed(&r, 6);
}

static void
start_fleet(Fleet *f, const GenWorld *w, GenStream stream)
{
	uint64_t count = MIN_INSTANCES;

	while (fleet_rows(w, count) < w->options.rows)
		count++;
	f->world = w;
	f->stream = stream;
	f->count = (int) count;
	f->instances = gen_alloc(count * sizeof(Instance));
	f->next = 0;
	f->tick = 0;
	f->rand = gen_rand(gen_world_hash(w, stream, UINT64_MAX), 0);
	for (uint64_t i = 0; i < count; i++)
		start_instance(f, &f->instances[i], i);
}

/* A step of a walk that returns to its middle. */
static int64_t
walk(GenRand *r, int64_t v, int64_t middle, int64_t step, int64_t lo, int64_t hi)
{
	v += (middle - v) / 64 + gen_rand_normal(r) * step / GEN_ONE_Q16;
	return v < lo   ? 2 * lo - v > hi ? lo : 2 * lo - v
		   : v > hi ? 2 * hi - v < lo ? hi : 2 * hi - v
					: v;
}

/* Load follows the hour of the day, in per cent. */
static int64_t
day_load(int64_t time)
{
	static const uint8_t loads[25] = {48,  42,  38,  36,  36,  41,  52,  66, 80, 90, 96, 98, 100,
									  104, 112, 118, 120, 116, 108, 100, 90, 80, 68, 57, 48};
	int64_t in_day = time % GEN_DAY;
	int64_t hour = in_day / GEN_HOUR;

	return loads[hour] + (loads[hour + 1] - loads[hour]) * (in_day % GEN_HOUR) / GEN_HOUR;
}

/* What the seconds since the last row brought; returns requests a second, 1e-3. */
static int64_t
advance(Instance *n, int64_t time, GenRand *r)
{
	int64_t seconds = n->every * TICK / GEN_SECOND;
	int64_t rate = n->rate * day_load(time) / 100 * gen_rand_range(r, 900, 1100) / 1000;

	n->cpu = walk(r, n->cpu, 1500 * day_load(time) + n->rate % 90000, 14000, 1000, 1000000);
	n->memory = walk(r, n->memory, n->memory_total * 55 / 100, n->memory_total / 300,
					 n->memory_total / 10, n->memory_total);
	if (gen_rand_chance(r, 900))
		n->disk =
			walk(r, n->disk + gen_rand_range(r, 0, 3), n->disk_total / 2, 1, 1, n->disk_total);
	n->latency = walk(r, n->latency, 24000 + n->rate % 60000, n->latency / 24 + 20, 500, 20000000);
	n->received += rate * seconds * gen_rand_range(r, 600, 1400) / 1000;
	n->sent += rate * seconds * gen_rand_range(r, 6000, 14000) / 1000;
	n->requests += rate * seconds / 1000;
	return rate;
}

/* The next row's instance and time; few reports are lost. */
static Instance *
next_report(Fleet *f, int64_t *time)
{
	for (;;)
	{
		Instance *n = &f->instances[f->next];
		bool due = (f->tick + f->next) % n->every == 0;

		*time = f->world->options.start + f->tick * TICK + n->phase;
		if (++f->next == f->count)
		{
			f->next = 0;
			f->tick++;
		}
		if (due && !gen_rand_chance(&f->rand, 20))
			break;
	}
	*time = gen_world_clamp(f->world, *time + gen_rand_below(&f->rand, 40));
	return &f->instances[f->next > 0 ? f->next - 1 : f->count - 1];
}

void
gen_base_metrics(const GenWorld *w, GenOut *o)
{
	Fleet f;

	start_fleet(&f, w, GEN_STREAM_BASE);
	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		int64_t time;
		Instance *n = next_report(&f, &time);
		int64_t rate = advance(n, time, &f.rand);

		gen_out_uuid(o, n->id);
		gen_out_uuid(o, n->project->id);
		gen_out_time(o, time);
		gen_out_decimal(o, n->cpu / 100, 2);
		gen_out_int(o, n->memory / 1024);
		gen_out_int(o, n->memory_total / 1024);
		gen_out_int(o, n->disk);
		gen_out_int(o, n->disk_total);
		gen_out_int(o, n->received);
		gen_out_int(o, n->sent);
		gen_out_int(o, 2 + rate * n->latency / 1000000000 + gen_rand_range(&f.rand, 0, 3));
		gen_out_decimal(o, rate / 10, 2);
		gen_out_decimal(o, n->latency, 3);
		gen_out_decimal(o,
						gen_rand_chance(&f.rand, 6500)
							? 0
							: gen_rand_lognormal_in(&f.rand, 40, 2 * 65536, 1, 9000),
						4);
		gen_out_end_row(o);
	}
}

/* An app is restarted now and then and then counts anew. */
static void
maybe_restart(Instance *n, int64_t time, GenRand *r)
{
	if (gen_rand_below(r, 20000) > 0)
		return;
	n->up_since = time;
	n->requests = 0;
	n->memory = n->memory_total / 8;
	n->restarts++;
}

void
gen_app_metrics(const GenWorld *w, GenOut *o)
{
	Fleet f;

	start_fleet(&f, w, GEN_STREAM_APP);
	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		int64_t time;
		Instance *n = next_report(&f, &time);
		int64_t rate = advance(n, time, &f.rand);
		int64_t served = rate * n->every * TICK / 1000000;
		int64_t errors =
			gen_rand_chance(&f.rand, 6000) ? 0 : served * gen_rand_range(&f.rand, 0, 120) / 10000;

		maybe_restart(n, time, &f.rand);
		gen_out_uuid(o, n->id);
		gen_out_uuid(o, n->project->id);
		gen_out_time(o, time);
		gen_out_decimal(o, n->cpu / 100, 2);
		gen_out_int(o, n->memory / 1024);
		gen_out_int(o, n->memory_total / 1024);
		gen_out_int(o, n->replicas);
		gen_out_int(o, n->replicas - (n->replicas > 1 && gen_rand_chance(&f.rand, 80)));
		gen_out_int(o, n->requests);
		gen_out_decimal(o, rate / 10, 2);
		gen_out_decimal(o, n->latency, 3);
		gen_out_decimal(o, n->latency * gen_rand_range(&f.rand, 300, 800) / 100, 3);
		gen_out_int(o, errors);
		gen_out_decimal(o, served > 0 ? errors * 1000000 / served : 0, 6);
		gen_out_int(o, n->restarts);
		gen_out_int(o, time > n->up_since ? (time - n->up_since) / GEN_SECOND : 0);
		gen_out_end_row(o);
	}
}
