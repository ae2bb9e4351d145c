-- Lengths of strings, comparisons with the empty string and tests of null, which chunks answer without the strings' bytes:
-- compared with a heap, in scans and in aggregations, by the leader and by threads.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA lengths_test;
SET search_path = lengths_test, public;
SET hanzo_datastore.enable_metadata_answers = off;

-- Columns kept as strings of their own, as a dictionary, all null, all empty, of one value, short and multibyte; bytea and
-- bpchar; some of which have nulls.
CREATE TABLE h (id integer, s text, plain text COLLATE "C", dict text, nothing text, empty text, one text, multi varchar(40), by bytea,
  bp character(12), sometimes text);
INSERT INTO h
SELECT i, CASE WHEN i % 13 = 0 THEN NULL WHEN i % 7 = 0 THEN '' ELSE repeat(md5(i::text), i % 5 + 1) END, md5(i::text) || repeat('x', i % 50),
  CASE WHEN i % 11 = 0 THEN NULL ELSE (ARRAY['', 'a', 'ä', '€uro', 'longer than others'])[i % 5 + 1] END, NULL, '', 'one',
  CASE WHEN i % 3 = 0 THEN '' WHEN i % 3 = 1 THEN 'ö€𝄞' || md5(i::text) ELSE md5((i + 1)::text) END, decode(substr(md5(i::text), 1, i % 17 * 2), 'hex'),
  CASE WHEN i % 9 = 0 THEN '' ELSE left(md5(i::text), i % 12) END,
  CASE WHEN i % 4096 < 2048 THEN NULL WHEN i % 2 = 0 THEN '' ELSE md5(i::text) END
FROM generate_series(1, 12000) AS i;
CREATE TABLE c (LIKE h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 4096);
INSERT INTO c TABLE h;
CALL hanzo_datastore.compact('c');
INSERT INTO h SELECT id + 100000, s, plain, dict, nothing, empty, one, multi, by, bp, sometimes FROM h WHERE id < 500;
INSERT INTO c SELECT * FROM h WHERE id > 100000;
SELECT test.stores('c');
ALTER TABLE h ADD COLUMN late text DEFAULT 'späte', ADD COLUMN never text;
ALTER TABLE c ADD COLUMN late text DEFAULT 'späte', ADD COLUMN never text;
DELETE FROM h WHERE id % 1000 = 3;
DELETE FROM c WHERE id % 1000 = 3;

-- What a query gives of c and of h, if it differs.
CREATE FUNCTION differs(query text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  heap text;
  columnar text;
BEGIN
  EXECUTE 'SELECT string_agg(r::text, '';'') FROM (' || replace(query, '$t', 'h') || ') AS r' INTO heap;
  EXECUTE 'SELECT string_agg(r::text, '';'') FROM (' || replace(query, '$t', 'c') || ') AS r' INTO columnar;
  RETURN CASE WHEN heap IS DISTINCT FROM columnar THEN format('%s: %s, heap %s', query, columnar, heap) END;
END
$$;

CREATE FUNCTION all_differences(OUT tried bigint, OUT differences text)
LANGUAGE sql
AS $$
  WITH columns AS (SELECT attname AS x FROM pg_attribute WHERE attrelid = 'lengths_test.h'::regclass AND attnum > 1),
  expressions AS (
    SELECT x, format(e, x) AS e
    FROM columns, unnest(ARRAY['octet_length(%I)', 'length(%I)', '(%1$I = '''')::integer', '(%1$I <> '''')::integer', '(%I IS NULL)::integer',
      '(%I > '''')::integer', '(%I <= '''')::integer', 'CASE WHEN %1$I = '''' THEN 1 WHEN length(%1$I) > 3 THEN octet_length(%1$I) END']) AS e),
  queries AS (
    SELECT format('SELECT count(*), count(%I), count(v), sum(v), min(v), max(v) FROM (SELECT *, %s AS v FROM $t) AS t', x, e) AS q FROM expressions
    UNION ALL
    SELECT format('SELECT count(*), sum(id), sum(octet_length(%I)) FROM $t WHERE %s > 0', x, e) FROM expressions
    UNION ALL
    SELECT format('SELECT id FROM $t WHERE %s = 1 AND id %% 7 < 4 ORDER BY id', e) FROM expressions
    UNION ALL
    SELECT format('SELECT count(*) FILTER (WHERE %1$I = ''''), count(*) FILTER (WHERE %1$I IS NOT NULL), min(%1$I::text COLLATE "C"), count(%1$I)
      FROM $t WHERE octet_length(%1$I) <> 32', x) FROM columns
    UNION ALL
    SELECT format('SELECT octet_length(%1$I), count(*), count(%1$I), max(id) FROM $t GROUP BY 1 ORDER BY 1', x) FROM columns)
  SELECT count(*), string_agg(differs(q), E'\n') FROM queries
$$;

SET hanzo_datastore.max_threads = 0;
SELECT * FROM all_differences();
SET hanzo_datastore.enable_columnar_agg = off;
SELECT * FROM all_differences();
RESET hanzo_datastore.enable_columnar_agg;
RESET hanzo_datastore.max_threads;
-- Enough vectors for threads, where the machine has them.
CREATE VIEW h10 AS SELECT h.* FROM h CROSS JOIN generate_series(1, 10);
CREATE TABLE c10 (LIKE h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c10', row_group_rows => 8192);
INSERT INTO c10 SELECT h.* FROM generate_series(1, 10) CROSS JOIN h;
CALL hanzo_datastore.compact('c10');
DELETE FROM c10 WHERE id = 77 OR id = 4000;
DELETE FROM h WHERE id = 77 OR id = 4000;
SELECT count(*) AS tried, string_agg(differs(q), E'\n') AS differences
FROM (SELECT format('SELECT count(*), count(%1$I), sum(octet_length(%1$I)), sum(length(%1$I)), count(*) FILTER (WHERE %1$I = ''''),
    count(*) FILTER (WHERE %1$I IS NULL) FROM $t10 WHERE %1$I <> '''' OR id > 50', attname) AS q
  FROM pg_attribute WHERE attrelid = 'h'::regclass AND attnum > 1) AS queries;
DROP SCHEMA lengths_test CASCADE;
