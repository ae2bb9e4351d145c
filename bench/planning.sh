#!/usr/bin/env bash
# bench/planning.sh: what planning a query over 36 monthly partitions takes, beside a heap's.
#
# Usage: bench/planning.sh
# Starts a private cluster with the installed extension under ${HANZO_WORK:-/tmp/hanzo_bench_planning}, makes website_events of 36 months twice, as
# columns and as a heap, with the same index, and prints a Markdown table: of each query the least planning time of 200, in three turns, in a session
# that has planned it before.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
work=${HANZO_WORK:-/tmp/hanzo_bench_planning}
port=${HANZO_PORT:-56490}
find_postgres

rm -rf "$work"
start_cluster "$work" "$port" "shared_buffers = 1GB" "autovacuum = off" "jit = off" "timezone = 'UTC'" >/dev/null
trap stop_clusters EXIT
export PGHOST=$work PGPORT=$port PGUSER=postgres PGDATABASE=postgres
sql() { "$BINDIR/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }

sql >/dev/null <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION hanzo_datastore;
SELECT hanzo_datastore.create_hanzo_schema(3, 1);
CREATE TABLE t_heap (LIKE hanzo.website_events INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
CREATE TABLE t_hanzo_columnar (LIKE hanzo.website_events INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
DO $$
DECLARE
	kind text;
	month date;
BEGIN
	FOREACH kind IN ARRAY ARRAY['heap', 'hanzo_columnar'] LOOP
		FOR i IN 0..35 LOOP
			month := '2024-01-01'::date + make_interval(months => i);
			EXECUTE format('CREATE TABLE t_%1$s_%2$s PARTITION OF t_%1$s FOR VALUES FROM (%3$L) TO (%4$L) USING %1$I', kind, i, month, month + interval '1 month');
		END LOOP;
		EXECUTE format('CREATE INDEX ON t_%s (project_id, created_at)', kind);
		EXECUTE format($i$INSERT INTO t_%s (project_id, session_id, visit_id, event_id, created_at, url_path, event_type)
			SELECT md5((i %% 10)::text)::uuid, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '2024-01-01'::timestamptz + i * interval '26 min', '/' || i %% 50, 1
			FROM generate_series(1, 60000) i$i$, kind);
	END LOOP;
END $$;
CALL hanzo_datastore.compact('t_hanzo_columnar');
VACUUM (ANALYZE) t_heap, t_hanzo_columnar;
SQL

# Least planning time of a query, in milliseconds.
least() {
	for _ in $(seq 200); do printf 'EXPLAIN (SUMMARY) %s;\n' "$1"; done | sql | awk '/^Planning Time/ && (least == "" || $3 < least) { least = $3 } END { print least }'
}

printf '\n## Planning over 36 months: `bench/planning.sh`\n\n| query | heap, ms | columnar, ms | beyond the heap, ms | wanted |\n| --- | --- | --- | --- | --- |\n'
while IFS= read -r query; do
	h= c=
	for _ in 1 2 3; do
		now=$(least "${query//TABLE/t_heap}")
		h=$(awk -v a="$h" -v b="$now" 'BEGIN { print a == "" || b < a ? b : a }')
		now=$(least "${query//TABLE/t_hanzo_columnar}")
		c=$(awk -v a="$c" -v b="$now" 'BEGIN { print a == "" || b < a ? b : a }')
	done
	awk -v q="${query//TABLE/t}" -v h="$h" -v c="$c" 'BEGIN { printf "| `%s` | %.3f | %.3f | %.2f | ≤ 0.3 |\n", q, h, c, c - h }'
done <<'LIST'
SELECT count(*) FROM TABLE
SELECT date_trunc('day', created_at), count(*) FROM TABLE WHERE project_id = 'cfcd2084-95d5-65ef-66e7-dff9f98764da' GROUP BY 1
SELECT url_path, count(*), count(DISTINCT session_id) FROM TABLE WHERE project_id = 'cfcd2084-95d5-65ef-66e7-dff9f98764da' AND event_type = 1 GROUP BY 1 ORDER BY 2 DESC LIMIT 10
SELECT * FROM TABLE WHERE project_id = 'cfcd2084-95d5-65ef-66e7-dff9f98764da' ORDER BY created_at DESC LIMIT 50
SELECT date_trunc('hour', created_at), count(*) FROM TABLE WHERE project_id = 'cfcd2084-95d5-65ef-66e7-dff9f98764da' AND created_at >= '2025-03-03' AND created_at < '2025-03-04' GROUP BY 1
LIST
