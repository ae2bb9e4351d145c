/*
 * generate_site.h
 *		The web site of a project: hosts, pages with titles, campaigns, referrers.
 */
#ifndef GENERATE_SITE_H
#define GENERATE_SITE_H

#include <stdint.h>

#include "generate_world.h"

#define GEN_SITE_HOSTS 3
#define GEN_SITE_CAMPAIGNS 12
#define GEN_NO_NUMBER UINT32_MAX

typedef enum GenPageKind
{
	GEN_PAGE_PLAIN,
	GEN_PAGE_NUMBERED, /* path and title end in a number of the visit */
	GEN_PAGE_SEARCH,   /* the query asks q=... */
	GEN_PAGE_LISTING   /* the query may sort and page */
} GenPageKind;

typedef struct GenPage
{
	uint32_t path; /* offsets into the site's text */
	uint32_t title;
	uint16_t path_length;
	uint16_t title_length;
	GenPageKind kind;
} GenPage;

typedef struct GenSite
{
	char hosts[GEN_SITE_HOSTS][64];
	char campaigns[GEN_SITE_CAMPAIGNS][48];
	GenPage *pages; /* the most popular first; page 0 is / */
	uint32_t page_count;
	GenAlias zipf;
	char *text;
} GenSite;

/* Where a visit came from.  Empty strings when it came directly. */
typedef struct GenReferrer
{
	char domain[48];
	char path[64];
	char query[64];
} GenReferrer;

/* rank: the place of the project among those with sites, which sets its size. */
extern GenSite *gen_site(const GenWorld *w, uint32_t project, uint32_t rank);

extern char *gen_put_path(char *p, const GenSite *site, uint32_t page, uint32_t number);
extern char *gen_put_page_title(char *p, const GenSite *site, uint32_t page, uint32_t number);

/* The query of an ordinary hit on a page: mostly nothing. */
extern char *gen_put_query(char *p, const GenSite *site, uint32_t page, GenRand *r);

extern void gen_referrers_init(void);
extern void gen_referrer(GenReferrer *ref, uint64_t project_hash, GenRand *r);

#endif /* GENERATE_SITE_H */
