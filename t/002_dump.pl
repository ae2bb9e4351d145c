# pg_dump and restore, in plain and custom format, into a fresh database and beside an extension that is there already;
# pg_upgrade: rows, access methods, options, indexes and the Hanzo schema come over.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('old');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE ROLE dump_owner LOGIN; CREATE DATABASE source');
$node->safe_psql('source', q{
CREATE EXTENSION hanzo_datastore;
CREATE SCHEMA s;
CREATE FUNCTION s.hour(timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
	AS $$ SELECT date_bin('1 hour', $1, timestamptz '2000-01-01 00:00+00') $$;
CREATE TABLE s."Events" (id bigint PRIMARY KEY, gone text, "at" timestamptz, "Select" text, payload jsonb, score numeric(10,2)) USING hanzo_columnar;
ALTER TABLE s."Events" DROP COLUMN gone;
SELECT hanzo_datastore.alter_columnar_table('s."Events"', order_by => 's.hour("at") DESC, "Select" COLLATE "C"', compression => 'lz4',
	row_group_rows => 4096, bloom => '{Select}');
SELECT hanzo_datastore.alter_columnar_column('s."Events"', 'payload', compression => 'zstd', compression_level => 12);
INSERT INTO s."Events"
	SELECT i, timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', 'text ' || i % 100, jsonb_build_object('i', i), i / 7.0 FROM generate_series(1, 10000) AS i;
CALL hanzo_datastore.compact('s."Events"');
INSERT INTO s."Events" VALUES (10001, now(), 'delta', NULL, NULL);
DELETE FROM s."Events" WHERE id % 10 = 0;
UPDATE s."Events" SET "Select" = 'updated' WHERE id % 97 = 1;
CREATE INDEX ON s."Events" (lower("Select"));
CREATE TABLE s.parted (id integer, v text) PARTITION BY RANGE (id);
SELECT hanzo_datastore.alter_columnar_table('s.parted', order_by => 'id DESC', compression_level => 5);
CREATE TABLE s.parted_1 PARTITION OF s.parted FOR VALUES FROM (0) TO (100) USING hanzo_columnar;
CREATE TABLE s.parted_2 PARTITION OF s.parted FOR VALUES FROM (100) TO (200) USING hanzo_columnar;
INSERT INTO s.parted SELECT i, 'v' || i FROM generate_series(0, 199) AS i;
CALL hanzo_datastore.compact('s.parted_1');
CREATE MATERIALIZED VIEW s.mat USING hanzo_columnar AS SELECT id, "Select" FROM s."Events" WHERE id < 500;
CREATE TABLE s.was_columnar (id integer) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('s.was_columnar', order_by => 'id');
ALTER TABLE s.was_columnar SET ACCESS METHOD heap;
ALTER TABLE s."Events" OWNER TO dump_owner;
SELECT hanzo_datastore.create_hanzo_schema();
INSERT INTO hanzo.website_events (project_id, session_id, visit_id, event_id, event_type)
	SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1 FROM generate_series(1, 1000);
CALL hanzo_datastore.compact('hanzo.website_events');
});

# Everything that has to come over, as text.
sub contents
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, q{
		SELECT * FROM s."Events" ORDER BY id;
		SELECT tableoid::regclass, * FROM s.parted ORDER BY id;
		SELECT * FROM s.mat ORDER BY id;
		SELECT * FROM hanzo.website_events ORDER BY event_id;
		SELECT * FROM hanzo_datastore.columnar_options ORDER BY relation::text, column_name NULLS FIRST, option, source;
		SELECT c.oid::regclass, a.amname, pg_get_userbyid(c.relowner) FROM pg_class AS c LEFT JOIN pg_am AS a ON a.oid = c.relam
			WHERE c.relnamespace IN ('s'::regnamespace, 'hanzo'::regnamespace) ORDER BY c.oid::regclass::text;
		SELECT indexdef FROM pg_indexes WHERE schemaname IN ('s', 'hanzo') ORDER BY 1;
		SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace IN ('s'::regnamespace, 'hanzo'::regnamespace) ORDER BY conrelid::regclass::text, conname;
		SELECT objoid::regclass, objsubid, provider, label FROM pg_seclabel ORDER BY objoid::regclass::text, label, objsubid;
	});
}

my $source = contents($node, 'source');
# attribute numbers of labels change where columns were dropped
(my $comparable = $source) =~ s/^(\S+)\|\d+\|hanzo_datastore\|/$1|hanzo_datastore|/mg;
like($source, qr/^s\."Events"\|\|order_by\|s\.hour\(at\) DESC, \("Select" COLLATE "C"\)\|table$/m, 'the options are what was set')
	or diag(join("\n", $source =~ /^.*order_by\|.*$/mg));
my $dir = PostgreSQL::Test::Utils::tempdir;

# Compares, and shows what differs rather than all.
sub is_same
{
	my ($got, $expected, $what) = @_;
	my %lines;
	$lines{$_}++ foreach split(/\n/, $got);
	$lines{$_}-- foreach split(/\n/, $expected);
	my @differing = grep { $lines{$_} != 0 } sort keys %lines;
	ok($got eq $expected, $what)
		or diag(join("\n", map { ($lines{$_} > 0 ? 'got: ' : 'missing: ') . $_ } @differing[0 .. ($#differing < 20 ? $#differing : 20)]));
	return;
}

sub check_copy
{
	my ($db, $what) = @_;
	(my $copy = contents($node, $db)) =~ s/^(\S+)\|\d+\|hanzo_datastore\|/$1|hanzo_datastore|/mg;
	is_same($copy, $comparable, "$what: the same database");
	is($node->safe_psql($db, q{SELECT * FROM hanzo_datastore.verify('s."Events"')}), '', "$what: nothing is damaged");
	return;
}

# Plain text into an empty database.
$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", $node->connstr('source') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql", $node->connstr('plain') ], 'restore of a plain dump');
check_copy('plain', 'plain dump');

# Custom format, two jobs, where the extension is there already.
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/custom.dump", $node->connstr('source') ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->safe_psql('custom', 'CREATE EXTENSION hanzo_datastore');
$node->command_ok([ 'pg_restore', '-e', '-j', 2, '-d', $node->connstr('custom'), "$dir/custom.dump" ], 'parallel pg_restore');
check_copy('custom', 'custom dump');

# A restored table is as good as another: it moves, sorts, and takes rows.
$node->safe_psql('plain', q{CALL hanzo_datastore.compact('s."Events"'); CALL hanzo_datastore.optimize('s."Events"'); VACUUM s."Events"});
check_copy('plain', 'compacted after the restore');

# A database copied as files. The server waits for five seconds only until all have left it.
sub wait_for_leavers { $node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'source' AND backend_type = 'client backend')}) or die 'somebody is still there' }
wait_for_leavers();
$node->safe_psql('postgres', 'CREATE DATABASE template TEMPLATE source');
check_copy('template', 'CREATE DATABASE TEMPLATE');
wait_for_leavers();
$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE source STRATEGY file_copy');
check_copy('copied', 'CREATE DATABASE STRATEGY file_copy');

# pg_upgrade, from this version to itself: links the files, dumps and restores the catalogs.
$node->safe_psql('postgres', "DROP DATABASE $_") foreach qw(plain custom template copied);
$node->stop;
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
my $bindir = $node->config_data('--bindir');
chdir($dir) or die "cannot enter $dir: $!";
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir, '-s', $new->host, '-p', $node->port,
		'-P', $new->port
	],
	'pg_upgrade');
$new->start;
is_same(contents($new, 'source'), $source, 'pg_upgrade: the same database');
is($new->safe_psql('source', q{SELECT * FROM hanzo_datastore.verify('s."Events"')}), '', 'pg_upgrade: nothing is damaged');
$new->safe_psql('source', q{INSERT INTO s."Events" VALUES (10002); CALL hanzo_datastore.compact('s."Events"'); CALL hanzo_datastore.optimize('s."Events"')});
is($new->safe_psql('source', 'SELECT count(*) FROM s."Events"'), '9002', 'pg_upgrade: the table goes on');
$new->stop;
done_testing();
