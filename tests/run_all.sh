#!/usr/bin/env bash
# All levels, cheapest first; at the end, how many tests of each level ran. No level may be empty.
set -uo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
mkdir -p build
: > build/levels.txt
failed=0

level() { # NAME COMMAND...: run one level and keep its count
  local name=$1 start=$SECONDS; shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "build/$name.log"
  local code=${PIPESTATUS[0]}
  local passed; passed=$(grep -oE '[0-9]+ passed' "build/$name.log" | tail -n 1 | grep -oE '[0-9]+' || echo 0)
  local bad; bad=$(grep -oE '[0-9]+ (failed|errors?)' "build/$name.log" | grep -oE '^[0-9]+' | paste -sd+ | bc 2>/dev/null || echo 0)
  if [ "$code" != 0 ] || [ "$passed" = 0 ]; then failed=1; fi
  printf '%s %s %s %s\n' "$name" "$passed" "${bad:-0}" "$((SECONDS - start))" >> build/levels.txt
  return "$code"
}

level unit $python -m pytest -q tests --ignore=tests/e2e
if [ "$failed" = 0 ]; then
  make -s cluster && make -s install && eval "$(python3 -m cluster env)" && level e2e $python -m pytest -q tests/e2e --durations=15 || failed=1
fi

printf '\n%-10s %8s %8s %8s\n' level passed failed seconds
awk '{printf "%-10s %8s %8s %8s\n", $1, $2, $3, $4; p += $2; f += $3} END {printf "\n%d passed, %d failed\n", p, f}' build/levels.txt
exit "$failed"
