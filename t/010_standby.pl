# A hot standby beside a primary under load. Both twins are changed by the same transactions, so whatever a snapshot on the
# standby sees, it must see in both. Recovery conflicts are the only errors, and with hot_standby_feedback there are none.
# Then what goes through WAL as a whole (TRUNCATE, VACUUM FULL, unlogged tables), and promotion in the middle of the load.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $seconds = $ENV{HANZO_STANDBY_SECONDS} // 8;
my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', q{
autovacuum = on
autovacuum_naptime = 1
max_connections = 50
max_prepared_transactions = 10
max_wal_size = 1GB
wal_keep_size = 8GB
fsync = off
wal_consistency_checking = 'all'
});
$primary->start;
create_twins($primary);
$primary->safe_psql('postgres', q{
	CREATE UNLOGGED TABLE unlogged (id integer PRIMARY KEY, v text) USING hanzo_columnar;
	INSERT INTO unlogged SELECT i, 'u' || i FROM generate_series(1, 5000) AS i;
	CALL hanzo_datastore.compact('unlogged');
	DELETE FROM unlogged WHERE id % 10 = 0;});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = 200ms\nhot_standby_feedback = off\nwal_receiver_status_interval = 1\n");
$standby->start;

# One statement, one snapshot: rows that only one twin has, and rows that the index of `c` does not find.
my $by_scan = q{SELECT count(*) FROM ((TABLE c EXCEPT ALL TABLE h) UNION ALL (TABLE h EXCEPT ALL TABLE c)) AS d};
my $by_index = q{SELECT count(*) FROM h CROSS JOIN LATERAL
	(SELECT count(*) AS n FROM c WHERE c.id = h.id AND c.n = h.n AND c.v IS NOT DISTINCT FROM h.v AND c.wide IS NOT DISTINCT FROM h.wide) AS f
	WHERE h.id % 10 = 3 AND f.n <> 1};
my $index_only = 'SET enable_seqscan = off; SET enable_bitmapscan = off; SET hanzo_datastore.enable_columnar_scan = off;';

# Asks for as long as it is told; how many answers there were, and what was wrong: answers and errors.
sub ask
{
	my ($duration) = @_;
	my ($answers, @wrong, @errors) = (0);
	# on a busy machine conflicts may end all of them in that time
	for (my $end = time() + $duration; time() < $end || ($answers == 0 && time() < $end + 60);)
	{
		# by both ways in a snapshot, which grows old in between; connections last, and with them what they remember
		my ($status, $out, $err) = eval { $standby->psql('postgres', "SET work_mem = '200MB'; $by_scan; $index_only $by_index;
			BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL enable_seqscan = on; SET LOCAL hanzo_datastore.enable_columnar_scan = on;
			$by_scan; SELECT 0 FROM pg_sleep(0.3); $by_scan; SET LOCAL enable_seqscan = off; $by_index; COMMIT;") };
		# a psql that a conflict ends before it has been handed its query
		die $@ if !defined $status && $@ !~ /Broken pipe/;
		next if !defined $status;
		if ($status == 0)
		{
			$answers++;
			push(@wrong, $out) if $out =~ /[^0\n]/;
		}
		else
		{
			push(@errors, $err);
		}
	}
	return ($answers, \@wrong, \@errors);
}

# Conflicts may end statements.
my @loads = (start_writers($primary, $seconds + 4), start_movers($primary, $seconds + 4));
sleep(1);
my ($answers, $wrong, $errors) = ask($seconds);
cmp_ok($answers, '>', 0, "$answers answers under load, " . scalar(@$errors) . ' conflicts');
is(join("\n", @$wrong), '', 'the twins are equal in each of them');
is(join("\n", grep { !/conflict with recovery|terminating connection due to conflict/ } @$errors), '', 'nothing but recovery conflicts goes wrong');
is(stop_load(@loads) =~ /(error.*|FATAL.*)/i ? $1 : '', '', 'the primary worked');
$primary->wait_for_catchup($standby);
# autovacuum goes on cleaning up after the load: the comparison may take its time
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->reload;
$standby->poll_query_until('postgres', q{SELECT current_setting('max_standby_streaming_delay')}, '-1') or die 'not reloaded';
check_twins($standby, 'standby');
check_twins($primary, 'primary');

# Page by page the standby's are the primary's: it would have stopped otherwise. Enough of that.
$primary->append_conf('postgresql.conf', "wal_consistency_checking = ''\n");
$primary->reload;
$primary->poll_query_until('postgres', q{SELECT current_setting('wal_consistency_checking')}, '') or die 'not reloaded';

# With feedback no snapshot on the standby is in the way of what the primary removes. That VACUUM cuts a file off needs a
# lock, and is no business of feedback.
$primary->safe_psql('postgres', 'ALTER TABLE c SET (vacuum_truncate = off, toast.vacuum_truncate = off); ALTER TABLE h SET (vacuum_truncate = off, toast.vacuum_truncate = off)');
$primary->wait_for_catchup($standby);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = 30s\n");
$standby->reload;
$standby->poll_query_until('postgres', q{SELECT current_setting('max_standby_streaming_delay')}, '30s') or die 'not reloaded';
# A page that a slow machine holds pinned for long may delay replay, but not for ever.
$primary->poll_query_until('postgres', 'SELECT count(backend_xmin) = 1 FROM pg_stat_replication') or die 'no feedback';
@loads = (start_writers($primary, $seconds + 4), start_movers($primary, $seconds + 4));
sleep(1);
# An old snapshot, and what a session remembers of row groups from one statement to the next.
my $old = $standby->background_psql('postgres');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $sums = 'SELECT count(*), sum(id), sum(n), sum(hashtext(v)::bigint), sum(hashtext(wide)::bigint) FROM';
my $seen = $old->query_safe("$sums c");
my $session = $standby->background_psql('postgres');
($answers, $wrong, $errors) = ask($seconds / 2);
is($session->query_safe($by_scan), '0', 'a session that stays sees the twins equal');
my ($more_answers, $more_wrong, $more_errors) = ask($seconds / 2);
is($session->query_safe($by_scan), '0', 'later, too');
cmp_ok($answers + $more_answers, '>', 0, ($answers + $more_answers) . ' answers with feedback');
is(join("\n", @$wrong, @$more_wrong), '', 'the twins are equal in each of them');
is(join("\n", @$errors, @$more_errors), '', 'no conflict');
is($old->query_safe("$sums c"), $seen, 'an old snapshot sees what it saw');
is($old->query_safe("$sums h"), $seen, 'which is what the heap shows to it');
is($old->query_safe("SET LOCAL enable_seqscan = off; SET LOCAL hanzo_datastore.enable_columnar_scan = off; $by_index"), '0', 'by index, too');
$old->quit;
is(stop_load(@loads) =~ /(error.*|FATAL.*)/i ? $1 : '', '', 'the primary worked');

# Files that are replaced as a whole.
foreach my $statement ('VACUUM FULL c', 'CLUSTER c USING c_n', 'REINDEX TABLE c', q{CALL hanzo_datastore.optimize('c')},
	'BEGIN; TRUNCATE c; INSERT INTO c TABLE h; COMMIT;', 'BEGIN; TRUNCATE c, h; ROLLBACK', 'ALTER TABLE c ALTER COLUMN n TYPE bigint; ALTER TABLE h ALTER COLUMN n TYPE bigint',
	'TRUNCATE c, h', 'COPY c FROM STDIN')
{
	if ($statement =~ /^COPY/)
	{
		my $rows = join('', map { $_ . "\t" . $_ % 10 . "\tv$_\t\\N\n" } 1 .. 20000);
		$primary->safe_psql('postgres', "COPY c FROM STDIN;\n${rows}\\.\nCOPY h FROM STDIN;\n${rows}\\.\n");
		$primary->safe_psql('postgres', q{CALL hanzo_datastore.compact('c'); DELETE FROM c WHERE id % 3 = 0; DELETE FROM h WHERE id % 3 = 0});
	}
	else
	{
		$primary->safe_psql('postgres', $statement);
	}
	$primary->wait_for_catchup($standby);
	is($session->query_safe($by_scan), '0', "standby after $statement");
	is($session->query_safe('SELECT count(*) FROM c'), $primary->safe_psql('postgres', 'SELECT count(*) FROM h'), 'with as many rows');
}
check_twins($standby, 'replaced files');
is($standby->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('c')}), '', 'verify() works on a standby');
is($standby->safe_psql('postgres', q{SELECT rows FROM hanzo_datastore.table_stats('c')}), '13334', 'so do statistics');
foreach my $statement (q{CALL hanzo_datastore.compact('c')}, q{CALL hanzo_datastore.optimize('c')}, 'DELETE FROM c', 'INSERT INTO c VALUES (0)',
	'SELECT FROM c FOR UPDATE', 'VACUUM c')
{
	my ($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY verbose\n$statement");
	like($err, qr/ERROR:  (25006|55000)/, "refused on a standby: $statement");
}
my ($status, $out, $err) = $standby->psql('postgres', 'SELECT count(*) FROM unlogged');
like($err, qr/cannot access temporary or unlogged relations during recovery/, 'an unlogged table cannot be read');

# Moves of pages that are all-visible, cancelled at many places and done in the end: what clears the map is in the log, and
# index-only scans on the standby find each row once.
$primary->safe_psql('postgres', q{
	CREATE TABLE seen (id integer PRIMARY KEY, v text) USING hanzo_columnar;
	INSERT INTO seen SELECT i, repeat('v', 300) FROM generate_series(1, 30000) AS i;
	VACUUM (FREEZE) seen;});
my $cancelled = 0;
foreach my $timeout (map { $_ * 6 } 1 .. 40)
{
	my ($status, $out, $err) = $primary->psql('postgres', "SET statement_timeout = $timeout; CALL hanzo_datastore.compact('seen')");
	$cancelled++ if $err =~ /statement timeout/;
}
cmp_ok($cancelled, '>', 0, "$cancelled moves were cancelled");
$primary->safe_psql('postgres', q{CALL hanzo_datastore.compact('seen')});
$primary->wait_for_catchup($standby);
is($_->safe_psql('postgres', "$index_only SELECT count(id), sum(id) FROM seen WHERE id > 0"), '30000|450015000', 'each row is found once on ' . $_->name) foreach ($primary, $standby);

# Promotion in the middle of the load: what was in progress is gone from both twins.
@loads = (start_writers($primary, 60), start_movers($primary, 60));
sleep(2);
$standby->promote;
$primary->stop('immediate');
stop_load(@loads);
is($session->query_safe($by_scan), '0', 'a session that saw the promotion');
is($session->query_safe("DELETE FROM c WHERE id % 5 = 0; DELETE FROM h WHERE id % 5 = 0; $by_scan"), '0', 'and deletes rows');
$session->quit;
check_twins($standby, 'promoted');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM unlogged'), '0', 'the unlogged table is empty');
is($standby->safe_psql('postgres', q{
		INSERT INTO unlogged SELECT i, 'u' || i FROM generate_series(1, 5000) AS i;
		CALL hanzo_datastore.compact('unlogged');
		SELECT count(*), (SELECT rows FROM hanzo_datastore.table_stats('unlogged')) FROM unlogged}),
	'5000|5000', 'and can be used');
is(stop_load(start_writers($standby, 3), start_movers($standby, 3)) =~ /(error.*|FATAL.*)/i ? $1 : '', '', 'the promoted server works');
$standby->safe_psql('postgres', $_) foreach (q{CALL hanzo_datastore.compact('c')}, 'VACUUM c', 'VACUUM FULL c');
check_twins($standby, 'load after promotion');
$standby->stop;
done_testing();
