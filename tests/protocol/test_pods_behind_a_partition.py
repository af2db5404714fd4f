"""A StatefulSet's controller leaves a pod behind the set's partition as it is after the undo: with the fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.undo.builders import LIMIT, NAMED_WEB, NOON, deployment, record_of

from kubedrill.core.undo.operations import FieldChange, SetFields, Target
from kubedrill.kube.client import Answer, Kube
from kubedrill.protocol.residue import clear_away

DB = Target("apps", "v1", "StatefulSet", "statefulsets", "shop", "db")
OWNED = {"ownerReferences": [{"uid": "u1", "controller": True}]}


class Server(Kube):
    """A set of three pods, the last of them with the fault, and ready."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def call(self, method: str, path: str, *_: Any, **_more: Any) -> Answer:
        if method == "DELETE":
            self.deleted.append(path.rpartition("/")[2])
            return Answer(200, {})
        metadata = OWNED | {"uid": "x", "resourceVersion": "1"}
        if path.endswith("controllerrevisions"):
            made = {"name": "db-bad", "creationTimestamp": NOON.isoformat()}
            faulted = deployment("32Mi", request=None)["spec"]
            return Answer(200, {"items": [{"metadata": metadata | made, "data": {"spec": faulted}}]})
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        return Answer(200, {"items": [{"metadata": metadata | {"name": "db-2"}, "status": ready}]})


def the_set(partition: int, start: int = 0) -> dict[str, Any]:
    seen = deployment(request=None)
    seen["spec"] |= {"updateStrategy": {"rollingUpdate": {"partition": partition}}, "ordinals": {"start": start}}
    return seen


async def cleared(seen: dict[str, Any]) -> list[str]:
    """What is deleted once the fields are back."""
    fault = SetFields(DB, (FieldChange(LIMIT, "32Mi", NAMED_WEB),))
    record = replace(record_of(seen, fault), target=DB)
    server = Server()
    await clear_away(server, record, seen, patient=True)
    return server.deleted


@pytest.mark.parametrize(("partition", "start"), [(3, 0), (9, 0), (2, 1)])
async def test_it_is_deleted_so_that_it_comes_back_as_it_was(partition: int, start: int):
    assert await cleared(the_set(partition, start)) == ["db-2"]


@pytest.mark.parametrize(("partition", "start"), [(0, 0), (2, 0), (1, 1)])
async def test_one_that_the_controller_replaces_is_left_to_it(partition: int, start: int):
    assert await cleared(the_set(partition, start)) == []
