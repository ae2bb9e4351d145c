# hanzo-datastore-load: every format with hostile values into columnar tables and heaps; real dumps of ClickHouse; loads that
# are killed anywhere, with several connections, lose no row and load none twice; rejects; upserts; what is refused beforehand.
use strict;
use warnings;
use lib 't';
use Encode qw(encode_utf8 decode_utf8);
use HanzoTest;
use IO::Compress::Gzip qw(gzip $GzipError);
use IPC::Run qw(run start finish);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('load');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 40\nlog_min_messages = fatal\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hanzo_datastore');

my $program = 'hanzo-datastore-load';
my $dir = ${PostgreSQL::Test::Utils::tmp_check};
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PGDATABASE} = 'postgres';
$ENV{PGUSER} = scalar getpwuid($<);
# sessions of the loader are found by the name that it gives itself
delete $ENV{PGAPPNAME};

sub sql { return $node->safe_psql('postgres', $_[0]) }

# Bytes into a file; returns its path.
sub file
{
	my ($name, $bytes) = @_;
	open(my $handle, '>:raw', "$dir/$name") or die "cannot write $dir/$name: $!";
	print $handle $bytes;
	close($handle);
	return "$dir/$name";
}

# Runs the loader; returns its exit code and what it said.
sub load
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');
	run([ $program, @arguments ], '<', \'', '>', \$out, '2>', \$err);
	return ($? >> 8, $err);
}

sub loads_ok
{
	my ($what, @arguments) = @_;
	my ($rc, $err) = load(@arguments);
	is($rc, 0, $what) or diag($err);
	return $err;
}

sub refused
{
	my ($what, $pattern, @arguments) = @_;
	my ($rc, $err) = load(@arguments);
	is($rc, 1, "$what: refused");
	like($err, $pattern, "$what: says why and what to do");
	return;
}

# ---- Every format, written here by ClickHouse's rules, into both kinds of table

my @strings = (
	'', 'plain', "tab\there", "line\nfeed", "cr\rlf\r\n", "back\\slash", "\\N", "\\.", "\\", 'quote"d', "it's", '""', "'", '{"a":1}',
	"{'a':1}", '[1,2]', "['x']", '(1)', ',', "\t", "\n", "NULL", 'null', "\x{fc}\x{20ac}\x{1f600}", "\x{7f}\x{1}\b\f", ' spaces ',
	"a,b;c\td", '{}', '{', '}', '[', "\\u0041", "#comment", 'x' x 3000, "\x{1f600}" x 300);

sub tsv_text
{
	my ($text) = @_;
	my %letter = ("\t" => 't', "\n" => 'n', "\r" => 'r', "\b" => 'b', "\f" => 'f', "\\" => "\\", "'" => "'");
	$text =~ s/([\t\n\r\x08\f\\'])/\\$letter{$1}/g;
	return $text;
}
sub csv_text { my ($text) = @_; $text =~ s/"/""/g; return "\"$text\"" }
sub native { my ($text) = @_; return "'" . tsv_text($text) . "'" }
sub native_array { return '[' . join(',', map { defined $_ ? native($_) : 'NULL' } @_) . ']' }
sub native_map { my (%map) = @_; return '{' . join(',', map { native($_) . ':' . native($map{$_}) } sort keys %map) . '}' }
sub copy_text
{
	my ($text) = @_;
	my %letter = ("\t" => 't', "\n" => 'n', "\r" => 'r', "\\" => "\\");
	$text =~ s/([\t\n\r\\])/\\$letter{$1}/g;
	return $text;
}
sub pg_array
{
	return '{' . join(',', map { my $t = $_; defined $t ? do { $t =~ s/(["\\])/\\$1/g; "\"$t\"" } : 'NULL' } @_) . '}';
}

my $json = JSON::PP->new->canonical->allow_nonref;
my @columns = qw(id s arr m n at num f ok u bytes days);
my (@jsonl, @csv, @tsv, @copy);
foreach my $i (0 .. 599)
{
	my $s = $strings[ $i % @strings ];
	my $t = $strings[ ($i * 7 + int($i / @strings)) % @strings ];
	my @arr = ($s, undef, $t);
	my %m = ($s => $t, "k$i" => $s);
	my $n = $i % 3 ? $t : undef;
	my $at = sprintf('20%02d-%02d-%02d %02d:%02d:%02d.%03d', $i % 60, 1 + $i % 12, 1 + $i % 28, $i % 24, $i % 60, ($i * 7) % 60, $i % 1000);
	my $num = $i % 2 ? '18446744073709551615' : $i;
	my $f = (qw(nan inf -inf 0.1 1e300 -5e-324))[ $i % 6 ];
	my $ok = $i % 2 ? 'true' : 'false';
	my $u = sprintf('%08x-5cb3-11e7-907b-a6006ad3dba0', $i);
	my $bytes = "b\x{1}$i";
	my @days = ('2024-02-29 00:00:00', '1970-01-01 00:00:00');
	push @jsonl, '{' . join(',',
		"\"id\":$i", '"s":' . $json->encode($s), '"arr":' . $json->encode(\@arr), '"m":' . $json->encode(\%m), '"n":' . $json->encode($n),
		"\"at\":\"$at\"", "\"num\":\"$num\"", $f =~ /n/ ? "\"f\":\"$f\"" : "\"f\":$f", "\"ok\":$ok", "\"u\":\"$u\"",
		'"bytes":' . $json->encode($bytes), '"days":' . $json->encode(\@days)) . '}';
	push @csv, join(',', $i, csv_text($s), csv_text(native_array(@arr)), csv_text(native_map(%m)), defined $n ? csv_text($n) : '\N', "\"$at\"", $num, $f, $ok,
		"\"$u\"", csv_text($bytes), csv_text(native_array(@days)));
	push @tsv, join("\t", $i, tsv_text($s), native_array(@arr), native_map(%m), defined $n ? tsv_text($n) : '\N', $at, $num, $f, $ok, $u, tsv_text($bytes),
		native_array(@days));
	push @copy, join("\t", $i, copy_text($s), copy_text(pg_array(@arr)), copy_text($json->encode(\%m)), defined $n ? copy_text($n) : '\N', "$at+00", $num,
		$f, $ok, $u, '\\\\x' . unpack('H*', $bytes), copy_text(pg_array(map { "$_+00" } @days)));
}
my $types = q{id integer, s text, arr text[], m jsonb, n text, at timestamptz(3), num numeric(20), f float8, ok boolean, u uuid, bytes bytea, days timestamptz[]};
sql("CREATE TABLE want ($types) USING heap; COPY want FROM '" . file('want.copy', encode_utf8(join("\n", @copy) . "\n")) . "'");
is(sql('SELECT count(*) FROM want'), '600', 'the rows as they are to be');

sub zstd_frames
{
	# Frames of stored blocks (RFC 8878): magic, descriptor, window of 1 MB, then blocks of up to 128 KiB.
	my ($bytes, $size) = @_;
	my $frames = '';
	for (my $at = 0; $at < length $bytes; $at += $size)
	{
		my $rest = substr($bytes, $at, $size);
		$frames .= pack('VCC', 0xFD2FB528, 0, 10 << 3);
		while (length $rest)
		{
			my $block = substr($rest, 0, 131072, '');
			$frames .= substr(pack('V', (length($rest) ? 0 : 1) | length($block) << 3), 0, 3) . $block;
		}
	}
	return $frames;
}

sub gzip_members
{
	my ($bytes, $size) = @_;
	my $members = '';
	for (my $at = 0; $at < length $bytes; $at += $size)
	{
		my $part = substr($bytes, $at, $size);
		my $member;
		gzip(\$part, \$member) or die $GzipError;
		$members .= $member;
	}
	return $members;
}

my $names = join(',', map { "\"$_\"" } @columns);
my $tsv_types = join("\t", qw(Int32 String), 'Array(Nullable(String))', 'Map(String, String)', 'Nullable(String)', "DateTime64(3, \\'UTC\\')", qw(UInt64 Float64 Bool UUID String),
	'Array(DateTime)');
my %text = (
	'dump.jsonl' => join("\n", @jsonl) . "\n",
	'array.json' => "[\n" . join(",\n", @jsonl) . "\n]\n",
	'dump.csv' => join("\n", @csv) . "\n",
	'names.csv' => "\x{feff}$names\r\n" . join("\r\n", @csv) . "\r\n",
	'dump.tsv' => join("\n", @tsv),
	'names.tsv' => join("\t", @columns) . "\n" . join("\n", @tsv) . "\n",
	'types.tsv' => join("\t", @columns) . "\n$tsv_types\n" . join("\n", @tsv) . "\n");
my $number = 0;
foreach my $name (sort keys %text)
{
	my $bytes = encode_utf8($text{$name});
	my %packed = ($name => $bytes);
	$packed{"$name.gz"} = gzip_members($bytes, 100000) if $name =~ /^dump/;
	$packed{"$name.zst"} = zstd_frames($bytes, 200000) if $name =~ /^dump/;
	foreach my $packed_name (sort keys %packed)
	{
		my $table = 't' . ++$number;
		my $method = $packed_name =~ /\.gz$|array|names\.tsv/ ? 'heap' : 'hanzo_columnar';
		sql("CREATE TABLE $table ($types) USING $method");
		loads_ok("$packed_name into $method", '-j', 1 + $number % 3, '--batch', 60 + 7 * $number, $table, file($packed_name, $packed{$packed_name}));
		is(differences($node, $table, 'want'), '0', "$packed_name: every value");
	}
}
sql('CREATE TABLE piped (LIKE want) USING hanzo_columnar');
my ($out, $err) = ('', '');
run([ $program, '--name', 'a pipe', 'piped', '-' ], '<', "$dir/array.json", '>', \$out, '2>', \$err);
is($?, 0, 'from standard input') or diag($err);
is(differences($node, 'piped', 'want'), '0', 'standard input: every value');
run([ $program, '--name', 'a pipe', 'piped', '-' ], '<', "$dir/array.json", '>', \$out, '2>', \$err);
like($err, qr/loaded already: 600 rows/, 'the same name again: nothing to do');
is(sql('SELECT count(*) FROM piped'), '600', 'and nothing is done');

# ---- What ClickHouse 26.7 writes for one row of everything (q1 of docs/clickhouse.md), in three formats

my $real_types = q{s text, arr text[], m jsonb, n text, na text[], ia int[], nested int[], dt64 timestamptz, dt timestamptz, dta timestamptz[], d date, u64 numeric(20),
	i64 bigint, dec numeric(18,4), fs text, b boolean, u uuid, ua uuid[], ip6 inet, ip4 inet, e text, f1 float8, f2 float8, f3 float8, f5 real, im jsonb, j jsonb, lc text,
	ba boolean[], da numeric[], ma jsonb, empty text, bsn text, tup jsonb};
my @real_names = $real_types =~ /(?:^|,\s*)(\w+) \w/g;
@real_names = map { s/^4\)//r } @real_names;
my $real_tsv = <<'EOT';
a\tb\\c\'d"e\nf	['a\'b','c\td','e"f','g\\h','x,y','\n']	{'k\'1':'v"1\n','k2':'v\\2'}	\N	[NULL,'a']	[1,2,3]	[[1],[2]]	2024-01-01 00:00:00.123	2024-01-01 12:00:00	['2024-01-01 12:00:00']	2024-02-03	18446744073709551615	-5	1.5	abc\0\0	true	61f0c404-5cb3-11e7-907b-a6006ad3dba0	['61f0c404-5cb3-11e7-907b-a6006ad3dba0']	2001:db8::1	1.2.3.4	x	nan	inf	-inf	0.1	{1:'a'}	{"j":"s\\n\\"q"}	lc	[true,false]	[1.5]	{'a':[1,2]}		\\N	(1,'x\'y')
EOT
my $real_head = join("\t", qw(s arr m n na ia nested dt64 dt dta d u64 i64 dec fs b u ua ip6 ip4 e f1 f2 f3 f5 im j lc ba da ma empty bsn tup)) . "\n" . <<'EOT';
String	Array(String)	Map(String, String)	Nullable(String)	Array(Nullable(String))	Array(UInt8)	Array(Array(UInt8))	DateTime64(3, \'UTC\')	DateTime(\'UTC\')	Array(DateTime(\'UTC\'))	Date	UInt64	Int64	Decimal(18, 4)	FixedString(5)	Bool	UUID	Array(UUID)	IPv6	IPv4	Enum8(\'x\' = 1, \'y\\\'z\' = 2)	Float64	Float64	Float64	Float32	Map(UInt8, String)	String	LowCardinality(String)	Array(Bool)	Array(Decimal(9, 2))	Map(String, Array(UInt8))	String	String	Tuple(UInt8, String)
EOT
my $real_json = <<'EOT';
{"s":"a\tb\\c'd\"e\nf","arr":["a'b","c\td","e\"f","g\\h","x,y","\n"],"m":{"k'1":"v\"1\n","k2":"v\\2"},"n":null,"na":[null,"a"],"ia":[1,2,3],"nested":[[1],[2]],"dt64":"1704067200.123","dt":"1704110400","dta":["1704110400"],"d":"2024-02-03","u64":"18446744073709551615","i64":"-5","dec":1.5,"fs":"abc\u0000\u0000","b":true,"u":"61f0c404-5cb3-11e7-907b-a6006ad3dba0","ua":["61f0c404-5cb3-11e7-907b-a6006ad3dba0"],"ip6":"2001:db8::1","ip4":"1.2.3.4","e":"x","f1":"nan","f2":"inf","f3":"-inf","f5":0.1,"im":{"1":"a"},"j":"{\"j\":\"s\\n\\\"q\"}","lc":"lc","ba":[true,false],"da":[1.5],"ma":{"a":[1,2]},"empty":"","bsn":"\\N","tup":[1,"x'y"]}
EOT
my $real_csv = <<'EOT';
"a	b\c'd""e
f","['a\'b','c\td','e""f','g\\h','x,y','\n']","{'k\'1':'v""1\n','k2':'v\\2'}",\N,"[NULL,'a']","[1,2,3]","[[1],[2]]","2024-01-01 00:00:00.123","2024-01-01 12:00:00","['2024-01-01 12:00:00']","2024-02-03",18446744073709551615,-5,1.5,"abc",true,"61f0c404-5cb3-11e7-907b-a6006ad3dba0","['61f0c404-5cb3-11e7-907b-a6006ad3dba0']","2001:db8::1","1.2.3.4","x",nan,inf,-inf,0.1,"{1:'a'}","{""j"":""s\n\""q""}","lc","[true,false]","[1.5]","{'a':[1,2]}","","\N","(1,'x\'y')"
EOT
sql("CREATE TABLE real_$_ ($real_types) USING hanzo_columnar") foreach qw(tsv json csv);
loads_ok('a real dump, TSV with names and types', 'real_tsv', file('real.tsv', $real_head . $real_tsv));
loads_ok('a real dump, JSON with numbers in quotes and times in seconds', '--strip-nul', 'real_json', file('real.json', $real_json));
loads_ok('a real dump, CSV', 'real_csv', file('real.csv', $real_csv));
is(differences($node, 'real_tsv', 'real_json'), '0', 'TSV and JSON say the same');
is(differences($node, 'real_tsv', 'real_csv'), '0', 'TSV and CSV say the same');
is( sql(q{SELECT s = E'a\tb\\\\c''d"e\nf', arr[2] = E'c\td', arr[6] = E'\n', m->>'k''1' = E'v"1\n', n IS NULL, na[1] IS NULL, nested, dt64 = '2024-01-01 00:00:00.123+00',
		dta[1] = '2024-01-01 12:00+00', u64, fs, f1, f3, im, j->>'j' = E's\n"q', ma, bsn, tup->>1 FROM real_tsv}),
	q{t|t|t|t|t|t|{{1},{2}}|t|t|18446744073709551615|abc|NaN|-Infinity|{"1": "a"}|t|{"a": [1, 2]}|\N|x'y}, 'and it is what was there');

# ---- Options

sql(q{CREATE TABLE o (id integer NOT NULL, name text DEFAULT 'none', at timestamptz, local timestamp, day date, n integer GENERATED ALWAYS AS (id * 2) STORED) USING hanzo_columnar});
loads_ok('fields of other names, semicolons, another NULL, a zone', '--map', 'key=id,who=name,x=', '--delimiter', ';', '--null', '-', '--timezone', 'Europe/Berlin', 'o',
	file('o1.csv', "key;who;x;at\n1;-;5;2024-07-01 12:00:00\n2;\"-\";6;0000-00-00 00:00:00\n"));
loads_ok('columns named here, keys left out, more keys than columns', '--ignore-unknown', 'o', file('o2.json', <<'EOT'));
{"id":3,"name":"three","at":1704067200.5,"more":{"deep":[1,{"x":"}"}]}}

{"day":"2024-02-29","id":4}
{"id":5,"name":null,"local":"-0.25"}
EOT
loads_ok('--columns', '--columns', 'day,id', '--format', 'tsv', 'o', file('o3', "0000-00-00\t6\n"));
is(sql(q{SET timezone = 'UTC'; SELECT string_agg(concat_ws(' ', id, coalesce(name, '(null)'), at, local, day, n), E'\n' ORDER BY id) FROM o}), <<'EOT' =~ s/\n\z//r, 'all as it should be');
1 (null) 2024-07-01 10:00:00+00 2
2 - 1970-01-01 00:00:00+00 4
3 three 2024-01-01 00:00:00.5+00 6
4 none 2024-02-29 8
5 (null) 1969-12-31 23:59:59.75 10
6 none 1970-01-01 12
EOT
sql('CREATE TABLE bytes (t text, j jsonb, a text[])');
my $bytes = file('bytes.json', qq({"t":"a\\u0000b\xff","j":{"k":"x\\u0000y"},"a":["p\\u0000q"]}\n{"t":"\\ud83d","j":null,"a":null}\n));
refused('zero bytes', qr/zero byte.*--strip-nul/, 'bytes', $bytes);
loads_ok('zero bytes and damaged UTF-8', '--strip-nul', '--replace-invalid', 'bytes', $bytes);
is(sql('SELECT * FROM bytes ORDER BY t'), qq(ab\xef\xbf\xbd|{"k": "xy"}|{pq}\n\xef\xbf\xbd||), 'mended as asked');
loads_ok('a dry run', '--dry-run', 'o', file('dry.json', qq({"id":7}\n)));
is(sql(q{SELECT count(*) FROM o WHERE id = 7}), '0', 'which loads nothing');
like((load('--dry-run', 'o', file('dry2.json', qq({"id":7}\n{"id":8\n))))[1], qr/line 2: the object has no end/, 'and says what it cannot read');

# ---- What is refused before anything is read

sql(q{CREATE ROLE reader LOGIN; CREATE ROLE writer LOGIN; GRANT INSERT ON o TO writer; CREATE SCHEMA of_writer AUTHORIZATION writer;
	CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.o2 (id integer); CREATE TABLE guarded (id integer); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT ALL ON guarded TO writer});
my $good = file('good.json', qq({"id":100}\n));
refused('no table', qr/no table nowhere in database postgres.*hint/s, 'nowhere', $good);
refused('a table of another schema', qr/there is elsewhere\.o2/, 'o2', $good);
refused('no rights', qr/reader may not insert into public\.o\n.*GRANT INSERT ON public\.o TO reader/s, '-U', 'reader', 'o', $good);
refused('no place for the ledger', qr/permission denied.*--state-schema/s, '-U', 'writer', 'o', $good);
refused('row security', qr/row security is active.*BYPASSRLS/s, '-U', 'writer', '--state-schema', 'of_writer', 'guarded', $good);
loads_ok('the right to insert is enough', '-U', 'writer', '--state-schema', 'of_writer', 'o', $good);
refused('upsert without the right', qr/right to read public\.o.*GRANT SELECT/s, '-U', 'writer', '--state-schema', 'of_writer', '--on-conflict', 'nothing', 'o', $good);
refused('an unknown field', qr/field "nam", for which public\.o has no column.*--map/s, 'o', file('unknown.json', qq({"id":1,"nam":"x"}\n)));
refused('a column that must be there', qr/column id of public\.o must have a value/, 'o', file('without.csv', "name\nx\n"));
refused('a generated column', qr/field "n"/, 'o', file('generated.csv', "\"id\",\"n\"\n1,2\n") , '--format', 'csvwithnames');
refused('no format', qr/--format/, 'o', file('what', "1\t2\n"));
refused('standard input without a name', qr/--name/, 'o', '-');
refused('no file', qr/cannot open .*No such file/, 'o', "$dir/missing.json");
refused('no server', qr/cannot connect/, '-p', '1', 'o', $good);
refused('no unique index', qr/no unique index/, '--on-conflict', 'update', 'o', $good);
is((load('--help'))[0], 0, '--help');
is(sql('SELECT count(*) FROM o WHERE id >= 100'), '1', 'nothing came of all that');

# ---- Rejects

sql(q{CREATE TABLE parent (id integer PRIMARY KEY); INSERT INTO parent SELECT generate_series(0, 9);
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'trigger' THEN RAISE 'not this one'; END IF; RETURN NEW; END $$});
my (@lines, @bad);
my %cause = (100 => '{"id":100,"p":1,"v":"cut', 777 => '{"id":"many","p":1,"v":"x"}', 778 => '{"id":778,"p":1,"v":"check"}', 1200 => '{"id":1200,"p":77,"v":"foreign"}',
	1501 => '{"id":1501,"p":1,"v":"trigger"}', 2000 => '{"id":1999,"p":1,"v":"twice"}', 2499 => '{"id":2499,"p":1,"v":"a\u0000b"}');
foreach my $i (0 .. 2499)
{
	push @lines, $cause{$i} // qq({"id":$i,"p":) . $i % 10 . qq(,"v":"v$i"});
}
my $mixed = file('mixed.json', join("\n", @lines) . "\n");
foreach my $method (qw(hanzo_columnar heap))
{
	sql(qq{CREATE TABLE r_$method (id integer PRIMARY KEY, p integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED, v text CHECK (v <> 'check')) USING $method;
		CREATE TRIGGER refuse BEFORE INSERT ON r_$method FOR EACH ROW EXECUTE FUNCTION refuse()});
	refused("$method: a bad line, and no --reject", qr/line 101: .*--reject/s, '-j', 1, '--batch', 1000, "r_$method", $mixed);
	is(sql("SELECT count(*) FROM r_$method"), '0', "$method: its batch is not there");
	refused("$method: --max-rejects", qr/more lines were rejected than --max-rejects/, '-j', 1, '--batch', 1000, '--reject', "$dir/rejects", '--max-rejects', 5, "r_$method", $mixed);
	my ($rc, $said) = load('-j', 3, '--batch', 400, '--reject', "$dir/rejects", "r_$method", $mixed);
	is($rc, 2, "$method: loaded with rejects") or diag($said);
	is(sql("SELECT count(*), count(DISTINCT id), sum(id) FROM r_$method"),
		join('|', 2493, 2493, 2499 * 1250 - 100 - 777 - 778 - 1200 - 1501 - 2000 - 2499), "$method: all others are there");
	is(join("\n", map { join(' ', (split /\t/)[ 1, 2 ]) } grep { !/^#/ } split /\n/, slurp_file("$dir/rejects")),
		"101 \n778 22P02\n779 23514\n1201 23503\n1502 P0001\n2001 23505\n2500 ", "$method: each with its line and SQLSTATE");
	like(slurp_file("$dir/rejects"), qr/^#hanzo-datastore-load rejects 1\tjsoneachrow\n\Q$mixed\E\t101\t\ta string has no end\t\{"id":100,"p":1,"v":"cut\n/, "$method: the format");
	($rc, $said) = load('--reject', "$dir/rejects", "r_$method", $mixed);
	is($rc, 2, "$method: again: nothing to do");
	is(scalar(() = slurp_file("$dir/rejects") =~ /\n/g), 8, "$method: and each reject once");
	my $mended = slurp_file("$dir/rejects") =~ s/cut\n/cut"}\n/r =~ s/"id":"many"/"id":777/r =~ s/"v":"check"/"v":"checked"/r =~ s/"p":77/"p":7/r =~ s/"v":"trigger"/"v":"triggered"/r =~ s/"id":1999/"id":2000/r =~
		s/\\\\u0000//r;
	loads_ok("$method: the mended reject file", "r_$method", file("mended_$method", $mended));
	is(sql("SELECT count(*), sum(id), string_agg(v, ' ' ORDER BY id) FILTER (WHERE v !~ '^v') FROM r_$method"),
		'2500|' . 2499 * 1250 . '|cut x checked foreign triggered twice ab', "$method: now all is there");
}

# Records of CSV that hold line feeds; an open quote at the end; the same from a file of TSV.
sql('CREATE TABLE quoted (a integer, b text)');
my $quoted = file('quoted.csv', qq("a","b"\n1,"x\ny"\nz,"tab\there\nand\\n"\n2,"two"\n3,"never closed\n4,));
is((load('--reject', "$dir/quoted.rejects", 'quoted', $quoted))[0], 2, 'CSV with line feeds in fields');
is(sql(q{SELECT string_agg(a || b, ',' ORDER BY a) FROM quoted}), "1x\ny,2two", 'good records');
like(slurp_file("$dir/quoted.rejects"), qr/^#.*\tcsv\ta\tb\n\S+\t4\t22P02\t[^\t\n]*\tz,"tab\\there\\nand\\\\n"\n\S+\t7\t\ta quoted field has no end\t3,"never closed\\n4,\n\z/,
	'bad ones, each on a line');
my $requoted = slurp_file("$dir/quoted.rejects") =~ s/\tz,/\t9,/r =~ s/closed\\n4,/closed"/r;
loads_ok('mended', 'quoted', file('requoted', $requoted));
is(sql(q{SELECT string_agg(a || b, ',' ORDER BY a) FROM quoted WHERE a IN (3, 9)}), "3never closed,9tab\there\nand\\n", 'and loaded');

# ---- Killed anywhere

# A COPY does not begin before fewer batches are committed than the gate says: so there is a middle, on any machine.
sql(q{CREATE TABLE gate (batches integer); INSERT INTO gate VALUES (0);
	CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		WHILE (SELECT count(*) FROM hanzo_load.ranges) >= (SELECT batches FROM gate) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN NULL; END $$});
my @many = map { $_ % 997 == 5 ? qq({"id":"bad $_"}) : qq({"id":$_,"v":") . 'x' x ($_ % 200) . qq("}) } 1 .. 30000;
my $many = encode_utf8(join("\n", @many) . "\n");
my %large = (plain => file('large.json', $many), gz => file('large.json.gz', gzip_members($many, 1000000)));

# Starts the command, lets it commit so many batches, all in all, and returns it at work.
sub load_until
{
	my ($batches, $command, $said) = @_;
	sql("UPDATE gate SET batches = $batches");
	my $load = start($command, '<', \'', '>', \my $o, '2>', $said);
	$node->poll_query_until('postgres', "SELECT count(*) >= $batches FROM hanzo_load.ranges") or die 'the loader does not get on';
	return $load;
}

sub kill_load
{
	my ($load) = @_;
	$load->signal('KILL');
	# of a killed command, it dies
	eval { finish($load) };
	return;
}

foreach my $case ([ 'hanzo_columnar', 'plain' ], [ 'heap', 'gz' ])
{
	my ($method, $kind) = @$case;
	my $table = "killed_$kind";
	my @command = ($program, '-j', 3, '--batch', 250, '--reject', "$dir/$table.rejects", $table, $large{$kind});
	my $e = '';
	sql("CREATE TABLE $table (id integer, v text) USING $method; CREATE TRIGGER gate BEFORE INSERT ON $table FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate()");
	foreach my $batches (1, 20, 40)
	{
		# once when all its sessions wait, once whenever it comes
		kill_load(load_until($batches, \@command, \$e));
		sql('UPDATE gate SET batches = ' . ($batches + 12));
		my $load = start(\@command, '<', \'', '>', \my $o, '2>', \$e);
		sleep(0.05 + rand(0.4));
		kill_load($load);
	}
	my $part = sql("SELECT count(*) FROM $table");
	cmp_ok($part, '>=', 40 * 249, "$kind: killed six times with $part rows loaded");
	# The server goes away under it.
	my $load = load_until(60, \@command, \$e);
	$node->stop('immediate');
	eval { finish($load) };
	$node->start;
	like($e, qr/the connection.*gone.*run the same command again/s, "$kind: the server went away: said so");
	# Ended by a signal that it answers.
	$e = '';
	$load = load_until(75, \@command, \$e);
	$load->signal('INT');
	eval { finish($load) };
	like($e, qr/interrupted.*run the same command again/s, "$kind: interrupted: said so");
	# a session that waits at the gate still holds its lock
	sql('UPDATE gate SET batches = 1000000');
	sql("DROP TRIGGER gate ON $table");
	my ($rc, $said) = load(@command[ 1 .. $#command ]);
	is($rc, 2, "$kind: then it ends") or diag($said);
	is( sql("SELECT count(*), count(DISTINCT id), sum(id), sum(length(v)) FROM $table"),
		sql("SELECT count(*), count(*), sum(i), sum(i % 200) FROM generate_series(1, 30000) AS i WHERE i % 997 <> 5"),
		"$kind: every row once");
	my @rejects = grep { !/^#/ } split /\n/, slurp_file("$dir/$table.rejects");
	is(join(' ', map { (split /\t/)[1] } @rejects), join(' ', grep { $_ % 997 == 5 } 1 .. 30000), "$kind: every reject once, with its line");
	is(sql("SELECT count(*) FROM hanzo_load.ranges JOIN hanzo_load.files ON id = file WHERE target = 'public.$table'"), '0', "$kind: the ledger is tidy");
}

# A stream under a name is compared with what was loaded of it.
sql('CREATE TABLE streamed (id integer, v text)');
my $stream = join("\n", map { qq({"id":$_,"v":"$_"}) } 1 .. 5000) . "\n";
my $late = file('late', $stream =~ s/"id":4000,/"id":"bad",/r);
$stream = file('stream', $stream);
run([ $program, '-j', 1, '--batch', 1000, '--name', 'stream', 'streamed', '-' ], '<', $late, '>', \$out, '2>', \$err);
is($? >> 8, 1, 'a stream that stops at a bad line');
is(sql('SELECT count(*) FROM streamed'), '3000', 'after three batches');
my $other = file('other', join("\n", map { qq({"id":$_,"v":"$_"}) } reverse 1 .. 5000) . "\n");
run([ $program, '--name', 'stream', 'streamed', '-' ], '<', $other, '>', \$out, '2>', \$err);
is($? >> 8, 1, 'the rows in another order are refused');
like($err, qr/not what an earlier run loaded a part of.*ORDER BY/s, 'and why');
run([ $program, '--name', 'stream', 'streamed', '-' ], '<', $stream, '>', \$out, '2>', \$err);
is($? >> 8, 0, 'the same rows, mended behind what was loaded, go on') or diag($err);
is(sql('SELECT count(*), count(DISTINCT id) FROM streamed'), '5000|5000', 'to the end');

# Files that change, that are the same under another name, that end too early.
sql('CREATE TABLE changed (id integer)');
my $changing = file('changing.json', qq({"id":1}\n{"id":2}\n));
loads_ok('a file', 'changed', $changing);
refused('its copy', qr/has the content of .*changing\.json.*--name/s, 'changed', file('copy.json', qq({"id":1}\n{"id":2}\n)));
file('changing.json', qq({"id":1}\n{"id":2}\n{"id":3}\n));
refused('it became longer', qr/has become longer since.*--forget/s, 'changed', $changing);
file('changing.json', qq({"id":4}\n));
loads_ok('another file in its place', 'changed', $changing);
loads_ok('a copy with a name of its own', '--name', 'copy', 'changed', "$dir/copy.json");
loads_ok('and once more', '--forget', '--name', 'copy', 'changed', "$dir/copy.json");
is(sql('SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM changed'), '1 1 1 2 2 2 4', 'what was asked for');
my $whole = gzip_members(join("\n", map { qq({"id":$_}) } 1 .. 200000) . "\n", 10000000);
sql('CREATE TABLE cut (id integer)');
my $cut = file('cut.json.gz', substr($whole, 0, int(length($whole) * 0.9)));
refused('a compressed file that is cut off', qr/cut off.*--continue/s, '-j', 1, '--batch', 10000, 'cut', $cut);
file('cut.json.gz', $whole);
refused('its whole', qr/has changed since a part of it was loaded.*--continue/s, 'cut', $cut) if sql('SELECT count(*) FROM hanzo_load.ranges') ne '0';
loads_ok('its whole with --continue', '--continue', '--batch', 20000, 'cut', $cut);
is(sql('SELECT count(*), count(DISTINCT id), max(id) FROM cut'), '200000|200000|200000', 'every row once');

# ---- Two at the same time; one that was killed, whose session is still there

sql('CREATE TABLE busy (id integer)');
my $busy = file('busy.json', join("\n", map { qq({"id":$_}) } 1 .. 1000) . "\n");
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE');
my ($first_said, $second_said) = ('', '');
my $first = start([ $program, '-j', 1, 'busy', $busy ], '<', \'', '>', \$out, '2>', \$first_said);
my $waits = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'hanzo-datastore-load' AND wait_event_type = 'Lock' AND query LIKE '%COPY%'};
ok($node->poll_query_until('postgres', $waits), 'a loader at work');
refused('a second one', qr/another loader is loading .*busy\.json/, 'busy', $busy);
$first->signal('KILL');
eval { finish($first) };
is(sql('SELECT count(*) FROM pg_stat_activity WHERE application_name = $$hanzo-datastore-load$$ AND query LIKE $$%COPY%$$'), '1', 'the killed one leaves a session behind');
my $second = start([ $program, '-j', 1, 'busy', $busy ], '<', \'', '>', \$out, '2>', \$second_said);
foreach my $try (1 .. 6000)
{
	$second->pump_nb;
	last if $second_said =~ /waiting for sessions of an earlier run to end/;
	sleep(0.01);
}
like($second_said, qr/waiting for sessions of an earlier run to end/, 'the next waits for it');
$holder->query_safe('COMMIT');
$holder->quit;
ok(finish($second), 'and then loads') or diag($second_said);
is(sql('SELECT count(*), count(DISTINCT id) FROM busy'), '1000|1000', 'every row once');

# ---- Duplicates

my $traces = q{(project_id integer, id text, "timestamp" timestamptz(3), name text, tags text[], event_ts timestamptz(3), is_deleted boolean, PRIMARY KEY (project_id, id, "timestamp"))};
sql(qq{CREATE TABLE traces $traces PARTITION BY RANGE ("timestamp");
	CREATE TABLE traces_1 PARTITION OF traces FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00') USING hanzo_columnar;
	CREATE TABLE traces_2 PARTITION OF traces FOR VALUES FROM ('2026-02-01+00') TO ('2026-03-01+00') USING hanzo_columnar;
	CREATE TABLE traces_h $traces USING heap});
my (%newest, @versions);
my $seed = 7;
foreach my $i (1 .. 6000)
{
	$seed = ($seed * 1103515245 + 12345) % 2147483648;
	my $key = int($seed / 65536) % 1500;
	# no two versions of a key are of the same time
	my $version = ($i * 7919) % 6007;
	my $at = sprintf('2026-03-01 %02d:%02d:%02d.%03d', $version / 3600, $version / 60 % 60, $version % 60, $i % 1000);
	my $row = sprintf('{"project_id":%d,"id":"t%d","timestamp":"2026-%02d-%02d 00:00:00.000","name":"name %d","tags":["a%d","b"],"event_ts":"%s","is_deleted":%s}',
		$key % 3, $key, 1 + $key % 2, 1 + $key % 28, $i, $i, $at, $i % 10 ? 'false' : 'true');
	$newest{$key} = [ $at, $row ] if !$newest{$key} || $newest{$key}[0] lt $at;
	push @versions, $row;
}
sql(qq{CREATE TABLE traces_want $traces USING heap});
loads_ok('the newest versions, chosen here', 'traces_want', file('newest.json', join("\n", map { $_->[1] } values %newest) . "\n"));
my $versions = file('versions.json', join("\n", @versions) . "\n");
foreach my $table (qw(traces traces_h))
{
	my $said = loads_ok("$table: upsert with three connections", '-j', 3, '--batch', 300, '--on-conflict', 'update', $table, $versions);
	like($said, qr/rows were older than others with their key, or there already/, "$table: says how many were superseded");
	is(differences($node, $table, 'traces_want'), '0', "$table: the newest version of each key");
	sql("UPDATE $table SET name = 'edited', event_ts = '2027-01-01' WHERE id = 't1'");
	loads_ok("$table: again", '--forget', '--on-conflict', 'update', $table, $versions);
	is(sql("SELECT name FROM $table WHERE id = 't1'"), 'edited', "$table: what is newer stays");
	loads_ok("$table: nothing on conflict", '--forget', '--on-conflict', 'nothing', $table, $versions);
	is(sql("SELECT count(*) FROM $table"), scalar(keys %newest), "$table: nothing is added");
	sql("TRUNCATE $table");
	loads_ok("$table: without a version the last line wins", '--forget', '--on-conflict', 'update', '--version-column', 'none', '--key', 'id,timestamp,project_id', '--batch', 300, $table, $versions);
	is( sql("SELECT count(*), sum(substr(name, 6)::integer) FROM $table"),
		sql(q{SELECT count(*), sum(n) FROM (SELECT max(i) AS n FROM (SELECT row_number() OVER () AS i, l::jsonb->>'id' AS id FROM regexp_split_to_table(pg_read_file('} . $versions .
			q{'), E'\n') AS l WHERE l <> '') AS t GROUP BY id) AS t}),
		"$table: it does");
	refused("$table: without a version, several connections", qr/needs -j 1/, '--forget', '-j', 2, '--on-conflict', 'update', '--version-column', 'none', $table, $versions);
	is((load('--on-conflict', 'update', '--reject', "$dir/upsert.rejects", $table, file("upsert_$table.json", "$newest{1}[1]\n" . ($newest{2}[1] =~ s/"t2"/null/r) . "\n")))[0],
		2, "$table: a row without its key is rejected");
	like(slurp_file("$dir/upsert.rejects"), qr/\t2\t23502\tnull value in column "id"/, "$table: alone");
}
is(sql(q{SELECT count(*) FROM hanzo_datastore.verify('traces_1')}), '0', 'nothing is damaged');

$node->stop;
done_testing();
