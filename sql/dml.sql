-- INSERT, UPDATE, DELETE, MERGE, upserts, row locks, cursors, savepoints, prepared transactions: on rows in both stores.
CREATE SCHEMA dml_test;
SET search_path = dml_test, public;

-- Rows 1 to 10 in columns, 11 to 15 in the delta.
CREATE TABLE t (id integer PRIMARY KEY, k integer, v text, big text DEFAULT repeat('x', 10)) USING hanzo_columnar;
INSERT INTO t SELECT i, i % 3, 'value ' || i FROM generate_series(1, 10) AS i;
CALL hanzo_datastore.compact('t');
INSERT INTO t SELECT i, i % 3, 'value ' || i FROM generate_series(11, 15) AS i;
SELECT count(*), test.stores('t') FROM t;

-- INSERT … RETURNING, defaults, from itself.
INSERT INTO t (id, v) VALUES (16, 'sixteen') RETURNING *;
INSERT INTO t SELECT id + 100, k, v FROM t WHERE id < 4 OR id = 15 RETURNING id, v;
INSERT INTO t VALUES (3);
INSERT INTO t VALUES (16);

-- UPDATE: rows of either store, keys, with RETURNING, FROM, sub-selects, itself.
UPDATE t SET v = 'new ' || v WHERE id IN (1, 11) RETURNING id, k, v;
UPDATE t SET id = id + 1000 WHERE k = 2 RETURNING id, v;
UPDATE t SET v = s.v || '!' FROM (VALUES (3, 'three'), (12, 'twelve'), (12, 'twelve')) AS s (id, v) WHERE s.id = t.id RETURNING t.id, t.v;
UPDATE t SET v = a.v || '+' || b.v FROM t AS a JOIN t AS b ON b.id = a.id + 3 WHERE t.id = a.id AND t.k = 0 RETURNING t.id, t.v;
UPDATE t SET v = (SELECT max(v) FROM t) WHERE id = 4 RETURNING id, v;
UPDATE t SET k = k;
UPDATE t SET k = k + 1 WHERE false;
UPDATE t SET id = 4 WHERE id = 7;
SELECT * FROM t ORDER BY id;
-- A column at a time; a row more than once in one transaction.
BEGIN;
UPDATE t SET v = 'first' WHERE id = 10;
UPDATE t SET v = v || ', second' WHERE id = 10;
DELETE FROM t WHERE id = 10 RETURNING v;
INSERT INTO t VALUES (10, 1, 'again');
UPDATE t SET v = v || ', third' WHERE id = 10 RETURNING v;
COMMIT;
SELECT v FROM t WHERE id = 10;

-- DELETE … RETURNING, USING, repeated, rolled back, everything.
DELETE FROM t WHERE id IN (1, 12) RETURNING id, v;
DELETE FROM t WHERE id IN (1, 12);
DELETE FROM t USING (VALUES (101), (102), (102)) AS s (id) WHERE t.id = s.id RETURNING t.id;
BEGIN;
DELETE FROM t;
SELECT count(*) FROM t;
INSERT INTO t VALUES (1, 1, 'alone');
SELECT * FROM t;
ROLLBACK;
SELECT count(*), sum(id) FROM t;
CALL hanzo_datastore.compact('t');
SELECT test.stores('t'), count(*), sum(id), test.index_damage('t') FROM t;
BEGIN;
DELETE FROM t;
SELECT count(*) FROM t;
ROLLBACK;
SELECT count(*), sum(id) FROM t;

-- What the statement itself does is not seen by it.
WITH gone AS (DELETE FROM t WHERE id = 15 RETURNING *), new AS (INSERT INTO t SELECT id + 1, k, 'moved' FROM gone RETURNING *)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM new), (SELECT count(*) FROM t WHERE id = 15) AS still_seen;
WITH gone AS (DELETE FROM t WHERE id = 15 RETURNING *)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM t WHERE id = 15) AS still_seen;
WITH a AS (UPDATE t SET v = 'a' WHERE id = 4 RETURNING v), b AS (UPDATE t SET v = 'b' WHERE id = 4 RETURNING v)
SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) AS updated_once;
INSERT INTO t SELECT id + 2000, k, v FROM t;
SELECT count(*), sum(id) FROM t;
DELETE FROM t WHERE id >= 2000;

-- ON CONFLICT, against rows in either store.
CALL hanzo_datastore.compact('t');
INSERT INTO t VALUES (20, 0, 'delta') ON CONFLICT DO NOTHING RETURNING id;
INSERT INTO t VALUES (4, 0, 'lost'), (20, 0, 'lost'), (21, 0, 'inserted') ON CONFLICT DO NOTHING RETURNING id, v;
INSERT INTO t VALUES (4, 0, 'lost'), (20, 0, 'lost') ON CONFLICT (id) DO NOTHING RETURNING id, v;
INSERT INTO t VALUES (4, 7, 'upserted'), (20, 7, 'upserted'), (22, 7, 'new')
  ON CONFLICT (id) DO UPDATE SET v = excluded.v || ' over ' || t.v, k = excluded.k RETURNING id, k, v;
INSERT INTO t VALUES (4, 8, 'again') ON CONFLICT (id) DO UPDATE SET v = excluded.v WHERE t.k = 8 RETURNING id;
INSERT INTO t VALUES (4, 8, 'again') ON CONFLICT ON CONSTRAINT t_pkey DO UPDATE SET v = excluded.v WHERE t.k = 7 RETURNING id, v;
INSERT INTO t VALUES (5, 8, 'twice'), (5, 8, 'twice') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
INSERT INTO t VALUES (31, 8, 'twice'), (31, 8, 'twice') ON CONFLICT (id) DO NOTHING RETURNING id;
INSERT INTO t VALUES (31, 8, 'x') ON CONFLICT (id) DO UPDATE SET id = 4;
SELECT * FROM t WHERE id < 100 ORDER BY id;

-- MERGE.
CREATE TABLE source (id integer, v text);
INSERT INTO source VALUES (4, 'merged'), (6, NULL), (20, 'merged'), (40, 'merged in'), (41, NULL);
MERGE INTO t USING source AS s ON s.id = t.id
  WHEN MATCHED AND s.v IS NULL THEN DELETE
  WHEN MATCHED THEN UPDATE SET v = s.v
  WHEN NOT MATCHED AND s.v IS NULL THEN DO NOTHING
  WHEN NOT MATCHED THEN INSERT (id, k, v) VALUES (s.id, 0, s.v);
SELECT id, k, v FROM t WHERE id IN (4, 6, 20, 40, 41) ORDER BY id;
CALL hanzo_datastore.compact('t');
MERGE INTO t USING source AS s ON s.id = t.id
  WHEN MATCHED AND t.id > 30 THEN DELETE
  WHEN MATCHED THEN UPDATE SET v = t.v || ' twice'
  WHEN NOT MATCHED THEN INSERT (id, k, v) VALUES (s.id, 0, s.v);
SELECT id, k, v FROM t WHERE id IN (4, 6, 20, 40, 41) ORDER BY id;
INSERT INTO source VALUES (4, 'a second time');
MERGE INTO t USING source AS s ON s.id = t.id WHEN MATCHED THEN UPDATE SET v = s.v;

-- Row locks.
BEGIN;
SELECT id, v FROM t WHERE id IN (4, 8, 16) ORDER BY id FOR UPDATE;
SELECT id, v FROM t WHERE id IN (4, 8, 16) ORDER BY id FOR SHARE;
SELECT id, v FROM t WHERE id IN (4, 8, 16) ORDER BY id FOR KEY SHARE NOWAIT;
SELECT id, v FROM t WHERE id IN (4, 8, 16) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;
UPDATE t SET v = v || ' locked' WHERE id IN (4, 8, 16) RETURNING id, v;
SELECT id, v FROM t WHERE id IN (4, 8, 16) ORDER BY id FOR UPDATE;
COMMIT;
BEGIN;
SELECT id FROM t WHERE id = 9 FOR KEY SHARE;
DELETE FROM t WHERE id = 9 RETURNING id;
SELECT id FROM t WHERE id = 9 FOR UPDATE;
ROLLBACK;
SELECT t.id, s.v FROM t JOIN source AS s USING (id) WHERE id = 20 FOR UPDATE OF t;

-- Savepoints.
BEGIN;
INSERT INTO t VALUES (50, 0, 'outer');
SAVEPOINT a;
DELETE FROM t WHERE id IN (4, 50);
UPDATE t SET v = 'inner' WHERE id = 8;
INSERT INTO t VALUES (51, 0, 'inner');
SELECT count(*) FROM t WHERE id IN (4, 50, 51);
ROLLBACK TO a;
SELECT id, v FROM t WHERE id IN (4, 8, 50, 51) ORDER BY id;
DELETE FROM t WHERE id = 4;
INSERT INTO t VALUES (51, 0, 'second try');
SAVEPOINT b;
UPDATE t SET v = v || ' twice' WHERE id IN (8, 51);
RELEASE b;
SAVEPOINT c;
SELECT id FROM t WHERE id = 16 FOR UPDATE;
ROLLBACK TO c;
INSERT INTO t VALUES (8, 0, 'taken');
ROLLBACK TO c;
COMMIT;
SELECT id, v FROM t WHERE id IN (4, 8, 16, 50, 51) ORDER BY id;
INSERT INTO t VALUES (4, 0, 'free again'), (51, 0, 'taken');
INSERT INTO t VALUES (4, 0, 'free again');
SELECT test.index_damage('t');

-- 10,000 subtransactions, each of which changes or puts back a row of either store.
CREATE TABLE deep (id integer PRIMARY KEY, n integer) USING hanzo_columnar;
INSERT INTO deep SELECT i, 0 FROM generate_series(1, 100) AS i;
CALL hanzo_datastore.compact('deep');
DO $$
BEGIN
  FOR i IN 1..10000 LOOP
    BEGIN
      UPDATE deep SET n = n + 1 WHERE id = 1 + i % 150;
      INSERT INTO deep VALUES (1 + i % 150, 0) ON CONFLICT DO NOTHING;
      IF i % 3 = 0 THEN
        RAISE division_by_zero;
      END IF;
    EXCEPTION WHEN division_by_zero THEN
      NULL;
    END;
  END LOOP;
END
$$;
SELECT count(*), sum(n), sum(id), test.index_damage('deep') FROM deep;
CALL hanzo_datastore.compact('deep');
SELECT count(*), sum(n), sum(id), test.stores('deep'), test.index_damage('deep') FROM deep;

-- Cursors: what was there when they were opened, in both directions, across changes and compaction.
CREATE TABLE c (id integer, v text) USING hanzo_columnar;
INSERT INTO c SELECT i, 'v' || i FROM generate_series(1, 5) AS i;
CALL hanzo_datastore.compact('c');
INSERT INTO c SELECT i, 'v' || i FROM generate_series(6, 8) AS i;
BEGIN;
DECLARE later SCROLL CURSOR FOR SELECT id, v FROM c ORDER BY id;
DECLARE plain CURSOR FOR SELECT count(*), sum(id) FROM c;
UPDATE c SET v = 'changed' WHERE id IN (2, 7);
DELETE FROM c WHERE id IN (3, 8);
INSERT INTO c VALUES (9, 'v9');
FETCH ALL FROM later;
FETCH BACKWARD 3 FROM later;
FETCH ABSOLUTE 2 FROM later;
FETCH ALL FROM plain;
SELECT id, v FROM c ORDER BY id;
DECLARE after NO SCROLL CURSOR FOR SELECT id, v FROM c ORDER BY id;
DELETE FROM c;
FETCH ALL FROM after;
ROLLBACK;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT id, v FROM c ORDER BY id;
DELETE FROM c WHERE id = 1;
COMMIT;
CALL hanzo_datastore.compact('c');
FETCH ALL FROM held;
CLOSE held;
-- Both ways without a sort: each row once, and back again.
INSERT INTO c SELECT i, 'v' || i FROM generate_series(10, 12) AS i;
BEGIN;
DECLARE s SCROLL CURSOR FOR SELECT id FROM c;
CREATE TEMPORARY TABLE seen (step integer GENERATED ALWAYS AS IDENTITY, id integer);
DO $$
DECLARE
  s refcursor := 's';
  n integer;
BEGIN
  LOOP
    FETCH s INTO n;
    EXIT WHEN NOT FOUND;
    INSERT INTO seen (id) VALUES (n);
  END LOOP;
  LOOP
    FETCH PRIOR FROM s INTO n;
    EXIT WHEN NOT FOUND;
    INSERT INTO seen (id) VALUES (n);
  END LOOP;
END
$$;
SELECT count(*), count(DISTINCT id) FROM seen;
SELECT count(*) AS not_the_same_backwards FROM seen AS a JOIN seen AS b ON a.step + b.step = (SELECT count(*) + 1 FROM seen) WHERE a.id <> b.id;
FETCH LAST FROM s \gset last_
FETCH PRIOR FROM s \gset prior_
FETCH FIRST FROM s \gset first_
SELECT (SELECT id FROM seen WHERE step = 1) = :first_id AS first, (SELECT id FROM seen WHERE step = (SELECT count(*) / 2 FROM seen)) = :last_id AS last,
  (SELECT id FROM seen WHERE step = (SELECT count(*) / 2 - 1 FROM seen)) = :prior_id AS prior;
COMMIT;
DROP TABLE seen;

-- WHERE CURRENT OF, on rows of either store.
BEGIN;
DECLARE u CURSOR FOR SELECT id, v FROM c WHERE id IN (4, 11) ORDER BY id FOR UPDATE;
FETCH u;
UPDATE c SET v = 'current' WHERE CURRENT OF u RETURNING id, v;
FETCH u;
DELETE FROM c WHERE CURRENT OF u RETURNING id, v;
COMMIT;
SELECT id, v FROM c ORDER BY id;
BEGIN;
DECLARE u CURSOR FOR SELECT id, v FROM c WHERE id = 5;
FETCH u;
UPDATE c SET v = 'once' WHERE CURRENT OF u;
UPDATE c SET v = v || ' and twice' WHERE CURRENT OF u RETURNING id, v;
COMMIT;

-- Two-phase commit.
BEGIN;
UPDATE c SET v = 'prepared' WHERE id IN (2, 6);
DELETE FROM c WHERE id = 7;
INSERT INTO c VALUES (70, 'prepared');
PREPARE TRANSACTION 'dml 1';
SELECT id, v FROM c WHERE id IN (2, 6, 7, 70) ORDER BY id;
SET lock_timeout = '50ms';
UPDATE c SET v = 'waits' WHERE id = 2;
DELETE FROM c WHERE id = 7;
SELECT id FROM c WHERE id IN (2, 4, 6, 7) ORDER BY id FOR UPDATE SKIP LOCKED;
SELECT id FROM c WHERE id = 7 FOR UPDATE NOWAIT;
RESET lock_timeout;
CALL hanzo_datastore.compact('c');
SELECT id, v FROM c WHERE id IN (2, 6, 7, 70) ORDER BY id;
COMMIT PREPARED 'dml 1';
SELECT id, v FROM c WHERE id IN (2, 6, 7, 70) ORDER BY id;
CALL hanzo_datastore.compact('c');
BEGIN;
UPDATE c SET v = 'rolled back' WHERE id = 2;
SELECT id FROM c WHERE id = 5 FOR UPDATE;
PREPARE TRANSACTION 'dml 2';
ROLLBACK PREPARED 'dml 2';
SELECT id, v FROM c ORDER BY id;
-- A bulk load that is prepared.
BEGIN;
CREATE UNLOGGED TABLE loaded USING hanzo_columnar AS SELECT i FROM generate_series(1, 20000) AS i;
PREPARE TRANSACTION 'dml 3';
COMMIT PREPARED 'dml 3';
SELECT count(*), sum(i), test.stores('loaded') FROM loaded;

-- COPY both ways; with a WHERE clause, defaults that change, errors, columns.
CREATE TABLE copied (id integer, v text DEFAULT 'default', u uuid DEFAULT gen_random_uuid()) USING hanzo_columnar;
COPY copied (id, v) FROM stdin WITH (FORMAT csv, NULL 'null');
1,one
2,null
3,"with, comma"
\.
COPY copied (id) FROM stdin;
4
\.
COPY copied (id, v) FROM stdin WHERE id > 5;
5	five
6	six
\.
COPY copied (id, v) FROM stdin;
7	seven
not a number	eight
\.
CALL hanzo_datastore.compact('copied');
COPY copied (v, id) TO stdout WITH (FORMAT csv, HEADER);
COPY (SELECT id, v FROM copied ORDER BY id DESC) TO stdout;
SELECT count(DISTINCT u) FROM copied;
-- Visible to the own transaction at once; gone with a savepoint.
BEGIN;
COPY copied (id, v) FROM stdin;
8	eight
\.
SELECT count(*) FROM copied;
SAVEPOINT a;
COPY copied (id, v) FROM stdin;
9	nine
\.
UPDATE copied SET v = upper(v) WHERE id IN (8, 9) RETURNING id, v;
ROLLBACK TO a;
SELECT id, v FROM copied ORDER BY id;
COMMIT;
-- A load that fails or is rolled back leaves nothing behind.
CREATE UNLOGGED TABLE failing (id integer CHECK (id <> 50000), v text) USING hanzo_columnar;
SELECT current_setting('data_directory') || '/hanzo_dml.copy' AS file \gset
COPY (SELECT i, 'row ' || i FROM generate_series(1, 60000) AS i) TO :'file';
COPY failing FROM :'file';
SELECT count(*) FROM failing;
BEGIN;
SAVEPOINT a;
COPY failing FROM :'file';
ROLLBACK TO a;
SELECT count(*) FROM failing;
COPY failing FROM :'file' WHERE id <> 50000;
SELECT count(*), sum(id), test.stores('failing') FROM failing;
SAVEPOINT b;
DELETE FROM failing WHERE id % 2 = 0;
UPDATE failing SET v = 'changed' WHERE id % 3 = 0;
SELECT count(*), sum(id), count(*) FILTER (WHERE v = 'changed') FROM failing;
ROLLBACK TO b;
SELECT count(*), sum(id), count(*) FILTER (WHERE v = 'changed') FROM failing;
ROLLBACK;
SELECT count(*) FROM failing;
COPY failing FROM :'file' WHERE id <> 50000;
SELECT count(*), sum(id), count(DISTINCT v) FROM failing;
-- Two tables loaded by turns in one statement.
CREATE UNLOGGED TABLE other (LIKE failing) USING hanzo_columnar;
CREATE TABLE shards (id integer, v text) PARTITION BY HASH (id);
CREATE UNLOGGED TABLE shards_0 PARTITION OF shards FOR VALUES WITH (MODULUS 3, REMAINDER 0) USING hanzo_columnar;
CREATE UNLOGGED TABLE shards_1 PARTITION OF shards FOR VALUES WITH (MODULUS 3, REMAINDER 1) USING hanzo_columnar;
CREATE UNLOGGED TABLE shards_2 PARTITION OF shards FOR VALUES WITH (MODULUS 3, REMAINDER 2) USING hanzo_columnar;
COPY shards FROM :'file';
SELECT tableoid::regclass, count(*), test.stores(tableoid) FROM shards GROUP BY tableoid ORDER BY tableoid::regclass::text;
SELECT count(*), sum(id), count(DISTINCT v) FROM shards;
UPDATE shards SET id = id + 1 WHERE id % 1000 = 0;
SELECT count(*), sum(id), count(DISTINCT v) FROM shards;

-- Many changes of many rows, against a heap with the same ones.
CREATE TABLE churn (id integer PRIMARY KEY, k integer, v text) USING hanzo_columnar;
CREATE TABLE churn_heap (id integer PRIMARY KEY, k integer, v text) USING heap;
CREATE VIEW churn_sample AS SELECT * FROM churn_heap WHERE id % 20 = 7;
CREATE PROCEDURE churn(round integer)
LANGUAGE plpgsql
AS $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY '{churn,churn_heap}'::text[] LOOP
    EXECUTE format('INSERT INTO %I SELECT i, i %% 100, %L || i FROM generate_series(%s, %s) AS i', name, 'round ' || round || ' ', round * 10000, round * 10000 + 4999);
    EXECUTE format('DELETE FROM %I WHERE test.noise(id, %s) %% 7 = 0', name, round);
    EXECUTE format('UPDATE %I SET v = v || ''.'', k = k + 1 WHERE test.noise(id, %s) %% 5 = 0', name, round + 100);
    EXECUTE format('UPDATE %I SET id = id + 5000 WHERE id %% 10000 < 5000 AND test.noise(id, %s) %% 11 = 0', name, round + 200);
    EXECUTE format('INSERT INTO %I AS churn_target SELECT id, 0, ''upsert'' FROM %I WHERE test.noise(id, %s) %% 13 = 0
                    ON CONFLICT (id) DO UPDATE SET v = churn_target.v || excluded.v', name, name, round + 300);
  END LOOP;
END
$$;
CALL churn(1);
SELECT test.differences('churn', 'churn_heap'), test.stores('churn');
CALL hanzo_datastore.compact('churn');
SELECT test.differences('churn', 'churn_heap'), test.differences_by_index('churn', 'churn_sample'), test.stores('churn'), test.index_damage('churn');
CALL churn(2);
SELECT test.differences('churn', 'churn_heap'), test.differences_by_index('churn', 'churn_sample'), test.stores('churn');
BEGIN;
CALL churn(3);
SELECT test.differences('churn', 'churn_heap'), test.differences_by_index('churn', 'churn_sample');
ROLLBACK;
SELECT test.differences('churn', 'churn_heap'), test.differences_by_index('churn', 'churn_sample');
CALL hanzo_datastore.compact('churn');
CALL churn(4);
CALL churn(5);
VACUUM churn;
SELECT test.differences('churn', 'churn_heap'), test.differences_by_index('churn', 'churn_sample'), test.index_damage('churn');
CALL hanzo_datastore.optimize('churn');
VACUUM churn;
SELECT test.differences('churn', 'churn_heap'), test.differences_by_index('churn', 'churn_sample'), test.stores('churn'), test.index_damage('churn');
CALL churn(6);
SELECT test.differences('churn', 'churn_heap'), test.differences_by_index('churn', 'churn_sample'), test.index_damage('churn');

-- System columns: xmin says who wrote the row, tableoid and ctid find it.
CREATE TABLE sys (id integer, v text) USING hanzo_columnar;
INSERT INTO sys VALUES (1, 'a'), (2, 'b');
CALL hanzo_datastore.compact('sys');
BEGIN;
INSERT INTO sys VALUES (3, 'c');
UPDATE sys SET v = 'B' WHERE id = 2;
SELECT id, tableoid::regclass, xmin::text = txid_current()::text AS mine, xmin::text <> '0' AS known FROM sys ORDER BY id;
SELECT count(*) FROM sys AS a JOIN sys AS b ON a.ctid = b.ctid;
COMMIT;

-- One row locked more often than it has room for locks at a time.
CREATE TABLE popular (id integer PRIMARY KEY, n integer) USING hanzo_columnar;
INSERT INTO popular VALUES (1, 0), (2, 0);
CALL hanzo_datastore.compact('popular');
DO $$
BEGIN
  FOR i IN 1..17000 LOOP
    PERFORM FROM popular WHERE id = 1 FOR UPDATE;
    COMMIT;
  END LOOP;
END
$$;
UPDATE popular SET n = n + 1 WHERE id = 1 RETURNING *;
SELECT * FROM popular ORDER BY id;
SET client_min_messages = warning;
DROP SCHEMA dml_test CASCADE;
