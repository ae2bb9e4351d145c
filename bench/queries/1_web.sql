-- Web analytics: what the dashboards of hanzo/analytics (a fork of Umami) ask.
-- The format of this file stands in bench/clients/queries.mjs.

-- query web_live: live visitors: the last five minutes of one project
SELECT count(DISTINCT session_id) AS visitors, count(*) AS events
FROM website_events
WHERE project_id = '{web_project}' AND created_at > '{web_5_minutes}';

-- query web_live_pages: where they are: pages of the last 30 minutes
SELECT url_path, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = '{web_project}' AND created_at > '{web_30_minutes}' AND event_type = 1
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query web_hourly: page views and visitors per hour, a day of one project
SELECT date_trunc('hour', created_at) AS hour, count(*) AS views, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = '{web_project}' AND event_type = 1 AND created_at > '{web_day}'
GROUP BY 1 ORDER BY 1;

-- query web_daily: page views and visitors per day, a month of one project
SELECT date_trunc('day', created_at) AS day, count(*) AS views, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = '{web_project}' AND event_type = 1 AND created_at > '{web_month}'
GROUP BY 1 ORDER BY 1;

-- query web_daily_all: events, views and visitors per day of all projects, all time
SELECT date_trunc('day', created_at) AS day, count(*) AS events,
       count(*) FILTER (WHERE event_type = 1) AS views, count(DISTINCT session_id) AS visitors
FROM website_events
GROUP BY 1 ORDER BY 1;

-- query web_top_pages: top pages of a month, one project
SELECT url_path, count(*) AS views, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = '{web_project}' AND event_type = 1 AND created_at > '{web_month}'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query web_top_referrers: top referrers of a month, one project
SELECT referrer_domain, count(DISTINCT session_id) AS visitors, count(*) AS views
FROM website_events
WHERE project_id = '{web_project}' AND referrer_domain <> '' AND created_at > '{web_month}'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query web_countries: countries of one project, all time
SELECT country, count(*) AS events, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = '{web_project}'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query web_campaigns: campaigns with visitors and purchases, one project, a month
SELECT utm_source, utm_medium, utm_campaign, count(DISTINCT session_id) AS visitors,
       count(*) FILTER (WHERE event_name = 'purchase') AS purchases
FROM website_events
WHERE project_id = '{web_project}' AND utm_campaign <> '' AND created_at > '{web_month}'
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 20;

-- query web_technology: browsers, systems and devices of all projects
SELECT browser, os, device, count(*) AS events
FROM website_events
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 20;

-- query web_cities: cities of all projects
SELECT country, region, city, count(*) AS events
FROM website_events
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 50;

-- query web_bounces: visits, bounces and views per visit, one project, a month
SELECT count(*) AS visits, count(*) FILTER (WHERE views = 1) AS bounces, avg(views) AS views_per_visit,
       max(views) AS most_views
FROM (SELECT visit_id, count(*) AS views
      FROM website_events
      WHERE project_id = '{web_project}' AND event_type = 1 AND created_at > '{web_month}'
      GROUP BY visit_id) AS visit;

-- query web_durations: bounce rate and mean duration of visits per day, one project, a month
SELECT date_trunc('day', first_at) AS day, count(*) AS visits,
       100.0 * count(*) FILTER (WHERE views = 1) / count(*) AS bounce_percent,
       avg(extract(epoch FROM last_at - first_at)) AS seconds
FROM (SELECT visit_id, count(*) AS views, min(created_at) AS first_at, max(created_at) AS last_at
      FROM website_events
      WHERE project_id = '{web_project}' AND event_type = 1 AND created_at > '{web_month}'
      GROUP BY visit_id) AS visit
GROUP BY 1 ORDER BY 1;
-- dialect clickhouse
SELECT date_trunc('day', first_at) AS day, count(*) AS visits,
       100.0 * count(*) FILTER (WHERE views = 1) / count(*) AS bounce_percent,
       avg(dateDiff('millisecond', first_at, last_at)) / 1000 AS seconds
FROM (SELECT visit_id, count(*) AS views, min(created_at) AS first_at, max(created_at) AS last_at
      FROM website_events
      WHERE project_id = '{web_project}' AND event_type = 1 AND created_at > '{web_month}'
      GROUP BY visit_id) AS visit
GROUP BY 1 ORDER BY 1;

-- query web_entry_pages: entry pages of a week, one project
SELECT url_path, count(*) AS visits
FROM (SELECT url_path, row_number() OVER (PARTITION BY visit_id ORDER BY created_at, CAST(event_id AS text)) AS n
      FROM website_events
      WHERE project_id = '{web_project}' AND event_type = 1 AND created_at > '{web_week}') AS view
WHERE n = 1
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query web_funnel: a funnel of three steps by self joins: start page, log-in page, log-in; one project, a month
WITH step1 AS (
  SELECT session_id, min(created_at) AS reached
  FROM website_events
  WHERE project_id = '{web_project}' AND event_type = 1 AND url_path = '/' AND created_at > '{web_month}'
  GROUP BY session_id
), step2 AS (
  SELECT e.session_id AS session_id, min(e.created_at) AS reached
  FROM step1 AS s JOIN website_events AS e ON e.session_id = s.session_id
  WHERE e.project_id = '{web_project}' AND e.event_type = 1 AND e.url_path = '/login' AND e.created_at > s.reached
    AND e.created_at > '{web_month}'
  GROUP BY e.session_id
), step3 AS (
  SELECT e.session_id AS session_id, min(e.created_at) AS reached
  FROM step2 AS s JOIN website_events AS e ON e.session_id = s.session_id
  WHERE e.project_id = '{web_project}' AND e.event_name = 'login' AND e.created_at > s.reached
    AND e.created_at > '{web_month}'
  GROUP BY e.session_id
)
SELECT (SELECT count(*) FROM step1) AS step1, (SELECT count(*) FROM step2) AS step2,
       (SELECT count(*) FROM step3) AS step3;

-- query web_retention: weekly retention of known visitors by a self join, one project, all time
WITH cohort AS (
  SELECT distinct_id, date_trunc('week', min(created_at)) AS week
  FROM website_events
  WHERE project_id = '{web_project}' AND distinct_id <> ''
  GROUP BY distinct_id
)
SELECT c.week AS cohort_week, date_trunc('week', e.created_at) AS active_week,
       count(DISTINCT e.distinct_id) AS visitors
FROM cohort AS c JOIN website_events AS e ON e.distinct_id = c.distinct_id
WHERE e.project_id = '{web_project}'
GROUP BY 1, 2 ORDER BY 1, 2;

-- query web_sessions: the latest sessions of one project, drill-down
SELECT session_id, min(created_at) AS first_at, max(created_at) AS last_at, count(*) AS events,
       count(*) FILTER (WHERE event_type = 1) AS views, max(country) AS country, max(browser) AS browser
FROM website_events
WHERE project_id = '{web_project}' AND created_at > '{web_week}'
GROUP BY session_id ORDER BY max(created_at) DESC, CAST(session_id AS text) LIMIT 50;

-- query web_session: one session, event by event
SELECT created_at, event_type, url_path, page_title, event_name, referrer_domain
FROM website_events
WHERE project_id = '{web_project}' AND session_id = '{session}'
ORDER BY created_at, CAST(event_id AS text) LIMIT 500;

-- query web_visitor: all that a known visitor did
SELECT created_at, session_id, event_type, url_path, event_name
FROM website_events
WHERE project_id = '{web_project}' AND distinct_id = '{visitor}'
ORDER BY created_at, CAST(event_id AS text) LIMIT 200;

-- query web_event: one event by its id
SELECT project_id, session_id, event_type, url_path, created_at
FROM website_events
WHERE event_id = '{event}';

-- query web_custom_events: custom events by name and day, one project, a week
SELECT event_name, date_trunc('day', created_at) AS day, count(*) AS events, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = '{web_project}' AND event_type = 2 AND created_at > '{web_week}'
GROUP BY 1, 2 ORDER BY 1, 2;

-- query web_heatmap: events by weekday and hour, one project, all time
SELECT extract(dow FROM created_at) AS weekday, extract(hour FROM created_at) AS hour, count(*) AS events
FROM website_events
WHERE project_id = '{web_project}'
GROUP BY 1, 2 ORDER BY 1, 2;
-- dialect clickhouse
SELECT toDayOfWeek(created_at) % 7 AS weekday, toHour(created_at) AS hour, count(*) AS events
FROM website_events
WHERE project_id = '{web_project}'
GROUP BY 1, 2 ORDER BY 1, 2;

-- query web_hourly_zone: page views per hour of a time zone, as text (as Umami asks), all projects, all time
SELECT to_char(date_trunc('hour', created_at AT TIME ZONE 'Europe/Berlin'), 'YYYY-MM-DD HH24:00:00') AS x, count(*) AS y
FROM website_events
WHERE event_type = 1
GROUP BY 1 ORDER BY 1;
-- dialect duckdb
SELECT strftime(date_trunc('hour', timezone('Europe/Berlin', timezone('UTC', created_at))), '%Y-%m-%d %H:00:00') AS x, count(*) AS y
FROM website_events
WHERE event_type = 1
GROUP BY 1 ORDER BY 1;
-- dialect clickhouse
SELECT formatDateTime(toStartOfHour(created_at, 'Europe/Berlin'), '%Y-%m-%d %H:00:00', 'Europe/Berlin') AS x, count(*) AS y
FROM website_events
WHERE event_type = 1
GROUP BY 1 ORDER BY 1;

-- query web_weekly_zone: visitors by weekday and hour of a time zone (as Umami asks), one project, all time
SELECT concat(extract(dow FROM created_at AT TIME ZONE 'Europe/Berlin'), ':', to_char(created_at AT TIME ZONE 'Europe/Berlin', 'HH24')) AS time,
       count(DISTINCT session_id) AS value
FROM website_events
WHERE project_id = '{web_project}' AND event_type = 1
GROUP BY 1 ORDER BY 2 DESC, 1;
-- dialect duckdb
SELECT concat(extract(dow FROM timezone('Europe/Berlin', timezone('UTC', created_at))), ':',
              strftime(timezone('Europe/Berlin', timezone('UTC', created_at)), '%H')) AS time,
       count(DISTINCT session_id) AS value
FROM website_events
WHERE project_id = '{web_project}' AND event_type = 1
GROUP BY 1 ORDER BY 2 DESC, 1;
-- dialect clickhouse
SELECT concat(toString(toDayOfWeek(created_at, 0, 'Europe/Berlin') % 7), ':', formatDateTime(created_at, '%H', 'Europe/Berlin')) AS time,
       count(DISTINCT session_id) AS value
FROM website_events
WHERE project_id = '{web_project}' AND event_type = 1
GROUP BY 1 ORDER BY 2 DESC, 1;

-- query web_clients: browsers and systems in one text, all projects
SELECT concat(browser, ' on ', os) AS client, count(*) AS events, count(DISTINCT device) AS devices
FROM website_events
GROUP BY 1 ORDER BY 2 DESC, 1;

-- query web_rolling: visitors per day with their seven-day mean, one project, all time
SELECT day, visitors, avg(visitors) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS mean
FROM (SELECT date_trunc('day', created_at) AS day, count(DISTINCT session_id) AS visitors
      FROM website_events
      WHERE project_id = '{web_project}'
      GROUP BY 1) AS daily
ORDER BY 1;

-- query web_path_search: pages whose path holds a word, all projects
SELECT url_path, count(*) AS views, max(page_title) AS title
FROM website_events
WHERE url_path LIKE '%order%' AND event_type = 1
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query web_click_ids: paid clicks per network and week, all projects
SELECT date_trunc('week', created_at) AS week, count(*) FILTER (WHERE gclid <> '') AS google,
       count(*) FILTER (WHERE fbclid <> '') AS facebook, count(*) FILTER (WHERE msclkid <> '') AS microsoft,
       count(*) FILTER (WHERE ttclid <> '') AS tiktok
FROM website_events
GROUP BY 1 ORDER BY 1;

-- query web_count: how many events there are
SELECT count(*) AS events FROM website_events;

-- query web_span: first and last event, of everything
SELECT min(created_at) AS first_at, max(created_at) AS last_at, count(DISTINCT project_id) AS projects
FROM website_events;

-- query web_distinct: distinct sessions, visits, visitors, paths and cities, of everything
SELECT count(DISTINCT session_id) AS sessions, count(DISTINCT visit_id) AS visits,
       count(DISTINCT distinct_id) AS visitors, count(DISTINCT url_path) AS paths, count(DISTINCT city) AS cities
FROM website_events;

-- query web_by_session: the largest sessions of all projects: a group for each session
SELECT session_id, count(*) AS events, max(created_at) AS last_at
FROM website_events
GROUP BY session_id ORDER BY 2 DESC, CAST(session_id AS text) LIMIT 20;

-- query web_by_url: project, path and query: many groups of text
SELECT project_id, url_path, url_query, count(*) AS events
FROM website_events
GROUP BY 1, 2, 3 ORDER BY 4 DESC, CAST(project_id AS text), 2, 3 LIMIT 20;

-- query web_by_title: views and visitors by page title, all projects
SELECT page_title, count(*) AS views, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE event_type = 1 AND page_title <> ''
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20;

-- query web_projects: traffic by project, with names: join with projects and organizations
SELECT p.name AS project, o.name AS organization, count(*) AS events, count(DISTINCT e.session_id) AS visitors
FROM website_events AS e
JOIN projects AS p ON p.id = e.project_id
JOIN organizations AS o ON o.id = p.organization_id
WHERE e.created_at > '{web_month}'
GROUP BY p.name, o.name ORDER BY 3 DESC, 1, 2 LIMIT 40;
