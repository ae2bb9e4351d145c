#!/usr/bin/env bash
# bench/pgbouncer.sh: many clients write single events through pgbouncer while dashboards read.
#
# Usage: bench/pgbouncer.sh [SECONDS] [CLIENTS]      (default 60 200)
# Debian's pgbouncer in transaction mode, 20 connections behind it, before a private cluster with the installed extension
# under ${HANZO_WORK:-/tmp/hanzo_bench_pgbouncer}. The same load on hanzo.website_events as create_hanzo_schema() makes it, and on a heap twin with the
# same months and an index as Umami has it; three runs of each in turn, the middle one counts. maintain() runs every ten seconds. Every event is counted: what clients were told is
# committed has to be there, once. Prints a Markdown table; docs/benchmarks.md holds a run of it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
seconds=${1:-60} clients=${2:-200}
work=${HANZO_WORK:-/tmp/hanzo_bench_pgbouncer}
port=${HANZO_PORT:-56482}
need_packages pgbouncer
find_postgres

rm -rf "$work"
HANZO_FSYNC=on start_cluster "$work" "$port" "shared_buffers = 1GB" "max_wal_size = 8GB" "max_connections = 100" "timezone = 'UTC'" "jit = off" >/dev/null
bouncer=
finish() {
	if [ -n "$bouncer" ]; then kill "$bouncer" 2>/dev/null || true; fi
	stop_clusters
}
trap finish EXIT
export PGHOST=$work PGPORT=$port PGUSER=postgres PGDATABASE=postgres
sql() { "$BINDIR/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }

sql <<'SQL' >/dev/null
SET client_min_messages = warning;
CREATE EXTENSION hanzo_datastore;
SELECT hanzo_datastore.create_hanzo_schema(1, 1);
CREATE SCHEMA twin;
CREATE TABLE twin.website_events (LIKE hanzo.website_events INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
DO $$
DECLARE
  bounds record;
BEGIN
  FOR bounds IN SELECT * FROM hanzo_datastore.partition_bounds('hanzo.website_events') LOOP
    EXECUTE format('CREATE TABLE twin.%I PARTITION OF twin.website_events %s', (SELECT relname FROM pg_class WHERE oid = bounds.partition),
                   pg_get_expr((SELECT relpartbound FROM pg_class WHERE oid = bounds.partition), bounds.partition));
  END LOOP;
END$$;
CREATE INDEX ON twin.website_events (project_id, created_at);
INSERT INTO hanzo.website_events (project_id, session_id, visit_id, event_id, url_path, browser, event_type, created_at)
SELECT md5((i % 20)::text)::uuid, md5((i / 7)::text)::uuid, md5((i / 7)::text)::uuid, gen_random_uuid(), '/page/' || i % 300, 'browser ' || i % 5, 1, now() - i * interval '2 seconds'
FROM generate_series(1, 500000) AS i;
INSERT INTO twin.website_events SELECT * FROM hanzo.website_events;
CALL hanzo_datastore.compact('hanzo.website_events');
CALL hanzo_datastore.refresh_rollup('hanzo.website_events_hourly_mv');
VACUUM ANALYZE;
SQL

for schema in hanzo twin; do
	cat >"$work/write_$schema.sql" <<SQL
\set project random(0, 19)
\set page random(0, 299)
INSERT INTO $schema.website_events (project_id, session_id, visit_id, event_id, hostname, browser, os, device, country, url_path, page_title, referrer_domain, event_type, tag, created_at)
VALUES (md5(:project::text)::uuid, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'example.com', 'chrome', 'linux', 'desktop', 'DE', '/page/' || :page, 'A page of ' || :page, 'search.example', 1, 'bench', now());
SQL
	cat >"$work/read_$schema.sql" <<SQL
\set project random(0, 19)
SELECT url_path, count(*), count(DISTINCT session_id) FROM $schema.website_events WHERE project_id = md5(:project::text)::uuid AND created_at > now() - interval '1 day' GROUP BY 1 ORDER BY 2 DESC LIMIT 20;
SELECT date_trunc('hour', created_at, 'UTC'), count(*), count(DISTINCT session_id) FROM $schema.website_events WHERE project_id = md5(:project::text)::uuid AND created_at > now() - interval '7 days' GROUP BY 1 ORDER BY 1;
\sleep 200 ms
SQL
done

cat >"$work/pgbouncer.ini" <<INI
[databases]
postgres = host=$work port=$port dbname=postgres
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $work
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 400
logfile = $work/pgbouncer.log
pidfile = $work/pgbouncer.pid
INI
sed -i 's/^postgres = .*/& user=postgres/' "$work/pgbouncer.ini"
if [ "$(id -u)" = 0 ]; then chown -R "$DB_USER" "$work"; fi
run_as_db pgbouncer -q "$work/pgbouncer.ini" >/dev/null 2>&1 &
bouncer=$!
for _ in $(seq 50); do PGPORT=6432 sql -c 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done

# run SCHEMA NUMBER: loads, counts; prints transactions, p50, p99, worst in ms, errors, missing events
run() {
	local schema=$1 log=$work/log_$1_$2
	local before after told readers maintainer
	before=$(sql -c "SELECT count(*) FROM $schema.website_events WHERE tag = 'bench'")
	"$BINDIR/pgbench" -n -T "$seconds" -c 4 -j 1 -f "$work/read_$schema.sql" >"$log.readers" 2>&1 &
	readers=$!
	(end=$((SECONDS + seconds)); while [ "$SECONDS" -lt "$end" ]; do sql -c 'CALL hanzo_datastore.maintain()' >/dev/null 2>&1 || true; sleep 10; done) &
	maintainer=$!
	mkdir -p "$log"
	PGPORT=6432 "$BINDIR/pgbench" -n -T "$seconds" -c "$clients" -j 2 -l --log-prefix="$log/t" -f "$work/write_$schema.sql" >"$log.out" 2>&1 || true
	wait "$readers" || echo "dashboards failed: see $log.readers" >&2
	wait "$maintainer"
	after=$(sql -c "SELECT count(*) FROM $schema.website_events WHERE tag = 'bench'")
	told=$(cat "$log"/t.* | wc -l)
	cat "$log"/t.* | awk '{ print $3 / 1000 }' | sort -n |
		awk -v told="$told" -v missing=$((told - (after - before))) -v errors="$(grep -c 'ERROR\|aborted' "$log.out" "$log.readers" | awk -F: '{ n += $2 } END { print n + 0 }')" \
			'{ t[NR] = $1 } END { printf "%d %.1f %.1f %.1f %d %d\n", told, t[int(NR * 0.5)], t[int(NR * 0.99)], t[NR], errors, missing }'
}

for n in 1 2 3; do
	for schema in twin hanzo; do run "$schema" "$n" >>"$work/$schema"; done
done
middle() { sort -n -k 3 "$work/$1" | sed -n 2p; }
read -r heap_count heap_p50 heap_p99 heap_worst _ _ < <(middle twin)
read -r count p50 p99 worst _ _ < <(middle hanzo)
echo "$clients clients, $seconds s, $(sql -c 'SELECT version()' | cut -d, -f1); $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo
echo "| | heap | columnar | ratio | wanted |"
echo "| --- | --- | --- | --- | --- |"
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b / a }'; }
echo "| events written | $heap_count | $count | $(ratio "$heap_count" "$count") | |"
echo "| write latency, median, ms | $heap_p50 | $p50 | $(ratio "$heap_p50" "$p50") | |"
echo "| write latency, 99th percentile, ms | $heap_p99 | $p99 | $(ratio "$heap_p99" "$p99") | 1.3 |"
echo "| slowest write, ms | $heap_worst | $worst | $(ratio "$heap_worst" "$worst") | |"
echo "| errors, all runs | $(awk '{ n += $5 } END { print n }' "$work/twin") | $(awk '{ n += $5 } END { print n }' "$work/hanzo") | | 0 |"
echo "| events lost or doubled, all runs | $(awk '{ n += $6 < 0 ? -$6 : $6 } END { print n }' "$work/twin") | $(awk '{ n += $6 < 0 ? -$6 : $6 } END { print n }' "$work/hanzo") | | 0 |"
