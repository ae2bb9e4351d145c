-- The Hanzo schema: create_hanzo_schema() and the functions it is made of.
--
-- The tables are data: hanzo_schema_tables() holds one row for each, hanzo_schema_privileges() one row for
-- each right of each role. The other functions only bring the database up to those two lists, so a second call
-- finds nothing to do and a call on half a schema adds the other half. What exists is never altered: columns,
-- indexes, options and comments belong to whoever owns the table. Only rights and default privileges that are
-- missing are given again.
--
-- Everything runs with the caller's rights and the caller owns what it creates, so that pg_dump dumps it. A
-- table that belongs to somebody else is refused, even to a superuser: its new partitions would get another
-- owner than itself, and creating them would run the other's partition expressions with the caller's rights.
--
-- Concurrent calls: the schema is locked (see hanzo_schema_open), so the second waits and then finds it all there.

-- NOT NULL without a default is what the Hanzo schema says, with these exceptions, where a known client leaves the
-- column out and counts on ClickHouse, which then stores the type's empty value. They stay NOT NULL
-- and get that value as their default:
--   ai_traces.name; ai_observations.trace_id, name, level; ai_scores.trace_id, value, data_type
--     (the console's records declare them optional: a score by category has no value, for one),
--   event_properties.url_path, event_name; session_properties.distinct_id (optional in the analytics' records).
-- An explicit NULL is still refused.
--
-- The lists of values in the Hanzo schema describe what the products send today. A CHECK would make the next value
-- an outage, so only projects.type, which the products branch on, has one.
--
-- Sort keys: an hour or a day is date_bin from an origin in UTC, which is immutable; date_trunc depends on the
-- session's time zone.
CREATE FUNCTION hanzo_datastore.hanzo_schema_tables()
RETURNS TABLE (
	table_name name,		-- in schema hanzo
	access_method name,		-- of the table, or of its partitions
	month_column name,		-- RANGE partitioned by this column, months managed; NULL: not partitioned
	ttl interval,			-- rows that are older go; NULL: kept for ever
	order_by text,			-- sort key of a columnar table
	bloom text[],			-- columns with a bloom filter
	zstd3 text[],			-- columns that are ZSTD level 3 whatever the table's codec is
	indexes text[],			-- column lists of indexes besides the primary key
	comment text,
	columns text			-- columns and constraints
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $tables$
VALUES
('organizations'::name, 'heap'::name, NULL::name, NULL::interval, NULL::text, NULL::text[], NULL::text[], array['slug'],
 'Organizations: the customers that own projects.', $$
	id uuid NOT NULL,
	name text NOT NULL,
	slug text NOT NULL,
	created_at timestamptz(3) NOT NULL DEFAULT now(),
	updated_at timestamptz(3) NOT NULL DEFAULT now(),
	settings jsonb NOT NULL DEFAULT '{}',
	PRIMARY KEY (id)
$$),

('projects', 'heap', NULL, NULL, NULL, NULL, NULL, array['organization_id, slug', 'slug'],
 'Projects of the organizations: websites, APIs, apps and bases.', $$
	id uuid NOT NULL,
	organization_id uuid NOT NULL,
	name text NOT NULL,
	slug text NOT NULL,
	type text NOT NULL CHECK (type IN ('website', 'api', 'app', 'base')),
	created_at timestamptz(3) NOT NULL DEFAULT now(),
	updated_at timestamptz(3) NOT NULL DEFAULT now(),
	settings jsonb NOT NULL DEFAULT '{}',
	PRIMARY KEY (id)
$$),

('model_catalog', 'heap', NULL, NULL, NULL, NULL, NULL, NULL,
 'Language models with their prices per million tokens and their limits.', $$
	id text NOT NULL,
	provider text NOT NULL,
	model_name text NOT NULL,
	display_name text NOT NULL,
	input_price numeric(18,12) NOT NULL,
	output_price numeric(18,12) NOT NULL,
	context_window integer NOT NULL,
	max_output integer NOT NULL,
	supports_vision boolean NOT NULL DEFAULT false,
	supports_function_calling boolean NOT NULL DEFAULT false,
	updated_at timestamptz(3) NOT NULL DEFAULT now(),
	PRIMARY KEY (provider, id)
$$),

('website_events', 'hanzo_columnar', 'created_at', NULL,
 $$project_id, date_bin('1 hour', created_at, timestamptz '2000-01-01 00:00:00+00'), session_id, created_at$$,
 array['event_id'], NULL, NULL,
 'Page views (event_type 1) and custom events (2) of websites, by month of created_at.', $$
	project_id uuid NOT NULL,
	session_id uuid NOT NULL,
	visit_id uuid NOT NULL,
	event_id uuid NOT NULL,
	hostname text NOT NULL DEFAULT '',
	browser text NOT NULL DEFAULT '',
	os text NOT NULL DEFAULT '',
	device text NOT NULL DEFAULT '',
	screen text NOT NULL DEFAULT '',
	language text NOT NULL DEFAULT '',
	country text NOT NULL DEFAULT '',
	region text NOT NULL DEFAULT '',
	city text NOT NULL DEFAULT '',
	url_path text NOT NULL DEFAULT '',
	url_query text NOT NULL DEFAULT '',
	page_title text NOT NULL DEFAULT '',
	referrer_path text NOT NULL DEFAULT '',
	referrer_query text NOT NULL DEFAULT '',
	referrer_domain text NOT NULL DEFAULT '',
	utm_source text NOT NULL DEFAULT '',
	utm_medium text NOT NULL DEFAULT '',
	utm_campaign text NOT NULL DEFAULT '',
	utm_content text NOT NULL DEFAULT '',
	utm_term text NOT NULL DEFAULT '',
	gclid text NOT NULL DEFAULT '',
	fbclid text NOT NULL DEFAULT '',
	msclkid text NOT NULL DEFAULT '',
	ttclid text NOT NULL DEFAULT '',
	li_fat_id text NOT NULL DEFAULT '',
	twclid text NOT NULL DEFAULT '',
	event_type integer NOT NULL,
	event_name text NOT NULL DEFAULT '',
	tag text NOT NULL DEFAULT '',
	distinct_id text NOT NULL DEFAULT '',
	created_at timestamptz(3) NOT NULL DEFAULT now()
$$),

('event_properties', 'hanzo_columnar', 'created_at', NULL,
 'project_id, event_id, property_key, created_at',
 NULL, NULL, NULL,
 'Properties of website events, one row each: data_type 1 string, 2 number, 3 date.', $$
	project_id uuid NOT NULL,
	session_id uuid NOT NULL,
	event_id uuid NOT NULL,
	url_path text NOT NULL DEFAULT '',
	event_name text NOT NULL DEFAULT '',
	property_key text NOT NULL,
	string_value text,
	number_value numeric(18,4),
	date_value timestamptz(3),
	data_type integer NOT NULL,
	created_at timestamptz(3) NOT NULL DEFAULT now()
$$),

('session_properties', 'hanzo_columnar', NULL, NULL,
 'project_id, session_id, property_key',
 NULL, NULL, NULL,
 'Properties of sessions, one row each; the newest value replaces the older by ON CONFLICT.', $$
	project_id uuid NOT NULL,
	session_id uuid NOT NULL,
	property_key text NOT NULL,
	string_value text,
	number_value numeric(18,4),
	date_value timestamptz(3),
	data_type integer NOT NULL,
	distinct_id text NOT NULL DEFAULT '',
	created_at timestamptz(3) NOT NULL DEFAULT now(),
	PRIMARY KEY (project_id, session_id, property_key)
$$),

('ai_traces', 'hanzo_columnar', 'timestamp', NULL,
 $$project_id, date_bin('1 day', "timestamp", timestamptz '2000-01-01 00:00:00+00'), id$$,
 array['id', 'user_id', 'session_id'], array['input', 'output'], NULL,
 'Traces of AI requests, by month of timestamp; upserted, the newest event_ts wins.', $$
	id text NOT NULL,
	project_id uuid NOT NULL,
	"timestamp" timestamptz(3) NOT NULL,
	name text NOT NULL DEFAULT '',
	user_id text,
	session_id text,
	metadata jsonb NOT NULL DEFAULT '{}',
	release text,
	version text,
	public boolean NOT NULL DEFAULT false,
	bookmarked boolean NOT NULL DEFAULT false,
	tags text[] NOT NULL DEFAULT '{}',
	input text,
	output text,
	total_cost numeric(18,12),
	latency_ms bigint,
	created_at timestamptz(3) NOT NULL DEFAULT now(),
	updated_at timestamptz(3) NOT NULL DEFAULT now(),
	event_ts timestamptz(3) NOT NULL DEFAULT now(),
	is_deleted boolean NOT NULL DEFAULT false,
	PRIMARY KEY (project_id, id, "timestamp")
$$),

('ai_observations', 'hanzo_columnar', 'start_time', NULL,
 $$project_id, type, date_bin('1 day', start_time, timestamptz '2000-01-01 00:00:00+00'), id$$,
 array['id', 'trace_id'], array['input', 'output'], NULL,
 'Generations, spans and events inside traces, by month of start_time; upserted, the newest event_ts wins.', $$
	id text NOT NULL,
	trace_id text NOT NULL DEFAULT '',
	project_id uuid NOT NULL,
	type text NOT NULL,
	parent_observation_id text,
	start_time timestamptz(3) NOT NULL,
	end_time timestamptz(3),
	name text NOT NULL DEFAULT '',
	metadata jsonb NOT NULL DEFAULT '{}',
	level text NOT NULL DEFAULT '',
	status_message text,
	version text,
	input text,
	output text,
	model_name text,
	model_id text,
	model_parameters text,
	prompt_tokens bigint,
	completion_tokens bigint,
	total_tokens bigint,
	usage_details jsonb NOT NULL DEFAULT '{}',
	cost_details jsonb NOT NULL DEFAULT '{}',
	total_cost numeric(18,12),
	completion_start_time timestamptz(3),
	latency_ms bigint,
	time_to_first_token_ms bigint,
	prompt_id text,
	prompt_name text,
	prompt_version integer,
	created_at timestamptz(3) NOT NULL DEFAULT now(),
	updated_at timestamptz(3) NOT NULL DEFAULT now(),
	event_ts timestamptz(3) NOT NULL DEFAULT now(),
	is_deleted boolean NOT NULL DEFAULT false,
	PRIMARY KEY (project_id, id, start_time)
$$),

('ai_scores', 'hanzo_columnar', 'created_at', NULL,
 $$project_id, name, date_bin('1 day', created_at, timestamptz '2000-01-01 00:00:00+00'), id$$,
 array['trace_id'], NULL, NULL,
 'Scores of traces and observations, by month of created_at; upserted, the newest event_ts wins.', $$
	id text NOT NULL,
	project_id uuid NOT NULL,
	trace_id text NOT NULL DEFAULT '',
	observation_id text,
	name text NOT NULL,
	value numeric(18,6) NOT NULL DEFAULT 0,
	string_value text,
	source text NOT NULL,
	comment text,
	data_type text NOT NULL DEFAULT '',
	config_id text,
	created_at timestamptz(3) NOT NULL DEFAULT now(),
	updated_at timestamptz(3) NOT NULL DEFAULT now(),
	event_ts timestamptz(3) NOT NULL DEFAULT now(),
	is_deleted boolean NOT NULL DEFAULT false,
	PRIMARY KEY (project_id, id, created_at)
$$),

('business_events', 'hanzo_columnar', 'created_at', NULL,
 $$project_id, event_type, date_bin('1 hour', created_at, timestamptz '2000-01-01 00:00:00+00'), created_at$$,
 array['user_id', 'product_id'], NULL, NULL,
 'Purchases, sign-ups, subscriptions and other events with revenue, by month of created_at.', $$
	id uuid NOT NULL DEFAULT gen_random_uuid(),
	project_id uuid NOT NULL,
	organization_id uuid NOT NULL,
	event_type text NOT NULL,
	event_name text NOT NULL,
	user_id text,
	session_id uuid,
	revenue numeric(18,4),
	currency text NOT NULL DEFAULT 'USD',
	quantity integer,
	source text NOT NULL,
	channel text NOT NULL,
	product_id text,
	product_name text,
	properties jsonb NOT NULL DEFAULT '{}',
	created_at timestamptz(3) NOT NULL DEFAULT now()
$$),

('api_metrics', 'hanzo_columnar', 'timestamp', NULL,
 $$project_id, endpoint, date_bin('1 hour', "timestamp", timestamptz '2000-01-01 00:00:00+00'), "timestamp"$$,
 NULL, NULL, NULL,
 'API requests with status, latency, tokens and cost, by month of timestamp.', $$
	id uuid NOT NULL DEFAULT gen_random_uuid(),
	project_id uuid NOT NULL,
	organization_id uuid NOT NULL,
	"timestamp" timestamptz(3) NOT NULL DEFAULT now(),
	endpoint text NOT NULL,
	method text NOT NULL,
	status_code integer NOT NULL,
	latency_ms integer NOT NULL,
	user_id text,
	api_key_id text,
	ip_address text,
	user_agent text,
	tokens_used bigint,
	compute_units numeric(18,4),
	cost numeric(18,12),
	error_type text,
	error_message text
$$),

('base_metrics', 'hanzo_columnar', 'timestamp', '90 days',
 'instance_id, "timestamp"',
 NULL, NULL, NULL,
 'Measurements of base instances, by month of timestamp.', $$
	instance_id uuid NOT NULL,
	project_id uuid NOT NULL,
	"timestamp" timestamptz(3) NOT NULL DEFAULT now(),
	cpu_percent real NOT NULL,
	memory_used_mb integer NOT NULL,
	memory_total_mb integer NOT NULL,
	disk_used_mb bigint NOT NULL,
	disk_total_mb bigint NOT NULL,
	network_rx_bytes bigint NOT NULL,
	network_tx_bytes bigint NOT NULL,
	active_connections integer NOT NULL,
	requests_per_second real NOT NULL,
	avg_response_time_ms real NOT NULL,
	error_rate real NOT NULL
$$),

('app_metrics', 'hanzo_columnar', 'timestamp', '90 days',
 'app_id, "timestamp"',
 NULL, NULL, NULL,
 'Measurements of deployed apps, by month of timestamp.', $$
	app_id uuid NOT NULL,
	project_id uuid NOT NULL,
	"timestamp" timestamptz(3) NOT NULL DEFAULT now(),
	cpu_percent real NOT NULL,
	memory_used_mb integer NOT NULL,
	memory_limit_mb integer NOT NULL,
	desired_replicas smallint NOT NULL,
	running_replicas smallint NOT NULL,
	requests_total bigint NOT NULL,
	requests_per_second real NOT NULL,
	avg_latency_ms real NOT NULL,
	p99_latency_ms real NOT NULL,
	error_count integer NOT NULL,
	error_rate real NOT NULL,
	restarts integer NOT NULL,
	uptime_seconds bigint NOT NULL
$$)
$tables$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_tables() IS
	'Internal to create_hanzo_schema(): the tables of the Hanzo schema.';

-- What each role may do; table_name NULL stands for every table and view of the schema, now and later.
--
-- A query's rights are checked on the table it names, so rights on a partitioned table suffice for all its
-- partitions. The roles with rights on everything can nevertheless name a partition (to dump, copy or inspect one
-- month). hanzo_platform writes through base_metrics and app_metrics; default privileges know no table names, so it has no
-- rights on the first partitions, and on those that maintenance makes it has the table's.
CREATE FUNCTION hanzo_datastore.hanzo_schema_privileges()
RETURNS TABLE (role_name name, table_name name, privilege text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
VALUES
	('hanzo_console'::name, NULL::name, 'SELECT'),
	('hanzo_console', NULL, 'INSERT'),
	('hanzo_console', NULL, 'UPDATE'),
	('hanzo_console', NULL, 'DELETE'),
	('hanzo_analytics_ro', NULL, 'SELECT'),
	('hanzo_platform', 'base_metrics', 'INSERT'),
	('hanzo_platform', 'app_metrics', 'INSERT')
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_privileges() IS
	'Internal to create_hanzo_schema(): the roles of the Hanzo schema and their rights.';

-- Schema hanzo exists afterwards, the caller may create tables in it, and no other call is at work on it.
--
-- The lock: COMMENT takes ShareUpdateExclusiveLock on the schema until the transaction ends, which conflicts with
-- itself and with nothing that uses the schema. It needs the schema's owner; a caller who may merely create tables
-- in it goes without, and meets a concurrent call as a unique violation.
CREATE FUNCTION hanzo_datastore.hanzo_schema_open()
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema_owner oid;
BEGIN
	IF to_regnamespace('hanzo') IS NULL THEN
		IF NOT has_database_privilege(current_database(), 'CREATE') THEN
			RAISE EXCEPTION 'permission denied to create schema hanzo in database %', quote_ident(current_database())
				USING ERRCODE = 'insufficient_privilege',
					HINT = format('Run GRANT CREATE ON DATABASE %I TO %I as the owner of the database.',
								  current_database(), current_user);
		END IF;

		BEGIN
			CREATE SCHEMA hanzo;
			COMMENT ON SCHEMA hanzo IS 'Web analytics, AI observability and metrics of the Hanzo products.';
		EXCEPTION
			WHEN duplicate_schema OR unique_violation THEN
				NULL;			-- another session was faster and has committed
		END;
	END IF;

	SELECT n.nspowner INTO schema_owner FROM pg_namespace AS n WHERE n.nspname = 'hanzo';

	IF NOT has_schema_privilege('hanzo', 'CREATE') OR NOT has_schema_privilege('hanzo', 'USAGE') THEN
		RAISE EXCEPTION 'permission denied for schema hanzo'
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('The schema exists and belongs to role %I.', pg_get_userbyid(schema_owner)),
				HINT = format('Call the function as role %I.', pg_get_userbyid(schema_owner));
	END IF;

	IF pg_has_role(schema_owner, 'USAGE') THEN
		EXECUTE format('COMMENT ON SCHEMA hanzo IS %L',
					   obj_description(to_regnamespace('hanzo')::oid, 'pg_namespace'));
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_open() IS
	'Internal to create_hanzo_schema(): creates the schema and locks it against concurrent calls.';

-- The roles exist afterwards, or a notice says how to create them.
CREATE FUNCTION hanzo_datastore.hanzo_schema_roles()
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	may_create boolean;
	missing text[];
	role_name name;
BEGIN
	SELECT array_agg(DISTINCT p.role_name ORDER BY p.role_name) INTO missing
	FROM hanzo_datastore.hanzo_schema_privileges() AS p
	WHERE to_regrole(p.role_name::text) IS NULL;

	IF missing IS NULL THEN
		RETURN;
	END IF;

	SELECT r.rolsuper OR r.rolcreaterole INTO may_create FROM pg_roles AS r WHERE r.rolname = current_user;

	IF NOT may_create THEN
		RAISE NOTICE 'role % may not create the roles of the Hanzo schema: %',
				quote_ident(current_user), array_to_string(missing, ', ')
			USING HINT = format('As a role with CREATEROLE run: %s; then call create_hanzo_schema() again.',
								(SELECT string_agg(format('CREATE ROLE %I NOLOGIN', m), '; ' ORDER BY m)
								 FROM unnest(missing) AS m));
		RETURN;
	END IF;

	FOREACH role_name IN ARRAY missing LOOP
		BEGIN
			EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
		EXCEPTION
			WHEN duplicate_object OR unique_violation THEN
				NULL;			-- roles are shared: a session in another database was faster
		END;
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_roles() IS
	'Internal to create_hanzo_schema(): creates the roles that do not exist.';

-- Creates one row of hanzo_schema_tables() with its indexes, comment and options. If the table exists, only checks
-- that it is one that the rest of create_hanzo_schema() can work with.
CREATE FUNCTION hanzo_datastore.hanzo_schema_table(wanted record, months_ahead integer)
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	qualified text := format('hanzo.%I', wanted.table_name);
	existing record;
	item text;
BEGIN
	SELECT c.relkind, pg_get_userbyid(c.relowner) AS owner, pg_get_partkeydef(c.oid) AS partition_key
	INTO existing
	FROM pg_class AS c
	WHERE c.oid = to_regclass(qualified);

	IF NOT FOUND THEN
		EXECUTE format('CREATE TABLE %s (%s) ', qualified, wanted.columns)
			|| CASE WHEN wanted.month_column IS NULL
					THEN format('USING %I', wanted.access_method)
					ELSE format('PARTITION BY RANGE (%I)', wanted.month_column) END;
		EXECUTE format('COMMENT ON TABLE %s IS %L', qualified, wanted.comment);

		FOREACH item IN ARRAY coalesce(wanted.indexes, '{}') LOOP
			EXECUTE format('CREATE INDEX ON %s (%s)', qualified, item);
		END LOOP;

		-- Before the first partition, which inherits them.
		IF wanted.order_by IS NOT NULL THEN
			PERFORM hanzo_datastore.alter_columnar_table(qualified::regclass,
														 order_by => wanted.order_by, bloom => wanted.bloom);
		END IF;
		FOREACH item IN ARRAY coalesce(wanted.zstd3, '{}') LOOP
			PERFORM hanzo_datastore.alter_columnar_column(qualified::regclass, item::name,
														  compression => 'zstd', compression_level => 3);
		END LOOP;
		-- Whoever ends this later keeps it ended: a second call does not begin it again.
		IF wanted.month_column IS NOT NULL THEN
			PERFORM hanzo_datastore.set_time_options(qualified::regclass, wanted.month_column, true,
													 greatest(months_ahead, 1), wanted.ttl);
		END IF;
		RETURN;
	END IF;

	IF existing.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION '% exists and is not a table', qualified
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Rename it or move it to another schema, then call create_hanzo_schema() again.';
	END IF;
	IF wanted.month_column IS NOT NULL
		AND existing.partition_key IS DISTINCT FROM format('RANGE (%I)', wanted.month_column) THEN
		RAISE EXCEPTION 'table % exists and is not partitioned by RANGE (%)', qualified, quote_ident(wanted.month_column)
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Rename it, call create_hanzo_schema() again, and copy its rows into the new table.';
	END IF;
	IF existing.owner <> current_user THEN
		RAISE EXCEPTION 'must be owner of table %', qualified
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('The table belongs to role %I.', existing.owner),
				HINT = format('Call the function as role %I.', existing.owner);
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_table(record, integer) IS
	'Internal to create_hanzo_schema(): creates one table or checks the one that exists.';

-- Creates the monthly partitions from first_month to last_month (both the first of a month at midnight, UTC) that
-- do not exist, and a default partition if the table has none.
--
-- They are made as maintain() makes them later (60_time.sql), which moves rows of theirs out of the default partition.
CREATE FUNCTION hanzo_datastore.hanzo_schema_months(wanted record, first_month timestamp, last_month timestamp)
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent regclass := format('hanzo.%I', wanted.table_name);
	has_default boolean := (SELECT p.partdefid <> 0 FROM pg_partitioned_table AS p WHERE p.partrelid = parent);
	month timestamp;			-- NULL: the default partition, made last so that no month has to look through it
	partition_name name;
	existing regclass;
BEGIN
	FOR month IN
		SELECT m FROM generate_series(first_month, last_month, interval '1 month') AS m
		UNION ALL
		SELECT NULL WHERE NOT has_default
		ORDER BY 1 NULLS LAST
	LOOP
		partition_name := wanted.table_name || coalesce(to_char(month, '_YYYY_MM'), '_default');
		existing := to_regclass(format('hanzo.%I', partition_name));

		IF existing IS NOT NULL THEN
			IF NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = existing AND i.inhparent = parent) THEN
				RAISE EXCEPTION '% exists and is not a partition of %', existing, parent
					USING ERRCODE = 'duplicate_table',
						HINT = format('Rename it, or attach it to %s, then call create_hanzo_schema() again.', parent);
			END IF;
			CONTINUE;
		END IF;

		IF month IS NULL THEN
			PERFORM hanzo_datastore.make_default(parent);
		ELSIF hanzo_datastore.make_month(parent, month) IS NULL THEN
			-- Partitions with other bounds, by week or by year, serve that month already.
			RAISE NOTICE 'partition hanzo.% was not created', quote_ident(partition_name)
				USING DETAIL = format('Another partition of %s covers that month or a part of it.', parent);
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_months(record, timestamp, timestamp) IS
	'Internal to create_hanzo_schema(): creates the partitions of one table.';

-- Default privileges of the caller in the schema, set before the first table is created and so in force for it.
CREATE FUNCTION hanzo_datastore.hanzo_schema_default_privileges()
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	missing record;
BEGIN
	FOR missing IN
		SELECT p.role_name, string_agg(p.privilege, ', ') AS privileges
		FROM hanzo_datastore.hanzo_schema_privileges() AS p
		WHERE p.table_name IS NULL AND to_regrole(p.role_name::text) IS NOT NULL
			AND NOT EXISTS (SELECT FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS a
							WHERE d.defaclnamespace = to_regnamespace('hanzo') AND d.defaclobjtype = 'r'
								AND pg_get_userbyid(d.defaclrole) = current_user
								AND a.grantee = to_regrole(p.role_name::text) AND a.privilege_type = p.privilege)
		GROUP BY p.role_name
		ORDER BY p.role_name
	LOOP
		EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA hanzo GRANT %s ON TABLES TO %I',
					   missing.privileges, missing.role_name);
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_default_privileges() IS
	'Internal to create_hanzo_schema(): rights on tables that the caller will create in the schema.';

-- Rights on the schema and on what the caller owns in it, as far as they are missing.
CREATE FUNCTION hanzo_datastore.hanzo_schema_grants()
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hanzo_schema record;
	missing record;
BEGIN
	SELECT n.nspowner AS owner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl INTO hanzo_schema
	FROM pg_namespace AS n
	WHERE n.nspname = 'hanzo';

	FOR missing IN
		SELECT DISTINCT p.role_name
		FROM hanzo_datastore.hanzo_schema_privileges() AS p
		WHERE to_regrole(p.role_name::text) IS NOT NULL
			AND NOT EXISTS (SELECT FROM aclexplode(hanzo_schema.acl) AS a
							WHERE a.grantee = to_regrole(p.role_name::text) AND a.privilege_type = 'USAGE')
		ORDER BY p.role_name
	LOOP
		IF pg_has_role(hanzo_schema.owner, 'USAGE') THEN
			EXECUTE format('GRANT USAGE ON SCHEMA hanzo TO %I', missing.role_name);
		ELSE
			RAISE NOTICE 'role % has no rights on schema hanzo', missing.role_name
				USING HINT = format('As role %I run: GRANT USAGE ON SCHEMA hanzo TO %I',
									pg_get_userbyid(hanzo_schema.owner), missing.role_name);
		END IF;
	END LOOP;

	FOR missing IN
		SELECT c.oid::regclass AS relation, p.role_name, string_agg(p.privilege, ', ') AS privileges
		FROM pg_class AS c
		JOIN hanzo_datastore.hanzo_schema_privileges() AS p ON p.table_name IS NULL OR p.table_name = c.relname
		WHERE c.relnamespace = to_regnamespace('hanzo') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
			AND NOT EXISTS (SELECT FROM hanzo_datastore.rollup_catalog AS u WHERE c.oid IN (u.states, u.marks))
			AND pg_get_userbyid(c.relowner) = current_user
			AND to_regrole(p.role_name::text) IS NOT NULL
			AND NOT EXISTS (SELECT FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
							WHERE a.grantee = to_regrole(p.role_name::text) AND a.privilege_type = p.privilege)
		GROUP BY c.oid, p.role_name
		ORDER BY c.oid, p.role_name
	LOOP
		EXECUTE format('GRANT %s ON %s TO %I', missing.privileges, missing.relation, missing.role_name);
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_grants() IS
	'Internal to create_hanzo_schema(): gives the roles the rights that they do not have.';

-- The rollups of the Hanzo schema, UTC hours and days. What avg() and percentile_cont() need to be merged comes with them.
CREATE FUNCTION hanzo_datastore.hanzo_schema_rollups()
RETURNS TABLE (view_name name, comment text, query text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
VALUES
	('website_events_hourly_mv'::name, 'Sessions, visitors and events of a project by hour', $query$
SELECT project_id,
	date_trunc('hour', created_at, 'UTC') AS hour,
	count(DISTINCT session_id) AS unique_sessions,
	count(DISTINCT distinct_id) AS unique_visitors,
	count(*) AS total_events,
	count(*) FILTER (WHERE event_type = 1) AS pageviews,
	count(*) FILTER (WHERE event_type = 2) AS custom_events
FROM hanzo.website_events
GROUP BY 1, 2$query$),
	('ai_usage_daily_mv', 'Calls, tokens, cost and latency of a model by day', $query$
SELECT project_id,
	date_trunc('day', start_time, 'UTC') AS day,
	model_name,
	count(*) AS total_calls,
	sum(total_tokens) AS total_tokens,
	sum(total_cost) AS total_cost,
	avg(latency_ms) AS avg_latency
FROM hanzo.ai_observations
WHERE type = 'generation'
GROUP BY 1, 2, 3$query$),
	('api_metrics_hourly_mv', 'Requests, errors, latency and cost of an endpoint by hour', $query$
SELECT project_id,
	endpoint,
	date_trunc('hour', "timestamp", 'UTC') AS hour,
	count(*) AS total_requests,
	count(*) FILTER (WHERE status_code >= 200 AND status_code < 300) AS success_count,
	count(*) FILTER (WHERE status_code >= 400) AS error_count,
	avg(latency_ms) AS avg_latency,
	percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99_latency,
	sum(tokens_used) AS total_tokens,
	sum(cost) AS total_cost
FROM hanzo.api_metrics
GROUP BY 1, 2, 3$query$)
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_rollups() IS
	'Internal to create_hanzo_schema(): the rollups of the Hanzo schema.';

-- The extensions whose sketches rollups store beside distinct counts and percentiles, if the caller can install them. The numbers do
-- without; only who wants to merge buckets needs them.
CREATE FUNCTION hanzo_datastore.hanzo_schema_sketches()
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	missing name;
BEGIN
	FOR missing IN
		SELECT e.name FROM unnest('{hll,tdigest}'::name[]) AS e (name)
		WHERE NOT EXISTS (SELECT FROM pg_extension AS x WHERE x.extname = e.name)
	LOOP
		IF NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) THEN
			CONTINUE;
		ELSIF EXISTS (SELECT FROM pg_available_extensions AS a WHERE a.name = missing) THEN
			EXECUTE format('CREATE EXTENSION %I SCHEMA public', missing);
		ELSE
			RAISE NOTICE 'extension % is not installed: rollups come without sketches that can be merged over buckets', missing
				USING HINT = format('Install it (Debian: postgresql-%s-%s), and run CREATE EXTENSION %I before create_hanzo_schema().',
									current_setting('server_version_num')::integer / 10000, missing, missing);
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_sketches() IS
	'Internal to create_hanzo_schema(): extensions hll and tdigest.';

CREATE FUNCTION hanzo_datastore.hanzo_schema_rollup(wanted record)
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	existing regclass := to_regclass(format('hanzo.%I', wanted.view_name));
BEGIN
	IF existing IS NULL THEN
		PERFORM hanzo_datastore.create_rollup(format('hanzo.%I', wanted.view_name), btrim(wanted.query, E'\n'));
		EXECUTE format('COMMENT ON VIEW hanzo.%I IS %L', wanted.view_name, wanted.comment);
	ELSIF NOT EXISTS (SELECT FROM hanzo_datastore.rollup_catalog AS c WHERE c.view = existing) THEN
		RAISE EXCEPTION '% exists and is not a rollup', existing
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Rename it or move it to another schema, then call create_hanzo_schema() again.';
	END IF;
END
$$;

COMMENT ON FUNCTION hanzo_datastore.hanzo_schema_rollup(record) IS
	'Internal to create_hanzo_schema(): creates one rollup.';

CREATE FUNCTION hanzo_datastore.create_hanzo_schema(months_back integer DEFAULT 1, months_ahead integer DEFAULT 3)
RETURNS void
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
	max_months CONSTANT integer := 60;		-- a call's locks must fit into the default lock table
	wanted record;
BEGIN
	IF months_back IS NULL OR months_ahead IS NULL THEN
		RAISE EXCEPTION 'months_back and months_ahead must not be NULL'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Leave a parameter out to get its default.';
	END IF;
	IF months_back NOT BETWEEN 0 AND max_months OR months_ahead NOT BETWEEN 0 AND max_months THEN
		RAISE EXCEPTION 'months_back and months_ahead must be between 0 and %, not % and %',
				max_months, months_back, months_ahead
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Rows of months without a partition go to the default partition.';
	END IF;

	PERFORM hanzo_datastore.hanzo_schema_open();
	PERFORM hanzo_datastore.hanzo_schema_roles();
	PERFORM hanzo_datastore.hanzo_schema_default_privileges();

	FOR wanted IN SELECT * FROM hanzo_datastore.hanzo_schema_tables() LOOP
		PERFORM hanzo_datastore.hanzo_schema_table(wanted, months_ahead);
		IF wanted.month_column IS NOT NULL THEN
			PERFORM hanzo_datastore.hanzo_schema_months(wanted,
														this_month - make_interval(months => months_back),
														this_month + make_interval(months => months_ahead));
		END IF;
	END LOOP;

	PERFORM hanzo_datastore.hanzo_schema_sketches();
	FOR wanted IN SELECT * FROM hanzo_datastore.hanzo_schema_rollups() LOOP
		PERFORM hanzo_datastore.hanzo_schema_rollup(wanted);
	END LOOP;

	PERFORM hanzo_datastore.hanzo_schema_grants();
END
$$;

COMMENT ON FUNCTION hanzo_datastore.create_hanzo_schema(integer, integer) IS
	'Creates schema hanzo with its 13 tables and 3 rollups as objects of the caller, monthly partitions (UTC) from months_back before to months_ahead after the present month, and the roles hanzo_console, hanzo_analytics_ro and hanzo_platform; adds what is missing when called again and alters nothing that exists.';
