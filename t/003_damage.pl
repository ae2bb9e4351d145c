# Bytes of the column store flipped on disk. In what is ours (the payloads of its tuples): the right answer or
# ERRCODE_DATA_CORRUPTED, never a wrong answer, and verify() reports what reading finds. In what is the heap's (page and
# tuple headers, where a heap has no defence either): no crash. HANZO_DAMAGE_TABLES, HANZO_DAMAGE_SEED: how many, and which.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tables = $ENV{HANZO_DAMAGE_TABLES} // 120;
my $seed = $ENV{HANZO_DAMAGE_SEED} // 20261126;
srand($seed);
note("seed $seed");

my $node = PostgreSQL::Test::Cluster->new('damage');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nmax_wal_size = 2GB\nfsync = off\nrestart_after_crash = off\n");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION hanzo_datastore;
CREATE TABLE source (id integer, few text, v text, f double precision, n numeric(12,3), u uuid, ts timestamptz, flag boolean, j jsonb, a integer[], big text);
INSERT INTO source SELECT i, 'kind ' || i % 20, CASE WHEN i % 7 > 0 THEN md5(i::text) END, i / 8.0, i / 10.0, md5(i::text)::uuid,
	timestamptz '2026-01-01 00:00+00' + i * interval '7 seconds', i % 5 = 0, jsonb_build_object('k', i % 13), ARRAY[i, i % 3],
	CASE WHEN i % 50 = 0 THEN repeat(md5(i::text), 100) END
FROM generate_series(1, 3000) AS i;
CREATE FUNCTION damage_read(t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE format('SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM %I AS t', t) INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- Marks and vectors: rows deleted long ago are folded, others not yet.
CREATE PROCEDURE damage_make(t text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE source) USING hanzo_columnar', t);
	PERFORM hanzo_datastore.alter_columnar_table(t::regclass, order_by => 'few, id', row_group_rows => 2048, bloom => '{u}');
	EXECUTE format('INSERT INTO %I SELECT * FROM source', t);
	COMMIT;
	CALL hanzo_datastore.compact(t::regclass);
	EXECUTE format('DELETE FROM %I WHERE id %% 101 = 0', t);
	COMMIT;
	CALL hanzo_datastore.compact(t::regclass);
	EXECUTE format('DELETE FROM %I WHERE id %% 103 = 0', t);
	COMMIT;
END $$;
});
$node->safe_psql('postgres', join("\n", map { "CALL damage_make('t$_');" } 1 .. $tables));
$node->safe_psql('postgres', q{CALL damage_make('k1'); CALL damage_make('k2'); CALL damage_make('k3');});
my $right = $node->safe_psql('postgres', q{SELECT damage_read('t1')});
like($right, qr/^[0-9a-f]{32}$/, 'the sound table can be read');
is($node->safe_psql('postgres', q{SELECT count(*) FROM hanzo_datastore.verify('t1')}), '0', 'and nothing is damaged');
my %file = map { split(/\|/) }
	split(/\n/, $node->safe_psql('postgres',
		q{SELECT c.relname, pg_relation_filepath(c.reltoastrelid) FROM pg_class AS c WHERE c.relname ~ '^[tk][0-9]+$'}));
my $index_file = $node->safe_psql('postgres', q{SELECT pg_relation_filepath(indexrelid) FROM pg_index WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE relname = 'k3')});
$node->stop;

# Flips a bit of a page: in the payload of a tuple, or (every fourth table) anywhere else.
sub flip
{
	my ($path, $in_payload) = @_;
	open(my $handle, '+<:raw', $path) or die "cannot open $path: $!";
	my $size = -s $handle;
	for (;;)
	{
		my $block = int(rand($size / 8192));
		my $page;
		seek($handle, $block * 8192, 0);
		read($handle, $page, 8192) == 8192 or die "cannot read $path";
		my $lower = unpack('v', substr($page, 12, 2));
		next if $lower <= 24;
		my $at;
		if ($in_payload)
		{
			my $item = unpack('V', substr($page, 24 + 4 * int(rand(($lower - 24) / 4)), 4));
			my ($offset, $flags, $length) = ($item & 0x7fff, ($item >> 15) & 3, $item >> 17);
			next if $flags != 1;
			# header, chunk_id, chunk_seq, length word
			my $start = $offset + ord(substr($page, $offset + 22, 1)) + 12;
			next if $offset + $length <= $start;
			$at = $start + int(rand($offset + $length - $start));
		}
		else
		{
			# not the LSN: writing such a page fails in whatever session evicts it
			$at = 8 + int(rand((int(rand(2)) ? $lower : 8192) - 8));
		}
		substr($page, $at, 1) = chr(ord(substr($page, $at, 1)) ^ (1 << int(rand(8))));
		seek($handle, $block * 8192, 0);
		print $handle $page;
		close($handle);
		return "block $block, byte $at";
	}
}

my %where;
foreach my $t (1 .. $tables)
{
	$where{$t} = flip($node->data_dir . '/' . $file{"t$t"}, $t % 4 != 0);
}

# Flips a bit of the key of every directory entry: at 0 of its chunk_id, at 4 of its number.
sub flip_keys
{
	my ($path, $at) = @_;
	my $count = 0;
	open(my $handle, '+<:raw', $path) or die "cannot open $path: $!";
	for (my $block = 0; $block < (-s $handle) / 8192; $block++)
	{
		my $page;
		seek($handle, $block * 8192, 0);
		read($handle, $page, 8192) == 8192 or die "cannot read $path";
		my $lower = unpack('v', substr($page, 12, 2));
		for (my $i = 24; $i < $lower; $i += 4)
		{
			my $item = unpack('V', substr($page, $i, 4));
			my $start = ($item & 0x7fff) + ord(substr($page, ($item & 0x7fff) + 22, 1));
			next if (($item >> 15) & 3) != 1 || unpack('V', substr($page, $start, 4)) != 102;
			substr($page, $start + $at, 1) = chr(ord(substr($page, $start + $at, 1)) ^ 64);
			$count++;
		}
		seek($handle, $block * 8192, 0);
		print $handle $page;
	}
	close($handle);
	return $count;
}
cmp_ok(flip_keys($node->data_dir . '/' . $file{k1}, 0), '>', 0, 'entries of k1 are others\'');
cmp_ok(flip_keys($node->data_dir . '/' . $file{k2}, 4), '>', 0, 'entries of k2 have other numbers');

# The index of k3 gives the first row group a number behind that of the second.
{
	open(my $handle, '+<:raw', $node->data_dir . "/$index_file") or die "cannot open $index_file: $!";
	my ($page, $first) = ('', undef);
	for (my $block = 1; !defined $first && $block < (-s $handle) / 8192; $block++)
	{
		seek($handle, $block * 8192, 0);
		read($handle, $page, 8192) == 8192 or die "cannot read $index_file";
		for (my $i = 24; !defined $first && $i < unpack('v', substr($page, 12, 2)); $i += 4)
		{
			my $at = (unpack('V', substr($page, $i, 4)) & 0x7fff) + 8;
			next if unpack('V', substr($page, $at, 4)) != 102;
			$first = $block;
			substr($page, $at + 4, 4) = pack('V', 0x7fffffff);
			seek($handle, $block * 8192, 0);
			print $handle $page;
		}
	}
	close($handle);
	ok(defined $first, 'the index of k3 is out of order');
}
$node->start;
like($node->safe_psql('postgres', q{SELECT damage_read('k3')}), qr/^XX002 index "pg_toast_[0-9]+_index" of table "k3" is damaged/, 'k3: no rows are lost or doubled');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM hanzo_datastore.verify('$_')"), '>', 0, "verify() reports $_") foreach 'k1' .. 'k3';
foreach my $t ('k1', 'k2')
{
	like($node->safe_psql('postgres', "SELECT damage_read('$t')"), qr/^XX001 directory entry of row group [0-9]+ in table "$t" is not there/,
		"$t: no rows are lost in silence");
}

my ($harmless, $found, $reported) = (0, 0, 0);
foreach my $t (1 .. $tables)
{
	my ($in_payload, $answer, $problems) = ($t % 4 != 0, '', '');
	my ($status, $out, $err) = $node->psql('postgres', "SELECT damage_read('t$t'); SELECT count(*) FROM hanzo_datastore.verify('t$t')");
	if ($status != 0)
	{
		fail("table t$t ($where{$t}): $err");
		next;
	}
	($answer, $problems) = split(/\n/, $out);
	if ($in_payload)
	{
		$harmless++ if $answer eq $right;
		$found++ if $answer ne $right;
		$reported++ if $problems > 0;
		fail("table t$t ($where{$t}): $answer, $problems problems")
			if ($answer ne $right && $answer !~ /^XX00[12] .*(table|relation) /) || ($answer ne $right && $problems == 0);
	}
}
note("harmless $harmless, found by reading $found, reported by verify() $reported");
cmp_ok($found, '>', $tables / 4, 'most damage matters, and is found');
cmp_ok($reported, '>=', $found, 'verify() reports all of it');
is($node->safe_psql('postgres', q{SELECT damage_read('source')}), $node->safe_psql('postgres', q{SELECT damage_read('source')}), 'the server lives');

# A damaged table can be dropped, or emptied and used again.
$node->safe_psql('postgres', 'TRUNCATE t1; INSERT INTO t1 SELECT * FROM source; DROP TABLE t2;');
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('t1')});
is($node->safe_psql('postgres', 'SELECT count(*) FROM t1'), '3000', 'a table is sound again after TRUNCATE');

$node->stop;
done_testing();
