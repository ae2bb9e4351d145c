-- Rollups: views that answer at every moment what their grouping query would, most of it from stored states.
--
-- A rollup v is a view and two tables of its owner, which pg_dump dumps as what they are:
--   v         what is asked for,
--   v_states  rows of closed buckets as the last refresh found them, columns as the view's,
--   v_marks   times at which rows have come or gone since then, written by the writers' own transactions.
-- The view is made of three arms: stored buckets that nothing marks; marked ones, computed from the table; the open tail,
-- computed, too. src/rollup/ has the C half; src/README.md the argument.
--
-- The two tables below hold no secrets (which views are rollups, and how far), and are written by C functions that
-- check who owns what.

CREATE TABLE hanzo_datastore.rollup_catalog (
	states regclass PRIMARY KEY,
	marks regclass NOT NULL,
	view regclass NOT NULL,
	source regclass NOT NULL,
	source_view regclass,
	source_time smallint NOT NULL,
	source_time_name name NOT NULL,
	time_column smallint NOT NULL,
	months integer NOT NULL,
	width bigint NOT NULL,
	origin bigint NOT NULL,
	lag bigint NOT NULL,
	query text NOT NULL
) USING heap;

COMMENT ON TABLE hanzo_datastore.rollup_catalog IS 'Internal: the rollups; see the view rollups.';
COMMENT ON COLUMN hanzo_datastore.rollup_catalog.width IS 'microseconds of a bucket; 0: it is of months';

CREATE TABLE hanzo_datastore.rollup_progress (
	states regclass PRIMARY KEY,
	frozen_before timestamptz NOT NULL,
	live_from timestamptz NOT NULL,
	mark_before timestamptz NOT NULL,
	advance_xid xid8,
	system bigint NOT NULL,
	late_changes bigint NOT NULL
) USING heap;

COMMENT ON TABLE hanzo_datastore.rollup_progress IS 'Internal: how far the rollups are; see the view rollups.';

SELECT pg_catalog.pg_extension_config_dump('hanzo_datastore.rollup_catalog', '');
SELECT pg_catalog.pg_extension_config_dump('hanzo_datastore.rollup_progress', '');

GRANT SELECT ON hanzo_datastore.rollup_catalog, hanzo_datastore.rollup_progress TO PUBLIC;

-- Nothing of them is decoded (src/rollup/registry.h).
ALTER TABLE hanzo_datastore.rollup_catalog REPLICA IDENTITY NOTHING;
ALTER TABLE hanzo_datastore.rollup_progress REPLICA IDENTITY NOTHING;

-- A dump knows the time column by name only: dropped columns before it are not in it.
CREATE FUNCTION hanzo_datastore.rollup_tell(source regclass)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'hz_rollup_tell';

COMMENT ON FUNCTION hanzo_datastore.rollup_tell(regclass) IS
	'Internal to rollups: writers of a table look for its rollups again.';

CREATE FUNCTION hanzo_datastore.rollup_catalog_loaded()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.source_time := (SELECT a.attnum FROM pg_attribute AS a
						WHERE a.attrelid = NEW.source AND a.attname = NEW.source_time_name);
	PERFORM hanzo_datastore.rollup_tell(NEW.source);
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_catalog_loaded() IS
	'Internal: finds the time column of a rollup that a dump is restored to.';

CREATE TRIGGER loaded BEFORE INSERT ON hanzo_datastore.rollup_catalog
	FOR EACH ROW EXECUTE FUNCTION hanzo_datastore.rollup_catalog_loaded();

-- ---- What views of rollups call

CREATE FUNCTION hanzo_datastore.rollup_live_from(states regclass)
RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hz_rollup_live_from';

COMMENT ON FUNCTION hanzo_datastore.rollup_live_from(regclass) IS
	'Internal to rollups: from when on buckets are computed from the table.';

CREATE FUNCTION hanzo_datastore.rollup_stale(states regclass, marks regclass)
RETURNS tstzmultirange
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hz_rollup_stale';

COMMENT ON FUNCTION hanzo_datastore.rollup_stale(regclass, regclass) IS
	'Internal to rollups: the buckets before rollup_live_from() that are computed from the table.';

CREATE FUNCTION hanzo_datastore.rollup_stale_ranges(states regclass, marks regclass)
RETURNS TABLE (changed_from timestamptz, changed_to timestamptz)
LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 2
AS 'MODULE_PATHNAME', 'hz_rollup_stale_ranges';

COMMENT ON FUNCTION hanzo_datastore.rollup_stale_ranges(regclass, regclass) IS
	'Internal to rollups: the same, a row for each range.';

-- ---- Making and dropping

CREATE FUNCTION hanzo_datastore.rollup_describe(
	query text,
	hll text,
	tdigest text,
	OUT source regclass,
	OUT source_view regclass,
	OUT source_time smallint,
	OUT source_time_name text,
	OUT from_clause text,
	OUT time_name text,
	OUT time_type regtype,
	OUT condition text,
	OUT bucket integer,
	OUT months integer,
	OUT width bigint,
	OUT origin bigint,
	OUT names text[],
	OUT kinds text[],
	OUT expressions text[]
)
RETURNS record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'hz_rollup_describe';

COMMENT ON FUNCTION hanzo_datastore.rollup_describe(text, text, text) IS
	'Internal to create_rollup(): takes a query apart and checks it.';

CREATE FUNCTION hanzo_datastore.rollup_register(
	states regclass, marks regclass, view regclass, source regclass, source_view regclass, source_time smallint,
	time_column smallint, months integer, width bigint, origin bigint, lag bigint, query text
)
RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'hz_rollup_register_sql';

COMMENT ON FUNCTION hanzo_datastore.rollup_register(regclass, regclass, regclass, regclass, regclass, smallint, smallint, integer, bigint, bigint, bigint, text) IS
	'Internal to create_rollup().';

CREATE FUNCTION hanzo_datastore.rollup_unregister(states oid)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'hz_rollup_unregister_sql';

COMMENT ON FUNCTION hanzo_datastore.rollup_unregister(oid) IS
	'Internal to drop_rollup() and the event trigger hanzo_datastore_rollup_drop.';

-- The schema of an extension as it is written in front of its functions; NULL where it is not installed.
CREATE FUNCTION hanzo_datastore.rollup_sketch_schema(extension text)
RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT quote_ident(n.nspname)
FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = extension
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_sketch_schema(text) IS
	'Internal to create_rollup(): where hll and tdigest are.';

-- The query of a rollup with its columns in the order of `columns`, with a condition on its time: NULL
-- for none.
CREATE FUNCTION hanzo_datastore.rollup_arm(d record, columns integer[], bounds text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT format('SELECT %s FROM %s%s GROUP BY %s',
					  string_agg(format('%s AS %I', d.expressions[c.i], d.names[c.i]), ', ' ORDER BY c.n),
					  d.from_clause,
					  ' WHERE ' || nullif(concat_ws(' AND ', '(' || d.condition || ')', '(' || bounds || ')'), ''),
					  string_agg(c.n::text, ', ' ORDER BY c.n) FILTER (WHERE d.kinds[c.i] IN ('bucket', 'key')))
		FROM unnest(columns) WITH ORDINALITY AS c (i, n));
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_arm(record, integer[], text) IS
	'Internal to create_rollup(): the query of one arm of the view.';

-- The view's definition. columns: places in d of the view's columns, in their order.
CREATE FUNCTION hanzo_datastore.rollup_view_query(d record, columns integer[], states regclass, marks regclass)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	arguments text := format('(%L::pg_catalog.regclass, %L::pg_catalog.regclass)', states, marks);
	live_from text := format('hanzo_datastore.rollup_live_from(%L::pg_catalog.regclass)', states);
	bucket text := quote_ident(d.names[d.bucket]);
	time_name text := quote_ident(d.time_name);
	bucket_type regtype;
	-- a time as the time column has it
	cast_to text := CASE d.time_type WHEN 'timestamptz'::regtype THEN '%s'
									 WHEN 'timestamp'::regtype THEN '(%s AT TIME ZONE ''UTC'')'
									 ELSE '(%s AT TIME ZONE ''UTC'')::date' END;
	stored_columns text;
BEGIN
	SELECT a.atttypid INTO STRICT bucket_type
	FROM pg_attribute AS a WHERE a.attrelid = states AND a.attname = d.names[d.bucket];
	SELECT string_agg(format('s.%I', d.names[c.i]), ', ' ORDER BY c.n) INTO stored_columns
	FROM unnest(columns) WITH ORDINALITY AS c (i, n);

	RETURN format('SELECT %1$s FROM %2$s AS s WHERE %3$s OPERATOR(pg_catalog.<) (SELECT %5$s) AND NOT (%3$s OPERATOR(pg_catalog.<@) (SELECT %4$s))',
				  stored_columns, states,
				  CASE bucket_type WHEN 'timestamptz'::regtype THEN format('s.%s', bucket)
								   ELSE format('(s.%s AT TIME ZONE ''UTC'')', bucket) END, 'hanzo_datastore.rollup_stale' || arguments, live_from)
		|| format(' UNION ALL SELECT q.* FROM hanzo_datastore.rollup_stale_ranges%s AS "!stale" CROSS JOIN LATERAL (%s) AS q', arguments,
				  hanzo_datastore.rollup_arm(d, columns,
					  format('%s >= %s AND %s < %s', time_name, format(cast_to, '"!stale".changed_from'),
							 time_name, format(cast_to, '"!stale".changed_to'))))
		|| ' UNION ALL '
		|| hanzo_datastore.rollup_arm(d, columns,
			   format('%1$s >= %2$s OR %1$s IS NULL OR %1$s = ''-infinity''', time_name, format(cast_to, live_from)));
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_view_query(record, integer[], regclass, regclass) IS
	'Internal to create_rollup(): the definition of the view.';

-- Nobody but their owner has rights on states and marks, whatever default privileges say.
CREATE FUNCTION hanzo_datastore.rollup_revoke(relation regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grantee text;
BEGIN
	FOR grantee IN
		SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
		FROM pg_class AS c, aclexplode(c.relacl) AS a
		WHERE c.oid = relation AND a.grantee <> c.relowner
	LOOP
		EXECUTE format('REVOKE ALL ON %s FROM %s', relation, grantee);
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_revoke(regclass) IS
	'Internal to create_rollup(): takes rights on a table away.';

-- Indexes of stored states: by bucket, and by leading keys and bucket. Keys of variable length stay out, an index has no
-- room for the longest.
CREATE FUNCTION hanzo_datastore.rollup_indexes(d record, states regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	keys text;
BEGIN
	EXECUTE format('CREATE INDEX ON %s (%I)', states, d.names[d.bucket]);
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO keys
	FROM pg_attribute AS a
	WHERE a.attrelid = states AND a.attlen > 0
		AND d.kinds[array_position(d.names, a.attname::text)] = 'key'
		AND EXISTS (SELECT FROM pg_opclass AS o JOIN pg_am AS m ON m.oid = o.opcmethod
					WHERE m.amname = 'btree' AND o.opcdefault AND o.opcintype = a.atttypid);
	IF keys IS NOT NULL THEN
		EXECUTE format('CREATE INDEX ON %s (%s, %I)', states, keys, d.names[d.bucket]);
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_indexes(record, regclass) IS
	'Internal to create_rollup(): indexes of stored states.';

-- With names resolved. d is what rollup_describe() says of query.
CREATE FUNCTION hanzo_datastore.rollup_create(schema_name text, view_name text, query text, lag interval, d record)
RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	qualified text := format('%I.%I', schema_name, view_name);
	states text := format('%I.%I', schema_name, view_name || '_states');
	marks text := format('%I.%I', schema_name, view_name || '_marks');
	columns integer[] := array_agg(i) FROM generate_subscripts(d.names, 1) AS i;
BEGIN
	EXECUTE format('CREATE TABLE %s USING heap AS %s WITH NO DATA', states, hanzo_datastore.rollup_arm(d, columns, NULL));
	EXECUTE format('CREATE TABLE %s (changed_from timestamptz NOT NULL, changed_to timestamptz NOT NULL) USING heap', marks);
	EXECUTE format('ALTER TABLE %s REPLICA IDENTITY NOTHING', states);
	EXECUTE format('ALTER TABLE %s REPLICA IDENTITY NOTHING', marks);
	PERFORM hanzo_datastore.rollup_indexes(d, states::regclass);
	EXECUTE format('COMMENT ON TABLE %s IS %L', states, 'Stored states of rollup ' || qualified || '. Not to be changed.');
	EXECUTE format('COMMENT ON TABLE %s IS %L', marks, 'What is stale in rollup ' || qualified || '. Not to be changed.');
	EXECUTE format('CREATE VIEW %s AS %s', qualified,
				   hanzo_datastore.rollup_view_query(d, columns, states::regclass, marks::regclass));
	EXECUTE format('COMMENT ON VIEW %s IS %L', qualified, 'Rollup: ' || query);
	PERFORM hanzo_datastore.rollup_revoke(states::regclass);
	PERFORM hanzo_datastore.rollup_revoke(marks::regclass);
	PERFORM hanzo_datastore.rollup_register(
		states::regclass, marks::regclass, qualified::regclass, d.source, d.source_view, d.source_time, d.bucket::smallint,
		d.months, d.width, d.origin, (extract(epoch FROM lag) * 1000000)::bigint, query);
	PERFORM hanzo_datastore.rollup_sync_triggers(ARRAY[d.source::oid]);
	RETURN qualified::regclass;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_create(text, text, text, interval, record) IS
	'Internal to create_rollup(): creates its objects.';

-- No SET: names in the query mean what they mean to the caller.
CREATE FUNCTION hanzo_datastore.create_rollup(name text, query text, lag interval DEFAULT '10 minutes')
RETURNS regclass
LANGUAGE plpgsql
AS $$
DECLARE
	parts text[];
	schema_name text;
	view_name text;
	d record;
BEGIN
	IF name IS NULL OR query IS NULL OR lag IS NULL THEN
		RAISE EXCEPTION 'name, query and lag of a rollup must not be NULL'
			USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave lag out to get its default.';
	END IF;
	IF lag OPERATOR(pg_catalog.<) interval '0' OR lag OPERATOR(pg_catalog.>) interval '366 days' THEN
		RAISE EXCEPTION 'lag must be between 0 and a year, not %', lag
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It is how long after its end a bucket is still computed from the table.';
	END IF;
	parts := pg_catalog.parse_ident(name);
	IF pg_catalog.cardinality(parts) OPERATOR(pg_catalog.>) 2 THEN
		RAISE EXCEPTION 'invalid name of a rollup: %', name
			USING ERRCODE = 'invalid_name', HINT = 'Pass name or schema.name.';
	END IF;
	view_name := parts[pg_catalog.cardinality(parts)];
	schema_name := CASE pg_catalog.cardinality(parts) WHEN 2 THEN parts[1] ELSE pg_catalog.current_schema()::pg_catalog.text END;
	IF schema_name IS NULL THEN
		RAISE EXCEPTION 'no schema has been selected to create the rollup in'
			USING ERRCODE = 'invalid_schema_name', HINT = 'Pass schema.name.';
	END IF;
	IF pg_catalog.octet_length(view_name) OPERATOR(pg_catalog.>) 56 THEN
		RAISE EXCEPTION 'name of a rollup is too long: %', view_name
			USING ERRCODE = 'name_too_long', HINT = 'It has 56 bytes at most, for the names of its tables are made from it.';
	END IF;
	d := hanzo_datastore.rollup_describe(query, hanzo_datastore.rollup_sketch_schema('hll'),
										 hanzo_datastore.rollup_sketch_schema('tdigest'));
	RETURN hanzo_datastore.rollup_create(schema_name, view_name, query, lag, d);
END
$$;

COMMENT ON FUNCTION hanzo_datastore.create_rollup(text, text, interval) IS
	'Creates a view that always answers as its grouping query would, from stored states of closed time buckets. lag: how long after its end a bucket is computed from the table at least.';

CREATE FUNCTION hanzo_datastore.drop_rollup(rollup regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM hanzo_datastore.rollup_catalog AS c WHERE c.view = rollup;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is not a rollup', rollup
			USING ERRCODE = 'undefined_object', HINT = 'See hanzo_datastore.rollups.';
	END IF;
	PERFORM hanzo_datastore.rollup_unregister(r.states);
	EXECUTE format('DROP VIEW %s', r.view);
	EXECUTE format('DROP TABLE %s, %s', r.states, r.marks);
	PERFORM hanzo_datastore.rollup_sync_triggers(ARRAY[r.source::oid]);
END
$$;

COMMENT ON FUNCTION hanzo_datastore.drop_rollup(regclass) IS
	'Drops a rollup: the view with its stored states and marks.';

-- ---- Tables that are not columnar, and what commands do to tables

CREATE FUNCTION hanzo_datastore.rollup_trigger()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'hz_rollup_trigger';

COMMENT ON FUNCTION hanzo_datastore.rollup_trigger() IS
	'Internal to rollups: tells them of changes of tables that are not columnar.';

-- The tables whose rows a table's are: itself, or its partitions and children.
CREATE FUNCTION hanzo_datastore.rollup_leaves(source regclass)
RETURNS TABLE (leaf regclass, columnar boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE tree AS (
	SELECT source::oid AS relid
	UNION
	SELECT i.inhrelid FROM tree AS t JOIN pg_inherits AS i ON i.inhparent = t.relid
)
SELECT c.oid::regclass, c.relam = (SELECT a.oid FROM pg_am AS a WHERE a.amname = 'hanzo_columnar')
FROM tree AS t JOIN pg_class AS c ON c.oid = t.relid
WHERE c.relkind = 'r'
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_leaves(regclass) IS
	'Internal to rollups: the tables that hold the rows of a table.';

-- Names of the triggers: the first of a table's triggers to fire, and with its OID, so that those which a dump makes are not in
-- the way.
CREATE FUNCTION hanzo_datastore.rollup_trigger_name(leaf regclass, what text)
RETURNS name
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('!hanzo_rollup_%s_%s', what, leaf::oid)::name $$;

COMMENT ON FUNCTION hanzo_datastore.rollup_trigger_name(regclass, text) IS
	'Internal to rollups: name of a trigger of a table that is not columnar.';

-- Makes the triggers of the caller's tables among these and what belongs to them where they are needed, and drops others.
CREATE FUNCTION hanzo_datastore.rollup_sync_triggers(relations oid[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	item record;
BEGIN
	FOR item IN
		WITH leaves AS (
			SELECT DISTINCT l.leaf
			FROM unnest(relations) AS r (relid) JOIN pg_class AS c ON c.oid = r.relid
			CROSS JOIN LATERAL hanzo_datastore.rollup_leaves(c.oid) AS l
			JOIN pg_class AS k ON k.oid = l.leaf
			WHERE pg_has_role(k.relowner, 'USAGE')
		), needed AS (
			SELECT DISTINCT l.leaf
			FROM hanzo_datastore.rollup_catalog AS c
			JOIN pg_class AS s ON s.oid = c.source
			CROSS JOIN LATERAL hanzo_datastore.rollup_leaves(c.source) AS l
			WHERE NOT l.columnar
		), wanted AS (
			SELECT n.leaf, hanzo_datastore.rollup_trigger_name(n.leaf, w.what) AS name, w.what
			FROM needed AS n CROSS JOIN (VALUES ('row'), ('truncate')) AS w (what)
			WHERE n.leaf IN (SELECT l.leaf FROM leaves AS l)
		), present AS (
			SELECT t.tgrelid::regclass AS leaf, t.tgname AS name, t.tgenabled
			FROM pg_trigger AS t
			WHERE t.tgfoid = 'hanzo_datastore.rollup_trigger()'::regprocedure AND NOT t.tgisinternal
				AND t.tgrelid::regclass IN (SELECT l.leaf FROM leaves AS l)
		)
		SELECT coalesce(w.leaf, p.leaf) AS leaf, coalesce(w.name, p.name) AS name, w.what
		FROM wanted AS w FULL JOIN present AS p ON p.leaf = w.leaf AND p.name = w.name
		WHERE w.name IS NULL OR p.name IS NULL OR p.tgenabled <> 'A'
	LOOP
		CASE item.what
			WHEN 'row' THEN
				EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION hanzo_datastore.rollup_trigger()',
							   item.name, item.leaf);
			WHEN 'truncate' THEN
				EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION hanzo_datastore.rollup_trigger()',
							   item.name, item.leaf);
			ELSE
				EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', item.name, item.leaf);
				CONTINUE;
		END CASE;
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', item.leaf, item.name);
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_sync_triggers(oid[]) IS
	'Internal to rollups: makes the triggers of tables that are not columnar.';

CREATE FUNCTION hanzo_datastore.rollup_sync_name(states regclass)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'hz_rollup_sync_name';

COMMENT ON FUNCTION hanzo_datastore.rollup_sync_name(regclass) IS
	'Internal to rollups: notes the present name of the time column.';

-- After tables have changed: a time column may have another name, partitions other storage. Only what the command has changed is
-- looked at, and only what the caller owns: nobody's rollup is in the way of another's tables.
CREATE FUNCTION hanzo_datastore.rollup_tables_changed()
RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relations oid[];
	r record;
BEGIN
	IF NOT EXISTS (SELECT FROM hanzo_datastore.rollup_catalog) THEN
		RETURN;
	END IF;
	SELECT array_agg(DISTINCT d.objid) INTO relations
	FROM pg_event_trigger_ddl_commands() AS d JOIN pg_class AS c ON c.oid = d.objid
	WHERE d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p');

	FOR r IN
		SELECT c.states, c.source
		FROM hanzo_datastore.rollup_catalog AS c JOIN pg_class AS s ON s.oid = c.source
		WHERE pg_has_role(s.relowner, 'USAGE')
			AND NOT EXISTS (SELECT FROM pg_attribute AS a
							WHERE a.attrelid = c.source AND a.attnum = c.source_time AND a.attname = c.source_time_name)
	LOOP
		PERFORM hanzo_datastore.rollup_sync_name(r.states);
	END LOOP;
	IF relations IS NULL THEN
		RETURN;
	END IF;

	SELECT l.leaf INTO r
	FROM hanzo_datastore.rollup_catalog AS c JOIN pg_class AS s ON s.oid = c.source
	CROSS JOIN LATERAL hanzo_datastore.rollup_leaves(c.source) AS l JOIN pg_class AS k ON k.oid = l.leaf
	WHERE k.relpersistence <> 'p' AND l.leaf::oid = ANY (relations)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '% belongs to a table with rollups', r.leaf
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'Rows of unlogged and temporary tables vanish unnoticed.',
				HINT = 'Leave the table LOGGED, or drop the rollups first: see hanzo_datastore.rollups.';
	END IF;
	PERFORM hanzo_datastore.rollup_sync_triggers(relations);
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_tables_changed() IS
	'Internal to rollups: called after ALTER TABLE, CREATE TABLE and the like.';

CREATE EVENT TRIGGER hanzo_datastore_rollup_tables ON ddl_command_end
	WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'CREATE SCHEMA', 'ALTER TYPE')
	EXECUTE FUNCTION hanzo_datastore.rollup_tables_changed();

ALTER EVENT TRIGGER hanzo_datastore_rollup_tables ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER hanzo_datastore_rollup_tables IS
	'Internal: triggers of rollups on partitions that are not columnar.';

-- What is left of a rollup of which something was dropped goes, too.
CREATE FUNCTION hanzo_datastore.rollup_dropped()
RETURNS event_trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
	item record;
BEGIN
	FOR r IN
		SELECT c.states::oid, c.marks::oid, c.view::oid, c.source::oid FROM hanzo_datastore.rollup_catalog AS c
		WHERE EXISTS (SELECT FROM pg_event_trigger_dropped_objects() AS d
					  WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
						  AND d.objid IN (c.states, c.marks, c.view, c.source))
	LOOP
		PERFORM hanzo_datastore.rollup_unregister(r.states);
		FOR item IN
			SELECT format('DROP %s %I.%I', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, n.nspname, c.relname) AS command
			FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
			WHERE c.oid IN (r.states, r.marks, r.view)
			ORDER BY c.relkind DESC
		LOOP
			EXECUTE item.command;
		END LOOP;
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_dropped() IS
	'Internal to rollups: called when something was dropped.';

CREATE EVENT TRIGGER hanzo_datastore_rollup_dropped ON sql_drop
	EXECUTE FUNCTION hanzo_datastore.rollup_dropped();

ALTER EVENT TRIGGER hanzo_datastore_rollup_dropped ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER hanzo_datastore_rollup_dropped IS
	'Internal: what belongs to a rollup goes with it.';

-- ---- Changing

-- No SET: names in the query mean what they mean to the caller.
CREATE FUNCTION hanzo_datastore.alter_rollup(rollup regclass, query text)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	d record;
BEGIN
	IF query IS NULL THEN
		RAISE EXCEPTION 'the query of a rollup must not be NULL'
			USING ERRCODE = 'null_value_not_allowed', HINT = 'Pass the present query with further aggregates.';
	END IF;
	d := hanzo_datastore.rollup_describe(query, hanzo_datastore.rollup_sketch_schema('hll'),
										 hanzo_datastore.rollup_sketch_schema('tdigest'));
	PERFORM hanzo_datastore.rollup_extend(rollup, query, d);
END
$$;

COMMENT ON FUNCTION hanzo_datastore.alter_rollup(regclass, text) IS
	'Adds aggregates to a rollup: the query is its present one with more of them. History whose rows TTL has removed stays, with NULL in the new columns.';

CREATE FUNCTION hanzo_datastore.rollup_extend(rollup regclass, query text, d record)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
	present text[];
	columns integer[];
	added integer[];
	i integer;
BEGIN
	SELECT * INTO r FROM hanzo_datastore.rollup_catalog AS c WHERE c.view = rollup;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is not a rollup', rollup
			USING ERRCODE = 'undefined_object', HINT = 'See hanzo_datastore.rollups.';
	END IF;
	SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO present
	FROM pg_attribute AS a WHERE a.attrelid = rollup AND a.attnum > 0;
	SELECT array_agg(array_position(d.names, p.name) ORDER BY p.n) INTO columns
	FROM unnest(present) WITH ORDINALITY AS p (name, n);
	IF d.source <> r.source OR d.source_view IS DISTINCT FROM r.source_view OR d.source_time <> r.source_time
		OR (d.months, d.width, d.origin) IS DISTINCT FROM (r.months, r.width, r.origin)
		OR array_position(columns, NULL) IS NOT NULL OR columns[r.time_column] <> d.bucket THEN
		RAISE EXCEPTION 'the query is not that of % with further aggregates', rollup
			USING ERRCODE = 'feature_not_supported',
				DETAIL = format('Present query: %s', r.query),
				HINT = 'Keep its table, bucket, keys, conditions and columns; or drop the rollup and make it anew.';
	END IF;
	SELECT array_agg(g ORDER BY g) INTO added
	FROM generate_subscripts(d.names, 1) AS g WHERE NOT d.names[g] = ANY (present);
	IF EXISTS (SELECT FROM unnest(added) AS a WHERE d.kinds[a] IN ('key', 'bucket')) THEN
		RAISE EXCEPTION 'a rollup cannot get further keys'
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Make another rollup with them.';
	END IF;
	-- What stays must mean the same: compared as the view's own words.
	EXECUTE format('CREATE OR REPLACE TEMPORARY VIEW hanzo_rollup_check AS %s',
				   hanzo_datastore.rollup_view_query(d, columns, r.states, r.marks));
	IF pg_get_viewdef('pg_temp.hanzo_rollup_check'::regclass) <> pg_get_viewdef(rollup) THEN
		DROP VIEW pg_temp.hanzo_rollup_check;
		RAISE EXCEPTION 'the query is not that of % with further aggregates', rollup
			USING ERRCODE = 'feature_not_supported',
				DETAIL = format('Present query: %s', r.query),
				HINT = 'Keep its table, bucket, keys, conditions and columns; or drop the rollup and make it anew.';
	END IF;
	DROP VIEW pg_temp.hanzo_rollup_check;
	IF added IS NULL THEN
		RETURN;
	END IF;

	EXECUTE format('CREATE TEMPORARY VIEW hanzo_rollup_added AS %s', hanzo_datastore.rollup_arm(d, columns || added, NULL));
	FOREACH i IN ARRAY added LOOP
		EXECUTE (SELECT format('ALTER TABLE %s ADD COLUMN %I %s', r.states, a.attname, format_type(a.atttypid, a.atttypmod))
				 FROM pg_attribute AS a
				 WHERE a.attrelid = 'pg_temp.hanzo_rollup_added'::regclass AND a.attname = d.names[i]);
	END LOOP;
	DROP VIEW pg_temp.hanzo_rollup_added;
	EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', rollup,
				   hanzo_datastore.rollup_view_query(d, columns || added, r.states, r.marks));
	EXECUTE format('COMMENT ON VIEW %s IS %L', rollup, 'Rollup: ' || query);
	PERFORM hanzo_datastore.rollup_requery(r.states, query);
END
$$;

COMMENT ON FUNCTION hanzo_datastore.rollup_extend(regclass, text, record) IS
	'Internal to alter_rollup().';

CREATE FUNCTION hanzo_datastore.rollup_requery(states regclass, query text)
RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'hz_rollup_requery';

COMMENT ON FUNCTION hanzo_datastore.rollup_requery(regclass, text) IS
	'Internal to alter_rollup(): notes the new query; all that is not frozen is stale.';

-- ---- Keeping up to date

CREATE FUNCTION hanzo_datastore.refresh_rollup_step(
	states regclass,
	now timestamptz DEFAULT now(),
	milliseconds bigint DEFAULT 5000,
	OUT rows_stored bigint,
	OUT live_from timestamptz,
	OUT more boolean
)
RETURNS record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'hz_rollup_refresh';

COMMENT ON FUNCTION hanzo_datastore.refresh_rollup_step(regclass, timestamptz, bigint) IS
	'Internal to refresh_rollup() and maintain(): one step in the caller''s transaction.';

-- No SET and no EXCEPTION: the procedure commits.
CREATE PROCEDURE hanzo_datastore.refresh_rollup(rollup regclass, now timestamptz DEFAULT now())
LANGUAGE plpgsql
AS $$
DECLARE
	rollup_states pg_catalog.regclass;
	more boolean := true;
BEGIN
	SELECT c.states INTO rollup_states FROM hanzo_datastore.rollup_catalog AS c WHERE c.view OPERATOR(pg_catalog.=) rollup;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% is not a rollup', rollup
			USING ERRCODE = 'undefined_object', HINT = 'See hanzo_datastore.rollups.';
	END IF;
	WHILE more LOOP
		SELECT s.more INTO more FROM hanzo_datastore.refresh_rollup_step(rollup_states, now) AS s;
		COMMIT;
	END LOOP;
END
$$;

COMMENT ON PROCEDURE hanzo_datastore.refresh_rollup(regclass, timestamptz) IS
	'Stores what a rollup has to compute from the table now, in transactions of some seconds each.';

CREATE FUNCTION hanzo_datastore.rollup_stale_count(states regclass)
RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hz_rollup_stale_count';

COMMENT ON FUNCTION hanzo_datastore.rollup_stale_count(regclass) IS
	'Internal: how many ranges of time a rollup computes anew; NULL where its tables are not what they were.';

CREATE VIEW hanzo_datastore.rollups AS
SELECT c.view AS rollup, c.source, c.source_view,
	   CASE WHEN c.months OPERATOR(pg_catalog.>) 0 THEN pg_catalog.make_interval(months => c.months)
			ELSE pg_catalog.make_interval(secs => c.width / 1000000.0) END AS bucket,
	   pg_catalog.make_interval(secs => c.lag / 1000000.0) AS lag,
	   p.frozen_before, p.live_from, p.late_changes,
	   hanzo_datastore.rollup_stale_count(c.states) AS stale_ranges,
	   pg_catalog.pg_total_relation_size(c.states) AS bytes, c.query
FROM hanzo_datastore.rollup_catalog AS c
JOIN hanzo_datastore.rollup_progress AS p ON p.states OPERATOR(pg_catalog.=) c.states
WHERE pg_catalog.has_table_privilege(c.view, 'SELECT');

COMMENT ON VIEW hanzo_datastore.rollups IS
	'Rollups that the caller may read: buckets from live_from on are computed from the table, and so are stale_ranges before it. History before frozen_before is kept as it is; late_changes counts what was written there since.';

GRANT SELECT ON hanzo_datastore.rollups TO PUBLIC;
