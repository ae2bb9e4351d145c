/*
 * load/split.c
 *	  Where records end in a stream of bytes that comes in pieces.
 */
#include <string.h>

#include "load/split.h"

/* States of CSV: load/delimited.c reads fields by the same rules. */
enum
{
	FIELD_START,
	IN_PLAIN,
	IN_QUOTES,
	BEHIND_QUOTE, /* the end of the quotes, or the first of two */
};

void
hz_split_start(HzSplitter *splitter, HzFormat format, bool rejects, uint8_t delimiter)
{
	splitter->format = format;
	splitter->rejects = rejects;
	splitter->delimiter = delimiter;
	splitter->state = FIELD_START;
	splitter->start = 0;
	splitter->at = 0;
}

/* A line feed behind a backslash that is not escaped itself belongs to the value. */
static bool
is_escaped(const uint8_t *data, size_t start, size_t at)
{
	size_t backslashes = 0;

	while (at > start && data[at - 1] == '\\')
	{
		at--;
		backslashes++;
	}
	return backslashes % 2 == 1;
}

static size_t
next_line(HzSplitter *splitter, const uint8_t *data, size_t length)
{
	bool escapes = splitter->format == HZ_FORMAT_TSV && !splitter->rejects;

	while (splitter->at < length)
	{
		const uint8_t *found = memchr(data + splitter->at, '\n', length - splitter->at);
		size_t at;

		if (found == NULL)
		{
			splitter->at = length;
			break;
		}
		at = (size_t) (found - data);
		splitter->at = at + 1;
		if (!escapes || !is_escaped(data, splitter->start, at))
			return at + 1;
	}
	return 0;
}

static size_t
next_csv(HzSplitter *splitter, const uint8_t *data, size_t length)
{
	const uint8_t *found;
	size_t at = splitter->at;
	int state = splitter->state;

	while (at < length)
	{
		uint8_t c = data[at];

		if (state == IN_QUOTES)
		{
			found = memchr(data + at, '"', length - at);
			at = found == NULL ? length : (size_t) (found - data) + 1;
			if (found != NULL)
				state = BEHIND_QUOTE;
			continue;
		}
		at++;
		if (c == '\n')
		{
			splitter->at = at;
			splitter->state = FIELD_START;
			return at;
		}
		if (c == '"' && (state == FIELD_START || state == BEHIND_QUOTE))
			state = IN_QUOTES;
		else
			state = c == splitter->delimiter ? FIELD_START : IN_PLAIN;
	}
	splitter->at = at;
	splitter->state = state;
	return 0;
}

size_t
hz_split_next(HzSplitter *splitter, const uint8_t *data, size_t length)
{
	size_t end = splitter->format == HZ_FORMAT_CSV && !splitter->rejects
					 ? next_csv(splitter, data, length)
					 : next_line(splitter, data, length);

	if (end != 0)
		splitter->start = end;
	return end;
}

void
hz_split_shift(HzSplitter *splitter, size_t by)
{
	splitter->start -= by;
	splitter->at -= by;
}

uint64_t
hz_count_lines(const uint8_t *data, size_t length)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < length; i++)
		lines += data[i] == '\n';
	return lines;
}
