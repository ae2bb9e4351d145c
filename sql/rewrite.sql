-- VACUUM FULL, CLUSTER, SET ACCESS METHOD, ALTER TYPE: row groups with marks, with columns added later, with descriptions too
-- wide for the directory, without any column. Every table has a heap that went through the same.
SET client_min_messages = warning;
CREATE SCHEMA rewrite_test;
SET search_path = rewrite_test, public;

-- Runs a statement on both, with %s for the table.
CREATE PROCEDURE twice(name text, statement text)
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE replace(statement, '%s', name);
  EXECUTE replace(statement, '%s', name || '_heap');
END
$$;
CREATE FUNCTION state(name text)
RETURNS TABLE (differences bigint, stores text, damage bigint)
LANGUAGE sql
AS $$
  SELECT test.differences(name::regclass, (name || '_heap')::regclass), test.stores(name::regclass), (SELECT count(*) FROM hanzo_datastore.verify(name::regclass))
$$;

-- The first row of a group deleted; columns added without and with a default; old pages and new ones.
CREATE TABLE a (id integer, v text) USING hanzo_columnar;
CREATE TABLE a_heap (LIKE a) USING heap;
SELECT hanzo_datastore.alter_columnar_table('a', row_group_rows => 2048, order_by => 'id');
CALL twice('a', $$INSERT INTO %s SELECT i, md5(i::text) FROM generate_series(1, 5000) AS i$$);
CALL hanzo_datastore.compact('a');
CALL twice('a', 'DELETE FROM %s WHERE id IN (1, 2, 2049, 4999, 5000)');
VACUUM FULL a;
SELECT * FROM state('a');
CALL twice('a', 'ALTER TABLE %s ADD COLUMN empty integer');
CALL twice('a', 'DELETE FROM %s WHERE id = 3');
VACUUM FULL a;
SELECT * FROM state('a');
CALL twice('a', $$ALTER TABLE %s ADD COLUMN filled text DEFAULT 'filled', ADD COLUMN n numeric DEFAULT 1.50, ADD COLUMN a integer[] DEFAULT '{1,2}'$$);
CALL twice('a', $$UPDATE %s SET filled = 'updated' WHERE id % 1000 = 7$$);
CALL twice('a', 'DELETE FROM %s WHERE id IN (4, 2050)');
SELECT * FROM state('a');
VACUUM FULL a;
SELECT * FROM state('a');
CALL hanzo_datastore.compact('a');
VACUUM FULL a;
SELECT * FROM state('a');
CALL twice('a', 'ALTER TABLE %s DROP COLUMN v');
CALL twice('a', $$ALTER TABLE %s ADD COLUMN w text NOT NULL DEFAULT 'w'$$);
VACUUM FULL a;
VACUUM FULL a;
SELECT * FROM state('a');
SELECT count(*), count(empty), count(filled), count(DISTINCT filled), sum(n), count(w) FROM a;

-- Indexes are built anew; CLUSTER; keys stay unique.
ALTER TABLE a ADD PRIMARY KEY (id);
CREATE INDEX a_filled ON a (filled, n);
CALL twice('a', 'DELETE FROM %s WHERE id % 10 = 0');
CLUSTER a USING a_pkey;
SELECT * FROM state('a');
SELECT test.index_damage('a'), test.differences_by_index('a', 'a_heap');
INSERT INTO a (id) VALUES (777);
VACUUM FULL a;
CALL hanzo_datastore.optimize('a');
VACUUM FULL a;
SELECT * FROM state('a');
SELECT test.index_damage('a'), test.differences_by_index('a', 'a_heap');

-- Other types; other access methods and back.
CALL twice('a', 'ALTER TABLE %s ALTER COLUMN id TYPE bigint, ALTER COLUMN n TYPE text USING n::text');
SELECT * FROM state('a');
CALL hanzo_datastore.compact('a');
ALTER TABLE a SET ACCESS METHOD heap;
SELECT test.differences('a', 'a_heap');
ALTER TABLE a SET ACCESS METHOD hanzo_columnar;
SELECT * FROM state('a');
SELECT option, value FROM hanzo_datastore.columnar_options WHERE relation = 'a'::regclass AND source = 'table' ORDER BY option;
DROP TABLE a, a_heap;

-- A description that stands in the stream.
DO $$
DECLARE
  columns text;
BEGIN
  SELECT string_agg(format('c%s text DEFAULT ''default value %s''', i, i), ', ') INTO columns FROM generate_series(1, 400) AS i;
  EXECUTE format('CREATE TABLE wide (id integer, %s) USING hanzo_columnar', columns);
  EXECUTE format('CREATE TABLE wide_heap (id integer, %s) USING heap', columns);
END
$$;
CALL twice('wide', 'INSERT INTO %s (id) SELECT i FROM generate_series(1, 300) AS i');
CALL hanzo_datastore.compact('wide');
CALL twice('wide', 'DELETE FROM %s WHERE id IN (1, 300)');
VACUUM FULL wide;
SELECT * FROM state('wide');
CALL twice('wide', $$ALTER TABLE %s ADD COLUMN d1 text DEFAULT 'added', ADD COLUMN d2 integer$$);
CALL twice('wide', 'DELETE FROM %s WHERE id = 2');
VACUUM FULL wide;
SELECT * FROM state('wide');
CALL twice('wide', 'UPDATE %s SET c7 = id::text WHERE id = 100');
CALL hanzo_datastore.compact('wide');
SELECT * FROM state('wide');
DROP TABLE wide, wide_heap;

-- Groups without a page: no column was stored.
CREATE TABLE z () USING hanzo_columnar;
CREATE TABLE z_heap () USING heap;
CALL twice('z', 'INSERT INTO %s SELECT FROM generate_series(1, 3000)');
CALL hanzo_datastore.compact('z');
CALL twice('z', 'ALTER TABLE %s ADD COLUMN a integer DEFAULT 5, ADD COLUMN b text');
DELETE FROM z WHERE ctid IN (SELECT ctid FROM z LIMIT 10);
DELETE FROM z_heap WHERE ctid IN (SELECT ctid FROM z_heap LIMIT 10);
VACUUM FULL z;
SELECT * FROM state('z');
SELECT count(*), count(a), sum(a), count(b) FROM z;
VACUUM FULL z;
CALL hanzo_datastore.compact('z');
SELECT * FROM state('z');
DROP TABLE z, z_heap;

-- A long default is not copied for every row.
CREATE TABLE long (id integer) USING hanzo_columnar;
INSERT INTO long SELECT generate_series(1, 100000);
CALL hanzo_datastore.compact('long');
ALTER TABLE long ADD COLUMN t text DEFAULT repeat('long', 20000);
VACUUM FULL long;
SELECT count(*), min(octet_length(t)), max(octet_length(t)) FROM long;
DROP TABLE long;

-- Rewritten and rolled back; in savepoints; with older snapshots about.
CREATE TABLE r (id integer PRIMARY KEY, v text) USING hanzo_columnar;
CREATE TABLE r_heap (LIKE r) USING heap;
CALL twice('r', $$INSERT INTO %s SELECT i, 'v' || i FROM generate_series(1, 3000) AS i$$);
CALL hanzo_datastore.compact('r');
CALL twice('r', 'DELETE FROM %s WHERE id % 3 = 0');
BEGIN;
CLUSTER r USING r_pkey;
SELECT count(*) FROM r;
SAVEPOINT s;
ALTER TABLE r ALTER COLUMN id TYPE bigint;
INSERT INTO r VALUES (10001, 'new');
SELECT count(*) FROM r;
ROLLBACK TO s;
TRUNCATE r;
INSERT INTO r VALUES (1, 'other');
SELECT count(*) FROM r;
ROLLBACK;
SELECT * FROM state('r');
SELECT test.index_damage('r');

-- TID ranges across blocks of row numbers, whatever the offset in the bound.
SELECT count(*), min(ctid), max(ctid) FROM r WHERE ctid > '(2147483648,300)' AND ctid < '(2147483650,10)';
SELECT count(*) FROM r WHERE ctid >= '(2147483648,0)' AND ctid <= '(2147483648,65535)';
SELECT count(*), min(id) FROM r WHERE ctid > '(2147483648,255)' AND ctid < '(2147483649,0)';
SELECT count(*) FROM r WHERE ctid > '(2147483648,256)' AND ctid < '(2147483649,1)';
SELECT count(*) FROM r WHERE ctid < '(2147483648,0)';
SELECT count(*) FROM r WHERE ctid > '(4294967294,65535)';

DROP SCHEMA rewrite_test CASCADE;

-- A heap that needs no TOAST relation gets one when it becomes columnar, with rows or without, in a transaction, as a materialized view
CREATE TABLE short (id integer PRIMARY KEY, v varchar(20));
INSERT INTO short SELECT i, i::text FROM generate_series(1, 10000) AS i;
CREATE TABLE shorter (id integer);
CREATE MATERIALIZED VIEW shortest AS SELECT id FROM short;
CREATE TABLE "Short ones" (id integer, n integer) PARTITION BY RANGE (id);
CREATE TABLE "Short, 1" PARTITION OF "Short ones" FOR VALUES FROM (0) TO (10000);
INSERT INTO "Short ones" SELECT i, i FROM generate_series(1, 9000) AS i;
SELECT count(*) FROM pg_class WHERE relname IN ('short', 'shorter', 'shortest', 'Short, 1') AND reltoastrelid <> 0;
BEGIN;
ALTER TABLE short SET ACCESS METHOD hanzo_columnar;
UPDATE short SET v = 'changed' WHERE id % 10 = 0;
COMMIT;
ALTER TABLE shorter SET ACCESS METHOD hanzo_columnar, ADD COLUMN n integer;
ALTER MATERIALIZED VIEW shortest SET ACCESS METHOD hanzo_columnar;
ALTER TABLE "Short, 1" SET ACCESS METHOD hanzo_columnar;
SELECT count(*) FROM pg_class WHERE relname IN ('short', 'shorter', 'shortest', 'Short, 1') AND reltoastrelid <> 0;
ALTER TABLE short ALTER v SET STATISTICS 100;
INSERT INTO shorter SELECT id FROM short;
CALL hanzo_datastore.compact('short');
CALL hanzo_datastore.compact('shorter');
CALL hanzo_datastore.compact('shortest');
CALL hanzo_datastore.compact('"Short ones"');
SELECT test.stores('short'), test.stores('shorter'), test.stores('shortest'), test.stores('"Short, 1"');
SELECT count(*), sum(id), count(DISTINCT v) FROM short;
SELECT count(*), sum(id) FROM shortest;
ALTER TABLE short SET ACCESS METHOD heap;
ALTER TABLE short SET ACCESS METHOD hanzo_columnar;
SELECT count(*), sum(id) FROM short;
DROP MATERIALIZED VIEW shortest;
DROP TABLE short, shorter, "Short ones";
