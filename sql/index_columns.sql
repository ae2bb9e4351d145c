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
-- below joins and aggregates a scan's target list may be the whole table: what is above says which columns are read
CREATE FUNCTION buffers(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE query;
  EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END$$;
-- the same when nothing is kept open of table c
CREATE FUNCTION first_buffers(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  ALTER TABLE c ALTER COLUMN later SET DEFAULT 'forgets what is cached';
  EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END$$;
SET hanzo_datastore.enable_columnar_scan = off;
SET hanzo_datastore.enable_columnar_agg = off;
CREATE TABLE few AS SELECT i * 37 % 12100 AS id, i AS k, i % 3 AS three FROM generate_series(1, 300) AS i;
ANALYZE few;
CREATE FUNCTION check_joins() RETURNS TABLE (same boolean, query text) LANGUAGE sql AS $$
SELECT same(q), q FROM unnest(ARRAY[
  'SELECT f.k, t.b FROM few AS f JOIN [t] AS t ON t.id = f.id',
  'SELECT f.k, t.n, t.b FROM few AS f LEFT JOIN [t] AS t ON t.id = f.id AND t.a > f.k',
  'SELECT f.k, t FROM few AS f JOIN [t] AS t ON t.id = f.id',
  'SELECT f.k, t.* FROM few AS f JOIN [t] AS t ON t.id = f.id',
  'SELECT f.k, t.tableoid > 0, t.id, t.g FROM few AS f JOIN [t] AS t ON t.id = f.id',
  'SELECT f.three, count(*), sum(t.n) FROM few AS f JOIN [t] AS t ON t.id = f.id GROUP BY 1',
  'SELECT count(*) FROM few AS f JOIN [t] AS t ON t.id = f.id GROUP BY t.b',
  'SELECT t.b, count(*) FROM few AS f JOIN [t] AS t ON t.id = f.id GROUP BY 1 HAVING max(t.n) > 1',
  'SELECT t.b, f.three, count(*) FROM few AS f JOIN [t] AS t ON t.id = f.id GROUP BY GROUPING SETS ((1), (2), ())',
  'SELECT max(x.long) FROM (SELECT t.long, t.a FROM [t] AS t WHERE t.id BETWEEN 50 AND 700 OFFSET 0) AS x GROUP BY x.a',
  'SELECT count(DISTINCT t.tags), string_agg(t.b, t.later ORDER BY t.at, t.id) FILTER (WHERE t.a > 3) FROM few AS f JOIN [t] AS t ON t.id = f.id',
  'SELECT f.k, x.b, y.n FROM few AS f JOIN [t] AS x ON x.id = f.id JOIN [t] AS y ON y.a = x.a AND y.id < x.id AND y.later IS NOT NULL',
  'SELECT x.at, y.at FROM [t] AS x JOIN [t] AS y ON y.a = x.a AND y.id = x.id WHERE x.id BETWEEN 10 AND 3000',
  'SELECT x.tags, y.b FROM [t] AS x FULL JOIN [t] AS y ON y.id = x.id AND y.a = x.a AND x.later = y.later WHERE coalesce(x.id, y.id) BETWEEN 10 AND 900',
  'SELECT f.k FROM few AS f WHERE EXISTS (SELECT FROM [t] AS t WHERE t.id = f.id AND t.b LIKE ''b1%'')',
  'SELECT f.k FROM few AS f WHERE NOT EXISTS (SELECT FROM [t] AS t WHERE t.id = f.id AND t.n > 100)',
  'SELECT f.k, (SELECT t.later || t.b FROM [t] AS t WHERE t.id = f.id) FROM few AS f',
  'SELECT t.a, (SELECT count(*) FROM few AS f WHERE f.id = t.id AND f.k < t.a) FROM few AS e JOIN [t] AS t ON t.id = e.id',
  'SELECT f.k, x.l FROM few AS f CROSS JOIN LATERAL (SELECT length(t.long) AS l, t.b FROM [t] AS t WHERE t.a = f.k ORDER BY t.b, t.id LIMIT 2) AS x',
  'SELECT f.k, coalesce(s.total, 0) FROM few AS f LEFT JOIN (SELECT t.a, sum(t.n) AS total FROM [t] AS t GROUP BY t.a) AS s ON s.a = f.k',
  'SELECT f.k, x.w FROM few AS f LEFT JOIN LATERAL (SELECT row_number() OVER (PARTITION BY t.b ORDER BY t.at) AS w FROM [t] AS t WHERE t.a = f.three) AS x ON true']) AS q
$$;
SELECT * FROM check_joins();
SET enable_nestloop = off;
SET enable_mergejoin = on;
SELECT count(*) AS merge_joins FROM check_joins() WHERE same;
SET enable_mergejoin = off;
SET enable_hashjoin = on;
SELECT count(*) AS hash_joins FROM check_joins() WHERE same;
RESET enable_nestloop;
SET enable_hashjoin = off;
SET enable_memoize = off;
SELECT count(*) AS without_memoize FROM check_joins() WHERE same;
RESET enable_memoize;
ALTER TABLE c ALTER COLUMN later SET DEFAULT 'forgets what is cached again';
SELECT first_buffers('SELECT count(t.n) FROM few AS f JOIN c AS t ON t.id = f.id') < first_buffers('SELECT count(t.long) FROM few AS f JOIN c AS t ON t.id = f.id') AS fewer;
-- rows that a statement finds again, after it or others have changed them
BEGIN;
UPDATE c SET b = f.k::text FROM few AS f WHERE f.id = c.id AND c.b LIKE 'b%';
UPDATE h SET b = f.k::text FROM few AS f WHERE f.id = h.id AND h.b LIKE 'b%';
SELECT same('SELECT f.k, t.b, t.n FROM few AS f JOIN [t] AS t ON t.id = f.id') AS updated;
DELETE FROM c USING few AS f WHERE f.id = c.id AND f.three = 1;
DELETE FROM h USING few AS f WHERE f.id = h.id AND f.three = 1;
SELECT same('SELECT f.k, t.b, t.n FROM few AS f LEFT JOIN [t] AS t ON t.id = f.id') AS deleted;
MERGE INTO c USING few AS f ON c.id = f.id WHEN MATCHED AND f.three = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET n = c.n + f.k WHEN NOT MATCHED THEN INSERT (id, a, b, later) VALUES (f.id, f.k, 'merged', 'x');
MERGE INTO h USING few AS f ON h.id = f.id WHEN MATCHED AND f.three = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET n = h.n + f.k WHEN NOT MATCHED THEN INSERT (id, a, b, later) VALUES (f.id, f.k, 'merged', 'x');
SELECT same('SELECT t.id, t.a, t.b, t.n, t.long, t.at, t.tags, t.later, t.g FROM [t] AS t') AS merged;
ROLLBACK;
-- each value of a row group's vectors again and again, in any order; more row groups than a lookup keeps open
CREATE TABLE wide (id integer, k integer, small smallint, flag boolean, f float8, u uuid, d numeric(20, 6), big numeric, word text, long text, many integer[], sparse integer, none text, day date) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('wide', row_group_rows => 2048);
INSERT INTO wide SELECT i, i * 7919 % 60000, i % 300, i % 3 = 0, CASE WHEN i % 11 > 0 THEN i / 7.0 END, md5(i::text)::uuid, i / 3.0, CASE WHEN i % 13 = 0 THEN 'NaN' ELSE i * 1e20::numeric END, 'w' || i % 400, repeat(md5(i::text), i % 5), ARRAY[i, NULL, i + 1],
  CASE WHEN i % 50 = 0 THEN i END, NULL, date '2026-01-01' + i % 900 FROM generate_series(1, 60000) AS i;
CALL hanzo_datastore.compact('wide');
ALTER TABLE wide ADD COLUMN added integer DEFAULT 7;
DELETE FROM wide WHERE id % 97 = 0;
CREATE INDEX ON wide (k);
CREATE TABLE twin AS TABLE wide;
CREATE INDEX ON twin (k);
VACUUM ANALYZE wide, twin;
SELECT count(*) > 8 AS many_groups FROM hanzo_datastore.row_group_stats('wide');
CREATE TABLE places AS SELECT (i * 3571) % 60000 AS k FROM generate_series(1, 9000) AS i UNION ALL SELECT i FROM generate_series(30000, 31000) AS i;
ANALYZE places;
SELECT test.plan_has('SELECT t.* FROM places AS p JOIN wide AS t ON t.k = p.k', 'Index Scan') AS by_index;
SELECT count(*) AS differ FROM ((SELECT t.* FROM places AS p JOIN wide AS t ON t.k = p.k EXCEPT ALL SELECT t.* FROM places AS p JOIN twin AS t ON t.k = p.k)
  UNION ALL (SELECT t.* FROM places AS p JOIN twin AS t ON t.k = p.k EXCEPT ALL SELECT t.* FROM places AS p JOIN wide AS t ON t.k = p.k)) AS x;
SELECT (SELECT (count(*), count(t.sparse), count(t.none), sum(t.f), sum(t.small), max(t.day), md5(string_agg(t.long, '' ORDER BY p.k, t.id)))::text FROM places AS p JOIN wide AS t ON t.k = p.k) =
  (SELECT (count(*), count(t.sparse), count(t.none), sum(t.f), sum(t.small), max(t.day), md5(string_agg(t.long, '' ORDER BY p.k, t.id)))::text FROM places AS p JOIN twin AS t ON t.k = p.k) AS same;
-- what was decoded, and what is known of the row groups, stays over the rescans of a nested loop: little is read beside the index's two levels
SELECT test.plan_has('SELECT sum(t.small) FROM places AS p JOIN wide AS t ON t.k = p.k', 'Nested Loop') AS rescans,
  buffers('SELECT sum(t.small) FROM places AS p JOIN wide AS t ON t.k = p.k') < 3 * (SELECT count(*) FROM places) AS kept;
DROP TABLE wide, twin, places;
RESET hanzo_datastore.enable_columnar_scan;
RESET hanzo_datastore.enable_columnar_agg;
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
SELECT first_buffers('SELECT a, n FROM c WHERE id BETWEEN 1000 AND 3000') < first_buffers('SELECT a, n, long FROM c WHERE id BETWEEN 1000 AND 3000') AS fewer;
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
-- compiled code relies on columns that are NOT NULL when it takes a tuple apart, whoever reads them
CREATE TABLE filled (id integer NOT NULL, flag boolean NOT NULL, small smallint NOT NULL, word text NOT NULL, big bigint NOT NULL, u uuid NOT NULL, n name NOT NULL, d numeric NOT NULL, ch "char" NOT NULL, tags integer[] NOT NULL,
  gone text NOT NULL, maybe text, at timestamptz NOT NULL, last text NOT NULL) USING hanzo_columnar;
INSERT INTO filled SELECT i, i % 3 = 0, i % 100, repeat('x', i % 7), i * 3, md5(i::text)::uuid, 'n' || i, i / 7.0, 'c', ARRAY[i], 'gone', CASE WHEN i % 2 = 0 THEN 'maybe' END, '2026-01-01'::timestamptz + i * interval '1 s', 'f' || i FROM generate_series(1, 20000) AS i;
CALL hanzo_datastore.optimize('filled');
CREATE UNIQUE INDEX ON filled (id);
ALTER TABLE filled DROP COLUMN gone, ADD COLUMN added text NOT NULL DEFAULT 'added';
CREATE TABLE fifty AS SELECT i * 100 AS id FROM generate_series(1, 50) AS i;
VACUUM ANALYZE filled, fifty;
CREATE FUNCTION compiled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  with_jit text;
  without text;
BEGIN
  SET LOCAL jit_above_cost = 0;
  SET LOCAL jit_inline_above_cost = -1;
  SET LOCAL jit_optimize_above_cost = -1;
  SET LOCAL jit = on;
  EXECUTE format('SELECT count(*) || md5(string_agg(x::text, ''|'' ORDER BY x::text)) FROM (%s) AS x', query) INTO with_jit;
  SET LOCAL jit = off;
  EXECUTE format('SELECT count(*) || md5(string_agg(x::text, ''|'' ORDER BY x::text)) FROM (%s) AS x', query) INTO without;
  RETURN with_jit = without;
END$$;
SET hanzo_datastore.enable_columnar_scan = off;
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT compiled(query), test.plan_has(query, 'Index Scan') AS index_scan, query FROM unnest(ARRAY[
  'SELECT big FROM filled WHERE id = 77',
  'SELECT last FROM filled WHERE id IN (77, 78, 79)',
  'SELECT added, at FROM filled WHERE id BETWEEN 100 AND 300',
  'SELECT tags, n FROM filled WHERE id BETWEEN 100 AND 300 AND d > 20',
  'SELECT maybe, ch, u FROM filled WHERE id BETWEEN 100 AND 300',
  'SELECT sum(length(f.last)) FROM fifty AS s JOIN filled AS f USING (id) WHERE f.big % 2 = 0',
  'SELECT s.id, f.at, f.small FROM fifty AS s JOIN filled AS f ON f.id = s.id AND f.word <> ''''',
  'SELECT f.flag, max(f.added), count(*) FROM fifty AS s JOIN filled AS f USING (id) WHERE f.tags[1] > 5 GROUP BY 1']) AS query;
RESET hanzo_datastore.enable_columnar_scan;
RESET enable_seqscan;
SELECT compiled(query), query FROM unnest(ARRAY[
  'SELECT big FROM filled WHERE d > 1000',
  'SELECT last, maybe FROM filled WHERE word = ''xx''',
  'SELECT flag, sum(big), max(last) FROM filled GROUP BY 1',
  'SELECT id, last FROM filled ORDER BY big DESC LIMIT 10',
  'SELECT f.last, g.u FROM filled AS f JOIN filled AS g ON g.id = f.small WHERE f.word = ''xxx''']) AS query;
DROP TABLE c, h, sorted, few, filled, fifty;
DROP FUNCTION same, other_columns, buffers, first_buffers, check_joins, compiled;
