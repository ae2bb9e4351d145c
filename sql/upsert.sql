-- INSERT ... ON CONFLICT DO UPDATE of rows that live in columns: answers as a heap's, and how often it asks the index of marks for
-- a row. What a backend remembers of the mark it has put last (storage/markmemo.h) must not outlive a savepoint, a trigger's change or a
-- change of the table.
SET client_min_messages = warning;
SET search_path = test;
CREATE TABLE up_h (k integer PRIMARY KEY, n integer, v text) USING heap;
CREATE TABLE up_c (k integer PRIMARY KEY, n integer, v text) USING hanzo_columnar;

-- Runs a statement with each of the two for @; says what is different.
CREATE FUNCTION twins(statement text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  answers text[];
  answer text;
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['up_h', 'up_c'] LOOP
    BEGIN
      EXECUTE replace(statement, '@', name);
      answer := 'done';
    EXCEPTION WHEN others THEN
      answer := SQLSTATE || ' ' || replace(SQLERRM, name, '@');
    END;
    answers := answers || answer;
  END LOOP;
  IF answers[1] <> answers[2] THEN
    RETURN format('heap: %s, columnar: %s', answers[1], answers[2]);
  END IF;
  RETURN format('%s, %s differences', answers[1], differences('up_h', 'up_c'));
END
$$;

SELECT twins('INSERT INTO @ SELECT i, 0, repeat(md5(i::text), 3) FROM generate_series(1, 5000) AS i');
CALL hanzo_datastore.compact('up_c');
SELECT delta_rows, row_groups FROM hanzo_datastore.columnar_tables WHERE relation = 'up_c'::regclass;

-- Looks into the index of the column store, of a transaction so far.
CREATE FUNCTION looks()
RETURNS bigint
LANGUAGE sql
AS $$
  SELECT pg_stat_get_xact_numscans(i.indexrelid)
  FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.reltoastrelid
  WHERE c.oid = 'up_c'::regclass
$$;

-- marks when it looks for conflicts, when it locks the row, when it names the new version; and now and then something else
BEGIN;
SELECT looks() AS before \gset
INSERT INTO up_c SELECT i, 1, 'upserted' FROM generate_series(1, 1000) AS i ON CONFLICT (k) DO UPDATE SET n = excluded.n, v = excluded.v;
SELECT looks() - :before BETWEEN 3000 AND 3100 AS three_looks_a_row;
COMMIT;
INSERT INTO up_h SELECT i, 1, 'upserted' FROM generate_series(1, 1000) AS i ON CONFLICT (k) DO UPDATE SET n = excluded.n, v = excluded.v;
SELECT differences('up_h', 'up_c');

-- the same row twice, in one command and in several of a transaction
SELECT twins('INSERT INTO @ VALUES (1001, 2, NULL), (1001, 3, NULL) ON CONFLICT (k) DO UPDATE SET n = excluded.n');
SELECT twins('INSERT INTO @ VALUES (1002, 2, NULL), (1003, 3, NULL) ON CONFLICT (k) DO UPDATE SET n = excluded.n');
BEGIN;
SELECT twins('INSERT INTO @ VALUES (1004, 2, NULL) ON CONFLICT (k) DO UPDATE SET n = excluded.n');
SELECT twins('INSERT INTO @ VALUES (1004, 1, NULL) ON CONFLICT (k) DO UPDATE SET n = @.n + excluded.n');
SELECT twins('DELETE FROM @ WHERE k = 1004');
SELECT twins('INSERT INTO @ VALUES (1004, 7, NULL) ON CONFLICT (k) DO UPDATE SET n = @.n + excluded.n');
COMMIT;
SELECT twins('INSERT INTO @ VALUES (1005, 1, NULL) ON CONFLICT (k) DO NOTHING');
SELECT twins('INSERT INTO @ VALUES (1006, 1, NULL)');

-- a condition that is false leaves the row locked and unchanged; another update of it follows
BEGIN;
SELECT twins('INSERT INTO @ VALUES (1007, 1, NULL) ON CONFLICT (k) DO UPDATE SET n = 9 WHERE @.n > 0');
SELECT twins('UPDATE @ SET n = 10 WHERE k = 1007');
SELECT twins('UPDATE @ SET k = -1007 WHERE k = 1007');
COMMIT;

-- locks of savepoints end with them
BEGIN;
SAVEPOINT a;
SELECT count(*) FROM (SELECT FROM up_c WHERE k = 1010 FOR UPDATE) AS locked;
ROLLBACK TO a;
SELECT twins('UPDATE @ SET n = 11 WHERE k = 1010');
SAVEPOINT b;
SELECT twins('DELETE FROM @ WHERE k = 1011');
ROLLBACK TO b;
SELECT twins('INSERT INTO @ VALUES (1011, 5, NULL) ON CONFLICT (k) DO UPDATE SET n = @.n + excluded.n');
SELECT twins('INSERT INTO @ VALUES (1011, 5, NULL)');
COMMIT;
BEGIN;
SELECT count(*) FROM (SELECT FROM up_c WHERE k = 1012 FOR UPDATE) AS locked;
SAVEPOINT a;
SELECT twins('UPDATE @ SET n = 12 WHERE k = 1012');
ROLLBACK TO a;
SELECT twins('UPDATE @ SET n = @.n + 13 WHERE k = 1012');
COMMIT;

-- triggers that change the row, or another one, between its lock and its update
CREATE FUNCTION meddle()
RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF old.k = 1020 THEN
    EXECUTE format('UPDATE %I SET n = n + 100 WHERE k = 1020', tg_table_name);
  ELSIF old.k = 1021 THEN
    EXECUTE format('UPDATE %I SET n = n + 100 WHERE k = 1022', tg_table_name);
  ELSIF old.k = 1023 THEN
    EXECUTE format('DELETE FROM %I WHERE k = 1023', tg_table_name);
  END IF;
  RETURN new;
END
$$;
CREATE TRIGGER meddle BEFORE UPDATE ON up_h FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION meddle();
CREATE TRIGGER meddle BEFORE UPDATE ON up_c FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION meddle();
SELECT twins('INSERT INTO @ VALUES (1020, 1, NULL) ON CONFLICT (k) DO UPDATE SET n = excluded.n');
SELECT twins('INSERT INTO @ VALUES (1021, 1, NULL) ON CONFLICT (k) DO UPDATE SET n = excluded.n');
SELECT twins('INSERT INTO @ VALUES (1022, 1, NULL) ON CONFLICT (k) DO UPDATE SET n = excluded.n');
SELECT twins('INSERT INTO @ VALUES (1023, 1, NULL) ON CONFLICT (k) DO UPDATE SET n = excluded.n');
DROP TRIGGER meddle ON up_h;
DROP TRIGGER meddle ON up_c;

-- a row that was put together before the table changed
BEGIN;
SELECT twins('INSERT INTO @ VALUES (1030, 1, NULL) ON CONFLICT (k) DO NOTHING');
SELECT twins('ALTER TABLE @ ADD COLUMN added integer DEFAULT 5');
SELECT twins('INSERT INTO @ (k, n, v) VALUES (1030, 1, NULL) ON CONFLICT (k) DO UPDATE SET n = @.added');
SELECT twins('INSERT INTO @ (k, n, v) VALUES (1031, 1, NULL) ON CONFLICT (k) DO NOTHING');
SELECT twins('ALTER TABLE @ DROP COLUMN v');
SELECT twins('INSERT INTO @ (k, n) VALUES (1031, 1) ON CONFLICT (k) DO UPDATE SET n = @.added');
COMMIT;
BEGIN;
SELECT twins('INSERT INTO @ VALUES (1032, 1) ON CONFLICT (k) DO UPDATE SET n = 6');
SELECT twins('TRUNCATE @');
SELECT twins('INSERT INTO @ VALUES (1032, 1) ON CONFLICT (k) DO UPDATE SET n = 6');
ROLLBACK;
SELECT differences('up_h', 'up_c');

-- rows of which some were folded into a delete vector
SELECT twins('DELETE FROM @ WHERE k % 3 = 0');
CALL hanzo_datastore.compact('up_c');
VACUUM up_c;
SELECT twins('INSERT INTO @ SELECT i, 20, 0 FROM generate_series(2000, 4000) AS i ON CONFLICT (k) DO UPDATE SET n = excluded.n');
SELECT twins('DELETE FROM @');
SELECT twins('INSERT INTO @ SELECT i, 21, 0 FROM generate_series(1, 5000) AS i ON CONFLICT (k) DO UPDATE SET n = excluded.n');
CALL hanzo_datastore.compact('up_c');
SELECT twins('INSERT INTO @ SELECT i, 22, 0 FROM generate_series(1, 5000) AS i ON CONFLICT (k) DO UPDATE SET n = excluded.n');
SELECT count(*) FROM hanzo_datastore.verify('up_c');
DROP TABLE up_h, up_c;
DROP FUNCTION twins(text), looks(), meddle();
