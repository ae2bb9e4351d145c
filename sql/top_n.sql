-- ORDER BY … LIMIT over ColumnarScans: rows that cannot be among the first are left out. Every query runs on a heap and on a
-- columnar table of the same rows, whose rows are in columns (some deleted) and in the delta, with the feature on and off.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA top_n_test;
SET search_path = top_n_test;
SET timezone = 'UTC';
SET max_parallel_workers_per_gather = 0;
CREATE SCHEMA top_n_heap;
CREATE SCHEMA top_n_columns;

-- Keys in every order: rising, falling, shuffled, few different ones; nulls; a vector and a group of nothing but nulls.
CREATE FUNCTION rows_of(first integer, last integer)
RETURNS TABLE (id integer, up integer, down bigint, i2 smallint, i8 bigint, few integer, d date, ts timestamp, tz timestamptz,
  tm time, f4 real, f8 float8, n numeric(12,3), wild numeric, s text, v varchar, by bytea, u uuid, b boolean, pad text)
LANGUAGE sql
AS $$
  SELECT i, i, -i::bigint, nullif((x % 3000)::smallint, 7), CASE WHEN i NOT BETWEEN 4097 AND 8192 THEN x * 1000003 END,
    (x % 5)::integer, CASE WHEN i % 50 = 0 THEN NULL WHEN i % 977 = 0 THEN 'infinity' WHEN i % 978 = 0 THEN '-infinity' ELSE '2020-01-01'::date + (x % 2000)::integer END,
    CASE WHEN i % 1500 = 0 THEN 'infinity'::timestamp ELSE '2020-01-01'::timestamp + x * interval '1 second' END,
    '2024-01-01'::timestamptz + i * interval '1 minute', '00:00'::time + (x % 86400) * interval '1 second',
    CASE i % 3001 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN '-0' WHEN 3 THEN 0 ELSE (x % 4000 - 2000) / 8.0 END,
    CASE i % 3001 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-0' WHEN 3 THEN 0 WHEN 4 THEN NULL ELSE (x - 10000) / 7.0 END,
    (x - 10000) / 16.0,
    CASE i % 2003 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN 10::numeric ^ 60 WHEN 3 THEN -(10::numeric ^ 60)
      WHEN 4 THEN NULL WHEN 5 THEN 1e-25 WHEN 6 THEN -1e-25 WHEN 7 THEN 1e-70 WHEN 8 THEN 1e25 ELSE round((x - 10000) / 3.0, (i % 22)) END,
    CASE WHEN i % 13 = 0 THEN '' WHEN i % 17 > 0 THEN 'a common prefix ' || x END, substr(md5(x::text), 1, (x % 9)::integer),
    CASE i % 1000 WHEN 0 THEN '\x' WHEN 1 THEN '\x00' WHEN 2 THEN decode(repeat('ff', 20), 'hex') ELSE decode(md5(x::text), 'hex') END,
    md5(x::text)::uuid, CASE WHEN i % 4 > 0 THEN x % 2 = 0 END, repeat('p', (i % 20)::integer)
  FROM (SELECT i, abs(test.noise(i) % 20000) AS x FROM generate_series(first, last) AS i) AS rows
$$;

CREATE TABLE top_n_heap.t AS SELECT * FROM rows_of(1, 22000);
ALTER TABLE top_n_heap.t ALTER COLUMN s TYPE text COLLATE "C", ALTER COLUMN v TYPE varchar COLLATE "C";
CREATE TABLE top_n_columns.t (LIKE top_n_heap.t) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('top_n_columns.t', row_group_rows => 4096);
INSERT INTO top_n_columns.t SELECT * FROM rows_of(1, 21000);
CALL hanzo_datastore.compact('top_n_columns.t');
INSERT INTO top_n_columns.t SELECT * FROM rows_of(21001, 22000);
SELECT test.stores('top_n_columns.t');
-- a column that groups do not have; deleted rows: the first and the last of everything, a vector, and here and there
DO $$
DECLARE
  place text;
BEGIN
  FOREACH place IN ARRAY '{top_n_heap,top_n_columns}'::text[] LOOP
    PERFORM set_config('search_path', place || ', top_n_test', true);
    ALTER TABLE t ADD COLUMN later integer DEFAULT 100;
    UPDATE t SET later = id % 200 WHERE id > 21900;
    DELETE FROM t WHERE id IN (1, 2, 21000, 22000) OR id BETWEEN 2049 AND 4096 OR test.noise(id) % 200 = 0;
    DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY f8, id LIMIT 5) OR id IN (SELECT id FROM t ORDER BY d DESC NULLS LAST, id LIMIT 5);
    ANALYZE t;
  END LOOP;
END
$$;

-- The answer of a query, rows in their order.
CREATE FUNCTION answer(place text, query text, top_n boolean DEFAULT true)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  result text;
BEGIN
  PERFORM set_config('search_path', place || ', top_n_test', true);
  PERFORM set_config('hanzo_datastore.enable_top_n', top_n::text, true);
  EXECUTE format('SELECT count(*) || E''\n'' || coalesce(string_agg(r::text, E''\n''), '''') FROM (%s) AS r', query) INTO result;
  RETURN result;
END
$$;

-- A query's plan, executed; the sum of a counter over its nodes, NULL: it has none.
CREATE FUNCTION executed(query text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  plan text;
BEGIN
  PERFORM set_config('search_path', 'top_n_columns, top_n_test', true);
  PERFORM set_config('hanzo_datastore.enable_top_n', 'on', true);
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF, FORMAT json) ' || query INTO plan;
  RETURN plan;
END
$$;
CREATE FUNCTION counter(plan text, name text)
RETURNS bigint
LANGUAGE sql
AS $$
  SELECT sum(m[1]::bigint) FROM regexp_matches(plan, format('"%s": (\d+)', name), 'g') AS m
$$;

-- Whether the answers are the same; the rows and keys that a query's scans were told of; whether they left out rows, groups, vectors.
CREATE FUNCTION compare(query text)
RETURNS TABLE (same boolean, rows bigint, key text, top bigint, removed boolean, groups boolean, vectors boolean)
LANGUAGE plpgsql
AS $$
DECLARE
  expected text := answer('top_n_heap', query);
  plan text := executed(query);
BEGIN
  same := answer('top_n_columns', query) = expected AND answer('top_n_columns', query, false) = expected;
  rows := split_part(expected, E'\n', 1);
  SELECT string_agg(DISTINCT m[1], '; ') INTO key FROM regexp_matches(plan, '"Top-N Key": "(.*?)"', 'g') AS m;
  top := counter(plan, 'Top-N Rows');
  removed := counter(plan, 'Rows Removed by Top-N') > 0;
  groups := counter(plan, 'Row Groups Skipped by Top-N') > 0;
  vectors := counter(plan, 'Vectors Skipped by Top-N') > 0;
  RETURN NEXT;
END
$$;

-- Every type in every direction, with quals on vectors, quals of the executor, none; those that differ would be listed.
CREATE TEMP TABLE tried AS
SELECT c.name, o.direction, w.clause, w.n, r.*
FROM unnest('{id,up,down,i2,i8,few,d,ts,tz,tm,f4,f8,n,wild,s,v,by,u,b,later}'::text[]) AS c(name)
CROSS JOIN unnest('{ASC,ASC NULLS FIRST,DESC,DESC NULLS LAST}'::text[]) AS o(direction)
CROSS JOIN (VALUES ('', 12), ('WHERE few <> 3 AND i8 > 50000', 1), ('WHERE up > 500 AND md5(pad) < ''a''', 50), ('WHERE few < 3', 2500)) AS w(clause, n)
CROSS JOIN LATERAL compare(format('SELECT id, %2$I, pad FROM t %1$s ORDER BY %2$I %3$s, id LIMIT %4$s', w.clause, c.name, o.direction, w.n)) AS r;
SELECT name, direction, clause, n FROM tried WHERE NOT same OR key IS NULL OR top <> n;
SELECT name, count(*), count(*) FILTER (WHERE removed) AS removed, count(*) FILTER (WHERE groups) AS groups,
  count(*) FILTER (WHERE vectors) AS vectors FROM tried GROUP BY name ORDER BY name;

-- As EXPLAIN shows it. The most promising group comes first: what lies in the order of the key is read once.
CREATE FUNCTION shown(options text, query text)
RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = top_n_columns
AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE format('EXPLAIN (COSTS OFF %s) %s', options, query) LOOP
    RETURN QUERY SELECT line WHERE line ~ 'Top-N|Groups|Vectors|Delta|Sort Key';
  END LOOP;
END
$$;
SELECT shown('', 'SELECT id FROM t ORDER BY ts DESC NULLS LAST, id LIMIT 3');
SELECT shown('', 'SELECT id FROM t ORDER BY ts NULLS FIRST LIMIT 3');
SELECT shown(', ANALYZE, TIMING OFF, SUMMARY OFF', 'SELECT id, u FROM t ORDER BY tz DESC LIMIT 3');
SELECT shown(', ANALYZE, TIMING OFF, SUMMARY OFF', 'SELECT id, u FROM t WHERE id <= 21000 ORDER BY tz DESC LIMIT 3');

-- Groups: by every kind of aggregate, and by keys.
CREATE FUNCTION compare_groups(query text)
RETURNS TABLE (same boolean, rows bigint, key text, top bigint, removed boolean)
LANGUAGE sql
AS $$
  SELECT c.same, c.rows, c.key, c.top, counter(executed(query), 'Groups Removed by Top-N') > 0 FROM compare(query) AS c
$$;
CREATE TEMP TABLE grouped AS
SELECT a.name, k.name AS by, o.direction, w.clause, w.n, r.*
FROM unnest('{count(*),count(d),sum(i2),sum(up),sum(i8),sum(n),sum(wild),avg(up),min(d),max(ts),min(tm),max(s),min(v),max(f4),min(f8),max(wild + 0e-22),count(DISTINCT few),bool_or(b),percentile_disc(0.5) WITHIN GROUP (ORDER BY up),sum(i2) FILTER (WHERE b),few,u}'::text[]) AS a(name)
CROSS JOIN unnest('{id % 4000,i2,s}'::text[]) AS k(name)
CROSS JOIN unnest('{ASC,DESC,DESC NULLS LAST}'::text[]) AS o(direction)
CROSS JOIN (VALUES ('', '', 12), ('WHERE few <> 3', 'HAVING count(*) > 1', 1), ('WHERE md5(pad) < ''a''', 'HAVING max(up) % 3 > 0', 60)) AS w(clause, filter, n)
CROSS JOIN LATERAL compare_groups(format('SELECT %1$s AS k, %2$s AS x, count(*) FROM t %4$s GROUP BY few, u, %1$s %5$s ORDER BY %2$s %3$s, few, u, 1 LIMIT %6$s',
  k.name, a.name, o.direction, w.clause, w.filter, w.n)) AS r
WHERE k.name = 'i2' OR a.name IN ('count(*)', 'sum(up)', 'u');
SELECT name, by, direction, clause, n, same, key, top FROM grouped WHERE NOT same OR key IS NULL OR top <> n;
SELECT name, count(*), count(*) FILTER (WHERE removed) AS removed FROM grouped GROUP BY name ORDER BY name COLLATE "C";
SELECT * FROM compare_groups('SELECT few, count(*) FROM t GROUP BY few ORDER BY few DESC OFFSET 2 LIMIT 3');
SELECT * FROM compare_groups('SELECT i2, count(*) FROM t GROUP BY i2 ORDER BY count(*) DESC, i2 LIMIT 0');
SELECT * FROM compare_groups('SELECT i2, count(*) FROM t GROUP BY i2 ORDER BY count(*) DESC, i2 LIMIT NULL');
SELECT * FROM compare_groups('SELECT i2, count(*) FROM t GROUP BY i2 ORDER BY count(*) DESC, i2 OFFSET 2900 LIMIT 10');
SELECT * FROM compare_groups('SELECT i2 FROM t GROUP BY i2 ORDER BY count(*) DESC, i2 LIMIT 4');
SELECT * FROM compare_groups('SELECT few, i2, md5(u::text) AS m, count(*) * 2 AS x FROM t GROUP BY few, i2, u ORDER BY max(up) DESC LIMIT 4');
SELECT * FROM compare_groups('SELECT * FROM (SELECT i2, count(*) AS n FROM t GROUP BY i2 ORDER BY n DESC, i2 LIMIT 40) AS q WHERE i2 % 2 = 0 ORDER BY i2 LIMIT 5');
SELECT * FROM compare_groups('SELECT x, l.* FROM generate_series(0, 6) AS x, LATERAL (SELECT i2, count(*) AS n FROM t WHERE few = x GROUP BY i2 ORDER BY n DESC, i2 LIMIT x) AS l');
SELECT * FROM compare_groups('SELECT x, l.* FROM generate_series(1, 4) AS x, LATERAL (SELECT i2, count(*) AS n FROM t GROUP BY i2 ORDER BY n DESC, i2 OFFSET x LIMIT x) AS l');
-- not with ties, nor under a window, nor where the key is computed of groups or HAVING another each time
SELECT * FROM compare_groups('SELECT * FROM (SELECT i2, count(*) AS n FROM t GROUP BY i2 ORDER BY n DESC FETCH FIRST 3 ROWS WITH TIES) AS q ORDER BY 1') WHERE NOT same OR key IS NOT NULL;
SELECT * FROM compare_groups('SELECT i2, count(*) AS n, rank() OVER (ORDER BY count(*) DESC) FROM t GROUP BY i2 ORDER BY n DESC, i2 LIMIT 3') WHERE NOT same OR key IS NOT NULL;
SELECT * FROM compare_groups('SELECT i2, count(*) AS n FROM t GROUP BY i2 ORDER BY count(*) + 1 DESC, i2 LIMIT 3') WHERE NOT same OR key IS NOT NULL;
SELECT test.plan_has('SELECT i2, count(*) AS n FROM top_n_columns.t GROUP BY i2 HAVING random() >= 0 ORDER BY n LIMIT 3', 'Top-N');
-- groups that went to files; PostgreSQL's own plan: sums beyond 128 bits
SET work_mem = '64kB';
SELECT * FROM compare_groups('SELECT u, id, max(s) AS x FROM t GROUP BY u, id ORDER BY x DESC NULLS LAST, id LIMIT 30');
RESET work_mem;
SELECT * FROM compare_groups('SELECT i2, sum(wild * 1e30) AS x FROM t GROUP BY i2 ORDER BY x DESC NULLS LAST, i2 LIMIT 30');
SELECT shown(', ANALYZE, TIMING OFF, SUMMARY OFF', 'SELECT i2, count(*) FROM t GROUP BY i2 ORDER BY count(*) DESC, i2 LIMIT 3') AS line;
BEGIN;
SET LOCAL search_path = top_n_columns;
DECLARE g SCROLL CURSOR FOR SELECT few, count(*) FROM t GROUP BY few ORDER BY few DESC LIMIT 3 OFFSET 1;
FETCH 2 FROM g;
FETCH BACKWARD 1 FROM g;
FETCH ALL FROM g;
FETCH FIRST FROM g;
COMMIT;

-- Several keys, ties at the bound, offsets, limits of nothing, of all, of more than there is.
SELECT * FROM compare('SELECT id, few FROM t ORDER BY few, i2 DESC, id LIMIT 20');
SELECT * FROM compare('SELECT id, few FROM t ORDER BY few DESC, s, id OFFSET 100 LIMIT 20');
SELECT * FROM compare('SELECT few FROM t ORDER BY few LIMIT 6000');
SELECT * FROM compare('SELECT id FROM t ORDER BY up LIMIT 0');
SELECT * FROM compare('SELECT id FROM t ORDER BY up LIMIT NULL');
SELECT * FROM compare('SELECT id FROM t ORDER BY up LIMIT ALL OFFSET 15000');
SELECT * FROM compare('SELECT id FROM t ORDER BY up OFFSET 30000 LIMIT 5');
SELECT * FROM compare('SELECT id FROM t ORDER BY up LIMIT 9223372036854775807 OFFSET 10');
SELECT * FROM compare('SELECT id FROM t ORDER BY up LIMIT 100000');
SELECT * FROM compare('SELECT id FROM t ORDER BY up DESC LIMIT (SELECT count(*) FROM t WHERE id < 12)');
SELECT * FROM compare('SELECT i2 FROM t ORDER BY i2 + 0, id LIMIT 4');
SELECT * FROM compare('SELECT id + 1 AS x, up FROM t ORDER BY up LIMIT 4');
SELECT * FROM compare('SELECT id FROM t WHERE few = 9 ORDER BY up LIMIT 4');

-- What must see all rows; of groups some may be left out then.
SELECT * FROM compare('SELECT few FROM t ORDER BY few FETCH FIRST 3 ROWS WITH TIES');
SELECT * FROM compare('SELECT DISTINCT few FROM t ORDER BY few LIMIT 3');
SELECT * FROM compare('SELECT DISTINCT ON (few) few, id FROM t ORDER BY few, id LIMIT 3');
SELECT * FROM compare('SELECT few, count(*) FROM t GROUP BY few ORDER BY few LIMIT 3');
SELECT * FROM compare('SELECT id, row_number() OVER (ORDER BY up) FROM t ORDER BY up LIMIT 3');
SELECT * FROM compare('SELECT id, generate_series(1, few) AS x FROM t ORDER BY up, x LIMIT 30');
SELECT * FROM compare('SELECT up FROM t UNION SELECT i2 FROM t ORDER BY 1 LIMIT 3');
SELECT * FROM compare('SELECT a.id FROM t AS a JOIN t AS b ON a.id = b.up WHERE a.few = 1 ORDER BY a.up LIMIT 3');
SELECT * FROM compare('SELECT a.id FROM t AS a LEFT JOIN t AS b ON a.id = b.i2 ORDER BY a.tz, b.id LIMIT 3');
BEGIN;
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY up LIMIT 3 FOR UPDATE', 'Top-N');
SELECT id FROM top_n_columns.t ORDER BY up LIMIT 3 FOR UPDATE;
ROLLBACK;
SELECT test.plan_has('SELECT id FROM top_n_columns.t WHERE random() >= 0 ORDER BY up LIMIT 3', 'Top-N');
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY up, random() LIMIT 3', 'Top-N');
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY up', 'Top-N');
-- orders that are not those of zone maps
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY s USING ~<~ LIMIT 3', 'Top-N');
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY up::oid LIMIT 3', 'Top-N');
SELECT bool_or(test.plan_has(format('SELECT id FROM top_n_columns.t ORDER BY s COLLATE %I LIMIT 3', collname), 'Top-N')) IS TRUE AS any
FROM pg_collation WHERE collname IN ('en-x-icu', 'en_US.utf8');
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY s LIMIT 3', 'Top-N');

-- Subqueries, each with its own rows and limits, started again and again.
SELECT * FROM compare('SELECT id FROM (SELECT * FROM t ORDER BY up DESC LIMIT 100) AS q WHERE few = 2 ORDER BY i2, id LIMIT 5');
SELECT * FROM compare('SELECT x, l.id FROM generate_series(0, 6) AS x, LATERAL (SELECT id FROM t WHERE few = x ORDER BY up DESC LIMIT x) AS l');
SELECT * FROM compare('SELECT x, l.id FROM generate_series(0, 6) AS x, LATERAL (SELECT id FROM t ORDER BY f8 DESC, id LIMIT nullif(x, 3) OFFSET x) AS l WHERE l.id > 20000');
SELECT * FROM compare('SELECT x, (SELECT id FROM t WHERE md5(pad) > ''3'' AND id > x ORDER BY down DESC LIMIT 1) AS first FROM generate_series(1, 21000, 3000) AS x');
SELECT * FROM compare('SELECT x, ARRAY(SELECT u FROM t WHERE id % 7 = x ORDER BY u LIMIT 3) AS u FROM generate_series(1, 5) AS x');
SELECT * FROM compare('(SELECT id FROM t ORDER BY up LIMIT 3) UNION ALL (SELECT id FROM t ORDER BY up DESC LIMIT 3)');
SELECT * FROM compare('SELECT up FROM t UNION ALL SELECT i2 FROM t ORDER BY 1 LIMIT 3');

-- Prepared, with parameters that are known at execution only.
SET search_path = top_n_columns;
SET plan_cache_mode = force_generic_plan;
PREPARE first (integer, bigint, bigint) AS SELECT id FROM t WHERE few <> $1 ORDER BY up DESC LIMIT $2 OFFSET $3;
EXECUTE first (1, 3, 0);
EXECUTE first (2, 2, 3);
EXECUTE first (2, 0, 3);
EXECUTE first (7, NULL, 19840);
SELECT top_n_test.shown(', ANALYZE, TIMING OFF, SUMMARY OFF', 'EXECUTE first (1, 3, 1)');
RESET plan_cache_mode;
DEALLOCATE first;

-- Cursors: forth, back, and again.
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, few FROM t ORDER BY few, id LIMIT 4 OFFSET 1;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH ALL FROM c;
FETCH LAST FROM c;
FETCH FIRST FROM c;
COMMIT;

-- Changes of the same transaction, and what the statement itself changes.
BEGIN;
INSERT INTO t (id, up) SELECT 30000 + i, -i FROM generate_series(1, 3) AS i;
SELECT id, up FROM t ORDER BY up LIMIT 4;
DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY up OFFSET 1 LIMIT 1) RETURNING id;
UPDATE t SET up = 40000 WHERE id = (SELECT id FROM t ORDER BY up LIMIT 1) RETURNING id;
SELECT id, up FROM t ORDER BY up DESC LIMIT 2;
ROLLBACK;

-- Partitions share a bound; one of them is a heap, one has its columns in another order.
SET search_path = top_n_test;
DO $$
DECLARE
  place text;
  am text;
BEGIN
  FOREACH place IN ARRAY '{top_n_heap,top_n_columns}'::text[] LOOP
    am := CASE place WHEN 'top_n_heap' THEN 'heap' ELSE 'hanzo_columnar' END;
    PERFORM set_config('search_path', place || ', top_n_test', true);
    CREATE TABLE parts (id integer, up integer, few integer, s text COLLATE "C") PARTITION BY RANGE (id);
    EXECUTE format('CREATE TABLE parts_1 (gone text, s text COLLATE "C", few integer, up integer, id integer) USING %I', am);
    EXECUTE format('CREATE TABLE parts_2 (id integer, up integer, few integer, s text COLLATE "C") USING %I', am);
    CREATE TABLE parts_3 (id integer, up integer, few integer, s text COLLATE "C") USING heap;
    EXECUTE format('CREATE TABLE parts_4 (id integer, up integer, few integer, s text COLLATE "C") USING %I', am);
    ALTER TABLE parts_1 DROP COLUMN gone;
    ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (1) TO (6000);
    ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (6000) TO (12000);
    ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES FROM (12000) TO (18000);
    ALTER TABLE parts ATTACH PARTITION parts_4 DEFAULT;
    INSERT INTO parts SELECT id, up, few, s FROM top_n_heap.t WHERE id % 2 = 0;
    ANALYZE parts;
  END LOOP;
END
$$;
CALL hanzo_datastore.compact('top_n_columns.parts_1');
CALL hanzo_datastore.compact('top_n_columns.parts_2');
INSERT INTO top_n_heap.parts SELECT id, up, few, s FROM top_n_heap.t WHERE id % 2 = 1;
INSERT INTO top_n_columns.parts SELECT id, up, few, s FROM top_n_heap.t WHERE id % 2 = 1;
SELECT * FROM compare('SELECT * FROM parts ORDER BY up LIMIT 5');
SELECT * FROM compare('SELECT * FROM parts ORDER BY up DESC LIMIT 5');
SELECT * FROM compare('SELECT * FROM parts ORDER BY few DESC, s NULLS FIRST, id LIMIT 50 OFFSET 7');
SELECT * FROM compare('SELECT * FROM parts WHERE md5(s) > ''4'' ORDER BY s DESC, id LIMIT 50');
SELECT * FROM compare('SELECT * FROM parts WHERE id < 8000 ORDER BY up DESC LIMIT 50');
SELECT * FROM compare_groups('SELECT s, count(*), max(up) FROM parts GROUP BY s ORDER BY max(up) DESC LIMIT 5');
SET enable_partitionwise_aggregate = on;
SELECT * FROM compare_groups('SELECT id, max(up) FROM parts GROUP BY id ORDER BY max(up) DESC LIMIT 5');
RESET enable_partitionwise_aggregate;
SELECT * FROM compare('SELECT x, l.* FROM generate_series(1, 20001, 4000) AS x, LATERAL (SELECT * FROM parts WHERE id > x AND id < x + 3000 ORDER BY up LIMIT 3) AS l');

-- By the partition key, descending, the last partition is read first, so that the others have little to offer; not where subplans are pruned when they run.
SELECT query, array(SELECT m[1] FROM regexp_matches(executed(query), '"Relation Name": "(\w+)"', 'g') AS m) AS in_order, c.same, c.rows, c.removed, c.groups FROM unnest(ARRAY[
  'SELECT * FROM parts ORDER BY id DESC LIMIT 3',
  'SELECT * FROM parts ORDER BY id DESC NULLS LAST, s LIMIT 3 OFFSET 4',
  'SELECT id, up + 1 FROM parts WHERE few > 2 ORDER BY id DESC LIMIT 30',
  'SELECT * FROM parts WHERE id < 11000 ORDER BY id DESC LIMIT 3',
  'SELECT * FROM parts ORDER BY id LIMIT 3',
  'SELECT * FROM parts ORDER BY up DESC LIMIT 3',
  'SELECT * FROM parts WHERE id < (SELECT 13000) ORDER BY id DESC LIMIT 3',
  'SELECT * FROM (SELECT id FROM parts UNION ALL SELECT few FROM parts) AS u ORDER BY id DESC LIMIT 3']) AS query, compare(query) AS c;

-- Parallel: every process has a bound of its own.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET hanzo_datastore.enable_top_n = on;
SELECT test.plan_has('SELECT id, few FROM top_n_columns.t ORDER BY few, id LIMIT 20', 'Gather Merge');
SELECT same, rows, key, top FROM compare('SELECT id, few, u FROM t ORDER BY few, id LIMIT 20');
SELECT same, rows, key, top FROM compare('SELECT id, few FROM t WHERE md5(pad) < ''a'' ORDER BY up DESC LIMIT 20 OFFSET 2');
SELECT same, rows, key FROM compare('SELECT * FROM parts ORDER BY up DESC LIMIT 7');
SELECT same, rows, key FROM compare('SELECT x, l.id FROM generate_series(0, 6) AS x, LATERAL (SELECT id FROM t WHERE few = x ORDER BY up DESC LIMIT x) AS l');

-- Costs: a worker is worth starting for a sort of all rows, but neither for filters on vectors nor where few rows come out.
CREATE TABLE top_n_columns.all_columns USING hanzo_columnar AS SELECT * FROM top_n_heap.t;
ANALYZE top_n_columns.all_columns;
SET parallel_setup_cost = 40;
SELECT test.plan_has('SELECT * FROM top_n_columns.all_columns WHERE id % 1000 = 7', 'Gather');
SELECT test.plan_has('SELECT * FROM top_n_columns.all_columns', 'Gather');
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY up LIMIT 3', 'Gather');
SET hanzo_datastore.enable_top_n = off;
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY up LIMIT 3', 'Gather');

-- Off.
SELECT test.plan_has('SELECT id FROM top_n_columns.t ORDER BY up LIMIT 3', 'Top-N');
RESET hanzo_datastore.enable_top_n;

-- The vectors of a group are read in the order of their keys, whichever way they lie.
SET max_parallel_workers_per_gather = 0;
CREATE TABLE top_n_columns.ordered (id integer, p integer, up integer, mixed integer) USING hanzo_columnar;
INSERT INTO top_n_columns.ordered SELECT i, i / 10000, i % 10000, test.noise(i / 2048) % 1000 * 4096 + i % 2048 FROM generate_series(0, 39999) AS i;
CALL hanzo_datastore.compact('top_n_columns.ordered');
CREATE TABLE top_n_heap.ordered AS TABLE top_n_columns.ordered;
CREATE FUNCTION vectors_read(query text) RETURNS bigint LANGUAGE sql SET search_path = top_n_columns AS $$ SELECT test.measured(query, 'Vectors') $$;
SELECT query, vectors_read(query) AS read, answer('top_n_columns', query) = answer('top_n_heap', query) AS same FROM unnest(ARRAY[
  'SELECT id FROM ordered ORDER BY id LIMIT 5', 'SELECT id FROM ordered ORDER BY id DESC LIMIT 5', 'SELECT id FROM ordered WHERE p = 2 ORDER BY up DESC, id LIMIT 5',
  'SELECT id FROM ordered WHERE p = 2 ORDER BY up, id LIMIT 5', 'SELECT id FROM ordered ORDER BY mixed, id LIMIT 5', 'SELECT id FROM ordered ORDER BY mixed DESC, id LIMIT 5',
  'SELECT id FROM ordered WHERE p = 2 ORDER BY up DESC, id LIMIT 3000', 'SELECT * FROM (SELECT id FROM ordered ORDER BY id DESC LIMIT 3) AS a UNION ALL SELECT * FROM (SELECT id FROM ordered ORDER BY mixed LIMIT 3) AS b ORDER BY 1',
  'SELECT p, (SELECT string_agg(id::text, '','' ORDER BY id) FROM (SELECT id FROM ordered AS o WHERE o.p = g.p ORDER BY up DESC LIMIT g.p + 1) AS s) FROM generate_series(0, 3) AS g(p)']) AS query;

DROP SCHEMA top_n_test, top_n_heap, top_n_columns CASCADE;
