#!/usr/bin/env bash
# bench/kernels.sh: nanoseconds a row of what ColumnarAgg does to vectors, on one core.
#
# Usage: bench/kernels.sh [ROWS]        (default 2000000 website_events and api_metrics)
# Starts a private cluster with the installed extension under ${HANZO_WORK:-/tmp/hanzo_bench_kernels}, loads rows of bench/generate into the Hanzo
# schema, optimizes, and prints a Markdown table: of each query the least time of nine, warm, planning and reading included; where it is given, less that
# of a query that decodes the same column and does nothing with it. No threads, no metadata answers.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
rows=${1:-2000000}
work=${HANZO_WORK:-/tmp/hanzo_bench_kernels}
port=${HANZO_PORT:-56488}
find_postgres

make -s bench
rm -rf "$work"
start_cluster "$work" "$port" "shared_buffers = 2GB" "max_wal_size = 16GB" "checkpoint_timeout = 1h" "autovacuum = off" "jit = off" "work_mem = 256MB" "timezone = 'UTC'" >/dev/null
trap stop_clusters EXIT
export PGHOST=$work PGPORT=$port PGUSER=postgres PGDATABASE=postgres
sql() { "$BINDIR/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }

sql -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION hanzo_datastore' -c 'SELECT hanzo_datastore.create_hanzo_schema(3, 1)' >/dev/null
for table in website_events api_metrics; do
	columns=$(bench/generate --columns $table | tr -d ' \n' | sed 's/[^,]*/"&"/g')
	bench/generate $table --rows "$rows" --seed 1 --format copy | sql -c "COPY hanzo.$table ($columns) FROM STDIN"
	sql -c "CALL hanzo_datastore.optimize('hanzo.$table')" >/dev/null 2>&1
done
sql -c 'VACUUM (ANALYZE) hanzo.website_events, hanzo.api_metrics' >/dev/null

# Least execution time of a query, in milliseconds.
least() {
	{
		printf 'SET search_path = hanzo; SET hanzo_datastore.max_threads = 0; SET hanzo_datastore.enable_metadata_answers = off; SET max_parallel_workers_per_gather = 0;\n'
		for _ in 1 2 3 4 5 6 7 8 9; do printf 'EXPLAIN (ANALYZE, TIMING OFF) %s;\n' "$1"; done
	} | sql | awk '/ColumnarAgg/ { found = 1 } /^Execution Time/ { if (least == "" || $3 < least) least = $3 } END { if (!found) exit 1; print least }'
}

printf '\n## One core: `bench/kernels.sh %s`\n\n| what | ms | ns a row | less decoding | wanted |\n| --- | --- | --- | --- | --- |\n' "$rows"
while IFS='|' read -r name wanted query decoding; do
	time=$(least "$query")
	base=
	if [ -n "$decoding" ]; then base=$(least "$decoding"); fi
	awk -v name="$name" -v t="$time" -v b="$base" -v n="$rows" -v w="$wanted" \
		'BEGIN { printf "| %s | %.1f | %.2f | %s | %s |\n", name, t, t * 1e6 / n, b == "" ? "" : sprintf("%.2f", (t - b) * 1e6 / n), w }'
done <<'LIST'
int4 > constant, half of the rows|0.5|SELECT count(*) FROM api_metrics WHERE latency_ms > 20|SELECT count(*) FILTER (WHERE latency_ms IS NULL) FROM api_metrics
sum of int4||SELECT sum(latency_ms) FROM api_metrics|
GROUP BY a dictionary column, count|3|SELECT endpoint, count(*) FROM api_metrics GROUP BY 1|
the same of website_events||SELECT country, count(*) FROM website_events GROUP BY 1|
GROUP BY date_trunc('hour'), count|5|SELECT date_trunc('hour', timestamp), count(*) FROM api_metrics GROUP BY 1|
GROUP BY date_trunc('day'), count||SELECT date_trunc('day', timestamp), count(*) FROM api_metrics GROUP BY 1|
GROUP BY date_trunc('hour') of a zone with summer time, count||SELECT date_trunc('hour', timestamp AT TIME ZONE 'Europe/Berlin'), count(*) FROM api_metrics GROUP BY 1|
the same as text||SELECT to_char(date_trunc('hour', timestamp AT TIME ZONE 'Europe/Berlin'), 'YYYY-MM-DD HH24:00:00'), count(*) FROM api_metrics GROUP BY 1|
GROUP BY floor(epoch / 300) * 300, count||SELECT floor(extract(epoch FROM timestamp) / 300) * 300, count(*) FROM api_metrics GROUP BY 1|
GROUP BY concat() of two dictionary columns, count||SELECT concat(browser, ' on ', os), count(*) FROM website_events GROUP BY 1|
GROUP BY weekday and hour||SELECT extract(isodow FROM timestamp), extract(hour FROM timestamp), count(*) FROM api_metrics GROUP BY 1, 2|
GROUP BY day and status, count, sum||SELECT date_trunc('day', timestamp), status_code, count(*), sum(latency_ms) FROM api_metrics GROUP BY 1, 2|
count(DISTINCT uuid), all distinct|25|SELECT count(DISTINCT event_id) FROM website_events|
count(DISTINCT uuid), sessions||SELECT count(DISTINCT session_id) FROM website_events|
LIST
