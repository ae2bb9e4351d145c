# Rollups answer as their query would, at every moment: random writers of every kind, refreshers whose clocks differ, compaction and
# a crash, while snapshots compare the views with the queries.
#
#   HANZO_ROLLUP_SECONDS=600 scripts/test.sh tap:019_rollups
use strict;
use warnings;
use lib 't';
use HanzoTest;
use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $seconds = $ENV{HANZO_ROLLUP_SECONDS} || 20;
my $node = PostgreSQL::Test::Cluster->new('rollups');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum_naptime = 1
fsync = off
max_prepared_transactions = 20
timezone = 'America/New_York'
restart_after_crash = off
});
$node->start;

my $hourly = q{SELECT project, date_trunc('hour', at, 'UTC') AS hour, count(*) AS n, sum(amount) AS amount, avg(ms) AS ms,
	count(DISTINCT session) AS sessions, count(*) FILTER (WHERE ms > 500) AS slow, min(id) AS first,
	percentile_disc(0.9) WITHIN GROUP (ORDER BY ms) AS p90
	FROM events WHERE project <> 4 GROUP BY 1, 2};
my $daily = q{SELECT project, date_trunc('day', hour, 'UTC') AS day, sum(n) AS n, max(amount) AS most, sum(ms_count) AS ms_count FROM hourly GROUP BY 1, 2};
my $monthly = q{SELECT date_trunc('month', at, 'UTC') AS month, project, count(*) AS n, max(at) AS last FROM events GROUP BY 1, 2};
my $logged = q{SELECT date_bin('15 minutes', happened, '2001-01-01') AS quarter, kind, count(*) AS n FROM log GROUP BY 1, 2};
my $ticks = q{SELECT date_trunc('minute', at, 'UTC') AS minute, count(*) AS n, sum(n) AS total FROM ticks GROUP BY 1};
$node->safe_psql('postgres', qq{
	CREATE EXTENSION hanzo_datastore;
	CREATE TABLE events (id integer NOT NULL, project integer, session integer, amount numeric(12,3), ms integer, at timestamptz)
		PARTITION BY RANGE (at);
	CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO (date_trunc('day', now()) - interval '1 day') USING hanzo_columnar;
	CREATE TABLE events_new PARTITION OF events FOR VALUES FROM (date_trunc('day', now()) - interval '1 day') TO (date_trunc('day', now()) + interval '2 days') USING hanzo_columnar;
	CREATE TABLE events_default PARTITION OF events DEFAULT USING hanzo_columnar;
	CREATE INDEX ON events (id);
	CREATE TABLE log (id serial PRIMARY KEY, happened timestamp, kind text) USING hanzo_columnar;
	SELECT hanzo_datastore.alter_columnar_table(t, row_group_rows => 2048) FROM unnest('{events,log}'::regclass[]) AS t;
	INSERT INTO events SELECT i, i % 6, i % 50, i % 97, i % 1000, now() - i * interval '37 seconds' FROM generate_series(1, 10000) AS i;
	-- a clock that runs 300 times as fast, so that buckets are closed all the time, beside writers that have begun before
	CREATE FUNCTION fast_now() RETURNS timestamptz LANGUAGE sql VOLATILE RETURN
		timestamptz '2030-01-01' + (clock_timestamp() - timestamptz '@{[ $node->safe_psql('postgres', 'SELECT now()') ]}') * 300;
	CREATE TABLE ticks (at timestamptz, n integer) USING hanzo_columnar;
	SELECT hanzo_datastore.create_rollup('by_minute', \$q\$$ticks\$q\$, lag => '0');
	SELECT hanzo_datastore.create_rollup('hourly', \$q\$$hourly\$q\$);
	SELECT hanzo_datastore.create_rollup('daily', \$q\$$daily\$q\$);
	SELECT hanzo_datastore.create_rollup('monthly', \$q\$$monthly\$q\$, lag => '0');
	SELECT hanzo_datastore.create_rollup('"Log by quarter"', \$q\$$logged\$q\$, lag => '1 minute');
	-- raises where a rollup differs from its query in the transaction's own eyes
	CREATE FUNCTION compare() RETURNS text LANGUAGE plpgsql AS \$f\$
	DECLARE
		differing text := '';
		rows bigint;
	BEGIN
		SELECT count(*) INTO rows FROM (SELECT d.r FROM (
			SELECT v::text AS r, 1 AS s FROM (SELECT project, hour, n, amount, ms, sessions, slow, first, p90 FROM hourly) AS v UNION ALL SELECT q::text, -1 FROM ($hourly) AS q) AS d
			GROUP BY 1 HAVING sum(d.s) <> 0) AS x;
		IF rows > 0 THEN differing := differing || ' hourly ' || rows; END IF;
		SELECT count(*) INTO rows FROM (SELECT d.r FROM (SELECT v::text AS r, 1 AS s FROM daily AS v UNION ALL SELECT q::text, -1 FROM ($daily) AS q) AS d GROUP BY 1 HAVING sum(d.s) <> 0) AS x;
		IF rows > 0 THEN differing := differing || ' daily ' || rows; END IF;
		SELECT count(*) INTO rows FROM (SELECT d.r FROM (SELECT v::text AS r, 1 AS s FROM monthly AS v UNION ALL SELECT q::text, -1 FROM ($monthly) AS q) AS d GROUP BY 1 HAVING sum(d.s) <> 0) AS x;
		IF rows > 0 THEN differing := differing || ' monthly ' || rows; END IF;
		SELECT count(*) INTO rows FROM (SELECT d.r FROM (SELECT v::text AS r, 1 AS s FROM "Log by quarter" AS v UNION ALL SELECT q::text, -1 FROM ($logged) AS q) AS d GROUP BY 1 HAVING sum(d.s) <> 0) AS x;
		IF rows > 0 THEN differing := differing || ' log ' || rows; END IF;
		SELECT count(*) INTO rows FROM (SELECT d.r FROM (SELECT v::text AS r, 1 AS s FROM by_minute AS v UNION ALL SELECT q::text, -1 FROM ($ticks) AS q) AS d GROUP BY 1 HAVING sum(d.s) <> 0) AS x;
		IF rows > 0 THEN differing := differing || ' ticks ' || rows; END IF;
		RETURN differing;
	END\$f\$;
	CREATE FUNCTION assert_equal() RETURNS void LANGUAGE plpgsql AS \$f\$
	DECLARE
		differing text := compare();
	BEGIN
		IF differing <> '' THEN RAISE EXCEPTION 'rollups differ:%', differing; END IF;
	END\$f\$;
	-- a time between three days ago and soon, at times none at all
	CREATE FUNCTION some_time() RETURNS timestamptz LANGUAGE sql VOLATILE AS \$f\$
		SELECT CASE WHEN r < 0.01 THEN NULL WHEN r < 0.015 THEN 'infinity' WHEN r < 0.02 THEN '-infinity'
			WHEN r < 0.5 THEN now() - random() * interval '10 minutes'
			ELSE now() + interval '1 hour' - random() * interval '3 days' END
		FROM (SELECT random() AS r) AS x\$f\$;
});

my %writers = (
	row => q{
\set id random(1, 12000)
INSERT INTO events SELECT :id, :id % 6, :id % 50, :id % 97, :id % 1000, some_time();
INSERT INTO log (happened, kind) VALUES ((some_time() AT TIME ZONE 'UTC'), 'row') ON CONFLICT (id) DO NOTHING;
},
	change => q{
\set id random(1, 12000)
UPDATE events SET at = some_time(), amount = amount + 1 WHERE id = :id;
UPDATE events SET ms = ms + 1, session = session + 1 WHERE id = :id + 1;
DELETE FROM events WHERE id = :id + 2;
UPDATE log SET happened = happened - interval '20 minutes' WHERE id = (SELECT max(id) / 2 FROM log);
},
	savepoints => q{
\set id random(1, 12000)
BEGIN;
INSERT INTO events VALUES (:id, 1, 2, 3, 4, some_time());
SAVEPOINT a;
INSERT INTO events SELECT :id, 2, 2, 3, 4, some_time() FROM generate_series(1, 5);
UPDATE events SET amount = 0 WHERE id = :id;
ROLLBACK TO a;
INSERT INTO events VALUES (:id, 3, 2, 3, 4, some_time());
SAVEPOINT b;
DELETE FROM events WHERE id = :id + 1;
RELEASE b;
COMMIT;
},
	snapshot => q{
\set id random(1, 12000)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM hourly;
INSERT INTO events SELECT :id, i, 2, 3, 4, some_time() FROM generate_series(1, 5) AS i;
SELECT assert_equal();
INSERT INTO events SELECT :id, i, 2, 3, 4, some_time() FROM generate_series(1, 5) AS i;
SELECT assert_equal();
COMMIT;
},
	tick => q{
BEGIN;
INSERT INTO ticks VALUES (fast_now(), 1);
\sleep 30 ms
INSERT INTO ticks VALUES (fast_now() - random() * interval '20 seconds', 1);
\sleep 30 ms
INSERT INTO ticks VALUES (fast_now() - random() * interval '20 seconds', 1);
COMMIT;
},
	batch => q{
\set id random(1, 12000)
INSERT INTO events SELECT :id + i, i % 6, i % 50, i % 97, i % 1000, some_time() FROM generate_series(1, 300) AS i;
DELETE FROM events WHERE id BETWEEN :id AND :id + 300 AND ms % 3 = 1;
},
	# a prepared transaction may hold it for long, and whoever waits holds up all others
	truncate => q{
DO $f$
BEGIN
	LOCK TABLE events_default IN ACCESS EXCLUSIVE MODE NOWAIT;
	TRUNCATE events_default;
	INSERT INTO events SELECT i, i % 6, 2, 3, 4, now() + i * interval '1 hour' FROM generate_series(1, 100) AS i;
EXCEPTION WHEN lock_not_available THEN
	NULL;
END$f$;
\sleep 100 ms
});
my %refreshers = (
	refresh => q{
\set ahead random(0, 7200)
CALL hanzo_datastore.refresh_rollup('hourly', now() + :ahead * interval '1 second');
CALL hanzo_datastore.refresh_rollup('daily', now() + :ahead * interval '1 second');
CALL hanzo_datastore.refresh_rollup('monthly', now() - :ahead * interval '1 second');
CALL hanzo_datastore.refresh_rollup('"Log by quarter"');
\sleep 20 ms
},
	tock => q{
CALL hanzo_datastore.refresh_rollup('by_minute', fast_now());
},
	block => q{
BEGIN;
INSERT INTO events VALUES (1, 1, 1, 1, 1, now() - interval '30 hours');
SELECT hanzo_datastore.refresh_rollup_step('hourly_states', now(), 20);
INSERT INTO events VALUES (1, 1, 1, 1, 1, now() - interval '30 hours');
SELECT hanzo_datastore.refresh_rollup_step('daily_states', now(), 20);
INSERT INTO events VALUES (1, 1, 1, 1, 1, now() - interval '30 hours');
COMMIT;
\sleep 50 ms
});

# A refresh whose cancel is caught ends with an aborted subtransaction. Psql goes on after one that comes before BEGIN, which pgbench does not.
my $interrupted = q{
SELECT 'SET statement_timeout = ' || 1 + (random() * 40)::integer \gexec
DO $f$
BEGIN
	PERFORM hanzo_datastore.refresh_rollup_step(s) FROM unnest('{hourly_states,by_minute_states}'::regclass[]) AS s;
EXCEPTION WHEN query_canceled THEN
	RAISE WARNING 'interrupted';
END$f$;
SET statement_timeout = 0;
};

sub start_interrupted
{
	my ($time) = @_;
	my ($out, $err) = ('', '');
	my $run = start([ 'timeout', $time, 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', script('interrupted', $interrupted x 10000) ],
		'<', \'', '>', \$out, '2>', \$err);
	return { run => $run, err => \$err };
}

sub start_all
{
	my ($time) = @_;
	my %files = map { $_ => script($_, { %writers, %refreshers }->{$_}) } keys %writers, keys %refreshers;
	return (
		pgbench($node, $time, 6, map { "$files{$_}\@" . { row => 10, change => 10, savepoints => 5, snapshot => 2, batch => 2, truncate => 1 }->{$_} }
				qw(row change savepoints snapshot batch truncate)),
		pgbench($node, $time, 4, $files{tick}),
		pgbench($node, $time, 1, $files{refresh}),
		pgbench($node, $time, 1, $files{tock}),
		pgbench($node, $time, 1, "$files{refresh}\@3", "$files{block}\@2"),
		start_interrupted($time),
		pgbench($node, $time, 1, script('compact', "CALL hanzo_datastore.compact('events');\nCALL hanzo_datastore.compact('log');\nVACUUM events_new;\n")));
}

# A transaction that is prepared for a while, in a session of its own: pgbench has no names for it.
sub prepare_some
{
	my ($n) = @_;
	$node->safe_psql('postgres', qq{
		BEGIN;
		INSERT INTO events SELECT $n, i, 2, 3, 4, some_time() FROM generate_series(1, 5) AS i;
		PREPARE TRANSACTION 'p$n';});
}

my $compared = 0;
sub compare_for
{
	my ($time) = @_;
	my $end = time() + $time;
	my $differing = '';
	my $n = 0;
	# twice at least, however slow the machine is
	while (time() < $end || ($n < 2 && time() < $end + 180))
	{
		my $answer = eval { $node->safe_psql('postgres', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT compare(); COMMIT;') };
		return "no answer: $@" if !defined $answer;
		$compared++;
		return $answer if $answer ne '';
		if ($n % 4 == 0) { prepare_some($n) }
		if ($n % 4 == 3) { my $p = $n - 3; $node->safe_psql('postgres', "COMMIT PREPARED 'p$p'") }
		$n++;
	}
	$node->safe_psql('postgres', $_) foreach split /\n/, $node->safe_psql('postgres', q{SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts});
	return '';
}

my $stored = q{SELECT live_from > now() - interval '3 hours', (SELECT count(*) > 100 FROM hourly_states)
	FROM hanzo_datastore.rollups WHERE rollup = 'hourly'::regclass};
foreach my $round (1 .. 2)
{
	my @loads = start_all($seconds + 3);
	is(compare_for($seconds / 2), '', "round $round: the rollups are their queries");
	if ($round == 1)
	{
		$node->stop('immediate');
		stop_load(@loads);
		$node->start;
		is($node->safe_psql('postgres', 'SELECT compare()'), '', 'after a crash');
	}
	else
	{
		my $said = stop_load(@loads);
		# a slow machine may take longer for what follows
		for (1 .. 10)
		{
			last if $said =~ /interrupted/ && $node->safe_psql('postgres', 'SELECT count(*) > 20 FROM by_minute_states') eq 't' && $node->safe_psql('postgres', $stored) eq 't|t';
			$said .= stop_load(start_all(15));
		}
		unlike($said, qr/differ|PANIC|vanished|internal|unexpected|could not open/i, 'what the clients were told');
		like($said, qr/interrupted/, 'refreshes were interrupted');
	}
}
is($node->safe_psql('postgres', 'SELECT compare()'), '', 'in the end');
cmp_ok($compared, '>', 3, "compared $compared times");
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM by_minute_states'), '>', 20, 'minutes were closed');
is($node->safe_psql('postgres', $stored), 't|t', 'most is stored');
foreach my $rollup ('hourly', 'daily', 'monthly', 'by_minute', '"Log by quarter"')
{
	$node->safe_psql('postgres', "CALL hanzo_datastore.refresh_rollup('$rollup')");
}
is($node->safe_psql('postgres', 'SELECT sum(stale_ranges) FROM hanzo_datastore.rollups'), '0', 'a refresh leaves no marks');
is($node->safe_psql('postgres', 'SELECT compare()'), '', 'after the last refresh');
$node->stop;
done_testing();
