# Out of disk, out of memory: the statement fails, the table is as before, and goes on once there is room again. A
# limit on the size of a file stands for a full disk, one on the address space for a machine without memory.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('resources');
# small segments, so that no file of the server's own grows beyond the limit
$node->init(extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\nshared_buffers = 32MB\nlog_min_messages = warning\nmax_wal_size = 1GB\nhuge_pages = off\n");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION hanzo_datastore;
CREATE EXTENSION amcheck;
CREATE TABLE c (id integer PRIMARY KEY, n integer, v text, wide text) USING hanzo_columnar;
CREATE TABLE h (id integer PRIMARY KEY, n integer, v text, wide text) USING heap;
CREATE INDEX c_n ON c (n);
CREATE TABLE load (id integer, noise text) USING hanzo_columnar;
INSERT INTO c SELECT i, i % 10, 'v' || i, NULL FROM generate_series(1, 20000) AS i;
INSERT INTO h SELECT * FROM c;
CALL hanzo_datastore.compact('c');
DELETE FROM c WHERE id % 7 = 0;
DELETE FROM h WHERE id % 7 = 0;
INSERT INTO load SELECT i, md5(i::text) FROM generate_series(1, 1000) AS i;
});
my $log = $node->logfile;

# What a query frees the backend keeps for the next one: hardly a page is asked of the kernel again.
my $words = join(' || ', map { "md5((i + $_)::text)" } 0 .. 7);
$node->safe_psql('postgres', qq{CREATE TABLE words (k integer, v text) USING hanzo_columnar;
	INSERT INTO words SELECT i, $words FROM generate_series(1, 60000) AS i; CALL hanzo_datastore.compact('words')});
my $session = $node->background_psql('postgres');
my $pid = $session->query_safe('SELECT pg_backend_pid()');

# The least of several runs: a kernel that is short of memory takes pages away at any time.
sub faults
{
	my ($look, $memory) = @_;
	my $least = 1e9;
	$session->query_safe("SET hanzo_datastore.retained_memory = '$memory'");
	$session->query_safe($look) for 1 .. 3;
	for (1 .. 10)
	{
		my @before = split(' ', slurp_file("/proc/$pid/stat"));
		$session->query_safe($look);
		my $faults = (split(' ', slurp_file("/proc/$pid/stat")))[9] - $before[9];
		$least = $faults if $faults < $least;
	}
	return $least;
}
my %looks = (strings => q{SELECT count(*), sum(k) FROM words WHERE v > 'f' AND k % 2 = 0},
	groups => q{SELECT count(*) FROM (SELECT k, sum(k) FROM words GROUP BY k OFFSET 0) AS g});
foreach my $what (sort keys %looks)
{
	my ($kept, $given_back) = (faults($looks{$what}, '64MB'), faults($looks{$what}, '0'));
	cmp_ok($kept, '<', 100, "freed memory is kept for the next query: $what");
	cmp_ok($given_back, '>', 2 * ($kept + 20), "unless retained_memory is 0: $given_back faults a query instead of $kept");
}
$node->safe_psql('postgres', 'DROP TABLE words');

# A cancel at any moment of a large grouping, also while threads bring their groups and values together: the server lives, what was mapped is given back.
$node->safe_psql('postgres', q{CREATE TABLE groups USING hanzo_columnar AS
	SELECT i::bigint * 7919 % 1000003 AS k, md5((i % 400000)::text)::uuid AS u, 't' || i % 300001 AS t FROM generate_series(1, 1000000) AS i});
my %groupings = (values => 'SELECT count(DISTINCT u) + count(DISTINCT t) FROM groups', groups => 'SELECT count(*), sum(n) FROM (SELECT k, count(*) AS n FROM groups GROUP BY k OFFSET 0) AS g',
	both => 'SELECT sum(n) FROM (SELECT k % 64 AS k, count(DISTINCT u) AS n FROM groups GROUP BY 1 OFFSET 0) AS g');
my $threads = 'SET hanzo_datastore.force_threads = on; SET max_parallel_workers_per_gather = 4';
my $anonymous = q{SELECT 'RssAnon ' || substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\\s+(\\d+)')};
foreach my $what (sort keys %groupings)
{
	my $answer = $session->query_safe("$threads; $groupings{$what}");
	# in ms, of the fastest of several runs
	my $takes = 1e9;
	for (1 .. 5)
	{
		my $start = time;
		$session->query_safe($groupings{$what});
		$takes = (time - $start) * 1000 if (time - $start) * 1000 < $takes;
	}
	my ($out, $err);
	# where it was a slow machine for a while only, all of them may have come through
	for (1 .. 6)
	{
		my $sweep = join("\n", map { 'BEGIN; SET LOCAL statement_timeout = ' . int($takes * $_ / 50 + 1) . "; $groupings{$what}; ROLLBACK;" } 20 .. 54);
		(undef, $out, $err) = $node->psql('postgres', "$threads; $groupings{$what}; $groupings{$what};" . "\n$sweep\n$anonymous;" x 3 . $groupings{$what} . ';', on_error_stop => 0);
		last if $err =~ /statement timeout/;
		$takes /= 2;
	}
	like($err, qr/statement timeout/, "cancelled while it grouped: $what");
	unlike($err, qr/connection|terminated/, "the server lives: $what");
	is((split(/\n/, $out))[-1], $answer, "and answers: $what");
	# What threads had mapped by the end of the first sweep they keep. What cancelled queries lost would be more after each.
	my ($first, @later) = $out =~ /^RssAnon (\d+)$/mg;
	my ($least) = sort { $a <=> $b } @later;
	cmp_ok($least, '<', $first + 16384, "with the memory that it had, kB: $what") or diag("kB after the sweeps: $first @later");
	note("$what: $takes ms; kB after the sweeps: $first @later; " . scalar(() = $err =~ /statement timeout/g) . ' cancelled');
}
$session->quit;
$node->safe_psql('postgres', 'DROP TABLE groups');

sub restart_limited
{
	my ($limit) = @_;
	$node->stop;
	system_or_bail('bash', '-c', "$limit && exec pg_ctl -w -D '" . $node->data_dir . "' -l '$log' start");
	$node->_update_pid(1);
	return;
}

# Fails with such an error; `load` and the twins are as before.
sub fails
{
	my ($what, $error, $statement) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT count(*), sum(id), sum(hashtext(noise)::bigint) FROM load');
	my ($status, $out, $err) = $node->psql('postgres', $statement);
	like($err, $error, "$what: fails");
	is($node->safe_psql('postgres', 'SELECT count(*), sum(id), sum(hashtext(noise)::bigint) FROM load'), $before, "$what: the table is as before");
	check_twins($node, $what);
	return;
}

# 10 MB a file: what the server writes by itself fits, 700,000 random texts do not.
restart_limited('ulimit -f 10240');
my $full = qr/could not (?:extend|write)|File too large/;
my $texts = q{SELECT i, md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text) FROM generate_series(1, 700000) AS i};
fails('load into columns', $full, "COPY load FROM PROGRAM 'for i in \$(seq 1 1500); do head -c 20000 /dev/urandom | base64 -w 0 | sed \"s/^/1\\t/\"; echo; done'");
fails('insert into the delta', $full, "INSERT INTO load $texts");
fails('create table as', $full, "CREATE TABLE copied USING hanzo_columnar AS SELECT i AS id, sha512(i::text::bytea) AS a, sha512((-i)::text::bytea) AS b FROM generate_series(1, 700000) AS i");

# Compaction and a rewrite that find no room: texts that the delta has compressed and columns shall not.
$node->stop;
$node->start;
$node->safe_psql('postgres', q{
	SELECT hanzo_datastore.alter_columnar_table('c', compression => 'none');
	INSERT INTO c SELECT i, 1, 'filler', repeat(md5(i::text), 100) FROM generate_series(100001, 112000) AS i;
	INSERT INTO h SELECT * FROM c WHERE id > 100000;});
restart_limited('ulimit -f 20480');
fails('compaction', $full, q{CALL hanzo_datastore.compact('c')});
fails('rewrite', $full, q{ALTER TABLE c ALTER COLUMN n TYPE bigint});

# With room again everything works.
$node->stop;
$node->start;
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('c'); VACUUM c; CALL hanzo_datastore.optimize('c'); VACUUM c; VACUUM FULL c; ANALYZE c});
check_twins($node, 'with room again');
is($node->safe_psql('postgres', q{SELECT delta_rows FROM hanzo_datastore.table_stats('c')}), '0', 'compaction has moved everything');
$node->safe_psql('postgres', "INSERT INTO load $texts; CALL hanzo_datastore.compact('load'); VACUUM load");
is($node->safe_psql('postgres', 'SELECT count(*) FROM load'), '701000', 'the load works');

# 150 MB of address space beyond what a session has mapped at its start.
my $memory = qr/out of memory|could not resize|Cannot allocate/;
my $session = $node->safe_psql('postgres', q{SELECT hanzo_datastore.columnar_options_of('c'); SELECT pg_read_file('/proc/self/status')});
my ($mapped) = $session =~ /^VmSize:\s+(\d+) kB$/m or die "no VmSize: $session";
restart_limited('ulimit -v ' . ($mapped + 150 * 1024));
fails('load', $memory, "SET maintenance_work_mem = '1GB'; COPY load FROM PROGRAM 'head -c 250000000 /dev/zero | tr \"\\\\0\" x | fold -w 3000 | sed \"s/^/1\t/\"'");
fails('large value', $memory, q{INSERT INTO load SELECT 1, repeat('x', 250000000)});
fails('compaction with too much memory',
	qr/^$|$memory/, q{SET maintenance_work_mem = '1GB'; UPDATE load SET id = id + 0 WHERE id < 100000; CALL hanzo_datastore.compact('load')});
# Little is enough for who asks for little.
$node->safe_psql('postgres', q{SET maintenance_work_mem = '16MB'; CALL hanzo_datastore.compact('load'); SELECT hanzo_datastore.alter_columnar_table('load', order_by => 'noise')});
$node->safe_psql('postgres', q{SET maintenance_work_mem = '16MB'; CALL hanzo_datastore.optimize('load')});
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT noise) > 500000 FROM load'), '701000|t', 'compaction and optimize() in little memory');
$node->stop;
done_testing();
