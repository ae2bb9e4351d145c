-- pg_cron, and what an on-call engineer looks at.

-- What pg_cron knows here: whether it runs, where, and the statement that schedules maintenance.
CREATE FUNCTION hanzo_datastore.schedule_maintenance(schedule text DEFAULT '* * * * *')
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cron_database text := current_setting('cron.database_name', true);
	job bigint;
BEGIN
	IF schedule IS NULL THEN
		RAISE EXCEPTION 'schedule must not be null'
			USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave it out to run maintenance every minute.';
	END IF;
	IF cron_database IS NULL THEN
		RAISE EXCEPTION 'pg_cron is not running on this server'
			USING ERRCODE = 'feature_not_supported',
				HINT = format('Install it (Debian: postgresql-%s-cron), add it to shared_preload_libraries, restart the server, and run CREATE EXTENSION pg_cron; or run CALL hanzo_datastore.maintain() every minute by other means.',
							  current_setting('server_version_num')::integer / 10000);
	END IF;
	IF cron_database <> current_database() THEN
		RAISE EXCEPTION 'pg_cron keeps its jobs in database %', quote_ident(cron_database)
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = format('Run there: SELECT cron.schedule_in_database(%L, %L, %L, %L)',
							  'hanzo_datastore ' || current_database(), schedule, 'CALL hanzo_datastore.maintain()', current_database());
	END IF;
	IF to_regnamespace('cron') IS NULL OR NOT EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'pg_cron') THEN
		RAISE EXCEPTION 'extension pg_cron is not installed in this database'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CREATE EXTENSION pg_cron as a superuser.';
	END IF;
	EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job
		USING 'hanzo_datastore ' || current_database(), schedule, 'CALL hanzo_datastore.maintain()';
	RETURN job;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.schedule_maintenance(text) IS
	'Has pg_cron CALL hanzo_datastore.maintain() as the present role, every minute; returns the number of the job. Called again, it changes the schedule.';

CREATE FUNCTION hanzo_datastore.unschedule_maintenance()
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	scheduled boolean;
BEGIN
	IF to_regclass('cron.job') IS NULL THEN
		RAISE EXCEPTION 'extension pg_cron is not installed in this database'
			USING ERRCODE = 'feature_not_supported',
				HINT = format('Where it is: SELECT cron.unschedule(%L)', 'hanzo_datastore ' || current_database());
	END IF;
	EXECUTE 'SELECT EXISTS (SELECT FROM cron.job AS j WHERE j.jobname = $1 AND j.username = current_user)' INTO scheduled
		USING 'hanzo_datastore ' || current_database();
	IF scheduled THEN
		EXECUTE 'SELECT cron.unschedule($1::name)' USING 'hanzo_datastore ' || current_database();
	END IF;
	RETURN scheduled;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.unschedule_maintenance() IS
	'Takes the present role''s job of schedule_maintenance() away; false: there was none.';

CREATE FUNCTION hanzo_datastore.delta_rows(relation regclass)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'hz_delta_rows';

COMMENT ON FUNCTION hanzo_datastore.delta_rows(regclass) IS
	'Rows of a columnar table that are not compacted yet; an estimate beyond 8 MB.';

CREATE VIEW hanzo_datastore.last_maintenance AS
SELECT r.role::pg_catalog.regrole AS role, r.last_run, r.duration
FROM hanzo_datastore.maintenance_runs AS r
JOIN pg_catalog.pg_roles AS a ON a.oid OPERATOR(pg_catalog.=) r.role;

COMMENT ON VIEW hanzo_datastore.last_maintenance IS 'When each role ran maintain() last.';

GRANT SELECT ON hanzo_datastore.last_maintenance TO PUBLIC;

-- Problems of the tables that the caller owns: months, default partitions, TTL, deltas.
CREATE FUNCTION hanzo_datastore.table_problems(now timestamptz)
RETURNS TABLE (problem text, severity text, relation regclass, detail text, remedy text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	managed record;
	part record;
	month timestamp;
	strays bigint;
	behind boolean;
	cutoff timestamp;
	remedy_maintain CONSTANT text := 'CALL hanzo_datastore.maintain()';
BEGIN
	FOR managed IN
		SELECT m.* FROM hanzo_datastore.managed_tables AS m JOIN pg_class AS c ON c.oid = m.relation
		WHERE pg_has_role(c.relowner, 'USAGE')
		ORDER BY m.relation::text
	LOOP
		relation := managed.relation;
		IF managed.managed THEN
			month := hanzo_datastore.missing_month(relation, greatest(managed.months_ahead - 1, 0), now);
			IF month IS NOT NULL THEN
				problem := 'months not ahead';
				severity := CASE WHEN month <= now AT TIME ZONE 'UTC' THEN 'error' ELSE 'warning' END;
				detail := format('there is no partition of %s', to_char(month, 'YYYY-MM'));
				remedy := remedy_maintain;
				RETURN NEXT;
			END IF;
			SELECT sum(s.stray_rows) INTO strays FROM hanzo_datastore.stray_months(relation, now) AS s;
			IF strays >= 10000 THEN
				problem := 'default partition filling';
				severity := 'warning';
				detail := format('%s rows in %s wait for months of their own', strays, managed.default_partition);
				remedy := remedy_maintain;
				RETURN NEXT;
			END IF;
		END IF;
		IF managed.ttl IS NOT NULL THEN
			cutoff := (now - managed.ttl - interval '1 day') AT TIME ZONE 'UTC';
			FOR part IN SELECT * FROM hanzo_datastore.ttl_leaves(relation) AS l LOOP
				EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s WHERE %s)', part.leaf,
							   hanzo_datastore.time_condition(part.leaf, managed.column_name, NULL, cutoff)) INTO behind;
				EXIT WHEN behind;
			END LOOP;
			IF behind THEN
				problem := 'TTL behind';
				severity := 'warning';
				detail := format('%s holds rows that expired more than a day ago', part.leaf);
				remedy := format('SELECT * FROM hanzo_datastore.apply_ttl(%L)', relation);
				RETURN NEXT;
			END IF;
		END IF;
	END LOOP;

	-- Five full row groups.
	FOR part IN
		SELECT c.oid::regclass AS leaf, d.n
		FROM pg_class AS c
		CROSS JOIN LATERAL (SELECT CASE WHEN pg_relation_size(c.oid) >= 8388608 THEN hanzo_datastore.delta_rows(c.oid) END) AS d(n)
		WHERE c.relam = (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'hanzo_columnar' AND a.amtype = 't')
			AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND pg_has_role(c.relowner, 'USAGE')
			AND d.n >= 614400
		ORDER BY c.oid::regclass::text
	LOOP
		problem := 'delta too large';
		severity := 'warning';
		relation := part.leaf;
		detail := format('about %s rows are not compacted', part.n);
		remedy := format('CALL hanzo_datastore.compact(%L)', part.leaf);
		RETURN NEXT;
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.table_problems(timestamptz) IS 'Internal to the view health: problems of the caller''s tables.';

-- Problems of maintenance as such.
CREATE FUNCTION hanzo_datastore.maintenance_problems(now timestamptz)
RETURNS TABLE (problem text, severity text, relation regclass, detail text, remedy text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	last timestamptz;
	unattended boolean;
	job record;
	failing record;
BEGIN
	FOR failing IN SELECT * FROM hanzo_datastore.jobs AS j WHERE j.failures >= 3 ORDER BY j.relation::text, j.job LOOP
		problem := 'job failing';
		severity := 'error';
		relation := failing.relation;
		detail := format('%s failed %s times, last with %s: %s', failing.job, failing.failures, failing.sqlstate, failing.error);
		remedy := format('SELECT * FROM hanzo_datastore.job_log WHERE relation = %L AND job = %L ORDER BY ran_at DESC',
						 failing.relation, failing.job);
		RETURN NEXT;
	END LOOP;

	-- The owner that has waited longest for somebody who may act for him.
	SELECT c.relowner <> 0, max(r.last_run) INTO unattended, last
	FROM hanzo_datastore.managed_tables AS m
	JOIN pg_class AS c ON c.oid = m.relation
	LEFT JOIN hanzo_datastore.last_maintenance AS r ON pg_has_role(r.role, c.relowner, 'USAGE')
	GROUP BY c.relowner
	ORDER BY max(r.last_run) NULLS FIRST
	LIMIT 1;

	relation := NULL;
	IF unattended AND (last IS NULL OR last < now - interval '10 minutes') THEN
		problem := 'maintenance not running';
		severity := 'error';
		detail := coalesce('maintain() ran last at ' || last, 'maintain() has never run')
			|| CASE WHEN current_setting('cron.database_name', true) IS NULL THEN '; pg_cron is not running on this server' ELSE '' END;
		remedy := CASE WHEN current_setting('cron.database_name', true) IS NULL THEN 'CALL hanzo_datastore.maintain()'
					   ELSE 'SELECT hanzo_datastore.schedule_maintenance()' END;
		RETURN NEXT;
	END IF;

	-- pg_cron shows each role its own jobs, a superuser all. Who may not use its schema may not even ask for its tables: to_regclass() would fail.
	IF to_regnamespace('cron') IS NULL THEN
		RETURN;
	END IF;
	IF NOT has_schema_privilege('cron', 'USAGE') THEN
		RETURN;
	END IF;
	IF to_regclass('cron.job') IS NOT NULL AND to_regclass('cron.job_run_details') IS NOT NULL
		AND has_table_privilege('cron.job', 'SELECT') AND has_table_privilege('cron.job_run_details', 'SELECT') THEN
		FOR job IN EXECUTE
			'SELECT j.jobid, j.active, r.status, r.return_message
			 FROM cron.job AS j
			 LEFT JOIN LATERAL (SELECT d.status, d.return_message FROM cron.job_run_details AS d
								WHERE d.jobid = j.jobid AND d.status IN (''succeeded'', ''failed'') ORDER BY d.runid DESC LIMIT 1) AS r ON true
			 WHERE j.jobname = $1' USING 'hanzo_datastore ' || current_database()
		LOOP
			IF NOT job.active THEN
				problem := 'pg_cron job inactive';
				severity := 'error';
				detail := format('job %s of pg_cron is switched off', job.jobid);
				remedy := format('UPDATE cron.job SET active = true WHERE jobid = %s', job.jobid);
				RETURN NEXT;
			ELSIF job.status = 'failed' THEN
				problem := 'pg_cron job failing';
				severity := 'error';
				detail := format('job %s of pg_cron: %s', job.jobid, job.return_message);
				remedy := format('SELECT * FROM cron.job_run_details WHERE jobid = %s ORDER BY runid DESC', job.jobid);
				RETURN NEXT;
			END IF;
		END LOOP;
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.maintenance_problems(timestamptz) IS 'Internal to the view health: problems of maintenance itself.';

-- Problems of the caller's rollups: what has to be computed at every read, and what comes too late for it.
CREATE FUNCTION hanzo_datastore.rollup_problems(now timestamptz)
RETURNS TABLE (problem text, severity text, relation regclass, detail text, remedy text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
	WITH own AS (
		SELECT r.* FROM hanzo_datastore.rollups AS r JOIN pg_class AS c ON c.oid = r.rollup
		WHERE pg_has_role(c.relowner, 'USAGE')
	)
	SELECT 'rollup behind', 'warning', o.rollup,
		   CASE WHEN isfinite(o.live_from) THEN format('computed from the table from %s on', o.live_from)
				ELSE 'computed from the table as a whole' END,
		   format('CALL hanzo_datastore.refresh_rollup(%L)', o.rollup)
	FROM own AS o
	WHERE o.live_from < now - o.lag - 2 * o.bucket - interval '1 hour'
	UNION ALL
	SELECT 'rollup marks piling up', 'warning', o.rollup,
		   format('%s ranges of time are computed from the table', o.stale_ranges),
		   format('CALL hanzo_datastore.refresh_rollup(%L)', o.rollup)
	FROM own AS o
	WHERE o.stale_ranges >= 1000
	UNION ALL
	SELECT 'late rows in frozen history', 'info', o.rollup,
		   format('%s changes of rows before %s, whose history is kept as it was, are not in the view', o.late_changes, o.frozen_before),
		   format('SELECT * FROM hanzo_datastore.rollups WHERE rollup = %L::regclass', o.rollup::text)
	FROM own AS o
	WHERE o.late_changes > 0
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_problems(timestamptz) IS 'Internal: what the view health says of rollups.';

CREATE VIEW hanzo_datastore.health AS
SELECT p.problem, p.severity, p.relation, p.detail, p.remedy
FROM hanzo_datastore.maintenance_problems(pg_catalog.now()) AS p
UNION ALL
SELECT p.problem, p.severity, p.relation, p.detail, p.remedy
FROM hanzo_datastore.table_problems(pg_catalog.now()) AS p
UNION ALL
SELECT p.problem, p.severity, p.relation, p.detail, p.remedy
FROM hanzo_datastore.rollup_problems(pg_catalog.now()) AS p;

COMMENT ON VIEW hanzo_datastore.health IS
	'What is wrong, one row each, with a statement that mends it or shows more; no rows when all is well. Tables: those of the caller.';

GRANT SELECT ON hanzo_datastore.health TO PUBLIC;
