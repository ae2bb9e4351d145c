#!/usr/bin/env bash
# Builds the Debian package of the last commit into build/deb, and tries it where nothing else is.
#
#   scripts/deb.sh           needs debhelper and what debian/control names; installs what is missing
#   scripts/deb.sh --test    besides: makes a Debian 12 in a directory with debootstrap, installs the package there and its server, and
#                            uses the extension as its users would. Root only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

mode=${1:-}
case $mode in '' | --test) ;; *) die "usage: scripts/deb.sh [--test]" ;; esac
git rev-parse --verify -q HEAD >/dev/null || die "the package is built of a commit, and this is no git repository"
need_build_packages debhelper libpq-dev zlib1g-dev

out=$PWD/build/deb
source=$out/hanzo-datastore
rm -rf "$out"
mkdir -p "$source"
git archive HEAD | tar -x -C "$source"
(cd "$source" && dpkg-buildpackage -b -us -uc) >"$out/build.log" 2>&1 || { tail -n 20 "$out/build.log" >&2; die "dpkg-buildpackage failed: see $out/build.log"; }
package=$(ls "$out"/postgresql-15-hanzo-datastore_*.deb)
say "$package"
[ "$mode" = --test ] || exit 0

# ---- In a Debian of its own

[ "$(id -u)" = 0 ] || die "only root can debootstrap"
need_packages debootstrap
root=$(mktemp -d "${TMPDIR:-/tmp}/hanzo_deb.XXXXXX")
# it will be / to others than root
chmod 755 "$root"
finish() {
  chroot "$root" pg_ctlcluster 15 main stop -m immediate >/dev/null 2>&1 || true
  umount "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap finish EXIT
say "debootstrap: a few minutes"
debootstrap --variant=minbase bookworm "$root" >"$out/debootstrap.log" 2>&1 ||
  { tail -n 5 "$out/debootstrap.log" >&2; die "debootstrap failed: see $out/debootstrap.log"; }
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
[ ! -f /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$root/etc/apt/"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
# the same releases and updates as here, from which the package was built
cp -r /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/" 2>/dev/null || cp /etc/apt/sources.list "$root/etc/apt/"
# no service is started by an installation in a chroot
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
cp "$package" "$root/package.deb"
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
inside apt-get update >"$out/install.log" 2>&1
inside apt-get install -y --no-install-recommends /package.deb >>"$out/install.log" 2>&1 ||
  { tail -n 10 "$out/install.log" >&2; die "the package does not install: see $out/install.log"; }
inside pg_ctlcluster 15 main start
inside runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 <<'SQL' >"$out/smoke.out"
CREATE EXTENSION hanzo_datastore;
CREATE TABLE events (at timestamptz, kind text, n integer) USING hanzo_columnar;
INSERT INTO events SELECT timestamptz '2026-01-01' + i * interval '1 second', 'kind ' || i % 7, i FROM generate_series(1, 200000) AS i;
CALL hanzo_datastore.compact('events');
SELECT kind, count(*), sum(n) FROM events GROUP BY 1 ORDER BY 1 LIMIT 1;
SELECT count(*) FROM hanzo_datastore.verify('events');
SELECT hanzo_datastore.create_hanzo_schema();
SELECT count(*) FROM hanzo.website_events;
SQL
expected=$(printf '%s\n' 'kind 0|28571|2857157142' 0 '' 0)
inside /usr/lib/postgresql/15/bin/hanzo-datastore-load --version >"$out/load.out"
[ "$(cat "$out/smoke.out")" = "$expected" ] || { diff <(echo "$expected") "$out/smoke.out" >&2; die "the installed extension answers otherwise: see $out/smoke.out"; }
inside apt-get remove -y postgresql-15-hanzo-datastore >>"$out/install.log" 2>&1 || die "the package does not go: see $out/install.log"
say "installed, used and removed in a new Debian 12: ok"
