/*
 * generate_site.c
 *		The web site of a project: hosts, pages with titles, campaigns, referrers.
 *
 * A site is built whole when its project is first visited, from the project's
 * hash alone.
 */
#include "generate_site.h"

#include <string.h>

#include "generate_words.h"

#define PAGE_ROOM 256 /* bytes of path and title, at most */
#define LONG_TAIL 600 /* referring domains without a name here */
#define LENGTH(a) ((int) (sizeof(a) / sizeof((a)[0])))

typedef struct CommonPage
{
	const char *path;
	const char *title;
	GenPageKind kind;
} CommonPage;

static const CommonPage common_pages[] = {{"/pricing", "Pricing", GEN_PAGE_PLAIN},
										  {"/login", "Log in", GEN_PAGE_PLAIN},
										  {"/search", "Search", GEN_PAGE_SEARCH},
										  {"/signup", "Create your account", GEN_PAGE_PLAIN},
										  {"/about", "About us", GEN_PAGE_PLAIN},
										  {"/contact", "Contact", GEN_PAGE_PLAIN},
										  {"/blog", "Blog", GEN_PAGE_LISTING},
										  {"/features", "Features", GEN_PAGE_PLAIN},
										  {"/faq", "Frequently asked questions", GEN_PAGE_PLAIN},
										  {"/careers", "Careers", GEN_PAGE_PLAIN},
										  {"/privacy", "Privacy policy", GEN_PAGE_PLAIN},
										  {"/terms", "Terms of service", GEN_PAGE_PLAIN}};

/* What a site is about decides its pages. */
typedef enum SiteStyle
{
	STYLE_SHOP,
	STYLE_DOCS,
	STYLE_NEWS,
	STYLE_SERVICE
} SiteStyle;

typedef struct Section
{
	const char *path;  /* the slug follows */
	const char *title; /* stands after the slug's title */
	int words;         /* of the slug, 0 for none */
	int per_100;       /* share of the pages of its style */
	bool dated;        /* a year and month stand before the slug */
	bool coded;        /* an article number stands after the slug */
	GenPageKind kind;
} Section;

static const Section sections[4][6] = {
	{{"/products/", "", 3, 62, false, true, GEN_PAGE_PLAIN},
	 {"/category/", " \xE2\x80\x93 Shop", 1, 14, false, false, GEN_PAGE_LISTING},
	 {"/collections/", " collection", 2, 8, false, false, GEN_PAGE_LISTING},
	 {"/orders/", "Order ", 0, 3, false, false, GEN_PAGE_NUMBERED},
	 {"/blog/", " | Blog", 5, 9, false, false, GEN_PAGE_PLAIN},
	 {"/help/", " \xC2\xB7 Help", 3, 4, false, false, GEN_PAGE_PLAIN}},
	{{"/docs/", " \xE2\x80\x94 Docs", 2, 48, false, false, GEN_PAGE_PLAIN},
	 {"/docs/api/", " \xE2\x80\x94 API reference", 2, 20, false, false, GEN_PAGE_PLAIN},
	 {"/guides/", " \xE2\x80\x94 Guides", 4, 14, false, false, GEN_PAGE_PLAIN},
	 {"/changelog/", " \xE2\x80\x94 Changelog", 2, 6, true, false, GEN_PAGE_PLAIN},
	 {"/community/t/", " - Community", 5, 9, false, true, GEN_PAGE_PLAIN},
	 {"/issues/", "Issue ", 0, 3, false, false, GEN_PAGE_NUMBERED}},
	{{"/", "", 6, 56, true, false, GEN_PAGE_PLAIN},
	 {"/article/", "", 5, 20, false, true, GEN_PAGE_PLAIN},
	 {"/tag/", " | Tag", 1, 10, false, false, GEN_PAGE_LISTING},
	 {"/topics/", " | Topics", 2, 8, false, false, GEN_PAGE_LISTING},
	 {"/video/", " | Video", 4, 4, false, true, GEN_PAGE_PLAIN},
	 {"/comments/", "Comments on ", 0, 2, false, false, GEN_PAGE_NUMBERED}},
	{{"/solutions/", " | Solutions", 2, 22, false, false, GEN_PAGE_PLAIN},
	 {"/blog/", " | Blog", 5, 38, false, false, GEN_PAGE_PLAIN},
	 {"/app/projects/", "Project ", 0, 8, false, false, GEN_PAGE_NUMBERED},
	 {"/integrations/", " integration", 1, 14, false, false, GEN_PAGE_PLAIN},
	 {"/customers/", " | Customer story", 2, 12, false, false, GEN_PAGE_PLAIN},
	 {"/app/reports/", "Report ", 0, 6, false, false, GEN_PAGE_NUMBERED}}};

/* ---------- pages ---------- */

static const Section *
draw_section(SiteStyle style, GenRand *r)
{
	int pick = (int) gen_rand_below(r, 100);
	const Section *s = sections[style];

	while (pick >= s->per_100)
	{
		pick -= s->per_100;
		s++;
	}
	return s;
}

static char *
put_section_path(char *p, const Section *s, GenRand *r)
{
	char *start;

	p = gen_put(p, s->path);
	if (s->words == 0)
		return p;
	if (s->dated)
	{
		p = gen_put_int(p, 2024 + gen_rand_below(r, 3));
		*p++ = '/';
		p = gen_put_padded(p, 1 + gen_rand_below(r, 8), 2);
		*p++ = '/';
	}
	start = p;
	p = gen_put_slug(p, r, s->words > 1 ? s->words - 1 + (int) gen_rand_below(r, 3) : 1);
	if (p - start > 80)
		p = start + 80;
	if (s->coded)
	{
		*p++ = '-';
		p = gen_put_int(p, gen_rand_range(r, 10000, 99999));
	}
	return p;
}

static void
end_title(GenSite *site, GenPage *page, char *p, const GenProject *project)
{
	static const char *const separators[] = {" | ", " - ", " \xC2\xB7 ", " \xE2\x80\x93 "};

	if (page->kind != GEN_PAGE_NUMBERED)
	{
		p = gen_put(p, separators[project->hash & 3]);
		p = gen_put(p, project->brand);
	}
	page->title_length = (uint16_t) (p - site->text - page->title);
}

static void
add_section_page(GenSite *site, GenPage *page, const GenProject *project, GenRand *r)
{
	const Section *s = draw_section((SiteStyle) ((project->hash >> 8) & 3), r);
	char *path = site->text + page->path;
	char *end = put_section_path(path, s, r);
	char *slug = end;

	page->kind = s->kind;
	page->path_length = (uint16_t) (end - path);
	page->title = (uint32_t) (end - site->text);
	while (slug > path && slug[-1] != '/')
		slug--;
	if (s->words > 0)
		end = gen_put_title(end, slug, (size_t) (end - slug));
	end_title(site, page, gen_put(end, s->title), project);
}

static void
add_common_page(GenSite *site, GenPage *page, const char *path, const char *title, GenPageKind kind,
				const GenProject *project)
{
	char *end = gen_put(site->text + page->path, path);

	page->kind = kind;
	page->path_length = (uint16_t) strlen(path);
	page->title = (uint32_t) (end - site->text);
	end_title(site, page, gen_put(end, title), project);
}

/* Page 0 is the front page; common pages stand at every third rank after it. */
static void
make_pages(GenSite *site, const GenProject *project, GenRand *r)
{
	uint32_t at = 0;

	site->pages = gen_alloc(site->page_count * sizeof(GenPage));
	site->text = gen_alloc((uint64_t) site->page_count * PAGE_ROOM + 64);
	for (uint32_t i = 0; i < site->page_count; i++)
	{
		GenPage *page = &site->pages[i];
		const CommonPage *c = &common_pages[i / 3 % LENGTH(common_pages)];

		page->path = at;
		if (i == 0)
			add_common_page(site, page, "/", "Home", GEN_PAGE_PLAIN, project);
		else if (i % 3 == 0 && i / 3 < (uint32_t) LENGTH(common_pages))
			add_common_page(site, page, c->path, c->title, c->kind, project);
		else
			add_section_page(site, page, project, r);
		at = page->title + page->title_length;
	}
	site->text = gen_realloc(site->text, (uint64_t) at + 64);
}

static void
make_hosts(GenSite *site, const GenProject *project)
{
	static const char *const prefixes[2][GEN_SITE_HOSTS] = {{"www.", "", "shop."},
															{"app.", "www.", "docs."}};
	static const char *const endings[] = {".com", ".com", ".io",  ".ai",
										  ".dev", ".co",  ".net", ".org"};

	for (int i = 0; i < GEN_SITE_HOSTS; i++)
	{
		char *p = gen_put(site->hosts[i], prefixes[project->type != GEN_WEBSITE][i]);

		p = gen_put(p, project->slug);
		*gen_put(p, endings[gen_mix64(project->organization_id.lo) & 7]) = '\0';
	}
}

static void
make_campaigns(GenSite *site, GenRand *r)
{
	static const char *const kinds[] = {"brand",  "launch", "retarget", "newsletter",
										"summer", "q4",     "demo",     "webinar"};

	for (int i = 0; i < GEN_SITE_CAMPAIGNS; i++)
	{
		char *p = gen_put(site->campaigns[i], kinds[gen_rand_below(r, LENGTH(kinds))]);

		*p++ = '_';
		p = gen_put_word(p, gen_word_draw(r));
		*gen_put(p, i % 2 ? "_2026" : "_eu") = '\0';
	}
}

GenSite *
gen_site(const GenWorld *w, uint32_t project, uint32_t rank)
{
	const GenProject *p = &w->projects[project];
	GenSite *site = gen_alloc(sizeof(GenSite));
	GenRand r = gen_rand(p->hash, GEN_STREAM_SITE);

	site->page_count = 150 + (uint32_t) gen_exp2((12 << 16) - (int64_t) rank * 8000, 0);
	site->zipf = gen_zipf(site->page_count, 68813); /* exponent 1.05 */
	make_hosts(site, p);
	make_campaigns(site, &r);
	make_pages(site, p, &r);
	return site;
}

char *
gen_put_path(char *p, const GenSite *site, uint32_t page, uint32_t number)
{
	const GenPage *g = &site->pages[page];

	memcpy(p, site->text + g->path, g->path_length);
	p += g->path_length;
	return g->kind == GEN_PAGE_NUMBERED ? gen_put_int(p, number) : p;
}

char *
gen_put_page_title(char *p, const GenSite *site, uint32_t page, uint32_t number)
{
	const GenPage *g = &site->pages[page];

	memcpy(p, site->text + g->title, g->title_length);
	p += g->title_length;
	if (g->kind != GEN_PAGE_NUMBERED)
		return p;
	*p++ = '#';
	return gen_put_int(p, number);
}

char *
gen_put_query(char *p, const GenSite *site, uint32_t page, GenRand *r)
{
	static const char *const sorts[] = {"price", "newest", "popular", "rating"};

	switch (site->pages[page].kind)
	{
		case GEN_PAGE_SEARCH:
			p = gen_put(p, "q=");
			for (int left = 1 + (int) gen_rand_below(r, 3); left > 0; left--)
			{
				p = gen_put_word(p, gen_word_draw(r));
				if (left > 1)
					*p++ = '+';
			}
			return p;
		case GEN_PAGE_LISTING:
			if (gen_rand_chance(r, 6500))
				return p;
			if (gen_rand_chance(r, 3000))
				p = gen_put(gen_put(gen_put(p, "sort="), sorts[gen_rand_below(r, 4)]), "&");
			return gen_put_int(gen_put(p, "page="), gen_rand_lognormal_in(r, 2, 1 << 16, 1, 60));
		default:
			if (gen_rand_chance(r, 9950))
				return p;
			return gen_put_token(gen_put(p, "ref="), gen_rand_next(r), 8);
	}
}

/* ---------- referrers ---------- */

typedef struct KnownReferrer
{
	const char *domain;
	int weight;
	const char *path; /* "" for a generated one */
} KnownReferrer;

static const KnownReferrer known_referrers[] = {{"", 4300, ""},
												{"google.com", 2450, "/"},
												{"bing.com", 260, "/"},
												{"duckduckgo.com", 200, "/"},
												{"t.co", 190, ""},
												{"news.ycombinator.com", 120, "/item"},
												{"github.com", 220, ""},
												{"reddit.com", 170, ""},
												{"linkedin.com", 190, "/"},
												{"l.facebook.com", 180, "/"},
												{"m.facebook.com", 90, "/"},
												{"youtube.com", 110, "/"},
												{"chatgpt.com", 170, "/"},
												{"perplexity.ai", 60, "/"},
												{"claude.ai", 40, "/"},
												{"l.instagram.com", 90, "/"},
												{"baidu.com", 50, "/link"},
												{"yandex.ru", 60, "/"},
												{"search.yahoo.com", 45, "/"},
												{"ecosia.org", 30, "/"},
												{"medium.com", 50, ""},
												{"stackoverflow.com", 70, ""},
												{"dev.to", 35, ""},
												{"producthunt.com", 40, ""},
												{"substack.com", 30, ""},
												{"outlook.live.com", 25, "/"},
												{"mail.google.com", 30, "/"},
												{"bsky.app", 20, "/"},
												{"news.google.com", 45, "/"},
												{"wikipedia.org", 30, ""}};

static GenAlias referrer_alias;
static GenAlias tail_zipf;

void
gen_referrers_init(void)
{
	uint64_t weights[LENGTH(known_referrers) + 1];

	for (int i = 0; i < LENGTH(known_referrers); i++)
		weights[i] = (uint64_t) known_referrers[i].weight;
	weights[LENGTH(known_referrers)] = 700;
	referrer_alias = gen_alias(weights, LENGTH(weights));
	tail_zipf = gen_zipf(LONG_TAIL, 65536);
}

static char *
put_tail_domain(char *p, uint64_t hash)
{
	static const char *const endings[] = {".com",    ".com",   ".com",  ".net",  ".org", ".de",
										  ".io",     ".co.uk", ".fr",   ".blog", ".in",  ".jp",
										  ".com.br", ".nl",    ".info", ".dev"};
	GenRand r = {hash};

	return gen_put(gen_put_slug(p, &r, 1 + (int) (hash & 1)), endings[hash >> 60]);
}

void
gen_referrer(GenReferrer *ref, uint64_t project_hash, GenRand *r)
{
	uint32_t pick = gen_alias_draw(&referrer_alias, r);
	const char *path = "";
	GenRand page;

	memset(ref, 0, sizeof(*ref));
	if (pick == 0)
		return;
	if (pick < (uint32_t) LENGTH(known_referrers))
	{
		gen_put(ref->domain, known_referrers[pick].domain);
		path = known_referrers[pick].path;
	}
	else
		put_tail_domain(ref->domain, gen_hash(project_hash % 7, gen_alias_draw(&tail_zipf, r)));
	if (*path != '\0')
		gen_put(ref->path, path);
	else
	{
		/* A site is linked from few pages of each domain. */
		page = gen_rand(gen_hash(project_hash, pick), gen_rand_skewed(r, 40));
		ref->path[0] = '/';
		gen_put_slug(ref->path + 1, &page, 1 + (int) gen_rand_below(&page, 3));
	}
	if (pick == 5)
		gen_put_int(gen_put(ref->query, "id="), gen_rand_range(r, 44000000, 45999999));
	else if (gen_rand_chance(r, 150))
		gen_put_token(gen_put(ref->query, "ref="), gen_rand_next(r), 10);
}
