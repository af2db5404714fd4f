#!/usr/bin/env bash
# All levels, cheapest first; at the end, how many tests of each level ran. No level may be empty.
# What fails on the cluster is run once more, and said so: its times depend on what else the machine does. What fails
# twice is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
mkdir -p build
: > build/levels.txt

level() { # NAME COMMAND...: run one level and keep its count; fails when a test failed or none ran
  local name=$1 start=$SECONDS code passed bad
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "build/$name.log"
  code=${PIPESTATUS[0]}
  passed=$(tail -n 1 "build/$name.log" | grep -oE '[0-9]+ passed' | grep -oE '[0-9]+' || echo 0)
  bad=$(tail -n 1 "build/$name.log" | grep -oE '[0-9]+ (failed|error)' | awk '{n += $1} END {print n + 0}')
  printf '%s %s %s %s\n' "$name" "$passed" "$bad" "$((SECONDS - start))" >> build/levels.txt
  [ "$code" = 0 ] && [ "$passed" != 0 ]
}

on_the_cluster() {
  make -s cluster && make -s install || return 1
  eval "$(python3 -m cluster env)"
  level e2e $python -m pytest -q tests/e2e --durations=15 && return 0
  grep -E '^(FAILED|ERROR)' build/e2e.log > build/e2e-first.txt
  level e2e-again $python -m pytest -q tests/e2e --last-failed || return 1
  printf '\npassed only when run again:\n'
  cat build/e2e-first.txt
  sed -i -E 's/^(e2e [0-9]+) [0-9]+/\1 0/' build/levels.txt  # counted in e2e-again
}

failed=0
level unit $python -m pytest -q tests --ignore=tests/e2e || failed=1
if [ "$failed" = 0 ]; then on_the_cluster || failed=1; fi

printf '\n%-10s %8s %8s %8s\n' level passed failed seconds
awk '{printf "%-10s %8s %8s %8s\n", $1, $2, $3, $4; p += $2; f += $3} END {printf "\n%d passed, %d failed\n", p, f}' build/levels.txt
exit "$failed"
