"""Somebody who sees every version of the targets, records and Drill, by watches of its own, whatever the operator says.

The versions are in the API server's own order (resourceVersion), so what came first is certain.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.faultmatrix import shapes
from tests.faultmatrix.shapes import PEOPLE
from tests.faultmatrix.slot import RECORDS, Slot

from kubedrill.core.paths import ApiPath
from kubedrill.kube.client import Kube, Unreachable
from kubedrill.protocol.drills import drill_path

CLIENT_SAYS: Final = [("fieldSelector", "reason=ClientMessage")]
"""What players are told by the client, among all the Events of their namespace."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A version of an object. `at` is when it was seen here (monotonic seconds). `theirs`: what people have written."""

    what: str
    name: str
    event: str
    version: int
    at: float
    value: Any = None
    managers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    uid: str = ""
    theirs: frozenset[str] = frozenset()


class Witness:
    """Watches one slot for the length of a plan."""

    def __init__(self, kube: Kube, slot: Slot) -> None:
        self._kube, self._slot = kube, slot
        self.seen: list[Sighting] = []
        self.changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, fault: str = "") -> None:
        """Begins; returns when every watch stands. Quotas and pods are watched where the fault is about them."""
        target, control = self._slot.target, self._slot.control
        watched = [
            ("target", f"/apis/apps/v1/namespaces/{target}/deployments", []),
            ("target", f"/apis/apps/v1/namespaces/{target}/statefulsets", []),
            ("record", f"/api/v1/namespaces/{control}/secrets", RECORDS),
            ("drill", drill_path(control), []),
            ("event", f"/api/v1/namespaces/{target}/events", CLIENT_SAYS),
        ]
        watched += [("made", shapes.quotas_of(target), [])] if shapes.makes(fault) else []
        watched += [("pod", f"/api/v1/namespaces/{target}/pods", [])] if shapes.removes(fault) else []
        stand = []
        for what, path, query in watched:
            stands = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._watch(what, path, query, stands)))
            stand.append(stands.wait())
        async with asyncio.timeout(20):
            await asyncio.gather(*stand)

    async def stop(self) -> None:
        """Ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def of(self, what: str, name: str = "") -> list[Sighting]:
        """What was seen of a kind, in the order of the versions."""
        return sorted((s for s in self.seen if s.what == what and name in ("", s.name)), key=lambda s: s.version)

    async def _watch(self, what: str, path: str, query: list[tuple[str, str]], stands: asyncio.Event) -> None:
        """Lists, then watches; when the API server was away, begins anew."""
        while True:
            with contextlib.suppress(Unreachable):
                found = await self._kube.get(ApiPath(path), query=query)
                for item in found.body.get("items") or ():
                    self._note(what, "LISTED", item)
                stands.set()
                version = (found.body.get("metadata") or {}).get("resourceVersion", "")
                async for event in self._kube.watch(ApiPath(path), version, query):
                    if event["type"] == "ERROR":
                        break
                    if event["type"] != "BOOKMARK":
                        self._note(what, event["type"], event["object"])
            await asyncio.sleep(0.2)

    def _note(self, what: str, event: str, item: dict[str, Any]) -> None:
        meta = item["metadata"]
        entries = meta.get("managedFields") or ()
        managers = tuple(str(m.get("manager")) for m in entries)
        # by its time: an entry whose field our own write took over keeps its time
        theirs = frozenset(f"{m['manager']} {m.get('time')}" for m in entries if m.get("manager") in PEOPLE)
        self.seen.append(
            Sighting(
                what,
                meta["name"],
                event,
                int(meta["resourceVersion"]),
                time.monotonic(),
                _value(what, item),
                managers,
                dict(meta.get("labels") or {}),
                meta["uid"],
                theirs,
            )
        )
        self.changed.set()


def _value(what: str, item: dict[str, Any]) -> Any:
    """What matters of an object.

    The touched field, a record's state, an Event's words; a drill's phase, why it is "restored", and its milestones.
    """
    if what == "target":
        return shapes.value_of(item)
    if what == "record":
        try:
            stored = json.loads(base64.b64decode(item["data"]["record"]))
        except (KeyError, ValueError):
            stored = {}
        if not stored:  # somebody has damaged it (`people.damage_record`): what it says is unknown
            unknown = dict.fromkeys(("drill", "uid", "target", "by", "intended", "deadline"), "")
            return unknown | {"state": "Unreadable", "before": {}}
        operation = stored["groups"][0].get("operation", {}) if stored["groups"] else {}
        subject = stored.get("target") or operation.get("target") or operation.get("workload") or {}
        fields = [f for group in stored["groups"] for f in group.get("fields", ())]
        return {
            "state": stored["state"],
            "drill": stored["drill"]["name"],
            "uid": stored["drill"]["uid"],
            "target": subject.get("name", ""),
            "released": bool(stored.get("released")),
            "by": (stored.get("outcome") or {}).get("by", ""),
            "intended": stored["intended_at"],
            "deadline": stored["deadline"],
            "before": {f["path"]: f["before"].get("is") for f in fields},
        }
    if what in ("made", "pod"):
        return (item["metadata"].get("labels") or {}).get("app", "")
    if what == "event":
        return item.get("message", "")
    status = item.get("status") or {}
    told = {c["type"]: c["reason"] for c in status.get("conditions") or () if c["status"] == "True"}
    reached = frozenset(m["name"] for m in status.get("milestones") or ())
    return status.get("phase"), bool(item["metadata"].get("deletionTimestamp")), told.get("Restored", ""), reached
