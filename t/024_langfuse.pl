# docs/langfuse.md, statement by statement: LangFuse 2's traces, observations and scores in another database become rows of the Hanzo schema,
# in a first pass, in further ones while rows change, change their times and go, and in a last one; every column is looked at.
use strict;
use warnings;
use lib 'clients/umami';
use Guide;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('langfuse');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nlog_statement = none\ntimezone = 'Asia/Tokyo'\n");
$node->start;
my $user = getpwuid($<);

# The tables of LangFuse 2 as far as they are copied.
$node->safe_psql('postgres', 'CREATE DATABASE langfuse');
$node->safe_psql('langfuse', q{
	CREATE TYPE "ObservationType" AS ENUM ('SPAN', 'EVENT', 'GENERATION');
	CREATE TYPE "ObservationLevel" AS ENUM ('DEBUG', 'DEFAULT', 'WARNING', 'ERROR');
	CREATE TYPE "ScoreSource" AS ENUM ('ANNOTATION', 'API', 'EVAL');
	CREATE TYPE "ScoreDataType" AS ENUM ('CATEGORICAL', 'NUMERIC', 'BOOLEAN');
	CREATE TABLE projects (id text PRIMARY KEY, created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, name text NOT NULL);
	CREATE TABLE prompts (id text PRIMARY KEY, project_id text NOT NULL, name text NOT NULL, version integer NOT NULL);
	CREATE TABLE traces (id text PRIMARY KEY, external_id text, "timestamp" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, name text, user_id text, metadata jsonb, release text, version text,
		project_id text NOT NULL, public boolean NOT NULL DEFAULT false, bookmarked boolean NOT NULL DEFAULT false, tags text[] DEFAULT '{}', input jsonb, output jsonb, session_id text,
		created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
	CREATE TABLE observations (id text PRIMARY KEY, trace_id text, project_id text NOT NULL, type "ObservationType" NOT NULL, start_time timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
		end_time timestamp(3), name text, metadata jsonb, parent_observation_id text, level "ObservationLevel" NOT NULL DEFAULT 'DEFAULT', status_message text, version text,
		created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, model text, internal_model text, internal_model_id text,
		"modelParameters" jsonb, input jsonb, output jsonb, prompt_tokens integer NOT NULL DEFAULT 0, completion_tokens integer NOT NULL DEFAULT 0, total_tokens integer NOT NULL DEFAULT 0,
		unit text, input_cost decimal(65,30), output_cost decimal(65,30), total_cost decimal(65,30), calculated_input_cost decimal(65,30), calculated_output_cost decimal(65,30),
		calculated_total_cost decimal(65,30), completion_start_time timestamp(3), prompt_id text, UNIQUE (id, project_id));
	CREATE TABLE scores (id text PRIMARY KEY, "timestamp" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, project_id text NOT NULL, name text NOT NULL, value double precision,
		source "ScoreSource" NOT NULL, author_user_id text, comment text, trace_id text NOT NULL, observation_id text, config_id text, string_value text, queue_id text,
		created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, data_type "ScoreDataType" NOT NULL DEFAULT 'NUMERIC', UNIQUE (id, project_id));
});
# Six months of two projects, and what is rare. Nothing was changed lately.
$node->safe_psql('langfuse', q{
	ALTER DATABASE langfuse SET timezone = 'UTC';
	SET timezone = 'UTC';
	CREATE FUNCTION at(n integer) RETURNS timestamp(3) LANGUAGE sql RETURN date_trunc('day', CURRENT_TIMESTAMP) - interval '180 days' + n * interval '2 hours 51 minutes 12.345 seconds';
	INSERT INTO projects (id, name) VALUES ('cl0project', 'one'), ('7a88fb47-b4e2-43b8-a06c-a5ce950dc53a', 'two');
	INSERT INTO prompts SELECT 'prompt' || n, 'cl0project', 'Prompt ' || n % 3, n FROM generate_series(1, 6) AS n;
	INSERT INTO traces (id, "timestamp", name, user_id, metadata, release, version, project_id, public, bookmarked, tags, input, output, session_id, created_at, updated_at)
	SELECT 'trace' || n, at(n), CASE WHEN n % 9 > 0 THEN 'name ' || n % 20 END, CASE WHEN n % 3 > 0 THEN 'user' || n % 50 END,
		CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 'null' WHEN 2 THEN jsonb_build_object('n', n) ELSE '["list"]' END, CASE WHEN n % 5 = 0 THEN 'r1' END, NULL,
		CASE WHEN n % 3 = 0 THEN '7a88fb47-b4e2-43b8-a06c-a5ce950dc53a' ELSE 'cl0project' END, n % 11 = 0, n % 13 = 0, CASE WHEN n % 7 > 0 THEN ARRAY['tag' || n % 4, 'a "b", c'] END,
		CASE n % 4 WHEN 0 THEN to_jsonb('a "quoted" text ' || n) WHEN 1 THEN 'null' WHEN 2 THEN NULL ELSE jsonb_build_object('messages', jsonb_build_array(n)) END,
		to_jsonb(n), CASE WHEN n % 2 = 0 THEN 'session' || n % 30 END, at(n) + interval '1 second', at(n) + interval '1 minute'
	FROM generate_series(1, 1500) AS n;
	INSERT INTO observations (id, trace_id, project_id, type, start_time, end_time, name, metadata, parent_observation_id, level, status_message, version, created_at, updated_at, model,
		internal_model, internal_model_id, "modelParameters", input, output, prompt_tokens, completion_tokens, total_tokens, unit, input_cost, output_cost, total_cost, calculated_input_cost,
		calculated_output_cost, calculated_total_cost, completion_start_time, prompt_id)
	SELECT 'observation' || n, CASE WHEN n % 50 > 0 THEN t.id END, t.project_id, (ARRAY['SPAN', 'EVENT', 'GENERATION', 'GENERATION']::"ObservationType"[])[1 + n % 4], t."timestamp" + n % 7 * interval '0.5 seconds',
		CASE WHEN n % 6 > 0 THEN t."timestamp" + interval '4.5 seconds' END, 'step ' || n % 5, t.metadata, CASE WHEN n % 3 > 0 THEN 'observation' || n - n % 3 END,
		(ARRAY['DEFAULT', 'DEBUG', 'WARNING', 'ERROR', 'DEFAULT']::"ObservationLevel"[])[1 + n % 5], CASE WHEN n % 5 = 3 THEN 'failed' END, NULL, t.created_at, t.updated_at,
		CASE WHEN n % 4 = 2 THEN 'gpt-4o' END, CASE WHEN n % 4 > 1 THEN 'gpt-4o-2024' END, CASE WHEN n % 4 > 1 THEN 'model-id' END, CASE n % 3 WHEN 0 THEN '{"temperature": 0.5}' WHEN 1 THEN 'null' END::jsonb,
		t.input, t.output, CASE WHEN n % 4 > 1 THEN n % 1000 ELSE 0 END, CASE WHEN n % 4 > 1 THEN n % 100 ELSE 0 END, CASE WHEN n % 4 > 1 THEN n % 1000 + n % 100 ELSE 0 END, CASE WHEN n % 4 > 1 THEN 'TOKENS' END,
		CASE WHEN n % 8 = 2 THEN 0.001 END, NULL, CASE WHEN n % 8 = 2 THEN 0.0015 END, CASE WHEN n % 4 = 3 THEN n * 0.000001 END, CASE WHEN n % 4 = 3 THEN n * 0.000002 END, CASE WHEN n % 4 = 3 THEN n * 0.000003 END,
		CASE WHEN n % 4 > 1 THEN t."timestamp" + n % 7 * interval '0.5 seconds' + interval '0.25 seconds' END, CASE WHEN n % 10 = 2 THEN 'prompt' || 1 + n % 6 END
	FROM generate_series(1, 4500) AS n JOIN traces AS t ON t.id = 'trace' || 1 + n % 1500;
	INSERT INTO scores (id, "timestamp", project_id, name, value, source, comment, trace_id, observation_id, config_id, string_value, created_at, updated_at, data_type)
	SELECT 'score' || n, t."timestamp" + interval '1 hour', t.project_id, 'score name ' || n % 4, CASE WHEN n % 4 > 0 THEN n / 3.0 END, (ARRAY['ANNOTATION', 'API', 'EVAL']::"ScoreSource"[])[1 + n % 3],
		CASE WHEN n % 5 = 0 THEN 'well done' END, t.id, CASE WHEN n % 2 = 0 THEN 'observation' || n END, NULL, CASE WHEN n % 4 = 0 THEN 'good' END, t."timestamp" + interval '2 hours',
		t.updated_at, CASE WHEN n % 4 = 0 THEN 'CATEGORICAL' WHEN n % 4 = 1 THEN 'BOOLEAN' ELSE 'NUMERIC' END::"ScoreDataType"
	FROM generate_series(1, 1000) AS n JOIN traces AS t ON t.id = 'trace' || n;
});

my $guide = Guide->new('docs/langfuse.md');

# Runs a block of the guide; %change: what the reader fills in.
sub follow
{
	my ($label, %change) = @_;
	my $sql = $guide->block($label);
	foreach my $from (sort keys %change) { $sql =~ s/\Q$from\E/$change{$from}/g or die "$label has no $from\n" }
	my ($out, $err) = ('', '');
	my $status = $node->psql('postgres', $sql, stdout => \$out, stderr => \$err, on_error_stop => 1);
	is("$status " . join("\n", grep { !/NOTICE:|^DETAIL:|^drop cascades/ } split(/\n/, $err)), '0 ', "guide, $label");
	return $out;
}

# Both sides as text, written down for each side anew.
my $own_time = q{to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')};
my $their_time = q{to_char(%s, 'YYYY-MM-DD HH24:MI:SS.MS')};
my $project = q{CASE project_id WHEN 'cl0project' THEN md5('langfuse project cl0project')::uuid ELSE project_id::uuid END};
my $object = q{CASE WHEN metadata IS NULL OR metadata::text = 'null' THEN '{}' ELSE metadata::text END};
sub text_of { return sprintf(q{CASE WHEN %1$s::text ~ '^"' THEN %1$s ->> 0 WHEN %1$s::text = 'null' THEN NULL ELSE %1$s::text END}, $_[0]) =~ s/ ->> 0/ #>> '{}'/r }
sub all_of { my ($format, @columns) = @_; return join(', ', map { sprintf($format, $_) } @columns) }
my %theirs = (
	traces => qq{SELECT id, $project, coalesce(name, ''), user_id, session_id, $object, release, version, public, bookmarked, coalesce(tags::text, '{}'), @{[ text_of('input') ]}, @{[ text_of('output') ]},
		@{[ all_of($their_time, qw("timestamp" created_at updated_at updated_at)) ]},
		(SELECT sum(coalesce(calculated_total_cost, total_cost))::numeric(18,12) FROM observations AS o WHERE o.trace_id = t.id AND o.project_id = t.project_id),
		(SELECT extract(epoch FROM max(end_time) - min(start_time))::numeric(18,3) FROM observations AS o WHERE o.trace_id = t.id AND o.project_id = t.project_id), false FROM traces AS t ORDER BY id},
	observations => qq{SELECT id, coalesce(trace_id, ''), $project, lower(type::text), parent_observation_id, name, $object, replace(level::text, 'DEFAULT', 'INFO'), status_message, version,
		@{[ text_of('input') ]}, @{[ text_of('output') ]}, coalesce(model, internal_model), internal_model_id, CASE WHEN "modelParameters"::text <> 'null' THEN "modelParameters"::text END,
		CASE WHEN type = 'GENERATION' THEN prompt_tokens END, CASE WHEN type = 'GENERATION' THEN completion_tokens END, CASE WHEN type = 'GENERATION' THEN total_tokens END,
		CASE WHEN type = 'GENERATION' THEN prompt_tokens + completion_tokens + total_tokens END, coalesce(calculated_input_cost, input_cost)::numeric(18,12), coalesce(calculated_output_cost, output_cost)::numeric(18,12),
		coalesce(calculated_total_cost, total_cost)::numeric(18,12), coalesce(calculated_total_cost, total_cost)::numeric(18,12),
		extract(epoch FROM end_time - start_time)::numeric(18,3), extract(epoch FROM completion_start_time - start_time)::numeric(18,3), prompt_id,
		(SELECT p.name FROM prompts AS p WHERE p.id = prompt_id), (SELECT p.version FROM prompts AS p WHERE p.id = prompt_id),
		@{[ all_of($their_time, qw(start_time end_time completion_start_time created_at updated_at updated_at)) ]}, false FROM observations ORDER BY id},
	scores => qq{SELECT id, $project, trace_id, observation_id, name, coalesce(value, 0)::numeric(18,6), string_value, source, comment, data_type, config_id,
		@{[ all_of($their_time, qw("timestamp" updated_at updated_at)) ]}, false FROM scores ORDER BY id});
my %ours = (
	traces => qq{SELECT id, project_id, name, user_id, session_id, metadata, release, version, public, bookmarked, tags, input, output,
		@{[ all_of($own_time, qw("timestamp" created_at updated_at event_ts)) ]}, total_cost, (latency_ms / 1000.0)::numeric(18,3), is_deleted FROM hanzo.ai_traces WHERE NOT is_deleted ORDER BY id},
	observations => qq{SELECT id, trace_id, project_id, type, parent_observation_id, name, metadata, level, status_message, version, input, output, model_name, model_id, model_parameters,
		prompt_tokens, completion_tokens, total_tokens, (usage_details ->> 'input')::integer + (usage_details ->> 'output')::integer + (usage_details ->> 'total')::integer,
		(cost_details ->> 'input')::numeric(18,12), (cost_details ->> 'output')::numeric(18,12), (cost_details ->> 'total')::numeric(18,12), total_cost,
		(latency_ms / 1000.0)::numeric(18,3), (time_to_first_token_ms / 1000.0)::numeric(18,3), prompt_id, prompt_name, prompt_version,
		@{[ all_of($own_time, qw(start_time end_time completion_start_time created_at updated_at event_ts)) ]}, is_deleted FROM hanzo.ai_observations WHERE NOT is_deleted ORDER BY id},
	scores => qq{SELECT id, project_id, trace_id, observation_id, name, value, string_value, source, comment, data_type, config_id,
		@{[ all_of($own_time, qw(created_at updated_at event_ts)) ]}, is_deleted FROM hanzo.ai_scores WHERE NOT is_deleted ORDER BY id});

# Every column of every row is what it should be.
sub all_there
{
	my ($what) = @_;
	foreach my $table (sort keys %theirs)
	{
		my @theirs = split(/\n/, $node->safe_psql('langfuse', $theirs{$table}));
		my @ours = split(/\n/, $node->safe_psql('postgres', $ours{$table}));
		my ($first) = grep { ($theirs[$_] // '') ne ($ours[$_] // '') } 0 .. ($#theirs > $#ours ? $#theirs : $#ours);
		is(defined $first ? "ours:   " . ($ours[$first] // '-') . "\ntheirs: " . ($theirs[$first] // '-') : '', '', "$what: " . @theirs . " $table, all columns");
	}
	return;
}
my $everything = q{SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM (SELECT id, t::text FROM hanzo.ai_traces AS t UNION ALL SELECT id, t::text FROM hanzo.ai_observations AS t
	UNION ALL SELECT id, t::text FROM hanzo.ai_scores AS t) AS t};

follow('1 schema');
follow('2 server', "host 'localhost'" => "host '" . $node->host . "'", "port '5432'" => "port '" . $node->port . "'", "user 'langfuse', password 'secret'" => "user '$user', password 'secret'");
follow('2 tables');
follow('2 projects');
follow('3 check');
is(follow('3 check'), '0|0|0|0', 'nothing does not fit');
follow('4 functions');
follow('5 first pass');
all_there('first pass');
my $before = $node->safe_psql('postgres', $everything);
follow('5 first pass');
is($node->safe_psql('postgres', $everything), $before, 'repeated, it changes nothing');
follow('5 columns');
is($node->safe_psql('postgres', q{SELECT sum(rows) || ' ' || sum(delta_rows) FROM hanzo_datastore.columnar_tables WHERE relation::text ~ '^hanzo.ai_(traces|observations|scores)_'}),
	'7000 0', 'months are in columns');
all_there('in columns');

# Life goes on: new rows, new versions, other times (of another month), costs that come later, deletions.
$node->safe_psql('langfuse', q{
	UPDATE traces SET name = 'renamed', tags = '{new}', output = '"done"', updated_at = CURRENT_TIMESTAMP WHERE id IN ('trace5', 'trace1000', 'trace1499');
	UPDATE traces SET "timestamp" = "timestamp" - interval '40 days', updated_at = CURRENT_TIMESTAMP WHERE id IN ('trace1200', 'trace1201');
	UPDATE observations SET start_time = start_time - interval '33 days', end_time = end_time + interval '1 second', updated_at = CURRENT_TIMESTAMP WHERE id IN ('observation4000', 'observation4003');
	UPDATE observations SET calculated_total_cost = 0.5, completion_tokens = 77, updated_at = CURRENT_TIMESTAMP WHERE id = 'observation4006';
	UPDATE scores SET value = 0.25, comment = 'again', updated_at = CURRENT_TIMESTAMP WHERE id IN ('score1', 'score999');
	UPDATE scores SET "timestamp" = "timestamp" + interval '31 days', updated_at = CURRENT_TIMESTAMP WHERE id = 'score77';
	INSERT INTO traces (id, name, project_id, input) VALUES ('late', 'late', 'cl0project', '"x"');
	INSERT INTO observations (id, trace_id, project_id, type, end_time) VALUES ('late', 'late', 'cl0project', 'SPAN', CURRENT_TIMESTAMP + interval '1 second');
	INSERT INTO scores (id, project_id, name, value, source, trace_id) VALUES ('late', 'cl0project', 'late', 1, 'API', 'late');
});
is((split(/\n/, follow('5 further pass')))[0], '4|6|4', 'a further pass takes what was changed');
all_there('further pass');
$before = $node->safe_psql('postgres', $everything);
follow('5 further pass');
is($node->safe_psql('postgres', $everything), $before, 'repeated, it changes nothing');
# what we know better stays
$node->safe_psql('postgres', q{UPDATE hanzo.ai_scores SET comment = 'ours', event_ts = event_ts + interval '1 day' WHERE id = 'late'});
follow('5 further pass');
is($node->safe_psql('postgres', q{SELECT comment FROM hanzo.ai_scores WHERE id = 'late'}), 'ours', 'a newer version of ours is kept');
$node->safe_psql('postgres', q{UPDATE hanzo.ai_scores SET comment = NULL, event_ts = updated_at WHERE id = 'late'});
$node->safe_psql('langfuse', q{DELETE FROM scores WHERE id = 'score500'; DELETE FROM observations WHERE trace_id = 'trace500'; DELETE FROM traces WHERE id = 'trace500'});
isnt(follow('6 check'), '', 'the comparison sees that rows are gone');
follow('5 further pass');
follow('6 gone');
is($node->safe_psql('postgres', q{SELECT count(*) FROM hanzo.ai_traces WHERE id = 'trace500'}), '0', 'what is gone there is gone here');
all_there('last pass');
is(follow('6 check'), '', 'and finds no difference then');
is(follow('6 verify'), '', 'nothing is damaged');
$node->safe_psql('postgres', 'CALL hanzo_datastore.maintain()');
is($node->safe_psql('postgres', q{SELECT sum(total_calls) || ' ' || sum(total_tokens) FROM hanzo.ai_usage_daily_mv}),
	$node->safe_psql('langfuse', q{SELECT count(*) || ' ' || sum(total_tokens) FROM observations WHERE type = 'GENERATION'}), 'the rollup counts its generations');
follow('back');
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM hanzo.ai_traces) + (SELECT count(*) FROM hanzo.ai_observations) + (SELECT count(*) FROM hanzo.ai_scores)'), '0', 'all is away');
follow('5 first pass');
all_there('from the beginning');
follow('tools away');
is(join(', ', $guide->unused()), '', 'no statement of the guide was left out');
$node->stop;
done_testing();
