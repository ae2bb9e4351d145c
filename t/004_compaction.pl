# Compaction seen from other sessions: its progress, writers and readers beside it, cancelling it half-way.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('compaction');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\nlock_timeout = '10s'\n"
	# no checkpoint makes, or takes away, files of the log
	. "checkpoint_timeout = 1h\nmax_wal_size = 20GB\n");
$node->start;
create_twins($node);

# An index expression that waits while somebody holds an advisory lock: compaction stops in the middle of a move, after
# it has written rows and before it takes the old versions away.
$node->safe_psql('postgres', q{
CREATE FUNCTION gate(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_setting('application_name') = 'mover' AND $1 = 2000 THEN
		PERFORM pg_advisory_lock_shared(1);
		PERFORM pg_advisory_unlock_shared(1);
	END IF;
	RETURN $1;
END $$;
CREATE INDEX c_gate ON c (gate(id));
INSERT INTO c SELECT i, i % 10, 'v' || i FROM generate_series(1, 5000) AS i;
INSERT INTO h SELECT * FROM c;
});
my $holder = $node->background_psql('postgres');
my $waiting = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'mover' AND wait_event = 'advisory'};

sub start_mover
{
	my ($call) = @_;
	my $mover = $node->background_psql('postgres', on_error_stop => 0);
	$mover->query_safe("SET application_name = mover");
	$mover->query_until(qr/started/, "\\echo started\nCALL hanzo_datastore.$call('c');\n\\echo ended\n");
	return $mover;
}

foreach my $call ('compact', 'optimize')
{
	$holder->query_safe('SELECT pg_advisory_lock(1)');
	my $mover = start_mover($call);
	$node->poll_query_until('postgres', $waiting) or die "$call does not reach the gate";

	# compact: group by group out of the delta; 5,000 rows in groups of 2,048, and row 2000 is in the first by id % 10.
	my ($relation, $phase, $done, $total) = split(/\|/,
		$node->safe_psql('postgres', 'SELECT relation, phase, rows_done, rows_total FROM hanzo_datastore.compaction_progress'));
	is($relation, 'c', "$call: its progress is seen");
	is($phase, $call eq 'compact' ? 'moving rows out of the delta' : 'writing sorted row groups', "$call: and its phase");
	cmp_ok($done, '<=', $total, "$call: $done rows of $total");
	is($total, 5000, "$call: all rows are to do");

	# Nobody waits: reads, inserts, updates and deletes of the very rows that are being moved, upserts, row locks.
	my $work = q{
		SELECT count(*) FROM %s;
		UPDATE %s SET v = v || ' updated' WHERE id BETWEEN 100 AND 300;
		DELETE FROM %s WHERE id BETWEEN 1000 AND 1100;
		INSERT INTO %s VALUES (1050, 1, 'again'), (20000, 1, 'new');
		INSERT INTO %s VALUES (7, 77, 'x') ON CONFLICT (id) DO UPDATE SET n = excluded.n;
		SELECT count(*) FROM (SELECT FROM %s WHERE id < 50 FOR UPDATE) AS q;
		DELETE FROM %s WHERE id = 20000;
		UPDATE %s SET v = replace(v, ' updated', '') WHERE id BETWEEN 100 AND 300;
		DELETE FROM %s WHERE id BETWEEN 1000 AND 1100;
		INSERT INTO %s SELECT i, i % 10, 'v' || i FROM generate_series(1000, 1100) AS i;};
	foreach my $table ('c', 'h')
	{
		(my $statements = $work) =~ s/%s/$table/g;
		$node->safe_psql('postgres', "SET lock_timeout = '100ms'; $statements");
	}
	is(differences($node, 'c', 'h'), '0', "$call: rows are right while they move");

	$holder->query_safe('SELECT pg_advisory_unlock(1)');
	$mover->query_until(qr/ended/, "\n");
	$mover->quit;
	is($node->safe_psql('postgres', 'SELECT count(*) FROM hanzo_datastore.compaction_progress'), '0', "$call: no progress afterwards");
	$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('c')});
	check_twins($node, $call);
	is($node->safe_psql('postgres', q{SELECT rows, delta_rows FROM hanzo_datastore.table_stats('c')}), '5000|0', "$call: everything is in columns");
}

# A second compaction, VACUUM and DDL wait for the first; ANALYZE too; reads do not.
$node->safe_psql('postgres', q{TRUNCATE c; INSERT INTO c SELECT * FROM h});
$holder->query_safe('SELECT pg_advisory_lock(1)');
my $mover = start_mover('compact');
$node->poll_query_until('postgres', $waiting) or die 'compaction does not reach the gate';
foreach my $statement (q{CALL hanzo_datastore.compact('c')}, 'ALTER TABLE c ADD COLUMN later integer')
{
	my ($status, $out, $err) = $node->psql('postgres', "SET lock_timeout = '50ms'; $statement");
	like($err, qr/canceling statement due to lock timeout/, "waits: $statement");
}

# Cancelled half-way: what was moved stays moved, the rest stays where it was; the next one goes on.
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'mover'});
$mover->query_until(qr/ended/, "\n");
$mover->quit;
like($mover->{stderr}, qr/canceling statement due to user request/, 'compaction can be cancelled');
$holder->query_safe('SELECT pg_advisory_unlock(1)');
check_twins($node, 'cancelled');
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('c'); VACUUM c});
check_twins($node, 'after the next one');
is($node->safe_psql('postgres', q{SELECT delta_rows FROM hanzo_datastore.table_stats('c')}), '0', 'which moves what was left');

# A session that knows a group as settled takes over a snapshot from before that group's load.
$node->safe_psql('postgres', q{CREATE TABLE shared (i integer) USING hanzo_columnar;
	COPY shared FROM PROGRAM 'seq 20000'; CALL hanzo_datastore.compact('shared');});
my $exporter = $node->background_psql('postgres');
my $snapshot = $exporter->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot()');
$node->safe_psql('postgres', q{COPY shared FROM PROGRAM 'seq 30000'; CALL hanzo_datastore.compact('shared');});
is($node->safe_psql('postgres', qq{SELECT count(*) FROM shared; SELECT count(*) FROM shared;
	BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '$snapshot'; SELECT count(*) FROM shared}),
	"50000\n50000\n20000", 'an imported snapshot does not see what its exporter does not');
is($exporter->query_safe('SELECT count(*) FROM shared'), '20000', 'nor does the exporter');
$exporter->quit;

# A transaction in another database holds the snapshots' xmin, and yet protects no row of this one: a session must not rely on what it
# knew of a delete vector at the same xmin, for the mark that was folded since is gone.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('postgres', q{CREATE TABLE folded (k integer PRIMARY KEY, v text) USING hanzo_columnar;
	SELECT hanzo_datastore.alter_columnar_table('folded', row_group_rows => 2048);
	INSERT INTO folded SELECT i, 'old' FROM generate_series(1, 2048) AS i; CALL hanzo_datastore.compact('folded');
	DELETE FROM folded WHERE k = 7});
my $elsewhere = $node->background_psql('other');
$elsewhere->query_safe('BEGIN; SELECT pg_current_xact_id()');
my $upserter = $node->background_psql('postgres');
my $upsert = q{INSERT INTO folded VALUES (%d, 'new') ON CONFLICT (k) DO UPDATE SET v = folded.v || ' and new'};
$upserter->query_safe(sprintf($upsert, 5));
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('folded')});
$node->safe_psql('postgres', 'VACUUM folded');
$upserter->query_safe(sprintf($upsert, 7));
is($node->safe_psql('postgres', q{SELECT string_agg(v, ', ' ORDER BY k) FROM folded WHERE k IN (5, 6, 7)}),
	'old and new, old, new', 'a row that was deleted and folded does not come back');
$upserter->quit;
$elsewhere->quit;

# Readers with an old snapshot keep their rows through compaction, VACUUM and another optimize.
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TEMPORARY TABLE before AS SELECT * FROM c');
$node->safe_psql('postgres', q{
	DELETE FROM c WHERE id % 2 = 0;
	UPDATE c SET v = 'changed' WHERE id % 3 = 0;
	CALL hanzo_datastore.compact('c');
	VACUUM c;
	CALL hanzo_datastore.optimize('c');
	VACUUM c;
});
is( $reader->query_safe('SELECT count(*) FROM ((TABLE c EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE c)) AS d'),
	'0', 'an old snapshot sees what it saw, by scan');
is( $reader->query_safe(
		q{SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL hanzo_datastore.enable_columnar_scan = off;
			SELECT count(*) FROM before AS b WHERE NOT EXISTS (SELECT FROM c WHERE c.id = b.id AND c.v = b.v)}),
	'0', 'and by index');
$reader->query_safe('COMMIT');

# A session that has seen row groups of a load that was rolled back, at the end of a TOAST relation that VACUUM has cut off
# since.
$node->safe_psql('postgres', q{
	CREATE TABLE tail (id integer, v text) USING hanzo_columnar;
	SELECT hanzo_datastore.alter_columnar_table('tail', row_group_rows => 2048);
	COPY tail FROM PROGRAM 'seq 20000 | sed "s/.*/&\t&/"';
	CALL hanzo_datastore.compact('tail');});
my $loader = $node->background_psql('postgres');
$loader->query_safe(q{BEGIN; COPY tail FROM PROGRAM 'seq 100000 | sed "s/.*/&\t&/"'});
is($reader->query_safe('SELECT count(*) FROM tail'), '20000', 'a load in progress is not seen');
$loader->query_safe('ROLLBACK');
$loader->quit;
my $toast = $node->safe_psql('postgres', q{SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'tail'::regclass});
my $size = qq{SELECT pg_relation_size('$toast')};
my $before = $node->safe_psql('postgres', $size);
$node->safe_psql('postgres', "VACUUM $toast");
cmp_ok($node->safe_psql('postgres', $size), '<', $before, 'VACUUM cuts the TOAST relation off');
is($reader->query_safe('SELECT count(*), sum(id) FROM tail'), '20000|200010000', 'what was remembered of the tail does no harm');
$reader->quit;
$holder->quit;

# COPY through a primary key: long values fill the TOAST relation first. Nothing that never moves may stand behind them, or
# VACUUM cannot give their space back once optimize() has written to the front.
$node->safe_psql('postgres', q{
	CREATE TABLE front (id integer PRIMARY KEY, v text) USING hanzo_columnar;
	SELECT hanzo_datastore.alter_columnar_table('front', order_by => 'id');
	CREATE TABLE front_h (LIKE front) USING heap;
	INSERT INTO front_h
	SELECT i, (SELECT string_agg(md5((i * 1000 + j)::text), '') FROM generate_series(1, 100) AS j) FROM generate_series(1, 3000) AS i;});
my $rows = $node->backup_dir . '/front.copy';
mkdir $node->backup_dir;
$node->safe_psql('postgres', "COPY front_h TO '$rows'; COPY front FROM '$rows'; CALL hanzo_datastore.compact('front')");
$node->safe_psql('postgres', 'VACUUM front');
my $kilobytes = q{SELECT column_store_bytes / 1024, compressed_bytes / 1024, row_groups FROM hanzo_datastore.columnar_tables WHERE relation = 'front'::regclass};
my ($file, $live, $groups) = split(/\|/, $node->safe_psql('postgres', $kilobytes));
is($groups, 1, 'the load is one row group');
cmp_ok($file, '>', 2 * $live, "behind the space of what the delta had: $file kB for $live kB");
$node->safe_psql('postgres', "CALL hanzo_datastore.optimize('front')");
$node->safe_psql('postgres', 'VACUUM front');
($file, $live) = split(/\|/, $node->safe_psql('postgres', $kilobytes));
cmp_ok($file, '<', 1.25 * $live, "after optimize() and VACUUM: $file kB for $live kB");
is(differences($node, 'front', 'front_h'), '0', 'its rows are those of the heap');
is($node->safe_psql('postgres', q{SELECT count(*) FROM hanzo_datastore.verify('front')}), '0', 'verify finds nothing');

# The file of the next WAL segment is there before it is needed: who commits beside a move does not wait for 16 MB of zeros.
my $ahead = q{SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_insert_lsn()) AND name ~ '^[0-9A-F]{24}$'};
$node->safe_psql('postgres', 'CREATE TABLE ahead (v text) USING hanzo_columnar');
for (1 .. 200)
{
	last if $node->safe_psql('postgres', $ahead) eq '0';
	$node->safe_psql('postgres', "SELECT pg_logical_emit_message(false, 'ahead', ''), pg_switch_wal()");
}
$node->safe_psql('postgres', q{
	INSERT INTO ahead SELECT repeat(md5(i::text), 10) FROM generate_series(1, pg_size_bytes(current_setting('wal_segment_size')) / 3 / 400) AS i});
is($node->safe_psql('postgres', $ahead), '0', 'the last WAL segment is more than a quarter full');
$node->safe_psql('postgres', "CALL hanzo_datastore.compact('ahead')");
cmp_ok($node->safe_psql('postgres', $ahead), '>', 0, 'a move makes the next one');
$node->stop;
done_testing();
