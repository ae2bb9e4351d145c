--
-- create_hanzo_schema(): tables, partitions, rights, second calls, refusals
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT to_regrole('hanzo_console') IS NOT NULL OR to_regrole('hanzo_analytics_ro') IS NOT NULL
	OR to_regrole('hanzo_platform') IS NOT NULL AS had_roles \gset
CREATE ROLE regress_hanzo_owner;
CREATE ROLE regress_hanzo_other;
CREATE ROLE regress_hanzo_admin CREATEROLE;
DROP SCHEMA IF EXISTS hanzo CASCADE;
RESET client_min_messages;

-- Not across the end of a month.
SELECT pg_sleep(extract(epoch FROM time_left)) FROM (SELECT date_trunc('month', now() + interval '3 minutes', 'UTC') - now() AS time_left) AS x
WHERE time_left > '0' \g /dev/null
-- The month in which the schema was created, in UTC.
CREATE TEMP TABLE called (this_month timestamp);
GRANT SELECT ON called TO PUBLIC;

-- Partitions with their bounds as text, in the session's time zone.
CREATE TEMP VIEW months AS
	SELECT p.relname AS parent, c.relname AS partition, a.amname AS access_method,
		   regexp_replace(pg_get_expr(c.relpartbound, c.oid), '''([^'']*)''', '\1', 'g') AS bounds
	FROM pg_inherits i
	JOIN pg_class p ON p.oid = i.inhparent
	JOIN pg_class c ON c.oid = i.inhrelid
	JOIN pg_am a ON a.oid = c.relam
	WHERE p.relnamespace = to_regnamespace('hanzo') AND p.relkind = 'p';

-- Everything that a second call must leave as it is.
CREATE TEMP VIEW state AS
	SELECT 'pg_class' AS catalog, c.oid, c.xmin::text AS version
	FROM pg_class c WHERE c.relnamespace = to_regnamespace('hanzo')
	UNION ALL
	SELECT 'pg_attribute', a.attrelid, string_agg(a.xmin::text, ',' ORDER BY a.attnum)
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = to_regnamespace('hanzo') GROUP BY 2
	UNION ALL
	SELECT 'pg_namespace', n.oid, n.xmin::text FROM pg_namespace n WHERE n.nspname = 'hanzo'
	UNION ALL
	SELECT 'pg_default_acl', d.oid, d.xmin::text FROM pg_default_acl d
	WHERE d.defaclnamespace = to_regnamespace('hanzo');

--
-- Refusals before anything is created
--
SELECT hanzo_datastore.create_hanzo_schema(-1);
SELECT hanzo_datastore.create_hanzo_schema(0, 61);
SELECT hanzo_datastore.create_hanzo_schema(months_ahead => NULL);
SET ROLE regress_hanzo_other;
\set VERBOSITY terse
SELECT hanzo_datastore.create_hanzo_schema();
\set VERBOSITY default
RESET ROLE;
SELECT to_regnamespace('hanzo') IS NULL AS nothing_created;

--
-- Roles: created by who may, without login
--
BEGIN;
DO $$
DECLARE r text;
BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_hanzo_admin', current_database());
	FOREACH r IN ARRAY array['hanzo_console', 'hanzo_analytics_ro', 'hanzo_platform'] LOOP
		IF to_regrole(r) IS NOT NULL THEN
			EXECUTE format('ALTER ROLE %I RENAME TO %I', r, 'regress_aside_' || r);
		END IF;
	END LOOP;
END
$$;
SET LOCAL ROLE regress_hanzo_admin;
SELECT hanzo_datastore.create_hanzo_schema(0, 0);
SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles
WHERE rolname IN ('hanzo_console', 'hanzo_analytics_ro', 'hanzo_platform') ORDER BY rolname COLLATE "C";
ROLLBACK;

-- A role that may not create them is told what to run; rights follow with the next call.
BEGIN;
DO $$
DECLARE r text;
BEGIN
	EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_hanzo_owner', current_database());
	FOREACH r IN ARRAY array['hanzo_console', 'hanzo_analytics_ro', 'hanzo_platform'] LOOP
		IF to_regrole(r) IS NOT NULL THEN
			EXECUTE format('ALTER ROLE %I RENAME TO %I', r, 'regress_aside_' || r);
		END IF;
	END LOOP;
END
$$;
SET LOCAL ROLE regress_hanzo_owner;
SELECT hanzo_datastore.create_hanzo_schema(0, 0);
SELECT count(*) AS tables, bool_and(relacl IS NULL) AS no_rights_given
FROM pg_class WHERE relnamespace = to_regnamespace('hanzo') AND relkind IN ('r', 'p') AND relname !~ '_mv_(states|marks)$';
RESET ROLE;
CREATE ROLE hanzo_console NOLOGIN;
CREATE ROLE hanzo_platform NOLOGIN;
SET LOCAL ROLE regress_hanzo_owner;
SELECT hanzo_datastore.create_hanzo_schema(0, 0);
SELECT count(*) AS tables, bool_and(has_table_privilege('hanzo_console', oid, 'INSERT')) AS rights_given
FROM pg_class WHERE relnamespace = to_regnamespace('hanzo') AND relkind IN ('r', 'p') AND relname !~ '_mv_(states|marks)$';
ROLLBACK;

--
-- The real thing
--
BEGIN;
SELECT hanzo_datastore.create_hanzo_schema();
INSERT INTO called SELECT date_trunc('month', now() AT TIME ZONE 'UTC');
COMMIT;

SELECT c.relname, c.relkind, a.amname, pg_get_partkeydef(c.oid) AS partition_key,
	   obj_description(c.oid, 'pg_class') AS comment
FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam
WHERE c.relnamespace = to_regnamespace('hanzo') AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname !~ '_mv_(states|marks)$'
ORDER BY c.relname COLLATE "C";

SELECT c.relname, t.attname, format_type(t.atttypid, t.atttypmod) AS type, t.attnotnull AS not_null,
	   pg_get_expr(d.adbin, d.adrelid) AS default
FROM pg_class c
JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = t.attnum
WHERE c.relnamespace = to_regnamespace('hanzo') AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname !~ '_mv_(states|marks)$'
ORDER BY c.relname COLLATE "C", t.attnum;

SELECT conrelid::regclass, pg_get_constraintdef(oid) AS definition
FROM pg_constraint
WHERE connamespace = to_regnamespace('hanzo') AND contype IN ('p', 'u', 'c', 'f') AND conparentid = 0
ORDER BY conrelid::regclass::text COLLATE "C", contype;

SELECT pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = to_regnamespace('hanzo') AND NOT c.relispartition AND NOT i.indisprimary
ORDER BY pg_get_indexdef(i.indexrelid) COLLATE "C";

-- Not members of the extension: pg_dump must dump them.
SELECT count(*) AS extension_members FROM pg_depend
WHERE deptype = 'e'
	AND (refclassid, classid) = ('pg_extension'::regclass, 'pg_class'::regclass)
	AND objid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('hanzo'));

--
-- Partitions: one month back, this one, three ahead, and the default
--
SELECT parent, access_method, count(*) AS partitions, count(*) FILTER (WHERE bounds = 'DEFAULT') AS defaults
FROM months GROUP BY parent, access_method ORDER BY parent COLLATE "C";

SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SELECT count(*) AS month_partitions,
	   bool_and(m.bounds = to_char(month, '"FOR VALUES FROM ("YYYY-MM-DD" 00:00:00+00) TO ("')
				|| to_char(month + interval '1 month', 'YYYY-MM-DD" 00:00:00+00)"')) AS bounds_as_expected
FROM called, generate_series(this_month - interval '1 month', this_month + interval '3 months', '1 month') AS month
JOIN months m ON m.partition LIKE to_char(month, '"%"_YYYY_MM');
CREATE TEMP TABLE utc_months AS SELECT * FROM months;
RESET timezone;
RESET datestyle;

-- Sort keys, codecs and bloom filters, as the parents set them and a partition inherits them
SELECT relation, column_name, option, value FROM hanzo_datastore.columnar_options
WHERE source = 'table' AND relation::text LIKE 'hanzo.%' ORDER BY relation::text COLLATE "C", column_name NULLS FIRST, option;
SELECT option, value, source FROM hanzo_datastore.columnar_options
WHERE relation = 'hanzo.website_events_default'::regclass AND column_name IS NULL ORDER BY option;

-- The same bounds whatever the session's time zone and date style; and over the year's end and two changes of the clock.
BEGIN;
SET LOCAL client_min_messages = warning;
DROP SCHEMA hanzo CASCADE;
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL datestyle = 'SQL, DMY';
SELECT hanzo_datastore.create_hanzo_schema();
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, MDY';
SELECT count(*) AS differences
FROM ((TABLE months EXCEPT TABLE utc_months) UNION ALL (TABLE utc_months EXCEPT TABLE months)) AS d;
SET LOCAL timezone = 'America/New_York';
SELECT hanzo_datastore.create_hanzo_schema(12, 24);
SET LOCAL timezone = 'UTC';
SELECT m.parent, count(*) AS month_partitions,
	   bool_and(m.bounds = to_char(month, '"FOR VALUES FROM ("YYYY-MM-DD" 00:00:00+00) TO ("')
				|| to_char(month + interval '1 month', 'YYYY-MM-DD" 00:00:00+00)"')) AS bounds_as_expected
FROM called, generate_series(this_month - interval '12 months', this_month + interval '24 months', '1 month') AS month
JOIN months m ON m.partition LIKE to_char(month, '"%"_YYYY_MM')
GROUP BY m.parent ORDER BY m.parent COLLATE "C";
ROLLBACK;

--
-- A second call changes nothing, and says nothing
--
CREATE TEMP TABLE before_call AS SELECT * FROM state;
SELECT hanzo_datastore.create_hanzo_schema();
SELECT count(*) AS differences
FROM ((TABLE state EXCEPT TABLE before_call) UNION ALL (TABLE before_call EXCEPT TABLE state)) AS d;

-- What was altered stays altered, what is missing comes back.
BEGIN;
ALTER TABLE hanzo.website_events ADD COLUMN mood text;
COMMENT ON SCHEMA hanzo IS 'ours';
COMMENT ON TABLE hanzo.projects IS 'ours';
DROP TABLE hanzo.ai_scores;
DROP TABLE hanzo.model_catalog;
DROP TABLE hanzo.base_metrics_default;
DO $$ BEGIN EXECUTE format('DROP TABLE hanzo.%I', (SELECT to_char(this_month, '"base_metrics_"YYYY_MM') FROM called)); END $$;
REVOKE SELECT ON hanzo.projects FROM hanzo_analytics_ro;
SELECT hanzo_datastore.create_hanzo_schema();
SELECT obj_description(to_regnamespace('hanzo')::oid, 'pg_namespace') AS schema_comment,
	   obj_description('hanzo.projects'::regclass, 'pg_class') AS table_comment,
	   has_table_privilege('hanzo_analytics_ro', 'hanzo.projects', 'SELECT') AS right_is_back,
	   (SELECT count(*) FROM pg_attribute WHERE attrelid = 'hanzo.website_events'::regclass AND attname = 'mood') AS mood;
SELECT parent, count(*) FROM months WHERE parent IN ('ai_scores', 'base_metrics') GROUP BY parent ORDER BY parent;
SELECT to_regclass('hanzo.model_catalog') IS NOT NULL AS table_is_back;
ROLLBACK;

--
-- Rows of every table, with the defaults; the later of two versions of a trace wins
--
INSERT INTO hanzo.organizations (id, name, slug) VALUES ('00000000-0000-0000-0000-0000000000aa', 'Acme', 'acme');
INSERT INTO hanzo.projects (id, organization_id, name, slug, type)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa', 'Shop', 'shop', 'website');
\set VERBOSITY terse
INSERT INTO hanzo.projects (id, organization_id, name, slug, type)
VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-0000000000aa', 'Other', 'other', 'robot');
\set VERBOSITY default
INSERT INTO hanzo.model_catalog (id, provider, model_name, display_name, input_price, output_price, context_window, max_output)
VALUES ('zen-1', 'hanzo', 'zen-1', 'Zen 1', 0.25, 1.125, 200000, 8192);
INSERT INTO hanzo.website_events (project_id, session_id, visit_id, event_id, url_path, event_type)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000011',
		'00000000-0000-0000-0000-000000000012', '00000000-0000-0000-0000-000000000013', '/start', 1);
INSERT INTO hanzo.event_properties (project_id, session_id, event_id, property_key, number_value, data_type)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000011',
		'00000000-0000-0000-0000-000000000013', 'amount', 12.34567, 2);
INSERT INTO hanzo.session_properties (project_id, session_id, property_key, string_value, data_type)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000011', 'plan', 'free', 1);
INSERT INTO hanzo.session_properties AS s (project_id, session_id, property_key, string_value, data_type)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000011', 'plan', 'paid', 1)
ON CONFLICT (project_id, session_id, property_key) DO UPDATE SET string_value = excluded.string_value;
INSERT INTO hanzo.ai_traces (id, project_id, "timestamp", input, event_ts)
SELECT 'trace', '00000000-0000-0000-0000-000000000001', this_month AT TIME ZONE 'UTC', 'first', '2026-01-01 00:00:01+00' FROM called;
-- A newer version replaces it, an older one that arrives late does not.
INSERT INTO hanzo.ai_traces AS t (id, project_id, "timestamp", input, event_ts)
SELECT 'trace', '00000000-0000-0000-0000-000000000001', this_month AT TIME ZONE 'UTC', 'third', '2026-01-01 00:00:03+00' FROM called
ON CONFLICT (project_id, id, "timestamp") DO UPDATE SET input = excluded.input, event_ts = excluded.event_ts
WHERE excluded.event_ts >= t.event_ts;
INSERT INTO hanzo.ai_traces AS t (id, project_id, "timestamp", input, event_ts)
SELECT 'trace', '00000000-0000-0000-0000-000000000001', this_month AT TIME ZONE 'UTC', 'second', '2026-01-01 00:00:02+00' FROM called
ON CONFLICT (project_id, id, "timestamp") DO UPDATE SET input = excluded.input, event_ts = excluded.event_ts
WHERE excluded.event_ts >= t.event_ts;
INSERT INTO hanzo.ai_observations (id, project_id, type, start_time)
SELECT 'observation', '00000000-0000-0000-0000-000000000001', 'generation', this_month AT TIME ZONE 'UTC' FROM called;
INSERT INTO hanzo.ai_scores (id, project_id, name, string_value, source)
VALUES ('score', '00000000-0000-0000-0000-000000000001', 'tone', 'kind', 'API');
INSERT INTO hanzo.business_events (project_id, organization_id, event_type, event_name, source, channel, revenue)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa', 'purchase', 'order', 'web', 'organic', 9.99);
INSERT INTO hanzo.api_metrics (project_id, organization_id, endpoint, method, status_code, latency_ms, cost)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa', '/v1/chat', 'POST', 200, 12, 0.000000000001);
INSERT INTO hanzo.base_metrics
VALUES ('00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-000000000001', now(), 1.5, 1, 2, 3, 4, 5, 6, 7, 0.5, 0.25, 0);
INSERT INTO hanzo.app_metrics
VALUES ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-000000000001', now(), 1.5, 1, 2, 3, 4, 5, 0.5, 0.25, 0.125, 6, 0, 7, 8);

SELECT hostname, url_path, event_type, event_name, twclid, created_at = date_trunc('milliseconds', created_at) AS milliseconds
FROM hanzo.website_events;
SELECT url_path, event_name, property_key, number_value FROM hanzo.event_properties;
SELECT property_key, string_value, distinct_id FROM hanzo.session_properties;
SELECT id, name, metadata, tags, public, is_deleted, input FROM hanzo.ai_traces;
SELECT id, trace_id, name, level, usage_details, cost_details FROM hanzo.ai_observations;
SELECT id, trace_id, value, string_value, data_type FROM hanzo.ai_scores;
SELECT id IS NOT NULL AS has_id, revenue, currency, properties FROM hanzo.business_events;
SELECT id IS NOT NULL AS has_id, endpoint, cost FROM hanzo.api_metrics;
SELECT 'base' AS of, error_rate, cpu_percent FROM hanzo.base_metrics
UNION ALL SELECT 'app', error_rate, cpu_percent FROM hanzo.app_metrics ORDER BY 1;
SELECT settings, type FROM hanzo.projects;
SELECT settings FROM hanzo.organizations;
SELECT input_price, output_price, supports_vision FROM hanzo.model_catalog;

-- Rows went to the present month; a row is refused by none of the tables because of its time.
SELECT t.tableoid::regclass::text = 'hanzo.' || to_char(this_month, '"ai_traces_"YYYY_MM') AS in_its_month
FROM hanzo.ai_traces t, called;
INSERT INTO hanzo.website_events (project_id, session_id, visit_id, event_id, event_type, url_path, created_at)
SELECT '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000011',
	   '00000000-0000-0000-0000-000000000012', '00000000-0000-0000-0000-000000000014', 2, path, time
FROM (VALUES ('old', timestamptz '2001-02-03 04:05:06.789+00'), ('far', '2199-12-31 23:59:59.999+00'),
			 ('never', 'infinity'), ('always', '-infinity')) AS stray (path, time);
INSERT INTO hanzo.website_events (project_id, session_id, visit_id, event_id, event_type, url_path, created_at)
SELECT '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000011',
	   '00000000-0000-0000-0000-000000000012', '00000000-0000-0000-0000-000000000015', 2, path, time
FROM called, LATERAL (VALUES ('first instant', this_month AT TIME ZONE 'UTC'),
							 ('last instant', (this_month + interval '1 month') AT TIME ZONE 'UTC' - interval '1 ms'),
							 ('next month', (this_month + interval '1 month') AT TIME ZONE 'UTC')) AS edge (path, time);
SELECT url_path,
	   replace(replace(e.tableoid::regclass::text, to_char(this_month, 'YYYY_MM'), '(this)'),
			   to_char(this_month + interval '1 month', 'YYYY_MM'), '(next)') AS partition
FROM hanzo.website_events e, called WHERE event_type = 2
ORDER BY url_path COLLATE "C";

--
-- Rights
--
SELECT r.role, p.privilege,
	   count(*) FILTER (WHERE has_table_privilege(r.role, c.oid, p.privilege)) AS relations, count(*) AS of
FROM (VALUES ('hanzo_console'), ('hanzo_analytics_ro'), ('hanzo_platform')) AS r (role),
	 (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE'), (5, 'TRUNCATE')) AS p (n, privilege),
	 pg_class c
WHERE c.relnamespace = to_regnamespace('hanzo') AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname !~ '_mv_(states|marks)$'
GROUP BY r.role, p.n, p.privilege
ORDER BY r.role COLLATE "C", p.n;

-- Rights on a partition, and on a table made later.
CREATE TABLE hanzo.later (n integer);
SELECT r.role, t.name, has_table_privilege(r.role, t.name, 'SELECT') AS "select",
	   has_table_privilege(r.role, t.name, 'INSERT') AS "insert", has_schema_privilege(r.role, 'hanzo', 'CREATE') AS "create"
FROM (VALUES ('hanzo_console'), ('hanzo_analytics_ro'), ('hanzo_platform')) AS r (role),
	 (VALUES ('hanzo.base_metrics_default'), ('hanzo.later')) AS t (name)
ORDER BY 1, 2;
DROP TABLE hanzo.later;

SET ROLE hanzo_analytics_ro;
SELECT count(*) AS readable FROM hanzo.website_events;
DELETE FROM hanzo.website_events;
RESET ROLE;
SET ROLE hanzo_console;
UPDATE hanzo.website_events SET tag = 'seen' WHERE url_path = '/start' RETURNING tag;
DELETE FROM hanzo.website_events WHERE event_type = 2;
DROP TABLE hanzo.website_events;
RESET ROLE;
SET ROLE hanzo_platform;
INSERT INTO hanzo.base_metrics
VALUES ('00000000-0000-0000-0000-0000000000b2', '00000000-0000-0000-0000-000000000001', '2001-01-01 00:00:00+00', 1.5, 1, 2, 3, 4, 5, 6, 7, 0.5, 0.25, 0);
SELECT * FROM hanzo.base_metrics;
INSERT INTO hanzo.website_events DEFAULT VALUES;
RESET ROLE;
SELECT count(*) AS base_metrics FROM hanzo.base_metrics;

--
-- Months and TTL are kept up by maintain(); whoever ends that has ended it
--
SELECT relation, column_name, managed, months_ahead, ttl, partitions FROM hanzo_datastore.managed_tables
WHERE relation::text LIKE 'hanzo.%' ORDER BY relation::text COLLATE "C";
BEGIN;
SELECT hanzo_datastore.unmanage_partitions('hanzo.base_metrics');
SELECT hanzo_datastore.set_ttl('hanzo.app_metrics', NULL);
SELECT hanzo_datastore.create_hanzo_schema();
SELECT relation, ttl FROM hanzo_datastore.managed_tables WHERE relation IN ('hanzo.base_metrics'::regclass, 'hanzo.app_metrics'::regclass);
ROLLBACK;

--
-- A month whose rows lie in the default partition, and months covered by other partitions
--
BEGIN;
DO $$ BEGIN EXECUTE format('DROP TABLE hanzo.%I', (SELECT to_char(this_month, '"api_metrics_"YYYY_MM') FROM called)); END $$;
INSERT INTO hanzo.api_metrics (project_id, organization_id, "timestamp", endpoint, method, status_code, latency_ms)
SELECT '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa', this_month AT TIME ZONE 'UTC', '/', 'GET', 200, 1 FROM called;
SELECT count(*) AS strays FROM hanzo.api_metrics_default;
SELECT hanzo_datastore.create_hanzo_schema();
SELECT count(*) AS partitions FROM months WHERE parent = 'api_metrics';
SELECT (SELECT count(*) FROM hanzo.api_metrics) AS rows, (SELECT count(*) FROM hanzo.api_metrics_default) AS strays;
ROLLBACK;

BEGIN;
DROP TABLE hanzo.app_metrics;
CREATE TABLE hanzo.app_metrics (app_id uuid, "timestamp" timestamptz(3)) PARTITION BY RANGE ("timestamp");
CREATE TABLE hanzo.app_metrics_all PARTITION OF hanzo.app_metrics FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
SET LOCAL client_min_messages = warning;	-- the notices name the months
SELECT hanzo_datastore.create_hanzo_schema();
SELECT partition FROM months WHERE parent = 'app_metrics' ORDER BY 1;
ROLLBACK;

--
-- Other objects in the way
--
BEGIN;
ALTER TABLE hanzo.ai_traces RENAME TO traces;
CREATE VIEW hanzo.ai_traces AS SELECT 1 AS one;
SELECT hanzo_datastore.create_hanzo_schema();
ROLLBACK;

BEGIN;
ALTER TABLE hanzo.ai_traces RENAME TO traces;
CREATE TABLE hanzo.ai_traces (id text);
SELECT hanzo_datastore.create_hanzo_schema();
ROLLBACK;

BEGIN;
ALTER TABLE hanzo.website_events DETACH PARTITION hanzo.website_events_default;
SELECT hanzo_datastore.create_hanzo_schema();
ROLLBACK;

--
-- Somebody else's schema and tables
--
SET ROLE regress_hanzo_other;
DO $$
DECLARE
	detail text;
	hint text;
BEGIN
	PERFORM hanzo_datastore.create_hanzo_schema();
EXCEPTION
	WHEN insufficient_privilege THEN		-- detail and hint name the role that runs the tests
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		RAISE NOTICE '%; detail: %; hint: %', SQLERRM, detail <> '', hint <> '';
END
$$;
RESET ROLE;

-- With rights on the schema, the tables are still the other's; so they are for a superuser.
BEGIN;
GRANT ALL ON SCHEMA hanzo TO regress_hanzo_other;
ALTER TABLE hanzo.organizations OWNER TO regress_hanzo_owner;		-- the first table that is looked at
SET LOCAL ROLE regress_hanzo_other;
SELECT hanzo_datastore.create_hanzo_schema();
ROLLBACK;

BEGIN;
ALTER TABLE hanzo.projects OWNER TO regress_hanzo_owner;
SELECT hanzo_datastore.create_hanzo_schema();
ROLLBACK;

-- An empty schema of another role, with rights in it, will do: rights on the schema are the owner's to give.
BEGIN;
SET LOCAL client_min_messages = warning;
DROP SCHEMA hanzo CASCADE;
RESET client_min_messages;
CREATE SCHEMA hanzo AUTHORIZATION regress_hanzo_owner;
GRANT USAGE, CREATE ON SCHEMA hanzo TO regress_hanzo_other;
SET LOCAL ROLE regress_hanzo_other;
SELECT hanzo_datastore.create_hanzo_schema(0, 0);
SELECT relowner::regrole, count(*) FROM pg_class
WHERE relnamespace = to_regnamespace('hanzo') AND relkind IN ('r', 'p') AND relname !~ '_mv_(states|marks)$' GROUP BY relowner;
ROLLBACK;

--
-- Clean up
--
SET client_min_messages = warning;
DROP SCHEMA hanzo CASCADE;
DROP ROLE regress_hanzo_owner, regress_hanzo_other, regress_hanzo_admin;
\if :had_roles
\else
DROP ROLE hanzo_console, hanzo_analytics_ro, hanzo_platform;
\endif
