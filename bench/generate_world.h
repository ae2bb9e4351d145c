/*
 * generate_world.h
 *		What all tables share: options, ids, projects, the course of time.
 *
 * Ids of organizations, projects, instances and apps, and the business of each
 * project, depend on the seed and the number of projects only, so tables that
 * were written apart join.
 */
#ifndef GENERATE_WORLD_H
#define GENERATE_WORLD_H

#include <stdint.h>

#include "generate_out.h"
#include "generate_rand.h"

#define GEN_SECOND INT64_C(1000)
#define GEN_MINUTE (60 * GEN_SECOND)
#define GEN_HOUR (60 * GEN_MINUTE)
#define GEN_DAY (24 * GEN_HOUR)

/* Names of random streams; the numbers are part of what a seed means. */
typedef enum GenStream
{
	GEN_STREAM_ORGANIZATION = 1,
	GEN_STREAM_PROJECT,
	GEN_STREAM_POPULARITY,
	GEN_STREAM_CLOCK,
	GEN_STREAM_SITE,
	GEN_STREAM_VISITOR,
	GEN_STREAM_SESSION,
	GEN_STREAM_EVENT,
	GEN_STREAM_PROPERTY,
	GEN_STREAM_TRACE,
	GEN_STREAM_PROMPT,
	GEN_STREAM_SCORE,
	GEN_STREAM_BUSINESS,
	GEN_STREAM_API,
	GEN_STREAM_BASE,
	GEN_STREAM_APP,
	GEN_STREAM_MODEL
} GenStream;

typedef enum GenProjectType
{
	GEN_WEBSITE = 1,
	GEN_API = 2,
	GEN_APP = 4,
	GEN_BASE = 8,
	GEN_ANY_TYPE = 15
} GenProjectType;

typedef struct GenOptions
{
	uint64_t rows;
	uint64_t parents; /* rows of the parent table */
	uint64_t seed;
	int64_t start; /* ms since 1970 */
	int64_t end;   /* first ms after the last day */
	uint32_t projects;
} GenOptions;

typedef struct GenProject
{
	GenUuid id;
	GenUuid organization_id;
	uint64_t hash;
	GenProjectType type;
	char brand[32]; /* of the organization */
	char slug[32];  /* brand in small letters */
} GenProject;

typedef struct GenWorld
{
	GenOptions options;
	uint32_t organizations;
	GenProject *projects;
	uint64_t *clock; /* weight of all hours before each hour */
	uint32_t hours;
} GenWorld;

/* The projects of some types, drawn with Zipf weights. */
typedef struct GenPopularity
{
	uint32_t *projects; /* the most popular first */
	uint32_t count;
	GenAlias zipf;
} GenPopularity;

extern GenWorld *gen_world(const GenOptions *options);

/* A hash, and a v4 uuid, of number n of a stream. */
extern uint64_t gen_world_hash(const GenWorld *w, GenStream stream, uint64_t n);
extern GenUuid gen_world_uuid(const GenWorld *w, GenStream stream, uint64_t n);
extern GenUuid gen_uuid(uint64_t hash);

/* Describe project n, which may lie past options.projects. */
extern GenProject gen_world_project(const GenWorld *w, uint64_t n);
extern const char *gen_project_type_name(GenProjectType type);
extern char *gen_put_organization(char *p, const GenWorld *w, uint64_t n);

/*
 * The time when part/whole of all rows have come: nights, week-ends and slow
 * growth over the months show.  Past the whole it stays in the last hour.
 */
extern int64_t gen_world_time(const GenWorld *w, uint64_t part, uint64_t whole);

/* Keep a time within the range of the options. */
extern int64_t gen_world_clamp(const GenWorld *w, int64_t ms);

/* tag: what is popular in one table need not be in another. */
extern GenPopularity gen_popularity(const GenWorld *w, uint64_t tag, unsigned types);

static inline uint32_t
gen_popularity_at(const GenPopularity *p, uint64_t bits)
{
	return p->projects[gen_alias_at(&p->zipf, bits)];
}

#endif /* GENERATE_WORLD_H */
