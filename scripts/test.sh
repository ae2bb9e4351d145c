#!/usr/bin/env bash
# Installs what is missing, builds, installs the extension, runs the tests.
#
#   scripts/test.sh [SUITE[:TEST] …]
#
# Suites: lint, unit (build/unit), regress (sql/, expected/), isolation (specs/, expected/), tap (t/), clients (clients/tests).
# Without arguments all of them; regress:types runs one test (and sql/setup.sql before it, where it exists).
#
#   PG_CONFIG=…           another server, for instance one built with assertions
#   HANZO_NO_INSTALL=1    install no packages
#   HANZO_TIMEOUT=3600    seconds that a suite may take
#   HANZO_KEEP=1          keep the work directory
#
# What the tests wrote stays in build/test/<suite>. The last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

passed=0 failed=0 finished=
work=
out=$PWD/build/test

finish() {
  local status=$?
  trap - EXIT
  set +e
  stop_clusters
  if [ -n "$work" ]; then
    if [ -n "${HANZO_KEEP:-}" ]; then say "kept: $work"; else rm -rf "$work"; fi
  fi
  # Whatever ended the script early counts as a failure.
  if [ -z "$finished" ] && [ "$failed" = 0 ]; then failed=1; fi
  say "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$status" = 0 ] || exit 1
  exit 0
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- What to run

suites=() ; declare -A only=()
for argument in "$@"; do
  suite=${argument%%:*}
  case $suite in
    lint | unit | regress | isolation | tap | clients) ;;
    *) die "there is no suite $suite: lint, unit, regress, isolation, tap, clients" ;;
  esac
  case " ${suites[*]} " in *" $suite "*) ;; *) suites+=("$suite") ;; esac
  case $argument in *:*) only[$suite]+=" ${argument#*:}" ;; esac
done
[ ${#suites[@]} -gt 0 ] || suites=(lint unit regress isolation tap clients)

wanted() { case " ${suites[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# tests_of SUITE FILE …: names without folder and suffix, those asked for only; setup comes first.
tests_of() {
  local suite=$1 file name names=()
  shift
  for file in "$@"; do
    [ -e "$file" ] || continue
    name=$(basename "$file")
    name=${name%.*}
    case " ${only[$suite]:-$name} " in *" $name "*) [ "$suite/$name" = regress/setup ] || names+=("$name") ;; esac
  done
  if [ "$suite" = regress ] && [ -e sql/setup.sql ]; then names=(setup "${names[@]}"); fi
  if [ ${#names[@]} -gt 0 ]; then printf '%s\n' "${names[@]}"; fi
}

# Is every test that was asked for by name there?
for suite in "${!only[@]}"; do
  for name in ${only[$suite]}; do
    case $suite in
      unit) file=unit/$name.c ;;
      regress) file=sql/$name.sql ;;
      isolation) file=specs/$name.spec ;;
      tap) file=t/$name.pl ;;
      clients) for file in clients/tests/"$name".*; do :; done ;;
      *) file= ;;
    esac
    [ -e "$file" ] || die "there is no test $suite:$name"
  done
done

# report SUITE PASSED FAILED SECONDS [NOTE]
report() {
  passed=$((passed + $2))
  failed=$((failed + $3))
  printf '%-10s %4d passed, %d failed (%d s)%s\n' "$1" "$2" "$3" "$4" "${5:+ $5}"
}

lines_matching() { grep -cE "$1" "$2" || true; }

# At most this many lines of a file, so that the end of the output stays readable.
show() { sed -n "1,${2:-150}p" "$1"; }

# ---- Build

packages=()
if wanted lint; then packages+=(clang-format); fi
if wanted tap; then packages+=(perl libipc-run-perl python3 chromium fonts-dejavu-core); fi
if wanted clients; then packages+=(python3-psycopg); fi
# The clients' tests need both, t/025_image.pl npm. They often come from elsewhere than Debian.
if wanted tap || wanted clients; then
  for program in node npm; do
    command -v "$program" >/dev/null || packages+=("${program/%node/nodejs}")
  done
fi
need_build_packages "${packages[@]}"
find_postgres
mkdir -p build
rm -rf "$out"
mkdir -p "$out"

if wanted lint; then
  start=$SECONDS
  if bash scripts/lint.sh >"$out/lint" 2>&1; then
    report lint 1 0 $((SECONDS - start))
  else
    show "$out/lint"
    report lint 0 1 $((SECONDS - start))
  fi
fi

# ---- Unit tests: each program is one test, unless it prints a TAP line ("ok 1 - …") a test or ends
# with "N passed, N failed".

run_unit() {
  local start=$SECONDS program name ok=0 bad=0 log good wrong status
  if ! make -s -k -j "$(nproc)" unit-programs PG_CONFIG="$PG_CONFIG" >"$out/unit.make" 2>&1; then
    grep -E 'error|undefined|\*\*\*' "$out/unit.make" | show /dev/stdin 40 || true
    bad=1
  fi
  mkdir -p "$out/unit"
  for name in $(tests_of unit unit/test_*.c); do
    program=build/unit/$name log=$out/unit/$name
    status=0
    if [ -x "$program" ]; then
      timeout "${HANZO_TIMEOUT:-3600}" "$program" >"$log" 2>&1 || status=$?
    else
      echo "not built: see $out/unit.make" >"$log"
      status=1
    fi
    good=$(lines_matching '^ok [0-9]' "$log") wrong=$(lines_matching '^not ok [0-9]' "$log")
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ (tests\ )?passed,\ ([0-9]+)\ failed$ ]]; then
      good=${BASH_REMATCH[1]} wrong=${BASH_REMATCH[3]}
    elif [ $((good + wrong)) = 0 ] && [ $status = 0 ]; then
      good=1
    fi
    if [ $status != 0 ] && [ "$wrong" = 0 ]; then wrong=1; fi
    if [ "$wrong" != 0 ]; then
      say "--- $program (status $status)"
      grep -vE '^ok\b' "$log" | show /dev/stdin 60 || true
    fi
    ok=$((ok + good)) bad=$((bad + wrong))
  done
  report unit $ok $bad $((SECONDS - start))
}

if wanted unit; then run_unit; fi

if ! wanted regress && ! wanted isolation && ! wanted tap && ! wanted clients; then
  finished=1
  exit
fi

start=$SECONDS
if ! build_and_install "$out/make"; then
  grep -E 'error|warning|undefined|\*\*\*' "$out/make" | show /dev/stdin 60 || tail -n 20 "$out/make"
  die "the extension does not build or install: see build/test/make"
fi
say "built and installed for $("$PG_CONFIG" --version) ($((SECONDS - start)) s)"

# ---- The suites that need a server run on a copy of the tree, which the server's user owns

work=$(mktemp -d /tmp/hanzo_test.XXXXXX)
chmod 755 "$work"
mkdir "$work/tree"
tar -cf - --exclude=./.git --exclude=./build --exclude='*.o' --exclude='*.d' --exclude=./clients/node_modules --exclude=./docker/node_modules . | tar -C "$work/tree" -xf -
mkdir "$work/tree/build"
if [ "$(id -u)" = 0 ]; then chown -R "$DB_USER:" "$work"; fi
DB_HOME=$work/tree

# Damage that a test may survive: assertions, crashes.
server_complaints() {
  local log
  for log in "$@"; do
    if [ ! -f "$log" ]; then continue; fi
    { grep -aE 'TRAP:|PANIC:|was terminated by signal|AddressSanitizer|runtime error:' "$log" || true; } |
      sed -E 's/^[-0-9]+ [0-9:.]+ [A-Z]+ \[[0-9]+\] //' | sort | uniq -c | show /dev/stdin 10
  done
}

# run_regress SUITE DRIVER OUTPUTDIR OPTIONS… -- TESTS…
run_regress() {
  local suite=$1 driver=$2 results=$3 start=$SECONDS options=() name log good bad status=0
  shift 3
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  log=$out/$suite.log
  [ -x "$driver" ] || die "$driver is missing (Debian: postgresql-server-dev-$PG_MAJOR)"

  # pg_regress gives up altogether where an expected file is missing: let that one test fail.
  for name in "$@"; do
    [ -e "$work/tree/expected/$name.out" ] || touch "$work/tree/expected/$name.out"
  done

  # An autovacuum worker's snapshot would keep VACUUM from removing rows, its locks would be in the way, what it counts would change plans.
  start_cluster "$work/$suite" 5499 "autovacuum = off" \
    "max_prepared_transactions = 10" "max_connections = 60" "shared_buffers = 128MB" \
    "wal_level = replica" "max_wal_size = 2GB" "log_min_messages = warning" "timezone = 'UTC'" "jit = off"
  own_dir "$results"
  run_as_db timeout "${HANZO_TIMEOUT:-3600}" "$driver" --bindir="$BINDIR" --host="$PGHOST" --port="$PGPORT" \
    --user=postgres --encoding=UTF8 --dlpath="$("$PG_CONFIG" --pkglibdir)" \
    --inputdir="$work/tree" --outputdir="$results" "${options[@]}" "$@" >"$log" 2>&1 </dev/null || status=$?
  stop_cluster "$work/$suite"

  # PostgreSQL 15 writes "test name ... ok", 16 and later "ok 1 - name".
  good=$(lines_matching '^(test | {4,})\S.* \.\.\. +ok |^ok [0-9]' "$log")
  bad=$(lines_matching '^(test | {4,})\S.* \.\.\. +FAILED|^not ok [0-9]' "$log")
  if [ $status != 0 ] && [ "$bad" = 0 ]; then bad=1; fi

  mkdir -p "$out/$suite"
  cp -r "$results/." "$out/$suite/"
  cp "$work/$suite/server.log" "$out/$suite/"
  if [ "$bad" != 0 ]; then
    grep -E 'FAILED|^not ok' "$log" || tail -n 20 "$log"
    if [ -f "$results/regression.diffs" ]; then
      sed "s|$work/tree/||; s|$results|build/test/$suite|" "$results/regression.diffs" | show /dev/stdin 300
    fi
  fi
  if server_complaints "$work/$suite/server.log" | grep .; then
    [ "$bad" != 0 ] || bad=1
  fi
  report "$suite" "$good" "$bad" $((SECONDS - start))
}

if wanted regress; then
  mapfile -t tests < <(tests_of regress sql/*.sql)
  if [ ${#tests[@]} -gt 0 ]; then
    run_regress regress "$PGXS_TOP/test/regress/pg_regress" "$work/results_regress" \
      --dbname=contrib_regression -- "${tests[@]}"
  else
    report regress 0 0 0 "no tests"
  fi
fi

if wanted isolation; then
  mapfile -t tests < <(tests_of isolation specs/*.spec)
  if [ ${#tests[@]} -gt 0 ]; then
    run_regress isolation "$PGXS_TOP/test/isolation/pg_isolation_regress" "$work/results_isolation" \
      --dbname=isolation_regression -- "${tests[@]}"
  else
    report isolation 0 0 0 "no tests"
  fi
fi

# ---- TAP: the environment that PGXS's prove_installcheck sets, with time for a busy machine. A server built without TAP support
# borrows Debian's modules for the same major version.

run_tap() {
  local start=$SECONDS name log good wrong ok=0 bad=0 skipped=0 status perl_modules dir
  perl_modules=
  for dir in "$PGXS_TOP/test/perl" "/usr/lib/postgresql/$PG_MAJOR/lib/pgxs/src/test/perl"; do
    if [ -f "$dir/PostgreSQL/Test/Cluster.pm" ]; then perl_modules=$dir; break; fi
  done
  [ -n "$perl_modules" ] ||
    die "PostgreSQL's Perl test modules are missing (Debian: postgresql-server-dev-$PG_MAJOR)"
  perl -MIPC::Run -e 1 2>/dev/null || die "Perl's IPC::Run is missing (Debian: libipc-run-perl)"

  mkdir -p "$out/tap"
  for name in "$@"; do
    own_dir "$work/tap"
    own_dir "$work/tap/$name"
    own_dir "$work/tap/$name/tmp_check"
    log=$out/tap/$name status=0
    run_as_db env PATH="$BINDIR:$work/tap/$name:$PATH" PERL5LIB="$perl_modules${PERL5LIB:+:$PERL5LIB}" \
      PG_CONFIG="$PG_CONFIG" PGPORT=65432 PG_REGRESS="$PGXS_TOP/test/regress/pg_regress" \
      TESTDIR="$work/tap/$name" TESTDATADIR="$work/tap/$name/tmp_check" \
      TESTLOGDIR="$work/tap/$name/tmp_check/log" LC_ALL=C.UTF-8 PG_TEST_TIMEOUT_DEFAULT=1800 PGCTLTIMEOUT=600 \
      timeout "${HANZO_TIMEOUT:-3600}" prove --nocolor -v -I "$work/tree/t" "t/$name.pl" >"$log" 2>&1 </dev/null || status=$?
    good=$(lines_matching '^ok [0-9]' "$log") wrong=$(lines_matching '^not ok [0-9]' "$log")
    # What is marked to be done may fail.
    wrong=$((wrong - $(lines_matching "^not ok .*# TO""DO" "$log")))
    if [ $status != 0 ] && [ "$wrong" = 0 ]; then wrong=1; fi
    if grep -qE '^(t/.*)?skipped:|\.\. skipped' "$log"; then
      skipped=$((skipped + 1))
      grep -E 'skipped' "$log" | head -n 1
    fi
    # A test that leaves a part out says why.
    sed -nE "s/^# (.*: its part is left out)\$/t\/$name.pl: \1/p" "$log"
    mkdir -p "$out/tap/logs/$name"
    cp -r "$work/tap/$name/tmp_check/log/." "$out/tap/logs/$name/" 2>/dev/null || true
    if [ "$wrong" != 0 ]; then
      say "--- t/$name.pl (status $status)"
      grep -vE '^ok\b' "$log" | tail -n 60 || true
      server_complaints "$out/tap/logs/$name"/*.log
    fi
    ok=$((ok + good)) bad=$((bad + wrong))
    [ -n "${HANZO_KEEP:-}" ] || rm -rf "$work/tap/$name"
  done
  report tap $ok $bad $((SECONDS - start)) "$([ $skipped = 0 ] || echo "$skipped of ${#} files skipped")"
}

if wanted tap; then
  mapfile -t tests < <(tests_of tap t/*.pl)
  if [ ${#tests[@]} -gt 0 ]; then run_tap "${tests[@]}"; else report tap 0 0 0 "no tests"; fi
fi

# ---- Clients: node and Python programs and psql, in the tree itself, where npm puts their packages. Their server listens on
# 127.0.0.1 too, and asks for a password there.

run_clients() {
  local start=$SECONDS port log=$out/clients.log status=0 good=0 bad=0 psql=$BINDIR/psql
  # Tab completion needs a psql that reads lines; one that was built without it gives way to Debian's.
  if ! ldd "$psql" | grep -qE 'libreadline|libedit' && [ -x /usr/bin/psql ]; then psql=/usr/bin/psql; fi
  port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  start_cluster "$work/clients" "$port" "listen_addresses = '127.0.0.1'" "autovacuum = off" "max_prepared_transactions = 10" \
    "max_connections = 60" "shared_buffers = 128MB" "max_wal_size = 2GB" "log_min_messages = warning" "timezone = 'UTC'" "jit = off"
  printf '%s\n' "local all all trust" "host all all 127.0.0.1/32 scram-sha-256" | run_as_db tee "$work/clients/data/pg_hba.conf" >/dev/null
  run_as_db "$BINDIR/pg_ctl" -D "$work/clients/data" reload >/dev/null
  HANZO_PSQL=$psql timeout "${HANZO_TIMEOUT:-3600}" bash clients/run "$@" >"$log" 2>&1 </dev/null || status=$?
  stop_cluster "$work/clients"

  if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    good=${BASH_REMATCH[1]} bad=${BASH_REMATCH[2]}
  fi
  if [ $status != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  mkdir -p "$out/clients"
  cp "$work/clients/server.log" "$out/clients/"
  if [ "$bad" != 0 ]; then
    grep -vE '^( *ok |    )' "$log" | show /dev/stdin 200 || true
  fi
  if server_complaints "$work/clients/server.log" | grep .; then
    [ "$bad" != 0 ] || bad=1
  fi
  report clients "$good" "$bad" $((SECONDS - start))
}

if wanted clients; then
  read -ra names <<<"${only[clients]:-}"
  run_clients "${names[@]}"
fi

finished=1
