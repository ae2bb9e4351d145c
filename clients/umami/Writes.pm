# What Umami 3.1 writes, statement by statement as its Prisma client sends them, by a visitor whose doings depend on a seed only.
#
#   my $writes = Writes->new(db => $wire, seed => 7, sites => [@website_ids]);
#   my $answers = $writes->step() for 1 .. 1000;       # one page view, event, identification, …; what the server answered, as text
#   Writes::delete_website($wire, $website_id);        # as "Delete website" does
#
# Two databases that get the same steps give the same answers and end with the same rows.
package Writes;

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);

my %columns = (
	session => [qw(session_id website_id browser os device screen language country region city distinct_id created_at)],
	website_event => [qw(event_id website_id session_id visit_id created_at url_path url_query utm_source utm_medium utm_campaign utm_content utm_term referrer_path
		referrer_query referrer_domain page_title gclid fbclid msclkid ttclid li_fat_id twclid event_type event_name tag hostname lcp inp cls fcp ttfb)],
	event_data => [qw(event_data_id website_id website_event_id data_key string_value number_value date_value data_type created_at)],
	session_data => [qw(session_data_id website_id session_id data_key string_value number_value date_value data_type distinct_id created_at)],
	revenue => [qw(revenue_id website_id session_id event_id event_name currency revenue created_at)]);
my %key = map { $_ => $columns{$_}[0] } keys %columns;

sub tables { return qw(website_event session event_data session_data revenue) }
sub key_of { my ($table) = @_; return $key{$table} }

# An id that depends on what it is for.
sub uuid
{
	my ($text) = @_;
	my $hex = md5_hex($text);
	return join('-', unpack('a8 a4 a4 a4 a12', $hex));
}

sub new
{
	my ($class, %self) = @_;
	$self{number} = 0;
	$self{state} = $self{seed} * 7919 + 17;
	# Umami's times have milliseconds; here no two are equal, so that an order by time is one
	$self{clock} = 1793491200000 + $self{seed} * 3600000;
	return bless \%self, $class;
}

# A number from 0 to n - 1: Lehmer's generator, the same on every machine.
sub some
{
	my ($self, $n) = @_;
	$self->{state} = ($self->{state} * 48271) % 2147483647;
	return int($self->{state} / 7) % $n;
}

sub one_of { my ($self, @values) = @_; return $values[$self->some(scalar(@values))] }

sub tick
{
	my ($self) = @_;
	$self->{clock} += 1 + $self->some(5000);
	my ($seconds, $milliseconds) = (int($self->{clock} / 1000), $self->{clock} % 1000);
	my ($s, $m, $h, $day, $month, $year) = gmtime($seconds);
	return sprintf('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', $year + 1900, $month + 1, $day, $h, $m, $s, $milliseconds);
}

sub ask
{
	my ($self, $sql, @parameters) = @_;
	my $rows = $self->{db}->query($sql, @parameters);
	$self->{answers} .= ($self->{db}{changed} // '-') . ': ' . join(' / ', map { join('|', map { $_ // '\N' } @$_) } @$rows) . "\n";
	return $self->{db}{changed};
}

sub quoted { return join(', ', map { "\"$_\"" } @_) }

# Prisma's create(): returns the whole row.
sub create
{
	my ($self, $table, %row) = @_;
	my @names = @{ $columns{$table} };
	my @places = map { '$' . $_ } 1 .. @names;
	return $self->ask("INSERT INTO \"public\".\"$table\" (" . quoted(@names) . ') VALUES (' . join(', ', @places) . ') RETURNING '
			. join(', ', map { "\"public\".\"$table\".\"$_\"" } @names), @row{@names});
}

# Prisma's createMany()
sub create_many
{
	my ($self, $table, @rows) = @_;
	my @names = @{ $columns{$table} };
	my (@places, @values);
	foreach my $row (@rows)
	{
		push @places, '(' . join(', ', map { '$' . (@values + $_) } 1 .. @names) . ')';
		push @values, @{$row}{@names};
	}
	return $self->ask("INSERT INTO \"public\".\"$table\" (" . quoted(@names) . ') VALUES ' . join(', ', @places), @values);
}

# The visitor of a number on a website: its session is the same, whoever comes first.
sub visit
{
	my ($self) = @_;
	my $site = $self->one_of(@{ $self->{sites} });
	my $n = $self->some($self->{visitors} // 200);
	my $visitor = "$site visitor $n";
	my $time = $self->tick();
	my @names = @{ $columns{session} };
	my %session = (
		session_id => uuid("session $visitor"), website_id => $site, browser => (qw(chrome firefox safari))[$n % 3], os => (qw(Linux iOS))[$n % 2], device => (qw(desktop mobile))[$n % 2],
		screen => '1920x1080', language => 'en-US', country => (qw(US DE FR JP))[$n % 4], region => undef, city => "City $n", distinct_id => $n % 5 ? undef : "customer-$n",
		created_at => sprintf('2026-10-31T%02d:%02d:00.000Z', $n % 24, $n % 60));
	$self->ask('INSERT INTO session (' . join(', ', @names) . ') VALUES (' . join(', ', map { '$' . $_ } 1 .. @names) . ') ON CONFLICT (session_id) DO NOTHING',
		@session{@names});
	return (website_id => $site, session_id => $session{session_id}, visit_id => uuid("visit $visitor $self->{seed} " . int($self->{number} / 40)), created_at => $time);
}

sub event
{
	my ($self, %row) = @_;
	return $self->create('website_event', event_type => 1, url_path => '/', url_query => '', hostname => 'www.site.example', referrer_domain => '', %row);
}

sub step
{
	my ($self) = @_;
	my $n = ++$self->{number};
	$self->{answers} = '';
	my %visit = $self->visit();
	my $what = $self->some(100);
	my $id = uuid("event $self->{seed} $n");
	if ($what < 60)
	{
		my $source = $self->one_of(undef, undef, 'google', 'newsletter');
		$self->event(event_id => $id, %visit, url_path => $self->one_of('/', '/pricing', '/docs', '/blog/post-' . $self->some(50)), page_title => 'Title of page ' . $self->some(20),
			referrer_domain => $self->one_of('', 'google.com', 't.co', undef), referrer_path => '/from', utm_source => $source, utm_medium => $source && 'cpc',
			gclid => $source && $source eq 'google' ? "g$n" : undef, tag => $n % 30 ? undef : 'variant-1');
	}
	elsif ($what < 80)
	{
		my $name = $self->one_of('signup', 'purchase', 'download');
		$self->event(event_id => $id, %visit, event_type => 2, event_name => $name);
		my $amount = $self->some(900) + 1;
		my %data = (website_id => $visit{website_id}, website_event_id => $id, created_at => $visit{created_at});
		$self->create_many('event_data',
			{ %data, event_data_id => uuid("plan $self->{seed} $n"), data_key => 'plan', string_value => $self->one_of('pro', 'free'), data_type => 1 },
			{ %data, event_data_id => uuid("amount $self->{seed} $n"), data_key => 'amount', string_value => "$amount.0000", number_value => $amount, data_type => 2 },
			{ %data, event_data_id => uuid("trial $self->{seed} $n"), data_key => 'trial', string_value => 'true', data_type => 3 },
			{ %data, event_data_id => uuid("when $self->{seed} $n"), data_key => 'when', string_value => $visit{created_at}, date_value => $visit{created_at}, data_type => 4 });
		$self->create('revenue', revenue_id => uuid("revenue $self->{seed} $n"), website_id => $visit{website_id}, session_id => $visit{session_id}, event_id => $id,
			event_name => $name, currency => 'USD', revenue => $amount, created_at => $visit{created_at}) if $name eq 'purchase';
	}
	elsif ($what < 95)
	{
		# identify(): a property of the session that is there gets a new primary key, too. Each writer has properties of its own,
		# since the outcome of two that write the same one depends on who comes last.
		foreach my $key ("plan $self->{seed}", "age $self->{seed}")
		{
			my %row = (session_data_id => uuid("$key $n"), website_id => $visit{website_id}, string_value => $self->some(90) . '.0000', number_value => $self->some(90),
				date_value => undef, data_type => 2, distinct_id => "customer-$n", created_at => $visit{created_at});
			my @names = grep { exists $row{$_} } @{ $columns{session_data} };
			my $i = 0;
			my $set = join(', ', map { $i++; "\"$_\" = \$$i" } @names);
			my $changed = $self->ask("UPDATE \"public\".\"session_data\" SET $set WHERE (\"public\".\"session_data\".\"session_id\" = \$" . ($i + 1)
					. " AND \"public\".\"session_data\".\"data_key\" = \$" . ($i + 2) . ')', @row{@names}, $visit{session_id}, $key);
			$self->create('session_data', %row, session_id => $visit{session_id}, data_key => $key) if $changed == 0;
		}
	}
	elsif ($what < 97)
	{
		# the same as earlier versions of Umami write it: delete and insert in a transaction
		my @keys = ("tier $self->{seed}", "name $self->{seed}");
		$self->ask('BEGIN');
		$self->ask('DELETE FROM "public"."session_data" WHERE ("public"."session_data"."session_id" = $1 AND "public"."session_data"."data_key" IN ($2, $3))',
			$visit{session_id}, @keys);
		$self->create_many('session_data', map { {
			session_data_id => uuid("$_ $n"), website_id => $visit{website_id}, session_id => $visit{session_id}, data_key => $_, string_value => "value $n", data_type => 1,
			distinct_id => undef, created_at => $visit{created_at} } } @keys);
		$self->ask('COMMIT');
	}
	else
	{
		$self->event(event_id => $id, %visit, event_type => 5, lcp => 800 + $self->some(30000) / 10, inp => $self->some(3000) / 10, cls => $self->some(4000) / 10000,
			fcp => 500 + $self->some(9000) / 10, ttfb => $self->some(9000) / 10);
	}
	return $self->{answers};
}

# Rows whose column is one of the ids, in chunks of as many parameters as Prisma sends at most.
sub in_chunks
{
	my ($db, $sql, @ids) = @_;
	my $changed = 0;
	while (my @some = splice(@ids, 0, 32766))
	{
		$db->query("$sql IN (" . join(',', map { '$' . $_ } 1 .. @some) . ')', @some);
		$changed += $db->{changed};
	}
	return $changed;
}

my %children = (website_event => [[event_data => 'website_event_id']], session => [map { [$_ => 'session_id'] } qw(website_event session_data revenue)]);

# Deletes a website and all that belongs to it, children first, in one transaction, and looks each time whether its children are gone; reset: keeps the website.
# Returns how many rows went, by table.
sub delete_website
{
	my ($db, $website, %options) = @_;
	my %deleted;
	$db->query('BEGIN');
	foreach my $table (qw(revenue event_data session_data website_event session))
	{
		my $key = "\"public\".\"$table\".\"$key{$table}\"";
		my $ids = $db->query("SELECT $key FROM \"public\".\"$table\" WHERE \"public\".\"$table\".\"website_id\" = \$1", $website);
		my @ids = map { $_->[0] } @$ids;
		foreach my $child (@{ $children{$table} // [] })
		{
			my ($name, $column) = @$child;
			my $left = in_chunks($db, "SELECT $key{$name} FROM \"public\".\"$name\" WHERE \"public\".\"$name\".\"$column\"", @ids);
			die "$left rows of $name are left\n" if $left;
		}
		$deleted{$table} = in_chunks($db, "DELETE FROM \"public\".\"$table\" WHERE $key", @ids);
		my $left = $db->query("SELECT count(*) FROM \"public\".\"$table\" WHERE website_id = \$1", $website)->[0][0];
		die "$left rows of $table are left, of " . scalar(@ids) . "\n" if $left || $deleted{$table} != @ids;
	}
	$db->query("DELETE FROM \"public\".\"$_\" WHERE website_id = \$1", $website) foreach qw(session_replay_saved session_replay report segment);
	$db->query('DELETE FROM "public"."share" WHERE entity_id = $1', $website);
	$db->query('DELETE FROM "public"."website" WHERE ("public"."website"."website_id" = $1 AND 1=1) RETURNING "public"."website"."website_id"', $website) if !$options{reset};
	$db->query($options{rollback} ? 'ROLLBACK' : 'COMMIT');
	return \%deleted;
}

1;
