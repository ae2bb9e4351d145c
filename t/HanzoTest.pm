# What the TAP tests share: a columnar table `c` and a heap `h` that every transaction changes alike, writers and movers
# at work on both, and the comparison of the two.
package HanzoTest;

use strict;
use warnings;
use Exporter 'import';
use IPC::Run qw(start finish kill_kill);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(create_twins start_writers start_movers stop_load check_twins differences wait_for_server script pgbench maintain_until);

# Rows of `c` that `h` has not, and the other way round, doubles counted.
sub differences
{
	my ($node, $c, $h, $db) = @_;
	# in memory: some tests leave no room for temporary files
	return $node->safe_psql($db // 'postgres',
		"SET work_mem = '200MB'; SELECT count(*) FROM ((TABLE $c EXCEPT ALL TABLE $h) UNION ALL (TABLE $h EXCEPT ALL TABLE $c)) AS d");
}

# Calls maintain() until a query has its result and no step has failed last, for three minutes at the most. Autovacuum, and whoever else is at
# work on the tables, may send a step away, and on a slow machine a step's five seconds may not do; the next call goes on.
# Returns what the query says.
sub maintain_until
{
	my ($node, $db, $now, $query, $expected) = @_;
	my $result;
	for (my ($call, $end) = (1, time() + 180); $call <= 10 || time() < $end; $call++)
	{
		$node->safe_psql($db, "CALL hanzo_datastore.maintain('$now')");
		$result = $node->safe_psql($db, $query);
		my $failed = $node->safe_psql($db, q{SELECT string_agg(concat_ws(' ', job, relation, error), '; ') FROM hanzo_datastore.jobs WHERE error IS NOT NULL});
		last if $result eq $expected && $failed eq '';
		note("call $call: $result; $failed");
		$node->safe_psql($db, 'UPDATE hanzo_datastore.maintenance_state SET next_run = NULL, seen = NULL');
		sleep(0.2);
	}
	return $result;
}

sub create_twins
{
	my ($node) = @_;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION hanzo_datastore;
		CREATE EXTENSION amcheck;
		CREATE TABLE c (id integer PRIMARY KEY, n integer, v text, wide text) USING hanzo_columnar;
		CREATE TABLE h (id integer PRIMARY KEY, n integer, v text, wide text) USING heap;
		CREATE INDEX c_n ON c (n);
		SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'n, id', row_group_rows => 2048);
	});
	return;
}

# Scripts of pgbench. The advisory lock makes both tables see the same order of changes of one row.
my $row_script = q{
\set id random(1, 3000)
\set what random(1, 10)
\set n random(1, 100)
BEGIN;
SELECT pg_advisory_xact_lock(:id);
\if :what <= 6
INSERT INTO c VALUES (:id, :n, 'new', NULL) ON CONFLICT (id) DO UPDATE SET n = excluded.n, v = c.v || :n;
INSERT INTO h VALUES (:id, :n, 'new', NULL) ON CONFLICT (id) DO UPDATE SET n = excluded.n, v = h.v || :n;
\elif :what <= 8
DELETE FROM c WHERE id = :id;
DELETE FROM h WHERE id = :id;
\else
UPDATE c SET wide = repeat(md5(:n::text), 200) WHERE id = :id;
SAVEPOINT s;
DELETE FROM c WHERE id = :id;
ROLLBACK TO s;
UPDATE h SET wide = repeat(md5(:n::text), 200) WHERE id = :id;
\endif
\if :what = 5
ROLLBACK;
\else
COMMIT;
\endif
};
# Many rows at a time, in a range of ids of the client's own.
my $batch_script = q{
\set base 10000 + :client_id * 10000
\set from random(0, 9000)
\set n random(1, 100)
BEGIN;
DELETE FROM c WHERE id BETWEEN :base + :from AND :base + :from + 300;
DELETE FROM h WHERE id BETWEEN :base + :from AND :base + :from + 300;
INSERT INTO c SELECT i, :n, md5(i::text) FROM generate_series(:base + :from, :base + :from + 250) AS i;
INSERT INTO h SELECT i, :n, md5(i::text) FROM generate_series(:base + :from, :base + :from + 250) AS i;
COMMIT;
};

sub script
{
	my ($name, $text) = @_;
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/$name.sql";
	open(my $handle, '>', $file) or die "cannot write $file: $!";
	print $handle $text;
	close($handle);
	return $file;
}

# Starts pgbench on the node; its output is not looked at, since the server may be killed under it.
sub pgbench
{
	my ($node, $seconds, $clients, @scripts) = @_;
	my ($out, $err) = ('', '');
	# by this name tests find its sessions; PostgreSQL::Test::Utils sets another
	local $ENV{PGAPPNAME} = 'pgbench';
	my @command = ('pgbench', '-n', '-h', $node->host, '-p', $node->port, '-T', $seconds, '-c', $clients, '-j', 1, '-U',
		scalar(getpwuid($<)), (map { ('-f', $_) } @scripts), 'postgres');
	return { run => start(\@command, '<', \'', '>', \$out, '2>', \$err), err => \$err };
}

sub start_writers
{
	my ($node, $seconds) = @_;
	return (pgbench($node, $seconds, 4, script('row', $row_script) . '@5', script('batch', $batch_script) . '@1'));
}

sub start_movers
{
	my ($node, $seconds) = @_;
	return (
		pgbench($node, $seconds, 1, script('compact', "CALL hanzo_datastore.compact('c');\n") . '@6',
			script('optimize', "CALL hanzo_datastore.optimize('c');\n") . '@1'),
		pgbench($node, $seconds, 1, script('vacuum', "VACUUM c;\nSELECT pg_sleep(0.05);\n")));
}

# Waits for the end of pgbenches; returns what they said on stderr.
sub stop_load
{
	my (@loads) = @_;
	my $said = '';
	foreach my $load (@loads)
	{
		# a client of a killed server exits with an error
		eval { finish($load->{run}) };
		$said .= ${ $load->{err} };
	}
	return $said;
}

# Waits until a server that restarts by itself takes queries. A psql that is refused may end before it has been handed its
# query, which IPC::Run reports by dying.
# Until the server is there again. After a backend was killed, its number is in pg_stat_activity until the server has noticed
# and begun anew; who asks before is thrown out a moment later.
sub wait_for_server
{
	my ($node, $killed) = @_;
	my $query = 'SELECT ' . ($killed ? "NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $killed)" : 'true');
	foreach my $try (1 .. 600)
	{
		return if eval { $node->poll_query_until('postgres', $query) };
		sleep(0.1);
	}
	die 'the server does not come back';
}

# The twins hold the same rows, by scan and by index, and nothing of `c` is damaged. Of a standby, too, where amcheck may
# not lock an index against writers.
sub check_twins
{
	my ($node, $what) = @_;
	my $check = 'bt_index_parent_check(i, true, true)';
	$check = 'bt_index_check(i, true)' if $node->safe_psql('postgres', 'SELECT pg_is_in_recovery()') eq 't';
	is(differences($node, 'c', 'h'), '0', "$what: same rows as the heap");
	is( $node->safe_psql('postgres', q{
			SET enable_seqscan = off; SET enable_bitmapscan = off; SET hanzo_datastore.enable_columnar_scan = off;
			SELECT count(*) FROM h CROSS JOIN LATERAL (SELECT count(*) AS n FROM c WHERE c.id = h.id AND c.v IS NOT DISTINCT FROM h.v) AS f
			WHERE f.n <> 1}),
		'0',
		"$what: same rows by index");
	is( $node->safe_psql('postgres',
			"SELECT count(($check)::text) FROM unnest('{c_pkey,c_n}'::regclass[]) AS i"),
		'2',
		"$what: indexes are sound");
	is($node->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('c')}), '', "$what: nothing is damaged");
	return;
}

1;
