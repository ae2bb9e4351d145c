#!/usr/bin/env bash
# Random statements of sqlsmith against the Hanzo schema: looks for crashes and internal errors, not for wrong answers.
#
#   PG_CONFIG=…/pg_config scripts/sqlsmith.sh
#
# Installs sqlsmith (Debian), builds and installs the extension, starts a private cluster, loads rows of bench/generate into
# columns and delta, and lets sqlsmith query them as an ordinary role. A server built with --enable-cassert finds more.
# Exits with 1 if the server crashed or said "cache lookup failed" or any other internal error (XX…).
#
#   HANZO_SQLSMITH_SECONDS=1800  how long
#   HANZO_SQLSMITH_SEED=…        of sqlsmith; by default the time
#   HANZO_SQLSMITH_ROWS=20000    website events; the other tables follow
#   HANZO_SQLSMITH_OUT=DIR       where the server's log goes, by default build/sqlsmith
#   HANZO_NO_INSTALL=1           install no packages
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

seconds=${HANZO_SQLSMITH_SECONDS:-1800}
seed=${HANZO_SQLSMITH_SEED:-$(date +%s)}
rows=${HANZO_SQLSMITH_ROWS:-20000}
out=${HANZO_SQLSMITH_OUT:-build/sqlsmith}
for number in "$seconds" "$seed" "$rows"; do
  case $number in '' | *[!0-9]*) die "$number is not a number" ;; esac
done

need_build_packages sqlsmith
command -v sqlsmith >/dev/null || die "sqlsmith is missing (Debian: apt-get install sqlsmith)"
find_postgres
mkdir -p build "$out"
build_and_install "$out/make" || die "the extension does not build: see $out/make"
make -s bench PG_CONFIG="$PG_CONFIG" >"$out/bench" 2>&1 || die "bench/generate does not build: see $out/bench"

work=
finish() {
  stop_clusters
  if [ -n "$work" ]; then rm -rf "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d /tmp/hanzo_smith.XXXXXX)
chmod 755 "$work"

# ---- Cluster, schema, rows

# A crashed server comes back, and sqlsmith connects again.
start_cluster "$work/cluster" 5497 "log_line_prefix = '%m [%p] %e '" "log_error_verbosity = verbose" "timezone = 'UTC'" "jit = off" \
  "statement_timeout = 20s" "lock_timeout = 2s" "restart_after_crash = on" "max_wal_size = 4GB" "temp_file_limit = 1GB" "autovacuum = on" \
  "min_parallel_table_scan_size = 0" "parallel_setup_cost = 10"
export PGDATABASE=smith
psql=("$BINDIR/psql" -X -q -v ON_ERROR_STOP=1)
"$BINDIR/createdb" smith
"${psql[@]}" -c 'CREATE EXTENSION hanzo_datastore' -c 'SELECT hanzo_datastore.create_hanzo_schema()' >/dev/null

load() {
  local table=$1 count=$2 columns
  columns=$(bench/generate --columns "$table" | tr -d ' \n' | sed 's/[^,]*/"&"/g')
  bench/generate "$table" --rows "$count" --seed "$seed" | "${psql[@]}" -c "COPY hanzo.$table ($columns) FROM STDIN"
  "${psql[@]}" -c "CALL hanzo_datastore.compact('hanzo.$table')" >/dev/null 2>&1 || true
}
for table in organizations projects model_catalog; do load "$table" 50; done
for table in website_events event_properties session_properties business_events api_metrics base_metrics app_metrics; do load "$table" "$rows"; done
for table in ai_traces ai_observations ai_scores; do load "$table" $((rows / 10)); done
# small groups with marks, rows of the delta, columns that came later; a heap to join
"${psql[@]}" >/dev/null <<'SQL'
CREATE SCHEMA smith;
CREATE TABLE smith.small (id int4 PRIMARY KEY, k int4, n numeric, f float8, t text, d date, tz timestamptz, u uuid, b bool, j jsonb, a int4[], gone text) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('smith.small', row_group_rows => 2048, order_by => 'k, id', bloom => '{u}');
INSERT INTO smith.small SELECT i, i % 40, i / 7.0, i / 3.0, 'word ' || i % 50, date '2024-01-01' + i % 300, timestamptz '2024-01-01' + i * interval '1 minute', md5((i % 100)::text)::uuid, i % 3 = 0,
  jsonb_build_object('a', i % 10), ARRAY[i % 10, i % 7], 'x' FROM generate_series(1, 7000) AS i;
CALL hanzo_datastore.compact('smith.small');
ALTER TABLE smith.small DROP COLUMN gone;
ALTER TABLE smith.small ADD COLUMN more text DEFAULT 'more', ADD COLUMN other int8;
DELETE FROM smith.small WHERE id % 17 = 3;
UPDATE smith.small SET n = NULL, f = 'NaN' WHERE id % 31 = 5;
CREATE TABLE smith.twin USING heap AS SELECT * FROM smith.small;
CREATE ROLE smith LOGIN;
GRANT USAGE ON SCHEMA smith, hanzo, hanzo_datastore TO smith;
GRANT ALL ON ALL TABLES IN SCHEMA smith, hanzo TO smith;
VACUUM ANALYZE;
SQL

# ---- sqlsmith

say "sqlsmith: seed $seed, $seconds s, $("$PG_CONFIG" --version), assertions $("${psql[@]}" -At -c 'SHOW debug_assertions')"
log=$work/cluster/server.log
since=$(wc -l <"$log")
status=0
timeout -s INT -k 10 "$seconds" sqlsmith --target="host=$PGHOST port=$PGPORT user=smith dbname=smith" --seed="$seed" --exclude-catalog --verbose \
  >"$out/sqlsmith.out" 2>"$out/sqlsmith.err" || status=$?
# interrupted after its time: 124
[ "$status" = 124 ] || [ "$status" = 130 ] || [ "$status" = 0 ] || say "sqlsmith ended with status $status: see $out/sqlsmith.err"

# ---- What the server said

tail -n "+$((since + 1))" "$log" >"$out/server.log"
crashes=$(grep -acE 'was terminated by signal|TRAP:|PANIC:' "$out/server.log" || true)
statements=$(grep -aoE 'queries: [0-9]+' "$out/sqlsmith.err" | tail -n 1 || true)
say "${statements:-queries: ?} (statements that fail by what they say are part of the game)"
say
say "Errors by SQLSTATE:"
{ grep -aoE '\] [0-9A-Z]{5} (ERROR|FATAL|PANIC):' "$out/server.log" || true; } | awk '{ print $2 }' | sort | uniq -c | sort -rn | sed -n 1,15p

# Numbers out of messages, so that equal ones count together. Without what core says of its own, with heaps alone.
known='failed to find conversion function from unknown to|(invalid INTERVAL|unrecognized interval) typmod|unrecognized objtype abbreviation'
internal() { { grep -aE '\] XX[0-9A-Z]{3} (ERROR|FATAL|PANIC):|cache lookup failed' "$out/server.log" || true; } | sed -E 's/^.*(ERROR|FATAL|PANIC): +//; s/[0-9]+/N/g' | { grep -vE "$known" || true; } | sort | uniq -c | sort -rn; }
say
say "Internal errors:"
internal | sed -n 1,30p
if [ "$crashes" != 0 ]; then
  say
  say "Crashes:"
  grep -aE 'was terminated by signal|TRAP:|PANIC:|Failed process was running' -A 3 "$out/server.log" | cut -c 1-2000 | sed -n 1,60p
fi
count=$(internal | awk '{ n += $1 } END { print n + 0 }')
say
say "$crashes crashes, $count internal errors: $out/server.log"
[ "$crashes" = 0 ] && [ "$count" = 0 ]
