# Random queries, answered alike by heaps (schema h) and columnar tables (schema c) of the same rows, whatever is switched on or
# off: scans, aggregates, pruning, vectors, threads, spilling, parallel plans. The generator is HanzoQueries.pm.
# HANZO_QUERY_SEED: of the first round, which makes its tables and ROUND queries. HANZO_QUERY_SECONDS: for all rounds.
# HANZO_QUERY_ONLY=N: only query N of a round. HANZO_QUERY_ALL=1: goes on after a difference.
# HANZO_QUERY_KIND=pattern: only kinds of queries that match.
# HANZO_QUERY_SKIP=pattern: without the queries and settings that match, while a difference is being mended.
# A query that differs is made smaller and left in the log directory with all that leads to it: psql -f runs it.
use strict;
use warnings;
use HanzoExpressions;
use HanzoQueries;
use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $ROUND = 400;
my $seed = $ENV{HANZO_QUERY_SEED} // 1;
my $seconds = $ENV{HANZO_QUERY_SECONDS} // 60;
my $only = $ENV{HANZO_QUERY_ONLY};
my $skip = $ENV{HANZO_QUERY_SKIP};
my $started = time();

my $node = PostgreSQL::Test::Cluster->new('queries');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
# nobody but the sessions of this test shall act, or a seed would not replay
$node->append_conf('postgresql.conf', q{
autovacuum = off
fsync = off
max_wal_size = 1GB
jit = off
lock_timeout = 20s
statement_timeout = 60s
max_parallel_workers = 4
restart_after_crash = on
});
$node->start;

# ---- Sessions

my ($FIELD, $RECORD) = ("\x1f", "\x1e");

sub connect_session
{
	my ($name) = @_;
	my $session = { name => $name, in => '', out => '', err => '', count => 0 };
	$session->{timer} = IPC::Run::timeout(300);
	$session->{run} = start([ $node->installed_command('psql'), '-XAtq', '-F', $FIELD, '-R', $RECORD, '-P', 'null=<NULL>', '-d', $node->connstr('postgres'), '-v', 'VERBOSITY=verbose', '-f', '-' ],
		'<', \$session->{in}, '>', \$session->{out}, '2>', \$session->{err}, $session->{timer});
	return $session;
}

sub disconnect { my ($session) = @_; eval { $session->{in} .= "\\q\n"; $session->{run}->finish; }; return; }

package Difference { sub new { my ($class, $text) = @_; return bless { text => $text }, $class; } }

# Runs statements; returns for each { state, message, out }. A server that is gone ends the round.
sub run
{
	my ($session, @statements) = @_;
	my $first = $session->{count} + 1;
	foreach my $sql (@statements)
	{
		my $end = 'end of ' . ++$session->{count} . ';';
		$session->{in} .= "$sql\n;\n\\echo '$end'\n\\warn '$end'\n";
	}
	my $last = "end of $session->{count};\n";
	$session->{timer}->start(300);
	my $ended = sub { my ($text) = @_; return substr($$text, -length($last)) eq $last; };
	eval { $session->{run}->pump until $ended->(\$session->{out}) && $ended->(\$session->{err}); 1 } or die Difference->new("the server is gone: $@$session->{err}");
	my ($out, $err) = @{$session}{qw(out err)};
	@{$session}{qw(out err)} = ('', '');
	my @results;
	foreach my $n ($first .. $session->{count})
	{
		my $end = "end of $n;\n";
		my ($o, $e) = map { my $at = index($$_, $end); my $piece = substr($$_, 0, $at); substr($$_, 0, $at + length($end)) = ''; $piece } (\$out, \$err);
		my ($state, $message) = $e =~ /(?:ERROR|FATAL|PANIC):\s+(\w{5}): (.*)/ ? ($1, $2) : ('', '');
		die Difference->new("the server is gone: $e") if $e =~ /server closed the connection|terminating connection|connection to server was lost/;
		push @results, { state => $state, message => $message, out => $o };
	}
	return @results;
}

sub must
{
	my ($session, @statements) = @_;
	my @results = run($session, @statements);
	foreach my $i (0 .. $#results) { die Difference->new("$statements[$i] fails: $results[$i]{state} $results[$i]{message}") if $results[$i]{state} ne ''; }
	my $out = $results[-1]{out};
	$out =~ s/\n$//;
	return $out;
}

# ---- Tables: whatever changes them goes through here, and into the log

my ($main, $other);
my @log;
my %tables;

sub note_sql { push @log, map { /^\\/ ? $_ : "$_;" } @_; return; }

# The statement, which must not fail, for both schemas; %A is the access method.
sub both
{
	my ($session, $sql) = @_;
	my ($why, @states);
	must($session, 'SET client_min_messages = error');
	foreach my $schema (qw(h c))
	{
		my $method = $schema eq 'h' ? 'heap' : 'hanzo_columnar';
		(my $text = $sql) =~ s/%A/$method/g;
		my @all = ("SET search_path = $schema, public", $text);
		note_sql(@all);
		my $result = (run($session, @all))[1];
		push @states, $result->{state};
		diag(sprintf('%.2f %s %s', time() - $started, $schema, substr($text, 0, 60))) if $ENV{HANZO_QUERY_TIMES};
		$why = $result->{message};
	}
	die Difference->new("$sql: heap: $states[0], columnar: $states[1] $why") if $states[0] ne $states[1] || $states[0] ne '';
	return;
}

sub columnar_only
{
	my ($session, $sql) = @_;
	note_sql('SET search_path = c, public', $sql);
	must($session, 'SET search_path = c, public', $sql);
	return;
}

my ($english, $insensitive);

sub declared
{
	my ($column) = @_;
	my $collate = { C => ' COLLATE "C"', en => $english, nd => $insensitive, '' => '' }->{ $column->{coll} };
	return "$column->{name} $column->{declared}$collate" . ($column->{not_null} ? ' NOT NULL' : '');
}

# A number per row that makes the value: any, of few values, or ascending.
sub noise
{
	my $any = 'r(i, ' . number(1, 1000000) . ')';
	return pick($any, $any, $any, "($any % 4)", "($any % 60)", 'i::bigint', "(i::bigint * 10000000)");
}

sub values_of { my ($table) = @_; return join(', ', map { "v_$_->{function}($_->{noise})" } @{ $tables{$table}{columns} }); }

sub fill
{
	my ($table, $from, $to) = @_;
	my $names = join(', ', map { $_->{name} } @{ $tables{$table}{columns} });
	both($main, "INSERT INTO $table (id, $names) SELECT i, " . values_of($table) . " FROM generate_series($from, $to) AS i");
	return;
}

sub create_functions
{
	my @sql = ("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')", 'CREATE DOMAIN posint AS int4 CHECK (VALUE > 0)', 'CREATE FUNCTION r(i bigint, s bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS \'SELECT hashint8extended(i, s)\'',
		q{CREATE FUNCTION loop_over(query text) RETURNS text LANGUAGE plpgsql AS 'DECLARE row record; n int := 0; sum numeric := 0; BEGIN FOR row IN EXECUTE query LOOP n := n + 1; sum := sum + hashtext(row::text); END LOOP; RETURN n || '' '' || sum; END'},
		q{CREATE FUNCTION spy(k int4) RETURNS bool LANGUAGE plpgsql STABLE PARALLEL SAFE AS 'BEGIN IF k % 3 = 1 THEN RAISE ''a forbidden row is seen''; END IF; RETURN true; END'});
	my %done;
	foreach my $column (wide_columns(), month_columns())
	{
		my $function = function_of($column);
		push @sql, "CREATE FUNCTION v_$function(x bigint) RETURNS $column->{type} LANGUAGE sql IMMUTABLE PARALLEL SAFE AS \$\$ SELECT $column->{value} \$\$" if !$done{$function}++;
	}
	note_sql(@sql);
	must($main, @sql);
	return;
}

# The same name may have other values in another table.
sub function_of { my ($column) = @_; return "$column->{name}_" . ($column->{value} =~ tr/a-zA-Z0-9//); }

sub prepare_columns { my (@columns) = @_; foreach (@columns) { $_->{noise} = noise(); $_->{function} = function_of($_); } return \@columns; }

sub options { my (@options) = @_; return join(', ', grep { $_ ne '' } @options); }

sub some_options
{
	my ($small, @sort) = @_;
	return options($small ? 'row_group_rows => 2048' : '', chance(0.7) ? "order_by => '" . pick(@sort) . "'" : '', chance(0.3) ? "compression => '" . pick('lz4', 'none') . "'" : '', chance(0.4) ? "bloom => '{" . pick('id', 'id,k', 'k') . "}'" : '');
}

# Rows in columns, in the delta, deleted and updated; columns that are gone and that came later.
sub create_wide
{
	my ($name, $small, @parts) = @_;
	my @columns = sort { $a->{order} <=> $b->{order} } map { $_->{order} = rand(); $_ } @{ prepare_columns(wide_columns()) };
	my @first = grep { !defined $_->{added} } @columns;
	my @added = grep { defined $_->{added} } @columns;
	$tables{$name} = { columns => [@first], rows => $parts[-1] };
	both($main, "CREATE TABLE $name (" . join(', ', 'gone1 text', 'id int4', (map { declared($_) } @first[ 0 .. 9 ]), 'gone2 int8 DEFAULT 8', map { declared($_) } @first[ 10 .. $#first ]) . ') USING %A');
	my $options = some_options($small, 'k, id', 'd, k', 'tz', 'tl, i4s', 'i8s DESC', 'u');
	columnar_only($main, "SELECT hanzo_datastore.alter_columnar_table('$name', $options)") if $options ne '';
	both($main, "ALTER TABLE $name ADD PRIMARY KEY (id)") if chance(0.7);
	both($main, "CREATE INDEX ON $name (" . pick('k', 'i4s', 'tl', 'tz', 'n', 'd, k') . ')') if chance(0.5);
	fill($name, 1, $parts[0]);
	both($main, "UPDATE $name SET gone1 = 'x'");
	columnar_only($main, "CALL hanzo_datastore.compact('$name')");
	both($main, "ALTER TABLE $name DROP COLUMN gone1");
	foreach (@added)
	{
		my ($default) = $_->{added} =~ /DEFAULT (.*)/;
		both($main, "ALTER TABLE $name ADD COLUMN $_->{name} $_->{type}" . (defined $default ? " DEFAULT $default" : ''));
	}
	$tables{$name}{columns} = \@columns;
	fill($name, $parts[0] + 1, $parts[1]);
	columnar_only($main, "CALL hanzo_datastore.compact('$name')");
	columnar_only($main, "CALL hanzo_datastore.optimize('$name')") if chance(0.3);
	both($main, "DELETE FROM $name WHERE id BETWEEN 300 AND 360 OR id % 23 = 5");
	both($main, "UPDATE $name SET i4s = 5, tl = 'word 5' WHERE id % 31 = 7");
	both($main, "ALTER TABLE $name DROP COLUMN gone2");
	fill($name, $parts[1] + 1, $parts[2]);
	both($main, "UPDATE $name SET f8 = NULL WHERE id BETWEEN 500 AND 520");
	both($main, "ANALYZE $name") if chance(0.8);
	return;
}

sub create_partitioned
{
	my $columns = prepare_columns(month_columns());
	$tables{p} = { columns => $columns, rows => 6000 };
	my @list = map { declared($_) } @$columns;
	both($main, 'CREATE TABLE p (' . join(', ', 'id int4', @list) . ') PARTITION BY RANGE (at)');
	both($main, "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') USING %A");
	both($main, "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2024-02-01') TO ('2024-03-01') USING heap");
	both($main, 'CREATE TABLE p3 (' . join(', ', 'gone text', reverse(@list), 'id int4') . ') USING %A');
	both($main, $_) foreach ('ALTER TABLE p3 DROP COLUMN gone', "ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM ('2024-03-01') TO ('2024-04-01')", 'CREATE TABLE p4 PARTITION OF p DEFAULT USING %A');
	foreach (qw(p1 p3 p4)) { my $options = some_options(chance(0.5), 'k, at', 'name', 'n8'); columnar_only($main, "SELECT hanzo_datastore.alter_columnar_table('$_', $options)") if $options ne ''; }
	both($main, 'CREATE INDEX ON p (id)') if chance(0.5);
	fill('p', 1, 5000);
	columnar_only($main, "CALL hanzo_datastore.compact('p')");
	both($main, 'DELETE FROM p WHERE id % 29 = 3');
	fill('p', 5001, 6000);
	both($main, 'ANALYZE p') if chance(0.8);
	return;
}

sub create_small
{
	foreach my $name (qw(m e))
	{
		my $columns = prepare_columns(month_columns());
		$tables{$name} = { columns => $columns, rows => 4096 };
		both($main, "CREATE TABLE $name (" . join(', ', 'id int4', map { declared($_) } @$columns) . ') USING %A');
	}
	# nothing but whole groups: what metadata knows by itself
	columnar_only($main, q{SELECT hanzo_datastore.alter_columnar_table('m', row_group_rows => 2048, order_by => 'id')});
	fill('m', 1, 4096);
	columnar_only($main, q{CALL hanzo_datastore.compact('m')});
	both($main, 'VACUUM ANALYZE m');
	both($main, 'CREATE TABLE dk (k int4 PRIMARY KEY, label text, grp int4, weight numeric) USING %A');
	both($main, q{INSERT INTO dk SELECT i, CASE WHEN i % 5 > 0 THEN 'word ' || i % 7 END, CASE WHEN i % 11 > 0 THEN i % 10 END, i / 4.0 FROM generate_series(20, 90) AS i});
	both($main, 'CREATE TABLE dt (id int4, name text, rank int4) USING ' . pick('heap', '%A'));
	both($main, q{INSERT INTO dt SELECT i, CASE WHEN i % 9 > 0 THEN 'word ' || i % 25 END, i FROM generate_series(1, 30) AS i});
	columnar_only($main, q{CALL hanzo_datastore.compact('dk')}) if chance(0.5);
	both($main, "ANALYZE $_") foreach qw(dk dt);
	return;
}

sub create_union
{
	# in the order of one of the two
	$tables{u} = { %{ $tables{w} } };
	my @names = map { $_->{name} } @{ $tables{w}{columns} };
	both($main, 'CREATE VIEW u AS SELECT id, ' . join(', ', @names) . ' FROM w UNION ALL SELECT id + 100000000, ' . join(', ', @names) . ' FROM v');
	return;
}

sub create_security
{
	foreach my $table (qw(w v p m))
	{
		both($main, $_) foreach ("CREATE VIEW s_$table WITH (security_barrier) AS SELECT * FROM $table WHERE k % 3 <> 1", "ALTER TABLE $table ENABLE ROW LEVEL SECURITY", "CREATE POLICY readers ON $table TO hanzo_reader USING (k % 3 <> 1)");
	}
	foreach (qw(h c)) { my @sql = ("GRANT USAGE ON SCHEMA $_ TO hanzo_reader", "GRANT SELECT ON ALL TABLES IN SCHEMA $_ TO hanzo_reader"); note_sql(@sql); must($main, @sql); }
	return;
}

sub differences
{
	my ($session) = @_;
	foreach my $table (sort keys %tables)
	{
		my $names = join(', ', 'id', map { $_->{name} } @{ $tables{$table}{columns} });
		my $count = must($session, "SELECT count(*) FROM ((SELECT ROW($names)::text FROM h.$table EXCEPT ALL SELECT ROW($names)::text FROM c.$table) UNION ALL (SELECT ROW($names)::text FROM c.$table EXCEPT ALL SELECT ROW($names)::text FROM h.$table)) AS d");
		die Difference->new("$count rows of $table differ") if $count ne '0';
	}
	return;
}

sub create_tables
{
	@log = ();
	%tables = ();
	my @sql = ('RESET ALL', "SET timezone = 'UTC'", 'SET client_min_messages = error', 'DROP SCHEMA IF EXISTS h CASCADE', 'DROP SCHEMA IF EXISTS c CASCADE', 'DROP SCHEMA IF EXISTS r CASCADE', 'DROP SCHEMA public CASCADE', 'CREATE SCHEMA public', 'GRANT USAGE ON SCHEMA public TO PUBLIC',
		'DROP EXTENSION IF EXISTS hanzo_datastore CASCADE', 'CREATE EXTENSION hanzo_datastore', 'DROP ROLE IF EXISTS hanzo_reader', 'CREATE ROLE hanzo_reader', 'CREATE SCHEMA h', 'CREATE SCHEMA c');
	note_sql(@sql);
	must($main, @sql);
	($english, $insensitive) = (' COLLATE "POSIX"', '');
	$english = ' COLLATE "en_US.utf8"' if must($main, q{SELECT count(*) FROM pg_collation WHERE collname = 'en_US.utf8'}) > 0;
	if (must($main, q{SELECT count(*) FROM pg_collation WHERE collprovider = 'i'}) > 0)
	{
		$english = ' COLLATE "en-x-icu"' if $english !~ /en_US/;
		my $create = q{CREATE COLLATION public.insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false)};
		note_sql($create);
		must($main, $create);
		$insensitive = ' COLLATE public.insensitive';
	}
	create_functions();
	create_wide('w', 1, 5200, 8000, 9200);
	my $scale = $seed % 5 == 0 ? 4 : 1;
	create_wide('v', 0, map { $_ * $scale } 9000, 9001, 9400);
	create_partitioned();
	create_small();
	create_union();
	create_security();
	set_tables(%tables);
	differences($main);
	return;
}

# Between queries the rows change, and where they are.
sub change_tables
{
	both($main, change_rows()) foreach 1 .. number(1, 3);
	my $table = pick(qw(w w v v p));
	my $what = number(1, 10);
	if ($what <= 3) { columnar_only($main, "CALL hanzo_datastore.compact('$table')"); }
	elsif ($what == 4) { columnar_only($main, "CALL hanzo_datastore.optimize('$table')"); }
	elsif ($what == 5) { both($main, "VACUUM $table"); }
	elsif ($what == 6) { both($main, "ANALYZE $table"); }
	return;
}

# ---- Settings

my @switches = map { "hanzo_datastore.$_" } qw(enable_columnar_scan enable_columnar_agg enable_pruning enable_vector_filter enable_encoded_equality enable_top_n enable_lookup_join enable_join_pruning enable_nested_agg enable_metadata_answers);
my $threads = 'hanzo_datastore.max_threads';
my (%known, $parallel_mode);

sub find_settings
{
	must($main, 'SELECT count(*) FROM c.dk');
	foreach (@switches, $threads) { $known{$_} = must($main, "SELECT current_setting('$_', true) IS NOT NULL") eq 't'; }
	$parallel_mode = must($main, q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
	return;
}

# Settings for one run: [ name, value ] pairs. `loops`: the tables are small enough for joins by loops.
sub some_settings
{
	my ($loops) = @_;
	my @set;
	foreach (@switches) { push @set, [ $_, chance(0.8) ? 'off' : 'on' ] if chance(0.25) && $known{$_}; }
	push @set, [ $threads, pick(0, 1, 4) ] if $known{$threads} && chance(0.7);
	push @set, [ 'hanzo_datastore.force_threads', 'on' ] if chance(0.6);
	foreach (qw(enable_hashagg enable_seqscan enable_indexscan enable_sort enable_bitmapscan enable_indexonlyscan enable_material enable_memoize enable_incremental_sort)) { push @set, [ $_, 'off' ] if chance(0.15); }
	push @set, [ 'work_mem', pick('64kB', '64kB', '256kB', '64MB') ] if chance(0.5);
	push @set, [ "enable_partitionwise_$_", 'on' ] foreach grep { chance(0.3) } qw(aggregate join);
	push @set, [ 'enable_hashjoin', 'off' ], chance(0.5) ? [ 'enable_mergejoin', 'off' ] : () if $loops && chance(0.2);
	push @set, [ $parallel_mode, 'on' ] if chance(0.12);
	if (chance(0.2)) { push @set, [ 'max_parallel_workers_per_gather', 2 ], [ 'parallel_setup_cost', 0 ], [ 'parallel_tuple_cost', 0 ], [ 'min_parallel_table_scan_size', 0 ], [ 'min_parallel_index_scan_size', 0 ]; }
	else { push @set, [ 'max_parallel_workers_per_gather', pick(0, 4) ]; }
	return [ grep { !$skip || "$_->[0] = $_->[1]" !~ /$skip/ } @set ];
}

# ---- Running a query

# Statements that run the query on a schema; [ statement, what to compare or undef ].
sub script_of
{
	my ($q, $schema, $settings) = @_;
	my @list = map { [$_] } ('RESET ALL', "SET timezone = '$q->{timezone}'", "SET search_path = $schema, public", 'SET client_min_messages = error', 'SET jit = off', 'SET log_statement = none', map { "SET $_->[0] = '$_->[1]'" } @$settings);
	@list = ([ 'SAVEPOINT s' ], @list[ 1 .. $#list ]) if $q->{meanwhile};
	push @list, [ $_->{sql}, $_ ] foreach statements($q);
	push @list, [ 'ROLLBACK TO s' ] if $q->{meanwhile};
	return @list;
}

# psql may be refused while it writes.
sub await_server
{
	foreach (1 .. 100)
	{
		return if eval { ($node->psql('postgres', 'SELECT true'))[0] == 0 };
		Time::HiRes::sleep(0.3);
	}
	die Difference->new('the server does not come back');
}

# The server comes back by itself: what it said, and new sessions.
sub crashed
{
	my ($log_end) = @_;
	my ($why, $said) = ($@);
	foreach (1 .. 10)
	{
		last if ($said) = slurp_file($node->logfile, $log_end) =~ /((?:TRAP:|PANIC:|LOG:.*terminated by signal).*)/;
		sleep(1);
	}
	die $why if !defined $said;
	eval { $_->{run}->kill_kill } foreach ($main, $other);
	await_server();
	($main, $other) = (connect_session('main'), connect_session('other'));
	return { state => 'crash', message => $said };
}

sub outputs
{
	my ($q, $schema, $settings) = @_;
	my @list = script_of($q, $schema, $settings);
	my $start = time();
	my $log_end = -s $node->logfile;
	my @results = eval { run($main, map { $_->[0] } @list) };
	return { pieces => [], internal => [ crashed($log_end) ] } if !@results;
	my @states = map { { %{ $results[$_] }, sql => $list[$_][0] } } grep { $results[$_]{state} =~ /^XX/ || $results[$_]{state} eq '57014' } 0 .. $#list;
	# what follows an error in a transaction
	run($main, 'ROLLBACK') if !$q->{meanwhile} && grep { $_->{state} ne '' } @results;
	run($main, 'DEALLOCATE ALL', 'RESET ROLE') if $q->{script};
	$::spent{"$q->{kind} $schema"} += time() - $start; $::spent{$schema} += time() - $start;
	diag(sprintf('%.1f s on %s: %s; %s', time() - $start, $schema, join(', ', map { "$_->[0] = $_->[1]" } @$settings), $list[-1][0])) if time() - $start > 0.4 && $ENV{HANZO_QUERY_TIMES};
	my @pieces = map { { %{ $results[$_] }, %{ $list[$_][1] } } } grep { $list[$_][1] && ($list[$_][1]{look} || $results[$_]{state} ne '') } 0 .. $#list;
	return { pieces => \@pieces, internal => \@states };
}

sub rows_of { my ($out) = @_; $out =~ s/\n$//; return $out eq '' ? () : map { [ split(/$FIELD/, $_, -1) ] } split(/$RECORD/, $out, -1); }

sub close_to
{
	my ($x, $y, $near) = @_;
	return 1 if $x eq $y;
	return 0 if $x !~ /^-?[0-9]/ || $y !~ /^-?[0-9]/;
	my ($larger) = sort { $b <=> $a } (abs($x), abs($y));
	return abs($x - $y) <= $near * $larger + 1e-7;
}

sub same_row
{
	my ($a, $b, $near) = @_;
	return 0 if @$a != @$b;
	foreach my $i (0 .. $#$a)
	{
		return 0 if $a->[$i] ne $b->[$i] && !(defined $near->[$i] && close_to($a->[$i], $b->[$i], $near->[$i]));
	}
	return 1;
}

# What is different in the results of one statement; '' when they are the same.
sub compare_rows
{
	my ($expected, $got) = @_;
	return "heap: $expected->{state} $expected->{message}, columnar: $got->{state} $got->{message}" if $expected->{state} ne $got->{state};
	return '' if $expected->{out} eq $got->{out};
	my $near = $expected->{near} // [];
	my @a = rows_of($expected->{out});
	my @b = rows_of($got->{out});
	return scalar(@a) . ' rows of the heap, ' . scalar(@b) . ' of the columnar table' . some_of(\@a, \@b) if @a != @b;
	my $exact = sub { my ($row) = @_; return join($FIELD, map { defined $near->[$_] ? '' : $row->[$_] } 0 .. $#$row); };
	if (!$expected->{ordered})
	{
		my @approximate = grep { defined $near->[$_] } 0 .. $#$near;
		foreach my $rows (\@a, \@b)
		{
			my @keyed = map { [ $exact->($_), $_ ] } @$rows;
			@$rows = map { $_->[1] } sort { my $c = $a->[0] cmp $b->[0]; foreach my $i (@approximate) { last if $c; my ($x, $y) = ($a->[1][$i] // '', $b->[1][$i] // ''); $c = $x =~ /^-?\d/ && $y =~ /^-?\d/ ? $x <=> $y : $x cmp $y; } $c } @keyed;
		}
	}
	foreach my $i (0 .. $#a)
	{
		return "row $i: heap: " . readable($a[$i]) . ', columnar: ' . readable($b[$i]) if !same_row($a[$i], $b[$i], $near);
	}
	return '';
}

sub readable { my ($row) = @_; my $text = join(' | ', map { length($_) > 100 ? substr($_, 0, 100) . '…' : $_ } @$row); return "($text)"; }

sub some_of
{
	my ($a, $b) = @_;
	my %count;
	$count{ readable($_) }++ foreach @$a;
	$count{ readable($_) }-- foreach @$b;
	my @differing = grep { $count{$_} } sort keys %count;
	return join('', map { "\n  " . ($count{$_} > 0 ? 'only heap: ' : 'only columnar: ') . $_ } @differing[ 0 .. ($#differing > 4 ? 4 : $#differing) ]);
}

sub compare_outputs
{
	my ($expected, $got) = @_;
	return "internal error: $got->{internal}[0]{state} $got->{internal}[0]{message}" if @{ $got->{internal} };
	my ($e, $g) = ($expected->{pieces}, $got->{pieces});
	return 'heap: ' . join(' ', map { $_->{state} } @$e) . ', columnar: ' . join(' ', map { "$_->{state} $_->{message}" } @$g) if @$e != @$g;
	foreach my $i (0 .. $#$e)
	{
		my $difference = compare_rows($e->[$i], $g->[$i]);
		return "$e->[$i]{sql}: $difference" if $difference ne '';
	}
	return '';
}

# ---- A difference: whose it is, a smaller query that shows it, and a file

# A heap whose rows lie in another order: where it differs from the first, the query has no one answer.
my $shuffled;

sub shuffle
{
	return if $shuffled;
	must($main, 'RESET ALL', 'DROP SCHEMA IF EXISTS r CASCADE', 'CREATE SCHEMA r');
	foreach my $table (sort grep { $_ ne 'u' } keys %tables, 'dk', 'dt')
	{
		must($main, "CREATE TABLE r.$table USING heap AS SELECT * FROM h.$table ORDER BY " . ($table eq 'dk' ? 'k' : 'id') . '::int8 * 7919 % 10007', "ANALYZE r.$table");
		must($main, "CREATE VIEW r.s_$table WITH (security_barrier) AS SELECT * FROM r.$table WHERE k % 3 <> 1", "ALTER TABLE r.$table ENABLE ROW LEVEL SECURITY", "CREATE POLICY readers ON r.$table TO hanzo_reader USING (k % 3 <> 1)") if $table =~ /^[wvpm]$/;
	}
	my $names = join(', ', map { $_->{name} } @{ $tables{u}{columns} });
	must($main, "CREATE VIEW r.u AS SELECT id, $names FROM r.w UNION ALL SELECT id + 100000000, $names FROM r.v");
	must($main, 'GRANT USAGE ON SCHEMA r TO hanzo_reader', 'GRANT SELECT ON ALL TABLES IN SCHEMA r TO hanzo_reader');
	$shuffled = 1;
	return;
}

sub ambiguous
{
	my ($q, $settings) = @_;
	return 0 if $q->{meanwhile} || (render($q))[0] =~ /tableoid/;
	shuffle();
	my $expected = outputs($q, 'h', []);
	my @core = grep { $_->[0] !~ /^hanzo/ } @$settings;
	foreach my $run ([ 'h', \@core ], [ 'r', [] ], [ 'r', \@core ])
	{
		my $difference = compare_outputs($expected, outputs($q, @$run));
		return $difference if $difference ne '';
	}
	return 0;
}

sub differs
{
	my ($q, $settings) = @_;
	my $expected = outputs($q, 'h', []);
	return '' if @{ $expected->{internal} };
	return compare_outputs($expected, outputs($q, 'c', $settings));
}

# Drops what the difference does not need: settings, conditions, columns.
sub shrink
{
	my ($q, $settings) = @_;
	return ($q, $settings) if $q->{meanwhile};
	my $until = time() + 20;
	my @kept = @$settings;
	for (my $i = $#kept; $i >= 0; $i--)
	{
		my @fewer = @kept[ grep { $_ != $i } 0 .. $#kept ];
		@kept = @fewer if differs($q, \@fewer) ne '';
	}
	my $progress = 1;
	while ($progress && time() < $until)
	{
		$progress = 0;
		foreach my $part (qw(where having select group))
		{
			for (my $i = $#{ $q->{$part} // [] }; $i >= 0; $i--)
			{
				my @list = @{ $q->{$part} };
				next if $part eq 'select' && @list == 1;
				my $smaller = { %$q, $part => [ @list[ grep { $_ != $i } 0 .. $#list ] ] };
				next if differs($smaller, \@kept) eq '' || ambiguous($smaller, \@kept);
				$q = $smaller;
				$progress = 1;
			}
		}
	}
	if (($q->{limit} // '') ne '')
	{
		my $smaller = { %$q, limit => '' };
		$q = $smaller if differs($smaller, \@kept) ne '' && !ambiguous($smaller, \@kept);
	}
	return ($q, \@kept);
}

sub report
{
	my ($n, $q, $settings, $difference) = @_;
	my $file = "${PostgreSQL::Test::Utils::log_path}/queries_${seed}_$n.sql";
	open(my $handle, '>', $file) or die "cannot write $file: $!";
	print $handle "-- seed $seed, query $n ($q->{kind})\n\\set VERBOSITY verbose\n", join("\n", @log), "\n";
	foreach my $run ([ 'h', [] ], [ 'c', $settings ])
	{
		print $handle "\\echo schema $run->[0]\n";
		print $handle "$_->[0];\n" foreach script_of($q, @$run);
	}
	close($handle);
	diag("$q->{kind} differs: $difference\nsettings: " . join(', ', map { "$_->[0] = $_->[1]" } @$settings) . "\ntimezone: $q->{timezone}\n" . join("\n", map { "$_->{sql};" } statements($q)) . "\nall of it: $file");
	return;
}

# ---- A round

my (%kinds, %nodes, %ambiguous, $failures);
my ($queries, $runs, $explained, $errors, $empty) = (0, 0, 0, 0, 0);

sub look_at_plan
{
	my ($n, $q) = @_;
	return if $q->{script} || $q->{meanwhile};
	my ($sql) = render($q);
	my $verbose = pick('ANALYZE, VERBOSE, BUFFERS', 'FORMAT json', 'VERBOSE, SETTINGS');
	my $settings = some_settings();
	my $log_end = -s $node->logfile;
	my @results = eval { run($main, 'RESET ALL', 'SET search_path = c, public', "EXPLAIN (COSTS OFF) $sql", (map { "SET $_->[0] = '$_->[1]'" } @$settings), "EXPLAIN ($verbose) $sql") };
	@results = ((map { { state => '', out => '' } } 1 .. 3), crashed($log_end)) if !@results;
	my ($result, $detailed) = @results[ 2, -1 ];
	if ($detailed->{state} ne '' && $result->{state} eq '' && $q->{kind} ne 'error')
	{
		report($n, $q, $settings, "EXPLAIN ($verbose): $detailed->{state} $detailed->{message}");
		fail("seed $seed, query $n: EXPLAIN");
		$failures++;
	}
	$explained++;
	my %seen;
	$seen{$1}++ while $result->{out} =~ /Custom Scan \((\w+)\)/g;
	$seen{lookups}++ while $result->{out} =~ /Lookup Cond/g;
	$seen{'top-n'}++ while $result->{out} =~ /top-?n\b/gi;
	$nodes{$_}++ foreach keys %seen;
	return;
}

# Others' changes after the snapshot of the session's transaction.
sub begin_snapshot
{
	my ($q) = @_;
	must($main, 'RESET ALL', 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM h.dk');
	note_sql('-- another session has a snapshot of this moment');
	both($other, $_) foreach @{ $q->{meanwhile} };
	columnar_only($other, q{CALL hanzo_datastore.compact('} . pick(qw(w v p)) . q{')}) if chance(0.5);
	return;
}

sub finds_nothing
{
	my ($results) = @_;
	return !grep { $_->{state} ne '' || $_->{out} =~ /[^0\s$FIELD]/ && $_->{out} !~ /^(0|$FIELD|<NULL>)*\s*$/ } @{ $results->{pieces} };
}

sub query
{
	my ($n) = @_;
	my $q = make_query();
	$q->{timezone} = pick(qw(UTC Europe/Berlin Asia/Kolkata America/New_York));
	my $loops = join(' ', $q->{from}, @{ $q->{where} }) !~ /AS [os]\b/;
	my @vectors = ([], map { some_settings($loops) } 1 .. 2);
	return if defined $only && $only != $n && !$q->{meanwhile};
	return if $skip && join("\n", map { $_->{sql} } statements($q)) =~ /$skip/;
	begin_snapshot($q) if $q->{meanwhile};
	my $expected = outputs($q, 'h', []);
	# few queries shall find nothing
	while ($q->{kind} !~ /secured|error|guarded|prepared|other/ && @{ $q->{where} } && finds_nothing($expected) && chance(0.8))
	{
		splice(@{ $q->{where} }, number(0, $#{ $q->{where} }), 1);
		$expected = outputs($q, 'h', []);
	}
	$queries++;
	my $kind = $q->{kind};
	$kinds{$kind}++;
	$empty++ if finds_nothing($expected);
	$errors++ if grep { $_->{state} ne '' } @{ $expected->{pieces} };
	if (@{ $expected->{internal} } || grep { $_->{state} =~ /^42/ || $_->{state} =~ /^(0A|25)/ } @{ $expected->{pieces} })
	{
		my ($why) = grep { $_->{state} ne '' } @{ $expected->{internal} }, @{ $expected->{pieces} };
		$ambiguous{"$why->{state} $why->{message}"}++;
		note("not a query: $why->{state} $why->{message}: $why->{sql}") if $ENV{HANZO_QUERY_ALL};
	}
	foreach my $settings (@vectors)
	{
		my $difference = compare_outputs($expected, outputs($q, 'c', $settings));
		$runs++;
		next if $difference eq '';
		my $why = ambiguous($q, $settings);
		if ($why)
		{
			$ambiguous{$kind}++;
			note("no one answer: $why\n" . (render($q))[0]);
			last;
		}
		my ($smaller, $fewer) = shrink($q, $settings);
		report($n, $smaller, $fewer, differs($smaller, $fewer) || $difference);
		fail("seed $seed, query $n: $kind");
		$failures++;
		last;
	}
	run($main, 'COMMIT') if $q->{meanwhile};
	look_at_plan($n, $q) if $n % 4 == 0;
	return;
}

sub round
{
	srand($seed);
	$shuffled = 0;
	($main, $other) = (connect_session('main'), connect_session('other'));
	my ($done, $failed) = (0, $failures // 0);
	my $ok = eval {
		create_tables();
		diag("tables: " . (time() - $started)) if $ENV{HANZO_QUERY_TIMES};
		find_settings();
		for (; $done < $ROUND && ($queries < 40 ? time() < $::last_deadline : time() < $::deadline); $done++)
		{
			srand($seed * 1000003 + $done);
			if ($done % 20 == 19) { must($main, 'RESET ALL', 'SET client_min_messages = error'); change_tables(); $shuffled = 0; }
			query($done);
			last if $failures && !$ENV{HANZO_QUERY_ALL};
		}
		must($main, 'RESET ALL');
		differences($main);
		1;
	};
	my $problem = $@;
	disconnect($_) foreach ($main, $other);
	if (!$ok)
	{
		my $file = "${PostgreSQL::Test::Utils::log_path}/queries_${seed}_$done.sql";
		if (open(my $handle, '>', $file)) { print $handle join("\n", @log), "\n"; close($handle); }
		diag("seed $seed, query $done: " . (ref($problem) ? $problem->{text} : $problem) . "\nstatements: $file");
		fail("seed $seed");
		# a server that crashed comes back by itself
		await_server();
		return;
	}
	ok(($failures // 0) == $failed, "seed $seed: $done queries");
	return;
}

our %spent;
our $deadline = time() + $seconds;
# on a busy machine the first tables may take that long: some queries are asked anyway
our $last_deadline = $deadline + 600;
# not another round's tables for a few queries
while (time() < $deadline - ($queries ? 15 : 0))
{
	round();
	$seed++;
	last if defined $only || !Test::More->builder->is_passing && !$ENV{HANZO_QUERY_ALL};
}
note("$queries queries, $runs runs, $errors that fail alike, $empty that find nothing, " . int(time() - $started) . ' s');
note('kinds: ' . join(', ', map { "$_: $kinds{$_}" } sort keys %kinds));
note("of $explained plans: " . join(', ', map { "$_: $nodes{$_}" } sort keys %nodes));
note('no answer to compare: ' . join(', ', map { "$_: $ambiguous{$_}" } sort keys %ambiguous)) if %ambiguous;
note('settings: ' . join(', ', map { $known{$_} ? $_ : "no $_" } sort keys %known));
if (!defined $only)
{
	cmp_ok($nodes{ColumnarScan} // 0, '>', 0, 'columnar scans ran');
	cmp_ok($nodes{ColumnarAgg} // 0, '>', 0, 'columnar aggregates ran') if $known{'hanzo_datastore.enable_columnar_agg'};
}
if ($ENV{HANZO_QUERY_TIMES}) { diag(sprintf('%.2f %s', $::spent{$_}, $_)) foreach sort { $::spent{$b} <=> $::spent{$a} } keys %::spent; }
$node->stop;
my $server_log = slurp_file($node->logfile);
my @complaints = grep { /TRAP:|PANIC:|terminated by signal|WARNING:.*(leak|still|not closed|not freed)/ } split(/\n/, $server_log);
is(join("\n", @complaints[ 0 .. ($#complaints > 9 ? 9 : $#complaints) ]), '', 'nothing leaks, nothing crashes');
done_testing();
