-- Options of columnar tables: setting, showing, resetting; inheritance by partitions; what DDL does to them; bad input.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA options_test;
SET search_path = options_test, pg_catalog;
SET timezone = 'UTC';
RESET client_min_messages;

CREATE FUNCTION shown(regclass)
RETURNS TABLE (column_name name, option text, value text, source text)
LANGUAGE sql
AS $$
  SELECT o.column_name, o.option, o.value, o.source
  FROM hanzo_datastore.columnar_options AS o
  WHERE o.relation = $1
  ORDER BY o.column_name NULLS FIRST, o.option COLLATE "C"
$$;

CREATE FUNCTION labels(regclass)
RETURNS TABLE (attnum integer, label text)
LANGUAGE sql
AS $$
  SELECT objsubid, label FROM pg_seclabel
  WHERE classoid = 'pg_class'::regclass AND objoid = $1 AND provider = 'hanzo_datastore'
  ORDER BY objsubid
$$;

-- The functions return void; what matters is what they leave behind.
\pset tuples_only on
CREATE TABLE events (
  project_id integer NOT NULL,
  dropped_early text,
  created_at timestamptz NOT NULL,
  url text,
  amount numeric(18,4),
  score float8,
  PRIMARY KEY (project_id, created_at)
) USING hanzo_columnar;
ALTER TABLE events DROP COLUMN dropped_early;

-- Defaults.
SELECT * FROM shown('events');
SELECT * FROM labels('events');

-- Set.
SELECT hanzo_datastore.alter_columnar_table('events',
  order_by => $$project_id, date_bin('1 hour', created_at, '2000-01-01'), lower(url) COLLATE "C" DESC NULLS LAST$$,
  compression => 'zstd', compression_level => 9, row_group_rows => 20480, bloom => '{url,project_id}');
SELECT hanzo_datastore.alter_columnar_column('events', 'url', compression => 'lz4');
SELECT hanzo_datastore.alter_columnar_column('events', 'score', compression => 'zstd', compression_level => 19);
SELECT hanzo_datastore.alter_columnar_column('events', 'score', bloom => true, compression => '', compression_level => 1);
SELECT * FROM shown('events');
SELECT * FROM labels('events');

-- Left out: unchanged. One option at a time.
SELECT hanzo_datastore.alter_columnar_table('events');
SELECT hanzo_datastore.alter_columnar_column('events', 'url');
SELECT hanzo_datastore.alter_columnar_table('events', row_group_rows => 2048);
SELECT hanzo_datastore.alter_columnar_table('events', row_group_rows => 122880);
SELECT hanzo_datastore.alter_columnar_table('events', compression_level => 1);
SELECT hanzo_datastore.alter_columnar_table('events', compression_level => 19, compression => 'zstd');
SELECT * FROM shown('events') WHERE column_name IS NULL;

-- A codec without levels takes the level away; back at zstd it is the default.
SELECT hanzo_datastore.alter_columnar_table('events', compression => 'none');
SELECT * FROM shown('events') WHERE column_name IS NULL AND option LIKE 'compression%';
SELECT hanzo_datastore.alter_columnar_table('events', compression => 'zstd');
SELECT * FROM shown('events') WHERE column_name IS NULL AND option LIKE 'compression%';

-- NULL resets, and nothing else.
SELECT hanzo_datastore.alter_columnar_column('events', 'score', compression_level => NULL);
SELECT * FROM shown('events') WHERE column_name = 'score';
SELECT hanzo_datastore.alter_columnar_column('events', 'score', compression => NULL);
SELECT hanzo_datastore.alter_columnar_column('events', 'project_id', bloom => NULL);
SELECT hanzo_datastore.alter_columnar_column('events', 'score', bloom => false);
SELECT hanzo_datastore.alter_columnar_table('events', order_by => NULL);
SELECT * FROM shown('events');
SELECT hanzo_datastore.alter_columnar_table('events', bloom => NULL);
SELECT * FROM shown('events') WHERE option = 'bloom';
SELECT hanzo_datastore.alter_columnar_table('events', compression => NULL, row_group_rows => NULL);
SELECT hanzo_datastore.alter_columnar_column('events', 'url', compression => NULL);
SELECT * FROM labels('events');

-- Several times in one statement.
SELECT hanzo_datastore.alter_columnar_table('events', order_by => 'url'),
  hanzo_datastore.alter_columnar_table('events', order_by => 'score, url', row_group_rows => 2048);
SELECT * FROM labels('events');
SELECT hanzo_datastore.alter_columnar_table('events', order_by => NULL, row_group_rows => NULL);
SELECT * FROM labels('events');

-- Transactions.
BEGIN;
SELECT hanzo_datastore.alter_columnar_table('events', order_by => 'url');
SAVEPOINT s;
SELECT hanzo_datastore.alter_columnar_table('events', order_by => 'score DESC, url');
SELECT * FROM shown('events') WHERE option = 'order_by';
ROLLBACK TO s;
SELECT * FROM shown('events') WHERE option = 'order_by';
ROLLBACK;
SELECT * FROM shown('events') WHERE option = 'order_by';

-- Stored forms do not depend on the session that wrote them.
SET timezone = 'Asia/Kolkata';
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'sql_standard';
SELECT hanzo_datastore.alter_columnar_table('events', order_by =>
  $$date_bin('1 day 2 hours', created_at, '03/02/2000 00:00'), events.project_id NULLS FIRST, url || 'x$1 \ y'$$);
SELECT * FROM labels('events');
RESET timezone;
RESET datestyle;
RESET intervalstyle;
SELECT value FROM shown('events') WHERE option = 'order_by';
-- Unchanged settings, although the sort key was read under others.
SHOW datestyle;

-- Functions are found again without the search_path that found them first.
CREATE FUNCTION host(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT split_part($1, '/', 3) $$;
SELECT hanzo_datastore.alter_columnar_table('events', order_by => 'host(url), project_id');
SELECT value FROM shown('events') WHERE option = 'order_by';

-- Columns are followed by what they are, not by what they were called.
SELECT hanzo_datastore.alter_columnar_table('events',
  order_by => $$project_id, date_trunc('hour', created_at AT TIME ZONE 'UTC'), url$$, compression => 'lz4',
  bloom => '{url}');
ALTER TABLE events RENAME COLUMN created_at TO "At";
ALTER TABLE events RENAME COLUMN url TO project;
ALTER TABLE events RENAME COLUMN project_id TO url;
ALTER TABLE events ADD COLUMN created_at date;
SELECT * FROM shown('events');
ALTER TABLE events RENAME TO occurrences;
ALTER TABLE occurrences SET SCHEMA public;
SELECT * FROM shown('public.occurrences');
ALTER TABLE public.occurrences SET SCHEMA options_test;
ALTER TABLE occurrences RENAME TO events;

-- Kept by rewrites, changes of type and of access method.
ALTER TABLE events ALTER COLUMN url TYPE bigint;
ALTER TABLE events ALTER COLUMN project TYPE varchar(300);
ALTER TABLE events SET ACCESS METHOD heap;
SELECT count(*) FROM shown('events');
SELECT hanzo_datastore.alter_columnar_table('events', compression => 'zstd');
ALTER TABLE events RENAME COLUMN "At" TO at;
ALTER TABLE events SET ACCESS METHOD hanzo_columnar;
CLUSTER events USING events_pkey;
VACUUM FULL events;
TRUNCATE events;
SELECT * FROM shown('events');

-- A bloom filter that has become impossible is kept and does nothing; a sort key that has is reported once.
ALTER TABLE events ALTER COLUMN project TYPE jsonb USING to_jsonb(project);
SELECT hanzo_datastore.alter_columnar_table('events', row_group_rows => 4096);
ALTER TABLE events ALTER COLUMN project TYPE json USING project::json;
SELECT hanzo_datastore.alter_columnar_table('events', row_group_rows => 8192);
SELECT hanzo_datastore.alter_columnar_table('events', row_group_rows => 16384);
SELECT * FROM shown('events');
SHOW search_path;

-- A dropped column of the sort key.
CREATE TABLE hits (a integer, b integer, c integer) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('hits', order_by => 'a, b DESC, c', bloom => '{b}');
ALTER TABLE hits DROP COLUMN b;
SELECT hanzo_datastore.alter_columnar_table('hits', row_group_rows => 4096);
SELECT * FROM shown('hits');
SELECT * FROM labels('hits');
INSERT INTO hits SELECT i, i FROM generate_series(1, 10) AS i;
SELECT count(*) FROM hits;
SELECT hanzo_datastore.alter_columnar_table('hits', order_by => 'c, a');
SELECT * FROM labels('hits');

-- A dropped function of the sort key, and its return.
CREATE TABLE visits (url text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('visits', order_by => 'host(url)');
DROP FUNCTION host(text);
SELECT hanzo_datastore.alter_columnar_table('visits', compression => 'lz4');
SELECT * FROM shown('visits') WHERE option = 'order_by';

-- Partitions inherit, whatever the order of their columns, also those created or attached later.
CREATE TABLE months (id integer, at timestamptz, kind text, note text) PARTITION BY RANGE (at);
CREATE TABLE months_1 PARTITION OF months FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('months', order_by => 'kind, at DESC', compression => 'zstd',
  compression_level => 7, bloom => '{id}');
SELECT hanzo_datastore.alter_columnar_column('months', 'note', compression => 'none');
CREATE TABLE months_2 (gone integer, note text, at timestamptz, kind text, id integer) USING hanzo_columnar;
ALTER TABLE months_2 DROP COLUMN gone;
SELECT * FROM shown('months_2') WHERE source <> 'default';
ALTER TABLE months ATTACH PARTITION months_2 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TABLE months_3 PARTITION OF months FOR VALUES FROM ('2024-03-01') TO ('2024-05-01') PARTITION BY RANGE (at);
CREATE TABLE months_3a PARTITION OF months_3 FOR VALUES FROM ('2024-03-01') TO ('2024-04-01') USING hanzo_columnar;
SELECT * FROM shown('months');
SELECT * FROM shown('months_1');
SELECT * FROM shown('months_2');
SELECT * FROM shown('months_3a');
-- The nearest decides.
SELECT hanzo_datastore.alter_columnar_table('months_3', row_group_rows => 2048, compression => 'lz4');
SELECT hanzo_datastore.alter_columnar_column('months_3a', 'id', bloom => false);
SELECT hanzo_datastore.alter_columnar_table('months_3a', order_by => 'note');
SELECT * FROM shown('months_3a');
SELECT hanzo_datastore.alter_columnar_table('months_3a', order_by => NULL, bloom => NULL);
SELECT * FROM shown('months_3a') WHERE option IN ('order_by', 'bloom');
-- A column renamed above is renamed below.
ALTER TABLE months RENAME COLUMN kind TO sort;
SELECT * FROM shown('months_2') WHERE option = 'order_by';
-- Dropped above: the warning is about the table that said it, once.
ALTER TABLE months DROP COLUMN sort;
SELECT hanzo_datastore.alter_columnar_table('months_2', row_group_rows => 4096);
SELECT hanzo_datastore.alter_columnar_table('months_1', row_group_rows => 4096);
-- A detached partition has its own options only.
ALTER TABLE months DETACH PARTITION months_2;
SELECT * FROM shown('months_2');
-- Partitioned tables appear when they have options or a columnar partition.
CREATE TABLE other (a integer) PARTITION BY LIST (a);
CREATE TABLE other_1 PARTITION OF other FOR VALUES IN (1) USING heap;
SELECT count(*) FROM shown('other');
CREATE TABLE other_2 PARTITION OF other FOR VALUES IN (2) USING hanzo_columnar;
SELECT count(*) FROM shown('other');

-- Materialized views.
CREATE MATERIALIZED VIEW sums USING hanzo_columnar AS SELECT i, i % 3 AS m FROM generate_series(1, 10) AS i;
SELECT hanzo_datastore.alter_columnar_table('sums', order_by => 'm, i');
REFRESH MATERIALIZED VIEW sums;
SELECT * FROM shown('sums') WHERE option = 'order_by';

-- Bad relations.
CREATE TABLE plain (a integer) USING heap;
CREATE VIEW seen AS SELECT 1 AS a;
CREATE SEQUENCE numbers;
CREATE INDEX hits_index ON hits (a);
SELECT hanzo_datastore.alter_columnar_table('plain', order_by => 'a');
SELECT hanzo_datastore.alter_columnar_column('plain', 'a', compression => 'lz4');
SELECT hanzo_datastore.alter_columnar_table('seen', order_by => 'a');
SELECT hanzo_datastore.alter_columnar_table('numbers');
SELECT hanzo_datastore.alter_columnar_table('hits_index');
SELECT hanzo_datastore.alter_columnar_table('pg_class');
SELECT hanzo_datastore.alter_columnar_table(0);
SELECT hanzo_datastore.alter_columnar_table(NULL, order_by => 'a');
SELECT count(*) FROM hanzo_datastore.columnar_options_of(0);
SELECT count(*) FROM hanzo_datastore.columnar_options_of(NULL);

-- Bad values.
SELECT hanzo_datastore.alter_columnar_table('hits', compression => 'gzip');
SELECT hanzo_datastore.alter_columnar_table('hits', compression => 'ZSTD');
SELECT hanzo_datastore.alter_columnar_table('hits', compression_level => -1);
SELECT hanzo_datastore.alter_columnar_table('hits', compression_level => 20);
SELECT hanzo_datastore.alter_columnar_table('hits', compression => 'lz4', compression_level => 1);
SELECT hanzo_datastore.alter_columnar_table('hits', compression => 'none', compression_level => 1);
SELECT hanzo_datastore.alter_columnar_column('hits', 'a', compression => 'lz4', compression_level => 3);
SELECT hanzo_datastore.alter_columnar_table('months_3a', compression_level => 3);
SELECT hanzo_datastore.alter_columnar_table('hits', row_group_rows => 2047);
SELECT hanzo_datastore.alter_columnar_table('hits', row_group_rows => 122881);
SELECT hanzo_datastore.alter_columnar_table('hits', row_group_rows => -1);
SELECT hanzo_datastore.alter_columnar_table('hits', bloom => '{a,b}');
SELECT hanzo_datastore.alter_columnar_table('hits', bloom => '{A}');
SELECT hanzo_datastore.alter_columnar_table('hits', bloom => '{ctid}');
SELECT hanzo_datastore.alter_columnar_table('hits', bloom => '{a,NULL}');
SELECT hanzo_datastore.alter_columnar_table('events', bloom => '{amount}');
SELECT hanzo_datastore.alter_columnar_column('events', 'project', bloom => true);
SELECT hanzo_datastore.alter_columnar_column('hits', 'b', compression => 'lz4');
SELECT hanzo_datastore.alter_columnar_column('hits', 'ctid', compression => 'lz4');
SELECT hanzo_datastore.alter_columnar_column('hits', NULL, compression => 'lz4');

-- Types with and without bloom filters.
CREATE DOMAIN short AS varchar(10);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE kinds (i integer, u uuid, s short, m mood, f float8, b bytea, ip inet, ia integer[], c char(2), v interval)
  USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('kinds', bloom => '{i,u,s,m,f,b}');
SELECT column_name, value FROM shown('kinds') WHERE option = 'bloom';
SELECT hanzo_datastore.alter_columnar_table('kinds', bloom => '{ia}');
SELECT hanzo_datastore.alter_columnar_table('kinds', bloom => '{c}');
SELECT hanzo_datastore.alter_columnar_table('kinds', bloom => '{v}');

-- Bad sort keys.
CREATE TABLE keys (a integer, t text, at timestamptz, j json, p point, d integer GENERATED ALWAYS AS (a + 1) STORED)
  USING hanzo_columnar;
CREATE FUNCTION pg_temp.set_order(text) RETURNS void LANGUAGE sql
  AS $$ SELECT hanzo_datastore.alter_columnar_table('options_test.keys', order_by => $1) $$;
SELECT pg_temp.set_order('a, nope');
SELECT pg_temp.set_order('a,');
SELECT pg_temp.set_order('   ');
SELECT pg_temp.set_order('a -- and more');
SELECT pg_temp.set_order('a LIMIT 1');
SELECT pg_temp.set_order('a; SELECT 2');
SELECT pg_temp.set_order('a FOR UPDATE');
SELECT pg_temp.set_order('a USING <');
SELECT pg_temp.set_order('a, t, a DESC');
SELECT pg_temp.set_order('lower(t), lower(t)');
SELECT pg_temp.set_order('(a, t)');
SELECT pg_temp.set_order('keys');
SELECT pg_temp.set_order('1');
SELECT pg_temp.set_order('pi()');
SELECT pg_temp.set_order('ctid');
SELECT pg_temp.set_order('tableoid, a');
SELECT pg_temp.set_order('j');
SELECT pg_temp.set_order('p');
SELECT pg_temp.set_order('$1');
SELECT pg_temp.set_order('plain.a');
SELECT pg_temp.set_order('(SELECT a)');
SELECT pg_temp.set_order('sum(a)');
SELECT pg_temp.set_order('rank() OVER (ORDER BY a)');
SELECT pg_temp.set_order('generate_series(1, a)');
SELECT pg_temp.set_order('a + random()');
SELECT pg_temp.set_order($$date_trunc('hour', at)$$);
SELECT pg_temp.set_order('at + interval ''1 day''');
SELECT pg_temp.set_order('a, CASE WHEN t = current_user THEN 1 END');
SELECT pg_temp.set_order('t COLLATE nowhere');
-- Mutable only behind a default argument.
CREATE FUNCTION since(timestamptz, timestamptz DEFAULT now()) RETURNS interval LANGUAGE sql IMMUTABLE
  AS $$ SELECT $2 - $1 $$;
SELECT pg_temp.set_order('since(at)');
SELECT * FROM labels('keys');
-- Good ones, for contrast.
SELECT pg_temp.set_order('d, t COLLATE "C" DESC, a % 10 NULLS FIRST, coalesce(t, ''''), extract(year FROM at AT TIME ZONE ''UTC'')');
SELECT value FROM shown('keys') WHERE option = 'order_by';

-- Rights: those of ALTER TABLE.
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_options_owner, regress_options_other;
CREATE ROLE regress_options_owner;
CREATE ROLE regress_options_other;
RESET client_min_messages;
GRANT USAGE ON SCHEMA hanzo_datastore, options_test TO regress_options_owner, regress_options_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA options_test TO regress_options_other;
ALTER TABLE keys OWNER TO regress_options_owner;
GRANT ALL ON keys TO regress_options_other;
SET ROLE regress_options_other;
SELECT hanzo_datastore.alter_columnar_table('keys', order_by => 'a');
SELECT hanzo_datastore.alter_columnar_column('keys', 'a', bloom => true);
SECURITY LABEL FOR hanzo_datastore ON TABLE keys IS NULL;
SELECT count(*) FROM shown('keys');
SET ROLE regress_options_owner;
SELECT hanzo_datastore.alter_columnar_table('keys', order_by => 'a');
BEGIN READ ONLY;
SELECT hanzo_datastore.alter_columnar_table('keys', order_by => 'a');
ROLLBACK;
RESET ROLE;
SELECT * FROM labels('keys');

-- Labels by hand: what a dump says is accepted, in its order.
CREATE TABLE dumped (at timestamptz, id integer, t text) USING hanzo_columnar;
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS
  '{"order_by": "$2, date_bin(''01:00:00''::interval, $1, ''2000-01-01 00:00:00+00''::timestamp with time zone)", "compression_level": 5, "row_group_rows": 4096}';
SECURITY LABEL FOR hanzo_datastore ON COLUMN dumped.at IS '{"order_by_input": 1}';
SECURITY LABEL FOR hanzo_datastore ON COLUMN dumped.id IS '{"order_by_input": 2, "compression": "lz4", "bloom": true}';
SELECT * FROM shown('dumped');
SECURITY LABEL FOR hanzo_datastore ON COLUMN dumped.id IS NULL;
SELECT * FROM shown('dumped');
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS NULL;
SELECT * FROM labels('dumped');

-- And what cannot be right is not.
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS 'fast';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '[1]';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"order_by": "id"}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"order_by": 1}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"order_by": "$1,"}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"order_by": "$1601"}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"order_by": "date_trunc(''hour'', $1)"}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"bloom": true}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"compression": "gzip"}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"compression": "lz4", "compression_level": 3}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"compression_level": 2.5}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"compression_level": 20}';
SECURITY LABEL FOR hanzo_datastore ON TABLE dumped IS '{"row_group_rows": 1}';
SECURITY LABEL FOR hanzo_datastore ON COLUMN dumped.id IS '{"order_by": "$1"}';
SECURITY LABEL FOR hanzo_datastore ON COLUMN dumped.id IS '{"order_by_input": 0}';
SECURITY LABEL FOR hanzo_datastore ON COLUMN dumped.id IS '{"bloom": "yes"}';
SECURITY LABEL FOR hanzo_datastore ON COLUMN dumped.ctid IS '{"bloom": true}';
SECURITY LABEL FOR hanzo_datastore ON VIEW seen IS '{}';
SECURITY LABEL FOR hanzo_datastore ON SCHEMA options_test IS '{}';
SELECT * FROM labels('dumped');

-- A session that has not loaded the library finds the provider all the same: a dump labels a partitioned table first.
\c -
SECURITY LABEL FOR hanzo_datastore ON COLUMN options_test.other.a IS '{"bloom": true}';
SET search_path = options_test, pg_catalog;
SELECT * FROM shown('other_2') WHERE column_name = 'a';

-- What the planner keeps of the options is what they are now: costs follow a sort key of the table, or of the one that hands it down.
CREATE FUNCTION cost(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  RETURN plan -> 0 -> 'Plan' ->> 'Total Cost';
END$$;
CREATE TABLE costly (a integer, b integer) PARTITION BY RANGE (a);
CREATE TABLE costly_1 PARTITION OF costly DEFAULT USING hanzo_columnar;
INSERT INTO costly SELECT i, i::bigint * 7919 % 10000 FROM generate_series(1, 100000) AS i;
CALL hanzo_datastore.compact('costly_1');
VACUUM ANALYZE costly;
SELECT cost('SELECT a FROM costly_1 WHERE b BETWEEN 5 AND 10') AS unsorted \gset
SELECT hanzo_datastore.alter_columnar_table('costly', order_by => 'b');
SELECT cost('SELECT a FROM costly_1 WHERE b BETWEEN 5 AND 10') < :unsorted * 0.9 AS cheaper;
SELECT hanzo_datastore.alter_columnar_table('costly_1', order_by => 'a');
SELECT cost('SELECT a FROM costly_1 WHERE b BETWEEN 5 AND 10') = :unsorted AS dear_again;
SECURITY LABEL FOR hanzo_datastore ON TABLE costly_1 IS NULL;
SELECT cost('SELECT a FROM costly_1 WHERE b BETWEEN 5 AND 10') < :unsorted * 0.9 AS cheaper_again;
DROP TABLE costly;

-- Labels die with their table and column.
DROP TABLE dumped, hits, months, months_2;
SELECT count(*) FROM pg_seclabel AS l
WHERE l.provider = 'hanzo_datastore' AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = l.objoid);

\pset tuples_only off
SET client_min_messages = warning;
DROP SCHEMA options_test CASCADE;
REVOKE ALL ON SCHEMA hanzo_datastore FROM regress_options_owner, regress_options_other;
DROP ROLE regress_options_owner, regress_options_other;
