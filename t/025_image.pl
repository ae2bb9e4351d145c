# What the image does, without docker: its scripts make a datastore, a replica of it, and are started again and again; clients, health checks, passwords,
# promotion; and what is refused. Then the files that only docker and Grafana read, by docker/check.mjs.
use strict;
use warnings;
use Cwd qw(getcwd);
use IPC::Run qw(run start finish);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $tree = getcwd();
my $bin = "$tree/docker/bin";
my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my $logs = $ENV{TESTLOGDIR};
my $can_install = !$ENV{HANZO_NO_INSTALL};
delete @ENV{ grep { /^(HANZO_|PGDATA$|PGHOST$|PGPASSWORD$|PGUSER$|PGDATABASE$|PGOPTIONS$)/ } keys %ENV };
mkdir($logs) if !-d $logs;

sub slurp
{
	my ($file) = @_;
	open(my $handle, '<', $file) or die "cannot read $file: $!";
	local $/;
	return scalar(<$handle>) // '';
}

sub spew
{
	my ($file, $text) = @_;
	open(my $handle, '>', $file) or die "cannot write $file: $!";
	print $handle $text;
	close($handle) or die "cannot write $file: $!";
}

# Runs a command with these variables: its status and what it wrote to both outputs.
sub call
{
	my ($environment, @command) = @_;
	my $in = ref($command[0]) ? ${ shift @command } : '';
	my $out = '';
	local %ENV = (%ENV, %$environment);
	run(\@command, '<', \$in, '>', \$out, '2>&1');
	return ($? >> 8, $out);
}

sub refused
{
	my ($name, $environment, $pattern, @command) = @_;
	# a server that is not refused would run for ever
	my ($status, $out) = call($environment, 'timeout', '-s', 'INT', 120, @command);
	isnt($status, 0, "refused: $name");
	like($out, $pattern, 'and says why');
}

# ---- The files by themselves

foreach my $script (glob("$bin/* docker/*.sh"))
{
	my ($status, $out) = call({}, 'bash', '-n', $script);
	is($out, '', "bash -n $script");
	ok(-x $script || $script =~ /-lib$/, 'can be run');
}

# A comment explains the settings that follow it without an empty line or another one between: three at the most.
my (@bare, $commented, $explained);
my $conf = slurp('docker/postgresql.conf');
foreach my $line (split(/\n/, $conf))
{
	if ($line =~ /^# /) { $explained = 3 }
	elsif ($line =~ /^([\w.]+) = /) { $explained-- > 0 ? $commented++ : push(@bare, $1) }
	else { $explained = 0 }
}
is("@bare", '', "$commented settings are explained");

# ---- Sizes: what the container may use, not what the machine has

sub sizes
{
	my (%environment) = @_;
	my ($status, $out) = call({ HANZO_CGROUP_DIR => "$tmp/none", HANZO_MEMINFO => "$tmp/meminfo", %environment }, "$bin/hanzo-datastore-sizes");
	is($status, 0, 'sizes') or diag($out);
	return { $out =~ /^(\w+) = (\d+)/mg };
}
spew("$tmp/meminfo", "MemTotal:       16777216 kB\nMemFree:         1000 kB\n");
foreach my $group ([ 'v2', 'memory.max', "4294967296\n", 'cpu.max', "150000 100000\n" ], [ 'v1', 'memory/memory.limit_in_bytes', "2147483648\n",
	'cpu/cpu.cfs_quota_us', "100000\n", 'cpu/cpu.cfs_period_us', "100000\n" ],
	[ 'free', 'memory.max', "max\n", 'cpu.max', "max 100000\n" ], [ 'free1', 'memory/memory.limit_in_bytes', "9223372036854771712\n", 'cpu/cpu.cfs_quota_us',
		"-1\n" ])
{
	my ($name, %files) = @$group;
	mkdir("$tmp/$_") || 1 foreach ($name, "$name/memory", "$name/cpu");
	spew("$tmp/$name/$_", $files{$_}) foreach keys %files;
}
my $all = sizes(HANZO_DATASTORE_CPUS => 8);
is("$all->{shared_buffers} $all->{effective_cache_size} $all->{work_mem} $all->{max_parallel_workers_per_gather}", '4096 12288 256 7', '16 GB, 8 processors');
is(sizes(HANZO_CGROUP_DIR => "$tmp/v2")->{shared_buffers}, 1024, 'a limit of 4 GB');
is(sizes(HANZO_CGROUP_DIR => "$tmp/v1")->{shared_buffers}, 512, 'one of 2 GB, of an older kernel');
is(sizes(HANZO_CGROUP_DIR => "$tmp/v1")->{max_parallel_workers}, 1, 'and of one processor');
is(sizes(HANZO_CGROUP_DIR => "$tmp/$_")->{shared_buffers}, 4096, 'no limit') foreach ('free', 'free1');
foreach my $mb (256, 512, 1024, 4096, 65536)
{
	my $size = sizes(HANZO_DATASTORE_MEMORY => "${mb}MB", HANZO_DATASTORE_CPUS => 4);
	# four large hash tables, compaction, a worker of autovacuum
	cmp_ok($size->{shared_buffers} + 8 * $size->{work_mem} + $size->{maintenance_work_mem} + $size->{autovacuum_work_mem}, '<=', $mb,
		"$mb MB are enough for a busy server");
}
refused("memory of $_", { HANZO_DATASTORE_MEMORY => $_ }, qr/not a size|too few/, "$bin/hanzo-datastore-sizes") foreach ('4', '4TB', 'xGB', '1x4GB', '10MB');
refused("$_ processors", { HANZO_DATASTORE_CPUS => $_ }, qr/not a number/, "$bin/hanzo-datastore-sizes") foreach ('0', 'two');

# ---- Passwords

my ($status, $out) = call({ HANZO_PLATFORM_PASSWORD => "it's\\odd: \$1" }, 'docker/make-secrets.sh', "$tmp/secrets");
is($status, 0, 'make-secrets.sh') or diag($out);
my @names = qw(console_password analytics_ro_password platform_password replication_password grafana_admin_password);
my %secret = map { $_ => slurp("$tmp/secrets/$_") } @names;
is($secret{platform_password}, "it's\\odd: \$1", 'takes a password from the environment');
my %different = reverse %secret;
is(scalar(keys %different), 5, 'makes the others at random');
is(scalar(grep { length($secret{$_}) < 16 } grep { $_ ne 'platform_password' } @names), 0, 'long ones');
is(sprintf('%o', (stat("$tmp/secrets"))[2] & 0777), '700', 'in a directory of one\'s own');
call({}, 'docker/make-secrets.sh', "$tmp/secrets");
is(join(' ', map { slurp("$tmp/secrets/$_") } @names), join(' ', @secret{@names}), 'and leaves them alone the next time');

# ---- A server that is asked for what it cannot do makes nothing

my $socket = PostgreSQL::Test::Utils::tempdir_short();
my $sharedir = `$ENV{PG_CONFIG} --sharedir`;
chomp $sharedir;
my $has_cron = -e "$sharedir/extension/pg_cron.control";
ok($has_cron || !$can_install, 'pg_cron is installed') or diag('install postgresql-15-cron for this server, or say HANZO_NO_INSTALL=1');

mkdir("$tmp/$_") foreach ('conf.d', 'hooks', 'data');
spew("$tmp/conf.d/10-test.conf", "fsync = off\nlog_temp_files = 12345\n");
spew("$tmp/hooks/1.sql", "CREATE TABLE public.made_by_sql AS SELECT 1 AS n;\n");
spew("$tmp/hooks/2.sh", "psql -X -q -c 'CREATE TABLE public.made_by_sh AS SELECT 2 AS n'\n");
my ($port, $replica_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
my %common = (HANZO_DATASTORE_SOCKET_DIR => $socket, HANZO_DATASTORE_LISTEN => '127.0.0.1', HANZO_DATASTORE_CONF => "$tree/docker/postgresql.conf",
	HANZO_DATASTORE_CONF_DIR => "$tmp/conf.d", HANZO_DATASTORE_INIT_DIR => "$tmp/hooks", HANZO_DATASTORE_MEMORY => '512MB',
		HANZO_SECRETS_DIR => "$tmp/secrets");
my %primary = (%common, PGDATA => "$tmp/data/primary", HANZO_DATASTORE_PORT => $port);
my %replica = (%common, PGDATA => "$tmp/data/replica", HANZO_DATASTORE_PORT => $replica_port, HANZO_DATASTORE_ROLE => 'replica',
	HANZO_PRIMARY_HOST => '127.0.0.1', HANZO_PRIMARY_PORT => $port, HANZO_SECRETS_DIR => "$tmp/replica_secrets");
my $server = "$bin/hanzo-datastore-server";

refused('no passwords', { %primary, HANZO_SECRETS_DIR => "$tmp/none" }, qr/no password: set HANZO_REPLICATION_PASSWORD.*There is no default/, $server);
mkdir("$tmp/some");
spew("$tmp/some/replication_password", 'x');
spew("$tmp/some/console_password", "\n");
refused('an empty password', { %primary, HANZO_SECRETS_DIR => "$tmp/some" }, qr/no password: set HANZO_CONSOLE_PASSWORD/, $server);
refused('a file that is not there', { %primary, HANZO_REPLICATION_PASSWORD_FILE => "$tmp/none" }, qr/HANZO_REPLICATION_PASSWORD: cannot read/, $server);
refused('a role', { %primary, HANZO_DATASTORE_ROLE => 'leader' }, qr/'leader': primary or replica/, $server);
refused('an environment', { %primary, HANZO_ENV => 'test' }, qr/'test': production or development/, $server);
refused('a name of a database', { %primary, HANZO_DATASTORE_DB => "a'b" }, qr/letters, digits/, $server);
ok(!-e $primary{PGDATA}, 'nothing was made');
mkdir("$tmp/data/full");
spew("$tmp/data/full/file", 'mine');
refused('a directory of something else', { %primary, PGDATA => "$tmp/data/full" }, qr/no data directory, and not empty/, $server);
is(slurp("$tmp/data/full/file"), 'mine', 'which stays as it is');
mkdir("$tmp/data/old");
spew("$tmp/data/old/PG_VERSION", "9.6\n");
refused('another major version', { %primary, PGDATA => "$tmp/data/old" }, qr/belongs to PostgreSQL 9\.6.*deploy\.md/, $server);
is((call({ HANZO_ENV => 'development', HANZO_SECRETS_DIR => "$tmp/none" }, 'bash', '-c',
	". $bin/hanzo-datastore-lib; need_secret HANZO_CONSOLE_PASSWORD"))[1], 'hanzo', 'development has a default');
is((call({}, $server, 'echo', 'another command'))[1], "another command\n", 'another command than the server');
refused('a health check of nothing', \%primary, qr/no answer/, "$bin/hanzo-datastore-health");

# ---- Servers: started as the container does, in the foreground

my %running;

sub launch
{
	my ($name, $environment, $wanted) = @_;
	local %ENV = (%ENV, %$environment);
	my $log = "$logs/$name.log";
	$running{$name} = start([$server], '<', '/dev/null', '>>', $log, '2>&1');
	my ($status, $out);
	for (my $end = time + 180; time < $end; sleep(0.5))
	{
		($status, $out) = call($environment, "$bin/hanzo-datastore-health");
		last if $status == 0 || !$running{$name}->pumpable;
	}
	like($out, $wanted, "$name is up") or BAIL_OUT("$name does not start: " . slurp($log));
}

sub shut
{
	my ($name, $signal) = @_;
	$running{$name}->signal($signal // 'INT');
	finish($running{$name});
	delete $running{$name};
}
END
{
	my $status = $?;
	foreach my $server (values %running) { eval { $server->signal('QUIT'); finish($server) } }
	$? = $status;
}

# As superuser through the socket; as a role by password through TCP.
sub sql
{
	my ($environment, $query) = @_;
	my ($status, $out) = call({ %$environment, PGHOST => $socket, PGPORT => $environment->{HANZO_DATASTORE_PORT} }, 'psql', '-X', '-At', '-w', '-v',
		'ON_ERROR_STOP=1', '-d', 'hanzo', '-c', $query);
	chomp $out;
	return $status == 0 ? $out : "error: $out";
}

sub sql_as
{
	my ($role, $password, $on, $query) = @_;
	my ($status, $out) = call({ PGPASSWORD => $password, PGHOST => '127.0.0.1', PGPORT => $on }, 'psql', '-X', '-At', '-w', '-v', 'ON_ERROR_STOP=1', '-U',
		$role, '-d', 'hanzo', '-c', $query);
	chomp $out;
	return $status == 0 ? $out : "error: $out";
}

sub eventually
{
	my ($query, $wanted, $name) = @_;
	my $got;
	for (my $end = time + 180; time < $end; sleep(0.1))
	{
		$got = $query->();
		last if $got eq $wanted;
	}
	is($got, $wanted, $name);
}

SERVERS:
{
	if (!$has_cron)
	{
		note('there is no pg_cron on this server: its part is left out');
		last SERVERS;
	}

	# What a killed first start left behind is no obstacle.
	mkdir("$primary{PGDATA}.part");
	spew("$primary{PGDATA}.part/PG_VERSION", "15\n");
	launch('primary', \%primary, qr/^primary$/);
	is(sql(\%primary, q{SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension}), 'hanzo_datastore hll pg_cron plpgsql tdigest', 'extensions');
	is(sql(\%primary, q{SELECT count(*) FROM pg_class WHERE relnamespace = 'hanzo'::regnamespace AND relkind IN ('r', 'p')
		AND NOT relispartition AND relname !~ '_(states|marks)$'}), '13', 'the Hanzo schema');
	is(sql(\%primary, q{SELECT jobname || ': ' || command FROM cron.job}), 'hanzo_datastore hanzo: CALL hanzo_datastore.maintain()', 'its maintenance');
	is(sql(\%primary, 'SELECT (SELECT n FROM made_by_sql), (SELECT n FROM made_by_sh)'), '1|2', 'hooks for a new database');

	# Every setting is in force: the file's, that of the machine, and conf.d's, which wins.
	is(sql(\%primary, q{SELECT string_agg(name || ': ' || error, '; ') FROM pg_file_settings WHERE error IS NOT NULL}), '', 'the settings are accepted');
	my @mine = $conf =~ /^([\w.]+) = /mg;
	is(sql(\%primary, "SELECT count(*) FROM pg_file_settings WHERE applied AND sourcefile = '$tree/docker/postgresql.conf'"),
		scalar(grep { !/^(log_temp_files)$/ } @mine), 'and in force');
	is(sql(\%primary, q{SELECT string_agg(current_setting(s), ' ')
		FROM unnest('{shared_buffers,fsync,log_temp_files,cron.database_name,jit,wal_compression}'::text[]) AS s}),
		'128MB off 12345kB hanzo off lz4', 'conf.d wins');

	# ---- Roles

	my %password = (hanzo_console => $secret{console_password}, hanzo_analytics_ro => $secret{analytics_ro_password},
		hanzo_platform => $secret{platform_password}, hanzo_replication => $secret{replication_password});
	foreach my $role (sort keys %password)
	{
		is(sql_as($role, $password{$role}, $port, 'SELECT current_user'), $role, "$role logs in over TCP");
		like(sql_as($role, 'wrong', $port, 'SELECT 1'), qr/password authentication failed/, 'with its password only');
	}
	my $superuser = sql(\%primary, 'SELECT current_user');
	like(sql_as($superuser, 'x', $port, 'SELECT 1'), qr/password authentication failed/, 'the superuser does not');
	is(sql(\%primary, q{SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$%'}), '4', 'passwords are kept as SCRAM');
	my $project = "'11111111-1111-1111-1111-111111111111'";
	my $insert = "INSERT INTO website_events (project_id, session_id, visit_id, event_id, event_type) SELECT $project, gen_random_uuid(), gen_random_uuid(),
		gen_random_uuid(), 1
		FROM generate_series(1, %d)";
	like(sql_as('hanzo_console', $password{hanzo_console}, $port, sprintf($insert, 100)), qr/INSERT 0 100/, 'hanzo_console writes, without naming the schema');
	is(sql_as('hanzo_analytics_ro', $password{hanzo_analytics_ro}, $port, 'SELECT count(*) FROM hanzo.website_events'), '100', 'hanzo_analytics_ro reads');
	like(sql_as('hanzo_analytics_ro', $password{hanzo_analytics_ro}, $port, 'DELETE FROM hanzo.website_events'), qr/ERROR/, 'and does not write');
	is(sql_as('hanzo_analytics_ro', $password{hanzo_analytics_ro}, $port,
		q{SELECT current_setting('statement_timeout') || ' ' || current_setting('temp_file_limit')}), '1min 10GB', 'within limits');
	like(sql_as('hanzo_platform', $password{hanzo_platform}, $port, 'SELECT count(*) FROM hanzo.website_events'), qr/permission denied/,
		'hanzo_platform does not read');

	# ---- The client

	my $client = "$bin/hanzo-datastore-client";
	my $script = "CREATE TABLE public.a (n integer);\nINSERT INTO public.a VALUES (1);\nSELECT 1 / 0;\nINSERT INTO public.a VALUES (2);\n";
	($status, $out) = call(\%primary, \$script, $client);
	is($status, 3, 'a script that fails has status 3');
	like($out, qr/division by zero/, 'says why');
	is(sql(\%primary, 'SELECT count(*) FROM public.a'), '1', 'and stops there');
	my $good = "\\set n 3\nSELECT :n + 1;\n";
	($status, $out) = call({ %primary, PSQLRC => '/dev/full' }, \$good, $client, '-At');
	is("$status $out", "0 4\n", 'one that works has status 0');
	my %remote = (HANZO_DATASTORE_HOST => '127.0.0.1', HANZO_DATASTORE_PORT => $port);
	my $who = "SELECT current_user, current_database();\n";
	is((call({ %remote, HANZO_DATASTORE_PASSWORD => $password{hanzo_console} }, \$who, $client, '-At'))[1], "hanzo_console|hanzo\n",
		'with a host it is hanzo_console');
	is((call({ %remote, HANZO_DATASTORE_USER => 'hanzo_platform', HANZO_DATASTORE_PASSWORD_FILE => "$tmp/secrets/platform_password" }, \$who, $client,
		'-At'))[1], "hanzo_platform|hanzo\n", 'or who one says, with the password of a file');
	refused('a file of a password that is not there', { %remote, HANZO_DATASTORE_PASSWORD_FILE => "$tmp/none" }, qr/cannot read/, $client, '-c', 'SELECT 1');
	refused('a wrong password', { %remote, HANZO_DATASTORE_PASSWORD => 'x' }, qr/password authentication failed/, $client, '-c', 'SELECT 1');
	# On a terminal it goes on after an error, and prompts.
	($status, $out) = call({ %primary, TERM => 'dumb' }, \"SELECT 1 / 0;\nSELECT 40 + 2 AS answer;\n\\q\n", 'script', '-qec', $client, '/dev/null');
	like($out, qr/hanzo=#.*division by zero.*answer.*42/s, 'interactive');

	# ---- A replica, with nothing but the password of replication

	mkdir("$tmp/replica_secrets");
	spew("$tmp/replica_secrets/replication_password", 'wrong');
	refused('a replica with a wrong password', { %replica, HANZO_PRIMARY_WAIT => 1 }, qr/password authentication failed.*the primary does not answer/s,
		$server);
	ok(!-e $replica{PGDATA}, 'which makes nothing');
	spew("$tmp/replica_secrets/replication_password", "$secret{replication_password}\n");
	launch('replica', \%replica, qr/^replica, \d+ s behind$/);
	eventually(sub { sql(\%primary, q{SELECT slot_name, active FROM pg_replication_slots}) }, 'hanzo_replica|t', 'has its slot');
	is(sql(\%replica, q{SELECT current_setting('hot_standby_feedback'), current_setting('transaction_read_only')}), 'on|on', 'and reads only');
	like(sql_as('hanzo_console', $password{hanzo_console}, $port, sprintf($insert, 50)), qr/INSERT 0 50/, 'a write on the primary');
	my $count = "SELECT count(*) FROM website_events WHERE project_id = $project";
	my $dashboard = sub { sql_as('hanzo_analytics_ro', $password{hanzo_analytics_ro}, $replica_port, shift) };
	eventually(sub { $dashboard->($count) }, '150', 'is seen on the replica by the dashboards\' role');
	is($dashboard->(q{SELECT sum(pageviews), round(hll_cardinality(hll_union_agg(unique_sessions_state)) / 10) FROM hanzo.website_events_hourly_mv}),
		'150|15', 'rollups, too');
	like(sql_as('hanzo_console', $password{hanzo_console}, $replica_port, sprintf($insert, 1)), qr/read-only/, 'nobody writes there');
	my @leaks = grep { index(slurp($_), $secret{replication_password}) >= 0 } glob("$replica{PGDATA}/*.conf");
	is("@leaks", '', 'the password is not in the data directory');
	refused('a replica\'s directory for a primary', { %primary, PGDATA => $replica{PGDATA} }, qr/is a replica's: promote it first/, $server);

	# ---- Started again: the same, but for passwords

	# without partitions that are made from here on: a month may begin
	my $newest = sql(\%primary, 'SELECT max(oid::bigint) FROM pg_class WHERE relispartition');
	my $state = qq{SELECT md5(string_agg(t, ';' ORDER BY t)) FROM (
		SELECT 'class ' || oid || ' ' || xmin AS t FROM pg_class WHERE relnamespace IN ('hanzo'::regnamespace, 'public'::regnamespace) AND NOT (relispartition AND oid > $newest)
		UNION ALL SELECT 'database ' || oid || ' ' || xmin FROM pg_database UNION ALL SELECT 'setting ' || setrole || setconfig::text FROM pg_db_role_setting
		UNION ALL SELECT 'extension ' || oid || ' ' || xmin FROM pg_extension UNION ALL SELECT 'job ' || j::text FROM cron.job AS j
		UNION ALL SELECT 'namespace ' || oid || ' ' || xmin FROM pg_namespace WHERE nspname <> 'hanzo'
		UNION ALL SELECT 'role ' || oid || rolname FROM pg_roles) AS s};
	sql(\%primary, $_) foreach (q{ALTER ROLE hanzo_analytics_ro SET statement_timeout = '7s'},
		q{SELECT cron.schedule('hanzo_datastore hanzo', '* * * * *', 'CALL hanzo_datastore.maintain()')});
	my $before = sql(\%primary, $state);
	like($before, qr/^[0-9a-f]{32}$/, 'a picture of the catalogs');
	($status, $out) = call(\%primary, "$bin/hanzo-datastore-init");
	is("$status $out", '0 ', 'init on a running server');
	is(sql(\%primary, $state), $before, 'changes nothing');
	spew("$tmp/secrets/console_password", 'another one');
	shut('primary');
	# its answer may be late on a busy machine, and the replica may not have noticed yet
	eventually(sub { ($status, $out) = call(\%replica, "$bin/hanzo-datastore-health"); $status }, 0, 'the replica is well for a while without a primary') or diag($out);
	foreach my $try (1 .. 60)
	{
		($status, $out) = call({ %replica, HANZO_REPLICA_MAX_LAG => 0 }, "$bin/hanzo-datastore-health");
		last if $out =~ /behind/ && $status != 0;
		sleep(1);
	}
	refused('but not for ever', { %replica, HANZO_REPLICA_MAX_LAG => 0 }, qr/replica is \d+ s behind/, "$bin/hanzo-datastore-health");
	launch('primary', \%primary, qr/^primary$/);
	is(sql(\%primary, $state), $before, 'a restart changes nothing, either');
	is(sql_as('hanzo_console', 'another one', $port, 'SELECT 1'), '1', 'but a password');
	like(sql_as('hanzo_console', $password{hanzo_console}, $port, 'SELECT 1'), qr/password authentication failed/, 'whose old value is void');
	sql(\%primary, sprintf($insert, 5));
	eventually(sub { $dashboard->($count) }, '155', 'the replica has found it again');

	# ---- After a crash of both

	like(sql(\%primary, q{SELECT cron.schedule('at once', '@reboot', 'CALL hanzo_datastore.maintain()')}), qr/^\d+$/,
		'a job of pg_cron that need not wait for a full minute');
	shut('replica', 'QUIT');
	shut('primary', 'QUIT');
	launch('primary', \%primary, qr/^primary$/);
	launch('replica', \%replica, qr/^replica/);
	sql(\%primary, sprintf($insert, 5));
	eventually(sub { $dashboard->($count) }, '160', 'both go on after a crash');

	# pg_cron reaches the server through the socket as its own user.
	eventually(sub { sql(\%primary, 'SELECT count(*) > 0 FROM hanzo_datastore.last_maintenance') }, 't', 'maintenance runs');

	# ---- Promotion

	refused('promotion of a primary', \%primary, qr/is no replica/, "$bin/hanzo-datastore-promote");
	shut('primary');
	($status, $out) = call(\%replica, "$bin/hanzo-datastore-promote");
	is($status, 0, 'promotion') or diag($out);
	is((call(\%replica, "$bin/hanzo-datastore-health"))[1], "promoted replica\n", 'the health check knows');
	like(sql_as('hanzo_console', 'another one', $replica_port, sprintf($insert, 1)), qr/INSERT 0 1/, 'writes go there');
	shut('replica');
	refused('a promoted one as replica', \%replica, qr/was promoted: start it with HANZO_DATASTORE_ROLE=primary/, $server);
	launch('promoted', { %replica, HANZO_DATASTORE_ROLE => 'primary', HANZO_SECRETS_DIR => "$tmp/secrets" }, qr/^primary$/);
	is($dashboard->($count), '161', 'it is a primary with all rows');
	shut('promoted');

	my @told = grep { my $log = slurp($_); grep { index($log, $_) >= 0 } (values %secret, 'another one') } glob("$logs/*.log");
	is("@told", '', 'no log tells a password');
}

# ---- What only docker and Grafana read

my $has_npm = grep { -x "$_/npm" } split(/:/, $ENV{PATH});
ok($has_npm || !$can_install, 'npm is installed') or diag('install nodejs and npm, or say HANZO_NO_INSTALL=1');
if ($has_npm)
{
	mkdir("$tmp/check");
	spew("$tmp/check/$_", slurp("docker/$_")) foreach ('package.json', 'package-lock.json', 'check.mjs');
	my $in_check = "cd '$tmp/check' && HOME='$tmp/check'";
	($status, $out) = call({}, 'bash', '-c', "$in_check npm ci --ignore-scripts --no-audit --no-fund");
	is($status, 0, 'npm ci') or diag($out);
	($status, $out) = call({}, 'bash', '-c', "$in_check node check.mjs '$tree/docker'");
	is($out, "0 problems\n", 'Dockerfile, compose.yml, provisioning and dashboards are sound');
}
else
{
	note('there is no npm: its part is left out');
}

done_testing();
