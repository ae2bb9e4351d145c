--
-- set_ttl(), ttl_preview(), apply_ttl(): whole months, the month on the border, plain tables, refusals
--
\set SHOW_CONTEXT never
SET timezone = 'Asia/Kolkata';
SET intervalstyle = 'iso_8601';
CREATE ROLE regress_ttl_other;

-- The same rows in a managed columnar table, a managed heap, one whose DELETE somebody watches, and one that others refer to.
CREATE TABLE src (id integer, at timestamptz, v text);
INSERT INTO src SELECT i, timestamptz '2025-01-01 00:00+00' + i * interval '10 minutes', 'v' || i % 50 FROM generate_series(0, 30000) AS i;
INSERT INTO src VALUES (-1, 'infinity', 'x'), (-2, '-infinity', 'x'), (-3, NULL, 'x'), (-4, '0044-03-15 BC', 'old'), (-5, '2019-01-01', 'old');
CREATE TABLE col (LIKE src) PARTITION BY RANGE (at);
CREATE INDEX ON col (id);
SELECT hanzo_datastore.alter_columnar_table('col', row_group_rows => 2048);
CREATE TABLE hp (LIKE src) PARTITION BY RANGE (at);
CREATE TABLE hp_rest PARTITION OF hp DEFAULT USING heap;
CREATE TABLE watched (LIKE src) PARTITION BY RANGE (at);
CREATE TABLE seen (id integer);
CREATE FUNCTION test.seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (OLD.id); RETURN NULL; END $$;
CREATE TRIGGER sees AFTER DELETE ON watched FOR EACH ROW EXECUTE FUNCTION test.seen();
CREATE TABLE referred (id integer, at timestamptz, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
INSERT INTO col SELECT FROM src WHERE false;
SELECT hanzo_datastore.manage_partitions(t, now => '2025-06-20'), hanzo_datastore.set_ttl(t, 'P90D')
FROM unnest(array['col', 'hp', 'watched', 'referred']::regclass[]) AS t;
INSERT INTO col SELECT * FROM src;
INSERT INTO hp SELECT * FROM src;
INSERT INTO watched SELECT * FROM src;
INSERT INTO referred SELECT * FROM src WHERE at IS NOT NULL;
CREATE TABLE refers (id integer, at timestamptz, FOREIGN KEY (id, at) REFERENCES referred ON DELETE CASCADE);
INSERT INTO refers SELECT id, at FROM src WHERE id % 100 = 0;
SELECT relation, ttl FROM hanzo_datastore.managed_tables ORDER BY relation::text;
SELECT label FROM pg_seclabel WHERE objoid = 'col'::regclass AND objsubid = 0;

-- months for everything first: a TTL set to a hundred years, then back
SELECT hanzo_datastore.set_ttl(t, '100 years') FROM unnest(array['col', 'hp', 'watched', 'referred']::regclass[]) AS t;
CALL hanzo_datastore.maintain('2025-06-20');
CALL hanzo_datastore.compact('col');
CALL hanzo_datastore.compact('watched');
SELECT hanzo_datastore.set_ttl(t, '90 days') FROM unnest(array['col', 'hp', 'watched', 'referred']::regclass[]) AS t;
SELECT count(*) FROM col_default;

-- an expected row is one that is not older, or has no finite time
CREATE FUNCTION test.ttl_differences(t regclass, cutoff timestamptz, OUT missing bigint, OUT surplus bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT * FROM src WHERE (at >= $1 OR at IS NULL OR at = ''-infinity'') EXCEPT ALL TABLE %s) AS d', t) INTO missing USING cutoff;
	EXECUTE format('SELECT count(*) FROM (TABLE %s EXCEPT ALL SELECT * FROM src WHERE at >= $1 OR at IS NULL OR at = ''-infinity'') AS d', t) INTO surplus USING cutoff;
END
$$;

SELECT partition, whole, rows, bytes > 0 AS bytes FROM hanzo_datastore.ttl_preview('col', '2025-06-20 12:00+00');
SELECT test.ttl_differences('col', '2000-01-01');
SELECT partition, whole, rows, dropped FROM hanzo_datastore.apply_ttl('col', '2025-06-20 12:00+00');
SELECT test.ttl_differences('col', timestamptz '2025-06-20 12:00+00' - interval '90 days');
SELECT * FROM hanzo_datastore.ttl_preview('col', '2025-06-20 12:00+00');
SELECT * FROM hanzo_datastore.apply_ttl('col', '2025-06-20 12:00+00');
SELECT relation, partition, whole, rows, bytes >= 0 AS bytes, cutoff FROM hanzo_datastore.ttl_log WHERE relation LIKE 'public.%' ORDER BY removed_at;
SELECT count(*) FROM hanzo_datastore.verify('col');
SET enable_seqscan = off;
SET hanzo_datastore.enable_columnar_scan = off;
SELECT count(*) FROM col WHERE id BETWEEN 0 AND 30000;
RESET enable_seqscan;
RESET hanzo_datastore.enable_columnar_scan;

-- heaps: whole months at once
SELECT partition, whole, rows, dropped FROM hanzo_datastore.apply_ttl('hp', '2025-06-20 12:00+00');
SELECT test.ttl_differences('hp', timestamptz '2025-06-20 12:00+00' - interval '90 days');
-- every row is seen where somebody watches
SELECT partition, whole, rows, dropped FROM hanzo_datastore.apply_ttl('watched', '2025-06-20 12:00+00');
SELECT test.ttl_differences('watched', timestamptz '2025-06-20 12:00+00' - interval '90 days');
SELECT count(*) AS seen, (SELECT count(*) FROM src WHERE at < timestamptz '2025-06-20 12:00+00' - interval '90 days' AND at > '-infinity') AS expected FROM seen;
-- what refers to it goes along
SELECT partition, whole, rows, dropped FROM hanzo_datastore.apply_ttl('referred', '2025-06-20 12:00+00');
SELECT count(*) FROM (SELECT * FROM src WHERE at >= timestamptz '2025-06-20 12:00+00' - interval '90 days' OR at = '-infinity' EXCEPT ALL TABLE referred) AS d;
SELECT count(*), min(at AT TIME ZONE 'UTC') FROM refers;

-- rows that come late for a month that is gone: the default partition takes them, TTL takes them away
INSERT INTO col VALUES (1, '2025-02-01', 'late');
CALL hanzo_datastore.maintain('2025-06-20 13:00+00');
SELECT count(*) FROM col WHERE v = 'late';
SELECT job, error FROM hanzo_datastore.jobs WHERE relation = 'col'::regclass AND error IS NOT NULL;
SELECT partition FROM hanzo_datastore.partition_bounds('col') ORDER BY lower LIMIT 1;

-- what rollups say goes: not yet, or not so far
BEGIN;
CREATE OR REPLACE FUNCTION hanzo_datastore.rollups_before_removal(relation regclass, cutoff timestamptz, column_name name) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
SELECT count(*) FROM hanzo_datastore.apply_ttl('col', '2025-07-20');
CREATE OR REPLACE FUNCTION hanzo_datastore.rollups_before_removal(relation regclass, cutoff timestamptz, column_name name) RETURNS timestamptz LANGUAGE sql
	AS $$ SELECT CASE WHEN relation = 'public.col'::regclass THEN timestamptz '2025-04-02 00:00+00' END $$;
SELECT partition, whole, rows, dropped FROM hanzo_datastore.apply_ttl('col', '2025-08-20');
SELECT test.ttl_differences('col', '2025-04-02 00:00+00');
ROLLBACK;

-- the clock jumps a year, and back
CALL hanzo_datastore.maintain('2026-06-20');
SELECT test.ttl_differences('col', timestamptz '2026-06-20' - interval '90 days');
CALL hanzo_datastore.maintain('2025-06-20');
SELECT partition, lower FROM hanzo_datastore.partition_bounds('col') WHERE NOT is_default ORDER BY lower;

--
-- Whole row groups go unread: those at work on a row keep theirs
--
CREATE TABLE plain (id integer, at timestamp, d date, v text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('plain', order_by => 'id', row_group_rows => 2048);
INSERT INTO plain SELECT i, timestamp '2025-01-01' + i * interval '1 hour', date '2025-01-01' + i / 24, 'v' FROM generate_series(0, 20479) AS i;
CALL hanzo_datastore.compact('plain');
INSERT INTO plain VALUES (-1, '2025-01-05', '2025-01-05', 'delta'), (-2, NULL, NULL, 'delta'), (-3, 'infinity', 'infinity', 'delta'), (-4, '-infinity', '-infinity', 'delta');
SELECT row_groups, rows, delta_rows FROM hanzo_datastore.columnar_tables WHERE relation = 'plain'::regclass;
SELECT hanzo_datastore.set_ttl('plain', '6 mons', 'at');
SELECT column_name, managed, ttl FROM hanzo_datastore.managed_tables WHERE relation = 'plain'::regclass;
SELECT partition, whole, rows, bytes > 0 AS bytes FROM hanzo_datastore.ttl_preview('plain', '2026-01-01 00:00+00');
BEGIN;
SELECT rows, bytes > 0 AS whole_groups FROM hanzo_datastore.delete_range('plain', 'at', NULL, '2025-07-01', 0);
SELECT row_groups, rows, deleted_rows, delta_rows FROM hanzo_datastore.columnar_tables WHERE relation = 'plain'::regclass;
ROLLBACK;
SELECT count(*) FROM plain;
SELECT rows FROM hanzo_datastore.apply_ttl('plain', '2026-01-01 00:00+00');
SELECT count(*), min(at) FILTER (WHERE isfinite(at)), count(*) FILTER (WHERE at IS NULL OR NOT isfinite(at)) AS kept FROM plain;
SELECT count(*) FROM hanzo_datastore.verify('plain');
-- by a date: a day goes when all of it has expired
SELECT hanzo_datastore.set_ttl('plain', '30 days', 'd');
SELECT rows FROM hanzo_datastore.apply_ttl('plain', '2026-01-01 13:00+00');
SELECT min(d) FILTER (WHERE isfinite(d)) FROM plain;
-- the column may be renamed, and dropped
ALTER TABLE plain RENAME COLUMN d TO "The Day";
SELECT column_name FROM hanzo_datastore.managed_tables WHERE relation = 'plain'::regclass;
ALTER TABLE plain DROP COLUMN "The Day";
SELECT hanzo_datastore.apply_ttl('plain');
CALL hanzo_datastore.maintain('2026-01-01');
SELECT job, sqlstate, error FROM hanzo_datastore.jobs WHERE relation = 'plain'::regclass ORDER BY job;
SELECT hanzo_datastore.set_ttl('plain', NULL);
SELECT count(*) FROM hanzo_datastore.managed_tables WHERE relation = 'plain'::regclass;
-- a rule that swallows DELETE
CREATE TABLE ruled (at date) USING hanzo_columnar;
INSERT INTO ruled VALUES ('2020-01-01');
CREATE RULE r AS ON DELETE TO ruled DO INSTEAD NOTHING;
SELECT hanzo_datastore.set_ttl('ruled', '1 day', 'at');
SELECT * FROM hanzo_datastore.apply_ttl('ruled');
SELECT count(*) FROM ruled;

--
-- Refusals
--
CREATE TABLE bad_heap (at date) USING heap;
CREATE TABLE bad_part (at date) PARTITION BY RANGE (at);
CREATE TABLE bad (at date, other timestamptz, n integer) USING hanzo_columnar;
SELECT hanzo_datastore.set_ttl('bad_heap', '1 day', 'at');
SELECT hanzo_datastore.set_ttl('bad_part', '1 day');
SELECT hanzo_datastore.set_ttl('bad', '1 day');
SELECT hanzo_datastore.set_ttl('bad', '1 day', 'n');
SELECT hanzo_datastore.set_ttl('bad', '1 day', 'gone');
SELECT hanzo_datastore.set_ttl('bad', '0', 'at');
SELECT hanzo_datastore.set_ttl('bad', '-1 day', 'at');
SELECT hanzo_datastore.set_ttl('bad', '1 month -1 day', 'at');
SELECT hanzo_datastore.set_ttl('bad', '59 minutes', 'at');
SELECT hanzo_datastore.set_ttl('bad', '2000 years', 'at');
SELECT hanzo_datastore.set_ttl('col', '1 month', 'v');
SELECT hanzo_datastore.set_ttl('col_2026_06', '1 month', 'at');
SELECT hanzo_datastore.set_ttl(NULL, '1 month');
SELECT hanzo_datastore.apply_ttl('bad');
SELECT hanzo_datastore.ttl_preview('bad');
SELECT hanzo_datastore.apply_ttl('col', 'infinity');
SELECT hanzo_datastore.apply_ttl('col', NULL);
SECURITY LABEL FOR hanzo_datastore ON TABLE bad IS '{"ttl": "-1 day"}';
SECURITY LABEL FOR hanzo_datastore ON TABLE bad IS '{"months_ahead": 61}';
SECURITY LABEL FOR hanzo_datastore ON COLUMN bad.at IS '{"managed": true}';
SELECT count(*) FROM pg_seclabel WHERE objoid = 'bad'::regclass;
SET ROLE regress_ttl_other;
SELECT hanzo_datastore.set_ttl('bad', '1 day', 'at');
SELECT hanzo_datastore.set_ttl('col', NULL);
SELECT hanzo_datastore.apply_ttl('col', '2030-01-01');
SELECT hanzo_datastore.ttl_preview('col', '2030-01-01');
SELECT hanzo_datastore.expire_next('col', '2030-01-01', NULL);
SELECT hanzo_datastore.drop_expired('col', 'col_2026_06');
SELECT hanzo_datastore.log_removal('col', 'x', true, 1, 1, now());
SELECT count(*) FROM hanzo_datastore.ttl_log;
SELECT count(*) FROM hanzo_datastore.removal_log;
RESET ROLE;
-- unmanaging ends the TTL
SELECT hanzo_datastore.unmanage_partitions('hp');
SELECT count(*) FROM hanzo_datastore.managed_tables WHERE relation = 'hp'::regclass;

DROP TABLE src, col, hp, watched, seen, refers, referred, plain, ruled, bad_heap, bad_part, bad;
DROP ROLE regress_ttl_other;
