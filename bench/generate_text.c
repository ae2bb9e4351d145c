/*
 * generate_text.c
 *		Prose, lists, code, logs and tables.
 *
 * The aim is text that compresses as real text does: a Zipf vocabulary, words
 * of the topic that return, half of the words function words, numbers and ids
 * that do not compress.
 */
#include "generate_text.h"

#include "generate_out.h"
#include "generate_words.h"

#define NEWLINE "\\n"

GenTopic
gen_topic(uint64_t hash)
{
	GenRand r = gen_rand(hash, 0x746F706963);
	GenTopic topic;

	for (int i = 0; i < GEN_TOPIC_WORDS; i++)
	{
		if (i % 3 == 0)
			topic.words[i] = (uint16_t) gen_rand_below(&r, GEN_VOCABULARY);
		else
			topic.words[i] = (uint16_t) gen_alias_draw(&gen_content_zipf, &r);
	}
	return topic;
}

static const GenWord *
topic_word(GenRand *r, const GenTopic *topic)
{
	return &gen_content_words[topic->words[gen_rand_skewed(r, GEN_TOPIC_WORDS)]];
}

static const GenWord *
content_word(GenRand *r, const GenTopic *topic)
{
	return gen_rand_chance(r, 5000) ? topic_word(r, topic) : gen_word_draw(r);
}

/* A number, amount, date, version or id as they appear in running text. */
static char *
put_figure(char *p, GenRand *r)
{
	switch (gen_rand_below(r, 8))
	{
		case 0:
			return gen_put_number(p, (int64_t) gen_rand_lognormal(r, 4200, 2 << 16), 2);
		case 1:
			*p++ = '$';
			return gen_put_decimal(p, (int64_t) gen_rand_lognormal(r, 9900, 2 << 16), 2);
		case 2:
			p = gen_put_number(p, gen_rand_range(r, 1, 999), 1);
			*p++ = '%';
			return p;
		case 3:
			return gen_put_date(p, INT64_C(86400000) * gen_rand_range(r, 19700, 20800));
		case 4:
			*p++ = '#';
			return gen_put_int(p, gen_rand_range(r, 1000, 99999));
		default:
			return gen_put_int(p, gen_rand_range(r, 2, 60));
	}
}

static char *
put_running_word(char *p, GenRand *r, const GenTopic *topic)
{
	uint32_t pick = gen_rand_below(r, 100);

	if (pick < 46)
		return gen_put_word(p, &gen_function_words[gen_alias_draw(&gen_function_zipf, r)]);
	if (pick < 97)
		return gen_put_word(p, content_word(r, topic));
	if (pick < 98)
	{
		p = gen_put(p, "\\\"");
		p = gen_put_word(p, content_word(r, topic));
		return gen_put(p, "\\\"");
	}
	return put_figure(p, r);
}

char *
gen_put_sentence(char *p, GenRand *r, const GenTopic *topic)
{
	int words = 5 + (int) gen_rand_below(r, 9) + (int) gen_rand_below(r, 9);
	uint32_t end = gen_rand_below(r, 40);

	if (gen_rand_chance(r, 6000))
		p = gen_put_capital(p, &gen_function_words[gen_alias_draw(&gen_function_zipf, r)]);
	else
		p = gen_put_capital(p, content_word(r, topic));
	for (int i = 1; i < words; i++)
	{
		if (gen_rand_chance(r, 600))
			p = gen_put(p, gen_rand_chance(r, 1000) ? " \xE2\x80\x94" : ",");
		*p++ = ' ';
		p = put_running_word(p, r, topic);
	}
	if (end < 3)
		*p++ = '?';
	else if (end < 4)
		p = gen_put(p, "! \xF0\x9F\x9A\x80");
	else
		*p++ = end < 6 ? ':' : '.';
	return p;
}

static char *
put_paragraph(char *p, GenRand *r, const GenTopic *topic, int bytes)
{
	char *limit = p + bytes;
	int sentences = 1 + (int) gen_rand_below(r, 6);

	for (int i = 0; i < sentences && p < limit; i++)
	{
		if (i > 0)
			*p++ = ' ';
		p = gen_put_sentence(p, r, topic);
	}
	return p;
}

static char *
put_list(char *p, GenRand *r, const GenTopic *topic)
{
	int items = 2 + (int) gen_rand_below(r, 5);
	uint32_t style = gen_rand_below(r, 3);

	for (int i = 0; i < items; i++)
	{
		if (i > 0)
			p = gen_put(p, NEWLINE);
		if (style == 0)
			p = gen_put(gen_put_int(p, i + 1), ". ");
		else
			p = gen_put(p, "- ");
		if (style == 2)
		{
			p = gen_put_capital(gen_put(p, "**"), content_word(r, topic));
			p = gen_put(p, "**: ");
		}
		p = gen_put_sentence(p, r, topic);
		if (p[-1] != '.')
			*p++ = ';';
	}
	return p;
}

static char *
put_identifier(char *p, GenRand *r, const GenTopic *topic)
{
	p = gen_put_word(p, content_word(r, topic));
	*p++ = '_';
	return gen_put_word(p, topic_word(r, topic));
}

static char *
put_code_line(char *p, GenRand *r, const GenTopic *topic)
{
	switch (gen_rand_below(r, 5))
	{
		case 0:
			p = gen_put_word(gen_put(p, "    if "), topic_word(r, topic));
			p = gen_put_int(gen_put(p, " > "), gen_rand_range(r, 0, 500));
			return gen_put(p, ":" NEWLINE "        continue");
		case 1:
			p = put_identifier(gen_put(p, "    "), r, topic);
			p = gen_put_word(gen_put(p, " = self."), topic_word(r, topic));
			p = gen_put_word(gen_put(p, ".get(\\\""), content_word(r, topic));
			return gen_put(p, "\\\", None)");
		case 2:
			p = gen_put_word(gen_put(p, "    for "), topic_word(r, topic));
			p = put_identifier(gen_put(p, " in "), r, topic);
			return gen_put(p, ":");
		case 3:
			p = gen_put_sentence(gen_put(p, "    # "), r, topic);
			return p;
		default:
			p = put_identifier(gen_put(p, "    await "), r, topic);
			p = gen_put_word(gen_put(p, "("), topic_word(r, topic));
			p = gen_put_int(gen_put(p, ", timeout="), gen_rand_range(r, 1, 120));
			return gen_put(p, ")");
	}
}

static char *
put_code(char *p, GenRand *r, const GenTopic *topic)
{
	int lines = 2 + (int) gen_rand_below(r, 6);

	p = put_identifier(gen_put(p, "```python" NEWLINE "def "), r, topic);
	p = gen_put_word(gen_put(p, "(self, "), topic_word(r, topic));
	p = gen_put(p, "):" NEWLINE);
	for (int i = 0; i < lines; i++)
		p = gen_put(put_code_line(p, r, topic), NEWLINE);
	p = gen_put_word(gen_put(p, "    return "), topic_word(r, topic));
	return gen_put(p, NEWLINE "```");
}

static char *
put_object(char *p, GenRand *r, const GenTopic *topic)
{
	int fields = 2 + (int) gen_rand_below(r, 4);

	p = gen_put_hex(gen_put(p, "{\\\"id\\\": \\\""), gen_rand_next(r), 12);
	p = gen_put(p, "\\\"");
	for (int i = 0; i < fields; i++)
	{
		p = gen_put_word(gen_put(p, ", \\\""), topic_word(r, topic));
		p = gen_put(p, "\\\": ");
		if (gen_rand_chance(r, 5000))
			p = gen_put_number(p, (int64_t) gen_rand_lognormal(r, 5000, 3 << 16), 2);
		else
		{
			p = gen_put_word(gen_put(p, "\\\""), content_word(r, topic));
			p = gen_put(p, "\\\"");
		}
	}
	return gen_put(p, "}");
}

static char *
put_log(char *p, GenRand *r, const GenTopic *topic)
{
	static const char *const levels[] = {" INFO ", " INFO ", " WARN ", " ERROR "};
	int64_t ms = INT64_C(1780000000000) + (int64_t) (gen_rand_next(r) % UINT64_C(20000000000));
	int lines = 2 + (int) gen_rand_below(r, 4);

	for (int i = 0; i < lines; i++)
	{
		if (i > 0)
			p = gen_put(p, NEWLINE);
		p = gen_put_time(p, ms);
		ms += gen_rand_range(r, 1, 9000);
		p = gen_put(p, levels[gen_rand_below(r, 4)]);
		p = gen_put(put_identifier(p, r, topic), " request=");
		p = gen_put_hex(p, gen_rand_next(r), 16);
		p = gen_put_int(gen_put(p, " duration_ms="), (int64_t) gen_rand_lognormal(r, 80, 2 << 16));
	}
	return p;
}

static char *
put_table(char *p, GenRand *r, const GenTopic *topic)
{
	int columns = 2 + (int) gen_rand_below(r, 3);
	int rows = 2 + (int) gen_rand_below(r, 5);

	for (int row = -1; row < rows; row++)
	{
		for (int c = 0; c < columns; c++)
		{
			p = gen_put(p, "| ");
			if (row < 0 || c == 0)
				p = gen_put_word(p, content_word(r, topic));
			else
				p = gen_put_number(p, (int64_t) gen_rand_lognormal(r, 12000, 2 << 16), 2);
			*p++ = ' ';
		}
		p = gen_put(p, "|" NEWLINE);
		for (int c = 0; row < 0 && c < columns; c++)
			p = gen_put(p, c + 1 < columns ? "| --- " : "| --- |" NEWLINE);
	}
	return p;
}

char *
gen_put_document(char *p, GenRand *r, const GenTopic *topic, int bytes, int plain)
{
	char *limit = p + bytes;
	char *start = p;

	while (p < limit)
	{
		uint32_t kind = gen_rand_below(r, plain || p == start ? 60 : 100);
		int room = (int) (limit - p);

		if (p > start)
			p = gen_put(p, NEWLINE NEWLINE);
		if (kind < 60 || room < 300)
			p = put_paragraph(p, r, topic, room);
		else if (kind < 74)
			p = put_list(p, r, topic);
		else if (kind < 84)
			p = put_code(p, r, topic);
		else if (kind < 90)
			p = put_object(p, r, topic);
		else if (kind < 95)
			p = put_log(p, r, topic);
		else
			p = put_table(p, r, topic);
	}
	return p;
}

char *
gen_put_records(char *p, GenRand *r, const GenTopic *topic, int bytes)
{
	char *limit = p + bytes;

	*p++ = '[';
	do
	{
		if (p[-1] != '[')
			p = gen_put(p, ", ");
		p = put_object(p, r, topic);
	} while (p < limit);
	*p++ = ']';
	return p;
}
