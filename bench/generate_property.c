/*
 * generate_property.c
 *		Names of custom events, and properties of events and sessions.
 */
#include "generate_property.h"

#include <string.h>

#include "generate_out.h"
#include "generate_words.h"

#define GROUP_KEYS 8
#define COMMON_KEYS (GEN_EVENT_PROPERTIES - GROUP_KEYS)
#define DAY INT64_C(86400000)

typedef enum Form
{
	CHOICE, /* one of a list, the first most often */
	SLUG,   /* low words, one of count */
	TITLE,  /* the same with capitals */
	TOKEN,  /* random, all different */
	CODE,   /* letters and a number below count */
	WHOLE,  /* a whole number around count */
	MONEY,  /* an amount around count, in hundredths */
	RATIO,  /* 0..1, four decimals */
	PAST,
	FUTURE /* a date up to count days away */
} Form;

typedef struct Key
{
	const char *name;
	Form form;
	int count;
	const char *choices;
} Key;

typedef enum Group
{
	COMMERCE,
	ACCOUNT,
	INTERFACE,
	FORM,
	MEDIA,
	SEARCH,
	CONTENT,
	USAGE
} Group;

static const Key group_keys[][GROUP_KEYS] = {
	[COMMERCE] = {{"product_id", CODE, 900, "SKU-"},
				  {"price", MONEY, 4900, ""},
				  {"quantity", WHOLE, 2, ""},
				  {"currency", CHOICE, 0, "USD,USD,USD,EUR,GBP,JPY,INR"},
				  {"product_name", TITLE, 900, ""},
				  {"category", SLUG, 30, ""},
				  {"coupon", CODE, 40, "SAVE"},
				  {"delivery_date", FUTURE, 14, ""}},
	[ACCOUNT] = {{"plan", CHOICE, 0, "free,free,free,pro,pro,team,enterprise"},
				 {"method", CHOICE, 0, "google,email,email,github,sso,apple"},
				 {"seats", WHOLE, 4, ""},
				 {"amount", MONEY, 2900, ""},
				 {"billing_cycle", CHOICE, 0, "monthly,monthly,yearly"},
				 {"trial_ends_at", FUTURE, 30, ""},
				 {"referral_code", CODE, 100000, "REF"},
				 {"invited_by", TOKEN, 12, ""}},
	[INTERFACE] = {{"button_id", SLUG, 120, ""},
				   {"label", TITLE, 120, ""},
				   {"position", WHOLE, 3, ""},
				   {"section", CHOICE, 0, "hero,header,footer,sidebar,pricing,modal,card"},
				   {"element", CHOICE, 0, "button,link,tab,icon,menu"},
				   {"duration_ms", WHOLE, 850, ""},
				   {"theme", CHOICE, 0, "light,light,dark"},
				   {"visible_share", RATIO, 0, ""}},
	[FORM] = {{"form_id", SLUG, 40, ""},
			  {"step", WHOLE, 2, ""},
			  {"field_count", WHOLE, 6, ""},
			  {"completion_seconds", WHOLE, 45, ""},
			  {"error", CHOICE, 0, "none,none,none,invalid_email,required,too_short"},
			  {"company", TITLE, 5000, ""},
			  {"employees", CHOICE, 0, "1-10,11-50,51-200,201-1000,1000+"},
			  {"preferred_date", FUTURE, 60, ""}},
	[MEDIA] = {{"video_id", TOKEN, 11, ""},
			   {"title", TITLE, 300, ""},
			   {"progress", RATIO, 0, ""},
			   {"duration_seconds", WHOLE, 240, ""},
			   {"quality", CHOICE, 0, "1080p,720p,auto,auto,480p,2160p"},
			   {"muted", CHOICE, 0, "false,true"},
			   {"playback_rate", RATIO, 0, ""},
			   {"published_at", PAST, 700, ""}},
	[SEARCH] = {{"query", SLUG, 20000, ""},
				{"results_count", WHOLE, 24, ""},
				{"filters", SLUG, 60, ""},
				{"sort_by", CHOICE, 0, "relevance,relevance,newest,price"},
				{"page", WHOLE, 1, ""},
				{"took_ms", WHOLE, 110, ""},
				{"from_date", PAST, 365, ""},
				{"clicked_position", WHOLE, 2, ""}},
	[CONTENT] = {{"article_id", CODE, 4000, "A"},
				 {"author", SLUG, 60, ""},
				 {"word_count", WHOLE, 900, ""},
				 {"scroll_depth", RATIO, 0, ""},
				 {"published_at", PAST, 900, ""},
				 {"topic", SLUG, 80, ""},
				 {"reading_seconds", WHOLE, 70, ""},
				 {"network", CHOICE, 0, "x,linkedin,facebook,copy_link,email"}},
	[USAGE] = {{"feature", SLUG, 60, ""},
			   {"workspace_id", CODE, 3000, "ws_"},
			   {"items", WHOLE, 12, ""},
			   {"size_kb", WHOLE, 380, ""},
			   {"format", CHOICE, 0, "csv,csv,json,pdf,xlsx,parquet"},
			   {"created_on", PAST, 400, ""},
			   {"latency_ms", WHOLE, 320, ""},
			   {"result", CHOICE, 0, "ok,ok,ok,ok,cancelled,failed"}}};

static const Key common_keys[COMMON_KEYS] = {
	{"experiment", CHOICE, 0, "control,control,variant-a,variant-b"},
	{"app_version", CHOICE, 0, "4.12.1,4.12.0,4.11.3,4.10.0"},
	{"session_seconds", WHOLE, 180, ""},
	{"client_time", PAST, 0, ""}};

static const Key session_keys[GEN_SESSION_PROPERTIES] = {
	{"plan", CHOICE, 0, "free,free,free,free,pro,pro,team,enterprise"},
	{"signup_date", PAST, 800, ""},
	{"role", CHOICE, 0, "member,member,member,admin,owner,viewer,billing"},
	{"lifetime_value", MONEY, 12000, ""},
	{"company", TITLE, 8000, ""},
	{"team_size", WHOLE, 9, ""},
	{"email_domain", SLUG, 3000, ""},
	{"ab_variant", CHOICE, 0, "control,control,variant-a,variant-b"},
	{"sessions_before", WHOLE, 11, ""},
	{"last_login", PAST, 30, ""},
	{"theme", CHOICE, 0, "light,light,dark,system"},
	{"referral_code", CODE, 100000, "REF"}};

static const struct
{
	const char *name;
	Group group;
} events[] = {{"button_click", INTERFACE},
			  {"add_to_cart", COMMERCE},
			  {"signup", ACCOUNT},
			  {"search", SEARCH},
			  {"scroll", CONTENT},
			  {"purchase", COMMERCE},
			  {"login", ACCOUNT},
			  {"form_submit", FORM},
			  {"video_play", MEDIA},
			  {"download", USAGE},
			  {"share", CONTENT},
			  {"outbound_link", INTERFACE},
			  {"begin_checkout", COMMERCE},
			  {"newsletter_subscribe", FORM},
			  {"file_upload", USAGE},
			  {"export", USAGE},
			  {"video_complete", MEDIA},
			  {"remove_from_cart", COMMERCE},
			  {"plan_select", ACCOUNT},
			  {"filter_apply", SEARCH},
			  {"cta_click", INTERFACE},
			  {"invite_sent", ACCOUNT},
			  {"view_item", COMMERCE},
			  {"copy_code", CONTENT},
			  {"tab_open", INTERFACE},
			  {"form_start", FORM},
			  {"feedback", FORM},
			  {"logout", ACCOUNT},
			  {"trial_start", ACCOUNT},
			  {"comment_post", CONTENT},
			  {"wishlist_add", COMMERCE},
			  {"chat_open", INTERFACE},
			  {"chat_message", USAGE},
			  {"api_key_create", USAGE},
			  {"project_create", USAGE},
			  {"demo_request", FORM},
			  {"coupon_apply", COMMERCE},
			  {"error_shown", INTERFACE},
			  {"dark_mode_toggle", INTERFACE},
			  {"video_pause", MEDIA}};

const char *
gen_event_name(int name)
{
	return events[name].name;
}

static char *
put_choice(char *p, const char *choices, GenRand *r)
{
	int n = 1;

	for (const char *s = choices; *s != '\0'; s++)
		n += *s == ',';
	for (n = (int) gen_rand_below(r, (uint32_t) n); n > 0; n--)
		choices += strcspn(choices, ",") + 1;
	n = (int) strcspn(choices, ",");
	memcpy(p, choices, (size_t) n);
	return p + n;
}

/* One of count phrases, the first of them more often. */
static char *
put_phrase(char *p, const Key *key, GenRand *r)
{
	GenRand phrase = gen_rand((uint64_t) (unsigned char) key->name[0],
							  gen_rand_skewed(r, (uint32_t) key->count));
	char slug[64];
	char *end = gen_put_slug(slug, &phrase, 1 + (int) gen_rand_below(&phrase, 3));

	if (key->form == TITLE)
		return gen_put_title(p, slug, (size_t) (end - slug));
	memcpy(p, slug, (size_t) (end - slug));
	return p + (end - slug);
}

static void
fill_text(GenProperty *p, const Key *key, GenRand *r)
{
	char *end = p->text;

	p->type = GEN_STRING;
	switch (key->form)
	{
		case CHOICE:
			end = put_choice(end, key->choices, r);
			break;
		case TOKEN:
			end = gen_put_token(end, gen_rand_next(r), key->count);
			break;
		case CODE:
			end = gen_put_int(gen_put(end, key->choices), gen_rand_below(r, (uint32_t) key->count));
			break;
		default:
			end = put_phrase(end, key, r);
			break;
	}
	*end = '\0';
}

static void
fill(GenProperty *p, const Key *key, int64_t now, GenRand *r)
{
	int64_t away = (int64_t) (gen_rand_next(r) >> 16) % ((int64_t) key->count * DAY + 5000);

	p->key = key->name;
	p->type = GEN_NUMBER;
	switch (key->form)
	{
		case WHOLE:
			p->number = gen_rand_lognormal_in(r, (uint64_t) key->count * 16 + 8, 78643, 0,
											  INT64_C(1) << 40) /
						16 * 10000;
			break;
		case MONEY:
			p->number =
				gen_rand_lognormal_in(r, (uint64_t) key->count, 98304, 1, INT64_C(1) << 40) * 100;
			break;
		case RATIO:
			p->number = gen_rand_range(r, 0, 10000);
			break;
		case PAST:
		case FUTURE:
			p->type = GEN_DATE;
			p->date = key->form == PAST ? now - away : now + away;
			break;
		default:
			fill_text(p, key, r);
			break;
	}
}

void
gen_event_property(GenProperty *p, int name, int i, int64_t now, GenRand *r)
{
	const Key *key =
		i < GROUP_KEYS ? &group_keys[events[name].group][i] : &common_keys[i - GROUP_KEYS];

	fill(p, key, now, r);
}

void
gen_session_property(GenProperty *p, int i, int64_t now, uint64_t visitor_hash)
{
	GenRand r = gen_rand(visitor_hash, (uint64_t) i + 100);

	fill(p, &session_keys[i], now, &r);
}
