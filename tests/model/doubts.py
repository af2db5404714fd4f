"""Somebody with the break-glass right removes an undo record, or writes into it what nobody can read, and mends it."""

from __future__ import annotations

import base64
import json
from typing import Final

from tests.model.people import CONTROL, target
from tests.model.server import Request, Store

from kubedrill.core.undo.record import from_json
from kubedrill.kube.client import MERGE_PATCH

DAMAGED: Final = "bm90aGluZw=="
SECRETS: Final = f"/api/v1/namespaces/{CONTROL}/secrets"


def record_path(store: Store, name: str) -> str:
    """Where the record of a target is stored; empty where there is none that can be read."""
    for secret in store.below(SECRETS):
        stored = secret["data"]["record"]
        if stored != DAMAGED and from_json(base64.b64decode(stored)).target == target(name):
            return f"{SECRETS}/{secret['metadata']['name']}"
    return ""


def removed(store: Store, path: str) -> Store:
    """The store without a record."""
    return store.served(Request("DELETE", path, "{}"))[0]


def damaged(store: Store, path: str) -> tuple[Store, str]:
    """The store with a record that says nothing, and what it had said."""
    before = store.read(path)
    assert before is not None
    return written(store, path, DAMAGED), before["data"]["record"]


def written(store: Store, path: str, data: str) -> Store:
    """The store with a record that says this, if it is still there."""
    body = json.dumps({"data": {"record": data}})
    return store.served(Request("PATCH", path, body, MERGE_PATCH))[0]
