"""A command that the API server refuses holds up none of the others, and counts as not done."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clock.settable import Settable
from tests.machine.world import seen
from tests.undo.builders import NOON

from kubedrill.api.drill import FINALIZER
from kubedrill.controller.execute import Executor
from kubedrill.controller.settings import OperatorSettings
from kubedrill.core.machine.commands import CloseRecord, RemoveFinalizer
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import State
from kubedrill.core.undo.record import DrillIdentity, RecordState, UndoRecord
from kubedrill.kube.client import Answer, Kube
from kubedrill.protocol.revert_tracker import STUCK_AFTER
from kubedrill.store.undo_records import RecordRef, StoredRecord

DRILL = {
    "metadata": {
        "uid": "d1",
        "name": "storm",
        "namespace": "drills",
        "finalizers": [FINALIZER],
        "resourceVersion": "1",
    },
    "spec": {"targetNamespace": "shop"},
}
COMMANDS = (CloseRecord("undo-1"), CloseRecord("undo-2"), RemoveFinalizer())


class Server(Kube):
    """Refuses whatever is asked of one record."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def call(self, method: str, path: str, *_: Any, **_more: Any) -> Answer:
        self.asked.append(f"{method} {path.rpartition('/')[2]}")
        return Answer(403, {"message": "forbidden"}) if path.endswith("undo-1") else Answer(200, DRILL)


def stored(name: str) -> StoredRecord:
    """A record whose outcome the Drill tells already."""
    record = UndoRecord(DrillIdentity("d1", "storm", "drills"), name, "Deployment/web", (), "manager-1", NOON, NOON)
    return StoredRecord(record.moved_to(RecordState.REVERTED), RecordRef("drills", name), f"uid-{name}", "1")


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def clock():
    return Settable(NOON)


@pytest.fixture
def actor(server: Server, clock: Settable):
    return Executor(server, clock, OperatorSettings())


async def carried_out(actor: Executor):
    observation = seen()
    decision = reduce(State(), observation)
    commanded = Decision(decision.state, decision.assessment, COMMANDS)
    return await actor.carry_out(DRILL, commanded, observation, {n: stored(n) for n in ("undo-1", "undo-2")})


async def test_the_others_are_carried_out_and_count(server: Server, actor: Executor):
    facts, again = await carried_out(actor)

    assert (facts, again) == ((), True)
    assert sorted(server.asked) == ["DELETE undo-1", "DELETE undo-2", "PATCH storm"]


async def test_a_record_that_cannot_be_closed_is_stuck_after_a_while(actor: Executor, clock: Settable):
    await carried_out(actor)
    clock.at += STUCK_AFTER

    assert list(actor.undoing.stuck(clock.now())) == ["undo-1"]
