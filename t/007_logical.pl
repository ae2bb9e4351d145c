# Logical replication: what a slot sees of a columnar table is what it sees of a heap; compaction is not seen at all;
# columnar tables follow a publisher while compaction runs on both sides.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{HANZO_LOGICAL_SECONDS} // 5;
my $transactions = $ENV{HANZO_LOGICAL_TRANSACTIONS} // 40;
my $seed = $ENV{HANZO_LOGICAL_SEED} // 7;
srand($seed);

my $conf = q{
autovacuum = off
fsync = off
max_connections = 50
max_prepared_transactions = 10
max_wal_size = 2GB
wal_retrieve_retry_interval = '100ms'
wal_receiver_status_interval = '1s'
};
my $pub = PostgreSQL::Test::Cluster->new('publisher');
$pub->init(allows_streaming => 'logical');
$pub->append_conf('postgresql.conf', $conf . "logical_decoding_work_mem = '64kB'\n");
$pub->start;
my $sub = PostgreSQL::Test::Cluster->new('subscriber');
$sub->init(allows_streaming => 'logical');
# rows that apply does not find are told at this level only
$sub->append_conf('postgresql.conf', $conf . "log_min_messages = debug1\n");
$sub->start;
create_twins($_) foreach ($pub, $sub);
$pub->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('peek', 'test_decoding')});

# What the slot has seen since the last time, without what a transaction without changes leaves.
my $changes = q{SELECT data FROM pg_logical_slot_get_changes('peek', NULL, NULL, 'include-xids', '0', 'skip-empty-xacts', '1');};

sub decoded
{
	return $pub->safe_psql('postgres', $changes);
}

# The statements, done to the columnar table `tc` and to the heap `th`, are decoded to the same text.
sub same_text
{
	my ($what, $statements, $sorted) = @_;
	my $script = $changes;
	foreach my $table ('tc', 'th')
	{
		(my $sql = $statements) =~ s/%s/$table/g;
		$script .= "\n$sql;\n\\echo ====\n$changes\n\\echo ====\n";
	}
	(my $out = $pub->safe_psql('postgres', $script)) =~ s/\bt[ch]\b/t/g;
	my @text = (split(/====\n/, "$out\n"))[ 1, 3 ];
	@text = map { join("\n", sort split(/\n/, $_)) } @text if $sorted;
	return ok(1, $what) if $text[0] eq $text[1];
	my %of_heap = map { $_ => 1 } split(/\n/, $text[1]);
	fail($what);
	diag("only of the columnar table: $_") foreach (grep { !$of_heap{$_} } split(/\n/, substr($text[0], 0, 2000)));
	diag(substr("the heap's:\n$text[1]", 0, 2000));
	return 0;
}

# ---- Replica identities

my $columns = q{(id integer PRIMARY KEY, k text NOT NULL, gone integer, n integer, v text, wide text)};
$pub->safe_psql('postgres', qq{
	CREATE TABLE tc $columns USING hanzo_columnar;
	CREATE TABLE th $columns USING heap;
	CREATE UNIQUE INDEX tc_k ON tc (k);
	CREATE UNIQUE INDEX th_k ON th (k);
	CREATE INDEX ON tc ((n + 1)) WHERE n IS NOT NULL;
	CREATE INDEX ON th ((n + 1)) WHERE n IS NOT NULL;
	CREATE FUNCTION noise(integer, integer) RETURNS text IMMUTABLE LANGUAGE sql
		RETURN (SELECT string_agg(md5((\$1 * 1000 + j)::text), '') FROM generate_series(1, \$2) AS j);});

# Rows 1 to 40 in columns: short, compressed in line, out of line.
sub fill_twins
{
	foreach my $table ('tc', 'th')
	{
		$pub->safe_psql('postgres', qq{
			ALTER TABLE $table REPLICA IDENTITY DEFAULT;
			ALTER TABLE $table DROP COLUMN IF EXISTS gone, DROP COLUMN IF EXISTS late;
			TRUNCATE $table;
			INSERT INTO $table (id, k, n, v, wide)
			SELECT i, 'k' || i, i % 5, 'v' || i, CASE i % 3 WHEN 1 THEN noise(i, 300) WHEN 2 THEN repeat(md5(i::text), 200) END
			FROM generate_series(1, 40) AS i;});
	}
	$pub->safe_psql('postgres', q{CALL hanzo_datastore.compact('tc')});
	$pub->safe_psql('postgres', "ALTER TABLE $_ ADD COLUMN late integer DEFAULT 42") foreach ('tc', 'th');
	is($pub->safe_psql('postgres', q{SELECT delta_rows FROM hanzo_datastore.table_stats('tc')}), '0', 'rows are in columns');
	# so that the slot need not read all of the log so far each time
	$pub->safe_psql('postgres', 'CHECKPOINT');
	decoded();
	return;
}

foreach my $identity ('DEFAULT', 'USING INDEX %s_k', 'FULL', 'NOTHING')
{
	fill_twins();
	my $set = "ALTER TABLE %s REPLICA IDENTITY $identity;";
	$pub->safe_psql('postgres', $set =~ s/%s/$_/gr) foreach ('tc', 'th');
	same_text("$identity: $_->[0]", $_->[1]) foreach (
		['update of no key', q{UPDATE %s SET n = n + 10, late = NULL WHERE id = 3}],
		['with a value out of line', q{UPDATE %s SET n = 100 WHERE id = 4}],
		['with a value compressed in line', q{UPDATE %s SET n = 100 WHERE id = 5}],
		['of the primary key', q{UPDATE %s SET id = 1006 WHERE id = 6}],
		['of it beside a value out of line', q{UPDATE %s SET id = 1007 WHERE id = 7}],
		['of another key', q{UPDATE %s SET k = 'other' WHERE id = 8}],
		['of a value out of line', q{UPDATE %s SET wide = 'short' WHERE id = 10}],
		['to a value out of line', q{UPDATE %s SET wide = noise(7, 250) WHERE id = 12}],
		['from one to another', q{UPDATE %s SET wide = noise(8, 400) WHERE id = 13}],
		['to NULL', q{UPDATE %s SET v = NULL, wide = NULL WHERE id = 16}],
		['of nothing', q{UPDATE %s SET id = id WHERE id = 19}],
		['twice', q{UPDATE %s SET n = 1 WHERE id = 22; UPDATE %s SET n = 2 WHERE id = 22;}],
		['in one transaction', q{BEGIN; UPDATE %s SET n = 1 WHERE id = 25; UPDATE %s SET wide = 'w' WHERE id = 25; DELETE FROM %s WHERE id = 25; COMMIT}],
		['and back', q{BEGIN; SAVEPOINT a; UPDATE %s SET n = 1 WHERE id = 28; DELETE FROM %s WHERE id = 31; ROLLBACK TO a; DELETE FROM %s WHERE id = 28; COMMIT}],
		['on conflict', q{INSERT INTO %s VALUES (31, 'x', 1) ON CONFLICT (id) DO UPDATE SET n = excluded.n + 100}],
		['rolled back', q{BEGIN; DELETE FROM %s WHERE id = 34; ROLLBACK; BEGIN; SELECT FROM %s WHERE id = 34 FOR UPDATE; COMMIT}],
		['prepared', q{BEGIN; DELETE FROM %s WHERE id = 37; PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'}],
		['delete', q{DELETE FROM %s WHERE id = 1}],
		['delete of a short row', q{DELETE FROM %s WHERE id = 9}],
		['truncate', q{TRUNCATE %s}]);
	is(differences($pub, 'tc', 'th'), '0', "$identity: same rows");
}

# ---- Moves of rows are not seen

fill_twins();
$pub->safe_psql('postgres', q{ALTER TABLE tc REPLICA IDENTITY FULL});
decoded();
foreach my $step (
	q{VACUUM tc}, # pages of the delta that are all-visible
	q{CALL hanzo_datastore.compact('tc')},
	q{CALL hanzo_datastore.optimize('tc')},
	q{VACUUM (FREEZE) tc},
	q{VACUUM FULL tc},
	q{CLUSTER tc USING tc_pkey},
	q{ALTER TABLE tc ALTER COLUMN n TYPE bigint; ALTER TABLE tc ALTER COLUMN n TYPE integer},
	q{CALL hanzo_datastore.compact('tc')},
	q{ALTER TABLE tc SET ACCESS METHOD heap},
	q{ALTER TABLE tc SET ACCESS METHOD hanzo_columnar},
	q{CALL hanzo_datastore.compact('tc')},
	q{REINDEX TABLE tc})
{
	$pub->safe_psql('postgres', q{
		BEGIN; DELETE FROM tc WHERE id < 20; DELETE FROM tc; ROLLBACK;
		BEGIN; SELECT FROM tc WHERE id = 3 FOR UPDATE; COMMIT});
	$pub->safe_psql('postgres', $step);
	is(decoded(), '', "not seen: $step");
}
is(differences($pub, 'tc', 'th'), '0', 'same rows after all moves');
$pub->safe_psql('postgres', q{ALTER TABLE tc REPLICA IDENTITY DEFAULT});

# Folding of marks and tidying of what groups leave: after an update and a delete of many rows.
$pub->safe_psql('postgres', q{UPDATE tc SET n = 1 WHERE id < 10; DELETE FROM tc WHERE id > 30});
decoded();
$pub->safe_psql('postgres', q{CALL hanzo_datastore.compact('tc')}) foreach (1 .. 3);
is(decoded(), '', 'not seen: folding and tidying');

# Nor does recovery miss it: pages of the delta that are all-visible no longer are, which index-only scans rely upon.
$pub->safe_psql('postgres', q{
	CREATE TABLE map (id integer PRIMARY KEY, v text) USING hanzo_columnar;
	INSERT INTO map SELECT i, repeat('v', 100) FROM generate_series(1, 5000) AS i;
	VACUUM map;
	CHECKPOINT;
	BEGIN; UPDATE map SET v = 'stays' WHERE id = 7; SELECT FROM map WHERE id = 9 FOR UPDATE; COMMIT;
	CALL hanzo_datastore.compact('map');});
$pub->stop('immediate');
$pub->start;
my $by_index = q{SET enable_seqscan = off; SET enable_bitmapscan = off; SET hanzo_datastore.enable_columnar_scan = off;};
like($pub->safe_psql('postgres', "$by_index EXPLAIN SELECT count(id) FROM map WHERE id > 0"), qr/Index Only Scan/, 'an index-only scan');
is($pub->safe_psql('postgres', "$by_index SELECT count(id), sum(id) FROM map WHERE id > 0"), '5000|12502500', 'finds no row where it was');
is($pub->safe_psql('postgres', q{SELECT rows, delta_rows FROM hanzo_datastore.table_stats('map')}), '5000|0', 'all rows have moved');

# Loads are.
same_text("seen: $_", $_) foreach (
	q{TRUNCATE %s; INSERT INTO %s (id, k, wide) SELECT i, 'k' || i, noise(i, 200) FROM generate_series(1, 5) AS i},
	q{BEGIN; CREATE TABLE t AS SELECT i FROM generate_series(1, 5) AS i; SELECT '%s'; DROP TABLE t; COMMIT},
	q{COPY %s (id, k) FROM PROGRAM 'seq 100 9200 | sed "s/.*/&\tk&/"'},
	q{SET default_table_access_method = 'hanzo_columnar'; CREATE TABLE created AS SELECT i, '%s' FROM generate_series(1, 9000) AS i; DROP TABLE created});

# ---- What the changing transaction itself sees, its first command included

fill_twins();
$pub->safe_psql('postgres', q{
	ALTER TABLE tc REPLICA IDENTITY FULL;
	CREATE FUNCTION seen() RETURNS text LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN (SELECT count(*) || '':'' || sum(n) FROM tc); END';
	CREATE FUNCTION never_null(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
		'BEGIN IF $1 IS NULL THEN RAISE ''null''; END IF; RETURN $1; END';});
my $all = '40:80';
is( $pub->safe_psql('postgres', q{
		BEGIN;
		UPDATE tc SET n = n + 1000 WHERE id <= 3 RETURNING seen(), xmin = pg_current_xact_id()::xid, cmin;
		DECLARE before CURSOR FOR SELECT count(*) OVER (), sum(n) OVER () FROM tc;
		DELETE FROM tc WHERE id <= 2 RETURNING seen();
		UPDATE tc SET n = 0, wide = 'w' WHERE id BETWEEN 4 AND 5;
		FETCH 1 FROM before;
		DECLARE middle CURSOR FOR SELECT count(*), sum(n) FROM tc;
		SAVEPOINT a;
		DELETE FROM tc;
		SELECT count(*) FROM tc;
		ROLLBACK TO a;
		FETCH 1 FROM middle;
		CLOSE ALL;
		CREATE INDEX late_index ON tc (never_null(n));
		SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL hanzo_datastore.enable_columnar_scan = off;
		SELECT count(*), sum(n) FROM tc WHERE never_null(n) >= 0;
		ROLLBACK;
		SELECT seen();}),
	join("\n", '40:1080|t|0', '40:2080|t|0', '40:3080|t|0', '39:2079', '38:1077', '40|3080', '0', '38|1073', '38|1073', $all),
	'a transaction sees its changes and nothing else');
$pub->safe_psql('postgres', q{
	BEGIN; DELETE FROM tc WHERE id = 40; DELETE FROM th WHERE id = 40; CREATE INDEX late_index ON tc (never_null(n)); COMMIT;
	ANALYZE tc; VACUUM tc; CLUSTER tc USING late_index; DROP INDEX late_index;});
is($pub->safe_psql('postgres', q{SELECT reltuples FROM pg_class WHERE relname = 'tc'}), '39', 'no row is counted twice');
is($pub->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('tc')}), '', 'nothing is damaged');

# ---- Random transactions

my $fresh = 10_000;

sub random_statement
{
	my $id = 1 + int(rand(60));
	my $to = $id + int(rand(6));
	my $n = $fresh++;
	my @kinds = (
		"UPDATE %s SET n = $n WHERE id BETWEEN $id AND $to",
		"UPDATE %s SET n = $n, wide = noise($n, 300) WHERE id = $id",
		"UPDATE %s SET v = 'v$n', wide = NULL WHERE id BETWEEN $id AND $to",
		"UPDATE %s SET k = 'key $n' WHERE id = $id",
		"DELETE FROM %s WHERE id BETWEEN $id AND $to",
		"DELETE FROM %s WHERE id = $id; INSERT INTO %s (id, k, n, wide) VALUES ($id, 'k$n', $n, noise($n, 250))",
		"INSERT INTO %s (id, k, n) VALUES ($id, 'k$n', $n) ON CONFLICT (id) DO UPDATE SET n = excluded.n",
		"INSERT INTO %s (id, k, n, wide) VALUES ($id, 'k$n', $n, repeat('$n', 1000)) ON CONFLICT DO NOTHING",
		"UPDATE %s SET id = $n WHERE id = $id",
		"SELECT FROM %s WHERE id BETWEEN $id AND $to FOR UPDATE");
	my $statement = $kinds[ int(rand(@kinds)) ];
	return $statement if rand() > 0.2;
	return "SAVEPOINT s; $statement; " . random_statement() . (rand() < 0.5 ? '; ROLLBACK TO s' : '; RELEASE s');
}

my $failed = 0;
foreach my $identity ('DEFAULT', 'FULL')
{
	fill_twins();
	$pub->safe_psql('postgres', "ALTER TABLE $_ REPLICA IDENTITY $identity") foreach ('tc', 'th');
	foreach my $round (1 .. $transactions / 2)
	{
		my $statements = join('; ', 'BEGIN', (map { random_statement() } 1 .. 1 + int(rand(5))), rand() < 0.9 ? 'COMMIT' : 'ROLLBACK');
		$failed++ unless same_text("random transaction $round, $identity, seed $seed", $statements, 1);
		diag($statements) if $failed;
		last if $failed;
		next if rand() > 0.3;
		$pub->safe_psql('postgres', rand() < 0.3 ? q{VACUUM tc} : q{CALL hanzo_datastore.compact('tc')});
		is(decoded(), '', 'compaction is not seen');
	}
	is(differences($pub, 'tc', 'th'), '0', "$identity: same rows after random transactions");
	is($pub->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('tc')}), '', 'nothing is damaged');
}
# A user catalog table also logs command ids, among which those of our copies must not be.
$pub->safe_psql('postgres', q{CREATE TABLE catalog (id integer PRIMARY KEY, n integer) USING hanzo_columnar WITH (user_catalog_table = true); INSERT INTO catalog VALUES (1, 0), (2, 0)});
$pub->safe_psql('postgres', q{CALL hanzo_datastore.compact('catalog')});
decoded();
$pub->safe_psql('postgres', q{UPDATE catalog SET n = 1 WHERE id = 1; DELETE FROM catalog WHERE id = 2});
like(decoded(), qr/UPDATE: id\[integer\]:1 n\[integer\]:1.*DELETE: id\[integer\]:2/s, 'changes of a user catalog table are decoded');
$pub->safe_psql('postgres', q{SELECT pg_drop_replication_slot('peek')});

# ---- Subscribers: in database postgres all tables are columnar, in database heap none

my $more = q{
	CREATE TABLE whole (a integer, b text, c numeric) USING %s;
	CREATE TABLE parts (id integer, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') USING %s;
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') USING %s;};
$pub->safe_psql('postgres', $more =~ s/%s/hanzo_columnar/gr . q{
	ALTER TABLE whole REPLICA IDENTITY FULL;
	INSERT INTO c SELECT i, i % 10, 'v' || i, CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 200) END FROM generate_series(1, 20000) AS i;
	INSERT INTO h SELECT * FROM c;
	INSERT INTO whole SELECT i % 100, 'b' || i % 100, i % 100 * 1.50 FROM generate_series(1, 300) AS i;
	INSERT INTO parts SELECT i, '2026-01-15'::date + i % 30, 'v' FROM generate_series(1, 1000) AS i;
	CALL hanzo_datastore.compact('c');
	CALL hanzo_datastore.compact('whole');
	CALL hanzo_datastore.compact('parts_1');
	CALL hanzo_datastore.compact('parts_2');
	CREATE PUBLICATION changes FOR TABLE c, h, whole, parts WITH (publish_via_partition_root);});
# parted in another way, so that a row may move there when it does not here
$sub->safe_psql('postgres', q{
	ALTER TABLE h SET ACCESS METHOD hanzo_columnar;
	CREATE TABLE whole (a integer, b text, c numeric) USING hanzo_columnar;
	CREATE TABLE parts (id integer, day date, v text, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
	CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('2026-01-15', '2026-01-16', '2026-02-05') USING hanzo_columnar;
	CREATE TABLE parts_b PARTITION OF parts DEFAULT USING hanzo_columnar;
	CREATE DATABASE heap;});
$sub->safe_psql('heap', $more =~ s/%s/heap/gr . q{
	CREATE TABLE c (id integer PRIMARY KEY, n integer, v text, wide text);
	CREATE TABLE h (LIKE c INCLUDING ALL);});
my $from = $pub->connstr . ' dbname=postgres';
$sub->safe_psql('postgres', "CREATE SUBSCRIPTION columnar CONNECTION '$from' PUBLICATION changes WITH (binary, streaming, two_phase)");
$sub->safe_psql('heap', "CREATE SUBSCRIPTION heap CONNECTION '$from' PUBLICATION changes");

# A fingerprint of each table: wherever the rows lie, it is the same.
sub fingerprints
{
	my ($node, $db) = @_;
	return join("\n", map {
			"$_: " . $node->safe_psql($db, "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM $_ AS t")
		} ('c', 'h', 'whole', 'parts'));
}

sub caught_up
{
	my ($what) = @_;
	foreach my $database ([ 'postgres', 'columnar' ], [ 'heap', 'heap' ])
	{
		my ($db, $subscription) = @$database;
		$pub->wait_for_catchup($subscription);
		is(fingerprints($sub, $db), fingerprints($pub, 'postgres'), "$what: subscriber $subscription has the publisher's rows");
	}
	return;
}

$sub->wait_for_subscription_sync($pub, 'columnar', 'postgres');
$sub->wait_for_subscription_sync($pub, 'heap', 'heap');
caught_up('initial copy');
$sub->safe_psql('postgres', "CALL hanzo_datastore.compact('$_')") foreach ('c', 'h', 'whole', 'parts_a', 'parts_b');
is( $sub->safe_psql('postgres', q{SELECT sum(delta_rows) FROM unnest('{c,h,whole,parts_a,parts_b}'::regclass[]) AS r, hanzo_datastore.table_stats(r)}),
	'0', 'the subscriber has it all in columns');

# Each kind of change, of rows in columns on both sides.
foreach my $round (1, 2)
{
	$pub->safe_psql('postgres', q{
		UPDATE c SET n = n + 1 WHERE id BETWEEN 1 AND 300;
		UPDATE h SET n = n + 1 WHERE id BETWEEN 1 AND 300;
		UPDATE c SET id = id + 100000 WHERE id IN (500, 600);
		UPDATE h SET id = id + 100000 WHERE id IN (500, 600);
		DELETE FROM c WHERE id BETWEEN 700 AND 750;
		DELETE FROM h WHERE id BETWEEN 700 AND 750;
		UPDATE whole SET c = c + 1 WHERE a < 10;
		DELETE FROM whole WHERE a = 20 AND ctid = (SELECT min(ctid) FROM whole WHERE a = 20);
		UPDATE parts SET v = 'other' WHERE id < 100;
		UPDATE parts SET day = '2026-02-05' WHERE id BETWEEN 100 AND 120;
		UPDATE parts SET day = '2026-01-15' WHERE id BETWEEN 110 AND 130;
		DELETE FROM parts WHERE id BETWEEN 200 AND 230;});
	caught_up("changes $round");
	# the new versions too
	$sub->safe_psql('postgres', "CALL hanzo_datastore.compact('$_')") foreach ('c', 'h', 'whole', 'parts_a', 'parts_b');
}

# Row filters look at old and new values: a row comes, goes, stays. A list of columns.
my $filtered = q{
	CREATE TABLE picked (id integer PRIMARY KEY, n integer, wide text) USING hanzo_columnar;
	CREATE TABLE narrow (id integer PRIMARY KEY, n integer, wide text) USING hanzo_columnar;};
$pub->safe_psql('postgres', qq{$filtered
	ALTER TABLE picked REPLICA IDENTITY FULL;
	INSERT INTO picked SELECT i, i % 20, noise(i, 100) FROM generate_series(1, 200) AS i;
	INSERT INTO narrow TABLE picked;
	CALL hanzo_datastore.compact('picked');
	CALL hanzo_datastore.compact('narrow');
	CREATE PUBLICATION filtered FOR TABLE picked WHERE (n > 10), TABLE narrow (id, n) WHERE (id > 50);});
$sub->safe_psql('postgres', $filtered);
$sub->safe_psql('postgres', "CREATE SUBSCRIPTION filtered CONNECTION '$from' PUBLICATION filtered");
$sub->wait_for_subscription_sync($pub, 'filtered', 'postgres');
$sub->safe_psql('postgres', "CALL hanzo_datastore.compact('$_')") foreach ('picked', 'narrow');
$pub->safe_psql('postgres', q{
	UPDATE picked SET n = n + 5 WHERE id % 3 = 0;
	UPDATE picked SET n = n - 7 WHERE id % 5 = 0;
	DELETE FROM picked WHERE id % 11 = 0;
	UPDATE narrow SET n = n + 1, wide = 'w' WHERE id % 3 = 0;
	UPDATE narrow SET id = id + 200 WHERE id IN (20, 70);
	DELETE FROM narrow WHERE id % 11 = 0;});
$pub->wait_for_catchup('filtered');
foreach my $query ('SELECT count(*), sum(hashtextextended(s::text, 0)) FROM picked AS s WHERE n > 10', 'SELECT count(*), sum(id), sum(n) FROM narrow WHERE id > 50')
{
	is($sub->safe_psql('postgres', $query =~ s/ WHERE.*//r), $pub->safe_psql('postgres', $query), "filtered: $query");
}
$sub->safe_psql('postgres', 'DROP SUBSCRIPTION filtered');

# A transaction that is streamed before it ends, with subtransactions that do not survive; one that is prepared. The subscription
# prepares from some time after its tables are copied on.
$sub->poll_query_until('postgres', q{SELECT subtwophasestate = 'e' FROM pg_subscription WHERE subname = 'columnar'}) or die 'two_phase is not enabled';
$pub->safe_psql('postgres', q{
	BEGIN;
	UPDATE c SET v = v || ' streamed' WHERE id BETWEEN 1000 AND 4000;
	UPDATE h SET v = v || ' streamed' WHERE id BETWEEN 1000 AND 4000;
	SAVEPOINT s;
	DELETE FROM c WHERE id BETWEEN 2000 AND 5000;
	ROLLBACK TO s;
	DELETE FROM c WHERE id BETWEEN 4500 AND 5000;
	DELETE FROM h WHERE id BETWEEN 4500 AND 5000;
	COMMIT;
	BEGIN;
	UPDATE c SET v = 'prepared' WHERE id BETWEEN 5500 AND 5600;
	UPDATE h SET v = 'prepared' WHERE id BETWEEN 5500 AND 5600;
	DELETE FROM whole WHERE a = 30;
	PREPARE TRANSACTION 'both';});
$pub->wait_for_catchup('columnar');
is($sub->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '1', 'the subscriber has prepared it');
cmp_ok($pub->safe_psql('postgres', q{SELECT stream_count FROM pg_stat_replication_slots WHERE slot_name = 'columnar'}), '>', 0, 'a transaction was streamed');
$sub->safe_psql('postgres', q{CALL hanzo_datastore.compact('c'); VACUUM c});
$pub->safe_psql('postgres', q{COMMIT PREPARED 'both'});
caught_up('streamed and prepared');

# ---- Under load, with movers on both sides and a crash of each

# Rows without a key are found by sequential scans.
my $whole = HanzoTest::script('whole', q{
\set a random(0, 99)
\set what random(1, 3)
\if :what = 1
INSERT INTO whole VALUES (:a, 'b' || :a, :a * 1.50);
\elif :what = 2
UPDATE whole SET c = c + 1 WHERE a = :a;
\else
DELETE FROM whole WHERE a = :a AND ctid IN (SELECT ctid FROM whole WHERE a = :a LIMIT 1);
\endif
SELECT pg_sleep(0.02);
});
my $move_whole = HanzoTest::script('move_whole', "CALL hanzo_datastore.compact('whole');\nCALL hanzo_datastore.optimize('whole');\n");
my $move_h = HanzoTest::script('move_h', "CALL hanzo_datastore.compact('h');\nCALL hanzo_datastore.optimize('h');\n");
my $said = '';
foreach my $crash ($sub, $pub)
{
	my @publisher_load = (start_writers($pub, $seconds), start_movers($pub, $seconds), HanzoTest::pgbench($pub, $seconds, 1, $whole));
	my @subscriber_load = (start_movers($sub, $seconds), HanzoTest::pgbench($sub, $seconds, 1, $move_whole), HanzoTest::pgbench($sub, $seconds, 1, $move_h));
	sleep($seconds / 2);
	$crash->stop('immediate');
	$crash->start;
	$said .= stop_load($crash == $pub ? @subscriber_load : @publisher_load);
	stop_load($crash == $pub ? @publisher_load : @subscriber_load);
	caught_up('load and crash of the ' . $crash->name);
}
unlike($said, qr/ERROR/, 'no statement failed but by a crash');
# what the load leaves behind may be moved once more
$_->safe_psql('postgres', q{CALL hanzo_datastore.compact('c')}) foreach ($pub, $sub);
check_twins($pub, 'publisher');
check_twins($sub, 'subscriber');
is($sub->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('whole')}), '', 'nothing is damaged without a key');
# DELETE of what is not there would be told, were it the subscriber's fault or not
my $log = slurp_file($sub->logfile);
my @missed = $log =~ /(did not find row to be \w+ in replication target relation[^\n]*)/g;
is(scalar(@missed), 0, 'apply found every row') or diag("$missed[0], and " . $#missed . ' more');

# ---- TRUNCATE, and a publisher that publishes inserts only

$pub->safe_psql('postgres', q{TRUNCATE c, h, parts; INSERT INTO c VALUES (1, 1, 'after'); INSERT INTO h TABLE c});
caught_up('truncate');
$pub->safe_psql('postgres', q{
	ALTER PUBLICATION changes SET (publish = 'insert');
	CALL hanzo_datastore.compact('c');
	UPDATE c SET n = 2; DELETE FROM h;});
$pub->wait_for_catchup('columnar');
is($sub->safe_psql('postgres', 'SELECT n FROM c; SELECT n FROM h'), "1\n1", 'changes that are not published');

foreach my $node ($pub, $sub)
{
	$node->stop;
	unlike(slurp_file($node->logfile), qr/TRAP:|PANIC:|was terminated by signal|invisible tuple|could not map filenode/, $node->name . ': no complaints');
}
done_testing();
