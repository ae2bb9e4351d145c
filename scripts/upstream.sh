#!/usr/bin/env bash
# Runs PostgreSQL's own regression and isolation suites with columnar tables, and compares with what heaps give.
#
#   scripts/upstream.sh SOURCE [regress|isolation]
#
# SOURCE is a tree of PostgreSQL's source for the major version of PG_CONFIG, configured, with src/test/regress and
# src/test/isolation built (make -C src/test/regress all; make -C src/test/isolation all). It is not changed.
#
#   PG_CONFIG=…         the server; one with assertions finds more. It needs contrib/spi's autoinc and refint in src/test/regress
#   UPSTREAM_MOVE=1     compacts every columnar table over and over while the suite runs
#   UPSTREAM_OUT=DIR    where results go, by default build/upstream
#
# Both access methods run with the same settings, which keep plans alike: what still differs (regress.diff, isolation.diff)
# is explained line by line in docs/compatibility.md, or is a bug. With UPSTREAM_MOVE plans, ctids, orders of rows and serialization
# failures may differ, nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

[ $# -ge 1 ] && [ -d "$1/src/test/regress/sql" ] || die "usage: scripts/upstream.sh SOURCE [regress|isolation]"
source=$(cd "$1" && pwd)
suites=${2:-regress isolation}
out=${UPSTREAM_OUT:-build/upstream}
mkdir -p "$out"
out=$(cd "$out" && pwd)
find_postgres
build_and_install "$out/make" || die "the extension does not build: see $out/make"
[ -x "$source/src/test/regress/pg_regress" ] || die "build $source/src/test/regress first"
work=
mover=
finish() {
  if [ -n "$mover" ]; then kill "$mover" 2>/dev/null || true; fi
  if [ -n "$work" ]; then rm -rf "$work"; fi
}
trap finish EXIT
work=$(mktemp -d /tmp/hanzo_upstream.XXXXXX)
chmod 755 "$work"

# move_all DIR DATABASE: compacts every columnar table of the temporary instance in DIR until it is gone.
move_all() {
  local pid=$1/instance/data/postmaster.pid database=$2 i port socket
  for ((i = 0; i < 600; i++)); do
    if [ "$(sed -n 8p "$pid" 2>/dev/null | tr -d ' ')" = ready ]; then break; fi
    sleep 0.1
  done
  port=$(sed -n 4p "$pid")
  socket=$(sed -n 5p "$pid")
  while [ -f "$pid" ]; do
    "$BINDIR/psql" -X -q -h "$socket" -p "$port" -U "$DB_USER" "$database" >>"$1/moves" 2>&1 <<'SQL' || sleep 0.2
SET client_min_messages = error;
SET lock_timeout = '100ms';
SET search_path = pg_catalog;
SELECT format('CALL hanzo_datastore.compact(%s::regclass)', c.oid)
FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
WHERE a.amname = 'hanzo_columnar' AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND pg_relation_size(c.oid) > 0
ORDER BY c.oid DESC \gexec
SQL
  done
}

# run SUITE METHOD SETTING …: results in $work/SUITE-METHOD/results.
run() {
  local suite=$1 method=$2 tree=$source/src/test/$1 dir=$work/$1-$2 driver database=regression
  shift 2
  mkdir -p "$dir"
  cp -r "$tree/expected" "$dir/"
  cp "$tree"/*_schedule "$dir/"
  if [ "$suite" = regress ]; then
    driver=$tree/pg_regress
    cp -r "$tree/sql" "$tree/data" "$tree/resultmap" "$tree"/*.so "$dir/"
  else
    driver=$tree/pg_isolation_regress database=isolation_regression
    cp -r "$tree/specs" "$dir/"
  fi
  printf '%s\n' "fsync = off" "max_prepared_transactions = 10" "default_table_access_method = $method" \
    "log_line_prefix = '%m %a[%p] '" "$@" >"$dir/settings"
  if [ "$(id -u)" = 0 ]; then chown -R "$DB_USER:" "$dir"; fi
  if [ -n "${UPSTREAM_MOVE:-}" ] && [ "$method" != heap ]; then
    move_all "$dir" "$database" &
    mover=$!
  fi
  DB_HOME=$dir run_as_db env PGISOLATIONTIMEOUT=60 "$driver" --temp-instance="$dir/instance" --temp-config="$dir/settings" \
    --inputdir="$dir" --outputdir="$dir" --bindir="$BINDIR" --dlpath="$dir" --no-locale --encoding=UTF8 \
    --max-concurrent-tests=20 --load-extension=hanzo_datastore --schedule="$(ls "$dir"/{parallel,isolation}_schedule 2>/dev/null)" \
    >"$out/$suite-$method.log" 2>&1 </dev/null || true
  if [ -n "$mover" ]; then wait "$mover" || true; fi
  mover=
  rm -rf "$out/$suite-$method"
  cp -r "$dir/results" "$out/$suite-$method"
  cp -r "$dir/log" "$out/$suite-$method.server"
  if grep -raE 'TRAP:|PANIC|was terminated by signal' "$out/$suite-$method.server"; then die "the server crashed in $suite"; fi
}

for suite in $suites; do
  rm -rf "$out/$suite"-*.server
  run "$suite" heap "enable_bitmapscan = off"
  run "$suite" hanzo_columnar "enable_bitmapscan = off" "hanzo_datastore.enable_columnar_scan = off"
  diff -r -U4 "$out/$suite-heap" "$out/$suite-hanzo_columnar" >"$out/$suite.diff" || true
  say "$suite: $(find "$out/$suite-heap" -name '*.out' | wc -l) tests, $(grep -c '^diff ' "$out/$suite.diff" || true) differ from heap: $out/$suite.diff"
done
