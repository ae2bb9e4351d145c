/*
 * generate_words.h
 *		The vocabulary of the row generator, and names made from it.
 *
 * The vocabulary is the same for every seed.  Content words are ordered by how
 * often they are drawn; the first few hundred are English, the others are made
 * from syllables.  Call gen_words_init() once.
 */
#ifndef GENERATE_WORDS_H
#define GENERATE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "generate_rand.h"

#define GEN_VOCABULARY 32768

/* A word of at most 15 bytes, so that 16 can be copied blindly. */
typedef struct GenWord
{
	char text[15];
	uint8_t length;
} GenWord;

extern GenWord gen_content_words[GEN_VOCABULARY];
extern GenWord gen_function_words[];
extern GenAlias gen_content_zipf;
extern GenAlias gen_function_zipf;

extern void gen_words_init(void);

/* Draw a content word by frequency; put one (the buffer needs 16 bytes). */
extern const GenWord *gen_word_draw(GenRand *r);
extern char *gen_put_word(char *p, const GenWord *w);
extern char *gen_put_capital(char *p, const GenWord *w);

/* words-joined-by-hyphens */
extern char *gen_put_slug(char *p, GenRand *r, int words);

/* "words-of-a-slug" as "Words of a Slug" */
extern char *gen_put_title(char *p, const char *slug, size_t n);

/* A company's name of one capitalised word that depends on the hash. */
extern char *gen_put_brand(char *p, uint64_t hash);

/* A person's login, "ada.moreau". */
extern char *gen_put_login(char *p, uint64_t hash);

#endif /* GENERATE_WORDS_H */
