-- ColumnarScan: reads the columns a query needs, gives what a heap gives. Every query runs on a heap and on four
-- columnar tables of the same rows: all in the delta, all in columns, half and half, and in groups with deleted
-- and updated rows.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA columnar_scan_test;
SET search_path = columnar_scan_test;
SET timezone = 'UTC';

CREATE SCHEMA twin;
CREATE SCHEMA delta;
CREATE SCHEMA columns;
CREATE SCHEMA mixed;
CREATE SCHEMA holes;

CREATE FUNCTION rows_of(first integer, last integer)
RETURNS TABLE (id integer, dropped text, k integer, s text, f float8, b bigint, n numeric(12,3), ts timestamptz,
  flag boolean, u uuid, j jsonb, a integer[], c char(6), pad text)
LANGUAGE sql
AS $$
  SELECT i, 'dropped ' || i, i % 7, CASE WHEN i % 11 > 0 THEN 'text ' || i % 100 END,
    CASE WHEN i % 5 > 0 THEN i / 8.0 END, i::bigint * i * 1000003, round(i / 7.0, 3),
    '2025-01-01'::timestamptz + i * interval '7 minutes', CASE WHEN i % 3 > 0 THEN i % 2 = 0 END, md5(i::text)::uuid,
    jsonb_build_object('i', i, 'half', i % 2), ARRAY[i % 4, i % 6], 'c' || i % 9, repeat(md5((i / 3)::text), 1 + i % 3)
  FROM generate_series(first, last) AS i
$$;

-- twin: a heap. The others: SELECT into a new table fills row groups, INSERT the delta, a rewrite also.
CREATE TABLE twin.events AS SELECT * FROM rows_of(1, 10000);
CREATE TABLE delta.events (LIKE twin.events) USING hanzo_columnar;
INSERT INTO delta.events SELECT * FROM rows_of(1, 10000);
CREATE TABLE columns.events USING hanzo_columnar AS SELECT * FROM rows_of(1, 10000);
CREATE TABLE mixed.events USING hanzo_columnar AS SELECT * FROM rows_of(1, 8500);
INSERT INTO mixed.events SELECT * FROM rows_of(8501, 10000);
CREATE TABLE holes.events (LIKE twin.events) USING hanzo_columnar;
ALTER TABLE holes.events ALTER COLUMN k TYPE bigint;
SELECT hanzo_datastore.alter_columnar_table('holes.events', row_group_rows => 3000);
INSERT INTO holes.events SELECT * FROM rows_of(-1500, 11500);
ALTER TABLE holes.events ALTER COLUMN k TYPE integer;

-- Columns come and go.
DO $$
DECLARE
  s text;
BEGIN
  FOREACH s IN ARRAY '{twin,delta,columns,mixed,holes}'::text[] LOOP
    EXECUTE format('ALTER TABLE %I.events DROP COLUMN dropped', s);
    EXECUTE format('ALTER TABLE %I.events ADD COLUMN added integer DEFAULT 42, ADD COLUMN later text', s);
    EXECUTE format('ALTER TABLE %I.events ADD COLUMN note text NOT NULL DEFAULT %L', s, 'none');
  END LOOP;
END
$$;

-- What is deleted and updated here: the ends, every row of some vectors, single rows.
DELETE FROM holes.events WHERE id NOT BETWEEN 1 AND 10000;
UPDATE holes.events SET s = s WHERE id % 100 = 3 OR id BETWEEN 3000 AND 3400;

-- A table and its partitions: columns in another order, dropped columns, one a heap.
DO $$
DECLARE
  place text;
  am text;
BEGIN
  FOREACH place IN ARRAY '{twin,delta,columns,mixed,holes}'::text[] LOOP
    am := CASE place WHEN 'twin' THEN 'heap' ELSE 'hanzo_columnar' END;
    PERFORM set_config('search_path', place, true);
    CREATE TABLE parts (id integer, k integer, s text, f float8) PARTITION BY RANGE (id);
    EXECUTE format('CREATE TABLE parts_1 (extra text, s text, gone integer, k integer, f float8, id integer) USING %I', am);
    EXECUTE format('CREATE TABLE parts_2 USING %I AS SELECT id, k, s, f FROM events WHERE id BETWEEN 3001 AND 6000', am);
    CREATE TABLE parts_3 (f float8, id integer, s text, k integer) USING heap;
    EXECUTE format('CREATE TABLE parts_4 (id integer, k integer, s text, f float8) USING %I', am);
    INSERT INTO parts_1 SELECT 'extra', s, id, k, f, id FROM events WHERE id BETWEEN 1 AND 3000;
    INSERT INTO parts_3 SELECT f, id, s, k FROM events WHERE id BETWEEN 6001 AND 9000;
    INSERT INTO parts_4 SELECT id, k, s, f FROM events WHERE id > 9000;
    IF place = 'holes' THEN
      ALTER TABLE parts_1 ALTER COLUMN k TYPE bigint;
      ALTER TABLE parts_1 ALTER COLUMN k TYPE integer;
    END IF;
    ALTER TABLE parts_1 DROP COLUMN extra, DROP COLUMN gone;
    ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (1) TO (3001);
    ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (3001) TO (6001);
    ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES FROM (6001) TO (9001);
    ALTER TABLE parts ATTACH PARTITION parts_4 DEFAULT;
    -- and a family: the parent holds rows too
    EXECUTE format('CREATE TABLE family USING %I AS SELECT id, s FROM events WHERE id <= 9000', am);
    EXECUTE format('CREATE TABLE child (more text) INHERITS (family) USING %I', am);
    INSERT INTO child SELECT id, s, 'more' FROM events WHERE id > 9000;
    EXECUTE format('CREATE TABLE few USING %I AS SELECT id, s FROM events WHERE id %% 500 = 1', am);
    CREATE VIEW barrier WITH (security_barrier) AS SELECT id, k, s FROM events WHERE k = 3;
    ANALYZE events, parts, family, child, few;
  END LOOP;
END
$$;

-- Runs a query in every schema; what a query changes is undone. Then `look` tells what it has changed. Columns: rows
-- of the twin, which must not fail; where the answer is another; how many columnar tables ran without a ColumnarScan;
-- whether the last one ran in parallel.
CREATE FUNCTION compare(query text, look text DEFAULT NULL, places text[] DEFAULT '{delta,columns,mixed,holes}')
RETURNS TABLE (rows bigint, differences text, without_scan integer, in_parallel boolean)
LANGUAGE plpgsql
AS $$
DECLARE
  place text;
  plan text;
  expected text;
  answer text;
  found bigint;
BEGIN
  without_scan := 0;
  FOREACH place IN ARRAY ARRAY['twin'] || places LOOP
    PERFORM set_config('search_path', place || ', columnar_scan_test', true);
    BEGIN
      EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
      IF place <> 'twin' AND plan !~ '"ColumnarScan"' THEN
        without_scan := without_scan + 1;
      END IF;
      in_parallel := plan ~ 'Workers Planned';
      IF look IS NOT NULL THEN
        EXECUTE query;
      END IF;
      EXECUTE format('SELECT count(*), sum(hashtextextended(r::text, 0)) FROM (%s) AS r', coalesce(look, query))
        INTO found, answer;
      answer := format('%s rows, hash %s', found, answer);
      RAISE SQLSTATE 'RB000';
    EXCEPTION
      WHEN SQLSTATE 'RB000' THEN NULL;
      WHEN OTHERS THEN
        answer := SQLERRM;
        IF place = 'twin' THEN
          RAISE EXCEPTION '% in %', SQLERRM, query;
        END IF;
    END;
    IF place = 'twin' THEN
      expected := answer;
      rows := found;
    ELSIF answer <> expected THEN
      differences := concat_ws('; ', differences, format('%s: %s, not %s', place, answer, expected));
    END IF;
  END LOOP;
  PERFORM set_config('search_path', 'columnar_scan_test', true);
  RETURN NEXT;
END
$$;

CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 2 * $1; END';
CREATE FUNCTION leak(integer) RETURNS boolean LANGUAGE plpgsql VOLATILE COST 0.0001
AS 'BEGIN IF $1 % 7 <> 3 THEN RAISE ''saw a hidden row''; END IF; RETURN true; END';
CREATE TABLE numbers AS SELECT generate_series(1, 20) * 450 AS x;
ANALYZE numbers;

CREATE TABLE queries (number integer GENERATED ALWAYS AS IDENTITY, query text, look text);
INSERT INTO queries (query) VALUES
  -- columns
  ('SELECT * FROM events'),
  ('SELECT count(*) FROM events'),
  ('SELECT 1 FROM events LIMIT 100'),
  ('SELECT id, pad FROM events WHERE s = ''text 17'''),
  ('SELECT j, a, c, u, n FROM events WHERE id % 90 = 0'),
  ('SELECT added, later, note, count(*) FROM events GROUP BY 1, 2, 3'),
  ('SELECT later IS NULL, note || added FROM events WHERE added = 42 AND note = ''none'' AND id < 500'),
  ('SELECT e FROM events AS e WHERE id BETWEEN 2900 AND 3500'),
  ('SELECT (e).j, row_to_json(e) FROM events AS e WHERE k = 2 AND id < 4000'),
  ('SELECT id, tableoid::regclass::text !~ ''events'', ctid IS NULL FROM events WHERE k = 1'),
  ('SELECT count(DISTINCT ctid) FROM events'),
  ('SELECT xmin IS NULL, cmax IS NULL, id FROM events WHERE id < 10'),
  -- filters, null logic
  ('SELECT id FROM events WHERE (k > 3) IS NOT TRUE'),
  ('SELECT id FROM events WHERE (f > 100) IS NULL OR flag'),
  ('SELECT id FROM events WHERE NOT flag'),
  ('SELECT id FROM events WHERE s LIKE ''text 1%'' AND k IN (1, 3, NULL)'),
  ('SELECT id FROM events WHERE s = ANY (ARRAY[NULL, ''text 5''])'),
  ('SELECT id FROM events WHERE ts >= ''2025-01-20'' AND ts < ''2025-01-21'''),
  ('SELECT id FROM events WHERE j ->> ''half'' = ''1'' AND 3 = ANY (a)'),
  ('SELECT id FROM events WHERE c = ''c3'' AND n > 100.001'),
  ('SELECT id FROM events WHERE twice(k) = 6'),
  ('SELECT id FROM events WHERE false'),
  ('SELECT id FROM events WHERE (SELECT false)'),
  ('SELECT id FROM events WHERE (SELECT true) AND k = 1'),
  ('SELECT id FROM events WHERE k = (SELECT max(k) FROM events)'),
  -- grouping, ordering, windows, sets
  ('SELECT k, flag, count(*), count(f), sum(b::numeric), min(s), max(pad) FROM events GROUP BY 1, 2'),
  ('SELECT sum(f), avg(n), bool_and(flag), min(ts), max(u::text) FROM events WHERE k = 100'),
  ('SELECT DISTINCT s, c FROM events'),
  ('SELECT id, s FROM events ORDER BY s DESC NULLS LAST, id LIMIT 30 OFFSET 20'),
  ('SELECT id, row_number() OVER (PARTITION BY k ORDER BY n), lag(s) OVER (ORDER BY id) FROM events WHERE id < 900'),
  ('SELECT k FROM events UNION SELECT added FROM events'),
  ('SELECT id FROM events WHERE k < 3 EXCEPT SELECT id FROM events WHERE flag'),
  ('SELECT k, grouping(k, flag), count(*) FROM events GROUP BY CUBE (k, flag)'),
  ('SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n), string_agg(c, '''' ORDER BY id) FROM events WHERE id < 300'),
  -- functions that return sets, volatile ones, subqueries
  ('SELECT id, generate_series(1, k) FROM events WHERE id < 300'),
  ('SELECT unnest(a), jsonb_object_keys(j) FROM events WHERE id > 9800'),
  ('SELECT twice(id) FROM events WHERE k = 4'),
  ('SELECT count(*) FROM events WHERE random() >= 0'),
  ('SELECT id, (SELECT count(*) FROM few WHERE few.id < e.id) FROM events AS e WHERE id % 1000 < 3'),
  ('SELECT id FROM few AS e WHERE EXISTS (SELECT FROM events WHERE events.id = e.id + 1 AND events.s <> e.s)'),
  ('SELECT id FROM few WHERE id NOT IN (SELECT id FROM events WHERE k > 1)'),
  ('WITH e AS MATERIALIZED (SELECT id, s FROM events WHERE k = 6) SELECT count(*), max(e.s) FROM e, few WHERE e.id > few.id'),
  ('WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT e.id FROM r, events AS e WHERE e.id = r.id * 3) SELECT * FROM r'),
  -- joins; LATERAL and rescans
  ('SELECT a.id, b.pad FROM events AS a JOIN events AS b ON a.id = b.id + 1 WHERE a.k = 0'),
  ('SELECT x, id, s FROM numbers LEFT JOIN events ON x = id AND k > 2'),
  ('SELECT few.id, e.n FROM few FULL JOIN (SELECT * FROM events WHERE k = 5) AS e USING (id)'),
  ('SELECT x, e.* FROM numbers, LATERAL (SELECT id, s FROM events WHERE id > x ORDER BY id LIMIT 2) AS e'),
  ('SELECT x, e.* FROM numbers, LATERAL (SELECT sum(id), x AS y, min(k) FROM events WHERE id % 450 = x % 7) AS e'),
  ('SELECT f.id, e.c FROM few AS f, LATERAL (SELECT f.id || e.c AS c FROM events AS e WHERE e.id < f.id ORDER BY e.n DESC LIMIT 1) AS e'),
  ('SELECT x, (SELECT s FROM events WHERE id = x), (SELECT max(n) FROM events WHERE k < x % 8) FROM numbers'),
  ('SELECT x, count(e.ctid) FROM numbers LEFT JOIN LATERAL (SELECT ctid FROM events WHERE k = x % 5) AS e ON true GROUP BY x'),
  ('SELECT count(*) FROM events AS a, events AS b WHERE a.ctid = b.ctid AND a.s = b.s'),
  -- partitions, inheritance, union views, barriers
  ('SELECT * FROM parts'),
  ('SELECT p, tableoid::regclass::text ~ ''parts_'' FROM parts AS p WHERE k = 3'),
  ('SELECT s, sum(id) FROM parts WHERE f > 10 GROUP BY s'),
  ('SELECT s FROM parts WHERE id BETWEEN 2990 AND 3010'),
  ('SELECT id FROM parts WHERE id = (SELECT min(x) FROM numbers WHERE x > 4000)'),
  ('SELECT x, s FROM numbers JOIN parts ON id = x'),
  ('SELECT x, y.s FROM numbers, LATERAL (SELECT s FROM parts WHERE id >= x ORDER BY id LIMIT 1) AS y'),
  ('SELECT * FROM family'),
  ('SELECT f, f.* FROM family AS f WHERE id > 8990 AND id < 9010'),
  ('SELECT id, s FROM ONLY family WHERE id % 77 = 0'),
  ('SELECT id, more FROM child'),
  ('SELECT * FROM (SELECT id, s FROM events UNION ALL SELECT id, s FROM parts UNION ALL SELECT x, ''n'' FROM numbers) AS q WHERE id % 450 = 0'),
  ('SELECT * FROM barrier WHERE leak(id)'),
  ('SELECT id FROM barrier WHERE s IS NULL AND leak(id)'),
  ('SELECT count(*) FROM barrier WHERE NOT leak(id)');

\set look_at_events '''SELECT id, k, s, added, left(later, 5), note FROM events'''
INSERT INTO queries (query, look) VALUES
  ('UPDATE events SET s = s || ''!'', added = id WHERE k = 2', :look_at_events),
  ('UPDATE events SET note = coalesce(few.s, ''z'') FROM few WHERE few.id = events.id', :look_at_events),
  ('UPDATE events AS e SET k = o.k + 1 FROM events AS o WHERE o.id = e.id + 1 AND e.id % 10 = 0', :look_at_events),
  ('UPDATE events SET (s, later) = (SELECT few.s, pad FROM few WHERE few.id = events.id) WHERE id < 1000', :look_at_events),
  ('DELETE FROM events WHERE id BETWEEN 1900 AND 4200', :look_at_events),
  ('DELETE FROM events AS e USING few WHERE few.id = e.id RETURNING e.*', :look_at_events),
  ('DELETE FROM events WHERE id IN (SELECT id FROM parts WHERE k = 4 AND f < 300)', :look_at_events),
  ('MERGE INTO events AS e USING (SELECT id + 4000 AS id, s FROM events WHERE id > 5500) AS n ON e.id = n.id'
   ' WHEN MATCHED AND e.k = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET s = n.s'
   ' WHEN NOT MATCHED THEN INSERT (id, s) VALUES (n.id, n.s)', :look_at_events),
  ('INSERT INTO events (id, s) SELECT -id, s FROM events WHERE k = 5', :look_at_events),
  ('WITH gone AS (DELETE FROM events WHERE k = 3 RETURNING id, s) INSERT INTO few SELECT * FROM gone', 'SELECT * FROM few'),
  ('UPDATE parts SET id = id + 3000 WHERE k = 2 AND s < ''text 4''', 'SELECT * FROM parts'),
  ('UPDATE parts SET s = few.s FROM few WHERE few.id = parts.id', 'SELECT * FROM parts'),
  ('DELETE FROM parts WHERE f IS NULL AND k < 2', 'SELECT * FROM parts'),
  ('MERGE INTO parts AS p USING few ON p.id = few.id WHEN MATCHED THEN UPDATE SET s = p.s || few.s', 'SELECT * FROM parts'),
  ('UPDATE family SET s = id::text WHERE id % 9 = 0', 'SELECT tableoid::regclass::text ~ ''child'', * FROM family'),
  ('DELETE FROM family WHERE id > 8500', 'SELECT * FROM family'),
  ('UPDATE barrier SET s = ''seen'' WHERE leak(id)', :look_at_events);

-- All differences there are. Queries for xmin and the like, and those that read nothing, go without a ColumnarScan.
CREATE TABLE answers AS SELECT q.number, q.query, c.* FROM queries AS q, compare(query, look) AS c;
SELECT count(*) AS queries, count(*) FILTER (WHERE rows > 0) AS with_rows, sum(rows) AS rows, count(differences) AS different
FROM answers;
SELECT query, rows, differences, without_scan FROM answers WHERE differences IS NOT NULL OR without_scan > 0 ORDER BY number;

-- The same in parallel, and with joins that scan one side again and again.
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT count(*) AS queries, count(differences) AS different, sum(without_scan) AS without_scan,
  count(*) FILTER (WHERE in_parallel) > 15 AS in_parallel
FROM queries, compare(query, look, '{mixed}') WHERE look IS NULL AND number % 3 = 0;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_material = off;
SET LOCAL enable_memoize = off;
SELECT count(*) AS queries, count(differences) AS different, sum(without_scan) AS without_scan,
  count(*) FILTER (WHERE in_parallel) > 2 AS in_parallel
FROM queries, compare(query, look, '{holes}') WHERE look IS NULL AND query ~ 'numbers|few AS' AND number % 3 = 1;
COMMIT;
-- From here on it is about the scan alone.
SET hanzo_datastore.enable_columnar_agg = off;

-- Switched off, nothing uses it.
SET hanzo_datastore.enable_columnar_scan = off;
SELECT sum(without_scan) AS without_scan, count(differences) AS different
FROM queries, compare(query, look, '{mixed}') WHERE number % 10 = 1;
RESET hanzo_datastore.enable_columnar_scan;

--
-- Plans
--
SET search_path = mixed, columnar_scan_test;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT count(*) FROM events;
EXPLAIN (COSTS OFF) SELECT id, s FROM events WHERE k > 3 AND f IS NOT NULL;
EXPLAIN (COSTS OFF, VERBOSE) SELECT k + added AS sum, 1 FROM events AS "E" WHERE "E".s = 'x';
EXPLAIN (COSTS OFF) SELECT e FROM events AS e;
EXPLAIN (COSTS OFF) SELECT ctid, tableoid FROM events WHERE flag;
EXPLAIN (COSTS OFF) SELECT xmin, id FROM events;
EXPLAIN (COSTS OFF) SELECT id FROM events TABLESAMPLE SYSTEM (10);
EXPLAIN (COSTS OFF) SELECT id FROM events WHERE k = 1 AND current_user = 'nobody';
EXPLAIN (COSTS OFF) SELECT id FROM barrier WHERE leak(id);
EXPLAIN (COSTS OFF) SELECT s FROM parts WHERE f > 3;
EXPLAIN (COSTS OFF) UPDATE events SET s = 'x' WHERE k = 3;
EXPLAIN (COSTS OFF) DELETE FROM family WHERE id = 3;
EXPLAIN (COSTS OFF) SELECT id, pad FROM events WHERE k = 1 FOR UPDATE;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = '8kB';
ALTER TABLE events SET (parallel_workers = 2);
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*), max(s) FROM events WHERE k < 4;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
ALTER TABLE events RESET (parallel_workers);

-- Indexes are used as ever.
CREATE INDEX events_id ON events (id);
EXPLAIN (COSTS OFF) SELECT s FROM events WHERE id = 3;
DROP INDEX events_id;

-- What EXPLAIN ANALYZE counts.
CREATE FUNCTION columnar_scan_test.counts(query text) RETURNS TABLE (columns jsonb, groups jsonb, vectors jsonb, delta jsonb)
LANGUAGE plpgsql
AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) ' || query INTO plan;
  RETURN QUERY SELECT n -> 'Columns', n -> 'Row Groups', n -> 'Vectors', n -> 'Delta Rows'
    FROM jsonb_path_query(plan, 'strict $.** ? (@."Custom Plan Provider" == "ColumnarScan")') AS n;
END
$$;
SELECT * FROM counts('SELECT id, s FROM events WHERE k = 3');
SELECT * FROM counts('SELECT FROM columns.events');
SELECT * FROM counts('SELECT id FROM delta.events');
SELECT * FROM counts('SELECT id FROM events LIMIT 10');
SELECT * FROM counts('SELECT (SELECT count(*) FROM events WHERE id > x) FROM numbers WHERE x < 1500');
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT columns, vectors, delta FROM counts('SELECT sum(k) FROM events');
COMMIT;


-- In every format.
CREATE FUNCTION columnar_scan_test.lines(format text, query text) RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
  plan text;
BEGIN
  FOR plan IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT %s) %s', format, query) LOOP
    RETURN QUERY SELECT regexp_replace(line, ' \(actual .*', '') FROM regexp_split_to_table(plan, E'\n') AS line
      WHERE line ~ 'ColumnarScan|Columns|Groups|Vectors|Delta|<Item>|- "';
  END LOOP;
END
$$;
SELECT lines('text', 'SELECT count(*) FROM events');
SELECT lines('text', 'SELECT id, s FROM events');
SELECT lines('json', 'SELECT id, s FROM events');
SELECT lines('yaml', 'SELECT id, s FROM events');
SELECT lines('xml', 'SELECT id, s FROM events');

--
-- Cursors
--
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id, s FROM events WHERE k = 3;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH LAST FROM c;
FETCH ABSOLUTE 300 FROM c;
COMMIT;
FETCH ABSOLUTE -2 FROM c;
CLOSE c;
BEGIN;
DECLARE c CURSOR FOR SELECT id, s FROM events WHERE k = 3;
FETCH 1 FROM c;
UPDATE events SET s = 'in the delta' WHERE CURRENT OF c;
SAVEPOINT a;
FETCH 1 FROM c;
DELETE FROM events WHERE CURRENT OF c;
ROLLBACK TO a;
MOVE 1000 IN c;
FETCH 1 FROM c;
UPDATE events SET s = 'in columns' WHERE CURRENT OF c;
DELETE FROM events WHERE id > 100;
MOVE ALL IN c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT id, s FROM events WHERE k = 3 AND id < 8000 FOR UPDATE;
FETCH 1 FROM c;
UPDATE events SET s = 'locked' WHERE CURRENT OF c;
FETCH 1 FROM c;
SELECT id, s FROM events WHERE s = 'locked';
ROLLBACK;

--
-- Prepared statements: generic plans, invalidated by DDL
--
SET plan_cache_mode = force_generic_plan;
PREPARE p (integer, text) AS SELECT count(*), max(id), max(e::text) IS NULL AS nothing FROM events AS e WHERE k = $1 AND s <> $2;
EXECUTE p (1, 'text 1');
EXECUTE p (2, 'x');
EXECUTE p (NULL, 'x');
ALTER TABLE events ADD COLUMN even_later integer DEFAULT 3;
EXECUTE p (1, 'text 1');
ALTER TABLE events DROP COLUMN even_later;
EXECUTE p (1, 'text 1');
DEALLOCATE p;
RESET plan_cache_mode;

--
-- Row security: the policy's qual first
--
CREATE ROLE regress_columnar_scan;
GRANT USAGE ON SCHEMA mixed, columnar_scan_test TO regress_columnar_scan;
GRANT SELECT ON events TO regress_columnar_scan;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY three ON events USING (k = 3);
SET ROLE regress_columnar_scan;
EXPLAIN (COSTS OFF) SELECT s FROM events WHERE leak(id);
SELECT count(*), min(k), max(k) FROM events WHERE leak(id);
RESET ROLE;
ALTER TABLE events DISABLE ROW LEVEL SECURITY;

--
-- Other kinds of tables
--
CREATE TABLE zero () USING hanzo_columnar;
INSERT INTO zero DEFAULT VALUES;
INSERT INTO zero DEFAULT VALUES;
SELECT count(*), count(z) FROM zero AS z;
CREATE TABLE fixed (a integer, b boolean) USING hanzo_columnar;
INSERT INTO fixed VALUES (1, true), (NULL, false);
SELECT b, a FROM fixed;
CREATE MATERIALIZED VIEW matview USING hanzo_columnar AS SELECT id, s FROM events;
REFRESH MATERIALIZED VIEW matview;
EXPLAIN (COSTS OFF) SELECT s FROM matview;
SELECT count(*), count(s) FROM matview;
CREATE TEMPORARY TABLE temporary USING hanzo_columnar AS SELECT id, s FROM events;
SELECT count(*), count(s) FROM temporary;
CREATE UNLOGGED TABLE unlogged USING hanzo_columnar AS SELECT id, s FROM events;
SELECT count(*), count(s) FROM unlogged;

-- A trigger sees the rows before its own.
CREATE TABLE seen (a integer, rows bigint);
CREATE TABLE copied (a integer) USING hanzo_columnar;
CREATE FUNCTION columnar_scan_test.see() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN IF NEW.a % 6000 = 0 THEN INSERT INTO seen SELECT NEW.a, count(*) FROM copied; END IF; RETURN NEW; END';
CREATE TRIGGER see BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION see();
INSERT INTO copied SELECT generate_series(1, 12000);
SELECT * FROM seen ORDER BY a;

-- A subquery that no row is compared with is not executed, also where quals are evaluated on vectors.
CREATE TABLE compared (id integer, k integer) USING hanzo_columnar;
INSERT INTO compared SELECT i, i % 7 FROM generate_series(1, 5000) AS i;
CALL hanzo_datastore.compact('compared');
SET hanzo_datastore.enable_pruning = off;
SELECT count(*) FROM compared WHERE id < 0 AND k = (SELECT 1 / (count(*) - 5000)::integer FROM compared);
SELECT count(*) FROM compared WHERE id < 10 AND k = (SELECT 1 / (count(*) - 5000)::integer FROM compared);
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM compared WHERE id < 3 AND k = 2;
RESET hanzo_datastore.enable_pruning;

-- An index that finds many rows in columns is not the cheaper way; one that finds a few is.
CREATE TABLE costly (id integer PRIMARY KEY, k integer, v text) USING hanzo_columnar;
INSERT INTO costly SELECT i, hashint4(i) & 31, (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 30) AS j) FROM generate_series(1, 4000) AS i;
CREATE INDEX ON costly (k);
CALL hanzo_datastore.compact('costly');
VACUUM ANALYZE costly;
SET enable_bitmapscan = off;
SET random_page_cost = 1.1;
EXPLAIN (COSTS OFF) SELECT id, v FROM costly WHERE k = 3;
EXPLAIN (COSTS OFF) SELECT id, v FROM costly WHERE id = 3;
RESET enable_bitmapscan;
RESET random_page_cost;

SET client_min_messages = warning;
RESET search_path;
DROP OWNED BY regress_columnar_scan;
DROP ROLE regress_columnar_scan;
DROP TABLE pg_temp.temporary;
DROP SCHEMA twin, delta, columns, mixed, holes, columnar_scan_test CASCADE;
