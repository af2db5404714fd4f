"""A release that can't be done is told as a stuck undo, tried again with patience, and holds up no revert."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clock.settable import Settable
from tests.machine.world import seen
from tests.undo.builders import LIMIT, NAMED_WEB, NOON, TARGET, UNDO, deployment, injected

from kubedrill.controller.execute import Executor
from kubedrill.controller.settings import OperatorSettings
from kubedrill.core.evidence.facts import Interval
from kubedrill.core.machine.commands import Release
from kubedrill.core.machine.reducer import Decision, reduce
from kubedrill.core.machine.state import State
from kubedrill.core.undo.operations import FieldChange, SetFields
from kubedrill.core.undo.pointers import put
from kubedrill.core.undo.record import RecordState
from kubedrill.kube.client import Answer, Kube
from kubedrill.store import undo_records
from kubedrill.store.undo_records import RecordRef, StoredRecord

FAULT = SetFields(TARGET, (FieldChange(LIMIT, "32Mi", NAMED_WEB), FieldChange("/spec/minReadySeconds", 330)))


class Server(Kube):
    """A repaired workload whose record nobody may write."""

    def __init__(self) -> None:
        record, self.target = injected(deployment(request=None), FAULT)
        put(self.target, LIMIT, "96Mi")
        record = record.moved_to(RecordState.INJECTED, injected=Interval(NOON, NOON))
        self.stored = StoredRecord(record, RecordRef("drills", UNDO), "s1", "1")
        self.asked: list[str] = []

    async def call(self, method: str, path: str, *_: Any, **_more: Any) -> Answer:
        self.asked.append(f"{method} {path.rpartition('/')[2]}")
        if method == "PATCH":
            return Answer(403, {"message": 'User "operator" cannot patch resource "secrets"'})
        if path == TARGET.path:
            return Answer(200, self.target)
        data = undo_records._data(self.stored.record)
        metadata = {"name": UNDO, "namespace": "drills", "uid": "s1", "resourceVersion": "1"}
        return Answer(200, {"metadata": metadata, "type": undo_records.RECORD_TYPE, "data": data})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Settable:
    return Settable(NOON)


@pytest.fixture
def actor(server: Server, clock: Settable) -> Executor:
    return Executor(server, clock, OperatorSettings())


async def let_go(actor: Executor, server: Server) -> None:
    observation = seen()
    decision = reduce(State(), observation)
    commanded = Decision(decision.state, decision.assessment, (Release(UNDO),))
    await actor.carry_out({}, commanded, observation, {UNDO: server.stored})


async def test_a_refusal_is_told_at_once(actor: Executor, server: Server, clock: Settable):
    await let_go(actor, server)
    (told,) = actor.undoing.stuck(clock.now()).items()
    assert told[0] == f"{UNDO} (release)"
    assert "cannot patch" in told[1]


async def test_it_is_not_asked_again_before_its_time(actor: Executor, server: Server):
    await let_go(actor, server)
    server.asked.clear()
    await let_go(actor, server)
    assert server.asked == []


async def test_the_revert_is_due_whatever_became_of_the_release_and_ends_its_trouble(
    actor: Executor, server: Server, clock: Settable
):
    await let_go(actor, server)
    server.asked.clear()
    await actor.put_back(server.stored)
    assert server.asked
    assert f"{UNDO} (release)" not in actor.undoing.stuck(clock.now())
