-- TTL: rows older than an interval go. Whole months lose their rows first, by DELETE of row groups unread, beside readers
-- and writers; the empty partition is dropped later, when no older snapshot can miss it.
--
-- All functions here run with the caller's rights, who must own the table.

-- The rollups of a table, of its parents and its partitions that have this time column get a say before rows go: up to which time
-- they may go now; NULL: not yet. Called in the transaction that removes rows, after it has its locks (src/admin/rollup_freeze.c).
CREATE FUNCTION hanzo_datastore.rollups_before_removal(relation regclass, cutoff timestamptz, column_name name)
RETURNS timestamptz
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_rollups_before_removal';

COMMENT ON FUNCTION hanzo_datastore.rollups_before_removal(regclass, timestamptz, name) IS
	'Internal: up to which time rows of a table may be removed now; NULL: not yet.';

CREATE TABLE hanzo_datastore.removal_log (
	removed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	relation oid NOT NULL,
	relation_name text NOT NULL,
	partition text NOT NULL,
	whole boolean NOT NULL,
	rows bigint NOT NULL,
	bytes bigint,
	cutoff timestamptz NOT NULL
);

COMMENT ON TABLE hanzo_datastore.removal_log IS 'Internal: what the view ttl_log shows.';

CREATE VIEW hanzo_datastore.ttl_log WITH (security_barrier) AS
SELECT l.removed_at, l.relation_name AS relation, l.partition, l.whole, l.rows, l.bytes, l.cutoff
FROM hanzo_datastore.removal_log AS l
WHERE pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
	OR EXISTS (SELECT FROM pg_catalog.pg_class AS c
			   WHERE c.oid OPERATOR(pg_catalog.=) l.relation
				   AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_table_privilege(c.oid, 'SELECT')));

COMMENT ON VIEW hanzo_datastore.ttl_log IS
	'What TTL removed: rows, and the bytes of what they were stored in. whole: all of the partition; the partition itself goes later.';

GRANT SELECT ON hanzo_datastore.ttl_log TO PUBLIC;

CREATE FUNCTION hanzo_datastore.log_removal(
	relation regclass, partition_name text, whole boolean, rows bigint, bytes bigint, cutoff timestamptz)
RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_log_removal';

COMMENT ON FUNCTION hanzo_datastore.log_removal(regclass, text, boolean, bigint, bigint, timestamptz) IS
	'Internal: a line of ttl_log about a table of the caller''s.';

CREATE FUNCTION hanzo_datastore.set_ttl(relation regclass, ttl interval, column_name name DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	class record;
	options record;
BEGIN
	PERFORM hanzo_datastore.check_owner(relation);
	SELECT c.relkind, c.relispartition, c.relpersistence, a.amname INTO class
	FROM pg_class AS c LEFT JOIN pg_am AS a ON a.oid = c.relam
	WHERE c.oid = relation;

	IF class.relkind NOT IN ('r', 'p') OR class.relpersistence = 't' THEN
		RAISE EXCEPTION '% is not a permanent table', relation
			USING ERRCODE = 'wrong_object_type', HINT = 'TTL is for managed tables and for columnar tables.';
	END IF;
	EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', relation);
	options := hanzo_datastore.time_options(relation);

	IF ttl IS NOT NULL THEN
		PERFORM hanzo_datastore.check_interval('ttl', ttl);
		IF ttl < interval '1 hour' OR ttl > interval '1000 years' THEN
			RAISE EXCEPTION 'ttl must be between 1 hour and 1000 years, not %', ttl
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass NULL to keep rows for ever.';
		END IF;
		IF class.relkind = 'p' AND NOT options.managed THEN
			RAISE EXCEPTION 'table % is partitioned and not managed', relation
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = format('Call hanzo_datastore.manage_partitions(%L) first.', relation);
		END IF;
		IF class.relkind = 'p' AND column_name <> options.column_name THEN
			RAISE EXCEPTION 'the months of table % go by column %, not by %', relation, quote_ident(options.column_name), quote_ident(column_name)
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave column_name out: TTL goes by the same column.';
		END IF;
		IF class.relispartition THEN
			RAISE EXCEPTION 'table % is a partition', relation
				USING ERRCODE = 'wrong_object_type',
					HINT = format('Set the TTL of %s.', pg_partition_root(relation));
		END IF;
		IF class.relkind = 'r' AND class.amname <> 'hanzo_columnar' THEN
			RAISE EXCEPTION 'table % is not columnar', relation
				USING ERRCODE = 'wrong_object_type', HINT = 'TTL is for managed tables and for columnar tables.';
		END IF;
		IF class.relkind = 'r' AND coalesce(column_name, options.column_name) IS NULL THEN
			RAISE EXCEPTION 'column_name must not be null for table %, which is not partitioned', relation
				USING ERRCODE = 'null_value_not_allowed', HINT = 'Name the column of time that the TTL goes by.';
		END IF;
	END IF;

	PERFORM hanzo_datastore.set_time_options(
		relation,
		CASE WHEN class.relkind = 'p' THEN options.column_name WHEN ttl IS NOT NULL THEN coalesce(column_name, options.column_name) END,
		options.managed, options.months_ahead, ttl);
END
$$;

COMMENT ON FUNCTION hanzo_datastore.set_ttl(regclass, interval, name) IS
	'maintain() removes rows older than this, by the partition key of a managed table or by the column of time of a columnar one; NULL: never.';

-- The TTL's cutoff at a time; an error where there is no TTL.
CREATE FUNCTION hanzo_datastore.ttl_cutoff(relation regclass, now timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
	options record;
BEGIN
	PERFORM hanzo_datastore.check_owner(relation);
	IF now IS NULL THEN
		RAISE EXCEPTION 'now must not be null' USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave it out to go by the clock.';
	END IF;
	PERFORM hanzo_datastore.check_clock(now);
	options := hanzo_datastore.time_options(relation);
	IF options.ttl IS NOT NULL AND options.column_name IS NULL THEN
		RAISE EXCEPTION 'the column of time of table % is gone', relation
			USING ERRCODE = 'undefined_column', HINT = 'Set the TTL again with hanzo_datastore.set_ttl(), by another column, or NULL.';
	END IF;
	IF options.ttl IS NULL THEN
		RAISE EXCEPTION 'table % has no TTL', relation
			USING ERRCODE = 'undefined_object', HINT = 'Set one with hanzo_datastore.set_ttl().';
	END IF;
	RETURN now - options.ttl;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.ttl_cutoff(regclass, timestamptz) IS 'Internal: rows before this time have expired.';

-- The tables that hold rows of a table, with the end of what they can hold (NULL: anything); oldest first.
CREATE FUNCTION hanzo_datastore.ttl_leaves(relation regclass)
RETURNS TABLE (partition regclass, leaf regclass, upper timestamp)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT b.partition, t.relid::regclass, b.upper
	FROM hanzo_datastore.partition_bounds(relation) AS b
	CROSS JOIN LATERAL pg_partition_tree(b.partition) AS t
	JOIN pg_class AS c ON c.oid = t.relid AND c.relkind = 'r'
	UNION ALL
	SELECT relation, relation, NULL FROM pg_class AS c WHERE c.oid = relation AND c.relkind = 'r'
	ORDER BY 3 NULLS LAST, 2
$$;

COMMENT ON FUNCTION hanzo_datastore.ttl_leaves(regclass) IS 'Internal: the tables in which a table''s rows lie.';

-- Whether rows of a heap may go by TRUNCATE: nothing must notice single rows.
CREATE FUNCTION hanzo_datastore.can_truncate(relation regclass)
RETURNS boolean
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.amname = 'heap' AND current_setting('wal_level') <> 'logical' AND NOT c.relrowsecurity
		AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgtype & (8 | 32) <> 0)
		AND NOT EXISTS (SELECT FROM pg_rewrite AS r WHERE r.ev_class = relation)
		AND NOT EXISTS (SELECT FROM pg_constraint AS f WHERE f.contype = 'f' AND f.confrelid = relation)
	FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
	WHERE c.oid = relation
$$;

COMMENT ON FUNCTION hanzo_datastore.can_truncate(regclass) IS 'Internal: whether nothing notices the deletion of single rows of a heap.';

-- Drops an expired partition that is empty. False: it is not, or an older snapshot may still see rows in it. The locks, which
-- make everybody wait, are taken as those of lock_for_attach().
CREATE FUNCTION hanzo_datastore.drop_expired(relation regclass, partition regclass)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '50ms'
AS $$
DECLARE
	default_partition regclass := (SELECT b.partition FROM hanzo_datastore.partition_bounds(relation) AS b WHERE b.is_default);
	empty boolean;
BEGIN
	-- Nobody notices this lock but those who would send us away below: autovacuum gives way after one second of waiting.
	SET LOCAL lock_timeout = '3s';
	EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', partition);
	SET LOCAL lock_timeout = '50ms';
	IF NOT hanzo_datastore.wait_for_snapshots(500) THEN
		RETURN false;
	END IF;
	FOR attempt IN 1..5 LOOP
		BEGIN
			EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', relation);
			IF default_partition IS NOT NULL THEN
				EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE NOWAIT', default_partition);
			END IF;
			EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', partition);
			EXIT;
		EXCEPTION
			WHEN lock_not_available OR deadlock_detected THEN
				IF attempt = 5 THEN
					RAISE;
				END IF;
		END;
		PERFORM pg_sleep(0.05 * attempt);
	END LOOP;
	EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', partition) INTO empty;
	IF NOT empty THEN
		RETURN false;
	END IF;
	-- Where others refer to it, DROP alone would be refused.
	IF EXISTS (SELECT FROM pg_constraint AS f WHERE f.contype = 'f' AND f.confrelid = partition) THEN
		EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', relation, partition);
	END IF;
	EXECUTE format('DROP TABLE %s', partition);
	RETURN true;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.drop_expired(regclass, regclass) IS 'Internal: drops an expired partition that is empty.';

-- Does the next thing that the TTL of a table asks for: removes expired rows of one table (max_rows at the most where it must
-- be row by row), or drops one empty partition. All NULL: there is nothing to do now.
CREATE FUNCTION hanzo_datastore.expire_next(
	relation regclass, now timestamptz, max_rows bigint,
	OUT partition text, OUT whole boolean, OUT rows bigint, OUT bytes bigint, OUT dropped boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET timezone = 'UTC'
SET lock_timeout = '3s'		-- autovacuum gives way after one
AS $$
DECLARE
	key_column name := (hanzo_datastore.time_options(relation)).column_name;
	cutoff timestamptz := hanzo_datastore.ttl_cutoff(relation, now);
	allowed timestamptz;
	until timestamp;
	part record;
	removed record;
	found boolean;
BEGIN
	FOR part IN SELECT * FROM hanzo_datastore.ttl_leaves(relation) AS l LOOP
		until := cutoff AT TIME ZONE 'UTC';
		IF part.upper <= until THEN
			until := part.upper;
		END IF;
		EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s WHERE %s)', part.leaf,
					   hanzo_datastore.time_condition(part.leaf, key_column, NULL, until)) INTO found;
		IF NOT found THEN
			CONTINUE;
		END IF;

		whole := coalesce(part.upper <= until, false);
		partition := part.leaf::text;
		bytes := CASE WHEN whole THEN pg_total_relation_size(part.leaf) END;
		SET LOCAL lock_timeout = '3s';
		IF whole AND hanzo_datastore.can_truncate(part.leaf) AND hanzo_datastore.wait_for_snapshots(500) THEN
			SET LOCAL lock_timeout = '50ms';
			EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', part.leaf);
		ELSE
			-- What a rollup keeps of these rows is final: nobody may be at work on them, or begin to be.
			IF EXISTS (SELECT FROM hanzo_datastore.rollup_catalog AS c JOIN pg_class AS s ON s.oid = c.source
					   CROSS JOIN LATERAL hanzo_datastore.rollup_leaves(c.source) AS l WHERE l.leaf = part.leaf) THEN
				SET LOCAL lock_timeout = '50ms';
				EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', part.leaf);
			END IF;
			SET LOCAL lock_timeout = '3s';
			EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', part.leaf);
		END IF;
		SET LOCAL lock_timeout = '1s';	-- for rows that somebody holds: others may wait for those that we have deleted
		-- Of what is locked only: older tables are empty already, younger ones have writers.
		allowed := hanzo_datastore.rollups_before_removal(coalesce(pg_partition_root(relation), relation), until AT TIME ZONE 'UTC', key_column);
		IF allowed IS NULL THEN
			CONTINUE;
		END IF;
		IF allowed AT TIME ZONE 'UTC' < until THEN
			until := allowed AT TIME ZONE 'UTC';
			whole := false;
		ELSE
			allowed := cutoff;
		END IF;
		IF whole AND EXISTS (SELECT FROM pg_locks AS k
							 WHERE k.pid = pg_backend_pid() AND k.locktype = 'relation' AND k.relation = part.leaf::oid
								 AND k.mode = 'AccessExclusiveLock' AND k.granted) THEN
			EXECUTE format('SELECT count(*) FROM ONLY %s', part.leaf) INTO rows;
			EXECUTE format('TRUNCATE ONLY %s', part.leaf);
		ELSE
			removed := hanzo_datastore.delete_range(part.leaf, key_column, NULL, until, max_rows);
			rows := removed.rows;
			bytes := CASE WHEN whole AND (max_rows IS NULL OR rows < max_rows) THEN bytes ELSE removed.bytes END;
		END IF;
		IF rows > 0 THEN
			dropped := false;
			PERFORM hanzo_datastore.log_removal(relation, partition, whole, rows, bytes, allowed);
			RETURN;
		END IF;
	END LOOP;

	-- Nothing is left to remove. Empty partitions go, not the last one.
	FOR part IN
		SELECT b.partition, b.upper FROM hanzo_datastore.partition_bounds(relation) AS b
		WHERE NOT b.is_default AND b.upper <= cutoff AT TIME ZONE 'UTC'
		ORDER BY b.upper
	LOOP
		partition := part.partition::text;
		EXECUTE format('SELECT EXISTS (SELECT FROM %s)', part.partition) INTO found;
		IF NOT found AND hanzo_datastore.drop_expired(relation, part.partition) THEN
			whole := true;
			rows := 0;
			bytes := 0;
			dropped := true;
			RETURN;
		END IF;
	END LOOP;
	partition := NULL;
	whole := NULL;
	rows := NULL;
	bytes := NULL;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.expire_next(regclass, timestamptz, bigint) IS
	'Internal: removes the expired rows of one partition, or drops an empty one.';

CREATE FUNCTION hanzo_datastore.ttl_preview(relation regclass, now timestamptz DEFAULT now())
RETURNS TABLE (partition regclass, whole boolean, rows bigint, bytes bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET timezone = 'UTC'
AS $$
DECLARE
	key_column name := (hanzo_datastore.time_options(relation)).column_name;
	cutoff timestamp := hanzo_datastore.ttl_cutoff(relation, now) AT TIME ZONE 'UTC';
	part record;
	total bigint;
BEGIN
	FOR part IN SELECT * FROM hanzo_datastore.ttl_leaves(relation) AS l LOOP
		EXECUTE format('SELECT count(*) FILTER (WHERE %s), count(*) FROM ONLY %s',
					   hanzo_datastore.time_condition(part.leaf, key_column, NULL, cutoff), part.leaf)
			INTO rows, total;
		partition := part.leaf;
		whole := coalesce(part.upper <= cutoff, false);
		bytes := CASE WHEN whole THEN pg_total_relation_size(part.leaf)
					  ELSE pg_total_relation_size(part.leaf)::numeric * rows / nullif(total, 0) END;
		IF rows > 0 OR whole THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.ttl_preview(regclass, timestamptz) IS
	'What TTL would remove now: rows are counted; bytes are exact for whole partitions and a share of the size for others. Changes nothing.';

CREATE FUNCTION hanzo_datastore.apply_ttl(relation regclass, now timestamptz DEFAULT now())
RETURNS TABLE (partition text, whole boolean, rows bigint, bytes bigint, dropped boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM hanzo_datastore.ttl_cutoff(relation, now);
	LOOP
		SELECT e.partition, e.whole, e.rows, e.bytes, e.dropped INTO partition, whole, rows, bytes, dropped
		FROM hanzo_datastore.expire_next(relation, now, NULL) AS e;
		EXIT WHEN partition IS NULL;
		RETURN NEXT;
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.apply_ttl(regclass, timestamptz) IS
	'Removes what has expired, in one transaction; returns what went. maintain() does the same in many.';
