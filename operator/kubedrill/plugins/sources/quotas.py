"""Quotas' watch events: one that leaves no room, who changes one, and that somebody removes one.

The time is when an event was received, less the longest that a watch lags; a change is narrowed by the whole second in
`managedFields`. Who has removed an object no watch tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from kubedrill.api.quantities import parse_quantity
from kubedrill.core.evidence.attribution import Standing, who_is
from kubedrill.core.evidence.facts import Fact, FactKind, Source
from kubedrill.core.evidence.timestamps import Received, instant
from kubedrill.core.plan.drill_plan import FIELD_MANAGER
from kubedrill.kube.paths import RESOURCE_QUOTAS
from kubedrill.kube.watch import WatchEvent
from kubedrill.plugins.fields import REMOVED, Difference, differences, writer
from kubedrill.plugins.sources.base import How, SourceKind, Watched, each

Quota = Mapping[str, Any]
MOST_CHANGES: Final = 40


def facts_of(event: str, quota: Quota, receipt: Received, before: Quota | None = None) -> tuple[Fact, ...]:
    """What one event (ADDED, MODIFIED, DELETED) tells of a quota; `before` is how it was told last."""
    if event == "DELETED":
        gone = Difference(REMOVED, "metadata.name", str(quota["metadata"]["name"]), None)
        return (_change(quota, gone, None, receipt),)
    return (*_changes(quota, before, receipt), *_used_up(quota, receipt))


def _changes(quota: Quota, before: Quota | None, receipt: Received) -> tuple[Fact, ...]:
    """The fields that somebody has changed: the drill itself makes a quota and removes it, and changes none."""
    if before is None or before["metadata"]["uid"] != quota["metadata"]["uid"]:
        return ()
    entries = before["metadata"].get("managedFields") or (), quota["metadata"].get("managedFields") or ()
    found = differences(before.get("spec"), quota.get("spec"), "/spec", "spec")
    told = [_change(quota, one, writer(*entries, one.pointer, quota), receipt) for one in found]
    return tuple(told[:MOST_CHANGES])


def _used_up(quota: Quota, receipt: Received) -> Iterator[Fact]:
    """That none is left of at least one of its limits, by the API server's own count."""
    status, meta = quota.get("status") or {}, quota["metadata"]
    hard, used = status.get("hard") or {}, status.get("used") or {}
    wanted = (quota.get("spec") or {}).get("hard") or {}
    full = sorted(r for r, limit in hard.items() if r in wanted and _reaches(used.get(r), limit))
    if not full:
        return
    told = ", ".join(f"{used[r]} of {hard[r]} {r}" for r in full)
    yield Fact(
        FactKind.QUOTA_REACHED,
        receipt.interval(),
        Source.TARGET_WATCH,
        f"quota/{meta['uid']}",
        evidence=f"{quota['kind']}/{meta['name']} leaves no room: {told} used",
        detail={"quota": str(meta["name"]), "resources": ", ".join(full)},
    )


def _reaches(used: Any, limit: Any) -> bool:
    with suppress(ValueError):
        return used is not None and parse_quantity(used) >= parse_quantity(limit)
    return False


def _change(quota: Quota, difference: Difference, entry: Mapping[str, Any] | None, receipt: Received) -> Fact:
    meta, target = quota["metadata"], f"{quota['kind']}/{quota['metadata']['name']}"
    manager, stamp = str((entry or {}).get("manager", "")), (entry or {}).get("time")
    told = f"by {manager}" if manager else "with no field manager"
    what = f"{difference.field}: {difference.before} → {difference.after}, {told}"
    version = meta.get("resourceVersion", "")
    return Fact(
        FactKind.TARGET_CHANGED,
        receipt.narrowed(instant(stamp) if stamp else None),
        Source.TARGET_WATCH,
        f"change/{meta['uid']}/{version}{difference.pointer}",
        evidence=f"{target} was removed" if difference.pointer == REMOVED else f"{target} {what}",
        detail={
            "target": target,
            "path": difference.pointer,
            "field": difference.field,
            "before": difference.before,
            "after": difference.after,
            "manager": manager,
            "automation": who_is(FIELD_MANAGER, manager, ()).standing is Standing.AUTOMATION,
            "change": f"{target}@{version}",
        },
    )


def _read(event: WatchEvent) -> tuple[Fact, ...]:
    return facts_of(event.type, event.object, event.receipt, event.before)


SOURCE: Final = SourceKind(
    name="quotas",
    how=How.WATCH,
    facts=frozenset({FactKind.QUOTA_REACHED, FactKind.TARGET_CHANGED}),
    bounds="the receipt, less the longest that a watch lags; a change narrowed by the second in managedFields",
    watches=(
        Watched(
            RESOURCE_QUOTAS,
            "ResourceQuota",
            (
                "metadata.name",
                "metadata.uid",
                "metadata.resourceVersion",
                "metadata.managedFields",
                "spec.hard",
                "status.hard",
                "status.used",
            ),
            where_made=True,
        ),
    ),
    reader=lambda _: each(_read),
)
