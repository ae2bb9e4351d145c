-- ColumnarAgg over the groups of another: every answer is that of heaps; seconds between timestamps
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA regrouped_test;
SET search_path = regrouped_test, public;
CREATE TABLE c (id integer, d integer, key uuid, k text COLLATE "C", l text, v numeric(10,2), n integer, at timestamptz NOT NULL, ts timestamp, f float8) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 4096);
INSERT INTO c SELECT i, CASE WHEN i % 11 = 0 THEN NULL ELSE i * 7919 % 400 END, CASE WHEN i % 13 = 0 THEN NULL ELSE md5((i / 3 % 4000)::text)::uuid END, 'k' || i % 50, repeat('long ', i % 7) || i % 90,
  i % 1000 / 3.0, i % 97, '2026-01-01'::timestamptz + i * interval '1 min', CASE WHEN i % 9 > 0 THEN '2026-01-01'::timestamp + i * i * interval '1 ms' END, i / 8.0 FROM generate_series(1, 30000) AS i;
CALL hanzo_datastore.compact('c');
INSERT INTO c SELECT i, i % 400, md5((i % 500)::text)::uuid, 'k' || i % 50, '', i % 1000, NULL, '2026-01-01'::timestamptz + i * interval '1 min', NULL, 'NaN' FROM generate_series(30001, 30700) AS i;
DELETE FROM c WHERE id % 100 = 3;
CREATE TABLE h AS TABLE c;
CREATE TABLE cp (LIKE c) PARTITION BY RANGE (at);
CREATE TABLE cp_1 PARTITION OF cp FOR VALUES FROM (MINVALUE) TO ('2026-01-08') USING hanzo_columnar;
CREATE TABLE cp_2 PARTITION OF cp FOR VALUES FROM ('2026-01-08') TO ('2026-01-15') USING hanzo_columnar;
CREATE TABLE cp_3 PARTITION OF cp FOR VALUES FROM ('2026-01-15') TO (MAXVALUE) USING heap;
INSERT INTO cp TABLE c;
CALL hanzo_datastore.compact('cp');
ANALYZE c, h, cp;

-- how many steps of a query are done in vectors, and how many by PostgreSQL's own plan
CREATE FUNCTION steps(query text, OUT vectors bigint, OUT rows bigint) LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  vectors := 0;
  rows := 0;
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    vectors := vectors + (line LIKE '%Custom Scan (ColumnarAgg)%')::int;
    rows := rows + (line ~ '(Aggregate|Unique)$')::int;
  END LOOP;
END$$;
-- Runs a query over [t] on the columnar tables and the heap: whether all answers agree, how it was done, how many rows there are (or the error)
CREATE FUNCTION regrouped(query text, OUT same boolean, OUT vectors bigint, OUT rows bigint, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
  heap text := test.answer(replace(query, '[t]', 'h'));
BEGIN
  same := test.answer(replace(query, '[t]', 'c')) = heap AND test.answer(replace(query, '[t]', 'cp')) = heap;
  SET LOCAL hanzo_datastore.enable_nested_agg = off;
  same := same AND test.answer(replace(query, '[t]', 'c')) = heap;
  RESET hanzo_datastore.enable_nested_agg;
  SET LOCAL work_mem = '64kB';
  SET LOCAL hash_mem_multiplier = 1;
  same := same AND test.answer(replace(query, '[t]', 'c')) = heap;
  RESET work_mem;
  RESET hash_mem_multiplier;
  SELECT s.vectors, s.rows INTO vectors, rows FROM steps(replace(query, '[t]', 'c')) AS s;
  answer := CASE WHEN heap ~ '^\d+ [0-9a-f]{32}$' THEN split_part(heap, ' ', 1) ELSE heap END;
END$$;

SELECT same, vectors, rows, answer, query FROM unnest(ARRAY[
  'SELECT date_trunc(''day'', first_at) AS day, count(*), 100.0 * count(*) FILTER (WHERE views = 1) / count(*), avg(extract(epoch FROM last_at - first_at)) FROM (SELECT key, count(*) AS views, min(at) AS first_at, max(at) AS last_at FROM [t] GROUP BY key) AS visit GROUP BY 1',
  'SELECT count(*), count(*) FILTER (WHERE views = 1), avg(views), max(views) FROM (SELECT key, count(*) AS views FROM [t] GROUP BY key) AS visit',
  'SELECT views, count(*), count(key), min(l) FROM (SELECT key, max(k) AS l, count(*) AS views FROM [t] WHERE n < 60 GROUP BY key) AS v GROUP BY 1',
  'SELECT k, l, count(*), sum(s), avg(a), sum(m) FROM (SELECT k, l, d, sum(v) AS s, avg(v) AS a, sum(n) AS m FROM [t] GROUP BY 1, 2, 3) AS g GROUP BY 1, 2',
  'SELECT k || ''!'', md5(l), count(*), max(x) FROM (SELECT k, l, max(key::text) AS x FROM [t] GROUP BY 1, 2) AS g GROUP BY 1, 2',
  'SELECT m, count(*) FROM (SELECT d, count(DISTINCT key) AS m FROM [t] GROUP BY d) AS g GROUP BY 1',
  'SELECT count(*), sum(n), min(k) FROM (SELECT DISTINCT k, n FROM [t]) AS g',
  'SELECT DISTINCT n FROM (SELECT d, count(*) AS n FROM [t] GROUP BY 1) AS g',
  'SELECT DISTINCT d % 7, b FROM (SELECT d, bool_and(n > 3) AS b FROM [t] GROUP BY 1) AS g',
  'SELECT b, count(*) FROM (SELECT d, bool_or(n > 90) AS b FROM [t] GROUP BY 1) AS g GROUP BY 1',
  'SELECT p, count(*) FROM (SELECT d, percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS p FROM [t] GROUP BY 1) AS g GROUP BY 1',
  'SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY n) FROM (SELECT d, count(*) AS n FROM [t] GROUP BY d) AS g',
  'SELECT big, count(*), sum(n) FROM (SELECT d, count(*) AS n, count(*) > 70 AS big FROM [t] GROUP BY d) AS g GROUP BY 1',
  'SELECT count(*), sum(n) FROM (SELECT d, count(*) AS n FROM [t] GROUP BY d HAVING count(*) > 70) AS g',
  'SELECT d % 5, count(*), sum(n) FROM (SELECT d, count(*) AS n FROM [t] GROUP BY d) AS g WHERE n > 70 AND d > 20 GROUP BY 1',
  'SELECT count(*), sum(s) FROM (SELECT k, sum(n) AS s FROM (SELECT k, d, count(*) AS n FROM [t] GROUP BY 1, 2) AS g GROUP BY k) AS gg',
  'SELECT max(m), sum(s) FROM (SELECT max(n) AS m, sum(n) AS s, count(*) AS x FROM (SELECT k, d, count(*) AS n FROM [t] GROUP BY 1, 2) AS g) AS one',
  'SELECT count(*), count(m) FROM (SELECT max(n) AS m FROM [t] WHERE id < 0) AS one',
  'SELECT count(*), count(d) FROM (SELECT d, max(n) AS m FROM [t] WHERE id < 0 GROUP BY d) AS none',
  'SELECT n, count(*) AS days FROM (SELECT d, count(*) AS n FROM [t] GROUP BY d) AS g GROUP BY 1 HAVING count(*) > 3 ORDER BY 2 DESC, 1 LIMIT 3',
  'SELECT round(avg(f), 3), count(*) FROM (SELECT k, d, avg(v) AS f FROM [t] GROUP BY 1, 2) AS g GROUP BY k',
  'SELECT sum(f), max(f) FROM (SELECT k, max(f) AS f FROM [t] WHERE id < 30000 GROUP BY k) AS g',
  'WITH g AS (SELECT k, min(ts) AS a, max(ts) AS b FROM [t] GROUP BY k) SELECT sum(floor(extract(epoch FROM b - a))), avg(extract(epoch FROM b - a)), max(b - a) FROM g',
  'SELECT x.n, count(*) FROM (SELECT k, d, count(*) AS n FROM [t] GROUP BY 1, 2 LIMIT 100000) AS x GROUP BY 1',
  'SELECT y, count(*) FROM (SELECT d, row_number() OVER (ORDER BY d) % 3 AS y, count(*) FROM [t] GROUP BY d) AS g GROUP BY 1',
  'SELECT count(*), count(DISTINCT k) FROM (SELECT k, n, v, id FROM [t] GROUP BY 1, 2, 3, 4) AS many',
  'SELECT n % 3, count(*), max(k) FROM (SELECT k, n, v, id FROM [t] GROUP BY 1, 2, 3, 4) AS many GROUP BY 1']) AS query, regrouped(query);

-- Groups are read as they are where at most columns are picked in between; else rows are. Off: PostgreSQL groups the groups.
CREATE FUNCTION groups_read(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN jsonb_path_query_first(plan, '$.**."Groups Read"');
END$$;
SELECT groups_read(query), query FROM unnest(ARRAY[
  'SELECT count(*), sum(n) FROM (SELECT d, count(*) AS n FROM c GROUP BY d) AS g',
  'SELECT d, sum(n) FROM (SELECT d, count(*) AS n FROM c GROUP BY d) AS g GROUP BY d',
  'SELECT DISTINCT n FROM (SELECT d, k, count(*) AS n FROM c GROUP BY d, k) AS g',
  'SELECT count(*), sum(n) FROM (SELECT d, count(*) AS n FROM c GROUP BY d HAVING count(*) > 70) AS g',
  'SELECT count(*), sum(n) FROM (SELECT d, count(*) AS n FROM c GROUP BY d) AS g WHERE n > 70',
  'SELECT count(*), sum(n) FROM (SELECT d, count(*) + 1 AS n FROM c GROUP BY d) AS g']) AS query;
SET hanzo_datastore.enable_nested_agg = off;
SELECT vectors, rows FROM steps('SELECT count(*), sum(n) FROM (SELECT d, count(*) AS n FROM c GROUP BY d) AS g');
RESET hanzo_datastore.enable_nested_agg;

-- What PostgreSQL's own plan has to do, of the lower step, the upper one, or both
CREATE FUNCTION left_to_postgres(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN ARRAY(SELECT DISTINCT x #>> '{}' FROM jsonb_path_query(plan, '$.**."Done by PostgreSQL''s Own Plan"') AS x);
END$$;
SELECT same, vectors, left_to_postgres(replace(query, '[t]', 'c')) AS left_to_postgres, query FROM unnest(ARRAY[
  'SELECT count(*), sum(s) FROM (SELECT k, sum(v * 1e30 * v * 1e30) AS s FROM [t] GROUP BY k) AS g',
  'SELECT k, sum(s * 1e30 * s * 1e30), count(*) FROM (SELECT k, d, sum(v) AS s FROM [t] GROUP BY k, d) AS g GROUP BY k',
  'SELECT k, sum(s * 1e20 * s), count(*) FROM (SELECT k, d, sum(v * 1e30 * v * 1e30) AS s FROM [t] GROUP BY k, d) AS g GROUP BY k',
  'SELECT sum(x.s), count(*) FROM generate_series(1, 3) AS o CROSS JOIN LATERAL (SELECT k, sum(s * 1e30 * s * 1e30) AS s FROM (SELECT k, d, sum(v) AS s FROM [t] WHERE n > o GROUP BY k, d) AS g GROUP BY k) AS x']) AS query, regrouped(query);

-- Not so: functions that change, locks, what an outer query of the same level gives
CREATE SEQUENCE s;
SELECT vectors, rows, query FROM unnest(ARRAY[
  'SELECT count(*), max(x) FROM (SELECT k, nextval(''s'') AS x FROM c GROUP BY k) AS g',
  'SELECT count(*), max(x) FROM (SELECT k, random() AS x FROM c GROUP BY k) AS g',
  'SELECT count(random()), max(n) FROM (SELECT k, count(*) AS n FROM c GROUP BY k) AS g',
  'SELECT array_agg(n) FROM (SELECT k, count(*) AS n FROM c GROUP BY k) AS g',
  'SELECT DISTINCT random() FROM (SELECT k, count(*) AS n FROM c GROUP BY k) AS g',
  'SELECT (random() * 0)::int + n, count(*) FROM (SELECT k, count(*) AS n FROM c GROUP BY k) AS g GROUP BY 1',
  'SELECT count(g), max(g::text) FROM (SELECT k, count(*) AS n FROM c GROUP BY k) AS g',
  'SELECT (r).f1, count(*) FROM (SELECT k, ROW(max(d), min(n)) AS r FROM c GROUP BY k) AS g GROUP BY 1']) AS query, steps(query);

-- Rescans, parameters, cursors
SELECT x, s.* FROM generate_series(1, 4) AS x CROSS JOIN LATERAL (SELECT count(*), sum(n), min(d) FROM (SELECT d, count(*) AS n FROM c WHERE c.n % 5 = x GROUP BY d) AS g WHERE n > x) AS s;
SELECT x, s.* FROM generate_series(1, 4) AS x CROSS JOIN LATERAL (SELECT count(*), sum(n), min(d) FROM (SELECT d, count(*) AS n FROM h WHERE h.n % 5 = x GROUP BY d) AS g WHERE n > x) AS s;
SELECT x, (SELECT sum(n + x) FROM (SELECT d, count(*) AS n FROM c GROUP BY d) AS g WHERE d % 3 = x) FROM generate_series(0, 3) AS x;
SELECT x, (SELECT sum(n + x) FROM (SELECT d, count(*) AS n FROM h GROUP BY d) AS g WHERE d % 3 = x) FROM generate_series(0, 3) AS x;
CREATE FUNCTION analyzed(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, TIMING ON) ' || query; END $$;
-- instruments with a clock; parameters that reach the lower step alone
SELECT length(string_agg(line, '')) > 0 AS explained FROM analyzed('SELECT o, (SELECT max(m) FROM (SELECT d, count(*) AS m FROM c WHERE n > o GROUP BY d) AS g) FROM generate_series(1, 4) AS o') AS line;
PREPARE visits(timestamptz, bigint) AS SELECT n > $2 AS many, count(*), sum(n) FROM (SELECT key, count(*) AS n FROM c WHERE at > $1 GROUP BY key) AS g GROUP BY 1 ORDER BY 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE visits('2026-01-10', 3);
EXECUTE visits('2026-01-20', 2);
SELECT n > 2 AS many, count(*), sum(n) FROM (SELECT key, count(*) AS n FROM h WHERE at > '2026-01-20' GROUP BY key) AS g GROUP BY 1 ORDER BY 1;
RESET plan_cache_mode;
BEGIN;
DECLARE s SCROLL CURSOR FOR SELECT n, count(*) FROM (SELECT d, count(*) AS n FROM c GROUP BY d) AS g GROUP BY n ORDER BY n;
FETCH 2 FROM s;
MOVE ALL FROM s;
FETCH LAST FROM s;
FETCH FIRST FROM s;
COMMIT;
CREATE VIEW visits WITH (security_barrier) AS SELECT key, count(*) AS views, min(at) AS first_at FROM c GROUP BY key;
SELECT vectors, rows FROM steps('SELECT views, count(*) FROM visits WHERE first_at > ''2026-01-10'' GROUP BY 1');
SELECT test.answer('SELECT views, count(*) FROM visits WHERE first_at > ''2026-01-10'' GROUP BY 1')
  = test.answer('SELECT views, count(*) FROM (SELECT key, count(*) AS views, min(at) AS first_at FROM h GROUP BY key) AS v WHERE first_at > ''2026-01-10'' GROUP BY 1') AS same;
-- without what depends on the machine
CREATE FUNCTION explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line !~ 'Memory Usage' THEN RETURN NEXT line; END IF;
  END LOOP;
END$$;
SELECT explained('SELECT views % 2, count(*), avg(extract(epoch FROM last_at - first_at)) FROM (SELECT k, n, count(*) AS views, min(at) AS first_at, max(at) AS last_at FROM c WHERE id < 3000 GROUP BY k, n) AS v GROUP BY 1');

-- Many groups with long strings
CREATE TABLE long (id integer, s text) USING hanzo_columnar;
INSERT INTO long SELECT i, repeat(md5(i::text), 400) FROM generate_series(1, 3000) AS i;
CALL hanzo_datastore.compact('long');
CREATE TABLE long_heap AS TABLE long;
SELECT test.answer(q) = test.answer(replace(q, 'long', 'long_heap')) AS same, steps(q) AS steps FROM unnest(ARRAY[
  'SELECT count(*), count(s), sum(length(s)), max(x) FROM (SELECT s, id % 7 AS x, count(*) FROM long GROUP BY 1, 2) AS g',
  'SELECT x % 10, count(*), md5(min(m COLLATE "C")), sum(length(m)) FROM (SELECT id AS x, max(s COLLATE "C") AS m FROM long GROUP BY 1) AS g GROUP BY 1']) AS q;

-- Vectors of one row group whose key is a constant, without nulls and with some: the same again is not what came between
CREATE TABLE z (id integer, at timestamp, k text COLLATE "C", r text COLLATE "C") USING hanzo_columnar;
INSERT INTO z SELECT i, CASE WHEN i / 2048 % 2 = 1 AND i % 10 = 0 THEN NULL WHEN i / 2048 % 2 = 1 THEN '2026-01-02'::timestamp + i::bigint * 7919 % 80000 * interval '1 s'
  ELSE '2026-01-01'::timestamp + i::bigint * 7919 % 80000 * interval '1 s' END, 'k' || i % 401, 'r' || i % 401 FROM generate_series(0, 20479) AS i;
CALL hanzo_datastore.compact('z');
CREATE TABLE z_heap AS TABLE z;
SET hanzo_datastore.max_threads = 0;
SELECT test.answer(q) = test.answer(replace(q, ' z ', ' z_heap ')) AS same, q FROM unnest(ARRAY[
  'SELECT date_trunc(''day'', at), count(*) FROM z GROUP BY 1',
  'SELECT date_trunc(''day'', at), id % 5, count(*) FROM z GROUP BY 1, 2',
  'SELECT date_trunc(''day'', at), k, r, count(*) FROM z GROUP BY 1, 2, 3',
  'SELECT date_trunc(''day'', at) > ''2026-01-01 12:00'', extract(day FROM date_trunc(''day'', at)), count(*) FROM z GROUP BY 1, 2']) AS q;
RESET hanzo_datastore.max_threads;

-- Buckets of fixed size as codes of a dictionary that the vectors of a row group share: ranges that grow, to both sides, and beyond what a
-- dictionary holds; nulls, infinite and extreme times among others; several buckets in a query; rows that were filtered out
CREATE TABLE buckets (id integer, t timestamptz, x timestamp, few timestamp) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('buckets', row_group_rows => 16384);
INSERT INTO buckets SELECT i, CASE WHEN i % 17 > 0 THEN '2026-03-01'::timestamptz + (i / 2048 % 5 - 2) * interval '9 days' + i * i % 100003 * interval '7.3 s' END,
    CASE WHEN i % 4000 = 3999 THEN 'infinity' WHEN i % 5000 = 4999 THEN '4713-01-01 BC' WHEN i % 6000 = 5999 THEN '294276-12-31' ELSE '2026-01-01'::timestamp + i * interval '13 min' END,
    '1999-12-31'::timestamp - i * interval '3 min'
  FROM generate_series(1, 60000) AS i;
CALL hanzo_datastore.compact('buckets');
DELETE FROM buckets WHERE id % 7 = 1;
CREATE TABLE buckets_heap AS TABLE buckets;
CREATE FUNCTION bucket_differences() RETURNS TABLE (query text) LANGUAGE sql AS $$
  SELECT q FROM unnest(ARRAY[
    'SELECT date_trunc(''hour'', t), count(*), sum(id) FROM buckets GROUP BY 1',
    'SELECT date_trunc(''minute'', t), count(*) FROM buckets GROUP BY 1',
    'SELECT date_trunc(''second'', t), date_trunc(''day'', t), count(*) FROM buckets GROUP BY 1, 2',
    'SELECT date_trunc(''week'', t), date_trunc(''hour'', few), count(*) FROM buckets GROUP BY 1, 2',
    'SELECT date_trunc(''hour'', few), date_trunc(''day'', few), id % 3, count(*), min(t) FROM buckets GROUP BY 1, 2, 3',
    'SELECT date_trunc(''month'', few), count(*) FROM buckets GROUP BY 1',
    'SELECT date_trunc(''hour'', x), count(*) FROM buckets WHERE id % 4000 <> 3999 AND id % 5000 <> 4999 AND id % 6000 <> 5999 GROUP BY 1',
    'SELECT date_trunc(''day'', x), count(*) FROM buckets WHERE id % 5000 <> 4999 GROUP BY 1',
    'SELECT date_trunc(''hour'', x), count(*) FROM buckets GROUP BY 1',
    'SELECT date_bin(''15 minutes'', t, ''2001-01-01 00:07''), count(*) FROM buckets GROUP BY 1',
    'SELECT date_bin(''1 day'', few, ''2099-01-01 05:00''), count(*) FROM buckets GROUP BY 1',
    'SELECT date_trunc(''hour'', t), count(*) FROM buckets WHERE id % 50 = 2 GROUP BY 1',
    'SELECT count(*), min(id), max(id) FROM buckets WHERE date_trunc(''hour'', t) = ''2026-03-01 05:00'' AND id % 2 = 0',
    'SELECT extract(hour FROM date_trunc(''hour'', t)), count(DISTINCT date_trunc(''hour'', t)) FROM buckets GROUP BY 1',
    'SELECT date_trunc(''hour'', CASE WHEN id % 3 = 0 THEN t WHEN id % 3 = 1 THEN t + interval ''1 year'' END), count(*) FROM buckets GROUP BY 1',
    'SELECT date_trunc(''hour'', t, ''Asia/Kolkata''), date_trunc(''hour'', t AT TIME ZONE ''UTC''), count(*) FROM buckets GROUP BY 1, 2']) AS q
  WHERE test.answer(q) <> test.answer(replace(q, 'buckets', 'buckets_heap'))
$$;
SELECT * FROM bucket_differences();
SET hanzo_datastore.max_threads = 0;
SELECT * FROM bucket_differences();
RESET hanzo_datastore.max_threads;
SELECT steps('SELECT date_trunc(''hour'', t), count(*) FROM buckets GROUP BY 1');

-- Seconds between timestamps: infinities, beyond 64 bits, nulls
CREATE TABLE spans (id integer, a timestamptz, b timestamptz, x timestamp, y timestamp) USING hanzo_columnar;
INSERT INTO spans SELECT i, '2026-01-01'::timestamptz + i * interval '1.000001 s', CASE WHEN i % 5 > 0 THEN '2026-01-01'::timestamptz - i * i * interval '1 s' END, '2020-02-29'::timestamp + i * interval '7 hours', CASE WHEN i % 7 > 0 THEN 'epoch'::timestamp END
  FROM generate_series(1, 3000) AS i;
CALL hanzo_datastore.compact('spans');
INSERT INTO spans VALUES (3001, '4713-01-01 BC', '294276-12-31', '4713-01-01 BC', '294276-12-31'), (3002, 'infinity', '2026-01-01', '2026-01-01', '-infinity');
CREATE TABLE spans_heap AS TABLE spans;
SELECT test.answer(q) = test.answer(replace(q, 'spans', 'spans_heap')) AS same, q FROM unnest(ARRAY[
  'SELECT count(*), sum(extract(epoch FROM a - b)), min(extract(epoch FROM b - a)), sum(floor(extract(epoch FROM y - x))), avg(extract(epoch FROM a - ''2026-01-01'')) FROM spans WHERE id < 3001',
  'SELECT id % 4, sum(floor(extract(epoch FROM a - b))), max(floor(extract(epoch FROM b - a) / 7)), min(floor(extract(epoch FROM b - a) * 1.5)) FROM spans WHERE id < 3001 GROUP BY 1',
  'SELECT sum(extract(epoch FROM a - b)), sum(floor(extract(epoch FROM x - y))) FROM spans WHERE id < 3002',
  'SELECT sum(extract(epoch FROM a - b)) FROM spans',
  'SELECT sum(extract(epoch FROM x - y)) FROM spans',
  'SELECT count(*) FROM spans WHERE extract(epoch FROM a - b) > 1000 AND id < 3001',
  'SELECT extract(epoch FROM a - b), floor(extract(epoch FROM b - a)) FROM spans WHERE id % 100 = 1 AND id < 3001 AND floor(extract(epoch FROM x - y)) > 5']) AS q;
DROP SCHEMA regrouped_test CASCADE;
