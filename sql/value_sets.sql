-- Lists of values against a dictionary's codes: vectors that have none of them are passed by, and the answers are a heap's. Zones that the backend
-- remembers, of groups that come and go. Columns that only filters on vectors read.
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE COLLATION ignorant (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE h (k integer NOT NULL, ids text, name text, u uuid, b bytea, padded char(12), mixed text COLLATE ignorant, n integer, far text, v numeric(10, 2)) USING heap;
CREATE TABLE c (LIKE h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 40960, order_by => 'k');
-- values of a vector are in few others, but in no order that a zone would tell; those of n and far are everywhere
INSERT INTO h
SELECT i, CASE WHEN i % 11 > 0 THEN md5(m::text)::uuid::text END, CASE WHEN i % 7 > 0 THEN 'user_' || m * 7919 % 9973 END, md5((m + 7)::text)::uuid,
  decode(md5(m::text), 'hex'), 'p' || m * 7919 % 4999, CASE WHEN i % 2 = 0 THEN 'Case' ELSE 'case' END || m * 7919 % 4999, i % 100, 'far ' || i % 5, i * 0.01
FROM generate_series(1, 100000) AS i, LATERAL (SELECT i / 2048 * 50 + abs(hashint4(i)) % 50 AS m) AS s;
INSERT INTO c TABLE h;
CALL hanzo_datastore.compact('c');
INSERT INTO h SELECT k + 100000, ids, name, u, b, padded, mixed, n, far, v FROM h WHERE k <= 300;
INSERT INTO c SELECT * FROM h WHERE k > 100000;
DELETE FROM h WHERE k % 13 = 0;
DELETE FROM c WHERE k % 13 = 0;
ALTER TABLE h ADD COLUMN late text DEFAULT 'late';
ALTER TABLE c ADD COLUMN late text DEFAULT 'late';
ANALYZE h, c;
-- Vectors that are read, and those that a condition has ruled out.
CREATE FUNCTION pruned(query text, OUT read bigint, OUT ruled_out bigint) LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  SELECT sum(x::bigint) INTO read FROM jsonb_path_query(plan, '$[0].Plan.Vectors') AS x;
  SELECT sum(x::bigint) INTO ruled_out FROM jsonb_path_query(plan, '$[0].Plan."Vectors Pruned"') AS x;
END$$;
CREATE TABLE conditions (id integer GENERATED ALWAYS AS IDENTITY, condition text, fewer boolean);
-- fewer: less than a third of the 49 vectors is read; f: all are, whatever could be known
INSERT INTO conditions (condition, fewer) VALUES
  ('ids IN (md5(''3'')::uuid::text, md5(''4'')::uuid::text, md5(''900'')::uuid::text)', true),
  ('ids = ANY (ARRAY(SELECT md5(i::text)::uuid::text FROM generate_series(100, 160) AS i))', true),
  ('ids = ANY (ARRAY(SELECT md5(i::text) FROM generate_series(100, 160) AS i))', true),
  ('ids IN (''a'', '''', NULL)', true),
  ('ids IN (md5(''3'')::uuid::text, NULL, md5(''2400'')::uuid::text)', true),
  ('ids IN (md5(''3'')::uuid::text, md5(''3'')::uuid::text)', NULL),
  ('name IN (''user_0'', ''user_7919'', ''user_9972'')', true),
  ('name IN (''user_0'', ''user_'', ''user_99999'', ''zzz'')', true),
  ('name IN (''user_0'', ''user_5865'', ''user_3811'', ''user_4033'', ''user_8066'') AND n > 50', true),
  ('n > 50 AND name IN (''user_0'', ''user_5865'', ''user_3811'', ''user_4033'', ''user_8066'') AND far <> ''far 1''', true),
  ('name = ''user_0'' OR name IN (''user_5865'', ''user_3811'') AND ids IN (''a'', ''b'')', NULL),
  ('name IN (''user_5865'', ''user_3811'') OR ids IN (md5(''3'')::uuid::text, md5(''4'')::uuid::text)', true),
  ('name IN (''user_5865'', ''user_3811'') OR n = 3', false),
  ('name IN (''user_5865'', ''user_3811'') OR name IS NULL', false),
  ('NOT (name IN (''user_5865'', ''user_3811''))', false),
  ('name NOT IN (''user_5865'', ''user_3811'')', false),
  ('name NOT IN (''user_5865'', NULL)', NULL),
  ('name <> ALL (ARRAY[''user_5865'', ''user_3811''])', false),
  ('k % 40 = 3 AND name = ANY (ARRAY(SELECT ''user_'' || i FROM generate_series(1, 1000) AS i))', NULL),
  ('k % 40 = 3 AND name = ANY (ARRAY(SELECT ''user_'' || i FROM generate_series(1, 1001) AS i))', NULL),
  ('k % 40 = 3 AND name = ANY (ARRAY(SELECT repeat(''x'', 5000) || i FROM generate_series(1, 100) AS i) || ''user_5865''::text)', NULL),
  ('name = ANY (''{}''::text[])', NULL),
  ('name = ANY (NULL::text[])', NULL),
  ('name::varchar IN (''user_5865'', ''user_3811'')', NULL),
  ('u IN (md5(''8'')::uuid, md5(''4000'')::uuid)', true),
  ('b IN (decode(md5(''8''), ''hex''), decode(md5(''3000''), ''hex''), ''\x'')', true),
  ('padded IN (''p0'', ''p7919'', ''p1    '')', NULL),
  ('mixed IN (''CASE0'', ''case7'')', false),
  ('mixed COLLATE "C" IN (''case0'', ''Case7'')', NULL),
  ('far IN (''far 1'', ''far 3'')', false),
  ('late IN (''late'', ''later'')', NULL),
  ('late IN (''later'', ''latest'')', NULL),
  ('k BETWEEN 1000 AND 9000 AND ids IN (md5(''3'')::uuid::text, md5(''150'')::uuid::text, md5(''2000'')::uuid::text)', true);
CREATE FUNCTION answers(t text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
  part text;
BEGIN
  -- an aggregation; rows of a scan, which do not show what was filtered by; some of them in order; whole rows, of which some are compared
  EXECUTE format('SELECT count(*) || '' '' || coalesce(sum(k), 0) || '' '' || coalesce(max(v), 0) FROM %I WHERE %s', t, condition) INTO result;
  EXECUTE format('SELECT coalesce(sum(hashint4extended(k, 0)::numeric), 0)::text FROM (SELECT k FROM %I WHERE %s OFFSET 0) AS s', t, condition) INTO part;
  result := result || ' ' || part;
  EXECUTE format('SELECT md5(coalesce(string_agg(k || '' '' || v, '',''), '''')) FROM (SELECT k, v FROM %I WHERE %s ORDER BY k DESC LIMIT 7) AS s', t, condition) INTO part;
  result := result || ' ' || part;
  EXECUTE format('SELECT md5(coalesce(string_agg(x::text, '','' ORDER BY k) FILTER (WHERE k %% 100 = 7), '''')) FROM (SELECT x, k FROM %I AS x WHERE %s OFFSET 0) AS s', t, condition) INTO part;
  RETURN result || ' ' || part;
END$$;
CREATE FUNCTION check_condition(condition text, OUT same boolean, OUT read bigint) LANGUAGE plpgsql AS $$
DECLARE
  heap text := answers('h', condition);
BEGIN
  same := answers('c', condition) = heap;
  -- as it is remembered
  same := same AND answers('c', condition) = heap;
  SELECT p.read INTO read FROM pruned('SELECT k FROM c WHERE ' || condition) AS p;
  PERFORM set_config('max_parallel_workers_per_gather', '2', true);
  same := same AND answers('c', condition) = heap;
  PERFORM set_config('max_parallel_workers_per_gather', '0', true);
  PERFORM set_config('hanzo_datastore.group_cache_size', '0', true);
  same := same AND answers('c', condition) = heap;
  PERFORM set_config('hanzo_datastore.group_cache_size', '65536', true);
  PERFORM set_config('hanzo_datastore.enable_vector_filter', 'off', true);
  same := same AND answers('c', condition) = heap;
  PERFORM set_config('hanzo_datastore.enable_vector_filter', 'on', true);
  PERFORM set_config('hanzo_datastore.enable_pruning', 'off', true);
  same := same AND answers('c', condition) = heap;
  PERFORM set_config('hanzo_datastore.enable_pruning', 'on', true);
END$$;
SELECT split_part(answers('h', condition), ' ', 1) AS rows, same, CASE WHEN fewer IS NOT NULL THEN (read < 16) = fewer END AS as_expected, condition FROM conditions, check_condition(condition) ORDER BY id;
-- Where nearly every vector has one of the values, no more are looked at: none is ruled out
SELECT read = 49 AS all_read FROM pruned('SELECT k FROM c WHERE far IN (''far 1'', ''far 3'')');
-- Parameters: lists that change from one start of a scan to the next, and from one execution to the next
SELECT test.answer(replace(q, '[t]', 'c')) = test.answer(replace(q, '[t]', 'h')) AS same, split_part(test.answer(replace(q, '[t]', 'h')), ' ', 1) AS rows FROM unnest(ARRAY[
  'SELECT x, s.* FROM generate_series(1, 30) AS x CROSS JOIN LATERAL (SELECT count(*), sum(k) FROM [t] WHERE ids IN (md5(x::text)::uuid::text, md5((x * 70)::text)::uuid::text)) AS s',
  'SELECT x, s.* FROM generate_series(1, 30) AS x CROSS JOIN LATERAL (SELECT k FROM [t] WHERE name IN (''user_'' || x, ''user_'' || x * 3, CASE WHEN x % 2 = 0 THEN ''user_0'' END) ORDER BY k LIMIT 3) AS s',
  'SELECT x, s.* FROM generate_series(1, 10) AS x CROSS JOIN LATERAL (SELECT count(*), sum(t.k) FROM [t] AS t JOIN (SELECT DISTINCT ids FROM h WHERE k BETWEEN x * 900 AND x * 900 + 100 AND ids IS NOT NULL) AS p ON p.ids = t.ids) AS s']) AS q;
SET plan_cache_mode = force_generic_plan;
PREPARE of(text[]) AS SELECT count(*), sum(k) FROM c WHERE name = ANY ($1);
PREPARE heap_of(text[]) AS SELECT count(*), sum(k) FROM h WHERE name = ANY ($1);
EXECUTE of('{user_1,user_2}');
EXECUTE heap_of('{user_1,user_2}');
EXECUTE of('{user_2,user_3,NULL,user_700,user_701,user_702}');
EXECUTE heap_of('{user_2,user_3,NULL,user_700,user_701,user_702}');
EXECUTE of('{}');
EXECUTE of(NULL);
EXECUTE of('{user_1,user_2}');
RESET plan_cache_mode;

-- Columns that only filters read are no part of rows; whoever reads them has them
CREATE TABLE log (what text, k integer, name text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_OP || ' ' || TG_TABLE_NAME, OLD.k, OLD.name); RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER noted BEFORE UPDATE OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER noted BEFORE UPDATE OR DELETE ON h FOR EACH ROW EXECUTE FUNCTION note();
BEGIN;
UPDATE c SET n = n + 1000 WHERE name = 'user_5865' AND ids IS NOT NULL RETURNING k, name, v;
UPDATE h SET n = n + 1000 WHERE name = 'user_5865' AND ids IS NOT NULL;
DELETE FROM c WHERE name IN ('user_3811', 'user_4033') RETURNING far;
DELETE FROM h WHERE name IN ('user_3811', 'user_4033');
SELECT count(*), count(name) FROM log WHERE what LIKE '% c';
SELECT count(*) FROM (SELECT replace(what, ' c', ''), k, name FROM log WHERE what LIKE '% c' EXCEPT ALL SELECT replace(what, ' h', ''), k, name FROM log WHERE what LIKE '% h') AS s;
SELECT test.differences('h', 'c');
SELECT k FROM c WHERE name = 'user_8066' AND n < 50 ORDER BY k FOR UPDATE;
SELECT c, tableoid::regclass, ctid IS NULL FROM c WHERE name = 'user_7003' AND k < 30000 ORDER BY k LIMIT 2;
MERGE INTO c USING (VALUES ('user_2126', 5000), ('user_438', 6000)) AS s (name, add) ON c.name = s.name AND c.far = 'far 2' WHEN MATCHED THEN UPDATE SET n = n + s.add;
MERGE INTO h USING (VALUES ('user_2126', 5000), ('user_438', 6000)) AS s (name, add) ON h.name = s.name AND h.far = 'far 2' WHEN MATCHED THEN UPDATE SET n = n + s.add;
SELECT test.differences('h', 'c');
ROLLBACK;
-- rows of the delta, which have all columns, come before those of columns
SELECT k, n FROM c WHERE name = 'user_0' AND far <> 'far 9' ORDER BY k DESC LIMIT 3;
SELECT count(*) FILTER (WHERE c IS NULL), count(*) FROM c WHERE far = 'far 2' AND n = 7;
CREATE VIEW secured WITH (security_barrier) AS SELECT k, v FROM c WHERE name IN ('user_1', 'user_2');
SELECT count(*), sum(v) FROM secured WHERE v > 10;

-- Zones that are remembered go with what they were known of
CREATE FUNCTION span(t text, a integer, b integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || coalesce(min(k), 0) || '' '' || coalesce(max(k), 0) FROM %I WHERE k BETWEEN %s AND %s', t, a, b) INTO result;
  RETURN result;
END$$;
BEGIN;
CREATE TABLE z (k integer, w text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('z', row_group_rows => 8192);
INSERT INTO z SELECT i, 'w' || i FROM generate_series(1, 30000) AS i;
SELECT span('z', 1, 10), span('z', 90000, 90010);
-- its files stay, and its groups' numbers begin again
TRUNCATE z;
INSERT INTO z SELECT i, 'w' || i FROM generate_series(80001, 110000) AS i;
SELECT span('z', 1, 10), span('z', 90000, 90010);
SAVEPOINT s;
INSERT INTO z SELECT i, 'w' || i FROM generate_series(200001, 230000) AS i;
SELECT span('z', 90000, 90010), span('z', 220000, 220010);
ROLLBACK TO s;
SELECT span('z', 90000, 90010), span('z', 220000, 220010);
INSERT INTO z SELECT i, 'w' || i FROM generate_series(300001, 330000) AS i;
SELECT span('z', 220000, 220010), span('z', 320000, 320010);
COMMIT;
TRUNCATE z;
INSERT INTO z SELECT i, 'w' || i FROM generate_series(1, 30000) AS i;
CALL hanzo_datastore.compact('z');
SELECT span('z', 1, 10), span('z', 90000, 90010), span('z', 320000, 320010);
-- a column that groups do not have, with one value and then another
ALTER TABLE z ADD COLUMN later integer DEFAULT 5;
SELECT count(*) FROM z WHERE later BETWEEN 4 AND 6;
ALTER TABLE z DROP COLUMN later;
ALTER TABLE z ADD COLUMN later integer DEFAULT 50;
SELECT count(*) FROM z WHERE later BETWEEN 4 AND 6;
SELECT count(*) FROM z WHERE later BETWEEN 40 AND 60;
ALTER TABLE z ALTER COLUMN k TYPE bigint USING k * 10;
SELECT span('z', 1, 10), span('z', 90000, 90010), span('z', 299990, 300010);
UPDATE z SET k = k + 1000000 WHERE k <= 100;
CALL hanzo_datastore.compact('z');
CALL hanzo_datastore.optimize('z');
SELECT span('z', 1, 200), span('z', 1000001, 1000200);
VACUUM FULL z;
SELECT span('z', 1, 200), span('z', 1000001, 1000200);
BEGIN;
DROP TABLE z;
CREATE TABLE z (k integer, w text) USING hanzo_columnar;
INSERT INTO z SELECT i, 'w' || i FROM generate_series(500001, 530000) AS i;
SELECT span('z', 1, 200), span('z', 520000, 520010);
ROLLBACK;
SELECT span('z', 1, 200), span('z', 1000001, 1000200), span('z', 520000, 520010);
-- and a second query of the same column reads no descriptions
SELECT test.measured('SELECT k FROM z WHERE w > ''x''', 'Shared Hit Blocks') AS first \gset
SELECT test.measured('SELECT k FROM z WHERE w > ''y''', 'Shared Hit Blocks') + 3 <= :first AS fewer;
DROP VIEW secured;
DROP TABLE h, c, z, log, conditions;
DROP FUNCTION pruned, answers, check_condition, note, span;
DROP COLLATION ignorant;
