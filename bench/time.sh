#!/usr/bin/env bash
# bench/time.sh: what rollups, TTL and maintenance cost.
#
# Usage: bench/time.sh [ROWS]        (default 1000000 website_events)
# Starts a private cluster with the installed extension under ${HANZO_WORK:-/tmp/hanzo_bench_time} and prints a Markdown
# table; docs/benchmarks.md holds a run of it. Writes are compared between two tables of the same columns, one with the
# three rollups' worth of watching, in the same session, interleaved, by the CPU time of the backend, so that the figures mean
# something on a busy machine; the least of five counts.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
rows=${1:-1000000}
work=${HANZO_WORK:-/tmp/hanzo_bench_time}
port=${HANZO_PORT:-56481}
find_postgres

make -s bench
rm -rf "$work"
HANZO_FSYNC=on start_cluster "$work" "$port" \
	"shared_buffers = 2GB" "max_wal_size = 16GB" "checkpoint_timeout = 1h" "autovacuum = off" "jit = off" \
	"synchronous_commit = off" "timezone = 'UTC'" >/dev/null
trap stop_clusters EXIT
export PGHOST=$work PGPORT=$port PGUSER=postgres PGDATABASE=postgres
sql() { "$BINDIR/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }
row() { printf '| %s | %s | %s |\n' "$@"; }
milliseconds() { "$BINDIR/psql" -Xq -v ON_ERROR_STOP=1 "$@" | awk '/^Time:/ { t = $2 } END { print t }'; }
percent() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%+.0f %%", 100 * (b - a) / a }'; }
average() { "$BINDIR/pgbench" -n -T 5 -c 1 -M "$1" -f "$2" 2>/dev/null | sed -n 's/^latency average = \(.*\) ms/\1/p'; }

columns=$(bench/generate --columns website_events | tr -d ' \n')
bench/generate website_events --rows "$rows" --seed 1 --format copy >"$work/events.copy"
head -n $((rows < 200000 ? rows : 200000)) "$work/events.copy" >"$work/some.copy"
head -n 1000 "$work/events.copy" >"$work/thousand.copy"

sql <<'SQL' >/dev/null
SET client_min_messages = warning;
CREATE EXTENSION hanzo_datastore;
SELECT hanzo_datastore.create_hanzo_schema(3, 1);
CREATE TABLE plain (LIKE hanzo.website_events INCLUDING DEFAULTS) USING hanzo_columnar;
CREATE TABLE watched (LIKE hanzo.website_events INCLUDING DEFAULTS) USING hanzo_columnar;
-- three rollups on one table: no table of the Hanzo schema has as many
SELECT hanzo_datastore.create_rollup('watched_' || u,
  format($q$SELECT project_id, date_trunc(%L, created_at, 'UTC') AS bucket, count(*) AS n, count(DISTINCT session_id) AS sessions FROM watched GROUP BY 1, 2$q$, u))
FROM unnest('{hour,day,month}'::text[]) AS u;
CALL hanzo_datastore.refresh_rollup('watched_hour', '2027-01-01');
CALL hanzo_datastore.refresh_rollup('watched_day', '2027-01-01');
CALL hanzo_datastore.refresh_rollup('watched_month', '2027-01-01');
CREATE FUNCTION cpu_ms() RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  fields text[] := string_to_array(split_part(pg_read_file('/proc/self/stat'), ') ', 2), ' ');
BEGIN
  RETURN (fields[12]::float8 + fields[13]::float8) * 10;
END$$;
CREATE TABLE taken (what text, target text, ms float8);
SQL
# The thousand rows of the open tail, for both.
sql -c "CREATE TABLE thousand (LIKE hanzo.website_events)" -c "\\copy thousand ($columns) FROM '$work/thousand.copy'" \
	-c "UPDATE thousand SET created_at = '2027-01-02 10:00+00'"

for _ in 1 2 3 4 5; do
	for t in plain watched; do
		sql <<SQL
SELECT cpu_ms() AS c \\gset
\\copy $t ($columns) FROM '$work/some.copy'
INSERT INTO taken VALUES ('COPY of history', '$t', cpu_ms() - :c);
SELECT cpu_ms() AS c \\gset
DO \$\$ BEGIN FOR i IN 1..200 LOOP INSERT INTO $t SELECT * FROM thousand; COMMIT; END LOOP; END\$\$;
INSERT INTO taken VALUES ('INSERT of 1,000 rows', '$t', cpu_ms() - :c);
TRUNCATE $t;
DELETE FROM watched_hour_marks;
DELETE FROM watched_day_marks;
DELETE FROM watched_month_marks;
SQL
	done
done
# Single rows as clients write them: through the protocol, prepared.
echo "INSERT INTO plain SELECT t.* FROM thousand AS t LIMIT 1;" >"$work/plain.sql"
echo "INSERT INTO watched SELECT t.* FROM thousand AS t LIMIT 1;" >"$work/watched.sql"
for _ in 1 2 3 4 5; do
	for t in plain watched; do
		sql -c "INSERT INTO taken VALUES ('INSERT of one row', '$t', $(average prepared "$work/$t.sql"))" -c "TRUNCATE $t"
	done
done

echo "$(sql -c 'SELECT version()' | cut -d, -f1); $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo
row what measured wanted
row --- --- ---
for what in 'COPY of history' 'INSERT of 1,000 rows' 'INSERT of one row'; do
	IFS='|' read -r plain watched < <(sql -c "SELECT min(ms) FILTER (WHERE target = 'plain'), min(ms) FILTER (WHERE target = 'watched') FROM taken WHERE what = '$what'")
	wanted='5 %'
	if [ "$what" = 'INSERT of one row' ]; then wanted='15 %'; fi
	row "$what, with three rollups" "$(percent "$plain" "$watched")" "$wanted"
done

# Refresh
sql -c "\\copy hanzo.website_events ($columns) FROM '$work/events.copy'" -c "CALL hanzo_datastore.compact('hanzo.website_events')" -c "ANALYZE"
row "refresh of website_events_hourly_mv after $rows rows" \
	"$(milliseconds -c '\timing on' -c "CALL hanzo_datastore.refresh_rollup('hanzo.website_events_hourly_mv', '2027-01-01')") ms" '5,000 ms'

# Reading a month of one project, of as many buckets as 100 million rows have, beside a writer of the open tail
sql <<'SQL' >/dev/null
INSERT INTO hanzo.website_events_hourly_mv_states (project_id, hour, unique_sessions, unique_visitors, total_events, pageviews, custom_events)
SELECT ('00000000-0000-0000-0000-' || lpad(p::text, 12, '0'))::uuid, timestamptz '2024-01-01' + h * interval '1 hour', 10, 10, 100, 90, 10
FROM generate_series(1, 40) AS p, generate_series(0, 24 * 1090) AS h;
VACUUM ANALYZE hanzo.website_events_hourly_mv_states;
SQL
cat >"$work/month.sql" <<'SQL'
SELECT hour, unique_sessions, total_events FROM hanzo.website_events_hourly_mv
WHERE project_id = '00000000-0000-0000-0000-000000000022' AND hour >= '2026-08-01' AND hour < '2026-09-01';
SQL
echo "INSERT INTO hanzo.website_events SELECT t.* FROM thousand AS t LIMIT 1;" >"$work/writer.sql"
"$BINDIR/pgbench" -n -T 12 -c 1 -R 100 -f "$work/writer.sql" >/dev/null 2>&1 &
row 'a month of one project of it, prepared, beside a writer' "$(average prepared "$work/month.sql") ms" '5 ms'
row 'the same, planned each time' "$(average simple "$work/month.sql") ms" '5 ms'
wait

# maintain() with nothing to do: 13 tables, 36 months
sql -c "CREATE DATABASE months" >/dev/null
export PGDATABASE=months
sql -c "SET client_min_messages = warning" -c "CREATE EXTENSION hanzo_datastore" -c "SELECT hanzo_datastore.create_hanzo_schema(33, 3)" >/dev/null
for _ in 1 2 3; do sql -c "CALL hanzo_datastore.maintain()"; done
for _ in 1 2 3; do milliseconds -c '\timing on' -c "CALL hanzo_datastore.maintain()"; done | sort -n | head -n 1 >"$work/idle"
row 'maintain() with nothing to do, 13 tables x 36 months, a new session' "$(cat "$work/idle") ms" '50 ms'
row 'the same in a session that has run it before' \
	"$(milliseconds -c '\timing on' -c "CALL hanzo_datastore.maintain()" -c "CALL hanzo_datastore.maintain()") ms" '50 ms'

# TTL of a month
export PGDATABASE=postgres
sql <<'SQL' >/dev/null
CREATE TABLE old (at timestamptz, n integer, v text) PARTITION BY RANGE (at);
SELECT hanzo_datastore.manage_partitions('old', now => '2026-01-15');
INSERT INTO old SELECT timestamptz '2026-01-01' + i * interval '0.25 seconds', i, 'value ' || i % 1000 FROM generate_series(1, 10000000) AS i;
CALL hanzo_datastore.compact('old');
VACUUM old;
SELECT hanzo_datastore.set_ttl('old', '60 days');
SQL
row 'TTL of a month of 10 million rows' "$(milliseconds -c '\timing on' -c "SELECT sum(rows) FROM hanzo_datastore.apply_ttl('old', '2026-04-20')") ms" '1,000 ms'
