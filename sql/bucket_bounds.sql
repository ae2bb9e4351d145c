-- Conditions on date_trunc() and date_bin() of a time column prune partitions and row groups, and nothing that satisfies them.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET plan_cache_mode = force_custom_plan;
SET max_parallel_workers_per_gather = 0;
-- The year in which Samoa left out 30 December; in Havana midnight comes twice a year, in São Paulo once a year not at all.
CREATE TABLE h (at timestamptz, clock timestamp);
INSERT INTO h SELECT t, t AT TIME ZONE 'UTC' FROM (
  SELECT generate_series(timestamptz '2011-01-25', '2012-02-10', '131 minutes') UNION ALL
  SELECT d + offs FROM generate_series(timestamptz '2011-01-25', '2012-02-10', '1 day') AS d, unnest('{0,-1 us,4 hours,-1 us 5 hours,10 hours}'::interval[]) AS offs UNION ALL
  SELECT generate_series(timestamptz '2011-11-06 03:50', '2011-11-06 07:10', '5 minutes') UNION ALL
  SELECT unnest('{infinity,-infinity,NULL}'::timestamptz[])) AS x (t);
CREATE TABLE c (at timestamptz, clock timestamp) PARTITION BY RANGE (at);
SELECT count(test.outcome(format('CREATE TABLE c_%s PARTITION OF c FOR VALUES FROM (%L) TO (%L) USING hanzo_columnar', to_char(m, 'YYYYMM'), m, m + interval '1 month')))
FROM generate_series(timestamptz '2011-01-01', '2012-02-01', '1 month') AS m;
CREATE TABLE c_rest PARTITION OF c DEFAULT USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table(r, row_group_rows => 2048) FROM pg_partition_tree('c') AS r (r) WHERE isleaf \g /dev/null
INSERT INTO c SELECT * FROM h ORDER BY at;
CALL hanzo_datastore.compact('c');
-- One table for row groups to be pruned
CREATE TABLE one (at timestamptz, clock timestamp) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('one', row_group_rows => 2048);
INSERT INTO one SELECT h.* FROM h, generate_series(1, 10) ORDER BY at;
CALL hanzo_datastore.compact('one');

-- Every unit, operator and zone, with constants that are starts of buckets, just beside them, and far away
CREATE TABLE zones (zone text);
INSERT INTO zones VALUES ('UTC'), ('America/Havana'), ('America/Sao_Paulo'), ('Pacific/Apia'), ('Europe/Berlin'), ('Asia/Kathmandu'), ('AAA-167BBB167,M4.1.0,M10.1.0');
CREATE TABLE buckets AS
  SELECT zone, format('date_trunc(%L, at, %L)', unit, zone) AS bucket, 'timestamptz' AS type
    FROM zones, unnest('{minute,hour,day,week,month,quarter,year}'::text[]) AS unit
  UNION ALL SELECT zone, format('date_trunc(%L, at)', unit), 'timestamptz' FROM zones, unnest('{hour,day,month}'::text[]) AS unit
  UNION ALL SELECT 'UTC', format('date_trunc(%L, %s)', unit, col), 'timestamp'
    FROM unnest('{minute,hour,day,week,month,quarter,year}'::text[]) AS unit, unnest('{clock,at AT TIME ZONE ''UTC''}'::text[]) AS col
  UNION ALL SELECT 'UTC', format('date_bin(%L, %s, %L)', stride, col, origin), CASE col WHEN 'at' THEN 'timestamptz' ELSE 'timestamp' END
    FROM unnest('{15 minutes,7 days,31 days 01:02:03}'::text[]) AS stride, unnest('{at,clock}'::text[]) AS col, unnest('{2001-01-01,2011-06-07 08:09:10,2040-01-01}'::text[]) AS origin;
CREATE TABLE constants (value text);
INSERT INTO constants VALUES ('2011-03-01'), ('2011-10-31 23:59:59.999999'), ('2011-11-06 05:00'), ('2011-12-30 10:00'), ('2012-01-01'), ('2011-07-01 00:00:00.000001'),
  ('infinity'), ('-infinity'), ('1999-01-01'), ('2099-12-31'), ('294276-12-31'), ('4714-12-24 00:00:00 BC');
CREATE FUNCTION counted(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  result bigint;
BEGIN
  EXECUTE query INTO result;
  RETURN result;
END$$;
-- The differences between the tables, and with pruning and without; and how often there was something to count
CREATE FUNCTION compared(target text, share float8, OUT differing text[], OUT enough boolean) LANGUAGE plpgsql AS $$
DECLARE
  b record;
  condition text;
  heap bigint;
  columnar bigint;
  found integer := 0;
BEGIN
  FOR b IN SELECT buckets.*, op, value FROM buckets, unnest('{<,<=,=,>=,>}'::text[]) AS op, constants
    WHERE abs(hashtextextended(bucket || zone || op || value, 0) % 1000) < share * 1000
  LOOP
    PERFORM set_config('timezone', b.zone, true);
    condition := CASE WHEN b.op = '=' THEN format('%s = date_trunc(''day'', %L::%s)', b.bucket, b.value, b.type)
                      WHEN length(b.value) % 2 = 0 THEN format('%L::%s %s %s', b.value, b.type, translate(b.op, '<>', '><'), b.bucket)
                      ELSE format('%s %s %L::%s', b.bucket, b.op, b.value, b.type) END;
    heap := counted(format('SELECT count(*) FROM h WHERE %s', condition)) * CASE target WHEN 'one' THEN 10 ELSE 1 END;
    columnar := counted(format('SELECT count(*) FROM %s WHERE %s', target, condition));
    IF heap <> columnar THEN differing := differing || format('%s: %s, not %s', condition, columnar, heap); END IF;
    IF heap > 0 THEN found := found + 1; END IF;
  END LOOP;
  enough := found > 50;
END$$;
SELECT * FROM compared('c', 0.15);
SELECT * FROM compared('one', 0.1);
SET hanzo_datastore.enable_pruning = off;
SELECT * FROM compared('c', 0.05);
RESET hanzo_datastore.enable_pruning;
RESET timezone;
SET timezone = 'UTC';

-- Partitions that a query needs; the default one has NULLs and infinite times
CREATE FUNCTION partitions(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  result text[];
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line ~ ' on c_' THEN result := result || substring(line FROM ' on (c_\w+)'); END IF;
  END LOOP;
  RETURN array_to_string(result, ' ');
END$$;
SELECT condition, partitions('SELECT FROM c WHERE ' || condition) FROM unnest(ARRAY[
  $$date_trunc('month', at, 'UTC') = '2011-05-01'$$,
  $$date_trunc('hour', at, 'UTC') >= '2011-05-01' AND date_trunc('hour', at, 'UTC') < '2011-06-01'$$,
  $$date_trunc('day', at, 'UTC') BETWEEN '2011-05-31' AND '2011-06-01'$$,
  $$'2011-02-01' > date_trunc('day', at, 'UTC')$$,
  $$date_trunc('week', at, 'Europe/Berlin') = '2011-05-15 22:00'$$,
  $$date_trunc('month', at) = '2011-05-01'$$,
  $$date_bin('15 minutes', at, '2001-01-01') = '2011-05-31 23:45'$$,
  $$date_trunc('month', at AT TIME ZONE 'UTC') = '2011-05-01'$$,
  $$date_trunc('hour', at, 'UTC') > 'infinity'$$,
  $$date_trunc('hour', at, 'UTC') = NULL$$,
  $$date_trunc('fortnight', at, 'UTC') < '2011-02-01'$$,
  $$date_trunc('hour', at, 'UTC') IN ('2011-05-01', '2011-07-01')$$]) AS condition;
SET hanzo_datastore.enable_pruning = off;
SELECT partitions($$SELECT FROM c WHERE date_trunc('month', at, 'UTC') = '2011-05-01'$$) LIKE 'c_201101 %' AS all;
RESET hanzo_datastore.enable_pruning;
-- beneath a grouping, in joins of every kind, in subqueries that are not pulled up, for UPDATE and DELETE
SELECT partitions($$SELECT * FROM (SELECT date_trunc('day', at, 'UTC') AS day, count(*) FROM c GROUP BY 1) AS d WHERE day = '2011-05-03'$$);
SELECT partitions($$SELECT FROM h LEFT JOIN c ON h.at = c.at AND date_trunc('month', c.at, 'UTC') = '2011-05-01'$$);
SELECT partitions($$SELECT FROM h LEFT JOIN c ON h.at = c.at WHERE date_trunc('month', c.at, 'UTC') = '2011-05-01'$$);
SELECT partitions($$SELECT FROM h WHERE EXISTS (SELECT FROM c WHERE h.at = c.at AND date_trunc('month', c.at, 'UTC') = '2011-05-01')$$);
SELECT partitions($$DELETE FROM c WHERE date_trunc('month', at, 'UTC') = '2011-05-01'$$);
SELECT count(*), count(c.at) FROM h LEFT JOIN c ON h.at = c.at AND date_trunc('month', c.at, 'UTC') = '2011-05-01' WHERE h.at < '2011-06-01';
SELECT count(*), count(x.at) FROM h LEFT JOIN h AS x ON h.at = x.at AND date_trunc('month', x.at, 'UTC') = '2011-05-01' WHERE h.at < '2011-06-01';
SELECT count(*) FROM c FULL JOIN (SELECT * FROM c WHERE date_trunc('month', at, 'UTC') = '2011-05-01') AS m ON c.at = m.at;
SELECT count(*) FROM h FULL JOIN (SELECT * FROM h WHERE date_trunc('month', at, 'UTC') = '2011-05-01') AS m ON h.at = m.at;

-- Parameters: from below, without arithmetic that might fail
SET plan_cache_mode = force_generic_plan;
PREPARE since(timestamptz) AS SELECT count(*) FROM c WHERE date_trunc('hour', at, 'UTC') >= $1;
EXECUTE since('2011-12-15 10:30');
SELECT count(*) FROM h WHERE date_trunc('hour', at, 'UTC') >= '2011-12-15 10:30';
EXECUTE since('infinity');
EXECUTE since('294276-12-31 23:59:59');
EXECUTE since(NULL);
SELECT test.plan_has($$EXECUTE since('2011-12-15 10:30')$$, 'Subplans Removed: 11');
RESET plan_cache_mode;

-- Row groups of one table
CREATE FUNCTION groups_pruned(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN jsonb_path_query_first(plan::jsonb, '$.**."Row Groups Pruned"');
END$$;
SELECT groups_pruned($$SELECT at FROM one WHERE date_trunc('day', at, 'UTC') = '2011-05-03'$$) > 20 AS pruned;
SELECT groups_pruned($$SELECT at FROM one WHERE date_trunc('day', at, 'UTC') > now() - interval '200 years' AND date_trunc('month', at) = '2011-05-01'$$) > 20 AS pruned;

-- Rollups: a range of buckets reads its months only; the open tail does not read the row groups before it
SELECT hanzo_datastore.create_rollup('hourly', $$SELECT date_trunc('hour', at, 'UTC') AS hour, count(*) AS n FROM c GROUP BY 1$$);
SELECT partitions($$SELECT * FROM hourly WHERE hour >= '2011-05-01' AND hour < '2011-06-01'$$);
SELECT hanzo_datastore.create_rollup('of_one', $$SELECT date_trunc('hour', at, 'UTC') AS hour, count(*) AS n FROM one GROUP BY 1$$);
CALL hanzo_datastore.refresh_rollup('of_one', '2012-02-01');
SELECT groups_pruned($$SELECT count(*) FROM one WHERE at >= hanzo_datastore.rollup_live_from('of_one_states') OR at IS NULL OR at = '-infinity'$$) > 20 AS pruned;
SELECT count(*), sum(n) FROM of_one;
SELECT count(*), sum(n) FROM (SELECT count(*) * 10 AS n FROM h GROUP BY date_trunc('hour', at, 'UTC')) AS x;
SELECT hanzo_datastore.drop_rollup('hourly'), hanzo_datastore.drop_rollup('of_one');

DROP TABLE h, c, one, zones, buckets, constants;
DROP FUNCTION counted, compared, partitions, groups_pruned;
