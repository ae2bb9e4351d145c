-- count(DISTINCT ...) of many values: every count is the heap's; values of the only group leave the hash table for lists.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE TABLE c (id bigint, u uuid, pairs uuid, few uuid, i integer, s smallint, f float8, f4 float4, at timestamptz, day date, n numeric(12,2), t text, k text, b boolean) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 20000);
INSERT INTO c SELECT i, md5(i::text)::uuid, md5((i / 2)::text)::uuid, md5((i % 700)::text)::uuid, CASE WHEN i % 7 > 0 THEN (i * 7919) % 90000 END, i % 30000, CASE WHEN i % 1000 = 1 THEN 'NaN'::float8 WHEN i % 1000 = 2 THEN '-0' ELSE i % 60000 END,
  CASE WHEN i % 1000 = 3 THEN 'infinity'::float4 ELSE i / 3 END, '2026-01-01'::timestamptz + i % 50000 * interval '1 s', '2026-01-01'::date + i % 900, i * 0.01, 'text ' || i, 'k' || i % 3000, i % 3 = 0
  FROM generate_series(0, 159999) AS i;
CALL hanzo_datastore.compact('c');
INSERT INTO c SELECT i, md5(i::text)::uuid, md5((i / 2)::text)::uuid, md5((i % 700)::text)::uuid, i, i % 30000, i, i, '2027-01-01', '2028-01-01', i, 'text ' || i, 'late', NULL FROM generate_series(155000, 161000) AS i;
DELETE FROM c WHERE id % 100 = 77;
CREATE TABLE h AS TABLE c;
ANALYZE c, h;
CREATE FUNCTION counted(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT string_agg(x::text, ''|'' ORDER BY x::text) FROM (%s) AS x', query) INTO result;
  RETURN CASE WHEN length(result) > 100 THEN md5(result) ELSE result END;
END$$;
-- The answer of the heap; whether it is the columnar table's with threads and without, and when all has to go to disk
CREATE FUNCTION distinct_of(query text, OUT same boolean, OUT in_vectors boolean, OUT spilled boolean, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
  mine text := replace(query, '[t]', 'c');
BEGIN
  answer := counted(replace(query, '[t]', 'h'));
  same := counted(mine) = answer;
  in_vectors := test.plan_has(mine, 'ColumnarAgg');
  PERFORM set_config('max_parallel_workers_per_gather', '0', true);
  same := same AND counted(mine) = answer;
  PERFORM set_config('work_mem', '64kB', true), set_config('hash_mem_multiplier', '1', true);
  same := same AND counted(mine) = answer;
  spilled := test.measured(mine, 'Disk Usage') > 0;
  PERFORM set_config('max_parallel_workers_per_gather', '2', true);
  same := same AND counted(mine) = answer;
  PERFORM set_config('work_mem', '4MB', true), set_config('hash_mem_multiplier', '2', true);
END$$;
SET work_mem = '64MB';
SELECT d.*, query FROM unnest(ARRAY[
  'SELECT count(DISTINCT id) FROM [t]',
  'SELECT count(DISTINCT u), count(*) FROM [t]',
  'SELECT count(DISTINCT pairs), count(DISTINCT few), count(DISTINCT u) FROM [t]',
  'SELECT count(DISTINCT i), count(DISTINCT s), sum(i), count(i) FROM [t]',
  'SELECT count(DISTINCT f), count(DISTINCT f4) FROM [t]',
  'SELECT count(DISTINCT at), count(DISTINCT day), min(at) FROM [t]',
  'SELECT count(DISTINCT n), count(DISTINCT t), count(DISTINCT k), count(DISTINCT b) FROM [t]',
  'SELECT count(DISTINCT id) FILTER (WHERE b), count(DISTINCT id) FILTER (WHERE id % 2 = 0), count(DISTINCT u) FROM [t] WHERE s > 100',
  'SELECT count(DISTINCT k) FILTER (WHERE b), count(DISTINCT k) FILTER (WHERE k > ''k2''), count(DISTINCT upper(k)) FROM [t] WHERE id > 2000',
  'SELECT count(DISTINCT id % 40000), count(DISTINCT id / 2), count(DISTINCT id::float8 / 8) FROM [t]',
  'SELECT count(DISTINCT u) FROM [t] WHERE id < 20000 OR id > 140000',
  'SELECT count(DISTINCT u) FROM [t] WHERE false',
  'SELECT count(DISTINCT id), count(DISTINCT few) FROM [t] WHERE id BETWEEN 1000 AND 34000',
  'SELECT b, count(DISTINCT id), count(DISTINCT u), count(DISTINCT k) FROM [t] GROUP BY b',
  'SELECT count(DISTINCT id) FROM [t] HAVING count(DISTINCT u) > 10000']) AS query, distinct_of(query) AS d;
-- Rescans, and values again after the count
SELECT x, s.* FROM generate_series(1, 3) AS x CROSS JOIN LATERAL (SELECT count(DISTINCT id), count(DISTINCT u) FROM c WHERE id % 4 <> x) AS s;
SELECT x, s.* FROM generate_series(1, 3) AS x CROSS JOIN LATERAL (SELECT count(DISTINCT id), count(DISTINCT u) FROM h WHERE id % 4 <> x) AS s;
-- Cancelled at once, wherever it is
\set VERBOSITY sqlstate
BEGIN;
SET LOCAL statement_timeout = '40ms';
DO $$
BEGIN
  FOR i IN 1 .. 100 LOOP
    PERFORM count(DISTINCT id) + count(DISTINCT u) FROM c;
  END LOOP;
EXCEPTION WHEN query_canceled THEN
  RAISE;
END$$;
ROLLBACK;
\set VERBOSITY default
SELECT count(DISTINCT id) = (SELECT count(DISTINCT id) FROM h) AS same FROM c;
DROP TABLE c, h;
DROP FUNCTION counted, distinct_of;
