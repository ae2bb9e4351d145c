/*
 * expr/vexpr_like.c
 *	  LIKE and starts_with() with a constant pattern, for deterministic collations.
 *
 * Patterns of literal text with % at the ends only are found by searching; the others go through a matcher that is
 * MatchText() of PostgreSQL's like_match.c.
 */
#include "encoding/clones.h"
#include "expr/vexpr_node.h"

typedef enum Shape
{
	SHAPE_EXACT,    /* abc */
	SHAPE_PREFIX,   /* abc% */
	SHAPE_SUFFIX,   /* %abc */
	SHAPE_CONTAINS, /* %abc% */
	SHAPE_GENERAL
} Shape;

typedef struct Pattern
{
	Shape shape;
	HzString literal; /* without the % at its ends */
	HzString whole;
	bool utf8;
} Pattern;

static void
analyse(HzString whole, bool utf8, Pattern *pattern)
{
	bool front = whole.length > 0 && whole.data[0] == '%';
	bool back = whole.length > front && whole.data[whole.length - 1] == '%';

	pattern->whole = whole;
	pattern->utf8 = utf8;
	pattern->literal =
		(HzString){.data = whole.data + front, .length = whole.length - front - back};
	pattern->shape = front && back ? SHAPE_CONTAINS
					 : front       ? SHAPE_SUFFIX
					 : back        ? SHAPE_PREFIX
								   : SHAPE_EXACT;
	for (uint64_t i = 0; i < pattern->literal.length; i++)
	{
		uint8_t c = pattern->literal.data[i];

		if (c == '%' || c == '_' || c == '\\')
			pattern->shape = SHAPE_GENERAL;
	}
}

/* ---- the general matcher */

#define LIKE_TRUE 1
#define LIKE_FALSE 0
#define LIKE_ABORT (-1) /* the text is too short for any match further on */
#define LIKE_ERROR (-2) /* the pattern ends with an escape character */

typedef struct Cursor
{
	const uint8_t *at;
	const uint8_t *end;
	bool utf8;
} Cursor;

static inline void
next_char(Cursor *c)
{
	c->at++;
	if (c->utf8)
		while (c->at < c->end && (*c->at & 0xC0) == 0x80)
			c->at++;
}

/* Moves to where the first literal character of p stands; false: nowhere. */
static bool
seek_first(Cursor *t, const Cursor *p)
{
	uint8_t first = *p->at == '\\' ? p->at[1] : *p->at;

	while (t->at < t->end && *t->at != first)
		next_char(t);
	return t->at < t->end;
}

/*
 * Behind a %: skips what else is wild, and moves to the first place where the rest may match. LIKE_FALSE: try there;
 * all else is the answer.
 */
static int
skip_wild(Cursor *t, Cursor *p)
{
	for (p->at++; p->at < p->end && (*p->at == '%' || *p->at == '_'); p->at++)
	{
		if (*p->at == '%')
			continue;
		if (t->at >= t->end)
			return LIKE_ABORT;
		next_char(t);
	}
	if (p->at >= p->end)
		return LIKE_TRUE;
	if (*p->at == '\\' && p->at + 1 >= p->end)
		return LIKE_ERROR;
	return seek_first(t, p) ? LIKE_FALSE : LIKE_ABORT;
}

/* Up to the next %: LIKE_TRUE: one is there, LIKE_FALSE: no match here. */
static int
match_literal(Cursor *t, Cursor *p)
{
	while (t->at < t->end && p->at < p->end && *p->at != '%')
	{
		if (*p->at == '_')
		{
			next_char(t);
			p->at++;
			continue;
		}
		if (*p->at == '\\' && ++p->at >= p->end)
			return LIKE_ERROR;
		if (*p->at != *t->at)
			return LIKE_FALSE;
		t->at++;
		p->at++;
	}
	if (t->at < t->end)
		return p->at < p->end ? LIKE_TRUE : LIKE_FALSE;
	while (p->at < p->end && *p->at == '%')
		p->at++;
	return p->at >= p->end ? LIKE_TRUE : LIKE_ABORT;
}

/*
 * MatchText() recurses at every %, but what it finds behind the last one is final: either it matches, or no
 * earlier % could help. So one place to return to is enough.
 */
static int
match(Cursor t, Cursor p)
{
	Cursor again_t = t;
	Cursor again_p = p;
	bool again = false;

	for (;;)
	{
		int matched = match_literal(&t, &p);

		if (matched == LIKE_FALSE && again)
		{
			t = again_t;
			p = again_p;
			next_char(&t);
			if (!seek_first(&t, &p))
				return LIKE_ABORT;
		}
		else if (matched == LIKE_TRUE && p.at < p.end)
		{
			matched = skip_wild(&t, &p);
			if (matched != LIKE_FALSE)
				return matched;
			again = true;
		}
		else
			return matched;
		again_t = t;
		again_p = p;
	}
}

/* ---- all shapes */

static inline bool
same(const uint8_t *a, const uint8_t *b, uint64_t length)
{
	return length == 0 || memcmp(a, b, length) == 0;
}

#define PLACES 32 /* that are tried at once */

typedef uint8_t Bytes __attribute__((vector_size(PLACES), aligned(1), may_alias));
typedef int64_t Words __attribute__((vector_size(PLACES)));

/* Whether p stands at one of the places from `at` on, which are all within its string. first, last: its bytes, many times. */
HZ_INLINE bool
at_places(const uint8_t *at, HzString p, const Bytes *first, const Bytes *last)
{
	Bytes same =
		(Bytes) ((*(const Bytes *) at == *first) & (*(const Bytes *) (at + p.length - 1) == *last));
	Words words = (Words) same;

	if (__builtin_expect((words[0] | words[1] | words[2] | words[3]) == 0, 1))
		return false;
	for (unsigned i = 0; i < PLACES; i++)
		if (same[i] != 0 && memcmp(at + i, p.data, p.length) == 0)
			return true;
	return false;
}

/* Whether p, not empty, stands anywhere in s: many places at a time are tried by first and last byte, the last ones again. */
static HZ_CLONES bool
contains(HzString s, HzString p)
{
	uint64_t places = s.length - p.length + 1;
	Bytes first = p.data[0] - (Bytes){0};
	Bytes last = p.data[p.length - 1] - (Bytes){0};
	uint64_t i = 0;

	if (s.length < p.length)
		return false;
	for (; i + PLACES <= places; i += PLACES)
		if (at_places(s.data + i, p, &first, &last))
			return true;
	if (i == places)
		return false;
	if (places >= PLACES)
		return at_places(s.data + places - PLACES, p, &first, &last);
	for (; i < places; i++)
		if (s.data[i] == p.data[0] && memcmp(s.data + i, p.data, p.length) == 0)
			return true;
	return false;
}

static int
matches(const Pattern *pattern, HzString s)
{
	HzString p = pattern->literal;

	switch (pattern->shape)
	{
		case SHAPE_EXACT:
			return s.length == p.length && same(s.data, p.data, p.length);
		case SHAPE_PREFIX:
			return s.length >= p.length && same(s.data, p.data, p.length);
		case SHAPE_SUFFIX:
			return s.length >= p.length && same(s.data + s.length - p.length, p.data, p.length);
		case SHAPE_CONTAINS:
			return p.length == 0 || contains(s, p);
		default:
			return match((Cursor){s.data, s.data + s.length, pattern->utf8},
						 (Cursor){pattern->whole.data, pattern->whole.data + pattern->whole.length,
								  pattern->utf8});
	}
}

static bool
like_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows, HzLane *lane)
{
	HzString constant = *(const HzString *) expr->args[1]->constant.values;
	uint8_t *mask = lane->values;
	Pattern pattern;

	if (expr->op == 2)
		pattern = (Pattern){.shape = SHAPE_PREFIX, .literal = constant};
	else
		analyse(constant, expr->number != 0, &pattern);
	for (uint32_t i = 0; i < rows->count; i++)
	{
		uint32_t row = hz_rows_at(rows, i);
		int matched = matches(&pattern, ((const HzString *) in->values)[row]);

		if (matched == LIKE_ERROR && hz_vector_valid(in, row))
			return hz_eval_fail(eval, HZ_EVAL_LIKE_ESCAPE);
		mask[row] = (matched == LIKE_TRUE) != (expr->op == 1);
	}
	return true;
}

bool
hz_vexpr_like_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	if (expr->args[1]->constant.validity != NULL)
		return hz_eval_null_constant(eval, expr, rows, out);
	return hz_eval_map_arg(eval, expr, like_kernel, rows, out);
}
