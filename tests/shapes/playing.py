"""One play, from its namespace to its judgement."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.e2e.staging.copies import kubectl, until
from tests.shapes import courses, monitoring, stage
from tests.shapes.catalogue import Play
from tests.shapes.judge import Told, wrong
from tests.shapes.recorder import Recorder
from tests.shapes.truth import truth_of

FOLDER: Final = Path("build/shapes")
ENDED: Final = ("Completed", "Stopped", "Aborted")
FIRES_WITHIN, ENDS_WITHIN = 240, 300


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


@dataclass(frozen=True)
class Playing:
    """A play that is on. It looks at its Drill by the recorder's wire: a process for each look would take a core."""

    play: Play
    recorder: Recorder

    def result(self) -> Result:
        """Played and judged. What goes wrong on the way is wrong."""
        began = time.monotonic()
        try:
            self._set_up()
            told = self._course()
            looks = self.recorder.of(self.play.namespace)
            truth = truth_of(self.play, looks, told.ended() or 0.0)
            wrongs = wrong(self.play, truth, told)
            kept: dict[str, Any] = {"told": told.status, "findings": sorted(told.findings), "truth": asdict(truth)}
            kept["looks"] = [asdict(one) for one in looks]
            (FOLDER / f"{self.play.name}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
            return Result(self.play, wrongs, time.monotonic() - began, told.verdict)
        except (AssertionError, OSError, http.client.HTTPException, subprocess.CalledProcessError) as error:
            return Result(self.play, [str(error)], time.monotonic() - began)
        finally:
            self._clear()

    def _set_up(self) -> None:
        play = self.play
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

    def _course(self) -> Told:
        """The drill to its end, and what is told of it then."""
        play = self.play
        courses.comes_before(play)
        kubectl("apply", "-f", "-", given=stage.drill(play))
        if play.course == "without-effect":
            until(lambda: self._status().get("startExTime") or self._has_ended(), FIRES_WITHIN, "the fault was begun")
            courses.is_killed_beside(play)
        elif play.course != "refused":
            until(lambda: self._has_fired() or self._has_ended(), FIRES_WITHIN, "the alert fired in play")
            courses.acts(play)
        elif not self._refused():
            return Told(self._status())
        until(self._has_ended, ENDS_WITHIN, "the drill ended")
        status = self._status()
        return self._reported(status) if status.get("reportName") else Told(status)

    def _reported(self, status: dict[str, Any]) -> Told:
        """With what its report says: the stored one's verdict, and the findings of the file that is made of it."""
        stored = json.loads(kubectl("get", "drillreport", status["reportName"], "-n", stage.CONTROL, "-o", "json"))
        folder = FOLDER / "reports" / self.play.name
        _kubedrill("report", self.play.namespace, "--format", "json", "-o", str(folder))
        record = json.loads((folder / "report.json").read_text(encoding="utf-8"))["record"]
        return Told(status, stored["spec"]["verdict"], frozenset(one["rule"] for one in record["findings"]))

    def _refused(self) -> bool:
        """Whether it ended without having begun; one that goes on waiting for a while is not begun either."""
        try:
            until(lambda: self._has_ended() or self._status().get("startExTime"), 75, "it is decided")
        except AssertionError:
            return False
        return self._has_ended()

    def _has_fired(self) -> bool:
        """Whether it has, and the fault has had its effect, but for those who are quicker than that."""
        status = self._status()
        begun = status.get("phase") == "InPlay" or self.play.course == "early"
        return begun and any(one["name"] == "AlertFired" for one in status.get("milestones", ()))

    def _has_ended(self) -> bool:
        return self._status().get("phase") in ENDED

    def _status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.recorder.reads(stage.path_of_drill(self.play)))
        return dict(found.get("status") or {})

    def _clear(self) -> None:
        """Whatever became of it, nothing of it is left for the next one; what is in the way the set-up tells then."""
        play = self.play
        beside = [courses.neighbour(play)] if play.shape.neighbour else []
        for removal in (
            ("drill", play.namespace, "-n", stage.CONTROL, "--timeout=60s"),
            ("denv", play.namespace, "-n", stage.CONTROL),
            ("namespace", play.namespace, *beside, "--wait=false"),
        ):
            subprocess.run(["kubectl", "delete", *removal, "--ignore-not-found"], check=False, capture_output=True)


def _kubedrill(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).with_name("kubedrill")), *arguments], check=True, capture_output=True)
