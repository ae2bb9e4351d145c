# Transaction ids that wrap around. Everything of the column store is a heap tuple: directory entries, marks, vectors,
# forwards, META must all be frozen with their tables, or be read wrong once 2^31 transactions have passed. pg_resetwal
# moves the counter on by nearly as much as may lie between two freezes, four times, so that it passes 2^32.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('freeze');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
fsync = off
max_prepared_transactions = 10
log_min_messages = warning
autovacuum_naptime = 1
autovacuum_freeze_max_age = 100000
});
$node->start;
create_twins($node);
# `drained` has lost all its rows, `bare` never had any; `columns` is filled by COPY, without an index; `plain` has no
# column store worth the name.
$node->safe_psql('postgres', q{
	UPDATE pg_database SET datallowconn = true;
	CREATE TABLE bare (id integer) USING hanzo_columnar;
	CREATE TABLE drained (id integer PRIMARY KEY) USING hanzo_columnar;
	CREATE TABLE columns (id integer, n integer, v text, wide text) USING hanzo_columnar;
	CREATE TABLE columns_h (LIKE columns) USING heap;
	CREATE TABLE plain (id integer PRIMARY KEY, n integer) USING hanzo_columnar;
	CREATE TABLE plain_h (LIKE plain) USING heap;
	SELECT hanzo_datastore.alter_columnar_table(t, row_group_rows => 2048) FROM unnest('{drained,columns,plain}'::regclass[]) AS t;
	INSERT INTO drained SELECT generate_series(1, 3000);
	CALL hanzo_datastore.compact('drained');
	DELETE FROM drained;
	CREATE TABLE forwarded (id integer PRIMARY KEY) USING hanzo_columnar;
	CREATE TABLE forwarded_long (id integer PRIMARY KEY) USING hanzo_columnar;
	INSERT INTO forwarded SELECT generate_series(1, 2500);
	INSERT INTO forwarded_long SELECT generate_series(1, 2500);});

# Tables with forwards, which compaction leaves while somebody has a snapshot from before it.
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM forwarded');
$node->safe_psql('postgres', "CALL hanzo_datastore.compact('$_')") foreach ('forwarded', 'forwarded_long');
$reader->query_safe('COMMIT');
$reader->quit;

sub forwards
{
	my ($t) = @_;
	my $toast = $node->safe_psql('postgres', qq{SELECT reltoastrelid::regclass FROM pg_class WHERE oid = '$t'::regclass});
	return $node->safe_psql('postgres', "SELECT count(*) FROM $toast WHERE chunk_seq >= 1 << 30");
}

# Everything that a transaction can leave behind, the same in both twins. Of round r.
sub change
{
	my ($r) = @_;
	my @statements;
	foreach my $t ('c', 'h')
	{
		push(@statements, "INSERT INTO $t SELECT i, i % 10, 'r$r ' || i, CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 200) END FROM generate_series($r * 10000 + 1, $r * 10000 + 5000) AS i");
		push(@statements, q{CALL hanzo_datastore.compact('c')}) if $t eq 'c';
		# marks of old and of new groups: deleted, updated; of a transaction that is rolled back; locks; a delete in a subtransaction
		push(@statements, "DELETE FROM $t WHERE id % 31 = $r", "UPDATE $t SET v = v || ' u$r' WHERE id % 37 = $r",
			"BEGIN", "DELETE FROM $t WHERE id % 41 = $r", "ROLLBACK",
			"BEGIN", "SELECT count(*) FROM (SELECT FROM $t WHERE id % 43 = $r FOR UPDATE) AS q", "SAVEPOINT s", "DELETE FROM $t WHERE id % 47 = $r",
			"ROLLBACK TO s", "SAVEPOINT t", "DELETE FROM $t WHERE id % 53 = $r", "RELEASE t", "COMMIT",
			"BEGIN", "DELETE FROM $t WHERE id % 59 = $r", "PREPARE TRANSACTION 'p'", "COMMIT PREPARED 'p'",
			"INSERT INTO $t VALUES ($r * 10000 + 9, 1, 'again') ON CONFLICT (id) DO UPDATE SET v = excluded.v");
		# a delete that is folded, in round 2 all of it
		push(@statements, q{CALL hanzo_datastore.compact('c')}) if $t eq 'c' && $r == 2;
		push(@statements, "DELETE FROM $t WHERE id % 61 = $r");
		push(@statements, "INSERT INTO $t SELECT i, 3, 'delta' FROM generate_series($r * 10000 + 8000, $r * 10000 + 8500) AS i");
	}
	my $rows = join('', map { "$_\t$r\tv$_\t\\N\n" } 1 .. 11000);
	foreach my $t ('columns', 'columns_h')
	{
		push(@statements, "COPY $t FROM STDIN;\n${rows}\\.\n", "DELETE FROM $t WHERE n = $r AND id % 5 = 0",
			'BEGIN', "COPY $t FROM STDIN;\n${rows}\\.\n", 'ROLLBACK');
	}
	push(@statements, map { ("INSERT INTO $_ SELECT i, $r FROM generate_series($r * 1000, $r * 1000 + 500) AS i", "DELETE FROM $_ WHERE id % 10 = $r") } ('plain', 'plain_h'));
	$node->safe_psql('postgres', join("\n", map { /\\\.\n$/ ? $_ : "$_;" } @statements));
	return;
}

# Row locks of two sessions make multixacts, of delta rows.
sub share_locks
{
	my @sessions = map { $node->background_psql('postgres') } 1 .. 2;
	$_->query_safe('BEGIN; SELECT count(*) FROM (SELECT FROM plain FOR KEY SHARE) AS q; SELECT count(*) FROM (SELECT FROM c WHERE id % 100 < 3 FOR KEY SHARE) AS q') foreach @sessions;
	$_->query_safe('COMMIT') foreach @sessions;
	$_->quit foreach @sessions;
	return;
}

sub check_all
{
	my ($what) = @_;
	check_twins($node, $what);
	foreach my $t ('columns', 'plain')
	{
		is(differences($node, $t, "${t}_h"), '0', "$what: $t");
		is($node->safe_psql('postgres', "SELECT * FROM hanzo_datastore.verify('$t')"), '', "$what: $t is sound");
	}
	is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM drained), (SELECT count(*) FROM bare)'), '0|0', "$what: what is empty stays so");
	# every row can be locked, none of those that are there inserted again
	is( $node->safe_psql('postgres', q{
			BEGIN;
			SELECT count(*) = (SELECT count(*) FROM h) FROM (SELECT FROM c FOR UPDATE) AS q;
			WITH w AS (INSERT INTO c SELECT id FROM h ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM w;
			ROLLBACK}),
		"t\n0", "$what: rows can be locked, keys are known");
	return;
}

my $tables = q{FROM pg_class AS r JOIN pg_class AS t ON t.oid IN (r.oid, r.reltoastrelid)
	WHERE r.relam = (SELECT oid FROM pg_am WHERE amname = 'hanzo_columnar') AND r.relkind = 'r'};

# Stops, moves the counter on, starts.
sub jump
{
	my ($by) = @_;
	$node->stop;
	my ($control) = run_command([ 'pg_controldata', $node->data_dir ]);
	my ($epoch, $xid) = $control =~ /NextXID:\s+(\d+):(\d+)/ or die $control;
	my $next = $xid + $by;
	$epoch += int($next / 2**32);
	$next %= 2**32;
	command_ok([ 'pg_resetwal', '-D', $node->data_dir, '-e', $epoch, '-x', $next ], "next transaction: $next");
	# the segment of pg_xact that the server wants to go on in
	my $segment = sprintf('%s/pg_xact/%04X', $node->data_dir, int($next / (8192 * 4 * 32)));
	system_or_bail('dd', 'if=/dev/zero', "of=$segment", 'bs=8192', 'count=32', 'status=none') unless -e $segment;
	$node->start;
	return;
}

foreach my $round (1 .. 4)
{
	change($round);
	share_locks();
	check_all("round $round");
	if ($round < 4)
	{
		is($node->safe_psql('postgres', "SELECT count(*) > 0 $tables AND mxid_age(t.relminmxid) > 0"), 't', 'there are multixacts');
		system_or_bail('vacuumdb', '-q', '-a', '-F', '-p', $node->port, '-h', $node->host);
		# VACUUM (FREEZE) of the table is VACUUM (FREEZE) of its column store
		is($node->safe_psql('postgres', "SELECT t.oid::regclass, age(t.relfrozenxid), mxid_age(t.relminmxid) $tables AND (age(t.relfrozenxid) > 1000 OR mxid_age(t.relminmxid) > 0)"),
			'', "round $round: VACUUM has frozen every table and its TOAST relation");
		my $toast = $node->safe_psql('postgres', q{SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'c'::regclass});
		is($node->safe_psql('postgres', "SELECT count(*) FROM $toast WHERE xmin::text::bigint >= 3 AND age(xmin) > 2000000000"), '0', 'and nothing is left of the last one');
		note('entries, forwards, marks, vectors, garbage: ' . $node->safe_psql('postgres', "SELECT count(*) FILTER (WHERE chunk_id = 102), count(*) FILTER (WHERE chunk_seq >= 1 << 30),
			count(*) FILTER (WHERE chunk_seq < 0 AND length(chunk_data) = 12), count(*) FILTER (WHERE chunk_seq < 0 AND length(chunk_data) <> 12), count(*) FILTER (WHERE chunk_id = 103) FROM $toast"));
		check_all("round $round, frozen");
		jump(1_900_000_000);
		check_all("round $round, much later");
		is(forwards('forwarded_long'), '4', 'forwards stay until the next compaction');
		if ($round == 1)
		{
			is(forwards('forwarded'), '4', 'of the other table, too');
			$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('forwarded')});
			is(forwards('forwarded'), '0', 'which takes them away');
		}
	}
}

# Into the zone where every transaction is warned, with autovacuum to the rescue: it has to bring down the age of empty
# tables, too, and those whose rows are all in columns.
system_or_bail('vacuumdb', '-q', '-a', '-F', '-p', $node->port, '-h', $node->host);
change(5);
$node->append_conf('postgresql.conf', "autovacuum = on\n");
jump(2_120_000_000);
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_database WHERE age(datfrozenxid) > 100000") or die 'autovacuum does not bring the age down';
is($node->safe_psql('postgres', "SELECT t.oid::regclass, age(t.relfrozenxid) $tables AND age(t.relfrozenxid) > 100000"), '', 'autovacuum has frozen all tables');
check_all('frozen by autovacuum');
change(6);
check_all('and goes on');
$node->safe_psql('postgres', $_) foreach (q{CALL hanzo_datastore.optimize('c')}, 'VACUUM FREEZE c', q{CALL hanzo_datastore.compact('c')}, 'VACUUM FREEZE c');
check_all('compacted');
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('forwarded_long')});
is(forwards('forwarded_long'), '0', 'old forwards are gone');
# What groups leave for a later transaction has gone.
my $toast = $node->safe_psql('postgres', q{SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'c'::regclass});
is($node->safe_psql('postgres', "SELECT count(*) FROM $toast WHERE chunk_id = 103"), '0', 'no garbage is left');
$node->stop;
done_testing();
