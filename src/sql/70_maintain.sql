-- maintain(): months ahead, expired rows, strays, compaction, rollups; its log; pg_cron.
--
-- maintain() itself may have neither SET clause nor EXCEPTION block, since it commits: it only calls functions, by their full
-- names and without an operator, so that the session's search_path does not matter. run_step() catches the errors of a step.

CREATE TABLE hanzo_datastore.maintenance_state (
	kind text NOT NULL,
	relation oid NOT NULL,
	seen text,				-- what the table looked like when there was nothing more to do
	last_run timestamptz NOT NULL,
	duration interval,
	result text,
	error text,
	sqlstate text,
	failures integer NOT NULL DEFAULT 0,
	next_run timestamptz,	-- after a failure: not before
	PRIMARY KEY (kind, relation)
);

COMMENT ON TABLE hanzo_datastore.maintenance_state IS 'Internal: what the view jobs shows.';

CREATE TABLE hanzo_datastore.maintenance_log (
	ran_at timestamptz NOT NULL,
	kind text NOT NULL,
	relation oid NOT NULL,
	relation_name text NOT NULL,
	duration interval,
	result text,
	error text,
	sqlstate text
);

CREATE INDEX maintenance_log_ran_at ON hanzo_datastore.maintenance_log (ran_at);

COMMENT ON TABLE hanzo_datastore.maintenance_log IS 'Internal: what the view job_log shows.';

CREATE TABLE hanzo_datastore.maintenance_runs (
	role oid PRIMARY KEY,
	last_run timestamptz NOT NULL,
	duration interval
);

COMMENT ON TABLE hanzo_datastore.maintenance_runs IS 'Internal: when each role ran maintain() last.';

-- Whether the caller may see what maintenance did to a table.
CREATE FUNCTION hanzo_datastore.may_see_jobs(relation oid)
RETURNS boolean
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'hz_may_see_jobs';

COMMENT ON FUNCTION hanzo_datastore.may_see_jobs(oid) IS 'Internal: rows of jobs and job_log that the caller may see.';

CREATE VIEW hanzo_datastore.jobs WITH (security_barrier) AS
SELECT s.kind AS job, s.relation::pg_catalog.regclass AS relation, s.last_run, s.duration, s.result, s.sqlstate, s.error, s.failures,
	   s.next_run, s.seen
FROM hanzo_datastore.maintenance_state AS s
WHERE hanzo_datastore.may_see_jobs(s.relation)
	AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) s.relation);

COMMENT ON VIEW hanzo_datastore.jobs IS
	'Steps of maintain() by kind and table: what came of the last one that did something or failed. next_run: not before, after a failure; NULL: whenever there is something to do.';

CREATE VIEW hanzo_datastore.job_log WITH (security_barrier) AS
SELECT l.ran_at, l.kind AS job, l.relation_name AS relation, l.duration, l.result, l.sqlstate, l.error
FROM hanzo_datastore.maintenance_log AS l
WHERE hanzo_datastore.may_see_jobs(l.relation);

COMMENT ON VIEW hanzo_datastore.job_log IS
	'What maintain() did and what failed, for 30 days.';

GRANT SELECT ON hanzo_datastore.jobs, hanzo_datastore.job_log TO PUBLIC;

-- ---- Steps: NULL: nothing to do; '': go on; else what was done

-- A month ahead of the clock, or the default partition.
CREATE FUNCTION hanzo_datastore.step_months(relation regclass, now timestamptz)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	options record := hanzo_datastore.time_options(relation);
	month timestamp;
	moved bigint;
	made regclass;
BEGIN
	IF NOT options.managed THEN
		RETURN NULL;
	END IF;
	month := hanzo_datastore.missing_month(relation, options.months_ahead, now);
	IF month IS NOT NULL THEN
		moved := hanzo_datastore.make_month(relation, month, 8);
		RETURN format('made the partition of %s', to_char(month, 'YYYY-MM'))
			|| CASE WHEN moved > 0 THEN format(' with %s rows of the default partition', moved) ELSE '' END;
	END IF;
	made := hanzo_datastore.make_default(relation);
	RETURN 'made the default partition ' || made::text;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.step_months(regclass, timestamptz) IS 'Internal to maintain(): makes a month that is missing.';

CREATE FUNCTION hanzo_datastore.split_step(relation regclass)
RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_split_step';

COMMENT ON FUNCTION hanzo_datastore.split_step(regclass) IS
	'Internal to maintain(): one round of the compaction of a default partition, into row groups of one month each; false: that was the last one.';

-- One month of the rows in the default partition. Where they are many, it is compacted first, round by round, into row groups of
-- one month each: then a month goes by its groups' directory entries, and writers wait for milliseconds.
CREATE FUNCTION hanzo_datastore.step_strays(relation regclass, now timestamptz)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	many CONSTANT bigint := 8192;
	default_partition regclass := (SELECT b.partition FROM hanzo_datastore.partition_bounds(relation) AS b WHERE b.is_default);
	stray record;
	moved bigint;
BEGIN
	SELECT * INTO stray FROM hanzo_datastore.stray_months(relation, now) AS s ORDER BY s.stray_rows >= many DESC, s.month LIMIT 1;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF stray.stray_rows >= many AND hanzo_datastore.split_step(default_partition) THEN
		RETURN '';
	END IF;
	moved := hanzo_datastore.make_month(relation, stray.month, 8);
	RETURN format('moved %s rows to a partition of %s', moved, to_char(stray.month, 'YYYY-MM'));
END
$$;

COMMENT ON FUNCTION hanzo_datastore.step_strays(regclass, timestamptz) IS
	'Internal to maintain(): moves a month''s rows out of the default partition.';

CREATE FUNCTION hanzo_datastore.step_ttl(relation regclass, now timestamptz)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	gone record;
BEGIN
	IF (hanzo_datastore.time_options(relation)).ttl IS NULL THEN
		RETURN NULL;
	END IF;
	gone := hanzo_datastore.expire_next(relation, now, 20000);
	IF gone.partition IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN CASE WHEN gone.dropped THEN format('dropped %s, which was empty', gone.partition)
				ELSE format('removed %s rows of %s', gone.rows, gone.partition) END;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.step_ttl(regclass, timestamptz) IS 'Internal to maintain(): removes what has expired.';

CREATE FUNCTION hanzo_datastore.step_rollup(relation regclass, now timestamptz)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	refreshed record := hanzo_datastore.refresh_rollup_step(relation, now, 2000);
BEGIN
	RETURN CASE WHEN refreshed.more THEN ''
				WHEN refreshed.rows_stored > 0 THEN format('stored %s rows', refreshed.rows_stored) END;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.step_rollup(regclass, timestamptz) IS
	'Internal to maintain(): brings the stored states of a rollup up to date.';

CREATE FUNCTION hanzo_datastore.compact_step(relation regclass)
RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_compact_step';

COMMENT ON FUNCTION hanzo_datastore.compact_step(regclass) IS
	'One round of the compaction of a columnar table in the caller''s transaction; false: that was the last one. Commit between the rounds.';

CREATE FUNCTION hanzo_datastore.step_compact(relation regclass, now timestamptz)
RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_step_compact';

COMMENT ON FUNCTION hanzo_datastore.step_compact(regclass, timestamptz) IS
	'Internal to maintain(): one round of compaction, if the delta is worth it.';

CREATE FUNCTION hanzo_datastore.run_step(kind text, relation regclass, now timestamptz, seen text, until timestamptz)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_run_step';

COMMENT ON FUNCTION hanzo_datastore.run_step(text, regclass, timestamptz, text, timestamptz) IS
	'Internal to maintain(): runs a step as the table''s owner, catches its error, writes the log; true: there is more to do, and time.';

CREATE FUNCTION hanzo_datastore.end_maintenance(began timestamptz)
RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_end_maintenance';

COMMENT ON FUNCTION hanzo_datastore.end_maintenance(timestamptz) IS
	'Internal to maintain(): notes the run, removes old lines of the log.';

CREATE FUNCTION hanzo_datastore.file_size(tablespace oid, filenode oid)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hz_file_size';

COMMENT ON FUNCTION hanzo_datastore.file_size(oid, oid) IS
	'Internal to maintain(): bytes of a relation''s main fork, without opening it.';

-- What may have something to do: steps of the caller's tables in their order, without those whose table looks as it did when
-- there was nothing to do. One query over the catalogs and the sizes of files; no table is opened.
CREATE FUNCTION hanzo_datastore.maintenance_plan(now timestamptz)
RETURNS TABLE (kind text, relation regclass, seen text)
LANGUAGE sql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH settings AS MATERIALIZED (
		SELECT c.oid, l.label::jsonb AS label, p.partdefid,
			   (SELECT count(*) FROM pg_inherits AS i WHERE i.inhparent = c.oid) AS partitions
		FROM pg_seclabel AS l
		JOIN pg_class AS c ON c.oid = l.objoid
		LEFT JOIN pg_partitioned_table AS p ON p.partrelid = c.oid
		WHERE l.provider = 'hanzo_datastore' AND l.classoid = 'pg_class'::regclass AND l.objsubid = 0
			AND (l.label LIKE '%"managed"%' OR l.label LIKE '%"ttl"%')
			AND pg_has_role(c.relowner, 'USAGE')
	), wanted AS (
		SELECT 1 AS place, 'months' AS kind, s.oid,
			   concat_ws(' ', to_char(now AT TIME ZONE 'UTC', 'YYYY-MM'), s.label ->> 'months_ahead', s.partitions, s.partdefid) AS seen
		FROM settings AS s
		WHERE s.label ? 'managed'
		UNION ALL
		-- every ten minutes: older snapshots and rollups may have put it off
		SELECT 2, 'ttl', s.oid, concat_ws(' ', left(to_char(now AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 15), s.label ->> 'ttl')
		FROM settings AS s
		WHERE s.label ? 'ttl'
		UNION ALL
		SELECT 3, 'strays', s.oid, concat_ws(' ', d.main, d.toast, s.partitions, pg_stat_get_tuples_inserted(s.partdefid),
											 pg_stat_get_tuples_updated(s.partdefid))
		FROM settings AS s
		JOIN pg_class AS c ON c.oid = s.partdefid
		LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
		CROSS JOIN LATERAL (SELECT hanzo_datastore.file_size(c.reltablespace, c.relfilenode) AS main,
								   hanzo_datastore.file_size(t.reltablespace, t.relfilenode) AS toast) AS d
		WHERE s.label ? 'managed' AND d.main + coalesce(d.toast, 0) > 0
		UNION ALL
		SELECT 4, 'compact', c.oid, concat_ws(' ', d.main, pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid))
		FROM pg_class AS c
		CROSS JOIN LATERAL (SELECT hanzo_datastore.file_size(c.reltablespace, c.relfilenode) AS main) AS d
		WHERE c.relam = (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'hanzo_columnar' AND a.amtype = 't')
			AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND d.main >= 262144
			AND pg_has_role(c.relowner, 'USAGE')
			-- step_strays() sees to these
			AND c.oid NOT IN (SELECT s.partdefid FROM settings AS s WHERE s.label ? 'managed' AND s.partdefid IS NOT NULL)
		UNION ALL
		-- those of tables before those of rollups; a look costs a millisecond
		SELECT 5, 'rollup', c.oid, to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS')
		FROM hanzo_datastore.rollup_catalog AS r
		JOIN pg_class AS c ON c.oid = r.states
		WHERE pg_has_role(c.relowner, 'USAGE')
	)
	SELECT w.kind, w.oid::regclass, w.seen
	FROM wanted AS w
	LEFT JOIN hanzo_datastore.jobs AS j ON j.job = w.kind AND j.relation = w.oid::regclass
	-- statistics come a second late: where looking costs nothing, do look
	WHERE (w.seen IS DISTINCT FROM j.seen OR w.kind = 'strays' AND j.duration < interval '5 milliseconds') AND (j.next_run IS NULL OR j.next_run <= clock_timestamp())
	ORDER BY w.place, w.oid
$$;

COMMENT ON FUNCTION hanzo_datastore.maintenance_plan(timestamptz) IS 'Internal to maintain(): the steps that may have something to do.';

-- A step has five seconds, all of them half a minute; each gets one round.
CREATE PROCEDURE hanzo_datastore.maintain(now timestamptz DEFAULT pg_catalog.now())
LANGUAGE plpgsql
AS $$
DECLARE
	began timestamptz := pg_catalog.clock_timestamp();
	until timestamptz;
	step record;
	again boolean;
BEGIN
	FOR step IN SELECT p.kind, p.relation, p.seen FROM hanzo_datastore.maintenance_plan(now) AS p LOOP
		until := hanzo_datastore.step_end(began);
		LOOP
			again := hanzo_datastore.run_step(step.kind, step.relation, now, step.seen, until);
			COMMIT;
			EXIT WHEN NOT again;
		END LOOP;
	END LOOP;
	PERFORM hanzo_datastore.end_maintenance(began);
	COMMIT;
END
$$;

COMMENT ON PROCEDURE hanzo_datastore.maintain(timestamptz) IS
	'Does what is due for the tables of the caller (all tables, for a superuser): months ahead, TTL, rows out of default partitions, compaction, rollups. CALL it on its own; schedule_maintenance() has pg_cron do so.';

CREATE FUNCTION hanzo_datastore.step_end(began timestamptz)
RETURNS timestamptz
LANGUAGE sql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT least(clock_timestamp() + interval '5 seconds', began + interval '30 seconds') $$;

COMMENT ON FUNCTION hanzo_datastore.step_end(timestamptz) IS 'Internal to maintain(): when a step that begins now must end.';
