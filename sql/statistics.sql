-- ANALYZE and pg_class: what the planner knows of a columnar table is what it knows of a heap.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SCHEMA statistics_test;
SET search_path = statistics_test, public;

CREATE TABLE h (id integer, few integer, many integer, sparse text, sorted integer, skew text, a integer[], wide text, doc jsonb, raw bytea);
CREATE TABLE c (LIKE h) USING hanzo_columnar;
ALTER TABLE h SET (autovacuum_enabled = off);
ALTER TABLE c SET (autovacuum_enabled = off);
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 4096, order_by => 'sorted');
INSERT INTO h SELECT i, i % 10, hashint4(i) % 1000, CASE WHEN i % 4 = 0 THEN 'text ' || i % 50 END, i / 10,
  CASE WHEN i % 3 > 0 THEN 'often' ELSE 'seldom ' || i END, ARRAY[i % 5, i % 7],
  CASE WHEN i % 2 = 0 THEN repeat(md5(i::text), 100) ELSE 'short ' || i % 3 END,
  CASE WHEN i % 20 = 0 THEN jsonb_build_object('k', repeat(md5(i::text), 100)) ELSE '{}' END, convert_to(repeat('ü', 2000 * (i % 2)), 'UTF8')
FROM generate_series(1, 30000) AS i;
INSERT INTO c SELECT * FROM h WHERE id <= 27000;
CALL hanzo_datastore.compact('c');
INSERT INTO c SELECT * FROM h WHERE id > 27000;
SELECT test.stores('c'), test.differences('c', 'h');

-- Compaction has told pg_class; so do VACUUM and ANALYZE, deleted rows not counted.
CREATE FUNCTION rows_known(t regclass) RETURNS real LANGUAGE sql AS 'SELECT reltuples FROM pg_class WHERE oid = t';
CREATE FUNCTION estimate(query text) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::integer;
END
$$;
SELECT rows_known('c');
SELECT estimate('SELECT * FROM c') BETWEEN 29000 AND 31000 AS all_rows;
ANALYZE h, c;
SELECT abs(rows_known('c') - 30000) < 300 AS analyzed;
DELETE FROM c WHERE id % 10 = 3;
DELETE FROM h WHERE id % 10 = 3;
VACUUM c;
SELECT rows_known('c');
ANALYZE h, c;
SELECT abs(rows_known('c') - 27000) < 300 AS analyzed, estimate('SELECT * FROM c') BETWEEN 26000 AND 28000 AS estimated;
CALL hanzo_datastore.optimize('c');
SELECT rows_known('c'), estimate('SELECT * FROM c') BETWEEN 26500 AND 27500 AS estimated;

-- Every column's statistics are the heap's: the sample is the whole table.
ANALYZE h, c;
SELECT attname, a.null_frac = b.null_frac AS nulls, a.n_distinct = b.n_distinct AS distinct_values,
  a.most_common_vals::text IS NOT DISTINCT FROM b.most_common_vals::text AND a.most_common_freqs IS NOT DISTINCT FROM b.most_common_freqs AS common,
  a.histogram_bounds::text IS NOT DISTINCT FROM b.histogram_bounds::text AS bounds,
  a.most_common_elems::text IS NOT DISTINCT FROM b.most_common_elems::text AS elements
FROM pg_stats AS a JOIN pg_stats AS b USING (schemaname, attname)
WHERE schemaname = 'statistics_test' AND a.tablename = 'h' AND b.tablename = 'c' ORDER BY attname;
-- what is too long for ANALYZE to look at does not fill the sample; where it may be looked at, it is as it is
SELECT attname, avg_width < 1100 AS cut FROM pg_stats WHERE schemaname = 'statistics_test' AND tablename = 'c' AND attname IN ('wide', 'raw') ORDER BY 1;
CREATE INDEX ON c (length(wide));
CREATE INDEX ON h (length(wide));
CREATE STATISTICS s ON (length(raw)), few FROM c;
ANALYZE c, h;
SELECT tablename, attname, n_distinct, most_common_vals FROM pg_stats WHERE schemaname = 'statistics_test' AND tablename LIKE '%length%' ORDER BY 1;
SELECT expr, n_distinct, most_common_vals FROM pg_stats_ext_exprs WHERE statistics_schemaname = 'statistics_test';

-- Estimates of conditions are near the truth.
SELECT condition, estimate('SELECT * FROM c WHERE ' || condition) AS c, estimate('SELECT * FROM h WHERE ' || condition) AS h
INTO estimates
FROM unnest(ARRAY['few = 4', 'many < 0', 'sparse IS NULL', 'sparse = ''text 8''', 'sorted < 300', 'skew = ''often''', 'skew > ''often''', 'a @> ''{3}''',
  'few = 4 AND sparse IS NULL', 'id = 5', 'wide = ''short 2''']) AS condition;
SELECT condition FROM estimates WHERE abs(c - h) > 20 + 0.15 * greatest(c, h);

-- Values are cut only where nobody looks at them: not the statistics of a parent, nor an index of whole rows.
CREATE TABLE parent (id integer, body text, k integer) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parent FOR VALUES FROM (0) TO (100000) USING hanzo_columnar;
INSERT INTO part SELECT i, jsonb_build_object('k', repeat('x', 2000 + 1000 * (i % 2)), 'kind', i % 3)::text, i % 3 FROM generate_series(1, 3000) AS i;
CREATE STATISTICS e ON ((body::jsonb ->> 'kind')), (length(body)), k FROM parent;
CALL hanzo_datastore.compact('part');
ANALYZE parent;
SELECT expr, n_distinct, most_common_vals FROM pg_stats_ext_exprs WHERE statistics_schemaname = 'statistics_test' AND statistics_name = 'e' ORDER BY 1;
CREATE TABLE rows (id integer, body text) USING hanzo_columnar;
INSERT INTO rows SELECT i, repeat('x', 2000 + 1000 * (i % 2)) FROM generate_series(1, 3000) AS i;
CREATE FUNCTION body_length(rows) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1.body)';
CREATE INDEX whole ON rows (body_length(rows.*));
CALL hanzo_datastore.compact('rows');
ANALYZE rows;
SELECT n_distinct, most_common_vals FROM pg_stats WHERE schemaname = 'statistics_test' AND tablename = 'whole';

-- Loads and moves are counted: autovacuum goes by it.
CREATE TABLE counted (id integer) USING hanzo_columnar;
INSERT INTO counted SELECT i FROM generate_series(1, 5000) AS i;
CALL hanzo_datastore.compact('counted');
CREATE TABLE loaded USING hanzo_columnar AS SELECT i FROM generate_series(1, 20000) AS i;
SELECT pg_stat_force_next_flush();
SELECT relname, n_live_tup, n_mod_since_analyze > 0 AS modified FROM pg_stat_user_tables WHERE schemaname = 'statistics_test' AND relname IN ('counted', 'loaded') ORDER BY 1;

-- A target of a column, and of none.
DROP STATISTICS s;
ALTER TABLE c ALTER COLUMN many SET STATISTICS 300, ALTER COLUMN few SET STATISTICS 0;
ALTER TABLE h ALTER COLUMN many SET STATISTICS 300, ALTER COLUMN few SET STATISTICS 0;
TRUNCATE c;
INSERT INTO c SELECT * FROM h;
CALL hanzo_datastore.compact('c');
ANALYZE c, h;
SELECT a.attname, array_length(a.most_common_freqs, 1), a.most_common_freqs = b.most_common_freqs AS same
FROM pg_stats AS a JOIN pg_stats AS b USING (schemaname, attname)
WHERE schemaname = 'statistics_test' AND a.tablename = 'h' AND b.tablename = 'c' AND attname = 'many';

-- The sample grows with the target: here to all rows.
CREATE TABLE targets USING hanzo_columnar AS SELECT i % 1000 AS k, i FROM generate_series(1, 200000) AS i;
ANALYZE targets;
SELECT array_length(most_common_freqs, 1) AS common FROM pg_stats WHERE schemaname = 'statistics_test' AND tablename = 'targets' AND attname = 'k' AND array_length(most_common_freqs, 1) >= 1000;
ALTER TABLE targets ALTER COLUMN k SET STATISTICS 1000;
ANALYZE targets;
SELECT array_length(most_common_freqs, 1) AS common, 0.001::real = ALL (most_common_freqs) AS exact FROM pg_stats WHERE schemaname = 'statistics_test' AND tablename = 'targets' AND attname = 'k';

-- An empty table, one without columns, one whose rows are all deleted.
CREATE TABLE nothing () USING hanzo_columnar;
INSERT INTO nothing SELECT FROM generate_series(1, 3000);
CALL hanzo_datastore.compact('nothing');
ANALYZE nothing;
SELECT rows_known('nothing');
DELETE FROM c;
ANALYZE c;
SELECT rows_known('c');
TRUNCATE c;
ANALYZE c;
SELECT rows_known('c');
\set VERBOSITY default
SET client_min_messages = error;
DROP SCHEMA statistics_test CASCADE;
