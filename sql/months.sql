--
-- manage_partitions(): months ahead, rows of the default partition moved, refusals
--
\set SHOW_CONTEXT never
SET timezone = 'America/New_York';
SET datestyle = 'German';

-- Partitions of a table, how many rows each has, and whether these lie within its bounds (UTC).
CREATE FUNCTION test.months(t regclass)
RETURNS TABLE (partition text, am name, lower timestamp, upper timestamp, n bigint)
LANGUAGE plpgsql SET datestyle = 'ISO'
AS $$
DECLARE
	b record;
BEGIN
	FOR b IN SELECT p.*, a.amname FROM hanzo_datastore.partition_bounds(t) p JOIN pg_class c ON c.oid = p.partition JOIN pg_am a ON a.oid = c.relam
			 ORDER BY p.lower NULLS LAST LOOP
		partition := b.partition; am := b.amname; lower := b.lower; upper := b.upper;
		EXECUTE format('SELECT count(*) FROM ONLY %s', b.partition) INTO n;
		RETURN NEXT;
	END LOOP;
END
$$;

--
-- The three types of time; the months are those of UTC
--
CREATE TABLE ev (id integer, at timestamptz, v text) PARTITION BY RANGE (at);
CREATE INDEX ON ev (id);
SELECT hanzo_datastore.alter_columnar_table('ev', order_by => 'id', compression => 'lz4');
-- two days in the new year in New York are still the old one
SELECT hanzo_datastore.manage_partitions('ev', now => '2025-12-31 21:00:00-05');
SELECT * FROM test.months('ev');
SELECT column_name, managed, months_ahead, ttl, partitions, first_month, default_partition FROM hanzo_datastore.managed_tables WHERE relation = 'ev'::regclass;
SELECT option, value, source FROM hanzo_datastore.columnar_options WHERE relation = 'ev_2026_01'::regclass AND option = 'order_by';

CREATE TABLE ev_date (d date, v text) PARTITION BY RANGE (d);
SELECT hanzo_datastore.manage_partitions('ev_date', 'd', '40 days', '2024-01-31 12:00+00');
SELECT * FROM test.months('ev_date');
CREATE TABLE ev_ts (ts timestamp(3), v text) PARTITION BY RANGE (ts);
CREATE TABLE ev_ts_old PARTITION OF ev_ts FOR VALUES FROM ('2023-06-15') TO ('2024-02-10') USING heap;
SELECT hanzo_datastore.manage_partitions('ev_ts', ahead => '1 month', now => '2024-01-31 12:00+00');
SELECT * FROM test.months('ev_ts');
-- the clock goes on, jumps, and goes back
CALL hanzo_datastore.maintain('2024-02-28 23:59:59+00');
CALL hanzo_datastore.maintain('2024-06-01 00:00+00');
CALL hanzo_datastore.maintain('2024-02-01 00:00+00');
SELECT * FROM test.months('ev_ts');
SELECT * FROM test.months('ev_date');

--
-- Strays: every row where it belongs, none lost; what has no month stays
--
CREATE TABLE ev_heap (id integer, at timestamptz, v text);
INSERT INTO ev_heap SELECT i, timestamptz '2024-11-15 00:00+00' + i * interval '1 hour', 'v' || i % 7 FROM generate_series(1, 9000) AS i;
INSERT INTO ev_heap VALUES (-1, 'infinity', 'a'), (-2, '-infinity', 'b'), (-3, NULL, 'c'), (-4, '0044-03-15 BC', 'd'), (-5, '0001-01-01 00:00+00', 'e'),
	(-6, '0001-12-31 23:59:59.999999+00 BC', 'f'), (-7, '12345-01-01', 'g'), (-8, '9999-12-31 23:59:59.999999+00', 'h'), (-9, '2024-02-29 23:59:59.999999+00', 'i'),
	(-10, '2024-03-01 00:00+00', 'j'), (-11, '2025-03-09 02:30+00', 'k'), (-11, '2025-03-09 02:30+00', 'k');
INSERT INTO ev SELECT * FROM ev_heap;
SELECT * FROM hanzo_datastore.stray_months('ev', '2025-12-31');
CALL hanzo_datastore.maintain('2026-01-15');
SELECT * FROM test.months('ev');
SELECT id, at AT TIME ZONE 'UTC', v FROM ev_default ORDER BY id;
SELECT test.differences('ev', 'ev_heap');
SELECT count(*) AS misplaced FROM ev JOIN hanzo_datastore.partition_bounds('ev') b ON b.partition = ev.tableoid
WHERE NOT b.is_default AND NOT (at AT TIME ZONE 'UTC' >= b.lower AND at AT TIME ZONE 'UTC' < b.upper);
-- a second run finds nothing
CALL hanzo_datastore.maintain('2026-01-15');
SELECT count(*) AS runs, sum(failures) FROM hanzo_datastore.jobs WHERE relation = 'ev'::regclass;
-- more of a month that exists, and of one that does not
INSERT INTO ev SELECT i, timestamptz '2023-05-05 00:00+00' + i * interval '1 second', 'late' FROM generate_series(1, 3000) AS i;
INSERT INTO ev_heap SELECT i, timestamptz '2023-05-05 00:00+00' + i * interval '1 second', 'late' FROM generate_series(1, 3000) AS i;
CALL hanzo_datastore.compact('ev_default');
UPDATE ev SET v = 'changed' WHERE id % 10 = 3 AND v = 'late';
UPDATE ev_heap SET v = 'changed' WHERE id % 10 = 3 AND v = 'late';
DELETE FROM ev WHERE id % 10 = 4 AND v = 'late';
DELETE FROM ev_heap WHERE id % 10 = 4 AND v = 'late';
CALL hanzo_datastore.maintain('2026-01-15');
SELECT * FROM test.months('ev') WHERE lower = '2023-05-01';
SELECT test.differences('ev', 'ev_heap');
SELECT count(*) FROM hanzo_datastore.verify('ev');

--
-- A table with everything: dropped columns, identity, generated columns, constraints, foreign keys both ways, triggers, privileges
--
CREATE ROLE regress_months_reader;
CREATE ROLE regress_months_other;
CREATE SCHEMA "Sp ace";
CREATE TABLE "Sp ace".owners (id integer PRIMARY KEY);
INSERT INTO "Sp ace".owners SELECT generate_series(1, 5);
CREATE TABLE "Sp ace"."Ev""ents" (
	gone text, "Id" bigint GENERATED ALWAYS AS IDENTITY, "At" timestamptz NOT NULL, owner integer NOT NULL REFERENCES "Sp ace".owners, n integer CHECK (n > 0) DEFAULT 7,
	twice integer GENERATED ALWAYS AS (n * 2) STORED, j json, PRIMARY KEY ("Id", "At")
) PARTITION BY RANGE ("At");
ALTER TABLE "Sp ace"."Ev""ents" DROP COLUMN gone;
CREATE STATISTICS "Sp ace".s ON owner, n FROM "Sp ace"."Ev""ents";
CREATE TABLE fired (what text);
CREATE FUNCTION test.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.fired VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER fires AFTER INSERT OR DELETE ON "Sp ace"."Ev""ents" FOR EACH ROW EXECUTE FUNCTION test.fired();
GRANT SELECT, INSERT ON "Sp ace"."Ev""ents" TO regress_months_reader;
GRANT UPDATE (n) ON "Sp ace"."Ev""ents" TO regress_months_reader;
CREATE TABLE "Sp ace".other_default (LIKE "Sp ace"."Ev""ents" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "Sp ace"."Ev""ents" ATTACH PARTITION "Sp ace".other_default DEFAULT;
INSERT INTO "Sp ace"."Ev""ents" ("At", owner, n, j) SELECT timestamptz '2024-01-20 00:00+00' + i * interval '6 hours', i % 5 + 1, i, '{"a": 1}' FROM generate_series(1, 200) AS i;
CREATE TABLE refers (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES "Sp ace"."Ev""ents" ON DELETE CASCADE);
INSERT INTO refers SELECT "Id", "At" FROM "Sp ace"."Ev""ents" WHERE n % 3 = 0;
CREATE TABLE twin AS SELECT * FROM "Sp ace"."Ev""ents";
TRUNCATE fired;
SELECT hanzo_datastore.manage_partitions('"Sp ace"."Ev""ents"', 'At', now => '2024-02-10');
SELECT * FROM test.months('"Sp ace"."Ev""ents"');
SELECT count(*) AS fired FROM fired;
SELECT count(*) AS still_referring FROM refers;
SELECT test.differences('"Sp ace"."Ev""ents"', 'twin');
SELECT attname, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON (adrelid, adnum) = (attrelid, attnum)
WHERE attrelid = '"Sp ace"."Ev""ents_2024_02"'::regclass AND attnum > 0 ORDER BY attnum;
SELECT contype, pg_get_constraintdef(oid), conislocal, coninhcount FROM pg_constraint WHERE conrelid = '"Sp ace"."Ev""ents_2024_02"'::regclass ORDER BY 1, 2;
SELECT tgname, tgparentid <> 0 AS cloned FROM pg_trigger WHERE tgrelid = '"Sp ace"."Ev""ents_2024_02"'::regclass AND NOT tgisinternal;
SELECT has_table_privilege('regress_months_reader', '"Sp ace"."Ev""ents_2024_02"', 'SELECT') AS may_select,
	has_table_privilege('regress_months_reader', '"Sp ace"."Ev""ents_2024_02"', 'DELETE') AS may_delete,
	has_column_privilege('regress_months_reader', '"Sp ace"."Ev""ents_2024_02"', 'n', 'UPDATE') AS may_update,
	has_table_privilege('regress_months_other', '"Sp ace"."Ev""ents_2024_02"', 'SELECT') AS others_may;
-- foreign keys hold, triggers fire
INSERT INTO "Sp ace"."Ev""ents" ("At", owner) VALUES ('2024-02-14', 99);
INSERT INTO "Sp ace"."Ev""ents" ("At", owner) VALUES ('2024-02-14', 2) RETURNING n, twice;
DELETE FROM "Sp ace"."Ev""ents" WHERE n = 3;
SELECT what, count(*) FROM fired GROUP BY 1 ORDER BY 1;
SELECT count(*) AS still_referring FROM refers;

--
-- Names: cut at 63 bytes between characters, and never one that is taken
--
CREATE TABLE ev_2027_01_taken (a integer);
CREATE TABLE "überaus_langer_tabellenname_mit_umlauten_äöü_und_noch_länger_ääh" (at date) PARTITION BY RANGE (at);
SELECT hanzo_datastore.manage_partitions('"überaus_langer_tabellenname_mit_umlauten_äöü_und_noch_länger_ääh"', ahead => '1 month', now => '2026-01-01');
SELECT partition FROM test.months('"überaus_langer_tabellenname_mit_umlauten_äöü_und_noch_länger_ääh"');
CREATE TABLE n (at date) PARTITION BY RANGE (at);
CREATE VIEW n_2026_01 AS SELECT 1;
CREATE TYPE n_default AS ENUM ('a');
SELECT hanzo_datastore.manage_partitions('n', ahead => '1 month', now => '2026-01-01');
SELECT partition FROM test.months('n');

--
-- Other partitions in the way: theirs is the time
--
CREATE TABLE weeks (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE weeks_1 PARTITION OF weeks FOR VALUES FROM ('2026-01-26 00:00+00') TO ('2026-02-02 00:00+00') USING heap;
CREATE TABLE weeks_rest PARTITION OF weeks DEFAULT USING heap;
INSERT INTO weeks SELECT timestamptz '2026-01-01 00:00+00' + i * interval '1 day' FROM generate_series(0, 99) AS i;
SELECT hanzo_datastore.manage_partitions('weeks', ahead => '3 months', now => '2026-01-01');
SELECT * FROM test.months('weeks');
CALL hanzo_datastore.maintain('2026-01-01');
SELECT * FROM test.months('weeks');

--
-- Row security that binds the owner must not hide rows from a move
--
CREATE TABLE rls (at date, secret boolean) PARTITION BY RANGE (at);
SELECT hanzo_datastore.manage_partitions('rls', now => '2026-01-01');
INSERT INTO rls SELECT date '2025-01-01', i % 2 = 0 FROM generate_series(1, 10) AS i;
ALTER TABLE rls_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE rls_default FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON rls_default USING (NOT secret);
ALTER TABLE rls OWNER TO regress_months_other;
ALTER TABLE rls_default OWNER TO regress_months_other;
GRANT CREATE ON SCHEMA public TO regress_months_other;
CALL hanzo_datastore.maintain('2026-01-01');
SELECT job, sqlstate, error FROM hanzo_datastore.jobs WHERE relation = 'rls'::regclass AND error IS NOT NULL;
SELECT count(*) FROM rls;
DROP TABLE rls;

--
-- Refusals; nothing half-created
--
CREATE TABLE bad_plain (at date);
CREATE TABLE bad_list (at date) PARTITION BY LIST (at);
CREATE TABLE bad_two (at date, b integer) PARTITION BY RANGE (at, b);
CREATE TABLE bad_expr (at timestamp) PARTITION BY RANGE ((at::date));
CREATE TABLE bad_type (at integer) PARTITION BY RANGE (at);
CREATE TABLE bad (at date, other date) PARTITION BY RANGE (at);
CREATE TEMP TABLE bad_temp (at date) PARTITION BY RANGE (at);
CREATE VIEW bad_view AS SELECT 1 AS a;
SELECT hanzo_datastore.manage_partitions('bad_plain');
SELECT hanzo_datastore.manage_partitions('bad_list');
SELECT hanzo_datastore.manage_partitions('bad_two');
SELECT hanzo_datastore.manage_partitions('bad_expr');
SELECT hanzo_datastore.manage_partitions('bad_type');
SELECT hanzo_datastore.manage_partitions('bad_temp');
SELECT hanzo_datastore.manage_partitions('bad_view');
SELECT hanzo_datastore.manage_partitions('bad', 'other');
SELECT hanzo_datastore.manage_partitions('bad', 'At');
SELECT hanzo_datastore.manage_partitions(NULL);
SELECT hanzo_datastore.manage_partitions(999999999);
SELECT hanzo_datastore.manage_partitions('bad', ahead => '0');
SELECT hanzo_datastore.manage_partitions('bad', ahead => '-1 month');
SELECT hanzo_datastore.manage_partitions('bad', ahead => '1 month -1 day');
SELECT hanzo_datastore.manage_partitions('bad', ahead => '5 years 1 day');
SELECT hanzo_datastore.manage_partitions('bad', ahead => NULL);
SELECT hanzo_datastore.manage_partitions('bad', now => NULL);
SELECT hanzo_datastore.manage_partitions('bad', now => 'infinity');
SELECT hanzo_datastore.manage_partitions('ev');
SELECT hanzo_datastore.unmanage_partitions('bad');
SELECT hanzo_datastore.unmanage_partitions('bad_plain');
CREATE TABLE bad_default PARTITION OF bad DEFAULT PARTITION BY RANGE (other);
SELECT hanzo_datastore.manage_partitions('bad');
DROP TABLE bad_default;
SELECT count(*) FROM pg_inherits WHERE inhparent = 'bad'::regclass;
SELECT count(*) FROM pg_seclabel WHERE objoid::regclass::text LIKE 'bad%';
-- an error in the middle: an expression index that fails for one row
CREATE TABLE half (at date, n integer) PARTITION BY RANGE (at);
CREATE TABLE half_rest PARTITION OF half DEFAULT USING hanzo_columnar;
INSERT INTO half VALUES ('2026-02-03', 0);
CREATE INDEX ON ONLY half ((1 / n));
SELECT hanzo_datastore.manage_partitions('half', now => '2026-01-01');
SELECT partition, n FROM test.months('half');
SELECT count(*) FROM pg_class WHERE relname LIKE 'half\_2%';
SELECT count(*) FROM pg_seclabel WHERE objoid = 'half'::regclass;

-- somebody else's table
SET ROLE regress_months_other;
SELECT hanzo_datastore.manage_partitions('bad');
SELECT hanzo_datastore.unmanage_partitions('ev');
SELECT hanzo_datastore.make_month('ev', '2030-01-01');
SELECT hanzo_datastore.make_default('bad');
SELECT hanzo_datastore.set_time_options('ev', 'at', false, NULL, NULL);
SELECT hanzo_datastore.remove_rows('ev_default', 'at', NULL, '2030-01-01');
SELECT hanzo_datastore.delete_range('ev_default', 'at', NULL, '2030-01-01');
SELECT hanzo_datastore.copy_rows('ev_default', 'INSERT INTO bad SELECT 1');
SELECT hanzo_datastore.lock_referenced('ev');
SELECT hanzo_datastore.run_step('strays', 'ev', now(), '', now());
SELECT hanzo_datastore.stray_months('ev', now());
SELECT count(*) FROM hanzo_datastore.managed_tables;
RESET ROLE;

--
-- The end of it: partitions and rows stay
--
SELECT hanzo_datastore.unmanage_partitions('ev_ts');
SELECT count(*) FROM test.months('ev_ts');
CALL hanzo_datastore.maintain('2028-02-01 00:00+00');
SELECT count(*) FROM test.months('ev_ts');
SELECT count(*) FROM hanzo_datastore.managed_tables WHERE relation = 'ev_ts'::regclass;
-- and again, with a column that was renamed meanwhile
ALTER TABLE ev_ts RENAME COLUMN ts TO "new Name";
SELECT hanzo_datastore.manage_partitions('ev_ts', 'new Name', '1 month', '2028-02-01');
ALTER TABLE ev_ts RENAME COLUMN "new Name" TO ts;
SELECT column_name FROM hanzo_datastore.managed_tables WHERE relation = 'ev_ts'::regclass;

DROP TABLE ev, ev_heap, ev_date, ev_ts, refers, "Sp ace"."Ev""ents", twin, fired, n, weeks, half, bad, bad_list, bad_two, bad_expr, bad_type,
	"überaus_langer_tabellenname_mit_umlauten_äöü_und_noch_länger_ääh", bad_plain, ev_2027_01_taken;
DROP SCHEMA "Sp ace" CASCADE;
DROP VIEW n_2026_01, bad_view;
DROP TYPE n_default;
REVOKE CREATE ON SCHEMA public FROM regress_months_other;
DROP ROLE regress_months_other, regress_months_reader;
