# The dashboards of docker/grafana: their JSON is sound, and every query of a panel or variable, expanded as Grafana's PostgreSQL data source
# does, is answered for hanzo_analytics_ro from generated rows, with columns that fit the panel. Times are printed, not compared.
use strict;
use warnings;
use IPC::Run qw(run);
use JSON::PP;
use POSIX qw(strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tmp = $PostgreSQL::Test::Utils::tmp_check;

sub slurp
{
	my ($file) = @_;
	open(my $handle, '<:raw', $file) or die "cannot read $file: $!";
	local $/;
	return scalar <$handle>;
}

# ---- What is in the files

my %dashboards;
foreach my $file (glob('docker/grafana/dashboards/*.json'))
{
	my $dashboard = eval { JSON::PP->new->utf8->decode(slurp($file)) };
	ok($dashboard, "$file is JSON") or diag($@);
	$dashboards{$file} = $dashboard if $dashboard;
}
is(scalar(keys %dashboards), 4, 'four dashboards');

my $source = slurp('docker/grafana/provisioning/datasources/hanzo.yml');
my ($source_uid) = $source =~ /^\s*uid: (\S+)$/m;
my ($source_type) = $source =~ /^\s*type: (\S+)$/m;
like($source, qr/^\s*user: hanzo_analytics_ro$/m, 'the data source reads as hanzo_analytics_ro');
like($source, qr/^\s*timescaledb: false$/m, 'and knows what it talks to');

sub overlap
{
	my ($a, $b) = map { $_->{gridPos} } @_;
	return $a->{x} < $b->{x} + $b->{w} && $b->{x} < $a->{x} + $a->{w} && $a->{y} < $b->{y} + $b->{h} && $b->{y} < $a->{y} + $a->{h};
}

my %uids;
foreach my $file (sort keys %dashboards)
{
	my $dashboard = $dashboards{$file};
	my @panels = @{ $dashboard->{panels} };
	my (@wrong, %ids);
	push(@wrong, "uid $dashboard->{uid} is another dashboard's, too") if $uids{ $dashboard->{uid} }++;
	foreach my $key (qw(uid title description schemaVersion time refresh templating annotations))
	{
		push(@wrong, "no $key") if !defined $dashboard->{$key};
	}
	push(@wrong, 'an id of a database, which provisioning gives') if defined $dashboard->{id};
	foreach my $i (0 .. $#panels)
	{
		my $panel = $panels[$i];
		my $name = "panel \"$panel->{title}\"";
		my $place = $panel->{gridPos};
		push(@wrong, "$name: id $panel->{id} is taken") if $ids{ $panel->{id} }++;
		push(@wrong, "$name lies outside the grid") if $place->{x} < 0 || $place->{w} < 1 || $place->{x} + $place->{w} > 24 || $place->{h} < 1;
		foreach my $other (@panels[$i + 1 .. $#panels])
		{
			push(@wrong, "$name lies over \"$other->{title}\"") if overlap($panel, $other);
		}
		next if $panel->{type} eq 'row';
		push(@wrong, "$name has no description") if !length($panel->{description} // '');
		push(@wrong, "$name has no queries") if !@{ $panel->{targets} // [] };
		my %refs;
		foreach my $target (@{ $panel->{targets} // [] })
		{
			push(@wrong, "$name: refId is missing or there twice") if !defined $target->{refId} || $refs{ $target->{refId} }++;
			push(@wrong, "$name: no rawSql") if !length($target->{rawSql} // '');
			push(@wrong, "$name: rawQuery is not set, so Grafana would build a query of its own") if !$target->{rawQuery};
			push(@wrong, "$name: format is neither table nor time_series") if ($target->{format} // '') !~ /^(table|time_series)$/;
			push(@wrong, "$name: a time series needs time_series") if $panel->{type} eq 'timeseries' && $target->{format} ne 'time_series';
		}
		foreach my $user ($panel, @{ $panel->{targets} // [] })
		{
			my $asks = $user->{datasource} // {};
			push(@wrong, "$name asks another data source") if ($asks->{uid} // '') ne $source_uid || ($asks->{type} // '') ne $source_type;
		}
	}
	foreach my $variable (@{ $dashboard->{templating}{list} })
	{
		push(@wrong, "variable $variable->{name}: label or query missing") if !length($variable->{label} // '') || !length($variable->{query} // '');
		push(@wrong, "variable $variable->{name} is not used")
			if !grep { ($_->{rawSql} // '') =~ /\$\{$variable->{name}:/ } map { @{ $_->{targets} // [] } } @panels;
	}
	is(join("\n", @wrong), '', "$file is sound");
}

# ---- Grafana's part: variables, interval, macros

# sqlstring: values in quotes, joined by commas.
sub sqlstring { return join(',', map { my $v = $_; $v =~ s/'/''/g; "'$v'" } @_) }

sub seconds_of
{
	my ($text) = @_;
	my %unit = (s => 1, m => 60, h => 3600, d => 86400, w => 604800);
	my ($n, $unit) = $text =~ /^(\d+)([smhdw])$/ or die "no interval: $text";
	return $n * $unit{$unit};
}

# A thousand points over the range, rounded as Grafana does, at least the panel's own interval.
sub interval
{
	my ($range, $minimum) = @_;
	my $wanted = $range / 1000;
	my $interval = 86400;
	foreach my $step ([1.5, 1], [3.5, 2], [7.5, 5], [12.5, 10], [17.5, 15], [25, 20], [45, 30], [90, 60], [210, 120], [450, 300], [750, 600],
		[1050, 900], [1500, 1200], [2700, 1800], [5400, 3600], [9000, 7200], [16200, 10800], [32400, 21600], [86400, 43200])
	{
		if ($wanted < $step->[0]) { $interval = $step->[1]; last }
	}
	$interval = $minimum if $interval < $minimum;
	foreach my $unit ([86400, 'd'], [3600, 'h'], [60, 'm'])
	{
		return $interval / $unit->[0] . $unit->[1] if $interval % $unit->[0] == 0;
	}
	return "${interval}s";
}

sub rfc3339 { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(shift)) }

sub macro
{
	my ($name, $from, $to, @arguments) = @_;
	my ($since, $until) = map { "'" . rfc3339($_) . "'" } $from, $to;
	return "$arguments[0] BETWEEN $since AND $until" if $name eq '__timeFilter';
	return $since if $name eq '__timeFrom';
	return $until if $name eq '__timeTo';
	return "$arguments[0] AS \"time\"" if $name eq '__time';
	if ($name =~ /^__timeGroup(Alias)?$/)
	{
		my $alias = $1 ? ' AS "time"' : '';
		die "$name needs a column and an interval" if @arguments < 2;
		my $seconds = seconds_of($arguments[1] =~ tr/'//dr);
		return "floor(extract(epoch from $arguments[0])/$seconds)*$seconds$alias";
	}
	die "unknown macro $name";
}

sub expand
{
	my ($sql, $values, $from, $to, $minimum) = @_;
	$sql =~ s/\$\{(\w+):sqlstring\}/defined $values->{$1} ? sqlstring(@{ $values->{$1} }) : die "no variable $1"/ge;
	my $interval = interval($to - $from, $minimum);
	my $ms = 1000 * seconds_of($interval);
	$sql =~ s/\$__interval_ms/$ms/g;
	$sql =~ s/\$__interval/$interval/g;
	$sql =~ s/\$__unixEpochFrom\(\)/$from/g;
	$sql =~ s/\$__unixEpochTo\(\)/$to/g;
	# Arguments end at the first closing parenthesis, whatever opens between; a comma behind $__timeGroup makes it $__timeGroupAlias.
	my $whole = $sql;
	$sql =~ s{\$(\w+)\(([^)]*)\)}
	{
		my ($name, $call, @arguments) = ($1, $&, map { s/^ +| +$//gr } split(/,/, $2));
		$name = '__timeGroupAlias' if $name eq '__timeGroup' && substr($whole, index($whole, $call) + length($call), 1) eq ',';
		macro($name, $from, $to, @arguments);
	}ge;
	die "not expanded: $1" if $sql =~ /(\$\{?[A-Za-z_]\w*)/;
	return $sql;
}

is(expand('$__timeGroup(a, $__interval), $__timeFilter(a)', {}, 0, 86400, 3600),
	q{floor(extract(epoch from a)/3600)*3600 AS "time", a BETWEEN '1970-01-01T00:00:00Z' AND '1970-01-02T00:00:00Z'}, 'macros');
is(expand('x IN (${v:sqlstring}) AND t < $__timeTo()', { v => [ 'a', "o'b" ] }, 0, 60, 1), q{x IN ('a','o''b') AND t < '1970-01-01T00:01:00Z'}, 'variables');
ok(!eval { expand('$__timeGruop(a, 1h)', {}, 0, 60, 1) }, 'a macro that does not exist');

# ---- Rows: the world of bench/generate, which ends today

my $generate = "$tmp/generate";
my $built = '';
run([ 'cc', '-std=gnu11', '-O1', '-I.', '-o', $generate, glob('bench/generate*.c'), '-lm' ], '>&', \$built) or die "bench/generate does not build:\n$built";

my $node = PostgreSQL::Test::Cluster->new('grafana');
$node->init;
$node->append_conf('postgresql.conf', "max_locks_per_transaction = 256\njit = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION hanzo_datastore;
	SELECT hanzo_datastore.create_hanzo_schema(2, 1);
	ALTER ROLE hanzo_analytics_ro LOGIN;
});

# The period ends at midnight, so that each day of it is whole. Samples are many for a day: two days are enough for them.
my $day = 86400;
my $to = int(time / $day) * $day;
my %rows = (
	organizations => [], projects => [], model_catalog => [],
	website_events => [30000, 14], business_events => [4000, 14], ai_traces => [4000, 28], ai_observations => [10000, 28, 4000], ai_scores => [4000, 28, 4000],
	api_metrics => [15000, 2], base_metrics => [60000, 2], app_metrics => [60000, 2]);
foreach my $table (sort keys %rows)
{
	my ($rows, $days, $parents) = @{ $rows{$table} };
	my @options = $rows ? ('--rows', $rows, '--days', $days, '--start', strftime('%Y-%m-%d', gmtime($to - $days * $day))) : ();
	push(@options, '--parents', $parents) if $parents;
	my $columns = `$generate --columns $table`;
	$columns =~ s/(\w+)/"$1"/g;
	chomp $columns;
	run([ $generate, $table, @options ], '|', [ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-v', 'ON_ERROR_STOP=1', '-c',
		"COPY hanzo.$table ($columns) FROM STDIN" ])
		or die "cannot load $table";
}
# Twice: rows of before the first partition go to their own, then rollups are stored.
for (1 .. 2)
{
	$node->safe_psql('postgres', 'CALL hanzo_datastore.maintain(); UPDATE hanzo_datastore.maintenance_state SET next_run = NULL');
}
$node->safe_psql('postgres', 'VACUUM ANALYZE');

# ---- Every query

# Runs queries in one session of Grafana's role. For each of them: columns as name and type, rows as lists with undef for NULL, what went wrong, and
# how long it took.
sub ask
{
	my ($database, @queries) = @_;
	my $script = "\\pset null <null>\nSET statement_timeout = '120s'; SET default_transaction_read_only = on;\n\\echo \x1e\n";
	$script .= "$_\n\\gdesc\n\\echo \x1d\n\\timing on\n$_;\n\\timing off\n\\echo \x1d:ERROR:LAST_ERROR_MESSAGE\n\\echo \x1e\n" foreach @queries;
	my (undef, $out) = $node->psql($database, $script, extra_params => [ '-U', 'hanzo_analytics_ro', '-F', "\x1f" ], on_error_stop => 0);
	my @answers;
	foreach my $part (split(/\x1e\n?/, (split(/\x1e\n/, $out, 2))[1]))
	{
		my ($head, $body, $end) = split(/\x1d\n?/, $part);
		my ($ms) = $body =~ /^Time: ([\d.]+) ms.*\n/m;
		$body =~ s/^Time: .*\n//mg;
		push(@answers, {
			columns => [ map { [ split(/\x1f/, $_) ] } split(/\n/, $head) ],
			rows => [ map { [ map { $_ eq '<null>' ? undef : $_ } split(/\x1f/, $_, -1) ] } split(/\n/, $body) ],
			error => $end =~ /^true(.*)/s ? $1 : '',
			ms => $ms });
	}
	die 'the session ended early' if @answers != @queries;
	return @answers;
}

my $number = qr/^(smallint|integer|bigint|real|double precision|numeric.*)$/;

# What keeps a result from being drawn in this panel.
sub misfit
{
	my ($panel, $format, $answer) = @_;
	my ($columns, $rows) = ($answer->{columns}, $answer->{rows});
	my $type = $panel->{type};
	my %place = map { $columns->[$_][0] => $_ } 0 .. $#$columns;
	return 'a column name is there twice' if keys(%place) != @$columns;
	return 'no rows' if !@$rows;
	if ($format eq 'time_series')
	{
		my $time = $place{time} // return 'no column time';
		return "time is $columns->[$time][1]" if $columns->[$time][1] !~ /^timestamp|$number/;
		my @values = grep { $_ != $time && $columns->[$_][0] ne 'metric' } 0 .. $#$columns;
		return 'no column of values' if !@values;
		foreach my $value (@values)
		{
			return "column $columns->[$value][0] is no number" if $columns->[$value][1] !~ $number;
			return "column $columns->[$value][0] is always NULL" if !grep { defined $_->[$value] } @$rows;
		}
		return 'metric is no text' if exists $place{metric} && $columns->[ $place{metric} ][1] ne 'text';
		return 'only one column of values may have the name of a metric' if exists $place{metric} && @values > 1;
		my @times = map { $_->[$time] } @$rows;
		return 'a time is NULL' if grep { !defined } @times;
		return 'not in the order of time'
			if grep { $columns->[$time][1] =~ $number ? $times[ $_ - 1 ] > $times[$_] : $times[ $_ - 1 ] gt $times[$_] } 1 .. $#times;
		return 'a comparison has two rows with a value each' if $type eq 'stat' && (@$rows != 2 || grep { !defined $_->[ $values[0] ] } @$rows);
	}
	elsif ($type eq 'stat')
	{
		return 'a single number is wanted' if @$columns != 1 || @$rows != 1 || $columns->[0][1] !~ $number || !defined $rows->[0][0];
	}
	elsif ($type eq 'bargauge' || $type eq 'piechart')
	{
		return 'a text and a number are wanted' if @$columns != 2 || $columns->[0][1] ne 'text' || $columns->[1][1] !~ $number;
	}
	return '';
}

# The values of a dashboard's variables.
sub values_of
{
	my ($database, $dashboard, $from, $least) = @_;
	my %values;
	my @variables = @{ $dashboard->{templating}{list} };
	my @answers = ask($database, map { expand($_->{query}, {}, $from, $to, 1) } @variables);
	foreach my $i (0 .. $#variables)
	{
		my ($variable, $answer) = ($variables[$i], $answers[$i]);
		my $name = "$dashboard->{title}: variable $variable->{name}";
		is($answer->{error}, '', $name);
		my %place = map { $answer->{columns}[$_][0] => $_ } 0 .. $#{ $answer->{columns} };
		is(join(' ', grep { !/^__(text|value)$/ } keys %place), '', 'has the columns that Grafana knows');
		$values{ $variable->{name} } = [ map { $_->[ $place{__value} // $place{__text} ] } @{ $answer->{rows} } ];
		cmp_ok(scalar(@{ $values{ $variable->{name} } }), '>=', $least, 'and values');
	}
	return \%values;
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION hanzo_datastore; SELECT hanzo_datastore.create_hanzo_schema()');

my (%answers, @times);
foreach my $file (sort keys %dashboards)
{
	my $dashboard = $dashboards{$file};
	my ($n) = $dashboard->{time}{from} =~ /^now-(\d+[mhdw])$/ or die "$file: its period is $dashboard->{time}{from}";
	my $from = $to - seconds_of($n);
	my @panels = grep { $_->{type} ne 'row' } @{ $dashboard->{panels} };
	my @targets = map { my $panel = $_; map { [ $panel, $_, seconds_of($panel->{interval} // '1s') ] } @{ $panel->{targets} } } @panels;
	my $queries = sub { my ($values) = @_; map { expand($_->[1]{rawSql}, $values, $from, $to, $_->[2]) } @targets };

	my $values = values_of('postgres', $dashboard, $from, 2);
	my @answers = ask('postgres', $queries->($values));
	my %names;
	foreach my $i (0 .. $#targets)
	{
		my ($panel, $target) = @{ $targets[$i] };
		my $name = "$dashboard->{title}: $panel->{title} $target->{refId}";
		is($answers[$i]{error}, '', $name) or next;
		is(misfit($panel, $target->{format}, $answers[$i]), '', 'fits its panel');
		$names{ $panel->{id} }{ $_->[0] } = 1 foreach @{ $answers[$i]{columns} };
		$answers{ $dashboard->{uid} }{ $panel->{title} } //= $answers[$i]{rows};
		push(@times, [ $answers[$i]{ms}, $name, scalar(@{ $answers[$i]{rows} }) ]);
	}
	foreach my $panel (@panels)
	{
		my @unknown = grep { !$names{ $panel->{id} }{$_} } map { $_->{matcher}{options} } @{ $panel->{fieldConfig}{overrides} };
		is(join(', ', @unknown), '', "$dashboard->{title}: $panel->{title}: overrides name columns that are there");
	}

	# One value of each variable; names that want care; a datastore without a row: no error, whatever comes.
	my %one = map { $_ => [ $values->{$_}[0] ] } keys %$values;
	my %odd = (%one, map { $_ => [ "o'brien \\ \"x\" \$1" ] } grep { /^(model|endpoint)$/ } keys %one);
	my $none = values_of('fresh', $dashboard, $from, 1);
	foreach my $choice ([ 'one of each', 'postgres', \%one ], [ 'odd names', 'postgres', \%odd ], [ 'no rows', 'fresh', $none ])
	{
		my ($name, $database, $chosen) = @$choice;
		is(join("\n", grep { $_ ne '' } map { $_->{error} } ask($database, $queries->($chosen))), '', "$dashboard->{title}: $name");
	}
}

# ---- Some answers are what plain queries say

sub plain { return $node->safe_psql('postgres', shift) }
my ($since, $until, $before) = map { "'" . rfc3339($_) . "'" } $to - 7 * $day, $to, $to - 14 * $day;
my $web = $answers{'hanzo-web'};
is(join(' ', map { $_->[1] } @{ $web->{'Page views'} }),
	plain("SELECT count(*) FILTER (WHERE created_at < $since) || ' ' || count(*) FILTER (WHERE created_at >= $since)
		FROM hanzo.website_events WHERE event_type = 1 AND created_at >= $before AND created_at < $until"),
	'page views before and now');
my $sessions = plain("SELECT count(DISTINCT session_id) FROM hanzo.website_events WHERE created_at >= $since AND created_at < $until");
cmp_ok(abs($web->{Sessions}[1][1] / $sessions - 1), '<', 0.15, "estimated sessions: $web->{Sessions}[1][1] of $sessions");
($since, $before) = map { "'" . rfc3339($_) . "'" } $to - 14 * $day, $to - 28 * $day;
is($answers{'hanzo-ai'}{Cost}[1][1],
	plain("SELECT sum(total_cost) FROM hanzo.ai_observations WHERE type = 'generation' AND start_time >= $since AND start_time < $until"), 'cost of AI');
$since = "'" . rfc3339($to - $day) . "'";
my ($errors, $p99) = split(/\|/,
	plain("SELECT avg((status_code >= 400)::integer), percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms)
		FROM hanzo.api_metrics WHERE \"timestamp\" >= $since AND \"timestamp\" < $until"));
cmp_ok(abs($answers{'hanzo-api'}{'Error rate'}[1][1] - $errors), '<', 1e-9, 'error rate of the API');
cmp_ok(abs($answers{'hanzo-api'}{'99 % answered within'}[1][1] / $p99 - 1), '<', 0.25,
	"its estimated 99th percentile: $answers{'hanzo-api'}{'99 % answered within'}[1][1] of $p99");

my $sum = 0;
$sum += $_->[0] foreach @times;
note(sprintf('%d queries of panels in %.1f s', scalar(@times), $sum / 1000));
note(sprintf('%.0f ms (%d rows) %s', @$_[0, 2, 1])) foreach sort { $b->[0] <=> $a->[0] } @times;

$node->stop;
done_testing();
