"""The watchdog and records that can't be read, were exchanged or have vanished: told, and nothing is let go for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.undo.builders import NOON, TARGET, UNDO
from tests.undo.builders import deployment as plain_deployment
from tests.watchdog.conftest import Hall
from tests.watchdog.wire import ASKED, DRILLS, SECRETS, status

from kubedrill.api.drill import ACCEPTS_UNVERIFIED
from kubedrill.api.drill_status import FaultStep
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import FaultState, State, state_to_wire
from kubedrill.core.undo.genuine import fingerprint
from kubedrill.core.undo.operations import Ask
from kubedrill.core.undo.record import FieldGroup, OutsideGroup, RecordState
from kubedrill.core.undo.touches import recorded_touches
from kubedrill.store.undo_records import DRILL_UID

STUCK = f'kubedrill_watchdog_undo_stuck{{record="{UNDO}"}} 1.0'
LABELLED = {DRILL_UID: "d1"}


def deleted(hall: Hall, step: FaultStep = FaultStep.INJECTED, closed: tuple[str, ...] = (), **notes: Any) -> None:
    """The Drill is being deleted, and its status tells of its fault as the operator has noted it."""
    hall.cluster.drill(deleted=NOON)
    record = hall.cluster.records()[UNDO]
    fault = FaultState(
        "storm",
        step,
        1,
        "Deployment/web",
        UNDO,
        fingerprint=fingerprint(record),
        touches=recorded_touches(record)["storm"],
    )
    drill = hall.cluster.objects[f"{DRILLS}/storm"]
    drill["status"] = {
        "machine": state_to_wire(State(Phase.RECOVERING, NOON, (replace(fault, **notes),), closed=closed))
    }


def secret(hall: Hall) -> dict[str, Any]:
    return hall.cluster.objects[f"{SECRETS}/{UNDO}"]


def is_there(hall: Hall) -> bool:
    return f"{DRILLS}/storm" in hall.cluster.objects


async def test_what_it_can_not_read_is_stuck_and_told_to_its_drill_once(hall: Hall):
    hall.cluster.drill()
    hall.cluster.fault()
    secret(hall)["metadata"]["labels"] = LABELLED
    secret(hall)["data"] = {"record": "e30="}
    await hall.looks(seconds=300, every=10, beating=True)
    assert STUCK in hall.metrics()
    (event,) = hall.cluster.events
    assert (event["reason"], event["regarding"]["name"]) == ("CannotPutBack", "storm")
    assert "RecordUnreadable" in event["note"]
    assert hall.cluster.limit == "32Mi"


@pytest.mark.parametrize("labels", [LABELLED, {}], ids=["its label tells", "its Drill has noted it"])
async def test_a_drill_is_not_let_go_while_a_record_of_it_can_not_be_read(hall: Hall, labels: dict[str, str]):
    hall.cluster.fault()
    deleted(hall)
    secret(hall)["metadata"]["labels"] = labels
    kept = secret(hall)["data"]
    secret(hall)["data"] = {"record": "e30="}
    await hall.looks(seconds=300, every=10)
    assert is_there(hall)
    secret(hall)["data"] = kept
    await hall.looks(seconds=60)
    assert hall.cluster.limit == "128Mi"
    assert not is_there(hall)
    assert STUCK not in hall.metrics()


async def test_a_drill_is_not_let_go_when_the_record_of_a_fault_that_is_in_has_vanished(hall: Hall):
    hall.cluster.fault()
    deleted(hall)
    del hall.cluster.objects[f"{SECRETS}/{UNDO}"]
    await hall.looks(seconds=300, every=10)
    assert is_there(hall)
    assert STUCK in hall.metrics()
    (event,) = hall.cluster.events
    assert "UndoUnverified" in event["note"]
    assert "Restore by hand" in event["note"]


async def test_it_goes_once_a_look_at_the_target_shows_nothing_of_the_fault(hall: Hall):
    hall.cluster.fault()
    deleted(hall)
    del hall.cluster.objects[f"{SECRETS}/{UNDO}"]
    await hall.looks(seconds=60)
    hall.cluster.put(TARGET.path, plain_deployment())
    await hall.looks(seconds=10)
    assert not is_there(hall)


async def test_it_stays_while_the_target_can_not_be_read(hall: Hall):
    hall.cluster.fault()
    deleted(hall)
    del hall.cluster.objects[f"{SECRETS}/{UNDO}"]
    hall.cluster.put(TARGET.path, plain_deployment())
    hall.cluster.answering = lambda request: status(500) if request.path == TARGET.path else None
    await hall.looks(seconds=300, every=10)
    assert is_there(hall)


async def test_it_goes_when_somebody_has_accepted_it(hall: Hall):
    hall.cluster.fault()
    deleted(hall)
    del hall.cluster.objects[f"{SECRETS}/{UNDO}"]
    hall.cluster.objects[f"{DRILLS}/storm"]["metadata"]["annotations"] = {ACCEPTS_UNVERIFIED: "emma"}
    await hall.looks(seconds=60)
    assert not is_there(hall)


@pytest.mark.parametrize("step", [FaultStep.STARTED, FaultStep.REVERTING, FaultStep.UNVERIFIED])
async def test_whatever_the_step_a_fault_that_may_be_in_keeps_its_drill(hall: Hall, step: FaultStep):
    hall.cluster.fault()
    deleted(hall, step)
    del hall.cluster.objects[f"{SECRETS}/{UNDO}"]
    await hall.looks(seconds=120)
    assert is_there(hall)


async def test_a_record_that_was_closed_is_missed_by_nobody(hall: Hall):
    hall.cluster.fault()
    deleted(hall, FaultStep.REVERTING, closed=(UNDO,))
    del hall.cluster.objects[f"{SECRETS}/{UNDO}"]
    await hall.looks(seconds=60)
    assert not is_there(hall)


async def test_a_drill_whose_status_says_nothing_sensible_is_not_let_go(hall: Hall):
    hall.cluster.drill(deleted=NOON)
    hall.cluster.objects[f"{DRILLS}/storm"]["status"] = {"machine": {"phase": "Dancing"}}
    await hall.looks(seconds=120)
    assert is_there(hall)


async def test_a_record_that_was_exchanged_is_not_carried_out_until_it_is_as_it_was(hall: Hall):
    hall.cluster.fault()
    deleted(hall)
    record = hall.cluster.records()[UNDO]
    (group,) = record.groups
    assert isinstance(group, FieldGroup)
    forged = replace(group, fields=(replace(group.fields[0], before="9Gi"), *group.fields[1:]))
    hall.cluster.record(replace(record, groups=(forged,)))
    await hall.looks(seconds=120)
    assert hall.cluster.limit == "32Mi"
    assert is_there(hall)
    assert STUCK in hall.metrics()
    hall.cluster.record(record)
    await hall.looks(seconds=60)
    assert hall.cluster.limit == "128Mi"
    assert not is_there(hall)


async def test_the_drill_goes_before_its_records_so_that_nobody_finds_one_missing(hall: Hall):
    hall.cluster.fault()
    hall.cluster.ask(OutsideGroup("plug", Ask("pull the plug", "restore it")))
    for name, record in hall.cluster.records().items():
        if name == ASKED:
            hall.cluster.record(record.moved_to(RecordState.REVERTED))
    deleted(hall)
    while is_there(hall):
        assert len(hall.cluster.records()) == 2
        await hall.looks()
    await hall.looks(seconds=4)
    assert not hall.cluster.records()
