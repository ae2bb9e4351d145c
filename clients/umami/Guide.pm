# The SQL of a guide in docs/: each ```sql block begins with a comment, its label.
#
#   my $guide = Guide->new('docs/umami.md');
#   my $sql = $guide->block('A1 revenue');     # dies if there is none
#   my @left = $guide->unused();               # labels of blocks that nobody asked for
package Guide;

use strict;
use warnings;

sub new
{
	my ($class, $file) = @_;
	open(my $handle, '<:encoding(UTF-8)', $file) or die "cannot read $file: $!\n";
	local $/;
	my $text = <$handle>;
	close($handle);
	my $self = bless { file => $file, block => {}, used => {} }, $class;
	while ($text =~ /^([ ]*)```sql\n(.*?)^\1```$/msg)
	{
		my ($indent, $sql) = ($1, $2);
		$sql =~ s/^$indent//mg;
		$sql =~ /\A-- (.+)\n/ or die "$file: a block without a label:\n$sql";
		die "$file: two blocks \"$1\"\n" if exists $self->{block}{$1};
		$self->{block}{$1} = $sql;
	}
	return $self;
}

sub block
{
	my ($self, $label) = @_;
	die "$self->{file}: no block \"$label\"\n" if !exists $self->{block}{$label};
	$self->{used}{$label} = 1;
	return $self->{block}{$label};
}

sub unused { my ($self) = @_; return sort grep { !$self->{used}{$_} } keys %{ $self->{block} } }

1;
