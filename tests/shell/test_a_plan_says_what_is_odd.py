"""What can be done and may not be what was meant is said with the dry run, and refuses nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.machine.world import World
from tests.reverters.builders import jobs

from kubedrill.controller.injection_plan import InjectionPlan
from kubedrill.controller.rehearsal import CHECK, rehearsed
from kubedrill.core.undo.operations import Enqueue
from kubedrill.protocol.outcomes import Injection, TargetInjection

DRILL: dict[str, Any] = {
    "metadata": {"uid": "d1", "name": "flood", "namespace": "drills"},
    "spec": {"targetNamespace": "shop"},
}
NO_SUCH_TARGET = TargetInjection("queue", ("flood",), Injection.REFUSED, "QueueNotFound", "there is none")


class OddQueue:
    """Its remarks, and how often it was asked for them."""

    asked = 0

    async def remarks(self, _operation: Enqueue) -> tuple[str, ...]:
        self.asked += 1
        return ("there is no list jobs",)


async def tried(monkeypatch: pytest.MonkeyPatch, queue: OddQueue, *refused: TargetInjection) -> Any:
    async def rehearse(*_: Any, **__: Any) -> tuple[TargetInjection, ...]:
        return refused

    monkeypatch.setattr("kubedrill.controller.rehearsal.rehearse", rehearse)
    plan, reverters = InjectionPlan({"flood": (jobs(6379),)}), {Enqueue: queue}
    seen = await rehearsed(None, DRILL, World().look(), plan, None, reverters)  # type: ignore[arg-type]
    return next(check for check in seen.checks if check.name == CHECK)


async def test_d9_what_is_odd_is_a_note(monkeypatch):
    check = await tried(monkeypatch, OddQueue())

    assert (check.ok, check.message) == (True, "there is no list jobs")


async def test_of_what_is_refused_nothing_more_is_asked(monkeypatch):
    queue = OddQueue()
    check = await tried(monkeypatch, queue, NO_SUCH_TARGET)

    assert (check.ok, check.message, queue.asked) == (False, "there is none", 0)
