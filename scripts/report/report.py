"""Writes what the demo's database holds as one HTML file: dashboards, storage, and the demo's query times.

    python3 report.py [--psql PATH] [--timings FILE] OUTPUT

Connects as psql does, by PGHOST, PGPORT, PGUSER, PGDATABASE, and needs schema hanzo and its copy in heaps, hanzo_heap. FILE has a line
`query|milliseconds in columns|milliseconds in the heap` for each query that was timed. OUTPUT refers to nothing outside itself and runs no
script: its Content-Security-Policy allows styles only. Every number is the answer of a query below, or comes from FILE.

Days and hours are UTC. Sums come from the rollups; distinct counts over days and percentiles, which sums of hours cannot give, from the
tables. NaN, which PostgreSQL takes for the greatest number, is left out.
"""
import argparse
import collections
import datetime
import json
import os
import platform
import re
import subprocess
import sys

from chart import (bar_table, compact, dollars, escape, milliseconds, name, number, percent, plain, ratio, seconds, shorten, size, tiles, time_chart,
                   top_list)

DAYS, HOURS = 30, 7 * 24
MOST_MODELS = 6
HERE = os.path.dirname(os.path.abspath(__file__))


class Database:
    def __init__(self, psql):
        self.psql = psql
        self.environment = dict(os.environ, PGTZ='UTC', PGCLIENTENCODING='UTF8')

    def rows(self, query, **variables):
        """The query's rows as dictionaries. :'variable' is quoted by psql."""
        command = [self.psql, '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1']
        for variable, value in variables.items():
            command += ['-v', f'{variable}={value}']
        done = subprocess.run(command, input=f"SELECT coalesce(json_agg(q), '[]') FROM (\n{query}\n) AS q;\n", env=self.environment,
                              encoding='utf-8', stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            sys.exit(f'report.py: {done.stderr.strip()}\nin the query:\n{query}')
        return json.loads(done.stdout)

    def row(self, query, **variables):
        return self.rows(query, **variables)[0]


class Period:
    """The buckets of the newest rows: the last one holds `newest`, text of a timestamp in UTC, or there are none."""

    def __init__(self, newest, count, step):
        self.step = step
        self.starts = []
        if newest is not None:
            last = datetime.datetime.fromisoformat(newest).replace(minute=0, second=0, microsecond=0)
            if step.days:
                last = last.replace(hour=0)
            self.starts = [last - step * i for i in range(count - 1, -1, -1)]
        self.by_name = {self.key(start): i for i, start in enumerate(self.starts)}
        self.bounds = {'from': f'{self.starts[0]}+00', 'to': f'{self.starts[-1] + step}+00'} if self.starts else {
            'from': 'infinity', 'to': '-infinity'}

    @staticmethod
    def key(start):
        return start.strftime('%Y-%m-%d %H:%M')

    def labels(self):
        """(on the axis, in full) of each bucket. Hours are marked at midnight, of a short period every six."""
        if self.step.days:
            return [(f'{start.day} {start:%b}', f'{start:%Y-%m-%d}') for start in self.starts]
        if len(self.starts) <= 36:
            return [(f'{start:%H:%M}' if start.hour % 6 == 0 else None, self.key(start)) for start in self.starts]
        return [(f'{start.day} {start:%b}' if start.hour == 0 else None, self.key(start)) for start in self.starts]

    def leave_out_before(self, rows, least):
        """Buckets before the first of the rows, but `least` stay."""
        measured = {row['at'] for row in rows}
        while len(self.starts) > least and self.key(self.starts[0]) not in measured:
            del self.starts[0]
        self.by_name = {self.key(start): i for i, start in enumerate(self.starts)}

    def values(self, rows, column, missing=None):
        """Of rows with a column `at` as AT writes it."""
        values = [missing] * len(self.starts)
        for row in rows:
            if row['at'] in self.by_name:
                values[self.by_name[row['at']]] = row[column]
        return values


def at(bucket):
    return f"to_char({bucket} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS at"


def newest(db, table, column, condition='true', **variables):
    # infinity and slips of clocks have no place on an axis
    return db.row(f"""
        SELECT to_char(max({column}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS newest FROM {table}
        WHERE {condition} AND {column} > '1971-01-01' AND {column} < '9999-01-01'""", **variables)['newest']


def days_of(moment):
    return Period(moment, DAYS, datetime.timedelta(days=1))


def hours_of(moment):
    return Period(moment, HOURS, datetime.timedelta(hours=1))


def section(identifier, title, lead, *parts):
    return f'<section id="{identifier}">\n<h2>{escape(title)}</h2>\n<p class="lead">{lead}</p>\n{"".join(parts)}</section>\n'


def cards(*figures, kind=''):
    return f'<div class="cards {kind}">\n{"".join(figures)}</div>\n'


def share(part, whole):
    part, whole = number(part), number(whole)
    return None if part is None or not whole else part / whole


# ---- Web analytics: the project with the most events

def web(db):
    project = db.rows("""
        SELECT e.project_id, p.name FROM (
            SELECT project_id, sum(total_events) AS events FROM hanzo.website_events_hourly_mv GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1
        ) AS e LEFT JOIN hanzo.projects AS p ON p.id = e.project_id""")
    chosen = project[0] if project else {'project_id': '00000000-0000-0000-0000-000000000000', 'name': None}
    period = days_of(newest(db, 'hanzo.website_events', 'created_at', "project_id = :'project'", project=chosen['project_id']))
    bounds = dict(period.bounds, project=chosen['project_id'])
    where = "project_id = :'project' AND created_at >= :'from' AND created_at < :'to'"

    views = db.rows(f"""
        SELECT {at("date_trunc('day', hour, 'UTC')")}, sum(pageviews) AS views FROM hanzo.website_events_hourly_mv
        WHERE project_id = :'project' AND hour >= :'from' AND hour < :'to' GROUP BY 1""", **bounds)
    visitors = db.rows(f"""
        SELECT {at("date_trunc('day', created_at, 'UTC')")}, count(DISTINCT session_id) AS visitors FROM hanzo.website_events
        WHERE {where} AND event_type = 1 GROUP BY 1""", **bounds)
    sessions = db.row(f"""
        SELECT count(*) AS sessions, sum(views) AS views, avg(views) AS each, 100.0 * count(*) FILTER (WHERE views = 1) / nullif(count(*), 0) AS bounces
        FROM (SELECT session_id, count(*) AS views FROM hanzo.website_events WHERE {where} AND event_type = 1 GROUP BY 1) AS s""", **bounds)

    def top(title, column, header, condition='true', most=8):
        rows = db.rows(f"""
            SELECT {column} AS name, count(*) AS views, count(DISTINCT session_id) AS visitors FROM hanzo.website_events
            WHERE {where} AND event_type = 1 AND {condition} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {most}""", **bounds)
        return top_list(title, f'page views and visitors, {DAYS} days', [header, 'Views', 'Visitors'],
                        [(r['name'], r['views'], plain(r['visitors'])) for r in rows], 'views')

    lead = f'Project {name(chosen["name"] or chosen["project_id"])}, the one with the most events; the {DAYS} days up to its newest event.'
    return section(
        'web', 'Web analytics', lead,
        tiles([('Page views', compact(sessions['views']), f'{DAYS} days'), ('Visitors', compact(sessions['sessions']), 'distinct sessions'),
               ('Views per visitor', plain(sessions['each']), 'mean'), ('Bounces', percent(sessions['bounces']), 'visitors with one view')]),
        cards(time_chart('Page views by day', 'views; from the hourly rollup', period.labels(),
                         [('Page views', period.values(views, 'views', 0))], 'area', axis=compact),
              time_chart('Visitors by day', 'distinct sessions; from the table', period.labels(),
                         [('Visitors', period.values(visitors, 'visitors', 0))], 'area', axis=compact)),
        cards(top('Top pages', 'url_path', 'Page', most=10), top('Top referrers', 'referrer_domain', 'Referrer', "referrer_domain <> ''", 10)),
        cards(top('Countries', 'country', 'Country'), top('Browsers', 'browser', 'Browser'), top('Devices', 'device', 'Device'), kind='small'))


# ---- AI observability: all projects

def ai(db):
    period = days_of(newest(db, 'hanzo.ai_usage_daily_mv', 'day'))
    by_model = db.rows(f"""
        SELECT {at('day')}, model_name, sum(total_calls) AS calls, sum(total_tokens) AS tokens, sum(total_cost) AS cost
        FROM hanzo.ai_usage_daily_mv WHERE day >= :'from' AND day < :'to' GROUP BY day, model_name ORDER BY day""", **period.bounds)
    models = db.rows(f"""
        SELECT model_name, count(*) AS calls, sum(total_tokens) AS tokens, sum(total_cost) FILTER (WHERE total_cost < 'infinity') AS cost,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50, percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY time_to_first_token_ms) AS first_token
        FROM hanzo.ai_observations WHERE type = 'generation' AND start_time >= :'from' AND start_time < :'to'
        GROUP BY 1 ORDER BY 4 DESC NULLS LAST, 1 LIMIT 12""", **period.bounds)
    latency = db.rows(f"""
        SELECT {at("date_trunc('day', start_time, 'UTC')")}, percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95, percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99
        FROM hanzo.ai_observations WHERE type = 'generation' AND start_time >= :'from' AND start_time < :'to' GROUP BY 1""", **period.bounds)
    total = db.row("""
        SELECT count(*) AS calls, sum(total_tokens) AS tokens, sum(total_cost) FILTER (WHERE total_cost < 'infinity') AS cost,
               100.0 * count(*) FILTER (WHERE level = 'ERROR') / nullif(count(*), 0) AS errors,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95
        FROM hanzo.ai_observations WHERE type = 'generation' AND start_time >= :'from' AND start_time < :'to'""", **period.bounds)

    costs = collections.Counter()
    for row in by_model:
        costs[row['model_name']] += number(row['cost']) or 0
    kept = [model for model, _ in costs.most_common(MOST_MODELS)]

    def stack(title, unit, column, show, axis):
        """The dearest models, of the same colour in each chart, and the others as one."""
        series = [(model or 'none', period.values([r for r in by_model if r['model_name'] == model], column)) for model in kept]
        if len(costs) > len(kept):
            others = collections.Counter()
            for row in by_model:
                if row['model_name'] not in kept:
                    others[row['at']] += number(row[column]) or 0
            series.append((f'{len(costs) - len(kept)} others', period.values([{'at': k, column: v} for k, v in others.items()], column)))
        return time_chart(title, f'{unit}, by model; from the daily rollup', period.labels(), series, 'stack', show, axis)

    dearest = max((number(m['cost']) or 0 for m in models), default=0) or 1
    table_of_models = bar_table(
        'Models by cost', f'generations of {DAYS} days; bars: cost; from the table', ['Model', 'Cost', 'p50, ms', 'p95, ms', 'First token, ms'],
        [(f'{name(m["model_name"], 40)} <small>{plain(m["calls"])} calls, {compact(m["tokens"])} tokens</small>',
          [((number(m['cost']) or 0) / dearest, f'{shorten(m["model_name"], 60)}: {dollars(m["cost"])}')], dollars(m['cost']), plain(m['p50']), plain(m['p95']),
          plain(m['first_token'])) for m in models])
    return section(
        'ai', 'AI observability', f'Generations of all projects; the {DAYS} days up to the newest.',
        tiles([('Calls', compact(total['calls']), f'{DAYS} days'), ('Tokens', compact(total['tokens']), 'prompt and completion'),
               ('Cost', dollars(total['cost']), 'US dollars'), ('Failed', percent(total['errors']), 'level ERROR'),
               ('p95', seconds(total['p95']), 'latency')]),
        cards(stack('Cost by day', 'US dollars', 'cost', dollars, dollars), stack('Tokens by day', 'tokens', 'tokens', plain, compact),
              stack('Calls by day', 'calls', 'calls', plain, compact),
              time_chart('Latency of generations', 'milliseconds, logarithmic, by day; from the table', period.labels(),
                         [(q, period.values(latency, q)) for q in ('p50', 'p95', 'p99')], 'log', milliseconds, seconds)),
        cards(table_of_models))


# ---- API performance: all projects

def api(db):
    period = hours_of(newest(db, 'hanzo.api_metrics', '"timestamp"'))
    requests = db.rows(f"""
        SELECT {at('hour')}, sum(total_requests) AS requests, 100.0 * sum(error_count) / nullif(sum(total_requests), 0) AS errors
        FROM hanzo.api_metrics_hourly_mv WHERE hour >= :'from' AND hour < :'to' GROUP BY hour""", **period.bounds)
    where = """ "timestamp" >= :'from' AND "timestamp" < :'to' """
    percentiles = ', '.join(f'percentile_cont({f}) WITHIN GROUP (ORDER BY latency_ms) AS p{n}' for n, f in ((50, 0.5), (95, 0.95), (99, 0.99)))
    latency = db.rows(f"""
        SELECT {at("date_trunc('hour', " + '"timestamp"' + ", 'UTC')")}, {percentiles} FROM hanzo.api_metrics WHERE {where} GROUP BY 1""", **period.bounds)
    total = db.row(f"""
        SELECT count(*) AS requests, 100.0 * count(*) FILTER (WHERE status_code >= 400) / nullif(count(*), 0) AS errors, {percentiles}
        FROM hanzo.api_metrics WHERE {where}""", **period.bounds)
    endpoints = db.rows(f"""
        SELECT endpoint, count(*) AS requests, 100.0 * count(*) FILTER (WHERE status_code >= 400) / count(*) AS errors, {percentiles}
        FROM hanzo.api_metrics WHERE {where} GROUP BY 1 ORDER BY p95 DESC, 1 LIMIT 12""", **period.bounds)
    slowest = max((number(e['p95']) or 0 for e in endpoints), default=0) or 1
    return section(
        'api', 'API performance', f'Requests of all projects; the {HOURS // 24} days up to the newest, by hour.',
        tiles([('Requests', compact(total['requests']), f'{HOURS // 24} days'), ('Errors', percent(total['errors']), 'status 400 and above'),
               ('p50', seconds(total['p50']), 'latency'), ('p95', seconds(total['p95']), 'latency'),
               ('p99', seconds(total['p99']), 'latency')]),
        cards(time_chart('Requests by hour', 'requests; from the hourly rollup', period.labels(),
                         [('Requests', period.values(requests, 'requests', 0))], 'area', axis=compact),
              time_chart('Error rate by hour', 'percent of requests with status 400 and above; from the hourly rollup', period.labels(),
                         [('Error rate', period.values(requests, 'errors'))], 'line', percent)),
        cards(time_chart('Latency by hour', 'milliseconds, logarithmic; from the table', period.labels(),
                         [(q, period.values(latency, q)) for q in ('p50', 'p95', 'p99')], 'log', milliseconds, seconds)),
        cards(bar_table('Slowest endpoints', f'{HOURS // 24} days; bars: 95th percentile of latency; from the table',
                        ['Endpoint', 'Requests', 'Errors', 'p50, ms', 'p95, ms', 'p99, ms'],
                        [(name(e['endpoint'], 60), [((number(e['p95']) or 0) / slowest, f'{shorten(e["endpoint"], 80)}: {milliseconds(e["p95"])}')],
                          plain(e['requests']), percent(e['errors']), plain(e['p50']), plain(e['p95']), plain(e['p99']))
                         for e in endpoints])))


# ---- Infrastructure: the instances with the highest load

def infrastructure(db):
    period = hours_of(newest(db, 'hanzo.base_metrics', '"timestamp"'))
    where = """ "timestamp" >= :'from' AND "timestamp" < :'to' """
    instances = db.rows(f"""
        SELECT instance_id, avg(cpu_percent) AS cpu, max(cpu_percent) AS most_cpu, 100.0 * avg(memory_used_mb::float8 / nullif(memory_total_mb, 0)) AS memory,
               100.0 * max(disk_used_mb::float8 / nullif(disk_total_mb, 0)) AS disk
        FROM hanzo.base_metrics WHERE {where} GROUP BY 1
        ORDER BY CASE WHEN avg(cpu_percent) < 'infinity' THEN avg(cpu_percent) END DESC NULLS LAST, 1 LIMIT 10""", **period.bounds)
    hourly = db.rows(f"""
        SELECT {at("date_trunc('hour', " + '"timestamp"' + ", 'UTC')")}, instance_id, avg(cpu_percent) AS cpu,
               100.0 * avg(memory_used_mb::float8 / nullif(memory_total_mb, 0)) AS memory
        FROM hanzo.base_metrics WHERE {where} GROUP BY 1, 2""", **period.bounds)
    drawn = [i['instance_id'] for i in instances[:5]]
    period.leave_out_before(hourly, 24)

    def chart(title, note, column):
        return time_chart(title, note, period.labels(),
                          [(i[:8], period.values([r for r in hourly if r['instance_id'] == i], column)) for i in drawn], 'line', percent)

    return section(
        'infrastructure', 'Infrastructure', f'The instances with the highest mean CPU load; up to {HOURS // 24} days, means of an hour.',
        cards(chart('CPU of instances', 'percent; from the table', 'cpu'), chart('Memory of instances', 'percent of the instance’s memory; from the table', 'memory')),
        cards(bar_table('Instances', 'bars: mean CPU of 100 %; from the table', ['Instance', 'CPU', 'Peak', 'Memory', 'Disk'],
                        [(name(i['instance_id']), [((number(i['cpu']) or 0) / 100, f'{i["instance_id"]}: {percent(i["cpu"])}')],
                          percent(i['cpu']), percent(i['most_cpu']), percent(i['memory']), percent(i['disk'])) for i in instances])))


# ---- Storage

TABLES = """
    WITH part AS (
        SELECT c.oid, c.relname AS name, coalesce(p.relid, c.oid)::regclass AS leaf, h.oid::regclass AS heap
        FROM pg_class AS c
        JOIN pg_class AS h ON h.relname = c.relname AND h.relnamespace = 'hanzo_heap'::regnamespace AND h.relkind = 'r'
        LEFT JOIN LATERAL pg_partition_tree(c.oid) AS p ON c.relkind = 'p'
        WHERE c.relnamespace = 'hanzo'::regnamespace AND NOT c.relispartition AND c.relkind IN ('r', 'p') AND (p.isleaf OR c.relkind = 'r')
    )
    SELECT name, count(*) AS parts, sum(pg_table_size(leaf)) AS data, sum(pg_indexes_size(leaf)) AS indexes,
           min(pg_table_size(heap)) AS heap_data, min(pg_indexes_size(heap)) AS heap_indexes,
           sum(t.raw_bytes) AS raw, sum(t.compressed_bytes) AS compressed, sum(t.rows - t.deleted_rows) AS in_columns, sum(t.delta_rows) AS in_delta
    FROM part JOIN hanzo_datastore.columnar_tables AS t ON t.relation = leaf
    GROUP BY name ORDER BY heap_data DESC, name"""

COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, string_agg(s.encodings, ', ') AS encodings, string_agg(s.codecs, ', ') AS codecs,
           sum(s.raw_bytes) AS raw, sum(s.compressed_bytes) AS compressed
    FROM pg_attribute AS a
    JOIN pg_partition_tree(a.attrelid) AS p ON p.isleaf
    JOIN pg_class AS c ON c.oid = p.relid
    JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'hanzo_columnar'
    CROSS JOIN LATERAL hanzo_datastore.column_stats(p.relid) AS s
    WHERE a.attrelid = :'table'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND s.column_name = a.attname
    GROUP BY a.attnum, 1, 2 HAVING sum(s.raw_bytes) > 0 ORDER BY compressed DESC, a.attnum"""


def most_used(counted):
    """'dictionary 3, plain 1, dictionary 2' becomes 'dictionary 5, plain 1'; a single one stands without its number."""
    counts = collections.Counter()
    for what, count in re.findall(r'([^,]+?) (\d+)(?:, |$)', counted or ''):
        counts[what.strip()] += int(count)
    if len(counts) == 1:
        return next(iter(counts))
    return ', '.join(f'{what} {count}' for what, count in counts.most_common())


def kind_of(column):
    encodings = re.sub(r'\bfor\b', 'frame of reference', most_used(column['encodings']))
    codecs = re.sub(r'\bnone\b', 'no codec', most_used(column['codecs']))
    return f'{column["type"].replace("timestamp(3) with time zone", "timestamptz(3)")} · {encodings} · {codecs}'


def storage(db, tables):
    most = max((number(t['heap_data']) or 0 for t in tables), default=0) or 1
    most = max([most] + [number(t['data']) or 0 for t in tables])
    by_table = bar_table(
        'Bytes by table', 'data without indexes, free space included; ratio: heap by columns', ['Table', 'Columns', 'Heap', 'Ratio'],
        [(f'{name(t["name"])} <small>{plain(t["rows"])} rows, indexes: {size(t["indexes"])} and {size(t["heap_indexes"])}</small>',
          [(t['data'] / most, f'{t["name"]} in columns: {size(t["data"])}'), (t['heap_data'] / most, f'{t["name"]} in a heap: {size(t["heap_data"])}')],
          size(t['data']), size(t['heap_data']), ratio(share(t['heap_data'], t['data']))) for t in tables],
        ['Columns', 'Heap'])
    by_column = []
    for table in ('website_events', 'ai_observations'):
        rows = db.rows(COLUMNS, table=f'hanzo.{table}')
        longest = max((r['raw'] for r in rows), default=0) or 1
        by_column.append(bar_table(
            f'Columns of {table}', 'bytes of row groups, after and before encoding and compression; below the name: type, encodings, codecs, with numbers '
            'of row groups where these differ', ['Column', 'Stored', 'Raw', 'Ratio'],
            [(f'{name(r["name"])} <small>{escape(kind_of(r))}</small>',
              [(r['compressed'] / longest, f'{r["name"]}, stored: {size(r["compressed"])}'), (r['raw'] / longest, f'{r["name"]}, raw: {size(r["raw"])}')],
              size(r['compressed']), size(r['raw']), ratio(share(r['raw'], r['compressed']))) for r in rows],
            ['Stored', 'Raw']))
    return section('storage', 'Storage', 'The same rows in columns (schema hanzo) and in ordinary tables (schema hanzo_heap).', cards(by_table), cards(*by_column))


# ---- Query times that the demo measured

def read_timings(path):
    timings = []
    if path:
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                title, columns_ms, heap_ms = line.rstrip('\n').rsplit('|', 2)
                timings.append((title, number(columns_ms), number(heap_ms)))
    return timings


def query_times(timings):
    rows = []
    for title, columns_ms, heap_ms in timings:
        longer = max(columns_ms or 0, heap_ms or 0) or 1
        rows.append((name(title), [((columns_ms or 0) / longer, f'columns: {milliseconds(columns_ms)}'), ((heap_ms or 0) / longer, f'heap: {milliseconds(heap_ms)}')],
                     plain(columns_ms), plain(heap_ms), ratio(share(heap_ms, columns_ms))))
    return section(
        'times', 'Query times', 'Each query was run warm against both, and both gave the same answer. Bars compare the two times of one query, not '
        'queries with each other. A ratio below 1 means that the heap was faster.',
        cards(bar_table('Columns against heap', 'medians; ratio: heap by columns', ['Query', 'Columns, ms', 'Heap, ms', 'Ratio'], rows, ['Columns', 'Heap'])))


# ---- The page

def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def page(db, timings):
    tables = db.rows(TABLES)
    for table in tables:
        identifier = '"' + table['name'].replace('"', '""') + '"'
        table['rows'] = db.row(f'SELECT count(*) AS n FROM hanzo.{identifier}')['n']
    facts = db.row("""
        SELECT current_setting('server_version') AS server, (SELECT extversion FROM pg_extension WHERE extname = 'hanzo_datastore') AS extension,
               current_setting('shared_buffers') AS buffers, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS now""")
    data, heap = (sum(number(t[column]) or 0 for t in tables) for column in ('data', 'heap_data'))
    faster = [t for t in timings if t[1] is not None and t[2] is not None and t[1] < t[2]]
    overview = [('Rows', compact(sum(t['rows'] for t in tables)), f'in {len(tables)} tables'),
                ('In columns', size(data), 'without indexes'), ('In heaps', size(heap), 'the same rows'), ('Ratio', ratio(share(heap, data)), 'heap by columns')]
    if timings:
        overview.append(('Queries faster', f'{len(faster)} of {len(timings)}', 'in columns than in the heap'))
    parts = [('web', 'Web analytics', web(db)), ('ai', 'AI observability', ai(db)), ('api', 'API performance', api(db)),
             ('infrastructure', 'Infrastructure', infrastructure(db)), ('storage', 'Storage', storage(db, tables))]
    if timings:
        parts.append(('times', 'Query times', query_times(timings)))
    with open(os.path.join(HERE, 'style.css'), encoding='utf-8') as file:
        style = file.read()
    links = ''.join(f'<a href="#{identifier}">{escape(title)}</a>\n' for identifier, title, _ in parts)
    machine = f'{cores()} cores, {platform.machine()}, shared_buffers {facts["buffers"]}'
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>hanzo_datastore: the demo’s report</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>hanzo_datastore: the demo’s report</h1>
<p class="lead">Dashboards over generated data in the Hanzo schema, stored in columns by the PostgreSQL extension hanzo_datastore, and what the storage
costs beside ordinary tables with the same rows.</p>
<p class="facts">{escape(facts['now'])} UTC · hanzo_datastore {escape(facts['extension'])} · PostgreSQL {escape(facts['server'])} · {escape(machine)}</p>
{tiles(overview)}<nav aria-label="Sections">
{links}</nav>
</header>
<main>
{''.join(part for _, _, part in parts)}</main>
<footer><p>Written by scripts/demo.sh. Times are UTC. All numbers are answers of queries to the demo’s database; the file refers to nothing outside itself.</p></footer>
</body>
</html>
"""


def main():
    parser = argparse.ArgumentParser(description='The demo\'s report as one HTML file.')
    parser.add_argument('--psql', default='psql', help='the psql to ask')
    parser.add_argument('--timings', help='lines of query|ms in columns|ms in the heap')
    parser.add_argument('output')
    arguments = parser.parse_args()
    text = page(Database(arguments.psql), read_timings(arguments.timings))
    # as a whole or not at all
    part = arguments.output + '.part'
    with open(part, 'w', encoding='utf-8') as file:
        file.write(text)
    os.replace(part, arguments.output)


if __name__ == '__main__':
    main()
