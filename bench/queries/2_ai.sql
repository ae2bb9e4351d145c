-- AI observability: what hanzo/console (a fork of LangFuse) asks.
-- The format of this file stands in bench/clients/queries.mjs.

-- query ai_cost_daily: calls, tokens and cost per model and day, one project, a month
SELECT date_trunc('day', start_time) AS day, model_name, count(*) AS calls, sum(prompt_tokens) AS prompt_tokens,
       sum(completion_tokens) AS completion_tokens, sum(total_cost) AS cost
FROM ai_observations
WHERE project_id = '{ai_project}' AND type = 'generation' AND start_time > '{ai_month}'
GROUP BY 1, 2 ORDER BY 1, 2 NULLS LAST;

-- query ai_cost_models: calls, tokens and cost per model, all projects, all time
SELECT model_name, count(*) AS calls, sum(total_tokens) AS tokens, sum(total_cost) AS cost
FROM ai_observations
WHERE type = 'generation'
GROUP BY 1 ORDER BY 3 DESC NULLS LAST, 1;

-- query ai_latency: latency percentiles per model, all projects
SELECT model_name, count(latency_ms) AS calls, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99
FROM ai_observations
WHERE type = 'generation'
GROUP BY 1 ORDER BY 2 DESC, 1;
-- dialect clickhouse
SELECT model_name, count(latency_ms) AS calls, quantileExactInclusive(0.5)(latency_ms) AS p50,
       quantileExactInclusive(0.95)(latency_ms) AS p95, quantileExactInclusive(0.99)(latency_ms) AS p99
FROM ai_observations
WHERE type = 'generation'
GROUP BY 1 ORDER BY 2 DESC, 1;

-- query ai_first_token: median and 95th percentile of the time to the first token per day, one project, a month
SELECT date_trunc('day', start_time) AS day, percentile_cont(0.5) WITHIN GROUP (ORDER BY time_to_first_token_ms) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY time_to_first_token_ms) AS p95
FROM ai_observations
WHERE project_id = '{ai_project}' AND type = 'generation' AND time_to_first_token_ms IS NOT NULL
  AND start_time > '{ai_month}'
GROUP BY 1 ORDER BY 1;
-- dialect clickhouse
SELECT date_trunc('day', start_time) AS day, quantileExactInclusive(0.5)(time_to_first_token_ms) AS p50,
       quantileExactInclusive(0.95)(time_to_first_token_ms) AS p95
FROM ai_observations
WHERE project_id = '{ai_project}' AND type = 'generation' AND time_to_first_token_ms IS NOT NULL
  AND start_time > '{ai_month}'
GROUP BY 1 ORDER BY 1;

-- query ai_errors: error rates by type and name, all projects
SELECT type, name, count(*) AS observations, count(*) FILTER (WHERE level = 'ERROR') AS errors,
       100.0 * count(*) FILTER (WHERE level = 'ERROR') / count(*) AS error_percent
FROM ai_observations
GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT 30;

-- query ai_error_messages: status messages of errors, one project, a month
SELECT status_message, count(*) AS errors, max(start_time) AS last_at
FROM ai_observations
WHERE project_id = '{ai_project}' AND level = 'ERROR' AND start_time > '{ai_month}'
GROUP BY 1 ORDER BY 2 DESC, 1 NULLS LAST LIMIT 20;

-- query ai_slowest_traces: slowest traces of a week, all projects
SELECT id, name, user_id, latency_ms, total_cost
FROM ai_traces
WHERE "timestamp" > '{ai_week}' AND latency_ms IS NOT NULL
ORDER BY latency_ms DESC, id LIMIT 20;

-- query ai_slowest_generations: slowest generations of one project, all time
SELECT id, trace_id, model_name, latency_ms, total_tokens
FROM ai_observations
WHERE project_id = '{ai_project}' AND type = 'generation' AND latency_ms IS NOT NULL
ORDER BY latency_ms DESC, id LIMIT 20;

-- query ai_trace_list: the newest traces of one project with their observations, tokens and cost
WITH newest AS (
  SELECT id, name, user_id, "timestamp" AS started
  FROM ai_traces
  WHERE project_id = '{ai_project}' AND "timestamp" > '{ai_week}' AND "timestamp" <= '{ai_now}'
  ORDER BY "timestamp" DESC, id LIMIT 50
)
SELECT t.id, t.name, t.user_id, t.started, count(*) AS observations, sum(o.total_tokens) AS tokens,
       sum(o.total_cost) AS cost
FROM newest AS t JOIN ai_observations AS o ON o.trace_id = t.id
WHERE o.project_id = '{ai_project}'
GROUP BY t.id, t.name, t.user_id, t.started ORDER BY t.started DESC, t.id;

-- query ai_trace: one trace by its id
SELECT id, name, user_id, session_id, latency_ms, total_cost, octet_length(input) AS input_bytes, output
FROM ai_traces
WHERE project_id = '{ai_project}' AND id = '{trace}';
-- dialect duckdb
SELECT id, name, user_id, session_id, latency_ms, total_cost, strlen(input) AS input_bytes, output
FROM ai_traces
WHERE project_id = '{ai_project}' AND id = '{trace}';

-- query ai_trace_tree: a trace's observations by the trace's id, with their payloads
SELECT o.id, o.parent_observation_id, o.type, o.name, o.start_time, o.latency_ms, o.model_name, o.input, o.output
FROM ai_observations AS o
WHERE o.project_id = '{ai_project}' AND o.trace_id = '{trace}'
ORDER BY o.start_time, o.id;

-- query ai_observation: one observation by its id
SELECT name, model_name, model_parameters, total_tokens, input, output
FROM ai_observations
WHERE project_id = '{ai_project}' AND id = '{observation}';

-- query ai_user: one user's traces
SELECT "timestamp", id, name, latency_ms, total_cost
FROM ai_traces
WHERE project_id = '{ai_project}' AND user_id = '{user}'
ORDER BY "timestamp" DESC, id LIMIT 50;

-- query ai_text_search: prompts that hold a word, one project, all time
SELECT count(*) AS found, count(DISTINCT trace_id) AS traces, min(start_time) AS first_at
FROM ai_observations
WHERE project_id = '{ai_project}' AND input LIKE '%refund%';

-- query ai_text_latest: the newest answers that hold a word in any case, all projects, a week
SELECT id, project_id, start_time, name
FROM ai_observations
WHERE output ILIKE '%REFUND%' AND start_time > '{ai_week}'
ORDER BY start_time DESC, id LIMIT 20;

-- query ai_payloads: sizes of prompts and answers by type, all projects
SELECT type, count(*) AS observations, avg(octet_length(input)) AS input_bytes, max(octet_length(output)) AS largest_output
FROM ai_observations
GROUP BY 1 ORDER BY 1;
-- dialect duckdb
SELECT type, count(*) AS observations, avg(strlen(input)) AS input_bytes, max(strlen(output)) AS largest_output
FROM ai_observations
GROUP BY 1 ORDER BY 1;

-- query ai_prices: cost by provider, reckoned from the price list: join with model_catalog
SELECT m.provider, m.display_name, count(*) AS calls, sum(o.total_cost) AS cost,
       sum(o.prompt_tokens * m.input_price + o.completion_tokens * m.output_price) / 1000000 AS list_cost
FROM ai_observations AS o JOIN model_catalog AS m ON m.id = o.model_id
WHERE o.type = 'generation'
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;
-- dialect clickhouse
SELECT m.provider, m.display_name, count(*) AS calls, sum(o.total_cost) AS cost,
       sum(toFloat64(o.prompt_tokens) * toFloat64(m.input_price)
           + toFloat64(o.completion_tokens) * toFloat64(m.output_price)) / 1000000 AS list_cost
FROM ai_observations AS o JOIN model_catalog AS m ON m.id = o.model_id
WHERE o.type = 'generation'
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;

-- query ai_users: users by cost: traces joined with their observations, one project, a month
SELECT t.user_id, count(DISTINCT t.id) AS traces, sum(o.total_tokens) AS tokens, sum(o.total_cost) AS cost
FROM ai_traces AS t JOIN ai_observations AS o ON o.trace_id = t.id AND o.project_id = t.project_id
WHERE t.project_id = '{ai_project}' AND t.user_id IS NOT NULL AND t."timestamp" > '{ai_month}'
  AND o.type = 'generation'
GROUP BY 1 ORDER BY 4 DESC NULLS LAST, 1 LIMIT 20;

-- query ai_prompts: versions of prompts compared, all projects
SELECT prompt_name, prompt_version, count(*) AS calls, avg(latency_ms) AS latency, avg(total_cost) AS cost
FROM ai_observations
WHERE prompt_name IS NOT NULL
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 NULLS LAST LIMIT 30;

-- query ai_metadata: traces by a member of their JSON
SELECT metadata->>'region' AS region, metadata->>'tier' AS tier, count(*) AS traces, avg(latency_ms) AS latency
FROM ai_traces
GROUP BY 1, 2 ORDER BY 3 DESC, 1 NULLS LAST, 2 NULLS LAST;
-- dialect clickhouse
SELECT if(JSONHas(metadata, 'region'), JSONExtractString(metadata, 'region'), NULL) AS region,
       if(JSONHas(metadata, 'tier'), JSONExtractString(metadata, 'tier'), NULL) AS tier,
       count(*) AS traces, avg(latency_ms) AS latency
FROM ai_traces
GROUP BY 1, 2 ORDER BY 3 DESC, 1 NULLS LAST, 2 NULLS LAST;

-- query ai_distinct: distinct traces, models, prompts and names, of everything
SELECT count(DISTINCT trace_id) AS traces, count(DISTINCT model_name) AS models, count(DISTINCT prompt_id) AS prompts,
       count(DISTINCT name) AS names, count(DISTINCT project_id) AS projects
FROM ai_observations;

-- query ai_by_trace: the costliest traces of all projects: a group for each trace
SELECT trace_id, count(*) AS observations, sum(total_cost) AS cost, min(start_time) AS first_at, max(end_time) AS last_at
FROM ai_observations
GROUP BY trace_id ORDER BY 3 DESC NULLS LAST, 1 LIMIT 20;
