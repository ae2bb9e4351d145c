# Functions shared by the scripts beside this one; sourced by bash, never run.
#
# A private cluster lives under a work directory of the caller's, is reached through a Unix socket
# in that directory, listens on no TCP port, and is stopped when the script ends. The system's own
# clusters are never touched.
#
# As root, everything that talks to PostgreSQL runs as $DB_USER (postgres), since the server refuses root.

DB_USER=${HANZO_DB_USER:-postgres}
CLUSTERS=()

say() { printf '%s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Installs the Debian packages named that are missing. Refuses where it cannot.
need_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is not a Debian-like system, so nothing can be installed here." \
      "Install what these Debian packages hold, then set HANZO_NO_INSTALL=1: $*"
  fi
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  [ "$(id -u)" = 0 ] || die "these packages are missing, and only root can install them:" \
    "apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" ||
    { apt-get update &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; }; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: ${missing[*]} (Debian 12 has them all)"
  fi
  rm -f "$log"
}

# What every script needs to build and to run. Further packages as arguments. A server that PG_CONFIG
# names is the caller's business; otherwise it is Debian's.
need_build_packages() {
  if [ -n "${HANZO_NO_INSTALL:-}" ]; then return 0; fi
  local server=(postgresql-15 postgresql-server-dev-15 postgresql-15-cron postgresql-15-hll postgresql-15-tdigest)
  if [ -n "${PG_CONFIG:-}" ]; then server=(); fi
  need_packages build-essential libpq-dev libzstd-dev liblz4-dev libxxhash-dev zlib1g-dev "${server[@]}" "$@"
}

# Sets PG_CONFIG, BINDIR, PGXS_TOP (…/pgxs/src) and PG_MAJOR.
find_postgres() {
  if [ -z "${PG_CONFIG:-}" ]; then
    PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
    [ -x "$PG_CONFIG" ] || PG_CONFIG=$(command -v pg_config) || die "no pg_config: set PG_CONFIG"
  fi
  "$PG_CONFIG" --version >/dev/null 2>&1 || die "$PG_CONFIG does not run: set PG_CONFIG to a server's pg_config"
  export PG_CONFIG
  BINDIR=$("$PG_CONFIG" --bindir)
  PGXS_TOP=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")
  PG_MAJOR=$("$PG_CONFIG" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
  [ -f "$PGXS_TOP/Makefile.global" ] || die "no PGXS beside $PG_CONFIG (Debian: postgresql-server-dev-$PG_MAJOR)"
  [ -x "$BINDIR/initdb" ] || die "no server in $BINDIR (Debian: postgresql-$PG_MAJOR)"
  if [ "$(id -u)" = 0 ] && ! id "$DB_USER" >/dev/null 2>&1; then
    die "there is no user $DB_USER to run PostgreSQL as: create it, or name another in HANZO_DB_USER"
  fi
}

# Builds and installs the extension for $PG_CONFIG. One at a time in a tree. $1: a file for the output.
build_and_install() {
  local log=$1
  mkdir -p build
  (
    flock 9
    make -s -j "$(nproc)" PG_CONFIG="$PG_CONFIG" || exit 1
    if [ -w "$("$PG_CONFIG" --pkglibdir)" ]; then
      make -s install PG_CONFIG="$PG_CONFIG"
    elif sudo -n true 2>/dev/null; then
      sudo -n make -s install PG_CONFIG="$PG_CONFIG"
    else
      echo "error: $(id -un) may not write to $("$PG_CONFIG" --pkglibdir): run this as root," \
        "or set PG_CONFIG to a server of your own"
      exit 1
    fi
  ) 9>build/.lock >"$log" 2>&1
}

# run_as_db COMMAND …: as the user PostgreSQL may run as, in a directory that user can enter.
run_as_db() {
  if [ "$(id -u)" = 0 ]; then
    (cd "${DB_HOME:-/}" && HOME=${DB_HOME:-/} runuser -u "$DB_USER" -- "$@")
  else
    (cd "${DB_HOME:-/}" && "$@")
  fi
}

# own_dir DIR: makes it, for the user PostgreSQL runs as.
own_dir() {
  mkdir -p "$1"
  if [ "$(id -u)" = 0 ]; then chown "$DB_USER:" "$1"; fi
}

# start_cluster DIR PORT [SETTING …]: a new cluster in DIR/data, its socket and log in DIR. PORT only
# names the socket. SETTINGs are lines of postgresql.conf. Exports PGHOST, PGPORT and PGUSER.
# HANZO_FSYNC=on and HANZO_LOCALE (C) change what tests do not care for.
start_cluster() {
  local dir=$1 port=$2
  shift 2
  [ "$port" != 5432 ] || die "port 5432 belongs to the system's cluster"
  [ ${#dir} -le 90 ] || die "$dir is too long a path for a Unix socket"
  own_dir "$dir"
  [ ! -e "$dir/data" ] || die "$dir/data exists already"
  run_as_db "$BINDIR/initdb" -D "$dir/data" -U postgres -A trust -N -E UTF8 \
    --locale="${HANZO_LOCALE:-C}" >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; die "initdb failed"; }
  {
    printf '%s\n' "listen_addresses = ''" "port = $port" "unix_socket_directories = '$dir'" \
      "fsync = ${HANZO_FSYNC:-off}" "log_line_prefix = '%m [%p] %q%a '" "$@"
  } >>"$dir/data/postgresql.conf"
  CLUSTERS+=("$dir/data")
  run_as_db "$BINDIR/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 120 start >/dev/null 2>&1 ||
    { tail -n 20 "$dir/server.log" >&2; die "the server in $dir/data does not start"; }
  export PGHOST=$dir PGPORT=$port PGUSER=postgres
}

# stop_cluster DIR: as started; no error when it does not run.
stop_cluster() {
  local data=$1/data
  if [ -f "$data/postmaster.pid" ]; then
    run_as_db "$BINDIR/pg_ctl" -D "$data" -m fast -w -t 120 stop >/dev/null 2>&1 ||
      run_as_db "$BINDIR/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1 || true
  fi
}

# For the caller's EXIT trap: stops whatever start_cluster started.
stop_clusters() {
  local data
  for data in "${CLUSTERS[@]}"; do stop_cluster "${data%/data}"; done
  CLUSTERS=()
}
