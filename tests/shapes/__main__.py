"""Plays drills on the real cluster and holds what is said of them against an independent recorder.

The last line: `N of N drills judged rightly`.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.e2e.staging.copies import kubectl, until
from tests.shapes import courses, monitoring, stage
from tests.shapes.catalogue import Play, plays
from tests.shapes.judge import Told, truth_of, wrong
from tests.shapes.paging import TOKEN
from tests.shapes.recorder import Recorder

FOLDER: Final = Path("build/shapes")
ENDED: Final = ("Completed", "Stopped", "Aborted")
FIRES_WITHIN, ENDS_WITHIN = 120, 300


@dataclass(frozen=True)
class Result:
    """A play, and all that was wrong with what was told of it."""

    play: Play
    wrongs: Sequence[str]
    seconds: float
    verdict: str = ""

    def __str__(self) -> str:
        line = f"{'WRONG' if self.wrongs else 'right':6} {self.seconds:5.0f} s  {self.play.name}: {self.verdict}"
        return "\n".join([line, *(f"         {one}" for one in self.wrongs)])


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
        for result in at_once.map(lambda play: _played(play, recorder), chosen):
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


def _played(play: Play, recorder: Recorder) -> Result:
    """One play, from its namespace to its judgement. What goes wrong on the way is wrong."""
    began = time.monotonic()
    try:
        _set_up(play)
        told = _course(play)
        looks = recorder.of(play.namespace)
        truth = truth_of(play, looks, told.ended() or 0.0)
        wrongs = wrong(play, truth, told)
        kept: dict[str, Any] = {"told": told.status, "truth": asdict(truth), "looks": [asdict(one) for one in looks]}
        (FOLDER / f"{play.name}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
        return Result(play, wrongs, time.monotonic() - began, told.verdict)
    except AssertionError as error:
        return Result(play, [str(error)], time.monotonic() - began)
    finally:
        _clear(play)


def _set_up(play: Play) -> None:
    beside = [courses.neighbour(play)] if play.shape.neighbour else []
    kubectl("delete", "drill", play.namespace, "-n", stage.CONTROL, "--ignore-not-found", "--timeout=60s")
    kubectl("delete", "namespace", play.namespace, *beside, "--ignore-not-found", "--timeout=120s")
    for namespace in (play.namespace, *beside):
        kubectl("create", "namespace", namespace)
        kubectl("label", "namespace", namespace, f"{monitoring.LABEL}=shop")
    if play.shape.note is not None:
        kubectl("annotate", "namespace", play.namespace, f"shapes/note={play.shape.note}")
    _kubedrill("opt-in", play.namespace)
    kubectl("apply", "-f", "-", given=stage.shop(play.namespace, play.shape.holds))
    if beside:
        kubectl("apply", "-f", "-", given=courses.is_broken(play))
    kubectl("apply", "-f", "-", given=stage.environment(play))
    kubectl("-n", play.namespace, "rollout", "status", courses.DEPLOYMENT, "--timeout=120s")


def _course(play: Play) -> Told:
    """The drill to its end, and what is told of it then."""
    courses.comes_before(play)
    kubectl("apply", "-f", "-", given=stage.drill(play))
    if play.course == "without-effect":
        until(lambda: _status(play).get("startExTime") or _has_ended(play), FIRES_WITHIN, "the fault was begun")
        courses.is_killed_beside(play)
    elif play.course != "refused":
        until(lambda: _has_fired(play) or _has_ended(play), FIRES_WITHIN, "the alert fired in play")
        courses.acts(play)
    elif not _refused(play):
        return Told(_status(play))
    until(lambda: _has_ended(play), ENDS_WITHIN, "the drill ended")
    status = _status(play)
    return _reported(play, status) if status.get("reportName") else Told(status)


def _reported(play: Play, status: dict[str, Any]) -> Told:
    """With what its report says: the stored one's verdict, and the findings of the file that is made of it."""
    stored = json.loads(kubectl("get", "drillreport", status["reportName"], "-n", stage.CONTROL, "-o", "json"))
    folder = FOLDER / "reports" / play.name
    _kubedrill("report", play.namespace, "--format", "json", "-o", str(folder))
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))["record"]
    return Told(status, stored["spec"]["verdict"], frozenset(one["rule"] for one in record["findings"]))


def _kubedrill(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).with_name("kubedrill")), *arguments], check=True, capture_output=True)


def _refused(play: Play) -> bool:
    """Whether it ended without having begun; one that goes on waiting for a while is not begun either."""
    try:
        until(lambda: _has_ended(play) or _status(play).get("startExTime"), 75, "it is decided")
    except AssertionError:
        return False
    return _has_ended(play)


def _has_fired(play: Play) -> bool:
    """Whether it has, and the fault has had its effect, but for those who are quicker than that."""
    status = _status(play)
    begun = status.get("phase") == "InPlay" or play.course == "early"
    return begun and any(one["name"] == "AlertFired" for one in status.get("milestones", ()))


def _has_ended(play: Play) -> bool:
    return _status(play).get("phase") in ENDED


def _status(play: Play) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kubectl("-n", stage.CONTROL, "get", "drill", play.namespace, "-o", "json"))
    return dict(found.get("status") or {})


def _clear(play: Play) -> None:
    """Whatever became of it, nothing of it is left for the next one; what is in the way is told by the set-up then."""
    beside = [courses.neighbour(play)] if play.shape.neighbour else []
    for removal in (
        ("drill", play.namespace, "-n", stage.CONTROL, "--timeout=60s"),
        ("denv", play.namespace, "-n", stage.CONTROL),
        ("namespace", play.namespace, *beside, "--wait=false"),
    ):
        subprocess.run(["kubectl", "delete", *removal, "--ignore-not-found"], check=False, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
