/*
 * generate_words.c
 *		The vocabulary of the row generator, and names made from it.
 */
#include "generate_words.h"

#include <ctype.h>
#include <string.h>

#include "generate_out.h"

#define LENGTH(a) ((int) (sizeof(a) / sizeof((a)[0])))

static const char function_list[] =
	"the of to and a in is for that it with on as be are this you by or from can your at not have if an which will "
	"we has all was but when one more used also they any only may each other should such their into use these time "
	"there some no than how them then its been would what so do out our up about between after most both where over "
	"must same first while new does through because before per via within without under during since until very "
	"well two three next last many much even still just like make see get set need here now per using based given "
	"however therefore instead either again already always never often once several every less least own";

static const char content_list[] =
	"data model request user order customer value service system account message result product response table "
	"query index function return number name report page file code error test version project team price cost "
	"email address invoice payment field string object list key type status date week month year day hour minute "
	"event session metric source target input output token prompt context answer question document section "
	"summary example step issue ticket support policy refund shipping delivery contract meeting feature release "
	"deploy server cluster database storage memory network latency region account plan member "
	"review change update create delete check build run start stop load save send receive read write call open "
	"close add remove find search filter sort group join count total average limit range level rate score "
	"percent growth revenue budget market sales campaign channel audience content design layout button form "
	"image video link title header footer menu option setting default config flag parameter argument "
	"variable method class module package library interface client endpoint gateway proxy cache queue worker "
	"thread process task job schedule pipeline workflow agent tool action strategy goal risk decision analysis "
	"research study paper author language translation sentence paragraph word letter grammar tone style voice "
	"health patient doctor treatment energy power water climate travel flight hotel booking city country square "
	"school student teacher course lesson exam bank loan credit card interest balance tax insurance claim law "
	"court rule right security password login permission role access audit log trace alert incident backup "
	"recovery migration schema column row record transaction lock replica shard partition stream batch window "
	"kitchen recipe garden music film game player match season history science theory experiment theorem "
	"possible available important different specific general local remote public private current previous "
	"recent large small high low fast slow strong weak simple complex clear common rare correct wrong empty full "
	"please ensure consider provide include follow explain describe compare improve reduce increase avoid handle "
	"require contain depend allow prevent happen remain appear keep show give take work think know";

static const char first_names[] =
	"Ada Amir Ana Anton Aisha Ben Bruno Carla Chen Clara Daniel Daria David Elena Emil Emma Farah Felix Freya "
	"Grace Hana Hugo Ines Ivan Jack Jana Jonas Julia Kai Kenji Lara Leo Lina Luca Maria Max Mei Mila Nadia Noah "
	"Nora Olga Omar Oscar Paula Pedro Priya Rafael Rosa Ruth Sara Sofia Tariq Theo Tomas Uma Vera Victor Yuki Zoe";

static const char last_names[] =
	"Adams Almeida Andersen Bauer Becker Bell Bianchi Brooks Carter Castro Chang Cohen Costa Diaz Dubois Evans "
	"Fischer Fontaine Garcia Gupta Haas Hansen Hughes Ito Ivanov Jansen Kaur Keller Khan Kim Kowalski Kumar Laine "
	"Larsen Lee Lopez Martin Mehta Meyer Moreau Mori Nakamura Nguyen Novak Okafor Ortiz Park Patel Petrov Reyes "
	"Ricci Rossi Sato Schmidt Silva Singh Tanaka Torres Wagner Weber Wong Yilmaz Young Zhang";

/* Tables are drawn evenly, so what is frequent stands there often. */
static const char *const onsets[64] = {
	"b", "b", "c",  "c",  "c",  "c",  "d",  "d",  "d",  "d",  "f",  "f",  "f",  "g",  "g", "h",
	"h", "j", "k",  "l",  "l",  "l",  "l",  "m",  "m",  "m",  "m",  "n",  "n",  "n",  "p", "p",
	"p", "p", "r",  "r",  "r",  "r",  "s",  "s",  "s",  "s",  "s",  "t",  "t",  "t",  "t", "v",
	"v", "w", "br", "cl", "cr", "dr", "fl", "gr", "pl", "pr", "sh", "st", "tr", "ch", "",  ""};
static const char *const nuclei[32] = {"a", "a", "a", "a", "a",  "a",  "e",  "e",  "e", "e", "e",
									   "e", "e", "i", "i", "i",  "i",  "i",  "o",  "o", "o", "o",
									   "o", "u", "u", "u", "ea", "ou", "ai", "oo", "y", "io"};
static const char *const codas[32] = {"",   "",   "",   "",   "",   "",  "",   "",   "",  "n", "n",
									  "n",  "r",  "r",  "r",  "l",  "l", "s",  "s",  "t", "t", "m",
									  "nd", "nt", "ck", "st", "rt", "p", "ll", "ss", "d", "x"};
static const char *const suffixes[32] = {"",   "",     "",    "",     "",    "",   "",     "",
										 "",   "",     "",    "",     "s",   "s",  "s",    "s",
										 "e",  "e",    "ing", "ing",  "ed",  "ed", "er",   "er",
										 "ly", "tion", "al",  "ment", "ity", "ic", "able", "en"};

GenWord gen_content_words[GEN_VOCABULARY];
GenWord gen_function_words[256];
GenAlias gen_content_zipf;
GenAlias gen_function_zipf;

static GenWord first_name_words[128];
static GenWord last_name_words[128];
static int first_names_known;
static int last_names_known;

/* Split a list at its spaces; returns how many words there were. */
static int
split_words(const char *list, GenWord *words)
{
	int count = 0;

	while (*list != '\0')
	{
		size_t n = strcspn(list, " ");

		memcpy(words[count].text, list, n);
		words[count].length = (uint8_t) n;
		count++;
		list += n + (list[n] == ' ');
	}
	return count;
}

static char *
put_syllable(char *p, uint64_t bits, bool closed)
{
	p = gen_put(p, onsets[bits & 63]);
	p = gen_put(p, nuclei[(bits >> 6) & 31]);
	return closed ? gen_put(p, codas[(bits >> 11) & 31]) : p;
}

static GenWord
make_word(uint64_t hash, int syllables)
{
	char text[64];
	char *p = text;
	GenWord w;

	for (int i = 0; i < syllables; i++)
		p = put_syllable(p, hash >> (16 * i), i + 1 == syllables);
	p = gen_put(p, suffixes[hash >> 59]);
	memset(&w, 0, sizeof(w));
	w.length = (uint8_t) (p - text > 14 ? 14 : p - text);
	memcpy(w.text, text, w.length);
	return w;
}

/* Fill the vocabulary after the English words with unique made-up ones. */
static void
make_vocabulary(int known)
{
	static uint16_t seen[4 * GEN_VOCABULARY];
	uint64_t counter = 0;

	while (known < GEN_VOCABULARY)
	{
		uint64_t hash = gen_hash(UINT64_C(0x766F636162), counter++);
		GenWord w = make_word(hash, known < 1500 ? 1 + (int) (hash >> 48) % 2
												 : 2 + (int) ((hash >> 48) % 5 == 0));
		uint64_t slot = 0;

		if (w.length < 3)
			continue;
		for (int i = 0; i < w.length; i++)
			slot = slot * 31 + (unsigned char) w.text[i];
		slot = gen_mix64(slot) % LENGTH(seen);
		while (seen[slot] != 0 && memcmp(&gen_content_words[seen[slot]], &w, sizeof(w)) != 0)
			slot = (slot + 1) % LENGTH(seen);
		if (seen[slot] != 0)
			continue;
		seen[slot] = (uint16_t) known;
		gen_content_words[known++] = w;
	}
}

void
gen_words_init(void)
{
	int functions = split_words(function_list, gen_function_words);

	make_vocabulary(split_words(content_list, gen_content_words));
	gen_content_zipf = gen_zipf(GEN_VOCABULARY, 62259);        /* exponent 0.95 */
	gen_function_zipf = gen_zipf((uint32_t) functions, 58982); /* 0.90 */
	first_names_known = split_words(first_names, first_name_words);
	last_names_known = split_words(last_names, last_name_words);
}

const GenWord *
gen_word_draw(GenRand *r)
{
	return &gen_content_words[gen_alias_draw(&gen_content_zipf, r)];
}

char *
gen_put_word(char *p, const GenWord *w)
{
	memcpy(p, w->text, sizeof(w->text));
	return p + w->length;
}

char *
gen_put_capital(char *p, const GenWord *w)
{
	char *end = gen_put_word(p, w);

	*p = (char) toupper((unsigned char) *p);
	return end;
}

char *
gen_put_slug(char *p, GenRand *r, int words)
{
	for (int i = 0; i < words; i++)
	{
		if (i > 0)
			*p++ = '-';
		if (i > 0 && i + 1 < words && gen_rand_chance(r, 3000))
			p = gen_put_word(p, &gen_function_words[gen_alias_draw(&gen_function_zipf, r)]);
		else
			p = gen_put_word(p, gen_word_draw(r));
	}
	return p;
}

/* Short words stay small, except the first: a rule good enough for titles. */
char *
gen_put_title(char *p, const char *slug, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i <= n; i++)
	{
		if (i < n && slug[i] != '-' && slug[i] != '/')
			continue;
		if (i > start)
		{
			if (start > 0)
				*p++ = ' ';
			memcpy(p, slug + start, i - start);
			if (start == 0 || i - start > 3)
				*p = (char) toupper((unsigned char) *p);
			p += i - start;
		}
		start = i + 1;
	}
	return p;
}

char *
gen_put_brand(char *p, uint64_t hash)
{
	static const char *const endings[] = {"ora", "io",   "ly",  "ify", "ent",  "ex",   "is",  "on",
										  "ium", "ware", "lab", "hub", "base", "well", "ton", "a"};
	char *start = p;

	p = put_syllable(p, hash, false);
	p = put_syllable(p, hash >> 16, true);
	p = gen_put(p, endings[hash >> 60]);
	*start = (char) toupper((unsigned char) *start);
	return p;
}

static const GenWord *
first_name(uint64_t hash)
{
	return &first_name_words[gen_scale((uint32_t) hash, (uint32_t) first_names_known)];
}

static const GenWord *
last_name(uint64_t hash)
{
	return &last_name_words[gen_scale((uint32_t) (hash >> 32), (uint32_t) last_names_known)];
}

char *
gen_put_login(char *p, uint64_t hash)
{
	char *start = p;
	char *dot = gen_put_word(p, first_name(hash));

	p = gen_put_word(dot + 1, last_name(hash));
	*dot = '.';
	*start = (char) tolower((unsigned char) *start);
	dot[1] = (char) tolower((unsigned char) dot[1]);
	return p;
}
