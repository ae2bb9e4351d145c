# Random expressions of SQL over the columns of a scope: what the queries of HanzoQueries are made of.
#
# A scope is { columns => [ column … ], keys => [ SQL … ] }; its keys tell its rows apart. A column and an expression are
# { sql, type, small, coll, const }: `small` may be calculated with without an overflow, `coll` is 'nd' for text of a
# nondeterministic collation, `const` is a sub that makes a constant in the range of the values.
#
# No expression made here raises an error for any row, so that the order of conditions does not matter; error_expression()
# makes those that do. Where equal values may differ (-0, 1.00, '30 days', text without regard to case), normal() maps
# them to one.
package HanzoExpressions;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(pick chance number some constant cross_constant expression predicate simple_predicate aggregate normal
	error_expression column_of wide_columns month_columns columns_of);

sub pick { return $_[ int(rand(@_)) ]; }
sub chance { return rand() < $_[0]; }
sub number { my ($from, $to) = @_; return $from + int(rand($to - $from + 1)); }

# Some of a list, in its order, at least one.
sub some
{
	my ($probability, @list) = @_;
	my @chosen = grep { chance($probability) } @list;
	return @chosen ? @chosen : (pick(@list));
}

# ---- Constants

sub text_constant { return pick("''", "'word " . number(0, 21) . "'", "'Word " . number(0, 21) . "'", "'a'", "'a  '", "'äö€😀" . number(0, 49) . "'", "'v " . number(0, 99) . "'", "'z'", "'wo'"); }
sub day { return sprintf("%d-%02d-%02d", pick(2000, 2003, 2005, 2012, 2013, 2024, 2024, 2024), number(1, 12), number(1, 28)); }
sub moment { return day() . sprintf(" %02d:%02d:%02d", number(0, 23), number(0, 59), pick(0, 0, 30)) . pick('', '', '.5', '.000001'); }

my %constant = (
	int2 => sub { return pick(number(-20, 20), number(-1000, 1000), "'32767'::int2", "'-32768'::int2", 0); },
	int4 => sub { return pick(number(-20, 20), number(0, 120), number(-100000, 100000), 2147483647, "'-2147483648'::int4", 0); },
	int8 => sub { return pick(number(-20, 20), number(0, 1000), '9223372036854775807', "'-9223372036854775808'::int8", 3000000000, "5::int8"); },
	float4 => sub { return pick(number(0, 100), number(0, 400) / 4, "'NaN'::float4", "'-0'::float4", "'Infinity'::float4", "'-Infinity'::float4", "12.5::float4"); },
	float8 => sub { return pick(number(0, 100), number(0, 4000) / 4, number(0, 100) . '::float8', "'NaN'::float8", "'-0'::float8", "'Infinity'::float8", "'-Infinity'::float8", '1e-300', "1428.5714285714287::float8"); },
	numeric => sub { return pick(number(-5, 100), number(-100000, 100000) / 1000, '1.00', "'NaN'::numeric", "'Infinity'::numeric", "'-Infinity'::numeric", '0.000', '1e40'); },
	text => \&text_constant, varchar => \&text_constant,
	bpchar => sub { return pick("''", "'c" . number(0, 120) . "'", "'a b'", "'c" . number(0, 120) . "  '", "'c5'::bpchar"); },
	bool => sub { return pick('true', 'false', 'NULL::bool'); },
	date => sub { return pick("date '" . day() . "'", "'" . day() . "'", "date 'infinity'", "date '-infinity'"); },
	timestamp => sub { return pick("timestamp '" . moment() . "'", "'" . moment() . "'", "timestamp 'infinity'", "timestamp '" . day() . "'"); },
	timestamptz => sub { return pick("timestamptz '" . moment() . "+00'", "timestamptz '" . moment() . "'", "'" . moment() . "+02'", "timestamptz '-infinity'"); },
	interval => sub { return "interval '" . pick('1 mon', '30 days', '720:00', '0', '-1 year 2 days', number(-99999, 99999) . ' seconds') . "'"; },
	uuid => sub { return "md5('" . number(0, 99) . "')::uuid"; },
	jsonb => sub { return "'" . pick('{}', 'null', '[1, 2]', '{"a": ' . number(0, 9) . '}', number(0, 9), '"x"') . "'::jsonb"; },
	bytea => sub { return pick("''", "'\\x00'", "'\\x00ff00'", "decode(md5('" . number(0, 99) . "'), 'hex')") . '::bytea'; },
	mood => sub { return "'" . pick(qw(sad ok happy)) . "'::mood"; },
	time => sub { return "time '" . pick('24:00', sprintf('%02d:%02d', number(0, 23), number(0, 59))) . "'"; },
	name => sub { return "'n" . number(0, 99) . "'::name"; },
	inet => sub { return "inet '" . pick('::1', '10.0.0.0/8', '192.168.' . number(0, 3) . '.' . number(0, 249)) . "'"; },
	oid => sub { return pick(number(0, 5000), '4294967295') . '::oid'; },
	'int4[]' => sub { return "'" . pick('{}', '{NULL,1}', '{' . number(0, 9) . ',' . number(0, 99) . '}', '{1}') . "'::int4[]"; });

sub constant
{
	my ($e) = @_;
	return $e->{const} && chance(0.8) ? $e->{const}->() : $constant{ $e->{type} }->();
}

# Types whose values compare with those of a type, too.
my %crosses = (
	int2 => [qw(int4 int8 numeric float8)], int4 => [qw(int2 int8 numeric float8)], int8 => [qw(int2 int4 numeric float8)],
	float4 => [qw(float8 int4 numeric)], float8 => [qw(float4 int4 numeric)], numeric => [qw(int4 int8 float8)],
	date => [qw(timestamp timestamptz)], timestamp => [qw(date timestamptz)], timestamptz => [qw(date timestamp)],
	text => [qw(varchar)], varchar => [qw(text)]);

# A constant of another type that compares with the expression.
sub cross_constant
{
	my ($e) = @_;
	my $other = pick(@{ $crosses{ $e->{type} } // [ $e->{type} ] });
	my $text = $e->{const} && chance(0.7) ? $e->{const}->() : $constant{$other}->();
	return constant($e) if $text =~ /::/ || $text =~ /^(date|timestamp|timestamptz) /;
	# what the type cannot hold
	return $text if $text !~ /^-?[0-9]{1,4}$/ && $other =~ /int|float4/ || $other eq 'numeric' && chance(0.5);
	return "$text\::$other";
}

# ---- Columns of the tables: [ name, type, value as a function of x, constant, attributes ]

my @wide = (
	[ 'k', 'int4', 'abs(x % 40)::int4', sub { number(-1, 41) }, 'small not_null' ],
	[ 'i2', 'int2', 'CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 32767 WHEN 2 THEN -32768 WHEN 3 THEN 0 ELSE x % 1000 END::int2', sub { number(-1000, 1000) } ],
	[ 'i2s', 'int2', '(x % 50)::int2', sub { number(-50, 50) }, 'small' ],
	[ 'i4', 'int4', 'CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 2147483647 WHEN 2 THEN -2147483648 WHEN 3 THEN 0 ELSE x % 100000 END::int4', sub { pick(number(-100000, 100000), 2147483647) } ],
	[ 'i4s', 'int4', 'CASE WHEN abs(x % 11) = 0 THEN NULL ELSE abs(x % 1000) END::int4', sub { number(-5, 1000) }, 'small' ],
	[ 'i8', 'int8', 'CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 9223372036854775807 WHEN 2 THEN -9223372036854775807 - 1 WHEN 3 THEN x ELSE x % 1000 END', sub { number(-1000, 1000) } ],
	[ 'i8s', 'int8', 'CASE WHEN abs(x % 17) = 0 THEN NULL ELSE x % 5000 END', sub { number(-5000, 5000) }, 'small' ],
	[ 'f4', 'float4', q{CASE abs(x % 19) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 4 THEN '0' WHEN 5 THEN '-0' ELSE abs(x % 400) / 4.0 END::float4}, sub { number(0, 400) / 4 } ],
	[ 'f8', 'float8', q{CASE abs(x % 19) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN '0' WHEN 5 THEN '-0' ELSE abs(x % 10000) / 7.0 END::float8}, sub { number(0, 10000) / 7.0 } ],
	[ 'f8p', 'float8', q{abs(x % 1000)::float8 / 3}, sub { pick('50.0::float8', number(0, 333)) } ],
	[ 'f8d', 'float8', q{CASE WHEN abs(x % 23) = 0 THEN NULL ELSE (x % 4000) / 8.0 END::float8}, sub { number(-4000, 4000) / 8 }, 'exact' ],
	[ 'f8x', 'float8', q{CASE abs(x % 7) WHEN 0 THEN NULL WHEN 1 THEN 1.7e308 WHEN 2 THEN -1.7e308 WHEN 3 THEN 4e-320 WHEN 4 THEN '-0' ELSE x::float8 END}, sub { pick('1e300', '-1e300', 0, '4e-320') }, 'huge' ],
	[ 'n', 'numeric', q{CASE abs(x % 17) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN 0.000 WHEN 5 THEN 1.0 WHEN 6 THEN 1.00 WHEN 7 THEN 10::numeric ^ 40 + x
		WHEN 8 THEN -1e-30 WHEN 9 THEN x WHEN 10 THEN 0 ELSE round((x % 1000000) / 1000.0, abs(x % 5)::int) END::numeric}, sub { number(-1000000, 1000000) / 1000 } ],
	[ 'n4', 'numeric', q{CASE WHEN abs(x % 13) = 0 THEN NULL ELSE (x % 1000000) / 10000.0 END::numeric(18,4)}, sub { number(-1000000, 1000000) / 10000 }, 'numeric(18,4)' ],
	[ 'tl', 'text', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'Word ' || abs(x % 9) ELSE 'word ' || abs(x % 20) END} ],
	[ 'th', 'text', q{CASE abs(x % 29) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'äö€😀' || abs(x % 50) WHEN 3 THEN 'a  ' WHEN 5 THEN CASE WHEN x % 7 = 0 THEN repeat('long ' || abs(x % 3), 900) ELSE repeat('word', 50) END
		WHEN 6 THEN 'word ' || abs(x % 500) ELSE md5(x::text) END} ],
	[ 'tc', 'text', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'Äö' || abs(x % 30) WHEN 3 THEN 'WORD ' || abs(x % 9) ELSE 'word ' || abs(x % 300) END}, undef, 'C' ],
	[ 'te', 'text', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN 'Äö' || abs(x % 30) WHEN 2 THEN 'WORD ' || abs(x % 9) WHEN 3 THEN 'a-b' WHEN 4 THEN 'ab' ELSE 'word ' || abs(x % 300) END}, undef, 'en' ],
	[ 'tn', 'text', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'WORD ' || abs(x % 30) WHEN 3 THEN 'Word ' || abs(x % 30) ELSE 'word ' || abs(x % 30) END}, undef, 'nd' ],
	[ 'vc', 'varchar', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'é' ELSE 'v ' || abs(x % 5000) END::varchar(20)}, undef, 'varchar(20)' ],
	[ 'ch', 'bpchar', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a b' ELSE 'c' || abs(x % 120) END::char(7)}, undef, 'char(7)' ],
	[ 'b', 'bool', 'CASE abs(x % 5) WHEN 0 THEN NULL WHEN 1 THEN true ELSE x % 3 = 0 END' ],
	[ 'd', 'date', q{CASE abs(x % 23) WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE date '2000-01-01' + abs(x % 5000)::int END::date} ],
	[ 'ts', 'timestamp', q{CASE abs(x % 23) WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE timestamp '2024-01-01' + abs(x % 20000000) * interval '1 second' END::timestamp} ],
	[ 'tz', 'timestamptz', q{CASE abs(x % 23) WHEN 0 THEN NULL WHEN 1 THEN 'infinity' ELSE timestamptz '2024-01-01 00:00:00+00' + abs(x % 20000000000000) * interval '1 microsecond' END::timestamptz} ],
	[ 'iv', 'interval', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '1 mon' WHEN 2 THEN '30 days' WHEN 3 THEN '720:00' WHEN 4 THEN '-1 year 2 days' ELSE (x % 100000) * interval '1 second' END::interval} ],
	[ 'u', 'uuid', q{CASE WHEN abs(x % 13) = 0 THEN NULL ELSE md5(abs(x % 100)::text)::uuid END} ],
	[ 'j', 'jsonb', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN 'null' WHEN 3 THEN '[1, 2]' WHEN 4 THEN '{"a": null}' ELSE jsonb_build_object('a', abs(x % 10), 'b', md5((x % 50)::text)) END::jsonb} ],
	[ 'y', 'bytea', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\x00' WHEN 3 THEN '\x00ff00' ELSE decode(md5(abs(x % 100)::text), 'hex') END::bytea} ],
	[ 'a', 'int4[]', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN '{NULL,1}' WHEN 3 THEN '{{1,2},{3,4}}' ELSE ARRAY[abs(x % 10), abs(x % 100)] END::int4[]} ],
	[ 'mo', 'mood', q{CASE abs(x % 7) WHEN 0 THEN NULL WHEN 1 THEN 'sad' WHEN 2 THEN 'happy' ELSE 'ok' END::mood} ],
	[ 'dm', 'int4', 'CASE abs(x % 7) WHEN 0 THEN NULL ELSE 1 + abs(x % 900) END::int4', sub { number(1, 901) }, 'small posint' ],
	[ 'ti', 'time', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '24:00' ELSE time '00:00' + abs(x % 86400) * interval '1 second' END::time} ],
	[ 'na', 'name', q{CASE abs(x % 7) WHEN 0 THEN NULL ELSE 'n' || abs(x % 100) END::name} ],
	[ 'ip', 'inet', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '::1' WHEN 2 THEN '10.0.0.0/8' ELSE ('192.168.' || abs(x % 4) || '.' || abs(x % 250)) END::inet} ],
	[ 'oi', 'oid', 'CASE abs(x % 7) WHEN 0 THEN NULL WHEN 1 THEN 4294967295 ELSE abs(x % 5000) END::oid' ],
	# these come by ALTER TABLE ADD COLUMN, without and with a default
	[ 'ad1', 'int4', 'CASE WHEN x % 3 = 0 THEN NULL ELSE abs(x % 100) END::int4', sub { number(0, 100) }, 'small added' ],
	[ 'ad2', 'int4', 'CASE WHEN x % 7 = 0 THEN NULL ELSE abs(x % 10) END::int4', sub { number(0, 10) }, 'small added DEFAULT 7' ],
	[ 'ad3', 'text', q{CASE WHEN x % 7 = 0 THEN NULL ELSE 'word ' || abs(x % 10) END}, undef, q{added DEFAULT 'word 3'} ]);
my @month = (
	[ 'k', 'int4', 'abs(x % 40)::int4', sub { number(-1, 41) }, 'small not_null' ],
	[ 'at', 'date', q{date '2024-01-01' + abs(x % 130)::int}, sub { "date '2024-" . sprintf('%02d-%02d', number(1, 6), number(1, 28)) . "'" }, 'not_null' ],
	[ 'tz', 'timestamptz', q{timestamptz '2024-01-01 00:00+00' + abs(x % 11000000) * interval '1 second'} ],
	[ 'amount', 'numeric', 'CASE WHEN abs(x % 13) = 0 THEN NULL ELSE (x % 1000000) / 10000.0 END::numeric(18,4)', sub { number(-1000000, 1000000) / 10000 }, 'numeric(18,4)' ],
	[ 'v', 'float8', 'CASE WHEN abs(x % 13) = 0 THEN NULL ELSE abs(x % 1000) / 8.0 END::float8', sub { number(0, 1000) / 8 }, 'exact' ],
	[ 'name', 'text', q{CASE abs(x % 13) WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'word ' || abs(x % 60) END} ],
	[ 'flag', 'bool', 'CASE abs(x % 5) WHEN 0 THEN NULL ELSE x % 3 = 0 END' ],
	[ 'n8', 'int8', 'x % 100000', sub { number(-100000, 100000) }, 'small' ]);

sub columns_of
{
	return map {
		my ($name, $type, $value, $const, $is) = @$_;
		$is //= '';
		{   name => $name, type => $type, value => $value, const => $const,
			small => scalar($is =~ /small/), exact => scalar($is =~ /exact/), huge => scalar($is =~ /huge/), not_null => scalar($is =~ /not_null/), added => $is =~ /added(.*)/ ? $1 : undef,
			declared => $is =~ /((?:varchar|char|numeric)\(.*\)|posint)/ ? $1 : $type, coll => $is =~ /^(C|en|nd)$/ ? $1 : '' }
	} @_;
}

sub wide_columns { return columns_of(@wide); }
sub month_columns { return columns_of(@month); }

# ---- Expressions

sub column_of
{
	my ($scope, @types) = @_;
	my %wanted = map { $_ => 1 } @types;
	my @columns = grep { !@types || $wanted{ $_->{type} } } @{ $scope->{columns} };
	return @columns ? pick(@columns) : undef;
}

sub e { my ($sql, $type, %more) = @_; return { sql => $sql, type => $type, %more }; }

# A template in which @ stands for an expression, {a|b} for one of several texts, {1-9} for a number.
sub filled
{
	my ($template, $x) = @_;
	$template =~ s/\{(-?\d+)-(\d+)\}/number($1, $2)/ge;
	$template =~ s/\{([^{}]*\|[^{}]*)\}/pick(split(m{\|}, $1, -1))/ge;
	$template =~ s/\@/$x/g;
	return $template;
}

# What becomes of an expression of a type: 'type: template'. type* is small, type! has an exact sum; what is under 'small int4'
# needs a small value, and 'nd' text of a nondeterministic collation has few functions.
my @arithmetic = ('(@ + {1-9})', '(@ - {1-9})', '(@ * {2-5})', '({1-9} - @)', '(@ + @)');
my %more = (
	int2 => [ 'int4*: (@::int4 + 1)', 'int2: (@ % 7::int2)', 'int4*: (@ * 3)', 'text: @::text', 'int4*: abs(@::int4)' ],
	'small int2' => [ 'int2: (@ + 1::int2)', 'int2: (- @)', 'int4*: (@ * 2)' ],
	int4 => [ 'int8: (@::int8 + 7)', 'int4*: (@ % 7)', 'int4: (@ / 10)', 'int4*: (@ & 15)', 'text: @::text', 'numeric: (@::numeric / 7)', 'int8: abs(@::int8)', 'float8!: sign(@)' ],
	'small int4' => [ (map { "int4: $_" } @arithmetic), 'float8!: @::float8', 'int4: (@ / 7)', 'int4: greatest(@, 10)' ],
	int8 => [ 'int8*: (@ % 10)', 'int8: (@ / 100)', 'numeric: (@::numeric + 1)', 'text: @::text', 'int8*: (@ & 255)' ],
	'small int8' => [ map { "int8: $_" } @arithmetic ],
	float4 => [ 'float4: (@ + @)', 'float8: @::float8', 'float4: (- @)', 'float8: (@ * 2)', 'float4: abs(@)' ],
	float8 => [ 'float8: (@ * 2)', 'float8: (@ + 0.5)', 'float8: abs(@)', 'float8: floor(@)', 'float8: (@ / 3)', 'float8: sqrt(abs(@))', 'float8: round(@)' ],
	numeric => [ 'numeric: (@ + 1)', 'numeric: (@ * 2)', 'numeric: round(@, 1)', 'numeric: floor(@)', 'numeric: (@ % 7)', 'numeric: abs(@)', 'numeric: (@ / 3)', 'numeric: (- @)', 'numeric: floor(@ / {1-4000})', 'numeric: (floor(@ / {2-60}) * {2-60})' ],
	text => [ 'text: lower(@)', 'text: upper(@)', 'int4*: length(@)', 'int4*: length(@)', 'text: substring(@, {1-3}, {1-5})', 'text: left(@, {-2-6})', "text: (@ || 'x')", "text: replace(@, 'word', 'w')",
		'text: md5(@)', "int4*: strpos(@, 'o')", "text: split_part(@, ' ', 1)", 'int4*: octet_length(@)', 'text: (@ COLLATE "C")' ],
	nd => [ 'text: lower(@)', 'int4*: length(@)', "text: (@ || 'x')", 'text: left(@, {1-6})', 'text: md5(@)' ],
	bool => [ 'bool: (NOT @)', 'int4*: @::int4', 'text: @::text' ],
	date => [ 'date: (@ + {1-40})', "timestamptz: date_trunc('month', @)", 'numeric: extract({year|month|dow|day|week|quarter|doy|isodow} FROM @)', 'timestamp: @::timestamp', 'text: @::text',
		"timestamp: (@ + interval '1 hour')" ],
	timestamp => [ "timestamp: date_trunc('{hour|day|week|month|quarter|year|minute}', @)", 'numeric: extract({hour|dow|day|epoch|month|minute|second} FROM @)', 'date: @::date',
		"timestamp: (@ + interval '{1 day|1 mon|36 hours}')", "text: to_char(@, '{YYYY-MM-DD|YYYY-MM-DD HH24:00:00|HH24|Day|MI:SS|YYYYMM|DDD}')", 'timestamptz: @::timestamptz',
		"text: concat(extract(dow FROM @), ':', to_char(@, 'HH24'))",
		"timestamp: CASE WHEN isfinite(@) THEN date_bin('15 minutes', @, timestamp '2024-01-01') END" ],
	timestamptz => [ "timestamptz: date_trunc('{hour|day|day|week|month|year|minute}', @)", "timestamptz: date_trunc('{day|month}', @, '{Asia/Kolkata|America/New_York|UTC}')",
		'numeric: extract({hour|dow|day|epoch|month|minute} FROM @)', 'date: @::date', "timestamptz: (@ + interval '{1 day|1 mon|36 hours}')", "text: to_char(@, '{YYYY-MM-DD HH24|YYYY-MM-01|HH24:MI|Mon|YYYY}')",
		"timestamp: (@ AT TIME ZONE '{UTC|Europe/Berlin|America/St_Johns|Australia/Lord_Howe}')", "timestamptz: date_trunc('{hour|day|week|quarter|minute}', @, '{Europe/Berlin|America/Sao_Paulo|Australia/Lord_Howe|Asia/Kathmandu}')",
		'numeric: (floor(extract(epoch FROM @) / {60-3600}) * 60)' ],
	interval => [ "interval: (@ + interval '1 hour')", 'interval: (@ * 2)', 'numeric: extract(epoch FROM @)', 'interval: justify_hours(@)', 'text: @::text' ],
	uuid => ['text: @::text'],
	mood => [ 'text: @::text', "mood: greatest(@, 'ok'::mood)" ],
	time => [ 'numeric: extract(hour FROM @)', q{interval: date_trunc('hour', @::interval)}, "time: (@ + interval '1 hour')" ],
	name => ['text: (@::text COLLATE "C")'],
	inet => [ 'text: host(@)', 'int4*: masklen(@)', 'int4*: family(@)' ],
	oid => ['int8*: @::int8'],
	jsonb => [ "text: (@ ->> 'a')", "text: (@ ->> 'b')", "jsonb: (@ -> 'a')", 'text: jsonb_typeof(@)', "int4*: (@ ->> 'a')::int4", "text: (@ #>> '{b}')", "bool: (@ ? 'a')" ],
	bytea => [ 'int4*: length(@)', "text: encode(@, 'hex')", 'bytea: substring(@, 1, 2)', 'text: md5(@)' ],
	'int4[]' => [ 'int4*: array_length(@, 1)', 'int4*: (@)[1]', 'int4*: cardinality(@)', "text: array_to_string(@, ',', '*')", 'int4[]: array_remove(array_append(CASE WHEN array_ndims(@) = 1 THEN @ END, 1), 3)' ]);
$more{varchar} = $more{bpchar} = $more{text};

sub more
{
	my ($e) = @_;
	my $nd = ($e->{coll} // '') eq 'nd';
	my @templates = @{ $nd ? $more{nd} : $more{ $e->{type} } };
	push @templates, (@{ $more{"small $e->{type}"} // [] }) x 2 if $e->{small};
	my ($type, $flag, $template) = pick(@templates) =~ /^([^:*!]+)([*!]?): (.*)/;
	my $made = e(filled($template, $e->{sql}), $type, small => $flag eq '*', exact => $flag eq '!');
	$made->{coll} = $e->{coll} if $type eq 'text' && $e->{type} =~ /text|char/ && $made->{sql} !~ /COLLATE/;
	return $made;
}

# An expression of two columns of numbers that overflows for none of their values.
sub calculation
{
	my ($scope) = @_;
	my @small = grep { $_->{small} && $_->{type} =~ /^int/ } @{ $scope->{columns} };
	my ($a, $b) = (pick(@small), pick(@small));
	my $type = (sort map { $_->{type} } $a, $b)[-1];
	my ($x, $y) = ($a->{sql}, $b->{sql});
	my ($f, $g) = map { column_of($scope, qw(float8 float4)) } 1 .. 2;
	my ($n, $m) = map { column_of($scope, 'numeric') } 1 .. 2;
	my @made = (e("($x\::int8 * $y)", 'int8'), e("($x % nullif($y, 0))", $type), e("($x / nullif($y, 0))", $type, small => 1));
	my $t = column_of($scope, qw(text date timestamp bool uuid));
	push @made, e("concat($x, '/', $y)", 'text');
	push @made, e("($x\::text || '-' || $t->{sql}\::text)", 'text'), e("concat_ws(' ', $t->{sql}, $x)", 'text') if $t && ($t->{coll} // '') eq '';
	push @made, e("($x + $y)", $type), e("($x - $y)", $type) if $type ne 'int2';
	# numbers of rows grow
	push @made, e("($x * $y)", $type) if $type ne 'int2' && "$x$y" !~ /\bid\b/;
	push @made, e("($f->{sql} + $g->{sql})", "$f->{type}$g->{type}" eq 'float4float4' ? 'float4' : 'float8', huge => 1), e("($f->{sql} * $x)", 'float8', huge => 1) if $f && !$f->{huge} && !$g->{huge};
	push @made, e("($n->{sql} + $m->{sql})", 'numeric'), e("($n->{sql} * $x)", 'numeric'), e("($n->{sql} - $y)", 'numeric') if $n;
	return pick(@made);
}

# An expression that has a column in it, and whose type is what comes.
sub expression
{
	my ($scope, $depth, $column) = @_;
	my $e = $column // ($depth && chance(0.12) ? calculation($scope) : column_of($scope));
	return $e if !$depth || chance(0.35);
	foreach (1 .. number(1, $depth))
	{
		my ($x, $type) = @{$e}{qw(sql type)};
		if (chance(0.12)) { $e = e("coalesce($x, " . constant($e) . ')', $type, coll => $e->{coll}, small => 0, exact => 0); next; }
		if (chance(0.1)) { $e = e('CASE WHEN ' . simple_predicate($scope) . " THEN $x " . pick('', 'ELSE ' . constant($e) . ' ') . 'END', $type, coll => $e->{coll}, huge => $e->{huge}); next; }
		if (chance(0.05) && !$e->{coll}) { $e = e("nullif($x, " . constant($e) . ')', $type, small => $e->{small}, exact => $e->{exact}, huge => $e->{huge}); next; }
		# these stay as they are, or they overflow
		next if $e->{huge};
		$e = more($e);
		last if length($e->{sql}) > 300;
	}
	return $e;
}

# One value for all values that are equal.
sub normal
{
	my ($e) = @_;
	my ($x, $type) = @{$e}{qw(sql type)};
	return "$x + 0::float8" if $type =~ /^float/;
	return "trim_scale($x)" if $type eq 'numeric';
	# some have lost their padding
	return "($x)::text" if $type eq 'bpchar';
	return "justify_interval($x)" if $type eq 'interval';
	return "lower($x COLLATE \"C\")" if ($e->{coll} // '') eq 'nd';
	return $x;
}

# ---- Conditions

sub patterns { return pick("'word%'", "'%1'", "'%o%d%'", "'_ord 1%'", "''", "'%'", "'äö%'", "'W%'", "'%\\_%'", "'word 1'", "'a  '", "'%€%'"); }
sub regexes { return pick("'^w'", "'[0-9]+\$'", "'(word|long) [12]'", "'^\$'", "'O'", "'ö.'"); }

# A condition on one column or expression.
sub comparison
{
	my ($scope, $e) = @_;
	my ($x, $type) = @{$e}{qw(sql type)};
	my $op = pick('=', '=', '<>', '<', '<=', '>', '>=');
	my $nd = ($e->{coll} // '') eq 'nd';
	my @list = map { constant($e) } 1 .. pick(1, 2, 3, 3, 5, 12, 12, 60);
	my $what = number(1, 21);
	return "$x $op " . cross_constant($e) if $what <= 2;
	return $x . pick('', '', ' = true', ' IS TRUE', ' IS NOT TRUE', ' IS FALSE', ' IS NOT FALSE', ' IS UNKNOWN', ' IS NOT UNKNOWN') if $type eq 'bool' && $what <= 10;
	return constant($e) . " $op $x" if $what == 3;
	return "$x " . pick('IN', 'IN', 'NOT IN') . ' (' . join(', ', @list, chance(0.15) ? 'NULL' : ()) . ')' if $what == 4 || $what == 5;
	if ($what == 6)
	{
		my $cast = $e->{declared} && $type ne 'bpchar' ? $type : $type eq 'bpchar' ? 'bpchar' : $type;
		return "$x = " . constant($e) if $type eq 'int4[]';
		return pick("$x = ANY (ARRAY[" . join(', ', map { "$_\::$cast" } @list) . (chance(0.2) ? ', NULL' : '') . "]::$cast\[])", "$x <> ALL (ARRAY[" . join(', ', map { "$_\::$cast" } @list) . "])", "$x $op ANY (ARRAY[" . join(', ', map { "$_\::$cast" } @list) . "])", "$x = ANY ('{}'::$cast\[])", "$x = ANY (NULL::$cast\[])");
	}
	return "$x " . pick('', 'NOT ') . 'BETWEEN ' . pick('', '', 'SYMMETRIC ') . constant($e) . ' AND ' . constant($e) if $what <= 8;
	return "$x IS " . pick('', 'NOT ') . 'NULL' if $what == 9;
	return "$x IS " . pick('', 'NOT ') . 'DISTINCT FROM ' . pick(constant($e), 'NULL') if $what == 10;
	return "($x $op " . constant($e) . ') IS ' . pick('NULL', 'NOT NULL', 'TRUE', 'NOT TRUE', 'FALSE', 'NOT FALSE', 'UNKNOWN') if $what == 11;
	if ($what <= 15 && $type =~ /text|char/ && !$nd)
	{
		return "$x " . pick('LIKE', 'LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE') . ' ' . patterns() if chance(0.6);
		return "$x " . pick('~', '~', '!~', '~*') . ' ' . regexes() if chance(0.7);
		return pick("starts_with($x\::text, 'wo')", "$x COLLATE \"C\" $op " . text_constant());
	}
	if ($what <= 15 && $type eq 'jsonb')
	{
		return pick("$x \@> '{\"a\": " . number(0, 9) . "}'", "$x ->> 'a' = '" . number(0, 9) . "'", "$x ? 'b'", "($x ->> 'a')::int4 > " . number(0, 9), "$x -> 'b' IS NULL", "$x = '{}'", "jsonb_typeof($x) = 'object'", "($x ->> 'b') LIKE 'c%'");
	}
	if ($what <= 15 && $type eq 'int4[]')
	{
		return pick("$x \@> '{" . number(0, 9) . "}'", number(0, 9) . " = ANY ($x)", "$x && '{1,2,3}'", "($x)[1] > " . number(0, 9), number(0, 50) . " < ALL ($x)", "$x = '{}'");
	}
	if ($what <= 17)
	{
		my @same = grep { $_->{type} eq $type && ($_->{coll} // '') eq ($e->{coll} // '') } @{ $scope->{columns} };
		@same = grep { $_->{type} =~ /^(int[248]|float[48]|numeric)$/ } @{ $scope->{columns} } if $type =~ /^(int[248]|float[48]|numeric)$/ && chance(0.5);
		@same = grep { $_->{type} =~ /^(date|timestamp)/ } @{ $scope->{columns} } if $type =~ /^(date|timestamp)/ && chance(0.5);
		return "$x $op " . pick(@same)->{sql} if @same && ($type !~ /text|char/ || defined $e->{declared});
	}
	if ($what == 18)
	{
		my ($y, $z) = (column_of($scope), column_of($scope));
		return "($y->{sql}, $z->{sql}) $op (" . constant($y) . ', ' . constant($z) . ')' if $y->{type} !~ /bool/ && $z->{type} !~ /bool/;
	}
	return "$x $op NULL" if $what == 19 && chance(0.3);
	# what is no constant before the query runs
	my $cast = $type =~ /^(bool|int4\[\])$/ ? '' : "::$type";
	return pick("$x $op (SELECT " . constant($e) . "$cast)", "$x $op (SELECT max(" . constant($e) . "$cast) FROM e)", "$x $op (CASE WHEN random() < 2 THEN " . constant($e) . "$cast END)") if $what == 20 && $cast ne '' && $type !~ /^(uuid|jsonb|bytea)$/;
	return "$x $op (" . constant($e) . ")::text$cast" if $what == 21 && $type =~ /^(int|date|timestamp|float)/ && $cast ne '';
	return "$x $op " . constant($e);
}

sub simple_predicate
{
	my ($scope) = @_;
	return comparison($scope, column_of($scope));
}

# A condition of any shape.
sub predicate
{
	my ($scope, $depth) = @_;
	$depth //= 2;
	if ($depth && chance(0.3))
	{
		my @parts = map { predicate($scope, $depth - 1) } 1 .. number(2, 3);
		return '(' . join(pick(' OR ', ' OR ', ' AND '), @parts) . ')';
	}
	return 'NOT (' . predicate($scope, $depth - 1) . ')' if $depth && chance(0.08);
	return '(' . predicate($scope, $depth - 1) . ') IS ' . pick('NOT TRUE', 'TRUE', 'NOT FALSE', 'NULL') if $depth && chance(0.04);
	if ($depth && chance(0.04))
	{
		return 'CASE WHEN ' . predicate($scope, 0) . ' THEN ' . predicate($scope, 0) . ' ELSE ' . predicate($scope, 0) . ' END';
	}
	return pick('true', 'false', 'NULL::bool', '1 = 1') if chance(0.01);
	return comparison($scope, expression($scope, chance(0.6) ? 0 : 2));
}

# ---- Errors: [ expression that raises one for some row, and no other ]

sub error_expression
{
	my ($scope) = @_;
	my @able = grep { $_->{type} =~ /^(int2|int4|int8|float8|numeric|text|date|timestamp)$/ && ($_->{coll} // '') ne 'nd' } @{ $scope->{columns} };
	my $c = pick(@able);
	my ($x, $type) = @{$c}{qw(sql type)};
	return "(100 / ($x - " . constant($c) . '))' if $c->{small} && chance(0.5);
	return "(7 % ($x - " . number(0, 40) . '))' if $c->{small};
	return "($x + 32767::int2)" if $type eq 'int2';
	return pick("($x + 2147483000)", "($x * 1000000)", "(- $x)", "abs($x)", "$x\::int2") if $type eq 'int4';
	return pick("($x + 9223372036854775000)", "(- $x)", "$x\::int4", "($x * $x)") if $type eq 'int8';
	return pick("($x * 10)", "($x + $x)") if $c->{huge};
	return pick("(1 / $x)", "(1 / ($x - $x))") if $type eq 'float8' && $c->{exact};
	return pick("$x\::int4", "ln(abs($x) - $x)") if $type eq 'float8';
	return pick("(1 / ($x - 1))", "$x\::numeric(6,2)") if $type eq 'numeric';
	return "($x - date '2024-01-01')" if $type eq 'date';
	return "($x - timestamp '2024-01-01')" if $type eq 'timestamp';
	return pick("$x\::int4", "substring($x, 1, length($x) - 3)", "chr(length($x))");
}

# ---- Aggregates: { sql, near }: near is the tolerance for results that depend on the order of rows

sub aggregate
{
	my ($scope, $plain) = @_;
	my $filter = chance(0.2) ? ' FILTER (WHERE ' . predicate($scope, 1) . ')' : '';
	return { sql => "count(*)$filter" } if chance(0.12);
	return { sql => "count(DISTINCT t.ctid)" } if !$plain && chance(0.02) && ($scope->{table} // 'u') !~ /^[pu]$/;
	my $e = expression($scope, chance(0.65) ? 0 : 2);
	my ($x, $type) = @{$e}{qw(sql type)};
	my $keys = join(', ', @{ $scope->{keys} });
	my $what = rand();
	return { sql => "count($x)$filter" } if $what < 0.1;
	return { sql => "count(DISTINCT $x)$filter" } if $what < 0.2 && !$plain;
	if ($what < 0.3 && !$plain)
	{
		return { sql => pick("array_agg($x ORDER BY $keys)", "array_agg($x ORDER BY $x DESC NULLS LAST, $keys)", "jsonb_agg(($x)::text ORDER BY $keys)") . $filter, long => 1 } if chance(0.6) && $type ne 'int4[]';
		return { sql => "string_agg(($x)::text, ',' ORDER BY $keys)$filter", long => 1 };
	}
	if ($what < 0.36 && !$plain)
	{
		my $order = { %$e, sql => pick('mode()', "percentile_disc(0.25)", "percentile_disc(" . rand() . ')') . " WITHIN GROUP (ORDER BY $x)$filter" };
		return { sql => normal($order) } if $type ne 'int4[]';
	}
	return { sql => "(percentile_cont(" . pick(0, 0.5, 0.9, 1) . ") WITHIN GROUP (ORDER BY $x)$filter) + 0" } if $what < 0.42 && !$plain && $type eq 'float8' && !$e->{huge};
	return { sql => pick('bool_and', 'bool_or', 'every') . "($x)$filter" } if $type eq 'bool';
	return { sql => pick('bit_and', 'bit_or', 'bit_xor') . "($x)$filter" } if $type =~ /^int[248]$/ && $what > 0.94;
	if ($type =~ /^(int[248]|numeric|float[48]|interval)$/ && !$e->{huge} && $what < 0.75)
	{
		my $distinct = chance(0.06) && !$plain && $type =~ /^int[248]$/ ? 'DISTINCT ' : '';
		my $f = pick('sum', 'sum', 'avg', 'avg', $type eq 'interval' ? 'sum' : pick('stddev', 'stddev_pop', 'stddev_samp', 'variance', 'var_pop', 'var_samp'));
		my $near = $type !~ /^float/ || $f eq 'sum' && $e->{exact} ? undef : $type eq 'float4' && $f eq 'sum' ? 1e-4 : 1e-9;
		return { sql => "$f($distinct$x)$filter", near => $near };
	}
	return { sql => "count($x)$filter" } if $type =~ /^(uuid|jsonb|bytea|bool)$/;
	return { sql => normal({ %$e, sql => pick('min', 'max') . "($x)$filter" }) };
}

1;
