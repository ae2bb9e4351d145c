/*
 * unit/unit.h
 *	  What a unit test needs: CHECK, a summary, random numbers. One program per file includes this once.
 */
#ifndef HZ_UNIT_H
#define HZ_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t unit_passed;
static uint64_t unit_failed;
static const char *unit_subject = ""; /* what is being tested, for messages */

#define UNIT_MAX_MESSAGES 20

/* Counts; a failure says where, and goes on. The value is the condition's. */
#define CHECK(condition) unit_check((condition), #condition, __FILE__, __LINE__)

static inline bool
unit_check(bool good, const char *text, const char *file, int line)
{
	if (good)
		unit_passed++;
	else if (unit_failed++ < UNIT_MAX_MESSAGES)
		fprintf(stderr, "%s:%d: %s: not %s\n", file, line, unit_subject, text);
	return good;
}

/* Prints the summary; the exit code of main. */
static inline int
unit_summary(void)
{
	printf("%llu passed, %llu failed\n", (unsigned long long) unit_passed,
		   (unsigned long long) unit_failed);
	return unit_failed == 0 ? 0 : 1;
}

/* xorshift64*: the same numbers in every run, everywhere. */
static uint64_t unit_seed = 88172645463325252u;

static inline uint64_t
unit_random(void)
{
	unit_seed ^= unit_seed >> 12;
	unit_seed ^= unit_seed << 25;
	unit_seed ^= unit_seed >> 27;
	return unit_seed * UINT64_C(2685821657736338717);
}

/* A copy in a block of its own, so that a sanitizer sees the first byte read past it. */
static inline uint8_t *
unit_copy(const void *data, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	if (copy == NULL)
		abort();
	if (length > 0)
		memcpy(copy, data, length);
	return copy;
}

#endif /* HZ_UNIT_H */
