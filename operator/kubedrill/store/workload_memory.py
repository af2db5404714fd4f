"""What the workloads looked like last, beside the drill, so that after a restart a change made meanwhile is found.

Of two operators the last one's word stands, without a precondition: both tell of the same objects, what is kept is
compared with what is there by generation, and a part that is missing costs one finding after a restart and no more.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any, Final

from kubedrill.kube.client import Answer, Kube
from kubedrill.kube.refusals import is_unstorable
from kubedrill.store.drill_parts import DrillParts, EvidenceRefused, is_missing

LOG = logging.getLogger(__name__)
PART_BYTES: Final = 256 * 1024
"""Of workloads in one ConfigMap. A single one that is longer, with an absurd spec, is not kept."""
_KIND: Final = "memory"


class WorkloadMemory:
    """The workloads of one drill's target namespace, as they are kept."""

    def __init__(self, kube: Kube, namespace: str, drill: str, uid: str) -> None:
        self._parts = DrillParts(kube, namespace, drill, uid)
        self._written: dict[str, str] = {}
        self._kept = ""

    async def remember(self, workloads: Iterable[dict[str, Any]]) -> None:
        """Keeps what the workloads look like now.

        Hundreds of workloads are kept in several ConfigMaps, of which only those are written in which a workload has
        a new generation. That one of them is refused is said and no reason to stop: it is needed after a restart alone.
        """
        workloads = tuple(workloads)
        if _generations(workloads) == self._kept:
            return  # every turn asks, and to divide hundreds takes as long as the rest of it
        refused = False
        for name, part in self._divided(workloads).items():
            if self._written.get(name) == _generations(part):
                continue
            answer = await self._put(name, json.dumps(part, sort_keys=True))
            if not answer.ok:
                LOG.warning(
                    "drill %s: what the workloads look like is not kept: %s %s",
                    self._parts.drill,
                    answer.status,
                    answer.message,
                )
            if answer.ok or is_unstorable(answer):
                self._written[name] = _generations(part)
            else:
                refused = True
        self._kept = "" if refused else _generations(workloads)

    async def remembered(self) -> list[dict[str, Any]]:
        """The workloads as they were kept; none when nothing was, or what was kept can't be read."""
        found: dict[str, dict[str, Any]] = {}
        try:
            async for item in self._parts.listed(_KIND):
                if self._parts.owns(item):
                    found |= self._read(item)
        except EvidenceRefused as refused:
            LOG.warning("drill %s: what the workloads looked like is unknown: %s", self._parts.drill, refused)
        return list(found.values())

    def _read(self, item: dict[str, Any]) -> dict[str, dict[str, Any]]:
        try:
            return {w["metadata"]["uid"]: w for w in json.loads(item["data"][_KIND])}
        except (KeyError, TypeError, ValueError) as error:
            LOG.warning("drill %s: %s can't be read: %r", self._parts.drill, item["metadata"]["name"], error)
            return {}

    async def _put(self, name: str, text: str) -> Answer:
        answer = await self._parts.patch(name, {_KIND: text})
        if is_missing(answer):
            answer = await self._parts.create(name, _KIND, {_KIND: text})
        return answer

    def _divided(self, workloads: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """What each ConfigMap holds; one that is needed no more holds nothing."""
        parts: list[list[dict[str, Any]]] = [[]]
        room = PART_BYTES
        for workload in sorted(workloads, key=lambda w: str(w["metadata"]["uid"])):
            size = len(json.dumps(workload)) + 2
            if size > PART_BYTES - 2:
                continue
            if size > room - 2:
                parts.append([])
                room = PART_BYTES
            room -= size
            parts[-1].append(workload)
        named = {self._parts.name(f"{_KIND}-{n}"): part for n, part in enumerate(parts)}
        return {known: [] for known in self._written} | named


def _generations(workloads: Iterable[dict[str, Any]]) -> str:
    """What tells whether workloads have changed."""
    return str(sorted((str(w["metadata"]["uid"]), str(w["metadata"].get("generation"))) for w in workloads))
