"""O3: nothing of ours is left anywhere: records, labels, owners, revisions, jobs, alerts, the Drill itself."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.request import urlopen

from tests.faultmatrix import shapes
from tests.faultmatrix.evidence import Evidence
from tests.faultmatrix.kubelet import FAULTED
from tests.faultmatrix.slot import Slot

OURS: Final = "manager-"


async def residue(seen: Evidence, now: dict[str, dict[str, Any]]) -> list[str]:
    """All that is left; `now` are the targets as they are."""
    found = [f"undo record {r['metadata']['name']}" for r in await seen.slot.records()]
    for name, here in now.items():
        meta = here.get("metadata", {})
        found += [f"{name} has label {k}" for k in meta.get("labels", {}) if k.startswith(OURS)]
        found += [f"{name} has annotation {k}" for k in meta.get("annotations", {}) if "kubedrill" in k]
        found += [
            f"{name} has an entry of {e['manager']}"
            for e in meta.get("managedFields") or ()
            if str(e.get("manager")).startswith((OURS, "kubedrill"))
        ]
    found += [f"Drill {name}" for name in seen.drills if await seen.slot.drill(name)]
    found += await _revisions(seen)
    found += await _jobs(seen.slot)
    if seen.plan.fault == "alert":
        found += _alerts(seen.slot)
    return found


async def _revisions(seen: Evidence) -> list[str]:
    """Revisions that would bring the fault back with the owner's next `rollout undo`."""
    found: list[str] = []
    targets = {name for _, name in shapes.targets_of(seen.plan.fault)}
    if seen.plan.expect.value == FAULTED or seen.plan.expect.untidy:
        return found
    for plural in ("replicasets", "controllerrevisions"):
        listed = await seen.slot.must("GET", f"/apis/apps/v1/namespaces/{seen.slot.target}/{plural}", also=(403, 404))
        for item in listed.body.get("items") or ():
            holder = item if "spec" in item else item.get("data") or {}
            owners = {owner["name"] for owner in item["metadata"].get("ownerReferences") or ()}
            if owners & targets and shapes.value_of(holder) == FAULTED:
                found.append(f"{plural} {item['metadata']['name']} carries the fault")
    return found


async def _jobs(slot: Slot) -> list[str]:
    """Fake jobs in the queue or in a worker's hands; a mark that never ends."""
    found = []
    async with slot.redis() as redis:
        async for key in redis.scan_iter(match=f"*{slot.target}:*"):
            kind = await redis.type(key)
            if kind == "list":
                fakes = [job for job in await redis.lrange(key, 0, -1) if '"drill-' in job]
                found += [f"{len(fakes)} fake jobs in {key}"] if fakes else []
        async for key in redis.scan_iter(match="*drill*"):
            if await redis.ttl(key) == -1:
                found.append(f"the mark {key} never ends")
    return found


def _alerts(slot: Slot) -> list[str]:
    """Alerts that still burn in the target namespace."""
    url = f"http://127.0.0.1:{slot.services.alertmanager}/api/v2/alerts?active=true"
    with urlopen(url, timeout=5) as answer:
        alerts = json.loads(answer.read())
    burning = [a["labels"] for a in alerts if a["labels"].get("namespace") == slot.target]
    return [f"alert {labels['alertname']} is active" for labels in burning]
