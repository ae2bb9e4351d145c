# maintain() at work: by pg_cron; a year of history in one COPY beside writers and readers; after a dump and a restore; after a
# crash in the middle; how long it takes when there is nothing to do, and when a month of millions expires.
#
#	HANZO_MONTH_ROWS=10000000	rows of the month that expires
use strict;
use warnings;
use lib 't';
use HanzoTest;
use IPC::Run qw(start finish);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = PostgreSQL::Test::Cluster->new('maintenance');
$node->init;
$node->append_conf('postgresql.conf', "max_locks_per_transaction = 512\nautovacuum_naptime = 1\nlog_min_messages = warning\n");

my $sharedir = `$ENV{PG_CONFIG} --sharedir`;
chomp $sharedir;
my $has_cron = -e "$sharedir/extension/pg_cron.control";
if ($has_cron)
{
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.host = '" . $node->host . "'\n");
}
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hanzo_datastore');
# a job of pg_cron begins at a full minute: time for the other tests
$node->safe_psql('postgres', q{
	CREATE TABLE by_cron (id integer, at timestamptz) PARTITION BY RANGE (at);
	SELECT hanzo_datastore.manage_partitions('by_cron');
	INSERT INTO by_cron SELECT i, now() - interval '70 days' FROM generate_series(1, 10) AS i;
});
if ($has_cron)
{
	$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron');
	my ($first, $second) = map { $node->safe_psql('postgres', $_) } ('SELECT hanzo_datastore.schedule_maintenance()', 'SELECT hanzo_datastore.schedule_maintenance()');
	is($second, $first, 'scheduling twice is scheduling once');
	my ($rc, $out, $err) = $node->psql('postgres', q{SELECT hanzo_datastore.schedule_maintenance('every day')});
	like($err, qr/invalid schedule/, 'a schedule that pg_cron does not know');
	$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
	$node->safe_psql('elsewhere', 'CREATE EXTENSION hanzo_datastore');
	($rc, $out, $err) = $node->psql('elsewhere', 'SELECT hanzo_datastore.schedule_maintenance()');
	like($err, qr/pg_cron keeps its jobs in database postgres.*cron\.schedule_in_database\('hanzo_datastore elsewhere', '\* \* \* \* \*', 'CALL hanzo_datastore\.maintain\(\)', 'elsewhere'\)/s, 'from another database: the statement to run');
	my ($statement) = $err =~ /(SELECT cron\.schedule_in_database.*\))/;
	like($node->safe_psql('postgres', $statement), qr/^\d+$/, 'which works there');
}
else
{
	ok($ENV{HANZO_NO_INSTALL}, 'pg_cron is installed')
		or diag('install postgresql-15-cron for this server, or say HANZO_NO_INSTALL=1');
}

# ---- A year of history in one COPY

$node->safe_psql('postgres', q{
	CREATE DATABASE work;
});
$node->safe_psql('work', q{
	CREATE EXTENSION hanzo_datastore;
	CREATE TABLE c (id integer, at timestamptz NOT NULL, n integer, v text) PARTITION BY RANGE (at);
	CREATE INDEX c_id ON c (id);
	SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'n', row_group_rows => 20000);
	SELECT hanzo_datastore.manage_partitions('c', now => '2026-01-15');
	CREATE TABLE h (id integer PRIMARY KEY, at timestamptz NOT NULL, n integer, v text) USING heap;
});
my $file = "${PostgreSQL::Test::Utils::tmp_check}/year.csv";
$node->safe_psql('work', qq{COPY (SELECT i, timestamptz '2025-01-01 00:00+00' + (i::bigint * 7919 % 525600) * interval '1 minute', i % 1000, 'row ' || i
	FROM generate_series(1, 60000) AS i) TO '$file'});
$node->safe_psql('work', "COPY h FROM '$file'");
my $started = time;
$node->safe_psql('work', "COPY c FROM '$file'");
is($node->safe_psql('work', 'SELECT count(*) FROM c_default'), '60000', sprintf('COPY of a year: %.1f s', time - $started));

sub script
{
	my ($name, $text) = @_;
	my $path = "${PostgreSQL::Test::Utils::tmp_check}/$name.sql";
	open(my $handle, '>', $path) or die "cannot write $path: $!";
	print $handle $text;
	close($handle);
	return $path;
}

# Each client has ids of its own, so that both tables get the same changes.
my $writer = script('writer', q{
\set id 1 + random(0, 7499) * 8 + :client_id
\set new 1000000 + :client_id * 1000000 + random(1, 900000)
\set minute random(0, 525599)
\set what random(1, 10)
BEGIN;
\if :what <= 4
INSERT INTO h VALUES (:new, timestamptz '2025-01-01 00:00+00' + :minute * interval '1 minute', 1, 'new') ON CONFLICT DO NOTHING;
INSERT INTO c SELECT * FROM h WHERE id = :new AND NOT EXISTS (SELECT FROM c WHERE c.id = :new);
\elif :what <= 6
UPDATE c SET n = n + 1, v = 'updated' WHERE id = :id;
UPDATE h SET n = n + 1, v = 'updated' WHERE id = :id;
\elif :what <= 7
UPDATE c SET at = timestamptz '2025-01-01 00:00+00' + :minute * interval '1 minute' WHERE id = :id;
UPDATE h SET at = timestamptz '2025-01-01 00:00+00' + :minute * interval '1 minute' WHERE id = :id;
\elif :what <= 9
DELETE FROM c WHERE id = :id;
DELETE FROM h WHERE id = :id;
\else
DELETE FROM c WHERE id = :id;
ROLLBACK;
BEGIN;
\endif
COMMIT;
});
my $reader = script('reader', q{
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 1 / (sum(d) = 0)::integer FROM (SELECT count(*) + sum(n) + sum(id::bigint) AS d FROM c UNION ALL SELECT -(count(*) + sum(n) + sum(id::bigint)) FROM h) AS t;
SELECT 1 / (sum(d) = 0)::integer FROM (SELECT count(*) + sum(n) AS d FROM c WHERE at >= '2025-03-01 00:00+00' AND at < '2025-06-01 00:00+00'
	UNION ALL SELECT -(count(*) + sum(n)) FROM h WHERE at >= '2025-03-01 00:00+00' AND at < '2025-06-01 00:00+00') AS t;
COMMIT;
\sleep 300 ms
});

sub load
{
	my ($seconds, $clients, $path, @options) = @_;
	my ($out, $err) = ('', '');
	my $run = start(['pgbench', '-n', '-h', $node->host, '-p', $node->port, '-T', $seconds, '-c', $clients, '-j', 1, '-U', scalar(getpwuid($<)), @options, '-f', $path, 'work'],
		'<', \'', '>', \$out, '2>', \$err);
	return { run => $run, out => \$out, err => \$err };
}

# As long as it takes until months have moved beside them.
my $calls = 0;
my $moves = 0;
for my $wave (1 .. 20)
{
	my @loads = (load(15, 8, $writer), load(15, 1, $reader, '--max-tries=10'));
	my $end = time + 14;
	while (time < $end)
	{
		$node->safe_psql('work', "CALL hanzo_datastore.maintain('2026-01-15')");
		# a minute is long for a test: what gave up tries again now
		$node->safe_psql('work', 'UPDATE hanzo_datastore.maintenance_state SET next_run = NULL');
		$calls++;
		sleep(0.2);
	}
	$moves = $node->safe_psql('work', q{SELECT count(*) FROM hanzo_datastore.job_log WHERE job = 'strays' AND result IS NOT NULL});
	foreach my $load (@loads)
	{
		finish($load->{run});
		unlike(${ $load->{err} }, qr/ERROR|aborted|FATAL/, 'no client saw an error') or diag(substr(${ $load->{err} }, 0, 2000));
		my ($transactions) = ${ $load->{out} } =~ /number of transactions actually processed: (\d+)/;
		cmp_ok($transactions // 0, '>', 0, "and they did work: $transactions transactions");
		note($1) if ${ $load->{out} } =~ /(latency average.*)/;
	}
	last if $moves >= 3;
}
cmp_ok($moves, '>=', 3, 'months were moved beside writers and readers');
note("maintain() called $calls times; " . $node->safe_psql('work', q{SELECT string_agg(t, '; ') FROM (SELECT count(*) || ' x ' || job || ' ' || coalesce(sqlstate, 'done') AS t FROM hanzo_datastore.job_log GROUP BY job, sqlstate) AS x}));
$node->safe_psql('work', 'UPDATE hanzo_datastore.maintenance_state SET next_run = NULL, seen = NULL');
is(maintain_until($node, 'work', '2026-01-15', q{SELECT count(*) FROM c_default}, '0'), '0', 'the default partition is empty');
is($node->safe_psql('work', q{SELECT count(*) FROM hanzo_datastore.partition_bounds('c') WHERE lower >= '2025-01-01' AND upper <= '2026-01-01'}), '12', 'there are twelve months');
is($node->safe_psql('work', "SELECT count(*) FROM ((TABLE c EXCEPT ALL TABLE h) UNION ALL (TABLE h EXCEPT ALL TABLE c)) AS d"), '0', 'and no row is lost or there twice');
is($node->safe_psql('work', q{SELECT count(*) FROM c JOIN hanzo_datastore.partition_bounds('c') AS b ON b.partition = c.tableoid WHERE NOT (c.at AT TIME ZONE 'UTC' >= b.lower AND c.at AT TIME ZONE 'UTC' < b.upper)}), '0', 'or at the wrong place');
is($node->safe_psql('work', q{SELECT count(*) FROM hanzo_datastore.verify('c')}), '0', 'or damaged');

# ---- A crash in the middle of a move, and of TTL

$node->safe_psql('work', q{
	CREATE FUNCTION gate(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN n; END $$;
	CREATE TABLE g (id integer, at timestamptz) PARTITION BY RANGE (at);
	CREATE INDEX ON g (gate(id));
	SELECT hanzo_datastore.manage_partitions('g', now => '2026-01-15');
	INSERT INTO g SELECT i, timestamptz '2025-01-01 00:00+00' + i * interval '1 hour' FROM generate_series(0, 1000) AS i;
	CREATE TABLE watched (id integer, at timestamptz) USING hanzo_columnar;
	INSERT INTO watched SELECT i, timestamptz '2025-01-01 00:00+00' + i * interval '1 hour' FROM generate_series(0, 1000) AS i;
	SELECT hanzo_datastore.set_ttl('watched', '1 day', 'at');
	CREATE FUNCTION gate_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.gate(OLD.id); RETURN OLD; END $$;
	CREATE TRIGGER gate BEFORE DELETE ON watched FOR EACH ROW EXECUTE FUNCTION gate_trigger();
});
foreach my $job ('strays', 'ttl')
{
	my ($in, $out, $err) = ('', '', '');
	my $holder = $node->background_psql('work');
	$holder->query_safe('SELECT pg_advisory_lock(77)');
	my $table = $job eq 'strays' ? 'g' : 'watched';
	my $mover = start(['psql', '-X', '-d', $node->connstr('work'), '-c', "SELECT hanzo_datastore.run_step('$job', '$table', '2026-01-15', 'x', 'infinity')"], '<', \'', '>', \$out, '2>', \$err);
	$node->poll_query_until('work', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted});
	$node->stop('immediate');
	finish($mover);
	eval { $holder->quit };
	$node->start;
	is($node->safe_psql('work', "SELECT count(*), count(DISTINCT id) FROM $table"), '1001|1001', "after a crash in the middle of $job: all rows are there");
}
is($node->safe_psql('work', q{SELECT count(*) FROM pg_class WHERE relname LIKE 'g\_2025%'}), '0', 'and nothing of the new month');
$node->safe_psql('work', q{DROP TRIGGER gate ON watched});
is(maintain_until($node, 'work', '2026-01-15', q{SELECT (SELECT count(*) FROM g_default), (SELECT count(*) FROM g), (SELECT count(*) FROM watched)}, '0|1001|0'),
	'0|1001|0', 'the next call does it all');

# ---- Dump and restore: everything goes on

my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
$node->safe_psql('work', q{DROP TABLE g, watched; SELECT hanzo_datastore.set_ttl('c', '300 days'); INSERT INTO c VALUES (-1, '2027-06-06', 1, 'stray')});
$node->command_ok(['pg_dump', '-Fc', '-f', $dump, $node->connstr('work')], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(['pg_restore', '-d', $node->connstr('restored'), $dump], 'pg_restore');
is($node->safe_psql('restored', 'SELECT relation, column_name, managed, months_ahead, ttl, partitions, default_partition FROM hanzo_datastore.managed_tables'), 'c|at|t|3|300 days|16|c_default', 'settings came over');
my $months = '2025-05-01 00:00:00|2027-06-01 00:00:00|15';
is(maintain_until($node, 'restored', '2026-03-15', q{SELECT min(lower), max(lower), count(*) FROM hanzo_datastore.partition_bounds('c') WHERE NOT is_default}, $months),
	$months, 'months ahead, the stray, and TTL go on');
is($node->safe_psql('restored', q{SELECT count(*) FROM c WHERE at < timestamptz '2026-03-15' - interval '300 days'}), '0', 'what has expired is gone');
is($node->safe_psql('restored', q{SELECT count(*) FROM hanzo_datastore.jobs WHERE error IS NOT NULL}), '0', 'without an error');

# ---- Nothing to do: 13 tables of 36 months

$node->safe_psql('postgres', 'CREATE DATABASE idle');
$node->safe_psql('idle', q{
	CREATE EXTENSION hanzo_datastore;
	DO $$
	BEGIN
		FOR t IN 1..13 LOOP
			EXECUTE format('CREATE TABLE t%s (id integer, at timestamptz, v text) PARTITION BY RANGE (at)', t);
			PERFORM hanzo_datastore.manage_partitions(format('t%s', t)::regclass, ahead => '35 months', now => '2026-01-15');
			EXECUTE format('INSERT INTO t%s SELECT i, timestamptz ''2026-01-01 00:00+00'' + i * interval ''1 day'', ''v'' FROM generate_series(0, 1000) AS i', t);
			IF t % 2 = 0 THEN
				PERFORM hanzo_datastore.set_ttl(format('t%s', t)::regclass, '90 days');
			END IF;
		END LOOP;
	END $$;
});
is($node->safe_psql('idle', q{SELECT count(*) FROM pg_inherits WHERE inhparent::regclass::text ~ '^t\d+$'}), 13 * 37, '13 tables of 36 months');
$node->safe_psql('idle', "CALL hanzo_datastore.maintain('2026-01-15')");
my $lines = $node->safe_psql('idle', 'SELECT count(*) FROM hanzo_datastore.job_log');
my $best = 1e9;
foreach my $try (1 .. 5)
{
	my ($rc, $timed) = $node->psql('idle', "\\timing on\n" . "CALL hanzo_datastore.maintain('2026-01-15');\n" x 10);
	my @times = $timed =~ /^Time: ([\d.]+) ms/mg;
	is(scalar(@times), 10, 'maintain() with nothing to do');
	note("nothing to do: first $times[0] ms, then " . join(' ', @times[1 .. 9]) . ' ms');
	$best = $times[0] if $times[0] < $best;
}
cmp_ok($best, '<', 500, "takes $best ms in a new session");
is($node->safe_psql('idle', 'SELECT count(*) FROM hanzo_datastore.job_log'), $lines, 'and writes no line');

# ---- A month of many rows expires

my $rows = $ENV{HANZO_MONTH_ROWS} // 1000000;
$node->safe_psql('idle', qq{
	CREATE TABLE big (id bigint, at timestamptz, v text, n integer) PARTITION BY RANGE (at);
	SELECT hanzo_datastore.manage_partitions('big', ahead => '1 month', now => '2026-01-15');
	CREATE INDEX ON big (id);
	INSERT INTO big SELECT i, timestamptz '2026-01-01 00:00+00' + i % 2678400 * interval '1 second', 'value ' || i % 1000, i % 77 FROM generate_series(1, $rows) AS i;
	SELECT hanzo_datastore.set_ttl('big', '30 days');
});
$node->safe_psql('idle', "CALL hanzo_datastore.compact('big')");
$node->safe_psql('idle', "INSERT INTO big SELECT i, timestamptz '2026-01-15 00:00+00', 'late', 1 FROM generate_series(1, 100) AS i");
my ($rc, $took, $gone, $err);
foreach my $try (1 .. 60)
{
	$started = time;
	($rc, $gone, $err) = $node->psql('idle', q{\set VERBOSITY sqlstate
		SELECT rows FROM hanzo_datastore.expire_next('big', '2026-03-20', NULL)}, on_error_stop => 1);
	$took = time - $started;
	# autovacuum is at work on it
	last if $err !~ /55P03/;
	sleep(1);
}
is("$gone$err", $rows + 100, 'a whole month expires');
note(sprintf('%d rows went in %.3f s', $rows + 100, $took));
cmp_ok($took, '<', 20, sprintf('in %.3f s', $took));
# not while autovacuum is busy with what has gone; maintain() would try again a minute later
my $left = '';
foreach my $try (1 .. 120)
{
	$node->psql('idle', "SELECT * FROM hanzo_datastore.apply_ttl('big', '2026-03-20')");
	$left = $node->safe_psql('idle', q{SELECT count(*) FROM hanzo_datastore.partition_bounds('big') WHERE lower = '2026-01-01'});
	last if $left eq '0';
	sleep(0.5);
}
is($left, '0', 'and its partition is dropped');

# ---- What pg_cron has done meanwhile

# A server of one's own may lack it (HANZO_NO_INSTALL); wherever packages may be installed it has to be there.
ok($has_cron || $ENV{HANZO_NO_INSTALL}, 'pg_cron is there');
note('there is no pg_cron on this server: its part is left out') if !$has_cron;
if ($has_cron)
{
	ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM cron.job_run_details AS d JOIN cron.job AS j USING (jobid) WHERE j.jobname = 'hanzo_datastore postgres' AND d.status = 'succeeded'}),
		'pg_cron has run the job') or diag($node->safe_psql('postgres', 'SELECT * FROM cron.job_run_details'));
	# what gave way to somebody the first time is done a minute or two later
	my $well = q{SELECT (SELECT count(*) FROM by_cron_default), (SELECT string_agg(problem || ' ' || detail, ', ') FROM hanzo_datastore.health)};
	$node->poll_query_until('postgres', $well, '0|');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM by_cron_default'), '0', 'which moved the rows');
	is($node->safe_psql('postgres', 'SELECT problem, detail FROM hanzo_datastore.health'), '', 'all is well');
	is($node->safe_psql('postgres', 'CREATE ROLE reader; SET ROLE reader; SELECT problem FROM hanzo_datastore.health'), '', 'also for who has no rights on pg_cron');
	$node->safe_psql('postgres', q{UPDATE cron.job SET active = false WHERE jobname = 'hanzo_datastore postgres'});
	is($node->safe_psql('postgres', 'SELECT problem FROM hanzo_datastore.health'), 'pg_cron job inactive', 'health says when it is switched off');
	is($node->safe_psql('postgres', 'SELECT hanzo_datastore.unschedule_maintenance()'), 't', 'unscheduled');
	is($node->safe_psql('postgres', 'SELECT hanzo_datastore.unschedule_maintenance()'), 'f', 'once');
}

# ---- Nobody may do anything, and nothing is an internal error

$node->safe_psql('work', 'CREATE ROLE nobody LOGIN');
my @functions = split(/\n/, $node->safe_psql('work', q{
	SELECT format('SELECT hanzo_datastore.%I(%s)', p.proname, (SELECT string_agg(CASE format_type(t, NULL)
			WHEN 'regclass' THEN '''c''' WHEN 'name' THEN '''at''' WHEN 'timestamp with time zone' THEN '''2026-01-15''' WHEN 'timestamp without time zone' THEN '''2025-01-01'''
			WHEN 'text' THEN '''strays''' WHEN 'boolean' THEN 'true' WHEN 'interval' THEN '''1 day''' WHEN 'oid' THEN '1' ELSE '1' END, ', ' ORDER BY i)
		FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u(t, i)))
	FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
	WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hanzo_datastore') AND p.prokind = 'f'
		AND p.proname <> ALL ('{load_library,hanzo_columnar_handler,create_hanzo_schema,changes_since,wait_for_snapshots}') AND p.proname !~ 'hanzo_schema' AND NOT p.proargtypes::oid[] && '{2249,2281}'
	ORDER BY 1}));
cmp_ok(scalar(@functions), '>', 40, 'functions to call');
my $before = $node->safe_psql('work', "SELECT count(*), sum(hashtext(c::text)) FROM c; SELECT count(*) FROM pg_class; SELECT label FROM pg_seclabel");
foreach my $function (@functions)
{
	foreach my $call ($function, $function =~ s/'[^']*'|\btrue\b|\b1\b/NULL/gr)
	{
		my ($status, $out, $err) = $node->psql('work', "\\set VERBOSITY verbose\nSET ROLE nobody;\n$call", timeout => 180);
		unlike($err, qr/ERROR:  (XX|58|P0001)|TRAP|server closed/, $call) or diag($err);
	}
}
is($node->safe_psql('work', "SELECT count(*), sum(hashtext(c::text)) FROM c; SELECT count(*) FROM pg_class; SELECT label FROM pg_seclabel"), $before, 'and nothing has changed');

$node->stop;
done_testing();
