-- Metadata answers: count, min and max out of descriptions of row groups and zone maps, compared with a heap and with the
-- same query that reads the rows; and what must not be answered so.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA metadata_test;
SET search_path = metadata_test, public;
SET timezone = 'UTC';
SET max_parallel_workers_per_gather = 0;

-- Row groups and vectors that metadata have answered, by EXPLAIN: "groups/vectors", or "rows are read".
CREATE FUNCTION answered(query text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
  plan := plan->0->'Plan';
  IF plan->>'Custom Plan Provider' IS DISTINCT FROM 'ColumnarAgg' THEN
    RETURN 'no ColumnarAgg';
  END IF;
  RETURN coalesce((plan->>'Row Groups from Metadata') || '/' || (plan->>'Vectors from Metadata'), 'rows are read');
END
$$;

-- What a list of aggregates of c, with and without metadata answers, and of h gives, to the byte: how metadata answered, or
-- how the results differ.
CREATE FUNCTION compare(aggregates text, rest text DEFAULT '')
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  query text := 'SELECT ' || aggregates || ' FROM %s ' || rest;
  bytes text := 'SELECT record_send(r)::text || r::text FROM (' || query || ') AS r';
  heap text;
  switched_on text;
  switched_off text;
BEGIN
  EXECUTE format(bytes, 'h') INTO heap;
  EXECUTE format(bytes, 'c') INTO switched_on;
  SET LOCAL hanzo_datastore.enable_metadata_answers = off;
  EXECUTE format(bytes, 'c') INTO switched_off;
  SET LOCAL hanzo_datastore.enable_metadata_answers = on;
  IF heap IS DISTINCT FROM switched_on OR heap IS DISTINCT FROM switched_off THEN
    RETURN format('heap %s, on %s, off %s', heap, switched_on, switched_off);
  END IF;
  RETURN answered(format(query, 'c'));
END
$$;

-- Five row groups of two vectors, and one of one. -0 in the second group, NaN in the third, numerics of several scales in the
-- fourth, infinities in the last; x is null from the fifth on.
CREATE TABLE h (id integer, i2 smallint, i8 bigint, b boolean, f4 real, f8 float8, n numeric, n2 numeric(12,3), d date, t time,
  ts timestamp, tz timestamptz, s text COLLATE "C", x integer, nothing integer);
INSERT INTO h
SELECT i, i / 10, i::bigint * 4000000000, i % 2 = 0, i / 8.0, -i / 8.0, i / 8.0, i / 8.0, '2025-01-01'::date + i / 100,
  '00:00'::time + i * interval '2 s', '2025-01-01'::timestamp + i * interval '1 min', '2025-01-01 00:00Z'::timestamptz + i * interval '1 min',
  'text ' || i, CASE WHEN i <= 16384 AND i % 7 > 0 THEN i END, NULL
FROM generate_series(1, 22000) AS i;
UPDATE h SET f4 = '-0', f8 = '-0' WHERE id BETWEEN 4097 AND 8192;
UPDATE h SET f4 = 'NaN', f8 = 'NaN', n = 'NaN', n2 = 'NaN' WHERE id BETWEEN 9000 AND 9010;
UPDATE h SET f4 = 'Infinity', f8 = '-Infinity', n = 'Infinity', d = 'infinity', ts = '-infinity', tz = 'infinity' WHERE id > 21000;
UPDATE h SET n = round(n, id % 4) WHERE id BETWEEN 12289 AND 16384;
UPDATE h SET n = round(n, 4) WHERE id < 12289 OR id BETWEEN 16385 AND 21000;
CREATE TABLE c (LIKE h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'id', row_group_rows => 4096);
INSERT INTO c SELECT * FROM h ORDER BY id;
CALL hanzo_datastore.compact('c');
SELECT test.stores('c'), test.differences('h', 'c');

-- By whole row groups.
SELECT compare('count(*)') AS rows, compare('count(*), count(id), count(x), count(nothing), count(s), count(b)') AS counts,
  compare('min(id), max(id), min(i2), max(i2), min(i8), max(i8), min(x), max(x), min(nothing), max(nothing)') AS integers,
  compare('min(d), max(d), min(t), max(t), min(ts), max(ts), min(tz), max(tz)') AS times;
-- Vectors whose bound is zero or NaN are read, and groups with numerics where the display scale is not that of the column.
SELECT compare('min(f4), max(f4)') AS f4, compare('min(f8), max(f8)') AS f8,
  compare('min(f4), max(f8)', 'WHERE id BETWEEN 4097 AND 8192') AS zeroes, compare('min(f4), max(f8)', 'WHERE id > 8192') AS others;
SELECT compare('min(n), max(n)', 'WHERE id <= 8192') AS n_of_one_scale, compare('min(n), max(n)', 'WHERE id BETWEEN 12289 AND 20480') AS n,
  compare('min(n2), max(n2)', 'WHERE id > 12288') AS n2, compare('min(n), max(n2)') AS with_nan;
-- What is not so answered at all.
SELECT compare('min(s)'), compare('count(DISTINCT id)'), compare('sum(id), count(*)'), compare('count(*) FILTER (WHERE id > 5)'),
  compare('min(id + 0)'), compare('max(i2), avg(i2)');
SELECT compare('count(*)', 'GROUP BY b HAVING b');
-- With conditions: groups that pass whole, vectors that do, and the rest.
SELECT compare('count(*), min(id), max(f8), count(x)', 'WHERE id BETWEEN 5000 AND 20000');
SELECT compare('count(*)', 'WHERE id BETWEEN 3000 AND 12288'), compare('count(*)', 'WHERE id > 0'),
  compare('max(id)', 'WHERE id < 0'), compare('count(*)', 'WHERE x IS NULL'), compare('count(*)', 'WHERE s LIKE ''text%%''');
SELECT compare('count(*), max(i8)', 'WHERE id > 4000 AND i2 < 1500 AND t IS NOT NULL');
SELECT compare('count(*) + 1, max(id) - min(id)', 'HAVING count(*) > 5');
SET hanzo_datastore.enable_pruning = off;
SELECT compare('count(*), max(id)'), compare('count(*), max(id)', 'WHERE id > 0');
RESET hanzo_datastore.enable_pruning;

-- Deleted rows: count(*) counts them out, bounds are those of vectors without any.
DELETE FROM h WHERE id IN (1, 4096, 10000, 22000);
DELETE FROM c WHERE id IN (1, 4096, 10000, 22000);
SELECT compare('count(*)'), compare('count(*), count(x)'), compare('min(id), max(id), max(d)'),
  compare('count(*), max(id)', 'WHERE id BETWEEN 3000 AND 12288');
-- New versions, in the delta.
UPDATE h SET x = -id, i2 = -1 WHERE id % 5000 = 7;
UPDATE c SET x = -id, i2 = -1 WHERE id % 5000 = 7;
SELECT compare('count(*)'), compare('count(*), count(x), min(x), max(x), min(i2)'), compare('min(x)', 'WHERE id < 8192');
INSERT INTO h (id) VALUES (30000);
INSERT INTO c (id) VALUES (30000);
SELECT compare('count(*), count(x), max(id), min(id)');
-- Deletes of a transaction in progress, and those that were rolled back.
BEGIN;
DELETE FROM h WHERE id > 18000;
DELETE FROM c WHERE id > 18000;
SELECT compare('count(*), max(id)'), compare('count(*)');
SAVEPOINT s;
DELETE FROM h WHERE id < 100;
DELETE FROM c WHERE id < 100;
SELECT compare('count(*), min(id)');
ROLLBACK TO s;
SELECT compare('count(*), min(id)');
ROLLBACK;
SELECT compare('count(*), max(id)'), compare('count(*)');
-- A cursor keeps to what its snapshot sees, whatever is deleted after.
BEGIN;
DECLARE before CURSOR FOR SELECT count(*), min(id), max(id), count(x) FROM c;
DELETE FROM c WHERE id % 3 = 0;
DECLARE after CURSOR FOR SELECT count(*), min(id), max(id), count(x) FROM c;
FETCH before;
FETCH after;
ROLLBACK;
SELECT count(*), min(id), max(id), count(x) FROM h;
-- Rows deleted and compacted away.
CALL hanzo_datastore.compact('c');
SELECT compare('count(*), min(id), max(id), count(x)'), test.differences('h', 'c');

-- Columns added later have no zones in older groups, dropped ones none.
ALTER TABLE h ADD COLUMN late integer DEFAULT 7, ADD COLUMN empty text;
ALTER TABLE c ADD COLUMN late integer DEFAULT 7, ADD COLUMN empty text;
ALTER TABLE h DROP COLUMN i2;
ALTER TABLE c DROP COLUMN i2;
SELECT compare('count(*)'), compare('count(*), count(late), min(late), max(late)'), compare('count(empty)'), compare('max(i8)');
-- Numerics whose declaration has changed since.
ALTER TABLE h ALTER COLUMN n2 TYPE numeric(14,3);
ALTER TABLE c ALTER COLUMN n2 TYPE numeric(14,3);
SELECT compare('max(n2), min(n2)', 'WHERE id < 4000');
ALTER TABLE h ALTER COLUMN n2 TYPE numeric;
ALTER TABLE c ALTER COLUMN n2 TYPE numeric;
SELECT compare('max(n2), min(n2)', 'WHERE id < 4000');
ALTER TABLE h ALTER COLUMN n2 TYPE numeric(14,1);
ALTER TABLE c ALTER COLUMN n2 TYPE numeric(14,1);
SELECT compare('max(n2), min(n2)', 'WHERE id < 4000');

-- Partitions, prepared statements, subqueries.
CREATE TABLE p (id integer, x integer) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10000) USING hanzo_columnar;
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10000) TO (20000) USING hanzo_columnar;
INSERT INTO p SELECT i, nullif(i % 10, 0) FROM generate_series(1, 19999) AS i;
CALL hanzo_datastore.compact('p1');
CALL hanzo_datastore.compact('p2');
SELECT count(*), count(x), min(id), max(x) FROM p;
SELECT answered('SELECT count(*), count(x), min(id), max(x) FROM p');
PREPARE q(integer) AS SELECT count(*), max(id) FROM p1 WHERE id > $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE q(0);
EXECUTE q(9000);
SELECT answered('EXECUTE q(0)'), answered('EXECUTE q(9000)');
RESET plan_cache_mode;
SELECT (SELECT count(*) FROM p2 WHERE id > o) FROM unnest(ARRAY[0, 15000, 30000]) AS o;
DROP SCHEMA metadata_test CASCADE;
