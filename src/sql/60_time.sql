-- Months: manage_partitions() and what maintenance does for the tables that it manages.
--
-- Times in these functions are timestamps without time zone: wall-clock times for columns of type date and timestamp, UTC
-- for timestamptz. So neither the session's time zone nor its DateStyle matters.
--
-- Everything runs with the caller's rights, who must own the table. maintain() calls the steps as the owner.

CREATE FUNCTION hanzo_datastore.set_time_options(relation regclass, column_name name, managed boolean, months_ahead integer, ttl interval)
RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_set_time_options';

COMMENT ON FUNCTION hanzo_datastore.set_time_options(regclass, name, boolean, integer, interval) IS
	'Internal: stores the settings of manage_partitions() and set_ttl().';

CREATE FUNCTION hanzo_datastore.note_arrival(partition regclass)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'hz_note_arrival';

COMMENT ON FUNCTION hanzo_datastore.note_arrival(regclass) IS
	'Internal to make_month(): older snapshots must not read the partition.';

CREATE FUNCTION hanzo_datastore.time_options(
	relation regclass, OUT column_name name, OUT managed boolean, OUT months_ahead integer, OUT ttl interval)
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hz_time_options';

COMMENT ON FUNCTION hanzo_datastore.time_options(regclass) IS
	'Internal: the settings of manage_partitions() and set_ttl(); the view managed_tables shows them.';

CREATE FUNCTION hanzo_datastore.partition_bounds(
	relation regclass, OUT partition regclass, OUT lower timestamp, OUT upper timestamp, OUT is_default boolean)
RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 36
AS 'MODULE_PATHNAME', 'hz_partition_bounds';

COMMENT ON FUNCTION hanzo_datastore.partition_bounds(regclass) IS
	'Partitions of a table that is partitioned by range of one date, timestamp or timestamptz, with their bounds (UTC).';

CREATE FUNCTION hanzo_datastore.time_condition(relation regclass, column_name name, lower timestamp, upper timestamp)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'hz_time_condition';

COMMENT ON FUNCTION hanzo_datastore.time_condition(regclass, name, timestamp, timestamp) IS
	'Internal: a condition that holds for times of a column from lower (NULL: the first finite one) to before upper.';

CREATE FUNCTION hanzo_datastore.copy_rows(relation regclass, statement text)
RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_copy_rows';

COMMENT ON FUNCTION hanzo_datastore.copy_rows(regclass, text) IS
	'Internal to make_month(): runs an INSERT ... SELECT and remembers its snapshot for changes_since().';

CREATE FUNCTION hanzo_datastore.changes_since(
	template anyelement, relation regclass, OUT inserted boolean, OUT content anyelement)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_changes_since';

COMMENT ON FUNCTION hanzo_datastore.changes_since(anyelement, regclass) IS
	'Internal to make_month(): row versions that came or went since copy_rows().';

CREATE FUNCTION hanzo_datastore.remove_rows(relation regclass, column_name name, lower timestamp, upper timestamp)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_remove_rows';

COMMENT ON FUNCTION hanzo_datastore.remove_rows(regclass, name, timestamp, timestamp) IS
	'Internal to make_month(): takes away rows that have been copied, without triggers.';

CREATE FUNCTION hanzo_datastore.exclude_range(
	relation regclass, column_name name, lower timestamp, upper timestamp, constraint_name name)
RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_exclude_range';

COMMENT ON FUNCTION hanzo_datastore.exclude_range(regclass, name, timestamp, timestamp, name) IS
	'Internal to make_month(): adds a CHECK that no row has a time in the range, after a look by an ordinary query.';

CREATE FUNCTION hanzo_datastore.delete_range(
	relation regclass, column_name name, lower timestamp, upper timestamp, max_rows bigint DEFAULT NULL,
	OUT rows bigint, OUT bytes bigint)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_delete_range';

COMMENT ON FUNCTION hanzo_datastore.delete_range(regclass, name, timestamp, timestamp, bigint) IS
	'Deletes the rows of a table (not of its partitions) with lower <= column < upper; lower NULL: from the first finite time. Whole row groups go unread; of others at most max_rows rows. bytes: of the row groups.';

CREATE FUNCTION hanzo_datastore.wait_for_snapshots(milliseconds integer)
RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_wait_for_snapshots';

COMMENT ON FUNCTION hanzo_datastore.wait_for_snapshots(integer) IS
	'Internal: waits until the transactions of this database that hold a snapshot have given it back; false: in vain.';

CREATE FUNCTION hanzo_datastore.lock_referenced(relation regclass)
RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'hz_lock_referenced';

COMMENT ON FUNCTION hanzo_datastore.lock_referenced(regclass) IS
	'Internal to make_month(): locks the tables that a table refers to as ATTACH PARTITION does, without waiting.';

-- ---- Making months

-- A name for a new partition that is free: <table>_YYYY_MM, or <table>_default where month is NULL. A long table name is cut,
-- a number follows where the name is taken.
CREATE FUNCTION hanzo_datastore.month_name(relation regclass, month timestamp)
RETURNS name
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent record;
	suffix text;
	base text;
BEGIN
	SELECT c.relname, c.relnamespace INTO parent FROM pg_class AS c WHERE c.oid = relation;
	FOR attempt IN 0..1000 LOOP
		suffix := coalesce(to_char(month, '_YYYY_MM'), '_default') || CASE WHEN attempt = 0 THEN '' ELSE '_' || attempt END;
		base := parent.relname;
		WHILE octet_length(base) + octet_length(suffix) > 63 LOOP
			base := left(base, -1);
		END LOOP;
		IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relname = base || suffix AND c.relnamespace = parent.relnamespace)
			AND NOT EXISTS (SELECT FROM pg_type AS t WHERE t.typname = base || suffix AND t.typnamespace = parent.relnamespace) THEN
			RETURN base || suffix;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'no name is free for a new partition of table %', relation
		USING ERRCODE = 'duplicate_table', HINT = 'Rename or drop tables that are named as its partitions would be.';
END
$$;

COMMENT ON FUNCTION hanzo_datastore.month_name(regclass, timestamp) IS 'Internal: a free name for a new partition.';

-- Creates an empty table like the parent, not attached yet; takes no lock on the parent but what reading it takes.
--
-- It gets the parent's columns, defaults, constraints, indexes and statistics here, foreign keys and row triggers when it
-- is attached. Privileges are given as the parent has them, but not where the parent has row security, which
-- does not hold for those who name the partition.
CREATE FUNCTION hanzo_datastore.create_like(relation regclass, month timestamp, check_condition text)
RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent record;
	access_method name;
	qualified text;
	given record;
BEGIN
	SELECT c.relpersistence, c.relreplident, c.relrowsecurity, c.relacl, c.relowner, n.nspname, t.spcname INTO parent
	FROM pg_class AS c
	JOIN pg_namespace AS n ON n.oid = c.relnamespace
	LEFT JOIN pg_tablespace AS t ON t.oid = c.reltablespace
	WHERE c.oid = relation;

	-- That of most partitions.
	SELECT a.amname INTO access_method
	FROM pg_inherits AS i
	JOIN pg_class AS c ON c.oid = i.inhrelid
	JOIN pg_am AS a ON a.oid = c.relam
	WHERE i.inhparent = relation
	GROUP BY a.amname
	ORDER BY count(*) DESC, a.amname <> 'hanzo_columnar'
	LIMIT 1;

	qualified := format('%I.%I', parent.nspname, hanzo_datastore.month_name(relation, month));
	EXECUTE format('CREATE %sTABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS%s) USING %I%s',
				   CASE WHEN parent.relpersistence = 'u' THEN 'UNLOGGED ' ELSE '' END,
				   qualified, relation,
				   CASE WHEN check_condition IS NULL THEN ''
						ELSE format(', CONSTRAINT hanzo_datastore_month CHECK (%s)', check_condition) END,
				   coalesce(access_method, 'hanzo_columnar'),
				   coalesce(' TABLESPACE ' || quote_ident(parent.spcname), ''));

	IF parent.relreplident IN ('f', 'n') THEN
		EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s', qualified,
					   CASE parent.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END);
	END IF;

	IF NOT parent.relrowsecurity THEN
		FOR given IN
			SELECT a.grantee, a.is_grantable, string_agg(a.privilege_type, ', ') AS privileges, '' AS columns
			FROM aclexplode(parent.relacl) AS a
			WHERE a.grantee <> parent.relowner
			GROUP BY a.grantee, a.is_grantable
			UNION ALL
			SELECT a.grantee, a.is_grantable, string_agg(DISTINCT format('%s (%I)', a.privilege_type, t.attname), ', '), ''
			FROM pg_attribute AS t
			CROSS JOIN LATERAL aclexplode(t.attacl) AS a
			WHERE t.attrelid = relation AND NOT t.attisdropped AND a.grantee <> parent.relowner
			GROUP BY a.grantee, a.is_grantable
		LOOP
			EXECUTE format('GRANT %s ON TABLE %s TO %s%s', given.privileges, qualified,
						   CASE WHEN given.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(given.grantee)) END,
						   CASE WHEN given.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
		END LOOP;
	END IF;
	RETURN qualified::regclass;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.create_like(regclass, timestamp, text) IS
	'Internal: creates the table that becomes a partition.';

-- Takes the locks of an ATTACH PARTITION: the first of those that make others wait for a twentieth of a second at the most, the
-- others at once or not at all. Whoever holds one of them for longer sends us away.
--
-- Where rows move, the first is AccessExclusiveLock on the table itself. ATTACH PARTITION does without, but a query that has looked up the
-- partitions before, and then waits for the default partition, would find the rows neither there nor in the
-- partition that it does not know: it would miss them, an UPDATE would pass them by, an INSERT be refused.
CREATE FUNCTION hanzo_datastore.lock_for_attach(relation regclass, default_partition regclass, rows_move boolean, attempts integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
AS $$
BEGIN
	FOR attempt IN 1..attempts LOOP
		BEGIN
			IF rows_move THEN
				EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', relation);
				EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE NOWAIT', default_partition);
			ELSIF default_partition IS NOT NULL THEN
				EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', default_partition);
			END IF;
			PERFORM hanzo_datastore.lock_referenced(relation);
			RETURN;
		EXCEPTION
			WHEN lock_not_available OR deadlock_detected THEN
				IF attempt = attempts THEN
					RAISE;
				END IF;
		END;
		PERFORM pg_sleep(0.02 * attempt);
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.lock_for_attach(regclass, regclass, boolean, integer) IS
	'Internal to make_month(): locks the default partition and the tables referred to.';

-- Makes the partition of one month and moves there the rows of that month which the default partition holds. Returns
-- how many these were; NULL: there is such a partition already, or another one in its way.
--
-- The order (src/README.md argues it):
--	1. ShareUpdateExclusiveLock on parent and default partition: nobody else attaches, compacts, vacuums. Writers and
--	   readers notice nothing.
--	2. A table like the parent, and into it a copy of the default partition's rows of the month under one snapshot.
--	3. Everybody's snapshots that are older than this moment are waited for. A transaction that keeps one would see the rows neither at
--	   their old place, where the planner no longer looks for them, nor at the new one.
--	4. AccessExclusiveLock on the default partition, and on the table where rows move (lock_for_attach() says why): what came or
--	   went since the copy is applied to it; the rows are taken out of the default partition; the new table becomes a partition.
-- All in one transaction: an error leaves nothing behind.
CREATE FUNCTION hanzo_datastore.make_month(relation regclass, month timestamp, attempts integer DEFAULT 20)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET lock_timeout = '3s'		-- of locks that nobody notices; autovacuum gives way after one
AS $$
DECLARE
	key_column name := hanzo_datastore.month_key(relation);
	next_month timestamp := month + interval '1 month';
	default_partition regclass;
	created regclass;
	columns text;
	contents text;
	own_contents text;
	condition text;
	copied bigint := 0;
	came bigint;
	gone bigint;
	deleted bigint;
	removed bigint;
	locked_at timestamptz;
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', relation);
	IF EXISTS (SELECT FROM hanzo_datastore.partition_bounds(relation) AS b
			   WHERE NOT b.is_default AND b.lower < next_month AND b.upper > month) THEN
		RETURN NULL;
	END IF;
	SELECT b.partition INTO default_partition FROM hanzo_datastore.partition_bounds(relation) AS b WHERE b.is_default;
	condition := hanzo_datastore.time_condition(relation, key_column, month, next_month);
	created := hanzo_datastore.create_like(relation, month, format('%I IS NOT NULL AND %s', key_column, condition));

	IF default_partition IS NOT NULL THEN
		SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
			   string_agg(format('(c.content).%I', a.attname), ', ' ORDER BY a.attnum),
			   string_agg(format('n.%I', a.attname), ', ' ORDER BY a.attnum)
		INTO columns, contents, own_contents
		FROM pg_attribute AS a
		WHERE a.attrelid = created AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';

		copied := hanzo_datastore.copy_rows(default_partition,
			format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM ONLY %s WHERE %s',
				   created, columns, default_partition, condition));
		IF copied > 0 THEN
			IF hanzo_datastore.is_published(relation) OR hanzo_datastore.is_published(default_partition) THEN
				RAISE EXCEPTION 'rows of the default partition of table % are not moved while it is published', relation
					USING ERRCODE = 'object_not_in_prerequisite_state',
						HINT = format('A subscriber would lose them. Take %s and its partitions out of the publications, or move the rows by hand.', relation);
			END IF;
			IF NOT hanzo_datastore.wait_for_snapshots(2000) THEN
				RAISE EXCEPTION 'older snapshots keep rows of table % from being moved', default_partition
					USING ERRCODE = 'lock_not_available',
						DETAIL = 'A transaction that began before would not find them at their new place.',
						HINT = 'Look for long transactions in pg_stat_activity (backend_xmin); maintenance tries again.';
			END IF;
		END IF;

	END IF;
	PERFORM hanzo_datastore.lock_for_attach(relation, default_partition, copied > 0, attempts);
	locked_at := clock_timestamp();

	IF default_partition IS NOT NULL THEN
		-- Copies of rows that are gone are found by their time and their bytes; of equal ones any will do.
		EXECUTE format($sql$
			WITH changes AS MATERIALIZED (
				SELECT c.inserted, c.content
				FROM hanzo_datastore.changes_since(NULL::%1$s, %1$L) AS c
				WHERE (c.content).%2$I IS NOT NULL
			), came AS (
				SELECT c.content FROM changes AS c CROSS JOIN LATERAL (SELECT (c.content).%2$I) AS t(%2$I) WHERE c.inserted AND %3$s
			), gone AS (
				SELECT c.content, row_number() OVER (PARTITION BY c.content::text) AS k
				FROM changes AS c CROSS JOIN LATERAL (SELECT (c.content).%2$I) AS t(%2$I) WHERE NOT c.inserted AND %3$s
			), found AS (
				SELECT n.ctid AS row_id, c.k, row_number() OVER (PARTITION BY c.content::text, c.k ORDER BY n.ctid) AS r
				FROM gone AS c
				JOIN %4$s AS n ON n.%2$I = (c.content).%2$I AND record_image_eq(ROW(%5$s), ROW(%6$s))
			), deletion AS (
				DELETE FROM %4$s WHERE ctid IN (SELECT f.row_id FROM found AS f WHERE f.r = f.k) RETURNING 1
			), insertion AS (
				INSERT INTO %4$s (%7$s) OVERRIDING SYSTEM VALUE SELECT %6$s FROM came AS c RETURNING 1
			)
			SELECT (SELECT count(*) FROM insertion), (SELECT count(*) FROM gone), (SELECT count(*) FROM deletion)
			$sql$, default_partition, key_column, condition, created, own_contents, contents, columns)
			INTO came, gone, deleted;
		IF copied = 0 AND came + gone > 0 THEN
			RAISE EXCEPTION 'rows came into table % meanwhile', default_partition
				USING ERRCODE = 'lock_not_available', HINT = 'Try again; maintenance does.';
		END IF;
		copied := copied + came - gone;
		removed := hanzo_datastore.remove_rows(default_partition, key_column, month, next_month);
		IF removed <> copied OR deleted <> gone THEN
			RAISE EXCEPTION 'table % holds % rows of the month, but % were copied', default_partition, removed, copied
				USING ERRCODE = 'data_exception', HINT = 'Nothing was changed. Please report this.';
		END IF;
		PERFORM hanzo_datastore.exclude_range(default_partition, key_column, month, next_month, 'hanzo_datastore_rest');
	END IF;

	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', relation, created,
				   to_char(month, 'YYYY-MM-DD'), to_char(next_month, 'YYYY-MM-DD'));
	IF copied > 0 OR removed > 0 THEN
		PERFORM hanzo_datastore.note_arrival(created);
	END IF;
	EXECUTE format('ALTER TABLE %s DROP CONSTRAINT hanzo_datastore_month', created);
	IF default_partition IS NOT NULL THEN
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT hanzo_datastore_rest', default_partition);
	END IF;
	RAISE DEBUG 'partition % was locked for % ms', default_partition,
		round(extract(epoch FROM clock_timestamp() - locked_at) * 1000);
	RETURN copied;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.make_month(regclass, timestamp, integer) IS
	'Internal: makes the partition of a month and moves its rows out of the default partition; returns their number.';

-- ---- Settings

-- The column that a table is partitioned by, which can have months; an error where it has none.
CREATE FUNCTION hanzo_datastore.month_key(relation regclass)
RETURNS name
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent record;
	result name;
BEGIN
	SELECT c.relkind, c.relpersistence, p.partstrat, p.partnatts, p.partattrs[0] AS attnum, pg_get_partkeydef(c.oid) AS definition
	INTO parent
	FROM pg_class AS c LEFT JOIN pg_partitioned_table AS p ON p.partrelid = c.oid
	WHERE c.oid = relation;

	IF parent.relkind IS DISTINCT FROM 'p' THEN
		RAISE EXCEPTION 'table % is not partitioned', relation
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Create it with PARTITION BY RANGE (column), then call manage_partitions().';
	END IF;
	IF parent.relpersistence = 't' THEN
		RAISE EXCEPTION 'table % is temporary', relation
			USING ERRCODE = 'feature_not_supported', HINT = 'Maintenance could not reach it.';
	END IF;
	IF parent.partstrat <> 'r' OR parent.partnatts <> 1 OR parent.attnum = 0 THEN
		RAISE EXCEPTION 'table % is partitioned by %', relation, parent.definition
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Months need PARTITION BY RANGE on exactly one column, not on an expression.';
	END IF;

	SELECT a.attname INTO result
	FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attnum = parent.attnum
		AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table % is partitioned by %, which is not a time', relation, parent.definition
			USING ERRCODE = 'datatype_mismatch',
				HINT = 'The column must be of type date, timestamp or timestamp with time zone.';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.month_key(regclass) IS 'Internal: the column of time that a table is partitioned by.';

-- An error unless the caller owns the table.
CREATE FUNCTION hanzo_datastore.check_owner(relation regclass)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner oid := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = relation);
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION 'relation must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF owner IS NULL THEN
		RAISE EXCEPTION 'relation with OID % does not exist', relation::oid USING ERRCODE = 'undefined_table';
	END IF;
	IF NOT pg_has_role(owner, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', relation
			USING ERRCODE = 'insufficient_privilege',
				HINT = format('Call the function as role %I.', pg_get_userbyid(owner));
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.check_owner(regclass) IS 'Internal: an error unless the caller owns the table.';

-- Whether changes of a table are sent to subscribers, through it or through a table that it is a partition of.
CREATE FUNCTION hanzo_datastore.is_published(relation regclass)
RETURNS boolean
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT current_setting('wal_level') = 'logical'
		AND (EXISTS (SELECT FROM pg_publication AS p WHERE p.puballtables)
			 OR EXISTS (SELECT FROM pg_publication_rel AS r
						WHERE r.prrelid = relation OR r.prrelid IN (SELECT a.relid FROM pg_partition_ancestors(relation) AS a))
			 OR EXISTS (SELECT FROM pg_publication_namespace AS n
						JOIN pg_class AS c ON c.relnamespace = n.pnnspid
						WHERE c.oid = relation OR c.oid IN (SELECT a.relid FROM pg_partition_ancestors(relation) AS a)))
$$;

COMMENT ON FUNCTION hanzo_datastore.is_published(regclass) IS 'Internal: whether a table is in a publication.';

-- Makes a default partition where there is none. Rows can have gone nowhere before, so there is nothing to move.
CREATE FUNCTION hanzo_datastore.make_default(relation regclass)
RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '3s'
AS $$
DECLARE
	created regclass;
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', relation);
	IF EXISTS (SELECT FROM hanzo_datastore.partition_bounds(relation) AS b WHERE b.is_default) THEN
		RETURN NULL;
	END IF;
	created := hanzo_datastore.create_like(relation, NULL, NULL);
	PERFORM hanzo_datastore.lock_for_attach(relation, NULL, false, 20);
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', relation, created);
	RETURN created;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.make_default(regclass) IS 'Internal: makes a default partition.';

-- The first month, from that of `now` to the last one ahead, that no partition covers even in part; NULL: none.
CREATE FUNCTION hanzo_datastore.missing_month(relation regclass, months_ahead integer, now timestamptz)
RETURNS timestamp
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT min(m)
	FROM generate_series(0, months_ahead) AS i
	CROSS JOIN LATERAL (SELECT date_trunc('month', now AT TIME ZONE 'UTC') + make_interval(months => i)) AS t(m)
	WHERE NOT EXISTS (SELECT FROM hanzo_datastore.partition_bounds(relation) AS b
					  WHERE NOT b.is_default AND b.lower < m + interval '1 month' AND b.upper > m)
$$;

COMMENT ON FUNCTION hanzo_datastore.missing_month(regclass, integer, timestamptz) IS
	'Internal: the first month that is to be made ahead of the clock.';

-- The months, from the year 1 to the year 9999, of which the default partition holds rows that could go to a partition of
-- their own: none is in the way. Rows that TTL will delete are none of them.
CREATE FUNCTION hanzo_datastore.stray_months(relation regclass, now timestamptz)
RETURNS TABLE (month timestamp, stray_rows bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET timezone = 'UTC'
AS $$
DECLARE
	options record := hanzo_datastore.time_options(relation);
	default_partition regclass := (SELECT b.partition FROM hanzo_datastore.partition_bounds(relation) AS b WHERE b.is_default);
	from_time timestamp := coalesce((now AT TIME ZONE 'UTC') - options.ttl, '0001-01-01');
BEGIN
	IF default_partition IS NULL OR options.column_name IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format(
		'SELECT t.m, t.n
		 FROM (SELECT date_trunc(''month'', %1$I::timestamp) AS m, count(*) AS n FROM ONLY %2$s WHERE %3$s GROUP BY 1) AS t
		 WHERE NOT EXISTS (SELECT FROM hanzo_datastore.partition_bounds(%4$L) AS b
						   WHERE NOT b.is_default AND b.lower < t.m + interval ''1 month'' AND b.upper > t.m)
		 ORDER BY 1',
		options.column_name, default_partition,
		hanzo_datastore.time_condition(default_partition, options.column_name,
									   greatest(from_time, '0001-01-01'), '10000-01-01'),
		relation::oid);
END
$$;

COMMENT ON FUNCTION hanzo_datastore.stray_months(regclass, timestamptz) IS
	'Internal: months of which the default partition holds rows, and how many.';

CREATE FUNCTION hanzo_datastore.manage_partitions(
	relation regclass, column_name name DEFAULT NULL, ahead interval DEFAULT '3 months', now timestamptz DEFAULT now())
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	few_rows bigint := 100000;		-- that are moved in this call
	key_column name;
	options record;
	months integer;
	month timestamp;
	stray record;
	left_rows bigint := 0;
BEGIN
	PERFORM hanzo_datastore.check_owner(relation);
	key_column := hanzo_datastore.month_key(relation);
	IF column_name <> key_column THEN
		RAISE EXCEPTION 'table % is partitioned by column %, not by %', relation, quote_ident(key_column), quote_ident(column_name)
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave column_name out: months go by the partition key.';
	END IF;
	IF ahead IS NULL OR now IS NULL THEN
		RAISE EXCEPTION 'ahead and now must not be null'
			USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave a parameter out to get its default.';
	END IF;
	PERFORM hanzo_datastore.check_clock(now);
	PERFORM hanzo_datastore.check_interval('ahead', ahead);
	IF ahead > interval '5 years' THEN
		RAISE EXCEPTION 'ahead must not be more than 5 years, not %', ahead
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Later rows go to the default partition and get months of their own from there.';
	END IF;
	months := extract(year FROM ahead) * 12 + extract(month FROM ahead)
		+ ceil(extract(epoch FROM ahead - date_trunc('month', ahead)) / (30 * 86400));
	months := greatest(1, least(60, months));

	EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', relation);
	options := hanzo_datastore.time_options(relation);
	IF options.managed THEN
		RAISE EXCEPTION 'table % is managed already', relation
			USING ERRCODE = 'duplicate_object',
				DETAIL = format('Partitions are made for %s months ahead.', options.months_ahead),
				HINT = 'To change this call unmanage_partitions() first; partitions stay.';
	END IF;
	PERFORM hanzo_datastore.check_default(relation);
	PERFORM hanzo_datastore.set_time_options(relation, key_column, true, months, NULL);

	LOOP
		month := hanzo_datastore.missing_month(relation, months, now);
		EXIT WHEN month IS NULL;
		PERFORM hanzo_datastore.make_month(relation, month);
	END LOOP;
	PERFORM hanzo_datastore.make_default(relation);

	FOR stray IN SELECT * FROM hanzo_datastore.stray_months(relation, now) LOOP
		IF stray.stray_rows <= few_rows THEN
			PERFORM hanzo_datastore.make_month(relation, stray.month);
			few_rows := few_rows - stray.stray_rows;
		ELSE
			left_rows := left_rows + stray.stray_rows;
		END IF;
	END LOOP;
	IF left_rows > 0 THEN
		RAISE NOTICE '% rows in the default partition of table % are left for maintenance', left_rows, relation
			USING HINT = 'CALL hanzo_datastore.maintain() moves them, a month in a transaction.';
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.manage_partitions(regclass, name, interval, timestamptz) IS
	'Makes monthly partitions (UTC) of a table partitioned by range of a time, from the month of now to the interval ahead, and a default partition; maintain() keeps them ahead and moves rows of other months from the default partition to months of their own.';

-- What intervals of time cannot be: nothing, negative, or one that is both.
CREATE FUNCTION hanzo_datastore.check_interval(parameter text, value interval)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	months integer := extract(year FROM value) * 12 + extract(month FROM value);
	days integer := extract(day FROM value);
	seconds numeric := extract(hour FROM value) * 3600 + extract(minute FROM value) * 60 + extract(second FROM value);
BEGIN
	IF months < 0 OR days < 0 OR seconds < 0 OR (months = 0 AND days = 0 AND seconds = 0) THEN
		RAISE EXCEPTION '% must be a positive interval, not %', parameter, value
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Write, for instance, interval ''3 months''.';
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.check_interval(text, interval) IS 'Internal: an error unless all of the interval is positive.';

CREATE FUNCTION hanzo_datastore.check_clock(now timestamptz)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
	IF now < timestamptz '0001-01-01 00:00:00+00' OR now >= timestamptz '9990-01-01 00:00:00+00' THEN
		RAISE EXCEPTION 'now must be between the years 1 and 9989'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave it out to go by the clock.';
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.check_clock(timestamptz) IS 'Internal: an error unless months can be reckoned from this time.';

-- The default partition, if there is one, must be a plain table of the caller's that rows can be moved out of.
CREATE FUNCTION hanzo_datastore.check_default(relation regclass)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bad regclass;
BEGIN
	SELECT c.oid::regclass INTO bad
	FROM pg_partitioned_table AS p JOIN pg_class AS c ON c.oid = p.partdefid
	WHERE p.partrelid = relation AND NOT (c.relkind = 'r' AND pg_has_role(c.relowner, 'USAGE'));
	IF FOUND THEN
		RAISE EXCEPTION 'the default partition % of table % is not a plain table of the same owner', bad, relation
			USING ERRCODE = 'wrong_object_type', HINT = 'Detach it; manage_partitions() makes another one.';
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.check_default(regclass) IS 'Internal: an error unless rows can be moved out of the default partition.';

CREATE FUNCTION hanzo_datastore.unmanage_partitions(relation regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	options record;
BEGIN
	PERFORM hanzo_datastore.check_owner(relation);
	EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', relation);
	options := hanzo_datastore.time_options(relation);
	IF NOT options.managed THEN
		RAISE EXCEPTION 'table % is not managed', relation
			USING ERRCODE = 'undefined_object', HINT = 'The view hanzo_datastore.managed_tables shows those that are.';
	END IF;
	PERFORM hanzo_datastore.set_time_options(relation, NULL, false, NULL, NULL);
	IF options.ttl IS NOT NULL THEN
		RAISE NOTICE 'the TTL of table % was removed, too: %', relation, options.ttl;
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.unmanage_partitions(regclass) IS
	'Ends what manage_partitions() and set_ttl() began; the partitions stay as they are.';

CREATE VIEW hanzo_datastore.managed_tables WITH (security_barrier) AS
SELECT c.oid::pg_catalog.regclass AS relation, o.column_name, o.managed, o.months_ahead, o.ttl,
	   b.partitions, b.first_month, b.last_month, b.default_partition,
	   -- an estimate: what ANALYZE or VACUUM counted last; -1: never
	   (SELECT d.reltuples::bigint FROM pg_catalog.pg_class AS d WHERE d.oid OPERATOR(pg_catalog.=) b.default_partition) AS default_rows
FROM pg_catalog.pg_seclabel AS l
JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.objoid
CROSS JOIN LATERAL hanzo_datastore.time_options(c.oid::pg_catalog.regclass) AS o
CROSS JOIN LATERAL (
	SELECT pg_catalog.count(*) FILTER (WHERE NOT p.is_default) AS partitions,
		   pg_catalog.min(p.lower)::pg_catalog.date AS first_month,
		   pg_catalog.max(p.lower)::pg_catalog.date AS last_month,
		   (pg_catalog.max(p.partition::pg_catalog.oid) FILTER (WHERE p.is_default))::pg_catalog.regclass AS default_partition
	FROM hanzo_datastore.partition_bounds(c.oid::pg_catalog.regclass) AS p) AS b
WHERE l.provider OPERATOR(pg_catalog.=) 'hanzo_datastore' AND l.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
	AND l.objsubid OPERATOR(pg_catalog.=) 0 AND (o.managed OR o.ttl IS NOT NULL)
	AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_table_privilege(c.oid, 'SELECT')
		 OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'));

COMMENT ON VIEW hanzo_datastore.managed_tables IS
	'Tables whose months are managed or that have a TTL. default_rows: rows in the default partition as ANALYZE counted them last.';

GRANT SELECT ON hanzo_datastore.managed_tables TO PUBLIC;
