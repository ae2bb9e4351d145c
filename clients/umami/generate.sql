-- Fills the tables of schema.sql with :events events of eight websites over 180 days before 2026-11-01, the same rows at every run.
-- Ids are what Umami's are: uuids in no order. psql -v events=1000000 -f generate.sql

-- A number from 0 to m - 1 that depends on n and on what it is for.
CREATE FUNCTION pick(n bigint, purpose bigint, m bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (hashint8extended(n, purpose) & 9007199254740991) % m;
CREATE FUNCTION id_of(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN md5(kind || n)::uuid;

INSERT INTO "user" (user_id, username, password, role) SELECT id_of('user', n), 'user' || n, 'x', 'admin' FROM generate_series(1, 3) AS n;
INSERT INTO team (team_id, name, access_code) VALUES (id_of('team', 1), 'team', 'team_code');
INSERT INTO team_user (team_user_id, team_id, user_id, role) VALUES (id_of('team_user', 1), id_of('team', 1), id_of('user', 2), 'team-owner');
INSERT INTO website (website_id, name, domain, user_id, team_id)
SELECT id_of('website', n), 'Site ' || n, 'site' || n || '.example', CASE WHEN n < 6 THEN id_of('user', 1) END, CASE WHEN n >= 6 THEN id_of('team', 1) END
FROM generate_series(0, 7) AS n;
INSERT INTO segment (segment_id, website_id, type, name, parameters)
SELECT id_of('segment', n), id_of('website', n), 'segment', 'German visitors', '{"filters": {"country": "DE"}}' FROM generate_series(0, 7) AS n;

-- Website 0 has a third of the visitors.
CREATE TEMPORARY TABLE visitor AS
SELECT k, least(pick(k, 1, 8), pick(k, 2, 8), pick(k, 3, 8)) AS site,
	timestamptz '2026-05-05 00:00:00+00' + pick(k, 5, 178 * 86400) * interval '1 second' + pick(k, 6, 1000) * interval '1 millisecond' AS born
FROM generate_series(1, :events / 6 + 1) AS k;

INSERT INTO session
SELECT id_of('session', k), id_of('website', site),
	(ARRAY['chrome', 'firefox', 'safari', 'edge-chromium', 'ios', 'samsung', NULL])[1 + pick(k, 11, 7)],
	(ARRAY['Windows 10', 'Mac OS', 'Linux', 'iOS', 'Android OS'])[1 + pick(k, 12, 5)],
	(ARRAY['desktop', 'laptop', 'mobile', 'tablet'])[1 + pick(k, 13, 4)],
	(ARRAY['1920x1080', '1536x864', '390x844', '2560x1440', NULL])[1 + pick(k, 14, 5)],
	(ARRAY['en-US', 'de-DE', 'fr-FR', 'en-GB', 'ja-JP', 'pt-BR', ''])[1 + pick(k, 15, 7)],
	(ARRAY['US', 'DE', 'FR', 'GB', 'JP', 'BR', 'IN', NULL])[1 + least(pick(k, 16, 8), pick(k, 17, 8))],
	CASE WHEN pick(k, 18, 3) > 0 THEN 'US-' || chr(65 + pick(k, 19, 20)::integer) END,
	CASE WHEN pick(k, 20, 5) > 0 THEN 'City ' || pick(k, 21, 300) ELSE '' END,
	CASE WHEN pick(k, 22, 5) = 0 THEN 'customer-' || pick(k, 23, :events / 20 + 1) END,
	born
FROM visitor ORDER BY born;

-- An event of a visit of a visitor; some visitors come often. Some sites call themselves with www, some do not.
CREATE TEMPORARY TABLE hit AS
SELECT n, v.k, v.site, pick(n, 30, 4) AS visit,
	least(v.born + pick(v.k * 8 + pick(n, 30, 4), 31, 40) * interval '1 day' + pick(n, 32, 2400) * interval '1 second'
		+ pick(n, 33, 1000) * interval '1 millisecond', timestamptz '2026-11-01 00:00:00+00' - pick(n, 34, 500000) * interval '1 millisecond') AS at,
	CASE WHEN pick(n, 35, 20) < 16 THEN 1 WHEN pick(n, 35, 20) < 19 THEN 2 ELSE 5 END AS type,
	CASE WHEN pick(v.k, 36, 4) = 0 THEN (ARRAY['google', 'newsletter', 'twitter', 'partner'])[1 + pick(v.k, 37, 4)] END AS source
FROM (SELECT n, 1 + least(pick(n, 38, :events / 6 + 1), pick(n, 39, :events / 6 + 1)) AS k FROM generate_series(1, :events) AS n) AS e
JOIN visitor AS v ON v.k = e.k;

INSERT INTO website_event
SELECT id_of('event', n), id_of('website', site), id_of('session', k), id_of('visit', k * 4 + visit), at,
	(ARRAY['/', '/', '/pricing', '/docs', '/blog', '/checkout', '/blog/post-' || pick(n, 41, 200), '/docs/page-' || pick(n, 42, 80), '/Shop/Item%20' || pick(n, 43, 500)])[1 + pick(n, 40, 9)],
	CASE WHEN source IS NOT NULL THEN 'utm_source=' || source || '&utm_medium=cpc&gclid=' || pick(n, 44, 99) WHEN pick(n, 45, 6) = 0 THEN 'page=' || pick(n, 46, 20) WHEN pick(n, 45, 6) < 5 THEN '' END,
	source, CASE WHEN source IS NOT NULL THEN (ARRAY['cpc', 'email', 'social', 'paid_social', 'affiliate', 'organic', 'referral', ''])[1 + pick(k, 47, 8)] END,
	CASE WHEN source IS NOT NULL THEN 'campaign-' || pick(k, 48, 12) END, CASE WHEN source = 'google' THEN 'ad ' || pick(k, 49, 5) END,
	CASE WHEN source = 'google' THEN 'analytics software ' || pick(k, 50, 9) END,
	CASE WHEN r.domain <> '' THEN '/from/' || pick(n, 51, 30) END, CASE WHEN r.domain <> '' AND pick(n, 52, 4) = 0 THEN 'q=' || pick(n, 53, 100) END, r.domain,
	CASE WHEN type = 1 THEN 'Title of page ' || pick(n, 54, 120) END,
	CASE WHEN source = 'google' AND pick(n, 55, 2) = 0 THEN md5('g' || n) END, CASE WHEN source = 'twitter' AND pick(n, 56, 3) = 0 THEN md5('f' || n) END,
	CASE WHEN pick(n, 57, 200) = 0 THEN md5('m' || n) END, CASE WHEN pick(n, 58, 300) = 0 THEN md5('t' || n) END, NULL, CASE WHEN pick(n, 59, 400) = 0 THEN 'tw' END,
	type, CASE WHEN type = 2 THEN (ARRAY['signup', 'purchase', 'download', 'Search', 'add to cart'])[1 + pick(n, 60, 5)] END,
	CASE WHEN pick(n, 61, 30) = 0 THEN 'variant-' || pick(n, 62, 3) END,
	CASE WHEN pick(n, 63, 3) = 0 THEN 'www.' ELSE '' END || 'site' || site || '.example',
	CASE WHEN type = 5 THEN 500 + pick(n, 64, 60000) / 10.0 END, CASE WHEN type = 5 AND pick(n, 65, 5) > 0 THEN pick(n, 66, 9000) / 10.0 END,
	CASE WHEN type = 5 THEN pick(n, 67, 5000) / 10000.0 END, CASE WHEN type = 5 THEN 300 + pick(n, 68, 30000) / 10.0 END, CASE WHEN type = 5 THEN pick(n, 69, 20000) / 10.0 END
FROM hit CROSS JOIN LATERAL (SELECT (ARRAY[NULL, '', 'google.com', 'news.ycombinator.com', 't.co', 'mail.yahoo.com', 'www.site0.example', 'site' || site || '.example', 'amazon.de',
	'youtube.com', 'blog.partner.org'])[1 + pick(n, 70, 11)] AS domain) AS r
ORDER BY at;

-- As Umami writes values: numbers with four digits, dates as text too.
INSERT INTO event_data
SELECT id_of('event_data' || p.key, n), id_of('website', site), id_of('event', n), p.key, p.string, p.number, p.date, p.type, at
FROM hit CROSS JOIN LATERAL (VALUES
	('plan', (ARRAY['free', 'pro', 'Team'])[1 + pick(n, 80, 3)], NULL::numeric, NULL::timestamptz, 1),
	('amount', pick(n, 81, 40) || '.0000', pick(n, 81, 40), NULL, 2),
	('trial', CASE WHEN pick(n, 82, 2) = 0 THEN 'true' ELSE 'false' END, NULL, NULL, 3),
	('renews', to_char(at AT TIME ZONE 'UTC' + interval '30 days', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), NULL, at + interval '30 days', 4)) AS p (key, string, number, date, type)
WHERE hit.type = 2 AND pick(n, 83, 4) > 0 AND (p.type < 3 OR pick(n, 84, 2) = 0)
ORDER BY at;

INSERT INTO session_data
SELECT id_of('session_data' || p.key, k), s.website_id, s.session_id, p.key, p.string, p.number, NULL, p.type, s.distinct_id, s.created_at + interval '1 minute'
FROM visitor JOIN session AS s ON s.session_id = id_of('session', k) CROSS JOIN LATERAL (VALUES
	('name', 'Name ' || pick(k, 90, 5000), NULL::numeric, 1), ('age', 18 + pick(k, 91, 60) || '.0000', 18 + pick(k, 91, 60), 2),
	('tier', (ARRAY['gold', 'silver', 'bronze'])[1 + pick(k, 92, 3)], NULL, 1)) AS p (key, string, number, type)
WHERE s.distinct_id IS NOT NULL
ORDER BY s.created_at;

INSERT INTO revenue
SELECT id_of('revenue', n), website_id, session_id, event_id, event_name, (ARRAY['USD', 'usd', 'EUR'])[1 + pick(n, 95, 3)], pick(n, 96, 1000000) / 100.0, created_at
FROM hit JOIN website_event ON event_id = id_of('event', n) WHERE event_name = 'purchase'
ORDER BY created_at;

DROP TABLE visitor, hit;
DROP FUNCTION pick, id_of;
