"""A Secret that is no undo record of ours is never carried out, never deleted, and never taken for nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.protocol.small_server import Server
from tests.protocol.small_server import injected as injecting
from tests.undo.builders import LIMIT, NOON, TARGET, UNDO, deployment, record_of
from tests.watchdog.wire import SECRETS, Cluster, standing

from kubedrill.core.undo.pointers import read
from kubedrill.core.undo.record import DrillIdentity, to_json
from kubedrill.kube.client import Kube
from kubedrill.protocol.exclusion import in_the_way
from kubedrill.protocol.outcomes import Injection, Reversal
from kubedrill.protocol.revert import revert
from kubedrill.store.undo_records import (
    DRILL_UID,
    TARGET_NAMESPACE,
    NotGenuine,
    RecordRef,
    UnreadableRecord,
    list_records,
)
from kubedrill.store.undo_records import read as read_record

REF = RecordRef("drills", UNDO)


class StillNoon:
    error = NOON - NOON

    def now(self):
        return NOON


@pytest.fixture
async def wire() -> AsyncIterator[tuple[Cluster, Kube]]:
    """A fault that is in, and its record."""
    async with standing() as (cluster, kube):
        cluster.fault()
        yield cluster, kube


def holding(text: bytes) -> Callable[[dict[str, Any]], None]:
    return lambda secret: secret["data"].update(record=base64.b64encode(text).decode())


def with_fields(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """The stored form with something else in it."""

    def damage(secret: dict[str, Any]) -> None:
        stored = json.loads(base64.b64decode(secret["data"]["record"]))
        secret["data"]["record"] = base64.b64encode(json.dumps(stored | changes).encode()).decode()

    return damage


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no data": lambda secret: secret.pop("data"),
    "another key": lambda secret: secret.update(data={"other": ""}),
    "not base64": lambda secret: secret["data"].update(record="%"),
    "not JSON": holding(b"{"),
    "a list": holding(b"[]"),
    "nested without end": holding(b"[" * 9000),
    "an operation of another version": with_fields(groups=[{"fault": "limit", "operation": {"newField": 1}}]),
    "a later version": with_fields(version=2),
    "another target": with_fields(
        target={
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "plural": "deployments",
            "namespace": "bank",
            "name": "vault",
        }
    ),
    "another drill than its label says": lambda secret: secret["metadata"].update(labels={DRILL_UID: "d2"}),
}
damaged = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)


@damaged
async def test_f2_what_can_not_be_read_is_listed_with_why(wire: tuple[Cluster, Kube], damage):
    cluster, kube = wire
    damage(cluster.objects[f"{SECRETS}/{UNDO}"])
    listing = await list_records(kube, "drills")
    assert not listing.readable
    (found,) = listing.unreadable
    assert (found.ref, bool(found.why)) == (REF, True)
    with pytest.raises(NotGenuine):
        await read_record(kube, REF)


@damaged
async def test_f2_what_can_not_be_read_is_not_put_back_and_not_touched(wire: tuple[Cluster, Kube], damage):
    cluster, kube = wire
    damage(cluster.objects[f"{SECRETS}/{UNDO}"])
    outcome = await revert(kube, REF, "Operator", StillNoon())
    assert (outcome.state, outcome.reason) == (Reversal.STALLED, "RecordUnreadable")
    assert not cluster.writes


async def test_whose_it_is_its_labels_tell(wire: tuple[Cluster, Kube]):
    cluster, kube = wire
    secret = cluster.objects[f"{SECRETS}/{UNDO}"]
    secret["metadata"]["labels"] = {DRILL_UID: "d1", TARGET_NAMESPACE: "shop"}
    secret.pop("data")
    (found,) = (await list_records(kube, "drills", "d1")).unreadable
    assert (found.drill_uid, found.target_namespace) == ("d1", "shop")
    assert not await list_records(kube, "drills", "d2")


async def test_f4_a_secret_of_another_type_is_no_record_whatever_is_in_it(wire: tuple[Cluster, Kube]):
    cluster, kube = wire
    cluster.objects[f"{SECRETS}/{UNDO}"]["type"] = "Opaque"
    outcome = await revert(kube, REF, "Operator", StillNoon())
    assert (outcome.state, outcome.reason) == (Reversal.STALLED, "RecordNameTaken")
    assert f"kubectl delete secret {UNDO} -n drills" in outcome.message
    assert not cluster.writes


async def test_another_record_under_the_name_of_the_one_that_was_judged_is_left_alone(wire: tuple[Cluster, Kube]):
    cluster, kube = wire
    (judged,) = (await list_records(kube, "drills")).readable
    with_fields(subject="Deployment/other")(cluster.objects[f"{SECRETS}/{UNDO}"])
    outcome = await revert(kube, judged, "Operator", StillNoon())
    assert (outcome.state, outcome.reason) == (Reversal.RETRY, "RecordReplaced")
    assert not cluster.writes


def planted(server: Server, data: dict[str, str] | None, kind: str = "Opaque") -> None:
    """Somebody has made a Secret where the lock of the Deployment will be."""
    metadata = {"name": UNDO, "namespace": "drills", "uid": "x", "resourceVersion": "1"}
    server.secrets[UNDO] = {"metadata": metadata, "type": kind} | ({"data": data} if data is not None else {})


def forged() -> dict[str, str]:
    """What looks like an intent of this very drill, on a Deployment of somebody else's."""
    record = record_of(deployment())
    record = replace(record, target=replace(TARGET, namespace="bank", name="vault"))
    return {"record": base64.b64encode(to_json(record)).decode()}


@pytest.mark.parametrize(
    "data",
    [forged(), {"record": base64.b64encode(to_json(record_of(deployment()))).decode()}],
    ids=["another target", "this target"],
)
async def test_f4_a_forged_intent_in_the_locks_place_is_refused_and_not_carried_out(data: dict[str, str]):
    server = Server()
    planted(server, data)
    outcome = await injecting(server)
    assert outcome.state is Injection.REFUSED
    assert outcome.why is not None
    assert outcome.why.reason == "RecordNameTaken"
    assert "kubectl delete secret" in outcome.why.message
    assert read(server.target, LIMIT) == "128Mi"
    assert UNDO in server.secrets


async def test_f30_a_secret_without_data_in_the_locks_place_is_refused_in_plain_words():
    server = Server()
    planted(server, None)
    outcome = await injecting(server)
    assert outcome.why is not None
    assert (outcome.state, outcome.why.reason) == (Injection.REFUSED, "RecordNameTaken")


async def test_a_record_that_can_not_be_read_keeps_its_lock():
    server = Server()
    planted(server, {"record": "e30="}, "kubedrill.dev/undo")
    outcome = await injecting(server)
    assert outcome.why is not None
    assert (outcome.state, outcome.why.reason) == (Injection.REFUSED, "RecordUnreadable")
    assert read(server.target, LIMIT) == "128Mi"


@pytest.mark.parametrize(
    ("space", "refused"),
    [("shop", True), ("", True), ("bank", False)],
    ids=["on this namespace", "nobody knows where", "elsewhere"],
)
def test_a_record_that_can_not_be_read_is_in_the_way_of_those_whom_it_may_concern(space: str, refused: bool):
    drill = DrillIdentity("d1", "storm", "drills", "shop")
    mine = replace(record_of(deployment()), drill=drill)
    unread = UnreadableRecord(RecordRef("drills", "undo-odd"), "u", "1", "d2", space, "it is damaged")
    found = in_the_way(drill, [mine], [unread])
    assert (found is not None) is refused
    if found is not None:
        assert found.state is Injection.REFUSED
        assert "undo-odd can't be read" in found.message
