/*
 * generate_property.h
 *		Names of custom events, and properties of events and sessions.
 */
#ifndef GENERATE_PROPERTY_H
#define GENERATE_PROPERTY_H

#include <stdint.h>

#include "generate_rand.h"

#define GEN_EVENT_PROPERTIES 12   /* keys of an event */
#define GEN_SESSION_PROPERTIES 12 /* keys of a session */

typedef enum GenDataType
{
	GEN_STRING = 1,
	GEN_NUMBER = 2,
	GEN_DATE = 3
} GenDataType;

typedef struct GenProperty
{
	const char *key;
	GenDataType type;
	char text[80];
	int64_t number; /* times 10000 */
	int64_t date;   /* ms since 1970 */
} GenProperty;

/* One of GEN_EVENT_NAMES (generate_session.h) names. */
extern const char *gen_event_name(int name);

/* Property number i of an event with that name at that time. */
extern void gen_event_property(GenProperty *p, int name, int i, int64_t now, GenRand *r);

/* Property number i of a visitor: always the same for the same hash. */
extern void gen_session_property(GenProperty *p, int i, int64_t now, uint64_t visitor_hash);

#endif /* GENERATE_PROPERTY_H */
