"""Plays drills on the real cluster and holds what is said of them against an independent recorder.

The last line: `N of N drills judged rightly`.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.staging.copies import kubectl
from tests.shapes import monitoring, stage
from tests.shapes.catalogue import Play, plays
from tests.shapes.paging import TOKEN
from tests.shapes.playing import FOLDER, Playing
from tests.shapes.recorder import Recorder


def main() -> int:
    """All plays that are asked for; 1 when one was judged wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.shapes", description=__doc__)
    parser.add_argument("--play", default="*", help="names or globs")
    parser.add_argument("--ci", action="store_true", help="the subset of CI")
    parser.add_argument("--at-once", type=int, default=6, help="how many are played at once")
    parser.add_argument("--list", action="store_true", help="print their names")
    asked = parser.parse_args()
    chosen = [p for p in plays() if any(fnmatch.fnmatch(p.name, one) for one in asked.play.split())]
    chosen = [p for p in chosen if p.in_ci or not asked.ci]
    if asked.list:
        print("\n".join(p.name for p in chosen))
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    _monitor(chosen)
    with Recorder(monitoring.EXPORTER) as recorder, ThreadPoolExecutor(asked.at_once) as at_once:
        results = []
        for result in at_once.map(lambda play: Playing(play, recorder).result(), chosen):
            print(result, flush=True)
            results.append(result)
    kubectl("delete", "namespace", monitoring.NAMESPACE, "--wait=false")
    right = sum(not result.wrongs for result in results)
    print(f"{time.monotonic() - began:.0f} s; looks of the recorder that failed: {recorder.failed}")
    print(f"{right} of {len(results)} drills judged rightly")
    return 0 if results and right == len(results) else 1


def _monitor(chosen: Sequence[Play]) -> None:
    kubectl("delete", "namespace", monitoring.NAMESPACE, "--ignore-not-found", "--timeout=120s")
    kubectl("create", "namespace", monitoring.NAMESPACE)
    token = json.loads(kubectl("get", "secret", TOKEN, "-n", stage.CONTROL, "-o", "json"))["data"]
    kubectl("apply", "-f", "-", given=monitoring.manifests(chosen, token))
    for name in ("exporter", "prometheus", "alertmanager"):
        kubectl("-n", monitoring.NAMESPACE, "rollout", "status", f"deployment/{name}", "--timeout=120s")


if __name__ == "__main__":
    sys.exit(main())
