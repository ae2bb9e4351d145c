-- Joins below ColumnarAgg: every answer is that of heaps, with lookups and without.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE TABLE orgs (id integer PRIMARY KEY, name text, plan text COLLATE "C");
CREATE TABLE dims (id integer, key uuid, org integer, name text, rate numeric(8,3), since timestamptz, flag boolean, tags text[], day date);
CREATE TABLE c (id integer, d integer, key uuid, k text, v numeric(10,2), n integer, at timestamptz, day date) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 4096);
INSERT INTO orgs SELECT i, CASE WHEN i % 4 = 0 THEN NULL ELSE 'org ' || i END, CASE i % 3 WHEN 0 THEN 'free' WHEN 1 THEN 'pro' END FROM generate_series(1, 20) AS i;
INSERT INTO dims SELECT i, md5(i::text)::uuid, CASE WHEN i % 7 = 0 THEN NULL ELSE i % 23 END, CASE WHEN i % 5 = 0 THEN NULL ELSE 'dim ' || i % 60 END,
  CASE WHEN i % 6 = 0 THEN NULL ELSE i * 1.125 END, '2026-01-01'::timestamptz + i * interval '1 hour', i % 2 = 0, ARRAY['t' || i % 3, 'all'], '2026-01-01'::date + i % 40
  FROM generate_series(1, 300) AS i;
INSERT INTO dims (id, name) VALUES (NULL, 'no id'), (NULL, 'no id either');
INSERT INTO c SELECT i, CASE WHEN i % 11 = 0 THEN NULL ELSE i * 7919 % 400 END, CASE WHEN i % 13 = 0 THEN NULL ELSE md5((i % 500)::text)::uuid END, 'k' || i % 50, i % 1000 / 3.0, i % 97,
  '2026-01-01'::timestamptz + i * interval '1 min', '2026-01-01'::date + i % 50 FROM generate_series(1, 30000) AS i;
CALL hanzo_datastore.compact('c');
INSERT INTO c SELECT i, i % 400, md5((i % 500)::text)::uuid, 'k' || i % 50, i % 1000, NULL, '2026-01-01'::timestamptz + i * interval '1 min', NULL FROM generate_series(30001, 30700) AS i;
DELETE FROM c WHERE id % 100 = 3;
CREATE TABLE h AS TABLE c;
-- partitions: columnar ones, one with other columns' order and a dropped one, a heap
CREATE TABLE cp (LIKE c) PARTITION BY RANGE (at);
CREATE TABLE cp_1 PARTITION OF cp FOR VALUES FROM (MINVALUE) TO ('2026-01-08') USING hanzo_columnar;
CREATE TABLE cp_2 (gone text, at timestamptz, key uuid, n integer, day date, k text, d integer, v numeric(10,2), id integer) USING hanzo_columnar;
ALTER TABLE cp_2 DROP COLUMN gone;
ALTER TABLE cp ATTACH PARTITION cp_2 FOR VALUES FROM ('2026-01-08') TO ('2026-01-15');
CREATE TABLE cp_3 PARTITION OF cp FOR VALUES FROM ('2026-01-15') TO (MAXVALUE) USING heap;
INSERT INTO cp TABLE c;
CALL hanzo_datastore.compact('cp');
ANALYZE orgs, dims, c, h, cp;

-- Runs a query over [t] on the columnar tables and the heap: whether all answers agree, how it was done, how many rows there are (or the error)
CREATE FUNCTION joined(query text, OUT same boolean, OUT looked_up boolean, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
  heap text := test.answer(replace(query, '[t]', 'h'));
  t text;
BEGIN
  same := true;
  FOREACH t IN ARRAY '{c,cp}'::text[] LOOP
    same := same AND test.answer(replace(query, '[t]', t)) = heap;
    PERFORM set_config('hanzo_datastore.enable_join_pruning', 'off', true);
    same := same AND test.answer(replace(query, '[t]', t)) = heap;
    PERFORM set_config('hanzo_datastore.enable_join_pruning', 'on', true);
    PERFORM set_config('hanzo_datastore.enable_lookup_join', 'off', true);
    same := same AND test.answer(replace(query, '[t]', t)) = heap;
    PERFORM set_config('hanzo_datastore.enable_lookup_join', 'on', true);
    PERFORM set_config('max_parallel_workers_per_gather', '0', true);
    same := same AND test.answer(replace(query, '[t]', t)) = heap;
    PERFORM set_config('max_parallel_workers_per_gather', '2', true);
  END LOOP;
  looked_up := test.plan_has(replace(query, '[t]', 'c'), 'Lookup Cond') AND test.plan_has(replace(query, '[t]', 'cp'), 'Lookup Cond');
  answer := CASE WHEN heap ~ '^\d+ [0-9a-f]{32}$' THEN split_part(heap, ' ', 1) ELSE heap END;
END$$;

SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT p.name, count(*), sum(v), count(DISTINCT k) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1',
  'SELECT o.name, p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d JOIN orgs AS o ON o.id = p.org GROUP BY 1, 2',
  'SELECT o.name, p.flag, count(*), max(p.since) FROM [t] AS t JOIN dims AS p ON p.key = t.key JOIN orgs AS o ON o.id = t.d GROUP BY 1, 2',
  'SELECT count(*), count(p.name), sum(p.rate), sum(v * p.rate), min(p.since), avg(n) FROM [t] AS t, dims AS p WHERE p.id = t.d',
  'SELECT p.name, date_trunc(''day'', at, ''UTC'') AS day, count(*) FILTER (WHERE p.flag), sum(n) FILTER (WHERE p.rate > 100) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1, 2',
  'SELECT upper(p.name), md5(p.name || k), count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1, 2',
  'SELECT p.tags[1], count(*), sum(CASE WHEN p.rate IS NULL THEN n ELSE 1 END) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d AND t.at > p.since GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d AND (t.n > 50 OR p.flag) AND t.day <= p.day GROUP BY 1 HAVING count(*) > 10 AND max(p.rate) IS NOT NULL',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d AND p.day = t.day GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE p.flag AND t.n < 30 AND t.at >= ''2026-01-10'' GROUP BY 1',
  'SELECT count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE 100 / (p.id - 7) > 0 AND p.id <> 7',
  'SELECT p.name, sum(t.n / (p.id % 2)) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE NOT p.flag GROUP BY 1',
  'SELECT p.name, sum(t.n / (p.id % 2)) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1',
  'SELECT DISTINCT p.name, t.k FROM [t] AS t JOIN dims AS p ON p.id = t.d',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE p.name = ''nobody'' GROUP BY 1',
  'SELECT count(*), sum(n) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE p.name = ''nobody''',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE p.id = 17 GROUP BY 1',
  'SELECT p.name, count(*), sum(v) FROM [t] AS t JOIN dims AS p ON p.key = t.key WHERE p.id BETWEEN 40 AND 60 GROUP BY 1',
  'SELECT p.id, count(*), max(k) FROM [t] AS t JOIN (SELECT id, ''k'' || id AS key FROM dims WHERE id IN (1, 2, 300) OR id IS NULL OFFSET 0) AS p ON p.key = t.k GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d AND p.key = t.key GROUP BY 1',
  'SELECT a.name, b.name, count(*) FROM [t] AS t JOIN dims AS a ON a.id = t.d JOIN dims AS b ON b.id = t.n WHERE a.flag GROUP BY 1, 2',
  'SELECT o.plan, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY t.n) FROM [t] AS t JOIN orgs AS o ON o.id = t.n GROUP BY 1',
  'SELECT name, n FROM (SELECT p.name, count(*) AS n FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1) AS s JOIN orgs USING (name)',
  'SELECT p.id, o.id, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d JOIN orgs AS o ON o.id = t.d GROUP BY 1, 2',
  'SELECT p.id, t.d, p.id = t.d AS equal, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1, 2',
  'SELECT t.at, p.since, t.at > p.since AS later, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d AND t.at > p.since GROUP BY 1, 2 HAVING t.at > p.since',
  'SELECT DISTINCT p.id, t.d, p.id = t.d FROM [t] AS t JOIN dims AS p ON p.id = t.d',
  'SELECT o.id, o.name, o.plan, count(*), sum(v) FROM [t] AS t JOIN orgs AS o ON o.id = t.d GROUP BY o.id',
  'SELECT o.name, k, count(*) FROM [t] AS t JOIN orgs AS o ON o.id = t.d GROUP BY o.id, o.name, k',
  'SELECT upper(o.name) || o.plan AS name, count(*), o.id % 2 AS odd FROM [t] AS t JOIN orgs AS o ON o.id = t.d GROUP BY o.id HAVING o.plan <> ''free'' OR max(n) > 3 ORDER BY o.name, o.id',
  'SELECT 1, ''x'', p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE p.name = ''nobody'' GROUP BY 1, 2, 3',
  'SELECT 1, ''x'', count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE p.name = ''nobody'' GROUP BY 1, 2',
  'SELECT unnest(p.tags) AS tag, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1',
  'SELECT DISTINCT p.flag, generate_series(1, 2) FROM [t] AS t JOIN dims AS p ON p.id = t.d',
  'SELECT o.name, count(*) FROM [t] AS t JOIN orgs AS o ON o.id = t.d WHERE o.id = (SELECT max(id) FROM orgs WHERE id < 19) GROUP BY 1']) AS query, joined(query);

-- Columns that depend on a primary key, of one table
CREATE TABLE orgs_c (id integer PRIMARY KEY, name text, plan text COLLATE "C") USING hanzo_columnar;
INSERT INTO orgs_c TABLE orgs;
CALL hanzo_datastore.compact('orgs_c');
ANALYZE orgs_c;
SELECT test.answer(format(query, 'orgs_c')) = test.answer(format(query, 'orgs')) AS same, test.plan_has(format(query, 'orgs_c'), 'ColumnarAgg') AS grouped, query
FROM unnest(ARRAY[
  'SELECT id, name, plan, count(*) FROM %s GROUP BY id',
  'SELECT name || plan, count(*) FILTER (WHERE plan = ''pro'') FROM %s GROUP BY id, plan HAVING name IS NOT NULL',
  'SELECT 1, count(*) FROM %s WHERE id > 100 GROUP BY 1',
  'SELECT name, count(*) FROM %s WHERE name = ''none'' GROUP BY name']) AS query;

-- Expressions that the planner has simplified, so that the grouped one is not in them any more, are of no primary key
CREATE TABLE simple_c USING hanzo_columnar AS SELECT i % 7 AS d, nullif(i % 5, 0) AS n, i % 2 = 0 AS f, i % 3 = 0 AS g FROM generate_series(1, 9000) AS i;
CREATE TABLE simple_h AS TABLE simple_c;
ANALYZE simple_c, simple_h;
SELECT test.answer(format(query, 'c')) = test.answer(format(query, 'h')) AS same, split_part(test.answer(format(query, 'c')), ' ', 1) AS rows, query
FROM unnest(ARRAY[
  'SELECT NOT (d = n), count(*) FROM simple_%s GROUP BY (d = n)',
  'SELECT NOT (d IS NULL) AS known, count(*) FROM simple_%s GROUP BY d IS NULL',
  'SELECT f IS NULL AND (f AND g), count(*) FROM simple_%s GROUP BY (f AND g), f IS NULL',
  'SELECT count(*) FROM simple_%s GROUP BY (f AND g) HAVING (count(*) > 0 AND (f AND g)) OR count(*) > 100',
  'SELECT (d = n) = false, count(*) FROM simple_%s GROUP BY d = n',
  'SELECT NOT (p.org = t.n), count(*) FROM simple_%s AS t LEFT JOIN dims AS p ON p.id = t.d GROUP BY (p.org = t.n)']) AS query;
-- nor have inheritance parents one
CREATE TABLE parent_c (id integer PRIMARY KEY, name text) USING hanzo_columnar;
CREATE TABLE child_c () INHERITS (parent_c) USING hanzo_columnar;
INSERT INTO parent_c SELECT i, 'p' || i FROM generate_series(1, 3) AS i;
INSERT INTO child_c SELECT i, 'c' || i FROM generate_series(2, 4) AS i;
ANALYZE parent_c, child_c;
SELECT id, name IS NULL AS nameless, count(*) FROM parent_c GROUP BY id ORDER BY id;

-- Left joins: a row that finds nothing stays, with nulls. The table's keys go beyond those of dims, and are null sometimes.
SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT p.name, count(*), count(p.id), sum(v), count(DISTINCT k) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d GROUP BY 1',
  'SELECT p.name, p.flag, p.rate, p.since, p.day, p.key, p.tags[1], count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d GROUP BY 1, 2, 3, 4, 5, 6, 7',
  'SELECT count(*), count(p.name), count(p.flag), sum(p.rate), avg(p.rate), min(p.since), max(p.name), bool_or(p.flag), sum(v * p.rate), count(DISTINCT p.key) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d',
  'SELECT o.id, o.name, o.plan, count(*), max(k) FROM [t] AS t LEFT JOIN orgs AS o ON o.id = t.d GROUP BY o.id',
  'SELECT coalesce(o.name, ''none'') AS name, o.id IS NULL AS missing, count(*) FROM orgs AS o RIGHT JOIN [t] AS t ON o.id = t.d GROUP BY 1, 2',
  'SELECT p.name || k, CASE WHEN p.flag THEN ''yes'' WHEN NOT p.flag THEN ''no'' ELSE ''?'' END, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d AND p.key = t.key GROUP BY 1, 2',
  'SELECT DISTINCT p.name, p.org, t.k FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d',
  'SELECT p.name, count(*) FILTER (WHERE p.flag IS NOT TRUE), sum(n) FILTER (WHERE p.rate > 100 OR p.id IS NULL) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d AND p.flag AND p.org < 15 GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d AND p.name = ''nobody'' GROUP BY 1',
  'SELECT p.org, p.rate, p.name, p.flag, p.key, count(*) FROM [t] AS t LEFT JOIN (SELECT * FROM dims WHERE org = -1 OFFSET 0) AS p ON p.id = t.d GROUP BY 1, 2, 3, 4, 5',
  'SELECT t.d, p.id, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d WHERE t.d = 17 OR t.d IS NULL OR t.d > 350 GROUP BY 1, 2',
  'SELECT p.id, p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d WHERE t.d = 17 GROUP BY 1, 2',
  'SELECT k, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d WHERE coalesce(p.flag, t.n > 50) GROUP BY 1',
  'SELECT k, count(*), max(p.name) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d WHERE p.org IS NULL OR p.org > t.n GROUP BY 1',
  'SELECT k, sum(100 / coalesce(p.org, 0)) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d GROUP BY 1',
  'SELECT a.name, b.name, c.plan, count(*) FROM [t] AS t LEFT JOIN dims AS a ON a.id = t.d LEFT JOIN dims AS b ON b.id = t.n AND b.flag LEFT JOIN orgs AS c ON c.id = t.n GROUP BY 1, 2, 3',
  'SELECT o.name, p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d JOIN orgs AS o ON o.id = t.n GROUP BY 1, 2',
  'SELECT o.name, p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.key = t.key LEFT JOIN orgs AS o ON o.id = t.d WHERE p.flag GROUP BY 1, 2',
  'SELECT o.name, p.name, count(*) FROM [t] AS t JOIN (dims AS p JOIN orgs AS q ON q.id = p.org) ON p.id = t.d LEFT JOIN orgs AS o ON o.id = t.n GROUP BY 1, 2',
  'WITH busy AS MATERIALIZED (SELECT id, name, id * 2 AS twice FROM orgs WHERE id > 3) SELECT b.name, sum(b.twice), count(*) FROM [t] AS t LEFT JOIN busy AS b ON b.id = t.d GROUP BY 1',
  'SELECT s.label, count(*) FROM [t] AS t LEFT JOIN (VALUES (1, ''one''), (2, ''two''), (NULL, ''null'')) AS s (id, label) ON s.id = t.d GROUP BY 1',
  'SELECT g % 3, count(*) FROM [t] AS t LEFT JOIN generate_series(1, 50) AS g ON g = t.d GROUP BY 1',
  'SELECT s.n, count(*), sum(s.n) FROM [t] AS t LEFT JOIN (SELECT org, count(*) AS n FROM dims GROUP BY org) AS s ON s.org = t.d GROUP BY 1',
  'SELECT o.name, p.name, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.v) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d LEFT JOIN orgs AS o ON o.id = t.d GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 9',
  'SELECT o.name, p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d LEFT JOIN orgs AS o ON o.id = p.org GROUP BY 1, 2',
  'SELECT o.name, p.name, count(*) FROM [t] AS t LEFT JOIN (dims AS p JOIN orgs AS o ON o.id = p.org) ON p.id = t.d GROUP BY 1, 2',
  'SELECT o.plan, q.plan, p.name, count(*), count(o.id), count(q.id) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d AND p.flag LEFT JOIN orgs AS o ON o.id = p.org AND o.plan = ''pro'' LEFT JOIN orgs AS q ON q.id = o.id - 1 GROUP BY 1, 2, 3',
  'SELECT o.name, p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d LEFT JOIN orgs AS o ON o.id = p.org WHERE coalesce(o.id, t.n) > 5 GROUP BY 1, 2',
  'SELECT o.name, p.name, count(*) FROM [t] AS t LEFT JOIN (dims AS p LEFT JOIN orgs AS o ON o.id = p.org OR p.org IS NULL AND o.id = 3) ON p.id = t.d WHERE o.id IS NULL OR o.plan IS NOT NULL GROUP BY 1, 2',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE EXISTS (SELECT FROM orgs AS o WHERE o.id = p.org) GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE NOT EXISTS (SELECT FROM orgs AS o WHERE o.id = p.org) GROUP BY 1',
  'SELECT p.name, o.name, count(*) FROM [t] AS t JOIN (dims AS p FULL JOIN orgs AS o ON o.id = p.org) ON p.id = t.d GROUP BY 1, 2',
  -- and those that PostgreSQL does: more than keys in ON, the table on the other side, full joins
  'SELECT p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d AND t.n > 50 GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d AND t.at > p.since GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON t.n = 5 GROUP BY 1',
  'SELECT o.name, p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d LEFT JOIN orgs AS o ON o.id = coalesce(p.org, t.n) GROUP BY 1, 2',
  'SELECT o.name, p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d JOIN orgs AS o ON o.id = coalesce(p.org, 3) GROUP BY 1, 2',
  'SELECT k, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d WHERE p.id IS NULL GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d WHERE NOT EXISTS (SELECT FROM orgs AS o WHERE o.id = t.n) AND p.flag IS NOT FALSE GROUP BY 1',
  'SELECT p.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d WHERE EXISTS (SELECT FROM orgs AS o WHERE o.id = coalesce(p.org, 4)) GROUP BY 1',
  'SELECT p.name, o.name, count(*) FROM [t] AS t LEFT JOIN dims AS p ON p.id = t.d LEFT JOIN orgs AS o ON o.id = p.org AND o.id < t.n GROUP BY 1, 2',
  'SELECT p.name, count(t.id) FROM dims AS p LEFT JOIN [t] AS t ON p.id = t.d GROUP BY 1',
  'SELECT p.name, count(t.id) FROM dims AS p FULL JOIN [t] AS t ON p.id = t.d GROUP BY 1',
  'SELECT o.name, count(*) FROM [t] AS t LEFT JOIN LATERAL (SELECT name FROM orgs WHERE id = t.d LIMIT 1) AS o ON true GROUP BY 1']) AS query, joined(query);

-- Semi and anti joins: rows are asked whether they find something. Keys of the sides are not unique.
CREATE TABLE askers AS SELECT i AS id, CASE WHEN i % 9 = 0 THEN NULL ELSE i % 40 END AS d, CASE WHEN i % 10 = 0 THEN NULL ELSE 'k' || i % 20 END AS k, i % 3 = 0 AS flag FROM generate_series(1, 500) AS i;
ANALYZE askers;
SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT k, count(*), sum(v) FROM [t] AS t WHERE d IN (SELECT d FROM askers) GROUP BY 1',
  'SELECT count(*), count(d), min(d), max(d), sum(n) FROM [t] AS t WHERE NOT EXISTS (SELECT FROM askers AS s WHERE s.d = t.d)',
  'SELECT d, count(*) FROM [t] AS t WHERE EXISTS (SELECT FROM askers AS s WHERE s.d = t.d AND s.k = t.k AND s.flag) GROUP BY 1',
  'SELECT d, k, count(*) FROM [t] AS t WHERE NOT EXISTS (SELECT FROM askers AS s WHERE s.d = t.d AND s.k = t.k) AND t.n < 50 GROUP BY 1, 2',
  'SELECT k, count(*) FROM [t] AS t WHERE (d, k) IN (SELECT d, k FROM askers WHERE flag) GROUP BY 1',
  'SELECT t.d, count(*) FROM [t] AS t LEFT JOIN askers AS s ON s.d = t.d WHERE s.d IS NULL GROUP BY 1',
  'SELECT t.d, s.k, s.flag, count(*), count(s.id) FROM [t] AS t LEFT JOIN askers AS s ON s.d = t.d WHERE s.d IS NULL AND coalesce(s.flag, t.n > 5) GROUP BY 1, 2, 3',
  'SELECT count(*), count(DISTINCT k) FROM [t] AS t WHERE d IN (SELECT d FROM askers WHERE id < 0)',
  'SELECT count(*), count(DISTINCT k) FROM [t] AS t WHERE NOT EXISTS (SELECT FROM askers AS s WHERE s.d = t.d AND s.id < 0)',
  'SELECT o.name, count(*) FROM [t] AS t JOIN orgs AS o ON o.id = t.n WHERE d IN (SELECT d FROM askers) AND NOT EXISTS (SELECT FROM askers AS s WHERE s.k = t.k AND s.flag) GROUP BY 1',
  'SELECT o.name, count(*) FROM [t] AS t LEFT JOIN orgs AS o ON o.id = t.n WHERE d IN (SELECT d FROM askers WHERE flag) GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t WHERE d IN (SELECT s.d FROM askers AS s JOIN orgs AS o ON o.id = s.d WHERE o.plan = ''pro'') GROUP BY 1',
  'WITH s AS MATERIALIZED (SELECT d, k FROM askers WHERE flag) SELECT t.k, count(*) FROM [t] AS t WHERE EXISTS (SELECT FROM s WHERE s.d = t.d) AND NOT EXISTS (SELECT FROM s WHERE s.k = t.k) GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t WHERE d IN (SELECT g % 30 FROM generate_series(1, 100) AS g OFFSET 0) GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t WHERE d IN (VALUES (1), (2), (2), (NULL), (399)) GROUP BY 1',
  'SELECT DISTINCT k, d FROM [t] AS t WHERE NOT EXISTS (SELECT FROM askers AS s WHERE s.d = t.d)',
  'SELECT d, count(*) FROM [t] AS t WHERE NOT EXISTS (SELECT FROM [t] AS u WHERE u.d = t.d AND u.id < 500) GROUP BY 1',
  'SELECT d, count(*) FROM [t] AS t WHERE d IN (SELECT d FROM [t] AS u WHERE u.id < 300 AND u.n > 20) GROUP BY 1',
  -- and those that PostgreSQL does
  'SELECT d, count(*) FROM [t] AS t WHERE EXISTS (SELECT FROM askers AS s WHERE s.d = t.d AND s.id > t.n) GROUP BY 1',
  'SELECT d, count(*) FROM [t] AS t WHERE NOT EXISTS (SELECT FROM askers AS s WHERE s.d = t.d AND s.id > t.n) GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t WHERE EXISTS (SELECT FROM askers AS s WHERE s.d = 17) GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t WHERE d = 17 AND d IN (SELECT d FROM askers) GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t WHERE d NOT IN (SELECT d FROM askers WHERE d IS NOT NULL) GROUP BY 1',
  'SELECT k, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d WHERE t.d IN (SELECT d FROM askers) GROUP BY 1',
  'SELECT s.k, count(*) FROM askers AS s WHERE EXISTS (SELECT FROM [t] AS t WHERE t.d = s.d AND t.n > 5) GROUP BY 1',
  'SELECT s.k, count(*) FROM askers AS s WHERE NOT EXISTS (SELECT FROM [t] AS t WHERE t.d = s.d) GROUP BY 1']) AS query, joined(query);

-- a side that has nothing ends it, before the next one fails
SELECT count(*) FROM c AS t WHERE EXISTS (SELECT FROM askers AS s WHERE s.d = t.d AND s.id < 0) AND NOT EXISTS (SELECT FROM askers AS s WHERE 1 / (s.id - 5) = 3 AND s.d = t.d);

-- What is not done so, or begun and left to PostgreSQL: keys that are not unique, other joins, other keys
CREATE TABLE twice AS SELECT * FROM orgs UNION ALL SELECT * FROM orgs WHERE id = 20;
ANALYZE twice;
CREATE TABLE words (k citext, word text);
INSERT INTO words SELECT 'K' || i, 'word ' || i FROM generate_series(1, 50) AS i;
ANALYZE words;
SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT o.name, count(*) FROM [t] AS t JOIN twice AS o ON o.id = t.d GROUP BY 1',
  'SELECT o.name, count(*) FROM [t] AS t LEFT JOIN twice AS o ON o.id = t.d GROUP BY 1',
  'SELECT o.name, b.twice, count(*) FROM [t] AS t LEFT JOIN twice AS o ON o.id = t.d LEFT JOIN (SELECT id, id * 2 AS twice FROM orgs OFFSET 0) AS b ON b.id = t.n GROUP BY 1, 2',
  'SELECT k, count(*) FROM [t] AS t WHERE d IN (SELECT id FROM orgs) GROUP BY 1',
  'SELECT word, count(*) FROM [t] AS t JOIN words ON words.k = t.k::citext GROUP BY 1',
  'SELECT o.name, count(*) FROM [t] AS t JOIN orgs AS o ON o.id = t.d + 1 GROUP BY 1',
  'SELECT o.name, count(*) FROM [t] AS t JOIN orgs AS o ON o.id = t.v GROUP BY 1',
  'SELECT o.name, count(*) FROM [t] AS t JOIN orgs AS o ON o.id < t.n AND t.id < 100 GROUP BY 1',
  'SELECT o.name, count(*) FROM [t] AS t JOIN orgs AS o ON o.id = t.d WHERE random() >= 0 GROUP BY 1',
  'SELECT o.name, array_agg(n ORDER BY n) FROM [t] AS t JOIN orgs AS o ON o.id = t.d GROUP BY 1']) AS query, joined(query);
CREATE FUNCTION done_by(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
  RETURN coalesce(jsonb_path_query_first(plan, '$.**."Done by PostgreSQL''s Own Plan"') #>> '{}', 'lookups of ' || (jsonb_path_query_first(plan, '$.**."Lookup Rows"') #>> '{}') || ' rows');
END$$;
SELECT done_by('SELECT o.name, count(*) FROM c AS t JOIN orgs AS o ON o.id = t.d GROUP BY 1');
SELECT done_by('SELECT o.name, count(*) FROM c AS t JOIN twice AS o ON o.id = t.d GROUP BY 1');

-- Sides that are subqueries, functions, lists of values, common tables: planned once, also where PostgreSQL's own plan takes over
CREATE FUNCTION listed(n integer) RETURNS TABLE (id integer, word text) LANGUAGE sql STABLE AS $$ SELECT i, 'some ' || i % 3 FROM generate_series(1, n) AS i $$;
CREATE FUNCTION planned(n integer) RETURNS TABLE (id integer, word text) LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY SELECT * FROM listed(n); END $$;
SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT o.name, count(*) FROM [t] AS t JOIN (SELECT name, min(id) AS id FROM orgs GROUP BY 1) AS o ON o.id = t.d GROUP BY 1',
  'WITH first AS (SELECT d, date_trunc(''day'', min(at), ''UTC'') AS day FROM [t] WHERE n > 20 GROUP BY d) SELECT first.day, date_trunc(''week'', t.at, ''UTC''), count(DISTINCT t.d) FROM first JOIN [t] AS t ON t.d = first.d GROUP BY 1, 2',
  'WITH first AS (SELECT d, min(n) AS least FROM [t] GROUP BY d) SELECT count(*), sum(least), min(at) FROM first JOIN [t] AS t ON t.d = first.d AND t.n > least + 3 WHERE t.id % 2 = 0',
  'WITH f AS MATERIALIZED (SELECT id, name FROM dims WHERE flag) SELECT a.name, b.name, count(*) FROM [t] AS t JOIN f AS a ON a.id = t.d JOIN f AS b ON b.id = t.n GROUP BY 1, 2',
  'WITH s AS MATERIALIZED (SELECT id % 90 AS g, count(*) AS c FROM [t] GROUP BY 1) SELECT s.c, count(*), sum(t.v) FROM [t] AS t JOIN s ON s.g = t.n GROUP BY 1',
  'SELECT s.c, count(*), sum(t.v) FROM [t] AS t JOIN (SELECT id % 90 AS g, count(*) AS c FROM [t] GROUP BY 1) AS s ON s.g = t.n GROUP BY 1',
  'SELECT count(*), sum(t.v) FROM [t] AS t JOIN (SELECT DISTINCT id % 90 AS g FROM [t]) AS s ON s.g = t.n',
  'SELECT s.word, count(*), sum(v) FROM [t] AS t JOIN listed(50) AS s ON s.id = t.d GROUP BY 1',
  'SELECT s.word, o.name, count(*) FROM [t] AS t JOIN planned(50) AS s ON s.id = t.d JOIN orgs AS o ON o.id = t.n GROUP BY 1, 2',
  'SELECT x.w, count(*), max(n) FROM [t] AS t JOIN (VALUES (1, ''one''), (2, ''two''), (NULL, ''none'')) AS x (i, w) ON x.i = t.n GROUP BY 1',
  'SELECT g, count(*) FROM [t] AS t JOIN generate_series(1, 20) AS g ON g = t.n GROUP BY 1',
  'SELECT u.name, count(*) FROM [t] AS t JOIN (SELECT id, name FROM orgs WHERE id < 10 UNION ALL SELECT id, name FROM dims WHERE id BETWEEN 10 AND 90) AS u ON u.id = t.d GROUP BY 1',
  'SELECT u.name, count(*) FROM [t] AS t JOIN (SELECT id, name FROM orgs UNION SELECT id, name FROM orgs) AS u ON u.id = t.d GROUP BY 1',
  'SELECT l.name, count(*), count(l.rate) FROM [t] AS t JOIN (SELECT * FROM dims WHERE id IS NOT NULL ORDER BY id LIMIT 40) AS l ON l.id = t.d GROUP BY 1',
  'SELECT a.day, b.n, count(*) FROM [t] AS t JOIN (SELECT d, max(day) AS day FROM [t] GROUP BY d) AS a ON a.d = t.d JOIN (SELECT n, count(*) FROM [t] GROUP BY n HAVING count(*) > 100) AS b ON b.n = t.n GROUP BY 1, 2',
  'SELECT DISTINCT a.day, t.k FROM [t] AS t JOIN (SELECT d, max(day) AS day FROM [t] GROUP BY d) AS a ON a.d = t.d',
  'SELECT a.m, count(*) FROM [t] AS t, (SELECT max(n) AS m FROM [t]) AS a WHERE t.n = a.m GROUP BY 1',
  'SELECT count(*) FROM [t] AS t JOIN (SELECT d FROM [t] WHERE false GROUP BY d) AS a ON a.d = t.d',
  'SELECT r.n, count(*) FROM [t] AS t JOIN (WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 30) SELECT n FROM r) AS r ON r.n = t.d GROUP BY 1',
  'SELECT s.name, count(*) FROM (SELECT p.name, t.d FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1, 2) AS s JOIN [t] AS t ON t.d = s.d GROUP BY 1']) AS query, joined(query);
-- begun and left: keys that are not unique, numbers that are too wide
SELECT same, answer, query FROM unnest(ARRAY[
  'SELECT s.name, count(*) FROM [t] AS t JOIN (SELECT name, org FROM dims GROUP BY name, org) AS s ON s.org = t.d GROUP BY 1',
  'SELECT s.name, sum(t.v * 1e30 * t.v * 1e30) FROM [t] AS t JOIN (SELECT id, max(name) AS name FROM dims GROUP BY id) AS s ON s.id = t.d GROUP BY 1',
  'WITH f AS MATERIALIZED (SELECT org, name FROM dims WHERE flag) SELECT a.name, count(*) FROM [t] AS t JOIN f AS a ON a.org = t.d GROUP BY 1',
  'SELECT s.word, count(*), sum(v * 1e30 * t.v * 1e30) FROM [t] AS t JOIN planned(50) AS s ON s.id = t.d GROUP BY 1',
  'SELECT x.w, count(*) FROM [t] AS t JOIN (VALUES (1, ''one''), (2, ''two''), (2, ''zwei'')) AS x (i, w) ON x.i = t.n GROUP BY 1']) AS query, joined(query);
SELECT done_by('SELECT s.name, count(*) FROM c AS t JOIN (SELECT name, org FROM dims GROUP BY name, org) AS s ON s.org = t.d GROUP BY 1');
SELECT done_by('SELECT s.name, sum(t.v * 1e30 * t.v * 1e30) FROM c AS t JOIN (SELECT id, max(name) AS name FROM dims GROUP BY id) AS s ON s.id = t.d GROUP BY 1');
-- each way of joining, begun and left, with sides that depend on an outer row: they are read anew for each
CREATE FUNCTION left_for_plain(setting text) RETURNS TABLE (same boolean, plain boolean) LANGUAGE plpgsql AS $$
DECLARE
  query text := 'SELECT x, s.* FROM generate_series(1, 6) AS x CROSS JOIN LATERAL (SELECT count(*), sum(t.n), min(a.name)
    FROM [t] AS t JOIN (SELECT name, org FROM dims WHERE id % 7 <> x GROUP BY name, org) AS a ON a.org = t.d AND t.n > x) AS s';
BEGIN
  PERFORM set_config('enable_hashjoin', (setting = 'hash')::text, true), set_config('enable_mergejoin', (setting = 'merge')::text, true),
    set_config('enable_nestloop', (setting = 'loop')::text, true);
  same := test.answer(replace(query, '[t]', 'c')) = test.answer(replace(query, '[t]', 'h')) AND test.answer(replace(query, '[t]', 'cp')) = test.answer(replace(query, '[t]', 'h'));
  plain := done_by(replace(query, '[t]', 'c')) ~ 'not unique';
  PERFORM set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true), set_config('enable_nestloop', 'on', true);
  RETURN NEXT;
END$$;
SELECT setting, l.* FROM unnest('{hash,merge,loop}'::text[]) AS setting, left_for_plain(setting) AS l;
-- subqueries in expressions of the other tables have subqueries of their own, which no parameter changes; no join can go back to a mark in what stands for a side
SELECT same, answer FROM joined('SELECT x, s.* FROM generate_series(1, 4) AS x CROSS JOIN LATERAL (SELECT count(*), sum(t.n), min(a.name)
  FROM [t] AS t JOIN (SELECT name, org FROM dims WHERE id % 7 <> x GROUP BY name, org) AS a ON a.org = t.d WHERE t.n NOT IN (SELECT id FROM orgs WHERE id > (SELECT min(id) FROM orgs))) AS s');
CREATE TABLE pairs AS SELECT i / 2 AS id, 'name ' || i % 10 AS name FROM generate_series(1, 15000) AS i;
CREATE INDEX ON pairs (id) INCLUDE (name);
VACUUM ANALYZE pairs;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SET enable_seqscan = off;
SET enable_sort = off;
SET max_parallel_workers_per_gather = 0;
SELECT done_by(q), test.answer(q) = test.answer(replace(q, 'FROM c AS', 'FROM h AS')) AS same FROM (VALUES
  ('SELECT u.name, count(*) FROM c AS t JOIN (SELECT id, name FROM pairs UNION ALL SELECT id, name FROM dims WHERE false) AS u ON u.id = t.id AND t.id < 3000 GROUP BY 1')) AS v (q);
RESET enable_hashjoin;
RESET enable_nestloop;
RESET enable_seqscan;
RESET enable_sort;
RESET max_parallel_workers_per_gather;
DROP TABLE pairs;
-- fields of a record, which EXPLAIN could not name, are for PostgreSQL; those of a type are not
SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT (s.r).f1, count(*) FROM [t] AS t JOIN (SELECT id, ROW(max(name), min(org)) AS r FROM dims GROUP BY id) AS s ON s.id = t.d GROUP BY 1',
  'WITH s AS MATERIALIZED (SELECT id, ROW(max(name), min(org)) AS r FROM dims GROUP BY id) SELECT (s.r).f2, count(*) FROM [t] AS t JOIN s ON s.id = t.d GROUP BY 1',
  'SELECT (s.r).plan, count(s) FROM [t] AS t JOIN (SELECT id, max(o::text)::orgs AS r FROM orgs AS o GROUP BY id) AS s ON s.id = t.d GROUP BY 1']) AS query, joined(query);
BEGIN;
DECLARE s SCROLL CURSOR FOR SELECT a.name, count(*) FROM c AS t JOIN (SELECT name, org FROM dims GROUP BY name, org) AS a ON a.org = t.d GROUP BY 1 ORDER BY 1;
FETCH 2 FROM s;
FETCH FIRST FROM s;
MOVE ALL FROM s;
FETCH LAST FROM s;
COMMIT;
EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT s.name, count(*) FROM c AS t JOIN (VALUES (1, 'one'), (1, 'uno'), (2, 'two')) AS s (id, name) ON s.id = t.n WHERE t.id < 50 GROUP BY 1;

-- More rows than codes, and than memory
CREATE TABLE many AS SELECT i AS id, 'name ' || i % 1000 AS name, CASE WHEN i % 3 > 0 THEN i * 0.01 END AS price, repeat('x', 20) AS filler FROM generate_series(0, 70000) AS i;
ANALYZE many;
SET work_mem = '64MB';
SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT m.name, count(*), sum(m.price), min(m.id) FROM [t] AS t JOIN many AS m ON m.id = t.id GROUP BY 1',
  'SELECT length(m.name), count(*), count(m.price) FROM [t] AS t JOIN many AS m ON m.id = t.n GROUP BY 1']) AS query, joined(query);
SELECT done_by('SELECT m.name, count(*) FROM c AS t JOIN many AS m ON m.id = t.id GROUP BY 1');
-- the planner is told of fewer rows than there are
DELETE FROM many WHERE id > 500;
ANALYZE many;
INSERT INTO many SELECT i, 'late ' || i, 1, repeat('x', 200) FROM generate_series(501, 40000) AS i;
SET work_mem = '2MB';
SELECT done_by('SELECT m.name, count(*) FROM c AS t JOIN many AS m ON m.id = t.id GROUP BY 1');
SELECT same, answer FROM joined('SELECT m.name, count(*) FROM [t] AS t JOIN many AS m ON m.id = t.id GROUP BY 1');
RESET work_mem;

-- Keys that are dictionary codes, and that row groups do not have at all
CREATE TABLE codes AS SELECT 'k' || i AS k, i % 6 AS kind FROM generate_series(5, 70) AS i;
ALTER TABLE c ADD COLUMN later integer DEFAULT 7;
ALTER TABLE cp ADD COLUMN later integer DEFAULT 7;
ALTER TABLE h ADD COLUMN later integer DEFAULT 7;
UPDATE c SET later = NULL WHERE id = 100;
UPDATE cp SET later = NULL WHERE id = 100;
UPDATE h SET later = NULL WHERE id = 100;
ANALYZE codes;
SELECT same, looked_up, answer, query FROM unnest(ARRAY[
  'SELECT kind, count(*), sum(n) FROM [t] AS t JOIN codes ON codes.k = t.k GROUP BY 1',
  'SELECT o.name, count(*), sum(n) FROM [t] AS t JOIN orgs AS o ON o.id = t.later GROUP BY 1']) AS query, joined(query);

-- Threads, wherever a grouping of the table alone has some, and groups that are written to disk
CREATE TABLE large (id integer, d integer, k text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('large', row_group_rows => 4096);
INSERT INTO large SELECT i, i * 7919 % 400, 'k' || i % 90 FROM generate_series(1, 160000) AS i;
CALL hanzo_datastore.compact('large');
CREATE TABLE large_heap AS TABLE large;
ANALYZE large, large_heap;
SELECT (test.measured('SELECT p.name, codes.kind, count(*) FROM large AS t JOIN dims AS p ON p.id = t.d JOIN codes ON codes.k = t.k GROUP BY 1, 2', 'Threads') > 0)
  = (test.measured('SELECT d, count(*) FROM large GROUP BY 1', 'Threads') > 0) AS threads;
SELECT test.answer(q) = test.answer(replace(q, 'large', 'large_heap')) AS same FROM (VALUES
  ('SELECT p.name, codes.kind, count(*), sum(t.id) FROM large AS t JOIN dims AS p ON p.id = t.d JOIN codes ON codes.k = t.k GROUP BY 1, 2')) AS v (q);
SET work_mem = '1MB';
SELECT test.measured('SELECT t.id, p.name, count(*) FROM large AS t JOIN dims AS p ON p.id = t.d GROUP BY 1, 2', 'Lookup Rows') AS lookup_rows,
  test.measured('SELECT t.id, p.name, count(*) FROM large AS t JOIN dims AS p ON p.id = t.d GROUP BY 1, 2', 'Disk Usage') > 0 AS spilled;
SELECT test.answer(q) = test.answer(replace(q, 'large', 'large_heap')) AS same FROM (VALUES
  ('SELECT t.id, p.name, count(*) FROM large AS t JOIN dims AS p ON p.id = t.d GROUP BY 1, 2')) AS v (q);
RESET work_mem;

-- Parameters, rescans, cursors
PREPARE since(timestamptz, text) AS SELECT p.name, count(*) FROM c AS t JOIN dims AS p ON p.id = t.d WHERE t.at >= $1 AND p.name > $2 AND t.n + length($2) > p.id % 10 GROUP BY 1 ORDER BY 1 LIMIT 3;
SET plan_cache_mode = force_generic_plan;
EXECUTE since('2026-01-15', 'dim 3');
EXECUTE since('2026-01-20', 'dim 4');
SELECT p.name, count(*) FROM h AS t JOIN dims AS p ON p.id = t.d WHERE t.at >= '2026-01-20' AND p.name > 'dim 4' AND t.n + 5 > p.id % 10 GROUP BY 1 ORDER BY 1 LIMIT 3;
SELECT test.plan_has($$EXECUTE since('2026-01-15', 'dim 3')$$, 'Lookup Cond');
RESET plan_cache_mode;
SELECT x, s.* FROM generate_series(1, 4) AS x CROSS JOIN LATERAL
  (SELECT count(*), sum(p.rate), count(DISTINCT p.name) FROM c AS t JOIN dims AS p ON p.id = t.d WHERE t.n % 5 = x AND p.org > x * 4) AS s;
SELECT x, s.* FROM generate_series(1, 4) AS x CROSS JOIN LATERAL
  (SELECT count(*), sum(p.rate), count(DISTINCT p.name) FROM h AS t JOIN dims AS p ON p.id = t.d WHERE t.n % 5 = x AND p.org > x * 4) AS s;
BEGIN;
DECLARE k CURSOR FOR SELECT p.name, count(*) FROM c AS t JOIN dims AS p ON p.id = t.d GROUP BY 1 ORDER BY 1;
FETCH 2 FROM k;
UPDATE dims SET name = 'changed' WHERE id % 2 = 0;
FETCH 2 FROM k;
SELECT same, answer FROM joined('SELECT p.name, count(*) FROM [t] AS t JOIN dims AS p ON p.id = t.d GROUP BY 1');
ROLLBACK;
-- a side that is columnar itself, and one that is partitioned
SELECT same, looked_up, answer FROM joined('SELECT s.n, count(*), count(DISTINCT t.k) FROM [t] AS t JOIN c AS s ON s.id = t.d WHERE s.id < 200 GROUP BY 1');
SELECT same, looked_up, answer FROM joined('SELECT s.n, count(*) FROM [t] AS t JOIN cp AS s ON s.id = t.d WHERE s.id < 200 AND s.at < ''2026-01-12'' GROUP BY 1');
-- rights: whoever may not read a side gets the error of always
CREATE ROLE lookup_reader;
GRANT SELECT ON c TO lookup_reader;
GRANT SELECT (id) ON orgs TO lookup_reader;
SET ROLE lookup_reader;
SELECT count(*) FROM c AS t JOIN orgs AS o ON o.id = t.d;
SELECT o.name, count(*) FROM c AS t JOIN orgs AS o ON o.id = t.d GROUP BY 1;
RESET ROLE;
-- row security of a side
ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON orgs TO lookup_reader USING (id < 10);
SET ROLE lookup_reader;
SELECT count(*) FROM c AS t JOIN orgs AS o ON o.id = t.d;
RESET ROLE;
SELECT count(*) FROM h AS t JOIN orgs AS o ON o.id = t.d WHERE o.id < 10;
DROP TABLE orgs, dims, c, h, cp, twice, words, many, codes, large, large_heap CASCADE;
DROP FUNCTION joined, done_by, listed, planned, left_for_plain;
DROP ROLE lookup_reader;
