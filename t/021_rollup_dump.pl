# Rollups, TTL and managed months through pg_dump and pg_restore: the answers of the dump, and then everything goes on.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('rollup_dump');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\ntimezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('original', q{
	SET client_min_messages = warning;
	CREATE EXTENSION hanzo_datastore;
	SELECT hanzo_datastore.create_hanzo_schema(2, 1);
	CREATE TABLE t (gone integer, at timestamptz, k integer) USING hanzo_columnar;
	ALTER TABLE t DROP COLUMN gone;
	INSERT INTO t SELECT timestamptz '2026-01-01' + i * interval '1 hour', i % 5 FROM generate_series(0, 2000) AS i;
	SELECT hanzo_datastore.create_rollup('t_daily',
		$$SELECT date_trunc('day', at, 'UTC') AS day, k, count(*) AS n, count(DISTINCT k) AS d FROM t GROUP BY 1, 2$$);
	SELECT hanzo_datastore.create_rollup('"T by month"',
		$$SELECT date_trunc('month', day, 'UTC') AS month, sum(n) AS n FROM t_daily GROUP BY 1$$);
	SELECT hanzo_datastore.set_ttl('t', '10 days', 'at');
	CREATE TABLE plain (id integer PRIMARY KEY, at timestamptz) USING heap;
	INSERT INTO plain SELECT i, timestamptz '2026-01-01' + i * interval '1 hour' FROM generate_series(1, 100) AS i;
	SELECT hanzo_datastore.create_rollup('plain_daily', $$SELECT date_trunc('day', at, 'UTC') AS day, count(*) AS n FROM plain GROUP BY 1$$);});
$node->safe_psql('original', "CALL hanzo_datastore.refresh_rollup('plain_daily', '2026-03-01 12:00+00')");
$node->safe_psql('original', "CALL hanzo_datastore.refresh_rollup('$_', '2026-03-01 12:00+00')") foreach ('t_daily', '"T by month"');
# What TTL takes away is in the rollups only. A mark and a row of the open tail go along.
$node->safe_psql('original', q{
	SELECT * FROM hanzo_datastore.apply_ttl('t', '2026-03-20 12:00+00');
	INSERT INTO t VALUES ('2026-03-15 01:00+00', 77), ('2026-02-25 01:00+00', 78), ('2027-01-01', 1);});
my $answers = q{
	SELECT 'day', count(*), sum(n), min(day), max(day) FROM t_daily UNION ALL
	SELECT 'month', count(*), sum(n), min(month), max(month) FROM "T by month" UNION ALL
	SELECT 'table', count(*), NULL, min(at), max(at) FROM t};
my $expected = $node->safe_psql('original', $answers);
like($expected, qr/^day\|\d+\|200[0-9]\|2026-01-01/m, 'history outlives the rows') or diag($expected);

my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
my $round = 0;
foreach my $options ([ '-Fp' ], [ '-Fc' ], [ '-Fd', '-j', '2' ])
{
	my $copy = 'copy' . ++$round;
	$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, @$options, '-f', "$dump$round", 'original' ], "pg_dump @$options");
	$node->safe_psql('postgres', "CREATE DATABASE $copy");
	if ($options->[0] eq '-Fp')
	{
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', $copy, '-f', "$dump$round" ], 'restored');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '-e', '-h', $node->host, '-p', $node->port, '-d', $copy, '-j', '2', "$dump$round" ], 'restored');
	}
	is($node->safe_psql($copy, $answers), $expected, 'same answers');
	is( $node->safe_psql($copy, q{SELECT count(*) FILTER (WHERE managed), count(ttl) FROM hanzo_datastore.managed_tables}),
		$node->safe_psql('original', q{SELECT count(*) FILTER (WHERE managed), count(ttl) FROM hanzo_datastore.managed_tables}),
		'months and TTL');
	is($node->safe_psql($copy, q{INSERT INTO plain VALUES (1000, '2026-01-02'); SELECT sum(n) FROM plain_daily}), '101', 'a heap has its triggers');
	# Writers mark, refreshes store, the advance starts anew.
	my ($before) = $node->safe_psql($copy, 'SELECT sum(n) FROM t_daily');
	$node->safe_psql($copy, q{INSERT INTO t VALUES ('2026-02-26 01:00+00', 79), ('2026-02-27 01:00+00', 79)});
	is($node->safe_psql($copy, 'SELECT sum(n) FROM t_daily'), $before, 'rows in frozen history do not count');
	$node->safe_psql($copy, q{INSERT INTO t VALUES ('2027-02-26 01:00+00', 79), ('2027-02-27 01:00+00', 79)});
	is($node->safe_psql($copy, 'SELECT sum(n) FROM t_daily'), $before + 2, 'others do');
	$node->safe_psql($copy, "CALL hanzo_datastore.refresh_rollup('$_', '2027-03-01 12:00+00')") foreach ('t_daily', '"T by month"');
	is($node->safe_psql($copy, 'SELECT sum(n) FROM t_daily'), $before + 2, 'after a refresh, too');
	is($node->safe_psql($copy, 'SELECT sum(n) FROM "T by month"'), $before + 2, 'and by month');
	is($node->safe_psql($copy, q{SELECT live_from >= '2027-02-28' FROM hanzo_datastore.rollups WHERE rollup = 't_daily'::regclass}), 't', 'the tail is short');
	$node->safe_psql($copy, q{INSERT INTO t VALUES ('2027-01-26 01:00+00', 79)});
	is($node->safe_psql($copy, 'SELECT sum(n) FROM t_daily'), $before + 3, 'a late row counts');
	is($node->safe_psql($copy, 'SELECT count(*) > 0 FROM t_daily_marks'), 't', 'since it left a mark');
	my ($ret, $out, $err) = $node->psql($copy, 'CALL hanzo_datastore.maintain()');
	is($err, '', 'maintain() goes on');
	is(maintain_until($node, $copy, 'now', 'SELECT count(*) FROM hanzo_datastore.jobs WHERE error IS NOT NULL', '0'), '0', 'without errors');
}
$node->stop;
done_testing();
