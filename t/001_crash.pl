# Crashes under load: after recovery the columnar table and the heap that every transaction changed alike are equal.
# HANZO_CRASH_ROUNDS: how many crashes (a few in CI, hundreds by hand).
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{HANZO_CRASH_ROUNDS} // 20;
my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = on
autovacuum_naptime = 1
max_prepared_transactions = 10
checkpoint_timeout = 30s
max_wal_size = 64MB
restart_after_crash = on
fsync = off
});
$node->start;
create_twins($node);

foreach my $round (1 .. $rounds)
{
	my @loads = (start_writers($node, 60), start_movers($node, 60));
	sleep(1 + rand(2));
	if ($round % 2)
	{
		# One backend dies; the server restarts by itself.
		my $pid;
		foreach my $try (1 .. 600)
		{
			$pid = $node->safe_psql('postgres',
				q{SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench' ORDER BY random() LIMIT 1});
			# there may be none yet, and the chosen one may have ended
			last if $pid && kill('KILL', $pid);
			$pid = '';
			sleep(0.1);
		}
		ok($pid, "crash $round: a backend at work");
		stop_load(@loads);
		wait_for_server($node, $pid);
	}
	else
	{
		$node->stop('immediate');
		stop_load(@loads);
		$node->start;
	}
	check_twins($node, "crash $round");
}
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM c'), '>', 100, 'there was something to lose');
cmp_ok($node->safe_psql('postgres', 'SELECT row_groups FROM hanzo_datastore.table_stats(\'c\')'), '>', 0, 'also in columns');

# Without a crash, and nobody at work: nothing but successes.
my $said = stop_load(start_writers($node, 3), start_movers($node, 3));
unlike($said, qr/error|aborted|FATAL/i, 'writers and movers do not get in each other\'s way');
check_twins($node, 'load');

# Stages of one transaction, each followed by a crash: what was committed is there, nothing else.
my $load = q{INSERT INTO c SELECT i, 1, 'stage' FROM generate_series(100001, 103000) AS i;
	INSERT INTO h SELECT i, 1, 'stage' FROM generate_series(100001, 103000) AS i;};
my $change = q{UPDATE c SET v = v || '!' WHERE id % 3 = 0; UPDATE h SET v = v || '!' WHERE id % 3 = 0;
	DELETE FROM c WHERE id % 7 = 0; DELETE FROM h WHERE id % 7 = 0;};
my %stages = (
	'committed insert' => $load,
	'committed change of columnar rows' => "CALL hanzo_datastore.compact('c'); $change",
	'committed truncate' => "BEGIN; TRUNCATE c; TRUNCATE h; $load COMMIT;",
	'committed move' => "CALL hanzo_datastore.compact('c'); CALL hanzo_datastore.optimize('c');",
	'prepared change' => "BEGIN; $change PREPARE TRANSACTION 'p';");
foreach my $stage (sort keys %stages)
{
	$node->safe_psql('postgres', 'DELETE FROM c WHERE id > 100000; DELETE FROM h WHERE id > 100000;') if $stages{$stage} eq $load;
	$node->safe_psql('postgres', $stages{$stage});
	$node->stop('immediate');
	$node->start;
	$node->safe_psql('postgres', "COMMIT PREPARED 'p'") if $stage =~ /prepared/;
	check_twins($node, $stage);
}

# Open transactions die with the server.
foreach my $stage ($load, $change, 'TRUNCATE c; TRUNCATE h;')
{
	my $before = $node->safe_psql('postgres', 'SELECT count(*), sum(n) FROM c');
	my $session = $node->background_psql('postgres');
	$session->query_safe('BEGIN; DELETE FROM c WHERE id > 100000; DELETE FROM h WHERE id > 100000; ' . $stage);
	$node->stop('immediate');
	eval { $session->quit };
	$node->start;
	is($node->safe_psql('postgres', 'SELECT count(*), sum(n) FROM c'), $before, 'an open transaction leaves nothing');
	check_twins($node, 'after an open transaction');
}

# Foreign key checks of prepared transactions hold KEY SHARE locks on a compacted row. Its new version inherits them, by a log
# record of ours, and has them after a crash, one holder or two.
$node->safe_psql('postgres', q{CREATE TABLE parent (id integer PRIMARY KEY, n integer) USING hanzo_columnar; CREATE TABLE child (id integer REFERENCES parent);
	INSERT INTO parent VALUES (1, 0), (2, 0)});
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('parent')});
$node->safe_psql('postgres', "BEGIN; INSERT INTO child VALUES ($_->[1]); PREPARE TRANSACTION '$_->[0]'") foreach ([ 'a', 1 ], [ 'b', 2 ], [ 'c', 2 ]);
$node->safe_psql('postgres', 'UPDATE parent SET n = n + 1');
$node->stop('immediate');
$node->start;
foreach my $id (1, 2)
{
	my ($result, $out, $err) = $node->psql('postgres', "SET lock_timeout = '200ms'; DELETE FROM parent WHERE id = $id");
	like($err, qr/canceling statement due to lock timeout/, "row $id is still held");
	is($node->safe_psql('postgres', "SET lock_timeout = '200ms'; UPDATE parent SET n = n + 1 WHERE id = $id RETURNING n"), '2', 'for others than updates');
}
$node->safe_psql('postgres', "COMMIT PREPARED 'a'");
$node->safe_psql('postgres', "ROLLBACK PREPARED 'b'");
my ($result, $out, $err) = $node->psql('postgres', 'DELETE FROM parent WHERE id = 1');
like($err, qr/violates foreign key constraint/, 'and is referred to');
($result, $out, $err) = $node->psql('postgres', "SET lock_timeout = '200ms'; DELETE FROM parent WHERE id = 2");
like($err, qr/canceling statement due to lock timeout/, 'one of two holders is left');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'c'");
is($node->safe_psql('postgres', 'DELETE FROM parent WHERE id = 2 RETURNING n'), '2', 'then nobody');

$node->stop;
done_testing();
