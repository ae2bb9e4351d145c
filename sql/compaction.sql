-- Compaction and optimize: what moves, merges, sorts; in transactions, beside cursors, with every kind of index, by whom.
CREATE SCHEMA compaction_test;
SET search_path = compaction_test, public;
SET client_min_messages = warning;
-- Row groups that the caller sees, by their rows; told by the row numbers, of which each group takes whole blocks.
CREATE FUNCTION blocks(t regclass)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
  result bigint;
BEGIN
  EXECUTE format('SELECT count(DISTINCT (ctid::text::point)[0]) FROM %s WHERE (ctid::text::point)[0] >= 2147483648', t) INTO result;
  RETURN result;
END
$$;
RESET client_min_messages;

-- Nothing to do; then again nothing to do.
CREATE TABLE t (id integer, v text) USING hanzo_columnar;
CALL hanzo_datastore.compact('t');
INSERT INTO t VALUES (1, 'one');
CALL hanzo_datastore.compact('t');
SELECT ctid, * FROM t;
CALL hanzo_datastore.compact('t');
SELECT ctid, * FROM t;
DELETE FROM t;
CALL hanzo_datastore.compact('t');
SELECT * FROM t;
CREATE TABLE empty () USING hanzo_columnar;
CALL hanzo_datastore.compact('empty');
INSERT INTO empty DEFAULT VALUES;
INSERT INTO empty DEFAULT VALUES;
CALL hanzo_datastore.compact('empty');
CALL hanzo_datastore.optimize('empty');
SELECT count(*) FROM empty;

-- Rows that are not committed, deleted, or locked stay behind or are left out.
TRUNCATE t;
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) AS i;
DELETE FROM t WHERE id = 2;
UPDATE t SET v = 'new' WHERE id = 3;
CALL hanzo_datastore.compact('t');
SELECT test.stores('t'), count(*), string_agg(v, ',' ORDER BY id) FROM t;

-- Small groups are merged, and deleted rows leave for good.
TRUNCATE t;
DO $$
BEGIN
  FOR i IN 1..20 LOOP
    INSERT INTO t VALUES (i, 'group ' || i);
    COMMIT;
    CALL hanzo_datastore.compact('t');
  END LOOP;
END
$$;
SELECT blocks('t') < 5 AS merged, count(*), sum(id) FROM t;
CREATE UNLOGGED TABLE half USING hanzo_columnar AS SELECT i AS id, md5(i::text) AS v FROM generate_series(1, 20000) AS i;
SELECT blocks('half');
DELETE FROM half WHERE id % 10 <> 0;
SELECT blocks('half'), count(*), sum(id) FROM half;
CALL hanzo_datastore.compact('half');
SELECT blocks('half') <= 8 AS rewritten, count(*), sum(id) FROM half;
DELETE FROM half;
CALL hanzo_datastore.compact('half');
SELECT count(*) FROM half;
INSERT INTO half VALUES (1, 'new');
CALL hanzo_datastore.compact('half');
SELECT test.stores('half'), id, v FROM half;

-- It commits as it goes, so not inside a transaction or a function; a procedure or a DO block will do.
TRUNCATE t;
INSERT INTO t SELECT i, 'before' FROM generate_series(1, 3) AS i;
BEGIN;
CALL hanzo_datastore.compact('t');
ROLLBACK;
BEGIN;
CALL hanzo_datastore.optimize('t');
ROLLBACK;
CREATE FUNCTION compacting() RETURNS text LANGUAGE plpgsql
AS $$ BEGIN CALL hanzo_datastore.compact('t'); RETURN test.stores('t'); END $$;
SELECT compacting();
CREATE PROCEDURE compacting_sub() LANGUAGE plpgsql
AS $$ BEGIN CALL hanzo_datastore.compact('t'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
CALL compacting_sub();
CREATE PROCEDURE compacting_with_setting() LANGUAGE plpgsql SET work_mem = '1MB'
AS $$ BEGIN CALL hanzo_datastore.compact('t'); END $$;
CALL compacting_with_setting();
SELECT test.stores('t'), count(*) FROM t;
DO $$ BEGIN EXECUTE format('CALL hanzo_datastore.compact(%L)', 't'); END $$;
DO $$ BEGIN CALL hanzo_datastore.compact('t'); END $$;
SELECT test.stores('t'), count(*) FROM t;
SET default_transaction_isolation = 'repeatable read';
INSERT INTO t VALUES (4, 'repeatable read');
CALL hanzo_datastore.compact('t');
SET default_transaction_isolation = 'serializable';
INSERT INTO t VALUES (5, 'serializable');
CALL hanzo_datastore.compact('t');
RESET default_transaction_isolation;
SELECT test.stores('t'), id, v FROM t ORDER BY id;
SET default_transaction_read_only = on;
CALL hanzo_datastore.compact('t');
RESET default_transaction_read_only;
-- In a loop whose cursor is held over the commits.
INSERT INTO t VALUES (6, 'six');
DO $$
DECLARE
  r record;
  n integer := 0;
BEGIN
  FOR r IN SELECT id FROM t ORDER BY id LOOP
    n := n + r.id;
    CALL hanzo_datastore.compact('t');
    UPDATE t SET v = v || '.' WHERE id = r.id;
    COMMIT;
  END LOOP;
  RAISE NOTICE 'sum %', n;
END
$$;
SELECT id, v FROM t ORDER BY id;
-- Somebody else's transaction is open on some rows: they stay behind.
BEGIN;
UPDATE t SET v = 'prepared' WHERE id = 1;
SELECT id FROM t WHERE id = 2 FOR UPDATE;
DELETE FROM t WHERE id = 3;
INSERT INTO t VALUES (7, 'prepared');
PREPARE TRANSACTION 'compaction';
CALL hanzo_datastore.compact('t');
SELECT id, v FROM t ORDER BY id;
CALL hanzo_datastore.optimize('t');
SELECT id, v FROM t ORDER BY id;
COMMIT PREPARED 'compaction';
SELECT test.stores('t'), id, v FROM t ORDER BY id;
CALL hanzo_datastore.compact('t');
CALL hanzo_datastore.optimize('t');
SELECT test.stores('t'), id, v FROM t ORDER BY id;

-- Every kind of index, checked after compaction, after changes, after VACUUM.
CREATE TABLE ix (id integer PRIMARY KEY, k integer, v text, r int4range, a integer[], ts timestamptz, j jsonb, p point) USING hanzo_columnar;
CREATE INDEX ix_k ON ix (k);
CREATE UNIQUE INDEX ix_v ON ix (v text_pattern_ops DESC) INCLUDE (k);
CREATE INDEX ix_lower ON ix (lower(v), (k + 1));
CREATE INDEX ix_partial ON ix (k) WHERE k % 2 = 0;
CREATE UNIQUE INDEX ix_unique_partial ON ix ((id * 2)) WHERE k > 5;
CREATE INDEX ix_hash ON ix USING hash (v);
CREATE INDEX ix_gist ON ix USING gist (r);
CREATE INDEX ix_gist_point ON ix USING gist (p);
CREATE INDEX ix_spgist ON ix USING spgist (p);
CREATE INDEX ix_gin ON ix USING gin (a);
CREATE INDEX ix_gin_json ON ix USING gin (j jsonb_path_ops);
CREATE INDEX ix_trgm ON ix USING gin (v gin_trgm_ops);
CREATE TABLE ix_heap (LIKE ix) USING heap;
CREATE PROCEDURE fill(low integer, high integer)
LANGUAGE sql
AS $$
  INSERT INTO ix_heap SELECT i, i % 10, 'value ' || i, int4range(i, i + 10), ARRAY[i % 7, i % 13], timestamptz '2024-01-01 00:00+00' + i * interval '1 hour',
    jsonb_build_object('k', i % 11), point(i % 30, i % 50) FROM generate_series(low, high) AS i;
  INSERT INTO ix SELECT * FROM ix_heap WHERE id BETWEEN low AND high;
$$;
-- By each index the rows that a heap's scan finds; the number of those that are not.
CREATE FUNCTION wrong_by_index()
RETURNS TABLE (wrong text)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  condition text;
  n bigint;
BEGIN
  FOREACH condition IN ARRAY ARRAY['id BETWEEN 100 AND 1200', 'id = 777', 'k = 3', 'v = ''value 500''', 'v ~>=~ ''value 9''', 'lower(v) = ''value 1001''',
    'k = 4 AND k % 2 = 0', 'id * 2 = 1558 AND k > 5', 'r && int4range(300, 320)', 'r @> 55', 'a @> ''{3}''', 'a && ''{5,12}''', 'j @> ''{"k": 4}''',
    'v LIKE ''%ue 11%''', 'p <@ box(point(3, 3), point(9, 20))', 'p ~= point(7, 7)', 'id = ANY (''{1,50,1500,2500}'')', 'k IS NULL'] LOOP
    EXECUTE format('SELECT count(*) FROM ((SELECT id, v FROM ix WHERE %1$s EXCEPT ALL SELECT id, v FROM ix_heap WHERE %1$s)
      UNION ALL (SELECT id, v FROM ix_heap WHERE %1$s EXCEPT ALL SELECT id, v FROM ix WHERE %1$s)) AS q', condition) INTO n;
    IF n <> 0 THEN
      wrong := condition || ': ' || n;
      RETURN NEXT;
    END IF;
  END LOOP;
END
$$;
CALL fill(1, 1000);
SELECT * FROM wrong_by_index();
CALL hanzo_datastore.compact('ix');
SELECT * FROM wrong_by_index();
SELECT test.stores('ix'), test.index_damage('ix');
CALL fill(1001, 2000);
DELETE FROM ix WHERE id % 9 = 0;
DELETE FROM ix_heap WHERE id % 9 = 0;
UPDATE ix SET k = k + 1, v = v || ' new', a = a || 5 WHERE id % 8 = 0;
UPDATE ix_heap SET k = k + 1, v = v || ' new', a = a || 5 WHERE id % 8 = 0;
SELECT * FROM wrong_by_index();
SELECT test.stores('ix'), test.index_damage('ix');
CALL hanzo_datastore.compact('ix');
SELECT * FROM wrong_by_index();
VACUUM ix;
SELECT * FROM wrong_by_index();
SELECT test.stores('ix'), test.index_damage('ix'), test.differences('ix', 'ix_heap');
DELETE FROM ix WHERE id < 1900;
DELETE FROM ix_heap WHERE id < 1900;
CALL hanzo_datastore.compact('ix');
VACUUM ix;
VACUUM ix;
CALL fill(2001, 3000);
CALL hanzo_datastore.optimize('ix');
VACUUM ix;
SELECT * FROM wrong_by_index();
SELECT test.stores('ix'), test.index_damage('ix'), test.differences('ix', 'ix_heap');
-- VACUUM counts rows and index entries of both stores.
INSERT INTO ix (id, v) VALUES (9999, 'short-lived');
DELETE FROM ix WHERE id = 9999;
VACUUM (INDEX_CLEANUP on) ix;
SELECT relname, reltuples FROM pg_class WHERE relname IN ('ix', 'ix_pkey', 'ix_k') ORDER BY relname;
-- Keys are taken, or free again, wherever the row is or was.
INSERT INTO ix (id, v) VALUES (2500, 'x');
INSERT INTO ix (id, v) VALUES (5000, 'value 2500');
INSERT INTO ix (id, k, v) VALUES (100, 0, 'value 100');
DELETE FROM ix WHERE id = 100;
-- A compaction that fails leaves index entries that find nothing.
CALL fill(3001, 3010);
ALTER TABLE ix ADD COLUMN trap integer DEFAULT 1;
CREATE FUNCTION trapped(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
AS $$ BEGIN IF current_setting('test.trap', true) = 'on' AND $1 = 3005 THEN RAISE 'sprung' USING ERRCODE = 'division_by_zero'; END IF; RETURN $1; END $$;
CREATE INDEX ix_trap ON ix (trapped(id));
SET test.trap = on;
CALL hanzo_datastore.compact('ix');
CALL hanzo_datastore.optimize('ix');
RESET test.trap;
ALTER TABLE ix DROP COLUMN trap;
SELECT * FROM wrong_by_index();
CALL fill(3011, 3020);
CALL hanzo_datastore.compact('ix');
VACUUM ix;
SELECT * FROM wrong_by_index();
SELECT test.index_damage('ix'), test.differences('ix', 'ix_heap');
DELETE FROM ix;
CALL hanzo_datastore.compact('ix');
VACUUM ix;
SELECT count(*), test.index_damage('ix') FROM ix;
SELECT relname, reltuples FROM pg_class WHERE relname IN ('ix', 'ix_pkey', 'ix_k') ORDER BY relname;

-- Exclusion constraints: such rows stay in the delta, and keep being checked.
CREATE TABLE excluded (id integer, during int4range, EXCLUDE USING gist (id WITH =, during WITH &&)) USING hanzo_columnar;
INSERT INTO excluded VALUES (1, '[1,5)'), (1, '[5,9)'), (2, '[1,9)');
CALL hanzo_datastore.compact('excluded');
SELECT test.stores('excluded'), count(*) FROM excluded;
INSERT INTO excluded VALUES (1, '[4,6)');

-- Orders of every sort of key, alone and after each other: ranks, first bytes, units, what is left to comparators.
CREATE TABLE order_source AS
SELECT i, CASE WHEN i % 37 > 0 THEN md5((i % 9000)::text)::uuid END AS many, CASE WHEN i % 11 > 0 THEN md5((i % 50)::text)::uuid END AS few,
  ('00000000-0000-0000-' || lpad(to_hex(i % 700), 4, '0') || '-' || lpad(to_hex(i % 3000), 12, '0'))::uuid AS tails,
  timestamptz '2026-01-01 00:00Z' + (i * 7919 % 50000) * interval '1 hour' AS hour, (i * 7919 % 1000) * 40 AS n, 'k' || i % 90 AS s
FROM generate_series(1, 20000) AS i;
CREATE TABLE orders (number integer GENERATED ALWAYS AS IDENTITY, keys text);
INSERT INTO orders (keys) VALUES ('many'), ('many DESC'), ('many NULLS FIRST, n'), ('few, many, n'), ('few DESC NULLS LAST, hour, many DESC, n'), ('hour, few, tails, many, i'),
  ('tails, hour DESC'), ('n DESC, many DESC NULLS LAST, s'), ('s COLLATE "C", many, tails'), ('many, s COLLATE "C" DESC, tails'), ('hour DESC, n, tails DESC, i DESC');
SELECT format('CREATE TABLE ordered_%s (LIKE order_source) USING hanzo_columnar', number) FROM orders \gexec
SELECT count(hanzo_datastore.alter_columnar_table(format('ordered_%s', number)::regclass, order_by => keys)) FROM orders;
SELECT format('INSERT INTO ordered_%s SELECT * FROM order_source', number) FROM orders \gexec
SELECT format('CALL hanzo_datastore.compact(%L)', 'ordered_' || number) FROM orders \gexec
CREATE FUNCTION out_of_order(number integer, keys text) RETURNS TABLE (rows bigint, wrong bigint) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE d < before) FROM (SELECT d, lag(d) OVER (ORDER BY tid) AS before
    FROM (SELECT ctid AS tid, dense_rank() OVER (ORDER BY %s) AS d FROM ordered_%s) AS ranked) AS x', keys, number);
END
$$;
SELECT keys, o.* FROM orders, out_of_order(number, keys) AS o ORDER BY number;

-- Sorted: each group by compact, the whole table by optimize.
CREATE TABLE s (id integer, grp text, ts timestamptz) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('s', order_by => 'grp COLLATE "C" DESC, ts', row_group_rows => 2048);
CREATE FUNCTION out_of_order()
RETURNS bigint
LANGUAGE sql
AS $$
  SELECT count(*) FROM (SELECT grp, ts, lag(grp) OVER stored AS grp_before, lag(ts) OVER stored AS ts_before FROM s WINDOW stored AS (ORDER BY ctid)) AS q
  WHERE grp COLLATE "C" > grp_before OR (grp = grp_before AND ts < ts_before) OR (grp_before IS NOT NULL AND grp IS NULL)
$$;
INSERT INTO s SELECT i, CASE WHEN i % 100 > 0 THEN 'group ' || test.noise(i) % 20 END, timestamptz '2024-01-01 00:00+00' + (test.noise(i, 1) % 100000) * interval '1 second'
FROM generate_series(1, 10000) AS i;
CALL hanzo_datastore.compact('s');
SELECT test.stores('s'), out_of_order() > 0 AS groups_overlap, count(*), sum(id) FROM s;
CALL hanzo_datastore.optimize('s');
SELECT test.stores('s'), out_of_order(), count(*), sum(id) FROM s;
SELECT count(*), min(id), max(id) FROM s WHERE grp = 'group 7' AND ts >= '2024-01-01 12:00+00';
INSERT INTO s SELECT i, 'group ' || i % 5, '2024-01-01 00:00+00' FROM generate_series(10001, 12000) AS i;
DELETE FROM s WHERE id % 5 = 0;
CALL hanzo_datastore.optimize('s');
SELECT test.stores('s'), out_of_order(), count(*), sum(id) FROM s;
-- The sort key is evaluated as the owner, not as the caller.
CREATE ROLE compaction_owner;
CREATE ROLE compaction_other;
GRANT ALL ON SCHEMA compaction_test TO compaction_owner, compaction_other;
CREATE FUNCTION who(integer)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$ BEGIN RAISE NOTICE 'evaluated as %', current_user; RETURN $1; END $$;
CREATE TABLE owned (id integer) USING hanzo_columnar;
INSERT INTO owned VALUES (1);
CREATE INDEX ON owned (who(id));
ALTER TABLE owned OWNER TO compaction_owner;
CALL hanzo_datastore.compact('owned');
SELECT current_user = session_user AS back;

-- Who may, and what can be compacted.
SET ROLE compaction_other;
CALL hanzo_datastore.compact('owned');
CALL hanzo_datastore.optimize('owned');
CALL hanzo_datastore.compact('pg_class');
SET ROLE compaction_owner;
CALL hanzo_datastore.compact('owned');
CALL hanzo_datastore.optimize('owned');
RESET ROLE;
GRANT ALL ON owned TO compaction_other;
SET ROLE compaction_other;
CALL hanzo_datastore.compact('owned');
RESET ROLE;
CREATE TABLE heap (id integer) USING heap;
CREATE VIEW view AS SELECT 1 AS id;
CREATE SEQUENCE seq;
CREATE TYPE composite AS (id integer);
CREATE TABLE parted (id integer, v text) PARTITION BY RANGE (id);
CALL hanzo_datastore.compact('heap');
CALL hanzo_datastore.optimize('heap');
CALL hanzo_datastore.compact('view');
CALL hanzo_datastore.compact('seq');
CALL hanzo_datastore.compact('composite');
CALL hanzo_datastore.compact('s_id_seq');
CALL hanzo_datastore.compact('ix_pkey');
CALL hanzo_datastore.compact('pg_class');
CALL hanzo_datastore.compact(0);
CALL hanzo_datastore.compact(4294967295::oid);
CALL hanzo_datastore.compact(NULL);
CALL hanzo_datastore.optimize(NULL);
CALL hanzo_datastore.compact('"no such; table"');
-- A partitioned table: its columnar partitions, on every level; the others are left alone.
CALL hanzo_datastore.compact('parted');
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10) USING hanzo_columnar;
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20) USING heap;
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (20) TO (30) PARTITION BY LIST (v);
CREATE TABLE parted_3_a PARTITION OF parted_3 FOR VALUES IN ('a') USING hanzo_columnar;
CREATE TABLE parted_default PARTITION OF parted DEFAULT USING hanzo_columnar;
INSERT INTO parted VALUES (1, 'a'), (2, 'b'), (11, 'a'), (21, 'a'), (99, 'z');
CALL hanzo_datastore.compact('parted');
SELECT tableoid::regclass, test.stores(tableoid), count(*) FROM parted GROUP BY tableoid ORDER BY tableoid::regclass::text;
CALL hanzo_datastore.optimize('parted');
SELECT tableoid::regclass, test.stores(tableoid), count(*) FROM parted GROUP BY tableoid ORDER BY tableoid::regclass::text;
-- A partition that belongs to somebody else.
ALTER TABLE parted OWNER TO compaction_owner;
SET ROLE compaction_owner;
CALL hanzo_datastore.compact('parted');
RESET ROLE;
-- Temporary and unlogged tables; a table with an odd name.
CREATE TEMPORARY TABLE temporary (id integer) USING hanzo_columnar;
INSERT INTO temporary VALUES (1);
CALL hanzo_datastore.compact('temporary');
SELECT test.stores('temporary'), id FROM temporary;
CREATE UNLOGGED TABLE "un""logged; table" (" id" integer) USING hanzo_columnar;
INSERT INTO "un""logged; table" VALUES (1);
CALL hanzo_datastore.compact('"un""logged; table"');
SELECT test.stores('"un""logged; table"'), " id" FROM "un""logged; table";

-- Progress is for all to see, and nothing is under way.
SELECT relation, phase, rows_done, rows_total FROM hanzo_datastore.compaction_progress WHERE datname = current_database();
SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database();
-- Row security does not keep rows from moving.
CREATE TABLE secret (id integer, who text) USING hanzo_columnar;
INSERT INTO secret VALUES (1, 'compaction_owner'), (2, 'compaction_other');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
ALTER TABLE secret OWNER TO compaction_owner;
CREATE POLICY own ON secret USING (who = current_user);
GRANT SELECT ON secret TO compaction_other;
SET ROLE compaction_owner;
CALL hanzo_datastore.compact('secret');
SELECT id FROM secret;
SET ROLE compaction_other;
SELECT id FROM secret;
RESET ROLE;
SELECT test.stores('secret'), count(*) FROM secret;

-- Disk space comes back: a table whose rows change all the time does not grow for ever.
CREATE TABLE steady (id integer PRIMARY KEY, v text) USING hanzo_columnar;
INSERT INTO steady SELECT i, md5(i::text) FROM generate_series(1, 2000) AS i;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
SELECT pg_total_relation_size('steady') AS size_before \gset
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
UPDATE steady SET v = md5(v);
CALL hanzo_datastore.compact('steady');
CALL test.wait_until_alone();
VACUUM steady;
SELECT pg_total_relation_size('steady') < 2 * :size_before AS bounded, count(*), count(DISTINCT v), test.stores('steady'), test.index_damage('steady') FROM steady;

SET client_min_messages = warning;
DROP SCHEMA compaction_test CASCADE;
DROP ROLE compaction_owner;
DROP ROLE compaction_other;

-- Rows of the delta are copied as tuples where they have the table's columns as they are now: not from before a column was added, nor with
-- a value of one that was dropped since, nor with a long value that is compressed or stored elsewhere.
CREATE TABLE shapes_h (id integer, gone text, v text, n numeric) USING heap;
CREATE TABLE shapes_c (LIKE shapes_h) USING hanzo_columnar;
CREATE FUNCTION fill_shapes(first integer)
RETURNS void
LANGUAGE sql
BEGIN ATOMIC
  INSERT INTO shapes_h (id, v, n)
  SELECT i, CASE WHEN i % 10 = 1 THEN repeat('long ', 1000) WHEN i % 10 = 2 THEN (SELECT string_agg(md5(j::text), '') FROM generate_series(i, i + 100) AS j)
                 WHEN i % 10 > 3 THEN 'short ' || i END, CASE WHEN i % 3 > 0 THEN i / 7.0 END
  FROM generate_series(first, first + 999) AS i;
END;
SELECT fill_shapes(1);
INSERT INTO shapes_c SELECT * FROM shapes_h;
ALTER TABLE shapes_h ADD COLUMN added integer DEFAULT 3;
ALTER TABLE shapes_c ADD COLUMN added integer DEFAULT 3;
SELECT fill_shapes(1001);
UPDATE shapes_h SET gone = 'gone' WHERE id % 2 = 0 AND id > 1000;
INSERT INTO shapes_c SELECT * FROM shapes_h WHERE id > 1000;
ALTER TABLE shapes_h DROP COLUMN gone;
ALTER TABLE shapes_c DROP COLUMN gone;
SELECT fill_shapes(2001);
UPDATE shapes_h SET added = NULL WHERE id % 5 = 0 AND id > 2000;
INSERT INTO shapes_c SELECT * FROM shapes_h WHERE id > 2000;
SET client_min_messages = debug1;
CALL hanzo_datastore.compact('shapes_c');
RESET client_min_messages;
SELECT test.differences('shapes_h', 'shapes_c'), (SELECT count(*) FROM hanzo_datastore.verify('shapes_c'));
SELECT column_name, raw_bytes FROM hanzo_datastore.columnar_columns WHERE relation = 'shapes_c'::regclass ORDER BY 1;
DROP FUNCTION fill_shapes(integer);
DROP TABLE shapes_h, shapes_c;
