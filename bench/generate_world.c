/*
 * generate_world.c
 *		What all tables share: options, ids, projects, the course of time.
 */
#include "generate_world.h"

#include <ctype.h>
#include <string.h>

#include "generate_words.h"

/* Requests per hour of the day, UTC: Europe and the Americas lead. */
static const uint8_t hour_weights[24] = {46, 40,  36,  34,  35,  40,  50,  64, 78, 88, 94, 96,
										 97, 102, 110, 116, 118, 114, 106, 98, 90, 80, 68, 56};

/* Monday to Sunday. */
static const uint8_t day_weights[7] = {100, 105, 106, 103, 95, 68, 64};

uint64_t
gen_world_hash(const GenWorld *w, GenStream stream, uint64_t n)
{
	return gen_hash(gen_hash(w->options.seed, stream), n);
}

GenUuid
gen_uuid(uint64_t hash)
{
	GenUuid u = {gen_mix64(hash ^ UINT64_C(0x6C62272E07BB0142)),
				 gen_mix64(hash ^ UINT64_C(0x27D4EB2F165667C5))};

	u.hi = (u.hi & ~UINT64_C(0xF000)) | UINT64_C(0x4000);
	u.lo = (u.lo >> 2) | (UINT64_C(1) << 63);
	return u;
}

GenUuid
gen_world_uuid(const GenWorld *w, GenStream stream, uint64_t n)
{
	return gen_uuid(gen_world_hash(w, stream, n));
}

/* ---------- projects ---------- */

const char *
gen_project_type_name(GenProjectType type)
{
	switch (type)
	{
		case GEN_API:
			return "api";
		case GEN_APP:
			return "app";
		case GEN_BASE:
			return "base";
		default:
			return "website";
	}
}

char *
gen_put_organization(char *p, const GenWorld *w, uint64_t n)
{
	return gen_put_brand(p, gen_hash(gen_world_hash(w, GEN_STREAM_ORGANIZATION, n), 1));
}

static GenProjectType
draw_type(uint64_t n, uint64_t hash)
{
	static const GenProjectType types[20] = {
		GEN_WEBSITE, GEN_WEBSITE, GEN_WEBSITE, GEN_WEBSITE, GEN_WEBSITE, GEN_WEBSITE, GEN_WEBSITE,
		GEN_WEBSITE, GEN_WEBSITE, GEN_WEBSITE, GEN_APP,     GEN_APP,     GEN_APP,     GEN_APP,
		GEN_APP,     GEN_APP,     GEN_API,     GEN_API,     GEN_BASE,    GEN_BASE};

	return n == 0 ? GEN_WEBSITE : types[gen_scale((uint32_t) (hash >> 32), 20)];
}

GenProject
gen_world_project(const GenWorld *w, uint64_t n)
{
	GenProject p;
	uint64_t organization;

	memset(&p, 0, sizeof(p));
	p.hash = gen_world_hash(w, GEN_STREAM_PROJECT, n);
	p.id = gen_uuid(p.hash);
	p.type = draw_type(n, gen_mix64(p.hash + 1));
	organization = n < w->organizations ? n : gen_hash(p.hash, 2) % w->organizations;
	p.organization_id = gen_world_uuid(w, GEN_STREAM_ORGANIZATION, organization);
	*gen_put_organization(p.brand, w, organization) = '\0';
	for (int i = 0; p.brand[i] != '\0'; i++)
		p.slug[i] = (char) tolower((unsigned char) p.brand[i]);
	return p;
}

GenPopularity
gen_popularity(const GenWorld *w, uint64_t tag, unsigned types)
{
	GenPopularity p;
	GenRand r = {gen_world_hash(w, GEN_STREAM_POPULARITY, tag)};

	p.projects = gen_alloc(w->options.projects * sizeof(uint32_t));
	p.count = 0;
	for (uint32_t i = 0; i < w->options.projects; i++)
		if (w->projects[i].type & types)
			p.projects[p.count++] = i;
	for (uint32_t i = 0; p.count == 0 && i < w->options.projects; i++)
		p.projects[i] = i;
	if (p.count == 0)
		p.count = w->options.projects;
	for (uint32_t i = p.count - 1; i > 0; i--)
	{
		uint32_t j = gen_rand_below(&r, i + 1);
		uint32_t swap = p.projects[i];

		p.projects[i] = p.projects[j];
		p.projects[j] = swap;
	}
	p.zipf = gen_zipf(p.count, 72090); /* exponent 1.1 */
	return p;
}

/* ---------- time ---------- */

static uint64_t
hour_weight(const GenWorld *w, uint32_t hour)
{
	int64_t ms = w->options.start + hour * GEN_HOUR;
	uint64_t day = (uint64_t) (ms / GEN_DAY);
	uint64_t noise = gen_world_hash(w, GEN_STREAM_CLOCK, hour) >> 48;
	uint64_t spike = gen_world_hash(w, GEN_STREAM_CLOCK, UINT64_C(1) << 32 | hour / 24) % 100;
	uint64_t weight = (uint64_t) hour_weights[hour % 24] * day_weights[(day + 3) % 7];

	weight *= 1000 + hour / 24 * 2; /* 6 per cent growth a month */
	weight *= 60000 + noise / 5;    /* up to 20 per cent of noise */
	return spike == 0 ? weight * 2 : weight;
}

static void
make_clock(GenWorld *w)
{
	w->hours = (uint32_t) ((w->options.end - w->options.start) / GEN_HOUR);
	w->clock = gen_alloc((w->hours + 1) * sizeof(uint64_t));
	w->clock[0] = 0;
	for (uint32_t i = 0; i < w->hours; i++)
		w->clock[i + 1] = w->clock[i] + hour_weight(w, i);
}

int64_t
gen_world_time(const GenWorld *w, uint64_t part, uint64_t whole)
{
	uint64_t total = w->clock[w->hours];
	uint64_t at;
	uint32_t low = 0;
	uint32_t high = w->hours;

	if (part >= whole)
		at = total - 1;
	else
		at = (uint64_t) ((unsigned __int128) part * total / whole);
	while (high - low > 1)
	{
		uint32_t middle = (low + high) / 2;

		if (w->clock[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	at = (uint64_t) ((unsigned __int128) (at - w->clock[low]) * GEN_HOUR /
					 (w->clock[low + 1] - w->clock[low]));
	return w->options.start + low * GEN_HOUR + (int64_t) at;
}

/* Times past the end fall into the last half minute, not on one instant. */
int64_t
gen_world_clamp(const GenWorld *w, int64_t ms)
{
	if (ms < w->options.start)
		return w->options.start + (w->options.start - ms) % (30 * GEN_SECOND);
	if (ms >= w->options.end)
		return w->options.end - 1 - (ms - w->options.end) % (30 * GEN_SECOND);
	return ms;
}

GenWorld *
gen_world(const GenOptions *options)
{
	GenWorld *w = gen_alloc(sizeof(GenWorld));

	w->options = *options;
	w->organizations = (options->projects + 2) / 3;
	w->projects = gen_alloc(options->projects * sizeof(GenProject));
	for (uint32_t i = 0; i < options->projects; i++)
		w->projects[i] = gen_world_project(w, i);
	make_clock(w);
	return w;
}
