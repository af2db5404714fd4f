"""A fault without a record: whether something of it is there, by a look at its target and at who has locked it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.undo.builders import LIMIT, NAMED_WEB, TARGET, deployment, injected

from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.state import FaultState
from kubedrill.core.undo.operations import FieldChange, SetFields
from kubedrill.core.undo.touches import planned_touches
from kubedrill.kube.client import Answer, Kube
from kubedrill.protocol.traces import traces_of
from kubedrill.store.undo_records import RecordRef, StoredRecord

WISH = SetFields(TARGET, (FieldChange(LIMIT, "32Mi", NAMED_WEB),))
OTHER = SetFields(TARGET, (FieldChange(LIMIT, "16Mi", NAMED_WEB),))
STARTED = FaultState("storm", FaultStep.STARTED, touches=planned_touches([WISH], {TARGET: deployment()}))


class Server(Kube):
    """An API server with one Deployment in a namespace; None: it can't be read."""

    def __init__(self, target: dict[str, Any] | None) -> None:
        self._target = target

    async def call(self, method: str, path: str, *args: object, **kwargs: object) -> Answer:  # noqa: ARG002
        if path != TARGET.path:
            return Answer(200, {"metadata": {"uid": "n1"}})
        return Answer(200, self._target) if self._target else Answer(500, {})


def locked_by_another(seen: dict[str, Any]) -> tuple[StoredRecord, dict[str, Any]]:
    """Another drill's record, made of what it saw, and the target with its fault in it."""
    record, broken = injected(seen, OTHER)
    record = replace(record, drill=replace(record.drill, uid="d2"))
    return StoredRecord(record, RecordRef("drills", record.name), "s2", "1"), broken


@pytest.mark.parametrize(
    ("target", "there"),
    [(deployment(), False), (injected(deployment(), WISH)[1], True), (None, None)],
    ids=["as it was", "with the fault in it", "not to be read"],
)
async def test_a_live_read_tells(target: dict[str, Any] | None, there: bool | None):
    assert await traces_of(Server(target), [STARTED], ()) == {"storm": there}


async def test_what_another_drill_has_locked_shows_that_drills_fault():
    other, broken = locked_by_another(deployment())

    assert await traces_of(Server(broken), [STARTED], [other]) == {"storm": False}


async def test_a_drill_that_took_the_fault_for_its_baseline_tells_that_it_is_in():
    """Its record was removed right after its injection, and another drill locked the target: it said Restored."""
    other, broken = locked_by_another(injected(deployment(), WISH)[1])

    assert await traces_of(Server(broken), [STARTED], [other]) == {"storm": True}
