"""Somebody puts another plan under the name of the one that a drill has committed to."""

from __future__ import annotations

from typing import Final

from tests.model.people import AFTER, CONTROL, drill_at
from tests.model.server import Request, Store

FORGED: Final = 9
"""What the faults of a plan that is not the drill's make of the field."""


def forged(store: Store, drill: str) -> Store:
    """The store with another plan; as it is where the drill has committed to none."""
    found = store.read(drill_at(drill)) or {}
    name = ((found.get("status") or {}).get("plan") or {}).get("name", "")
    path = f"/api/v1/namespaces/{CONTROL}/configmaps/{name}"
    plan = store.read(path)
    if plan is None:
        return store
    text = plan["data"]["plan"].replace(f'"affected":{AFTER[drill]}', f'"affected":{FORGED}')
    removed, _ = store.served(Request("DELETE", path, "{}"))
    metadata = {k: v for k, v in plan["metadata"].items() if k not in {"uid", "resourceVersion"}}
    return removed.created(path, plan | {"metadata": metadata, "data": {"plan": text}})
