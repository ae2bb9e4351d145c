CREATE PROCEDURE hanzo_datastore.compact(relation regclass)
LANGUAGE C
AS 'MODULE_PATHNAME', 'hanzo_compact';

COMMENT ON PROCEDURE hanzo_datastore.compact(regclass) IS
'moves committed rows of a columnar table (or of all its partitions) into row groups, merges small groups and rewrites those with many deleted rows; a transaction per group when called outside of one';

CREATE PROCEDURE hanzo_datastore.optimize(relation regclass)
LANGUAGE C
AS 'MODULE_PATHNAME', 'hanzo_optimize';

COMMENT ON PROCEDURE hanzo_datastore.optimize(regclass) IS
'rewrites a columnar table (or each of its partitions) sorted by its sort key as a whole';

CREATE VIEW hanzo_datastore.compaction_progress AS
SELECT p.pid,
       d.datname,
       -- the name of another database's table is not known here
       CASE WHEN d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() THEN p.relid::regclass END AS relation,
       CASE p.param12 WHEN 1 THEN 'moving rows out of the delta'
                      WHEN 2 THEN 'rewriting row groups'
                      WHEN 3 THEN 'sorting'
                      WHEN 4 THEN 'tidying'
                      WHEN 5 THEN 'writing sorted row groups' END AS phase,
       p.param3 AS rows_done,
       p.param11 AS rows_total
FROM pg_catalog.pg_stat_get_progress_info('COPY') AS p
LEFT JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) p.datid
WHERE p.param5 OPERATOR(pg_catalog.=) 100;

COMMENT ON VIEW hanzo_datastore.compaction_progress IS
'compactions under way in any session: rows done of rows to do in the present phase';

GRANT SELECT ON hanzo_datastore.compaction_progress TO PUBLIC;

-- A heap of short columns has no TOAST relation, in which a columnar table keeps its row groups, and SET ACCESS METHOD makes none:
-- PostgreSQL asks whether a table needs one before the access method changes.
CREATE FUNCTION hanzo_datastore.add_store(relation regclass)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'hz_add_store';

COMMENT ON FUNCTION hanzo_datastore.add_store(regclass) IS
  'Internal: makes the TOAST relation that a columnar table lacks.';

CREATE FUNCTION hanzo_datastore.add_stores()
RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  altered regclass;
BEGIN
  FOR altered IN
    SELECT DISTINCT c.oid::regclass
    FROM pg_event_trigger_ddl_commands() AS d
    JOIN pg_class AS c ON c.oid = d.objid
    JOIN pg_am AS a ON a.oid = c.relam
    WHERE d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'm') AND c.reltoastrelid = 0 AND a.amname = 'hanzo_columnar'
  LOOP
    PERFORM hanzo_datastore.add_store(altered);
  END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.add_stores() IS 'Internal: called after ALTER TABLE.';

CREATE EVENT TRIGGER hanzo_datastore_store ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER MATERIALIZED VIEW')
  EXECUTE FUNCTION hanzo_datastore.add_stores();

ALTER EVENT TRIGGER hanzo_datastore_store ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER hanzo_datastore_store IS
  'Gives tables that have become columnar the TOAST relation that they need.';
