#!/usr/bin/env bash
# bench/groups.sh: memory and time of groupings of many groups, by work_mem.
#
# Usage: bench/groups.sh [GROUPS] [WORK_MEM] [TABLES]        (default 100000000 groups, 64MB, "hanzo_columnar heap")
# Starts a private cluster with the installed extension under ${HANZO_WORK:-/tmp/hanzo_bench_groups}, makes a columnar table and a heap of so many
# different keys in random order, each once, and prints a Markdown table: seconds, peak private memory of the backend and of its parallel workers
# together, MB of temporary files. Every answer is checked; it fails where one is wrong, or where a columnar query takes more than
# work_mem * hash_mem_multiplier, retained_memory and 32 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
groups=${1:-100000000}
work_mem=${2:-64MB}
kinds=${3:-hanzo_columnar heap}
work=${HANZO_WORK:-/tmp/hanzo_bench_groups}
port=${HANZO_PORT:-56489}
find_postgres

rm -rf "$work"
start_cluster "$work" "$port" "shared_buffers = 1GB" "max_wal_size = 16GB" "checkpoint_timeout = 1h" "wal_level = minimal" "max_wal_senders = 0" "autovacuum = off" "jit = off" \
	"work_mem = $work_mem" "log_temp_files = 0" >/dev/null
trap stop_clusters EXIT
export PGHOST=$work PGPORT=$port PGUSER=postgres PGDATABASE=postgres
sql() { "$BINDIR/psql" -XAtq -F, -v ON_ERROR_STOP=1 "$@"; }

sql -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION hanzo_datastore'
# an odd factor makes every key another one, in no order
for kind in $kinds; do
	sql -c "CREATE TABLE k_$kind USING $kind AS SELECT (i * 2654435761) & 1099511627775 AS key, (i % 1000)::int4 AS amount FROM generate_series(1::int8, $groups) i"
	sql -c "VACUUM (ANALYZE) k_$kind"
done

# Peak of RssAnon, in MB, of the processes of a client's query, while process $1 runs.
watch_memory() {
	local peak=0 sum anon pid
	while kill -0 "$1" 2>/dev/null; do
		sum=0
		for pid in $(pgrep -f "postgres: .*(postgres postgres \[local\]|parallel worker)" || true); do
			anon=$(awk '/RssAnon/ {print $2}' "/proc/$pid/status" 2>/dev/null || echo 0)
			sum=$((sum + ${anon:-0}))
		done
		[ "$sum" -gt "$peak" ] && peak=$sum
		sleep 0.05
	done
	echo $((peak / 1024))
}

limit_mb=$(sql -c "LOAD 'hanzo_columnar'" -c "SELECT ((pg_size_bytes(current_setting('work_mem')) * current_setting('hash_mem_multiplier')::float8 + pg_size_bytes(current_setting('hanzo_datastore.retained_memory'))) / 1048576 + 32)::int")
printf '\n## %s groups: `bench/groups.sh %s %s`\n\n| query | table | s | peak private memory, MB | at most | temporary files, MB |\n| --- | --- | --- | --- | --- | --- |\n' "$groups" "$groups" "$work_mem"
failed=0
while IFS='|' read -r query expected; do
	for kind in $kinds; do
		log=$(wc -c <"$work/server.log")
		start=$(date +%s%N)
		sql -c "${query//TABLE/k_$kind}" >"$work/answer" &
		client=$!
		peak=$(watch_memory $client)
		wait $client || failed=1
		seconds=$(awk -v t=$(($(date +%s%N) - start)) 'BEGIN { printf "%.1f", t / 1e9 }')
		temporary=$(tail -c +"$((log + 1))" "$work/server.log" | awk '/temporary file/ { sum += $NF } END { printf "%d", sum / 1048576 }')
		bound=
		if [ $kind = hanzo_columnar ]; then
			bound=$limit_mb
			if [ "$peak" -gt "$limit_mb" ]; then failed=1; fi
		fi
		if [ "$(cat "$work/answer")" != "$expected" ]; then
			failed=1
			peak="$peak (wrong: $(cat "$work/answer"), expected $expected)"
		fi
		printf '| `%s` | %s | %s | %s | %s | %s |\n' "${query//TABLE/t}" "$kind" "$seconds" "$peak" "$bound" "$temporary"
	done
done <<LIST
SELECT count(*), sum(n), max(n) FROM (SELECT key, count(*) AS n FROM TABLE GROUP BY key) g|$groups,$groups,1
SELECT count(*), sum(a) FROM (SELECT key::text, sum(amount) AS a FROM TABLE GROUP BY 1) g|$groups,$((groups / 1000 * 499500))
SELECT count(DISTINCT key) FROM TABLE|$groups
SELECT count(*), sum(d) FROM (SELECT amount, count(DISTINCT key) AS d FROM TABLE GROUP BY amount) g|1000,$groups
LIST
exit $failed
