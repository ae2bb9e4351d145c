# Backends killed and servers stopped at random moments of one kind of statement at a time. Each client knows what it was
# told: of a transaction that was committed all is there after recovery, of one that failed nothing, of one that was in
# progress all or nothing, in the columnar table as in its heap twin. HANZO_STAGE_ROUNDS: crashes of each stage,
# HANZO_STAGE: this stage only.
use strict;
use warnings;
use lib 't';
use HanzoTest;
use IPC::Run qw(start pump finish timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{HANZO_STAGE_ROUNDS} // 1;
my $seed = $ENV{HANZO_STAGE_SEED} // time() ^ $$;
srand($seed);
note("seed $seed");
my $node = PostgreSQL::Test::Cluster->new('stages');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
max_prepared_transactions = 20
checkpoint_timeout = 30s
max_wal_size = 64MB
restart_after_crash = on
fsync = off
});
$node->start;
create_twins($node);
# For loads that go into columns at once.
$node->safe_psql('postgres', q{
	CREATE TABLE bulk (id integer, tag integer, v text) USING hanzo_columnar;
	SELECT hanzo_datastore.alter_columnar_table('bulk', row_group_rows => 2048);});

# Of each client one transaction after the other, %t numbers it. Every transaction leaves its number as tag in rows of its
# own: in c and h (column n), or in bulk. What else it does may only move rows.
my %rows_of = (c => 400, bulk => 9500);
my $insert = q{INSERT INTO c SELECT %t * 1000 + i, %t, md5(i::text), CASE WHEN i % 50 = 0 THEN repeat(md5(i::text), 200) END FROM generate_series(1, 400) AS i;
	INSERT INTO h SELECT %t * 1000 + i, %t, md5(i::text), CASE WHEN i % 50 = 0 THEN repeat(md5(i::text), 200) END FROM generate_series(1, 400) AS i;};
my $change = q{UPDATE c SET v = v || '!' WHERE n % 10 = %t % 10; UPDATE h SET v = v || '!' WHERE n % 10 = %t % 10;
	DELETE FROM c WHERE id % 1000 > 350 AND n % 10 = %t % 10; DELETE FROM h WHERE id % 1000 > 350 AND n % 10 = %t % 10;};
my @stages = (
	[ 'insert', 'c', "BEGIN; $insert COMMIT;" ],
	[ 'copy', 'bulk', q{COPY bulk FROM PROGRAM 'for i in $(seq 9500); do echo "$i %t v$i"; done' (DELIMITER ' ');} ],
	[ 'compaction', 'c', "BEGIN; $insert COMMIT; CALL hanzo_datastore.compact('c');" ],
	[ 'change of columnar rows', 'c', "BEGIN; $insert COMMIT; CALL hanzo_datastore.compact('c'); BEGIN; $change COMMIT;" ],
	[ 'optimize', 'c', "BEGIN; $insert COMMIT; CALL hanzo_datastore.optimize('c');" ],
	[ 'garbage and vacuum', 'c', "BEGIN; $insert COMMIT; CALL hanzo_datastore.optimize('c'); CALL hanzo_datastore.compact('c'); VACUUM c;" ],
	[ 'vacuum full', 'c', "BEGIN; $insert COMMIT; CALL hanzo_datastore.compact('c'); VACUUM FULL c;" ],
	[ 'truncate', 'c', "BEGIN; TRUNCATE c; INSERT INTO c TABLE h; $insert COMMIT; CALL hanzo_datastore.compact('c');" ],
	[ 'index', 'c', "BEGIN; $insert COMMIT; REINDEX TABLE c; CALL hanzo_datastore.compact('c'); REINDEX TABLE CONCURRENTLY c;" ],
	[ 'prepared', 'c', "BEGIN; $insert $change PREPARE TRANSACTION 'p%t'; COMMIT PREPARED 'p%t'; CALL hanzo_datastore.compact('c');" ]);
my $transaction = 0;

# A client that works until it is cut off; returns how far it was told to have come and how far it had asked.
sub work
{
	my ($statements, $crash) = @_;
	my ($out, $err) = ('', '');
	my $first = $transaction + 1;
	my $asked = $transaction;
	my $script = "SELECT 'pid ' || pg_backend_pid();\n";
	for my $t ($first .. $first + 199)
	{
		(my $text = $statements) =~ s/%t/$t/g;
		# what comes after the transaction may fail without it: it is told first
		$text =~ s/COMMIT;/COMMIT;\n\\echo committed $t\n/ unless $text =~ /PREPARE/;
		$text =~ s/(PREPARE TRANSACTION '\w+';)/$1\n\\echo prepared $t\n/;
		$text =~ s/(COMMIT PREPARED '\w+';)/$1\n\\echo committed $t\n/;
		$text .= "\n\\echo committed $t\n" if $text =~ /^COPY/;
		$script .= "$text\n\\echo done $t\n";
	}
	# from a file: a pipe that breaks would take with it what psql said last
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/script.sql";
	append_to_file($file, $script);
	my $psql = start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-f', $file, 'postgres' ], '<', \'', '>', \$out, '2>', \$err, timeout(180));
	my $end = time() + 0.2 + rand(1.3);
	while (time() < $end && $psql->pumpable)
	{
		$psql->pump_nb;
		sleep(0.005);
	}
	my ($pid) = $out =~ /^pid (\d+)$/m;
	$crash->($pid);
	eval { $psql->finish };
	unlink($file);
	$transaction = $first + 199;
	my %told = map { $_ => 1 } $out =~ /^committed (\d+)$/mg;
	my %prepared = map { $_ => 1 } $out =~ /^prepared (\d+)$/mg;
	my ($last) = sort { $b <=> $a } (keys %told, keys %prepared, $first - 1);
	return ($first, $last, \%told, \%prepared, $err, $pid);
}

my $cut = 0;
foreach my $stage (@stages)
{
	my ($name, $table, $statements) = @$stage;
	next if $ENV{HANZO_STAGE} && $name ne $ENV{HANZO_STAGE};
	for my $round (1 .. 2 * $rounds)
	{
		my $kill = $round % 2;
		my ($first, $last, $told, $prepared, $err, $backend) = work($statements,
			sub
			{
				my ($pid) = @_;
				if ($kill && $pid)
				{
					kill('KILL', $pid);
				}
				else
				{
					$node->stop('immediate');
				}
			});
		if ($kill && $backend)
		{
			wait_for_server($node, $backend);
		}
		else
		{
			$node->start;
		}
		my $what = "$name, " . ($kill ? 'backend killed' : 'server stopped') . " after " . keys(%$told) . ' transactions';
		unlike($err, qr/^(?:psql:)?.*ERROR:/m, "$what: no error before");
		if ($name eq 'prepared')
		{
			my @open = split(/\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts'));
			is(join(' ', sort grep { $prepared->{$_} && !$told->{$_} && !grep { $_ eq "p$_" } @open } ()), '', "$what: what was prepared");
			foreach my $gid (@open)
			{
				my ($t) = $gid =~ /(\d+)/;
				$node->safe_psql('postgres', "COMMIT PREPARED '$gid'");
				$told->{$t} = 1;
			}
			# prepared and known to be so: either still open, now committed, or committed before
			$told->{$_} = 1 foreach keys %$prepared;
		}
		# what is there of the transactions of this round; a client's transactions come one after the other
		my $column = $table eq 'c' ? 'n' : 'tag';
		my %found = split(/[|\n]/, $node->safe_psql('postgres',
			"SELECT $column, count(*) FROM $table WHERE $column BETWEEN $first AND $first + 199 GROUP BY 1"));
		my @bad;
		foreach my $t ($first .. $first + 199)
		{
			my $rows = $found{$t} // 0;
			# rows beyond 350 may have been deleted by a transaction of the same last digit
			my $whole = $rows == $rows_of{$table} || ($statements =~ /DELETE/ && $rows == 350);
			next if $told->{$t} ? $whole : ($rows == 0 || ($whole && $t == $last + 1));
			push(@bad, "$t: $rows rows, " . ($told->{$t} ? 'committed' : 'not committed'));
		}
		is(join(', ', @bad), '', "$what: what was committed is there, and nothing else");
		$cut++ if !$told->{$last + 1};
		if ($table eq 'c')
		{
			# REINDEX CONCURRENTLY leaves indexes that it could not finish
			my $invalid = $node->safe_psql('postgres', q{SELECT string_agg('DROP INDEX ' || indexrelid::regclass, ';') FROM pg_index WHERE NOT indisvalid AND indrelid = 'c'::regclass});
			$node->safe_psql('postgres', $invalid) if $invalid;
			check_twins($node, $what);
		}
		else
		{
			is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT tag, id FROM bulk GROUP BY 1, 2 HAVING count(*) <> 1 OR min(v) <> \'v\' || id) AS d'), '0', "$what: each row once");
			is($node->safe_psql('postgres', q{SELECT * FROM hanzo_datastore.verify('bulk')}), '', "$what: nothing is damaged");
		}
	}
	$node->safe_psql('postgres', 'REINDEX TABLE c') if $statements =~ /CONCURRENTLY/;
	# The next stage starts with little, in both stores.
	$node->safe_psql('postgres', q{DELETE FROM c WHERE n % 7 > 0; DELETE FROM h WHERE n % 7 > 0; TRUNCATE bulk});
}
# Whatever the crashes have left behind does no harm, and goes.
$node->safe_psql('postgres', $_) foreach (q{CALL hanzo_datastore.compact('c')}, 'VACUUM c', q{CALL hanzo_datastore.optimize('c')}, q{CALL hanzo_datastore.compact('c')}, 'VACUUM c');
check_twins($node, 'at the end');
my ($file, $live) = split(/\|/, $node->safe_psql('postgres', q{SELECT column_store_bytes, compressed_bytes FROM hanzo_datastore.table_stats('c')}));
note("$file bytes of file for $live bytes of row groups");
$node->stop;
done_testing();
