#!/usr/bin/env bash
# bench/lookups.sh: rows by index, as a nested loop asks for them.
#
# Usage: bench/lookups.sh [ROWS]        (default 1000000 website_events)
# Starts a private cluster with the installed extension under ${HANZO_WORK:-/tmp/hanzo_bench_lookups} and prints a Markdown table: microseconds a row of
# 30,000 rows of website_events in random order by an index on their id, in columns (after optimize()) and in a heap, from nested loops that
# differ in how many columns they read. The least of five, in turn; first: the same right after connecting.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
rows=${1:-1000000}
work=${HANZO_WORK:-/tmp/hanzo_bench_lookups}
port=${HANZO_PORT:-56487}
find_postgres

make -s bench
rm -rf "$work"
start_cluster "$work" "$port" "shared_buffers = 2GB" "max_wal_size = 16GB" "checkpoint_timeout = 1h" "autovacuum = off" "jit = off" "work_mem = 64MB" "timezone = 'UTC'" >/dev/null
trap stop_clusters EXIT
export PGHOST=$work PGPORT=$port PGUSER=postgres PGDATABASE=postgres
sql() { "$BINDIR/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }

columns=$(bench/generate --columns website_events | tr -d ' \n')
sql <<'SQL' >/dev/null
SET client_min_messages = warning;
CREATE EXTENSION hanzo_datastore;
SELECT hanzo_datastore.create_hanzo_schema(3, 1);
CREATE TABLE h (LIKE hanzo.website_events INCLUDING DEFAULTS) USING heap;
CREATE TABLE c (LIKE hanzo.website_events INCLUDING DEFAULTS) USING hanzo_columnar;
SELECT hanzo_datastore.alter_columnar_table('c', order_by => 'project_id, created_at');
SQL
bench/generate website_events --rows "$rows" --seed 1 --format copy | sql -c "COPY h ($columns) FROM STDIN"
sql <<'SQL' >/dev/null
SET client_min_messages = warning;
INSERT INTO c TABLE h;
CALL hanzo_datastore.optimize('c');
CREATE UNIQUE INDEX c_id ON c (event_id);
CREATE UNIQUE INDEX h_id ON h (event_id);
CREATE TABLE ids AS SELECT event_id AS id FROM h ORDER BY md5(event_id::text) LIMIT 30000;
VACUUM (ANALYZE);
SQL

# Time of the index scan in a row: TABLE EXPRESSIONS RUNS
lookups() {
	{
		printf "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off; SET enable_bitmapscan = off; SET enable_seqscan = off; SET hanzo_datastore.enable_lookup_join = off;\n"
		for _ in $(seq "$3"); do printf 'EXPLAIN (ANALYZE, TIMING OFF) SELECT %s FROM ids JOIN %s AS e ON e.event_id = ids.id;\n' "$2" "$1"; done
	} | sql | awk '/Index Scan|Index Only Scan/ { found = 1 } /^Execution Time/ { if (least == "" || $3 < least) least = $3 } END { if (!found) exit 1; printf "%.2f", least * 1000 / 30000 }'
}

printf '\n## Lookups by index: `bench/lookups.sh %s`\n\n| columns read | columnar, µs a row | heap | ratio | first, columnar | first, heap |\n| --- | --- | --- | --- | --- | --- |\n' "$rows"
while IFS='|' read -r name expressions; do
	c=$(lookups c "$expressions" 5)
	h=$(lookups h "$expressions" 5)
	printf '| %s | %s | %s | %s | %s | %s |\n' "$name" "$c" "$h" "$(awk -v a="$c" -v b="$h" 'BEGIN { printf "%.2f", a / b }')" "$(lookups c "$expressions" 1)" "$(lookups h "$expressions" 1)"
done <<'LIST'
1|max(e.created_at)
3|max(e.created_at), max(e.event_type), count(e.session_id)
8|max(e.created_at), max(e.event_type), count(e.session_id), max(e.url_path), max(e.browser), max(e.country), max(e.referrer_domain), max(e.page_title)
all|count(e)
LIST
