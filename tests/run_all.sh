#!/usr/bin/env bash
# All levels, cheapest first; at the end, how many tests of each level ran. No level may be empty.
# What fails is a failure: nothing is run a second time. A test that fails once in a race is a find.
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
  passed=$(tail -n 1 "build/$name.log" | grep -oE '[0-9]+ (passed|plans)' | grep -oE '[0-9]+' || echo 0)
  bad=$(tail -n 1 "build/$name.log" | grep -oE '[0-9]+ (failed|error)' | awk '{n += $1} END {print n + 0}')
  printf '%s %s %s %s\n' "$name" "$passed" "$bad" "$((SECONDS - start))" >> build/levels.txt
  [ "$code" = 0 ] && [ "$passed" != 0 ]
}

folder() { # NAME...: folders of tests/e2e, each in a process of its own, so that it has cleared away before the next begins
  local name all=0
  for name in "$@"; do level "$name" $python -m pytest -q "tests/e2e/$name/" --durations=5 || all=1; done
  return $all
}

# Small drills are waited for most of their time. What asks nothing of the installed operator runs beside them.
beside=(answers faults installs observers protocol rollouts)

on_the_cluster() {
  local name all=0 rest=()
  make -s cluster && make -s install || return 1
  eval "$(python3 -m cluster env)"
  for name in tests/e2e/*/test_*.py; do
    name=$(basename "$(dirname "$name")")
    case " drills ${beside[*]} ${rest[*]:-} " in *" $name "*) ;; *) rest+=("$name") ;; esac
  done
  folder "${beside[@]}" > build/beside.log 2>&1 &
  folder drills || all=1
  wait $! || all=1
  cat build/beside.log
  folder "${rest[@]}" || all=1
  level faultmatrix $python -m tests.faultmatrix --ci || all=1
  return $all
}

failed=0
level unit env KUBEDRILL_TESTS=thorough $python -m pytest -q -n 2 --dist worksteal tests --ignore=tests/integration --ignore=tests/e2e || failed=1
level integration $python -m pytest -q -n 2 --dist worksteal tests/integration || failed=1
if [ "$failed" = 0 ]; then on_the_cluster || failed=1; fi

printf '\n%-16s %8s %8s %8s\n' level passed failed seconds
awk '{printf "%-16s %8s %8s %8s\n", $1, $2, $3, $4; p += $2; f += $3} END {printf "\n%d passed, %d failed\n", p, f}' build/levels.txt
exit "$failed"
