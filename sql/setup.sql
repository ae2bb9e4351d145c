-- What every test needs: the extension, others to test with, and helper functions in schema test. Runs first.
CREATE EXTENSION hanzo_datastore;
SET client_min_messages = warning;
CREATE EXTENSION amcheck;
CREATE EXTENSION btree_gist;
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION pg_trgm;
CREATE SCHEMA test;
RESET client_min_messages;

-- An expression over the columns of a table: what its row is, to the byte. Types without a send function as text.
CREATE FUNCTION test.row_bytes(t regclass)
RETURNS text
LANGUAGE sql STABLE
AS $$
  SELECT format('sha256(record_send(ROW(%s)))',
    string_agg(CASE WHEN a.atttypid IN ('aclitem'::regtype, 'aclitem[]'::regtype)
                    THEN format('%I::text', a.attname) ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attname))
  FROM pg_attribute AS a
  WHERE a.attrelid = t AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- Rows that only one of two tables has, doubles counted. Columns are matched by name.
CREATE FUNCTION test.differences(a regclass, b regclass)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
  result bigint;
BEGIN
  EXECUTE format(
    'WITH x AS MATERIALIZED (SELECT %1$s AS bytes FROM %2$s), y AS MATERIALIZED (SELECT %3$s AS bytes FROM %4$s)
     SELECT count(*) FROM ((TABLE x EXCEPT ALL TABLE y) UNION ALL (TABLE y EXCEPT ALL TABLE x)) AS d',
    test.row_bytes(a), a, test.row_bytes(b), b)
    INTO result;
  RETURN result;
END
$$;

-- Likewise, but the rows of `a` are fetched one by one through an index on column id, in no particular order.
CREATE FUNCTION test.differences_by_index(a regclass, b regclass)
RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_sort = off SET enable_material = off SET enable_memoize = off
AS $$
DECLARE
  result bigint;
BEGIN
  EXECUTE format(
    'WITH ids AS MATERIALIZED (SELECT id FROM %4$s ORDER BY hashint8(id::bigint), id),
       x AS MATERIALIZED (SELECT f.bytes FROM ids CROSS JOIN LATERAL
         (SELECT %1$s AS bytes FROM %2$s AS t WHERE t.id = ids.id OFFSET 0) AS f),
       y AS MATERIALIZED (SELECT %3$s AS bytes FROM %4$s)
     SELECT count(*) FROM ((TABLE x EXCEPT ALL TABLE y) UNION ALL (TABLE y EXCEPT ALL TABLE x)) AS d',
    test.row_bytes(a), a, test.row_bytes(b), b)
    INTO result;
  RETURN result;
END
$$;

-- In which store the rows are that the caller sees: delta, columns, both, nowhere.
CREATE FUNCTION test.stores(t regclass)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  delta bigint;
  columns bigint;
BEGIN
  EXECUTE format(
    'SELECT count(*) FILTER (WHERE block < 2147483648), count(*) FILTER (WHERE block >= 2147483648)
     FROM (SELECT (ctid::text::point)[0] AS block FROM %s) AS t', t)
    INTO delta, columns;
  RETURN CASE WHEN delta > 0 AND columns > 0 THEN 'both' WHEN delta > 0 THEN 'delta'
              WHEN columns > 0 THEN 'columns' ELSE 'nowhere' END;
END
$$;

-- Errors of amcheck, for every btree index of a table, against the table; NULL: none.
CREATE FUNCTION test.index_damage(t regclass)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  i regclass;
BEGIN
  FOR i IN
    SELECT x.indexrelid FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid JOIN pg_am AS m ON m.oid = c.relam
    WHERE x.indrelid = t AND m.amname = 'btree' AND x.indisvalid ORDER BY c.relname
  LOOP
    PERFORM bt_index_parent_check(i, true, true);
  END LOOP;
  RETURN NULL;
EXCEPTION WHEN data_corrupted OR index_corrupted OR internal_error THEN
  RETURN format('%s: %s', i, SQLERRM);
END
$$;

-- Whether the plan of a query has a node like this.
CREATE FUNCTION test.plan_has(query text, pattern text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  line text;
  found boolean := false;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    found := found OR line LIKE '%' || pattern || '%';
  END LOOP;
  RETURN found;
END
$$;

-- The SQLSTATE and message of a statement that fails; 'ok' of one that does not.
CREATE FUNCTION test.outcome(statement text)
RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE statement;
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- What a query answers, in any order: the number of rows and a hash of them, or its error.
CREATE FUNCTION test.answer(query text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(x::text, ''|'' ORDER BY x::text)), '''') FROM (%s) AS x', query) INTO result;
  RETURN result;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- The first number that EXPLAIN ANALYZE gives for a property; 0: it has none.
CREATE FUNCTION test.measured(query text, what text)
RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN coalesce((jsonb_path_query_first(plan, ('$.**."' || what || '"')::jsonpath) #>> '{}')::bigint, 0);
END
$$;

-- Waits, for three minutes at most, until no other session's snapshot (of one that is leaving, say) keeps VACUUM from removing what is dead.
CREATE PROCEDURE test.wait_until_alone()
LANGUAGE plpgsql
AS $$
BEGIN
  FOR i IN 1..18000 LOOP
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid());
    PERFORM pg_sleep(0.01);
  END LOOP;
END
$$;

-- A number that looks random, the same everywhere.
CREATE FUNCTION test.noise(i bigint, seed bigint DEFAULT 0)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashint8extended(i, seed) $$;

GRANT USAGE ON SCHEMA test TO PUBLIC;
