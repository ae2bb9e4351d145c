# Who may do what, and what the answer is to those who may not: every function, procedure and view of the extension as a role
# without rights, on things that are no columnar table, with NULLs and hostile names; code of one user that runs when
# another one works on the table; row security.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('roles');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION hanzo_datastore;
	CREATE FOREIGN DATA WRAPPER nothing;
	CREATE ROLE owner; CREATE ROLE nobody; CREATE ROLE reader; CREATE ROLE guarded; CREATE ROLE boss SUPERUSER;
	GRANT CREATE, TEMPORARY ON DATABASE postgres TO owner; GRANT CREATE, USAGE ON SCHEMA public TO owner, nobody;
	SET ROLE owner;
	CREATE TABLE c (id integer, who text, secret integer) USING hanzo_columnar;
	SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'secret', row_group_rows => 2048);
	INSERT INTO c SELECT i, CASE WHEN i % 10 = 0 THEN 'guarded' ELSE 'owner' END, CASE WHEN i % 10 = 0 THEN 1000 + i ELSE 100000 + i END FROM generate_series(1, 10000) AS i;
	CREATE TABLE parts (id integer, v text) PARTITION BY RANGE (id);
	CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (1000) USING hanzo_columnar;
	CREATE VIEW v AS SELECT * FROM c;
	CREATE TABLE heap (id integer PRIMARY KEY);
	CREATE SEQUENCE seq;
	CREATE TYPE composite AS (a integer);
	CREATE TABLE none () USING hanzo_columnar;
	RESET ROLE;
	CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing; CREATE FOREIGN TABLE foreign_table (id integer) SERVER elsewhere; ALTER FOREIGN TABLE foreign_table OWNER TO owner;
	CREATE INDEX c_id ON c (id);});
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('c')});

# What each statement comes to, as a role: SQLSTATE and message.
sub states
{
	my ($role, @statements) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "SET SESSION AUTHORIZATION $role;\n" . join('', map { "$_\n\\echo =\@= :SQLSTATE :LAST_ERROR_MESSAGE\n" } @statements), on_error_stop => 0);
	# the message is that of the last error, whenever that was
	return ([ map { /^00000/ ? '00000' : $_ } $out =~ /^=@= (\S+.*)$/mg ], $out, $err);
}

my @calls = (
	"SELECT hanzo_datastore.alter_columnar_table(%s, row_group_rows => 4096);",
	"SELECT hanzo_datastore.alter_columnar_table(%s);",
	"SELECT hanzo_datastore.alter_columnar_column(%s, 'id', compression => 'lz4');",
	"SELECT hanzo_datastore.alter_columnar_column(%s, 'id', true);",
	"CALL hanzo_datastore.compact(%s);",
	"CALL hanzo_datastore.optimize(%s);",
	"SELECT hanzo_datastore.add_store(%s);",
	"SELECT hanzo_datastore.note_arrival(%s);",
	"SELECT count(*) FROM hanzo_datastore.columnar_options_of(%s);",
	(map { "SELECT count(*) FROM hanzo_datastore.$_(%s);" } qw(table_stats row_group_stats column_stats column_chunk_stats verify)));
my @covered = (qw(add_store add_stores note_arrival alter_columnar_table alter_columnar_column compact optimize columnar_options_of table_stats row_group_stats column_stats column_chunk_stats verify
	load_library hanzo_columnar_handler create_hanzo_schema),
	# months, TTL, maintenance: in 018_maintenance and sql/months, ttl, maintain
	qw(set_time_options time_options partition_bounds time_condition copy_rows exclude_range split_step changes_since remove_rows delete_range wait_for_snapshots lock_referenced
	month_name create_like lock_for_attach make_month month_key check_owner is_published make_default missing_month stray_months manage_partitions check_interval
	check_clock check_default unmanage_partitions rollups_before_removal log_removal set_ttl ttl_cutoff ttl_leaves can_truncate drop_expired expire_next
	ttl_preview apply_ttl may_see_jobs step_months step_strays step_ttl compact_step step_compact run_step end_maintenance maintenance_plan maintain step_end
	schedule_maintenance unschedule_maintenance delta_rows table_problems maintenance_problems file_size step_rollup),
	# rollups: in sql/rollups
	qw(alter_rollup create_rollup drop_rollup refresh_rollup refresh_rollup_step rollup_arm rollup_catalog_loaded rollup_create rollup_describe rollup_dropped rollup_extend
	rollup_indexes rollup_leaves rollup_live_from rollup_problems rollup_register rollup_requery rollup_revoke rollup_sketch_schema rollup_stale rollup_stale_count rollup_stale_ranges
	rollup_sync_name rollup_sync_triggers rollup_tables_changed rollup_tell rollup_trigger rollup_trigger_name rollup_unregister rollup_view_query),
	map { "hanzo_schema_$_" } qw(default_privileges grants months open privileges roles rollup rollups sketches table tables));
is( $node->safe_psql('postgres', q{SELECT string_agg(DISTINCT p.proname, ' ') FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
		WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hanzo_datastore')
		AND NOT p.proname = ANY (string_to_array('} . join(',', @covered) . q{', ','))}),
	'', 'all functions of the extension are tried here');

# Without rights: permission denied, whatever it is.
foreach my $call (@calls)
{
	my ($states) = states('nobody', map { sprintf($call, "'$_'") } qw(c part1 parts none heap c_id seq v));
	my @odd = grep { $call =~ /columnar_options_of/ ? !/^(00000|42809)/ : !/^(42501|42809)/ } @$states;
	is(join("\n", @odd), '', "without rights: $call");
	is(substr($states->[0], 0, 5), $call =~ /columnar_options_of/ ? '00000' : '42501', 'permission denied for the table');
}
my ($states, $out, $err) = states('nobody', 'SELECT count(*) FROM hanzo_datastore.columnar_tables;', 'SELECT count(*) FROM hanzo_datastore.columnar_row_groups;',
	'SELECT count(*) FROM hanzo_datastore.columnar_columns;', 'SELECT count(*) FROM hanzo_datastore.inspectable_tables;', 'SELECT count(*) FROM hanzo_datastore.compaction_progress;');
is(join(' ', @$states), '00000 00000 00000 00000 00000', 'views can be read by everybody');
is(join(' ', $out =~ /^(\d+)$/mg), '0 0 0 0 0', 'and show nothing');
($states) = states('nobody', 'SELECT hanzo_datastore.create_hanzo_schema();', 'SELECT hanzo_datastore.load_library();', 'SECURITY LABEL FOR hanzo_datastore ON TABLE c IS \'\';',
	'DROP EVENT TRIGGER hanzo_datastore_load_library;', 'CREATE TABLE hanzo_datastore.mine ();');
is(join(' ', map { substr($_, 0, 5) } @$states), '42501 0A000 42501 42501 42501', 'nor can nobody do anything else');
($states) = states('nobody', (map { "SELECT count(*) FROM hanzo_datastore.hanzo_schema_$_();" } qw(default_privileges grants open roles tables privileges)),
	'SELECT hanzo_datastore.hanzo_schema_table(w, 3) FROM hanzo_datastore.hanzo_schema_tables() AS w;', "SELECT hanzo_datastore.hanzo_schema_table(ROW('x'), 3);",
	"SELECT hanzo_datastore.hanzo_schema_months(w, '2026-01-01', '2026-02-01') FROM hanzo_datastore.hanzo_schema_tables() AS w;", 'SELECT hanzo_datastore.hanzo_columnar_handler(NULL);');
note(join("\n", @$states));
is(join(' ', grep { /^(XX|58|P)/ } @$states), '', 'nor by the parts of create_hanzo_schema()');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relowner = 'nobody'::regrole}), '0', 'and nobody owns nothing');

# By the owner, or who may do everything, on what is no columnar table, and on what is nothing at all.
foreach my $call (@calls)
{
	my @relations = map { "'$_'" } qw(parts none heap c_id seq v foreign_table composite pg_class pg_catalog.pg_authid);
	my ($s) = states('boss', map { sprintf($call, $_) } (@relations, '0', '4000000000', 'NULL'));
	is(scalar(@$s), 13, "each is answered: $call");
	is(join("\n", grep { /^(XX|58|5300|P0)/ } @$s), '', 'with no internal error');
	is(join("\n", grep { !/^(00000|42809|42501|42P01|22004|42703|0A000|22023)/ } @$s), '', 'but that it is none, or not there');
}

# Temporary tables: those of others, and one that has the name of another table.
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('CREATE TEMPORARY TABLE mine (id integer) USING hanzo_columnar; INSERT INTO mine SELECT generate_series(1, 3000)');
my $mine = $session->query_safe(q{SELECT 'mine'::regclass::oid});
foreach my $call (@calls)
{
	my ($s) = states('boss', sprintf($call, $mine));
	like($s->[0], $call =~ /columnar_options_of|alter/ ? qr/^(00000|0A000)/ : qr/^0A000/, "temporary table of another session: $call");
}
$session->query_safe(q{CREATE TEMPORARY TABLE c (id integer) USING heap});
like($session->query(q{CALL hanzo_datastore.compact('c'); SELECT count(*) FROM hanzo_datastore.verify('public.c')}), qr/^0$/m, 'a temporary table in front of another');
$session->quit;

# Names that have to be quoted, everywhere.
$node->safe_psql('postgres', q{
	CREATE SCHEMA "a'b""c d";
	CREATE TABLE "a'b""c d"."t'x""; DROP TABLE c; --" ("col'1" integer, "select" text, "co""l,2" integer) USING hanzo_columnar;
	INSERT INTO "a'b""c d"."t'x""; DROP TABLE c; --" SELECT i, 'v' || i, i % 10 FROM generate_series(1, 5000) AS i;
	SELECT hanzo_datastore.alter_columnar_table($$"a'b""c d"."t'x""; DROP TABLE c; --"$$, order_by => $$"co""l,2", "select" DESC$$, bloom => ARRAY['select', 'col''1'], row_group_rows => 2048);
	SELECT hanzo_datastore.alter_columnar_column($$"a'b""c d"."t'x""; DROP TABLE c; --"$$, 'co"l,2', compression => 'none');});
$node->safe_psql('postgres', qq{CALL hanzo_datastore.$_(\$\$"a'b""c d"."t'x""; DROP TABLE c; --"\$\$)}) foreach ('compact', 'optimize');
is($node->safe_psql('postgres', q{SELECT r.rows, c.min_value, c.max_value FROM hanzo_datastore.columnar_tables AS r JOIN hanzo_datastore.columnar_columns AS c USING (relation)
	WHERE relation = $$"a'b""c d"."t'x""; DROP TABLE c; --"$$::regclass AND c.column_name = 'co"l,2'}), '5000|0|9', 'names with quotes');
is($node->safe_psql('postgres', q{SELECT count(*) FROM hanzo_datastore.verify($$"a'b""c d"."t'x""; DROP TABLE c; --"$$)}), '0', 'verify(), too');

# Somebody's functions and operators in front of those of pg_catalog: nothing of the extension may call them.
$node->safe_psql('postgres', q{
	CREATE SCHEMA evil AUTHORIZATION nobody; GRANT USAGE ON SCHEMA evil TO PUBLIC;
	SET ROLE nobody;
	CREATE TABLE evil.caught (who text, what text); GRANT INSERT ON evil.caught TO PUBLIC;
	CREATE FUNCTION evil.trap(what text) RETURNS void LANGUAGE sql SECURITY INVOKER AS 'INSERT INTO evil.caught VALUES (current_user, what)';
	CREATE FUNCTION evil.eq(oid, oid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''oid =''); RETURN $1 OPERATOR(pg_catalog.=) $2; END';
	CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.eq);
	CREATE FUNCTION evil.eqn(name, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''name =''); RETURN true; END';
	CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.eqn);
	CREATE FUNCTION evil.cmp(integer, integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''int <''); RETURN true; END';
	CREATE OPERATOR evil.< (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.cmp); CREATE OPERATOR evil.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.cmp);
	CREATE OPERATOR evil.<> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.cmp); CREATE OPERATOR evil.> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.cmp);
	CREATE FUNCTION evil.cmpt(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''text =''); RETURN true; END';
	CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.cmpt); CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.cmpt);
	CREATE FUNCTION evil.round(numeric, integer) RETURNS numeric LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''round''); RETURN 0; END';
	CREATE FUNCTION evil.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''to_regclass''); RETURN NULL; END';
	CREATE FUNCTION evil.date_trunc(text, timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''date_trunc''); RETURN now(); END';
	CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''current_setting''); RETURN NULL; END';
	CREATE FUNCTION evil.pg_partition_ancestors(regclass) RETURNS SETOF regclass LANGUAGE plpgsql AS 'BEGIN PERFORM evil.trap(''ancestors''); END';
	CREATE VIEW evil.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE evil.trap('pg_class') IS NULL; GRANT SELECT ON evil.pg_class TO PUBLIC;
	CREATE VIEW evil.pg_am AS SELECT * FROM pg_catalog.pg_am WHERE evil.trap('pg_am') IS NULL; GRANT SELECT ON evil.pg_am TO PUBLIC;});
my $path = 'SET search_path = evil, pg_catalog, public;';
($states, $out, $err) = states('boss', map { "$path $_" } (map { sprintf($_, "'public.c'") } grep { !/CALL/ } @calls), (map { "SELECT * FROM hanzo_datastore.$_;" } qw(columnar_tables columnar_row_groups columnar_columns columnar_options compaction_progress)));
is(join("\n", grep { !/^00000|is no partition/ } @$states), '', 'with hostile functions first in the path');
($states) = states('boss', $path, (map { sprintf($_, "'public.c'") } grep { /CALL/ } @calls), 'SELECT hanzo_datastore.create_hanzo_schema();', 'SELECT hanzo_datastore.create_hanzo_schema();');
is(join("\n", grep { !/^00000/ } @$states), '', 'procedures, too');
is($node->safe_psql('postgres', 'SELECT who, what FROM evil.caught'), '', 'none of them was called');

# The owner's code in an index, in the sort key and in a check: whoever calls compact(), it runs as the owner, and cannot
# leave anything behind that runs as somebody else later.
$node->safe_psql('postgres', q{
	SET ROLE owner;
	CREATE TABLE ran_as (who text, what text); GRANT INSERT ON ran_as TO PUBLIC;
	CREATE FUNCTION tell(what text) RETURNS void LANGUAGE sql AS 'INSERT INTO public.ran_as VALUES (current_user, what)';
	CREATE FUNCTION spy(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF current_setting('hanzo.spy', true) = 'on' THEN PERFORM public.tell('index'); END IF; RETURN $1; END $$;
	CREATE FUNCTION spy_key(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF current_setting('hanzo.spy', true) = 'on' THEN PERFORM public.tell('sort key'); END IF; RETURN $1; END $$;
	CREATE TABLE spied (id integer, n integer) USING hanzo_columnar;
	CREATE INDEX ON spied (spy(id));
	CREATE INDEX ON spied (n) WHERE spy(n) > 0;
	SELECT hanzo_datastore.alter_columnar_table('spied', order_by => 'spy_key(n)');
	INSERT INTO spied SELECT i, i FROM generate_series(1, 10) AS i;
	CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.tell('deferred trigger'); RETURN NULL; END $$;
	CREATE TABLE bait (n integer); GRANT INSERT ON bait TO PUBLIC;
	CREATE CONSTRAINT TRIGGER later AFTER INSERT ON bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION later();});
$node->append_conf('postgresql.conf', "hanzo.spy = on\n");
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('hanzo.spy', true) = 'on'}) or die 'no reload';
foreach my $call ('compact', 'optimize')
{
	($states) = states('boss', "CALL hanzo_datastore.$call('spied');", "INSERT INTO public.ran_as VALUES (current_user, 'afterwards');");
	is(join(' ', @$states), '00000 00000', "$call() of a table with the owner's functions");
}
is( $node->safe_psql('postgres', q{SELECT who, what, count(*) > 0 FROM ran_as GROUP BY 1, 2 ORDER BY 1, 2}),
	"boss|afterwards|t\nowner|index|t\nowner|sort key|t", 'they run as the owner, and nothing else does');
my %traps = (
	'deferred trigger' => 'INSERT INTO public.bait VALUES (1)',
	'role' => 'SET ROLE boss',
	'session authorization' => 'RESET SESSION AUTHORIZATION',
	'cursor' => 'DECLARE held CURSOR WITH HOLD FOR SELECT public.tell(\'cursor\')',
	'temporary table' => 'CREATE TEMPORARY TABLE left_behind (n integer)',
	'listen' => 'LISTEN x');
foreach my $trap (sort keys %traps)
{
	(my $code = $traps{$trap}) =~ s/'/''/g;
	$node->safe_psql('postgres', qq{
		TRUNCATE ran_as;
		SET ROLE owner;
		CREATE OR REPLACE FUNCTION tell(what text) RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN EXECUTE '$code'; END \$\$;
		RESET ROLE;
		SET hanzo.spy = 'off'; UPDATE spied SET n = n + 1;});
	($states) = states('boss', q{CALL hanzo_datastore.compact('spied');}, q{CALL hanzo_datastore.optimize('spied');});
	is(join("\n", grep { !/^(42501|0A000|42P01|00000 |2F003)/ } @$states), '', "$trap: refused by a proper error");
	like($states->[0], qr/^42501/, 'for want of rights') if $trap ne 'listen' && $trap ne 'session authorization';
	is($node->safe_psql('postgres', q{SELECT * FROM ran_as}), '', 'and nothing ran');
}
$node->append_conf('postgresql.conf', "hanzo.spy = off\n");
$node->reload;

# Row security: 1,000 rows of 10,000 can be seen. No function of the query's sees others, nor do statistics show any.
$node->safe_psql('postgres', q{
	SET ROLE owner;
	ALTER TABLE c ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON c USING (who = current_user);
	GRANT SELECT, UPDATE, DELETE ON c TO guarded; GRANT SELECT ON c TO reader;
	RESET ROLE;
	CREATE FUNCTION leak(integer) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN IF $1 >= 100000 THEN RAISE EXCEPTION 'leaked %', $1; END IF; RETURN true; END $$;
	CREATE FUNCTION leak_text(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN IF $1 <> 'guarded' THEN RAISE EXCEPTION 'leaked %', $1; END IF; RETURN true; END $$;
	ANALYZE c;});
foreach my $settings ('', 'SET hanzo_datastore.enable_columnar_scan = off;', 'SET enable_seqscan = off;', 'SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;')
{
	($states, $out, $err) = states('guarded', $settings . 'SELECT count(*), max(secret) FROM c;', 'SELECT count(*) FROM c WHERE leak(secret);', 'SELECT count(*) FROM c WHERE leak_text(who);',
		'SELECT count(*) FROM c WHERE 1 / (secret - 100001) <= 0;', 'SELECT count(*) FROM c WHERE secret = 100001;', 'SELECT count(*) FROM c WHERE id < 5000 AND leak(secret);',
		'BEGIN; SELECT id FROM c WHERE leak(secret) AND id = 10 FOR UPDATE;', 'WITH d AS (DELETE FROM c WHERE leak(secret) RETURNING secret) SELECT count(*), max(secret) FROM d;', 'ROLLBACK;');
	is(join("\n", grep { !/^00000/ } @$states), '', 'row security: nothing leaks ' . $settings);
	my @answers = grep { /^\d/ } split(/\n/, $out);
	is($answers[0], '1000|11000', 'only some rows are seen');
	is(join(' ', @answers[1 .. 5]), '1000 1000 1000 0 499', 'also by functions that tell');
	is($answers[-1], '1000|11000', 'and deleted');
}
($states, $out, $err) = states('guarded', q{SELECT string_agg(coalesce(min_value, '-') || coalesce(max_value, '-') || coalesce(null_values::text, '-'), ' ') FROM hanzo_datastore.column_stats('c');},
	q{SELECT count(*) FROM hanzo_datastore.column_chunk_stats('c') WHERE min_value IS NOT NULL OR max_value IS NOT NULL OR dictionary_entries IS NOT NULL;},
	q{SELECT count(*) FROM hanzo_datastore.columnar_columns WHERE min_value IS NOT NULL;}, q{SELECT count(*) FROM hanzo_datastore.verify('c');},
	'SELECT count(*) FROM pg_stats WHERE tablename = \'c\';');
is((split(/\n=@= 00000[^\n]*\n?/, $out))[$_], ('--- --- ---', 0, 0, 0, 0)[$_], 'statistics show no bounds to who is under row security') foreach (0 .. 4);
($states) = states('guarded', "CALL hanzo_datastore.compact('c');");
like($states->[0], qr/^42501/, 'compaction is the owner\'s');

# All errors of this file had a proper code.
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|terminated by signal/, 'no crash');
$node->stop;
done_testing();
