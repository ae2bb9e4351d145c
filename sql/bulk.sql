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
SET statement_timeout = '1ms';
COPY beside FROM :'file';
RESET statement_timeout;
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

DROP SCHEMA bulk_test CASCADE;
