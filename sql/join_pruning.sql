-- Keys of a join's small side rule out row groups and vectors of the input: every answer is the heap's, with that and without.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE TABLE c (id bigint, n integer, u uuid, t text, b char(6), at timestamptz, day date, f float8, v numeric(12,2)) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 8192, bloom => '{u,t}');
INSERT INTO c SELECT i, CASE WHEN i % 17 > 0 THEN i / 1000 END, md5((i % 20000)::text)::uuid, CASE WHEN i % 19 > 0 THEN 'text ' || i / 50 END, 'b' || i / 4000, '2026-01-01'::timestamptz + i * interval '1 min',
  '2026-01-01'::date + i / 2000, CASE WHEN i % 30000 = 7 THEN '-0'::float8 WHEN i % 30000 = 8 THEN 'NaN' ELSE i / 100 END, i * 0.01 FROM generate_series(1, 60000) AS i;
CALL hanzo_datastore.compact('c');
ALTER TABLE c ADD COLUMN later integer DEFAULT 5;
INSERT INTO c SELECT i, i / 1000, md5(i::text)::uuid, 'text ' || i / 50, 'b', '2026-01-01', '2026-01-01', 0, 0, 6 FROM generate_series(60001, 60100) AS i;
DELETE FROM c WHERE id % 1000 = 5;
CREATE TABLE h AS TABLE c;
CREATE TABLE cp (LIKE c) PARTITION BY RANGE (at);
CREATE TABLE cp_1 PARTITION OF cp FOR VALUES FROM (MINVALUE) TO ('2026-01-20') USING hanzo_columnar;
CREATE TABLE cp_2 (v numeric(12,2), later integer, gone text, at timestamptz, u uuid, n integer, day date, b char(6), f float8, t text, id bigint) USING hanzo_columnar;
ALTER TABLE cp_2 DROP COLUMN gone;
ALTER TABLE cp ATTACH PARTITION cp_2 FOR VALUES FROM ('2026-01-20') TO (MAXVALUE);
SELECT hanzo_datastore.alter_columnar_table('cp', row_group_rows => 8192, bloom => '{u,t}');
INSERT INTO cp TABLE c;
CALL hanzo_datastore.compact('cp');
CREATE TABLE dims AS SELECT i AS place, i::bigint * 10 AS id, CASE WHEN i % 4 > 0 THEN i / 20 END AS n, md5((i * 7)::text)::uuid AS u, 'text ' || i * 3 AS t, ('b' || i % 3)::char(6) AS b,
  '2026-01-10'::timestamptz + i * interval '1 min' AS at, '2026-01-05'::date + i AS day, (i * 2)::float8 AS f, 'name ' || i AS name FROM generate_series(1, 40) AS i;
ANALYZE c, h, cp, dims;
-- Vectors that ColumnarAgg leaves to be read, and lines that say that the join has ruled some out
CREATE FUNCTION vectors(query text, OUT read bigint, OUT ruled_out bigint) LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  SELECT sum(x::bigint) INTO read FROM jsonb_path_query(plan, '$.**.Vectors ? (@.type() == "number")') AS x;
  SELECT count(*) INTO ruled_out FROM jsonb_path_query(plan, '$.**."Pruned By"[*] ? (@.Condition == "Lookup Cond")');
END$$;
CREATE FUNCTION pruned(query text, OUT same boolean, OUT fewer boolean, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
  heap text := test.answer(replace(query, '[t]', 'h'));
  t text;
  "on" record;
  "off" record;
BEGIN
  same := true;
  fewer := true;
  FOREACH t IN ARRAY '{c,cp}'::text[] LOOP
    same := same AND test.answer(replace(query, '[t]', t)) = heap;
    PERFORM set_config('max_parallel_workers_per_gather', '0', true);
    same := same AND test.answer(replace(query, '[t]', t)) = heap;
    PERFORM set_config('max_parallel_workers_per_gather', '2', true);
    "on" := vectors(replace(query, '[t]', t));
    PERFORM set_config('hanzo_datastore.enable_join_pruning', 'off', true);
    same := same AND test.answer(replace(query, '[t]', t)) = heap;
    "off" := vectors(replace(query, '[t]', t));
    PERFORM set_config('hanzo_datastore.enable_join_pruning', 'on', true);
    fewer := fewer AND "on".read < "off".read AND "on".ruled_out > 0 AND "off".ruled_out = 0;
  END LOOP;
  answer := CASE WHEN heap ~ '^\d+ [0-9a-f]{32}$' THEN split_part(heap, ' ', 1) ELSE heap END;
END$$;
-- By zones, bloom filters, dictionaries
SELECT same, fewer, answer, query FROM unnest(ARRAY[
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.id = t.id GROUP BY 1',
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.u = t.u WHERE p.place < 3 GROUP BY 1',
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.t = t.t GROUP BY 1',
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.at = t.at GROUP BY 1',
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.day = t.day WHERE p.place < 10 GROUP BY 1',
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.id = t.id AND p.at < t.at GROUP BY 1',
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.at = t.at AND p.u = t.u GROUP BY 1',
  'SELECT p.name, q.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.id JOIN dims AS q ON q.place = t.later GROUP BY 1, 2',
  'SELECT count(*), min(t.id), max(t.at), sum(t.n) FROM [t] AS t JOIN dims AS p ON p.id = t.id',
  -- conditions that whole groups satisfy
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.id WHERE t.id > 0 AND t.at > ''2025-01-01'' GROUP BY 1',
  -- every row that is left has the one key
  'SELECT max(p.name), count(*), sum(t.id) FROM [t] AS t JOIN (SELECT 5 AS n, name FROM dims ORDER BY place LIMIT 1) AS p ON p.n = t.n',
  -- nulls, and nothing at all
  'SELECT p.name, count(*) FROM [t] AS t JOIN (SELECT DISTINCT n, ''name'' AS name FROM dims WHERE n IS NOT NULL) AS p ON p.n = t.n GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t JOIN (VALUES (3, ''three''), (NULL, ''null'')) AS p (n, name) ON p.n = t.n GROUP BY 1',
  'SELECT count(*), sum(v) FROM [t] AS t JOIN (VALUES (-3, ''none''), (99999, ''no'')) AS p (n, name) ON p.n = t.n',
  -- a column that groups do not have
  'SELECT p.name, count(*) FROM [t] AS t JOIN (SELECT 6 AS n, name FROM dims ORDER BY place LIMIT 1) AS p ON p.n = t.later GROUP BY 1',
  -- numbers that are equal and look different
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.f = t.f GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t JOIN (VALUES (''0''::float8, ''zero''), (''NaN'', ''nan'')) AS p (f, name) ON p.f = t.f GROUP BY 1']) AS query, pruned(query);
-- errors of rows that are still read
SELECT test.answer(replace(q, '[t]', 'c')), test.answer(replace(q, '[t]', 'h')) FROM (VALUES ('SELECT p.name, sum(1 / (t.id - 100)) FROM [t] AS t JOIN dims AS p ON p.id = t.id GROUP BY 1')) AS v (q);
-- Where no more can be ruled out, or the keys are too many
SELECT same, fewer, answer, query FROM unnest(ARRAY[
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.id WHERE t.id BETWEEN 100 AND 250 AND t.n IS NOT NULL GROUP BY 1',
  'SELECT count(*), sum(v) FROM [t] AS t JOIN (VALUES (NULL::integer, ''null'')) AS p (n, name) ON p.n = t.n',
  'SELECT p.name, count(*) FROM [t] AS t JOIN (VALUES (''b1''::char(6), ''one''), (''b3'', ''three'')) AS p (b, name) ON p.b = t.b GROUP BY 1',
  'SELECT p.k, count(*) FROM [t] AS t JOIN (SELECT i::bigint AS k FROM generate_series(1, 1500) AS i) AS p ON p.k = t.id GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.id GROUP BY 1']) AS query, pruned(query);
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT p.name, count(*) FROM c AS t JOIN dims AS p ON p.t = t.t WHERE p.place < 3 AND t.id < 20000 GROUP BY 1;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT p.name, count(*) FROM c AS t JOIN dims AS p ON p.at = t.at WHERE p.place < 3 GROUP BY 1;
-- Sides that are read anew for each outer row; begun and left to PostgreSQL's own plan, which reads all of the input
SELECT same, answer FROM pruned('SELECT x, s.* FROM generate_series(1, 6) AS x CROSS JOIN LATERAL
  (SELECT count(*), sum(t.v), min(p.name) FROM [t] AS t JOIN dims AS p ON p.id = t.id AND p.place % 6 = x AND t.at > ''2025-01-01'') AS s');
SELECT same, answer FROM pruned('SELECT x, s.* FROM generate_series(1, 6) AS x CROSS JOIN LATERAL
  (SELECT count(*), sum(t.v), min(p.name) FROM [t] AS t JOIN (SELECT n, name FROM dims WHERE place % 6 <= x) AS p ON p.n = t.n AND t.id > x) AS s');
SELECT same, answer FROM pruned('SELECT p.name, sum(t.v * 1e30 * t.v * 1e30) FROM [t] AS t JOIN dims AS p ON p.id = t.id GROUP BY 1');
PREPARE of(integer, bigint) AS SELECT p.name, count(*), sum(t.v) FROM c AS t JOIN dims AS p ON p.id = t.id WHERE p.place = $1 AND t.id >= $2 GROUP BY 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE of(3, 0);
EXECUTE of(30, 100);
EXECUTE of(3, 100);
RESET plan_cache_mode;
-- Constant keys, and a side whose keys are not unique: PostgreSQL's own plan has nothing to sort by
CREATE TABLE twice AS SELECT * FROM dims UNION ALL SELECT * FROM dims WHERE place = 3;
ANALYZE twice;
SELECT same, answer FROM pruned('SELECT t.later, count(DISTINCT t.t), sum(p.place) FROM [t] AS t JOIN twice AS p ON p.id = t.id WHERE t.later = 5 GROUP BY 1');
DROP TABLE c, h, cp, dims, twice;
DROP FUNCTION vectors, pruned;
