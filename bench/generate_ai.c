/*
 * generate_ai.c
 *		The tables ai_traces, ai_observations and ai_scores.
 *
 * The two children replay the traces that make ai_traces of options.parents
 * rows, and spread their rows over them.
 */
#include <string.h>

#include "generate_prompt.h"
#include "generate_table.h"
#include "generate_words.h"

static const char *const type_names[] = {"generation", "span", "event"};
static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
static const char *const places[] = {"us-east-1", "us-east-1",  "us-west-2",      "eu-central-1",
									 "eu-west-1", "ap-south-1", "ap-northeast-1", "us-east-1"};

#define RECENT 256
#define MAX_SCORES 12 /* of a trace */

/* Texts of the row at hand. */
static char input[GEN_PROMPT_ROOM];
static char output[GEN_PROMPT_ROOM];

static void
out_built(GenOut *o, const char *text, const char *end)
{
	if (end == text)
		gen_out_null(o);
	else
		gen_out_text(o, text, (size_t) (end - text));
}

/* ---------- ai_traces ---------- */

static char *
put_session(char *p, const GenTrace *t)
{
	return gen_put_uuid(p, gen_uuid(t->session));
}

static char *
put_user(char *p, const GenTrace *t)
{
	if (t->project->hash & 64)
		return gen_put_int(gen_put(p, "user_"), 100000 + (int64_t) t->user * 7);
	p = gen_put_login(p, gen_hash(t->project->hash, t->user));
	p = gen_put(gen_put(gen_put_int(p, t->user % 100), "@"), t->project->slug);
	return gen_put(p, ".com");
}

static char *
put_trace_metadata(char *p, const GenTrace *t)
{
	static const char *const tiers[] = {"free", "free", "pro", "enterprise"};

	p = gen_put(p, t->hash % 16 == 0 ? "{\"environment\": \"staging\""
									 : "{\"environment\": \"production\"");
	p = gen_put(gen_put(p, ", \"region\": \""), places[gen_mix64(t->session) & 7]);
	p = gen_put(gen_put(p, "\", \"tier\": \""), tiers[gen_mix64(t->user) & 3]);
	*p++ = '"';
	if (t->project->hash & 128)
		p = gen_put(gen_put_hex(gen_put(p, ", \"request_id\": \""), gen_mix64(t->hash + 5), 16),
					"\"");
	if (t->hash & 1024)
		p = gen_put_int(gen_put(p, ", \"retries\": "), (int64_t) (t->hash >> 62));
	return gen_put(p, "}");
}

/* A release lives for a week. */
static char *
put_release(char *p, const GenTrace *t)
{
	int64_t week = t->time / (7 * GEN_DAY);

	p = gen_put(gen_put_date(p, week * 7 * GEN_DAY), "-");
	return gen_put_hex(p, gen_hash(t->project->hash, (uint64_t) week), 7);
}

static void
out_tags(GenOut *o, const GenTrace *t)
{
	static const char *const kinds[] = {"chat", "rag", "agent", "extract"};
	static const char *const others[] = {"beta",  "eval",  "web",      "mobile",
										 "slack", "batch", "internal", "priority"};
	const char *tags[3];
	int n = 0;

	if (t->hash % 10 < 7)
		tags[n++] = kinds[t->kind];
	if ((t->hash >> 8) % 10 < 4)
		tags[n++] = others[gen_hash(t->project->hash, (t->hash >> 16) & 3) & 7];
	gen_out_words(o, tags, n);
}

static void
out_trace(GenOut *o, const GenTrace *t)
{
	bool failed = t->observations[t->count - 1].level == GEN_ERROR;
	int64_t end = t->time + t->latency;
	char text[512];

	gen_out_text(o, text, (size_t) (gen_put_trace_id(text, t) - text));
	gen_out_uuid(o, t->project->id);
	gen_out_time(o, t->time);
	gen_out_string(o, gen_trace_name(t));
	out_built(o, text, t->has_user ? put_user(text, t) : text);
	out_built(o, text, t->has_session ? put_session(text, t) : text);
	gen_out_json(o, text, (size_t) (put_trace_metadata(text, t) - text));
	out_built(o, text, t->project->hash & 256 ? put_release(text, t) : text);
	gen_out_string_or_null(o, t->project->hash & 512 ? "v2" : NULL);
	gen_out_bool(o, t->hash % 67 == 0);
	gen_out_bool(o, t->hash % 131 == 0);
	out_tags(o, t);
	out_built(o, input, gen_put_question(input, t));
	out_built(o, output, failed ? output : gen_put_answer(output, t));
	gen_out_decimal(o, t->cost, 12);
	gen_out_int(o, t->latency);
	gen_out_time(o, t->time + 40 + (int64_t) (t->hash >> 58));
	gen_out_time(o, end + 900);
	gen_out_time(o, end + 900 + (int64_t) (t->hash >> 56));
	gen_out_bool(o, false);
	gen_out_end_row(o);
}

void
gen_ai_traces(const GenWorld *w, GenOut *o)
{
	GenTraces *traces = gen_traces_open(w, w->options.rows);

	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		GenTrace t;

		gen_traces_next(traces, &t);
		out_trace(o, &t);
	}
}

/* ---------- ai_observations ---------- */

static char *
put_metadata(char *p, const GenTrace *t, const GenObservation *ob)
{
	if (ob->hash % 10 < 4)
		return gen_put(p, "{}");
	p = gen_put_int(gen_put(p, "{\"attempt\": "), 1 + (ob->hash % 97 == 0));
	p = gen_put(p, (ob->hash >> 10) % 8 == 0 ? ", \"cache_hit\": true" : ", \"cache_hit\": false");
	if (t->project->hash & 1024)
		p = gen_put_int(gen_put(p, ", \"worker\": "), (int64_t) (ob->hash >> 20) % 64);
	if (t->project->hash & 2048)
		p = gen_put(gen_put(gen_put(p, ", \"region\": \""), places[(ob->hash >> 32) & 7]), "\"");
	return gen_put(p, "}");
}

static char *
put_parameters(char *p, const GenTrace *t)
{
	uint64_t hash = gen_hash(t->project->hash, (uint64_t) t->prompt);

	p = gen_put_number(gen_put(p, "{\"temperature\": "), (int64_t) (hash % 11), 1);
	p = gen_put_int(gen_put(p, ", \"max_tokens\": "), INT64_C(512) << (hash >> 62));
	p = gen_put(p, (hash >> 8) & 1 ? ", \"top_p\": 1" : ", \"top_p\": 0.95");
	return gen_put(p, (hash >> 9) & 1 ? ", \"stream\": true}" : "}");
}

static char *
put_usage(char *p, const GenObservation *ob)
{
	p = gen_put_int(gen_put(p, "{\"input\": "), ob->prompt_tokens);
	p = gen_put_int(gen_put(p, ", \"output\": "), ob->completion_tokens);
	p = gen_put_int(gen_put(p, ", \"total\": "), ob->prompt_tokens + ob->completion_tokens);
	if (ob->cached_tokens > 0)
		p = gen_put_int(gen_put(p, ", \"input_cached_tokens\": "), ob->cached_tokens);
	return gen_put(p, "}");
}

static char *
put_costs(char *p, const GenObservation *ob)
{
	p = gen_put_number(gen_put(p, "{\"input\": "), ob->input_cost, 12);
	p = gen_put_number(gen_put(p, ", \"output\": "), ob->output_cost, 12);
	p = gen_put_number(gen_put(p, ", \"total\": "), ob->input_cost + ob->output_cost, 12);
	return gen_put(p, "}");
}

static const char *
status_message(const GenObservation *ob)
{
	static const char *const errors[] = {
		"429 Too Many Requests: rate limit reached for requests per minute",
		"Connection reset by peer",
		"Request timed out after 60s",
		"503 Service Unavailable: overloaded",
		"400 Bad Request: maximum context length exceeded",
		"Tool returned invalid JSON: Expecting value: line 1 column 1 (char 0)"};
	static const char *const warnings[] = {"Retried after 429", "Response truncated at max_tokens",
										   "Slow upstream"};

	if (ob->level == GEN_ERROR)
		return errors[(ob->hash >> 24) % 6];
	return ob->level == GEN_WARNING ? warnings[(ob->hash >> 24) % 3] : NULL;
}

static void
out_model(GenOut *o, const GenTrace *t, const GenObservation *ob)
{
	char text[256];

	if (ob->type != GEN_GENERATION)
	{
		for (int i = 0; i < 6; i++)
			gen_out_null(o);
		gen_out_json(o, "{}", 2);
		gen_out_json(o, "{}", 2);
		gen_out_null(o);
		return;
	}
	gen_out_string(o, ob->model->name);
	gen_out_string(o, ob->model->id);
	gen_out_text(o, text, (size_t) (put_parameters(text, t) - text));
	gen_out_int(o, ob->prompt_tokens);
	gen_out_int(o, ob->completion_tokens);
	gen_out_int(o, ob->prompt_tokens + ob->completion_tokens);
	gen_out_json(o, text, (size_t) (put_usage(text, ob) - text));
	gen_out_json(o, text, (size_t) (put_costs(text, ob) - text));
	gen_out_decimal(o, ob->input_cost + ob->output_cost, 12);
}

/* Prompts under management have an id, a name and a version. */
static void
out_prompt(GenOut *o, const GenTrace *t, const GenObservation *ob)
{
	uint64_t hash = gen_hash(t->project->hash, 2000 + (uint64_t) t->prompt);
	char text[64];

	if (ob->type != GEN_GENERATION || hash % 100 >= 55)
	{
		for (int i = 0; i < 3; i++)
			gen_out_null(o);
		return;
	}
	gen_out_text(
		o, text,
		(size_t) (gen_put_uuid(text, gen_uuid(gen_hash(hash, (uint64_t) t->prompt_version))) -
				  text));
	gen_out_text(o, text, (size_t) (gen_put_prompt_name(text, t) - text));
	gen_out_int(o, t->prompt_version);
}

static void
out_times(GenOut *o, const GenObservation *ob)
{
	bool timed = ob->type != GEN_EVENT;
	bool streams = ob->type == GEN_GENERATION && ob->level != GEN_ERROR;

	if (streams)
		gen_out_time(o, ob->start + ob->first_token);
	else
		gen_out_null(o);
	if (timed)
		gen_out_int(o, ob->duration);
	else
		gen_out_null(o);
	if (streams)
		gen_out_int(o, ob->first_token);
	else
		gen_out_null(o);
}

static void
out_observation(GenOut *o, const GenTrace *t, int i)
{
	const GenObservation *ob = &t->observations[i];
	int64_t end = ob->start + ob->duration;
	char text[256];

	gen_out_text(o, text, (size_t) (gen_put_observation_id(text, t, i) - text));
	gen_out_text(o, text, (size_t) (gen_put_trace_id(text, t) - text));
	gen_out_uuid(o, t->project->id);
	gen_out_string(o, type_names[ob->type]);
	out_built(o, text, ob->parent < 0 ? text : gen_put_observation_id(text, t, ob->parent));
	gen_out_time(o, ob->start);
	if (ob->type == GEN_EVENT)
		gen_out_null(o);
	else
		gen_out_time(o, end);
	gen_out_string(o, gen_observation_name(t, ob));
	gen_out_json(o, text, (size_t) (put_metadata(text, t, ob) - text));
	gen_out_string(o, level_names[ob->level]);
	gen_out_string_or_null(o, status_message(ob));
	gen_out_string_or_null(o, t->project->hash & 512 ? "v2" : NULL);
	out_built(o, input, gen_put_input(input, t, ob));
	out_built(o, output, gen_put_output(output, t, ob));
	out_model(o, t, ob);
	out_times(o, ob);
	out_prompt(o, t, ob);
	gen_out_time(o, ob->start + 30 + (int64_t) (ob->hash >> 58));
	gen_out_time(o, end + 600);
	gen_out_time(o, end + 600 + (int64_t) (ob->hash >> 56));
	gen_out_bool(o, false);
	gen_out_end_row(o);
}

/* All observations of a trace or none, as many traces as the quota asks for. */
void
gen_ai_observations(const GenWorld *w, GenOut *o)
{
	GenTraces *traces = gen_traces_open(w, w->options.parents);
	uint64_t rows = 0;

	for (uint64_t n = 1; rows < w->options.rows; n++)
	{
		GenTrace t;

		gen_traces_next(traces, &t);
		if (rows >= gen_quota(w, n))
			continue;
		for (int i = 0; i < t.count && rows < w->options.rows; i++, rows++)
			out_observation(o, &t, i);
	}
}

/* ---------- ai_scores ---------- */

typedef struct Score
{
	const char *name;
	const char *source;
	const char *data_type;
	const char *const *labels; /* of categories, the best first */
	int weight;
} Score;

static const char *const correctness[] = {"correct", "partially_correct", "incorrect"};
static const char *const sentiment[] = {"positive", "neutral", "negative"};
static const char *const verdicts[] = {"true", "false"};

static const Score scores[] = {{"helpfulness", "EVAL", "NUMERIC", NULL, 22},
							   {"relevance", "EVAL", "NUMERIC", NULL, 16},
							   {"hallucination", "EVAL", "NUMERIC", NULL, 13},
							   {"toxicity", "EVAL", "NUMERIC", NULL, 10},
							   {"user-feedback", "API", "BOOLEAN", verdicts, 14},
							   {"correctness", "ANNOTATION", "CATEGORICAL", correctness, 6},
							   {"sentiment", "EVAL", "CATEGORICAL", sentiment, 8},
							   {"conciseness", "EVAL", "NUMERIC", NULL, 5},
							   {"task-completed", "API", "BOOLEAN", verdicts, 4},
							   {"quality", "ANNOTATION", "NUMERIC", NULL, 2}};

static const Score *
draw_score(GenRand *r)
{
	const Score *s = scores;
	int pick = (int) gen_rand_below(r, 100);

	while (pick >= s->weight)
		pick -= s++->weight;
	return s;
}

/* Most scores are good; bad ones cluster at zero. */
static int64_t
draw_value(const Score *s, GenRand *r)
{
	int64_t a = gen_rand_range(r, 0, 1000000);
	int64_t b = gen_rand_range(r, 0, 1000000);

	if (s->labels != NULL)
		return 0;
	if (s->source[0] == 'A')
		return gen_rand_range(r, 1, 5) * 1000000;
	a = a > b ? a : b;
	if (strcmp(s->name, "toxicity") == 0 || strcmp(s->name, "hallucination") == 0)
		a = gen_rand_chance(r, 6000) ? 0 : 1000000 - a;
	return gen_rand_chance(r, 5000) ? a / 100000 * 100000 : a;
}

static void
out_score_value(GenOut *o, const Score *s, GenRand *r)
{
	if (s->labels == NULL)
	{
		gen_out_decimal(o, draw_value(s, r), 6);
		gen_out_null(o);
	}
	else
	{
		int kinds = s->labels == verdicts ? 2 : 3;
		int pick = gen_rand_chance(r, 7000) ? 0 : (int) gen_rand_below(r, (uint32_t) kinds);

		gen_out_decimal(o, (int64_t) (kinds - 1 - pick) * 1000000 / (kinds - 1), 6);
		gen_out_string(o, s->labels[pick]);
	}
}

/* The traces that came last; people comment on any of them, programs on the newest. */
static GenTrace recent[RECENT];

static const GenTrace *
draw_trace(const Score *s, const GenTrace *newest, GenRand *r)
{
	uint64_t back = gen_rand_below(r, RECENT);

	if (strcmp(s->source, "ANNOTATION") != 0 || back > newest->number)
		return newest;
	return &recent[(newest->number - back) % RECENT];
}

static void
out_score(const GenWorld *w, GenOut *o, const GenTrace *newest, int number)
{
	GenRand r = gen_rand(gen_hash(newest->hash, GEN_STREAM_SCORE), (uint64_t) number);
	GenUuid id = gen_uuid(gen_rand_next(&r));
	const Score *s = draw_score(&r);
	const GenTrace *t = draw_trace(s, newest, &r);
	GenTopic topic = gen_topic(t->talk);
	int64_t delay = gen_rand_lognormal_in(&r, 9 * GEN_SECOND, 65536, GEN_SECOND, 2 * GEN_MINUTE);
	int64_t time = gen_world_clamp(w, newest->time + newest->latency + delay);
	bool comments = s->source[0] == 'A' && gen_rand_chance(&r, 3000);
	char text[1024];

	gen_out_text(o, text, (size_t) (gen_put_uuid(text, id) - text));
	gen_out_uuid(o, t->project->id);
	gen_out_text(o, text, (size_t) (gen_put_trace_id(text, t) - text));
	out_built(o, text, gen_rand_chance(&r, 4000) ? gen_put_observation_id(text, t, 0) : text);
	gen_out_string(o, s->name);
	out_score_value(o, s, &r);
	gen_out_string(o, s->source);
	out_built(o, text, comments ? gen_put_sentence(text, &r, &topic) : text);
	gen_out_string(o, s->data_type);
	if (s->source[0] == 'E')
		out_built(
			o, text,
			gen_put_uuid(text, gen_uuid(gen_hash(t->project->hash, (uint64_t) (s - scores)))));
	else
		gen_out_null(o);
	gen_out_time(o, time);
	gen_out_time(o, time);
	gen_out_time(o, time + gen_rand_range(&r, 1, 400));
	gen_out_bool(o, false);
	gen_out_end_row(o);
}

void
gen_ai_scores(const GenWorld *w, GenOut *o)
{
	GenTraces *traces = gen_traces_open(w, w->options.parents);
	uint64_t rows = 0;

	for (uint64_t n = 1; rows < w->options.rows; n++)
	{
		GenTrace *t = &recent[(n - 1) % RECENT];
		uint64_t quota = gen_quota(w, n);
		int natural;

		gen_traces_next(traces, t);
		natural = 1 + (int) (t->hash >> 62);
		for (int i = 0; i < MAX_SCORES && rows < quota && (i < natural || quota - rows > 8);
			 i++, rows++)
			out_score(w, o, t, i);
	}
}
