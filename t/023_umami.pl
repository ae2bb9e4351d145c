# Umami's workload on columnar tables answers as on heaps: its writes and its reads as node's driver sends them, before and after
# compaction, with several writers, a deleter and maintenance at work at once. Then docs/umami.md, statement by statement, with visitors
# writing meanwhile: in place and to months, and all the ways back; no event is lost, and none is there twice.
#
#   HANZO_UMAMI_SECONDS=300 scripts/test.sh tap:023_umami     the part with everything at once takes so long
use strict;
use warnings;
use lib 't', 'clients/umami';
use Compare;
use Guide;
use IO::Handle;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Reads;
use Test::More;
use Time::HiRes qw(sleep time);
use Wire;
use Writes;

my $seconds = $ENV{HANZO_UMAMI_SECONDS} || 6;
my $user = getpwuid($<);
my $node = PostgreSQL::Test::Cluster->new('umami');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum_naptime = 1
fsync = off
jit = off
log_statement = none
max_connections = 50
max_wal_size = 4GB
timezone = 'UTC'
work_mem = 32MB
});
$node->start;

sub connection { my ($database, $name) = @_; return Wire->new(host => $node->host, port => $node->port, user => $name // $user, database => $database) }

# A database of Umami's with some thousand events, owned by Umami's role.
$node->safe_psql('postgres', 'CREATE ROLE umami LOGIN; CREATE ROLE dashboards LOGIN; CREATE DATABASE heap OWNER umami');
my @generate = map { slurp_file("clients/umami/$_.sql") } qw(schema generate);
$node->safe_psql('heap', "SET ROLE umami;\n" . join("\n", @generate) =~ s/:events/6000/gr . 'GRANT SELECT ON website_event, session TO dashboards;');
$node->safe_psql('heap', 'VACUUM (ANALYZE)');
my $heap = connection('heap');
my @sites = map { $_->[0] } @{ $heap->query('SELECT website_id FROM website ORDER BY name') };
my ($session, $event) = @{ $heap->query('SELECT e.session_id, e.event_id FROM event_data AS d JOIN website_event AS e ON e.event_id = d.website_event_id
	WHERE d.website_id = $1 ORDER BY d.created_at DESC, d.event_data_id LIMIT 1', $sites[0])->[0] };
$heap->close();
# the server waits for five seconds only until all have left the template
$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'heap' AND backend_type = 'client backend')}) or die 'somebody is still there';
$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE heap OWNER umami") foreach qw(columnar umami before);

my @tables = Writes::tables();
sub contents
{
	my ($db) = @_;
	return join("\n", map {
			my $key = Writes::key_of($_);
			join(' ', $_, @{ $db->query("SELECT count(*), count(DISTINCT $key), md5(string_agg(t::text, chr(10) ORDER BY $key)) FROM public.$_ AS t")->[0] })
		} @tables);
}

# All reads of both agree; as many rows as are worth the name were compared.
sub reads_agree
{
	my ($one, $other, $what) = @_;
	my ($reads, $compared, $empty, $differing) = (0, 0, '', '');
	foreach my $read (Reads::all(website => $sites[0], session => $session, event => $event, from => '2026-08-01T00:00:00.000Z', to => '2026-12-31T23:59:59.999Z'))
	{
		my $rows = 0;
		$reads++;
		$differing .= Compare::read_differs($one, $other, $read, \$rows);
		$empty .= " $read->{name}" if !$rows;
		$compared += $rows;
	}
	is(substr($differing, 0, 4000), '', "$what: $reads reads answer as on the heap");
	is($empty, '', "$what: none of them is about nothing, $compared rows were compared");
	return;
}

# Nothing of the tables of a database is damaged, and no index knows less than its table.
sub sound
{
	my ($database, $what) = @_;
	is($node->safe_psql($database, q{SELECT c.oid::regclass, v.* FROM pg_class AS c CROSS JOIN LATERAL hanzo_datastore.verify(c.oid::regclass) AS v
			WHERE c.relam = (SELECT oid FROM pg_am WHERE amname = 'hanzo_columnar') AND c.relkind = 'r'}), '', "$what: nothing is damaged");
	is($node->safe_psql($database, q{CREATE EXTENSION IF NOT EXISTS amcheck;
			SELECT count(*) > 30 FROM (SELECT bt_index_check(i.indexrelid, true) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
				WHERE c.relkind = 'i' AND i.indrelid::regclass::text ~ '^(website_event|session|event_data|session_data|revenue)') AS x}), 't', "$what: indexes are sound");
	return;
}

# ---- Others at work beside the test

my @others;

# A process that does $work->($stop) until told to stop; its value goes to join_others(), which dies of what it died of.
sub beside
{
	my ($name, $work) = @_;
	pipe(my $result, my $to_parent) or die $!;
	pipe(my $to_child, my $order) or die $!;
	my $pid = fork() // die "cannot fork: $!";
	if (!$pid)
	{
		close($result);
		close($order);
		my $stop = sub { my $bits = ''; vec($bits, fileno($to_child), 1) = 1; return select($bits, undef, undef, 0) > 0 };
		my $value = eval { $work->($stop) };
		syswrite($to_parent, $@ ? "ERROR $name: $@" : $value);
		POSIX::_exit(0);
	}
	close($to_parent);
	close($to_child);
	push @others, { pid => $pid, result => $result, order => $order };
	return;
}

sub join_others
{
	close($_->{order}) foreach @others;
	my @values;
	foreach my $other (@others)
	{
		my $handle = $other->{result};
		push @values, do { local $/; readline($handle) };
		waitpid($other->{pid}, 0);
	}
	@others = ();
	return @values;
}

# A visitor who writes until told to stop, with pauses between. His value is the number of his steps, all of which were answered.
sub visitor
{
	my ($database, $seed, $pause, @where) = @_;
	beside("visitor $seed", sub {
		my ($stop) = @_;
		my $writes = Writes->new(db => connection($database, 'umami'), seed => $seed, sites => \@where);
		my $steps = 0;
		until ($stop->()) { $writes->step(); $steps++; sleep($pause) }
		return $steps;
	});
	return;
}

# What visitors have done, done again, one after the other.
sub replay
{
	my ($db, $steps, @where) = @_;
	foreach my $seed (sort keys %$steps)
	{
		my $writes = Writes->new(db => $db, seed => $seed, sites => \@where);
		$writes->step() foreach 1 .. $steps->{$seed};
	}
	return;
}

# ---- The workload

my $columnar = connection('columnar');
$heap = connection('heap');
$node->safe_psql('columnar', 'CREATE EXTENSION hanzo_datastore');
$columnar->query("ALTER TABLE $_ SET ACCESS METHOD hanzo_columnar") foreach @tables;
# these have short rows only, and so no TOAST relation yet
$columnar->query("ALTER TABLE $_ ALTER COLUMN website_id DROP DEFAULT") foreach qw(session revenue);
$columnar->query('SELECT hanzo_datastore.alter_columnar_table($1::regclass, order_by => $2, row_group_rows => 2048)', $_, 'website_id, created_at') foreach @tables;
$columnar->query("CALL hanzo_datastore.optimize('$_')") foreach @tables;
$columnar->query('VACUUM (ANALYZE)');
is($columnar->query('SELECT sum(delta_rows) FROM hanzo_datastore.columnar_tables')->[0][0], '0', 'all rows are in columns');
is(contents($columnar), contents($heap), 'they are the heap\'s');
reads_agree($heap, $columnar, 'in columns');

my @twins = map { Writes->new(db => $_, seed => 1, sites => [@sites[0 .. 2]]) } $heap, $columnar;
my $differing = '';
foreach my $n (1 .. 500)
{
	my ($one, $other) = map { $_->step() } @twins;
	$differing .= "step $n:\n$one--- not\n$other" if $one ne $other && length($differing) < 2000;
	$columnar->query("CALL hanzo_datastore.compact('website_event')") if $n == 100;
	if ($n == 200) { $columnar->query("CALL hanzo_datastore.compact('$_')") foreach @tables }
}
is($differing, '', '500 writes are answered as on the heap');
is(contents($columnar), contents($heap), 'and leave the same rows');
reads_agree($heap, $columnar, 'with a delta');
is_deeply(Writes::delete_website($columnar, $sites[1], rollback => 1), Writes::delete_website($heap, $sites[1], rollback => 1), 'a website is deleted, and is back after ROLLBACK');
is_deeply(Writes::delete_website($columnar, $sites[2], reset => 1), Writes::delete_website($heap, $sites[2], reset => 1), 'a website is emptied');
is(contents($columnar), contents($heap), 'the rest is what is left on the heap');
# more parameters than one statement takes
my @ids = map { Writes::uuid("nobody $_") } 1 .. 33000;
push @ids, map { $_->[0] } @{ $heap->query('SELECT event_id FROM website_event WHERE website_id = $1', $sites[3]) };
is(join(' ', map { Writes::in_chunks($_, 'DELETE FROM "public"."website_event" WHERE "public"."website_event"."event_id"', @ids) } $columnar, $columnar, $heap, $heap),
	join(' ', (@ids - 33000, 0) x 2), 'events are deleted in chunks of 32,766 parameters, once');
$columnar->query("CALL hanzo_datastore.compact('$_')") foreach @tables;
is(contents($columnar), contents($heap), 'after compaction, too');
reads_agree($heap, $columnar, 'compacted again');

# Everything at once.
my @busy = @sites[0, 4];
visitor('columnar', $_, 0, @busy) foreach 2 .. 4;
beside('deleter', sub {
	my ($stop) = @_;
	my $db = connection('columnar', 'umami');
	my $visits = Writes->new(db => $db, seed => 90, sites => [$sites[5]]);
	my $rounds = 0;
	until ($stop->())
	{
		$visits->step() foreach 1 .. 30;
		my $deleted = Writes::delete_website($db, $sites[5], reset => 1, rollback => $rounds % 3 == 1);
		die "nothing to delete\n" if !$deleted->{website_event};
		$rounds++;
	}
	Writes::delete_website($db, $sites[5], reset => 1);
	return $rounds;
});
foreach my $mover ('compact', 'maintain', 'vacuum')
{
	beside($mover, sub {
		my ($stop) = @_;
		my $db = connection('columnar');
		my $rounds = 0;
		until ($stop->())
		{
			my $table = $tables[$rounds % @tables];
			# a second compaction of a table waits for the first; maintain() leaves small deltas alone, so the delta is enlarged for it
			eval { $db->query($mover eq 'compact' ? "CALL hanzo_datastore.compact('$table')" : $mover eq 'vacuum' ? "VACUUM (ANALYZE) $table" : 'CALL hanzo_datastore.maintain()') };
			die $@ if $@ && $@ !~ /^(55P03|40P01)/;
			$rounds++;
			sleep(0.02);
		}
		return $rounds;
	});
}
# one snapshot sees as many events by index, in columns and by page views of sessions
beside('reader', sub {
	my ($stop) = @_;
	my $db = connection('columnar');
	my $rounds = 0;
	my $count = 'SELECT count(*), count(DISTINCT event_id), max(created_at) FROM website_event WHERE website_id = $1';
	until ($stop->())
	{
		$db->query('BEGIN ISOLATION LEVEL REPEATABLE READ');
		my @answers;
		foreach my $way ('', 'SET LOCAL hanzo_datastore.enable_columnar_agg = off', 'SET LOCAL enable_seqscan = off', 'SET LOCAL enable_bitmapscan = off')
		{
			$db->query($way) if $way;
			push @answers, join('|', @{ $db->query($count, $busy[$rounds % 2])->[0] });
		}
		my ($orphans) = $db->query('SELECT count(*) FROM website_event AS e WHERE website_id = $1 AND NOT EXISTS (SELECT FROM session AS s WHERE s.session_id = e.session_id)', $busy[0])->[0][0];
		$db->query('COMMIT');
		die "a snapshot has @answers\n" if grep { $_ ne $answers[0] } @answers;
		die "$orphans events without a session\n" if $orphans;
		$rounds++;
	}
	return $rounds;
});
sleep($seconds);
my @done = join_others();
is(join("\n", grep { /^ERROR/ } @done), '', 'visitors, a deleter, compaction, maintenance and a reader get on: ' . join(' ', map { s/\n.*//sr } @done) . ' rounds');
replay($heap, { 2 => $done[0], 3 => $done[1], 4 => $done[2] }, @busy);
Writes::delete_website($heap, $sites[5], reset => 1);
is(contents($columnar), contents($heap), 'and leave what they leave on a heap one after the other');
sound('columnar', 'after all');
$columnar->close();
$heap->close();

# ---- The guide

my $guide = Guide->new('docs/umami.md');
my @places;

# Runs a block as the guide says: by the owner of the tables, again when it cannot have its lock. Returns the output.
sub follow
{
	my ($label, $role) = @_;
	my ($status, $out, $err);
	foreach my $try (1 .. 60)
	{
		($status, $out, $err) = (undef, '', '');
		$status = $node->psql('umami', ($role ? '' : "SET ROLE umami;\n") . $guide->block($label), stdout => \$out, stderr => \$err, on_error_stop => 1);
		last if $status == 0 || $err !~ /lock timeout/;
	}
	is("$status " . join("\n", grep { !/NOTICE:|^DETAIL:|^drop cascades/ } split(/\n/, $err)), '0 ', "guide, $label");
	return $out;
}

sub kinds_of_storage
{
	return $node->safe_psql('umami', q{SELECT string_agg(c.relname || ' ' || coalesce(a.amname, 'parts'), ', ' ORDER BY c.relname) FROM pg_class AS c LEFT JOIN pg_am AS a ON a.oid = c.relam
		WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ('{website_event,session,event_data,session_data,revenue}')});
}
my $all_heap = join(', ', map { "$_ heap" } sort @tables);
my $all_columnar = $all_heap =~ s/heap/hanzo_columnar/gr;

visitor('umami', $_, 0.03, @sites[0 .. 2]) foreach 11, 12;
like(follow('before: sizes'), qr/^website_event\|/m, 'the guide shows sizes');
follow('before: extension', 'superuser');
follow('before: rights', 'superuser');
is(follow('before: views'), '', 'nothing depends on the tables');
follow("A1 $_") foreach qw(revenue session_data event_data session website_event);
is(kinds_of_storage(), $all_columnar, 'tables are columnar in place');
follow('A1 back');
is(kinds_of_storage(), $all_heap, 'and heaps again');
follow("A1 $_") foreach qw(revenue session_data event_data session website_event);
follow('A2 options');
follow('A2 optimize');
follow('A2 indexes');
is($node->safe_psql('umami', q{SELECT count(*) FROM hanzo_datastore.columnar_tables WHERE row_groups > 0}), '5', 'all have rows in columns');
is(follow('after: verify'), '', 'the guide finds no damage');
follow('A1 back');

# Way B, with every way back.
follow('B1 tools');
follow('B2 table');
follow('B2 back');
foreach my $time (1, 2)
{
	follow('B2 table');
	is(follow('B2 check') =~ s/\s//gr, '0', 'events have times');
	follow('B3 trigger');
	follow('B3 copy');
	follow('B3 columns');
	follow('B3 indexes');
	follow('B3 back') if $time == 1;
}
# a copy that was interrupted goes on
follow('B3 copy');
$node->poll_query_until('umami', q{SELECT count(*) > 0 FROM umami_move.changed WHERE relation = 'website_event'}) or die 'visitors write no more';
like(follow('B4 catch up'), qr/^[1-9]/, 'visitors have written meanwhile');
is(follow('B4 check') =~ s/\s//gr, '0', 'the copy differs only where they have');
follow('B5 change places');
like(kinds_of_storage(), qr/website_event parts/, 'events are in months');
follow('B5 back');
is(kinds_of_storage(), $all_heap, 'and in a heap again');
follow('B5 change places');
follow('S2 table');
follow('S3 trigger');
follow('S3 copy');
follow('S4 catch up');
follow('S5 change places');
follow('S5 back');
follow('S5 change places');
follow("A1 $_") foreach qw(revenue session_data event_data);
is(kinds_of_storage(), $all_columnar =~ s/website_event hanzo_columnar/website_event parts/r, 'all is columnar');
follow('B6 triggers');
follow('B6 drop');
follow('after: maintain');
my $counts = follow('after: counts');
@done = join_others();
is(join("\n", grep { /^ERROR/ } @done), '', "visitors noticed nothing: @done steps");

my ($umami, $before) = map { connection($_) } qw(umami before);
replay($before, { 11 => $done[0], 12 => $done[1] }, @sites[0 .. 2]);
is(contents($umami), contents($before), 'no event is lost, none is there twice');
like($counts, qr/^2026-08\|\d+$/m, 'the guide counts months');
is(follow('after: verify'), '', 'no damage in the end');
follow('after: maintain');
is($node->safe_psql('umami', q{SELECT problem, relation, detail FROM hanzo_datastore.health}), '', 'health has nothing to say');
is(connection('umami', 'dashboards')->query('SELECT count(*) > 0 FROM website_event JOIN session USING (session_id)')->[0][0], 't', 'readers still may read');
is($node->safe_psql('umami', q{SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY ('{website_event,session}')}),
	$node->safe_psql('before', q{SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY ('{website_event,session}')}),
	'indexes have the names that Umami knows');
reads_agree($before, $umami, 'in months');
is_deeply(Writes::delete_website($umami, $sites[0]), Writes::delete_website($before, $sites[0]), 'a website is deleted from months');
is(contents($umami), contents($before), 'with what is its own');
sound('umami', 'after the move');
is(join(', ', $guide->unused()), '', 'no statement of the guide was left out');
$_->close() foreach $umami, $before;
$node->stop;
done_testing();
