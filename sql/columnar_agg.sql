-- ColumnarAgg: groups and aggregates in vectors, with threads, writing groups to disk. Every query runs on a heap and on a
-- columnar twin under several settings; the answers must be the same, and the plan what the query's flags say:
--   A  ColumnarAgg did it, natively     P  it gave it to PostgreSQL's own plan     L  where memory is little
--   N  there is no ColumnarAgg          T  threads ran, where the settings allow     S  groups were on disk, where memory is little
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA columnar_agg_test;
SET search_path = columnar_agg_test;
SET timezone = 'UTC';
SET max_parallel_workers_per_gather = 4;

CREATE SCHEMA twin_agg;
CREATE SCHEMA col_agg;
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN word AS varchar(20);

CREATE FUNCTION rows_of(first integer, last integer)
RETURNS TABLE (gone text, id integer, k integer, g integer, s text, t text, n numeric(12,3), nn numeric, wide numeric,
  f float8, f4 float4, fx float8, b bigint, si smallint, flag boolean, d date, ts timestamptz, tl timestamp, tm time, u uuid,
  ch "char", vc varchar(20), bp char(5), by bytea, pos positive, w word, o oid, j jsonb, nothing integer)
LANGUAGE sql
AS $$
  SELECT 'gone', i, nullif(i % 10, 9), i * 7 % 20011, CASE WHEN i % 11 > 0 THEN 'text ' || i % 30 END,
    md5((i * 3 % 25013)::text), round(i / 7.0, 3),
    CASE i % 5 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 WHEN 2 THEN 1.5 WHEN 3 THEN 100 ELSE (i % 100)::numeric / 4 END,
    CASE i % 3 WHEN 0 THEN 1e25 WHEN 1 THEN 1e-20 ELSE i END,
    i % 1000 / 8.0, (i % 100 / 4.0)::float4,
    CASE i % 6 WHEN 0 THEN 'NaN'::float8 WHEN 1 THEN '-0' WHEN 2 THEN 0 WHEN 3 THEN 'Infinity' WHEN 4 THEN '-Infinity'
               ELSE i % 20 END,
    CASE WHEN i % 4 = 0 THEN 9223372036854775807 - i ELSE i::bigint * 1000003 END, (i % 300 - 150)::smallint,
    CASE WHEN i % 3 > 0 THEN i % 2 = 0 END,
    CASE i % 50 WHEN 0 THEN date 'infinity' WHEN 1 THEN '-infinity' ELSE date '2025-01-01' + i % 90 END,
    timestamptz '2025-01-01 00:00+00' + i * interval '7 minutes', timestamp '1999-12-31 23:59:59.5' + i % 77 * interval '1 day',
    time '00:00' + i % 1440 * interval '1 minute', md5((i % 400)::text)::uuid, chr(65 + i % 26)::"char", 'v' || i % 40,
    'b' || i % 9, decode(md5((i % 60)::text), 'hex'), 1 + i % 12, 'w' || i % 8, (4294967295 - i % 5)::oid,
    jsonb_build_object('i', i % 5), NULL::integer
  FROM generate_series(first, last) AS i
$$;

CREATE TABLE twin_agg.events AS SELECT * FROM rows_of(1, 52000);
CREATE TABLE col_agg.events (LIKE twin_agg.events) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('col_agg.events', row_group_rows => 2048);
INSERT INTO col_agg.events SELECT * FROM twin_agg.events;
CALL hanzo_datastore.compact('col_agg.events');

-- Columns come and go, rows are deleted and updated, some are in the delta.
DO $$
DECLARE
  place text;
BEGIN
  FOREACH place IN ARRAY '{twin_agg,col_agg}'::text[] LOOP
    EXECUTE format('ALTER TABLE %I.events DROP COLUMN gone, ADD COLUMN added integer DEFAULT 42, ADD COLUMN later text', place);
    EXECUTE format('DELETE FROM %I.events WHERE id %% 97 = 5 OR id BETWEEN 10000 AND 11500', place);
    EXECUTE format('UPDATE %I.events SET f = f + 0.125 WHERE id %% 131 = 7', place);
    EXECUTE format('INSERT INTO %I.events SELECT i.id, k, g, s, t, n, nn, wide, f, f4, fx, b, si, flag, d, ts, tl, tm, u, ch,
      vc, bp, by, pos, w, o, j, nothing, i.id, ''later'' FROM columnar_agg_test.rows_of(52001, 53500) AS i', place);
    -- partitions: columns in another order, a dropped one, one that is a heap, one empty; and a family
    PERFORM set_config('search_path', place || ', columnar_agg_test', true);
    CREATE TABLE parts (id integer, k integer, t text, n numeric(12,3), f float8) PARTITION BY RANGE (id);
    EXECUTE format('CREATE TABLE parts_1 (extra text, n numeric(12,3), t text, gone integer, k integer, f float8, id integer)
      USING %I', CASE place WHEN 'col_agg' THEN 'hanzo_columnar' ELSE 'heap' END);
    EXECUTE format('CREATE TABLE parts_2 (LIKE parts) USING %I', CASE place WHEN 'col_agg' THEN 'hanzo_columnar' ELSE 'heap' END);
    CREATE TABLE parts_3 (f float8, id integer, t text, k integer, n numeric(12,3)) USING heap;
    EXECUTE format('CREATE TABLE parts_4 (LIKE parts) USING %I', CASE place WHEN 'col_agg' THEN 'hanzo_columnar' ELSE 'heap' END);
    INSERT INTO parts_1 SELECT 'extra', n, t, id, k, f, id FROM events WHERE id < 6000;
    INSERT INTO parts_2 SELECT id, k, t, n, f FROM events WHERE id BETWEEN 6000 AND 8999;
    INSERT INTO parts_3 SELECT f, id, t, k, n FROM events WHERE id BETWEEN 9000 AND 29999;
    ALTER TABLE parts_1 DROP COLUMN extra, DROP COLUMN gone;
    ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (1) TO (6000);
    ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (6000) TO (9000);
    ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES FROM (9000) TO (30000);
    ALTER TABLE parts ATTACH PARTITION parts_4 DEFAULT;
    EXECUTE format('CREATE TABLE empty (LIKE events) USING %I', CASE place WHEN 'col_agg' THEN 'hanzo_columnar' ELSE 'heap' END);
    EXECUTE format('CREATE TABLE sums (k integer, v numeric, x float8) USING %I',
      CASE place WHEN 'col_agg' THEN 'hanzo_columnar' ELSE 'heap' END);
    -- one group of many has a sum that needs 40 digits
    INSERT INTO sums SELECT i % 20000, CASE WHEN i = 7777 THEN 1e15 WHEN i = 27777 THEN 1e-25 ELSE i END,
      CASE WHEN i > 39990 THEN 1e308 ELSE i / 8.0 END FROM generate_series(1, 40000) AS i;
    CREATE VIEW barrier WITH (security_barrier) AS SELECT id, k, s FROM events WHERE k = 3;
  END LOOP;
END
$$;
CALL hanzo_datastore.compact('col_agg.parts_1');
CALL hanzo_datastore.compact('col_agg.sums');
SELECT test.stores('col_agg.events'), test.stores('col_agg.parts_1'), test.stores('col_agg.parts_2');
ANALYZE twin_agg.events, twin_agg.parts, twin_agg.sums, col_agg.events, col_agg.parts, col_agg.sums;
CREATE TABLE numbers AS SELECT generate_series(0, 9) AS x;
ANALYZE numbers;

CREATE TABLE settings (name text, threads integer, memory text, pruning boolean, agg boolean);
INSERT INTO settings VALUES
  ('threads', 4, '64MB', true, true),
  ('alone, small memory', 0, '64kB', true, true),
  ('threads, small memory', 4, '64kB', false, true),
  ('without', 4, '64MB', true, false);

CREATE FUNCTION use(place text, setting settings)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM set_config('search_path', place || ', columnar_agg_test', true),
    set_config('hanzo_datastore.max_threads', setting.threads::text, true),
    set_config('hanzo_datastore.force_threads', (setting.threads > 0)::text, true),
    set_config('work_mem', setting.memory, true),
    set_config('hanzo_datastore.enable_pruning', setting.pruning::text, true),
    set_config('hanzo_datastore.enable_columnar_agg', setting.agg::text, true);
END
$$;

-- The answer to a query, and of its plan the ColumnarAgg at the top, if there is one.
CREATE TABLE answers (rows bigint, hash numeric);
CREATE FUNCTION ask(query text, OUT answer text, OUT node jsonb)
LANGUAGE plpgsql
AS $$
DECLARE
  plan jsonb;
BEGIN
  TRUNCATE answers;
  EXECUTE 'EXPLAIN (ANALYZE, TIMING off, COSTS off, FORMAT json) INSERT INTO columnar_agg_test.answers
    SELECT count(*), sum(hashtextextended(r::text, 0)) FROM (' || query || ') AS r' INTO plan;
  SELECT format('%s rows, hash %s', rows, hash) FROM answers INTO answer;
  node := jsonb_path_query_first(plan, '$.** ? (@."Custom Plan Provider" == "ColumnarAgg")');
END
$$;

CREATE TABLE on_disk (query text); -- with threads
-- What is wrong with a query: NULL if nothing is.
CREATE FUNCTION check_query(query text, flags text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
  setting settings;
  problems text[] := '{}';
  expected text;
  answer text;
  node jsonb;
BEGIN
  PERFORM use('twin_agg', s) FROM settings AS s WHERE name = 'without';
  SELECT a.answer FROM ask(query) AS a INTO expected;
  FOR setting IN SELECT * FROM settings LOOP
    -- what is PostgreSQL's own is tested elsewhere
    CONTINUE WHEN NOT setting.agg AND hashtext(query) % 4 <> 0;
    PERFORM use('col_agg', setting);
    BEGIN
      SELECT a.answer, a.node FROM ask(query) AS a INTO answer, node;
    EXCEPTION WHEN OTHERS THEN
      answer := SQLERRM;
    END;
    IF answer <> expected THEN
      problems := problems || format('%s: %s, not %s', setting.name, answer, expected);
    ELSIF NOT setting.agg OR flags ~ 'N' THEN
      problems := problems || CASE WHEN node IS NOT NULL THEN setting.name || ': ColumnarAgg' END;
    ELSIF node IS NULL THEN
      problems := problems || (setting.name || ': no ColumnarAgg');
    ELSE
      INSERT INTO on_disk SELECT query WHERE setting.threads > 0 AND node ? 'Disk Usage';
      problems := problems || ARRAY[
        CASE WHEN (flags ~ 'A' OR flags ~ 'L' AND setting.memory <> '64kB') AND node ? 'Done by PostgreSQL''s Own Plan'
             THEN setting.name || ': ' || (node ->> 'Done by PostgreSQL''s Own Plan') END,
        -- each thread has a least memory of its own: whether all of them get by with it is a matter of who reads what
        CASE WHEN (flags ~ 'P' OR flags ~ 'L' AND setting.memory = '64kB' AND setting.threads = 0) AND NOT node ? 'Done by PostgreSQL''s Own Plan'
             THEN setting.name || ': done natively' END,
        CASE WHEN flags ~ 'T' AND setting.threads > 0 AND (node ->> 'Threads')::integer <> setting.threads
             THEN format('%s: %s threads', setting.name, node ->> 'Threads') END,
        CASE WHEN setting.threads = 0 AND (node ->> 'Threads')::integer > 0 THEN setting.name || ': threads' END,
        CASE WHEN flags ~ 'S' AND setting.memory = '64kB' AND setting.threads = 0 AND NOT node ? 'Disk Usage'
             THEN setting.name || ': nothing on disk' END];
    END IF;
  END LOOP;
  RETURN nullif(array_to_string(problems, '; '), '');
END
$$;

CREATE TABLE queries (number integer GENERATED ALWAYS AS IDENTITY, flags text, query text);
INSERT INTO queries (flags, query) VALUES
  -- every aggregate, without keys and with them
  ('AT', 'SELECT count(*), count(k), count(nothing), count(added), count(later) FROM events'),
  ('AT', 'SELECT sum(si), sum(k), sum(b), sum(n), sum(nn), sum(f), sum(f4) FROM events'),
  ('AT', 'SELECT avg(si), avg(k), avg(b), avg(n), avg(nn), avg(f), avg(f4) FROM events'),
  ('AT', 'SELECT k, sum(si), sum(k), sum(b), sum(n), sum(nn), sum(f), sum(f4) FROM events GROUP BY k'),
  ('AT', 'SELECT k, avg(si), avg(k), avg(b), avg(n), avg(nn), avg(f), avg(f4) FROM events GROUP BY k'),
  ('AT', 'SELECT k, sum(nothing), avg(nothing), min(nothing), max(nothing), count(DISTINCT nothing) FROM events GROUP BY k'),
  ('AT', 'SELECT min(si), min(k), min(b), min(n), min(f), min(f4), min(d), min(ts), min(tl), min(tm) FROM events'),
  ('AT', 'SELECT max(si), max(k), max(b), max(n), max(f), max(f4), max(d), max(ts), max(tl), max(tm) FROM events'),
  ('AT', 'SELECT s, min(si), max(k), min(b), max(n), min(f), max(f4), min(d), max(ts), min(tl), max(tm) FROM events GROUP BY s'),
  ('AT', 'SELECT min(t COLLATE "C"), max(t COLLATE "C"), max(vc COLLATE "C"), min(later COLLATE "C") FROM events'),
  ('AT', 'SELECT k, min(t COLLATE "C"), max(s COLLATE "C"), max(w COLLATE "C") FROM events GROUP BY k'),
  ('AT', 'SELECT bool_and(flag), bool_or(flag), every(flag), bool_and(k >= 0), bool_or(k > 100) FROM events'),
  ('AT', 'SELECT s, bool_and(flag), bool_or(flag), every(id > 0) FROM events GROUP BY s'),
  ('AT', 'SELECT round(stddev(f)::numeric, 6), round(stddev_pop(f)::numeric, 6), round(stddev_samp(f4)::numeric, 6),
            round(variance(f)::numeric, 4), round(var_pop(f4)::numeric, 4), round(var_samp(f)::numeric, 4) FROM events'),
  ('AT', 'SELECT g, round(stddev(f)::numeric, 6), round(var_pop(f)::numeric, 6) FROM events GROUP BY g'),
  ('AT', 'SELECT id, stddev(f), var_pop(f), var_samp(f4), stddev_pop(f4) FROM events GROUP BY id'),
  ('LT', 'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f), percentile_cont(0.99) WITHIN GROUP (ORDER BY f4::float8),
            percentile_cont(0) WITHIN GROUP (ORDER BY k::float8), percentile_cont(1) WITHIN GROUP (ORDER BY nothing) FROM events'),
  ('LT', 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY k), percentile_disc(0.1) WITHIN GROUP (ORDER BY d),
            percentile_disc(0.9) WITHIN GROUP (ORDER BY ts), percentile_disc(1) WITHIN GROUP (ORDER BY si),
            percentile_disc(0.05) WITHIN GROUP (ORDER BY fx), percentile_disc(0.75) WITHIN GROUP (ORDER BY fx), percentile_disc(0.3) WITHIN GROUP (ORDER BY f4) FROM events
          WHERE id < 50000'),
  ('', 'SELECT k, percentile_cont(NULL) WITHIN GROUP (ORDER BY f), count(*) FROM events WHERE id < 9000 GROUP BY k'),
  -- several of the same values, which are kept once
  ('LT', 'SELECT s, percentile_cont(0.5) WITHIN GROUP (ORDER BY f), percentile_cont(0.95) WITHIN GROUP (ORDER BY f),
            percentile_disc(0.1) WITHIN GROUP (ORDER BY f), percentile_cont(0.5) WITHIN GROUP (ORDER BY f) FILTER (WHERE flag),
            percentile_disc(0.9) WITHIN GROUP (ORDER BY f) FILTER (WHERE flag), percentile_cont(0.5) WITHIN GROUP (ORDER BY si::float8) FROM events GROUP BY s'),
  ('AT', 'SELECT g, sum(si), avg(si), sum(si) FILTER (WHERE flag), avg(si) FILTER (WHERE flag), avg(si) FILTER (WHERE NOT flag), sum(n), avg(n), sum(b), avg(b),
            count(si), count(*), count(*) FILTER (WHERE flag), avg(k), sum(k), max(k), min(k), max(si) FROM events GROUP BY g'),
  ('AT', 'SELECT count(DISTINCT k), count(DISTINCT t), count(DISTINCT b), count(DISTINCT n), count(DISTINCT nn),
            count(DISTINCT f), count(DISTINCT fx), count(DISTINCT u), count(DISTINCT flag), count(DISTINCT ch) FROM events'),
  ('AT', 'SELECT k, count(DISTINCT s), count(DISTINCT d), count(DISTINCT by), count(DISTINCT o), count(DISTINCT tm) FROM events GROUP BY k'),
  ('AT', 'SELECT min(DISTINCT k), max(DISTINCT f), bool_or(DISTINCT flag), sum(k ORDER BY k), count(s ORDER BY s) FROM events'),
  -- sums at their limits
  ('A', 'SELECT sum(b), avg(b), sum(b / 2), sum(-b) FROM events WHERE id % 4 = 0'),
  ('P', 'SELECT sum(wide), avg(wide) FROM events'),
  ('P', 'SELECT k, sum(wide) FROM events GROUP BY k'),
  ('AT', 'SELECT k, count(wide), sum(n) FROM events GROUP BY k'),
  ('P', 'SELECT k, sum(v), avg(v) FROM sums GROUP BY k'),
  ('P', 'SELECT k, sum(v), count(DISTINCT x) FROM sums GROUP BY k'),
  ('P', 'SELECT sum(v), sum(v * 1e20), avg(v * v) FROM sums WHERE k = 7777'),
  ('P', 'SELECT sum(''NaN''::numeric), sum(CASE WHEN id = 7 THEN ''Infinity'' ELSE n END) FROM events WHERE id < 100'),
  ('P', 'SELECT min(CASE WHEN id = 7 THEN ''NaN'' ELSE n END), max(10::numeric ^ 60 + id) FROM events WHERE id < 100'),
  ('AT', 'SELECT sum(CASE WHEN id < 100 THEN ''-0''::float8 END), sum(fx) FILTER (WHERE id % 6 IN (1, 2, 5)) FROM events'),
  ('AT', 'SELECT k, sum(fx) FILTER (WHERE id % 6 = 3), sum(fx) FILTER (WHERE id % 6 IN (3, 4)), sum(fx), avg(fx), max(fx), min(fx),
            var_pop(fx) FROM events GROUP BY k'),
  -- keys of every type
  ('AT', 'SELECT k, count(*) FROM events GROUP BY k'),
  ('AT', 'SELECT si, count(*), sum(id) FROM events GROUP BY si'),
  ('ATS', 'SELECT b, count(*), sum(id) FROM events GROUP BY b'),
  ('AT', 'SELECT n, count(*), sum(id) FROM events GROUP BY n'),
  ('AT', 'SELECT trim_scale(nn), count(*), sum(id) FROM events GROUP BY nn'),
  ('AT', 'SELECT trim_scale(nn), nn = 1, count(DISTINCT nn), trim_scale(min(nn)) FROM events GROUP BY nn'),
  ('AT', 'SELECT f, f4, count(*) FROM events GROUP BY f, f4'),
  ('AT', 'SELECT abs(fx), count(*), sum(id) FROM events GROUP BY fx'),
  ('AT', 'SELECT flag, count(*) FROM events GROUP BY flag'),
  ('AT', 'SELECT d, count(*) FROM events GROUP BY d'),
  ('ATS', 'SELECT ts, count(*) FROM events GROUP BY ts'),
  ('AT', 'SELECT tl, tm, count(*) FROM events GROUP BY tl, tm'),
  ('AT', 'SELECT u, count(*) FROM events GROUP BY u'),
  ('AT', 'SELECT ch, count(*) FROM events GROUP BY ch'),
  ('AT', 'SELECT vc, count(*) FROM events GROUP BY vc'),
  ('AT', 'SELECT by, count(*) FROM events GROUP BY by'),
  ('AT', 'SELECT pos, w, sum(pos), max(pos), count(DISTINCT w) FROM events GROUP BY pos, w'),
  ('AT', 'SELECT o, count(*) FROM events GROUP BY o'),
  ('AT', 'SELECT s, count(*) FROM events GROUP BY s'),
  ('ATS', 'SELECT t, count(*), sum(id) FROM events GROUP BY t'),
  ('AT', 'SELECT added, later, count(*) FROM events GROUP BY added, later'),
  ('AT', 'SELECT nothing, added, sum(added) FROM events GROUP BY nothing, added'),
  ('ATS', 'SELECT g, s, k, count(*) FROM events GROUP BY g, s, k'),
  ('AT', 'SELECT flag, k, si % 3, s, ch, d IS NULL, count(*) FROM events GROUP BY flag, k, si % 3, s, ch, d IS NULL'),
  ('AT', 'SELECT 1, ''x'', count(*) FROM events GROUP BY 1, 2'),
  ('N', 'SELECT count(*) FROM events GROUP BY ()'),
  ('AT', 'SELECT date_trunc(''day'', ts), count(*), sum(n) FROM events GROUP BY 1'),
  ('A', 'SELECT extract(month FROM ts), extract(dow FROM d), count(*) FROM events WHERE isfinite(d) GROUP BY 1, 2'),
  ('A', 'SELECT upper(s), length(t), count(*) FROM events GROUP BY 1, 2'),
  ('AT', 'SELECT CASE WHEN k > 5 THEN ''many'' WHEN k IS NULL THEN ''none'' ELSE s END, count(*) FROM events GROUP BY 1'),
  ('AT', 'SELECT coalesce(k, -1), coalesce(s, t, ''''), count(*) FROM events GROUP BY 1, 2'),
  ('A', 'SELECT j ->> ''i'', count(*) FROM events GROUP BY 1'),
  -- keys that have numbers: runs, few, many, far from each other; combinations of few and of many; dictionaries of a vector
  ('A', 'SELECT id / 500, count(*), count(k), sum(n), count(*) FILTER (WHERE flag), count(DISTINCT s) FROM events GROUP BY 1'),
  ('A', 'SELECT id % 700, count(*), sum(id), count(DISTINCT k) FROM events WHERE id % 3 > 0 GROUP BY 1'),
  ('A', 'SELECT id * 7919 % 40000, count(*), max(id) FROM events GROUP BY 1'),
  ('A', 'SELECT CASE WHEN id % 900 < 3 THEN (id % 900) * 4000000000000000 WHEN id % 7 = 0 THEN -9223372036854775808 ELSE 9223372036854775807 END, count(*), sum(k) FROM events GROUP BY 1'),
  ('A', 'SELECT k, si, flag, nothing, count(*), sum(id) FROM events GROUP BY 1, 2, 3, 4'),
  ('A', 'SELECT id % 1000, s, count(*), sum(id), min(t COLLATE "C") FROM events GROUP BY 1, 2'),
  ('A', 'SELECT id % 60000, k, flag, count(*) FROM events GROUP BY 1, 2, 3'),
  ('A', 'SELECT id / 40000, id % 3, id % 70000 / 30000, count(*) FROM events WHERE flag GROUP BY 1, 2, 3'),
  ('A', 'SELECT (id % 50)::numeric / 10, (id % 4)::numeric(3,1), trim_scale(n), count(*), sum(k) FROM events GROUP BY 1, 2, n'),
  ('A', 'SELECT date_trunc(''hour'', ts), s, count(*), sum(n), count(*) FILTER (WHERE k = 3) FROM events GROUP BY 1, 2'),
  ('A', 'SELECT date_trunc(''day'', ts), date_trunc(''month'', ts), k, flag, count(*) FROM events WHERE id % 5 > 0 GROUP BY 1, 2, 3, 4'),
  ('A', 'SELECT to_char(date_trunc(''day'', ts), ''YYYY-MM-DD''), date_trunc(''day'', ts) > ''2024-01-05'', count(*) FROM events GROUP BY 1, 2'),
  ('A', 'SELECT date_bin(''7 minutes'', ts, ''2024-01-01''), count(*), max(ts) - min(ts) < ''7 minutes'' FROM events WHERE isfinite(ts) GROUP BY 1'),
  ('A', 'SELECT extract(hour FROM ts), extract(isodow FROM ts), extract(week FROM ts), count(*), sum(id) FROM events GROUP BY 1, 2, 3'),
  ('A', 'SELECT extract(minute FROM ts), extract(doy FROM ts), extract(quarter FROM ts), extract(dow FROM ts) + 1, extract(day FROM ts) > 15, count(*) FROM events GROUP BY 1, 2, 3, 4, 5'),
  ('A', 'SELECT extract(month FROM ts) * 100 + extract(day FROM ts), sum(extract(hour FROM ts)), min(extract(minute FROM ts)) FROM events WHERE extract(hour FROM ts) BETWEEN 3 AND 20 GROUP BY 1'),
  -- much of it
  ('ATS', 'SELECT g, count(*), sum(b), min(t COLLATE "C"), max(t COLLATE "C"), min(n), max(nn) >= 1 FROM events GROUP BY g'),
  ('ATS', 'SELECT g, count(DISTINCT t), count(DISTINCT k), count(DISTINCT s), sum(f), avg(n) FROM events GROUP BY g'),
  ('ATS', 'SELECT t, g, count(DISTINCT n), count(DISTINCT u), min(s COLLATE "C") FROM events GROUP BY t, g'),
  ('AS', 'SELECT count(DISTINCT t || s), count(DISTINCT b), count(DISTINCT ts) FROM events'),
  ('ATS', 'SELECT n, fx = 0, flag, bool_or(flag), sum(f4), round(variance(f)::numeric, 5), count(DISTINCT f) FROM events GROUP BY 1, 2, 3'),
  ('L', 'SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY id), percentile_cont(0.9) WITHIN GROUP (ORDER BY f) FROM events GROUP BY g'),
  ('ATS', 'SELECT DISTINCT t FROM events'),
  ('ATS', 'SELECT DISTINCT t, g, flag FROM events'),
  -- filters, conditions
  ('AT', 'SELECT count(*) FILTER (WHERE k = 3), sum(n) FILTER (WHERE s LIKE ''text 1%''), count(DISTINCT t) FILTER (WHERE flag),
            max(d) FILTER (WHERE false), min(id) FILTER (WHERE NULL), count(*) FROM events'),
  ('AT', 'SELECT k, count(*) FILTER (WHERE flag), count(DISTINCT s) FILTER (WHERE id > 40000), sum(id) FILTER (WHERE NOT flag)
          FROM events GROUP BY k'),
  ('AT', 'SELECT k, sum(id), sum(id), sum(id) + 1, sum(id) FILTER (WHERE flag), count(*) FROM events GROUP BY k HAVING sum(id) > 1000'),
  ('AT', 'SELECT k FROM events GROUP BY k HAVING count(*) > 5000 OR k IS NULL'),
  ('AT', 'SELECT max(id) FROM events HAVING count(*) < 10'),
  ('AT', 'SELECT g, count(*) FROM events GROUP BY g HAVING count(*) = 3 AND min(k) = (SELECT min(x) + 2 FROM numbers)'),
  ('A', 'SELECT sum(100 / k), sum(1.0 / k) FROM events WHERE k <> 0'),
  ('AT', 'SELECT s, sum(100 / k) FILTER (WHERE k <> 0), sum(CASE WHEN k <> 0 THEN 100 / k END) FROM events GROUP BY s'),
  ('A', 'SELECT s, count(*) FROM events WHERE id BETWEEN 20000 AND 21000 GROUP BY s'),
  ('A', 'SELECT k, count(*) FROM events WHERE t IN (''a'', md5(''3''), md5(''6'')) GROUP BY k'),
  ('A', 'SELECT count(*), sum(id), min(t COLLATE "C"), avg(n), bool_or(flag), count(DISTINCT k) FROM events WHERE id < 0'),
  ('A', 'SELECT k, count(*) FROM events WHERE id < 0 GROUP BY k'),
  ('A', 'SELECT count(*), sum(id), avg(f), percentile_cont(0.5) WITHIN GROUP (ORDER BY f) FROM empty'),
  ('A', 'SELECT k, count(*) FROM empty GROUP BY k'),
  ('A', 'SELECT DISTINCT k FROM empty'),
  ('A', 'SELECT count(*), max(id) FROM events WHERE (SELECT false)'),
  ('A', 'SELECT k, count(*) FROM events WHERE (SELECT true) AND k < (SELECT max(x) FROM numbers) GROUP BY k'),
  ('N', 'SELECT count(*), sum(k) FROM barrier WHERE s <> ''text 13'''),
  -- DISTINCT, ORDER BY, LIMIT, windows, sets
  ('AT', 'SELECT DISTINCT k FROM events'),
  ('AT', 'SELECT DISTINCT s, flag FROM events ORDER BY s DESC NULLS LAST, flag LIMIT 7'),
  ('A', 'SELECT DISTINCT k % 3, abs(fx) FROM events ORDER BY 2, 1'),
  ('ATS', 'SELECT g, sum(id) FROM events GROUP BY g ORDER BY 2 DESC, 1 LIMIT 10 OFFSET 3'),
  ('AT', 'SELECT k, sum(id), rank() OVER (ORDER BY sum(id)), sum(count(*)) OVER () FROM events GROUP BY k'),
  ('AT', 'SELECT k, count(*), generate_series(1, 3) FROM events GROUP BY k'),
  ('AT', 'SELECT k, count(*) FROM events GROUP BY k UNION ALL SELECT x, 0 FROM numbers'),
  ('AT', 'SELECT DISTINCT count(*) > 1 FROM events GROUP BY g'),
  ('AT', 'SELECT DISTINCT ON (f) f, c FROM (SELECT k % 2 AS f, count(*) AS c FROM events GROUP BY k) AS e ORDER BY f, c'),
  -- joins, LATERAL, correlated
  ('A', 'SELECT x, a.* FROM numbers, LATERAL (SELECT count(*), sum(n), max(t COLLATE "C") FROM events WHERE k = x AND id < 6000) AS a'),
  ('A', 'SELECT x, (SELECT count(DISTINCT s) FROM events WHERE k = x AND id % 100 < 9) FROM numbers'),
  ('A', 'SELECT x, (SELECT sum(k * x) FROM events WHERE id < 3000 AND k > x) FROM numbers'),
  ('A', 'SELECT x, a.* FROM numbers, LATERAL (SELECT k + x AS kx, count(*) FROM events WHERE id < 4000 GROUP BY 1) AS a'),
  ('N', 'SELECT x, a.* FROM numbers, LATERAL (SELECT percentile_cont(x / 10.0) WITHIN GROUP (ORDER BY f) FROM events WHERE id < 3000) AS a'),
  ('A', 'SELECT y, a.* FROM (SELECT x / 10.0::float8 AS y FROM numbers OFFSET 0) AS e,
           LATERAL (SELECT percentile_cont(y) WITHIN GROUP (ORDER BY f) FROM events WHERE id < 3000) AS a'),
  ('A', 'SELECT x, a.* FROM numbers, LATERAL (SELECT k, count(*) FROM events WHERE id < 3000 GROUP BY k HAVING count(*) > 100 + x * 70) AS a'),
  ('AT', 'SELECT e.k, e.c, x FROM (SELECT k, count(*) AS c FROM events GROUP BY k) AS e LEFT JOIN numbers ON x = e.k'),
  ('AT', 'SELECT x FROM numbers WHERE x IN (SELECT k FROM events WHERE f > 100 GROUP BY k HAVING count(*) > 1000)'),
  ('A', 'SELECT (SELECT max(c) FROM (SELECT count(*) AS c FROM events GROUP BY s) AS e), x FROM numbers'),
  -- partitions, some of them heaps
  ('A', 'SELECT k, count(*), sum(n), max(t COLLATE "C"), count(DISTINCT t) FROM parts GROUP BY k'),
  ('AS', 'SELECT t, count(*), min(f) FROM parts GROUP BY t'),
  ('AS', 'SELECT DISTINCT t, k FROM parts'),
  ('A', 'SELECT count(*), sum(id), min(id), max(id), avg(f) FROM parts'),
  ('A', 'SELECT k, count(*) FROM parts WHERE id IN (5, 7000, 8000) GROUP BY k'),
  ('A', 'SELECT x, (SELECT count(*) FROM parts WHERE id BETWEEN x * 3000 AND x * 3000 + 4000 AND k = x) FROM numbers'),
  ('A', 'SELECT x, a.* FROM numbers, LATERAL (SELECT k, sum(id) FROM parts WHERE id = x * 1500 GROUP BY k) AS a'),
  ('A', 'SELECT tableoid::regclass::text ~ ''parts_1'', count(*) FROM parts GROUP BY 1'),
  ('A', 'SELECT count(*), sum(v) FROM (SELECT id AS v FROM events UNION ALL SELECT x FROM numbers
         UNION ALL (SELECT id FROM events WHERE id > (SELECT min(x) FROM numbers) ORDER BY id LIMIT 9)) AS e'),
  -- what it leaves to PostgreSQL when it runs, and what it does not take
  ('P', 'SELECT count(e), count(DISTINCT ctid IS NULL) FROM events AS e'),
  ('N', 'SELECT k, count(*) FROM events GROUP BY GROUPING SETS ((k), ())'),
  ('N', 'SELECT s, k, sum(id) FROM events GROUP BY ROLLUP (s, k)'),
  ('N', 'SELECT string_agg(s, '','' ORDER BY id), sum(id) FROM events WHERE id < 1000'),
  ('N', 'SELECT array_agg(id ORDER BY id) FROM events WHERE id < 100'),
  ('N', 'SELECT k, sum(DISTINCT si) FROM events GROUP BY k'),
  ('N', 'SELECT sum(f ORDER BY id) FROM events'),
  ('N', 'SELECT count(*) FILTER (WHERE random() >= 0) FROM events'),
  ('N', 'SELECT sum(id + 0 * random())::bigint FROM events'),
  ('N', 'SELECT bp, count(*) FROM events GROUP BY bp'),
  ('N', 'SELECT j, count(*) FROM events GROUP BY j'),
  ('N', 'SELECT ts - tl AS i, count(*) FROM events WHERE id < 500 GROUP BY 1'),
  ('N', 'SELECT k, count(DISTINCT (s, flag)) FROM events GROUP BY k'),
  ('N', 'SELECT mode() WITHIN GROUP (ORDER BY k), percentile_cont(0.5) WITHIN GROUP (ORDER BY ts - ts) FROM events'),
  ('N', 'SELECT percentile_disc(ARRAY[0.1, 0.5]) WITHIN GROUP (ORDER BY k) FROM events'),
  ('N', 'SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY f DESC) FROM events'),
  ('N', 'SELECT sum((SELECT x FROM numbers WHERE x = k)) FROM events WHERE id < 500'),
  ('N', 'SELECT regr_count(f, id), bit_and(id) FROM events WHERE id < 8'),
  ('L', 'SELECT count(*), count(x) FROM events AS e LEFT JOIN numbers ON x = k'),
  ('N', 'SELECT count(*) FROM events AS e LEFT JOIN numbers ON x = k AND id > 5'),
  ('N', 'SELECT k, count(*) FROM events TABLESAMPLE system (100) GROUP BY k');

SELECT count(*) > 130 AS enough FROM queries;
SELECT number, problem, query FROM queries, LATERAL check_query(query, flags) AS problem WHERE problem IS NOT NULL
ORDER BY number;

SELECT count(*) > 5 AS on_disk FROM on_disk;

-- Errors are the heap's.
CREATE FUNCTION errors(query text, setting settings) RETURNS text LANGUAGE plpgsql
AS $$
DECLARE
  expected text;
  answer text;
BEGIN
  PERFORM use('twin_agg', setting);
  expected := left(test.outcome(query), 5);
  PERFORM use('col_agg', setting);
  answer := left(test.outcome(query), 5);
  RETURN CASE WHEN answer = expected AND answer <> 'ok' THEN answer ELSE format('%s, not %s', answer, expected) END;
END
$$;
SELECT query, string_agg(DISTINCT errors(query, s), '; ') AS sqlstate
FROM settings AS s, (VALUES
  (1, 'SELECT sum(1 / k) FROM events'),
  (2, 'SELECT g, sum(1 / k) FROM events GROUP BY g'),
  (3, 'SELECT 1 / k, count(*) FROM events GROUP BY 1'),
  (4, 'SELECT k, count(*) FILTER (WHERE 1 / (id - 30000) = 0) FROM events GROUP BY k'),
  (5, 'SELECT sum(id * 1000000) FROM events'),
  (6, 'SELECT max((si * 300::smallint)::smallint) FROM events'),
  (7, 'SELECT sum(t::integer) FROM events'),
  (8, 'SELECT s::date, count(*) FROM events GROUP BY 1'),
  (9, 'SELECT sum(x) FROM sums'),
  (10, 'SELECT avg(x), variance(x) FROM sums'),
  (11, 'SELECT k % 5, sum(x) FROM sums GROUP BY 1'),
  (12, 'SELECT sum((x / 1e280)::float4 * 1e10::float4) FROM sums WHERE x > 1e300'),
  (13, 'SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY f) FROM events'),
  (14, 'SELECT k, percentile_disc(''NaN'') WITHIN GROUP (ORDER BY id) FROM events GROUP BY k'),
  (15, 'SELECT k, count(*) FROM events GROUP BY k HAVING 1 / (count(*) - count(*)) > 0'),
  (16, 'SELECT count(*) FROM events WHERE k = (SELECT x FROM numbers)'),
  (17, 'SELECT sum(id::positive) FROM events WHERE (id - 5)::positive > 0'),
  (18, 'SELECT count(*) FROM events WHERE s LIKE ''text 1'' || ''\''')
) AS q (number, query)
GROUP BY number, query ORDER BY number;

-- An error leaves nothing behind, be there threads or files.
SET work_mem = '64kB';
SET search_path = col_agg, columnar_agg_test;
DO $$
DECLARE
  failures integer := 0;
BEGIN
  FOR i IN 1 .. 30 LOOP
    BEGIN
      PERFORM t, count(*), sum(1 / (id - 49000 - i)) FROM events GROUP BY t;
    EXCEPTION WHEN division_by_zero THEN
      failures := failures + 1;
    END;
  END LOOP;
  RAISE WARNING '% failures', failures;
END
$$;
SELECT sum(c), count(*) FROM (SELECT t, count(*) AS c FROM events GROUP BY t) AS e;
SELECT count(*) FROM pg_ls_tmpdir();

-- Cursors: part of a result, in subtransactions, over again.
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT t, count(*), min(id) FROM events GROUP BY t ORDER BY min(id);
FETCH 2 FROM c;
SAVEPOINT s;
FETCH FORWARD 3 FROM c;
SELECT 1 / 0;
ROLLBACK TO SAVEPOINT s;
FETCH RELATIVE 1 FROM c;
FETCH ABSOLUTE 1 FROM c;
DECLARE d CURSOR FOR SELECT t, count(*) FROM events GROUP BY t;
MOVE 1000 FROM d;
SAVEPOINT s2;
MOVE 5000 FROM d;
ROLLBACK TO SAVEPOINT s2;
MOVE 1000 FROM d;
CLOSE d;
DECLARE h CURSOR WITH HOLD FOR SELECT k, count(*) FROM events GROUP BY k ORDER BY k;
COMMIT;
FETCH 2 FROM h;
CLOSE h;

-- Time is up: while reading, with threads, while writing. What comes next is right.
\set VERBOSITY sqlstate
BEGIN;
SET LOCAL statement_timeout = 1;
SELECT t, g, count(*), count(DISTINCT n), min(s COLLATE "C") FROM events GROUP BY t, g;
ROLLBACK;
SET hanzo_datastore.max_threads = 0;
BEGIN;
SET LOCAL statement_timeout = 1;
SELECT t, g, count(*), count(DISTINCT n), min(s COLLATE "C") FROM events GROUP BY t, g;
ROLLBACK;
SET work_mem = '64MB';
BEGIN;
SET LOCAL statement_timeout = 1;
SELECT t, g, count(*), count(DISTINCT n), min(s COLLATE "C") FROM events GROUP BY t, g;
ROLLBACK;
RESET hanzo_datastore.max_threads;
BEGIN;
SET LOCAL statement_timeout = 1;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f), count(DISTINCT t) FROM events, numbers;
ROLLBACK;
\set VERBOSITY terse
SELECT count(*), sum(c), sum(d) FROM (SELECT t, g, count(*) AS c, count(DISTINCT n) AS d FROM events GROUP BY t, g) AS e;

-- Generic plans: parameters in keys, arguments, filters, fractions; what they depend on changes.
SET plan_cache_mode = force_generic_plan;
PREPARE q (integer, float8, text) AS
  SELECT k + $1, count(*) FILTER (WHERE s = $3), sum(id * $1), percentile_disc($2) WITHIN GROUP (ORDER BY id) FROM events
  WHERE id < 5000 + $1 GROUP BY 1 HAVING count(*) > $1 ORDER BY 1 LIMIT 2;
EXECUTE q (1, 0.5, 'text 3');
EXECUTE q (2, 0, NULL);
EXECUTE q (NULL, NULL, 'text 3');
EXECUTE q (1, 2, 'text 3');
SELECT test.plan_has('EXECUTE q (1, 0.5, ''x'')', 'ColumnarAgg');
PREPARE p (integer) AS SELECT count(*), sum(id) FROM parts WHERE id = $1;
EXECUTE p (6);
EXECUTE p (7000);
EXECUTE p (NULL);
ALTER TABLE events ALTER COLUMN later SET DEFAULT 'x';
EXECUTE q (1, 0.5, 'text 3');
DEALLOCATE ALL;
RESET plan_cache_mode;

-- Plans as text and back.
SET client_min_messages = error;
SET debug_print_plan = on;
SELECT k, count(*) FILTER (WHERE flag), sum(id + 1) FROM events WHERE id < 3000 GROUP BY k HAVING count(*) > 1 ORDER BY k LIMIT 1;
RESET debug_print_plan;
SET client_min_messages = warning;
EXPLAIN (COSTS OFF, VERBOSE) SELECT k + 1, s, sum(id) FILTER (WHERE flag) FROM events AS e WHERE id > 7 GROUP BY k + 1, s HAVING count(*) > 5;

-- Rights: columns, the aggregate, functions; rows that are not one's own.
CREATE ROLE columnar_agg_reader;
GRANT USAGE ON SCHEMA columnar_agg_test, col_agg TO columnar_agg_reader;
GRANT SELECT (id, k, s) ON events TO columnar_agg_reader;
CREATE FUNCTION leak(integer) RETURNS boolean LANGUAGE plpgsql STABLE COST 0.0001
AS 'BEGIN IF $1 % 10 <> 3 THEN RAISE ''saw a hidden row''; END IF; RETURN true; END';
CREATE FUNCTION tell(integer) RETURNS integer LANGUAGE plpgsql STABLE COST 0.0001
AS 'BEGIN IF $1 % 10 <> 3 THEN RAISE ''saw a hidden row''; END IF; RETURN $1; END';
CREATE POLICY threes ON events FOR SELECT TO columnar_agg_reader USING (k = 3 AND id % 10 = 3);
SET ROLE columnar_agg_reader;
SELECT k, count(*), sum(id) FROM events GROUP BY k ORDER BY k LIMIT 2;
SELECT k, count(t) FROM events GROUP BY k;
SELECT t, count(*) FROM events GROUP BY t;
RESET ROLE;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
SET ROLE columnar_agg_reader;
SELECT k, count(*), sum(id) FROM events GROUP BY k;
SELECT count(*), sum(tell(id)) FROM events WHERE leak(id);
SELECT count(*) FILTER (WHERE leak(id)), max(1 / (k - 2)) FROM events WHERE 1 / (k - 2) > 0;
RESET ROLE;
ALTER TABLE events DISABLE ROW LEVEL SECURITY;
BEGIN;
REVOKE EXECUTE ON FUNCTION max(integer) FROM PUBLIC;
SET LOCAL ROLE columnar_agg_reader;
SELECT max(id) FROM events;
ROLLBACK;
-- a cursor has the rights of who opened it
CREATE FUNCTION opened(OUT c refcursor) LANGUAGE plpgsql SECURITY DEFINER
AS 'BEGIN c := ''opened''; OPEN c FOR SELECT k + 1, count(*), max(length(t)) FROM col_agg.events GROUP BY 1 ORDER BY 1; END';
BEGIN;
REVOKE EXECUTE ON FUNCTION length(text) FROM PUBLIC;
SET LOCAL ROLE columnar_agg_reader;
SELECT opened();
FETCH 1 FROM opened;
ROLLBACK;
SELECT count(*), sum(tell(id)) FROM (SELECT * FROM barrier OFFSET 0) AS b WHERE leak(id);
SELECT count(*) FROM barrier WHERE leak(id);

-- Nested: functions that aggregate, called by aggregates; rows locked and changed meanwhile.
CREATE FUNCTION nested(x integer) RETURNS bigint LANGUAGE plpgsql STABLE
AS 'BEGIN RETURN (SELECT count(DISTINCT t) FROM col_agg.events WHERE k = x); END';
SELECT sum(nested(k)), count(*) FROM (SELECT DISTINCT k FROM events) AS e;
SELECT k, max(nested(k)) FROM events WHERE id % 5000 = 3 GROUP BY k;
BEGIN;
INSERT INTO events SELECT (e).* FROM (SELECT e FROM events AS e WHERE id < 100) AS x;
SELECT count(*), count(DISTINCT id) FROM events WHERE id < 200;
DELETE FROM events WHERE k IN (SELECT k FROM events GROUP BY k HAVING count(*) > 5000);
SELECT k, count(*) FROM events GROUP BY k;
UPDATE parts SET k = (SELECT max(k) FROM events) WHERE id < 10;
SELECT k, count(*) FROM parts WHERE id < 12 GROUP BY k ORDER BY k;
ROLLBACK;

-- A rescan with nothing changed returns the groups once more
CREATE FUNCTION scans_of_inner(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN (SELECT string_agg((x ->> 'Node Type') || ' ' || (x ->> 'Actual Loops'), ', ') FROM jsonb_path_query(plan, 'strict $.** ? (@."Custom Plan Provider" == "ColumnarAgg" || @."Custom Plan Provider" == "ColumnarScan")') AS x);
END$$;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
SELECT scans_of_inner('SELECT count(*) FROM generate_series(1, 5) AS i LEFT JOIN (SELECT k, count(*) AS n FROM events GROUP BY k) AS s ON s.n > i');
SELECT i, count(*), sum(n) FROM generate_series(1, 5) AS i LEFT JOIN (SELECT k, count(*) AS n FROM events GROUP BY k) AS s ON s.n > i * 1000 GROUP BY i ORDER BY i;
SELECT i, count(*), sum(n) FROM generate_series(1, 5) AS i LEFT JOIN (SELECT k, count(*) AS n FROM twin_agg.events GROUP BY k) AS s ON s.n > i * 1000 GROUP BY i ORDER BY i;
SELECT i, n FROM generate_series(1, 3) AS i CROSS JOIN LATERAL (SELECT count(*) AS n FROM events WHERE id % 3 = i OFFSET 0) AS s ORDER BY i;
SELECT i, n FROM generate_series(1, 3) AS i CROSS JOIN LATERAL (SELECT count(*) AS n FROM twin_agg.events WHERE id % 3 = i OFFSET 0) AS s ORDER BY i;
-- what a run has made is gone when the next one starts
BEGIN;
DECLARE runs CURSOR FOR SELECT s.* FROM generate_series(1, 100) AS x CROSS JOIN LATERAL (SELECT count(*), sum(k * 1.5 + x) FROM events WHERE id < 3000 GROUP BY n % 2 ORDER BY 1 LIMIT 1) AS s;
MOVE 5 FROM runs;
CREATE TEMP TABLE after_few AS SELECT count(*), sum(total_bytes) FROM pg_backend_memory_contexts WHERE name IN ('ExprContext', 'ExecutorState');
MOVE 90 FROM runs;
SELECT c.count - f.count < 20 AS few, c.sum - f.sum < 65536 AS small
FROM after_few AS f, (SELECT count(*), sum(total_bytes) FROM pg_backend_memory_contexts WHERE name IN ('ExprContext', 'ExecutorState')) AS c;
ROLLBACK;
-- but for what subqueries have given, which is not asked for again: a run of which nothing is left, then PostgreSQL's own plan
SELECT count(*), sum(id * 1e30 * id * 1e30) FROM events WHERE id < ANY (ARRAY(SELECT i FROM generate_series(1, 300) AS i));
SELECT count(*), sum(id * 1e30 * id * 1e30) FROM twin_agg.events WHERE id < ANY (ARRAY(SELECT i FROM generate_series(1, 300) AS i));
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
RESET enable_memoize;

-- Keys that conditions make constants, where PostgreSQL's own plan has to do it: it has nothing to sort by
SELECT k, sum(id * 1e30 * id * 1e30), count(DISTINCT id) FROM events WHERE k = 1 GROUP BY k;
SELECT k, sum(id * 1e30 * id * 1e30), count(DISTINCT id) FROM twin_agg.events WHERE k = 1 GROUP BY k;

-- Collations that take different strings for equal, where there are any: PostgreSQL's business.
DO $$
BEGIN
  CREATE COLLATION columnar_agg_test.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  IF test.plan_has('SELECT s COLLATE columnar_agg_test.ci, count(*) FROM col_agg.events GROUP BY 1', 'ColumnarAgg') OR
     test.plan_has('SELECT count(DISTINCT s COLLATE columnar_agg_test.ci) FROM col_agg.events', 'ColumnarAgg') OR
     test.plan_has('SELECT DISTINCT s COLLATE columnar_agg_test.ci FROM col_agg.events', 'ColumnarAgg') OR
     test.plan_has('SELECT max(s COLLATE columnar_agg_test.ci) FROM col_agg.events', 'ColumnarAgg') THEN
    RAISE WARNING 'ColumnarAgg under a nondeterministic collation';
  END IF;
EXCEPTION WHEN feature_not_supported OR undefined_object OR undefined_file THEN
  NULL;
END
$$;

SET search_path = public;
SET client_min_messages = error;
DROP SCHEMA columnar_agg_test, twin_agg, col_agg CASCADE;
DROP ROLE columnar_agg_reader;

-- Groups that do not fit: written once (136 bytes each, two million of them), since there are files enough for as many as are expected, and no more memory than work_mem * hash_mem_multiplier, growth of tables included
CREATE TABLE keys USING hanzo_columnar AS SELECT (i * 2654435761) & 1099511627775 AS key, (i % 10)::int4 AS amount FROM generate_series(1::int8, 2000000) AS i;
ANALYZE keys;
SET work_mem = '4MB';
SET hash_mem_multiplier = 2;
SELECT threads, test.measured(q, 'Disk Usage') BETWEEN 260000 AND 270000 AS written_once, test.measured(q, 'Memory Usage') BETWEEN 2000 AND 9500 AS memory,
  test.answer(format('SELECT count(*) AS groups, sum(n) AS n, max(n) AS most, sum(a) AS a FROM (%s) AS g', q)) = test.answer('SELECT 2000000::bigint AS groups, 2000000::numeric AS n, 1::bigint AS most, 9000000::numeric AS a') AS right
FROM (VALUES (0), (2)) AS t (threads), LATERAL set_config('hanzo_datastore.max_threads', threads::text, false), (VALUES ('SELECT key, count(*) AS n, sum(amount) AS a, min(amount), max(amount), avg(amount) FROM keys GROUP BY key')) AS s (q);
RESET hash_mem_multiplier;
-- several percentiles take the memory of one
SET hanzo_datastore.max_threads = 0;
SET work_mem = '128MB';
SELECT test.measured('SELECT percentile_cont(0.1) WITHIN GROUP (ORDER BY key::float8), percentile_disc(0.5) WITHIN GROUP (ORDER BY key::float8), percentile_cont(0.9) WITHIN GROUP (ORDER BY key::float8) FROM keys', 'Memory Usage') <
  1.2 * test.measured('SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY key::float8) FROM keys', 'Memory Usage') AS shared;
RESET hanzo_datastore.max_threads;
RESET work_mem;
DROP TABLE keys;
