/*
 * generate_prompt.c
 *		Prompts and answers of a planned trace, as JSON text.
 */
#include "generate_prompt.h"

#include "generate_out.h"
#include "generate_words.h"

#define TOPICS 30  /* of a project */
#define CHUNKS 300 /* pieces of a project's documents */
#define CHUNK_BYTES 480

static const char *const trace_names[4][3] = {
	{"chat-completion", "support-chat", "assistant-turn"},
	{"rag-query", "docs-answer", "knowledge-search"},
	{"agent-run", "research-agent", "workflow-agent"},
	{"extract-fields", "summarize-document", "classify-ticket"}};

static const char *const tool_names[] = {"search_orders", "query_database", "fetch_url",
										 "run_python",    "list_files",     "send_email",
										 "get_weather",   "lookup_customer"};

/* ---------- names ---------- */

const char *
gen_trace_name(const GenTrace *t)
{
	return trace_names[t->kind][t->prompt % 3];
}

char *
gen_put_prompt_name(char *p, const GenTrace *t)
{
	GenRand r = gen_rand(t->project->hash, (uint64_t) t->prompt);

	p = gen_put(p, trace_names[t->kind][t->prompt % 3]);
	*p++ = '/';
	return gen_put_word(p, gen_word_draw(&r));
}

static const char *
tool_name(uint64_t hash)
{
	return tool_names[hash % (sizeof(tool_names) / sizeof(tool_names[0]))];
}

const char *
gen_observation_name(const GenTrace *t, const GenObservation *ob)
{
	static const char *const events[] = {"user-feedback", "cache-hit", "rate-limited",
										 "guardrail-passed"};

	if (ob->type == GEN_EVENT)
		return events[ob->hash & 3];
	if (ob->type == GEN_GENERATION)
		return t->kind == GEN_AGENT ? "plan-next-step" : "llm-call";
	switch (ob->role)
	{
		case GEN_ROLE_ROOT:
			return gen_trace_name(t);
		case GEN_ROLE_RETRIEVE:
			return "retrieve-documents";
		case GEN_ROLE_TOOL:
			return tool_name(ob->hash);
		default:
			return t->kind == GEN_RAG ? "rerank" : "validate-output";
	}
}

/* ---------- contents ---------- */

static GenTopic
talk_topic(const GenTrace *t)
{
	return gen_topic(gen_hash(t->project->hash, t->talk % TOPICS));
}

static char *
put_system(char *p, const GenTrace *t)
{
	GenRand r = gen_rand(gen_hash(t->project->hash, GEN_STREAM_PROMPT), (uint64_t) t->prompt);
	GenTopic topic = gen_topic(gen_hash(t->project->hash, 1000 + (uint64_t) t->prompt));

	p = gen_put(gen_put(gen_put(p, "You are the assistant of "), t->project->brand), ". ");
	return gen_put_document(p, &r, &topic, t->system_bytes - 40, 0);
}

static char *
put_chunk(char *p, const GenTrace *t, uint32_t chunk)
{
	GenRand r = gen_rand(gen_hash(t->project->hash, GEN_STREAM_PROMPT), 1000 + chunk);
	GenTopic topic = gen_topic(gen_hash(t->project->hash, chunk % TOPICS));

	return gen_put_document(p, &r, &topic, CHUNK_BYTES, 0);
}

static char *
put_context(char *p, const GenTrace *t, GenRand *r, const GenTopic *topic, int bytes)
{
	char *limit = p + bytes - 200;
	int n = 1;

	p = gen_put(p, "Answer the question with the help of these documents.\\n\\n");
	do
	{
		*p++ = '[';
		p = put_chunk(gen_put(gen_put_int(p, n++), "] "), t, gen_rand_skewed(r, CHUNKS));
		p = gen_put(p, "\\n\\n");
	} while (p < limit);
	return gen_put_sentence(gen_put(p, "Question: "), r, topic);
}

/* The content of message i, at most bytes long (and a little more). */
static char *
put_content(char *p, const GenTrace *t, int i, int bytes)
{
	GenRand r = gen_rand(t->talk, 100 + (uint64_t) i);
	GenTopic topic = talk_topic(t);
	bool asks = i % 2 == 0;

	if (t->message_bytes[i] < bytes)
		bytes = t->message_bytes[i];
	if (t->kind == GEN_AGENT && i > 0 && asks)
		return gen_put_records(p, &r, &topic, bytes);
	if (t->kind == GEN_RAG && asks)
		return put_context(p, t, &r, &topic, bytes);
	if (t->kind == GEN_EXTRACT && !asks && t->prompt % 3 == 0)
		return gen_put_records(p, &r, &topic, bytes);
	return gen_put_document(p, &r, &topic, bytes, asks && t->kind == GEN_CHAT);
}

static char *
put_tool_call(char *p, const GenTrace *t, int i)
{
	GenRand r = gen_rand(t->talk, 200 + (uint64_t) i);
	uint64_t hash = gen_rand_next(&r);

	p = gen_put_token(gen_put(p, ", \"tool_calls\": [{\"id\": \"call_"), hash, 24);
	p = gen_put(gen_put(p, "\", \"type\": \"function\", \"function\": {\"name\": \""),
				tool_name(hash >> 8));
	p = gen_put(p, "\", \"arguments\": \"{\\\"query\\\": \\\"");
	p = gen_put_slug(p, &r, 3);
	p = gen_put_int(gen_put(p, "\\\", \\\"limit\\\": "), gen_rand_range(&r, 1, 50));
	return gen_put(p, "}\"}}]");
}

/* Message i as an object with role and content. */
static char *
put_message(char *p, const GenTrace *t, int i)
{
	bool asks = i % 2 == 0;
	bool tools = t->kind == GEN_AGENT;

	p = gen_put(p, !asks            ? "{\"role\": \"assistant\", \"content\": \""
				   : tools && i > 0 ? "{\"role\": \"tool\", \"content\": \""
									: "{\"role\": \"user\", \"content\": \"");
	p = put_content(p, t, i, GEN_MAX_PROMPT);
	*p++ = '"';
	if (tools && !asks && i + 1 < t->messages)
		p = put_tool_call(p, t, i);
	*p++ = '}';
	return p;
}

static char *
put_messages(char *p, const GenTrace *t, const GenObservation *ob)
{
	p = put_system(gen_put(p, "[{\"role\": \"system\", \"content\": \""), t);
	p = gen_put(p, "\"}");
	for (int i = ob->first_message; i < ob->step; i++)
		p = put_message(gen_put(p, ", "), t, i);
	*p++ = ']';
	return p;
}

/* ---------- spans ---------- */

static char *
put_documents(char *p, const GenTrace *t, const GenObservation *ob)
{
	GenRand r = gen_rand(ob->hash, 2);
	int n = 2 + (int) gen_rand_below(&r, 4);
	int64_t score = 9900;

	p = gen_put(p, "{\"documents\": [");
	for (int i = 0; i < n; i++)
	{
		uint32_t chunk = gen_rand_skewed(&r, CHUNKS);

		score -= gen_rand_range(&r, 10, 900);
		p = gen_put_int(gen_put(p, i > 0 ? ", {\"id\": \"doc-" : "{\"id\": \"doc-"), chunk);
		p = gen_put_decimal(gen_put(p, "\", \"score\": "), score, 4);
		if (ob->role == GEN_ROLE_RETRIEVE)
		{
			p = put_chunk(gen_put(p, ", \"text\": \""), t, chunk);
			*p++ = '"';
		}
		*p++ = '}';
	}
	return gen_put(p, "]}");
}

static char *
put_span_input(char *p, const GenTrace *t, const GenObservation *ob)
{
	GenRand r = gen_rand(ob->hash, 1);
	GenTopic topic = talk_topic(t);

	if (ob->role == GEN_ROLE_ROOT)
		return gen_put_question(p, t);
	p = gen_put(p, ob->role == GEN_ROLE_TOOL ? "{\"tool\": \"" : "{\"query\": \"");
	if (ob->role == GEN_ROLE_TOOL)
		p = gen_put(gen_put(p, tool_name(ob->hash)), "\", \"arguments\": {\"query\": \"");
	p = gen_put_sentence(p, &r, &topic);
	p = gen_put_int(gen_put(p, "\", \"limit\": "), gen_rand_range(&r, 3, 40));
	return gen_put(p, ob->role == GEN_ROLE_TOOL ? "}}" : "}");
}

static char *
put_span_output(char *p, const GenTrace *t, const GenObservation *ob)
{
	GenRand r = gen_rand(ob->hash, 2);
	GenTopic topic = talk_topic(t);

	if (ob->role == GEN_ROLE_ROOT)
		return gen_put_answer(p, t);
	if (ob->role == GEN_ROLE_TOOL)
	{
		p = gen_put(p, "{\"ok\": true, \"result\": \"");
		p = gen_put_records(p, &r, &topic, (int) gen_rand_lognormal_in(&r, 500, 65536, 60, 6000));
		return gen_put(p, "\"}");
	}
	if (t->kind == GEN_RAG)
		return put_documents(p, t, ob);
	p = gen_put(p, gen_rand_chance(&r, 9200) ? "{\"valid\": true" : "{\"valid\": false");
	p = gen_put_decimal(gen_put(p, ", \"confidence\": "), gen_rand_range(&r, 4000, 9999), 4);
	return gen_put(p, "}");
}

/* ---------- what the tables ask for ---------- */

char *
gen_put_input(char *p, const GenTrace *t, const GenObservation *ob)
{
	switch (ob->type)
	{
		case GEN_GENERATION:
			return put_messages(p, t, ob);
		case GEN_SPAN:
			return put_span_input(p, t, ob);
		default:
			return p;
	}
}

char *
gen_put_output(char *p, const GenTrace *t, const GenObservation *ob)
{
	if (ob->level == GEN_ERROR || ob->type == GEN_EVENT)
		return p;
	if (ob->type == GEN_GENERATION)
		return put_message(p, t, ob->step);
	return put_span_output(p, t, ob);
}

char *
gen_put_question(char *p, const GenTrace *t)
{
	int last = t->kind == GEN_CHAT ? t->messages - 2 : 0;

	p = put_content(gen_put(p, "{\"query\": \""), t, last, 900);
	return gen_put(p, "\"}");
}

char *
gen_put_answer(char *p, const GenTrace *t)
{
	p = put_content(gen_put(p, "{\"answer\": \""), t, t->messages - 1, 1200);
	return gen_put(p, "\"}");
}
