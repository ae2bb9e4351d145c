# The greatest of everything: subtransactions, partitions, columns, values, rows of a group in bytes. It works, answers
# as a heap does, and a backend's memory stays within bounds (its peak, VmHWM, with 32 MB of shared buffers in it).
use strict;
use warnings;
use lib 't';
use HanzoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('limits');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nfsync = off\nshared_buffers = 32MB\nmax_wal_size = 4GB\nmaintenance_work_mem = 64MB\nmax_locks_per_transaction = 256\njit = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hanzo_datastore');

# Runs the statements in a session of their own; its peak of memory in MB is at most the bound.
sub within
{
	my ($bound, $what, $statements) = @_;
	my $said = $node->safe_psql('postgres', "$statements;\nSELECT pg_read_file('/proc/self/status')");
	my ($peak) = $said =~ /^VmHWM:\s+(\d+) kB$/m or die "no VmHWM: $said";
	$peak = int($peak / 1024);
	cmp_ok($peak, '<', $bound, "$what: $peak MB");
	return $said =~ s/^Name:.*//msr;
}

sub sound
{
	my ($what, $table) = @_;
	is($node->safe_psql('postgres', "SELECT * FROM hanzo_datastore.verify('$table')"), '', "$what: nothing is damaged");
	return;
}

# 10,000 subtransactions in one transaction, of which a third is rolled back, on rows in both stores. A look for one row must not
# read the marks of all others in its group.
$node->safe_psql('postgres', q{
	CREATE TABLE sub (id integer PRIMARY KEY, n integer) USING hanzo_columnar;
	CREATE TABLE sub_h (id integer PRIMARY KEY, n integer);
	INSERT INTO sub SELECT i, 0 FROM generate_series(1, 20000) AS i;
	CALL hanzo_datastore.compact('sub');
	INSERT INTO sub SELECT i, 0 FROM generate_series(20001, 30000) AS i;
	INSERT INTO sub_h TABLE sub;});
my $subtransactions = q{DO $$
	BEGIN
		FOR i IN 1 .. 10000 LOOP
			BEGIN
				DELETE FROM %s WHERE id = i; UPDATE %s SET n = i WHERE id = i + 10000; UPDATE %s SET n = i WHERE id = i + 20000; INSERT INTO %s VALUES (i + 30000, i);
				IF i % 3 = 0 THEN RAISE division_by_zero; END IF;
			EXCEPTION WHEN division_by_zero THEN NULL;
			END;
		END LOOP;
	END $$};
within(100, '10,000 subtransactions', $subtransactions =~ s/%s/sub/gr);
$node->safe_psql('postgres', $subtransactions =~ s/%s/sub_h/gr);
is(differences($node, 'sub', 'sub_h'), '0', 'as a heap');
$node->safe_psql('postgres', q{CALL hanzo_datastore.compact('sub'); VACUUM sub});
is(differences($node, 'sub', 'sub_h'), '0', 'and compacted');
sound('subtransactions', 'sub');

# 1,000 partitions.
$node->safe_psql('postgres', q{
	CREATE TABLE parts (id integer, k integer, v text) PARTITION BY LIST (k);
	DO $$ BEGIN FOR i IN 0 .. 999 LOOP EXECUTE format('CREATE TABLE part%s PARTITION OF parts FOR VALUES IN (%s) USING hanzo_columnar', i, i); END LOOP; END $$;
	CREATE TABLE parts_h (id integer, k integer, v text);});
my $rows = '';
$rows .= "$_\t" . ($_ % 1000) . "\tvalue $_\n" foreach (1 .. 100000);
my $file = $node->basedir . '/rows';
append_to_file($file, $rows);
within(200, 'COPY into 1,000 partitions in turn', "COPY parts FROM '$file'");
within(150, 'INSERT into 1,000 partitions in turn', q{INSERT INTO parts SELECT i, i % 1000, 'inserted ' || i FROM generate_series(1, 20000) AS i});
$node->safe_psql('postgres', qq{COPY parts_h FROM '$file'; INSERT INTO parts_h SELECT i, i % 1000, 'inserted ' || i FROM generate_series(1, 20000) AS i});
within(200, 'compaction of 1,000 partitions', q{CALL hanzo_datastore.compact('parts')});
is(differences($node, 'parts', 'parts_h'), '0', 'as a heap');
within(150, 'a load into a few of many', qq{COPY parts FROM PROGRAM 'for i in \$(seq 200000); do echo "\$i \$((i % 3)) x"; done' (DELIMITER ' ')});
$node->safe_psql('postgres', q{INSERT INTO parts_h SELECT i, i % 3, 'x' FROM generate_series(1, 200000) AS i});
is(differences($node, 'parts', 'parts_h'), '0', 'as a heap');
is($node->safe_psql('postgres', 'SELECT count(*) FROM parts WHERE k = 77'), '120', 'one of them');

# 1,600 columns, of which some are NULL throughout, some are dropped.
my $columns = join(', ', map { "c$_ " . ('integer', 'text', 'bigint', 'boolean')[$_ % 4] } 1 .. 1600);
my $values = join(', ', map { $_ % 5 == 0 ? 'NULL' : ("i + $_", "(i % $_)::text", "i * $_", "i % 2 = 0")[$_ % 4] } 1 .. 1600);
$node->safe_psql('postgres', "CREATE TABLE many ($columns) USING hanzo_columnar; CREATE TABLE many_h ($columns);
	INSERT INTO many_h SELECT $values FROM generate_series(1, 300) AS i; ALTER TABLE many DROP COLUMN c3, DROP COLUMN c1600; ALTER TABLE many_h DROP COLUMN c3, DROP COLUMN c1600");
within(300, '1,600 columns', q{INSERT INTO many TABLE many_h; CALL hanzo_datastore.compact('many'); CREATE TABLE many_new USING hanzo_columnar AS TABLE many});
is($node->safe_psql('postgres', "SELECT (SELECT sum(hashtext(m::text)::bigint) FROM $_ AS m), (SELECT count(*) FROM $_)"), $node->safe_psql('postgres', 'SELECT sum(hashtext(m::text)::bigint), count(*) FROM many_h AS m'), "$_: as a heap")
	foreach ('many', 'many_new');
sound('1,600 columns', 'many');

# 255 MB in one value, by all ways into columns and out of them; 600 values of 2 MB, so that a group has to end before
# its last row by number. Of values that compress well, or the time goes into compressing them.
$node->safe_psql('postgres', q{CREATE TABLE big (id integer, v text) USING hanzo_columnar; CREATE TABLE big2 (id integer, v text) USING hanzo_columnar});
my $great = q{repeat(repeat('great ', 1000), 44564)};
within(1200, 'a value of 255 MB through the delta', qq{INSERT INTO big SELECT 1, $great; CALL hanzo_datastore.compact('big')});
within(1200, 'and by a load', qq{CREATE TABLE big3 USING hanzo_columnar AS SELECT 1 AS id, $great AS v});
is($node->safe_psql('postgres', "SELECT octet_length(v), v = $great, ctid::text LIKE '(2147483648,%' FROM $_"), '267384000|t|t', "$_: the same value") foreach ('big', 'big3');
sound('255 MB', 'big');
my $same = q{SELECT count(DISTINCT id), count(*) FILTER (WHERE octet_length(v) = 2097152), count(*) FILTER (WHERE id % 20 = 0 AND v = repeat(md5(id::text), 65536)) FROM};
within(200, '60 values of 2 MB through the delta', q{
	INSERT INTO big2 SELECT i, repeat(md5(i::text), 65536) FROM generate_series(1, 60) AS i;
	CALL hanzo_datastore.compact('big2')});
is($node->safe_psql('postgres', "$same big2"), '60|60|3', 'the same values');
within(400, '600 by a load', q{CREATE TABLE big4 USING hanzo_columnar AS SELECT i AS id, repeat(md5(i::text), 65536) AS v FROM generate_series(1, 600) AS i});
within(400, 'and sorted', q{SELECT hanzo_datastore.alter_columnar_table('big4', order_by => 'id DESC'); CALL hanzo_datastore.optimize('big4')});
is($node->safe_psql('postgres', "$same big4"), '600|600|30', 'the same values');
sound('600 times 2 MB', 'big4');

# Numbers of 1,000 digits.
$node->safe_psql('postgres', q{
	CREATE TABLE digits (id integer, n numeric) USING hanzo_columnar;
	CREATE TABLE digits_h (id integer, n numeric);
	INSERT INTO digits_h SELECT i, (CASE WHEN i % 2 = 0 THEN '-' ELSE '' END || repeat('9', 1 + i) || '.' || repeat((i % 10)::text, 999 - i))::numeric FROM generate_series(1, 500) AS i;
	INSERT INTO digits TABLE digits_h;
	CALL hanzo_datastore.compact('digits');});
is(differences($node, 'digits', 'digits_h'), '0', 'numbers of 1,000 digits');
sound('numbers', 'digits');
$node->stop;
done_testing();
