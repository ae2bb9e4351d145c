/*
 * generate_visitor.c
 *		Who visits: places and devices.
 */
#include "generate_visitor.h"

#include <stdlib.h>
#include <string.h>

#include "generate_out.h"
#include "generate_rand.h"
#include "generate_words.h"

#define MAX_CHOICES 16
#define MAX_CITIES 24
#define TOWNS 160 /* made-up towns of a country */
#define LENGTH(a) ((int) (sizeof(a) / sizeof((a)[0])))

/* ---------- places ---------- */

typedef struct Country
{
	const char *code;
	int weight;
	int mobile;            /* per cent of visits from telephones */
	const char *languages; /* drawn evenly */
	const char *cities;    /* region:city, largest first */
} Country;

static const Country countries[] = {
	{"US", 3000, 47, "en-US,en-US,en-US,en-US,en-US,en-US,es-US,en-US,zh-CN,en-GB",
	 "US-NY:New York,US-CA:Los Angeles,US-IL:Chicago,US-TX:Houston,US-CA:San Francisco,US-WA:Seattle,"
	 "US-TX:Dallas,US-GA:Atlanta,US-MA:Boston,US-VA:Ashburn,US-CO:Denver,US-FL:Miami,US-AZ:Phoenix,"
	 "US-PA:Philadelphia,US-CA:San Diego,US-TX:Austin,US-OR:Portland,US-MN:Minneapolis,US-NC:Charlotte,US-NV:Las Vegas"},
	{"GB", 720, 50, "en-GB,en-GB,en-GB,en-GB,en-US,en",
	 "GB-ENG:London,GB-ENG:Manchester,GB-ENG:Birmingham,GB-SCT:Edinburgh,GB-SCT:Glasgow,GB-ENG:Leeds,GB-ENG:Bristol,GB-WLS:Cardiff,GB-NIR:Belfast"},
	{"DE", 700, 44, "de-DE,de-DE,de-DE,de,de,en-US,en-GB",
	 "DE-BE:Berlin,DE-BY:M\xC3\xBCnchen,DE-HH:Hamburg,DE-NW:K\xC3\xB6ln,DE-HE:Frankfurt am Main,DE-BW:Stuttgart,DE-NW:D\xC3\xBCsseldorf,DE-SN:Leipzig,DE-NI:Hannover"},
	{"IN", 820, 76, "en-IN,en-US,en-GB,hi-IN,en-IN,ta-IN",
	 "IN-MH:Mumbai,IN-KA:Bengaluru,IN-DL:Delhi,IN-TN:Chennai,IN-TG:Hyderabad,IN-MH:Pune,IN-WB:Kolkata,IN-GJ:Ahmedabad,IN-RJ:Jaipur"},
	{"FR", 480, 48, "fr-FR,fr-FR,fr-FR,fr,fr,en-US",
	 "FR-IDF:Paris,FR-ARA:Lyon,FR-PAC:Marseille,FR-OCC:Toulouse,FR-PDL:Nantes,FR-HDF:Lille,FR-GES:Strasbourg,FR-NAQ:Bordeaux"},
	{"BR", 460, 64, "pt-BR,pt-BR,pt-BR,pt-BR,en-US",
	 "BR-SP:S\xC3\xA3o Paulo,BR-RJ:Rio de Janeiro,BR-MG:Belo Horizonte,BR-DF:Bras\xC3\xADlia,BR-PR:Curitiba,BR-BA:Salvador,BR-RS:Porto Alegre,BR-PE:Recife"},
	{"JP", 380, 55, "ja-JP,ja-JP,ja,ja,en-US",
	 "JP-13:Tokyo,JP-27:Osaka,JP-14:Yokohama,JP-23:Nagoya,JP-40:Fukuoka,JP-01:Sapporo,JP-26:Kyoto"},
	{"CA", 360, 46, "en-CA,en-CA,en-US,en-US,fr-CA",
	 "CA-ON:Toronto,CA-QC:Montr\xC3\xA9"
	 "al,CA-BC:Vancouver,CA-AB:Calgary,CA-ON:Ottawa,CA-AB:Edmonton,CA-MB:Winnipeg"},
	{"NL", 260, 45, "nl-NL,nl-NL,nl,en-US,en-GB",
	 "NL-NH:Amsterdam,NL-ZH:Rotterdam,NL-ZH:The Hague,NL-UT:Utrecht,NL-NB:Eindhoven,NL-GR:Groningen"},
	{"AU", 240, 49, "en-AU,en-AU,en-US,en-GB",
	 "AU-NSW:Sydney,AU-VIC:Melbourne,AU-QLD:Brisbane,AU-WA:Perth,AU-SA:Adelaide,AU-ACT:Canberra"},
	{"ES", 230, 56, "es-ES,es-ES,es,ca-ES,en-US",
	 "ES-MD:Madrid,ES-CT:Barcelona,ES-VC:Valencia,ES-AN:Sevilla,ES-AR:Zaragoza,ES-PV:Bilbao,ES-AN:M\xC3\xA1laga"},
	{"IT", 220, 57, "it-IT,it-IT,it,it,en-US",
	 "IT-25:Milano,IT-62:Roma,IT-21:Torino,IT-72:Napoli,IT-45:Bologna,IT-52:Firenze,IT-34:Verona"},
	{"CN", 210, 60, "zh-CN,zh-CN,zh-CN,zh,en-US",
	 "CN-SH:Shanghai,CN-BJ:Beijing,CN-GD:Shenzhen,CN-GD:Guangzhou,CN-ZJ:Hangzhou,CN-SC:Chengdu"},
	{"PL", 170, 52, "pl-PL,pl-PL,pl,en-US",
	 "PL-14:Warszawa,PL-12:Krak\xC3\xB3w,PL-02:Wroc\xC5\x82"
	 "aw,PL-30:Pozna\xC5\x84,PL-22:Gda\xC5\x84sk,PL-10:\xC5\x81\xC3\xB3"
	 "d\xC5\xBA"},
	{"MX", 190, 66, "es-MX,es-MX,es-419,en-US",
	 "MX-CMX:Mexico City,MX-JAL:Guadalajara,MX-NLE:Monterrey,MX-PUE:Puebla,MX-BCN:Tijuana,MX-QUE:Quer\xC3\xA9taro"},
	{"ID", 200, 80, "id-ID,id-ID,id,en-US",
	 "ID-JK:Jakarta,ID-JI:Surabaya,ID-JB:Bandung,ID-SU:Medan,ID-JT:Semarang,ID-BA:Denpasar"},
	{"KR", 160, 58, "ko-KR,ko-KR,ko,en-US",
	 "KR-11:Seoul,KR-26:Busan,KR-28:Incheon,KR-27:Daegu,KR-30:Daejeon"},
	{"SE", 120, 47, "sv-SE,sv-SE,sv,en-US,en-GB",
	 "SE-AB:Stockholm,SE-O:G\xC3\xB6teborg,SE-M:Malm\xC3\xB6,SE-C:Uppsala"},
	{"CH", 120, 46, "de-CH,de-CH,fr-CH,it-CH,en-US",
	 "CH-ZH:Z\xC3\xBCrich,CH-GE:Gen\xC3\xA8ve,CH-BS:Basel,CH-BE:Bern,CH-VD:Lausanne"},
	{"TR", 130, 68, "tr-TR,tr-TR,tr,en-US",
	 "TR-34:\xC4\xB0stanbul,TR-06:Ankara,TR-35:\xC4\xB0zmir,TR-16:Bursa,TR-07:Antalya"},
	{"SG", 110, 52, "en-SG,en-US,zh-CN,en-GB", "SG-01:Singapore"},
	{"UA", 90, 50, "uk-UA,uk-UA,uk,ru-UA,en-US",
	 "UA-30:Kyiv,UA-46:Lviv,UA-63:Kharkiv,UA-51:Odesa,UA-12:Dnipro"},
	{"AR", 90, 62, "es-AR,es-AR,es-419,en-US",
	 "AR-C:Buenos Aires,AR-X:C\xC3\xB3rdoba,AR-S:Rosario,AR-M:Mendoza"},
	{"NG", 90, 83, "en-NG,en-US,en-GB",
	 "NG-LA:Lagos,NG-FC:Abuja,NG-RI:Port Harcourt,NG-OY:Ibadan,NG-KN:Kano"},
	{"VN", 100, 70, "vi-VN,vi-VN,vi,en-US",
	 "VN-SG:Ho Chi Minh City,VN-HN:Hanoi,VN-DN:Da Nang,VN-HP:Haiphong"},
	{"PH", 90, 75, "en-PH,en-US,fil-PH",
	 "PH-00:Manila,PH-00:Quezon City,PH-CEB:Cebu City,PH-DAV:Davao"},
	{"IE", 70, 48, "en-IE,en-IE,en-GB,en-US", "IE-D:Dublin,IE-CO:Cork,IE-G:Galway,IE-LK:Limerick"},
	{"ZA", 70, 66, "en-ZA,en-ZA,en-US,af-ZA",
	 "ZA-GP:Johannesburg,ZA-WC:Cape Town,ZA-KZN:Durban,ZA-GP:Pretoria"},
	{"IL", 60, 52, "he-IL,he,en-US,ru-RU", "IL-TA:Tel Aviv,IL-JM:Jerusalem,IL-HA:Haifa"},
	{"PT", 60, 52, "pt-PT,pt-PT,pt,en-US", "PT-11:Lisboa,PT-13:Porto,PT-03:Braga,PT-06:Coimbra"}};

typedef struct Place
{
	char region[8];
	char city[40];
} Place;

typedef struct Land
{
	char languages[MAX_CHOICES][8];
	int language_count;
	Place places[MAX_CITIES + TOWNS];
	int cities;
	GenAlias zipf; /* over all places */
} Land;

static Land lands[LENGTH(countries)];
static GenAlias country_alias;

/* Copy up to one of two marks; returns the rest after the mark. */
static const char *
take(const char *s, const char *marks, char *into)
{
	size_t n = strcspn(s, marks);

	memcpy(into, s, n);
	into[n] = '\0';
	return s + n + (s[n] != '\0');
}

static void
make_towns(Land *land, uint64_t hash)
{
	static const char *const forms[] = {"", "", "", "ville", "ton", "burg", " City", "field"};

	for (int i = 0; i < TOWNS; i++)
	{
		Place *town = &land->places[land->cities + i];
		uint64_t h = gen_hash(hash, (uint64_t) i);

		memcpy(town->region, land->places[h % (uint64_t) land->cities].region,
			   sizeof(town->region));
		*gen_put(gen_put_brand(town->city, gen_mix64(h)), forms[h >> 61]) = '\0';
	}
}

static void
make_land(Land *land, const Country *c, uint64_t hash)
{
	for (const char *s = c->languages; *s != '\0';)
		s = take(s, ",", land->languages[land->language_count++]);
	for (const char *s = c->cities; *s != '\0';)
	{
		Place *place = &land->places[land->cities++];

		s = take(s, ":", place->region);
		s = take(s, ",", place->city);
	}
	make_towns(land, hash);
	land->zipf = gen_zipf((uint32_t) (land->cities + TOWNS), 65536);
}

/* ---------- devices ---------- */

typedef struct Platform
{
	const char *os;
	const char *device;   /* NULL: desktop or laptop, by the screen */
	int weight;           /* among those of its kind */
	const char *browsers; /* drawn evenly */
	const char *screens;
} Platform;

static const Platform desktops[] = {
	{"Windows 10", NULL, 520,
	 "chrome,chrome,chrome,chrome,chrome,edge-chromium,edge-chromium,firefox,chrome,opera",
	 "1920x1080,1920x1080,1536x864,1536x864,1366x768,2560x1440,1280x720,1600x900,3440x1440,1440x900"},
	{"Mac OS", NULL, 300, "chrome,chrome,chrome,chrome,safari,safari,safari,safari,firefox,chrome",
	 "1440x900,1512x982,1728x1117,2560x1440,1680x1050,1920x1080,1470x956,1800x1169,1512x982,1440x900"},
	{"Linux", NULL, 110, "chrome,firefox,chrome,firefox,chrome",
	 "1920x1080,2560x1440,1920x1080,1920x1200,3840x2160"},
	{"Chrome OS", NULL, 40, "chrome", "1366x768,1366x768,1280x800,1536x864"},
	{"Windows 7", NULL, 10, "chrome,firefox,ie", "1366x768,1280x1024,1920x1080"}};

static const Platform telephones[] = {
	{"iOS", "mobile", 450, "ios,ios,ios,ios,ios,ios,crios,ios-webview,ios-webview,instagram",
	 "390x844,390x844,393x852,393x852,430x932,414x896,375x812,428x926,375x667,402x874"},
	{"Android OS", "mobile", 470,
	 "chrome,chrome,chrome,chrome,chrome,chrome,samsung,chromium-webview,facebook,firefox",
	 "360x800,360x800,412x915,393x873,384x832,412x892,360x780,385x854,393x852,320x712"},
	{"iOS", "tablet", 45, "ios,ios,ios,crios", "820x1180,768x1024,810x1080,1024x1366,834x1194"},
	{"Android OS", "tablet", 35, "chrome,chrome,samsung", "800x1280,753x1205,1280x800,600x1024"}};

typedef struct Kit
{
	char browsers[MAX_CHOICES][20];
	char screens[MAX_CHOICES][12];
	uint32_t browser_count;
	uint32_t screen_count;
} Kit;

static Kit desktop_kits[LENGTH(desktops)];
static Kit telephone_kits[LENGTH(telephones)];
static GenAlias desktop_alias;
static GenAlias telephone_alias;

static GenAlias
make_kits(Kit *kits, const Platform *platforms, int n)
{
	uint64_t weights[8];

	for (int i = 0; i < n; i++)
	{
		for (const char *s = platforms[i].browsers; *s != '\0';)
			s = take(s, ",", kits[i].browsers[kits[i].browser_count++]);
		for (const char *s = platforms[i].screens; *s != '\0';)
			s = take(s, ",", kits[i].screens[kits[i].screen_count++]);
		weights[i] = (uint64_t) platforms[i].weight;
	}
	return gen_alias(weights, (uint32_t) n);
}

void
gen_visitors_init(void)
{
	uint64_t weights[LENGTH(countries)];

	for (int i = 0; i < LENGTH(countries); i++)
	{
		weights[i] = (uint64_t) countries[i].weight;
		make_land(&lands[i], &countries[i], gen_hash(UINT64_C(0x746F776E), (uint64_t) i));
	}
	country_alias = gen_alias(weights, LENGTH(countries));
	desktop_alias = make_kits(desktop_kits, desktops, LENGTH(desktops));
	telephone_alias = make_kits(telephone_kits, telephones, LENGTH(telephones));
}

/* Half of a site's visitors come from its own country. */
static uint32_t
draw_country(uint64_t site_hash, GenRand *r)
{
	if (gen_rand_chance(r, 4500))
		return gen_alias_at(&country_alias, gen_mix64(site_hash));
	return gen_alias_draw(&country_alias, r);
}

static void
draw_device(GenVisitor *v, int mobile, GenRand *r)
{
	bool telephone = gen_rand_below(r, 100) < (uint32_t) mobile;
	uint32_t i = gen_alias_draw(telephone ? &telephone_alias : &desktop_alias, r);
	const Platform *platform = telephone ? &telephones[i] : &desktops[i];
	const Kit *kit = telephone ? &telephone_kits[i] : &desktop_kits[i];

	v->os = platform->os;
	v->browser = kit->browsers[gen_rand_below(r, kit->browser_count)];
	v->screen = kit->screens[gen_rand_below(r, kit->screen_count)];
	v->device = platform->device;
	if (v->device == NULL)
		v->device = atoi(v->screen) >= 1920 ? "desktop" : "laptop";
}

GenVisitor
gen_visitor(uint64_t site_hash, uint64_t hash)
{
	GenRand r = gen_rand(site_hash, hash);
	uint32_t country = draw_country(site_hash, &r);
	const Land *land = &lands[country];
	const Place *place = &land->places[gen_alias_draw(&land->zipf, &r)];
	GenVisitor v;

	v.country = countries[country].code;
	v.language = land->languages[gen_rand_below(&r, (uint32_t) land->language_count)];
	v.region = place->region;
	v.city = place->city;
	draw_device(&v, countries[country].mobile, &r);
	return v;
}
