"""Undo records as the API server stores them, and what they are about: for the commands that put back by hand."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.cli.fake_api import GROUP, FakeApi
from tests.undo.builders import NOON, deployment, injected

from kubedrill.core.evidence.facts import Interval
from kubedrill.core.undo.operations import Announce, Ask
from kubedrill.core.undo.record import Outcome, OutsideGroup, RecordState, UndoRecord, record_name, to_json

SECRETS = "/api/v1/namespaces/drills/secrets"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
DRILLS = f"{GROUP}/drills/drills"
PAGE = Announce("alertmanager.shop.svc", 9093, {"alertname": "CheckoutDown"}, {})
CABLE = Ask("pull the cable", "plug the cable in")


def undo_of(name: str = "web") -> str:
    """The name of the undo record of a Deployment."""
    return record_name("apps", "Deployment", "n1", name)


def undo_outside(operation: Announce | Ask, name: str) -> str:
    """The name of the undo record of something outside the API server."""
    return record_name("", type(operation).__name__, "", name)


def secret(record: UndoRecord) -> dict[str, Any]:
    data = {"record": base64.b64encode(to_json(record)).decode()}
    metadata = {"name": record.name, "namespace": "drills", "uid": f"uid-{record.name}", "resourceVersion": "1"}
    return {"metadata": metadata, "type": "kubedrill.dev/undo", "data": data}


def broken(api: FakeApi, name: str = "web") -> UndoRecord:
    """A Deployment with its memory limit lowered by drill `storm`, whose Drill is gone, and the record of it."""
    record, seen = injected(deployment(uid=f"u-{name}"))
    assert record.target is not None
    target = replace(record.target, name=name)
    record = replace(record, name=undo_of(name), target=target, subject=f"Deployment/{name}")
    seen["metadata"]["name"] = name
    api.put(DEPLOYMENTS, seen)
    for collection in ("replicasets", "deployments"):
        api.collections.setdefault(f"/apis/apps/v1/namespaces/shop/{collection}", {})
    if "shop" not in api.collections.get("/api/v1/namespaces", {}):
        api.put("/api/v1/namespaces", {"metadata": {"name": "shop", "uid": "n1"}})
    return stored(api, record)


def outside(api: FakeApi, operation: Announce | Ask, name: str) -> UndoRecord:
    """An operation that is no field of an object, done by drill `storm`, and the record of it."""
    record, _ = injected(deployment())
    groups = (OutsideGroup(name, operation),)
    return stored(
        api,
        replace(record, name=undo_outside(operation, name), subject=name, target=None, groups=groups, namespace_uid=""),
    )


def stored(api: FakeApi, record: UndoRecord) -> UndoRecord:
    """Its injection is done, and it stands in the cluster."""
    done = record.moved_to(RecordState.INJECTED, injected=Interval(NOON, NOON + timedelta(seconds=1)))
    api.put(SECRETS, secret(done))
    return done


def reverted(record: UndoRecord) -> UndoRecord:
    """The record when somebody else has put back what it tells of."""
    return record.moved_to(RecordState.REVERTED, outcome=Outcome("Watchdog", NOON, ()))


def limit_of(api: FakeApi, name: str = "web") -> str:
    """The memory limit of a Deployment now."""
    resources = api.collections[DEPLOYMENTS][name]["spec"]["template"]["spec"]["containers"][0]["resources"]
    return str(resources["limits"]["memory"])
