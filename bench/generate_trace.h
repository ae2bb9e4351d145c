/*
 * generate_trace.h
 *		What a trace of an AI application consists of, before any text is written.
 *
 * ai_traces, ai_observations and ai_scores make the same plans and therefore
 * agree: ids, tokens, costs, times.  A trace depends on the seed and its
 * number; its time also on the number of rows of ai_traces.
 */
#ifndef GENERATE_TRACE_H
#define GENERATE_TRACE_H

#include <stdint.h>

#include "generate_model.h"
#include "generate_text.h"
#include "generate_world.h"

#define GEN_MAX_OBSERVATIONS 24
#define GEN_MAX_MESSAGES 24
#define GEN_MAX_PROMPT 19500 /* bytes */

typedef enum GenTraceKind
{
	GEN_CHAT,   /* a turn of a conversation */
	GEN_RAG,    /* retrieve documents, then answer */
	GEN_AGENT,  /* steps of thinking and tools */
	GEN_EXTRACT /* a document into fields or a summary */
} GenTraceKind;

typedef enum GenObservationType
{
	GEN_GENERATION,
	GEN_SPAN,
	GEN_EVENT
} GenObservationType;

typedef enum GenSpanRole
{
	GEN_ROLE_ROOT,
	GEN_ROLE_RETRIEVE,
	GEN_ROLE_TOOL,
	GEN_ROLE_CHECK
} GenSpanRole;

typedef enum GenLevel
{
	GEN_DEBUG,
	GEN_INFO,
	GEN_WARNING,
	GEN_ERROR
} GenLevel;

typedef struct GenObservation
{
	GenObservationType type;
	GenSpanRole role; /* of spans */
	GenLevel level;
	int parent; /* its number in the trace, -1 for none */
	int step;   /* generations: how many messages they read */
	uint64_t hash;
	int64_t start;    /* ms since 1970 */
	int64_t duration; /* ms */
	/* Generations only: */
	const GenModel *model;
	int first_message;   /* older ones did not fit */
	int64_t first_token; /* ms from start */
	int64_t prompt_tokens;
	int64_t completion_tokens;
	int64_t cached_tokens;
	int64_t input_cost; /* 1e-12 dollars */
	int64_t output_cost;
} GenObservation;

typedef struct GenTrace
{
	uint64_t number;
	uint64_t hash;
	uint64_t session; /* hash of the conversation */
	uint64_t talk;    /* hash that the messages depend on */
	const GenProject *project;
	GenTraceKind kind;
	int64_t time;
	int64_t latency; /* ms */
	int64_t cost;    /* 1e-12 dollars */
	uint32_t user;
	bool has_user;
	bool has_session;
	int prompt; /* number of the system prompt of the project */
	int prompt_version;
	int system_bytes;
	int message_bytes[GEN_MAX_MESSAGES]; /* user first, then answer, by turns */
	int messages;                        /* the last one is the final answer */
	int count;
	GenObservation observations[GEN_MAX_OBSERVATIONS];
} GenTrace;

typedef struct GenTraces GenTraces;

/* rows: of ai_traces as a whole; the stream itself does not end. */
extern GenTraces *gen_traces_open(const GenWorld *w, uint64_t rows);

/* The next trace, in the order of arrival. */
extern void gen_traces_next(GenTraces *s, GenTrace *t);

/* Ids; each project has its own form of them. */
extern char *gen_put_trace_id(char *p, const GenTrace *t);
extern char *gen_put_observation_id(char *p, const GenTrace *t, int observation);

#endif /* GENERATE_TRACE_H */
