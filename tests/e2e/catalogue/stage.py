"""A known failure as a test names it, its re-enactment on a slot of the matrix, and what a test may look at then."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.matrix import Matrix
from tests.faultmatrix.people import DOINGS
from tests.faultmatrix.plan import Expect, Plan, Rule
from tests.faultmatrix.rigging import Live
from tests.faultmatrix.run import Result, Run
from tests.faultmatrix.services import ALERT
from tests.faultmatrix.witness import Sighting

Story = Callable[[Run], Awaitable[Any]]
WITHIN: Final = 60.0
"""Seconds that a step of a story may take on a busy machine. What must be quicker is bound by the plan's oracles."""
NOBODY: Final = {
    "title": "nobody is there",
    "expectedAlerts": [{"name": ALERT}],
    "faults": [
        {"name": "limit", "memoryLimit": {"target": {"kind": "Deployment", "name": "nobody"}, "limit": FAULTED}}
    ],
}
"""A scenario whose target is not there."""
BACK_WITHIN: Final = 25.0
"""The same for the way back: the operator's own bound, and room for a machine on which four drills run at once."""


def known_failure(
    *failures: str, story: Story | None = None, ends: str = "stop", expect: dict[str, Any] | None = None, **plan: Any
) -> pytest.MarkDecorator:
    """Marks a test as the re-enactment of failures (`tool#number`): a story, and the fields of its plan.

    `ends` is the story of the matrix whose end it has: some oracles ask whether a target may be gone.
    """
    if story is None:
        return pytest.mark.known_failure(failures, None)
    expected = Expect(**{"restored_within": BACK_WITHIN} | (expect or {}))
    wanted = Plan(name=failures[0], story=ends, expect=expected, **plan)
    return pytest.mark.known_failure(failures, Enactment(wanted, story))


@dataclass
class Enactment:
    """One re-enactment. `saw` is what its story gave back."""

    plan: Plan
    story: Story
    saw: Any = None
    _ran: list[tuple[Run, Result]] = field(default_factory=list)

    async def enact(self, matrix: Matrix) -> None:
        """Runs it in the next free slot."""

        async def kept(run: Run) -> None:
            self.saw = await self.story(run)

        self._ran.append(await matrix.enact(self.plan, kept))

    @property
    def run(self) -> Run:
        """The run, with all that its witness saw."""
        return self._ran[0][0]

    @property
    def result(self) -> Result:
        """What the oracles say of it."""
        return self._ran[0][1]

    @property
    def status(self) -> dict[str, Any]:
        """The Drill's status at its end."""
        return self.run.status

    @property
    def ends(self) -> dict[str, str]:
        """How the memory limits and requests ended, as the Drill tells it."""
        fields = (self.status.get("restore") or {}).get("fields") or ()
        return {"/".join(f["path"].split("/")[-2:]): f["outcome"] for f in fields}

    def values(self, target: str = "web", uid: str = "") -> list[str]:
        """The memory limits that a target had, one after another."""
        seen = [s.value for s in self.run.witness.of("target", target) if uid in ("", s.uid)]
        return [value for i, value in enumerate(seen) if i == 0 or value != seen[i - 1]]

    def records(self, **so: Any) -> list[Sighting]:
        """The versions of undo records in which these things stood."""
        seen = self.run.witness.of("record")
        return [s for s in seen if all(s.value[k] == v for k, v in so.items())]

    def reverted_by(self) -> set[str]:
        """Who put back."""
        return {s.value["by"] for s in self.records(state="Reverted")}

    def writes(self, kind: str) -> list[str]:
        """The lines of the trace about the operator's writes of a kind."""
        return [line for line in self.result.trace if line.split()[1:3] == ["operator", kind]]

    def explained(self, folder: Path) -> str:
        """All that is wrong with it, and where its trace is."""
        trace = folder / f"{self.plan.name.replace('/', '-')}.trace"
        trace.write_text("\n".join(self.result.trace), encoding="utf-8")
        return "\n".join([*map(str, self.result.findings), f"trace: {trace}"])


def from_now_on(run: Run, rule: Rule) -> Live:
    """What goes wrong from this point of a story on."""
    live = Live(len(run.rigging.live), rule)
    run.rigging.live.append(live)
    return live


def healed(run: Run, live: Live) -> None:
    """And from this point on no more."""
    live.done = True
    run.healed_at = time.monotonic()


async def in_play(run: Run) -> None:
    """A drill, in play."""
    await run.apply()
    await run.until(lambda: run.phase() == "InPlay", WITHIN, "in play")


async def over_and_deleted(run: Run) -> None:
    """A drill that is ending comes to its end, is put back, and goes."""
    await run.until(run.ended, WITHIN, "over")
    await run.until(lambda: run.restored() and run.closed(), WITHIN, "put back and closed")
    await run.remember()
    await all_deleted(run)


async def all_deleted(run: Run) -> None:
    """Every drill of the run is deleted, and goes."""
    for name in run.drills:
        await DOINGS["delete-drill"](run.slot, name, run.plan.fault, "")
    await run.until(lambda: all(run.phase(name) == "Gone" for name in run.drills) and run.closed(), WITHIN, "gone")


async def gone(run: Run) -> None:
    """A drill that is being deleted is put back, and goes."""
    await run.until(lambda: run.phase() == "Gone" and run.closed(), WITHIN, "gone")


async def target(run: Run, kind: str = "Deployment", name: str = "web") -> dict[str, Any]:
    """A target as it is."""
    answer = await run.slot.must("GET", run.slot.path_of(kind, name))
    return answer.body


def of_the_catalogue(items: list[pytest.Item]) -> Iterator[Enactment]:
    """The re-enactments that tests ask for."""
    for item in items:
        mark = item.get_closest_marker("known_failure")
        if mark and mark.args[1] is not None:
            yield mark.args[1]
