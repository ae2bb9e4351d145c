/*
 * generate_session.h
 *		Visits of web sites, as one stream of hits in the order they arrive.
 *
 * A session's project, visitor, length and ids depend on the seed and its
 * number only; its time depends also on the number of rows of the whole table.
 * website_events, event_properties and session_properties replay the same
 * stream and therefore agree.
 */
#ifndef GENERATE_SESSION_H
#define GENERATE_SESSION_H

#include <stdint.h>

#include "generate_site.h"
#include "generate_visitor.h"
#include "generate_world.h"

#define GEN_EVENT_NAMES 40

typedef enum GenClick
{
	GEN_CLICK_NONE,
	GEN_GCLID,
	GEN_FBCLID,
	GEN_MSCLKID,
	GEN_TTCLID,
	GEN_LI_FAT_ID,
	GEN_TWCLID,
	GEN_CLICK_KINDS
} GenClick;

/* One visit: what stays the same in all its hits, and where it is now. */
typedef struct GenSession
{
	uint64_t number;
	GenRand rand; /* of the visit's further course */
	GenUuid session_id;
	GenUuid visit_id;
	uint32_t project;
	uint32_t visitor; /* number among the visitors of the project */
	uint64_t visitor_hash;
	GenVisitor profile;
	GenReferrer referrer;
	const char *host;
	char distinct_id[40]; /* empty for anonymous visitors */
	char query[320];      /* of the current page */
	int64_t next;         /* time of the next hit */
	int64_t late;         /* sent that much after it happened */
	uint32_t page;
	uint32_t page_number; /* for pages that end in one */
	uint16_t hits;        /* in all */
	uint16_t done;
	GenClick click; /* the advertisement that brought the visit */
	uint64_t click_hash;
	bool campaign; /* utm_* are known */
	bool landing;  /* still on the page it came to */
} GenSession;

typedef struct GenHit
{
	const GenSession *session; /* valid until the next call */
	const GenSite *site;
	GenUuid event_id;
	uint64_t hash;
	int64_t time;
	int event_name; /* -1 for a page view */
} GenHit;

typedef struct GenStreamOfHits GenStreamOfHits;

/* rows: of website_events as a whole; the stream itself does not end. */
extern GenStreamOfHits *gen_hits_open(const GenWorld *w, uint64_t rows);
extern void gen_hits_next(GenStreamOfHits *s, GenHit *hit);

/* The project of a session, and its id, without the stream. */
extern GenUuid gen_session_id(const GenWorld *w, uint64_t number);
extern uint32_t gen_session_project(const GenWorld *w, const GenPopularity *sites, uint64_t number);
extern GenPopularity gen_session_sites(const GenWorld *w);

/* The random token of a click, of the form its advertiser uses. */
extern char *gen_put_click(char *p, GenClick click, uint64_t hash);

#endif /* GENERATE_SESSION_H */
