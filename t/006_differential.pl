# Random statements, applied alike to a heap `h` and a columnar table `c`: after every one of them both have the same rows, by
# every way of reading them, and errors come alike. The server is one session's (and a second one's that keeps a snapshot), so
# that a seed replays.
# HANZO_DIFF_SEED: of the first round. HANZO_DIFF_STEPS: in a round. HANZO_DIFF_SECONDS: for all rounds.
# A round that fails leaves its statements in the log directory: psql -f runs them.
use strict;
use warnings;
use IPC::Run qw(start);
use List::Util qw(max);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Storable qw(dclone);
use Test::More;
use Time::HiRes qw(time);

my $seed = $ENV{HANZO_DIFF_SEED} // 1;
my $steps = $ENV{HANZO_DIFF_STEPS} // 150;
my $seconds = $ENV{HANZO_DIFF_SECONDS} // 90;
my $node = PostgreSQL::Test::Cluster->new('differential');
$node->init;
# nobody but the sessions of this test shall act, or a seed would not replay
$node->append_conf('postgresql.conf', q{
autovacuum = off
fsync = off
max_wal_size = 1GB
timezone = 'UTC'
jit = off
lock_timeout = 20s
statement_timeout = 600s
});
$node->start;

# ---- Sessions

my $log;

sub connect_session
{
	my ($name) = @_;
	my $session = { name => $name, in => '', out => '', err => '', count => 0 };
	$session->{run} = start([ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-v', 'VERBOSITY=sqlstate', '-f', '-' ],
		'<', \$session->{in}, '>', \$session->{out}, '2>', \$session->{err}, IPC::Run::timeout(1800));
	return $session;
}

# Runs a statement; returns its SQLSTATE ('' when it succeeds) and its output.
sub run
{
	my ($session, $sql) = @_;
	my $end = 'end of ' . ++$session->{count};
	print $log ($session->{name} eq 'main' ? '' : '-- other session: ') . $sql . ($sql =~ /^\\/ ? "\n" : ";\n") if $log;
	$session->{in} .= "$sql\n;\n\\echo '$end'\n\\warn '$end'\n";
	$session->{run}->pump until $session->{out} =~ /$end\n/ && $session->{err} =~ /$end\n/;
	my ($out, $err) = @{$session}{qw(out err)};
	@{$session}{qw(out err)} = ('', '');
	$out =~ s/\n?$end\n$//;
	return ($err =~ /ERROR:\s+(\w+)/ ? $1 : '', $out);
}

sub must
{
	my ($session, $sql) = @_;
	my ($state, $out) = run($session, $sql);
	die "$sql fails: $state\n" if $state ne '';
	return $out;
}

# ---- Values: for each type a function of a number; the edges of the type come often

my %type = (
	int2 => q{CASE x % 13 WHEN 0 THEN NULL WHEN 1 THEN 32767 WHEN 2 THEN -32768 WHEN 3 THEN 0 ELSE x % 1000 END::int2},
	int4 => q{CASE x % 13 WHEN 0 THEN NULL WHEN 1 THEN 2147483647 WHEN 2 THEN -2147483648 WHEN 3 THEN 0 ELSE x % 100000 END::int4},
	int8 => q{CASE x % 13 WHEN 0 THEN NULL WHEN 1 THEN 9223372036854775807 WHEN 2 THEN -9223372036854775807 - 1 WHEN 3 THEN x ELSE x % 1000 END},
	float4 => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN '0' WHEN 5 THEN '-0'
		WHEN 6 THEN 3.4e38 WHEN 7 THEN 1e-40 WHEN 8 THEN (x % 100)::float4 ELSE ((x % 10000) / 7.0)::float4 END::float4},
	float8 => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN '0' WHEN 5 THEN '-0'
		WHEN 6 THEN 1.7e308 WHEN 7 THEN 4e-320 WHEN 8 THEN (x % 100)::float8 WHEN 9 THEN (x % 10000) / 7.0::float8 ELSE (x % 100000)::float8 / 100 END::float8},
	numeric => q{CASE abs(x % 17) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN 0.000 WHEN 5 THEN 1.0
		WHEN 6 THEN 1.00 WHEN 7 THEN 10::numeric ^ 130 + x WHEN 8 THEN -1e-30 WHEN 9 THEN x WHEN 10 THEN 0 ELSE round((x % 1000000) / 1000.0, abs(x % 5)::int) END::numeric},
	'numeric(12,3)' => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 0 ELSE (x % 1000000) / 1000.0 END::numeric(12,3)},
	text => q{CASE abs(x % 29) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'äö€😀' || x % 50 WHEN 3 THEN 'a  ' WHEN 4 THEN md5(x::text)
		WHEN 5 THEN CASE WHEN x % 7 = 0 THEN repeat('long ' || x % 3, 3000) ELSE repeat('word', 50) END
		WHEN 6 THEN CASE WHEN x % 7 = 0 THEN (SELECT string_agg(md5((x + j)::text), '') FROM generate_series(1, 100 + abs(x % 400)) AS j) ELSE 'b' END
		ELSE 'word ' || x % 20 END},
	'varchar(20)' => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'é' ELSE 'v ' || x % 5000 END::varchar(20)},
	'char(7)' => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a b' ELSE 'c' || x % 500 END::char(7)},
	bytea => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\x00' WHEN 3 THEN '\x00ff00' ELSE decode(md5((x % 300)::text), 'hex') END::bytea},
	bool => q{CASE abs(x % 5) WHEN 0 THEN NULL WHEN 1 THEN true ELSE x % 3 = 0 END},
	date => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' WHEN 3 THEN '4713-01-01 BC' ELSE date '2000-01-01' + (x % 5000)::int END::date},
	time => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '24:00' ELSE time '00:00' + (abs(x) % 86400) * interval '1 second' END::time},
	timestamp => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE timestamp '2000-01-01' + (x % 1000000) * interval '1 second' END::timestamp},
	timestamptz => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE timestamptz '2024-01-01' + (x % 1000000000) * interval '1 microsecond' END::timestamptz},
	interval => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '1 mon' WHEN 2 THEN '30 days' WHEN 3 THEN '720:00' WHEN 4 THEN '-1 year 2 days' ELSE (x % 100000) * interval '1 second' END::interval},
	uuid => q{CASE abs(x % 13) WHEN 0 THEN NULL ELSE md5((x % 700)::text)::uuid END},
	inet => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '::1' WHEN 2 THEN '10.0.0.0/8' ELSE ('192.168.' || abs(x % 4) || '.' || abs(x % 250)) END::inet},
	jsonb => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN 'null' WHEN 3 THEN '[1, 1.0, "1"]' ELSE jsonb_build_object('a', x % 10, 'b', md5((x % 50)::text)) END::jsonb},
	json => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '{ "a" :1}' ELSE json_build_object('a', x % 10) END::json},
	'int4[]' => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN '{NULL,1}' WHEN 3 THEN '[5:6]={1,2}' WHEN 4 THEN '{{1,2},{3,4}}' ELSE ARRAY[x % 10, x % 100] END::int4[]},
	'text[]' => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN '{NULL,""}' ELSE ARRAY['t' || x % 10, md5((x % 100)::text)] END::text[]},
	mood => q{CASE abs(x % 7) WHEN 0 THEN NULL WHEN 1 THEN 'sad' WHEN 2 THEN 'happy' ELSE 'ok' END::mood},
	posint => q{CASE abs(x % 7) WHEN 0 THEN NULL ELSE 1 + abs(x % 900) END::posint},
	int4range => q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'empty' WHEN 2 THEN '(,5)' WHEN 3 THEN '[7,)' ELSE int4range((x % 1000)::int, (x % 1000 + 5)::int) END::int4range},
	pair => q{CASE abs(x % 7) WHEN 0 THEN NULL WHEN 1 THEN ROW(NULL, NULL)::pair ELSE ROW(x % 10, 'b' || x % 3)::pair END},
	point => q{CASE abs(x % 7) WHEN 0 THEN NULL ELSE point(x % 100, x % 77) END},
	money => q{CASE abs(x % 7) WHEN 0 THEN NULL ELSE (x % 100000)::int4::money END},
	varbit => q{CASE abs(x % 7) WHEN 0 THEN NULL WHEN 1 THEN '' ELSE (x % 1000)::int4::bit(12)::varbit END::varbit},
	name => q{CASE abs(x % 7) WHEN 0 THEN NULL ELSE 'n' || x % 100 END::name},
	'"char"' => q{CASE abs(x % 7) WHEN 0 THEN NULL ELSE chr(65 + abs(x % 20)::int) END::"char"},
	tsvector => q{CASE abs(x % 7) WHEN 0 THEN NULL ELSE to_tsvector('simple', 'a b' || x % 30) END});
my %no_btree = map { $_ => 1 } qw(json point);
my %gist = map { $_ => 1 } qw(int4range inet point tsvector);
my %gin = map { $_ => 1 } qw(jsonb int4[] text[] tsvector);
# ALTER TYPE to what; the first ones of some rewrite nothing
my %becomes = (
	int2 => ['int4'], int4 => [ 'int8', 'numeric', 'text' ], int8 => [ 'numeric', 'float8' ], float4 => ['float8'], float8 => ['text'],
	'numeric(12,3)' => [ 'numeric', 'text' ], 'varchar(20)' => [ 'text', 'char(7)' ], text => [ 'varchar(20)', 'bytea' ], 'char(7)' => ['text'],
	date => ['timestamp'], timestamp => [ 'timestamptz', 'date' ], timestamptz => ['timestamp'], posint => [ 'int4', 'int8' ], mood => ['text'],
	jsonb => [ 'json', 'text' ], json => ['jsonb'], inet => ['text'], bool => [ 'int4', 'text' ], name => ['text'], pair => ['text']);

sub value_function { my ($type) = @_; $type =~ s/\W+/_/g; return "g_$type"; }

sub create_values
{
	my ($session) = @_;
	must($session, q{CREATE EXTENSION IF NOT EXISTS hanzo_datastore; CREATE EXTENSION IF NOT EXISTS amcheck;
		CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN posint AS int4 CHECK (VALUE > 0); CREATE TYPE pair AS (a int4, b text);
		CREATE FUNCTION r(i bigint, s bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT hashint8extended(i, s)';
		CREATE FUNCTION seven() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 7'});
	foreach my $name (sort keys %type)
	{
		must($session, 'CREATE FUNCTION ' . value_function($name) . "(x bigint) RETURNS $name LANGUAGE sql IMMUTABLE PARALLEL SAFE AS \$\$ SELECT $type{$name} \$\$");
	}
	return;
}

# ---- Chance

sub pick { return $_[ int(rand(@_)) ]; }
sub chance { return rand() < $_[0]; }
sub number { my ($from, $to) = @_; return $from + int(rand($to - $from + 1)); }

# A number per row that the value functions get: any, of few values, or ascending.
sub noise
{
	my ($id) = @_;
	my $any = "r($id, " . number(1, 1000000) . ')';
	return pick($any, $any, "$any % 4", "$any % 60", "${id}::bigint", number(1, 1000) . '::bigint');
}

# ---- One round: the state of its tables

my ($main, $other);
my $s;          # what is: columns, indexes, the method of c
my @stack;      # saved states: of the transaction, of its savepoints
my $snapshot;   # what the other session's snapshot has seen of c
my %outcomes;   # of the statements, for whoever reads the log

package Difference { sub new { my ($class, $text) = @_; return bless { text => $text }, $class; } }

sub difference { die Difference->new(join('', @_)); }

sub plain_columns { return grep { $_->{kind} eq 'plain' } @{ $s->{columns} }; }

sub value
{
	my ($column, $id) = @_;
	my $call = value_function($column->{type}) . '(' . noise($id) . ')';
	return $column->{not_null} && chance(0.95) ? "coalesce($call, " . value_function($column->{type}) . '(5))' : $call;
}

# INSERT's list of columns and the expressions for them: some columns are left to their defaults.
sub row_of
{
	my ($id, $all) = @_;
	my @columns = grep { !$_->{default} || $all || chance(0.7) } plain_columns();
	return (join(', ', 'id', map { $_->{name} } @columns), join(', ', $id, map { value($_, $id) } @columns));
}

sub for_table { my ($sql, $table) = @_; $sql =~ s/%T/$table/g; return $sql; }

# The statement for both tables; true when it succeeds. What it returns, and how it fails, must not differ.
sub both
{
	my ($template) = @_;
	my ($state_h, $out_h) = run($main, for_table($template, 'h'));
	if ($state_h ne '' && @stack && !$s->{subtransactions})
	{
		must($main, 'ROLLBACK');
		$s = $stack[0];
		@stack = ();
		# the failed statement has drawn numbers for h alone
		foreach my $column (grep { $_->{identity} } plain_columns())
		{
			must($main, "SELECT setval(pg_get_serial_sequence('c', '$column->{name}'), nextval(pg_get_serial_sequence('h', '$column->{name}')))");
		}
		return 0;
	}
	my ($state_c, $out_c) = run($main, for_table($template, 'c'));
	difference("heap: $state_h, columnar: $state_c") if $state_h ne $state_c;
	$outcomes{ ($template =~ /^(\w+(?: \w+ \S+ \w+)?)/)[0] =~ s/%T\S*//r . ($state_h eq '' ? '' : " $state_h") }++;
	my @rows = map { join("\n", sort split(/\n/, $_)) } ($out_h, $out_c);
	difference("heap returns\n$rows[0]\ncolumnar returns\n$rows[1]") if $state_h eq '' && $rows[0] ne $rows[1];
	return $state_h eq '';
}

my $RETURNING = 'RETURNING t.id, md5(t::text)';
sub sort_key { my ($column) = grep { !$no_btree{ $_->{type} } && $_->{type} ne 'pair' && chance(0.5) } @{ $s->{columns} }; return "'" . ($column ? $column->{name} : 'k') . pick('', ' DESC', ' NULLS FIRST') . ", id'"; }
sub returning { return chance(0.3) ? $RETURNING : ''; }
sub fresh { my ($count) = @_; my $from = $s->{next_id}; $s->{next_id} += $count; return ($from, $from + $count - 1); }
sub range { my $from = number(1, max(1, $s->{next_id})); return ($from, $from + pick(0, 3, 20, 200, 3000)); }
sub moved_range { my ($from, $to) = range(); my $shift = $s->{next_id} - $from; $s->{next_id} += $to - $from + 1; return ($from, $to, $shift); }
sub in_range { my ($alias) = @_; my ($from, $to) = range(); return pick("$alias.id BETWEEN $from AND $to", "$alias.id BETWEEN $from AND $to AND $alias.id % 3 = 0", "$alias.k = " . number(-5, 20)); }
sub columnar { return $s->{method} eq 'hanzo_columnar'; }
sub unique_id { return $s->{key} || grep { $_->{unique} } values %{ $s->{indexes} }; }
sub set_list { my ($id) = @_; my @columns = plain_columns(); my %seen; return join(', ', map { "$_->{name} = " . value($_, $id) } grep { !$seen{ $_->{name} }++ } map { pick(@columns) } 1 .. number(1, 2)); }
# MERGE inserts in no certain order: no number of an identity column may depend on it
sub source_row { return row_of('s.i', 1); }

sub add_index
{
	my $name = 'i' . ++$s->{next_index};
	my $column = pick(@{ $s->{columns} });
	my ($n, $type) = @{$column}{qw(name type)};
	my $method = pick('btree', 'btree', 'hash', 'gist', 'gin');
	$method = 'btree' if $method eq 'gist' && !$gist{$type} || $method eq 'gin' && !$gin{$type};
	($n, $type) = ('k', 'int4') if $method ne 'gist' && $no_btree{$type} || $method eq 'hash' && $type =~ /^(money|varbit|tsvector)$/;
	my ($unique, $on, $concurrently) = ('', $n, '');
	if ($method eq 'btree')
	{
		my $kind = number(1, 7);
		$on = "$n, id" if $kind == 1;
		$on = "$n DESC NULLS LAST" if $kind == 2;
		$on = 'id) INCLUDE (k' if $kind == 3;
		$on = pick('(k % 10)', '(id / 3), k', '(md5(id::text))') if $kind == 4;
		($unique, $on) = ('UNIQUE', pick('id', 'id, k')) if $kind == 5;
	}
	my $where = chance(0.2) ? pick(' WHERE id % 3 = 0', ' WHERE k > 0', " WHERE $n IS NOT NULL") : '';
	$concurrently = 'CONCURRENTLY ' if !@stack && !$snapshot && chance(0.2);
	if (both("CREATE $unique INDEX $concurrently%T_$name ON %T USING $method ($on)$where"))
	{
		$s->{indexes}{$name} = { method => $method, column => $n, unique => $unique ne '' && $on eq 'id' && $where eq '', partial => $where ne '', expression => $on =~ /^\(/ };
	}
	elsif ($concurrently) { must($main, "DROP INDEX IF EXISTS $_" . "_$name") foreach qw(h c); }
	return;
}

sub drop_column
{
	my @columns = grep { $_->{name} ne 'k' } @{ $s->{columns} };
	return if !@columns;
	my $column = pick(@columns);
	return if !both("ALTER TABLE %T DROP COLUMN $column->{name}");
	$s->{columns} = [ grep { $_ != $column } @{ $s->{columns} } ];
	# indexes that mention it went with it
	foreach my $name (keys %{ $s->{indexes} })
	{
		delete $s->{indexes}{$name} if must($main, "SELECT to_regclass('h_$name') IS NULL") eq 't';
	}
	return;
}

sub add_column
{
	my $name = 'c' . ++$s->{next_column};
	my $type = pick(sort keys %type);
	my $kind = number(1, 8);
	my $g = value_function($type);
	my $column = { name => $name, type => $type, kind => 'plain' };
	my $definition = "$name $type";
	if ($kind == 2 || $kind == 3) { $definition .= " DEFAULT $g(" . number(1, 100) . ')'; $column->{default} = 1; }
	if ($kind == 4) { $definition .= " DEFAULT $g(seven()::bigint)"; $column->{default} = 1; }
	if ($kind == 5) { $definition .= " NOT NULL DEFAULT $g(5)"; @{$column}{qw(default not_null)} = (1, 1); }
	if ($kind == 6)
	{
		my $expression = pick('coalesce(k, 0)::bigint + 1', 'id::bigint * 3');
		$definition = "$name int8 GENERATED ALWAYS AS ($expression) STORED";
		@{$column}{qw(type kind)} = ('int8', 'generated');
	}
	if ($kind == 7)
	{
		$definition = "$name int4 GENERATED BY DEFAULT AS IDENTITY";
		@{$column}{qw(type default not_null identity)} = ('int4', 1, 1, 1);
	}
	return if !both("ALTER TABLE %T ADD COLUMN $definition");
	push @{ $s->{columns} }, $column;
	# the numbers of an identity column come in the order of the rows, which may differ
	both("UPDATE %T AS t SET $name = t.id") if $kind == 7;
	return;
}

sub alter_type
{
	my @columns = grep { $becomes{ $_->{type} } } plain_columns();
	return if !@columns;
	my $column = pick(@columns);
	return if $column->{name} eq 'k';
	my $to = pick(@{ $becomes{ $column->{type} } });
	my $using = $column->{type} eq 'text' && $to eq 'bytea' ? "convert_to($column->{name}, 'UTF8')" : "$column->{name}::$to";
	$using = "$column->{name}::int4" if $column->{type} eq 'bool' && $to eq 'int4';
	both("ALTER TABLE %T ALTER $column->{name} DROP DEFAULT") if $column->{default};
	delete $column->{default};
	$column->{type} = $to if both("ALTER TABLE %T ALTER $column->{name} TYPE $to USING $using");
	return;
}

# CALL and the like: for c alone, outside of transactions.
sub for_columnar { my ($sql) = @_; must($main, $sql) if !@stack && columnar(); return; }

sub copy
{
	my ($count) = @_;
	my ($from, $to) = fresh($count);
	my ($columns, $values) = row_of('i');
	my $format = pick('text', 'csv', 'binary');
	must($main, "COPY (SELECT $values FROM generate_series($from, $to) AS i) TO :'file' WITH (FORMAT $format)");
	both("COPY %T ($columns) FROM :'file' WITH (FORMAT $format)");
	return;
}

sub failing_insert
{
	my ($from, $to) = fresh(pick(20, 500));
	my $at = number($from, $to);
	my ($columns, $values) = row_of('i');
	return both("INSERT INTO %T ($columns) SELECT $values FROM generate_series($from, $to) AS i WHERE 1 / (i - $at) >= 0 OR true") if chance(0.5);
	my ($old) = range();
	return both("INSERT INTO %T ($columns) SELECT $values FROM (SELECT CASE WHEN i = $at THEN $old ELSE i END AS i FROM generate_series($from, $to) AS i) AS i") if unique_id();
	return;
}

# [weight, what it does, 'free': also beside a snapshot, and in a transaction]
my @actions = (
	[ 10, sub { my ($from, $to) = fresh(1); my ($c, $v) = row_of($from); both("INSERT INTO %T AS t ($c) VALUES ($v) $RETURNING") }, 1 ],
	[ 12, sub { my ($from, $to) = fresh(pick(3, 50, 500, 2500)); my ($c, $v) = row_of('i'); both("INSERT INTO %T AS t ($c) SELECT $v FROM generate_series($from, $to) AS i " . returning()) }, 1 ],
	[ 3, sub { my ($from, $to) = fresh(1); both("INSERT INTO %T AS t (id) VALUES ($from) $RETURNING") }, 1 ],
	[ 6, sub { return if !unique_id(); my ($from, $to) = range(); $to = $from + 200 if $to > $from + 200; $s->{next_id} = max($s->{next_id}, $to + 1); my ($c, $v) = row_of('i'); both("INSERT INTO %T AS t ($c) SELECT $v FROM generate_series($from, $to) AS i ON CONFLICT DO NOTHING $RETURNING") }, 1 ],
	[ 6, sub { return if !unique_id(); my ($from, $to) = range(); $to = $from + 200 if $to > $from + 200; $s->{next_id} = max($s->{next_id}, $to + 1); my ($c, $v) = row_of('i'); my ($x) = plain_columns();
		both("INSERT INTO %T AS t ($c) SELECT $v FROM generate_series($from, $to) AS i ON CONFLICT (id) DO UPDATE SET $x->{name} = excluded.$x->{name}" . pick('', ' WHERE t.id % 3 = 0') . " $RETURNING") }, 1 ],
	[ 3, sub { my ($from, $to, $shift) = moved_range(); my $list = join(', ', map { $_->{name} } plain_columns());
		both("INSERT INTO %T AS t (id, $list) SELECT id + $shift, $list FROM %T WHERE id BETWEEN $from AND $to ORDER BY id " . returning()) }, 1 ],
	[ 10, sub { both('UPDATE %T AS t SET ' . set_list('t.id') . ' WHERE ' . in_range('t') . ' ' . returning()) }, 1 ],
	[ 3, sub { my ($from, $to, $shift) = moved_range(); both("UPDATE %T AS t SET id = id + $shift WHERE id BETWEEN $from AND $to " . returning()) }, 1 ],
	[ 5, sub { both('UPDATE %T AS t SET k = u.k % 100 + 1 FROM %T AS u WHERE u.id = t.id + 1 AND ' . in_range('t') . ' ' . returning()) }, 1 ],
	[ 8, sub { both('DELETE FROM %T AS t WHERE ' . in_range('t') . ' ' . returning()) }, 1 ],
	[ 3, sub { both('DELETE FROM %T AS t USING %T AS u WHERE u.id = t.id + 1 AND u.k > 0 AND ' . in_range('t') . ' ' . returning()) }, 1 ],
	[ 1, sub { both('DELETE FROM %T') }, 1 ],
	[ 6, sub { my ($from, $to) = range(); $to = $from + 300 if $to > $from + 300; $s->{next_id} = max($s->{next_id}, $to + 1); my ($c, $v) = source_row();
		both("MERGE INTO %T AS t USING (SELECT i, i % 4 AS what FROM generate_series($from, $to) AS i) AS s ON t.id = s.i WHEN MATCHED AND what = 0 THEN DELETE WHEN MATCHED AND what = 1 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET " . set_list('s.i') .
			" WHEN NOT MATCHED AND what < 2 THEN INSERT ($c) VALUES ($v)") }, 1 ],
	[ 4, sub { both('SELECT t.id, md5(t::text) FROM %T AS t WHERE ' . in_range('t') . ' ORDER BY id LIMIT 200 FOR ' . pick('UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE')) }, 1 ],
	[ 3, sub { both('WITH gone AS (DELETE FROM %T AS t WHERE ' . in_range('t') . " RETURNING t.*) SELECT count(*), (SELECT count(*) FROM %T) FROM gone") }, 1 ],
	[ 5, sub { copy(pick(5, 100, 1000)) }, 1 ],
	[ 1, sub { copy(number(10000, 13000)) }, 1 ],
	[ 6, \&failing_insert, 1 ],
	[ 2, sub { my ($from, $to) = range(); both("UPDATE %T SET k = 1 / (id - $from) WHERE id BETWEEN $from AND $to") }, 1 ],
	[ 1, sub { both('TRUNCATE %T') } ],
	[ 5, \&add_column ],
	[ 3, \&drop_column ],
	[ 3, \&alter_type ],
	[ 2, sub { my $c = pick(plain_columns()); $c->{not_null} = 1 if both("ALTER TABLE %T ALTER $c->{name} SET NOT NULL") } ],
	[ 2, sub { my ($c) = grep { $_->{not_null} && !$_->{identity} } plain_columns(); delete $c->{not_null} if $c && both("ALTER TABLE %T ALTER $c->{name} DROP NOT NULL") } ],
	[ 2, sub { my $c = pick(plain_columns()); $c->{default} = 1 if both("ALTER TABLE %T ALTER $c->{name} SET DEFAULT " . value_function($c->{type}) . '(' . number(1, 50) . ')') } ],
	[ 2, sub { my $c = pick(plain_columns()); return if $c->{name} eq 'k'; my $to = 'c' . ++$s->{next_column}; $c->{name} = $to if both("ALTER TABLE %T RENAME COLUMN $c->{name} TO $to") } ],
	[ 8, \&add_index ],
	[ 3, sub { my $name = pick(sort keys %{ $s->{indexes} }); delete $s->{indexes}{$name} if $name && both("DROP INDEX %T_$name") } ],
	[ 2, sub { if ($s->{key}) { $s->{key} = 0 if both('ALTER TABLE %T DROP CONSTRAINT %T_pkey') } else { $s->{key} = 1 if both('ALTER TABLE %T ADD CONSTRAINT %T_pkey PRIMARY KEY (id)') } } ],
	[ 3, sub { my $name = pick(sort keys %{ $s->{indexes} }); return if !$name; my $how = !@stack && chance(0.3) ? ' CONCURRENTLY' : ''; both(pick("REINDEX INDEX$how %T_$name", "REINDEX TABLE$how %T")) } ],
	[ 2, sub { my ($name) = grep { my $i = $s->{indexes}{$_}; $i->{method} eq 'btree' && !$i->{partial} && !$i->{expression} } sort keys %{ $s->{indexes} }; both("CLUSTER %T USING %T_$name") if $name && !@stack } ],
	[ 4, sub { both('VACUUM ' . pick('', '(FREEZE) ', '(DISABLE_PAGE_SKIPPING) ', '(INDEX_CLEANUP on) ') . '%T') if !@stack }, 1 ],
	[ 3, sub { both('VACUUM FULL %T') if !@stack } ],
	[ 3, sub { both('ANALYZE %T') }, 1 ],
	[ 16, sub { for_columnar(q{CALL hanzo_datastore.compact('c')}) }, 1 ],
	[ 5, sub { for_columnar(q{CALL hanzo_datastore.optimize('c')}) }, 1 ],
	[ 4, sub { for_columnar(q{SELECT hanzo_datastore.alter_columnar_table('c', } . pick(q{order_by => 'k, id'}, q{order_by => 'id DESC'}, q{order_by => NULL}, 'order_by => ' . sort_key(), q{compression => 'lz4'}, q{compression => 'none'}, q{compression => 'zstd'},
		'row_group_rows => 2048', 'row_group_rows => 4096', q{bloom => ARRAY['id', 'k']}, q{bloom => NULL}) . ')') } ],
	[ 2, sub { return if @stack; my $to = columnar() ? 'heap' : 'hanzo_columnar'; must($main, "ALTER TABLE c SET ACCESS METHOD $to"); $s->{method} = $to } ],
	[ 3, sub { return if @stack || $snapshot || $s->{temporary}; must($other, 'BEGIN ISOLATION LEVEL REPEATABLE READ'); $snapshot = must($other, $s->{look}) }, 1 ]);
my $weight = 0;
$weight += $_->[0] foreach @actions;

sub transaction_step
{
	if (!@stack)
	{
		return if !chance(0.12) || $snapshot;
		$s->{subtransactions} = chance(0.5);
		must($main, '\set ON_ERROR_ROLLBACK ' . ($s->{subtransactions} ? 'on' : 'off'));
		must($main, 'BEGIN ISOLATION LEVEL ' . pick('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'));
		@stack = (dclone($s));
		return;
	}
	my $what = rand();
	if ($what < 0.12) { must($main, 'COMMIT'); @stack = (); }
	elsif ($what < 0.18) { must($main, 'ROLLBACK'); $s = $stack[0]; @stack = (); }
	elsif ($what < 0.28) { must($main, 'SAVEPOINT s' . scalar(@stack)); push @stack, dclone($s); }
	elsif ($what < 0.38 && @stack > 1)
	{
		my $n = number(1, $#stack);
		if (chance(0.7))
		{
			must($main, "ROLLBACK TO s$n");
			$s = dclone($stack[$n]);
			$#stack = $n;
		}
		else { must($main, "RELEASE s$n"); $#stack = $n - 1; }
	}
	return;
}

# ---- Comparison

# The same query on both tables.
sub same
{
	my ($settings, $query) = @_;
	my @list = split(/; */, $settings);
	my $set = join('', map { "SET $_; " } @list);
	my $reset = join('', map { /^(\S+)/; "; RESET $1" } @list);
	my ($state, $out) = run($main, $set . 'SELECT (' . for_table($query, 'h') . ') IS NOT DISTINCT FROM (' . for_table($query, 'c') . ')' . $reset);
	return if $state eq '' && $out eq 't';
	must($main, 'ROLLBACK') if $state ne '' && @stack && !$s->{subtransactions};
	my @answers = map { join(' ', run($main, $set . for_table($query, $_) . $reset)) } qw(h c);
	if ($state ne '' && @stack && !$s->{subtransactions}) { $s = $stack[0]; @stack = (); }
	difference("$settings: $query\nheap: $answers[0]\ncolumnar: $answers[1]") if $state eq '' || $answers[0] ne $answers[1];
	return;
}

my $WHOLE = 'count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)';
my $ROWS = 'hanzo_datastore.enable_columnar_scan = off';
my $INDEX = 'enable_seqscan = off; enable_bitmapscan = off; hanzo_datastore.enable_columnar_scan = off';

sub predicate
{
	my $column = pick(@{ $s->{columns} }, { name => 'id', type => 'int4' });
	my ($n, $type) = @{$column}{qw(name type)};
	return pick("$n IS NULL", "$n IS NOT NULL") if $no_btree{$type} || chance(0.1);
	my $g = value_function($type);
	my $constant = $n eq 'id' ? number(1, max(1, $s->{next_id})) : "$g(" . pick(number(1, 60), 'r(' . number(1, 20000) . ', ' . number(1, 50) . ')') . ')';
	my $second = $n eq 'id' ? number(1, max(1, $s->{next_id})) : "$g(" . number(1, 60) . ')';
	return pick("$n = $constant", "$n < $constant", "$n >= $constant", "$n <> $constant", "$n BETWEEN $constant AND $second", "$n IN ($constant, $second)",
		$type =~ /\[/ ? "$n > $constant" : "$n = ANY (ARRAY[$constant, $second, NULL])", "NOT ($n > $constant)", "$n > $constant OR $n IS NULL", "$n IS DISTINCT FROM $constant") if $type ne 'pair';
	return pick("$n = $constant", "$n <> $constant");
}

sub compare
{
	my ($thoroughly) = @_;
	same('', "SELECT ROW($WHOLE)::text FROM %T AS t");
	same($ROWS, "SELECT ROW($WHOLE)::text FROM %T AS t") if $thoroughly || chance(0.3);
	foreach (1 .. ($thoroughly ? 6 : 2))
	{
		my $where = predicate();
		$where .= pick(' AND ', ' OR ') . predicate() if chance(0.3);
		my $columns = join(', ', 't.id', map { "t.$_->{name}" } grep { chance(0.3) } @{ $s->{columns} });
		same(pick('', '', $ROWS, $INDEX, $INDEX), 'SELECT ROW(' . pick($WHOLE, "count(*), coalesce(sum(hashtextextended(ROW($columns)::text, 0)::numeric), 0)", 'count(*)', 'count(*), min(id), max(k)') . ")::text FROM %T AS t WHERE $where");
	}
	if ($thoroughly || chance(0.3))
	{
		my ($from, $to) = range();
		same($INDEX, "SELECT string_agg(md5(t::text), ' ' ORDER BY i) FROM generate_series($from, $from + 50) AS i JOIN LATERAL (SELECT * FROM %T AS t WHERE t.id = i OFFSET 0) AS t ON true");
		same('', 'SELECT string_agg(f::text, \' \' ORDER BY f::text) FROM (SELECT k % 7, count(*), sum(id), min(id) FROM %T GROUP BY 1) AS f');
		same(pick('', $INDEX), 'SELECT string_agg(id::text, \' \') FROM (SELECT id FROM %T ' . pick('', 'WHERE k > 3 ') . 'ORDER BY id ' . pick('', 'DESC') . ' LIMIT 20) AS f');
	}
	return;
}

sub check_snapshot
{
	my $seen = must($other, pick('', 'SET LOCAL enable_seqscan = off; SET LOCAL hanzo_datastore.enable_columnar_scan = off; ') . $s->{look});
	difference("an old snapshot has seen\n$snapshot\nand sees\n$seen") if $seen ne $snapshot;
	return;
}

sub check_storage
{
	return if !columnar();
	my $damage = must($main, q{SELECT * FROM hanzo_datastore.verify('c')});
	difference("damage: $damage") if $damage ne '';
	my ($state, $out) = run($main, "SELECT bt_index_parent_check(c.oid, true, true) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam WHERE a.amname = 'btree' AND indrelid = 'c'::regclass AND indisvalid");
	difference("amcheck: $state") if $state ne '';
	return;
}

# ---- A round

sub create_tables
{
	my @columns = ({ name => 'k', type => 'int4', kind => 'plain' });
	foreach my $n (1 .. number(1, 7)) { push @columns, { name => "c$n", type => pick(sort keys %type), kind => 'plain' }; }
	$s = { columns => \@columns, indexes => {}, next_id => 1, next_index => 0, next_column => scalar(@columns), method => 'hanzo_columnar', key => 0, temporary => chance(0.07) };
	# columns may change: the snapshot's look names none
	$s->{look} = "SELECT $WHOLE FROM c AS t";
	my $kind = $s->{temporary} ? 'TEMPORARY' : pick('', '', 'UNLOGGED');
	my $list = join(', ', 'id int4', map { "$_->{name} $_->{type}" } @columns);
	if (chance(0.3))
	{
		my ($from, $to) = fresh(pick(10, 3000, 9000));
		my $values = join(', ', 'i AS id', map { value($_, 'i') . " AS $_->{name}" } @columns);
		must($main, "CREATE $kind TABLE $_->[0] USING $_->[1] AS SELECT $values FROM generate_series($from, $to) AS i") foreach ([ 'h', 'heap' ], [ 'c', 'hanzo_columnar' ]);
		# casts of types with a modifier lose it
		foreach my $column (@columns) { both("ALTER TABLE %T ALTER $column->{name} TYPE $column->{type}") or die if $column->{type} =~ /\(/; }
	}
	else { must($main, "CREATE $kind TABLE $_->[0] ($list) USING $_->[1]") foreach ([ 'h', 'heap' ], [ 'c', 'hanzo_columnar' ]); }
	for_columnar(q{SELECT hanzo_datastore.alter_columnar_table('c', row_group_rows => 2048)}) if chance(0.8);
	$s->{key} = 1 if chance(0.8) && both('ALTER TABLE %T ADD CONSTRAINT %T_pkey PRIMARY KEY (id)');
	return;
}

sub step
{
	transaction_step();
	my ($at, $action) = (rand($weight));
	foreach (@actions) { $action = $_; last if ($at -= $_->[0]) < 0; }
	return if $snapshot && !$action->[2];
	$action->[1]->();
	compare(0);
	check_snapshot() if $snapshot && chance(0.5);
	if ($snapshot && chance(0.05)) { check_snapshot(); must($other, 'COMMIT'); $snapshot = undef; }
	# not without bounds
	if ($s->{next_id} > 100000000) { both('TRUNCATE %T') if !$snapshot; $s->{next_id} = 1 if !$snapshot; }
	if (!@stack && !$snapshot && chance(0.1) && must($main, 'SELECT count(*) > 30000 FROM h') eq 't') { both('DELETE FROM %T WHERE id % 4 > 0'); }
	check_storage() if !@stack && chance(0.04);
	return;
}

sub round
{
	srand($seed);
	my $file = "${PostgreSQL::Test::Utils::log_path}/differential_$seed.sql";
	open($log, '>', $file) or die "cannot write $file: $!";
	$log->autoflush(1);
	print $log "\\set VERBOSITY sqlstate\n\\set file /tmp/hanzo_differential.copy\n";
	($main, $other) = (connect_session('main'), connect_session('other'));
	$main->{in} .= "\\set file " . $node->data_dir . "/differential.copy\n";
	@stack = ();
	$snapshot = undef;
	my $done = 0;
	my $ok = eval {
		must($main, 'SET client_min_messages = error');
		must($other, 'SET client_min_messages = error');
		must($main, 'DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; DROP EXTENSION IF EXISTS hanzo_datastore CASCADE');
		create_values($main);
		create_tables();
		for (; $done < $steps && time() < $::deadline; $done++) { step(); }
		if (@stack) { must($main, 'COMMIT'); @stack = (); }
		if ($snapshot) { check_snapshot(); must($other, 'COMMIT'); $snapshot = undef; }
		compare(1);
		check_storage();
		for_columnar(q{CALL hanzo_datastore.compact('c')});
		for_columnar(q{CALL hanzo_datastore.optimize('c')});
		both('VACUUM %T');
		compare(1);
		check_storage();
		1;
	};
	my $problem = $@;
	foreach my $session ($main, $other)
	{
		eval { $session->{in} .= "\\q\n"; $session->{run}->finish; };
	}
	close($log);
	$log = undef;
	my $name = "seed $seed: $done steps";
	if ($ok) { unlink($file); pass($name); return; }
	fail($name);
	diag(ref($problem) ? $problem->{text} : $problem);
	diag("statements: $file; the last ones:\n" . qx{tail -n 12 '$file' | cut -c 1-1000});
	return;
}

our $deadline = time() + $seconds;
while (time() < $deadline)
{
	round();
	$seed++;
	last if !Test::More->builder->is_passing && !$ENV{HANZO_DIFF_ALL};
}
note(join(', ', map { "$_: $outcomes{$_}" } sort keys %outcomes));
$node->stop;
done_testing();
