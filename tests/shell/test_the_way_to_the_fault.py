"""From the checks to the injection nothing is asked twice, and what was not asked again can't be acted upon."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.machine.world import seen

from kubedrill.api.drill import FINALIZER
from kubedrill.controller import turn
from kubedrill.controller.execute import Executor
from kubedrill.controller.gathering import FactInbox
from kubedrill.controller.settings import OperatorSettings
from kubedrill.controller.turn import Turns
from kubedrill.core.machine.state import Observation
from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.clock import ServerClock
from kubedrill.kube.informers import Informers

DRILL = "/apis/kubedrill.dev/v1alpha1/namespaces/drills/drills/storm"


class Server(Kube):
    """One Drill. `asked` are the requests; a status of another version than the stored one is a 409."""

    def __init__(self) -> None:
        self.version = 1
        self.finalizers: list[str] = []
        self.status: dict[str, Any] = {}
        self.asked: list[str] = []

    def drill(self) -> dict[str, Any]:
        meta = {
            "name": "storm",
            "namespace": "drills",
            "uid": "d1",
            "resourceVersion": str(self.version),
            "finalizers": list(self.finalizers),
        }
        return {"metadata": meta, "spec": {"targetNamespace": "shop"}, "status": self.status}

    async def call(self, method: str, path: str, body: Any = None, **_more: Any) -> Answer:
        self.asked.append(f"{method} {path.removeprefix(DRILL) or 'drill'}" if path.startswith(DRILL) else _what(path))
        if not path.startswith(DRILL) or method == "GET":
            return Answer(200, self.drill())
        if path.endswith("/status"):
            if body["metadata"]["resourceVersion"] != str(self.version):
                return Answer(409, {})
            self.status = body["status"]
        else:
            self.finalizers = [FINALIZER]
        self.version += 1
        return Answer(200, self.drill())


def _what(path: str) -> str:
    return "plan" if path.endswith("/configmaps") else "Event"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def turns(server: Server, monkeypatch: pytest.MonkeyPatch) -> Turns:
    """The turns of a drill that is fit; what it injects is asked of nobody."""

    async def looked(_sources: Any, drill: dict[str, Any], *_more: Any, **_named: Any) -> Observation:
        return seen(finalizer=FINALIZER in drill["metadata"]["finalizers"])

    async def injected(*_anything: Any) -> tuple[tuple[()], bool]:
        server.asked.append("inject")
        return (), False

    monkeypatch.setattr(turn, "gather", looked)
    monkeypatch.setattr(Executor, "_inject", injected)
    clock = ServerClock(timedelta(0))
    informers = Informers(server, clock)
    return Turns(server, clock, OperatorSettings(), "storm", "d1", FactInbox(), lambda: None, informers)


async def test_the_answer_to_the_finalizer_is_the_drill_of_the_next_turn_and_events_come_after_the_injection(
    server, turns
):
    await turns.once()
    await turns.once()
    assert server.asked == [
        "GET drill",
        "PATCH /status",
        "PATCH drill",
        "plan",
        "PATCH /status",
        "inject",
        "Event",
        "Event",
    ]


async def test_a_drill_that_changed_since_that_answer_is_read_before_anything_is_injected(server, turns):
    await turns.once()
    server.version += 1  # somebody stops it
    await turns.once()
    assert server.asked[3:] == ["plan", "PATCH /status"]
    await turns.once()
    assert server.asked[5:8] == ["GET drill", "plan", "PATCH /status"]


async def test_a_turn_that_follows_no_write_of_its_own_reads_the_drill(server, turns):
    await turns.once()
    await turns.once()
    await turns.once()
    assert server.asked[8] == "GET drill"
