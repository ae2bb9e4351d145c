-- Options of columnar tables: two functions that set them, a view that shows them.
--
-- A parameter that is left out leaves its option as it is, NULL resets it. Left out is the parameter's default: ''
-- for text, 0 for integers, '{}' for arrays, none of which an option can be. A boolean has no such value, hence
-- alter_columnar_column() with and without bloom.
--
-- Options live in security labels (src/storage/options.h says why). No SET search_path: these are C functions that
-- look up nothing by name but what the caller writes in order_by, which means what it means in the caller's session.

CREATE FUNCTION hanzo_datastore.alter_columnar_table(
  relation regclass,
  order_by text DEFAULT '',
  compression text DEFAULT '',
  compression_level integer DEFAULT 0,
  row_group_rows integer DEFAULT 0,
  bloom text[] DEFAULT '{}'
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_alter_columnar_table';

COMMENT ON FUNCTION hanzo_datastore.alter_columnar_table(regclass, text, text, integer, integer, text[]) IS
  'Sets options of a columnar table, or of a partitioned table for its partitions. What is left out stays, NULL resets.';

CREATE FUNCTION hanzo_datastore.alter_columnar_column(
  relation regclass,
  column_name name,
  compression text DEFAULT '',
  compression_level integer DEFAULT 0
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_alter_columnar_column';

COMMENT ON FUNCTION hanzo_datastore.alter_columnar_column(regclass, name, text, integer) IS
  'Sets options of one column of a columnar or partitioned table. What is left out stays, NULL resets.';

CREATE FUNCTION hanzo_datastore.alter_columnar_column(
  relation regclass,
  column_name name,
  bloom boolean,
  compression text DEFAULT '',
  compression_level integer DEFAULT 0
)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_alter_columnar_column';

COMMENT ON FUNCTION hanzo_datastore.alter_columnar_column(regclass, name, boolean, text, integer) IS
  'Sets options of one column of a columnar or partitioned table, its bloom filter included. NULL resets.';

CREATE FUNCTION hanzo_datastore.columnar_options_of(
  relation regclass,
  OUT column_name name,
  OUT option text,
  OUT value text,
  OUT source text
)
RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hz_columnar_options';

COMMENT ON FUNCTION hanzo_datastore.columnar_options_of(regclass) IS
  'The options that hold for one table; the view columnar_options shows those of all.';

-- Columnar tables, and the partitioned tables that have options or a columnar partition.
CREATE VIEW hanzo_datastore.columnar_options AS
WITH access_method AS (
  SELECT oid FROM pg_catalog.pg_am WHERE amname = 'hanzo_columnar' AND amtype = 't'
)
SELECT c.oid::pg_catalog.regclass AS relation, o.column_name, o.option, o.value, o.source
FROM pg_catalog.pg_class AS c
CROSS JOIN LATERAL hanzo_datastore.columnar_options_of(c.oid::pg_catalog.regclass) AS o
WHERE (c.relkind IN ('r', 'm') AND c.relam = (SELECT oid FROM access_method))
  OR (c.relkind = 'p'
    AND (c.oid IN (
        SELECT l.objoid
        FROM pg_catalog.pg_seclabel AS l
        WHERE l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND l.provider = 'hanzo_datastore'
      )
      OR c.oid IN (
        SELECT a.relid
        FROM pg_catalog.pg_class AS p
        CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(p.oid::pg_catalog.regclass) AS a
        WHERE p.relispartition AND p.relkind = 'r' AND p.relam = (SELECT oid FROM access_method)
      )));

COMMENT ON VIEW hanzo_datastore.columnar_options IS
  'Options of columnar tables. column_name is NULL for the table itself; source says who set it: table, inherited from an ancestor, or default.';

GRANT SELECT ON hanzo_datastore.columnar_options TO PUBLIC;

-- A dump sets options by SECURITY LABEL, which knows our labels only once the library is loaded; calling the
-- trigger's function loads it. Matters where the extension was there before the restore. Commands that change what belongs to
-- a table are seen by the library's hook (src/rollup/ddl.h).
CREATE FUNCTION hanzo_datastore.load_library()
RETURNS event_trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'hz_load_library';

COMMENT ON FUNCTION hanzo_datastore.load_library() IS
  'Internal: does nothing but to be loaded, so that SECURITY LABEL finds the label provider hanzo_datastore, and rollups see what becomes of partitions.';

CREATE EVENT TRIGGER hanzo_datastore_load_library
  ON ddl_command_start
  WHEN TAG IN ('SECURITY LABEL', 'ALTER TABLE', 'CREATE TABLE', 'DROP TABLE', 'DROP SCHEMA', 'DROP OWNED')
  EXECUTE FUNCTION hanzo_datastore.load_library();

ALTER EVENT TRIGGER hanzo_datastore_load_library ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER hanzo_datastore_load_library IS
  'Internal: loads the library before commands that it has to know of.';
