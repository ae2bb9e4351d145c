-- Rollups: what can be one, what the view says after every kind of change, buckets, partitions, sketches, rights.
-- t/019_rollups.pl has them beside writers.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS ru CASCADE;
CREATE EXTENSION IF NOT EXISTS hll SCHEMA public;
CREATE EXTENSION IF NOT EXISTS tdigest SCHEMA public;
RESET client_min_messages;
CREATE SCHEMA ru;
SET search_path = ru, public;
SET timezone = 'UTC';

-- rows that a rollup and its query do not share, and what is stored
CREATE FUNCTION ru.differences(view text, query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	columns text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a
					 WHERE a.attrelid = view::regclass AND a.attnum > 0 AND a.attname !~ '_(state|sum|count)$');
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((SELECT %1$s FROM %2$s EXCEPT ALL %3$s) UNION ALL (%3$s EXCEPT ALL SELECT %1$s FROM %2$s)) AS d', columns, view, query) INTO n;
	RETURN n;
END$$;

CREATE TABLE events (gone integer, project integer, session text, kind integer, amount numeric(10,2), at timestamptz, id bigint) PARTITION BY RANGE (at);
ALTER TABLE events DROP COLUMN gone;
CREATE TABLE events_02 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01') USING hanzo_columnar;
-- another order of columns, and a heap
CREATE TABLE events_03 (at timestamptz, amount numeric(10,2), id bigint, project integer, session text, kind integer) USING heap;
ALTER TABLE events ATTACH PARTITION events_03 FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('events', row_group_rows => 2048);
INSERT INTO events SELECT i % 4, 's' || i % 37, i % 3, i % 11, timestamptz '2024-02-20 00:00+00' + i * interval '7 minutes', i FROM generate_series(1, 4000) AS i;
CALL hanzo_datastore.compact('events');
\set query 'SELECT project, date_trunc(\'day\', at, \'UTC\') AS day, count(*) AS n, count(*) FILTER (WHERE kind = 1) AS ones, sum(amount) AS amount, avg(amount) AS average, min(at) AS first, max(session) AS last_session, count(DISTINCT session) AS sessions, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount::float8) AS median FROM events WHERE kind < 3 GROUP BY 1, 2'
SELECT hanzo_datastore.create_rollup('daily', :'query');
SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a WHERE a.attrelid = 'daily'::regclass AND a.attnum > 0 ORDER BY a.attnum;

--
-- Stored, marked, live
--
SELECT ru.differences('daily', :'query'), (SELECT count(*) FROM daily_states) AS stored;
CALL hanzo_datastore.refresh_rollup('daily', '2024-03-08 12:00+00');
SELECT live_from, stale_ranges, frozen_before, late_changes, bucket, lag FROM hanzo_datastore.rollups WHERE rollup = 'daily'::regclass;
SELECT ru.differences('daily', :'query'), (SELECT count(*) FROM daily_states) AS stored;
-- each kind of change, in columns, in the delta, in a heap; own changes are seen
BEGIN;
INSERT INTO events VALUES (1, 'late', 1, 5, '2024-02-29 23:59:59.999999+00', 1), (1, 'live', 1, 5, '2024-03-08 00:00+00', 2), (1, 'early', 1, 5, '2019-12-31 23:30+00', 3);
SELECT * FROM daily_marks ORDER BY 1;
SELECT ru.differences('daily', :'query');
UPDATE events SET amount = amount + 1 WHERE at = '2024-02-29 23:59:59.999999+00';
SELECT ru.differences('daily', :'query');
-- to another day and to another partition, of a compacted row
UPDATE events SET at = at + interval '10 days' WHERE id = 100;
UPDATE events SET at = at - interval '30 days' WHERE id = 3900;
DELETE FROM events WHERE id BETWEEN 500 AND 510;
DELETE FROM events_03 WHERE id BETWEEN 3000 AND 3010;
SELECT ru.differences('daily', :'query');
SELECT count(*) FROM daily_marks;
ROLLBACK;
SELECT count(*) FROM daily_marks;
SELECT ru.differences('daily', :'query');
-- COPY, ON CONFLICT, MERGE
COPY events (project, kind, amount, at, id) FROM stdin;
2	1	7	2024-02-21 10:00+00	10001
2	1	7	2024-03-02 10:00+00	10002
2	1	7	2024-06-21 10:00+00	10003
\.
SELECT * FROM daily_marks ORDER BY 1;
SELECT ru.differences('daily', :'query');
MERGE INTO events_02 AS e USING (VALUES (10001::bigint, 8), (10004, 9)) AS v (id, amount) ON e.id = v.id
	WHEN MATCHED THEN UPDATE SET amount = v.amount
	WHEN NOT MATCHED THEN INSERT (project, kind, amount, at, id) VALUES (1, 1, v.amount, '2024-02-22 00:00+00', v.id);
SELECT ru.differences('daily', :'query');
CALL hanzo_datastore.refresh_rollup('daily', '2024-03-08 12:00+00');
SELECT ru.differences('daily', :'query'), (SELECT count(*) FROM daily_marks) AS marks;
-- savepoints: a mark goes with what was written, and comes again
BEGIN;
SAVEPOINT a;
INSERT INTO events VALUES (1, 'x', 1, 5, '2024-02-25 12:00+00', 20001);
ROLLBACK TO a;
SELECT count(*) FROM daily_marks;
INSERT INTO events VALUES (1, 'x', 1, 5, '2024-02-25 12:00+00', 20002);
SELECT count(*) FROM daily_marks;
SELECT ru.differences('daily', :'query');
-- a refresh in the transaction that writes
SELECT hanzo_datastore.refresh_rollup_step('daily_states', '2024-03-08 12:00+00');
SELECT count(*) FROM daily_marks;
INSERT INTO events VALUES (1, 'x', 1, 5, '2024-02-25 12:00+00', 20003);
SELECT count(*) FROM daily_marks;
SELECT ru.differences('daily', :'query');
COMMIT;
SELECT ru.differences('daily', :'query');
-- many buckets in one transaction: one mark for the rest
BEGIN;
INSERT INTO events SELECT 1, 'x', 1, 1, timestamptz '2010-01-01 00:00+00' + i * interval '1 day', 30000 + i FROM generate_series(1, 3000) AS i;
SELECT count(*) < 1100, min(changed_from), max(changed_to) FROM daily_marks;
SELECT ru.differences('daily', :'query');
COMMIT;
CALL hanzo_datastore.refresh_rollup('daily', '2024-03-08 12:00+00');
SELECT ru.differences('daily', :'query'), (SELECT count(*) FROM daily_marks) AS marks;
DELETE FROM events WHERE id > 30000;
CALL hanzo_datastore.refresh_rollup('daily', '2024-03-08 12:00+00');
SELECT ru.differences('daily', :'query'), (SELECT min(day) FROM daily_states);

--
-- Partitions that come and go, TRUNCATE, storage that changes
--
BEGIN;
TRUNCATE events_02;
SELECT * FROM daily_marks;
SELECT ru.differences('daily', :'query');
ROLLBACK;
BEGIN;
TRUNCATE events;
SELECT ru.differences('daily', :'query'), (SELECT count(*) FROM daily) AS left;
ROLLBACK;
BEGIN;
ALTER TABLE events DETACH PARTITION events_02;
SELECT * FROM daily_marks;
SELECT ru.differences('daily', :'query');
ALTER TABLE events ATTACH PARTITION events_02 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
SELECT ru.differences('daily', :'query');
DROP TABLE events_03;
SELECT ru.differences('daily', :'query');
ROLLBACK;
CREATE TABLE events_01 (LIKE events) USING hanzo_columnar;
INSERT INTO events_01 SELECT 1, 'y', 1, 1, timestamptz '2024-01-10 00:00+00' + i * interval '1 hour', 40000 + i FROM generate_series(1, 100) AS i;
ALTER TABLE events ATTACH PARTITION events_01 FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
SELECT * FROM daily_marks;
SELECT ru.differences('daily', :'query');
CREATE TABLE events_04 PARTITION OF events FOR VALUES FROM ('2024-04-01') TO ('2024-05-01') USING heap;
SELECT tgrelid::regclass, regexp_replace(tgname, '\d+$', '') AS name, tgenabled FROM pg_trigger WHERE tgname LIKE '!hanzo_rollup%' ORDER BY 1, 2;
ALTER TABLE events_04 SET ACCESS METHOD hanzo_columnar;
ALTER TABLE events_01 SET ACCESS METHOD heap;
SELECT tgrelid::regclass, regexp_replace(tgname, '\d+$', '') AS name, tgenabled FROM pg_trigger WHERE tgname LIKE '!hanzo_rollup%' ORDER BY 1, 2;
CALL hanzo_datastore.refresh_rollup('daily', '2024-03-08 12:00+00');
INSERT INTO events VALUES (1, 'z', 1, 1, '2024-01-11 00:00+00', 50001);
SELECT * FROM daily_marks;
SELECT ru.differences('daily', :'query');
-- names
ALTER TABLE events RENAME COLUMN at TO "When";
SELECT source_time_name FROM hanzo_datastore.rollup_catalog WHERE view = 'daily'::regclass;
INSERT INTO events VALUES (1, 'z', 1, 1, '2024-02-21 00:00+00', 50002);
CALL hanzo_datastore.refresh_rollup('daily', '2024-03-08 12:00+00');
ALTER TABLE events RENAME COLUMN "When" TO at;
SELECT ru.differences('daily', :'query');

--
-- Further aggregates
--
\set wider 'SELECT project, date_trunc(\'day\', at, \'UTC\') AS day, max(at) AS last, count(*) AS n, count(*) FILTER (WHERE kind = 1) AS ones, sum(amount) AS amount, avg(amount) AS average, min(at) AS first, max(session) AS last_session, count(DISTINCT session) AS sessions, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount::float8) AS median FROM events WHERE kind < 3 GROUP BY 1, 2'
SELECT hanzo_datastore.alter_rollup('daily', :'wider');
SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = 'daily'::regclass AND a.attnum > 0 ORDER BY a.attnum DESC LIMIT 1;
SELECT count(*) AS days, count(last) AS with_last FROM daily;
CALL hanzo_datastore.refresh_rollup('daily', '2024-03-08 12:00+00');
SELECT count(*) AS days, count(last) AS with_last, bool_and(last >= first) FROM daily;
SELECT hanzo_datastore.alter_rollup('daily', :'query');
SELECT hanzo_datastore.alter_rollup('daily', 'SELECT project, date_trunc(''day'', at, ''UTC'') AS day, count(*) AS n FROM events WHERE kind < 3 GROUP BY 1, 2');
SELECT hanzo_datastore.alter_rollup('daily', replace(:'wider', 'kind < 3', 'kind < 2'));
SELECT hanzo_datastore.alter_rollup('daily', replace(:'wider', 'count(*) AS n', 'count(kind) AS n'));
SELECT hanzo_datastore.alter_rollup('daily', replace(:'wider', '''day''', '''hour'''));
SELECT hanzo_datastore.alter_rollup('events', :'wider');

--
-- Buckets: time zones, the ends of years, leap days, daylight saving, infinities, null
--
CREATE TABLE times (at timestamptz, local timestamp, day date, n integer) USING hanzo_columnar;
INSERT INTO times SELECT t, t AT TIME ZONE 'UTC', (t AT TIME ZONE 'UTC')::date, 1
FROM unnest('{2023-12-31 23:59:59.999999+00,2024-01-01 00:00+00,2024-02-28 23:00+00,2024-02-29 00:00+00,2024-02-29 23:59+00,2024-03-01 00:00+00,2024-03-10 06:59+00,2024-03-10 07:00+00,2024-11-03 05:30+00,2024-11-03 06:30+00,1999-12-31 23:00+00,0001-01-01 00:00+00,infinity,-infinity,NULL,1969-07-20 20:17+00}'::timestamptz[]) AS t;
INSERT INTO times SELECT t, t AT TIME ZONE 'UTC', (t AT TIME ZONE 'UTC')::date, 1
FROM unnest('{4000-01-01 BC,5874-12-31 23:00+00,2024-12-30 00:00+00,2024-12-29 23:59+00}'::timestamptz[]) AS t;
CREATE TABLE cases (name text, query text);
INSERT INTO cases
SELECT 'by_' || u, format('SELECT date_trunc(%L, at, ''UTC'') AS bucket, sum(n) AS n FROM times GROUP BY 1', u) FROM unnest('{minute,hour,day,week,month,quarter,year}'::text[]) AS u
UNION ALL
SELECT 'local_' || u, format('SELECT date_trunc(%L, local) AS bucket, sum(n) AS n FROM times GROUP BY 1', u) FROM unnest('{hour,week,month}'::text[]) AS u
UNION ALL
VALUES ('day_week', $$SELECT date_trunc('week', day::timestamp) AS bucket, sum(n) AS n FROM times GROUP BY 1$$),
	('utc_day', $$SELECT date_trunc('day', at AT TIME ZONE 'UTC') AS bucket, sum(n) AS n FROM times GROUP BY 1$$),
	('bins', $$SELECT date_bin('7 hours', at, '2000-01-01 00:30+00') AS bucket, sum(n) AS n FROM times WHERE isfinite(at) GROUP BY 1$$),
	('local_bins', $$SELECT date_bin('90 minutes', local, '2030-01-01') AS bucket, sum(n) AS n FROM times WHERE isfinite(local) GROUP BY 1$$);
SELECT hanzo_datastore.create_rollup(name, query) FROM cases;
SET timezone = 'America/New_York';
SELECT format('CALL hanzo_datastore.refresh_rollup(%L, ''2024-12-31 12:00+00'')', name) FROM cases \gexec
SELECT name, ru.differences(name, query) FROM cases ORDER BY name;
SELECT r.rollup, r.bucket, r.live_from AT TIME ZONE 'UTC' AS live_from FROM hanzo_datastore.rollups AS r WHERE r.source = 'times'::regclass ORDER BY r.rollup::text;
-- the same again, all of it late, with another clock
INSERT INTO times SELECT * FROM times;
SELECT name, ru.differences(name, query) FROM cases ORDER BY name;
SELECT format('CALL hanzo_datastore.refresh_rollup(%L, ''2025-01-07 12:00+00'')', name) FROM cases \gexec
SELECT format('CALL hanzo_datastore.refresh_rollup(%L, ''2020-01-01 12:00+00'')', name) FROM cases \gexec
SELECT name, ru.differences(name, query) FROM cases ORDER BY name;
UPDATE times SET n = n + 1;
DELETE FROM times WHERE at IS NULL OR at = '-infinity';
SELECT name, ru.differences(name, query) FROM cases ORDER BY name;
SET timezone = 'UTC';
DROP TABLE times CASCADE;
SELECT count(*) FROM hanzo_datastore.rollup_catalog AS c WHERE c.view::text ~ '^(by_|local_|day_|utc_|bins)';
SELECT count(*) FROM pg_class WHERE relnamespace = 'ru'::regnamespace AND relname ~ '_(states|marks)$' AND relname !~ '^daily';

--
-- Merging buckets: a day from hours, by a query and by a rollup of a rollup
--
SELECT hanzo_datastore.create_rollup('hourly', $$SELECT project, date_trunc('hour', at, 'UTC') AS hour, count(*) AS n, avg(amount) AS average, count(DISTINCT session) AS sessions, percentile_cont(0.9) WITHIN GROUP (ORDER BY amount::float8) AS p90 FROM events GROUP BY 1, 2$$);
CALL hanzo_datastore.refresh_rollup('hourly', '2024-03-08 12:00+00');
SELECT project, round(hll_cardinality(hll_union_agg(sessions_state))) AS sessions, round(sum(average_sum) / sum(average_count), 4) AS average,
	round(tdigest_percentile(p90_state, 0.9)) AS p90
FROM hourly WHERE hour >= '2024-02-22' AND hour < '2024-02-23' GROUP BY 1 ORDER BY 1;
SELECT project, count(DISTINCT session) AS sessions, round(avg(amount), 4) AS average, round(percentile_cont(0.9) WITHIN GROUP (ORDER BY amount::float8)) AS p90
FROM events WHERE at >= '2024-02-22' AND at < '2024-02-23' GROUP BY 1 ORDER BY 1;
SELECT hanzo_datastore.create_rollup('"Day of hours"', $$SELECT project, date_trunc('day', hour, 'UTC') AS "the day", sum(n) AS n, hll_union_agg(sessions_state) AS sessions_state FROM hourly GROUP BY 1, 2$$);
CALL hanzo_datastore.refresh_rollup('"Day of hours"', '2024-03-08 12:00+00');
SELECT count(*), sum(n) FROM "Day of hours";
INSERT INTO events VALUES (1, 'zz', 1, 1, '2024-02-22 12:00+00', 60001), (2, 'zz', 1, 1, '2030-01-01', 60002);
SELECT count(*), sum(n) FROM "Day of hours";
CALL hanzo_datastore.refresh_rollup('hourly', '2024-03-08 12:00+00');
SELECT count(*), sum(n) FROM "Day of hours";
SELECT project, n, round(hll_cardinality(sessions_state)) FROM "Day of hours" WHERE "the day" = '2024-02-22' ORDER BY 1;
SELECT hanzo_datastore.create_rollup('odd', $$SELECT date_bin('90 minutes', hour, '2000-01-01 00:00+00') AS b, sum(n) AS n FROM hourly GROUP BY 1$$);
SELECT hanzo_datastore.create_rollup('odd', $$SELECT date_trunc('minute', hour, 'UTC') AS b, sum(n) AS n FROM hourly GROUP BY 1$$);
DROP VIEW hourly;
SELECT hanzo_datastore.drop_rollup('"Day of hours"');
SELECT hanzo_datastore.drop_rollup('hourly');

--
-- History that TTL keeps
--
-- as maintain() does, once a minute: an older snapshot of anybody puts removal off
CREATE FUNCTION ru.expire(now timestamptz, OUT expired_rows bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..100 LOOP
		SELECT sum(a.rows) INTO expired_rows FROM hanzo_datastore.apply_ttl('log', now) AS a;
		EXIT WHEN expired_rows > 0;
		PERFORM pg_sleep(0.1);
	END LOOP;
END$$;
CREATE TABLE log (at timestamptz NOT NULL, level integer) USING hanzo_columnar;
INSERT INTO log SELECT timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', i % 3 FROM generate_series(0, 999) AS i;
SELECT hanzo_datastore.create_rollup('log_daily', $$SELECT date_trunc('day', at, 'UTC') AS day, level, count(*) AS n FROM log GROUP BY 1, 2$$);
SELECT hanzo_datastore.set_ttl('log', '10 days', 'at');
-- nothing is stored yet: nothing may go
SELECT rows FROM hanzo_datastore.apply_ttl('log', '2024-02-11 06:00+00');
CALL hanzo_datastore.refresh_rollup('log_daily', '2024-02-11 06:00+00');
SELECT ru.expire('2024-02-11 06:00+00');
SELECT min(at) FROM log;
SELECT frozen_before, late_changes FROM hanzo_datastore.rollups WHERE rollup = 'log_daily'::regclass;
SELECT count(*), sum(n), min(day) FROM log_daily;
-- a late row and its removal change nothing, and are counted; what is not frozen goes on
INSERT INTO log VALUES ('2024-01-05', 7), ('2024-02-05', 7);
SELECT count(*), sum(n) FROM log_daily;
CALL hanzo_datastore.refresh_rollup('log_daily', '2024-02-11 06:00+00');
SELECT count(*), sum(n) FROM log_daily;
SELECT late_changes FROM hanzo_datastore.rollups WHERE rollup = 'log_daily'::regclass;
SELECT problem, severity, relation FROM hanzo_datastore.rollup_problems('2024-02-11 06:00+00') WHERE relation = 'log_daily'::regclass;
DELETE FROM log WHERE at < '2024-01-20';
SELECT count(*), sum(n) FROM log_daily;
-- a mark in what would go: first the refresh, then the removal
UPDATE log SET level = 8 WHERE at = '2024-02-02 00:00+00';
SELECT rows FROM hanzo_datastore.apply_ttl('log', '2024-02-14 06:00+00');
CALL hanzo_datastore.refresh_rollup('log_daily', '2024-02-11 06:00+00');
SELECT ru.expire('2024-02-14 06:00+00');
SELECT count(*), sum(n), count(*) FILTER (WHERE level = 8) AS eights FROM log_daily;
-- a further aggregate: null in what is frozen
SELECT hanzo_datastore.alter_rollup('log_daily', $$SELECT date_trunc('day', at, 'UTC') AS day, level, count(*) AS n, max(at) AS last FROM log GROUP BY 1, 2$$);
CALL hanzo_datastore.refresh_rollup('log_daily', '2024-02-11 06:00+00');
SELECT count(*), sum(n), count(last) AS with_last, min(day) FILTER (WHERE last IS NOT NULL) FROM log_daily;

--
-- What cannot be a rollup
--
CREATE VIEW plain AS SELECT * FROM events;
CREATE TEMPORARY TABLE temporary (at timestamptz);
CREATE UNLOGGED TABLE unlogged (at timestamptz);
CREATE TABLE secured (at timestamptz);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION ru.try(query text, name text DEFAULT 'refused') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
	state text;
BEGIN
	PERFORM hanzo_datastore.create_rollup(name, query);
	RETURN 'created';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, state = RETURNED_SQLSTATE;
	RETURN state || ' ' || message || coalesce(' | ' || nullif(hint, ''), '');
END$$;
SELECT ru.try(query) FROM (VALUES
	(NULL),
	(''),
	('nonsense'),
	('SELECT 1; SELECT 2'),
	('DELETE FROM events'),
	('SELECT count(*) FROM events'),
	('SELECT project, count(*) FROM events GROUP BY 1'),
	($$SELECT date_trunc('hour', at) AS h, count(*) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'Europe/Berlin') AS h, count(*) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('century', at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$),
	($$SELECT date_trunc(session, at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$),
	($$SELECT date_bin('1 second', at, '2000-01-01') AS h, count(*) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1 HAVING count(*) > 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1 ORDER BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1 LIMIT 1$$),
	($$SELECT DISTINCT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY ROLLUP (1)$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1 UNION ALL SELECT now(), 1$$),
	($$WITH w AS (SELECT 1) SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*), (SELECT 1) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*), rank() OVER () FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*), generate_series(1, 2) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events JOIN daily USING (project) GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM (SELECT * FROM events) AS e GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM ONLY events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events TABLESAMPLE SYSTEM (1) GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events WHERE at > now() - interval '1 day' GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events WHERE random() < 0.5 GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, max(at::text) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, at::text, count(*) FROM events GROUP BY 1, 2$$),
	($$SELECT count(*) FROM events GROUP BY date_trunc('hour', at, 'UTC')$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*), count(*) FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, avg(amount) AS a, count(*) AS a_count FROM events GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM plain GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM temporary GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM unlogged GROUP BY 1$$),
	($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM secured GROUP BY 1$$),
	($$SELECT date_trunc('hour', backend_start, 'UTC') AS h, count(*) FROM pg_stat_activity GROUP BY 1$$),
	($$SELECT date_trunc('hour', reset_at, 'UTC') AS h, count(*) FROM missing GROUP BY 1$$),
	($$SELECT date_trunc('hour', $1, 'UTC') AS h, count(*) FROM events GROUP BY 1$$)) AS q (query);
SELECT ru.try($$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$, name) FROM (VALUES (NULL), (''), ('a.b.c'), ('daily'), ('nowhere.x'), (repeat('x', 57))) AS n (name);
SELECT hanzo_datastore.create_rollup('refused', $$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$, lag => '-1 second');
SELECT hanzo_datastore.drop_rollup('events');
CALL hanzo_datastore.refresh_rollup('events');
SELECT hanzo_datastore.rollup_live_from('events');
SELECT hanzo_datastore.rollup_stale('events', 'events');
SELECT hanzo_datastore.refresh_rollup_step('events');
SELECT hanzo_datastore.refresh_rollup_step('daily_states', 'infinity');
SELECT hanzo_datastore.refresh_rollup_step(NULL);
SELECT relname FROM pg_class WHERE relnamespace = 'ru'::regnamespace AND relname ~ 'refused';

-- tables of a rollup that somebody has altered say so
BEGIN;
ALTER TABLE daily_marks ADD COLUMN more text;
INSERT INTO events VALUES (1, 'z', 1, 1, '2024-02-21 00:00+00', 50003);
ROLLBACK;
BEGIN;
ALTER TABLE daily_states ADD COLUMN more text;
SELECT hanzo_datastore.refresh_rollup_step('daily_states');
ROLLBACK;
DROP TABLE daily_states;
DROP TABLE daily_marks;

--
-- What an adversary found
--
-- parallel plans, over a rollup and into a columnar table
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT (SELECT sum(n) FROM daily) = (SELECT count(*) FROM events WHERE kind < 3);
CREATE TABLE made USING hanzo_columnar AS SELECT kind, count(*) FROM events_01 GROUP BY 1;
SELECT count(*) > 0 FROM made;
ROLLBACK;
-- two heap partitions, sub-partitions, a schema made with its table
CREATE TABLE deep (at timestamptz, k integer, stale integer) PARTITION BY LIST (k);
CREATE TABLE deep_1 PARTITION OF deep FOR VALUES IN (1) USING heap;
CREATE TABLE deep_2 PARTITION OF deep FOR VALUES IN (2) USING heap;
INSERT INTO deep VALUES ('2024-01-01', 1, 5), ('2024-01-02', 2, 6);
\set deep 'SELECT date_trunc(\'day\', at, \'UTC\') AS day, count(*) AS n, max(stale) AS stale FROM deep GROUP BY 1'
SELECT hanzo_datastore.create_rollup('deep_daily', :'deep');
CALL hanzo_datastore.refresh_rollup('deep_daily', '2024-02-01');
CREATE TABLE deep_3 PARTITION OF deep FOR VALUES IN (3) PARTITION BY RANGE (at);
CREATE SCHEMA deeper CREATE TABLE deep_4 PARTITION OF ru.deep FOR VALUES IN (4) USING heap;
CREATE TABLE deep_3_1 PARTITION OF deep_3 FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') USING heap;
INSERT INTO deep VALUES ('2024-01-01', 1, 5), ('2024-01-02', 2, 6), ('2024-01-03', 3, 7), ('2024-01-04', 4, 8);
SELECT count(*) FROM deep_daily_marks;
SELECT ru.differences('deep_daily', :'deep');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!hanzo_rollup%' AND (tgrelid::regclass::text LIKE 'deep%');
ALTER TABLE deep DETACH PARTITION deep_1 CONCURRENTLY;
CREATE UNLOGGED TABLE deep_5 PARTITION OF deep FOR VALUES IN (5);
ALTER TABLE deep_2 SET UNLOGGED;
SELECT hanzo_datastore.create_rollup('deep_2_daily', 'SELECT date_trunc(''day'', at, ''UTC'') AS day, count(*) AS n FROM deep_2 GROUP BY 1');
SELECT hanzo_datastore.drop_rollup('deep_2_daily');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE '!hanzo_rollup%' AND tgrelid = 'deep_2'::regclass;
SELECT ru.try(q) FROM (VALUES ('SELECT date_trunc(''day'', day, ''UTC'') AS d, sum(n) FROM deep_daily_states GROUP BY 1'),
	('SELECT date_trunc(''day'', changed_from, ''UTC'') AS d, count(*) FROM deep_daily_marks GROUP BY 1'),
	('SELECT date_trunc(''day'', at, ''UTC'') AS d, max(ctid) FROM deep GROUP BY 1'),
	('SELECT date_trunc(''day'', at, ''UTC'') AS d, max(deep::text) FROM deep GROUP BY 1'),
	('SELECT date_bin(''2147483647 days'', at, ''2000-01-01'') AS d, count(*) FROM deep GROUP BY 1')) AS v (q);
ALTER TABLE deep_daily_states SET UNLOGGED;
SELECT * FROM deep_daily;
CALL hanzo_datastore.refresh_rollup('deep_daily');
ALTER TABLE deep_daily_states SET LOGGED;
SELECT ru.differences('deep_daily', :'deep');
DROP TABLE deep_daily_states CASCADE;
SELECT count(*) FROM pg_class WHERE relname LIKE 'deep_daily%';
-- rows of a child's children
CREATE TABLE old_tree (at timestamptz, n integer) USING hanzo_columnar;
CREATE TABLE middle (at timestamptz, n integer) USING hanzo_columnar;
CREATE TABLE below () INHERITS (middle) USING hanzo_columnar;
INSERT INTO below VALUES ('2024-01-05', 1);
\set tree 'SELECT date_trunc(\'day\', at, \'UTC\') AS day, sum(n) AS total FROM old_tree GROUP BY 1'
SELECT hanzo_datastore.create_rollup('tree_daily', :'tree');
CALL hanzo_datastore.refresh_rollup('tree_daily', '2024-02-01');
ALTER TABLE middle INHERIT old_tree;
SELECT ru.differences('tree_daily', :'tree'), (SELECT count(*) FROM tree_daily);
INSERT INTO below VALUES ('2024-01-06', 1);
SELECT ru.differences('tree_daily', :'tree');
CALL hanzo_datastore.refresh_rollup('tree_daily', '2024-02-01');
ALTER TABLE middle NO INHERIT old_tree;
SELECT ru.differences('tree_daily', :'tree');
-- months: a long series of them has one mark for the rest, which ends with a month
CREATE TABLE ages (at timestamptz, n integer) USING hanzo_columnar;
INSERT INTO ages SELECT timestamptz '1000-01-01 00:00+00' + i * interval '1 day', 1 FROM generate_series(0, 60000) AS i;
\set ages 'SELECT date_trunc(\'month\', at, \'UTC\') AS month, count(*) AS n FROM ages GROUP BY 1'
SELECT hanzo_datastore.create_rollup('by_age', :'ages');
CALL hanzo_datastore.refresh_rollup('by_age', '2024-02-01');
INSERT INTO ages SELECT timestamptz '1000-01-15 00:00+00' + i * interval '1 month', 1 FROM generate_series(0, 1500) AS i;
SELECT ru.differences('by_age', :'ages');
CALL hanzo_datastore.refresh_rollup('by_age', '2024-02-01');
SELECT ru.differences('by_age', :'ages');
-- dates have whole days
CREATE TABLE dates (day date, n integer) USING hanzo_columnar;
SELECT ru.try('SELECT date_bin(''36 hours'', day::timestamp, ''2000-01-01'') AS b, sum(n) FROM dates GROUP BY 1');
SELECT ru.try('SELECT date_trunc(''hour'', day::timestamp) AS b, sum(n) FROM dates GROUP BY 1');
-- several steps in one transaction: the raise of what writers mark has to be committed first
CREATE TABLE steps (at timestamptz, n integer) USING hanzo_columnar;
INSERT INTO steps VALUES ('2024-01-01', 1);
SELECT hanzo_datastore.create_rollup('steps_daily', 'SELECT date_trunc(''day'', at, ''UTC'') AS day, sum(n) AS n FROM steps GROUP BY 1');
SELECT (hanzo_datastore.refresh_rollup_step('steps_daily_states', '2024-02-01')).more FROM generate_series(1, 4);
SELECT advance_xid IS NULL FROM hanzo_datastore.rollup_progress WHERE states = 'steps_daily_states'::regclass;
-- a column of the view may be renamed
ALTER VIEW steps_daily RENAME COLUMN day TO "The Day";
CALL hanzo_datastore.refresh_rollup('steps_daily', '2024-02-01');
SELECT * FROM steps_daily;
SELECT count(*) FROM steps_daily_states;
-- nobody's functions leave a setting behind in the session that refreshes
CREATE FUNCTION ru.sets(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('application_name', 'taken over', false); RETURN $1; END$$;
SET application_name = 'mine';
SELECT hanzo_datastore.create_rollup('steps_sets', 'SELECT date_trunc(''day'', at, ''UTC'') AS day, sum(ru.sets(n)) AS n FROM steps GROUP BY 1');
CALL hanzo_datastore.refresh_rollup('steps_sets', '2024-02-01');
SHOW application_name;
RESET application_name;
SELECT hanzo_datastore.rollup_stale(0::regclass, 0::regclass);
SELECT hanzo_datastore.rollup_live_from(0::regclass);

--
-- Rights
--
CREATE ROLE regress_rollup_other;
CREATE ROLE regress_rollup_reader;
GRANT USAGE, CREATE ON SCHEMA ru TO regress_rollup_other, regress_rollup_reader;
GRANT SELECT ON events TO regress_rollup_other;
GRANT SELECT ON daily TO regress_rollup_reader;
SET ROLE regress_rollup_other;
SELECT hanzo_datastore.create_rollup('mine', $$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$);
SELECT hanzo_datastore.refresh_rollup_step('daily_states');
SELECT hanzo_datastore.drop_rollup('daily');
SELECT hanzo_datastore.alter_rollup('daily', $$SELECT date_trunc('hour', at, 'UTC') AS h, count(*) FROM events GROUP BY 1$$);
SELECT hanzo_datastore.rollup_unregister('daily_states'::regclass);
SELECT hanzo_datastore.rollup_requery('daily_states', 'x');
SELECT hanzo_datastore.rollup_sync_name('daily_states');
SELECT hanzo_datastore.rollup_register('daily_states', 'daily_marks', 'daily', 'events', NULL, 1::smallint, 1::smallint, 1, 0, 0, 0, 'x');
SELECT hanzo_datastore.rollups_before_removal('events', now(), 'at');
SELECT count(*) FROM daily_states;
INSERT INTO daily_marks VALUES (now(), now());
DELETE FROM hanzo_datastore.rollup_catalog;
UPDATE hanzo_datastore.rollup_progress SET live_from = 'infinity';
SELECT count(*) FROM hanzo_datastore.rollups WHERE rollup = 'ru.daily'::regclass;
SET ROLE regress_rollup_reader;
SELECT count(*) > 0 FROM daily;
SELECT count(*) FROM events;
SELECT count(*) FROM daily_states;
SELECT count(*) FROM hanzo_datastore.rollups WHERE rollup = 'ru.daily'::regclass;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA ru, deeper CASCADE;
DROP ROLE regress_rollup_other, regress_rollup_reader;
SELECT count(*) FROM hanzo_datastore.rollup_catalog AS c WHERE NOT EXISTS (SELECT FROM pg_class AS t WHERE t.oid = c.states);
