#!/usr/bin/env bash
# bench/storage.sh: the storage half's figures, as ratios to a heap in the same run.
#
# Usage: bench/storage.sh [ROWS]        (default 1000000 website_events)
# Starts a private cluster with the installed extension under ${HANZO_WORK:-/tmp/hanzo_bench} and prints a
# Markdown table; docs/benchmarks.md holds a run of it. CPU seconds are those of the server process, all its threads
# (log_statement_stats), so that they mean something on a busy machine; wall-clock times are beside them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
rows=${1:-1000000}
work=${HANZO_WORK:-/tmp/hanzo_bench}
port=${HANZO_PORT:-56480}
find_postgres
bindir=$BINDIR

make -s bench
rm -rf "$work"
HANZO_FSYNC=on start_cluster "$work" "$port" \
	"shared_buffers = 2GB" "max_wal_size = 16GB" "checkpoint_timeout = 1h" "autovacuum = off" \
	"fsync = on" "maintenance_work_mem = 64MB" "synchronous_commit = on" "synchronize_seqscans = off" >/dev/null
trap stop_clusters EXIT
export PGHOST=$work PGPORT=$port PGUSER=postgres PGDATABASE=postgres
sql() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

# cpu SQL...: runs the last statement, prints "CPU-seconds wall-seconds"
cpu() {
	psql -Xq -v ON_ERROR_STOP=1 -c "set client_min_messages = log" -c "set log_statement_stats = on" "$@" 2>&1 |
		sed -n 's/^!\t\([0-9.]*\) s user, \([0-9.]*\) s system, \([0-9.]*\) s elapsed/\1 \2 \3/p' | tail -1 |
		awk '{printf "%.2f %.2f\n", $1 + $2, $3}'
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b + 0 == 0) print "-"; else printf "%.2f", a / b }'; }
row() { printf '| %s | %s | %s | %s | %s |\n' "$@"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

columns=$(bench/generate --columns website_events)
bench/generate website_events --rows "$rows" --seed 1 >"$work/events.copy"
ai_columns=$(bench/generate --columns ai_observations)
bench/generate ai_observations --rows 50000 --seed 1 >"$work/ai.copy"

sql -c "create extension hanzo_datastore" -c "select hanzo_datastore.create_hanzo_schema()" >/dev/null
sql <<'SQL' >/dev/null
create schema b;
create table b.heap (like hanzo.website_events including defaults) using heap;
create table b.col (like hanzo.website_events including defaults) using hanzo_columnar;
select hanzo_datastore.alter_columnar_table('b.col', bloom => '{event_id}', order_by =>
  'project_id, date_bin(''1 hour'', created_at, timestamptz ''2000-01-01 00:00:00+00''), session_id, created_at');
create table b.ai_heap (like hanzo.ai_observations including defaults) using heap;
create table b.ai_col (like hanzo.ai_observations including defaults) using hanzo_columnar;
SQL

echo "website_events: $rows rows; $(sql -c 'select version()' | cut -d, -f1); $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo
echo "| what | heap | columnar | ratio | wanted |"
echo "| --- | --- | --- | --- | --- |"

# COPY, interleaved, medians of five
for t in heap col unthreaded; do : >"$work/copy.$t"; done
for _ in 1 2 3 4 5; do
	for t in heap col unthreaded; do
		sql -c "truncate b.${t/unthreaded/col}" -c checkpoint
		PGOPTIONS="-c hanzo_datastore.enable_background_sealing=$([ $t = unthreaded ] && echo off || echo on)" \
			cpu -c "\\copy b.${t/unthreaded/col} ($columns) from '$work/events.copy'" >>"$work/copy.$t"
	done
done
h=$(cut -d' ' -f1 "$work/copy.heap" | median) c=$(cut -d' ' -f1 "$work/copy.col" | median)
row "COPY, CPU s" "$h" "$c" "$(ratio "$c" "$h")" "≤ 1"
h=$(cut -d' ' -f2 "$work/copy.heap" | median) c=$(cut -d' ' -f2 "$work/copy.col" | median)
row "COPY, wall s" "$h" "$c" "$(ratio "$c" "$h")" "≤ 1"
c=$(cut -d' ' -f2 "$work/copy.unthreaded" | median)
row "COPY, wall s, enable_background_sealing off" "$h" "$c" "$(ratio "$c" "$h")" ""

# peak memory of a COPY beyond shared memory
sql -c "truncate b.col"
(psql -Xq -c "set application_name = 'bench copy'" -c "\\copy b.col ($columns) from '$work/events.copy'") &
copy=$!
peak=0
while kill -0 $copy 2>/dev/null; do
	pid=$(sql -c "select pid from pg_stat_activity where application_name = 'bench copy'" || true)
	if [ -n "$pid" ]; then
		anon=$(awk '/RssAnon/ {print $2}' "/proc/$pid/status" 2>/dev/null || echo 0)
		[ "${anon:-0}" -gt "$peak" ] && peak=$anon
	fi
	sleep 0.1
done
wait $copy
row "COPY, peak private memory, MB" "" "$((peak / 1024))" "" "≤ 164 (maintenance_work_mem + 100)"

sql -c "call hanzo_datastore.compact('b.col')" -c "vacuum b.col" -c "vacuum b.heap"
h=$(sql -c "select pg_table_size('b.heap')") c=$(sql -c "select pg_table_size('b.col')")
row "website_events, MB" "$((h / 1048576))" "$((c / 1048576))" "$(ratio "$c" "$h")" "≤ 0.167"

# JSON payloads
sql -c "\\copy b.ai_heap ($ai_columns) from '$work/ai.copy'" -c "\\copy b.ai_col ($ai_columns) from '$work/ai.copy'"
sql -c "call hanzo_datastore.compact('b.ai_col')" -c "vacuum b.ai_col"
read -r raw stored <<<"$(sql -F ' ' -c "select sum(raw_bytes), sum(compressed_bytes) from hanzo_datastore.columnar_columns where relation = 'b.ai_col'::regclass and column_name in ('input', 'output')")"
row "input and output of 50,000 observations, MB (raw, stored)" "$((raw / 1048576))" "$((stored / 1048576))" "$(ratio "$stored" "$raw")" "≤ 0.30"

# space that the delta's long values had, after a load through a primary key
sql -c "truncate b.ai_col" -c "alter table b.ai_col add primary key (project_id, id)" \
	-c "select hanzo_datastore.alter_columnar_table('b.ai_col', order_by => 'project_id, start_time')" >/dev/null
sql -c "\\copy b.ai_col ($ai_columns) from '$work/ai.copy'"
sql -c "call hanzo_datastore.compact('b.ai_col')" -c "vacuum b.ai_col"
before=$(sql -c "select pg_table_size('b.ai_col')")
sql -c "call hanzo_datastore.optimize('b.ai_col')" -c "vacuum b.ai_col"
after=$(sql -c "select pg_table_size('b.ai_col')") h=$(sql -c "select pg_table_size('b.ai_heap')")
row "ai_observations loaded through a primary key, compacted, MB" "$((h / 1048576))" "$((before / 1048576))" "$(ratio "$before" "$h")" ""
row "the same after optimize() and VACUUM, MB" "$((h / 1048576))" "$((after / 1048576))" "$(ratio "$after" "$h")" ""

# compaction
sql -c "truncate b.col" -c "insert into b.col select * from b.heap"
read -r c w <<<"$(cpu -c "call hanzo_datastore.compact('b.col')")"
row "compaction, rows/s of CPU time" "" "$(awk -v n="$rows" -v c="$c" 'BEGIN { printf "%d", n / c }')" "" "≥ 200,000"

# a writer beside compaction: slowest of many updates of rows that are being moved
sql -c "truncate b.col" -c "alter table b.col add primary key (event_id)" -c "insert into b.col select * from b.heap" -c "analyze b.col"
sql -c "create table b.ids (n serial primary key, id uuid)" -c "insert into b.ids (id) select event_id from b.heap" -c "analyze b.ids"
cat >"$work/writer.sql" <<SQL
\set n random(1, $rows)
update b.col set tag = 'w' where event_id = (select id from b.ids where n = :n);
SQL
# pgbench writes its log only when it ends; the warm-up keeps first plans and caches out of the figure. "nothing": what the machine itself does to a writer
writes_beside() {
	rm -f "$work"/pgbench_log*
	psql -Xq -c "select pg_sleep(1)" -c "$([ "$1" = nothing ] || echo "call hanzo_datastore.$1('b.col')")" >/dev/null &
	local mover=$!
	(cd "$work" && "$bindir/pgbench" -n -f "$work/writer.sql" -c 1 -T "$2" -l --log-prefix="$work/pgbench_log" postgres >/dev/null)
	wait $mover
	cat "$work"/pgbench_log* | awk -v least="$3" '{ n++; if ($3 > m) m = $3 } END { if (n < least) { print "only", n, "updates" > "/dev/stderr"; exit 1 } printf "%.0f %d\n", m / 1000, n }'
}
read -r slowest count <<<"$(writes_beside compact 12 1000)"
row "slowest of $count updates beside compact(), ms" "" "$slowest" "" "≤ 100"
# every page of the delta is logged as a whole once more
sql -c "truncate b.col" -c "insert into b.col select * from b.heap" -c "analyze b.col" -c checkpoint
read -r slowest count <<<"$(writes_beside compact 12 1000)"
row "slowest of $count updates beside compact() after a checkpoint, ms" "" "$slowest" "" ""
read -r slowest count <<<"$(writes_beside nothing 12 1000)"
row "slowest of $count updates beside nothing, ms" "" "$slowest" "" ""
sql -c "select hanzo_datastore.alter_columnar_table('b.col', order_by => 'event_id')" >/dev/null
read -r slowest count <<<"$(writes_beside optimize 20 1000)"
row "slowest of $count updates beside optimize(), ms" "" "$slowest" "" ""
sql -c "call hanzo_datastore.compact('b.col')" -c "vacuum analyze b.col"

# point lookup, warm, five columns and all; of a heap too, since the way there and back is most of it
sql -c "create table b.up_heap (like b.heap) using heap" -c "alter table b.up_heap add primary key (event_id)" \
	-c "insert into b.up_heap select * from b.heap limit 100000" -c "vacuum analyze b.up_heap"
ids=$(sql -c "select event_id from b.up_heap where random() < 0.01 limit 100")
for t in up_heap col; do
	cat >"$work/point.$t.sql" <<SQL
prepare five(uuid) as select hostname, browser, url_path, created_at, page_title from b.$t where event_id = \$1;
prepare every(uuid) as select * from b.$t where event_id = \$1;
SQL
	for kind in five every; do
		{
			cat "$work/point.$t.sql"
			for _ in 1 2 3; do for id in $ids; do echo "execute $kind('$id') \\g /dev/null"; done; done
			echo '\timing on'
			for id in $ids; do echo "execute $kind('$id') \\g /dev/null"; done
		} | psql -Xq | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | median >"$work/$kind.$t"
	done
done
lookup_row() { row "point lookup by primary key, $2, ms (client's clock)" "$(cat "$work/$1.up_heap")" "$(cat "$work/$1.col")" "$(ratio "$(cat "$work/$1.col")" "$(cat "$work/$1.up_heap")")" "$3"; }
lookup_row five "five columns" "≤ 0.2"
lookup_row every "all columns" "≤ 1"

# upsert of rows that live in columns: each turn others
sql -c "create table b.up_col (like b.heap) using hanzo_columnar" -c "alter table b.up_col add primary key (event_id)" \
	-c "insert into b.up_col select * from b.up_heap" -c "call hanzo_datastore.compact('b.up_col')" \
	-c "vacuum analyze b.up_col"
for t in heap col; do : >"$work/up.$t"; done
for turn in 0 1 2 3 4; do
	for t in heap col; do
		cpu -c "insert into b.up_$t select * from b.heap limit 20000 offset $((turn * 20000)) on conflict (event_id) do update set tag = 'upserted'" >>"$work/up.$t"
	done
done
h=$(cut -d' ' -f1 "$work/up.heap" | median) c=$(cut -d' ' -f1 "$work/up.col" | median)
row "upsert of 20,000 rows by primary key, CPU s" "$h" "$c" "$(ratio "$c" "$h")" "≤ 3"

# single-row inserts; commits that do not wait for the disk, whose noise would be all there is to see
for t in heap col; do
	sql -c "truncate b.$t"
	cat >"$work/insert.$t.sql" <<SQL
insert into b.$t (project_id, session_id, visit_id, event_id, hostname, browser, url_path, event_type, created_at)
values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'example.com', 'chrome', '/pricing', 1, now());
SQL
done
sql -c "alter table b.col drop constraint col_pkey"
for clients in 1 8; do
	for t in heap col; do : >"$work/tps.$t"; done
	for turn in {1..12}; do
		for t in $([ $((turn % 2)) = 0 ] && echo heap col || echo col heap); do
			PGOPTIONS="-c synchronous_commit=off" "$bindir/pgbench" -n -f "$work/insert.$t.sql" -c $clients -j 2 -T 2 postgres 2>/dev/null |
				sed -n 's/^tps = \([0-9.]*\).*/\1/p' >>"$work/tps.$t"
		done
	done
	h=$(median <"$work/tps.heap") c=$(median <"$work/tps.col")
	row "single-row INSERT, $clients client(s), tps" "$h" "$c" "$(ratio "$c" "$h")" "≥ 0.95"
done

# a table with 10,000 row groups
sql <<'SQL' >/dev/null
create table b.many (a int, b int, c text, d text, e text, f text, g text, h text, i text, j text, k text, l timestamptz default now()) using hanzo_columnar;
select hanzo_datastore.alter_columnar_table('b.many', row_group_rows => 2048);
copy b.many (a, b, c) from program 'seq 1 20480000 | awk ''{print $1 "\t" $1 % 100 "\tx"}''';
vacuum b.many;
SQL
groups=$(sql -c "select count(*) from hanzo_datastore.row_group_stats('b.many')")
[ "$groups" -gt 9000 ] || die "b.many has only $groups row groups"
for _ in 1 2 3 4 5 6 7; do
	printf '%s\n' "load 'hanzo_columnar';" "select count(*) from b.many where ctid = '(0,1)' \\g /dev/null" '\timing on' \
		"select count(*) from b.many where ctid = '(2147503648,5)' \\g /dev/null" \
		"select count(*) from b.many where ctid = '(2147503648,7)' \\g /dev/null" \
		"select count(*) from b.many where ctid = '(2147503648,9)' \\g /dev/null" \
		"select count(*) from b.many where ctid = '(2147503648,11)' \\g /dev/null" | psql -Xq | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | paste -sd' '
done >"$work/open"
row "open a table of $groups row groups, first, ms" "" "$(cut -d' ' -f1 "$work/open" | median)" "" "≤ 10"
row "the same, after, ms" "" "$(cut -d' ' -f2- "$work/open" | tr ' ' '\n' | median)" "" "≤ 1"
