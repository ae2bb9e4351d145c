-- ColumnarScan by a bitmap of TIDs: every index access method, both stores, exact and lossy, gives what a heap gives; and
-- the node runs.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA bitmap_scan_test;
SET search_path = bitmap_scan_test, public;

CREATE TABLE h (id integer, n integer, s text, a integer[], r int4range, p point, t tsvector, flag boolean, pad text);
CREATE TABLE c (LIKE h) USING hanzo_columnar;
CREATE FUNCTION rows_of(first integer, last integer) RETURNS SETOF h
LANGUAGE sql
AS $$
  SELECT i, i % 997, CASE WHEN i % 13 > 0 THEN 'text ' || i % 500 END, ARRAY[i % 50, i % 1000], int4range(i, i + i % 20),
    point(i % 300, i % 200), to_tsvector('simple', 'w' || i % 40 || ' v' || i % 600), i % 3 = 0, repeat(md5(i::text), 1 + i % 3)
  FROM generate_series(first, last) AS i
$$;
SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'n', row_group_rows => 5000);
-- many pages, so that a bitmap can outgrow its memory
ALTER TABLE c SET (fillfactor = 10);

-- An index of every kind.
DO $$
DECLARE
  x text;
BEGIN
  FOREACH x IN ARRAY '{c,h}'::text[] LOOP
    EXECUTE format('INSERT INTO %s SELECT * FROM rows_of(1, 12000)', x);
    IF x = 'c' THEN
      INSERT INTO c SELECT * FROM rows_of(20001, 24000);
    ELSE
      INSERT INTO h SELECT * FROM rows_of(20001, 24000);
    END IF;
    EXECUTE format('CREATE INDEX %1$s_n ON %1$s (n)', x);
    EXECUTE format('CREATE INDEX %1$s_id ON %1$s (id)', x);
    EXECUTE format('CREATE INDEX %1$s_s ON %1$s USING hash (s)', x);
    EXECUTE format('CREATE INDEX %1$s_a ON %1$s USING gin (a)', x);
    EXECUTE format('CREATE INDEX %1$s_t ON %1$s USING gin (t)', x);
    EXECUTE format('CREATE INDEX %1$s_r ON %1$s USING spgist (r)', x);
    EXECUTE format('CREATE INDEX %1$s_p ON %1$s USING gist (p)', x);
    EXECUTE format('CREATE INDEX %1$s_pad ON %1$s USING gin (pad gin_trgm_ops)', x);
    EXECUTE format('CREATE INDEX %1$s_lower ON %1$s (lower(s)) WHERE n > 0', x);
  END LOOP;
END
$$;
CALL hanzo_datastore.compact('c');
DO $$
DECLARE
  x text;
BEGIN
  FOREACH x IN ARRAY '{c,h}'::text[] LOOP
    EXECUTE format('INSERT INTO %s SELECT * FROM rows_of(12001, 18000)', x);
    EXECUTE format('DELETE FROM %s WHERE id %% 17 = 4 OR n BETWEEN 300 AND 320', x);
    EXECUTE format('UPDATE %s SET n = n + 1 WHERE id %% 23 = 5', x);
    EXECUTE format('UPDATE %s SET pad = pad || ''!'' WHERE id %% 101 = 7', x);
    EXECUTE format('ALTER TABLE %s DROP COLUMN flag CASCADE, ADD COLUMN added integer DEFAULT 7', x);
  END LOOP;
END
$$;
ANALYZE c, h;
SELECT test.stores('c');

-- The condition's answer on both tables; and whether the plan on the columnar one is a bitmap scan of ours.
CREATE FUNCTION answers(condition text, OUT rows bigint, OUT same boolean, OUT by_bitmap boolean)
LANGUAGE plpgsql
AS $$
DECLARE
  line text;
  query text := 'SELECT count(*), md5(string_agg(x::text, '','' ORDER BY id)) FROM [table] AS x WHERE ' || condition;
  here record;
  there record;
BEGIN
  by_bitmap := false;
  FOR line IN EXECUTE 'EXPLAIN ' || replace(query, '[table]', 'c') LOOP
    by_bitmap := by_bitmap OR line LIKE '%Bitmap Index Scan%';
    IF line LIKE '%Bitmap Heap Scan%' THEN
      RAISE EXCEPTION 'core''s node in the plan';
    END IF;
  END LOOP;
  EXECUTE replace(query, '[table]', 'c') INTO here;
  EXECUTE replace(query, '[table]', 'h') INTO there;
  rows := here.count;
  same := here IS NOT DISTINCT FROM there;
END
$$;
CREATE TABLE conditions (condition text);
INSERT INTO conditions VALUES
  ('n = 5'), ('n IN (5, 77, 900)'), ('n BETWEEN 290 AND 330'), ('n > 100'), ('n = 5 OR a @> ''{7}'''), ('n < 100 AND a @> ''{7}'''),
  ('s = ''text 33'''), ('s = ''text 33'' OR s = ''text 44'''), ('a @> ''{1}'''), ('a && ''{1,2,3}'''), ('a @> ''{}'''), ('a = ''{7,107}'''),
  ('t @@ ''w3'''), ('t @@ ''w3 & v43'''), ('t @@ ''!w3'''), ('r @> 12345'), ('r && ''[100,200)'''), ('p <@ box ''(10,10),(60,60)'''),
  ('p <@ circle ''<(50,50),20>'''), ('pad LIKE ''%abc%'''), ('pad ~ ''00[0-9]ff'''), ('lower(s) = ''text 9'' AND n > 0'),
  ('n = 5 AND id % 2 = 0'), ('n IS NULL'), ('s IS NULL AND n < 50'), ('n = -1'), ('id = ANY (ARRAY[1, 2, 20500, NULL])'),
  ('n = (SELECT 5)'), ('n = 5 AND (SELECT false)'), ('n < 30 AND now() IS NULL'), ('n < 30 AND added = 7');

SET enable_seqscan = off;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET hanzo_datastore.enable_columnar_scan = on;
SELECT condition, (answers(condition)).* FROM conditions;
-- too little memory for single TIDs
SET work_mem = '64kB';
SELECT bool_and(same), sum(rows), count(*) FILTER (WHERE by_bitmap) FROM conditions, answers(condition);
CREATE FUNCTION counter(query text, name text) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line LIKE '%' || name || ': %' THEN
      RETURN split_part(line, name || ': ', 2)::bigint;
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
SELECT counter('SELECT * FROM c WHERE n > 100 AND pad <> ''''', 'Lossy Blocks') > 0 AS lossy,
  counter('SELECT * FROM c WHERE n > 100 AND pad <> ''''', 'Rows Removed by Index Recheck') > 0 AS rechecked,
  counter('SELECT * FROM c WHERE n > 100 AND pad <> ''''', 'Vectors') > 0 AS vectors,
  counter('SELECT * FROM c WHERE n = 5', 'Single Rows') > 0 AS single,
  counter('SELECT * FROM c WHERE n < 200', 'Delta Rows') > 0 AS delta;
RESET work_mem;
-- switches
SET hanzo_datastore.enable_columnar_scan = off;
SELECT bool_and(same), count(*) FILTER (WHERE by_bitmap) FROM conditions, answers(condition);
SET hanzo_datastore.enable_columnar_scan = on;
SET enable_bitmapscan = off;
RESET enable_indexscan;
SELECT bool_and(same), count(*) FILTER (WHERE by_bitmap) FROM conditions, answers(condition);
SET enable_indexscan = off;
RESET enable_bitmapscan;

-- the plan, and a parameterised one that is scanned again and again
EXPLAIN (COSTS OFF) SELECT id, s FROM c WHERE a @> '{7}' AND n < 100 AND id % 2 = 0;
EXPLAIN (COSTS OFF) SELECT g, x.id FROM generate_series(1, 40) AS g LEFT JOIN LATERAL (SELECT * FROM c WHERE c.n = g AND c.a @> ARRAY[g] OFFSET 0) AS x ON true;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT count(*), count(c.id), sum(c.id) FROM generate_series(1, 400) AS g LEFT JOIN c ON c.n = g AND c.a @> ARRAY[g % 50];
SELECT count(*), count(h.id), sum(h.id) FROM generate_series(1, 400) AS g LEFT JOIN h ON h.n = g AND h.a @> ARRAY[g % 50];
RESET enable_hashjoin;
RESET enable_mergejoin;

-- prepared, generic
SET plan_cache_mode = force_generic_plan;
PREPARE find(integer, integer[]) AS SELECT count(*), sum(id) FROM c WHERE n = $1 OR a @> $2;
EXECUTE find(5, '{7}');
EXECUTE find(NULL, '{8,9}');
EXECUTE find(6, NULL);
SELECT count(*), sum(id) FROM h WHERE n = 5 OR a @> '{7}';
SELECT count(*), sum(id) FROM h WHERE n = 6;
RESET plan_cache_mode;

-- system columns: a TID yes, the form of a heap tuple no
EXPLAIN (COSTS OFF) SELECT ctid, tableoid, n FROM c WHERE n = 5;
EXPLAIN (COSTS OFF) SELECT xmin, n FROM c WHERE n = 5 OR a @> '{7}';
SELECT count(ctid), count(DISTINCT ctid), count(DISTINCT tableoid) FROM c WHERE n = 5;
SELECT count(xmin) FROM c WHERE n = 5 OR a @> '{7}';
-- nor has a bitmap scan that is given up taken an index scan along
SET enable_seqscan = on;
SET enable_indexscan = on;
EXPLAIN (COSTS OFF) SELECT xmin, n FROM c WHERE n = 5;
EXPLAIN (COSTS OFF) SELECT g, c.id FROM generate_series(1, 3) AS g LEFT JOIN c ON c.id = g AND c.xmin <> '3';
SET enable_seqscan = off;
SET enable_indexscan = off;

-- the switch is turned while the planner plans
CREATE FUNCTION turn(setting text, answer integer) RETURNS integer LANGUAGE plpgsql STABLE
AS $$
BEGIN
  PERFORM set_config('hanzo_datastore.enable_columnar_scan', setting, false);
  RETURN answer;
END
$$;
SELECT count(*), sum(id) FROM c WHERE n = turn('off', 5);
SELECT count(*), sum(id) FROM c WHERE n = turn('on', 5);
SELECT count(*), sum(id) FROM h WHERE n = 5;

-- writers
BEGIN;
UPDATE c SET n = -n WHERE a @> '{7}' OR n = 5;
UPDATE h SET n = -n WHERE a @> '{7}' OR n = 5;
DELETE FROM c WHERE t @@ 'w4';
DELETE FROM h WHERE t @@ 'w4';
SELECT test.differences('c', 'h');
SELECT count(*), sum(n) FROM (SELECT n FROM c WHERE n < 0 FOR UPDATE) AS x;
DECLARE cursor CURSOR FOR SELECT id FROM c WHERE a @> '{8}' ORDER BY id;
DELETE FROM c WHERE a @> '{8}';
FETCH 3 FROM cursor;
ROLLBACK;
SELECT test.differences('c', 'h');

-- a scrollable cursor goes back; the node does not, a Materialize above it does
BEGIN;
DECLARE cursor SCROLL CURSOR FOR SELECT id FROM c WHERE n = 5;
MOVE FORWARD ALL IN cursor;
FETCH BACKWARD 1 FROM cursor \gset last_
MOVE ABSOLUTE 0 IN cursor;
FETCH 1 FROM cursor \gset first_
SELECT :last_id <> :first_id;
ROLLBACK;

-- in every isolation level, in parallel queries, in partitions
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*), sum(id) FROM c WHERE n = 6 OR a @> '{9}';
COMMIT;
SELECT count(*), sum(id) FROM h WHERE n = 6 OR a @> '{9}';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT bool_and(same) FROM conditions, answers(condition);
CREATE TABLE parts (id integer, n integer, a integer[]) PARTITION BY RANGE (id);
CREATE TABLE parts_columnar PARTITION OF parts FOR VALUES FROM (0) TO (10000) USING hanzo_columnar;
CREATE TABLE parts_heap PARTITION OF parts FOR VALUES FROM (10000) TO (30000);
CREATE INDEX ON parts (n);
CREATE INDEX ON parts USING gin (a);
INSERT INTO parts SELECT id, n, a FROM h;
CALL hanzo_datastore.compact('parts');
EXPLAIN (COSTS OFF) SELECT count(*) FROM parts WHERE n = 5 AND a @> '{7}';
SELECT (SELECT (count(*), sum(id)) FROM parts WHERE n < 20 AND a @> '{7}') = (SELECT (count(*), sum(id)) FROM h WHERE n < 20 AND a @> '{7}');

-- rows come back after VACUUM and optimize() as they were
RESET ALL;
SET search_path = bitmap_scan_test, public;
SET client_min_messages = warning;
CALL hanzo_datastore.optimize('c');
VACUUM c;
SET enable_seqscan = off;
SET enable_indexscan = off;
SELECT bool_and(same), count(*) FILTER (WHERE by_bitmap) FROM conditions, answers(condition);
\set VERBOSITY default
SET client_min_messages = error;
DROP SCHEMA bitmap_scan_test CASCADE;
