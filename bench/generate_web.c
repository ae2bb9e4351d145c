/*
 * generate_web.c
 *		The tables website_events, event_properties and session_properties.
 *
 * The two children replay the stream of hits that makes website_events of
 * options.parents rows, and spread their rows over it.
 */
#include "generate_property.h"
#include "generate_session.h"
#include "generate_table.h"

/* ---------- website_events ---------- */

static void
out_profile(GenOut *o, const GenSession *v)
{
	gen_out_string(o, v->host);
	gen_out_string(o, v->profile.browser);
	gen_out_string(o, v->profile.os);
	gen_out_string(o, v->profile.device);
	gen_out_string(o, v->profile.screen);
	gen_out_string(o, v->profile.language);
	gen_out_string(o, v->profile.country);
	gen_out_string(o, v->profile.region);
	gen_out_string(o, v->profile.city);
}

static void
out_page(GenOut *o, const GenHit *hit)
{
	const GenSession *v = hit->session;
	char text[512];

	gen_out_text(o, text, (size_t) (gen_put_path(text, hit->site, v->page, v->page_number) - text));
	gen_out_string(o, v->query);
	gen_out_text(o, text,
				 (size_t) (gen_put_page_title(text, hit->site, v->page, v->page_number) - text));
	gen_out_string(o, v->referrer.path);
	gen_out_string(o, v->referrer.query);
	gen_out_string(o, v->referrer.domain);
}

/* The tracker knows them only while the address shows them. */
static void
out_attribution(GenOut *o, const GenHit *hit)
{
	static const char *const sources[GEN_CLICK_KINDS] = {
		"newsletter", "google", "facebook", "bing", "tiktok", "linkedin", "twitter"};
	static const char *const contents[] = {"",          "banner_a", "banner_b", "text_link",
										   "video_15s", "carousel", "",         ""};
	const GenSession *v = hit->session;
	bool known = v->campaign && v->landing;
	const char *campaign = hit->site->campaigns[v->click_hash % GEN_SITE_CAMPAIGNS];
	char token[128];

	gen_out_string(o, known ? sources[v->click] : "");
	gen_out_string(o, !known ? "" : v->click == GEN_CLICK_NONE ? "email" : "cpc");
	gen_out_string(o, known ? campaign : "");
	gen_out_string(o, known ? contents[(v->click_hash >> 8) & 7] : "");
	gen_out_string(o, known && (v->click_hash >> 16) % 4 == 0 ? v->profile.language : "");
	for (int kind = GEN_GCLID; kind < GEN_CLICK_KINDS; kind++)
	{
		char *end = token;

		if (known && v->click == (GenClick) kind)
			end = gen_put_click(token, v->click, v->click_hash);
		gen_out_text(o, token, (size_t) (end - token));
	}
}

/* Few projects run experiments, and few of their sessions take part. */
static const char *
session_tag(const GenWorld *w, const GenSession *v)
{
	if (w->projects[v->project].hash % 6 != 0 || v->click_hash % 5 != 0)
		return "";
	return v->visitor_hash & 1 ? "variant-a" : "variant-b";
}

void
gen_website_events(const GenWorld *w, GenOut *o)
{
	GenStreamOfHits *hits = gen_hits_open(w, w->options.rows);

	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		GenHit hit;

		gen_hits_next(hits, &hit);
		gen_out_uuid(o, w->projects[hit.session->project].id);
		gen_out_uuid(o, hit.session->session_id);
		gen_out_uuid(o, hit.session->visit_id);
		gen_out_uuid(o, hit.event_id);
		out_profile(o, hit.session);
		out_page(o, &hit);
		out_attribution(o, &hit);
		gen_out_int(o, hit.event_name < 0 ? 1 : 2);
		gen_out_string(o, hit.event_name < 0 ? "" : gen_event_name(hit.event_name));
		gen_out_string(o, session_tag(w, hit.session));
		gen_out_string(o, hit.session->distinct_id);
		gen_out_time(o, hit.time);
		gen_out_end_row(o);
	}
}

/* ---------- properties ---------- */

static void
out_value(GenOut *o, const GenProperty *p)
{
	gen_out_string(o, p->key);
	gen_out_string_or_null(o, p->type == GEN_STRING ? p->text : NULL);
	if (p->type == GEN_NUMBER)
		gen_out_decimal(o, p->number, 4);
	else
		gen_out_null(o);
	if (p->type == GEN_DATE)
		gen_out_time(o, p->date);
	else
		gen_out_null(o);
	gen_out_int(o, p->type);
}

/* How many of so many keys: as many as natural, or what the quota still wants. */
static int
draw_count(GenRand *r, uint64_t missing, int keys)
{
	uint64_t natural = 2 + gen_rand_below(r, 5);

	if (missing > natural)
		natural += (missing - natural) * (1 + gen_rand_below(r, 4)) / 4;
	if (natural > missing)
		natural = missing;
	return natural < (uint64_t) keys ? (int) natural : keys;
}

static void
out_event_property(const GenWorld *w, GenOut *o, const GenHit *hit, int i, GenRand *r)
{
	const GenSession *v = hit->session;
	GenProperty property;
	char path[256];

	gen_event_property(&property, hit->event_name, i, hit->time, r);
	gen_out_uuid(o, w->projects[v->project].id);
	gen_out_uuid(o, v->session_id);
	gen_out_uuid(o, hit->event_id);
	gen_out_text(o, path, (size_t) (gen_put_path(path, hit->site, v->page, v->page_number) - path));
	gen_out_string(o, gen_event_name(hit->event_name));
	out_value(o, &property);
	gen_out_time(o, hit->time);
	gen_out_end_row(o);
}

void
gen_event_properties(const GenWorld *w, GenOut *o)
{
	GenStreamOfHits *hits = gen_hits_open(w, w->options.parents);
	uint64_t rows = 0;

	for (uint64_t n = 1; rows < w->options.rows; n++)
	{
		GenHit hit;
		GenRand r;
		int count;

		gen_hits_next(hits, &hit);
		if (hit.event_name < 0)
			continue;
		r = gen_rand(hit.hash, GEN_STREAM_PROPERTY);
		if (rows >= gen_quota(w, n))
			continue;
		count = draw_count(&r, gen_quota(w, n) - rows, GEN_EVENT_PROPERTIES);
		for (int i = 0; i < count; i++)
			out_event_property(w, o, &hit, i, &r);
		rows += (uint64_t) count;
	}
}

static void
out_session_property(const GenWorld *w, GenOut *o, const GenHit *hit, int i)
{
	const GenSession *v = hit->session;
	GenProperty property;

	gen_session_property(&property, i, w->options.start, v->visitor_hash);
	gen_out_uuid(o, w->projects[v->project].id);
	gen_out_uuid(o, v->session_id);
	out_value(o, &property);
	gen_out_string(o, v->distinct_id);
	gen_out_time(o, hit->time);
	gen_out_end_row(o);
}

/* A session is described once, with its first hit. */
void
gen_session_properties(const GenWorld *w, GenOut *o)
{
	GenStreamOfHits *hits = gen_hits_open(w, w->options.parents);
	uint64_t rows = 0;

	for (uint64_t n = 1; rows < w->options.rows; n++)
	{
		GenHit hit;
		GenRand r;
		int count;

		gen_hits_next(hits, &hit);
		if (hit.session->done != 1 || rows >= gen_quota(w, n))
			continue;
		r = gen_rand(hit.session->click_hash, GEN_STREAM_PROPERTY);
		count = draw_count(&r, gen_quota(w, n) - rows, GEN_SESSION_PROPERTIES);
		for (int i = 0; i < count; i++)
			out_session_property(w, o, &hit, i);
		rows += (uint64_t) count;
	}
}
