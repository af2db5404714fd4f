"""A turn reads its drill's own undo records, however many drills are on; more only where one of its own is missing."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from tests.gather.server import Server
from tests.undo.builders import UNDO, deployment, record_of

from kubedrill.api.drill_status import FaultStep
from kubedrill.controller.gathering.own_records import records_for_a_turn
from kubedrill.core.machine.phases import Phase
from kubedrill.core.machine.state import FaultState, State
from kubedrill.core.undo.record import DrillIdentity, UndoRecord, record_name, to_json
from kubedrill.kube.client import Kube
from kubedrill.store.undo_records import DRILL_UID, RECORD_TYPE, TARGET_NAMESPACE, RecordError

SECRETS = "/api/v1/namespaces/drills/secrets"
DRILL = {"metadata": {"uid": "d1"}, "spec": {"targetNamespace": "shop"}}
IN_PLAY = State(phase=Phase.IN_PLAY, faults=(FaultState("storm", FaultStep.INJECTED, record=UNDO),))


def stored(server: Server, record: UndoRecord, **labels: str) -> None:
    """A record as the API server has it; `labels` are put in the place of what it was stored with."""
    space = record.target_namespace
    known = {DRILL_UID: record.drill.uid} | ({TARGET_NAMESPACE: space} if space else {})
    meta = {"name": record.name, "namespace": "drills", "uid": f"uid-{record.name}", "resourceVersion": "1"}
    server.objects[f"{SECRETS}/{record.name}"] = {
        "metadata": meta | {"labels": labels or known},
        "type": RECORD_TYPE,
        "data": {"record": base64.b64encode(to_json(record)).decode()},
    }


def of_another_drill(namespace: str = "bank") -> UndoRecord:
    """Another drill's record, on a target of another name."""
    mine = record_of(deployment())
    assert mine.target is not None
    target = replace(mine.target, namespace=namespace, name="vault")
    name = record_name(target.group, target.kind, mine.namespace_uid, target.name)
    drill = DrillIdentity("d2", "other", "drills", namespace)
    return replace(mine, drill=drill, target=target, name=name, subject="Deployment/vault")


async def names(kube: Kube, state: State, drill: dict[str, Any] = DRILL) -> frozenset[str]:
    return (await records_for_a_turn(kube, "drills", drill, state)).names


async def test_in_play_it_is_the_drills_own_in_one_request(server, kube):
    stored(server, record_of(deployment()))
    stored(server, of_another_drill())

    assert await names(kube, IN_PLAY) == {UNDO}
    assert server.asked == [f"GET {SECRETS}"]


async def test_one_that_has_lost_its_label_is_found_by_the_name_that_was_noted(server, kube):
    stored(server, record_of(deployment()), other="label")

    assert await names(kube, IN_PLAY) == {UNDO}
    assert server.asked == [f"GET {SECRETS}", f"GET {SECRETS}/{UNDO}"]


async def test_where_one_is_missing_whose_fault_may_be_in_all_are_read(server, kube):
    theirs = of_another_drill()
    stored(server, theirs)

    assert await names(kube, IN_PLAY) == {theirs.name}


async def test_one_that_was_closed_is_not_looked_for(server, kube):
    ended = State(
        phase=Phase.RECOVERING,
        faults=(FaultState("storm", FaultStep.REVERTED, record=UNDO),),
        closed=(UNDO,),
    )
    assert await names(kube, ended) == frozenset()
    assert server.asked == [f"GET {SECRETS}"]


async def test_a_secret_of_another_type_under_a_noted_name_is_none(server, kube):
    stored(server, record_of(deployment()), other="label")
    server.objects[f"{SECRETS}/{UNDO}"]["type"] = "Opaque"
    state = State(phase=Phase.HOT_WASH, faults=IN_PLAY.faults)

    assert await names(kube, state) == frozenset()


async def test_before_the_start_those_on_its_target_namespace_are_read_too(server, kube):
    here, elsewhere = of_another_drill("shop"), of_another_drill("bank")
    stored(server, here)
    assert await names(kube, State(phase=Phase.HELD)) == {here.name}

    server.objects.clear()
    stored(server, elsewhere)
    assert await names(kube, State(phase=Phase.HELD)) == frozenset()


async def test_before_the_start_those_that_do_not_say_where_they_are_on_are_read_too(server, kube):
    stored(server, of_another_drill("bank"), other="label")

    assert await names(kube, State(phase=Phase.HELD)) == {of_another_drill("bank").name}


async def test_a_target_namespace_that_is_none_asks_for_all(server, kube):
    stored(server, of_another_drill())
    hostile = {"metadata": {"uid": "d1"}, "spec": {"targetNamespace": "shop,!bank"}}

    assert await names(kube, State(), hostile) == {of_another_drill().name}


@pytest.mark.parametrize("refused", [SECRETS, f"{SECRETS}/{UNDO}"])
async def test_without_an_answer_nothing_is_concluded(server, kube, refused):
    server.refused[refused] = (403, {"message": "no"})

    with pytest.raises(RecordError):
        await records_for_a_turn(kube, "drills", DRILL, IN_PLAY)
