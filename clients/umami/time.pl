# Times each of Umami's reads on two databases in turn and compares the answers.
#
#   perl clients/umami/time.pl SOCKET_DIRECTORY PORT HEAP COLUMNAR [RUNS [PATTERN]]
#
# Prints lines of "name <tab> ms on the first <tab> ms on the second": the least of RUNS (5) each, after one that warms up. Website 0, the month of October 2026.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Compare;
use Reads;
use Time::HiRes qw(time);
use Wire;

$| = 1;

my ($host, $port, $heap, $columnar, $runs, $pattern) = @ARGV;
my @db = map { Wire->new(host => $host, port => $port, user => $ENV{PGUSER} // 'postgres', database => $_) } $heap, $columnar;
my %values = (from => $ENV{UMAMI_FROM} // '2026-10-01T00:00:00.000Z', to => '2026-10-31T23:59:59.999Z');
$values{website} = $db[0]->query('SELECT website_id FROM website WHERE name = $1', 'Site 0')->[0][0];
@values{qw(session event)} = @{ $db[0]->query('SELECT e.session_id, e.event_id FROM event_data AS d JOIN website_event AS e ON e.event_id = d.website_event_id
	WHERE d.website_id = $1 ORDER BY d.created_at DESC, d.event_data_id LIMIT 1', $values{website})->[0] };
my $compared = 0;
foreach my $read (Reads::all(%values))
{
	next if defined $pattern && $read->{name} !~ /$pattern/;
	my $differs = Compare::read_differs(@db, $read, \$compared);
	die $differs if $differs;
	my @least;
	foreach my $run (0 .. $runs // 5)
	{
		foreach my $i (0, 1)
		{
			my $start = time();
			$db[$i]->query($read->{sql} . ($read->{limit} ? " $read->{limit}" : ''), @{ $read->{parameters} });
			my $ms = (time() - $start) * 1000;
			$least[$i] = $ms if $run > 0 && (!defined $least[$i] || $ms < $least[$i]);
		}
	}
	printf("%s\t%.2f\t%.2f\n", $read->{name}, @least);
}
