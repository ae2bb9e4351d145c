# The demo's report: its numbers are the database's, names in the data do no harm, the file stands on its own, and a browser
# draws it without complaint. Needs python3, and Chromium for the last part.
use strict;
use warnings;
use Encode qw(decode_utf8 encode_utf8);
use IPC::Run qw(run);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
my $dir = PostgreSQL::Test::Utils::tempdir();

# Installs packages where root runs this and may; scripts/test.sh has done so otherwise.
if (!$ENV{HANZO_NO_INSTALL} && $> == 0)
{
	my $said = '';
	run([ 'bash', '-c', '. scripts/lib.sh; need_packages python3 chromium fonts-dejavu-core' ], '>', \$said, '2>&1') or diag($said);
}

my $node = PostgreSQL::Test::Cluster->new('report');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\ntimezone = 'Asia/Kolkata'\nmax_locks_per_transaction = 256\n");
$node->start;

sub write_file
{
	my ($name, $text) = @_;
	open(my $handle, '>:raw', "$dir/$name") or die "cannot write $name: $!";
	print $handle $text;
	close($handle);
	return "$dir/$name";
}

# Runs the report of a database; returns whether it succeeded, and what it said.
sub report
{
	my ($database, $file, @options) = @_;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = $database;
	my ($out, $err) = ('', '');
	my $done = run([ $python, '-B', 'scripts/report/report.py', @options, $file ], '<', \'', '>', \$out, '2>', \$err);
	return ($done, $out . $err);
}

sub check
{
	my ($what, $file) = @_;
	my ($out, $err) = ('', '');
	run([ $python, '-B', 't/report_check.py', $what, $file ], '<', \'', '>', \$out, '2>', \$err) or diag($err);
	return $out ? decode_json($out) : {};
}

my @columnar = qw(website_events event_properties session_properties ai_traces ai_observations ai_scores business_events api_metrics base_metrics
	app_metrics);

sub create_schema
{
	my ($database) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'SET client_min_messages = warning; CREATE EXTENSION hanzo_datastore; SELECT hanzo_datastore.create_hanzo_schema();
		CREATE SCHEMA hanzo_heap;' . join('', map { "CREATE TABLE hanzo_heap.$_ (LIKE hanzo.$_) USING heap;" } @columnar));
	return;
}

# ---- Data of the generator, and names that are markup, quotes and worse

system('make', '-s', 'bench', "PG_CONFIG=$ENV{PG_CONFIG}") == 0 or die 'bench/generate does not build';
create_schema('filled');
my %rows = (organizations => 5, projects => 8, website_events => 3000, ai_observations => 800, api_metrics => 2000, base_metrics => 1500, event_properties => 200);
foreach my $table (sort keys %rows)
{
	my $columns = '';
	run([ 'bench/generate', '--columns', $table ], '>', \$columns) or die "bench/generate does not know $table";
	$columns = join(', ', map { qq("$_") } split(/[\s,]+/, $columns));
	run([ 'bench/generate', $table, '--rows', $rows{$table}, '--projects', 8 ], '|',
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'filled', '-c', "COPY hanzo.$table ($columns) FROM STDIN" ])
	  or die "cannot load $table";
}

my $hostile = q{</script><script>document.title='owned'</script></style>"'`<b onclick="x">&amp; ]]> --> } . "\x{1F680}\x{202E}\x{0301}\x{4E2D}";
my $shown = "$hostile\x{2401}";
write_file('hostile.sql', encode_utf8(qq{
	\\set ON_ERROR_STOP on
	SELECT project_id AS project, max(created_at) AS until FROM hanzo.website_events GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1 \\gset
	SELECT max(start_time) AS ai_until FROM hanzo.ai_observations \\gset
	SELECT max("timestamp") AS api_until FROM hanzo.api_metrics \\gset
	SELECT max("timestamp") AS base_until FROM hanzo.base_metrics \\gset
	CREATE TEMP TABLE hostile AS SELECT \$hostile\$$hostile\$hostile\$ || chr(1) AS name;
	INSERT INTO hanzo.projects (id, organization_id, name, slug, type) VALUES (:'project', gen_random_uuid(), '', 'p', 'website') ON CONFLICT (id) DO NOTHING;
	UPDATE hanzo.projects SET name = (SELECT name FROM hostile) WHERE id = :'project';
	INSERT INTO hanzo.website_events (project_id, session_id, visit_id, event_id, event_type, created_at, url_path, referrer_domain, country, browser, device)
		SELECT :'project', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, :'until', name, name, name, name, name FROM hostile, generate_series(1, 2000);
	INSERT INTO hanzo.website_events (project_id, session_id, visit_id, event_id, event_type, created_at, url_path)
		VALUES (:'project', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'infinity', repeat('long', 3000)),
			(:'project', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, '-infinity', '');
	INSERT INTO hanzo.ai_observations (id, project_id, type, start_time, model_name, total_cost, total_tokens, latency_ms)
		SELECT 'h' || i, :'project', 'generation', :'ai_until', name, 1000, i, i FROM hostile, generate_series(1, 10) AS i;
	INSERT INTO hanzo.ai_observations (id, project_id, type, start_time, model_name, total_cost) VALUES ('nan', :'project', 'generation', :'ai_until', 'nan', 'NaN'),
		('null', :'project', 'generation', :'ai_until', NULL, NULL);
	INSERT INTO hanzo.api_metrics (project_id, organization_id, "timestamp", endpoint, method, status_code, latency_ms)
		SELECT :'project', gen_random_uuid(), :'api_until', name, 'GET', 500, 2000000000 FROM hostile;
	INSERT INTO hanzo.base_metrics SELECT gen_random_uuid(), :'project', :'base_until', v, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1
		FROM unnest('{NaN,Infinity}'::real[]) AS v;
}));
$node->command_ok([ 'psql', '-X', '-q', '-d', $node->connstr('filled'), '-f', "$dir/hostile.sql" ], 'hostile rows');
foreach my $table (@columnar)
{
	$node->safe_psql('filled', "INSERT INTO hanzo_heap.$table TABLE hanzo.$table; CALL hanzo_datastore.compact('hanzo.$table')");
}
$node->safe_psql('filled', "CALL hanzo_datastore.refresh_rollup('hanzo.$_', '2026-11-20')") foreach qw(website_events_hourly_mv ai_usage_daily_mv api_metrics_hourly_mv);

# ---- The page

my $timings = write_file('timings', encode_utf8("Countries|2.5|1250\nOne row|3.0|0.3\n$hostile | with a bar|0|7\n"));
my $file = "$dir/report.html";
my ($done, $said) = report('filled', $file, '--timings', $timings);
ok($done, 'the report is written') or diag($said);
is($said, '', 'without a word');
my $page = check('page', $file);
is_deeply($page->{problems}, [], 'it is well-formed, refers to nothing and holds no script');
is($page->{title}, "hanzo_datastore: the demo\x{2019}s report", 'its title');
cmp_ok(-s $file, '<', 2_000_000, 'its size');
cmp_ok($page->{charts}, '>=', 10, 'charts');

my $tables = $page->{tables};
sub cut
{
	my ($text, $most) = @_;
	return length($text) > $most ? substr($text, 0, $most - 1) . "\x{2026}" : $text;
}
is($tables->{$_}[0][0], cut($shown, 80), "hostile name in $_") foreach ('Top pages', 'Top referrers', 'Countries', 'Browsers', 'Devices');
is($tables->{'Slowest endpoints'}[0][0], cut($shown, 60), 'hostile endpoint');
like($tables->{'Models by cost'}[0][0], qr/^\Q@{[ cut($shown, 40) ]}\E 10 calls, /, 'hostile model');
like($page->{text}, qr/Project \Q@{[ cut($shown, 80) ]}\E, the one with the most events/, 'hostile project');
like($page->{text}, qr/\Q@{[ cut($hostile . "\x{2401}", 60) ]}\E: /, 'hostile name in a tooltip');

# ---- Its numbers. Text of numbers: with commas.

sub plain
{
	my ($number) = @_;
	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}
sub sum
{
	my ($caption, $column) = @_;
	my $sum = 0;
	$sum += $_->[$column] =~ s/[,\$]//gr foreach grep { $_->[$column] ne "\x{2013}" } @{ $tables->{$caption} };
	return $sum;
}
my $period = q{
	WITH p AS (SELECT project_id AS id FROM hanzo_heap.website_events GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1),
	u AS (SELECT date_trunc('day', max(created_at), 'UTC') + interval '24 hours' AS until FROM hanzo_heap.website_events, p WHERE project_id = id AND isfinite(created_at))
	SELECT %s FROM hanzo_heap.website_events, p, u
	WHERE project_id = id AND event_type = 1 AND created_at >= until - interval '720 hours' AND created_at < until};
is(scalar(@{ $tables->{'Page views by day'} }), 30, 'thirty days');
is(sum('Page views by day', 1), $node->safe_psql('filled', sprintf($period, 'count(*)')), 'page views by day');
is(sum('Visitors by day', 1), $node->safe_psql('filled', sprintf($period, q{count(DISTINCT (session_id, date_trunc('day', created_at, 'UTC')))})), 'visitors by day');
is($tables->{'Top pages'}[0][1], '2,000', 'views of the top page');
is($tables->{'Page views by day'}[29][0], $node->safe_psql('filled', sprintf($period, q{to_char(max(until) AT TIME ZONE 'UTC' - interval '1 day', 'YYYY-MM-DD')})), 'days are of UTC');
my $calls = 0;
$calls += sum('Calls by day', $_) foreach 1 .. $#{ $tables->{'Calls by day'}[0] };
is( $calls, $node->safe_psql('filled', q{
		SELECT count(*) FROM hanzo_heap.ai_observations, (SELECT date_trunc('day', max(start_time), 'UTC') AS last FROM hanzo_heap.ai_observations WHERE type = 'generation') AS u
		WHERE type = 'generation' AND start_time >= last - interval '696 hours'}), 'AI calls by day, of all models');
is( sum('Requests by hour', 1), $node->safe_psql('filled', q{
		SELECT count(*) FROM hanzo_heap.api_metrics, (SELECT max("timestamp") AS last FROM hanzo_heap.api_metrics) AS u
		WHERE "timestamp" >= date_trunc('hour', last, 'UTC') - interval '167 hours'}), 'requests by hour');

is_deeply([ map { s/ .*//sr } sort map { $_->[0] } @{ $tables->{'Bytes by table'} } ], [ sort @columnar ], 'bytes of each table');
like((grep { /^website_events / } map { $_->[0] } @{ $tables->{'Bytes by table'} })[0], qr/^website_events 5,002 rows/, 'rows of a table');
foreach my $table (qw(website_events ai_observations))
{
	my $expected = $node->safe_psql('filled', qq{
		SELECT s.column_name || ' ' || round(sum(s.raw_bytes) / sum(s.compressed_bytes), 1)
		FROM pg_partition_tree('hanzo.$table') AS p, hanzo_datastore.column_stats(p.relid) AS s
		WHERE p.isleaf GROUP BY s.column_name HAVING sum(s.raw_bytes) > 0 ORDER BY s.column_name COLLATE "C"});
	my $got = join("\n", sort map { ($_->[0] =~ s/ .*//sr) . ' ' . ($_->[3] =~ s/[,\x{d7}]//gr) } @{ $tables->{"Columns of $table"} });
	is($got, $expected, "columns of $table and their ratios");
}
like((grep { /^browser / } map { $_->[0] } @{ $tables->{'Columns of website_events'} })[0], qr/text \x{b7} dictionary/, 'type and encoding of a column');
my @times = @{ $tables->{'Columns against heap'} };
is(scalar(@times), 3, 'query times');
is_deeply([ @{ $times[0] } ], [ 'Countries', '2.5', '1,250', "500.0\x{d7}" ], 'a query that is faster in columns');
is_deeply([ @{ $times[1] } ], [ 'One row', '3', '0.3', "0.1\x{d7}" ], 'one that is slower');

# ---- Nothing in the tables; nothing to compare with

create_schema('nothing');
($done, $said) = report('nothing', "$dir/nothing.html");
ok($done, 'a report of empty tables') or diag($said);
my $nothing = check('page', "$dir/nothing.html");
is_deeply($nothing->{problems}, [], 'is well-formed');
like($nothing->{text}, qr/No rows\./, 'and says so');
$node->safe_psql('nothing', 'DROP SCHEMA hanzo_heap CASCADE; SET client_min_messages = error');
my $before = slurp_file("$dir/nothing.html");
($done, $said) = report('nothing', "$dir/nothing.html");
ok(!$done, 'without the heaps there is none');
like($said, qr/schema "hanzo_heap" does not exist/, 'and it says why');
is(slurp_file("$dir/nothing.html"), $before, 'the old file stays');

# ---- A browser

my $chromium = -x '/usr/bin/chromium';
ok($chromium || $ENV{HANZO_NO_INSTALL}, 'Chromium is installed');
note('there is no Chromium on this machine: its part is left out') if !$chromium;

# Returns Chromium's log.
sub browse
{
	my ($page, @options) = @_;
	my $profile = PostgreSQL::Test::Utils::tempdir();
	my @command = ('timeout', '300', '/usr/bin/chromium', qw(--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
		--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --force-device-scale-factor=1 --enable-logging=stderr --v=0
		--virtual-time-budget=5000), "--user-data-dir=$profile", @options, "file://$page");
	local $ENV{HOME} = $profile;
	my ($out, $log) = ('', '');
	my $done = run(\@command, '<', \'', '>', \$out, '2>', \$log);
	ok($done, "Chromium, $options[0]") or diag($log);
	return $log;
}

if ($chromium)
{
	# first a page that is blank and has an error, for what the two checks say of it
	my $log = browse(write_file('bad.html', '<!DOCTYPE html><script>nowhere.x()</script>'), '--window-size=400,400', "--screenshot=$dir/bad.png");
	like($log, qr/CONSOLE.*nowhere/, 'an error of a page is in the log');
	cmp_ok(check('picture', "$dir/bad.png")->{colours}, '<', 3, 'a blank page has one colour');
	foreach my $width (1280, 400)
	{
		$log = browse($file, "--window-size=$width,1600", "--screenshot=$dir/$width.png");
		unlike($log, qr/CONSOLE/, "$width pixels wide: no error");
		my $picture = check('picture', "$dir/$width.png");
		is("$picture->{width}x$picture->{height}", "${width}x1600", 'the picture');
		cmp_ok($picture->{colours}, '>', 60, 'has colours');
		my %colours = map { $_ => 1 } @{ $picture->{hex} };
		my ($ground, $line) = slurp_file('scripts/report/style.css') =~ /--page: #(\w+);.*?--c1: #(\w+);/s;
		ok($colours{$ground} && $colours{$line}, "and those of ground and charts: $ground, $line");
	}
}

$node->stop;
done_testing();
