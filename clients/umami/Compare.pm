# Compares answers of two databases to the same statement.
package Compare;

use strict;
use warnings;

sub row_text { my ($row) = @_; return join("\t", map { $_ // '\N' } @$row) }

# The answer in a form that differs only if the answer does: all rows in an order of their own, since SQL leaves the order of
# equal keys open, and the keys in the order they came. Where LIMIT may have cut among equal keys, the keys alone.
sub canonical
{
	my ($rows, $keys, $cut) = @_;
	my $text = $cut ? scalar(@$rows) . " rows\n" : join("\n", sort map { row_text($_) } @$rows) . "\n";
	$text .= join("\n", map { my $row = $_; row_text([@{$row}[@$keys]]) } @$rows) if @$keys;
	return $text;
}

# The answers of two connections to one of Reads::all(), without LIMIT and with it; '' where they agree, else what differs.
# Rows that were compared are added to ${$count}.
sub read_differs
{
	my ($one, $other, $read, $count) = @_;
	my @forms = ([$read->{sql}, 0]);
	push @forms, ["$read->{sql} $read->{limit}", 1] if $read->{limit};
	foreach my $form (@forms)
	{
		my ($sql, $cut) = @$form;
		my @answers = map { my $db = $_; canonical(eval { $db->query($sql, @{ $read->{parameters} }) } // [["ERROR $@"]], $@ ? [] : $read->{keys}, $cut && !$@) } $one, $other;
		return "$read->{name}: an error\n$answers[0]" if $answers[0] =~ /^ERROR/;
		return "$read->{name}:\n$sql\n--- one\n$answers[0]\n--- other\n$answers[1]\n" if $answers[0] ne $answers[1];
		${$count} += () = $answers[0] =~ /\n/g;
	}
	return '';
}

1;
