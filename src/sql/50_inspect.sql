-- What is in columnar tables: sizes, rows, encodings, bounds. The functions answer for one table and need SELECT on
-- it or on one of its columns, or membership of pg_read_all_stats; the views show the tables for which that holds.
-- Bounds are shown to those who may read the column and are not under row security on it.
--
-- No SET search_path: these are C functions that look up nothing by name.

CREATE FUNCTION hanzo_datastore.table_stats(
  relation regclass,
  OUT row_groups bigint,
  OUT rows bigint,
  OUT deleted_rows bigint,
  OUT delta_rows bigint,
  OUT delta_bytes bigint,
  OUT raw_bytes bigint,
  OUT compressed_bytes bigint,
  OUT column_store_bytes bigint,
  OUT sort_quality double precision
)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 1
AS 'MODULE_PATHNAME', 'hz_table_stats';

COMMENT ON FUNCTION hanzo_datastore.table_stats(regclass) IS
  'Figures of one columnar table; the view columnar_tables shows those of all.';

CREATE FUNCTION hanzo_datastore.row_group_stats(
  relation regclass,
  OUT row_group bigint,
  OUT first_row tid,
  OUT rows bigint,
  OUT deleted_rows bigint,
  OUT raw_bytes bigint,
  OUT compressed_bytes bigint,
  OUT pages integer,
  OUT overlapping boolean
)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'hz_row_group_stats';

COMMENT ON FUNCTION hanzo_datastore.row_group_stats(regclass) IS
  'Row groups of one columnar table; the view columnar_row_groups shows those of all.';

CREATE FUNCTION hanzo_datastore.column_stats(
  relation regclass,
  OUT column_name name,
  OUT data_type regtype,
  OUT row_groups bigint,
  OUT encodings text,
  OUT codecs text,
  OUT null_values bigint,
  OUT raw_bytes bigint,
  OUT compressed_bytes bigint,
  OUT bloom_filters bigint,
  OUT min_value text,
  OUT max_value text
)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'hz_column_stats';

COMMENT ON FUNCTION hanzo_datastore.column_stats(regclass) IS
  'Columns of one columnar table, over all of its row groups; the view columnar_columns shows those of all tables.';

CREATE FUNCTION hanzo_datastore.column_chunk_stats(
  relation regclass,
  OUT row_group bigint,
  OUT column_name name,
  OUT encoding text,
  OUT codec text,
  OUT null_values bigint,
  OUT dictionary_entries bigint,
  OUT bloom_filter boolean,
  OUT raw_bytes bigint,
  OUT compressed_bytes bigint,
  OUT min_value text,
  OUT max_value text
)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'hz_column_chunk_stats';

COMMENT ON FUNCTION hanzo_datastore.column_chunk_stats(regclass) IS
  'Every column chunk of one columnar table: encoding of most vectors, codec of most frames, bounds of its values (deleted ones too, texts in byte order, cut at 16 bytes).';

CREATE FUNCTION hanzo_datastore.verify(
  relation regclass,
  OUT table_name regclass,
  OUT store text,
  OUT row_group bigint,
  OUT column_name name,
  OUT block bigint,
  OUT problem text
)
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_verify';

COMMENT ON FUNCTION hanzo_datastore.verify(regclass) IS
  'Reads and checks every byte of a columnar table, or of all columnar partitions; returns what is damaged, no rows when nothing is.';

-- The columnar tables whose figures the caller may see.
CREATE VIEW hanzo_datastore.inspectable_tables AS
SELECT c.oid::pg_catalog.regclass AS relation
FROM pg_catalog.pg_class AS c
WHERE c.relkind IN ('r', 'm')
  AND c.relam OPERATOR(pg_catalog.=) (SELECT oid FROM pg_catalog.pg_am WHERE amname = 'hanzo_columnar' AND amtype = 't')
  AND (c.relpersistence <> 't' OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
  AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'));

COMMENT ON VIEW hanzo_datastore.inspectable_tables IS
  'Columnar tables whose figures the caller may see.';

CREATE VIEW hanzo_datastore.columnar_tables AS
SELECT t.relation, s.row_groups, s.rows, s.deleted_rows, s.delta_rows, s.delta_bytes, s.raw_bytes, s.compressed_bytes,
       pg_catalog.round(s.raw_bytes::numeric / nullif(s.compressed_bytes, 0), 2) AS compression_ratio,
       s.column_store_bytes, pg_catalog.pg_indexes_size(t.relation) AS index_bytes, s.sort_quality
FROM hanzo_datastore.inspectable_tables AS t
CROSS JOIN LATERAL hanzo_datastore.table_stats(t.relation) AS s;

COMMENT ON VIEW hanzo_datastore.columnar_tables IS
  'Columnar tables: rows are those in row groups without the deleted ones, delta_rows those not compacted yet (an estimate beyond 8 MB). sort_quality: share of the row groups that share no values of the leading sort key column with another one; NULL without such a column.';

CREATE VIEW hanzo_datastore.columnar_row_groups AS
SELECT t.relation, s.row_group, s.first_row, s.rows, s.deleted_rows, s.raw_bytes, s.compressed_bytes,
       pg_catalog.round(s.raw_bytes::numeric / nullif(s.compressed_bytes, 0), 2) AS compression_ratio, s.pages, s.overlapping
FROM hanzo_datastore.inspectable_tables AS t
CROSS JOIN LATERAL hanzo_datastore.row_group_stats(t.relation) AS s;

COMMENT ON VIEW hanzo_datastore.columnar_row_groups IS
  'Row groups of columnar tables. overlapping: whether it shares values of the leading sort key column with another row group.';

CREATE VIEW hanzo_datastore.columnar_columns AS
SELECT t.relation, s.column_name, s.data_type, s.row_groups, s.encodings, s.codecs, s.null_values, s.raw_bytes, s.compressed_bytes,
       pg_catalog.round(s.raw_bytes::numeric / nullif(s.compressed_bytes, 0), 2) AS compression_ratio, s.bloom_filters, s.min_value, s.max_value
FROM hanzo_datastore.inspectable_tables AS t
CROSS JOIN LATERAL hanzo_datastore.column_stats(t.relation) AS s;

COMMENT ON VIEW hanzo_datastore.columnar_columns IS
  'Columns of columnar tables, over all row groups: how many row groups use which encoding and codec, and the bounds of the values (deleted ones too, texts in byte order, cut at 16 bytes).';

GRANT SELECT ON hanzo_datastore.inspectable_tables, hanzo_datastore.columnar_tables, hanzo_datastore.columnar_row_groups,
  hanzo_datastore.columnar_columns TO PUBLIC;
