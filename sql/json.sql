-- jsonb ->> 'key' on vectors: every answer is the heap's, for all that can be a value, in one process and in threads, in groups and in filters.
SET client_min_messages = warning;
CREATE TABLE j_h (id integer, j jsonb, few jsonb) USING heap;
INSERT INTO j_h
SELECT i, CASE i % 16
    WHEN 0 THEN jsonb_build_object('a', i, 'b', i / 7.0, 'c', 'text ' || i)
    WHEN 1 THEN '{"a": null, "b": true, "c": false, "": "empty key"}'
    WHEN 2 THEN jsonb_build_object('a', jsonb_build_array(i, 'x', NULL, true, jsonb_build_object('k', i * 1.50)), 'b', '{}'::jsonb, 'c', '[]'::jsonb)
    WHEN 3 THEN (SELECT jsonb_object_agg('key' || k, k * i) FROM generate_series(1, 100) AS k) || jsonb_build_object('a', i::text)
    WHEN 4 THEN to_jsonb(i)
    WHEN 5 THEN to_jsonb('a'::text)
    WHEN 6 THEN jsonb_build_array('a', 'b', i)
    WHEN 8 THEN jsonb_build_object('a', E'quote " back \\ / tab \t line \n \r \b \f \x01 \x1f \x7f é 漢字 😀 ' || i)
    WHEN 9 THEN jsonb_build_object('a', jsonb_build_object('a', E'quote " back \\ / tab \t line \n \r \b \f \x01 \x1f \x7f é 漢字 😀' || i, E'key "\n', jsonb_build_array(E'\x1f', '', NULL, '{}'::jsonb, '[[], {}]'::jsonb)), 'b', '[[[]]]'::jsonb)
    WHEN 10 THEN format('{"a": %1$s, "b": [%1$s, {"n": %1$s}]}', (ARRAY['0', '-0', '0.0', '-0.00', '1e3', '1e-10', '123456789012345678901234567890.123456789', '-99999999999999999999999999999999999999999999',
      '1E400', '-1e-300', '0.00001', '10000', '9999.9999', '100000000', '1e100', '12345e-3', '1.10', '0.1234', '0.12345', '1e1000', '12e-1000', '-7'])[1 + i / 16 % 22])::jsonb
    WHEN 11 THEN (repeat('{"a":', i / 16 % 400) || '[' || repeat('[', i / 16 % 70) || repeat(']', i / 16 % 70) || ']' || repeat('}', i / 16 % 400))::jsonb
    WHEN 12 THEN jsonb_build_object('a', repeat('long ', 1000 + i % 100), 'b', jsonb_build_array(repeat('x', 5000)))
    WHEN 13 THEN jsonb_build_object('longer key', 1, 'a', 2, 'aa', 3, 'ab', 4, 'b', 5, 'éé', 6, 'z', i, 'A', 'capital')
    WHEN 14 THEN '{}'
    WHEN 15 THEN jsonb_build_object('a', i % 5, 'few', 'x' || i % 3)
  END,
  CASE WHEN i % 7 > 0 THEN jsonb_build_object('a', i % 7, 'b', jsonb_build_object('c', i % 7 / 2.0), 'c', CASE WHEN i % 7 = 3 THEN 'x' END) END
FROM generate_series(1, 12000) AS i;
INSERT INTO j_h SELECT 20000 + i, jsonb_build_object('a', 'v' || i % 10, 'b', i), '{"a": "one"}' FROM generate_series(1, 4096) AS i;
CREATE TABLE j_c (LIKE j_h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('j_c', row_group_rows => 4096);
INSERT INTO j_c TABLE j_h;
CALL hanzo_datastore.compact('j_c');
INSERT INTO j_h SELECT id + 30000, j, few FROM j_h WHERE id < 100;
INSERT INTO j_c SELECT id + 30000, j, few FROM j_c WHERE id < 100;
DELETE FROM j_h WHERE id % 11 = 3;
DELETE FROM j_c WHERE id % 11 = 3;
ANALYZE j_h, j_c;
CREATE TABLE json_queries AS
SELECT replace(replace(q, '[k]', quote_nullable(k)), '[j]', j) AS query
FROM unnest(ARRAY['a', 'b', 'c', '', 'aa', 'ab', 'A', 'key1', 'key50', 'key100', 'longer key', 'éé', 'z', 'nope', 'few', NULL]) AS k, unnest('{j,few}'::text[]) AS j,
  unnest(ARRAY['SELECT [j] ->> [k] AS x, count(*), max(id) FROM [t] GROUP BY 1', 'SELECT id, [j] ->> [k] AS x, id / 3 AS y FROM [t] WHERE ([j] ->> [k]) IS NOT NULL',
    'SELECT count(*), min([j] ->> [k]) FROM [t] WHERE [j] ->> [k] = ''2'' OR length([j] ->> [k]) > 5', 'SELECT id FROM [t] WHERE [j] ->> [k] LIKE ''%1%'' AND id % 3 = 1',
    'SELECT count(DISTINCT [j] ->> [k]), sum(length([j] ->> [k])) FROM [t] WHERE id < 9000']) AS q;
CREATE FUNCTION json_differences() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT query FROM json_queries WHERE test.answer(replace(query, '[t]', 'j_c')) <> test.answer(replace(query, '[t]', 'j_h'))
$$;
SELECT count(*), count(*) FILTER (WHERE test.answer(replace(query, '[t]', 'j_h')) ~ '^\d+ [0-9a-f]{32}$') AS with_rows FROM json_queries;
SET max_parallel_workers_per_gather = 0;
SELECT * FROM json_differences();
SET hanzo_datastore.enable_columnar_agg = off;
SELECT * FROM json_differences();
SET hanzo_datastore.enable_vector_filter = off;
SELECT * FROM json_differences();
RESET hanzo_datastore.enable_vector_filter;
RESET hanzo_datastore.enable_columnar_agg;
SET max_parallel_workers_per_gather = 2;
SELECT * FROM json_differences();
-- on vectors, and in threads
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM j_c WHERE j ->> 'a' = '2';
-- the same of a joined side, whose nulls are entries of a dictionary; keys that are parameters, null, varchar; a domain
CREATE DOMAIN settings AS jsonb;
CREATE TABLE sides (id integer PRIMARY KEY, j settings, k varchar(10));
INSERT INTO sides SELECT i, CASE WHEN i % 3 > 0 THEN jsonb_build_object('a', i % 5, 'b', ARRAY[i]) END, CASE WHEN i % 2 = 0 THEN 'a' END FROM generate_series(1, 40) AS i;
ANALYZE sides;
SELECT test.plan_has(replace(q, '[t]', 'j_c'), 'Lookup Cond') AS looked_up, test.answer(replace(q, '[t]', 'j_c')) = test.answer(replace(q, '[t]', 'j_h')) AS same, split_part(test.answer(replace(q, '[t]', 'j_h')), ' ', 1) AS rows FROM unnest(ARRAY[
  'SELECT s.j ->> ''a'' AS x, count(*) FROM [t] AS t JOIN sides AS s ON s.id = t.id GROUP BY 1', 'SELECT coalesce(s.j, ''{"a": "none"}'') ->> ''a'' AS x, count(*), max(t.j ->> ''a'') FROM [t] AS t JOIN sides AS s ON s.id = t.id GROUP BY 1',
  'SELECT count(DISTINCT s.j ->> ''b''), count(*) FILTER (WHERE s.j ->> ''a'' = ''2'') FROM [t] AS t JOIN sides AS s ON s.id = t.id']) AS q;
SET plan_cache_mode = force_generic_plan;
PREPARE by_key(text, varchar) AS SELECT j ->> $1 AS x, left(j ->> $2, 20) AS y, count(*) FROM j_c WHERE id < 200 GROUP BY 1, 2 HAVING count(*) > 10 ORDER BY 1, 2;
EXECUTE by_key('few', 'b');
EXECUTE by_key(NULL, 'few');
EXECUTE by_key('few', NULL);
DEALLOCATE by_key;
RESET plan_cache_mode;
SELECT test.answer('SELECT j ->> ''k''::varchar(3) AS x, (j::settings) ->> ''a'' AS y FROM j_c') = test.answer('SELECT j ->> ''k''::varchar(3) AS x, (j::settings) ->> ''a'' AS y FROM j_h') AS same;
CREATE TABLE j_big (id integer, j jsonb) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('j_big', row_group_rows => 32768);
INSERT INTO j_big SELECT i, jsonb_build_object('region', 'r' || i % 5, 'n', i % 100 / 4.0, 'tags', jsonb_build_array(i % 3), 'id', md5(i::text)) FROM generate_series(1, 160000) AS i;
CALL hanzo_datastore.compact('j_big');
VACUUM ANALYZE j_big;
SELECT test.measured('SELECT j ->> ''region'', count(*) FROM j_big GROUP BY 1', 'Threads') > 0 AS in_threads;
SELECT j ->> 'region' AS region, j ->> 'tags' AS tags, count(*), sum((j ->> 'n')::numeric), count(DISTINCT j ->> 'id') FROM j_big GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 3;
SET hanzo_datastore.enable_columnar_agg = off;
SELECT j ->> 'region' AS region, j ->> 'tags' AS tags, count(*), sum((j ->> 'n')::numeric), count(DISTINCT j ->> 'id') FROM j_big GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 3;
RESET hanzo_datastore.enable_columnar_agg;
DROP FUNCTION json_differences;
DROP TABLE j_h, j_c, j_big, json_queries;
DROP TABLE sides;
DROP DOMAIN settings;
