-- Metrics of APIs: dashboards and accounting.
-- The format of this file stands in bench/clients/queries.mjs.

-- query api_latency: latency percentiles per endpoint, one project, a week
SELECT endpoint, count(*) AS requests, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99
FROM api_metrics
WHERE project_id = '{api_project}' AND "timestamp" > '{api_week}'
GROUP BY 1 ORDER BY 2 DESC, 1;
-- dialect clickhouse
SELECT endpoint, count(*) AS requests, quantileExactInclusive(0.5)(latency_ms) AS p50,
       quantileExactInclusive(0.95)(latency_ms) AS p95, quantileExactInclusive(0.99)(latency_ms) AS p99
FROM api_metrics
WHERE project_id = '{api_project}' AND "timestamp" > '{api_week}'
GROUP BY 1 ORDER BY 2 DESC, 1;

-- query api_latency_all: latency percentiles per endpoint, all projects, all time
SELECT endpoint, method, count(*) AS requests, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99
FROM api_metrics
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;
-- dialect clickhouse
SELECT endpoint, method, count(*) AS requests, quantileExactInclusive(0.5)(latency_ms) AS p50,
       quantileExactInclusive(0.99)(latency_ms) AS p99
FROM api_metrics
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;

-- query api_endpoint_hours: requests, errors and 95th percentile per hour, one endpoint of one project, a week
SELECT date_trunc('hour', "timestamp") AS hour, count(*) AS requests,
       count(*) FILTER (WHERE status_code >= 400) AS errors,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95
FROM api_metrics
WHERE project_id = '{api_project}' AND endpoint = '/v1/chat/completions' AND "timestamp" > '{api_week}'
GROUP BY 1 ORDER BY 1;
-- dialect clickhouse
SELECT date_trunc('hour', "timestamp") AS hour, count(*) AS requests,
       count(*) FILTER (WHERE status_code >= 400) AS errors, quantileExactInclusive(0.95)(latency_ms) AS p95
FROM api_metrics
WHERE project_id = '{api_project}' AND endpoint = '/v1/chat/completions' AND "timestamp" > '{api_week}'
GROUP BY 1 ORDER BY 1;

-- query api_error_rates: error rates per endpoint, all projects, all time
SELECT endpoint, count(*) AS requests, count(*) FILTER (WHERE status_code >= 400) AS errors,
       count(*) FILTER (WHERE status_code >= 500) AS server_errors,
       100.0 * count(*) FILTER (WHERE status_code >= 400) / count(*) AS error_percent
FROM api_metrics
GROUP BY 1 ORDER BY 3 DESC, 1;

-- query api_error_types: errors by type and message, one project, a month
SELECT error_type, error_message, count(*) AS errors, max("timestamp") AS last_at
FROM api_metrics
WHERE project_id = '{api_project}' AND error_type IS NOT NULL AND "timestamp" > '{api_month}'
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 NULLS LAST LIMIT 20;

-- query api_status_hours: status codes per hour, all projects, a week
SELECT date_trunc('hour', "timestamp") AS hour, status_code, count(*) AS requests
FROM api_metrics
WHERE "timestamp" > '{api_week}'
GROUP BY 1, 2 ORDER BY 1, 2;

-- query api_recent_errors: the latest server errors of one project
SELECT "timestamp", id, endpoint, status_code, latency_ms, error_message
FROM api_metrics
WHERE project_id = '{api_project}' AND status_code >= 500
ORDER BY "timestamp" DESC, CAST(id AS text) LIMIT 20;

-- query api_slowest: slowest requests of all projects
SELECT id, endpoint, status_code, latency_ms, "timestamp"
FROM api_metrics
ORDER BY latency_ms DESC, CAST(id AS text) LIMIT 20;

-- query api_daily: requests, tokens and cost per day, all projects
SELECT date_trunc('day', "timestamp") AS day, count(*) AS requests, sum(tokens_used) AS tokens,
       sum(compute_units) AS units, sum(cost) AS cost
FROM api_metrics
GROUP BY 1 ORDER BY 1;

-- query api_totals: one number over everything: mean latency of successes
SELECT count(*) AS requests, avg(latency_ms) AS latency, max(latency_ms) AS slowest, sum(cost) AS cost
FROM api_metrics
WHERE status_code < 300;

-- query api_busiest_minute: busiest minutes of a month, all projects
SELECT date_trunc('minute', "timestamp") AS minute, count(*) AS requests
FROM api_metrics
WHERE "timestamp" > '{api_month}'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query api_five_minutes: requests and latency by five minutes (as Grafana asks), all projects, all time
SELECT floor(extract(epoch FROM "timestamp") / 300) * 300 AS time, count(*) AS requests, avg(latency_ms) AS latency
FROM api_metrics
GROUP BY 1 ORDER BY 1;
-- dialect clickhouse
SELECT intDiv(toUnixTimestamp("timestamp"), 300) * 300 AS time, count(*) AS requests, avg(latency_ms) AS latency
FROM api_metrics
GROUP BY 1 ORDER BY 1;

-- query api_histogram: histogram of latencies, one project, all time
SELECT latency_ms / 50 AS bucket, count(*) AS requests
FROM api_metrics
WHERE project_id = '{api_project}' AND latency_ms < 2000
GROUP BY 1 ORDER BY 1;
-- dialect duckdb
SELECT latency_ms // 50 AS bucket, count(*) AS requests
FROM api_metrics
WHERE project_id = '{api_project}' AND latency_ms < 2000
GROUP BY 1 ORDER BY 1;
-- dialect clickhouse
SELECT intDiv(latency_ms, 50) AS bucket, count(*) AS requests
FROM api_metrics
WHERE project_id = '{api_project}' AND latency_ms < 2000
GROUP BY 1 ORDER BY 1;

-- query api_keys: consumption by key, one project, a month
SELECT api_key_id, count(*) AS requests, sum(tokens_used) AS tokens, sum(cost) AS cost, max("timestamp") AS last_at
FROM api_metrics
WHERE project_id = '{api_project}' AND api_key_id IS NOT NULL AND "timestamp" > '{api_month}'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query api_organizations: cost by organization: join with organizations
SELECT o.name AS organization, count(*) AS requests, sum(a.cost) AS cost, sum(a.tokens_used) AS tokens
FROM api_metrics AS a JOIN organizations AS o ON o.id = a.organization_id
GROUP BY o.name ORDER BY 3 DESC NULLS LAST, 1;

-- query api_user_endpoints: users and endpoints: many groups of two keys
SELECT user_id, endpoint, count(*) AS requests, sum(latency_ms) AS milliseconds
FROM api_metrics
WHERE user_id IS NOT NULL
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20;

-- query api_by_address: requests by address: a group for nearly each row
SELECT ip_address, count(*) AS requests, count(DISTINCT api_key_id) AS api_keys
FROM api_metrics
WHERE ip_address IS NOT NULL
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query api_agents: user agents, those of a program
SELECT user_agent, count(*) AS requests
FROM api_metrics
WHERE user_agent NOT LIKE 'Mozilla%'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query api_distinct: distinct users, keys, addresses and agents, of everything
SELECT count(DISTINCT user_id) AS users, count(DISTINCT api_key_id) AS api_keys,
       count(DISTINCT ip_address) AS addresses, count(DISTINCT user_agent) AS agents
FROM api_metrics;
