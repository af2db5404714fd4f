"""What a fault does is planned from what is there when it is injected, however long ago the drill was checked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from aiohttp import web
from tests.faults.builders import deployment
from tests.giving_up.lab import Lab, standing
from tests.observers.builders import ERRORS, measured
from tests.shell.test_a_held_drill_holds_no_watch import EVERYTHING, REVIEWS, SPACE
from tests.undo.builders import TARGET

from kubedrill.controller.gathering import MonitoringProbe, Probe
from kubedrill.core.machine.phases import Phase
from kubedrill.core.undo.operations import Operation, SetFields
from kubedrill.protocol.outcomes import Injection, InjectionOutcome, TargetInjection

SETTLED = {"target": {"kind": "Deployment", "name": "web"}, "container": "main", "limit": "64Mi", "affected": 1}
BUSY = TargetInjection("Deployment/web", ("storm",), Injection.PENDING, "ServerBusy", "busy")
SQUEEZE = {
    "title": "A storm",
    "expectedAlerts": [{"name": "Errors"}],
    "faults": [{"name": "storm", "memoryLimit": {key: SETTLED[key] for key in ("target", "container", "limit")}}],
}
Wanted = Mapping[str, Sequence[Operation]]


class Hands:
    """Those who would inject: they are asked to, and the API server lets nobody in."""

    def __init__(self) -> None:
        self.asked: list[Wanted] = []

    async def inject(self, _kube: Any, _drill: Any, operations: Wanted, *_: Any, **__: Any) -> InjectionOutcome:
        self.asked.append(operations)
        return InjectionOutcome((BUSY,))

    @property
    def paths(self) -> list[str]:
        """What the last call was to change."""
        (operation,) = self.asked[-1]["storm"]
        assert isinstance(operation, SetFields)
        return [change.path for change in operation.changes]


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    hands = Hands()
    monkeypatch.setattr("kubedrill.controller.execute.inject", hands.inject)
    return hands


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    """A drill that has started; of its fault there is neither a record nor a trace."""
    async with standing(monkeypatch) as lab:
        lab.in_play(phase="Armed", faults=[{"name": "storm", "step": "Started", "attempt": 1, "settled": SETTLED}])
        lab.task.inbox.drain()
        for path in [path for path in lab.cluster.objects if "/secrets/" in path]:
            del lab.cluster.objects[path]
        is_there(lab, deployment())
        yield lab


def is_there(lab: Lab, workload: dict[str, Any]) -> None:
    lab.cluster.put(TARGET.path, workload)


def beside_another(workload: dict[str, Any]) -> dict[str, Any]:
    """The workload with a sidecar before its container."""
    spec = workload["spec"]["template"]["spec"]
    spec["containers"] = [{"name": "proxy", "image": "proxy"}, *spec["containers"]]
    return workload


async def test_a_container_that_has_moved_while_it_waited_is_found_where_it_is_now(lab: Lab, hands: Hands):
    await lab.goes_on(2)
    before = hands.paths[0]
    is_there(lab, beside_another(deployment()))
    await lab.goes_on(2)
    assert before.startswith("/spec/template/spec/containers/0/")
    assert hands.paths[0].startswith("/spec/template/spec/containers/1/")


async def test_while_its_target_rolls_out_it_waits_and_says_so(lab: Lab, hands: Hands):
    rolling = deployment()
    rolling["status"] |= {"updatedReplicas": 0}
    is_there(lab, rolling)
    await lab.goes_on(3)
    assert hands.asked == []
    assert lab.state.phase is Phase.ARMED
    assert "is not settled" in lab.cluster.status["message"]
    is_there(lab, deployment())
    await lab.goes_on(3)
    assert hands.asked


async def test_a_target_that_can_not_be_hit_any_more_ends_the_drill_in_its_own_words(lab: Lab, hands: Hands):
    paused = deployment()
    paused["spec"]["paused"] = True
    is_there(lab, paused)
    await lab.goes_on(20)
    assert hands.asked == []
    assert lab.cluster.status["verdict"] == "Error"
    assert "is paused, so a change reaches no pod" in lab.cluster.status["message"]


async def test_what_its_undo_record_says_is_not_planned_again(lab: Lab, hands: Hands):
    lab.cluster.fault()
    await lab.goes_on(3)
    assert hands.asked == []


async def test_of_a_drill_that_was_held_it_is_what_is_there_at_its_start(monkeypatch: pytest.MonkeyPatch, hands: Hands):
    async with standing(monkeypatch, desired="Hold", scenario=SQUEEZE) as lab:
        fit(lab, monkeypatch)
        is_there(lab, deployment(status={"readyReplicas": 5}))
        await lab.goes_on(3)
        assert lab.state.phase is Phase.HELD, lab.cluster.status["message"]
        is_there(lab, beside_another(deployment(status={"readyReplicas": 5})))
        lab.cluster.passes(hours=5)
        lab.wanted("Run")
        await lab.goes_on(1)
        assert hands.paths[0].startswith("/spec/template/spec/containers/1/")


def fit(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing around the target keeps the drill from starting."""

    async def probed(self: MonitoringProbe, *_: object, **__: object) -> Probe:
        now = self._clock.now()
        return Probe(now, reachable=True, rules={"Errors": ERRORS}, impact=measured(0, now))

    monkeypatch.setattr(MonitoringProbe, "probe", probed)
    label = {"kubedrill.dev/control-namespace": "drills"}
    lab.cluster.put(SPACE, {"metadata": {"name": "shop", "uid": "n1", "labels": label}})
    lab.cluster.answering = lambda request: (
        web.json_response(EVERYTHING, status=201) if request.path == REVIEWS else None
    )
