"""A rollout is let go once, whoever dies, waits or reverts in between; and the undo that follows is the same."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.clock.settable import Settable
from tests.model.processes import LOST, Run
from tests.model.server import Reply, Request, Store
from tests.undo.builders import LIMIT, NAMED_WEB, NOON, TARGET, deployment, entry, owning

from kubedrill.core.undo.operations import FieldChange, SetFields
from kubedrill.core.undo.pointers import put, read
from kubedrill.core.undo.record import DrillIdentity, RecordState, UndoRecord, from_json, record_name
from kubedrill.kube.client import Kube
from kubedrill.protocol.inject import inject
from kubedrill.protocol.outcomes import Reversal, RevertOutcome
from kubedrill.protocol.release import FAULT_IS_IN, NOTHING_HELD, RELEASED, release
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import RecordRef

REF = RecordRef("drills", record_name("apps", "Deployment", "shop-1", "web"))
READY, PROGRESS = "/spec/minReadySeconds", "/spec/progressDeadlineSeconds"
OWN = {READY: 5, PROGRESS: 120}
HELD = {READY: 330, PROGRESS: 390}
OWNERS = [entry("owner", owning("spec/minReadySeconds", "spec/progressDeadlineSeconds", "spec/template"))]
FAULT = SetFields(
    TARGET,
    (
        FieldChange(LIMIT, "32Mi", NAMED_WEB),
        *(FieldChange(path, value) for path, value in HELD.items()),
    ),
)
WRITES = ("record", "target", "splice", "record")
"""Of a release: what is about to be written, the fields, their owners, what was released."""
REFUSED = Reply(403, json.dumps({"code": 403, "reason": "Forbidden", "message": "policy says no", "details": {}}))


class Server:
    """The API server in small, with a workload that has a fault in it. `writes` are the kinds of writes since."""

    def __init__(self) -> None:
        target = deployment(request=None, minReadySeconds=OWN[READY], progressDeadlineSeconds=OWN[PROGRESS])
        target["metadata"] = {"namespace": "shop", "generation": 1, "managedFields": OWNERS}
        spaces = Store({}).created("/api/v1/namespaces/shop", {}).created("/api/v1/namespaces/drills", {})
        self.store = spaces.created(TARGET.path, target)
        self.refused = ""
        self.writes: list[str] = []
        self.to_its_end(Run(injected))
        assert self.record is not None
        assert self.record.state is RecordState.INJECTED
        self.to_its_end(Run(gave_back))
        self.writes.clear()

    @property
    def target(self) -> dict[str, Any]:
        found = self.store.read(TARGET.path)
        assert found is not None
        return found

    @property
    def record(self) -> UndoRecord | None:
        secret = self.store.read(REF.path)
        return from_json(base64.b64decode(secret["data"]["record"])) if secret else None

    @property
    def rollout(self) -> dict[str, Any]:
        return {path: read(self.target, path) for path in OWN}

    @property
    def managers(self) -> set[str]:
        return {e["manager"] for e in self.target["metadata"]["managedFields"]}

    def answer(self, run: Run, *, lost: bool = False) -> None:
        """The next request of a process is done and answered, or its answer lost."""
        request = run.requests[0]
        kind = "record" if "/secrets" in request.path else "target"
        kind = "splice" if "/metadata/managedFields" in request.body else kind
        if request.method != "GET":
            self.writes.append(kind)
            if kind == self.refused:
                run.go_on(0, REFUSED)
                return
        self.store, reply = self.store.served(request)
        run.go_on(0, LOST if lost else reply)

    def to_its_end(self, run: Run) -> Any:
        while run.requests:
            self.answer(run)
        return run.result

    def until(self, run: Run, writes: int) -> Run:
        """A process until so many of its writes are done."""
        done = len(self.writes)
        while run.requests and len(self.writes) - done < writes:
            self.answer(run)
        return run

    def people(self, fields: dict[str, Any]) -> None:
        """Somebody's change."""
        wanted = self.target
        for path, value in fields.items():
            put(wanted, path, value)
        query = (("fieldManager", "kubectl-edit"),)
        body = json.dumps({"spec": wanted["spec"]})
        edit = Request("PATCH", TARGET.path, body, "application/merge-patch+json", query)
        self.store, reply = self.store.served(edit)
        assert reply.status == 200


async def injected(kube: Kube) -> Any:
    drill = DrillIdentity("d1", "storm", "drills", "shop")
    return await inject(kube, drill, {"limit": (FAULT,)}, NOON + timedelta(hours=1), Settable(NOON))


async def gave_back(kube: Kube) -> Any:
    """A second call finds it in; so the ownership of the first is given back for sure."""
    return await injected(kube)


async def released(kube: Kube) -> RevertOutcome:
    return await release(kube, REF)


async def reverted(kube: Kube) -> RevertOutcome:
    return await revert(kube, REF, "Watchdog", Settable(NOON))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def repaired(server: Server) -> Server:
    """Somebody has raised the limit."""
    server.people({LIMIT: "96Mi"})
    return server


def test_the_fault_holds_the_rollout(server: Server):
    assert server.rollout == HELD


def test_while_the_fault_is_in_nothing_is_written(server: Server):
    assert server.to_its_end(Run(released)).reason == FAULT_IS_IN
    assert server.writes == []


def test_a_repair_gets_the_workloads_own_strategy_and_keeps_what_it_made(repaired: Server):
    outcome = repaired.to_its_end(Run(released))
    assert (outcome.state, outcome.reason) == (Reversal.REVERTED, RELEASED)
    assert repaired.rollout == OWN
    assert read(repaired.target, LIMIT) == "96Mi"
    assert repaired.writes == list(WRITES)


def test_the_record_stays_open_and_tells_what_was_released(repaired: Server):
    repaired.to_its_end(Run(released))
    assert repaired.record is not None
    assert repaired.record.state is RecordState.INJECTED
    assert repaired.record.released == tuple(HELD)


def test_nobody_owns_a_field_afterwards_who_did_not_before(repaired: Server):
    before = repaired.managers
    repaired.to_its_end(Run(released))
    assert repaired.managers == before


def test_a_second_release_writes_nothing(repaired: Server):
    repaired.to_its_end(Run(released))
    repaired.writes.clear()
    assert repaired.to_its_end(Run(released)).reason == NOTHING_HELD
    assert repaired.writes == []


def test_what_somebody_made_of_the_strategy_is_kept(repaired: Server):
    repaired.people({READY: 30})
    repaired.to_its_end(Run(released))
    assert repaired.rollout == OWN | {READY: 30}


def test_a_strategy_that_came_back_with_the_repair_is_only_noted(repaired: Server):
    repaired.people(OWN)
    repaired.to_its_end(Run(released))
    assert repaired.writes == ["record"]
    assert repaired.record is not None
    assert repaired.record.released == tuple(HELD)


def test_the_later_revert_reports_what_was_released_as_restored(repaired: Server):
    repaired.to_its_end(Run(released))
    outcome = repaired.to_its_end(Run(reverted))
    assert {f.path: f.outcome for f in outcome.fields} == {
        LIMIT: "Superseded",
        READY: "Restored",
        PROGRESS: "Restored",
    }


@pytest.mark.parametrize("writes", range(len(WRITES) + 1))
def test_an_operator_that_dies_at_any_write_leaves_the_rest_to_the_next(repaired: Server, writes: int):
    repaired.until(Run(released), writes)
    repaired.to_its_end(Run(released))
    assert repaired.rollout == OWN
    assert repaired.record is not None
    assert repaired.record.released == tuple(HELD)
    assert not [m for m in repaired.managers if m.startswith("manager-")]


@pytest.mark.parametrize("which", range(len(WRITES)))
def test_an_answer_that_is_lost_is_asked_for_again(repaired: Server, which: int):
    run = repaired.until(Run(released), which)
    while run.requests and run.requests[0].method == "GET":
        repaired.answer(run)
    repaired.answer(run, lost=True)
    assert repaired.to_its_end(run).state is Reversal.RETRY
    repaired.to_its_end(Run(released))
    assert repaired.rollout == OWN
    assert repaired.record is not None
    assert repaired.record.released == tuple(HELD)


@pytest.mark.parametrize("other", [released, reverted], ids=["a second operator", "the watchdog"])
@pytest.mark.parametrize("writes", range(len(WRITES) + 1))
def test_one_that_was_frozen_at_any_write_does_no_harm_when_it_goes_on(repaired: Server, writes: int, other: Any):
    frozen = repaired.until(Run(released), writes)
    repaired.to_its_end(Run(other))
    repaired.to_its_end(frozen)
    assert repaired.rollout == OWN
    assert read(repaired.target, LIMIT) == "96Mi"
    assert not [m for m in repaired.managers if m.startswith("manager-")]
    assert repaired.record is not None
    assert repaired.record.state is (RecordState.REVERTED if other is reverted else RecordState.INJECTED)


@pytest.mark.parametrize("writes", range(4))
def test_a_watchdog_that_was_frozen_in_its_revert_goes_on_after_a_release(repaired: Server, writes: int):
    frozen = repaired.until(Run(reverted), writes)
    repaired.to_its_end(Run(released))
    repaired.to_its_end(frozen)
    assert repaired.rollout == OWN
    assert repaired.record is not None
    assert repaired.record.state is RecordState.REVERTED


@pytest.mark.parametrize("writes", range(len(WRITES) + 1))
def test_somebody_who_brings_the_fault_back_meanwhile_gets_it_put_back_at_the_end(repaired: Server, writes: int):
    frozen = repaired.until(Run(released), writes)
    repaired.people({LIMIT: "32Mi"})
    repaired.to_its_end(frozen)
    repaired.to_its_end(Run(reverted))
    assert repaired.rollout == OWN
    assert read(repaired.target, LIMIT) == "128Mi"


@pytest.mark.parametrize("kind", ["record", "target", "splice"])
def test_a_refusal_is_told_and_takes_nothing_from_the_undo(repaired: Server, kind: str):
    repaired.refused = kind
    outcome = repaired.to_its_end(Run(released))
    assert outcome.state is not Reversal.REVERTED
    repaired.refused = ""
    assert repaired.to_its_end(Run(reverted)).state is Reversal.REVERTED
    assert repaired.rollout == OWN
