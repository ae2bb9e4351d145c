#!/usr/bin/env bash
# Fuzzes the decoders under AddressSanitizer and UndefinedBehaviorSanitizer, starting from the inputs that earlier runs kept.
#
#   scripts/fuzz.sh [SECONDS [FUZZER …]]     SECONDS: for each fuzzer, by default 600; 0: only what is kept
#
# Needs clang. What was found new is kept in fuzz/corpus, reduced to what covers code: commit it. An input that fails stays
# in build/fuzz and ends the script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-600}
shift || true
case $seconds in '' | *[!0-9]*) echo "fuzz.sh: $seconds is not a number of seconds" >&2; exit 1 ;; esac
fuzzers=("$@")
[ ${#fuzzers[@]} -gt 0 ] || fuzzers=(chunk column compress encoding load numeric rowgroup)

make -s fuzz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in "${fuzzers[@]}"; do
  program=build/fuzz/fuzz_$name
  [ -x "$program" ] || { echo "fuzz.sh: there is no fuzzer $name" >&2; exit 1; }
  mkdir -p "$work/old/$name" "$work/new/$name"
  if [ -e "fuzz/corpus/$name.tar.xz" ]; then tar xJf "fuzz/corpus/$name.tar.xz" -C "$work/old"; fi
  if [ "$seconds" = 0 ]; then
    "$program" -runs=0 -artifact_prefix="build/fuzz/$name-" "$work/old/$name" 2>"$work/log" || { tail -n 40 "$work/log" >&2; exit 1; }
  else
    "$program" -max_total_time="$seconds" -artifact_prefix="build/fuzz/$name-" "$work/old/$name" 2>"$work/log" ||
      { tail -n 40 "$work/log" >&2; exit 1; }
    "$program" -merge=1 "$work/new/$name" "$work/old/$name" 2>/dev/null
    tar cJf "fuzz/corpus/$name.tar.xz" -C "$work/new" "$name"
  fi
  echo "$name: clean"
done
