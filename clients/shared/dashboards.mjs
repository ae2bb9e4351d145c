// What the products' dashboards ask: name, SQL with $1, $2, … and the values. Every answer has an order of its own, so that
// two stores can be compared. A value is plain (see tables.mjs); its type stands beside it for clients that must convert it.

import { busyProject, projects } from './data.mjs'

const web = { uuid: busyProject }
const ai = { uuid: projects[2].id }
const month = { timestamptz: '2025-10-01T00:00:00.000Z' }
const lastDays = { timestamptz: '2025-10-24T00:00:00.000Z' }
const autumn = { timestamptz: '2025-09-01T00:00:00.000Z' }
const late = { timestamptz: '2025-10-31T11:00:00.000Z' }

export const dashboards = [
  ['page views and visitors by day', [web, month], `
    SELECT date_trunc('day', created_at AT TIME ZONE 'UTC') AS day, count(*) AS views, count(DISTINCT session_id) AS visitors
    FROM hanzo.website_events WHERE project_id = $1 AND event_type = 1 AND created_at >= $2 GROUP BY 1 ORDER BY 1`],
  ['live visitors', [web, late], `
    SELECT count(DISTINCT session_id) AS visitors, count(*) AS events
    FROM hanzo.website_events WHERE project_id = $1 AND created_at > $2`],
  ['top pages', [web, lastDays], `
    SELECT url_path, count(*) AS views, count(DISTINCT session_id) AS visitors
    FROM hanzo.website_events WHERE project_id = $1 AND event_type = 1 AND created_at >= $2 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`],
  ['top referrers', [web, month], `
    SELECT referrer_domain, count(DISTINCT session_id) AS visitors
    FROM hanzo.website_events WHERE project_id = $1 AND referrer_domain <> '' AND created_at >= $2 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`],
  ['countries', [web], `
    SELECT country, count(*) AS events, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent
    FROM hanzo.website_events WHERE project_id = $1 GROUP BY 1 ORDER BY 2 DESC, 1`],
  ['technology', [{ 'uuid[]': [busyProject, projects[1].id] }], `
    SELECT browser, os, device, count(*) AS events, min(created_at) AS first_at, max(created_at) AS last_at
    FROM hanzo.website_events WHERE project_id = ANY($1::uuid[]) GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 20`],
  ['bounces', [web, lastDays], `
    SELECT count(*) AS visits, count(*) FILTER (WHERE views = 1) AS bounces, avg(views) AS views_per_visit, max(views) AS most
    FROM (SELECT visit_id, count(*) AS views FROM hanzo.website_events
          WHERE project_id = $1 AND event_type = 1 AND created_at >= $2 GROUP BY visit_id) AS visit`],
  ['entry pages', [web, lastDays], `
    SELECT url_path, count(*) AS visits
    FROM (SELECT url_path, row_number() OVER (PARTITION BY visit_id ORDER BY created_at, event_id) AS n
          FROM hanzo.website_events WHERE project_id = $1 AND event_type = 1 AND created_at >= $2) AS view
    WHERE n = 1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`],
  ['funnel', [web], `
    WITH step1 AS (SELECT session_id, min(created_at) AS reached FROM hanzo.website_events
                   WHERE project_id = $1 AND url_path = '/page/1' GROUP BY 1),
         step2 AS (SELECT e.session_id FROM step1 AS s JOIN hanzo.website_events AS e ON e.session_id = s.session_id
                   WHERE e.project_id = $1 AND e.event_name = 'click' AND e.created_at > s.reached GROUP BY 1)
    SELECT (SELECT count(*) FROM step1) AS step1, (SELECT count(*) FROM step2) AS step2`],
  ['latest sessions', [web, lastDays], `
    SELECT session_id, min(created_at) AS first_at, count(*) AS events, max(country) AS country
    FROM hanzo.website_events WHERE project_id = $1 AND created_at >= $2 GROUP BY 1 ORDER BY max(created_at) DESC, session_id LIMIT 20`],
  ['pages by pattern', [web, { text: '%PAGE/1_' }], `
    SELECT url_path, regexp_replace(page_title, '[0-9]+', '#') AS title, count(*) AS views
    FROM hanzo.website_events WHERE project_id = $1 AND url_path ILIKE $2 GROUP BY 1, 2 ORDER BY 3 DESC, 1`],
  ['events by hour, from the rollup', [web, lastDays], `
    SELECT hour, unique_sessions, total_events, pageviews, custom_events
    FROM hanzo.website_events_hourly_mv WHERE project_id = $1 AND hour >= $2 ORDER BY hour`],
  ['traffic by project', [autumn], `
    SELECT p.name AS project, o.name AS organization, count(*) AS events
    FROM hanzo.website_events AS e JOIN hanzo.projects AS p ON p.id = e.project_id JOIN hanzo.organizations AS o ON o.id = p.organization_id
    WHERE e.created_at >= $1 GROUP BY 1, 2 ORDER BY 3 DESC, 1`],
  ['cost by model and day', [ai, autumn], `
    SELECT (start_time AT TIME ZONE 'UTC')::date AS day, model_name, count(*) AS calls, sum(total_tokens) AS tokens, sum(total_cost) AS cost
    FROM hanzo.ai_observations WHERE project_id = $1 AND type = 'generation' AND start_time >= $2 GROUP BY 1, 2 ORDER BY 1, 2 NULLS LAST`],
  ['latency by model', [ai], `
    SELECT model_name, count(latency_ms) AS calls, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50,
           percentile_disc(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99
    FROM hanzo.ai_observations WHERE project_id = $1 AND type = 'generation' GROUP BY 1 ORDER BY 1`],
  ['slowest generations', [ai, { integer: 5 }], `
    SELECT id, trace_id, model_name, latency_ms, total_cost
    FROM hanzo.ai_observations WHERE project_id = $1 AND latency_ms IS NOT NULL ORDER BY latency_ms DESC, id LIMIT $2`],
  ['traces with their observations', [ai, autumn], `
    WITH newest AS (SELECT id, name, user_id, timestamp AS started FROM hanzo.ai_traces
                    WHERE project_id = $1 AND timestamp >= $2 ORDER BY timestamp DESC, id LIMIT 20)
    SELECT t.id, t.name, t.user_id, t.started, count(*) AS observations, sum(o.total_tokens) AS tokens, sum(o.total_cost) AS cost
    FROM newest AS t JOIN hanzo.ai_observations AS o ON o.trace_id = t.id
    WHERE o.project_id = $1 GROUP BY 1, 2, 3, 4 ORDER BY 4 DESC, 1`],
  ['one trace', [ai, { text: 'trace-008' }], `
    SELECT id, name, metadata->'nested'->>'text' AS text, tags, length(input) AS input_length, total_cost, latency_ms
    FROM hanzo.ai_traces WHERE project_id = $1 AND id = $2`],
  ['traces by a member of their metadata', [ai, { jsonb: { region: 'eu' } }], `
    SELECT metadata->>'region' AS region, count(*) AS traces, avg(latency_ms) FILTER (WHERE latency_ms < 1000000) AS latency
    FROM hanzo.ai_traces WHERE project_id = $1 AND metadata @> $2::jsonb GROUP BY 1 ORDER BY 1`],
  ['traces by tag', [ai, { text: 'a,b' }], `
    SELECT id, tags FROM hanzo.ai_traces WHERE project_id = $1 AND $2 = ANY(tags) ORDER BY id`],
  ['usage by day, from the rollup', [ai], `
    SELECT day, model_name, total_calls, total_tokens, total_cost, avg_latency
    FROM hanzo.ai_usage_daily_mv WHERE project_id = $1 ORDER BY day, model_name NULLS LAST`],
].map(([name, values, sql]) => ({
  name,
  sql: sql.replace(/\s+/g, ' ').trim(),
  parameters: values.map((value) => ({ type: Object.keys(value)[0], value: Object.values(value)[0] })),
}))
