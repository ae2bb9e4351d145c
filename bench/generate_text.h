/*
 * generate_text.h
 *		Prose, lists, code, logs and tables, as people and models write them.
 *
 * All text comes out ready to stand inside a JSON string: line ends and quotes
 * are already escaped.  It depends on the stream and the topic only.
 */
#ifndef GENERATE_TEXT_H
#define GENERATE_TEXT_H

#include <stdint.h>

#include "generate_rand.h"

#define GEN_TOPIC_WORDS 48

/* Words that a document returns to. */
typedef struct GenTopic
{
	uint16_t words[GEN_TOPIC_WORDS];
} GenTopic;

extern GenTopic gen_topic(uint64_t hash);

/* One sentence with its full stop. */
extern char *gen_put_sentence(char *p, GenRand *r, const GenTopic *topic);

/*
 * Paragraphs until about that many bytes are written (at most 2048 more).
 * plain: prose only.
 */
extern char *gen_put_document(char *p, GenRand *r, const GenTopic *topic, int bytes, int plain);

/* A list of small objects, as tools return them; as long as a document. */
extern char *gen_put_records(char *p, GenRand *r, const GenTopic *topic, int bytes);

#endif /* GENERATE_TEXT_H */
