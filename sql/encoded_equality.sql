-- Columns that equal a constant, found by codes of dictionaries and in encoded values: the same rows as a heap, serial, in threads and in
-- PostgreSQL's workers, with nulls, deleted rows, values that are not there, columns added later, parameters and collations.
SET client_min_messages = warning;
CREATE SCHEMA encoded;
SET search_path = encoded, test;
CREATE COLLATION ignorant (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE e_h (k integer, few text, many text, u uuid, r uuid, b bytea, mixed text COLLATE ignorant, padded character(8), n integer, ids text, spans text) USING heap;
CREATE TABLE e_c (LIKE e_h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('e_c', row_group_rows => 40960);
INSERT INTO e_h
SELECT i, CASE WHEN i % 7 > 0 THEN 'few ' || i % 12 END, CASE WHEN i % 11 > 0 THEN 'user_' || i * 7919 % 3000 END, md5((i / 50)::text)::uuid,
  CASE WHEN i % 5 > 0 THEN md5(i::text)::uuid END, decode(md5((i % 2000)::text), 'hex'), CASE WHEN i % 2 = 0 THEN 'Case' ELSE 'case' END || i % 9,
  'p' || i % 40, i % 100, md5((i * 3)::text)::uuid::text, CASE WHEN i % 9 > 0 THEN substr(md5((i / 2)::text), 1, 16) END
FROM generate_series(1, 100000) AS i;
INSERT INTO e_c SELECT * FROM e_h;
CALL hanzo_datastore.compact('e_c');
INSERT INTO e_h SELECT k + 100000, few, many, u, r, b, mixed, padded, n, ids, spans FROM e_h WHERE k <= 500;
INSERT INTO e_c SELECT * FROM e_h WHERE k > 100000;
DELETE FROM e_h WHERE k % 13 = 0;
DELETE FROM e_c WHERE k % 13 = 0;
ALTER TABLE e_h ADD COLUMN late text DEFAULT 'late';
ALTER TABLE e_c ADD COLUMN late text DEFAULT 'late';
ANALYZE e_h, e_c;

SELECT column_name, encodings FROM hanzo_datastore.columnar_columns WHERE relation = 'e_c'::regclass AND column_name IN ('ids', 'spans') ORDER BY 1;
SELECT test.differences('e_h', 'e_c');

-- The rows of a condition in one number, of a scan or an aggregation.
CREATE FUNCTION rows_of(t text, condition text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || coalesce(sum(k), 0) || '' '' || coalesce(min(few), ''-'') FROM %I WHERE %s', t, condition) INTO result;
  RETURN result;
END
$$;
-- Vectors that were compared as they are encoded.
CREATE FUNCTION compared(query text)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
  line text;
  result bigint := 0;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    result := result + coalesce(substring(line FROM 'Vectors Compared as Encoded: (\d+)')::bigint, 0);
  END LOOP;
  RETURN result;
END
$$;
CREATE TABLE conditions (id integer GENERATED ALWAYS AS IDENTITY, condition text, encoded boolean);
INSERT INTO conditions (condition, encoded) VALUES
  ('few = ''few 3''', true), ('few = ''few 99''', NULL), ('few = ''''', NULL), ('many = ''user_17''', true), ('many = ''user_2999''', true), ('many = ''user_3000''', NULL),
  ('many = ''user_''', NULL), ('many = ''a''', NULL), ('many = ''zzz''', NULL), ('u = md5(''77'')::uuid', true), ('u = md5(''nothing'')::uuid', NULL), ('r = md5(''4711'')::uuid', true),
  ('r = md5(''5'')::uuid', NULL), ('b = decode(md5(''77''), ''hex'')', true), ('mixed = ''CASE3''', false), ('padded = ''p7''', false), ('padded = ''p7   ''', false),
  ('few = ''few 3'' AND many = ''user_17''', NULL), ('few = ''few 3'' AND n > 50', true), ('few = ''few 3'' OR u = md5(''77'')::uuid', true), ('NOT (few = ''few 3'')', NULL),
  ('few <> ''few 3''', false), ('few = NULL', NULL), ('late = ''late''', NULL), ('late = ''early''', NULL), ('few = ''few 3'' AND few = ''few 3''', true), ('few = ''few 3'' AND few > ''few''', NULL),
  ('n > 50 AND few = ''few 4''', true), ('few = ''few 3'' AND length(few) = 5', true), ('few IN (''few 1'', ''few 2'')', NULL),
  ('ids = md5(''300'')::uuid::text', true), ('ids = upper(md5(''300'')::uuid::text)', NULL), ('ids = md5(''300'')', NULL), ('ids = ''''', NULL), ('ids = md5(''1'')::uuid::text', NULL),
  ('spans = substr(md5(''500''), 1, 16)', true), ('spans = substr(md5(''500''), 1, 15) || ''x''', NULL), ('spans = substr(md5(''500''), 1, 14)', NULL),
  ('octet_length(ids) = 36 AND n = 7', NULL), ('octet_length(spans) = 16 AND n = 7', NULL), ('spans IS NULL AND n = 7', NULL), ('ids LIKE ''abc%''', NULL),
  ('ids > ''ff'' COLLATE "C"', NULL), ('substr(ids, 15, 1) = ''7''', NULL), ('ids || spans LIKE ''%0''', NULL);

CREATE FUNCTION compare_all(setting text)
RETURNS TABLE (condition text, heap text, columnar text)
LANGUAGE sql
AS $$
  SELECT c.condition, rows_of('e_h', c.condition), rows_of('e_c', c.condition) FROM conditions AS c
  WHERE rows_of('e_h', c.condition) IS DISTINCT FROM rows_of('e_c', c.condition)
$$;
SET max_parallel_workers_per_gather = 0;
SELECT * FROM compare_all('in one process');
SELECT condition FROM conditions
WHERE encoded IS NOT NULL AND encoded <> (compared('SELECT count(*), sum(k) FROM e_c WHERE ' || condition) > 0);
SET hanzo_datastore.enable_columnar_agg = off;
SELECT * FROM compare_all('by scans');
SELECT condition FROM conditions
WHERE encoded IS NOT NULL AND encoded <> (compared('SELECT count(*), sum(k) FROM e_c WHERE ' || condition) > 0);
RESET hanzo_datastore.enable_columnar_agg;
SET hanzo_datastore.enable_encoded_equality = off;
SELECT * FROM compare_all('decoded');
SELECT sum(compared('SELECT count(*), sum(k) FROM e_c WHERE ' || condition)) FROM conditions;
RESET hanzo_datastore.enable_encoded_equality;
SET hanzo_datastore.enable_pruning = off;
SELECT * FROM compare_all('without pruning');
RESET hanzo_datastore.enable_pruning;
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT * FROM compare_all('in threads');
SELECT condition FROM conditions
WHERE encoded IS NOT NULL AND encoded <> (compared('SELECT count(*), sum(k) FROM e_c WHERE ' || condition) > 0);
SET hanzo_datastore.enable_columnar_agg = off;
SELECT * FROM compare_all('in workers');
RESET hanzo_datastore.enable_columnar_agg;

-- parameters, one after the other
SET plan_cache_mode = force_generic_plan;
PREPARE visitor(text, uuid) AS SELECT count(*), sum(k) FROM e_c WHERE many = $1 OR u = $2;
EXECUTE visitor('user_17', md5('77')::uuid);
EXECUTE visitor('nobody', md5('78')::uuid);
EXECUTE visitor(NULL, md5('77')::uuid);
EXECUTE visitor('user_18', NULL);
SELECT count(*), sum(k) FROM e_h WHERE many = 'user_18';

-- the rows themselves, with the column that was compared among them and without
SELECT count(*) FROM (
  (SELECT k, many, u FROM e_c WHERE many = 'user_500' EXCEPT ALL SELECT k, many, u FROM e_h WHERE many = 'user_500')
  UNION ALL (SELECT k, many, u FROM e_h WHERE many = 'user_500' EXCEPT ALL SELECT k, many, u FROM e_c WHERE many = 'user_500')) AS d;
SELECT k, few, n, ids, spans FROM e_c WHERE many = 'user_500' ORDER BY k LIMIT 3;
SELECT k, few, n, ids, spans FROM e_h WHERE many = 'user_500' ORDER BY k LIMIT 3;
-- A condition that all rows of a vector certainly satisfy is not evaluated on it: only where two values meet. Whatever else there is still is.
RESET hanzo_datastore.enable_columnar_agg;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE s_c (p text COLLATE "C", n integer, z integer) USING hanzo_columnar;
INSERT INTO s_c SELECT 'p' || i / 13653, CASE WHEN i % 31 > 0 THEN i % 100 END, i % 7 FROM generate_series(0, 40958) AS i;
CALL hanzo_datastore.compact('s_c');
DELETE FROM s_c WHERE n = 60;
CREATE TABLE s_h AS TABLE s_c;
SELECT c.condition, compared('SELECT count(*), sum(n) FROM s_c WHERE ' || c.condition) AS by_groups, compared('SELECT n, p FROM s_c WHERE ' || c.condition) AS by_rows,
  test.answer('SELECT count(*), sum(n) FROM s_c WHERE ' || c.condition) = test.answer('SELECT count(*), sum(n) FROM s_h WHERE ' || c.condition)
  AND test.answer('SELECT n, p FROM s_c WHERE ' || c.condition) = test.answer('SELECT n, p FROM s_h WHERE ' || c.condition) AS same
FROM unnest(ARRAY['p = ''p1'' AND n > 50', 'n > 50 AND p = ''p1''', 'p = ''p1'' AND n = 7 AND z < 3', 'p = ''p1'' AND n IS NULL', 'p = ''p1'' AND (n > 50 OR p = ''p0'')', 'p = ''p1'' AND 10 / nullif(z, 0) = 5',
  'p >= ''p1'' AND p < ''p2'' AND n % 2 = 0', 'n > 50 AND z = 3', 'p = ''p1'' AND n BETWEEN 3 AND 60 AND z IN (1, 2)', 'z = z AND p = ''p2'' AND n < 3']) AS c(condition);
SELECT test.answer('SELECT count(*) FROM s_c WHERE p = ''p1'' AND 10 / z > 2'), test.answer('SELECT count(*) FROM s_h WHERE p = ''p1'' AND 10 / z > 2');
SET hanzo_datastore.enable_pruning = off;
SELECT compared('SELECT count(*), sum(n) FROM s_c WHERE p = ''p1'' AND n > 50') AS by_groups, compared('SELECT n, p FROM s_c WHERE p = ''p1'' AND n > 50') AS by_rows;
RESET hanzo_datastore.enable_pruning;
DROP SCHEMA encoded CASCADE;
