--
-- maintain(), jobs, job_log, health, schedule_maintenance(): steps, errors, rights
--
\set SHOW_CONTEXT never
SET timezone = 'UTC';
CREATE ROLE regress_maintain_owner;
CREATE ROLE regress_maintain_reader;
CREATE ROLE regress_maintain_monitor IN ROLE pg_monitor;
CREATE SCHEMA mt;
GRANT ALL ON SCHEMA mt TO regress_maintain_owner;
GRANT USAGE ON SCHEMA mt TO regress_maintain_reader;
SELECT count(*) FROM hanzo_datastore.health;

SET ROLE regress_maintain_owner;
CREATE TABLE mt.ev (id integer, at timestamptz) PARTITION BY RANGE (at);
SELECT hanzo_datastore.manage_partitions('mt.ev', now => '2025-05-05');
CREATE TABLE mt.plain (id integer, at timestamptz, v text) USING hanzo_columnar;
SELECT hanzo_datastore.set_ttl('mt.plain', '1 year', 'at');
CREATE TABLE mt.big (id integer, v text) USING hanzo_columnar;
GRANT SELECT ON mt.plain TO regress_maintain_reader;
RESET ROLE;

-- Nothing to do: no line in the log, whoever calls.
CALL hanzo_datastore.maintain('2025-05-05');
CALL hanzo_datastore.maintain('2025-05-05');
SELECT count(*) FROM hanzo_datastore.job_log;
SELECT job, relation, result, error, failures, next_run FROM hanzo_datastore.jobs ORDER BY 1, 2;
SELECT count(*) AS steps FROM hanzo_datastore.maintenance_plan('2025-05-05');

-- Every kind of step, as the owner and as a superuser.
INSERT INTO mt.ev SELECT i, timestamptz '2025-02-01 00:00+00' + i * interval '1 hour' FROM generate_series(1, 1000) AS i;
INSERT INTO mt.plain SELECT i, timestamptz '2024-05-01 00:00+00' + i * interval '1 hour', 'v' FROM generate_series(0, 1000) AS i;
INSERT INTO mt.big SELECT i, md5(i::text) FROM generate_series(1, 20000) AS i;
SET ROLE regress_maintain_reader;
CALL hanzo_datastore.maintain('2025-06-05');
SET ROLE regress_maintain_owner;
SELECT count(*) FROM mt.ev_default;
CALL hanzo_datastore.maintain('2025-06-05');
RESET ROLE;
SELECT job, relation, result, error FROM hanzo_datastore.job_log ORDER BY ran_at;
SELECT count(*) FROM mt.ev_default;
SELECT min(at) FROM mt.plain;
SELECT row_groups, rows, delta_rows FROM hanzo_datastore.columnar_tables WHERE relation = 'mt.big'::regclass;

-- Pages that compaction has emptied do not make it compact for ever; a few rows do not either.
INSERT INTO mt.big SELECT i, 'few' FROM generate_series(1, 100) AS i;
CALL hanzo_datastore.maintain('2025-06-05');
SELECT delta_rows FROM hanzo_datastore.columnar_tables WHERE relation = 'mt.big'::regclass;
SELECT count(*) FROM hanzo_datastore.job_log WHERE job = 'compact';
INSERT INTO mt.big SELECT i, 'many' FROM generate_series(1, 10000) AS i;
SELECT hanzo_datastore.compact_step('mt.big') AS more;
SELECT hanzo_datastore.compact_step('mt.big') AS more;
SELECT delta_rows FROM hanzo_datastore.columnar_tables WHERE relation = 'mt.big'::regclass;
SELECT hanzo_datastore.compact_step('mt.ev');
SET ROLE regress_maintain_reader;
SELECT hanzo_datastore.compact_step('mt.big');
RESET ROLE;
SELECT count(*) FROM mt.big;

-- One table's error is logged and keeps nothing else from running; a second try comes later.
SET ROLE regress_maintain_owner;
CREATE TABLE mt.broken (n integer, at timestamptz) PARTITION BY RANGE (at);
SELECT hanzo_datastore.manage_partitions('mt.broken', now => '2025-06-05');
INSERT INTO mt.broken VALUES (0, '2025-01-01');
CREATE INDEX ON ONLY mt.broken ((1 / n));
INSERT INTO mt.ev VALUES (1, '2024-12-31');
RESET ROLE;
-- maintain() knows by the statistics that something has been inserted; they would come a second late.
DO $$ BEGIN PERFORM pg_stat_force_next_flush(); END $$;
CALL hanzo_datastore.maintain('2025-06-05');
SELECT job, relation, result, sqlstate, error, failures, next_run > now() AS later FROM hanzo_datastore.jobs WHERE relation = 'mt.broken'::regclass AND job = 'strays';
SELECT count(*) FROM mt.ev_2024_12;
SELECT count(*) FROM hanzo_datastore.maintenance_plan('2025-06-05') WHERE relation = 'mt.broken'::regclass;
SELECT hanzo_datastore.run_step('strays', 'mt.broken', '2025-06-05', 'x', now()), hanzo_datastore.run_step('strays', 'mt.broken', '2025-06-05', 'x', now());
SELECT problem, severity, relation, detail, remedy FROM hanzo_datastore.health WHERE problem = 'job failing';
UPDATE mt.broken SET n = 1;
UPDATE hanzo_datastore.maintenance_state SET next_run = NULL;
CALL hanzo_datastore.maintain('2025-06-05');
SELECT job, result, error, failures, next_run FROM hanzo_datastore.jobs WHERE relation = 'mt.broken'::regclass AND job = 'strays';
SELECT hanzo_datastore.run_step('nonsense', 'mt.broken', '2025-06-05', 'x', now());

-- The owner's code runs as the owner, also when a superuser maintains; what it does with settings is over afterwards.
CREATE TABLE mt.who (kind text, who name, path text);
GRANT INSERT ON mt.who TO PUBLIC;
SET ROLE regress_maintain_owner;
CREATE FUNCTION mt.tell(kind text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO mt.who VALUES (kind, current_user, current_setting('search_path'));
	PERFORM set_config('search_path', 'mt', false);
	EXECUTE 'RESET ROLE';
EXCEPTION WHEN insufficient_privilege THEN
	INSERT INTO mt.who VALUES (kind || ', still', current_user, current_setting('search_path'));
END $$;
CREATE FUNCTION mt.spy(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM mt.tell('index'); RETURN $1; END $$;
CREATE FUNCTION mt.spy_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM mt.tell('trigger'); RETURN OLD; END $$;
CREATE INDEX ON mt.ev (mt.spy(id));
CREATE TRIGGER spy BEFORE DELETE ON mt.plain FOR EACH ROW EXECUTE FUNCTION mt.spy_trigger();
RESET ROLE;
TRUNCATE mt.who;
INSERT INTO mt.ev VALUES (2, '2024-11-30');
RESET search_path;
TRUNCATE mt.who;
INSERT INTO mt.plain VALUES (1, '2020-01-01', 'old');
DO $$ BEGIN PERFORM pg_stat_force_next_flush(); END $$;
CALL hanzo_datastore.maintain('2025-06-05 01:00+00');
SELECT DISTINCT kind, who, path FROM mt.who ORDER BY 1, 2, 3;
SELECT current_user = session_user AS same_user, current_setting('search_path') AS path;
SELECT job, sqlstate, error FROM hanzo_datastore.jobs WHERE error IS NOT NULL ORDER BY 1;
DROP INDEX mt.ev_spy_idx;
DROP TRIGGER spy ON mt.plain;

-- Cancelling is no error of a step: it ends the call, and what was done before stays done.
SET ROLE regress_maintain_owner;
CREATE TABLE mt.slow (id integer, at timestamptz) PARTITION BY RANGE (at);
SELECT hanzo_datastore.manage_partitions('mt.slow', now => '2025-06-05');
CREATE FUNCTION mt.sleep(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(20); RETURN $1; END $$;
CREATE INDEX ON ONLY mt.slow (mt.sleep(id));
RESET ROLE;
INSERT INTO mt.slow VALUES (1, '2024-01-01');
SET statement_timeout = '3s';
CALL hanzo_datastore.maintain('2025-06-05 01:00+00');
RESET statement_timeout;
SELECT count(*) FROM hanzo_datastore.job_log WHERE error IS NOT NULL AND relation = 'mt.slow';
SELECT count(*) FROM mt.slow_default;
DROP TABLE mt.slow;

-- Not inside a transaction block.
BEGIN;
CALL hanzo_datastore.maintain();
ROLLBACK;

-- Each role sees lines about tables that it owns or may read, members of pg_monitor all; nobody writes them.
SET ROLE regress_maintain_reader;
SELECT DISTINCT relation FROM hanzo_datastore.jobs ORDER BY 1;
SELECT DISTINCT relation FROM hanzo_datastore.job_log ORDER BY 1;
INSERT INTO hanzo_datastore.maintenance_state (kind, relation, last_run) VALUES ('x', 1, now());
DELETE FROM hanzo_datastore.job_log;
UPDATE hanzo_datastore.jobs SET error = NULL;
SELECT count(*) FROM hanzo_datastore.maintenance_log;
SELECT hanzo_datastore.run_step('ttl', 'mt.plain', now(), 'x', now());
SELECT hanzo_datastore.expire_next('mt.plain', now(), NULL);
SET ROLE regress_maintain_monitor;
SELECT DISTINCT relation FROM hanzo_datastore.jobs ORDER BY 1;
RESET ROLE;

-- Lines older than thirty days go.
UPDATE hanzo_datastore.maintenance_log SET ran_at = now() - interval '31 days' WHERE kind = 'compact';
CALL hanzo_datastore.maintain('2025-06-05 01:00+00');
SELECT count(*) > 0 AS others, count(*) FILTER (WHERE job = 'compact') AS old FROM hanzo_datastore.job_log;

--
-- health: one row per problem, with what mends it
--
SELECT hanzo_datastore.unmanage_partitions(relation) FROM hanzo_datastore.managed_tables WHERE managed;
SELECT hanzo_datastore.set_ttl('mt.plain', NULL);
SELECT * FROM hanzo_datastore.health;
CREATE TABLE mt.sick (at timestamptz, v text) PARTITION BY RANGE (at);
CREATE TABLE mt.sick_default PARTITION OF mt.sick DEFAULT USING hanzo_columnar;
SELECT hanzo_datastore.manage_partitions('mt.sick', now => '2020-01-15');
INSERT INTO mt.sick SELECT timestamptz '2019-01-01 00:00+00' + i * interval '1 second', 'v' FROM generate_series(1, 10000) AS i;
SELECT hanzo_datastore.set_ttl('mt.sick', '50 years');
INSERT INTO mt.sick VALUES ('1960-01-01', 'old');
CREATE TABLE mt.fat (n integer) USING hanzo_columnar;
INSERT INTO mt.fat SELECT generate_series(1, 650000);
UPDATE hanzo_datastore.maintenance_runs SET last_run = now() - interval '11 minutes';
SELECT problem, severity, relation, CASE WHEN problem IN ('TTL behind', 'default partition filling') THEN detail END AS detail, remedy
FROM hanzo_datastore.health
ORDER BY problem;
CALL hanzo_datastore.compact('mt.fat');
CALL hanzo_datastore.maintain();
SELECT * FROM hanzo_datastore.health;
-- others' tables are others' business
INSERT INTO mt.sick SELECT timestamptz '2019-02-01 00:00+00' + i * interval '1 second', 'v' FROM generate_series(1, 10000) AS i;
SET ROLE regress_maintain_reader;
SELECT * FROM hanzo_datastore.health;
RESET ROLE;

--
-- Without pg_cron
--
SELECT hanzo_datastore.schedule_maintenance();
SELECT hanzo_datastore.schedule_maintenance(NULL);
SELECT hanzo_datastore.unschedule_maintenance();

\set VERBOSITY terse
DROP SCHEMA mt CASCADE;
DROP ROLE regress_maintain_owner, regress_maintain_reader, regress_maintain_monitor;
