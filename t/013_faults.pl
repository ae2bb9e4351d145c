# Statements of every kind that end at a random moment: cancelled, timed out, their session terminated, their client
# killed; then with too little disk, then with too little memory for them, a bit more each time (as in 005 by limits on
# the size of files and on the address space, which any user may set). Both twins change in one transaction, so they stay
# equal whatever happens. HANZO_FAULT_SECONDS: for each kind.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $seconds = $ENV{HANZO_FAULT_SECONDS} // 1.5;
my $node = PostgreSQL::Test::Cluster->new('faults');
$node->init(extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', q{
autovacuum = off
fsync = off
shared_buffers = 32MB
max_wal_size = 1GB
huge_pages = off
max_prepared_transactions = 10
log_error_verbosity = verbose
maintenance_work_mem = 16MB
jit = off
});
$node->start;
create_twins($node);
$node->safe_psql('postgres', q{
	CREATE TABLE b (id integer, n integer, v text, wide text) USING hanzo_columnar;
	CREATE TABLE b_h (LIKE b) USING heap;
	SELECT hanzo_datastore.alter_columnar_table('b', order_by => 'n', row_group_rows => 4096);
	CREATE SEQUENCE s;
	CREATE MATERIALIZED VIEW m USING hanzo_columnar AS SELECT * FROM h;
	CREATE UNIQUE INDEX ON m (id);
	INSERT INTO c SELECT i, i % 10, md5(i::text), CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 200) END FROM generate_series(1, 8000) AS i;
	INSERT INTO h TABLE c;});

my $rows = q{FROM PROGRAM 'for i in $(seq 24000); do echo "$i 1 v$i $((i * i))"; done' (DELIMITER ' ')};
my %kinds = (
	'1 insert' => q{
		BEGIN; SELECT nextval('s') AS n \gset
		INSERT INTO c SELECT i, :n % 10, md5(i::text), CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 200) END FROM generate_series(1, 8000) AS i ON CONFLICT (id) DO UPDATE SET n = excluded.n WHERE c.id % 10 = :n % 10;
		INSERT INTO h SELECT i, :n % 10, md5(i::text), CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 200) END FROM generate_series(1, 8000) AS i ON CONFLICT (id) DO UPDATE SET n = excluded.n WHERE h.id % 10 = :n % 10;
		COMMIT;},
	'2 copy' => "
		BEGIN; COPY b $rows; SAVEPOINT s; COPY b $rows; ROLLBACK TO s; COPY b_h $rows; COMMIT;
		TRUNCATE b, b_h;",
	'3 copy into a new table' => "
		BEGIN; TRUNCATE b; COPY b $rows; TRUNCATE b_h; COPY b_h $rows; COMMIT;
		CREATE TABLE x USING hanzo_columnar AS SELECT g.id * 100 + i AS id, v FROM h AS g, generate_series(1, 10) AS i; DROP TABLE x;",
	'4 compaction' => q{
		BEGIN; UPDATE c SET n = n + 1 WHERE id % 10 = 1; UPDATE h SET n = n + 1 WHERE id % 10 = 1; COMMIT;
		CALL hanzo_datastore.compact('c');},
	'5 change of columnar rows' => q{
		BEGIN; SELECT nextval('s') AS n \gset
		DELETE FROM c WHERE id % 10 = :n % 10; SAVEPOINT t; UPDATE c SET v = v || '!' WHERE id % 7 = 1; UPDATE c SET wide = v WHERE id % 7 = 1; ROLLBACK TO t; UPDATE c SET n = n + 1 WHERE id % 7 = 2;
		INSERT INTO c SELECT i, :n % 10, md5(i::text) FROM generate_series(:n % 10, 8000, 10) AS i;
		DELETE FROM h WHERE id % 10 = :n % 10; UPDATE h SET n = n + 1 WHERE id % 7 = 2;
		INSERT INTO h SELECT i, :n % 10, md5(i::text) FROM generate_series(:n % 10, 8000, 10) AS i;
		COMMIT;},
	'6 optimize' => q{CALL hanzo_datastore.optimize('c'); VACUUM c;},
	'7 vacuum' => q{
		DELETE FROM b WHERE id % 3 = 0; DELETE FROM b_h WHERE id % 3 = 0;
		VACUUM (FREEZE) c, b; VACUUM FULL c; CLUSTER c USING c_n;},
	'8 truncate' => q{
		BEGIN; TRUNCATE c; INSERT INTO c TABLE h; SAVEPOINT s; TRUNCATE c; ROLLBACK TO s; COMMIT; CALL hanzo_datastore.compact('c');},
	'9 index' => q{
		REINDEX TABLE c; CREATE INDEX CONCURRENTLY x_v ON c (v); DROP INDEX x_v; CREATE INDEX x_v ON c (v); DROP INDEX x_v;},
	'A rewrite' => q{
		BEGIN; ALTER TABLE c ALTER n TYPE bigint; ALTER TABLE c ALTER n TYPE integer; COMMIT;
		REFRESH MATERIALIZED VIEW m; REFRESH MATERIALIZED VIEW CONCURRENTLY m; ALTER TABLE b SET ACCESS METHOD heap; ALTER TABLE b SET ACCESS METHOD hanzo_columnar;},
	'B read' => q{
		SELECT count(*) FROM c AS x JOIN c AS y USING (id) WHERE x.wide IS NULL; SELECT count(*) FROM hanzo_datastore.verify('c'); SELECT * FROM hanzo_datastore.column_stats('c');
		ANALYZE c; SET enable_seqscan = off; SELECT count(*) FROM h CROSS JOIN LATERAL (SELECT v FROM c WHERE c.id = h.id) AS f; DECLARE q CURSOR WITH HOLD FOR SELECT * FROM c; FETCH 1000 FROM q;},
	'C prepared' => q{
		BEGIN; DELETE FROM c WHERE id % 5 = 0; DELETE FROM h WHERE id % 5 = 0; PREPARE TRANSACTION 'p';
		ROLLBACK PREPARED 'p'; CALL hanzo_datastore.compact('c');});

# Removes what a statement that did not get through may have left.
sub tidy
{
	$node->safe_psql('postgres', q{
		SELECT 'ROLLBACK PREPARED ' || quote_literal(gid) FROM pg_prepared_xacts \gexec
		DROP TABLE IF EXISTS x;
		DROP INDEX IF EXISTS x_v;
		ALTER TABLE b SET ACCESS METHOD hanzo_columnar;
		INSERT INTO c SELECT i, 1, 'new' FROM generate_series(500001, 502500) AS i;
		DELETE FROM c WHERE id > 500000;});
	return;
}

# Whatever went wrong, it was what was meant to. The log from this offset on has nothing else.
my $meant = '57014|57P01|25P02|57P0.|08P01|08006';
my $offset = 0;

sub check_log
{
	my ($what, $more) = @_;
	my $log = slurp_file($node->logfile, $offset);
	$offset = -s $node->logfile;
	my @odd = grep { /(ERROR|FATAL|PANIC|WARNING|TRAP)[: ]/ && !/(ERROR|FATAL):  ($meant|$more):/ } split(/\n/, $log);
	# what those statements run into whose table an earlier one has left behind, or taken away
	@odd = grep { !/42P01:|42P07:|42704:|25P01:|3B001:|42P03:|34000:/ } @odd;
	# no room for a library of core's that is wanted for the first time
	@odd = grep { !/58P01: could not load library .*(failed to map segment|cannot allocate memory)/i } @odd;
	# COPY's program, which gets the signal as well; a worker whose leader is gone; core's code for EFBIG, which a disk that is
	# really full does not give, on tables and temporary files; the abort of a holdable cursor whose file it cannot write
	@odd = grep { !/38000: program|55000: could not map dynamic shared memory segment|AbortTransaction while in ABORT/ } @odd;
	# a victim that ended between being listed and being told to end, as the session that tells it says
	@odd = grep { !/ 013_faults\.pl WARNING:  01000: (PID \d+ is not a PostgreSQL backend process|could not send signal to process \d+: No such process)/ } @odd;
	@odd = grep { !/XX000: could not (write to file "base.pgsql_tmp|extend file "base).*: File too large/ } @odd;
	is(join("\n", @odd[0 .. ($#odd > 4 ? 4 : $#odd)]), '', "$what: nothing else went wrong");
	return;
}

sub check_all
{
	my ($what) = @_;
	tidy();
	check_twins($node, $what);
	is(differences($node, 'b', 'b_h'), '0', "$what: the table without indexes");
	is($node->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('b') UNION ALL SELECT * FROM hanzo_datastore.verify('m')}), '', "$what: nothing of it is damaged");
	return;
}

# A session after another runs the statements until somebody says stop.
my $stop = "${PostgreSQL::Test::Utils::tmp_check}/stop";

sub start_victim
{
	my ($statements, $name) = @_;
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/victim.sql";
	unlink($file, $stop);
	append_to_file($file, "\\set n 0\n" . "$statements\n" x 20);
	my $psql = "psql -XAtq -h '" . $node->host . "' -p " . $node->port . " -f '$file' postgres";
	return start([ 'bash', '-c', "export PGAPPNAME=victim; while [ ! -e '$stop' ]; do $psql; sleep 0.02; done" ], '<', \'', '>', '/dev/null', '2>', '/dev/null');
}

foreach my $kind (sort keys %kinds)
{
	my $what = substr($kind, 2);
	my $victim = start_victim($kinds{$kind});
	my $hits = $node->safe_psql('postgres', qq{
		CREATE OR REPLACE FUNCTION pg_temp.harass() RETURNS integer LANGUAGE plpgsql AS \$\$
		DECLARE hits integer = 0; got integer;
		BEGIN
			-- a victim may take long to connect
			WHILE clock_timestamp() < now() + interval '$seconds seconds' OR (hits = 0 AND clock_timestamp() < now() + interval '180 seconds') LOOP
				PERFORM pg_sleep(0.02 + 0.3 * random() * random());
				PERFORM pg_stat_clear_snapshot();
				SELECT count(CASE WHEN random() < 0.3 THEN pg_terminate_backend(pid) ELSE pg_cancel_backend(pid) END) INTO got
				FROM pg_stat_activity WHERE application_name = 'victim';
				hits = hits + got;
			END LOOP;
			RETURN hits;
		END \$\$;
		SELECT pg_temp.harass()});
	append_to_file($stop, '');
	$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 180000) FROM pg_stat_activity WHERE application_name = 'victim'});
	$victim->finish;
	cmp_ok($hits, '>', 0, "$what: interrupted $hits times");
	# deadlock, lock timeout: none; what is there already, what is not, by earlier ones that did not end
	check_log($what, '-----');
	check_all($what);
}

# The client of a COPY dies, between rows and within one.
foreach my $killed (1 .. 6)
{
	my $table = $killed % 2 ? 'b' : 'c';
	my $in = join('', map { ($killed * 100000 + $_) . "\t1\tv\t\\N\n" } 1 .. 15000) . ($killed % 3 ? '' : '7');
	my ($out, $err) = ('', '');
	my $copy = start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-c', "COPY $table FROM STDIN", 'postgres' ], '<', \$in, '>', \$out, '2>', \$err);
	$copy->pump while length($in) > 0;
	sleep(0.05 * $killed);
	$copy->signal('KILL');
	eval { $copy->finish };
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE query ~ '^COPY' AND pid <> pg_backend_pid()}) or die 'COPY goes on without its client';
}
check_log('client killed', '08006|08P01');
check_all('client killed');

sub restart_limited
{
	my ($limit) = @_;
	$node->stop;
	system_or_bail('bash', '-c', "$limit && exec pg_ctl -w -D '" . $node->data_dir . "' -l '" . $node->logfile . "' start");
	$node->_update_pid(1);
	return;
}

# Runs each kind once, whatever comes of it; how many errors there were.
sub run_kinds
{
	my ($errors) = @_;
	my $failed = 0;
	foreach my $kind (sort keys %kinds)
	{
		my ($status, $out, $err) = $node->psql('postgres', $kinds{$kind}, on_error_stop => 0);
		$failed++ if $err =~ /$errors/;
	}
	return $failed;
}

# A disk that is full: files of no more than so many kB. Rows that take more room than what there is by now.
my $failed = 0;
foreach my $limit (2048, 4000)
{
	# what is in files already must not be beyond it
	$node->safe_psql('postgres', 'TRUNCATE c, h, b, b_h; REFRESH MATERIALIZED VIEW m; INSERT INTO c SELECT i, 1, md5(i::text) FROM generate_series(1, 8000) AS i; INSERT INTO h TABLE c; CHECKPOINT');
	restart_limited("ulimit -f $limit");
	foreach my $table ('c', 'h')
	{
		my ($rc, $out, $err) = $node->psql('postgres', qq{INSERT INTO $table SELECT i, 1, md5(i::text), (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 55) AS j)
			FROM generate_series(10001, 14000) AS i});
		like($err, qr/File too large/, "files of $limit kB: too few for the rows of $table");
	}
	$node->psql('postgres', q{BEGIN; INSERT INTO c SELECT i, 1, md5(i::text), repeat(md5(i::text), 200) FROM generate_series(10001, 14000) AS i; INSERT INTO h SELECT * FROM c WHERE id > 10000; COMMIT});
	$failed += run_kinds(qr/could not (?:extend|write)|File too large/);
	$node->stop;
	$node->start;
	check_log("files of $limit kB", '53100|58030|53000');
	check_all("files of $limit kB");
}
cmp_ok($failed, '>', 2, "$failed statements found the disk full");

# Too little memory: so many MB beyond what a session has mapped at its start.
my $session = $node->safe_psql('postgres', q{SELECT hanzo_datastore.columnar_options_of('c'); SELECT pg_read_file('/proc/self/status')});
my ($mapped) = $session =~ /^VmSize:\s+(\d+) kB$/m or die "no VmSize: $session";
$failed = 0;
foreach my $limit (3, 10, 24)
{
	restart_limited('ulimit -v ' . ($mapped + $limit * 1024));
	$failed += run_kinds(qr/out of memory|could not resize|Cannot allocate/);
	$node->stop;
	$node->start;
	check_log("$limit MB", '53200|53300');
	check_all("$limit MB");
}
cmp_ok($failed, '>', 2, "$failed statements were out of memory");
$node->stop;
done_testing();
