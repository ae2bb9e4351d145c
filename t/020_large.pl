# Tables beyond the first gigabyte, where storage goes on in a second file. The column store is made that long by
# a hole in the file, which costs neither time nor disk; its pages are empty.
use strict;
use warnings;
use lib 't';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('large');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION hanzo_datastore;
	CREATE TABLE large (id integer, category text) USING hanzo_columnar;
	SELECT hanzo_datastore.alter_columnar_table('large', row_group_rows => 2048);
	INSERT INTO large SELECT i, 'category ' || i % 7 FROM generate_series(1, 20000) AS i;
	CALL hanzo_datastore.compact('large');
	INSERT INTO large SELECT i, 'late ' || i % 3 FROM generate_series(20001, 20100) AS i;
	VACUUM ANALYZE large;});

my ($blocks, $path) = split /\|/, $node->safe_psql('postgres', q{
	SELECT s.setting, pg_relation_filepath(c.reltoastrelid)
	FROM pg_class AS c, pg_settings AS s
	WHERE c.oid = 'large'::regclass AND s.name = 'segment_size'});
$node->stop;
my $file = $node->data_dir . '/' . $path;
my $size = $blocks * 8192;
truncate($file, $size) or die "cannot make $file $size bytes long: $!";
open(my $second, '>', "$file.1") or die "cannot create $file.1: $!";
truncate($second, 1000 * 8192) or die $!;
close($second);
$node->start;

is($node->safe_psql('postgres', 'SELECT count(*), sum(id) FROM large'), '20100|202015050', 'all rows are there');
foreach my $io (10, 0)
{
	my ($ret, $out, $err) = $node->psql('postgres', "SET maintenance_io_concurrency = $io; ANALYZE large");
	is($err, '', "ANALYZE, maintenance_io_concurrency = $io");
	my ($rows, $categories) = split /\|/, $node->safe_psql('postgres', q{
		SELECT c.reltuples, s.n_distinct
		FROM pg_class AS c JOIN pg_stats AS s ON s.tablename = c.relname AND s.attname = 'category'
		WHERE c.relname = 'large'});
	cmp_ok($rows, '>', 15000, 'rows counted, at least');
	cmp_ok($rows, '<', 25000, 'rows counted, at most');
	cmp_ok($categories, '>=', 7, 'its sample has rows of the column store');
}

# What the planner takes the size to be: before ANALYZE has counted, after it, and when rows came since then.
sub estimate
{
	my ($plan) = $node->safe_psql('postgres', 'SET hanzo_datastore.enable_columnar_scan = off; EXPLAIN SELECT * FROM large') =~ /rows=(\d+)/;
	return $plan;
}
my $counted = estimate();
cmp_ok($counted, '>', 19000, 'estimated rows, at least');
cmp_ok($counted, '<', 22000, 'estimated rows, at most');
$node->safe_psql('postgres', q{
	COPY large FROM PROGRAM 'seq -f "%.0f	more" 20101 60100'});
cmp_ok(estimate(), '>', 55000, 'estimated rows follow a load');
$node->safe_psql('postgres', 'CALL hanzo_datastore.compact($$large$$)');
# until VACUUM, the delta's pages seem as full as they were
cmp_ok(estimate(), '<', 60100 + 12000, 'and a compaction');
is($node->safe_psql('postgres', 'SELECT count(*), sum(id) FROM large'), '60100|1806035050', 'rows of both files');

# VACUUM gives the empty pages back, and the statistics are those of a small table again.
$node->safe_psql('postgres', 'VACUUM ANALYZE large');
my ($pages) = $node->safe_psql('postgres', q{SELECT relpages FROM pg_class WHERE relname = 'large'});
cmp_ok($pages, '<', 2000, 'pages after VACUUM') or diag($pages);
cmp_ok(abs(estimate() - 60100), '<', 3000, 'estimate after VACUUM');
is($node->safe_psql('postgres', 'SELECT count(*) FROM hanzo_datastore.verify($$large$$)'), '0', 'nothing is damaged');
$node->stop;
done_testing();
