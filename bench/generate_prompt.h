/*
 * generate_prompt.h
 *		Prompts and answers of a planned trace, as JSON text.
 *
 * The buffers need GEN_PROMPT_ROOM bytes.  What repeats in reality repeats
 * here: system prompts of a project, documents of its corpus, the history of a
 * conversation.
 */
#ifndef GENERATE_PROMPT_H
#define GENERATE_PROMPT_H

#include "generate_trace.h"

#define GEN_PROMPT_ROOM (1 << 16)

/* Each returns the end of the text, or p itself when there is none (NULL). */
extern char *gen_put_input(char *p, const GenTrace *t, const GenObservation *ob);
extern char *gen_put_output(char *p, const GenTrace *t, const GenObservation *ob);

/* The question and the answer of the trace as a whole. */
extern char *gen_put_question(char *p, const GenTrace *t);
extern char *gen_put_answer(char *p, const GenTrace *t);

/* Names of things a project's application does. */
extern const char *gen_trace_name(const GenTrace *t);
extern const char *gen_observation_name(const GenTrace *t, const GenObservation *ob);
extern char *gen_put_prompt_name(char *p, const GenTrace *t);

#endif /* GENERATE_PROMPT_H */
