/*
 * generate_trace.c
 *		What a trace of an AI application consists of.
 */
#include "generate_trace.h"

#include <string.h>

#define OCTAVE 65536
#define BYTES_PER_TOKEN 42 /* tenths */

struct GenTraces
{
	const GenWorld *world;
	GenPopularity popularity;
	uint32_t *rank; /* of projects */
	uint64_t *seen; /* traces so far, by project */
	uint64_t rows;
	uint64_t number;
};

GenTraces *
gen_traces_open(const GenWorld *w, uint64_t rows)
{
	GenTraces *s = gen_alloc(sizeof(GenTraces));
	uint32_t projects = w->options.projects;

	memset(s, 0, sizeof(*s));
	s->world = w;
	s->rows = rows;
	s->popularity = gen_popularity(w, GEN_STREAM_TRACE, GEN_ANY_TYPE);
	s->seen = gen_alloc(projects * sizeof(uint64_t));
	memset(s->seen, 0, projects * sizeof(uint64_t));
	s->rank = gen_alloc(projects * sizeof(uint32_t));
	for (uint32_t i = 0; i < s->popularity.count; i++)
		s->rank[s->popularity.projects[i]] = i;
	gen_models_init();
	return s;
}

/* ---------- ids ---------- */

char *
gen_put_trace_id(char *p, const GenTrace *t)
{
	switch ((t->project->hash >> 12) % 3)
	{
		case 0:
			return gen_put_uuid(p, gen_uuid(t->hash));
		case 1:
			return gen_put_hex(gen_put_hex(p, t->hash, 16), gen_mix64(t->hash + 1), 16);
		default:
			return gen_put_token(gen_put(p, "tr_"), t->hash, 20);
	}
}

char *
gen_put_observation_id(char *p, const GenTrace *t, int observation)
{
	uint64_t hash = t->observations[observation].hash;

	switch ((t->project->hash >> 12) % 3)
	{
		case 0:
			return gen_put_uuid(p, gen_uuid(hash));
		case 1:
			return gen_put_hex(p, hash, 16);
		default:
			return gen_put_token(gen_put(p, "ob_"), hash, 20);
	}
}

/* ---------- messages ---------- */

/* Lengths of a conversation's messages; they depend on the conversation only. */
static void
plan_messages(GenTrace *t, int count)
{
	GenRand r = gen_rand(t->talk, 1);
	int prompt_bytes = (int) (gen_mix64(t->project->hash + (uint64_t) t->prompt) % 700);

	t->system_bytes = (t->kind == GEN_AGENT ? 500 : 250) + prompt_bytes;
	t->messages = count;
	for (int i = 0; i < count; i++)
	{
		bool asks = i % 2 == 0;
		int64_t bytes;

		if (t->kind == GEN_AGENT && i > 0)
			bytes = asks ? gen_rand_lognormal_in(&r, 420, OCTAVE, 120, 6000)
						 : gen_rand_lognormal_in(&r, 500, OCTAVE / 2, 420, 4000);
		else if (!asks)
			bytes = gen_rand_lognormal_in(&r, 1700, OCTAVE * 5 / 4, 480, 19000);
		else if (t->kind == GEN_EXTRACT)
			bytes = gen_rand_lognormal_in(&r, 1600, OCTAVE * 5 / 4, 300, 18000);
		else if (t->kind == GEN_RAG)
			bytes = gen_rand_lognormal_in(&r, 1500, OCTAVE, 500, 17000);
		else
			bytes = gen_rand_lognormal_in(&r, 320, OCTAVE * 5 / 4, 200, 9000);
		t->message_bytes[i] = (int) bytes;
	}
}

/* The prompt of a generation holds the newest messages that fit. */
static int
fit_prompt(const GenTrace *t, GenObservation *ob)
{
	int bytes = t->system_bytes;
	int i = ob->step;

	while (i > 0 && (i == ob->step || bytes + t->message_bytes[i - 1] < GEN_MAX_PROMPT))
		bytes += t->message_bytes[--i] + 36;
	ob->first_message = i;
	return bytes;
}

/* ---------- observations ---------- */

static GenObservation *
add_observation(GenTrace *t, GenObservationType type, int parent, int64_t start, GenRand *r)
{
	static const uint16_t per_10000[] = {400, 9310, 200, 90};
	GenObservation *ob = &t->observations[t->count];
	uint32_t pick = gen_rand_below(r, 10000);

	memset(ob, 0, sizeof(*ob));
	ob->type = type;
	ob->parent = parent;
	ob->start = start;
	ob->hash = gen_hash(t->hash, (uint64_t) t->count + 1);
	while (pick >= per_10000[ob->level])
		pick -= per_10000[ob->level++];
	t->count++;
	return ob;
}

/* Adds a call of a model that reads step messages; returns when it ends. */
static int64_t
add_generation(GenTrace *t, int parent, int64_t start, int step, GenRand *r)
{
	GenObservation *ob = add_observation(t, GEN_GENERATION, parent, start, r);
	const GenModel *m = gen_model_draw(t->project->hash, r);

	ob->step = step;
	ob->model = m;
	ob->prompt_tokens = fit_prompt(t, ob) * 10 / BYTES_PER_TOKEN + gen_rand_range(r, 4, 30);
	ob->first_token = gen_rand_lognormal_in(r, 380, OCTAVE, 90, 20000) + ob->prompt_tokens / 20;
	if (ob->level != GEN_ERROR)
		ob->completion_tokens =
			t->message_bytes[step] * 10 / BYTES_PER_TOKEN + gen_rand_range(r, 1, 12);
	if (gen_rand_chance(r, 2500))
		ob->cached_tokens = ob->prompt_tokens / 128 * 128 / 2;
	ob->duration =
		ob->first_token + ob->completion_tokens * gen_rand_range(r, 800, 1400) / m->speed;
	ob->input_cost = ob->prompt_tokens * m->input_price;
	ob->output_cost = ob->completion_tokens * m->output_price;
	t->cost += ob->input_cost + ob->output_cost;
	return start + ob->duration;
}

static int64_t
add_span(GenTrace *t, GenSpanRole role, int parent, int64_t start, int64_t median, GenRand *r)
{
	GenObservation *ob = add_observation(t, GEN_SPAN, parent, start, r);

	ob->role = role;
	ob->duration = gen_rand_lognormal_in(r, (uint64_t) median, OCTAVE, 1, 120000);
	return start + ob->duration;
}

static int64_t
plan_rag(GenTrace *t, int64_t now, GenRand *r)
{
	int64_t end;

	plan_messages(t, 2);
	end = add_span(t, GEN_ROLE_ROOT, -1, now, 5, r);
	end = add_span(t, GEN_ROLE_RETRIEVE, 0, end, 120, r);
	if (gen_rand_chance(r, 6000))
		end = add_span(t, GEN_ROLE_CHECK, 0, end, 60, r);
	end = add_generation(t, 0, end + 1, 1, r);
	if (gen_rand_chance(r, 4000))
		add_observation(t, GEN_EVENT, 0, end, r);
	return end;
}

static int64_t
plan_agent(GenTrace *t, int64_t now, GenRand *r)
{
	int steps = 1;
	int64_t end;

	while (steps < 9 && gen_rand_chance(r, 5000))
		steps++;
	plan_messages(t, 2 * steps + 2);
	end = add_span(t, GEN_ROLE_ROOT, -1, now, 8, r);
	for (int i = 0; i < steps; i++)
	{
		end = add_generation(t, 0, end + 2, 2 * i + 1, r);
		end = add_span(t, GEN_ROLE_TOOL, 0, end + 1, 300, r);
	}
	end = add_generation(t, 0, end + 2, 2 * steps + 1, r);
	if (gen_rand_chance(r, 5000))
		add_observation(t, GEN_EVENT, 0, end, r);
	return end;
}

static int64_t
plan_extract(GenTrace *t, int64_t now, GenRand *r)
{
	int64_t end;

	plan_messages(t, 2);
	end = add_generation(t, -1, now, 1, r);
	if (gen_rand_chance(r, 9000))
		end = add_span(t, GEN_ROLE_CHECK, 0, end + 1, 25, r);
	return end;
}

static int64_t
plan_chat(GenTrace *t, int64_t now, int turn, GenRand *r)
{
	int64_t end;

	plan_messages(t, 2 * turn + 2);
	end = add_generation(t, -1, now, 2 * turn + 1, r);
	if (gen_rand_chance(r, 6000))
		end = add_span(t, GEN_ROLE_CHECK, 0, end + 1, 40, r);
	if (gen_rand_chance(r, 2500))
		add_observation(t, GEN_EVENT, 0, end, r);
	return end;
}

/* Most traces of a project are of its own kind. */
static GenTraceKind
draw_kind(const GenTrace *t, GenRand *r)
{
	static const GenTraceKind kinds[] = {GEN_CHAT, GEN_CHAT,  GEN_CHAT,    GEN_RAG,
										 GEN_RAG,  GEN_AGENT, GEN_EXTRACT, GEN_EXTRACT};

	return kinds[gen_rand_chance(r, 4500) ? (t->project->hash >> 16) & 7 : gen_rand_below(r, 8)];
}

/*
 * Conversations of a project go on side by side, four at a time, for up to four
 * turns.  Returns the turn.
 */
static int
join_conversation(GenTrace *t, uint64_t seen)
{
	uint64_t slot = gen_hash(t->project->hash, seen / 16 * 4 + seen % 4);
	int turn = (int) (seen / 4 % 4);
	int length = 1 + (int) (slot % 3 * (slot >> 8 & 1)) + (int) (slot >> 60 == 0);

	t->session = gen_hash(slot, (uint64_t) (turn / length));
	return turn % length;
}

void
gen_traces_next(GenTraces *s, GenTrace *t)
{
	const GenWorld *w = s->world;
	GenRand r;
	int turn;
	int64_t end;
	uint32_t project;

	t->number = s->number++;
	t->hash = gen_world_hash(w, GEN_STREAM_TRACE, t->number);
	r = gen_rand(t->hash, 0);
	project = gen_popularity_at(&s->popularity, gen_rand_next(&r));
	t->project = &w->projects[project];
	t->time = gen_world_time(w, t->number, s->rows) - gen_rand_below(&r, 2500);
	if (gen_rand_chance(&r, 30))
		t->time -= gen_rand_lognormal_in(&r, 20 * GEN_MINUTE, 2 * OCTAVE, GEN_MINUTE, GEN_DAY);
	t->time = gen_world_clamp(w, t->time);
	t->kind = draw_kind(t, &r);
	turn = join_conversation(t, s->seen[project]++);
	t->talk = t->kind == GEN_CHAT ? t->session : gen_hash(t->session, t->hash);
	t->has_session = t->kind == GEN_CHAT ? gen_rand_chance(&r, 9500) : gen_rand_chance(&r, 4000);
	t->has_user = gen_rand_chance(&r, 8200);
	t->user = (uint32_t) (t->session % (50 + UINT64_C(200000) / (1 + s->rank[project]))) >>
			  (t->session >> 61);
	t->prompt = (int) t->kind * 3 + (int) gen_rand_skewed(&r, 4);
	t->prompt_version =
		1 + (int) ((t->time - w->options.start) / (11 * GEN_DAY)) + (int) (t->project->hash & 3);
	t->count = 0;
	t->cost = 0;
	switch (t->kind)
	{
		case GEN_RAG:
			end = plan_rag(t, t->time, &r);
			break;
		case GEN_AGENT:
			end = plan_agent(t, t->time, &r);
			break;
		case GEN_EXTRACT:
			end = plan_extract(t, t->time, &r);
			break;
		default:
			end = plan_chat(t, t->time, turn, &r);
			break;
	}
	t->latency = end - t->time + gen_rand_range(&r, 1, 15);
	if (t->observations[0].role == GEN_ROLE_ROOT && t->observations[0].type == GEN_SPAN)
		t->observations[0].duration = end - t->time;
}
