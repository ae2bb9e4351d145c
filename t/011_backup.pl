# A base backup taken under load, and recovery from it and the archive: to a restore point, to a transaction, to the end of
# the archive; the twins are equal wherever recovery ends, and what must not be there is not. Checksums of pages, amcheck,
# pg_rewind.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('source');
$node->init(has_archiving => 1, allows_streaming => 1, extra => ['--data-checksums']);
$node->append_conf('postgresql.conf', q{
autovacuum = on
autovacuum_naptime = 1
max_connections = 50
max_prepared_transactions = 10
max_wal_size = 256MB
wal_keep_size = 2GB
fsync = off
});
$node->start;
create_twins($node);
$node->safe_psql('postgres', q{
	CREATE TABLE steps (step text);
	CREATE TABLE b (id integer, v text) USING hanzo_columnar;
	CREATE TABLE b_h (id integer, v text);
	CREATE TABLE copied (id integer PRIMARY KEY, v text) USING hanzo_columnar;});

my @loads = (start_writers($node, 60), start_movers($node, 60));
sleep(1);
$node->backup('base');
command_ok([ 'pg_verifybackup', '-n', $node->backup_dir . '/base' ], 'the backup is what its manifest says');
sleep(1);
# Changes that a target lies before or after; each twin in the same transaction.
my $step = sub
{
	my ($name) = @_;
	return $node->safe_psql('postgres', qq{
		BEGIN;
		INSERT INTO steps VALUES ('$name');
		COPY b FROM PROGRAM 'seq 20000 | sed "s/.*/&\t$name&/"';
		INSERT INTO b_h SELECT i, '$name' || i FROM generate_series(1, 20000) AS i;
		DELETE FROM b WHERE id % 7 = 3;
		DELETE FROM b_h WHERE id % 7 = 3;
		SELECT pg_current_xact_id()::xid;
		COMMIT;});
};
$step->('first');
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('b')});
$node->safe_psql('postgres', q{SELECT pg_create_restore_point('point')});
my $xid = $step->('second');
$node->safe_psql('postgres', q{CALL hanzo_datastore.optimize('b')});
$node->safe_psql('postgres', 'VACUUM b');
$step->('third');
$node->safe_psql('postgres', 'BEGIN; TRUNCATE b, b_h; INSERT INTO steps VALUES (\'truncated\'); COMMIT');
$node->safe_psql('postgres', 'INSERT INTO b VALUES (1, \'fourth\'); INSERT INTO b_h VALUES (1, \'fourth\')');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgbench'});
stop_load(@loads);
$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
my $archived = $node->safe_psql('postgres', 'SELECT pg_walfile_name(pg_current_wal_lsn())');
$node->safe_psql('postgres', 'CHECKPOINT; SELECT pg_switch_wal()');
$node->poll_query_until('postgres', "SELECT last_archived_wal >= '$archived' FROM pg_stat_archiver") or die 'not archived';

my %targets = (
	'restore point' => [ "recovery_target_name = 'point'", 'first' ],
	'transaction' => [ "recovery_target_xid = '$xid'", 'first second' ],
	'before a transaction' => [ "recovery_target_xid = '$xid'\nrecovery_target_inclusive = off", 'first' ],
	'end of the archive' => [ '', 'first second third truncated' ]);
my $last;
foreach my $what (sort keys %targets)
{
	my ($target, $steps) = @{ $targets{$what} };
	(my $name = $what) =~ tr/ /_/;
	my $copy = PostgreSQL::Test::Cluster->new($name);
	$copy->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
	$copy->append_conf('postgresql.conf', "archive_mode = off\n$target\n" . ($target ? "recovery_target_action = promote\n" : ''));
	$copy->start;
	$copy->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die "$what: recovery does not end";
	is($copy->safe_psql('postgres', q{SELECT string_agg(step, ' ') FROM steps}), $steps, "$what: where it should end");
	is(differences($copy, 'b', 'b_h'), '0', "$what: the loaded table");
	cmp_ok($copy->safe_psql('postgres', 'SELECT count(*) FROM b_h'), '>=', $steps =~ /truncated/ ? 1 : 17000, "$what: it has rows");
	is($copy->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('b')}), '', "$what: nothing of it is damaged");
	check_twins($copy, $what);
	# a new life
	$copy->safe_psql('postgres', $_) foreach (q{CALL hanzo_datastore.compact('c')}, 'VACUUM c', q{CALL hanzo_datastore.optimize('b')}, 'VACUUM b');
	is(stop_load(start_writers($copy, 1), start_movers($copy, 1)) =~ /(error.*|FATAL.*)/i ? $1 : '', '', "$what: goes on");
	is(differences($copy, 'b', 'b_h'), '0', "$what: the loaded table, later");
	$copy->stop;
	command_ok([ 'pg_checksums', '--check', '-D', $copy->data_dir ], "$what: checksums of all pages are right");
}

# amcheck: the table is no heap to it, which it says; the column store is, and so is the index on it.
my ($status, $out, $err) = $node->psql('postgres', q{SELECT * FROM verify_heapam('c')});
like($err, qr/ERROR:  only heap AM is supported/, 'verify_heapam refuses a columnar table');
foreach my $table ('c', 'b')
{
	my $toast = $node->safe_psql('postgres', qq{SELECT reltoastrelid::regclass FROM pg_class WHERE oid = '$table'::regclass});
	my $index = $node->safe_psql('postgres', qq{SELECT indexrelid::regclass FROM pg_index WHERE indrelid = '$toast'::regclass});
	is($node->safe_psql('postgres', qq{SELECT * FROM verify_heapam('$toast')}), '', "verify_heapam finds nothing in the column store of $table");
	is($node->safe_psql('postgres', qq{SELECT count(bt_index_parent_check('$index', true, true))}), '1', 'nor bt_index_parent_check in its index');
}
command_ok([ 'pg_amcheck', '-h', $node->host, '-p', $node->port, '--heapallindexed', '--parent-check', '--all' ], 'pg_amcheck passes');

# pg_rewind: a standby is promoted, the old primary goes on for a while, then follows.
$node->backup('again');
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init_from_backup($node, 'again', has_streaming => 1);
$new->append_conf('postgresql.conf', "archive_mode = off\n");
$new->start;
$node->wait_for_catchup($new);
$new->promote;
is(stop_load(start_writers($node, 2), start_movers($node, 2)) =~ /(error.*|FATAL.*)/i ? $1 : '', '', 'the old primary works');
$node->safe_psql('postgres', q{INSERT INTO copied SELECT i, 'lost' FROM generate_series(1, 3000) AS i; CALL hanzo_datastore.compact('copied'); VACUUM FULL c; CHECKPOINT});
stop_load(start_writers($new, 2), start_movers($new, 2));
$new->safe_psql('postgres', 'CHECKPOINT');
$node->stop;
my $conf = slurp_file($node->data_dir . '/postgresql.conf');
command_ok([ 'pg_rewind', '--target-pgdata', $node->data_dir, '--source-server', $new->connstr('postgres'), '--no-sync' ], 'pg_rewind');
unlink($node->data_dir . '/postgresql.conf');
append_to_file($node->data_dir . '/postgresql.conf', $conf . "archive_mode = off\nmax_standby_streaming_delay = -1\n");
$node->enable_streaming($new);
$node->set_standby_mode;
$node->start;
$new->safe_psql('postgres', q{INSERT INTO copied SELECT i, 'new' FROM generate_series(1, 2500) AS i; CALL hanzo_datastore.compact('copied')});
$new->wait_for_catchup($node);
check_twins($node, 'rewound');
is($node->safe_psql('postgres', 'SELECT v, count(*) FROM copied GROUP BY 1'), 'new|2500', 'what only the old primary had is gone');
is($node->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('copied')}), '', 'nothing is damaged');
$node->stop;
$new->stop;
done_testing();
