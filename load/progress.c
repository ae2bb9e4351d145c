/*
 * load/progress.c
 *	  How far the load is: a bar on a terminal, a line every ten seconds elsewhere, nothing with --quiet.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load/message.h"
#include "load/progress.h"

#define TERMINAL_MS 200
#define LINE_MS 10000
#define BAR_WIDTH 24

static bool drawn = false;

int64_t
hz_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
clear(void)
{
	if (drawn)
		fputs("\r\033[K", stderr);
	drawn = false;
}

void
hz_progress_start(HzProgress *progress, const char *name)
{
	const char *slash = strrchr(name, '/');

	progress->name = slash != NULL && slash[1] != '\0' ? slash + 1 : name;
	progress->started = hz_now();
	progress->shown = progress->started;
	progress->terminal = isatty(STDERR_FILENO);
	hz_message_clear = clear;
}

static void
format_eta(char *text, size_t size, double seconds)
{
	long s = (long) (seconds + 0.5);

	if (s >= 3600)
		snprintf(text, size, ", %ld:%02ld h left", s / 3600, s / 60 % 60);
	else
		snprintf(text, size, ", %ld:%02ld left", s / 60, s % 60);
}

void
hz_progress_show(HzProgress *progress, double share, uint64_t bytes, uint64_t rows,
				 uint64_t rejected)
{
	int64_t now = hz_now();
	double seconds = (double) (now - progress->started) / 1000 + 0.001;
	char bar[BAR_WIDTH + 3] = "";
	char part[16] = "";
	char eta[32] = "";
	char bad[40] = "";

	if (hz_quiet || now - progress->shown < (progress->terminal ? TERMINAL_MS : LINE_MS))
		return;
	progress->shown = now;
	if (share > 1)
		share = 1;
	if (share >= 0)
		snprintf(part, sizeof(part), " %3.0f %%", share * 100);
	if (share > 0.01)
		format_eta(eta, sizeof(eta), seconds / share * (1 - share));
	if (rejected > 0)
		snprintf(bad, sizeof(bad), ", %llu rejected", (unsigned long long) rejected);
	if (!progress->terminal)
	{
		hz_say("%s:%s %llu rows, %.0f rows/s, %.1f MB/s%s%s", progress->name, part,
			   (unsigned long long) rows, (double) rows / seconds, (double) bytes / seconds / 1e6,
			   bad, eta);
		return;
	}
	if (share >= 0)
	{
		memset(bar, ' ', BAR_WIDTH + 2);
		memset(bar + 1, '#', (size_t) (share * BAR_WIDTH));
		bar[0] = '[';
		bar[BAR_WIDTH + 1] = ']';
	}
	fprintf(stderr, "\r\033[K%.30s %s%s %llu rows, %.0f rows/s, %.1f MB/s%s%s", progress->name, bar,
			part, (unsigned long long) rows, (double) rows / seconds,
			(double) bytes / seconds / 1e6, bad, eta);
	fflush(stderr);
	drawn = true;
}

void
hz_progress_end(HzProgress *progress)
{
	(void) progress;
	clear();
}
