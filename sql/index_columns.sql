-- Index scans decode what their plan reads, and give what a heap's give.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE TABLE c (id integer PRIMARY KEY, gone text, a integer, b text, n numeric(12,4), long text, at timestamptz, tags text[], g integer GENERATED ALWAYS AS (a * 2) STORED) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 4096, order_by => 'a');
ALTER TABLE c DROP COLUMN gone;
INSERT INTO c (id, a, b, n, long, at, tags) SELECT i, i % 1000, CASE WHEN i % 7 > 0 THEN 'b' || i % 100 END, i / 7.0, (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 20) AS j), '2026-01-01'::timestamptz + i * interval '1 min', ARRAY['t' || i % 5]
  FROM generate_series(1, 12000) AS i;
CREATE INDEX c_a ON c (a, id);
CREATE INDEX c_b ON c (lower(b)) INCLUDE (n);
CREATE INDEX c_long ON c USING hash (long);
CALL hanzo_datastore.compact('c');
INSERT INTO c (id, a, b, n, long) SELECT i, i % 1000, 'late', 1, 'short' FROM generate_series(12001, 12100) AS i;
ALTER TABLE c ADD COLUMN later text DEFAULT 'later';
UPDATE c SET b = 'updated' WHERE id % 500 = 0;
DELETE FROM c WHERE id % 500 = 1;
CREATE TABLE h (LIKE c INCLUDING ALL);
INSERT INTO h (id, a, b, n, long, at, tags, later) SELECT id, a, b, n, long, at, tags, later FROM c;
VACUUM ANALYZE c;
VACUUM ANALYZE h;

CREATE FUNCTION same(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  c text;
  h text;
BEGIN
  EXECUTE format('SELECT count(*) || md5(string_agg(x::text, ''|'' ORDER BY x::text)) FROM (%s) AS x', replace(query, '[t]', 'c')) INTO c;
  EXECUTE format('SELECT count(*) || md5(string_agg(x::text, ''|'' ORDER BY x::text)) FROM (%s) AS x', replace(query, '[t]', 'h')) INTO h;
  RETURN c = h;
END$$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT same(query), test.plan_has(replace(query, '[t]', 'c'), 'Index Scan') AS index_scan, test.plan_has(replace(query, '[t]', 'c'), 'Index Only Scan') AS index_only_scan, query FROM unnest(ARRAY[
  'SELECT id FROM [t] WHERE id BETWEEN 100 AND 900',
  'SELECT b FROM [t] WHERE id BETWEEN 100 AND 900',
  'SELECT * FROM [t] WHERE id BETWEEN 100 AND 900',
  'SELECT t FROM [t] AS t WHERE id BETWEEN 100 AND 900',
  'SELECT t.tags, t.later, t.g FROM [t] AS t WHERE id BETWEEN 100 AND 12050',
  'SELECT n FROM [t] WHERE lower(b) = ''b17'' AND length(long) > 600',
  'SELECT count(*) FROM [t] WHERE a < 100',
  'SELECT a, id FROM [t] WHERE a < 100 AND id > 500',
  'SELECT id, at FROM [t] WHERE a < 100 ORDER BY a, id LIMIT 50',
  'SELECT y.b, y.n FROM [t] AS x JOIN [t] AS y ON y.id = x.a WHERE x.id BETWEEN 5000 AND 5200',
  'SELECT y FROM [t] AS x JOIN [t] AS y ON y.id = x.a WHERE x.id BETWEEN 5000 AND 5200',
  'SELECT (SELECT max(n) FROM [t] AS y WHERE y.a = x.a AND y.id > x.id) FROM [t] AS x WHERE x.id BETWEEN 5000 AND 5100',
  'SELECT id, row_to_json(t) FROM [t] AS t WHERE id < 30',
  'SELECT id, tableoid > 0, b IS NULL FROM [t] WHERE id < 30',
  'SELECT x.* FROM [t] AS t CROSS JOIN LATERAL (SELECT t.later, t.n) AS x WHERE t.id < 30']) AS query;
SELECT count(*), max(length(long)) FROM c WHERE long = (SELECT long FROM h WHERE id = 77);
-- a slot is used again by other queries, cursors and functions of the transaction
BEGIN;
DECLARE few CURSOR FOR SELECT a FROM c WHERE id < 100 ORDER BY id;
DECLARE whole CURSOR FOR SELECT * FROM c WHERE id < 100 ORDER BY id;
FETCH 2 FROM few;
FETCH 1 FROM whole;
SELECT id, b FROM c WHERE id = 3 FOR UPDATE;
UPDATE c SET b = 'by cursor' WHERE CURRENT OF few RETURNING id, a, b, n;
DELETE FROM c WHERE id = 4 RETURNING *;
FETCH 1 FROM few;
FETCH 1 FROM whole;
SELECT id, b, n FROM c WHERE id = 2;
ROLLBACK;
CREATE FUNCTION other_columns(i integer) RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN SELECT b || n INTO r FROM c WHERE id = i; RETURN r; END$$;
SELECT a, other_columns(a), at FROM c WHERE id BETWEEN 1010 AND 1013;
-- what is not asked for is not read
CREATE FUNCTION buffers(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE query;
  EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END$$;
ALTER TABLE c ALTER COLUMN later SET DEFAULT 'forgets what is cached';
SELECT buffers('SELECT a, n FROM c WHERE id BETWEEN 1000 AND 3000') * 2 < buffers('SELECT a, n, long FROM c WHERE id BETWEEN 1000 AND 3000') AS fewer;
-- and costs less: an index path under LIMIT is charged the width of the columns that are read, not of the row
RESET enable_seqscan;
RESET enable_bitmapscan;
CREATE TABLE sorted (id integer, a integer, n integer, long text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('sorted', order_by => 'a, id');
INSERT INTO sorted SELECT i, i % 100, i, repeat(md5(i::text), 30) FROM generate_series(1, 30000) AS i;
CREATE INDEX ON sorted (a, id);
CALL hanzo_datastore.optimize('sorted');
VACUUM ANALYZE sorted;
SELECT test.plan_has('SELECT id, n FROM sorted WHERE a >= 5 ORDER BY a, id LIMIT 10', 'Index Scan') AS few_columns,
  test.plan_has('SELECT * FROM sorted WHERE a < 60 ORDER BY n LIMIT 10', 'ColumnarScan') AS many_rows;
DROP TABLE c, h, sorted;
DROP FUNCTION same, other_columns, buffers;
