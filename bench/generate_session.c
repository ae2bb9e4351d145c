/*
 * generate_session.c
 *		Visits of web sites, as one stream of hits in the order they arrive.
 *
 * Sessions start as the course of time says; those under way wait in a binary
 * heap by the time of their next hit.  A few are sent late as a whole, as
 * telephones do that were offline.
 */
#include "generate_session.h"

#include <string.h>

#include "generate_words.h"

#define GAP_SIGMA 98304 /* 1.5 octaves */

typedef struct Waiting
{
	int64_t time;
	uint32_t session; /* index into sessions */
} Waiting;

struct GenStreamOfHits
{
	const GenWorld *world;
	GenPopularity sites;
	GenSite **site;     /* by project, NULL before the first visit */
	uint32_t *rank;     /* of projects in sites */
	uint32_t *visitors; /* seen so far, by project */
	GenAlias names;
	uint64_t rows;
	uint64_t opened; /* hits of all sessions opened so far */
	uint64_t session_number;
	int64_t session_start; /* of the next session to open */
	GenSession *sessions;
	uint32_t *unused; /* indexes of sessions that are over */
	uint32_t unused_count;
	uint32_t allocated;
	Waiting *heap;
	uint32_t heap_count;
};

/* ---------- what a session is ---------- */

GenUuid
gen_session_id(const GenWorld *w, uint64_t number)
{
	return gen_uuid(gen_world_hash(w, GEN_STREAM_SESSION, number));
}

GenPopularity
gen_session_sites(const GenWorld *w)
{
	return gen_popularity(w, GEN_STREAM_SESSION, GEN_WEBSITE | GEN_APP);
}

uint32_t
gen_session_project(const GenWorld *w, const GenPopularity *sites, uint64_t number)
{
	return gen_popularity_at(sites, gen_hash(gen_world_hash(w, GEN_STREAM_SESSION, number), 1));
}

char *
gen_put_click(char *p, GenClick click, uint64_t hash)
{
	switch (click)
	{
		case GEN_GCLID:
			return gen_put_token(gen_put(p, hash & 1 ? "Cj0KCQjw" : "EAIaIQobChMI"), hash,
								 60 + (int) (hash >> 60));
		case GEN_FBCLID:
			return gen_put_token(gen_put(p, "IwAR"), hash, 57);
		case GEN_MSCLKID:
			return gen_put_hex(gen_put_hex(p, gen_mix64(hash), 16), gen_mix64(hash + 1), 16);
		case GEN_TTCLID:
			return gen_put_token(gen_put(p, "E.C.P."), hash, 72);
		case GEN_LI_FAT_ID:
			return gen_put_uuid(p, gen_uuid(hash));
		case GEN_TWCLID:
			return gen_put_token(gen_put(p, "2-"), hash, 22);
		default:
			return p;
	}
}

/* A third bounce, the others look at some pages; never more than 40 hits. */
static uint16_t
draw_hits(GenRand *r)
{
	uint16_t hits = 2;

	if (gen_rand_chance(r, 3400))
		return gen_rand_chance(r, 8000) ? 1 : 2;
	while (hits < 40 && gen_rand_chance(r, 8150))
		hits++;
	return hits;
}

static GenClick
draw_click(GenRand *r)
{
	static const uint16_t per_10000[GEN_CLICK_KINDS] = {0, 620, 430, 300, 280, 260, 260};
	uint32_t pick = gen_rand_below(r, 10000);

	for (int i = 1; i < GEN_CLICK_KINDS; i++)
	{
		if (pick < per_10000[i])
			return (GenClick) i;
		pick -= per_10000[i];
	}
	return GEN_CLICK_NONE;
}

/* A third of the known visitors log in; each site has its own form of ids. */
static void
put_distinct_id(char *p, uint64_t site_hash, uint64_t visitor_hash)
{
	*p = '\0';
	if (gen_mix64(visitor_hash + 7) % 100 >= 32)
		return;
	switch ((site_hash >> 20) % 3)
	{
		case 0:
			*gen_put_int(gen_put(p, "user_"), (int64_t) (visitor_hash % 9000000) + 1000000) = '\0';
			break;
		case 1:
			*gen_put_uuid(p, gen_uuid(visitor_hash)) = '\0';
			break;
		default:
			*gen_put_hex(p, gen_mix64(visitor_hash), 12) = '\0';
			break;
	}
}

/* Two of five visits are by someone seen before, mostly of late. */
static uint32_t
draw_visitor(GenStreamOfHits *s, uint32_t project, GenRand *r)
{
	uint32_t known = s->visitors[project];

	if (known > 0 && gen_rand_chance(r, 4000))
		return known - 1 - gen_rand_skewed(r, known);
	return s->visitors[project]++;
}

static void
start_session(GenStreamOfHits *s, GenSession *v)
{
	const GenWorld *w = s->world;
	uint64_t hash = gen_world_hash(w, GEN_STREAM_SESSION, s->session_number);
	const GenProject *project;
	GenRand *r = &v->rand;

	*r = gen_rand(hash, 2);
	v->number = s->session_number;
	v->session_id = gen_uuid(hash);
	v->visit_id = gen_uuid(gen_hash(hash, 3));
	v->project = gen_session_project(w, &s->sites, s->session_number);
	project = &w->projects[v->project];
	if (s->site[v->project] == NULL)
		s->site[v->project] = gen_site(w, v->project, s->rank[v->project]);
	v->visitor = draw_visitor(s, v->project, r);
	v->visitor_hash = gen_hash(gen_hash(project->hash, GEN_STREAM_VISITOR), v->visitor);
	v->profile = gen_visitor(project->hash, v->visitor_hash);
	put_distinct_id(v->distinct_id, project->hash, v->visitor_hash);
	v->host = s->site[v->project]
				  ->hosts[gen_rand_chance(r, 8200) ? 0 : gen_rand_below(r, GEN_SITE_HOSTS)];
	gen_referrer(&v->referrer, project->hash, r);
	v->hits = draw_hits(r);
	v->done = 0;
	v->click = draw_click(r);
	v->click_hash = gen_rand_next(r);
	v->campaign = v->click != GEN_CLICK_NONE || gen_rand_chance(r, 500);
	v->late = gen_rand_chance(r, 30)
				  ? gen_rand_lognormal_in(r, 40 * GEN_MINUTE, 2 << 16, GEN_MINUTE, GEN_DAY)
				  : 0;
	v->next = s->session_start;
	v->landing = true;
}

/* ---------- the course of a session ---------- */

static char *
put_attribution(char *p, const GenSession *v, const GenSite *site)
{
	static const char *const sources[GEN_CLICK_KINDS] = {
		"newsletter", "google", "facebook", "bing", "tiktok", "linkedin", "twitter"};
	static const char *const parameters[GEN_CLICK_KINDS] = {
		"", "&gclid=", "&fbclid=", "&msclkid=", "&ttclid=", "&li_fat_id=", "&twclid="};

	p = gen_put(gen_put(p, "utm_source="), sources[v->click]);
	p = gen_put(p, v->click == GEN_CLICK_NONE ? "&utm_medium=email" : "&utm_medium=cpc");
	p = gen_put(gen_put(p, "&utm_campaign="), site->campaigns[v->click_hash % GEN_SITE_CAMPAIGNS]);
	return gen_put_click(gen_put(p, parameters[v->click]), v->click, v->click_hash);
}

static void
go_to_page(GenStreamOfHits *s, GenSession *v)
{
	const GenSite *site = s->site[v->project];
	GenRand *r = &v->rand;
	char *end;

	v->landing = v->done == 0;
	v->page = gen_alias_draw(&site->zipf, r);
	v->page_number = 0;
	if (site->pages[v->page].kind == GEN_PAGE_NUMBERED)
		v->page_number = 1000 + (uint32_t) gen_rand_lognormal_in(r, 300, 3 << 16, 0, 900000);
	if (v->landing && v->campaign)
		end = put_attribution(v->query, v, site);
	else
		end = gen_put_query(v->query, site, v->page, r);
	*end = '\0';
}

/* The next hit of the session; its time moves on to the one after that. */
static void
step(GenStreamOfHits *s, GenSession *v, GenHit *hit)
{
	const GenWorld *w = s->world;
	GenRand *r = &v->rand;
	uint64_t hash = gen_hash(gen_world_hash(w, GEN_STREAM_EVENT, v->number), v->done);
	bool custom = v->done > 0 && gen_rand_chance(r, 2400);

	if (!custom)
		go_to_page(s, v);
	hit->session = v;
	hit->site = s->site[v->project];
	hit->event_id = gen_uuid(hash);
	hit->hash = hash;
	hit->time = gen_world_clamp(w, v->next - v->late - (int64_t) (gen_mix64(hash) >> 55));
	hit->event_name = -1;
	if (custom)
		hit->event_name =
			(int) ((gen_alias_draw(&s->names, r) + (w->projects[v->project].hash >> 32)) %
				   GEN_EVENT_NAMES);
	v->done++;
	v->next += gen_rand_lognormal_in(r, 16 * GEN_SECOND, GAP_SIGMA, 300, 25 * GEN_MINUTE);
}

/* ---------- the heap of sessions under way ---------- */

static void
sift_up(GenStreamOfHits *s, Waiting item)
{
	uint32_t at = s->heap_count++;

	while (at > 0 && s->heap[(at - 1) / 2].time > item.time)
	{
		s->heap[at] = s->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	s->heap[at] = item;
}

/* Put an item in the place of the first. */
static void
sift_down(GenStreamOfHits *s, Waiting item)
{
	uint32_t at = 0;

	for (;;)
	{
		uint32_t child = 2 * at + 1;

		if (child >= s->heap_count)
			break;
		if (child + 1 < s->heap_count && s->heap[child + 1].time < s->heap[child].time)
			child++;
		if (s->heap[child].time >= item.time)
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = item;
}

static uint32_t
take_unused(GenStreamOfHits *s)
{
	if (s->unused_count == 0)
	{
		uint32_t more = s->allocated > 0 ? 2 * s->allocated : 1024;

		s->sessions = gen_realloc(s->sessions, more * sizeof(GenSession));
		s->unused = gen_realloc(s->unused, more * sizeof(uint32_t));
		s->heap = gen_realloc(s->heap, more * sizeof(Waiting));
		for (uint32_t i = more; i > s->allocated; i--)
			s->unused[s->unused_count++] = i - 1;
		s->allocated = more;
	}
	return s->unused[--s->unused_count];
}

static void
open_session(GenStreamOfHits *s)
{
	uint32_t i = take_unused(s);

	start_session(s, &s->sessions[i]);
	sift_up(s, (Waiting){s->session_start, i});
	s->opened += s->sessions[i].hits;
	s->session_number++;
	s->session_start = gen_world_time(s->world, s->opened, s->rows);
}

GenStreamOfHits *
gen_hits_open(const GenWorld *w, uint64_t rows)
{
	GenStreamOfHits *s = gen_alloc(sizeof(GenStreamOfHits));
	uint32_t projects = w->options.projects;

	memset(s, 0, sizeof(*s));
	s->world = w;
	s->rows = rows;
	s->sites = gen_session_sites(w);
	s->names = gen_zipf(GEN_EVENT_NAMES, 65536);
	s->site = gen_alloc(projects * sizeof(GenSite *));
	memset(s->site, 0, projects * sizeof(GenSite *));
	s->visitors = gen_alloc(projects * sizeof(uint32_t));
	memset(s->visitors, 0, projects * sizeof(uint32_t));
	s->rank = gen_alloc(projects * sizeof(uint32_t));
	for (uint32_t i = 0; i < s->sites.count; i++)
		s->rank[s->sites.projects[i]] = i;
	s->session_start = gen_world_time(w, 0, rows);
	gen_referrers_init();
	gen_visitors_init();
	return s;
}

/* A session that ends here is used again by the next call at the earliest. */
void
gen_hits_next(GenStreamOfHits *s, GenHit *hit)
{
	Waiting first;
	GenSession *v;

	while (s->heap_count == 0 || (s->opened < s->rows && s->session_start <= s->heap[0].time))
		open_session(s);
	first = s->heap[0];
	v = &s->sessions[first.session];
	step(s, v, hit);
	if (v->done < v->hits)
		sift_down(s, (Waiting){v->next, first.session});
	else
	{
		s->unused[s->unused_count++] = first.session;
		sift_down(s, s->heap[--s->heap_count]);
	}
}
