-- Loads into row groups: several in one transaction, with DDL between them, in subtransactions, from triggers that read or
-- load the same table, with flushes that fail.
SET client_min_messages = warning;
CREATE SCHEMA bulk_test;
SET search_path = bulk_test, public;

-- Columns that come, change and go between two loads of one transaction.
BEGIN;
CREATE TABLE t (a integer) USING hanzo_columnar;
COPY t FROM PROGRAM 'echo 1';
ALTER TABLE t ADD COLUMN b integer;
COPY t FROM PROGRAM 'printf "2\t2\n"';
SELECT * FROM t ORDER BY a;
COMMIT;
SELECT * FROM t ORDER BY a;
BEGIN;
CREATE TABLE t2 (a integer) USING hanzo_columnar;
COPY t2 FROM PROGRAM 'seq 20000';
ALTER TABLE t2 ADD COLUMN b integer DEFAULT 7;
COPY t2 FROM PROGRAM 'seq 20000 | awk "{print \$1\"\t\"\$1}"';
COMMIT;
SELECT count(*), sum(a), sum(b), count(*) FILTER (WHERE b = 7) AS sevens FROM t2;
BEGIN;
COPY t2 FROM PROGRAM 'seq 20000 | awk "{print \$1\"\t\"\$1}"';
ALTER TABLE t2 ALTER COLUMN a TYPE bigint;
COPY t2 FROM PROGRAM 'seq 5000000001 5000020000 | sed "s/$/\t1/"';
ALTER TABLE t2 DROP COLUMN b;
COPY t2 FROM PROGRAM 'seq 20000';
COMMIT;
SELECT count(*), sum(a), test.stores('t2') FROM t2;
SELECT count(*) FROM hanzo_datastore.verify('t2');

-- A flush that fails where the error is caught: the rows are still to be written, and the load fails in the end.
CREATE TABLE failing (x integer) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('failing', order_by => '100 / x');
CREATE FUNCTION read_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    PERFORM count(*) FROM failing;
  EXCEPTION WHEN division_by_zero THEN
    RAISE WARNING 'caught: %', SQLERRM;
  END;
  RETURN NULL;
END
$$;
CREATE TRIGGER read_it AFTER INSERT ON failing EXECUTE FUNCTION read_it();
COPY failing FROM PROGRAM 'seq 0 19999 | tac';
SELECT count(*) FROM failing;
COPY failing FROM PROGRAM 'seq 1 20000';
SELECT count(*), sum(x) FROM failing;

-- Functions in a sort key that read the table, or load others, while it is loaded.
CREATE TABLE peeked (id integer) USING hanzo_columnar;
CREATE TABLE peeked_too (id integer) USING hanzo_columnar;
CREATE FUNCTION peek(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM bulk_test.peeked LIMIT 1;
  RETURN $1;
END
$$;
CREATE FUNCTION load_other() RETURNS void LANGUAGE plpgsql AS $$ BEGIN COPY bulk_test.peeked_too FROM PROGRAM 'seq 16000'; END $$;
CREATE FUNCTION peek_and_load(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM bulk_test.peeked LIMIT 1;
  IF $1 % 5000 = 77 THEN
    PERFORM bulk_test.load_other();
  END IF;
  RETURN $1;
EXCEPTION WHEN division_by_zero THEN
  RETURN NULL;
END
$$;
SELECT hanzo_datastore.alter_columnar_table('peeked', order_by => 'peek(id)', row_group_rows => 5000);
SELECT hanzo_datastore.alter_columnar_table('peeked_too', row_group_rows => 3000);
COPY peeked FROM PROGRAM 'seq 30000';
SELECT count(*), sum(id), test.stores('peeked') FROM peeked;
SELECT hanzo_datastore.alter_columnar_table('peeked', order_by => 'peek_and_load(id)');
COPY peeked FROM PROGRAM 'seq 30001 60000';
SELECT count(*), sum(id), test.stores('peeked') FROM peeked;
SELECT count(*) % 16000 AS rest, count(*) > 0 AS any, count(DISTINCT id) FROM peeked_too;
SELECT count(*) FROM hanzo_datastore.verify('peeked');

-- A trigger that loads into the table that is being loaded, and rolls that back; or keeps it.
CREATE TABLE nested (x integer, who text) USING hanzo_columnar;
CREATE FUNCTION load_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() > 1 THEN
    RETURN NULL;
  END IF;
  BEGIN
    COPY nested FROM PROGRAM 'seq 100000 | sed "s/$/\trolled back/"';
    RAISE division_by_zero;
  EXCEPTION WHEN division_by_zero THEN
    NULL;
  END;
  BEGIN
    COPY nested FROM PROGRAM 'seq 10000 | sed "s/$/\tkept/"';
  EXCEPTION WHEN division_by_zero THEN
    NULL;
  END;
  RETURN NULL;
END
$$;
CREATE TRIGGER load_more AFTER INSERT ON nested EXECUTE FUNCTION load_more();
COPY nested FROM PROGRAM 'seq 30000 | sed "s/$/\touter/"';
SELECT who, count(*), sum(x) FROM nested GROUP BY who ORDER BY who;

-- Savepoints around loads.
CREATE TABLE s (x integer) USING hanzo_columnar;
BEGIN;
COPY s FROM PROGRAM 'seq 1 20000';
SAVEPOINT a;
COPY s FROM PROGRAM 'seq 20001 40000';
SELECT count(*), sum(x) FROM s;
ROLLBACK TO a;
SELECT count(*), sum(x) FROM s;
COPY s FROM PROGRAM 'seq 40001 60000';
SAVEPOINT b;
COPY s FROM PROGRAM 'seq 60001 60100';
RELEASE b;
COMMIT;
SELECT count(*), sum(x) FROM s;
DO $$
BEGIN
  FOR i IN 1..30 LOOP
    BEGIN
      EXECUTE format('COPY s FROM PROGRAM ''seq %s %s''', 100000 + i * 1000, 100000 + i * 1000 + 999);
      IF i % 3 = 0 THEN
        RAISE division_by_zero;
      END IF;
    EXCEPTION WHEN division_by_zero THEN
      NULL;
    END;
  END LOOP;
END
$$;
SELECT count(*), count(DISTINCT x), sum(x) FROM s;

-- Many partitions at once; wide rows; a prepared transaction.
CREATE TABLE parts (id integer, v text) PARTITION BY HASH (id);
DO $$
BEGIN
  FOR i IN 0..99 LOOP
    EXECUTE format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES WITH (MODULUS 100, REMAINDER %s) USING hanzo_columnar', i, i);
  END LOOP;
END
$$;
COPY parts FROM PROGRAM 'seq 200000 | sed "s/$/\tsome text/"';
SELECT count(*), count(DISTINCT id), sum(id) FROM parts;
SET maintenance_work_mem = '1MB';
CREATE TABLE wide (id integer, v text) USING hanzo_columnar;
COPY wide FROM PROGRAM 'for i in 1 2 3 4 5 6 7 8 9 10; do printf "$i\t"; head -c 3000000 /dev/zero | tr "\\0" "$i"; echo; done';
SELECT count(*), sum(length(v)), count(*) FILTER (WHERE v = repeat(left(id::text, 1), 3000000)) FROM wide WHERE id < 10;
RESET maintenance_work_mem;
BEGIN;
COPY s FROM PROGRAM 'seq 1 10000';
PREPARE TRANSACTION 'load';
SELECT count(*) FROM s;
COMMIT PREPARED 'load';
SELECT count(*) FROM s;

-- Row groups encoded in a thread beside the load: the same rows with and without; loads that fail while it works.
CREATE TABLE source_heap (id integer, n numeric(10,2), t text, u uuid, a integer[], j jsonb) USING heap;
INSERT INTO source_heap SELECT i, i / 7.0, CASE WHEN i % 5 > 0 THEN md5(i::text) END, md5(i::text)::uuid, ARRAY[i, i % 3], jsonb_build_object('k', i % 9) FROM generate_series(1, 60000) AS i;
SELECT current_setting('data_directory') || '/hanzo_bulk.copy' AS file \gset
COPY source_heap TO :'file';
CREATE TABLE beside (LIKE source_heap) USING hanzo_columnar;
CREATE TABLE alone (LIKE source_heap) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table(t::regclass, row_group_rows => 5000, order_by => 'u, id', bloom => '{u}') FROM unnest('{beside,alone}'::text[]) AS t;
COPY beside FROM :'file';
SET hanzo_datastore.enable_background_sealing = off;
COPY alone FROM :'file';
RESET hanzo_datastore.enable_background_sealing;
SELECT test.differences('beside', 'source_heap'), test.differences('alone', 'source_heap'),
  (SELECT count(*) FROM ((SELECT rows, raw_bytes, compressed_bytes FROM hanzo_datastore.row_group_stats('beside'))
    EXCEPT ALL (SELECT rows, raw_bytes, compressed_bytes FROM hanzo_datastore.row_group_stats('alone'))) AS d) AS other_groups;
-- The thread has done it.
SET client_min_messages = debug1;
COPY beside (id) FROM PROGRAM 'seq 20001 40000';
SET hanzo_datastore.enable_background_sealing = off;
COPY alone (id) FROM PROGRAM 'seq 20001 40000';
RESET hanzo_datastore.enable_background_sealing;
SET client_min_messages = warning;
DELETE FROM beside WHERE u IS NULL;
DELETE FROM alone WHERE u IS NULL;
SELECT (SELECT count(*) FROM hanzo_datastore.verify('beside')), (SELECT count(*) FROM hanzo_datastore.verify('alone'));
COPY beside (id) FROM PROGRAM 'seq 1 50000; echo no number';
SELECT count(*) FROM beside;
BEGIN;
COPY beside FROM :'file';
SAVEPOINT a;
COPY beside FROM :'file';
COPY beside (id) FROM PROGRAM 'seq 1 50000; echo no number';
ROLLBACK TO a;
SELECT count(*) FROM beside;
ROLLBACK;
SELECT count(*) FROM beside;
DO $$
BEGIN
  FOR i IN 1..5 LOOP
    BEGIN
      COPY beside (id) FROM PROGRAM 'seq 1 30000; echo no number';
    EXCEPTION WHEN invalid_text_representation THEN
      NULL;
    END;
  END LOOP;
END
$$;
\set VERBOSITY terse
BEGIN;
SET LOCAL statement_timeout = '1ms';
COPY beside FROM :'file';
ROLLBACK;
\set VERBOSITY default
SELECT count(*) FROM beside;
CREATE TABLE made USING hanzo_columnar AS TABLE source_heap;
SELECT test.differences('made', 'source_heap');
-- Two loads in turn, of which only one can have the thread.
CREATE TABLE halves (LIKE source_heap) PARTITION BY HASH (id);
CREATE TABLE halves_0 PARTITION OF halves FOR VALUES WITH (MODULUS 2, REMAINDER 0) USING hanzo_columnar;
CREATE TABLE halves_1 PARTITION OF halves FOR VALUES WITH (MODULUS 2, REMAINDER 1) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('halves', row_group_rows => 3000);
COPY halves FROM :'file';
SELECT test.differences('halves', 'source_heap'), test.stores('halves_0'), test.stores('halves_1');

-- Rows are copied as tuples: nulls, dropped columns, values long and short. Values that come compressed or from another table's
-- storage are made plain, also where only rows in the middle have them.
CREATE TABLE long_values (k integer PRIMARY KEY, v text);
ALTER TABLE long_values ALTER COLUMN v SET STORAGE MAIN;
INSERT INTO long_values VALUES (1, repeat('compressed ', 400));
INSERT INTO long_values SELECT 2, string_agg(md5(i::text), '') FROM generate_series(1, 400) AS i;
ALTER TABLE long_values ALTER COLUMN v SET STORAGE EXTERNAL;
INSERT INTO long_values SELECT 3, string_agg(md5(i::text), '') FROM generate_series(1, 400) AS i;
SELECT k, pg_column_size(v) < length(v) AS compressed FROM long_values ORDER BY k;
CREATE FUNCTION long_value(integer) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT v FROM bulk_test.long_values WHERE k = $1); END $$;
CREATE TABLE plain_heap (gone integer, id integer, n2 smallint, gone2 text, b boolean, t text, f float8, n "char", nm name, iv interval,
  g text GENERATED ALWAYS AS (CASE WHEN id % 1000 = 500 THEN long_value(1 + id / 1000 % 3) WHEN id % 3 = 0 THEN repeat('x', id % 70) END) STORED) USING heap;
CREATE TABLE plain_beside (LIKE plain_heap INCLUDING GENERATED) USING hanzo_columnar;
CREATE TABLE plain_alone (LIKE plain_heap INCLUDING GENERATED) USING hanzo_columnar;
ALTER TABLE plain_heap DROP COLUMN gone, DROP COLUMN gone2;
ALTER TABLE plain_beside DROP COLUMN gone, DROP COLUMN gone2;
ALTER TABLE plain_alone DROP COLUMN gone, DROP COLUMN gone2;
SELECT hanzo_datastore.alter_columnar_table(t::regclass, row_group_rows => 8000, order_by => 'n2, id DESC') FROM unnest('{plain_beside,plain_alone}'::text[]) AS t;
COPY (SELECT i, CASE WHEN i % 4 > 0 THEN i % 100 END, i % 3 = 0, CASE WHEN i % 5 > 0 THEN repeat(chr(65 + i % 26), i % 80) END, i / 3.0::float8,
    (i % 10)::text::"char", ('n' || i)::name, make_interval(days => i % 40, secs => i) FROM generate_series(1, 30000) AS i) TO :'file';
COPY plain_heap FROM :'file';
SET client_min_messages = debug1;
COPY plain_beside FROM :'file';
SET client_min_messages = warning;
SET hanzo_datastore.enable_background_sealing = off;
COPY plain_alone FROM :'file';
RESET hanzo_datastore.enable_background_sealing;
SELECT test.differences('plain_beside', 'plain_heap'), test.differences('plain_alone', 'plain_heap'), test.stores('plain_beside'), test.stores('plain_alone'),
  (SELECT count(*) FROM hanzo_datastore.verify('plain_beside')), count(*) FILTER (WHERE length(g) > 4000) AS long FROM plain_beside;
-- Where all rows have them, the first too.
CREATE TABLE all_long (id integer, v text DEFAULT long_value(1), w text DEFAULT long_value(3)) USING hanzo_columnar;
COPY all_long (id) FROM PROGRAM 'seq 12000';
SELECT count(*), count(*) FILTER (WHERE v = long_value(1) AND w = long_value(3)) AS alike, test.stores('all_long') FROM all_long;

-- Rows of a group lie in the order of the sort key, by numbers and uuids in the thread, by other types before it.
CREATE TABLE key_heap (id integer, b boolean, i2 smallint, i4 integer, i8 bigint, d date, tm time, ts timestamp, tz timestamptz, u uuid, t text) USING heap;
INSERT INTO key_heap SELECT i, CASE WHEN i % 7 > 0 THEN i % 2 = 0 END, i % 50 - 25, (i * 7919) % 20000 - 10000, CASE WHEN i % 11 > 0 THEN (i::bigint * 104729) % 97 * 1000000000000 - 5 END,
  date '2024-01-01' + i % 40, time '00:00' + (i % 1440) * interval '1 minute', CASE WHEN i % 13 > 0 THEN timestamp '2024-01-01' + (i * 31 % 5000) * interval '1 second' END,
  timestamptz '2024-01-01 00:00+00' - (i * 17 % 900) * interval '1 hour', CASE WHEN i % 9 > 0 THEN md5((i % CASE WHEN i % 2 = 0 THEN 300 ELSE 20000 END)::text)::uuid END, chr(97 + i % 26)
  FROM generate_series(1, 40000) AS i;
COPY key_heap TO :'file';
CREATE TABLE orders (n integer, key text);
INSERT INTO orders VALUES (1, 'b DESC NULLS LAST, i2, id'), (2, 'i2 DESC, b NULLS FIRST, i4 DESC'), (3, 'i8 NULLS FIRST, tm DESC, id DESC'), (4, 'd, ts DESC NULLS LAST, u'),
  (5, 'u NULLS FIRST, tz'), (6, 'u DESC, i8, i4, i2'), (7, 'tz, d, u DESC NULLS LAST'), (8, 'date_trunc(''hour'', ts) DESC, u, id'), (9, 't, i4'), (10, 'i2, t DESC, u'),
  (11, 'abs(i4), id'), (12, 'i4 + i2 DESC, u'), (13, 'lower(t), i8');
CREATE FUNCTION order_of(key text, beside boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint;
  stores text;
BEGIN
  EXECUTE 'CREATE TABLE keyed (LIKE key_heap) USING hanzo_columnar';
  PERFORM hanzo_datastore.alter_columnar_table('keyed', order_by => key, row_group_rows => 8000);
  PERFORM set_config('hanzo_datastore.enable_background_sealing', beside::text, true);
  EXECUTE format('COPY keyed FROM %L', current_setting('bulk_test.file'));
  SET LOCAL hanzo_datastore.enable_background_sealing = on;
  EXECUTE format('SELECT count(*) FROM (SELECT id, row_number() OVER (ORDER BY ctid) AS place, row_number() OVER (ORDER BY (id - 1) / 8000, %s, id) AS wanted
    FROM keyed) AS p WHERE place <> wanted', key) INTO wrong;
  stores := test.stores('keyed');
  DROP TABLE keyed;
  RETURN format('%s wrong, %s', wrong, stores);
END
$$;
SELECT set_config('bulk_test.file', :'file', false) IS NOT NULL AS set;
SELECT n, key, order_of(key, true) AS beside, order_of(key, false) AS alone FROM orders ORDER BY n;

DROP SCHEMA bulk_test CASCADE;
