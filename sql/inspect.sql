-- What the views show of tables, row groups, columns and chunks; who sees it; verify() on sound tables of every kind.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA inspect_test;
SET search_path = inspect_test;
SET timezone = 'UTC';
RESET client_min_messages;

CREATE TABLE t (
  id integer PRIMARY KEY, k bigint, dropped text, v text COLLATE "C", f real, d double precision, n numeric(10,2), u uuid, ts timestamptz, day date,
  b bytea, flag boolean, j jsonb, small smallint, nothing text, a integer[]
) USING hanzo_columnar;
ALTER TABLE t DROP COLUMN dropped;
SELECT hanzo_datastore.alter_columnar_table('t', order_by => 'id', row_group_rows => 3000, bloom => '{u}');

-- Nothing in it, then rows in the delta only.
SELECT row_groups, rows, deleted_rows, delta_rows, delta_bytes, raw_bytes, compressed_bytes, compression_ratio, column_store_bytes, sort_quality
FROM hanzo_datastore.columnar_tables WHERE relation = 't'::regclass;
SELECT count(*) FROM hanzo_datastore.columnar_row_groups WHERE relation = 't'::regclass;
SELECT column_name, data_type, row_groups, encodings, codecs, null_values, raw_bytes, min_value, max_value
FROM hanzo_datastore.columnar_columns WHERE relation = 't'::regclass;
SELECT count(*) FROM hanzo_datastore.verify('t');
INSERT INTO t
SELECT i, i % 10, 'value number ' || lpad(i::text, 5, '0'), i / 4.0, -i / 8.0, i / 10.0, lpad(to_hex(i), 32, '0')::uuid,
  timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', date '2026-01-01' + i / 100, decode(lpad(to_hex(i), 6, '0'), 'hex'), i > 7000,
  jsonb_build_object('a', i % 5), -i, NULL, ARRAY[i, i + 1]
FROM generate_series(1, 10000) AS i;
SELECT row_groups, rows, deleted_rows, delta_rows, delta_bytes > 0 AS delta_bytes, index_bytes > 0 AS index_bytes, sort_quality
FROM hanzo_datastore.columnar_tables WHERE relation = 't'::regclass;

-- In columns, some deleted, some updated.
CALL hanzo_datastore.compact('t');
DELETE FROM t WHERE id % 100 = 0;
UPDATE t SET k = 11 WHERE id % 1000 = 1;
SELECT row_groups, rows, deleted_rows, delta_rows, raw_bytes > compressed_bytes AS compressed, compression_ratio > 1 AS ratio,
  column_store_bytes >= compressed_bytes AS stored, sort_quality
FROM hanzo_datastore.columnar_tables WHERE relation = 't'::regclass;
SELECT row_group, first_row, rows, deleted_rows, raw_bytes > compressed_bytes AS compressed, compressed_bytes <= pages * 8192::bigint AS paged, overlapping
FROM hanzo_datastore.columnar_row_groups WHERE relation = 't'::regclass ORDER BY row_group;
SELECT column_name, data_type, row_groups, encodings, codecs, null_values, raw_bytes, compressed_bytes > 0 AS compressed_bytes, bloom_filters, min_value, max_value
FROM hanzo_datastore.columnar_columns WHERE relation = 't'::regclass;
SELECT row_group, column_name, encoding, codec, null_values, dictionary_entries, bloom_filter, raw_bytes, compressed_bytes > 0 AS compressed_bytes, min_value, max_value
FROM hanzo_datastore.column_chunk_stats('t') WHERE row_group < 24 AND column_name IN ('id', 'flag', 'j', 'u', 'v');
-- The sums agree.
SELECT (SELECT sum(rows - deleted_rows) FROM hanzo_datastore.row_group_stats('t')) = s.rows AS rows,
  s.rows + s.delta_rows = (SELECT count(*) FROM t) AS all_rows,
  (SELECT sum(raw_bytes) FROM hanzo_datastore.column_stats('t')) = s.raw_bytes AS columns,
  (SELECT sum(raw_bytes) FROM hanzo_datastore.column_chunk_stats('t')) = s.raw_bytes AS chunks
FROM hanzo_datastore.table_stats('t') AS s;
SELECT count(*) FROM hanzo_datastore.verify('t');
-- What the snapshot sees, not what is there.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT rows, deleted_rows FROM hanzo_datastore.table_stats('t');
DELETE FROM t WHERE id <= 150;
SELECT rows, deleted_rows FROM hanzo_datastore.table_stats('t');
ROLLBACK;
SELECT rows, deleted_rows FROM hanzo_datastore.table_stats('t');

-- Row groups that overlap; then sorted as a whole.
CREATE TABLE o (id integer, v text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('o', order_by => 'id DESC', row_group_rows => 2048);
INSERT INTO o SELECT i * 7919 % 6144, 'x' FROM generate_series(1, 6144) AS i;
CALL hanzo_datastore.compact('o');
SELECT row_groups, rows, sort_quality FROM hanzo_datastore.columnar_tables WHERE relation = 'o'::regclass;
SELECT overlapping FROM hanzo_datastore.columnar_row_groups WHERE relation = 'o'::regclass;
CALL hanzo_datastore.optimize('o');
SELECT row_groups, rows, sort_quality FROM hanzo_datastore.columnar_tables WHERE relation = 'o'::regclass;
-- A border that two groups share is no overlap.
TRUNCATE o;
INSERT INTO o SELECT i / 1500, 'x' FROM generate_series(0, 6143) AS i;
CALL hanzo_datastore.optimize('o');
SELECT row_groups, sort_quality FROM hanzo_datastore.columnar_tables WHERE relation = 'o'::regclass;
-- No column that says how rows are sorted.
SELECT hanzo_datastore.alter_columnar_table('o', order_by => 'abs(id)');
SELECT row_groups, sort_quality FROM hanzo_datastore.columnar_tables WHERE relation = 'o'::regclass;

-- Columns added and changed later; values at their limits; multibyte texts cut at 16 bytes.
CREATE TABLE later (id integer, i8 bigint, f double precision, t text, n numeric) USING hanzo_columnar;
INSERT INTO later VALUES (1, 9223372036854775807, 'NaN', repeat('é', 20), 'NaN'), (2, -9223372036854775808, '-Infinity', '', 1.50), (3, NULL, '-0', NULL, NULL);
CALL hanzo_datastore.compact('later');
SELECT column_name, null_values, min_value, max_value FROM hanzo_datastore.columnar_columns WHERE relation = 'later'::regclass;
ALTER TABLE later ADD COLUMN added text DEFAULT 'default';
ALTER TABLE later ALTER COLUMN id TYPE bigint;
INSERT INTO later VALUES (4, 4, 4, 'four', 4, 'four');
CALL hanzo_datastore.compact('later');
SELECT column_name, data_type, row_groups, null_values, min_value, max_value FROM hanzo_datastore.columnar_columns WHERE relation = 'later'::regclass;
SELECT count(*) FROM hanzo_datastore.verify('later');
DROP TABLE later;

-- Partitions, temporary tables, materialized views, tables without columns, wide values in the delta and in columns.
CREATE TABLE parted (id integer, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10) USING hanzo_columnar;
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20) USING heap;
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (20) TO (30) USING hanzo_columnar;
INSERT INTO parted SELECT i, repeat(md5(i::text), 1000) FROM generate_series(0, 29) AS i;
CALL hanzo_datastore.compact('parted_1');
CREATE TEMPORARY TABLE temporary (id integer) USING hanzo_columnar;
INSERT INTO temporary VALUES (1);
CREATE MATERIALIZED VIEW mat USING hanzo_columnar AS SELECT * FROM t;
CREATE TABLE empty () USING hanzo_columnar;
INSERT INTO empty DEFAULT VALUES;
CALL hanzo_datastore.compact('empty');
SELECT relation, row_groups, rows, delta_rows FROM hanzo_datastore.columnar_tables WHERE relation::text ~ '^(parted|temporary|mat|empty)' ORDER BY relation::text;
SELECT * FROM hanzo_datastore.verify('parted');
SELECT * FROM hanzo_datastore.verify('temporary');
SELECT * FROM hanzo_datastore.verify('mat');
SELECT * FROM hanzo_datastore.verify('empty');

-- Bad input.
CREATE TABLE heap (id integer) USING heap;
CREATE VIEW view AS SELECT 1 AS id;
SELECT * FROM hanzo_datastore.table_stats('heap');
SELECT * FROM hanzo_datastore.row_group_stats('view');
SELECT * FROM hanzo_datastore.column_stats('parted');
SELECT * FROM hanzo_datastore.column_chunk_stats('t_pkey');
SELECT * FROM hanzo_datastore.verify('heap');
SELECT * FROM hanzo_datastore.verify('pg_class');
SELECT * FROM hanzo_datastore.verify(4294967295);
SELECT * FROM hanzo_datastore.table_stats(NULL);

-- Who sees what.
CREATE ROLE inspect_nobody;
CREATE ROLE inspect_column;
CREATE ROLE inspect_reader;
CREATE ROLE inspect_monitor IN ROLE pg_read_all_stats;
GRANT USAGE ON SCHEMA inspect_test TO inspect_nobody, inspect_column, inspect_reader, inspect_monitor;
GRANT SELECT (k) ON t TO inspect_column;
GRANT SELECT ON t TO inspect_reader;
CREATE VIEW seen AS
SELECT current_user, (SELECT count(*) FROM hanzo_datastore.columnar_tables WHERE relation = 'inspect_test.t'::regclass) AS tables,
  (SELECT count(*) FROM hanzo_datastore.columnar_row_groups WHERE relation = 'inspect_test.t'::regclass) AS row_groups,
  (SELECT count(*) FROM hanzo_datastore.columnar_columns WHERE relation = 'inspect_test.t'::regclass) AS columns,
  (SELECT string_agg(column_name, ',') FROM hanzo_datastore.columnar_columns
   WHERE relation = 'inspect_test.t'::regclass AND (min_value IS NOT NULL OR max_value IS NOT NULL)) AS bounds,
  (SELECT count(*) FROM hanzo_datastore.columnar_tables WHERE relation = 'inspect_test.o'::regclass) AS other_tables;
GRANT SELECT ON seen TO PUBLIC;
SET ROLE inspect_nobody;
SELECT * FROM seen;
SELECT * FROM hanzo_datastore.table_stats('t');
SELECT * FROM hanzo_datastore.row_group_stats('t');
SELECT * FROM hanzo_datastore.column_stats('t');
SELECT * FROM hanzo_datastore.column_chunk_stats('t');
SELECT * FROM hanzo_datastore.verify('t');
SELECT * FROM hanzo_datastore.verify('parted');
SET ROLE inspect_column;
SELECT * FROM seen;
SELECT DISTINCT column_name FROM hanzo_datastore.column_chunk_stats('t') WHERE min_value IS NOT NULL;
SELECT * FROM hanzo_datastore.verify('t');
SET ROLE inspect_monitor;
SELECT * FROM seen;
SELECT * FROM hanzo_datastore.verify('t');
SET ROLE inspect_reader;
SELECT * FROM seen;
RESET ROLE;
-- Row security hides rows, hence bounds.
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
SET ROLE inspect_reader;
SELECT * FROM seen;
SELECT count(*) FROM hanzo_datastore.column_chunk_stats('t') WHERE min_value IS NOT NULL;
RESET ROLE;
SELECT * FROM seen;

SET client_min_messages = warning;
DROP SCHEMA inspect_test CASCADE;
DROP ROLE inspect_nobody, inspect_column, inspect_reader, inspect_monitor;
