-- Values of every type through the delta, compaction and bulk load, read by scan and by index: to the byte what a heap has.
CREATE SCHEMA types_test;
SET search_path = types_test, public;
SET client_min_messages = warning;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', '');
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE nested AS (p pair, n numeric, ps pair[], t timestamptz);
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN price AS numeric(10,2);
CREATE DOMAIN short_text AS text CHECK (length(VALUE) < 1000);
CREATE DOMAIN pair_domain AS pair;
CREATE DOMAIN matrix AS integer[] CHECK (array_ndims(VALUE) IS DISTINCT FROM 3);

-- One case: a name, a type, and an expression in i (1, 2, …) that makes its values.
CREATE TABLE cases (n integer GENERATED ALWAYS AS IDENTITY, name text PRIMARY KEY, type text, expr text, sorted boolean);

-- A case whose values are these, in turn.
CREATE FUNCTION literals(type text, VARIADIC vals text[])
RETURNS TABLE (name text, type_ text, expr text)
LANGUAGE sql
AS $$ SELECT type, type, format('((%L::text[])[1 + i %% %s])::%s', vals, cardinality(vals), type) $$;

INSERT INTO cases (name, type, expr)
SELECT l.* FROM (
-- Scalars: the ends of their ranges and what is odd in between.
SELECT literals('bool', 't', 'f', 't')
UNION ALL SELECT literals('int2', '-32768', '32767', '0', '1', '-1')
UNION ALL SELECT literals('int4', '-2147483648', '2147483647', '0', '1', '-1', '65536')
UNION ALL SELECT literals('int8', '-9223372036854775808', '9223372036854775807', '0', '1', '-1', '4294967296')
UNION ALL SELECT literals('float4', 'NaN', 'Infinity', '-Infinity', '0', '-0', '1e-45', '-1e-45', '3.4028235e38', '1.1754944e-38', '0.1')
UNION ALL SELECT literals('float8', 'NaN', 'Infinity', '-Infinity', '0', '-0', '4.9e-324', '-4.9e-324', '1.7976931348623157e308',
  '2.2250738585072014e-308', '2.2250738585072009e-308', '0.1', '1e15', '123456.789', '-9007199254740993')
UNION ALL SELECT literals('numeric', 'NaN', 'Infinity', '-Infinity', '0', '0.0', '0.00', '-0.000', '1', '1.0', '1.00', '-1.0', '100', '1e2',
  '0.1', '0.10', '9999', '10000', '10000.0000', '0.0001', '0.00010', '12345678901234567890.12345678901234567890',
  repeat('7', 1000), '-' || repeat('9', 500) || '.' || repeat('1', 500), '0.' || repeat('0', 999) || '1', '1e131071', '1e-16383')
UNION ALL SELECT literals('numeric(18,4)', '0', '1', '-1', '99999999999999.9999', '-99999999999999.9999', '0.0001', '12.3400', 'NaN')
UNION ALL SELECT literals('numeric(9,2)', '0', '1.5', '-9999999.99', '9999999.99')
UNION ALL SELECT literals('numeric(38,10)', '9999999999999999999999999999.9999999999', '-9999999999999999999999999999.9999999999', '0', '1e-10')
UNION ALL SELECT literals('numeric(39,0)', repeat('9', 39), '-' || repeat('9', 39), '170141183460469231731687303715884105728', '0')
UNION ALL SELECT literals('numeric(1000,500)', repeat('9', 500) || '.' || repeat('9', 500), '1', '0', 'NaN')
UNION ALL SELECT literals('numeric(5,-2)', '1234567', '-1234567', '100', '0', '49')
UNION ALL SELECT literals('numeric(3,5)', '0.00999', '-0.00999', '0.00001', '0')
UNION ALL SELECT literals('money', '-92233720368547758.08', '92233720368547758.07', '0', '1.23')
-- Text.
UNION ALL SELECT literals('text', '', ' ', 'a', 'A', 'äöü', E'\U0001F600', E'e\u0301', E'tab\tnew\nline\\', '{"quoted"}', 'NULL', '\N', repeat('ab', 60), repeat('c', 3000))
UNION ALL SELECT literals('varchar(10)', '', 'a', '0123456789', 'äöüäöüäöü€', 'a  ')
UNION ALL SELECT literals('varchar', '', 'b', repeat('0123456789', 13), repeat('€', 900))
UNION ALL SELECT literals('bpchar(10)', '', 'a', 'a  ', '0123456789', 'äöü')
UNION ALL SELECT literals('bpchar', '', 'a', 'a  ', repeat('z', 200) || '  ')
UNION ALL SELECT literals('bpchar(1)', 'a', 'b', '', 'ä')
UNION ALL SELECT literals('name', '', 'a', repeat('n', 63), 'äöü')
UNION ALL SELECT literals('citext', 'a', 'A', '', 'Ä')
UNION ALL SELECT literals('bytea', '', '\x00', '\x0000', '\x00ff', '\xdeadbeef', '\x' || repeat('00', 130), '\x' || repeat('0a', 2500))
UNION ALL SELECT literals('uuid', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '7c6ff4de-5d5c-4b1f-9b2b-0d4c1a2e3f40')
-- Time.
UNION ALL SELECT literals('date', '-infinity', 'infinity', '4713-01-01 BC', '5874897-12-31', '2000-01-01', '1999-12-31', '0001-12-31 BC')
UNION ALL SELECT literals('time', '00:00', '24:00', '23:59:59.999999', '12:34:56')
UNION ALL SELECT literals('time(0)', '00:00', '24:00', '12:34:56')
UNION ALL SELECT literals('timetz', '00:00+15:59', '24:00-15:59', '23:59:59.999999+00', '12:00:00+02', '12:00:00+02:30:15')
UNION ALL SELECT literals('timestamp', '-infinity', 'infinity', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999', '2000-01-01', '1999-12-31 23:59:59.999999')
UNION ALL SELECT literals('timestamp(3)', '2024-02-29 12:34:56.789', '-infinity', '2000-01-01')
UNION ALL SELECT literals('timestamptz', '-infinity', 'infinity', '4713-01-01 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00', '2000-01-01 00:00+00', '2024-10-27 01:30+00')
UNION ALL SELECT literals('interval', '0', '1 month', '30 days', '720:00:00', '1 month -30 days', '-178000000 years', '178000000 years', '1 year -2 days 03:04:05.678901', '-00:00:00.000001')
-- Networks, bits, documents.
UNION ALL SELECT literals('inet', '0.0.0.0', '::', '192.168.1.1/24', '192.168.1.1', '2001:db8::1/64', '255.255.255.255/0', '::ffff:1.2.3.4')
UNION ALL SELECT literals('cidr', '10/8', '192.168.0.0/16', '::/0', '2001:db8::/32')
UNION ALL SELECT literals('macaddr', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '08:00:2b:01:02:03')
UNION ALL SELECT literals('macaddr8', '00:00:00:00:00:00:00:00', '08:00:2b:01:02:03:04:05')
UNION ALL SELECT literals('bit(1)', '0', '1')
UNION ALL SELECT literals('bit(13)', '1010101010101', '0000000000000', '1111111111111')
UNION ALL SELECT literals('varbit', '', '1', '0', '0000000', '00000000', '000000001', repeat('10', 700))
UNION ALL SELECT literals('varbit(9)', '', '101010101')
UNION ALL SELECT literals('json', '{}', '{"a" :  1.00}', '[1, 2,  {"b":null}]', 'null', '"\u00e4"', '{"a":1,"a":2}')
UNION ALL SELECT literals('jsonb', '{}', '[]', 'null', '1.00', '1.0', '"ä"', '{"a": [1, 2.50, {"b": null}], "": true}', '[' || repeat('1,', 300) || '2]', '1e1000')
UNION ALL SELECT literals('jsonpath', '$.a[*] ? (@ > 1)', 'strict $', '$')
UNION ALL SELECT literals('xml', '<a/>', 'text', '<b c="d">ä</b>')
UNION ALL SELECT literals('tsvector', '', 'a', 'a:1A b:2,3', '''it''''s'':1')
UNION ALL SELECT literals('tsquery', '', 'a', 'a & !b | c:*AB', 'a <-> b')
-- Geometry.
UNION ALL SELECT literals('point', '(0,0)', '(-0,-0)', '(NaN,Infinity)', '(1.5,-2.5)')
UNION ALL SELECT literals('line', '{1,2,3}', '{-1,0,5}')
UNION ALL SELECT literals('lseg', '[(0,0),(1,1)]', '[(-1e300,5),(2,2)]')
UNION ALL SELECT literals('box', '(0,0),(1,1)', '(5,5),(-5,-5)')
UNION ALL SELECT literals('path', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '[(1,2)]')
UNION ALL SELECT literals('polygon', '((0,0),(1,1),(2,0))', '((3,3))')
UNION ALL SELECT literals('circle', '<(0,0),1>', '<(-3,4),0>')
-- System types.
UNION ALL SELECT literals('oid', '0', '1', '4294967295')
UNION ALL SELECT literals('regtype', '-', 'int4', 'text[]')
UNION ALL SELECT literals('xid', '0', '3', '4294967295')
UNION ALL SELECT literals('cid', '0', '4294967295')
UNION ALL SELECT literals('xid8', '0', '18446744073709551615', '4294967296')
UNION ALL SELECT literals('tid', '(0,1)', '(4294967295,65535)')
UNION ALL SELECT literals('pg_lsn', '0/0', 'FFFFFFFF/FFFFFFFF', '16/B374D848')
UNION ALL SELECT literals('pg_snapshot', '10:20:10,14,15', '1:1:')
UNION ALL SELECT literals('refcursor', 'c1', '')
UNION ALL SELECT literals('oidvector', '', '1 2 3')
UNION ALL SELECT literals('int2vector', '', '1 -2 3')
UNION ALL SELECT literals('aclitem', 'postgres=r/postgres', '=U/postgres')
-- Arrays.
UNION ALL SELECT literals('int4[]', '{}', '{1,2,3}', '{NULL}', '{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={5,6}', '[-2:-1][5:5]={{1},{2}}', '{{{1}},{{2}}}')
UNION ALL SELECT literals('int8[]', '{}', '{9223372036854775807,-9223372036854775808}', '{NULL,NULL}')
UNION ALL SELECT literals('text[]', '{}', '{""}', '{NULL,"NULL"}', '{"a b","c,d","e\"f","g\\h",ä}', '{{a,b},{c,d}}', '{' || repeat('word,', 500) || 'end}')
UNION ALL SELECT literals('bool[]', '{t,f,NULL}', '{}')
UNION ALL SELECT literals('float8[]', '{NaN,-0,0,Infinity}', '{}', '{0.1,0.2}')
UNION ALL SELECT literals('numeric[]', '{1.0,1.00,NaN}', '{}')
UNION ALL SELECT literals('uuid[]', '{00000000-0000-0000-0000-000000000000,NULL}', '{}')
UNION ALL SELECT literals('timestamptz[]', '{-infinity,infinity,"2000-01-01 00:00+00"}', '{}')
UNION ALL SELECT literals('jsonb[]', '{"{\"a\":1}",NULL}', '{}')
UNION ALL SELECT literals('"char"[]', '{a,b}', '{}')
UNION ALL SELECT literals('mood[]', '{sad,happy}', '{}', '{""}')
UNION ALL SELECT literals('pair[]', '{"(1,x)",NULL,"(,)"}', '{}')
UNION ALL SELECT literals('int4range[]', '{"[1,2)",empty}', '{}')
UNION ALL SELECT literals('interval[]', '{"1 mon","30 days"}', '{}')
UNION ALL SELECT literals('bytea[]', '{"\\x00",""}', '{}')
UNION ALL SELECT literals('price[]', '{1.5,NULL}', '{}')
-- Composites, domains, enums, ranges.
UNION ALL SELECT literals('pair', '(1,x)', '(,)', '(,"")', '(-5,"a,b""c")')
UNION ALL SELECT literals('nested', '("(1,x)",1.00,"{""(2,y)""}","2000-01-01 00:00+00")', '(,,,)', '("(,)",NaN,{},infinity)')
UNION ALL SELECT literals('mood', 'sad', 'ok', 'happy', '')
UNION ALL SELECT literals('positive', '1', '2147483647')
UNION ALL SELECT literals('price', '1', '1.50', '-99999999.99', 'NaN')
UNION ALL SELECT literals('short_text', '', 'x', repeat('y', 999))
UNION ALL SELECT literals('pair_domain', '(1,x)', '(,)')
UNION ALL SELECT literals('matrix', '{}', '{{1,2},{3,4}}', '{1}')
UNION ALL SELECT literals('int4range', 'empty', '[1,5)', '(,)', '[,3)', '[7,)')
UNION ALL SELECT literals('int8range', 'empty', '[1,9223372036854775807)', '(,)')
UNION ALL SELECT literals('numrange', 'empty', '[1.0,2.00]', '(1,NaN)', '(,)')
UNION ALL SELECT literals('tsrange', 'empty', '[2000-01-01,infinity]', '(,)')
UNION ALL SELECT literals('tstzrange', 'empty', '[2000-01-01 00:00+00,2001-01-01 00:00+00)', '(,)')
UNION ALL SELECT literals('daterange', 'empty', '[2000-01-01,2001-01-01)', '[,infinity)')
UNION ALL SELECT literals('text_range', 'empty', '[a,b)', '["",)')
UNION ALL SELECT literals('int4multirange', '{}', '{[1,2),[5,9)}', '{(,)}')
UNION ALL SELECT literals('nummultirange', '{}', '{[1.0,2.00],(3,)}')
UNION ALL SELECT literals('tstzmultirange', '{}', '{["2000-01-01 00:00+00","2001-01-01 00:00+00")}')
UNION ALL SELECT literals('hstore', '', 'a=>1', 'a=>NULL, b=>"x y"')
UNION ALL SELECT literals('ltree', '', 'a.b.c')
) AS q, LATERAL (SELECT (q.literals).*) AS l;

-- Distributions: what encodings are chosen by.
INSERT INTO cases (name, type, expr) VALUES
  ('"char": every byte', '"char"', '(i % 256 - 128)::"char"'),
  ('bool: noise', 'bool', 'test.noise(i) % 3 = 0'),
  ('bool: runs', 'bool', 'i / 500 % 2 = 0'),
  ('int2: noise', 'int2', '(test.noise(i) % 32768)::int2'),
  ('int4: constant', 'int4', '42'),
  ('int4: ascending', 'int4', 'i'),
  ('int4: descending', 'int4', '-3 * i'),
  ('int4: runs', 'int4', 'i / 100'),
  ('int4: noise', 'int4', '(test.noise(i) >> 32)::int4'),
  ('int4: few outliers', 'int4', 'CASE WHEN i % 1000 = 7 THEN 2147483647 - i ELSE i % 16 END'),
  ('int4: ends', 'int4', 'CASE WHEN i % 2 = 0 THEN -2147483648 ELSE 2147483647 END'),
  ('int8: ascending', 'int8', '9223372036854765000 + i'),
  ('int8: jumps', 'int8', 'i::int8 * i * i * 1000003'),
  ('int8: noise', 'int8', 'test.noise(i)'),
  ('int8: ends', 'int8', 'CASE WHEN i % 2 = 0 THEN -9223372036854775808 ELSE 9223372036854775807 END'),
  ('int8: few outliers', 'int8', 'CASE WHEN i % 3000 = 7 THEN test.noise(i) ELSE 1000 END'),
  ('float4: decimals', 'float4', '(i % 1000)::float4 / 10'),
  ('float4: noise', 'float4', '(test.noise(i) / 1e12)::float4'),
  ('float8: decimals', 'float8', '(test.noise(i) % 100000)::float8 / 100'),
  ('float8: decimals with odd ones', 'float8', $$CASE i % 500 WHEN 3 THEN 'NaN' WHEN 4 THEN '-0' WHEN 5 THEN 'Infinity' WHEN 6 THEN 4.9e-324 ELSE i / 8.0 END$$),
  ('float8: integers', 'float8', 'test.noise(i) % 1000000'),
  ('float8: noise', 'float8', 'exp((test.noise(i) % 700)::float8) * (1 + (test.noise(i, 1) % 1000003) / 1000003.0)'),
  ('float8: near each other', 'float8', '1 + (test.noise(i) % 1000003) / 1e12'),
  ('numeric(18,4): noise', 'numeric(18,4)', '(test.noise(i) % 10000000)::numeric / 10000'),
  ('numeric(18,4): ascending', 'numeric(18,4)', 'i::numeric / 4'),
  ('numeric(38,10): noise', 'numeric(38,10)', '(test.noise(i)::numeric * 100000000) / 10000000000'),
  ('numeric: scales', 'numeric', 'round(test.noise(i)::numeric / 1000000000, i % 40)'),
  ('numeric: integers', 'numeric', 'i'),
  ('numeric: fixed with odd ones', 'numeric', $$CASE i % 700 WHEN 5 THEN 'NaN' WHEN 6 THEN 'Infinity' WHEN 7 THEN 1.0 WHEN 8 THEN 1.00000 ELSE i::numeric(10,2) END$$),
  ('money: noise', 'money', '(test.noise(i) % 1000000)::int4::money'),
  ('text: urls', 'text', $$'https://example.com/' || test.noise(i) % 50 || '/page?id=' || i$$),
  ('text: few', 'text', $$'country ' || test.noise(i) % 40$$),
  ('text: constant', 'text', $$'always the same'$$),
  ('text: unique', 'text', $$md5(i::text)$$),
  ('text: lengths', 'text', $$repeat(chr(97 + i % 26), i % 300)$$),
  ('text: some long', 'text', $$CASE WHEN i % 200 = 0 THEN (SELECT string_agg(md5((i + k)::text), '') FROM generate_series(1, 100) AS k) ELSE i::text END$$),
  ('text: multibyte', 'text', $$repeat(chr(8364 + i % 50), i % 20)$$),
  ('bpchar(20): unique', 'bpchar(20)', $$i::text$$),
  ('varchar(40): unique', 'varchar(40)', $$md5(i::text)$$),
  ('name: unique', 'name', $$('n' || i)::name$$),
  ('bytea: noise', 'bytea', $$decode(repeat(md5(i::text), i % 5), 'hex')$$),
  ('uuid: version 4', 'uuid', $$overlay(md5(i::text) placing '4' from 13)::uuid$$),
  ('uuid: version 7', 'uuid', $$(lpad(to_hex(1700000000000 + i), 12, '0') || '7' || substr(md5(i::text), 1, 19))::uuid$$),
  ('date: ascending', 'date', $$date '2024-01-01' + i / 30$$),
  ('time: noise', 'time', $$time '00:00' + (test.noise(i) % 86400) * interval '1 second'$$),
  ('timestamp: noise', 'timestamp', $$timestamp '2024-01-01' + (test.noise(i) % 100000000) * interval '1 microsecond'$$),
  ('timestamptz: ascending', 'timestamptz', $$timestamptz '2024-01-01 00:00+00' + i * interval '1.5 second'$$),
  ('timestamptz: seconds', 'timestamptz', $$timestamptz '2024-01-01 00:00+00' + (test.noise(i) % 86400) * interval '1 second'$$),
  ('interval: noise', 'interval', $$make_interval(months => i % 12, days => i % 31, secs => test.noise(i) % 86400)$$),
  ('inet: addresses', 'inet', $$inet '10.0.0.0' + i * 7$$),
  ('macaddr: noise', 'macaddr', $$substr(md5(i::text), 1, 12)::macaddr$$),
  ('varbit: lengths', 'varbit', $$repeat('1', i % 70)::varbit$$),
  ('jsonb: events', 'jsonb', $$jsonb_build_object('id', i, 'tags', jsonb_build_array('a', i % 7, NULL), 'amount', (i % 1000) / 100.0)$$),
  ('json: events', 'json', $$json_build_object('id', i, 'name', md5(i::text))$$),
  ('point: noise', 'point', 'point(test.noise(i) % 1000, i)'),
  ('oid: ascending', 'oid', 'i::oid'),
  ('regclass', 'regclass', $$(ARRAY[0, 1259, 4294967295]::oid[])[1 + i % 3]::regclass$$),
  ('xid8: ascending', 'xid8', '(4294967290 + i)::text::xid8'),
  ('pg_lsn: ascending', 'pg_lsn', $$pg_lsn '1/0' + i$$),
  ('tid: ascending', 'tid', $$format('(%s,%s)', i, i % 200 + 1)::tid$$),
  ('int4[]: lengths', 'int4[]', 'array_fill(i, ARRAY[i % 20])'),
  ('text[]: noise', 'text[]', 'ARRAY[md5(i::text), NULL, (i % 3)::text]'),
  ('pair: noise', 'pair', 'ROW(i, md5(i::text))::pair'),
  ('mood: noise', 'mood', $$(ARRAY['sad', 'ok', 'happy']::mood[])[1 + abs(test.noise(i) % 3)]$$),
  ('price: noise', 'price', '(test.noise(i) % 100000)::numeric / 100'),
  ('int4range: noise', 'int4range', 'int4range(i, i + i % 9)'),
  ('tsvector: noise', 'tsvector', $$to_tsvector('simple', md5(i::text) || ' word ' || i)$$),
  ('hstore: noise', 'hstore', $$hstore('key ' || i % 5, md5(i::text))$$);

-- A server without libxml has no xml values.
DO $$
BEGIN
  PERFORM '<a/>'::xml;
EXCEPTION WHEN feature_not_supported THEN
  UPDATE cases SET type = 'text', expr = replace(expr, '::xml', '::text') WHERE name = 'xml';
END
$$;

CREATE TABLE findings (name text, stage text, rows integer, finding text);

-- Compares columnar table c with heap table h, by scan and by index; c shall be in these stores.
CREATE PROCEDURE compare(c regclass, h regclass, case_name text, stage text, wanted_rows integer, VARIADIC stores text[])
LANGUAGE plpgsql
AS $$
DECLARE
  differences bigint := test.differences(c, h);
  found_store text := test.stores(c);
BEGIN
  IF differences <> 0 THEN
    INSERT INTO findings VALUES (case_name, stage, wanted_rows, 'differences by scan: ' || differences);
  END IF;
  IF found_store <> ALL (stores) THEN
    INSERT INTO findings VALUES (case_name, stage, wanted_rows, 'unexpected store: ' || found_store);
  END IF;
  IF wanted_rows NOT IN (2049, 8300) THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE INDEX c_index ON %s (id)', c);
  EXECUTE format('CREATE OR REPLACE VIEW sample AS SELECT * FROM %s WHERE id %% 10 = 1 OR id %% 2048 <= 1', h);
  differences := test.differences_by_index(c, 'sample');
  IF differences <> 0 THEN
    INSERT INTO findings VALUES (case_name, stage, wanted_rows, 'differences by index: ' || differences);
  END IF;
  DROP INDEX c_index;
EXCEPTION WHEN data_corrupted OR internal_error THEN
  INSERT INTO findings VALUES (case_name, stage, wanted_rows, SQLERRM);
END
$$;

-- Columns: with nulls, without, all null, few not null, runs of nulls.
CREATE PROCEDURE fill_heap(type text, expr text, rows integer)
LANGUAGE plpgsql
AS $$
BEGIN
  DROP VIEW IF EXISTS part, sample;
  DROP TABLE IF EXISTS h, b, c;
  EXECUTE format('CREATE TABLE h (id integer, v %1$s, n %1$s, z %1$s, s %1$s, r %1$s) USING heap', type);
  EXECUTE format('INSERT INTO h SELECT i, CASE WHEN i %% 7 <> 3 THEN x END, x, NULL, CASE WHEN i %% 997 = 1 THEN x END, CASE WHEN i / 100 %% 2 = 0 THEN x END
                  FROM generate_series(1, %s) AS i CROSS JOIN LATERAL (SELECT (%s)::%s AS x OFFSET 0) AS q', rows, expr, type);
END
$$;

CREATE PROCEDURE check_case(case_name text, type text, expr text)
LANGUAGE plpgsql
AS $$
DECLARE
  size integer;
BEGIN
  CALL fill_heap(type, expr, 8300);
  CREATE TABLE c (LIKE h) USING hanzo_columnar;
  FOREACH size IN ARRAY '{1,2047,2048,2049}'::integer[] LOOP
    EXECUTE format('CREATE OR REPLACE VIEW part AS SELECT * FROM h WHERE id <= %s', size);
    INSERT INTO c SELECT * FROM part;
    COMMIT;
    IF size < 2048 THEN
      CALL compare('c', 'part', case_name, 'delta', size, 'delta');
    END IF;
    CALL hanzo_datastore.compact('c');
    COMMIT;
    CALL compare('c', 'part', case_name, 'compacted', size, 'columns');
    COMMIT;
    TRUNCATE c;
  END LOOP;
  CREATE TABLE b USING hanzo_columnar AS TABLE h;
  COMMIT;
  CALL compare('b', 'h', case_name, 'bulk', 8300, 'columns', 'both');
  COMMIT;
END
$$;

-- Sorted by the values: first inside row groups, then as a whole; and what comparisons find.
CREATE PROCEDURE check_order(case_name text, type text)
LANGUAGE plpgsql
AS $$
DECLARE
  comparison text;
  wrong bigint;
BEGIN
  CREATE TABLE c (LIKE h) USING hanzo_columnar;
  PERFORM hanzo_datastore.alter_columnar_table('c', order_by => 'n DESC, v NULLS FIRST', row_group_rows => 2048, bloom => '{id}');
  DELETE FROM h WHERE id > 4200;
  INSERT INTO c SELECT * FROM h;
  COMMIT;
  CALL hanzo_datastore.compact('c');
  COMMIT;
  CALL hanzo_datastore.optimize('c');
  COMMIT;
  CALL compare('c', 'h', case_name, 'optimized', 4200, 'columns');
  SELECT count(*) INTO wrong
  FROM (SELECT n, lag(n) OVER stored AS n_before, v, lag(v) OVER stored AS v_before FROM c WINDOW stored AS (ORDER BY ctid)) AS q
  WHERE n > n_before OR (n = n_before AND v > v_before AND v_before IS NULL);
  IF wrong <> 0 THEN
    INSERT INTO findings VALUES (case_name, 'optimized', 4200, 'rows out of order: ' || wrong);
  END IF;
  -- Values known only at execution, then constants.
  FOREACH comparison IN ARRAY '{<,<=,=,>=,>,<>}'::text[] LOOP
    EXECUTE format('SELECT count(*) FROM (SELECT DISTINCT n AS x FROM h ORDER BY x LIMIT 9) AS k
                    WHERE (SELECT count(v) FROM c WHERE c.n %1$s k.x) <> (SELECT count(v) FROM h WHERE h.n %1$s k.x)', comparison)
      INTO wrong;
    IF wrong <> 0 THEN
      INSERT INTO findings VALUES (case_name, 'optimized', 4200, format('n %s value: %s times a wrong count', comparison, wrong));
    END IF;
    EXECUTE format('SELECT (SELECT count(v) FROM c WHERE c.n %1$s %2$L::%3$s) - (SELECT count(v) FROM h WHERE h.n %1$s %2$L::%3$s)', comparison,
                   (SELECT n FROM h ORDER BY n LIMIT 1 OFFSET 2000), type)
      INTO wrong;
    IF wrong <> 0 THEN
      INSERT INTO findings VALUES (case_name, 'optimized', 4200, format('n %s constant: count off by %s', comparison, wrong));
    END IF;
  END LOOP;
  IF (SELECT ROW(count(*), count(v), count(z)) FROM c WHERE v IS NULL) <> (SELECT ROW(count(*), count(v), count(z)) FROM h WHERE v IS NULL)
    OR (SELECT count(*) FROM c WHERE z IS NOT NULL) <> 0 THEN
    INSERT INTO findings VALUES (case_name, 'optimized', 4200, 'IS NULL finds something else');
  END IF;
END
$$;

CREATE FUNCTION can_be_sorted(type text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE format('SELECT count(*) FROM (SELECT NULL::%1$s AS x ORDER BY x) AS q WHERE x < x', type);
  RETURN true;
EXCEPTION WHEN undefined_function THEN
  RETURN false;
END
$$;

-- The comparison is to the byte, and counts doubles.
CREATE TABLE one (id integer, n numeric, f float8, t text);
CREATE TABLE two (t text, dropped integer, f float8, n numeric, id integer);
ALTER TABLE two DROP COLUMN dropped;
INSERT INTO one VALUES (1, 1.0, '-0', 'a'), (1, 1.0, '-0', 'a'), (2, NULL, NULL, NULL);
INSERT INTO two (id, n, f, t) VALUES (1, 1.0, '-0', 'a'), (2, NULL, NULL, NULL);
SELECT test.differences('one', 'two');
INSERT INTO two (id, n, f, t) VALUES (1, 1.00, '-0', 'a');
SELECT test.differences('one', 'two');
UPDATE two SET n = 1.0, f = '0' WHERE n = 1.00;
SELECT test.differences('one', 'two');
UPDATE two SET f = '-0' WHERE f = 0;
SELECT test.differences('one', 'two');

DO $$
DECLARE
  k record;
BEGIN
  FOR k IN SELECT * FROM cases ORDER BY n LOOP
    CALL check_case(k.name, k.type, k.expr);
    DROP TABLE c;
    IF can_be_sorted(k.type) THEN
      CALL check_order(k.name, k.type);
      UPDATE cases SET sorted = true WHERE n = k.n;
    END IF;
    COMMIT;
  END LOOP;
END
$$;
SELECT count(*), count(sorted) AS sorted FROM cases;
SELECT * FROM findings ORDER BY name, stage, rows, finding;

-- Every type in one table.
DO $$
DECLARE
  columns text;
  vals text;
BEGIN
  SELECT string_agg(format('c%s %s', n, type), ', ' ORDER BY n),
         string_agg(format('CASE WHEN i %% 11 <> %s THEN (%s)::%s END', n % 11, expr, type), ', ' ORDER BY n)
    INTO columns, vals
    FROM cases;
  EXECUTE format('CREATE TABLE wide_heap (id integer, %s) USING heap', columns);
  EXECUTE format('INSERT INTO wide_heap SELECT i, %s FROM generate_series(1, 2100) AS i', vals);
END
$$;
CREATE TABLE wide (LIKE wide_heap) USING hanzo_columnar;
INSERT INTO wide SELECT * FROM wide_heap;
SELECT test.stores('wide'), test.differences('wide', 'wide_heap');
CALL hanzo_datastore.compact('wide');
CREATE INDEX ON wide (id);
SELECT test.stores('wide'), test.differences('wide', 'wide_heap'), test.differences_by_index('wide', 'wide_heap');
DROP TABLE wide, wide_heap;

-- More rows than a row group holds: compacted, CREATE TABLE AS, COPY into a new and into a filled table.
CREATE TABLE many_heap (
  id bigint, b boolean, i integer, big bigint, f float8, n numeric(18,4), u text, few text, ts timestamptz, uid uuid, j jsonb, tags text[], nothing text
) USING heap;
INSERT INTO many_heap
SELECT i, test.noise(i) % 2 = 0, i / 1000, test.noise(i), (i % 1000) / 100.0, (test.noise(i, 1) % 1000000)::numeric / 10000,
  'https://example.com/' || i % 97 || '/' || i, CASE WHEN i % 9 <> 0 THEN 'kind ' || i % 30 END, timestamptz '2024-01-01 00:00+00' + i * interval '1 second',
  md5(i::text)::uuid, CASE WHEN i % 3 = 0 THEN jsonb_build_object('n', i % 100) END, CASE WHEN i % 50 = 0 THEN ARRAY[i::text, NULL] END, NULL
FROM generate_series(1, 130000) AS i;
CREATE TABLE many (LIKE many_heap) USING hanzo_columnar;
INSERT INTO many SELECT * FROM many_heap;
SELECT test.stores('many');
CALL hanzo_datastore.compact('many');
SELECT test.stores('many'), test.differences('many', 'many_heap');
CREATE TABLE many_ctas USING hanzo_columnar AS TABLE many_heap;
SELECT test.stores('many_ctas') IN ('columns', 'both') AS in_columns, test.differences('many_ctas', 'many_heap');
SELECT current_setting('data_directory') || '/hanzo_types.copy' AS file \gset
COPY many_heap TO :'file';
TRUNCATE many;
COPY many FROM :'file';
SELECT test.stores('many') IN ('columns', 'both') AS in_columns, test.differences('many', 'many_heap');
BEGIN;
TRUNCATE many;
COPY many FROM :'file' WITH (FREEZE);
COMMIT;
SELECT test.stores('many') IN ('columns', 'both') AS in_columns, test.differences('many', 'many_heap');
COPY many TO :'file' WITH (FORMAT binary);
TRUNCATE many_ctas;
COPY many_ctas FROM :'file' WITH (FORMAT binary);
SELECT test.differences('many_ctas', 'many_heap');
COPY many_ctas FROM :'file' WITH (FORMAT binary);
CALL hanzo_datastore.compact('many_ctas');
INSERT INTO many_heap SELECT * FROM many_heap;
SELECT test.stores('many_ctas'), test.differences('many_ctas', 'many_heap');
-- Few columns, filters, aggregates.
SELECT count(*), sum(n), min(ts), max(few COLLATE "C"), count(j), count(nothing) FROM many_ctas;
SELECT count(*), sum(n), min(ts), max(few COLLATE "C"), count(j), count(nothing) FROM many_heap;
SELECT count(*), sum(big % 1000), min(u COLLATE "C") FROM many_ctas WHERE few = 'kind 7' AND b AND ts < '2024-01-02 00:00+00';
SELECT count(*), sum(big % 1000), min(u COLLATE "C") FROM many_heap WHERE few = 'kind 7' AND b AND ts < '2024-01-02 00:00+00';
DROP TABLE many, many_ctas, many_heap;

-- Large values: in the delta, compacted, loaded; compressible and not.
CREATE TABLE large_heap (id integer, t text, b bytea, j jsonb) USING heap;
INSERT INTO large_heap
SELECT i, repeat('abcdefghij', 100000 * i), (SELECT decode(string_agg(md5((i * 100000 + k)::text), ''), 'hex') FROM generate_series(1, 65536) AS k),
  (SELECT jsonb_object_agg(k, md5(k::text)) FROM generate_series(1, 20000) AS k)
FROM generate_series(1, 3) AS i;
INSERT INTO large_heap VALUES (4, repeat('30 megabytes ', 2420000), NULL, NULL), (5, '', '', 'null'), (6, NULL, NULL, NULL);
CREATE TABLE large (LIKE large_heap) USING hanzo_columnar;
INSERT INTO large SELECT * FROM large_heap;
SELECT test.stores('large'), test.differences('large', 'large_heap');
CALL hanzo_datastore.compact('large');
CREATE INDEX ON large (id);
SELECT test.stores('large'), test.differences('large', 'large_heap'), test.differences_by_index('large', 'large_heap');
SELECT id, length(t), substr(t, 1000001, 10), length(b) FROM large ORDER BY id;
-- A new version of such a row is in the delta, and moves too.
UPDATE large SET id = id + 10 WHERE id = 4;
UPDATE large_heap SET id = id + 10 WHERE id = 4;
SELECT test.stores('large'), test.differences('large', 'large_heap');
CALL hanzo_datastore.compact('large');
SELECT test.stores('large'), test.differences('large', 'large_heap');
DROP TABLE large, large_heap;

-- Row groups are cut by bytes too: 600 values of 2 MB, and one of 255 MB.
CREATE UNLOGGED TABLE huge (id integer, t text) USING hanzo_columnar;
INSERT INTO huge SELECT i, repeat(chr(64 + i % 60), 2000000) FROM generate_series(1, 600) AS i;
CALL hanzo_datastore.compact('huge');
INSERT INTO huge VALUES (601, repeat('x', 255 * 1024 * 1024));
CALL hanzo_datastore.compact('huge');
SELECT test.stores('huge'), count(*), sum(length(t)), count(*) FILTER (WHERE id <= 600 AND t = repeat(chr(64 + id % 60), 2000000)) AS intact FROM huge;
SELECT id, length(t), t = repeat('x', 255 * 1024 * 1024) AS intact FROM huge WHERE id = 601;
DROP TABLE huge;
