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
