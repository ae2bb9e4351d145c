# A connection that talks to the server as node's `pg` does beneath Prisma: every statement is an unnamed prepared one (Parse,
# Bind, Describe, Execute, Sync), parameters are texts of no declared type. Over a Unix socket, without a password.
#
#   my $db = Wire->new(host => '/tmp/socket/dir', port => 5432, user => 'postgres', database => 'umami');
#   my $rows = $db->query('SELECT $1::uuid, now() < $2', $id, $date);   # array of arrays; NULL is undef; dies with "SQLSTATE: message"
#   my $count = $db->{changed};                                        # rows of the last INSERT, UPDATE, DELETE or SELECT
package Wire;

use strict;
use warnings;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);

sub new
{
	my ($class, %options) = @_;
	my $path = "$options{host}/.s.PGSQL.$options{port}";
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "cannot connect to $path: $!\n";
	my $self = bless { socket => $socket, input => '', status => '' }, $class;
	my $startup = pack('N', 196608) . join('', map { "$_\0" } user => $options{user}, database => $options{database},
		application_name => $options{name} // 'umami', client_encoding => 'UTF8') . "\0";
	$self->_write(pack('N', 4 + length($startup)) . $startup);
	$self->_answer();
	return $self;
}

sub _write
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (length($bytes))
	{
		my $n = syswrite($self->{socket}, $bytes) or die "08006: the server is gone\n";
		substr($bytes, 0, $n, '');
	}
	return;
}

# The first n bytes that have not been taken.
sub _read
{
	my ($self, $n) = @_;
	while (length($self->{input}) < $n)
	{
		sysread($self->{socket}, $self->{input}, 65536, length($self->{input})) or die "08006: the server is gone\n";
	}
	return substr($self->{input}, 0, $n, '');
}

sub _message
{
	my ($type, $body) = @_;
	return $type . pack('N', 4 + length($body)) . $body;
}

# Reads up to ReadyForQuery; the rows, or the error.
sub _answer
{
	my ($self) = @_;
	my (@rows, $error);
	$self->{changed} = undef;
	while (1)
	{
		my ($type, $length) = unpack('a N', $self->_read(5));
		my $body = $self->_read($length - 4);
		if ($type eq 'D')
		{
			my $at = 2;
			my @row;
			foreach (1 .. unpack('n', $body))
			{
				my $size = unpack('l>', substr($body, $at, 4));
				$at += 4;
				push @row, $size < 0 ? undef : substr($body, $at, $size);
				$at += $size if $size > 0;
			}
			push @rows, \@row;
		}
		elsif ($type eq 'C') { ($self->{changed}) = $body =~ /(\d+)\0$/ }
		elsif ($type eq 'E')
		{
			my %field = map { (substr($_, 0, 1), substr($_, 1)) } split(/\0/, $body);
			$error = "$field{C}: $field{M}\n";
			die $error if $field{S} eq 'FATAL';
		}
		elsif ($type eq 'R') { die "28000: the server wants a password\n" if unpack('N', $body) != 0 }
		elsif ($type eq 'Z')
		{
			$self->{status} = $body;
			die $error if defined $error;
			return \@rows;
		}
	}
}

sub query
{
	my ($self, $sql, @parameters) = @_;
	my $bind = pack('x x n n', 0, scalar(@parameters));
	$bind .= defined $_ ? pack('N a*', length($_), $_) : pack('l>', -1) foreach @parameters;
	$bind .= pack('n', 0);
	$self->_write(_message('P', "\0$sql\0" . pack('n', 0)) . _message('B', $bind) . _message('D', "P\0") . _message('E', "\0" . pack('N', 0))
			. _message('S', ''));
	return $self->_answer();
}

# Several statements in one string, without parameters: as psql -c sends them.
sub simple
{
	my ($self, $sql) = @_;
	$self->_write(_message('Q', "$sql\0"));
	return $self->_answer();
}

sub close
{
	my ($self) = @_;
	eval { $self->_write(_message('X', '')) };
	return CORE::close($self->{socket});
}

1;
