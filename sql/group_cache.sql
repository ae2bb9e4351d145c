-- Row groups that stay open from one scan to the next: answers, what is kept, and what must not be.
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE c (id integer, k text, u uuid, v integer, payload text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 16384, order_by => 'id', bloom => '{u}');
INSERT INTO c SELECT i, 'k' || i / 40, md5(i::text)::uuid, i % 100, repeat(md5(i::text), 20) FROM generate_series(1, 98304) AS i;
CALL hanzo_datastore.compact('c');
VACUUM c;
DELETE FROM c WHERE id % 1000 = 7;
CREATE TABLE h AS TABLE c;
ANALYZE c, h;
CREATE FUNCTION kept() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'hanzo cached row group' $$;
CREATE FUNCTION kept_bytes() RETURNS numeric LANGUAGE sql AS $$ SELECT coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts WHERE name = 'hanzo cached row group' $$;
SELECT kept();
-- little is read of one group; its bloom filters keep the others closed, but were read: all of them are kept
SELECT id, v, length(payload) FROM c WHERE u = md5('5000')::uuid;
SELECT kept();
SELECT id, v, length(payload) FROM c WHERE u = md5('5000')::uuid;
SELECT kept();
-- and what was read of it, long values too, is not read again
ALTER TABLE c ALTER payload SET STATISTICS 50;
SELECT test.measured('SELECT id, payload FROM c WHERE id BETWEEN 5000 AND 5010 AND k = ''k125''', 'Shared Hit Blocks') AS first \gset
SELECT :first > 0 AND test.measured('SELECT id, payload FROM c WHERE id BETWEEN 5000 AND 5010 AND k = ''k125''', 'Shared Hit Blocks') + 8 < :first AS fewer;
SELECT kept();
-- nor are vectors that were read as a whole twice: integers, codes of a dictionary, numerics, floats, with nulls and without, and one value only
CREATE TABLE w (id integer, k text, v integer, n numeric(12, 3), f float8, one integer, b boolean) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('w', row_group_rows => 16384, order_by => 'id');
INSERT INTO w SELECT i, 'k' || i % 9, nullif(i % 100, 17), i * 0.125, CASE WHEN i % 5 > 0 THEN i / 7.0 END, i / 16384, i % 3 = 0 FROM generate_series(1, 40000) AS i;
CALL hanzo_datastore.compact('w');
VACUUM w;
CREATE TABLE wh AS TABLE w;
SELECT turn, a = test.answer(replace(q, '[t]', 'wh')) AS same FROM generate_series(1, 4) AS turn,
  (VALUES ('SELECT k, v, b, count(*), sum(n), sum(v), max(f), sum(one) FROM [t] WHERE id BETWEEN 4000 AND 5000 GROUP BY k, v, b'), ('SELECT * FROM [t] WHERE id BETWEEN 39000 AND 40000 AND v > 3')) AS s (q),
  LATERAL test.answer(replace(q, '[t]', 'w')) AS a ORDER BY 1, q;
SELECT test.measured('SELECT k, v, b, n, f, one FROM w WHERE id BETWEEN 20000 AND 20500 AND v > 3 AND f IS NOT NULL', 'Shared Hit Blocks') AS first \gset
SELECT test.measured('SELECT k, v, b, n, f, one FROM w WHERE id BETWEEN 20000 AND 20500 AND v > 3 AND f IS NOT NULL', 'Shared Hit Blocks') AS second \gset
SELECT test.measured('SELECT k, v, b, n, f, one FROM w WHERE id BETWEEN 20000 AND 20500 AND v > 3 AND f IS NOT NULL', 'Shared Hit Blocks') AS third \gset
SELECT :third + 4 < :second AS fewer, :second < :first AS fewer_before;
DROP TABLE w, wh;
-- strings that are compared one by one have been read: a scan of all of them keeps only the group that it left for a look at the others first; one of few of them keeps its group
CREATE TABLE w (id integer, s text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('w', row_group_rows => 16384, order_by => 'id');
INSERT INTO w SELECT i, translate(md5(i::text), '0123456789', 'ghijklmnop') FROM generate_series(1, 40000) AS i;
CALL hanzo_datastore.compact('w');
VACUUM w;
SET hanzo_datastore.group_cache_size = 0;
SELECT count(*) FROM w WHERE id % 2 = 0;
SELECT kept();
RESET hanzo_datastore.group_cache_size;
SELECT count(*), min(id) FROM w WHERE s = translate(md5('30000'), '0123456789', 'ghijklmnop');
SELECT kept();
SELECT count(*), min(id) FROM w WHERE s = translate(md5('30000'), '0123456789', 'ghijklmnop') AND id BETWEEN 29000 AND 30500;
SELECT kept();
SELECT count(*) FROM w WHERE s = repeat('no dictionary', 1000) OR s = '';
DROP TABLE w;
-- zones rule out all but one
SELECT count(*), sum(v) FROM c WHERE id BETWEEN 40000 AND 40100;
SELECT kept();
-- a scan of all adds nothing
SET hanzo_datastore.group_cache_size = 0;
SELECT count(*), sum(v), sum(length(payload)) FROM c WHERE v >= 0;
SELECT kept();
RESET hanzo_datastore.group_cache_size;
SELECT sum(length(payload)), max(k) FROM c WHERE v >= 0;
SELECT kept();
-- no more than was asked for, and a scan of more does not push out what it has just kept
SET hanzo_datastore.group_cache_size = '120kB';
SELECT count(*) FROM (SELECT id FROM c WHERE u IN (md5('1')::uuid, md5('20000')::uuid, md5('40000')::uuid, md5('60000')::uuid, md5('80000')::uuid)) AS s;
SELECT kept_bytes() <= 120 * 1024 AS bounded, kept() > 0 AS some;
SELECT count(*) FROM (SELECT id FROM c WHERE u IN (md5('1')::uuid, md5('20000')::uuid, md5('40000')::uuid, md5('60000')::uuid, md5('80000')::uuid)) AS s;
SELECT kept_bytes() <= 120 * 1024 AS bounded, kept() > 0 AS some;
RESET hanzo_datastore.group_cache_size;
-- what lookups by an index have opened is not for scans to push out
CREATE UNIQUE INDEX ON c (id);
SET enable_seqscan = off;
SET hanzo_datastore.enable_columnar_scan = off;
SELECT id, k FROM c WHERE id = 50000;
SELECT kept() AS before \gset
RESET enable_seqscan;
RESET hanzo_datastore.enable_columnar_scan;
SET hanzo_datastore.group_cache_size = '1kB';
SELECT count(*), min(length(payload)) FROM c WHERE u = md5('90000')::uuid;
SELECT kept() >= 1 AS still_there, :before > 0 AS was_there;
RESET hanzo_datastore.group_cache_size;

-- One group read by two scans, and by lookups, at once
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
SELECT a = test.answer(replace(q, '[t]', 'c')) AS same, split_part(a, ' ', 1) AS rows FROM unnest(ARRAY[
  'SELECT a.id, a.payload, b.id AS other, b.payload AS others FROM [t] AS a JOIN [t] AS b ON b.k = a.k AND b.v > a.v WHERE a.id BETWEEN 3000 AND 3090 AND b.id BETWEEN 3000 AND 3200',
  'SELECT a.id, a.payload, b.payload AS others FROM [t] AS a JOIN [t] AS b ON b.id = a.id + 1 WHERE a.id BETWEEN 3000 AND 3090',
  'SELECT a.id, (SELECT max(b.payload) FROM [t] AS b WHERE b.u = a.u) FROM [t] AS a WHERE a.id BETWEEN 2000 AND 2030']) AS q, test.answer(replace(q, '[t]', 'h')) AS a;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
RESET enable_memoize;
-- Vectors that are known not to have a value are ruled out the next time; answers are the heap's, also of what changes after that
CREATE TABLE remembered (condition text);
INSERT INTO remembered VALUES ('k = ''k125'''), ('k = ''k125'' AND v < 50'), ('k IN (''k125'', ''k126'')'), ('k = ''k125'' OR id = 77'), ('NOT k = ''k125'''), ('k = ''k125'' OR k IS NULL'),
  ('u = md5(''77'')::uuid'), ('u = md5(''77'')::uuid OR v = 3'), ('k <> ''k125'' AND v = 7'), ('k = ''nowhere'''), ('k = ANY (ARRAY[''k125'', ''nowhere''])'), ('(k = ''k125'' AND id < 5020) OR (k = ''k500'' AND v > 20)');
CREATE FUNCTION differing() RETURNS TABLE (turn integer, condition text) LANGUAGE sql AS $$
  SELECT t, r.condition FROM generate_series(1, 3) AS t, remembered AS r
  WHERE test.answer(format('SELECT id, k, v, %s FROM c WHERE %s', t, r.condition)) <> test.answer(format('SELECT id, k, v, %s FROM h WHERE %s', t, r.condition))
     OR test.answer(format('SELECT v, count(*), %s FROM c WHERE %s GROUP BY v', t, r.condition)) <> test.answer(format('SELECT v, count(*), %s FROM h WHERE %s GROUP BY v', t, r.condition))
$$;
SELECT * FROM differing();
SELECT count(*), min(id) FROM c WHERE k = 'k126';
SELECT test.measured('SELECT id, v FROM c WHERE k = ''k126''', 'Vectors') AS pruned;
SET hanzo_datastore.group_cache_size = 0;
SELECT test.measured('SELECT id, v FROM c WHERE k = ''k126''', 'Vectors') AS pruned;
RESET hanzo_datastore.group_cache_size;
SET hanzo_datastore.enable_pruning = off;
SELECT test.measured('SELECT id, v FROM c WHERE k = ''k126''', 'Vectors') AS unpruned;
RESET hanzo_datastore.enable_pruning;
UPDATE c SET k = 'k125' WHERE id IN (9000, 30000);
UPDATE h SET k = 'k125' WHERE id IN (9000, 30000);
SELECT * FROM differing();
CALL hanzo_datastore.compact('c');
SELECT * FROM differing();
UPDATE c SET k = 'k0' WHERE id BETWEEN 9000 AND 9100;
UPDATE h SET k = 'k0' WHERE id BETWEEN 9000 AND 9100;
CALL hanzo_datastore.compact('c');
SELECT * FROM differing();
DROP FUNCTION differing;
DROP TABLE remembered;
-- Cursors, errors in between, a table that changes under them
BEGIN;
DECLARE one CURSOR FOR SELECT id, k, length(payload) FROM c WHERE id BETWEEN 20000 AND 20005 OR u = md5('20010')::uuid;
DECLARE other CURSOR FOR SELECT id, v FROM c WHERE k = 'k500';
FETCH 2 FROM one;
FETCH 1 FROM other;
SAVEPOINT s;
DECLARE third CURSOR FOR SELECT id, 1 / (id - 20001) FROM c WHERE id BETWEEN 20000 AND 20005;
FETCH 1 FROM third;
FETCH 1 FROM third;
ROLLBACK TO s;
FETCH 2 FROM one;
FETCH 1 FROM other;
SELECT id, k FROM c WHERE u = md5('20003')::uuid;
FETCH ALL FROM one;
CLOSE one;
CLOSE other;
COMMIT;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT id, k FROM c WHERE id BETWEEN 300 AND 303;
FETCH 1 FROM held;
COMMIT;
ALTER TABLE c ALTER v TYPE bigint;
ALTER TABLE c ADD later integer DEFAULT 3;
FETCH ALL FROM held;
CLOSE held;
SELECT id, v, later FROM c WHERE u = md5('5000')::uuid;
ALTER TABLE c DROP COLUMN k;
SELECT id, v, length(payload), later FROM c WHERE id = 5000 AND left(payload, 1) >= '0' AND u = md5('5000')::uuid;
BEGIN;
TRUNCATE c;
SELECT count(*) FROM c WHERE u = md5('5000')::uuid;
INSERT INTO c (id, u) VALUES (1, md5('5000')::uuid);
SELECT id, v FROM c WHERE u = md5('5000')::uuid;
ROLLBACK;
SELECT id, v FROM c WHERE u = md5('5000')::uuid;
CALL hanzo_datastore.optimize('c');
SELECT id, v FROM c WHERE u = md5('5000')::uuid;
DROP TABLE c, h;
DROP FUNCTION kept, kept_bytes;
