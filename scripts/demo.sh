#!/usr/bin/env bash
# The Hanzo schema with a million website events, in columns and in a heap, side by side.
#
#   scripts/demo.sh [--keep | --stop]
#
# Installs what is missing, builds and installs the extension, starts a private cluster, loads the same
# rows twice (schemas hanzo and hanzo_heap), compacts, and prints sizes, a dashboard's answers and their times.
# Both tables must give the same answers, or the script fails. Last it writes all that as a page with charts,
# $HANZO_WORK/report.html.
#
#   --keep               leave the cluster running, and say how to reach it
#   --stop               stop the cluster that --keep left, and remove it
#   HANZO_ROWS=1000000   website events; the other event tables follow in proportion
#   HANZO_AI_ROWS=50000  AI observations; traces and scores follow
#   HANZO_SEED=1         seed of the generator
#   HANZO_RUNS=3         timed runs of a query after one that warms up; the median is printed
#   HANZO_WORK=/tmp/hanzo_demo  HANZO_PORT=5498  HANZO_FSYNC=on  HANZO_SHARED_BUFFERS=1GB
#   HANZO_CONF=…         further lines of postgresql.conf
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

rows=${HANZO_ROWS:-1000000}
ai_rows=${HANZO_AI_ROWS:-50000}
seed=${HANZO_SEED:-1}
runs=${HANZO_RUNS:-3}
work=${HANZO_WORK:-/tmp/hanzo_demo}
port=${HANZO_PORT:-5498}
export HANZO_FSYNC=${HANZO_FSYNC:-on} PGTZ=UTC PSQLRC=/dev/null PGOPTIONS=
keep=

case ${1:-} in
  '' | --stop) ;;
  --keep) keep=1 ;;
  *) die "unknown option $1: --keep or --stop" ;;
esac
for number in "$rows" "$ai_rows" "$seed" "$runs"; do
  case $number in '' | *[!0-9]*) die "$number is not a number" ;; esac
done
case $work in /*) ;; *) die "HANZO_WORK must be an absolute path" ;; esac
[ "$runs" -gt 0 ] || die "HANZO_RUNS must be at least 1"

# ---- The work directory: one of ours, or none yet

if [ -d "$work" ] && [ ! -e "$work/.hanzo_demo" ] && [ -n "$(ls -A "$work")" ]; then
  die "$work is not empty and was not made by this script: set HANZO_WORK"
fi
if [ "${1:-}" = --stop ]; then
  if [ -e "$work/.hanzo_demo" ]; then
    find_postgres
    stop_cluster "$work"
    rm -rf "$work"
  fi
  exit 0
fi

finish() {
  local status=$?
  trap - EXIT
  if [ -z "$keep" ] || [ $status != 0 ]; then
    stop_clusters
    rm -rf "$work/data"
  fi
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- Build

need_build_packages python3
find_postgres
mkdir -p build
say "Building for $("$PG_CONFIG" --version)"
build_and_install build/demo.make || { tail -n 30 build/demo.make >&2; die "the extension does not build: see build/demo.make"; }
make -s bench PG_CONFIG="$PG_CONFIG" >build/demo.bench 2>&1 || { tail -n 30 build/demo.bench >&2; die "bench/generate does not build"; }
[ -x bench/generate ] || die "there is no bench/generate"

own_dir "$work"
touch "$work/.hanzo_demo"
mkdir -p "$work/rows"
free_mb=$(df -Pm "$work" | awk 'NR == 2 { print $4 }')
need_mb=$((1000 + rows / 400 + ai_rows / 25))
[ "$free_mb" -ge "$need_mb" ] || die "$work has $free_mb MB free, about $need_mb MB are needed: set HANZO_WORK or HANZO_ROWS"

# ---- Cluster and schema

stop_cluster "$work"
rm -rf "$work/data"
extra=()
if [ -n "${HANZO_CONF:-}" ]; then mapfile -t extra <<<"$HANZO_CONF"; fi
cron=
if [ -e "$("$PG_CONFIG" --sharedir)/extension/pg_cron.control" ]; then
  cron=1
  extra+=("shared_preload_libraries = 'pg_cron'" "cron.database_name = 'demo'" "cron.host = '$work'")
fi
start_cluster "$work" "$port" "shared_buffers = ${HANZO_SHARED_BUFFERS:-1GB}" "maintenance_work_mem = 256MB" \
  "max_wal_size = 8GB" "checkpoint_timeout = 30min" "timezone = 'UTC'" "${extra[@]}"
export PGDATABASE=demo
run_as_db "$BINDIR/createdb" -h "$work" -p "$port" -U postgres demo

psql=("$BINDIR/psql" -X -q -v ON_ERROR_STOP=1)
sql() { "${psql[@]}" -At -c "$1"; }

"${psql[@]}" <<'SQL' >/dev/null
CREATE EXTENSION hanzo_datastore;
SELECT hanzo_datastore.create_hanzo_schema();
CREATE SCHEMA hanzo_heap;
SQL

# ---- Load

now_ms() { echo $(($(date +%s%N) / 1000000)); }
seconds() { awk -v ms="$1" 'BEGIN { printf "%.1f", ms / 1000 }'; }

at_least() { if [ "$1" -gt "$2" ]; then echo "$1"; else echo "$2"; fi; }

tables=(
  organizations:50 projects:200 model_catalog:40
  "website_events:$rows" "event_properties:$(at_least $((rows / 5)) 100)"
  "session_properties:$(at_least $((rows / 20)) 100)"
  "ai_traces:$(at_least $((ai_rows * 2 / 5)) 100)" "ai_observations:$ai_rows" "ai_scores:$(at_least $((ai_rows / 2)) 100)"
  "business_events:$(at_least $((rows / 10)) 100)" "api_metrics:$(at_least $((rows / 2)) 100)"
  "base_metrics:$(at_least $((rows / 5)) 100)" "app_metrics:$(at_least $((rows / 5)) 100)"
)

# The generator's rows are kept between runs, as long as it is the same generator.
generator=$(cksum <bench/generate | cut -d' ' -f1)
find "$work/rows" -type f ! -name "*.$generator.copy" -delete

copy_into() {
  local target=$1 columns=$2 file=$3 start
  start=$(now_ms)
  "${psql[@]}" -c "COPY $target ($columns) FROM STDIN" <"$file" || die "COPY into $target failed"
  echo $(($(now_ms) - start))
}

say
printf '%-20s %10s %10s %12s %12s %12s\n' "Loading" rows "COPY text" "columns" "heap" "compaction"
for entry in "${tables[@]}"; do
  table=${entry%:*} count=${entry#*:}
  file=$work/rows/$table.$count.$seed.$generator.copy
  if [ ! -e "$file" ]; then
    bench/generate "$table" --rows "$count" --seed "$seed" >"$file.part" || die "bench/generate $table failed"
    mv "$file.part" "$file"
  fi
  columns=$(bench/generate --columns "$table" | tr -d ' \n' | sed 's/[^,]*/"&"/g')

  "${psql[@]}" -c "CREATE TABLE hanzo_heap.$table (LIKE hanzo.$table INCLUDING DEFAULTS) USING heap"
  columnar=$(sql "
    SELECT count(*) > 0
    FROM (SELECT 'hanzo.$table'::regclass AS relid
          UNION SELECT relid FROM pg_partition_tree('hanzo.$table')) AS part
    JOIN pg_class AS c ON c.oid = part.relid
    JOIN pg_am AS a ON a.oid = c.relam
    WHERE a.amname = 'hanzo_columnar'")
  load_ms=$(copy_into "hanzo.$table" "$columns" "$file")
  heap_ms=$(copy_into "hanzo_heap.$table" "$columns" "$file")
  compact=-
  if [ "$columnar" = t ]; then
    start=$(now_ms)
    "${psql[@]}" -c "CALL hanzo_datastore.compact('hanzo.$table')" >/dev/null
    compact="$(seconds $(($(now_ms) - start))) s"
  fi
  printf '%-20s %10d %7d MB %10s s %10s s %12s\n' "$table" "$count" $(($(stat -c %s "$file") / 1000000)) \
    "$(seconds "$load_ms")" "$(seconds "$heap_ms")" "$compact"

  loaded=$(sql "SELECT count(*) FROM hanzo.$table") copied=$(sql "SELECT count(*) FROM hanzo_heap.$table")
  [ "$loaded" = "$copied" ] || die "hanzo.$table has $loaded rows, its heap copy $copied"
done

# What a careful owner of the heap would index, so that its times are a fair match.
"${psql[@]}" <<'SQL'
CREATE INDEX ON hanzo_heap.website_events (project_id, created_at);
CREATE INDEX ON hanzo_heap.ai_observations (project_id, id);
CREATE INDEX ON hanzo_heap.ai_traces (project_id, id);
CREATE INDEX ON hanzo_heap.api_metrics (project_id, "timestamp");
CREATE INDEX ON hanzo_heap.business_events (project_id, created_at);
SQL
"${psql[@]}" -c "VACUUM"

# COPY into a table with a primary key went through the delta; the space of its long values lies free before the row
# groups. Where that is more than half, optimize() moves the groups to the front and VACUUM gives the end back.
start=$(now_ms)
sparse=$(sql "SELECT relation FROM hanzo_datastore.columnar_tables WHERE column_store_bytes > 2 * compressed_bytes + 1000000")
for table in $sparse; do "${psql[@]}" -c "CALL hanzo_datastore.optimize('$table')"; done
say "optimize() of $(wc -w <<<"$sparse") half-empty partitions: $(seconds $(($(now_ms) - start))) s"
"${psql[@]}" -c "VACUUM (ANALYZE)"

# ---- Sizes

say
say "Sizes (data without indexes; ratio: heap / columns)"
"${psql[@]}" -P footer=off <<'SQL'
WITH part AS (
  SELECT c.relname AS name, coalesce(p.relid, c.oid)::regclass AS leaf, h.oid::regclass AS heap
  FROM pg_class AS c
  JOIN pg_class AS h ON h.relname = c.relname AND h.relnamespace = 'hanzo_heap'::regnamespace
  LEFT JOIN LATERAL pg_partition_tree(c.oid) AS p ON c.relkind = 'p'
  WHERE c.relnamespace = 'hanzo'::regnamespace AND NOT c.relispartition AND c.relkind IN ('r', 'p')
    AND (p.isleaf OR c.relkind = 'r')
), size AS (
  SELECT name, bool_or(a.amname = 'hanzo_columnar') AS columnar, count(*) AS parts,
         sum(pg_table_size(leaf)) AS data, sum(pg_indexes_size(leaf)) AS indexes, sum(pg_total_relation_size(leaf)) AS total,
         min(pg_table_size(heap)) AS heap_data, min(pg_total_relation_size(heap)) AS heap_total
  FROM part JOIN pg_class AS c ON c.oid = leaf JOIN pg_am AS a ON a.oid = c.relam
  GROUP BY name
)
SELECT name AS "table", parts AS partitions, pg_size_pretty(data) AS columns, pg_size_pretty(heap_data) AS heap,
       round(heap_data / nullif(data, 0), 1) AS ratio, pg_size_pretty(indexes) AS "indexes",
       pg_size_pretty(total) AS "columns + indexes", pg_size_pretty(heap_total) AS "heap + indexes"
FROM size WHERE columnar ORDER BY heap_data DESC;
SQL

# ---- A dashboard: each answer from both, timed

project=$(sql "SELECT project_id FROM hanzo_heap.website_events GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
until=$(sql "SELECT max(created_at) FROM hanzo_heap.website_events")
ai_project=$(sql "SELECT project_id FROM hanzo_heap.ai_observations GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
ai_until=$(sql "SELECT max(start_time) FROM hanzo_heap.ai_observations")
ai_id=$(sql "SELECT id FROM hanzo_heap.ai_observations WHERE project_id = '$ai_project' AND output IS NOT NULL ORDER BY id LIMIT 1")
api_project=$(sql "SELECT project_id FROM hanzo_heap.api_metrics GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
api_until=$(sql 'SELECT max("timestamp") FROM hanzo_heap.api_metrics')
# What maintain() does every minute: buckets that have ended are stored. In the heap the same views are ordinary ones.
start=$(now_ms)
for rollup in website_events_hourly_mv api_metrics_hourly_mv ai_usage_daily_mv; do
  "${psql[@]}" -c "CALL hanzo_datastore.refresh_rollup('hanzo.$rollup', '$until'::timestamptz)" >/dev/null
done
say
say "First refresh of the three rollups: $(seconds $(($(now_ms) - start))) s"
"${psql[@]}" <<'SQL'
CREATE VIEW hanzo_heap.website_events_hourly_mv AS
SELECT project_id, date_trunc('hour', created_at, 'UTC') AS hour, count(DISTINCT session_id) AS unique_sessions, count(*) AS total_events
FROM hanzo_heap.website_events GROUP BY 1, 2;
CREATE VIEW hanzo_heap.api_metrics_hourly_mv AS
SELECT project_id, endpoint, date_trunc('hour', "timestamp", 'UTC') AS hour, count(*) AS total_requests,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99_latency
FROM hanzo_heap.api_metrics GROUP BY 1, 2, 3;
SQL

variables=(-v project="$project" -v until="$until" -v ai_project="$ai_project" -v ai_until="$ai_until" -v ai_id="$ai_id"
  -v api_project="$api_project" -v api_until="$api_until")

# in_schema SCHEMA: runs its input there.
in_schema() {
  PGOPTIONS="-c search_path=$1,public -c client_min_messages=warning" "${psql[@]}" "${variables[@]}"
}

# median_ms SCHEMA FILE
median_ms() {
  {
    echo '\o /dev/null'
    cat "$2"
    echo '\timing on'
    for ((i = 0; i < runs; i++)); do cat "$2"; done
  } | in_schema "$1" | awk '/^Time:/ { print $2 }' | sort -n | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'
}

summary=$work/summary
: >"$summary"
different=0

ask() {
  local title=$1 file=$work/query.sql columns_ms heap_ms
  cat >"$file"
  { echo '\pset footer off'; cat "$file"; } | in_schema hanzo >"$work/answer.columns"
  { echo '\pset footer off'; cat "$file"; } | in_schema hanzo_heap >"$work/answer.heap"
  columns_ms=$(median_ms hanzo "$file")
  heap_ms=$(median_ms hanzo_heap "$file")
  printf '\n%s\n' "$title"
  sed "/^$/d" "$work/answer.columns"
  printf '%s|%s|%s\n' "$title" "$columns_ms" "$heap_ms" >>"$summary"
  if ! diff -u "$work/answer.heap" "$work/answer.columns" >"$work/answer.diff"; then
    say "DIFFERENT from the heap's answer:"
    cat "$work/answer.diff"
    different=$((different + 1))
  fi
}

say "The busiest project's dashboard, up to $until"

ask "Page views and visitors per day" <<'SQL'
SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS page_views, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = :'project' AND event_type = 1 AND created_at > :'until'::timestamptz - interval '7 days'
GROUP BY 1 ORDER BY 1;
SQL

ask "Top pages of 30 days" <<'SQL'
SELECT url_path, count(*) AS views, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = :'project' AND event_type = 1 AND created_at > :'until'::timestamptz - interval '30 days'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10;
SQL

ask "Top referrers of 30 days" <<'SQL'
SELECT referrer_domain, count(DISTINCT session_id) AS visitors
FROM website_events
WHERE project_id = :'project' AND referrer_domain <> '' AND created_at > :'until'::timestamptz - interval '30 days'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10;
SQL

ask "Countries, all time" <<'SQL'
SELECT country, count(*) AS events, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent
FROM website_events WHERE project_id = :'project'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10;
SQL

ask "Browsers and devices of all projects" <<'SQL'
SELECT browser, device, count(*) AS events
FROM website_events GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10;
SQL

ask "Live visitors (5 minutes)" <<'SQL'
SELECT count(DISTINCT session_id) AS visitors, count(*) AS events
FROM website_events
WHERE project_id = :'project' AND created_at > :'until'::timestamptz - interval '5 minutes';
SQL

ask "Sessions and bounces of 30 days" <<'SQL'
SELECT count(*) AS sessions, round(100.0 * count(*) FILTER (WHERE views = 1) / count(*), 1) AS bounce_percent,
       max(views) AS most_views
FROM (SELECT session_id, count(*) AS views
      FROM website_events
      WHERE project_id = :'project' AND event_type = 1 AND created_at > :'until'::timestamptz - interval '30 days'
      GROUP BY 1) AS session;
SQL

ask "Cost per model and day" <<'SQL'
SELECT (start_time AT TIME ZONE 'UTC')::date AS day, model_name, count(*) AS calls,
       sum(total_tokens) AS tokens, round(sum(total_cost), 4) AS cost
FROM ai_observations
WHERE project_id = :'ai_project' AND type = 'generation' AND start_time > :'ai_until'::timestamptz - interval '3 days'
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 12;
SQL

ask "Slowest generations" <<'SQL'
SELECT id, name, model_name, latency_ms
FROM ai_observations WHERE latency_ms IS NOT NULL
ORDER BY latency_ms DESC, id LIMIT 5;
SQL

ask "One observation with its payload" <<'SQL'
SELECT name, model_name, length(input) AS input_length, length(output) AS output_length, left(output, 40) AS output
FROM ai_observations WHERE project_id = :'ai_project' AND id = :'ai_id';
SQL

ask "API latency per endpoint, 7 days" <<'SQL'
SELECT endpoint, count(*) AS requests,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95,
       percentile_disc(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99
FROM api_metrics
WHERE project_id = :'api_project' AND "timestamp" > :'api_until'::timestamptz - interval '7 days'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10;
SQL

ask "API error rates per endpoint, all projects" <<'SQL'
SELECT endpoint, count(*) AS requests, count(*) FILTER (WHERE status_code >= 400) AS errors,
       round(100.0 * count(*) FILTER (WHERE status_code >= 400) / count(*), 2) AS error_percent
FROM api_metrics GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT 10;
SQL

ask "Events of 30 days by day, from the hourly rollup" <<'SQL'
SELECT (hour AT TIME ZONE 'UTC')::date AS day, sum(total_events) AS events, max(unique_sessions) AS most_sessions_an_hour
FROM website_events_hourly_mv
WHERE project_id = :'project' AND hour > :'until'::timestamptz - interval '30 days'
GROUP BY 1 ORDER BY 1;
SQL

ask "Slowest hours of endpoints, from the hourly rollup" <<'SQL'
SELECT endpoint, hour, total_requests, p99_latency
FROM api_metrics_hourly_mv
WHERE project_id = :'api_project' AND total_requests >= 5
ORDER BY p99_latency DESC, endpoint, hour LIMIT 10;
SQL

ask "Revenue per channel" <<'SQL'
SELECT channel, count(*) AS purchases, sum(revenue) AS revenue, count(DISTINCT user_id) AS buyers
FROM business_events WHERE event_type = 'purchase'
GROUP BY 1 ORDER BY 3 DESC NULLS LAST, 1;
SQL

ask "Busiest instances" <<'SQL'
SELECT instance_id, count(*) AS samples, max(cpu_percent) AS cpu, max(memory_used_mb) AS memory_mb
FROM base_metrics GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 5;
SQL

say
printf '%-46s %12s %12s %8s\n' "Times (median of $runs, warm)" columns heap "heap/col"
awk -F'|' '{ printf "%-46s %9.1f ms %9.1f ms %7.1fx\n", $1, $2, $3, ($2 > 0 ? $3 / $2 : 0) }' "$summary"
say "$(nproc) cores, $("$PG_CONFIG" --version), shared_buffers ${HANZO_SHARED_BUFFERS:-1GB}"

[ "$different" = 0 ] || die "$different answers differ from the heap's"

say
# The system's own, of which need_build_packages has seen to it, before any other that PATH may hold.
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3) || python=
if [ -n "$python" ]; then
  "$python" -B scripts/report/report.py --psql "$BINDIR/psql" --timings "$summary" "$work/report.html" || die "the report failed"
  say "All this with charts: file://$work/report.html"
else
  say "There is no python3, so the report is left out."
fi
if [ -n "$keep" ]; then
  if [ -n "$cron" ]; then
    "${psql[@]}" -c "CREATE EXTENSION IF NOT EXISTS pg_cron" -c "SELECT hanzo_datastore.schedule_maintenance()" >/dev/null
    say
    say "pg_cron calls hanzo_datastore.maintain() every minute; SELECT * FROM hanzo_datastore.health says how things are"
  fi
  say
  say "Running: psql -h $work -p $port -U postgres demo        (stop: scripts/demo.sh --stop)"
fi
