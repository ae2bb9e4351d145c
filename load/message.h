/*
 * load/message.h
 *	  What the program says on standard error.
 */
#ifndef HZ_LOAD_MESSAGE_H
#define HZ_LOAD_MESSAGE_H

#include <stdbool.h>

#define HZ_PROGRAM "hanzo-datastore-load"

extern bool hz_verbose;
extern bool hz_quiet;

/* Is called before anything is written: whoever draws on the line takes it away. */
extern void (*hz_message_clear)(void);

/* "hanzo-datastore-load: …"; not with --quiet. */
extern void hz_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, only with --verbose. */
extern void hz_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "hanzo-datastore-load: warning: …" */
extern void hz_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "hanzo-datastore-load: error: …", and a line that says what to do, unless NULL. */
extern void hz_error(const char *hint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, then exit(1). Open transactions roll back with their connections. */
extern void hz_fatal(const char *hint, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* printf into memory of its own, never NULL. */
extern char *hz_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* HZ_LOAD_MESSAGE_H */
