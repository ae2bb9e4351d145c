-- Calls of the executor are given what kernels make of their columns, and evaluated once per entry of a dictionary, or of several; to_char(), floors of
-- quotients and times of zones with summer time have kernels, and threads leave to the leader what these cannot do. Every answer is the heap's.
SET client_min_messages = warning;
SET hanzo_datastore.force_threads = on;
SET timezone = 'UTC';
CREATE TABLE k_h (id integer, at timestamptz, local timestamp, day date, small smallint, n integer, big bigint, price numeric, share numeric(12, 4), f double precision, yes boolean, browser text, os text, path text, u uuid) USING heap;
INSERT INTO k_h
SELECT i, CASE WHEN i % 50 > 0 THEN '2026-01-01 00:07+00'::timestamptz + i * interval '13 minutes 7.123456 seconds' END, '2026-01-01'::timestamp + i * interval '11 minutes', '2026-01-01'::date + i % 400,
  i % 7 - 3, CASE WHEN i % 9 > 0 THEN i % 40 END, 9000000000 + i % 3, i % 1000 / 100.0 * CASE WHEN i / 4096 % 3 = 2 THEN 1.234567 ELSE 1 END, i % 5000 / 7.0, i % 5 / 2.0, CASE WHEN i % 3 > 0 THEN i % 2 = 0 END,
  CASE WHEN i % 11 > 0 THEN 'browser ' || i % 4 END, CASE WHEN i % 13 > 0 THEN 'os ' || i % 3 END, '/a/' || i % 300 || '/' || md5((i % 2000)::text), md5((i % 700)::text)::uuid
FROM generate_series(1, 45000) AS i;
-- times and numbers that kernels leave to others, each kind in a row group of its own
UPDATE k_h SET at = (ARRAY['-infinity', 'infinity', '4714-11-24 00:00+00 BC', '0001-01-01 BC', '1800-06-01', '1883-11-18 17:00', '1899-12-31 23:59:59', '1900-01-01', '1916-05-01', '1945-05-24', '2011-12-30 10:00',
  '2099-12-31 23:00', '2100-01-01', '2150-07-01', '9999-12-31', '294276-12-31 23:59:59.999999'])[1 + id % 16]::timestamptz, local = (ARRAY['-infinity', 'infinity', '4714-11-24 00:00 BC', '0044-03-15 BC', '0001-01-01', '9999-12-31 23:59:59',
  '10000-01-01', '294276-12-31 23:59:59.999999'])[1 + id % 8]::timestamp, small = (ARRAY[-32768, 32767, 0])[1 + id % 3], n = (ARRAY[-2147483648, 2147483647, 0])[1 + id % 3], big = (ARRAY[-9223372036854775808, 9223372036854775807, 0])[1 + id % 3]
WHERE id / 4096 = 3;
UPDATE k_h SET price = (ARRAY['NaN', 'Infinity', '-Infinity', '1e-20', '-1e40', '0.30', '299.9999999999', '-0.0001', '600'])[1 + id % 9]::numeric WHERE id / 4096 = 5 AND id % 10 = 0;
UPDATE k_h SET small = -32768 + id % 20, n = 2147483647 - id % 20, big = -9223372036854775808 + id % 20 WHERE id / 4096 = 6;
CREATE TABLE k_c (LIKE k_h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('k_c', row_group_rows => 4096);
INSERT INTO k_c SELECT * FROM k_h ORDER BY id;
CALL hanzo_datastore.compact('k_c');
INSERT INTO k_h SELECT * FROM k_h WHERE id < 300;
INSERT INTO k_c SELECT * FROM k_c WHERE id < 300;
DELETE FROM k_h WHERE id % 17 = 3;
DELETE FROM k_c WHERE id % 17 = 3;
ANALYZE k_h, k_c;

CREATE TABLE expressions (e text);
-- to_char(): formats with a kernel, and those that only begin like one
INSERT INTO expressions SELECT format('to_char(%s, %L)', t, f) FROM unnest('{at,local,day}'::text[]) AS t, unnest(ARRAY['YYYY-MM-DD HH24:MI:SS', 'YYYY-MM-DD HH24:00:00', 'YYYY-MM-01', 'YYYY', 'yyyy/mm/dd', 'HH24', 'hh24:mi', 'MISS', 'YYYYMMDDHH24MISS',
  '"day "DD"."MM', 'MMMI', 'DD1', '(SS)', 'DDD', 'SSSS', 'YYYYY', 'YYY', 'HH12', 'HH', 'Mm', 'MON', 'FMMM', 'DDth', 'DDTH', 'SSSP', 'YYYY,YYY', 'Y,YYY', 'MS', 'IYYY-IW', 'Day', '', ' ', '-', 'no field', '"DD', 'DD\"MM', '"a\"b"DD', 'MMé', 'TZ', 'Q',
  'YYYY-MM-DD"T"HH24:MI:SS', 'BC YYYY', 'SSSSS', 'MIMM', 'YYYYMM']) AS f;
INSERT INTO expressions SELECT format('to_char(date_trunc(%L, %s), ''YYYY-MM-DD HH24:MI:SS'')', unit, t)
  FROM unnest('{minute,hour,day,week,month,quarter,year,decade}'::text[]) AS unit, unnest(ARRAY['at', 'local', $$at AT TIME ZONE 'Europe/Berlin'$$, $$at AT TIME ZONE 'America/Sao_Paulo'$$]) AS t;
-- zones
INSERT INTO expressions SELECT format(e, z) FROM unnest('{UTC,Europe/Berlin,America/St_Johns,Australia/Lord_Howe,Asia/Kathmandu,Africa/Casablanca,Pacific/Apia,America/Scoresbysund,EST5EDT,Asia/Kolkata}'::text[]) AS z,
  unnest(ARRAY['date_trunc(''hour'', at AT TIME ZONE %L)', 'date_trunc(''hour'', at, %L)', 'date_trunc(''day'', at, %L)', 'date_trunc(''month'', at, %L)', 'date_trunc(''minute'', at, %L)', '(at AT TIME ZONE %L)::date', 'extract(hour FROM at AT TIME ZONE %L)', 'extract(dow FROM at AT TIME ZONE %L) || '':'' || to_char(at AT TIME ZONE %1$L, ''HH24'')']) AS e;
INSERT INTO expressions VALUES ('date_trunc(''hour'', at)'), ('date_trunc(''day'', at)'), ('date_trunc(''week'', at)'), ('date_trunc(''year'', at)'), ('at::date'), ('at::timestamp'), ('extract(isodow FROM at)'), ('day::timestamptz'), ('local::timestamptz'), ('at + interval ''1 day'''),
-- floors of quotients
  ('floor(extract(epoch FROM at) / 300) * 300'), ('floor(extract(epoch FROM at) / 1)'), ('floor(extract(epoch FROM local) / 86400)'), ('floor(price / 3)'), ('floor(price / 7) * 7 + share'), ('floor(share / 1000000000)'), ('floor(price / 0.5)'), ('floor(-price / 2147483647)'), ('floor(price / 0)'),
  ('to_timestamp(floor(extract(epoch FROM at) / 3600) * 3600)'), ('floor(price / NULL)'), ('floor(price / n)'),
-- calls: one argument, several, combinations of dictionaries, ranges of integers, nulls, nothing strict
  ('concat(browser, '' on '', os)'), ('concat_ws(''/'', browser, os, n)'), ('browser || '' on '' || os'), ('format(''%s %s %s'', browser, yes, small)'), ('n::text'), ('small::text || big'), ('greatest(n, small, 5)'), ('least(n, NULL)'), ('nullif(browser, os)'), ('n IS DISTINCT FROM small'), ('split_part(path, ''/'', 3)::int % 7'),
  ('upper(left(path, 3)) || n'), ('extract(hour FROM at)::int'), ('extract(isodow FROM at) || ''-'' || extract(hour FROM local)'), ('date_part(''hour'', at)'), ('date_part(''year'', at)'), ('date_part(''week'', local)'), ('date_part(''second'', at)'), ('price::int'), ('share::bigint'), ('(share - 357)::smallint'), ('price::float8'), ('share::float8'), ('(n / 2.0)::int'), ('round(small / 2.0)'), ('path || browser'), ('browser || path || os'), ('(path || os) || n'), ('age(date_trunc(''month'', local), date_trunc(''year'', local))'), ('round(n / 3.0, 1)'), ('md5(u::text)'), ('left(u::text, 2)'), ('width_bucket(n, 0, 40, 5)'), ('abs(n - 20)'),
  ('coalesce(nullif(browser, ''browser 1''), upper(os), ''none'')'), ('CASE n % 5 WHEN 1 THEN ''one'' WHEN 2 THEN upper(browser) ELSE lower(os) END'), ('CASE WHEN n > 0 THEN 100 / n ELSE round(100.0 / (n - 1)) END'), ('ROW(browser, n)::text'), ('ARRAY[browser, os]'), ('(ARRAY[n, small::int])[1]'), ('n = ANY (ARRAY[small::int, n % 10])'), ('browser LIKE os || ''%'''),
  ('to_char(extract(hour FROM at), ''FM00'')'), ('to_char(price, ''999.99'')'), ('make_date(2026, (1 + abs(n % 12))::int, 1)'), ('sqrt(abs(n % 10))'), ('f::text'), ('yes::text'), ('NOT yes OR upper(browser) = ''BROWSER 1'''), ('octet_length(browser || os)'), ('jsonb_build_object(''b'', browser, ''n'', n % 3)'), ('at - local::timestamptz'), ('(at AT TIME ZONE ''UTC'')::time'),
-- errors
  ('1 / n'), ('n + 1'), ('small * 100::smallint'), ('big - 1'), ('(n || '''')::smallint'), ('sqrt(n)'), ('ln(small)'), ('split_part(browser, '' '', 2)::int / small'), ('chr(n)'), ('price + share * 3 - 1'), ('price * price'), ('extract(epoch FROM at - local::timestamptz)');
CREATE TABLE call_queries AS
SELECT row_number() OVER () AS id, replace(q, '[e]', e) AS query
FROM expressions, unnest(ARRAY['SELECT [e] AS x, count(*), max(id) FROM [t] GROUP BY 1', 'SELECT id, [e] AS x FROM [t] WHERE id % 41 = 1 AND id < 12000', 'SELECT count(DISTINCT ([e])::text), count([e]), min(([e])::text), sum(price * 2) FROM [t] WHERE id / 4096 <> 3 AND browser > ''a''',
  'SELECT n % 4 AS x, count(*) FILTER (WHERE ([e])::text > ''3''), max(([e])::text), sum(price + share) FROM [t] WHERE id / 4096 NOT IN (3, 6) GROUP BY 1', 'SELECT count(*) FROM [t] WHERE ([e])::text >= ''2026'' AND n > 3']) AS q;
-- which of several rows an error names depends on their order
CREATE FUNCTION known_answer(query text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN a ~ '^\d+ [0-9a-f]{32}$' THEN a ELSE left(a, 5) END FROM test.answer(query) AS a $$;
CREATE FUNCTION call_differences(part integer, zone text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('timezone', zone, true);
  RETURN QUERY SELECT query FROM call_queries WHERE id % 6 = part AND known_answer(replace(query, '[t]', 'k_c')) <> known_answer(replace(query, '[t]', 'k_h'));
END
$$;
SELECT count(*) > 200 AS many, count(*) FILTER (WHERE test.answer(replace(query, '[t]', 'k_h')) ~ '^\d+ [0-9a-f]{32}$') > 150 AS most_have_rows FROM call_queries WHERE id % 6 = 0;
SET max_parallel_workers_per_gather = 0;
SELECT * FROM call_differences(0, 'Europe/Berlin');
SELECT * FROM call_differences(1, 'America/St_Johns');
SET max_parallel_workers_per_gather = 2;
SELECT * FROM call_differences(2, 'Australia/Lord_Howe');
SELECT * FROM call_differences(3, 'UTC');
SELECT * FROM call_differences(4, 'Asia/Kathmandu');
SELECT * FROM call_differences(5, 'America/Sao_Paulo');
SELECT * FROM call_differences(0, '<+0330>-3:30');
SELECT * FROM call_differences(1, 'Europe/Berlin');
SET hanzo_datastore.enable_columnar_agg = off;
SELECT * FROM call_differences(2, 'Europe/Berlin');
SELECT * FROM call_differences(3, 'America/St_Johns');
RESET hanzo_datastore.enable_columnar_agg;

-- in threads, though some of their vectors are the leader's
SELECT q, test.measured(replace(q, '[t]', 'k_c'), 'Threads') > 0 AS in_threads, test.answer(replace(q, '[t]', 'k_c')) = test.answer(replace(q, '[t]', 'k_h')) AS same FROM unnest(ARRAY[
  'SELECT date_trunc(''hour'', at AT TIME ZONE ''Europe/Berlin'') AS x, count(*) FROM [t] WHERE id / 4096 <> 3 GROUP BY 1', 'SELECT date_trunc(''day'', at, ''Europe/Berlin'') AS x, count(*), sum(price + share), avg(share - price) FROM [t] WHERE id / 4096 <> 3 GROUP BY 1',
  'SELECT to_char(date_trunc(''hour'', local), ''YYYY-MM-DD HH24:00:00'') AS x, count(*), sum(price * share) FILTER (WHERE price + 1 > 2) FROM [t] GROUP BY 1', 'SELECT floor(extract(epoch FROM at) / 300) * 300 AS x, count(*), max(price - share) FROM [t] WHERE id / 4096 <> 3 GROUP BY 1',
  'SELECT n, avg(extract(epoch FROM at - ''2026-01-01''::timestamptz)) FROM [t] WHERE id / 4096 <> 3 GROUP BY 1', 'SELECT sum(price * 2), count(*) FROM [t] WHERE price + share > 100',
  'SELECT date_part(''hour'', at) AS x, share::int % 10 AS y, count(*) FROM [t] WHERE id / 4096 <> 3 GROUP BY 1, 2', 'SELECT browser || '' on '' || os AS x, count(DISTINCT path || browser) FROM [t] GROUP BY 1', 'SELECT to_char(at, ''YYYY-MM-DD'') AS x, sum(share::float8 - share::float8) FROM [t] GROUP BY 1']) AS q;
-- an error that only the leader can meet
SELECT test.outcome('SELECT n, max(price * 1e131071) FROM k_c GROUP BY 1') AS columnar, test.outcome('SELECT n, max(price * 1e131071) FROM k_h GROUP BY 1') AS heap;

-- once per entry, not per row
CREATE SEQUENCE calls;
CREATE FUNCTION counted(text, text DEFAULT '') RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM nextval('calls'); RETURN $1 || $2; END $$;
SET max_parallel_workers_per_gather = 0;
CREATE FUNCTION calls_of(query text) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM setval('calls', 1, false); EXECUTE query; RETURN nextval('calls') - 1; END $$;
SELECT calls_of('SELECT counted(date_trunc(''day'', local)::text), count(*) FROM k_c WHERE id BETWEEN 1000 AND 4000 GROUP BY 1') < 200 AS by_day, calls_of('SELECT counted(to_char(local, ''YYYY-MM-DD'')), count(*) FROM k_c WHERE id BETWEEN 1000 AND 4000 GROUP BY 1') < 200 AS by_text,
  calls_of('SELECT counted(browser, os), count(*) FROM k_c WHERE id BETWEEN 1000 AND 4000 GROUP BY 1') <= 2 * 20 AS by_both, calls_of('SELECT counted(n::text, browser), count(*) FROM k_c WHERE id BETWEEN 1000 AND 4000 GROUP BY 1') <= 2 * 205 AS by_number,
  calls_of('SELECT counted(path, os), count(*) FROM k_c WHERE id BETWEEN 1000 AND 4000 GROUP BY 1') BETWEEN 2500 AND 3000 AS by_row;

-- not for null where no row is null; floors of the largest numbers; expressions that nest calls and what only looks like a kernel's; long results
CREATE TABLE f_h (id integer, n integer, k text, b bigint, j jsonb) USING heap;
INSERT INTO f_h SELECT i, CASE WHEN i % 9 > 0 THEN i % 40 END, CASE WHEN i % 9 > 0 THEN 'k' || i % 4 END, (ARRAY[-9223372036854775808, 9223372036854775807, 0])[1 + i % 3], '{"a": {"a": 1}}' FROM generate_series(1, 5000) AS i;
CREATE TABLE f_c (LIKE f_h) USING hanzo_columnar;
INSERT INTO f_c TABLE f_h;
CALL hanzo_datastore.compact('f_c');
ANALYZE f_h, f_c;
CREATE FUNCTION no_null(anyelement) RETURNS anyelement LANGUAGE plpgsql STABLE AS $$ BEGIN IF $1 IS NULL THEN RAISE EXCEPTION 'null'; END IF; RETURN $1; END $$;
SELECT test.plan_has(replace(q, '[t]', 'f_c'), 'ColumnarAgg') AS in_vectors, test.answer(replace(q, '[t]', 'f_c')) = test.answer(replace(q, '[t]', 'f_h')) AS same, left(test.answer(replace(q, '[t]', 'f_h')), 5) AS answer FROM unnest(ARRAY[
  'SELECT format(''%I'', k) AS x, count(*) FROM [t] WHERE k IS NOT NULL GROUP BY 1', 'SELECT no_null(n) AS x, count(*) FROM [t] WHERE n IS NOT NULL GROUP BY 1', 'SELECT no_null(k) AS x, count(*) FROM [t] WHERE k IS NOT NULL GROUP BY 1', 'SELECT no_null(k) AS x, count(*) FROM [t] GROUP BY 1',
  'SELECT floor(b::numeric / 13) AS x, count(*) FROM [t] GROUP BY 1', 'SELECT floor(b::numeric / 1) AS x, count(*) FROM [t] GROUP BY 1', 'SELECT floor(b::numeric / 2147483647) AS x, count(*) FROM [t] GROUP BY 1',
  'SELECT count(DISTINCT md5(repeat(k, 3000 + n))), sum(length(repeat(k, 5000 + n))) FROM [t]', 'SELECT sum(length(k || repeat(k, 5000 + n))) AS x, count(*) FROM [t]']) AS q;
CREATE FUNCTION nested(form text, depth integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE e text = 'j';
BEGIN
  FOR i IN 1 .. depth LOOP e = format(form, e); END LOOP;
  RETURN format('SELECT count((%s)::text), count(*) FROM [t] WHERE id < 100', e);
END $$;
SET statement_timeout = '60s';
SELECT test.answer(replace(nested(form, 100), '[t]', 'f_c')) = test.answer(replace(nested(form, 100), '[t]', 'f_h')) AS same FROM unnest(ARRAY['(%s ->> concat(''a'', now()::text))::jsonb', 'jsonb_build_object(''a'', (%s ->> left(''a'', 1 + length(now()::text) - length(now()::text))))']) AS form;
RESET statement_timeout;
DROP FUNCTION no_null, nested;
DROP TABLE f_h, f_c;

-- all zones, at times around their changes, far from them, before there were any; compared by hashes
CREATE TABLE z_h (id integer, at timestamptz, local timestamp) USING heap;
INSERT INTO z_h SELECT row_number() OVER (ORDER BY t), t, t AT TIME ZONE 'UTC' FROM (
  SELECT make_timestamptz(y, m, d, 0, 0, 0, 'UTC') + h * interval '1 hour' + (y % 3) * interval '15 minutes' AS t FROM unnest('{1894,1901,1918,1941,1967,1981,2007,2011,2024,2026,2037,2075,2099,2100,2300}'::int[]) AS y, unnest('{3,4,9,10,11,12}'::int[]) AS m, unnest('{1,7,25,29}'::int[]) AS d, generate_series(0, 42, 3) AS h) AS t;
CREATE TABLE z_c (LIKE z_h) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('z_c', row_group_rows => 2048);
INSERT INTO z_c SELECT * FROM z_h ORDER BY id;
CALL hanzo_datastore.compact('z_c');
ANALYZE z_h, z_c;
CREATE FUNCTION zone_sum(t text, zone text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE format('SELECT concat_ws('' '', sum(extract(epoch FROM at AT TIME ZONE %1$L) * id), sum(extract(epoch FROM date_trunc(''day'', at, %1$L)) * id), sum(extract(epoch FROM date_trunc(''hour'', at, %1$L)) * id), sum(extract(epoch FROM date_trunc(''month'', at, %1$L))), min(date_trunc(''hour'', at AT TIME ZONE %1$L))) FROM %2$s', zone, t) INTO result;
  RETURN result;
END
$$;
SET max_parallel_workers_per_gather = 2;
SELECT count(*) > 400 AS many, count(*) FILTER (WHERE zone_sum('z_c', name) <> zone_sum('z_h', name)) AS differ FROM pg_timezone_names WHERE name LIKE '%/%' AND name !~ '^(posix|right|Etc)/';
SELECT test.measured('SELECT date_trunc(''day'', at, ''Europe/Berlin''), count(*) FROM z_c GROUP BY 1', 'Threads') > 0 AS in_threads;

-- how many groups there will be is estimated from what keys can be: a sort by the bucket is one of few groups, not of all rows
CREATE TABLE s_c (id integer, at timestamptz, local timestamp, day date, v integer) USING hanzo_columnar;
INSERT INTO s_c SELECT i, '2026-01-01 00:00+00'::timestamptz + i * interval '50 seconds', '2026-01-01'::timestamp + i * interval '50 seconds', '2026-01-01'::date + i / 2000, i % 1000 FROM generate_series(0, 99999) AS i;
CALL hanzo_datastore.compact('s_c');
ANALYZE s_c;
SELECT e, groups BETWEEN least AND most AS estimated, test.plan_has(query, 'ColumnarAgg') AS in_vectors
FROM (VALUES ('date_trunc(''hour'', at)', 1300, 1450), ('date_trunc(''day'', at AT TIME ZONE ''Europe/Berlin'')', 55, 65), ('date_trunc(''month'', local)', 3, 6), ('date_bin(''10 minutes'', at, ''2000-01-01'')', 8000, 8500), ('at::date', 55, 65), ('date_trunc(''week'', day)', 5, 12),
    ('extract(hour FROM at)', 20, 25), ('extract(year FROM local)', 1, 4), ('extract(isodow FROM at) || '':'' || to_char(at, ''HH24'')', 150, 210), ('to_char(at, ''YYYY-MM-DD'')', 55, 65), ('to_char(date_trunc(''hour'', at AT TIME ZONE ''Asia/Kolkata''), ''YYYY-MM-DD HH24:00:00'')', 1300, 1450),
    ('floor(extract(epoch FROM at) / 600) * 600', 8000, 8500), ('CASE WHEN v > 3 THEN ''a'' WHEN v > 1 THEN upper(''b'') END', 2, 4), ('v > 3 AND v < 8', 2, 3), ('coalesce(NULLIF(extract(dow FROM at), 3), -1)', 7, 10), ('least(extract(hour FROM at), 5)', 20, 27), ('v', 900, 1100)) AS t(e, least, most)
CROSS JOIN LATERAL (SELECT format('SELECT %s AS x, count(*), avg(v), min(id) FROM s_c GROUP BY 1 ORDER BY 1', e) AS query) AS q CROSS JOIN LATERAL (SELECT test.measured(query, 'Plan Rows') AS groups) AS m;
SELECT test.measured('SELECT date_trunc(''hour'', at), count(*) FROM s_c WHERE at >= ''2026-02-10'' AND at < ''2026-02-12'' GROUP BY 1', 'Plan Rows') BETWEEN 40 AND 60 AS of_two_days;
DROP TABLE s_c;
DROP FUNCTION call_differences, known_answer, zone_sum, counted, calls_of;
DROP SEQUENCE calls;
DROP TABLE k_h, k_c, z_h, z_c, expressions, call_queries;
