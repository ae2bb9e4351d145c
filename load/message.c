/*
 * load/message.c
 *	  What the program says on standard error.
 */
#define _GNU_SOURCE /* vasprintf */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "load/message.h"

bool hz_verbose = false;
bool hz_quiet = false;
void (*hz_message_clear)(void) = NULL;

static void
say(const char *kind, const char *format, va_list args)
{
	if (hz_message_clear != NULL)
		hz_message_clear();
	fprintf(stderr, HZ_PROGRAM ": %s", kind);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void
hz_say(const char *format, ...)
{
	va_list args;

	if (hz_quiet)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void
hz_detail(const char *format, ...)
{
	va_list args;

	if (!hz_verbose)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void
hz_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

static void
hint_line(const char *hint)
{
	if (hint != NULL)
		fprintf(stderr, HZ_PROGRAM ": hint: %s\n", hint);
}

void
hz_error(const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("error: ", format, args);
	va_end(args);
	hint_line(hint);
}

void
hz_fatal(const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("error: ", format, args);
	va_end(args);
	hint_line(hint);
	exit(1);
}

char *
hz_format(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	return text;
}
