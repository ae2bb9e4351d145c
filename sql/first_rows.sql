-- The first row of each partition: scans below DISTINCT ON, and below windows of which row_number() or rank() must be 1, leave out
-- rows that others come before. Every query runs on a heap and on a columnar table of the same rows, with the feature on and off.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA first_test;
SET search_path = first_test;
SET timezone = 'UTC';
SET max_parallel_workers_per_gather = 0;
SET enable_hashagg = off;

-- Partitions that come in runs, that are strewn about, of one row, of all; nulls; orders that rise, fall, tie.
CREATE TABLE h AS
SELECT i AS id, i / 40 AS run, CASE WHEN i % 50 > 0 THEN x % 700 END AS strewn, i::bigint AS single, 1::smallint AS one, (x % 3)::integer AS few,
  md5((x % 900)::text)::uuid AS u, 'name ' || x % 300 AS s, 'c ' || x % 40 AS c, (x % 60) / 10.0 AS n, CASE i % 7 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN 0 ELSE (x % 90)::float8 END AS f,
  x % 2 = 0 AS b, '2026-01-01'::date + (x % 90)::integer AS d, CASE WHEN i % 9 > 0 THEN '2026-01-01'::timestamptz + x * interval '1 second' END AS tz, nullif(x % 1000, 5) AS v,
  CASE i % 500 WHEN 0 THEN 'NaN' WHEN 1 THEN 10::numeric ^ 60 WHEN 2 THEN NULL ELSE round((x - 10000) / 3.0, i % 22) END AS wild, md5(x::text) AS pad
FROM (SELECT i, abs(test.noise(i) % 20000) AS x FROM generate_series(1, 24000) AS i) AS rows;
ALTER TABLE h ALTER COLUMN c TYPE text COLLATE "C";
CREATE TABLE t (LIKE h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('t', row_group_rows => 4096);
INSERT INTO t SELECT * FROM h WHERE id <= 22000;
CALL hanzo_datastore.compact('t');
INSERT INTO t SELECT * FROM h WHERE id > 22000;
SELECT test.stores('t');
DELETE FROM h WHERE id % 40 = 1 OR id BETWEEN 4000 AND 6200 OR test.noise(id) % 90 = 0;
DELETE FROM t WHERE id % 40 = 1 OR id BETWEEN 4000 AND 6200 OR test.noise(id) % 90 = 0;
ALTER TABLE h ADD COLUMN later integer DEFAULT 100;
ALTER TABLE t ADD COLUMN later integer DEFAULT 100;
UPDATE h SET later = id % 200, tz = '2020-01-01' WHERE id > 23900 OR id % 977 = 0;
UPDATE t SET later = id % 200, tz = '2020-01-01' WHERE id > 23900 OR id % 977 = 0;
ANALYZE h, t;

CREATE FUNCTION answer(query text, first boolean DEFAULT true)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('hanzo_datastore.enable_top_n', first::text, true);
  EXECUTE format('SELECT count(*) || E''\n'' || coalesce(md5(string_agg(r::text, E''\n'')), '''') FROM (%s) AS r', query) INTO result;
  RETURN result;
END
$$;
-- Of a query over [t]: whether the answers are the same, how many rows, by what scans look for first rows, whether they left some out.
CREATE FUNCTION compare(query text)
RETURNS TABLE (same boolean, rows bigint, per text, ordered text, removed boolean)
LANGUAGE plpgsql
AS $$
DECLARE
  expected text := answer(replace(query, '[t]', 'h'));
  plan jsonb;
BEGIN
  same := answer(replace(query, '[t]', 't'), false) = expected AND answer(replace(query, '[t]', 't')) = expected;
  rows := split_part(expected, E'\n', 1);
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF, FORMAT json) ' || replace(query, '[t]', 't') INTO plan;
  SELECT string_agg(DISTINCT x::text, ' ') INTO per FROM jsonb_path_query(plan, 'strict $.**."First Row Per"') AS x;
  SELECT string_agg(DISTINCT x #>> '{}', ' ') INTO ordered FROM jsonb_path_query(plan, 'strict $.**."First Row By"') AS x;
  SELECT sum(x::bigint) > 0 INTO removed FROM jsonb_path_query(plan, 'strict $.**."Rows Removed as Not First"') AS x;
  RETURN NEXT;
END
$$;

-- Partitions and orders of every type, in every direction; those that differ would be listed.
CREATE TEMP TABLE tried AS
SELECT k.name AS key, o.name AS by_column, o.direction, q.n, r.*
FROM unnest('{run,strewn,u,s,one,few,n,f,b,d,tz,wild}'::text[]) AS k(name)
CROSS JOIN (VALUES ('id', ''), ('v', ''), ('v', 'DESC'), ('tz', 'NULLS FIRST'), ('tz', 'DESC NULLS LAST'), ('n', 'DESC'), ('f', ''), ('f', 'DESC'), ('wild', ''), ('wild', 'DESC NULLS LAST'), ('c', 'DESC'), ('d', ''), ('b', 'DESC'), ('u', '')) AS o(name, direction)
CROSS JOIN (VALUES (1, 'SELECT id, %1$I, %2$I, pad FROM (SELECT *, row_number() OVER (PARTITION BY %1$I ORDER BY %2$I %3$s, id) AS place FROM [t]) AS q WHERE place = 1 ORDER BY id'),
  (2, 'SELECT id, pad FROM (SELECT DISTINCT ON (%1$I) id, pad FROM [t] WHERE few <> 1 ORDER BY %1$I, %2$I %3$s, id) AS q ORDER BY id'),
  (3, 'SELECT id, n FROM (SELECT id, rank() OVER (PARTITION BY %1$I ORDER BY %2$I %3$s) AS n FROM [t] WHERE v > 20) AS q WHERE n < 2 ORDER BY id')) AS q(n, text)
CROSS JOIN LATERAL compare(format(q.text, k.name, o.name, o.direction)) AS r
WHERE k.name <> o.name AND (q.n = 1 OR k.name IN ('strewn', 's', 'b', 'run'));
SELECT key, by_column, direction, n, same, per, ordered FROM tried WHERE NOT same OR per IS NULL OR ordered IS NULL;
SELECT key, count(*), count(*) FILTER (WHERE removed) AS removed FROM tried GROUP BY key ORDER BY key;

SELECT * FROM compare('SELECT id, n FROM (SELECT id, row_number() OVER (PARTITION BY strewn, b ORDER BY tz, id) AS n FROM [t]) AS q WHERE n <= 1 ORDER BY id');
SELECT * FROM compare('SELECT * FROM (SELECT id, row_number() OVER w AS n, rank() OVER w, dense_rank() OVER w FROM [t] WINDOW w AS (PARTITION BY strewn ORDER BY v DESC, id)) AS q WHERE n = 1 ORDER BY id');
SELECT * FROM compare('SELECT c, count(*) FROM (SELECT c, row_number() OVER (PARTITION BY u ORDER BY tz, md5(pad)) AS n FROM [t]) AS q WHERE n = 1 GROUP BY 1 ORDER BY 1');
SELECT * FROM compare('SELECT DISTINCT ON (strewn, few) id, strewn FROM [t] ORDER BY strewn DESC, few, v DESC NULLS LAST, id LIMIT 50 OFFSET 3');
SELECT * FROM compare('SELECT DISTINCT ON (few, strewn) id, strewn FROM [t] WHERE strewn = 7 ORDER BY few, strewn, v, id');
SELECT * FROM compare('SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY few, v, id) AS n FROM [t] WHERE few = 2) AS q WHERE n = 1 ORDER BY id');
SELECT * FROM compare('SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY later, id) AS n FROM [t]) AS q WHERE n = 1 ORDER BY id');
SELECT * FROM compare('SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY later ORDER BY v, id) AS n FROM [t]) AS q WHERE n = 1 ORDER BY id');
SELECT * FROM compare('SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM [t] WHERE md5(pad) < ''9'') AS q WHERE n = 1 ORDER BY id');
SELECT * FROM compare('SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM [t]) AS q WHERE n <= 0 ORDER BY id');
SELECT * FROM compare('SELECT id FROM (SELECT id, dense_rank() OVER (PARTITION BY strewn ORDER BY v) AS n FROM [t]) AS q WHERE n <= 1 ORDER BY id');
-- where nothing can be left out it gives up; and where it takes too much memory
SELECT * FROM compare('SELECT DISTINCT ON (single) single, id, v FROM [t] ORDER BY single, v, id');
SET work_mem = '64kB';
SELECT * FROM compare('SELECT DISTINCT ON (u, d) id, v FROM [t] ORDER BY u, d, v, id');
RESET work_mem;
-- rows behind the first matter, or which is the first is not known from columns
SELECT same, per, query FROM unnest(ARRAY[
  'SELECT id, n FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM [t]) AS q WHERE n <= 2 ORDER BY id',
  'SELECT * FROM (SELECT id, row_number() OVER w AS n, count(*) OVER w AS c FROM [t] WINDOW w AS (PARTITION BY strewn ORDER BY v, id)) AS q WHERE n = 1 ORDER BY id',
  'SELECT * FROM (SELECT id, row_number() OVER w AS n, lead(id) OVER w AS l FROM [t] WINDOW w AS (PARTITION BY strewn ORDER BY v, id)) AS q WHERE n = 1 ORDER BY id',
  'SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n, sum(v) OVER (PARTITION BY few) AS s FROM [t]) AS q WHERE n = 1 ORDER BY id',
  'SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n, count(*) OVER () AS s FROM [t]) AS q WHERE n = 1 ORDER BY id',
  'SELECT * FROM (SELECT id, count(*) OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM [t]) AS q WHERE n <= 1 ORDER BY id',
  'SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM [t]) AS q WHERE 1 >= n ORDER BY id',
  'SELECT * FROM (SELECT id, row_number() OVER (ORDER BY v, id) AS n FROM [t]) AS q WHERE n = 1',
  'SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY strewn + 1 ORDER BY v, id) AS n FROM [t]) AS q WHERE n = 1 ORDER BY id',
  'SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v + 1, id) AS n FROM [t]) AS q WHERE n = 1 ORDER BY id',
  'SELECT a.id FROM (SELECT a.id, row_number() OVER (PARTITION BY a.strewn ORDER BY a.v, a.id) AS n FROM [t] AS a JOIN h AS b ON b.id = a.id + 1 AND b.few = 0) AS a WHERE n = 1 ORDER BY 1',
  'SELECT count(*) FROM (SELECT DISTINCT strewn, few FROM [t]) AS q']) AS query, compare(query) WHERE same IS NOT TRUE OR per IS NOT NULL;
SELECT test.plan_has('SELECT DISTINCT ON (strewn) id FROM t ORDER BY strewn, v, random()', 'First Row');
SELECT test.plan_has('SELECT DISTINCT ON (strewn) id FROM t WHERE random() < 2 ORDER BY strewn, v', 'First Row');

-- Started again and again, with parameters; cursors; changes of the same transaction
SELECT * FROM compare('SELECT x, l.* FROM generate_series(0, 5) AS x, LATERAL (SELECT count(*), sum(id) FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM [t] WHERE id % 3 >= x OR few = x) AS q WHERE n = 1) AS l');
SELECT * FROM compare('SELECT x, l.* FROM generate_series(0, 5) AS x, LATERAL (SELECT DISTINCT ON (s) id FROM [t] WHERE few < x ORDER BY s, tz, id LIMIT x) AS l');
SET plan_cache_mode = force_generic_plan;
PREPARE firsts(integer) AS SELECT count(*), sum(id) FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM t WHERE few <> $1) AS q WHERE n = 1;
EXECUTE firsts(0);
EXECUTE firsts(1);
SELECT count(*), sum(id) FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM h WHERE few <> 1) AS q WHERE n = 1;
RESET plan_cache_mode;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT DISTINCT ON (few) few, v, id FROM t ORDER BY few, v, id;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH ALL FROM c;
FETCH FIRST FROM c;
DELETE FROM t WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY few ORDER BY v, id) AS n FROM t) AS q WHERE n = 1);
INSERT INTO t (id, few, v) VALUES (-1, 1, -1);
SELECT DISTINCT ON (few) few, v, id FROM t ORDER BY few, v, id;
ROLLBACK;

-- Partitions of the table, one of them a heap, one with its columns in another order
CREATE TABLE hp (id integer, k integer, v integer, s text) PARTITION BY RANGE (id);
CREATE TABLE hp_1 PARTITION OF hp DEFAULT;
CREATE TABLE tp (LIKE hp) PARTITION BY RANGE (id);
CREATE TABLE tp_1 PARTITION OF tp FOR VALUES FROM (MINVALUE) TO (8000) USING hanzo_columnar;
CREATE TABLE tp_2 (gone integer, s text, v integer, k integer, id integer) USING hanzo_columnar;
ALTER TABLE tp_2 DROP COLUMN gone;
ALTER TABLE tp ATTACH PARTITION tp_2 FOR VALUES FROM (8000) TO (16000);
CREATE TABLE tp_3 PARTITION OF tp FOR VALUES FROM (16000) TO (MAXVALUE) USING heap;
INSERT INTO hp SELECT id, strewn, v, s FROM h;
INSERT INTO tp TABLE hp;
CALL hanzo_datastore.compact('tp');
ANALYZE hp, tp;
SELECT * FROM compare('SELECT id, s FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v DESC, id) AS n FROM [t]p) AS q WHERE n = 1 ORDER BY id');
SELECT * FROM compare('SELECT DISTINCT ON (k, s) id, s FROM [t]p ORDER BY k, s, v, id');
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT same, rows FROM compare('SELECT id, pad FROM (SELECT *, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS place FROM [t]) AS q WHERE place = 1 ORDER BY id');
SELECT same, rows FROM compare('SELECT DISTINCT ON (strewn) id, pad FROM [t] ORDER BY strewn, v, id');
RESET max_parallel_workers_per_gather;
SET max_parallel_workers_per_gather = 0;
SET hanzo_datastore.enable_top_n = on;
EXPLAIN (COSTS OFF) SELECT DISTINCT ON (strewn, few) id FROM t ORDER BY strewn, few, tz DESC NULLS LAST, id;
CREATE FUNCTION shown(query text)
RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF) ' || query LOOP
    RETURN QUERY SELECT line WHERE line !~ 'Memory';
  END LOOP;
END
$$;
SELECT shown('SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY strewn ORDER BY v, id) AS n FROM t) AS q WHERE n = 1');

DROP SCHEMA first_test CASCADE;
