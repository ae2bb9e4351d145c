# Random queries over the tables of t/017_queries.pl.
#
# A query is a hash of parts: select, where, group, having, order … are lists that the search for a smaller failing query may
# shorten. render() makes SQL of it; statements() the script that runs it, which may have more statements than the query.
# Output that depends on the order of rows is marked (`near`); equal values that differ are mapped to one (normal()).
package HanzoQueries;

use strict;
use warnings;
use Exporter 'import';
use HanzoExpressions;

our @EXPORT = qw(make_query render statements change_rows set_tables query_kinds);

my %tables;     # name => { columns, rows }
my $next_id;    # for inserted rows

sub set_tables { %tables = @_; $next_id = 1000000; return; }

# ---- Tables as scopes

sub scope_of
{
	my ($table, $alias) = @_;
	return { table => $table, alias => $alias, keys => ["$alias.id"],
		columns => [ map { { %$_, sql => "$alias.$_->{name}" } } { name => 'id', type => 'int4', small => 1, const => sub { number(1, $tables{$table}{rows}) } }, @{ $tables{$table}{columns} } ] };
}

sub some_table { return pick(qw(w w w w w v v v v p p p p m m e u)); }

# [ FROM clause, scope ]: one table, or one joined to others.
sub source
{
	my ($joined) = @_;
	my $table = some_table();
	my $scope = scope_of($table, 't');
	my $from = "$table AS t";
	return ($from, $scope) if !chance($joined);
	my $how = number(1, 6);
	my $kind = pick('JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN');
	if ($how <= 3)
	{
		$from .= " $kind dk AS d ON d.k = t.k" . ($kind ne 'FULL JOIN' && chance(0.3) ? ' AND d.grp < ' . number(1, 9) : '');
		push @{ $scope->{columns} }, { sql => 'd.label', type => 'text' }, { sql => 'd.grp', type => 'int4', small => 1, const => sub { number(0, 9) } }, { sql => 'd.weight', type => 'numeric' };
		push @{ $scope->{keys} }, 'd.k';
	}
	elsif ($how == 4)
	{
		my ($name) = grep { $_->{name} =~ /^(tl|name)$/ } @{ $scope->{columns} };
		$from .= " $kind dt AS x ON x.name = $name->{sql}";
		push @{ $scope->{columns} }, { sql => 'x.rank', type => 'int4', small => 1, const => sub { number(0, 30) } };
		push @{ $scope->{keys} }, 'x.id';
	}
	else
	{
		my $other = $how == 5 ? $table : some_table();
		my $right = scope_of($other, 'o');
		my $to = number(100, 400);
		$from .= $how == 5 ? " $kind $other AS o ON o.id = t.id + " . number(0, 3) : " JOIN $other AS o ON o.k = t.k AND o.id < $to AND t.id < $to";
		push @{ $scope->{columns} }, @{ $right->{columns} };
		push @{ $scope->{keys} }, 'o.id';
	}
	return ($from, $scope);
}

# Conditions with subqueries, on a scope that has t.k.
sub subquery_predicate
{
	my ($scope) = @_;
	my $n = number(0, 9);
	my $c = column_of($scope, 'int4', 'int8', 'numeric');
	my $inner = scope_of(pick(qw(w v m e)), 's');
	my $pred = simple_predicate($inner);
	return pick(
		"t.k IN (SELECT k FROM dk WHERE grp < $n)", "t.k NOT IN (SELECT k FROM dk WHERE grp = $n)", "t.k NOT IN (SELECT grp FROM dk WHERE k > " . number(20, 90) . ')',
		"EXISTS (SELECT FROM dk WHERE dk.k = t.k AND dk.grp >= $n)", "NOT EXISTS (SELECT FROM dk WHERE dk.k = t.k AND dk.label IS NOT NULL)",
		"$c->{sql} > (SELECT avg(grp) FROM dk)", "t.k = (SELECT min(k) FROM dk WHERE grp = $n)", "t.k = (SELECT k FROM dk WHERE grp = 1000)",
		"(SELECT false)", "(SELECT count(*) > 5 FROM dk)", "EXISTS (SELECT FROM e)", "t.k = ANY (SELECT grp FROM dk)", "t.k < ALL (SELECT k FROM dk WHERE grp = $n)", "t.k < ANY (ARRAY(SELECT grp FROM dk))",
		"t.id IN (SELECT s.id FROM $inner->{table} AS s WHERE $pred)", "t.id < (SELECT max(s.id) FROM $inner->{table} AS s WHERE $pred)", "t.k IN (SELECT s.k FROM $inner->{table} AS s WHERE $pred)",
		"t.k NOT IN (SELECT s.k FROM $inner->{table} AS s WHERE $pred)");
}

sub conditions
{
	my ($scope) = @_;
	my @list = map { predicate($scope) } 1 .. pick(0, 0, 1, 1, 1, 1, 2, 2, 3);
	my $rows = $tables{ $scope->{table} }{rows};
	my $from = number(1, $rows + 1);
	push @list, pick("t.id BETWEEN $from AND " . ($from + pick(0, 10, 300, 3000)), "t.id % " . number(2, 9) . " = 1", "t.id > $from") if chance(0.25);
	push @list, subquery_predicate($scope) if chance(0.1);
	return \@list;
}

# ---- The parts

# SELECT items of keys: what is grouped by goes out in its normal form.
sub key_items { return map { { sql => normal($_), of => $_ } } @_; }

sub direction { return pick('', ' DESC', ' ASC NULLS FIRST', ' DESC NULLS LAST', ' ASC', ' DESC NULLS FIRST'); }
sub order_by { my ($scope, @e) = @_; return [ (map { { sql => $_->{sql} . direction() } } @e), map { { sql => $_ . pick('', ' DESC') } } @{ $scope->{keys} } ]; }
sub limit { return pick('', '', ' LIMIT ' . pick(0, 1, 5, 10, 100, 3000), ' LIMIT ' . number(1, 50) . ' OFFSET ' . pick(0, 3, 500), ' OFFSET ' . number(0, 2000)); }

# A bare constant among the keys of GROUP BY or ORDER BY would be a position: keys have a column in them.
sub keys_of { my ($scope, $count) = @_; my %seen; return grep { !$seen{ $_->{sql} }++ } map { expression($scope, chance(0.6) ? 0 : 2) } 1 .. $count; }

sub having
{
	my ($scope) = @_;
	my $small = column_of($scope, 'int4', 'int2', 'int8');
	my $any = column_of($scope, qw(int4 text date numeric timestamptz));
	return pick('count(*) > ' . number(0, 300), "count($small->{sql}) > 3", "sum($small->{sql}) > " . number(-100, 5000), "min($any->{sql}) < " . constant($any), "max($any->{sql}) IS NOT NULL", "avg($small->{sql}) > 10", 'count(*) < 50', "count(DISTINCT $small->{sql}) > 2");
}

sub render
{
	my ($q) = @_;
	my %has = map { $_ => 1 } @{ $q->{group} // [] };
	my @items = grep { !$_->{of} || $has{ $_->{of} } } @{ $q->{select} };
	my @order = grep { !$_->{of} || $has{ $_->{of} } } @{ $q->{order} // [] };
	my $sql = ($q->{with} // '') . 'SELECT ' . ($q->{distinct} // '') . join(', ', map { $_->{sql} } @items);
	$sql .= " FROM $q->{from}" if $q->{from};
	$sql .= ' WHERE ' . join(' AND ', @{ $q->{where} }) if @{ $q->{where} // [] };
	my $group = join(', ', map { $_->{sql} } @{ $q->{group} // [] });
	$sql .= ' GROUP BY ' . ($q->{grouping} ? $q->{grouping}->(map { $_->{sql} } @{ $q->{group} }) : $group) if $group ne '';
	$sql .= ' HAVING ' . join(' AND ', @{ $q->{having} }) if @{ $q->{having} // [] };
	$sql .= ' ORDER BY ' . join(', ', map { $_->{sql} } @order) if @order;
	$sql .= $q->{limit} // '';
	$sql = $q->{wrap}->($sql) if $q->{wrap};
	return ($sql, [ map { $_->{near} } @items ]);
}

# [ { sql, ordered, near, look } … ]: `look`: the output is compared.
sub statements
{
	my ($q) = @_;
	my ($sql, $near) = render($q);
	my $main = { sql => $sql, near => $near, ordered => $q->{ordered}, look => 1, main => 1 };
	return $q->{script} ? $q->{script}->($main) : ($main);
}

# ---- Kinds of queries

sub plain
{
	my ($from, $scope) = source(0.15);
	my @e = map { expression($scope, chance(0.6) ? 0 : 2) } 1 .. number(1, 6);
	my $q = { kind => 'plain', from => $from, where => conditions($scope), select => [ map { { sql => $_->{sql} } } @e ] };
	my $special = number(1, 30);
	$q->{select} = [ { sql => pick('t.*', 't', '', '1', 't.*, 5', 't IS NULL', 't.k IS NOT NULL, 5') } ] if $special <= 2;
	$q->{select} = [ { sql => 't.id' }, { sql => 't.tableoid::regclass' } ] if $special == 3 && $scope->{table} ne 'u';
	return { %$q, select => [ { sql => 't.id' }, { sql => pick('generate_series(1, t.k % 4)', "unnest(string_to_array(t.k::text, '1'))") } ] } if $special == 4;
	my $lock = pick(' FOR UPDATE OF t', ' FOR SHARE OF t', ' FOR KEY SHARE');
	return { %$q, script => sub { return ({ sql => 'BEGIN' }, { %{ $_[0] }, sql => $_[0]->{sql} . $lock }, { sql => 'ROLLBACK' }) } } if $special == 5 && $from !~ /JOIN/ && $scope->{table} ne 'u';
	return { %$q, from => $from =~ s/ AS t/ AS t TABLESAMPLE SYSTEM (100)/r } if $special == 6 && $from !~ /JOIN/ && $scope->{table} ne 'u';
	if (chance(0.4)) { @{$q}{qw(order limit ordered)} = (order_by($scope, some(0.4, @e)), limit(), 1); }
	return $q;
}

sub aggregates
{
	my ($from, $scope) = source(0.15);
	my $q = { kind => 'aggregate', from => $from, where => conditions($scope), select => [ map { aggregate($scope) } 1 .. number(1, 5) ] };
	# without groups, long values are of all the rows
	foreach my $item (@{ $q->{select} }) { $item->{sql} = "md5(($item->{sql})::text)" if $item->{long}; }
	$q->{having} = [ having($scope) ] if chance(0.08);
	return $q;
}

sub metadata
{
	my $table = some_table();
	my $scope = scope_of($table, 't');
	my @items = map {
		my $c = column_of($scope);
		my $min = $c->{type} =~ /^(uuid|jsonb|bytea|bool)$/ ? "count($c->{sql})" : normal({ %$c, sql => pick('min', 'max') . "($c->{sql})" });
		{ sql => pick('count(*)', $min, $min, "count($c->{sql})", "count(*) - count($c->{sql})") }
	} 1 .. number(1, 4);
	my $where = chance(0.4) ? [] : [ chance(0.5) ? 't.id ' . pick('<', '>', '<=', '>=', '<>') . ' ' . number(0, $tables{$table}{rows}) : simple_predicate($scope) ];
	return { kind => 'metadata', from => ($table ne 'u' && chance(0.3) ? 'ONLY ' : '') . "$table AS t", where => $where, select => \@items };
}

sub grouped
{
	my ($from, $scope) = source(0.2);
	my @keys = keys_of($scope, pick(1, 1, 1, 2, 2, 3, 4));
	my $q = { kind => 'group', from => $from, where => conditions($scope), group => \@keys, select => [ key_items(@keys), map { aggregate($scope) } 1 .. number(0, 4) ] };
	$q->{having} = [ having($scope) ] if chance(0.25);
	if (chance(0.45))
	{
		my $first = chance(0.4) ? { sql => pick('count(*)', 'count(DISTINCT t.k)', 'min(t.id)', 'sum(t.k)') . direction() } : undef;
		@{$q}{qw(order limit ordered)} = ([ $first // (), map { { sql => $_->{sql} . direction(), of => $_ } } @keys ], limit(), 1);
	}
	return $q;
}

sub sets
{
	my ($from, $scope) = source(0.1);
	my @keys = keys_of($scope, number(2, 3));
	my $form = number(1, 4);
	my $grouping = sub {
		my @k = @_;
		return ($form == 1 ? 'ROLLUP (' : 'CUBE (') . join(', ', @k) . ')' if $form <= 2;
		return 'GROUPING SETS (' . join(', ', (map { "($_)" } @k), '(' . join(', ', @k) . ')', $form == 3 ? '()' : ()) . ')';
	};
	return { kind => 'grouping sets', from => $from, where => conditions($scope), group => \@keys, grouping => $grouping,
		select => [ key_items(@keys), (map { { sql => "grouping($_->{sql})", of => $_ } } @keys), map { aggregate($scope) } 1 .. number(1, 3) ], having => chance(0.2) ? [ having($scope) ] : [] };
}

# Over a subquery d(c1, c2 …): its columns in their normal form.
sub normal_of
{
	my ($alias, @e) = @_;
	my $n = 0;
	return join(', ', map { $n++; normal({ %$_, sql => "$alias.c$n" }) } @e);
}

sub named { my (@e) = @_; my $n = 0; return map { $n++; { sql => "$_->{sql} AS c$n" } } @e; }

sub distinct
{
	my ($from, $scope) = source(0.1);
	my @keys = keys_of($scope, number(1, 3));
	my $q = { kind => 'distinct', from => $from, where => conditions($scope), distinct => 'DISTINCT ', select => [ named(@keys) ], wrap => sub { 'SELECT ' . normal_of('d', @keys) . " FROM ($_[0]) AS d" } };
	if (chance(0.5))
	{
		# the first rows of each of several equal values
		my $on = join(', ', map { $_->{sql} } @keys);
		$q = { kind => 'distinct on', from => $from, where => conditions($scope), distinct => "DISTINCT ON ($on) ", select => [ { sql => $on }, map { { sql => expression($scope, 1)->{sql} } } 1 .. 2 ],
			order => order_by($scope, @keys), limit => limit(), ordered => 1 };
	}
	return $q;
}

sub top
{
	my ($from, $scope) = source(0.08);
	my @keys = keys_of($scope, number(1, 2));
	my @e = map { expression($scope, chance(0.8) ? 0 : 1) } 1 .. number(1, 8);
	return { kind => 'top-n', from => $from, where => conditions($scope), select => [ map { { sql => $_->{sql} } } @e ], order => order_by($scope, @keys), ordered => 1,
		limit => pick(' LIMIT 1', ' LIMIT 10', ' LIMIT 100', ' LIMIT ' . number(1, 40) . ' OFFSET ' . number(0, 30), ' FETCH FIRST 7 ROWS WITH TIES', ' LIMIT 3000') };
}

sub window
{
	my ($from, $scope) = source(0.1);
	my $keys = join(', ', @{ $scope->{keys} });
	my @items = map {
		my ($p, $o, $x) = (keys_of($scope, 1), keys_of($scope, 1), expression($scope, 0));
		my $partition = chance(0.7) ? "PARTITION BY $p->{sql} " : '';
		my $order = "ORDER BY $o->{sql}" . direction();
		my $number = column_of($scope, qw(int4 numeric));
		{ sql => pick("row_number() OVER ($partition$order, $keys)", "rank() OVER ($partition$order)", "dense_rank() OVER ($partition$order)", "lag($x->{sql}, " . number(1, 3) . ") OVER ($partition$order, $keys)", "lead($x->{sql}) OVER ($partition$order, $keys)",
				"first_value($x->{sql}) OVER ($partition$order, $keys)", "last_value($x->{sql}) OVER ($partition$order, $keys ROWS BETWEEN 2 PRECEDING AND 3 FOLLOWING)", "count($x->{sql}) OVER ($partition$order)", "count(*) OVER ($partition)",
				"sum($number->{sql}) OVER ($partition$order)", "sum($number->{sql}) OVER ($partition$order, $keys ROWS 10 PRECEDING)", "ntile(7) OVER ($partition$order, $keys)", "max($number->{sql}) OVER ($partition$order RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) + 0",
				"percent_rank() OVER ($partition$order)", "count(*) FILTER (WHERE " . predicate($scope, 0) . ") OVER ($partition$order GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW)") }
	} 1 .. number(1, 3);
	# a maximum may be 1.0 or 1.00, a sum of numerics removed from a moving frame keeps its scale
	foreach my $item (@items) { $item->{sql} = "trim_scale(($item->{sql})::numeric)" if $item->{sql} =~ /^(max|sum)/; }
	my $q = { kind => 'window', from => $from, where => conditions($scope), select => [ { sql => $keys }, @items ] };
	if (chance(0.3)) { @{$q}{qw(order limit ordered)} = (order_by($scope), limit(), 1); }
	return $q;
}

sub joined
{
	my ($from, $scope) = source(1);
	my @keys = keys_of($scope, number(1, 2));
	my $where = conditions($scope);
	return { kind => 'join', from => $from, where => $where, select => [ map { aggregate($scope) } 1 .. 3 ] } if chance(0.4) && $from !~ /FULL/;
	return { kind => 'join', from => $from, where => $where, group => \@keys, select => [ key_items(@keys), map { aggregate($scope) } 1 .. 2 ] } if chance(0.5);
	return { kind => 'join', from => $from, where => $where, select => [ { sql => join(', ', @{ $scope->{keys} }) }, map { { sql => $_->{sql} } } @keys ] };
}

sub set_operation
{
	my $left = scope_of(some_table(), 't');
	my @e = keys_of($left, number(1, 3));
	my $op = pick('UNION', 'UNION ALL', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL');
	my $right = scope_of(some_table(), 't');
	my @f = map {
		my $e = $_;
		my @same = grep { $_->{type} eq $e->{type} && ($_->{coll} // '') eq ($e->{coll} // '') } @{ $right->{columns} };
		@same ? pick(@same)->{sql} : 'NULL';
	} @e;
	my $where = conditions($right);
	my $second = "SELECT " . join(', ', @f) . " FROM $right->{table} AS t" . (@$where ? ' WHERE ' . join(' AND ', @$where) : '');
	return { kind => 'set operation', from => "$left->{table} AS t", where => conditions($left), select => [ named(@e) ],
		wrap => sub { 'SELECT ' . normal_of('d', @e) . " FROM (($_[0]) $op ($second)) AS d" } };
}

# ---- Joins of a large table with sides that it looks its rows up in

my @key_types = qw(bool int2 int4 int8 oid date time timestamp timestamptz float8 numeric uuid bytea text varchar);

# Columns of a side under an alias: keys of the table's and their like.
sub small_column { my ($sql, $from, $to) = @_; return { sql => $sql, type => 'int4', small => 1, const => sub { number($from, $to) } }; }

# What subqueries are made of where a row outside is to be had, it is in them.
sub of_outer { my ($outer, $text, $otherwise) = @_; return $outer && chance(0.6) ? $text : $otherwise; }

# A side: { from, on, columns, key, with }. Some have keys that are not unique, some no key at all. `outer`: d.k may be used.
sub side
{
	my ($scope, $a, $outer) = @_;
	my $inner = scope_of(pick(qw(w v p m)), 's');
	my $x = column_of($inner, qw(int4 date numeric timestamptz uuid));
	my $least = { sql => "$a.x", type => $x->{type}, const => $x->{const} };
	my $what = $x->{type} eq 'uuid' ? "count($x->{sql})" : pick('min', 'max') . "($x->{sql})";
	$least = small_column("$a.x", 0, 300) if $x->{type} eq 'uuid';
	my $where = join(' AND ', 's.id > ' . of_outer($outer, 'd.k * ' . number(1, 90), number(0, 4000)), chance(0.15) ? simple_predicate($inner) : ());
	my @labels = ({ sql => "$a.label", type => 'text' }, small_column("$a.grp", 0, 9), { sql => "$a.weight", type => 'numeric' });
	my $on = "$a.k = t.k";
	my $form = number(1, 13);
	if ($form <= 3)
	{
		my $more = of_outer($outer, "s.id % (d.k - 30)", pick('1', '1', '1', 's.id % 2'));
		return { from => "(SELECT s.k, $what AS x, count(*) AS n FROM $inner->{table} AS s WHERE $where GROUP BY s.k, $more)", on => $on, columns => [ $least, small_column("$a.n", 0, 300) ] };
	}
	if ($form == 4)
	{
		my $c = column_of($scope, @key_types);
		my ($same) = grep { $_->{name} eq ($c->{name} // '') && $_->{type} eq $c->{type} } @{ $inner->{columns} };
		return side($scope, $a, $outer) if !$same || ($c->{coll} // '') eq 'nd' || $c->{sql} !~ /^t\./;
		return { from => "(SELECT $same->{sql} AS c, count(*) AS n, $what AS x FROM $inner->{table} AS s WHERE s.id % " . number(2, 9) . ' = 1 GROUP BY 1)', on => "$a.c = $c->{sql}", columns => [ $least, small_column("$a.n", 0, 9000) ] };
	}
	if ($form == 5) { return { from => '(SELECT * FROM dk WHERE k <> ' . of_outer($outer, 'd.k', number(20, 40)) . ' OFFSET 0)', on => $on, columns => \@labels }; }
	# The LIMIT is the same for every outer row: below Gather Merge PostgreSQL's workers keep the first one (tuples_needed in ExecParallelReinitialize()), heaps answer wrong, too.
	if ($form == 6) { return { from => '(SELECT * FROM dk WHERE k <> ' . of_outer($outer, 'd.k', 35) . ' ORDER BY k ' . pick('', 'DESC') . ' LIMIT ' . number(1, 70) . ')', on => $on, columns => \@labels }; }
	if ($form == 7)
	{
		my $rows = join(', ', '(' . of_outer($outer, 'd.k', number(0, 40)) . ", 'a', 1)", map { '(' . number(0, 40) . ", 'word " . number(0, 9) . "', " . number(0, 9) . ')' } 1 .. number(1, 9));
		return { from => "(VALUES $rows)", names => '(k, label, grp)', on => $on, columns => [ @labels[ 0, 1 ] ] };
	}
	if ($form == 8) { return { from => '(SELECT g AS k, g % 3 AS grp FROM generate_series(' . number(0, 20) . ', ' . of_outer($outer, 'd.k', number(15, 50)) . ') AS g' . pick('', ' OFFSET 0') . ')', on => $on, columns => [ $labels[1] ] }; }
	if ($form == 9) { return { from => 'unnest(ARRAY[' . join(', ', map { chance(0.05) ? 'NULL' : number(0, 40) } 1 .. number(1, 9)) . ']) WITH ORDINALITY', names => '(k, grp)', on => $on, columns => [ small_column("$a.grp", 0, 9) ] }; }
	if ($form == 10) { return { from => '(SELECT k, label, grp, weight FROM dk UNION ' . pick('ALL ', 'ALL ', '') . 'SELECT k + ' . pick(0, 100, 100) . ', label, grp, weight FROM dk WHERE grp < ' . of_outer($outer, 'd.grp', number(0, 9)) . ')', on => $on, columns => \@labels }; }
	if ($form == 11) { return { from => "(SELECT max(s.k) AS k, $what AS x FROM $inner->{table} AS s WHERE $where)", on => pick('true', "t.k < $a.k", $on), columns => [ $least, small_column("$a.k", 0, 40) ] }; }
	return { with => "c$a AS " . pick('MATERIALIZED', 'NOT MATERIALIZED') . " (SELECT s.k, " . pick('1', '1', 's.id % 2') . " AS grp, $what AS x FROM $inner->{table} AS s WHERE $where GROUP BY 1, 2)", from => "c$a", on => $on, columns => [ $least, small_column("$a.grp", 0, 1) ] } if $form == 12;
	return { from => 'dk', on => $on, columns => \@labels };
}

# An aggregate that has native states, for the most part.
sub native_aggregate
{
	my ($scope) = @_;
	return aggregate($scope, 1) if chance(0.15);
	my $filter = chance(0.2) ? ' FILTER (WHERE ' . predicate($scope, 1) . ')' : '';
	my $any = column_of($scope, qw(int4 int2 date timestamptz text bool uuid));
	my $number = column_of($scope, qw(int4 int2 int8));
	my $ordered = column_of($scope, qw(int2 int4 int8 numeric date timestamp timestamptz));
	# sums too wide for 128 bits come by, too
	my $numeric = column_of($scope, 'numeric') // $number;
	return { sql => pick("count($any->{sql})", "count(DISTINCT $any->{sql})", 'count(*)', "sum($number->{sql})", "avg($number->{sql})", "sum($numeric->{sql})", "sum($numeric->{sql} * 1e20)", "max($number->{sql})") . $filter } if chance(0.6);
	return { sql => normal({ %$ordered, sql => pick('min', 'max') . "($ordered->{sql})$filter" }) };
}

sub lookups
{
	my $table = pick(qw(w w v v p p m));
	my $scope = scope_of($table, 't');
	my $outer = chance(0.25);
	my ($from, @with) = ("$table AS t");
	# few: a join with several sides leaves few rows anyway
	my @where = ('t.id > ' . number(0, 2000), chance(0.4) ? simple_predicate($scope) : ());
	foreach my $a (map { "s$_" } 1 .. pick(1, 1, 1, 2, 2, 3))
	{
		my $side = side($scope, $a, $outer);
		my $kind = pick(('JOIN') x 4, ('LEFT JOIN') x 3, 'EXISTS', 'NOT EXISTS', 'NOT EXISTS', 'IS NULL');
		push @with, $side->{with} if $side->{with};
		my $as = "$side->{from} AS $a" . ($side->{names} // '');
		if ($kind =~ /EXISTS/) { push @where, "$kind (SELECT FROM $as WHERE $side->{on})"; next; }
		push @{ $scope->{columns} }, @{ $side->{columns} };
		my $on = $side->{on} . (chance(0.2) ? ' AND ' . pick(simple_predicate($scope), (map { "t.id % 100 > $_->{sql}" } grep { $_->{type} eq 'int4' } @{ $side->{columns} })) : '');
		$from .= ($kind eq 'JOIN' ? ' JOIN' : ' LEFT JOIN') . " $as ON $on";
		push @where, "$side->{columns}[-1]{sql} IS NULL" if $kind eq 'IS NULL';
	}
	# of an anti join PostgreSQL expects a row, and reads a side that is one aggregate anew for each that there is
	return lookups() if $from =~ /\(SELECT max\(s\.k\)/ && grep { /^NOT EXISTS|IS NULL$/ } @where;
	my $q = { kind => 'lookup', from => $from, where => \@where, with => @with ? 'WITH ' . join(', ', @with) . ' ' : '' };
	push @where, 't.i4s >= d.k - 40' if $outer && $table =~ /^[wv]$/ && chance(0.5);
	my %seen;
	my @keys = grep { !$seen{ $_->{sql} }++ } map { chance(0.7) ? column_of($scope, @key_types) : expression($scope, 1) } 1 .. pick(0, 1, 1, 2, 2);
	@{$q}{qw(group select)} = (\@keys, [ key_items(@keys), map { native_aggregate($scope) } 1 .. number(1, 4) ]);
	$q->{having} = [ having($scope) ] if chance(0.15) && @keys;
	total_order($q, $scope, @keys) if @keys && chance(0.6);
	if ($outer)
	{
		return lookups() if grep { defined $_->{near} } @{ $q->{select} };
		my $to = pick(42, 44);
		my $join = pick('CROSS JOIN LATERAL', 'LEFT JOIN LATERAL');
		delete $q->{ordered};
		$q->{wrap} = sub { "SELECT d.k, l::text FROM dk AS d $join ($_[0]) AS l" . ($join =~ /LEFT/ ? ' ON true' : '') . " WHERE d.k BETWEEN 38 AND $to" };
	}
	return $q;
}

# ORDER BY an aggregate or a key, then all keys, so that equal values alone change places; LIMIT.
sub total_order
{
	my ($q, $scope, @keys) = @_;
	my $first = native_aggregate($scope);
	$first = undef if defined $first->{near} || $first->{sql} =~ /jsonb|\+ 0::float8/ || chance(0.35);
	@{$q}{qw(order limit ordered)} = ([ $first ? { sql => $first->{sql} . direction() } : (), map { { sql => $_->{sql} . direction(), of => $_ } } @keys ],
		' LIMIT ' . pick(1, 3, 10, 10, 10, number(0, 60), 3000) . pick('', '', ' OFFSET ' . pick(0, 2, 30)), 1);
	return;
}

# Groups of which the first are wanted.
sub first_groups
{
	my ($from, $scope) = source(0.1);
	my %seen;
	my @keys = grep { !$seen{ $_->{sql} }++ } map { chance(0.7) ? column_of($scope, @key_types) : expression($scope, 1) } 1 .. pick(1, 1, 2, 3);
	my $q = { kind => 'first groups', from => $from, where => conditions($scope), group => \@keys, select => [ key_items(@keys), map { native_aggregate($scope) } 1 .. number(0, 3) ] };
	$q->{having} = [ having($scope) ] if chance(0.25);
	total_order($q, $scope, @keys);
	return $q;
}

sub correlated
{
	my $inner = scope_of(pick(qw(w v p m)), 't');
	my $a = aggregate($inner, 1);
	my @where = ('t.k = d.k', some(0.5, predicate($inner), 't.id < ' . number(1, $tables{ $inner->{table} }{rows})));
	push @where, 't.k > d.grp' if chance(0.3);
	my $on = join(' AND ', @where);
	my $limit = number(1, 3);
	my $o = column_of($inner, qw(int4 date text numeric));
	my $q = { kind => 'correlated', from => 'dk AS d', where => [ 'd.k BETWEEN ' . (40 - number(1, 12)) . ' AND 42', chance(0.3) ? 'd.grp < ' . number(1, 9) : () ] };
	my $form = number(1, 6);
	if ($form == 1) { $q->{select} = [ { sql => 'd.k' }, { sql => "(SELECT $a->{sql} FROM $inner->{table} AS t WHERE $on)", near => $a->{near} } ]; }
	elsif ($form == 2) { $q->{select} = [ { sql => 'd.k' } ]; push @{ $q->{where} }, pick('', 'NOT ') . "EXISTS (SELECT FROM $inner->{table} AS t WHERE $on)"; }
	elsif ($form == 3) { $q->{from} .= " CROSS JOIN LATERAL (SELECT $a->{sql} AS x, count(*) AS n FROM $inner->{table} AS t WHERE $on) AS l"; $q->{select} = [ { sql => 'd.k' }, { sql => 'l.x', near => $a->{near} }, { sql => 'l.n' } ]; }
	elsif ($form == 4) { $q->{from} .= pick(' CROSS JOIN LATERAL', ' LEFT JOIN LATERAL') . " (SELECT t.id, $o->{sql} AS x FROM $inner->{table} AS t WHERE $on ORDER BY $o->{sql} DESC, t.id LIMIT $limit) AS l"; $q->{from} .= ' ON true' if $q->{from} =~ /LEFT/; $q->{select} = [ { sql => 'd.k' }, { sql => 'l.id' }, { sql => 'l.x' } ]; }
	elsif ($form == 5) { $q->{select} = [ { sql => 'd.k' }, { sql => "ARRAY(SELECT t.id FROM $inner->{table} AS t WHERE $on ORDER BY t.id DESC LIMIT 5)" } ]; }
	else
	{
		my $key = pick('t.k', 't.id % 5', $o->{sql});
		$q->{select} = [ { sql => 'd.k' }, { sql => 'l.n' } ];
		$q->{from} .= " CROSS JOIN LATERAL (SELECT $key AS y, count(*) AS n FROM $inner->{table} AS t WHERE $on GROUP BY 1) AS l";
	}
	return $q;
}

sub common_table
{
	my $inner = scope_of(some_table(), 't');
	my @a = map { aggregate($inner, 1) } 1 .. 2;
	my $where = conditions($inner);
	my $with = 'WITH g AS ' . pick('', 'MATERIALIZED ', 'NOT MATERIALIZED ') . "(SELECT t.k, $a[0]{sql} AS x, $a[1]{sql} AS y, count(*) AS n FROM $inner->{table} AS t" . (@$where ? ' WHERE ' . join(' AND ', @$where) : '') . ' GROUP BY t.k) ';
	return { kind => 'with', with => $with, from => pick('g', 'g JOIN dk ON dk.k = g.k', 'g LEFT JOIN dk ON dk.k = g.k AND dk.grp < 5', 'g JOIN g AS g2 ON g2.k = g.k + 1'), where => chance(0.4) ? [ 'g.n > ' . number(0, 200) ] : [],
		select => [ { sql => 'g.k' }, { sql => 'g.x', near => $a[0]{near} }, { sql => 'g.y', near => $a[1]{near} }, { sql => 'g.n' } ] };
}

sub nested
{
	my ($from, $scope) = source(0.05);
	my @keys = keys_of($scope, 1);
	my $number = column_of($scope, qw(int4 int2));
	my $form = number(1, 9);
	# in no order, but not more than so many
	return { kind => 'nested', from => $from, where => conditions($scope), select => [ { sql => "$keys[0]{sql} AS c1" } ], limit => ' LIMIT ' . pick(1, 10, 100, 2100, 5000) . pick('', ' OFFSET 50'), wrap => sub { "SELECT count(*) FROM ($_[0]) AS d" } } if $form == 9;
	if ($form <= 4)
	{
		my $q = { kind => 'nested', from => $from, where => conditions($scope), select => [ { sql => "$number->{sql} AS n" }, { sql => 't.k' }, { sql => "$keys[0]{sql} AS c1" } ] };
		my $outer = pick('count(*), sum(n), min(k), count(c1)', 'count(*), count(DISTINCT c1), max(n)', 'sum(k), count(n)');
		if ($form <= 2) { @{$q}{qw(order limit)} = (order_by($scope, @keys), pick(' LIMIT 100', ' LIMIT 3000', '', ' OFFSET 2000')); }
		elsif ($form == 3) { push @{ $q->{select} }, { sql => 'generate_series(1, t.k % 4) AS g' }; }
		else { $q->{limit} = ' OFFSET 0'; }
		$q->{wrap} = chance(0.5) ? sub { "SELECT $outer FROM ($_[0]) AS d" } : sub { "SELECT k, $outer FROM ($_[0]) AS d GROUP BY k" };
		return $q;
	}
	my $q = { kind => 'nested', from => $from, where => conditions($scope), group => \@keys, select => [ { sql => "$keys[0]{sql} AS c1" }, { sql => 'count(*) AS n' }, { sql => "sum($number->{sql}) AS s" }, { sql => "count(DISTINCT $number->{sql}) AS m" } ] };
	$q->{wrap} = sub { "SELECT count(*), sum(n), max(s), min(m), avg(n), count(c1) FROM ($_[0]) AS d" };
	$q->{wrap} = sub { "SELECT n, count(*), sum(s), max(m) FROM ($_[0]) AS d GROUP BY n ORDER BY n" } if chance(0.4);
	return $q;
}

# Groups of groups.
sub regrouped
{
	my $inner = scope_of(pick(qw(w w v v p p m)), 's');
	my %seen;
	my @keys = grep { !$seen{ $_->{sql} }++ } map { column_of($inner, @key_types) } 1 .. pick(0, 1, 1, 1, 2, 2);
	my $ordered = column_of($inner, qw(int2 int4 int8 date timestamp timestamptz));
	my $whole = column_of($inner, qw(int4 int2));
	my $numeric = column_of($inner, qw(numeric)) // $whole;
	my $n = 0;
	my @columns = ((map { { %$_, inner => $_->{sql}, sql => 't.c' . ++$n } } @keys),
		{ %$ordered, inner => pick('min', 'max') . "($ordered->{sql})", sql => 't.x' },
		{ inner => "max($ordered->{sql})", sql => 't.y', type => $ordered->{type}, const => $ordered->{const} },
		{ inner => pick('count(*)', "count($numeric->{sql})", "count(DISTINCT $whole->{sql})"), sql => 't.n', type => 'int8', small => 1, const => sub { number(0, 300) } },
		{ inner => "sum($whole->{sql})", sql => 't.s', type => 'int8', const => sub { number(0, 9000) } },
		{ inner => pick("avg($numeric->{sql})", "sum($numeric->{sql})", "max($numeric->{sql}) + 1"), sql => 't.v', type => 'numeric' },
		{ inner => pick("min(s.k)", "max(s.k) - min(s.k)"), sql => 't.k', type => 'int4', small => 1, const => sub { number(0, 40) } });
	my $from = '(SELECT ' . join(', ', map { "$_->{inner} AS " . substr($_->{sql}, 2) } @columns) . " FROM $inner->{table} AS s";
	$from .= ' WHERE ' . join(' AND ', some(0.7, 's.id > ' . number(0, 4000), simple_predicate($inner)));
	$from .= ' GROUP BY ' . join(', ', map { $_->{sql} } @keys) if @keys;
	$from .= ' HAVING count(*) > ' . number(0, 50) if chance(0.2);
	# of which the outer query reads some only
	my $scope = { table => 'u', alias => 't', keys => ['t.n'], columns => \@columns };
	my $q = { kind => 'regrouped', from => "$from) AS t", where => chance(0.25) ? [ simple_predicate($scope) ] : [] };
	%seen = ();
	my @outer = grep { !$seen{ $_->{sql} }++ } map { chance(0.7) ? column_of($scope, @key_types) : expression($scope, 1) } 1 .. pick(0, 0, 1, 1, 2);
	my @aggregates = map { native_aggregate($scope) } 1 .. number(1, 4);
	# which of 1.0 and 1.00 a group is known by is not said
	my @numerics = map { $_->{type} eq 'numeric' && $_->{sql} =~ /^t\.c/ ? quotemeta($_->{sql}) : () } @columns;
	foreach my $aggregate (@aggregates) { $aggregate->{sql} = "trim_scale($aggregate->{sql})" if grep { $aggregate->{sql} =~ /^(sum|avg|stddev|var)\w*\(.*$_\b/ } @numerics; }
	push @aggregates, { sql => pick('sum', 'avg', 'max') . '(' . pick('', 'floor') . '(extract(epoch FROM t.y - t.x))) FILTER (WHERE isfinite(t.x) AND isfinite(t.y))' } if $ordered->{type} =~ /^timestamp/ && chance(0.5);
	@{$q}{qw(group select)} = (\@outer, [ key_items(@outer), @aggregates ]);
	$q->{having} = [ having($scope) ] if chance(0.15) && @outer;
	if (@outer && chance(0.15)) { @{$q}{qw(select group having distinct)} = ([ map { { sql => normal($_) } } @outer ], undef, undef, 'DISTINCT '); }
	total_order($q, $scope, @outer) if @outer && $q->{group} && chance(0.4);
	return $q;
}

# By way of COPY, and of a loop of PL/pgSQL.
sub by_other_ways
{
	my $q = chance(0.5) ? top() : plain();
	$q->{kind} = 'other way';
	my $format = pick('', ' (FORMAT csv)');
	$q->{script} = $q->{ordered} && chance(0.5) ? sub { return { %{ $_[0] }, sql => "COPY ($_[0]->{sql}) TO STDOUT$format" } } : sub { return { %{ $_[0] }, sql => "SELECT loop_over(\$q\$$_[0]->{sql}\$q\$)" } };
	return $q;
}

sub some_query { my $q = pick(\&plain, \&aggregates, \&metadata, \&grouped, \&top, \&distinct, \&joined)->(); return $q->{where} ? $q : some_query(); }

# Conditions with parameters: pushes their types and adds to WHERE.
sub parametrise
{
	my ($q, $scope) = @_;
	my (@types, @columns);
	my $param = sub { my ($c, $type) = @_; push @types, $type // $c->{type}; push @columns, $c; return '$' . scalar(@types) . (($c->{coll} // '') =~ /nd/ ? '' : ''); };
	foreach (1 .. number(1, 3))
	{
		my $c = column_of($scope);
		my $x = $c->{sql};
		my $what = number(1, 8);
		if ($what <= 3) { push @{ $q->{where} }, "$x " . pick('=', '<', '>=', '<>') . ' ' . $param->($c); }
		elsif ($what == 4) { push @{ $q->{where} }, "$x BETWEEN " . $param->($c) . ' AND ' . $param->($c); }
		elsif ($what == 5) { push @{ $q->{where} }, "$x IN (" . $param->($c) . ', ' . $param->($c) . ')'; }
		elsif ($what == 6) { my $p = $param->($c); push @{ $q->{where} }, "($p IS NULL OR $x = $p)"; }
		elsif ($what == 7) { push @{ $q->{where} }, "$x IS NOT DISTINCT FROM " . $param->($c); }
		elsif ($c->{type} ne 'int4[]') { push @{ $q->{where} }, "$x = ANY (" . $param->({ %$c, array => 1 }, ($c->{type} eq 'bpchar' ? 'bpchar' : $c->{type}) . '[]') . ')'; }
	}
	return (\@types, \@columns);
}

sub argument
{
	my ($c) = @_;
	return 'NULL' if chance(0.12);
	return 'ARRAY[' . join(', ', map { chance(0.1) ? 'NULL' : constant($c) . "::$c->{type}" } 1 .. number(1, 4)) . "]::$c->{type}\[]" if $c->{array};
	return constant($c);
}

sub prepared
{
	my $q = some_query();
	my ($table) = $q->{from} =~ /^(?:ONLY )?(\w+) AS t/;
	my ($types, $columns) = parametrise($q, scope_of($table, 't'));
	return prepared() if !@$types;
	my $limited = ($q->{limit} // '') =~ /^ LIMIT \d+$/ && chance(0.5);
	if ($limited) { push @$types, 'int8'; $q->{limit} = ' LIMIT $' . scalar(@$types); }
	my @calls = map { join(', ', (map { argument($_) } @$columns), $limited ? pick('NULL', number(0, 50)) : ()) } 1 .. 10;
	my $mode = pick('auto', 'auto', 'force_generic_plan', 'force_custom_plan');
	$q->{kind} = 'prepared';
	# between the calls rows change, and the table does
	my %between = map { number(1, 9) => change_rows(pick($table =~ /^[wvp]$/ ? $table : (), qw(w v))) } 1 .. 2;
	%between = () if chance(0.6);
	$between{ number(1, 9) } = pick("ALTER TABLE $table ADD COLUMN zz int4 DEFAULT 3", "ALTER TABLE $table ADD COLUMN zz text", "ANALYZE $table", "CREATE INDEX ON $table (k)") if %between && $table ne 'u';
	if (%between)
	{
		$q->{script} = sub {
			my ($main) = @_;
			return ({ sql => 'BEGIN' }, { sql => "SET plan_cache_mode = $mode" }, { sql => 'PREPARE p(' . join(', ', @$types) . ") AS $main->{sql}", look => 1 }, (map { ({ %$main, sql => "EXECUTE p($calls[$_])", main => 0 }, $between{$_} ? { sql => $between{$_} } : ()) } 0 .. 9), { sql => 'ROLLBACK' }, { sql => 'DEALLOCATE ALL' });
		};
		return $q;
	}
	$q->{script} = sub {
		my ($main) = @_;
		return ({ sql => "SET plan_cache_mode = $mode" }, { sql => 'PREPARE p(' . join(', ', @$types) . ") AS $main->{sql}", look => 1 }, (map { { %$main, sql => "EXECUTE p($_)", main => 0 } } @calls), { sql => 'DEALLOCATE ALL' });
	};
	return $q;
}

sub cursor
{
	my $q = chance(0.6) ? top() : some_query();
	$q->{limit} = '' if chance(0.7);
	$q->{kind} = 'cursor';
	my $hold = chance(0.4);
	my $scroll = pick('SCROLL ', 'SCROLL ', 'NO SCROLL ', '');
	my @steps;
	if ($q->{ordered} && $scroll eq 'SCROLL ')
	{
		@steps = map { { sql => pick('FETCH ' . number(1, 40), 'FETCH BACKWARD ' . number(1, 20), 'MOVE FORWARD ' . number(1, 300), 'MOVE BACKWARD ' . number(1, 300), 'FETCH ABSOLUTE ' . number(-5, 50), 'FETCH RELATIVE ' . number(-9, 9), 'FETCH LAST', 'FETCH PRIOR', 'FETCH FIRST', 'FETCH NEXT', 'FETCH BACKWARD ALL', 'MOVE ALL'), piece => 1 } } 1 .. number(3, 9);
	}
	elsif ($q->{ordered}) { @steps = map { { sql => pick('FETCH ' . number(1, 40), 'MOVE FORWARD ' . number(1, 300)), piece => 1 } } 1 .. number(1, 4); }
	# in no order: whatever way one goes through it, these rows come
	push @steps, { sql => 'MOVE BACKWARD ALL' }, { sql => 'FETCH ALL', piece => 1 }, { sql => 'FETCH BACKWARD ALL', piece => 1 } if $scroll eq 'SCROLL ';
	push @steps, { sql => 'FETCH ALL', piece => 1 } if $scroll ne 'SCROLL ' || chance(0.5);
	# a cursor sees nothing of what comes after it
	if (chance(0.3) && !$hold)
	{
		splice(@steps, number(0, scalar(@steps)), 0, { other => change_rows() });
		my $at = number(0, scalar(@steps));
		splice(@steps, $at, 0, { other => 'SAVEPOINT s1' }, { other => change_rows() }, $steps[0]{other} ? () : $steps[0], { other => 'ROLLBACK TO s1' });
	}
	my $commit_at = $hold ? number(0, $#steps) : -1;
	$q->{script} = sub {
		my ($main) = @_;
		my @list = ({ sql => 'BEGIN' }, { sql => "DECLARE cu ${scroll}CURSOR " . ($hold ? 'WITH HOLD ' : '') . "FOR $main->{sql}", look => 1 });
		foreach my $i (0 .. $#steps)
		{
			push @list, { sql => 'COMMIT' } if $i == $commit_at;
			if ($steps[$i]{other}) { push @list, { sql => $steps[$i]{other} }; next; }
			push @list, $steps[$i]{piece} ? { %$main, sql => "$steps[$i]{sql} FROM cu", main => 0 } : { sql => "$steps[$i]{sql} FROM cu" };
		}
		return (@list, { sql => 'CLOSE ALL' }, { sql => (grep { $_->{other} } @steps) ? 'ROLLBACK' : 'COMMIT' });
	};
	return $q;
}

# Rows that the caller may not see must not reach functions that could tell of them.
sub secured
{
	my $q = some_query();
	my ($table) = $q->{from} =~ /^(?:ONLY )?(\w+) AS t/;
	return secured() if $table =~ /^[eu]$/ || $q->{from} =~ /TABLESAMPLE/ || $q->{from} =~ /JOIN [wvpmeu] /;
	my $view = chance(0.4);
	$q->{from} =~ s/^(?:ONLY )?(\w+) AS t/s_$1 AS t/ if $view;
	my $trap = pick('spy(t.k)', '100 / (t.k % 3 - 1) <> 7', 'spy(t.k)', 'spy(t.k) AND t.id > 5');
	splice(@{ $q->{where} }, number(0, scalar(@{ $q->{where} })), 0, $trap);
	@{ $q->{where} } = map { /\(SELECT/ ? 'true' : $_ } @{ $q->{where} };
	$q->{kind} = 'secured';
	$q->{script} = sub { return $_[0]; } if $view;
	$q->{script} = sub { return ({ sql => 'SET ROLE hanzo_reader' }, $_[0], { sql => 'RESET ROLE' }); } if !$view;
	return $q;
}

# What fails for a heap fails for a columnar table with the same code. Guarded, it does not fail.
sub failing
{
	my $scope = scope_of(some_table(), 't');
	my $x = error_expression($scope);
	my $simple = 't.id ' . pick('<', '>', '%') . ' ' . number(1, $tables{ $scope->{table} }{rows} + 1);
	$simple .= ' = 1' if $simple =~ /%/;
	my $q = { kind => 'error', from => "$scope->{table} AS t", where => [], select => [ { sql => 'count(*)' } ] };
	my $form = number(1, 6);
	if ($form == 1) { $q->{select} = [ { sql => "count($x)" }, { sql => 'count(*)' } ]; $q->{where} = [$simple]; }
	elsif ($form == 2) { $q->{select} = [ { sql => 't.id' }, { sql => $x } ]; $q->{where} = [$simple]; }
	elsif ($form == 3) { $q->{where} = [ "$x IS NOT NULL" ]; }
	elsif ($form == 4) { $q->{select} = [ { sql => "count(*) FILTER (WHERE $simple AND $x IS NOT NULL)" } ]; $q->{select} = [ { sql => "count($x) FILTER (WHERE $simple)" } ]; }
	elsif ($form == 5) { my $key = { sql => "$x IS NULL", type => 'bool' }; @{$q}{qw(group select where)} = ([$key], [ { sql => "$x IS NULL", of => $key }, { sql => 'count(*)' } ], [$simple]); }
	else
	{
		my ($c) = grep { $_->{small} && $_->{type} ne 'int8' } @{ $scope->{columns} };
		my $n = number(0, 40);
		$q->{kind} = 'guarded';
		$q->{where} = [ pick("CASE WHEN $c->{sql} <> $n THEN 100 / ($c->{sql} - $n) > 3 END", "$c->{sql} <> $n AND 100 / ($c->{sql} - $n) > 3", "($c->{sql} = $n OR 100 / ($c->{sql} - $n) > 3)", "coalesce(100 / nullif($c->{sql} - $n, 0), 5) > 3") ];
		$q->{select} = [ { sql => 'count(*)' }, { sql => "sum(CASE WHEN $c->{sql} = $n THEN 0 ELSE 1000 / ($c->{sql} - $n) END)" } ];
	}
	return $q;
}

# ---- Changes

# A statement that changes rows of a table.
sub change_rows
{
	my ($table) = @_;
	$table //= pick(qw(w w v p p));
	my $rows = $tables{$table}{rows};
	my $from = number(1, $rows);
	my $range = pick("id BETWEEN $from AND " . ($from + pick(0, 5, 100, 900)), 'k = ' . number(0, 39), "id % 37 = " . number(0, 36), 'k = ' . number(0, 39) . ' AND id % 3 = 0');
	return "DELETE FROM $table WHERE $range" if chance(0.3);
	if (chance(0.4))
	{
		my $shift = $next_id;
		$next_id += 100000;
		my @names = map { $_->{name} } @{ $tables{$table}{columns} };
		return "INSERT INTO $table (id, " . join(', ', @names) . ") SELECT id + $shift, " . join(', ', @names) . " FROM $table WHERE $range AND id < 100000 ORDER BY id";
	}
	return "UPDATE $table SET " . ($table eq 'p' ? pick('n8 = n8 + 1', 'at = at + 31', "name = name || 'u'", 'v = NULL, k = k + 1') : pick('i4s = k, tl = NULL', 'k = (k + 1) % 40', "th = repeat('up', 700), f8 = f8d", 'n = n4, d = d + 1', 'b = NOT b, j = NULL')) . " WHERE $range";
}

# The statement's own transaction has changed rows: they count, and no metadata tells of them.
sub changed
{
	my $q = chance(0.3) ? metadata() : some_query();
	my ($table) = $q->{from} =~ /^(?:ONLY )?(\w+) AS t/;
	my @before = map { { sql => change_rows($table =~ /^[wvp]$/ && chance(0.8) ? $table : undef) } } 1 .. number(1, 3);
	if (chance(0.4)) { splice(@before, number(0, scalar(@before)), 0, { sql => 'SAVEPOINT s1' }, { sql => change_rows() }, { sql => 'ROLLBACK TO s1' }); }
	my $again = chance(0.3) ? { sql => change_rows() } : undef;
	$q->{kind} = 'changed';
	$q->{script} = sub { return ({ sql => 'BEGIN' }, @before, $_[0], $again ? ($again, { %{ $_[0] }, main => 0 }) : (), { sql => 'ROLLBACK' }); };
	return $q;
}

# Others have changed rows since the snapshot was taken: `meanwhile` are their statements.
sub snapshot
{
	my $q = chance(0.4) ? metadata() : some_query();
	my ($table) = $q->{from} =~ /^(?:ONLY )?(\w+) AS t/;
	$q->{kind} = 'snapshot';
	# no transaction of its own
	delete $q->{script};
	$q->{meanwhile} = [ map { change_rows($table =~ /^[wvp]$/ && chance(0.8) ? $table : undef) } 1 .. number(1, 3) ];
	return $q;
}

my @kinds = ([ 14, \&plain ], [ 12, \&aggregates ], [ 10, \&metadata ], [ 18, \&grouped ], [ 4, \&sets ], [ 7, \&distinct ], [ 10, \&top ], [ 5, \&window ], [ 7, \&joined ], [ 12, \&lookups ], [ 6, \&first_groups ], [ 5, \&set_operation ], [ 6, \&correlated ],
	[ 4, \&common_table ], [ 5, \&nested ], [ 8, \&regrouped ], [ 3, \&by_other_ways ], [ 6, \&prepared ], [ 4, \&cursor ], [ 5, \&secured ], [ 6, \&failing ], [ 4, \&changed ], [ 3, \&snapshot ]);

sub some_kind
{
	my $sum = 0;
	$sum += $_->[0] foreach @kinds;
	my $at = rand($sum);
	foreach my $kind (@kinds) { return $kind->[1]->() if ($at -= $kind->[0]) < 0; }
	return plain();
}

sub make_query
{
	my $q = some_kind();
	my $wanted = $ENV{HANZO_QUERY_KIND} // '';
	$q = some_kind() while $q->{kind} !~ /$wanted/;
	return $q;
}

1;
