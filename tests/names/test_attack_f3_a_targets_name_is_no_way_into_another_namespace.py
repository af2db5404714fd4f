"""F3: `memoryLimit.target.name: ../../other/deployments/web` broke another opted-in namespace, past its lock."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError
from tests.names.hostile import STRANGE, WAYS
from tests.undo.builders import deployment, injected
from tests.watchdog.conftest import Hall
from tests.watchdog.wire import SECRETS, standing

from kubedrill.core.paths import BadName
from kubedrill.core.undo.operations import Announce
from kubedrill.core.undo.record import OutsideGroup, RecordState, from_json, to_json
from kubedrill.plugins.faults import discover
from kubedrill.plugins.faults.memory_limit import MemoryLimit

OTHER = "../../other/deployments/web"
FORGED: dict[str, list[str]] = {
    "the target's name": ["target", "name"],
    "the target's namespace": ["target", "namespace"],
    "the target's plural": ["target", "plural"],
    "the target's version": ["target", "version"],
    "the target's group": ["target", "group"],
    "the drill's name": ["drill", "name"],
    "the drill's namespace": ["drill", "namespace"],
    "the drill's target namespace": ["drill", "target_namespace"],
}
"""Where an undo record, forged or of a version that let it through, may have a way instead of a name."""


@pytest.mark.parametrize("name", [*WAYS, *STRANGE], ids=ascii)
def test_f3_such_a_name_is_refused_by_the_model_and_by_the_target(name: str):
    target = {"kind": "Deployment", "name": name}
    with pytest.raises(ValidationError):
        MemoryLimit.model_validate({"target": target})


@pytest.mark.parametrize("name", WAYS, ids=ascii)
def test_f3_what_got_past_validation_still_makes_no_target(name: str):
    params = MemoryLimit.model_validate({"target": {"kind": "Deployment", "name": "web"}})
    past = params.model_copy(update={"target": params.target.model_copy(update={"name": name})})
    with pytest.raises(BadName):
        discover()["memoryLimit"].targets(past, "shop")


def test_f3_two_names_of_one_object_do_not_get_past_the_lock():
    """`web` and `./web` (H14) took two locks on one Deployment."""
    for name in ("./web", "web/", "../deployments/web", "../../shop/deployments/web"):
        with pytest.raises(ValidationError, match=r"target\.name"):
            MemoryLimit.model_validate({"target": {"kind": "Deployment", "name": name}})


def forged(place: list[str], name: str, record_name: str = "undo-forged") -> bytes:
    """A stored record that is good but for one name."""
    record, _ = injected(deployment())
    wire: dict[str, Any] = json.loads(to_json(record.moved_to(RecordState.INJECTED, name=record_name)))
    *steps, last = place
    holder = wire
    for step in steps:
        holder = holder[step]
    holder[last] = name
    return json.dumps(wire).encode()


@pytest.mark.parametrize("place", FORGED.values(), ids=FORGED)
def test_f3_a_record_with_a_way_in_it_can_not_be_read(place: list[str]):
    assert from_json(forged(place, "shop")).drill is not None
    for name in WAYS:
        if not name and place[-1] in ("group", "target_namespace"):
            continue  # the core's own group, and records of before it was stored
        with pytest.raises(ValueError, match=r"name|empty|Invalid|invalid|surrogate|hex escape"):
            from_json(forged(place, name))


def test_f3_a_record_of_an_alert_at_no_host_can_not_be_read():
    record, _ = injected(deployment())
    group = OutsideGroup("page", Announce("alertmanager.shop.svc", 9093, {"alertname": "Fire"}, {}))
    text = to_json(record.moved_to(RecordState.INJECTED, groups=(group,))).decode()
    assert from_json(text) is not None
    for host in ("elsewhere/x?", "user@elsewhere", "elsewhere:80/x", "elsewhere#", ""):
        with pytest.raises(ValueError, match="is no host"):
            from_json(text.replace("alertmanager.shop.svc", host))


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with standing() as (cluster, kube):
        yield Hall(cluster, kube)


@pytest.mark.parametrize("place", FORGED.values(), ids=FORGED)
async def test_f3_a_forged_record_is_not_carried_out_and_keeps_no_other_from_being_put_back(
    hall: Hall, place: list[str]
):
    asked: list[str] = []
    hall.cluster.answering = lambda request: asked.append(request.path)
    hall.cluster.drill(desired="Stop")
    hall.cluster.fault()
    data = {"record": base64.b64encode(forged(place, OTHER)).decode()}
    meta = {"name": "undo-forged", "namespace": "drills", "uid": "uid-forged"}
    hall.cluster.put(f"{SECRETS}/undo-forged", {"metadata": meta, "type": "kubedrill.dev/undo", "data": data})
    await hall.looks(seconds=60, beating=True)
    assert hall.cluster.limit == "128Mi"
    assert asked
    assert not [path for path in asked if "other" in path or ".." in path]
