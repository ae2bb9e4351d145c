/*
 * generate_business.c
 *		The tables organizations, projects and business_events.
 */
#include "generate_session.h"
#include "generate_table.h"
#include "generate_words.h"

#define PRODUCTS 250 /* of a project */

/* ---------- organizations, projects ---------- */

void
gen_organizations(const GenWorld *w, GenOut *o)
{
	static const char *const kinds[] = {"",      " Inc.", " Ltd",    " GmbH",
										" Labs", " AI",   " Studio", " Group"};
	static const char *const plans[] = {"free", "team", "team", "enterprise"};

	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		uint64_t hash = gen_world_hash(w, GEN_STREAM_ORGANIZATION, i);
		int64_t created = w->options.start - (int64_t) (hash >> 16) % (900 * GEN_DAY);
		char text[128];
		char *end = gen_put_organization(text, w, i);

		gen_out_uuid(o, gen_uuid(hash));
		end = gen_put(end, kinds[hash >> 61]);
		gen_out_text(o, text, (size_t) (end - text));
		end = gen_put_organization(text, w, i);
		text[0] |= 0x20;
		end = gen_put_int(gen_put(end, "-"), (int64_t) i + 1);
		gen_out_text(o, text, (size_t) (end - text));
		gen_out_time(o, created);
		gen_out_time(o,
					 created + (int64_t) (gen_mix64(hash) >> 1) % (w->options.start - created + 1));
		end = gen_put(gen_put(text, "{\"plan\": \""), plans[(hash >> 8) & 3]);
		end = gen_put_int(gen_put(end, "\", \"seats\": "), 1 + (int64_t) (hash % 200));
		end = gen_put(end, hash & 4096 ? ", \"sso\": true}" : ", \"sso\": false}");
		gen_out_json(o, text, (size_t) (end - text));
		gen_out_end_row(o);
	}
}

void
gen_projects(const GenWorld *w, GenOut *o)
{
	static const char *const labels[] = {"",      " EU", " Staging",  " Mobile",
										 " Docs", " 2",  " Internal", " Beta"};

	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		GenProject p = gen_world_project(w, i);
		const char *type = gen_project_type_name(p.type);
		int64_t created = w->options.start - (int64_t) (p.hash >> 16) % (700 * GEN_DAY);
		char text[128];
		char *end = gen_put(gen_put(text, p.brand), " ");

		gen_out_uuid(o, p.id);
		gen_out_uuid(o, p.organization_id);
		end = gen_put(gen_put(end, type), labels[p.hash >> 61]);
		gen_out_text(o, text, (size_t) (end - text));
		end = gen_put(gen_put(gen_put(gen_put(text, p.slug), "-"), type), "-");
		end = gen_put_int(end, (int64_t) i + 1);
		gen_out_text(o, text, (size_t) (end - text));
		gen_out_string(o, type);
		gen_out_time(o, created);
		gen_out_time(o, created +
							(int64_t) (gen_mix64(p.hash) >> 1) % (w->options.start - created + 1));
		end = gen_put(text,
					  p.hash & 1 ? "{\"timezone\": \"UTC\"" : "{\"timezone\": \"Europe/Berlin\"");
		end =
			gen_put_int(gen_put(end, ", \"retention_days\": "), INT64_C(30) << ((p.hash >> 4) & 3));
		end = gen_put(end, "}");
		gen_out_json(o, text, (size_t) (end - text));
		gen_out_end_row(o);
	}
}

/* ---------- business_events ---------- */

typedef enum Kind
{
	PURCHASE,
	SIGNUP,
	SUBSCRIPTION,
	API_CALL
} Kind;

typedef struct Sale
{
	Kind kind;
	uint64_t hash;    /* of the row */
	uint64_t product; /* hash of the product, 0 for none */
	int product_number;
	int64_t price; /* of one, ten-thousandths */
	int quantity;  /* 0 for none */
} Sale;

static const char *const kind_names[] = {"purchase", "signup", "subscription", "api_call"};

static const char *const event_names[4][4] = {
	{"order_completed", "order_completed", "cart_checkout", "gift_card_redeemed"},
	{"account_created", "account_created", "trial_started", "invite_accepted"},
	{"subscription_renewed", "subscription_started", "subscription_upgraded",
	 "subscription_cancelled"},
	{"metered_usage", "metered_usage", "metered_usage", "overage_billed"}};

static void
plan_sale(Sale *s, const GenProject *p, GenRand *r)
{
	static const uint8_t kinds[20] = {0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};

	s->kind = (Kind) kinds[gen_rand_below(r, 20)];
	s->product_number = 0;
	s->product = 0;
	s->price = 0;
	s->quantity = 0;
	if (s->kind == API_CALL)
	{
		s->quantity = (int) gen_rand_lognormal_in(r, 40, 2 * 65536, 1, 100000);
		s->price = 12;
	}
	else if (s->kind != SIGNUP)
	{
		s->product_number = (int) gen_rand_skewed(r, PRODUCTS);
		if (s->kind == SUBSCRIPTION)
			s->product_number = s->product_number % 4;
		s->product =
			gen_hash(p->hash, 3000 + 1000 * (uint64_t) s->kind + (uint64_t) s->product_number);
		s->price = (1 + (int64_t) (s->product % 9)) * (s->product & 16 ? 10000 : 100000) *
					   (s->product & 32 ? 5 : 1) -
				   100;
		s->quantity = s->kind == PURCHASE ? 1 + (int) gen_rand_skewed(r, 5) : 1;
	}
}

static void
out_amounts(GenOut *o, const Sale *s, GenRand *r)
{
	static const char *const currencies[] = {"USD", "USD", "USD", "USD", "USD", "USD",
											 "EUR", "EUR", "GBP", "JPY", "INR", "BRL"};
	int64_t discount = gen_rand_chance(r, 1500) ? gen_rand_range(r, 5, 40) : 0;

	if (s->quantity == 0)
		gen_out_null(o);
	else
		gen_out_decimal(o, s->price * s->quantity * (100 - discount) / 100, 4);
	gen_out_string(o, currencies[s->kind == API_CALL ? 0 : gen_rand_below(r, 12)]);
	if (s->quantity == 0)
		gen_out_null(o);
	else
		gen_out_int(o, s->quantity);
}

static void
out_product(GenOut *o, const Sale *s)
{
	GenRand r = {s->product};
	char slug[64];
	char text[64];
	char *end;

	if (s->product == 0)
	{
		gen_out_null(o);
		gen_out_null(o);
		return;
	}
	end =
		gen_put_int(gen_put(text, s->kind == PURCHASE ? "prod_" : "plan_"), s->product_number + 1);
	gen_out_text(o, text, (size_t) (end - text));
	end = gen_put_slug(slug, &r, 1 + (int) (s->product % 3));
	end = gen_put_title(text, slug, (size_t) (end - slug));
	gen_out_text(o, text, (size_t) (end - text));
}

static char *
put_properties(char *p, const Sale *s, GenRand *r)
{
	static const char *const payments[] = {"card",      "card",    "card", "paypal",
										   "apple_pay", "invoice", "sepa"};

	switch (s->kind)
	{
		case PURCHASE:
			p = gen_put(gen_put(p, "{\"payment\": \""), payments[gen_rand_below(r, 7)]);
			p = gen_put_int(gen_put(p, "\", \"order\": "), gen_rand_range(r, 100000, 99999999));
			return gen_put(p,
						   gen_rand_chance(r, 3000) ? ", \"first\": true}" : ", \"first\": false}");
		case SIGNUP:
			return gen_put(p, gen_rand_chance(r, 5000) ? "{\"method\": \"google\"}"
													   : "{\"method\": \"email\"}");
		case SUBSCRIPTION:
			p = gen_put(p, gen_rand_chance(r, 7000) ? "{\"interval\": \"month\""
													: "{\"interval\": \"year\"");
			p = gen_put_int(gen_put(p, ", \"seats\": "),
							gen_rand_lognormal_in(r, 3, 65536, 1, 500));
			return gen_put(p, "}");
		default:
			return gen_put(p, "{}");
	}
}

static void
out_sale(GenOut *o, const GenWorld *w, const Sale *s, uint64_t session, const GenProject *p,
		 GenRand *r)
{
	static const char *const sources[] = {"web", "web", "web", "mobile", "mobile", "agent"};
	static const char *const channels[] = {"organic", "organic", "organic",
										   "paid",    "paid",    "referral"};
	uint32_t user = gen_rand_skewed(r, 6000);
	char text[128];

	gen_out_uuid(o, gen_uuid(s->hash));
	gen_out_uuid(o, p->id);
	gen_out_uuid(o, p->organization_id);
	gen_out_string(o, kind_names[s->kind]);
	gen_out_string(o, event_names[s->kind][gen_rand_below(r, 4)]);
	if (gen_rand_chance(r, 800))
		gen_out_null(o);
	else
		gen_out_text(
			o, text,
			(size_t) (gen_put_hex(gen_put(text, "usr_"), gen_hash(p->hash, user), 10) - text));
	if (s->kind == API_CALL || gen_rand_chance(r, 1500))
		gen_out_null(o);
	else
		gen_out_uuid(o, gen_session_id(w, session));
	out_amounts(o, s, r);
	gen_out_string(o, s->kind == API_CALL ? "api" : sources[gen_rand_below(r, 6)]);
	gen_out_string(o, channels[gen_rand_below(r, 6)]);
	out_product(o, s);
	gen_out_json(o, text, (size_t) (put_properties(text, s, r) - text));
}

/*
 * An event belongs to a session of website_events of about its time, given that
 * table has as many rows; sessions have less than five hits on average.
 */
void
gen_business_events(const GenWorld *w, GenOut *o)
{
	GenPopularity sites = gen_session_sites(w);

	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		uint64_t session = i / 6;
		const GenProject *p = &w->projects[gen_session_project(w, &sites, session)];
		GenRand r = {gen_world_hash(w, GEN_STREAM_BUSINESS, i)};
		Sale s;
		int64_t time = gen_world_time(w, i, w->options.rows) - gen_rand_below(&r, 1200);

		s.hash = gen_rand_next(&r);
		if (gen_rand_chance(&r, 20))
			time -= gen_rand_lognormal_in(&r, 15 * GEN_MINUTE, 2 * 65536, GEN_MINUTE, GEN_DAY);
		plan_sale(&s, p, &r);
		out_sale(o, w, &s, session, p, &r);
		gen_out_time(o, gen_world_clamp(w, time));
		gen_out_end_row(o);
	}
}
