-- Pruning: row groups and vectors that the quals rule out are not read, and answers are those of a heap. Conditions of
-- all kinds on every type whose zone maps have an order, with the values that are easily got wrong.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA pruning_test;
SET search_path = pruning_test, public;
SET timezone = 'UTC';
SET max_parallel_workers_per_gather = 0;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);

-- Values run along id, so that groups of 4,096 rows and their vectors differ. The odd ones come near the end: of id
-- 16,001 and on.
CREATE TABLE h (id integer, i2 smallint, i8 bigint, dom positive, b boolean, f4 real, f8 float8, n numeric, n2 numeric(12,3), d date,
  t time, ts timestamp, tz timestamptz, s text COLLATE "C", sl text COLLATE "C.utf8", v varchar(40) COLLATE "C", long text COLLATE "C",
  by bytea, u uuid, bp character(8), m mood, o oid, iv interval, j jsonb, a integer[], part integer, nothing text);
INSERT INTO h
SELECT i, i / 10, i::bigint * 4000000000, i, i <= 8000, i / 8.0, i / 8.0, i / 7.0, i / 8.0, '2025-01-01'::date + i / 100,
  '00:00'::time + i * interval '4 s', '2025-01-01'::timestamp + i * interval '1 min', '2025-01-01 00:00Z'::timestamptz + i * interval '1 min',
  'text ' || to_char(i, 'FM00000'), 'text ' || to_char(i, 'FM00000'), 'v' || to_char(i, 'FM00000'),
  'sixteen bytes, and then ' || to_char(i, 'FM00000'), decode('0' || to_hex(65536 + i), 'hex'), lpad(to_hex(i), 32, '0')::uuid, 'c' || i / 1000,
  CASE WHEN i <= 8000 THEN 'sad' WHEN i <= 16000 THEN 'ok' ELSE 'happy' END::mood, i, i * interval '1 min', jsonb_build_object('i', i),
  ARRAY[i, i + 1], CASE WHEN i > 5000 AND (i < 12000 OR i % 3 = 0) THEN i END, NULL
FROM generate_series(1, 20000) AS i;
UPDATE h SET f4 = 'NaN', f8 = 'NaN', n = 'NaN' WHERE id BETWEEN 16001 AND 16400;
UPDATE h SET f4 = '-0', f8 = '-0', n = '0.000', n2 = 0, s = '', v = '', by = '', long = 'sixteen bytes, a' WHERE id BETWEEN 16401 AND 16500;
UPDATE h SET f4 = 'Infinity', f8 = 'Infinity', n = 'Infinity', d = 'infinity', ts = 'infinity', tz = 'infinity' WHERE id BETWEEN 18500 AND 18600;
UPDATE h SET f4 = '-Infinity', f8 = '-Infinity', n = '-Infinity', d = '-infinity', ts = '-infinity', tz = '-infinity'
WHERE id BETWEEN 19000 AND 19100;
UPDATE h SET i2 = 32767, i8 = 9223372036854775807, d = '5874897-12-31', ts = '294276-12-31' WHERE id = 20000;
UPDATE h SET i2 = -32768, i8 = -9223372036854775808, d = '4714-11-24 BC', ts = '4714-11-24 BC' WHERE id = 19999;

CREATE TABLE c (LIKE h) USING hanzo_columnar;
-- which rows meet in a group: an autovacuum between two steps would let new rows fill old pages
ALTER TABLE c SET (autovacuum_enabled = off);
SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'id', row_group_rows => 4096);
SELECT count(hanzo_datastore.alter_columnar_column('c', x, bloom => true))
FROM unnest('{i2,i8,f4,f8,d,ts,s,sl,v,by,u,m,o,part}'::text[]) AS x;
INSERT INTO c TABLE h;
CALL hanzo_datastore.compact('c');
SELECT test.stores('c'), test.differences('c', 'h');

-- Of a query on c: how many groups and vectors its ColumnarScans skip.
CREATE FUNCTION pruned(query text, OUT groups bigint, OUT vectors bigint, OUT by_conditions boolean)
LANGUAGE plpgsql
AS $$
DECLARE
  plan jsonb;
  scans jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF, FORMAT json) ' || query INTO plan;
  scans := jsonb_path_query_array(plan, 'strict $.** ? (@."Custom Plan Provider" == "ColumnarScan")');
  SELECT sum((x ->> 'Row Groups Pruned')::bigint), sum((x ->> 'Vectors Pruned')::bigint) INTO groups, vectors
  FROM jsonb_array_elements(scans) AS x;
  SELECT sum((y ->> 'Row Groups')::bigint) IS NOT DISTINCT FROM nullif(groups, 0)
    OR sum((y ->> 'Vectors')::bigint) = vectors INTO by_conditions
  FROM jsonb_array_elements(scans) AS x, jsonb_array_elements(x -> 'Pruned By') AS y;
END
$$;

-- A condition's answer on both tables, with pruning and without.
CREATE FUNCTION answers(condition text, OUT rows bigint, OUT same boolean, OUT groups bigint, OUT vectors bigint)
LANGUAGE plpgsql
AS $$
DECLARE
  query text := 'SELECT count(*), md5(string_agg(id::text, '','' ORDER BY id)) FROM [table] AS t WHERE ' || condition;
  here record;
  there record;
  unpruned record;
BEGIN
  SELECT p.groups, p.vectors INTO groups, vectors FROM pruned(replace(query, '[table]', 'c')) AS p;
  EXECUTE replace(query, '[table]', 'c') INTO here;
  PERFORM set_config('hanzo_datastore.enable_pruning', 'off', true);
  EXECUTE replace(query, '[table]', 'c') INTO unpruned;
  PERFORM set_config('hanzo_datastore.enable_pruning', 'on', true);
  EXECUTE replace(query, '[table]', 'h') INTO there;
  rows := here.count;
  same := here IS NOT DISTINCT FROM there AND unpruned IS NOT DISTINCT FROM there;
END
$$;

CREATE TABLE conditions (number serial, condition text);
INSERT INTO conditions (condition) VALUES
  -- integers of all widths, crosswise
  ('id = 5'), ('5 = id'), ('id <> 5'), ('id < 100'), ('100 >= id'), ('id > 19990'), ('id = 5::bigint'), ('id > 30000000000'),
  ('id < 30000000000'), ('id = 30000000000'), ('i2 = 1999'), ('i2 = 70000'), ('i2 < -5'), ('i2 = -32768'), ('i2 >= 32767::bigint'), ('i8 = 4000000000'),
  ('i8 = 5::smallint'), ('i8 = 9223372036854775807'), ('i8 < -9223372036854775807'), ('i8 > 9223372036854775806'), ('dom = 77'), ('dom BETWEEN 5000 AND 5010'),
  -- booleans
  ('b'), ('NOT b'), ('b = true'), ('b IS TRUE'), ('b IS NOT TRUE'), ('b IS FALSE'), ('b IS UNKNOWN'), ('b IS NOT UNKNOWN'), ('b > false'),
  -- floats: NaN is the greatest, zeroes are equal, a float4 is compared as what it is
  ('f4 = 100.125'), ('f4 = 0.1::float8'), ('f4 = 0.1::float4'), ('f4 < 10'), ('f4 > 3e38::float4'), ('f8 = ''NaN'''), ('f4 = ''NaN'''), ('f8 > ''Infinity'''),
  ('f8 >= ''Infinity'''), ('f8 = ''-Infinity'''), ('f8 < ''-Infinity'''), ('f8 = 0'), ('f8 = ''-0'''), ('f8 < 0'), ('f8 <= 0'), ('f4 = ''-0'''),
  ('f8 < ''NaN'''), ('f8 <> ''NaN'''), ('f8 BETWEEN 1 AND 2'),
  -- numeric: any scale
  ('n = 1'), ('n = 1.000000'), ('n < 0.5'), ('n2 = 12.5'), ('n2 = 12.50000'), ('n2 = 12.5001'), ('n2 < 1e-30'), ('n2 > 1e40'), ('n2 < -1e40'), ('n2 = ''NaN'''),
  ('n2 < ''NaN'''), ('n2 < ''Infinity'''), ('n2 > ''-Infinity'''), ('n = ''NaN'''), ('n = ''Infinity'''), ('n = ''-Infinity'''), ('n = 0'), ('n2 BETWEEN 3 AND 4'),
  ('n2 = 3::integer'), ('n2 > 2000'),
  -- times
  ('d = ''2025-02-01'''), ('d > ''infinity'''), ('d = ''infinity'''), ('d = ''-infinity'''), ('d < ''2025-01-05'''), ('d = ''2025-02-01''::timestamp'),
  ('d = ''2025-02-01 00:01''::timestamp'), ('d < ''2025-01-05 12:00''::timestamp'), ('d >= ''infinity''::timestamp'), ('d > ''294276-12-31''::timestamp'),
  ('d < ''4714-11-25 BC''::timestamp'), ('t < ''00:10'''), ('t >= ''22:00'''), ('ts < ''2025-01-01 10:00'''), ('ts = ''2025-01-02'''), ('ts = ''2025-01-02''::date'),
  ('ts >= ''2025-01-14''::date'), ('ts = ''infinity'''), ('ts > ''294275-01-01'''), ('ts < ''5874897-12-31''::date'), ('ts >= ''5874897-12-31''::date'), ('ts = ''-infinity''::date'),
  ('ts <= ''4714-11-24 BC''::date'), ('tz < ''2025-01-01 10:00Z'''), ('tz = ''2025-01-02 00:00Z'''), ('tz = ''2025-01-02''::timestamp'), ('tz >= ''2025-01-14''::date'),
  ('tz = ''-infinity'''), ('tz < now() - interval ''400 years'''), ('d > current_date + 200000'),
  -- bytes: prefixes, ends, empty strings
  ('s = ''text 00077'''), ('s < ''text 00077'''), ('s >= ''text 19999'''), ('s = '''''), ('s < '''''), ('s <= '''''), ('s > ''text 9'''), ('s LIKE ''text 0007%'''),
  ('s LIKE ''text 0007_'''), ('s LIKE ''text\_0007%'''), ('s LIKE ''text 00077'''), ('s LIKE ''%7'''), ('s LIKE '''''), ('s LIKE ''text%'''), ('s NOT LIKE ''text%'''), ('s LIKE ''zz%'''),
  ('s LIKE ''a%'''), ('s ILIKE ''TEXT 0007%'''), ('s ^@ ''text 0007'''), ('starts_with(s, ''text 199'')'), ('s ^@ ''text 0007%'''), ('s ~ ''^text 0007'''),
  ('sl = ''text 00077'''), ('sl < ''text 00077'''), ('sl LIKE ''text 0007%'''), ('sl COLLATE "C" < ''text 00077'''), ('s COLLATE "C.utf8" < ''text 00077'''),
  ('sl IN (''text 00077'', ''text 19999'')'), ('sl <> ''text 00077'''), ('v = ''v00077'''), ('v < ''v00077'''), ('v LIKE ''v0007%'''), ('v::text > ''v19990'''), ('v = ''v00077''::varchar'),
  ('long = ''sixteen bytes, and then 00077'''), ('long < ''sixteen bytes, and then 00077'''), ('long > ''sixteen bytes, and then 19999'''), ('long > ''sixteen bytes, a'''),
  ('long >= ''sixteen bytes, a'''), ('long <= ''sixteen bytes, a'''), ('long < ''sixteen bytes, a'''), ('long = ''sixteen bytes, a'''), ('long <> ''sixteen bytes, a'''),
  ('long > ''sixteen bytes, b'''), ('long < ''sixteen bytes, Z'''), ('long LIKE ''sixteen bytes, and then 0007%'''), ('long LIKE ''sixteen%'''), ('long LIKE ''sixteen bytes, and%'''),
  ('long LIKE ''sixteen bytes, b%'''), ('long LIKE ''seven%'''), ('by = ''\x010100'''), ('by < ''\x010100'''), ('by = '''''), ('by > ''\x014e00'''), ('by LIKE ''\x0101''::bytea || ''%'''),
  ('u = ''00000000-0000-0000-0000-000000000077'''), ('u < ''00000000-0000-0000-0000-000000000077'''), ('u > ''ffffffff-0000-0000-0000-000000000077'''),
  -- types without an order in zone maps
  ('bp = ''c7'''), ('bp = ''c7  '''), ('bp < ''c10'''), ('m = ''ok'''), ('m > ''ok'''), ('o = 77'), ('o < 100'), ('o = 30000'), ('id::oid > 4294967295'), ('iv = ''77 min'''),
  ('j @> ''{"i": 77}'''), ('a = ''{77,78}'''),
  -- nulls
  ('part IS NULL'), ('part IS NOT NULL'), ('part = 6000'), ('part <> 6000'), ('part < 6000'), ('part >= 0'), ('nothing IS NULL'), ('nothing IS NOT NULL'), ('nothing = ''x'''),
  ('nothing <> ''x'''), ('id = NULL'), ('id IS NULL'), ('NOT (part IS NULL)'), ('part IS DISTINCT FROM 6000'), ('part IS NOT DISTINCT FROM 6000'), ('(part > 0) IS NULL'),
  ('(part > 0) IS NOT TRUE'), ('coalesce(part, 0) = 0'), ('row(part, id) IS NULL'), ('part IS NULL OR part = 6000'),
  -- lists
  ('id IN (5, 7000, 19999)'), ('id IN (5, NULL)'), ('id IN (5, 6, 7, 8, 9, 10, 11, 12, 13, 14)'), ('id NOT IN (5, 6)'), ('id NOT IN (5, NULL)'), ('id = ANY (''{}'')'), ('id <> ALL (''{}'')'),
  ('part <> ALL (''{}'')'), ('id = ANY (NULL::integer[])'), ('id = ANY (ARRAY[NULL]::integer[])'), ('id <> ALL (ARRAY[NULL]::integer[])'), ('id < ANY (''{5,10}'')'), ('id < ALL (''{5,10}'')'),
  ('id > ANY (''{19990,19995}'')'), ('id > ALL (''{19990,19995}'')'), ('id = ALL (''{5,5}'')'), ('id <> ANY (''{5,5}'')'), ('id <> ANY (''{5,6}'')'), ('id < ANY (''{NULL,5}'')'), ('id < ALL (''{NULL,5}'')'),
  ('s IN (''text 00005'', ''text 19000'', ''nowhere'')'), ('s = ANY (''{text 00005,text 19000}''::varchar[])'), ('f8 IN (''NaN'', 1)'), ('n2 IN (1, 1.5, 2000.125)'), ('d IN (''2025-02-01'', ''infinity'')'),
  ('id = ANY (''{{5,6},{7,8}}'')'), ('m IN (''sad'', ''happy'')'), ('o IN (3, 30000)'), ('part IN (SELECT 6000)'),
  -- trees
  ('id < 100 OR id > 19900'), ('id < 100 OR f8 = ''NaN'''), ('id < 100 AND id > 50'), ('id < 100 AND id > 150'), ('(id < 100 AND i2 = 3) OR (id > 19000 AND d = ''infinity'')'), ('id < 100 OR length(s) = 0'),
  ('id < 100 AND length(s) > 0'), ('NOT (id < 100 OR id > 200)'), ('id = 5 OR s = ''text 19000'' OR u = ''00000000-0000-0000-0000-000000002710'''), ('(id < 100) = true'), ('(id < 100) IS TRUE'),
  ('true'), ('false'), ('NULL'), ('id < 100 AND NULL'), ('id < 100 OR NULL'),
  -- not of one column and a constant
  ('id = i2'), ('id + 0 = 5'), ('abs(id) = 5'), ('id < random() * 0'), ('id = (SELECT 5)'), ('id < (SELECT min(id) + 10 FROM h)'), ('id = (SELECT NULL::integer)'), ('EXISTS (SELECT FROM h AS x WHERE x.id = t.id + 19990)'),
  ('ctid IS NULL'), ('tableoid = 0'), ('id = ANY (ARRAY(SELECT x FROM generate_series(3, 6) AS x))');
SELECT condition, (answers(condition)).* FROM conditions ORDER BY number;
SELECT bool_and((pruned('SELECT FROM c AS t WHERE ' || condition)).by_conditions) FROM conditions;

-- Both stores; deleted rows; groups without the column; a dropped column before it.
DO $$
DECLARE
  x text;
BEGIN
  FOREACH x IN ARRAY '{c,h}'::text[] LOOP
    EXECUTE format('DELETE FROM %s WHERE id %% 7 = 3 OR id BETWEEN 4000 AND 9000', x);
    EXECUTE format('UPDATE %s SET i2 = i2 + 1, part = NULL WHERE id %% 50 = 1', x);
    EXECUTE format('ALTER TABLE %s DROP COLUMN a, ADD COLUMN added integer DEFAULT 7, ADD COLUMN later text COLLATE "C",
      ADD COLUMN note text COLLATE "C" DEFAULT ''a note of more than 16 bytes'', ADD COLUMN amount numeric DEFAULT 2.50,
      ADD COLUMN odd numeric DEFAULT ''NaN'', ADD COLUMN real8 float8 DEFAULT ''NaN'', ADD COLUMN day date DEFAULT ''infinity'',
      ADD COLUMN flag boolean DEFAULT true, ADD COLUMN key uuid DEFAULT ''00000000-0000-0000-0000-000000000077'',
      ADD COLUMN code character(3) DEFAULT ''x'', ADD COLUMN many integer[] DEFAULT ''{1,2}''', x);
    EXECUTE format('INSERT INTO %s (id, i2, added, later, note) SELECT i, i %% 100, i, ''later '' || i, ''note '' || i FROM generate_series(30001, 36000) AS i', x);
  END LOOP;
END
$$;
CALL hanzo_datastore.compact('c');
DO $$
DECLARE
  x text;
BEGIN
  FOREACH x IN ARRAY '{c,h}'::text[] LOOP
    EXECUTE format('UPDATE %s SET i2 = 3 WHERE id = 35000', x);
    EXECUTE format('INSERT INTO %s (id, i2, added, note) VALUES (40001, 5, 7, NULL), (5, 5, 8, ''x''), (NULL, NULL, NULL, ''y'')', x);
  END LOOP;
END
$$;
SELECT test.stores('c'), test.differences('c', 'h');
SELECT number, condition, a.* FROM conditions, answers(condition) AS a WHERE condition !~ '\ma\M' AND NOT a.same;
TRUNCATE conditions;
INSERT INTO conditions (condition) VALUES
  ('added = 7'), ('added > 7'), ('added <> 7'), ('added IN (1, 7)'), ('added IS NULL'), ('later IS NULL'), ('later IS NOT NULL'), ('later = ''later 30500'''), ('later < ''later 30100'''),
  ('note = ''a note of more than 16 bytes'''), ('note > ''a note of more than 16 bytes'''), ('note < ''a note of more t'''), ('note LIKE ''a note of more than 17%'''), ('note LIKE ''a note%'''),
  ('note LIKE ''b%'''), ('note <> ''a note of more than 16 bytes'''), ('amount = 2.5'), ('amount > 2.5'), ('amount >= 2.4999999999999999999999999999999999999999999999'), ('odd = ''NaN'''), ('odd < 5'),
  ('real8 = ''NaN'''), ('real8 < ''NaN'''), ('day = ''infinity'''), ('day < ''infinity'''), ('flag'), ('NOT flag'), ('flag IS NOT TRUE'), ('key = ''00000000-0000-0000-0000-000000000077'''),
  ('key > ''00000000-0000-0000-0000-000000000078'''), ('code = ''x'''), ('code IS NULL'), ('many = ''{1,2}'''), ('id IS NULL'), ('id = 5'), ('id BETWEEN 4100 AND 8000'), ('id > 30000 AND i2 = 3'), ('id > 39000');
SELECT condition, (answers(condition)).* FROM conditions ORDER BY number;

-- Constants that are known at run time only: prepared statements, subqueries, nested loops.
SET plan_cache_mode = force_generic_plan;
PREPARE one(integer) AS SELECT count(*), min(i2) FROM c WHERE id = $1;
PREPARE range(timestamptz, interval) AS SELECT count(*), max(id) FROM c WHERE tz >= $1 - $2 AND tz < $1;
PREPARE list(integer[]) AS SELECT count(*), max(id) FROM c WHERE id = ANY ($1);
PREPARE several(integer, integer, integer) AS SELECT count(*), max(id) FROM c WHERE id IN ($1, $2, $3);
PREPARE words(varchar) AS SELECT count(*), max(id) FROM c WHERE s = $1 OR v = $1;
PREPARE pattern(text) AS SELECT count(*), max(id) FROM c WHERE s LIKE $1;
PREPARE number(integer) AS SELECT count(*), max(id) FROM c WHERE n2 = $1;
EXECUTE one(5);
EXECUTE one(15000);
EXECUTE one(NULL);
EXECUTE range('2025-01-03 00:00Z', '1 hour');
EXECUTE range('infinity', '1 hour');
EXECUTE list('{1,15000,NULL,99999}');
EXECUTE list('{}');
EXECUTE list(NULL);
EXECUTE several(1, NULL, 15000);
EXECUTE words('text 00077');
EXECUTE words(NULL);
EXECUTE pattern('text 00077');
EXECUTE pattern('text 0007%');
EXECUTE pattern('%');
EXECUTE pattern('\');
EXECUTE number(12);
SELECT groups, vectors FROM unnest(ARRAY['one(15000)', 'range(''2025-01-03 00:00Z'', ''1 hour'')', 'list(''{1,15000}'')',
  'several(1, NULL, 15000)', 'words(''text 00077'')', 'pattern(''text 0007%'')', 'number(12)']) AS x, pruned('EXECUTE ' || x);
RESET plan_cache_mode;

SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
CREATE FUNCTION nested(t text) RETURNS text
LANGUAGE sql
AS $$
  SELECT format('SELECT count(*), sum(x.n), sum(x.m) FROM generate_series(1, 20000, 999) AS g(g) CROSS JOIN LATERAL
    (SELECT count(*) AS n, max(i2) AS m FROM %s AS t WHERE t.id >= g AND t.id < g + 50) AS x', t)
$$;
SELECT nested('h') AS of_heap, nested('c') AS of_columns \gset
:of_heap;
:of_columns;
SELECT groups > 50 AS many FROM pruned(nested('c'));
SELECT count(*), sum((SELECT max(i2) FROM h WHERE h.id = g)) FROM generate_series(1, 20000, 999) AS g;
SELECT count(*), sum((SELECT max(i2) FROM c WHERE c.id = g)) FROM generate_series(1, 20000, 999) AS g;
SELECT groups > 50 AS many FROM pruned('SELECT sum((SELECT max(i2) FROM c WHERE c.id = g)) FROM generate_series(1, 20000, 999) AS g');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
RESET enable_memoize;
-- a subquery is not executed for the sake of an empty table
CREATE TABLE empty (LIKE h) USING hanzo_columnar;
SELECT count(*) FROM empty WHERE id = (SELECT 1 / (random() * 0)::integer);

-- UPDATE, DELETE and MERGE
CREATE FUNCTION change(t text) RETURNS TABLE (what text, rows bigint)
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE format('UPDATE %s SET n2 = -id WHERE id BETWEEN 15000 AND 15100 AND part IS NULL', t);
  GET DIAGNOSTICS rows = ROW_COUNT;
  what := 'update';
  RETURN NEXT;
  EXECUTE format('DELETE FROM %s AS t USING generate_series(19000, 19020) AS g WHERE t.id = g', t);
  GET DIAGNOSTICS rows = ROW_COUNT;
  what := 'delete';
  RETURN NEXT;
  EXECUTE format('MERGE INTO %s AS t USING (SELECT g FROM generate_series(18000, 18020) AS g) AS g ON t.id = g AND t.id > 17990
    WHEN MATCHED AND t.id < 18010 THEN UPDATE SET i2 = 0 WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (g)', t);
  GET DIAGNOSTICS rows = ROW_COUNT;
  what := 'merge';
  RETURN NEXT;
END
$$;
SELECT * FROM change('h');
SELECT * FROM change('c');
SELECT test.differences('c', 'h');
BEGIN;
SELECT groups FROM pruned('DELETE FROM c WHERE id = 15000');
ROLLBACK;

-- Cursors, forth and back; parallel scans; the switch
CREATE TABLE steady (LIKE c) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('steady', order_by => 'id', row_group_rows => 4096);
INSERT INTO steady SELECT * FROM h WHERE id IS NOT NULL ORDER BY id;
CALL hanzo_datastore.compact('steady');
BEGIN;
DECLARE cursor SCROLL CURSOR FOR SELECT id FROM steady WHERE id BETWEEN 15000 AND 15005 OR id BETWEEN 100 AND 102 OR id > 39000;
MOVE ALL FROM cursor;
FETCH BACKWARD ALL FROM cursor;
FETCH FORWARD 2 FROM cursor;
COMMIT;
SET hanzo_datastore.enable_columnar_agg = off;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
ALTER TABLE c SET (parallel_workers = 2);
SELECT test.plan_has('SELECT count(*) FROM c WHERE id < 5000 AND i2 <> 3', 'Parallel Custom Scan (ColumnarScan)');
SELECT count(*), sum(i2) FROM h WHERE id < 5000 AND i2 <> 3;
SELECT count(*), sum(i2) FROM c WHERE id < 5000 AND i2 <> 3;
SELECT groups, vectors, by_conditions FROM pruned('SELECT count(*), sum(i2) FROM c WHERE id < 5000 AND i2 <> 3');
SET max_parallel_workers_per_gather = 0;
SELECT groups, vectors, by_conditions FROM pruned('SELECT count(*), sum(i2) FROM c WHERE id < 5000 AND i2 <> 3');
SET hanzo_datastore.enable_pruning = off;
SELECT groups, vectors, by_conditions FROM pruned('SELECT count(*), sum(i2) FROM c WHERE id < 5000 AND i2 <> 3');
RESET hanzo_datastore.enable_pruning;

-- as EXPLAIN shows it
CREATE FUNCTION explained(format text) RETURNS SETOF text
LANGUAGE plpgsql
AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF, FORMAT %s) SELECT * FROM c WHERE id = 15000 AND i2 > -5', format) LOOP
    RETURN QUERY SELECT y FROM regexp_split_to_table(line, '\n') AS y WHERE y ~ 'Pruned|Condition|Row.Groups|Vectors|id = ';
  END LOOP;
END
$$;
SELECT explained('text');
SELECT explained('json');
SELECT explained('yaml');
SELECT explained('xml');

-- Dictionaries: values that lie within the bounds of every group, but are in one group only; without bloom filters.
CREATE SCHEMA pruning_dict;
SET search_path = pruning_dict, pruning_test, public;
SET client_min_messages = error;
CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SET client_min_messages = warning;
CREATE TABLE h (id integer, k text, v varchar(20), u uuid, by bytea, bp character(6), nd text COLLATE no_case, many text, long text, i integer);
INSERT INTO h SELECT i, CASE WHEN i % 7 > 0 THEN 'k' || i % 40 * 5 + g END, 'v' || i % 40 * 5 + g, md5((i % 40 * 5 + g)::text)::uuid,
  decode(md5((i % 40 * 5 + g)::text), 'hex'), 'b' || i % 40 * 5 + g, 'k' || i % 40 * 5 + g, 'm' || (i * 7919) % 1000 * 5 + g, repeat('long ', 30) || i % 40 * 5 + g, i % 40 * 5 + g
FROM (SELECT i, (i - 1) / 4096 AS g FROM generate_series(1, 20480) AS i) AS x;
INSERT INTO h SELECT i FROM generate_series(20481, 24576) AS i;
CREATE TABLE c (LIKE h) USING hanzo_columnar;
ALTER TABLE c SET (autovacuum_enabled = off);
SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'id', row_group_rows => 4096);
INSERT INTO c TABLE h;
CALL hanzo_datastore.compact('c');
INSERT INTO h VALUES (30000, 'k900', 'v900');
INSERT INTO c VALUES (30000, 'k900', 'v900');
-- what a session remembers of vectors would rule them out before dictionaries do
SET hanzo_datastore.group_cache_size = 0;
CREATE TABLE dictionary_conditions (number serial, condition text);
INSERT INTO dictionary_conditions (condition) VALUES ('k = ''k17'''), ('''k17'' = k'), ('k = ''absent'''), ('k = ''k1x'''), ('k = ''k900'''), ('k = '''''), ('k <> ''k17'''), ('NOT k = ''k17'''), ('k IN (''k17'', ''k18'')'),
  ('k IN (''k1'', ''k6'', ''k11'', ''k16'', ''k21'', ''k26'', ''k31'', ''k36'', ''k41'')'), ('k = ANY (ARRAY[''k17'', NULL])'), ('k = ''k17'' OR k = ''k21'''), ('k = ''k17'' OR id = 5'), ('k = ''k17'' AND v = ''v18'''),
  ('k = ''k17'' AND v = ''v17'''), ('k IS NULL OR k = ''k17'''), ('k IS NOT DISTINCT FROM ''k17'''), ('lower(k) = ''k17'''), ('coalesce(k, ''k17'') = ''k17'''), ('v = ''v33'''), ('v = ''v33''::text'), ('v = ''v3x'''),
  ('u = md5(''44'')::uuid'), ('u = md5(''444'')::uuid'), ('u IN (md5(''44'')::uuid, md5(''43'')::uuid)'), ('by = decode(md5(''44''), ''hex'')'), ('by = ''\x55'''), ('bp = ''b44'''), ('bp = ''b44  '''), ('bp = ''b4x'''),
  ('nd = ''K17'''), ('nd = ''k17'''), ('many = ''m7'''), ('many = ''m4777'''), ('many = ''m4x'''), ('long = repeat(''long '', 30) || ''17'''), ('long = repeat(''long '', 30) || ''18x'''), ('i = 17'), ('i = 17 AND k = ''k18'''),
  ('k = (SELECT ''k17''::text)'), ('k = (SELECT k FROM h WHERE id = 18)'), ('k = (SELECT NULL::text)'), ('k LIKE ''k17'''), ('(k = ''k17'' AND id < 100) OR (k = ''k21'' AND id > 20000)');
SELECT condition, (answers(condition)).* FROM dictionary_conditions ORDER BY number;
-- backwards, under ORDER BY … LIMIT, grouped, with parameters, in a nested loop, after deletions
BEGIN;
DECLARE back SCROLL CURSOR FOR SELECT id FROM c WHERE k = 'k17';
MOVE FORWARD ALL IN back;
FETCH BACKWARD 3 FROM back;
MOVE BACKWARD ALL IN back;
FETCH FORWARD 2 FROM back;
COMMIT;
SELECT id FROM c WHERE k = 'k18' ORDER BY id DESC LIMIT 3;
SELECT id FROM h WHERE k = 'k18' ORDER BY id DESC LIMIT 3;
SELECT groups, vectors, by_conditions FROM pruned('SELECT id FROM c WHERE k = ''k18'' ORDER BY id DESC LIMIT 3');
SELECT i, count(*), min(id) FROM c WHERE k IN ('k18', 'k19') GROUP BY i ORDER BY i;
SELECT i, count(*), min(id) FROM h WHERE k IN ('k18', 'k19') GROUP BY i ORDER BY i;
SET plan_cache_mode = force_generic_plan;
PREPARE by_key(text) AS SELECT count(*), sum(id) FROM c WHERE k = $1;
EXECUTE by_key('k17');
EXECUTE by_key('k18');
EXECUTE by_key('absent');
EXECUTE by_key(NULL);
RESET plan_cache_mode;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
SELECT x.k, count(c.id) FROM (VALUES ('k17'), ('none'), ('k18'), ('k17'), (NULL)) AS x (k) LEFT JOIN c ON c.k = x.k GROUP BY x.k ORDER BY x.k;
SELECT x.k, count(h.id) FROM (VALUES ('k17'), ('none'), ('k18'), ('k17'), (NULL)) AS x (k) LEFT JOIN h ON h.k = x.k GROUP BY x.k ORDER BY x.k;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
RESET enable_memoize;
DELETE FROM c WHERE k = 'k17' AND id % 2 = 0;
DELETE FROM h WHERE k = 'k17' AND id % 2 = 0;
UPDATE c SET k = 'k17' WHERE k = 'k21';
UPDATE h SET k = 'k17' WHERE k = 'k21';
ALTER TABLE c ADD COLUMN late text DEFAULT 'k17';
ALTER TABLE h ADD COLUMN late text DEFAULT 'k17';
SELECT condition, (answers(condition)).* FROM (VALUES ('k = ''k17'''), ('k = ''k21'''), ('late = ''k17'' AND k = ''k18'''), ('late = ''k18''')) AS x (condition);

DROP SCHEMA pruning_dict CASCADE;
DROP SCHEMA pruning_test CASCADE;
