#!/usr/bin/env bash
# The house rules that a compiler does not know. Prints file:line for each violation and exits with 1.
#
#   scripts/lint.sh [TREE]        TREE: the top of the tree, by default the one this script lies in
#
#   layers    a file in src/<folder> includes headers of its own folder and of those above it in
#             `layers` below; write and read, expr and agg do not see each other
#   pure      base, encoding, compress, format and expr/vexpr* know nothing of the server
#   headers   never include postgres.h, and never hide a header of the server behind their own path
#   versions  PG_VERSION_NUM stands in src/base/compat.h only
#   names     file names are unique in src/
#   errors    every ereport(ERROR, …) has an errcode
#   length    no file has more than 900 lines
#   unfinished words, and clang-format
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"

status=0
server_headers=$("${PG_CONFIG:-pg_config}" --includedir-server 2>/dev/null || true)

SERVER_HEADERS=$server_headers perl - <<'PERL' || status=1
use strict;
use warnings;

# From the lowest to the highest. src/sql holds no C.
my @layers = qw(base encoding compress format storage write read expr agg rollup am exec plan admin);
my %rank = map { $layers[$_] => $_ } 0 .. $#layers;
my %apart = (write => 'read', read => 'write', expr => 'agg', agg => 'expr');
# Where the pure layers meet the server: names of its versions, and its memory.
my %seam = map { $_ => 1 } qw(src/base/compat.h src/base/compat.c src/base/memory.c);
my %pure = map { $_ => 1 } qw(base encoding compress format);

# Pure or not is a folder's, but in expr/ the files that evaluate are and those that compile are not.
sub is_pure
{
	my ($file) = @_;
	my ($folder) = $file =~ m{^src/([^/]+)/};
	return 0 if !defined $folder || $seam{$file};
	return $pure{$folder} || $file =~ m{^src/expr/vexpr\w*\.[ch]$};
}


# What has no place in the pure layers.
my $backend = qr/\b(palloc\w*|repalloc\w*|pfree|pstrdup|psprintf|MemoryContext\w*|ereport|elog|Relation|Buffer)\b/;

my $max_lines = 900;
my $unfinished = join('|', 'TO' . 'DO', 'FIX' . 'ME');
my $server = $ENV{SERVER_HEADERS};
my $violations = 0;

sub violation
{
	my ($file, $line, $text) = @_;
	print "$file:$line: $text\n";
	$violations++;
}

sub slurp
{
	my ($file) = @_;
	open(my $handle, '<', $file) or die "lint: cannot read $file: $!\n";
	local $/;
	my $text = <$handle>;
	close($handle);
	return $text // '';
}

# Comments and the insides of literals become blanks; lines and columns stay where they are.
sub code_of
{
	my ($text) = @_;
	$text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')}
		{
			my ($comment, $literal) = ($1, $2);
			if (defined $comment) { $comment =~ s/[^\n]/ /g; $comment }
			else { substr($literal, 0, 1) . ('_' x (length($literal) - 2)) . substr($literal, -1) }
		}gse;
	return $text;
}

sub line_of
{
	my ($text, $position) = @_;
	return 1 + (substr($text, 0, $position) =~ tr/\n//);
}

sub check_includes
{
	my ($file, $text) = @_;
	my ($folder) = $file =~ m{^src/([^/]+)/};
	my $is_header = $file =~ /\.h$/;

	# From the text, since literals are blanked in the code; only lines that are code count.
	my $code = code_of($text);
	while ($text =~ /^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/mg)
	{
		my ($quote, $name, $at) = ($1, $2, $-[1]);
		my $line = line_of($text, $at);
		next if substr($code, $at, 1) eq ' ';

		violation($file, $line, "a header does not include $name: the .c file does, first")
			if $is_header && $name =~ /^postgres(_fe)?\.h$/;
		next if !defined $folder;

		my $target;
		if ($name =~ m{^([^/]+)/} && exists $rank{$1} && -e "src/$name")
		{
			$target = $1;
		}
		elsif ($quote eq '"' && -e "src/$folder/$name")
		{
			$target = $folder;
			violation($file, $line, "write $folder/$name: headers are named from src/")
				if $name !~ m{/};
		}
		if (!defined $target)
		{
			my $of_server = $quote eq '"' || ($server && -e "$server/$name");
			violation($file, $line, "src/$folder is pure C: it does not include $name")
				if $of_server && is_pure($file);
			next;
		}
		next if $target eq $folder || !exists $rank{$folder};
		if (($apart{$folder} // '') eq $target)
		{
			violation($file, $line, "$folder and $target do not see each other: $name");
		}
		elsif ($rank{$target} > $rank{$folder})
		{
			violation($file, $line, "$folder lies below $target and must not include $name");
		}
	}
}

sub check_errors
{
	my ($file, $code) = @_;
	while ($code =~ /\bereport\s*(?=\()/g)
	{
		my ($start, $end, $depth) = ($-[0], pos($code), 0);
		for (; $end < length($code); $end++)
		{
			my $c = substr($code, $end, 1);
			$depth++ if $c eq '(';
			last if $c eq ')' && --$depth == 0;
		}
		my $call = substr($code, $start, $end - $start);
		next if $call !~ /^ereport\s*\(\s*(ERROR|FATAL|PANIC)\b/;
		violation($file, line_of($code, $start), "ereport($1) without an errcode")
			if $call !~ /\berrcode(_for_\w+)?\s*\(/;
	}
}

my @c = grep { -f } (glob('hanzo_columnar.c src/*.[ch] src/*/*.[ch] src/*/*/*.[ch]'),
	glob('unit/*.[ch] load/*.[ch] fuzz/*.[ch] bench/*.[ch]'));
my %stem;

foreach my $file (@c)
{
	my $text = slurp($file);
	my $code = code_of($text);
	my $folder = $file =~ m{^src/([^/]+)/} ? $1 : undef;

	check_includes($file, $text);
	check_errors($file, $code);

	while ($file ne 'src/base/compat.h' && $code =~ /\bPG_VERSION_NUM\b/g)
	{
		violation($file, line_of($code, $-[0]), 'PG_VERSION_NUM belongs in src/base/compat.h');
	}
	if (is_pure($file))
	{
		while ($code =~ /$backend/g)
		{
			violation($file, line_of($code, $-[0]), "src/$folder is pure C: it does not know $1");
		}
	}
	next if $file !~ m{^src/};

	if ($file !~ m{^src/[^/]+/[^/]+$})
	{
		violation($file, 1, 'C files lie in the folders of src/, no deeper and no higher');
	}
	elsif (!exists $rank{$folder})
	{
		violation($file, 1, "src/$folder has no place among the layers");
	}
	my ($path, $name) = $file =~ m{^((?:.*/)([^/]+))\.[ch]$};
	violation($file, 1, "the name $name is taken by $stem{$name}.*")
		if exists $stem{$name} && $stem{$name} ne $path;
	$stem{$name} //= $path;

	violation($file, 1, 'the server has a header of this path, which this one would hide')
		if $server && $file =~ m{^src/(.*\.h)$} && -e "$server/$1";
}

my @texts = grep { -f } (glob('Makefile *.md *.control .ci/run docs/*.md scripts/* src/*.md src/*/*.md load/*.md'),
	glob('src/sql/*.sql sql/*.sql sql/*/* specs/*.spec t/*.pl t/*/*.pm bench/*.sql bench/*.sh docker/*'));
foreach my $file (@c, @texts)
{
	my $text = slurp($file);
	my $lines = $text =~ tr/\n//;

	violation($file, $lines, "$lines lines: past $max_lines a file is two things")
		if $lines > $max_lines && $file !~ /\.md$/;
	while ($text =~ /\b($unfinished)\b/g)
	{
		violation($file, line_of($text, $-[0]), "$1: finish it, or file an issue");
	}
}

exit($violations ? 1 : 0);
PERL

shopt -s nullglob
c_files=(hanzo_columnar.c src/*/*.[ch] unit/*.[ch] load/*.[ch] fuzz/*.[ch] bench/*.[ch])
[ -e hanzo_columnar.c ] || c_files=("${c_files[@]:1}")
if ! command -v clang-format >/dev/null; then
  echo "scripts/lint.sh:1: clang-format is missing (Debian: apt-get install clang-format)"
  status=1
elif [ ${#c_files[@]} -gt 0 ]; then
  # One line a file is enough: `make format` mends them all.
  if ! report=$(clang-format --dry-run --Werror "${c_files[@]}" 2>&1); then
    status=1
    sed -nE 's/^([^:]+):([0-9]+):[0-9]+: error: code should be clang-formatted.*/\1 \2/p' <<<"$report" |
      awk '{ if (!($1 in first)) first[$1] = $2; many[$1]++ }
           END { for (f in first) printf "%s:%d: clang-format changes %d places (make format)\n", f, first[f], many[f] }' |
      sort
    grep -E '^Error|: error: [^c]' <<<"$report" | sort -u || true
  fi
fi
exit $status
